//! What may stand as a value, where it speaks of a table: the signs before words.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    shape::Choice,
    table::{Node, Shape, bad_value, wrong_type},
};
use crate::frame::Sign;

/// The most words that one column has signs for.
const SIGNS_MAX: usize = 100;

/// The signs that a board file can give.
const SIGN: Choice<Sign> = Choice {
    options: &[
        ("up", Sign::Up, "more, away"),
        ("down", Sign::Down, "less, here"),
        ("right", Sign::Right, "on its way"),
        ("left", Sign::Left, "on its way back"),
        ("clock", Sign::Clock, "it waits"),
        ("pause", Sign::Pause, "it stands"),
        ("lock", Sign::Lock, "it is shut"),
        ("flag", Sign::Flag, "it is marked"),
        ("person", Sign::Person, "somebody"),
        ("box", Sign::Box, "a parcel"),
        ("truck", Sign::Truck, "on the road"),
        ("aircraft", Sign::Aircraft, "in the air"),
        ("ship", Sign::Ship, "on water"),
        ("wrench", Sign::Wrench, "works, repairs"),
        ("bolt", Sign::Bolt, "power"),
        ("flame", Sign::Flame, "fire"),
        ("cross", Sign::Cross, "first aid"),
        ("phone", Sign::Phone, "a call"),
    ],
};

/// `{ boarding = "person" }`: what stands before each word of the data.
pub(super) struct Signs;

impl Shape for Signs {
    type Value = BTreeMap<String, Sign>;

    fn expected(&self) -> String {
        format!("a table of words and signs ({}), such as `{{ boarding = \"person\" }}`", SIGN.expected())
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("table of words and {}", SIGN.expected())
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "minProperties": 1, "maxProperties": SIGNS_MAX, "additionalProperties": SIGN.schema()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        if !(1..=SIGNS_MAX).contains(&entries.len()) {
            let message = format!("{} words", entries.len());
            bad_value(node, &message, &format!("1 to {SIGNS_MAX} words"), None, sink);
            return None;
        }
        let mut signs = BTreeMap::new();
        let mut is_sound = true;
        for (key, value) in entries {
            match SIGN.read(Node { name: key.get_ref(), value }, sink) {
                Some(sign) => drop(signs.insert(key.get_ref().to_string(), sign)),
                None => is_sound = false,
            }
        }
        is_sound.then_some(signs)
    }
}
