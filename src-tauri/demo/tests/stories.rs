//! What every story keeps: its order, its names, and that any stretch of it may be asked for.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;
use watchfloor_board::{Aggregate, config};
use watchfloor_demo::{Story, StoryName, story::ReplayEvent};
use watchfloor_model::{Event, Mono, Timestamp};

const MINUTE_MS: i64 = 60_000;
const NEVER: Timestamp = Timestamp::from_millis(i64::MIN);

fn stories() -> impl Iterator<Item = (StoryName, Arc<dyn Story>)> {
    StoryName::ALL.into_iter().map(|name| (name, name.open().expect("a story")))
}

/// Minutes after a story's usual beginning.
fn later(name: StoryName, minutes: i64) -> Timestamp {
    let begins = name.instant(name.begins()).expect("a time of the story");
    Timestamp::from_millis(begins.as_millis() + minutes * MINUTE_MS)
}

/// In order, on whole minutes, on the story's channels, each id once, and the same at every run.
#[test]
fn are_sound_and_always_the_same() {
    for (name, story) in stories() {
        let span = story.span();
        let events = story.between(NEVER, span.end);
        assert!(events.len() > 1000, "{name}: {}", events.len());
        assert!(events.is_sorted_by_key(|event| event.time), "{name}");
        let ids: BTreeSet<_> = events.iter().map(|event| &event.id).collect();
        assert_eq!(ids.len(), events.len(), "{name}");
        for event in &events {
            assert!(story.channels().contains(&event.channel), "{name}: {event:?}");
            assert_eq!(event.time.as_millis() % MINUTE_MS, 0, "{name}: {event:?}");
            assert!(event.data.is_object(), "{name}: {event:?}");
        }
        let used: BTreeSet<_> = events.iter().map(|event| event.channel).collect();
        assert_eq!(used.len(), story.channels().len(), "{name}: nothing on a channel");
        assert!(events == name.open().expect("a story").between(NEVER, span.end), "{name}");
        assert!(span.contains(&later(name, 0)), "{name} begins outside itself");
    }
}

/// Whatever steps the replay takes, it publishes the same events in the same order, each once.
#[test]
fn stretches_join_without_seam() {
    for (name, story) in stories() {
        let (from, to) = (later(name, 0), later(name, 45));
        let whole = story.between(from, to);
        for step_ms in [700, 3_000, 60_000, 61_000, 3_600_000] {
            let mut joined = Vec::new();
            let mut at = from;
            while at < to {
                let next = Timestamp::from_millis(at.as_millis() + step_ms).min(to);
                joined.extend(story.between(at, next));
                at = next;
            }
            assert!(joined == whole, "{name}: steps of {step_ms} ms");
        }
    }
}

/// A wall that comes in the middle sees what one sees that was there from the beginning.
#[test]
fn a_state_and_what_follows_fold_to_the_whole() {
    for (name, story) in stories() {
        let board = config::parse(name.board(), name.board_name()).unwrap_or_else(|errors| unreachable!("{errors}"));
        for (minutes, further) in [(0, 1), (37, 150)] {
            let (at, until) = (later(name, minutes), later(name, minutes + further));
            let whole = story.between(NEVER, until);
            let mut joined = story.state_at(at);
            assert!(joined.iter().all(|event| event.time <= at), "{name}");
            joined.extend(story.between(at, until));
            let (whole, joined) = (events(&whole), events(&joined));
            for widget in &board.widgets {
                for (_, fold) in widget.folds() {
                    let fold = |events| folded(Aggregate::new(fold), events, until);
                    let (of_whole, of_joined) = (fold(&whole), fold(&joined));
                    assert_eq!(of_whole, of_joined, "{name}: {} {minutes} + {further} min", widget.id);
                }
            }
        }
    }
}

/// As a wall or a hub has them.
fn events(events: &[ReplayEvent]) -> Vec<Event> {
    let event = |event: &ReplayEvent| Event {
        channel: event.channel.into(),
        name: event.name.into(),
        id: None,
        position: None,
        time: event.time,
        received: Mono::ZERO,
        data: event.data.clone().into(),
    };
    events.iter().map(event).collect()
}

fn folded(mut aggregate: Aggregate, events: &[Event], until: Timestamp) -> Value {
    for event in events {
        if aggregate.wants(event) {
            aggregate.advance(event.time);
            aggregate.fold(event).unwrap_or_else(|rejection| unreachable!("{rejection:?}: {event:?}"));
        }
    }
    aggregate.advance(until);
    aggregate.report()
}

/// No widget of a board waits for what its story never says, and none is fed in a way that it can't read.
#[test]
fn every_widget_has_something_to_show() {
    for (name, story) in stories() {
        let board = config::parse(name.board(), name.board_name()).unwrap_or_else(|errors| unreachable!("{errors}"));
        let events = events(&story.state_at(later(name, 90)));
        for widget in &board.widgets {
            for (_, fold) in widget.folds() {
                let report = folded(Aggregate::new(fold), &events, later(name, 90));
                let is_empty = match &report {
                    Value::Null => true,
                    Value::Array(list) => list.is_empty(),
                    Value::Object(map) => map.is_empty(),
                    _ => false,
                };
                assert!(!is_empty, "{name}: {} shows nothing", widget.id);
            }
        }
    }
}
