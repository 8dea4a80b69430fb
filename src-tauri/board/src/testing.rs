//! Specs, events and aggregates for this crate's tests.

use std::time::Duration;

use proptest::{prelude::ProptestConfig, test_runner::RngSeed};
use serde_json::{Value, json};
use watchfloor_model::{Event, Mono, Timestamp};

use crate::{
    Aggregate,
    config::spec::{
        CHART_LINES_MAX, FenceSpec, FoldSpec, IconSpec, LifeSpec, LineSpec, MarksSpec, ReducerSpec, StateSpec,
        Template, TemplatePart,
    },
    frame::{FenceWhen, Icon, NumberValue, State, WidgetValue},
    geo::{Area, Spot, ring},
    path::Path,
};

/// So many cases of a property, the same ones each time.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let seed = RngSeed::Fixed(20_130_208);
    ProptestConfig { cases: count, rng_seed: seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// An event of `channel` at `time`, milliseconds since the Unix epoch.
pub(crate) fn event(channel: &str, name: &str, time: i64, data: Value) -> Event {
    Event {
        channel: channel.into(),
        name: name.into(),
        id: None,
        position: None,
        time: Timestamp::from_millis(time),
        received: Mono::ZERO,
        data: data.into(),
    }
}

/// An aggregate of every event, by the settings of [`fold_of`].
pub(crate) fn aggregate(spec: Value) -> Aggregate {
    Aggregate::new(&fold_of(spec))
}

/// An [`aggregate`] by `spec`, with `settings` in place of its own.
pub(crate) fn aggregate_with(mut spec: Value, settings: Value) -> Aggregate {
    for (name, value) in settings.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    aggregate(spec)
}

/// Takes an event at `at`, which is sound.
pub(crate) fn fold(own: &mut Aggregate, at: i64, data: Value) {
    fold_named(own, at, "e", data);
}

/// Takes an event called `name` at `at`, which is sound.
pub(crate) fn fold_named(own: &mut Aggregate, at: i64, name: &str, data: Value) {
    own.fold(&event("c", name, at, data)).expect("sound data");
}

/// It is `now`.
/// Nobody knows what happened after `from` until `to`.
pub(crate) fn note_gap(own: &mut Aggregate, from: i64, to: i64) {
    own.note_gap(Timestamp::from_millis(from), Timestamp::from_millis(to));
}

pub(crate) fn advance(own: &mut Aggregate, now: i64) {
    own.advance(Timestamp::from_millis(now));
}

/// What an aggregate that comes to one number shows.
pub(crate) fn number(own: &Aggregate) -> NumberValue {
    match own.value(0) {
        WidgetValue::Number(number) => number,
        other => panic!("{other:?} is no number"),
    }
}

/// A template from its text; no braces but those of holes.
pub(crate) fn template(text: &str) -> Template {
    let mut parts = Vec::new();
    for (number, piece) in text.split(['{', '}']).enumerate() {
        if number % 2 == 1 {
            parts.push(TemplatePart::Hole(piece.parse().expect("a path")));
        } else if !piece.is_empty() {
            parts.push(TemplatePart::Text(piece.to_owned()));
        }
    }
    Template { parts, source: text.to_owned() }
}

/// A fold of every event, from the reducer's settings: durations in milliseconds, `_` in names, everything but what the
/// case is about left out.
pub(crate) fn fold_of(spec: Value) -> FoldSpec {
    FoldSpec {
        channels: Vec::new(),
        on: Vec::new(),
        only: [].into(),
        timezone: spec["timezone"].as_str().unwrap_or_default().to_owned(),
        whole: spec["whole"] == true,
        reducer: reducer_of(&spec),
    }
}

fn reducer_of(spec: &Value) -> ReducerSpec {
    let path = |name: &str| spec[name].as_str().map(|text| text.parse::<Path>().expect("a path"));
    let need = |name: &str| path(name).unwrap_or_else(|| panic!("`{name}` is missing"));
    let span = |name: &str| spec[name].as_u64().map(Duration::from_millis);
    let length = |name: &str| span(name).unwrap_or_else(|| panic!("`{name}` is missing"));
    let limit = |otherwise: u32| spec["limit"].as_u64().map_or(otherwise, |limit| limit as u32);
    let names = |name: &str| -> Vec<String> {
        spec[name].as_array().into_iter().flatten().map(|name| name.as_str().expect("a text").to_owned()).collect()
    };
    let text = |name: &str| spec[name].as_str().map(template);
    let life = || LifeSpec { remove_on: names("remove_on"), expire: span("expire"), lost_after: span("lost_after") };
    let matching = || {
        let fields = spec["match"].as_object().into_iter().flatten();
        fields.map(|(key, value)| (key.parse().expect("a path"), vec![value.clone()])).collect()
    };
    match spec["kind"].as_str().expect("a kind") {
        "counter" => ReducerSpec::Counter {
            stat: parse(spec, "stat"),
            value: path("value"),
            matching: matching(),
            reset_daily_minutes: spec["reset"].as_u64().map(|minutes| minutes as u32),
            trend: span("trend"),
        },
        "gauge" => ReducerSpec::Gauge { value: need("value"), trend: span("trend") },
        "rate" => {
            ReducerSpec::Rate { last: length("last"), per: length("per"), value: path("value"), trend: span("trend") }
        }
        "window" => ReducerSpec::Window {
            last: length("last"),
            stat: parse(spec, "stat"),
            value: path("value"),
            matching: matching(),
            trend: span("trend"),
        },
        "table" => ReducerSpec::Table {
            key: need("key"),
            columns: names("columns").iter().map(|path| path.parse().expect("a path")).collect(),
            sort: path("sort"),
            descending: spec["descending"] == true,
            then: names("then")
                .iter()
                .map(|text| text.strip_prefix('-').map_or((text.as_str(), false), |rest| (rest, true)))
                .map(|(text, descending)| (text.parse().expect("a path"), descending))
                .collect(),
            group: path("group"),
            limit: limit(100),
            remove_on: names("remove_on"),
            expire: span("expire"),
            expire_at: path("expire_at"),
            state: path("state").map(state_of),
        },
        "log" => ReducerSpec::Log {
            text: text("text").expect("a text"),
            limit: limit(50),
            state: path("state").map(state_of),
        },
        "series" => ReducerSpec::Series {
            bucket: length("bucket"),
            keep: length("keep"),
            stat: parse(spec, "stat"),
            value: path("value"),
            by: path("by"),
            lines: lines_of(spec),
            marks: spec["marks"].as_object().map(|_| MarksSpec {
                on: vec![spec["marks"]["on"].as_str().expect("a name").to_owned()],
                only: spec["marks"]["where"].as_object().into_iter().flatten().map(of_values).collect(),
                label: spec["marks"]["label"].as_str().map(template),
                limit: spec["marks"]["limit"].as_u64().map_or(20, |limit| limit as u32),
            }),
            most: spec["most"].as_u64().map_or(CHART_LINES_MAX, |most| most as usize),
        },
        "tally" => ReducerSpec::Tally {
            by: need("by"),
            stat: parse(spec, "stat"),
            value: path("value"),
            matching: matching(),
            last: span("last"),
            reset_daily_minutes: spec["reset"].as_u64().map(|minutes| minutes as u32),
            categories: names("categories"),
        },
        "histogram" => ReducerSpec::Histogram {
            value: need("value"),
            min: spec["min"].as_f64().expect("a number"),
            width: spec["width"].as_f64().expect("a number"),
            bins: spec["bins"].as_u64().expect("a number") as u16,
            stats: names("stats").iter().map(|word| parse(&json!({"stat": word}), "stat")).collect(),
            last: span("last"),
            reset_daily_minutes: spec["reset"].as_u64().map(|minutes| minutes as u32),
        },
        "matrix" => ReducerSpec::Matrix {
            row: need("row"),
            column: need("column"),
            state: state_of(need("state")),
            detail: text("detail"),
            life: life(),
        },
        "timeline" => ReducerSpec::Timeline {
            key: need("key"),
            label: text("label"),
            state: state_of(need("state")),
            keep: length("keep"),
        },
        "status" => ReducerSpec::Status {
            key: need("key"),
            label: text("label"),
            state: state_of(need("state")),
            detail: text("detail"),
            life: life(),
        },
        "markers" => ReducerSpec::Markers {
            key: need("key"),
            lat: need("lat"),
            lon: need("lon"),
            heading: path("heading"),
            label: text("label"),
            state: path("state").map(state_of),
            icon: path("icon").map(icon_of),
            remove_on: names("remove_on"),
            expire: span("expire"),
            trail: span("trail"),
            lost_after: span("lost_after"),
            fences: spec["fences"].as_array().into_iter().flatten().map(fence_of).collect(),
        },
        kind => panic!("the kind {kind:?}"),
    }
}

/// A fence of a map by its name, corners or circle (latitude, longitude, metres), state and the rest.
fn fence_of(spec: &Value) -> FenceSpec {
    let number = |value: &Value| value.as_f64().expect("a number");
    let spot = |corner: &Value| Spot::of(number(&corner[1]), number(&corner[0]));
    let area = match &spec["circle"] {
        Value::Array(circle) => {
            Area::Circle { lat: number(&circle[0]), lon: number(&circle[1]), radius_m: number(&circle[2]) }
        }
        _ => {
            let corners = spec["polygon"].as_array().expect("corners");
            Area::of_polygons(&[vec![ring(&corners.iter().chain(corners.first()).map(spot).collect::<Vec<_>>())]])
        }
    };
    let of_states = spec["of_states"].as_array().into_iter().flatten();
    FenceSpec {
        name: spec["name"].as_str().expect("a name").to_owned(),
        area,
        state: word_of(&spec["state"]),
        when: if spec["when"].is_null() { FenceWhen::Inside } else { word_of(&spec["when"]) },
        hold: Duration::from_millis(spec["hold"].as_u64().unwrap_or(0)),
        of_states: of_states.map(word_of).collect(),
        of_icons: Vec::new(),
    }
}

fn word_of<T: serde::de::DeserializeOwned>(word: &Value) -> T {
    serde_json::from_value(word.clone()).expect("a word")
}

/// The lines of a series, each by its title and settings.
fn lines_of(spec: &Value) -> Vec<LineSpec> {
    let lines = spec["lines"].as_array().into_iter().flatten();
    lines
        .map(|line| LineSpec {
            title: line["title"].as_str().expect("a title").to_owned(),
            on: line["on"].as_str().map(str::to_owned).into_iter().collect(),
            only: [].into(),
            stat: parse(line, "stat"),
            value: line["value"].as_str().map(|text| text.parse().expect("a path")),
        })
        .collect()
}

/// A condition: one value, or any of several.
fn of_values((path, values): (&String, &Value)) -> (Path, Vec<Value>) {
    (path.parse().expect("a path"), values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]))
}

