//! How long what was said of a key holds.

use std::time::Duration;

use serde::Serialize;

use super::millis_option;

/// `remove-on`, `expire` and `lost-after` of a tile or cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LifeSpec {
    /// `remove-on`: names of events that remove what has their key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_on: Vec<String>,
    /// `expire`: it goes this long after its last event; it stays if missing.
    #[serde(serialize_with = "millis_option", skip_serializing_if = "Option::is_none")]
    pub expire: Option<Duration>,
    /// `lost-after`: how long its last event says how it is; for good if missing.
    #[serde(serialize_with = "millis_option", skip_serializing_if = "Option::is_none")]
    pub lost_after: Option<Duration>,
}

impl LifeSpec {
    /// Whether nothing ever goes.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        *self == Self::default()
    }
}
