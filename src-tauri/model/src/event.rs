//! One thing that happened, as every part of the program sees it.

use std::sync::Arc;

use serde_json::Value;

use crate::{Json, Mono, Position, Timestamp, json::Nodes};

/// Bounds on what a feed may send. Reaching one rejects the event with its reason; nothing is cut in silence.
pub mod limits {
    /// The largest `data` of one event, in bytes of JSON text.
    pub const DATA_BYTES_MAX: usize = 1 << 20;
    /// The longest channel or event name, in bytes.
    pub const NAME_BYTES_MAX: usize = 200;
    /// The longest event id, in bytes.
    pub const ID_BYTES_MAX: usize = 200;
}

/// One event of one source, decoded.
#[derive(Clone, Debug)]
pub struct Event {
    /// The channel it came by.
    pub channel: Arc<str>,
    /// What kind of thing happened: `flight.cancelled`.
    pub name: Arc<str>,
    /// The publisher's own id of it, where it gives one.
    pub id: Option<Arc<str>>,
    /// Its place in the channel, where the server has one.
    pub position: Option<Position>,
    /// When it happened, by the source's clock: the publisher's word, else the server's time of receipt.
    pub time: Timestamp,
    /// When it reached this program.
    pub received: Mono,
    /// What it says.
    pub data: Payload,
}

/// The JSON body of an event: the text as it came, and what it says.
///
/// The text is kept because it is what the journal stores and what a person is shown as the raw event.
#[derive(Clone, Debug)]
pub struct Payload {
    text: Arc<str>,
    nodes: Nodes,
}

/// Why a body can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// More bytes than [`limits::DATA_BYTES_MAX`].
    #[error("data has {bytes} bytes, the limit is {max}", max = limits::DATA_BYTES_MAX)]
    TooBig {
        /// Bytes found.
        bytes: usize,
    },
    /// Not JSON, a number out of range, or nested more than 128 deep.
    #[error("data is not acceptable JSON: {reason}")]
    NotJson {
        /// What the parser said, with line and column.
        reason: String,
    },
    /// Bytes that are no UTF-8.
    #[error("data is not UTF-8: invalid byte at {at}")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
}

impl Payload {
    /// Takes a JSON text.
    ///
    /// # Errors
    /// If it is longer than [`limits::DATA_BYTES_MAX`], no JSON, holds a number beyond an `f64`, or nests more
    /// than 128 deep.
    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        if text.len() > limits::DATA_BYTES_MAX {
            return Err(PayloadError::TooBig { bytes: text.len() });
        }
        match Nodes::parse(text) {
            Ok(nodes) => Ok(Self { text: text.into(), nodes }),
            Err(error) => Err(PayloadError::NotJson { reason: error.to_string() }),
        }
    }

    /// Takes the bytes of a JSON text.
    ///
    /// # Errors
    /// As [`Payload::parse`], and if the bytes are no UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, PayloadError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => Err(PayloadError::NotUtf8 { at: error.valid_up_to() }),
        }
    }

    /// A value within one as a payload of its own. Its text is written anew, without blanks.
    #[must_use]
    pub fn part(value: Json<'_>) -> Self {
        let (text, nodes) = Nodes::part(value);
        Self::of(text, nodes)
    }

    pub(crate) fn of(text: String, nodes: Nodes) -> Self {
        Self { text: text.into(), nodes }
    }

    /// What the text says.
    #[must_use]
    pub fn value(&self) -> Json<'_> {
        self.nodes.root(&self.text)
    }

    /// The text as it came.
    #[must_use]
    pub const fn text(&self) -> &Arc<str> {
        &self.text
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        let text = value.to_string();
        let nodes = Nodes::read(&text, &value).expect("a value says itself without errors");
        Self::of(text, nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bodies_say_why() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for (text, part) in [
            ("NaN", "line 1 column 1"),
            ("1e400", "number out of range"),
            (&*deep, "recursion limit"),
            ("{\"a\":}", "line 1 column 6"),
        ] {
            let error = Payload::parse(text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
        let big = format!("\"{}\"", "x".repeat(10_000_000));
        assert_eq!(Payload::parse(&big).expect_err("big"), PayloadError::TooBig { bytes: 10_000_002 });
        assert_eq!(Payload::parse_bytes(b"\"a\xff\"").expect_err("bytes"), PayloadError::NotUtf8 { at: 2 });
    }
}
