//! What charts fold besides one statistic: lines of their own, marks, and the statistics of a distribution.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{SeriesStat, Template};
use crate::path::Path;

/// One of a histogram's `stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistogramStat {
    /// The mean.
    Mean,
    /// The median, within 1 %.
    P50,
    /// The 90th percentile, within 1 %.
    P90,
    /// The 95th percentile, within 1 %.
    P95,
    /// The 99th percentile, within 1 %.
    P99,
}

impl HistogramStat {
    /// As the board file has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }

    /// The part of all values that lie below, of a percentile.
    #[must_use]
    pub const fn part(self) -> Option<f64> {
        match self {
            Self::Mean => None,
            Self::P50 => Some(0.50),
            Self::P90 => Some(0.90),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
        }
    }
}

/// The most rows of a heat map.
pub const HEAT_ROWS_MAX: usize = 100;

/// One of a series' `lines`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineSpec {
    /// `title`: its key, unique in its chart.
    pub title: String,
    /// `on`: which of the chart's events; empty for all of them.
    pub on: Vec<String>,
    /// `where`
    #[serde(rename = "where")]
    pub only: BTreeMap<Path, Vec<Value>>,
    /// `stat`
    pub stat: SeriesStat,
    /// `value`: needed by all but count.
    pub value: Option<Path>,
}

/// `marks` of a series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarksSpec {
    /// `on`: names of events that are marks, and no part of any line.
    pub on: Vec<String>,
    /// `where`: which of these events are marked; without it, as before there was one, all of them.
    #[serde(rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<Path, Vec<Value>>,
    /// `label`; the event's name if missing.
    pub label: Option<Template>,
    /// `limit`: marks kept.
    pub limit: u32,
}

/// The most lines of a chart.
pub const CHART_LINES_MAX: usize = 12;

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference to the field
pub(super) const fn is_of_chart(most: &usize) -> bool {
    *most == CHART_LINES_MAX
}
