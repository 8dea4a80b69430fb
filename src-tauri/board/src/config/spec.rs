//! What a board file says, checked and typed. Built by [`super::parse`] only.

mod alarm;
mod chart;
mod fence;
mod life;
mod page;
mod source;
mod story;

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use self::{
    alarm::{AlarmSpec, AlarmingSpec, EventsSpec, Judged},
    chart::{CHART_LINES_MAX, HEAT_ROWS_MAX, HistogramStat, LineSpec, MarksSpec},
    fence::FenceSpec,
    life::LifeSpec,
    page::PageSpec,
    source::{
        Codec, CursorSpec, EventSpec, IdentitySpec, LoginSpec, ProxySpec, SecretSpec, SnapshotSpec, SourceKind,
        SourceSpec, SourceTransport, SparkplugSpec, SpeakSpec, TlsSpec, TokenSpec,
    },
};
use crate::{
    frame::{FurnitureView, Icon, Look, State},
    hours::Hours,
    path::Path,
};

/// A whole board file.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardFile {
    /// `[board]`
    pub board: BoardSpec,
    /// `[[page]]`, in the file's order; none if all stands on one.
    pub pages: Vec<PageSpec>,
    /// `[[source]]`, in the file's order.
    pub sources: Vec<SourceSpec>,
    /// `[[widget]]`, in the file's order.
    pub widgets: Vec<WidgetSpec>,
    /// The same of the kinds that show nothing of a source.
    pub furniture: Vec<FurnitureView>,
    /// `[[alarm]]`, in the file's order.
    pub alarms: Vec<AlarmSpec>,
    /// `[alarms]`; none if the board says nothing of alarms.
    pub alarming: Option<AlarmingSpec>,
}

/// `[board]`
#[derive(Clone, Debug, PartialEq)]
pub struct BoardSpec {
    /// The head line's title.
    pub title: String,
    /// `timezone`: IANA zone of times and daily resets. Default `UTC`.
    pub timezone: String,
    /// `language`: of what the page says of itself, by its tag; one that it has words for.
    pub language: Option<&'static str>,
    /// `locale`: how numbers, dates and times are written, by its tag.
    pub locale: Option<String>,
    /// `theme`: default dark.
    pub theme: Theme,
    /// `night`: when it is painted for a dark room in place of that.
    pub night: Option<Hours>,
    /// `viewing-distance`, millimetres.
    pub viewing_distance_mm: Option<u32>,
    /// `grid = { columns = 12, rows = 8 }`
    pub columns: u32,
    /// See `columns`.
    pub rows: u32,
    /// `stale-after`: the limit of widgets that name none. Default 5 s.
    pub stale_after: Duration,
    /// `rotate`: whether pages turn by themselves. Default yes.
    pub rotate: bool,
}

/// Which tokens the page paints with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// For a dark room.
    #[default]
    Dark,
    /// For a lit room.
    Light,
}
/// `[[widget]]`
#[derive(Clone, Debug, PartialEq)]
pub struct WidgetSpec {
    /// `id`: letters, digits, `-`, `_`; unique.
    pub id: String,
    /// `title`; default the id.
    pub title: String,
    /// `note`: a small line under the heading.
    pub note: Option<String>,
    /// `source`; may be left out if the board has only one.
    pub source: String,
    /// `stale-after`; default the board's.
    pub stale_after: Duration,
    /// `page`: the number of the page that it stands on, from 0.
    pub page: usize,
    /// `place = { column = 1, row = 1, width = 3, height = 2 }`, inside the grid.
    pub place: Option<crate::frame::Place>,
    /// What it folds.
    pub fold: FoldSpec,
    /// `against`: what it is held against.
    pub against: Option<AgainstSpec>,
    /// How it is drawn: what has no influence on the fold.
    pub look: Look,
}

/// A second source of a widget's quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct AgainstSpec {
    /// `source`
    pub source: String,
    /// The widget's fold as that source's events have it.
    pub fold: FoldSpec,
    /// `tolerance`: by how much the two may differ.
    pub tolerance: f64,
    /// `settle`: for how long they must differ by more before it is said.
    pub settle: Duration,
}

impl WidgetSpec {
    /// Every fold that it needs, with its source.
    pub fn folds(&self) -> impl Iterator<Item = (&str, &FoldSpec)> {
        let own = std::iter::once((self.source.as_str(), &self.fold));
        own.chain(self.against.iter().map(|against| (against.source.as_str(), &against.fold)))
    }
}

impl BoardFile {
    /// A source by its name.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&SourceSpec> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Every fold that the widgets need: what a hub must keep for them.
    pub fn folds(&self) -> impl Iterator<Item = &FoldSpec> {
        self.widgets.iter().flat_map(WidgetSpec::folds).map(|(_, fold)| fold)
    }
}

