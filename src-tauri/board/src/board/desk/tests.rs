//! What a hand finds is what the board shows, and nothing that nobody may see.

use serde_json::json;
use watchfloor_model::{Delivery, Event, Mono, Payload, Phase, SourceStatus, Timestamp};

use crate::{
    Board, config,
    frame::{Cell, ColumnSort, RowsFound, RowsQuery, State},
};

const BOARD: &str = r#"
[board]
title = "T"
timezone = "America/New_York"

[[source]]
id = "s"
title = "Calls"
kind = "hub"
url = "http://h"
channels = ["c"]

[[widget]]
id = "calls"
kind = "table"
key = "id"
group = "area"
sort = ["area", "-due"]
state = "state"
states = { open = "alarm", held = "warning", done = "muted" }
limit = 2
columns = [
  { path = "name" },
  { path = "due", format = "time" },
  { path = "load", format = "bar", max = 10, bands = [{ from = 8, state = "warning" }] },
  { path = "state", format = "state", icons = { open = "phone" } },
]

[[widget]]
id = "lines"
kind = "log"
text = "{name} is {state}"

[[widget]]
id = "areas"
kind = "tally"
by = "area"

[[widget]]
id = "ways"
kind = "timeline"
key = "id"
state = "state"
states = { open = "alarm" }
keep = "1h"

[[widget]]
id = "grid"
kind = "matrix"
row = "area"
column = "id"
state = "state"
states = { open = "alarm" }
"#;

fn event(data: serde_json::Value, at: i64) -> Event {
    Event {
        channel: "c".into(),
        name: "call".into(),
        id: None,
        position: None,
        time: Timestamp::from_millis(at),
        received: Mono::ZERO,
        data: Payload::from(data),
    }
}

fn board(phase: Phase) -> Board {
    let mut board = Board::new(config::parse(BOARD, "f").expect("a board"), Mono::ZERO);
    let rows = [
        ("a", "Ana Ruiz", "North", "2013-02-08T15:00:00Z", 3, "open"),
        ("b", "Béla", "South", "2013-02-08T15:30:00Z", 9, "held"),
        ("c", "Çelik", "North", "2013-02-08T16:00:00Z", 8, "done"),
        ("d", "אבי", "South", "2013-02-08T14:00:00Z", 1, "done"),
    ];
    let events = rows.into_iter().enumerate().map(|(at, (id, name, area, due, load, state))| {
        let data = json!({"id": id, "name": name, "area": area, "due": due, "load": load, "state": state});
        event(data, 1_000 + at as i64)
    });
    board.handle_delivery("s", &Delivery::Events(events.collect()), Mono::ZERO);
    board.handle_status("s", SourceStatus { phase, ..SourceStatus::default() }, Mono::ZERO);
    board
}

fn found(board: &Board, query: RowsQuery) -> RowsFound {
    board.rows(&RowsQuery { widget: "calls".into(), count: 9, ..query }, Mono::ZERO).expect("a table")
}

fn keys(found: &RowsFound) -> String {
    found.rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>().join(" ")
}

/// H3: all rows, beyond the few that are shown, in the table's own order, with its groups.
#[test]
fn any_rows_are_found() {
    let board = board(Phase::Live);
    let all = found(&board, RowsQuery { key: Some("b".into()), ..RowsQuery::default() });
    assert_eq!((keys(&all).as_str(), all.total, all.matched, all.at), ("c a b d", 4, 4, Some(2)));
    let groups: Vec<_> =
        all.groups.iter().map(|group| (group.name.as_deref(), group.total, group.state, group.shown)).collect();
    assert_eq!(groups, [(Some("North"), 2, State::Alarm, 2), (Some("South"), 2, State::Warning, 2)]);
    let part = found(&board, RowsQuery { offset: 1, ..RowsQuery::default() });
    assert_eq!((keys(&part).as_str(), part.offset), ("a b d", 1));
    assert_eq!(part.groups[0].shown, 1);
    assert_eq!(keys(&found(&board, RowsQuery { offset: 99, ..RowsQuery::default() })), "");
    assert_eq!(all.rows[0].marks[0].state, State::Warning);
    assert_eq!(all.rows[1].cells[1], Cell::Time(1_360_335_600_000));
}

