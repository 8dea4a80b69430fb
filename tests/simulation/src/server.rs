//! The server, as its contract (`docs/hub.md`) says it: channels with bounded history, epochs, cursors, snapshots.
//!
//! Nothing of it is the hub's. What it keeps besides its contract is the truth: every event ever published.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use watchfloor_board::{Aggregate, config::BoardFile};
use watchfloor_model::{Event, Mono, Payload, Timestamp};

/// What one event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// `set`, `drop` or `note`.
    pub name: &'static str,
    /// What it is about.
    pub key: u64,
    /// A number.
    pub value: u64,
    /// Whether it is bad.
    pub bad: bool,
}

/// Whether anybody can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it should be.
    Good,
    /// A number out of range: the event's place can be read.
    BadData,
    /// A broken line: not even its place can be read.
    Garbage,
}

/// A published event.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Which of all events.
    pub number: usize,
    /// Which of its channel's, through all epochs.
    pub turn: usize,
    /// Its channel.
    pub channel: usize,
    /// The number of its epoch.
    pub epoch: u32,
    /// Its place there.
    pub offset: u64,
    /// When, by the server's clock.
    pub time: i64,
    /// When.
    pub at: Mono,
    /// Whether it can be read.
    pub form: Form,
    /// What it says.
    pub said: Said,
}

impl Published {
    /// Its data, as it is sent.
    #[must_use]
    pub fn data(&self) -> String {
        let (Said { key, value, bad, .. }, number) = (self.said, self.number);
        let state = if bad { "bad" } else { "ok" };
        let (lat, lon) = (value % 90, value % 180);
        format!(r#"{{"k":"k{key}","v":{value},"s":"{state}","lat":{lat},"lon":{lon},"n":{number}}}"#)
    }

    fn line(&self, channel: &str) -> String {
        let Self { epoch, offset, time, said, .. } = self;
        let data = match self.form {
            Form::Good => self.data(),
            Form::BadData => r#"{"v":1e999}"#.to_owned(),
            Form::Garbage => return r#"{"type":"event","channel":"#.to_owned(),
        };
        format!(
            r#"{{"type":"event","channel":"{channel}","position":"e{epoch}:{offset}","name":"{}","time":{time},"data":{data}}}"#,
            said.name
        )
    }

    fn event(&self, channel: &Arc<str>) -> Option<Event> {
        (self.form == Form::Good).then(|| Event {
            channel: channel.clone(),
            name: self.said.name.into(),
            id: None,
            position: None,
            time: Timestamp::from_millis(self.time),
            received: self.at,
            data: Payload::parse(&self.data()).unwrap_or_else(|error| unreachable!("{error}")),
        })
    }
}

/// One channel in the present epoch.
#[derive(Clone, Debug, Default)]
struct Channel {
    /// The numbers of its events.
    log: Vec<usize>,
    /// History holds what comes after this offset.
    trimmed: u64,
    /// When its publisher last spoke.
    heard: Option<Mono>,
}

/// A place in one channel's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The channel.
    pub channel: usize,
    /// The epoch.
    pub epoch: u32,
    /// Everything up to here was sent.
    pub offset: u64,
}

/// The server.
pub struct Server {
    names: Vec<Arc<str>>,
    /// Every event ever published, in order.
    pub events: Vec<Published>,
    channels: Vec<Channel>,
    /// The present epoch's number.
    pub epoch: u32,
    /// When it began.
    pub epoch_since: Mono,
    /// For each epoch, each channel's events.
    pub past: BTreeMap<(u32, usize), Vec<usize>>,
    /// Each channel's events, through all epochs.
    pub story: Vec<Vec<usize>>,
    /// The turn with which each channel's present epoch began.
    bases: Vec<usize>,
    /// Events, by channel and turn, that were damaged or lost on their way, so that nobody could have them by it.
    pub damaged: BTreeSet<(usize, usize)>,
    history: u64,
    /// The first event that its aggregates hold.
    pub first: usize,
    /// From when on nothing is missing in them.
    pub since: Option<i64>,
    /// The same for each epoch, as it was when the epoch ended.
    pub sinces: BTreeMap<u32, Option<i64>>,
    aggregates: Vec<Aggregate>,
    folded: usize,
    file: BoardFile,
    clock_base: i64,
}

impl Server {
    /// A server without events. Its clock is `clock_base` at [`Mono::ZERO`].
    #[must_use]
    pub fn new(names: &[Arc<str>], file: &BoardFile, history: u64, clock_base: i64) -> Self {
        let mut server = Self {
            names: names.to_vec(),
            events: Vec::new(),
            channels: vec![Channel::default(); names.len()],
            epoch: 1,
            epoch_since: Mono::ZERO,
            past: BTreeMap::new(),
            story: vec![Vec::new(); names.len()],
            bases: vec![0; names.len()],
            damaged: BTreeSet::new(),
            history,
            first: 0,
            since: None,
            sinces: BTreeMap::from([(1, None)]),
            aggregates: Vec::new(),
            folded: 0,
            file: file.clone(),
            clock_base,
        };
        server.forget();
        server
    }

