//! A statistic over a sliding window.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, value::RawValue};
use watchfloor_model::{Event, Json, Shape};

use super::{
    Ms, Reduce, Rejection, Text,
    distinct::{self, VALUES_MAX, ValueCounts, Values},
    filter::Conditions,
    histogram::{BinCounts, Histogram, percentile},
    moving::Moving,
    number_report, pick,
    sliding::{ENTRIES_MAX, Measure},
    sums::{Sample, Sums},
};
use crate::{
    config::spec::WindowStat,
    frame::{NumberValue, WidgetValue},
    path::Path,
};

/// A statistic that [`Sums`] answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SumsStat {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    Share,
    /// The count times this.
    CountTimes(f64),
    /// The sum times this.
    SumTimes(f64),
}

/// How many events there are in the window, and how many of them are hits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tallied {
    n: u64,
    hits: u64,
}

impl Measure for Sums {
    type Total = Tallied;
    type Stat = SumsStat;

    fn enter(&self, total: &mut Tallied) {
        total.n += self.n;
        total.hits += self.hits;
    }

    fn leave(&self, total: &mut Tallied) {
        total.n -= self.n;
        total.hits -= self.hits;
    }

    fn note(item: &Sample, _: bool, total: &mut Tallied) {
        total.n += 1;
        total.hits += u64::from(item.hit);
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^53 events
    fn read<'a>(stat: SumsStat, total: &Tallied, tallies: impl Iterator<Item = &'a Self>) -> Option<f64> {
        let some = |value: f64| (total.n > 0).then_some(value);
        // Sums are taken of what is there, so nothing is left of what went, and the sum of nothing is exactly zero.
        match stat {
            SumsStat::Count => Some(total.n as f64),
            SumsStat::CountTimes(factor) => Some(total.n as f64 * factor),
            SumsStat::Sum => Some(sum(tallies)),
            SumsStat::SumTimes(factor) => Some(sum(tallies) * factor),
            SumsStat::Mean => some(sum(tallies) / total.n as f64),
            SumsStat::Share => some(total.hits as f64 / total.n as f64),
            SumsStat::Min => tallies.map(|tally| tally.min).reduce(f64::min),
            SumsStat::Max => tallies.map(|tally| tally.max).reduce(f64::max),
        }
    }
}

fn sum<'a>(tallies: impl Iterator<Item = &'a Sums>) -> f64 {
    tallies.fold(0.0, |sum, tally| sum + tally.sum)
}

impl Measure for Histogram {
    type Total = BinCounts;
    /// The part of all numbers that lie below.
    type Stat = f64;

    fn enter(&self, total: &mut BinCounts) {
        for (bin, n) in self.bins() {
            *total.entry(*bin).or_default() += n;
        }
    }

    fn leave(&self, total: &mut BinCounts) {
        for (bin, n) in self.bins() {
            if let Some(count) = total.get_mut(bin) {
                *count -= n;
                if *count == 0 {
                    total.remove(bin);
                }
            }
        }
    }

    fn note(item: &f64, _: bool, total: &mut BinCounts) {
        <Self as super::buckets::Tally>::of(item).enter(total);
    }

    fn read<'a>(part: f64, total: &BinCounts, tallies: impl Iterator<Item = &'a Self>) -> Option<f64> {
        percentile(total, tallies, part)
    }
}

impl Measure for Values {
    type Total = ValueCounts;
    type Stat = ();

    fn enter(&self, total: &mut ValueCounts) {
        total.enter(self);
    }

    fn leave(&self, total: &mut ValueCounts) {
        total.leave(self);
    }

    fn note(item: &distinct::Item, is_more: bool, total: &mut ValueCounts) {
        if is_more {
            total.note(item);
        }
    }

    #[allow(clippy::cast_precision_loss)] // bounded by VALUES_MAX
    fn read<'a>((): (), total: &ValueCounts, _: impl Iterator<Item = &'a Self>) -> Option<f64> {
        Some(total.len() as f64)
    }
}

/// See [`crate::config::spec::ReducerSpec::Window`].
pub(crate) struct Window {
    value: Option<Path>,
    matching: Conditions,
    stat: WindowStat,
    of: Of,
}

enum Of {
    Sums(Moving<Sums>),
    Numbers(Moving<Histogram>),
    Values(Moving<Values>),
}

macro_rules! of {
    ($window:expr, $moving:ident => $call:expr) => {
        match $window {
            Of::Sums($moving) => $call,
            Of::Numbers($moving) => $call,
            Of::Values($moving) => $call,
        }
    };
}

