//! Channels by the beginning of their names: all that there are, and those that come to be.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use watchfloor_hub::{Authorise, HubConfig, Keys, Readers, Revocation, SigningKey, Target, Whom};

use crate::{
    revoke::{KEY, token},
    support::{Served, Socket, answer},
};

async fn poll(served: &Served, cursor: &str, token: Option<&str>) -> (StatusCode, Value) {
    let mut request = served.client.get(served.url("/v1/poll")).query(&[("cursor", cursor), ("wait_ms", "0")]);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(request.send().await.expect("an answer")).await
}

/// What was told of which channels, and at which offset.
fn told(messages: &[Value]) -> Vec<(&str, &str, &str)> {
    fn told_of(message: &Value) -> Option<(&str, &str, &str)> {
        let (kind, channel) = (message["type"].as_str()?, message["channel"].as_str()?);
        let place = if kind == "event" { &message["position"] } else { &message["from"] };
        Some((kind, channel, place.as_str()?.split_once(':')?.1))
    }
    messages.iter().filter_map(told_of).collect()
}

/// H3: one that is there begins at its head, one that comes to be with its first event, and others aren't told.
#[tokio::test]
async fn what_comes_to_be_is_whole() {
    let served = Served::start(HubConfig::default()).await;
    served.publish("orders.1", 1..=2).await;
    let mut socket = served.subscribed(json!({"orders.*": null})).await;
    let begun = socket.until("heartbeat").await;
    assert_eq!(told(&begun), [("subscribed", "orders.1", "2")]);
    served.publish("order", [9]).await;
    served.publish("orders.2", 10..=11).await;
    served.publish("orders.1", [3]).await;
    let mut news = Vec::new();
    while told(&news).iter().filter(|(kind, ..)| *kind == "event").count() < 3 {
        news.extend(socket.next().await.expect("open"));
    }
    let of = |channel: &str| told(&news).into_iter().filter(|(_, of, _)| *of == channel).collect::<Vec<_>>();
    assert_eq!(
        of("orders.2"),
        [("subscribed", "orders.2", "0"), ("event", "orders.2", "1"), ("event", "orders.2", "2")]
    );
    assert_eq!(of("orders.1"), [("event", "orders.1", "3")]);
    assert_eq!(told(&news).len(), 4);
    let subscribed = news.iter().find(|message| message["type"] == "subscribed").expect("told");
    assert_eq!((&subscribed["recovered"], &subscribed["reason"]), (&json!(true), &Value::Null));

    // What is let go of doesn't come again; with the pattern goes all that is there by it alone.
    socket.send(json!({"type": "unsubscribe", "channels": ["orders.2"]})).await;
    socket.send(json!({"type": "subscribe", "channels": {"orders.1": null}})).await;
    socket.send(json!({"type": "unsubscribe", "channels": ["orders.*"]})).await;
    served.publish("orders.2", [12]).await;
    served.publish("orders.3", [20]).await;
    socket.send(json!({"type": "ping", "id": 1})).await;
    socket.until("pong").await;
    served.publish("orders.1", [4]).await;
    let last = socket.until("event").await;
    assert_eq!(told(&last).last(), Some(&("event", "orders.1", "4")));
    assert!(told(&last).iter().all(|(_, channel, _)| *channel == "orders.1"), "{last:?}");
    served.stop().await;
}

/// H3: the cursor of a pattern says what the reader had, so that one which came to be while nobody was there is whole, by any door.
#[tokio::test]
async fn what_came_to_be_meanwhile_is_whole() {
    let served = Served::start(HubConfig::default()).await;
    let epoch = served.hub.epoch();
    served.publish("orders.1", 1..=2).await;
    let (_, first) = poll(&served, "orders.*~", None).await;
    assert_eq!(first["cursor"], json!(format!("orders.*~{epoch}:0|orders.1~{epoch}:2")));
    served.publish("orders.2", 10..=12).await;
    let cursor = first["cursor"].as_str().expect("a cursor");
    let (_, second) = poll(&served, cursor, None).await;
    let messages = second["messages"].as_array().expect("a list");
    assert_eq!(
        told(messages),
        [1, 2, 3]
            .map(|_| "event")
            .iter()
            .zip(["1", "2", "3"])
            .map(|(kind, at)| (*kind, "orders.2", at))
            .collect::<Vec<_>>()
    );

    let mut stream = served.sse(cursor, None).await;
    let mut read = Vec::new();
    while told(&read).iter().filter(|(kind, ..)| *kind == "event").count() < 3 {
        let event = stream.next().await.expect("open");
        read.extend(event.data);
    }
    assert_eq!(told(&read).iter().filter(|(_, channel, _)| *channel == "orders.2").count(), 4, "{read:?}");

    // A call that waits is woken by one that comes to be.
    let whole = second["cursor"].as_str().expect("a cursor").to_owned();
    let request = served.client.get(served.url("/v1/poll")).query(&[("cursor", &*whole), ("wait_ms", "60000")]);
    let waiting = tokio::spawn(async move { answer(request.send().await.expect("an answer")).await.1 });
    served.has_subscriptions(2).await;
    served.publish("orders.3", [30]).await;
    let third = waiting.await.expect("no panic");
    assert_eq!(told(third["messages"].as_array().expect("a list")), [("event", "orders.3", "1")]);

    // Of another history nothing is whole, and that is said.
    served.hub.lose_history();
    served.publish("orders.4", [40]).await;
    let (_, fourth) = poll(&served, &whole, None).await;
    let reasons: Vec<_> =
        fourth["messages"].as_array().expect("a list").iter().map(|message| &message["reason"]).collect();
    assert!(reasons.len() == 3 && reasons.iter().all(|reason| **reason == "epoch-changed"), "{fourth}");
    served.stop().await;
}

