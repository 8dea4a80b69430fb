//! Socket.IO, installed from npm by `scripts/interop.sh`, in a server of a few lines that is driven over HTTP: by WebSocket and by
//! polls, and with its adapters to Redis, where what is published comes from another server of the same process.

use std::{
    fs,
    marker::PhantomData,
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    example::{Setting, Told},
    gate,
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
    stand::{PATIENCE, Stand},
    store::Store,
};
use crate::{
    faults::{process::Report, publisher::client},
    program::root,
};

/// Events that a namespace keeps, as in `socketio.mjs`.
const HISTORY: usize = 200;
/// The token that it takes.
const UPGRADE: &str = "upgrade";
const ACKNOWLEDGED: &str = "acknowledged";
const BINARY: &str = "binary";
/// An attachment of so many bytes, which is just within the limit of an event in base64.
const ATTACHED_BYTES: usize = 767 << 10;

/// A kind of row.
pub(super) trait Variant: Send + Sync {
    /// What it is called in the matrix.
    const KIND: &'static str;
    /// The adapter, as `socketio.mjs` calls it.
    const ADAPTER: &'static str;
    /// The way to travel.
    const WAY: &'static str;
    const HISTORY: Offer<usize>;
    /// Why nothing is kept over a SIGKILL.
    const FORGETS: &'static str;
    /// What is shown besides.
    const OWN: &'static [&'static str] = &[ACKNOWLEDGED, BINARY];
    const EXAMPLES: &'static [&'static str] = &[];
}

/// In memory, by WebSocket.
pub(super) struct Plain;
/// The same by polls.
pub(super) struct Polls;
/// Redis Pub/Sub.
pub(super) struct PubSub;
/// Redis Streams.
pub(super) struct Streams;

const IN_MEMORY: &str = "its memory adapter keeps nothing";

impl Variant for Plain {
    const KIND: &'static str = "socketio";
    const ADAPTER: &'static str = "memory";
    const WAY: &'static str = "websocket";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const FORGETS: &'static str = IN_MEMORY;
    const OWN: &'static [&'static str] = &[UPGRADE, ACKNOWLEDGED, BINARY];
    const EXAMPLES: &'static [&'static str] = &["example socketio.toml"];
}

impl Variant for Polls {
    const KIND: &'static str = "socketio-polling";
    const ADAPTER: &'static str = "memory";
    const WAY: &'static str = "long-poll";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const FORGETS: &'static str = IN_MEMORY;
}

impl Variant for PubSub {
    const KIND: &'static str = "socketio-redis";
    const ADAPTER: &'static str = "redis";
    const WAY: &'static str = "websocket";
    const HISTORY: Offer<usize> = Err("its adapter to Redis Pub/Sub gives no session back");
    const FORGETS: &'static str = "its adapter to Redis Pub/Sub keeps nothing";
}

impl Variant for Streams {
    const KIND: &'static str = "socketio-streams";
    const ADAPTER: &'static str = "streams";
    const WAY: &'static str = "websocket";
    const HISTORY: Offer<usize> =
        Err("it may leave events out while it gives a session back, so nothing is proven by that");
    const FORGETS: &'static str = "a session is kept when its connection is seen to end, which a killed server doesn't";
}

/// A server with connection state recovery.
pub(super) struct Server<V> {
    process: Process,
    /// What an adapter needs. It is dropped after the server.
    _redis: Option<Store>,
    address: SocketAddr,
    version: String,
    http: Client,
    /// How it is published, as a part of the request's query.
    manner: &'static str,
    variant: PhantomData<V>,
}

/// By WebSocket, in memory.
pub(super) type SocketIo = Server<Plain>;
/// By polls.
pub(super) type SocketIoPolling = Server<Polls>;
/// With Redis Pub/Sub.
pub(super) type SocketIoRedis = Server<PubSub>;
/// With Redis Streams.
pub(super) type SocketIoStreams = Server<Streams>;

impl<V: Variant> Server<V> {
    async fn post(&self, route: &str, private: bool, how: &str, body: &Value) -> Result<String> {
        self.post_to(namespace(private), route, how, body).await
    }

