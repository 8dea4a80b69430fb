//! One source on the board: what is known of it, and what is folded of it. Its time is in [`time`].

mod time;

use std::{collections::BTreeMap, sync::Arc};

use watchfloor_model::{
    Check, Continuity, Delivery, Event, Gap, Mono, Phase, Position, Snapshot, SourceClock, SourceStatus, Timestamp,
};

use self::time::{is_of_a_time_to_come, is_quicker, is_set_back};
use super::{
    check::{Difference, Outcome},
    checkpoint::ReplayCheckpoint,
    index::Index,
    tracked::{Heard, Tracked},
    voices::{Voices, marks_quality},
};
use crate::{
    Aggregate,
    config::spec::{FoldSpec, SourceSpec},
    freshness::Held,
    reduce::Rejection,
};

/// A source.
pub(super) struct Lane {
    pub(super) spec: SourceSpec,
    pub(super) status: SourceStatus,
    pub(super) tracked: Vec<Tracked>,
    pub(super) channels: BTreeMap<Arc<str>, Channel>,
    /// When what is held was last known to be current.
    pub(super) current: Option<Heard>,
    /// The clock of the newest status or snapshot.
    clock: Option<SourceClock>,
    /// A former run's replay: its time stands still until the source tells one.
    pub(super) stood: Option<ReplayCheckpoint>,
    /// The source's time that its aggregates were last told.
    pub(super) now: Option<Timestamp>,
    /// When the newest snapshot or comparison came: up to then, everything is known.
    known: Option<Mono>,
    /// What was found different from what the server holds, in this run.
    pub(super) drift: u64,
    /// When all was last compared with the server.
    pub(super) checked: Option<Mono>,
    /// Its publishers, where they say of themselves whether they are good.
    pub(super) voices: Voices,
    index: Index,
    /// Aggregates of the file before, until it is known which of them the new one needs.
    spare: Vec<Tracked>,
}

/// What was delivered of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Channel {
    /// The source's time of its newest event.
    pub(super) newest: Option<Timestamp>,
    /// Up to where it was delivered.
    pub(super) position: Option<Position>,
}

/// Rejected events: the aggregate's number, and why.
pub(super) type Rejections = Vec<(usize, Rejection)>;

/// What a delivery brings to light, by the aggregate's number.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rejections: Rejections,
    pub(super) drifts: Vec<(usize, Difference)>,
    /// Whether something of the server's was taken.
    pub(super) is_corrected: bool,
}

impl Lane {
    /// A lane for `spec`, with the state of the old one if it is of the same source.
    pub(super) fn renewed(old: Option<Self>, spec: &SourceSpec) -> Self {
        match old.filter(|lane| spec.continues(&lane.spec)) {
            Some(lane) => Self { spec: spec.clone(), spare: lane.tracked, tracked: Vec::new(), ..lane },
            None => Self {
                spec: spec.clone(),
                status: SourceStatus::default(),
                tracked: Vec::new(),
                channels: BTreeMap::new(),
                current: None,
                clock: None,
                stood: None,
                now: None,
                known: None,
                drift: 0,
                checked: None,
                voices: Voices::default(),
                index: Index::default(),
                spare: Vec::new(),
            },
        }
    }

    /// The number of the aggregate of this fold, which is made if there is none.
    pub(super) fn track(&mut self, fold: &FoldSpec) -> usize {
        let mut aggregate = Aggregate::new(fold);
        let is_same = |own: &Tracked| own.aggregate.fingerprint() == aggregate.fingerprint();
        if let Some(number) = self.tracked.iter().position(is_same) {
            return number;
        }
        let spare = self.spare.iter().position(is_same).map(|number| self.spare.swap_remove(number));
        let tracked = spare.unwrap_or_else(|| {
            if let Some(now) = self.now {
                aggregate.advance(now);
            }
            Tracked { marks_quality: marks_quality(&fold.reducer), ..Tracked::new(aggregate) }
        });
        self.tracked.push(tracked);
        self.tracked.len() - 1
    }

    /// Every widget has its aggregate: what no widget needs any more goes.
    pub(super) fn finish(&mut self) {
        self.spare.clear();
        self.index.clear();
    }

    /// What is held, as freshness asks for it.
    pub(super) fn held(&self, value: bool, now: Mono) -> Held {
        Held { value, age: self.current.map(|current| current.age(now)) }
    }

