//! Transcripts of real servers, led again: the same is done about them as when they were written.
//!
//! A folder a transcript in `tests/transcripts`, with the board of that wall. They are written by
//! `scripts/interop.sh --transcripts`. Where the feed rightly does something else now, `WATCHFLOOR_REFRESH=1` writes that down; the
//! difference is read before it is kept.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use watchfloor_feed::{Paths, SourceConfig};
use watchfloor_model::Mono;

use super::{Line, Step, words};
use crate::sources::Settings;

/// The folders, one for each server.
pub(super) fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let kinds = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    kinds.filter(|path| path.is_dir()).collect()
}

/// The lives of a source that are kept of one server.
pub(super) fn lives(server: &str) -> Vec<PathBuf> {
    let is_it = |path: &PathBuf| path.file_name().is_some_and(|name| name == server);
    let folder = folders().into_iter().find(is_it).unwrap();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect();
    found.sort();
    found
}

fn transcripts() -> Vec<PathBuf> {
    let servers = folders().into_iter().filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
    let mut found: Vec<PathBuf> = servers.flat_map(|server| lives(&server)).collect();
    found.sort();
    found
}

/// By what a life was led.
fn begun(path: &Path, line: &Line) -> (SourceConfig, u64) {
    let Line::Begun(begun) = line else { panic!("{}: no first line", path.display()) };
    let board = fs::read_to_string(path.with_file_name("board.toml")).unwrap();
    let file = watchfloor_board::config::parse(&board, "board.toml").unwrap();
    let spec = file.source(&begun.source).unwrap();
    (Settings::default().config(spec, Duration::from_millis(begun.limit_ms)).unwrap(), begun.seed)
}

/// A life's source and the seed of its jitter.
pub(super) fn life(path: &Path) -> (SourceConfig, u64) {
    let text = fs::read_to_string(path).unwrap();
    begun(path, &serde_json::from_str(text.lines().next().unwrap()).unwrap())
}

/// Tells paths what they were told then.
pub(super) fn lead(paths: &mut Paths, told: Step, now: Mono) {
    match told {
        Step::Restore(positions) => paths.restore(&positions),
        Step::Wall(wall) => paths.set_wall(wall, now),
        Step::Start => paths.start(now),
        Step::Stop => paths.stop(now),
        Step::TryNow => paths.try_now(now),
        Step::Reconcile => _ = paths.reconcile(now),
        Step::Renew => paths.renew(now),
        Step::Timeout => paths.handle_timeout(now),
        Step::Input(input) => paths.handle_input(input, now),
    }
}

/// Leads the life again, and gives the transcript that comes of it.
fn led_again(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap());
    let first = lines.next().unwrap();
    let (config, seed) = begun(path, &first);
    let mut paths = Paths::new(&config, seed);
    let mut out = vec![first];
    for line in lines {
        let Line::Told { at, told } = line else { continue };
        let now = Mono::from_micros(at);
        lead(&mut paths, told.clone(), now);
        out.push(Line::Told { at, told });
        while let Some(output) = paths.poll_output() {
            out.extend(words(&output).map(|did| Line::Did { did }));
        }
    }
    out.iter().map(|line| format!("{}\n", serde_json::to_string(line).unwrap())).collect()
}

/// H3: what a real server said leads to the same events, gaps and messages as when it said it.
#[test]
fn real_servers_are_understood_as_ever() {
    let transcripts = transcripts();
    assert!(transcripts.len() > 5, "{transcripts:?}");
    for path in transcripts {
        let (kept, found) = (fs::read_to_string(&path).unwrap(), led_again(&path));
        if std::env::var_os("WATCHFLOOR_REFRESH").is_some() {
            fs::write(&path, found).unwrap();
            continue;
        }
        let pairs = kept.lines().map(Some).chain([None]).zip(found.lines().map(Some).chain([None]));
        if let Some((at, (kept, found))) = pairs.enumerate().find(|(_, (kept, found))| kept != found) {
            panic!("{}, line {}: {kept:#?} was, {found:#?} is", path.display(), at + 1);
        }
    }
}
