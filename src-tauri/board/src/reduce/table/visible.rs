//! All rows in order, and which of them are the first few that are shown.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use crate::reduce::rank::Ranks;

/// A row's place: by rank, then by key.
pub(super) type Place = (Ranks, Arc<str>);

/// The order of all rows. Only the first `limit` are shown; what comes into sight and goes out of it with a change is
/// found in O(log n).
pub(super) struct Visible {
    limit: usize,
    order: BTreeSet<Place>,
    /// The last row shown, if there are more than are shown.
    edge: Option<Place>,
}

/// What a change did to what is shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Came into sight.
    pub(super) shown: Option<Arc<str>>,
    /// Went out of sight.
    pub(super) hidden: Option<Arc<str>>,
    /// Whether the list of the shown keys is another one.
    pub(super) reordered: bool,
}

impl Visible {
    /// Shows the first `limit` rows, at least one.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), order: BTreeSet::new(), edge: None }
    }

    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.edge = None;
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Place> {
        self.order.iter()
    }

    pub(super) fn shown(&self) -> impl Iterator<Item = &Place> {
        self.order.iter().take(self.limit)
    }

    pub(super) fn last(&self) -> Option<&Place> {
        self.order.last()
    }

    /// Takes the last row away.
    pub(super) fn pop(&mut self) -> Option<(Place, Moved)> {
        if self.order.len() <= self.limit + 1 {
            let last = self.order.last().cloned()?;
            let moved = self.remove(&last);
            return Some((last, moved));
        }
        // There are others out of sight before it: nothing else changes, and nothing has to be looked for.
        Some((self.order.pop_last()?, Moved::default()))
    }

    /// Whether the row at `place`, which is one of ours, is shown.
    pub(super) fn shows(&self, place: &Place) -> bool {
        self.edge.as_ref().is_none_or(|edge| place <= edge)
    }

    pub(super) fn insert(&mut self, place: Place) -> Moved {
        // Out of sight from the beginning, as most are in a long table.
        if self.edge.as_ref().is_some_and(|edge| place > *edge) {
            self.order.insert(place);
            return Moved::default();
        }
        let key = Arc::clone(&place.1);
        self.order.insert(place.clone());
        if self.order.len() <= self.limit {
            return Moved { shown: Some(key), hidden: None, reordered: true };
        }
        // The row that goes out of sight: the last one shown before, or the new one itself.
        let out = match self.edge.take() {
            Some(edge) => edge,
            None => self.order.last().cloned().unwrap_or_else(|| place.clone()),
        };
        self.edge = self.before(&out);
        if out == place {
            return Moved::default();
        }
        Moved { shown: Some(key), hidden: Some(out.1), reordered: true }
    }

    pub(super) fn remove(&mut self, place: &Place) -> Moved {
        let was_shown = self.shows(place);
        self.order.remove(place);
        let first_hidden = self.edge.as_ref().filter(|_| was_shown).and_then(|edge| self.after(edge));
        if self.order.len() <= self.limit {
            self.edge = None;
        } else if was_shown {
            self.edge.clone_from(&first_hidden);
        }
        if !was_shown {
            return Moved::default();
        }
        Moved { shown: first_hidden.map(|place| place.1), hidden: Some(Arc::clone(&place.1)), reordered: true }
    }

    /// A row of ours goes from one place to another.
    pub(super) fn change(&mut self, from: Place, to: Place) -> Moved {
        let neighbours_before = (self.before(&from), self.after(&from));
        let was_shown = self.shows(&from);
        let first_hidden = self.edge.as_ref().and_then(|edge| self.after(edge));
        self.order.remove(&from);
        self.order.insert(to.clone());
        let (Some(edge), Some(first_hidden)) = (self.edge.clone(), first_hidden) else {
            let reordered = neighbours_before != (self.before(&to), self.after(&to));
            return Moved { shown: None, hidden: None, reordered };
        };
        if was_shown {
            if to < first_hidden || from == first_hidden {
                self.edge = self.before(&first_hidden);
                let reordered = neighbours_before != (self.before(&to), self.after(&to));
                return Moved { shown: None, hidden: None, reordered };
            }
            let shown = Some(Arc::clone(&first_hidden.1));
            self.edge = Some(first_hidden);
            return Moved { shown, hidden: Some(to.1), reordered: true };
        }
        if to > edge {
            return Moved::default();
        }
        self.edge = self.before(&edge);
        Moved { shown: Some(to.1), hidden: Some(edge.1), reordered: true }
    }

    fn before(&self, place: &Place) -> Option<Place> {
        self.order.range(..place.clone()).next_back().cloned()
    }

    fn after(&self, place: &Place) -> Option<Place> {
        self.order.range((Bound::Excluded(place.clone()), Bound::Unbounded)).next().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::reduce::rank::{Rank, SortValue};

    fn place(key: u8, rank: u8) -> Place {
        let rank = Rank::new(Some(SortValue::Number(f64::from(rank))), false);
        (Ranks::new(std::iter::once(rank)), format!("{key:03}").into())
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        /// What is said to come into sight and to go out of it is what does (frames equal the whole).
        #[test]
        fn follows_a_plain_sorted_list(steps in prop::collection::vec((0..12_u8, 0..6_u8, any::<bool>()), 0..200)) {
            let mut own = Visible::new(4);
            let mut ranks: BTreeMap<u8, u8> = BTreeMap::new();
            let mut shown: Vec<Arc<str>> = Vec::new();
            for (key, rank, removes) in steps {
                let moved = match (ranks.get(&key).copied(), removes) {
                    (Some(old), true) if own.last() == Some(&place(key, old)) => {
                        ranks.remove(&key);
                        let (popped, moved) = own.pop().expect("a last one");
                        prop_assert_eq!(popped, place(key, old));
                        moved
                    }
                    (Some(old), true) => { ranks.remove(&key); own.remove(&place(key, old)) }
                    (Some(old), false) if old == rank => continue,
                    (Some(old), false) => { ranks.insert(key, rank); own.change(place(key, old), place(key, rank)) }
                    (None, true) => continue,
                    (None, false) => { ranks.insert(key, rank); own.insert(place(key, rank)) }
                };
                let mut all: Vec<Place> = ranks.iter().map(|(key, rank)| place(*key, *rank)).collect();
                all.sort();
                let now: Vec<Arc<str>> = all.iter().take(4).map(|place| Arc::clone(&place.1)).collect();
                for (rank, place) in all.iter().enumerate() {
                    prop_assert_eq!(own.shows(place), rank < 4);
                }
                let came: Vec<_> = now.iter().filter(|key| !shown.contains(key)).cloned().collect();
                let went: Vec<_> = shown.iter().filter(|key| !now.contains(key)).cloned().collect();
                prop_assert_eq!(came, moved.shown.into_iter().collect::<Vec<_>>());
                prop_assert_eq!(went, moved.hidden.into_iter().collect::<Vec<_>>());
                prop_assert_eq!(moved.reordered, now != shown);
                shown = now;
            }
        }
    }
}
