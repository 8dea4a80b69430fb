//! H7: a wall that dies or hangs is started again by whoever watches it: the program's own small parent, or systemd. The real
//! program, without a window, and real signals.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use watchfloor_tests::{bench::proc, desktop::Desktop, faults::process::signal_to, program::program, wait::until};

/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Fifteen seconds of silence, and a start.
const HANG_LIMIT: Duration = Duration::from_secs(60);
/// An end in good order saves the board.
const END_LIMIT: Duration = Duration::from_secs(20);
/// All tries with pages that don't paint.
const LADDER_LIMIT: Duration = Duration::from_secs(90);

/// A program that is killed when it is dropped, and its data folder.
struct Wall {
    program: Child,
    folder: tempfile::TempDir,
}

impl Drop for Wall {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Whether the process is there, and not only its last entry.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

impl Wall {
    fn start(args: &[&str], with: impl FnOnce(&mut Command, &Path)) -> Result<Self> {
        Self::open(&[["--headless"].as_slice(), args].concat(), with)
    }

    /// The same with a window, unless `args` say otherwise.
    fn open(args: &[&str], with: impl FnOnce(&mut Command, &Path)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program("watchfloor")?);
        command.arg("--demo").args(args).arg("--data-dir").arg(folder.path().join("data"));
        command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        with(&mut command, folder.path());
        let program = command.spawn().context("the wall")?;
        Ok(Self { program, folder })
    }

    fn supervised() -> Result<Self> {
        Self::start(&["--supervisor", "on"], |_, _| {})
    }

    /// The process that holds the data folder, once it does.
    fn holder(&self) -> Result<Option<u32>> {
        let Ok(text) = fs::read(self.folder.path().join("data/instance.json")) else { return Ok(None) };
        let pid = serde_json::from_slice::<serde_json::Value>(&text).ok().and_then(|found| found["pid"].as_u64());
        Ok(pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| runs(*pid)))
    }

    /// Waits until a child holds the folder, which is none of `before`.
    fn child(&self, before: &[u32], limit: Duration) -> Result<u32> {
        let child = until("another wall", limit, || Ok(self.holder()?.filter(|pid| !before.contains(pid))))?;
        ensure!(proc::tree(self.program.id())?.contains(&child), "{child} is no child of the supervisor");
        ensure!(child != self.program.id(), "the wall is its own supervisor");
        Ok(child)
    }

    fn end(&mut self) -> Result<ExitStatus> {
        until("its end", END_LIMIT, || Ok(self.program.try_wait()?))
    }
}

/// A wall that is killed is back, and one that stands still is killed and back.
#[test]
fn a_wall_that_dies_or_hangs_is_started_again() -> Result<()> {
    let mut wall = Wall::supervised()?;
    let first = wall.child(&[], START_LIMIT)?;
    ensure!(proc::pss_mib(wall.program.id()) < 5.0, "the parent is not small");
    signal_to(first, Signal::KILL)?;
    let second = wall.child(&[first], START_LIMIT)?;
    signal_to(second, Signal::STOP)?;
    let third = wall.child(&[first, second], HANG_LIMIT)?;
    ensure!(!runs(second), "the wall that stood still is still there");
    signal_to(wall.program.id(), Signal::TERM)?;
    ensure!(wall.end()?.code() == Some(0), "an end that was asked for");
    ensure!(!runs(third), "a wall without its supervisor");
    Ok(())
}

/// A killed program leaves nothing running: whoever kills it means the wall.
#[test]
fn a_killed_supervisor_leaves_no_wall() -> Result<()> {
    let mut wall = Wall::supervised()?;
    let child = wall.child(&[], START_LIMIT)?;
    signal_to(wall.program.id(), Signal::KILL)?;
    wall.end()?;
    until("the wall's end", END_LIMIT, || Ok((!runs(child)).then_some(())))
}

