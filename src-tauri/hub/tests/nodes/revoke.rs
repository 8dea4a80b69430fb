//! H8: what is taken back at one node is taken back at all: no event goes out by any of them after that is acknowledged, whatever stopped or was cut off.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use crate::{
    publisher::{http, publish},
    stand::{KEY, Stand, Wire, node},
};

const PATIENCE: Duration = Duration::from_secs(60);
/// Readers come by tokens.
pub(crate) const SIGNED: &str = "[[key]]\nalgorithm = \"HS256\"\nkey = { file = \"reader.key\" }\n";

pub(crate) fn token(user: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = json!({"exp": now + 3600, "channels": ["*"], "sub": user}).to_string();
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), message.as_bytes());
    format!("{message}.{}", BASE64.encode(tag))
}

/// Asks a node's admin listener.
async fn revoke(http: &Client, admin: SocketAddr, what: &Value) -> (StatusCode, Value) {
    let asked = http.post(format!("http://{admin}/v1/revoke")).timeout(PATIENCE).json(what).send();
    let answer = asked.await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

/// What a reader has heard.
#[derive(Clone, Debug, Default)]
struct Heard {
    begun: bool,
    /// The highest number.
    number: u64,
    /// How it ended: the code of the last message.
    ended: Option<String>,
}

/// A reader by one of three doors, until it is ended.
struct Reader {
    heard: watch::Receiver<Heard>,
}

impl Reader {
    fn start(door: usize, at: SocketAddr, user: &str, cursor: String) -> Self {
        let (told, heard) = watch::channel(Heard::default());
        let token = token(user);
        tokio::spawn(async move {
            match door {
                0 => by_websocket(at, &token, &cursor, &told).await,
                1 => by_events(at, &token, &cursor, &told).await,
                _ => by_poll(at, &token, cursor, &told).await,
            }
            told.send_if_modified(|heard| {
                let is_new = heard.ended.is_none();
                heard.ended.get_or_insert("gone".to_owned());
                is_new
            });
        });
        Self { heard }
    }

    async fn until(&mut self, holds: impl FnMut(&Heard) -> bool) -> Heard {
        let seen = timeout(PATIENCE, self.heard.wait_for(holds)).await.expect("in time").expect("a reader");
        seen.clone()
    }
}

fn take(line: &Value, told: &watch::Sender<Heard>) {
    told.send_if_modified(|heard| match line["type"].as_str() {
        Some("subscribed") => !std::mem::replace(&mut heard.begun, true),
        Some("event") => {
            heard.number = heard.number.max(line["data"]["n"].as_u64().expect("a number"));
            true
        }
        Some("error") => {
            heard.ended = line["code"].as_str().map(str::to_owned);
            true
        }
        _ => false,
    });
}

async fn by_websocket(at: SocketAddr, token: &str, cursor: &str, told: &watch::Sender<Heard>) {
    let Ok(mut socket) = connect(at, token).await else { return };
    let (channel, place) = cursor.split_once('~').expect("a cursor");
    let place = (!place.is_empty()).then_some(place);
    let order = json!({"type": "subscribe", "channels": {channel: place}}).to_string();
    if socket.send(Message::text(order)).await.is_err() {
        return;
    }
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            text.split('\n').for_each(|line| take(&serde_json::from_str(line).expect("JSON"), told));
        }
    }
}

pub(crate) async fn connect(
    at: SocketAddr,
    token: &str,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, StatusCode> {
    let mut request = format!("ws://{at}/v1/ws").into_client_request().expect("a request");
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(answer.status()),
        Err(error) => panic!("{error}"),
    }
}

async fn by_events(at: SocketAddr, token: &str, cursor: &str, told: &watch::Sender<Heard>) {
    let request = http().get(format!("http://{at}/v1/sse?cursor={cursor}")).bearer_auth(token);
    let Ok(mut answer) = request.timeout(Duration::from_secs(3600)).send().await else { return };
    let mut text: Vec<u8> = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        text.extend_from_slice(&chunk);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            if let Some(message) = line.strip_prefix(b"data: ") {
                take(&serde_json::from_slice(message).expect("JSON"), told);
            }
        }
    }
}

async fn by_poll(at: SocketAddr, token: &str, mut cursor: String, told: &watch::Sender<Heard>) {
    let http = http();
    loop {
        let request = http.get(format!("http://{at}/v1/poll?wait_ms=5000&cursor={cursor}")).bearer_auth(token);
        let Ok(answer) = request.send().await else { return };
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        match status {
            StatusCode::OK => {
                cursor = body["cursor"].as_str().expect("a cursor").to_owned();
                body["messages"].as_array().expect("messages").iter().for_each(|line| take(line, told));
            }
            StatusCode::SERVICE_UNAVAILABLE => sleep(Duration::from_millis(50)).await,
            _ => {
                take(&json!({"type": "error", "code": body["error"]["code"]}), told);
                return;
            }
        }
    }
}

/// Publishes numbers, which are drawn before: one above that of an acknowledgement was published after it.
#[derive(Clone)]
struct Flood {
    last: Arc<AtomicU64>,
    at: Vec<SocketAddr>,
    http: Client,
}

