//! `[[page]]`

use std::time::Duration;

/// `[[page]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSpec {
    /// `id`: letters, digits, `-`, `_`; unique.
    pub id: String,
    /// `title`; default the id.
    pub title: String,
    /// `dwell`: for how long it is shown. Default 30 s.
    pub dwell: Duration,
    /// `priority = "alarm"`: an alarm on it brings it to the glass.
    pub comes_on_alarm: bool,
}
