//! What rules cost where they don't concern an event, and what a turn costs where many alarms stand: one JSON line a figure, against its limit.

// A figure on standard output is what a bench is for, and one that can't be taken has nothing to go on with.
#![allow(missing_docs, clippy::print_stdout, clippy::panic)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use watchfloor_board::{Board, config};
use watchfloor_model::{
    Delivery, Event, Mono, Payload, Phase, Position, Snapshot, SourceClock, SourceStatus, Timestamp,
};

const START: i64 = 1_360_335_600_000;
/// What the journal hands over at once at 10,000 events a second: it commits every 8 ms.
const BATCH: usize = 80;
/// Events a millisecond of the source's time.
const EVENTS_A_MS: usize = 10;
const BATCHES: usize = 250;
/// Each figure is the middle one of so many.
const ROUNDS: usize = 9;
/// What one rule may cost an event that doesn't concern it.
const LIMIT_NS: f64 = 300.0;
/// Widgets that rules ask about, besides the one that the events are for.
const WIDGETS: usize = 100;

const HEAD: &str = r#"
[board]
title = "Rules"
grid = { columns = 16, rows = 12 }
[alarms]
source-lost = "none"
[[source]]
id = "s"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["calls", "others"]
[[source]]
id = "t"
kind = "hub"
url = "http://127.0.0.1:2"
channels = ["calls"]
[[widget]]
id = "own"
kind = "gauge"
source = "s"
channels = ["calls"]
on = "e"
value = "value"
"#;

/// Why no rule is concerned.
#[derive(Clone, Copy)]
enum Unconcerned {
    OtherSource,
    OtherChannel,
    OtherName,
    EventsOfAnotherName,
    EventsOfAnotherChannel,
    EventsElsewhere,
}

impl Unconcerned {
    const ALL: [Self; 6] = [
        Self::OtherSource,
        Self::OtherChannel,
        Self::OtherName,
        Self::EventsOfAnotherName,
        Self::EventsOfAnotherChannel,
        Self::EventsElsewhere,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::OtherSource => "widgets_of_another_source",
            Self::OtherChannel => "widgets_of_another_channel",
            Self::OtherName => "widgets_of_another_name",
            Self::EventsOfAnotherName => "events_of_another_name",
            Self::EventsOfAnotherChannel => "events_of_another_channel",
            Self::EventsElsewhere => "events_where_it_fails",
        }
    }

    /// Its rules, and the widgets that they ask about.
    fn rules(self, count: usize) -> String {
        let mut text = String::new();
        let widgets = match self {
            Self::OtherSource => "source = \"t\"\non = \"e\"",
            Self::OtherChannel => "source = \"s\"\nchannels = [\"others\"]\non = \"e\"",
            _ => "source = \"s\"\non = \"n\"",
        };
        for number in 0..WIDGETS {
            let _ = write!(text, "[[widget]]\nid = \"w{number}\"\nkind = \"gauge\"\n{widgets}\nvalue = \"value\"\n");
        }
        for number in 0..count {
            let judged = match self {
                Self::OtherSource | Self::OtherChannel | Self::OtherName => {
                    format!("when = \"w{} > {number}\"", number % WIDGETS)
                }
                Self::EventsOfAnotherName => {
                    format!("source = \"s\"\non = \"n{number}\"\nkey = \"key\"\nraise = \"event.value > {number}\"")
                }
                Self::EventsOfAnotherChannel => {
                    format!(
                        "source = \"s\"\nchannels = [\"others\"]\nkey = \"key\"\nraise = \"event.value > {number}\""
                    )
                }
                Self::EventsElsewhere => format!(
                    "source = \"s\"\non = \"e\"\nkey = \"key\"\nwhere = {{ site = \"s-{number}\" }}\n\
                     raise = \"event.value > {number}\""
                ),
            };
            let _ = write!(text, "[[alarm]]\nid = \"a{number}\"\n{judged}\n");
        }
        text
    }
}

