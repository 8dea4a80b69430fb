//! A server that speaks the hub's protocol and costs as little as it can: orders as fast as the reader takes them, or paced.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::alarms;

/// Which orders come, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Events a second; none for as fast as they are taken.
    pub rate: Option<u32>,
    /// Events in all.
    pub count: u64,
    /// Events a frame at most when nothing paces them.
    pub batch: u64,
    /// Values of a plant, as [`super::alarms`] wants them, in place of orders.
    pub plant: bool,
}

const CHANNEL: &str = "orders";
const EPOCH: &str = "bench";
const KEYS: u64 = 40;
/// After so many orders values and keys repeat themselves.
const PERIOD: u64 = 20_000;
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Serves `plan` to each WebSocket that subscribes, each from its beginning.
///
/// # Errors
/// If the listener breaks.
pub async fn serve(listener: TcpListener, plan: Plan) -> Result<()> {
    let router =
        Router::new().route("/v1/ws", get(upgrade)).route("/v1/snapshot", get(snapshot)).with_state(Arc::new(plan));
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| {
            // A benchmark of latency without it would measure Nagle's algorithm; where it fails the figures tell.
            let _ = stream.set_nodelay(true);
        }),
        router,
    )
    .await?;
    Ok(())
}

/// Binds a port of the system's choice on loopback.
///
/// # Errors
/// If there is none.
pub async fn listen() -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn wall_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

async fn snapshot() -> Json<Value> {
    Json(json!({
        "positions": { CHANNEL: format!("{EPOCH}:0") },
        "clock": clock(),
        "aggregates": {},
    }))
}

async fn upgrade(State(plan): State<Arc<Plan>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| async move {
        // The reader leaves when it has seen enough; that ends the conversation and nothing else.
        let _ = converse(socket, *plan).await;
    })
}

async fn converse(mut socket: WebSocket, plan: Plan) -> Result<(), axum::Error> {
    send(&mut socket, json!({"type": "hello", "protocol": 1, "hub": "bench", "heartbeat_ms": 1000, "clock": clock()}))
        .await?;
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) if text.contains("subscribe") => break,
            Some(Ok(_)) => {}
            _ => return Ok(()),
        }
    }
    let head = format!("{EPOCH}:0");
    send(&mut socket, json!({"type": "subscribed", "channel": CHANNEL, "head": head, "from": head, "recovered": false, "reason": "fresh"})).await?;
    send(&mut socket, heartbeat(0)).await?;
    let begun = Instant::now();
    let (mut sent, mut beaten) = (0, Instant::now());
    let orders = Orders::new();
    let mut frame = String::with_capacity(256 * 1024);
    while sent < plan.count {
        let due = plan.rate.map_or(plan.count, |rate| (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64 + 1);
        let until = due.min(sent + plan.batch).min(plan.count);
        if sent < until {
            frame.clear();
            let time = (wall_ms() as i64).to_string();
            while sent < until {
                sent += 1;
                if plan.plant {
                    write_value(&mut frame, sent, &time);
                } else {
                    orders.write(&mut frame, sent, &time);
                }
            }
            socket.send(Message::Text(frame.as_str().into())).await?;
        }
        if beaten.elapsed() >= HEARTBEAT {
            beaten = Instant::now();
            send(&mut socket, heartbeat(sent)).await?;
        }
        if let Some(rate) = plan.rate {
            let next = Duration::from_secs_f64(sent as f64 / f64::from(rate)).min(begun.elapsed() + HEARTBEAT);
            answer_until(&mut socket, begun + next).await?;
        }
    }
    loop {
        send(&mut socket, heartbeat(sent)).await?;
        answer_until(&mut socket, Instant::now() + HEARTBEAT).await?;
    }
}

/// Reads, and so answers pings, until `instant`.
async fn answer_until(socket: &mut WebSocket, instant: Instant) -> Result<(), axum::Error> {
    loop {
        match tokio::time::timeout_at(instant.into(), socket.recv()).await {
            Err(_) => return Ok(()),
            Ok(Some(message)) => message.map(drop)?,
            Ok(None) => return Err(axum::Error::new(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))),
        }
    }
}

/// What of an order repeats itself, ready to be sent: formatting numbers would cost more than all else here.
struct Orders(Vec<String>);

impl Orders {
    fn new() -> Self {
        let end = |number: u64| {
            let key = 1 + number * 7 % KEYS;
            let value = (number * 7919 % PERIOD) as f64 / 100.0;
            let (lat, lon) = (35.0 + (key * 37 % 250) as f64 / 10.0, -10.0 + (key * 53 % 400) as f64 / 10.0);
            format!(r#","key":{key},"value":{value},"lat":{lat},"lon":{lon},"region":{}}}}}"#, key % 4)
        };
        Self((0..PERIOD).map(end).collect())
    }

    /// Appends order `number`, which happened at `time`.
    fn write(&self, frame: &mut String, number: u64, time: &str) {
        if !frame.is_empty() {
            frame.push('\n');
        }
        // Writing to a string can't fail.
        let _ = write!(
            frame,
            r#"{{"type":"event","channel":"{CHANNEL}","position":"{EPOCH}:{number}","name":"order","time":{time},"data":{{"id":{number},"t":{time}"#
        );
        frame.push_str(&self.0[(number % PERIOD) as usize]);
    }
}

/// Appends value `number`, which was measured at `time`.
fn write_value(frame: &mut String, number: u64, time: &str) {
    if !frame.is_empty() {
        frame.push('\n');
    }
    let (name, value, site) = alarms::event(number);
    // Writing to a string can't fail.
    let _ = write!(
        frame,
        r#"{{"type":"event","channel":"{CHANNEL}","position":"{EPOCH}:{number}","name":"p{name}","time":{time},"data":{{"value":{value},"site":{site}}}}}"#
    );
}

fn heartbeat(head: u64) -> Value {
    json!({"type": "heartbeat", "clock": clock(), "channels": { CHANNEL: { "head": format!("{EPOCH}:{head}"), "idle_ms": 0 } }})
}

fn clock() -> Value {
    json!({"now": wall_ms() as i64, "speed": 1, "label": null})
}

async fn send(socket: &mut WebSocket, message: Value) -> Result<(), axum::Error> {
    socket.send(Message::Text(message.to_string().into())).await
}
