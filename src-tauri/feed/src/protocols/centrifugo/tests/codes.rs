//! How connections and subscriptions end, and when they are come back to.

use super::*;

/// What follows from the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Come back to by backoff: within three seconds at first.
    Soon,
    /// Left alone for about a minute, and shown as down.
    Slow,
    /// The same, and shown as refused.
    Refused,
}

/// Every code that Centrifugo 6 has, and each range at both of its ends.
const CODES: [(u16, Then); 42] = [
    // WebSocket's own.
    (1000, Then::Soon),
    (1001, Then::Soon),
    (1006, Then::Soon),
    (1009, Then::Slow),
    (1012, Then::Soon),
    // Reconnect.
    (3000, Then::Soon),
    (3001, Then::Soon),
    (3004, Then::Soon),
    (3005, Then::Soon),
    (3006, Then::Soon),
    (3008, Then::Soon),
    (3009, Then::Soon),
    (3010, Then::Soon),
    (3011, Then::Soon),
    (3012, Then::Soon),
    (3013, Then::Soon),
    (3014, Then::Soon),
    (3499, Then::Soon),
    // Terminal: no token that is any good, a wish of the server's, no permission; what a person must change.
    (3500, Then::Refused),
    (3501, Then::Slow),
    (3502, Then::Slow),
    (3503, Then::Refused),
    (3504, Then::Slow),
    (3505, Then::Slow),
    (3506, Then::Slow),
    (3507, Then::Refused),
    (3508, Then::Slow),
    (3509, Then::Slow),
    (3510, Then::Slow),
    (3999, Then::Slow),
    // The application's own: reconnect, terminal.
    (4000, Then::Soon),
    (4001, Then::Soon),
    (4499, Then::Soon),
    (4500, Then::Slow),
    (4501, Then::Slow),
    (4999, Then::Slow),
    // Kept for later: reconnect.
    (5000, Then::Soon),
    (5001, Then::Soon),
    (9999, Then::Soon),
    (65_535, Then::Soon),
    (2999, Then::Soon),
    (0, Then::Soon),
];

#[track_caller]
fn check(rig: &Rig, code: u16, then: Then) {
    let status = rig.feed.status();
    let (phase, seconds) = match then {
        Then::Soon => (Phase::Waiting, 0..=3),
        Then::Slow => (Phase::Waiting, 20..=120),
        Then::Refused => (Phase::Refused, 20..=120),
    };
    assert_eq!(status.phase, phase, "{code}");
    let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
    assert!(seconds.contains(&wait), "{code}: {wait} s");
}

