//! Lengths of time as values.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    diagnostic::Sink,
    duration::{self, DurationError},
    table::{Node, Shape, bad_character, bad_value, cut, wrong_type},
};

/// A duration in a range.
pub struct Span {
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Shape for Span {
    type Value = Duration;

    fn expected(&self) -> String {
        format!("a duration {}, {}", duration::EXAMPLES, self.range())
    }

    fn words(&self) -> String {
        format!("duration, {}", self.range())
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^([0-9]{1,9}(d|h|ms|m|s))+$", "examples": ["90s", "5m", "1h30m", "2d"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Duration> {
        let Some(text) = node.value.get_ref().as_str() else {
            let number = node.value.get_ref().as_integer();
            let help = number.map(|number| format!("write a unit and quotes: \"{}s\"", cut(number.as_str())));
            wrong_type(node, &self.expected(), help, sink);
            return None;
        };
        match duration::parse(text) {
            Ok(span) if (self.min..=self.max).contains(&span) => Some(span),
            Ok(_) => {
                bad_value(node, "out of range", &self.expected(), None, sink);
                None
            }
            Err(DurationError { at, problem }) => {
                let message = format!("malformed duration for `{}`: {problem}", cut(node.name));
                bad_character(node, at, message, &self.expected(), sink);
                None
            }
        }
    }
}

impl Span {
    fn range(&self) -> String {
        format!("{} to {}", duration::format(self.min), duration::format(self.max))
    }
}

/// A duration in a range, or `off`, which is read to none.
pub struct SpanOrOff(pub Span);

impl Shape for SpanOrOff {
    type Value = Option<Duration>;

    fn expected(&self) -> String {
        format!("{}, or `off`", self.0.expected())
    }

    fn words(&self) -> String {
        format!("{}, or `off`", self.0.words())
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^(off|([0-9]{1,9}(d|h|ms|m|s))+)$", "examples": ["90s", "5m", "1h30m", "off"]})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        match node.value.get_ref().as_str() {
            Some("off") => Some(None),
            _ => self.0.read(node, sink).map(Some),
        }
    }
}
