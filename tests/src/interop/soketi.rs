//! Soketi, installed from npm by `scripts/interop.sh`.

use std::{any::Any, fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::Result;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    example::{Setting, Told},
    peer::{Entry, Offer, Peer},
    process::{Launch, free_address},
    pusher::{self, CACHE, ENCRYPTED, ID, KEY, NO_REPLAY, NO_REVOCATION, SECRET, SIGN_IN, Server, missing_sdk},
    stand::Stand,
};
use crate::program::root;

/// Events in one request: what it is told to take.
const BATCH_MAX: usize = 500;

/// A server, and the site whose channels it serves.
pub(super) struct Soketi {
    server: Server,
    version: String,
}

impl Peer for Soketi {
    const KIND: &'static str = "soketi";
    const HISTORY: Offer<usize> = Err(NO_REPLAY);
    const EXAMPLES: &'static [&'static str] = pusher::EXAMPLES;
    const COUNTS_WALL: bool = true;
    const OWN: &'static [&'static str] = &[ENCRYPTED, CACHE, SIGN_IN];

    async fn start(folder: &Path) -> Result<std::result::Result<Self, String>> {
        let package = root().join("target/interop/soketi/node_modules/@soketi/soketi");
        let program = package.join("bin/server.js");
        if !program.is_file() {
            return Ok(Err("target/interop/soketi is missing: scripts/interop.sh installs it".to_owned()));
        }
        if let Some(why) = missing_sdk() {
            return Ok(Err(why));
        }
        let address = free_address()?;
        let config = folder.join("soketi.json");
        // Dotted: a nested object would replace a whole section of the defaults.
        let settings = json!({
            "host": "127.0.0.1", "port": address.port(), "shutdownGracePeriod": 500, "metrics.enabled": false,
            "eventLimits.maxBatchSize": BATCH_MAX, "eventLimits.maxPayloadInKb": 2048,
            // Who doesn't sign in is sent away after this time, in milliseconds.
            "userAuthenticationTimeout": 1_000_000_000,
            "appManager.array.apps": [{
                "id": ID, "key": KEY, "secret": SECRET, "enabled": true, "maxConnections": 1000,
                "enableClientMessages": false, "enableUserAuthentication": true, "maxBackendEventsPerSecond": -1,
                "maxClientEventsPerSecond": -1, "maxReadRequestsPerSecond": -1, "webhooks": [],
            }],
        });
        fs::write(&config, settings.to_string())?;
        let about: Value = serde_json::from_str(&fs::read_to_string(package.join("package.json"))?)?;
        let version = format!("Soketi {}", about["version"].as_str().unwrap_or("of no version"));
        let mut command = Command::new("node");
        command.arg(program).arg("start").arg(format!("--config={}", config.display()));
        let launch = Launch { command, log: config.with_extension("log") };
        Ok(Ok(Self { server: Server::start(folder, launch, address, BATCH_MAX).await?, version }))
    }

    fn version(&self) -> String {
        self.version.clone()
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
