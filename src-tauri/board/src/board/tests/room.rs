//! The room: when it is dark, and what wakes a screen that is off.

use serde_json::json;
use watchfloor_model::{Phase, Timestamp};

use super::stage::*;
use crate::frame::State;

fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("an instant").as_millisecond())
}

/// By the machine's clock in the board's zone, also where clocks are set forward and back, or jump; a sensor's word counts in its place.
#[test]
fn night_goes_by_the_clock_on_the_wall() {
    let night =
        "title = \"Test\"\ntimezone = \"Europe/Vienna\"\nnight = { from = \"21:00\", to = \"02:30\", days = \"sat\" }";
    let mut stage = Stage::with(&BOARD.replace("title = \"Test\"", night));
    let mut is_night = |wall: &str| stage.board.frame(0, 0, stage.now, at(wall)).night;
    // A Saturday in winter, the hour that there is twice, and the one that there isn't.
    for (wall, is) in [
        ("2026-11-28T19:59:59Z", false),
        ("2026-11-28T20:00:00Z", true),
        ("2026-11-29T01:29:59Z", true),
        ("2026-11-29T01:30:00Z", false),
        ("2026-11-28T01:00:00Z", false),
        ("2026-10-25T00:29:59Z", true),
        ("2026-10-25T00:30:00Z", false),
        ("2026-10-25T01:15:00Z", true),
        ("2026-10-25T01:30:00Z", false),
        ("2026-03-29T00:59:59Z", true),
        ("2026-03-29T01:00:00Z", false),
        ("1970-01-01T00:00:00Z", false),
    ] {
        assert_eq!(is_night(wall), is, "{wall}");
    }
    let (day, dark) = (at("2026-11-28T12:00:00Z"), at("2026-11-28T23:00:00Z"));
    for (sensor, expected) in [(Some(true), [true, true]), (Some(false), [false, false]), (None, [false, true])] {
        let version = stage.board.version();
        stage.board.set_dark(sensor);
        assert!(stage.board.version() > version, "whoever waits for something new gets it");
        assert_eq!([day, dark].map(|wall| stage.board.room(stage.now, wall).night), expected, "{sensor:?}");
    }
    let version = stage.board.version();
    stage.board.set_dark(None);
    assert_eq!(stage.board.version(), version);
}

/// H6: an alarm is seen wherever it stands, in rows too, and still stands when nothing more is heard.
#[test]
fn the_worst_of_a_board_is_told() {
    const ROWS: &str = "[[widget]]\nid = \"late\"\nkind = \"table\"\nkey = \"k\"\ncolumns = [{ path = \"v\" }]\nstate = \"s\"\nstates = { bad = \"alarm\", odd = \"warning\" }\n";
    let mut stage = Stage::beside(ROWS);
    let room = |stage: &Stage| stage.board.room(stage.now, Timestamp::default());
    assert_eq!((room(&stage).worst, room(&stage).unwell), (State::Normal, 7), "nothing is known yet");
    stage.event(json!({"v": 1.0, "k": "a", "s": "odd"}));
    assert_eq!((room(&stage).worst, room(&stage).unwell), (State::Warning, 0));
    stage.event(json!({"v": 1.0, "k": "b", "s": "bad"}));
    assert_eq!(room(&stage).worst, State::Alarm);
    stage.event(json!({"v": 1.0, "k": "b", "s": "fine"}));
    stage.event(json!({"v": 30.0, "k": "c", "s": "fine"}));
    assert_eq!(room(&stage).worst, State::Alarm, "a number's band");
    stage.status_is(Phase::Waiting);
    stage.pass(60_000);
    let told = room(&stage);
    assert_eq!((told.worst, told.unwell), (State::Alarm, 7), "whatever its age");
}
