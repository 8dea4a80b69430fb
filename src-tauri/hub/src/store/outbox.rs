//! What the state has for its store: what waits to be written, and what readers and publishers wait for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::Mono;

use super::batch::Write;
use crate::{
    channel::Hole,
    limits,
    rules::{Durability, Rules},
};

/// How far offsets of a channel are given away before their events are kept.
#[derive(Clone, Copy, Debug, Default)]
struct Reserve {
    /// The store was asked for so many.
    asked: u64,
    /// It has them.
    kept: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Outbox {
    rules: Rules,
    durabilities: BTreeMap<Arc<str>, Durability>,
    writes: Vec<Write>,
    /// Bytes of events that wait.
    bytes: usize,
    /// Bytes of events that are being written.
    writing: usize,
    reserves: BTreeMap<Arc<str>, Reserve>,
    /// Channels with a reserve in what is being written.
    reserving: BTreeMap<Arc<str>, u64>,
    /// Numbers of events that the history has let go of, as stretches.
    gone: Vec<(u64, u64)>,
    /// Everything up to this number is kept.
    kept: u64,
    /// When the oldest event that was acknowledged before it was kept was taken: of those that wait, and of those being written.
    oldest: [Option<Mono>; 2],
    /// Whether the store keeps nothing at present.
    fails: bool,
    /// Whether the store has to be told everything anew.
    pub(crate) begins: bool,
    /// Whether the aggregates have changed by more than events.
    pub(crate) wants_checkpoint: bool,
}

impl Outbox {
    pub(crate) const fn new(rules: Rules, kept: u64) -> Self {
        Self {
            rules,
            durabilities: BTreeMap::new(),
            writes: Vec::new(),
            bytes: 0,
            writing: 0,
            reserves: BTreeMap::new(),
            reserving: BTreeMap::new(),
            gone: Vec::new(),
            kept,
            oldest: [None; 2],
            fails: false,
            begins: false,
            wants_checkpoint: false,
        }
    }

    pub(crate) fn durability(&mut self, channel: &Arc<str>) -> Durability {
        if let Some(known) = self.durabilities.get(channel) {
            return *known;
        }
        let found = self.rules.of(channel).durability;
        self.durabilities.insert(channel.clone(), found);
        found
    }

    pub(crate) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// An event is taken that readers may be sent before it is kept.
    pub(crate) fn owe(&mut self, at: Mono) {
        self.oldest[0] = self.oldest[0].or(Some(at));
    }

    /// An event of so many bytes waits.
    pub(crate) const fn weigh(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Sees to it that there are offsets after `taken`.
    pub(crate) fn reserve(&mut self, channel: &Arc<str>, taken: u64) {
        let reserve = self.reserves.entry(channel.clone()).or_default();
        if taken + limits::RESERVE / 2 > reserve.asked {
            reserve.asked = taken + limits::RESERVE;
            self.writes.push(Write::Reserve { channel: channel.clone(), upto: reserve.asked });
        }
    }

    /// Channels with offsets set apart beyond where they are.
    pub(crate) fn reserved(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.reserves.iter().map(|(channel, reserve)| (channel, reserve.asked))
    }

    /// A channel that is quiet gives back what it doesn't use: then a crash leaves no hole in it.
    pub(crate) fn give_back(&mut self, channel: &Arc<str>, taken: u64) {
        self.reserves.insert(channel.clone(), Reserve { asked: taken, kept: taken });
        self.writes.push(Write::Reserve { channel: channel.clone(), upto: taken });
    }

    /// Whether an event may be sent to readers.
    pub(crate) fn releases(&self, channel: &str, durability: Durability, offset: u64, serial: u64) -> bool {
        serial <= self.kept
            || (durability != Durability::Durable
                && self.reserves.get(channel).is_some_and(|reserve| offset <= reserve.kept))
    }

    /// The history has let go of an event.
    pub(crate) fn forget(&mut self, serial: u64) {
        match self.gone.last_mut() {
            Some((_, last)) if *last + 1 == serial => *last = serial,
            _ => self.gone.push((serial, serial)),
        }
    }

    /// Those let go of up to a number.
    pub(crate) fn take_gone(&mut self, upto: u64) -> Vec<(u64, u64)> {
        let (gone, rest) = std::mem::take(&mut self.gone).into_iter().partition(|(_, last)| *last <= upto);
        self.gone = rest;
        gone
    }

    /// What waits.
    pub(crate) fn take_writes(&mut self) -> Vec<Write> {
        let writes = std::mem::take(&mut self.writes);
        self.reserving.extend(writes.iter().filter_map(|write| match write {
            Write::Reserve { channel, upto } => Some((channel.clone(), *upto)),
            _ => None,
        }));
        self.writing += std::mem::take(&mut self.bytes);
        self.oldest[1] = self.oldest[1].or(self.oldest[0]);
        self.oldest[0] = None;
        writes
    }

    /// Every reserve that was asked for, for who writes everything anew.
    pub(crate) fn reserves(&self) -> impl Iterator<Item = Write> {
        self.reserves.iter().map(|(channel, reserve)| Write::Reserve { channel: channel.clone(), upto: reserve.asked })
    }

    /// What waited is void: all of the reserves are in what is written instead.
    pub(crate) fn reserves_are_written(&mut self) {
        self.reserving = self.reserves.iter().map(|(channel, reserve)| (channel.clone(), reserve.asked)).collect();
    }

    /// A crash has taken something.
    pub(crate) fn write_hole(&mut self, channel: &Arc<str>, hole: Option<Hole>) {
        self.writes.extend(hole.map(|hole| Write::Hole { channel: channel.clone(), hole }));
    }

    /// What was taken last is kept, and with it everything up to `serial`.
    pub(crate) fn keep(&mut self, serial: u64) {
        self.kept = self.kept.max(serial);
        self.writing = 0;
        self.oldest[1] = None;
        for (channel, upto) in std::mem::take(&mut self.reserving) {
            self.reserves.entry(channel).or_default().kept = upto;
        }
    }

    /// The store keeps nothing, or does again.
    pub(crate) const fn fail(&mut self, fails: bool) {
        self.fails = fails;
    }

    pub(crate) const fn fails(&self) -> bool {
        self.fails
    }

    /// Everything up to this number is kept.
    pub(crate) const fn kept(&self) -> u64 {
        self.kept
    }

    /// Whether anything waits to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && !self.begins
    }

    /// Whether more waits than may be in memory.
    pub(crate) const fn is_full(&self) -> bool {
        self.bytes + self.writing > limits::UNKEPT_BYTES_MAX
    }

    /// Whether what was acknowledged before it is kept has waited so long that nothing more of the kind may be.
    pub(crate) fn owes(&self, now: Mono) -> bool {
        self.oldest.iter().flatten().any(|oldest| now.since(*oldest) > FAST)
    }

    /// Nothing that waits counts any more: another history begins, and the store has to be told all of it.
    pub(crate) fn begin(&mut self) {
        self.take_writes();
        self.gone.clear();
        self.reserves.clear();
        self.begins = true;
    }

    /// Whether one of these channels is acknowledged before it is kept.
    pub(crate) fn is_fast(&mut self, channels: &BTreeSet<Arc<str>>) -> bool {
        channels.iter().any(|channel| self.durability(channel) == Durability::Fast)
    }
}

/// See [`limits::FAST`].
const FAST: Duration = limits::FAST;
