//! H8: what is taken back is gone when that is acknowledged, at every door.

#![allow(clippy::panic, reason = "what a test did not expect ends it")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use ring::hmac;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use watchfloor_hub::{
    App, AppConfig, Hub, HubConfig, Keys, Readers, Revocation, SigningKey, StoreConfig, Target, Whom,
};

use crate::{
    support::{EventStream, PATIENCE, Served, Socket, WebSocket, answer, messages},
    tls::Site,
};

pub(crate) const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
const SECRET: &str = "a secret of its own";
const LONG: Duration = Duration::from_secs(3600);

fn seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("in range")
}

/// A token with these claims besides its end and `channels`.
pub(crate) fn token(more: Value) -> String {
    let mut claims = json!({"exp": seconds() + 3600, "channels": ["*"]});
    let claims_of = claims.as_object_mut().expect("an object");
    claims_of.extend(more.as_object().expect("an object").clone());
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

fn sign(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn config() -> HubConfig {
    let app = AppConfig {
        id: "1".to_owned(),
        key: "key".to_owned(),
        secret: SECRET.to_owned(),
        client_events: true,
        ..AppConfig::default()
    };
    HubConfig {
        readers: Readers { token: None, keys: Keys::new(SigningKey::new(KEY)) },
        apps: vec![App::new(&app, &[]).expect("sound")],
        ..HubConfig::default()
    }
}

fn whom(whom: Whom) -> Revocation {
    Revocation { target: Target { whom, channel: None }, ttl: LONG, before: None }
}

fn user(id: &str) -> Revocation {
    whom(Whom::User { app: None, id: id.into() })
}

fn channel(mut revocation: Revocation, name: &str) -> Revocation {
    revocation.target.channel = Some(name.into());
    revocation
}

async fn websocket(served: &Served, token: &str) -> Socket {
    Socket { socket: served.open("/v1/ws", Some(token)).await }
}

async fn get(served: &Served, path: &str, token: &str) -> (StatusCode, Value) {
    answer(served.client.get(served.url(path)).bearer_auth(token).send().await.expect("an answer")).await
}

/// A client of the Pusher protocol.
struct Client {
    socket: WebSocket,
    id: String,
}

impl Client {
    async fn connect(served: &Served) -> Self {
        let mut client = Self { socket: served.open("/app/key?protocol=7", None).await, id: String::new() };
        let (_, data) = client.until("pusher:connection_established").await;
        client.id = data["socket_id"].as_str().expect("an id").to_owned();
        client
    }

    async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("sent");
    }

    async fn sign_in(&mut self, user: &str) {
        let data = json!({"id": user}).to_string();
        let auth = format!("key:{}", sign(&format!("{}::user::{data}", self.id)));
        self.send(json!({"event": "pusher:signin", "data": {"auth": auth, "user_data": data}})).await;
    }

    async fn subscribe(&mut self, channel: &str) {
        let auth = format!("key:{}", sign(&format!("{}:{channel}", self.id)));
        self.send(json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}})).await;
    }

    /// The next frame's event and data; the code if it is closed.
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

    async fn until(&mut self, event: &str) -> (String, Value) {
        loop {
            let next = self.next().await.expect("open");
            if next.0 == event {
                return next;
            }
        }
    }
}

/// Reads a WebSocket to its end: what it was told, and how it was closed.
async fn rest(socket: &mut Socket) -> (Vec<Value>, Option<CloseFrame>) {
    let mut heard = Vec::new();
    loop {
        match socket.next().await {
            Ok(messages) => heard.extend(messages),
            Err(frame) => return (heard, frame),
        }
    }
}

fn code(frame: Option<CloseFrame>) -> (u16, String) {
    let frame = frame.expect("a reason");
    (frame.code.into(), frame.reason.to_string())
}

/// The numbers of all events among these.
fn numbers(messages: &[Value]) -> impl Iterator<Item = u64> {
    messages.iter().filter(|message| message["type"] == "event").filter_map(|message| message["data"].as_u64())
}

