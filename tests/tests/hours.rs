//! Screens that are off at their hours (H6, H7): on for a key and for what somebody has to see, on
//! again when the wall ends; and a dark screen is no page that hangs. On an X server with real outputs.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rustix::process::{Pid, Signal, kill_process};
use watchfloor_tests::{monitors::Monitors, pictures::Pictures, program::program};
use x11rb::{
    connection::Connection as _,
    protocol::screensaver::{self, ConnectionExt as _},
};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// For a start of an unoptimised build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(180);
/// For a look, and a busy machine.
const TURN_LIMIT: Duration = Duration::from_secs(60);
/// How long a screen is dark without its page being said to hang.
const DARK: Duration = Duration::from_secs(15);

/// Nothing is known, and nobody hears of an alarm.
const BOARD: &str = r#"
[board]
title = "Depot"
timezone = "Asia/Tokyo"

[[source]]
id = "ops"
kind = "sse"
url = "http://127.0.0.1:9/"
channels = ["ops"]

[[widget]]
id = "level"
kind = "gauge"
value = "level"
"#;

struct Wall(Child);

impl Drop for Wall {
    fn drop(&mut self) {
        // Its parent ends it, and is waited for.
        if let Some(pid) = Pid::from_raw(self.0.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

fn start(monitors: &Monitors, folder: &Path, wakes: &str) -> Result<Wall> {
    let (board, data) = (folder.join("board.toml"), folder.join("data"));
    fs::create_dir_all(&data)?;
    fs::write(&board, BOARD)?;
    let now = TimeZone::get("Asia/Tokyo")?.to_datetime(Timestamp::now());
    let clock = |hours: i64| Ok::<_, anyhow::Error>(now.checked_add(hours.hours())?.strftime("%H:%M").to_string());
    let display =
        serde_json::json!({"display": {"off": clock(-2)?, "on": clock(2)?, "wakes": wakes, "stay-s": 5}}).to_string();
    fs::write(data.join("settings.json"), display)?;
    let mut command = Command::new(program("watchfloor")?);
    command.args(["--kiosk", "--notifications", "off", "--board"]).arg(&board).arg("--data-dir").arg(&data);
    command.env("DISPLAY", monitors.display()).env_remove("WAYLAND_DISPLAY").env_remove("DBUS_SESSION_BUS_ADDRESS");
    Ok(Wall(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("data/logs/watchfloor.log")).unwrap_or_default()
}

fn wait(what: &str, limit: Duration, folder: &Path, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !holds()? {
        ensure!(begun.elapsed() < limit, "{what} is not so after {limit:?}; log:\n{}", log(folder));
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

#[test]
fn screens_are_dark_at_their_hours() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let monitors = Monitors::start(folder.path())?;
    // This server has screens without power: they are blanked.
    let (asks, screen) = x11rb::connect(Some(monitors.display()))?;
    let root = asks.setup().roots.get(screen).context("a screen")?.root;
    let is_dark = || Ok(asks.screensaver_query_info(root)?.reply()?.state == u8::from(screensaver::State::ON));

    let wall = start(&monitors, folder.path(), "alarm")?;
    wait("a dark screen", START_LIMIT, folder.path(), is_dark)?;
    let doctor = Command::new(program("watchfloor")?)
        .args(["doctor", "--data-dir"])
        .arg(folder.path().join("data"))
        .env("DISPLAY", monitors.display())
        .env_remove("WAYLAND_DISPLAY")
        .output()?;
    let doctor = String::from_utf8(doctor.stdout)?;
    let line = doctor.lines().find(|line| line.contains("screen hours")).context("a line about the hours")?;
    ensure!(line.contains("off from") && line.contains("black"), "{line}");

    // The page goes on painting behind it.
    thread::sleep(DARK);
    ensure!(is_dark()?, "it has come on by itself:\n{}", log(folder.path()));
    ensure!(!log(folder.path()).contains("does not paint"), "a dark screen is taken for a page that hangs");

    // A hand turns it on, and it goes off again.
    let mut pictures = Pictures::begin("hours")?;
    let key = Command::new("xdotool").args(["key", "a"]).env("DISPLAY", monitors.display()).status()?;
    ensure!(key.success() && !is_dark()?, "a key turns it on");
    pictures.keep(monitors.display(), "the-first-picture-after-a-key")?;
    wait("a dark screen again", TURN_LIMIT, folder.path(), is_dark)?;

    // The wall ends, and leaves no screen dark.
    drop(wall);
    wait("a screen that is on", TURN_LIMIT, folder.path(), || Ok(!is_dark()?))?;

    // What nobody hears of has it stay on, where that is asked for.
    let wall = start(&monitors, folder.path(), "trouble")?;
    let before = log(folder.path()).matches("the wall runs").count();
    wait("a wall that runs", START_LIMIT, folder.path(), || {
        Ok(log(folder.path()).matches("the wall runs").count() >= before.max(2))
    })?;
    thread::sleep(DARK);
    ensure!(!is_dark()?, "it is dark, and nobody would hear of an alarm:\n{}", log(folder.path()));
    drop(wall);
    Ok(())
}
