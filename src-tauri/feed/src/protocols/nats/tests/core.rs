//! Core NATS: subjects that nobody keeps.

use std::time::Duration;

use watchfloor_model::Phase;

use super::{INFO, Rig};
use crate::Secret;

/// H3: nothing is known of what came before; from then on everything that comes is an event, in order, by its subject's name.
#[test]
fn a_subject() {
    let mut rig = Rig::greeted("t.>", None);
    let connect = concat!(
        r#"CONNECT {"headers":true,"lang":"rust","name":"watchfloor","no_responders":true,"pedantic":false,"protocol":1,"#,
        r#""tls_required":false,"verbose":false,"version":"0.1.0"} | PING"#
    );
    let connect = connect.replace("0.1.0", env!("CARGO_PKG_VERSION"));
    rig.expect(&["open nats://bus.example:4222", &connect]);
    // A server that knows us introduces itself once more.
    rig.says(&format!("PONG\r\n{INFO}"));
    rig.expect(&["SUB t.> 1 | PING"]);
    rig.says("PONG\r\n");
    rig.expect(&["gap unknown: the server offers no snapshot"]);
    assert_eq!(rig.phase(), Phase::Live, "{:?}", rig.feed.status());
    rig.brings("t.a 1", r#"{"n":1}"#);
    rig.says("HMSG t.b 1 29 36\r\nNATS/1.0\r\nNats-Msg-Id: x7\r\n\r\n{\"n\":3}\r\n");
    rig.brings("other 7", "1");
    rig.expect(&[r#"t.a link:1 {"n":1}"#, r#"t.b link:2 {"n":3}"#]);
    assert_eq!(rig.feed.status().counts.events, 2);
}

/// H1: the answer to a ping proves that everything before it has come, and both ends may ask.
#[test]
fn pings_prove_the_stream() {
    let mut rig = Rig::accepted("t.a", None);
    rig.says("PONG\r\n");
    rig.out.clear();
    for _ in 0..10 {
        rig.pass(Duration::from_secs(2));
        rig.expect(&["PING"]);
        rig.says("PONG\r\nPING\r\n");
        rig.expect(&["PONG"]);
        assert_eq!(rig.phase(), Phase::Live);
    }
    rig.pass(Duration::from_secs(7));
    assert_ne!(rig.phase(), Phase::Live, "nobody has proven anything");
}

/// H3: what was sent while nobody was there is nowhere to be had.
#[test]
fn a_cut_of_a_subject_is_never_proven() {
    let mut rig = Rig::accepted("t.a", None);
    rig.says("PONG\r\n");
    rig.brings("t.a 1", "1");
    rig.ends();
    rig.pass(Duration::from_secs(1));
    rig.opened();
    rig.says(INFO);
    rig.says("PONG\r\n");
    rig.out.clear();
    rig.says("PONG\r\n");
    rig.expect(&["gap unknown: link lost: the connection ended; NATS keeps nothing of this subject; the server offers no snapshot"]);
    rig.brings("t.a 1", "2");
    rig.expect(&["t.a link:1 2"]);
}

/// H8: bodies are JSON, or texts; what is neither is passed over, and what is too large is not kept.
#[test]
fn bodies() {
    let mut rig = Rig::accepted("t.a", None);
    rig.says("PONG\r\n");
    rig.out.clear();
    for (body, text) in
        [("21.5", "21.5"), ("", "null"), ("on fire", r#""on fire""#), (" true", "true"), ("-", r#""-""#)]
    {
        rig.brings("t.a 1", body);
        assert!(rig.out.pop().is_some_and(|line| line.ends_with(&format!(" {text}"))), "{body}");
    }
    rig.brings("t.a 1", "{\"n\":");
    assert_eq!(rig.feed.status().counts.rejected, 1);
    rig.expect(&["UNSUB 1 | SUB t.a 2 | PING"]);
    rig.says("PONG\r\n");
    rig.out.clear();
    let large = 2 << 20;
    rig.says(&format!("MSG t.a 2 {large}\r\n"));
    rig.says(&"x".repeat(large - 10));
    rig.says(&"x".repeat(10));
    rig.says("\r\n");
    assert_eq!(rig.feed.status().counts.rejected, 2);
    assert_eq!(rig.feed.status().last_rejection.as_deref(), Some("a message of 2097152 bytes"));
    rig.expect(&["UNSUB 2 | SUB t.a 3 | PING"]);
    rig.says("PONG\r\n");
    rig.out.clear();
    rig.brings("t.a 3", "7");
    rig.expect(&["t.a link:1 7"]);
}

/// H8: where TLS is wanted nothing but the greeting comes in clear, and the token goes by TLS only.
#[test]
fn tls() {
    let asking = INFO.replace("\"headers\"", "\"tls_required\":true,\"headers\"");
    let offering = INFO.replace("\"headers\"", "\"tls_available\":true,\"headers\"");
    for (url, info) in [("nats://bus.example", &asking), ("tls://bus.example", &offering)] {
        let mut rig = Rig::new("t.a", |config| {
            config.url = url.parse().expect("an address");
            config.token = Some(Secret::new("s3cr3t"));
        });
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig.out.clear();
        rig.says(info);
        assert_eq!((rig.out.len(), &*rig.out[0]), (2, "TLS"), "{:?}", rig.out);
        assert!(rig.out[1].starts_with("secret CONNECT ") && rig.out[1].contains(r#""auth_token":"s3cr3t""#));
    }
    for (url, info) in [("tls://bus.example", INFO.to_owned()), ("nats://bus.example", format!("{asking}PONG\r\n"))] {
        let mut rig = Rig::new("t.a", |config| {
            config.url = url.parse().expect("an address");
            config.token = Some(Secret::new("s3cr3t"));
        });
        rig.feed.start(rig.now);
        rig.drain();
        rig.opened();
        rig.out.clear();
        rig.says(&info);
        rig.expect(&["close"]);
    }
}

/// H1: a server that takes its time with its greeting is not asked for an answer before it, and answers it after.
#[test]
fn a_slow_greeting() {
    let mut rig = Rig::new("t.a", |_| {});
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.out.clear();
    rig.pass(Duration::from_secs(3));
    rig.expect(&[]);
    rig.says(INFO);
    assert!(rig.out.pop().is_some_and(|line| line.ends_with("| PING | PING")));
    rig.says("PONG\r\nPONG\r\n");
    rig.expect(&["SUB t.a 1 | PING"]);
    rig.says("PONG\r\n");
    rig.out.clear();
    rig.pass(Duration::from_secs(2));
    rig.expect(&["PING"]);
}
