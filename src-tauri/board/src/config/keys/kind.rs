//! The settings that each kind of widget adds.

use std::time::Duration;

use serde_json::{Value, json};

use super::{DAY, MONTH, SECOND, SHORTEST_BUCKET, events, path, span, template};
use crate::config::{
    against::AgainstTable,
    condition::Conditions,
    diagnostic::Sink,
    nearest::did_you_mean,
    record::{Bands, Columns, Marks},
    shape::{ANY_NUMBER, Choice, List, Number, Text, Whole, text_of},
    shape_event::{DailyText, EventName, PathText, SortText, Span, States, TemplateText},
    shape_site::Bounds,
    spec::{CounterStat, Draw, SeriesStat, WindowStat},
    table::{Key, Need, Node, Shape, TableShape, bad_value, cut, names},
};

/// The most rows of a table or lines of a log.
pub const ROWS_MAX: u32 = 500;
/// The most buckets that a series keeps.
pub const SERIES_BUCKETS_MAX: u64 = 2_000;
/// The most digits after the point.
pub(super) const DECIMALS_MAX: u32 = 6;
/// The longest unit, in characters.
const UNIT_CHARACTERS_MAX: usize = 16;

/// A kind of widget.
pub(in crate::config) struct KindShape {
    pub(in crate::config) name: &'static str,
    /// What it shows; one sentence.
    pub(in crate::config) about: &'static str,
    pub(in crate::config) table: TableShape,
    /// Words of `stat`, for the kinds that have it.
    pub(in crate::config) stats: &'static [&'static str],
}

/// What a statistic is taken of, besides the events themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Operand {
    /// Nothing.
    Events,
    /// The numbers or values of `value`.
    Value,
    /// The events that fulfil `match`.
    Match,
}

impl Operand {
    /// What the statistic of this name needs.
    pub(in crate::config) fn of(stat: &str) -> Self {
        match stat {
            "count" => Self::Events,
            "share" => Self::Match,
            _ => Self::Value,
        }
    }
}

macro_rules! kind {
    ($name:literal, $about:literal, $keys:expr, $stats:expr) => {
        KindShape {
            name: $name,
            about: $about,
            table: TableShape { name: concat!("kind `", $name, "`"), keys: $keys },
            stats: $stats,
        }
    };
}

/// Every kind, in the order of the reference page.
pub(in crate::config) static KINDS: [KindShape; 9] = [
    kind!(
        "counter",
        "One number that accumulates since its last reset.",
        &[&COUNTER_STAT, &VALUE, &MATCH, &RESET, &TREND, &UNIT, &DECIMALS, &MIN, &MAX, &BANDS, &AGAINST],
        &["count", "sum", "mean", "share"]
    ),
    kind!(
        "gauge",
        "The newest value of a number.",
        &[&GAUGE_VALUE, &TREND, &UNIT, &DECIMALS, &MIN, &MAX, &BANDS, &AGAINST],
        &[]
    ),
    kind!(
        "rate",
        "Events, or the sum of a value, per unit of time, over a sliding window.",
        &[&LAST, &PER, &RATE_VALUE, &TREND, &UNIT, &DECIMALS, &MIN, &MAX, &BANDS, &AGAINST],
        &[]
    ),
    kind!(
        "window",
        "A statistic over a sliding window.",
        &[&LAST, &WINDOW_STAT, &VALUE, &MATCH, &TREND, &UNIT, &DECIMALS, &MIN, &MAX, &BANDS, &AGAINST],
        &["count", "sum", "mean", "min", "max", "share", "distinct", "p50", "p90", "p95", "p99"]
    ),
    kind!(
        "table",
        "Rows by key: an event updates the cells that it has a value for.",
        &[&TABLE_KEY, &TABLE_COLUMNS, &SORT, &TABLE_LIMIT, &REMOVE_ON, &EXPIRE, &EXPIRE_AT, &STATE_PATH, &STATES],
        &[]
    ),
    kind!("log", "The newest lines, newest first.", &[&TEXT, &LOG_LIMIT, &STATE_PATH, &STATES], &[]),
    kind!(
        "series",
        "A statistic a bucket of time, drawn over time.",
        &[&BUCKET, &KEEP, &SERIES_STAT, &VALUE, &BY, &DRAW, &UNIT, &DECIMALS],
        &["count", "sum", "mean", "min", "max", "last"]
    ),
    kind!("status", "A tile a key.", &[&TILE_KEY, &TILE_LABEL, &TILE_STATE, &TILE_STATES, &DETAIL], &[]),
    kind!(
        "markers",
        "Markers on a map.",
        &[
            &MARKER_KEY,
            &LAT,
            &LON,
            &HEADING,
            &MARKER_LABEL,
            &STATE_PATH,
            &STATES,
            &REMOVE_ON,
            &EXPIRE,
            &MAP_BOUNDS,
            &PLACES,
            &GLIDE
        ],
        &[]
    ),
];