impl Window {
    pub(crate) fn new(
        last: Duration,
        stat: WindowStat,
        value: Option<&Path>,
        matching: &BTreeMap<Path, Vec<Value>>,
        trend: Option<Duration>,
    ) -> Self {
        let sums = |stat| Of::Sums(Moving::new(last, stat, trend));
        let numbers = |part| Of::Numbers(Moving::new(last, part, trend));
        let of = match stat {
            WindowStat::Count => sums(SumsStat::Count),
            WindowStat::Sum => sums(SumsStat::Sum),
            WindowStat::Mean => sums(SumsStat::Mean),
            WindowStat::Min => sums(SumsStat::Min),
            WindowStat::Max => sums(SumsStat::Max),
            WindowStat::Share => sums(SumsStat::Share),
            WindowStat::Distinct => Of::Values(Moving::new(last, (), trend)),
            WindowStat::P50 => numbers(0.50),
            WindowStat::P90 => numbers(0.90),
            WindowStat::P95 => numbers(0.95),
            WindowStat::P99 => numbers(0.99),
        };
        Self { value: value.cloned(), matching: Conditions::new(matching), stat, of }
    }

    /// The number that the event gives; none if it gives none and so has no part in the statistic.
    fn number(&self, data: Json<'_>) -> Result<Option<f64>, Rejection> {
        match (&self.value, self.stat) {
            (_, WindowStat::Count | WindowStat::Share) | (None, _) => Ok(Some(1.0)),
            (Some(path), _) => Ok(pick::number(path, data)?.some()),
        }
    }

    fn grown(&self) -> Option<&Moving<Values>> {
        match &self.of {
            Of::Values(moving) => Some(moving),
            Of::Sums(_) | Of::Numbers(_) => None,
        }
    }
}

impl Reduce for Window {
    fn fold(&mut self, event: &Event, _: u64) -> Result<bool, Rejection> {
        let (at, data) = (event.time.as_millis(), event.data.value());
        if let Of::Values(moving) = &mut self.of {
            let Some(item) = distinct_item(self.value.as_ref(), data, moving)? else { return Ok(false) };
            return Ok(moving.fold(at, &item));
        }
        let Some(value) = self.number(data)? else { return Ok(false) };
        let hit = self.stat == WindowStat::Share && self.matching.hold(data);
        Ok(match &mut self.of {
            Of::Sums(moving) => moving.fold(at, &Sample { value, hit }),
            Of::Numbers(moving) => moving.fold(at, &value),
            Of::Values(_) => false,
        })
    }

    fn advance(&mut self, now: Ms, _: u64) -> bool {
        of!(&mut self.of, moving => moving.advance(now))
    }

    fn state(&self) -> Text {
        of!(&self.of, moving => moving.state())
    }

    fn restore(&mut self, state: &RawValue, _: u64) -> Result<(), String> {
        of!(&mut self.of, moving => moving.restore(state))
    }

    fn value(&self, _: u64) -> WidgetValue {
        let value = of!(&self.of, moving => moving.value());
        match (value, self.grown()) {
            (WidgetValue::Number(number), Some(moving)) => {
                WidgetValue::Number(NumberValue { at_least: moving.window().total().has_more(), ..number })
            }
            (value, _) => value,
        }
    }

    fn one_number(&self) -> Option<(f64, bool)> {
        let has_more = self.grown().is_some_and(|moving| moving.window().total().has_more());
        of!(&self.of, moving => moving.number()).map(|value| (value, has_more))
    }

    fn report(&self) -> Value {
        number_report(of!(&self.of, moving => moving.number()))
    }

    fn next_change(&self) -> Option<Ms> {
        of!(&self.of, moving => moving.next_change())
    }

    fn horizon(&self) -> Option<Ms> {
        of!(&self.of, moving => moving.window().begin())
    }

    fn lets_go(&self) -> bool {
        true
    }

    fn note_gap(&mut self, from: Ms, to: Ms, _: u64) -> bool {
        of!(&mut self.of, moving => moving.note_gap(from, to))
    }

    fn grows_only(&self) -> bool {
        matches!(self.stat, WindowStat::Count | WindowStat::Distinct | WindowStat::Max)
    }
}

/// The event's value: outer none if it gives none, inner none if it is one more than can be told apart.
fn distinct_item(
    path: Option<&Path>,
    data: Json<'_>,
    moving: &Moving<Values>,
) -> Result<Option<distinct::Item>, Rejection> {
    let Some(path) = path else { return Ok(None) };
    let key = match path.find(data).map(Json::shape) {
        None | Some(Shape::Null) => return Ok(None),
        Some(Shape::Bool(value)) => value.to_string().into(),
        Some(Shape::Text("")) => "".into(),
        Some(_) => pick::key(path, data)?,
    };
    let known = moving.window().total();
    let is_full = known.len() >= VALUES_MAX || moving.window().entries() >= ENTRIES_MAX;
    Ok(Some(match known.shared(&key) {
        Some(shared) => Some(shared),
        None if is_full => None,
        None => Some(key.as_ref().into()),
    }))
}

#[cfg(test)]
mod tests;