/// A supervisor that stood still itself, such as by a terminal's stop key, takes no silence of that time for its child's.
#[test]
fn a_stop_of_both_is_no_hang() -> Result<()> {
    const STOP: Duration = Duration::from_secs(17);
    let wall = Wall::supervised()?;
    let child = wall.child(&[], START_LIMIT)?;
    signal_to(wall.program.id(), Signal::STOP)?;
    signal_to(child, Signal::STOP)?;
    thread::sleep(STOP);
    signal_to(wall.program.id(), Signal::CONT)?;
    // Both have what they need to go on by now; the parent looks once a second.
    thread::sleep(Duration::from_secs(3));
    signal_to(child, Signal::CONT)?;
    thread::sleep(Duration::from_secs(2));
    ensure!(wall.holder()? == Some(child), "the wall was killed for a silence that was its supervisor's own");
    Ok(())
}

/// What ends by itself or is asked to is not started again, and ends with the code that the wall had.
#[test]
fn ends_pass_through() -> Result<()> {
    let code = |args: &[&str]| -> Result<Option<i32>> {
        let mut command = Command::new(program("watchfloor")?);
        command.args(args).env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status()?.code())
    };
    let on = ["--headless", "--supervisor", "on"];
    ensure!(code(&[on.as_slice(), &["--nonsense"]].concat())? == Some(2), "usage");
    ensure!(code(&[on.as_slice(), &["--board", "/nonexistent"]].concat())? == Some(1), "input");
    ensure!(code(&[on.as_slice(), &["--demo", "--data-dir", "/proc/none"]].concat())? == Some(3), "environment");
    for which in [Signal::INT, Signal::TERM] {
        let mut wall = Wall::supervised()?;
        let child = wall.child(&[], START_LIMIT)?;
        // As a terminal's keys do: to both.
        signal_to(wall.program.id(), which)?;
        signal_to(child, which)?;
        ensure!(wall.end()?.code() == Some(0), "{which:?}");
    }
    Ok(())
}

/// What the program tells systemd.
struct Told {
    path: PathBuf,
    hears: mpsc::Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Told {
    fn listen() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path)?;
        let (heard, hears) = mpsc::channel();
        // Read at all times, as systemd does: the kernel holds ten of them.
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(count) = socket.recv(&mut bytes) {
                if heard.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { path, hears, _folder: folder })
    }

    fn next(&self, limit: Duration) -> Option<String> {
        self.hears.recv_timeout(limit).ok()
    }

    /// Everything that is told within a time.
    fn within(&self, time: Duration) -> Vec<String> {
        let end = Instant::now() + time;
        std::iter::from_fn(|| self.next(end.saturating_duration_since(Instant::now()))).collect()
    }

    fn enter(&self, command: &mut Command, watchdog: &str) {
        command.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", watchdog).env_remove("WATCHDOG_PID");
    }
}

/// Stops every page of a wall as soon as it is there, for as long as it is asked to.
struct Freezer {
    freezes: Arc<AtomicBool>,
    frozen: Arc<Mutex<BTreeSet<u32>>>,
}

impl Drop for Freezer {
    fn drop(&mut self) {
        self.thaw();
    }
}

impl Freezer {
    fn begin(wall: u32) -> Self {
        let (freezes, frozen) = (Arc::new(AtomicBool::new(true)), Arc::<Mutex<BTreeSet<u32>>>::default());
        let freezer = Self { freezes: Arc::clone(&freezes), frozen: Arc::clone(&frozen) };
        thread::spawn(move || {
            while freezes.load(Ordering::Relaxed) {
                for pid in proc::tree(wall).unwrap_or_default() {
                    let mut frozen = frozen.lock().unwrap_or_else(PoisonError::into_inner);
                    let is_new = proc::name(pid).starts_with("WebKitWebProc") && !frozen.contains(&pid);
                    // One that has just gone needs no signal.
                    if is_new && freezes.load(Ordering::Relaxed) && signal_to(pid, Signal::STOP).is_ok() {
                        frozen.insert(pid);
                    }
                }
                thread::sleep(Duration::from_millis(4));
            }
        });
        freezer
    }

