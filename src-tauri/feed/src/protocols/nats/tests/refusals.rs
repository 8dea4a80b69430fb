//! What a server refuses, and how it ends.

use std::time::Duration;

use watchfloor_model::Phase;

use super::{INFO, Rig};
use crate::{
    Input, LinkId, Secret,
    port::{Credential, Expiry},
};

/// Each error by its meaning: a refusal is shown as one, what may pass is tried again, what a person must change is left alone.
#[test]
fn errors() {
    let cases = [
        ("Authorization Violation", Phase::Refused, 20, 120),
        ("User Authentication Revoked", Phase::Refused, 20, 120),
        ("Permissions Violation for Subscription to \"t.a\"", Phase::Refused, 20, 120),
        ("Authentication Timeout", Phase::Waiting, 0, 3),
        ("User Authentication Expired", Phase::Waiting, 0, 3),
        ("Stale Connection", Phase::Waiting, 0, 3),
        ("Server Shutdown", Phase::Waiting, 0, 3),
        ("maximum connections exceeded", Phase::Waiting, 20, 120),
        ("Maximum Payload Violation", Phase::Waiting, 20, 120),
        ("Unknown Protocol Operation", Phase::Waiting, 20, 120),
    ];
    for (text, phase, least, most) in cases {
        let mut rig = Rig::accepted("t.a", None);
        rig.says("PONG\r\n");
        assert_eq!(rig.phase(), Phase::Live);
        rig.says(&format!("-ERR '{text}'\r\n"));
        rig.ends();
        let status = rig.feed.status();
        assert_eq!(status.phase, phase, "{text}");
        let cause = rig.cause();
        assert!(cause.contains(text) || text.ends_with("Expired"), "{text}: {cause}");
        let wait = status.retry_at.expect("a next try").since(rig.now).as_secs();
        assert!((least..=most).contains(&wait), "{text}: {wait} s");
    }
}

/// A stream that isn't there, or an account without JetStream, is said, and asked for again.
#[test]
fn no_stream() {
    let error = r#"{"type":"io.nats.jetstream.api.v1.consumer_create_response","error":{"code":404,"err_code":10059,"description":"stream not found"}}"#;
    let mut rig = Rig::accepted("stream:T", None);
    rig.answers(3, error);
    assert_eq!(rig.phase(), Phase::Waiting);
    assert_eq!(rig.cause(), "`stream:T`: stream not found (10059)");
    let mut rig = Rig::accepted("stream:T", None);
    let block = "NATS/1.0 503\r\nNats-Subject: x\r\n\r\n";
    rig.says(&format!("HMSG _INBOX.@.r.3 1 {0} {0}\r\n{block}\r\n", block.len()));
    assert!(rig.cause().contains("JetStream is not there"));
    let mut rig = Rig::accepted("stream:T", None);
    rig.says("-ERR 'Permissions Violation for Publish to \"$JS.API.CONSUMER.CREATE.T.@-2\"'\r\n");
    assert_eq!(rig.phase(), Phase::Refused, "it looks like silence otherwise");
}

/// A server that is about to stop is kept for as long as it serves, and come back from soon.
#[test]
fn lame_duck() {
    let mut rig = Rig::accepted("t.a", None);
    rig.says("PONG\r\n");
    rig.says(&INFO.replace("\"api_lvl\"", "\"ldm\":true,\"api_lvl\""));
    rig.brings("t.a 1", "1");
    assert_eq!((rig.phase(), rig.feed.status().counts.events), (Phase::Live, 1));
    rig.ends();
    assert_eq!(rig.cause(), "the server is about to stop (lame duck mode)");
    assert!(rig.feed.status().retry_at.expect("a next try").since(rig.now) < Duration::from_secs(3));
}

