//! What crosses to the page: one bounded answer to one pull.
//!
//! The page asks for what changed after the version that it has *painted*; asking again is the receipt. A frame is
//! computed from the state, never queued, so a slow page costs no memory and misses no state: it sees the newest.
//! The TypeScript twins of these types are generated into `ui/src/generated` by this crate's tests.

mod alarm;
mod chart;
mod desk;
mod drill;
mod furniture;
mod histogram;
mod look;
mod map;
mod merge;
mod page;
mod past;
mod quality;
mod said;
mod since;
mod span;
mod tally;
mod timeline;
mod value;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::{Continuity, Phase, Transport};

pub use self::{
    alarm::{
        AlarmAct, AlarmCause, AlarmCount, AlarmEvidence, AlarmOrder, AlarmRowsFound, AlarmRowsQuery, AlarmSaid,
        AlarmState, AlarmView, AlarmWhich, AlarmsSeen, AlarmsView, FloodView,
    },
    chart::{AxisLook, LineLook, MarkValue, MarksValue},
    desk::{ColumnSort, Detail, RawEvent, RowsFound, RowsQuery},
    drill::{DrillView, GlassSeen, SourceSeen, WidgetSeen},
    furniture::{After, Align, ClockZone, FurnitureLook, FurnitureView, TextBlock, TextCell, TextSpan, Until},
    histogram::{HeatLook, HistogramLook, HistogramValue},
    look::{BandLook, Better, ColumnLook, Draw, Look, NumberDraw, NumberLook, PlaceMark, Sign, State, Toward},
    map::{FenceLook, FenceValue, FenceWhen, Icon, LayerDraw, LayerLook, Outlines, ShapeLook, TrailLook, TrailPoint},
    merge::NeedsWhole,
    page::{PageMark, PageShown, PageView, PageWhy},
    past::{PastMarks, PastView},
    quality::{Against, Agreement, Quality, Rejected},
    said::{Said, said_ms},
    since::{
        AlarmName, AlarmRecordPage, AlarmRecordQuery, Since, SinceAct, SinceAlarm, SinceAlarmList, SinceAlarms,
        SinceLack, SinceMoment, SinceMomentKind, SinceMoments, SincePriority, SinceShown, SinceSource, SinceWidget,
        SinceWidgets, SinceWorst, Unrecorded, UnrecordedWhy,
    },
    span::SpanView,
    tally::{BarOrder, BarValue, TallyLook, TallyValue},
    timeline::{RowOrder, Stretch, TimelineRow, TimelineValue},
    value::{
        Cell, CellMark, GroupValue, LineValue, LogValue, MarkerValue, MarkersValue, NumberValue, RowValue, SeriesLine,
        SeriesValue, StatusValue, TableValue, TileValue, WidgetValue,
    },
};
use crate::freshness::Freshness;

/// One answer to the page's pull.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Frame {
    /// The state's version that this frame brings the page to; the next pull names it.
    #[cfg_attr(test, ts(type = "number"))]
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
    /// The links' history, newest first, if it changed since the version that the page has painted.
    pub outages: Option<Vec<Outage>>,
    /// The alarms, if anything of them changed since the version that the page has painted; never of a board without rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub alarms: Option<AlarmsView>,
    /// Everything that people must know besides: the board file was refused, nothing is being remembered.
    pub notices: Vec<Notice>,
    /// Which page is shown; none if the board is one page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub page: Option<PageShown>,
    /// Set if the frame is of the past: nothing in it is live, whatever it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub past: Option<PastView>,
    /// Set if the frame is of a lamp test: nothing in it is the present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub drill: Option<DrillView>,
    /// Whether the room is dark: what is painted for it takes the place of the board's theme.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub night: bool,
    /// Set if the window is one of several that show one picture: its part of it. The app's matter, as windows are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub span: Option<SpanView>,
}

/// What time it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct ClockView {
    /// This machine's wall clock when the frame was made, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub wall_ms: i64,
    /// The board's time when the frame was made: its first source's own clock, else the wall clock.
    #[cfg_attr(test, ts(type = "number"))]
    pub board_ms: i64,
    /// Board seconds a real second: 1, or the speed of a replay, or 0 for a paused one.
    pub speed: f64,
    /// What kind of time the board's is if it isn't the present: `Replay of 8 February 2013`.
    pub label: Option<String>,
}

