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

/// A row's place by all that rows are sorted by, in turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranks {
    first: Rank,
    /// There are mostly no others. A row and its place in the order share them.
    others: Option<Arc<[Rank]>>,
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

    /// What it holds outside of itself.
    pub(crate) fn bytes(&self) -> usize {
        if let Some(SortValue::Text(text)) = self.value() { text.len() + 16 } else { 0 }
    }

    pub(crate) const fn value(&self) -> Option<&SortValue> {
        match self {
            Self::Up(value) | Self::Down(Reverse(value)) => Some(value),
            Self::Last => None,
        }
    }
}

impl Ranks {
    /// Of nothing, all rows have the same.
    pub(crate) fn new(mut ranks: impl Iterator<Item = Rank>) -> Self {
        let first = ranks.next().unwrap_or(Rank::Last);
        let others: Vec<Rank> = ranks.collect();
        Self { first, others: (!others.is_empty()).then(|| others.into()) }
    }

    pub(crate) const fn first(&self) -> &Rank {
        &self.first
    }

    pub(crate) fn others(&self) -> &[Rank] {
        self.others.as_deref().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Rank> {
        std::iter::once(&self.first).chain(self.others())
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
