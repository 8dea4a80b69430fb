//! Socket.IO, installed from npm by `scripts/interop.sh`, in a server of a few lines that is driven over HTTP: by WebSocket and by
//! polls, and with its adapters to Redis, where what is published comes from another server of the same process.

use std::{fs, marker::PhantomData, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::Value;

use super::{
    peer::{Entry, Offer, Peer},
    process::{Launch, Process, answers, free_address},
    store::Store,
};
use crate::{faults::publisher::client, program::root};

/// Events that a namespace keeps, as in `socketio.mjs`.
const HISTORY: usize = 200;
/// The token that it takes.
const TOKEN: &str = "interop";

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

/// A server with connection state recovery.
pub(super) struct Server<V> {
    process: Process,
    /// What an adapter needs. It is dropped after the server.
    _redis: Option<Store>,
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

impl<V: Variant> Server<V> {
    async fn post(&self, route: &str, private: bool, body: &Value) -> Result<()> {
        let url = format!("http://{}/{route}?namespace={}", self.address, namespace(private));
        self.http.post(url).json(body).send().await?.error_for_status()?;
        Ok(())
    }
}

fn namespace(private: bool) -> &'static str {
    if private { "/closed" } else { "/open" }
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
            Some(Store::start(folder).await?)
        };
        let address = free_address()?;
        let mut command = Command::new("node");
        command.arg(root().join("tests/src/interop/socketio.mjs")).arg(address.port().to_string());
        command.arg(&installed).arg(V::ADAPTER).args(redis.as_ref().map(|redis| redis.port().to_string()));
        let (launch, http) = (Launch { command, log: folder.join("socketio.log") }, client()?);
        let process = Process::start(launch, async || answers(&http, address, "health").await).await?;
        Ok(Ok(Self { process, _redis: redis, address, version, http, variant: PhantomData }))
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
        self.process.signal(which)
    }

    fn reconnect(&mut self) -> Result<()> {
        self.http = client()?;
        Ok(())
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        if keeps {
            return Ok(Err(V::FORGETS));
        }
        self.process.kill()?;
        self.process.start_anew(async || answers(&self.http, self.address, "health").await).await?;
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