    async fn post_to(&self, namespace: &str, route: &str, how: &str, body: &Value) -> Result<String> {
        let url = format!("http://{}/{route}?namespace={namespace}{how}", self.address);
        let answer = self.http.post(url).json(body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{route}: {status}: {text}");
        Ok(text)
    }
}

fn namespace(private: bool) -> &'static str {
    if private { "/closed" } else { "/open" }
}

impl<V: Variant> Peer for Server<V> {
    const KIND: &'static str = V::KIND;
    const HISTORY: Offer<usize> = V::HISTORY;
    /// By what a session is got back is a secret, and isn't kept.
    const KEPT_BY_WALL: bool = false;
    const OWN: &'static [&'static str] = V::OWN;
    const EXAMPLES: &'static [&'static str] = V::EXAMPLES;
    /// Another token takes another connection.
    const KEPT_OVER_TOKEN: bool = V::HISTORY.is_ok();

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let installed = root().join("target/interop/socketio");
        let Ok(package) = fs::read_to_string(installed.join("node_modules/socket.io/package.json")) else {
            return Ok(Err("target/interop/socketio is missing: scripts/interop.sh installs it".to_owned()));
        };
        let package: Value = serde_json::from_str(&package)?;
        let version = package["version"].as_str().context("the package's version")?;
        let way = if V::WAY == "long-poll" { "polls" } else { "WebSocket" };
        let version = match V::ADAPTER {
            "redis" => format!("Socket.IO {version}, Redis adapter"),
            "streams" => format!("Socket.IO {version}, Redis Streams adapter"),
            _ => format!("Socket.IO {version}, memory adapter, {way}"),
        };
        let redis = if V::ADAPTER == "memory" {
            None
        } else {
            if !installed.join("node_modules/@socket.io/redis-streams-adapter").is_dir() {
                return Ok(Err("the adapters to Redis are missing: scripts/interop.sh installs them".to_owned()));
            }
            Some(Store::start(folder).await?)
        };
        let address = free_address()?;
        let mut command = Command::new("node");
        command.arg(root().join("tests/src/interop/socketio.mjs")).arg(address.port().to_string());
        command
            .arg(&installed)
            .arg(gate::SECRET)
            .arg(V::ADAPTER)
            .args(redis.as_ref().map(|redis| redis.port().to_string()));
        let (launch, http) = (Launch { command, log: folder.join("socketio.log") }, client()?);
        let process = Process::start(launch, async || answers(&http, address, "health").await).await?;
        Ok(Ok(Self { process, _redis: redis, address, version, http, manner: "", variant: PhantomData }))
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().map(|path| format!("token = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"socketio\"\nurl = \"ws://127.0.0.1:{port}\"\ntransport = \"{}\"\n\
             channels = [\"{}\"]\n{}\n",
            if entry.own == Some(UPGRADE) { "auto" } else { V::WAY },
            namespace(entry.private),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let said = self.post("publish", private, self.manner, &messages.into()).await?;
        if self.manner == ACKED {
            let answers: Vec<usize> = serde_json::from_str(&said)?;
            let is_one_each = answers.len() == messages.len() && answers.iter().all(|count| *count == 1);
            ensure!(is_one_each, "not one answer to each of {} events: {answers:?}", messages.len());
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
        if keeps {
            return Ok(Err(V::FORGETS));
        }
        self.process.kill()?;
        self.process.start_anew(async || answers(&self.http, self.address, "health").await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        gate::token(life)
    }

    async fn took(&self, token: &str) -> Result<()> {
        let url = format!("http://{}/tokens", self.address);
        gate::took(&self.http.get(url).send().await?.error_for_status()?.json().await?, token)
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post("kick", true, "", &Value::Null).await?;
        Ok(Ok(()))
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        match name {
            UPGRADE => upgrade(stand).await,
            ACKNOWLEDGED => acknowledged(stand).await,
            BINARY => binary(stand).await,
            other => anyhow::bail!("no scenario `{other}`"),
        }
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        Ok(Setting::at("http://127.0.0.1:3000", format!("http://{}", self.address)))
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        if step > 0 {
            return Ok(None);
        }
        let said = json!([
            { "kind": "order.placed", "id": "A-1041", "total": 59.9, "items": 3, "city": "Leeds" },
            { "kind": "heartbeat" },
            { "kind": "order.placed", "id": "A-1042", "total": 12, "items": 1, "city": "York" },
            { "kind": "order.cancelled", "id": "A-1042", "reason": "out of stock" },
        ]);
        self.post_to("/orders", "publish", "", &said).await?;
        Ok(Some(Told::new([
            ("placed-today", json!(2)),
            ("turnover-last-hour", json!(71.9)),
            ("orders-per-minute", json!(0.4)),
            ("newest", json!(["A-1042 ---- out of stock", "A-1042 York ----", "A-1041 Leeds ----"])),
        ])))
    }

    fn own_board(&self, name: &str) -> String {
        if name == BINARY { PARTS.to_owned() } else { String::new() }
    }
}

/// Each event is to be answered.
const ACKED: &str = "&ack";
/// What shows an event's attachments, and one that is an attachment and nothing else.
const PARTS: &str = r#"
[[widget]]
id = "bytes"
kind = "log"
on = "tick"
text = "{bytes} {more.bytes}"
limit = 50

[[widget]]
id = "whole"
kind = "counter"
on = "bytes"
"#;

fn is_by(report: &Report, way: &str) -> bool {
    let source = &report.value["sources"]["ops"];
    source["transport"] == way && source["state"] == "live"
}

/// H3: where no WebSocket can be had it goes by polls; once there is one it goes on by that, with nothing missed and nothing twice.
async fn upgrade<V: Variant>(stand: &mut Stand<Server<V>>) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.peer.post("upgrades", false, "", &Value::Null).await?;
    stand.restart_wall()?;
    let now = Instant::now();
    stand.wall.wait("polls", now, PATIENCE, |report| is_by(report, "long-poll")).await?;
    stand.publish(50).await?;
    let before = stand.equals(Some(50)).await?;
    ensure!(is_by(&before, "long-poll"), "it doesn't go by polls");
    stand.peer.post("upgrades", false, "&on", &Value::Null).await?;
    let (mut begun, mut is_there) = (Instant::now(), false);
    while !is_there {
        ensure!(begun.elapsed() < PATIENCE, "no WebSocket is tried");
        stand.publish(5).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        is_there = stand.wall.reports().last().is_some_and(|report| is_by(report, "websocket"));
    }
    begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        stand.publish(5).await?;
    }
    let all = stand.published();
    let after = stand.equals(Some(all)).await?;
    ensure!(is_by(&after, "websocket"), "it goes by polls again");
    for count in ["gaps", "reconnects", "duplicates"] {
        let [before, after] = [&before, &after].map(|report| report.value["sources"]["ops"][count].as_u64());
        ensure!(before == after, "{count}: {after:?} after {before:?}");
    }
    Ok(())
}

