//! Socket.IO, installed from npm by `scripts/interop.sh`, in a server of a few lines that is driven over HTTP: by WebSocket and by
//! polls, and with its adapters to Redis, where what is published comes from another server of the same process.

use std::{
    fs::{self, File},
    marker::PhantomData,
    net::{Ipv4Addr, SocketAddr, TcpStream},
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

/// Events that a namespace keeps, as in `socketio.mjs`.
const HISTORY: usize = 200;
/// The token that it takes.
const TOKEN: &str = "interop";
const START_MAX: Duration = Duration::from_secs(30);

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

/// What an adapter needs. It is killed when it is dropped.
struct Redis {
    child: Child,
    port: u16,
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with connection state recovery.
pub(super) struct Server<V> {
    child: Child,
    redis: Option<Redis>,
    folder: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    version: String,
    http: Client,
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

impl<V> Drop for Server<V> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<V: Variant> Server<V> {
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
        let url = format!("http://{}/{route}?namespace={}", self.address, namespace(private));
        self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(())
    }
}

fn namespace(private: bool) -> &'static str {
    if private { "/closed" } else { "/open" }
}

fn spawn(folder: &Path, address: SocketAddr, adapter: &str, redis: Option<u16>, log: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new("node");
    command.arg(root().join("tests/src/interop/socketio.mjs")).arg(address.port().to_string()).arg(folder).arg(adapter);
    command.args(redis.map(|port| port.to_string()));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("node")
}

impl Redis {
    /// One that keeps nothing on disk.
    async fn start(folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]).arg(port.to_string());
        command.arg("--dir").arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut redis = Self { child: command.spawn().context("redis-server")?, port };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = redis.child.try_wait()? {
                anyhow::bail!("redis-server ended: {status}");
            }
            ensure!(begun.elapsed() < START_MAX, "redis-server doesn't answer");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(redis)
    }
}

impl<V: Variant> Peer for Server<V> {
    const KIND: &'static str = V::KIND;
    const HISTORY: Offer<usize> = V::HISTORY;
    /// By what a session is got back is a secret, and isn't kept.
    const KEPT_BY_WALL: bool = false;

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
            Some(Redis::start(folder).await?)
        };
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let log = folder.join("socketio.log");
        let port = redis.as_ref().map(|redis| redis.port);
        let child = spawn(&installed, address, V::ADAPTER, port, &log)?;
        let (http, variant) = (client()?, PhantomData);
        let mut server = Self { child, redis, folder: installed, log, address, version, http, variant };
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
            "[[source]]\nid = \"ops\"\nkind = \"socketio\"\nurl = \"ws://127.0.0.1:{port}\"\ntransport = \"{}\"\n\
             channels = [\"{}\"]\n{}\n",
            V::WAY,
            namespace(entry.private),
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
        if keeps {
            return Ok(Err(V::FORGETS));
        }
        self.child.kill()?;
        self.child.wait()?;
        let port = self.redis.as_ref().map(|redis| redis.port);
        self.child = spawn(&self.folder, self.address, V::ADAPTER, port, &self.log)?;
        self.is_up().await?;
        Ok(Ok(()))
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        match life {
            Some(_) => Err("a token is looked at on joining alone"),
            None => Ok(TOKEN.to_owned()),
        }
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        self.post("kick", true, &Value::Null).await?;
        Ok(Ok(()))
    }
}
