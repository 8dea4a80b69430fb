//! The state without readers: what a batch does, what a key does, what stays within bounds.

use std::time::Duration;

use serde_json::json;
use watchfloor_model::Timestamp;

use super::*;
use crate::publish::{self, Form};

fn at(ms: u64) -> Now {
    Now { mono: Mono::from_millis(ms), wall: Timestamp::from_millis(1_000_000 + i64::try_from(ms).expect("small")) }
}

fn batch(channels: &[&str]) -> Vec<Incoming> {
    let events: Vec<_> = channels.iter().map(|channel| json!({"channel": channel, "name": "n", "data": 1})).collect();
    publish::parse(json!(events).to_string().as_bytes(), Form::Json).expect("events")
}

fn hub(limits: StateLimits) -> State {
    State::new("e0".into(), limits, Vec::new(), at(0))
}

/// H1: an event of a time to come would be the newest until then. It counts as of now; a little ahead is a clock like others.
#[test]
fn a_publishers_clock_that_is_ahead_makes_nothing_newest() {
    let mut hub = hub(StateLimits::default());
    let said = |ms: i64| json!([{"channel": "c", "name": "n", "data": 1, "time": 1_000_000 + ms}]).to_string();
    let mut time_of = |ms: i64| {
        let events = publish::parse(said(ms).as_bytes(), Form::Json).expect("events");
        let Outcome::Published(_) = hub.publish(events, None, at(7)) else { panic!("not taken") };
        let ring = hub.ring("c").expect("a channel");
        let line: serde_json::Value =
            serde_json::from_str(&ring.entry(ring.head()).expect("the newest").line).expect("JSON");
        line["time"].as_i64().expect("a time") - 1_000_000
    };
    assert_eq!((time_of(-50), time_of(7), time_of(5_007)), (-50, 7, 5_007));
    assert_eq!((time_of(5_008), time_of(3_600_000)), (7, 7));
}

fn positions(outcome: Outcome) -> Vec<String> {
    match outcome {
        Outcome::Published(published) => published.positions.texts(),
        Outcome::Repeated(positions) => positions.texts(),
        other => panic!("{other:?}"),
    }
}

/// Positions count up by one in each channel, in the order of the batch.
#[test]
fn positions_are_given_in_order() {
    let mut hub = hub(StateLimits::default());
    let given = positions(hub.publish(batch(&["a", "b", "a", "a", "b"]), None, at(0)));
    assert_eq!(given, ["e0:1", "e0:1", "e0:2", "e0:3", "e0:2"]);
    let line = hub.ring("a").and_then(|ring| ring.entry(3)).map(|entry| entry.line.clone()).expect("kept");
    let expected = r#"{"type":"event","channel":"a","position":"e0:3","name":"n","time":1000000,"data":1}"#;
    assert_eq!(&*line, expected);
}

/// A repeated key publishes nothing, whatever happened to the history in between; after a reset all is new.
#[test]
fn keys_hold() {
    let mut hub = hub(StateLimits::default());
    let key = |text, body| Some(Key { text, digest: [body, 0] });
    assert_eq!(positions(hub.publish(batch(&["a"]), key("k", 1), at(0))), ["e0:1"]);
    assert_eq!(positions(hub.publish(batch(&["a"]), key("k", 1), at(1))), ["e0:1"]);
    assert_eq!(hub.publish(batch(&["a"]), key("k", 2), at(1)), Outcome::KeyReused);
    assert_eq!(hub.ledger().head("a").offset, 1);
    hub.lose_history("e1".into());
    assert_eq!(positions(hub.publish(batch(&["a"]), key("k", 1), at(2))), ["e0:1"]);
    assert_eq!(hub.ledger().head("a").to_string(), "e1:0");
    hub.reset("e2".into(), at(3));
    assert_eq!(positions(hub.publish(batch(&["a"]), key("k", 1), at(3))), ["e2:1"]);
}

