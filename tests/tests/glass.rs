//! H7: the window says what its page can't say, and brings it back. A real window on a real display, and its web process
//! stopped and killed.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use watchfloor_tests::{
    bench::{glass, proc},
    desktop::Desktop,
    program::program,
    screen::FrameBuffer,
};

const SIZE: (u32, u32) = (1920, 1080);
/// The colour of the strip above the page.
const STRIP: [u8; 3] = [0xe8, 0xb4, 0x00];
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Two seconds and a look, on a busy machine.
const SAY_LIMIT: Duration = Duration::from_secs(5);
/// Five seconds until it is started again, and a start.
const BACK_LIMIT: Duration = Duration::from_secs(40);

struct Wall {
    program: Child,
    screen: FrameBuffer,
    data: PathBuf,
    _desktop: Desktop,
    _folder: tempfile::TempDir,
}

impl Drop for Wall {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Wall {
    fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let desktop = Desktop::with_frame_buffer(SIZE.0, SIZE.1, folder.path())?;
        let data = folder.path().join("data");
        let mut command = Command::new(program("watchfloor")?);
        command.args(["--demo", "--kiosk", "--glass-code", "--data-dir"]).arg(&data);
        desktop.enter(&mut command);
        let program = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("the wall")?;
        let screen = FrameBuffer::open(desktop.frame_buffer().context("a frame buffer")?)?;
        let wall = Self { program, screen, data, _desktop: desktop, _folder: folder };
        wall.paints_anew(START_LIMIT)?;
        Ok(wall)
    }

    fn wait(&self, what: &str, limit: Duration, holds: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        while !holds(self)? {
            ensure!(begun.elapsed() < limit, "{what} is not there after {limit:?}");
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until the page paints: its code tells the newest event's time, and goes on.
    fn paints_anew(&self, limit: Duration) -> Result<()> {
        let before = glass::figures_code(&self.screen)?;
        let newer = |wall: &Self| Ok(glass::figures_code(&wall.screen)?.is_some_and(|code| Some(code) != before));
        self.wait("a newer value", limit, newer)
    }

    /// Whether the strip is there, in its place and nowhere else.
    fn strip(&self) -> Result<bool> {
        let at = |y| self.screen.pixel(SIZE.0 - 20, y);
        Ok(at(10)? == STRIP && at(200)? != STRIP)
    }

    fn page(&self) -> Result<u32> {
        let mut pages = proc::tree(self.program.id())?;
        pages.retain(|pid| proc::name(*pid).starts_with("WebKitWebProc"));
        ensure!(pages.len() == 1, "{} web processes", pages.len());
        pages.first().copied().context("a web process")
    }

    /// How often the program says in its log that it runs.
    fn starts(&self) -> Result<usize> {
        let mut starts = 0;
        for entry in fs::read_dir(self.data.join("logs"))? {
            starts += fs::read_to_string(entry?.path())?.matches("the wall runs").count();
        }
        Ok(starts)
    }

    fn signal(&self, name: &str) -> Result<()> {
        let sent = Command::new("kill").arg(name).arg(self.page()?.to_string()).status()?;
        ensure!(sent.success(), "kill {name}");
        Ok(())
    }
}

/// A page that stands still can't say so: the window does within seconds, over the old picture, and then starts the page
/// anew; the strip goes with the first new picture.
#[test]
fn a_page_that_stands_still_is_named_and_started_again() -> Result<()> {
    let wall = Wall::open()?;
    let before = wall.page()?;
    ensure!(!wall.strip()?, "a strip above a page that paints");
    wall.signal("-STOP")?;
    wall.wait("the strip", SAY_LIMIT, Wall::strip)?;
    wall.wait("a page without strip", BACK_LIMIT, |wall| Ok(!wall.strip()?))?;
    wall.paints_anew(BACK_LIMIT)?;
    ensure!(wall.page()? != before, "the page's process is the one that stood still");
    Ok(())
}

/// A page that ends again and again is no page: then the program is started again, in the same window system, on what it knows.
#[test]
fn a_page_that_keeps_ending_starts_the_program_again() -> Result<()> {
    let wall = Wall::open()?;
    for time in 1..=3 {
        let before = wall.page()?;
        wall.signal("-KILL")?;
        wall.wait("another process", BACK_LIMIT, |wall| Ok(wall.page().is_ok_and(|page| page != before)))?;
        if time < 3 {
            wall.paints_anew(BACK_LIMIT)?;
        }
    }
    wall.wait("a second start", BACK_LIMIT, |wall| Ok(wall.starts()? == 2))?;
    wall.paints_anew(BACK_LIMIT)
}

/// A page whose process was killed is back without anybody's doing.
#[test]
fn a_page_that_was_killed_comes_back() -> Result<()> {
    let wall = Wall::open()?;
    let before = wall.page()?;
    wall.signal("-KILL")?;
    wall.wait("another process", BACK_LIMIT, |wall| Ok(wall.page().is_ok_and(|page| page != before)))?;
    wall.paints_anew(BACK_LIMIT)?;
    wall.wait("a page without strip", SAY_LIMIT, |wall| Ok(!wall.strip()?))
}