impl Flood {
    fn new(at: Vec<SocketAddr>) -> Self {
        Self { last: Arc::default(), at, http: http() }
    }

    /// So many events in each of these channels, as one batch.
    async fn publish(&self, node: usize, channels: &[String], each: u64) {
        let draw = |_| {
            let number = self.last.fetch_add(1, SeqCst) + 1;
            channels.iter().map(move |channel| json!({"channel": channel, "name": "n", "data": {"n": number}}))
        };
        let events: Vec<_> = (0..each).flat_map(draw).collect();
        let told = publish(&self.http, self.at[node % self.at.len()], None, &json!(events)).await;
        assert!(told.is_ok_and(|told| told.0 == StatusCode::OK), "it is published");
    }

    /// Publishes until it is dropped.
    fn go_on(&self, node: usize, channels: Vec<String>) -> tokio::task::JoinHandle<()> {
        let flood = self.clone();
        tokio::spawn(async move {
            loop {
                flood.publish(node, &channels, 1).await;
                // What is in flight is enough: the machine is for the readers.
                sleep(Duration::from_millis(10)).await;
            }
        })
    }
}

/// Events published right after each acknowledgement.
const AFTER: u64 = 100;

/// Readers of 30 users, by three doors at each of three nodes, in the middle of a flood: each user is taken back at some node, and 100 events are published
/// right after that is acknowledged, at all nodes in turn. None of the 3,000 goes out to any of his readers, and the others hear all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_goes_out_by_any_node() {
    let stand = Stand::new(3, SIGNED).await;
    let (at, http) = (stand.addresses(), http());
    let users: Vec<String> = (0..30).map(|number| format!("u{number}")).collect();
    let channels: Vec<String> = users.iter().map(|user| format!("c-{user}")).collect();
    let mut readers = BTreeMap::new();
    for (user, channel) in users.iter().zip(&channels) {
        let start = |place: usize| Reader::start(place / 3, at[place % 3], user, format!("{channel}~"));
        let mut theirs: Vec<_> = (0..9).map(start).collect();
        for reader in &mut theirs {
            reader.until(|heard| heard.begun).await;
        }
        readers.insert(user.clone(), theirs);
    }
    let mut witness = Reader::start(0, at[1], "witness", format!("{}~", channels[29]));
    witness.until(|heard| heard.begun).await;
    let flood = Flood::new(at.clone());
    let floods: Vec<_> = (0..3).map(|node| flood.go_on(node, channels.clone())).collect();
    readers.get_mut("u0").expect("readers")[0].until(|heard| heard.number > 100).await;
    let mut tries = 0;
    for (turn, (user, channel)) in users.iter().zip(&channels).enumerate() {
        let (status, body) = revoke(&http, stand.nodes[turn % 3].admin, &json!({"user": user})).await;
        let acknowledged = flood.last.load(SeqCst);
        assert_eq!((status, &body["cut_off"]), (StatusCode::OK, &json!(0)), "{body}");
        // A poll that was between two calls is no connection.
        assert!(body["connections"].as_u64().is_some_and(|count| (6..=9).contains(&count)), "{body}");
        for node in 0..4 {
            flood.publish(node + turn, std::slice::from_ref(channel), AFTER / 4).await;
        }
        tries += AFTER;
        for reader in readers.get_mut(user).expect("readers") {
            let heard = reader.until(|heard| heard.ended.is_some()).await;
            assert_eq!(heard.ended.as_deref(), Some("revoked"));
            assert!(heard.number > 0 && heard.number <= acknowledged, "{} after {acknowledged}", heard.number);
        }
        assert_eq!(connect(at[(turn + 1) % 3], &token(user)).await.err(), Some(StatusCode::FORBIDDEN));
    }
    floods.iter().for_each(tokio::task::JoinHandle::abort);
    let last = flood.last.load(SeqCst);
    flood.publish(0, &channels[29..], 1).await;
    witness.until(|heard| heard.number > last).await;
    assert_eq!(tries, 3000);

    // One connection, by its name, at the node that isn't its own; and what stood is lifted at another.
    let (mut other, admin) = (Reader::start(0, at[2], "other", "c-u1~".to_owned()), stand.nodes[2].admin);
    other.until(|heard| heard.begun).await;
    let list: Value = http
        .get(format!("http://{admin}/v1/connections?user=other"))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let name = list["connections"][0]["connection"].clone();
    let (status, body) = revoke(&http, stand.nodes[0].admin, &json!({"connection": name})).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"connections": 1, "cut_off": 0})));
    assert_eq!(other.until(|heard| heard.ended.is_some()).await.ended.as_deref(), Some("revoked"));
    assert_eq!(revoke(&http, stand.nodes[1].admin, &json!({"user": "u1", "ttl": "0s"})).await.0, StatusCode::OK);
    for node in &at {
        assert!(connect(*node, &token("u1")).await.is_ok());
    }
}

