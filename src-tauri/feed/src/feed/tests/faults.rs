//! What goes wrong, and what is shown of it.

use watchfloor_model::Continuity;

use super::*;
use crate::{Bytes, limits::RESYNCS_MAX, timers::TimerReason};

/// H1: nothing heard within the limit is a dead link: abandoned, and tried again at once.
#[test]
fn a_silent_link_is_dead() {
    let mut rig = Rig::live();
    rig.pass(Duration::from_millis(4999));
    assert_eq!(rig.phase(), Phase::Live);
    rig.pass(Duration::from_millis(1));
    rig.expect(&["close 1"]);
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Waiting, "nothing heard for 5 s"));
    rig.lines(&[&event(3)]);
    rig.input(Input::Pong { link: LinkId(1) });
    assert_eq!(rig.phase(), Phase::Waiting, "a link that was given up stays so");
    rig.pass(Duration::from_millis(250));
    rig.expect(&["open 2 wss://hub.example/base/v1/ws"]);
}

/// H1: pings are answered, but the stream stands still.
#[test]
fn a_stalled_stream_is_dead() {
    let mut rig = Rig::live();
    rig.lines(&[HELLO]);
    for _ in 0..9 {
        rig.pass(Duration::from_millis(500));
        rig.input(Input::Pong { link: LinkId(1) });
    }
    assert_eq!(rig.phase(), Phase::Live);
    rig.pass(Duration::from_millis(500));
    assert_eq!(rig.phase(), Phase::Waiting);
    assert!(rig.cause().contains("stood still for 5 s"), "{}", rig.cause());
}

/// H1: data flows, but the answer to a ping stands in a queue behind it: what comes is too old to be live.
#[test]
fn a_link_that_is_behind_is_not_live() {
    let mut rig = Rig::live();
    let mut offset = 2;
    for _ in 0..6 {
        rig.pass(Duration::from_secs(1));
        offset += 1;
        rig.lines(&[&event(offset)]);
    }
    assert_eq!(rig.phase(), Phase::CatchingUp);
    assert!(rig.cause().contains("too slow"), "{}", rig.cause());
    rig.pass_well(3, "e:8");
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Live, ""));
    assert_eq!(rig.link, 1, "the link is kept");
}

/// H1, H2: a server that says it has more than it sends is not live for longer than the limit, however quick its link;
/// one that is a moment behind is.
#[test]
fn a_server_that_is_behind_is_not_live() {
    let mut rig = Rig::live();
    for offset in 3..=12 {
        rig.pass(Duration::from_secs(1));
        rig.input(Input::Pong { link: LinkId(rig.link) });
        rig.lines(&[&beat_behind(&format!("e:{}", offset - 1), 1), &event(offset)]);
        assert_eq!(rig.phase(), Phase::Live, "one event late at every heartbeat");
    }
    let mut since_ms = 0;
    for offset in 13..=20 {
        rig.pass(Duration::from_secs(1));
        rig.input(Input::Pong { link: LinkId(rig.link) });
        rig.lines(&[&beat_behind(&format!("e:{}", offset - 1), 500), &event(offset)]);
        since_ms += if rig.phase() == Phase::Live { 1000 } else { 0 };
    }
    assert_eq!(rig.phase(), Phase::CatchingUp);
    assert!(since_ms <= 6000, "found after {since_ms} ms");
    assert!(rig.cause().contains("slow to send"), "{}", rig.cause());
    let rest: Vec<String> = (21..=520).map(event).collect();
    rig.lines(&rest.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((rig.phase(), rig.cause().as_str(), rig.link), (Phase::Live, "", 1));
}

/// H1: after a suspend the link is presumed dead, though bytes of before may still be read. One reconnect, no storm.
#[test]
fn a_suspend() {
    let mut rig = Rig::live();
    rig.sleep(Duration::from_secs(3600));
    rig.lines(&[&event(3)]);
    rig.expect(&["close 1"]);
    assert_eq!(rig.phase(), Phase::Waiting);
    assert_eq!(rig.feed.poll_timeout().map(|(_, reason)| reason), Some(TimerReason::Retry));
    rig.sleep(Duration::from_secs(3600));
    rig.feed.handle_timeout(rig.now);
    rig.drain();
    rig.expect(&["open 2 wss://hub.example/base/v1/ws"]);
}

/// Refusal is shown until the server accepts, asked again slowly, and never a storm.
#[test]
fn a_refusal() {
    let mut rig = Rig::started(Transport::WebSocket, &["flights"]);
    rig.http(403, None);
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Refused, "access denied (HTTP 403)"));
    rig.out.clear();
    rig.pass(Duration::from_secs(44));
    rig.expect(&[]);
    while rig.out.is_empty() {
        rig.pass(Duration::from_secs(1));
    }
    rig.expect(&["open 2 wss://hub.example/base/v1/ws"]);
    assert_eq!(rig.phase(), Phase::Refused);
    rig.fail(LinkFaultKind::Refused);
    assert_eq!(rig.cause(), "access denied (HTTP 403); now: connection refused");
    rig.pass(Duration::from_secs(1));
    rig.open();
    assert_eq!(rig.phase(), Phase::Refused);
    rig.lines(&[&subscribed("flights", "e:0", None)]);
    assert_eq!(rig.phase(), Phase::CatchingUp);
}

