//! Events, or the sum of a value, per unit of time over a sliding window.

use std::time::Duration;

use serde_json::{Value, value::RawValue};
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection, Text,
    moving::Moving,
    number_report, pick, span_ms,
    sums::{Sample, Sums},
    window::SumsStat,
};
use crate::{frame::WidgetValue, path::Path};

/// See [`crate::config::spec::ReducerSpec::Rate`].
pub(crate) struct Rate {
    value: Option<Path>,
    moving: Moving<Sums>,
}

impl Rate {
    pub(crate) fn new(last: Duration, per: Duration, value: Option<&Path>, trend: Option<Duration>) -> Self {
        #[allow(clippy::cast_precision_loss)] // durations are below 2^53 ms
        let factor = span_ms(per) as f64 / span_ms(last) as f64;
        let stat = if value.is_some() { SumsStat::SumTimes(factor) } else { SumsStat::CountTimes(factor) };
        Self { value: value.cloned(), moving: Moving::new(last, stat, trend) }
    }
}

impl Reduce for Rate {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let value = match &self.value {
            None => 1.0,
            Some(path) => match pick::number(path, event.data.value())?.some() {
                Some(value) => value,
                None => return Ok(false),
            },
        };
        Ok(self.moving.fold(event.time.as_millis(), &Sample { value, hit: false }))
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        self.moving.advance(now)
    }

    fn state(&self) -> Text {
        self.moving.state()
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        self.moving.restore(state)
    }

    fn value(&self, _: u64) -> WidgetValue {
        self.moving.value()
    }

    fn one_number(&self) -> Option<(f64, bool)> {
        self.moving.number().map(|value| (value, false))
    }

    fn report(&self) -> Value {
        number_report(self.moving.number())
    }

    fn next_change(&self) -> Option<Ms> {
        self.moving.next_change()
    }

    fn horizon(&self) -> Option<Ms> {
        self.moving.window().begin()
    }

    fn lets_go(&self) -> bool {
        true
    }

    fn note_gap(&mut self, from: Ms, to: Ms, _: u64) -> bool {
        self.moving.note_gap(from, to)
    }

    fn grows_only(&self) -> bool {
        self.value.is_none()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{advance, aggregate, fold};

    /// Events, or their sum, in the window, times the unit over the window.
    #[test]
    fn a_rate_is_per_unit() {
        let check = |spec: serde_json::Value, expected: f64| {
            let mut own = aggregate(spec);
            for number in 0..30 {
                fold(&mut own, number * 1000, json!({"v": 2}));
            }
            advance(&mut own, 29_000);
            assert_eq!(own.report().as_f64(), Some(expected));
            advance(&mut own, 34_000);
            assert_eq!(own.report().as_f64(), Some(expected / 2.0));
            advance(&mut own, 60_000);
            assert_eq!(own.report(), json!(0));
        };
        check(json!({"kind": "rate", "last": 10_000, "per": 60_000}), 60.0);
        check(json!({"kind": "rate", "last": 10_000, "per": 60_000, "value": "v"}), 120.0);
    }
}
