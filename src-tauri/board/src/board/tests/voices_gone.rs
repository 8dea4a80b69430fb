//! Publishers that are gone for good, with all that they told.

use serde_json::json;
use watchfloor_model::Timestamp;

use super::voices::Plant;
use crate::{board::Checkpoint, freshness::Freshness};

const BOARD: &str = r#"
[board]
title = "Test"

[[source]]
id = "plant"
kind = "mqtt"
url = "mqtt://127.0.0.1"
channels = ["spBv1.0/P/#"]
sparkplug = "listen"

[[widget]]
id = "any"
kind = "gauge"
value = "metrics.Temperature"

[[widget]]
id = "rows"
kind = "table"
key = "device"
columns = [{ path = "metrics.Temperature" }]
state = "quality"
states = { good = "normal", stale = "alarm" }
expire = "1m"

[[widget]]
id = "map"
kind = "markers"
key = "device"
lat = "metrics.Temperature"
lon = "metrics.Temperature"
expire = "1m"

[[widget]]
id = "node"
kind = "table"
key = "node"
columns = [{ path = "metrics.Temperature" }]
remove-on = "P/N/Off"

[[widget]]
id = "mean"
kind = "window"
last = "1m"
stat = "mean"
value = "metrics.Temperature"

[[widget]]
id = "chart"
kind = "series"
bucket = "1m"
keep = "5m"

[[widget]]
id = "count"
kind = "counter"
"#;
const ALL: [&str; 7] = ["any", "rows", "map", "node", "mean", "chart", "count"];

fn stale(plant: &Plant) -> Vec<&'static str> {
    let is_stale =
        |widget: &&str| plant.board.freshness(widget, plant.now).expect("there is one").freshness == Freshness::Stale;
    ALL.into_iter().filter(is_stale).collect()
}

/// The pump and the fan are there, with the pump's number before the fan's.
fn born() -> Plant {
    let mut plant = Plant::with(BOARD);
    plant.says("Pump", "good", json!({"Temperature": 20}));
    plant.says("Fan", "good", json!({"Temperature": 30}));
    plant
}

/// The same board in the next run.
fn restarted(plant: &Plant, change: impl FnOnce(&mut Checkpoint)) -> Plant {
    let wall = Timestamp::from_millis(1_700_000_000_000);
    let text = serde_json::to_string(&plant.board.checkpoint(plant.now, wall)).expect("JSON");
    let mut checkpoint = serde_json::from_str(&text).expect("own checkpoint");
    change(&mut checkpoint);
    let mut next = Plant::with(BOARD);
    next.board.restore(&checkpoint, next.now, wall);
    next
}

/// H2: who is gone concerns a value for as long as something of it is in it: a row until it goes, a window until it has passed, a chart
/// for as long as it reaches back, a gauge until another tells it.
#[test]
fn whose_values_are_gone_is_forgotten() {
    let mut plant = born();
    assert_eq!(stale(&plant), [""; 0]);
    plant.says_at(10, "Pump", "stale", json!({}));
    assert_eq!(
        stale(&plant),
        ["map", "node", "mean", "chart", "count"],
        "the gauge is the fan's, and each row says so itself"
    );
    plant.says_at(120, "Fan", "good", json!({"Temperature": 31}));
    assert_eq!(stale(&plant), ["node", "chart", "count"]);
    plant.says_at(600, "Fan", "good", json!({"Temperature": 32}));
    assert_eq!(stale(&plant), ["node", "count"]);
    // Who takes a row away has no part in it, and what begins again is told anew.
    plant.says_at(601, "Off", "good", json!({}));
    plant.says_at(602, "Fan", "good", json!({"Temperature": 33}));
    plant.says_at(603, "Off", "stale", json!({}));
    assert_eq!(stale(&plant), ["map", "mean", "chart", "count"]);
}

/// H2, H4: nor does another connection or another run wait for the birth of one of whom nothing is shown any more.
#[test]
fn nobody_waits_for_who_is_gone() {
    for restart in [false, true] {
        let mut plant = born();
        plant.says_at(10, "Pump", "stale", json!({}));
        plant.says_at(120, "Fan", "good", json!({"Temperature": 31}));
        if restart {
            plant = restarted(&plant, |_| {});
        }
        plant.connects("link-2");
        assert_eq!(stale(&plant), ALL, "H1: nobody has said that it is there");
        plant.says_at(121, "Fan", "good", json!({"Temperature": 31}));
        assert_eq!(stale(&plant), ["node", "chart", "count"], "{restart}");
    }
}

/// H1: of what was written down before it was known who told what, everybody is in it.
#[test]
fn what_was_written_down_before() {
    let mut next = restarted(&born(), |checkpoint| {
        for source in checkpoint.sources.values_mut() {
            source.aggregates.values_mut().for_each(|own| own.shares.clear());
        }
    });
    next.connects("link-2");
    next.says_at(1, "Fan", "good", json!({"Temperature": 31}));
    assert_eq!(stale(&next), ["rows", "map", "node", "mean", "chart", "count"]);
    next.says_at(120, "Fan", "good", json!({"Temperature": 31}));
    assert_eq!(stale(&next), ["rows", "map", "node", "chart", "count"], "the window has passed all the same");
}

/// H2, H5: there may be any number of publishers one after the other; of too many at once nobody knows whether all are good, until
/// what they told is gone.
#[test]
fn too_many_at_once() {
    let mut plant = Plant::with(BOARD);
    for number in 0..1500 {
        plant.says_at(number, &format!("D{number}"), "good", json!({"Temperature": 20}));
    }
    assert_eq!(stale(&plant), ["node", "count"], "what forgets nothing is of them all");
    assert_eq!(plant.reason("count"), "more than 1024 publishers are in it");
    let mut plant = Plant::with(BOARD);
    for number in 0..1500 {
        plant.says(&format!("D{number}"), "good", json!({"Temperature": 20}));
    }
    let over = ["rows", "map", "node", "mean", "chart", "count"];
    assert_eq!(stale(&plant), over);
    let next = restarted(&plant, |_| {});
    assert_eq!(next.reason("mean"), "more than 1024 publishers are in it");
    for mut plant in [plant, next] {
        plant.is_later(600);
        plant.says_at(600, "Fan", "good", json!({"Temperature": 30}));
        assert_eq!(stale(&plant), ["node", "count"]);
    }
}
