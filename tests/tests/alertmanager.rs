//! H6, with a real Alertmanager: what it repeats is told once, by its webhook and by its list; what is silenced there doesn't call; through its restart,
//! the hub's and the wall's nothing is told twice and nothing is lost.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::{
    faults::{
        process::{HubProcess, WallOptions, WallProcess, free_port},
        publisher::client,
    },
    record::record,
    wait::until_told,
};

/// For a start of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Prometheus says of an alert since when it holds, each time the same.
const BEGAN: &str = "2026-11-24T10:15:00Z";

/// A running Alertmanager. It is killed when this is dropped.
struct Alertmanager {
    child: Child,
    port: u16,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Alertmanager {
    async fn start(folder: &Path, port: u16, hub: &HubProcess) -> Result<Self> {
        let config = format!(
            "route: {{receiver: wall, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1s}}\n\
             receivers:\n  - name: wall\n    webhook_configs:\n      - url: 'http://{}/v1/receive?channel=alertmanager'\n        \
             send_resolved: true\n",
            hub.address()
        );
        let file = folder.join("alertmanager.yml");
        fs::write(&file, config)?;
        let child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("alertmanager.log"))?)
            .spawn()
            .context("prometheus-alertmanager")?;
        let own = Self { child, port };
        until_told("an Alertmanager that is up", LIMIT, async || {
            let answer = client()?.get(own.url("-/ready")).send().await;
            Ok(answer.ok().filter(|answer| answer.status().is_success()).map(|_| ()))
        })
        .await?;
        Ok(own)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let answer = client()?.post(self.url(path)).json(body).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.text().await?);
        Ok(())
    }

    /// As Prometheus tells it, again and again.
    async fn fires(&self, names: &[&str]) -> Result<()> {
        self.post("api/v2/alerts", &names.iter().map(|name| alert(name)).collect()).await
    }

    async fn resolves(&self, name: &str) -> Result<()> {
        let mut over = alert(name);
        over["endsAt"] = json!(jiff::Timestamp::now().to_string());
        self.post("api/v2/alerts", &json!([over])).await
    }
}

fn alert(name: &str) -> Value {
    json!({
        "labels": {"alertname": name, "severity": "critical", "instance": "db-1"},
        "annotations": {"summary": format!("{name} of db-1")},
        "startsAt": BEGAN,
    })
}

/// `hub` is its address and port. A hub that reads it needs none.
fn board(hub: &str, alertmanager: u16) -> String {
    format!(
        r#"
[board]
title = "Operations"
stale-after = "2s"

[alarms]
source-lost = "none"

[[source]]
id = "hook"
kind = "hub"
url = "http://{hub}"
channels = ["alertmanager"]

[[source]]
id = "list"
kind = "poll"
url = "http://127.0.0.1:{alertmanager}/api/v2/alerts"
channels = ["alerts"]

[[widget]]
id = "messages"
kind = "counter"
source = "hook"

[[widget]]
id = "lists"
kind = "counter"
source = "list"

[[alarm]]
id = "hook"
from = "alertmanager"
source = "hook"

[[alarm]]
id = "list"
from = "alertmanager"
source = "list"
"#
    )
}

/// What was done to a rule's alarm of this name, in order: what happened, and whether it called.
fn story(entries: &[Value], rule: &str, name: &str) -> Vec<String> {
    let of = |entry: &&Value| {
        entry["rule"] == rule && entry["of"].as_str().is_some_and(|of| of.starts_with(name)) && entry["what"] != "judge"
    };
    entries.iter().filter(of).map(|entry| entry["what"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn wants(data: &Path, what: &str, wanted: &[(&str, &str, &[&str])]) -> Result<()> {
    let mut seen = Vec::new();
    let found = until_told(what, LIMIT, async || {
        let Ok(entries) = record(data) else { return Ok(None) };
        seen = wanted.iter().map(|(rule, name, _)| story(&entries, rule, name)).collect();
        Ok(wanted.iter().zip(&seen).all(|((.., wanted), seen)| *wanted == seen.as_slice()).then_some(()))
    })
    .await;
    found.with_context(|| format!("{seen:?}, and {wanted:?} was wanted"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    let (file, data) = (path.join("board.toml"), path.join("data"));
    let port = free_port()?;
    fs::write(&file, board("127.0.0.1:1", port))?;
    let mut hub = HubProcess::start(&file).await?;
    let mut alertmanager = Alertmanager::start(path, port, &hub).await?;
    fs::write(&file, board(&hub.address().to_string(), port))?;
    let options = WallOptions { board: file, data: data.clone(), ..WallOptions::default() };
    let mut wall = WallProcess::start(&options)?;

    alertmanager.fires(&["Disk", "Queue"]).await?;
    let raised: &[&str] = &["raise"];
    let both =
        [("hook", "Disk", raised), ("list", "Disk", raised), ("hook", "Queue", raised), ("list", "Queue", raised)];
    wants(&data, "two alarms, by both ways", &both).await?;
    let entries = record(&data)?;
    let first = entries.iter().find(|entry| entry["what"] == "raise").context("an entry")?;
    ensure!(first["priority"] == "critical" && first["calls"] == true, "{first}");

    // It repeats every second; the wall is killed and comes back; and nobody is told again.
    wall.kill()?;
    let mut wall = WallProcess::start(&options)?;
    alertmanager.resolves("Disk").await?;
    let over: &[&str] = &["raise", "clear"];
    wants(
        &data,
        "one is over",
        &[("hook", "Disk", over), ("list", "Disk", over), ("hook", "Queue", raised), ("list", "Queue", raised)],
    )
    .await?;

    // Silenced there: the list says so, the webhook says nothing more.
    let (begins, ends) = (jiff::Timestamp::now(), jiff::Timestamp::now() + Duration::from_secs(3600));
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Queue", "isRegex": false, "isEqual": true}],
        "startsAt": begins.to_string(), "endsAt": ends.to_string(), "createdBy": "test", "comment": "test",
    });
    alertmanager.post("api/v2/silences", &silence).await?;
    wants(&data, "silenced", &[("list", "Queue", &["raise", "suppress"]), ("hook", "Queue", raised)]).await?;

    // A restart of it: an empty list, which is believed by nobody before a minute, and the hub goes and comes meanwhile.
    drop(alertmanager);
    hub.kill()?;
    hub.start_again().await?;
    alertmanager = Alertmanager::start(path, port, &hub).await?;
    alertmanager.fires(&["Queue", "Fan"]).await?;
    wants(
        &data,
        "it goes on where it was",
        &[
            ("list", "Fan", raised),
            ("hook", "Fan", raised),
            // What was killed has forgotten its silences as well.
            ("list", "Queue", &["raise", "suppress", "unsuppress"]),
            ("hook", "Queue", raised),
        ],
    )
    .await?;
    wall.kill()?;
    Ok(())
}
