//! How often values are how large.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::BandLook;

/// How a histogram is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct HistogramLook {
    /// Unit of the values.
    pub unit: Option<String>,
    /// Digits after the point.
    pub decimals: u8,
    /// Where the first bin begins.
    pub min: f64,
    /// How wide each is.
    pub width: f64,
    /// How many there are.
    pub bins: u16,
    /// Stretches of values that mean something.
    pub bands: Vec<BandLook>,
    /// What the values are meant to be.
    pub target: Option<f64>,
    /// Which statistics have a line: `mean`, `p50`, `p90`, `p95`, `p99`.
    pub stats: Vec<String>,
}

/// How many values there are in each bin. Sent whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct HistogramValue {
    /// Those below the first bin, those in each, those from the end of the last one on.
    #[cfg_attr(test, ts(type = "number[]"))]
    pub counts: Vec<u64>,
    /// The statistics of the look, in its order; none where there is nothing to take them of.
    pub stats: Vec<Option<f64>>,
    /// Whether events may be missing from it: the true counts are at least these.
    pub at_least: bool,
}

/// How a heat map is drawn. Its value is a chart's: a line is a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct HeatLook {
    /// Unit of the values.
    pub unit: Option<String>,
    /// Digits after the point.
    pub decimals: u8,
    /// How far back it reaches, milliseconds of board time.
    #[cfg_attr(test, ts(type = "number"))]
    pub keep_ms: u64,
    /// Length of one cell, milliseconds of board time.
    #[cfg_attr(test, ts(type = "number"))]
    pub bucket_ms: u64,
    /// Whether each row is a day by the board's zone, and not a line of its own.
    pub days: bool,
    /// Lower end of the scale of lightness; none to follow the values.
    pub min: Option<f64>,
    /// Upper end of it.
    pub max: Option<f64>,
}
