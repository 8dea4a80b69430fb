//! A wall clock that doesn't go back.

use std::time::Duration;

use crate::{Mono, Timestamp};

/// How fast time goes while the clock, set back, is behind what was told: an hour is made up for in ten.
const PACE: f64 = 0.9;

/// A machine's wall clock, which may be set at any time, as what happens is dated by.
///
/// Set forward, it is followed at once. Set back, it isn't: what comes later must not seem to have happened earlier, and windows must
/// slide on. Time goes slower instead until the clock has caught up.
#[derive(Clone, Debug, Default)]
pub struct SteadyClock {
    /// What the clock showed when the monotonic one was at zero.
    zero: Timestamp,
    /// What was told, and when, when the clock was set back behind it.
    ahead: Option<(Timestamp, Mono)>,
}

impl SteadyClock {
    /// A clock that is set back by more was never right: it is followed at once.
    pub const BACK_MAX: Duration = Duration::from_secs(86_400);

    /// The clock shows `wall` now. Says whether it was set back so far that it is followed at once: what was dated until then is of a
    /// time to come.
    pub fn set(&mut self, wall: Timestamp, now: Mono) -> bool {
        let told = self.at(now);
        let slowed = self.slowed(now);
        self.zero = wall.minus(now.since(Mono::ZERO));
        let is_ahead = told > wall;
        let turns_back = is_ahead && told.since(wall) > Self::BACK_MAX;
        // Where it began is kept: told anew at each reading, the parts of a millisecond would be lost.
        let began = self.ahead.filter(|_| slowed == Some(told));
        self.ahead = (is_ahead && !turns_back).then(|| began.unwrap_or((told, now)));
        turns_back
    }

    /// Now. Never earlier than before, but for a clock that is set back by more than a day.
    #[must_use]
    pub fn at(&self, now: Mono) -> Timestamp {
        let wall = self.zero.plus(now.since(Mono::ZERO));
        self.slowed(now).map_or(wall, |slowed| slowed.max(wall))
    }

    fn slowed(&self, now: Mono) -> Option<Timestamp> {
        let (told, since) = self.ahead?;
        Some(told.plus(now.since(since).mul_f64(PACE)))
    }
}
