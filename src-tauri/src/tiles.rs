//! A site's own tiles for its maps: bytes of exactly the files that the boards on the glass name, and of nothing that isn't such a file.

mod header;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, Metadata},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;
use tauri::{AppHandle, Manager as _, State, Webview, ipc::Response};
use tokio::sync::Semaphore;
use watchfloor_board::{
    config::BoardFile,
    frame::{Frame, Look, Notice, State as NoticeState},
};
use watchfloor_engine::Engine;

use self::header::{HEADER_BYTES, judge, meets};
use crate::{cli::MapChoice, glass::Glasses, page::Page};

/// The most bytes of one answer. As in `ui/src/widgets/tiles/source.ts`.
const RANGE_BYTES_MAX: u32 = 8 << 20;
/// Answers that are read at a time: a disk that doesn't answer holds no more threads.
const READS_MAX: usize = 8;
/// What isn't there by then is told: a disk that doesn't answer may never do so.
const DISK_WITHIN: Duration = Duration::from_secs(30);
/// Of what a page may say.
const TOLD_CHARACTERS_MAX: usize = 500;
/// The notice of what is wrong with them.
const NOTICE: &str = "tiles";

/// What the page is told of a file.
#[derive(Debug, Serialize)]
pub(crate) struct Opened {
    version: String,
    map: MapChoice,
    because: String,
}

/// A map of a board, and the file of its tiles.
type Named = (String, String);
/// A map in a window, and the file of its tiles.
type Drawn = (Arc<str>, Named);

/// The files that may be read, and how maps are to be drawn.
pub(crate) struct Tiles {
    /// The board's; none for one that is part of the program.
    folder: Option<PathBuf>,
    map: MapChoice,
    because: String,
    reads: Arc<Semaphore>,
    shown: Mutex<Shown>,
}

/// What is known of the windows. Several may have one glass: each draws its own map of it, and one alone may look back.
#[derive(Default)]
struct Shown {
    /// By window: the maps with tiles of the board that it was given last.
    named: BTreeMap<Arc<str>, BTreeSet<Named>>,
    /// The maps that are drawn without their tiles though they should have them, and why.
    faults: BTreeMap<Drawn, String>,
}

impl Tiles {
    /// Those beside the board at `board`, with what `map` asks for, and why.
    pub(crate) fn new(board: Option<&Path>, (map, because): (MapChoice, String)) -> Self {
        let folder = board.map(|path| path.parent().map(Path::to_owned).unwrap_or_default());
        Self { folder, map, because, reads: Arc::new(Semaphore::new(READS_MAX)), shown: Mutex::default() }
    }

    /// A window was given a frame: from now on its pages may ask for what its board names, and for nothing else.
    pub(crate) async fn given(&self, window: &str, frame: &Frame, engine: &Engine) {
        let Some(board) = &frame.board else { return };
        let names =
            board.widgets.iter().filter_map(|widget| Some((widget.id.clone(), name_of(&widget.look)?.to_owned())));
        let names = names.collect();
        self.change(engine, |shown| shown.give(&window.into(), names)).await;
    }

    /// Takes a change, and tells it on the glass.
    async fn change(&self, engine: &Engine, change: impl FnOnce(&mut Shown)) {
        let told = {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let before = shown.faults.clone();
            change(&mut shown);
            (before != shown.faults).then(|| shown.notice())
        };
        match told {
            Some(Some(notice)) => engine.set_notice(notice).await,
            Some(None) => engine.clear_notice(NOTICE).await,
            None => {}
        }
    }

    /// Where a file is that a window's page asks for.
    fn path(&self, window: &str, name: &str) -> Result<PathBuf, String> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if !shown.named.get(window).is_some_and(|names| names.iter().any(|(_, file)| file == name)) {
            return Err("the board names no such file".to_owned());
        }
        let folder = self.folder.as_ref().ok_or("there is no folder beside this board")?;
        Ok(folder.join(name))
    }
}

