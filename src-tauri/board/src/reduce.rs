//! Reducers: what a sequence of events comes to. One file a kind; [`crate::Aggregate`] is the way in.
//!
//! A reducer's state depends on the events and the instants given to it, and on nothing else. Where the kind allows it,
//! the state doesn't even depend on *when* time was told to pass: a late event finds its own place.

mod binned;
mod buckets;
mod counter;
mod cut;
mod days;
mod distinct;
mod distribution;
mod expiry;
mod filter;
mod fingerprint;
mod gaps;
mod gauge;
mod histogram;
mod life;
mod log;
mod markers;
mod meaning;
mod moving;
mod pick;
mod rank;
mod rate;
mod series;
mod sliding;
mod status;
mod stored;
mod sums;
mod table;
mod tally;
mod template;
mod timeline;
mod tombstones;
mod trail;
mod trend;
mod window;

use std::collections::BTreeSet;

use serde_json::{Value, value::RawValue};
use watchfloor_model::Event;

use crate::{
    config::spec::{FoldSpec, ReducerSpec},
    frame::{TrailLook, WidgetValue},
};

pub(crate) use filter::{Filter, Interest};
pub(crate) use fingerprint::{fingerprint, hash};
pub(crate) use gaps::Gaps;
pub(crate) use pick::KEY_BYTES_MAX;
pub(crate) use pick::{describe, instant_of_text, key as key_at};
pub(crate) use status::pair_at;
pub(crate) use stored::{Text, fields, from_json, to_json};
pub(crate) use table::{By, Reading, Search, Searched};
pub(crate) use tally::BARS_MAX as TALLY_BARS_MAX;
pub(crate) use template::render;

/// Milliseconds since the Unix epoch, by the source's clock.
pub(crate) type Ms = i64;

/// The earliest and latest instants of an event, milliseconds from the Unix epoch: what ECMAScript's `Date` can hold.
pub(crate) const TIME_MS_MAX: Ms = 8_640_000_000_000_000;

/// Why an event can't be folded. The state is as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: found {found}, expected {expected}")]
pub struct Rejection {
    /// Where: a path into the event's data in backquotes, or `time`.
    pub place: String,
    /// What stands there, cut to 40 characters.
    pub found: String,
    /// What should.
    pub expected: String,
}

