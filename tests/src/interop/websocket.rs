//! A bare WebSocket of the npm package `ws`, installed by `scripts/interop.sh`, in a server of a few lines that numbers its messages
//! and is driven over HTTP. What it speaks stands in the board alone.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::sleep;

use super::peer::{Entry, Offer, Peer};
use crate::{
    faults::{
        process::{free_port, signal},
        publisher::client,
    },
    program::root,
};

/// Messages that a channel keeps, as in `websocket.mjs`.
const HISTORY: usize = 200;
/// The token that it takes.
const TOKEN: &str = "interop";
const START_MAX: Duration = Duration::from_secs(30);

/// A server that keeps what was published in a file.
pub(super) struct WebSocket {
    child: Child,
    installed: PathBuf,
    kept: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    version: String,
    http: Client,
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl WebSocket {
    async fn is_up(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.http.get(format!("http://{}/health", self.address)).send().await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(&self.log)?;
                anyhow::bail!("it ended: {status}: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(begun.elapsed() < START_MAX, "it doesn't answer");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn post(&self, route: &str, private: bool, body: &Value) -> Result<()> {
        let url = format!("http://{}/{route}?channel={}", self.address, channel(private));
        self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(())
    }
}

fn channel(private: bool) -> &'static str {
    if private { "closed" } else { "open" }
}

fn spawn(installed: &Path, address: SocketAddr, kept: &Path, log: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new("node");
    command.arg(root().join("tests/src/interop/websocket.mjs"));
    command.arg(address.port().to_string()).arg(installed).arg(kept);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("node")
}

impl Peer for WebSocket {
    const KIND: &'static str = "websocket";
    const HISTORY: Offer<usize> = Ok(HISTORY);

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let installed = root().join("target/interop/websocket");
        let Ok(package) = fs::read_to_string(installed.join("node_modules/ws/package.json")) else {
            return Ok(Err("target/interop/websocket is missing: scripts/interop.sh installs it".to_owned()));
        };
        let package: Value = serde_json::from_str(&package)?;
        let version = package["version"].as_str().context("the package's version")?;
        let version = format!("ws {version}, numbered messages");
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let (kept, log) = (folder.join("published.ndjson"), folder.join("websocket.log"));
        let child = spawn(&installed, address, &kept, &log)?;
        let mut server = Self { child, installed, kept, log, address, version, http: client()? };
        server.is_up().await?;
        Ok(Ok(server))
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
        signal(&self.child, which)
    }

    fn reconnect(&mut self) -> Result<()> {
        self.http = client()?;
        Ok(())
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        self.child.kill()?;
        self.child.wait()?;
        if !keeps {
            fs::remove_file(&self.kept)?;
        }
        self.child = spawn(&self.installed, self.address, &self.kept, &self.log)?;
        self.is_up().await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        match life {
            Some(_) => Err("a token is looked at on subscribing alone"),
            None => Ok(TOKEN.to_owned()),
        }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post("kick", true, &Value::Null).await?;
        Ok(Ok(()))
    }
}