    /// Says whether anything visible changed besides freshness.
    pub(super) fn handle_status(&mut self, status: SourceStatus, now: Mono) -> bool {
        if status.phase == Phase::Live
            && let Some(link) = status.link_proof
        {
            let publisher = if self.spec.quiet.is_some() { status.publisher_proof } else { Some(link) };
            if let Some(proof) = publisher.map(|publisher| publisher.min(link)) {
                self.be_current(Heard::at(proof), now);
            }
        }
        let visible = is_visible(&self.status, &status);
        if let Some(clock) = &status.clock
            && self.clock.as_ref().is_none_or(|own| own.read <= clock.read || is_quicker(clock, own, now))
        {
            self.clock = Some(clock.clone());
        }
        self.status = status;
        self.advance(now) || visible
    }

    pub(super) fn be_current(&mut self, heard: Heard, now: Mono) {
        self.current = Some(self.current.map_or(heard, |current| current.later(heard, now)));
    }

    /// Says whether anything visible changed.
    pub(super) fn handle_delivery(&mut self, delivery: &Delivery, now: Mono, found: &mut Found) -> bool {
        let rejections = &mut found.rejections;
        let changed = match delivery {
            Delivery::Events(events) => self.handle_events(events, now, rejections),
            Delivery::Snapshot(snapshot) => self.handle_snapshot(snapshot, now, rejections),
            Delivery::Restated(restated) => self.handle_restated(restated, now, rejections),
            Delivery::Gap(gap) => self.handle_gap(gap),
            Delivery::Check(check) => self.handle_check(check, now, found),
            Delivery::Recheck(check) => self.handle_recheck(check, now, found),
        };
        self.advance(now) || changed
    }

    /// Takes one event, as a delivery of its own; says whether anything visible changed.
    pub(super) fn handle_event(&mut self, event: &Event, now: Mono, rejections: &mut Rejections) -> bool {
        let changed = self.handle_events(std::slice::from_ref(event), now, rejections);
        self.advance(now) || changed
    }

    fn handle_events(&mut self, events: &[Event], now: Mono, rejections: &mut Rejections) -> bool {
        let mut began = Vec::new();
        let are_of_documents = self.spec.tells_whole();
        for event in events {
            let speaks = self.spec.sparkplug.is_some() && self.voices.hear(event);
            let is_elsewise =
                self.spec.restated().map(|(channel, name)| (channel, name) != (&*event.channel, &*event.name));
            let wanting = self.index.wanting(&event.channel, &event.name, &self.tracked);
            for wanting in wanting.iter() {
                let Some(tracked) = self.tracked.get_mut(wanting.tracked) else { continue };
                if wanting.is_conditional && !tracked.aggregate.accepts(event.data.value()) {
                    continue;
                }
                let begins = speaks && tracked.aggregate.begins_with(event);
                match tracked.aggregate.fold(event) {
                    Ok(()) => {
                        if tracked.is_new() {
                            began.push(wanting.tracked);
                        }
                        tracked.is_known = true;
                        tracked.note_order(event);
                        if speaks {
                            tracked.note_voice(event, begins);
                        }
                        tracked.received = Some(Heard::at(event.received));
                        if are_of_documents {
                            tracked.note_document(event);
                        }
                        if let Some(is_elsewise) = is_elsewise {
                            tracked.note_teller(event, is_elsewise);
                        }
                    }
                    Err(rejection) => {
                        tracked.note_unusable(event);
                        tracked.reject(&rejection);
                        if rejections.len() < super::REJECTIONS_HELD_MAX {
                            rejections.push((wanting.tracked, rejection));
                        }
                    }
                }
            }
            self.note_event(event);
        }
        self.tracked.iter_mut().for_each(Tracked::forget_order_of_what_is_gone);
        let Some(last) = events.last() else { return false };
        // Until a feed says where it stands, what comes is what was written down in another run.
        if self.status.phase == Phase::Idle {
            self.be_current(Heard::at(last.received.min(now)), now);
        }
        self.begin(&began, now);
        true
    }

    fn note_event(&mut self, event: &Event) {
        // Nearly always known: the key is made for the first event of a channel only.
        let channel = match self.channels.get_mut(&event.channel) {
            Some(channel) => channel,
            None => self.channels.entry(Arc::clone(&event.channel)).or_default(),
        };
        channel.newest = channel.newest.max(Some(event.time));
        if event.position.is_some() {
            channel.position.clone_from(&event.position);
        }
    }

