//! Messages that are to be decoded first.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use watchfloor_model::{Continuity, Phase};

use super::{live, numbered, path, rig::Rig};
use crate::{Codec, Speak};

fn cbor(value: &Value) -> Vec<u8> {
    cbor4ii::serde::to_vec(Vec::new(), value).expect("a value")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("memory")
}

/// A feed of `news` that is live.
fn coded(decode: &[Codec], speak: Speak) -> Rig {
    let mut rig = Rig::new(|config| {
        config.envelope.decode = decode.to_vec();
        config.speak = speak;
    });
    rig.begin();
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Live, "{:?}", rig.feed.status());
    rig
}

/// H3: numbers prove the same in CBOR, also where an encoder writes them as floats.
#[test]
fn numbers_in_cbor() {
    let mut rig = coded(&[Codec::Cbor], numbered());
    rig.expect(&[
        "open wss://push.example/",
        r#"bytes {"op":"sub","ch":"news"}"#,
        "gap unknown: the server offers no snapshot",
    ]);
    rig.says_binary(&cbor(&json!({"ch": "news", "seq": 41})));
    rig.says_binary(&cbor(&json!({"ch": "news", "seq": 42.0})));
    rig.says_binary(&cbor(&json!({"ch": "news", "seq": 42.5})));
    rig.again();
    rig.expect(&[
        r#"message 1@41 41 {"ch":"news","seq":41}"#,
        r#"message 2@42 42 {"ch":"news","seq":42.0}"#,
        "open wss://push.example/",
        r#"bytes {"op":"sub","ch":"news","after":42}"#,
    ]);
    rig.says_binary(&cbor(&json!({"ch": "news", "seq": 43})));
    rig.pong();
    rig.expect(&["gap proven: link lost: the connection ended", r#"message 3@43 43 {"ch":"news","seq":43}"#]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
}

/// Servers that pack their events may say the rest in words, or in JSON.
#[test]
fn packed_lines_beside_plain_ones() {
    let mut rig = coded(
        &[Codec::Gzip],
        Speak {
            ping: Some("PING".into()),
            refused: Some(r#"{"error":{}}"#.into()),
            channel: path("ch"),
            ..Speak::default()
        },
    );
    rig.out.clear();
    rig.says_binary(&gzip("{\"ch\":\"news\",\"n\":1}\n{\"ch\":\"news\",\"n\":2}\n"));
    rig.says(r#"{"ch":"news","n":3}"#);
    rig.expect(&[
        r#"message 1 - {"ch":"news","n":1}; message 2 - {"ch":"news","n":2}"#,
        r#"message 3 - {"ch":"news","n":3}"#,
    ]);
    rig.says(r#"{"error":{"code":4,"text":"x","message":"no more"}}"#);
    assert_eq!(rig.feed.status().cause.expect("why").text, "no more");
}

/// A text is what it says, whatever it looks like; but what the board knows as an answer isn't an event.
#[test]
fn texts() {
    let speak = Speak { ping: Some("PING".into()), pong: Some("PONG".into()), ..Speak::default() };
    let mut rig = Rig::new(|config| {
        config.envelope.decode = vec![Codec::Text];
        config.speak = speak;
    });
    rig.begin();
    rig.says("PONG\n");
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.out.clear();
    rig.says("1.5\n{\"a\"");
    rig.says_binary(b"PING");
    rig.says_binary(b"\xFF");
    rig.says("PONG");
    rig.expect(&[
        r#"message 1 - "1.5\n{\"a\"""#,
        r#"message 2 - "PING""#,
        "gap unknown: events lost: not a message: not UTF-8: invalid byte at 0; the server offers no snapshot",
    ]);
    let mut rig = coded(&[Codec::Base64, Codec::Cbor], Speak::default());
    rig.out.clear();
    rig.says("oWFhAQ==");
    rig.expect(&[r#"message 1 - {"a":1}"#]);
}

/// H1, H3: a message that can't be read may have been an event: with the next answer that is told, where messages are numbered as well.
#[test]
fn what_cant_be_read() {
    for (decode, bytes) in [
        (Codec::MessagePack, &b"\xC1"[..]),
        (Codec::Cbor, b"\x9F"),
        (Codec::Gzip, b"\x1F\x8B\x08"),
        (Codec::Json, b"{\"ch\":"),
    ] {
        let mut rig = coded(&[decode], Speak::default());
        rig.out.clear();
        rig.says_binary(bytes);
        rig.pong();
        let status = rig.feed.status();
        assert_eq!(
            (rig.count("gap unknown: events lost: not a message: "), status.counts.rejected),
            (1, 1),
            "{:?}",
            rig.out
        );
        assert_eq!((status.phase, status.continuity), (Phase::Live, Continuity::Unknown));
        let mut rig = coded(&[decode], numbered());
        rig.out.clear();
        rig.says_binary(bytes);
        assert_eq!((rig.count("gap"), rig.feed.status().counts.rejected), (0, 1), "{:?}", rig.out);
        rig.pong();
        assert_eq!(rig.count("gap unknown: events lost: not a message: "), 1, "{:?}", rig.out);
    }
    // Without anything to decode as well; and a word that nobody knows is no event.
    let mut rig = live(Speak::default());
    rig.says("whatever");
    assert_eq!((rig.count("gap"), rig.feed.status().counts.rejected), (0, 1));
    rig.says("[1");
    rig.pong();
    assert_eq!((rig.count("gap unknown: events lost: not a message: "), rig.feed.status().counts.rejected), (1, 2));
}

/// H3: of numbered messages the next one says what was missing, and what is told already isn't told twice. Until it comes the wall
/// isn't live without saying that something may be missing (H1).
#[test]
fn the_next_number_tells_what_could_not_be_read() {
    let mut rig = live(numbered());
    let says = |rig: &mut Rig, number: u64| rig.says(&format!(r#"{{"ch":"news","seq":{number}}}"#));
    let damaged = |rig: &mut Rig| rig.says(r#"{"ch":"#);
    let told = "gap unknown: events lost: not a message: ";
    says(&mut rig, 1);
    rig.out.clear();
    damaged(&mut rig);
    says(&mut rig, 2);
    rig.pong();
    rig.expect(&[r#"message 2@2 2 {"ch":"news","seq":2}"#]);
    damaged(&mut rig);
    says(&mut rig, 4);
    rig.pong();
    rig.expect(&[
        "gap unknown: events lost: events missing: after number 2 came 4; the server offers no snapshot",
        r#"message 3@4 4 {"ch":"news","seq":4}"#,
    ]);
    // Long before the next one comes.
    damaged(&mut rig);
    rig.pong();
    rig.pong();
    assert_eq!((rig.count(told), rig.out.len()), (1, 1), "{:?}", rig.out);
    damaged(&mut rig);
    rig.pong();
    assert_eq!((rig.count(told), rig.out.len()), (2, 2), "{:?}", rig.out);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.out.clear();
    says(&mut rig, 7);
    rig.expect(&[r#"message 4@7 7 {"ch":"news","seq":7}"#]);
    // More is missing than was told.
    damaged(&mut rig);
    rig.pong();
    rig.out.clear();
    says(&mut rig, 10);
    rig.expect(&[
        "gap unknown: events lost: events missing: after number 7 came 10; the server offers no snapshot",
        r#"message 5@10 10 {"ch":"news","seq":10}"#,
    ]);
}

/// H3: what was held before a hole, while another channel isn't subscribed yet, is all that will come of it: it is shown, and a gap
/// behind it.
#[test]
fn a_hole_while_another_channel_is_awaited() {
    let speak = Speak { confirm: Some(r#"{"op":"subscribed"}"#.into()), ..numbered() };
    let mut rig = Rig::new(|config| {
        config.channels = vec!["news".into(), "sport".into()];
        config.speak = speak;
    });
    rig.begin();
    for channel in ["news", "sport"] {
        rig.says(&format!(r#"{{"op":"subscribed","ch":"{channel}"}}"#));
        rig.says(&format!(r#"{{"ch":"{channel}","seq":1}}"#));
    }
    rig.again();
    rig.out.clear();
    rig.says(r#"{"ch":"news","seq":2}"#);
    rig.says(r#"{"ch":"news","seq":4}"#);
    rig.says(r#"{"op":"subscribed","ch":"sport"}"#);
    rig.says(r#"{"ch":"sport","seq":2}"#);
    rig.pong();
    let proven = "gap proven: link lost: the connection ended";
    rig.expect(&[
        proven,
        proven,
        r#"message 2@2 2 {"ch":"news","seq":2}"#,
        "gap unknown: events missing: after number 2 came 4",
        r#"message 3@4 4 {"ch":"news","seq":4}; message 2@2 2 {"ch":"sport","seq":2}"#,
    ]);
}

/// H5: what says more than a message may have is refused, and costs itself alone.
#[test]
fn too_much() {
    let mut rig = coded(&[Codec::Gzip], numbered());
    rig.says(r#"{"ch":"news","seq":1}"#);
    rig.out.clear();
    rig.says_binary(&gzip(&" ".repeat(32 << 20)));
    rig.says_binary(&gzip(&format!("{{\"ch\":\"news\",\"seq\":2,\"x\":\"{}\"}}", "x".repeat(1 << 20))));
    assert_eq!((rig.count("message"), rig.feed.status().counts.rejected), (0, 2), "{:?}", rig.out);
    rig.says_binary(&gzip(r#"{"ch":"news","seq":3}"#));
    assert_eq!((rig.count("gap unknown"), rig.count("message 2@3 3")), (1, 1), "{:?}", rig.out);
}

/// H3: a list of messages is so many, whatever is in it; lists within it are none.
#[test]
fn lists_of_messages() {
    let mut rig = live(numbered());
    rig.says(r#"[{"ch":"news","seq":1},7,[{"ch":"news","seq":2}],{"ch":"news","seq":2},{"ch":"other","seq":9}]"#);
    rig.expect(&[r#"message 1@1 1 {"ch":"news","seq":1}; message 2@2 2 {"ch":"news","seq":2}"#]);
    // Without a place for the channel a list is a message, as anything is.
    let mut rig = live(Speak::default());
    rig.says("[1,2]");
    rig.expect(&["message 1 - [1,2]"]);
}
