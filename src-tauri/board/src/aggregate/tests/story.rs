//! Random stories of events and passing time.

use proptest::prelude::*;
use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use crate::{
    Aggregate,
    config::spec::FoldSpec,
    testing::{event, fold_of},
};

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Time, name, data.
    Event(i64, &'static str, Value),
    /// Time passes.
    Advance(i64),
}

impl Step {
    pub(crate) fn time(&self) -> i64 {
        match self {
            Self::Event(time, ..) | Self::Advance(time) => *time,
        }
    }
}

/// How many folds there are.
pub(crate) const FOLDS: usize = 43;

/// A fold of each kind and statistic.
pub(crate) fn fold(number: usize) -> FoldSpec {
    let window = |stat: &str| json!({"kind": "window", "last": 1000, "stat": stat, "value": "v", "match": {"k": "a"}, "trend": 6000});
    let series = |stat: &str, by: Value| json!({"kind": "series", "bucket": 500, "keep": 5000, "stat": stat, "value": "v", "by": by});
    let counter = |stat: &str| {
        json!({"kind": "counter", "stat": stat, "value": "v", "match": {"k": "a"}, "trend": 6000, "reset": 0,
            "timezone": "America/New_York"})
    };
    let spec = match number {
        0 => json!({"kind": "counter"}),
        1 => counter("count"),
        2 => counter("sum"),
        3 => counter("mean"),
        4 => counter("share"),
        5 => json!({"kind": "counter", "trend": 600}),
        6 => json!({"kind": "gauge", "value": "v"}),
        7 => json!({"kind": "gauge", "value": "v", "trend": 6000}),
        8 => json!({"kind": "rate", "last": 1000, "per": 60_000}),
        9 => json!({"kind": "rate", "last": 1500, "per": 60_000, "value": "v", "trend": 60_000}),
        10 => window("count"),
        11 => window("sum"),
        12 => window("mean"),
        13 => window("min"),
        14 => window("max"),
        15 => window("share"),
        16 => window("distinct"),
        17 => window("p50"),
        18 => window("p99"),
        19 => json!({"kind": "window", "last": 997, "stat": "sum", "value": "v", "trend": 7001}),
        20 => {
            json!({"kind": "table", "key": "k", "columns": ["v", "t", "s"], "group": "s", "sort": "t", "then": ["-v"],
            "limit": 4, "state": "s"})
        }
        21 => json!({"kind": "table", "key": "k", "columns": ["k", "v"], "sort": "v", "descending": true, "limit": 3,
            "remove_on": ["gone"], "state": "s"}),
        22 => json!({"kind": "table", "key": "k", "columns": ["v"], "sort": "t", "limit": 2, "expire": 700,
            "expire_at": "x", "state": "s"}),
        23 => json!({"kind": "log", "text": "{k}: {v}", "limit": 4, "state": "s"}),
        24 => series("count", json!(null)),
        25 => series("sum", json!("k")),
        26 => series("mean", json!(null)),
        27 => series("min", json!("k")),
        28 => series("max", json!("k")),
        29 => series("last", json!(null)),
        30 => json!({"kind": "status", "key": "k", "label": "Tile {k}", "state": "s", "detail": "{v}"}),
        32 => {
            json!({"kind": "series", "bucket": 500, "keep": 5000, "marks": {"on": "gone", "label": "{t} {k}", "limit": 3}})
        }
        33 => json!({"kind": "series", "bucket": 500, "keep": 5000, "lines": [
            {"title": "all"}, {"title": "sum", "stat": "sum", "value": "v", "on": "e"},
            {"title": "north", "stat": "last", "value": "lat"}]}),
        34 => json!({"kind": "tally", "by": "k", "last": 1000, "stat": "mean", "value": "v"}),
        35 => {
            json!({"kind": "tally", "by": "k", "stat": "sum", "value": "v", "reset": 0, "timezone": "America/New_York"})
        }
        36 => {
            json!({"kind": "histogram", "value": "v", "min": -20, "width": 5, "bins": 8, "last": 1000, "stats": ["mean", "p90"]})
        }
        37 => json!({"kind": "histogram", "value": "v", "min": 0, "width": 0.5, "bins": 40, "reset": 0,
            "timezone": "America/New_York"}),
        38 => json!({"kind": "timeline", "key": "k", "label": "Row {k}", "state": "s", "keep": 2000}),
        39 => json!({"kind": "matrix", "row": "k", "column": "t", "state": "s"}),
        40 => json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "state": "s", "remove_on": ["gone"],
            "lost_after": 900, "fences": [
                {"name": "a", "polygon": [[-50, -20], [30, -20], [30, 20], [-50, 30]], "state": "warning", "hold": 300},
                {"name": "b", "circle": [0, 0, 2_000_000], "state": "alarm", "when": "outside", "of_states": ["normal", "muted"]}]}),
        41 => {
            json!({"kind": "status", "key": "k", "state": "s", "remove_on": ["gone"], "expire": 700, "lost_after": 300})
        }
        42 => json!({"kind": "matrix", "row": "k", "column": "t", "state": "s", "lost_after": 500}),
        _ => json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "heading": "v", "label": "{t}",
            "state": "s", "icon": "k", "remove_on": ["gone"], "expire": 700, "trail": 2000}),
    };
    fold_of(spec)
}

