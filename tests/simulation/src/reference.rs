//! What each widget must show of a list of events, at an instant of the source's time: plain and slow, and nothing of the
//! board's. The rules are those of `docs/board-files.md` for the board in `board_file`.

mod fences;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::server::Published;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

/// The present minute and the 29 before it.
pub const CHART_BUCKETS: i64 = 30;

/// What is expected of a widget's value.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Exactly this.
    Value(Value),
    /// One of these: what had gone before time went back stays away.
    AnyOf(Vec<Value>),
    /// This number, or one that rounding makes of it.
    Number(Option<f64>),
    /// One of these numbers: the far edge of a window may have been further on before.
    OneOf(Vec<Option<f64>>),
    /// The newest state of each row of a timeline; what may have been missed since, it doesn't know.
    Newest(BTreeMap<String, &'static str>),
    /// A chart's counts by the start of their bucket; the others are zero, or unknown. Buckets before the instant may have
    /// left.
    Counts(BTreeMap<i64, f64>, i64),
    /// The same of each line of a chart.
    Lines(BTreeMap<String, BTreeMap<i64, f64>>, i64),
}

/// The values at `time` of what was folded, in this order. Time was `latest` before, if it has gone back since.
#[must_use]
pub fn values(events: &[Published], time: i64, latest: i64) -> Vec<(&'static str, Expected)> {
    let named = |names: &'static [&'static str]| events.iter().filter(move |event| names.contains(&event.said.name));
    let set = || named(&["set"]);
    let number = |count: usize| Some(count as f64);
    let sum = |values: &mut dyn Iterator<Item = u64>| values.sum::<u64>() as f64;
    let mean = |values: Vec<u64>| (!values.is_empty()).then(|| values.iter().sum::<u64>() as f64 / values.len() as f64);
    // Now, and each instant until `latest` at which something of this life goes.
    let times = |life: i64| {
        let ends = events.iter().map(move |event| event.time + life);
        std::iter::once(time).chain(ends.filter(move |end| time < *end && *end <= latest))
    };
    let today = time.div_euclid(DAY) * DAY;
    let set_count = set().count();
    let share = (set_count > 0).then(|| set().filter(|event| event.said.bad).count() as f64 / set_count as f64);
    let level = set().filter(|event| event.said.key == 0).max_by_key(|event| event.time);
    let level = level.map(|event| event.said.value as f64);
    let oldest = (latest.div_euclid(MINUTE) + 1 - CHART_BUCKETS) * MINUTE;
    vec![
        ("count", Expected::Number(number(named(&["set", "note"]).count()))),
        (
            "sum-today",
            Expected::Number(Some(sum(&mut set()
                .filter(|event| (today..today + DAY).contains(&event.time))
                .map(|event| event.said.value)))),
        ),
        ("mean", Expected::Number(mean(set().map(|event| event.said.value).collect()))),
        ("share", Expected::Number(share)),
        ("level", Expected::Number(level)),
        ("rate", windowed(events.iter(), time, latest, 5 * MINUTE, |all| Some(all.len() as f64 * 12.0))),
        (
            "last-mean",
            windowed(set(), time, latest, 10 * MINUTE, |all| mean(all.iter().map(|event| event.said.value).collect())),
        ),
        (
            "distinct",
            windowed(events.iter(), time, latest, 3 * MINUTE, |all| {
                Some(all.iter().map(|event| event.said.key).collect::<BTreeSet<_>>().len() as f64)
            }),
        ),
        ("rows", Expected::AnyOf(times(20 * MINUTE).map(|time| rows(events, time)).collect())),
        ("lines", Expected::Value(lines(events))),
        ("chart", Expected::Counts(chart(events, time), oldest)),
        ("named", Expected::Lines(named_lines(events, time), oldest)),
        ("sizes", Expected::Value(sizes(set().filter(|event| (today..today + DAY).contains(&event.time))))),
        ("heat", Expected::Lines(heat(events, time), oldest)),
        ("tiles", Expected::Value(tiles(events, time))),
        ("bars", Expected::Value(bars(events))),
        ("grid", Expected::Value(grid(events))),
        ("states", Expected::Newest(newest(events))),
        ("ships", Expected::AnyOf(times(30 * MINUTE).map(|gone| ships(events, gone, time)).collect())),
    ]
}

