//! Several screens of one wall (H7): each window is on its own monitor, wherever that is plugged in and whatever size it has; a monitor that
//! goes takes no page with it; and each window's page is watched by itself. Without a window manager, on an X server with real outputs.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use watchfloor_tests::{
    bench::proc,
    monitors::{Monitors, edid},
    pictures::Pictures,
    program::program,
};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);
/// For a look, and a busy machine.
const MOVE_LIMIT: Duration = Duration::from_secs(30);
/// A picture is looked at by people: what has just moved is let come to rest.
const PAINT: Duration = Duration::from_secs(3);
const STRIP: &str = "#E8B400";

const BOARD: &str = r#"
[board]
title = "Depot"

[[page]]
id = "tank"
title = "Tank"

[[page]]
id = "orders"
title = "Orders"

[[source]]
id = "ops"
kind = "sse"
url = "http://127.0.0.1:9/"
channels = ["ops"]
heartbeat = "1s"

[[widget]]
id = "level"
kind = "gauge"
value = "level"

[[widget]]
id = "orders"
kind = "counter"
page = "orders"
"#;

const SETTINGS: &str = r#"{"screens": [
 {"id": "left", "monitor": {"edid": "DEL U4323QE AAA1"}, "pages": ["tank"]},
 {"id": "right", "monitor": {"edid": "DEL U4323QE BBB2"}, "pages": ["orders"]}
]}"#;

/// Across, down, and where.
type Place = (i32, i32, i32, i32);
const LEFT: Place = (1280, 720, 0, 0);
const RIGHT: Place = (1280, 720, 1280, 0);

/// A kiosk on the monitors; it ends when this is dropped.
struct Wall<'a> {
    monitors: &'a Monitors,
    program: Child,
    data: PathBuf,
}

impl Drop for Wall<'_> {
    fn drop(&mut self) {
        // Its parent ends it, and is waited for.
        if let Some(pid) = Pid::from_raw(self.program.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.program.wait();
    }
}

