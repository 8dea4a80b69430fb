//! The history of one channel: a ring of finished messages with their places.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use watchfloor_model::{Mono, Timestamp};

use crate::{limits, people::Socket};

/// How much a hub remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Events a channel, at least 1.
    pub events: usize,
    /// Bytes a channel. The newest event stays even if it alone is larger.
    pub bytes: usize,
    /// How long an event is kept, real time.
    pub age: Duration,
    /// Bytes in all channels together; the largest channel pays.
    pub bytes_total: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self {
            events: limits::HISTORY_EVENTS,
            bytes: limits::HISTORY_BYTES,
            age: limits::HISTORY_AGE,
            bytes_total: limits::HISTORY_BYTES_TOTAL,
        }
    }
}

/// One event in the history.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The whole message, one line without its end. Every reader gets this very text.
    pub(crate) line: Arc<str>,
    /// Its place in the channel.
    pub(crate) offset: u64,
    /// The event's number among those of all channels, in the order in which the hub took them.
    pub(crate) serial: u64,
    /// The hub's time when it was taken, by which aggregates fold it.
    pub(crate) hub: Timestamp,
    /// When it was taken.
    pub(crate) at: Mono,
    /// What only the Pusher door asks for; most events have none.
    pub(crate) aside: Option<Box<Aside>>,
    /// The same event as a frame of that door, made when its first reader takes it.
    pub(crate) frame: OnceLock<Utf8Bytes>,
}

/// An event's place in its channel, and its number among those of all channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) offset: u64,
    pub(crate) serial: u64,
}

/// What only the Pusher door asks for. Not kept through a restart: after it nobody is connected who could have sent the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aside {
    /// Its `data` is written as it is. Otherwise it is JSON in a text, as this protocol has it.
    pub(crate) is_bare: bool,
    /// The connection that isn't told: it knows already.
    pub(crate) except: Option<Socket>,
    /// Whose event it is, on a presence channel.
    pub(crate) user: Option<Arc<str>>,
}

impl Entry {
    /// An event of no door in particular.
    pub(crate) const fn new(
        line: Arc<str>,
        number: Number,
        hub: Timestamp,
        at: Mono,
        aside: Option<Box<Aside>>,
    ) -> Self {
        let Number { offset, serial } = number;
        Self { line, offset, serial, hub, at, aside, frame: OnceLock::new() }
    }
}

impl Entry {
    /// Where it is.
    pub(crate) const fn number(&self) -> Number {
        Number { offset: self.offset, serial: self.serial }
    }

    fn bytes(&self) -> usize {
        self.line.len() + limits::ENTRY_OVERHEAD_BYTES
    }
}

/// A channel's newest events. Offsets count up by one from 1, but for [`Hole`]s; those before `first` are forgotten. What was taken
/// last may not be for readers yet: see [`Ring::release`].
#[derive(Debug, Default)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    /// The offset of the newest event for readers.
    head: u64,
    /// The offset of the newest event taken.
    taken: u64,
    /// The oldest first.
    holes: VecDeque<Hole>,
    bytes: usize,
    /// How much of it is remembered, once that was asked for.
    limits: Option<Arc<HistoryLimits>>,
}

/// Offsets that may have been given to events which a crash has taken: those after `after` up to `upto`. They are never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) after: u64,
    pub(crate) upto: u64,
    /// The hub's time from which on nothing is missing again.
    pub(crate) since: Timestamp,
}

impl Ring {
    /// A ring as a store has it: up to `head` offsets were given, and `holes` of them are lost. Entries come in order.
    pub(crate) fn restored(entries: VecDeque<Entry>, head: u64, holes: VecDeque<Hole>) -> Self {
        let bytes = entries.iter().map(Entry::bytes).sum();
        let mut ring = Self { entries, head, taken: head, holes, bytes, limits: None };
        ring.forget_holes();
        ring
    }

    /// The offset of the newest event for readers; 0 if there was none.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// The offset of the newest event ever taken.
    pub(crate) const fn taken(&self) -> u64 {
        self.taken
    }

    /// The offset of the oldest event still here; one past the newest if there is none.
    pub(crate) fn first(&self) -> u64 {
        self.entries.front().map_or(self.taken + 1, |entry| entry.offset)
    }

    /// How much of it is remembered: what `find` finds, which is asked once.
    pub(crate) fn limits(&mut self, find: impl FnOnce() -> Arc<HistoryLimits>) -> Arc<HistoryLimits> {
        self.limits.get_or_insert_with(find).clone()
    }

