//! What folding costs: one JSON line a figure. There are no limits here; `scripts/bench.sh` compares.

// A figure on standard output is what a bench is for, and one that can't be taken has nothing to go on with.
#![allow(missing_docs, clippy::print_stdout, clippy::panic)]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use watchfloor_board::{Aggregate, Board, config};
use watchfloor_model::{Delivery, Event, Mono, Payload, Phase, SourceClock, SourceStatus, Timestamp};

const BOARD: &str = include_str!("../../../examples/new-york-departures.toml");
/// The board of the benchmarks of the whole, whose table and windows change with every event.
const ORDERS: &str = include_str!("../../../tests/boards/orders.toml");
const START: i64 = 1_360_335_600_000;
/// Events that come together, as from one frame of a busy connection.
const BATCH: usize = 512;
/// Events a millisecond of the source's time.
const EVENTS_A_MS: usize = 10;
const EVENTS: usize = 2_000_000;
/// The same in a flood of orders.
const ORDERS_A_MS: usize = 200;

fn main() {
    board();
    orders();
    for (name, span) in [("window_minute", "1m"), ("window_hour", "1h"), ("window_week", "7d")] {
        let settings = format!("kind = \"window\"\nlast = \"{span}\"\nstat = \"sum\"\nvalue = \"delay\"");
        print(name, nanos_per_event(&settings), "ns");
    }
    print("unwanted", nanos_per_event("kind = \"counter\"\non = \"other\""), "ns");
    print("counter", nanos_per_event("kind = \"counter\""), "ns");
    print("percentile", nanos_per_event("kind = \"window\"\nlast = \"1h\"\nstat = \"p95\"\nvalue = \"delay\""), "ns");
    let distinct = "kind = \"window\"\nlast = \"1h\"\nstat = \"distinct\"\nvalue = \"key\"";
    print("distinct", nanos_per_event(distinct), "ns");
    let table =
        "kind = \"table\"\nkey = \"key\"\ncolumns = [{ path = \"delay\" }, { path = \"status\" }]\nsort = \"sched\"";
    print("table", nanos_per_event(table), "ns");
    let markers = "kind = \"markers\"\non = \"aircraft.position\"\nkey = \"key\"\nlat = \"lat\"\nlon = \"lon\"";
    print("markers", nanos_per_event(markers), "ns");
}

/// The example board under a flood.
fn board() {
    let board = config::parse(BOARD, "new-york-departures.toml");
    let board = board.unwrap_or_else(|error| panic!("the example board is sound: {error}"));
    print("board_widgets", board.widgets.len() as f64, "1");
    let mut wall = Board::new(board, Mono::ZERO);
    wall.handle_status("ops", status(), Mono::ZERO);
    let mut deliveries: Vec<Delivery> = batches().into_iter().map(Delivery::Events).collect();
    let (mut number, mut now) = (0, Mono::ZERO);
    let began = Instant::now();
    while number < EVENTS {
        for delivery in &mut deliveries {
            let Delivery::Events(events) = delivery else { continue };
            number = place_in_time(events, number);
            now = Mono::from_millis((number / EVENTS_A_MS) as u64);
            wall.handle_delivery("ops", delivery, now);
        }
    }
    print("board_events", number as f64 / began.elapsed().as_secs_f64(), "1/s");

    let began = Instant::now();
    let frames = 1000;
    for _ in 0..frames {
        black_box(wall.frame(0, 0, now, Timestamp::default()));
    }
    print("whole_frame", began.elapsed().as_secs_f64() * 1e6 / f64::from(frames), "us");
}

/// A flood in which each event is a new row, and hundreds come in a millisecond.
fn orders() {
    let file = config::parse(ORDERS, "orders.toml");
    let file = file.unwrap_or_else(|error| panic!("the board of the benchmarks is sound: {error}"));
    let mut wall = Board::new(file, Mono::ZERO);
    wall.handle_status("orders", status(), Mono::ZERO);
    let (mut number, mut took) = (0, Duration::ZERO);
    while number < EVENTS / 2 {
        let delivery = Delivery::Events((number..number + BATCH).map(order).collect());
        number += BATCH;
        let began = Instant::now();
        wall.handle_delivery("orders", &delivery, Mono::from_millis((number / ORDERS_A_MS) as u64));
        drop(delivery);
        took += began.elapsed();
    }
    print("orders_events", number as f64 / took.as_secs_f64(), "1/s");
    let began = Instant::now();
    let checkpoint = black_box(wall.checkpoint(Mono::ZERO, Timestamp::default()));
    print("orders_checkpoint", began.elapsed().as_secs_f64() * 1e3, "ms");
    let text = serde_json::to_string(&checkpoint).unwrap_or_else(|error| panic!("a checkpoint is text: {error}"));
    print("orders_checkpoint_text", began.elapsed().as_secs_f64() * 1e3, "ms");
    print("orders_checkpoint_bytes", text.len() as f64, "B");
}

