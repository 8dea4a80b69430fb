//! The folder and its files: whose they are, and whether those that are written are those that the next start will find.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::StoreError;

/// The lock's file in the folder.
const LOCK_NAME: &str = "hub.lock";
/// How SQLite calls the write-ahead log beside a file.
const LOG: &str = "-wal";

/// Makes the folder if need be, and takes it for this process until the file is dropped.
///
/// # Errors
/// If another process has it, or it can't be written.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    make(folder)?;
    let file = owned(&folder.join(LOCK_NAME))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Taken(folder.into())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Makes a folder for this user only.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file, made for this user only if there is none. SQLite makes those beside it alike.
pub(super) fn owned(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The file that SQLite puts beside another.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The files as they were opened. One that somebody has removed or replaced goes on taking all that is written to it, and nobody ever
/// reads it.
#[derive(Debug)]
pub(super) struct Place([(PathBuf, Option<(u64, u64)>); 2]);

impl Place {
    /// The file at `path` and its log, both open.
    pub(super) fn of(path: &Path) -> Self {
        Self([path.to_owned(), beside(path, LOG)].map(|path| {
            let found = identity(&path);
            (path, found)
        }))
    }

    /// Whether they are still there.
    ///
    /// # Errors
    /// If one is not, or another one is in its place.
    pub(super) fn check(&self) -> io::Result<()> {
        for (path, opened) in &self.0 {
            if identity(path) != *opened {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let message = format!("{name} was removed or replaced while it was written");
                return Err(io::Error::new(io::ErrorKind::NotFound, message));
            }
        }
        Ok(())
    }
}

/// What tells one file from another of the same name.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|of| (of.dev(), of.ino()))
}

/// Systems that keep open files from being removed.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|_| (0, 0))
}
