//! H7: a kiosk in cage, on Wayland, where nothing but the wall is. Cage's output is a window of an X server, so that what is on the glass is read from
//! that server's frame buffer, keys come by it as from a keyboard, and the output changes its size as the window does.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use watchfloor_tests::{
    bench::proc,
    chords::CHORDS,
    desktop::{Screen, hand},
    faults::process::signal_to,
    pictures::Pictures,
    program::program,
    screen::FrameBuffer,
    wait::{until, until_or},
    window::{logs, paints},
};

const SIZE: (u32, u32) = (1920, 1080);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How often cage is begun, and how long its window is waited for.
const TRIES: u32 = 3;
const WINDOW_LIMIT: Duration = Duration::from_secs(40);
/// For what a key does, and its own three seconds.
const LEAVE_LIMIT: Duration = Duration::from_secs(15);

/// What the demo's page has between its panels: `--page` of a dark room.
const GROUND: [u8; 3] = [0x1b, 0x1d, 0x1f];

struct Cage {
    cage: Child,
    display: String,
    screen: Screen,
    data: PathBuf,
    pictures: Pictures,
}

impl Drop for Cage {
    fn drop(&mut self) {
        self.end();
    }
}

impl Cage {
    /// Ends it with all that it started; it may be gone already.
    fn end(&mut self) {
        for pid in proc::tree(self.cage.id()).unwrap_or_default().into_iter().rev() {
            let _ = signal_to(pid, Signal::KILL);
        }
        let _ = self.cage.wait();
    }

    fn start(folder: &Path) -> Result<Self> {
        let number = Screen::free_number()?;
        let screen = Screen::start(number, SIZE, folder)?;
        let display = format!(":{number}");
        let (runtime, home, data) = (folder.join("runtime"), folder.join("home"), folder.join("data"));
        for own in [&runtime, &home, &data] {
            fs::create_dir(own)?;
        }
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700))?;
        let is_root = Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0";
        // Cage doesn't run as root; in a user namespace it isn't, and the files are still its own.
        let mut command = if is_root {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-user=1000", "--map-group=1000", "dbus-run-session"]);
            command
        } else {
            Command::new("dbus-run-session")
        };
        command.args(["--", "cage", "-d", "--"]).arg(program("watchfloor")?);
        command.args(["--demo", "--kiosk", "--glass-code", "--notifications", "off", "--data-dir"]).arg(&data);
        command
            .env("DISPLAY", &display)
            .env("XDG_RUNTIME_DIR", &runtime)
            .env("HOME", &home)
            .env_remove("WAYLAND_DISPLAY");
        command.envs([("WLR_BACKENDS", "x11"), ("WLR_RENDERER", "pixman"), ("WLR_LIBINPUT_NO_DEVICES", "1")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(folder.join("cage.log"))?);
        let start =
            |command: &mut Command| command.spawn().context("dbus-run-session, unshare and cage: are they installed?");
        let mut cage = Self { cage: start(&mut command)?, display, screen, data, pictures: Pictures::begin("cage")? };
        // Cage takes a display's number for X programs, and ends if another server has it by then.
        for number in 1.. {
            let begun = Instant::now();
            while cage.cage.try_wait()?.is_none() && begun.elapsed() < WINDOW_LIMIT {
                if cage.output()?.is_some() {
                    return Ok(cage);
                }
                thread::sleep(LOOK_EVERY);
            }
            if number == TRIES {
                break;
            }
            cage.end();
            cage.cage = start(&mut command)?;
        }
        bail!("cage opens no window: {}", fs::read_to_string(folder.join("cage.log"))?)
    }

    fn wait<T>(&self, what: &str, limit: Duration, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        until_or(what, limit, look, || self.logs())
    }

    fn logs(&self) -> Result<String> {
        logs(&self.data)
    }

    fn hand(&self, arguments: &[&str]) -> Result<()> {
        hand(&self.display, arguments)
    }

    /// Cage's window, which is its output.
    fn output(&self) -> Result<Option<String>> {
        let mut command = Command::new("xwininfo");
        let said = command.args(["-root", "-children"]).env("DISPLAY", &self.display).output()?;
        let text = String::from_utf8(said.stdout)?;
        let mut windows = text.lines().filter_map(|line| line.trim().strip_prefix("0x"));
        Ok(windows.next().and_then(|line| line.split_once(' ')).map(|(id, _)| format!("0x{id}")))
    }

    /// Gives the output another size.
    fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        let output = self.output()?.context("cage's window")?;
        self.hand(&["windowsize", &output, &width.to_string(), &height.to_string()])
    }

    fn paints(&self) -> Result<()> {
        paints(self.screen.frame_buffer(), START_LIMIT, || self.logs())
    }

    /// Waits until the map is drawn as well: it and the charts come after the rest.
    fn draws(&self, (width, height): (u32, u32)) -> Result<()> {
        self.paints()?;
        self.wait("a map", START_LIMIT, || {
            let screen = FrameBuffer::open(self.screen.frame_buffer())?;
            let through_it = (width * 45 / 100..width * 70 / 100).map(|x| screen.pixel(x, height * 45 / 100));
            let colours: BTreeSet<[u8; 3]> = through_it.collect::<Result<_>>()?;
            Ok((colours.len() > 3).then_some(()))
        })
    }

    /// Keeps a picture of what is on the glass.
    fn picture(&mut self, step: &str) -> Result<()> {
        self.pictures.keep(&self.display, step)
    }

    /// Its processes of this name.
    fn processes(&self, name: &str) -> Result<BTreeSet<u32>> {
        proc::named(self.cage.id(), name)
    }

    /// The page's process, other than those.
    fn page(&self, other_than: &BTreeSet<u32>) -> Result<u32> {
        let find = || Ok(self.processes("WebKitWebProc")?.difference(other_than).next().copied());
        self.wait("a page's process", START_LIMIT, find)
    }
}

