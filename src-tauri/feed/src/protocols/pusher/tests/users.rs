//! User sign-in. What the server says was recorded from Soketi 1.6.1 with user authentication.

use std::time::Duration;

use watchfloor_model::Phase;

use super::rig::{GREETING, PING, PONG, Rig};
use crate::{
    Secret,
    fault::{LinkFault, LinkFaultKind},
    port::{Expiry, Response},
};

const ME: &str = "#server-to-user-7";
const ASK: &str = "https://app.example/broadcasting/user-auth socket_id=5389359628.2136654230";
const SIGNED: &str = r#"{"auth":"app-key:14305c6e","user_data":"{\"id\":\"7\",\"user_info\":{\"name\":\"Ann\"}}"}"#;
const SIGN_IN: &str = r#"secret {"data":{"auth":"app-key:14305c6e","user_data":"{\"id\":\"7\",\"user_info\":{\"name\":\"Ann\"}}"},"event":"pusher:signin"}"#;
const SUCCESS: &str = r#"{"event":"pusher:signin_success","data":{"auth":"app-key:14305c6e","user_data":"{\"id\":\"7\",\"user_info\":{\"name\":\"Ann\"}}"}}"#;
const SUBSCRIBE: &str = r##"{"data":{"channel":"#server-to-user-7"},"event":"pusher:subscribe"}"##;

fn signed_in() -> Rig {
    let mut rig = Rig::new(&[ME], |config| config.token = Some(Secret::new("t1")));
    rig.start();
    rig.out.clear();
    rig.says(GREETING);
    rig.expect(&[&format!("1: {ASK} by t1")]);
    rig.signs(1, 200, SIGNED);
    rig.expect(&[SIGN_IN]);
    rig.says(SUCCESS);
    rig.expect(&[SUBSCRIBE]);
    rig.takes(ME);
    rig.is(Phase::Live);
    rig.out.clear();
    rig
}

