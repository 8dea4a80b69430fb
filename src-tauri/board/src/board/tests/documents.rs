//! A polled document: whatever was missed, the next one says what there is.

use serde_json::{Value, json};
use watchfloor_model::{Continuity, Delivery, Event, Gap, Mono, Phase, Position, Restated};

use super::stage::{START, Stage};
use crate::{
    frame::{Agreement, WidgetValue},
    testing::event,
};

const BOARD: &str = r#"
[board]
title = "Test"
[[source]]
id = "s"
kind = "poll"
url = "http://127.0.0.1:1/stock"
channels = ["c"]
event = { id = "k" }
[[widget]]
id = "table"
kind = "table"
on = ["present", "new", "changed"]
remove-on = "removed"
key = "k"
columns = [{ path = "v" }]
[[widget]]
id = "tiles"
kind = "status"
key = "k"
state = "v"
states = { "9" = "alarm" }
[[widget]]
id = "map"
kind = "markers"
key = "k"
lat = "v"
lon = "v"
[[widget]]
id = "gauge"
kind = "gauge"
where = { k = "a" }
value = "v"
[[widget]]
id = "count"
kind = "counter"
on = "new"
[[widget]]
id = "chart"
kind = "series"
bucket = "10s"
keep = "5m"
"#;
/// The document as it is, without rows, and a second source for its number.
const PLAIN: &str = r#"
[board]
title = "Test"
[[source]]
id = "s"
kind = "poll"
url = "http://127.0.0.1:1/load"
channels = ["c"]
[[source]]
id = "other"
kind = "poll"
url = "http://127.0.0.1:2/load"
channels = ["c"]
[[widget]]
id = "gauge"
source = "s"
kind = "gauge"
value = "v"
against = { source = "other", tolerance = 0.5 }
[[widget]]
id = "table"
source = "s"
kind = "table"
key = "k"
columns = [{ path = "v" }]
"#;
const STATES: [&str; 4] = ["table", "tiles", "map", "gauge"];

fn delivered(stage: &mut Stage, source: &str, delivery: &Delivery) {
    stage.board.handle_delivery(source, delivery, stage.now);
}

/// A gap of ten seconds between two places.
fn gap(stage: &mut Stage, source: &str, from: Option<Position>, to: Position) {
    let gap = Gap {
        channel: "c".into(),
        from,
        to: Some(to),
        proof: Continuity::Unknown,
        reason: "the server offers no snapshot".to_owned(),
        began: Mono::from_micros(stage.now.as_micros() - 10_000_000),
        ended: stage.now,
        source_times: None,
    };
    delivered(stage, source, &Delivery::Gap(gap));
}

fn told(stage: &mut Stage, source: &str, place: Position, name: &str, data: Value) {
    let at = stage.time().as_millis();
    let event = Event { position: Some(place), received: stage.now, ..event("c", name, at, data) };
    delivered(stage, source, &Delivery::Events(vec![event]));
}

fn place(link: &'static str, offset: u64) -> Position {
    Position::new(link, offset)
}

fn marked(stage: &Stage) -> Vec<&'static str> {
    let is_marked = |widget: &&str| stage.quality(widget).incomplete_until_ms.is_some();
    STATES.into_iter().filter(is_marked).collect()
}

/// Its first document has been told, with two rows.
fn live() -> Stage {
    let mut stage = Stage::with(BOARD);
    stage.connect();
    gap(&mut stage, "s", None, place("link-1", 0));
    let restated = Restated {
        channel: "c".into(),
        name: None,
        events: Vec::new(),
        positions: [("c".into(), place("link-1", 0))].into(),
        received: stage.now,
    };
    delivered(&mut stage, "s", &Delivery::Restated(restated));
    told(&mut stage, "s", place("link-1", 1), "present", json!({"k": "a", "v": 1}));
    told(&mut stage, "s", place("link-1", 2), "present", json!({"k": "b", "v": 1}));
    stage
}

