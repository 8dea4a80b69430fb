//! What is true now: where each channel stands, when it was last heard of, the clock, and the aggregates.
//!
//! A snapshot is read from here and from here alone. The ledger knows no history, so a snapshot can't go through it.

mod followed;
mod named;

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use watchfloor_board::{Aggregate, config::spec::FoldSpec};
use watchfloor_model::{Event, Mono, Position, Timestamp};

pub(crate) use self::named::{Course, Incomparable, Reading};
use crate::clock::{ClockOrder, ClockReading, HubClock, KeptClock, Now};

/// What is known of one channel.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// Its own history's name, where it is an engine that keeps it.
    epoch: Option<Arc<str>>,
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
    /// From when on nothing is missing in it; none if nothing happened before.
    since: Option<Timestamp>,
    /// What it has been through since somebody follows it.
    course: Option<Course>,
}

/// What a store keeps of an aggregate, true after some event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The aggregate's fingerprint.
    pub(crate) fingerprint: String,
    /// Its state, as it writes it.
    pub(crate) state: Box<RawValue>,
    /// Whether it has folded anything.
    pub(crate) begun: bool,
    /// How many events didn't fit it.
    pub(crate) rejected: u64,
    /// From when on nothing is missing in it.
    pub(crate) since: Option<Timestamp>,
}

/// What a store keeps of the clock and of the beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Basis {
    /// The clock that was set.
    pub(crate) clock: Option<KeptClock>,
    /// From when on nothing is missing in an aggregate that has missed nothing.
    pub(crate) since: Option<Timestamp>,
    /// Whether there was an event.
    pub(crate) begun: bool,
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
    /// The latest time by this clock at which somebody looked at the aggregates.
    looked: Option<Timestamp>,
}

impl Ledger {
    /// Nothing is known of what happened before `now`. Folds that are alike become one aggregate.
    pub(crate) fn new(epoch: Arc<str>, specs: Vec<FoldSpec>, now: Now) -> Self {
        let (clock, since) = (HubClock::default(), Some(now.wall));
        let aggregates = aggregates(&specs, since);
        Self { epoch, channels: BTreeMap::new(), clock, since, begun: false, specs, aggregates, looked: None }
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
        self.looked = None;
        let time = self.clock.now(now);
        let begun = self.begun;
        for since in self.aggregates.iter_mut().map(|folded| &mut folded.since).chain([&mut self.since]) {
            *since = match *since {
                _ if !begun && order.begins => None,
                Some(_) if !begun => Some(time),
                since => since.map(|since| since.min(time)),
            };
        }
    }

    /// How many channels there are.
    pub(crate) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Whether there is such a channel.
    pub(crate) fn knows(&self, channel: &str) -> bool {
        self.channels.contains_key(channel)
    }

    /// The channels whose names begin with this.
    pub(crate) fn beginning_with<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = &'a Arc<str>> {
        let from = self.channels.range::<str, _>((Bound::Included(beginning), Bound::Unbounded));
        from.map(|(channel, _)| channel).take_while(move |channel| channel.starts_with(beginning))
    }

    /// Where a channel stands. One that doesn't exist stands before its first event.
    pub(crate) fn head(&self, channel: &str) -> Position {
        let head = self.channels.get(channel).map_or(0, |standing| standing.head);
        Position::new(self.epoch_of(channel).clone(), head)
    }

    /// When a publisher last published to the channel or said that it lives.
    pub(crate) fn heard(&self, channel: &str) -> Option<Mono> {
        self.channels.get(channel)?.heard
    }

    /// A publisher lives.
    pub(crate) fn hear(&mut self, channel: &Arc<str>, now: Mono) {
        self.channels.entry(channel.clone()).or_default().heard = Some(now);
    }

    /// An event of this channel is taken: its publisher lives, and nobody can say any more that nothing happened. It is nowhere yet.
    pub(crate) fn take(&mut self, channel: &Arc<str>, now: Mono) {
        self.hear(channel, now);
        self.begun = true;
    }

    /// The channel stands here from now on.
    pub(crate) fn stand(&mut self, channel: &Arc<str>, offset: u64) {
        self.channels.entry(channel.clone()).or_default().head = offset;
        self.begun |= offset > 0;
    }

    /// Folds an event that was taken when the hub's clock said `time` into the aggregates that want it. Events come in the order in which
    /// the hub took them.
    pub(crate) fn fold(&mut self, event: &Event, time: Timestamp, rejected: &mut Vec<Rejected>) {
        // It may have waited for its store while somebody looked. Time doesn't go back for it.
        let time = self.looked.map_or(time, |looked| looked.max(time));
        for folded in self.aggregates.iter_mut().filter(|folded| folded.aggregate.wants(event)) {
            folded.fold(event, time, rejected);
        }
    }

    /// The state of every aggregate that folds only these channels, and where they stand.
    pub(crate) fn snapshot(&mut self, channels: &[Arc<str>], now: Now) -> Cut {
        let clock = self.clock.reading(now);
        self.looked = self.looked.max(Some(clock.now));
        let mut aggregates = BTreeMap::new();
        let mut since = None;
        for folded in &mut self.aggregates {
            if covers(channels, &folded.aggregate, &self.channels) {
                since = since.max(folded.since);
                if folded.begun {
                    folded.aggregate.advance(clock.now);
                }
                aggregates.insert(folded.aggregate.fingerprint().to_owned(), folded.aggregate.state_text());
            }
        }
        let positions = channels.iter().map(|channel| (channel.clone(), self.head(channel))).collect();
        let since = if aggregates.is_empty() { self.since } else { since };
        Cut { positions, clock, since, aggregates }
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
        self.looked = None;
        (self.since, self.begun) = (Some(now.wall), false);
        self.aggregates = aggregates(&self.specs, self.since);
    }

    /// What a store is to keep of the clock and the beginning.
    pub(crate) fn basis(&self, now: Now) -> Basis {
        Basis { clock: self.clock.kept(now), since: self.since, begun: self.begun }
    }

    /// What a store is to keep of the aggregates, true now.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let kept = |folded: &Folded| Kept {
            fingerprint: folded.aggregate.fingerprint().to_owned(),
            state: folded.aggregate.state_text(),
            begun: folded.begun,
            rejected: folded.rejected,
            since: folded.since,
        };
        self.aggregates.iter().map(kept).collect()
    }
}

