//! What was taken and what readers were told, counted under the state's lock, where all of it is decided.
//!
//! A reader sees the state by a shared reference, so these count from inside; nobody else has the lock meanwhile.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::message::Break;

/// Upper ends of the classes of ages in which events went out, milliseconds; there is one more class for all that were older.
pub(crate) const AGES_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 30_000];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Events that publishers gave, and that were published.
    pub(crate) taken: AtomicU64,
    /// Events, texts and bytes that connections were given.
    pub(crate) events: AtomicU64,
    pub(crate) texts: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Texts with events, by the age of their oldest event when they were given to a connection; and the sum of these ages, microseconds.
    pub(crate) ages: [AtomicU64; AGES_MS.len() + 1],
    pub(crate) ages_micros: AtomicU64,
    /// How subscriptions began: first those that went on from where they were.
    pub(crate) begun: [AtomicU64; BEGUN.len()],
    /// How they were broken.
    pub(crate) lost: [AtomicU64; LOST.len()],
}

/// What the beginnings are called.
pub(crate) const BEGUN: [&str; 5] = ["recovered", "fresh", "epoch-changed", "trimmed", "ahead"];
/// What the losses are called.
pub(crate) const LOST: [&str; 3] = ["slow", "epoch-changed", "hub-crashed"];

impl Told {
    /// An event was taken.
    pub(crate) fn take(&self) {
        self.taken.fetch_add(1, Relaxed);
    }

    /// A connection is given a text of so many bytes, with so many events, of which the oldest is so old.
    pub(crate) fn give(&self, bytes: usize, events: u64, oldest: Duration) {
        self.texts.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
        if events == 0 {
            return;
        }
        self.events.fetch_add(events, Relaxed);
        let micros = u64::try_from(oldest.as_micros()).unwrap_or(u64::MAX);
        let class = AGES_MS.iter().position(|end| micros <= end * 1000).unwrap_or(AGES_MS.len());
        self.ages[class].fetch_add(1, Relaxed);
        self.ages_micros.fetch_add(micros, Relaxed);
    }

    /// A subscription begins.
    pub(crate) fn begin(&self, reason: Option<Break>) {
        let at = match reason {
            None => 0,
            Some(Break::Fresh) => 1,
            Some(Break::EpochChanged) => 2,
            Some(Break::Trimmed) => 3,
            Some(Break::Ahead | Break::Slow | Break::HubCrashed) => 4,
        };
        self.begun[at].fetch_add(1, Relaxed);
    }

    /// A subscription lost something.
    pub(crate) fn lose(&self, reason: Break) {
        let at = match reason {
            Break::EpochChanged => 1,
            Break::HubCrashed => 2,
            Break::Slow | Break::Trimmed | Break::Ahead | Break::Fresh => 0,
        };
        self.lost[at].fetch_add(1, Relaxed);
    }
}