/// The word of `kind`.
pub(in crate::config) struct KindWord;

impl Shape for KindWord {
    type Value = &'static KindShape;

    fn expected(&self) -> String {
        names(KINDS.iter().map(|kind| kind.name))
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "enum": KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<&'static KindShape> {
        let text = text_of(node, &self.expected(), sink)?;
        let kind = KINDS.iter().find(|kind| kind.name == text);
        if kind.is_none() {
            let help = did_you_mean(text, KINDS.iter().map(|kind| kind.name));
            bad_value(node, &format!("unknown word `{}`", cut(text)), &self.expected(), help, sink);
        }
        kind
    }
}

pub(in crate::config) static COUNTER_STAT: Key<Choice<CounterStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What the number is: how many events, the sum or mean of `value`, or the share (0 to 1) of events that fulfil `match`.",
    shape: Choice {
        options: &[
            ("count", CounterStat::Count, "how many events"),
            ("sum", CounterStat::Sum, "the sum of `value`"),
            ("mean", CounterStat::Mean, "the mean of `value`"),
            ("share", CounterStat::Share, "the part of the events that fulfils `match`"),
        ],
    },
};

pub(in crate::config) static WINDOW_STAT: Key<Choice<WindowStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What the number is: how many events, a statistic of `value` (percentiles within 1 %; `distinct` counts different values), or the share (0 to 1) of events that fulfil `match`.",
    shape: Choice {
        options: &[
            ("count", WindowStat::Count, "how many events"),
            ("sum", WindowStat::Sum, "the sum of `value`"),
            ("mean", WindowStat::Mean, "the mean of `value`"),
            ("min", WindowStat::Min, "the least `value`"),
            ("max", WindowStat::Max, "the greatest `value`"),
            ("share", WindowStat::Share, "the part of the events that fulfils `match`"),
            ("distinct", WindowStat::Distinct, "how many different values `value` has"),
            ("p50", WindowStat::P50, "the median of `value`"),
            ("p90", WindowStat::P90, "the 90th percentile of `value`"),
            ("p95", WindowStat::P95, "the 95th percentile of `value`"),
            ("p99", WindowStat::P99, "the 99th percentile of `value`"),
        ],
    },
};

pub(in crate::config) static SERIES_STAT: Key<Choice<SeriesStat>> = Key {
    name: "stat",
    need: Need::Default("\"count\""),
    about: "What each point is: how many events, or a statistic of `value` over its bucket.",
    shape: Choice {
        options: &[
            ("count", SeriesStat::Count, "how many events"),
            ("sum", SeriesStat::Sum, "the sum of `value`"),
            ("mean", SeriesStat::Mean, "the mean of `value`"),
            ("min", SeriesStat::Min, "the least `value`"),
            ("max", SeriesStat::Max, "the greatest `value`"),
            ("last", SeriesStat::Last, "the newest `value`"),
        ],
    },
};

pub(in crate::config) static VALUE: Key<PathText> = path(
    "value",
    Need::Optional,
    "The number that the statistic is taken of. Needed by every `stat` but `count` and `share`, which have no use for it.",
);

