//! Rows of one value, counted.

use std::collections::BTreeMap;

use super::Place;
use crate::{
    frame::{GroupValue, State},
    reduce::{
        number_json,
        rank::{Rank, SortValue},
    },
};

/// Of each group, how many of its rows are in each state.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_rank: BTreeMap<Rank, [u32; STATES.len()]>,
}

/// From the worst to the one that asks for nothing.
const STATES: [State; 5] = [State::Alarm, State::Warning, State::Unknown, State::Normal, State::Muted];

fn place(state: State) -> usize {
    STATES.iter().position(|own| *own == state).unwrap_or_default()
}

impl Groups {
    pub(super) fn clear(&mut self) {
        self.by_rank.clear();
    }

    pub(super) fn add(&mut self, rank: &Rank, state: State) {
        if let Some(counts) = self.by_rank.get_mut(rank) {
            counts[place(state)] += 1;
            return;
        }
        let mut counts = [0; STATES.len()];
        counts[place(state)] = 1;
        self.by_rank.insert(rank.clone(), counts);
    }

    pub(super) fn remove(&mut self, rank: &Rank, state: State) {
        let Some(counts) = self.by_rank.get_mut(rank) else { return };
        counts[place(state)] = counts[place(state)].saturating_sub(1);
        if counts.iter().all(|count| *count == 0) {
            self.by_rank.remove(rank);
        }
    }

    /// Those of these rows, which are in order, and how many there are of all; of a table without groups none.
    pub(super) fn shown<'a>(&self, rows: impl Iterator<Item = &'a Place>, grouped: bool) -> (Vec<GroupValue>, u32) {
        let mut groups: Vec<GroupValue> = Vec::new();
        let mut last: Option<&Rank> = None;
        for (ranks, _) in rows.filter(|_| grouped) {
            if last != Some(ranks.first()) {
                last = Some(ranks.first());
                groups.push(self.value(ranks.first()));
            }
            if let Some(group) = groups.last_mut() {
                group.shown += 1;
            }
        }
        (groups, u32::try_from(self.by_rank.len()).unwrap_or(u32::MAX))
    }

    fn value(&self, rank: &Rank) -> GroupValue {
        let counts = self.by_rank.get(rank).copied().unwrap_or_default();
        let worst = counts.iter().position(|count| *count > 0).and_then(|at| STATES.get(at).copied());
        let name = rank.value().map(|value| match value {
            SortValue::Text(text) => text.to_string(),
            SortValue::Number(number) => number_json(*number).to_string(),
        });
        let total = counts.iter().fold(0, |sum: u32, count| sum.saturating_add(*count));
        GroupValue { name, total, state: worst.unwrap_or_default(), shown: 0 }
    }
}
