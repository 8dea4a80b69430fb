//! `GET /v1/ws`

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use watchfloor_hub::{HistoryLimits, HubConfig};

use crate::support::{PATIENCE, Record, Served, error};

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["type"].as_str()).collect()
}

/// The first messages and their fields, as in the contract.
#[tokio::test]
async fn the_first_words() {
    let served = Served::start(HubConfig::default()).await;
    let epoch = served.hub.epoch();
    let positions = served.publish("a", 1..=3).await;
    assert_eq!(positions, [1, 2, 3].map(|offset| format!("{epoch}:{offset}")));
    let mut socket = served.websocket().await;
    let hello = socket.next().await.expect("open").remove(0);
    assert_eq!(
        (&hello["type"], &hello["protocol"], &hello["heartbeat_ms"]),
        (&json!("hello"), &json!(1), &json!(1000))
    );
    assert_eq!((&hello["clock"]["speed"], &hello["clock"]["label"]), (&json!(1), &Value::Null));

    socket.send(json!({"type": "subscribe", "channels": {"a": format!("{epoch}:1"), "b": null}})).await;
    let told = socket.until("event").await;
    assert_eq!(kinds(&told), ["subscribed", "subscribed", "heartbeat", "event", "event"]);
    assert_eq!(
        told[0],
        json!({"type": "subscribed", "channel": "a", "head": format!("{epoch}:3"), "from": format!("{epoch}:1"),
            "recovered": true, "reason": null})
    );
    assert_eq!(
        told[1],
        json!({"type": "subscribed", "channel": "b", "head": format!("{epoch}:0"), "from": format!("{epoch}:0"),
            "recovered": false, "reason": "fresh"})
    );
    let pulses = &told[2]["channels"];
    assert_eq!((&pulses["a"]["head"], &pulses["a"]["behind"]), (&json!(format!("{epoch}:1")), &json!(2)));
    assert!(pulses["a"]["idle_ms"].is_u64());
    assert_eq!(pulses["b"]["idle_ms"], Value::Null);
    assert_eq!((&told[4]["position"], &told[4]["data"]), (&json!(format!("{epoch}:3")), &json!(3)));
    assert!(told[4].get("id").is_none());
    served.stop().await;
}

/// Each reason for which a subscription can't go on from where it was asked to.
#[tokio::test]
async fn reasons() {
    let history = HistoryLimits { events: 2, ..HistoryLimits::default() };
    let served = Served::start(HubConfig { history, ..HubConfig::default() }).await;
    let epoch = served.hub.epoch();
    served.publish("a", 1..=5).await;
    for (asked, reason) in [
        (json!(format!("{epoch}:3")), Value::Null),
        (json!(format!("{epoch}:5")), Value::Null),
        (json!(format!("{epoch}:2")), json!("trimmed")),
        (json!(format!("{epoch}:6")), json!("ahead")),
        (json!("other:5"), json!("epoch-changed")),
        (Value::Null, json!("fresh")),
    ] {
        let mut socket = served.subscribed(json!({"a": asked})).await;
        let told = socket.until("subscribed").await;
        let subscribed = told.iter().find(|message| message["type"] == "subscribed").expect("subscribed");
        assert_eq!(subscribed["reason"], reason, "{asked}");
        assert_eq!(subscribed["recovered"], reason.is_null());
    }
    served.stop().await;
}

/// No timer stands between publisher and reader: with a heartbeat a minute, an event still comes at once.
#[tokio::test]
async fn an_idle_hub_forwards_at_once() {
    let served = Served::start(HubConfig { heartbeat: Duration::from_secs(60), ..HubConfig::default() }).await;
    let mut record = Record::of(&["a"]);
    let mut socket = served.subscribed(record.subscription()).await;
    record.take_all(&socket.until("heartbeat").await);
    for number in 1..=20 {
        served.publish("a", [number]).await;
        assert_eq!(kinds(&socket.next().await.expect("open")), ["event"]);
    }
    served.stop().await;
}

/// H2: heartbeats name heads and the publishers' signs of life, and a new clock is told at once.
#[tokio::test]
async fn heartbeats() {
    let served = Served::start(HubConfig { heartbeat: Duration::from_millis(50), ..HubConfig::default() }).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    let first = socket.until("heartbeat").await.pop().expect("heartbeat");
    assert_eq!(first["channels"]["a"]["idle_ms"], Value::Null);
    assert_eq!(served.post("/v1/alive", json!({"channels": ["a"]})).await, (StatusCode::NO_CONTENT, Value::Null));
    let mut last = Value::Null;
    while last["channels"]["a"]["idle_ms"].is_null() {
        last = socket.until("heartbeat").await.pop().expect("heartbeat");
    }
    let order = json!({"now": 1_360_335_600_000_i64, "speed": 0, "label": "Replay"});
    assert_eq!(served.post("/v1/clock", order.clone()).await.0, StatusCode::NO_CONTENT);
    while last["clock"] != order {
        last = socket.until("heartbeat").await.pop().expect("heartbeat");
    }
    assert_eq!(served.post("/v1/clock", json!({"system": true})).await.0, StatusCode::NO_CONTENT);
    while last["clock"]["label"] == "Replay" {
        last = socket.until("heartbeat").await.pop().expect("heartbeat");
    }
    served.stop().await;
}