impl Wall<'_> {
    /// Its windows that are to be seen, from the left: their numbers and places.
    fn windows(&self) -> Result<Vec<(u64, Place)>> {
        let tool = |arguments: &[&str]| -> Result<String> {
            let output = Command::new("xdotool").args(arguments).env("DISPLAY", self.monitors.display()).output()?;
            Ok(String::from_utf8(output.stdout)?)
        };
        let mut windows = Vec::new();
        for id in tool(&["search", "--onlyvisible", "--name", "^Watchfloor$"])?.split_whitespace() {
            let shape = tool(&["getwindowgeometry", "--shell", id])?;
            let value = |name: &str| {
                let line = shape.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
                line.and_then(|value| value.parse::<i32>().ok()).unwrap_or_default()
            };
            let place = (value("WIDTH"), value("HEIGHT"), value("X"), value("Y"));
            // What isn't a window of its own is as large as nothing.
            if place.0 > 1 {
                windows.push((id.parse()?, place));
            }
        }
        windows.sort_by_key(|(_, place)| place.2);
        Ok(windows)
    }

    fn wait<T>(&self, what: &str, limit: Duration, mut found: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = found()? {
                return Ok(found);
            }
            if begun.elapsed() > limit {
                let logs = fs::read_to_string(self.data.join("logs/watchfloor.log")).unwrap_or_default();
                anyhow::bail!("{what} did not come within {limit:?}; windows {:?}; log:\n{logs}", self.windows()?);
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until the windows stand there and nowhere else. Their numbers.
    fn stand(&self, what: &str, limit: Duration, places: &[Place]) -> Result<Vec<u64>> {
        self.wait(what, limit, || {
            let (ids, found): (Vec<u64>, Vec<Place>) = self.windows()?.into_iter().unzip();
            Ok((found == places).then_some(ids))
        })
    }

    /// A pixel of what is on the screen, so far from a place's corner, as `#RRGGBB`.
    fn pixel(&self, place: Place, x: i32, y: i32) -> Result<String> {
        let crop = format!("1x1+{}+{}", place.2 + x, place.3 + y);
        let mut picture = Command::new("import");
        picture.args(["-window", "root", "-crop", &crop, "+repage", "-depth", "8", "txt:-"]);
        let text = String::from_utf8(picture.env("DISPLAY", self.monitors.display()).output()?.stdout)?;
        let colour = text.split_whitespace().find(|word| word.starts_with('#') && word.len() == 7);
        Ok(colour.with_context(|| format!("no pixel in {text:?}"))?.to_owned())
    }

    /// The processes of its pages.
    fn pages(&self) -> Result<Vec<u32>> {
        let all = proc::tree(self.program.id())?;
        Ok(all.into_iter().filter(|pid| proc::name(*pid).starts_with("WebKitWebProces")).collect())
    }
}

#[test]
fn screens_keep_their_monitors() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let monitors = Monitors::start(folder.path())?;
    monitors.set(&[
        "--output", "DUMMY0", "--mode", "1280x720", "--pos", "0x0", "--output", "DUMMY1", "--mode", "1280x720",
        "--pos", "1280x0",
    ])?;
    monitors.tell("DUMMY0", &edid("U4323QE", "AAA1"))?;
    monitors.tell("DUMMY1", &edid("U4323QE", "BBB2"))?;
    let (board, data) = (folder.path().join("board.toml"), folder.path().join("data"));
    fs::create_dir(&data)?;
    fs::write(&board, BOARD)?;
    fs::write(data.join("settings.json"), SETTINGS)?;

    let listed = Command::new(program("watchfloor")?)
        .args(["screens", "--data-dir"])
        .arg(&data)
        .env("DISPLAY", monitors.display())
        .env_remove("WAYLAND_DISPLAY")
        .output()?;
    let listed = String::from_utf8(listed.stdout)?;
    ensure!(listed.contains("\"DEL U4323QE AAA1\"  screen left") && listed.contains("1280×720 at 1280,0"), "{listed}");

    let mut command = Command::new(program("watchfloor")?);
    command.args(["--kiosk", "--notifications", "off", "--board"]).arg(&board).arg("--data-dir").arg(&data);
    command.env("DISPLAY", monitors.display()).env_remove("WAYLAND_DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
    let program = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let wall = Wall { monitors: &monitors, program, data };

    let ids = wall.stand("a window on each monitor", START_LIMIT, &[LEFT, RIGHT])?;
    let [left, right] = ids[..] else { anyhow::bail!("{ids:?}") };
    let mut pictures = Pictures::begin("screens")?;
    let mut keep = |step: &str| -> Result<()> {
        // What stands there has to be painted first.
        wall.wait("pages that paint", START_LIMIT, || Ok((wall.pixel(LEFT, 3, 3)? != STRIP).then_some(())))?;
        thread::sleep(PAINT);
        pictures.keep(monitors.display(), step)
    };
    keep("a-window-on-each")?;

    // The monitors change their places: the windows go with them.
    monitors.set(&["--output", "DUMMY0", "--pos", "1280x0", "--output", "DUMMY1", "--pos", "0x0"])?;
    wall.wait("windows that follow their monitors", MOVE_LIMIT, || {
        Ok((wall.windows()? == [(right, LEFT), (left, RIGHT)]).then_some(()))
    })?;
    keep("monitors-change-places")?;

    // One gets another resolution.
    monitors.set(&["--output", "DUMMY0", "--mode", "1024x768"])?;
    wall.stand("a window of another size", MOVE_LIMIT, &[LEFT, (1024, 768, 1280, 0)])?;
    keep("another-resolution")?;

    // Unplugged, and plugged in at another place and size.
    monitors.set(&["--output", "DUMMY0", "--off"])?;
    let rest = wall.stand("one window for one monitor", MOVE_LIMIT, &[LEFT])?;
    ensure!(rest == [right], "the wrong one is left: {rest:?}");
    keep("one-is-unplugged")?;
    monitors.set(&["--output", "DUMMY0", "--mode", "1280x720", "--pos", "1280x0"])?;
    wall.wait("both again", MOVE_LIMIT, || Ok((wall.windows()? == [(right, LEFT), (left, RIGHT)]).then_some(())))?;
    keep("and-plugged-in-again")?;

    // Each page is watched by itself: one that stands still is told of by its own window, and comes back.
    let strips = || -> Result<[bool; 2]> { Ok([wall.pixel(LEFT, 3, 3)? == STRIP, wall.pixel(RIGHT, 3, 3)? == STRIP]) };
    wall.wait("pages that paint", START_LIMIT, || {
        Ok((strips()? == [false; 2] && wall.pages()?.len() == 2).then_some(()))
    })?;
    let mut told = [false; 2];
    for page in wall.pages()? {
        let pid = Pid::from_raw(page.cast_signed()).context("a process")?;
        kill_process(pid, Signal::STOP)?;
        let one = wall.wait("one strip", MOVE_LIMIT, || {
            let now = strips()?;
            Ok(now.contains(&true).then_some(now))
        })?;
        ensure!(one != [true; 2], "a page that paints is said not to");
        told = [told[0] || one[0], told[1] || one[1]];
        wall.wait("two pages without a strip", START_LIMIT, || {
            Ok((strips()? == [false; 2] && !wall.pages()?.contains(&page)).then_some(()))
        })?;
    }
    ensure!(told == [true; 2], "a window whose page isn't watched: {told:?}");
    Ok(())
}
