//! How many numbers lie in each bin of a scale.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    buckets::{EVENTS_MAX, Tally},
    histogram::{BinCounts, Histogram, percentile},
    sliding::Measure,
};
use crate::config::spec::HistogramStat;

/// Bins of equal width side by side: a value at a limit is in the upper one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bins {
    pub(crate) min: f64,
    pub(crate) width: f64,
    pub(crate) count: u16,
}

impl Bins {
    /// The lower limit of a bin from 1 on, which is the upper one of that before it.
    pub(crate) fn limit(&self, bin: u16) -> f64 {
        // As a part of the whole: a tenth three times over is more than three tenths.
        self.min + self.width * f64::from(self.count) * f64::from(bin.saturating_sub(1)) / f64::from(self.count)
    }

    /// Below the scale 0, else the number of its bin from 1 on; above the scale one more than there are.
    pub(crate) fn of(&self, value: f64) -> u16 {
        let above = self.count + 1;
        if value < self.min {
            return 0;
        }
        if value >= self.limit(above) {
            return above;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // between 0 and the count, which a cast holds to
        let guess = (((value - self.min) / self.width) as u16 + 1).min(self.count);
        // A division rounds; the limits are what is said.
        if value < self.limit(guess) {
            guess - 1
        } else if value >= self.limit(guess + 1) {
            guess + 1
        } else {
            guess
        }
    }
}

/// A number, and the bin that it lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) bin: u16,
    pub(crate) value: f64,
    /// Whether percentiles are asked for.
    pub(crate) sized: bool,
}

/// Of the numbers of one stretch of time: how many there are in each bin, their sum, and for percentiles their sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Binned {
    /// Bin and count, in order of bin.
    bins: Vec<(u16, u64)>,
    sum: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sizes: Option<Histogram>,
}

impl Binned {
    fn count(&mut self, bin: u16, n: u64) {
        match self.bins.binary_search_by_key(&bin, |(own, _)| *own) {
            Ok(at) => self.bins[at].1 = self.bins[at].1.saturating_add(n),
            Err(at) => self.bins.insert(at, (bin, n)),
        }
    }

    fn n(&self) -> u64 {
        self.bins.iter().map(|(_, n)| n).sum()
    }

    /// Whether its bins are those of such a scale, and its sizes there if they should be: what is restored comes from outside.
    pub(crate) fn fits(&self, bins: &Bins, sized: bool) -> bool {
        self.bins.last().is_some_and(|(bin, _)| *bin <= bins.count + 1) && self.sizes.is_some() == sized
    }
}

impl Tally for Binned {
    type Item = Counted;

    fn of(item: &Counted) -> Self {
        let sizes = item.sized.then(|| Histogram::of(&item.value));
        Self { bins: vec![(item.bin, 1)], sum: item.value, sizes }
    }

    fn add(&mut self, item: &Counted) {
        self.count(item.bin, 1);
        self.sum += item.value;
        if let Some(sizes) = &mut self.sizes {
            sizes.add(&item.value);
        }
    }

    fn merge(&mut self, later: &Self) {
        for (bin, n) in &later.bins {
            self.count(*bin, *n);
        }
        self.sum += later.sum;
        if let (Some(sizes), Some(later)) = (&mut self.sizes, &later.sizes) {
            sizes.merge(later);
        }
    }

    fn entries(&self) -> usize {
        self.bins.len() + self.sizes.as_ref().map_or(0, Tally::entries)
    }

    fn is_sound(&self) -> bool {
        let in_order = self.bins.is_sorted_by(|a, b| a.0 < b.0);
        let in_range = self.bins.iter().all(|(_, n)| (1..=EVENTS_MAX).contains(n));
        let sized = self.sizes.as_ref().is_none_or(Tally::is_sound);
        !self.bins.is_empty() && in_order && in_range && self.sum.is_finite() && sized
    }
}

/// Of all that is counted: how many there are in each bin, and of each size.
#[derive(Clone, Debug, Default)]
pub(crate) struct BinTotal {
    pub(crate) bins: BTreeMap<u16, u64>,
    sizes: BinCounts,
}

impl Measure for Binned {
    type Total = BinTotal;
    type Stat = HistogramStat;

    fn enter(&self, total: &mut BinTotal) {
        for (bin, n) in &self.bins {
            *total.bins.entry(*bin).or_default() += n;
        }
        if let Some(sizes) = &self.sizes {
            sizes.enter(&mut total.sizes);
        }
    }

    fn leave(&self, total: &mut BinTotal) {
        for (bin, n) in &self.bins {
            if let Some(count) = total.bins.get_mut(bin) {
                *count -= n;
                if *count == 0 {
                    total.bins.remove(bin);
                }
            }
        }
        if let Some(sizes) = &self.sizes {
            sizes.leave(&mut total.sizes);
        }
    }

    fn note(item: &Counted, _: bool, total: &mut BinTotal) {
        Self::of(item).enter(total);
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^53 events
    fn read<'a>(stat: HistogramStat, total: &BinTotal, tallies: impl Iterator<Item = &'a Self>) -> Option<f64> {
        match stat.part() {
            Some(part) => percentile(&total.sizes, tallies.filter_map(|tally| tally.sizes.as_ref()), part),
            None => {
                let (n, sum) = tallies.fold((0, 0.0), |(n, sum), tally| (n + tally.n(), sum + tally.sum));
                (n > 0).then(|| sum / n as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_at_a_limit_is_in_the_upper_bin() {
        let bins = Bins { min: 0.0, width: 0.1, count: 10 };
        assert_eq!((bins.of(-1e-300), bins.of(0.0), bins.of(0.3), bins.of(0.299_999), bins.of(1.0)), (0, 1, 4, 3, 11));
        assert_eq!((bins.of(-1e290), bins.of(1e290)), (0, 11));
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        /// Whatever the scale: a value lies between the limits of its bin.
        #[test]
        fn bins_hold_what_is_in_them(min in -1e6..1e6, width in 1e-6..1e6, count in 1..100_u16, part in -0.2..1.2) {
            let bins = Bins { min, width, count };
            let value = min + part * width * f64::from(count);
            let bin = bins.of(value);
            prop_assert!(bin == 0 || bins.limit(bin) <= value, "{bin}");
            prop_assert!(bin > count || value < bins.limit(bin + 1), "{bin}");
        }
    }
}