/// A reader at one of the four doors, until it is told that it was revoked: the highest number that it was sent.
async fn read(served: Arc<Served>, door: usize, name: String, ready: tokio::sync::oneshot::Sender<()>) -> u64 {
    let channel = format!("c-{name}");
    let token = token(json!({"sub": name}));
    match door {
        0 => {
            let mut socket = websocket(&served, &token).await;
            socket.send(json!({"type": "subscribe", "channels": {channel: null}})).await;
            let mut heard = socket.until("subscribed").await;
            let _ = ready.send(());
            let (more, frame) = rest(&mut socket).await;
            assert_eq!(code(frame), (4003, "revoked".to_owned()));
            heard.extend(more);
            assert_eq!(heard.last().map(|last| last["code"].clone()), Some(json!("revoked")));
            numbers(&heard).max().unwrap_or(0)
        }
        1 => {
            let request = served.client.get(served.url(&format!("/v1/sse?cursor={channel}~"))).bearer_auth(&token);
            let mut stream = EventStream::of(request.send().await.expect("an answer"));
            let mut heard = stream.next().await.expect("first").data;
            let _ = ready.send(());
            while let Some(event) = stream.next().await {
                heard.extend(event.data);
            }
            assert_eq!(heard.last().map(|last| last["code"].clone()), Some(json!("revoked")));
            numbers(&heard).max().unwrap_or(0)
        }
        2 => {
            let mut cursor = format!("{channel}~");
            let (mut highest, mut ready) = (0, Some(ready));
            loop {
                let (status, body) = get(&served, &format!("/v1/poll?cursor={cursor}"), &token).await;
                if status != StatusCode::OK {
                    assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("revoked")));
                    return highest;
                }
                cursor = body["cursor"].as_str().expect("a cursor").to_owned();
                highest = numbers(body["messages"].as_array().expect("messages")).max().unwrap_or(highest);
                ready = ready.and_then(|ready| {
                    let _ = ready.send(());
                    None
                });
            }
        }
        _ => {
            let mut client = Client::connect(&served).await;
            client.sign_in(&name).await;
            client.subscribe(&channel).await;
            client.until("pusher_internal:subscription_succeeded").await;
            let _ = ready.send(());
            let mut highest = 0;
            loop {
                match client.next().await {
                    Ok((event, data)) if event == "n" => highest = data.as_u64().expect("a number"),
                    Ok(_) => {}
                    Err(code) => {
                        assert_eq!(code, Some(4009));
                        return highest;
                    }
                }
            }
        }
    }
}

/// Readers of each door, in each wave.
const WAVE: usize = 25;
const WAVES: usize = 10;
/// Events published right after each acknowledgement.
const AFTER: u64 = 10;

/// 10,000 events are published right after the acknowledgement of a revocation, in the middle of a flood, and thousands more while connections end:
/// not one goes out, by any of the four doors.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_goes_out_after_the_acknowledgement() {
    silence(Served::start(config()).await, WAVES).await;
}

/// The same with TLS between readers and their sockets, which has a buffer of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_goes_out_by_tls() {
    silence(Site::new().serve(config()).await, WAVES / 2).await;
}

