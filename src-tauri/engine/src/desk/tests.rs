//! What a desk asks, and what it is told.

use watchfloor_board::{Board, config};
use watchfloor_model::{Mono, Payload, Phase, SourceStatus};

use super::*;
use crate::{intake, journal::migrate};

#[test]
fn a_text_is_indented_as_it_came() {
    let check = |text: &str, expected: &str| assert_eq!(indented(text, 1000), (expected.to_owned(), false), "{text}");
    check("{}", "{}");
    check("[ ]", "[]");
    check("7.10", "7.10");
    check(
        r#"{"b":[1,2.50,{}],"a":"x, {y}: \"z\\","e":null}"#,
        "{\n  \"b\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"a\": \"x, {y}: \\\"z\\\\\",\n  \"e\": null\n}",
    );
    check("\"a\u{202e}b\"", "\"a\\u202eb\"");
    let (long, cut) = indented(&format!("\"{}\"", "ü".repeat(9000)), 1000);
    assert!(cut && long.len() <= 1010, "{}", long.len());
}

const BOARD: &str = r#"
[board]
title = "T"
[[source]]
id = "s"
title = "Calls"
kind = "hub"
url = "http://h"
channels = ["c"]
[[widget]]
id = "calls"
kind = "table"
on = "call"
key = "id"
columns = [{ path = "v" }]
"#;

fn said(name: &str, id: &str, v: u64, at: i64) -> Event {
    Event {
        channel: "c".into(),
        name: name.into(),
        id: Some(format!("e{at}").into()),
        position: None,
        time: Timestamp::from_millis(at),
        received: Mono::ZERO,
        data: Payload::from(serde_json::json!({"id": id, "v": v})),
    }
}

fn shown(events: Vec<Event>) -> Board {
    let mut board = Board::new(config::parse(BOARD, "f").expect("a board"), Mono::ZERO);
    board.handle_delivery("s", &Delivery::Events(events), Mono::ZERO);
    board.handle_status("s", SourceStatus { phase: Phase::Live, ..SourceStatus::default() }, Mono::ZERO);
    board
}

/// A journal of these deliveries; none stands for the beginning of another story.
fn journal(folder: &Path, clock: &Clock, deliveries: Vec<Option<Delivery>>) {
    let mut connection = rusqlite::Connection::open(folder.join(FILE_NAME)).expect("a file");
    migrate::migrate(&mut connection).expect("a journal");
    let source: Arc<str> = "s".into();
    for (seq, delivery) in (1..).zip(deliveries) {
        let entry = match &delivery {
            Some(delivery) => intake::entry(&source, delivery, clock).expect("it is journaled"),
            None => intake::forget_entry(&source, "another".to_owned(), clock),
        };
        batch::insert(&connection, seq, seq * 1000, &entry.batch).expect("a batch");
    }
}

/// The newest event of a row is found behind whatever came after it, as it was received.
#[test]
fn the_newest_event_is_found() {
    let clock = Clock::start();
    let folder = tempfile::tempdir().expect("a folder");
    let events =
        vec![said("call", "a", 1, 10), said("call", "b", 2, 20), said("other", "a", 9, 30), said("call", "a", 3, 40)];
    let later = vec![said("call", "b", 4, 50)];
    let board = shown(events.iter().chain(&later).cloned().collect());
    journal(folder.path(), &clock, vec![Some(Delivery::Events(events)), Some(Delivery::Events(later))]);
    let of = |key: &str| {
        let subject = board.subject("calls", key, Mono::ZERO).expect("a row");
        detail(Some(folder.path()), &subject, clock)
    };
    let a = of("a");
    let event = a.event.expect("an event");
    assert_eq!((event.id.as_deref(), event.time_ms, a.lacks), (Some("e40"), 40, None));
    assert_eq!(event.text, "{\n  \"id\": \"a\",\n  \"v\": 3\n}");
    assert_eq!(of("b").event.map(|event| event.time_ms), Some(50));
    assert_eq!((a.source.as_str(), a.row.map(|row| row.key)), ("Calls", Some("a".to_owned())));
}

/// H1: what isn't kept any more is said, and an older event isn't taken for the newest.
#[test]
fn what_is_no_longer_kept_is_said() {
    let clock = Clock::start();
    let of = |kept: Vec<Option<Delivery>>, key: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        journal(folder.path(), &clock, kept);
        let board = shown(vec![said("call", "a", 1, 10), said("call", "a", 3, 40), said("call", "b", 1, 50)]);
        let subject = board.subject("calls", key, Mono::ZERO).expect("a row");
        let found = detail(Some(folder.path()), &subject, clock);
        (found.event.map(|event| event.time_ms), found.lacks.unwrap_or_default())
    };
    let events = |events: Vec<Event>| Some(Delivery::Events(events));
    let (event, lacks) = of(vec![events(vec![said("call", "a", 1, 10)])], "a");
    assert!(event == Some(10) && lacks.contains("older than what is shown"), "{lacks}");
    let (event, lacks) = of(vec![events(vec![said("call", "a", 3, 40)])], "b");
    assert!(event.is_none() && lacks.contains("no longer kept"), "{lacks}");
    // What another story told is nothing of this one.
    let (event, _) = of(vec![events(vec![said("call", "a", 3, 40)]), None], "a");
    assert_eq!(event, None);
    let board = shown(vec![said("call", "a", 1, 10)]);
    let subject = board.subject("calls", "a", Mono::ZERO).expect("a row");
    assert!(detail(None, &subject, clock).lacks.is_some_and(|lacks| lacks.contains("remembers no events")));
    let empty = tempfile::tempdir().expect("a folder");
    assert!(detail(Some(empty.path()), &subject, clock).lacks.is_some_and(|lacks| lacks.contains("can't be read")));
}

/// What is shown is the same JSON.
#[test]
fn it_is_the_same_json() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for text in [r#"{"a":[{"b":"\u05d0\\\""},[],[[1e9]],true]}"#, "\"\u{2067}\"", &deep] {
        let (shown, _) = indented(text, 1 << 20);
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(parse(&shown), parse(text), "{text}");
    }
}
