//! How far a widget can be believed (design invariant H1, H2).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What may be said of a value, worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export_to = "frame.ts")]
pub enum Freshness {
    /// Caught up, and heard within its limit.
    Live,
    /// On the poll rung; age within the interval.
    Polling,
    /// Connected; replay or snapshot outstanding.
    CatchingUp,
    /// Nothing proves it current any more.
    Stale,
    /// Link lost, retrying.
    Down,
    /// Access denied or revoked: the value is hidden.
    Refused,
    /// Never had a value.
    #[default]
    Unknown,
}
