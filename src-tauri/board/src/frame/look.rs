//! How widgets are drawn: what doesn't change while a board stands.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use std::collections::BTreeMap;

use super::{AxisLook, FenceLook, HeatLook, HistogramLook, LayerLook, LineLook, RowOrder, TallyLook, TrailLook};

/// How a widget is drawn, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
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
        /// How.
        draw: Draw,
        /// Unit of the values.
        unit: Option<String>,
        /// Digits after the point.
        decimals: u8,
        /// Its scale begins at this or below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        min: Option<f64>,
        /// Its scale ends at this or above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        max: Option<f64>,
        /// Length of the moving window, milliseconds of board time.
        #[cfg_attr(test, ts(type = "number"))]
        keep_ms: u64,
        /// Length of one bucket, milliseconds of board time.
        #[cfg_attr(test, ts(type = "number"))]
        bucket_ms: u64,
        /// Stretches of its values that mean something.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<BandLook>>"))]
        bands: Vec<BandLook>,
        /// What its values are meant to be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        target: Option<f64>,
        /// Its lines in their order, where the board names them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<LineLook>>"))]
        lines: Vec<LineLook>,
        /// The axis at the right, if any line is read by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        right: Option<AxisLook>,
    },
    /// How often values are how large.
    Histogram(HistogramLook),
    /// Cells of time by row.
    Heat(HeatLook),
    /// A grid of tiles by key.
    Status {},
    /// A grid of tiles: what stands before the first ` · ` of a key is its row, the rest its column.
    Matrix {},
    /// A bar a category.
    Tally(TallyLook),
    /// States over time, a row a key.
    Timeline {
        /// How far back it reaches, milliseconds of board time.
        #[cfg_attr(test, ts(type = "number"))]
        keep_ms: u64,
        /// Which row stands first.
        order: RowOrder,
    },
    /// Markers on a map.
    Markers {
        /// West, south, east, north in degrees: what the map shows.
        bounds: [f64; 4],
        /// Fixed, named points.
        places: Vec<PlaceMark>,
        /// How long a marker takes to glide to a new position, milliseconds of real time.
        glide_ms: u32,
        /// How trails are kept; none if there are none.
        #[serde(default)]
        trail: Option<TrailLook>,
        /// What lies under the markers, the first lowest.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<LayerLook>>"))]
        layers: Vec<LayerLook>,
        /// Its fences.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(optional, as = "Option<Vec<FenceLook>>"))]
        fences: Vec<FenceLook>,
        /// The file of its tiles, as the board names it; none for the ground that is shipped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        tiles: Option<String>,
    },
}

impl Look {
    /// The kind as a board file names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Rate(_) => "rate",
            Self::Window(_) => "window",
            Self::Table { .. } => "table",
            Self::Log { .. } => "log",
            Self::Series { .. } => "series",
            Self::Histogram(_) => "histogram",
            Self::Heat(_) => "heat",
            Self::Status {} => "status",
            Self::Matrix {} => "matrix",
            Self::Tally(_) => "tally",
            Self::Timeline { .. } => "timeline",
            Self::Markers { .. } => "markers",
        }
    }

    /// How the number is drawn, if it is of one.
    #[must_use]
    pub const fn number(&self) -> Option<&NumberLook> {
        match self {
            Self::Counter(number) | Self::Gauge(number) | Self::Rate(number) | Self::Window(number) => Some(number),
            Self::Table { .. }
            | Self::Log { .. }
            | Self::Series { .. }
            | Self::Histogram(_)
            | Self::Heat(_)
            | Self::Status {}
            | Self::Tally(_)
            | Self::Timeline { .. }
            | Self::Matrix {}
            | Self::Markers { .. } => None,
        }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// A line through the points.
    #[default]
    Line,
    /// A line, filled to zero.
    Area,
    /// A bar a bucket.
    Bars,
}

/// How a single number is drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct NumberLook {
    /// Unit, drawn smaller: `min`, `%`, `/h`. With `%` a share of 0 to 1 is written as 0 to 100.
    pub unit: Option<String>,
    /// Digits after the point, where `digits` says nothing.
    pub decimals: u8,
    /// Significant digits: how many of them stand after the point follows the scale's ends, or the widest value seen.
    #[serde(default)]
    pub digits: Option<u8>,
    /// Lower end of the scale.
    pub min: Option<f64>,
    /// Upper end of the scale.
    pub max: Option<f64>,
    /// Stretches of the scale that mean something.
    pub bands: Vec<BandLook>,
    /// How far back sparkline and change reach, milliseconds of board time; none for neither.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub trend_ms: Option<u64>,
    /// What the number is meant to be.
    #[serde(default)]
    pub target: Option<f64>,
    /// Which way is the better one; nobody judges its changes if none.
    #[serde(default)]
    pub better: Option<Better>,
    /// The kind's own way if none: records of boards from before there was a choice have none.
    #[serde(default)]
    pub draw: Option<NumberDraw>,
}

