//! Tallies in order of time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Ms, TIME_MS_MAX};

/// Events of one stretch that are believed when they are restored: more than ever come, and few enough to be summed over all.
pub(crate) const EVENTS_MAX: u64 = 1 << 48;

/// What is kept of the events of one stretch of time.
pub(crate) trait Tally: Clone {
    /// What one event adds.
    type Item;
    /// Of the first event.
    fn of(item: &Self::Item) -> Self;
    /// One more event.
    fn add(&mut self, item: &Self::Item);
    /// All events of a later stretch.
    fn merge(&mut self, later: &Self);
    /// How much memory it takes, in entries.
    fn entries(&self) -> usize {
        1
    }
    /// Whether it is possible: what is restored comes from outside.
    fn is_sound(&self) -> bool;
}

/// Tallies by the last millisecond of their stretch, in order, without empty ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Buckets<T> {
    list: VecDeque<(Ms, T)>,
}

/// Where an added event went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) index: usize,
    /// Whether the bucket is new.
    pub(crate) is_new: bool,
    /// How many entries more there are now.
    pub(crate) entries: usize,
}

impl<T> Default for Buckets<T> {
    fn default() -> Self {
        Self { list: VecDeque::new() }
    }
}

impl<T: Tally> Buckets<T> {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds to the bucket that ends at `at`. Events mostly come in order: then this looks at the last bucket only.
    pub(crate) fn add(&mut self, at: Ms, item: &T::Item) -> Added {
        let index = match self.list.back() {
            Some((last, _)) if *last == at => self.list.len() - 1,
            Some((last, _)) if *last > at => self.list.partition_point(|(end, _)| *end < at),
            _ => self.list.len(),
        };
        match self.list.get_mut(index).filter(|(end, _)| *end == at) {
            Some((_, tally)) => {
                let before = tally.entries();
                tally.add(item);
                Added { index, is_new: false, entries: tally.entries() - before }
            }
            None => {
                let tally = T::of(item);
                let entries = tally.entries();
                self.list.insert(index, (at, tally));
                Added { index, is_new: true, entries }
            }
        }
    }

    pub(crate) fn front(&self) -> Option<&(Ms, T)> {
        self.list.front()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&(Ms, T)> {
        self.list.get(index)
    }

    /// Takes the first bucket if it ends at or before `until`.
    pub(crate) fn pop_until(&mut self, until: Ms) -> Option<(Ms, T)> {
        if self.list.front()?.0 > until {
            return None;
        }
        self.list.pop_front()
    }

    /// Keeps those of which this holds.
    pub(crate) fn retain(&mut self, holds: impl Fn(&T) -> bool) {
        self.list.retain(|(_, tally)| holds(tally));
    }

    /// Takes the first bucket.
    pub(crate) fn pop(&mut self) -> Option<(Ms, T)> {
        self.list.pop_front()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &(Ms, T)> + ExactSizeIterator {
        self.list.iter()
    }

    /// The buckets from number `from` up to before number `to`.
    pub(crate) fn range(&self, from: usize, to: usize) -> impl Iterator<Item = &T> {
        self.list.range(from..to).map(|(_, tally)| tally)
    }

    pub(crate) fn entries(&self) -> usize {
        self.list.iter().map(|(_, tally)| tally.entries()).sum()
    }

    /// Makes each bucket end at what `end_of` says, which keeps their order, and merges those that end together.
    pub(crate) fn regroup(&mut self, end_of: impl Fn(Ms) -> Ms) {
        let mut merged: VecDeque<(Ms, T)> = VecDeque::with_capacity(self.list.len());
        for (end, tally) in self.list.drain(..) {
            let end = end_of(end);
            match merged.back_mut() {
                Some((last, into)) if *last == end => into.merge(&tally),
                _ => merged.push_back((end, tally)),
            }
        }
        self.list = merged;
    }

    /// Whether it can be what this type makes: what is restored comes from outside.
    pub(crate) fn check(&self, buckets_max: usize) -> Result<(), String> {
        if self.list.len() > buckets_max {
            return Err(format!("{} buckets, the limit is {buckets_max}", self.list.len()));
        }
        let in_order = self.list.iter().zip(self.list.iter().skip(1)).all(|(a, b)| a.0 < b.0);
        // Ends are rounded up, to the end of one bucket for all time at most.
        let in_range = self.list.iter().all(|(end, _)| (-TIME_MS_MAX..=5 * TIME_MS_MAX).contains(end));
        if !in_order || !in_range || self.list.iter().any(|(_, tally)| !tally.is_sound()) {
            return Err("buckets that are out of order or impossible".to_owned());
        }
        Ok(())
    }
}
