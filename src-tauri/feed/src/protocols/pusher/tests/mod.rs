//! Pusher's messages, and what a feed makes of them. What the server says here was recorded from Soketi 1.6.1, unless a test says
//! whose it is.

mod access;
mod codes;
mod garbage;
mod reverb;
mod rig;
mod rooms;
mod users;

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use self::rig::{GREETING, PING, PONG, Rig};

const SUBSCRIBE: &str = r#"{"data":{"channel":"news"},"event":"pusher:subscribe"}"#;

/// Nothing is sent before the greeting. Bodies come in every shape.
#[test]
fn a_first_subscription() {
    let mut rig = Rig::new(&["news"], |_| {});
    rig.start();
    let version = env!("CARGO_PKG_VERSION");
    let open = format!(
        "open wss://push.example/app/app-key?protocol=7&client=watchfloor&version={version} [origin: https://app.example]"
    );
    rig.expect(&[&open]);
    rig.says(GREETING);
    rig.expect(&[SUBSCRIBE]);
    rig.takes("news");
    rig.expect(&["gap news unknown: the server offers no snapshot"]);
    rig.is(Phase::Live);
    rig.event("news", "tick", r#"{"n":1}"#);
    rig.event("news", r"App\\Events\\OrderShipped", "plain text");
    rig.says(r#"{"event":"tick","channel":"news","data":{"n":4}}"#);
    rig.event("news", "tick", "7");
    rig.says(r#"{"event":"tick","channel":"news"}"#);
    rig.event("other", "tick", "1");
    rig.event("news", "pusher:tomorrow", "1");
    rig.event("news", "pusher_internal:subscription_count", r#"{"subscription_count":3}"#);
    rig.expect(&[
        r#"news tick 1 {"n":1}"#,
        r#"news App\Events\OrderShipped 2 "plain text""#,
        r#"news tick 3 {"n":4}"#,
        "news tick 4 7",
        "news tick 5 null",
    ]);
}

/// An address may have a path in front, and may be the one of the site.
#[test]
fn addresses() {
    for (url, expected) in [
        ("https://x.example/push/", "wss://x.example/push/app/k%2F1?"),
        ("ws://x.example:6001", "ws://x.example:6001/app/k%2F1?"),
    ] {
        let mut rig = Rig::new(&["news"], |config| {
            config.url = url.parse().expect("an address");
            config.app = Some("k/1".into());
            config.auth = None;
        });
        rig.start();
        assert!(rig.out[0].contains(expected), "{:?}", rig.out);
        assert!(rig.out[0].contains("[origin: http"), "{:?}", rig.out);
    }
}

/// What can't work is said, and not tried.
#[test]
fn configurations() {
    for (channel, app, part) in [
        ("private-news", Some("k"), "`private-news` wants `auth`"),
        ("news", None, "wants `app`"),
        ("", Some("k"), "no channel name"),
    ] {
        let mut rig = Rig::new(&[channel], |config| {
            config.auth = None;
            config.app = app.map(Into::into);
        });
        rig.feed.start(rig.now);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains(part), "{cause}");
    }
}

/// H1: an answered ping proves that all before it has come. A stream that doesn't answer isn't live, though the connection is.
#[test]
fn the_stream_is_proven_by_pongs() {
    let mut rig = Rig::live();
    for _ in 0..10 {
        rig.pass(Duration::from_secs(2));
        rig.expect(&[PING]);
        rig.pong();
        rig.says(PONG);
        rig.is(Phase::Live);
    }
    // Reverb's has no data, and it asks as well.
    rig.says(r#"{"event":"pusher:pong"}"#);
    rig.says(r#"{"event":"pusher:ping","data":"{}"}"#);
    rig.expect(&[PONG]);
    for _ in 0..4 {
        rig.pass(Duration::from_secs(2));
        rig.pong();
    }
    assert_ne!(rig.feed.status().phase, Phase::Live, "nothing was proven");
}

/// H3: Soketi leaves out what a slow reader has no room for, without a word. An answer that is left out tells, while events come.
#[test]
fn a_server_that_leaves_things_out() {
    let ends_after = |most: u64, answers: bool| {
        let mut rig = Rig::live();
        let end = (1..=most).find(|second| {
            rig.pass(Duration::from_secs(1));
            if answers {
                rig.pong();
            }
            rig.event("news", "tick", &second.to_string());
            rig.out.iter().any(|line| line == "close")
        });
        assert_eq!(rig.out.iter().filter(|line| *line == PING).count(), 1, "{:?}", rig.out);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains("leaves out"), "{cause}");
        end.expect("given up")
    };
    assert!((4..=8).contains(&ends_after(60, true)));
    // The transport's answers may be left out as well: then the link only looks slow.
    assert!((30..=34).contains(&ends_after(60, false)));
}

/// H2: a pong that is merely late is none that was left out.
#[test]
fn a_late_pong() {
    let mut rig = Rig::live();
    for _ in 0..6 {
        rig.pass(Duration::from_millis(1700));
        rig.pong();
        rig.event("news", "tick", "1");
        rig.pass(Duration::from_millis(1700));
        rig.pong();
        rig.event("news", "tick", "1");
        rig.says(PONG);
    }
    assert!(!rig.out.contains(&"close".to_owned()), "{:?}", rig.out);
    rig.is(Phase::Live);
}

/// H3: the protocol replays nothing: after a cut what was missed is unknown, whatever place was known.
#[test]
fn after_a_cut() {
    let mut rig = Rig::live();
    rig.event("news", "tick", "1");
    rig.closes(None);
    rig.pass(Duration::from_secs(2));
    rig.opened();
    rig.says(GREETING);
    rig.out.clear();
    rig.takes("news");
    assert!(rig.out[0].starts_with("gap news unknown"), "{:?}", rig.out);
    assert_eq!(rig.feed.status().continuity, Continuity::Unknown);
    rig.is(Phase::Live);
    rig.event("news", "tick", "2");
    assert_eq!(rig.out.last().map(String::as_str), Some("news tick 1 2"), "counted anew");

    let mut rig = Rig::new(&["news"], |_| {});
    rig.restore("news", "link-00000000000000aa:3");
    rig.start();
    rig.says(GREETING);
    rig.takes("news");
    assert!(rig.out.last().expect("a gap").starts_with("gap news unknown"), "{:?}", rig.out);
}

/// A server that says nothing, or doesn't answer a subscription, is given up; public channels are asked for a few at a time.
#[test]
fn subscribing_takes_no_longer_than_it_may() {
    let mut rig = Rig::new(&["news"], |_| {});
    rig.start();
    rig.pass(Duration::from_secs(6));
    assert!(rig.out.contains(&"close".to_owned()), "{:?}", rig.out);

    let names: Vec<String> = (0..40).map(|number| format!("news-{number}")).collect();
    let mut rig = Rig::greeted(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let asked = |rig: &Rig| rig.out.iter().filter(|line| line.contains("pusher:subscribe")).count();
    assert_eq!(asked(&rig), 16);
    for (taken, name) in names.iter().enumerate() {
        assert!(asked(&rig) <= taken + 16);
        rig.takes(name);
    }
    assert_eq!(asked(&rig), 40);
    rig.is(Phase::Live);
}

/// Subscribed again on the same connection: what comes before the pong is the old subscription's.
#[test]
fn subscribing_again() {
    let mut rig = Rig::live();
    rig.says("garbage");
    rig.expect(&[r#"{"data":{"channel":"news"},"event":"pusher:unsubscribe"}"#, PING]);
    rig.event("news", "tick", "1");
    rig.takes("news");
    rig.expect(&[]);
    rig.says(PONG);
    rig.expect(&[SUBSCRIBE]);
    rig.takes("news");
    rig.event("news", "tick", "2");
    assert!(rig.out[0].starts_with("gap news unknown: "), "{:?}", rig.out);
    assert_eq!(rig.out[1..], ["news tick 1 2"]);
    rig.is(Phase::Live);
}
