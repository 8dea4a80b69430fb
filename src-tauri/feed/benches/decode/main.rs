//! How fast a live feed takes what servers of each dialect say, against what parsing the JSON of it costs.
//!
//! Prints one JSON line a dialect: `{"bench":"decode","metric":…,"value":…,"unit":"1/s","limit":…,"ratio":…}`. `limit` is measured
//! right before and after: `serde_json` reads each text of JSON that an application has to read into a `Value`, once, and drops
//! it; of a binary format its library does. Both are those of the round with the median ratio, on one core. With names, only these: `cargo bench --bench decode -- mqtt`.
#![allow(clippy::print_stdout, clippy::panic)]
#![allow(missing_docs)]

mod ably;
mod centrifugo;
mod flights;
mod hub;
mod long_poll;
mod mercure;
mod mqtt;
mod nats;
mod poll;
mod pusher;
mod redis;
mod rig;
mod socketio;
mod sse;
mod websocket;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::rig::{Coded, Talk};

const ROUNDS: usize = 21;

type Make = fn() -> Talk;

/// All dialects, and the ways that cost differently.
const TALKS: [(&str, Make); 17] = [
    ("hub_websocket", hub::websocket),
    ("hub_sse", hub::sse),
    ("centrifugo", centrifugo::talk),
    ("pusher", pusher::talk),
    ("socketio", socketio::talk),
    ("ably", ably::talk),
    ("sse", sse::talk),
    ("mercure", mercure::talk),
    ("websocket", websocket::talk),
    ("long_poll", long_poll::talk),
    ("long_poll_cursor", long_poll::cursor),
    ("poll", poll::talk),
    ("redis_stream", redis::stream),
    ("redis_pubsub", redis::pubsub),
    ("nats_core", nats::core),
    ("nats_jetstream", nats::jetstream),
    ("mqtt", mqtt::talk),
];

type MakeCoded = fn() -> Coded;

/// What is no JSON.
const CODED: [(&str, MakeCoded); 3] = [
    ("websocket_msgpack", websocket::message_pack),
    ("websocket_cbor", websocket::cbor),
    ("redis_stream_fields", redis::fields),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    for (name, make) in TALKS.into_iter().filter(|(name, _)| is_wanted(name)) {
        tell(name, || round(make()));
    }
    for (name, make) in CODED.into_iter().filter(|(name, _)| is_wanted(name)) {
        tell(name, || coded_round(make()));
    }
}

fn tell(name: &str, round: impl Fn() -> (f64, f64)) {
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (value, limit) = rounds[ROUNDS / 2];
    let line = json!({"bench": "decode", "metric": format!("messages_per_second_{name}"), "value": value.round(), "unit": "1/s",
        "limit": limit.round(), "ratio": (value / limit * 1000.0).round() / 1000.0});
    println!("{line}");
}

/// Messages a second of the feed, and of parsing alone before and after it: who else is on the machine slows both.
fn round(talk: Talk) -> (f64, f64) {
    let Talk { rig, said, json } = talk;
    let parse = || parse(&json, |text| drop(black_box(value(text))));
    let before = parse();
    let took = rig.take(said, flights::COUNT);
    a_second(took, before + parse())
}

fn coded_round(talk: Coded) -> (f64, f64) {
    let Coded { rig, said, bytes, parse: read } = talk;
    let parse = || parse(&bytes, |bytes| read(bytes));
    let before = parse();
    let took = rig.take(said, flights::COUNT);
    a_second(took, before + parse())
}

fn a_second(took: Duration, parsed_twice: Duration) -> (f64, f64) {
    let a_second = |span: Duration| flights::COUNT as f64 / span.as_secs_f64();
    (a_second(took), a_second(parsed_twice / 2))
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("a text made here")
}

fn parse<T>(all: &[T], read: impl Fn(&T)) -> Duration {
    let start = Instant::now();
    for one in all {
        read(one);
    }
    start.elapsed()
}
