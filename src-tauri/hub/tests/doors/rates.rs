//! H5, H8: who comes too often, or too many times, and by which address somebody is known.

#![allow(clippy::panic, reason = "what a test did not expect ends it")]

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};
use watchfloor_hub::{App, AppConfig, Hub, HubConfig, Keys, Proxies, Rate, Rates, Readers, SigningKey, Speech};

use crate::{
    revoke::{KEY, token},
    support::{PATIENCE, Served, Socket, WebSocket, answer},
};

fn config(rates: Rates) -> HubConfig {
    let app = AppConfig {
        id: "1".to_owned(),
        key: "key".to_owned(),
        secret: "a secret of its own".to_owned(),
        ..AppConfig::default()
    };
    HubConfig { rates, apps: vec![App::new(&app, &[]).expect("sound")], ..HubConfig::default() }
}

/// Behind a proxy on this machine.
fn proxied(rates: Rates) -> HubConfig {
    let networks = vec!["127.0.0.1".parse().expect("an address")];
    HubConfig { proxies: Proxies { networks, ..Proxies::default() }, ..config(rates) }
}

fn at_once(count: u32) -> Rate {
    Rate { at_once: Some(count), a_second: None }
}

/// A WebSocket by a proxy that says this; its status if it isn't opened.
async fn open(served: &Served, path: &str, forwarded: &str) -> Result<WebSocket, StatusCode> {
    let mut request = format!("ws://{}{path}", served.address).into_client_request().expect("a request");
    request.headers_mut().insert("x-forwarded-for", forwarded.parse().expect("a header"));
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

async fn refused(response: Response) -> (StatusCode, u64, String) {
    let after = response.headers().get("retry-after").expect("when to come again").to_str().expect("text");
    let after = after.parse().expect("seconds");
    let (status, body) = answer(response).await;
    (status, after, body["error"]["code"].as_str().expect("a code").to_owned())
}

/// Who comes through a proxy of the site's own counts by his own address, which he can't choose; a place is free again when he has gone.
#[tokio::test]
async fn by_address_behind_a_proxy() {
    let served = Served::start(proxied(Rates { address: at_once(2), ..Rates::default() })).await;
    let first = open(&served, "/v1/ws", "192.0.2.7").await.expect("open");
    let _second = open(&served, "/v1/ws", "10.9.9.9, 192.0.2.7").await.expect("open");
    for spoofed in ["192.0.2.7", "1.2.3.4, 192.0.2.7", "127.0.0.1, 192.0.2.7", "192.0.2.7, 127.0.0.1"] {
        assert_eq!(open(&served, "/v1/ws", spoofed).await.err(), Some(StatusCode::TOO_MANY_REQUESTS), "{spoofed}");
    }
    let poll = served.client.get(served.url("/v1/poll?cursor=a~&wait_ms=0")).header("x-forwarded-for", "192.0.2.7");
    assert_eq!(
        refused(poll.send().await.expect("an answer")).await,
        (StatusCode::TOO_MANY_REQUESTS, 5, "too-many".to_owned())
    );
    // What doesn't stay is no connection.
    let health = served.client.get(served.url("/v1/health")).header("x-forwarded-for", "192.0.2.7");
    assert_eq!(health.send().await.expect("an answer").status(), StatusCode::OK);
    // Clients of the Pusher protocol are told as they understand it.
    let mut pusher = open(&served, "/app/key?protocol=7", "192.0.2.7").await.expect("open");
    let said = timeout(PATIENCE, pusher.next()).await.expect("something").expect("open").expect("sound");
    assert!(said.to_text().expect("text").contains("4100"), "{said}");
    let Some(Ok(Message::Close(Some(frame)))) = timeout(PATIENCE, pusher.next()).await.expect("an end") else {
        panic!("no goodbye")
    };
    assert_eq!(u16::from(frame.code), 4100);
    // Of IPv6, a network is one.
    let _third = open(&served, "/v1/ws", "2001:db8::1").await.expect("open");
    let _fourth = open(&served, "/app/key?protocol=7", "2001:db8::ffff").await.expect("open");
    assert_eq!(open(&served, "/v1/ws", "2001:db8::2:1").await.err(), Some(StatusCode::TOO_MANY_REQUESTS));
    assert!(open(&served, "/v1/ws", "2001:db8:0:1::1").await.is_ok());
    drop(first);
    timeout(PATIENCE, async { while open(&served, "/v1/ws", "192.0.2.7").await.is_err() {} })
        .await
        .expect("room again");
    served.stop().await;
}

/// A header of somebody who is no proxy is nothing: who connects counts, from the first byte on, and is told so.
#[tokio::test]
async fn by_address_of_who_connects() {
    let served = Served::start(config(Rates { address: at_once(3), ..Rates::default() })).await;
    let mut there = Vec::new();
    for number in 0..3 {
        there.push(open(&served, "/v1/ws", &format!("192.0.2.{number}")).await.expect("open"));
    }
    assert_eq!(open(&served, "/v1/ws", "192.0.2.9").await.err(), Some(StatusCode::TOO_MANY_REQUESTS));
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    let response = client.get(served.url("/v1/health")).send().await.expect("an answer");
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(refused(response).await, (StatusCode::TOO_MANY_REQUESTS, 5, "too-many".to_owned()));
    let mut pusher = open(&served, "/app/key?protocol=7", "192.0.2.9").await.expect("open");
    let said = timeout(PATIENCE, pusher.next()).await.expect("something").expect("open").expect("sound");
    assert!(said.to_text().expect("text").contains("4100"), "{said}");
    there.clear();
    let back = async { while client.get(served.url("/v1/health")).send().await.expect("an answer").status() != 200 {} };
    timeout(PATIENCE, back).await.expect("room again");
    served.stop().await;

    // Ten seconds' worth of one a second, and then none.
    let rate = Rate { at_once: None, a_second: Some(1) };
    let served = Served::start(config(Rates { address: rate, ..Rates::default() })).await;
    let mut statuses = Vec::new();
    // A connection for each request.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    for _ in 0..20 {
        statuses.push(client.get(served.url("/v1/health")).send().await.expect("an answer").status());
    }
    let refused = statuses.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert!(
        (1..=10).contains(&refused) && statuses[..10].iter().all(|status| *status == StatusCode::OK),
        "{statuses:?}"
    );
    served.stop().await;
}

