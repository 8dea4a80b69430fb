//! The file of the audit log: one JSON object a line, for the hub's user alone, begun anew when it has become large.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use super::Entry;
use crate::limits;

/// See the module. It is written by a thread of its own; what waits when it is dropped is written before that returns.
#[derive(Debug)]
pub(super) struct LogFile {
    lines: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
    /// Lines that found no room.
    lost: AtomicU64,
}

impl LogFile {
    /// Opens the file at `path`, or begins it.
    ///
    /// # Errors
    /// If it can't be.
    pub(super) fn open(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let mut rotated = Rotated::open(path.to_owned(), bytes_max)?;
        let (lines, queue): (_, Receiver<String>) = sync_channel(limits::AUDIT_WAITING_MAX);
        let write = move || {
            let mut failed: u64 = 0;
            while let Ok(line) = queue.recv() {
                if let Err(error) = rotated.write(&line) {
                    failed += 1;
                    if failed.is_power_of_two() {
                        tracing::error!(reason = %error, failed, "the audit log can't be written");
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(write)?;
        Ok(Self { lines: Some(lines), thread: Some(thread), lost: AtomicU64::new(0) })
    }

    /// Writes an entry as soon as may be.
    pub(super) fn write(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_string(entry) else { return };
        line.push('\n');
        if self.lines.as_ref().is_some_and(|lines| lines.try_send(line).is_err()) {
            let lost = self.lost.fetch_add(1, Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::error!(lost, "the audit log is written too slowly: entries are missing in its file");
            }
        }
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            // What it had to say is in the log.
            let _ = thread.join();
        }
    }
}

struct Rotated {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl Rotated {
    fn open(path: PathBuf, bytes_max: u64) -> io::Result<Self> {
        let file = begin(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes, bytes_max })
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.bytes > 0 && self.bytes.saturating_add(bytes) > self.bytes_max {
            self.rotate()?;
        }
        self.file.write_all(line.as_bytes())?;
        self.bytes += bytes;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..limits::AUDIT_FILES_MAX).rev() {
            let older = self.numbered(number);
            if older.exists() {
                fs::rename(older, self.numbered(number + 1))?;
            }
        }
        fs::rename(&self.path, self.numbered(1))?;
        self.file = begin(&self.path)?;
        self.bytes = 0;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Opens a file to be written at its end, for this user only if there is none.
fn begin(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is begun anew by its size, the older ones are kept in their order, and none is for others.
    #[test]
    fn it_is_rotated_by_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.jsonl");
        let mut rotated = Rotated::open(path.clone(), 20).expect("opened");
        for number in 0..100 {
            rotated.write(&format!("line {number:04}\n")).expect("written");
        }
        let read = |path: &Path| fs::read_to_string(path).expect("there");
        assert_eq!(read(&path), "line 0098\nline 0099\n");
        assert_eq!(read(&rotated.numbered(1)), "line 0096\nline 0097\n");
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file").path()).collect();
        assert_eq!(files.len(), 1 + limits::AUDIT_FILES_MAX as usize);
        #[cfg(unix)]
        for file in files.drain(..) {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600, "{file:?}");
        }
        // It goes on where it ended.
        drop(rotated);
        Rotated::open(path.clone(), 1000).expect("opened").write("more\n").expect("written");
        assert_eq!(read(&path), "line 0098\nline 0099\nmore\n");
    }
}