/// A node that is stopped, and one whose link to Redis passes nothing on: a revocation is acknowledged when their leases have run out, and they send
/// nothing from then on: not what they have read before, not to who comes to them, not when they go on. Then they obey, and who isn't meant has missed nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_hears_nothing_sends_nothing() {
    let mut stand = Stand::new(2, SIGNED).await;
    let wire = Wire::to(stand.redis.address).await;
    let cut = node(stand.folder.path(), 2, &format!("redis = \"redis://{}\"\n", wire.address), SIGNED).await;
    stand.nodes.push(cut);
    let (at, http) = (stand.addresses(), http());
    let channel = vec!["c".to_owned()];
    let flood = Flood::new(at[..1].to_vec());
    for round in 0..2 {
        let user = format!("user-{round}");
        let stopped = 1 + round;
        let mut theirs: Vec<_> = (0..9).map(|n| Reader::start(n / 3, at[n % 3], &user, "c~".to_owned())).collect();
        let mut others: Vec<_> = (0..3).map(|n| Reader::start(0, at[n], "other", "c~".to_owned())).collect();
        for reader in theirs.iter_mut().chain(&mut others) {
            reader.until(|heard| heard.begun).await;
        }
        let going_on = flood.go_on(0, channel.clone());
        theirs[stopped].until(|heard| heard.number > 20).await;
        if round == 0 {
            stand.nodes[1].signal("STOP");
        } else {
            wire.hold(true);
        }
        let asked = Instant::now();
        let (status, body) = revoke(&http, stand.nodes[0].admin, &json!({"user": user})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let acknowledged = flood.last.load(SeqCst);
        assert!(asked.elapsed() > Duration::from_secs(1), "it is waited for the node's lease: {:?}", asked.elapsed());
        going_on.abort();
        flood.publish(0, &channel, 500).await;
        // Who comes to a node that is cut off, with an old place, is sent nothing of what it has in memory.
        let mut late = (round == 1).then(|| Reader::start(0, at[2], &user, "c~".to_owned()));
        if round == 0 {
            stand.nodes[1].signal("CONT");
        } else {
            sleep(Duration::from_secs(2)).await;
        }
        if round == 1 {
            assert!(late.as_ref().is_some_and(|late| !late.heard.borrow().begun));
            wire.hold(false);
        }
        for reader in theirs.iter_mut().chain(&mut late) {
            let heard = reader.until(|heard| heard.ended.is_some()).await;
            // What was on its way in the node that was stopped is thrown away with its connection.
            assert!(matches!(heard.ended.as_deref(), Some("revoked" | "gone")), "{heard:?}");
            assert!(heard.number <= acknowledged, "{} after {acknowledged}", heard.number);
        }
        let last = flood.last.load(SeqCst);
        for reader in &mut others {
            let heard = reader.until(|heard| heard.number >= last || heard.ended.is_some()).await;
            assert!(heard.number >= last || heard.ended.as_deref() == Some("gone"), "{heard:?}");
        }
        for node in &at {
            assert_eq!(connect(*node, &token(&user)).await.err(), Some(StatusCode::FORBIDDEN));
        }
    }
}

/// What was taken back holds through the restart of nodes, at a node that starts later, through one of Redis; and where Redis forgets all, nodes tell it again.
#[tokio::test(flavor = "multi_thread")]
async fn it_outlives_nodes_and_a_redis_that_forgets() {
    for settings in ["appendonly yes\nappendfsync always\n", "appendonly no\n"] {
        let mut stand = Stand::with(settings, 2, SIGNED).await;
        let http = http();
        let (status, body) = revoke(&http, stand.nodes[0].admin, &json!({"user": "7"})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let is_refused = async |at: SocketAddr| connect(at, &token("7")).await.err() == Some(StatusCode::FORBIDDEN);
        assert!(is_refused(stand.nodes[0].address).await && is_refused(stand.nodes[1].address).await);
        for number in 0..2 {
            stand.nodes[number].start_anew().await;
            let begun = Instant::now();
            while !is_refused(stand.nodes[number].address).await {
                assert!(begun.elapsed() < PATIENCE);
                sleep(Duration::from_millis(20)).await;
            }
        }
        stand.redis.kill();
        // Where it can't be told to all it holds here, and that is said.
        let (status, body) = revoke(&http, stand.nodes[0].admin, &json!({"user": "8"})).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("store-failing")));
        stand.redis.start_anew().await;
        let begun = Instant::now();
        while revoke(&http, stand.nodes[0].admin, &json!({"user": "8"})).await.0 != StatusCode::OK {
            assert!(begun.elapsed() < PATIENCE);
        }
        assert!(connect(stand.nodes[1].address, &token("8")).await.is_err());
        let engine = format!("redis = \"redis://{}\"\n", stand.redis.address);
        let late = node(stand.folder.path(), 5, &engine, SIGNED).await;
        let begun = Instant::now();
        // A node that begins sends nothing before it knows what stands.
        while !is_refused(late.address).await {
            assert!(begun.elapsed() < PATIENCE);
            sleep(Duration::from_millis(20)).await;
        }
        assert!(is_refused(stand.nodes[0].address).await && is_refused(stand.nodes[1].address).await);
    }
}
