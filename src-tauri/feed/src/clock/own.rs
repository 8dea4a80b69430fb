//! This machine's clock, for what tells no time of its own.

use watchfloor_model::{Mono, SourceClock, SteadyClock, Timestamp};

use super::{Estimate, Reading};

/// The wall clock, which may be set at any time: see [`SteadyClock`].
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnClock {
    steady: SteadyClock,
    estimate: Estimate,
}

impl OwnClock {
    /// The clock shows `wall` now.
    pub(crate) fn set(&mut self, wall: Timestamp, now: Mono) {
        // Who folds by it finds out by itself that what it holds is of a time to come.
        self.steady.set(wall, now);
        self.estimate.hear(Reading { now: self.at(now), speed: 1.0, label: None }, now);
    }

    /// Now. Never earlier than before, but for a clock that is set back by more than a day.
    pub(crate) fn at(&self, now: Mono) -> Timestamp {
        self.steady.at(now)
    }

    /// As a source's clock. Nothing if it was never set.
    pub(crate) const fn clock(&self) -> Option<&SourceClock> {
        self.estimate.clock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn wall(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + millis)
    }

    fn shows(own: &OwnClock, millis: u64) -> i64 {
        own.at(Mono::from_millis(millis)).as_millis() - wall(0).as_millis()
    }

    /// H1, H3: set back by an hour it goes on, slower, read however often, and is right again ten hours later.
    #[test]
    fn set_back_it_goes_slower() {
        let mut own = OwnClock::default();
        own.set(wall(0), Mono::from_millis(0));
        own.set(wall(1000), Mono::from_millis(1000));
        let mut last = 0;
        for tenth in 0..60_000 {
            let now = Mono::from_micros(1_000_000 + tenth * 100);
            own.set(wall(1000 - HOUR_MS + i64::try_from(tenth).unwrap() / 10), now);
            assert!(own.at(now) >= wall(last), "{tenth}");
            last = own.at(now).as_millis() - wall(0).as_millis();
        }
        assert_eq!(shows(&own, 7000), 1000 + 5400);
        let clock = own.clock().unwrap();
        let off = clock.at(Mono::from_millis(7000)).as_millis() - wall(1000 + 5400).as_millis();
        assert!((0..300).contains(&off), "{off}");
        let ten_hours = 36_000_000;
        own.set(wall(1000 - HOUR_MS + ten_hours), Mono::from_millis(1000 + 36_000_000));
        assert_eq!(shows(&own, 1000 + 36_000_000), 1000 - HOUR_MS + ten_hours);
        own.set(wall(2000 - HOUR_MS + ten_hours), Mono::from_millis(2000 + 36_000_000));
        assert_eq!(shows(&own, 3000 + 36_000_000), 3000 - HOUR_MS + ten_hours, "at its own pace");
    }

    /// A clock that was years ahead was never right.
    #[test]
    fn set_back_by_more_than_a_day_it_is_followed() {
        let mut own = OwnClock::default();
        own.set(wall(0), Mono::from_millis(0));
        own.set(wall(-25 * HOUR_MS), Mono::from_millis(10));
        assert_eq!(shows(&own, 20), -25 * HOUR_MS + 10);
        assert_eq!(own.clock().unwrap().at(Mono::from_millis(20)), wall(-25 * HOUR_MS + 10));
    }

    /// Set forward it is followed at once, and where it was behind before is forgotten.
    #[test]
    fn set_forward_it_is_followed() {
        let mut own = OwnClock::default();
        own.set(wall(0), Mono::from_millis(0));
        own.set(wall(-HOUR_MS), Mono::from_millis(10));
        own.set(wall(HOUR_MS), Mono::from_millis(20));
        assert_eq!(shows(&own, 1020), HOUR_MS + 1000);
    }
}
