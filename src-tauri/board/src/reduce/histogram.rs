//! Numbers by size, for percentiles within 1 %.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::buckets::{EVENTS_MAX, Tally};

/// How far a percentile may lie off, relative to its size. A little under the promised 1 %, to leave rounding room.
const ERROR_MAX: f64 = 0.009_9;
/// Bins of numbers of either sign lie this far from zero, so that bin 0 is zero's own.
const BIN_OFFSET: i32 = 100_000;

/// How many numbers there are of each size, and the extremes.
///
/// A bin holds the numbers between two powers of γ = (1 + e) / (1 - e); any of them is within e of the bin's middle
/// (as in `DDSketch`, Masson, Rim, Lee, VLDB 2019). All finite numbers together have about 143,000 bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    /// Bin and count, in order of bin.
    bins: Vec<(i32, u64)>,
    min: f64,
    max: f64,
}

/// The counts of several histograms together.
pub(crate) type BinCounts = BTreeMap<i32, u64>;

impl Histogram {
    pub(crate) fn bins(&self) -> &[(i32, u64)] {
        &self.bins
    }

    fn count(&mut self, bin: i32, n: u64) {
        // Few bins: numbers that come together are of similar size.
        match self.bins.binary_search_by_key(&bin, |(own, _)| *own) {
            Ok(at) => self.bins[at].1 = self.bins[at].1.saturating_add(n),
            Err(at) => self.bins.insert(at, (bin, n)),
        }
    }
}

impl Tally for Histogram {
    type Item = f64;

    fn of(item: &f64) -> Self {
        Self { bins: vec![(bin_of(*item), 1)], min: *item, max: *item }
    }

    fn add(&mut self, item: &f64) {
        self.count(bin_of(*item), 1);
        self.min = self.min.min(*item);
        self.max = self.max.max(*item);
    }

    fn merge(&mut self, later: &Self) {
        for (bin, n) in &later.bins {
            self.count(*bin, *n);
        }
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
    }

    fn entries(&self) -> usize {
        self.bins.len()
    }

    fn is_sound(&self) -> bool {
        let in_order = self.bins.is_sorted_by(|a, b| a.0 < b.0);
        let in_range = self
            .bins
            .iter()
            .all(|(bin, n)| bin.unsigned_abs() <= 2 * BIN_OFFSET.unsigned_abs() && (1..=EVENTS_MAX).contains(n));
        !self.bins.is_empty() && in_order && in_range && self.min <= self.max
    }
}

/// The number at `part` (0 to 1) of all, by nearest rank, and never outside the extremes of `histograms`, of which
/// `counts` is the sum.
pub(crate) fn percentile<'a>(
    counts: &BinCounts,
    histograms: impl Iterator<Item = &'a Histogram>,
    part: f64,
) -> Option<f64> {
    let total: u64 = counts.values().sum();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // a rank between 1 and the number of events, which is far below 2^53
    let rank = ((part * total as f64).ceil() as u64).clamp(1, total.max(1));
    let mut seen = 0;
    let bin = counts.iter().find_map(|(bin, n)| {
        seen += n;
        (seen >= rank).then_some(*bin)
    })?;
    let (min, max) =
        histograms.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), next| (min.min(next.min), max.max(next.max)));
    // The extremes are exact, so a percentile of equal numbers is exact as well.
    Some(if min <= max { middle_of(bin).clamp(min, max) } else { middle_of(bin) })
}

fn gamma() -> f64 {
    (1.0 + ERROR_MAX) / (1.0 - ERROR_MAX)
}

fn bin_of(value: f64) -> i32 {
    if value == 0.0 {
        return 0;
    }
    #[allow(clippy::cast_possible_truncation)] // within ±72,000 for every finite number
    let power = (value.abs().ln() / gamma().ln()).ceil() as i32;
    if value > 0.0 { BIN_OFFSET + power } else { -BIN_OFFSET - power }
}

fn middle_of(bin: i32) -> f64 {
    if bin == 0 {
        return 0.0;
    }
    let size = gamma().powi(bin.abs() - BIN_OFFSET) * 2.0 / (gamma() + 1.0);
    size.copysign(f64::from(bin))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn every_number_is_within_a_percent_of_its_bin(value in prop_oneof![-1e290..1e290, -1e3..1e3, -1e-9..1e-9]) {
            let middle = middle_of(bin_of(value));
            prop_assert!((middle - value).abs() <= value.abs() * 0.01, "{value} {middle}");
        }

        #[test]
        fn bins_are_in_the_order_of_numbers(a in -1e9..1e9, b in -1e9..1e9) {
            prop_assert_eq!(a < b && bin_of(a) > bin_of(b), false);
        }
    }
}
