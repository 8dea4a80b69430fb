//! A server of our own over Node's HTTP, in `poll.mjs`: messages that are asked for by a cursor, which stands in the answer.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    example::{Setting, Told},
    gate,
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
};
use crate::{faults::publisher::client, program::root};

/// Messages that a channel keeps, as in `poll.mjs`.
const HISTORY: usize = 150_000;

/// A server with its history in a file.
pub(super) struct Poll {
    process: Process,
    history: PathBuf,
    address: SocketAddr,
    version: String,
    http: Client,
}

impl Poll {
    /// What it answers as a whole from now on.
    async fn keep(&self, stock: &[(&str, &str, u32)]) -> Result<()> {
        let item =
            |(sku, name, count): &(&str, &str, u32)| json!({ "sku": sku, "name": name, "count": count, "place": "R1" });
        self.post("stock", &stock.iter().map(item).collect()).await
    }

    async fn post(&self, route: &str, body: &Value) -> Result<()> {
        let url = format!("http://{}/{route}", self.address);
        self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(())
    }
}

fn channel(private: bool) -> &'static str {
    if private { "closed" } else { "open" }
}

impl Peer for Poll {
    const KIND: &'static str = "poll";
    const HISTORY: Offer<usize> = Ok(HISTORY);
    const EXAMPLES: &'static [&'static str] = &["example poll.toml"];

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let Ok(told) = Command::new("node").arg("--version").output() else {
            return Ok(Err("Node.js is missing".to_owned()));
        };
        let version = format!("Node {}, HTTP by a cursor", String::from_utf8_lossy(&told.stdout).trim());
        let address = free_address()?;
        let (history, http) = (folder.join("messages.jsonl"), client()?);
        let mut command = Command::new("node");
        command.arg(root().join("tests/src/interop/poll.mjs")).arg(address.port().to_string()).arg(&history);
        command.arg(gate::SECRET);
        let launch = Launch { command, log: folder.join("poll.log") };
        let process = Process::start(launch, async || answers(&http, address, "up").await).await?;
        Ok(Ok(Self { process, history, address, version, http }))
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
            "[[source]]\nid = \"ops\"\nkind = \"poll\"\nurl = \"http://127.0.0.1:{port}/{channel}\"\n\
             channels = [\"{channel}\"]\nreplays = true\nevent = {{ name = \"kind\" }}\n\
             cursor = {{ path = \"next\", query = \"after\", rows = \"items\" }}\n{}\n",
            token.unwrap_or_default(),
            channel = channel(entry.private),
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        self.post(&format!("publish/{}", channel(private)), &messages.into()).await
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
        self.process.start_anew(async || answers(&self.http, self.address, "up").await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        gate::token(life)
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post("revoke", &Value::Null).await?;
        Ok(Ok(()))
    }

    async fn took(&self, token: &str) -> Result<()> {
        let url = format!("http://{}/tokens", self.address);
        gate::took(&self.http.get(url).send().await?.error_for_status()?.json().await?, token)
    }

    async fn start_for(folder: &Path, _example: &str) -> Result<std::result::Result<Self, String>> {
        let started = Self::start(folder).await?;
        if let Ok(own) = &started {
            own.keep(&[("A-1", "Bolt M8", 40), ("A-2", "Nut M8", 7)]).await?;
        }
        Ok(started)
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        Ok(Setting::at("https://app.example.net", format!("http://{}", self.address)))
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        Ok(Some(match step {
            // It was there before the wall.
            0 => Told::new([("rows", json!([["A-1", "Bolt M8", 40], ["A-2", "Nut M8", 7]]))]),
            1 => {
                self.keep(&[("A-1", "Bolt M8", 38), ("A-3", "Washer M8", 100)]).await?;
                Told::new([
                    ("rows", json!([["A-1", "Bolt M8", 38], ["A-3", "Washer M8", 100]])),
                    ("changes", json!(2)),
                    ("arrivals", json!(["A-3: Washer M8"])),
                ])
            }
            _ => return Ok(None),
        }))
    }
}
