//! The way to live, and back to it.

use std::collections::BTreeMap;

use watchfloor_model::{Continuity, Position};

use super::*;
use crate::limits::HELD_EVENTS_MAX;

/// H3: subscribe, hold, snapshot, merge, release.
#[test]
fn the_first_load() {
    let mut rig = Rig::started(Transport::WebSocket, &["flights"]);
    rig.expect(&["open 1 wss://hub.example/base/v1/ws"]);
    assert_eq!(rig.phase(), Phase::Connecting);
    rig.open();
    rig.expect(&[r#"send {"type":"subscribe","channels":{"flights":null}}"#]);
    assert_eq!(rig.phase(), Phase::Subscribing);
    rig.lines(&[HELLO, &subscribed("flights", "e:2", None), &beat("e:2"), &event(3), &event(4)]);
    rig.expect(&["fetch https://hub.example/base/v1/snapshot?channels=flights"]);
    assert_eq!(rig.phase(), Phase::CatchingUp);
    rig.lines(&[&event(5)]);
    rig.expect(&[]);
    rig.snapshot("e:4");
    rig.expect(&["snapshot e:4", "events e:5"]);
    rig.lines(&[&event(6), &event(7)]);
    rig.expect(&["events e:6 e:7"]);
    let status = rig.status();
    assert_eq!((status.phase, status.continuity, status.cause), (Phase::Live, Continuity::Proven, None));
    assert_eq!((status.counts.events, status.counts.duplicates, status.counts.gaps()), (3, 0, 0));
    assert_eq!(status.positions["flights"].to_string(), "e:7");
}

/// H3: where a source may send out of order, events wait for those before them; what doesn't come in time is asked for.
#[test]
fn events_out_of_order() {
    let reorders = |config: &mut SourceConfig| config.reorder = Duration::from_millis(250);
    let mut rig = Rig::configured(&[Transport::WebSocket], &["flights"], reorders).brought_live();
    rig.lines(&[&event(4), &event(5)]);
    rig.pass(Duration::from_millis(200));
    rig.expect(&[]);
    rig.lines(&[&event(3), &event(6)]);
    rig.expect(&["events e:3 e:4 e:5 e:6"]);
    rig.lines(&[&event(8), &beat("e:8")]);
    rig.expect(&[]);
    assert_eq!((rig.phase(), rig.status().counts.duplicates), (Phase::Live, 0));
    rig.pass(Duration::from_millis(250));
    rig.expect(&[
        r#"send {"type":"unsubscribe","channels":["flights"]}"#,
        r#"send {"type":"subscribe","channels":{"flights":"e:6"}}"#,
    ]);
    assert_eq!(rig.cause(), "events missing after e:6: the next was e:8");
    rig.lines(&[&subscribed("flights", "e:8", Some("e:6")), &event(7), &event(8), &beat("e:8")]);
    rig.expect(&["gap e:6 to e:8 proven: events missing after e:6: the next was e:8", "events e:7 e:8"]);
    assert_eq!(rig.phase(), Phase::Live);
}

/// H3: a snapshot ahead of the stream: what follows until its place is overlap, neither shown nor counted.
#[test]
fn a_snapshot_ahead_of_the_stream() {
    let mut rig = Rig::opened(Transport::WebSocket);
    rig.lines(&[&subscribed("flights", "e:2", None), &beat("e:2")]);
    rig.snapshot("e:4");
    rig.out.clear();
    rig.lines(&[&event(3), &event(4), &event(5), &beat("e:5")]);
    rig.expect(&["events e:5"]);
    assert_eq!((rig.phase(), rig.status().counts.duplicates), (Phase::Live, 0));
}

/// H3, H4: a restart goes on from the journal's place; a gap is announced if something was missed.
#[test]
fn a_start_with_a_place() {
    for (head, expected) in
        [("e:4", &["gap e:2 to e:4 proven: not connected meanwhile", "events e:3 e:4"][..]), ("e:2", &[][..])]
    {
        let mut rig = Rig::with(Transport::WebSocket, &["flights"]);
        rig.feed
            .restore(BTreeMap::from([("flights".into(), Position::new("e", 2)), ("x".into(), Position::new("e", 9))]));
        rig.start();
        rig.open();
        rig.out.clear();
        rig.lines(&[HELLO, &subscribed("flights", head, Some("e:2")), &beat("e:2")]);
        if head == "e:4" {
            assert_eq!(rig.phase(), Phase::CatchingUp, "a heartbeat at the beginning proves nothing yet");
            rig.lines(&[&event(3), &event(4), &beat("e:4")]);
        }
        rig.expect(expected);
        assert_eq!((rig.phase(), rig.status().continuity), (Phase::Live, Continuity::Proven));
    }
}

/// H1: the place at which the server stood when it was asked is behind by now: live begins with its next word.
#[test]
fn a_heartbeat_confirms_the_stream() {
    let mut rig = Rig::with(Transport::WebSocket, &["flights"]);
    rig.feed.restore(BTreeMap::from([("flights".into(), Position::new("e", 2))]));
    rig.start();
    rig.open();
    rig.lines(&[HELLO, &subscribed("flights", "e:3", Some("e:2")), &event(3)]);
    assert_eq!(rig.phase(), Phase::CatchingUp);
    rig.lines(&[&beat("e:3")]);
    assert_eq!(rig.phase(), Phase::Live);
}

/// H3: a lost link is a gap even if nothing was missed, with the reason, from when the last thing was heard.
#[test]
fn a_lost_link_is_a_gap() {
    let mut rig = Rig::live();
    let heard = rig.now;
    rig.pass(Duration::from_secs(1));
    rig.fail(LinkFaultKind::Reset);
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Waiting, "connection reset"));
    rig.pass(Duration::from_secs(1));
    rig.open();
    rig.expect(&["open 2 wss://hub.example/base/v1/ws", r#"send {"type":"subscribe","channels":{"flights":"e:2"}}"#]);
    rig.feed
        .handle_input(Input::Text { link: LinkId(2), text: subscribed("flights", "e:2", Some("e:2")).into() }, rig.now);
    let outputs = std::iter::from_fn(|| rig.feed.poll_output());
    let gaps = outputs.filter_map(|output| match output {
        Output::Deliver(Delivery::Gap(gap)) => Some(gap),
        _ => None,
    });
    let gap = gaps.last().expect("a gap");
    assert_eq!((gap.began, gap.ended, gap.reason.as_str()), (heard, rig.now, "link lost: connection reset"));
    rig.lines(&[&beat("e:2")]);
    let status = rig.status();
    assert_eq!((status.phase, status.counts.reconnects, status.counts.gaps_proven), (Phase::Live, 1, 1));
}

/// H3: a snapshot closes only what it knows of: not what was before its server began, and nothing if it is empty.
#[test]
fn a_snapshot_of_a_server_that_knows_nothing_closes_nothing() {
    let clock = 1_360_335_600_000_i64;
    for (since, aggregates, expected) in [
        ("null".to_owned(), r#"{"a":1}"#, Continuity::Snapshot),
        ((clock - 60_000).to_string(), r#"{"a":1}"#, Continuity::Snapshot),
        ((clock - 1_000).to_string(), r#"{"a":1}"#, Continuity::Unknown),
        ("null".to_owned(), "{}", Continuity::Unknown),
    ] {
        let mut rig = Rig::live();
        rig.fail(LinkFaultKind::Reset);
        rig.pass(Duration::from_secs(10));
        rig.open();
        // The link was asked for some time ago: what comes before the first pong may be as old.
        rig.pass(Duration::ZERO);
        rig.input(Input::Pong { link: LinkId(2) });
        rig.lines(&[&subscribed("flights", "f:7", None).replace("null", "\"epoch-changed\""), &beat("f:7")]);
        rig.out.clear();
        let body =
            format!(r#"{{"positions":{{"flights":"f:7"}},"clock":{CLOCK},"since":{since},"aggregates":{aggregates}}}"#);
        rig.fetched(200, &body);
        let status = rig.status();
        assert_eq!((status.phase, status.continuity), (Phase::Live, expected), "{since} {aggregates}");
        let unknown = u64::from(expected == Continuity::Unknown);
        assert_eq!((status.counts.gaps_unknown, status.counts.gaps_snapshot), (unknown, 1 - unknown));
    }
}

/// H3: a place that the server doesn't know is closed by its snapshot, of all channels.
#[test]
fn a_place_that_is_gone() {
    let mut rig = Rig::live();
    rig.fail(LinkFaultKind::Reset);
    rig.pass(Duration::from_secs(1));
    rig.open();
    rig.out.clear();
    rig.lines(&[&subscribed("flights", "f:7", None).replace("null", "\"epoch-changed\""), &beat("f:7")]);
    rig.snapshot("f:7");
    rig.expect(&[
        "fetch https://hub.example/base/v1/snapshot?channels=flights",
        "gap e:2 to f:7 snapshot: link lost: connection reset; the server's history began anew",
        "snapshot f:7",
    ]);
    assert_eq!((rig.phase(), rig.status().continuity), (Phase::Live, Continuity::Snapshot));
}

/// H3: `lost` on a running link.
#[test]
fn a_place_lost_while_live() {
    let mut rig = Rig::live();
    rig.lines(&[
        &event(3),
        r#"{"type":"lost","channel":"flights","from":"e:3","head":"e:9","reason":"slow"}"#,
        &event(10),
    ]);
    assert_eq!(rig.phase(), Phase::CatchingUp);
    rig.snapshot("e:9");
    rig.expect(&[
        "events e:3",
        "fetch https://hub.example/base/v1/snapshot?channels=flights",
        "gap e:3 to e:9 snapshot: events lost: too slow for the server's history",
        "snapshot e:9",
        "events e:10",
    ]);
}

/// H3: a server without snapshots: what is missing stays unknown and is said so.
#[test]
fn no_snapshot_to_be_had() {
    let mut rig = Rig::opened(Transport::WebSocket);
    rig.out.clear();
    rig.lines(&[&subscribed("flights", "e:2", None), &beat("e:2"), &event(3)]);
    rig.fetched(404, "");
    rig.expect(&[
        "fetch https://hub.example/base/v1/snapshot?channels=flights",
        "gap none to e:2 unknown: the server offers no snapshot",
        "events e:3",
    ]);
    assert_eq!((rig.phase(), rig.status().continuity), (Phase::Live, Continuity::Unknown));
}

/// A snapshot that fails is asked for again with backoff, while the source isn't live and says why.
#[test]
fn a_failing_snapshot() {
    let mut rig = Rig::opened(Transport::WebSocket);
    rig.lines(&[HELLO, &subscribed("flights", "e:2", None), &beat("e:2")]);
    for (status, body, cause) in [
        (500, "", "no snapshot: server error (HTTP 500)"),
        (200, "<html>", "the snapshot is a web page: a login page or proxy?"),
        (200, "{}", "the snapshot can't be read: missing field `positions` at line 1 column 2"),
    ] {
        rig.out.clear();
        rig.fetched(status, body);
        assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::CatchingUp, cause));
        assert!(rig.status().retry_at.is_some());
        rig.pass_well(2, "e:2");
        rig.expect(&["fetch https://hub.example/base/v1/snapshot?channels=flights"]);
    }
    rig.out.clear();
    rig.snapshot("x:2");
    assert!(rig.cause().contains("history `x`"), "{}", rig.cause());
    rig.pass_well(5, "e:2");
    rig.snapshot("e:2");
    assert_eq!(rig.phase(), Phase::Live);
}

/// H5: what is held is bounded; the snapshot is then gone on from by replay.
#[test]
fn more_than_can_be_held() {
    let mut rig = Rig::opened(Transport::WebSocket);
    rig.lines(&[&subscribed("flights", "e:0", None), &beat("e:0")]);
    rig.out.clear();
    let many: Vec<String> = (1..=2 * HELD_EVENTS_MAX as u64).map(event).collect();
    for lines in many.chunks(500) {
        rig.lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
    assert!(rig.cause().contains("held back"));
    rig.snapshot("e:5");
    rig.expect(&[
        "snapshot e:5",
        r#"send {"type":"unsubscribe","channels":["flights"]}"#,
        r#"send {"type":"subscribe","channels":{"flights":"e:5"}}"#,
    ]);
    rig.lines(&[&event(20_001), &beat("e:20001"), &subscribed("flights", "e:6", Some("e:5")), &event(6), &beat("e:6")]);
    rig.expect(&["gap e:5 to e:6 proven: not connected meanwhile", "events e:6"]);
    assert_eq!(rig.phase(), Phase::Live);
}

/// H2: what a publisher proves is as old as the quietest channel's.
#[test]
fn the_publishers_proof_is_the_oldest() {
    let mut rig = Rig::started(Transport::Sse, &["flights", "weather", "never"]);
    rig.expect(&["open 1 https://hub.example/base/v1/sse?cursor=flights%7E%7Cweather%7E%7Cnever%7E"]);
    rig.open();
    rig.lines(&[
        r#"{"type":"heartbeat","channels":{"flights":{"head":"e:0","idle_ms":100},"weather":{"head":"e:0","idle_ms":700},"never":{"head":"e:0"}}}"#,
    ]);
    assert_eq!(rig.status().publisher_proof, Some(Mono::from_millis(300)));
}

/// Stopped is silent: nothing is wanted, nothing is taken.
#[test]
fn stop_and_start_again() {
    let mut rig = Rig::live();
    rig.feed.stop(rig.now);
    rig.drain();
    rig.expect(&["close 1"]);
    assert_eq!((rig.phase(), rig.feed.poll_timeout()), (Phase::Idle, None));
    rig.lines(&[&event(3)]);
    rig.open();
    rig.expect(&[]);
    rig.start();
    rig.expect(&["open 2 wss://hub.example/base/v1/ws"]);
    rig.open();
    rig.lines(&[&subscribed("flights", "e:3", Some("e:2")), &event(3), &beat("e:3")]);
    assert_eq!((rig.phase(), rig.status().counts.events), (Phase::Live, 1));
}
