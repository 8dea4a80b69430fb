//! Whether a journal that could not be used is damaged, or its disk didn't answer for a while.
//!
//! A read error says nothing of the file: a cable, a controller or a network may be at fault, and the file be sound. It is damage
//! where the file, opened anew, has places that can't be read while the rest can.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use super::{
    JournalError, beside, is_ours,
    table::{checkpoint, position},
    unwritten,
};

/// Bytes that are read at once, to find places that can't be.
const PLACE_BYTES: u64 = 64 << 10;

/// What reading a journal through has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is wrong with it now.
    Sound,
    /// Only a new one helps.
    Damaged(String),
    /// The disk doesn't say.
    Unanswered(String),
}

/// A check under way, on a thread of its own: it reads everything, and nothing waits for it.
#[derive(Debug)]
pub(super) struct Check(JoinHandle<Verdict>);

impl Check {
    /// Begins to read the journal at `path` through. Nobody may hold it open.
    pub(super) fn begin(path: PathBuf) -> io::Result<Self> {
        thread::Builder::new().name("journal-check".into()).spawn(move || verdict(&path)).map(Self)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// What it found. Waits for it.
    pub(super) fn verdict(self) -> Verdict {
        self.0.join().unwrap_or_else(|_| Verdict::Unanswered("the check of the journal failed".into()))
    }
}

fn verdict(path: &Path) -> Verdict {
    if !path.exists() || read_through(path).is_ok() {
        return Verdict::Sound;
    }
    // SQLite tells what it couldn't read as something wrong with the file.
    match Places::of(path) {
        Ok(Places { bad: 0, .. }) => match read_through(path) {
            Ok(()) => Verdict::Sound,
            Err(error) if error.is_damage() => Verdict::Damaged(error.to_string()),
            Err(error) => Verdict::Unanswered(error.to_string()),
        },
        Ok(places) if places.are_damage() => Verdict::Damaged(places.to_string()),
        Ok(places) => Verdict::Unanswered(places.to_string()),
        Err(error) => Verdict::Unanswered(error.to_string()),
    }
}

fn read_through(path: &Path) -> Result<(), JournalError> {
    let connection = unwritten::open(path)?;
    is_ours(&connection)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(JournalError::Damaged(found.lines().collect::<Vec<_>>().join(" ")));
    }
    position::all(&connection)?;
    checkpoint::all(&connection)?;
    Ok(())
}

/// What an error says of the file at `path` once the file was read through: SQLite takes some read errors for damage, and a place
/// that can't be read is damage though SQLite doesn't say so.
pub(super) fn settle(path: &Path, error: JournalError) -> JournalError {
    if !error.is_damage() && !error.is_unreadable() {
        return error;
    }
    Places::of(path).map_or_else(|failed| JournalError::Unanswered(failed.to_string()), |places| places.judge(error))
}

/// How many places of a file can be read, and how many can't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Places {
    good: u64,
    bad: u64,
}

impl Places {
    /// Reads the journal at `path` and its log through.
    fn of(path: &Path) -> io::Result<Self> {
        let mut all = Self::default();
        for path in [path.to_owned(), beside(path, "-wal")] {
            let file = match fs::File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            all.count(&file, file.metadata()?.len());
        }
        Ok(all)
    }

    fn count(&mut self, mut file: impl Read + Seek, bytes: u64) {
        let mut buffer = Vec::new();
        for number in 0..bytes.div_ceil(PLACE_BYTES) {
            buffer.clear();
            let read = file
                .seek(SeekFrom::Start(number * PLACE_BYTES))
                .and_then(|_| file.by_ref().take(PLACE_BYTES).read_to_end(&mut buffer));
            match read {
                Ok(_) => self.good += 1,
                Err(_) => self.bad += 1,
            }
        }
    }

    fn judge(self, error: JournalError) -> JournalError {
        match self.bad {
            0 => error,
            _ if self.are_damage() => JournalError::Damaged(self.to_string()),
            _ => JournalError::Unanswered(self.to_string()),
        }
    }

    /// A disk that gives back next to nothing is away, or ill: the file may be sound.
    const fn are_damage(self) -> bool {
        self.bad > 0 && self.good > self.bad
    }
}

impl std::fmt::Display for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { good, bad } = self;
        write!(f, "{bad} of {} places of the file can't be read", good + bad)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;
    use watchfloor_model::Timestamp;

    use super::*;
    use crate::journal::{Bounds, FILE_NAME, Journal};

    /// A file of zeros that refuses to be read at some places.
    struct Disk {
        at: u64,
        bytes: u64,
        refuses: std::ops::Range<u64>,
    }

    impl Read for Disk {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.refuses.contains(&(self.at / PLACE_BYTES)) {
                return Err(io::Error::other("Input/output error"));
            }
            let count = (self.bytes - self.at).min(buffer.len() as u64);
            self.at += count;
            Ok(usize::try_from(count).unwrap())
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
            self.at = at;
            Ok(at)
        }
    }

    /// H4: a disk that gives back nothing says nothing of the journal; one that refuses some places and gives the rest, does.
    #[test]
    fn a_disk_that_is_away_damages_no_journal() {
        let check = |refuses, places, are_damage| {
            let mut found = Places::default();
            found.count(Disk { at: 0, bytes: 10 * PLACE_BYTES - 1, refuses }, 10 * PLACE_BYTES - 1);
            assert_eq!((found, found.are_damage()), (places, are_damage));
        };
        check(0..0, Places { good: 10, bad: 0 }, false);
        check(4..6, Places { good: 8, bad: 2 }, true);
        check(0..10, Places { good: 0, bad: 10 }, false);
        check(1..10, Places { good: 1, bad: 9 }, false);
    }

    /// H4: a read error that SQLite takes for damage is none while the disk is away, and a place that can't be read is damage
    /// whatever SQLite calls it.
    #[test]
    fn what_sqlite_says_is_held_against_the_file() {
        let error = |code| JournalError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        let is_damage = |code, good, bad| Places { good, bad }.judge(error(code)).is_damage();
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_IOERR_READ] {
            assert!(is_damage(code, 9, 1) && !is_damage(code, 0, 10), "{code}");
        }
        assert!(is_damage(ffi::SQLITE_CORRUPT, 10, 0) && !is_damage(ffi::SQLITE_IOERR_READ, 10, 0));
    }

    /// H4: a read error that doesn't come again is no damage: the file can be read whole.
    #[test]
    fn a_read_error_that_is_over_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(1_795_514_400_000);
        drop(Journal::open(folder.path(), Bounds::default(), now).unwrap());
        let path = folder.path().join(FILE_NAME);
        let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_READ), None);
        let settled = settle(&path, failure.into());
        assert!(settled.is_unreadable() && !settled.is_damage(), "{settled}");
        assert_eq!(Check::begin(path.clone()).unwrap().verdict(), Verdict::Sound);
        fs::write(&path, [0xa5; 50_000]).unwrap();
        let found = Check::begin(path).unwrap().verdict();
        assert!(matches!(found, Verdict::Damaged(_)), "{found:?}");
    }
}
