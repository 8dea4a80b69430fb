//! States over time, a row a key.

use super::{Folded, KindShape, states, whole_millis};
use crate::{
    config::{
        diagnostic::Sink,
        keys::{MONTH, SECOND, path, span, template},
        shape::Choice,
        shape_event::{PathText, Span, TemplateText},
        spec::ReducerSpec,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{Look, RowOrder},
};

pub(super) static KIND: KindShape = KindShape {
    name: "timeline",
    about: "States over time, a row a key.",
    table: TableShape {
        name: "kind `timeline`",
        keys: &[&KEY, &LABEL, &states::OWN_PATH, &states::OWN_STATES, &KEEP, &ORDER],
    },
    stats: &[],
    read,
};

static KEY: Key<PathText> = path(
    "key",
    Need::Required,
    "The text or number that tells a row from the others; at most 100 rows, events of further keys are rejected.",
);

static LABEL: Key<TemplateText> = template("label", Need::Optional, "What stands before it; the key if left out.");

static KEEP: Key<Span> =
    span("keep", Need::Required, SECOND, MONTH, "How far back it reaches; of a row, the last 200 changes at most.");

static ORDER: Key<Choice<RowOrder>> = Key {
    name: "order",
    need: Need::Default("\"worst\""),
    about: "Which row stands first.",
    shape: Choice {
        options: &[("worst", RowOrder::Worst, "the one whose state is the worst"), ("key", RowOrder::Key, "by name")],
    },
};

fn read(reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Folded> {
    let key = reader.get(&KEY, sink);
    let label = reader.optional(&LABEL, sink);
    let state = states::read_own(reader, sink);
    let keep = reader.get(&KEEP, sink);
    let order = reader.get(&ORDER, sink);
    let keep = keep?;
    let reducer = ReducerSpec::Timeline { key: key?, label: label?, state: state?, keep };
    let look = Look::Timeline { keep_ms: whole_millis(keep), order: order? };
    Some(Folded { reducer, look, knows_days: false, against: None })
}