/// `ok` is normal, `late` a warning, `bad` an alarm, `done` muted.
fn state_of(path: Path) -> StateSpec {
    let states = [("ok", State::Normal), ("late", State::Warning), ("bad", State::Alarm), ("done", State::Muted)];
    StateSpec { path, states: states.into_iter().map(|(word, state)| (word.to_owned(), state)).collect() }
}

/// `a` is a ship, `b` a car; anything else is other.
fn icon_of(path: Path) -> IconSpec {
    let icons = [("a".to_owned(), Icon::Ship), ("b".to_owned(), Icon::Car)];
    IconSpec { path: Some(path), icons: icons.into(), otherwise: None }
}

fn parse<T: FromWord>(spec: &Value, name: &str) -> T {
    T::from_word(spec[name].as_str().unwrap_or("count"))
}

/// The statistics by their words in the board file.
trait FromWord: Sized {
    fn from_word(word: &str) -> Self;
}

macro_rules! from_word {
    ($name:ident: $($variant:ident),*) => {
        impl FromWord for crate::config::spec::$name {
            fn from_word(word: &str) -> Self {
                [$(Self::$variant),*].into_iter().find(|own| json!(own) == word).expect("a statistic")
            }
        }
    };
}

from_word!(CounterStat: Count, Sum, Mean, Share);
from_word!(WindowStat: Count, Sum, Mean, Min, Max, Share, Distinct, P50, P90, P95, P99);
from_word!(HistogramStat: Mean, P50, P90, P95, P99);
from_word!(SeriesStat: Count, Sum, Mean, Min, Max, Last);
