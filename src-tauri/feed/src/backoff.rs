//! When to try again: exponential, capped, with jitter over three quarters. What the server says is stronger.
//!
//! Each wait is drawn evenly from a quarter of its ceiling up to the ceiling, not from nothing on: walls that happened to draw
//! short waits would have drawn many more times than the others by the time the server is back, and the many with a low
//! ceiling would come at once, long before the few with a high one. `simulate --storm` in `tests/simulation` measures it.

use std::time::Duration;

use crate::{
    fault::Verdict,
    limits::{
        BACKOFF_BASE, BACKOFF_MAX, GOING_AWAY_SPREAD, REFUSED_RETRY, RETRY_AFTER_MAX, RETRY_AFTER_MIN, SSE_RETRY_MAX,
    },
    random::Random,
};

/// How many tries have failed, and what the server asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    /// The least time between tries that the server asked for by SSE's `retry:`.
    hint: Option<Duration>,
}

impl Backoff {
    /// The link was good for a while: the next failure is a first one.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// SSE `retry:` in milliseconds. Holds until the next one. Zero can't make a hot loop: the exponential part stays.
    pub(crate) fn set_hint(&mut self, millis: u64) {
        self.hint = Some(Duration::from_millis(millis).min(SSE_RETRY_MAX));
    }

    /// How long to wait after one more failure with `verdict`. `None`: for ever.
    pub(crate) fn next(&mut self, verdict: Verdict, random: &mut Random) -> Option<Duration> {
        let ceiling = self.ceiling();
        match verdict {
            Verdict::Backoff => {
                self.failures = self.failures.saturating_add(1);
                let least = self.hint.unwrap_or_default();
                // The spread grows with the hint, or walls that were told the same would come together.
                let ceiling = ceiling.max(least / 2);
                let quarter = if least.is_zero() { ceiling / 4 } else { Duration::ZERO };
                Some(least + quarter + random.up_to(ceiling - quarter))
            }
            Verdict::Soon => {
                self.failures = self.failures.saturating_add(1);
                Some(random.up_to(GOING_AWAY_SPREAD.max(ceiling)))
            }
            Verdict::After(span) => {
                self.failures = self.failures.saturating_add(1);
                let span = span.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX);
                Some(span + random.up_to(span / 4))
            }
            Verdict::Slow | Verdict::Refused => Some(REFUSED_RETRY * 3 / 4 + random.up_to(REFUSED_RETRY / 2)),
            Verdict::Never => None,
        }
    }

    fn ceiling(&self) -> Duration {
        BACKOFF_BASE.saturating_mul(1_u32.checked_shl(self.failures.min(31)).unwrap_or(u32::MAX)).min(BACKOFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(count: u32, verdict: Verdict, prepare: impl Fn(&mut Backoff)) -> Vec<Duration> {
        (0..count)
            .map(|seed| {
                let mut backoff = Backoff::default();
                prepare(&mut backoff);
                backoff.next(verdict, &mut Random::new(u64::from(seed))).expect("a wait")
            })
            .collect()
    }

    fn fail(times: u32) -> impl Fn(&mut Backoff) {
        move |backoff| {
            for _ in 0..times {
                backoff.next(Verdict::Backoff, &mut Random::new(0));
            }
        }
    }

    /// Ten thousand walls: each try is spread evenly from a quarter of a ceiling up to it, and the ceiling doubles up to the cap.
    #[test]
    fn jitter_doubles_to_the_cap() {
        for (failures, ceiling_ms) in [(0, 250), (1, 500), (2, 1000), (6, 16_000), (7, 30_000), (60, 30_000)] {
            let waits = waits(10_000, Verdict::Backoff, fail(failures));
            let ceiling = Duration::from_millis(ceiling_ms);
            let mean = waits.iter().sum::<Duration>() / 10_000;
            assert!(waits.iter().all(|wait| *wait <= ceiling && *wait >= ceiling / 4), "{failures}");
            assert!(mean > ceiling * 60 / 100 && mean < ceiling * 65 / 100, "{failures}: {mean:?}");
            let tenth = waits.iter().filter(|wait| **wait < ceiling / 4 + ceiling * 3 / 40).count();
            assert!((900..1100).contains(&tenth), "{failures}: {tenth}");
        }
    }

    #[test]
    fn the_servers_word_is_stronger() {
        let seconds = Duration::from_secs;
        for (verdict, least, most) in [
            (Verdict::After(seconds(7)), seconds(7), seconds(9)),
            (Verdict::After(seconds(0)), seconds(1), seconds(2)),
            (Verdict::After(seconds(1_000_000)), seconds(3600), seconds(4500)),
            (Verdict::Soon, seconds(0), seconds(2)),
            (Verdict::Slow, seconds(45), seconds(75)),
            (Verdict::Refused, seconds(45), seconds(75)),
        ] {
            let waits = waits(1000, verdict, |_| ());
            assert!(waits.iter().all(|wait| *wait >= least && *wait <= most), "{verdict:?}");
            let spread = *waits.iter().max().expect("some") - *waits.iter().min().expect("some");
            assert!(spread > (most - least) / 5, "{verdict:?}: {spread:?}");
        }
        assert_eq!(Backoff::default().next(Verdict::Never, &mut Random::new(0)), None);
    }

    #[test]
    fn sse_retry_is_a_floor_and_never_a_hot_loop() {
        let slow = waits(1000, Verdict::Backoff, |backoff| backoff.set_hint(3000));
        assert!(slow.iter().all(|wait| *wait >= Duration::from_secs(3) && *wait <= Duration::from_millis(4500)));
        let zero = waits(1000, Verdict::Backoff, |backoff| {
            backoff.set_hint(0);
            fail(10)(backoff);
        });
        assert!(zero.iter().sum::<Duration>() / 1000 > Duration::from_secs(10));
        let huge = waits(10, Verdict::Backoff, |backoff| backoff.set_hint(u64::MAX));
        assert!(huge.iter().all(|wait| *wait <= SSE_RETRY_MAX * 3 / 2));
    }

    #[test]
    fn begins_again_after_a_good_while() {
        let waits = waits(100, Verdict::Backoff, |backoff| {
            fail(20)(backoff);
            backoff.reset();
        });
        assert!(waits.iter().all(|wait| *wait <= BACKOFF_BASE));
    }
}
