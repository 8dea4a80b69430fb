//! A text that stands there.

use super::FurnitureShape;
use crate::{
    config::{
        diagnostic::Sink,
        markdown::Markdown,
        shape::Choice,
        table::{Key, Need, TableReader, TableShape},
    },
    frame::{Align, FurnitureLook},
};

pub(super) static KIND: FurnitureShape = FurnitureShape {
    name: "text",
    about: "A text that stands there, in Markdown.",
    table: TableShape { name: "kind `text`", keys: &[&TEXT, &ALIGN] },
    is_headed: false,
    wish: (4, 3),
    read,
};

static TEXT: Key<Markdown> = Key {
    name: "text",
    need: Need::Required,
    about: "What it says. It is as large as it has room for.",
    shape: Markdown,
};

static ALIGN: Key<Choice<Align>> = Key {
    name: "align",
    need: Need::Default("\"left\""),
    about: "On which side its lines begin.",
    shape: Choice {
        options: &[
            ("left", Align::Left, "where its letters begin"),
            ("center", Align::Center, "in the middle"),
            ("right", Align::Right, "at the other end"),
        ],
    },
};

fn read(reader: &TableReader<'_>, _: Option<&str>, sink: &mut Sink<'_>) -> Option<FurnitureLook> {
    let blocks = reader.get(&TEXT, sink);
    let align = reader.get(&ALIGN, sink);
    Some(FurnitureLook::Text { blocks: blocks?, align: align? })
}
