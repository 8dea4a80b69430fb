//! Rows by key.

use super::{Folded, KindShape, ROWS_MAX, keyed, states};
use crate::{
    config::{
        diagnostic::{Problem, Sink},
        keys::path,
        record::Columns,
        shape::{List, Whole},
        shape_event::{PathText, SortText},
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
    path::Path,
};

pub(super) static KIND: KindShape = KindShape {
    name: "table",
    about: "Rows by key: an event updates the cells that it has a value for.",
    table: TableShape {
        name: "kind `table`",
        keys: &[
            &KEY,
            &COLUMNS,
            &SORT,
            &GROUP,
            &LIMIT,
            &keyed::REMOVE_ON,
            &keyed::EXPIRE,
            &EXPIRE_AT,
            &states::PATH,
            &states::STATES,
        ],
    },
    stats: &[],
    read,
};

static KEY: Key<PathText> = path("key", Need::Required, "The text or number that tells a row from the others.");

static COLUMNS: Key<Columns> =
    Key { name: "columns", need: Need::Required, about: "The columns, left to right.", shape: Columns };

/// The most paths that rows are sorted by.
const SORTS_MAX: usize = 4;

static SORT: Key<List<SortText>> = Key {
    name: "sort",
    need: Need::Optional,
    about: "The order of rows: by the value at this path, `-` before it for descending, then at the next one, then by key. By key alone if left out.",
    shape: List { item: SortText, min: 1, max: SORTS_MAX, or_one: true, what: "paths" },
};

static GROUP: Key<PathText> = path(
    "group",
    Need::Optional,
    "Rows of one value here stand together under a head that says how many they are, and the worst state of them.",
);

static LIMIT: Key<Whole> = Key {
    name: "limit",
    need: Need::Default("100"),
    about: "Rows shown. Rows past it, last in the order, are counted but not shown.",
    shape: Whole { min: 1, max: ROWS_MAX },
};

static EXPIRE_AT: Key<PathText> = path(
    "expire-at",
    Need::Optional,
    "Where the instant stands (milliseconds since 1970, or RFC 3339) at which the row goes.",
);

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&KEY, sink);
    let columns = reader.get(&COLUMNS, sink);
    let sort = reader.optional(&SORT, sink);
    let group = reader.optional(&GROUP, sink);
    let limit = reader.get(&LIMIT, sink);
    let remove_on = keyed::remove_on(reader, sink);
    let expire = reader.optional(&keyed::EXPIRE, sink);
    let expire_at = reader.optional(&EXPIRE_AT, sink);
    let state = states::read(reader, sink);
    let (columns, looks): (Vec<Path>, Vec<_>) = columns?.into_iter().unzip();
    if let Some(at) = looks.iter().position(|look| look.format == "state")
        && !reader.has("state")
    {
        sink.report(Problem {
            span: reader.span_of_item("columns", at),
            message: "`format = \"state\"` in a table without `state`".to_owned(),
            found: "`format = \"state\"`".to_owned(),
            expected: "`state` and `states` in the widget, or another format".to_owned(),
            help: None,
        });
        return None;
    }
    let limit = limit?;
    let mut sorts = sort?.unwrap_or_default();
    if let Some(at) = (1..sorts.len()).find(|at| sorts[..*at].iter().any(|(path, _)| *path == sorts[*at].0)) {
        sink.report(Problem {
            span: reader.span_of_item("sort", at),
            message: "sorted twice by the same path".to_owned(),
            found: format!("`{}`", sorts[at].0),
            expected: "each path once".to_owned(),
            help: None,
        });
        return None;
    }
    let then = sorts.split_off(sorts.len().min(1));
    let (sort, descending) = sorts.pop().map_or((None, false), |(path, descending)| (Some(path), descending));
    let reducer = ReducerSpec::Table {
        key: key?,
        columns,
        sort,
        descending,
        then,
        group: group?,
        limit,
        remove_on: remove_on?,
        expire: expire?,
        expire_at: expire_at?,
        state: state?,
    };
    Some(Folded { reducer, look: Look::Table { columns: looks, limit }, knows_days: false, against: None })
}
