//! A Mercure hub, built as a Go module by `scripts/interop.sh`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Error, Result};
use reqwest::{Client, Url};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    jwt::{jwt, now},
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
};
use crate::{faults::publisher::client, program::root};

/// Updates that its history keeps.
const HISTORY: usize = 200;
const SECRET: &str = "interop-interop-interop-interop-";
const TOPIC: &str = "ticks";
const PATH: &str = "/.well-known/mercure";
/// Where it says that it is there.
const HEALTH: &str = "healthz";

/// A hub with its history in a file.
pub(super) struct Mercure {
    process: Process,
    history: PathBuf,
    address: SocketAddr,
    http: Client,
}

fn launch(program: &Path, folder: &Path, history: &Path, address: SocketAddr) -> Launch {
    let history = format!("bolt://{}?size={HISTORY}&cleanup_frequency=1", history.display());
    let mut command = Command::new(program);
    command.current_dir(folder).arg("--addr").arg(address.to_string()).args(["--jwt-key", SECRET, "--allow-anonymous"]);
    // It leaves a subscriber this long before the token's end.
    command.args(["--dispatch-timeout", "1s", "--heartbeat-interval", "1s", "--write-timeout", "600s"]);
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

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let program = root().join("target/interop/mercure");
        if !program.is_file() {
            return Ok(Err("target/interop/mercure is missing: scripts/interop.sh builds it".to_owned()));
        }
        let address = free_address()?;
        let (history, http) = (folder.join("updates.db"), client()?);
        let launch = launch(&program, folder, &history, address);
        let process = Process::start(launch, async || answers(&http, address, HEALTH).await).await?;
        Ok(Ok(Self { process, history, address, http }))
    }

    fn version(&self) -> String {
        // A program that is built as a Go module doesn't know its own.
        "Mercure 0.20.2, Bolt".to_owned()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        let token = entry.token.as_ref().map(|path| format!("token = {{ file = \"{}\" }}", path.display()));
        format!(
            "[[source]]\nid = \"ops\"\nkind = \"mercure\"\nurl = \"http://127.0.0.1:{port}\"\n\
             channels = [\"{TOPIC}\"]\nheartbeat = \"1s\"\nevent = {{ name = \"kind\" }}\n{}\n",
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let bearer = token(json!({ "mercure": { "publish": ["*"] } }), None).map_err(Error::msg)?;
        for message in messages {
            let data = message.to_string();
            let mut pairs = vec![("topic", TOPIC), ("data", data.as_str())];
            pairs.extend(private.then_some(("private", "on")));
            // A form is written like a query.
            let form = Url::parse_with_params("http://form", pairs)?;
            let form = form.query().unwrap_or_default().to_owned();
            let post = self.http.post(format!("http://{}{PATH}", self.address)).bearer_auth(&bearer);
            let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
            post.send().await?.error_for_status()?;
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
        Ok(Err("a hub asks for a token at the beginning only"))
    }
}
