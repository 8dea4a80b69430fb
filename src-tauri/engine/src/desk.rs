//! What a hand at the glass asks for: parts of a table, and the event behind what is shown.
//!
//! Nothing is kept for this. The newest event of a row is looked up in the journal's ring, newest batch first, by a connection of its own
//! that can't write and on a thread that nobody waits for.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use watchfloor_board::{
    Recogniser, Subject,
    frame::{Detail, RawEvent},
};
use watchfloor_model::{Delivery, Event, Timestamp};

use crate::{
    clock::Clock,
    intake::Replay,
    journal::{
        FILE_NAME, JournalError,
        table::batch::{self, Kind},
        unwritten,
    },
};

/// How long is looked for an event.
const LOOK_MAX: Duration = Duration::from_secs(3);
/// The most of an event's text that is shown, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What was found in the journal.
#[derive(Debug)]
enum Found {
    Event(Box<Event>, Timestamp),
    /// Nothing of it is kept.
    Nothing,
    /// It would take too long.
    Late,
}

/// All that there is of the subject; without a `folder` nothing is remembered.
pub(crate) fn detail(folder: Option<&Path>, subject: &Subject, clock: Clock) -> Detail {
    let (event, lacks) = match folder.map(|folder| newest(&folder.join(FILE_NAME), subject, clock)) {
        None => (None, Some("this wall remembers no events".to_owned())),
        Some(Err(error)) => (None, Some(format!("the journal can't be read: {error}"))),
        Some(Ok(Found::Nothing)) => (None, Some("no longer kept, or told by a state of the server".to_owned())),
        Some(Ok(Found::Late)) => (None, Some("not among the newest events".to_owned())),
        Some(Ok(Found::Event(event, received))) => {
            let is_newest = subject.heard.is_none_or(|heard| heard <= event.time.as_millis());
            let lacks =
                (!is_newest).then(|| "older than what is shown: what came after it is no longer kept".to_owned());
            (Some(raw(&event, received)), lacks)
        }
    };
    let source = subject.source_title.clone();
    Detail { revision: subject.revision, row: subject.row.clone(), source, event, lacks }
}

fn newest(path: &Path, subject: &Subject, clock: Clock) -> Result<Found, JournalError> {
    let connection = unwritten::open(path)?;
    let recogniser = subject.recogniser();
    let mut replay = Replay::new(clock);
    let began = Instant::now();
    let mut found = Found::Nothing;
    batch::each_before(&connection, &subject.source, |batch| {
        if began.elapsed() > LOOK_MAX {
            found = Found::Late;
            return Ok(false);
        }
        // What was before is another story.
        if batch.kind == Kind::Forget {
            return Ok(false);
        }
        if !matches!(batch.kind, Kind::Events | Kind::Restated) || !subject.may_be_in(&batch.body) {
            return Ok(true);
        }
        let delivery = replay.delivery(&batch).map_err(JournalError::Damaged)?;
        let events = match delivery {
            Some(Delivery::Events(events)) => events,
            Some(Delivery::Restated(restated)) => restated.events,
            _ => Vec::new(),
        };
        match last_known(events, &recogniser) {
            Some(event) => {
                found = Found::Event(Box::new(event), batch.received);
                Ok(false)
            }
            None => Ok(true),
        }
    })?;
    Ok(found)
}

fn last_known(events: Vec<Event>, recogniser: &Recogniser) -> Option<Event> {
    events.into_iter().rev().find(|event| recogniser.knows(event))
}

fn raw(event: &Event, received: Timestamp) -> RawEvent {
    let text = event.data.text();
    let (shown, cut) = indented(text, TEXT_BYTES_MAX);
    RawEvent {
        channel: event.channel.to_string(),
        name: event.name.to_string(),
        id: event.id.as_ref().map(Arc::to_string),
        position: event.position.as_ref().map(ToString::to_string),
        time_ms: event.time.as_millis(),
        received_ms: received.as_millis(),
        text: shown,
        bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
        cut,
    }
}

/// Marks that turn the direction of what stands behind them: UAX #9.
const fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A JSON text with a line for each thing in it, every number and every order of keys as it came; and whether it goes on. What turns the
/// direction of text is written as what it is.
fn indented(text: &str, bytes_max: usize) -> (String, bool) {
    let mut out = String::new();
    let mut depth: usize = 0;
    let (mut in_text, mut escaped) = (false, false);
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(40)));
    };
    while let Some(character) = characters.next() {
        if out.len() >= bytes_max {
            return (out, true);
        }
        if in_text {
            if turns(character) {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            } else {
                out.push(character);
            }
            in_text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                out.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_text = true;
                out.push('"');
            }
            other => out.push(other),
        }
    }
    (out, false)
}

#[cfg(test)]
mod tests {
    use watchfloor_board::{Board, config};
    use watchfloor_model::{Mono, Payload, Phase, SourceStatus};

    use super::*;
    use crate::{intake, journal::migrate};

    #[test]
    fn a_text_is_indented_as_it_came() {
        let check =
            |text: &str, expected: &str| assert_eq!(indented(text, 1000), (expected.to_owned(), false), "{text}");
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
        let events = vec![
            said("call", "a", 1, 10),
            said("call", "b", 2, 20),
            said("other", "a", 9, 30),
            said("call", "a", 3, 40),
        ];
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
}
