//! What the wall has seen, in one SQLite file: a ring of batches, the positions that they lead to, checkpoints of
//! the board, and a ring of what was on the glass.
//!
//! A batch and its positions are one transaction, so whatever instant the process is killed at, the file holds a
//! consistent prefix (H4). The file is in WAL mode with `synchronous = NORMAL`: a killed process loses nothing that was
//! committed, a machine without power perhaps the last moments, but never consistency.

pub(crate) mod alarms;
mod aside;
mod check;
pub(crate) mod migrate;
mod place;
pub(crate) mod stall;
pub(crate) mod table;
pub(crate) mod unwritten;
pub(crate) mod writer;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, ffi};
use watchfloor_model::{Position, Timestamp};

use crate::outages::Outage;
use aside::SetAside;
use migrate::Found;
use place::Place;
use table::{
    alarm,
    batch::{self, Batch},
    checkpoint,
    glass::{self, Record},
    meta, outage, position,
    step::Step,
};

pub(crate) use table::position::Positions;

/// The journal's file in the data folder.
pub(crate) const FILE_NAME: &str = "journal.db";
/// How SQLite calls the write-ahead log beside a file.
const LOG: &str = "-wal";
/// The lock's file in the data folder.
pub(crate) const LOCK_NAME: &str = "lock";
/// SQLite's codes for a place of the file that the disk doesn't give back.
const UNREADABLE: [i32; 3] = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS];
/// Size of a page, in bytes. Batches of a flood fill many pages, and larger ones cost fewer writes; an idle wall's batch
/// writes two, and smaller ones cost fewer bytes. This is nearly as quick for the one as twice the size.
const PAGE_BYTES: u32 = 8192;
/// The write-ahead log is written back to the file when it has this many pages: 16 MiB.
const WAL_PAGES: u32 = 2048;
/// The write-ahead log's file is cut to this size after that.
const WAL_BYTES_KEPT: u32 = 32 << 20;
/// Memory for pages, as SQLite wants it: negative is KiB.
const CACHE_KIB: i32 = -2048;

/// How much the journal keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Oldest batch. Default 24 hours.
    pub age_max: Duration,
    /// Bytes of all batches. Default 256 MiB. The file is as large, plus checkpoints and a write-ahead log of at most 32 MiB.
    pub bytes_max: u64,
    /// Oldest record of the glass. Default 7 days.
    pub glass_age_max: Duration,
    /// Bytes of all records of the glass. Default 512 MiB.
    pub glass_bytes_max: u64,
    /// Oldest entry of the record of alarms, but for what an alarm that stands needs. Default 400 days.
    pub alarm_age_max: Duration,
    /// Bytes of all entries of the record of alarms. Default 256 MiB.
    pub alarm_bytes_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self {
            age_max: day,
            bytes_max: 256 << 20,
            glass_age_max: 7 * day,
            glass_bytes_max: 512 << 20,
            alarm_age_max: 400 * day,
            alarm_bytes_max: 256 << 20,
        }
    }
}

/// Why the journal can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// What SQLite says.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// Damaged beyond what SQLite itself finds.
    #[error("{0}")]
    Damaged(String),
    /// The disk doesn't say whether it is damaged.
    #[error("{0}")]
    Unanswered(String),
    /// For newer programs only.
    #[error("format {0} is newer than this program")]
    Newer(u32),
    /// What the file system says.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl JournalError {
    /// Whether the file itself is bad, so that only a new one helps.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Sql(error) => says_damage(error),
            Self::Damaged(_) => true,
            Self::Newer(_) | Self::Io(_) | Self::Unanswered(_) => false,
        }
    }

    /// Whether the disk didn't give the file back. The file itself may be sound: see [`check`].
    pub(crate) fn is_unreadable(&self) -> bool {
        match self {
            Self::Sql(error) => error.sqlite_error().is_some_and(|error| UNREADABLE.contains(&error.extended_code)),
            Self::Unanswered(_) => true,
            Self::Damaged(_) | Self::Newer(_) | Self::Io(_) => false,
        }
    }
}

