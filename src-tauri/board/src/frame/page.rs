//! Pages, as the page lays them out and turns them.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::State;

/// A page of the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct PageView {
    /// Its id in the board file.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// For how long it is shown before the next one is, milliseconds.
    pub dwell_ms: u32,
}

/// Which page is shown, and how the others are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct PageShown {
    /// Its number, from 0.
    pub number: u32,
    /// Why it is this one.
    pub why: PageWhy,
    /// How long it is still shown, milliseconds; none if nothing turns it.
    pub left_ms: Option<u32>,
    /// Every page, in the board's order.
    pub marks: Vec<PageMark>,
    /// The numbers of those that turn on this screen, in their order; none if all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub own: Option<Vec<u32>>,
}

/// Why a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum PageWhy {
    /// It is its turn.
    Rotation,
    /// Somebody turned to it.
    Hand,
    /// Somebody wants it to stay.
    Pinned,
    /// There is an alarm on it.
    Alarm,
}

/// How a page is that may be out of sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct PageMark {
    /// The worst that a current number or tile on it says.
    pub state: State,
    /// How many of its widgets are not current.
    pub unwell: u32,
}
