//! A server of our own over Node's HTTP, in `poll.mjs`: messages that are asked for by a cursor, which stands in the answer.

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

/// Messages that a channel keeps, as in `poll.mjs`.
const HISTORY: usize = 150_000;
/// The token that it takes.
const TOKEN: &str = "interop";
const START_MAX: Duration = Duration::from_secs(30);

/// A server with its history in a file.
pub(super) struct Poll {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
    version: String,
    http: Client,
}

impl Drop for Poll {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Poll {
    async fn is_up(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.http.get(format!("http://{}/up", self.address)).send().await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.join("poll.log"))?;
                anyhow::bail!("it ended: {status}: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(begun.elapsed() < START_MAX, "it doesn't answer");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
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

fn history(folder: &Path) -> PathBuf {
    folder.join("messages.jsonl")
}

fn spawn(folder: &Path, address: SocketAddr) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("poll.log"))?;
    let mut command = Command::new("node");
    command.arg(root().join("tests/src/interop/poll.mjs")).arg(address.port().to_string()).arg(history(folder));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("node")
}

impl Peer for Poll {
    const KIND: &'static str = "poll";
    const HISTORY: Offer<usize> = Ok(HISTORY);

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let Ok(told) = Command::new("node").arg("--version").output() else {
            return Ok(Err("Node.js is missing".to_owned()));
        };
        let version = format!("Node {}, HTTP by a cursor", String::from_utf8_lossy(&told.stdout).trim());
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let child = spawn(folder, address)?;
        let mut server = Self { child, folder: folder.to_owned(), address, version, http: client()? };
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
            fs::remove_file(history(&self.folder))?;
        }
        self.child = spawn(&self.folder, self.address)?;
        self.is_up().await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        match life {
            Some(_) => Err("its token has no end"),
            None => Ok(TOKEN.to_owned()),
        }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post("revoke", &Value::Null).await?;
        Ok(Ok(()))
    }
}
