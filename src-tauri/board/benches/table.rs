//! What a table of 100,000 rows costs: one JSON line a figure.

// A figure on standard output is what a bench is for, and one that can't be taken has nothing to go on with.
#![allow(missing_docs, clippy::print_stdout, clippy::panic)]

use std::{hint::black_box, time::Instant};

use serde_json::json;
use watchfloor_board::{
    Board, config,
    frame::{ColumnSort, RowsQuery},
};
use watchfloor_model::{Delivery, Event, Mono, Payload, Phase, SourceClock, SourceStatus, Timestamp};

const ROWS: usize = 100_000;
const BATCH: usize = 512;
const START: i64 = 1_360_335_600_000;
const BOARD: &str = r#"
[board]
title = "Calls"
[[source]]
id = "s"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["calls"]
[[widget]]
id = "calls"
kind = "table"
key = "id"
columns = [{ path = "what" }, { path = "area" }, { path = "came", format = "time" }, { path = "load", format = "number" }, { path = "state", format = "state" }]
SORT
state = "state"
states = { open = "alarm", held = "warning", done = "muted", busy = "normal" }
"#;

fn main() {
    table("one", "sort = \"load\"");
    table("grouped", "group = \"area\"\nsort = [\"-load\", \"came\"]");
}

fn table(name: &str, sort: &str) {
    let file = config::parse(&BOARD.replace("SORT", sort), "bench.toml");
    let mut board = Board::new(file.unwrap_or_else(|error| panic!("the board is sound: {error}")), Mono::ZERO);
    board.handle_status("s", status(), Mono::ZERO);
    let deliveries = batches(0);
    let before = resident();
    let began = Instant::now();
    for delivery in &deliveries {
        board.handle_delivery("s", delivery, Mono::ZERO);
    }
    let insert = began.elapsed();
    let grown = resident().saturating_sub(before);
    // The second table has the memory that the first one gave back.
    if grown > 0 {
        print(name, "row_bytes", grown as f64 / ROWS as f64, "B");
    }
    print(name, "insert", insert.as_nanos() as f64 / ROWS as f64, "ns");

    // Every row gets another place.
    let moved = batches(1);
    let began = Instant::now();
    for delivery in &moved {
        board.handle_delivery("s", delivery, Mono::ZERO);
    }
    let moving = began.elapsed();
    print(name, "move", moving.as_nanos() as f64 / ROWS as f64, "ns");
    let mut raw: Vec<(f64, String)> = (0..ROWS).map(|number| (load(number, 1), format!("C-{number}"))).collect();
    let began = Instant::now();
    raw.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let sorting = began.elapsed();
    black_box(raw);
    print(name, "raw_sort", sorting.as_nanos() as f64 / ROWS as f64, "ns");
    print(name, "move_to_raw_sort", moving.as_secs_f64() / sorting.as_secs_f64(), "ratio");
    print(name, "raw_sorts_spared_an_event", ROWS as f64 * sorting.as_secs_f64() / moving.as_secs_f64(), "ratio");

    let mut version = 0;
    let began = Instant::now();
    for delivery in moved.iter().take(100) {
        board.handle_delivery("s", delivery, Mono::ZERO);
        version = black_box(board.frame(version, 0, Mono::ZERO, Timestamp::default())).version;
    }
    print(name, "batch_and_frame", began.elapsed().as_secs_f64() * 1e4, "us");

    let ask = |what: &str, query: RowsQuery| {
        let query = RowsQuery { widget: "calls".to_owned(), count: 60, ..query };
        let began = Instant::now();
        for _ in 0..10 {
            black_box(board.rows(&query, Mono::ZERO));
        }
        print(name, what, began.elapsed().as_secs_f64() * 1e2, "ms");
    };
    ask("window", RowsQuery { offset: 90_000, key: Some("C-500".to_owned()), ..RowsQuery::default() });
    ask("find", RowsQuery { find: "chest held".to_owned(), ..RowsQuery::default() });
    ask("sort", RowsQuery { sort: Some(ColumnSort { column: 0, descending: true }), ..RowsQuery::default() });

    let began = Instant::now();
    let checkpoint = black_box(board.checkpoint(Mono::ZERO, Timestamp::default()));
    print(name, "checkpoint", began.elapsed().as_secs_f64() * 1e3, "ms");
    let text = serde_json::to_string(&checkpoint).unwrap_or_else(|error| panic!("a checkpoint is text: {error}"));
    print(name, "checkpoint_bytes", text.len() as f64, "B");
}

fn load(number: usize, round: usize) -> f64 {
    ((number * 7919 + round * 104_729) % 1_000_003) as f64
}

fn batches(round: usize) -> Vec<Delivery> {
    let all: Vec<usize> = (0..ROWS).collect();
    let event = |number: &usize| {
        let number = *number;
        let what = ["Chest pain", "Fall at home", "Traffic accident", "Transfer"][number % 4];
        let area = ["North", "South", "East", "West", "Centre"][number / 7 % 5];
        let state = ["open", "held", "done", "busy", "busy"][number % 5];
        let data = json!({"id": format!("C-{number}"), "what": what, "area": area, "came": START + number as i64,
            "load": load(number, round), "state": state});
        Event {
            channel: "calls".into(),
            name: "call".into(),
            id: None,
            position: None,
            time: Timestamp::from_millis(START),
            received: Mono::ZERO,
            data: Payload::from(data),
        }
    };
    all.chunks(BATCH).map(|numbers| Delivery::Events(numbers.iter().map(event).collect())).collect()
}

fn status() -> SourceStatus {
    let clock = SourceClock { at: Timestamp::from_millis(START), read: Mono::ZERO, speed: 1.0, label: None };
    SourceStatus { phase: Phase::Live, link_proof: Some(Mono::ZERO), clock: Some(clock), ..SourceStatus::default() }
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

fn print(table: &str, metric: &str, value: f64, unit: &str) {
    println!("{}", json!({"bench": "table", "table": table, "metric": metric, "value": value, "unit": unit}));
}
