//! A Mercure hub, built as a Go module by `scripts/interop.sh`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Error, Result, bail, ensure};
use reqwest::{Client, Response, Url};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    example::{Setting, Told},
    jwt::{jwt, now},
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
    stand::{FOUND_MAX, Stand, keep_secret},
};
use crate::{
    faults::{process::Report, publisher::client},
    program::root,
};

/// Updates that its history keeps.
const HISTORY: usize = 200;
const SECRET: &str = "interop-interop-interop-interop-";
const TOPIC: &str = "ticks";
const PATH: &str = "/.well-known/mercure";
/// Where it says that it is there.
const HEALTH: &str = "healthz";
/// How often it is heard.
const HEARTBEAT: &str = "1s";
/// How long somebody stays on a topic who isn't dropped.
const STAY_MAX: Duration = Duration::from_secs(600);

/// What a wall has that comes when everything was published.
const EARLIEST: &str = "earliest";
/// Who comes to a topic and leaves it.
const SUBSCRIBERS: &str = "subscription events";
/// The topics of such updates.
const SUBSCRIPTIONS: &str = "/.well-known/mercure/subscriptions{/topic}{/subscriber}";
/// What counts them and shows them.
const MEMBERS: &str = r#"
[[widget]]
id = "came"
kind = "counter"
on = "Subscription"
where = { topic = "ticks", active = true }

[[widget]]
id = "left"
kind = "counter"
on = "Subscription"
where = { topic = "ticks", active = false }

[[widget]]
id = "who"
kind = "table"
on = "Subscription"
where = { topic = "ticks" }
key = "id"
columns = [{ path = "subscriber" }, { path = "active" }]
"#;

/// Where a token is kept that allows to be told of subscriptions.
fn members_token(folder: &Path) -> PathBuf {
    folder.join("members-token")
}

/// A hub with its history in a file.
pub(super) struct Mercure {
    process: Process,
    program: PathBuf,
    folder: PathBuf,
    history: PathBuf,
    address: SocketAddr,
    http: Client,
}

fn launch(program: &Path, folder: &Path, history: &Path, address: SocketAddr, heartbeat: &str) -> Launch {
    let history = format!("bolt://{}?size={HISTORY}&cleanup_frequency=1", history.display());
    let mut command = Command::new(program);
    command.current_dir(folder).arg("--addr").arg(address.to_string()).args(["--jwt-key", SECRET, "--allow-anonymous"]);
    // It leaves a subscriber this long before the token's end.
    command.args(["--dispatch-timeout", "1s", "--heartbeat-interval", heartbeat, "--write-timeout", "600s"]);
    command.args(["--transport-url", &history]);
    Launch { command, log: folder.join("mercure.log") }
}

fn token(mut claims: Value, life: Option<Duration>) -> Offer<String> {
    if let Some(life) = life {
        claims["exp"] = (now()? + life).as_secs().into();
    }
    Ok(jwt(&claims, SECRET))
}

