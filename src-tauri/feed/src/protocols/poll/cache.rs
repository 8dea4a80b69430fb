//! How old an answer is that a cache may have kept.
//!
//! A cache that follows the rules says so by `Age` (RFC 9111 section 5.1). One that doesn't may still be seen: it names
//! itself and says that it answered from what it had, or it passes on the `Date` of the answer that it keeps, which then
//! falls behind.

use std::time::Duration;

use watchfloor_model::Mono;

use crate::{port::Head, protocols::Moment};

/// A `Date` is a whole second.
const DATE_STEP_MILLIS: i64 = 1000;
/// A server's clock that runs as ours does for so long is right, though it showed more before: it was set back.
const SET_BACK_AFTER: Duration = Duration::from_secs(60);

/// What the answers of one link said of the server's clock.
#[derive(Debug, Default)]
pub(super) struct Dates {
    /// By how much `Date` is ahead of this program's own clock in the answer that was newest when it came, in milliseconds.
    best: Option<i64>,
    /// The first `Date`, until another one shows that the server's clock goes.
    first: Option<i64>,
    /// Since when answers are as old as each other, and by how much they are ahead.
    steady: Option<(Mono, i64)>,
}

impl Dates {
    /// How long ago the server made this answer, if longer than no time; [`Duration::MAX`] if a cache answered that
    /// doesn't say.
    pub(super) fn age(&mut self, head: &Head, now: Moment) -> Option<Duration> {
        let lag = head.date.map_or(0, |date| self.lag(date.as_millis(), now));
        let lag = Duration::from_millis(u64::try_from(lag).unwrap_or(0));
        let told = head.age.unwrap_or_default().max(lag);
        let is_silent = head.is_kept && head.age.is_none();
        if is_silent { Some(Duration::MAX) } else { Some(told).filter(|age| !age.is_zero()) }
    }

    /// By how many milliseconds this `Date` is behind.
    fn lag(&mut self, date: i64, now: Moment) -> i64 {
        let own = i64::try_from(now.mono.as_micros() / 1000).unwrap_or(i64::MAX);
        let ahead = date.saturating_sub(own);
        let first = *self.first.get_or_insert(date);
        let best = self.best.map_or(ahead, |best| best.max(ahead));
        self.best = Some(self.renewed(best, ahead, now.mono));
        if first == date {
            // It may be kept, or the first: this machine's own clock is all there is to go by.
            let by_own_clock = now.wall.as_millis().saturating_sub(date);
            return by_own_clock.max(best.saturating_sub(ahead)).saturating_sub(DATE_STEP_MILLIS);
        }
        best.saturating_sub(ahead).saturating_sub(DATE_STEP_MILLIS)
    }

    /// The best, unless the answers have been behind it by the same for so long that the server's clock was set back. The
    /// `Date` of what is kept doesn't go on as a clock does.
    fn renewed(&mut self, best: i64, ahead: i64, now: Mono) -> i64 {
        match self.steady {
            Some((since, level)) if ahead.abs_diff(level) <= DATE_STEP_MILLIS.unsigned_abs() => {
                if now.since(since) < SET_BACK_AFTER {
                    return best;
                }
                level.max(ahead)
            }
            _ => {
                self.steady = Some((now, ahead));
                best
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use watchfloor_model::Timestamp;

    use super::*;

    /// Says how old an answer is, in seconds, that comes at this second of both of our clocks and has this second as `Date`.
    fn age(dates: &mut Dates, second: u64, date: i64) -> u64 {
        let seconds = i64::try_from(second).expect("a second");
        let now = Moment { mono: Mono::from_millis(second * 1000), wall: Timestamp::from_millis(seconds * 1000) };
        let head = Head { date: Some(Timestamp::from_millis(date * 1000)), ..Head::default() };
        dates.age(&head, now).unwrap_or_default().as_secs()
    }

    /// H1: a `Date` that stands still or falls behind is a kept answer's. H2: one that goes with our clock isn't, however
    /// wrong it is.
    #[test]
    fn dates_that_fall_behind() {
        let mut dates = Dates::default();
        let ages: Vec<u64> = [(10, 10), (12, 12), (14, 12), (16, 12), (18, 18), (20, 19)]
            .map(|(second, date)| age(&mut dates, second, date))
            .to_vec();
        assert_eq!(ages, [0, 0, 1, 3, 0, 0]);
        for skew in [-3600, 3600] {
            let mut dates = Dates::default();
            let mut ages = (10..300).step_by(2).map(|second| {
                let date = i64::try_from(second).expect("a second") + skew;
                age(&mut dates, second, date)
            });
            let first = ages.next().expect("an age");
            assert_eq!(first, if skew < 0 { 3599 } else { 0 }, "nothing shows that it isn't kept");
            assert!(ages.all(|age| age == 0), "{skew}");
        }
    }

    /// H2: a clock that was set back is right after a minute. H1: what is kept for longer than that isn't.
    #[test]
    fn a_clock_that_is_set_back() {
        let mut dates = Dates::default();
        let mut seen = |second: u64, date: i64| age(&mut dates, second, date);
        assert_eq!((seen(10, 110), seen(12, 112)), (0, 0));
        for second in (14..74).step_by(2) {
            assert_eq!(seen(second, i64::try_from(second).expect("a second")), 99, "{second}");
        }
        assert_eq!((seen(74, 74), seen(76, 76), seen(78, 78)), (99, 0, 0));
        for second in (80..400).step_by(2) {
            assert_eq!(seen(second, 80), second.saturating_sub(81), "{second}");
        }
    }

    /// H1: a cache that says that it answered and not how old that is proves nothing.
    #[test]
    fn caches_that_name_themselves() {
        let now = Moment { mono: Mono::from_millis(1000), wall: Timestamp::from_millis(1000) };
        let head = |is_kept, age: Option<u64>| Head { is_kept, age: age.map(Duration::from_secs), ..Head::default() };
        let age = |head: Head| Dates::default().age(&head, now);
        assert_eq!(age(head(true, None)), Some(Duration::MAX));
        assert_eq!(age(head(true, Some(3))), Some(Duration::from_secs(3)));
        assert_eq!((age(head(true, Some(0))), age(head(false, None))), (None, None));
        assert_eq!(age(head(false, Some(3))), Some(Duration::from_secs(3)));
    }
}
