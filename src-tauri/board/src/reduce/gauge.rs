//! The newest value.

use std::time::Duration;

use serde_json::{Value, json};
use watchfloor_model::Event;

use super::{
    Ms, Reduce, Rejection,
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

    fn state(&self) -> Value {
        json!({"newest": self.newest, "trend": self.trend.as_ref().map(Trend::state)})
    }

    fn restore(&mut self, state: &Value, _: u64) -> Result<(), String> {
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