/// H8: a token must allow every name that the pattern could mean; a narrower one isn't taken on the connection either.
#[tokio::test]
async fn a_token_covers_it() {
    let readers = Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) };
    let served = Served::start(HubConfig { readers, ..HubConfig::default() }).await;
    served.publish("orders.1", 1..=2).await;
    for (claimed, asked, status) in [
        (json!(["orders.*"]), "orders.*", StatusCode::OK),
        (json!(["x", "ord*"]), "orders.*", StatusCode::OK),
        (json!(["*"]), "*", StatusCode::OK),
        (json!(["orders.1*"]), "orders.*", StatusCode::FORBIDDEN),
        (json!(["orders.1", "orders.2"]), "orders.*", StatusCode::FORBIDDEN),
        (json!(["orders.**"]), "orders.*", StatusCode::FORBIDDEN),
        (json!(["orders.*"]), "*", StatusCode::FORBIDDEN),
        (json!([]), "*", StatusCode::FORBIDDEN),
    ] {
        let (found, body) = poll(&served, &format!("{asked}~"), Some(&token(json!({"channels": claimed})))).await;
        assert_eq!(found, status, "{claimed} for {asked}: {body}");
    }
    let wide = token(json!({"channels": ["orders.*"]}));
    let mut socket = Socket { socket: served.open("/v1/ws", Some(&wide)).await };
    socket.send(json!({"type": "subscribe", "channels": {"orders.*": null}})).await;
    socket.until("heartbeat").await;
    socket.send(json!({"type": "authorise", "token": token(json!({"channels": ["orders.1"]}))})).await;
    let told = socket.until("error").await.pop().expect("a message");
    assert_eq!(told["code"], json!("denied"), "{told}");
    served.stop().await;
}

/// H8: what a site is asked about isn't given to who doesn't name it, and what is revoked isn't either.
#[tokio::test]
async fn what_is_not_for_it_is_left_out() {
    let nowhere = "http://127.0.0.1:9/may".into();
    let authorise = Authorise::new(b"what questions are signed with", move |channel| {
        channel.starts_with("orders.secret").then(|| std::sync::Arc::clone(&nowhere))
    });
    let served = Served::start(HubConfig { authorise: Some(authorise), ..HubConfig::default() }).await;
    for channel in ["orders.1", "orders.2", "orders.secret"] {
        served.publish(channel, [1]).await;
    }
    let mut socket = served.subscribed(json!({"orders.*": null})).await;
    let begun = socket.until("heartbeat").await;
    assert_eq!(told(&begun), [("subscribed", "orders.1", "1"), ("subscribed", "orders.2", "1")]);
    let target = Target { whom: Whom::Everybody, channel: Some("orders.2".into()) };
    let revocation = Revocation { target, ttl: Duration::from_secs(3600), before: None };
    assert_eq!(served.hub.revoke(&[revocation]).await.expect("room").connections, 1);
    while socket.next().await.is_ok() {}
    served.publish("orders.2", [2]).await;
    served.publish("orders.secret.new", [2]).await;
    let (_, answered) = poll(&served, "orders.*~", None).await;
    assert_eq!(answered["cursor"], json!(format!("orders.*~{0}:0|orders.1~{0}:1", served.hub.epoch())));
    served.stop().await;
}

/// H5: more channels than a subscription has room for end it with the reason, at once or when they come to be.
#[tokio::test]
async fn too_many_are_refused() {
    let served = Served::start(HubConfig::default()).await;
    let names: Vec<_> = (0..256).map(|number| format!("c{number}")).collect();
    let events =
        |names: &[String]| names.iter().map(|name| json!({"channel": name, "name": "n", "data": 1})).collect::<Value>();
    assert_eq!(served.post("/v1/publish", events(&names[..255])).await.0, StatusCode::OK);
    let mut socket = served.subscribed(json!({"c*": null})).await;
    socket.until("heartbeat").await;
    assert_eq!(served.post("/v1/publish", events(&names[255..])).await.0, StatusCode::OK);
    let told = socket.until("error").await.pop().expect("a message");
    assert_eq!(
        (&told["code"], &told["message"]),
        (&json!("too-many-channels"), &json!("257 channels: expected at most 256"))
    );
    let closed = loop {
        if let Err(frame) = socket.next().await {
            break frame;
        }
    };
    assert_eq!(closed.map(|frame| u16::from(frame.code)), Some(1008));
    let (status, body) = poll(&served, "c*~", None).await;
    assert_eq!((status, &body["error"]["message"]), (StatusCode::BAD_REQUEST, &told["message"]));
    served.stop().await;
}
