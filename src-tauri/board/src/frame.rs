//! What crosses to the page: one bounded answer to one pull.
//!
//! The page asks for what changed after the version that it has *painted*; asking again is the receipt. A frame is
//! computed from the state, never queued, so a slow page costs no memory and misses no state: it sees the newest.
//! The TypeScript twins of these types are generated into `ui/src/generated` by this crate's tests.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use watchfloor_model::{Continuity, Phase, Transport};

use crate::freshness::Freshness;

/// One answer to the page's pull.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct Frame {
    /// The state's version that this frame brings the page to; the next pull names it.
    #[ts(type = "number")]
    pub version: u64,
    /// The board, if the page doesn't have this one yet: on its first pull and after a reload of the file.
    pub board: Option<BoardView>,
    /// The revision of the board that the widgets below belong to; the next pull names it.
    pub revision: u32,
    /// What time it is, for people.
    pub clock: ClockView,
    /// The next frame comes after this many milliseconds at the latest, changed or not.
    pub heartbeat_ms: u32,
    /// Every source, in the board's order.
    pub sources: Vec<SourceView>,
    /// Every widget's quality, in the board's order, and the values that changed.
    pub widgets: Vec<WidgetPatch>,
    /// Everything that people must know besides: the board file was refused, nothing is being remembered.
    pub notices: Vec<Notice>,
}

/// What time it is.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct ClockView {
    /// This machine's wall clock when the frame was made, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub wall_ms: i64,
    /// The board's time when the frame was made: its first source's own clock, else the wall clock.
    #[ts(type = "number")]
    pub board_ms: i64,
    /// Board seconds a real second: 1, or the speed of a replay, or 0 for a paused one.
    pub speed: f64,
    /// What kind of time the board's is if it isn't the present: `Replay of 8 February 2013`.
    pub label: Option<String>,
}

/// The board as the page lays it out.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct BoardView {
    /// The head line's title.
    pub title: String,
    /// IANA zone in which times are written.
    pub timezone: String,
    /// `dark` or `light`.
    pub theme: String,
    /// Columns of the grid.
    pub columns: u32,
    /// Rows of the grid.
    pub rows: u32,
    /// Every widget, in the board's order.
    pub widgets: Vec<WidgetView>,
}

/// One widget as the page lays it out. What it shows comes by [`WidgetPatch`].
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct WidgetView {
    /// Its id in the board file.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// A small line under the heading.
    pub note: Option<String>,
    /// The source that it folds.
    pub source: String,
    /// Where it stands, in grid cells; column and row count from 1.
    pub place: Place,
    /// What it is.
    pub look: Look,
}

/// A rectangle of grid cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct Place {
    /// Leftmost column, from 1.
    pub column: u32,
    /// Topmost row, from 1.
    pub row: u32,
    /// Columns covered.
    pub width: u32,
    /// Rows covered.
    pub height: u32,
}

/// How a widget is drawn, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
#[ts(export_to = "frame.ts")]
pub enum Look {
    /// One number that counts, with its change and a sparkline.
    Counter(NumberLook),
    /// One number on a scale.
    Gauge(NumberLook),
    /// One number per unit of time.
    Rate(NumberLook),
    /// One number over a sliding window.
    Window(NumberLook),
    /// Rows by key.
    Table {
        /// Left to right.
        columns: Vec<ColumnLook>,
        /// Most rows that the table keeps.
        limit: u32,
    },
    /// Lines, newest first.
    Log {
        /// Most lines that the log keeps.
        limit: u32,
    },
    /// Lines or bars over time.
    Series {
        /// `line`, `area` or `bars`.
        draw: String,
        /// Unit of the values.
        unit: Option<String>,
        /// Digits after the point.
        decimals: u8,
        /// Length of the moving window, milliseconds of board time.
        #[ts(type = "number")]
        keep_ms: u64,
        /// Length of one bucket, milliseconds of board time.
        #[ts(type = "number")]
        bucket_ms: u64,
    },
    /// A grid of tiles by key.
    Status {},
    /// Markers on a map.
    Markers {
        /// West, south, east, north in degrees: what the map shows.
        bounds: [f64; 4],
        /// Fixed, named points.
        places: Vec<PlaceMark>,
        /// How long a marker takes to glide to a new position, milliseconds of real time.
        glide_ms: u32,
    },
}

