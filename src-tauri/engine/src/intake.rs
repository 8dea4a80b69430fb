//! The only place where what a feed delivers becomes a journal entry and the board's input, and back again.
//!
//! An entry's text is JSON, one object an event:
//! `{"c":"flights","n":"flight.cancelled","i":"…","p":"k3x9:41","t":1360339200000,"d":{…}}`
//! with channel, name, id (if any), position (if any), the source's time in milliseconds, and the data as it came.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use watchfloor_model::{
    Continuity, Delivery, Event, Gap, Mono, Payload, Position, Restated, Snapshot, SourceClock, SourceStatus, Timestamp,
};

use crate::{
    clock::Clock,
    journal::{
        Entry, PositionChange,
        table::batch::{Batch, Kind},
    },
};

/// Text of all deliveries of all sources that are between their feed and the board, in bytes. When it is reached, sockets
/// are no longer read: the peer waits, memory doesn't grow (H5). In memory an event takes about four times its text. This is
/// what the fastest of boards folds in a fifth of a second, which is longer than a disk mostly takes for a transaction.
pub(crate) const IN_FLIGHT_BYTES_MAX: u32 = 8 << 20;
/// Steps of all sources that wait for the journal.
pub(crate) const STEPS_QUEUED_MAX: usize = 64;
/// Different channels and event names for which a replay shares one text.
const NAMES_SHARED_MAX: usize = 4096;

/// One step of a source on its way to the board. The order within a source is kept from end to end.
#[derive(Debug)]
pub(crate) enum Step {
    /// Something to journal and then to fold.
    Delivered(Delivered),
    /// Something for the board alone, in its place among what is journaled: a comparison with the server.
    Unwritten {
        /// The source.
        source: Arc<str>,
        /// In which of its lives.
        life: u64,
        /// What it is.
        delivery: Delivery,
        /// Its share of [`IN_FLIGHT_BYTES_MAX`].
        share: Option<OwnedSemaphorePermit>,
    },
    /// What is known of the source now. Follows everything that it is a consequence of.
    Status {
        /// The source.
        source: Arc<str>,
        /// In which of its lives.
        life: u64,
        /// What is known.
        status: Box<SourceStatus>,
    },
    /// The source begins again without its positions: the board folds what it didn't before, or the source tells another story.
    Forget {
        /// The source.
        source: Arc<str>,
        /// In which of its lives.
        life: u64,
        /// Which story it tells from here on.
        story: String,
    },
    /// The board has no such source any more.
    Left {
        /// The source.
        source: Arc<str>,
        /// In which of its lives.
        life: u64,
    },
}

impl Step {
    /// Whose it is, and in which of its lives.
    pub(crate) const fn life(&self) -> (&Arc<str>, u64) {
        match self {
            Self::Delivered(delivered) => (&delivered.entry.batch.source, delivered.life),
            Self::Unwritten { source, life, .. }
            | Self::Status { source, life, .. }
            | Self::Forget { source, life, .. }
            | Self::Left { source, life } => (source, *life),
        }
    }
}

/// A delivery with its journal entry.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// In which of its source's lives.
    pub(crate) life: u64,
    /// What is written.
    pub(crate) entry: Entry,
    /// What is folded.
    pub(crate) delivery: Delivery,
    /// Its share of [`IN_FLIGHT_BYTES_MAX`], given back once it is folded.
    pub(crate) share: Option<OwnedSemaphorePermit>,
}

/// The way into the pipeline. Each source has one.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    source: Arc<str>,
    life: u64,
    clock: Clock,
    steps: tokio::sync::mpsc::Sender<Step>,
    in_flight: Arc<Semaphore>,
}

/// The pipeline is gone because the engine stops.
#[derive(Debug)]
pub(crate) struct Gone;

impl Intake {
    /// The intake of `source` in one of its lives: a source that begins again with other settings has another one, and what its former
    /// ones left on the way is nothing of its.
    pub(crate) fn new(
        source: Arc<str>,
        life: u64,
        clock: Clock,
        steps: tokio::sync::mpsc::Sender<Step>,
        in_flight: Arc<Semaphore>,
    ) -> Self {
        Self { source, life, clock, steps, in_flight }
    }

