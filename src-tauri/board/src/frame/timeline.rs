//! States over time, a row a key: what they show, and how they are drawn.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::State;

/// What changed of states over time. To apply it: drop all rows if it is whole; put each of `rows` in the place of that of its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TimelineValue {
    /// Whether these are all rows, not the changed ones only.
    pub whole: bool,
    /// In order of key.
    pub rows: Vec<TimelineRow>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TimelineRow {
    /// What tells it from the others.
    pub key: String,
    /// Its heading.
    pub label: String,
    /// What is known, in order and apart from each other: between two of them, before the first and after the last, nobody knows.
    pub stretches: Vec<Stretch>,
}

/// A time through which a state is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Stretch {
    /// Its beginning, by the source's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_ms: i64,
    /// Its end; none if it is so until whatever the source's newest proof tells, and no longer.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub to_ms: Option<i64>,
    /// The state as the source says it: `closed`.
    pub text: String,
    /// What that means.
    pub state: State,
}

/// Which row of a timeline stands first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum RowOrder {
    /// That whose state is the worst.
    #[default]
    Worst,
    /// By name.
    Key,
}
