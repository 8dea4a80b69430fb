//! The script with both before it, Ably's own client and the wall, and what each of them makes of it.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Official, Rights, Said, Script, keep_secret, message};
use crate::faults::{
    process::{Report, WallOptions, WallProcess},
    proxy::Proxy,
};

/// Longer than any of it takes on a busy machine; reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// By whose tokens Ably's own client comes.
pub const PAGE: &str = "page";
/// By whose the wall does.
pub const WALL: &str = "wall";

/// What is encrypted by, where the wall has the key.
pub const CIPHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The script, both who are before it, and the line that they have to it.
#[derive(Debug)]
pub struct Stage {
    /// The service.
    pub script: Script,
    /// The line that both have to it.
    pub line: Proxy,
    /// Ably's own client.
    pub page: Official,
    /// The wall.
    pub wall: WallProcess,
    /// How that is started.
    pub options: WallOptions,
    /// The number of what was published last.
    pub numbers: i64,
    /// How often the client's channel was attached without going on.
    anew: usize,
    _folder: tempfile::TempDir,
}

/// How a stage is set.
#[derive(Debug, Default)]
pub struct Setting {
    /// How the client asks for the channel.
    pub asks: Value,
    /// How the wall names it.
    pub channel: Option<&'static str>,
    /// The wall asks for its tokens.
    pub renews: bool,
    /// What may be done on the channel: everything, if nothing is said.
    pub may: Option<&'static str>,
    /// How long a connection's state is kept.
    pub state: Option<Duration>,
    /// How long a connection is silent at most.
    pub idle: Option<Duration>,
    /// The wall's token, in place of one that is good.
    pub token: Option<&'static str>,
    /// The wall has the key to what is encrypted.
    pub cipher: bool,
    /// So many messages are published before anybody comes.
    pub before: i64,
    /// Who is there before.
    pub people: &'static [&'static str],
}

/// What may be done on the channel, and on another one.
#[must_use]
pub fn rights(operation: &str) -> Rights {
    let all = |operation: &str| vec![operation.to_owned()];
    Rights::from([("ops".to_owned(), all(operation)), ("else".to_owned(), all("*"))])
}

/// A message of this number.
#[must_use]
pub fn tick(number: i64) -> Vec<Said> {
    vec![message("tick", &json!({ "n": number }))]
}

fn board(port: u16, channel: &str, token: &str, more: &str) -> String {
    let members = ["here", "joined", "updated", "left"]
        .map(|what| format!("[[widget]]\nid = \"{what}\"\nkind = \"counter\"\non = \"presence.{what}\"\n"));
    format!(
        r#"
[board]
title = "Ably"
stale-after = "2s"
[[source]]
id = "ops"
kind = "ably"
url = "ws://127.0.0.1:{port}"
channels = ["{channel}"]
token = {token}
{more}
[[widget]]
id = "count"
kind = "counter"
on = "tick"
[[widget]]
id = "lines"
kind = "log"
on = "tick"
text = "no {{n}}: {{status}} {{delay}}"
limit = 50
{}
"#,
        members.concat()
    )
}

/// The lines that the wall shows, oldest first.
#[must_use]
pub fn texts(report: &Report) -> Vec<&str> {
    let lines = report.value["widgets"]["lines"]["value"].as_array();
    lines.into_iter().flatten().rev().filter_map(|line| line["text"].as_str()).collect()
}

/// The numbers in them.
fn shown(report: &Report) -> Vec<i64> {
    let number = |text: &str| text.strip_prefix("no ")?.split_once(':')?.0.parse().ok();
    texts(report).into_iter().filter_map(number).collect()
}

/// The numbers that the client heard, in order.
#[must_use]
pub fn heard(lines: &[Value]) -> Vec<i64> {
    lines.iter().filter(|line| line["on"] == "message").filter_map(|line| line["data"]["n"].as_i64()).collect()
}

/// What the wall says of its source.
#[must_use]
pub fn ops<'a>(report: &'a Report, what: &str) -> &'a Value {
    &report.value["sources"]["ops"][what]
}

/// Gaps that are proven to be none, that a snapshot makes good, and of which nobody knows. One of those is the wall's beginning.
#[must_use]
pub fn gaps(report: &Report) -> (u64, u64, u64) {
    let count = |what| ops(report, what).as_u64().unwrap_or_default();
    (count("gaps_proven"), count("gaps_snapshot"), count("gaps_unknown"))
}

/// Whether it says that this is live.
#[must_use]
pub fn is_live(report: &Report) -> bool {
    ops(report, "freshness") == "live"
}