/// Unsubscribed channels are silent, and a second subscription begins a channel anew.
#[tokio::test]
async fn subscriptions_change() {
    let served = Served::start(HubConfig::default()).await;
    let epoch = served.hub.epoch();
    served.publish("a", 1..=2).await;
    let mut socket = served.subscribed(json!({"a": format!("{epoch}:0"), "b": null})).await;
    socket.until("event").await;
    socket.send(json!({"type": "unsubscribe", "channels": ["a"]})).await;
    socket.send(json!({"type": "ping", "id": 1})).await;
    socket.until("pong").await;
    served.publish("a", [3]).await;
    served.publish("b", [4]).await;
    let events = socket.until("event").await;
    let event = events.iter().find(|message| message["type"] == "event").expect("event");
    assert_eq!(event["channel"], "b");
    socket.send(json!({"type": "subscribe", "channels": {"a": format!("{epoch}:2")}})).await;
    let events = socket.until("event").await;
    assert_eq!(events.last().expect("event")["data"], 3);
    served.stop().await;
}

/// Pings of both kinds are answered before the rest of a long replay.
#[tokio::test]
async fn pings_overtake_a_flood() {
    let served = Served::start(HubConfig::default()).await;
    let text = "x".repeat(64 << 10);
    let events: Vec<_> = (0..100).map(|_| json!({"channel": "a", "name": "n", "data": text})).collect();
    for _ in 0..8 {
        assert_eq!(served.post("/v1/publish", json!(events)).await.0, StatusCode::OK);
    }
    let mut socket = served.subscribed(json!({"a": format!("{}:0", served.hub.epoch())})).await;
    served.has_subscriptions(1).await;
    socket.send(json!({"type": "ping", "id": 7})).await;
    socket.socket.send(Message::Ping("8".into())).await.expect("sent");
    let (mut events, mut pongs) = (0, Vec::new());
    while events < 800 {
        match timeout(PATIENCE, socket.socket.next()).await.expect("something comes").expect("open").expect("sound") {
            Message::Text(text) => {
                events += text.matches(r#""type":"event""#).count();
                if text.contains(r#"{"type":"pong","id":7,"clock":"#) {
                    pongs.push(events);
                }
            }
            Message::Pong(payload) => {
                assert_eq!(&*payload, b"8");
                pongs.push(events);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pongs.len(), 2);
    assert!(pongs.iter().all(|events| *events < 800), "{pongs:?}");
    served.stop().await;
}

/// Bad input: an error with its reason, then the close code of the contract.
#[tokio::test]
async fn broken_protocol() {
    let served = Served::start(HubConfig::default()).await;
    let many: serde_json::Map<_, _> = (0..257).map(|number| (format!("c{number}"), Value::Null)).collect();
    for (frame, code, message, close) in [
        (Message::text("{"), "bad-message", "EOF while parsing", 1008),
        (Message::text("{\"type\":\"presence\"}"), "bad-message", "unknown variant `presence`", 1008),
        (Message::text("{\"type\":\"publish\"}"), "bad-message", "missing field `id`", 1008),
        (Message::binary(vec![1]), "bad-message", "binary frame: expected text", 1008),
        (
            Message::text(json!({"type": "subscribe", "channels": {"a": "b"}}).to_string()),
            "bad-message",
            "channel a: \"b\" is not a position",
            1008,
        ),
        (
            Message::text(json!({"type": "subscribe", "channels": many}).to_string()),
            "too-many-channels",
            "257 channels: expected at most 256",
            1008,
        ),
        (Message::text("x".repeat(65_537)), "too-big", "frame too big: expected at most 65536 bytes", 1009),
        (Message::text("x".repeat(5 << 20)), "too-big", "frame too big", 1009),
    ] {
        let mut socket = served.websocket().await;
        // The hub may close before it has read all of a frame that is too big.
        let _ = socket.socket.send(frame).await;
        let told = socket.until("error").await.pop().expect("error");
        assert_eq!(told["code"], code);
        assert!(told["message"].as_str().is_some_and(|text| text.contains(message)), "{told}");
        let frame = socket.next().await.expect_err("closed").expect("with a reason");
        assert_eq!(u16::from(frame.code), close);
    }
    served.has_subscriptions(0).await;
    let (status, body) = served.get("/v1/ws").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"]["code"], "no-websocket");
    served.stop().await;
}

/// A client's goodbye is answered with 1000.
#[tokio::test]
async fn goodbye() {
    let served = Served::start(HubConfig::default()).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("subscribed").await;
    let frame = CloseFrame { code: 1000.into(), reason: "".into() };
    socket.socket.close(Some(frame)).await.expect("sent");
    let answer = loop {
        if let Err(frame) = socket.next().await {
            break frame;
        }
    };
    assert_eq!(answer.map(|frame| u16::from(frame.code)), Some(1000));
    served.has_subscriptions(0).await;
    served.stop().await;
}

/// H5: a reader that stops reading loses its place, and nothing else; then it goes on from the head.
#[tokio::test]
async fn a_slow_reader_is_told() {
    let history = HistoryLimits { events: 100, ..HistoryLimits::default() };
    let served = Served::start(HubConfig { history, ..HubConfig::default() }).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("heartbeat").await;
    let text = "x".repeat(64 << 10);
    let events: Vec<_> = (0..100).map(|_| json!({"channel": "a", "name": "n", "data": text})).collect();
    for _ in 0..5 {
        // More than the sockets between the two can hold.
        assert_eq!(served.post("/v1/publish", json!(events)).await.0, StatusCode::OK);
    }
    let told = socket.until("lost").await;
    let lost = told.iter().find(|message| message["type"] == "lost").expect("lost");
    assert_eq!((&lost["reason"], &lost["head"]), (&json!("slow"), &json!(format!("{}:500", served.hub.epoch()))));
    let received = told.iter().rfind(|message| message["type"] == "event").map(|event| &event["position"]);
    assert_eq!(received.unwrap_or(&json!(format!("{}:0", served.hub.epoch()))), &lost["from"]);
    served.publish("a", [1]).await;
    let next = socket.until("event").await;
    assert_eq!(next.last().expect("event")["position"], json!(format!("{}:501", served.hub.epoch())));
    served.stop().await;
}

/// H5: a connection that takes nothing at all is dropped.
#[tokio::test]
async fn a_stalled_reader_is_dropped() {
    let served = Served::start(HubConfig { write_stall: Duration::from_millis(200), ..HubConfig::default() }).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("heartbeat").await;
    let text = "x".repeat(64 << 10);
    let events: Vec<_> = (0..100).map(|_| json!({"channel": "a", "name": "n", "data": text})).collect();
    for _ in 0..4 {
        assert_eq!(served.post("/v1/publish", json!(events)).await.0, StatusCode::OK);
    }
    served.has_subscriptions(0).await;
    drop(socket);
    served.stop().await;
}

/// Stopping waits for nobody: not for a reader that takes nothing, a poll, a stream, or half a request.
#[tokio::test]
async fn stopping_is_prompt() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let served = Served::start(HubConfig::default()).await;
    let mut open = served.subscribed(json!({"b": null})).await;
    open.until("heartbeat").await;
    let mut stalled = served.subscribed(json!({"a": null})).await;
    stalled.until("heartbeat").await;
    let text = "x".repeat(64 << 10);
    let events: Vec<_> = (0..100).map(|_| json!({"channel": "a", "name": "n", "data": text})).collect();
    for _ in 0..4 {
        assert_eq!(served.post("/v1/publish", json!(events)).await.0, StatusCode::OK);
    }
    let mut stream = served.sse("b~", None).await;
    stream.next().await.expect("first");
    let poll = tokio::spawn({
        let request = served.client.get(served.url(&format!("/v1/poll?cursor=b~{}:0", served.hub.epoch())));
        async move { request.send().await.expect("an answer").json::<Value>().await.expect("JSON") }
    });
    served.has_subscriptions(4).await;
    let mut half = tokio::net::TcpStream::connect(&served.address).await.expect("connected");
    half.write_all(b"POST /v1/publish HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")
        .await
        .expect("sent");

    let begin = Instant::now();
    served.stop().await;
    assert!(begin.elapsed() < Duration::from_millis(1500), "{:?}", begin.elapsed());
    let frame = loop {
        if let Err(frame) = open.next().await {
            break frame.expect("with a reason");
        }
    };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "restarting"));
    while stream.next().await.is_some() {}
    assert_eq!(poll.await.expect("no panic")["messages"], json!([]));
    assert_eq!(half.read(&mut [0]).await.unwrap_or(0), 0);
}