/// H8: the site says whose connection it is, the server is told it as it came, and then the user's channel is there.
#[test]
fn signing_in() {
    let mut rig = signed_in();
    rig.event(ME, "hello", r#"{"n":1}"#);
    rig.expect(&[r##"#server-to-user-7 hello 1 {"n":1}"##]);
    // On the next connection it is done again.
    rig.closes(None);
    rig.pass(Duration::from_secs(2));
    rig.opened();
    rig.out.clear();
    rig.says(GREETING);
    rig.expect(&[&format!("1: {ASK} by t1")]);
    // What the connection before was told is nobody's.
    rig.says(SUCCESS);
    rig.expect(&[]);
}

/// Other channels don't wait for it, and it is none of a public channel's affair.
#[test]
fn beside_other_channels() {
    let mut rig = Rig::greeted(&["news", "private-a", ME]);
    rig.out.clear();
    rig.signs(2, 200, r#"{"auth":"app-key:0203"}"#);
    rig.takes("private-a");
    rig.takes("news");
    rig.is(Phase::Subscribing);
    rig.signs(1, 200, SIGNED);
    rig.says(SUCCESS);
    rig.takes(ME);
    rig.is(Phase::Live);
    let mut rig = Rig::new(&["news"], |_| {});
    rig.start();
    rig.says(GREETING);
    assert!(!rig.out.iter().any(|line| line.contains("user-auth")));
}

/// H1: a server takes a subscription to whosever channel, and sends nothing there: it must be the user's own. Ids are texts or numbers.
#[test]
fn whose_channel_it_is() {
    let mut rig = Rig::greeted(&["#server-to-user-9"]);
    rig.signs(1, 200, SIGNED);
    rig.is(Phase::Refused);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("another user"));
    let mut rig = Rig::greeted(&[ME]);
    rig.signs(1, 200, r#"{"auth":"k:1","user_data":"{\"id\":7}"}"#);
    rig.says(&SUCCESS.replace(r#"\"7\""#, "9"));
    rig.is(Phase::Refused);
    let mut rig = Rig::greeted(&[ME]);
    rig.signs(1, 200, r#"{"auth":"k:1","user_data":"{\"id\":7}"}"#);
    // Hosted Pusher may say nothing of whom.
    rig.says(r#"{"event":"pusher:signin_success"}"#);
    assert_eq!(rig.out.last().map(String::as_str), Some(SUBSCRIBE));
}

/// What the site and the server say, by its meaning.
#[test]
fn not_signed_in() {
    for (status, body, phase, part) in [
        (403, "", Phase::Refused, "signs no user in: access denied"),
        (401, "", Phase::Refused, "no valid token"),
        (404, "", Phase::Waiting, "signs no user in"),
        (200, r#"{"auth":"k:1"}"#, Phase::Waiting, "no signature"),
        (200, r#"{"auth":"k:1","user_data":"{}"}"#, Phase::Waiting, "no `user_data` with an `id`"),
        (200, r#"{"auth":"k:1","user_data":"{\"id\":\"\"}"}"#, Phase::Waiting, "no `user_data` with an `id`"),
        (419, "", Phase::Waiting, "CSRF"),
    ] {
        let mut rig = Rig::greeted(&[ME]);
        rig.signs(1, status, body);
        rig.is(phase);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains(part), "{status}: {cause}");
    }
    let mut rig = Rig::greeted(&[ME]);
    rig.answers(1, Err(LinkFault::new(LinkFaultKind::Timeout, "")));
    rig.is(Phase::Waiting);
    let mut rig = Rig::greeted(&[ME]);
    let busy = Response { retry_after: Some(Duration::from_secs(40)), ..Response::new(429, "") };
    rig.answers(1, Ok(busy));
    assert!(rig.feed.status().retry_at.expect("a next try").since(rig.now) >= Duration::from_secs(40));
    for (says, phase) in [
        (r#"{"event":"pusher:error","data":{"code":4009,"message":"Connection not authorized."}}"#, Phase::Refused),
        // Reverb knows no such message.
        (r#"{"event":"pusher:error","data":"{\"code\":4200,\"message\":\"Invalid message format\"}"}"#, Phase::Waiting),
    ] {
        let mut rig = Rig::greeted(&[ME]);
        rig.signs(1, 200, SIGNED);
        rig.says(says);
        rig.is(phase);
        assert!(rig.feed.status().cause.expect("a cause").text.contains("doesn't sign this wall in"));
    }
    // Soketi without user authentication says nothing.
    let mut rig = Rig::greeted(&[ME]);
    rig.signs(1, 200, SIGNED);
    for _ in 0..6 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        assert_ne!(rig.feed.status().phase, Phase::Live);
    }
    assert!(rig.out.iter().any(|line| line == "close"), "given up: {:?}", rig.out);
}

/// A newer token is tried by the same question, and leaves the connection alone.
#[test]
fn a_newer_token() {
    let mut rig = Rig::new(&[ME], |config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.token("t1", Expiry::At(rig.now.plus(Duration::from_secs(60))));
    rig.opened();
    rig.says(GREETING);
    rig.signs(1, 200, SIGNED);
    rig.says(SUCCESS);
    rig.takes(ME);
    rig.is(Phase::Live);
    rig.out.clear();
    for _ in 0..60 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        rig.says(PONG);
        if rig.out.iter().any(|line| line == "token?") {
            break;
        }
    }
    rig.token("t2", Expiry::At(rig.now.plus(Duration::from_secs(600))));
    rig.out.clear();
    rig.pong();
    rig.says(PONG);
    rig.expect(&[&format!("2: {ASK} by t2")]);
    rig.signs(2, 200, SIGNED);
    for _ in 0..70 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        rig.says(PONG);
        rig.is(Phase::Live);
    }
    assert!(rig.out.iter().all(|line| line == PING), "{:?}", rig.out);
}

/// Asked for again on the same connection: the user stays signed in.
#[test]
fn subscribing_again() {
    let mut rig = signed_in();
    rig.says("garbage");
    rig.expect(&[r##"{"data":{"channel":"#server-to-user-7"},"event":"pusher:unsubscribe"}"##, PING]);
    rig.says(PONG);
    rig.expect(&[SUBSCRIBE]);
    rig.takes(ME);
    rig.is(Phase::Live);
}

/// What can't work is said, and not tried.
#[test]
fn configurations() {
    for (channels, auth, part) in [
        (&[ME][..], Some("https://app.example/api/sign"), "to end in `/auth`"),
        (&[ME], None, "to end in `/auth`"),
        (&[ME, "#server-to-user-8"], Some("https://app.example/auth"), "a wall is one user"),
    ] {
        let mut rig = Rig::new(channels, |config| config.auth = auth.map(|auth| auth.parse().expect("an address")));
        rig.feed.start(rig.now);
        let cause = rig.feed.status().cause.expect("a cause").text;
        assert!(cause.contains(part), "{cause}");
    }
}
