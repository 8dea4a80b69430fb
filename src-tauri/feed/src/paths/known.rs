//! What was known to have happened, and since when: by that it is seen how far behind a path is.

use std::{collections::VecDeque, time::Duration};

use watchfloor_model::Mono;

use super::merge::{Places, covers};

/// Instants at which what was known is kept, at most: for two limits.
const INSTANTS_MAX: usize = 32;

/// What was known, at some instants.
#[derive(Debug)]
pub(super) struct Known {
    /// Oldest first, with the instant from which on it may have been known.
    instants: VecDeque<(Mono, Places)>,
    /// They are at least so far apart.
    apart: Duration,
}

impl Known {
    /// Nothing yet. `limit` is for how long a proof is good.
    pub(super) fn new(limit: Duration) -> Self {
        Self { instants: VecDeque::new(), apart: limit / 16 }
    }

    /// So much is known now.
    pub(super) fn note(&mut self, places: &Places, now: Mono) {
        match self.instants.back_mut() {
            Some((_, last)) if last == places => return,
            // Dated too early, which is on the safe side.
            Some((at, last)) if now.since(*at) < self.apart => last.clone_from(places),
            _ => self.instants.push_back((now, places.clone())),
        }
        if self.instants.len() > INSTANTS_MAX {
            self.instants.pop_front();
        }
    }

    /// Until when one who has come to `places` has all that was known; none, if that is too long ago to be told.
    pub(super) fn had_until(&self, places: &Places, now: Mono) -> Option<Mono> {
        let has = |known: &Places| known.iter().all(|(channel, place)| covers(places.get(channel), place));
        let newest = self.instants.iter().rposition(|(_, known)| has(known))?;
        Some(self.instants.get(newest + 1).map_or(now, |(at, _)| *at))
    }
}
