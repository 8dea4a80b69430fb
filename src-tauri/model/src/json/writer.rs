//! A JSON text and what it says, written value by value: nothing of it has to be read again.

use std::fmt::Write;

use serde::de::{DeserializeSeed, Error};
use serde_json::Number;

use super::{Json, Node, Nodes, Reader, Shape};
use crate::{
    event::{Payload, PayloadError, limits::DATA_BYTES_MAX},
    text::{is_plain, push_number, push_quoted},
};

/// As many lists and objects within each other are read again.
const DEPTH_MAX: usize = 127;

/// Writes one value. A list's items, or an object's names and values by turns, come between its begin and its end. The text
/// must not pass 4 GiB.
#[derive(Debug, Default)]
pub struct JsonWriter {
    text: String,
    nodes: Vec<Node>,
    /// Lists and objects that aren't ended yet, the outermost first.
    open: Vec<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    /// Where its own node stands.
    node: usize,
    len: u32,
    /// A name is written, and its value comes next.
    is_named: bool,
}

impl JsonWriter {
    /// With room for a text of so many bytes and so many values, names counted as such.
    #[must_use]
    pub fn with_room(bytes: usize, values: usize) -> Self {
        Self { text: String::with_capacity(bytes), nodes: Vec::with_capacity(values), open: Vec::new() }
    }

    /// How many bytes the text has so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing is written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// `null`
    pub fn null(&mut self) {
        self.word("null", Node::Null);
    }

    /// `true` or `false`
    pub fn bool(&mut self, value: bool) {
        self.word(if value { "true" } else { "false" }, Node::Bool(value));
    }

    /// A whole number.
    pub fn unsigned(&mut self, number: u64) {
        self.begin();
        push_number(&mut self.text, number);
        self.nodes.push(Node::Unsigned(number));
    }

    /// A whole number with a sign.
    pub fn signed(&mut self, number: i64) {
        if let Ok(number) = u64::try_from(number) {
            return self.unsigned(number);
        }
        self.begin();
        self.text.push('-');
        push_number(&mut self.text, number.unsigned_abs());
        self.nodes.push(Node::Signed(number));
    }

    /// Any other number; one that isn't finite is null.
    pub fn float(&mut self, number: f64) {
        let Some(text) = Number::from_f64(number) else { return self.null() };
        self.begin();
        // Writing into a text doesn't fail.
        _ = write!(self.text, "{text}");
        self.nodes.push(Node::Float(number));
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.begin();
        self.quoted(text);
    }

    /// A list begins.
    pub fn begin_list(&mut self) {
        self.enter('[');
    }

    /// The innermost list ends.
    pub fn end_list(&mut self) {
        self.leave(']', |len, below| Node::List { len, below });
    }

    /// An object begins.
    pub fn begin_object(&mut self) {
        self.enter('{');
    }

    /// The name of the next value.
    pub fn name(&mut self, name: &str) {
        self.separate();
        self.quoted(name);
        self.named();
    }

    /// The innermost object ends.
    pub fn end_object(&mut self) {
        self.leave('}', |len, below| Node::Object { len, below });
    }

    /// A value that is a JSON text already, as it stands there.
    ///
    /// # Errors
    /// If it is none, holds a number beyond an `f64`, or nests more than 127 deep with what it stands in. Nothing is written then.
    pub fn json(&mut self, json: &str) -> serde_json::Result<()> {
        let (text, nodes, open) = (self.text.len(), self.nodes.len(), self.open.last().copied());
        self.begin();
        let start = self.text.len();
        self.text.push_str(json);
        let outcome = self.read(start, nodes);
        if outcome.is_err() {
            self.text.truncate(text);
            self.nodes.truncate(nodes);
            if let (Some(last), Some(open)) = (self.open.last_mut(), open) {
                *last = open;
            }
        }
        outcome
    }

    /// Notes what the text says from `start` on.
    fn read(&mut self, start: usize, nodes: usize) -> serde_json::Result<()> {
        let json = &self.text[start..];
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Reader { text: &self.text, nodes: &mut self.nodes }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        let brackets = json.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
        if brackets + self.open.len() > DEPTH_MAX {
            let value = Json { text: &self.text, nodes: &self.nodes[nodes..], names: None };
            if depth(value) + self.open.len() > DEPTH_MAX {
                return Err(serde_json::Error::custom(format!("nested more than {DEPTH_MAX} deep")));
            }
        }
        Ok(())
    }

    /// A value of another text.
    pub fn value(&mut self, value: Json<'_>) {
        match value.nodes.first() {
            None | Some(Node::Null) => self.null(),
            Some(Node::Bool(value)) => self.bool(*value),
            Some(Node::Unsigned(number)) => self.unsigned(*number),
            Some(Node::Signed(number)) => self.signed(*number),
            Some(Node::Float(number)) => self.float(*number),
            Some(Node::Text(..) | Node::Unescaped(_)) => {
                self.begin();
                self.copied(value);
            }
            Some(Node::List { .. }) => {
                self.begin_list();
                value.items().for_each(|item| self.value(item));
                self.end_list();
            }
            Some(Node::Object { .. }) => {
                self.begin_object();
                for (name, value) in value.pairs() {
                    self.separate();
                    self.copied(name);
                    self.named();
                    self.value(value);
                }
                self.end_object();
            }
        }
    }

    /// What is written, as an event's body.
    ///
    /// # Errors
    /// If it is longer than [`DATA_BYTES_MAX`].
    pub fn finish(self) -> Result<Payload, PayloadError> {
        let bytes = self.text.len();
        if bytes > DATA_BYTES_MAX {
            return Err(PayloadError::TooBig { bytes });
        }
        let (text, nodes) = self.into_parts();
        Ok(Payload::of(text, nodes))
    }

