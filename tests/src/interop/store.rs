//! A Redis beside a server of another kind, which keeps there what it has. It has nothing of it on a disk.

use std::{net::SocketAddr, path::Path, process::Command};

use anyhow::Result;

use super::process::{Launch, Process, free_address, listens};

/// A running one.
pub(super) struct Store {
    process: Process,
    address: SocketAddr,
}

impl Store {
    /// Starts it, and waits until it listens.
    pub(super) async fn start(folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        command.arg(address.port().to_string()).arg("--dir").arg(folder);
        let launch = Launch { command, log: folder.join("redis.log") };
        Ok(Self { process: Process::start(launch, async || listens(address).await).await?, address })
    }

    /// SIGKILL, and an empty one in its place.
    pub(super) async fn restart(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.start_anew(async || listens(self.address).await).await
    }

    /// Where it listens.
    pub(super) const fn port(&self) -> u16 {
        self.address.port()
    }
}