    fn forget(&mut self) {
        let mut made: Vec<Aggregate> = Vec::new();
        for widget in &self.file.widgets {
            let aggregate = Aggregate::new(&widget.fold);
            if !made.iter().any(|own| own.fingerprint() == aggregate.fingerprint()) {
                made.push(aggregate);
            }
        }
        self.aggregates = made;
        self.first = self.events.len();
        self.folded = self.first;
    }

    /// The server's time.
    #[must_use]
    pub fn time(&self, now: Mono) -> i64 {
        self.clock_base + i64::try_from(now.as_micros() / 1000).unwrap_or(i64::MAX)
    }

    /// The newest offset of a channel.
    #[must_use]
    pub fn head(&self, channel: usize) -> u64 {
        self.channels[channel].log.len() as u64
    }

    /// Takes an event.
    pub fn publish(&mut self, channel: usize, form: Form, said: Said, now: Mono) {
        let number = self.events.len();
        let own = &mut self.channels[channel];
        own.log.push(number);
        own.trimmed = own.trimmed.max((own.log.len() as u64).saturating_sub(self.history));
        own.heard = Some(now);
        let (epoch, offset) = (self.epoch, own.log.len() as u64);
        let time = self.time(now);
        let turn = self.story[channel].len();
        self.events.push(Published { number, turn, channel, epoch, offset, time, at: now, form, said });
        self.story[channel].push(number);
        self.past.entry((epoch, channel)).or_default().push(number);
    }

    /// The first turn of a channel that its history still has.
    #[must_use]
    pub fn oldest(&self, channel: usize) -> usize {
        self.base(channel) + usize::try_from(self.channels[channel].trimmed).unwrap_or(usize::MAX)
    }

    /// The turn with which a channel's present epoch began.
    #[must_use]
    pub fn base(&self, channel: usize) -> usize {
        self.bases[channel]
    }

    /// The turn that a channel's next event will have.
    #[must_use]
    pub fn next_turn(&self, channel: usize) -> usize {
        self.story[channel].len()
    }

    /// An event of a channel.
    #[must_use]
    pub fn turn(&self, channel: usize, turn: usize) -> Option<&Published> {
        self.events.get(*self.story.get(channel)?.get(turn)?)
    }