impl ReducerSpec {
    /// Whether it is of a value of each event.
    pub(crate) const fn has_value(&self) -> bool {
        match self {
            Self::Gauge { .. } => true,
            Self::Counter { value, .. } | Self::Rate { value, .. } | Self::Window { value, .. } => value.is_some(),
            Self::Table { .. }
            | Self::Log { .. }
            | Self::Series { .. }
            | Self::Histogram { .. }
            | Self::Tally { .. }
            | Self::Timeline { .. }
            | Self::Matrix { .. }
            | Self::Status { .. }
            | Self::Markers { .. } => false,
        }
    }

    /// The names of events that remove something.
    pub(crate) const fn remove_on(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::Table { remove_on, .. }
            | Self::Markers { remove_on, .. }
            | Self::Matrix { life: LifeSpec { remove_on, .. }, .. }
            | Self::Status { life: LifeSpec { remove_on, .. }, .. } => Some(remove_on),
            Self::Counter { .. }
            | Self::Gauge { .. }
            | Self::Rate { .. }
            | Self::Window { .. }
            | Self::Log { .. }
            | Self::Series { .. }
            | Self::Histogram { .. }
            | Self::Tally { .. }
            | Self::Timeline { .. } => None,
        }
    }

    /// Every list of event names that it has besides `on`.
    pub(crate) fn names(&mut self) -> Vec<&mut Vec<String>> {
        match self {
            Self::Series { lines, marks, .. } => {
                lines.iter_mut().map(|line| &mut line.on).chain(marks.iter_mut().map(|marks| &mut marks.on)).collect()
            }
            other => other.remove_on().into_iter().collect(),
        }
    }

    /// The same of another number; unchanged for a kind that isn't of one.
    #[must_use]
    pub(crate) fn of_value(mut self, path: Path) -> Self {
        match &mut self {
            Self::Gauge { value, .. } => *value = path,
            Self::Counter { value, .. } | Self::Rate { value, .. } | Self::Window { value, .. } => *value = Some(path),
            Self::Table { .. }
            | Self::Log { .. }
            | Self::Series { .. }
            | Self::Histogram { .. }
            | Self::Tally { .. }
            | Self::Timeline { .. }
            | Self::Matrix { .. }
            | Self::Status { .. }
            | Self::Markers { .. } => {}
        }
        self
    }
}

/// What is folded, and how: all that decides an aggregate's state, and nothing else. Its canonical JSON is what the
/// fingerprint is taken of, so two boards that fold alike share one aggregate of the hub.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldSpec {
    /// `channels`: default all of the source's; sorted.
    pub channels: Vec<String>,
    /// `on`: event names, `*` at the end stands for any rest; empty for every event.
    pub on: Vec<String>,
    /// `where = { origin = "EWR", status = ["late", "cancelled"] }`: every path must have one of its values.
    #[serde(rename = "where")]
    pub only: BTreeMap<Path, Vec<Value>>,
    /// IANA zone, for reducers that know of days; empty for the others.
    pub timezone: String,
    /// Whether an event says all that there is of what it is about: what it leaves out isn't so any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// The reducer and its settings.
    pub reducer: ReducerSpec,
}