/// A denial that comes as a message, or as a close, is one too.
#[test]
fn refusals_after_the_handshake() {
    let mut rig = Rig::live();
    rig.lines(&[r#"{"type":"error","code":"forbidden","message":"not your channel"}"#]);
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Refused, "not your channel"));
    let mut rig = Rig::live();
    rig.close(Some(1008));
    assert_eq!(rig.phase(), Phase::Refused);
    let mut rig = Rig::live();
    rig.lines(&[r#"{"type":"error","code":"bad-message","message":"frame too long"}"#]);
    rig.close(Some(1008));
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Waiting, "frame too long"));
    assert!(rig.status().retry_at.expect("a time").since(rig.now) >= Duration::from_secs(45));
}

/// The server's hints: not before `Retry-After`; 204 once a minute; 1001 soon and spread; SSE `retry:` as a floor.
#[test]
fn the_servers_hints() {
    let wait = |rig: &Rig| rig.status().retry_at.expect("a time").since(rig.now);
    let mut rig = Rig::live();
    rig.fail(LinkFaultKind::Reset);
    rig.pass(Duration::from_secs(1));
    rig.http(503, Some(7));
    assert!(wait(&rig) >= Duration::from_secs(7) && wait(&rig) <= Duration::from_secs(9));
    let mut rig = Rig::started(Transport::Sse, &["flights"]);
    rig.http(204, None);
    assert!(wait(&rig) >= Duration::from_secs(45));
    let mut rig = Rig::live();
    rig.close(Some(1001));
    assert!(wait(&rig) <= Duration::from_secs(2));
    assert_eq!(rig.cause(), "the server goes down");
    let mut rig = Rig::opened(Transport::Sse);
    rig.input(Input::Chunk { link: LinkId(1), bytes: Bytes::from_static(b"retry: 3000\n\n") });
    rig.close(None);
    assert!(wait(&rig) >= Duration::from_secs(3));
}

/// The backoff begins again only after ten good seconds.
#[test]
fn a_flapping_link_is_tried_ever_less_often() {
    let mut most = Duration::ZERO;
    let mut rig = Rig::live();
    for _ in 0..8 {
        rig.fail(LinkFaultKind::Reset);
        most = most.max(rig.status().retry_at.expect("a time").since(rig.now));
        rig.pass(Duration::from_secs(31));
        rig.out.clear();
        while rig.phase() != Phase::Live {
            rig.pass(Duration::from_millis(500));
            rig.open();
            rig.lines(&[HELLO, &subscribed("flights", "e:2", Some("e:2")), &beat("e:2")]);
        }
    }
    assert!(most > Duration::from_secs(4), "{most:?}");
    rig.pass_well(10, "e:2");
    rig.fail(LinkFaultKind::Reset);
    assert!(rig.status().retry_at.expect("a time").since(rig.now) <= Duration::from_millis(250));
}

