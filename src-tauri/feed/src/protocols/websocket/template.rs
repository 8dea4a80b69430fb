//! What is sent, with its blanks, and what is heard, by example.

use serde_json::Value;
use watchfloor_model::{Json, Shape};

use crate::port::Message;

/// The blanks of a template.
pub(super) const CHANNEL: &str = "{channel}";
pub(super) const TOKEN: &str = "{token}";
pub(super) const SEQUENCE: &str = "{sequence}";

/// What goes into them.
#[derive(Debug, Default)]
pub(super) struct Blanks<'a> {
    pub(super) channel: &'a str,
    pub(super) token: &'a str,
    pub(super) sequence: &'a str,
}

/// Fills a template in. What was put in is not looked through again: a token may contain anything.
pub(super) fn fill(template: &str, blanks: &Blanks<'_>) -> Message {
    let mut text = String::with_capacity(template.len() + blanks.channel.len() + blanks.token.len());
    let mut rest = template;
    let mut is_secret = false;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let known = [(CHANNEL, blanks.channel), (TOKEN, blanks.token), (SEQUENCE, blanks.sequence)];
        match known.into_iter().find(|(blank, _)| from.starts_with(blank)) {
            Some((blank, value)) => {
                text.push_str(&escaped(value));
                is_secret |= blank == TOKEN;
                rest = &from[blank.len()..];
            }
            None => {
                text.push('{');
                rest = &from[1..];
            }
        }
    }
    text.push_str(rest);
    let message = Message::text(text);
    if is_secret { message.secret() } else { message }
}

/// As it stands within the quotes of a JSON text.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// An example of a message.
#[derive(Debug)]
pub(super) enum Example {
    /// It must have all that this has.
    Json(Value),
    /// It must be this.
    Text(String),
}

impl Example {
    pub(super) fn new(text: &str) -> Self {
        serde_json::from_str(text).map_or_else(|_| Self::Text(text.trim().to_owned()), Self::Json)
    }

    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(self, Self::Text(own) if own == text)
    }

    pub(super) fn fits(&self, message: Json<'_>) -> bool {
        matches!(self, Self::Json(value) if fits(value, message))
    }
}

fn fits(value: &Value, message: Json<'_>) -> bool {
    match (value, message.shape()) {
        (Value::Object(fields), Shape::Object(_)) => {
            fields.iter().all(|(name, value)| message.get(name).is_some_and(|found| fits(value, found)))
        }
        (Value::Array(items), Shape::List(_)) => {
            items.iter().enumerate().all(|(at, value)| message.item(at).is_some_and(|found| fits(value, found)))
        }
        (Value::String(own), Shape::Text(found)) => own == found || own == CHANNEL,
        (Value::Number(own), Shape::Number(found)) => *own == found || own.as_f64() == found.as_f64(),
        (Value::Bool(own), Shape::Bool(found)) => *own == found,
        (Value::Null, Shape::Null) => true,
        _ => false,
    }
}
