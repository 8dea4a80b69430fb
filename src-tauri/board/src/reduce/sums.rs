//! Counts, sums and extremes of events.

use serde::{Deserialize, Serialize};

use super::buckets::{EVENTS_MAX, Tally};

/// What of one event goes into [`Sums`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) value: f64,
    /// Whether it belongs to the counted part of a share.
    pub(crate) hit: bool,
}

/// Of any number of events: how many, how many hits, the sum, the least and the greatest value.
///
/// Without events the extremes are without meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, f64, f64, f64)", into = "(u64, u64, f64, f64, f64)")]
pub(crate) struct Sums {
    pub(crate) n: u64,
    pub(crate) hits: u64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl From<(u64, u64, f64, f64, f64)> for Sums {
    fn from((n, hits, sum, min, max): (u64, u64, f64, f64, f64)) -> Self {
        Self { n, hits, sum, min, max }
    }
}

impl From<Sums> for (u64, u64, f64, f64, f64) {
    fn from(sums: Sums) -> Self {
        (sums.n, sums.hits, sums.sum, sums.min, sums.max)
    }
}

impl Sums {
    /// One more event, the first one included.
    pub(crate) fn add_any(&mut self, sample: &Sample) {
        self.merge(&Self::of(sample));
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        ratio(self.sum, self.n)
    }

    pub(crate) fn share(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss)] // far below 2^53 events
        ratio(self.hits as f64, self.n)
    }
}

#[allow(clippy::cast_precision_loss)] // far below 2^53 events
fn ratio(part: f64, n: u64) -> Option<f64> {
    (n > 0).then(|| part / n as f64)
}

impl Tally for Sums {
    type Item = Sample;

    fn of(item: &Sample) -> Self {
        Self { n: 1, hits: u64::from(item.hit), sum: item.value, min: item.value, max: item.value }
    }

    fn add(&mut self, item: &Sample) {
        self.merge(&Self::of(item));
    }

    fn merge(&mut self, later: &Self) {
        if self.n == 0 {
            *self = *later;
        } else if later.n > 0 {
            self.n = self.n.saturating_add(later.n);
            self.hits = self.hits.saturating_add(later.hits);
            self.sum += later.sum;
            self.min = self.min.min(later.min);
            self.max = self.max.max(later.max);
        }
    }

    fn is_sound(&self) -> bool {
        (1..=EVENTS_MAX).contains(&self.n) && self.hits <= self.n && self.sum.is_finite() && self.min <= self.max
    }
}
