//! Which alarms were heard of late: they were raised while a source was lost.
//!
//! An alarm is raised by its source's clock and decided by this machine's. The two may be years apart, as in a replay, so neither is held against
//! the other: a loss is known by both, and what happened within it by the one is placed within it by the other.

use crate::frame::Outage;

/// What is heard so much later than it happened is late, in milliseconds.
pub const LATE_MS: i64 = 60_000;

/// When sources were lost.
#[derive(Clone, Debug, Default)]
pub struct Losses(Vec<Outage>);

impl Losses {
    /// These.
    #[must_use]
    pub const fn new(outages: Vec<Outage>) -> Self {
        Self(outages)
    }

    /// The loss, by its number, during which something happened that was decided a minute or more later. `event` is by the source's clock.
    #[must_use]
    pub fn behind(&self, event: i64, decided: i64) -> Option<usize> {
        self.0.iter().position(|loss| {
            let is_then = decided >= loss.began_ms && decided <= end(loss).saturating_add(LATE_MS);
            is_then && placed(loss, event).is_some_and(|at| decided.saturating_sub(at) >= LATE_MS)
        })
    }
}

fn end(loss: &Outage) -> i64 {
    loss.ended_ms.unwrap_or(i64::MAX)
}

/// When something happened by this machine's clock, if it was during the loss.
fn placed(loss: &Outage, event: i64) -> Option<i64> {
    let (began, ended) = (loss.began_ms, end(loss));
    let (from, to) = match (loss.source_began_ms, loss.source_ended_ms) {
        (Some(from), Some(to)) => (from, to),
        // Of one that lasts, or whose source doesn't say what time it is, only this machine's clock tells.
        _ => (began, ended),
    };
    if event <= from || event > to {
        return None;
    }
    // Both go on evenly meanwhile, whatever the speed.
    let share = event.saturating_sub(from) as f64 / to.saturating_sub(from) as f64;
    #[allow(clippy::cast_possible_truncation)] // a share of a span of milliseconds
    let by = (share * ended.saturating_sub(began) as f64) as i64;
    Some(began.saturating_add(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss of ten minutes; the source's clock is another one, and may go at another speed.
    fn loss(source: Option<(i64, i64)>) -> Losses {
        Losses::new(vec![Outage {
            source: "ops".into(),
            began_ms: 1_000_000,
            ended_ms: Some(1_600_000),
            source_began_ms: source.map(|(from, _)| from),
            source_ended_ms: source.map(|(_, to)| to),
            cause: String::new(),
            became: None,
            missed: None,
        }])
    }

    /// What happened within a loss is late, whatever the source's clock says and however fast it goes; what happened at its end isn't.
    #[test]
    fn what_happened_within_a_loss_is_late() {
        for (source, scale, from) in
            [(None, 1, 1_000_000), (Some((50_000, 650_000)), 1, 50_000), (Some((-7, 36_000_000 - 7)), 60, -7)]
        {
            let losses = loss(source);
            let of = |second: i64, decided: i64| losses.behind(from + second * 1000 * scale, decided);
            assert_eq!(of(100, 1_600_000), Some(0), "{source:?}");
            assert_eq!(of(100, 1_599_000), Some(0), "while it is caught up with: {source:?}");
            assert_eq!(of(580, 1_600_000), None, "only just: {source:?}");
            assert_eq!(of(700, 1_700_000), None, "after it: {source:?}");
            assert_eq!(of(-5, 1_000_500), None, "before it: {source:?}");
            assert_eq!(of(100, 1_700_000), None, "decided for another reason: {source:?}");
        }
    }

    /// A source whose clock is behind this machine's is not late for that.
    #[test]
    fn a_clock_that_is_behind_is_not_late() {
        assert_eq!(Losses::default().behind(0, 1_600_000), None);
        assert_eq!(loss(None).behind(400_000, 1_000_010), None);
    }
}
