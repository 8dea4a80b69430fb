//! The order of a table's rows.

use std::{
    cmp::{Ordering, Reverse},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::pick::Scalar;

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

    /// Whether it is the rank of this value: asked for each event, and mostly so.
    pub(crate) fn is_of(&self, scalar: &Scalar<'_>) -> bool {
        match (self.value(), scalar) {
            (None, Scalar::Null) => true,
            (Some(SortValue::Number(own)), Scalar::Number(value)) => own == value,
            (Some(SortValue::Text(own)), Scalar::Text(text)) => **own == **text,
            _ => false,
        }
    }

    pub(crate) const fn value(&self) -> Option<&SortValue> {
        match self {
            Self::Up(value) | Self::Down(Reverse(value)) => Some(value),
            Self::Last => None,
        }
    }
}

impl SortValue {
    pub(crate) fn of(scalar: &Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Null => None,
            Scalar::Text(text) => Some(Self::Text(text.as_ref().into())),
            Scalar::Number(value) => Some(Self::Number(*value)),
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