/// What is seen is found, in any case of letters and in any script; what is hidden is counted.
#[test]
fn words_are_found() {
    let board = board(Phase::Live);
    for (find, expected) in [
        ("", "c a b d"),
        ("ana", "a"),
        ("RUIZ ana", "a"),
        ("ruiz held", ""),
        ("çel", "c"),
        ("BÉLA", "b"),
        ("אב", "d"),
        ("10:00", "a"),
        ("done", "c d"),
        ("rui z", "a"),
        ("  ", "c a b d"),
        ("uizo", ""),
    ] {
        assert_eq!(keys(&found(&board, RowsQuery { find: find.into(), ..RowsQuery::default() })), expected, "{find}");
    }
    let some = found(&board, RowsQuery { find: "done".into(), key: Some("d".into()), ..RowsQuery::default() });
    assert_eq!((some.matched, some.total, some.alarms_hidden, some.warnings_hidden, some.at), (2, 4, 1, 1, Some(1)));
    assert!(some.groups.is_empty());
    assert_eq!(found(&board, RowsQuery { find: "x".repeat(100_000), ..RowsQuery::default() }).matched, 0);
}

#[test]
fn columns_sort() {
    let board = board(Phase::Live);
    for (column, descending, expected) in [
        (0, false, "a b c d"),
        (0, true, "d c b a"),
        (1, false, "d a b c"),
        (2, true, "b c a d"),
        (3, false, "a b c d"),
        (3, true, "c d b a"),
        (9, true, "c a b d"),
    ] {
        let sort = Some(ColumnSort { column, descending });
        let own = found(&board, RowsQuery { sort, ..RowsQuery::default() });
        assert_eq!(keys(&own), expected, "{column} {descending}");
    }
}

/// H8: what nobody may see doesn't cross to the page by another door.
#[test]
fn what_is_refused_is_not_found() {
    let board = board(Phase::Refused);
    assert_eq!(found(&board, RowsQuery::default()).total, 0);
    assert!(board.subject("calls", "a", Mono::ZERO).is_none());
}

#[test]
fn an_event_is_known_by_what_it_is_of() {
    let board = board(Phase::Live);
    let subject = board.subject("calls", "b", Mono::ZERO).expect("a row");
    assert_eq!((subject.source_title.as_str(), subject.heard), ("Calls", Some(1_001)));
    let knows = |data: serde_json::Value, at| subject.recogniser().knows(&event(data, at));
    assert!(knows(json!({"id": "b"}), 7) && !knows(json!({"id": "a"}), 7) && !knows(json!({}), 7));
    let line = board.subject("lines", "2", Mono::ZERO).expect("a line");
    assert!(line.recogniser().knows(&event(json!({"name": "Béla", "state": "held"}), 1_001)));
    assert!(!line.recogniser().knows(&event(json!({"name": "Béla", "state": "held"}), 1_002)));
    // A bar, a row of states, a cell.
    for (widget, key) in [("areas", "North"), ("ways", "b"), ("grid", "North · b")] {
        let subject = board.subject(widget, key, Mono::ZERO).expect("what is shown");
        let knows = |data: serde_json::Value| subject.recogniser().knows(&event(data, 7));
        assert!(knows(json!({"area": "North", "id": "b", "state": "open"})), "{widget}");
        assert!(!knows(json!({"area": "South", "id": "a", "state": "open"})), "{widget}");
        assert!(!knows(json!({"area": "North · b", "state": "open"})), "{widget}");
    }
    assert!(board.subject("lines", "9", Mono::ZERO).is_none());
    assert!(board.subject("none", "a", Mono::ZERO).is_none());
}
