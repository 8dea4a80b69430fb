//! `night = { from = "21:00", to = "06:00" }`: when the board is painted for a room in which nobody has a lamp on; and `quiet`, in the same form, when
//! only critical alarms are told.

use serde_json::Value;

use super::{
    diagnostic::Sink,
    keys,
    schema::object,
    table::{Node, Shape, TableReader, bad_value, names},
};
use crate::hours::Hours;

/// The table.
pub(super) struct Night {
    /// What is wrong with one that ends when it begins, and what to do.
    endless: (&'static str, &'static str),
}

/// When the board is painted for a dark room.
pub(super) const NIGHT: Night =
    Night { endless: ("a night that ends when it begins", "a night that never ends is `theme`") };

/// When only critical alarms are told.
pub(super) const QUIET: Night = Night {
    endless: (
        "quiet hours that end when they begin",
        "critical alarms alone, at any hour, are `notify = \"critical\"` and `sound = \"critical\"`",
    ),
};

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
        let mut reader = TableReader::open(node, &keys::NIGHT_TABLE, sink)?;
        reader.label = format!("`{}`", node.name);
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
            let (message, help) = self.endless;
            bad_value(node, message, "two times of day that differ", Some(help.to_owned()), sink);
        }
        hours
    }
}
