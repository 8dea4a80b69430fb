//! How much a person is told in ten minutes: at most ten announcements in any of them, with room left for what is more urgent.

use std::{collections::VecDeque, time::Duration};

use watchfloor_board::alarm::Priority;
use watchfloor_model::Mono;

/// Any stretch of this length.
pub(super) const WINDOW: Duration = Duration::from_secs(600);
/// Announcements in it at most: what one person can take (EEMUA 191).
pub(super) const ANNOUNCED_MAX: usize = 10;

/// As many at most count from before a start: with them there is room for the one for many, and for what is critical.
pub(super) const RESUMED_MAX: usize = 7;

/// What would be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A notification of one alarm. `has_summary`: the one for many is on the screen already, and needs no room of its own.
    Notice { priority: Priority, has_summary: bool },
    /// The one for many; whether there is news of what is critical in it.
    Summary { is_critical: bool },
    /// A tone that begins.
    Tone(Priority),
}

impl Way {
    /// With fewer than so many within the window there may be one more of it. What is less urgent may use fewer, the summary always has room after
    /// what it stands for, and the tone of what is critical has room after all others.
    const fn limit(self) -> usize {
        match self {
            Self::Notice { priority: Priority::Low, .. } => 4,
            Self::Notice { priority: Priority::Medium, .. } => 5,
            Self::Tone(Priority::Low | Priority::Medium) => 6,
            Self::Notice { priority: Priority::High, .. } | Self::Tone(Priority::High) => 7,
            Self::Summary { is_critical: false } | Self::Notice { has_summary: false, .. } => 8,
            Self::Summary { is_critical: true } | Self::Notice { has_summary: true, .. } => 9,
            Self::Tone(Priority::Critical) => ANNOUNCED_MAX,
        }
    }
}

/// What was announced within the window.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// When, and under which number; the oldest first.
    told: VecDeque<(Mono, u64)>,
    /// Whether nobody was told of that yet.
    has_changed: bool,
}

impl Budget {
    /// Goes on after a start: so many were announced before it, the oldest first. Nothing has the number 0.
    pub(super) fn resume(&mut self, told: Vec<Mono>, now: Mono) {
        self.told = told.into_iter().map(|at| (at.min(now), 0)).collect();
        self.forget(now);
        // Room is left for the summary and for what is critical: nobody is to be without a word of what is new for ten minutes, because the wall was
        // killed just then.
        self.told.drain(..self.told.len().saturating_sub(RESUMED_MAX));
    }

    /// When something was announced, the oldest first, if that has changed since this was last asked.
    pub(super) fn take_told(&mut self) -> Option<Vec<Mono>> {
        std::mem::take(&mut self.has_changed).then(|| self.told.iter().map(|(at, _)| *at).collect())
    }

    /// Takes one, if there is one left.
    pub(super) fn take(&mut self, way: Way, number: u64, now: Mono) -> bool {
        self.forget(now);
        let is_left = self.told.len() < way.limit();
        if is_left {
            self.told.push_back((now, number));
            self.has_changed = true;
        }
        is_left
    }

    /// It wasn't announced after all.
    pub(super) fn give_back(&mut self, number: u64) {
        let before = self.told.len();
        self.told.retain(|(_, own)| *own != number);
        self.has_changed |= self.told.len() != before;
    }

    /// The same announcement, under another number. Says whether it is within the window.
    pub(super) fn renumber(&mut self, from: u64, to: u64) -> bool {
        let own = self.told.iter_mut().find(|(_, own)| *own == from);
        own.map(|(_, number)| *number = to).is_some()
    }

    /// When there is one left.
    pub(super) fn free_at(&self, way: Way, now: Mono) -> Mono {
        let over = |at: Mono| at.plus(WINDOW).plus(Duration::from_micros(1));
        let last = self.told.len().checked_sub(way.limit()).and_then(|at| self.told.get(at));
        last.map_or(now, |(at, _)| over(*at).max(now))
    }

    /// The window has both its ends.
    fn forget(&mut self, now: Mono) {
        while self.told.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
            self.told.pop_front();
        }
    }
}
