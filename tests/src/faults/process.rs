//! The real programs: a hub and a wall without a window, and what is done to processes.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::sleep;

use super::publisher::client;
use crate::program::program;

pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// For a start of an unoptimised build on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);

/// Sends a signal to a process of ours.
///
/// # Errors
/// If it isn't there.
pub fn signal(child: &Child, signal: Signal) -> Result<()> {
    signal_to(child.id(), signal)
}

/// The same by number.
///
/// # Errors
/// If it isn't there.
pub fn signal_to(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a process number")?;
    kill_process(pid, signal).with_context(|| format!("signal to {pid:?}"))
}

/// A port that was free just now.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A hub of its own process. It is killed when this is dropped.
#[derive(Debug)]
pub struct HubProcess {
    child: Child,
    board: Option<PathBuf>,
    arguments: Vec<String>,
    address: SocketAddr,
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl HubProcess {
    /// A hub that folds what `board` folds.
    ///
    /// # Errors
    /// If it doesn't start.
    pub async fn start(board: &Path) -> Result<Self> {
        Self::start_with(board, Vec::new()).await
    }

    /// The same with further arguments.
    ///
    /// # Errors
    /// If it doesn't start.
    pub async fn start_with(board: &Path, arguments: Vec<String>) -> Result<Self> {
        Self::start_as(Some(board), arguments).await
    }

    /// A hub that folds nothing, with these arguments.
    ///
    /// # Errors
    /// If it doesn't start.
    pub async fn start_alone(arguments: Vec<String>) -> Result<Self> {
        Self::start_as(None, arguments).await
    }

    async fn start_as(board: Option<&Path>, arguments: Vec<String>) -> Result<Self> {
        let address = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let board = board.map(Path::to_owned);
        let hub = Self { child: spawn_hub(address, board.as_deref(), &arguments)?, board, arguments, address };
        hub.is_up().await?;
        Ok(hub)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells it an event, or a list of them, as `POST /v1/publish` takes them.
    ///
    /// # Errors
    /// If it doesn't take them, with its words.
    pub async fn publish(&self, events: &Value) -> Result<()> {
        let request = client()?.post(format!("http://{}/v1/publish", self.address));
        let answer = request.json(events).send().await.context("publish")?;
        ensure!(answer.status().is_success(), "{}", answer.text().await?);
        Ok(())
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// If it is gone.
    pub fn signal(&self, which: Signal) -> Result<()> {
        signal(&self.child, which)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// If it is gone already.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Another process in its place, which knows nothing of the one before.
    ///
    /// # Errors
    /// If it doesn't start.
    pub async fn start_again(&mut self) -> Result<()> {
        self.child = spawn_hub(self.address, self.board.as_deref(), &self.arguments)?;
        self.is_up().await
    }

    async fn is_up(&self) -> Result<()> {
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            ensure!(begun.elapsed() < START_MAX, "the hub doesn't listen");
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

fn spawn_hub(address: SocketAddr, board: Option<&Path>, arguments: &[String]) -> Result<Child> {
    let mut command = Command::new(program("watchfloor-hub")?);
    command
        .args(["--heartbeat", "500ms", "--listen"])
        .arg(address.to_string())
        .args(board.map(|board| [OsStr::new("--board"), board.as_os_str()]).into_iter().flatten())
        .args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("the hub")
}

/// What a wall reported.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it was read.
    pub at: Instant,
    /// The whole of it.
    pub value: Value,
}

impl Report {
    /// The wall's own clock.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.value["time"].as_i64().unwrap_or_default()
    }

    /// A widget's freshness.
    #[must_use]
    pub fn freshness(&self, widget: &str) -> &str {
        self.value["widgets"][widget]["freshness"].as_str().unwrap_or_default()
    }

    /// How many events the counter has counted, if it is known.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        self.value["widgets"]["count"]["value"].as_f64().map(|count| count as usize)
    }

    /// What the wall says besides its widgets, under this id.
    #[must_use]
    pub fn notice(&self, id: &str) -> Option<&str> {
        let all = self.value["notices"].as_array().into_iter().flatten();
        all.filter(|notice| notice["id"] == id).find_map(|notice| notice["text"].as_str())
    }

    /// Every widget's freshness.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let widgets = self.value["widgets"].as_object();
        widgets.into_iter().flat_map(|map| map.values()).map(|widget| widget["freshness"].as_str().unwrap_or_default())
    }

    /// Whether all say that they are live, and there is at least one.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.all().next().is_some() && self.all().all(|freshness| freshness == "live")
    }

    /// Whether any says that it is current.
    #[must_use]
    pub fn claims(&self) -> bool {
        self.all().any(|freshness| matches!(freshness, "live" | "polling"))
    }

    /// Freshness and reason, as the counter has them.
    #[must_use]
    pub fn said(&self) -> String {
        match self.value["widgets"]["count"]["reason"].as_str() {
            Some(reason) => format!("{}: {reason}", self.freshness("count")),
            None => self.freshness("count").to_owned(),
        }
    }
}

/// How a wall is started.
#[derive(Clone, Debug, Default)]
pub struct WallOptions {
    /// The board file.
    pub board: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// Further variables.
    pub environment: Vec<(String, String)>,
    /// What is put before the program: a command that runs the rest of its line.
    pub before: Vec<String>,
    /// Further arguments.
    pub arguments: Vec<String>,
}

/// A wall without a window, of its own process. It is killed when this is dropped.
#[derive(Debug)]
pub struct WallProcess {
    child: Child,
    begun: Instant,
    reports: Arc<Mutex<Vec<Report>>>,
    words: PathBuf,
    reader: Option<JoinHandle<()>>,
}

impl Drop for WallProcess {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl WallProcess {
    /// Starts one. What it says on stderr goes to a file beside its data folder.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(options: &WallOptions) -> Result<Self> {
        let words = options.data.with_extension("stderr");
        let stderr = File::options().create(true).append(true).open(&words)?;
        let program = program("watchfloor")?;
        let mut line = options.before.iter().map(OsStr::new).chain([program.as_os_str()]);
        let mut command = Command::new(line.next().context("a command")?);
        command.args(line).args(["--headless", "--json", "--notifications", "off", "--board"]).arg(&options.board);
        command.arg("--data-dir").arg(&options.data).args(&options.arguments);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.env_remove(name);
        }
        command.envs(options.environment.iter().map(|(name, value)| (name, value)));
        let begun = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn().context("the wall")?;
        let output = child.stdout.take().context("its reports")?;
        let reports: Arc<Mutex<Vec<Report>>> = Arc::default();
        let kept = Arc::clone(&reports);
        let reader = std::thread::spawn(move || read(output, &kept));
        Ok(Self { child, begun, reports, words, reader: Some(reader) })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// When it was started.
    #[must_use]
    pub const fn begun(&self) -> Instant {
        self.begun
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// If it is gone.
    pub fn signal(&self, which: Signal) -> Result<()> {
        signal(&self.child, which)
    }

    /// SIGKILL. Answers everything that it reported.
    ///
    /// # Errors
    /// If it was gone already.
    pub fn kill(&mut self) -> Result<Vec<Report>> {
        if let Some(status) = self.child.try_wait()? {
            anyhow::bail!("the wall had ended by itself: {status}: {}", self.words()?);
        }
        self.child.kill()?;
        self.child.wait()?;
        if let Some(reader) = self.reader.take() {
            reader.join().map_err(|_| anyhow::anyhow!("what reads its reports panicked"))?;
        }
        Ok(self.reports())
    }

    /// Waits for its end, which comes by itself. Answers its exit code.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn end(&mut self) -> Result<Option<i32>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            ensure!(begun.elapsed() < START_MAX, "the wall goes on");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Everything that it reported.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has said on stderr, with what those before it on its data folder said.
    ///
    /// # Errors
    /// If the file is gone.
    pub fn words(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.words)?)
    }