impl Shown {
    fn give(&mut self, window: &Arc<str>, names: BTreeSet<Named>) {
        self.faults.retain(|(of, map), _| of != window || names.contains(map));
        self.named.insert(Arc::clone(window), names);
    }

    fn close(&mut self, window: &str) {
        self.faults.retain(|(of, _), _| **of != *window);
        self.named.remove(window);
    }

    /// By what a map is drawn, and why: what is amiss is kept until it isn't. Of maps that the window hasn't got nothing is taken.
    fn told(&mut self, window: &Arc<str>, map: Named, text: &str, amiss: bool) {
        if !self.named.get(window).is_some_and(|names| names.contains(&map)) {
            return;
        }
        let key = (Arc::clone(window), map);
        if amiss {
            self.faults.insert(key, text.to_owned());
        } else {
            self.faults.remove(&key);
        }
    }

    /// What stands on the glass of files that can't be used; nothing if all can.
    fn notice(&self) -> Option<Notice> {
        // Two maps of one file say the same.
        let lines: BTreeSet<String> =
            self.faults.iter().map(|((_, (_, file)), why)| format!("the map is drawn without {file}: {why}")).collect();
        let mut lines = lines.into_iter();
        let text = lines.next()?;
        Some(Notice::worded(NOTICE, NoticeState::Warning, text, lines.collect()))
    }
}

fn name_of(look: &Look) -> Option<&str> {
    if let Look::Markers { tiles, .. } = look { tiles.as_deref() } else { None }
}

/// The window that a page is in.
fn window_of(view: &Webview) -> Result<Arc<str>, String> {
    let glass = view.state::<Arc<Glasses>>().of(view.label()).ok_or("this window is closed")?;
    Ok(glass.window().into())
}

/// How a file is that the board names, and whether its tiles are to be drawn.
#[tauri::command]
pub(crate) async fn tiles_open(view: Webview, tiles: State<'_, Tiles>, file: String) -> Result<Opened, String> {
    let path = tiles.path(&window_of(&view)?, &file)?;
    let version = apart(&tiles.reads, DISK_WITHIN, move || open(&path).map(|(_, version)| version)).await?;
    Ok(Opened { version, map: tiles.map, because: tiles.because.clone() })
}

/// Bytes of that version of a file, fewer where it ends.
#[tauri::command]
pub(crate) async fn tiles_read(
    view: Webview,
    tiles: State<'_, Tiles>,
    file: String,
    version: String,
    offset: u64,
    length: u32,
) -> Result<Response, String> {
    let path = tiles.path(&window_of(&view)?, &file)?;
    apart(&tiles.reads, DISK_WITHIN, move || read(&path, &version, offset, length)).await.map(Response::new)
}

/// By what a widget's map is drawn, and why. What is `amiss` stands on the glass until it isn't.
#[tauri::command]
pub(crate) async fn tiles_told(
    view: Webview,
    page: State<'_, Page>,
    tiles: State<'_, Tiles>,
    file: String,
    widget: String,
    text: String,
    amiss: bool,
) -> Result<(), String> {
    let text: String = text.chars().take(TOLD_CHARACTERS_MAX).collect();
    tracing::info!(page = view.label(), widget, file, text, amiss, "a map says by what it is drawn");
    let (window, engine) = (window_of(&view)?, page.engine().await?);
    tiles.change(&engine, |shown| shown.told(&window, (widget, file), &text, amiss)).await;
    Ok(())
}

/// A window is about to be closed for good: nothing is told of its maps any more.
pub(crate) fn closing(app: &AppHandle, window: &str) {
    let (app, window) = (app.clone(), window.to_owned());
    tauri::async_runtime::spawn(async move {
        if let Ok(engine) = app.state::<Page>().engine().await {
            app.state::<Tiles>().change(&engine, |shown| shown.close(&window)).await;
        }
    });
}

