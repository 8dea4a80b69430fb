//! How fast a live feed takes events, against what parsing the same lines to a JSON value costs.
//!
//! Prints one JSON line a figure: `{"bench":…,"metric":…,"value":…,"unit":…,"limit":…,"ratio":…}`. `limit` is measured
//! in the same run: `serde_json::from_str::<Value>` of every line, once.
#![allow(clippy::print_stdout, clippy::panic)]
#![allow(missing_docs)]

use std::{hint::black_box, sync::Arc, time::Duration, time::Instant};

use serde_json::json;
use watchfloor_feed::{Bytes, Feed, FetchId, Input, LinkId, Output, Response, SourceConfig};
use watchfloor_model::{Delivery, Mono, Transport};

/// Messages a frame: the hub's own bound.
const FRAME_EVENTS: u64 = 512;
const FRAMES: u64 = 1000;
const ROUNDS: u32 = 5;
const LINK: LinkId = LinkId(1);

fn main() {
    let frames: Vec<String> = (0..FRAMES).map(frame).collect();
    let bytes = frames.iter().map(String::len).sum::<usize>() as f64;
    let events = (FRAMES * FRAME_EVENTS) as f64;
    let rounds = |run: &dyn Fn() -> Duration| (0..ROUNDS).map(|_| run()).min().unwrap_or_default().as_secs_f64();
    let parse = rounds(&|| parse(&frames));
    for (name, transport) in [("websocket", Transport::WebSocket), ("sse", Transport::Sse)] {
        let input: Vec<Bytes> = frames.iter().map(|frame| pack(frame, transport)).collect();
        let took = rounds(&|| take(&input, transport));
        let figure = |metric: &str, value: f64, unit: &str, limit: f64| {
            let line = json!({"bench": format!("decode-{name}"), "metric": metric, "value": value.round(), "unit": unit,
                "limit": limit.round(), "ratio": (value / limit * 1000.0).round() / 1000.0});
            println!("{line}");
        };
        figure("events", events / took, "events/s", events / parse);
        figure("bytes", bytes / took, "bytes/s", bytes / parse);
    }
}

/// Lines of about 200 bytes.
fn frame(number: u64) -> String {
    let line = |index: u64| {
        let offset = number * FRAME_EVENTS + index + 1;
        let data = json!({"carrier": "UA", "flight": offset % 2000, "origin": "EWR", "dest": "IAH", "delay": 17.5});
        format!(
            r#"{{"type":"event","channel":"flights","position":"k3x9:{offset}","name":"flight.departed","time":{},"data":{data}}}"#,
            1_360_339_200_000 + offset
        )
    };
    (0..FRAME_EVENTS).map(line).collect::<Vec<_>>().join("\n")
}

fn pack(frame: &str, transport: Transport) -> Bytes {
    if transport == Transport::WebSocket {
        return Bytes::copy_from_slice(frame.as_bytes());
    }
    let lines: String = frame.lines().map(|line| format!("data: {line}\n")).collect();
    Bytes::from(format!("id: flights~k3x9:1\n{lines}\n"))
}

fn parse(frames: &[String]) -> Duration {
    let start = Instant::now();
    for line in frames.iter().flat_map(|frame| frame.lines()) {
        let value: serde_json::Value = serde_json::from_str(line).expect("lines made above");
        black_box(value);
    }
    start.elapsed()
}

/// A live feed takes every frame; its deliveries are dropped.
fn take(input: &[Bytes], transport: Transport) -> Duration {
    let mut feed = live(transport);
    let now = Mono::from_millis(1);
    let mut events = 0;
    let start = Instant::now();
    for bytes in input {
        feed.handle_input(piece(transport, bytes.clone()), now);
        while let Some(output) = feed.poll_output() {
            if let Output::Deliver(Delivery::Events(batch)) = black_box(output) {
                events += batch.len() as u64;
            }
        }
    }
    let took = start.elapsed();
    assert_eq!(events, FRAMES * FRAME_EVENTS, "every event is delivered");
    took
}

fn piece(transport: Transport, bytes: Bytes) -> Input {
    match transport {
        Transport::WebSocket => Input::Text { link: LINK, text: bytes },
        _ => Input::Chunk { link: LINK, bytes },
    }
}

fn live(transport: Transport) -> Feed {
    let channel: Arc<str> = "flights".into();
    let config = SourceConfig {
        id: "ops".into(),
        url: "http://127.0.0.1:1/".parse().expect("an address"),
        redundant: Vec::new(),
        channels: vec![channel],
        ladder: vec![transport],
        limit: Duration::from_secs(5),
        quiet: None,
        reconcile: None,
        reorder: Duration::ZERO,
        token: None,
        asks_token: false,
    };
    let mut feed = Feed::new(config, 1);
    let clock = json!({"now": 1_360_335_600_000_i64, "speed": 1, "label": null});
    let lines = [
        json!({"type": "hello", "protocol": 1, "hub": "bench", "heartbeat_ms": 1000, "clock": clock}),
        json!({"type": "subscribed", "channel": "flights", "head": "k3x9:0", "from": "k3x9:0", "recovered": false,
            "reason": "fresh"}),
        json!({"type": "heartbeat", "clock": clock, "channels": {"flights": {"head": "k3x9:0", "idle_ms": 0}}}),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let snapshot = json!({"positions": {"flights": "k3x9:0"}, "clock": clock, "aggregates": {}}).to_string();
    feed.start(Mono::ZERO);
    feed.handle_input(Input::Opened { link: LINK }, Mono::ZERO);
    feed.handle_input(piece(transport, pack(&text, transport)), Mono::ZERO);
    let response = Response { status: 200, retry_after: None, body: snapshot.into() };
    feed.handle_input(Input::Fetched { fetch: FetchId(1), outcome: Ok(response) }, Mono::ZERO);
    while feed.poll_output().is_some() {}
    assert_eq!(feed.status().phase, watchfloor_model::Phase::Live, "{:?}", feed.status());
    feed
}
