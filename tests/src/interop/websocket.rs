//! A bare WebSocket of the npm package `ws`, installed by `scripts/interop.sh`, in a server of a few lines that numbers its messages
//! and is driven over HTTP. What it speaks stands in the board alone.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::Value;

use super::{
    gate,
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
};
use crate::{faults::publisher::client, program::root};

/// Messages that a channel keeps, as in `websocket.mjs`.
const HISTORY: usize = 200;

/// A server that keeps what was published in a file.
pub(super) struct WebSocket {
    process: Process,
    kept: PathBuf,
    address: SocketAddr,
    version: String,
    http: Client,
}

impl WebSocket {
    async fn post(&self, route: &str, private: bool, body: &Value) -> Result<()> {
        let url = format!("http://{}/{route}?channel={}", self.address, channel(private));
        self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(())
    }
}

fn channel(private: bool) -> &'static str {
    if private { "closed" } else { "open" }
}

impl Peer for WebSocket {
    const KIND: &'static str = "websocket";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    /// `{"type":"message","channel":"open","sequence":1795852902792001,"message":}`
    const AROUND_BYTES: usize = 74;

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let installed = root().join("target/interop/websocket");
        let Ok(package) = fs::read_to_string(installed.join("node_modules/ws/package.json")) else {
            return Ok(Err("target/interop/websocket is missing: scripts/interop.sh installs it".to_owned()));
        };
        let package: Value = serde_json::from_str(&package)?;
        let version = package["version"].as_str().context("the package's version")?;
        let version = format!("ws {version}, numbered messages");
        let address = free_address()?;
        let (kept, http) = (folder.join("published.ndjson"), client()?);
        let mut command = Command::new("node");
        command.arg(root().join("tests/src/interop/websocket.mjs"));
        command.arg(address.port().to_string()).arg(installed).arg(&kept);
        command.arg(gate::SECRET);
        let launch = Launch { command, log: folder.join("websocket.log") };
        let process = Process::start(launch, async || answers(&http, address, "health").await).await?;
        Ok(Ok(Self { process, kept, address, version, http }))
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
            r#"[[source]]
id = "ops"
kind = "websocket"
url = "ws://127.0.0.1:{port}"
channels = ["{}"]
event = {{ name = "message.kind", data = "message" }}
{}

[source.speak]
subscribe = '{{"type":"subscribe","channel":"{{channel}}","token":"{{token}}"}}'
resume = '{{"type":"subscribe","channel":"{{channel}}","token":"{{token}}","after":{{sequence}}}}'
confirm = '{{"type":"subscribed"}}'
refused = '{{"type":"error"}}'
ping = '{{"type":"ping"}}'
pong = '{{"type":"pong"}}'
channel = "channel"
sequence = "sequence"
"#,
            channel(entry.private),
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        self.post("publish", private, &messages.into()).await
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
            fs::remove_file(&self.kept)?;
        }
        self.process.start_anew(async || answers(&self.http, self.address, "health").await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        gate::token(life)
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post("kick", true, &Value::Null).await?;
        Ok(Ok(()))
    }

    async fn took(&self, token: &str) -> Result<()> {
        let url = format!("http://{}/tokens", self.address);
        gate::took(&self.http.get(url).send().await?.error_for_status()?.json().await?, token)
    }
}
