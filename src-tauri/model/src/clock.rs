//! A source's own time.

use std::time::Duration;

use crate::{Mono, Timestamp};

/// How a source's own time runs against this program's monotonic clock.
///
/// A server's clock runs at speed 1 and may be set differently from ours; a replay runs faster, slower or stands
/// still. Sliding windows, daily resets and expiry follow this clock, so they are right on a machine whose clock
/// is wrong. Freshness never does: how old a proof is, is measured on [`Mono`].
#[derive(Clone, Debug, PartialEq)]
pub struct SourceClock {
    /// What the source's clock said …
    pub at: Timestamp,
    /// … at this instant of ours.
    pub read: Mono,
    /// Source seconds a real second: 1 for a real server, 0 for a paused replay.
    pub speed: f64,
    /// What kind of time this is if it isn't the present, for people: `Replay of 8 February 2013`.
    pub label: Option<String>,
}

impl SourceClock {
    /// The source's time at our instant `now`. Before `read` the clock is taken to stand still.
    #[must_use]
    pub fn at(&self, now: Mono) -> Timestamp {
        let real = now.since(self.read);
        if self.speed == 1.0 {
            return self.at.plus(real);
        }
        let scaled = real.as_secs_f64() * self.speed;
        let step = Duration::try_from_secs_f64(scaled).unwrap_or(Duration::ZERO);
        self.at.plus(step)
    }

    /// The source's time at an instant that may lie before `read`, as if the clock had run at this speed before as well.
    #[must_use]
    pub fn was_at(&self, then: Mono) -> Timestamp {
        if then >= self.read {
            return self.at(then);
        }
        let scaled = self.read.since(then).as_secs_f64() * self.speed;
        self.at.minus(Duration::try_from_secs_f64(scaled).unwrap_or(Duration::ZERO))
    }

    /// Whether the source says that its time isn't the present.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.label.is_some() || self.speed != 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(speed: f64) -> SourceClock {
        SourceClock { at: Timestamp::from_millis(1_000_000), read: Mono::from_millis(50), speed, label: None }
    }

    #[test]
    fn runs_at_its_speed() {
        let now = Mono::from_millis(1050);
        assert_eq!(clock(1.0).at(now).as_millis(), 1_001_000);
        assert_eq!(clock(60.0).at(now).as_millis(), 1_060_000);
        assert_eq!(clock(0.0).at(now).as_millis(), 1_000_000);
        let then = Mono::from_millis(40);
        assert_eq!((clock(60.0).was_at(then).as_millis(), clock(0.0).was_at(then).as_millis()), (999_400, 1_000_000));
        assert_eq!(clock(60.0).was_at(now), clock(60.0).at(now));
    }

    #[test]
    fn never_runs_backwards() {
        assert_eq!(clock(60.0).at(Mono::ZERO).as_millis(), 1_000_000);
        assert_eq!(clock(-3.0).at(Mono::from_millis(1050)).as_millis(), 1_000_000);
        assert_eq!(clock(f64::NAN).at(Mono::from_millis(1050)).as_millis(), 1_000_000);
    }
}
