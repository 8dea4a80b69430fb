//! Different values.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{buckets::Tally, pick::KEY_BYTES_MAX};

/// Most different values that are told apart; of more it is only known that there are at least as many.
pub(crate) const VALUES_MAX: usize = 65_536;

/// The different values of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Values {
    values: BTreeSet<Arc<str>>,
    /// Whether there were more than could be kept.
    more: bool,
}

/// In how many stretches each value occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValueCounts {
    counts: HashMap<Arc<str>, u32>,
    /// In how many of them there were more values than could be kept.
    more: u32,
}

/// One event's value; none if it is one more than can be kept.
pub(crate) type Item = Option<Arc<str>>;

impl Tally for Values {
    type Item = Item;

    fn of(item: &Item) -> Self {
        let mut own = Self::default();
        own.add(item);
        own
    }

    fn add(&mut self, item: &Item) {
        match item {
            Some(value) => {
                self.values.insert(Arc::clone(value));
            }
            None => self.more = true,
        }
    }

    fn merge(&mut self, later: &Self) {
        self.values.extend(later.values.iter().cloned());
        self.more |= later.more;
    }

    fn entries(&self) -> usize {
        1 + self.values.len() + usize::from(self.more)
    }

    fn is_sound(&self) -> bool {
        (self.more || !self.values.is_empty()) && self.values.iter().all(|value| value.len() <= KEY_BYTES_MAX)
    }
}

impl ValueCounts {
    pub(crate) fn enter(&mut self, values: &Values) {
        for value in &values.values {
            *self.counts.entry(Arc::clone(value)).or_default() += 1;
        }
        self.more += u32::from(values.more);
    }

    /// One more value in a stretch that has entered.
    pub(crate) fn note(&mut self, item: &Item) {
        match item {
            Some(value) => *self.counts.entry(Arc::clone(value)).or_default() += 1,
            None => self.more += 1,
        }
    }

    pub(crate) fn leave(&mut self, values: &Values) {
        for value in &values.values {
            if let Some(count) = self.counts.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(value);
                }
            }
        }
        self.more -= u32::from(values.more);
    }

    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there are more than [`ValueCounts::len`] says.
    pub(crate) const fn has_more(&self) -> bool {
        self.more > 0
    }

    /// The value as it is kept already, so that it is kept once.
    pub(crate) fn shared(&self, value: &str) -> Option<Arc<str>> {
        self.counts.get_key_value(value).map(|(own, _)| Arc::clone(own))
    }
}