pub(in crate::config) static MATCH: Key<Conditions> = Key {
    name: "match",
    need: Need::Optional,
    about: "The conditions, as in `where`, that the counted part fulfils. Needed by `stat = \"share\"` and of no use to the others.",
    shape: Conditions,
};

pub(in crate::config) static RESET: Key<DailyText> = Key {
    name: "reset",
    need: Need::Optional,
    about: "When it begins again: `daily HH:MM` in the board's zone. Never if left out.",
    shape: DailyText,
};

pub(in crate::config) static TREND: Key<Span> = span(
    "trend",
    Need::Optional,
    Duration::from_secs(60),
    MONTH,
    "How far back the sparkline and the change reach. Neither is drawn if left out.",
);

pub(in crate::config) static GAUGE_VALUE: Key<PathText> = path("value", Need::Required, "The number to show.");

pub(in crate::config) static RATE_VALUE: Key<PathText> =
    path("value", Need::Optional, "The number to sum; events are counted if left out.");

pub(in crate::config) static LAST: Key<Span> = span(
    "last",
    Need::Required,
    SECOND,
    MONTH,
    "The length of the sliding window: the time up to now, by the source's clock.",
);

pub(in crate::config) static PER: Key<Span> =
    span("per", Need::Required, SECOND, DAY, "The unit of time: `\"1h\"` for events an hour.");

pub(in crate::config) static UNIT: Key<Text> = Key {
    name: "unit",
    need: Need::Optional,
    about: "The unit, drawn smaller. With `\"%\"` a share of 0 to 1 is written as 0 to 100.",
    shape: Text { characters_max: UNIT_CHARACTERS_MAX },
};

pub(in crate::config) static DECIMALS: Key<Whole> = Key {
    name: "decimals",
    need: Need::Default("0"),
    about: "Digits after the point.",
    shape: Whole { min: 0, max: DECIMALS_MAX },
};

pub(in crate::config) static MIN: Key<Number> =
    Key { name: "min", need: Need::Optional, about: "Lower end of the scale.", shape: ANY_NUMBER };

pub(in crate::config) static MAX: Key<Number> =
    Key { name: "max", need: Need::Optional, about: "Upper end of the scale.", shape: ANY_NUMBER };

pub(in crate::config) static AGAINST: Key<AgainstTable> = Key {
    name: "against",
    need: Need::Optional,
    about: "A second source of the same quantity. When the two differ, the widget says that it is disputed and shows both.",
    shape: AgainstTable,
};

pub(in crate::config) static BANDS: Key<Bands> = Key {
    name: "bands",
    need: Need::Optional,
    about: "Stretches of the scale that mean something. They must not overlap.",
    shape: Bands,
};

pub(in crate::config) static TABLE_KEY: Key<PathText> =
    path("key", Need::Required, "The text or number that tells a row from the others.");

pub(in crate::config) static TABLE_COLUMNS: Key<Columns> =
    Key { name: "columns", need: Need::Required, about: "The columns, left to right.", shape: Columns };

pub(in crate::config) static SORT: Key<SortText> = Key {
    name: "sort",
    need: Need::Optional,
    about: "The order of rows: by the value at this path, then by key. By key alone if left out.",
    shape: SortText,
};

pub(in crate::config) static TABLE_LIMIT: Key<Whole> = Key {
    name: "limit",
    need: Need::Default("100"),
    about: "Rows shown. Rows past it, last in the order, are counted but not shown.",
    shape: Whole { min: 1, max: ROWS_MAX },
};

pub(in crate::config) static REMOVE_ON: Key<List<EventName>> = events(
    "remove-on",
    false,
    "Names of events that remove what has their key. They need not be named in `on`, nor meet `where`.",
);

pub(in crate::config) static EXPIRE: Key<Span> = span(
    "expire",
    Need::Optional,
    SECOND,
    MONTH,
    "What had no event for this long goes. Nothing goes by age if left out.",
);

