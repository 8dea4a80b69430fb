//! A server as a child process: started with its log, waited for, signalled, killed and started anew.

use std::{
    fs::{self, File},
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use reqwest::Client;
use rustix::process::Signal;
use tokio::{net::TcpStream, time::sleep};

use crate::faults::process::{free_port, signal};

const START_MAX: Duration = Duration::from_secs(30);
/// Between two looks whether something has happened.
pub(super) const PROBE_PAUSE: Duration = Duration::from_millis(20);

/// How a server is started.
pub(super) struct Launch {
    /// Its streams are the log's.
    pub(super) command: Command,
    /// Where it writes what it has to say.
    pub(super) log: PathBuf,
}

impl Launch {
    fn spawn(&mut self, input: Stdio) -> Result<Child> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        self.command.stdin(input).stdout(log.try_clone()?).stderr(log);
        self.command.spawn().with_context(|| self.command.get_program().display().to_string())
    }
}

/// Where a server of several is.
#[derive(Clone)]
pub(super) struct Place {
    /// Its own.
    pub(super) folder: PathBuf,
    pub(super) address: SocketAddr,
    /// A further one, for whatever it needs one for.
    pub(super) more: SocketAddr,
}

impl Place {
    /// One of its own for a program, below the folder of a stand.
    pub(super) fn new(stand: &Path, program: &str) -> Result<Self> {
        let address = free_address()?;
        let folder = stand.join(format!("{program}-{}", address.port()));
        fs::create_dir(&folder)?;
        Ok(Self { folder, address, more: free_address()? })
    }
}

/// A running server. It is killed when it is dropped.
pub(super) struct Process {
    child: Child,
    launch: Launch,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.kill();
    }
}

impl Process {
    /// Starts it, and waits until the probe goes well.
    pub(super) async fn start(mut launch: Launch, probe: impl AsyncFn() -> Result<()>) -> Result<Self> {
        let mut process = Self { child: launch.spawn(Stdio::null())?, launch };
        process.waits(probe).await?;
        Ok(process)
    }

    /// Starts one that is told what to do by lines.
    pub(super) fn start_told(mut launch: Launch) -> Result<Self> {
        Ok(Self { child: launch.spawn(Stdio::piped())?, launch })
    }

    /// Tells it so.
    pub(super) fn tell(&mut self, line: &str) -> Result<()> {
        Ok(self.child.stdin.as_mut().context("nothing that it reads")?.write_all(line.as_bytes())?)
    }

    /// Waits until the probe goes well.
    pub(super) async fn waits(&mut self, probe: impl AsyncFn() -> Result<()>) -> Result<()> {
        let begun = Instant::now();
        while let Err(error) = probe().await {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(&self.launch.log)?;
                bail!("it ended: {status}: {}", log.lines().last().unwrap_or_default());
            }
            if begun.elapsed() > START_MAX {
                return Err(error.context("it doesn't answer"));
            }
            sleep(PROBE_PAUSE).await;
        }
        Ok(())
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, which: Signal) -> Result<()> {
        signal(&self.child, which)
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Another one in the place of one that was killed.
    pub(super) async fn start_anew(&mut self, probe: impl AsyncFn() -> Result<()>) -> Result<()> {
        self.child = self.launch.spawn(Stdio::null())?;
        self.waits(probe).await
    }
}

/// An address of its own for a server.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, free_port()?).into())
}

/// A probe: whatever it answers to a GET.
pub(super) async fn answers(http: &Client, address: SocketAddr, path: &str) -> Result<()> {
    http.get(format!("http://{address}/{path}")).send().await?;
    Ok(())
}

/// A probe: it takes a connection.
pub(super) async fn listens(address: SocketAddr) -> Result<()> {
    TcpStream::connect(address).await?;
    Ok(())
}
