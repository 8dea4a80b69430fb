//! What the server says when it ends something, each code by its meaning.

use std::time::Duration;

use watchfloor_model::Phase;

use super::rig::{Rig, attached, connected};
use crate::{
    Input, LinkId,
    fault::{LinkFault, LinkFaultKind},
    protocols::ably::wire::{Class, ErrorInfo},
};

/// H1: a refusal is shown as one and asked again slowly.
#[test]
fn refusals() {
    for text in [
        r#"{"action":9,"error":{"code":40101,"statusCode":401,"message":"invalid credentials"}}"#,
        r#"{"action":9,"error":{"code":40103,"statusCode":401,"message":"TLS needed"}}"#,
        r#"{"action":9,"error":{"code":40300,"statusCode":403,"message":"disabled"}}"#,
        r#"{"action":9,"error":{"code":80024,"statusCode":400,"message":"old protocol"}}"#,
        r#"{"action":9,"error":{"statusCode":401}}"#,
        r#"{"action":9,"channel":"ops","error":{"code":40160,"statusCode":401,"message":"not permitted"}}"#,
        r#"{"action":11,"channel":"ops","flags":131072}"#,
    ] {
        let mut rig = Rig::new(|_| {});
        rig.begin();
        rig.says(text);
        let status = rig.feed.status();
        assert_eq!(status.phase, Phase::Refused, "{text}");
        let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
        assert!((30..=120).contains(&wait), "{text}: {wait} s");
    }
    // What is said of other channels says nothing.
    let mut rig = Rig::live();
    rig.says(r#"{"action":9,"channel":"gone","error":{"code":40160,"statusCode":401}}"#);
    rig.says(r#"{"action":13,"channel":"gone"}"#);
    rig.says(r#"{"action":11,"channel":"gone"}"#);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// A disconnection is come back from, with what the server said as the cause; where it says that it is too much, later.
#[test]
fn disconnected() {
    for (text, least, most) in [
        (r#"{"action":6,"error":{"code":80003,"statusCode":503,"message":"moved"}}"#, 0, 1),
        (r#"{"action":6}"#, 0, 1),
        (r#"{"action":8}"#, 0, 1),
        (r#"{"action":9,"error":{"code":50003,"statusCode":500,"message":"moved"}}"#, 0, 1),
        (r#"{"action":6,"error":{"code":42922,"statusCode":429,"message":"moved"}}"#, 15, 60),
    ] {
        let mut rig = Rig::live();
        rig.says(text);
        // A message that comes behind it is none any more, and nothing is proven.
        rig.says(&attached("s9", 0));
        rig.cut();
        let status = rig.feed.status();
        let wait = status.retry_at.expect("a next try").since(rig.now);
        assert!((least..=most).contains(&wait.as_secs()), "{text}: {wait:?}");
        let cause = status.cause.expect("why").text;
        assert!(cause.contains("moved") || !text.contains("moved"), "{cause}");
    }
    // Where the close doesn't come, it isn't live for longer than the limit.
    let mut rig = Rig::live();
    rig.says(r#"{"action":6}"#);
    for _ in 0..8 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
    }
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// A channel that fails on a connection that stands takes the source with it: what it shows is no longer whole.
#[test]
fn a_channel_fails() {
    let mut rig = Rig::live();
    rig.says(r#"{"action":9,"channel":"ops","error":{"code":90021,"statusCode":400,"message":"too many channels"}}"#);
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    assert!(rig.feed.status().cause.expect("why").text.contains("too many channels"));
    // One that was overtaken is sent again.
    let mut rig = Rig::new(|_| {});
    rig.begin();
    let asked = rig.out.pop();
    rig.says(r#"{"action":9,"channel":"ops","error":{"code":80016,"message":"superseded"}}"#);
    assert_eq!(rig.out.pop(), asked);
}

/// What is no server of this protocol is told.
#[test]
fn other_servers() {
    for text in ["<html>", "", "{}", "[]", "0{\"sid\":1}", r#"{"action":"connected"}"#, r#"{"action":11}"#] {
        let mut rig = Rig::new(|_| {});
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig.says(text);
        let cause = rig.feed.status().cause.expect("why").text;
        assert!(cause.contains("not an Ably server"), "{text}: {cause}");
    }
    let mut rig = Rig::new(|_| {});
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.shows(b"\x83\xa6action\x04");
    assert!(rig.feed.status().cause.expect("why").text.contains("JSON was asked for"));
}

/// H2: what isn't known is left alone.
#[test]
fn what_is_still_to_come() {
    let mut rig = Rig::live();
    for text in [
        r#"{"action":99,"channel":"ops","new":{"field":[1]}}"#,
        r#"{"action":1,"msgSerial":1,"count":1}"#,
        r#"{"action":19,"channel":"ops","state":[{}],"channelSerial":"o1"}"#,
        &connected("key-2"),
    ] {
        rig.says(text);
    }
    assert_eq!(rig.feed.status().phase, Phase::Live);
    assert_eq!(rig.feed.status().counts.rejected, 0);
}

/// 401 is the status of what another token cures, and of what it doesn't.
#[test]
fn classes() {
    let class = |code, status_code| ErrorInfo { code, status_code, message: None }.class();
    assert_eq!(class(Some(40142), Some(401)), Class::Ended);
    for code in [40140, 40141, 40143, 40144, 40145, 40149] {
        assert_eq!(class(Some(code), Some(401)), Class::Token, "{code}");
    }
    for code in [40101, 40160, 40161, 40003, 40300, 80008, 80024] {
        assert_eq!(class(Some(code), Some(401)), Class::Denied, "{code}");
    }
    for code in [40111, 42910, 42920, 42922, 80021, 90010] {
        assert_eq!(class(Some(code), Some(429)), Class::Limit, "{code}");
    }
    for code in [50000, 50003, 80003, 80014, 80016, 99999] {
        assert_eq!(class(Some(code), Some(500)), Class::Passing, "{code}");
    }
    assert_eq!(class(None, None), Class::Passing);
}

/// Where Ably can't be reached by one host it is by others, each in its turn; another server has no others.
#[test]
fn other_hosts() {
    let host = |rig: &Rig| {
        let open = rig.out.iter().rfind(|line| line.starts_with("open ")).expect("an attempt");
        open["open wss://".len()..].split('/').next().unwrap_or_default().to_owned()
    };
    let next = |rig: &mut Rig, fault: LinkFaultKind| {
        let old = rig.link;
        rig.input(Input::Failed { link: LinkId(old), fault: LinkFault::new(fault, "") });
        while rig.link == old {
            let (due, _) = rig.feed.poll_timeout().expect("a next try");
            rig.now = due.max(rig.now);
            rig.feed.handle_timeout(rig.now);
            rig.drain();
        }
        host(rig)
    };
    let mut rig = Rig::new(|_| {});
    rig.feed.start(rig.now);
    rig.drain();
    assert_eq!(host(&rig), "main.realtime.ably.net");
    let mut others: Vec<String> = (0..5).map(|_| next(&mut rig, LinkFaultKind::Refused)).collect();
    others.sort();
    let expected: Vec<String> =
        ["a", "b", "c", "d", "e"].map(|letter| format!("main.{letter}.fallback.ably-realtime.com")).into();
    assert_eq!(others, expected);
    assert_eq!(next(&mut rig, LinkFaultKind::Timeout), "main.realtime.ably.net");
    // What stands on another host is had at the first one again when it ends, unless that one has just failed.
    let other = next(&mut rig, LinkFaultKind::Dns);
    assert_ne!(other, "main.realtime.ably.net");
    rig.opened();
    rig.says(&connected("key-1"));
    rig.says(&attached("s0", 0));
    rig.beats();
    rig.again();
    assert_eq!(host(&rig), "main.realtime.ably.net");
    // A server that says that it can't serve is one that can't be reached; one that refuses isn't.
    rig.says(r#"{"action":6,"error":{"code":50003,"statusCode":503,"message":"busy"}}"#);
    let old = rig.link;
    rig.cut();
    rig.wait(old);
    assert_ne!(host(&rig), "main.realtime.ably.net");
    let mut rig = Rig::new(|config| config.url = "wss://push.example".parse().expect("an address"));
    rig.feed.start(rig.now);
    rig.drain();
    assert_eq!(next(&mut rig, LinkFaultKind::Refused), "push.example");
}