    fn count(&self) -> usize {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn thaw(&self) {
        let frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        self.freezes.store(false, Ordering::Relaxed);
        for pid in frozen.iter() {
            // It may have been replaced.
            let _gone = signal_to(*pid, Signal::CONT);
        }
    }
}

/// H7: a window is ready when its page has painted, and not when the program runs; and where no page paints any more, whatever is
/// tried, the signs of life cease, with an end that has systemd start it again.
#[test]
fn under_systemd_a_window_is_ready_when_it_has_painted() -> Result<()> {
    let (told, desktop) = (Told::listen()?, Desktop::start(1280, 720)?);
    let mut wall = Wall::open(&["--kiosk", "--notifications", "off"], |command, _| {
        desktop.enter(command);
        told.enter(command, "3000000");
    })?;
    let freezer = Freezer::begin(wall.program.id());
    until("a page", START_LIMIT, || Ok((freezer.count() > 0 && wall.holder()?.is_some()).then_some(())))?;
    let said = told.within(Duration::from_secs(4));
    ensure!(said.iter().all(|one| !one.contains("READY")), "ready, and nothing is painted: {said:?}");
    ensure!(said.iter().filter(|one| one.contains("WATCHDOG=1")).count() >= 3, "no signs of life at a start: {said:?}");
    freezer.thaw();
    let begun = Instant::now();
    loop {
        let one = told.next(START_LIMIT).context("nothing is told")?;
        if one.contains("READY=1") {
            break;
        }
        ensure!(begun.elapsed() < START_LIMIT, "not ready: {one}");
    }
    ensure!(wall.holder()? == Some(wall.program.id()), "another process than systemd's");

    let freezer = Freezer::begin(wall.program.id());
    let mut said = Vec::new();
    let begun = Instant::now();
    let status = loop {
        said.extend(told.within(Duration::from_millis(200)));
        if let Some(status) = wall.program.try_wait()? {
            break status;
        }
        ensure!(begun.elapsed() < LADDER_LIMIT, "no page paints, and it goes on: {:?}", said.last());
    };
    ensure!(status.code() == Some(4), "{status}");
    ensure!(freezer.count() >= 3, "{} pages were tried", freezer.count());
    ensure!(said.iter().all(|one| !one.contains("READY")), "{said:?}");
    ensure!(said.iter().any(|one| one.contains("STATUS=the page is hidden, or is being brought back")), "{said:?}");
    ensure!(told.within(Duration::from_secs(4)).is_empty(), "signs of life after the end");
    Ok(())
}

/// Without a supervisor of its own the program is one process, as one of the same number and name.
#[test]
fn under_systemd_it_is_one_process_that_tells_how_it_is() -> Result<()> {
    let told = Told::listen()?;
    let mut wall = Wall::start(&[], |command, _| told.enter(command, "1000000"))?;
    let first = told.next(START_LIMIT).context("nothing is told")?;
    ensure!(first.contains("READY=1") && first.contains("STATUS=") && first.contains("WATCHDOG=1"), "{first}");
    for _ in 0..3 {
        // Well within the time that was asked for.
        let beat = told.next(Duration::from_millis(900)).context("no sign of life")?;
        ensure!(beat.contains("WATCHDOG=1") && !beat.contains("READY"), "{beat}");
    }
    ensure!(wall.holder()? == Some(wall.program.id()), "another process than systemd's");
    signal_to(wall.program.id(), Signal::STOP)?;
    while told.next(Duration::from_millis(500)).is_some() {}
    ensure!(told.next(Duration::from_millis(1000)).is_none(), "a wall that stands still says that it is well");
    signal_to(wall.program.id(), Signal::CONT)?;
    signal_to(wall.program.id(), Signal::TERM)?;
    ensure!(wall.end()?.code() == Some(0), "an end that was asked for");
    // Signs of life go on while it ends, as an end may take longer than the watchdog's time.
    let said: Vec<String> = std::iter::from_fn(|| told.next(Duration::from_millis(10))).collect();
    ensure!(said.iter().any(|one| one.contains("STOPPING=1")), "{said:?}");
    Ok(())
}
