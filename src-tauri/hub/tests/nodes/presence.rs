//! Who is present, whichever node he came by.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use ring::hmac;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    revoke::{SIGNED, connect, token},
    stand::Stand,
};

const PATIENCE: Duration = Duration::from_secs(30);
/// After a node's death it is right again within this.
const RIGHT: Duration = Duration::from_secs(10);

/// An application whose secret is what publishers present: every node has that file.
const APP: &str = "[[app]]\nid = \"1\"\nkey = \"wall\"\nsecret = { file = \"publish.token\" }\nclient-events = true\n";

fn sign(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, crate::stand::TOKEN.as_bytes());
    let signature = hmac::sign(&key, text.as_bytes());
    let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("wall:{hex}")
}

/// A client of the Pusher protocol in one channel of presence.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    present: BTreeSet<String>,
    heard: Vec<Value>,
}

impl Client {
    async fn come(at: SocketAddr, user: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{at}/app/wall?protocol=7")).await.expect("open");
        let mut client = Self { socket, present: BTreeSet::new(), heard: Vec::new() };
        let (_, data) = client.frame().await;
        let id = data["socket_id"].as_str().expect("an id").to_owned();
        let who = json!({"user_id": user, "user_info": {"name": user}}).to_string();
        let auth = sign(&format!("{id}:presence-room:{who}"));
        let order = json!({"event": "pusher:subscribe", "data": {"channel": "presence-room", "auth": auth, "channel_data": who}});
        client.socket.send(Message::text(order.to_string())).await.expect("sent");
        let (event, data) = client.frame().await;
        assert_eq!(event, "pusher_internal:subscription_succeeded", "{data}");
        let ids = data["presence"]["ids"].as_array().expect("ids");
        client.present = ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
        client
    }

