//! What a site says that it has now, beside a push service that keeps no state.

use serde_json::{Value, json};
use watchfloor_model::{Continuity, Delivery, Position, Recheck, Restated, Timestamp};

use super::stage::{START, Stage};
use crate::{board::Drift, frame::WidgetValue, freshness::Freshness, testing::event};

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

/// A widget of each kind that holds a state.
const STATES: &str = r#"
[board]
title = "Test"
[[source]]
id = "s"
kind = "soketi"
url = "ws://127.0.0.1:1"
app = "k"
channels = ["c"]
snapshot = { url = "http://127.0.0.1:1/orders", as = "order", time = "at" }
[[widget]]
id = "gauge"
kind = "gauge"
value = "v"
trend = "1m"
[[widget]]
id = "table"
kind = "table"
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
"#;
const STATEFUL: [&str; 4] = ["gauge", "table", "tiles", "map"];

impl Stage {
    /// Shows `v` of `a`, dated now, and loses its link half a minute later for so long.
    fn lost() -> Self {
        let mut stage = Self::with(STATES);
        stage.connect();
        stage.named("order", json!({"k": "a", "v": 1}));
        stage.pass(60_000);
        stage.gap(Continuity::Snapshot, 30_000);
        stage
    }

    /// What a widget of [`STATES`] shows of `key`.
    fn of(&self, widget: &str, key: &str) -> Value {
        let value = &self.board.report(self.now)["widgets"][widget]["value"];
        let row = |value: &Value| value.as_array()?.iter().find(|row| row["key"] == key).cloned();
        match widget {
            "gauge" => value.clone(),
            "table" => row(value).map_or(Value::Null, |row| row["cells"][0].clone()),
            "tiles" => value[key]["text"].clone(),
            _ => value[key]["lat"].clone(),
        }
    }

    fn named(&mut self, name: &str, data: Value) {
        let place = Position::new("link-1", self.offset);
        self.offset += 1;
        let at = self.time().as_millis();
        let event = watchfloor_model::Event { position: Some(place), received: self.now, ..event("c", name, at, data) };
        self.board.handle_delivery("s", &Delivery::Events(vec![event]), self.now);
    }

    fn restated(&mut self, rows: &[Value]) {
        self.restated_at(self.time().as_millis(), rows);
    }

    fn restated_at(&mut self, at: i64, rows: &[Value]) {
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
        self.recheck_at(self.time().as_millis(), rows, later)
    }

