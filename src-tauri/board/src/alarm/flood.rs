//! Floods: more alarms than a person can take (ISA-18.2, EEMUA 191).
//!
//! A flood begins with more than ten alarms within ten minutes and lasts until there are fewer than five. It changes how alarms are
//! presented and announced, never what goes on record.

use std::{collections::VecDeque, time::Duration};

use watchfloor_model::Mono;

/// Over how long alarms are counted.
pub const SPAN: Duration = Duration::from_secs(600);
/// More than so many are a flood.
pub const BEGINS_ABOVE: u32 = 10;
/// It lasts until there are fewer than so many.
pub const ENDS_BELOW: u32 = 5;
/// What is counted together. So many seconds' alarms leave at once, up to that much too late.
const GRAIN: Duration = Duration::from_secs(1);

/// What became of a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloodChange {
    /// It has begun.
    Began {
        /// When.
        at: Mono,
    },
    /// It is over.
    Ended {
        /// When.
        at: Mono,
        /// How long it was.
        lasted: Duration,
        /// How many alarms there were in it, those that began it among them.
        total: u64,
        /// The most within ten minutes.
        peak: u32,
    },
}

/// Counts alarms as they are raised here. Bounded whatever comes (H5).
#[derive(Clone, Debug, Default)]
pub struct Flood {
    /// How many were raised from each instant on, for a second; oldest first.
    counts: VecDeque<(Mono, u32)>,
    sum: u32,
    flood: Option<Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    since: Mono,
    total: u64,
    peak: u32,
}

impl Flood {
    /// Since when there is one.
    #[must_use]
    pub fn since(&self) -> Option<Mono> {
        self.flood.map(|flood| flood.since)
    }

    /// How many alarms there were in it so far; nothing if there is none.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.flood.map_or(0, |flood| flood.total)
    }

    /// Alarms of the last ten minutes, as of the last that was told.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.sum
    }

    /// When it may be over, if no more come.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.flood?;
        let mut left = self.sum;
        let last = self.counts.iter().find(|(_, count)| {
            left = left.saturating_sub(*count);
            left < ENDS_BELOW
        });
        last.map(|(at, _)| at.plus(SPAN))
    }

    /// An alarm was raised.
    pub fn handle_raise(&mut self, now: Mono) -> Option<FloodChange> {
        let ended = self.handle_time(now);
        match self.counts.back_mut() {
            Some((at, count)) if now.since(*at) < GRAIN => *count = count.saturating_add(1),
            _ => self.counts.push_back((now, 1)),
        }
        self.sum = self.sum.saturating_add(1);
        if let Some(flood) = &mut self.flood {
            (flood.total, flood.peak) = (flood.total.saturating_add(1), flood.peak.max(self.sum));
            return ended;
        }
        if self.sum <= BEGINS_ABOVE {
            return ended;
        }
        self.flood = Some(Running { since: now, total: self.sum.into(), peak: self.sum });
        Some(FloodChange::Began { at: now })
    }

    /// Goes on after a start: alarms were raised here then, oldest first, before anything is told by this run. What they come to now is no news of
    /// that run's, and is for this one.
    pub fn resume(&mut self, raised: impl IntoIterator<Item = Mono>, now: Mono) -> Option<FloodChange> {
        for at in raised {
            let _told_then = self.handle_raise(at.min(now));
        }
        let _told_then = self.handle_time(now);
        self.flood.map(|flood| FloodChange::Began { at: flood.since })
    }

    /// Time has passed.
    pub fn handle_time(&mut self, now: Mono) -> Option<FloodChange> {
        while let Some((_, count)) = self.counts.front().filter(|(at, _)| now.since(*at) >= SPAN) {
            self.sum = self.sum.saturating_sub(*count);
            self.counts.pop_front();
        }
        let flood = self.flood.take_if(|_| self.sum < ENDS_BELOW)?;
        let Running { since, total, peak } = flood;
        Some(FloodChange::Ended { at: now, lasted: now.since(since), total, peak })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::from_millis(seconds * 1000)
    }

    #[test]
    fn begins_above_ten_and_ends_below_five() {
        let mut flood = Flood::default();
        for second in 0..10 {
            assert_eq!(flood.handle_raise(at(second)), None);
        }
        assert_eq!(flood.handle_raise(at(10)), Some(FloodChange::Began { at: at(10) }));
        assert_eq!(flood.poll_timeout(), Some(at(606)));
        assert_eq!(flood.handle_time(at(605)), None);
        let ended = FloodChange::Ended { at: at(606), lasted: Duration::from_secs(596), total: 11, peak: 11 };
        assert_eq!(flood.handle_time(at(606)), Some(ended));
        assert_eq!(flood.poll_timeout(), None);
    }

    #[test]
    fn is_bounded() {
        let mut flood = Flood::default();
        for step in 0..1_000_000_u64 {
            let _ = flood.handle_raise(Mono::from_millis(step * 3));
        }
        assert!(flood.counts.len() <= 601, "{}", flood.counts.len());
    }

    proptest! {
        /// H6: a flood goes on through a restart at any instant as if there had been none.
        #[test]
        fn a_start_goes_on_with_it(steps in proptest::collection::vec((0_u64..120, 0_u32..4), 1..60), cut in 0_usize..60) {
            let (mut through, mut before, mut now) = (Flood::default(), Vec::new(), 3_600);
            let mut resumed: Option<Flood> = None;
            for (number, (wait, raises)) in steps.iter().enumerate() {
                now += wait;
                let _ = through.handle_time(at(now));
                if number == cut {
                    let mut own = Flood::default();
                    let changed = own.resume(before.iter().copied().map(at), at(now));
                    prop_assert_eq!(changed.is_some(), through.since().is_some());
                    resumed = Some(own);
                }
                if let Some(own) = &mut resumed {
                    let _ = own.handle_time(at(now));
                }
                for _ in 0..*raises {
                    let changed = through.handle_raise(at(now));
                    match &mut resumed {
                        Some(own) => prop_assert_eq!(own.handle_raise(at(now)), changed),
                        None => before.push(now),
                    }
                }
                if let Some(own) = &resumed {
                    prop_assert_eq!((own.since(), own.count(), own.total()), (through.since(), through.count(), through.total()));
                }
            }
        }

        /// As a list of all of them says; at whole seconds the grain takes nothing away.
        #[test]
        fn as_a_list_says(gaps in prop::collection::vec(prop_oneof![0..30u64, 0..300u64], 1..200)) {
            let (mut flood, mut all, mut is_on, mut now) = (Flood::default(), Vec::new(), false, 0);
            for gap in gaps {
                now += gap;
                let changed = flood.handle_raise(at(now));
                let count = |all: &[u64], now: u64| all.iter().filter(|own| now - **own < SPAN.as_secs()).count();
                let was_over = is_on && count(&all, now) < ENDS_BELOW as usize;
                is_on &= !was_over;
                all.push(now);
                let begins = !is_on && count(&all, now) > BEGINS_ABOVE as usize;
                is_on |= begins;
                prop_assert_eq!(matches!(changed, Some(FloodChange::Began { .. })), begins);
                prop_assert_eq!(matches!(changed, Some(FloodChange::Ended { .. })), was_over && !begins);
                prop_assert_eq!(flood.since().is_some(), is_on);
                prop_assert_eq!(flood.count() as usize, count(&all, now));
                if let Some(end) = flood.poll_timeout() {
                    let end = end.as_micros() / 1_000_000;
                    prop_assert!(count(&all, end) < ENDS_BELOW as usize && count(&all, end - 1) >= ENDS_BELOW as usize);
                }
            }
        }
    }
}
