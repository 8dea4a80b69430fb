//! One page over several monitors (H1, H7): each window shows its part of one picture, all turn their page together and paint the same
//! version; what is no picture any more is whole pages; and each window's page is watched by itself. On an X server with real outputs.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use watchfloor_tests::{
    desktop::{Place, hand, windows},
    faults::process::signal_to,
    monitors::{Monitors, edid},
    pictures::Pictures,
    program::program,
    wait::until,
    window::WindowProcess,
};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, ImageFormat},
    rust_connection::RustConnection,
};

/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);
/// For a look, and a busy machine.
const MOVE_LIMIT: Duration = Duration::from_secs(30);
/// A picture is looked at by people: what has just moved is let come to rest.
const PAINT: Duration = Duration::from_secs(3);
/// One heartbeat, the pace of the code that is read, and the painting of a busy machine.
const TOGETHER: Duration = Duration::from_millis(1000 + 500 + 1000);
const MONITOR: (i32, i32) = (1280, 720);
const BOTH: [Place; 2] = [(1280, 720, 0, 0), (1280, 720, 1280, 0)];

/// Of the first page each half is one panel; of the second each half is two, one above the other.
const BOARD: &str = r#"
[board]
title = "Depot"
grid = { columns = 4, rows = 2 }

[[page]]
id = "halves"
title = "Halves"

[[page]]
id = "quarters"
title = "Quarters"

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
place = { column = 1, row = 1, width = 2, height = 2 }

[[widget]]
id = "flow"
kind = "gauge"
value = "flow"
place = { column = 3, row = 1, width = 2, height = 2 }

[[widget]]
id = "orders"
kind = "counter"
page = "quarters"
place = { column = 1, row = 1, width = 2, height = 1 }

[[widget]]
id = "open"
kind = "counter"
page = "quarters"
place = { column = 1, row = 2, width = 2, height = 1 }

[[widget]]
id = "late"
kind = "counter"
page = "quarters"
place = { column = 3, row = 1, width = 2, height = 1 }

[[widget]]
id = "lost"
kind = "counter"
page = "quarters"
place = { column = 3, row = 2, width = 2, height = 1 }
"#;

const SETTINGS: &str = r#"{"screens": [
 {"id": "wall", "monitors": [[{"edid": "DEL U4323QE AAA1"}, {"edid": "DEL U4323QE BBB2"}]], "bezel-px": {"across": 40, "down": 0}}
]}"#;

/// What is on all monitors at one moment, read at once.
struct Seen {
    width: i32,
    pixels: Vec<u8>,
}

impl Seen {
    fn look(server: &RustConnection) -> Result<Self> {
        let root = server.setup().roots.first().context("a screen")?.root;
        let shape = server.get_geometry(root)?.reply()?;
        let picture =
            server.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, shape.width, shape.height, u32::MAX)?.reply()?;
        Ok(Self { width: shape.width.into(), pixels: picture.data })
    }

    /// Red, green and blue.
    fn pixel(&self, x: i32, y: i32) -> Result<[u8; 3]> {
        let at = usize::try_from((y * self.width + x) * 4)?;
        let bytes = self.pixels.get(at..at + 3).with_context(|| format!("no pixel at {x}, {y}"))?;
        Ok([bytes[2], bytes[1], bytes[0]])
    }

    /// Whether the wall's ground is seen there: between panels.
    fn is_ground(&self, x: i32, y: i32) -> Result<bool> {
        Ok(self.pixel(x, y)? == [0x1b, 0x1d, 0x1f])
    }

    /// Whether the line of the window itself is seen at the top of a monitor.
    fn has_strip(&self, left: i32) -> Result<bool> {
        Ok(self.pixel(left + 3, 3)? == [0xe8, 0xb4, 0x00])
    }

    /// The version that the window whose lower right corner is there shows, if its code can be read: as `ui/src/core/picture-code.ts` has it.
    fn version(&self, right: i32, bottom: i32) -> Result<Option<u32>> {
        const BLOCKS: i32 = 42;
        let light = |block: i32| -> Result<i32> {
            let pixel = self.pixel(right - BLOCKS * 4 + block * 4 + 2, bottom - 1)?;
            Ok(pixel.iter().map(|part| i32::from(*part)).sum())
        };
        let (bright, dark) = (light(0)?, light(1)?);
        if bright - dark < 12 {
            return Ok(None);
        }
        let mut word = 0_u64;
        for block in 2..BLOCKS {
            let level = light(block)?;
            word = word << 1 | u64::from((level - bright).abs() < (level - dark).abs());
        }
        let version = u32::try_from(word >> 16)?;
        let check = version.wrapping_mul(0x9e37) ^ version >> 8 ^ 0xa5a5;
        Ok((u64::from(check & 0xffff) == word & 0xffff).then_some(version))
    }
}

