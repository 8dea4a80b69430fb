//! What may stand as a value, where it speaks of a map: icons.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    shape::Choice,
    table::{Node, Shape, bad_value, wrong_type},
};
use crate::frame::Icon;

/// The most words that one map has icons for.
const ICONS_MAX: usize = 200;

/// The icons that a board file can give.
pub(super) const ICON: Choice<Icon> = Choice {
    options: &[
        ("aircraft", Icon::Aircraft, "from above"),
        ("helicopter", Icon::Helicopter, "from above"),
        ("ship", Icon::Ship, "from above"),
        ("arrow", Icon::Arrow, "points where it heads"),
        ("car", Icon::Car, "from the side"),
        ("truck", Icon::Truck, "from the side"),
        ("train", Icon::Train, "from the front"),
        ("cross", Icon::Cross, "first aid"),
        ("flame", Icon::Flame, "fire"),
        ("shield", Icon::Shield, "police, security"),
        ("person", Icon::Person, "somebody"),
        ("box", Icon::Box, "a parcel, a container"),
        ("wrench", Icon::Wrench, "works, repairs"),
    ],
};

/// `{ ambulance = "cross", "*" = "car" }`: what each word of the data is drawn as.
pub(super) struct Icons;

impl Shape for Icons {
    type Value = BTreeMap<String, Icon>;

    fn expected(&self) -> String {
        format!("a table of words and icons ({}), such as `{{ ambulance = \"cross\" }}`", ICON.expected())
    }

    #[cfg(test)]
    fn words(&self) -> String {
        format!("table of words and {}", ICON.expected())
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "minProperties": 1, "maxProperties": ICONS_MAX, "additionalProperties": ICON.schema()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        if !(1..=ICONS_MAX).contains(&entries.len()) {
            let message = format!("{} words", entries.len());
            bad_value(node, &message, &format!("1 to {ICONS_MAX} words"), None, sink);
            return None;
        }
        let mut icons = BTreeMap::new();
        let mut is_sound = true;
        for (key, value) in entries {
            match ICON.read(Node { name: key.get_ref(), value }, sink) {
                Some(icon) => drop(icons.insert(key.get_ref().to_string(), icon)),
                None => is_sound = false,
            }
        }
        is_sound.then_some(icons)
    }
}