    /// The source begins another life.
    pub(crate) const fn begin_life(&mut self, life: u64) {
        self.life = life;
    }

    /// Takes a delivery; waits while the pipeline is full.
    pub(crate) async fn deliver(&self, delivery: Delivery) -> Result<(), Gone> {
        let Some(entry) = entry(&self.source, &delivery, &self.clock) else { return self.compare(delivery).await };
        let share = self.share(entry.batch.body.len()).await?;
        self.send(Step::Delivered(Delivered { life: self.life, entry, delivery, share: Some(share) })).await
    }

    /// Takes a delivery that isn't journaled.
    async fn compare(&self, delivery: Delivery) -> Result<(), Gone> {
        let share = self.share(unwritten_bytes(&delivery)).await?;
        let (source, life) = (Arc::clone(&self.source), self.life);
        self.send(Step::Unwritten { source, life, delivery, share: Some(share) }).await
    }

    async fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Gone> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(IN_FLIGHT_BYTES_MAX);
        Arc::clone(&self.in_flight).acquire_many_owned(bytes).await.map_err(|_| Gone)
    }

    /// Takes what is known of the source.
    pub(crate) async fn status(&self, status: SourceStatus) -> Result<(), Gone> {
        let (source, life) = (Arc::clone(&self.source), self.life);
        self.send(Step::Status { source, life, status: Box::new(status) }).await
    }

    /// Makes the source's positions void; from here on it tells `story`.
    pub(crate) async fn forget(&self, story: &str) -> Result<(), Gone> {
        self.send(Step::Forget { source: Arc::clone(&self.source), life: self.life, story: story.to_owned() }).await
    }

    /// There is nothing more of this source.
    pub(crate) async fn leave(&self) -> Result<(), Gone> {
        self.send(Step::Left { source: Arc::clone(&self.source), life: self.life }).await
    }

    async fn send(&self, step: Step) -> Result<(), Gone> {
        self.steps.send(step).await.map_err(|_| Gone)
    }
}

#[derive(Serialize, Deserialize)]
struct ForgetText {
    #[serde(default)]
    story: Option<String>,
}

/// The journal entry for a source that begins again, and tells `story`; none at all if that is empty.
pub(crate) fn forget_entry(source: &Arc<str>, story: String, clock: &Clock) -> Entry {
    let body = text(&ForgetText { story: Some(story) });
    let batch = Batch { source: Arc::clone(source), kind: Kind::Forget, received: clock.wall(), events: 0, body };
    Entry { batch, positions: PositionChange::Replace(Vec::new()) }
}

/// The journal entry of a delivery; none if it leaves what is folded as it is.
pub(crate) fn entry(source: &Arc<str>, delivery: &Delivery, clock: &Clock) -> Option<Entry> {
    let (kind, events, body, positions) = match delivery {
        Delivery::Events(events) => {
            (Kind::Events, events.len(), events_text(events), PositionChange::Advance(newest_positions(events)))
        }
        Delivery::Snapshot(snapshot) => {
            let places = snapshot.positions.iter().map(|(channel, place)| (Arc::clone(channel), place.clone()));
            (Kind::Snapshot, 0, text(&SnapshotText::of(snapshot)), PositionChange::Replace(places.collect()))
        }
        Delivery::Restated(restated) => {
            let places = restated.positions.iter().map(|(channel, place)| (Arc::clone(channel), place.clone()));
            let (body, places) = (restated_text(restated), PositionChange::Advance(places.collect()));
            (Kind::Restated, restated.events.len(), body, places)
        }
        Delivery::Gap(gap) => {
            // A gap that nothing closes ends at a place from which the story goes on, even if nothing follows.
            let place = gap.to.clone().filter(|_| gap.proof == Continuity::Unknown);
            let places = place.map(|place| (Arc::clone(&gap.channel), place)).into_iter().collect();
            (Kind::Gap, 0, text(&GapText::of(gap, clock)), PositionChange::Advance(places))
        }
        Delivery::Check(_) | Delivery::Recheck(_) => return None,
    };
    let batch = Batch {
        source: Arc::clone(source),
        kind,
        received: clock.wall(),
        events: u32::try_from(events).unwrap_or(u32::MAX),
        body,
    };
    Some(Entry { batch, positions })
}

