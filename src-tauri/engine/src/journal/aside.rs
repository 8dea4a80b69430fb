//! Damaged journals, kept beside the one that is written.
//!
//! A journal is never given up for one that can't be begun: [`SetAside::put_back`] undoes it. What is empty is not kept, and what was
//! just set aside never goes, whatever the clock says.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use watchfloor_model::Timestamp;

use super::{FILE_NAME, LOG, PAGE_BYTES, beside};

/// Damaged journals kept.
const KEPT_MAX: usize = 3;
/// How the names of those begin.
pub(super) const PREFIX: &str = "journal-damaged-";
/// How every SQLite file begins.
const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";
/// A write-ahead log of this size holds nothing.
pub(super) const LOG_HEADER_BYTES: u64 = 32;

/// What became of a file that was in the way.
#[derive(Debug)]
pub(super) enum SetAside {
    /// It is here now.
    Kept(PathBuf),
    /// It held nothing, and is gone.
    Nothing,
}

impl SetAside {
    /// Moves the journal in `folder` out of the way.
    pub(super) fn of(folder: &Path, now: Timestamp) -> io::Result<Self> {
        let path = folder.join(FILE_NAME);
        if is_empty(&path)? {
            remove(&path)?;
            return Ok(Self::Nothing);
        }
        let aside = free_name(folder, now);
        rename(&path, &aside)?;
        Ok(Self::Kept(aside))
    }

    /// Puts it back in place of what could not be begun.
    pub(super) fn put_back(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(FILE_NAME);
        remove(&path)?;
        match self {
            Self::Kept(aside) => rename(aside, &path),
            Self::Nothing => Ok(()),
        }
    }

    /// Lets go of those that are too many, and answers where this one is.
    pub(super) fn keep(self, folder: &Path) -> Option<PathBuf> {
        let Self::Kept(aside) = self else { return None };
        let mut others: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with(PREFIX) && name.ends_with(".db") && *path != aside
            })
            .collect();
        // Those with something in them first, of these the newest: by when they were written last, as a name has the time of a clock
        // that may have been ahead.
        others.sort_by_cached_key(|path| std::cmp::Reverse((!holds_little(path), written_at(path), path.clone())));
        for old in others.iter().skip(KEPT_MAX - 1) {
            if let Err(error) = remove(old) {
                tracing::warn!(path = %old.display(), reason = %error, "an old damaged journal can't be removed");
            }
        }
        Some(aside)
    }
}

/// Whether there is nothing in a journal that could be lost: no byte, or the head of a file that was just begun.
fn is_empty(path: &Path) -> io::Result<bool> {
    let bytes = fs::metadata(path)?.len();
    if bytes == 0 {
        // SQLite itself takes no notice of a log beside nothing, but somebody may have cut the file.
        return Ok(holds_little(path));
    }
    let mut head = [0; 32];
    if !holds_little(path) || fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_err() {
        return Ok(false);
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| 256 * number + u64::from(*byte));
    // Whatever table there is has a page of its own, and the head says of how many a file was cut.
    let (page_bytes, pages) = (number(&head[16..18]), number(&head[28..32]));
    Ok(head.starts_with(SQLITE_HEADER) && bytes <= page_bytes && pages <= 1)
}

/// Whether it is no more than one page, with nothing in the log.
fn holds_little(path: &Path) -> bool {
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    bytes(path) <= u64::from(PAGE_BYTES) && bytes(&beside(path, LOG)) <= LOG_HEADER_BYTES
}

fn written_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// A name of this time that no other has: renaming would replace it.
fn free_name(folder: &Path, now: Timestamp) -> PathBuf {
    let name = |millis: i64| {
        let time = jiff::Timestamp::from_millisecond(millis)
            .map_or_else(|_| millis.to_string(), |time| time.strftime("%Y%m%dT%H%M%S%3fZ").to_string());
        folder.join(format!("{PREFIX}{time}.db"))
    };
    let mut millis = now.as_millis();
    while name(millis).exists() {
        millis = millis.saturating_add(1);
    }
    name(millis)
}

