//! A Reverb and a hosted Pusher by script: what they do otherwise than Soketi, by Reverb's own source and Pusher's documents. Nobody
//! has run either for this.

use std::time::Duration;

use watchfloor_model::Phase;

use super::rig::{PING, PONG, Rig};

const GREETING: &str =
    r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"123.456\",\"activity_timeout\":30}"}"#;
/// Reverb leaves empty values out.
const BARE_PONG: &str = r#"{"event":"pusher:pong"}"#;
const AUTH: &str = r#"{"auth":"app-key:02032b2b"}"#;

fn takes(rig: &mut Rig, channel: &str) {
    rig.says(&format!(r#"{{"event":"pusher_internal:subscription_succeeded","data":"{{}}","channel":"{channel}"}}"#));
}

fn error(code: u16, message: &str) -> String {
    format!(r#"{{"event":"pusher:error","data":"{{\"code\":{code},\"message\":\"{message}\"}}"}}"#)
}

fn reverb(channels: &[&str]) -> Rig {
    let mut rig = Rig::new(channels, |config| config.kind = crate::Kind::Reverb);
    rig.start();
    rig.says(GREETING);
    rig
}

fn live() -> Rig {
    let mut rig = reverb(&["news"]);
    takes(&mut rig, "news");
    rig.is(Phase::Live);
    rig.out.clear();
    rig
}

/// H2: Reverb asks every minute whether somebody is there, and ends the connection of who doesn't answer. Its own pongs are bare.
#[test]
fn it_asks_and_is_asked() {
    let mut rig = live();
    for second in 0..150 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        if rig.out.iter().any(|line| line == PING) {
            rig.says(BARE_PONG);
        }
        rig.out.clear();
        if second % 60 == 0 {
            rig.says(r#"{"event":"pusher:ping"}"#);
            rig.expect(&[PONG]);
        }
        rig.is(Phase::Live);
    }
}

/// Every payload by Reverb is a text; a client's event has been read and written again, and is an object.
#[test]
fn bodies() {
    let mut rig = live();
    rig.says(r#"{"event":"App\\Events\\OrderShipped","data":"{\"order\":{\"id\":7}}","channel":"news"}"#);
    rig.says(r#"{"event":"client-typing","data":{"by":"Ann"},"channel":"news"}"#);
    rig.says(r#"{"event":"client-typing","data":[1,2],"channel":"news","user_id":"7"}"#);
    rig.expect(&[
        r#"news App\Events\OrderShipped 1 {"order":{"id":7}}"#,
        r#"news client-typing 2 {"by":"Ann"}"#,
        "news client-typing 3 [1,2]",
    ]);
}

/// Reverb's refusal of a signature says of no channel: it is the one that was asked for, as there is one at a time.
#[test]
fn a_refusal_of_no_channel() {
    let mut rig = reverb(&["private-a", "private-b"]);
    rig.signs(1, 200, AUTH);
    rig.signs(2, 200, AUTH);
    takes(&mut rig, "private-a");
    rig.says(&error(4009, "Connection is unauthorized"));
    rig.is(Phase::Refused);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("`private-b`"), "{:?}", rig.feed.status());
}

/// H2: where messages are counted, one of the wall's own may not be taken. Nothing of the server's is missing by that.
#[test]
fn a_ping_that_is_not_taken() {
    let mut rig = live();
    for _ in 0..20 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        rig.event("news", "tick", "1");
        if std::mem::take(&mut rig.out).iter().any(|line| line == PING) {
            // Every other one.
            let is_taken = (rig.now.as_micros() / 1_000_000).is_multiple_of(2);
            rig.says(if is_taken {
                BARE_PONG
            } else {
                r#"{"event":"pusher:error","data":"{\"code\":4301,\"message\":\"Rate limit exceeded\"}"}"#
            });
        }
        assert!(!rig.out.contains(&"close".to_owned()), "{:?}", rig.out);
    }
    rig.is(Phase::Live);
    // H1: none of them taken, nothing is proven.
    for _ in 0..8 {
        rig.pass(Duration::from_secs(1));
        rig.pong();
        if std::mem::take(&mut rig.out).iter().any(|line| line == PING) {
            rig.says(&error(4301, "Rate limit exceeded"));
        }
    }
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// A subscription that was counted out is never answered: the wall begins again, on another connection, by backoff.
#[test]
fn a_subscription_that_is_not_taken() {
    let mut rig = reverb(&["news"]);
    rig.says(&error(4301, "Rate limit exceeded"));
    rig.is(Phase::Waiting);
    assert!(rig.feed.status().cause.expect("a cause").text.contains("Rate limit exceeded"));
}

/// It restarts, and puts users out, without a close frame.
#[test]
fn ends_without_a_close_frame() {
    let mut rig = live();
    rig.closes(None);
    rig.is(Phase::Waiting);
    let mut rig = live();
    rig.says(&error(4009, "Connection is unauthorized"));
    rig.is(Phase::Live);
    rig.closes(None);
    rig.is(Phase::Refused);
}

/// Hosted Pusher: a greeting of 120 seconds, a refusal without a code, counts of subscribers, and a second subscription that it has
/// already.
#[test]
fn hosted_pusher() {
    let mut rig = Rig::new(&["news", "private-a"], |config| config.kind = crate::Kind::Pusher);
    rig.start();
    rig.says(&GREETING.replace("30", "120"));
    rig.signs(1, 200, AUTH);
    takes(&mut rig, "news");
    rig.says(r#"{"event":"pusher_internal:subscription_count","channel":"news","data":"{\"subscription_count\":1}"}"#);
    takes(&mut rig, "private-a");
    rig.is(Phase::Live);
    rig.out.clear();
    rig.says(r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"1\"]}]}"}"#);
    rig.says(r#"{"event":"pusher:error","data":{"code":null,"message":"Existing subscription to channel news"}}"#);
    rig.expect(&[]);
    rig.is(Phase::Live);

    let mut rig = Rig::new(&["private-a"], |config| config.kind = crate::Kind::Pusher);
    rig.start();
    rig.says(&GREETING.replace("30", "120"));
    rig.signs(1, 200, AUTH);
    rig.says(r#"{"event":"pusher:error","data":{"code":null,"message":"Invalid signature: Expected HMAC SHA256 hex digest of 123.456:private-a"}}"#);
    rig.is(Phase::Refused);
}
