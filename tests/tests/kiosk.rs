//! H7: a kiosk has one way out, and comes back from whatever happens to its display. Real keys, a real window manager that would take
//! them, and X servers that come late, go, and change their size.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Command,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use watchfloor_tests::{
    chords::CHORDS,
    desktop::{Desktop, Screen, hand},
    page::Page,
    pictures::Pictures,
    program::program,
    screen::FrameBuffer,
    wait::until,
    window::WindowProcess,
};

const SIZE: (u32, u32) = (1920, 1080);
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);
/// For a key, a look, and a busy machine.
const SAY_LIMIT: Duration = Duration::from_secs(10);

struct Kiosk {
    program: WindowProcess,
    display: String,
    said: Receiver<String>,
}

impl Kiosk {
    /// Starts the demo as a kiosk on a display, which need not be there.
    fn start(display: &str, data: &Path) -> Result<Self> {
        let mut command = Command::new(program("watchfloor")?);
        command.args(["--demo", "--kiosk", "--glass-code", "--notifications", "off"]).env("DISPLAY", display);
        let mut program = WindowProcess::start_to_be_heard(&mut command, data)?;
        let (told, said) = channel();
        let lines = BufReader::new(program.words().context("standard error")?).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| told.send(line)));
        Ok(Self { program, display: display.to_owned(), said })
    }

    /// Waits for a line that it says.
    fn says(&self, words: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let left = START_LIMIT.saturating_sub(begun.elapsed());
            let line = self.said.recv_timeout(left).with_context(|| format!("it doesn't say {words:?}"))?;
            if line.contains(words) {
                return Ok(());
            }
        }
    }

    fn paints(&self, screen: &Path) -> Result<()> {
        self.program.paints(screen, START_LIMIT)
    }

    /// Waits until it has all of the screen: where there is no window, an X server is black.
    fn covers(&self, screen: &Screen) -> Result<()> {
        self.program.wait("a wall up to the last corner", START_LIMIT, || {
            let screen = FrameBuffer::open(screen.frame_buffer())?;
            let corner = screen.pixel(screen.width() - 3, screen.height() - 3)?;
            Ok((corner != [0; 3]).then_some(()))
        })
    }

    fn hand(&self, arguments: &[&str]) -> Result<()> {
        hand(&self.display, arguments)
    }

    /// Everything that lies on the screen, windows of the window manager's too.
    fn windows(&self) -> Result<Vec<String>> {
        let mut command = Command::new("xwininfo");
        let output = command.args(["-root", "-children"]).env("DISPLAY", &self.display).output()?;
        ensure!(output.status.success(), "xwininfo");
        let text = String::from_utf8(output.stdout)?;
        let names = text.lines().filter_map(|line| line.trim().strip_prefix("0x")?.split_once(' '));
        Ok(names.map(|(_, name)| name.trim().to_owned()).collect())
    }
}

/// No key of the list leads anywhere, nor a click with the other buttons, and the window isn't minimised for long; the wall
/// goes on all the time. The keys that do are held for three seconds, not for one.
#[test]
fn there_is_one_way_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let desktop = Desktop::with_frame_buffer(SIZE.0, SIZE.1, folder.path())?;
    let screen = desktop.frame_buffer().context("a frame buffer")?;
    let mut kiosk = Kiosk::start(desktop.display(), &folder.path().join("data"))?;
    kiosk.paints(screen)?;
    kiosk.program.wait("the keyboard", START_LIMIT, || Ok(taken(&kiosk.display)?.then_some(())))?;
    let mut pictures = Pictures::begin("kiosk-keys")?;
    pictures.keep(&kiosk.display, "before")?;
    let (pages, windows) = (kiosk.program.pages()?, kiosk.windows()?);
    for (at, chord) in CHORDS.iter().enumerate() {
        kiosk.hand(&["key", chord])?;
        ensure!(kiosk.windows()? == windows, "{chord} opens something: {:?}, before {windows:?}", kiosk.windows()?);
        pictures.keep(&kiosk.display, &chord.replace('+', "-"))?;
        if at % 10 == 0 {
            kiosk.paints(screen).with_context(|| format!("after {chord}"))?;
        }
    }
    for click in ["3", "2", "8", "9"] {
        kiosk.hand(&["mousemove", "960", "540", "click", click])?;
        ensure!(kiosk.windows()? == windows, "button {click} opens something");
    }
    kiosk.hand(&["keydown", "ctrl", "click", "4", "click", "5", "keyup", "ctrl"])?;
    // What another program puts out of sight is back: it had the keyboard while it was minimised, and nobody saw it.
    kiosk.hand(&["search", "--class", "watchfloor", "windowminimize", "%@"])?;
    kiosk.paints(screen)?;
    pictures.keep(&kiosk.display, "after-it-was-minimised")?;
    ensure!(kiosk.windows()? == windows, "something lies on it: {:?}, before {windows:?}", kiosk.windows()?);
    ensure!(kiosk.program.pages()? == pages, "the page was started again: {}", kiosk.program.logs()?);

    kiosk.hand(&["keydown", "ctrl", "keydown", "alt", "keydown", "shift", "keydown", "q"])?;
    thread::sleep(Duration::from_secs(1));
    pictures.keep(&kiosk.display, "keys-to-leave-are-held")?;
    kiosk.hand(&["keyup", "q", "keyup", "shift", "keyup", "alt", "keyup", "ctrl"])?;
    kiosk.paints(screen)?;
    kiosk.hand(&["keydown", "ctrl", "keydown", "alt", "keydown", "shift", "keydown", "q"])?;
    let begun = Instant::now();
    let status = until("its end", SAY_LIMIT, || kiosk.program.ended())?;
    ensure!(status.success() && begun.elapsed() > Duration::from_millis(2500), "{status} after {:?}", begun.elapsed());
    Ok(())
}