/// A user is one by whatever address and door he comes.
#[tokio::test]
async fn by_user() {
    let readers = Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) };
    let served = Served::start(HubConfig { readers, ..config(Rates { user: at_once(2), ..Rates::default() }) }).await;
    let own = |user: &str| token(json!({"sub": user}));
    let first = served.open("/v1/ws", Some(&own("7"))).await;
    let stream = served.client.get(served.url("/v1/sse?cursor=a~")).bearer_auth(own("7")).send().await.expect("open");
    assert_eq!(stream.status(), StatusCode::OK);
    let come = async |path: &str, user: &str| {
        served.client.get(served.url(path)).bearer_auth(own(user)).send().await.expect("an answer")
    };
    for path in ["/v1/ws", "/v1/sse?cursor=a~", "/v1/poll?cursor=a~&wait_ms=0"] {
        assert_eq!(refused(come(path, "7").await).await, (StatusCode::TOO_MANY_REQUESTS, 5, "too-many".to_owned()));
    }
    assert_eq!(come("/v1/snapshot?channels=a", "7").await.status(), StatusCode::OK, "who doesn't stay");
    assert_eq!(come("/v1/poll?cursor=a~&wait_ms=0", "8").await.status(), StatusCode::OK);
    // Nobody becomes another to have more.
    let mut other = Socket { socket: served.open("/v1/ws", Some(&own("8"))).await };
    other.send(json!({"type": "authorise", "token": own("7")})).await;
    let said = other.until("error").await.pop().expect("a message");
    assert_eq!(said["code"], "bad-token");
    assert!(said["message"].as_str().expect("text").contains("too many connections of this user"), "{said}");
    drop(first);
    timeout(PATIENCE, async { while come("/v1/poll?cursor=a~&wait_ms=0", "7").await.status() != 200 {} })
        .await
        .expect("room again");
    served.stop().await;
}

