//! A token that lies in the desktop's keyring, with GNOME's.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration, time::Instant};

use rustix::process::Signal;
use watchfloor_tests::{
    faults::process::{HubProcess, Report, WallOptions, WallProcess},
    keyring::Keyring,
};

/// A wall asks again for a token that it has none of, ever more slowly.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "s3cret-of-the-keyring";

fn board(port: u16) -> String {
    format!(
        r#"
[board]
title = "Keyring"

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:{port}"
channels = ["ops"]
token = {{ keyring = "watchfloor/ops" }}

[[widget]]
id = "count"
kind = "counter"
on = "tick"
"#
    )
}

fn says<'a>(words: &'a str) -> impl Fn(&Report) -> bool + 'a {
    move |report| report.said().contains(words)
}

fn is_live(report: &Report) -> bool {
    report.value["sources"]["ops"]["freshness"] == "live"
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.extend(fs::read(&path)) }
    }
}

/// H1, H8: what isn't in the keyring, and what is locked up in it, is said to be so; what is there is taken as soon as it is, and
/// isn't written anywhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_from_the_keyring() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a home");
    let keyring = Keyring::start(&home).await.expect("a keyring");
    let token = folder.path().join("token");
    fs::write(&token, SECRET).expect("the hub's token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("for its owner alone");

    let path = folder.path().join("board.toml");
    fs::write(&path, board(1)).expect("a board");
    let arguments = vec!["--subscribe-token-file".to_owned(), token.display().to_string()];
    let hub = HubProcess::start_with(&path, arguments).await.expect("a hub");
    fs::write(&path, board(hub.address().port())).expect("the board with the hub's port");
    let data = folder.path().join("data");
    let options = WallOptions {
        board: path,
        data: data.clone(),
        environment: keyring.environment().to_vec(),
        ..WallOptions::default()
    };

    let mut wall = WallProcess::start(&options).expect("a wall");
    let missing = says("the keyring has no entry watchfloor/ops: create it: secret-tool store");
    wall.wait("no entry", Instant::now(), PATIENCE, missing).await.expect("said");
    keyring.store("watchfloor", "ops", SECRET).expect("kept");
    wall.wait("live by it", Instant::now(), PATIENCE, is_live).await.expect("live");
    wall.signal(Signal::TERM).expect("asked to end");
    assert_eq!(wall.end().await.expect("its end"), Some(0));

    keyring.lock().expect("locked");
    let mut wall = WallProcess::start(&options).expect("another wall");
    let locked = says("the keyring with the entry watchfloor/ops is locked: unlock it");
    wall.wait("locked", Instant::now(), PATIENCE, locked).await.expect("said");
    let reports = wall.reports();
    wall.signal(Signal::TERM).expect("asked to end");
    assert_eq!(wall.end().await.expect("its end"), Some(0));

    let mut written = vec![wall.words().expect("its words").into_bytes()];
    written.extend(reports.iter().map(|report| report.value.to_string().into_bytes()));
    files(&data, &mut written);
    assert!(written.len() > 3, "a journal and reports");
    let has_secret = |text: &Vec<u8>| text.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    assert!(!written.iter().any(has_secret), "the secret is nowhere but in the keyring");
}
