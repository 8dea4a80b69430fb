//! H2, H3: a hub that is killed may lose what a `fast` channel acknowledged last, and a wall may have shown it. What the wall then shows as live is either
//! all that was published, or says that it isn't.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::json;
use watchfloor_tests::faults::process::{HubProcess, Report, WallOptions, WallProcess};

const LIMIT: Duration = Duration::from_secs(30);
/// A kill finds something that isn't written yet nearly always.
const KILLS_MAX: usize = 6;
/// Events before each kill.
const BURST: usize = 40;

fn board(hub: &str) -> String {
    format!(
        r#"
[board]
title = "Crashed"
stale-after = "2s"

[[source]]
id = "ops"
kind = "hub"
url = "{hub}"
channels = ["ops"]

[[widget]]
id = "count"
kind = "counter"
"#
    )
}

fn is_least(report: &Report) -> bool {
    report.value["widgets"]["count"]["at_least"] == true
}

/// How many stretches the wall hasn't every event of.
fn lost(report: &Report) -> u64 {
    let gaps = |kind: &str| report.value["sources"]["ops"][kind].as_u64().unwrap_or_default();
    gaps("gaps_snapshot") + gaps("gaps_unknown")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_has_taken_is_said() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    fs::write(&file, board("http://127.0.0.1:1"))?;
    let kept = folder.path().join("hub").display().to_string();
    let arguments = ["--data-dir", &kept, "--durability", "fast"].map(str::to_owned).into();
    let mut hub = HubProcess::start_with(&file, arguments).await?;
    fs::write(&file, board(&format!("http://{}", hub.address())))?;
    let data = folder.path().join("data");
    let mut wall = WallProcess::start(&WallOptions { board: file, data, ..WallOptions::default() })?;
    wall.wait("a live wall", wall.begun(), LIMIT, Report::is_live).await?;

    let mut published = 0;
    for _ in 0..KILLS_MAX {
        for _ in 0..BURST {
            hub.publish(&json!({"channel": "ops", "name": "e", "data": {}})).await?;
            published += 1;
        }
        hub.kill()?;
        let killed = Instant::now();
        wall.wait("its loss", killed, LIMIT, |report| !report.is_live()).await?;
        hub.start_again().await?;
        let back = Instant::now();
        let report = wall.wait("its coming back", back, LIMIT, Report::is_live).await?;
        let claims = |report: &Report| report.is_live() && !is_least(report) && report.count() != Some(published);
        ensure!(!wall.reports().iter().filter(|report| report.at >= back).any(claims), "{}", report.value);
        if lost(&report) > 0 {
            ensure!(is_least(&report), "the number is a lower bound: {}", report.value);
            ensure!(report.count().is_some_and(|count| count <= published), "{}", report.value);
            // It goes on from there.
            let before = report.count();
            hub.publish(&json!({"channel": "ops", "name": "e", "data": {}})).await?;
            wall.wait("one more", back, LIMIT, |report| report.count() == before.map(|count| count + 1)).await?;
            return Ok(());
        }
        ensure!(report.count() == Some(published), "nothing was lost: {}", report.value);
    }
    anyhow::bail!("{KILLS_MAX} kills took nothing")
}
