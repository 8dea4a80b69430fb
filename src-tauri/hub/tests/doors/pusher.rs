//! The Pusher door by its frames: what clients of other makes, and attackers, try. Those who speak the protocol as they should are in
//! `tests/tests/pusher_clients.rs`.

#![allow(clippy::panic, reason = "what a test did not expect ends it")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use ring::hmac;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use watchfloor_hub::{App, AppConfig, HubConfig, Origins};

use crate::support::{Served, Socket};

const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "a secret of its own";

fn apps() -> Vec<App> {
    let mut apps = Vec::new();
    for (id, key) in [("1", "first"), ("2", "second")] {
        let config = AppConfig {
            id: id.to_owned(),
            key: key.to_owned(),
            secret: format!("{SECRET} {id}"),
            client_events: true,
            origins: Origins::These(vec!["https://app.example".to_owned()]),
            webhook: None,
        };
        let app = App::new(&config, &apps).expect("sound");
        apps.push(app);
    }
    apps
}

async fn served() -> Served {
    Served::start(HubConfig { apps: apps(), ..HubConfig::default() }).await
}

fn sign(app: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, format!("{SECRET} {app}").as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client of frames.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    id: String,
}

impl Client {
    async fn connect(hub: &Served, key: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{}/app/{key}?protocol=7", hub.address)).await.expect("open");
        let mut client = Self { socket, id: String::new() };
        let (event, data) = client.next().await.expect("a frame");
        assert_eq!(event, "pusher:connection_established");
        client.id = data["socket_id"].as_str().expect("an id").to_owned();
        client
    }

    async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("sent");
    }

    async fn subscribe(&mut self, data: Value) -> (String, Value) {
        self.send(json!({"event": "pusher:subscribe", "data": data})).await;
        self.next().await.expect("an answer")
    }

    /// The next frame's event and data, as clients understand them; the code if it is closed.
    async fn next(&mut self) -> Result<(String, Value), Option<u16>> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    let data = match &frame["data"] {
                        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| frame["data"].clone()),
                        data => data.clone(),
                    };
                    return Ok((frame["event"].as_str().expect("an event").to_owned(), data));
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// That nothing but the answer to a ping comes next: what was sent before it would come before it.
    async fn is_silent(&mut self) {
        self.send(json!({"event": "pusher:ping", "data": {}})).await;
        assert_eq!(self.next().await.expect("open").0, "pusher:pong");
    }
}

/// Who isn't let in is told why, by the codes that clients know.
#[tokio::test]
async fn the_door() {
    let hub = served().await;
    for (path, origin, code, part) in [
        ("app/unknown?protocol=7", None, 4001, "no application"),
        ("app/first", None, 4008, "`protocol` is missing"),
        ("app/first?protocol=4", None, 4007, "not spoken"),
        ("app/first?protocol=8", None, 4007, "not spoken"),
        ("app/first?protocol=x", None, 4007, "not spoken"),
        ("app/first?protocol=7", Some("https://evil.example"), 4009, "origin"),
        ("app/first?protocol=7", Some("null"), 4009, "origin"),
        ("app/first?protocol=7", Some("https://app.example.evil.example"), 4009, "origin"),
        ("app/first?protocol=7", Some("http://app.example"), 4009, "origin"),
    ] {
        let mut request = format!("ws://{}/{path}", hub.address).into_client_request().expect("a request");
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("a header"));
        }
        let (socket, _) = connect_async(request).await.expect("open");
        let mut client = Client { socket, id: String::new() };
        let (event, data) = client.next().await.expect("a frame");
        assert_eq!((&*event, &data["code"]), ("pusher:error", &json!(code)), "{path} {origin:?}");
        assert!(data["message"].as_str().expect("words").contains(part), "{data}");
        assert_eq!(client.next().await, Err(Some(code)), "{path}");
    }
    let mut request = format!("ws://{}/app/first?protocol=7", hub.address).into_client_request().expect("a request");
    request.headers_mut().insert("origin", "https://app.example".parse().expect("a header"));
    let (socket, _) = connect_async(request).await.expect("open");
    assert_eq!(Client { socket, id: String::new() }.next().await.expect("in").0, "pusher:connection_established");
    // A name that was made to lead to this machine.
    let mut request = format!("ws://{}/app/first?protocol=7", hub.address).into_client_request().expect("a request");
    request.headers_mut().insert("host", "evil.example".parse().expect("a header"));
    assert!(connect_async(request).await.is_err());
    hub.stop().await;
}

