//! How much a person is told in ten minutes: at most ten announcements in any of them, with room left for what is more urgent.

use std::{collections::VecDeque, time::Duration};

use watchfloor_board::alarm::Priority;
use watchfloor_model::Mono;

/// Any stretch of this length.
pub(super) const WINDOW: Duration = Duration::from_secs(600);
/// Announcements in it at most: what one person can take (EEMUA 191).
pub(super) const ANNOUNCED_MAX: usize = 10;

/// As many at most count from before a start as far as more urgent things have room after less urgent ones: with them there is room for the one for
/// many, and for what is critical.
pub(super) const RESUMED_MAX: usize = 7;
/// As many at most are known of from before a start.
const KNOWN_MAX: usize = 64;

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

    /// Nobody may be left without it for long.
    const fn is_critical(self) -> bool {
        matches!(
            self,
            Self::Notice { priority: Priority::Critical, .. }
                | Self::Summary { is_critical: true }
                | Self::Tone(Priority::Critical)
        )
    }
}

/// What was announced within the window.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// When, and under which number; the oldest first.
    told: VecDeque<(Mono, u64)>,
    /// So many of the oldest are of before the start, and take no room from what is more urgent than they were.
    passed: usize,
    /// Whether nobody was told of that yet.
    has_changed: bool,
}

impl Budget {
    /// Goes on after a start: so many were announced before it, the oldest first. Nothing has the number 0.
    ///
    /// Room is left for the summary and for what is critical: nobody is to be without a word of what is new for ten minutes, because the wall was
    /// killed just then. Yet a wall that is started again and again tells no more than any other: what isn't critical has an end at ten in all.
    pub(super) fn resume(&mut self, mut told: Vec<Mono>, now: Mono) {
        told.drain(..told.len().saturating_sub(KNOWN_MAX));
        self.told = told.into_iter().map(|at| (at.min(now), 0)).collect();
        self.passed = 0;
        self.forget(now);
        self.passed = self.told.len().saturating_sub(RESUMED_MAX);
    }

    /// When something was announced, the oldest first, if that has changed since this was last asked.
    pub(super) fn take_told(&mut self) -> Option<Vec<Mono>> {
        std::mem::take(&mut self.has_changed).then(|| self.told.iter().map(|(at, _)| *at).collect())
    }

    /// Takes one, if there is one left.
    pub(super) fn take(&mut self, way: Way, number: u64, now: Mono) -> bool {
        self.forget(now);
        let is_left = self.told.len() < self.most(way);
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

    /// With fewer than so many within the window there may be one more.
    fn most(&self, way: Way) -> usize {
        let most = self.passed + way.limit();
        if way.is_critical() { most } else { most.min(ANNOUNCED_MAX) }
    }

    /// When there is one left.
    pub(super) fn free_at(&self, way: Way, now: Mono) -> Mono {
        let over = |at: Mono| at.plus(WINDOW).plus(Duration::from_micros(1));
        let count = self.told.len();
        let last = if count >= self.passed + way.limit() {
            // Those that have passed go first, and make no room.
            count.checked_sub(way.limit())
        } else if count >= self.most(way) {
            count.checked_sub(ANNOUNCED_MAX)
        } else {
            None
        };
        last.and_then(|at| self.told.get(at)).map_or(now, |(at, _)| over(*at).max(now))
    }

    /// The window has both its ends.
    fn forget(&mut self, now: Mono) {
        while self.told.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
            self.told.pop_front();
            self.passed = self.passed.saturating_sub(1);
        }
    }
}
