//! What widgets show: small ones whole, large ones as what changed.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{FenceValue, HistogramValue, Icon, MarksValue, State, TallyValue, TimelineValue, Toward, TrailPoint};

/// What a widget shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WidgetValue {
    /// Counter, gauge, rate and window.
    Number(NumberValue),
    /// Table.
    Table(TableValue),
    /// Log.
    Log(LogValue),
    /// Series, and heat map.
    Series(SeriesValue),
    /// Histogram.
    Histogram(HistogramValue),
    /// Status.
    Status(StatusValue),
    /// Tally.
    Tally(TallyValue),
    /// Timeline.
    Timeline(TimelineValue),
    /// Markers.
    Markers(MarkersValue),
}

/// One number. Sent whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct NumberValue {
    /// The value; none if it is unknown (no event yet, or nothing to take a mean of). Never zero for unknown.
    pub value: Option<f64>,
    /// What the value means by the bands.
    pub state: State,
    /// Value now minus value at the beginning of the trend.
    pub change: Option<f64>,
    /// What that change means, where the board says which way is the better one.
    #[serde(default)]
    pub toward: Option<Toward>,
    /// The sparkline, oldest first: 61 points evenly spaced over the trend, so 60 stretches; none where nothing is known.
    /// Empty without a trend, and while the source's time isn't known.
    pub trend: Vec<Option<f64>>,
    /// Whether events may be missing from it: the true value is at least this.
    pub at_least: bool,
}

/// What changed in a table. To apply it: drop all rows if it is whole; put each of `rows` in the place of the row of its
/// key; drop those of `removed`; take over `order` if given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TableValue {
    /// Whether this is the whole table, not a change to it.
    pub whole: bool,
    /// New and changed rows.
    pub rows: Vec<RowValue>,
    /// Keys of rows that went.
    pub removed: Vec<String>,
    /// All keys in their order, if it changed.
    pub order: Option<Vec<String>>,
    /// Rows that exist, including those past the limit.
    pub total: u32,
    /// Whether there may be more: a table keeps 100,000, and nothing of those that found no place.
    #[serde(default)]
    pub at_least: bool,
    /// The groups of the rows that are shown, in their order, where rows are grouped. Sent whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<GroupValue>>"))]
    pub groups: Vec<GroupValue>,
    /// Groups that exist, including those that no row is shown of.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(test, ts(optional, as = "Option<u32>"))]
    pub groups_total: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Rows of one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct GroupValue {
    /// The value; none of those rows that have none.
    pub name: Option<String>,
    /// Its rows, also those that aren't shown.
    pub total: u32,
    /// What the worst of them means.
    pub state: State,
    /// How many of the rows that came with this are its own: as many, after those of the groups before it.
    pub shown: u32,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct RowValue {
    /// What tells it from the others.
    pub key: String,
    /// One cell a column.
    pub cells: Vec<Cell>,
    /// What the row means.
    pub state: State,
    /// Cells whose number lies in a band of their column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<CellMark>>"))]
    pub marks: Vec<CellMark>,
}

/// What a number in a cell means by its column's bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct CellMark {
    /// The number of the column, from 0.
    pub column: u32,
    /// What it means.
    pub state: State,
}

/// One cell. Zero, empty, null and missing are four different things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "is", content = "as", rename_all = "kebab-case")]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A text, perhaps empty.
    Text(String),
    /// An instant, milliseconds since the Unix epoch.
    Time(#[cfg_attr(test, ts(type = "number"))] i64),
    /// The event says null.
    Null,
    /// No event has said anything here.
    Missing,
}

/// What is new in a log. To apply it: drop all lines if it is whole; put `lines` before the others; keep the look's `limit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct LogValue {
    /// Whether these are all lines, not the new ones only.
    pub whole: bool,
    /// Lines, newest first.
    pub lines: Vec<LineValue>,
    /// Lines ever written.
    #[cfg_attr(test, ts(type = "number"))]
    pub total: u64,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct LineValue {
    /// Counts up by one.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// The source's time, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub source_ms: i64,
    /// What it says.
    pub text: String,
    /// What it means.
    pub state: State,
}

/// What changed in a chart. To apply it: drop all lines if it is whole; put each point in the place of that of its line and
/// bucket; drop points that lie `keep_ms` or more before the newest point of any line; take over `marks` if given; drop nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SeriesValue {
    /// Whether this is the whole chart, not a change to it.
    pub whole: bool,
    /// The lines, in their order; each with its new and changed points.
    pub lines: Vec<SeriesLine>,
    /// Stretches for which nobody can say what happened, as pairs of milliseconds since the Unix epoch. All of them.
    #[cfg_attr(test, ts(type = "[number, number][]"))]
    pub gaps: Vec<(i64, i64)>,
    /// What happened besides, all of it, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub marks: Option<MarksValue>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SeriesLine {
    /// Its key: the value of `by`, or the widget's title.
    pub key: String,
    /// Bucket start in milliseconds since the Unix epoch, and value; none for a bucket without one.
    #[cfg_attr(test, ts(type = "[number, number | null][]"))]
    pub points: Vec<(i64, Option<f64>)>,
}

/// A grid of tiles. Sent whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct StatusValue {
    /// In order of key.
    pub tiles: Vec<TileValue>,
}

/// One tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TileValue {
    /// What tells it from the others.
    pub key: String,
    /// Its heading.
    pub label: String,
    /// The state as the source says it: `closed`.
    pub text: String,
    /// What that means.
    pub state: State,
    /// A small line.
    pub detail: Option<String>,
    /// Since when it has this state, by the source's clock, milliseconds since the Unix epoch; of one that is silent, when it was last heard of.
    #[cfg_attr(test, ts(type = "number"))]
    pub since_ms: i64,
    /// Whether it is silent: it was not heard of for so long that `text` says only how it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub lost: bool,
}

/// What changed on a map. To apply it: drop all markers if it is whole; put each of `markers` in the place of that of its
/// key, with its trail after [`TrailLook::merged`](super::TrailLook::merged) unless that is whole as well; drop those of `removed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct MarkersValue {
    /// Whether these are all markers, not the changed ones only.
    pub whole: bool,
    /// New and moved markers.
    pub markers: Vec<MarkerValue>,
    /// Keys of markers that went.
    pub removed: Vec<String>,
    /// Markers on the map; whole, they are all listed.
    pub total: u32,
    /// Things without a position, besides: they exist and can't be drawn.
    pub unplaced: u32,
    /// Stretches for which nobody can say where anything was, as pairs of milliseconds since the Unix epoch. All of them; none without trails.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "[number, number][]"))]
    pub gaps: Vec<(i64, i64)>,
    /// What each of the look's fences says, all of them, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<FenceValue>>"))]
    pub fences: Vec<FenceValue>,
}

/// One marker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct MarkerValue {
    /// What tells it from the others.
    pub key: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Degrees clockwise from north.
    pub heading: Option<f64>,
    /// A short text beside it.
    pub label: Option<String>,
    /// What it means.
    pub state: State,
    /// What it is drawn as; a dot, or an aircraft where there is a heading, if none.
    #[serde(default)]
    pub icon: Option<Icon>,
    /// Where it was, in order of time, its newest position as well: new and changed points.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "[number, [number, number] | null][]"))]
    pub trail: Vec<TrailPoint>,
    /// Whether that is all of it.
    #[serde(default)]
    pub trail_whole: bool,
    /// Which of the look's fences tells of it, from 0: the worst one, and of equals the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fence: Option<u32>,
}