/// Whether what SQLite says is that the file itself is bad.
fn says_damage(error: &rusqlite::Error) -> bool {
    match error {
        // A value that isn't what was written there: SQLite itself looks into no cell.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => true,
        error => matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        ),
    }
}

/// What a batch does to its source's positions.
#[derive(Clone, Debug)]
pub(crate) enum PositionChange {
    /// These channels are now here; the others stay.
    Advance(Vec<(Arc<str>, Position)>),
    /// These are all that is known.
    Replace(Vec<(Arc<str>, Position)>),
}

/// A batch and what it does to the positions: one is never written without the other.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What was received.
    pub(crate) batch: Batch,
    /// Where that leads.
    pub(crate) positions: PositionChange,
}

/// Applies a change to positions held in memory.
pub(crate) fn apply(all: &mut Positions, source: &Arc<str>, change: &PositionChange) {
    let channels = all.entry(Arc::clone(source)).or_default();
    let (PositionChange::Advance(new) | PositionChange::Replace(new)) = change;
    if matches!(change, PositionChange::Replace(_)) {
        channels.clear();
    }
    channels.extend(new.iter().cloned());
}

/// A journal just opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// It.
    pub(crate) journal: Journal,
    /// Where the damaged one is that it replaces, and what was wrong.
    pub(crate) set_aside: Option<(PathBuf, String)>,
}

/// The open file. Owned by one thread.
#[derive(Debug)]
pub(crate) struct Journal {
    connection: Connection,
    path: PathBuf,
    place: Place,
    bounds: Bounds,
    /// Number of the newest batch or checkpoint.
    last_seq: i64,
    /// Running total of bytes of all batches ever written.
    bytes_total: i64,
    /// The newest record of the glass.
    glass: glass::Head,
    /// How much there is of the record of alarms.
    alarms: alarm::Held,
}

impl Journal {
    /// Opens the journal in `folder`. A damaged one is set aside and a new one begun.
    pub(crate) fn open(folder: &Path, bounds: Bounds, now: Timestamp) -> Result<Opened, JournalError> {
        let path = folder.join(FILE_NAME);
        let opened = match Self::open_to_write(&path, bounds) {
            // What was a fault of the disk for a moment isn't there when it is opened anew.
            Err(error) if error.is_damage() || error.is_unreadable() => Self::open_to_write(&path, bounds),
            opened => opened,
        };
        match opened.map_err(|error| check::settle(&path, error)) {
            Ok(journal) => Ok(Opened { journal, set_aside: None }),
            Err(error) if error.is_damage() => Self::replace(folder, bounds, now, &error.to_string()),
            Err(error) => Err(refusal(folder).map_or(error, JournalError::Io)),
        }
    }

    /// Opens the journal in `folder` to be read, where it can't be written.
    pub(crate) fn read(folder: &Path, bounds: Bounds) -> Result<Self, JournalError> {
        let path = folder.join(FILE_NAME);
        let connection = unwritten::open(&path)?;
        is_ours(&connection)?;
        let place = Place::of(&path);
        let (glass, alarms) = (glass::Head::default(), alarm::Held::default());
        Ok(Self { connection, path, place, bounds, last_seq: 0, bytes_total: 0, glass, alarms })
    }

    /// Sets the journal in `folder` aside and begins a new one. If none can be begun, the old one stays.
    pub(crate) fn replace(folder: &Path, bounds: Bounds, now: Timestamp, reason: &str) -> Result<Opened, JournalError> {
        let aside = SetAside::of(folder, now)?;
        match Self::open_to_write(&folder.join(FILE_NAME), bounds) {
            Ok(journal) => {
                let set_aside = aside.keep(folder).map(|path| (path, reason.to_owned()));
                Ok(Opened { journal, set_aside })
            }
            Err(error) => {
                if let Err(failed) = aside.put_back(folder) {
                    tracing::error!(?aside, reason = %failed, "the journal can't be put back");
                }
                Err(error)
            }
        }
    }

