//! One line a figure.

use serde_json::{Value, json};

/// A measured figure beside the limit that it is held against.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Which benchmark: `ingest`.
    pub bench: &'static str,
    /// What was measured: `events_per_second`.
    pub metric: String,
    /// How much.
    pub value: f64,
    /// Of what: `1/s`, `ms`, `MiB`.
    pub unit: &'static str,
    /// What the same machine could do at best in the same run, or the figure to beat; none if there is nothing to compare with.
    pub limit: Option<f64>,
}

impl Figure {
    /// `{"bench":…,"metric":…,"value":…,"unit":…,"limit":…,"ratio":…}`
    #[must_use]
    pub fn json(&self) -> Value {
        let ratio = self.limit.filter(|limit| *limit != 0.0).map(|limit| self.value / limit);
        json!({
            "bench": self.bench,
            "metric": self.metric,
            "value": round(self.value),
            "unit": self.unit,
            "limit": self.limit.map(round),
            "ratio": ratio.map(round),
        })
    }
}

/// Four significant digits: more would pretend.
fn round(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// The `share` quantile (0 to 1) of `values`; none of none.
#[must_use]
pub fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let at = (share * values.len() as f64).ceil() as usize;
    values.get(at.clamp(1, values.len()) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits() {
        assert_eq!(round(123_456.0), 123_500.0);
        assert_eq!(round(0.001_234_56), 0.001_235);
        assert_eq!(round(0.0), 0.0);
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let mut values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.5), Some(50.0));
        assert_eq!(quantile(&mut values, 0.99), Some(99.0));
        assert_eq!(quantile(&mut values, 1.0), Some(100.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