    /// Waits for a report, later than `after`, of which `holds` is true.
    ///
    /// # Errors
    /// If none comes within `limit`; with the last one that did.
    pub async fn wait(
        &mut self,
        what: &str,
        after: Instant,
        limit: Duration,
        mut holds: impl FnMut(&Report) -> bool,
    ) -> Result<Report> {
        let (begun, mut next) = (Instant::now(), 0);
        loop {
            let ended = self.child.try_wait()?;
            {
                let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
                for report in reports.iter().skip(next).filter(|report| report.at >= after) {
                    if holds(report) {
                        return Ok(report.clone());
                    }
                }
                next = reports.len();
            }
            if let Some(status) = ended {
                anyhow::bail!("waiting for {what}, the wall ended: {status}: {}", self.words()?);
            }
            if begun.elapsed() > limit {
                let last = self.reports().pop().map_or(Value::Null, |report| report.value);
                anyhow::bail!("{what} is not there after {limit:?}; the wall says {last}\n{}", self.words()?);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

fn read(output: impl Read, reports: &Mutex<Vec<Report>>) {
    // The end of a process may cut its last line short.
    for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
        if let Ok(value) = serde_json::from_str(&line) {
            reports.lock().unwrap_or_else(PoisonError::into_inner).push(Report { at: Instant::now(), value });
        }
    }
}
