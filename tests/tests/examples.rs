//! Every board in `examples` runs: with nobody at its addresses, each of its sources says why it shows nothing.

use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchfloor_tests::program::{root, run_wall};

/// H1: what nobody serves isn't live, and says why; a source whose settings can't work would say that instead.
#[test]
fn each_board_runs_and_says_why_it_is_empty() -> Result<()> {
    let mut boards = Vec::new();
    for file in fs::read_dir(root().join("examples"))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            boards.push(path);
        }
    }
    ensure!(boards.len() > 10, "{boards:?}");
    let runs: Vec<_> = boards.into_iter().map(|board| thread::spawn(move || run(&board))).collect();
    for run in runs {
        run.join().map_err(|_| anyhow::anyhow!("a run panicked"))??;
    }
    Ok(())
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
