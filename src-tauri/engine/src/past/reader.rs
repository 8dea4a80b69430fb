//! The journal, read by a connection that can't write.

use std::{
    cell::{Ref, RefCell},
    path::{Path, PathBuf},
};

use rusqlite::Connection;
use watchfloor_board::frame::UnrecordedWhy;
use watchfloor_model::Timestamp;

use super::{
    HOLE_AFTER,
    error::{PastError, words},
    stretch::{Stretch, stretches},
    verify::Hole,
};
use crate::{
    journal::{
        FILE_NAME,
        migrate::{self, Found},
        table::{
            glass::{self, Hash, Key, Kind, Row},
            outage,
        },
        unwritten,
    },
    outages::Outage,
};

/// The open journal.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
    path: PathBuf,
    known: RefCell<Known>,
}

/// The stretches as they were read last.
#[derive(Debug, Default)]
struct Known {
    key_ends: Option<(i64, i64)>,
    list: Vec<Stretch>,
}

/// The record's two ends in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// When the record was taken that was shown last. Before `last` where the clock was ahead.
    pub(crate) newest: Timestamp,
}

/// Where to read what was on the glass at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The key from which reading begins.
    pub(super) key: i64,
    /// The newest record before time goes back.
    pub(super) end: i64,
    /// What comes next in time in another stretch.
    pub(super) then: Option<(Timestamp, Kind)>,
}

impl Range {
    /// Whether something is recorded of this time.
    pub(super) fn check(&self, at: Timestamp) -> Result<(), PastError> {
        // To the second: who names the record's last second means it.
        if at >= self.first.minus(std::time::Duration::from_secs(1)) && at <= self.last.plus(HOLE_AFTER) {
            return Ok(());
        }
        Err(PastError::OutOfRange { asked: words(at), first: words(self.first), last: words(self.last) })
    }

    pub(super) fn clamp(&self, at: Timestamp) -> Timestamp {
        at.max(self.first).min(self.last)
    }
}

impl Reader {
    /// Opens the journal in `folder`, whether a program writes to it or not.
    pub(crate) fn open(folder: &Path) -> Result<Self, PastError> {
        let path = folder.join(FILE_NAME);
        if !path.is_file() {
            return Err(PastError::Missing { path: folder.to_owned() });
        }
        let unreadable =
            |error: rusqlite::Error| PastError::Unreadable { path: path.clone(), reason: error.to_string() };
        let connection = unwritten::open(&path).map_err(unreadable)?;
        match migrate::inspect(&connection).map_err(unreadable)? {
            Found::Usable => {}
            Found::Newer(found) => return Err(PastError::Newer { path, found, known: migrate::FORMAT }),
            Found::Foreign => {
                let reason = "the file is a database of something else".to_owned();
                return Err(PastError::Unreadable { path, reason });
            }
        }
        let table = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'glass'";
        let tables: i64 = connection.query_row(table, [], |row| row.get(0)).map_err(unreadable)?;
        if tables == 0 {
            return Err(PastError::Empty { path: folder.to_owned() });
        }
        Ok(Self { connection, path, known: RefCell::default() })
    }

    fn told(&self, error: rusqlite::Error) -> PastError {
        PastError::Unreadable { path: self.path.clone(), reason: error.to_string() }
    }