/// A refusal is shown as one, a shutdown is come back from at once, and what a person must change is left alone: whether the code
/// comes by a close frame or, over HTTP, by a message.
#[test]
fn codes() {
    for (code, then) in CODES {
        let mut rig = Rig::live();
        rig.closes(code, "why");
        check(&rig, code, then);
        let mut rig = Rig::live();
        rig.says(&format!(r#"{{"push":{{"disconnect":{{"code":{code},"reason":"why"}}}}}}"#));
        assert_eq!(rig.out, ["close"], "{code}");
        check(&rig, code, then);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains("why"), "{code}: {cause}");
    }
}

/// A token that has come to its end, or that is to be thrown away, is replaced at once.
#[test]
fn codes_that_ask_for_another_token() {
    for code in [3005, 3014] {
        let mut rig = Rig::new(|config| {
            config.asks_token = true;
            config.token = Some(Secret::new("t1"));
        });
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig.says(r#"{"id":1,"connect":{"client":"c","expires":true,"ttl":600}}"#);
        rig.says(r#"{"id":2,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":7}}"#);
        rig.out.clear();
        rig.closes(code, "");
        assert_eq!(rig.out.first().map(String::as_str), Some("token?"), "{code}: {:?}", rig.out);
    }
}

/// Each class of a subscription's end, and what an error to subscribing means.
#[test]
fn subscriptions_end() {
    for (code, again, recovers) in [
        (2000, false, false),
        (2499, false, false),
        (2500, true, true),
        (2501, true, true),
        (2502, true, false),
        (2999, true, true),
    ] {
        let mut rig = Rig::live();
        let end = format!(r#"{{"push":{{"channel":"news","unsubscribe":{{"code":{code},"reason":"so it is"}}}}}}"#);
        rig.says(&end);
        let said = rig.out.join("\n");
        assert_eq!(said.contains(r#""unsubscribe""#) && said.contains(r#""subscribe""#), again, "{code}: {said}");
        assert_eq!(said.contains(r#""offset":7,"#), recovers, "{code}: {said}");
        let status = rig.feed.status();
        assert_eq!(status.phase == Phase::Refused, !again, "{code}");
        assert!(again || status.cause.expect("a cause").text.contains("so it is"));
    }
    for (code, temporary, phase) in [
        (100, true, Phase::Waiting),
        (101, false, Phase::Refused),
        (102, false, Phase::Waiting),
        (103, false, Phase::Refused),
        (106, false, Phase::Waiting),
        (109, false, Phase::Waiting),
        (111, true, Phase::Waiting),
    ] {
        let mut rig = Rig::subscribing(None);
        rig.says(&format!(r#"{{"id":2,"error":{{"code":{code},"message":"m","temporary":{temporary}}}}}"#));
        assert_eq!(rig.feed.status().phase, phase, "{code}");
    }
}

/// Commands go in as few messages as the server takes, each message within its bound; answers come in any number of messages.
#[test]
fn commands_go_together() {
    let names: Vec<String> = (0..128).map(|n| format!("{n:->250}")).collect();
    let mut rig = Rig::new(|config| config.channels = names.iter().map(|name| name.as_str().into()).collect());
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.out.clear();
    rig.says(r#"{"id":1,"connect":{"client":"c"}}"#);
    assert!((2..10).contains(&rig.out.len()), "{}", rig.out.len());
    assert!(rig.out.iter().all(|message| message.len() < 32 << 10), "half of what a server takes");
    let commands: Vec<&str> = rig.out.iter().flat_map(|message| message.split('\n')).collect();
    assert_eq!(commands.len(), 128);
    for (id, command) in (2..).zip(commands) {
        assert!(command.starts_with(&format!("{{\"id\":{id},\"subscribe\"")), "{command}");
    }
    let answer = |id: u32| format!(r#"{{"id":{id},"subscribe":{{"recoverable":true,"positioned":true,"epoch":"e"}}}}"#);
    let (first, second): (Vec<String>, Vec<String>) = (2..130).map(answer).partition(|one| one.len() % 2 == 0);
    rig.says(&(first.join("\n") + "\n"));
    assert_eq!(rig.feed.status().phase, Phase::Subscribing);
    rig.says(&second.join("\n"));
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H1: an answer that lacks what was asked for was damaged, and answers nothing; one in which that says nothing is a whole one.
#[test]
fn answers_without_what_was_asked_for() {
    let connected = r#"{"id":1,"connect":{"client":"c","version":"6","ping":25,"pong":true}}"#;
    for said in
        [&[r#"{"id":1,"co~nect":{"client":"c","version":"6"}}"#][..], &[connected, r#"{"id":2,"NaN":{"code":103}}"#]]
    {
        let mut rig = Rig::new(|_| {});
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        said.iter().for_each(|text| rig.says(text));
        let status = rig.feed.status();
        assert_ne!(status.phase, Phase::Live, "{said:?}");
        let cause = status.cause.map(|cause| cause.text).unwrap_or_default();
        assert!(cause.contains("lacks what was asked for"), "{said:?}: {cause}");
    }
    let mut rig = Rig::subscribing(None);
    rig.says(r#"{"id":2,"subscribe":{}}"#);
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
}