/// Which story a source tells from this batch of [`Kind::Forget`] on. Programs before this one didn't say it.
pub(crate) fn story_of(batch: &Batch) -> Result<Option<String>, String> {
    let text: ForgetText =
        serde_json::from_str(&batch.body).map_err(|error| format!("a beginning of {}: {error}", batch.source))?;
    Ok(text.story)
}

/// The text of a delivery that becomes no entry, in bytes.
fn unwritten_bytes(delivery: &Delivery) -> usize {
    let events = |events: &[Event]| events.iter().map(|event| event.data.text().len()).sum::<usize>();
    match delivery {
        Delivery::Check(check) => {
            let state = check.snapshot.aggregates.values().map(|state| state.get().len()).sum::<usize>();
            state + events(&check.later)
        }
        Delivery::Recheck(check) => events(&check.restated.events) + events(&check.later),
        Delivery::Events(_) | Delivery::Snapshot(_) | Delivery::Restated(_) | Delivery::Gap(_) => 0,
    }
}

/// The last position of each channel in `events`.
fn newest_positions(events: &[Event]) -> Vec<(Arc<str>, Position)> {
    let mut newest: Vec<(Arc<str>, Position)> = Vec::new();
    for event in events.iter().rev() {
        let Some(position) = &event.position else { continue };
        if !newest.iter().any(|(channel, _)| *channel == event.channel) {
            newest.push((Arc::clone(&event.channel), position.clone()));
        }
    }
    newest
}

#[derive(Serialize)]
struct EventHead<'a> {
    c: &'a str,
    n: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<&'a Position>,
    t: Timestamp,
}

#[derive(Deserialize)]
struct EventText<'a> {
    #[serde(borrow)]
    c: Cow<'a, str>,
    #[serde(borrow)]
    n: Cow<'a, str>,
    #[serde(borrow, default)]
    i: Option<Cow<'a, str>>,
    #[serde(default)]
    p: Option<Position>,
    t: Timestamp,
    #[serde(borrow)]
    d: &'a RawValue,
}

/// Writes the events' heads and puts their data in as it came, which costs no second look at it.
fn events_text(events: &[Event]) -> String {
    let bytes: usize = events.iter().map(|event| event.data.text().len() + 128).sum();
    let mut all = String::with_capacity(bytes);
    for event in events {
        let head = EventHead {
            c: &event.channel,
            n: &event.name,
            i: event.id.as_deref(),
            p: event.position.as_ref(),
            t: event.time,
        };
        let head = text(&head);
        all.push_str(head.strip_suffix('}').unwrap_or(&head));
        all.push_str(",\"d\":");
        all.push_str(event.data.text());
        all.push_str("}\n");
    }
    all
}

/// What a site says that it has: a line that says of what and where, then its events as events are written.
fn restated_text(restated: &Restated) -> String {
    let head = RestatedHead {
        channel: Cow::Borrowed(&restated.channel),
        name: restated.name.as_deref().map(Cow::Borrowed),
        positions: Cow::Borrowed(&restated.positions),
    };
    format!("{}\n{}", text(&head), events_text(&restated.events))
}

#[derive(Serialize, Deserialize)]
struct RestatedHead<'a> {
    channel: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    positions: Cow<'a, BTreeMap<Arc<str>, Position>>,
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain structs with text keys always serialise")
}

#[derive(Serialize, Deserialize)]
struct SnapshotText<'a> {
    positions: Cow<'a, BTreeMap<Arc<str>, Position>>,
    now: Timestamp,
    speed: f64,
    label: Option<Cow<'a, str>>,
    since: Option<Timestamp>,
    aggregates: Cow<'a, BTreeMap<String, Box<RawValue>>>,
}

