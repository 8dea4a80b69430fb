//! H8: the site says who may read; what it doesn't say is no.

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::StatusCode;
use ring::hmac;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};
use watchfloor_hub::{App, AppConfig, Authorise, HubConfig, Keys, Readers, SigningKey};

use crate::support::{PATIENCE, Served, Socket, answer};

/// How a site answers, and what it was asked.
type Kept = (Arc<Mutex<Manner>>, Arc<Mutex<Vec<Value>>>);

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
const SECRET: &[u8] = b"what questions to the site are signed with";

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()
}

fn token(user: &str) -> String {
    // The same each time: a token that ends a second later is another question.
    static ENDS: LazyLock<u128> = LazyLock::new(|| now_ms() / 1000 + 3600);
    let claims = json!({"exp": *ENDS, "channels": ["*"], "sub": user, "role": "reader"});
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

/// What the site does with a question.
#[derive(Clone, Debug)]
enum Manner {
    Allow(bool),
    Status(u16),
    Says(String),
    Waits,
}

/// A site: how it answers, and what it was asked.
#[derive(Clone)]
struct Site {
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<Value>>>,
    url: Arc<str>,
    serving: Arc<JoinHandle<()>>,
}

impl Site {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url: Arc<str> = format!("http://{}/may", listener.local_addr().expect("its address")).into();
        let (manner, asked) = (Arc::new(Mutex::new(Manner::Allow(true))), Arc::default());
        let held = (Arc::clone(&manner), Arc::clone(&asked));
        let router = Router::new().route("/may", post(Self::answer)).with_state(held);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Self { manner, asked, url, serving: Arc::new(serving) }
    }

    async fn answer(State((manner, asked)): State<Kept>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
        let header = |name: &str| headers[name].to_str().expect("text").to_owned();
        let (time, signature) = (header("x-watchfloor-time"), header("x-watchfloor-signature"));
        assert!(time.parse::<u128>().is_ok_and(|time| time.abs_diff(now_ms()) < 60_000));
        let tag: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&signature[2 * at..2 * at + 2], 16).expect("digits")).collect();
        let signed = [time.as_bytes(), b".", &*body].concat();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), &signed, &tag).expect("signed by the hub");
        asked.lock().expect("no panic").push(serde_json::from_slice(&body).expect("JSON"));
        let manner = manner.lock().expect("no panic").clone();
        match manner {
            Manner::Allow(allow) => json!({"allow": allow}).to_string().into_response(),
            Manner::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
            Manner::Says(text) => text.into_response(),
            Manner::Waits => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                json!({"allow": true}).to_string().into_response()
            }
        }
    }

    fn be(&self, manner: Manner) {
        *self.manner.lock().expect("no panic") = manner;
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if Arc::strong_count(&self.serving) == 1 {
            self.serving.abort();
        }
    }
}

/// Of a hub that asks about `asked…`, with answers that are good for so long.
fn config(site: &Site, yes: Duration, no: Duration, recheck: Duration) -> HubConfig {
    let url = site.url.clone();
    let authorise = Authorise::new(SECRET, move |channel| channel.starts_with("asked").then(|| url.clone()));
    let app = AppConfig { id: "1".into(), key: "key".into(), secret: "x".repeat(8), ..AppConfig::default() };
    HubConfig {
        readers: Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) },
        authorise: Some(authorise.good_for(yes, no, recheck)),
        apps: vec![App::new(&app, &[]).expect("sound")],
        ..HubConfig::default()
    }
}

async fn served(site: &Site, yes: Duration, no: Duration, recheck: Duration) -> Served {
    Served::start(config(site, yes, no, recheck)).await
}

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(1);

async fn get(served: &Served, path: &str, user: &str) -> (StatusCode, Value) {
    answer(served.client.get(served.url(path)).bearer_auth(token(user)).send().await.expect("an answer")).await
}

async fn websocket(served: &Served, user: &str) -> Socket {
    let mut request = format!("ws://{}/v1/ws", served.address).into_client_request().expect("request");
    request.headers_mut().insert("authorization", format!("Bearer {}", token(user)).parse().expect("header"));
    Socket { socket: connect_async(request).await.expect("a WebSocket").0 }
}

/// How a connection ends: the code of the last error, and of the close.
async fn end(socket: &mut Socket) -> (String, u16) {
    let mut last = String::new();
    loop {
        match socket.next().await {
            Ok(messages) => {
                for message in messages.iter().filter(|message| message["type"] == "error") {
                    message["code"].as_str().expect("a code").clone_into(&mut last);
                }
            }
            Err(frame) => return (last, frame.expect("a reason").code.into()),
        }
    }
}

