//! Channels of Pub/Sub.

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use super::rig::{HELLO, Rig, bulk, config, shown};

/// What a feed of `news` and `pattern:n*` is told until it is live.
const CONFIRMED: &str = ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n>3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n";
const PUBLISHED: &str = ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$7\r\n{\"a\":1}\r\n";
const BY_PATTERN: &str = ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$7\r\n{\"a\":1}\r\n";

fn live() -> Rig {
    let mut rig = Rig::open(config(&["news", "pattern:n*"]), None);
    rig.says(HELLO);
    rig.says(CONFIRMED);
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.out.clear();
    rig
}

/// H3: what was published before the confirmation isn't known, and an event is called by the channel that it came on.
#[test]
fn a_first_subscription() {
    let mut rig = Rig::open(config(&["news", "pattern:n*"]), None);
    rig.expect(&["open redis://redis.example:6379", "HELLO 3 SETNAME watchfloor"]);
    rig.says(HELLO);
    rig.expect(&["SUBSCRIBE news", "PSUBSCRIBE n*"]);
    rig.says(PUBLISHED);
    rig.expect(&[]);
    rig.says(CONFIRMED);
    rig.says(format!("{PUBLISHED}{BY_PATTERN}"));
    let unknown = "gap unknown: the server offers no snapshot";
    rig.expect(&[unknown, unknown, r#"news 1 1700000001000 {"a":1}; news 1 1700000001000 {"a":1}"#]);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.counts.events), (Phase::Live, 2));
}

/// H1: pings are answered in turn with the messages; what proves the stream is asked for, and nothing else makes it live.
#[test]
fn probes() {
    let mut rig = live();
    rig.pass(Duration::from_secs(2));
    rig.expect(&["PING", "HELLO 3"]);
    rig.pass(Duration::from_secs(3));
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.says(format!("+PONG\r\n{HELLO}"));
    rig.pass(Duration::from_millis(900));
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.pass(Duration::from_millis(200));
    assert_ne!(rig.feed.status().phase, Phase::Live, "proven as of when it was asked for, six seconds ago");
}

/// H3: nothing is kept, so nothing is proven after a reconnect, though the places were counted.
#[test]
fn a_reconnect_proves_nothing() {
    let mut rig = live();
    rig.says(PUBLISHED);
    rig.out.clear();
    rig.closes();
    rig.pass(Duration::from_secs(5));
    rig.opened();
    rig.says(HELLO);
    rig.says(CONFIRMED);
    let gap = "gap unknown: link lost: the connection ended; the server keeps nothing of this channel; the server offers no snapshot";
    rig.expect(&[
        "open redis://redis.example:6379",
        "HELLO 3 SETNAME watchfloor",
        "SUBSCRIBE news",
        "PSUBSCRIBE n*",
        gap,
        gap,
    ]);
    assert_eq!(rig.feed.status().continuity, Continuity::Unknown);
    rig.says(PUBLISHED);
    let place = &rig.feed.status().positions["news"];
    assert_eq!(shown(place), "1", "another epoch than the link before");
}

/// What is no JSON is a text, unless it begins like a list or an object; what can't be read is a gap of exactly its place.
#[test]
fn bodies() {
    let mut rig = live();
    for (body, expected) in [
        ("plain", r#"news 1 1700000001000 "plain""#),
        ("17.5", "news 2 1700000001000 17.5"),
        ("0171234", r#"news 3 1700000001000 "0171234""#),
        ("12345678901234567890", r#"news 4 1700000001000 "12345678901234567890""#),
        (" {}", "news 5 1700000001000  {}"),
        ("", r#"news 6 1700000001000 """#),
        ("a\"b\nc", r#"news 7 1700000001000 "a\"b\nc""#),
    ] {
        rig.says(format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n{}", bulk(body)));
        rig.expect(&[expected]);
    }
    rig.says(format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n{}", bulk("{bad")));
    let gaps = rig.out.join("\n");
    assert!(
        gaps.starts_with("gap unknown: events lost: an event can't be read: data is not acceptable JSON"),
        "{gaps}"
    );
    rig.out.clear();
    rig.says(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\n\xff\xfe\r\n");
    assert!(rig.out.join("\n").contains("not UTF-8"), "{:?}", rig.out);
    rig.out.clear();
    rig.says(PUBLISHED);
    rig.expect(&[r#"news 10 1700000001000 {"a":1}"#]);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.counts.rejected, status.counts.events), (Phase::Live, 2, 8));
}

/// H5: a message over the bound costs itself, not the connection, and is held nowhere.
#[test]
fn a_message_over_the_bound() {
    let mut rig = live();
    let body = "x".repeat((1 << 20) + 1);
    let message = format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n{}", bulk(&body));
    for cut in message.as_bytes().chunks(60_000) {
        rig.says(cut);
    }
    assert!(rig.out.join("\n").contains("the message has 1048577 bytes, the limit is 1048576"), "{:?}", rig.out);
    rig.out.clear();
    rig.says(PUBLISHED);
    rig.expect(&[r#"news 2 1700000001000 {"a":1}"#]);
}

/// H3: a server that ends a subscription by itself is asked again, and what lies between isn't known.
#[test]
fn an_end_unasked_for() {
    let mut rig = live();
    rig.says(">3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    rig.expect(&["HELLO 3"]);
    rig.says(HELLO);
    rig.says(CONFIRMED);
    let out = rig.out.join("\n");
    assert!(out.contains("SUBSCRIBE news") && out.contains("gap unknown: the server ended the subscription"), "{out}");
    assert_eq!(rig.feed.status().phase, Phase::Live);
}