impl<'a> SnapshotText<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            positions: Cow::Borrowed(&snapshot.positions),
            now: snapshot.clock.at(snapshot.received),
            // JSON has no other numbers; a clock that isn't one stands still.
            speed: if snapshot.clock.speed.is_finite() { snapshot.clock.speed } else { 0.0 },
            label: snapshot.clock.label.as_deref().map(Cow::Borrowed),
            since: snapshot.since,
            aggregates: Cow::Borrowed(&snapshot.aggregates),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct GapText {
    channel: Arc<str>,
    from: Option<Position>,
    to: Option<Position>,
    proof: Continuity,
    reason: String,
    began: Timestamp,
    ended: Timestamp,
    /// The same by the source's own time. Journals of before don't have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_times: Option<(Timestamp, Timestamp)>,
}

impl GapText {
    fn of(gap: &Gap, clock: &Clock) -> Self {
        Self {
            channel: Arc::clone(&gap.channel),
            from: gap.from.clone(),
            to: gap.to.clone(),
            proof: gap.proof,
            reason: gap.reason.clone(),
            began: clock.wall_at(gap.began),
            ended: clock.wall_at(gap.ended),
            source_times: gap.source_times,
        }
    }
}

/// Makes deliveries of journal entries again.
pub(crate) struct Replay {
    clock: Clock,
    names: BTreeSet<Arc<str>>,
}

