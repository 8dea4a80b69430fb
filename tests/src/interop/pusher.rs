//! What Soketi and Sockudo have in common: a process, and the site whose channels it serves, which publishes and signs by Pusher's own
//! SDK for Node.

use std::{
    any::Any,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::{
    example::{Setting, Told},
    jwt::{jwt, now},
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
    stand::{FOUND_MAX, Stand},
};
use crate::{faults::publisher::client, program::root};

/// The app that a server is told of.
pub(super) const ID: &str = "interop";
pub(super) const KEY: &str = "interop-key";
pub(super) const SECRET: &str = "interop-secret";

/// A server, and the site whose channels it serves.
pub(super) struct Server {
    process: Process,
    address: SocketAddr,
    http: Client,
    /// Events in one request: what it was told to take.
    batch_max: usize,
    /// Running until it is dropped.
    _signer: Process,
    site: SocketAddr,
    /// How many tokens were given.
    tokens: AtomicUsize,
    /// Where is published in place of the public channel.
    to: Option<&'static str>,
}

/// A probe: it says itself that it is ready.
pub(super) async fn is_ready(http: &Client, address: SocketAddr) -> Result<()> {
    http.get(format!("http://{address}/ready")).send().await?.error_for_status()?;
    Ok(())
}

/// Why the SDK can't be had, if so.
pub(super) fn missing_sdk() -> Option<String> {
    let is_there = root().join("target/interop/pusher-sdk/node_modules/pusher").is_dir();
    (!is_there).then(|| "target/interop/pusher-sdk is missing: scripts/interop.sh installs it".to_owned())
}

impl Server {
    /// Starts it, and waits until it is there.
    pub(super) async fn start(folder: &Path, launch: Launch, address: SocketAddr, batch_max: usize) -> Result<Self> {
        let http = client()?;
        let process = Process::start(launch, async || is_ready(&http, address).await).await?;
        let site = free_address()?;
        let mut command = Command::new("node");
        command.arg(root().join("tests/src/interop/pusher.mjs")).arg(site.port().to_string());
        command.arg(root().join("target/interop/pusher-sdk")).arg(address.port().to_string()).args([ID, KEY, SECRET]);
        let launch = Launch { command, log: folder.join("site.log") };
        let signer = Process::start(launch, async || answers(&http, site, "health").await).await?;
        let (tokens, to) = (AtomicUsize::new(0), None);
        Ok(Self { process, address, http, batch_max, _signer: signer, site, tokens, to })
    }

    /// Has the site do something, and gives what it says.
    async fn site(&self, what: &str, body: &Value) -> Result<Value> {
        let answer = self.http.post(format!("http://{}/{what}", self.site)).body(body.to_string()).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The board's source, of this kind.
    pub(super) fn source(&self, kind: &str, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().map(|path| format!("token = {{ file = \"{}\" }}\n", path.display()));
        let channel = match entry.own {
            Some(ENCRYPTED) => ENCRYPTED_CHANNEL,
            Some(CACHE) => CACHE_CHANNEL,
            Some(SIGN_IN) => USER_CHANNEL,
            _ if entry.private => "private-ticks",
            _ => PUBLIC,
        };
        let besides = if entry.presence { format!(", \"{PRESENCE}\"") } else { String::new() };
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"{kind}\"\nurl = \"ws://127.0.0.1:{port}\"\napp = \"{KEY}\"\n\
             channels = [\"{channel}\"{besides}]\nauth = \"http://{}/broadcasting/auth\"\n{}",
            self.site,
            token.unwrap_or_default()
        )
    }

    pub(super) async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let place = match self.to {
            Some(USER_CHANNEL) => format!("user={USER}"),
            Some(channel) => format!("channel={channel}"),
            None if private => "channel=private-ticks".to_owned(),
            None => format!("channel={PUBLIC}"),
        };
        for batch in messages.chunks(self.batch_max) {
            self.site(&format!("publish?{place}"), &json!(batch)).await?;
        }
        Ok(())
    }

    pub(super) fn signal(&self, which: Signal) -> Result<()> {
        self.process.signal(which)
    }

    pub(super) async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err("it keeps nothing"));
        }
        self.process.kill()?;
        self.process.start_anew(async || is_ready(&self.http, self.address).await).await?;
        Ok(Ok(()))
    }

    /// Somebody besides the wall on the presence channel, until what this gives is dropped.
    pub(super) async fn join(&self) -> Result<Box<dyn Any>> {
        self.join_at(PRESENCE).await
    }

    async fn join_at(&self, channel: &str) -> Result<Box<dyn Any>> {
        let url = format!("ws://{}/app/{KEY}?protocol=7&client=interop&version=1.0", self.address);
        let (mut socket, _answer) = connect_async(url).await?;
        let hello: Value = serde_json::from_str(socket.next().await.context("it ended")??.to_text()?)?;
        let hello: Value = serde_json::from_str(hello["data"].as_str().context("data")?)?;
        let id = hello["socket_id"].as_str().context("socket_id")?;
        let mut ask = self.site(&format!("guest?socket={id}&channel={channel}"), &json!({})).await?;
        ask["channel"] = channel.into();
        let ask = json!({ "event": "pusher:subscribe", "data": ask });
        socket.send(Message::text(ask.to_string())).await?;
        let answer = socket.next().await.context("it ended")??;
        ensure!(answer.to_text()?.contains("subscription_succeeded"), "{answer}");
        Ok(Box::new(socket))
    }

    pub(super) fn token(&self, life: Option<Duration>) -> Offer<String> {
        let mut claims = json!({ "jti": self.tokens.fetch_add(1, Ordering::Relaxed) });
        if let Some(life) = life {
            claims["exp"] = (now()? + life).as_secs().into();
        }
        Ok(jwt(&claims, SECRET))
    }
}