/// H8: the token goes with the first message only, and by the way that its form and the user's name say.
#[test]
fn tokens() {
    for (user, field) in [(None, r#""auth_token":"t1""#), (Some("wall"), r#""pass":"t1""#)] {
        let mut rig = Rig::new("t.a", |config| {
            config.asks_token = true;
            config.user = user.map(Into::into);
        });
        rig.feed.start(rig.now);
        let mut asked = None;
        while let Some(output) = rig.feed.poll_output() {
            if let crate::Output::Credential { fetch, .. } = output {
                asked = Some(fetch);
            }
        }
        let fetch = asked.expect("asked for");
        let outcome = Ok(Credential { token: Secret::new("t1"), expiry: Expiry::Unknown });
        rig.feed.handle_input(Input::Credential { fetch, outcome }, rig.now);
        rig.drain();
        rig.feed.handle_input(Input::Opened { link: LinkId(rig.link) }, rig.now);
        rig.says(INFO);
        let connect = rig.out.last().expect("sent");
        assert!(connect.starts_with("secret CONNECT ") && connect.contains(field), "{connect}");
        rig.out.clear();
        rig.says("PONG\r\n");
        assert!(!rig.out.iter().any(|line| line.contains("t1")), "{:?}", rig.out);
    }
}

/// H8: what is not NATS is not read on.
#[test]
fn garbage() {
    let cases = [
        "HTTP/1.1 400 Bad Request\r\n",
        "INFO {\r\n",
        "MSG a 1\r\n",
        "MSG a 1 99999999999\r\nx\r\n",
        "HMSG a 1 9 8\r\n",
        "MSG a 1 1\r\nabc\r\n",
    ];
    for text in cases {
        let mut rig = Rig::accepted("t.a", None);
        rig.says(text);
        assert_eq!((rig.phase(), rig.out.last().map(String::as_str)), (Phase::Waiting, Some("close")), "{text}");
    }
    let mut rig = Rig::accepted("t.a", None);
    rig.says(&"A".repeat(70_000));
    assert_eq!(rig.out.last().map(String::as_str), Some("close"), "a line without an end");
}

/// What a server says of its cluster.
fn info(urls: &str) -> String {
    INFO.replace("\"client_ip\"", &format!("\"connect_urls\":[{urls}],\"client_ip\""))
}

/// Where the next links go, when each is refused.
fn next(rig: &mut Rig, links: usize) -> Vec<String> {
    let mut opened = Vec::new();
    for _ in 0..links {
        rig.out.clear();
        rig.ends();
        while !rig.out.iter().any(|line| line.starts_with("open ")) {
            rig.pass(Duration::from_secs(1));
        }
        opened.extend(rig.out.drain(..).filter(|line| line.starts_with("open ")));
        rig.opened();
    }
    opened
}

/// The other servers of a cluster are tried in turn, between tries of the board's own; what is no address, and what is too much, is left.
#[test]
fn a_cluster() {
    let mut rig = Rig::new("t.a", |_| {});
    rig.feed.start(rig.now);
    rig.drain();
    rig.opened();
    rig.says(&info(
        r#""10.0.0.2:4222","10.0.0.3:4223","bus.example:4222","u:p@10.0.0.4:1","x","a/b:1","[fe80::1]:4222""#,
    ));
    let own = "open nats://bus.example:4222";
    let expected = ["open nats://10.0.0.2:4222", own, "open nats://10.0.0.3:4223", own, "open nats://[fe80::1]:4222"];
    assert_eq!(next(&mut rig, 5), expected);
    let many: Vec<String> = (0..100).map(|number| format!("\"h{number}:1\"")).collect();
    rig.says(&info(&many.join(",")));
    let mut found = next(&mut rig, 80);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 1 + 16, "{found:?}");
}

/// H8: by TLS each server must be of the board's name, whatever was said before TLS. A server that says nothing in clear is spoken to by
/// TLS from the first byte; one that does is not.
#[test]
fn tls_first() {
    let secured = |rig: &mut Rig| {
        let mut found = None;
        while let Some(output) = rig.feed.poll_output() {
            if let crate::Output::Open { link, request, .. } = output {
                rig.link = link.0;
                assert_eq!(request.certified_host(), "bus.example");
                found = Some(request.is_tls());
            }
        }
        found
    };
    let again = |rig: &mut Rig| {
        rig.feed.handle_input(Input::Closed { link: LinkId(rig.link), code: None, reason: String::new() }, rig.now);
        for _ in 0..100 {
            if let Some(found) = secured(rig) {
                return found;
            }
            rig.now = rig.now.plus(Duration::from_secs(1));
            if rig.feed.poll_timeout().is_some_and(|(due, _)| due <= rig.now) {
                rig.feed.handle_timeout(rig.now);
            }
        }
        panic!("it isn't tried again");
    };
    let mut rig = Rig::new("t.a", |config| config.url = "tls://bus.example".parse().expect("an address"));
    rig.feed.start(rig.now);
    assert_eq!(secured(&mut rig), Some(false));
    rig.feed.handle_input(Input::Opened { link: LinkId(rig.link) }, rig.now);
    assert!(again(&mut rig), "nothing was said in clear");
    rig.opened();
    rig.out.clear();
    rig.says(&INFO.replace("\"headers\"", "\"tls_required\":true,\"headers\""));
    let out = rig.out.join("\n");
    assert!(out.starts_with("CONNECT") && !out.contains("TLS\n"), "it is secured already: {out}");
    for _ in 0..3 {
        assert!(again(&mut rig), "a server is what it was");
    }
    let mut rig = Rig::new("t.a", |config| config.url = "tls://bus.example".parse().expect("an address"));
    rig.feed.start(rig.now);
    assert_eq!(secured(&mut rig), Some(false));
    rig.opened();
    rig.says(&INFO.replace("\"headers\"", "\"tls_required\":true,\"headers\""));
    assert!(rig.out.contains(&"TLS".to_owned()), "{:?}", rig.out);
    assert!(!again(&mut rig), "it spoke in clear");
}