/// H2, H3: over a lost link the rows are compared with the last document, so what holds a state is the document's own again; how often
/// something happened meanwhile, and when, nobody knows.
#[test]
fn a_lost_link_leaves_states_complete() {
    let mut stage = live();
    assert_eq!(marked(&stage), [""; 0], "the first document says all");
    stage.pass(60_000);
    stage.status_is(Phase::Live);
    gap(&mut stage, "s", Some(place("link-1", 2)), place("link-2", 0));
    told(&mut stage, "s", place("link-2", 1), "changed", json!({"k": "b", "v": 2}));
    told(&mut stage, "s", place("link-2", 2), "new", json!({"k": "c", "v": 3}));
    assert_eq!(marked(&stage), [""; 0]);
    assert!(STATES.iter().all(|widget| stage.quality(widget).basis == Continuity::Snapshot));
    assert!(stage.is_at_least("count") && stage.quality("chart").incomplete_until_ms.is_some());
    let WidgetValue::Series(series) = stage.value("chart") else { panic!("a chart") };
    assert_eq!(series.gaps.last(), Some(&(START + 50_000, START + 60_000)));
    // Nothing is another one.
    stage.pass(60_000);
    stage.status_is(Phase::Live);
    gap(&mut stage, "s", Some(place("link-2", 2)), place("link-3", 0));
    assert_eq!(marked(&stage), [""; 0]);
}

/// H3: a row that can't be told is missing, and isn't told by the next link either.
#[test]
fn a_row_that_is_lost_is_missing() {
    let mut stage = live();
    stage.pass(60_000);
    stage.status_is(Phase::Live);
    gap(&mut stage, "s", Some(place("link-1", 2)), place("link-1", 3));
    assert_eq!(marked(&stage), STATES);
    gap(&mut stage, "s", Some(place("link-1", 3)), place("link-2", 0));
    assert_eq!(marked(&stage), STATES);
    // What a gauge shows depends on nothing before it.
    told(&mut stage, "s", place("link-2", 1), "changed", json!({"k": "a", "v": 2}));
    assert_eq!(marked(&stage), ["table", "tiles", "map"]);
}

/// H3: so is one of the document with which a link begins, also where nothing of that was told before it.
#[test]
fn a_first_row_that_is_lost_is_missing() {
    let mut stage = live();
    stage.pass(60_000);
    stage.status_is(Phase::Live);
    gap(&mut stage, "s", Some(place("link-1", 2)), place("link-2", 1));
    assert_eq!(marked(&stage), STATES);
}

/// H3: where another address may have told the document before, nobody knows what it is compared with.
#[test]
fn several_addresses_prove_nothing() {
    let two = BOARD.replace("/stock\"\n", "/stock\"\nredundant-urls = [\"http://127.0.0.1:2/stock\"]\n");
    let mut stage = Stage::with(&two);
    stage.connect();
    gap(&mut stage, "s", Some(place("link-1", 2)), place("link-2", 0));
    assert_eq!(marked(&stage), STATES);
}

/// H2, H3: a document without rows is what its gauges show, and these are compared again; rows that several documents told may be missing.
#[test]
fn a_document_without_rows() {
    let mut stage = Stage::with(PLAIN);
    stage.connect();
    let status = stage.board.status("s").expect("a source").clone();
    stage.board.handle_status("other", status, stage.now);
    for source in ["s", "other"] {
        gap(&mut stage, source, None, place("link-1", 0));
        told(&mut stage, source, place("link-1", 1), "document", json!({"k": "a", "v": 1}));
    }
    let is_marked = |stage: &Stage, widget| stage.quality(widget).incomplete_until_ms.is_some();
    assert_eq!((is_marked(&stage, "gauge"), is_marked(&stage, "table")), (false, true));
    let agreement = |stage: &Stage| stage.quality("gauge").against.map(|against| against.agreement);
    assert_eq!(agreement(&stage), Some(Agreement::Agrees));
    for source in ["s", "other"] {
        gap(&mut stage, source, Some(place("link-1", 1)), place("link-2", 0));
    }
    assert_eq!((is_marked(&stage, "gauge"), is_marked(&stage, "table")), (false, true), "it hasn't changed");
    assert_eq!(agreement(&stage), Some(Agreement::Agrees));
}
