//! All that a hub knows, as a value: inputs take `now` as an argument, nothing here waits, reads a clock or wakes anybody.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use watchfloor_board::config::spec::FoldSpec;
use watchfloor_model::{Event, Mono, Position, Timestamp};

use crate::{
    channel::{Entry, HistoryLimits, Number, Ring},
    clock::{ClockOrder, Now},
    idempotency::{Digest, Keys, Known, Positions, Repeats},
    ledger::{Cut, Ledger, Rejected},
    limits, message,
    people::People,
    publish::{Incoming, Refused},
    revocation::{Sessions, Standing},
    rules::{Durability, Rules},
    store::{Outbox, Stored, StoredKey, Write},
};

mod follow;
mod keep;
mod revoke;
mod runs;
pub(crate) mod told;
pub(crate) use keep::Resuming;
pub(crate) use revoke::{Entered, StandsAgainst, stands};
use runs::Runs;
use told::Told;

/// The bounds of a hub's state.
#[derive(Clone, Debug)]
pub(crate) struct StateLimits {
    pub(crate) history: HistoryLimits,
    pub(crate) channels_max: usize,
    pub(crate) keys_max: usize,
    pub(crate) key_age: std::time::Duration,
    /// How long an event with an id and a time is remembered, so that one that comes again is known; zero if it isn't to be.
    pub(crate) repeats_age: std::time::Duration,
    /// What holds for which channel.
    pub(crate) rules: Rules,
}

impl StateLimits {
    /// How much of a channel is remembered.
    fn history_of(&self, channel: &str) -> Arc<HistoryLimits> {
        Arc::new(self.rules.of(channel).history.within(&self.history))
    }
}

/// A request's key, and what tells its body from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) text: &'a str,
    pub(crate) digest: Digest,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is published.
    Published(Published),
    /// It is published by an engine, or was before.
    Placed(Placed),
    /// Its key was known: nothing is published, this was the answer.
    Repeated(Positions),
    /// Its key was known with another body.
    KeyReused,
    /// It can't be taken.
    Refused(Refused),
    /// It can't be kept at present. What was taken of it, if anything, is for no reader before it is kept.
    Unkept(Unkept),
}

/// A batch that an engine has taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Where its events are, in their order; none for who doesn't wait to be told.
    pub(crate) positions: Vec<Position>,
    /// Whether its key was known, and this was the answer.
    pub(crate) repeated: bool,
}

/// Why a batch can't be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unkept {
    /// The store fails.
    Failing,
    /// It doesn't answer in time.
    Slow,
    /// Too much waits for it.
    Full,
}

/// A batch that was published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// Where its events are.
    pub(crate) positions: Positions,
    /// Whether they may be told only when the store has kept the batch.
    pub(crate) waits: bool,
    /// The channels with something new for readers.
    pub(crate) channels: BTreeSet<Arc<str>>,
    /// What aggregates could not use.
    pub(crate) rejected: Vec<Rejected>,
}

/// An event that is taken, and not for readers yet.
struct Unreleased {
    event: Event,
    number: Number,
    /// The hub's time when it was taken.
    hub: Timestamp,
    durability: Durability,
}

/// See the module.
pub(crate) struct State {
    ledger: Ledger,
    rings: BTreeMap<Arc<str>, Ring>,
    keys: Keys,
    repeats: Repeats,
    limits: StateLimits,
    /// Numbers the events of all channels.
    serial: u64,
    /// What all rings together cost.
    bytes: usize,
    /// Events of a time to come.
    ahead: u64,
    /// Events that aren't for readers yet, the oldest first: the one order of all channels holds for what waits for a store as well.
    unreleased: VecDeque<Unreleased>,
    /// What the store is to be told; none without one.
    outbox: Option<Outbox>,
    people: People,
    sessions: Sessions,
    standing: Standing,
    /// The channels that are an engine's; none if all are its own.
    followed: Option<follow::Followed>,
    /// Until when readers may be sent something; none for ever.
    sends_until: Option<Now>,
    runs: Runs,
    told: Told,
}

