//! `event`: where in a message its name, id, time and body stand.

use serde_json::Value;

use super::{
    diagnostic::{Problem, Sink},
    keys::source as keys,
    schema::object,
    spec::{Codec, EventSpec},
    table::{Node, Shape, TableReader},
};

/// `event = { name = "type", time = "at" }`
pub(super) struct Picks;

impl Shape for Picks {
    type Value = EventSpec;

    fn expected(&self) -> String {
        "a table such as `{ name = \"type\", time = \"at\", data = \"payload\" }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::EVENT_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<EventSpec> {
        let reader = TableReader::open(node, &keys::EVENT_TABLE, sink)?;
        reader.finish(sink);
        let name = reader.optional(&keys::EVENT_NAME, sink);
        let default_name = reader.optional(&keys::EVENT_AS, sink);
        let id = reader.optional(&keys::EVENT_ID, sink);
        let time = reader.optional(&keys::EVENT_TIME, sink);
        let data = reader.optional(&keys::EVENT_DATA, sink);
        let decode = reader.optional(&keys::EVENT_DECODE, sink);
        check_steps(&reader, decode.as_ref()?.as_deref().unwrap_or_default(), sink);
        Some(EventSpec {
            name: name?,
            default_name: default_name?,
            id: id?,
            time: time?,
            data: data?,
            decode: decode?.unwrap_or_default(),
        })
    }
}

/// What gives a value is the last step.
fn check_steps(reader: &TableReader<'_>, steps: &[Codec], sink: &mut Sink<'_>) {
    let before = steps.len().saturating_sub(1);
    if let Some(at) = steps.iter().take(before).position(|step| step.is_last()) {
        sink.report(Problem {
            span: reader.span_of_item(keys::EVENT_DECODE.name, at),
            message: "a step after which there are no bytes left, and more steps".to_owned(),
            found: format!("step {} of {}", at + 1, steps.len()),
            expected: "`json`, `msgpack`, `cbor` and `text` at the end only".to_owned(),
            help: None,
        });
    }
}