/// How a single number is drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct NumberLook {
    /// Unit, drawn smaller: `min`, `%`, `/h`. With `%` a share of 0 to 1 is written as 0 to 100.
    pub unit: Option<String>,
    /// Digits after the point.
    pub decimals: u8,
    /// Lower end of the scale.
    pub min: Option<f64>,
    /// Upper end of the scale.
    pub max: Option<f64>,
    /// Stretches of the scale that mean something.
    pub bands: Vec<BandLook>,
    /// How far back sparkline and change reach, milliseconds of board time; none for neither.
    #[ts(type = "number | null")]
    pub trend_ms: Option<u64>,
}

/// A stretch of a scale with a meaning.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct BandLook {
    /// Lower end, included; open if missing.
    pub from: Option<f64>,
    /// Upper end, excluded; open if missing.
    pub to: Option<f64>,
    /// What a value in it means.
    pub state: State,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct ColumnLook {
    /// Its heading.
    pub title: String,
    /// `text`, `number`, `time` (a time of day in the board's zone) or `state` (text in the row's state).
    pub format: String,
    /// Digits after the point, for numbers.
    pub decimals: u8,
    /// Share of the width; 1 is usual.
    pub width: f64,
}

/// A fixed, named point of a map.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct PlaceMark {
    /// Its label.
    pub name: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// What a row, line, tile, marker or number means. The page tells them apart by shape and text as well as colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export_to = "frame.ts")]
pub enum State {
    /// Nothing to do.
    #[default]
    Normal,
    /// Present and over: departed, done. Drawn quieter.
    Muted,
    /// Look at it.
    Warning,
    /// Act on it.
    Alarm,
    /// A value that the board file gives no meaning to.
    Unknown,
}

/// A source in the head line.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct SourceView {
    /// Its id in the board file.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Where the connection stands.
    #[ts(
        type = "'idle' | 'connecting' | 'authorising' | 'subscribing' | 'catching-up' | 'live' | 'waiting' | 'refused'"
    )]
    pub phase: Phase,
    /// How its events travel.
    #[ts(type = "'websocket' | 'sse' | 'long-poll' | 'poll' | null")]
    pub transport: Option<Transport>,
    /// What is known about completeness.
    #[ts(type = "'unknown' | 'proven' | 'snapshot'")]
    pub continuity: Continuity,
    /// The freshness that it gives its widgets at best.
    pub freshness: Freshness,
    /// Its state in a few words: `live by WebSocket`, `lost 12 s ago: connection refused, next try in 3 s`.
    pub words: String,
    /// Events delivered since the program started.
    #[ts(type = "number")]
    pub events: u64,
    /// Events refused since the program started.
    #[ts(type = "number")]
    pub rejected: u64,
    /// Gaps met since the program started.
    #[ts(type = "number")]
    pub gaps: u64,
}

/// A widget's quality, and its value if that changed. There is no way to send a value without its quality.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct WidgetPatch {
    /// Its id in the board file.
    pub id: String,
    /// How far what it shows can be believed.
    pub quality: Quality,
    /// What it shows, if that changed since the version that the page has painted.
    pub value: Option<WidgetValue>,
}

/// How far a value can be believed, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct Quality {
    /// What may be said of it when the frame was made.
    pub freshness: Freshness,
    /// Why it isn't live, for people.
    pub reason: Option<String>,
    /// Age of the newest proof that it is current, milliseconds; none if there was never one.
    #[ts(type = "number | null")]
    pub age_ms: Option<u64>,
    /// The age from which it may not be called live, milliseconds.
    #[ts(type = "number")]
    pub limit_ms: u64,
    /// *Live* ends by itself after this many milliseconds on the page's own clock unless a newer frame renews it.
    #[ts(type = "number")]
    pub live_for_ms: u64,
    /// The source's time of the newest event in it, milliseconds since the Unix epoch.
    #[ts(type = "number | null")]
    pub source_ms: Option<i64>,
    /// How long ago that event reached this program, milliseconds.
    #[ts(type = "number | null")]
    pub received_ago_ms: Option<u64>,
    /// What is known about its completeness.
    #[ts(type = "'unknown' | 'proven' | 'snapshot'")]
    pub basis: Continuity,
    /// Events that it could not use, and the newest reason.
    pub rejected: Option<Rejected>,
}