impl State {
    /// An empty hub.
    pub(crate) fn new(epoch: Arc<str>, limits: StateLimits, specs: Vec<FoldSpec>, now: Now) -> Self {
        let keys = Keys::new(limits.keys_max, limits.key_age);
        let repeats = Repeats::new(limits.repeats_age);
        let people = People::by(limits.rules.clone());
        Self {
            ledger: Ledger::new(epoch, specs, now),
            rings: BTreeMap::new(),
            keys,
            repeats,
            limits,
            serial: 0,
            bytes: 0,
            ahead: 0,
            unreleased: VecDeque::new(),
            outbox: None,
            people,
            sessions: Sessions::default(),
            standing: Standing::default(),
            followed: None,
            sends_until: None,
            runs: Runs::default(),
            told: Told::default(),
        }
    }

    /// What is true now, without history.
    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The same, for aggregates one by one.
    pub(crate) const fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The aggregates are other than what was published makes them: they are kept as they are now, as soon as may be.
    pub(crate) const fn keep_aggregates(&mut self) {
        if let Some(outbox) = &mut self.outbox {
            outbox.wants_checkpoint = true;
        }
    }

    /// The same, for what an engine says of its channels.
    pub(crate) const fn followed_ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// What was taken and given, counted.
    pub(crate) const fn told(&self) -> &Told {
        &self.told
    }

    /// What all histories together cost.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Who is connected, and who is present.
    pub(crate) const fn people(&self) -> &People {
        &self.people
    }

    /// The same, to change it, and the number that the last event or move has.
    pub(crate) const fn people_mut(&mut self) -> (&mut People, &mut u64) {
        (&mut self.people, &mut self.serial)
    }

    /// A channel's history, if it has one.
    pub(crate) fn ring(&self, channel: &str) -> Option<&Ring> {
        self.rings.get(channel)
    }

    /// What is known of a request's key.
    pub(crate) fn known(&mut self, key: Key<'_>, now: Now) -> Known {
        self.keys.find(key.text, key.digest, now.mono)
    }

    /// Publishes a batch whole, or not at all.
    pub(crate) fn publish(&mut self, batch: Vec<Incoming>, key: Option<Key<'_>>, now: Now) -> Outcome {
        match key.map_or(Known::New, |key| self.known(key, now)) {
            Known::New => {}
            Known::Same(positions) => return Outcome::Repeated(positions),
            Known::Other => return Outcome::KeyReused,
        }
        if let Some(unkept) = self.keeps_nothing() {
            return Outcome::Unkept(unkept);
        }
        let channels: BTreeSet<_> = batch.iter().map(|event| event.channel.clone()).collect();
        if let Err(refused) = self.room_for(&channels) {
            return Outcome::Refused(refused);
        }
        let mut positions = Positions::new(self.ledger.epoch().clone());
        let mut newest: BTreeMap<Arc<str>, Number> = BTreeMap::new();
        for event in batch {
            let channel = event.channel.clone();
            let known = self.repeats.trait_of(&channel, &event.name, event.id.as_deref(), event.time);
            let number = known.and_then(|known| self.repeats.find(known, now.mono)).unwrap_or_else(|| {
                let number = self.append(event, now);
                if let Some(known) = known {
                    self.repeats.remember(known, number, now.mono);
                }
                number
            });
            positions.push(number.offset);
            let before = newest.entry(channel).or_insert(number);
            if before.serial < number.serial {
                *before = number;
            }
        }
        positions.end(newest.values().map(|number| number.serial).max().unwrap_or(0));
        if let Some(outbox) = &mut self.outbox {
            for (channel, ring) in channels.iter().filter_map(|channel| Some((channel, self.rings.get(channel)?))) {
                if outbox.durability(channel) != Durability::Durable {
                    outbox.reserve(channel, ring.taken());
                }
            }
        }
        let released = self.release();
        let waits = self.outbox.as_mut().is_some_and(|outbox| {
            newest.iter().any(|(channel, number)| {
                let durability = outbox.durability(channel);
                !outbox.releases(channel, durability, number.offset, number.serial)
            })
        });
        for channel in &channels {
            self.trim_channel(channel, now.mono);
        }
        self.trim_total();
        if let Some(key) = key {
            self.keys.remember(key.text, key.digest, positions.clone(), now.mono);
            if let Some(outbox) = &mut self.outbox {
                let key =
                    StoredKey { key: key.text.into(), digest: key.digest, positions: positions.clone(), at: now.wall };
                outbox.write(Write::Key(key));
            }
        }
        let Released { channels, rejected } = released;
        Outcome::Published(Published { positions, waits, channels, rejected })
    }

