//! `[[widget]]`: what every kind has.

use super::{DAY, GRID_CELLS_MAX, SECOND, TITLE_CHARACTERS_MAX, events, id, source::CHANNELS_MAX, span, title};
use crate::config::{
    condition::Conditions,
    grid::Rectangle,
    shape::{CHANNEL, List, Name, Text, Whole},
    shape_event::{EventName, Span},
    table::{Key, Need, TableShape},
    widget_kind::KindWord,
};

pub(in crate::config) static TABLE: TableShape = TableShape {
    name: "`[[widget]]`",
    keys: &[&ID, &TITLE, &NOTE, &KIND, &SOURCE, &CHANNELS, &ON, &WHERE, &STALE_AFTER, &PAGE, &PLACE],
};

/// Of these, what furniture has no use for.
pub(in crate::config) const OF_DATA: [&str; 5] = [SOURCE.name, CHANNELS.name, ON.name, WHERE.name, STALE_AFTER.name];

pub(in crate::config) static ID: Key<Name> = id("Its name in reports, metrics and the page; unique among widgets.");

pub(in crate::config) static TITLE: Key<Text> = title("Its heading; the id if left out.");

pub(in crate::config) static NOTE: Key<Text> = Key {
    name: "note",
    need: Need::Optional,
    about: "A small line under the heading.",
    shape: Text { characters_max: 2 * TITLE_CHARACTERS_MAX },
};

pub(in crate::config) static KIND: Key<KindWord> = Key {
    name: "kind",
    need: Need::Required,
    about: "What it shows, and which further settings it has.",
    shape: KindWord,
};

pub(in crate::config) static SOURCE: Key<Name> = Key {
    name: "source",
    need: Need::Optional,
    about: "The id of the source whose events it folds. May be left out if the board has only one source.",
    shape: crate::config::shape::ID,
};

pub(in crate::config) static CHANNELS: Key<List<Name>> = Key {
    name: "channels",
    need: Need::Optional,
    about: "The channels whose events count, among the source's; all of them if left out.",
    shape: List { item: CHANNEL, min: 1, max: CHANNELS_MAX, or_one: true, what: "channel names" },
};

pub(in crate::config) static ON: Key<List<EventName>> =
    events("on", true, "The events that count, by name; `*` at the end stands for any rest. Every event if left out.");

pub(in crate::config) static WHERE: Key<Conditions> = Key {
    name: "where",
    need: Need::Optional,
    about: "Which of these events count: each path must have its value, or one of its values.",
    shape: Conditions,
};

pub(in crate::config) static STALE_AFTER: Key<Span> =
    span("stale-after", Need::Optional, SECOND, DAY, "Its freshness limit; the board's if left out.");

pub(in crate::config) static PAGE: Key<Name> = Key {
    name: "page",
    need: Need::Optional,
    about: "The id of the page that it stands on; the first one if left out.",
    shape: crate::config::shape::ID,
};

pub(in crate::config) static PLACE: Key<Rectangle> = Key {
    name: "place",
    need: Need::Optional,
    about: "Where it stands on the grid. Without it the widget gets free cells.",
    shape: Rectangle,
};

pub(in crate::config) static PLACE_TABLE: TableShape =
    TableShape { name: "`place`", keys: &[&COLUMN, &ROW, &WIDTH, &HEIGHT] };

const fn cells(name: &'static str, about: &'static str) -> Key<Whole> {
    Key { name, need: Need::Required, about, shape: Whole { min: 1, max: GRID_CELLS_MAX } }
}

pub(in crate::config) static COLUMN: Key<Whole> = cells("column", "Leftmost column, from 1.");
pub(in crate::config) static ROW: Key<Whole> = cells("row", "Topmost row, from 1.");
pub(in crate::config) static WIDTH: Key<Whole> = cells("width", "Columns covered.");
pub(in crate::config) static HEIGHT: Key<Whole> = cells("height", "Rows covered.");
