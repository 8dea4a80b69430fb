//! What decides the order of a table's rows.

use super::Settings;
use crate::{
    path::Path,
    reduce::{
        pick::Scalar,
        rank::{Rank, Ranks, SortValue},
    },
};

/// What rows are sorted by.
pub(crate) struct SortBy {
    pub(crate) path: Path,
    pub(crate) descending: bool,
}

/// The order of rows: by group first, in the direction that is asked for by the same path.
pub(crate) fn order_of(group: Option<&Path>, sort: Option<(&Path, bool)>, then: &[(Path, bool)]) -> Vec<SortBy> {
    let sorts = sort.into_iter().chain(then.iter().map(|(path, descending)| (path, *descending)));
    let sorts: Vec<(&Path, bool)> = sorts.collect();
    let down = group.is_some_and(|group| sorts.iter().any(|(path, descending)| *path == group && *descending));
    let by_group = group.map(|group| (group, down));
    let others = sorts.into_iter().filter(|(path, _)| Some(*path) != group);
    by_group.into_iter().chain(others).map(|(path, descending)| SortBy { path: path.clone(), descending }).collect()
}

impl Settings {
    /// The place by these values, one for each of what rows are sorted by.
    pub(super) fn ranks(&self, values: impl Iterator<Item = Option<SortValue>>) -> Ranks {
        Ranks::new(self.sort.iter().zip(values).map(|(by, value)| Rank::new(value, by.descending)))
    }

    /// The place of a row that an event speaks of, if it is another one.
    pub(super) fn moved(&self, rank: &Ranks, said: &[Option<Scalar<'_>>]) -> Option<Ranks> {
        // Of a whole row, what isn't said isn't there.
        let stays = |own: &Rank, said: &Option<Scalar<'_>>| match said {
            Some(said) => own.is_of(said),
            None => !self.whole || own.is_of(&Scalar::Null),
        };
        if rank.all().zip(said).all(|(own, said)| stays(own, said)) {
            return None;
        }
        let values = rank.all().zip(said).map(|(own, said)| match said {
            Some(said) => SortValue::of(said),
            None if self.whole => None,
            None => own.value().cloned(),
        });
        Some(self.ranks(values))
    }
}
