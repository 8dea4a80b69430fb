//! A Mercure hub, built as a Go module by `scripts/interop.sh`.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::{Client, Url};
use ring::hmac;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::peer::{Entry, Offer, Peer};
use crate::{
    faults::{
        process::{free_port, signal},
        publisher::client,
    },
    program::root,
};

/// Updates that its history keeps.
const HISTORY: usize = 200;
const SECRET: &str = "interop-interop-interop-interop-";
const TOPIC: &str = "ticks";
const PATH: &str = "/.well-known/mercure";
const START_MAX: Duration = Duration::from_secs(30);

/// A hub with its history in a file.
pub(super) struct Mercure {
    child: Child,
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    http: Client,
}

impl Drop for Mercure {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Mercure {
    async fn is_up(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.http.get(format!("http://{}/healthz", self.address)).send().await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.folder.join("mercure.log"))?;
                anyhow::bail!("it ended: {status}: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(begun.elapsed() < START_MAX, "it doesn't answer");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn history(folder: &Path) -> PathBuf {
    folder.join("updates.db")
}

fn spawn(program: &Path, folder: &Path, address: SocketAddr) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("mercure.log"))?;
    let history = format!("bolt://{}?size={HISTORY}&cleanup_frequency=1", history(folder).display());
    let mut command = Command::new(program);
    command.current_dir(folder).arg("--addr").arg(address.to_string()).args(["--jwt-key", SECRET, "--allow-anonymous"]);
    // It leaves a subscriber this long before the token's end.
    command.args(["--dispatch-timeout", "1s", "--heartbeat-interval", "1s", "--write-timeout", "600s"]);
    command.args(["--transport-url", &history]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("mercure")
}

fn token(mut claims: Value, life: Option<Duration>) -> Result<String> {
    if let Some(life) = life {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("this machine's clock is before 1970")?;
        claims["exp"] = (now + life).as_secs().into();
    }
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message.as_bytes());
    Ok(format!("{message}.{}", BASE64.encode(tag)))
}

impl Peer for Mercure {
    const KIND: &'static str = "mercure";
    const HISTORY: Offer<usize> = Ok(HISTORY);

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let program = root().join("target/interop/mercure");
        if !program.is_file() {
            return Ok(Err("target/interop/mercure is missing: scripts/interop.sh builds it".to_owned()));
        }
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let child = spawn(&program, folder, address)?;
        let mut server = Self { child, program, folder: folder.to_owned(), address, http: client()? };
        server.is_up().await?;
        Ok(Ok(server))
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
        let bearer = token(json!({ "mercure": { "publish": ["*"] } }), None)?;
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
        self.child = spawn(&self.program, &self.folder, self.address)?;
        self.is_up().await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        token(json!({ "mercure": { "subscribe": ["*"] } }), life).map_err(|_| "this machine's clock is before 1970")
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        Ok(Err("a hub asks for a token at the beginning only"))
    }
}
