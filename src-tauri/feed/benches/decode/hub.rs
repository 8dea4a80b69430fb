//! A hub: lines, as many in a message as its bound allows.

use serde_json::json;
use watchfloor_feed::{FetchId, Input, Kind, Response};
use watchfloor_model::Transport;

use crate::{
    flights::{self, CHANNEL, NAME},
    rig::{Rig, Said, Talk, chunks},
};

const LINES: u64 = 512;

pub(crate) fn websocket() -> Talk {
    let frame = |number| Said::text(frame(number));
    let said = (0..flights::COUNT / LINES).map(frame).collect();
    let rig = live(Transport::WebSocket, |text| Said::text(text));
    Talk { rig, said, json: lines() }
}

/// Each event of the stream is as many lines of the hub's.
pub(crate) fn sse() -> Talk {
    let body: String = (0..flights::COUNT / LINES).map(|number| event(&frame(number))).collect();
    let rig = live(Transport::Sse, |text| Said::chunk(event(text)));
    Talk { rig, said: chunks(body.as_bytes()), json: lines() }
}

fn line(number: u64) -> String {
    let (time, data) = (flights::time(number), flights::data(number));
    format!(
        r#"{{"type":"event","channel":"{CHANNEL}","position":"k3x9:{}","name":"{NAME}","time":{time},"data":{data}}}"#,
        number + 1
    )
}

fn lines() -> Vec<String> {
    (0..flights::COUNT).map(line).collect()
}

fn frame(number: u64) -> String {
    (number * LINES..(number + 1) * LINES).map(line).collect::<Vec<_>>().join("\n")
}

fn event(frame: &str) -> String {
    let lines: String = frame.lines().map(|line| format!("data: {line}\n")).collect();
    format!("id: {CHANNEL}~k3x9:1\n{lines}\n")
}

fn live(transport: Transport, said: impl Fn(&str) -> Said) -> Rig {
    let clock = json!({"now": 1_360_335_600_000_i64, "speed": 1, "label": null});
    let lines = [
        json!({"type": "hello", "protocol": 1, "hub": "bench", "heartbeat_ms": 1000, "clock": clock}),
        json!({"type": "subscribed", "channel": CHANNEL, "head": "k3x9:0", "from": "k3x9:0", "recovered": false,
            "reason": "fresh"}),
        json!({"type": "heartbeat", "clock": clock, "channels": {CHANNEL: {"head": "k3x9:0", "idle_ms": 0}}}),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let rig = Rig::new(Kind::Hub, "http://hub.example/", |config| config.ladder = vec![transport]);
    let mut rig = rig.opened(&[said(&text)]);
    let snapshot = json!({"positions": {CHANNEL: "k3x9:0"}, "clock": clock, "aggregates": {}}).to_string();
    let response = Response::new(200, snapshot);
    rig.hear(Input::Fetched { fetch: FetchId(1), outcome: Ok(response) });
    rig
}