    /// Damage may be where only writing comes.
    fn open_to_write(path: &Path, bounds: Bounds) -> Result<Self, JournalError> {
        let mut journal = Self::open_file(path, bounds)?;
        journal.try_write()?;
        Ok(journal)
    }

    fn open_file(path: &Path, bounds: Bounds) -> Result<Self, JournalError> {
        place::look(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        // Until it is known to be ours, not even closing it may write to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        is_ours(&connection)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // Only a new file takes it.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        let _mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        migrate::migrate(&mut connection)?;
        alarm::mend(&connection)?;
        let ends = batch::ends(&connection)?;
        let last_seq = ends.newest_seq.max(checkpoint::newest_seq(&connection)?);
        let glass = glass::head(&connection)?;
        let alarms = alarm::held(&connection)?;
        let (path, place) = (path.to_owned(), Place::of(path));
        Ok(Self { connection, path, place, bounds, last_seq, bytes_total: ends.bytes_total, glass, alarms })
    }

    /// Whether what is written goes into the file that the next start finds.
    pub(crate) fn check_place(&mut self) -> Result<(), JournalError> {
        self.place.check()
    }

    /// Writes entries and where they lead, and lets the oldest go: one transaction, all or nothing.
    pub(crate) fn append(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        let (mut seq, mut total) = (self.last_seq, self.bytes_total);
        for entry in entries {
            seq += 1;
            total = total.saturating_add(entry.batch.bytes());
            batch::insert(&transaction, seq, total, &entry.batch)?;
            let (PositionChange::Advance(new) | PositionChange::Replace(new)) = &entry.positions;
            if matches!(entry.positions, PositionChange::Replace(_)) {
                position::forget(&transaction, &entry.batch.source)?;
            }
            for (channel, place) in new {
                position::put(&transaction, &entry.batch.source, channel, place)?;
            }
        }
        // At least as many go as come, or a ring of tiny batches would outgrow its bound.
        let written = total.saturating_sub(self.bytes_total);
        let step = Step::BATCHES.beside(entries.len(), written);
        batch::prune(&transaction, saturated(self.bounds.bytes_max), now.minus(self.bounds.age_max), step)?;
        transaction.commit()?;
        (self.last_seq, self.bytes_total) = (seq, total);
        Ok(())
    }

    /// Keeps the board's state as of batch `seq`.
    pub(crate) fn put_checkpoint(&mut self, seq: i64, now: Timestamp, body: &str) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        checkpoint::put(&transaction, seq, now, body)?;
        transaction.commit()?;
        self.last_seq = self.last_seq.max(seq);
        Ok(())
    }

