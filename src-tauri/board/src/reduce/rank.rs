//! The order of a table's rows.

use std::{
    cmp::{Ordering, Reverse},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::frame::Cell;

/// A row's place by its sort value, ascending or descending; rows without one come last either way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Up(SortValue),
    Down(Reverse<SortValue>),
    Last,
}

/// What rows are sorted by: numbers before texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum SortValue {
    Number(f64),
    Text(Arc<str>),
}

impl Rank {
    pub(crate) fn new(value: Option<SortValue>, descending: bool) -> Self {
        match value {
            None => Self::Last,
            Some(value) if descending => Self::Down(Reverse(value)),
            Some(value) => Self::Up(value),
        }
    }

    pub(crate) const fn value(&self) -> Option<&SortValue> {
        match self {
            Self::Up(value) | Self::Down(Reverse(value)) => Some(value),
            Self::Last => None,
        }
    }
}

impl From<&Cell> for Option<SortValue> {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Number(value) => Some(SortValue::Number(*value)),
            #[allow(clippy::cast_precision_loss)] // within 2^53
            Cell::Time(at) => Some(SortValue::Number(*at as f64)),
            Cell::Text(text) => Some(SortValue::Text(text.as_str().into())),
            Cell::Null | Cell::Missing => None,
        }
    }
}

impl Ord for SortValue {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Zero has two signs in a total order and one for people.
            (Self::Number(a), Self::Number(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for SortValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortValue {}
