//! Every setting of a board file: its name, what may stand there, its default, and what it does.

use std::time::Duration;

use super::{
    distance::Distance,
    furniture,
    shape::{Choice, Flag, ID, List, Name, Text, Whole},
    shape_event::{EventName, PathText, Span, TemplateText},
    shape_language::{LANGUAGES, Locale},
    shape_site::Zone,
    shape_time::TimeText,
    spec::Theme,
    table::{Key, Need, TableShape, names},
    widget_kind::{self, Kind, kinds},
};

pub(super) mod alarm;
pub(super) mod page;
pub(super) mod record;
pub(super) mod source;
pub(super) mod widget;

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// The shortest bucket of a series: finer than an eye on a moving chart can tell.
pub(super) const SHORTEST_BUCKET: Duration = Duration::from_millis(100);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const MONTH: Duration = Duration::from_secs(31 * 86_400);

/// The most columns or rows of a grid.
pub const GRID_CELLS_MAX: u32 = 48;
/// The longest title, in characters.
pub(super) const TITLE_CHARACTERS_MAX: usize = 100;
/// The most event names of one list.
const EVENT_NAMES_MAX: usize = 100;

pub(super) static BOARD: TableShape = TableShape {
    name: "`[board]`",
    keys: &[&TITLE, &TIMEZONE, &LANGUAGE, &LOCALE, &THEME, &NIGHT, &VIEWING_DISTANCE, &GRID, &STALE_AFTER, &ROTATE],
};

pub(super) static TITLE: Key<Text> = Key {
    name: "title",
    need: Need::Required,
    about: "The title in the head line.",
    shape: Text { characters_max: TITLE_CHARACTERS_MAX },
};

pub(super) static TIMEZONE: Key<Zone> = Key {
    name: "timezone",
    need: Need::Default("\"UTC\""),
    about: "The zone in which times are written and `reset` counts.",
    shape: Zone,
};

pub(super) static LANGUAGE: Key<Choice<&'static str>> = Key {
    name: "language",
    need: Need::Optional,
    about: "The language of what the wall says of itself. Left out, that of `locale`, then that of the machine, where there are words for it; else English.",
    shape: Choice { options: LANGUAGES },
};

pub(super) static LOCALE: Key<Locale> = Key {
    name: "locale",
    need: Need::Optional,
    about: "How numbers, dates and times of the day are written. Left out, as the machine has it where that is of the wall's language, else as the language has it.",
    shape: Locale,
};

pub(super) static THEME: Key<Choice<Theme>> = Key {
    name: "theme",
    need: Need::Default("\"dark\""),
    about: "The colours: for a dark room or a lit one.",
    shape: Choice { options: &[("dark", Theme::Dark, "for a dark room"), ("light", Theme::Light, "for a lit room")] },
};

pub(super) static NIGHT: Key<super::night::Night> = Key {
    name: "night",
    need: Need::Optional,
    about: "When the wall is painted for a room that is dark, in place of `theme`: as dim as can still be read. By this machine's clock, in `timezone`.",
    shape: super::night::NIGHT,
};

pub(super) static NIGHT_TABLE: TableShape =
    TableShape { name: "`night`", keys: &[&NIGHT_FROM, &NIGHT_TO, &NIGHT_DAYS] };

pub(super) static NIGHT_FROM: Key<TimeText> =
    Key { name: "from", need: Need::Required, about: "When it begins.", shape: TimeText };

pub(super) static NIGHT_TO: Key<TimeText> = Key {
    name: "to",
    need: Need::Required,
    about: "When it ends; on the next day, if that is earlier.",
    shape: TimeText,
};

pub(super) static NIGHT_DAYS: Key<List<Choice<usize>>> = Key {
    name: "days",
    need: Need::Optional,
    about: "Days of the week on which it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. Left out, every day.",
    shape: List {
        item: Choice {
            options: &[
                ("mon", 0, "Monday"),
                ("tue", 1, "Tuesday"),
                ("wed", 2, "Wednesday"),
                ("thu", 3, "Thursday"),
                ("fri", 4, "Friday"),
                ("sat", 5, "Saturday"),
                ("sun", 6, "Sunday"),
            ],
        },
        min: 1,
        max: 7,
        or_one: true,
        what: "days",
    },
};

pub(super) static VIEWING_DISTANCE: Key<Distance> = Key {
    name: "viewing-distance",
    need: Need::Optional,
    about: "From how far the wall is read. Its text is made at least so large that it is read from there without effort, on a screen whose size is known. Left out, it is as large as the screen has room for.",
    shape: Distance,
};

