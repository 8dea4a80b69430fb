//! Sockudo, built from its crate by `scripts/interop.sh --all`: another server of Pusher's protocol, written apart from Soketi.

use std::{any::Any, fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::Result;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    example::{Setting, Told},
    peer::{Entry, Offer, Peer},
    process::{Launch, free_address},
    pusher::{self, CACHE, ENCRYPTED, ID, KEY, NO_REPLAY, NO_REVOCATION, SECRET, Server, missing_sdk},
    stand::Stand,
};
use crate::program::root;

/// Events in one request: what Pusher's own service takes.
const BATCH_MAX: usize = 10;
/// The version that is installed.
pub(super) const VERSION: &str = "5.2.0";

/// A server, and the site whose channels it serves.
pub(super) struct Sockudo {
    server: Server,
}

/// What a server is told, on this port.
pub(super) fn settings(port: u16) -> Value {
    json!({
        "host": "127.0.0.1", "port": port, "metrics": { "enabled": false },
        "adapter": { "driver": "local" }, "cache": { "driver": "memory" }, "queue": { "driver": "memory" },
        "rate_limiter": { "enabled": false, "driver": "memory" },
        "app_manager": { "driver": "memory", "array": { "apps": [{
            "id": ID, "key": KEY, "secret": SECRET, "enabled": true, "max_connections": 1000,
            "enable_client_messages": false, "enable_user_authentication": false,
            "max_client_events_per_second": 100_000, "max_backend_events_per_second": 1_000_000,
            "max_read_requests_per_second": 100_000,
        }] } },
    })
}

/// How it is started by these settings; or why it can't be.
pub(super) fn launch(folder: &Path, settings: &Value) -> Result<std::result::Result<Launch, String>> {
    let program = root().join("target/interop/sockudo/bin/sockudo");
    if !program.is_file() {
        return Ok(Err("target/interop/sockudo is missing: scripts/interop.sh --all builds it".to_owned()));
    }
    let config = folder.join("sockudo.json");
    fs::write(&config, settings.to_string())?;
    let mut command = Command::new(program);
    // With all of its features in it, it doesn't start without.
    command.arg("--config").arg(&config).env("PUSH_ALLOW_MEMORY_DRIVERS", "true");
    Ok(Ok(Launch { command, log: config.with_extension("log") }))
}

impl Peer for Sockudo {
    const KIND: &'static str = "pusher";
    const HISTORY: Offer<usize> = Err(NO_REPLAY);
    const EXAMPLES: &'static [&'static str] = pusher::EXAMPLES;
    const COUNTS_WALL: bool = true;
    const OWN: &'static [&'static str] = &[ENCRYPTED, CACHE];

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        if let Some(why) = missing_sdk() {
            return Ok(Err(why));
        }
        let address = free_address()?;
        match launch(folder, &settings(address.port()))? {
            Ok(launch) => Ok(Ok(Self { server: Server::start(folder, launch, address, BATCH_MAX).await? })),
            Err(missing) => Ok(Err(missing)),
        }
    }

    fn version(&self) -> String {
        format!("Sockudo {VERSION}")
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn source(&self, port: u16, entry: &Entry) -> String {
        self.server.source(Self::KIND, port, entry)
    }

    async fn publish(&self, private: bool, messages: &[Value]) -> Result<()> {
        self.server.publish(private, messages).await
    }

    fn signal(&self, which: Signal) -> Result<()> {
        self.server.signal(which)
    }

    async fn restart(&mut self, keeps: bool) -> Result<Offer<()>> {
        self.server.restart(keeps).await
    }

    fn token(&self, life: Option<Duration>) -> Offer<String> {
        self.server.token(life)
    }

    async fn revoke(&self) -> Result<Offer<()>> {
        Ok(Err(NO_REVOCATION))
    }

    async fn join(&self) -> Result<Offer<Box<dyn Any>>> {
        Ok(Ok(self.server.join().await?))
    }

    async fn run_own(stand: &mut Stand<Self>, name: &str) -> Result<()> {
        pusher::run_own(stand, name, |peer| &mut peer.server).await
    }

    fn setting(&self, _example: &str) -> Result<Setting> {
        self.server.setting()
    }

    async fn tell_example(&mut self, _example: &str, step: usize) -> Result<Option<Told>> {
        self.server.tell_example(step).await
    }
}
