//! The trend of a counter: at each point what had come since the reset before it.

use serde::{Deserialize, Serialize};

use super::{Ring, SLOTS};
use crate::reduce::{
    Ms,
    buckets::{Buckets, Tally},
    ceil_to,
    days::{ALWAYS, Days, Period},
    sums::{Sample, Sums},
};

/// Most buckets: what is in the trend's span, resets, and as much of a future that should not be there.
const BUCKETS_MAX: usize = 4 * SLOTS as usize;

/// What the trend of a counter must know.
pub(crate) struct RunningConfig {
    pub(crate) slot: Ms,
    /// When it is reset, if ever.
    pub(crate) days: Option<Days>,
    /// Which number.
    pub(crate) read: fn(&Sums) -> Option<f64>,
}

impl RunningConfig {
    fn period(&mut self, at: Ms) -> Period {
        self.days.as_mut().map_or(ALWAYS, |days| days.period(at))
    }
}

/// What came in each slot. No bucket reaches over a reset: a slot with one in it has two.
#[derive(Serialize, Deserialize)]
pub(crate) struct Running {
    /// What came before the first point, since the reset that is named in `base_from`.
    base: Sums,
    base_from: Ms,
    ring: Buckets<Sums>,
}

impl Default for Running {
    fn default() -> Self {
        Self { base: Sums::default(), base_from: ALWAYS.0, ring: Buckets::default() }
    }
}

impl Ring for Running {
    type Config = RunningConfig;
    type Item = Sample;

    fn add(&mut self, config: &mut RunningConfig, at: Ms, item: &Sample, first: Option<Ms>) {
        let period = config.period(at);
        let end = ceil_to(at, config.slot).min(period.1 - 1);
        if first.is_some_and(|first| end <= first) {
            self.keep(period, &Sums::of(item));
            return;
        }
        self.ring.add(end, item);
        if self.ring.len() > BUCKETS_MAX
            && let Some((end, oldest)) = self.ring.pop()
        {
            self.keep(config.period(end), &oldest);
        }
    }

    fn forget(&mut self, config: &mut RunningConfig, first: Ms) {
        while let Some((end, oldest)) = self.ring.pop_until(first) {
            self.keep(config.period(end), &oldest);
        }
    }

    fn read(&self, config: &RunningConfig, points: impl Iterator<Item = Ms>) -> Vec<Option<f64>> {
        let mut days = config.days.clone();
        let mut ring = self.ring.iter().peekable();
        let mut from = None;
        let mut sums = Sums::default();
        points
            .map(|point| {
                let start = days.as_mut().map_or(ALWAYS, |days| days.period(point)).0;
                if from != Some(start) {
                    from = Some(start);
                    sums = if self.base_from == start { self.base } else { Sums::default() };
                }
                while let Some((end, next)) = ring.next_if(|(end, _)| *end <= point) {
                    if *end >= start {
                        sums.merge(next);
                    }
                }
                (config.read)(&sums)
            })
            .collect()
    }

    fn check(&mut self, _: &RunningConfig) -> Result<(), String> {
        self.ring.check(BUCKETS_MAX)?;
        if self.base.n > 0 && !self.base.is_sound() {
            return Err("impossible sums before the trend".to_owned());
        }
        Ok(())
    }
}

impl Running {
    fn keep(&mut self, period: Period, older: &Sums) {
        if period.0 > self.base_from {
            self.base = *older;
            self.base_from = period.0;
        } else if period.0 == self.base_from {
            self.base.merge(older);
        }
    }
}
