//! The board file while the wall runs: a good new one is taken over, a bad one is shown and changes nothing.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::mpsc::Sender,
    time::{MissedTickBehavior, interval},
};
use watchfloor_board::{
    config::{self, spec::BoardFile},
    frame::{Notice, State},
};

use crate::event::Event;

/// How often the file is looked at. Polling works on every file system, network folders and containers included.
const PERIOD: Duration = Duration::from_millis(500);
/// A file written to more recently than this is read at each look: some file systems keep times to two seconds.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// Looks without a file until that is told: editors replace a file by removing it for a moment.
const MISSING_MAX: u32 = 4;
/// Lines of errors that a notice carries.
const DETAIL_LINES_MAX: usize = 20;
/// Id of the notice about the board file.
pub(crate) const NOTICE: &str = "board-file";

/// What tells one state of a file from the next, as far as a look at its folder can.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    bytes: u64,
    file: u64,
}

impl Mark {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            // A pipe would wait for somebody who writes, and with it this program's end.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "what stands there is no file"));
        }
        Ok(Self { modified: metadata.modified().ok(), bytes: metadata.len(), file: file_number(&metadata) })
    }

    /// Whether a further change would show in the mark. File systems keep times coarsely: two writes within a moment may
    /// look the same.
    fn is_settled(&self) -> bool {
        let age = self.modified.and_then(|modified| modified.elapsed().ok());
        age.is_some_and(|age| age >= SETTLED_AFTER)
    }
}