/// Every file of tiles that a board names and that can't be used, and why.
pub(crate) fn faults(board: &Path, file: &BoardFile) -> Vec<String> {
    let folder = board.parent().unwrap_or(Path::new(""));
    let fault = |look: &Look| {
        let Look::Markers { tiles: Some(name), bounds, .. } = look else { return None };
        let found = open(&folder.join(name))
            .and_then(|(mut file, _)| header_of(&mut file))
            .and_then(|header| meets(&header, *bounds));
        found.err().map(|reason| format!("{name:?}: {reason}"))
    };
    let of =
        |id: &str, reason: String| format!("{}: widget {id:?}: its tiles can't be drawn: {reason}", board.display());
    file.widgets.iter().filter_map(|widget| fault(&widget.look).map(|reason| of(&widget.id, reason))).collect()
}

/// Does what waits for a disk on a thread of its own, for so long. What comes later is nobody's, and its turn ends only then.
async fn apart<T: Send + 'static>(
    reads: &Arc<Semaphore>,
    within: Duration,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let reads = Arc::clone(reads);
    let done = async move {
        let turn = reads.acquire_owned().await.map_err(|error| error.to_string())?;
        let work = move || {
            let _turn = turn;
            work()
        };
        tauri::async_runtime::spawn_blocking(work).await.map_err(|error| error.to_string())?
    };
    let late = |_| Err(format!("its tiles didn't come within {} s", within.as_secs()));
    tokio::time::timeout(within, done).await.unwrap_or_else(late)
}

/// Opens a file of tiles, and tells its version.
fn open(path: &Path) -> Result<(File, String), String> {
    let unreadable = |error: io::Error| watchfloor_engine::why_unreadable(path, &error);
    let no_file = || format!("{} is no file", path.display());
    // A pipe would be waited for, and a device may mind that it is opened.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(no_file());
    }
    let mut options = File::options();
    // It may have become a pipe since.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let mut file = options.read(true).open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(no_file());
    }
    let version = version(&about).map_err(unreadable)?;
    let size = about.len();
    judge(&header_of(&mut file)?, size)?;
    Ok((file, version))
}

/// The first bytes of a file, fewer where it ends.
fn header_of(file: &mut File) -> Result<Vec<u8>, String> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let read = file.rewind().and_then(|()| file.take(HEADER_BYTES as u64).read_to_end(&mut header));
    read.map_err(|error| format!("it can't be read: {error}"))?;
    Ok(header)
}

/// What tells one content of a file from another. Of files that were made with one time and are as long the place on the disk tells.
fn version(about: &Metadata) -> io::Result<String> {
    let changed = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    #[cfg(unix)]
    let place = {
        use std::os::unix::fs::MetadataExt as _;
        format!("{}-{}", about.dev(), about.ino())
    };
    #[cfg(not(unix))]
    let place = "";
    Ok(format!("{}-{}-{place}", about.len(), changed.as_nanos()))
}