async fn silence(served: Served, waves: usize) {
    let served = Arc::new(served);
    let (last, tries, heard) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicU64::new(0));
    // A number is drawn before its event is published: one above that of an acknowledgement was published after it.
    let publish = async |channels: &[String], each: u64| {
        let draw = |_| {
            let number = last.fetch_add(1, SeqCst) + 1;
            channels.iter().map(move |channel| json!({"channel": channel, "name": "n", "data": number}))
        };
        let events: Vec<Value> = (0..each).flat_map(draw).collect();
        assert_eq!(served.post("/v1/publish", json!(events)).await.0, StatusCode::OK);
    };
    for wave in 0..waves {
        let mut readers = Vec::new();
        for number in 0..4 * WAVE {
            let name = format!("{wave}-{number}");
            let (sender, ready) = tokio::sync::oneshot::channel();
            let reading = tokio::spawn(read(served.clone(), number % 4, name.clone(), sender));
            readers.push((name, reading, ready));
        }
        let channels: Vec<_> = readers.iter().map(|(name, ..)| format!("c-{name}")).collect();
        let mut names = Vec::new();
        let mut reading = Vec::new();
        for (name, task, ready) in readers {
            timeout(PATIENCE, ready).await.expect("ready").expect("ready");
            names.push(name);
            reading.push(task);
        }
        publish(&channels, 1).await;
        let flood = async {
            loop {
                publish(&channels, 3).await;
            }
        };
        let revoked = async {
            let (served, last, tries, publish) = (&served, &last, &tries, &publish);
            let one = |name| async move {
                let name: &String = name;
                let told = served.hub.revoke(&[user(name)]).await.expect("room");
                let acknowledged = last.load(SeqCst);
                publish(&[format!("c-{name}")], AFTER).await;
                tries.fetch_add(usize::try_from(AFTER).expect("small"), SeqCst);
                assert_eq!(told.cut_off, 0, "somebody was slow who reads");
                acknowledged
            };
            // A few at a time, so that the flood goes on.
            futures_util::stream::iter(&names).map(one).buffered(4).collect::<Vec<_>>().await
        };
        let acknowledged = tokio::select! {
            acknowledged = revoked => acknowledged,
            () = flood => Vec::new(),
        };
        for (at, task) in acknowledged.into_iter().zip(reading) {
            let highest = task.await.expect("no panic");
            heard.fetch_add(u64::from(highest > 0), SeqCst);
            assert!(highest <= at, "event {highest} went out after {at} was acknowledged");
        }
    }
    assert!(tries.load(SeqCst) >= waves * 4 * WAVE * 10);
    assert!(heard.load(SeqCst) > 50 * waves as u64, "the flood reached {} readers before", heard.load(SeqCst));
    Arc::into_inner(served).expect("the last").stop().await;
}

/// A reader that takes nothing is cut off in bounded time, and what it finds when it reads on was published before.
#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_is_cut_off() {
    // The hub's own end of such connections comes later than this test's.
    let config = HubConfig { write_stall: LONG, ..config() };
    cut_off(Served::start(config.clone()).await).await;
    cut_off(Site::new().serve(config).await).await;
}

async fn cut_off(served: Served) {
    let mut socket = websocket(&served, &token(json!({"sub": "7"}))).await;
    socket.send(json!({"type": "subscribe", "channels": {"a": null}})).await;
    socket.until("heartbeat").await;
    let stream = served.client.get(served.url("/v1/sse?cursor=a~")).bearer_auth(token(json!({"sub": "7"})));
    let mut stream = EventStream::of(stream.send().await.expect("an answer"));
    stream.next().await.expect("first");
    let filler = "x".repeat(500_000);
    // More than the system's buffers hold.
    for number in 0..40_u64 {
        let event = json!({"channel": "a", "name": "n", "data": [number, filler]});
        assert_eq!(served.post("/v1/publish", event).await.0, StatusCode::OK);
    }
    let told = served.hub.revoke(&[user("7")]).await.expect("room");
    assert_eq!((told.connections, told.cut_off), (2, 2));
    let event = json!({"channel": "a", "name": "n", "data": "after"});
    assert_eq!(served.post("/v1/publish", event).await.0, StatusCode::OK);
    let mut whole = 0;
    while let Some(Ok(frame)) = timeout(PATIENCE, socket.socket.next()).await.expect("an end") {
        if let Message::Text(text) = frame {
            whole += messages(&text).len();
            assert!(!text.contains(r#""after""#));
        }
    }
    assert!(whole < 40, "it was to be cut off in the middle");
    while let Some(event) = stream.next().await {
        assert!(event.data.iter().all(|message| message["data"] != "after"));
    }
    served.has_subscriptions(0).await;
    served.stop().await;
}

/// Whoever was revoked finds every door shut for what he comes by, and by nothing else.
#[tokio::test]
async fn it_stands_against_who_comes() {
    let served = Served::start(config()).await;
    let good = token(json!({"sub": "9", "jti": "t9"}));
    let mut old = websocket(&served, &good).await;
    old.send(json!({"type": "subscribe", "channels": {"a": null}})).await;
    old.until("heartbeat").await;
    let told = served.hub.revoke(&[user("7"), whom(Whom::Token("t8".into()))]).await.expect("room");
    assert_eq!(told.connections, 0);
    let doors = ["/v1/sse?cursor=a~", "/v1/poll?cursor=a~&wait_ms=0", "/v1/snapshot?channels=a", "/v1/ws"];
    for bad in [json!({"sub": "7"}), json!({"sub": 7}), json!({"sub": "9", "jti": "t8"})] {
        for door in doors {
            let (status, body) = get(&served, door, &token(bad.clone())).await;
            assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("revoked")), "{door} {bad}");
        }
    }
    assert_eq!(get(&served, doors[1], &good).await.0, StatusCode::OK);

    let mut client = Client::connect(&served).await;
    client.sign_in("7").await;
    assert_eq!(client.next().await.expect("a reason").1["code"], 4009);
    assert_eq!(client.next().await, Err(Some(4009)));

    // A revoked token is none to go on by.
    old.send(json!({"type": "authorise", "token": token(json!({"sub": "9", "jti": "t8"}))})).await;
    let (heard, frame) = rest(&mut old).await;
    assert_eq!(heard.last().map(|last| last["code"].clone()), Some(json!("revoked")));
    assert_eq!(code(frame), (4003, "revoked".to_owned()));

    // Nothing stands any more.
    let lifted = Revocation { ttl: Duration::ZERO, ..user("7") };
    served.hub.revoke(&[lifted]).await.expect("room");
    assert_eq!(get(&served, doors[1], &token(json!({"sub": "7"}))).await.0, StatusCode::OK);
    served.stop().await;
}

