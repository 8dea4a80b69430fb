//! The hub's lines, one by one.

use std::sync::Arc;

use watchfloor_model::Mono;

use super::codec::{Codec, read_snapshot};
use crate::protocols::Signal;

fn signals(text: &str) -> Vec<Signal> {
    let channels: Arc<[Arc<str>]> = Arc::from(["flights".into(), "weather".into()]);
    let mut out = Vec::new();
    Codec::new(&channels).lines(text.as_bytes(), Mono::ZERO, &mut out);
    out
}

/// Each line becomes what `expected` is part of the debug form of; nothing becomes nothing.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = signals(text).iter().map(|signal| format!("{signal:?}")).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found}\nlacks {expected}");
    }
}

#[test]
fn every_message_of_the_contract() {
    check(
        r#"{"type":"hello","protocol":1,"hub":"watchfloor-hub 0.1","heartbeat_ms":1000,"clock":{"now":5,"speed":60,"label":"Replay"}}"#,
        &[
            r#"Hello { heartbeat: 1s, clock: Some(Reading { now: Timestamp(5), speed: 60.0, label: Some("Replay") }), grant: None }"#,
        ],
    );
    check(
        r#"{"type":"subscribed","channel":"weather","head":"e:9","from":"e:7","recovered":true}"#,
        &[
            "Subscribed { channel: 1, head: Position { epoch: \"e\", offset: 9 }, from: Position { epoch: \"e\", offset: 7 }, recovered: true, reason: None }",
        ],
    );
    check(
        r#"{"type":"event","channel":"flights","position":"k3x9:41","name":"flight.cancelled","time":7,"id":"a/b","data":{"n":1}}"#,
        &[r#"name: "flight.cancelled", id: Some("a/b")"#],
    );
    check(
        r#"{"type":"lost","channel":"flights","from":"e:1","head":"e:9","reason":"slow"}"#,
        &["Lost { channel: 0, head: Position { epoch: \"e\", offset: 9 }, reason: \"too slow"],
    );
    check(
        r#"{"type":"heartbeat","clock":{"now":1,"speed":1},"channels":{"flights":{"head":"e:2","idle_ms":1200},"weather":{"head":"e:0","behind":7,"idle_ms":null},"other":{"head":"e:1"}}}"#,
        &[
            "behind: 0, idle: Some(1.2s) }, Beat { channel: 1, head: Position { epoch: \"e\", offset: 0 }, behind: 7, idle: None }] }",
        ],
    );
    check(r#"{"type":"pong","id":7,"clock":{"now":1,"speed":1,"label":null}}"#, &["Clock { id: 7"]);
    check(r#"{"type":"error","code":"forbidden","message":"no"}"#, &["denied: true"]);
    check(r#"{"type":"error","code":"revoked","message":"no"}"#, &["denied: true"]);
    check(r#"{"type":"error","code":"bad-message","message":"no"}"#, &["denied: false"]);
}

/// Lines in one frame, spaces, another order of fields, escapes, unknown types and channels.
#[test]
fn forms_that_mean_the_same() {
    let line =
        r#"{"position": "e:1", "data": [1], "name": "a\u0062", "time": 1, "type": "event", "channel": "flights"}"#;
    check(&format!("{line}\n\n  {line}  \r\n"), &[r#"name: "ab""#, r#"name: "ab""#]);
    check(r#"{"type":"tomorrow","x":1}"#, &[]);
    check(r#"{ "type" : "event", "channel":"other","position":"e:1","name":"n","time":1,"data":1}"#, &[]);
}

/// What can't be taken says why, and where it stands if that can be read. A publisher's text is never taken for a place.
#[test]
fn rejections() {
    check("nonsense", &["Rejected { place: None, reason: \"not a message: expected"]);
    check("[1]", &["Rejected { place: None"]);
    check(r#"{"type":"subscribed","channel":"flights"}"#, &["bad `subscribed`: missing field `head`"]);
    check(
        r#"{"type":"event","channel":"flights","position":"e 1","name":"n","time":1,"data":1}"#,
        &["Rejected { place: None, reason: \"\\\"e 1\\\" is not a position"],
    );
    check(
        r#"{"type":"event","channel":"flights","position":"e:3","name":"n","time":1,"data":{"#,
        &["Rejected { place: Some((0, Position { epoch: \"e\", offset: 3 }))"],
    );
    check(r#"{"type":"event","data":{"channel":"flights","position":"e:3"},"#, &["Rejected { place: None"]);
    // H3: by such a clock a count would begin anew and be called complete.
    for now in ["9223372036854775807", "-9223372036854775808", "253402214400001"] {
        let beat = format!(r#"{{"type":"heartbeat","clock":{{"now":{now},"speed":1}},"channels":{{}}}}"#);
        check(&beat, &["expected the years 1 to 9999"]);
    }
    check(
        r#"{"type":"event","channel":"flights","position":"e:3","name":"n","time":1}"#,
        &["place: Some((0, Position { epoch: \"e\", offset: 3 })), reason: \"flights e:3: missing field `data`"],
    );
}

/// An epoch that doesn't change is kept once; signs and spaces in an offset are no number.
#[test]
fn positions() {
    let line = |position: &str| {
        format!(r#"{{"type":"event","channel":"flights","position":"{position}","name":"n","time":1,"data":1}}"#)
    };
    let lines = ["e:1", "e:2", "e:+3", "e:", "f:4", "e:18446744073709551616"].map(line).join("\n");
    let epochs: Vec<Arc<str>> = signals(&lines)
        .into_iter()
        .filter_map(|signal| match signal {
            Signal::Event { position, .. } => Some(position.epoch),
            _ => None,
        })
        .collect();
    assert_eq!(epochs.len(), 3);
    assert!(Arc::ptr_eq(&epochs[0], &epochs[1]) && &*epochs[2] == "f");
}

#[test]
fn snapshots() {
    let channels: [Arc<str>; 2] = ["flights".into(), "weather".into()];
    let read = |body: &str| read_snapshot(body.as_bytes(), &channels, Mono::ZERO);
    let good = r#"{"positions":{"flights":"k3x9:42","weather":"k3x9:7","x":"e:1"},"clock":{"now":5,"speed":60,"label":null},"aggregates":{"counter-9f":{"n":1}}}"#;
    let snapshot = read(good).expect("a snapshot");
    assert_eq!((snapshot.positions.len(), snapshot.aggregates.len(), snapshot.clock.speed), (2, 1, 60.0));
    let many: Vec<String> = (0..=10_000).map(|number| format!(r#""c{number}":"e:1""#)).collect();
    let crowded = format!(r#"{{"positions":{{{}}}}}"#, many.join(","));
    for (body, reason) in [
        ("<!doctype html>", "web page"),
        (r#"{"positions":{"flights":"k:1"},"clock":{"now":5,"speed":1}}"#, "lacks channel `weather`"),
        (r#"{"positions":{"flights":"k:1","weather":"k:1"},"clock":{"now":5,"speed":-1}}"#, "a clock's speed of -1e0"),
        (r#"{"positions":{"flights":"k:1","weather":"k:1"},"clock":{"now":5,"speed":1e308}}"#, "expected 0 to 1000000"),
        (
            r#"{"positions":{"flights":"k:1","weather":"k:1"},"clock":{"now":9223372036854775807,"speed":1}}"#,
            "expected the years 1 to 9999",
        ),
        (r#"{"positions":{"flights":"?"},"clock":{"now":5,"speed":1}}"#, "not a position"),
        ("{", "can't be read"),
        (&*crowded, "at most 10000 entries"),
    ] {
        let error = read(body).expect_err(body);
        assert!(error.contains(reason), "{error}");
    }
    // What a server sends doesn't come back in full as the reason on the glass.
    let long = format!(r#"{{"positions":{{"flights":"k:1"}},"clock":"{}"}}"#, "x".repeat(100_000));
    let error = read(&long).expect_err("a text is no clock");
    assert!(error.contains("can't be read") && error.len() < 300, "{} bytes", error.len());
}
