//! The doors of a hub besides the first, and what may stand before the first.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use watchfloor_board::freshness::Freshness;
use watchfloor_engine::{BoardInput, EngineConfig};
use watchfloor_model::{Continuity, Transport};

use crate::support::{BOARD, Server, Wall, board};

/// A board that comes in by one door.
fn by(server: &Server, transport: &str) -> EngineConfig {
    let text = board(server.address).replace("channels =", &format!("transport = \"{transport}\"\nchannels ="));
    EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })
}

/// H1, H3: both kinds of poll bring every event once, say so while the server is away, and go on from their position.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_do_as_well() {
    for (word, transport, freshness) in
        [("long-poll", Transport::LongPoll, Freshness::Live), ("poll", Transport::Poll, Freshness::Polling)]
    {
        let mut server = Server::start(BOARD).await;
        server.publish(1..=10).await;
        let mut wall = Wall::start(by(&server, word)).await;
        let is_at =
            |wall: &Wall, count| wall.number("count") == Some(count) && wall.quality("count").freshness == freshness;
        wall.until("at 10", |wall| is_at(wall, 10.0)).await;
        assert_eq!(wall.sources[0].transport, Some(transport));
        server.publish(1..=1000).await;
        wall.until("at 1010", |wall| is_at(wall, 1010.0)).await;
        assert_eq!((wall.sources[0].gaps, wall.sources[0].continuity), (0, Continuity::Proven));
        let words = wall.sources[0].words.clone();
        assert_eq!(words, if word == "poll" { "polling every 1 s" } else { "live by long poll" });

        server.down().await;
        wall.until("down with a reason", |wall| {
            wall.quality("count").freshness == Freshness::Down && wall.quality("count").reason.is_some()
        })
        .await;
        server.up().await;
        server.publish(1..=5).await;
        wall.until("at 1015", |wall| is_at(wall, 1015.0)).await;
        assert_eq!(wall.sources[0].continuity, Continuity::Proven, "{:?}", wall.sources);
        wall.engine.stop().await;
        server.down().await;
    }
}

/// What a line between does to what passes. Each connection carries one request.
#[derive(Default)]
struct Rules {
    /// Upgrades get no answer.
    swallow: AtomicBool,
    /// Upgrades are answered with a page.
    login: AtomicBool,
    /// So is everything.
    portal: AtomicBool,
    /// Streams of events are held back.
    hold: AtomicBool,
}

/// A line to the hub.
async fn line(hub: SocketAddr, rules: Arc<Rules>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let rules = Arc::clone(&rules);
            // Who of both ends it is of no interest.
            tokio::spawn(async move { drop(carry(client, hub, &rules).await) });
        }
    });
    address
}

async fn head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

async fn carry(mut client: TcpStream, hub: SocketAddr, rules: &Rules) -> std::io::Result<()> {
    let mut request = head(&mut client).await?;
    let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let upgrade = text.contains("upgrade: websocket");
    if upgrade && rules.login.load(Ordering::SeqCst) || rules.portal.load(Ordering::SeqCst) {
        let page =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
        return client.write_all(page).await;
    }
    if upgrade && rules.swallow.load(Ordering::SeqCst) {
        return client.read_u8().await.map(drop);
    }
    let mut server = TcpStream::connect(hub).await?;
    if !upgrade {
        request.truncate(request.len() - 2);
        request.extend_from_slice(b"connection: close\r\n\r\n");
    }
    server.write_all(&request).await?;
    if text.starts_with("get /v1/sse") && rules.hold.load(Ordering::SeqCst) {
        let answer = head(&mut server).await?;
        client.write_all(&answer).await?;
        return client.read_u8().await.map(drop);
    }
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// H2, H3: upgrades that a proxy answers with a login page, and streams that it holds back, cost the way and not the wall, and
/// are named; when the proxy lets go, WebSocket takes over again while events flow, with every event once and live all the
/// while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_ways_are_left_and_found_again() {
    let server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let rules = Arc::new(Rules { login: true.into(), hold: true.into(), ..Rules::default() });
    let text = board(line(server.address, Arc::clone(&rules)).await);
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    let words = &wall.sources[0].words;
    for part in ["live by long poll", "WebSocket: answered with a web page", "held back: a proxy that buffers?"] {
        assert!(words.contains(part), "{words}");
    }
    rules.login.store(false, Ordering::SeqCst);
    rules.hold.store(false, Ordering::SeqCst);
    let mut count = 10.0;
    while wall.sources[0].transport != Some(Transport::WebSocket) {
        server.publish([1, 1, 1]).await;
        count += 3.0;
        wall.until("all are counted", |wall| {
            assert_eq!(wall.quality("count").freshness, Freshness::Live, "{:?}", wall.sources);
            wall.number("count") == Some(count)
        })
        .await;
    }
    server.publish([1]).await;
    wall.until("one more", |wall| wall.is_live_at("count", count + 1.0)).await;
    assert_eq!((wall.sources[0].gaps, wall.sources[0].continuity), (0, Continuity::Proven), "{:?}", wall.sources);
    assert_eq!(wall.sources[0].words, "live by WebSocket");
    wall.engine.stop().await;
}

/// A firewall that swallows upgrades is found by their silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swallowed_upgrades_are_found() {
    let server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let rules = Arc::new(Rules { swallow: true.into(), ..Rules::default() });
    let text = board(line(server.address, rules).await);
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    assert_eq!(wall.sources[0].words, "live by server-sent events; WebSocket: no answer to the upgrade");
    wall.engine.stop().await;
}

/// H1: a login page in place of everything is no blocked way: it is named, and once it is gone the wall is live by the best one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn portals_are_named() {
    let server = Server::start(BOARD).await;
    server.publish(1..=10).await;
    let rules = Arc::new(Rules { portal: true.into(), ..Rules::default() });
    let text = board(line(server.address, Arc::clone(&rules)).await);
    let mut wall = Wall::start(EngineConfig::new(BoardInput::Text { name: "board.toml".into(), text })).await;
    wall.until("far from its next try", |wall| {
        let reason = wall.quality("count").reason.clone().unwrap_or_default();
        reason.starts_with("answered with a web page: a login page or proxy?") && reason.contains("next try in 3 s")
    })
    .await;
    assert_eq!(wall.sources[0].transport, Some(Transport::WebSocket));
    rules.portal.store(false, Ordering::SeqCst);
    wall.until("live at 10", |wall| wall.is_live_at("count", 10.0)).await;
    assert_eq!(wall.sources[0].words, "live by WebSocket");
    wall.engine.stop().await;
}
