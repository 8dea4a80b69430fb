//! What every story keeps: its order, its names, and that any stretch of it may be asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
        let board = config::parse_beside(name.board(), name.board_name(), &|file| name.beside(file))
            .unwrap_or_else(|errors| unreachable!("{errors}"));
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
        let board = config::parse_beside(name.board(), name.board_name(), &|file| name.beside(file))
            .unwrap_or_else(|errors| unreachable!("{errors}"));
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

fn told(name: StoryName) -> Vec<ReplayEvent> {
    let story = name.open().expect("a story");
    story.between(NEVER, story.span().end)
}

/// What stands in different widgets of one board must fit together, at every instant.
#[test]
fn a_warehouse_counts_its_orders_once() {
    let (mut placed, mut shipped) = (0, 0);
    let mut of_carriers = [0; 3];
    for event in told(StoryName::Orders) {
        let number = |path: &str| event.data[path].as_i64().expect("a count");
        match event.name {
            "order.placed" => placed += 1,
            "order.shipped" => shipped += 1,
            "carrier.status" => {
                for (sum, path) in of_carriers.iter_mut().zip(["waiting", "to_pick", "at_risk"]) {
                    *sum += number(path);
                }
            }
            "dock.status" => {
                let dock = ["waiting", "to_pick", "at_risk"].map(number);
                assert_eq!(dock, of_carriers, "carriers and dock differ: {event:?}");
                assert_eq!(number("open"), dock[0] + dock[1], "{event:?}");
                assert_eq!(number("open"), placed - shipped, "{event:?}");
                of_carriers = [0; 3];
            }
            _ => {}
        }
    }
    assert!(placed > 1000 && shipped > 1000, "{placed} placed, {shipped} shipped");
}

/// Nobody is sent twice, nobody is forgotten, and what waits is counted as waiting.
#[test]
fn every_call_is_dealt_with_in_order() {
    const STEPS: [&str; 5] = ["call.received", "call.assigned", "call.reached", "call.conveyed", "call.closed"];
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    let mut busiest = 0;
    for event in told(StoryName::Dispatch) {
        if let Some(step) = STEPS.iter().position(|step| *step == event.name) {
            let call = event.data["call"].as_str().expect("a number").to_owned();
            let before = at.insert(call, step);
            // Not everybody needs a hospital.
            let may_follow = before.map_or(step == 0, |before| before + 1 == step || (before, step) == (2, 4));
            assert!(may_follow, "{before:?} then {event:?}");
        }
        if event.name == "fleet.status" {
            let waiting = at.values().filter(|step| **step == 0).count();
            assert_eq!(event.data["waiting"], waiting, "{event:?}");
            let (free, busy) = (event.data["free"].as_i64(), event.data["busy"].as_i64());
            assert_eq!(free.zip(busy).map(|(free, busy)| free + busy), Some(12), "{event:?}");
            busiest = busiest.max(waiting);
        }
    }
    assert!(busiest >= 3, "at most {busiest} waited: nothing to see");
}

/// What is raised is cleared before it is raised again, and what a board calls an alarm is one of its words.
#[test]
fn alarms_begin_and_end() {
    for (name, raised, key) in [(StoryName::Infrastructure, "alert", "subject"), (StoryName::Process, "alarm", "tag")] {
        let mut standing = BTreeSet::new();
        let mut count = 0;
        for event in told(name) {
            let subject = event.data[key].as_str().unwrap_or_default().to_owned();
            if event.name == format!("{raised}.raised") {
                count += 1;
                // What was a warning may become an alarm without an end between them.
                assert!(standing.insert(subject) || raised == "alert", "{name}: twice: {event:?}");
            } else if event.name == format!("{raised}.cleared") {
                assert!(standing.remove(&subject) || raised == "alert", "{name}: never begun: {event:?}");
            }
        }
        assert!(count >= 4, "{name}: {count}");
        assert!(standing.len() < 3, "{name}: at the end of the day {standing:?} stand");
    }
}

/// A tank can't be fuller than full, and none runs dry: the waterworks of the story would work.
#[test]
fn the_waterworks_would_work() {
    for event in told(StoryName::Process) {
        if event.name == "tank.measured" {
            let full = event.data["full"].as_f64().expect("a share");
            assert!((0.1..=1.005).contains(&full), "{event:?}");
        }
        if event.name == "filter.measured" {
            assert_ne!(event.data["state"], "clogged", "{event:?}");
        }
    }
}
