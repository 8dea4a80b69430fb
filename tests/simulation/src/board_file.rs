//! The board that every simulated wall shows: one widget of each kind, and more of those whose value depends on time.

use std::sync::Arc;

use watchfloor_board::config::{self, BoardFile};

use crate::plan::Plan;

/// The source.
pub const SOURCE: &str = "ops";
/// Its address.
pub const URL: &str = "http://hub.example:1";
/// The other address, where there are two.
pub const OTHER_URL: &str = "http://other.example:1";

/// The channels' names.
#[must_use]
pub fn channels(plan: &Plan) -> Vec<Arc<str>> {
    let name = |number| plan.dialect.map_or_else(|| format!("c{number}"), |dialect| dialect.channel(number));
    (0..plan.channels).map(|number| name(number).into()).collect()
}

/// The file's text.
#[must_use]
pub fn text(plan: &Plan) -> String {
    let channels = channels(plan).iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let quiet = plan.quiet.map(|quiet| format!("quiet = \"{quiet}ms\"\n")).unwrap_or_default();
    let (kind, url, besides) = match plan.dialect {
        Some(dialect) => (dialect.in_board().0, dialect.url(), dialect.in_board().1),
        None => ("hub", URL, ""),
    };
    let (limit, patient) = (plan.limit, plan.limit * 3);
    format!(
        r#"
[board]
title = "Simulation"
stale-after = "{limit}ms"

[[source]]
id = "{SOURCE}"
kind = "{kind}"
url = "{url}"
{besides}
channels = [{channels}]
{quiet}
[[widget]]
id = "count"
kind = "counter"
on = ["set", "note"]

[[widget]]
id = "sum-today"
kind = "counter"
on = "set"
stat = "sum"
value = "v"
reset = "daily 00:00"

[[widget]]
id = "mean"
kind = "counter"
on = "set"
stat = "mean"
value = "v"
stale-after = "{patient}ms"

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
where = {{ k = "k0" }}
value = "v"

[[widget]]
id = "rate"
kind = "rate"
last = "5m"
per = "1h"

[[widget]]
id = "last-mean"
kind = "window"
on = "set"
last = "10m"
stat = "mean"
value = "v"

[[widget]]
id = "distinct"
kind = "window"
last = "3m"
stat = "distinct"
value = "k"
stale-after = "{patient}ms"

[[widget]]
id = "rows"
kind = "table"
key = "k"
columns = [{{ path = "v" }}, {{ path = "s" }}]
group = "s"
sort = "-v"
limit = 5
on = "set"
remove-on = "drop"
expire = "20m"
state = "s"
states = {{ ok = "normal", bad = "alarm" }}

[[widget]]
id = "lines"
kind = "log"
on = ["set", "note"]
text = "{{k}} {{v}}"
limit = 10
state = "s"
states = {{ ok = "normal", bad = "alarm" }}

[[widget]]
id = "chart"
kind = "series"
bucket = "1m"
keep = "30m"

[[widget]]
id = "named"
kind = "series"
on = ["set", "note"]
bucket = "1m"
keep = "30m"
lines = [{{ title = "sets", on = "set" }}, {{ title = "worth", stat = "sum", value = "v" }}]
marks = {{ on = "drop", label = "{{k}}", limit = 8 }}

[[widget]]
id = "sizes"
kind = "histogram"
on = "set"
value = "v"
reset = "daily 00:00"
min = 0
max = 1000
bin = 100

[[widget]]
id = "heat"
kind = "heat"
on = "set"
bucket = "1m"
keep = "30m"
by = "k"

[[widget]]
id = "tiles"
kind = "status"
on = "set"
key = "k"
state = "s"
states = {{ ok = "normal", bad = "alarm" }}
detail = "{{v}}"
lost-after = "10m"

[[widget]]
id = "bars"
kind = "tally"
on = "set"
by = "k"
stat = "sum"
value = "v"

[[widget]]
id = "grid"
kind = "matrix"
on = "set"
row = "k"
column = "s"
state = "s"
states = {{ ok = "normal", bad = "alarm" }}
detail = "{{v}}"

[[widget]]
id = "states"
kind = "timeline"
on = "set"
key = "k"
state = "s"
states = {{ ok = "normal", bad = "alarm" }}
keep = "30m"

[[widget]]
id = "ships"
kind = "markers"
on = "set"
key = "k"
lat = "lat"
lon = "lon"
label = "{{k}}"
icon = "s"
icons = {{ ok = "ship", bad = "wrench" }}
trail = "10m"
remove-on = "drop"
expire = "30m"
lost-after = "10m"
fences = [
    {{ name = "field", polygon = [[0, 0], [120, 10], [60, 80], [10, 60]], state = "warning", for = "1m" }},
    {{ name = "reach", circle = {{ lat = 45, lon = 90, radius = "2000km" }}, state = "alarm" }},
]

[[alarm]]
id = "bad"
on = "set"
key = "k"
raise = "event.s == 'bad'"
clear = "event.s == 'ok'"

[[alarm]]
id = "high"
when = "level > 500"
"#
    )
}

/// The board.
///
/// # Panics
/// If this module's text is no board file.
#[must_use]
pub fn parse(plan: &Plan) -> BoardFile {
    config::parse(&text(plan), "simulation.toml").unwrap_or_else(|errors| unreachable!("{errors}"))
}
