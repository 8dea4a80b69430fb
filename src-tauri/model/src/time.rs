//! Instants: one kind that cannot lie about elapsed time, one that people read.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// An instant on this program's monotonic clock, in microseconds since the program's own zero.
///
/// Ages and deadlines are computed from these alone, so that a stepped wall clock can't make old data young.
/// The pure crates take them as arguments; only `engine` makes them from a real clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mono(u64);

impl Mono {
    /// The program's own zero.
    pub const ZERO: Self = Self(0);
    /// Later than any instant that a program reaches.
    pub const NEVER: Self = Self(u64::MAX);

    /// `micros` after the program's zero.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// `millis` after the program's zero.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the program's zero.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long `earlier` lies before `self`; zero if it does not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// `by` later, at most [`Mono::NEVER`].
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// A civil instant: milliseconds since 1970-01-01T00:00:00Z.
///
/// Where it came from decides how far it may be trusted: a source's word for its own events, or this machine's
/// clock for what is written down. Never subtract one clock's timestamps from another's to get an age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// `millis` since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// `by` later, saturating.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// `by` earlier, saturating.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long `earlier` lies before `self`; zero if it does not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_never_go_below_zero() {
        assert_eq!(Mono::from_millis(5).since(Mono::from_millis(9)), Duration::ZERO);
        assert_eq!(Mono::from_millis(9).since(Mono::from_millis(5)), Duration::from_millis(4));
        assert_eq!(Timestamp::from_millis(-5).since(Timestamp::from_millis(5)), Duration::ZERO);
        assert_eq!(Timestamp::from_millis(5).since(Timestamp::from_millis(-5)), Duration::from_millis(10));
    }

    #[test]
    fn sums_saturate() {
        assert_eq!(Mono::from_millis(1).plus(Duration::MAX), Mono::NEVER);
        assert_eq!(Timestamp::from_millis(1).plus(Duration::MAX).as_millis(), i64::MAX);
        assert_eq!(Timestamp::from_millis(-2).minus(Duration::MAX).as_millis(), i64::MIN);
    }
}