    fn append(&mut self, event: Incoming, now: Now) -> Number {
        self.ledger.take(&event.channel, now.mono);
        self.told.take();
        self.serial += 1;
        let ring = self.rings.entry(event.channel.clone()).or_default();
        let number = Number { offset: ring.taken() + 1, serial: self.serial };
        let position = Position::new(self.ledger.epoch().clone(), number.offset);
        let (time, hub) = (self.time_of(event.time, now), self.ledger.clock().now(now));
        let line = message::event(&event, &position, time);
        let mut durability = Durability::Memory;
        if let Some(outbox) = &mut self.outbox {
            durability = outbox.durability(&event.channel);
            if durability != Durability::Memory || !self.unreleased.is_empty() {
                outbox.weigh(line.len());
            }
            if durability != Durability::Memory {
                let (channel, line) = (event.channel.clone(), line.clone());
                outbox.write(Write::Event(Stored { channel, number, at: now.wall, hub, line }));
            }
            if durability == Durability::Fast {
                outbox.owe(now.mono);
            }
        }
        let Incoming { channel, name, id, data, aside, .. } = event;
        let ring = self.rings.entry(channel.clone()).or_default();
        let before = ring.bytes();
        ring.append(Entry::new(line, number, hub, now.mono, aside));
        self.bytes += ring.bytes() - before;
        let event = Event { channel, name, id, position: Some(position), time, received: now.mono, data };
        self.unreleased.push_back(Unreleased { event, number, hub, durability });
        number
    }

    /// Hands on what may be sent to readers, in the order in which it was taken: folded, and at the head of its channel.
    fn release(&mut self) -> Released {
        let mut released = Released::default();
        while let Some(next) = self.unreleased.front() {
            let Number { offset, serial } = next.number;
            let waits = |outbox: &Outbox| !outbox.releases(&next.event.channel, next.durability, offset, serial);
            if self.outbox.as_ref().is_some_and(waits) {
                break;
            }
            let Some(Unreleased { event, hub, .. }) = self.unreleased.pop_front() else { break };
            self.ledger.fold(&event, hub, &mut released.rejected);
            self.ledger.stand(&event.channel, offset);
            if let Some(ring) = self.rings.get_mut(&event.channel) {
                ring.release(offset);
            }
            released.channels.insert(event.channel);
        }
        released
    }

    /// When an event happened: the publisher's word, unless that is a time to come. A publisher's clock that is ahead would make its
    /// events the newest for as long as it is, and what is newest is shown.
    pub(crate) fn time_of(&mut self, said: Option<Timestamp>, now: Now) -> Timestamp {
        let reading = self.ledger.clock().reading(now);
        let latest = reading.now.plus(limits::AHEAD_MAX.mul_f64(reading.speed.max(1.0)));
        match said {
            Some(said) if said <= latest => said,
            Some(said) => {
                self.ahead += 1;
                if self.ahead.is_power_of_two() {
                    let (ahead_ms, count) = (said.since(reading.now).as_millis(), self.ahead);
                    tracing::warn!(
                        ahead_ms,
                        count,
                        "an event is of a time to come: it counts as of now. Is a clock wrong?"
                    );
                }
                reading.now
            }
            None => reading.now,
        }
    }

    /// A publisher says that it lives.
    ///
    /// # Errors
    /// If there would be too many channels.
    pub(crate) fn alive(&mut self, channels: &BTreeSet<Arc<str>>, now: Now) -> Result<(), Refused> {
        self.room_for(channels)?;
        channels.iter().for_each(|channel| self.ledger.hear(channel, now.mono));
        Ok(())
    }

