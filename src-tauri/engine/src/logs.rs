//! The log: lines with fields, to stderr and to a rotating file of bounded size.
//!
//! Writing never delays who logs: lines pass through a bounded queue to a thread of their own, and what doesn't
//! fit because the disk is stuck is counted and told later. Neither payloads nor secrets are ever logged.

use std::{
    fs,
    io::{self, Write as _},
    panic,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::{
    Layer,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use watchfloor_log::Levels;

use crate::error::EngineError;

/// A log file is closed and a new one begun at this size.
const FILE_BYTES_MAX: usize = 8 << 20;
/// Closed files kept besides the one being written: `watchfloor.log.1` is the newest of them.
const FILES_CLOSED_MAX: usize = 4;
/// Lines waiting for the disk.
const LINES_QUEUED_MAX: usize = 4096;
/// How long the end of the program waits for the last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Keeps the log going; dropping it writes out what is still queued.
#[derive(Debug)]
pub struct LogGuard {
    queue: Option<(SyncSender<Line>, Receiver<()>)>,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let Some((lines, done)) = self.queue.take() else { return };
        // A full queue means a stuck disk; the end of the program doesn't wait for that one.
        if lines.try_send(Line::End).is_ok() {
            let _ended = done.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// Where the log file of a data folder lies.
#[must_use]
pub fn file(data_folder: &Path) -> PathBuf {
    data_folder.join("logs").join("watchfloor.log")
}

/// Starts logging for the whole process: to stderr, and into `logs/watchfloor.log` of `data_folder` if there is one that is this
/// process's own.
///
/// # Errors
/// If the log's folder can't be written; on a read-only disk it goes to stderr alone until that can be written again. A second call in one process changes nothing and is no error.
pub fn start(data_folder: Option<&Path>, levels: &Levels) -> Result<LogGuard, EngineError> {
    let (queue, line_queue) = data_folder.map(|folder| open(&file(folder))).transpose()?.unzip();
    let to_file = line_queue.map(|lines| fmt::layer().with_ansi(false).with_writer(lines).with_filter(levels.filter()));
    match tracing_subscriber::registry().with(levels.stderr()).with(to_file).try_init() {
        Ok(()) => log_panics(),
        Err(_) => tracing::debug!("logging was started before"),
    }
    Ok(LogGuard { queue })
}

/// Where a defect is, is in the log as well as on stderr. Its words are on stderr alone: they may hold what others sent (H8).
fn log_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(thread = thread::current().name(), place, "a defect in this program");
        before(panic);
    }));
}

enum Line {
    Text(Vec<u8>),
    End,
}

type Queue = (SyncSender<Line>, Receiver<()>);

/// Opens the file and starts its thread.
fn open(path: &Path) -> Result<(Queue, LineQueue), EngineError> {
    let lacking = |error: io::Error| EngineError::DataFolder {
        path: path.parent().unwrap_or(path).to_owned(),
        reason: error.to_string(),
    };
    let file = Rotating::open(path.to_owned(), FILE_BYTES_MAX, FILES_CLOSED_MAX).map_err(lacking)?;
    let (lines, queued) = sync_channel(LINES_QUEUED_MAX);
    let (ended, done) = sync_channel(1);
    let lost = Arc::new(AtomicU64::new(0));
    let lost_here = Arc::clone(&lost);
    thread::Builder::new()
        .name("log".into())
        .spawn(move || write(file, &queued, &lost_here, &ended))
        .map_err(|error| EngineError::System { what: "log thread", reason: error.to_string() })?;
    Ok(((lines.clone(), done), LineQueue { lines, lost }))
}

/// The log's thread.
fn write(mut file: Rotating, queued: &Receiver<Line>, lost: &AtomicU64, ended: &SyncSender<()>) {
    while let Ok(Line::Text(text)) = queued.recv() {
        let missed = lost.swap(0, Ordering::Relaxed);
        let told = if missed == 0 {
            Ok(())
        } else {
            file.write_line(format!("{missed} lines lost here: the disk did not keep up\n").as_bytes())
        };
        if told.and_then(|()| file.write_line(&text)).is_err() {
            lost.fetch_add(missed + 1, Ordering::Relaxed);
        }
    }
    let _nobody_waits = ended.try_send(());
}