/// What is asked, by whom, and that it isn't asked twice; a channel that needs no answer is read without one.
#[tokio::test]
async fn what_is_asked() {
    let site = Site::start().await;
    let served = served(&site, LONG, LONG, LONG).await;
    assert_eq!(get(&served, "/v1/snapshot?channels=free", "7").await.0, StatusCode::OK);
    assert!(site.asked().is_empty());
    for _ in 0..3 {
        assert_eq!(get(&served, "/v1/poll?cursor=asked~&wait_ms=0", "7").await.0, StatusCode::OK);
    }
    let asked = site.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (&asked[0]["channel"], &asked[0]["user"], &asked[0]["app"]),
        (&json!("asked"), &json!("7"), &Value::Null)
    );
    assert_eq!((&asked[0]["claims"]["role"], &asked[0]["claims"]["sub"]), (&json!("reader"), &json!("7")));
    assert!(asked[0]["connection"].as_str().is_some_and(|id| id.len() == 16));
    assert!(asked[0].get("token").is_none());
    // Another user asks for himself, and a no is a no at every door.
    site.be(Manner::Allow(false));
    for door in ["/v1/poll?cursor=asked~", "/v1/sse?cursor=asked~", "/v1/snapshot?channels=asked"] {
        let (status, body) = get(&served, door, "8").await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("denied")), "{door}");
    }
    let mut socket = websocket(&served, "8").await;
    socket.send(json!({"type": "subscribe", "channels": {"free": null, "asked": null}})).await;
    assert_eq!(end(&mut socket).await, ("denied".to_owned(), 1008));
    assert_eq!(site.asked().len(), 2);
    // The Pusher door leads to the same channels.
    let url = format!("ws://{}/app/key?protocol=7", served.address);
    let mut client = Socket { socket: connect_async(url).await.expect("open").0 };
    client.next().await.expect("established");
    client.send(json!({"event": "pusher:subscribe", "data": {"channel": "asked"}})).await;
    let told = client.next().await.expect("open").remove(0);
    assert_eq!(told["event"], "pusher:subscription_error");
    assert_eq!(site.asked()[2]["app"], "1");
    served.stop().await;
}

/// Many who wait for the same answer are one question.
#[tokio::test]
async fn one_question_for_many() {
    let site = Site::start().await;
    site.be(Manner::Waits);
    let served = served(&site, LONG, LONG, LONG).await;
    let bearer = token("7");
    let poll = async || {
        let request = served.client.get(served.url("/v1/poll?cursor=asked~&wait_ms=0")).bearer_auth(&bearer);
        request.send().await.expect("an answer").status()
    };
    let statuses = futures_util::future::join_all((0..50).map(|_| poll())).await;
    assert_eq!(statuses, [StatusCode::OK; 50]);
    assert_eq!(site.asked().len(), 1);
    served.stop().await;
}

/// Who is on his way in while another site comes to be asked isn't let in by the yes of the one before, at any door.
#[tokio::test]
async fn on_the_way_in_while_another_comes_to_be_asked() {
    let (before, now) = (Site::start().await, Site::start().await);
    now.be(Manner::Allow(false));
    let served = served(&before, LONG, LONG, LONG).await;
    let url = format!("ws://{}/app/key?protocol=7", served.address);
    let mut client = Socket { socket: connect_async(url).await.expect("open").0 };
    client.next().await.expect("established");
    for turn in 1..=4 {
        // What was asked is asked anew.
        served.hub.reload(&config(&before, LONG, LONG, LONG)).await;
        before.be(Manner::Waits);
        let mut socket = websocket(&served, "7").await;
        let request = |path: &str| served.client.get(served.url(path)).bearer_auth(token("7")).send();
        let asked = async {
            while before.asked().len() < turn {
                tokio::time::sleep(SHORT).await;
            }
            served.hub.reload(&config(&now, LONG, LONG, LONG)).await
        };
        let (status, ended) = match turn {
            1 => {
                socket.send(json!({"type": "subscribe", "channels": {"asked": null}})).await;
                let ended = asked.await;
                assert_eq!(end(&mut socket).await, ("authorise-failing".to_owned(), 1013));
                (503, ended)
            }
            2 => {
                client.send(json!({"event": "pusher:subscribe", "data": {"channel": "asked"}})).await;
                let ended = asked.await;
                let told = client.next().await.expect("open").remove(0);
                assert_eq!(told["event"], "pusher:subscription_error");
                let data: Value = serde_json::from_str(told["data"].as_str().expect("a text")).expect("JSON");
                (data["status"].as_u64().expect("a status"), ended)
            }
            3 => {
                let (answer, ended) = tokio::join!(request("/v1/poll?cursor=asked~&wait_ms=0"), asked);
                (answer.expect("an answer").status().as_u16().into(), ended)
            }
            _ => {
                let (answer, ended) = tokio::join!(request("/v1/snapshot?channels=asked"), asked);
                (answer.expect("an answer").status().as_u16().into(), ended)
            }
        };
        assert_eq!((status, ended), (503, 0), "door {turn}");
    }
    // Who comes back asks the other one.
    assert_eq!(get(&served, "/v1/snapshot?channels=asked", "7").await.0, StatusCode::FORBIDDEN);
    served.stop().await;
}