/// A ledger that is taken up again from what a store has kept: aggregates that it knew go on behind their checkpoint, those that are new
/// begin with the oldest event that there is.
pub(crate) struct Resumed {
    ledger: Ledger,
    /// Of each aggregate, the number of the event that its state was true after; none for one that is new.
    after: Vec<Option<u64>>,
    rejected: Vec<Rejected>,
}

impl Resumed {
    /// As a store has kept it. What can't be read of a state is folded anew.
    pub(crate) fn new(
        epoch: Arc<str>,
        specs: Vec<FoldSpec>,
        basis: &Basis,
        checkpoint: Option<(u64, Vec<Kept>)>,
        now: Now,
    ) -> Self {
        let mut ledger = Ledger::new(epoch, specs, now);
        ledger.clock = HubClock::restored(basis.clock.as_ref(), now);
        (ledger.since, ledger.begun) = (basis.since, basis.begun);
        let (serial, kept) = checkpoint.unwrap_or_default();
        let after = ledger.aggregates.iter_mut().map(|folded| {
            folded.since = basis.since;
            let kept = kept.iter().find(|kept| kept.fingerprint == folded.aggregate.fingerprint())?;
            if let Err(error) = folded.aggregate.restore(&kept.state) {
                tracing::warn!(aggregate = kept.fingerprint, reason = %error, "an aggregate that was kept can't be read: it is folded anew");
                return None;
            }
            (folded.begun, folded.rejected, folded.since) = (kept.begun, kept.rejected, kept.since);
            Some(serial)
        });
        let after = after.collect();
        Self { ledger, after, rejected: Vec::new() }
    }

    /// The hub's time.
    pub(crate) fn time(&self, now: Now) -> Timestamp {
        self.ledger.clock.now(now)
    }

    /// Whether an event of this number is to be folded by any.
    pub(crate) fn wants(&self, serial: u64) -> bool {
        self.after.iter().any(|after| after.is_none_or(|after| after < serial))
    }

    /// Folds an event as it was folded when it was taken.
    pub(crate) fn fold(&mut self, event: &Event, serial: u64, time: Timestamp) {
        for (folded, after) in self.ledger.aggregates.iter_mut().zip(&self.after) {
            if after.is_none_or(|after| after < serial) && folded.aggregate.wants(event) {
                folded.fold(event, time, &mut self.rejected);
            }
        }
    }

    /// The ledger. `missing` says of each channel from when on nothing is missing in it, as far as a fold from its history goes, and as
    /// far as one goes that went on; channels of which nothing is missing aren't named.
    pub(crate) fn finish(self, missing: &BTreeMap<Arc<str>, Missing>) -> Ledger {
        let Self { mut ledger, after, rejected } = self;
        if let Some(last) = rejected.last() {
            tracing::debug!(
                events = rejected.len(),
                reason = last.reason,
                "events that didn't fit an aggregate still don't"
            );
        }
        for (folded, after) in ledger.aggregates.iter_mut().zip(after) {
            let channels = folded.aggregate.channels();
            let folds = |channel: &Arc<str>| channels.is_empty() || channels.iter().any(|folded| **folded == **channel);
            for (_, missing) in missing.iter().filter(|(channel, _)| folds(channel)) {
                folded.since = folded.since.max(if after.is_some() { missing.new } else { missing.ever });
            }
        }
        ledger
    }
}

/// From when on nothing is missing of a channel; none if nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// In what the history holds.
    pub(crate) ever: Option<Timestamp>,
    /// By what was lost since the newest checkpoint.
    pub(crate) new: Option<Timestamp>,
}

impl Folded {
    fn fold(&mut self, event: &Event, time: Timestamp, rejected: &mut Vec<Rejected>) {
        self.begun = true;
        self.note_event(event);
        self.aggregate.advance(time);
        self.note();
        if let Err(reason) = self.aggregate.fold(event) {
            self.rejected += 1;
            rejected.push(Rejected {
                aggregate: self.aggregate.fingerprint().to_owned(),
                reason: reason.to_string(),
                count: self.rejected,
            });
        }
        self.note();
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

fn aggregates(specs: &[FoldSpec], since: Option<Timestamp>) -> Vec<Folded> {
    let mut folded: Vec<Folded> = Vec::new();
    for spec in specs {
        let aggregate = Aggregate::new(spec);
        if folded.iter().all(|other| other.aggregate.fingerprint() != aggregate.fingerprint()) {
            folded.push(Folded { aggregate, begun: false, rejected: 0, since, course: None });
        }
    }
    folded
}

#[cfg(test)]
pub(crate) mod tests;
