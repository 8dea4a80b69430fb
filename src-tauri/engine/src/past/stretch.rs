//! The record by time: stretches in which it doesn't go back.
//!
//! Records are numbered in the order in which they were shown, and their times are this machine's. Where its clock was ahead and was
//! set right, time goes back: what was shown before has later dates than what was shown after. Each such stretch is sought by itself.

use watchfloor_model::Timestamp;

use crate::journal::table::glass::{Key, Kind};

/// Records whose times don't go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its oldest record, a key.
    pub(super) first_seq: i64,
    /// When that was taken.
    pub(super) first: Timestamp,
    /// What kind of key it is.
    pub(super) kind: Kind,
    /// Number of its newest record.
    pub(super) last_seq: i64,
    /// When that was taken.
    pub(super) last: Timestamp,
}

/// The stretches of these keys, in the order in which they were shown. `newest` is the number and the time of the newest record.
pub(super) fn stretches(keys: &[Key], newest: (i64, Timestamp)) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for key in keys {
        match all.last_mut() {
            Some(open) if key.at >= key.before.unwrap_or(open.last) && key.at >= open.last => {
                open.last_seq = key.seq;
                open.last = key.at;
            }
            before => {
                if let Some(ended) = before {
                    ended.last_seq = key.seq - 1;
                    ended.last = key.before.map_or(ended.last, |at| at.max(ended.last));
                }
                let Key { seq, at, kind, .. } = *key;
                all.push(Stretch { first_seq: seq, first: at, kind, last_seq: seq, last: at });
            }
        }
    }
    if let Some(open) = all.last_mut() {
        open.last_seq = open.last_seq.max(newest.0);
        open.last = open.last.max(newest.1);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(1000 * second)
    }

    /// A clock that was ahead makes two stretches; one that was set forward, or a program that wasn't there, makes none.
    #[test]
    fn time_that_goes_back_begins_a_stretch() {
        let key =
            |seq, second, before: Option<i64>| Key { seq, at: at(second), kind: Kind::Key, before: before.map(at) };
        let keys = [
            key(1, 10, None),
            key(5, 20, Some(19)),
            key(9, 500, Some(24)),
            key(13, 30, Some(509)),
            key(17, 40, Some(39)),
        ];
        let found = stretches(&keys, (20, at(45)));
        let ends = |stretch: &Stretch| (stretch.first_seq, stretch.first, stretch.last_seq, stretch.last);
        assert_eq!(found.iter().map(ends).collect::<Vec<_>>(), [(1, at(10), 12, at(509)), (13, at(30), 20, at(45))]);
        assert_eq!(stretches(&[], (20, at(45))), []);
        // The record before a key is missing: the key before it tells.
        let found = stretches(&[key(1, 10, None), key(5, 20, None), key(9, 15, None)], (9, at(15)));
        assert_eq!(found.iter().map(ends).collect::<Vec<_>>(), [(1, at(10), 8, at(20)), (9, at(15), 9, at(15))]);
    }
}
