//! Screens that are off at their hours (H6, H7): on for a key and for what somebody has to see, on
//! again when the wall ends; and a dark screen is no page that hangs. On an X server with real outputs.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use watchfloor_tests::{
    desktop::hand, monitors::Monitors, pictures::Pictures, program::program, wait::until, window::WindowProcess,
};
use x11rb::{
    connection::Connection as _,
    protocol::screensaver::{self, ConnectionExt as _},
};

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

fn start(monitors: &Monitors, folder: &Path, wakes: &str) -> Result<WindowProcess> {
    let (board, data) = (folder.join("board.toml"), folder.join("data"));
    fs::create_dir_all(&data)?;
    fs::write(&board, BOARD)?;
    let now = TimeZone::get("Asia/Tokyo")?.to_datetime(Timestamp::now());
    let clock = |hours: i64| Ok::<_, anyhow::Error>(now.checked_add(hours.hours())?.strftime("%H:%M").to_string());
    let display =
        serde_json::json!({"display": {"off": clock(-2)?, "on": clock(2)?, "wakes": wakes, "stay-s": 5}}).to_string();
    fs::write(data.join("settings.json"), display)?;
    let mut command = Command::new(program("watchfloor")?);
    command.args(["--kiosk", "--notifications", "off", "--board"]).arg(&board);
    command.env("DISPLAY", monitors.display()).env_remove("DBUS_SESSION_BUS_ADDRESS");
    WindowProcess::start(&mut command, &data)
}

#[test]
fn screens_are_dark_at_their_hours() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let monitors = Monitors::start(folder.path())?;
    // This server has screens without power: they are blanked.
    let (asks, screen) = x11rb::connect(Some(monitors.display()))?;
    let root = asks.setup().roots.get(screen).context("a screen")?.root;
    let is_dark = || {
        Ok::<_, anyhow::Error>(asks.screensaver_query_info(root)?.reply()?.state == u8::from(screensaver::State::ON))
    };

    let wall = start(&monitors, folder.path(), "alarm")?;
    wall.wait("a dark screen", START_LIMIT, || Ok(is_dark()?.then_some(())))?;
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
    ensure!(is_dark()?, "it has come on by itself:\n{}", wall.logs()?);
    ensure!(wall.says("does not paint")? == 0, "a dark screen is taken for a page that hangs");

    // A hand turns it on, and it goes off again.
    let mut pictures = Pictures::begin("hours")?;
    hand(monitors.display(), &["key", "a"])?;
    ensure!(!is_dark()?, "a key turns it on");
    pictures.keep(monitors.display(), "the-first-picture-after-a-key")?;
    wall.wait("a dark screen again", TURN_LIMIT, || Ok(is_dark()?.then_some(())))?;

    // The wall ends, and leaves no screen dark.
    drop(wall);
    until("a screen that is on", TURN_LIMIT, || Ok((!is_dark()?).then_some(())))?;

    // What nobody hears of has it stay on, where that is asked for.
    let wall = start(&monitors, folder.path(), "trouble")?;
    let before = wall.says("the wall runs")?;
    wall.wait("a wall that runs", START_LIMIT, || Ok((wall.says("the wall runs")? >= before.max(2)).then_some(())))?;
    thread::sleep(DARK);
    ensure!(!is_dark()?, "it is dark, and nobody would hear of an alarm:\n{}", wall.logs()?);
    drop(wall);
    Ok(())
}
