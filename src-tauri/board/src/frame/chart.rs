//! What charts have besides their lines: axes, limits, and what happened besides.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::BandLook;

/// A line that the board names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct LineLook {
    /// Its key.
    pub key: String,
    /// Whether it is read by the axis at the right.
    pub right: bool,
}

/// The second axis of a chart: that at the right. Its lines are drawn as lines, whatever the others are drawn as.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AxisLook {
    /// Unit of its values.
    pub unit: Option<String>,
    /// Digits after the point.
    pub decimals: u8,
    /// Its scale begins at this or below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub min: Option<f64>,
    /// Its scale ends at this or above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub max: Option<f64>,
    /// Stretches of its values that mean something.
    pub bands: Vec<BandLook>,
    /// What its values are meant to be.
    pub target: Option<f64>,
}

/// What happened besides what a chart is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct MarksValue {
    /// By time, the newest that there is room for.
    pub list: Vec<MarkValue>,
    /// How many there are besides, all of them before these.
    pub more: u32,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct MarkValue {
    /// When it happened, by the source's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// A short text; may be empty.
    pub label: String,
}
