//! On-delay and off-delay: from what a condition says over the source's time to what the machine is told.
//!
//! A delay runs by the source's clock, so a replay decides as the time itself did, whenever it is told of it. What isn't known stops the delay and doesn't
//! begin it anew: what had held for eight of ten seconds before a link was lost needs two more afterwards.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchfloor_model::Timestamp;

use super::condition::Truth;

/// For how long a condition must say something before it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Delays {
    /// Until it is raised.
    pub on: Duration,
    /// Until it is cleared.
    pub off: Duration,
}

/// What a condition has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whether it holds now.
    pub holds: bool,
    /// When, by the source's clock: never later than it is told.
    pub at: Timestamp,
    /// When it first said so, without the delay.
    pub since: Timestamp,
}

/// How far a condition is on its way to another answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    holds: bool,
    /// When it first said otherwise.
    first: Option<Timestamp>,
    /// Since when it has said so without a break.
    since: Option<Timestamp>,
    /// For how long it had before the break.
    gathered: Duration,
}

impl Delay {
    /// Of a condition that holds already, or doesn't, by what is on record.
    #[must_use]
    pub const fn of(holds: bool) -> Self {
        Self { holds, first: None, since: None, gathered: Duration::ZERO }
    }

    /// Whether the condition holds, delays counted in.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.holds
    }

    /// When it turns if nothing else comes, by the source's clock.
    #[must_use]
    pub fn due(&self, delays: Delays) -> Option<Timestamp> {
        let wanted = if self.holds { delays.off } else { delays.on };
        Some(self.since?.plus(wanted.saturating_sub(self.gathered)))
    }

    /// It is `at`, and nothing else has come. At most one turn is due.
    pub fn handle_time(&mut self, at: Timestamp, delays: Delays) -> Option<Turn> {
        let due = self.due(delays).filter(|due| *due <= at)?;
        let since = self.first.unwrap_or(due);
        *self = Self { holds: !self.holds, ..Self::default() };
        Some(Turn { holds: self.holds, at: due, since })
    }

    /// The condition says this from `at` on. What came due until then comes first; so there may be two turns.
    pub fn handle(&mut self, truth: Truth, at: Timestamp, delays: Delays) -> [Option<Turn>; 2] {
        let before = self.handle_time(at, delays);
        match truth {
            Truth::Unknown(_) => {
                if let Some(since) = self.since.take() {
                    self.gathered += at.since(since);
                }
            }
            Truth::Yes | Truth::No if (truth == Truth::Yes) == self.holds => {
                *self = Self { holds: self.holds, ..Self::default() };
            }
            // Also where the clock was set back: what lies before is kept.
            Truth::Yes | Truth::No => match self.since {
                Some(since) if since <= at => {}
                _ => {
                    self.since = Some(at);
                    self.first = self.first.or(Some(at)).min(Some(at));
                }
            },
        }
        [before, self.handle_time(at, delays)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alarm::condition::Why;

    const UNKNOWN: Truth = Truth::Unknown(Why::NoValue);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn delays(on: u64, off: u64) -> Delays {
        Delays { on: Duration::from_millis(on), off: Duration::from_millis(off) }
    }

    fn turns(delay: &mut Delay, truth: Truth, millis: i64, delays: Delays) -> Vec<(bool, i64)> {
        let turns = delay.handle(truth, at(millis), delays).into_iter().flatten();
        turns.map(|turn| (turn.holds, turn.at.as_millis())).collect()
    }

    #[test]
    fn what_does_not_last_does_not_count() {
        let (mut delay, wanted) = (Delay::default(), delays(10, 20));
        assert!(turns(&mut delay, Truth::Yes, 0, wanted).is_empty());
        assert!(turns(&mut delay, Truth::No, 9, wanted).is_empty());
        assert!(turns(&mut delay, Truth::Yes, 12, wanted).is_empty());
        assert_eq!(delay.due(wanted), Some(at(22)));
        // Told late, and of what has come since: at its own time, and both.
        assert_eq!(turns(&mut delay, Truth::No, 30, wanted), [(true, 22)]);
        assert_eq!(turns(&mut delay, Truth::No, 60, wanted), [(false, 50)]);
        assert_eq!(turns(&mut delay, Truth::Yes, 60, delays(0, 0)), [(true, 60)]);
    }

    /// H6: an outage neither counts as time nor takes away what had passed.
    #[test]
    fn what_is_not_known_stops_it() {
        let (mut delay, wanted) = (Delay::default(), delays(10, 0));
        assert!(turns(&mut delay, Truth::Yes, 0, wanted).is_empty());
        assert!(turns(&mut delay, UNKNOWN, 8, wanted).is_empty());
        assert_eq!(delay.due(wanted), None);
        assert!(turns(&mut delay, Truth::Yes, 1_000, wanted).is_empty());
        let [turn, _] = delay.handle(Truth::Yes, at(1_005), wanted);
        assert_eq!(turn, Some(Turn { holds: true, at: at(1_002), since: at(0) }));
    }

    /// The reference: a counter for each millisecond.
    fn reference(story: &[(Truth, i64)], end: i64, wanted: Delays) -> Vec<(bool, i64)> {
        let (mut holds, mut counted, mut turns) = (false, 0, Vec::new());
        let (mut truth, mut next) = (UNKNOWN, 0);
        let mut settle = |truth: Truth, now: i64, holds: &mut bool, counted: &mut u128| {
            let limit = if *holds { wanted.off } else { wanted.on }.as_millis();
            if truth == (if *holds { Truth::No } else { Truth::Yes }) && *counted >= limit {
                (*holds, *counted) = (!*holds, 0);
                turns.push((*holds, now));
            }
        };
        for now in 0..=end {
            settle(truth, now, &mut holds, &mut counted);
            while let Some((told, _)) = story.get(next).filter(|(_, at)| *at == now) {
                truth = *told;
                next += 1;
                if truth == (if holds { Truth::Yes } else { Truth::No }) {
                    counted = 0;
                }
                settle(truth, now, &mut holds, &mut counted);
            }
            counted += u128::from(truth == (if holds { Truth::No } else { Truth::Yes }));
        }
        turns
    }

    proptest! {
        /// H3, H6: however often it is asked in between, it turns when a clock of each millisecond says.
        #[test]
        fn as_counted(
            steps in prop::collection::vec((prop::sample::select(vec![Truth::Yes, Truth::No, UNKNOWN]), 0..15i64, any::<bool>()), 1..30),
            on in 0..20u64,
            off in 0..20u64,
        ) {
            let wanted = delays(on, off);
            let (mut delay, mut now, mut story, mut own) = (Delay::default(), 0, Vec::new(), Vec::new());
            for (truth, later, is_asked) in steps {
                now += later;
                if is_asked {
                    own.extend(delay.handle_time(at(now), wanted).map(|turn| (turn.holds, turn.at.as_millis())));
                }
                own.extend(turns(&mut delay, truth, now, wanted));
                story.push((truth, now));
            }
            own.extend(delay.handle_time(at(now + 100), wanted).map(|turn| (turn.holds, turn.at.as_millis())));
            prop_assert_eq!(own, reference(&story, now + 100, wanted));
        }
    }
}