    /// The text alone.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    pub(super) fn into_parts(self) -> (String, Nodes) {
        let nodes = Nodes::of(&self.text, self.nodes);
        (self.text, nodes)
    }

    /// Before a value.
    fn begin(&mut self) {
        match self.open.last_mut() {
            Some(open) if open.is_named => open.is_named = false,
            _ => self.separate(),
        }
    }

    fn separate(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        if open.len > 0 {
            self.text.push(',');
        }
        open.len += 1;
    }

    fn named(&mut self) {
        self.text.push(':');
        if let Some(open) = self.open.last_mut() {
            open.is_named = true;
        }
    }

    fn word(&mut self, word: &str, node: Node) {
        self.begin();
        self.text.push_str(word);
        self.nodes.push(node);
    }

    fn quoted(&mut self, text: &str) {
        if is_plain(text) {
            return self.plain(text);
        }
        push_quoted(&mut self.text, text);
        self.nodes.push(Node::Unescaped(Box::new(text.to_owned())));
    }

    /// A text of another one: one that stood there as it is meant needs no escapes here either.
    fn copied(&mut self, text: Json<'_>) {
        match text.nodes.first() {
            Some(Node::Text(..)) => self.plain(text.as_text()),
            _ => self.quoted(text.as_text()),
        }
    }

    /// A text that needs no escapes.
    fn plain(&mut self, text: &str) {
        self.text.push('"');
        let place = (u32::try_from(self.text.len()), u32::try_from(text.len()));
        self.text.push_str(text);
        self.text.push('"');
        self.nodes.push(match place {
            (Ok(start), Ok(len)) => Node::Text(start, len),
            _ => Node::Unescaped(Box::new(text.to_owned())),
        });
    }

    fn enter(&mut self, bracket: char) {
        self.begin();
        self.text.push(bracket);
        self.open.push(Open { node: self.nodes.len(), len: 0, is_named: false });
        // Until it is known what is below.
        self.nodes.push(Node::Null);
    }

    fn leave(&mut self, bracket: char, node: impl FnOnce(u32, u32) -> Node) {
        let Some(open) = self.open.pop() else { return };
        self.text.push(bracket);
        let below = u32::try_from(self.nodes.len() - open.node - 1).unwrap_or(u32::MAX);
        self.nodes[open.node] = node(open.len, below);
    }
}

/// How many lists and objects lie within each other.
fn depth(value: Json<'_>) -> usize {
    match value.shape() {
        Shape::List(_) => 1 + value.items().map(depth).max().unwrap_or(0),
        Shape::Object(_) => 1 + value.fields().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// H3: what was noted while it was written is what a reader of the text finds.
    fn check(writer: JsonWriter, expected: &str) {
        let payload = writer.finish().expect("not too long");
        assert_eq!(&**payload.text(), expected);
        let read = Payload::parse(expected).expect(expected);
        assert_eq!(payload.value().to_value(), read.value().to_value());
        assert!(payload.value().says_the_same_as(read.value()));
        for (name, value) in read.value().fields() {
            assert_eq!(
                payload.value().get(name).map(Json::to_value),
                read.value().get(name).map(Json::to_value),
                "{value:?}"
            );
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut one = JsonWriter::default();
        one.begin_object();
        one.name("plain");
        one.text("text");
        one.name("a\"b");
        one.text("line\nline");
        one.name("list");
        one.begin_list();
        one.unsigned(u64::MAX);
        one.signed(-7);
        one.signed(7);
        one.float(1.0);
        one.float(f64::NAN);
        one.begin_object();
        one.end_object();
        one.bool(true);
        one.null();
        one.json(" [1, {\"x\":\"\\u00e9\"}]").expect("JSON");
        one.end_list();
        one.name("");
        one.json("1e-2").expect("a number");
        one.end_object();
        check(
            one,
            "{\"plain\":\"text\",\"a\\\"b\":\"line\\nline\",\"list\":[18446744073709551615,-7,7,1.0,null,{},true,null, [1, {\"x\":\"\\u00e9\"}]],\"\":1e-2}",
        );
    }

    /// What is no JSON leaves nothing behind, wherever it stands.
    #[test]
    fn what_is_no_json_is_not_written() {
        for bad in ["", "nul", "1e400", "{\"a\":}", "1 2", "\"a"] {
            let mut one = JsonWriter::default();
            one.begin_list();
            one.json(bad).expect_err(bad);
            one.text("a");
            one.json(bad).expect_err(bad);
            one.begin_object();
            one.name("b");
            one.json(bad).expect_err(bad);
            one.null();
            one.end_object();
            one.end_list();
            check(one, "[\"a\",{\"b\":null}]");
        }
    }

    /// H4: whatever is written can be read back, so it is no deeper than a reader takes.
    #[test]
    fn nothing_is_deeper_than_can_be_read() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (levels, fits) in [(126, true), (127, false), (200, false)] {
            let mut one = JsonWriter::default();
            one.begin_list();
            assert_eq!(one.json(&deep(levels)).is_ok(), fits, "{levels}");
            one.end_list();
            Payload::parse(&one.into_text()).expect("readable");
        }
        // Brackets in a text are none.
        let mut one = JsonWriter::default();
        one.begin_list();
        one.json(&Value::from("[".repeat(500)).to_string()).expect("a text");
        one.end_list();
    }

    #[test]
    fn too_long_is_said() {
        let mut one = JsonWriter::default();
        one.text(&"x".repeat(DATA_BYTES_MAX));
        assert_eq!(one.finish().expect_err("too long"), PayloadError::TooBig { bytes: DATA_BYTES_MAX + 2 });
    }
}