    /// A fold that began with an event in the middle of the story, as these did, misses everything before.
    fn begin(&mut self, began: &[usize], now: Mono) {
        let Some(time) = self.time(now) else { return };
        for (number, tracked) in self.tracked.iter_mut().enumerate() {
            if tracked.is_known && tracked.basis == Continuity::Unknown && tracked.incomplete_until.is_none() {
                if began.contains(&number) {
                    tracked.note_beginning(time);
                }
                tracked.be_incomplete(time);
            }
        }
    }

    fn handle_snapshot(&mut self, snapshot: &Snapshot, now: Mono, rejections: &mut Rejections) -> bool {
        let time = snapshot.clock.at(snapshot.received);
        let before = self.now.filter(|before| is_set_back(*before, time, &snapshot.clock));
        let is_void = before.is_some_and(|before| is_of_a_time_to_come(before, time));
        for (number, tracked) in self.tracked.iter_mut().enumerate() {
            let covers = |channel: &String| snapshot.positions.contains_key(channel.as_str());
            if !tracked.aggregate.channels().iter().all(covers) {
                continue;
            }
            let state = snapshot.aggregates.get(tracked.aggregate.fingerprint());
            match state.map(|state| tracked.aggregate.restore(state)) {
                Some(Ok(())) => {
                    tracked.be_restored(time, snapshot.since);
                    tracked.received = tracked.aggregate.newest().map(|_| Heard::at(snapshot.received));
                }
                Some(Err(error)) => {
                    rejections.push((number, tracked.reject_state(error)));
                    tracked.be_unknown_until(time);
                }
                None if is_empty(snapshot, tracked) && !tracked.is_known => {
                    // Nothing has happened since the server's beginning.
                    tracked.is_known = true;
                    tracked.basis = Continuity::Proven;
                    tracked.be_complete_since(time, snapshot.since);
                }
                None if is_void => {
                    tracked.be_forgotten();
                    tracked.be_unknown_until(time);
                }
                None if skips_nothing(snapshot, tracked, &self.channels) => tracked.note_set_back(before),
                None => tracked.be_unknown_until(time),
            }
        }
        for (channel, position) in &snapshot.positions {
            let own = self.channels.entry(Arc::clone(channel)).or_default();
            own.position = Some(position.clone());
            own.newest = None;
        }
        // The server's time may be another one altogether now: a replay that began again, a history lost.
        self.now = Some(time);
        self.known = Some(snapshot.received.min(now));
        self.clock = Some(snapshot.clock.clone());
        self.be_current(Heard::at(snapshot.received.min(now)), now);
        true
    }

    /// Compares what is shown with what the server holds, at the same place and time. What differs is taken from the server;
    /// everything else stays untouched.
    fn handle_check(&mut self, check: &Check, now: Mono, found: &mut Found) -> bool {
        if !self.is_at(check) {
            return false;
        }
        let snapshot = &check.snapshot;
        // Up to the snapshot's time, everything that happened is in it, and was delivered.
        let time = snapshot.clock.at(snapshot.received);
        let time = self.now.map_or(time, |own| own.max(time));
        self.now = Some(time);
        self.known = self.known.max(Some(snapshot.received.min(now)));
        // A cache's is as late as that.
        if self.clock.as_ref().is_none_or(|own| is_quicker(&snapshot.clock, own, now)) {
            self.clock = Some(snapshot.clock.clone());
        }
        self.checked = Some(now);
        let mut changed = false;
        for (number, tracked) in self.tracked.iter_mut().enumerate() {
            let covers = |channel: &String| snapshot.positions.contains_key(channel.as_str());
            let state = snapshot.aggregates.get(tracked.aggregate.fingerprint());
            let Some(state) = state.filter(|_| tracked.aggregate.channels().iter().all(covers)) else { continue };
            let before = tracked.aggregate.version();
            tracked.aggregate.advance(time);
            changed |= tracked.forgive();
            match tracked.compare(state, check, time) {
                Ok(Outcome::Agrees) => changed |= tracked.aggregate.version() != before,
                Ok(Outcome::Completed) => {
                    changed = true;
                    found.is_corrected = true;
                }
                Ok(Outcome::Drifted(differences)) => {
                    changed = true;
                    found.is_corrected = true;
                    self.drift += differences.count;
                    found.drifts.extend(differences.named.into_iter().map(|difference| (number, difference)));
                }
                Err(error) => {
                    changed = true;
                    found.rejections.push((number, tracked.reject_state(error)));
                }
            }
        }
        changed
    }

