//! The JSON Schema (2020-12) of tables, for editors.

use serde_json::{Map, Value, json};

use crate::table::{AnyKey, Need, TableShape};

/// A table on its own.
pub fn object(table: &TableShape) -> Value {
    json!({
        "type": "object",
        "properties": properties(table.keys),
        "required": required(table.keys),
        "additionalProperties": false,
    })
}

/// Of each key its part, by its name.
pub fn properties(keys: &[&dyn AnyKey]) -> Map<String, Value> {
    keys.iter().map(|key| (key.name().to_owned(), key.schema())).collect()
}

/// The names of the keys that must be there.
pub fn required(keys: &[&dyn AnyKey]) -> Vec<&'static str> {
    keys.iter().filter(|key| key.need() == Need::Required).map(|key| key.name()).collect()
}
