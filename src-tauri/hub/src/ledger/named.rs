//! Aggregates one by one: what one comes to, and whether that is what somebody knows better says.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use watchfloor_board::{Rejection, RestoreError};
use watchfloor_model::{Event, Position, Timestamp};

use super::{Folded, Ledger};
use crate::{
    clock::{ClockReading, Now},
    limits,
};

/// What an aggregate comes to, where and when.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Where its channels stand.
    pub(crate) positions: BTreeMap<Arc<str>, Position>,
    /// The hub's time.
    pub(crate) clock: ClockReading,
    /// From when on nothing is missing in it; none if nothing happened before.
    pub(crate) since: Option<Timestamp>,
    /// How many events didn't fit it.
    pub(crate) rejected: u64,
    /// As a wall's report has it.
    pub(crate) value: Value,
}

/// What an aggregate has been through since somebody follows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Course {
    /// The least and the greatest number that it came to; none if it is of no number.
    pub(crate) between: Option<(f64, f64)>,
    /// Of what events spoke, by key.
    pub(crate) touched: BTreeSet<String>,
    /// Whether they spoke of more than is kept.
    pub(crate) is_overrun: bool,
}

/// Why an aggregate can't be held against what the site says.
#[derive(Debug)]
pub(crate) enum Incomparable {
    /// A row doesn't fit it.
    Row { number: usize, reason: Rejection },
    /// A row is of no event that it folds.
    Foreign { number: usize },
    /// It can't take it.
    State(RestoreError),
}

impl Ledger {
    fn folded(&mut self, fingerprint: &str) -> Option<&mut Folded> {
        self.aggregates.iter_mut().find(|folded| folded.aggregate.fingerprint() == fingerprint)
    }

    /// What one comes to.
    pub(crate) fn read(&mut self, fingerprint: &str, now: Now) -> Option<Reading> {
        let clock = self.clock.reading(now);
        self.looked = self.looked.max(Some(clock.now));
        let folded = self.folded(fingerprint)?;
        if folded.begun {
            folded.aggregate.advance(clock.now);
        }
        let (since, rejected, value) = (folded.since, folded.rejected, folded.aggregate.report());
        let channels: Vec<Arc<str>> = folded.aggregate.channels().iter().map(|name| name.as_str().into()).collect();
        let positions = channels.into_iter().map(|channel| (channel.clone(), self.head(&channel))).collect();
        Some(Reading { positions, clock, since, rejected, value })
    }

    /// Follows what one goes through from now on.
    pub(crate) fn begin_course(&mut self, fingerprint: &str, now: Now) {
        let time = self.clock.now(now);
        self.looked = self.looked.max(Some(time));
        let Some(folded) = self.folded(fingerprint) else { return };
        if folded.begun {
            folded.aggregate.advance(time);
        }
        folded.course = Some(Course::default());
        folded.note();
    }

    /// What it went through; it is followed no further.
    pub(crate) fn end_course(&mut self, fingerprint: &str, now: Now) -> Option<Course> {
        let time = self.clock.now(now);
        self.looked = self.looked.max(Some(time));
        let folded = self.folded(fingerprint)?;
        if folded.begun {
            folded.aggregate.advance(time);
        }
        folded.note();
        folded.course.take()
    }

    /// Puts its number right, which is off by `by`. False if it can't be so.
    pub(crate) fn amend(&mut self, fingerprint: &str, by: f64) -> bool {
        self.folded(fingerprint).is_some_and(|folded| {
            folded.begun = true;
            folded.aggregate.amend(by)
        })
    }

    /// How many of its rows are other than these events make them, but for those that were `touched` meanwhile, and puts them right.
    ///
    /// # Errors
    /// If they don't fit. It is as it was before.
    pub(crate) fn correct(
        &mut self,
        fingerprint: &str,
        rows: &[Event],
        touched: &BTreeSet<String>,
        now: Now,
    ) -> Result<usize, Incomparable> {
        let time = self.clock.now(now);
        let Some(folded) = self.folded(fingerprint) else { return Ok(0) };
        let own = &mut folded.aggregate;
        let mut right = own.like();
        right.restore(&own.state_text()).map_err(Incomparable::State)?;
        right.advance(time);
        right.clear_but(touched);
        for (number, row) in rows.iter().enumerate() {
            if !right.wants(row) {
                return Err(Incomparable::Foreign { number: number + 1 });
            }
            if right.key_in(row).is_some_and(|key| touched.contains(&key)) {
                continue;
            }
            right.fold(row).map_err(|reason| Incomparable::Row { number: number + 1, reason })?;
        }
        let off = differences(&own.report(), &right.report());
        if off > 0 {
            folded.begun = true;
            own.correct(&right).map_err(Incomparable::State)?;
        }
        Ok(off)
    }
}

impl Folded {
    /// An event comes that speaks of something, if it is followed.
    pub(super) fn note_event(&mut self, event: &Event) {
        let Some(course) = &mut self.course else { return };
        let Some(key) = self.aggregate.key_in(event) else { return };
        if course.touched.len() < limits::RECONCILE_TOUCHED_MAX {
            course.touched.insert(key);
        } else if !course.touched.contains(&key) {
            course.is_overrun = true;
        }
    }

    /// Notes where it is.
    pub(super) fn note(&mut self) {
        let Some(course) = &mut self.course else { return };
        if let Some((number, _)) = self.aggregate.number() {
            let (least, most) = course.between.unwrap_or((number, number));
            course.between = Some((least.min(number), most.max(number)));
        }
    }
}

/// In how many rows, or keys, two values are different.
fn differences(own: &Value, right: &Value) -> usize {
    match (own, right) {
        (Value::Array(own), Value::Array(right)) => {
            let only = |one: &[Value], other: &[Value]| one.iter().filter(|row| !other.contains(row)).count();
            // A row that is there twice, or in another order, is one as well.
            only(own, right).max(only(right, own)).max(usize::from(own != right))
        }
        (Value::Object(own), Value::Object(right)) => {
            let changed = right.iter().filter(|(key, value)| own.get(*key) != Some(*value)).count();
            changed + own.keys().filter(|key| !right.contains_key(*key)).count()
        }
        (own, right) => usize::from(own != right),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_told_apart() {
        for (own, right, expected) in [
            (json!([1, 2, 3]), json!([1, 2, 3]), 0),
            (json!([1, 2, 3]), json!([1, 2]), 1),
            (json!([2, 1]), json!([1, 2]), 1),
            (json!([]), json!([1, 2]), 2),
            (json!({"a": 1, "b": 2}), json!({"a": 1, "c": 3}), 2),
            (json!({"a": 1}), json!({"a": 2}), 1),
            (json!(null), json!([]), 1),
        ] {
            assert_eq!(differences(&own, &right), expected, "{own} {right}");
        }
    }
}
