//! A fold and a widget of every kind.

use serde_json::{Value, json};

/// Fields of the data that the folds look at.
pub(super) const FIELDS: [&str; 10] = ["k", "v", "lat", "lon", "h", "s", "t", "at", "a", "0"];
/// Texts that mean something to one of them.
pub(super) const WORDS: [&str; 12] =
    ["a", "b", "ok", "late", "bad", "done", "", "é\u{1F6EB}", "2013-02-08T15:00:00Z", "12.5", "null", "\u{0}"];

/// The settings of a fold of each kind, as the crate's tests write them.
pub(super) fn specs() -> Vec<Value> {
    vec![
        json!({"kind": "counter"}),
        json!({"kind": "counter", "stat": "sum", "value": "v", "reset": 270, "trend": 60_000, "timezone": "America/New_York"}),
        json!({"kind": "counter", "stat": "mean", "value": "v", "reset": 0, "timezone": "Europe/Berlin"}),
        json!({"kind": "counter", "stat": "share", "match": {"s": "late"}, "trend": 1000}),
        json!({"kind": "gauge", "value": "v", "trend": 30_000}),
        json!({"kind": "rate", "last": 60_000, "per": 3_600_000}),
        json!({"kind": "rate", "last": 1, "per": 1000, "value": "v", "trend": 600_000}),
        json!({"kind": "window", "last": 60_000, "trend": 120_000}),
        json!({"kind": "window", "last": 600_000, "stat": "mean", "value": "v"}),
        json!({"kind": "window", "last": 600_000, "stat": "min", "value": "v"}),
        json!({"kind": "window", "last": 86_400_000, "stat": "max", "value": "v"}),
        json!({"kind": "window", "last": 600_000, "stat": "share", "match": {"s": "ok"}}),
        json!({"kind": "window", "last": 600_000, "stat": "distinct", "value": "k"}),
        json!({"kind": "window", "last": 600_000, "stat": "p95", "value": "v", "trend": 60_000}),
        json!({"kind": "window", "last": 5000, "stat": "p50", "value": "v"}),
        json!({"kind": "table", "key": "k", "columns": ["v", "s", "at"], "sort": "v", "limit": 2}),
        json!({"kind": "table", "key": "k", "columns": ["a"], "descending": true, "sort": "v", "then": ["-t"], "group": "s", "remove_on": ["gone"], "expire": 60_000, "state": "s"}),
        json!({"kind": "table", "key": "k", "columns": ["v"], "sort": "at", "expire_at": "at", "limit": 5}),
        json!({"kind": "log", "text": "x {k} é {v}", "limit": 3, "state": "s"}),
        json!({"kind": "series", "bucket": 10_000, "keep": 300_000}),
        json!({"kind": "series", "bucket": 1000, "keep": 60_000, "stat": "mean", "value": "v", "by": "k"}),
        json!({"kind": "series", "bucket": 3_600_000, "keep": 86_400_000, "stat": "sum", "value": "v"}),
        json!({"kind": "series", "bucket": 10_000, "keep": 20_000, "stat": "last", "value": "v", "by": "s"}),
        json!({"kind": "series", "bucket": 10_000, "keep": 300_000, "stat": "max", "value": "v"}),
        json!({"kind": "series", "bucket": 10_000, "keep": 300_000, "marks": {"on": "gone", "label": "{k} é {v}", "limit": 2}}),
        json!({"kind": "series", "bucket": 1000, "keep": 60_000, "lines": [
            {"title": "a", "stat": "mean", "value": "v"}, {"title": "b", "stat": "max", "value": "h", "on": "set"}]}),
        json!({"kind": "tally", "by": "k", "last": 60_000, "stat": "sum", "value": "v"}),
        json!({"kind": "tally", "by": "s", "stat": "mean", "value": "v", "reset": 270, "timezone": "America/New_York"}),
        json!({"kind": "tally", "by": "k", "stat": "share", "match": {"s": "late"}, "categories": ["a", "c"]}),
        json!({"kind": "series", "bucket": 10_000, "keep": 300_000, "by": "k", "most": 100}),
        json!({"kind": "histogram", "value": "v", "min": 0, "width": 10, "bins": 12, "last": 60_000, "stats": ["p50", "mean"]}),
        json!({"kind": "histogram", "value": "v", "min": -1.5, "width": 0.1, "bins": 30, "reset": 270, "timezone": "Europe/Berlin"}),
        json!({"kind": "matrix", "row": "k", "column": "t", "state": "s", "detail": "{v}"}),
        json!({"kind": "status", "key": "k", "state": "s", "remove_on": ["gone"], "expire": 60_000, "lost_after": 20_000}),
        json!({"kind": "timeline", "key": "k", "state": "s", "label": "{k} {t}", "keep": 60_000}),
        json!({"kind": "status", "key": "k", "state": "s", "label": "{k}", "detail": "{t} {a.k}"}),
        json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "heading": "h", "label": "{k}", "state": "s"}),
        json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "remove_on": ["gone"], "expire": 60_000}),
        json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "icon": "t", "trail": 60_000, "expire": 60_000}),
        json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "state": "s", "lost_after": 20_000, "remove_on": ["gone"], "fences": [
            {"name": "a", "polygon": [[170, -80], [-170, -80], [-170, 80], [170, 80]], "state": "warning", "hold": 5_000},
            {"name": "b", "circle": [12.5, 12.5, 1_000_000], "state": "alarm", "when": "outside", "of_states": ["warning"]}]}),
    ]
}

/// A widget of every kind.
pub(super) const BOARD: &str = r#"
[board]
title = "Test"
timezone = "America/New_York"
grid = { columns = 6, rows = 6 }

[[source]]
id = "s"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["c"]
quiet = "45s"

[[widget]]
id = "count"
kind = "counter"
stat = "sum"
value = "v"
reset = "daily 04:30"
trend = "1m"

[[widget]]
id = "gauge"
kind = "gauge"
value = "v"
bands = [{ from = 25, state = "alarm" }]

[[widget]]
id = "rate"
kind = "rate"
last = "1m"
per = "1h"

[[widget]]
id = "window"
kind = "window"
last = "1m"
stat = "p90"
value = "v"
trend = "2m"

[[widget]]
id = "table"
kind = "table"
key = "k"
columns = [{ path = "v" }, { path = "at", format = "time" }]
sort = "v"
limit = 2
expire = "1m"

[[widget]]
id = "log"
kind = "log"
text = "{k}: {v}"

[[widget]]
id = "series"
kind = "series"
bucket = "10s"
keep = "5m"
stat = "mean"
value = "v"
by = "k"

[[widget]]
id = "tally"
kind = "tally"
by = "k"
last = "1m"
stat = "max"
value = "v"
bands = [{ from = 25, state = "alarm" }]

[[widget]]
id = "histogram"
kind = "histogram"
value = "v"
last = "1m"
min = 0
max = 100
stats = ["p50"]

[[widget]]
id = "heat"
kind = "heat"
bucket = "10s"
keep = "5m"
by = "k"

[[widget]]
id = "matrix"
kind = "matrix"
row = "k"
column = "t"
state = "s"
states = { ok = "normal", late = "warning", bad = "alarm" }

[[widget]]
id = "timeline"
kind = "timeline"
key = "k"
state = "s"
states = { ok = "normal", late = "warning", bad = "alarm" }
keep = "5m"

[[widget]]
id = "status"
kind = "status"
key = "k"
state = "s"
states = { ok = "normal", late = "warning", bad = "alarm" }
"#;
