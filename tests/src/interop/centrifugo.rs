//! Centrifugo, installed as a Go module by `scripts/interop.sh`: with its memory engine as one row, with its Redis engine as another.

use std::{
    any::Any,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::Client;
use ring::hmac;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::sleep};

use super::peer::{Entry, Offer, Peer};
use crate::{
    faults::{
        process::{free_port, signal},
        publisher::client,
    },
    program::root,
};

/// Publications that a channel's history keeps.
const HISTORY: usize = 200;
const SECRET: &str = "interop";
const USER: &str = "wall";
const START_MAX: Duration = Duration::from_secs(30);
/// How long somebody stays on a channel who isn't dropped.
const STAY_MAX: Duration = Duration::from_secs(600);

/// A server, which keeps what it has in a Redis of its own, or in its memory.
pub(super) struct Centrifugo<const REDIS: bool> {
    child: Child,
    /// The Redis, and where it listens.
    redis: Option<(Child, u16)>,
    program: PathBuf,
    config: PathBuf,
    address: SocketAddr,
    version: String,
    http: Client,
}

/// With its memory engine.
pub(super) type Memory = Centrifugo<false>;
/// With its Redis engine.
pub(super) type OverRedis = Centrifugo<true>;

impl<const REDIS: bool> Drop for Centrifugo<REDIS> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some((redis, _)) = &mut self.redis {
            let _ = redis.kill();
            let _ = redis.wait();
        }
    }
}

impl<const REDIS: bool> Centrifugo<REDIS> {
    async fn is_up(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.api("info", &json!({})).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.config.with_extension("log"))?;
                anyhow::bail!("it ended: {status}: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(begun.elapsed() < START_MAX, "it doesn't answer");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn api(&self, method: &str, body: &Value) -> Result<Value> {
        let url = format!("http://{}/api/{method}", self.address);
        let answer = self.http.post(url).header("x-api-key", SECRET).json(body).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        ensure!(answer.get("error").is_none(), "{answer}");
        Ok(answer)
    }
}

fn channel(private: bool) -> &'static str {
    if private { "closed:ticks" } else { "open:ticks" }
}

fn spawn(program: &Path, config: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(config.with_extension("log"))?;
    let mut command = Command::new(program);
    command.arg("--config").arg(config).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("centrifugo")
}

/// A Redis that keeps nothing on a disk.
fn spawn_redis(port: u16, folder: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("redis.log"))?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    command.arg("--dir").arg(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("redis-server")
}

/// Until something listens there.
async fn listens(port: u16) -> Result<()> {
    let begun = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        ensure!(begun.elapsed() < START_MAX, "redis-server doesn't listen");
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

impl<const REDIS: bool> Peer for Centrifugo<REDIS> {
    const KIND: &'static str = if REDIS { "centrifugo-redis" } else { "centrifugo" };
    const HISTORY: Offer<usize> = Ok(HISTORY);

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let program = root().join("target/interop/centrifugo");
        if !program.is_file() {
            return Ok(Err("target/interop/centrifugo is missing: scripts/interop.sh installs it".to_owned()));
        }
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let config = folder.join("centrifugo.json");
        let namespace = |name: &str, anonymous: bool| {
            json!({
                "name": name, "history_size": HISTORY, "history_ttl": "300s", "force_recovery": true,
                "allow_subscribe_for_client": true, "allow_history_for_client": true,
                "allow_subscribe_for_anonymous": anonymous, "allow_history_for_anonymous": anonymous,
                "presence": true, "join_leave": true,
                "allow_presence_for_client": true, "allow_presence_for_anonymous": anonymous,
                "allowed_delta_types": ["fossil"], "delta_publish": true,
            })
        };
        let mut redis = None;
        if REDIS {
            let port = free_port()?;
            let Ok(child) = spawn_redis(port, folder) else {
                return Ok(Err("redis-server is missing: scripts/interop.sh installs it".to_owned()));
            };
            redis = Some((child, port));
            listens(port).await?;
        }
        let engine = match &redis {
            Some((_, port)) => json!({ "type": "redis", "redis": { "address": format!("redis://127.0.0.1:{port}") } }),
            None => json!({ "type": "memory" }),
        };
        let settings = json!({
            "engine": engine,
            "http_stream": { "enabled": true },
            "sse": { "enabled": true },
            // For those who only listen.
            "uni_http_stream": { "enabled": true },
            "http_server": { "address": "127.0.0.1", "port": address.port().to_string() },
            "http_api": { "key": SECRET },
            "client": {
                "token": { "hmac_secret_key": SECRET },
                "allow_anonymous_connect_without_token": true,
            },
            "channel": { "namespaces": [namespace("open", true), namespace("closed", false)] },
        });
        fs::write(&config, settings.to_string())?;
        // A program that is built as a Go module doesn't know its own.
        let version = format!("Centrifugo 6.9.1, {} engine", if REDIS { "Redis" } else { "memory" });
        let child = spawn(&program, &config)?;
        let mut server = Self { child, redis, program, config, address, version, http: client()? };
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
            "[[source]]\nid = \"ops\"\nkind = \"centrifugo\"\nurl = \"ws://127.0.0.1:{port}/connection/websocket\"\n\
             channels = [\"{}\"]\nevent = {{ name = \"kind\" }}\npresence = {}\n{}\n",
            channel(entry.private),
            entry.presence,
            token.unwrap_or_default()
        )
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        let commands: Vec<Value> =
            messages.iter().map(|data| json!({ "publish": { "channel": channel(private), "data": data } })).collect();
        let answer = self.api("batch", &json!({ "commands": commands })).await?;
        let replies = answer["replies"].as_array().context("replies")?;
        ensure!(
            replies.len() == messages.len() && replies.iter().all(|reply| reply.get("error").is_none()),
            "{answer}"
        );
        Ok(())
    }

    fn signal(&self, which: Signal) -> Result<()> {
        signal(&self.child, which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps && !REDIS {
            return Ok(Err("its memory engine keeps nothing"));
        }
        self.child.kill()?;
        self.child.wait()?;
        if let Some((redis, port)) = self.redis.as_mut().filter(|_| !keeps) {
            redis.kill()?;
            redis.wait()?;
            *redis = spawn_redis(*port, self.config.parent().context("a folder")?)?;
            listens(*port).await?;
        }
        self.child = spawn(&self.program, &self.config)?;
        self.is_up().await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        let mut claims = json!({ "sub": USER });
        if let Some(life) = life {
            let now =
                SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "this machine's clock is before 1970")?;
            claims["exp"] = (now + life).as_secs().into();
        }
        let message =
            format!("{}.{}", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims.to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message.as_bytes());
        Ok(format!("{message}.{}", BASE64.encode(tag)))
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.api("disconnect", &json!({ "user": USER })).await?;
        Ok(Ok(()))
    }

    async fn join(&self) -> Result<Offer<Box<dyn Any>>> {
        let url = format!("http://{}/connection/uni_http_stream", self.address);
        let body = json!({ "subs": { (channel(false)): {} } });
        let answer = self.http.post(url).timeout(STAY_MAX).json(&body).send().await?;
        // It stays for as long as its answer is listened to.
        Ok(Ok(Box::new(answer.error_for_status()?)))
    }
}