/// A statistic of what lies after `time - last` and not after `time`. What had left before time went back stays away.
fn windowed<'a>(
    events: impl Iterator<Item = &'a Published>,
    time: i64,
    latest: i64,
    last: i64,
    read: impl Fn(&[&Published]) -> Option<f64>,
) -> Expected {
    let events: Vec<&Published> = events.collect();
    let begin = time - last - coarseness(&events, last);
    let all: Vec<&Published> = events.into_iter().filter(|event| event.time > begin && event.time <= time).collect();
    let mut edges = vec![time - last, begin];
    edges.extend(all.iter().map(|event| event.time).filter(|at| *at <= latest.max(time) - last));
    let after = |edge: i64| all.iter().copied().filter(|event| event.time > edge).collect::<Vec<_>>();
    Expected::OneOf(edges.into_iter().map(|edge| read(&after(edge))).collect())
}

/// By how much a window's far edge may lie further back: a board tells so many milliseconds of it apart, and makes neighbours one
/// when there are more, until half as many stretches are left.
fn coarseness(events: &[&Published], last: i64) -> i64 {
    const TOLD_APART: usize = 4096;
    if events.len() <= TOLD_APART {
        return 0;
    }
    let mut times: Vec<i64> = events.iter().map(|event| event.time).collect();
    times.sort_unstable();
    times.dedup();
    // What has left goes with the next event.
    let most = last + last / 8;
    let is_crowded = times.windows(TOLD_APART + 1).any(|times| times[TOLD_APART] - times[0] <= most);
    if is_crowded { most / (TOLD_APART as i64 / 4) } else { 0 }
}

fn state(event: &Published) -> &'static str {
    if event.said.bad { "bad" } else { "ok" }
}

fn meaning(event: &Published) -> &'static str {
    if event.said.bad { "alarm" } else { "normal" }
}

/// The last `set` by key, or the newest, with what was removed or has been silent for too long left out.
fn last(events: &[Published], time: i64, expire: i64, newest: bool) -> BTreeMap<u64, &Published> {
    let mut by_key: BTreeMap<u64, &Published> = BTreeMap::new();
    for event in events {
        let is_older = by_key.get(&event.said.key).is_some_and(|before| event.time < before.time);
        match event.said.name {
            "set" if newest && is_older => {}
            "set" => drop(by_key.insert(event.said.key, event)),
            "drop" => drop(by_key.remove(&event.said.key)),
            _ => {}
        }
    }
    by_key.retain(|_, event| event.time + expire > time);
    by_key
}

fn rows(events: &[Published], time: i64) -> Value {
    let by_key = last(events, time, 20 * MINUTE, false);
    let mut rows: Vec<&Published> = by_key.into_values().collect();
    rows.sort_by_key(|event| (state(event), std::cmp::Reverse(event.said.value), event.said.key));
    rows.truncate(5);
    rows.into_iter()
        .map(|event| {
            json!({"key": format!("k{}", event.said.key), "cells": [event.said.value, state(event)],
                "state": meaning(event)})
        })
        .collect()
}

fn lines(events: &[Published]) -> Value {
    let said: Vec<&Published> = events.iter().filter(|event| matches!(event.said.name, "set" | "note")).collect();
    let numbered = said.iter().enumerate().rev().take(10);
    numbered
        .map(|(index, event)| {
            json!({"number": index + 1, "time": event.time, "text": format!("k{} {}", event.said.key, event.said.value),
                "state": meaning(event)})
        })
        .collect()
}

fn chart(events: &[Published], time: i64) -> BTreeMap<i64, f64> {
    let present = time.div_euclid(MINUTE);
    let mut counts = BTreeMap::new();
    for event in events {
        let bucket = event.time.div_euclid(MINUTE);
        if (present - CHART_BUCKETS + 1..=present).contains(&bucket) {
            *counts.entry(bucket * MINUTE).or_default() += 1.0;
        }
    }
    counts
}

/// The sum of `worth` by minute, where any event of the line happened.
fn by_minute<'a>(
    events: impl Iterator<Item = &'a Published>,
    time: i64,
    worth: impl Fn(&Published) -> f64,
) -> BTreeMap<i64, f64> {
    let present = time.div_euclid(MINUTE);
    let mut sums = BTreeMap::new();
    for event in events {
        let bucket = event.time.div_euclid(MINUTE);
        if (present - CHART_BUCKETS + 1..=present).contains(&bucket) {
            *sums.entry(bucket * MINUTE).or_default() += worth(event);
        }
    }
    sums
}

fn named_lines(events: &[Published], time: i64) -> BTreeMap<String, BTreeMap<i64, f64>> {
    let sets = by_minute(events.iter().filter(|event| event.said.name == "set"), time, |_| 1.0);
    let both = events.iter().filter(|event| matches!(event.said.name, "set" | "note"));
    let worth = by_minute(both, time, |event| event.said.value as f64);
    BTreeMap::from([("sets".to_owned(), sets), ("worth".to_owned(), worth)])
}