fn order(number: usize) -> Event {
    let key = 1 + number * 7 % 40;
    let data = json!({"id": number, "t": START, "key": key, "value": (number * 7919 % 20_000) as f64 / 100.0,
        "lat": 35.0 + (key * 37 % 250) as f64 / 10.0, "lon": -10.0 + (key * 53 % 400) as f64 / 10.0, "region": key % 4});
    Event {
        channel: "orders".into(),
        name: "order".into(),
        id: None,
        position: None,
        time: Timestamp::from_millis(START + (number / ORDERS_A_MS) as i64),
        received: Mono::ZERO,
        data: Payload::parse(&data.to_string()).unwrap_or_else(|error| panic!("the data is sound: {error}")),
    }
}

/// What one event costs an aggregate of these settings, with time told for each.
fn nanos_per_event(settings: &str) -> f64 {
    let text = format!(
        "[board]\ntitle = \"b\"\n[[source]]\nid = \"s\"\nkind = \"hub\"\nurl = \"http://127.0.0.1:1\"\n\
         channels = [\"flights\"]\n[[widget]]\nid = \"w\"\n{settings}\n"
    );
    let file = config::parse(&text, "bench.toml").unwrap_or_else(|error| panic!("the board is sound: {error}"));
    let mut own = Aggregate::new(&file.widgets[0].fold);
    let mut batches = batches();
    let mut number = 0;
    let began = Instant::now();
    while number < EVENTS {
        for events in &mut batches {
            number = place_in_time(events, number);
            for event in events.iter() {
                if own.wants(event) {
                    own.fold(event).unwrap_or_else(|error| panic!("the event is sound: {error}"));
                }
                own.advance(event.time);
            }
        }
    }
    let nanos = began.elapsed().as_nanos() as f64 / number as f64;
    black_box(own.value(0));
    nanos
}

/// Gives events their times: they are used again and again, as events just decoded are near in memory.
fn place_in_time(events: &mut [Event], first: usize) -> usize {
    for (number, event) in (first..).zip(events.iter_mut()) {
        event.time = Timestamp::from_millis(START + (number / EVENTS_A_MS) as i64);
    }
    first + events.len()
}

/// Events as a busy day of the example board brings them.
fn batches() -> Vec<Vec<Event>> {
    let names: Vec<Arc<str>> = ["flight.scheduled", "flight.departed", "aircraft.position", "flight.cancelled"]
        .into_iter()
        .map(Arc::from)
        .collect();
    let channel: Arc<str> = "flights".into();
    let event = |number: usize| {
        let name = match number % 20 {
            0..=2 => 0,
            3..=5 => 1,
            6 => 3,
            _ => 2,
        };
        Event {
            channel: Arc::clone(&channel),
            name: Arc::clone(&names[name]),
            id: None,
            position: None,
            time: Timestamp::from_millis(START),
            received: Mono::ZERO,
            data: data(number, name).into(),
        }
    };
    let all: Vec<usize> = (0..BATCH * 4).collect();
    all.chunks(BATCH).map(|numbers| numbers.iter().map(|number| event(*number)).collect()).collect()
}

fn data(number: usize, name: usize) -> Value {
    let flight = number % 700;
    let key = format!("2013-02-08/UA{flight}/EWR");
    let origin = ["EWR", "JFK", "LGA"][flight % 3];
    if name == 2 {
        let turn = (number % 1000) as f64 / 1000.0;
        return json!({"key": key, "lat": 40.0 + turn, "lon": -74.0 - turn, "heading": turn * 360.0});
    }
    let status = ["scheduled", "departed", "", "cancelled"][name];
    json!({"key": key, "flight": format!("UA {flight}"), "origin": origin, "dest_name": "Chicago", "status": status,
        "sched": START + flight as i64 * 60_000, "expected": START + flight as i64 * 60_000 + 900_000,
        "delay": number % 90, "on_time": number.is_multiple_of(3), "off_board": START + 86_400_000})
}

fn status() -> SourceStatus {
    let clock = SourceClock { at: Timestamp::from_millis(START), read: Mono::ZERO, speed: 1.0, label: None };
    SourceStatus { phase: Phase::Live, link_proof: Some(Mono::ZERO), clock: Some(clock), ..SourceStatus::default() }
}

fn print(metric: &str, value: f64, unit: &str) {
    println!("{}", json!({"bench": "fold", "metric": metric, "value": value, "unit": unit}));
}
