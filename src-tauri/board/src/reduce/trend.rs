//! Sparkline and change: what a number was at evenly spaced instants of the source's time.
//!
//! A trend is computed from the events themselves, not sampled as time passes: an event that comes late, after an
//! outage or in a replay, changes the points that it belongs to, and two that saw the same events agree on every point.

mod newest;
mod running;
mod windowed;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Gaps, Ms, Text, check_instant, floor_to, span_ms, to_json};
use crate::frame::{NumberValue, State, WidgetValue};

pub(crate) use newest::{Newest, NewestRing};
pub(crate) use running::{Running, RunningConfig};
pub(crate) use windowed::{Windowed, WindowedConfig};

/// How many stretches a trend has; it has a point at the beginning and the end of each.
pub(crate) const SLOTS: Ms = 60;

/// The events that a trend's points are computed from.
pub(crate) trait Ring: Default + Serialize + DeserializeOwned {
    /// What the ring must know and doesn't store.
    type Config;
    /// What of an event goes into it.
    type Item;
    /// Adds an event. Points before `first` are no longer asked for.
    fn add(&mut self, config: &mut Self::Config, at: Ms, item: &Self::Item, first: Option<Ms>);
    /// Points before `first` will no longer be asked for.
    fn forget(&mut self, config: &mut Self::Config, first: Ms);
    /// The number at each of `points`, which are multiples of the slot, in order.
    fn read(&self, config: &Self::Config, points: impl Iterator<Item = Ms>) -> Vec<Option<f64>>;
    /// What is wrong with a ring that comes from outside.
    fn check(&mut self, config: &Self::Config) -> Result<(), String>;
}

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: DeserializeOwned"))]
struct Stored<R> {
    /// Nothing is known before.
    began: Option<Ms>,
    now: Option<Ms>,
    gaps: Gaps,
    ring: R,
}

/// A widget's trend, or none.
pub(crate) struct Trend<R: Ring>(Option<Points<R>>);

impl<R: Ring> Trend<R> {
    /// A trend over `span`; `config` makes of the length of its slot what its ring must know.
    pub(crate) fn new(span: Option<Duration>, config: impl FnOnce(Ms) -> R::Config) -> Self {
        Self(span.map(|span| {
            let slot = (span_ms(span) / SLOTS).max(1);
            Points::new(slot, config(slot))
        }))
    }

    /// Takes an event. Says whether there is a trend that it may have changed.
    pub(crate) fn fold(&mut self, at: Ms, item: &R::Item) -> bool {
        let Some(points) = &mut self.0 else { return false };
        points.fold(at, item);
        true
    }

    /// Says whether the points are other ones now.
    pub(crate) fn advance(&mut self, now: Ms) -> bool {
        self.0.as_mut().is_some_and(|points| points.advance(now))
    }

    /// Nobody can say what happened after `from` until `to`.
    pub(crate) fn note_gap(&mut self, from: Ms, to: Ms) -> bool {
        self.0.as_mut().is_some_and(|points| points.state.gaps.add(from, to))
    }

    /// When the points move.
    pub(crate) fn next_change(&self) -> Option<Ms> {
        self.0.as_ref().and_then(Points::next_change)
    }

    /// A number with its trend, as the page gets it. Its state, completeness and what the change means are the board's to say.
    pub(crate) fn value(&self, value: Option<f64>) -> WidgetValue {
        let (change, trend) = self.0.as_ref().map(|points| points.read(value)).unwrap_or_default();
        WidgetValue::Number(NumberValue { value, state: State::Normal, change, toward: None, trend, at_least: false })
    }

    /// The state `own` under `name`, and the trend's.
    pub(crate) fn state_with<S: Serialize>(&self, name: &str, own: &S) -> Text {
        let trend = to_json(&self.0.as_ref().map(|points| &points.state));
        to_json(&BTreeMap::from([(name, to_json(own)), ("trend", trend)]))
    }

    /// Takes the `trend` of what [`Trend::state_with`] gave. Unchanged on error.
    pub(crate) fn restore(&mut self, state: &RawValue) -> Result<(), String> {
        self.0.as_mut().map_or(Ok(()), |points| points.restore(state))
    }
}

impl Trend<NewestRing> {
    /// From this value on nothing else was heard that is right.
    pub(crate) fn correct(&mut self, newest: &Newest) {
        let Some(points) = &mut self.0 else { return };
        points.state.ring.forget_after(newest.at);
        points.fold(newest.at, newest);
    }
}

/// A trend over the stretch that ends now.
struct Points<R: Ring> {
    slot: Ms,
    config: R::Config,
    state: Stored<R>,
}

impl<R: Ring> Points<R> {
    fn new(slot: Ms, config: R::Config) -> Self {
        let state = Stored { began: None, now: None, gaps: Gaps::default(), ring: R::default() };
        Self { slot, config, state }
    }

    fn fold(&mut self, at: Ms, item: &R::Item) {
        self.state.began = Some(self.state.began.map_or(at, |began| began.min(at)));
        let first = self.first();
        self.state.ring.add(&mut self.config, at, item, first);
    }

    fn advance(&mut self, now: Ms) -> bool {
        let before = self.first();
        self.state.now = Some(now);
        self.state.began = Some(self.state.began.map_or(now, |began| began.min(now)));
        let first = self.first();
        if before == first {
            return false;
        }
        if let Some(first) = first {
            self.state.ring.forget(&mut self.config, first);
            self.state.gaps.forget(first);
        }
        true
    }

    /// Change since the first point, and the points; nothing is known of those within a gap, before the beginning,
    /// and of a change across a gap.
    fn read(&self, value: Option<f64>) -> (Option<f64>, Vec<Option<f64>>) {
        let (Some(first), Some(began), Some(now)) = (self.first(), self.state.began, self.state.now) else {
            return (None, Vec::new());
        };
        let at = |number: Ms| first + number * self.slot;
        let mut points = self.state.ring.read(&self.config, (0..=SLOTS).map(at));
        for (number, point) in (0..=SLOTS).zip(&mut points) {
            let at = at(number);
            if at < began || self.state.gaps.contain(at) {
                *point = None;
            }
        }
        let start = points.first().copied().flatten().filter(|_| !self.state.gaps.touch(first, now));
        let change = value.zip(start).map(|(value, start)| value - start);
        (change, points)
    }

    fn next_change(&self) -> Option<Ms> {
        self.state.now.map(|now| floor_to(now, self.slot) + self.slot)
    }

    fn restore(&mut self, state: &RawValue) -> Result<(), String> {
        let mut state: Stored<R> = super::from_json(state)?;
        check_instant(state.began)?;
        check_instant(state.now)?;
        if !state.gaps.is_sound() {
            return Err("gaps that are out of order".to_owned());
        }
        state.ring.check(&self.config)?;
        self.state = state;
        Ok(())
    }

    /// The first point.
    fn first(&self) -> Option<Ms> {
        self.state.now.map(|now| floor_to(now, self.slot) - SLOTS * self.slot)
    }
}
