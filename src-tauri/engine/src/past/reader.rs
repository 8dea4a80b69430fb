//! The journal, read by a connection that can't write.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use watchfloor_model::Timestamp;

use super::{
    HOLE_AFTER,
    error::{PastError, words},
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
pub(super) struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// The record's two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first_seq: i64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
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
    pub(super) fn open(folder: &Path) -> Result<Self, PastError> {
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
        Ok(Self { connection, path })
    }

    fn told(&self, error: rusqlite::Error) -> PastError {
        PastError::Unreadable { path: self.path.clone(), reason: error.to_string() }
    }

    /// The record's two ends.
    pub(super) fn range(&self) -> Result<Range, PastError> {
        let range = glass::range(&self.connection).map_err(|error| self.told(error))?;
        let [(first_seq, first), (_, last)] = range
            .ok_or_else(|| PastError::Empty { path: self.path.parent().map(Path::to_owned).unwrap_or_default() })?;
        Ok(Range { first_seq, first, last })
    }

    /// Number and hash of the record before the oldest.
    pub(super) fn anchor(&self) -> Result<(i64, Hash), PastError> {
        glass::anchor(&self.connection).map_err(|error| self.told(error))
    }

    /// Number of the key from which reading to `at` begins.
    pub(super) fn key_before(&self, at: Timestamp) -> Result<Option<i64>, PastError> {
        glass::key_before(&self.connection, at).map_err(|error| self.told(error))
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
    pub(super) fn holes(&self) -> Result<Vec<Hole>, PastError> {
        let keys = glass::keys(&self.connection).map_err(|error| self.told(error))?;
        let hole = |Key { at: to, kind, before }: Key| {
            let from = before?;
            let is_hole = matches!(kind, Kind::Start | Kind::Hole) || to.since(from) > HOLE_AFTER;
            is_hole.then(|| Hole { from, to, why: why(kind) })
        };
        Ok(keys.into_iter().filter_map(hole).collect())
    }

    /// The links' history, oldest first.
    pub(super) fn outages(&self) -> Result<Vec<Outage>, PastError> {
        outage::all(&self.connection).map_err(|error| self.told(error))
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