fn main() {
    for why in Unconcerned::ALL {
        let mut took = Vec::new();
        for count in [0, 1000, 5000] {
            let mut wall = Wall::new(&why.rules(count));
            // Once, each is asked: what is to be said of its widgets is known from then on.
            wall.fold();
            let before = wall.board.conditions_evaluated();
            let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| wall.fold()).collect();
            rounds.sort_by(f64::total_cmp);
            took.push((count, rounds[ROUNDS / 2]));
            let evaluated = wall.board.conditions_evaluated() - before;
            print(&format!("{}_evaluated_of_{count}", why.name()), evaluated as f64, "1", None);
            assert_eq!(evaluated, 0, "a rule was evaluated for an event that doesn't concern it");
        }
        let none = took[0].1;
        print(&format!("{}_event_without_rules", why.name()), none, "ns", None);
        for (count, own) in &took[1..] {
            let each = (own - none) / *count as f64;
            print(&format!("{}_a_rule_of_{count}", why.name()), each, "ns", Some(LIMIT_NS));
        }
    }
    for standing in [0, 1000, 5000] {
        turns(standing);
    }
    tiles();
}

/// A board as the program's loop treats it.
struct Wall {
    board: Board,
    /// Events so far.
    clock: usize,
    /// When its sources last proved that they live.
    proven: Mono,
}

impl Wall {
    fn new(rules: &str) -> Self {
        let file = config::parse(&format!("{HEAD}{rules}"), "bench.toml");
        let board = Board::new(file.unwrap_or_else(|error| panic!("the board is sound: {error}")), Mono::ZERO);
        let mut wall = Self { board, clock: 0, proven: Mono::ZERO };
        wall.prove(Mono::ZERO);
        // Nothing has happened yet, and that is known.
        for source in ["s", "t"] {
            let place = |channel: &str| (Arc::from(channel), Position::new("e", 0));
            let snapshot = Snapshot {
                positions: ["calls", "others"].into_iter().map(place).collect(),
                clock: clock(Mono::ZERO),
                since: None,
                aggregates: BTreeMap::new(),
                received: Mono::ZERO,
            };
            wall.board.handle_delivery(source, &Delivery::Snapshot(snapshot), Mono::ZERO);
        }
        wall
    }

    fn prove(&mut self, now: Mono) {
        self.proven = now;
        ["s", "t"].into_iter().for_each(|source| self.board.handle_status(source, status(now), now));
    }

    /// What one event takes when nothing else is to be done.
    fn fold(&mut self) -> f64 {
        let deliveries: Vec<(Delivery, Mono)> = (0..BATCHES)
            .map(|_| {
                let events = (0..BATCH).map(|_| {
                    self.clock += 1;
                    let data = json!({"key": self.clock % 40, "value": self.clock % 997, "site": "elsewhere"});
                    event("calls", "e", self.clock, &data)
                });
                (Delivery::Events(events.collect()), Mono::from_millis((self.clock / EVENTS_A_MS) as u64))
            })
            .collect();
        let began = Instant::now();
        deliveries.iter().for_each(|(delivery, now)| self.turn(delivery, *now));
        began.elapsed().as_nanos() as f64 / (BATCHES * BATCH) as f64
    }

    /// A turn of the loop, with what sources say each second.
    fn turn(&mut self, delivery: &Delivery, now: Mono) {
        if now.since(self.proven) >= Duration::from_secs(1) {
            self.prove(now);
        }
        let board = &mut self.board;
        board.set_wall(Timestamp::from_millis(START).plus(now.since(Mono::ZERO)), now);
        board.handle_delivery("s", delivery, now);
        black_box(board.take_alarm_changes());
        black_box(board.take_alarm_floods());
        black_box(board.poll_timeout(now));
    }

    /// What a turn takes with one event that sets a widget's value, in microseconds.
    fn set(&mut self, widget: usize, value: usize) -> f64 {
        self.clock += 1;
        let event = event("calls", &format!("n{widget}"), self.clock, &json!({ "value": value }));
        let began = Instant::now();
        self.turn(&Delivery::Events(vec![event]), Mono::from_millis(self.clock as u64 * 20));
        began.elapsed().as_secs_f64() * 1e6
    }
}

