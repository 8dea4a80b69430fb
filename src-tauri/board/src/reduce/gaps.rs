//! Stretches of time for which nobody can say what happened.

use serde::{Deserialize, Serialize};

use super::Ms;

/// Most stretches kept; of more, the two that lie closest together become one.
const GAPS_MAX: usize = 64;

/// Gaps in order, apart from each other. A gap reaches from its beginning (excluded) to its end (included).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Gaps {
    list: Vec<(Ms, Ms)>,
}

impl Gaps {
    /// Adds a gap; says whether anything changed. A gap that ends before it begins is none.
    pub(crate) fn add(&mut self, from: Ms, to: Ms) -> bool {
        if from >= to || self.list.iter().any(|(a, b)| *a <= from && to <= *b) {
            return false;
        }
        self.list.push((from, to));
        self.list.sort_unstable();
        let mut merged: Vec<(Ms, Ms)> = Vec::with_capacity(self.list.len());
        for (from, to) in self.list.drain(..) {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        self.list = merged;
        if self.list.len() > GAPS_MAX {
            let closest = (1..self.list.len()).min_by_key(|at| self.list[*at].0 - self.list[at - 1].1);
            if let Some(at) = closest {
                self.list[at - 1].1 = self.list[at].1;
                self.list.remove(at);
            }
        }
        true
    }

    /// Forgets what ended at or before `until`; says whether anything did.
    pub(crate) fn forget(&mut self, until: Ms) -> bool {
        let before = self.list.len();
        self.list.retain(|(_, to)| *to > until);
        self.list.len() != before
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn contain(&self, at: Ms) -> bool {
        self.list.iter().any(|(from, to)| *from < at && at <= *to)
    }

    /// Whether any reaches into the stretch from `from` (excluded) to `to`.
    pub(crate) fn touch(&self, from: Ms, to: Ms) -> bool {
        self.list.iter().any(|(a, b)| *a < to && from < *b)
    }

    pub(crate) fn list(&self) -> &[(Ms, Ms)] {
        &self.list
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.list.len() <= GAPS_MAX
            && self.list.iter().all(|(from, to)| from < to)
            && self.list.windows(2).all(|pair| pair[0].1 < pair[1].0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        /// What was ever a gap stays one (H3): merging may only widen.
        #[test]
        fn no_gap_is_lost(gaps in prop::collection::vec((0..2000_i64, 0..30_i64), 0..120)) {
            let mut own = Gaps::default();
            for (from, length) in &gaps {
                own.add(*from, from + length);
            }
            prop_assert!(own.is_sound());
            for (from, length) in gaps {
                for at in from + 1..=from + length {
                    prop_assert!(own.contain(at));
                }
            }
        }
    }

    #[test]
    fn old_gaps_are_forgotten() {
        let mut gaps = Gaps::default();
        assert!(gaps.add(0, 10) && gaps.add(20, 30) && gaps.add(10, 12));
        assert!(!gaps.add(1, 5) && !gaps.add(5, 5));
        assert_eq!(gaps.list(), [(0, 12), (20, 30)]);
        assert!(gaps.touch(11, 15) && !gaps.touch(12, 20));
        assert!(gaps.forget(12) && !gaps.forget(12));
        assert_eq!(gaps.list(), [(20, 30)]);
    }
}
