//! `night = { from = "21:00", to = "06:00" }`: when the board is painted for a room in which nobody has a lamp on.

use serde_json::Value;

use super::{
    diagnostic::Sink,
    keys,
    schema::object,
    table::{Node, Shape, TableReader, bad_value, names},
};
use crate::hours::Hours;

/// The table.
pub(super) struct Night;

impl Shape for Night {
    type Value = Hours;

    fn expected(&self) -> String {
        format!("a table with {}", names(keys::NIGHT_TABLE.keys.iter().map(|key| key.name())))
    }

    #[cfg(test)]
    fn words(&self) -> String {
        "table, below".to_owned()
    }

    fn schema(&self) -> Value {
        object(&keys::NIGHT_TABLE)
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Hours> {
        let reader = TableReader::open(node, &keys::NIGHT_TABLE, sink)?;
        reader.finish(sink);
        let from = reader.get(&keys::NIGHT_FROM, sink);
        let to = reader.get(&keys::NIGHT_TO, sink);
        let days = reader.optional(&keys::NIGHT_DAYS, sink);
        let (from, to, days) = (from?, to?, days?);
        let mut begins = [days.is_none(); 7];
        for day in days.unwrap_or_default() {
            if let Some(begins) = begins.get_mut(day) {
                *begins = true;
            }
        }
        let hours = Hours::new(from, to, begins);
        if hours.is_none() {
            let help = "a night that never ends is `theme`".to_owned();
            bad_value(node, "a night that ends when it begins", "two times of day that differ", Some(help), sink);
        }
        hours
    }
}
