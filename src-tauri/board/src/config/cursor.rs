//! `cursor`: how an answer to a poll says where to go on.

use serde_json::Value;

use super::{
    diagnostic::Sink,
    keys::source as keys,
    schema::object,
    spec::CursorSpec,
    table::{Node, Shape, TableReader},
};

/// `cursor = { path = "next", query = "after", rows = "events" }`
pub(super) struct Turn;

impl Shape for Turn {
    type Value = CursorSpec;

    fn expected(&self) -> String {
        "a table such as `{ path = \"next\", query = \"after\", rows = \"events\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::CURSOR_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<CursorSpec> {
        let reader = TableReader::open(node, &keys::CURSOR_TABLE, sink)?;
        reader.finish(sink);
        let path = reader.get(&keys::CURSOR_PATH, sink);
        let query = reader.optional(&keys::CURSOR_QUERY, sink);
        let rows = reader.optional(&keys::CURSOR_ROWS, sink);
        Some(CursorSpec { path: path?, query: query?, rows: rows? })
    }
}