/// Tokens that were issued later than what is meant are good, at once.
#[tokio::test]
async fn what_was_issued_later_is_good() {
    let served = Served::start(config()).await;
    let now = seconds();
    let before = Some(watchfloor_model::Timestamp::from_millis(now * 1000));
    served.hub.revoke(&[Revocation { before, ..user("7") }]).await.expect("room");
    let path = "/v1/poll?cursor=a~&wait_ms=0";
    for (claims, status) in [
        (json!({"sub": "7"}), StatusCode::FORBIDDEN),
        (json!({"sub": "7", "iat": now}), StatusCode::FORBIDDEN),
        (json!({"sub": "7", "iat": now + 1}), StatusCode::OK),
    ] {
        assert_eq!(get(&served, path, &token(claims.clone())).await.0, status, "{claims}");
    }
    served.stop().await;
}

/// A channel is taken from everybody or from one; a connection by its name. Who isn't meant reads on.
#[tokio::test]
async fn channels_and_connections() {
    let served = Served::start(config()).await;
    let mut sockets = Vec::new();
    for (user, channels) in [
        ("1", json!({"a": null})),
        ("2", json!({"a": null, "b": null})),
        ("3", json!({"b": null})),
        ("2", json!({"b": null})),
    ] {
        let mut socket = websocket(&served, &token(json!({"sub": user}))).await;
        socket.send(json!({"type": "subscribe", "channels": channels})).await;
        socket.until("heartbeat").await;
        sockets.push(socket);
    }
    let mut client = Client::connect(&served).await;
    client.sign_in("2").await;
    for name in ["a", "b"] {
        client.subscribe(name).await;
        client.until("pusher_internal:subscription_succeeded").await;
    }

    // Of one user's.
    let told = served.hub.revoke(&[channel(user("2"), "a")]).await.expect("room");
    assert_eq!(told.connections, 2);
    assert_eq!(code(rest(&mut sockets[1]).await.1).0, 4003);
    let (_, lost) = client.until("pusher:subscription_error").await;
    assert_eq!(lost["status"], 403);
    served.publish("a", [1]).await;
    served.publish("b", [2]).await;
    assert_eq!(client.until("n").await.1, 2, "the other channel goes on, and nothing of this one came before");
    client.subscribe("a").await;
    assert_eq!(client.next().await.expect("open").0, "pusher:subscription_error");
    let denied = get(&served, "/v1/poll?cursor=a~&wait_ms=0", &token(json!({"sub": "2"}))).await;
    assert_eq!((denied.0, &denied.1["error"]["code"]), (StatusCode::FORBIDDEN, &json!("revoked")));
    assert!(numbers(&sockets[0].until("event").await).any(|number| number == 1));
    assert!(numbers(&sockets[3].until("event").await).any(|number| number == 2));

    // Of everybody.
    let everybody = channel(whom(Whom::Everybody), "b");
    assert_eq!(served.hub.revoke(&[everybody]).await.expect("room").connections, 3);
    for index in [2, 3] {
        assert_eq!(code(rest(&mut sockets[index]).await.1).0, 4003);
    }
    client.until("pusher:subscription_error").await;

    // One connection, which may come again.
    let connection = whom(Whom::Connection(client.id.as_str().into()));
    assert_eq!(served.hub.revoke(&[connection]).await.expect("room").connections, 1);
    assert_eq!(client.until("pusher:error").await.1["code"], 4009);
    let mut client = Client::connect(&served).await;
    client.sign_in("2").await;
    client.until("pusher:signin_success").await;
    served.publish("a", [3]).await;
    assert!(numbers(&sockets[0].until("event").await).any(|number| number == 3));
    served.stop().await;
}

