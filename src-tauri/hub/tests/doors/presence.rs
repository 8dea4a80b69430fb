//! Who is there, at the hub's own doors and at Pusher's, which see each other.

#![allow(clippy::panic, reason = "what a test did not expect ends it")]

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, routing::post};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use ring::hmac;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use watchfloor_hub::{
    App, AppConfig, Authorise, HubConfig, Keys, Readers, Revocation, Rules, Settings, SigningKey, Target, Whom,
};

use crate::support::{EventStream, PATIENCE, Served, Socket, answer, error};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
const SECRET: &str = "a secret of its own";
/// Long enough for whoever comes back in time, on a busy machine.
const LINGER: Duration = Duration::from_secs(2);

fn token(user: Option<&str>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let claims =
        json!({"exp": now + 3600, "channels": ["*"], "sub": user, "info": user.map(|user| json!({"name": user}))});
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

fn config() -> HubConfig {
    let app =
        AppConfig { id: "1".to_owned(), key: "key".to_owned(), secret: SECRET.to_owned(), ..AppConfig::default() };
    HubConfig {
        readers: Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) },
        apps: vec![App::new(&app, &[]).expect("sound")],
        rules: Rules::new(|channel| Settings {
            presence: if channel == "room" {
                Some(true)
            } else if channel == "presence-off" {
                Some(false)
            } else {
                None
            },
            presence_linger: Some(LINGER),
            ..Settings::default()
        }),
        ..HubConfig::default()
    }
}

async fn websocket(served: &Served, user: Option<&str>) -> Socket {
    let mut request = format!("ws://{}/v1/ws", served.address).into_client_request().expect("request");
    request.headers_mut().insert("authorization", format!("Bearer {}", token(user)).parse().expect("header"));
    Socket { socket: connect_async(request).await.expect("a WebSocket").0 }
}

/// A reader who knows who is there.
struct Watcher {
    socket: Socket,
    /// Who is there, in which channel.
    there: BTreeMap<String, Value>,
    /// Comings and goings, in their order.
    moves: Vec<String>,
}

impl Watcher {
    async fn come(served: &Served, user: Option<&str>, channel: &str) -> Self {
        let mut socket = websocket(served, user).await;
        socket.send(json!({"type": "subscribe", "channels": {channel: null}, "presence": true})).await;
        let mut watcher = Self { socket, there: BTreeMap::new(), moves: Vec::new() };
        let first = watcher.socket.until("present").await;
        first.iter().for_each(|message| watcher.take(message));
        watcher
    }

    fn take(&mut self, message: &Value) {
        let user = || message["user"].as_str().expect("a user").to_owned();
        match message["type"].as_str() {
            Some("present") => {
                let members = message["members"].as_array().expect("members").iter();
                self.there = members
                    .map(|one| (one["user"].as_str().expect("a user").to_owned(), one["info"].clone()))
                    .collect();
            }
            Some("joined") => {
                assert_eq!(self.there.insert(user(), message["info"].clone()), None, "twice: {message}");
                self.moves.push(format!("+{}", user()));
            }
            Some("left") => {
                assert!(self.there.remove(&user()).is_some(), "nobody: {message}");
                self.moves.push(format!("-{}", user()));
            }
            _ => {}
        }
    }

    async fn sees(&mut self, moves: &[&str]) {
        while self.moves.len() < moves.len() {
            let messages = self.socket.next().await.expect("open");
            messages.iter().for_each(|message| self.take(message));
        }
        assert_eq!(self.moves, moves);
    }

    fn users(&self) -> Vec<&str> {
        self.there.keys().map(String::as_str).collect()
    }
}

/// A client of the Pusher protocol in a channel of presence.
struct Client {
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
}

