//! What a site says that it has now, beside a push service that keeps no state.

use serde_json::{Value, json};
use watchfloor_model::{Continuity, Delivery, Position, Recheck, Restated, Timestamp};

use super::stage::{START, Stage};
use crate::{board::Drift, frame::WidgetValue, testing::event};

const BOARD: &str = r#"
[board]
title = "Test"
grid = { columns = 6, rows = 6 }
[[source]]
id = "s"
kind = "soketi"
url = "ws://127.0.0.1:1"
app = "k"
channels = ["c"]
[[widget]]
id = "count"
kind = "counter"
[[widget]]
id = "gauge"
kind = "gauge"
value = "v"
[[widget]]
id = "table"
kind = "table"
on = ["order", "gone"]
where = { open = true }
key = "k"
columns = [{ path = "k" }, { path = "v" }]
remove-on = "gone"
[[widget]]
id = "others"
kind = "table"
on = "truck"
key = "k"
columns = [{ path = "k" }, { path = "v" }]
"#;

impl Stage {
    fn named(&mut self, name: &str, data: Value) {
        let place = Position::new("link-1", self.offset);
        self.offset += 1;
        let at = self.time().as_millis();
        let event = watchfloor_model::Event { position: Some(place), received: self.now, ..event("c", name, at, data) };
        self.board.handle_delivery("s", &Delivery::Events(vec![event]), self.now);
    }

    fn restated(&mut self, rows: &[Value]) {
        let at = self.time().as_millis();
        let restated = Restated {
            channel: "c".into(),
            name: Some("order".into()),
            events: rows.iter().map(|row| event("c", "order", at, row.clone())).collect(),
            positions: [("c".into(), Position::new("link-2", 0))].into(),
            received: self.now,
        };
        self.board.handle_delivery("s", &Delivery::Restated(restated), self.now);
    }

    /// A site says this, and the events came since it was asked.
    fn recheck(&mut self, rows: &[Value], later: &[Value]) -> Vec<Drift> {
        let at = self.time().as_millis();
        let events = |of: &[Value]| of.iter().map(|row| event("c", "order", at, row.clone())).collect();
        let restated = Restated {
            channel: "c".into(),
            name: Some("order".into()),
            events: events(rows),
            positions: [("c".into(), Position::new("link-1", self.offset - 1))].into(),
            received: self.now,
        };
        let check = Recheck { restated, later: events(later) };
        self.board.handle_delivery("s", &Delivery::Recheck(Box::new(check)), self.now);
        self.board.take_drifts()
    }

    fn keys(&mut self, widget: &str) -> Vec<String> {
        let report = self.board.report(self.now);
        let rows = report["widgets"][widget]["value"].as_array().cloned().unwrap_or_default();
        let mut keys: Vec<String> = rows.iter().map(|row| row["key"].to_string()).collect();
        keys.sort();
        keys
    }
}

/// H3: what isn't there any more goes, what is new comes; what counts keeps what it has, and says that it may be more.
#[test]
fn states_begin_again_and_counts_stay() {
    let mut stage = Stage::with(BOARD);
    stage.connect();
    for key in ["a", "b"] {
        stage.named("order", json!({"k": key, "v": 1, "open": true}));
        stage.named("truck", json!({"k": key, "v": 1}));
    }
    stage.pass(60_000);
    stage.gap(Continuity::Snapshot, 50_000);
    stage.restated(&[
        json!({"k": "b", "v": 5, "open": true}),
        json!({"k": "c", "v": 6, "open": true}),
        json!({"k": "d", "v": 7, "open": false}),
    ]);
    stage.status(|now, status| status.link_proof = Some(now));
    assert_eq!(stage.keys("table"), ["\"b\"", "\"c\""]);
    assert_eq!(stage.keys("others"), ["\"a\"", "\"b\""], "of trucks nothing was said");
    assert_eq!(stage.number("count"), Some(4.0), "rows are no events");
    assert!(stage.is_at_least("count"), "of how many there were meanwhile nobody knows");
    assert_eq!(stage.number("gauge"), Some(7.0));
    let basis = |widget: &str| stage.quality(widget).basis;
    assert_eq!((basis("table"), basis("gauge")), (Continuity::Snapshot, Continuity::Snapshot));
    assert_eq!((basis("count"), basis("others")), (Continuity::Unknown, Continuity::Unknown));
    // The stream goes on after it.
    stage.named("gone", json!({"k": "b"}));
    assert_eq!(stage.keys("table"), ["\"c\""]);
}