/// Events that ask for an answer come in order, and each is answered once. As no server keeps them, what comes after a cut says that some
/// may be missing, also where the session is had again.
async fn acknowledged<V: Variant>(stand: &mut Stand<Server<V>>) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.peer.manner = ACKED;
    stand.publish(200).await?;
    stand.equals(Some(200)).await?;
    stand.peer.manner = "";
    stand.line.drop_all();
    stand.follows().await?;
    let report = stand.equals(None).await?;
    let says_less = report.value["widgets"]["count"]["at_least"] == true;
    ensure!(report.continuity() == "unknown" && says_less, "nothing says that some may be missing");
    Ok(())
}

/// An event's attachments are in it as base64, wherever they stand.
async fn binary<V: Variant>(stand: &mut Stand<Server<V>>) -> Result<()> {
    stand.is_live("the beginning").await?;
    stand.peer.post("bytes", false, &format!("&size={ATTACHED_BYTES}"), &Value::Null).await?;
    stand.peer.manner = "&binary";
    stand.publish(100).await?;
    let report = stand.equals(Some(100)).await?;
    let lines = report.value["widgets"]["bytes"]["value"].as_array().context("a log")?;
    let expected = (51..=100_u32).rev().map(|number| {
        let bytes = BASE64_STANDARD.encode(number.to_be_bytes());
        format!("{bytes} {bytes}")
    });
    ensure!(lines.iter().map(|line| line["text"].as_str().unwrap_or_default()).eq(expected), "{lines:?}");
    let (whole, source) = (&report.value["widgets"]["whole"]["value"], &report.value["sources"]["ops"]);
    ensure!(whole.as_f64() == Some(1.0) && source["rejected"] == 0, "{whole} taken: {source}");
    Ok(())
}
