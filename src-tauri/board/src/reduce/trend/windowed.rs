//! The trend of a sliding window: at each point the number of the window that ended there.

use serde::{Deserialize, Serialize};

use super::{Ring, SLOTS};
use crate::reduce::{
    Ms,
    buckets::Buckets,
    ceil_to,
    sliding::{ENTRIES_MAX, Measure},
};

/// Most buckets of a trend and the window before it.
const BUCKETS_MAX: Ms = 2048;
/// Buckets of a future that should not be there.
const AHEAD_MAX: Ms = SLOTS;

/// What the trend of a window must know.
pub(crate) struct WindowedConfig<S> {
    pub(crate) last: Ms,
    pub(crate) stat: S,
    /// Length of a bucket.
    width: Ms,
    buckets_max: usize,
}

impl<S> WindowedConfig<S> {
    /// Points and windows end where buckets do if the window is a multiple of a not too small part of the slot, which it
    /// is for all usual lengths; otherwise a window's far edge is as coarse as a slot.
    pub(crate) fn new(slot: Ms, last: Ms, stat: S) -> Self {
        let reach = SLOTS.saturating_mul(slot).saturating_add(last);
        let exact = gcd(slot, last);
        let width = if reach / exact <= BUCKETS_MAX { exact } else { ceil_to((reach / BUCKETS_MAX).max(1), slot) };
        Self { last, stat, width, buckets_max: usize::try_from(reach / width + AHEAD_MAX).unwrap_or(usize::MAX) }
    }
}

fn gcd(a: Ms, b: Ms) -> Ms {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What came in each stretch of the trend and the window before it.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Windowed<T> {
    ring: Buckets<T>,
    #[serde(skip)]
    entries: usize,
}

impl<T> Default for Windowed<T> {
    fn default() -> Self {
        Self { ring: Buckets::default(), entries: 0 }
    }
}

impl<T: Measure + Serialize + for<'de> Deserialize<'de>> Ring for Windowed<T> {
    type Config = WindowedConfig<T::Stat>;
    type Item = T::Item;

    fn add(&mut self, config: &mut Self::Config, at: Ms, item: &T::Item, first: Option<Ms>) {
        let end = ceil_to(at, config.width);
        if first.is_some_and(|first| end <= first - config.last) {
            return;
        }
        self.entries += self.ring.add(end, item).entries;
        while self.ring.len() > config.buckets_max || (self.entries > ENTRIES_MAX && self.ring.len() > 1) {
            if let Some((_, oldest)) = self.ring.pop() {
                self.entries -= oldest.entries();
            }
        }
    }

    fn forget(&mut self, config: &mut Self::Config, first: Ms) {
        while let Some((_, oldest)) = self.ring.pop_until(first - config.last) {
            self.entries -= oldest.entries();
        }
    }

    fn read(&self, config: &Self::Config, points: impl Iterator<Item = Ms>) -> Vec<Option<f64>> {
        let mut total = T::Total::default();
        let (mut from, mut to) = (0, 0);
        points
            .map(|point| {
                while let Some((_, next)) = self.ring.get(to).filter(|(end, _)| *end <= point) {
                    next.enter(&mut total);
                    to += 1;
                }
                while let Some((_, next)) = self.ring.get(from).filter(|(end, _)| *end <= point - config.last) {
                    next.leave(&mut total);
                    from += 1;
                }
                T::read(config.stat, &total, self.ring.range(from, to))
            })
            .collect()
    }

    fn check(&mut self, config: &Self::Config) -> Result<(), String> {
        self.ring.check(config.buckets_max)?;
        self.entries = self.ring.entries();
        if self.entries > ENTRIES_MAX {
            return Err(format!("{} entries, the limit is {ENTRIES_MAX}", self.entries));
        }
        Ok(())
    }
}