/// Who is present under a name that is revoked goes, and who comes under it doesn't come in.
#[tokio::test]
async fn people_who_are_present() {
    let served = Served::start(config()).await;
    let come = async |user: &str| {
        let mut client = Client::connect(&served).await;
        let data = json!({"user_id": user}).to_string();
        let auth = format!("key:{}", sign(&format!("{}:presence-a:{data}", client.id)));
        client
            .send(json!({"event": "pusher:subscribe", "data": {"channel": "presence-a", "auth": auth, "channel_data": data}}))
            .await;
        let (event, _) = client.next().await.expect("an answer");
        (client, event)
    };
    let (mut seven, _) = come("7").await;
    let (mut eight, _) = come("8").await;
    assert_eq!(served.hub.revoke(&[user("7")]).await.expect("room").connections, 1);
    assert_eq!(seven.until("pusher:error").await.1["code"], 4009);
    assert_eq!(come("7").await.1, "pusher:subscription_error");
    let (_, gone) = eight.until("pusher_internal:member_removed").await;
    assert_eq!(gone["user_id"], "7");
    served.stop().await;
}

/// H4: what stands does so after a restart, whatever became of the history.
#[tokio::test]
async fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let store = Some(StoreConfig { folder: folder.path().join("data") });
        Hub::open(HubConfig { store, ..config() }).expect("a store")
    };
    let path = "/v1/poll?cursor=a~&wait_ms=0";
    let (bad, good) = (token(json!({"sub": "7"})), token(json!({"sub": "8", "jti": "t"})));
    let served = Served::serve(open()).await;
    let whom = Whom::Token("t".into());
    let list = [user("7"), channel(self::whom(Whom::Everybody), "b"), self::whom(whom.clone())];
    served.hub.revoke(&list).await.expect("kept");
    let lifted = Revocation { ttl: Duration::ZERO, ..self::whom(whom) };
    served.hub.revoke(&[lifted]).await.expect("kept");
    served.hub.lose_history();
    drop(served.stop().await);

    let served = Served::serve(open()).await;
    assert_eq!(get(&served, path, &bad).await.0, StatusCode::FORBIDDEN);
    assert_eq!(get(&served, path, &good).await.0, StatusCode::OK);
    assert_eq!(get(&served, "/v1/poll?cursor=b~&wait_ms=0", &good).await.0, StatusCode::FORBIDDEN);
    drop(served.stop().await);
}

/// The readers of a hub without tokens are nobody in particular: a channel can be taken from them.
#[tokio::test]
async fn open_hubs_too() {
    let served = Served::start(HubConfig::default()).await;
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let mut socket = served.subscribed(json!({"a": null})).await;
        socket.until("heartbeat").await;
        tasks.spawn(async move { code(rest(&mut socket).await.1).0 });
    }
    let told = served.hub.revoke(&[channel(whom(Whom::Everybody), "a")]).await.expect("room");
    assert_eq!(told.connections, 3);
    assert_eq!(tasks.join_all().await, [4003; 3]);
    served.stop().await;
}
