//! What a board says of a bare WebSocket, and what a feed makes of it.

mod coded;
mod hostile;
mod protocols;
mod rig;

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use self::rig::Rig;
use super::template::{Blanks, Example, fill};
use crate::{Kind, Secret, SourceConfig, Speak, fault::FaultKind, protocols::dialect};

fn path(text: &str) -> Option<watchfloor_model::path::Path> {
    Some(text.parse().expect("a path"))
}

/// A server whose messages are numbered, and that can go on after a number.
fn numbered() -> Speak {
    Speak {
        subscribe: Some(r#"{"op":"sub","ch":"{channel}"}"#.into()),
        resume: Some(r#"{"op":"sub","ch":"{channel}","after":{sequence}}"#.into()),
        channel: path("ch"),
        sequence: path("seq"),
        ..Speak::default()
    }
}

fn live(speak: Speak) -> Rig {
    let mut rig = Rig::new(|config| config.speak = speak);
    rig.begin();
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.out.clear();
    rig
}

/// Bitstamp's public channels, version 2, by its documentation: a text a channel, which is confirmed, and a channel's name in
/// each message.
#[test]
fn trades_of_an_exchange() {
    let mut rig = Rig::new(|config| {
        config.channels = vec!["live_trades_btcusd".into(), "live_trades_etheur".into()];
        config.envelope.name = path("event");
        config.envelope.id = path("data.id");
        config.envelope.data = path("data");
        config.speak = Speak {
            subscribe: Some(r#"{"event":"bts:subscribe","data":{"channel":"{channel}"}}"#.into()),
            confirm: Some(r#"{"event":"bts:subscription_succeeded"}"#.into()),
            refused: Some(r#"{"event":"bts:error"}"#.into()),
            ping: Some(r#"{"event":"bts:heartbeat"}"#.into()),
            pong: Some(r#"{"event":"bts:heartbeat","data":{"status":"success"}}"#.into()),
            channel: path("channel"),
            ..Speak::default()
        };
    });
    rig.begin();
    rig.expect(&[
        "open wss://push.example/",
        r#"{"event":"bts:subscribe","data":{"channel":"live_trades_btcusd"}}"#,
        r#"{"event":"bts:subscribe","data":{"channel":"live_trades_etheur"}}"#,
        r#"{"event":"bts:heartbeat"}"#,
    ]);
    rig.says(r#"{"event":"bts:subscription_succeeded","channel":"live_trades_etheur","data":{}}"#);
    rig.says(r#"{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}"#);
    assert_eq!(rig.feed.status().phase, Phase::Subscribing, "one of two");
    rig.says(r#"{"event":"bts:subscription_succeeded","channel":"live_trades_btcusd","data":{}}"#);
    assert_ne!(rig.feed.status().phase, Phase::Live, "nothing has proven the stream since");
    rig.says(r#"{"data":{"id":384,"amount":0.2,"price":37000},"channel":"live_trades_btcusd","event":"trade"}"#);
    rig.says(r#"{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}"#);
    let unknown = "gap unknown: the server offers no snapshot";
    rig.expect(&[unknown, unknown, r#"trade 1 384 {"id":384,"amount":0.2,"price":37000}"#]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.pong();
    rig.pass(Duration::from_secs(7));
    assert_ne!(rig.feed.status().phase, Phase::Live, "the WebSocket's own answer isn't the one that is waited for");
}

/// Coinbase's exchange feed, by its documentation: one subscription of several things, errors in words, a number by product.
#[test]
fn matches_of_another_exchange() {
    let mut rig = Rig::new(|config| {
        config.channels = vec!["BTC-USD".into()];
        config.envelope.name = path("type");
        config.envelope.time = path("time");
        config.token = Some(Secret::new("pa\"ss"));
        config.speak = Speak {
            subscribe: Some(
                r#"{"type":"subscribe","product_ids":["{channel}"],"channels":["full"],"passphrase":"{token}"}"#.into(),
            ),
            confirm: Some(r#"{"type":"subscriptions"}"#.into()),
            refused: Some(r#"{"type":"error"}"#.into()),
            channel: path("product_id"),
            sequence: path("sequence"),
            ..Speak::default()
        };
    });
    rig.begin();
    rig.expect(&[
        "open wss://push.example/",
        r#"secret {"type":"subscribe","product_ids":["BTC-USD"],"channels":["full"],"passphrase":"pa\"ss"}"#,
    ]);
    rig.says(r#"{"type":"subscriptions","channels":[{"name":"full","product_ids":["BTC-USD"]}]}"#);
    rig.pong();
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.says(r#"{"type":"match","time":"2026-11-26T12:00:00Z","product_id":"BTC-USD","sequence":50,"price":"400.2"}"#);
    rig.says(r#"{"type":"match","product_id":"ETH-USD","sequence":7}"#);
    assert_eq!(rig.out.len(), 1, "{:?}", rig.out);
    rig.says(r#"{"type":"error","message":"pa\"ss is no passphrase"}"#);
    let status = rig.feed.status();
    assert_eq!((status.phase, status.cause.expect("why").text), (Phase::Refused, "*** is no passphrase".to_owned()));
}

/// H3: where numbers go on a resumption is proven, and where they don't it is a gap.
#[test]
fn going_on_after_a_number() {
    for (first, gap) in [(42, true), (41, true), (44, false), (1, false)] {
        let mut rig = live(numbered());
        rig.says(r#"{"ch":"news","seq":41,"n":1}"#);
        rig.again();
        rig.expect(&[
            r#"message 1@41 41 {"ch":"news","seq":41,"n":1}"#,
            "open wss://push.example/",
            r#"{"op":"sub","ch":"news","after":41}"#,
        ]);
        rig.pong();
        rig.expect(&[]);
        rig.says(&format!(r#"{{"ch":"news","seq":{first}}}"#));
        let out = rig.out.join("\n");
        assert_eq!(out.contains("gap proven"), gap, "{first}: {out}");
        assert_eq!(out.contains("gap unknown"), !gap, "{first}: {out}");
        assert_eq!(out.contains("message"), first != 41, "not twice: {first}: {out}");
        rig.pong();
        assert_eq!(rig.feed.status().phase, Phase::Live);
    }
    // Nothing came: nothing is proven.
    let mut rig = live(numbered());
    rig.says(r#"{"ch":"news","seq":41}"#);
    rig.again();
    rig.out.clear();
    rig.pong();
    rig.pong();
    assert!(rig.out.join("\n").contains("gap unknown"), "{:?}", rig.out);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// H3: a jump is a hole, and the stream goes on after it; what has no number is no event.
#[test]
fn jumps() {
    for number in [43, 7] {
        let mut rig = live(numbered());
        rig.says(r#"{"ch":"news","seq":41}"#);
        rig.says(r#"{"ch":"news"}"#);
        rig.says(r#"{"ch":"news","seq":41}"#);
        rig.out.clear();
        rig.says(&format!(r#"{{"ch":"news","seq":{number}}}"#));
        let out = std::mem::take(&mut rig.out).join("\n");
        assert!(out.contains("gap unknown") && out.contains(&format!("message 2@{number}")), "{out}");
        rig.says(&format!(r#"{{"ch":"news","seq":"{}"}}"#, number + 1));
        assert!(rig.out.join("\n").starts_with("message 3@"), "{:?}", rig.out);
        rig.pong();
        let status = rig.feed.status();
        assert_eq!((status.phase, status.continuity, status.counts.events), (Phase::Live, Continuity::Unknown, 3));
    }
}

/// H3, H5: what is lost of one channel is a gap of that one alone, and what may be of any is one of each.
#[test]
fn a_loss_is_of_its_channel_alone() {
    let mut rig = Rig::new(|config| {
        config.channels = vec!["news".into(), "sport".into(), "stock".into()];
        config.speak = Speak { channel: path("ch"), sequence: path("seq"), ..Speak::default() };
    });
    rig.begin();
    rig.pong();
    for channel in ["news", "sport", "stock"] {
        rig.says(&format!(r#"{{"ch":"{channel}","seq":1}}"#));
    }
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig.out.clear();
    let before = rig.feed.status().counts;
    rig.says(r#"{"ch":"sport","seq":3}"#);
    assert_eq!(rig.count("gap"), 1, "{:?}", rig.out);
    assert_eq!(rig.count("gap unknown: events lost"), 1, "{:?}", rig.out);
    rig.says(r#"{"ch":"#);
    rig.pass(Duration::from_secs(2));
    rig.pong();
    let after = rig.feed.status().counts;
    let (unknown, proven) = (after.gaps_unknown - before.gaps_unknown, after.gaps_proven - before.gaps_proven);
    assert_eq!((unknown, proven), (4, 0), "{:?}", rig.out);
}

/// H1: with nothing said but the address, one channel takes every message, and the WebSocket's answers prove the stream.
#[test]
fn a_plain_stream() {
    let mut rig = Rig::new(|config| {
        config.token = Some(Secret::new("t1"));
        config.envelope.name = path("type");
    });
    rig.begin();
    rig.expect(&["open wss://push.example/ bearer"]);
    assert_eq!(rig.feed.status().phase, Phase::Subscribing);
    rig.pong();
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.says("{\"type\":\"a\"}\n[1]\r\n\n7");
    rig.says("{\n  \"type\": \"b\"\n}");
    rig.expect(&[r#"a 1 - {"type":"a"}; message 2 - [1]; message 3 - 7"#, "b 4 - {\n  \"type\": \"b\"\n}"]);
    rig.says("not JSON");
    assert_eq!((rig.feed.status().phase, rig.feed.status().counts.rejected), (Phase::Live, 1));
    rig.says(&"x\n".repeat(2000));
    assert_eq!(rig.feed.status().phase, Phase::Waiting);
    let mut rig = live(Speak::default());
    rig.again();
    rig.out.clear();
    rig.pong();
    assert!(rig.out.join("\n").contains("gap unknown"), "{:?}", rig.out);
}

/// Text commands are neither JSON nor need to be.
#[test]
fn words() {
    let mut rig = Rig::new(|config| {
        config.speak = Speak {
            subscribe: Some("SUB {channel} {token} {x}".into()),
            confirm: Some("+OK".into()),
            refused: Some("-DENIED".into()),
            ping: Some("PING".into()),
            pong: Some("PONG".into()),
            ..Speak::default()
        };
    });
    rig.begin();
    rig.expect(&["open wss://push.example/", "secret SUB news  {x}", "PING"]);
    rig.says("+OK");
    rig.says("PONG");
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.says("-DENIED");
    assert_eq!(rig.feed.status().phase, Phase::Refused);
}

/// What is put in stays within its quotes, and isn't looked through again.
#[test]
fn blanks() {
    let blanks = Blanks { channel: "a\"b", token: "{channel}\\", sequence: "7" };
    let message = fill(r#"{"c":"{channel}","t":"{token}","n":{sequence},"{}":{"#, &blanks);
    assert_eq!(message.as_text(), Some(r#"{"c":"a\"b","t":"{channel}\\","n":7,"{}":{"#));
    assert!(message.is_secret && !fill("{channel}", &blanks).is_secret);
}

/// A message may have more than its example.
#[test]
fn examples() {
    let fits = |example: &str, message: &str| {
        Example::new(example).fits(watchfloor_model::Payload::parse(message).expect("JSON").value())
    };
    assert!(fits(r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":[1.0,2],"c":0}}"#));
    assert!(fits(r#"{"result":null}"#, r#"{"result":null,"id":1}"#));
    assert!(fits(r#"["1","{channel}"]"#, r#"["1","whatever",2]"#));
    assert!(!fits(r#"["1","{channel}"]"#, r#"["1",7]"#));
    for message in ["{}", r#"{"a":{}}"#, r#"{"a":{"b":[]}}"#, r#"{"a":{"b":["1"]}}"#, "1", "null"] {
        assert!(!fits(r#"{"a":{"b":[1]}}"#, message), "{message}");
    }
}

/// What can't work is said before anything is tried.
#[test]
fn contradictions() {
    type Change = fn(&mut SourceConfig);
    let changes: [(Change, &str); 9] = [
        (|config| config.url = "https://push.example".parse().expect("an address"), "begins with ws"),
        (|config| config.channels.push("more".into()), "`channel` doesn't say"),
        (|config| config.speak.resume = Some("x".into()), "`sequence` doesn't say"),
        (|config| config.speak.pong = Some("x".into()), "`ping`, which is missing"),
        (|config| config.speak.subscribe = Some("{sequence}".into()), "only `resume`"),
        (|config| config.speak.ping = Some("{channel}".into()), "is of no"),
        (|config| config.speak.login = Some("{channel}".into()), "`login` is of no"),
        (|config| config.speak.login = Some("{sequence}".into()), "only `resume`"),
        (|config| config.channels.clear(), "no channel"),
    ];
    for (change, part) in changes {
        let config = Rig::config(change);
        let fault = dialect(&config).check(&config).expect_err(part);
        assert!(matches!(&fault.kind, FaultKind::Config(text) if text.contains(part)), "{fault}");
        assert_eq!(config.kind, Kind::WebSocket);
    }
}

/// H8, H5: whatever comes, in whatever order; and lines mean the same in one message and each by itself.
#[test]
fn anything() {
    use watchfloor_fuzz::{Draws, check, mutated};

    use self::hostile::SAID;
    check!(iterations = 300, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let speak = Speak {
            ping: Some("p".into()),
            pong: Some(r#"{"pong":true}"#.into()),
            confirm: Some(r#"{"ok":1}"#.into()),
            refused: Some(r#"{"error":"x"}"#.into()),
            ..numbered()
        };
        let messages: Vec<Vec<u8>> = (0..draws.below(12)).map(|_| mutated(&SAID, &mut draws)).collect();
        let run = |pieces: &[Vec<u8>]| {
            let mut rig = Rig::new(|config| config.speak = speak.clone());
            rig.begin();
            pieces.iter().for_each(|piece| rig.says_bytes(piece));
            rig
        };
        let single = run(&messages);
        assert!(single.feed.status().counts.events <= messages.len() as u64 * 4);
        if messages.iter().all(|message| serde_json::from_slice::<serde_json::Value>(message).is_ok()) {
            let whole = run(&[messages.join(&b'\n')]);
            assert_eq!(whole.feed.status().counts.events, single.feed.status().counts.events);
        }
    });
}