/// `kind` and the settings of each kind that decide its state. Durations serialise as whole milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum ReducerSpec {
    /// Accumulates since its last reset.
    Counter {
        /// `stat`: `count` (default), `sum`, `mean`, `share`.
        stat: CounterStat,
        /// `value`: the number to add up, for sum and mean.
        value: Option<Path>,
        /// `match`: for share, the conditions that the counted part fulfils.
        #[serde(rename = "match")]
        matching: BTreeMap<Path, Vec<Value>>,
        /// `reset = "daily 00:00"`, minutes after midnight in the zone; never if missing.
        reset_daily_minutes: Option<u32>,
        /// `trend = "2h"`: how far back sparkline and change reach.
        #[serde(serialize_with = "millis_option")]
        trend: Option<Duration>,
    },
    /// The newest value.
    Gauge {
        /// `value`
        value: Path,
        /// `trend`
        #[serde(serialize_with = "millis_option")]
        trend: Option<Duration>,
    },
    /// Events, or the sum of a value, per unit of time over a sliding window.
    Rate {
        /// `last = "10m"`: the window.
        #[serde(serialize_with = "millis")]
        last: Duration,
        /// `per = "1h"`: the unit.
        #[serde(serialize_with = "millis")]
        per: Duration,
        /// `value`: what to sum; events are counted if missing.
        value: Option<Path>,
        /// `trend`
        #[serde(serialize_with = "millis_option")]
        trend: Option<Duration>,
    },
    /// A statistic over a sliding window.
    Window {
        /// `last = "1h"`: the window: `now - last < time <= now`.
        #[serde(serialize_with = "millis")]
        last: Duration,
        /// `stat`
        stat: WindowStat,
        /// `value`: needed by every statistic but count and share.
        value: Option<Path>,
        /// `match`, for share.
        #[serde(rename = "match")]
        matching: BTreeMap<Path, Vec<Value>>,
        /// `trend`
        #[serde(serialize_with = "millis_option")]
        trend: Option<Duration>,
    },
    /// Rows by key: an event updates the cells that it has a value for.
    Table {
        /// `key`: text or number.
        key: Path,
        /// `columns`: the path of each.
        columns: Vec<Path>,
        /// `sort`: by this path's value, ascending unless the sign says otherwise; then by key.
        sort: Option<Path>,
        /// `sort = "-path"`
        descending: bool,
        /// What else of `sort = ["-path", "other"]`, in turn: each with whether it is descending.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        then: Vec<(Path, bool)>,
        /// `group`: rows of one value here stand together, by that.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<Path>,
        /// `limit`: rows kept and shown, 1 to 500; default 100. When there are more, those last in order go unseen but are counted (at most 100,000 are kept).
        limit: u32,
        /// `remove-on`: names of events that remove the row of their key.
        remove_on: Vec<String>,
        /// `expire = "20m"`: a row goes this long after its last event.
        #[serde(serialize_with = "millis_option")]
        expire: Option<Duration>,
        /// `expire-at`: path of an instant (milliseconds or RFC 3339) at which the row goes.
        expire_at: Option<Path>,
        /// `state` and `states`
        state: Option<StateSpec>,
    },
    /// The newest lines.
    Log {
        /// `text = "{carrier} {flight} to {dest}"`
        text: Template,
        /// `limit`: lines kept, 1 to 500; default 50.
        limit: u32,
        /// `state` and `states`
        state: Option<StateSpec>,
    },
    /// A statistic a bucket of time.
    Series {
        /// `bucket = "10m"`: divides a day.
        #[serde(serialize_with = "millis")]
        bucket: Duration,
        /// `keep = "12h"`: at most 2,000 buckets.
        #[serde(serialize_with = "millis")]
        keep: Duration,
        /// `stat`: `count` (default), `sum`, `mean`, `min`, `max`, `last`.
        stat: SeriesStat,
        /// `value`: needed by all but count.
        value: Option<Path>,
        /// `by`: one line a value.
        by: Option<Path>,
        /// `lines`: each with its own events and statistic, in place of `stat`, `value` and `by`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineSpec>,
        /// `marks`: what happened besides.
        #[serde(skip_serializing_if = "Option::is_none")]
        marks: Option<MarksSpec>,
        /// The most lines: 12 of a chart, more of a heat map.
        #[serde(skip_serializing_if = "chart::is_of_chart")]
        most: usize,
    },
    /// A statistic a category.
    Tally {
        /// `by`: text or number; at most 100 categories.
        by: Path,
        /// `stat`: `count` (default), `sum`, `mean`, `min`, `max`, `share`.
        stat: WindowStat,
        /// `value`: needed by every statistic but count and share.
        value: Option<Path>,
        /// `match`, for share.
        #[serde(rename = "match")]
        matching: BTreeMap<Path, Vec<Value>>,
        /// `last = "1h"`: a sliding window, in steps of a 240th: what happened in a step that ends after `now - last`, and has begun.
        #[serde(serialize_with = "millis_option")]
        last: Option<Duration>,
        /// `reset = "daily 00:00"`, minutes after midnight in the zone; never if missing.
        reset_daily_minutes: Option<u32>,
        /// `categories`: what has a bar though nothing came of it.
        categories: Vec<String>,
    },
    /// How often values are how large.
    Histogram {
        /// `value`
        value: Path,
        /// `min`: where the first bin begins.
        min: f64,
        /// `bin`: how wide each is.
        width: f64,
        /// How many there are.
        bins: u16,
        /// `stats`
        stats: Vec<HistogramStat>,
        /// `last`: the window; since the last reset if missing.
        #[serde(serialize_with = "millis_option")]
        last: Option<Duration>,
        /// `reset`, minutes after midnight in the zone.
        reset_daily_minutes: Option<u32>,
    },
    /// A state for each pair of a row and a column.
    Matrix {
        /// `row`
        row: Path,
        /// `column`
        column: Path,
        /// `state` and `states`
        state: StateSpec,
        /// `detail`: template.
        detail: Option<Template>,
        /// When a cell goes.
        #[serde(skip_serializing_if = "LifeSpec::is_endless")]
        life: LifeSpec,
    },
    /// States over time, a row a key.
    Timeline {
        /// `key`
        key: Path,
        /// `label`: template; default the key.
        label: Option<Template>,
        /// `state` and `states`
        state: StateSpec,
        /// `keep = "12h"`
        #[serde(serialize_with = "millis")]
        keep: Duration,
    },
    /// A tile a key.
    Status {
        /// `key`
        key: Path,
        /// `label`: template; default the key.
        label: Option<Template>,
        /// `state` and `states`
        state: StateSpec,
        /// `detail`: template.
        detail: Option<Template>,
        /// When a tile goes.
        #[serde(skip_serializing_if = "LifeSpec::is_endless")]
        life: LifeSpec,
    },
    /// Markers on a map.
    Markers {
        /// `key`
        key: Path,
        /// `lat`: degrees north, -90 to 90.
        lat: Path,
        /// `lon`: degrees east, -180 to 180.
        lon: Path,
        /// `heading`: degrees clockwise from north.
        heading: Option<Path>,
        /// `label`: template.
        label: Option<Template>,
        /// `state` and `states`
        state: Option<StateSpec>,
        /// `icon` and `icons`
        #[serde(skip_serializing_if = "Option::is_none")]
        icon: Option<IconSpec>,
        /// `remove-on`
        remove_on: Vec<String>,
        /// `expire`
        #[serde(serialize_with = "millis_option")]
        expire: Option<Duration>,
        /// `trail = "10m"`: how far back trails reach; none if missing.
        #[serde(serialize_with = "millis_option", skip_serializing_if = "Option::is_none")]
        trail: Option<Duration>,
        /// `lost-after`: how long a position says where a marker is; for good if missing.
        #[serde(serialize_with = "millis_option", skip_serializing_if = "Option::is_none")]
        lost_after: Option<Duration>,
        /// `fences`
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fences: Vec<FenceSpec>,
    },
}