    /// How long ago all was last compared with the server, in milliseconds.
    pub(super) fn checked_ago_ms(&self, now: Mono) -> Option<u64> {
        self.checked.map(|checked| u64::try_from(now.since(checked).as_millis()).unwrap_or(u64::MAX))
    }

    /// Whether the comparison is of what was delivered here: a place that nobody can read may lie between.
    fn is_at(&self, check: &Check) -> bool {
        let is_at = |(channel, place): (&Arc<str>, &Position)| {
            let own = self.channels.get(channel).and_then(|channel| channel.position.as_ref());
            own.is_some_and(|own| place.covers(own) == Some(true))
        };
        check.positions.iter().all(is_at)
    }

    fn handle_gap(&mut self, gap: &Gap) -> bool {
        if gap.proof == Continuity::Proven {
            return false;
        }
        self.voices.note_gap(gap);
        let document = self.document_after(gap);
        let is_made_good = |tracked: &Tracked| document.is_some_and(|document| document.tells(tracked));
        let newest = self.channels.get(&gap.channel).and_then(|channel| channel.newest);
        let at = |instant: Mono| self.clock.as_ref().map(|clock| clock.was_at(instant));
        // What the gap itself says is the same now and when it is read back.
        let times = gap.source_times.or_else(|| at(gap.began).zip(at(gap.ended)));
        let Some(to) = times.map(|(_, to)| to).or(self.now).or(newest) else {
            // Nothing is known of the source's time, so the gap has no place in it: all until now is in doubt.
            let is_concerned = |tracked: &&mut Tracked| tracked.folds(&gap.channel) && !is_made_good(tracked);
            for tracked in self.tracked.iter_mut().filter(is_concerned) {
                tracked.basis = Continuity::Unknown;
            }
            return true;
        };
        // What was heard last may be a heartbeat, which proved that nothing had happened since the newest event.
        let heard = times.map(|(from, _)| from).filter(|heard| *heard < to);
        let from = heard.max(newest.filter(|newest| *newest < to)).unwrap_or(to);
        let to = self.dated_until(to, heard.unwrap_or(to), newest);
        for tracked in self.tracked.iter_mut().filter(|tracked| tracked.folds(&gap.channel)) {
            // Nothing of the channel was ever known, or not by this fold, which a new board brought (H3): what is dated before may come
            // all the same, and what has come of its first bucket isn't all of it.
            if tracked.is_new() || (gap.from.is_none() && newest.is_none()) {
                tracked.note_beginning(to);
            }
            if !is_made_good(tracked) {
                tracked.be_incomplete(to);
            }
            tracked.aggregate.note_gap(from, to);
        }
        true
    }
}

/// Whether nothing has ever happened on any channel of the aggregate.
fn is_empty(snapshot: &Snapshot, tracked: &Tracked) -> bool {
    snapshot.positions.iter().filter(|(channel, _)| tracked.folds(channel)).all(|(_, position)| position.offset == 0)
}

/// Whether the snapshot is true at exactly the place up to which every channel of the aggregate was delivered.
fn skips_nothing(snapshot: &Snapshot, tracked: &Tracked, channels: &BTreeMap<Arc<str>, Channel>) -> bool {
    let mut own = snapshot.positions.iter().filter(|(channel, _)| tracked.folds(channel));
    own.all(|(channel, position)| channels.get(channel).is_some_and(|own| own.position.as_ref() == Some(position)))
}

/// Whether people see the difference; proofs and positions move all the time.
fn is_visible(old: &SourceStatus, new: &SourceStatus) -> bool {
    let clock = |status: &SourceStatus| status.clock.as_ref().map(|clock| (clock.speed.to_bits(), clock.label.clone()));
    (old.phase, old.transport, old.continuity, &old.cause, old.retry_at, &old.paths, old.counts)
        != (new.phase, new.transport, new.continuity, &new.cause, new.retry_at, &new.paths, new.counts)
        || clock(old) != clock(new)
}
