//! A board file that is changed under a running wall.

use std::{convert::Infallible, fs, net::SocketAddr, path::Path, time::Duration, time::Instant};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};
use watchfloor_tests::faults::process::{Report, WallOptions, WallProcess};

const PATIENCE: Duration = Duration::from_secs(30);
/// How often the board changes hands.
const ROUNDS: usize = 4;
/// How long what was on its way may take to come.
const LATE: Duration = Duration::from_secs(2);

/// An event stream: one event each millisecond, or comments alone.
async fn feed(State(speaks): State<bool>) -> Response {
    let chunks = stream::unfold(0_u64, move |number| async move {
        sleep(Duration::from_millis(if speaks { 1 } else { 200 })).await;
        let text =
            if speaks { format!("id: {number}\ndata: {}\n\n", json!({ "n": number })) } else { ":\n\n".to_owned() };
        Some((Ok::<_, Infallible>(text), number + 1))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(chunks)).into_response()
}

async fn serve(speaks: bool) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(feed)).with_state(speaks)).await });
    Ok(address)
}

/// A board of the source `ops` at `address`. What its widgets are called tells one board's report from another's.
fn write(path: &Path, name: &str, address: SocketAddr) -> Result<()> {
    let text = format!(
        r#"
[board]
title = "{name}"

[[source]]
id = "ops"
kind = "sse"
url = "http://{address}/"
channels = ["ops"]
heartbeat = "1s"

[[widget]]
id = "count-{name}"
kind = "counter"

[[widget]]
id = "newest-{name}"
kind = "gauge"
value = "n"
"#
    );
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(new, path)?;
    Ok(())
}

fn value<'a>(report: &'a Report, widget: &str) -> &'a Value {
    &report.value["widgets"][widget]["value"]
}

/// Nothing is shown as told by who has said nothing, for a while.
async fn nothing_is_told(wall: &mut WallProcess, round: usize) -> Result<()> {
    let until = Instant::now() + LATE;
    while Instant::now() < until {
        let report = wall.wait("a report", Instant::now(), PATIENCE, |_| true).await?;
        let (count, newest) = (value(&report, "count-silent"), value(&report, "newest-silent"));
        let is_untold = newest.is_null() && matches!(count.as_f64(), None | Some(0.0));
        ensure!(is_untold, "round {round}: {count} counted, {newest} the newest of who has said nothing");
    }
    Ok(())
}

/// Whether the silent one's board is there.
fn is_silent(report: &Report) -> bool {
    report.value["widgets"].get("newest-silent").is_some()
}

fn is_flooded(report: &Report) -> bool {
    value(report, "count-loud").as_f64() > Some(500.0)
}

/// H1: what a former server said, and what was still on its way when the board left it, is nothing of the one that it has now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_servers_events_stay_with_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (loud, silent) = (serve(true).await?, serve(false).await?);
    let board = folder.path().join("board.toml");
    write(&board, "loud", loud)?;
    let options = WallOptions { board: board.clone(), data: folder.path().join("data"), ..WallOptions::default() };
    let mut wall = WallProcess::start(&options)?;
    for round in 0..ROUNDS {
        wall.wait("a flood", Instant::now(), PATIENCE, is_flooded).await?;
        write(&board, "silent", silent)?;
        let begun = Instant::now();
        let is_there = |report: &Report| is_silent(report) && report.value["sources"]["ops"]["freshness"] == "live";
        wall.wait("the silent one", begun, PATIENCE, is_there).await?;
        nothing_is_told(&mut wall, round).await?;
        write(&board, "loud", loud)?;
    }
    let last = wall.reports().pop().context("a report")?;
    ensure!(last.value["notices"].as_array().is_some_and(Vec::is_empty), "{}", last.value["notices"]);
    Ok(())
}

/// H1, H4: nor is it after a kill just then, whatever of it was still on its way into the journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_servers_events_stay_with_it_in_the_journal() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (loud, silent) = (serve(true).await?, serve(false).await?);
    let board = folder.path().join("board.toml");
    let options = WallOptions { board: board.clone(), data: folder.path().join("data"), ..WallOptions::default() };
    for round in 0..ROUNDS {
        write(&board, "loud", loud)?;
        let mut wall = WallProcess::start(&options)?;
        wall.wait("a flood", Instant::now(), PATIENCE, is_flooded).await?;
        write(&board, "silent", silent)?;
        wall.wait("the silent one", Instant::now(), PATIENCE, is_silent).await?;
        wall.kill()?;
        let mut wall = WallProcess::start(&options)?;
        nothing_is_told(&mut wall, round).await?;
        wall.kill()?;
    }
    Ok(())
}
