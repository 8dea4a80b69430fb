//! What a frame says besides if it is of the past.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::Said;

/// That a frame is of the past, and where in the record it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct PastView {
    /// The instant that is shown, by this machine's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// The present, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub now_ms: i64,
    /// Whether time goes on.
    pub playing: bool,
    /// Seconds of the record a second while it does; negative for backwards.
    pub speed: f64,
    /// The record's oldest instant, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub first_ms: i64,
    /// The record's newest instant, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub last_ms: i64,
    /// The record's stretches, if they changed since the frame before.
    pub marks: Option<PastMarks>,
    /// Why what is shown was not on the glass at that instant; none if it was.
    pub unseen: Option<String>,
    /// What is wrong with the record here; none if nothing is.
    pub damage: Option<String>,
    /// Why nothing is recorded of this instant; none if something is.
    pub hole: Option<String>,
    /// The present in a few words: `all 16 live`.
    pub live: String,
    /// The same as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub live_said: Option<Said>,
    /// Whether there is nothing in the present to look at.
    pub live_is_well: bool,
    /// It goes back to the present by itself after so long without a hand, milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub returns_in_ms: u64,
}

/// Stretches on the time line, as pairs of milliseconds since the Unix epoch, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct PastMarks {
    /// Without a record.
    #[cfg_attr(test, ts(type = "[number, number][]"))]
    pub holes: Vec<(i64, i64)>,
    /// In which a source was lost. One that lasts ends with the record.
    #[cfg_attr(test, ts(type = "[number, number][]"))]
    pub losses: Vec<(i64, i64)>,
}