/// Events that a widget could not use.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct Rejected {
    /// How many since the program started.
    #[ts(type = "number")]
    pub count: u64,
    /// The newest reason: where, what was found, what was expected.
    pub reason: String,
}

/// What a widget shows.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[ts(export_to = "frame.ts")]
pub enum WidgetValue {
    /// Counter, gauge, rate and window.
    Number(NumberValue),
    /// Table.
    Table(TableValue),
    /// Log.
    Log(LogValue),
    /// Series.
    Series(SeriesValue),
    /// Status.
    Status(StatusValue),
    /// Markers.
    Markers(MarkersValue),
}

/// One number. Sent whole.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct NumberValue {
    /// The value; none if it is unknown (no event yet, or nothing to take a mean of). Never zero for unknown.
    pub value: Option<f64>,
    /// What the value means by the bands.
    pub state: State,
    /// Value now minus value at the beginning of the trend.
    pub change: Option<f64>,
    /// The sparkline, oldest first: 61 points evenly spaced over the trend, so 60 stretches; none where nothing is known.
    /// Empty without a trend, and while the source's time isn't known.
    pub trend: Vec<Option<f64>>,
    /// Whether events may be missing from it: the true value is at least this.
    pub at_least: bool,
}

/// What changed in a table. To apply it: drop all rows if it is whole; put each of `rows` in the place of the row of its
/// key; drop those of `removed`; take over `order` if given.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
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
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct RowValue {
    /// What tells it from the others.
    pub key: String,
    /// One cell a column.
    pub cells: Vec<Cell>,
    /// What the row means.
    pub state: State,
}

/// One cell. Zero, empty, null and missing are four different things.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "is", content = "as", rename_all = "kebab-case")]
#[ts(export_to = "frame.ts")]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A text, perhaps empty.
    Text(String),
    /// An instant, milliseconds since the Unix epoch.
    Time(#[ts(type = "number")] i64),
    /// The event says null.
    Null,
    /// No event has said anything here.
    Missing,
}

/// What is new in a log. To apply it: drop all lines if it is whole; put `lines` before the others; keep the look's `limit`.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct LogValue {
    /// Whether these are all lines, not the new ones only.
    pub whole: bool,
    /// Lines, newest first.
    pub lines: Vec<LineValue>,
    /// Lines ever written.
    #[ts(type = "number")]
    pub total: u64,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct LineValue {
    /// Counts up by one.
    #[ts(type = "number")]
    pub number: u64,
    /// The source's time, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub source_ms: i64,
    /// What it says.
    pub text: String,
    /// What it means.
    pub state: State,
}

/// What changed in a chart. To apply it: drop all lines if it is whole; put each point in the place of that of its line and
/// bucket; drop points that lie `keep_ms` or more before the newest point of any line; drop nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct SeriesValue {
    /// Whether this is the whole chart, not a change to it.
    pub whole: bool,
    /// The lines, in their order; each with its new and changed points.
    pub lines: Vec<SeriesLine>,
    /// Stretches for which nobody can say what happened, as pairs of milliseconds since the Unix epoch. All of them.
    #[ts(type = "[number, number][]")]
    pub gaps: Vec<(i64, i64)>,
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct SeriesLine {
    /// Its key: the value of `by`, or the widget's title.
    pub key: String,
    /// Bucket start in milliseconds since the Unix epoch, and value; none for a bucket without one.
    #[ts(type = "[number, number | null][]")]
    pub points: Vec<(i64, Option<f64>)>,
}

/// A grid of tiles. Sent whole.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct StatusValue {
    /// In order of key.
    pub tiles: Vec<TileValue>,
}

/// One tile.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
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
    /// Since when it has this state, by the source's clock, milliseconds since the Unix epoch.
    #[ts(type = "number")]
    pub since_ms: i64,
}

/// What changed on a map. To apply it: drop all markers if it is whole; put each of `markers` in the place of that of its
/// key; drop those of `removed`.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
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
}

/// One marker.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
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
}

/// Something that people must know besides the widgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export_to = "frame.ts")]
pub struct Notice {
    /// Which notice: a newer one of the same id replaces it.
    pub id: String,
    /// How bad it is.
    pub state: State,
    /// One line.
    pub text: String,
    /// More lines, for who looks closer.
    pub detail: Vec<String>,
}
