//! The newest value.

use std::time::Duration;

use serde_json::{Value, value::RawValue};
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection, Text,
    buckets::Tally,
    number_report,
    pick::{self, Picked},
    trend::{Newest, NewestRing, Trend},
};
use crate::{frame::WidgetValue, path::Path};

/// See [`crate::config::spec::ReducerSpec::Gauge`]. Null says that there is no value now; an event without the path says
/// nothing, unless events say all that there is.
pub(crate) struct Gauge {
    path: Path,
    whole: bool,
    newest: Option<Newest>,
    trend: Trend<NewestRing>,
}

impl Gauge {
    pub(crate) fn new(value: &Path, trend: Option<Duration>, whole: bool) -> Self {
        Self { path: value.clone(), whole, newest: None, trend: Trend::new(trend, |slot| slot) }
    }

    fn number(&self) -> Option<f64> {
        self.newest.and_then(|newest| newest.value)
    }

    /// Takes what `right`, of the same fold, shows, whatever its date: it is as old as that, and what is dated later was wrong.
    pub(crate) fn correct(&mut self, right: &Self) {
        let Some(newest) = right.newest else { return };
        self.newest = Some(newest);
        self.trend.correct(&newest);
    }
}

impl Reduce for Gauge {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let value = match pick::number(&self.path, event.data.value())? {
            Picked::Missing if !self.whole => return Ok(false),
            Picked::Missing | Picked::Null => None,
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
        Ok(self.trend.fold(newest.at, &newest) || is_newer)
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        self.trend.advance(now)
    }

    fn state(&self) -> Text {
        self.trend.state_with("newest", &self.newest)
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        let [newest, trend] = super::fields(state, ["newest", "trend"])?;
        let newest: Option<Newest> = super::from_json(newest)?;
        if newest.is_some_and(|newest| !newest.is_sound()) {
            return Err("an impossible instant".to_owned());
        }
        self.trend.restore(trend)?;
        self.newest = newest;
        Ok(())
    }

    fn value(&self, _: u64) -> WidgetValue {
        self.trend.value(self.number())
    }

    fn one_number(&self) -> Option<(f64, bool)> {
        self.number().map(|value| (value, false))
    }

    fn report(&self) -> Value {
        number_report(self.number())
    }

    fn next_change(&self) -> Option<Ms> {
        self.trend.next_change()
    }

    /// What was before the newest event doesn't matter any more.
    fn horizon(&self) -> Option<Ms> {
        self.newest.map(|newest| newest.at - 1)
    }

    fn shown_of(&self, event: &Event) -> Option<(String, Ms)> {
        let speaks = self.whole || !matches!(pick::number(&self.path, event.data.value()), Ok(Picked::Missing));
        self.newest.filter(|_| speaks).map(|newest| (String::new(), newest.at))
    }

    fn note_gap(&mut self, from: Ms, to: Ms, _: u64) -> bool {
        self.trend.note_gap(from, to)
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
        frame::NumberValue,
        testing::{advance, aggregate, fold, number},
    };

    /// H1: of a document that is read as a whole, what isn't in it isn't so any more.
    #[test]
    fn a_whole_event_leaves_nothing_as_it_was() {
        let mut own = aggregate(json!({"kind": "gauge", "value": "oven.c", "whole": true}));
        fold(&mut own, 1000, json!({"oven": {"c": 200}}));
        assert_eq!(own.report(), json!(200));
        for (turn, gone) in
            [json!({"error": "maintenance"}), json!({"oven": null}), json!({"oven": "off"})].into_iter().enumerate()
        {
            let at = 2000 * (i64::try_from(turn).expect("small") + 1);
            fold(&mut own, at, gone);
            assert_eq!(own.report(), Value::Null);
            fold(&mut own, at + 1000, json!({"oven": {"c": 201}}));
            assert_eq!(own.report(), json!(201));
        }
    }

    /// An older event never replaces a newer one, a later one of the same instant does; null is no number, and an event
    /// that doesn't speak of it changes nothing.
    #[test]
    fn the_newest_value_stands() {
        let mut own = aggregate(json!({"kind": "gauge", "value": "v", "trend": 60_000}));
        assert!(own.is_blank());
        let mut check = |at: Ms, data: Value, expected: Value| {
            fold(&mut own, at, data);
            assert_eq!(own.report(), expected);
        };
        check(10_000, json!({"v": 3}), json!(3));
        check(9_000, json!({"v": 2}), json!(3));
        check(10_000, json!({"v": 4}), json!(4));
        check(11_000, json!({}), json!(4));
        check(12_000, json!({"v": null}), Value::Null);
        check(13_000, json!({"v": 0}), json!(0));
        assert!(!own.is_blank());
        advance(&mut own, 70_500);
        let NumberValue { value, change, trend, .. } = number(&own);
        let start = [Some(4.0), Some(4.0), None, Some(0.0), Some(0.0)];
        assert_eq!((value, change, trend.len()), (Some(0.0), Some(-4.0), 61));
        assert_eq!(trend[..5], start);
        // Nobody knows what it was meanwhile.
        own.note_gap(Timestamp::from_millis(12_500), Timestamp::from_millis(13_500));
        let NumberValue { change, trend, .. } = number(&own);
        assert_eq!((change, &trend[1..5]), (None, &[Some(4.0), None, None, Some(0.0)][..]));
    }

    /// H1: what is right is as old as it is, and what was dated later and wrong is no part of the trend any more.
    #[test]
    fn a_correction_of_another_date() {
        let gauge = || aggregate(json!({"kind": "gauge", "value": "v", "trend": 60_000}));
        let mut own = gauge();
        for (at, v) in [(5_000, 1), (20_000, 2), (30_000, 3)] {
            fold(&mut own, at, json!({"v": v}));
        }
        advance(&mut own, 60_500);
        let mut right = gauge();
        fold(&mut right, 10_000, json!({"v": 7}));
        own.correct(&right).expect("a state of one like it");
        assert_eq!((own.report(), own.newest()), (json!(7), Some(Timestamp::from_millis(10_000))));
        let trend = number(&own).trend;
        assert_eq!((trend[9], trend[10], trend[20], trend[60]), (Some(1.0), Some(7.0), Some(7.0), Some(7.0)));
        // What comes is newer, though it is dated before what was wrong.
        fold(&mut own, 25_000, json!({"v": 8}));
        assert_eq!((own.report(), number(&own).trend[60]), (json!(8), Some(8.0)));
    }
}
