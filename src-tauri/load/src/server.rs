//! A server that is loaded: started here, or there already; what it takes of the machine is read from `/proc`.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::json;
use tempfile::TempDir;

use crate::dialect::{APP_ID, APP_KEY, Kind, SECRET};

/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);
/// What Centrifugo keeps of a channel where it keeps anything.
const CENTRIFUGO_HISTORY: u32 = 10_000;

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Make {
    /// The hub, by its own WebSocket.
    Hub,
    /// The hub by its Pusher door.
    HubPusher,
    /// Centrifugo as it comes: it keeps nothing, and a client that was away misses what came.
    Centrifugo,
    /// Centrifugo with history and positions, which is what the hub always does.
    CentrifugoHistory,
    /// Soketi, a Pusher server: it keeps nothing.
    Soketi,
}

impl Make {
    /// What it speaks.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Hub => Kind::Hub,
            Self::HubPusher | Self::Soketi => Kind::Pusher,
            Self::Centrifugo | Self::CentrifugoHistory => Kind::Centrifugo,
        }
    }

    /// What it is called in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::HubPusher => "hub, Pusher door",
            Self::Centrifugo => "Centrifugo",
            Self::CentrifugoHistory => "Centrifugo, history",
            Self::Soketi => "Soketi",
        }
    }
}

/// A running server. It is killed when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    command: Command,
    child: Child,
    /// What it reads and writes.
    folder: TempDir,
}

impl Server {
    /// Starts a program, with what is given to it besides.
    pub(crate) fn start(make: Make, program: &Path, connections: usize, more: &[String]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let program = program.canonicalize().with_context(|| format!("{} is missing", program.display()))?;
        let mut command = match make {
            Make::Hub | Make::HubPusher => hub(&program, folder.path(), address, connections)?,
            Make::Centrifugo => centrifugo(&program, folder.path(), address, false)?,
            Make::CentrifugoHistory => centrifugo(&program, folder.path(), address, true)?,
            Make::Soketi => soketi(&program, folder.path(), address)?,
        };
        command.args(more.iter().map(|word| word.replace("{folder}", &folder.path().display().to_string())));
        let child = spawn(&mut command, folder.path())?;
        let mut server = Self { address, command, child, folder };
        server.wait()?;
        Ok(server)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As a machine that loses power: it has no time for anything.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// As a machine that is shut down: it may say goodbye.
    pub(crate) fn end(&mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).context("a process")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it anew, at the same address, with the same folder.
    pub(crate) fn start_anew(&mut self) -> Result<()> {
        self.child = spawn(&mut self.command, self.folder.path())?;
        self.wait()
    }

    fn wait(&mut self) -> Result<()> {
        let begin = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended by itself, {status}: {}", self.log());
            }
            if begin.elapsed() > START_MAX {
                bail!("the server doesn't listen: {}", self.log());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// The end of what it said.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Whoever is dead can't be killed, and that is what was wanted.
        let _ = self.kill();
    }
}

fn spawn(command: &mut Command, folder: &Path) -> Result<Child> {
    let log = fs::File::options().create(true).append(true).open(folder.join("log"))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("{} doesn't start", command.get_program().display()))
}

fn hub(program: &Path, folder: &Path, address: SocketAddr, connections: usize) -> Result<Command> {
    let secret = folder.join("app.secret");
    fs::write(&secret, SECRET)?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    let file = folder.join("hub.toml");
    // Publishers and those who look have connections too.
    let connections = connections + 1000;
    fs::write(
        &file,
        format!(
            "[hub]\nconnections = {connections}\n\n[[app]]\nid = \"{APP_ID}\"\nkey = \"{APP_KEY}\"\nsecret = {{ file = \"app.secret\" }}\n"
        ),
    )?;
    let mut command = Command::new(program);
    command.arg("--config").arg(file).arg("--listen").arg(address.to_string());
    Ok(command)
}

fn centrifugo(program: &Path, folder: &Path, address: SocketAddr, history: bool) -> Result<Command> {
    let mut channels = json!({"allow_subscribe_for_client": true, "allow_subscribe_for_anonymous": true});
    if history {
        let kept = [
            ("history_size", json!(CENTRIFUGO_HISTORY)),
            ("history_ttl", json!("300s")),
            ("force_recovery", json!(true)),
        ];
        channels.as_object_mut().context("an object")?.extend(kept.map(|(name, value)| (name.to_owned(), value)));
    }
    let settings = json!({
        "http_server": {"address": "127.0.0.1", "port": address.port().to_string()},
        "http_api": {"key": SECRET},
        "client": {"allow_anonymous_connect_without_token": true, "queue_max_size": 64 << 20},
        "channel": {"without_namespace": channels},
        "log": {"level": "error"},
    });
    let file = folder.join("centrifugo.json");
    fs::write(&file, settings.to_string())?;
    let mut command = Command::new(program);
    command.arg("--config").arg(file);
    Ok(command)
}

fn soketi(program: &Path, folder: &Path, address: SocketAddr) -> Result<Command> {
    // Dotted: a nested object would replace a whole section of the defaults.
    let settings = json!({
        "host": "127.0.0.1", "port": address.port(), "shutdownGracePeriod": 500, "metrics.enabled": false,
        "eventLimits.maxBatchSize": 1000, "eventLimits.maxPayloadInKb": 2048,
        "userAuthenticationTimeout": 1_000_000_000,
        "appManager.array.apps": [{
            "id": APP_ID, "key": APP_KEY, "secret": SECRET, "enabled": true, "maxConnections": -1,
            "enableClientMessages": false, "enableUserAuthentication": false, "maxBackendEventsPerSecond": -1,
            "maxClientEventsPerSecond": -1, "maxReadRequestsPerSecond": -1, "webhooks": [],
        }],
    });
    let file = folder.join("soketi.json");
    fs::write(&file, settings.to_string())?;
    let mut command = Command::new("node");
    command.arg(program).arg("start").arg(format!("--config={}", file.display()));
    Ok(command)
}

/// A process, by what `/proc` says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Memory that it holds, bytes.
    pub(crate) fn resident(self) -> Result<u64> {
        let path = PathBuf::from(format!("/proc/{}/smaps_rollup", self.0));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let line = text.lines().find(|line| line.starts_with("Rss:")).context("no `Rss`")?;
        let kib: u64 = line.split_ascii_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kib << 10)
    }

    /// Time of processors that it used, seconds.
    pub(crate) fn busy(self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        let rest = text.rsplit_once(')').context("no name")?.1;
        let ticks = |at: usize| rest.split_ascii_whitespace().nth(at).and_then(|ticks| ticks.parse::<f64>().ok());
        let ticks = ticks(11).context("no time")? + ticks(12).context("no time")?;
        Ok(ticks / TICKS_A_SECOND)
    }
}

/// What `/proc` counts in, on every Linux that there is.
const TICKS_A_SECOND: f64 = 100.0;
