//! The keys of the small tables inside a widget.

use super::{DAY, SECOND, TITLE_CHARACTERS_MAX, events, path, source::CHANNELS_MAX, span};
use crate::{
    config::{
        condition::Conditions,
        record::Bands,
        shape::{ANY_NUMBER, CHANNEL, Choice, ID, List, Name, Number, Text, Whole},
        shape_event::{EventName, PathText, STATE, Span},
        shape_table::Signs,
        table::{Key, Need, TableShape},
        widget_kind::DECIMALS_MAX,
    },
    frame::State,
};

pub(in crate::config) static BAND_TABLE: TableShape =
    TableShape { name: "`bands`", keys: &[&BAND_FROM, &BAND_TO, &BAND_STATE] };

pub(in crate::config) static BAND_FROM: Key<Number> =
    Key { name: "from", need: Need::Optional, about: "Lower end, included; open if left out.", shape: ANY_NUMBER };

pub(in crate::config) static BAND_TO: Key<Number> =
    Key { name: "to", need: Need::Optional, about: "Upper end, not included; open if left out.", shape: ANY_NUMBER };

pub(in crate::config) static BAND_STATE: Key<Choice<State>> =
    Key { name: "state", need: Need::Required, about: "What a value in it means.", shape: STATE };

pub(in crate::config) static AGAINST_TABLE: TableShape = TableShape {
    name: "`against`",
    keys: &[
        &AGAINST_SOURCE,
        &AGAINST_CHANNELS,
        &AGAINST_ON,
        &AGAINST_WHERE,
        &AGAINST_VALUE,
        &AGAINST_TOLERANCE,
        &AGAINST_SETTLE,
    ],
};

pub(in crate::config) static AGAINST_SOURCE: Key<Name> = Key {
    name: "source",
    need: Need::Required,
    about: "The id of the source that gives the same quantity.",
    shape: ID,
};

pub(in crate::config) static AGAINST_CHANNELS: Key<List<Name>> = Key {
    name: "channels",
    need: Need::Optional,
    about: "The channels whose events count, among that source's; all of them if left out.",
    shape: List { item: CHANNEL, min: 1, max: CHANNELS_MAX, or_one: true, what: "channel names" },
};

pub(in crate::config) static AGAINST_ON: Key<List<EventName>> =
    events("on", true, "The events that count there; those of the widget if left out.");

pub(in crate::config) static AGAINST_WHERE: Key<Conditions> = Key {
    name: "where",
    need: Need::Optional,
    about: "Which of these events count; the widget's conditions if left out.",
    shape: Conditions,
};

pub(in crate::config) static AGAINST_VALUE: Key<PathText> =
    path("value", Need::Optional, "Where the number stands there; where it stands for the widget if left out.");

pub(in crate::config) static AGAINST_TOLERANCE: Key<Number> = Key {
    name: "tolerance",
    need: Need::Required,
    about: "By how much the two may differ, in the widget's unit.",
    shape: Number { what: "a number", min: 0.0, max: 1e15 },
};

pub(in crate::config) static AGAINST_SETTLE: Key<Span> = span(
    "settle",
    Need::Default("\"5s\""),
    SECOND,
    DAY,
    "For how long they must differ by more before it is said: two sources don't speak at the same instant.",
);

pub(in crate::config) static COLUMN_TABLE: TableShape = TableShape {
    name: "`columns`",
    keys: &[
        &COLUMN_PATH,
        &COLUMN_TITLE,
        &COLUMN_FORMAT,
        &COLUMN_DECIMALS,
        &COLUMN_MIN,
        &COLUMN_MAX,
        &COLUMN_BANDS,
        &COLUMN_ICONS,
        &COLUMN_WIDTH,
    ],
};

pub(in crate::config) static COLUMN_PATH: Key<PathText> =
    path("path", Need::Required, "Where the cell's value stands.");

pub(in crate::config) static COLUMN_TITLE: Key<Text> = Key {
    name: "title",
    need: Need::Optional,
    about: "Its heading; the path if left out.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

pub(in crate::config) static COLUMN_FORMAT: Key<Choice<&'static str>> = Key {
    name: "format",
    need: Need::Default("\"text\""),
    about: "How it is written: `number` with `decimals`, `bar` as a number and how much of the way from `min` to `max` it fills, `time` as a time of day in the board's zone, `ago` as how long ago that time was, `until` as how long it is to it, `state` marked with the row's state.",
    shape: Choice {
        options: &[
            ("text", "text", "as it is"),
            ("number", "number", "with `decimals`"),
            ("bar", "bar", "how much of the way from `min` to `max`"),
            ("time", "time", "a time of day in the board's zone"),
            ("ago", "ago", "how long ago a time was"),
            ("until", "until", "how long it is to a time"),
            ("state", "state", "in the row's state"),
        ],
    },
};

pub(in crate::config) static COLUMN_DECIMALS: Key<Whole> = Key {
    name: "decimals",
    need: Need::Default("0"),
    about: "Digits after the point, for `number` and `bar`.",
    shape: Whole { min: 0, max: DECIMALS_MAX },
};

pub(in crate::config) static COLUMN_MIN: Key<Number> =
    Key { name: "min", need: Need::Default("0"), about: "The number at which a `bar` is empty.", shape: ANY_NUMBER };

pub(in crate::config) static COLUMN_MAX: Key<Number> =
    Key { name: "max", need: Need::Default("1"), about: "The number at which a `bar` is full.", shape: ANY_NUMBER };

pub(in crate::config) static COLUMN_BANDS: Key<Bands> = Key {
    name: "bands",
    need: Need::Optional,
    about: "Stretches of its numbers that mean something: such a cell has the mark of what it means. For `number` and `bar`.",
    shape: Bands,
};

pub(in crate::config) static COLUMN_ICONS: Key<Signs> = Key {
    name: "icons",
    need: Need::Optional,
    about: "What stands before each word: its shape. Words that aren't named have none. For `text` and `state`.",
    shape: Signs,
};

pub(in crate::config) static COLUMN_WIDTH: Key<Number> = Key {
    name: "width",
    need: Need::Default("1"),
    about: "Its share of the width, against the others' shares.",
    shape: Number { what: "a number", min: 0.1, max: 20.0 },
};

pub(in crate::config) static MARK_TABLE: TableShape =
    TableShape { name: "`places`", keys: &[&MARK_NAME, &MARK_LAT, &MARK_LON] };

pub(in crate::config) static MARK_NAME: Key<Text> = Key {
    name: "name",
    need: Need::Required,
    about: "Its label.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

pub(in crate::config) static MARK_LAT: Key<Number> = Key {
    name: "lat",
    need: Need::Required,
    about: "Degrees north.",
    shape: Number { what: "a number of degrees", min: -90.0, max: 90.0 },
};

pub(in crate::config) static MARK_LON: Key<Number> = Key {
    name: "lon",
    need: Need::Required,
    about: "Degrees east.",
    shape: Number { what: "a number of degrees", min: -180.0, max: 180.0 },
};