/// Why a state can't be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state of {kind} can't be restored: {problem}")]
pub struct RestoreError {
    /// The reducer's kind.
    pub kind: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// What every kind can do. A version is a number that grows with each visible change; the caller counts it.
pub(crate) trait Reduce {
    /// Takes one event. A change is marked with `version`; says whether anything visible changed. All or nothing.
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection>;
    /// It is `now`. A change is marked with `version`; says whether anything visible changed.
    fn advance(&mut self, now: Ms, version: u64) -> bool;
    /// The whole state.
    fn state(&self) -> Text;
    /// Replaces the state; what was sent before `version` is void. Unchanged on error; the error is what is wrong.
    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String>;
    /// What changed after version `since`; everything if that can't be told any more or `since` is 0.
    fn value(&self, since: u64) -> WidgetValue;
    /// The value of the operators' contract.
    fn report(&self) -> Value;
    /// The one number that it comes to, and whether it is a lower bound; none of kinds that have more to say.
    fn one_number(&self) -> Option<(f64, bool)> {
        None
    }
    /// It is found to be off by this much. False if it isn't of a kind that can be told so, or would be what it can't be.
    fn amend(&mut self, _delta: f64) -> bool {
        false
    }
    /// The next instant at which time alone changes something visible.
    fn next_change(&self) -> Option<Ms>;
    /// The value depends on nothing before this instant; none if it depends on everything.
    fn horizon(&self) -> Option<Ms> {
        None
    }
    /// Whether time alone lets something go of what it shows: a clock that was ahead may have done so too early.
    fn lets_go(&self) -> bool {
        false
    }
    /// Nobody can say what happened after `from` until `to`.
    fn note_gap(&mut self, _from: Ms, _to: Ms, _version: u64) -> bool {
        false
    }
    /// Whether the value is a lower bound if events are missing from it.
    fn grows_only(&self) -> bool {
        false
    }
    /// Of a chart, the value at each line's end: that of the bucket which ended last, if nothing of it may be missing.
    fn ends(&self) -> Vec<(&str, f64)> {
        Vec::new()
    }
    /// Whether there is nothing to show because no event has said anything yet.
    fn is_blank(&self) -> bool {
        false
    }
    /// What it holds by key of what the event is about: the key, and the time of its newest event.
    fn held_of(&self, _event: &Event) -> Option<(String, Ms)> {
        None
    }
    /// Whether what it will hold by the key of what the event is about begins with the event, whatever was there before.
    fn begins_with(&self, event: &Event) -> bool {
        self.held_of(event).is_none()
    }
    /// Where it shows what is newest by the events' own time: the key of what the event speaks of, and the time of what is shown there.
    fn shown_of(&self, _event: &Event) -> Option<(String, Ms)> {
        None
    }
    /// Whether it still shows something by such a key.
    fn shows(&self, _key: &str) -> bool {
        true
    }
    /// Lets everything go that it holds by other keys than these.
    fn keep_only(&mut self, _keys: &BTreeSet<String>, _version: u64) {}
}

/// One reducer of any kind.
pub(crate) enum Reducer {
    Counter(counter::Counter),
    Gauge(gauge::Gauge),
    Rate(rate::Rate),
    Window(window::Window),
    Table(Box<table::Table>),
    Log(log::Log),
    Series(series::Series),
    Histogram(distribution::Distribution),
    Status(status::Status),
    Tally(tally::Tally),
    Timeline(timeline::Timeline),
    Markers(Box<markers::Markers>),
}

macro_rules! each {
    ($reducer:expr, $inner:ident => $call:expr) => {
        match $reducer {
            Reducer::Counter($inner) => $call,
            Reducer::Gauge($inner) => $call,
            Reducer::Rate($inner) => $call,
            Reducer::Window($inner) => $call,
            Reducer::Table($inner) => $call,
            Reducer::Log($inner) => $call,
            Reducer::Series($inner) => $call,
            Reducer::Histogram($inner) => $call,
            Reducer::Status($inner) => $call,
            Reducer::Tally($inner) => $call,
            Reducer::Timeline($inner) => $call,
            Reducer::Markers($inner) => $call,
        }
    };
}

impl Reducer {
    pub(crate) fn new(fold: &FoldSpec) -> Self {
        match &fold.reducer {
            ReducerSpec::Counter { stat, value, matching, reset_daily_minutes, trend } => {
                Self::Counter(counter::Counter::new(counter::Settings {
                    stat: *stat,
                    value: value.clone(),
                    matching: filter::Conditions::new(matching),
                    days: reset_daily_minutes.map(|minutes| days::Days::new(&fold.timezone, minutes)),
                    trend: *trend,
                }))
            }
            ReducerSpec::Gauge { value, trend } => Self::Gauge(gauge::Gauge::new(value, *trend, fold.whole)),
            ReducerSpec::Rate { last, per, value, trend } => {
                Self::Rate(rate::Rate::new(*last, *per, value.as_ref(), *trend))
            }
            ReducerSpec::Window { last, stat, value, matching, trend } => {
                Self::Window(window::Window::new(*last, *stat, value.as_ref(), matching, *trend))
            }
            ReducerSpec::Table {
                key,
                columns,
                sort,
                descending,
                then,
                group,
                limit,
                remove_on,
                expire,
                expire_at,
                state,
            } => {
                let settings = table::Settings {
                    key: key.clone(),
                    columns: columns.clone(),
                    sort: table::order_of(group.as_ref(), sort.as_ref().map(|path| (path, *descending)), then),
                    grouped: group.is_some(),
                    remove_on: remove_on.clone(),
                    expire: expire.map(span_ms),
                    expire_at: expire_at.clone(),
                    state: state.as_ref().map(meaning::Meaning::new),
                    whole: fold.whole,
                };
                Self::Table(Box::new(table::Table::new(settings, *limit)))
            }
            ReducerSpec::Log { text, limit, state } => Self::Log(log::Log::new(text, *limit, state.as_ref())),
            ReducerSpec::Series { bucket, keep, stat, value, by, lines, marks, most } => {
                Self::Series(series::Series::new(&series::Settings {
                    bucket: *bucket,
                    keep: *keep,
                    stat: *stat,
                    value: value.as_ref(),
                    by: by.as_ref(),
                    lines,
                    marks: marks.as_ref(),
                    most: *most,
                }))
            }
            ReducerSpec::Tally { by, stat, value, matching, last, reset_daily_minutes, categories } => {
                Self::Tally(tally::Tally::new(tally::Settings {
                    by: by.clone(),
                    stat: *stat,
                    value: value.clone(),
                    matching: filter::Conditions::new(matching),
                    last: *last,
                    days: reset_daily_minutes.map(|minutes| days::Days::new(&fold.timezone, minutes)),
                    categories: categories.iter().cloned().collect(),
                }))
            }
            ReducerSpec::Histogram { value, min, width, bins, stats, last, reset_daily_minutes } => {
                Self::Histogram(distribution::Distribution::new(distribution::Settings {
                    value: value.clone(),
                    bins: binned::Bins { min: *min, width: *width, count: *bins },
                    stats: stats.clone(),
                    last: last.map(span_ms),
                    days: reset_daily_minutes.map(|minutes| days::Days::new(&fold.timezone, minutes)),
                }))
            }
            ReducerSpec::Matrix { row, column, state, detail, life } => {
                let key = status::Key::Pair(row.clone(), column.clone());
                Self::Status(status::Status::new(key, None, state, detail.as_ref(), life, fold.whole))
            }
            ReducerSpec::Timeline { key, label, state, keep } => {
                Self::Timeline(timeline::Timeline::new(key, label.as_ref(), state, *keep))
            }
            ReducerSpec::Status { key, label, state, detail, life } => {
                let key = status::Key::One(key.clone());
                Self::Status(status::Status::new(key, label.as_ref(), state, detail.as_ref(), life, fold.whole))
            }
            ReducerSpec::Markers {
                key,
                lat,
                lon,
                heading,
                label,
                state,
                icon,
                remove_on,
                expire,
                trail,
                lost_after,
                fences,
            } => Self::Markers(Box::new(markers::Markers::new(markers::Settings {
                key: key.clone(),
                lat: lat.clone(),
                lon: lon.clone(),
                heading: heading.clone(),
                label: label.clone(),
                state: state.as_ref().map(meaning::Meaning::new),
                icon: icon.clone(),
                remove_on: remove_on.clone(),
                expire: expire.map(span_ms),
                trail: trail.map(|trail| TrailLook::of(span_ms(trail))),
                lost_after: lost_after.map(span_ms),
                fences: fences.clone(),
                whole: fold.whole,
            }))),
        }
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Rate(_) => "rate",
            Self::Window(_) => "window",
            Self::Table(_) => "table",
            Self::Log(_) => "log",
            Self::Series(_) => "series",
            Self::Histogram(_) => "histogram",
            Self::Status(status) => status.kind(),
            Self::Tally(_) => "tally",
            Self::Timeline(_) => "timeline",
            Self::Markers(_) => "markers",
        }
    }
}

