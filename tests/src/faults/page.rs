//! The page's process stands still or is killed, behind a real window on a real display.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::sleep;

use super::{
    board,
    outcome::Outcome,
    process::{HubProcess, LOOK_EVERY, Report, signal_to},
    publisher::{Ledger, Publisher},
    truth,
};
use crate::{
    bench::{glass, proc},
    desktop::Desktop,
    program::program,
    screen::FrameBuffer,
};

const SIZE: (u32, u32) = (1280, 720);
/// The colour of the strip above the page.
const STRIP: [u8; 3] = [0xe8, 0xb4, 0x00];
/// For a start of an unoptimised build on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// H7: two seconds without a receipt, and one to say so.
const SAID_MAX: Duration = Duration::from_secs(3);
/// Five seconds until the page is started anew, and a start.
const BACK_MAX: Duration = Duration::from_secs(40);
/// The record of the glass is a second behind it at most, and written in a moment.
const RECORDED_MAX: Duration = Duration::from_secs(10);

/// A wall in a window, with a hub and a publisher of its own.
struct Glass {
    wall: Child,
    screen: FrameBuffer,
    data: PathBuf,
    board: PathBuf,
    publisher: Publisher,
    _hub: HubProcess,
    _desktop: Desktop,
    _folder: tempfile::TempDir,
}

impl Drop for Glass {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.wall.kill();
        let _ = self.wall.wait();
    }
}

impl Glass {
    async fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (board, data) = (folder.path().join("board.toml"), folder.path().join("data"));
        fs::write(&board, board::text("http://127.0.0.1:1", ""))?;
        let hub = HubProcess::start(&board).await?;
        fs::write(&board, board::text(&format!("http://{}", hub.address()), ""))?;
        let publisher = Publisher::start(hub.address()).await?;
        let desktop = Desktop::with_frame_buffer(SIZE.0, SIZE.1, folder.path())?;
        let mut command = Command::new(program("watchfloor")?);
        command.args(["--kiosk", "--glass-code", "--notifications", "off", "--board"]).arg(&board);
        command.arg("--data-dir").arg(&data);
        desktop.enter(&mut command);
        let wall = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("the wall")?;
        let screen = FrameBuffer::open(desktop.frame_buffer().context("a frame buffer")?)?;
        let glass = Self { wall, screen, data, board, publisher, _hub: hub, _desktop: desktop, _folder: folder };
        glass.paints_anew(START_MAX).await?;
        Ok(glass)
    }

    async fn wait(&self, what: &str, limit: Duration, holds: impl Fn(&Self) -> Result<bool>) -> Result<Duration> {
        let begun = Instant::now();
        while !holds(self)? {
            ensure!(begun.elapsed() < limit, "{what} is not there after {limit:?}");
            sleep(LOOK_EVERY).await;
        }
        Ok(begun.elapsed())
    }

    /// Waits until the page paints: its code tells the newest event's time, and goes on.
    async fn paints_anew(&self, limit: Duration) -> Result<Duration> {
        let before = glass::figures_code(&self.screen)?;
        let is_newer = |glass: &Self| Ok(glass::figures_code(&glass.screen)?.is_some_and(|code| Some(code) != before));
        self.wait("a newer value", limit, is_newer).await
    }

    /// Whether the strip is there, in its place and nowhere else.
    fn strip(&self) -> Result<bool> {
        let at = |y| self.screen.pixel(SIZE.0 - 20, y);
        Ok(at(10)? == STRIP && at(200)? != STRIP)
    }

    fn page(&self) -> Result<u32> {
        let pages = proc::pages(self.wall.id())?;
        ensure!(pages.len() == 1, "{} web processes", pages.len());
        pages.first().copied().context("a web process")
    }

    /// What its log says.
    fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data.join("logs").join("watchfloor.log"))?)
    }

    /// What the glass showed last, by the record of it that the wall keeps.
    async fn shows(&self, ledger: &Ledger) -> Result<Report> {
        let begun = Instant::now();
        loop {
            let report = recorded(&self.board, &self.data)?;
            let is_whole = report.as_ref().is_some_and(|report| truth::is_whole(report, ledger));
            match report {
                Some(report) if is_whole || begun.elapsed() > RECORDED_MAX => return Ok(report),
                _ => ensure!(begun.elapsed() < RECORDED_MAX, "nothing is recorded of the glass"),
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// The newest record of the glass, if there is one yet.
fn recorded(board: &Path, data: &Path) -> Result<Option<Report>> {
    let now = jiff::Timestamp::now().to_string();
    let mut command = Command::new(program("watchfloor")?);
    command.args(["--headless", "--json", "--at", &now, "--board"]).arg(board).arg("--data-dir").arg(data);
    let output = command.output()?;
    let value: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    Ok(value.map(|value| Report { at: Instant::now(), value }))
}

/// Breaks the page's process, sees what is said and when, and whether the picture that follows is the truth.
async fn broken(name: &str, which: Signal) -> Result<Outcome> {
    let mut outcome = Outcome::new(name);
    let mut glass = Glass::open().await?;
    // What a wall counted before its page is broken.
    let some = |glass: &Glass| Ok(glass.publisher.ledger().first().is_some_and(|life| life.taken.len() >= 100));
    glass.wait("some events", START_MAX, some).await?;
    let page = glass.page()?;
    ensure!(!glass.strip()?, "a strip above a page that paints");
    signal_to(page, which)?;
    let begun = Instant::now();
    if which == Signal::STOP {
        let said = glass.wait("the strip", BACK_MAX, Glass::strip).await?;
        outcome.found = Some(said);
        outcome.said.push("a strip above the page: it has painted nothing for 2 s".to_owned());
        if said > SAID_MAX {
            outcome.wrong.push(format!("said after {said:?}"));
        }
    }
    glass.wait("another process", BACK_MAX, |glass| Ok(glass.page().is_ok_and(|now| now != page))).await?;
    glass.wait("a page without strip", BACK_MAX, |glass| Ok(!glass.strip()?)).await?;
    glass.paints_anew(BACK_MAX).await?;
    outcome.back = Some(begun.elapsed());
    let log = glass.log()?;
    if let Some(line) = log.lines().find(|line| line.contains("WARN") && line.contains("page")) {
        let words = line.split_once("WARN").map_or(line, |(_, words)| words);
        outcome.said.push(format!("log: {}", words.split_once(": ").map_or(words, |(_, words)| words).trim()));
    }
    let ledger = glass.publisher.finish().await?;
    let painted = ledger.last().and_then(|life| life.taken.last()).context("an event")?.said.time;
    // 24 bits of quarter milliseconds.
    let code = u32::try_from((painted * 4).rem_euclid(1 << 24))?;
    let shown = |glass: &Glass| Ok(glass::figures_code(&glass.screen)? == Some(code));
    if let Err(error) = glass.wait("the newest event in the picture", RECORDED_MAX, shown).await {
        outcome.wrong.push(format!("{error:#}: {:?}, expected {code}", glass::figures_code(&glass.screen)?));
    }
    let report = glass.shows(&ledger).await?;
    if truth::is_whole(&report, &ledger) {
        outcome.equal = ledger.last().map(|life| life.taken.len());
    } else {
        outcome.wrong.push(truth::what_differs(&report, &ledger));
    }
    Ok(outcome)
}

/// SIGSTOP: nothing answers, and the old picture stands.
pub(super) async fn stop() -> Result<Outcome> {
    broken("page: SIGSTOP", Signal::STOP).await
}

/// SIGKILL: a new one is there at once.
pub(super) async fn kill() -> Result<Outcome> {
    broken("page: SIGKILL", Signal::KILL).await
}
