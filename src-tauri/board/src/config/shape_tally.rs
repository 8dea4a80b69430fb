//! What may stand as a value, where it speaks of the bars of a tally.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    diagnostic::Sink,
    shape::ANY_NUMBER,
    table::{Node, Shape, bad_value, wrong_type},
};
use crate::reduce::TALLY_BARS_MAX;

/// `targets = { DHL = 120 }`: a number a category.
pub(super) struct Targets;

impl Shape for Targets {
    type Value = BTreeMap<String, f64>;

    fn expected(&self) -> String {
        "a table of categories and numbers, such as `{ DHL = 120 }`".to_owned()
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table of categories and numbers".to_owned()
    }

    fn schema(&self) -> Value {
        json!({"type": "object", "minProperties": 1, "maxProperties": TALLY_BARS_MAX,
            "additionalProperties": ANY_NUMBER.schema()})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Self::Value> {
        let Some(entries) = node.value.get_ref().as_table() else {
            wrong_type(node, &self.expected(), None, sink);
            return None;
        };
        if !(1..=TALLY_BARS_MAX).contains(&entries.len()) {
            let message = format!("{} categories", entries.len());
            bad_value(node, &message, &format!("1 to {TALLY_BARS_MAX} categories"), None, sink);
            return None;
        }
        let read = |(key, value)| {
            let key: &toml::Spanned<toml::de::DeString<'_>> = key;
            let number = ANY_NUMBER.read(Node { name: key.get_ref(), value }, sink);
            number.map(|number| (key.get_ref().to_string(), number))
        };
        let targets: Vec<Option<(String, f64)>> = entries.iter().map(read).collect();
        targets.into_iter().collect()
    }
}
