//! Whether the files that are written are those that the next start will find: a journal that somebody has removed, moved or replaced
//! goes on taking all that is written to it, and nobody ever reads it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{JournalError, LOG, aside::LOG_HEADER_BYTES, beside};

/// The files as they were opened.
#[derive(Debug)]
pub(super) struct Place {
    files: [(PathBuf, Option<Identity>); 2],
    /// The size of the first one. It never gets smaller.
    bytes: u64,
}

/// What tells one file from another of the same name.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(of: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (of.dev(), of.ino())
}

/// Systems that keep open files from being removed.
#[cfg(not(unix))]
const fn identity(_: &fs::Metadata) -> Identity {
    (0, 0)
}

fn found(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().as_ref().map(identity)
}

impl Place {
    /// The file at `path` and its log, both open.
    pub(super) fn of(path: &Path) -> Self {
        let log = beside(path, LOG);
        let files = [path.to_owned(), log].map(|path| {
            let identity = found(&path);
            (path, identity)
        });
        Self { files, bytes: fs::metadata(path).map_or(0, |file| file.len()) }
    }

    /// Whether they are still there.
    ///
    /// # Errors
    /// If one is not, or another one is in its place, or it was cut.
    pub(super) fn check(&mut self) -> Result<(), JournalError> {
        let gone = |path: &Path, what: &str| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            JournalError::Io(io::Error::new(io::ErrorKind::NotFound, format!("{name} was {what} while it was written")))
        };
        for (path, opened) in &self.files {
            match found(path) {
                now if now == *opened => {}
                None => return Err(gone(path, "removed")),
                Some(_) => return Err(gone(path, "replaced")),
            }
        }
        let path = &self.files[0].0;
        let bytes = fs::metadata(path)?.len();
        if bytes < self.bytes {
            return Err(gone(path, "cut"));
        }
        self.bytes = bytes;
        Ok(())
    }
}

/// What can be seen to be wrong with the file at `path` before it is opened.
///
/// # Errors
/// If it is no file, which to open might wait for ever; or if it is empty beside a log that isn't.
pub(super) fn look(path: &Path) -> Result<(), JournalError> {
    let Ok(file) = fs::metadata(path) else { return Ok(()) };
    if !file.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not a file", path.display())).into());
    }
    let log = fs::metadata(beside(path, LOG)).map_or(0, |log| log.len());
    if file.len() == 0 && log > LOG_HEADER_BYTES {
        return Err(JournalError::Damaged("the file is empty, and what was written to it last is not".to_owned()));
    }
    Ok(())
}
