//! How fast the hub passes events on, from an HTTP publisher to a WebSocket reader over the loopback.
//!
//! Prints one JSON object a figure: latency at 1,000 events a second, and events a second as fast as they go, beside
//! what reading and parsing the same bytes alone reaches in the same run.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use watchfloor_hub::{Hub, HubConfig};

/// Events published one by one for the latency.
const LATENCY_EVENTS: usize = 5_000;
/// The time between two of them.
const LATENCY_PERIOD: Duration = Duration::from_millis(1);
/// Events a batch for the throughput.
const BATCH_EVENTS: usize = 1_000;
/// Batches for the throughput.
const BATCHES: usize = 500;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let hub = Hub::new(HubConfig::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            hub.serve(listener, stopped).await
        });
        latency(&address).await;
        throughput(&address).await;
        drop(stop);
        serving.await.expect("no panic").expect("no error");
    });
}

async fn subscribed(address: &str, channel: &str) -> Socket {
    let (mut socket, _) = connect_async(format!("ws://{address}/v1/ws")).await.expect("a WebSocket");
    let order = json!({"type": "subscribe", "channels": {channel: null}});
    socket.send(Message::text(order.to_string())).await.expect("sent");
    loop {
        if next_text(&mut socket).await.contains("\"heartbeat\"") {
            return socket;
        }
    }
}

async fn next_text(socket: &mut Socket) -> String {
    loop {
        if let Message::Text(text) = socket.next().await.expect("open").expect("sound") {
            return text.to_string();
        }
    }
}

fn event(channel: &str, number: usize) -> Value {
    let data = json!({"carrier": "UA", "flight": number, "origin": "EWR", "dest": "LAX", "delay": 12.5});
    json!({"channel": channel, "name": "flight.departed", "time": 1_360_339_200_000_i64, "data": data})
}

/// Each event is published by a request of its own at its own time, whatever became of the one before.
async fn latency(address: &str) {
    let mut socket = subscribed(address, "latency").await;
    let reader = tokio::spawn(async move {
        let mut received = vec![None; LATENCY_EVENTS];
        while received.iter().any(Option::is_none) {
            let text = next_text(&mut socket).await;
            let now = Instant::now();
            for message in text.split('\n').map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
                if let Some(number) = message["data"]["flight"].as_u64().and_then(|number| usize::try_from(number).ok())
                {
                    received[number] = Some(now);
                }
            }
        }
        received
    });
    let client = Client::new();
    let mut ticks = interval(LATENCY_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent = Vec::new();
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..LATENCY_EVENTS {
        ticks.tick().await;
        let request = client.post(format!("http://{address}/v1/publish")).json(&event("latency", number));
        sent.push(Instant::now());
        requests.spawn(async move { request.send().await.expect("an answer").error_for_status().expect("accepted") });
    }
    while requests.join_next().await.is_some() {}
    let received = reader.await.expect("no panic");
    let mut latencies: Vec<_> = std::iter::zip(sent, received)
        .map(|(sent, received)| received.expect("all were received").duration_since(sent).as_secs_f64() * 1e3)
        .collect();
    latencies.sort_by(f64::total_cmp);
    for (metric, share) in [("latency_p50", 50), ("latency_p99", 99)] {
        report(metric, latencies[latencies.len() * share / 100], "ms", None);
    }
}

async fn throughput(address: &str) {
    let mut socket = subscribed(address, "throughput").await;
    let batches: Vec<String> = (0..BATCHES)
        .map(|batch| {
            json!((0..BATCH_EVENTS).map(|n| event("throughput", batch * BATCH_EVENTS + n)).collect::<Vec<_>>())
        })
        .map(|batch| batch.to_string())
        .collect();
    let limit = parse_alone(&batches);
    let reader = tokio::spawn(async move {
        let mut events = 0;
        while events < BATCHES * BATCH_EVENTS {
            let text = next_text(&mut socket).await;
            assert!(!text.contains(r#"{"type":"lost""#), "the reader keeps up");
            events += text.matches(r#"{"type":"event""#).count();
        }
    });
    let client = Client::new();
    let begin = Instant::now();
    for batch in batches {
        let request = client.post(format!("http://{address}/v1/publish")).header("content-type", "application/json");
        request.body(batch).send().await.expect("an answer").error_for_status().expect("accepted");
    }
    reader.await.expect("no panic");
    let rate = (BATCHES * BATCH_EVENTS) as f64 / begin.elapsed().as_secs_f64();
    report("throughput", rate, "events/s", Some(limit));
}

/// What one core reaches that only parses the same bytes.
fn parse_alone(batches: &[String]) -> f64 {
    let begin = Instant::now();
    let mut events = 0;
    for batch in batches {
        let parsed: Vec<Value> = serde_json::from_str(batch).expect("JSON");
        events += std::hint::black_box(parsed).len();
    }
    events as f64 / begin.elapsed().as_secs_f64()
}

fn report(metric: &str, value: f64, unit: &str, limit: Option<f64>) {
    let ratio = limit.map(|limit| value / limit);
    let line =
        json!({"bench": "fanout", "metric": metric, "value": value, "unit": unit, "limit": limit, "ratio": ratio});
    writeln!(std::io::stdout(), "{line}").expect("somebody reads");
}
