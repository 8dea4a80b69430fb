//! What is true now: where each channel stands, when it was last heard of, the clock, and the aggregates.
//!
//! A snapshot is read from here and from here alone. The ledger knows no history, so a snapshot can't go through it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::value::RawValue;
use watchfloor_board::{Aggregate, config::spec::FoldSpec};
use watchfloor_model::{Event, Mono, Position, Timestamp};

use crate::clock::{ClockOrder, ClockReading, HubClock, Now};

/// What is known of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// The offset of the newest event; 0 if there was none.
    head: u64,
    /// When a publisher last published to it or said that it lives.
    heard: Option<Mono>,
}

/// An aggregate, and what became of the events for it.
struct Folded {
    aggregate: Aggregate,
    /// An aggregate that has folded nothing has nothing that time could change. It is not moved either: a clock that is
    /// set back before the first event would leave its windows in the future.
    begun: bool,
    rejected: u64,
}

/// An event that an aggregate could not use. It is published all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// The aggregate's fingerprint.
    pub(crate) aggregate: String,
    /// Where it is, what was found and what was expected.
    pub(crate) reason: String,
    /// How many this aggregate has rejected so far.
    pub(crate) count: u64,
}

/// One consistent cut: the aggregates' state, and the positions and the time at which it is true.
#[derive(Debug)]
pub(crate) struct Cut {
    /// Where each channel asked for stood.
    pub(crate) positions: BTreeMap<Arc<str>, Position>,
    /// The hub's time.
    pub(crate) clock: ClockReading,
    /// From when on nothing is missing in the aggregates; none if nothing happened before.
    pub(crate) since: Option<Timestamp>,
    /// State by fingerprint.
    pub(crate) aggregates: BTreeMap<String, Box<RawValue>>,
}

/// See the module.
pub(crate) struct Ledger {
    epoch: Arc<str>,
    channels: BTreeMap<Arc<str>, Standing>,
    clock: HubClock,
    /// From when on nothing is missing in the aggregates; none if nothing happened before.
    since: Option<Timestamp>,
    /// Whether there was an event since everything began.
    begun: bool,
    specs: Vec<FoldSpec>,
    aggregates: Vec<Folded>,
}

impl Ledger {
    /// Nothing is known of what happened before `now`. Folds that are alike become one aggregate.
    pub(crate) fn new(epoch: Arc<str>, specs: Vec<FoldSpec>, now: Now) -> Self {
        let aggregates = aggregates(&specs);
        let (clock, since) = (HubClock::default(), Some(now.wall));
        Self { epoch, channels: BTreeMap::new(), clock, since, begun: false, specs, aggregates }
    }

    /// The history's name.
    pub(crate) const fn epoch(&self) -> &Arc<str> {
        &self.epoch
    }

    /// The hub's clock.
    pub(crate) const fn clock(&self) -> &HubClock {
        &self.clock
    }

    /// Goes by another clock from now on. Who sets it before the first event may vouch that nothing happened before.
    pub(crate) fn set_clock(&mut self, order: &ClockOrder, now: Now) {
        self.clock.set(order, now);
        let time = self.clock.now(now);
        self.since = match self.since {
            _ if !self.begun && order.begins => None,
            Some(_) if !self.begun => Some(time),
            since => since.map(|since| since.min(time)),
        };
    }

    /// How many channels there are.
    pub(crate) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Whether there is such a channel.
    pub(crate) fn knows(&self, channel: &str) -> bool {
        self.channels.contains_key(channel)
    }

    /// Where a channel stands. One that doesn't exist stands before its first event.
    pub(crate) fn head(&self, channel: &str) -> Position {
        Position::new(self.epoch.clone(), self.channels.get(channel).map_or(0, |standing| standing.head))
    }

    /// When a publisher last published to the channel or said that it lives.
    pub(crate) fn heard(&self, channel: &str) -> Option<Mono> {
        self.channels.get(channel)?.heard
    }

    /// A publisher lives.
    pub(crate) fn hear(&mut self, channel: &Arc<str>, now: Mono) {
        self.channels.entry(channel.clone()).or_default().heard = Some(now);
    }

    /// Gives the next event of a channel its position.
    pub(crate) fn place(&mut self, channel: &Arc<str>, now: Mono) -> Position {
        let standing = self.channels.entry(channel.clone()).or_default();
        standing.head += 1;
        self.begun = true;
        standing.heard = Some(now);
        Position::new(self.epoch.clone(), standing.head)
    }

    /// Folds an event into the aggregates that want it.
    pub(crate) fn fold(&mut self, event: &Event, now: Now, rejected: &mut Vec<Rejected>) {
        let time = self.clock.now(now);
        for folded in self.aggregates.iter_mut().filter(|folded| folded.aggregate.wants(event)) {
            folded.begun = true;
            folded.aggregate.advance(time);
            if let Err(reason) = folded.aggregate.fold(event) {
                folded.rejected += 1;
                rejected.push(Rejected {
                    aggregate: folded.aggregate.fingerprint().to_owned(),
                    reason: reason.to_string(),
                    count: folded.rejected,
                });
            }
        }
    }

    /// The state of every aggregate that folds only these channels, and where they stand.
    pub(crate) fn snapshot(&mut self, channels: &[Arc<str>], now: Now) -> Cut {
        let clock = self.clock.reading(now);
        let mut aggregates = BTreeMap::new();
        for folded in &mut self.aggregates {
            if covers(channels, &folded.aggregate, &self.channels) {
                if folded.begun {
                    folded.aggregate.advance(clock.now);
                }
                aggregates.insert(folded.aggregate.fingerprint().to_owned(), folded.aggregate.state_text());
            }
        }
        let positions = channels.iter().map(|channel| (channel.clone(), self.head(channel))).collect();
        Cut { positions, clock, since: self.since, aggregates }
    }

    /// A new history begins; what was folded stays.
    pub(crate) fn begin_epoch(&mut self, epoch: Arc<str>) {
        self.epoch = epoch;
        self.channels.clear();
    }

    /// Everything begins anew, on the system's clock.
    pub(crate) fn reset(&mut self, epoch: Arc<str>, now: Now) {
        self.begin_epoch(epoch);
        self.clock.set(&ClockOrder::SYSTEM, now);
        (self.since, self.begun) = (Some(now.wall), false);
        self.aggregates = aggregates(&self.specs);
    }
}

/// Whether the aggregate folds no other channels than these. One that names none folds every channel there is.
fn covers(asked: &[Arc<str>], aggregate: &Aggregate, known: &BTreeMap<Arc<str>, Standing>) -> bool {
    let is_asked = |channel: &str| asked.iter().any(|asked| **asked == *channel);
    match aggregate.channels() {
        [] => known.keys().all(|channel| is_asked(channel)),
        folded => folded.iter().all(|channel| is_asked(channel)),
    }
}

fn aggregates(specs: &[FoldSpec]) -> Vec<Folded> {
    let mut folded: Vec<Folded> = Vec::new();
    for spec in specs {
        let aggregate = Aggregate::new(spec);
        if folded.iter().all(|other| other.aggregate.fingerprint() != aggregate.fingerprint()) {
            folded.push(Folded { aggregate, begun: false, rejected: 0 });
        }
    }
    folded
}

#[cfg(test)]
mod tests;
