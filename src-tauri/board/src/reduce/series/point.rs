//! One point of a chart.

use serde::{Deserialize, Serialize};

use crate::{config::spec::SeriesStat, reduce::Ms};

/// What is kept of a bucket's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct Point {
    n: u64,
    sum: f64,
    min: f64,
    max: f64,
    /// The time of the newest event and its value.
    last: (Ms, f64),
}

/// A point as JSON: a list, for there are many.
type Stored = (u64, f64, f64, f64, Ms, f64);

impl From<Stored> for Point {
    fn from((n, sum, min, max, at, last): Stored) -> Self {
        Self { n, sum, min, max, last: (at, last) }
    }
}

impl From<Point> for Stored {
    fn from(point: Point) -> Self {
        (point.n, point.sum, point.min, point.max, point.last.0, point.last.1)
    }
}

impl Point {
    pub(super) const fn of(value: f64, at: Ms) -> Self {
        Self { n: 1, sum: value, min: value, max: value, last: (at, value) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.n == 0
    }

    pub(super) fn merge(&mut self, later: &Self) {
        if self.n == 0 {
            *self = *later;
        } else if later.n > 0 {
            self.n = self.n.saturating_add(later.n);
            self.sum += later.sum;
            self.min = self.min.min(later.min);
            self.max = self.max.max(later.max);
            if later.last.0 >= self.last.0 {
                self.last = later.last;
            }
        }
    }

    /// The number asked for. Where nothing happened, the count and the sum are zero, and the others are nothing.
    #[allow(clippy::cast_precision_loss)] // far below 2^53 events
    pub(super) fn read(&self, stat: SeriesStat) -> Option<f64> {
        let some = |value: f64| (self.n > 0).then_some(value);
        match stat {
            SeriesStat::Count => Some(self.n as f64),
            SeriesStat::Sum => Some(self.sum),
            SeriesStat::Mean => some(self.sum / self.n as f64),
            SeriesStat::Min => some(self.min),
            SeriesStat::Max => some(self.max),
            SeriesStat::Last => some(self.last.1),
        }
    }

    /// Whether it is possible: what is restored comes from outside.
    pub(super) fn is_sound(&self) -> bool {
        self.n > 0 && self.min <= self.max && self.sum.is_finite()
    }
}