/// Renames a journal with its log. What was renamed before one that can't be is put back: apart they are worth nothing.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const ENDS: [&str; 3] = ["", LOG, "-shm"];
    for (number, end) in ENDS.iter().enumerate() {
        match fs::rename(beside(from, end), beside(to, end)) {
            Err(error) if end.is_empty() || error.kind() != io::ErrorKind::NotFound => {
                for end in ENDS.iter().take(number) {
                    // What can't be put back is told by the error that is there already.
                    let _ = fs::rename(beside(to, end), beside(from, end));
                }
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    for path in [path.to_owned(), beside(path, LOG), beside(path, "-shm")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-11-24T10:00:00Z.
    const NOW: Timestamp = Timestamp::from_millis(1_795_514_400_000);

    fn kept(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = files.filter(|name| name.starts_with(PREFIX)).collect();
        names.sort();
        names
    }

    /// A damaged journal kept under this name, of so many bytes, written so many hours ago.
    fn older(folder: &Path, name: &str, bytes: usize, hours: u64) {
        let path = folder.join(format!("{PREFIX}{name}.db"));
        fs::write(&path, vec![0xa5; bytes]).unwrap();
        let written = SystemTime::now() - Duration::from_secs(3600 * hours);
        fs::File::options().append(true).open(&path).unwrap().set_modified(written).unwrap();
    }

    fn set_aside(folder: &Path, bytes: &[u8]) -> Option<PathBuf> {
        fs::write(folder.join(FILE_NAME), bytes).unwrap();
        SetAside::of(folder, NOW).unwrap().keep(folder)
    }

    /// H4: a clock that was ahead has left names of later dates; what was just set aside stays all the same, and of the others
    /// those that were written last.
    #[test]
    fn what_was_just_set_aside_stays_after_a_clock_that_was_ahead() {
        let folder = tempfile::tempdir().unwrap();
        for (name, hours) in [("20270101T000000000Z", 1), ("20270102T000000000Z", 3), ("20270103T000000000Z", 2)] {
            older(folder.path(), name, 100, hours);
        }
        let aside = set_aside(folder.path(), &[7; 100]).unwrap();
        assert_eq!(fs::read(&aside).unwrap(), [7; 100]);
        let expected = ["20261124T100000000Z", "20270101T000000000Z", "20270103T000000000Z"];
        assert_eq!(kept(folder.path()), expected.map(|name| format!("{PREFIX}{name}.db")));
    }

    /// H4: a journal with something in it isn't given up for newer ones with nothing.
    #[test]
    fn real_ones_are_kept_before_empty_ones() {
        let folder = tempfile::tempdir().unwrap();
        older(folder.path(), "20261001T000000000Z", 100_000, 500);
        for hours in 1..=4 {
            older(folder.path(), &format!("20261101T00000000{hours}Z"), 0, hours);
        }
        set_aside(folder.path(), &[7; 100]).unwrap();
        let expected = ["20261001T000000000Z", "20261101T000000001Z", "20261124T100000000Z"];
        assert_eq!(kept(folder.path()), expected.map(|name| format!("{PREFIX}{name}.db")));
    }

    /// H4: what holds nothing is replaced and not kept: it would push out what does.
    #[test]
    fn empty_and_just_begun_files_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut begun = [SQLITE_HEADER.as_slice(), &[0x20, 0]].concat();
        begun.resize(8192, 0);
        for bytes in [&[] as &[u8], &begun] {
            assert_eq!(set_aside(folder.path(), bytes), None);
            assert!(kept(folder.path()).is_empty() && !folder.path().join(FILE_NAME).exists());
        }
        let mut tables = begun.clone();
        tables[16] = 0x10;
        assert!(set_aside(folder.path(), &tables).is_some(), "two pages");
        let mut cut = begun.clone();
        cut[31] = 10;
        assert!(set_aside(folder.path(), &cut).is_some(), "one of ten pages");
        fs::write(beside(&folder.path().join(FILE_NAME), "-wal"), [1; 5000]).unwrap();
        let aside = set_aside(folder.path(), &begun).unwrap();
        assert_eq!(fs::read(beside(&aside, "-wal")).unwrap(), [1; 5000], "all of it is in the log");
    }

    /// Two of the same instant don't replace each other, and what can't be replaced is put back.
    #[test]
    fn names_are_taken_once_and_moves_are_undone() {
        let folder = tempfile::tempdir().unwrap();
        let first = set_aside(folder.path(), &[1; 100]).unwrap();
        let second = set_aside(folder.path(), &[2; 100]).unwrap();
        assert_eq!((fs::read(first).unwrap(), fs::read(second).unwrap()), (vec![1; 100], vec![2; 100]));
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, [3; 100]).unwrap();
        fs::write(beside(&path, "-wal"), [4; 100]).unwrap();
        let aside = SetAside::of(folder.path(), NOW).unwrap();
        fs::write(&path, b"").unwrap();
        aside.put_back(folder.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [3; 100]);
        assert_eq!(fs::read(beside(&path, "-wal")).unwrap(), [4; 100]);
        assert_eq!(kept(folder.path()).len(), 2);
    }
}