/// What a turn takes while others stand, of 5,000 rules, some with parents and groups.
fn turns(standing: usize) {
    const RULES: usize = 5000;
    const TURNS: usize = 200;
    let mut text = String::new();
    for number in 0..WIDGETS {
        let _ = write!(
            text,
            "[[widget]]\nid = \"w{number}\"\nkind = \"gauge\"\nsource = \"s\"\non = \"n{number}\"\nvalue = \"value\"\n"
        );
    }
    for number in 0..RULES {
        let more = match number % 10 {
            0 => "parents = [\"a1\"]",
            1 => "group = \"g\"",
            _ => "",
        };
        // Of each widget, the last of its 50 rules turns with each value of those that are measured; of the others so many hold as are to.
        let least = if number >= RULES - WIDGETS {
            1000
        } else if number < standing {
            0
        } else {
            10_000
        };
        let _ = write!(text, "[[alarm]]\nid = \"a{number}\"\nwhen = \"w{} > {least}\"\n{more}\n", number % WIDGETS);
    }
    let mut wall = Wall::new(&text);
    for widget in 0..WIDGETS {
        wall.set(widget, 1);
    }
    let stand = wall.board.alarms().standing().len();
    assert_eq!(stand, standing.min(RULES - WIDGETS), "alarms stand as they are meant to");
    let evaluated = wall.board.conditions_evaluated();
    let mut times: Vec<f64> = (0..TURNS).map(|number| wall.set(0, 990 + 20 * (number % 2))).collect();
    times.sort_by(f64::total_cmp);
    let evaluated = (wall.board.conditions_evaluated() - evaluated) as f64 / TURNS as f64;
    print(&format!("turn_with_{stand}_standing"), times[TURNS / 2], "us", None);
    print(&format!("turn_with_{stand}_standing_evaluated"), evaluated, "1", None);
    let now = Mono::from_millis(wall.clock as u64 * 20);
    let began = Instant::now();
    for _ in 0..20 {
        black_box(wall.board.frame(0, 0, now, Timestamp::default()));
    }
    print(&format!("frame_with_{stand}_standing"), began.elapsed().as_secs_f64() * 1e6 / 20.0, "us", None);
}

/// What a turn takes where 200 rules ask what 200 tiles mean, and one of them changes.
fn tiles() {
    let mut text = "[[widget]]\nid = \"tiles\"\nkind = \"status\"\nsource = \"s\"\non = \"tile\"\nkey = \"key\"\nstate = \"state\"\n\
                    states = { bad = \"alarm\", good = \"normal\" }\n"
        .to_owned();
    for number in 0..200 {
        let _ = write!(text, "[[alarm]]\nid = \"a{number}\"\nwhen = \"tiles.alarm > {}\"\n", 1000 + number);
    }
    let mut wall = Wall::new(&text);
    let mut times: Vec<f64> = (0..1000)
        .map(|number: usize| {
            wall.clock += 1;
            let data = json!({"key": number % 200, "state": if number.is_multiple_of(3) { "bad" } else { "good" }});
            let event = event("calls", "tile", wall.clock, &data);
            let began = Instant::now();
            wall.turn(&Delivery::Events(vec![event]), Mono::from_millis(wall.clock as u64 * 20));
            began.elapsed().as_secs_f64() * 1e6
        })
        .skip(200)
        .collect();
    times.sort_by(f64::total_cmp);
    print("turn_of_a_tile_of_200_by_200_rules", times[times.len() / 2], "us", None);
}

fn event(channel: &str, name: &str, number: usize, data: &serde_json::Value) -> Event {
    Event {
        channel: channel.into(),
        name: name.into(),
        id: None,
        position: None,
        time: Timestamp::from_millis(START + (number / EVENTS_A_MS) as i64),
        received: Mono::ZERO,
        data: Payload::parse(&data.to_string()).unwrap_or_else(|error| panic!("the data is sound: {error}")),
    }
}

fn status(now: Mono) -> SourceStatus {
    SourceStatus { phase: Phase::Live, link_proof: Some(now), clock: Some(clock(now)), ..SourceStatus::default() }
}

fn clock(now: Mono) -> SourceClock {
    SourceClock { at: Timestamp::from_millis(START).plus(now.since(Mono::ZERO)), read: now, speed: 1.0, label: None }
}

fn print(metric: &str, value: f64, unit: &str, limit: Option<f64>) {
    let round = |value: f64| (value * 100.0).round() / 100.0;
    let ratio = limit.map(|limit| (value / limit * 10_000.0).round() / 10_000.0);
    let line = json!({"bench": "alarms", "metric": metric, "value": round(value), "unit": unit, "limit": limit, "ratio": ratio});
    println!("{line}");
}