    fn recheck_at(&mut self, at: i64, rows: &[Value], later: &[Value]) -> Vec<Drift> {
        let events = |of: &[Value]| of.iter().map(|row| event("c", "order", at, row.clone())).collect();
        let restated = Restated {
            channel: "c".into(),
            name: Some("order".into()),
            events: events(rows),
            positions: self.board.lanes[0].channels["c"]
                .position
                .clone()
                .map(|place| ("c".into(), place))
                .into_iter()
                .collect(),
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

/// H3, H1: what a site says twice is so, though its row is dated before what is shown. It is taken once, and is as old as its row.
#[test]
fn a_row_that_is_dated_earlier_corrects() {
    let mut stage = Stage::with(STATES);
    stage.connect();
    stage.pass(10_000);
    stage.named("order", json!({"k": "a", "v": 1}));
    let before = stage.time().as_millis() - 1000;
    stage.pass(20_000);
    let row = [json!({"k": "a", "v": 7})];
    let mut turns = (0..4).map(|_| {
        let drifts = stage.recheck_at(before, &row, &[]);
        let mut widgets: Vec<String> = drifts.into_iter().map(|drift| drift.widget).collect();
        widgets.dedup();
        (widgets.join(" "), stage.board.take_corrected())
    });
    assert_eq!(turns.next(), Some((String::new(), false)));
    assert_eq!(turns.next(), Some(("gauge table tiles map".to_owned(), true)));
    assert_eq!(turns.next(), Some((String::new(), false)));
    assert_eq!(turns.next(), Some((String::new(), false)));
    for widget in STATEFUL {
        assert_eq!(stage.quality(widget).source_ms, Some(before), "{widget}");
    }
    assert_eq!(stage.of("table", "a"), json!(7));
    assert_eq!(
        (stage.of("gauge", "a"), stage.of("tiles", "a"), stage.of("map", "a")),
        (json!(7), json!("7"), json!(7.0))
    );
    // What comes is newer again.
    stage.named("order", json!({"k": "a", "v": 2}));
    assert_eq!(stage.number("gauge"), Some(2.0));
}

/// H1: a site whose row is older than what is shown, and says otherwise, is behind: it shows nothing of what was missed. When it says so
/// twice, it is so.
#[test]
fn a_site_that_is_behind() {
    let mut stage = Stage::lost();
    let before = START - 10_000;
    let said = [json!({"k": "a", "v": 7}), json!({"k": "b", "v": 3})];
    stage.restated_at(before, &said);
    for widget in STATEFUL {
        assert_eq!(stage.of(widget, "a").to_string().trim_matches('"').trim_end_matches(".0"), "1", "{widget}");
        let quality = stage.quality(widget);
        assert!(quality.incomplete_until_ms.is_some(), "{widget}");
        assert_eq!((quality.basis, quality.source_ms), (Continuity::Unknown, Some(START)), "{widget}");
    }
    assert_eq!(stage.of("table", "b"), json!(3), "of b nothing newer was known");
    // It has caught up.
    let said = [json!({"k": "a", "v": 1}), json!({"k": "b", "v": 3})];
    let are_marked = |stage: &mut Stage| {
        assert_eq!(stage.recheck_at(START, &said, &[json!({"k": "a", "v": 1})]), []);
        STATEFUL.map(|widget| stage.quality(widget).incomplete_until_ms.is_some())
    };
    assert_eq!(are_marked(&mut stage), [true; 4]);
    assert_eq!(are_marked(&mut stage), [false; 4], "nothing was wrong, and nothing is missing");
    assert!(STATEFUL.iter().all(|widget| stage.quality(widget).basis == Continuity::Snapshot));
    assert!(stage.board.take_corrected(), "the next run knows it too");
}

/// H1: what was found before a gap says nothing of what is missing since.
#[test]
fn a_gap_between_two_questions() {
    let mut stage = Stage::lost();
    let said = [json!({"k": "a", "v": 1})];
    for _ in 0..2 {
        stage.recheck_at(START, &said, &[]);
        stage.gap(Continuity::Snapshot, 1000);
    }
    assert!(STATEFUL.iter().all(|widget| stage.quality(widget).incomplete_until_ms.is_some()));
}

/// H2: events are often dated when they came, and rows when they were written. A row that says the same closes the gap, and H1: nothing
/// becomes younger by it.
#[test]
fn a_row_that_says_the_same() {
    let mut stage = Stage::lost();
    stage.restated_at(START - 80, &[json!({"k": "a", "v": 1})]);
    for widget in STATEFUL {
        let quality = stage.quality(widget);
        assert_eq!((quality.incomplete_until_ms, quality.basis), (None, Continuity::Snapshot), "{widget}");
        assert!(quality.source_ms <= Some(START), "{widget}");
    }
    assert_eq!(stage.quality("gauge").received_ago_ms, Some(60_000));
}

/// H1: rows that don't speak of a gauge say nothing of what it may lack.
#[test]
fn rows_without_a_word_of_a_gauge() {
    let mut stage = Stage::lost();
    for turn in 0..3 {
        stage.restated(&[json!({"k": "a"})]);
        assert_eq!(stage.recheck(&[json!({"k": "a"})], &[]), [], "{turn}");
        let quality = stage.quality("gauge");
        assert!(quality.incomplete_until_ms.is_some() && quality.basis == Continuity::Unknown, "{turn}");
    }
    assert_eq!(stage.number("gauge"), Some(1.0));
}

/// H3: rows that tell no time are as old as the question, each time another one: a tile that is wrong is found all the same, and one
/// that isn't says since when as before.
#[test]
fn tiles_of_rows_that_tell_no_time() {
    let mut stage = Stage::with(STATES);
    stage.connect();
    for key in ["a", "b"] {
        stage.named("order", json!({"k": key, "v": 1}));
    }
    let mut turns = (0..3).map(|_| {
        stage.pass(5000);
        let drifts = stage.recheck(&[json!({"k": "a", "v": 1}), json!({"k": "b", "v": 2})], &[]);
        drifts.into_iter().filter(|drift| drift.widget == "tiles").map(|drift| drift.field).collect::<Vec<_>>()
    });
    assert_eq!(turns.next(), Some(vec![]));
    assert_eq!(turns.next(), Some(vec!["b · text".to_owned()]));
    assert_eq!(turns.next(), Some(vec![]));
    let tiles = &stage.board.report(stage.now)["widgets"]["tiles"]["value"];
    assert_eq!((&tiles["a"]["since"], &tiles["b"]["since"]), (&json!(START), &json!(START + 10_000)));
}

/// H3: a gauge that shows what events of another name told isn't corrected by an older row, of which its site speaks.
#[test]
fn a_gauge_of_which_others_speak_too() {
    let mut stage = Stage::with(STATES);
    stage.connect();
    stage.named("order", json!({"k": "a", "v": 3}));
    stage.pass(1000);
    stage.named("truck", json!({"k": "a", "v": 9}));
    let row = [json!({"k": "a", "v": 3})];
    let asked = |stage: &mut Stage| {
        let drifts = [(); 2].map(|()| stage.recheck_at(START, &row, &[])).into_iter().flatten();
        drifts.filter(|drift| drift.widget == "gauge").count()
    };
    assert_eq!((asked(&mut stage), stage.number("gauge")), (0, Some(9.0)));
    // The next run knows that too.
    let text = serde_json::to_string(&stage.board.checkpoint(stage.now, Timestamp::from_millis(START))).expect("JSON");
    let mut next = Stage::with(STATES);
    next.board.restore(&serde_json::from_str(&text).expect("own checkpoint"), next.now, Timestamp::from_millis(START));
    next.connect();
    next.offset = stage.offset;
    assert_eq!((asked(&mut next), next.number("gauge")), (0, Some(9.0)));
    // What its own events told is.
    stage.pass(1000);
    stage.named("order", json!({"k": "a", "v": 4}));
    stage.pass(1000);
    stage.named("truck", json!({"k": "a"}));
    assert_eq!((asked(&mut stage), stage.number("gauge")), (1, Some(3.0)));
}

/// H2: what a site says is what is shown then, so that nothing of it is overtaken any more.
#[test]
fn what_a_site_confirms_is_not_overtaken() {
    let overtaken = || {
        let mut stage = Stage::with(STATES);
        stage.connect();
        stage.pass(60_000);
        stage.named("order", json!({"k": "a", "v": 1}));
        for _ in 0..8 {
            stage.pass(1000);
            let event = watchfloor_model::Event {
                position: Some(Position::new("link-1", stage.offset)),
                received: stage.now,
                ..event("c", "order", START, json!({"k": "a", "v": 9}))
            };
            stage.offset += 1;
            stage.board.handle_delivery("s", &Delivery::Events(vec![event]), stage.now);
        }
        stage.status_is(watchfloor_model::Phase::Live);
        stage
    };
    let freshness = |stage: &Stage| ["gauge", "tiles", "map"].map(|widget| stage.quality(widget).freshness);
    let right = [json!({"k": "a", "v": 9})];
    let mut asked = overtaken();
    assert_eq!(freshness(&asked), [Freshness::Stale; 3]);
    asked.gap(Continuity::Snapshot, 1000);
    asked.restated(&right);
    assert_eq!(freshness(&asked), [Freshness::Live; 3], "after a loss");
    let mut compared = overtaken();
    for _ in 0..2 {
        compared.recheck_at(START, &right, &[]);
    }
    assert_eq!(compared.number("gauge"), Some(9.0));
    assert_eq!(freshness(&compared), [Freshness::Live; 3], "corrected");
    let mut agreed = overtaken();
    for _ in 0..2 {
        agreed.recheck(&[json!({"k": "a", "v": 1})], &[]);
    }
    assert_eq!(freshness(&agreed), [Freshness::Live; 3], "the same as shown");
}

/// H2: what a site says twice is so, though the newest event could not be used.
#[test]
fn what_a_site_confirms_can_be_used() {
    let mut stage = Stage::with(STATES);
    stage.connect();
    stage.named("order", json!({"k": "a", "v": 1}));
    stage.named("order", json!({"k": "a", "v": "ERR"}));
    stage.pass(60_000);
    stage.status_is(watchfloor_model::Phase::Live);
    let freshness = |stage: &Stage| stage.quality("gauge").freshness;
    assert_eq!(freshness(&stage), Freshness::Stale);
    for expected in [Freshness::Stale, Freshness::Live] {
        stage.recheck(&[json!({"k": "a", "v": 1})], &[]);
        assert_eq!(freshness(&stage), expected);
    }
}
