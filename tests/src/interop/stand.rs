//! One server, one line to it, one wall, and what was published.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    peer::{Entry, Peer},
    sparkplug,
};
use crate::faults::{
    process::{Report, WallOptions, WallProcess},
    proxy::Proxy,
};

/// Longer than any of it takes; reaching it is a failure.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);
/// What H1 allows for finding out, with a report a second, on a machine that is busy with other rows.
pub(super) const FOUND_MAX: Duration = Duration::from_secs(8);
/// How long a wall that follows may take to show what is published.
const FOLLOWS_MAX: Duration = Duration::from_secs(10);
/// How long a widget may be called live without a proof.
const LIMIT: &str = "2s";

/// Everything that a scenario needs.
pub(super) struct Stand<P> {
    pub(super) peer: P,
    pub(super) line: Proxy,
    pub(super) wall: WallProcess,
    options: WallOptions,
    published: usize,
    private: bool,
}

impl<P: Peer> Stand<P> {
    /// Everything stands, and the wall has begun. The inner error says why there is no such server here.
    pub(super) async fn raise(folder: &tempfile::TempDir, entry: &Entry) -> Result<std::result::Result<Self, String>> {
        Self::raise_with(folder, entry, Vec::new()).await
    }

    /// The same with further arguments for the wall.
    pub(super) async fn raise_with(
        folder: &tempfile::TempDir,
        entry: &Entry,
        arguments: Vec<String>,
    ) -> Result<std::result::Result<Self, String>> {
        let started =
            if entry.several { P::start_several(folder.path()).await? } else { P::start(folder.path()).await? };
        let peer = match started {
            Ok(peer) => peer,
            Err(why) => return Ok(Err(why)),
        };
        let address = if entry.tls.is_some() { peer.secure_address() } else { peer.address() };
        let line = Proxy::start(address).await?;
        let board = folder.path().join("board.toml");
        let members = if entry.presence { MEMBERS } else { "" };
        let plant = if entry.plant { sparkplug::WIDGET } else { "" };
        let own = entry.own.map(|name| peer.own_board(name)).unwrap_or_default();
        fs::write(&board, text(&peer.source(line.port(), entry)) + members + plant + &own)?;
        let data = folder.path().join("data");
        let options = WallOptions { board, data, arguments, ..WallOptions::default() };
        let wall = WallProcess::start(&options)?;
        Ok(Ok(Self { peer, line, wall, options, published: 0, private: entry.private }))
    }

    /// Until the source is live. What no event has come for yet is still unknown.
    pub(super) async fn is_live(&mut self, what: &str) -> Result<Report> {
        let holds = |report: &Report| is_current(&report.value["sources"]["ops"]["freshness"]);
        self.wall.wait(what, Instant::now(), PATIENCE, holds).await
    }

    /// Until the wall says something of this freshness.
    pub(super) async fn says(&mut self, freshness: &[&str], within: Duration) -> Result<Report> {
        self.says_of("count", freshness, within).await
    }

    /// The same of one widget.
    pub(super) async fn says_of(&mut self, widget: &str, freshness: &[&str], within: Duration) -> Result<Report> {
        let what = format!("{widget}: one of {freshness:?}");
        let now = Instant::now();
        self.wall.wait(&what, now, within, |report| freshness.contains(&report.freshness(widget))).await
    }

    /// Until the plant's temperature is shown like this.
    pub(super) async fn temperature(&mut self, value: f64, freshness: &str) -> Result<Report> {
        let holds = |report: &Report| {
            report.value["widgets"]["temperature"]["value"].as_f64() == Some(value)
                && report.freshness("temperature") == freshness
        };
        self.wall.wait(&format!("{value}, {freshness}"), Instant::now(), FOUND_MAX, holds).await
    }

    /// Until the source is down for a reason with these words.
    pub(super) async fn is_down(&mut self, words: &str, within: Duration) -> Result<Report> {
        let is_down = |report: &Report| report.said().starts_with("down") && report.said().contains(words);
        self.wall.wait(&format!("down: {words}"), Instant::now(), within, is_down).await
    }

    /// Publishes `count` more events.
    pub(super) async fn publish(&mut self, count: usize) -> Result<()> {
        let next = self.published + 1;
        let messages: Vec<Value> = (next..next + count).map(message).collect();
        self.peer.publish(self.private, &messages).await?;
        self.published += count;
        Ok(())
    }