/// How a window of a monitor at `left` shows the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// Its half of the first page: one panel from edge to edge.
    Half,
    /// Its half of the second page: one above the other.
    Quarters,
    /// All of the first page: one beside the other.
    Whole,
    /// Something else, as while it paints.
    Else,
}

fn shows(seen: &Seen, (width, height, left, top): Place) -> Result<Shows> {
    // The grid begins below the head line, and ends above the line of pages and notices, wherever that is.
    let across = (left + width / 2 - 6..left + width / 2 + 6).map(|x| seen.is_ground(x, top + height * 9 / 20));
    let is_beside = across.collect::<Result<Vec<bool>>>()?.contains(&true);
    let down = (top + height * 2 / 5..top + height * 7 / 10).map(|y| seen.is_ground(left + width / 4, y));
    let is_above = down.collect::<Result<Vec<bool>>>()?.contains(&true);
    let is_panel = !seen.is_ground(left + width / 4, top + height * 4 / 5)?;
    Ok(match (is_panel, is_beside, is_above) {
        (true, false, false) => Shows::Half,
        (true, false, true) => Shows::Quarters,
        (true, true, false) => Shows::Whole,
        _ => Shows::Else,
    })
}

/// How far down the panels of a window reach: as far on each of one picture.
fn foot(seen: &Seen, (width, height, left, top): Place) -> Result<Option<i32>> {
    for y in (top..top + height).rev() {
        if !seen.is_ground(left + width * 3 / 4, y)? {
            return Ok(Some(y - top));
        }
    }
    Ok(None)
}

/// Places of the wall's windows, from the left.
fn places_of(display: &str) -> Result<Vec<Place>> {
    Ok(windows(display)?.into_iter().map(|(_, place)| place).collect())
}

fn screens(monitors: &Monitors, data: &Path) -> Result<String> {
    let mut command = Command::new(program("watchfloor")?);
    command.args(["screens", "--data-dir"]).arg(data).env("DISPLAY", monitors.display()).env_remove("WAYLAND_DISPLAY");
    Ok(String::from_utf8(command.output()?.stdout)?)
}