#[cfg(unix)]
fn file_number(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_number(_metadata: &std::fs::Metadata) -> u64 {
    0
}

/// Whether what stands at `path` can be read only once, as a pipe can: it changes no more.
pub(crate) fn is_read_once(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Reads a board file.
///
/// # Errors
/// As [`config::text_of`].
pub(crate) fn read(path: &Path) -> io::Result<String> {
    config::text_of(std::fs::File::open(path)?)
}

/// Why a board file can't be read, in words that say where it was looked for.
#[must_use]
pub fn why_unreadable(path: &Path, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::NotFound {
        return format!("it can't be read: {error}");
    }
    match std::path::absolute(path) {
        Ok(absolute) if absolute != path => format!("there is no such file: looked for {}", absolute.display()),
        _ => "there is no such file".to_owned(),
    }
}

/// What one look at the file found.
#[derive(Debug)]
enum Look {
    Unchanged,
    Good(Box<BoardFile>),
    Bad(Notice),
}

/// Watches one file.
pub(crate) struct Watcher {
    path: PathBuf,
    name: String,
    /// The file's state when it was last read, unless it was written to just then.
    mark: Option<Mark>,
    /// What was last judged, good or bad.
    judged: Option<String>,
    missing: u32,
}

impl Watcher {
    /// A watcher of `path`, whose text was last `judged`. Errors call the file `name`.
    pub(crate) fn new(path: PathBuf, name: String, judged: Option<String>) -> Self {
        Self { path, name, mark: None, judged, missing: 0 }
    }

    /// Watches until it is dropped or the engine is gone. `check` has the last word on a well-formed file.
    pub(crate) async fn run(mut self, events: Sender<Event>, check: impl Fn(&BoardFile) -> Result<(), String>) {
        let mut looks = interval(PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_bad = false;
        loop {
            looks.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let look = self.look();
                (self, look)
            });
            let Ok((watcher, look)) = looked.await else {
                tracing::error!("a defect in this program stopped watching the board file");
                return;
            };
            self = watcher;
            let look = match look {
                Look::Good(file) => match check(&file) {
                    Ok(()) => Look::Good(file),
                    Err(reason) => Look::Bad(refused(&self.name, vec![reason])),
                },
                other => other,
            };
            let sent = match look {
                Look::Unchanged => Ok(()),
                Look::Good(file) => {
                    let sent = events.send(Event::Board(file)).await;
                    if sent.is_ok() && std::mem::take(&mut was_bad) {
                        events.send(Event::NoticeOver { id: NOTICE }).await
                    } else {
                        sent
                    }
                }
                Look::Bad(notice) => {
                    was_bad = true;
                    tracing::warn!(file = self.name, errors = notice.detail.len(), "the board file was not taken over");
                    events.send(Event::Notice(notice)).await
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    fn look(&mut self) -> Look {
        let mark = match Mark::of(&self.path) {
            Ok(mark) => mark,
            Err(error) => return self.miss(&error),
        };
        self.missing = 0;
        if self.mark.as_ref() == Some(&mark) {
            return Look::Unchanged;
        }
        let text = match read(&self.path) {
            Ok(text) => text,
            Err(error) => {
                self.mark = Some(mark);
                self.judged = None;
                return Look::Bad(unreadable(&self.name, &self.path, &error));
            }
        };
        self.mark = Some(mark).filter(Mark::is_settled);
        if self.judged.as_ref() == Some(&text) {
            return Look::Unchanged;
        }
        let parsed = config::parse(&text, &self.name);
        self.judged = Some(text);
        match parsed {
            Ok(file) => Look::Good(Box::new(file)),
            Err(diagnostics) => Look::Bad(refused(&self.name, diagnostics.lines())),
        }
    }

    fn miss(&mut self, error: &io::Error) -> Look {
        self.missing = self.missing.saturating_add(1);
        if self.missing != MISSING_MAX {
            return Look::Unchanged;
        }
        self.mark = None;
        self.judged = None;
        Look::Bad(unreadable(&self.name, &self.path, error))
    }
}

fn unreadable(name: &str, path: &Path, error: &io::Error) -> Notice {
    let what = if error.kind() == io::ErrorKind::NotFound { "is gone" } else { "can't be read" };
    notice(format!("{name} {what}: the last good board goes on"), vec![why_unreadable(path, error)])
}

fn refused(name: &str, mut lines: Vec<String>) -> Notice {
    let count = lines.len();
    if count > DETAIL_LINES_MAX {
        lines.truncate(DETAIL_LINES_MAX);
        lines.push(format!("… and {} more", count - DETAIL_LINES_MAX));
    }
    notice(format!("{name} was refused: the last good board goes on"), lines)
}

fn notice(text: String, detail: Vec<String>) -> Notice {
    Notice { id: NOTICE.into(), state: State::Warning, text, detail }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = r#"
[board]
title = "A"
[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["x"]
[[widget]]
id = "count"
kind = "counter"
source = "ops"
"#;

    /// A running wall keeps its last good board; each state of the file is judged once.
    #[test]
    fn each_state_of_the_file_is_judged_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        fs::write(&path, GOOD).unwrap();
        let mut watcher = Watcher::new(path.clone(), "board.toml".into(), Some(GOOD.into()));
        assert!(matches!(watcher.look(), Look::Unchanged));

        fs::write(&path, GOOD.replace("title", "titel")).unwrap();
        let Look::Bad(notice) = watcher.look() else { panic!("a mistyped key was taken") };
        assert!(notice.text.contains("board.toml") && !notice.detail.is_empty(), "{notice:?}");
        assert!(matches!(watcher.look(), Look::Unchanged));

        fs::write(&path, GOOD.replace("\"A\"", "\"Other\"")).unwrap();
        let Look::Good(file) = watcher.look() else { panic!("a good file was refused") };
        assert_eq!(file.board.title, "Other");

        // Replaced by renaming, as editors do, with the same length.
        let other = folder.path().join("other");
        fs::write(&other, GOOD.replace("\"A\"", "\"Third\"")).unwrap();
        fs::rename(&other, &path).unwrap();
        let Look::Good(file) = watcher.look() else { panic!("a good file was refused") };
        assert_eq!(file.board.title, "Third");
    }

    /// A file that is gone for a moment is an editor's doing; one that stays away is told once.
    #[test]
    fn missing_files_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        let mut watcher = Watcher::new(path.clone(), "board.toml".into(), None);
        let mut told = Vec::new();
        for _ in 0..10 {
            if let Look::Bad(notice) = watcher.look() {
                told.push(notice);
            }
        }
        let [notice] = &told[..] else { panic!("{told:?}") };
        assert_eq!(notice.text, "board.toml is gone: the last good board goes on");
        assert_eq!(notice.detail, ["there is no such file"]);
        fs::write(&path, GOOD).unwrap();
        assert!(matches!(watcher.look(), Look::Good(_)));
    }

    /// A pipe in the file's place is told, and keeps neither the watcher nor the program's end waiting.
    #[cfg(unix)]
    #[test]
    fn pipes_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        assert!(!is_read_once(&path));
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success() && is_read_once(&path));
        let mut watcher = Watcher::new(path, "board.toml".into(), Some(GOOD.into()));
        let (told, looks) = std::sync::mpsc::channel();
        std::thread::spawn(move || (0..2 * MISSING_MAX).try_for_each(|_| told.send(watcher.look())));
        let mut bad = Vec::new();
        for _ in 0..2 * MISSING_MAX {
            if let Look::Bad(notice) = looks.recv_timeout(Duration::from_secs(20)).expect("a look ends") {
                bad.push(notice);
            }
        }
        let [notice] = &bad[..] else { panic!("{bad:?}") };
        assert_eq!(notice.text, "board.toml can't be read: the last good board goes on");
        assert_eq!(notice.detail, ["it can't be read: what stands there is no file"]);
    }

    #[test]
    fn huge_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        fs::write(&path, vec![b'#'; config::FILE_BYTES_MAX + 1]).unwrap();
        assert!(read(&path).is_err());
        fs::write(&path, [0xff]).unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn a_missing_file_is_named_with_where_it_was_looked_for() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        assert_eq!(why_unreadable(Path::new("/nowhere/board.toml"), &missing), "there is no such file");
        let words = why_unreadable(Path::new("board.toml"), &missing);
        let here = std::env::current_dir().unwrap().join("board.toml");
        assert_eq!(words, format!("there is no such file: looked for {}", here.display()));
    }
}