/// A file that is closed at a size and kept under a number: `.1` is the newest of those. Files that someone removes
/// meanwhile are not missed, and after a failure the next line tries again.
struct Rotating {
    path: PathBuf,
    file: Option<(fs::File, usize)>,
    bytes_max: usize,
    closed_max: usize,
}

impl Rotating {
    fn open(path: PathBuf, bytes_max: usize, closed_max: usize) -> io::Result<Self> {
        let mut rotating = Self { path, file: None, bytes_max, closed_max };
        match rotating.current() {
            // Each line tries again. Whether a wall can do without writing is its engine's matter.
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(rotating),
            opened => opened.map(drop).map(|()| rotating),
        }
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.current()?.1 >= self.bytes_max {
            self.rotate()?;
        }
        let (file, bytes) = self.current()?;
        let written = file.write_all(line);
        *bytes += line.len();
        if written.is_err() {
            self.file = None;
        }
        written
    }

    fn current(&mut self) -> io::Result<&mut (fs::File, usize)> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = fs::OpenOptions::new().append(true).create(true).open(&self.path)?;
            let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            self.file = Some((file, bytes));
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        for number in (1..self.closed_max).rev() {
            rename(&self.numbered(number), &self.numbered(number + 1))?;
        }
        rename(&self.path, &self.numbered(1))
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Renames over what is there; nothing to rename is no error.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Hands each line to the log's thread.
struct LineQueue {
    lines: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

impl io::Write for &LineQueue {
    /// The formatter writes each line with one call.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.lines.try_send(Line::Text(text.to_vec()))
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineQueue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H5: however much is logged, the folder holds a bounded number of bounded files, and the newest line is in it;
    /// a file that someone removes is not missed.
    #[test]
    fn folder_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        let mut rotating = Rotating::open(path.clone(), 1000, 3).unwrap();
        for number in 0..1000 {
            rotating.write_line(format!("line {number:05}\n").as_bytes()).unwrap();
            if number == 500 {
                fs::remove_file(rotating.numbered(2)).unwrap();
            }
        }
        let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 4, "{files:?}");
        for file in files {
            assert!(file.metadata().unwrap().len() <= 1000 + 11, "{file:?}");
        }
        assert!(fs::read_to_string(&path).unwrap().ends_with("line 00999\n"));
    }

    /// What was logged before the end is in the file when the guard is gone.
    #[test]
    fn end_writes_what_is_queued() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        let (queue, lines) = open(&path).unwrap();
        (&lines).write_all(b"the last line\n").unwrap();
        drop(LogGuard { queue: Some(queue) });
        assert_eq!(fs::read_to_string(&path).unwrap(), "the last line\n");
    }

    /// H8: the log says where a defect is, and not what was in its hands.
    #[test]
    fn panics_are_logged_by_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        let (queue, lines) = open(&path).unwrap();
        let log = tracing_subscriber::registry().with(fmt::layer().with_ansi(false).with_writer(lines));
        tracing::subscriber::with_default(log, || {
            log_panics();
            let caught = panic::catch_unwind(|| panic::panic_any("what somebody sent".to_owned()));
            assert!(caught.is_err());
        });
        drop(LogGuard { queue: Some(queue) });
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("a defect in this program") && text.contains("logs.rs:"), "{text}");
        assert!(!text.contains("somebody"), "{text}");
    }

    /// A data folder that can't be written is the environment's fault and says so.
    #[test]
    fn unwritable_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("logs"), "a file where the folder should be").unwrap();
        let error = open(&file(folder.path())).err().unwrap();
        assert_eq!(error.exit_code(), 3, "{error}");
    }
}