    async fn frame(&mut self) -> (String, Value) {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes") {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    let data = frame["data"]
                        .as_str()
                        .map_or_else(|| frame["data"].clone(), |text| serde_json::from_str(text).unwrap_or_default());
                    return (frame["event"].as_str().expect("an event").to_owned(), data);
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until these are present, or for so long.
    async fn sees(&mut self, who: &[&str], within: Duration) -> bool {
        let who: BTreeSet<String> = who.iter().map(|who| (*who).to_owned()).collect();
        let seen = async {
            while self.present != who {
                let (event, data) = self.frame().await;
                match event.as_str() {
                    "pusher_internal:member_added" => {
                        assert!(
                            self.present.insert(data["user_id"].as_str().expect("an id").to_owned()),
                            "twice: {data}"
                        );
                    }
                    "pusher_internal:member_removed" => {
                        assert!(self.present.remove(data["user_id"].as_str().expect("an id")), "nobody: {data}");
                    }
                    _ => self.heard.push(data),
                }
            }
        };
        timeout(within, seen).await.is_ok()
    }
}

/// H1: who comes by one node is present at all; who goes is gone; and who came by a node that was killed is gone within 10 s, unless he comes back by
/// another: then he was never gone.
#[tokio::test(flavor = "multi_thread")]
async fn presence_spans_nodes() {
    let mut stand = Stand::new(2, APP).await;
    let [first, second] = stand.addresses()[..] else { panic!("two nodes") };
    let mut one = Client::come(first, "one").await;
    let mut two = Client::come(second, "two").await;
    assert!(two.sees(&["one", "two"], PATIENCE).await, "{:?}", two.present);
    assert!(one.sees(&["one", "two"], PATIENCE).await, "{:?}", one.present);
    let three = Client::come(first, "three").await;
    assert!(two.sees(&["one", "two", "three"], PATIENCE).await && one.sees(&["one", "two", "three"], PATIENCE).await);
    drop(three);
    assert!(two.sees(&["one", "two"], PATIENCE).await && one.sees(&["one", "two"], PATIENCE).await);

    // What one of them says reaches the other node, and not himself.
    let said = json!({"event": "client-hello", "channel": "presence-room", "data": {"from": "two"}}).to_string();
    two.socket.send(Message::text(said)).await.expect("sent");
    let (event, data) = one.frame().await;
    assert_eq!((event.as_str(), &data), ("client-hello", &json!({"from": "two"})));

    let _four = Client::come(first, "four").await;
    assert!(two.sees(&["one", "two", "four"], PATIENCE).await);
    stand.nodes[0].kill();
    let died = std::time::Instant::now();
    // One comes back by the other node, four doesn't.
    let mut one = Client::come(second, "one").await;
    assert!(two.sees(&["one", "two"], RIGHT.saturating_sub(died.elapsed())).await, "{:?}", two.present);
    assert!(one.sees(&["one", "two"], RIGHT.saturating_sub(died.elapsed())).await, "{:?}", one.present);
    assert!(two.heard.is_empty(), "{:?}", two.heard);

    // The engine is away for longer than a lease: nobody is gone for that.
    stand.redis.kill();
    tokio::time::sleep(Duration::from_secs(5)).await;
    stand.redis.start_anew().await;
    stand.nodes[0].start_anew().await;
    let mut five = Client::come(first, "five").await;
    assert!(five.sees(&["one", "two", "five"], PATIENCE).await, "{:?}", five.present);
    assert!(two.sees(&["one", "two", "five"], PATIENCE).await);
}

/// A reader at the hub's own door, told who is there.
async fn watch(at: SocketAddr, user: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut socket = connect(at, &token(user)).await.expect("open");
    let order = json!({"type": "subscribe", "channels": {"presence-room": null}, "presence": true}).to_string();
    socket.send(Message::text(order)).await.expect("sent");
    socket
}

/// H1: readers at the hub's own doors are there by all nodes too, for each other and for Pusher's clients; and who came by a node that was killed has left within
/// 10 s.
#[tokio::test(flavor = "multi_thread")]
async fn own_doors_span_nodes() {
    let mut stand = Stand::new(2, &format!("{APP}{SIGNED}")).await;
    let [first, second] = stand.addresses()[..] else { panic!("two nodes") };
    let mut own = watch(second, "own").await;
    let mut there: Option<BTreeSet<String>> = None;
    let mut client = Client::come(first, "client").await;
    let _own = watch(first, "far").await;
    assert!(client.sees(&["client", "own", "far"], PATIENCE).await, "{:?}", client.present);
    let mut sees = async |who: &[&str], within: Duration| {
        let who: BTreeSet<String> = who.iter().map(|who| (*who).to_owned()).collect();
        let seen = async {
            while there.as_ref() != Some(&who) {
                let Some(Ok(message)) = own.next().await else { panic!("it is gone") };
                let Message::Text(text) = message else { continue };
                for line in text.split('\n') {
                    let message: Value = serde_json::from_str(line).expect("JSON");
                    let user = || message["user"].as_str().expect("a user").to_owned();
                    match message["type"].as_str() {
                        Some("present") => {
                            let members = message["members"].as_array().expect("members").iter();
                            there = Some(members.map(|one| one["user"].as_str().expect("a user").to_owned()).collect());
                        }
                        Some("joined") => {
                            assert!(there.as_mut().expect("a list first").insert(user()), "twice: {line}");
                        }
                        Some("left") => {
                            assert!(there.as_mut().expect("a list first").remove(&user()), "nobody: {line}");
                        }
                        _ => {}
                    }
                }
            }
        };
        timeout(within, seen).await.is_ok()
    };
    assert!(sees(&["client", "own", "far"], PATIENCE).await);
    let http = crate::publisher::http();
    for node in [first, second] {
        let answer =
            http.get(format!("http://{node}/v1/channels/presence-room/presence")).bearer_auth(token("x")).send();
        let page: Value = answer.await.expect("an answer").json().await.expect("JSON");
        assert_eq!((&page["users"], &page["connections"]), (&json!(3), &json!(3)), "{page}");
    }
    stand.nodes[0].kill();
    assert!(sees(&["own"], RIGHT).await);
}