    /// Publishes until the wall has the newest: it follows again.
    pub(super) async fn follows(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.is_live("the link again").await?;
            self.publish(1).await?;
            let newest = Some(self.published as f64);
            let is_there = |report: &Report| report.value["widgets"]["newest"]["value"].as_f64() == newest;
            // A poll may not have noticed yet that the server was another one meanwhile, and what comes before it does is missed.
            match self.wall.wait("what was published", Instant::now(), FOLLOWS_MAX, is_there).await {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Until the wall shows the last of what was published, in order and once: as many as `counted`, if it must know all.
    pub(super) async fn equals(&mut self, counted: Option<usize>) -> Result<Report> {
        let (newest, now) = (self.published, Instant::now());
        let holds = |report: &Report| {
            let widgets = &report.value["widgets"];
            widgets["newest"]["value"].as_f64() == Some(newest as f64)
                && counted.is_none_or(|count| report.count() == Some(count))
                && report.is_current()
        };
        let report = self.wall.wait("what was published", now, PATIENCE, holds).await?;
        let lines = report.value["widgets"]["lines"]["value"].as_array().context("a log")?;
        let numbers: Vec<i64> =
            lines.iter().filter_map(|line| line["text"].as_str()?.strip_prefix("no ")?.parse().ok()).collect();
        ensure!(numbers.len() == lines.len() && !numbers.is_empty(), "lines of something else: {lines:?}");
        // What is said to be missing may be missing; what is there is in order, and once.
        let follows = |pair: &[i64]| pair[0] == pair[1] + 1 || (counted.is_none() && pair[0] > pair[1]);
        ensure!(numbers.windows(2).all(follows), "out of order or not once: {numbers:?}");
        Ok(report)
    }

    /// Until the wall has been told so many times of somebody who is here, or who has joined or left.
    pub(super) async fn told(&mut self, what: &str, times: u64) -> Result<Report> {
        let holds = |report: &Report| report.value["widgets"][what]["value"].as_f64() == Some(times as f64);
        self.wall.wait(&format!("who has {what}"), Instant::now(), PATIENCE, holds).await
    }

    /// Until the wall has shown this number as the newest, whatever it says of the rest.
    pub(super) async fn shown(&mut self, newest: usize) -> Result<Report> {
        let holds = |report: &Report| report.value["widgets"]["newest"]["value"].as_f64() == Some(newest as f64);
        self.wall.wait("what was published", Instant::now(), PATIENCE, holds).await
    }

    pub(super) const fn published(&self) -> usize {
        self.published
    }

    /// Kills the wall, and starts another one on its data.
    pub(super) fn restart_wall(&mut self) -> Result<()> {
        self.wall.kill()?;
        self.start_wall()
    }

    /// Starts another wall on the data of one that has ended.
    pub(super) fn start_wall(&mut self) -> Result<()> {
        self.wall = WallProcess::start(&self.options)?;
        Ok(())
    }

    /// Until the wall is live and shows this number as the newest.
    pub(super) async fn shows(&mut self, newest: usize) -> Result<Report> {
        let holds = |report: &Report| {
            report.value["widgets"]["newest"]["value"].as_f64() == Some(newest as f64) && report.is_current()
        };
        self.wall.wait("what was published", Instant::now(), PATIENCE, holds).await
    }

    /// Publishes one message of this many bytes, which is none of those that are counted.
    pub(super) async fn publish_bytes(&mut self, bytes: usize) -> Result<()> {
        let frame = json!({ "kind": "big", "filling": "" }).to_string().len();
        let message = json!({ "kind": "big", "filling": "x".repeat(bytes - frame) });
        self.peer.publish(self.private, &[message]).await
    }
}

/// What is polled isn't live, but as current as it says.
fn is_current(freshness: &Value) -> bool {
    matches!(freshness.as_str(), Some("live" | "polling"))
}

impl Report {
    /// Whether all say that they are current, and there is at least one.
    fn is_current(&self) -> bool {
        self.all().next().is_some() && self.all().all(|freshness| matches!(freshness, "live" | "polling"))
    }

    /// What the source says of its gaps.
    pub(super) fn continuity(&self) -> &str {
        self.value["sources"]["ops"]["continuity"].as_str().unwrap_or_default()
    }
}

/// What counts who is there.
const MEMBERS: &str = r#"
[[widget]]
id = "here"
kind = "counter"
on = "presence.here"

[[widget]]
id = "joined"
kind = "counter"
on = "presence.joined"

[[widget]]
id = "left"
kind = "counter"
on = "presence.left"
"#;

fn message(number: usize) -> Value {
    json!({ "kind": "tick", "n": number })
}

fn text(source: &str) -> String {
    format!(
        r#"
[board]
title = "Interop"
stale-after = "{LIMIT}"

{source}

[[widget]]
id = "count"
kind = "counter"
on = "tick"

[[widget]]
id = "newest"
kind = "gauge"
on = "tick"
value = "n"

[[widget]]
id = "lines"
kind = "log"
on = "tick"
text = "no {{n}}"
limit = 50
"#
    )
}

/// A file that holds a token, as a wall wants it: for its owner alone.
pub(super) fn keep_token(folder: &Path, token: &str) -> Result<PathBuf> {
    let path = folder.join("token");
    keep_secret(&path, token)?;
    Ok(path)
}

/// The same, wherever.
pub(super) fn keep_secret(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(())
}