/// H8: a signature is good for its connection, its channel, its application and what is said of the person, and for nothing else.
#[tokio::test]
async fn signatures() {
    let hub = served().await;
    let mut other = Client::connect(&hub, "first").await;
    let mut client = Client::connect(&hub, "first").await;
    let id = client.id.clone();
    let auth = |key: &str, app: &str, text: String| json!(format!("{key}:{}", sign(app, &text)));
    let person = r#"{"user_id":"7"}"#;
    for data in [
        json!({"channel": "private-a"}),
        json!({"channel": "private-a", "auth": ""}),
        json!({"channel": "private-a", "auth": "first"}),
        json!({"channel": "private-a", "auth": "first:"}),
        json!({"channel": "private-a", "auth": format!("first:{}", "0".repeat(64))}),
        // Another connection's, another channel's, another application's, a user's sign-in's, without the key.
        json!({"channel": "private-a", "auth": auth("first", "1", format!("{}:private-a", other.id))}),
        json!({"channel": "private-a", "auth": auth("first", "1", format!("{id}:private-b"))}),
        json!({"channel": "private-a", "auth": auth("first", "2", format!("{id}:private-a"))}),
        json!({"channel": "private-a", "auth": auth("second", "2", format!("{id}:private-a"))}),
        json!({"channel": "private-a", "auth": auth("first", "1", format!("{id}::user::private-a"))}),
        json!({"channel": "private-a", "auth": sign("1", &format!("{id}:private-a"))}),
        json!({"channel": "Private-a\u{0}"}),
        json!({"channel": "presence-a", "auth": auth("first", "1", format!("{id}:presence-a"))}),
        json!({"channel": "presence-a", "auth": auth("first", "1", format!("{id}:presence-a:{person}")), "channel_data": r#"{"user_id":"8"}"#}),
        json!({"channel": "presence-a", "auth": auth("first", "1", format!("{id}:presence-a:x")), "channel_data": "x"}),
        json!({"channel": "presence-a", "auth": auth("first", "1", format!("{id}:presence-a:{{}}")), "channel_data": "{}"}),
        json!({"channel": "#server-to-user-7"}),
        json!({"channel": "2/a"}),
        json!({"channel": "../a"}),
        json!({"channel": "a b"}),
        json!({"channel": ""}),
        json!({"channel": "a".repeat(201)}),
    ] {
        let (event, answer) = client.subscribe(data.clone()).await;
        assert_eq!(event, "pusher:subscription_error", "{data}: {answer}");
    }
    for data in [
        json!({"channel": "private-a", "auth": auth("first", "1", format!("{id}:private-a"))}),
        json!({"channel": "presence-a", "auth": auth("first", "1", format!("{id}:presence-a:{person}")), "channel_data": person}),
    ] {
        assert_eq!(client.subscribe(data).await.0, "pusher_internal:subscription_succeeded");
    }
    // Who signs in as somebody else is shown out.
    let user = r#"{"id":"7"}"#;
    let forged = auth("first", "1", format!("{}::user::{user}", other.id));
    client.send(json!({"event": "pusher:signin", "data": {"auth": forged, "user_data": user}})).await;
    assert_eq!(client.next().await.expect("a frame").1["code"], 4009);
    assert_eq!(client.next().await, Err(Some(4009)));
    other.is_silent().await;
    hub.stop().await;
}

/// Two applications hear nothing of each other, and the hub's own doors hear the first one's channels only.
#[tokio::test]
async fn applications_apart() {
    let hub = served().await;
    let mut first = Client::connect(&hub, "first").await;
    let mut second = Client::connect(&hub, "second").await;
    for client in [&mut first, &mut second] {
        assert_eq!(client.subscribe(json!({"channel": "a"})).await.0, "pusher_internal:subscription_succeeded");
    }
    let mut wall: Socket = hub.subscribed(json!({"a": null})).await;
    wall.until("heartbeat").await;
    assert_eq!(
        trigger(&hub, "2", "second", r#"{"name":"n","channel":"a","data":"{\"of\":2}"}"#, "2").await,
        StatusCode::OK
    );
    assert_eq!(second.next().await.expect("open"), ("n".to_owned(), json!({"of": 2})));
    first.is_silent().await;
    assert_eq!(
        trigger(&hub, "1", "first", r#"{"name":"n","channel":"a","data":"{\"of\":1}"}"#, "1").await,
        StatusCode::OK
    );
    assert_eq!(first.next().await.expect("open"), ("n".to_owned(), json!({"of": 1})));
    second.is_silent().await;
    let heard = wall.until("event").await;
    let event = heard.iter().find(|message| message["type"] == "event").expect("it");
    assert_eq!(
        (&event["data"], &event["position"].as_str().map(|place| place.ends_with(":1"))),
        (&json!({"of": 1}), &Some(true))
    );
    // What an application signs is good for itself alone.
    assert_eq!(trigger(&hub, "1", "second", "{}", "2").await, StatusCode::UNAUTHORIZED);
    assert_eq!(trigger(&hub, "2", "second", "{}", "1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(trigger(&hub, "9", "first", "{}", "1").await, StatusCode::NOT_FOUND);
    assert_eq!(trigger(&hub, "1", "first", "{}", "1").await, StatusCode::BAD_REQUEST);
    hub.stop().await;
}

/// What `app` answers to an event that is signed by the secret of `by`.
async fn trigger(hub: &Served, app: &str, key: &str, body: &str, by: &str) -> StatusCode {
    use md5::{Digest, Md5};
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let sum: String = Md5::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let query = format!("auth_key={key}&auth_timestamp={now}&auth_version=1.0&body_md5={sum}");
    let path = format!("/apps/{app}/events");
    let signature = sign(by, &format!("POST\n{path}\n{query}"));
    let url = hub.url(&format!("{path}?{query}&auth_signature={signature}"));
    hub.client.post(url).body(body.to_owned()).send().await.expect("an answer").status()
}

/// What a client may not say is refused, and it stays; what is no frame of the protocol is too.
#[tokio::test]
async fn what_clients_say() {
    let hub = served().await;
    let mut client = Client::connect(&hub, "first").await;
    let auth = format!("first:{}", sign("1", &format!("{}:private-a", client.id)));
    client.subscribe(json!({"channel": "private-a", "auth": auth})).await;
    client.subscribe(json!({"channel": "public"})).await;
    for (frame, code) in [
        (json!({"event": "client-x", "channel": "public", "data": {}}), json!(4301)),
        (json!({"event": "client-x", "channel": "private-b", "data": {}}), json!(4301)),
        (json!({"event": "client-x", "channel": "private-encrypted-a", "data": {}}), json!(4301)),
        (json!({"event": "client-x", "channel": "2/private-a", "data": {}}), json!(4301)),
        (json!({"event": "client-x", "channel": "private-a", "data": "x".repeat(20_000)}), Value::Null),
        (json!({"event": "pusher_internal:member_added", "channel": "private-a", "data": {}}), Value::Null),
        (json!({"event": "orders", "channel": "private-a", "data": {}}), Value::Null),
        (json!({"event": 7}), Value::Null),
        (json!([]), Value::Null),
    ] {
        client.send(frame.clone()).await;
        let (event, data) = client.next().await.expect("open");
        assert_eq!((&*event, &data["code"]), ("pusher:error", &code), "{frame}");
    }
    // Ten a second; the first of the next second are taken again.
    for _ in 0..40 {
        client.send(json!({"event": "client-x", "channel": "private-a", "data": {}})).await;
    }
    let (event, data) = client.next().await.expect("open");
    assert_eq!((&*event, &data["code"]), ("pusher:error", &json!(4301)), "{data}");

    let mut other = Client::connect(&hub, "first").await;
    other.send(json!({"event": "pusher:subscribe", "data": "x".repeat(70_000)})).await;
    assert_eq!(other.next().await.expect("a reason").0, "pusher:error");
    assert_eq!(other.next().await, Err(Some(1009)));
    hub.stop().await;
}

/// H5: who takes nothing costs a place and no more; when the history has moved past it, it is told to come back.
#[tokio::test]
async fn a_slow_client_is_told_to_come_back() {
    let history = watchfloor_hub::HistoryLimits { events: 10, ..watchfloor_hub::HistoryLimits::default() };
    let hub = Served::start(HubConfig { apps: apps(), history, ..HubConfig::default() }).await;
    let mut client = Client::connect(&hub, "first").await;
    client.subscribe(json!({"channel": "a"})).await;
    // More than the buffers of the connection hold, without a word read.
    let data = "x".repeat(100_000);
    for _ in 0..400 {
        let (status, _) = hub.post("/v1/publish", json!({"channel": "a", "name": "n", "data": data})).await;
        assert_eq!(status, StatusCode::OK);
    }
    let (mut heard, mut last) = (0, Value::Null);
    let code = loop {
        match client.next().await {
            Ok((event, _)) if event == "n" => heard += 1,
            Ok((_, data)) => last = data,
            Err(code) => break code,
        }
    };
    assert!(heard < 400, "it took all of it");
    assert_eq!((&last["code"], code), (&json!(4200), Some(4200)));
    hub.stop().await;
}