/// H3: nothing is a state too; H1: rows of a page that was open before go with it.
#[test]
fn an_empty_site_empties_the_table() {
    let mut stage = Stage::with(BOARD);
    stage.connect();
    stage.named("order", json!({"k": "a", "v": 1, "open": true}));
    let before = stage.board.version();
    stage.restated(&[]);
    assert_eq!(stage.keys("table"), [""; 0]);
    let frame = stage.frame(before);
    let table = frame.widgets.into_iter().find(|patch| patch.id == "table").expect("changed");
    assert!(matches!(table.value, Some(WidgetValue::Table(_))));
    assert_eq!(stage.number("gauge"), Some(1.0), "a gauge of which nothing was said stays");
}

/// H3: after a restart the table is what the site said and what came after.
#[test]
fn a_restart_keeps_what_was_said() {
    let mut stage = Stage::with(BOARD);
    stage.connect();
    stage.restated(&[json!({"k": "a", "v": 1, "open": true})]);
    let checkpoint = stage.board.checkpoint(stage.now, Timestamp::from_millis(START));
    let mut other = Stage::with(BOARD);
    other.board.restore(&checkpoint, other.now, Timestamp::from_millis(START));
    assert_eq!(other.keys("table"), ["\"a\""]);
}

/// H3: what a site says differently twice is taken, counted and named; what it said once was on its way. Columns of which it says
/// nothing don't differ.
#[test]
fn what_differs_twice_is_corrected() {
    let row = |key: &str, v: i64| json!({"k": key, "v": v, "open": true});
    let mut stage = Stage::with(BOARD);
    stage.connect();
    for key in ["a", "b"] {
        stage.named("order", row(key, 1));
    }
    let right = [row("a", 1), row("b", 1)];
    assert_eq!(stage.recheck(&right, &[]), []);
    assert_eq!(stage.recheck(&[json!({"k": "a", "open": true}), row("b", 1)], &[]), [], "of a's v nothing was said");
    // Something is on its way to the site, or from it.
    assert_eq!(stage.recheck(&[row("a", 1)], &[]), []);
    assert_eq!(stage.recheck(&right, &[]), []);
    assert_eq!(stage.recheck(&[row("a", 1)], &[]), [], "the one before was right again");
    assert_eq!(stage.recheck(&[row("a", 2)], &[row("a", 1), row("b", 1)]), [], "what came since is newer");
    assert_eq!(stage.keys("table"), ["\"a\"", "\"b\""]);
    // b went, and nobody heard it.
    assert_eq!(stage.recheck(&[row("a", 1)], &[]), []);
    let found = stage.recheck(&[row("a", 1)], &[]);
    let table: Vec<_> = found.iter().filter(|drift| drift.widget == "table").map(|drift| &*drift.field).collect();
    assert_eq!(table, ["b", "rows"], "{found:?}");
    assert_eq!(stage.keys("table"), ["\"a\""]);
    assert!(stage.board.take_corrected());
    assert_eq!(stage.number("count"), Some(2.0), "rows are no events");
    assert_eq!(stage.recheck(&[row("a", 1)], &[]), []);
}

/// A gauge's trend is what was: only its number is compared.
#[test]
fn a_gauge_is_corrected_too() {
    let row = |v: i64| json!({"k": "a", "v": v, "open": true});
    let mut stage = Stage::with(BOARD);
    stage.connect();
    stage.named("order", row(1));
    stage.pass(1000);
    assert_eq!(stage.recheck(&[row(5)], &[]), []);
    let found = stage.recheck(&[row(5)], &[]);
    assert!(
        found.iter().any(|drift| drift.widget == "gauge" && drift.shown == "1" && drift.server == "5"),
        "{found:?}"
    );
    assert_eq!(stage.number("gauge"), Some(5.0));
}

/// H3: where all of a channel is said anew, as by the first document of a poll, whatever holds a state of it begins again.
#[test]
fn a_whole_channel_is_said_anew() {
    let mut stage = Stage::with(BOARD);
    stage.connect();
    stage.named("order", json!({"k": "a", "v": 1, "open": true}));
    stage.named("truck", json!({"k": "t", "v": 1}));
    let restated = Restated {
        channel: "c".into(),
        name: None,
        events: Vec::new(),
        positions: [("c".into(), Position::new("link-2", 0))].into(),
        received: stage.now,
    };
    stage.board.handle_delivery("s", &Delivery::Restated(restated), stage.now);
    assert_eq!((stage.keys("table"), stage.keys("others")), (vec![], vec![]));
    assert_eq!((stage.number("count"), stage.number("gauge")), (Some(2.0), Some(1.0)));
}