fn read(path: &Path, asked: &str, offset: u64, length: u32) -> Result<Vec<u8>, String> {
    if length == 0 || length > RANGE_BYTES_MAX {
        return Err(format!("{length} bytes at once: expected 1 to {RANGE_BYTES_MAX}"));
    }
    let (mut file, found) = open(path)?;
    if found != asked {
        return Err("it is another file by now".to_owned());
    }
    let unreadable = |error: io::Error| watchfloor_engine::why_unreadable(path, &error);
    if offset >= file.metadata().map_err(unreadable)?.len() {
        return Ok(Vec::new());
    }
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(length.into()).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{
        header::{COMPRESSION_AT, KIND_AT, sound},
        *,
    };

    fn named(maps: &[(&str, &str)]) -> BTreeSet<Named> {
        maps.iter().map(|&(widget, file)| (widget.to_owned(), file.to_owned())).collect()
    }

    fn tiles_of(folder: &Path, names: &[(&str, &str)]) -> Tiles {
        let tiles = Tiles::new(Some(&folder.join("board.toml")), (MapChoice::Tiles, "asked for".to_owned()));
        tiles.shown.lock().expect("no panic").give(&"left".into(), named(names));
        tiles
    }

    /// H8: a page reads what its board names.
    #[test]
    fn only_what_the_board_names_and_only_for_the_window_that_has_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let tiles = tiles_of(folder.path(), &[("map", "city.pmtiles")]);
        assert_eq!(tiles.path("left", "city.pmtiles"), Ok(folder.path().join("city.pmtiles")));
        for name in ["", "/etc/passwd", "../city.pmtiles", "./city.pmtiles", "city.pmtiles/", "x/../city.pmtiles"] {
            assert!(tiles.path("left", name).is_err(), "{name}");
        }
        assert!(tiles.path("right", "city.pmtiles").is_err());
        // Another board in its place.
        tiles.shown.lock().expect("no panic").give(&"left".into(), named(&[("map", "other.pmtiles")]));
        assert!(tiles.path("left", "city.pmtiles").is_err());
        let packed = Tiles::new(None, (MapChoice::Auto, String::new()));
        packed.shown.lock().expect("no panic").give(&"left".into(), named(&[("map", "city.pmtiles")]));
        assert!(packed.path("left", "city.pmtiles").is_err_and(|why| why.contains("no folder")));
    }

    #[test]
    fn what_is_amiss_is_told_until_it_isnt() {
        let (left, right): (Arc<str>, Arc<str>) = ("left".into(), "right".into());
        let mut shown = Shown::default();
        let map = |widget: &str, file: &str| (widget.to_owned(), file.to_owned());
        let board = || named(&[("a", "one.pmtiles"), ("b", "one.pmtiles"), ("c", "two.pmtiles")]);
        shown.give(&left, board());
        shown.give(&right, board());
        // H5: what no board names is kept nowhere.
        shown.told(&left, map("z", "one.pmtiles"), "no such map", true);
        shown.told(&"other".into(), map("a", "one.pmtiles"), "no such window", true);
        assert!(shown.faults.is_empty() && shown.notice().is_none());
        for (window, widget, file) in
            [(&left, "a", "one.pmtiles"), (&left, "b", "one.pmtiles"), (&right, "c", "two.pmtiles")]
        {
            shown.told(window, map(widget, file), "cut off", true);
        }
        let notice = shown.notice().expect("a notice");
        assert_eq!(notice.text, "the map is drawn without one.pmtiles: cut off");
        assert_eq!(notice.detail, ["the map is drawn without two.pmtiles: cut off"]);
        shown.close("right");
        assert!(shown.notice().is_some_and(|notice| notice.detail.is_empty()));
        shown.told(&left, map("a", "one.pmtiles"), "drawn", false);
        assert!(shown.notice().is_some());
        shown.give(&left, named(&[("a", "one.pmtiles")]));
        assert!(shown.notice().is_none());
    }

    /// Of one picture over several monitors each window draws its own part: what one lacks isn't there because another has it, and what one looks back at
    /// takes no file from another.
    #[test]
    fn windows_of_one_picture_are_told_apart() {
        let (left, right): (Arc<str>, Arc<str>) = ("wall".into(), "wall:part".into());
        let map = || ("map".to_owned(), "city.pmtiles".to_owned());
        let folder = tempfile::tempdir().expect("a folder");
        let tiles = tiles_of(folder.path(), &[]);
        let mut shown = tiles.shown.lock().expect("no panic");
        for window in [&left, &right] {
            shown.give(window, BTreeSet::from([map()]));
        }
        shown.told(&left, map(), "the web view has lost its GPU", true);
        shown.told(&right, map(), "drawn from tiles", false);
        assert!(shown.notice().is_some_and(|notice| notice.text.contains("lost its GPU")));
        // The left one looks back at a board without tiles.
        shown.give(&left, BTreeSet::new());
        drop(shown);
        assert!(tiles.path("wall:part", "city.pmtiles").is_ok() && tiles.path("wall", "city.pmtiles").is_err());
    }

    /// H5: a disk that doesn't answer is told, and holds no more threads than there are turns, however often it is asked.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_disk_that_does_not_answer_is_told_and_holds_its_turns() {
        const SOON: Duration = Duration::from_millis(20);
        let (reads, begun) = (Arc::new(Semaphore::new(2)), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
        let (shut, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for _ in 0..5 {
            let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
            let told = apart(&reads, SOON, move || {
                begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                // Until the other end is gone.
                let _answer = gate.lock().map(|gate| gate.recv());
                Ok(())
            });
            assert_eq!(told.await, Err("its tiles didn't come within 0 s".to_owned()));
        }
        while begun.load(std::sync::atomic::Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(begun.load(std::sync::atomic::Ordering::Relaxed), 2);
        drop(shut);
        // It answers again.
        assert_eq!(apart(&reads, DISK_WITHIN, || Ok(7)).await, Ok(7));
    }

    /// What takes a file's place with its length and its time is another one all the same, as of two builds that can be reproduced.
    #[cfg(unix)]
    #[test]
    fn another_file_of_one_time_and_length_is_another_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, beside) = (folder.path().join("city.pmtiles"), folder.path().join("new.pmtiles"));
        let put = |path: &Path, last: u8| {
            let mut bytes = sound();
            *bytes.last_mut().expect("bytes") = last;
            fs::write(path, bytes).expect("written");
            File::options().write(true).open(path).and_then(|file| file.set_modified(UNIX_EPOCH)).expect("a time");
        };
        put(&path, 1);
        put(&beside, 2);
        let (_, version) = open(&path).expect("sound");
        assert_eq!(read(&path, &version, 999, 1), Ok(vec![1]));
        fs::rename(&beside, &path).expect("moved");
        assert_eq!(read(&path, &version, 999, 1), Err("it is another file by now".to_owned()));
    }

    /// Nothing waits for a pipe that takes a file's place between two looks at it.
    #[cfg(unix)]
    #[test]
    fn a_file_that_becomes_a_pipe_is_not_waited_for() {
        use std::sync::{
            atomic::{AtomicBool, Ordering},
            mpsc,
        };
        const ROUNDS: usize = 3_000;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("city.pmtiles");
        let (pipe, file) = (folder.path().join("pipe"), folder.path().join("file"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        fs::write(&file, sound()).expect("written");
        let over = Arc::new(AtomicBool::new(false));
        let swap = {
            let (path, beside, over) = (path.clone(), folder.path().join("link"), Arc::clone(&over));
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    for target in [&file, &pipe] {
                        std::os::unix::fs::symlink(target, &beside).expect("linked");
                        fs::rename(&beside, &path).expect("moved");
                    }
                }
            })
        };
        let (done, waits) = mpsc::channel();
        std::thread::spawn(move || {
            (0..ROUNDS).for_each(|_| drop(open(&path)));
            done.send(path).expect("somebody waits");
        });
        let path = waits.recv_timeout(Duration::from_secs(60));
        over.store(true, Ordering::Relaxed);
        swap.join().expect("no panic");
        // How often a round met the file is the scheduler's choice; that both were refused and opened for what
        // they are is not.
        let path = path.expect("a pipe was waited for");
        assert!(open(&path).is_err(), "a pipe was opened");
        fs::remove_file(&path).expect("gone");
        fs::write(&path, sound()).expect("written");
        assert!(open(&path).is_ok(), "the file is sound");
    }

    #[test]
    fn ranges_are_bounded_and_of_one_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("city.pmtiles");
        let whole = sound();
        fs::write(&path, &whole).expect("written");
        let (_, version) = open(&path).expect("sound");
        assert_eq!(read(&path, &version, 0, 7), Ok(b"PMTiles".to_vec()));
        assert_eq!(read(&path, &version, 990, 100), Ok(whole[990..].to_vec()));
        assert_eq!(read(&path, &version, u64::from(u32::MAX), 1), Ok(Vec::new()));
        assert!(read(&path, &version, 0, 0).is_err());
        assert!(read(&path, &version, 0, RANGE_BYTES_MAX + 1).is_err());
        // Another file in its place.
        let mut longer = whole;
        longer.push(0);
        fs::write(&path, &longer).expect("written");
        assert!(read(&path, &version, 0, 7).is_err_and(|why| why.contains("another")));
    }

    #[test]
    fn what_isnt_such_a_file_is_refused_and_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("city.pmtiles");
        assert!(open(&path).is_err_and(|why| why.contains("no such file")));
        assert!(open(folder.path()).is_err_and(|why| why.contains("is no file")));
        let with = |at: usize, byte: u8| {
            let mut bytes = sound();
            bytes[at] = byte;
            bytes
        };
        for (bytes, word) in [
            (Vec::new(), "no PMTiles"),
            (b"root:x:0:0:root:/root:/bin/sh\n".to_vec(), "no PMTiles"),
            (with(7, 2), "version 2"),
            (sound()[..60].to_vec(), "within its header"),
            (sound()[..999].to_vec(), "cut off"),
            (with(63, 255), "cut off"),
            (with(KIND_AT, 0), "kind 0"),
            (with(COMPRESSION_AT, 3), "way 3"),
        ] {
            fs::write(&path, &bytes).expect("written");
            assert!(open(&path).is_err_and(|why| why.contains(word)), "{word}");
        }
        fs::write(&path, sound()).expect("written");
        assert!(open(&path).is_ok());
    }

    /// A link is followed as that of a layer is, and judged by what it leads to. Nothing waits for a pipe.
    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_pipes_are_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("city.pmtiles"), folder.path().join("link.pmtiles"));
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        assert!(open(&link).is_err_and(|why| why.contains("no such file")));
        fs::write(&path, sound()).expect("written");
        assert_eq!(open(&link).expect("sound").1, open(&path).expect("sound").1);
        fs::write(&path, "root:x:0:0:root:/root:/bin/sh").expect("written");
        assert!(open(&link).is_err_and(|why| why.contains("no PMTiles")));
        let pipe = folder.path().join("pipe.pmtiles");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        assert!(open(&pipe).is_err_and(|why| why.contains("is no file")));
        let looped = folder.path().join("looped.pmtiles");
        std::os::unix::fs::symlink(&looped, &looped).expect("linked");
        assert!(open(&looped).is_err());
    }

    /// H5, H8: whatever bytes stand there, a header of them is judged, and nothing is read beyond what there is.
    #[test]
    fn no_bytes_are_too_odd() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("city.pmtiles");
        let (mut state, mut taken) = (7_u64, 0);
        for round in 0..400 {
            let mut bytes = sound();
            for _ in 0..=round % 9 {
                // A linear congruential generator: the same bytes each time.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(state >> 33).unwrap_or_default() % HEADER_BYTES;
                bytes[at] = state.to_le_bytes()[4];
            }
            bytes.truncate(if round % 5 == 0 {
                usize::try_from(state >> 40).unwrap_or_default() % 1_000
            } else {
                1_000
            });
            fs::write(&path, &bytes).expect("written");
            let Ok((mut file, version)) = open(&path) else { continue };
            taken += 1;
            let _ = meets(&header_of(&mut file).expect("a header"), [10.0, 59.0, 11.0, 60.0]);
            for offset in [0, 127, 999, 1_000, u64::from(u32::MAX), u64::MAX] {
                assert!(read(&path, &version, offset, RANGE_BYTES_MAX).is_ok_and(|read| read.len() <= bytes.len()));
            }
        }
        // Not all are refused, so that what is taken is read as well.
        assert!((15..400).contains(&taken), "{taken} of 400 were sound");
    }
}