/// It has the whole output, of whatever size, and gives way to no key; a page that is killed or hangs and a wall that is killed are back
/// on the glass; its way out leads out of cage.
#[test]
fn it_is_on_the_glass_whatever_happens() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut cage = Cage::start(folder.path())?;
    cage.page(&BTreeSet::new())?;
    cage.resize(SIZE)?;
    cage.draws(SIZE)?;
    cage.picture("all-of-the-output")?;
    let smaller = (1280, 1024);
    cage.resize(smaller)?;
    cage.wait("a page of another size", START_LIMIT, || {
        // At its end the page has an edge of its own ground, in the line of its panels; beyond the output there is nothing.
        let screen = FrameBuffer::open(cage.screen.frame_buffer())?;
        let edge = (smaller.0 - 4..smaller.0).map(|x| screen.pixel(x, 500)).collect::<Result<BTreeSet<_>>>()?;
        Ok((edge == BTreeSet::from([GROUND]) && screen.pixel(smaller.0 + 20, 500)? == [0; 3]).then_some(()))
    })?;
    cage.draws(smaller)?;
    cage.picture("another-size")?;
    cage.resize(SIZE)?;
    cage.paints()?;

    let output = cage.output()?.context("cage's window")?;
    cage.hand(&["windowfocus", "--sync", &output])?;
    let pages = cage.processes("WebKitWebProc")?;
    for (at, chord) in CHORDS.iter().enumerate() {
        cage.hand(&["key", chord])?;
        if at % 10 == 0 {
            cage.paints().with_context(|| format!("after {chord}"))?;
        }
    }
    cage.paints()?;
    cage.picture("after-the-keys")?;
    ensure!(cage.processes("WebKitWebProc")? == pages, "the page was started again: {}", cage.logs()?);

    let page = cage.page(&BTreeSet::new())?;
    signal_to(page, Signal::KILL)?;
    cage.page(&pages)?;
    cage.draws(SIZE)?;
    cage.picture("after-a-page-that-was-killed")?;

    let pages = cage.processes("WebKitWebProc")?;
    signal_to(*pages.first().context("a page")?, Signal::STOP)?;
    cage.page(&pages)?;
    cage.draws(SIZE)?;
    cage.picture("after-a-page-that-hung")?;

    let walls = cage.processes("watchfloor-wall")?;
    for wall in &walls {
        signal_to(*wall, Signal::KILL)?;
    }
    let fresh = || Ok(cage.processes("watchfloor-wall")?.difference(&walls).next().copied());
    cage.wait("another wall", START_LIMIT, fresh)?;
    cage.draws(SIZE)?;
    cage.picture("after-a-wall-that-was-killed")?;

    cage.hand(&["keydown", "ctrl", "keydown", "alt", "keydown", "shift", "keydown", "q"])?;
    let begun = Instant::now();
    let led_out = until("the way out", LEAVE_LIMIT, || Ok(cage.cage.try_wait()?));
    led_out.with_context(|| cage.logs().unwrap_or_default())?;
    ensure!(begun.elapsed() > Duration::from_millis(2500), "they led out after {:?}", begun.elapsed());
    Ok(())
}
