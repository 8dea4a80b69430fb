//! How the replay's time runs against the machine's.

use std::time::{Duration, Instant};

use watchfloor_model::Timestamp;

/// Replay time as a function of real time. Pure: instants are arguments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    at: Timestamp,
    read: Instant,
    speed: f64,
}

impl Pace {
    /// The replay stands at `at` when the machine's clock says `read`, and runs `speed` replay seconds a second; 0 is a pause.
    #[must_use]
    pub(crate) const fn new(at: Timestamp, read: Instant, speed: f64) -> Self {
        Self { at, read, speed }
    }

    /// Replay seconds a second.
    #[must_use]
    pub(crate) const fn speed(&self) -> f64 {
        self.speed
    }

    /// The replay's time at `now`.
    #[must_use]
    pub(crate) fn at(&self, now: Instant) -> Timestamp {
        let real = now.saturating_duration_since(self.read).as_secs_f64();
        self.at.plus(Duration::try_from_secs_f64(real * self.speed).unwrap_or(Duration::ZERO))
    }

    /// When the replay reaches `at`; never, if it is paused or that is too far away to say.
    #[must_use]
    pub(crate) fn when(&self, at: Timestamp) -> Option<Instant> {
        let left = at.since(self.at).as_secs_f64() / self.speed;
        self.read.checked_add(Duration::try_from_secs_f64(left).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn runs_at_its_speed_and_stands_still() {
        let zero = Instant::now();
        for (speed, real_ms, replay_ms) in [(60.0, 1000, 60_000), (0.0, 1000, 0), (0.5, 1000, 500), (3600.0, 1, 3600)] {
            let pace = Pace::new(AT, zero, speed);
            assert_eq!(pace.at(zero + Duration::from_millis(real_ms)), AT.plus(Duration::from_millis(replay_ms)));
        }
    }

    /// At the instant that `when` gives, the time has come, and not long before it.
    #[test]
    fn when_is_the_inverse() {
        let zero = Instant::now();
        for speed in [0.1, 1.0, 60.0, 3600.0] {
            let pace = Pace::new(AT, zero, speed);
            let goal = AT.plus(Duration::from_secs(60));
            let when = pace.when(goal).expect("it comes");
            let reached = pace.at(when + Duration::from_micros(1));
            assert!(reached >= goal && reached.since(goal) < Duration::from_millis(20), "{speed}");
        }
        assert_eq!(Pace::new(AT, zero, 0.0).when(AT.plus(Duration::from_secs(1))), None);
        assert!(Pace::new(AT, zero, 60.0).when(AT.minus(Duration::from_secs(1))).is_some(), "long reached");
    }
}
