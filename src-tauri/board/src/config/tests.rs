//! Whole files: what is read, and what is said of what can't be.

use super::*;

/// A file with one of everything.
pub(super) const SOUND: &str = r#"
[board]
title = "New York departures"
timezone = "America/New_York"
grid = { columns = 12, rows = 8 }
theme = "dark"
stale-after = "5s"

[[source]]
id = "ops"
title = "Operations"
kind = "hub"
url = "http://127.0.0.1:8787"
channels = ["flights", "weather"]
transport = "websocket"
quiet = "45s"

[[widget]]
id = "cancelled-today"
title = "Cancelled today"
kind = "counter"
source = "ops"
on = "flight.cancelled"
where = { origin = "EWR" }
reset = "daily 00:00"
trend = "4h"
stale-after = "30s"
place = { column = 1, row = 1, width = 3, height = 2 }

[[widget]]
id = "board"
kind = "table"
key = "flight"
columns = [{ path = "sched", title = "Time", format = "time" }, { path = "dest_name", title = "To", width = 2 }]
sort = "-sched"
state = "status"
states = { cancelled = "alarm", delayed = "warning", departed = "muted" }
expire-at = "off_board"
"#;

#[test]
fn reads_a_sound_file() {
    let board = parse(SOUND, "board.toml").unwrap_or_else(|errors| panic!("{errors}"));
    println!("{board:#?}");
}

#[test]
fn zz() {
    let bad = SOUND
        .replace("trend", "trnd")
        .replace("\"table\"", "\"tabel\"")
        .replace("daily 00:00", "daily 24:00")
        .replace("width = 2", "widht = 2")
        .replace("= \"-sched", "= \"-sched..x")
        .replace("url = \"http://", "url = \"http://me:secretpassword@")
        .replace("\"45s\"", "45");
    let errors = parse(&bad, "board.toml").expect_err("bad");
    println!("{errors}\n{:#?}", errors.lines());
    let errors =
        parse("[board\ntitle = \"x\"\n[[widget]]\na = [1, 2\n[[source]]\nid=\"x\"\n", "board.toml").expect_err("bad");
    println!("{errors}\n{:#?}", errors.lines());
    let errors = parse("", "board.toml").expect_err("bad");
    println!("{errors}\n{:#?}", errors.lines());
}
