//! One picture over several monitors, as each of their windows is told of it.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Which part of a picture a window shows. All monitors of it have as many pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SpanView {
    /// Monitors side by side.
    pub columns: u32,
    /// Monitors above each other.
    pub rows: u32,
    /// The part's place from the left, from 0.
    pub column: u32,
    /// And from the top, from 0.
    pub row: u32,
    /// The monitor's pixels across and down.
    pub monitor_px: [u32; 2],
    /// How many of these are hidden between two monitors side by side, and between two above each other.
    pub hidden_px: [u32; 2],
}
