//! Every board in `examples` runs: with nobody at its addresses, each of its sources says why it shows nothing.

use std::{fs, path::PathBuf, thread};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchfloor_tests::{
    interop::EXAMPLES,
    program::{root, run_wall},
};

/// Boards that no server of `scripts/interop.sh` shows: the demo's and its stories', and those of public WebSockets, which are run
/// against scripts of what these say.
const ELSEWHERE: [&str; 8] = [
    "ambulance-dispatch.toml",
    "infrastructure.toml",
    "new-york-departures.toml",
    "order-fulfilment.toml",
    "process-plant.toml",
    "websocket-alpaca.toml",
    "websocket-phoenix.toml",
    "websocket.toml",
];

/// H1: what nobody serves isn't live, and says why; a source whose settings can't work would say that instead.
#[test]
fn each_board_runs_and_says_why_it_is_empty() -> Result<()> {
    let boards = boards()?;
    ensure!(boards.len() > 10, "{boards:?}");
    let runs: Vec<_> = boards.into_iter().map(|board| thread::spawn(move || run(&board))).collect();
    for run in runs {
        run.join().map_err(|_| anyhow::anyhow!("a run panicked"))??;
    }
    Ok(())
}

/// A board that only stands here may be wrong about what it is to show.
#[test]
fn each_board_is_shown_by_what_it_is_for() -> Result<()> {
    let shown = EXAMPLES.iter().copied().flatten().filter_map(|name| name.strip_prefix("example "));
    let mut shown: Vec<&str> = shown.chain(ELSEWHERE).collect();
    shown.sort_unstable();
    // More than one server speaks Pusher's protocol.
    shown.dedup();
    let boards = boards()?;
    let mut names: Vec<_> = boards.iter().filter_map(|board| board.file_name()?.to_str()).collect();
    names.sort_unstable();
    ensure!(shown == names, "shown: {shown:?}; boards: {names:?}");
    Ok(())
}

fn boards() -> Result<Vec<PathBuf>> {
    let mut boards = Vec::new();
    for file in fs::read_dir(root().join("examples"))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            boards.push(path);
        }
    }
    Ok(boards)
}

fn run(board: &std::path::Path) -> Result<()> {
    let data = tempfile::tempdir()?;
    let (data, name) = (data.path().to_str().context("a path")?, board.display().to_string());
    let output = run_wall(&["--board", &name, "--headless", "--for", "3s", "--json", "--data-dir", data])?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {said}");
    let text = String::from_utf8(output.stdout)?;
    let last: Value = serde_json::from_str(text.lines().last().context("a report")?)?;
    let sources = last["sources"].as_object().context("sources")?;
    ensure!(!sources.is_empty(), "{name}: no sources");
    for (id, source) in sources {
        let reason = source["reason"].as_str().unwrap_or_default();
        ensure!(source["freshness"] != "live" && !reason.is_empty(), "{name}: {id}: {source}");
        ensure!(source["state"] != "refused", "{name}: {id}: {reason}");
    }
    Ok(())
}