/// The board as the page lays it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct BoardView {
    /// The head line's title.
    pub title: String,
    /// IANA zone in which times are written.
    pub timezone: String,
    /// In which language the page speaks, by its tag, if the board says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub language: Option<String>,
    /// By which locale numbers, dates and times are written, by its tag of BCP 47, if the board says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub locale: Option<String>,
    /// When shifts begin, in minutes after midnight of that zone, the earliest first; as is usual if the board says nothing of alarms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub shifts: Option<Vec<u32>>,
    /// `dark` or `light`.
    pub theme: String,
    /// From how far it is read, millimetres, if the board says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub viewing_distance_mm: Option<u32>,
    /// Columns of the grid.
    pub columns: u32,
    /// Rows of the grid.
    pub rows: u32,
    /// Its pages, in the board's order; none if it is one page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<PageView>>"))]
    pub pages: Vec<PageView>,
    /// Every widget, in the board's order.
    pub widgets: Vec<WidgetView>,
    /// What stands there besides, in the board's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub furniture: Vec<FurnitureView>,
}

/// One widget as the page lays it out. What it shows comes by [`WidgetPatch`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct WidgetView {
    /// Its id in the board file.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// A small line under the heading.
    pub note: Option<String>,
    /// The source that it folds.
    pub source: String,
    /// The number of its page, from 0; none if the board is one page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub page: Option<u32>,
    /// Where it stands, in grid cells; column and row count from 1.
    pub place: Place,
    /// What it is.
    pub look: Look,
}

/// A rectangle of grid cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
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

/// A source in the head line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SourceView {
    /// Its id in the board file.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// Where the connection stands.
    #[cfg_attr(
        test,
        ts(
            type = "'idle' | 'connecting' | 'authorising' | 'subscribing' | 'catching-up' | 'live' | 'waiting' | 'refused'"
        )
    )]
    pub phase: Phase,
    /// How its events travel.
    #[cfg_attr(test, ts(type = "'websocket' | 'sse' | 'http-stream' | 'long-poll' | 'poll' | 'tcp' | null"))]
    pub transport: Option<Transport>,
    /// What is known about completeness.
    #[cfg_attr(test, ts(type = "'unknown' | 'proven' | 'snapshot'"))]
    pub continuity: Continuity,
    /// The freshness that it gives its widgets at best.
    pub freshness: Freshness,
    /// Its state in a few words: `live by WebSocket`, `lost 12 s ago: connection refused, next try in 3 s`.
    pub words: String,
    /// The same as a code, for a page that speaks another language; none of what has no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub said: Option<Said>,
    /// Events delivered since the program started.
    #[cfg_attr(test, ts(type = "number"))]
    pub events: u64,
    /// Events refused since the program started.
    #[cfg_attr(test, ts(type = "number"))]
    pub rejected: u64,
    /// Gaps met since the program started.
    #[cfg_attr(test, ts(type = "number"))]
    pub gaps: u64,
    /// How long ago all was last compared with the server's own state, in milliseconds; none if it wasn't yet.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub checked_ago_ms: Option<u64>,
    /// Differences found and corrected by that since the program started.
    #[cfg_attr(test, ts(type = "number"))]
    pub drift: u64,
}

/// A widget's quality, and its value if that changed. There is no way to send a value without its quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct WidgetPatch {
    /// Its id in the board file.
    pub id: String,
    /// How far what it shows can be believed.
    pub quality: Quality,
    /// What it shows, if that changed since the version that the page has painted.
    pub value: Option<WidgetValue>,
}

/// A stretch in which a source was not live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Outage {
    /// The source's id.
    pub source: String,
    /// The last proof before, by this machine's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub began_ms: i64,
    /// Live again; none while it lasts.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub ended_ms: Option<i64>,
    /// The beginning by the source's clock, where that is known.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub source_began_ms: Option<i64>,
    /// The end by the source's clock, where that is known.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub source_ended_ms: Option<i64>,
    /// Why, in one line; may be empty.
    pub cause: String,
    /// How the worst of its gaps was closed: by a replay, by a snapshot, or by nothing. None if nothing was missed.
    #[cfg_attr(test, ts(type = "'unknown' | 'proven' | 'snapshot' | null"))]
    pub became: Option<Continuity>,
    /// Events within its gaps; none if that can't be told.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub missed: Option<u64>,
}

/// Something that people must know besides the widgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Notice {
    /// Which notice: a newer one of the same id replaces it.
    pub id: String,
    /// How bad it is.
    pub state: State,
    /// One line.
    pub text: String,
    /// The same as a code, for a page that speaks another language; none of what has no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub said: Option<Said>,
    /// More lines, for who looks closer.
    pub detail: Vec<String>,
}

impl Notice {
    /// One whose line is said by a code.
    #[must_use]
    pub fn said(id: &str, state: State, said: Said, detail: Vec<String>) -> Self {
        Self { id: id.to_owned(), state, text: said.to_string(), said: Some(said), detail }
    }

    /// One in English alone.
    #[must_use]
    pub fn worded(id: &str, state: State, text: String, detail: Vec<String>) -> Self {
        Self { id: id.to_owned(), state, text, said: None, detail }
    }
}

#[cfg(test)]
mod tests {
    mod typescript;
}
