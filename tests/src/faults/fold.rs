//! What each widget must show of a list of events: plain and slow, and nothing of the board's. The rules are those of
//! `docs/board-files.md` for the board in `board`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::board::{BUCKET_MS, LINES, ROWS};

/// What a publisher says.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// Counts up by one from 1.
    pub number: u64,
    /// Milliseconds since 1970; never less than that of the event before.
    pub time: i64,
}

impl Said {
    /// The channel's name.
    #[must_use]
    pub const fn channel(self) -> &'static str {
        if self.number.is_multiple_of(2) { "c0" } else { "c1" }
    }

    /// The event's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.mixed() % 8 {
            0 => "drop",
            1 => "note",
            _ => "set",
        }
    }

    /// Spreads what hangs on the number, the same for the same number.
    const fn mixed(self) -> u64 {
        self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24
    }

    const fn key_number(self) -> u64 {
        self.mixed() / 8 % 7
    }

    fn key(self) -> String {
        format!("k{}", self.key_number())
    }

    const fn value(self) -> u64 {
        self.mixed() / 64 % 1000
    }

    const fn is_bad(self) -> bool {
        (self.mixed() / 65_536).is_multiple_of(5)
    }

    const fn word(self) -> &'static str {
        if self.is_bad() { "bad" } else { "ok" }
    }

    const fn meaning(self) -> &'static str {
        if self.is_bad() { "alarm" } else { "normal" }
    }

    fn lat(self) -> f64 {
        (self.value() % 80) as f64
    }

    fn lon(self) -> f64 {
        (self.value() % 170) as f64
    }

    /// As the hub takes it.
    #[must_use]
    pub fn event(self) -> Value {
        let data = json!({
            "n": self.number, "k": self.key(), "v": self.value(), "s": self.word(), "lat": self.lat(), "lon": self.lon(),
        });
        json!({"channel": self.channel(), "name": self.name(), "time": self.time, "data": data})
    }
}

/// Each way in which the widgets of a report are not the fold of `events`, in words. `begun` is since when the server knows of
/// them, if it doesn't know everything: a chart may leave out what was before.
#[must_use]
pub fn differences(widgets: &Value, events: &[Said], begun: Option<i64>) -> Vec<String> {
    let sets = || events.iter().filter(|event| event.name() == "set");
    let count = events.len() as f64;
    let share = sets().filter(|event| event.is_bad()).count() as f64 / sets().count() as f64;
    let numbers = [
        ("count", Some(count)),
        ("sum", Some(sets().map(|event| event.value()).sum::<u64>() as f64)),
        ("share", share.is_finite().then_some(share)),
        ("level", sets().next_back().map(|event| event.number as f64)),
        ("rate", Some(count)),
        ("largest", sets().map(|event| event.value()).max().map(|value| value as f64)),
        ("distinct", Some(events.iter().map(|event| event.key_number()).collect::<BTreeSet<_>>().len() as f64)),
    ];
    let mut found = Vec::new();
    for (id, expected) in numbers {
        let shown = widgets[id]["value"].as_f64();
        let is_same = match (shown, expected) {
            (Some(shown), Some(expected)) => (shown - expected).abs() < 1e-9 * expected.abs().max(1.0),
            (shown, expected) => shown.is_none() && expected.is_none(),
        };
        if !is_same {
            found.push(format!("{id}: {shown:?}, expected {expected:?}"));
        }
    }
    for (id, expected) in
        [("rows", rows(events)), ("lines", lines(events)), ("tiles", tiles(events)), ("ships", ships(events))]
    {
        let shown = &widgets[id]["value"];
        if !is_same(shown, &expected) {
            found.push(format!("{id}: {shown}, expected {expected}"));
        }
    }
    found.extend(chart(&widgets["chart"]["value"], events, begun));
    found
}

/// Equal but for how a number is written.
fn is_same(shown: &Value, expected: &Value) -> bool {
    match (shown, expected) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && b.iter().all(|(key, b)| a.get(key).is_some_and(|a| is_same(a, b)))
        }
        // Nothing yet is null in a report, whatever the kind.
        (Value::Null, Value::Array(b)) => b.is_empty(),
        (Value::Null, Value::Object(b)) => b.is_empty(),
        (a, b) => a == b,
    }
}

/// The last `set` by key, with what was dropped after it left out.
fn last(events: &[Said]) -> BTreeMap<u64, Said> {
    let mut last = BTreeMap::new();
    for event in events {
        match event.name() {
            "set" => drop(last.insert(event.key_number(), *event)),
            "drop" => drop(last.remove(&event.key_number())),
            _ => {}
        }
    }
    last
}

fn rows(events: &[Said]) -> Value {
    let mut rows: Vec<Said> = last(events).into_values().collect();
    rows.sort_by_key(|event| (std::cmp::Reverse(event.value()), event.key_number()));
    rows.truncate(ROWS);
    let row =
        |event: Said| json!({"key": event.key(), "cells": [event.value(), event.word()], "state": event.meaning()});
    rows.into_iter().map(row).collect()
}

fn lines(events: &[Said]) -> Value {
    let line = |(index, event): (usize, &Said)| {
        let text = format!("{} {}", event.key(), event.number);
        json!({"number": index + 1, "time": event.time, "text": text, "state": "normal"})
    };
    events.iter().enumerate().rev().take(LINES).map(line).collect()
}

fn tiles(events: &[Said]) -> Value {
    let mut tiles: BTreeMap<u64, (Said, i64)> = BTreeMap::new();
    for event in events.iter().filter(|event| event.name() == "set") {
        let since = match tiles.get(&event.key_number()) {
            Some((before, since)) if before.is_bad() == event.is_bad() => *since,
            _ => event.time,
        };
        tiles.insert(event.key_number(), (*event, since));
    }
    let tile = |(event, since): (Said, i64)| {
        let tile = json!({"label": event.key(), "text": event.word(), "state": event.meaning(),
            "detail": event.value().to_string(), "since": since});
        (event.key(), tile)
    };
    Value::Object(tiles.into_values().map(tile).collect())
}

fn ships(events: &[Said]) -> Value {
    let ship = |event: Said| {
        let ship =
            json!({"lat": event.lat(), "lon": event.lon(), "heading": null, "label": event.key(), "state": "normal"});
        (event.key(), ship)
    };
    Value::Object(last(events).into_values().map(ship).collect())
}

/// Buckets without events are zero or not there; those before the server's own beginning may be unknown.
fn chart(shown: &Value, events: &[Said], begun: Option<i64>) -> Vec<String> {
    let mut expected: BTreeMap<i64, f64> = BTreeMap::new();
    for event in events {
        *expected.entry(event.time.div_euclid(BUCKET_MS) * BUCKET_MS).or_default() += 1.0;
    }
    let points = shown.as_array().into_iter().flatten();
    let mut found = Vec::new();
    for point in points {
        let (Some(start), shown) = (point[0].as_i64(), point[1].as_f64()) else {
            found.push(format!("chart: a point {point}"));
            continue;
        };
        let wanted = expected.remove(&start).unwrap_or(0.0);
        let may_be_unknown = begun.is_some_and(|begun| start <= begun);
        let is_same = match shown {
            Some(shown) => (shown - wanted).abs() < 1e-9,
            None => may_be_unknown || wanted == 0.0,
        };
        if !is_same {
            found.push(format!("chart at {start}: {shown:?}, expected {wanted}"));
        }
    }
    let is_known = |start: &i64| begun.is_none_or(|begun| *start > begun);
    found.extend(expected.keys().filter(|start| is_known(start)).map(|start| format!("chart: nothing at {start}")));
    found
}