impl Replay {
    /// A replay on this run's clock: what was received before it began gets its true age.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, names: BTreeSet::new() }
    }

    /// The delivery that became `batch`; none if it held none.
    ///
    /// # Errors
    /// If the text isn't one that was written by this module: the file is damaged.
    pub(crate) fn delivery(&mut self, batch: &Batch) -> Result<Option<Delivery>, String> {
        let damaged = |error: serde_json::Error| format!("a batch of {:?} can't be read: {error}", batch.kind);
        let received = self.clock.place(batch.received);
        match batch.kind {
            Kind::Events => self.events(&batch.body, batch.events, received, damaged).map(Delivery::Events).map(Some),
            Kind::Restated => {
                let (head, rest) = batch.body.split_once('\n').ok_or("a batch of Restated has no second line")?;
                let head: RestatedHead<'_> = serde_json::from_str(head).map_err(damaged)?;
                Ok(Some(Delivery::Restated(Restated {
                    channel: self.shared(&head.channel),
                    name: head.name.as_deref().map(|name| self.shared(name)),
                    positions: head.positions.into_owned(),
                    events: self.events(rest, batch.events, received, damaged)?,
                    received,
                })))
            }
            Kind::Snapshot => {
                let text: SnapshotText<'_> = serde_json::from_str(&batch.body).map_err(damaged)?;
                let label = text.label.map(Cow::into_owned);
                let clock = SourceClock { at: text.now, read: received, speed: text.speed, label };
                let (positions, aggregates) = (text.positions.into_owned(), text.aggregates.into_owned());
                let since = text.since;
                Ok(Some(Delivery::Snapshot(Snapshot { positions, clock, since, aggregates, received })))
            }
            Kind::Gap => {
                let text: GapText = serde_json::from_str(&batch.body).map_err(damaged)?;
                Ok(Some(Delivery::Gap(Gap {
                    channel: text.channel,
                    from: text.from,
                    to: text.to,
                    proof: text.proof,
                    reason: text.reason,
                    began: self.clock.place(text.began),
                    ended: self.clock.place(text.ended),
                    source_times: text.source_times,
                })))
            }
            Kind::Forget => Ok(None),
        }
    }

    fn events(
        &mut self,
        text: &str,
        count: u32,
        received: Mono,
        damaged: impl Fn(serde_json::Error) -> String,
    ) -> Result<Vec<Event>, String> {
        let mut events = Vec::with_capacity(count.min(100_000) as usize);
        for line in serde_json::Deserializer::from_str(text).into_iter::<EventText<'_>>() {
            let line = line.map_err(&damaged)?;
            let data = Payload::parse(line.d.get()).map_err(|error| error.to_string())?;
            events.push(Event {
                channel: self.shared(&line.c),
                name: self.shared(&line.n),
                id: line.i.as_deref().map(Arc::from),
                position: line.p,
                time: line.t,
                received,
                data,
            });
        }
        Ok(events)
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(shared) = self.names.get(name) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = name.into();
        if self.names.len() < NAMES_SHARED_MAX {
            self.names.insert(Arc::clone(&shared));
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use watchfloor_model::Mono;

    use super::*;

    fn event(channel: &str, offset: Option<u64>, data: &str) -> Event {
        Event {
            channel: channel.into(),
            name: "a \"name\"\n".into(),
            id: offset.map(|offset| format!("id {offset}").into()),
            position: offset.map(|offset| Position::new("e", offset)),
            time: Timestamp::from_millis(-5),
            received: Mono::ZERO,
            data: Payload::parse(data).unwrap(),
        }
    }

    fn round(delivery: &Delivery, clock: Clock) -> Delivery {
        let entry = entry(&"s".into(), delivery, &clock).unwrap();
        Replay::new(clock).delivery(&entry.batch).unwrap().unwrap()
    }

    /// H4: what is folded after a restart is what was folded before it, whatever the data looks like.
    #[test]
    fn events_come_back_as_they_went() {
        let clock = Clock::start();
        let events: Vec<Event> = [
            ("x", Some(1), "{\"a\": 1}"),
            ("x", None, "null"),
            ("y", Some(7), "[1,\n 2]"),
            ("x", Some(2), "\"}{\\n\\u0000\u{1F6EB}\""),
            ("z", Some(3), " -0.0 "),
        ]
        .into_iter()
        .map(|(channel, offset, data)| event(channel, offset, data))
        .collect();
        let Delivery::Events(back) = round(&Delivery::Events(events.clone()), clock) else { panic!("no events") };
        assert_eq!(back.len(), events.len());
        for (back, event) in back.iter().zip(&events) {
            assert_eq!(
                (&back.channel, &back.name, &back.id, &back.position, back.time, back.data.value().to_value()),
                (&event.channel, &event.name, &event.id, &event.position, event.time, event.data.value().to_value())
            );
            assert!(clock.now().since(back.received) < Duration::from_secs(5), "received is the batch's own time");
        }
        let entry = entry(&"s".into(), &Delivery::Events(events), &clock).unwrap();
        let PositionChange::Advance(mut newest) = entry.positions else { panic!("events only advance") };
        newest.sort_by(|a, b| a.0.cmp(&b.0));
        let newest: Vec<String> = newest.iter().map(|(channel, place)| format!("{channel} {place}")).collect();
        assert_eq!(newest, ["x e:2", "y e:7", "z e:3"]);
    }

    /// H4: a snapshot replaces what was known of positions, in the journal as on the board.
    #[test]
    fn snapshots_and_gaps_come_back() {
        let clock = Clock::start();
        let positions = BTreeMap::from([(Arc::from("x"), Position::new("e", 9))]);
        let snapshot = Snapshot {
            positions: positions.clone(),
            clock: SourceClock {
                at: Timestamp::from_millis(1000),
                read: clock.now(),
                speed: f64::NAN,
                label: Some("Replay".into()),
            },
            since: Some(Timestamp::from_millis(500)),
            aggregates: BTreeMap::from([("counter-1".into(), serde_json::from_str("{\"n\": 3}").unwrap())]),
            received: clock.now(),
        };
        let Delivery::Snapshot(back) = round(&Delivery::Snapshot(snapshot.clone()), clock) else { panic!() };
        assert_eq!((back.positions, back.aggregates["counter-1"].get()), (positions, "{\"n\": 3}"));
        assert_eq!((back.clock.at.as_millis(), back.clock.speed), (1000, 0.0));
        assert_eq!(back.since, snapshot.since);

        for (proof, places) in [(Continuity::Proven, 0), (Continuity::Snapshot, 0), (Continuity::Unknown, 1)] {
            let gap = Gap {
                channel: "x".into(),
                from: None,
                to: Some(Position::new("f", 1)),
                proof,
                reason: "epoch changed".into(),
                began: clock.now(),
                ended: clock.now(),
                source_times: Some((Timestamp::from_millis(5), Timestamp::from_millis(70_000))),
            };
            let entry = entry(&"s".into(), &Delivery::Gap(gap.clone()), &clock).unwrap();
            let PositionChange::Advance(found) = &entry.positions else { panic!() };
            assert_eq!(found.len(), places, "{proof:?}");
            let Some(Delivery::Gap(back)) = Replay::new(clock).delivery(&entry.batch).unwrap() else { panic!() };
            assert_eq!((back.to, back.proof, back.reason), (gap.to, gap.proof, gap.reason));
            assert_eq!(back.source_times, gap.source_times);
        }
        // Of a journal of before.
        let old = r#"{"channel":"x","from":null,"to":null,"proof":"unknown","reason":"lost","began":1,"ended":2}"#;
        let received = Timestamp::default();
        let batch = Batch { source: "s".into(), kind: Kind::Gap, received, events: 0, body: old.into() };
        let Ok(Some(Delivery::Gap(back))) = Replay::new(clock).delivery(&batch) else { panic!() };
        assert_eq!(back.source_times, None);
    }

    /// H4: what a site said is said again after a restart, and where the stream follows it.
    #[test]
    fn what_a_site_said_comes_back() {
        let clock = Clock::start();
        for events in [Vec::new(), vec![event("x", None, "{\"a\":\n1}"), event("x", None, "2")]] {
            let positions = BTreeMap::from([(Arc::from("x"), Position::new("e", 9))]);
            let channel: Arc<str> = "x".into();
            let name: Option<Arc<str>> = (!events.is_empty()).then(|| "a \"name\"\n".into());
            let received = clock.now();
            let restated = Restated { channel, name, events, positions, received };
            let delivery = Delivery::Restated(restated.clone());
            let entry = entry(&"s".into(), &delivery, &clock).unwrap();
            let PositionChange::Advance(places) = entry.positions else { panic!("it only advances") };
            assert_eq!(places, [("x".into(), Position::new("e", 9))]);
            let Delivery::Restated(back) = round(&delivery, clock) else { panic!("not restated") };
            assert_eq!((&back.channel, &back.name), (&restated.channel, &restated.name));
            assert_eq!(back.positions, restated.positions);
            let data =
                |restated: &Restated| restated.events.iter().map(|event| event.data.text().to_string()).collect();
            let (own, back): (Vec<String>, Vec<String>) = (data(&restated), data(&back));
            assert_eq!(back, own);
        }
    }

    /// H1: what was received before this start is as old as it is.
    #[test]
    fn what_is_replayed_keeps_its_age() {
        const HOUR: Duration = Duration::from_secs(3600);
        let clock = Clock::start();
        let entry = entry(&"s".into(), &Delivery::Events(vec![event("x", Some(1), "1")]), &clock).unwrap();
        let batch = Batch { received: clock.wall().minus(HOUR), ..entry.batch };
        let Ok(Some(Delivery::Events(back))) = Replay::new(clock).delivery(&batch) else { panic!("no events") };
        assert!(clock.now().since(back[0].received) >= HOUR, "{:?}", back[0].received);
    }

    /// A body that isn't ours is damage, not a panic.
    #[test]
    fn damaged_bodies_are_told() {
        for kind in [Kind::Events, Kind::Snapshot, Kind::Gap, Kind::Restated] {
            for body in ["{", "{\"c\":1}", "[]", "{\"c\":\"x\",\"n\":\"y\",\"t\":1,\"d\":NaN}"] {
                let batch = Batch {
                    source: "s".into(),
                    kind,
                    received: Timestamp::default(),
                    events: u32::MAX,
                    body: body.into(),
                };
                assert!(Replay::new(Clock::start()).delivery(&batch).is_err(), "{kind:?} {body}");
            }
        }
    }
}