impl Client {
    async fn come(served: &Served, user: &str, channel: &str) -> (Self, Value) {
        let (socket, _) = connect_async(format!("ws://{}/app/key?protocol=7", served.address)).await.expect("open");
        let mut client = Self { socket };
        let (_, data) = client.next().await;
        let who = json!({"user_id": user, "user_info": {"name": user}}).to_string();
        let text = format!("{}:{channel}:{who}", data["socket_id"].as_str().expect("an id"));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let data = json!({"channel": channel, "auth": format!("key:{hex}"), "channel_data": who});
        let frame = json!({"event": "pusher:subscribe", "data": data}).to_string();
        client.socket.send(Message::text(frame)).await.expect("sent");
        let (_, data) = client.next().await;
        (client, data)
    }

    async fn next(&mut self) -> (String, Value) {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    let data = frame["data"].as_str().map(|text| serde_json::from_str(text).expect("JSON"));
                    return (
                        frame["event"].as_str().expect("an event").to_owned(),
                        data.unwrap_or(frame["data"].clone()),
                    );
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

async fn members(served: &Served, path: &str) -> (StatusCode, Value) {
    let path = format!("/v1/channels/{path}");
    answer(served.client.get(served.url(&path)).bearer_auth(token(None)).send().await.expect("an answer")).await
}

/// H1: both doors see each other's people, by name and with what is told of them; who has two connections comes and goes once, who comes back in time was
/// never gone, who leaves is gone at once, and who is nobody in particular isn't there.
#[tokio::test]
async fn both_doors_see_each_other() {
    let served = Served::start(config()).await;
    let mut nobody = Watcher::come(&served, None, "presence-a").await;
    assert!(nobody.users().is_empty());
    let mut ann = Watcher::come(&served, Some("ann"), "presence-a").await;
    assert_eq!(ann.there, BTreeMap::from([("ann".to_owned(), json!({"name": "ann"}))]));
    let (mut bob, there) = Client::come(&served, "bob", "presence-a").await;
    assert_eq!(
        there["presence"],
        json!({"count": 2, "ids": ["ann", "bob"], "hash": {"ann": {"name": "ann"}, "bob": {"name": "bob"}}})
    );
    nobody.sees(&["+ann", "+bob"]).await;
    ann.sees(&["+bob"]).await;
    assert_eq!(ann.there["bob"], json!({"name": "bob"}));

    // A second connection, which doesn't ask to be told of others.
    let mut second = websocket(&served, Some("cid")).await;
    second.send(json!({"type": "subscribe", "channels": {"presence-a": null}})).await;
    let heard = second.until("heartbeat").await;
    assert!(heard.iter().all(|message| message["type"] != "present"), "who doesn't ask isn't told: {heard:?}");
    let third = Watcher::come(&served, Some("cid"), "presence-a").await;
    assert_eq!(
        bob.next().await,
        ("pusher_internal:member_added".to_owned(), json!({"user_id": "cid", "user_info": {"name": "cid"}}))
    );
    let (status, body) = members(&served, "presence-a/presence").await;
    assert_eq!(status, StatusCode::OK);
    let cid = json!({"user": "cid", "info": {"name": "cid"}, "connections": 2});
    assert_eq!((&body["users"], &body["connections"], &body["members"][2]), (&json!(3), &json!(4), &cid));
    let (_, page) = members(&served, "presence-a/presence?limit=1&after=ann").await;
    assert_eq!((&page["members"][0]["user"], &page["next"]), (&json!("bob"), &json!("bob")));

    // Away, and back in time, then away for good.
    drop((second, third));
    let third = Watcher::come(&served, Some("cid"), "presence-a").await;
    drop(bob);
    let (mut bob, _) = Client::come(&served, "bob", "presence-a").await;
    drop(third);
    assert_eq!(bob.next().await, ("pusher_internal:member_removed".to_owned(), json!({"user_id": "cid"})));
    ann.sees(&["+bob", "+cid", "-cid"]).await;
    // Who says that he leaves is gone at once, and hears no more.
    ann.socket.send(json!({"type": "unsubscribe", "channels": ["presence-a"]})).await;
    assert_eq!(bob.next().await, ("pusher_internal:member_removed".to_owned(), json!({"user_id": "ann"})));
    nobody.sees(&["+ann", "+bob", "+cid", "-cid", "-ann"]).await;
    assert_eq!(nobody.users(), ["bob"]);
    drop(bob);
    // The room is empty, and who looks at it is told so, and of the next.
    nobody.sees(&["+ann", "+bob", "+cid", "-cid", "-ann", "-bob"]).await;
    let _dan = Watcher::come(&served, Some("dan"), "presence-a").await;
    nobody.sees(&["+ann", "+bob", "+cid", "-cid", "-ann", "-bob", "+dan"]).await;
    served.stop().await;
}

/// Which channels have presence is said by their names and by namespaces; event streams hear of it and are seen, polls are seen from call to call; who is
/// revoked goes, and a new token may make somebody else of a connection.
#[tokio::test]
async fn where_and_by_which_doors() {
    let served = Served::start(config()).await;
    for (path, message) in [
        ("plain/presence", "who is in channel plain isn't known: expected one that has presence"),
        ("presence-off/presence", "who is in channel presence-off isn't known: expected one that has presence"),
    ] {
        assert_eq!(members(&served, path).await, (StatusCode::NOT_FOUND, error("no-presence", message)));
    }
    let (_client, refused) = Client::come(&served, "bob", "presence-off").await;
    assert_eq!(refused["status"], 403);
    assert_eq!(members(&served, "room/presence?limit=0").await.0, StatusCode::BAD_REQUEST);

    let mut watcher = Watcher::come(&served, None, "room").await;
    let request = served.client.get(served.url("/v1/sse?cursor=room~&presence=true")).bearer_auth(token(Some("eve")));
    let mut stream = EventStream::of(request.send().await.expect("an answer"));
    let mut heard = Vec::new();
    while heard.iter().all(|message: &Value| message["type"] != "present") {
        heard.extend(stream.next().await.expect("open").data);
    }
    watcher.sees(&["+eve"]).await;
    let poll = async || {
        let request = served.client.get(served.url("/v1/poll?cursor=room~&wait_ms=10")).bearer_auth(token(Some("pol")));
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::OK);
    };
    for _ in 0..3 {
        poll().await;
    }
    watcher.sees(&["+eve", "+pol", "-pol"]).await;
    while heard.iter().all(|message: &Value| message["type"] != "left") {
        heard.extend(stream.next().await.expect("open").data);
    }
    assert_eq!(heard.last().map(|last| &last["user"]), Some(&json!("pol")));

    let mut ann = Watcher::come(&served, Some("ann"), "room").await;
    ann.socket.send(json!({"type": "authorise", "token": token(Some("amy"))})).await;
    watcher.sees(&["+eve", "+pol", "-pol", "+ann", "-ann", "+amy"]).await;
    let eve = Revocation {
        target: Target { whom: Whom::User { app: None, id: "eve".into() }, channel: None },
        ttl: LINGER,
        before: None,
    };
    served.hub.revoke(&[eve]).await.expect("room");
    watcher.sees(&["+eve", "+pol", "-pol", "+ann", "-ann", "+amy", "-eve"]).await;
    served.stop().await;
}

/// Who it is may be the site's word: the callback's answer names the user and what is told of him.
#[tokio::test]
async fn the_site_says_who_it_is() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url: std::sync::Arc<str> = format!("http://{}/may", listener.local_addr().expect("its address")).into();
    let router = Router::new().route(
        "/may",
        post(|| async { Json(json!({"allow": true, "user": 7, "info": {"name": "Søren", "desk": [1, 2]}})) }),
    );
    let site = tokio::spawn(async move { axum::serve(listener, router).await });
    let authorise = Authorise::new(b"a secret of more than thirty-two bytes", move |_| Some(url.clone()));
    let served = Served::start(HubConfig { authorise: Some(authorise), ..config() }).await;
    let watcher = Watcher::come(&served, Some("ann"), "presence-a").await;
    assert_eq!(watcher.there, BTreeMap::from([("7".to_owned(), json!({"name": "Søren", "desk": [1, 2]}))]));
    site.abort();
}