impl Peer for Mercure {
    const KIND: &'static str = "mercure";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const OWN: &'static [&'static str] = &[EARLIEST, SUBSCRIBERS];
    const EXAMPLES: &'static [&'static str] = &["example mercure.toml"];

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        Self::begin(folder, HEARTBEAT).await
    }

    async fn start_for(folder: &Path, _example: &str) -> Result<std::result::Result<Self, String>> {
        // As its board says.
        Self::begin(folder, "2s").await
    }

    fn version(&self) -> String {
        // A program that is built as a Go module doesn't know its own.
        "Mercure 0.20.2, Bolt".to_owned()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let members = members_token(&self.folder);
        let (topic, name, token) = match entry.own {
            Some(SUBSCRIBERS) => (SUBSCRIPTIONS, "type", Some(&members)),
            _ => (TOPIC, "kind", entry.token.as_ref()),
        };
        let token = token.map(|path| format!("token = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"mercure\"\nurl = \"http://127.0.0.1:{port}\"\n\
             channels = [\"{topic}\"]\nheartbeat = \"1s\"\nhistory = {}\nevent = {{ name = \"{name}\" }}\n{}\n",
            entry.own == Some(EARLIEST),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        for message in messages {
            self.update(TOPIC, private, message).await?;
        }
        Ok(())
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    fn reconnect(&mut self) -> Result<()> {
        self.http = client()?;
        Ok(())
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        self.process.kill()?;
        if !keeps {
            fs::remove_file(&self.history)?;
        }
        self.process.start_anew(async || answers(&self.http, self.address, HEALTH).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        token(json!({ "mercure": { "subscribe": ["*"] } }), life)
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        Ok(Err(
            "a hub looks at a token when a stream begins, and has no word by which to end one before the token's end",
        ))
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        match name {
            EARLIEST => earliest(stand).await,
            SUBSCRIBERS => subscribers(stand).await,
            other => bail!("no scenario `{other}`"),
        }
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        let mut setting = Setting::at("https://hub.example.net", format!("http://{}", self.address));
        let allowed = json!({ "mercure": { "subscribe": ["https://shop.example/orders/{id}"] } });
        setting.environment.push(("SHOP_MERCURE_TOKEN", token(allowed, None).map_err(Error::msg)?));
        Ok(setting)
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        let (said, shown) = match step {
            0 => (
                [
                    json!({ "type": "order.placed", "number": 7, "customer": "Ann", "total": 37.5 }),
                    json!({ "type": "order.placed", "number": 8, "customer": "Bob", "total": 12 }),
                ],
                [json!(2), json!([[7, "Ann", 37.5], [8, "Bob", 12]]), json!(2)],
            ),
            1 => (
                [
                    json!({ "type": "order.changed", "number": 8, "customer": "Bob", "total": 20 }),
                    json!({ "type": "order.sent", "number": 7 }),
                ],
                [json!(2), json!([[8, "Bob", 20]]), json!(2)],
            ),
            _ => return Ok(None),
        };
        for message in said {
            let topic = format!("https://shop.example/orders/{}", message["number"]);
            self.update(&topic, true, &message).await?;
        }
        Ok(Some(Told::new(["placed", "open", "pace"].into_iter().zip(shown).collect::<Vec<_>>())))
    }

    fn own_board(&self, name: &str) -> String {
        if name == SUBSCRIBERS { MEMBERS.to_owned() } else { String::new() }
    }
}

impl Mercure {
    async fn begin(folder: &Path, heartbeat: &str) -> Result<std::result::Result<Self, String>> {
        let program = root().join("target/interop/mercure");
        if !program.is_file() {
            return Ok(Err("target/interop/mercure is missing: scripts/interop.sh builds it".to_owned()));
        }
        let address = free_address()?;
        let (history, http) = (folder.join("updates.db"), client()?);
        let launch = launch(&program, folder, &history, address, heartbeat);
        let process = Process::start(launch, async || answers(&http, address, HEALTH).await).await?;
        let allowed = token(json!({ "mercure": { "subscribe": [SUBSCRIPTIONS] } }), None).map_err(Error::msg)?;
        keep_secret(&members_token(folder), &allowed)?;
        Ok(Ok(Self { process, program, folder: folder.to_owned(), history, address, http }))
    }

    /// Publishes an update.
    async fn update(&self, topic: &str, private: bool, message: &Value) -> Result<()> {
        let bearer = token(json!({ "mercure": { "publish": ["*"] } }), None).map_err(Error::msg)?;
        let data = message.to_string();
        let mut pairs = vec![("topic", topic), ("data", data.as_str())];
        pairs.extend(private.then_some(("private", "on")));
        // A form is written like a query.
        let form = Url::parse_with_params("http://form", pairs)?;
        let form = form.query().unwrap_or_default().to_owned();
        let post = self.http.post(format!("http://{}{PATH}", self.address)).bearer_auth(&bearer);
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
        post.send().await?.error_for_status()?;
        Ok(())
    }

    /// Another hub in its place, which tells of subscriptions.
    async fn tell_subscriptions(&mut self) -> Result<()> {
        self.process.kill()?;
        let mut launch = launch(&self.program, &self.folder, &self.history, self.address, HEARTBEAT);
        launch.command.arg("--subscriptions");
        self.process = Process::start(launch, async || answers(&self.http, self.address, HEALTH).await).await?;
        Ok(())
    }

    /// Somebody besides the wall on the topic, for as long as the answer is listened to.
    async fn subscriber(&self) -> Result<Response> {
        let url = format!("http://{}{PATH}?topic={TOPIC}", self.address);
        Ok(self.http.get(url).timeout(STAY_MAX).send().await?.error_for_status()?)
    }
}

/// H3: a wall that has nothing yet begins with all that the hub has kept, which isn't live while it comes, and may not be all that
/// there was.
async fn earliest(stand: &mut Stand<Mercure>) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.wall.kill()?;
    stand.publish(20).await?;
    first_wall(stand, 20).await?;
    stand.publish(5).await?;
    stand.equals(Some(25)).await?;
    stand.wall.kill()?;
    stand.publish(HISTORY).await?;
    first_wall(stand, HISTORY).await
}

/// A wall without a past, which counts so many that were published before it came.
async fn first_wall(stand: &mut Stand<Mercure>, counted: usize) -> Result<()> {
    fs::remove_dir_all(stand.peer.folder.join("data")).context("what the wall before had")?;
    stand.start_wall()?;
    let report = stand.equals(Some(counted)).await?;
    let (continuity, at_least) = (report.continuity(), &report.value["widgets"]["count"]["at_least"]);
    ensure!(continuity == "unknown" && at_least == true, "{continuity}, at least: {at_least}");
    let early = stand.wall.reports().into_iter().find(|report| report.claims() && report.count() != Some(counted));
    ensure!(early.is_none(), "called live before all had come: {early:?}");
    Ok(())
}

/// Who comes and leaves is told, also where the line was cut meanwhile.
async fn subscribers(stand: &mut Stand<Mercure>) -> Result<()> {
    stand.peer.tell_subscriptions().await?;
    stand.is_live("a hub that tells").await?;
    let guest = stand.peer.subscriber().await?;
    stand.told("came", 1).await?;
    members(stand, &["true"]).await?;
    drop(guest);
    let before = stand.told("left", 1).await?;
    members(stand, &["false"]).await?;
    stand.line.set(|line| line.cut = true);
    stand.says_of("came", &["down", "stale"], FOUND_MAX).await?;
    let guest = stand.peer.subscriber().await?;
    stand.line.set(|line| line.cut = false);
    stand.told("came", 2).await?;
    let after = stand.is_live("the line again").await?;
    // What a first stream begins after is unknown, and that stays: the cut adds none to it.
    let gaps = |report: &Report, how: &str| report.value["sources"]["ops"][how].as_u64().unwrap_or_default();
    let [proven, unknown] = ["gaps_proven", "gaps_unknown"].map(|how| gaps(&after, how) - gaps(&before, how));
    ensure!(proven == 1 && unknown == 0, "by the cut {proven} gaps are proven, {unknown} unknown");
    members(stand, &["false", "true"]).await?;
    drop(guest);
    stand.told("left", 2).await?;
    members(stand, &["false", "false"]).await
}

/// Until the table has so many subscribers, each there or not.
async fn members(stand: &mut Stand<Mercure>, active: &[&str]) -> Result<()> {
    let holds = |report: &Report| {
        let rows = report.value["widgets"]["who"]["value"].as_array();
        let mut shown: Vec<&str> = rows.into_iter().flatten().filter_map(|row| row["cells"][1].as_str()).collect();
        shown.sort_unstable();
        report.freshness("who") == "live" && shown == active
    };
    stand.wall.wait(&format!("subscribers: {active:?}"), Instant::now(), FOUND_MAX, holds).await?;
    Ok(())
}
