//! What Ably's own JavaScript client (2.28.0) said to a server of the same script, and made of it: recorded. A feed says the same, and
//! makes the same of it.

use std::time::Duration;

use watchfloor_model::Phase;

use super::rig::{ADDRESS, Rig};

/// By direction: `<` the server, `>` the client, but for HEARTBEATs.
const FIRST: [(char, &str); 4] = [
    (
        '<',
        r#"{"action":4,"connectionId":"cid","connectionDetails":{"connectionKey":"key-1","maxIdleInterval":15000,"connectionStateTtl":120000,"maxMessageSize":65536,"serverId":"s"}}"#,
    ),
    ('>', r#"{"action":10,"channel":"ops","flags":786432}"#),
    ('<', r#"{"action":11,"channel":"ops","channelSerial":"s0","flags":0}"#),
    (
        '<',
        r#"{"action":15,"id":"pub:1","channel":"ops","channelSerial":"s1","connectionId":"pub","timestamp":1795697600000,"messages":[{"name":"tick","data":"{\"n\":1}","encoding":"json"},{"name":"tick","data":"{\"n\":2}","encoding":"json"}]}"#,
    ),
];
const SECOND: [(char, &str); 13] = [
    (
        '<',
        r#"{"action":4,"connectionId":"cid","connectionDetails":{"connectionKey":"key-2","maxIdleInterval":15000,"connectionStateTtl":120000,"maxMessageSize":65536,"serverId":"s"}}"#,
    ),
    ('>', r#"{"action":10,"channel":"ops","channelSerial":"s1","flags":786432}"#),
    ('<', r#"{"action":11,"channel":"ops","channelSerial":"s1","flags":5}"#),
    (
        '<',
        r#"{"action":15,"id":"pub:2","channel":"ops","channelSerial":"s2","connectionId":"pub","timestamp":1795697600001,"messages":[{"name":"tick","data":"eyJuIjozfQ==","encoding":"json/utf-8/base64"}]}"#,
    ),
    (
        '<',
        r#"{"action":16,"channel":"ops","channelSerial":"a:","presence":[{"action":1,"id":"c:0:0","clientId":"ann","connectionId":"c","timestamp":1795697600001}]}"#,
    ),
    ('<', r#"{"action":17}"#),
    ('>', r#"{"action":17,"auth":{"accessToken":"tok2"}}"#),
    (
        '<',
        r#"{"action":4,"connectionId":"cid","connectionDetails":{"connectionKey":"key-u","maxIdleInterval":15000,"connectionStateTtl":120000}}"#,
    ),
    ('<', r#"{"action":13,"channel":"ops"}"#),
    ('>', r#"{"action":10,"channel":"ops","channelSerial":"s2","flags":786432}"#),
    ('<', r#"{"action":11,"channel":"ops","channelSerial":"s2","flags":5}"#),
    ('<', r#"{"action":13,"channel":"else"}"#),
    ('<', r#"{"action":9,"channel":"ops","error":{"code":40160,"statusCode":401,"message":"no"}}"#),
];

/// Plays it; returns what the feed delivered and did besides.
fn play(rig: &mut Rig, lines: &[(char, &str)]) -> Vec<String> {
    let mut rest = Vec::new();
    for (direction, text) in lines {
        if *direction == '<' {
            rig.says(text);
            if rig.is_asked() {
                rig.beats();
            }
            continue;
        }
        for _ in 0..20 {
            // The new token is asked for after a while.
            if rig.out.last().is_some_and(|line| line == "token?" || line.starts_with('{')) {
                break;
            }
            rig.pass(Duration::from_millis(100));
        }
        if rig.out.last().is_some_and(|line| line == "token?") {
            rig.gets_token("tok2");
        }
        let said = rig.out.pop().unwrap_or_default();
        rest.append(&mut rig.out);
        assert_eq!(said.trim_start_matches("secret "), *text);
    }
    rest.append(&mut rig.out);
    rest
}

/// H3: the same questions, with the same serials, and the same events of the answers.
#[test]
fn as_the_official_client() {
    let mut rig = Rig::new(|config| config.asks_token = true);
    rig.feed.start(rig.now);
    rig.drain();
    rig.gets_token("tok1");
    rig.opened();
    rig.expect(&["token?", &format!("{ADDRESS} access_token=tok1")]);
    let out = play(&mut rig, &FIRST);
    let both = r#"tick 1@s0 1 pub:1:0 {"n":1}; tick 2@s1 {"n":2}"#;
    assert_eq!(out, ["gap unknown: the server offers no snapshot", both]);
    let old = rig.link;
    rig.cut();
    while rig.link == old {
        rig.pass(Duration::from_millis(100));
    }
    rig.expect(&[&format!("{ADDRESS} access_token=tok1 resume=key-1")]);
    rig.opened();
    let out = play(&mut rig, &SECOND);
    let here = r#"presence.here nowhere {"clientId":"ann","connectionId":"c","data":null}"#;
    let gap = "gap proven: link lost: the connection ended";
    assert_eq!(out, [gap, r#"tick 3@s2 {"n":3}"#, here, "token?", "close", "token?"]);
    rig.gets_token("tok2");
    assert_eq!((rig.feed.status().phase, rig.unknown()), (Phase::Refused, 0));
}