/// Data that every fold can use.
pub(crate) fn sound(v: i64) -> Value {
    json!({"k": "a", "v": v, "t": "x", "s": "ok", "lat": 1, "lon": 2, "x": v})
}

/// A little before a midnight in New York.
const START: i64 = 1_360_299_590_000;

/// Events in about the order of time, some late, some early; time that passes, and is set back now and then.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((any::<bool>(), -400..1000_i64, name(), data()), 0..80).prop_map(|raw| {
        let mut now = START;
        raw.into_iter()
            .map(|(is_event, by, name, data)| {
                now += by / 4;
                if is_event { Step::Event(now + by, name, data) } else { Step::Advance(now) }
            })
            .collect()
    })
}

/// Events and advances strictly in the order of time, all data sound.
pub(crate) fn stepwise() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((any::<bool>(), 1..400_i64, name(), sound_data()), 1..80).prop_map(|raw| {
        let mut now = START;
        raw.into_iter()
            .map(|(is_event, by, name, data)| {
                now += by;
                if is_event { Step::Event(now, name, data) } else { Step::Advance(now) }
            })
            .collect()
    })
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["e", "e", "e", "e", "gone"])
}

fn key() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![json!("a"), json!("b"), json!("c"), json!("d"), json!(5), json!("e")])
}

fn sound_data() -> impl Strategy<Value = Value> {
    let number = prop_oneof![4 => (-50..50_i64).prop_map(Value::from), 1 => Just(Value::Null)];
    let state = prop::sample::select(vec![json!("ok"), json!("late"), json!("odd"), json!(null)]);
    let until = (START..START + 10_000).prop_map(Value::from);
    (key(), number, state, -90..=90_i64, prop::option::of(until), any::<u8>()).prop_map(|(k, v, s, lat, x, leave)| {
        let text = format!("t{}", leave % 5);
        let mut data = json!({"k": k, "v": v, "t": text, "s": s, "lat": lat, "lon": 2 * lat, "x": x});
        // Fields are left out now and then.
        for (bit, field) in ["v", "s", "lat", "lon", "x", "t"].into_iter().enumerate() {
            if leave >> bit & 3 == 3
                && let Some(fields) = data.as_object_mut()
            {
                fields.remove(field);
            }
        }
        data
    })
}

fn data() -> impl Strategy<Value = Value> {
    let bad =
        prop::sample::select(vec![json!("text"), json!([1]), json!({"a": 1}), json!(1e300), json!(true), json!(0.1)]);
    let field = prop::sample::select(vec!["k", "v", "s", "lat", "lon", "x", "t"]);
    prop_oneof![
        4 => sound_data(),
        1 => (sound_data(), field, bad).prop_map(|(mut data, field, bad)| {
            data[field] = bad;
            data
        }),
        1 => Just(json!({})),
        1 => Just(json!([1, 2])),
    ]
}

/// Plays steps; what an aggregate doesn't want or can't use is passed over.
pub(crate) fn play(own: &mut Aggregate, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Advance(now) => own.advance(Timestamp::from_millis(*now)),
            Step::Event(time, name, data) => {
                let event = event("c", name, *time, data.clone());
                if own.wants(&event) {
                    // Rejections are another test's business.
                    let _ = own.fold(&event);
                }
            }
        }
    }
}

/// Replaces the value number `at` of a JSON value, counted in depth, by another one.
pub(crate) fn replace(value: &mut Value, at: usize, by: &Value) {
    let mut left = at % count(value);
    put(value, &mut left, by);
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

fn put(value: &mut Value, left: &mut usize, by: &Value) -> bool {
    if *left == 0 {
        *value = by.clone();
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| put(item, left, by)),
        Value::Object(fields) => fields.values_mut().any(|field| put(field, left, by)),
        _ => false,
    }
}
