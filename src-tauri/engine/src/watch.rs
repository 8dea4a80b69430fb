//! The board file while the wall runs: a good new one is taken over, a bad one is shown and changes nothing.

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash as _, Hasher as _},
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
    frame::{Notice, Said, State},
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

/// The folder of a board, which the files that it names are looked for from.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    path: PathBuf,
    asked: RefCell<Vec<Asked>>,
}

/// A file that was asked for, and how it was then.
#[derive(Clone, Debug)]
struct Asked {
    path: PathBuf,
    mark: Option<Mark>,
    /// Whether a further change would show in the mark.
    is_settled: bool,
    /// The hash of its text, or why there is none.
    text: Result<u64, String>,
}

impl Folder {
    /// The folder of the board at `path`.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { path: path.parent().map(Path::to_owned).unwrap_or_default(), asked: RefCell::default() }
    }

    /// The text of a file that the board names.
    ///
    /// # Errors
    /// Why it can't be read, in words.
    pub fn text(&self, name: &str) -> Result<String, String> {
        let path = self.path.join(name);
        let mark = Mark::of(&path);
        let is_settled = mark.as_ref().map_or(true, Mark::is_settled);
        let found = mark.as_ref().ok().cloned();
        let read = mark.and_then(|_| config::layer_text_of(std::fs::File::open(&path)?));
        let read = read.map_err(|error| why_unreadable(&path, &error));
        let text = read.clone().map(|text| hash_of(&text));
        self.asked.borrow_mut().push(Asked { path, mark: found, is_settled, text });
        read
    }

    /// Whether any of the files that were asked for may be another one now.
    fn may_have_changed(&self) -> bool {
        let may = |asked: &Asked| !asked.is_settled || Mark::of(&asked.path).ok() != asked.mark;
        self.asked.borrow().iter().any(may)
    }

    /// Whether the same files were asked for, and said the same.
    fn is_same(&self, other: &Self) -> bool {
        let (own, other) = (self.asked.borrow(), other.asked.borrow());
        let are_same = |(a, b): (&Asked, &Asked)| (&a.path, &a.text) == (&b.path, &b.text);
        own.len() == other.len() && own.iter().zip(other.iter()).all(are_same)
    }
}

fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
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
    /// The files that it named.
    folder: Folder,
    missing: u32,
}

impl Watcher {
    /// A watcher of `path`, whose text was last `judged` with what lies in `folder`. Errors call the file `name`.
    pub(crate) fn new(path: PathBuf, name: String, judged: Option<String>, folder: Folder) -> Self {
        Self { path, name, mark: None, judged, folder, missing: 0 }
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
        let named = self.folder.may_have_changed();
        if self.mark.as_ref() == Some(&mark) && !named {
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
        if self.judged.as_ref() == Some(&text) && !named {
            return Look::Unchanged;
        }
        let folder = Folder::of(&self.path);
        let parsed = config::parse_beside(&text, &self.name, &|file| folder.text(file));
        // A file that was written to just now is read again until it rests.
        let is_same = folder.is_same(&self.folder);
        self.folder = folder;
        if self.judged.as_ref() == Some(&text) && is_same {
            return Look::Unchanged;
        }
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
    let file = name.to_owned();
    let is_gone = error.kind() == io::ErrorKind::NotFound;
    let said = if is_gone { Said::BoardGone { file } } else { Said::BoardUnreadable { file } };
    notice(said, vec![why_unreadable(path, error)])
}

fn refused(name: &str, mut lines: Vec<String>) -> Notice {
    let count = lines.len();
    if count > DETAIL_LINES_MAX {
        lines.truncate(DETAIL_LINES_MAX);
        lines.push(format!("… and {} more", count - DETAIL_LINES_MAX));
    }
    notice(Said::BoardRefused { file: name.to_owned() }, lines)
}

fn notice(said: Said, detail: Vec<String>) -> Notice {
    Notice::said(NOTICE, State::Warning, said, detail)
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
        let mut watcher = Watcher::new(path.clone(), "board.toml".into(), Some(GOOD.into()), Folder::of(&path));
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

    /// A file that the board names is read again when it changes, and a bad one changes nothing.
    #[test]
    fn the_files_that_a_board_names_are_watched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        let areas = folder.path().join("areas.geojson");
        let board = format!(
            "{GOOD}[[widget]]\nid = \"map\"\nkind = \"markers\"\nkey = \"k\"\nlat = \"a\"\nlon = \"b\"\n\
             layers = [{{ file = \"areas.geojson\" }}]\n"
        );
        fs::write(&path, &board).unwrap();
        let mut watcher = Watcher::new(path.clone(), "board.toml".into(), None, Folder::of(&path));
        let Look::Bad(notice) = watcher.look() else { panic!("a layer without a file was taken") };
        assert!(notice.detail[0].contains("`areas.geojson` can't be read: found there is no such file"), "{notice:?}");
        assert!(matches!(watcher.look(), Look::Unchanged));
        let point = |lon: u32| format!(r#"{{"type": "Point", "coordinates": [{lon}, 2]}}"#);
        for lon in [1, 2] {
            fs::write(&areas, point(lon)).unwrap();
            let Look::Good(file) = watcher.look() else { panic!("a good file was refused") };
            let watchfloor_board::frame::Look::Markers { layers, .. } = &file.widgets[1].look else { panic!("no map") };
            assert_eq!(layers[0].shapes[0].points[0], i64::from(lon) * 10_000_000);
            assert!(matches!(watcher.look(), Look::Unchanged));
        }
        fs::write(&areas, "{}").unwrap();
        let Look::Bad(notice) = watcher.look() else { panic!("what is no GeoJSON was taken") };
        assert!(notice.detail[0].contains("`areas.geojson` is wrong at type: found nothing"), "{notice:?}");
        assert!(matches!(watcher.look(), Look::Unchanged));
    }

    /// A file that is gone for a moment is an editor's doing; one that stays away is told once.
    #[test]
    fn missing_files_are_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board.toml");
        let mut watcher = Watcher::new(path.clone(), "board.toml".into(), None, Folder::of(&path));
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
        let mut watcher = Watcher::new(path.clone(), "board.toml".into(), Some(GOOD.into()), Folder::of(&path));
        let (told, looks) = std::sync::mpsc::channel();
        std::thread::spawn(move || (0..2 * MISSING_MAX).try_for_each(|_| told.send(watcher.look()).ok()));
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