/// Which way of a number is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// More of it.
    Up,
    /// Less of it.
    Down,
}

impl Better {
    /// What a change means; nothing if it is none, or not a number.
    #[must_use]
    pub fn judge(self, change: f64) -> Option<Toward> {
        let is_up = if change > 0.0 {
            true
        } else if change < 0.0 {
            false
        } else {
            return None;
        };
        Some(if is_up == (self == Self::Up) { Toward::Better } else { Toward::Worse })
    }
}

/// What a change means by the look's better way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Toward {
    /// It went where it should.
    Better,
    /// It went where it shouldn't.
    Worse,
}

/// How a single number is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum NumberDraw {
    /// Digits, their change and sparkline.
    Figure,
    /// Digits and a scale that lies.
    Scale,
    /// Digits and a scale that stands.
    Bar,
}

/// A stretch of a scale with a meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct BandLook {
    /// Lower end, included; open if missing.
    pub from: Option<f64>,
    /// Upper end, excluded; open if missing.
    pub to: Option<f64>,
    /// What a value in it means.
    pub state: State,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct ColumnLook {
    /// Its heading.
    pub title: String,
    /// `text`, `number`, `bar` (a number and how much of its scale it fills), `time` (a time of day in the board's zone), `ago` or `until` (how long ago that was, or how long it is to it, by the
    /// board's clock) or `state` (text in the row's state).
    pub format: String,
    /// Digits after the point, for numbers.
    pub decimals: u8,
    /// Share of the width; 1 is usual.
    pub width: f64,
    /// The ends of a bar's scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub scale: Option<(f64, f64)>,
    /// What stands before a word: its shape.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<BTreeMap<String, Sign>>"))]
    pub icons: BTreeMap<String, Sign>,
    /// Stretches of its numbers that mean something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<BandLook>>"))]
    pub bands: Vec<BandLook>,
}

/// The shapes that may stand before a word in a table. None is like that of a state or of a freshness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// More, away.
    Up,
    /// Less, here.
    Down,
    /// On its way.
    Right,
    /// On its way back.
    Left,
    /// It waits.
    Clock,
    /// It stands.
    Pause,
    /// It is shut.
    Lock,
    /// It is marked.
    Flag,
    /// Somebody.
    Person,
    /// A parcel.
    Box,
    /// On the road.
    Truck,
    /// In the air.
    Aircraft,
    /// On water.
    Ship,
    /// Works, repairs.
    Wrench,
    /// Power.
    Bolt,
    /// Fire.
    Flame,
    /// First aid.
    Cross,
    /// A call.
    Phone,
}

/// A fixed, named point of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct PlaceMark {
    /// Its label.
    pub name: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// What a row, line, tile, marker or number means. The page tells them apart by shape and text as well as colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
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

impl State {
    /// How bad it is, as the page has it: that nobody knows is worse than that all is well, and no alarm.
    pub(crate) const fn badness(self) -> u8 {
        match self {
            Self::Muted => 0,
            Self::Normal => 1,
            Self::Unknown => 2,
            Self::Warning => 3,
            Self::Alarm => 4,
        }
    }

    /// The worse one of both.
    pub(crate) const fn or_worse(self, other: Self) -> Self {
        if other.badness() > self.badness() { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_judged_by_the_better_way() {
        use {Better::*, Toward::Worse};
        for (better, change, toward) in [
            (Up, 3.0, Some(Toward::Better)),
            (Up, -0.01, Some(Worse)),
            (Down, -3.0, Some(Toward::Better)),
            (Down, 1e300, Some(Worse)),
            (Up, 0.0, None),
            (Down, -0.0, None),
            (Up, f64::NAN, None),
            (Up, f64::INFINITY, Some(Toward::Better)),
        ] {
            assert_eq!(better.judge(change), toward, "{better:?} {change}");
        }
    }

    /// A record of a board from before there was a target, or a choice of how to draw it.
    #[test]
    fn older_records_are_read() {
        let text = r#"{"kind":"gauge","unit":null,"decimals":1,"min":0,"max":9,"bands":[],"trend_ms":null}"#;
        let look: Look = serde_json::from_str(text).expect("a look");
        let number = look.number().expect("a number");
        assert_eq!((number.digits, number.target, number.better, number.draw), (None, None, None, None));
    }
}