#[test]
fn a_wall_of_several_monitors_is_one_picture() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let monitors = Monitors::start(folder.path())?;
    let second = ["--output", "DUMMY1", "--mode", "1280x720", "--pos", "1280x0"];
    monitors.set(&["--output", "DUMMY0", "--mode", "1280x720", "--pos", "0x0"])?;
    monitors.set(&second)?;
    monitors.tell("DUMMY0", &edid("U4323QE", "AAA1"))?;
    monitors.tell("DUMMY1", &edid("U4323QE", "BBB2"))?;
    let (board, data) = (folder.path().join("board.toml"), folder.path().join("data"));
    fs::create_dir(&data)?;
    fs::write(&board, BOARD)?;
    fs::write(data.join("settings.json"), SETTINGS)?;

    let listed = screens(&monitors, &data)?;
    ensure!(
        listed.contains("\"DEL U4323QE BBB2\"  screen wall, monitor 2 of 2")
            && listed.contains("screen wall is one picture of 2600×720: 2 × 1 monitors, of which 40 px across"),
        "{listed}"
    );

    let display = monitors.display();
    let mut command = Command::new(program("watchfloor")?);
    command.args(["--kiosk", "--notifications", "off", "--board"]).arg(&board);
    command.env("DISPLAY", display).env_remove("DBUS_SESSION_BUS_ADDRESS");
    let wall = WindowProcess::start(&mut command, &data)?;
    let (server, _) = x11rb::connect(Some(display))?;
    let look = || Seen::look(&server);
    let all_show = |what: &str, limit: Duration, places: &[Place], wanted: Shows| -> Result<()> {
        wall.wait(what, limit, || {
            let seen = look()?;
            let are_there = places_of(display)? == places;
            let shown = places.iter().map(|place| shows(&seen, *place)).collect::<Result<Vec<Shows>>>()?;
            let has_strip = places.iter().map(|place| seen.has_strip(place.2)).collect::<Result<Vec<bool>>>()?;
            let feet = places.iter().map(|place| foot(&seen, *place)).collect::<Result<Vec<Option<i32>>>>()?;
            let is_level = wanted != Shows::Half || feet.windows(2).all(|two| two[0] == two[1]);
            Ok((are_there && is_level && shown.iter().all(|own| *own == wanted) && !has_strip.contains(&true))
                .then_some(()))
        })
    };
    let mut pictures = Pictures::begin("span")?;
    let mut keep = |step: &str| -> Result<()> {
        std::thread::sleep(PAINT);
        pictures.keep(display, step)
    };
    all_show("a window on each, with its half", START_LIMIT, &BOTH, Shows::Half)?;
    keep("one-picture")?;

    // One turn for both, by whichever window has the keyboard: the same page and the same version within a heartbeat.
    for (turn, wanted) in [Shows::Quarters, Shows::Half, Shows::Quarters, Shows::Half].into_iter().enumerate() {
        hand(display, &["key", "period"])?;
        let mut apart: Option<Instant> = None;
        let mut longest = Duration::ZERO;
        let begun = Instant::now();
        // Until both have it, and for a while after: nothing turns back.
        let mut settled: Option<Instant> = None;
        while settled.is_none_or(|at| at.elapsed() < Duration::from_secs(1)) {
            let seen = look()?;
            let pages = [shows(&seen, BOTH[0])?, shows(&seen, BOTH[1])?];
            let versions = [seen.version(MONITOR.0, MONITOR.1)?, seen.version(2 * MONITOR.0, MONITOR.1)?];
            let is_one = pages[0] == pages[1] && versions[0] == versions[1] && versions[0].is_some();
            if is_one {
                apart = None;
            } else {
                longest = longest.max(apart.get_or_insert_with(Instant::now).elapsed());
            }
            settled = if is_one && pages[0] == wanted { settled.or_else(|| Some(Instant::now())) } else { None };
            ensure!(begun.elapsed() < MOVE_LIMIT, "turn {turn}: {pages:?} {versions:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        ensure!(longest < TOGETHER, "turn {turn}: for {longest:?} the windows did not show the same");
        if turn == 0 {
            keep("turned-together")?;
        }
    }

    // A page that stands still is told of by its own window, and the other goes on.
    let pages = wall.pages()?;
    ensure!(pages.len() == 2, "a page for each window: {pages:?}");
    let one = *pages.first().context("a page")?;
    signal_to(one, Signal::STOP)?;
    let strips = || -> Result<[bool; 2]> {
        let seen = look()?;
        Ok([seen.has_strip(0)?, seen.has_strip(MONITOR.0)?])
    };
    let told = wall.wait("one strip", MOVE_LIMIT, || Ok(Some(strips()?).filter(|told| told.contains(&true))))?;
    ensure!(told != [true; 2], "a page that paints is said not to");
    keep("one-page-hangs")?;
    all_show("its half again, by another page", START_LIMIT, &BOTH, Shows::Half)?;

    // One is unplugged: the other has all of the page. It is plugged in again: both are one picture.
    monitors.set(&["--output", "DUMMY1", "--off"])?;
    all_show("the whole page on the one that is left", MOVE_LIMIT, &BOTH[..1], Shows::Whole)?;
    keep("one-is-unplugged")?;
    let listed = screens(&monitors, &data)?;
    ensure!(listed.contains("screen wall is not spanned: monitor 2 of 2 is not there"), "{listed}");
    monitors.set(&second)?;
    all_show("one picture again", MOVE_LIMIT, &BOTH, Shows::Half)?;
    keep("and-plugged-in-again")?;

    // As large ones are needed: with another size each has all of the page.
    monitors.set(&["--output", "DUMMY1", "--mode", "1024x768"])?;
    all_show("whole pages", MOVE_LIMIT, &[BOTH[0], (1024, 768, 1280, 0)], Shows::Whole)?;
    keep("another-size")?;
    let listed = screens(&monitors, &data)?;
    ensure!(listed.contains("not one size in pixels (1024×768, 1280×720)"), "{listed}");
    monitors.set(&second)?;
    all_show("one picture at last", MOVE_LIMIT, &BOTH, Shows::Half)?;

    // The second shows what the first does, as some drivers begin: no half is twice there, and the other nowhere.
    monitors.set(&["--output", "DUMMY1", "--pos", "0x0"])?;
    all_show("the whole page on both", MOVE_LIMIT, &BOTH[..1], Shows::Whole)?;
    keep("one-mirrors-the-other")?;
    let listed = screens(&monitors, &data)?;
    ensure!(listed.contains("screen wall is not spanned: its monitors show the same part of the desktop"), "{listed}");
    monitors.set(&second)?;
    all_show("one picture beside each other again", MOVE_LIMIT, &BOTH, Shows::Half)?;

    // They change their places: each part stays with its monitor.
    monitors.set(&["--output", "DUMMY0", "--pos", "1280x0", "--output", "DUMMY1", "--pos", "0x0"])?;
    all_show("parts that follow their monitors", MOVE_LIMIT, &BOTH, Shows::Half)?;
    until("the title on the right one", MOVE_LIMIT, || {
        // The clock is at the right end of the second part: where that was, the first part has nothing.
        let seen = look()?;
        let bright = |left: i32| -> Result<bool> {
            let lights = (left + MONITOR.0 * 9 / 10..left + MONITOR.0 - 10).map(|x| seen.pixel(x, 30));
            Ok(lights.collect::<Result<Vec<[u8; 3]>>>()?.iter().any(|pixel| pixel[0] > 0xb0))
        };
        Ok((bright(0)? && !bright(MONITOR.0)?).then_some(()))
    })?;
    keep("monitors-change-places")
}