/// H1: who says more than he may is answered all the same, later, and in order; and nobody else waits for him.
#[tokio::test]
async fn speech_is_slowed() {
    let speech = Speech { messages: Some(20), bytes: None };
    let served = Served::start(config(Rates { speech, ..Rates::default() })).await;
    let mut socket = served.subscribed(json!({"a": null})).await;
    socket.until("heartbeat").await;
    let begun = Instant::now();
    for id in 0..280 {
        socket.send(json!({"type": "ping", "id": id})).await;
    }
    let mut pongs = Vec::new();
    while pongs.len() < 280 {
        let messages = socket.next().await.expect("open");
        pongs.extend(messages.iter().filter(|message| message["type"] == "pong").map(|message| message["id"].clone()));
    }
    assert!(pongs.iter().enumerate().all(|(at, id)| *id == json!(at)));
    assert!(begun.elapsed() >= Duration::from_secs(3), "200 at once, then 20 a second: {:?}", begun.elapsed());
    let metrics =
        served.client.get(served.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    let slowed = metrics.lines().find_map(|line| line.strip_prefix("watchfloor_hub_slowed_total ")).expect("a number");
    assert_ne!(slowed, "0");
    served.stop().await;
}

/// H5: a connection has as many channels as the file allows, at every door.
#[tokio::test]
async fn channels_of_a_connection() {
    let served = Served::start(config(Rates { channels: Some(2), ..Rates::default() })).await;
    assert_eq!(served.get("/v1/poll?cursor=a~|b~&wait_ms=0").await.0, StatusCode::OK);
    let (status, body) = served.get("/v1/poll?cursor=a~|b~|c~&wait_ms=0").await;
    let message = json!("3 channels: expected at most 2");
    assert_eq!((status, &body["error"]["message"]), (StatusCode::BAD_REQUEST, &message));
    let mut socket = served.subscribed(json!({"a": null, "b": null})).await;
    socket.until("heartbeat").await;
    socket.send(json!({"type": "unsubscribe", "channels": ["a"]})).await;
    socket.send(json!({"type": "subscribe", "channels": {"c": null}})).await;
    socket.until("heartbeat").await;
    socket.send(json!({"type": "subscribe", "channels": {"a": null}})).await;
    let told = socket.until("error").await.pop().expect("a message");
    assert_eq!((&told["code"], &told["message"]), (&json!("too-many-channels"), &message));

    let mut pusher = served.open("/app/key?protocol=7", None).await;
    let mut answers = Vec::new();
    for channel in ["a", "b", "c"] {
        let asked = json!({"event": "pusher:subscribe", "data": {"channel": channel}});
        pusher.send(Message::text(asked.to_string())).await.expect("sent");
    }
    while answers.len() < 4 {
        let frame = timeout(PATIENCE, pusher.next()).await.expect("something comes").expect("open").expect("a frame");
        let frame: Value = serde_json::from_str(frame.to_text().expect("text")).expect("JSON");
        answers.push(frame["event"].as_str().expect("an event").to_owned());
    }
    let taken = "pusher_internal:subscription_succeeded";
    assert_eq!(answers, ["pusher:connection_established", taken, taken, "pusher:subscription_error"]);
    served.stop().await;
}

/// The address that is believed is the one that is shown and entered.
#[tokio::test]
async fn addresses_are_shown() {
    let hub = Hub::new(proxied(Rates { address: at_once(1), ..Rates::default() }));
    let served = Served::serve(hub.clone()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let admin = format!("http://{}", listener.local_addr().expect("its address"));
    let serving = tokio::spawn(async move { hub.administer(listener, std::future::pending()).await });
    let asked = async |path: &str| -> Value {
        answer(served.client.get(format!("{admin}{path}")).send().await.expect("an answer")).await.1
    };
    let _socket = open(&served, "/v1/ws", "1.2.3.4, 2001:db8::7").await.expect("open");
    let _direct = served.websocket().await;
    let list = asked("/v1/connections").await;
    let addresses: Vec<&str> =
        list["connections"].as_array().expect("a list").iter().filter_map(|one| one["address"].as_str()).collect();
    assert!(
        addresses.len() == 2 && addresses[0] == "2001:db8::7" && addresses[1].starts_with("127.0.0.1:"),
        "{addresses:?}"
    );
    assert!(open(&served, "/v1/ws", "5.6.7.8, 2001:db8::7").await.is_err());
    let entry = &asked("/v1/audit").await["entries"][0];
    assert_eq!((&entry["address"], &entry["code"]), (&json!("2001:db8::7"), &json!("too-many")), "{entry}");
    serving.abort();
    served.stop().await;
}
