//! A number over a sliding window, and its trend: what `rate` and `window` have in common.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Ms, Text,
    sliding::{Measure, Sliding},
    span_ms,
    trend::{Trend, Windowed, WindowedConfig},
};
use crate::frame::WidgetValue;

/// One statistic over one window.
pub(crate) struct Moving<T: Measure + Serialize + for<'de> Deserialize<'de>> {
    last: Ms,
    stat: T::Stat,
    window: Sliding<T>,
    trend: Trend<Windowed<T>>,
}

impl<T: Measure + Serialize + for<'de> Deserialize<'de>> Moving<T> {
    pub(crate) fn new(last: Duration, stat: T::Stat, trend: Option<Duration>) -> Self {
        let last = span_ms(last);
        let trend = Trend::new(trend, |slot| WindowedConfig::new(slot, last, stat));
        Self { last, stat, window: Sliding::new(last), trend }
    }

    /// Says whether anything visible changed: an event of the past may have its place in the trend only.
    pub(crate) fn fold(&mut self, at: Ms, item: &T::Item) -> bool {
        let is_in = self.window.fold(at, item);
        self.trend.fold(at, item) || is_in
    }

    pub(crate) fn advance(&mut self, now: Ms) -> bool {
        let window = self.window.advance(now);
        self.trend.advance(now) || window
    }

    pub(crate) fn number(&self) -> Option<f64> {
        self.window.read(self.stat)
    }

    pub(crate) fn value(&self) -> WidgetValue {
        self.trend.value(self.number())
    }

    pub(crate) fn next_change(&self) -> Option<Ms> {
        self.window.next_change().into_iter().chain(self.trend.next_change()).min()
    }

    pub(crate) fn note_gap(&mut self, from: Ms, to: Ms) -> bool {
        self.trend.note_gap(from, to)
    }

    pub(crate) const fn window(&self) -> &Sliding<T> {
        &self.window
    }

    pub(crate) fn state(&self) -> Text {
        self.trend.state_with("window", self.window.state())
    }

    pub(crate) fn restore(&mut self, state: &RawValue) -> Result<(), String> {
        let [window, trend] = super::fields(state, ["window", "trend"])?;
        let window = Sliding::restored(self.last, window)?;
        self.trend.restore(trend)?;
        self.window = window;
        Ok(())
    }
}
