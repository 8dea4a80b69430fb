//! Other dialects, spoken by servers that know as much of them as a healthy wall needs.

use std::{fs, net::SocketAddr};

use anyhow::{Context, Result, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    time::interval,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::serve::{PACE, Server, becomes_a_wall, document, event_stream, probe, text};

/// A server of WebSockets: what it sends at once, what it answers, and what it says at its pace.
async fn sockets(
    greeting: Option<Value>,
    answer: fn(&Value) -> Option<Value>,
    event: fn(u64) -> Value,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let greeting = greeting.clone();
            tokio::spawn(async move {
                let mut socket = accept_async(stream).await?;
                if let Some(greeting) = greeting {
                    socket.send(Message::text(greeting.to_string())).await?;
                }
                converse(&mut socket, answer, event).await
            });
        }
    });
    Ok(address)
}

async fn converse(
    socket: &mut WebSocketStream<TcpStream>,
    answer: fn(&Value) -> Option<Value>,
    event: fn(u64) -> Value,
) -> Result<()> {
    let (mut pace, mut number) = (interval(PACE), 0);
    loop {
        tokio::select! {
            heard = socket.next() => {
                // Pings are answered by the library.
                if let Message::Text(text) = heard.context("gone")??
                    && let Some(answer) = answer(&serde_json::from_str(&text)?)
                {
                    socket.send(Message::text(answer.to_string())).await?;
                }
            }
            _ = pace.tick() => {
                number += 1;
                socket.send(Message::text(event(number).to_string())).await?;
            }
        }
    }
}

/// A probe finds `kind`, and its board shows an order of each of four numbers.
fn orders_become_a_wall(kind: &str, url: &str, more: &[&str]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("board.toml");
    let found = probe(url, more, &out)?;
    let said = text(&found.stderr);
    ensure!(found.status.code() == Some(0) && said.contains(&format!("{kind}: yes, ")), "{said}");
    let report = becomes_a_wall(&out)?;
    let rows = report["widgets"]["by-order"]["value"].as_array().map(Vec::len);
    ensure!(rows == Some(4), "{report}");
    Ok(fs::read_to_string(&out)?)
}

fn order(number: u64) -> Value {
    json!({"order": format!("O{}", number % 4), "total": number})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_becomes_a_wall() -> Result<()> {
    let address = sockets(None, |_| None, order).await?;
    let board = orders_become_a_wall("websocket", &format!("ws://{address}/feed/orders"), &[])?;
    assert!(board.contains("channels = [\"orders\"]"), "{board}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pusher_becomes_a_wall() -> Result<()> {
    let greeting = json!({"event": "pusher:connection_established",
        "data": json!({"socket_id": "1.1", "activity_timeout": 120}).to_string()});
    let answer = |heard: &Value| match heard["event"].as_str() {
        Some("pusher:subscribe") => Some(json!({"event": "pusher_internal:subscription_succeeded",
            "channel": heard["data"]["channel"], "data": "{}"})),
        Some("pusher:ping") => Some(json!({"event": "pusher:pong", "data": "{}"})),
        _ => None,
    };
    let event = |number| json!({"event": "order.placed", "channel": "orders", "data": order(number).to_string()});
    let address = sockets(Some(greeting), answer, event).await?;
    let url = format!("ws://{address}/app/wall-key");
    let board = orders_become_a_wall("pusher", &url, &["--channel", "orders"])?;
    assert!(board.contains("app = \"wall-key\"") && board.contains("Hosted Pusher, Soketi or Reverb"), "{board}");
    // Which channels it has it tells nobody.
    let folder = tempfile::tempdir()?;
    let unnamed = probe(&url, &[], &folder.path().join("none.toml"))?;
    let said = text(&unnamed.stderr);
    assert!(unnamed.status.code() == Some(1) && said.contains("--channel NAME"), "{said}");
    Ok(())
}

/// A Mercure hub is found at a site's root, where its own path is tried.
#[test]
fn a_mercure_hub_becomes_a_wall() -> Result<()> {
    let server = Server::start(|request, stream| {
        if !request.path.starts_with("/.well-known/mercure?topic=") {
            return document(stream, "404 Not Found", "text/plain", "no");
        }
        event_stream(stream, ":\n", |number| format!("id: urn:uuid:{number}\ndata: {}\n\n", order(number)))
    })?;
    let board = orders_become_a_wall("mercure", &format!("http://{}", server.0), &[])?;
    assert!(board.contains("kind = \"mercure\"") && board.contains("channels = [\"*\"]"), "{board}");
    Ok(())
}
