//! The newest value.

use std::time::Duration;

use serde_json::Value;
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection, Text,
    buckets::Tally,
    number_report, number_value,
    pick::{self, Picked},
    trend::{self, Newest, NewestRing, Trend},
};
use crate::{frame::WidgetValue, path::Path};

/// See [`crate::config::spec::ReducerSpec::Gauge`]. Null says that there is no value now; an event without the path says
/// nothing.
pub(crate) struct Gauge {
    path: Path,
    newest: Option<Newest>,
    trend: Option<Trend<NewestRing>>,
}

impl Gauge {
    pub(crate) fn new(value: &Path, trend: Option<Duration>) -> Self {
        let trend = trend.map(|span| {
            let slot = trend::slot_of(span);
            Trend::new(slot, slot)
        });
        Self { path: value.clone(), newest: None, trend }
    }

    fn number(&self) -> Option<f64> {
        self.newest.and_then(|newest| newest.value)
    }
}

impl Reduce for Gauge {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let value = match pick::number(&self.path, event.data.value())? {
            Picked::Missing => return Ok(false),
            Picked::Null => None,
            Picked::Some(value) => Some(value),
        };
        let newest = Newest { at: event.time.as_millis(), value };
        let is_newer = match &mut self.newest {
            Some(own) => own.take(&newest),
            None => {
                self.newest = Some(newest);
                true
            }
        };
        if let Some(trend) = &mut self.trend {
            trend.fold(newest.at, &newest);
        }
        Ok(is_newer || self.trend.is_some())
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        self.trend.as_mut().is_some_and(|trend| trend.advance(now))
    }

    fn state(&self) -> Text {
        trend::state_with("newest", &self.newest, self.trend.as_ref())
    }

    fn restore(&mut self, state: &Value, _: u64) -> Result<(), String> {
        if !state.is_object() {
            return Err(format!("it is {state}, no object"));
        }
        let newest: Option<Newest> = super::from_json(&state["newest"])?;
        if newest.is_some_and(|newest| !newest.is_sound()) {
            return Err("an impossible instant".to_owned());
        }
        let restored = trend::parse(self.trend.as_ref(), &state["trend"])?;
        self.newest = newest;
        if let Some((trend, restored)) = self.trend.as_mut().zip(restored) {
            trend.take(restored);
        }
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        let value = self.number();
        let (change, points) = self.trend.as_ref().map(|trend| trend.read(value)).unwrap_or_default();
        number_value(value, change, points)
    }

    fn report(&self) -> Value {
        number_report(self.number())
    }

    fn next_change(&self) -> Option<Ms> {
        self.trend.as_ref().and_then(Trend::next_change)
    }

    fn note_gap(&mut self, from: Ms, to: Ms, _: u64) -> bool {
        self.trend.as_mut().is_some_and(|trend| trend.note_gap(from, to))
    }

    fn is_blank(&self) -> bool {
        self.newest.is_none()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watchfloor_model::Timestamp;

    use super::*;
    use crate::{
        Aggregate,
        frame::NumberValue,
        testing::{event, fold_of},
    };

    /// An older event never replaces a newer one, a later one of the same instant does; null is no number, and an event
    /// that doesn't speak of it changes nothing.
    #[test]
    fn the_newest_value_stands() {
        let mut own = Aggregate::new(&fold_of(json!({"kind": "gauge", "value": "v", "trend": 60_000})));
        assert!(own.is_blank());
        let mut check = |at: Ms, data: Value, expected: Value| {
            own.fold(&event("c", "e", at, data)).expect("sound data");
            assert_eq!(own.report(), expected);
        };
        check(10_000, json!({"v": 3}), json!(3));
        check(9_000, json!({"v": 2}), json!(3));
        check(10_000, json!({"v": 4}), json!(4));
        check(11_000, json!({}), json!(4));
        check(12_000, json!({"v": null}), Value::Null);
        check(13_000, json!({"v": 0}), json!(0));
        assert!(!own.is_blank());
        own.advance(Timestamp::from_millis(70_500));
        let WidgetValue::Number(NumberValue { value, change, trend, .. }) = own.value(0) else { panic!("no number") };
        let start = [Some(4.0), Some(4.0), None, Some(0.0), Some(0.0)];
        assert_eq!((value, change, trend.len()), (Some(0.0), Some(-4.0), 61));
        assert_eq!(trend[..5], start);
        // Nobody knows what it was meanwhile.
        own.note_gap(Timestamp::from_millis(12_500), Timestamp::from_millis(13_500));
        let WidgetValue::Number(NumberValue { change, trend, .. }) = own.value(0) else { panic!("no number") };
        assert_eq!((change, &trend[1..5]), (None, &[Some(4.0), None, None, Some(0.0)][..]));
    }
}
