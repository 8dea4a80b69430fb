//! Centrifugo, installed as a Go module by `scripts/interop.sh`: with its memory engine as one row, with its Redis engine as another.

use std::{any::Any, fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    jwt::{jwt, now},
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, free_address},
    store::Store,
};
use crate::{faults::publisher::client, program::root};

/// Publications that a channel's history keeps.
const HISTORY: usize = 200;
const SECRET: &str = "interop";
const USER: &str = "wall";
/// How long somebody stays on a channel who isn't dropped.
const STAY_MAX: Duration = Duration::from_secs(600);

/// A server, which keeps what it has in a Redis of its own, or in its memory.
pub(super) struct Centrifugo<const REDIS: bool> {
    process: Process,
    redis: Option<Store>,
    address: SocketAddr,
    version: String,
    http: Client,
}

/// With its memory engine.
pub(super) type Memory = Centrifugo<false>;
/// With its Redis engine.
pub(super) type OverRedis = Centrifugo<true>;

impl<const REDIS: bool> Centrifugo<REDIS> {
    async fn api(&self, method: &str, body: &Value) -> Result<Value> {
        call(&self.http, self.address, method, body).await
    }
}

async fn call(http: &Client, address: SocketAddr, method: &str, body: &Value) -> Result<Value> {
    let url = format!("http://{address}/api/{method}");
    let answer = http.post(url).header("x-api-key", SECRET).json(body).send().await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    ensure!(answer.get("error").is_none(), "{answer}");
    Ok(answer)
}

/// A probe: it says what it is.
async fn is_up(http: &Client, address: SocketAddr) -> Result<()> {
    call(http, address, "info", &json!({})).await?;
    Ok(())
}

fn channel(private: bool) -> &'static str {
    if private { "closed:ticks" } else { "open:ticks" }
}

impl<const REDIS: bool> Peer for Centrifugo<REDIS> {
    const KIND: &'static str = if REDIS { "centrifugo-redis" } else { "centrifugo" };
    const HISTORY: Offer<usize> = Ok(HISTORY);

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let program = root().join("target/interop/centrifugo");
        if !program.is_file() {
            return Ok(Err("target/interop/centrifugo is missing: scripts/interop.sh installs it".to_owned()));
        }
        let address = free_address()?;
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
        if REDIS && Command::new("redis-server").arg("--version").output().is_err() {
            return Ok(Err("redis-server is missing: scripts/interop.sh installs it".to_owned()));
        }
        let redis = if REDIS { Some(Store::start(folder).await?) } else { None };
        let engine = match &redis {
            Some(redis) => {
                let address = format!("redis://127.0.0.1:{}", redis.port());
                json!({ "type": "redis", "redis": { "address": address } })
            }
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
        let mut command = Command::new(program);
        command.arg("--config").arg(&config);
        let (launch, http) = (Launch { command, log: config.with_extension("log") }, client()?);
        let process = Process::start(launch, async || is_up(&http, address).await).await?;
        Ok(Ok(Self { process, redis, address, version, http }))
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
        self.process.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps && !REDIS {
            return Ok(Err("its memory engine keeps nothing"));
        }
        self.process.kill()?;
        if let Some(redis) = self.redis.as_mut().filter(|_| !keeps) {
            redis.restart().await?;
        }
        self.process.start_anew(async || is_up(&self.http, self.address).await).await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        let mut claims = json!({ "sub": USER });
        if let Some(life) = life {
            claims["exp"] = (now()? + life).as_secs().into();
        }
        Ok(jwt(&claims, SECRET))
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
