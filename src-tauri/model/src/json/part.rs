//! A value within a text as a text of its own.

use std::fmt::Write;

use super::{Json, Node, Nodes};

impl Nodes {
    /// A value of a text as a text of its own, and what that says.
    pub(crate) fn part(value: Json<'_>) -> (String, Self) {
        let mut part = Part::default();
        part.nodes.reserve(value.nodes.first().map_or(1, Node::size));
        // It is a part of that, written as it stood there, or shorter.
        part.text.reserve(value.text.len());
        part.take(value);
        let Part { text, nodes } = part;
        let own = Self::of(&text, nodes);
        (text, own)
    }
}

/// A value taken out of a text, written and noted in one go: its text needn't be read again.
#[derive(Default)]
struct Part {
    text: String,
    nodes: Vec<Node>,
}

impl Part {
    fn take(&mut self, value: Json<'_>) {
        let own = self.nodes.len();
        let node = value.nodes.first().cloned().unwrap_or(Node::Null);
        match &node {
            Node::Text(..) => {
                let text = value.as_text();
                self.text.push('"');
                let place = (u32::try_from(self.text.len()), u32::try_from(text.len()));
                // It stands there as it is meant, so it needs no escapes here either.
                self.text.push_str(text);
                self.text.push('"');
                self.nodes.push(match place {
                    (Ok(start), Ok(len)) => Node::Text(start, len),
                    _ => Node::Unescaped(Box::new(text.to_owned())),
                });
            }
            Node::List { .. } => {
                self.text.push('[');
                self.nodes.push(Node::Null);
                self.separated(value.items(), Self::take);
                self.text.push(']');
                self.nodes[own] = node;
            }
            Node::Object { .. } => {
                self.text.push('{');
                self.nodes.push(Node::Null);
                self.separated(value.pairs(), |part, (name, value)| {
                    part.take(name);
                    part.text.push(':');
                    part.take(value);
                });
                self.text.push('}');
                self.nodes[own] = node;
            }
            Node::Null | Node::Bool(_) | Node::Unsigned(_) | Node::Signed(_) | Node::Float(_) | Node::Unescaped(_) => {
                match &node {
                    Node::Unsigned(number) => _ = write!(self.text, "{number}"),
                    Node::Signed(number) => _ = write!(self.text, "{number}"),
                    _ => _ = write!(self.text, "{}", value.to_value()),
                }
                self.nodes.push(node);
            }
        }
    }

    fn separated<T>(&mut self, all: impl Iterator<Item = T>, take: impl Fn(&mut Self, T)) {
        for (at, one) in all.enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            take(self, one);
        }
    }
}
