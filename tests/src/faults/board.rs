//! The board that every wall under fault shows: one widget of each kind, and nothing that time alone would change.

use std::time::Duration;

/// How long a widget may be called live without a proof.
pub const LIMIT: Duration = Duration::from_secs(2);
/// What H1 allows for finding out.
pub const FOUND_MAX: Duration = Duration::from_secs(3);
/// The source.
pub const SOURCE: &str = "ops";
/// Its channels.
pub const CHANNELS: [&str; 2] = ["c0", "c1"];
/// The length of a chart's bucket in milliseconds.
pub const BUCKET_MS: i64 = 10_000;
/// Lines that the log keeps.
pub const LINES: usize = 10;
/// Rows that the table shows.
pub const ROWS: usize = 5;

/// The file's text, for a hub at `url`. `more` is further keys of the source.
#[must_use]
pub fn text(url: &str, more: &str) -> String {
    format!(
        r#"
[board]
title = "Faults"
stale-after = "2s"

[[source]]
id = "{SOURCE}"
kind = "hub"
url = "{url}"
channels = ["c0", "c1"]
reconcile = "10s"
{more}

[[widget]]
id = "count"
kind = "counter"

[[widget]]
id = "sum"
kind = "counter"
on = "set"
stat = "sum"
value = "v"

[[widget]]
id = "share"
kind = "counter"
on = "set"
stat = "share"
match = {{ s = "bad" }}

[[widget]]
id = "level"
kind = "gauge"
on = "set"
value = "n"

[[widget]]
id = "rate"
kind = "rate"
last = "1h"
per = "1h"

[[widget]]
id = "largest"
kind = "window"
on = "set"
last = "1h"
stat = "max"
value = "v"

[[widget]]
id = "distinct"
kind = "window"
last = "1h"
stat = "distinct"
value = "k"

[[widget]]
id = "rows"
kind = "table"
key = "k"
columns = [{{ path = "v" }}, {{ path = "s" }}]
sort = "-v"
limit = {ROWS}
on = "set"
remove-on = "drop"
state = "s"
states = {{ ok = "normal", bad = "alarm" }}

[[widget]]
id = "lines"
kind = "log"
text = "{{k}} {{n}}"
limit = {LINES}

[[widget]]
id = "chart"
kind = "series"
bucket = "10s"
keep = "1h"

[[widget]]
id = "tiles"
kind = "status"
on = "set"
key = "k"
state = "s"
states = {{ ok = "normal", bad = "alarm" }}
detail = "{{v}}"

[[widget]]
id = "ships"
kind = "markers"
on = "set"
key = "k"
lat = "lat"
lon = "lon"
label = "{{k}}"
remove-on = "drop"
"#
    )
}
