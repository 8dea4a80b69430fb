//! How widgets are drawn: what doesn't change while a board stands.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a widget is drawn, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
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
