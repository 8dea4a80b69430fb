//! Which orders a node has done. A value: nothing here waits or sends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Done, Told};
use crate::limits;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::engine) struct Known {
    /// Of which row; empty before the first.
    row: Arc<str>,
    /// Everything up to here is done, or being done.
    seen: u64,
    /// What isn't silent yet of what was ended.
    doing: BTreeSet<u64>,
    /// What came of the newest that are done.
    done: BTreeMap<u64, Done>,
}

/// What comes of an order that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Step {
    /// It is the next.
    Do,
    /// It is done already, and came to this.
    Again(Done),
    /// It is being done.
    Wait,
    /// Others come before it.
    Read,
}

impl Known {
    /// Where this node is: the row, and up to which order.
    pub(in crate::engine) fn place(&self) -> (Arc<str>, u64) {
        (self.row.clone(), self.seen)
    }

    /// Whether all of so many are done or being done.
    pub(in crate::engine) fn has(&self, row: &str, count: u64) -> bool {
        *self.row == *row && self.seen >= count
    }

    /// An order was told.
    pub(in crate::engine) fn hear(&self, told: &Told) -> Step {
        if told.row != self.row || told.number > self.seen + 1 {
            return Step::Read;
        }
        if told.number == self.seen + 1 {
            return Step::Do;
        }
        if self.doing.contains(&told.number) {
            return Step::Wait;
        }
        Step::Again(self.done.get(&told.number).copied().unwrap_or_default())
    }

    /// The row is another one, or goes on here.
    pub(in crate::engine) fn go_to(&mut self, row: &Arc<str>, seen: u64) {
        if self.row != *row {
            *self = Self { row: row.clone(), ..Self::default() };
        }
        self.seen = seen;
    }

    /// The next order is being done.
    pub(in crate::engine) fn begin(&mut self, number: u64) {
        self.seen = number;
        self.doing.insert(number);
    }

    /// An order of this row is done.
    pub(in crate::engine) fn end(&mut self, row: &str, number: u64, done: Done) {
        if *self.row != *row {
            return;
        }
        self.doing.remove(&number);
        self.done.insert(number, done);
        while self.done.len() > limits::ORDERS_KEPT {
            self.done.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use watchfloor_model::Timestamp;

    use super::*;

    fn told(row: &str, number: u64) -> Told {
        Told { row: row.into(), number, at: Timestamp::from_millis(0), from: "n".into(), order: None }
    }

    /// H8: orders are done in their row, each once; what was not heard is read first.
    #[test]
    fn in_a_row() {
        let mut known = Known::default();
        assert_eq!(known.hear(&told("k", 1)), Step::Read, "nothing is known of it yet");
        known.go_to(&"k".into(), 3);
        assert_eq!(known.hear(&told("k", 5)), Step::Read);
        assert_eq!(known.hear(&told("k", 4)), Step::Do);
        known.begin(4);
        assert_eq!(known.hear(&told("k", 4)), Step::Wait);
        assert!(known.has("k", 4) && !known.has("k", 5) && !known.has("l", 4));
        let done = Done { connections: 2, cut_off: 0 };
        known.end("k", 4, done);
        assert_eq!(
            (known.hear(&told("k", 4)), known.hear(&told("k", 2))),
            (Step::Again(done), Step::Again(Done::default()))
        );
        assert_eq!(known.hear(&told("l", 5)), Step::Read, "another row");
        known.go_to(&"l".into(), 0);
        assert_eq!(known.hear(&told("l", 1)), Step::Do);
    }
}
