//! A replica of a Redis, and the Sentinel that has it take over.

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep;

use super::{
    process::{Launch, PROBE_PAUSE, Place, Process, free_address},
    redis::{self, is_up, say},
    stand::PATIENCE,
};

/// What the master is called.
const NAME: &str = "ticks";
/// For how long a master may be silent, in milliseconds.
const DOWN_AFTER_MS: u32 = 1000;

/// Who watches a master.
pub(super) struct Watch {
    _sentinel: Process,
    _replica: Process,
    address: SocketAddr,
    replica: Place,
}

impl Watch {
    /// Starts both beside a master at this address, and waits until each knows the other.
    pub(super) async fn start(stand: &Path, master: SocketAddr) -> Result<Self> {
        let replica = Place::new(stand, "redis")?;
        let launch = redis::launch(&replica, stand, &format!("replicaof 127.0.0.1 {}\n", master.port()))?;
        let process = Process::start(launch, async || is_up(replica.address).await).await?;
        let address = free_address()?;
        let config = stand.join("sentinel.conf");
        fs::write(
            &config,
            format!(
                "bind 127.0.0.1\nport {}\ndaemonize no\ndir {}\nsentinel monitor {NAME} 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\nsentinel failover-timeout {NAME} 5000\n",
                address.port(),
                stand.display(),
                master.port()
            ),
        )?;
        let mut command = Command::new("redis-server");
        command.arg(config).arg("--sentinel");
        let launch = Launch { command, log: stand.join("sentinel.log") };
        let sentinel = Process::start(launch, async || knows_replica(address).await).await?;
        Ok(Self { _sentinel: sentinel, _replica: process, address, replica })
    }

    /// Where the Sentinel is asked.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the board says.
    pub(super) fn url(port: u16) -> String {
        format!("url = \"redis-sentinel://127.0.0.1:{port}/{NAME}\"\n")
    }

    /// Until the replica has what the master has.
    pub(super) async fn has_all(&self, master: SocketAddr) -> Result<()> {
        let answer = say(master, "WAIT 1 30000", 1).await?;
        ensure!(answer == [":1"], "the replica is behind: {answer:?}");
        Ok(())
    }

    /// Until the replica is who the Sentinel names in place of the master that was at this address. Gives its place.
    pub(super) async fn takes_over(&self, before: SocketAddr) -> Result<Place> {
        let begun = Instant::now();
        loop {
            let named = say(self.address, &format!("SENTINEL GET-MASTER-ADDR-BY-NAME {NAME}"), 5).await?;
            let port = self.replica.address.port().to_string();
            if named.last() == Some(&port) {
                return Ok(self.replica.clone());
            }
            ensure!(begun.elapsed() < PATIENCE, "{before} is still the master: {named:?}");
            sleep(PROBE_PAUSE).await;
        }
    }
}

/// A probe: a Sentinel that has found the replica.
async fn knows_replica(address: SocketAddr) -> Result<()> {
    let found = say(address, &format!("SENTINEL REPLICAS {NAME}"), 1).await?;
    ensure!(found == ["*1"], "no replica yet: {found:?}");
    Ok(())
}