impl Stage {
    /// Both are attached.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn raise(setting: Setting) -> Result<Self> {
        let mut stage = Self::begin(setting).await?;
        let attached =
            |lines: &[Value]| lines.iter().any(|line| line["on"] == "channel" && line["state"] == "attached");
        stage.page.wait("the client's attachment", PATIENCE, attached).await?;
        stage.wall.wait("the wall's attachment", Instant::now(), PATIENCE, is_live).await?;
        Ok(stage)
    }

    /// The wall and the client have begun.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn begin(setting: Setting) -> Result<Self> {
        let script = Script::start(&[PAGE, WALL]).await?;
        let line = Proxy::start(script.address()).await?;
        script.with(|service| {
            for number in 1..=setting.before {
                service.publish("ops", tick(number));
            }
            for client in setting.people {
                service.enter("ops", client);
            }
            if let Some(operation) = setting.may {
                service.grant(PAGE, rights("*"));
                service.grant(WALL, rights(operation));
                if operation.is_empty() {
                    service.grant(PAGE, rights(""));
                }
            }
            if let Some(idle) = setting.idle {
                service.settings.max_idle_interval = idle;
            }
            if let Some(state) = setting.state {
                service.settings.connection_state_ttl = state;
            }
        });
        let folder = tempfile::tempdir()?;
        let secret = folder.path().join("secret");
        let token = setting.token.map_or_else(|| script.with(|service| service.token(WALL)), str::to_owned);
        keep_secret(&secret, if setting.renews { "login" } else { &token })?;
        let token = match setting.renews {
            true => format!(
                "{{ from = \"http://{}/token/{WALL}\", secret = {{ file = \"{}\" }} }}",
                script.address(),
                secret.display()
            ),
            false => format!("{{ file = \"{}\" }}", secret.display()),
        };
        let file = folder.path().join("board.toml");
        let key = folder.path().join("key");
        keep_secret(&key, CIPHER)?;
        let cipher =
            if setting.cipher { format!("cipher = {{ file = \"{}\" }}", key.display()) } else { String::new() };
        fs::write(&file, board(line.port(), setting.channel.unwrap_or("ops"), &token, &cipher))?;
        let options = WallOptions { board: file, data: folder.path().join("data"), ..WallOptions::default() };
        let page = Official::start(line.port(), "ops", &setting.asks)?;
        let wall = WallProcess::start(&options)?;
        Ok(Self { script, line, page, wall, options, numbers: setting.before, anew: 1, _folder: folder })
    }

    /// Publishes so many more.
    pub fn publish(&mut self, count: i64) {
        for _ in 0..count {
            self.numbers += 1;
            self.script.with(|service| service.publish("ops", tick(self.numbers)));
        }
    }

    /// Until both have heard everything from `first` on, once and in order. The wall is live then.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn both_heard(&mut self, first: i64) -> Result<Report> {
        let all: Vec<i64> = (first..=self.numbers).collect();
        let last = self.numbers;
        self.page.wait("what was published", PATIENCE, |lines| heard(lines).contains(&last)).await?;
        let holds = |report: &Report| shown(report).contains(&last) && is_live(report);
        let report = self.wall.wait("what was published", Instant::now(), PATIENCE, holds).await?;
        ensure!(heard(&self.page.lines()) == all, "the client heard {:?}", heard(&self.page.lines()));
        ensure!(shown(&report) == all, "the wall shows {:?}", shown(&report));
        ensure!(report.count() == Some(all.len()), "the wall has counted {:?}", report.count());
        Ok(report)
    }

    /// Cuts both off, has something happen meanwhile, and lets them come back.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn while_cut(&mut self, act: impl FnOnce(&mut Self)) -> Result<()> {
        self.line.set(|line| line.cut = true);
        let lines = self.page.lines().len();
        let is_off = |all: &[Value]| all[lines..].iter().any(|line| line["on"] == "connection");
        self.page.wait("that the client is cut off", PATIENCE, is_off).await?;
        self.wall.wait("that the wall is cut off", Instant::now(), PATIENCE, |report| !is_live(report)).await?;
        act(self);
        self.line.set(|line| line.cut = false);
        Ok(())
    }

    /// The last that the client said of its channel's attachment.
    ///
    /// # Errors
    /// If it isn't so.
    pub fn attachment(&self) -> Result<Value> {
        let is_it = |line: &Value| line["event"] == "attached" || line["event"] == "update";
        self.page.said("channel").into_iter().rfind(is_it).context("an attachment")
    }

    /// The last that the client said of a connection that was made: its id, and what the service said of it.
    ///
    /// # Errors
    /// If it isn't so.
    pub fn connection(&self) -> Result<Value> {
        let is_it = |line: &Value| line["event"] == "connected";
        let line = self.page.said("connection").into_iter().rfind(is_it).context("a connection")?;
        Ok(json!({ "id": line["id"], "code": line["code"] }))
    }

    /// Until the client's channel is attached, and not gone on with.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn is_anew(&mut self) -> Result<()> {
        let is_it = |line: &Value| line["event"] == "attached" || line["event"] == "update";
        let times = |lines: &[Value]| lines.iter().filter(|line| is_it(line) && line["resumed"] == false).count();
        let before = self.anew;
        let lines = self.page.wait("a new attachment", PATIENCE, |lines| times(lines) > before).await?;
        self.anew = times(&lines);
        Ok(())
    }

    /// The numbers that the client reads in the channel's history, newest first.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn history(&mut self) -> Result<Vec<i64>> {
        let before = self.page.said("history").len();
        self.page.tell("history")?;
        let is_told = |lines: &[Value]| lines.iter().filter(|line| line["on"] == "history").count() > before;
        self.page.wait("the history", PATIENCE, is_told).await?;
        let told = self.page.said("history").pop().context("a history")?;
        Ok(told["items"].as_array().into_iter().flatten().filter_map(|item| item["data"]["n"].as_i64()).collect())
    }

    /// Until both have read these bodies, and found fault with none.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn both_read(&mut self, bodies: &[&str]) -> Result<()> {
        let read = |lines: &[Value]| -> Vec<Value> {
            lines.iter().filter(|line| line["on"] == "message").map(|line| line["data"].clone()).collect()
        };
        let expected: Vec<Value> = bodies.iter().map(|body| serde_json::from_str(body)).collect::<Result<_, _>>()?;
        self.page.wait("what was published", PATIENCE, |lines| read(lines) == expected).await?;
        let word = |body: &Value, name: &str| match &body[name] {
            Value::Null => "----".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let line = |body: &Value| format!("no {}: {} {}", word(body, "n"), word(body, "status"), word(body, "delay"));
        let lines: Vec<String> = expected.iter().map(line).collect();
        let holds = |report: &Report| texts(report) == lines && ops(report, "rejected") == 0;
        self.wall.wait(&format!("{lines:?}"), Instant::now(), PATIENCE, holds).await?;
        self.is_accepted()
    }

    /// Until the wall is live and shows these, and has counted no others.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn wall_shows(&mut self, numbers: &[i64]) -> Result<Report> {
        let holds = |report: &Report| shown(report) == numbers && is_live(report);
        let report = self.wall.wait(&format!("{numbers:?}"), Instant::now(), PATIENCE, holds).await?;
        ensure!(report.count() == Some(numbers.len()), "the wall has counted {:?}", report.count());
        Ok(report)
    }

    /// Until the client says that these are there, and the wall has told so often that somebody is here, joined, changed and left.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn people(&mut self, names: &[&str], told: [u64; 4]) -> Result<()> {
        let begun = Instant::now();
        loop {
            let before = self.page.said("members").len();
            self.page.tell("members")?;
            let is_told = |lines: &[Value]| lines.iter().filter(|line| line["on"] == "members").count() > before;
            self.page.wait("who is there", PATIENCE, is_told).await?;
            let there = self.page.said("members").pop().context("members")?;
            if there["names"] == json!(names) {
                break;
            }
            ensure!(begun.elapsed() < PATIENCE, "{names:?} should be there: {there}");
        }
        let count =
            |report: &Report, what: &str| report.value["widgets"][what]["value"].as_f64().unwrap_or_default() as u64;
        let holds = |report: &Report| ["here", "joined", "updated", "left"].map(|what| count(report, what)) == told;
        self.wall.wait(&format!("{told:?}"), Instant::now(), PATIENCE, holds).await?;
        Ok(())
    }

    /// Until both are refused, for the right that they don't have.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn are_refused(&mut self) -> Result<()> {
        let is_it = |line: &Value| line["on"] == "channel" && line["state"] == "failed" && line["code"] == 40160;
        self.page.wait("that the client is refused", PATIENCE, |lines| lines.iter().any(is_it)).await?;
        self.wall_is_refused(40160).await?;
        // Its connection stands.
        let last = self.page.said("connection").pop().context("a connection")?;
        ensure!(last["state"] == "connected", "{last}");
        Ok(())
    }

    /// Until the wall is refused, for this code, and shows nothing.
    ///
    /// # Errors
    /// If it isn't so.
    pub async fn wall_is_refused(&mut self, code: u64) -> Result<()> {
        let code = code.to_string();
        let holds = |report: &Report| {
            let why = ops(report, "reason").as_str().unwrap_or_default();
            ops(report, "freshness") == "refused" && why.contains(&code)
        };
        let report = self.wall.wait(&format!("refused: {code}"), Instant::now(), PATIENCE, holds).await?;
        ensure!(report.value["widgets"]["count"]["value"].is_null(), "{}", report.value);
        Ok(())
    }

    /// The client found no fault with anything.
    ///
    /// # Errors
    /// If it isn't so.
    pub fn is_accepted(&self) -> Result<()> {
        self.is_accepted_but(&[])
    }

    /// The same, but for what it logs with these words: the script means it to.
    ///
    /// # Errors
    /// If it isn't so.
    pub fn is_accepted_but(&self, meant: &[&str]) -> Result<()> {
        let is_meant = |line: &Value| {
            let text = line["text"].as_str().unwrap_or_default();
            line["on"] == "log" && meant.iter().any(|words| text.contains(words))
        };
        let complaints: Vec<Value> = self.page.complaints().into_iter().filter(|line| !is_meant(line)).collect();
        ensure!(complaints.is_empty(), "Ably's client finds fault with the script: {complaints:?}");
        Ok(())
    }
}