    /// Writes outages, each in place of what was known of it before.
    pub(crate) fn put_outages<'a>(
        &mut self,
        outages: impl IntoIterator<Item = &'a Outage>,
    ) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        for one in outages {
            outage::put(&transaction, one)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Writes what was on the glass, chained to the record before it, and lets the oldest go.
    pub(crate) fn put_glass(&mut self, record: &Record, now: Timestamp) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        let head = glass::insert(&transaction, &self.glass, record)?;
        let bytes_max = saturated(self.bounds.glass_bytes_max);
        let bound = glass::Bound { bytes_max, age_max: self.bounds.glass_age_max, now };
        glass::prune(&transaction, &head, &bound, Step::GLASS)?;
        // Batches that one transaction couldn't let go don't wait for the next event. Those too old do: it may be the clock.
        let ever = Timestamp::from_millis(i64::MIN);
        batch::prune(&transaction, saturated(self.bounds.bytes_max), ever, Step::BATCHES)?;
        transaction.commit()?;
        self.glass = head;
        Ok(())
    }

    /// Every outage, oldest first.
    pub(crate) fn outages(&self) -> Result<Vec<Outage>, JournalError> {
        Ok(outage::all(&self.connection)?)
    }

    /// When each kind of thing was last written. Until the newest of these that isn't later than now, at least, the program ran:
    /// on a quiet feed only what was on the glass tells, and a clock that was ahead tells nothing.
    pub(crate) fn written_until(&self) -> Result<Vec<Timestamp>, JournalError> {
        let newest = [
            batch::newest_received(&self.connection)?,
            checkpoint::newest_taken(&self.connection)?,
            glass::newest_taken(&self.connection)?,
            outage::newest_ended(&self.connection)?,
        ];
        Ok(newest.into_iter().flatten().collect())
    }

    /// Begins to remember again after a stretch that was not written: state and positions as they are now, in one
    /// transaction. Takes a number of its own, since the batches before it don't lead to it.
    pub(crate) fn rejoin(&mut self, now: Timestamp, body: &str, all: &Positions) -> Result<(), JournalError> {
        let seq = self.last_seq + 1;
        let transaction = self.connection.transaction()?;
        checkpoint::put(&transaction, seq, now, body)?;
        position::forget_all(&transaction)?;
        for (source, channels) in all {
            for (channel, place) in channels {
                position::put(&transaction, source, channel, place)?;
            }
        }
        transaction.commit()?;
        self.last_seq = seq;
        Ok(())
    }

    /// Writes nothing of meaning, to find out whether that works.
    pub(crate) fn try_write(&mut self) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        meta::put(&transaction, meta::WRITTEN_BY, env!("CARGO_PKG_VERSION"))?;
        transaction.commit()?;
        Ok(())
    }

    /// Number of the newest batch or checkpoint.
    pub(crate) const fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// Every checkpoint, newest first.
    pub(crate) fn checkpoints(&self) -> Result<Vec<checkpoint::Row>, JournalError> {
        checkpoint::all(&self.connection).map_err(|error| check::settle(&self.path, error))
    }

    /// Every position.
    pub(crate) fn positions(&self) -> Result<Positions, JournalError> {
        position::all(&self.connection).map_err(|error| check::settle(&self.path, error))
    }

    /// Hands the batches after number `seq` to `take`, oldest first. The answer says whether that is the whole story:
    /// false if batches are missing in between, or are of a kind that this program doesn't know; then nothing more was
    /// handed over.
    pub(crate) fn replay(
        &self,
        seq: i64,
        mut take: impl FnMut(Batch) -> Result<(), JournalError>,
    ) -> Result<bool, JournalError> {
        let mut last = seq;
        let mut whole = true;
        batch::each_after(&self.connection, seq, |number, batch| {
            whole = whole && number == last + 1;
            last = number;
            match batch {
                Some(batch) if whole => take(batch),
                _ => {
                    whole = false;
                    Ok(())
                }
            }
        })
        .map_err(|error| check::settle(&self.path, error))?;
        Ok(whole)
    }

    /// Size of the file and its write-ahead log, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        let log = beside(&self.path, LOG);
        [&self.path, &log].iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
    }

    #[cfg(test)]
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

fn is_ours(connection: &Connection) -> Result<(), JournalError> {
    match migrate::inspect(connection)? {
        Found::Usable => Ok(()),
        Found::Newer(format) => Err(JournalError::Newer(format)),
        Found::Foreign => Err(JournalError::Damaged("the file is a database of something else".into())),
    }
}

/// Why nothing can be written into `folder`, in the system's words: SQLite says only that a file can't be opened. A file of the
/// journal itself isn't touched, as closing it would let go of SQLite's locks.
fn refusal(folder: &Path) -> Option<io::Error> {
    fs::File::options()
        .write(true)
        .open(folder.join(LOCK_NAME))
        .err()
        .filter(|error| error.kind() != io::ErrorKind::NotFound)
}

/// A number as SQLite can have it.
fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The file that SQLite puts beside another.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests;