/// Whether somebody has the keyboard: nobody else gets it then.
fn taken(display: &str) -> Result<bool> {
    let output = Command::new("xdotool").args(["getwindowfocus", "getwindowname"]).env("DISPLAY", display).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).contains("Watchfloor"))
}

/// A page that is led away stays, whatever leads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_nowhere_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let desktop = Desktop::with_driver(SIZE.0, SIZE.1).await?;
    let data = folder.path().join("data");
    let arguments = ["--demo", "--kiosk", "--data-dir", data.to_str().context("a path")?];
    let page = Page::new(desktop.open_wall(&arguments).await?);
    let painted = "return document.querySelectorAll('[data-widget]').length > 0";
    page.wait_for("a picture", painted, START_LIMIT).await?;
    let here = page.run("return location.href", Vec::new()).await?;
    for lead in [
        "location.href = 'https://example.org/'",
        "location.assign('file:///etc/passwd')",
        "window.open('https://example.org/')",
        "window.print()",
        "const link = document.createElement('a'); link.href = 'data:text/html,gone'; document.body.append(link); link.click(); link.remove()",
        "const file = document.createElement('input'); file.type = 'file'; document.body.append(file); file.click(); file.remove()",
        "document.documentElement.requestFullscreen().catch(() => undefined)",
    ] {
        page.run(&format!("{lead}; return true"), Vec::new()).await.with_context(|| lead.to_owned())?;
        page.wait_for("the wall", painted, SAY_LIMIT).await.with_context(|| lead.to_owned())?;
        let now = page.run("return location.href", Vec::new()).await?;
        ensure!(now == here, "{lead} leads to {now}, from {here}");
    }
    let cursor = page.run("return getComputedStyle(document.body).cursor", Vec::new()).await?;
    ensure!(cursor == "none", "a pointer is to be seen: {cursor}");
    Ok(())
}

/// A display that isn't there yet is waited for; one that goes takes the wall with it, which is back with the next one, on what it
/// knew; without a window manager it has the whole screen, of whatever size.
#[test]
fn displays_come_and_go() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let number = Screen::free_number()?;
    let display = format!(":{number}");
    let mut pictures = Pictures::begin("kiosk-displays")?;
    let mut kiosk = Kiosk::start(&display, &folder.path().join("data"))?;
    kiosk.says("waiting for a display")?;
    let screen = Screen::start(number, SIZE, folder.path())?;
    kiosk.says("the display is there")?;
    kiosk.paints(screen.frame_buffer())?;
    kiosk.covers(&screen)?;
    pictures.keep(&display, "a-display-came")?;
    drop(screen);
    kiosk.says("it is started again")?;
    kiosk.says("waiting for a display")?;
    let screen = Screen::start(number, (1280, 1024), folder.path())?;
    kiosk.paints(screen.frame_buffer())?;
    kiosk.covers(&screen)?;
    pictures.keep(&display, "another-one-came")?;
    ensure!(kiosk.program.ended()?.is_none(), "the supervisor has ended");
    let logs = kiosk.program.logs()?;
    ensure!(logs.matches("the wall runs").count() == 2, "{logs}");
    Ok(())
}
