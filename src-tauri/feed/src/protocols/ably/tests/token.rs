//! Tokens: renewed on the connection that stands, and got anew where the server finds fault with one.

use serde_json::json;
use watchfloor_model::Phase;

use super::{
    RESUMED,
    rig::{ADDRESS, Rig, attached, connected, message},
};

/// Live by the token `t1`, which is asked for.
fn live() -> Rig {
    let mut rig = Rig::new(|config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.gets_token("t1");
    rig.opened();
    rig.says(&connected("key-1"));
    rig.says(&attached("s0", 0));
    rig.beats();
    rig.says(&message("s1", 1, &[json!(1)]));
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.out.clear();
    rig
}

/// A new one is presented on the connection that stands, whoever asks for it; the stream goes on.
#[test]
fn renewed_in_place() {
    let mut rig = live();
    rig.feed.renew(rig.now);
    rig.drain();
    rig.gets_token("t2");
    rig.expect(&["token?", r#"secret {"action":17,"auth":{"accessToken":"t2"}}"#]);
    rig.says(&connected("key-2"));
    rig.says(&message("s2", 2, &[json!(2)]));
    rig.expect(&["tick 2@s2 2"]);
    // The server asks.
    rig.says(r#"{"action":17}"#);
    while rig.out.is_empty() {
        let (due, _) = rig.feed.poll_timeout().expect("to be asked for");
        rig.now = due.max(rig.now);
        rig.feed.handle_timeout(rig.now);
        rig.drain();
    }
    rig.gets_token("t3");
    rig.expect(&["token?", r#"secret {"action":17,"auth":{"accessToken":"t3"}}"#]);
    rig.says(&connected("key-3"));
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 0));
    // Resumed by the newest key.
    rig.again();
    assert_eq!(rig.out[0], format!("{ADDRESS} access_token=t3 resume=key-3"));
}

/// A token that has ended is replaced first, whichever message says so; the channel goes on after it.
#[test]
fn expired() {
    for text in [
        r#"{"action":6,"error":{"code":40142,"statusCode":401,"message":"Token expired"}}"#,
        r#"{"action":9,"error":{"code":40141,"statusCode":401,"message":"Token revoked"}}"#,
    ] {
        let mut rig = live();
        rig.says(text);
        rig.expect(&["close", "token?"]);
        rig.gets_token("t2");
        rig.opened();
        rig.says(&connected("key-2"));
        let opened = rig.out.remove(0);
        assert!(opened.starts_with(&format!("{ADDRESS} access_token=t2")), "{opened}");
        // ERROR ends the connection for good, DISCONNECTED doesn't.
        assert_eq!(opened.contains("resume=key-1"), text.contains("40142"), "{opened}");
        rig.expect(&[r#"{"action":10,"channel":"ops","channelSerial":"s1","flags":786432}"#]);
        rig.says(&attached("s1", RESUMED));
        rig.beats();
        assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Live, 0));
    }
}

/// Without a right another token is asked for once; the same one again is a refusal. So is one that was revoked: Sockudo says it of
/// the connection, and again of each that comes by it.
#[test]
fn denied() {
    for text in [
        r#"{"action":9,"channel":"ops","error":{"code":40160,"statusCode":401,"message":"not permitted"}}"#,
        r#"{"action":9,"error":{"code":40141,"statusCode":401,"message":"Token revoked"}}"#,
        r#"{"action":6,"error":{"code":40141,"statusCode":401,"message":"Token revoked"}}"#,
    ] {
        let mut rig = live();
        rig.says(text);
        rig.expect(&["close", "token?"]);
        rig.gets_token("t1");
        assert_eq!(rig.feed.status().phase, Phase::Refused, "{text}");
    }
}
