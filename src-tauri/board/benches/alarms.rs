//! What rules cost where they don't concern an event, and what a turn costs where many alarms stand: one JSON line a figure, against its limit.

// A figure on standard output is what a bench is for, and one that can't be taken has nothing to go on with.
#![allow(missing_docs, clippy::print_stdout, clippy::panic)]

use std::{fmt::Write as _, hint::black_box, time::Instant};

use serde_json::json;
use watchfloor_board::{Board, config};
use watchfloor_model::{Delivery, Event, Mono, Payload, Phase, SourceClock, SourceStatus, Timestamp};

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
            let (mut board, mut clock) = (board(&why.rules(count)), 0);
            let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| fold(&mut board, &mut clock)).collect();
            rounds.sort_by(f64::total_cmp);
            took.push((count, rounds[ROUNDS / 2]));
            let evaluated = board.conditions_evaluated();
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
}

fn board(rules: &str) -> Board {
    let file = config::parse(&format!("{HEAD}{rules}"), "bench.toml");
    let mut board = Board::new(file.unwrap_or_else(|error| panic!("the board is sound: {error}")), Mono::ZERO);
    board.handle_status("s", status(), Mono::ZERO);
    board.handle_status("t", status(), Mono::ZERO);
    board
}

/// What one event takes, as the program's loop treats it.
fn fold(board: &mut Board, clock: &mut usize) -> f64 {
    let deliveries: Vec<(Delivery, Mono)> = (0..BATCHES)
        .map(|_| {
            let events = (0..BATCH).map(|_| {
                *clock += 1;
                event("calls", "e", *clock, &json!({"key": *clock % 40, "value": *clock % 997, "site": "elsewhere"}))
            });
            (Delivery::Events(events.collect()), Mono::from_millis((*clock / EVENTS_A_MS) as u64))
        })
        .collect();
    let began = Instant::now();
    for (delivery, now) in &deliveries {
        turn(board, delivery, *now);
    }
    began.elapsed().as_nanos() as f64 / (BATCHES * BATCH) as f64
}

/// As the program's loop does with a delivery.
fn turn(board: &mut Board, delivery: &Delivery, now: Mono) {
    board.set_wall(Timestamp::from_millis(START).plus(now.since(Mono::ZERO)), now);
    board.handle_delivery("s", delivery, now);
    black_box(board.take_alarm_changes());
    black_box(board.take_alarm_floods());
    black_box(board.poll_timeout(now));
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
        // Of each widget 50 rules: all but the last hold by its first value, the last one turns with each further one.
        let least = if number >= RULES - WIDGETS { 1000 } else { number };
        let _ = write!(text, "[[alarm]]\nid = \"a{number}\"\nwhen = \"w{} > {least}\"\n{more}\n", number % WIDGETS);
    }
    let mut board = board(&text);
    let mut clock = 0;
    let mut deliver = |board: &mut Board, widget: usize, value: usize| {
        clock += 1;
        let event = event("calls", &format!("n{widget}"), clock, &json!({ "value": value }));
        let now = Mono::from_millis(clock as u64 * 20);
        let began = Instant::now();
        turn(board, &Delivery::Events(vec![event]), now);
        began.elapsed().as_secs_f64() * 1e6
    };
    // Of the rules below it, all hold.
    for widget in 0..WIDGETS {
        deliver(&mut board, widget, standing.min(999));
    }
    let stand = board.alarms().standing().len();
    let evaluated = board.conditions_evaluated();
    let mut times: Vec<f64> = (0..TURNS).map(|number| deliver(&mut board, 0, 990 + 20 * (number % 2))).collect();
    times.sort_by(f64::total_cmp);
    print(&format!("turn_with_{stand}_standing"), times[TURNS / 2], "us", None);
    print(
        &format!("turn_with_{stand}_standing_evaluated"),
        (board.conditions_evaluated() - evaluated) as f64 / TURNS as f64,
        "1",
        None,
    );
    let now = Mono::from_millis(10_000_000);
    let began = Instant::now();
    for _ in 0..20 {
        black_box(board.frame(0, 0, now, Timestamp::default()));
    }
    print(&format!("frame_with_{stand}_standing"), began.elapsed().as_secs_f64() * 1e6 / 20.0, "us", None);
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

fn status() -> SourceStatus {
    SourceStatus {
        phase: Phase::Live,
        proven_at: Some(Mono::ZERO),
        live_since: Some(Mono::ZERO),
        clock: Some(SourceClock { now: Timestamp::from_millis(START), at: Mono::ZERO, speed: 1.0 }),
        ..SourceStatus::default()
    }
}

fn print(metric: &str, value: f64, unit: &str, limit: Option<f64>) {
    let round = |value: f64| (value * 100.0).round() / 100.0;
    let ratio = limit.map(|limit| (value / limit * 10_000.0).round() / 10_000.0);
    let line = json!({"bench": "alarms", "metric": metric, "value": round(value), "unit": unit, "limit": limit, "ratio": ratio});
    println!("{line}");
}
