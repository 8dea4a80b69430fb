//! H7: a wall that dies or hangs is started again by whoever watches it: the program's own small parent, or systemd. The real
//! program, without a window, and real signals.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use watchfloor_tests::{bench::proc, program::program};

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Fifteen seconds of silence, and a start.
const HANG_LIMIT: Duration = Duration::from_secs(60);
/// An end in good order saves the board.
const END_LIMIT: Duration = Duration::from_secs(20);

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

fn wait<T>(what: &str, limit: Duration, found: impl Fn() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = found()? {
            return Ok(found);
        }
        ensure!(begun.elapsed() < limit, "{what} is not there after {limit:?}");
        thread::sleep(LOOK_EVERY);
    }
}

fn signal(name: &str, pid: u32) -> Result<()> {
    ensure!(Command::new("kill").args([name, &pid.to_string()]).status()?.success(), "kill {name} {pid}");
    Ok(())
}

/// Whether the process is there, and not only its last entry.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

impl Wall {
    fn start(args: &[&str], with: impl FnOnce(&mut Command, &Path)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program("watchfloor")?);
        command.args(["--demo", "--headless"]).args(args).arg("--data-dir").arg(folder.path().join("data"));
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
        let child = wait("another wall", limit, || Ok(self.holder()?.filter(|pid| !before.contains(pid))))?;
        ensure!(proc::tree(self.program.id())?.contains(&child), "{child} is no child of the supervisor");
        ensure!(child != self.program.id(), "the wall is its own supervisor");
        Ok(child)
    }

    fn end(&mut self) -> Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.program.try_wait()? {
                return Ok(status);
            }
            ensure!(begun.elapsed() < END_LIMIT, "it does not end");
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// A wall that is killed is back, and one that stands still is killed and back.
#[test]
fn a_wall_that_dies_or_hangs_is_started_again() -> Result<()> {
    let mut wall = Wall::supervised()?;
    let first = wall.child(&[], START_LIMIT)?;
    ensure!(proc::pss_mib(wall.program.id()) < 5.0, "the parent is not small");
    signal("-KILL", first)?;
    let second = wall.child(&[first], START_LIMIT)?;
    signal("-STOP", second)?;
    let third = wall.child(&[first, second], HANG_LIMIT)?;
    ensure!(!runs(second), "the wall that stood still is still there");
    signal("-TERM", wall.program.id())?;
    ensure!(wall.end()?.code() == Some(0), "an end that was asked for");
    ensure!(!runs(third), "a wall without its supervisor");
    Ok(())
}

/// A killed program leaves nothing running: whoever kills it means the wall.
#[test]
fn a_killed_supervisor_leaves_no_wall() -> Result<()> {
    let mut wall = Wall::supervised()?;
    let child = wall.child(&[], START_LIMIT)?;
    signal("-KILL", wall.program.id())?;
    wall.end()?;
    wait("the wall's end", END_LIMIT, || Ok((!runs(child)).then_some(())))
}

/// A supervisor that stood still itself, such as by a terminal's stop key, takes no silence of that time for its child's.
#[test]
fn a_stop_of_both_is_no_hang() -> Result<()> {
    const STOP: Duration = Duration::from_secs(17);
    let wall = Wall::supervised()?;
    let child = wall.child(&[], START_LIMIT)?;
    signal("-STOP", wall.program.id())?;
    signal("-STOP", child)?;
    thread::sleep(STOP);
    signal("-CONT", wall.program.id())?;
    // Both have what they need to go on by now; the parent looks once a second.
    thread::sleep(Duration::from_secs(3));
    signal("-CONT", child)?;
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
    for name in ["-INT", "-TERM"] {
        let mut wall = Wall::supervised()?;
        let child = wall.child(&[], START_LIMIT)?;
        // As a terminal's keys do: to both.
        signal(name, wall.program.id())?;
        signal(name, child)?;
        ensure!(wall.end()?.code() == Some(0), "{name}");
    }
    Ok(())
}

/// Without a supervisor of its own the program is one process, as one of the same number and name.
#[test]
fn under_systemd_it_is_one_process_that_tells_how_it_is() -> Result<()> {
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
    let told = |limit: Duration| hears.recv_timeout(limit).ok();
    let mut wall = Wall::start(&[], |command, _| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1000000").env_remove("WATCHDOG_PID");
    })?;
    let first = told(START_LIMIT).context("nothing is told")?;
    ensure!(first.contains("READY=1") && first.contains("STATUS=") && first.contains("WATCHDOG=1"), "{first}");
    for _ in 0..3 {
        // Well within the time that was asked for.
        let beat = told(Duration::from_millis(900)).context("no sign of life")?;
        ensure!(beat.contains("WATCHDOG=1") && !beat.contains("READY"), "{beat}");
    }
    ensure!(wall.holder()? == Some(wall.program.id()), "another process than systemd's");
    signal("-STOP", wall.program.id())?;
    while told(Duration::from_millis(500)).is_some() {}
    ensure!(told(Duration::from_millis(1000)).is_none(), "a wall that stands still says that it is well");
    signal("-CONT", wall.program.id())?;
    signal("-TERM", wall.program.id())?;
    ensure!(wall.end()?.code() == Some(0), "an end that was asked for");
    // Signs of life go on while it ends, as an end may take longer than the watchdog's time.
    let said: Vec<String> = std::iter::from_fn(|| told(Duration::from_millis(10))).collect();
    ensure!(said.iter().any(|one| one.contains("STOPPING=1")), "{said:?}");
    Ok(())
}