impl Reduce for Reducer {
    fn fold(&mut self, event: &Event, version: u64) -> Result<bool, Rejection> {
        each!(self, inner => inner.fold(event, version))
    }

    fn advance(&mut self, now: Ms, version: u64) -> bool {
        each!(self, inner => inner.advance(now, version))
    }

    fn state(&self) -> Text {
        each!(self, inner => inner.state())
    }

    fn restore(&mut self, state: &RawValue, version: u64) -> Result<(), String> {
        each!(self, inner => inner.restore(state, version))
    }

    fn value(&self, since: u64) -> WidgetValue {
        each!(self, inner => inner.value(since))
    }

    fn report(&self) -> Value {
        each!(self, inner => inner.report())
    }

    fn one_number(&self) -> Option<(f64, bool)> {
        each!(self, inner => inner.one_number())
    }

    fn amend(&mut self, delta: f64) -> bool {
        each!(self, inner => inner.amend(delta))
    }

    fn next_change(&self) -> Option<Ms> {
        each!(self, inner => inner.next_change())
    }

    fn horizon(&self) -> Option<Ms> {
        each!(self, inner => inner.horizon())
    }

    fn lets_go(&self) -> bool {
        each!(self, inner => inner.lets_go())
    }

    fn note_gap(&mut self, from: Ms, to: Ms, version: u64) -> bool {
        each!(self, inner => inner.note_gap(from, to, version))
    }

    fn grows_only(&self) -> bool {
        each!(self, inner => inner.grows_only())
    }

    fn ends(&self) -> Vec<(&str, f64)> {
        each!(self, inner => inner.ends())
    }

    fn is_blank(&self) -> bool {
        each!(self, inner => inner.is_blank())
    }

    fn held_of(&self, event: &Event) -> Option<(String, Ms)> {
        each!(self, inner => inner.held_of(event))
    }

    fn begins_with(&self, event: &Event) -> bool {
        each!(self, inner => inner.begins_with(event))
    }

    fn shown_of(&self, event: &Event) -> Option<(String, Ms)> {
        each!(self, inner => inner.shown_of(event))
    }

    fn shows(&self, key: &str) -> bool {
        each!(self, inner => inner.shows(key))
    }

    fn keep_only(&mut self, keys: &BTreeSet<String>, version: u64) {
        each!(self, inner => inner.keep_only(keys, version));
    }
}

/// A duration as whole milliseconds, at least one.
fn span_ms(duration: std::time::Duration) -> Ms {
    Ms::try_from(duration.as_millis()).unwrap_or(TIME_MS_MAX).clamp(1, TIME_MS_MAX)
}

/// The least multiple of `step` that isn't before `at`.
fn ceil_to(at: Ms, step: Ms) -> Ms {
    at + (-at).rem_euclid(step)
}

/// The greatest multiple of `step` that isn't after `at`.
fn floor_to(at: Ms, step: Ms) -> Ms {
    at - at.rem_euclid(step)
}

/// What is restored comes from outside: an instant may not be out of range.
fn check_instant(at: Option<Ms>) -> Result<(), String> {
    match at.filter(|at| !(-TIME_MS_MAX..=TIME_MS_MAX).contains(at)) {
        Some(at) => Err(format!("the instant {at} is out of range")),
        None => Ok(()),
    }
}

fn number_report(value: Option<f64>) -> Value {
    value.map_or(Value::Null, number_json)
}

/// A number as JSON, whole ones without a point.
fn number_json(value: f64) -> Value {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation)] // checked to be whole and within 2^53
    if value.fract() == 0.0 && value.abs() <= WHOLE_MAX { Value::from(value as i64) } else { Value::from(value) }
}