/// Whatever a site does but answer is no: in time, for this once, and told from a no.
#[tokio::test]
async fn failing_sites() {
    let site = Site::start().await;
    let served = served(&site, LONG, LONG, LONG).await;
    for (number, manner) in [
        Manner::Status(500),
        Manner::Status(404),
        Manner::Status(302),
        Manner::Says("yes".to_owned()),
        Manner::Says(r#"{"allow":"true"}"#.to_owned()),
        Manner::Says(format!(r#"{{"allow":true,"more":"{}"}}"#, "x".repeat(100_000))),
    ]
    .into_iter()
    .enumerate()
    {
        site.be(manner.clone());
        let path = format!("/v1/poll?cursor=asked-{number}~&wait_ms=0");
        let (status, body) = get(&served, &path, "7").await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("authorise-failing")),
            "{manner:?}"
        );
    }
    let mut socket = websocket(&served, "7").await;
    socket.send(json!({"type": "subscribe", "channels": {"asked-x": null}})).await;
    assert_eq!(end(&mut socket).await, ("authorise-failing".to_owned(), 1013));
    // A no by its status.
    site.be(Manner::Status(403));
    assert_eq!(get(&served, "/v1/poll?cursor=asked-y~", "7").await.0, StatusCode::FORBIDDEN);
    // It recovers.
    site.be(Manner::Allow(true));
    let begun = Instant::now();
    while get(&served, "/v1/poll?cursor=asked-0~&wait_ms=0", "7").await.0 != StatusCode::OK {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    served.stop().await;
}

/// What the site no longer allows ends while it is read, at every door that stays open, and nobody else's does.
#[tokio::test]
async fn asked_again() {
    let site = Site::start().await;
    let served = served(&site, LONG, SHORT, Duration::from_secs(1)).await;
    let mut socket = websocket(&served, "7").await;
    socket.send(json!({"type": "subscribe", "channels": {"asked": null}})).await;
    socket.until("heartbeat").await;
    let mut free = websocket(&served, "7").await;
    free.send(json!({"type": "subscribe", "channels": {"free": null}})).await;
    free.until("heartbeat").await;
    let url = format!("ws://{}/app/key?protocol=7", served.address);
    let mut client = Socket { socket: connect_async(url).await.expect("open").0 };
    client.send(json!({"event": "pusher:subscribe", "data": {"channel": "asked"}})).await;
    let next = async |client: &mut Socket, event: &str| loop {
        let told = client.next().await.expect("open").remove(0);
        if told["event"] == event {
            return;
        }
    };
    next(&mut client, "pusher_internal:subscription_succeeded").await;
    let begun = Instant::now();
    while site.asked().len() < 5 {
        assert!(begun.elapsed() < PATIENCE, "asked again: {:?}", site.asked());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    site.be(Manner::Allow(false));
    assert_eq!(end(&mut socket).await, ("revoked".to_owned(), 4003));
    next(&mut client, "pusher:subscription_error").await;
    served.publish("asked", [1]).await;
    served.publish("free", [2]).await;
    free.until("event").await;
    client.send(json!({"event": "pusher:ping", "data": {}})).await;
    assert_eq!(client.next().await.expect("open").remove(0)["event"], "pusher:pong", "nothing came before");
    // Nobody reads any more: nobody is asked.
    let asked = site.asked().len();
    drop((socket, client));
    served.has_subscriptions(1).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(site.asked().len(), asked);
    served.stop().await;
}