    /// The record's stretches, in the order in which they were shown: one at least.
    fn stretches(&self) -> Result<Ref<'_, [Stretch]>, PastError> {
        let told = |error| self.told(error);
        let [oldest, newest] = glass::range(&self.connection)
            .map_err(told)?
            .ok_or_else(|| PastError::Empty { path: self.path.parent().map(Path::to_owned).unwrap_or_default() })?;
        let key_ends = glass::key_ends(&self.connection).map_err(told)?;
        let mut known = self.known.borrow_mut();
        // Only a key begins a stretch, and there is one every few minutes.
        if known.list.is_empty() || known.key_ends != key_ends {
            let keys = glass::keys(&self.connection).map_err(told)?;
            *known = Known { key_ends, list: stretches(&keys, newest) };
            if known.list.is_empty() {
                let ((first_seq, first), (last_seq, last)) = (oldest, newest);
                known.list.push(Stretch { first_seq, first, kind: Kind::Delta, last_seq, last });
            }
        }
        if let Some(last) = known.list.last_mut() {
            (last.last_seq, last.last) = (newest.0, newest.1.max(last.last));
        }
        drop(known);
        Ok(Ref::map(self.known.borrow(), |known| known.list.as_slice()))
    }

    /// The record's two ends.
    pub(crate) fn range(&self) -> Result<Range, PastError> {
        let all = self.stretches()?;
        let ends = all.iter().fold(None, |ends: Option<Range>, next| {
            let (first, last) = ends.map_or((next.first, next.last), |ends| (ends.first, ends.last));
            Some(Range { first: first.min(next.first), last: last.max(next.last), newest: next.last })
        });
        ends.ok_or_else(|| PastError::Empty { path: self.path.clone() })
    }

    /// Where what was on the glass at `at` is read: in the stretch that was shown last of those that have something of that time, or
    /// else in that which comes nearest before it.
    pub(super) fn place(&self, at: Timestamp) -> Result<Place, PastError> {
        let all = self.stretches()?;
        let mut best: Option<(Timestamp, i64, &Stretch)> = None;
        for stretch in all.iter().rev().filter(|stretch| stretch.first <= at) {
            let ends = (stretch.first_seq, stretch.last_seq);
            let found = glass::key_before(&self.connection, at, ends).map_err(|error| self.told(error))?;
            let Some((key, newest)) = found else { continue };
            if best.is_none_or(|(best, ..)| newest > best) {
                best = Some((newest, key, stretch));
            }
            if at.since(newest) <= HOLE_AFTER {
                break;
            }
        }
        let earliest = || all.iter().min_by_key(|stretch| stretch.first).map(|stretch| (stretch.first_seq, stretch));
        let (key, stretch) = best
            .map(|(_, key, stretch)| (key, stretch))
            .or_else(earliest)
            .ok_or_else(|| PastError::Empty { path: self.path.clone() })?;
        let later = all.iter().filter(|other| other.first > at);
        let then = later.min_by_key(|other| other.first).map(|other| (other.first, other.kind));
        Ok(Place { key, end: stretch.last_seq, then })
    }

    /// When the machine's clock was set back from `seq` on: the first instant of each stretch that begins then.
    pub(super) fn set_back(&self, seq: i64) -> Result<Vec<Timestamp>, PastError> {
        let all = self.stretches()?;
        Ok(all.iter().skip(1).filter(|stretch| stretch.first_seq > seq).map(|stretch| stretch.first).collect())
    }

    /// Number of the newest record.
    pub(super) fn newest(&self) -> Result<i64, PastError> {
        Ok(self.stretches()?.last().map_or(0, |stretch| stretch.last_seq))
    }

    /// Number and hash of the record before the oldest.
    pub(super) fn anchor(&self) -> Result<(i64, Hash), PastError> {
        glass::anchor(&self.connection).map_err(|error| self.told(error))
    }

    /// The records from number `seq` on, `count` at most.
    pub(super) fn read(&self, seq: i64, count: u32) -> Result<Vec<Row>, PastError> {
        glass::read(&self.connection, seq, count).map_err(|error| self.told(error))
    }

    /// The hash that record `seq` has to follow.
    pub(super) fn link_before(&self, seq: i64) -> Result<Hash, PastError> {
        let (anchored, hash) = self.anchor()?;
        if seq == anchored + 1 {
            return Ok(hash);
        }
        let before = self.read(seq - 1, 1)?;
        Ok(before.first().filter(|row| row.seq == seq - 1).map(Row::link).unwrap_or_default())
    }

    /// Stretches without a record, oldest first. A hole always ends with a key.
    pub(crate) fn holes(&self) -> Result<Vec<Hole>, PastError> {
        let keys = glass::keys(&self.connection).map_err(|error| self.told(error))?;
        let hole = |Key { at: to, kind, before, .. }: Key| {
            // Where time went back, nothing lies between them.
            let from = before.filter(|from| *from <= to)?;
            let is_hole = matches!(kind, Kind::Start | Kind::Hole) || to.since(from) > HOLE_AFTER;
            is_hole.then(|| Hole { from, to, why: why(kind), reason: reason(kind) })
        };
        Ok(keys.into_iter().filter_map(hole).collect())
    }

    /// The links' history, oldest first.
    pub(crate) fn outages(&self) -> Result<Vec<Outage>, PastError> {
        outage::all(&self.connection).map_err(|error| self.told(error))
    }
}

/// Why nothing was recorded before a record of this kind, as a code.
const fn reason(kind: Kind) -> UnrecordedWhy {
    match kind {
        Kind::Start => UnrecordedWhy::NotRunning,
        Kind::Hole => UnrecordedWhy::NotWritten,
        Kind::Key | Kind::Delta => UnrecordedWhy::StoodStill,
    }
}

/// Why nothing was recorded before a record of this kind.
pub(super) const fn why(kind: Kind) -> &'static str {
    match kind {
        Kind::Start => "the wall was not running",
        Kind::Hole => "the journal could not be written, or not in time",
        Kind::Key | Kind::Delta => "the program stood still, or records are missing",
    }
}