    /// What it costs, bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is here, for readers or not yet, the oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// What a crash has taken, as far as readers can be told so, the oldest first.
    pub(crate) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.holes.iter()
    }

    /// Whether a reader that has everything up to `offset` can be given everything after it, or be told of it that a crash has taken it.
    pub(crate) fn continues(&self, offset: u64) -> bool {
        let first =
            self.holes.front().filter(|hole| hole.upto + 1 == self.first()).map_or(self.first(), |hole| hole.after + 1);
        offset <= self.head && offset + 1 >= first
    }

    /// Where a reader goes on that has everything up to `offset`, if what comes next was taken by a crash.
    pub(crate) fn hole_after(&self, offset: u64) -> Option<u64> {
        let hole = self.holes.iter().find(|hole| offset < hole.upto)?;
        (hole.after <= offset).then_some(hole.upto)
    }

    /// The event at `offset`, if it is here and for readers.
    pub(crate) fn entry(&self, offset: u64) -> Option<&Entry> {
        let first = self.first();
        if offset < first || offset > self.head {
            return None;
        }
        let skipped = |hole: &&Hole| hole.after >= first && hole.upto < offset;
        let skipped: u64 = self.holes.iter().filter(skipped).map(|hole| hole.upto - hole.after).sum();
        let entry = self.entries.get(usize::try_from(offset - first - skipped).ok()?)?;
        (entry.offset == offset).then_some(entry)
    }

    /// Takes the next event. It is for readers once it is released.
    pub(crate) fn append(&mut self, entry: Entry) {
        debug_assert_eq!(entry.offset, self.taken + 1, "offsets count up by one");
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        self.taken += 1;
    }

    /// Takes the event before the oldest that is here.
    pub(crate) fn prepend(&mut self, entry: Entry) {
        debug_assert_eq!(entry.offset + 1, self.first(), "offsets count down by one");
        self.bytes += entry.bytes();
        self.entries.push_front(entry);
    }

    /// Everything up to `offset` is for readers from now on.
    pub(crate) fn release(&mut self, offset: u64) {
        debug_assert!(offset <= self.taken, "only what was taken is released");
        self.head = self.head.max(offset);
    }

    /// Forgets what is over the limits, and hands over its numbers. What isn't for readers yet stays.
    pub(crate) fn trim(&mut self, limits: &HistoryLimits, now: Mono, mut gone: impl FnMut(u64)) {
        while let Some(oldest) = self.entries.front().filter(|oldest| oldest.offset <= self.head) {
            let crowded = self.entries.len() > 1 && (self.entries.len() > limits.events || self.bytes > limits.bytes);
            if !crowded && now.since(oldest.at) <= limits.age {
                break;
            }
            self.forget_oldest(&mut gone);
        }
        self.shrink();
    }

    /// Forgets the oldest events until at least `bytes` are free or nothing is left that is for readers.
    pub(crate) fn free(&mut self, bytes: usize, mut gone: impl FnMut(u64)) {
        let goal = self.bytes.saturating_sub(bytes);
        while self.bytes > goal && self.entries.front().is_some_and(|oldest| oldest.offset <= self.head) {
            self.forget_oldest(&mut gone);
        }
        self.shrink();
    }

    /// Gives back what a flood that has passed had needed.
    fn shrink(&mut self) {
        let held = self.entries.len();
        if self.entries.capacity() > 4 * held + 64 {
            self.entries.shrink_to(2 * held);
        }
    }

    fn forget_oldest(&mut self, gone: &mut impl FnMut(u64)) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes();
            gone(entry.serial);
        }
        self.forget_holes();
    }

    fn forget_holes(&mut self) {
        let first = self.first();
        while self.holes.front().is_some_and(|hole| hole.upto + 1 < first) {
            self.holes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u64, serial: u64, now: Mono) -> Entry {
        Entry::new(format!("{serial:0100}").into(), Number { offset, serial }, Timestamp::default(), now, None)
    }

    fn ring(events: u64, now: Mono) -> Ring {
        let mut ring = Ring::default();
        for serial in 1..=events {
            ring.append(entry(serial, serial, now));
            ring.release(serial);
        }
        ring
    }

    /// H5: each limit alone bounds the ring, and what is left are the newest events under their own offsets.
    #[test]
    fn every_limit_bounds() {
        let each = 100 + limits::ENTRY_OVERHEAD_BYTES;
        let cases = [
            (HistoryLimits { events: 3, ..HistoryLimits::default() }, 0, 8),
            (HistoryLimits { bytes: 3 * each + 1, ..HistoryLimits::default() }, 0, 8),
            (HistoryLimits { bytes: 1, ..HistoryLimits::default() }, 0, 10),
            (HistoryLimits { age: Duration::from_secs(5), ..HistoryLimits::default() }, 5_000, 1),
            (HistoryLimits { age: Duration::from_secs(5), ..HistoryLimits::default() }, 5_001, 11),
        ];
        for (limits, now_ms, first) in cases {
            let mut ring = ring(10, Mono::ZERO);
            ring.trim(&limits, Mono::from_millis(now_ms), |_| {});
            assert_eq!((ring.first(), ring.head()), (first, 10), "{limits:?}");
            assert_eq!(ring.bytes(), (11 - first as usize) * each);
            for offset in 0..=12 {
                let here = (first..=10).contains(&offset);
                assert_eq!(ring.entry(offset).map(|entry| entry.serial), here.then_some(offset));
                assert_eq!(ring.continues(offset), offset + 1 >= first && offset <= 10, "{offset}");
            }
        }
    }

    /// Freed space is at least what was asked for, and an empty ring keeps its head.
    #[test]
    fn frees() {
        let mut ring = ring(4, Mono::ZERO);
        let mut gone = Vec::new();
        ring.free(1, |serial| gone.push(serial));
        assert_eq!(ring.first(), 2);
        ring.free(usize::MAX, |serial| gone.push(serial));
        assert_eq!((ring.first(), ring.head(), ring.bytes(), gone), (5, 4, 0, vec![1, 2, 3, 4]));
        assert!(ring.continues(4) && !ring.continues(3) && !ring.continues(5));
    }

    /// H4: what isn't released is for no reader, and no limit takes it.
    #[test]
    fn what_is_not_released_is_not_there() {
        let mut ring = ring(2, Mono::ZERO);
        for offset in 3..=5 {
            ring.append(entry(offset, offset, Mono::ZERO));
        }
        assert!(ring.entry(3).is_none() && ring.continues(2) && !ring.continues(3));
        ring.free(usize::MAX, |_| {});
        assert_eq!((ring.first(), ring.head(), ring.taken()), (3, 2, 5));
        assert!(ring.continues(2) && !ring.continues(1));
        ring.release(4);
        assert_eq!((ring.entry(4).map(|entry| entry.serial), ring.entry(5).map(|entry| entry.serial)), (Some(4), None));
    }

    /// H4: around holes every event has its own offset, and a reader in one is told where it ends.
    #[test]
    fn holes_are_passed() {
        let hole = |after, upto| Hole { after, upto, since: Timestamp::default() };
        let kept = [3, 4, 11, 12, 21, 22, 23, 24, 25].map(|offset| entry(offset, 100 + offset, Mono::ZERO));
        let mut ring = Ring::restored(kept.into(), 30, VecDeque::from([hole(4, 10), hole(12, 20), hole(25, 30)]));
        for offset in [31, 32] {
            ring.append(entry(offset, 100 + offset, Mono::ZERO));
        }
        ring.release(32);
        let present: Vec<_> = (0..=40).filter(|offset| ring.entry(*offset).is_some()).collect();
        assert_eq!(present, [3, 4, 11, 12, 21, 22, 23, 24, 25, 31, 32]);
        assert!(present.iter().all(|offset| ring.entry(*offset).is_some_and(|entry| entry.serial == 100 + offset)));
        for (place, end) in [
            (3, None),
            (4, Some(10)),
            (7, Some(10)),
            (10, None),
            (11, None),
            (12, Some(20)),
            (29, Some(30)),
            (30, None),
        ] {
            assert_eq!(ring.hole_after(place), end, "{place}");
        }
        assert!(ring.continues(2) && !ring.continues(1));
        // What is forgotten up to a hole leaves it: a reader in it goes on after it.
        let each = ring.bytes() / 11;
        ring.free(2 * each, |_| {});
        assert!(ring.continues(4) && ring.continues(10) && !ring.continues(3));
        ring.free(each, |_| {});
        assert!(ring.continues(11) && !ring.continues(10) && ring.holes().count() == 2);
    }
}