/// A row a key.
fn heat(events: &[Published], time: i64) -> BTreeMap<String, BTreeMap<i64, f64>> {
    let sets = events.iter().filter(|event| event.said.name == "set");
    let keys: BTreeSet<u64> = sets.clone().map(|event| event.said.key).collect();
    let row = |key: u64| by_minute(sets.clone().filter(|event| event.said.key == key), time, |_| 1.0);
    keys.into_iter().map(|key| (format!("k{key}"), row(key))).collect()
}

fn sizes<'a>(events: impl Iterator<Item = &'a Published>) -> Value {
    let mut counts = [0_u64; 11];
    for event in events {
        counts[usize::try_from(event.said.value / 100).unwrap_or(usize::MAX).min(10)] += 1;
    }
    let bins: Vec<Value> = (0..10).map(|bin| json!([bin * 100, counts[bin]])).collect();
    json!({"below": 0, "bins": bins, "above": counts[10], "stats": {}})
}

fn tiles(events: &[Published], time: i64) -> Value {
    let mut tiles: BTreeMap<u64, (&Published, i64)> = BTreeMap::new();
    for event in events.iter().filter(|event| event.said.name == "set") {
        // An older one never replaces a newer one.
        if tiles.get(&event.said.key).is_some_and(|(before, _)| event.time < before.time) {
            continue;
        }
        let since = match tiles.get(&event.said.key) {
            Some((before, since)) if before.said.bad == event.said.bad => *since,
            _ => event.time,
        };
        tiles.insert(event.said.key, (event, since));
    }
    let tile = |(key, (event, since)): (u64, (&Published, i64))| {
        let key = format!("k{key}");
        let mut tile = json!({"label": key, "text": state(event), "state": meaning(event),
            "detail": event.said.value.to_string(), "since": since});
        if event.time + 10 * MINUTE <= time {
            tile["lost"] = json!(true);
            tile["since"] = json!(event.time);
            tile["state"] = json!(if event.said.bad { "alarm" } else { "unknown" });
        }
        (key, tile)
    };
    Value::Object(tiles.into_iter().map(tile).collect())
}

fn bars(events: &[Published]) -> Value {
    let mut bars: BTreeMap<String, u64> = BTreeMap::new();
    for event in events.iter().filter(|event| event.said.name == "set") {
        *bars.entry(format!("k{}", event.said.key)).or_default() += event.said.value;
    }
    json!(bars)
}

/// A cell a key and state: so each has said the same since its first event.
fn grid(events: &[Published]) -> Value {
    let mut cells: BTreeMap<String, (&Published, i64)> = BTreeMap::new();
    for event in events.iter().filter(|event| event.said.name == "set") {
        let key = format!("k{} · {}", event.said.key, state(event));
        let since = match cells.get(&key) {
            Some((before, _)) if event.time < before.time => continue,
            Some((_, since)) => *since,
            None => event.time,
        };
        cells.insert(key, (event, since));
    }
    let cell = |(key, (event, since)): (String, (&Published, i64))| {
        let cell = json!({"label": key, "text": state(event), "state": meaning(event),
            "detail": event.said.value.to_string(), "since": since});
        (key, cell)
    };
    Value::Object(cells.into_iter().map(cell).collect())
}

fn newest(events: &[Published]) -> BTreeMap<String, &'static str> {
    let mut rows: BTreeMap<String, (i64, &'static str)> = BTreeMap::new();
    for event in events.iter().filter(|event| event.said.name == "set") {
        let row = rows.entry(format!("k{}", event.said.key)).or_insert((event.time, state(event)));
        if row.0 <= event.time {
            *row = (event.time, state(event));
        }
    }
    rows.into_iter().map(|(key, (_, state))| (key, state)).collect()
}

/// `gone` is how late it has been, which decides who is there still.
fn ships(events: &[Published], gone: i64, time: i64) -> Value {
    let ship = |(number, event): (u64, &Published)| {
        let key = format!("k{number}");
        let (state, fence) = fences::of(events, number, time);
        let (lat, lon) = ((event.said.value % 90) as f64, (event.said.value % 180) as f64);
        let mut ship = json!({"lat": lat, "lon": lon, "heading": null, "label": key, "state": state});
        if let Some(fence) = fence {
            ship["fence"] = json!(fence);
        }
        (key, ship)
    };
    Value::Object(last(events, gone, 30 * MINUTE, true).into_iter().map(ship).collect())
}
