//! Ably's messages, and what a feed makes of them. What the server says is written by the protocol's specification: none of it was
//! recorded from Ably. What a client says is recorded from Ably's own.

mod again;
mod deltas;
mod ends;
mod history;
mod hostile;
mod recorded;
mod rig;
mod roll;
mod token;
mod trials;

use std::time::Duration;

use serde_json::{json, value::RawValue};
use watchfloor_model::Phase;

use self::rig::{ADDRESS, ATTACH, Rig, attached, connected, message};
use super::wire::decode;
use crate::{Envelope, Secret};

/// The bit that says that nothing is missing.
const RESUMED: u64 = 4;

/// H3: events in order, with ids and times; live only after the server answered to what was asked behind the attachment.
#[test]
fn events() {
    let mut rig = Rig::new(|_| {});
    rig.begin();
    rig.expect(&[ADDRESS, ATTACH]);
    rig.says(&message("s-1", 0, &[json!(0)]));
    rig.says(&attached("s0", 0));
    assert_ne!(rig.feed.status().phase, Phase::Live);
    rig.beats();
    assert_eq!(rig.feed.status().phase, Phase::Live);
    // What was before the wall's beginning is unknown.
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    rig.says(&message("s1", 1, &[json!({ "n": 1 })]));
    rig.says(r#"{"action":15,"channel":"ops","channelSerial":"s2","id":"p:2","messages":[{"data":"{\"n\":2}"}]}"#);
    rig.says(r#"{"action":15,"channel":"else","channelSerial":"x","messages":[{"data":"no"}]}"#);
    rig.says(r#"{"action":15,"channel":"ops","channelSerial":"s3","id":null,"messages":[{"name":null}],"error":null}"#);
    rig.expect(&[r#"tick 1@s1 {"n":1}"#, r#"message 2@s2 "{\"n\":2}""#, "message 3@s3 null"]);
    assert_eq!((rig.unknown(), rig.feed.status().counts.events), (0, 3));
}

/// H3: a channel that is attached again after its serial brings what was missed, and RESUMED is what proves it. H1: it isn't live
/// before the server has answered behind that.
#[test]
fn a_channel_is_resumed() {
    let mut rig = Rig::live();
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.out.clear();
    rig.again();
    let open = format!("{ADDRESS} resume=key-1");
    rig.expect(&[&open, r#"{"action":10,"channel":"ops","channelSerial":"s1","flags":786432}"#]);
    rig.says(&attached("s9", RESUMED));
    assert_ne!(rig.feed.status().phase, Phase::Live);
    // What came already may come once more.
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.says(&message("s2", 2, &[json!(2)]));
    rig.beats();
    rig.says(&message("s3", 3, &[json!(3)]));
    rig.expect(&["gap proven: link lost: the connection ended", "tick 2@s2 2", "tick 3@s3 3"]);
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 0));
    // Each connection is resumed by its own key, the newest.
    rig.again();
    assert!(rig.out[0].ends_with("resume=key-2"), "{:?}", rig.out);
}

/// H3: without RESUMED nothing is proven, whatever else the server says; its own reason is given.
#[test]
fn a_channel_is_not_resumed() {
    let too_old = r#"{"action":11,"channel":"ops","channelSerial":"s8","error":{"code":90003,"statusCode":400,"message":"too old"}}"#;
    for (answer, why) in [
        (attached("s8", 0), "the server doesn't go on after the place asked for"),
        (too_old.to_owned(), "too old (90003)"),
        (too_old.replace("\"error\"", "\"flags\":4,\"error\""), "too old (90003)"),
    ] {
        let mut rig = Rig::live();
        rig.says(&message("s1", 1, &[json!(1)]));
        rig.again();
        rig.out.clear();
        rig.says(&answer);
        rig.beats();
        rig.says(&message("s9", 9, &[json!(9)]));
        let gap = format!(
            "gap unknown: link lost: the connection ended; {why}; its history: status 404; the server offers no snapshot"
        );
        rig.expect(&[&gap, "tick 1@s9 9"]);
        assert_eq!(rig.unknown(), 1);
    }
    // A connection that isn't resumed proves as little, and as much: the channel's answer decides.
    let mut rig = Rig::live();
    rig.says(&message("s1", 1, &[json!(1)]));
    let old = rig.link;
    rig.cut();
    while rig.link == old {
        rig.pass(Duration::from_secs(1));
    }
    rig.opened();
    rig.says(r#"{"action":4,"connectionId":"other","error":{"code":80018,"message":"expired"},"connectionDetails":{"connectionKey":"k"}}"#);
    rig.says(&attached("s9", RESUMED));
    rig.beats();
    assert_eq!(rig.unknown(), 0);
}

/// H3: a server that fails the channel for its place is asked without one, or it would be asked for that for ever. Seen in the source of
/// Sockudo, which says so where Ably attaches with an error.
#[test]
fn a_place_that_fails_the_channel() {
    let mut rig = Rig::live();
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.again();
    rig.out.clear();
    let fails = r#"{"action":9,"channel":"ops","error":{"code":90005,"statusCode":400,"message":"no matching epoch"}}"#;
    rig.says(fails);
    rig.expect(&[ATTACH]);
    rig.says(&attached("s9", RESUMED));
    rig.beats();
    let out = rig.out.join("\n");
    assert!(out.contains("gap unknown") && out.contains("no matching epoch (90005)"), "{out}");
    assert_eq!(rig.feed.status().phase, Phase::Live);
    // Without a place it is the channel that failed.
    rig.again();
    rig.says(fails);
    rig.says(fails);
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
}

/// H3: who asked for nothing has nothing resumed.
#[test]
fn resumed_without_a_serial() {
    let mut rig = Rig::new(|_| {});
    rig.begin();
    rig.says(r#"{"action":11,"channel":"ops"}"#);
    rig.beats();
    rig.says(r#"{"action":15,"channel":"ops","messages":[{"id":"a","data":"1"}]}"#);
    rig.again();
    assert_eq!(rig.out.pop().as_deref(), Some(ATTACH), "no serial was ever told");
    rig.out.clear();
    rig.says(&attached("s9", RESUMED));
    let out = rig.out.join("\n");
    assert!(out.contains("gap unknown") && out.contains("no serial"), "{out}");
}

/// H4, H3: a place within a protocol message is gone on from without loss and without doubles.
#[test]
fn a_place_within_a_message() {
    let mut rig = Rig::live();
    let several = [json!(1), json!(2), json!(3)];
    // The third can't be read: the place that was delivered is within the message.
    let spoilt = message("s1", 1, &several).replace(r#""data":"3""#, r#""data":"3x""#);
    rig.says(&spoilt);
    rig.expect(&["tick 1@s0 1 pub:1:0 1; tick 2@s0 2 pub:1:1 2", "close", &format!("{ADDRESS} resume=key-1")]);
    rig.opened();
    rig.says(&connected("key-2"));
    rig.expect(&[r#"{"action":10,"channel":"ops","channelSerial":"s0","flags":786432}"#]);
    rig.says(&attached("s1", RESUMED));
    rig.says(&message("s1", 1, &several));
    rig.beats();
    let out = rig.out.join("\n");
    assert!(out.ends_with("tick 3@s1 3") && !out.contains("unknown"), "{out}");
    assert_eq!((rig.unknown(), rig.feed.status().counts.events), (0, 3));
}

/// H4: the same over a restart, where nothing but the mark is known; and what comes in another order is a gap.
#[test]
fn a_restart_within_a_message() {
    let several = [json!(1), json!(2), json!(3)];
    let start = |rig: &mut Rig| {
        let place = "link-1:2@s0 2 pub:1:1".parse().expect("a place");
        rig.feed.restore(std::collections::BTreeMap::from([("ops".into(), place)]));
        rig.begin();
        rig.expect(&[ADDRESS, r#"{"action":10,"channel":"ops","channelSerial":"s0","flags":786432}"#]);
        rig.says(&attached("s1", RESUMED));
    };
    let mut rig = Rig::new(|_| {});
    start(&mut rig);
    rig.says(&message("s1", 1, &several));
    rig.beats();
    let out = rig.out.join("\n");
    assert!(out.ends_with("tick 3@s1 3") && !out.contains("tick 1"), "{out}");
    assert_eq!(rig.unknown(), 0);

    let mut rig = Rig::new(|_| {});
    start(&mut rig);
    rig.says(&message("s7", 7, &several));
    rig.beats();
    let out = rig.out.join("\n");
    assert!(out.contains("gap unknown") && out.contains("isn't what it had sent"), "{out}");
}

/// H3: a channel that the server attaches anew by itself has a gap; one that goes on has none.
#[test]
fn attached_again_unasked() {
    let mut rig = Rig::live();
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.says(&attached("s1", RESUMED));
    assert_eq!(rig.unknown(), 0);
    rig.out.clear();
    rig.says(&attached("s5", 0));
    let out = rig.out.join("\n");
    assert!(out.contains("gap unknown: events lost: the server attached the channel anew"), "{out}");
    rig.beats();
    rig.says(&message("s6", 6, &[json!(6)]));
    assert!(rig.out.last().expect("delivered").ends_with("@s6 6"), "{:?}", rig.out);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H1: while a channel is detached nothing proves it; attached again after its serial, nothing is lost.
#[test]
fn detached_unasked() {
    let mut rig = Rig::live();
    rig.says(&message("s1", 1, &[json!(1)]));
    rig.out.clear();
    rig.says(r#"{"action":13,"channel":"ops","error":{"code":90000,"message":"moved"}}"#);
    rig.expect(&[r#"{"action":10,"channel":"ops","channelSerial":"s1","flags":786432}"#]);
    rig.says(r#"{"action":0,"id":"w1"}"#);
    // What comes in between belongs to the attachment before.
    rig.says(&message("s2", 2, &[json!(2)]));
    rig.expect(&[]);
    rig.says(&attached("s1", RESUMED));
    rig.says(&message("s2", 2, &[json!(2)]));
    rig.beats();
    rig.expect(&["tick 2@s2 2"]);
    assert_eq!(rig.unknown(), 0);
    // Never attached again, it isn't live for longer than the limit.
    rig.says(r#"{"action":13,"channel":"ops"}"#);
    for _ in 0..7 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
    }
    assert_ne!(rig.feed.status().phase, Phase::Live);
    // Detached again and again it is another connection's affair.
    let mut rig = Rig::live();
    rig.says(r#"{"action":13,"channel":"ops"}"#);
    rig.says(r#"{"action":13,"channel":"ops"}"#);
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// H1, H2: what is asked for within the limit keeps it live, and nothing else does.
#[test]
fn the_stream_is_proven() {
    let mut rig = Rig::live();
    for _ in 0..20 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        if rig.is_asked() {
            rig.beats();
        }
        assert_eq!(rig.feed.status().phase, Phase::Live);
    }
    for _ in 0..8 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        // The server's own say nothing of what was asked.
        rig.says(r#"{"action":0}"#);
        rig.says(r#"{"action":0,"id":"w99999"}"#);
    }
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// The name, id and time may stand in the body; what is done to an older message isn't another one of its name.
#[test]
fn names() {
    let mut rig = Rig::new(|config| {
        config.envelope = Envelope { name: Some("type".parse().expect("a path")), ..Envelope::default() };
        config.channels = vec!["[?rewind=1]ops".into()];
    });
    rig.begin();
    rig.expect(&[ADDRESS, r#"{"action":10,"channel":"[?rewind=1]ops","flags":786432}"#]);
    rig.says(&attached("s0", 2));
    rig.says(&message("s1", 1, &[json!({ "type": "flight.cancelled" })]));
    for action in [1, 2, 5, 4] {
        let text = message("s1", 2, &[json!(1)]).replace(r#""name""#, &format!(r#""action":{action},"name""#));
        rig.says(&text);
    }
    rig.beats();
    rig.expect(&[
        "gap unknown: the server offers no snapshot",
        r#"flight.cancelled 1@s1 {"type":"flight.cancelled"}"#,
        "message.updated 2@s1 1",
        "message.deleted 3@s1 1",
        "message.appended 4@s1 1",
        "message.about 5@s1 1",
    ]);
}

/// Encodings are undone from the right; what can't be undone is said to be so.
#[test]
fn encodings() {
    let read = |data: &str, encoding: Option<&str>| {
        let data = RawValue::from_string(data.to_owned()).expect("JSON");
        decode(Some(&data), encoding, None)
    };
    let ok = |data, encoding, expected: &str| assert_eq!(read(data, encoding).as_deref(), Ok(expected));
    ok(r#""{\"a\":1}""#, None, r#""{\"a\":1}""#);
    ok(r#""{\"a\":1}""#, Some("json"), r#"{"a":1}"#);
    ok(r#"{"a":1}"#, None, r#"{"a":1}"#);
    ok(r#"{"a":1}"#, Some("json"), r#"{"a":1}"#);
    ok(r#""aGk=""#, Some("base64"), r#""aGk=""#);
    ok(r#""aG\nk=""#, Some("utf-8/base64"), r#""hi""#);
    ok(r#""eyJhIjoxfQ==""#, Some("json/utf-8/base64"), r#"{"a":1}"#);
    ok(r#""eyJhIjoxfQ==""#, Some("json/base64"), r#"{"a":1}"#);
    ok("null", None, "null");
    assert_eq!(decode(None, Some("json"), None).as_deref(), Ok("null"));
    let fails = |data, encoding, why: &str| {
        let error = read(data, Some(encoding)).expect_err(encoding);
        assert!(error.contains(why), "{encoding}: {error}");
    };
    fails(
        r#""aGk=""#,
        "json/utf-8/cipher+aes-256-cbc/base64",
        "encrypted (cipher+aes-256-cbc), and the source has no `cipher`",
    );
    fails(r#""aGk=""#, "utf-8/vcdiff/base64", "vcdiff");
    fails(r#""%%""#, "base64", "not base64");
    fails(r#""/w==""#, "utf-8/base64", "not UTF-8");
    fails(r#""a""#, "gzip", "gzip");
    fails("1", "base64", "base64");
    fails(r#""a""#, "utf-8/utf-8/utf-8/utf-8/utf-8/utf-8/utf-8/utf-8/utf-8", "more than");
}

/// What its publisher has encrypted is read by the source's key, members' data as well. A key that is none, or can't be had, is said
/// before anything is tried.
#[test]
fn encrypted() {
    let mut rig = Rig::new(|config| {
        config.envelope.cipher = Some(Ok(Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")));
    });
    rig.begin();
    rig.says(&attached("s0", 0));
    rig.beats();
    rig.out.clear();
    let sealed = |step: &str, data: &str| {
        json!({ "action": 15, "id": "p:2", "channel": "ops", "channelSerial": "s2",
            "messages": [{ "name": "tick", "data": data, "encoding": format!("{step}/base64") }] })
        .to_string()
    };
    rig.says(&sealed("json/utf-8/cipher+aes-256-cbc", "EBESExQVFhcYGRobHB0eH9Ot8YFDWOIfrpblcerHh8I="));
    rig.says(r#"{"action":14,"channel":"ops","presence":[{"action":2,"id":"c:0:0","clientId":"a","connectionId":"c","data":"EBESExQVFhcYGRobHB0eHwRo8aUmnqckW7hMZNRW6U0=","encoding":"utf-8/cipher+aes-256-cbc/base64"}]}"#);
    rig.expect(&[
        r#"tick 1@s2 {"n":1}"#,
        r#"presence.joined nowhere {"clientId":"a","connectionId":"c","data":"hello"}"#,
    ]);
    assert!(!format!("{:?}", rig.feed).contains("AAECAwQF"));
    // H3: by another key it is missing, and said to be.
    let mut rig = Rig::new(|config| {
        config.envelope.cipher = Some(Ok(Secret::new("//////////////////////////////////////////8=")));
    });
    rig.begin();
    rig.says(&attached("s0", 0));
    rig.beats();
    rig.says(&sealed("json/utf-8/cipher+aes-256-cbc", "EBESExQVFhcYGRobHB0eH9Ot8YFDWOIfrpblcerHh8I="));
    assert_eq!(rig.feed.status().counts.rejected, 1);
    assert!(rig.feed.status().last_rejection.expect("a reason").contains("another key"));
    for (cipher, part) in [
        (Ok(Secret::new("c2hvcnQ=")), "16 or 32 bytes"),
        (Err("the file /run/x is not there".to_owned()), "/run/x is not there"),
    ] {
        let mut rig = Rig::new(|config| config.envelope.cipher = Some(cipher));
        rig.feed.start(rig.now);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains(part), "{cause}");
        assert!(rig.out.is_empty());
    }
}

/// H8: secrets are neither in the address that is shown, nor in a place, nor in what is printed.
#[test]
fn secrets() {
    let mut rig = Rig::new(|config| config.token = Some(Secret::new("app.id:hidden")));
    rig.begin();
    assert_eq!(rig.out[0], format!("{ADDRESS} key=app.id:hidden"), "by its own parameter, which isn't in the address");
    rig.says(&attached("s0", 0));
    rig.beats();
    rig.says(&message("s1", 1, &[json!(1)]));
    let place = rig.feed.status().positions["ops"].to_string();
    let shown = format!("{:?}", rig.feed);
    assert!(
        place.ends_with("@s1 0 pub:1:0") && !shown.contains("key-1") && !shown.contains("hidden"),
        "{place} {shown}"
    );
    let mut rig = Rig::new(|config| config.token = Some(Secret::new("app.token")));
    rig.begin();
    assert_eq!(rig.out[0], format!("{ADDRESS} access_token=app.token"));
}
