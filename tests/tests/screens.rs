//! Several screens of one wall (H7): each window is on its own monitor, wherever that is plugged in and whatever size it has; a monitor that
//! goes takes no page with it; and each window's page is watched by itself. Without a window manager, on an X server with real outputs.

use std::{fs, process::Command, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use watchfloor_tests::{
    desktop::{Place, windows},
    faults::process::signal_to,
    monitors::{Monitors, edid},
    pictures::Pictures,
    program::program,
    window::WindowProcess,
};

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

const LEFT: Place = (1280, 720, 0, 0);
const RIGHT: Place = (1280, 720, 1280, 0);

/// A kiosk on the monitors.
struct Wall<'a> {
    monitors: &'a Monitors,
    program: WindowProcess,
}

impl Wall<'_> {
    /// Its windows that are to be seen, from the left: their numbers and places.
    fn windows(&self) -> Result<Vec<(u64, Place)>> {
        windows(self.monitors.display())
    }

    fn wait<T>(&self, what: &str, limit: Duration, found: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        self.program.wait(what, limit, found).with_context(|| format!("windows {:?}", self.windows()))
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
    command.args(["--kiosk", "--notifications", "off", "--board"]).arg(&board);
    command.env("DISPLAY", monitors.display()).env_remove("DBUS_SESSION_BUS_ADDRESS");
    let wall = Wall { monitors: &monitors, program: WindowProcess::start(&mut command, &data)? };

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
        Ok((strips()? == [false; 2] && wall.program.pages()?.len() == 2).then_some(()))
    })?;
    let mut told = [false; 2];
    for page in wall.program.pages()? {
        signal_to(page, Signal::STOP)?;
        let one = wall.wait("one strip", MOVE_LIMIT, || {
            let now = strips()?;
            Ok(now.contains(&true).then_some(now))
        })?;
        ensure!(one != [true; 2], "a page that paints is said not to");
        told = [told[0] || one[0], told[1] || one[1]];
        wall.wait("two pages without a strip", START_LIMIT, || {
            Ok((strips()? == [false; 2] && !wall.program.pages()?.contains(&page)).then_some(()))
        })?;
    }
    ensure!(told == [true; 2], "a window whose page isn't watched: {told:?}");
    Ok(())
}