    fn room_for(&self, channels: &BTreeSet<Arc<str>>) -> Result<(), Refused> {
        let new = channels.iter().filter(|channel| !self.ledger.knows(channel)).count();
        let (found, max) = (self.ledger.channels() + new, self.limits.channels_max);
        if new == 0 || found <= max {
            return Ok(());
        }
        Err(Refused {
            code: "too-many-channels",
            message: format!("there would be {found} channels: expected at most {max}"),
        })
    }

    /// Sets the clock.
    pub(crate) fn set_clock(&mut self, order: &ClockOrder, now: Now) {
        self.ledger.set_clock(order, now);
        self.repeats.clear();
        if let Some(outbox) = &mut self.outbox {
            outbox.write(Write::Basis(self.ledger.basis(now)));
            outbox.wants_checkpoint = true;
        }
    }

    /// The aggregates over these channels.
    pub(crate) fn snapshot(&mut self, channels: &[Arc<str>], now: Now) -> Cut {
        self.ledger.snapshot(channels, now)
    }

    /// Forgets events that are too old, in channels to which nothing is published too.
    pub(crate) fn trim(&mut self, now: Mono) {
        for (channel, ring) in &mut self.rings {
            let before = ring.bytes();
            let limits = ring.limits(|| self.limits.history_of(channel));
            ring.trim(&limits, now, forgotten(&mut self.outbox));
            self.bytes -= before - ring.bytes();
        }
    }

    fn trim_channel(&mut self, channel: &str, now: Mono) {
        if let Some(ring) = self.rings.get_mut(channel) {
            let before = ring.bytes();
            let limits = ring.limits(|| self.limits.history_of(channel));
            ring.trim(&limits, now, forgotten(&mut self.outbox));
            self.bytes -= before - ring.bytes();
        }
    }

    /// The largest channel pays: a flood must not cost a quiet channel its history. More than is needed is freed, so
    /// that not every event looks through all channels.
    fn trim_total(&mut self) {
        let max = self.limits.history.bytes_total;
        while self.bytes > max {
            let Some(largest) = self.rings.values_mut().max_by_key(|ring| ring.bytes()) else { return };
            let before = largest.bytes();
            largest.free((self.bytes - max).max(max / 256), forgotten(&mut self.outbox));
            let freed = before - largest.bytes();
            if freed == 0 {
                // The rest is for no reader yet, and has a bound of its own.
                return;
            }
            self.bytes -= freed;
        }
    }

    /// Whether its time is the machine's, and not a replay's.
    pub(crate) const fn follows_system(&self) -> bool {
        self.ledger.clock().is_system()
    }

    /// A restart from a backup that has no history: a new epoch; what was folded stays, and so do the keys, for the events
    /// that they stand for are in it.
    pub(crate) fn lose_history(&mut self, epoch: Arc<str>) {
        self.ledger.begin_epoch(epoch);
        self.forget_all();
    }

    fn forget_all(&mut self) {
        self.rings.clear();
        self.unreleased.clear();
        self.repeats.clear();
        self.bytes = 0;
        if let Some(outbox) = &mut self.outbox {
            outbox.begin();
        }
    }

    /// A restart of an empty hub.
    pub(crate) fn reset(&mut self, epoch: Arc<str>, now: Now) {
        self.ledger.reset(epoch, now);
        self.forget_all();
        self.keys = Keys::new(self.limits.keys_max, self.limits.key_age);
    }
}

/// What has become something for readers.
#[derive(Debug, Default)]
pub(crate) struct Released {
    /// Its channels.
    pub(crate) channels: BTreeSet<Arc<str>>,
    /// What aggregates could not use.
    pub(crate) rejected: Vec<Rejected>,
}

/// Tells the store's part that an event is gone.
fn forgotten(outbox: &mut Option<Outbox>) -> impl FnMut(u64) {
    move |serial| {
        if let Some(outbox) = outbox {
            outbox.forget(serial);
        }
    }
}

impl Default for StateLimits {
    fn default() -> Self {
        Self {
            history: HistoryLimits::default(),
            channels_max: limits::CHANNELS_MAX,
            keys_max: limits::KEYS_MAX,
            key_age: limits::KEY_AGE,
            repeats_age: std::time::Duration::ZERO,
            rules: Rules::default(),
        }
    }
}

#[cfg(test)]
mod tests;
