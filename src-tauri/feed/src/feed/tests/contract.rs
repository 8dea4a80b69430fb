//! A server that breaks its contract: what it says can't be true together, so nothing of it is called live.

use super::*;

/// Five seconds in which `line` is all that the stream brings, on a link that answers.
fn five_seconds_of(rig: &mut Rig, line: &str) {
    rig.lines(&[HELLO]);
    for _ in 0..10 {
        rig.pass(Duration::from_millis(500));
        rig.input(Input::Pong { link: LinkId(rig.link) });
        if rig.phase() != Phase::Waiting {
            rig.lines(&[line]);
        }
    }
}

/// H1: only events and heartbeats prove the stream. A server that says anything else instead has stalled, and what it said
/// is named if it could not be read.
#[test]
fn other_words_do_not_prove_the_stream() {
    for (line, named) in [
        ("garbage", "not a message"),
        (r#"{"type":"heartbeat","channels":{"flights":{"head":"e:2","behind":"0"}}}"#, "bad `heartbeat`"),
        (r#"{"type":"heartbeat","channels":{"flights":{"head":2}}}"#, "bad `heartbeat`"),
        (r#"{"type":"error","code":"busy","message":"later"}"#, ""),
        (r#"{"type":"pong","id":7,"clock":{"now":1,"speed":1}}"#, ""),
        (r#"{"type":"tomorrow"}"#, ""),
        (HELLO, ""),
    ] {
        let mut rig = Rig::live();
        five_seconds_of(&mut rig, line);
        assert_eq!(rig.phase(), Phase::Waiting, "{line}");
        let cause = rig.cause();
        assert!(cause.contains("stood still for 5 s") && cause.contains(named), "{line}: {cause}");
    }
}

/// An event that can't be taken is one all the same: the stream goes on (H2).
#[test]
fn rejected_events_prove_the_stream() {
    let mut rig = Rig::live();
    for offset in 3..20 {
        rig.pass(Duration::from_millis(500));
        rig.input(Input::Pong { link: LinkId(1) });
        let (from, head) = (format!("e:{}", offset - 1), format!("e:{offset}"));
        rig.lines(&[&event_with(offset, "1e400")]);
        if rig.phase() == Phase::Subscribing {
            rig.lines(&[&subscribed("flights", &head, Some(&from)), &event_with(offset, "1e400"), &beat(&head)]);
        }
    }
    assert_eq!((rig.phase(), rig.link), (Phase::Live, 1));
}

/// H1: a heartbeat says of each channel of the subscription where it stands. One that leaves a channel out says that this
/// one is not subscribed: asked for again.
#[test]
fn a_heartbeat_without_our_channel() {
    for channels in ["{}", r#"{"weather":{"head":"e:9"}}"#] {
        let mut rig = Rig::live();
        rig.lines(&[&format!(r#"{{"type":"heartbeat","clock":{CLOCK},"channels":{channels}}}"#)]);
        assert_eq!(rig.phase(), Phase::Subscribing);
        assert!(rig.cause().contains("leaves out `flights`"), "{}", rig.cause());
    }
}

/// H3: a place that goes back on one link is another history, or none: what comes then is no repetition.
#[test]
fn a_head_that_goes_back() {
    let mut rig = Rig::live();
    rig.lines(&[&event(3), &event(4), &beat("e:4")]);
    rig.out.clear();
    rig.lines(&[&event(3), &beat("e:3")]);
    rig.expect(&[
        r#"send {"type":"unsubscribe","channels":["flights"]}"#,
        r#"send {"type":"subscribe","channels":{"flights":"e:4"}}"#,
    ]);
    assert!(rig.cause().contains("e:3") && rig.cause().contains("e:4"), "{}", rig.cause());
    // A server whose history ends before our place says so, and its snapshot is believed.
    rig.lines(&[&subscribed("flights", "e:3", None), &beat("e:3")]);
    rig.snapshot("e:3");
    assert_eq!(rig.phase(), Phase::Live);
    rig.lines(&[&event(4)]);
    assert_eq!(rig.out.last().map(String::as_str), Some("events e:4"));
}

/// H1, H3: a snapshot from beyond what the server has, by its own later word, is of another history.
#[test]
fn a_snapshot_from_the_future() {
    let mut rig = Rig::opened(Transport::WebSocket);
    rig.lines(&[HELLO, &subscribed("flights", "e:2", None), &beat("e:2")]);
    rig.snapshot("e:5000");
    let mut live_seconds = 0;
    for offset in 3..20 {
        rig.pass(Duration::from_secs(1));
        rig.input(Input::Pong { link: LinkId(1) });
        rig.lines(&[&event(offset), &beat(&format!("e:{offset}"))]);
        if rig.phase() != Phase::Live {
            break;
        }
        live_seconds += 1;
    }
    assert!(live_seconds <= 5, "live for {live_seconds} s");
    assert!(rig.cause().contains("e:5000"), "{}", rig.cause());
}

/// H2: a snapshot may be far ahead of a stream that is still on its way to it.
#[test]
fn a_snapshot_ahead_of_a_slow_stream() {
    let mut rig = Rig::opened(Transport::WebSocket);
    rig.lines(&[HELLO, &subscribed("flights", "e:2", None), &beat("e:2")]);
    rig.snapshot("e:5000");
    for offset in 3..20 {
        rig.pass(Duration::from_secs(1));
        rig.input(Input::Pong { link: LinkId(1) });
        rig.lines(&[&event(offset), &beat_behind(&format!("e:{offset}"), 5000 - offset)]);
    }
    assert_eq!((rig.phase(), rig.link), (Phase::Live, 1));
}

/// H1: a heartbeat so slow that a stalled stream would be found too late can't prove one, and the wall says so.
#[test]
fn a_heartbeat_too_seldom_for_the_limit() {
    let mut rig = Rig::live();
    rig.lines(&[&HELLO.replace(":1000,", ":60000,"), &beat("e:2")]);
    for _ in 0..12 {
        rig.pass(Duration::from_millis(500));
        rig.input(Input::Pong { link: LinkId(1) });
    }
    assert_eq!((rig.phase(), rig.link), (Phase::CatchingUp, 1));
    assert!(rig.cause().contains("every 60 s: too seldom for a limit of 5 s"), "{}", rig.cause());
    rig.lines(&[&event(3)]);
    assert_eq!(rig.phase(), Phase::CatchingUp, "it may have been held up, and more with it");
    rig.pass(Duration::from_millis(1));
    rig.input(Input::Pong { link: LinkId(1) });
    assert_eq!(rig.phase(), Phase::Live, "an event proves as much");
}

/// H5: a message of junk is not read to its end.
#[test]
fn a_message_of_junk() {
    let mut rig = Rig::live();
    rig.lines(&[&"x\n".repeat(100_000)]);
    assert_eq!(rig.phase(), Phase::Waiting);
    assert!(rig.cause().contains("not a message"), "{}", rig.cause());
    assert!(rig.status().counts.rejected <= 1001, "{:?}", rig.status().counts);
}

/// H5: what is handed over at once is bounded, however much comes in one message.
#[test]
fn a_message_of_many_events() {
    let mut rig = Rig::live();
    let lines: Vec<String> = (3..10_003).map(event).collect();
    rig.lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(rig.out.len() >= 10, "{}", rig.out.len());
    assert_eq!(rig.status().counts.events, 10_000);
}