    /// How many channels there are.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.names.len()
    }

    /// A channel's name.
    #[must_use]
    pub fn name(&self, channel: usize) -> &str {
        &self.names[channel]
    }

    /// A publisher lives.
    pub fn alive(&mut self, channel: usize, now: Mono) {
        self.channels[channel].heard = Some(now);
    }

    /// When a channel's publisher last spoke.
    #[must_use]
    pub fn heard(&self, channel: usize) -> Option<Mono> {
        self.channels[channel].heard
    }

    /// History is lost; what was folded, too, if `empty`.
    pub fn begin_epoch(&mut self, empty: bool, now: Mono) {
        self.epoch += 1;
        self.epoch_since = now;
        for channel in &mut self.channels {
            *channel = Channel { heard: channel.heard, ..Channel::default() };
        }
        self.bases = self.story.iter().map(Vec::len).collect();
        if empty {
            self.forget();
            self.since = Some(self.time(now));
        }
        self.sinces.insert(self.epoch, self.since);
    }

    /// History forgets all but the newest `keep` events.
    pub fn trim(&mut self, keep: u64) {
        self.history = keep;
        for channel in &mut self.channels {
            channel.trimmed = channel.trimmed.max((channel.log.len() as u64).saturating_sub(keep));
        }
    }

    /// History may be as long as this from now on.
    pub const fn keep(&mut self, history: u64) {
        self.history = history;
    }

    /// The first message of a connection; `access` says until when its token is good, where that is told.
    #[must_use]
    pub fn hello(&self, heartbeat_ms: u64, access: Option<&str>, now: Mono) -> String {
        let access = access.map(|access| format!(r#","access":{{{access}}}"#)).unwrap_or_default();
        format!(
            r#"{{"type":"hello","protocol":1,"hub":"model","heartbeat_ms":{heartbeat_ms},"clock":{}{access}}}"#,
            self.clock(now)
        )
    }

    /// `{"now":…}`
    #[must_use]
    pub fn clock(&self, now: Mono) -> String {
        format!(r#"{{"now":{},"speed":1,"label":null}}"#, self.time(now))
    }

    /// The number of the channel with this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| **own == *name)
    }

    /// A subscription's answer and cursor, and whether it goes on from the place asked for.
    #[must_use]
    pub fn subscribe(&self, channel: usize, place: Option<&str>) -> (String, Cursor, bool) {
        let own = &self.channels[channel];
        let (epoch, head) = (self.epoch, self.head(channel));
        let asked = place.and_then(|place| place.rsplit_once(':'));
        let asked = asked.map(|(epoch, offset)| (epoch.to_owned(), offset.parse::<u64>().unwrap_or(u64::MAX)));
        let (from, reason) = match asked {
            None => (head, "fresh"),
            Some((of, _)) if of != format!("e{epoch}") => (head, "epoch-changed"),
            Some((_, offset)) if offset > head => (head, "ahead"),
            Some((_, offset)) if offset < own.trimmed => (head, "trimmed"),
            Some((_, offset)) => (offset, ""),
        };
        let recovered = reason.is_empty();
        let reason = if recovered { "null".to_owned() } else { format!("\"{reason}\"") };
        let name = &self.names[channel];
        let line = format!(
            r#"{{"type":"subscribed","channel":"{name}","head":"e{epoch}:{head}","from":"e{epoch}:{from}","recovered":{recovered},"reason":{reason}}}"#
        );
        (line, Cursor { channel, epoch, offset: from }, recovered)
    }

    /// What comes after these cursors, at most `most` events, in the order in which it was published; moves them.
    pub fn read(&self, cursors: &mut [Cursor], most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut numbers: Vec<usize> = Vec::new();
        for cursor in &mut *cursors {
            let own = &self.channels[cursor.channel];
            let head = self.head(cursor.channel);
            if cursor.epoch == self.epoch && cursor.offset == head {
                continue;
            }
            let has_changed = cursor.epoch != self.epoch;
            if has_changed || cursor.offset < own.trimmed {
                let reason = if has_changed { "epoch-changed" } else { "slow" };
                let (name, epoch) = (&self.names[cursor.channel], self.epoch);
                lines.push(format!(
                    r#"{{"type":"lost","channel":"{name}","from":"e{}:{}","head":"e{epoch}:{head}","reason":"{reason}"}}"#,
                    cursor.epoch, cursor.offset
                ));
                (cursor.epoch, cursor.offset) = (epoch, head);
                continue;
            }
            numbers.extend(&own.log[usize::try_from(cursor.offset).unwrap_or(0)..]);
        }
        numbers.sort_unstable();
        numbers.truncate(most);
        for number in numbers {
            let event = &self.events[number];
            lines.push(event.line(&self.names[event.channel]));
            if let Some(cursor) = cursors.iter_mut().find(|cursor| cursor.channel == event.channel) {
                cursor.offset = event.offset;
            }
        }
        lines
    }

    /// The heartbeat that is true for these cursors.
    #[must_use]
    pub fn heartbeat(&self, cursors: &[Cursor], now: Mono) -> String {
        let mut text = format!(r#"{{"type":"heartbeat","clock":{},"channels":{{"#, self.clock(now));
        for (number, cursor) in cursors.iter().enumerate() {
            let own = &self.channels[cursor.channel];
            let behind = if cursor.epoch == self.epoch { self.head(cursor.channel) - cursor.offset } else { 0 };
            let (comma, name) = (if number == 0 { "" } else { "," }, &self.names[cursor.channel]);
            let idle = own.heard.map(|heard| (now.since(heard).as_millis()).to_string());
            let idle = idle.as_deref().unwrap_or("null");
            let _infallible = write!(
                text,
                r#"{comma}"{name}":{{"head":"e{}:{}","behind":{behind},"idle_ms":{idle}}}"#,
                cursor.epoch, cursor.offset
            );
        }
        text.push_str("}}");
        text
    }

    /// The snapshot. Beside the aggregates it says which events it holds, for who checks it.
    pub fn snapshot(&mut self, now: Mono) -> String {
        while let Some(published) = self.events.get(self.folded) {
            self.folded += 1;
            let Some(event) = published.event(&self.names[published.channel]) else { continue };
            for aggregate in self.aggregates.iter_mut().filter(|aggregate| aggregate.wants(&event)) {
                aggregate.advance(event.time);
                aggregate.fold(&event).unwrap_or_else(|rejection| unreachable!("{rejection}"));
            }
        }
        let time = Timestamp::from_millis(self.time(now));
        let mut aggregates = format!(r#""cut":{{"first":{},"end":{}}}"#, self.first, self.events.len());
        for aggregate in &mut self.aggregates {
            if aggregate.newest().is_some() {
                aggregate.advance(time);
            }
            let _infallible = write!(aggregates, r#","{}":{}"#, aggregate.fingerprint(), aggregate.state_text().get());
        }
        let epoch = self.epoch;
        let place = |(channel, name): (usize, &Arc<str>)| format!(r#""{name}":"e{epoch}:{}""#, self.head(channel));
        let positions = self.names.iter().enumerate().map(place).collect::<Vec<_>>().join(",");
        let since = self.since.map_or_else(|| "null".to_owned(), |since| since.to_string());
        format!(
            r#"{{"positions":{{{positions}}},"clock":{},"since":{since},"aggregates":{{{aggregates}}}}}"#,
            self.clock(now)
        )
    }
}
