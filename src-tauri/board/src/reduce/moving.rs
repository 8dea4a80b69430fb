//! A number over a sliding window, and its trend: what `rate` and `window` have in common.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Ms, Text, number_value,
    sliding::{Measure, Sliding},
    span_ms,
    trend::{self, Trend, Windowed, WindowedConfig},
};
use crate::frame::WidgetValue;

/// One statistic over one window.
pub(crate) struct Moving<T: Measure + Serialize + for<'de> Deserialize<'de>> {
    last: Ms,
    stat: T::Stat,
    window: Sliding<T>,
    trend: Option<Trend<Windowed<T>>>,
}

impl<T: Measure + Serialize + for<'de> Deserialize<'de>> Moving<T> {
    pub(crate) fn new(last: Duration, stat: T::Stat, trend: Option<Duration>) -> Self {
        let last = span_ms(last);
        let trend = trend.map(|span| {
            let slot = trend::slot_of(span);
            Trend::new(slot, WindowedConfig::new(slot, last, stat))
        });
        Self { last, stat, window: Sliding::new(last), trend }
    }

    /// Says whether anything visible changed: an event of the past may have its place in the trend only.
    pub(crate) fn fold(&mut self, at: Ms, item: &T::Item) -> bool {
        let is_in = self.window.fold(at, item);
        if let Some(trend) = &mut self.trend {
            trend.fold(at, item);
        }
        is_in || self.trend.is_some()
    }

    pub(crate) fn advance(&mut self, now: Ms) -> bool {
        let window = self.window.advance(now);
        let trend = self.trend.as_mut().is_some_and(|trend| trend.advance(now));
        window || trend
    }

    pub(crate) fn number(&self) -> Option<f64> {
        self.window.read(self.stat)
    }

    pub(crate) fn value(&self) -> WidgetValue {
        let value = self.number();
        let (change, trend) = self.trend.as_ref().map(|trend| trend.read(value)).unwrap_or_default();
        number_value(value, change, trend)
    }

    pub(crate) fn next_change(&self) -> Option<Ms> {
        let trend = self.trend.as_ref().and_then(Trend::next_change);
        self.window.next_change().into_iter().chain(trend).min()
    }

    pub(crate) fn note_gap(&mut self, from: Ms, to: Ms) -> bool {
        self.trend.as_mut().is_some_and(|trend| trend.note_gap(from, to))
    }

    pub(crate) const fn window(&self) -> &Sliding<T> {
        &self.window
    }

    pub(crate) fn state(&self) -> Text {
        trend::state_with("window", self.window.state(), self.trend.as_ref())
    }

    pub(crate) fn restore(&mut self, state: &Value) -> Result<(), String> {
        let window = Sliding::restored(self.last, &state["window"])?;
        let restored = trend::parse(self.trend.as_ref(), &state["trend"])?;
        self.window = window;
        if let Some((trend, restored)) = self.trend.as_mut().zip(restored) {
            trend.take(restored);
        }
        Ok(())
    }
}