/// `stat` of a counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CounterStat {
    /// How many events.
    #[default]
    Count,
    /// The sum of `value`.
    Sum,
    /// The mean of `value`.
    Mean,
    /// The part of the events that fulfils `match`, 0 to 1.
    Share,
}

/// `stat` of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WindowStat {
    /// How many events.
    #[default]
    Count,
    /// The sum of `value`.
    Sum,
    /// The mean of `value`.
    Mean,
    /// The least `value`.
    Min,
    /// The greatest `value`.
    Max,
    /// The part of the events that fulfils `match`, 0 to 1.
    Share,
    /// How many different values `value` has.
    Distinct,
    /// The median of `value`, within 1 %.
    P50,
    /// The 90th percentile of `value`, within 1 %.
    P90,
    /// The 95th percentile of `value`, within 1 %.
    P95,
    /// The 99th percentile of `value`, within 1 %.
    P99,
}

/// `stat` of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesStat {
    /// How many events.
    #[default]
    Count,
    /// The sum of `value`.
    Sum,
    /// The mean of `value`.
    Mean,
    /// The least `value`.
    Min,
    /// The greatest `value`.
    Max,
    /// The newest `value`.
    Last,
}

/// `state = "path"` with `states = { cancelled = "alarm", delayed = "warning" }`; a value that isn't listed is unknown,
/// a missing or null one normal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateSpec {
    /// Where the state's word stands.
    pub path: Path,
    /// What each word means.
    pub states: BTreeMap<String, State>,
}

/// `icon = "path"` with `icons = { ambulance = "cross" }`: what each word is drawn as.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IconSpec {
    /// Where the word stands; all are drawn as `otherwise` if nowhere.
    pub path: Option<Path>,
    /// What each word is drawn as.
    pub icons: BTreeMap<String, Icon>,
    /// `"*"`: what any other word, or none, is drawn as. Without it other words are `other`, and what has no word is drawn without an icon.
    pub otherwise: Option<Icon>,
}

/// Text with holes: `{path}` is replaced by the value there, `----` if there is none; `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Literal text and paths, in order.
    pub parts: Vec<TemplatePart>,
    /// As written in the file.
    pub source: String,
}

/// A part of a [`Template`].
#[derive(Clone, Debug, PartialEq)]
pub enum TemplatePart {
    /// Taken as it is.
    Text(String),
    /// Replaced by the value.
    Hole(Path),
}

impl Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole_millis(*duration))
}

#[allow(clippy::ref_option)] // serde hands over a reference to the field
fn millis_option<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_some(&whole_millis(*duration)),
        None => serializer.serialize_none(),
    }
}
