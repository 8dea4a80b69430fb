//! How far what a widget shows can be believed.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::Continuity;

use super::Said;
use crate::freshness::Freshness;

/// How far a value can be believed, and until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Quality {
    /// What may be said of it when the frame was made.
    pub freshness: Freshness,
    /// Why it isn't live, for people.
    pub reason: Option<String>,
    /// The same as a code, for a page that speaks another language; none of what has no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub said: Option<Said>,
    /// Age of the newest proof that it is current, milliseconds; none if there was never one.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub age_ms: Option<u64>,
    /// The age from which it may not be called live, milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub limit_ms: u64,
    /// *Live* ends by itself after this many milliseconds on the page's own clock unless a newer frame renews it.
    #[cfg_attr(test, ts(type = "number"))]
    pub live_for_ms: u64,
    /// The source's time of the newest event in it, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub source_ms: Option<i64>,
    /// How long ago that event reached this program, milliseconds.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub received_ago_ms: Option<u64>,
    /// What is known about its completeness.
    #[cfg_attr(test, ts(type = "'unknown' | 'proven' | 'snapshot'"))]
    pub basis: Continuity,
    /// Events until this instant of the source's time may be missing in it, milliseconds since the Unix epoch; none if none that
    /// matters can be.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub incomplete_until_ms: Option<i64>,
    /// Events that it could not use, and the newest reason.
    pub rejected: Option<Rejected>,
    /// What a second source says of the same quantity, if it has one.
    pub against: Option<Against>,
}

/// What a second source says of a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Against {
    /// The second source's id.
    pub source: String,
    /// Its name for people.
    pub title: String,
    /// The name of the widget's own source.
    pub own_title: String,
    /// Whether the two agree.
    pub agreement: Agreement,
    /// Its number, if there is one.
    pub value: Option<f64>,
    /// Why they can't be compared.
    pub reason: Option<String>,
}

/// Whether two sources of one quantity agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// They differ by no more than they may, or not for long enough yet.
    Agrees,
    /// They differ: nobody knows which is right.
    Disputed,
    /// One of them isn't current or complete: nothing can be said.
    Unchecked,
}

/// Events that a widget could not use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Rejected {
    /// How many since the program started.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// The newest reason: where, what was found, what was expected.
    pub reason: String,
}
