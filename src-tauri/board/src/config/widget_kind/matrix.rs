//! States in a grid of rows and columns.

use super::{Folded, KindShape, keyed, states};
use crate::{
    config::{
        diagnostic::Sink,
        keys::{path, template},
        shape_event::{PathText, TemplateText},
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "matrix",
    about: "States in a grid: a cell for each pair of a row and a column, such as services × regions.",
    table: TableShape {
        name: "kind `matrix`",
        keys: &[
            &ROW,
            &COLUMN,
            &states::OWN_PATH,
            &states::OWN_STATES,
            &DETAIL,
            &keyed::REMOVE_ON,
            &keyed::EXPIRE,
            &keyed::LOST_AFTER,
        ],
    },
    stats: &[],
    read,
};

static ROW: Key<PathText> = path(
    "row",
    Need::Required,
    "The text or number that names the row. It may not have ` · ` in it; at most 500 cells, events of further ones are rejected.",
);

static COLUMN: Key<PathText> = path("column", Need::Required, "The text or number that names the column.");

static DETAIL: Key<TemplateText> =
    template("detail", Need::Optional, "A few letters in place of the state's word, such as `{p99} ms`.");

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let row = reader.get(&ROW, sink);
    let column = reader.get(&COLUMN, sink);
    let state = states::read_own(reader, sink);
    let detail = reader.optional(&DETAIL, sink);
    let life = keyed::life(reader, sink);
    let reducer = ReducerSpec::Matrix { row: row?, column: column?, state: state?, detail: detail?, life: life? };
    Some(Folded { reducer, look: Look::Matrix {}, knows_days: false, against: None })
}