/// The names of error codes that are for programs.
#[tokio::test]
async fn addresses() {
    let served = Served::start(HubConfig::default()).await;
    let (status, body) = served.get("/v2/ws").await;
    assert_eq!((status, body), (StatusCode::NOT_FOUND, error("not-found", "no such address: see docs/hub.md")));
    let (status, body) = served.get("/v1/publish").await;
    assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::METHOD_NOT_ALLOWED, Some("method")));
    let (status, body) = served.get("/v1/health").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body, json!({"status": "ok", "epoch": served.hub.epoch(), "channels": 0, "subscriptions": 0}));
    served.stop().await;
}

/// H5: connections are bounded, a WebSocket counts as long as it lives, and who waits is served when there is room.
#[tokio::test]
async fn connections_are_bounded() {
    let heartbeat = Duration::from_millis(50);
    let served = Served::start(HubConfig { connections_max: 1, heartbeat, ..HubConfig::default() }).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("subscribed").await;
    {
        let mut waiting = std::pin::pin!(served.get("/v1/health"));
        for _ in 0..5 {
            tokio::select! {
                _ = &mut waiting => panic!("served beyond the bound"),
                told = socket.next() => drop(told.expect("open")),
            }
        }
        drop(socket);
        let (status, _) = timeout(PATIENCE, waiting).await.expect("served when there is room");
        assert_eq!(status, StatusCode::OK);
    }
    served.stop().await;
}
