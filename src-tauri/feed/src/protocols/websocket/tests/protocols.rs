//! Public protocols of different shape, scripted from their documentation. The boards in `examples` say the same of them.

use std::time::Duration;

use serde_json::{Value, json};
use watchfloor_model::Phase;

use super::{path, rig::Rig};
use crate::{Codec, Secret, Speak};

/// Phoenix Channels, version 2 of their serializer, as its source and `Writing a Channels Client` say it: each message is a list
/// `[join_ref, ref, topic, event, payload]`, joins are answered, a heartbeat of a topic of its own is answered in turn.
fn phoenix() -> Rig {
    Rig::new(|config| {
        config.url = "wss://app.example.net/socket/websocket?vsn=2.0.0".parse().expect("an address");
        config.channels = vec!["room:lobby".into(), "room:dock".into()];
        config.envelope.name = path("[3]");
        config.envelope.data = path("[4]");
        config.envelope.time = path("[4].at");
        config.token = Some(Secret::new("t1"));
        config.speak = Speak {
            subscribe: Some(r#"["1","1","{channel}","phx_join",{"token":"{token}"}]"#.into()),
            confirm: Some(r#"["1","1","{channel}","phx_reply",{"status":"ok"}]"#.into()),
            refused: Some(r#"["1","1","{channel}","phx_reply",{"status":"error"}]"#.into()),
            ping: Some(r#"[null,"beat","phoenix","heartbeat",{}]"#.into()),
            pong: Some(r#"[null,"beat","phoenix","phx_reply",{"status":"ok"}]"#.into()),
            channel: path("[2]"),
            ..Speak::default()
        };
    })
}

const BEAT: &str = r#"[null,"beat","phoenix","phx_reply",{"status":"ok","response":{}}]"#;

/// H1, H3: a list is one message, whose channel is one of its items.
#[test]
fn a_protocol_of_lists() {
    let mut rig = phoenix();
    rig.begin();
    rig.expect(&[
        "open wss://app.example.net/socket/websocket?vsn=2.0.0",
        r#"secret ["1","1","room:lobby","phx_join",{"token":"t1"}]"#,
        r#"secret ["1","1","room:dock","phx_join",{"token":"t1"}]"#,
        r#"[null,"beat","phoenix","heartbeat",{}]"#,
    ]);
    rig.says(r#"["1","1","room:dock","phx_reply",{"status":"ok","response":{}}]"#);
    rig.says(BEAT);
    assert_eq!(rig.feed.status().phase, Phase::Subscribing, "one of two");
    rig.says(r#"["1","1","room:lobby","phx_reply",{"status":"ok","response":{}}]"#);
    rig.says(r#"[null,null,"room:lobby","new_msg",{"body":"hi","at":"2026-11-26T12:00:00Z"}]"#);
    rig.says(r#"[null,null,"room:elsewhere","new_msg",{"body":"not ours","at":1}]"#);
    rig.says(BEAT);
    let unknown = "gap unknown: the server offers no snapshot";
    rig.expect(&[unknown, unknown, r#"new_msg 1 - {"body":"hi","at":"2026-11-26T12:00:00Z"}"#]);
    assert_eq!(rig.feed.status().phase, Phase::Live);
    // The WebSocket's own answers come from elsewhere than the channels.
    rig.pong();
    rig.pass(Duration::from_secs(7));
    assert_ne!(rig.feed.status().phase, Phase::Live);
}

/// Why it is refused stands deep in the list.
#[test]
fn a_list_that_refuses() {
    let mut rig = phoenix();
    rig.begin();
    rig.says(r#"["1","1","room:dock","phx_reply",{"status":"error","response":{"reason":"t1 is unauthorized"}}]"#);
    let status = rig.feed.status();
    let cause = status.cause.expect("why").text;
    assert_eq!((status.phase, &*cause), (Phase::Refused, "*** is unauthorized"));
}

/// Alpaca's option data, which comes in MessagePack alone: a list is so many messages, times are timestamps, and what is sent is
/// MessagePack as well.
fn alpaca() -> Rig {
    Rig::new(|config| {
        config.url = "wss://stream.data.alpaca.markets/v1beta1/indicative".parse().expect("an address");
        config.channels = vec!["AAPL240315C00172500".into(), "SPXW240327P04925000".into()];
        config.envelope.name = path("T");
        config.envelope.time = path("t");
        config.envelope.decode = vec![Codec::MessagePack];
        config.token = Some(Secret::new("s\"1"));
        config.speak = Speak {
            login: Some(r#"{"action":"auth","key":"AK1","secret":"{token}"}"#.into()),
            subscribe: Some(r#"{"action":"subscribe","trades":["{channel}"]}"#.into()),
            confirm: Some(r#"{"T":"subscription"}"#.into()),
            refused: Some(r#"{"T":"error"}"#.into()),
            channel: path("S"),
            ..Speak::default()
        };
    })
}

fn pack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec(value).expect("a value")
}

/// One trade with its time as an extension, as their server writes it.
fn trade(symbol: &str, price: f64, seconds: u32) -> Vec<u8> {
    let mut bytes = vec![0x84, 0xA1, b'T', 0xA1, b't', 0xA1, b'S', 0xB3];
    bytes.extend(symbol.as_bytes());
    bytes.extend([0xA1, b'p', 0xCB]);
    bytes.extend(price.to_be_bytes());
    bytes.extend([0xA1, b't', 0xD6, 0xFF]);
    bytes.extend(seconds.to_be_bytes());
    bytes
}

/// H3: what comes in one frame is taken apart, in order, each with its own channel and time.
#[test]
fn a_protocol_in_message_pack() {
    let mut rig = alpaca();
    rig.begin();
    rig.expect(&[
        "open wss://stream.data.alpaca.markets/v1beta1/indicative",
        r#"secret bytes {"action":"auth","key":"AK1","secret":"s\"1"}"#,
        r#"bytes {"action":"subscribe","trades":["AAPL240315C00172500"]}"#,
        r#"bytes {"action":"subscribe","trades":["SPXW240327P04925000"]}"#,
    ]);
    rig.says_binary(&pack(&json!([{"T": "success", "msg": "connected"}])));
    rig.says_binary(&pack(&json!([{"T": "success", "msg": "authenticated"}])));
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Subscribing);
    let subscription = pack(&json!([{"T": "subscription", "trades": ["AAPL240315C00172500"], "quotes": []}]));
    rig.says_binary(&subscription);
    rig.says_binary(&subscription);
    rig.pong();
    assert_eq!(rig.feed.status().phase, Phase::Live);
    rig.out.clear();
    let (aapl, spxw) = ("AAPL240315C00172500", "SPXW240327P04925000");
    let trades = [trade(aapl, 2.5, 1_700_000_000), trade(spxw, 7.25, 1_700_000_001), trade(aapl, 2.0, 1_700_000_002)];
    rig.says_binary(&[&[0x93][..], &trades.concat()].concat());
    let time = |second: u32| format!("2023-11-14T22:13:2{second}Z");
    rig.expect(&[&format!(
        r#"t 1 - {{"T":"t","S":"{aapl}","p":2.5,"t":"{}"}}; t 1 - {{"T":"t","S":"{spxw}","p":7.25,"t":"{}"}}; t 2 - {{"T":"t","S":"{aapl}","p":2.0,"t":"{}"}}"#,
        time(0),
        time(1),
        time(2)
    )]);
    rig.says_binary(&pack(&json!([{"T": "error", "code": 406, "msg": "connection limit exceeded"}])));
    let status = rig.feed.status();
    let cause = status.cause.expect("why").text;
    assert_eq!((status.phase, &*cause), (Phase::Refused, "connection limit exceeded"));
}
