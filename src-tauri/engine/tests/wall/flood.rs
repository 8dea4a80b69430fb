//! A source that sends as fast as the wall takes it.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;
use watchfloor_engine::{BoardInput, EngineConfig};
use watchfloor_model::Continuity;

use crate::support::{self, Wall, board};

/// Events sent.
const EVENTS: u64 = 100_000;

/// Events a message.
const MESSAGE_EVENTS: u64 = 256;

/// A server that speaks just enough of the hub's contract: an empty channel, then all events at once.
struct Peer {
    address: SocketAddr,
}

impl Peer {
    async fn start(events: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, events));
            }
        });
        Self { address }
    }
}

async fn answer(mut stream: TcpStream, events: u64) {
    let mut head = [0; 16];
    while stream.peek(&mut head).await.is_ok_and(|bytes| bytes < head.len()) {}
    if head.starts_with(b"GET /v1/snapshot") {
        let mut request = vec![0; 4096];
        let _bytes = stream.read(&mut request).await.unwrap();
        let body = json!({"positions": {"orders": "e:0"}, "clock": clock(), "aggregates": {}}).to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        return;
    }
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let hello = json!({"type": "hello", "protocol": 1, "hub": "test", "heartbeat_ms": 1000, "clock": clock()});
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let _subscribe = socket.next().await.unwrap().unwrap();
    let subscribed = json!({"type": "subscribed", "channel": "orders", "head": "e:0", "from": "e:0", "recovered": false, "reason": "fresh"});
    socket.send(Message::text(format!("{subscribed}\n{}", heartbeat(0)))).await.unwrap();
    let mut sent = 0;
    while sent < events {
        let mut text = String::new();
        for number in sent + 1..=(sent + MESSAGE_EVENTS).min(events) {
            let amount = number % 100;
            writeln!(
                text,
                r#"{{"type":"event","channel":"orders","position":"e:{number}","name":"order.placed","time":1360339200000,"id":"order-{number}","data":{{"amount":{amount},"customer":"somebody","items":[1,2,3]}}}}"#
            )
            .unwrap();
            sent = number;
        }
        text.push_str(&heartbeat(sent).to_string());
        socket.send(Message::text(text)).await.unwrap();
    }
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            _ = beat.tick() => if socket.send(Message::text(heartbeat(sent).to_string())).await.is_err() { return },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let ping: Value = serde_json::from_str(&text).unwrap();
                    let pong = json!({"type": "pong", "id": ping["id"], "clock": clock()});
                    if socket.send(Message::text(pong.to_string())).await.is_err() { return }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

fn clock() -> Value {
    json!({"now": 1_360_339_200_000_i64, "speed": 1, "label": null})
}

fn heartbeat(head: u64) -> Value {
    json!({"type": "heartbeat", "clock": clock(), "channels": {"orders": {"head": format!("e:{head}"), "idle_ms": 0}}})
}

/// H5, H3: a flood is taken as fast as it can be folded, the page is answered all the while, and at the end every event has
/// been counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_lose_nothing() {
    let peer = Peer::start(EVENTS).await;
    let data = tempfile::tempdir().unwrap();
    let mut wall = Wall::start(EngineConfig {
        data_dir: Some(data.path().into()),
        ..EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text: board(peer.address) })
    })
    .await;
    let begun = Instant::now();
    let mut frames = 0u64;
    let mut longest = Duration::ZERO;
    let mut pulled = Instant::now();
    while wall.number("count") != Some(EVENTS as f64) {
        wall.pull().await;
        frames += 1;
        longest = longest.max(pulled.elapsed());
        pulled = Instant::now();
        assert!(begun.elapsed() < support::PATIENCE * 4, "stuck at {:?}", wall.number("count"));
    }
    let took = begun.elapsed();
    let rate = EVENTS as f64 / took.as_secs_f64();
    println!("{rate:.0} events/s, {frames} frames, longest pull {longest:?}");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert_eq!(wall.number("sum"), Some((1..=EVENTS).map(|number| (number % 100) as f64).sum()));
    assert_eq!(wall.sources[0].continuity, Continuity::Proven);

    // H4: what a process killed right now leaves behind is on the glass within a second.
    let copy = tempfile::tempdir().unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        std::fs::copy(data.path().join(name), copy.path().join(name)).unwrap();
    }
    wall.engine.stop().await;
    let begun = Instant::now();
    let mut again = Wall::start(EngineConfig {
        data_dir: Some(copy.path().into()),
        ..EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text: board(peer.address) })
    })
    .await;
    again.pull().await;
    println!("first frame after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(again.number("count"), Some(EVENTS as f64));
    again.engine.stop().await;
}
