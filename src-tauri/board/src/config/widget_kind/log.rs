//! The newest lines.

use super::{Folded, KindShape, ROWS_MAX, states};
use crate::{
    config::{
        diagnostic::Sink,
        keys::template,
        shape::Whole,
        shape_event::TemplateText,
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::Look,
};

pub(super) static KIND: KindShape = KindShape {
    name: "log",
    about: "The newest lines, newest first.",
    table: TableShape { name: "kind `log`", keys: &[&TEXT, &LIMIT, &states::PATH, &states::STATES] },
    stats: &[],
    read,
};

static TEXT: Key<TemplateText> = template("text", Need::Required, "The line.");

static LIMIT: Key<Whole> =
    Key { name: "limit", need: Need::Default("50"), about: "Lines kept.", shape: Whole { min: 1, max: ROWS_MAX } };

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let text = reader.get(&TEXT, sink);
    let limit = reader.get(&LIMIT, sink);
    let state = states::read(reader, sink);
    let limit = limit?;
    let reducer = ReducerSpec::Log { text: text?, limit, state: state? };
    Some(Folded { reducer, look: Look::Log { limit }, knows_days: false, against: None })
}