/// H5: channels are bounded; a batch that would need one too many is refused whole, and readers create none.
#[test]
fn channels_are_bounded() {
    let mut hub = hub(StateLimits { channels_max: 2, ..StateLimits::default() });
    positions(hub.publish(batch(&["a", "b"]), None, at(0)));
    let Outcome::Refused(refused) = hub.publish(batch(&["a", "c"]), None, at(0)) else { panic!("taken") };
    assert_eq!(refused.message, "there would be 3 channels: expected at most 2");
    assert_eq!((hub.ledger().head("a").offset, hub.ledger().head("c").offset), (1, 0));
    assert!(hub.alive(&["c".into()].into(), at(0)).is_err());
    hub.alive(&["a".into(), "b".into()].into(), at(5)).expect("known channels");
    assert_eq!(hub.ledger().heard("a"), Some(Mono::from_millis(5)));
    let cut = hub.snapshot(&["a".into(), "z".into()], at(6));
    assert_eq!(json!(cut.positions), json!({"a": "e0:1", "z": "e0:0"}));
    assert_eq!(hub.ledger().channels(), 2);
}

/// H5: all channels together are bounded, and a flood costs its own channel's history, not a quiet one's.
#[test]
fn the_flood_pays() {
    let history = HistoryLimits { bytes_total: 100_000, ..HistoryLimits::default() };
    let mut hub = hub(StateLimits { history, ..StateLimits::default() });
    positions(hub.publish(batch(&["quiet"]), None, at(0)));
    for _ in 0..50 {
        positions(hub.publish(batch(&["flood"; 100]), None, at(0)));
        assert!(hub.bytes <= 100_000);
        assert_eq!(hub.bytes, hub.rings.values().map(Ring::bytes).sum::<usize>());
    }
    let first = |channel| hub.ring(channel).map(Ring::first);
    assert_eq!(first("quiet"), Some(1));
    assert!(first("flood") > Some(4_000) && hub.ledger().head("flood").offset == 5_000);
}

/// H5: what is too old goes without anything being published.
#[test]
fn old_events_go() {
    let history = HistoryLimits { age: Duration::from_secs(10), ..HistoryLimits::default() };
    let mut hub = hub(StateLimits { history, ..StateLimits::default() });
    positions(hub.publish(batch(&["a", "b"]), None, at(0)));
    positions(hub.publish(batch(&["b"]), None, at(5_000)));
    hub.trim(Mono::from_millis(10_001));
    assert_eq!(hub.ring("a").map(Ring::first), Some(2));
    assert_eq!(hub.ring("b").map(Ring::first), Some(2));
    assert_eq!(hub.bytes, hub.rings.values().map(Ring::bytes).sum::<usize>());
    assert_eq!(positions(hub.publish(batch(&["a"]), None, at(10_002))), ["e0:2"]);
}

/// H3: an event that comes again under its id and time is the same one, by whatever request; another time, or none, makes it news. Who sets the
/// clock begins anew.
#[test]
fn repeats_are_published_once() {
    let mut hub = hub(StateLimits { repeats_age: Duration::from_secs(60), ..StateLimits::default() });
    let event =
        |id: Option<&str>, time: Option<i64>| json!({"channel": "a", "name": "n", "data": 1, "id": id, "time": time});
    let mut publish = |events: serde_json::Value, ms: u64| {
        let batch = publish::parse(events.to_string().as_bytes(), Form::Json).expect("events");
        positions(hub.publish(batch, None, at(ms)))
    };
    let (x, y) = (event(Some("x"), Some(1_000_000)), event(Some("y"), Some(1_000_000)));
    assert_eq!(publish(json!([x, y, x]), 0), ["e0:1", "e0:2", "e0:1"]);
    assert_eq!(
        publish(json!([y, event(Some("y"), Some(1_000_001)), event(Some("y"), None), x]), 1),
        ["e0:2", "e0:3", "e0:4", "e0:1"]
    );
    assert_eq!(publish(json!([event(None, Some(1_000_000)), event(Some("y"), None)]), 2), ["e0:5", "e0:6"]);
    assert_eq!(publish(json!([x]), 60_001), ["e0:7"], "it is known for so long");
    hub.set_clock(&ClockOrder::SYSTEM, at(60_002));
    let batch = publish::parse(json!([x]).to_string().as_bytes(), Form::Json).expect("events");
    assert_eq!(positions(hub.publish(batch, None, at(60_003))), ["e0:8"]);
}
