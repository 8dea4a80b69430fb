//! Many connections lose one hub at once and come back: the real feeds and doors of many engines in this process, and a real hub.

use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::time::sleep;
use watchfloor_engine::{BoardInput, Engine, EngineConfig};

use super::{
    Size,
    outcome::Outcome,
    process::HubProcess,
    proxy::Proxy,
    publisher::{client, positions_of},
};

/// Connections of one engine: a board has at most so many sources.
const SOURCES: usize = 16;
/// How long the hub is away, and how long if nobody looks at how they come back.
const AWAY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(2));
/// Until all are live, at first and again.
const LIVE_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Parts of the time in which 99 of 100 come: the densest is the peak.
const PARTS: usize = 20;
/// The peak is at most so many times the mean.
const PEAK_MAX: f64 = 3.0;
/// Of fewer connections, a part has so few that chance alone makes such a peak.
const JUDGED_FROM: usize = 1000;
/// Events before, and after.
const EVENTS: (usize, usize) = (7, 5);
/// Each connection has an end here, and two at the line; besides, some for all else.
const DESCRIPTORS: (usize, usize) = (4, 500);

fn board(port: u16, sources: usize) -> String {
    let mut text = "[board]\ntitle = \"Storm\"\nstale-after = \"30s\"\n".to_owned();
    for number in 0..sources {
        // Writing to a text doesn't fail.
        let _ = write!(
            text,
            "[[source]]\nid = \"s{number}\"\nkind = \"hub\"\nurl = \"http://127.0.0.1:{port}\"\nchannels = [\"c0\"]\n\
             transport = \"websocket\"\n[[widget]]\nid = \"w{number}\"\nkind = \"counter\"\nsource = \"s{number}\"\n"
        );
    }
    text
}

/// Raises the limit of open files as far as it goes. Answers it.
fn raise_limit(wanted: usize) -> Result<usize> {
    let now = getrlimit(Resource::Nofile);
    let enough = now.maximum.map_or(wanted as u64, |most| most.min(wanted as u64));
    if now.current.is_some_and(|current| current < enough) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(enough), maximum: now.maximum })?;
    }
    Ok(getrlimit(Resource::Nofile).current.map_or(usize::MAX, |current| usize::try_from(current).unwrap_or(usize::MAX)))
}

/// How many widgets are live, and are this number.
async fn settled(engines: &[Engine], number: usize) -> usize {
    let mut count = 0;
    for engine in engines {
        let report = engine.report().await;
        let widgets = report["widgets"].as_object();
        let is_so = |widget: &&Value| widget["freshness"] == "live" && widget["value"].as_f64() == Some(number as f64);
        count += widgets.into_iter().flat_map(|map| map.values()).filter(is_so).count();
    }
    count
}

async fn all_settle(engines: &[Engine], connections: usize, number: usize) -> Result<()> {
    let begun = Instant::now();
    loop {
        let count = settled(engines, number).await;
        if count == connections {
            return Ok(());
        }
        ensure!(begun.elapsed() < LIVE_MAX, "{count} of {connections} are live at {number} after {LIVE_MAX:?}");
        sleep(LOOK_EVERY).await;
    }
}

async fn publish(hub: &HubProcess, count: usize) -> Result<()> {
    let events: Vec<Value> =
        (0..count).map(|number| json!({"channel": "c0", "name": "set", "data": {"n": number}})).collect();
    let answer =
        client()?.post(format!("http://{}/v1/publish", hub.address())).json(&events).send().await.context("publish")?;
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    ensure!(positions_of(status, &text)?.len() == count, "{text}");
    Ok(())
}

/// The densest part and the mean, in arrivals a second, and the time in which 99 of 100 came, in seconds.
fn rate(mut after: Vec<f64>) -> Option<(f64, f64, f64, Vec<usize>)> {
    after.sort_by(f64::total_cmp);
    let window = *after.get(after.len().saturating_sub(1) * 99 / 100)?;
    let mut parts: BTreeMap<usize, usize> = (0..PARTS).map(|part| (part, 0)).collect();
    for at in after.iter().filter(|at| **at < window) {
        *parts.entry((at / window * PARTS as f64) as usize).or_default() += 1;
    }
    let parts: Vec<usize> = parts.into_values().take(PARTS).collect();
    let peak = parts.iter().max().copied()? as f64 * PARTS as f64 / window;
    Some((peak, parts.iter().sum::<usize>() as f64 / window, window, parts))
}

/// The hub is killed under all of them, and another one takes its place.
pub(super) async fn storm(size: Size) -> Result<Outcome> {
    let count = size.connections;
    let name = format!("storm: {count} connections lose their hub");
    let wanted = count * DESCRIPTORS.0 + DESCRIPTORS.1;
    let limit = raise_limit(wanted)?;
    if limit < wanted {
        return Ok(Outcome::skipped(
            &name,
            &format!("{wanted} open files are needed, {limit} allowed: raise `ulimit -Hn`"),
        ));
    }
    let is_judged = count >= JUDGED_FROM;
    let mut outcome = Outcome::new(&name);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("board.toml");
    std::fs::write(&file, board(1, 1))?;
    let mut hub = HubProcess::start(&file).await?;
    let line = Proxy::start(hub.address()).await?;
    publish(&hub, EVENTS.0).await?;
    let mut engines = Vec::new();
    for first in (0..count).step_by(SOURCES) {
        let text = board(line.port(), SOURCES.min(count - first));
        engines.push(Engine::start(EngineConfig::new(BoardInput::Text { name: "storm.toml".to_owned(), text })).await?);
    }
    all_settle(&engines, count, EVENTS.0).await.context("at first")?;
    let lost = Instant::now();
    hub.kill()?;
    sleep(if is_judged { AWAY.0 } else { AWAY.1 }).await;
    hub.start_again().await?;
    let back = Instant::now();
    publish(&hub, EVENTS.1).await?;
    all_settle(&engines, count, EVENTS.1).await.context("after it")?;
    outcome.back = Some(back.elapsed());
    outcome.equal = Some(EVENTS.1);
    let after: Vec<f64> = line
        .arrivals()
        .into_iter()
        .filter(|at| *at >= back)
        .map(|at| at.saturating_duration_since(back).as_secs_f64())
        .collect();
    let in_vain = line.arrivals().into_iter().filter(|at| *at >= lost && *at < back).count();
    outcome.notes.push(format!("{in_vain} arrivals in vain in {:.1} s", (back - lost).as_secs_f64()));
    // The first few may come in the moment before it is known that the hub listens.
    ensure!(after.len() * 10 >= count * 9, "{} arrivals of {count}", after.len());
    let arrived = after.len();
    let (peak, mean, window, parts) = rate(after).context("arrivals")?;
    outcome.notes.push(format!("{arrived} arrivals, in twentieths of {window:.1} s: {parts:?}"));
    outcome.notes.push(format!("peak {peak:.0}/s, mean {mean:.0}/s: {:.1} times", peak / mean));
    outcome.continuity = format!("peak {:.1} times the mean", peak / mean);
    if is_judged && peak > PEAK_MAX * mean {
        outcome.wrong.push(format!("peak {peak:.0}/s is more than {PEAK_MAX} times the mean, {mean:.0}/s"));
    }
    for engine in &engines {
        engine.stop().await;
    }
    Ok(outcome)
}
