//! H8: who may publish by the hub's own WebSocket, and what becomes of it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};
use watchfloor_hub::{
    Fields, HubConfig, Keys, Publishers, Readers, Revocation, Rules, Settings, SigningKey, Target, Whom,
};

use crate::support::{Served, Socket};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn token(claims: Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let mut all = json!({"exp": now + 3600, "channels": ["*"]});
    all.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(all.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

fn config() -> HubConfig {
    HubConfig {
        readers: Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) },
        rules: Rules::new(|channel| Settings {
            publishers: match channel.split('.').next() {
                Some("named") => Publishers::Token,
                Some("open") => Publishers::Readers,
                _ => Publishers::Server,
            },
            fields: channel.ends_with(".fields").then(|| std::sync::Arc::new(Fields::new(["x"]))),
            events_a_second: channel.ends_with(".slow").then_some(2),
            ..Settings::default()
        }),
        repeats: std::time::Duration::from_secs(3600),
        ..HubConfig::default()
    }
}

async fn websocket(served: &Served, claims: Value) -> Socket {
    let mut request = format!("ws://{}/v1/ws", served.address).into_client_request().expect("request");
    request.headers_mut().insert("authorization", format!("Bearer {}", token(claims)).parse().expect("header"));
    Socket { socket: connect_async(request).await.expect("a WebSocket").0 }
}

/// Publishes, and gives the answer.
async fn say(socket: &mut Socket, id: u64, event: Value) -> Value {
    socket.send(json!({"type": "publish", "id": id, "event": event})).await;
    loop {
        let messages = socket.next().await.expect("open");
        if let Some(answer) =
            messages.into_iter().find(|message| message["type"] == "published" || message["type"] == "refused")
        {
            assert_eq!(answer["id"], id);
            return answer;
        }
    }
}

fn event(channel: &str, more: Value) -> Value {
    let mut event = json!({"channel": channel, "name": "n", "data": {"x": 1, "secret": 2}});
    event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    event
}

/// The server alone, by default; by a token that names the channel, or by whoever reads it, where a namespace says so. A refusal is told on the connection,
/// which goes on, and is in the audit log.
#[tokio::test]
async fn who_may_publish() {
    let served = Served::start(config()).await;
    let mut one = websocket(&served, json!({"sub": "7", "publish": ["named.a*"]})).await;
    for (channel, message) in [
        ("plain", "readers may not publish to channel plain"),
        ("named.b", "channel named.b is not among those that the token names for publishing (`publish`)"),
        ("open.a", "who publishes to channel open.a has to read it: expected a subscription first"),
    ] {
        let answer = say(&mut one, 1, event(channel, json!({}))).await;
        assert_eq!(answer, json!({"type": "refused", "id": 1, "code": "denied", "message": message}));
    }
    let mut other = websocket(&served, json!({"sub": "8"})).await;
    other.send(json!({"type": "subscribe", "channels": {"named.a": null, "open.a": null}})).await;
    other.until("heartbeat").await;
    let answer = say(&mut one, 2, event("named.a", json!({"id": "x", "time": 1000}))).await;
    assert_eq!(answer["type"], "published");
    let heard = other.until("event").await;
    let heard = heard.last().expect("an event");
    assert_eq!(
        (&heard["position"], &heard["data"], &heard["id"]),
        (&answer["position"], &json!({"x": 1, "secret": 2}), &json!("x"))
    );
    assert_eq!(say(&mut other, 3, event("open.a", json!({}))).await["type"], "published");
    assert_eq!(other.until("event").await.last().map(|event| event["channel"].clone()), Some(json!("open.a")));

    // What comes again is published once, also by another connection.
    let mut again = websocket(&served, json!({"sub": "7", "publish": ["named.a*"]})).await;
    assert_eq!(
        say(&mut again, 9, event("named.a", json!({"id": "x", "time": 1000}))).await["position"],
        answer["position"]
    );
    served.stop().await;
}

/// What is published is stripped, counted and checked as any other event; what is no event is told as such, and nothing closes the connection but a frame that is none.
#[tokio::test]
async fn what_is_published() {
    let served = Served::start(config()).await;
    let mut one = websocket(&served, json!({"publish": ["named.*"]})).await;
    one.send(json!({"type": "subscribe", "channels": {"named.fields": null}})).await;
    one.until("heartbeat").await;
    assert_eq!(say(&mut one, 1, event("named.fields", json!({}))).await["type"], "published");
    assert_eq!(one.until("event").await.last().map(|event| event["data"].clone()), Some(json!({"x": 1})));
    for (event, code) in [
        (event("named.fields", json!({"data": 7})), "bad-event"),
        (json!({"channel": "named.a"}), "bad-event"),
        (json!([]), "bad-event"),
        (json!([event("named.a", json!({})), event("named.a", json!({}))]), "bad-event"),
        (event("a b", json!({})), "bad-event"),
    ] {
        assert_eq!(say(&mut one, 2, event).await["code"], code);
    }
    let codes = async |socket: &mut Socket, channel: &str, count: u64| {
        let mut codes = Vec::new();
        for id in 0..count {
            let answer = say(socket, id, event(channel, json!({}))).await;
            codes.push(answer["code"].as_str().unwrap_or("published").to_owned());
        }
        codes
    };
    // The channel's own rate, then the client's.
    let mut two = websocket(&served, json!({"publish": ["*"]})).await;
    assert!(codes(&mut two, "named.slow", 4).await.contains(&"too-fast".to_owned()));
    let mut three = websocket(&served, json!({"publish": ["*"]})).await;
    let found = codes(&mut three, "named.a", 30).await;
    assert!(found[..10].iter().all(|code| code == "published") && found.contains(&"too-fast".to_owned()), "{found:?}");

    one.send(json!({"type": "publish", "event": {}})).await;
    let last = one.until("error").await;
    assert_eq!(last.last().map(|last| last["code"].clone()), Some(json!("bad-message")));
    served.stop().await;
}

/// Who is revoked publishes nothing any more, nor to a channel that was taken from him alone.
#[tokio::test]
async fn what_is_taken_back() {
    let served = Served::start(config()).await;
    let mut one = websocket(&served, json!({"sub": "7", "publish": ["named.*"]})).await;
    assert_eq!(say(&mut one, 1, event("named.a", json!({}))).await["type"], "published");
    let target = |channel: Option<&str>| Target {
        whom: Whom::User { app: None, id: "7".into() },
        channel: channel.map(Into::into),
    };
    let revoke = async |channel: Option<&str>| {
        let revocation = Revocation { target: target(channel), ttl: std::time::Duration::from_secs(60), before: None };
        served.hub.revoke(&[revocation]).await.expect("room")
    };
    assert_eq!(revoke(Some("named.a")).await.connections, 0, "it doesn't read it");
    assert_eq!(say(&mut one, 2, event("named.a", json!({}))).await["code"], "revoked");
    assert_eq!(say(&mut one, 3, event("named.b", json!({}))).await["type"], "published");
    assert_eq!(revoke(None).await.connections, 1);
    assert_eq!(one.until("error").await.last().map(|last| last["code"].clone()), Some(json!("revoked")));
    served.stop().await;
}