pub(super) static GRID: Key<super::grid::Grid> = Key {
    name: "grid",
    need: Need::Default("{ columns = 12, rows = 8 }"),
    about: "The cells on which widgets are placed.",
    shape: super::grid::Grid,
};

pub(super) static GRID_TABLE: TableShape = TableShape { name: "`grid`", keys: &[&COLUMNS, &ROWS] };

pub(super) static COLUMNS: Key<Whole> = Key {
    name: "columns",
    need: Need::Default("12"),
    about: "Columns of the grid.",
    shape: Whole { min: 1, max: GRID_CELLS_MAX },
};

pub(super) static ROWS: Key<Whole> = Key {
    name: "rows",
    need: Need::Default("8"),
    about: "Rows of the grid.",
    shape: Whole { min: 1, max: GRID_CELLS_MAX },
};

pub(super) static STALE_AFTER: Key<Span> = Key {
    name: "stale-after",
    need: Need::Default("\"5s\""),
    about: "The freshness limit of widgets that name none: how long a widget may be called live without a proof.",
    shape: Span { min: SECOND, max: DAY },
};

pub(super) static ROTATE: Key<Flag> = Key {
    name: "rotate",
    need: Need::Default("true"),
    about: "Whether pages turn by themselves, where there are several.",
    shape: Flag,
};

/// `id`
pub(super) const fn id(about: &'static str) -> Key<Name> {
    Key { name: "id", need: Need::Required, about, shape: ID }
}

/// A title that the id stands in for.
const fn title(about: &'static str) -> Key<Text> {
    Key { name: "title", need: Need::Optional, about, shape: Text { characters_max: TITLE_CHARACTERS_MAX } }
}

/// A key whose value is a path.
pub(super) const fn path(name: &'static str, need: Need, about: &'static str) -> Key<PathText> {
    Key { name, need, about, shape: PathText }
}

/// A key whose value is a template.
pub(super) const fn template(name: &'static str, need: Need, about: &'static str) -> Key<TemplateText> {
    Key { name, need, about, shape: TemplateText }
}

/// A key whose value is a duration.
pub(super) const fn span(
    name: &'static str,
    need: Need,
    min: Duration,
    max: Duration,
    about: &'static str,
) -> Key<Span> {
    Key { name, need, about, shape: Span { min, max } }
}

/// A key whose value is one event name or several.
pub(super) const fn events(name: &'static str, star: bool, about: &'static str) -> Key<List<EventName>> {
    let shape = List { item: EventName { star }, min: 1, max: EVENT_NAMES_MAX, or_one: true, what: "event names" };
    Key { name, need: Need::Optional, about, shape }
}

/// Every table that people write, with what it is called.
pub(super) fn tables() -> impl Iterator<Item = &'static TableShape> {
    let parts = [
        &BOARD,
        &NIGHT_TABLE,
        &GRID_TABLE,
        &page::TABLE,
        &source::TABLE,
        &source::EVENT_TABLE,
        &source::CURSOR_TABLE,
        &source::SPEAK_TABLE,
        &source::SNAPSHOT_TABLE,
        &source::TOKEN_TABLE,
        &source::SECRET_TABLE,
        &source::TLS_TABLE,
        &source::PROXY_TABLE,
        &widget::TABLE,
        &widget::PLACE_TABLE,
        &alarm::TABLE,
        &alarm::ALL_TABLE,
    ];
    let kinds = kinds().map(Kind::table);
    parts.into_iter().chain(kinds).chain([
        &furniture::ZONE_TABLE,
        &record::BAND_TABLE,
        &record::AGAINST_TABLE,
        &record::COLUMN_TABLE,
        &record::MARK_TABLE,
        &widget_kind::LAYER_TABLE,
        &widget_kind::FENCE_TABLE,
        &widget_kind::CIRCLE_TABLE,
        &widget_kind::LINE_TABLE,
        &widget_kind::RIGHT_TABLE,
        &widget_kind::MARKS_TABLE,
    ])
}

/// For a key that is unknown where it stands: where it would be right.
pub(super) fn belongs(name: &str) -> Option<String> {
    let kinds: Vec<&str> = kinds().filter(|kind| kind.table().has(name)).map(Kind::name).collect();
    if !kinds.is_empty() {
        return Some(format!("`{name}` belongs to kind {}", names(kinds)));
    }
    let table = tables().find(|table| table.has(name))?;
    Some(format!("`{name}` belongs to {}", table.name))
}
