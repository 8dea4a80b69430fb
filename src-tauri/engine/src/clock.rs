//! The only place of the program's core in which a clock is read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use watchfloor_model::{Mono, Timestamp};

/// How far before the program's start [`Mono::ZERO`] lies. Instants that a former run wrote down can so be placed on
/// this run's clock, and their ages come out right.
const PAST: Duration = Duration::from_secs(366 * 86_400);

/// This machine's clocks.
///
/// [`Clock::now`] counts the time that the machine was suspended: what was shown before is old when it wakes, and a
/// clock that had stood still would call it live. On Linux it is `CLOCK_BOOTTIME`. Elsewhere it is the system's
/// monotonic clock, which counts suspension on Windows; on macOS it doesn't, and there a number may be
/// called live for its limit after waking.
/// Stepping the wall clock moves [`Clock::wall`] alone, and no age depends on that, except across a restart.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: reading::Reading,
}

impl Clock {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self { zero: reading::read() }
    }

    /// The monotonic instant now.
    #[must_use]
    pub fn now(&self) -> Mono {
        Mono::ZERO.plus(PAST).plus(reading::elapsed(self.zero))
    }

    /// The wall clock now.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(0).plus(since)
    }

    /// Where a wall-clock time of a former run lies on this run's monotonic clock. A time in the future, which a
    /// stepped clock leaves behind, counts as now; one more than a year back as a year back.
    #[must_use]
    pub fn place(&self, time: Timestamp) -> Mono {
        back(self.now(), self.wall().since(time))
    }

    /// The wall-clock time of a monotonic instant, by what both clocks say now.
    #[must_use]
    pub fn wall_at(&self, instant: Mono) -> Timestamp {
        self.wall().minus(self.now().since(instant))
    }
}

/// `by` before `instant`, at least [`Mono::ZERO`].
fn back(instant: Mono, by: Duration) -> Mono {
    let by = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
    Mono::from_micros(instant.as_micros().saturating_sub(by))
}

#[cfg(target_os = "linux")]
mod reading {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    /// Time since boot, suspension included.
    pub(super) type Reading = Duration;

    pub(super) fn read() -> Reading {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    pub(super) fn elapsed(zero: Reading) -> Duration {
        read().saturating_sub(zero)
    }
}

#[cfg(not(target_os = "linux"))]
mod reading {
    use std::time::{Duration, Instant};

    pub(super) type Reading = Instant;

    pub(super) fn read() -> Reading {
        Instant::now()
    }

    pub(super) fn elapsed(zero: Reading) -> Duration {
        zero.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H4: what a former run received gets its true age.
    #[test]
    fn places_the_past() {
        let clock = Clock::start();
        let hour = Duration::from_secs(3600);
        let age = clock.now().since(clock.place(clock.wall().minus(hour)));
        // The clocks are read one after the other.
        assert!(age.abs_diff(hour) < Duration::from_secs(5), "{age:?}");
        let back = clock.wall_at(clock.place(clock.wall().minus(hour)));
        assert!(clock.wall().minus(hour).since(back) < Duration::from_secs(5));
    }

    /// H1: a clock that was stepped back can't make an age negative, nor one of 1970 overflow.
    #[test]
    fn clamps_the_impossible() {
        let clock = Clock::start();
        assert!(clock.place(clock.wall().plus(Duration::from_secs(3600))) <= clock.now());
        assert_eq!(clock.place(Timestamp::from_millis(i64::MIN)), Mono::ZERO);
    }
}