/// What shows the example.
pub(super) const EXAMPLES: &[&str] = &["example pusher.toml"];

impl Server {
    pub(super) fn setting(&self) -> Result<Setting> {
        let replaced = vec![
            ("wss://ws.example.net", format!("ws://{}", self.address)),
            ("reverb-app-key", KEY.to_owned()),
            ("https://shop.example.net", format!("http://{}", self.site)),
        ];
        let token = self.token(None).map_err(anyhow::Error::msg)?;
        Ok(Setting { replaced, environment: vec![("SHOP_WALL_TOKEN", token)] })
    }

    pub(super) async fn tell_example(&self, step: usize) -> Result<Option<Told>> {
        let placed = |id: &str, city: &str, total: f64| json!({ "kind": r"App\Events\OrderPlaced", "order": { "id": id, "city": city, "total": total } });
        let (said, rows, packers) = match step {
            0 => (
                json!([placed("A-1041", "Leeds", 37.5), placed("A-1042", "York", 12.0)]),
                json!([["A-1041", "Leeds"], ["A-1042", "York"]]),
                json!([["guest"], ["wall"]]),
            ),
            1 => (
                json!([{ "kind": r"App\Events\OrderShipped", "order": { "id": "A-1041" } }]),
                json!([["A-1042", "York"]]),
                json!([["wall"]]),
            ),
            _ => return Ok(None),
        };
        self.site("publish?channel=private-orders", &said).await?;
        let shown = [("orders-today", json!(2)), ("sales-today", json!(49.5)), ("to-ship", rows), ("packers", packers)];
        Ok(Some(match step {
            0 => Told::with(shown, self.join_at("presence-packers").await?),
            _ => Told::new(shown),
        }))
    }
}

/// Why a right to a channel can't be taken away.
pub(super) const NO_REVOCATION: &str = "a signature is good for as long as its connection stands";
/// Why nothing comes again.
pub(super) const NO_REPLAY: &str = "the protocol has no replay";

const PUBLIC: &str = "ticks";
/// The channel of those who are there, which carries nothing else.
const PRESENCE: &str = "presence-ticks";
const ENCRYPTED_CHANNEL: &str = "private-encrypted-ticks";
const CACHE_CHANNEL: &str = "cache-ticks";
const USER: &str = "wall";
const USER_CHANNEL: &str = "#server-to-user-wall";

/// What only this protocol has.
pub(super) const ENCRYPTED: &str = "encrypted channel";
pub(super) const CACHE: &str = "cache channel";
pub(super) const SIGN_IN: &str = "user sign-in";

/// Goes through one of those, with the server of a peer.
pub(super) async fn run_own<P: Peer>(
    stand: &mut Stand<P>,
    name: &str,
    server: fn(&mut P) -> &mut Server,
) -> Result<()> {
    stand.is_live("the beginning").await?;
    match name {
        ENCRYPTED => {
            server(&mut stand.peer).to = Some(ENCRYPTED_CHANNEL);
            stand.publish(200).await?;
            let report = stand.equals(Some(200)).await?;
            // What isn't sealed by the channel's key is.
            let rejected = &report.value["sources"]["ops"]["rejected"];
            ensure!(*rejected == 0, "{rejected} were rejected");
        }
        CACHE => {
            server(&mut stand.peer).to = Some(CACHE_CHANNEL);
            stand.publish(2).await?;
            stand.equals(Some(2)).await?;
            stand.wall.kill()?;
            // Nobody is there, and nothing is published once somebody is: what is shown then was kept.
            stand.publish(3).await?;
            stand.start_wall()?;
            stand.shows(5).await?;
        }
        SIGN_IN => {
            server(&mut stand.peer).to = Some(USER_CHANNEL);
            stand.publish(20).await?;
            stand.equals(Some(20)).await?;
            server(&mut stand.peer).site(&format!("terminate?user={USER}"), &json!({})).await?;
            stand.says(&["refused"], FOUND_MAX).await?;
        }
        other => anyhow::bail!("no scenario `{other}`"),
    }
    Ok(())
}