/// H3: bad data rejects its event, counted and with its reason. Perhaps it was changed on its way: it is asked for once more, and
/// if it comes no better, it is passed over as a gap of just that place, and a comparison is sought.
#[test]
fn bad_data() {
    let big = format!("\"{}\"", "x".repeat(10 << 20));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let long = "n".repeat(300);
    for (line, reason) in [
        (event_with(3, "NaN"), "expected value"),
        (event_with(3, "1e400"), "number out of range"),
        (event_with(3, &big), "data has 10485762 bytes, the limit is 1048576"),
        (event_with(3, &deep), "recursion limit"),
        (event(3).replace("\"time\":5", "\"time\":\"now\""), "invalid type: string"),
        (event(3).replace("\"time\":5,", ""), "missing field `time`"),
        (event(3).replace("\"n\"", &format!("\"{long}\"")), "name has 300 bytes, the limit is 200"),
        (event_with(3, r#"{"a":"#), "expected value"),
    ] {
        let mut rig = Rig::live();
        rig.lines(&[&line, &event(4)]);
        rig.expect(&AGAIN);
        let rejection = rig.status().last_rejection.expect("a reason");
        assert!(rejection.starts_with("flights e:3: ") && rejection.contains(reason), "{rejection}");
        rig.lines(&[&subscribed("flights", "e:4", Some("e:2")), &line, &event(4), &beat("e:4")]);
        let told = format!("an event can't be read: {rejection}");
        rig.expect(&[
            &format!("gap e:2 to e:4 proven: {told}"),
            &format!("gap e:2 to e:3 unknown: {told}"),
            "events e:4",
        ]);
        let status = rig.status();
        assert_eq!((status.phase, status.continuity), (Phase::Live, Continuity::Unknown));
        assert_eq!((status.counts.rejected, status.counts.gaps_unknown), (2, 1));
        rig.pass_well(2, "e:4");
        rig.expect(&["fetch https://hub.example/base/v1/snapshot?channels=flights"]);
        rig.snapshot("e:4");
        rig.expect(&["check e:4"]);
        assert_eq!(rig.status().continuity, Continuity::Snapshot);
    }
}

const AGAIN: [&str; 2] = [
    r#"send {"type":"unsubscribe","channels":["flights"]}"#,
    r#"send {"type":"subscribe","channels":{"flights":"e:2"}}"#,
];

/// H3: bytes that changed on the way come right the second time, and nothing is lost.
#[test]
fn a_garbled_event_is_asked_for_again() {
    let mut rig = Rig::live();
    rig.lines(&[&event_with(3, "{{"), &event(4)]);
    rig.expect(&AGAIN);
    rig.lines(&[&subscribed("flights", "e:4", Some("e:2")), &event(3), &event(4), &beat("e:4")]);
    assert!(rig.out[0].starts_with("gap e:2 to e:4 proven"), "{:?}", rig.out);
    assert_eq!(&rig.out[1..], ["events e:3 e:4"]);
    assert_eq!((rig.phase(), rig.status().continuity), (Phase::Live, Continuity::Proven));
}

/// H3: what comes unreadable while a snapshot is outstanding is covered by it, or asked for again.
#[test]
fn a_garbled_event_while_holding() {
    for (place, expected) in
        [("e:4", &["snapshot e:4", "events e:5"][..]), ("e:2", &["snapshot e:2", AGAIN[0], AGAIN[1]])]
    {
        let mut rig = Rig::opened(Transport::WebSocket);
        rig.lines(&[&subscribed("flights", "e:2", None), &beat("e:2"), &event(3), &event_with(4, "{{"), &event(5)]);
        rig.out.clear();
        rig.snapshot(place);
        rig.expect(expected);
    }
}

/// H5: where every event is unreadable, the stream goes on, and the server isn't asked for each of them again.
#[test]
fn a_publisher_that_nobody_can_read_costs_little() {
    let mut rig = Rig::live();
    let (mut asked, mut fetched, mut place) = (0, 0, 2);
    for _ in 0..600 {
        rig.pass(Duration::from_millis(100));
        place += 1;
        rig.input(Input::Pong { link: LinkId(1) });
        rig.lines(&[&event_with(place, "1e400"), &beat(&format!("e:{place}"))]);
        if rig.out.iter().any(|line| line.contains("unsubscribe")) {
            asked += 1;
            let from = format!("e:{}", place - 1);
            let head = format!("e:{place}");
            rig.lines(&[&subscribed("flights", &head, Some(&from)), &event_with(place, "1e400"), &beat(&head)]);
        }
        fetched += rig.out.iter().filter(|line| line.starts_with("fetch")).count();
        assert_eq!((rig.phase(), rig.link), (Phase::Live, 1), "{:?}", rig.out);
        rig.out.clear();
    }
    assert!((5..=11).contains(&asked) && (1..=8).contains(&fetched), "{asked} {fetched}");
    assert_eq!(rig.status().counts.gaps_unknown, 600);
}

/// Invalid UTF-8 rejects its event, whatever the door.
#[test]
fn bad_text() {
    for transport in [Transport::WebSocket, Transport::Sse] {
        let mut rig = Rig::opened(transport);
        rig.lines(&[&subscribed("flights", "e:2", None), &beat("e:2")]);
        rig.snapshot("e:2");
        rig.out.clear();
        let text = format!("{}\n{}", event_with(3, "\"?\""), event(4));
        let text =
            if transport == Transport::Sse { format!("data: {}\n\n", text.replace('\n', "\ndata: ")) } else { text };
        let bytes: Bytes = text.bytes().map(|byte| if byte == b'?' { 0xFF } else { byte }).collect::<Vec<_>>().into();
        let link = LinkId(1);
        rig.input(match transport {
            Transport::Sse => Input::Chunk { link, bytes },
            _ => Input::Text { link, text: bytes },
        });
        let rejection = rig.status().last_rejection.expect("a reason");
        assert!(rejection.starts_with("flights e:3: not UTF-8"), "{rejection}");
        // Asked for again, where need be by another link at once.
        let again = if transport == Transport::Sse { "close 1" } else { AGAIN[0] };
        assert_eq!((rig.out.len(), &*rig.out[0]), (2, again), "{:?}", rig.out);
    }
}

/// An event that can't even be placed: asked for once more, then passed by a snapshot, and never asked for endlessly.
#[test]
fn an_unreadable_event_does_not_loop() {
    let mut rig = Rig::live();
    let garbage = r#"{"type":"event","chan"#;
    rig.lines(&[garbage, &event(4)]);
    rig.expect(&[
        r#"send {"type":"unsubscribe","channels":["flights"]}"#,
        r#"send {"type":"subscribe","channels":{"flights":"e:2"}}"#,
    ]);
    rig.lines(&[&subscribed("flights", "e:4", Some("e:2")), garbage, &event(4), &beat("e:4")]);
    rig.snapshot("e:4");
    let reason = "events missing after e:2: the next was e:4";
    rig.expect(&[
        &format!("gap e:2 to e:4 proven: {reason}"),
        "fetch https://hub.example/base/v1/snapshot?channels=flights",
        &format!("gap e:2 to e:4 snapshot: {reason}"),
        "snapshot e:4",
    ]);
    assert_eq!((rig.phase(), rig.status().counts.rejected), (Phase::Live, 2));
}

/// The same without snapshots: given up as unknown.
#[test]
fn an_unreadable_event_without_snapshots() {
    let mut rig = Rig::live();
    rig.lines(&[&event(4)]);
    rig.lines(&[&subscribed("flights", "e:4", Some("e:2")), &event(4)]);
    rig.out.clear();
    rig.fetched(404, "");
    rig.lines(&[&beat("e:4")]);
    assert_eq!((rig.phase(), rig.status().counts.gaps_unknown), (Phase::Live, 1));
    assert!(rig.out[0].starts_with("gap e:2 to e:3 unknown") && rig.out[1] == "events e:4", "{:?}", rig.out);
}

/// H3: a heartbeat's head beyond what came is a hole at the end.
#[test]
fn a_missing_tail() {
    let mut rig = Rig::live();
    rig.lines(&[&beat("e:3")]);
    assert_eq!(rig.phase(), Phase::Subscribing);
    rig.lines(&[&subscribed("flights", "e:3", Some("e:2")), &event(3), &beat("e:3")]);
    assert_eq!((rig.phase(), rig.status().counts.gaps_proven), (Phase::Live, 1));
}

/// A stream that is wrong again and again costs its link, and then waits.
#[test]
fn resynchronising_is_bounded() {
    let mut rig = Rig::live();
    for offset in 0..10 {
        let have = 2 + offset;
        rig.lines(&[&event(have + 2)]);
        let from = format!("e:{have}");
        rig.lines(&[&subscribed("flights", "e:99", Some(&from)), &event(have + 1)]);
        if rig.phase() == Phase::Waiting {
            assert_eq!(offset, u64::from(RESYNCS_MAX));
            return;
        }
    }
    panic!("never gave up");
}

/// A snapshot that is older than the history reaches, from a cache, is not asked for in a hot loop.
#[test]
fn a_snapshot_older_than_the_history() {
    for transport in Transport::LADDER {
        let mut rig = Rig::started(transport, &["flights"]);
        let trimmed = subscribed("flights", "e:19", None).replace("null", "\"trimmed\"");
        for _ in 0..=RESYNCS_MAX {
            if matches!(transport, Transport::LongPoll | Transport::Poll) {
                let beat = beat("e:19");
                let body = format!(r#"{{"cursor":"flights~e:19","messages":[{trimmed}],"heartbeat":{beat}}}"#);
                rig.input(Input::Answered {
                    link: LinkId(rig.link),
                    head: crate::port::Head::default(),
                    body: body.into(),
                });
            } else {
                rig.open();
                rig.lines(&[&trimmed, &beat("e:19")]);
            }
            assert_eq!(rig.phase(), Phase::CatchingUp, "{transport:?}");
            rig.snapshot("e:16");
        }
        assert_eq!(
            (rig.phase(), rig.cause().as_str()),
            (Phase::Waiting, "the server's snapshot is older than its history")
        );
        assert!(rig.status().retry_at.is_some());
    }
}

/// Everything that takes too long ends.
#[test]
fn deadlines() {
    let mut rig = Rig::started(Transport::WebSocket, &["flights"]);
    rig.pass(Duration::from_secs(10));
    assert_eq!(rig.cause(), "no connection within 10 s");
    rig.pass(Duration::from_secs(1));
    rig.open();
    for _ in 0..5 {
        rig.pass(Duration::from_secs(1));
        rig.input(Input::Pong { link: LinkId(2) });
        rig.lines(&["{\"type\":\"later\"}"]);
    }
    assert_eq!(rig.cause(), "no answer to subscribing within 5 s");
    let mut rig = Rig::live();
    rig.lines(&[r#"{"type":"lost","channel":"flights","from":"e:3","head":"e:9","reason":"slow"}"#]);
    rig.pass_well(13, "e:9");
    assert!(rig.status().retry_at.is_some() || rig.fetch == 3, "asked again");
    assert_eq!((rig.phase(), rig.link), (Phase::CatchingUp, 1));
}

/// A configuration that can't work says so and tries nothing.
#[test]
fn bad_configuration() {
    let mut rig = Rig::started(Transport::WebSocket, &["a|b"]);
    rig.expect(&[]);
    assert_eq!((rig.phase(), rig.cause().as_str()), (Phase::Refused, "`a|b` is no channel name of a hub"));
    assert_eq!(rig.feed.poll_timeout(), None);
}

#[test]
fn another_version() {
    let mut rig = Rig::live();
    rig.lines(&[&HELLO.replace("\"protocol\":1", "\"protocol\":2")]);
    assert_eq!(rig.cause(), "the server speaks version 2 of the protocol, this program knows 1");
    assert_eq!(rig.phase(), Phase::Waiting);
}

/// H2: a short stall of this program isn't the link's fault: what waited is heard, and live again with the next answer.
#[test]
fn a_stall_of_our_own() {
    let mut rig = Rig::live();
    rig.sleep(Duration::from_secs(8));
    rig.lines(&[&event(3)]);
    assert_eq!((rig.phase(), rig.link), (Phase::CatchingUp, 1));
    rig.pass_well(2, "e:3");
    assert_eq!((rig.phase(), rig.link), (Phase::Live, 1));
}

/// H1: a right that a hub takes back in the middle of a connection ends it as a refusal: not live, shown as what it is, and tried again slowly;
/// a site that can't be asked ends it as a failure.
#[test]
fn a_right_that_is_taken_back_is_a_refusal() {
    let mut rig = Rig::live();
    rig.lines(&[r#"{"type":"error","code":"revoked","message":"what entitled this reader was revoked"}"#]);
    rig.close(Some(4003));
    assert_eq!(rig.phase(), Phase::Refused);
    assert!(rig.cause().contains("was revoked"), "{}", rig.cause());
    for _ in 0..600 {
        rig.pass(Duration::from_secs(1));
        if rig.feed.link.is_some() {
            rig.http(403, None);
        }
        assert_eq!(rig.phase(), Phase::Refused);
    }
    let opened = rig.out.iter().filter(|line| line.starts_with("open")).count();
    assert!((3..=20).contains(&opened), "{opened} in ten minutes");
    let mut rig = Rig::live();
    rig.lines(&[r#"{"type":"error","code":"authorise-failing","message":"the site can't be asked"}"#]);
    rig.close(Some(1013));
    assert_eq!(rig.phase(), Phase::Waiting);
}