pub(in crate::config) static EXPIRE_AT: Key<PathText> = path(
    "expire-at",
    Need::Optional,
    "Where the instant stands (milliseconds since 1970, or RFC 3339) at which the row goes.",
);

pub(in crate::config) static STATE_PATH: Key<PathText> =
    path("state", Need::Optional, "Where the word stands that `states` gives a meaning to.");

pub(in crate::config) static STATES: Key<States> = Key {
    name: "states",
    need: Need::Optional,
    about: "What each word means. Other words are drawn as unknown; a missing or null one is normal.",
    shape: States,
};

pub(in crate::config) static TEXT: Key<TemplateText> = template("text", Need::Required, "The line.");

pub(in crate::config) static LOG_LIMIT: Key<Whole> =
    Key { name: "limit", need: Need::Default("50"), about: "Lines kept.", shape: Whole { min: 1, max: ROWS_MAX } };

pub(in crate::config) static BUCKET: Key<Span> = span(
    "bucket",
    Need::Required,
    SHORTEST_BUCKET,
    DAY,
    "The length of time that one point stands for. It must divide a day.",
);

pub(in crate::config) static KEEP: Key<Span> = span(
    "keep",
    Need::Required,
    SECOND,
    MONTH,
    "How far back the chart reaches: at least one bucket and at most 2,000.",
);

pub(in crate::config) static BY: Key<PathText> = path(
    "by",
    Need::Optional,
    "Where the word stands that tells the lines apart; at most 12 lines. One line if left out.",
);

pub(in crate::config) static DRAW: Key<Choice<Draw>> = Key {
    name: "draw",
    need: Need::Default("\"line\""),
    about: "How it is drawn.",
    shape: Choice {
        options: &[
            ("line", Draw::Line, "a line through the points"),
            ("area", Draw::Area, "a line, filled to zero"),
            ("bars", Draw::Bars, "a bar a bucket"),
        ],
    },
};

pub(in crate::config) static TILE_KEY: Key<PathText> =
    path("key", Need::Required, "The text or number that tells a tile from the others.");

pub(in crate::config) static TILE_LABEL: Key<TemplateText> =
    template("label", Need::Optional, "What is written on it; the key if left out.");

pub(in crate::config) static DETAIL: Key<TemplateText> =
    template("detail", Need::Optional, "A smaller line below the label.");

pub(in crate::config) static TILE_STATE: Key<PathText> =
    path("state", Need::Required, "Where the word stands that `states` gives a meaning to.");

pub(in crate::config) static TILE_STATES: Key<States> =
    Key { need: Need::Required, name: "states", about: STATES.about, shape: States };

pub(in crate::config) static MARKER_KEY: Key<PathText> =
    path("key", Need::Required, "The text or number that tells a marker from the others.");

pub(in crate::config) static LAT: Key<PathText> =
    path("lat", Need::Required, "Where the latitude stands, degrees north.");

pub(in crate::config) static LON: Key<PathText> =
    path("lon", Need::Required, "Where the longitude stands, degrees east.");

pub(in crate::config) static HEADING: Key<PathText> =
    path("heading", Need::Optional, "Where the heading stands, degrees clockwise from north.");

pub(in crate::config) static MARKER_LABEL: Key<TemplateText> =
    template("label", Need::Optional, "What is written beside it; nothing if left out.");

pub(in crate::config) static MAP_BOUNDS: Key<Bounds> =
    Key { name: "bounds", need: Need::Default("[-180, -60, 180, 80]"), about: "What the map shows.", shape: Bounds };

pub(in crate::config) static PLACES: Key<Marks> =
    Key { name: "places", need: Need::Optional, about: "Fixed, named points on the map.", shape: Marks };

pub(in crate::config) static GLIDE: Key<Span> = span(
    "glide",
    Need::Default("\"1s\""),
    Duration::ZERO,
    Duration::from_secs(60),
    "How long a marker takes to its new position, real time; `\"0s\"` to jump.",
);
