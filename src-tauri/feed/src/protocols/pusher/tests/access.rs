//! Channels that are signed for.

use std::time::Duration;

use watchfloor_model::Phase;

use super::rig::{GREETING, PING, PONG, Rig};
use crate::{
    Secret,
    fault::{LinkFault, LinkFaultKind},
    port::{Expiry, Response},
};

const ASK: &str = "https://app.example/broadcasting/auth socket_id=5389359628.2136654230&channel_name=";
const AUTH: &str = r#"{"auth":"app-key:02032b2b"}"#;

/// H8: signatures are asked for with the token, and not to be seen; private channels are asked for one after the other.
#[test]
fn private_channels() {
    let mut rig = Rig::new(&["news", "private-a", "private-b"], |config| config.token = Some(Secret::new("t1")));
    rig.start();
    rig.out.clear();
    rig.says(GREETING);
    rig.expect(&[
        r#"{"data":{"channel":"news"},"event":"pusher:subscribe"}"#,
        &format!("1: {ASK}private-a by t1"),
        &format!("2: {ASK}private-b by t1"),
    ]);
    rig.signs(2, 200, AUTH);
    rig.expect(&[r#"secret {"data":{"auth":"app-key:02032b2b","channel":"private-b"},"event":"pusher:subscribe"}"#]);
    rig.signs(1, 200, AUTH);
    rig.expect(&[]);
    rig.takes("private-b");
    rig.expect(&[r#"secret {"data":{"auth":"app-key:02032b2b","channel":"private-a"},"event":"pusher:subscribe"}"#]);
    rig.takes("private-a");
    rig.takes("news");
    rig.is(Phase::Live);
}

/// A new connection has a new name: signatures are asked for again, and late answers to old questions are nobody's.
#[test]
fn signatures_are_of_one_connection() {
    let mut rig = Rig::greeted(&["private-a"]);
    rig.closes(None);
    rig.pass(Duration::from_secs(2));
    rig.opened();
    rig.out.clear();
    rig.says(&GREETING.replace("5389359628", "7"));
    rig.expect(&["1: https://app.example/broadcasting/auth socket_id=7.2136654230&channel_name=private-a"]);
    rig.signs(9, 200, AUTH);
    rig.expect(&[]);
    rig.signs(1, 200, AUTH);
    assert!(rig.out[0].starts_with("secret "), "{:?}", rig.out);
}

/// What whoever signs says, by its meaning.
#[test]
fn no_signature() {
    for (status, body, phase, part) in [
        (403, "", Phase::Refused, "`private-a` isn't signed for: access denied"),
        (401, "", Phase::Refused, "no valid token"),
        (500, "", Phase::Waiting, "server error"),
        (302, "", Phase::Waiting, "login page"),
        (200, "<html>", Phase::Waiting, "no signature"),
        (200, "", Phase::Waiting, "no signature"),
        (200, r#"{"auth":7}"#, Phase::Waiting, "no signature"),
    ] {
        let mut rig = Rig::greeted(&["private-a"]);
        rig.signs(1, status, body);
        rig.is(phase);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains(part), "{status}: {cause}");
    }
    let mut rig = Rig::greeted(&["presence-a"]);
    rig.signs(1, 200, AUTH);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("no `channel_data`"));
    let mut rig = Rig::greeted(&["private-encrypted-a"]);
    rig.signs(1, 200, r#"{"auth":"k:s","shared_secret":"c2hvcnQ="}"#);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("no `shared_secret`"));
    let mut rig = Rig::greeted(&["private-a"]);
    rig.answers(1, Err(LinkFault::new(LinkFaultKind::Timeout, "")));
    rig.is(Phase::Waiting);
    let mut rig = Rig::greeted(&["private-a"]);
    let busy = Response { retry_after: Some(Duration::from_secs(40)), ..Response::new(503, "") };
    rig.answers(1, Ok(busy));
    let wait = rig.feed.status().retry_at.expect("a next try").since(rig.now);
    assert!(wait >= Duration::from_secs(40), "{wait:?}");
}

/// The server's refusals, said about the channel or about nothing.
#[test]
fn a_signature_that_is_not_taken() {
    for (says, phase) in [
        (
            r#"{"event":"pusher:subscription_error","channel":"private-a","data":{"type":"AuthError","error":"The connection is unauthorized.","status":401}}"#,
            Phase::Refused,
        ),
        (
            r#"{"event":"pusher:subscription_error","channel":"private-a","data":{"type":"ServerError","error":"A server error has occured.","status":4302}}"#,
            Phase::Waiting,
        ),
        // Reverb, and Pusher itself.
        (
            r#"{"event":"pusher:error","data":"{\"code\":4009,\"message\":\"Connection is unauthorized\"}"}"#,
            Phase::Refused,
        ),
        (r#"{"event":"pusher:error","data":{"code":null,"message":"Auth value is invalid"}}"#, Phase::Refused),
        (r#"{"event":"pusher:error","data":"{\"code\":4200,\"message\":\"Invalid message format\"}"}"#, Phase::Waiting),
    ] {
        let mut rig = Rig::greeted(&["private-a"]);
        rig.signs(1, 200, AUTH);
        rig.says(says);
        rig.is(phase);
    }
}

/// A newer token is tried where it is of use, and leaves the connection alone.
#[test]
fn a_newer_token() {
    let mut rig = Rig::new(&["private-a"], |config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.token("t1", Expiry::At(rig.now.plus(Duration::from_secs(60))));
    rig.opened();
    rig.says(GREETING);
    rig.signs(1, 200, AUTH);
    rig.takes("private-a");
    rig.is(Phase::Live);
    rig.out.clear();
    for _ in 0..55 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        rig.says(PONG);
        if rig.out.iter().any(|line| line == "token?") {
            break;
        }
    }
    rig.out.clear();
    rig.token("t2", Expiry::At(rig.now.plus(Duration::from_secs(600))));
    assert_eq!(rig.out, [format!("secret {PING}")]);
    rig.out.clear();
    rig.pong();
    rig.says(PONG);
    rig.expect(&[&format!("2: {ASK}private-a by t2")]);
    rig.signs(2, 200, AUTH);
    for _ in 0..60 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        rig.says(PONG);
        rig.is(Phase::Live);
    }
    assert!(rig.out.iter().all(|line| line == PING), "{:?}", rig.out);
}

/// A token that isn't taken is replaced at once where another can be had, and then refused.
#[test]
fn a_token_that_is_not_taken() {
    let mut rig = Rig::new(&["private-a"], |config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.token("t1", Expiry::Unknown);
    for token in ["t2", ""] {
        rig.opened();
        rig.says(GREETING);
        rig.out.clear();
        rig.signs(1, 401, "");
        if !token.is_empty() {
            rig.drain();
            assert!(rig.out.contains(&"token?".to_owned()), "{:?}", rig.out);
            rig.token(token, Expiry::Unknown);
        }
    }
    rig.is(Phase::Refused);
}
