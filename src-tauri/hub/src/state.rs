//! All that a hub knows, as a value: inputs take `now` as an argument, nothing here waits, reads a clock or wakes anybody.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use watchfloor_board::config::spec::FoldSpec;
use watchfloor_model::{Event, Mono, Timestamp};

use crate::{
    channel::{Entry, HistoryLimits, Ring},
    clock::{ClockOrder, Now},
    idempotency::{Digest, Keys, Known, Positions},
    ledger::{Cut, Ledger, Rejected},
    limits, message,
    publish::{Incoming, Refused},
};

/// The bounds of a hub's state.
#[derive(Clone, Debug)]
pub(crate) struct StateLimits {
    pub(crate) history: HistoryLimits,
    pub(crate) channels_max: usize,
    pub(crate) keys_max: usize,
    pub(crate) key_age: std::time::Duration,
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
    /// Its key was known: nothing is published, this was the answer.
    Repeated(Positions),
    /// Its key was known with another body.
    KeyReused,
    /// It can't be taken.
    Refused(Refused),
}

/// A batch that was published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// Where its events are.
    pub(crate) positions: Positions,
    /// The channels with something new.
    pub(crate) channels: BTreeSet<Arc<str>>,
    /// What aggregates could not use.
    pub(crate) rejected: Vec<Rejected>,
}

/// See the module.
pub(crate) struct State {
    ledger: Ledger,
    rings: BTreeMap<Arc<str>, Ring>,
    keys: Keys,
    limits: StateLimits,
    /// Numbers the events of all channels.
    serial: u64,
    /// What all rings together cost.
    bytes: usize,
    /// Events of a time to come.
    ahead: u64,
}

impl State {
    /// An empty hub.
    pub(crate) fn new(epoch: Arc<str>, limits: StateLimits, specs: Vec<FoldSpec>, now: Now) -> Self {
        let keys = Keys::new(limits.keys_max, limits.key_age);
        Self {
            ledger: Ledger::new(epoch, specs, now),
            rings: BTreeMap::new(),
            keys,
            limits,
            serial: 0,
            bytes: 0,
            ahead: 0,
        }
    }

    /// What is true now, without history.
    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
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
        let channels: BTreeSet<_> = batch.iter().map(|event| event.channel.clone()).collect();
        if let Err(refused) = self.room_for(&channels) {
            return Outcome::Refused(refused);
        }
        let mut positions = Positions::new(self.ledger.epoch().clone());
        let mut rejected = Vec::new();
        for event in batch {
            positions.push(self.append(event, now, &mut rejected));
        }
        for channel in &channels {
            self.trim_channel(channel, now.mono);
        }
        self.trim_total();
        if let Some(key) = key {
            self.keys.remember(key.text, key.digest, positions.clone(), now.mono);
        }
        Outcome::Published(Published { positions, channels, rejected })
    }

    fn append(&mut self, event: Incoming, now: Now, rejected: &mut Vec<Rejected>) -> u64 {
        let position = self.ledger.place(&event.channel, now.mono);
        let offset = position.offset;
        let time = self.time_of(event.time, now);
        let line = message::event(&event, &position, time);
        self.serial += 1;
        let ring = self.rings.entry(event.channel.clone()).or_default();
        let before = ring.bytes();
        ring.append(Entry { line, serial: self.serial, at: now.mono });
        self.bytes += ring.bytes() - before;
        debug_assert_eq!(ring.head(), offset, "the ledger and the ring count the same events");
        let Incoming { channel, name, id, data, .. } = event;
        let event = Event { channel, name, id, position: Some(position), time, received: now.mono, data };
        self.ledger.fold(&event, now, rejected);
        offset
    }

    /// When an event happened: the publisher's word, unless that is a time to come. A publisher's clock that is ahead would make its
    /// events the newest for as long as it is, and what is newest is shown.
    fn time_of(&mut self, said: Option<Timestamp>, now: Now) -> Timestamp {
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
    }

    /// The aggregates over these channels.
    pub(crate) fn snapshot(&mut self, channels: &[Arc<str>], now: Now) -> Cut {
        self.ledger.snapshot(channels, now)
    }

    /// Forgets events that are too old, in channels to which nothing is published too.
    pub(crate) fn trim(&mut self, now: Mono) {
        for ring in self.rings.values_mut() {
            let before = ring.bytes();
            ring.trim(&self.limits.history, now);
            self.bytes -= before - ring.bytes();
        }
    }

    fn trim_channel(&mut self, channel: &str, now: Mono) {
        if let Some(ring) = self.rings.get_mut(channel) {
            let before = ring.bytes();
            ring.trim(&self.limits.history, now);
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
            largest.free((self.bytes - max).max(max / 256));
            self.bytes -= before - largest.bytes();
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
        self.rings.clear();
        self.bytes = 0;
    }

    /// A restart of an empty hub.
    pub(crate) fn reset(&mut self, epoch: Arc<str>, now: Now) {
        self.ledger.reset(epoch, now);
        self.rings.clear();
        self.bytes = 0;
        self.keys = Keys::new(self.limits.keys_max, self.limits.key_age);
    }
}

impl Default for StateLimits {
    fn default() -> Self {
        Self {
            history: HistoryLimits::default(),
            channels_max: limits::CHANNELS_MAX,
            keys_max: limits::KEYS_MAX,
            key_age: limits::KEY_AGE,
        }
    }
}

#[cfg(test)]
mod tests;
