//! The history of one channel: a ring of finished messages with their places.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use watchfloor_model::Mono;

use crate::limits;

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
    /// The event's number among those of all channels, in the order in which the hub took them.
    pub(crate) serial: u64,
    /// When it was taken.
    pub(crate) at: Mono,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.line.len() + limits::ENTRY_OVERHEAD_BYTES
    }
}

/// A channel's newest events. Offsets count up by one from 1; those before `first` are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    head: u64,
    bytes: usize,
}

impl Ring {
    /// The offset of the newest event ever appended; 0 if there was none.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// The offset of the oldest event still here; one past the head if there is none.
    pub(crate) fn first(&self) -> u64 {
        self.head + 1 - self.entries.len() as u64
    }

    /// What it costs, bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a reader that has everything up to `offset` can be given everything after it.
    pub(crate) fn continues(&self, offset: u64) -> bool {
        offset <= self.head && offset + 1 >= self.first()
    }

    /// The event at `offset`, if it is here.
    pub(crate) fn entry(&self, offset: u64) -> Option<&Entry> {
        let index = offset.checked_sub(self.first())?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// Takes the next event.
    pub(crate) fn append(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        self.head += 1;
    }

    /// Forgets what is over the limits.
    pub(crate) fn trim(&mut self, limits: &HistoryLimits, now: Mono) {
        while let Some(oldest) = self.entries.front() {
            let crowded = self.entries.len() > 1 && (self.entries.len() > limits.events || self.bytes > limits.bytes);
            if !crowded && now.since(oldest.at) <= limits.age {
                break;
            }
            self.forget_oldest();
        }
        self.shrink();
    }

    /// Forgets the oldest events until at least `bytes` are free or nothing is left.
    pub(crate) fn free(&mut self, bytes: usize) {
        let goal = self.bytes.saturating_sub(bytes);
        while self.bytes > goal {
            self.forget_oldest();
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

    fn forget_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(events: u64, now: Mono) -> Ring {
        let mut ring = Ring::default();
        for serial in 1..=events {
            ring.append(Entry { line: format!("{serial:0100}").into(), serial, at: now });
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
            ring.trim(&limits, Mono::from_millis(now_ms));
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
        ring.free(1);
        assert_eq!(ring.first(), 2);
        ring.free(usize::MAX);
        assert_eq!((ring.first(), ring.head(), ring.bytes()), (5, 4, 0));
        assert!(ring.continues(4) && !ring.continues(3) && !ring.continues(5));
    }
}
