//! A bar a category: what it shows, and how it is drawn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{BandLook, State};

/// A bar a category. Sent whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TallyValue {
    /// In order of key.
    pub bars: Vec<BarValue>,
    /// Whether events may be missing: each true value is at least what stands there, and there may be more bars.
    pub at_least: bool,
}

/// One bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct BarValue {
    /// Its category.
    pub key: String,
    /// The value; none if there is nothing to take a mean or an extreme of. Never zero for unknown.
    pub value: Option<f64>,
    /// What the value means by the bands.
    pub state: State,
}

/// How bars are drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct TallyLook {
    /// Unit, drawn smaller. With `%` a share of 0 to 1 is written as 0 to 100.
    pub unit: Option<String>,
    /// Digits after the point.
    pub decimals: u8,
    /// The scale's lower end, zero or below; as far as the bars reach if none.
    pub min: Option<f64>,
    /// The scale's upper end, zero or above; as far as the bars reach if none.
    pub max: Option<f64>,
    /// Stretches of the scale that mean something, of every bar.
    pub bands: Vec<BandLook>,
    /// What every bar is meant to be.
    pub target: Option<f64>,
    /// What those of these categories are meant to be.
    pub targets: BTreeMap<String, f64>,
    /// Which stands first.
    pub order: BarOrder,
    /// Whether the values of several bars add up to something: counts and sums do.
    pub adds: bool,
}

/// Which bar stands first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum BarOrder {
    /// That of the greatest value.
    #[default]
    Largest,
    /// That of the least.
    Smallest,
    /// By name.
    Key,
}
