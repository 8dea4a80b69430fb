//! The way without a screen: replay, hub and reducers against the independent fold of the files.
//!
//! What the hub's snapshot gives to a board must be, number by number and row by row, what the files say (H3).

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use jiff::civil::date;
use serde_json::{Value, json, value::to_raw_value};
use watchfloor_board::{Aggregate, config};
use watchfloor_demo::{Demo, DemoOptions, StoryName, dataset};
use watchfloor_model::Timestamp;
use watchfloor_tests::reference::{Chart, Expected, expected};

/// The longest wait for the replay to get anywhere.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn the_morning_and_the_storm_coming() -> anyhow::Result<()> {
    check_run([8, 10, 0], &[[8, 10, 0], [8, 10, 15], [8, 12, 30]]).await
}

#[tokio::test]
async fn the_region_closed() -> anyhow::Result<()> {
    check_run([8, 17, 20], &[[8, 17, 30], [8, 18, 1]]).await
}

/// Counters begin again at midnight, windows and charts don't.
#[tokio::test]
async fn a_day_ends() -> anyhow::Result<()> {
    check_run([8, 23, 50], &[[8, 23, 59], [9, 0, 0]]).await
}

#[tokio::test]
async fn the_airports_open_again() -> anyhow::Result<()> {
    check_run([9, 15, 0], &[[9, 15, 5], [9, 15, 30]]).await
}

/// Begins at one New York time of February 2013 (day, hour, minute) and compares at others.
async fn check_run([day, hour, minute]: [i8; 3], stops: &[[i8; 3]]) -> anyhow::Result<()> {
    let flights = StoryName::Flights;
    let board = config::parse(flights.board(), flights.board_name()).map_err(|errors| anyhow::anyhow!("{errors}"))?;
    let from = date(2013, 2, day).at(hour, minute, 0, 0);
    let from_ms = dataset::from_new_york(from)?.as_millis();
    let demo = Demo::start(DemoOptions { story: flights, from, speed: 3600.0, paused: true }, &board).await?;
    demo.ready().await?;
    for [day, hour, minute] in stops.iter().copied() {
        let at = dataset::from_new_york(date(2013, 2, day).at(hour, minute, 0, 0))?;
        let taken = tokio::time::timeout(PATIENCE, snapshot(&demo, at)).await??;
        let expected = expected(at.as_millis(), from_ms)?;
        let when = || format!("{day} February, {hour:02}:{minute:02}");
        compare(&reports(&board, &taken, at).with_context(when)?, &expected).with_context(when)?;
    }
    demo.stop().await;
    Ok(())
}

/// The hub's snapshot when the replay stands at `at`.
async fn snapshot(demo: &Demo, at: Timestamp) -> anyhow::Result<Value> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/v1/snapshot?channels=airports,flights,weather", demo.url());
    demo.pause_at(at.as_millis());
    loop {
        let status = demo.status();
        let taken = http.get(&url).send().await?.error_for_status()?.json().await?;
        if status.paused && status.replay_ms == at.as_millis() {
            return Ok(taken);
        }
    }
}

/// What each widget reports, by id.
fn reports(
    board: &config::spec::BoardFile,
    snapshot: &Value,
    at: Timestamp,
) -> anyhow::Result<BTreeMap<String, Value>> {
    let report = |widget: &config::spec::WidgetSpec| {
        let mut aggregate = Aggregate::new(&widget.fold);
        let state = &snapshot["aggregates"][aggregate.fingerprint()];
        aggregate.restore(&to_raw_value(state)?).with_context(|| widget.id.clone())?;
        aggregate.advance(at);
        Ok((widget.id.clone(), aggregate.report()))
    };
    board.widgets.iter().map(report).collect()
}

fn compare(found: &BTreeMap<String, Value>, expected: &Expected) -> anyhow::Result<()> {
    let of = |widget: &str| found.get(widget).with_context(|| format!("no widget {widget}"));
    for (widget, number) in &expected.numbers {
        same(widget, of(widget)?, &json!(number))?;
    }
    same("departures", of("departures")?, &departures(expected))?;
    same("weather", of("weather")?, &weather(expected))?;
    same("cancellations", of("cancellations")?, &cancellations(expected))?;
    same("airports", of("airports")?, &airports(expected))?;
    for (chart, lines) in &expected.charts {
        same(chart, of(chart)?, &json!(lines as &Chart))?;
    }
    aircraft(of("aircraft")?, expected)
}

fn departures(expected: &Expected) -> Value {
    let row = |row: &watchfloor_tests::reference::Departure| {
        let state = match row.status {
            "delayed" => "warning",
            "departed" => "muted",
            "cancelled" => "alarm",
            _ => "normal",
        };
        let cells = json!([row.scheduled_ms, row.flight, row.to, row.from, row.expected_ms, row.status]);
        json!({ "key": row.key, "cells": cells, "state": state })
    };
    expected.departures.iter().map(row).collect()
}

fn weather(expected: &Expected) -> Value {
    let row = |row: &watchfloor_tests::reference::Weather| {
        let cells = json!([row.airport, row.temperature, row.wind, row.gusts, row.visibility]);
        json!({ "key": row.airport, "cells": cells, "state": "normal" })
    };
    expected.weather.iter().map(row).collect()
}

fn cancellations(expected: &Expected) -> Value {
    let newest_first = expected.cancellations.iter().enumerate();
    let line = |(index, line): (usize, &watchfloor_tests::reference::Line)| {
        let number = expected.cancellations_total - index;
        json!({ "number": number, "time": line.at_ms, "text": line.text, "state": "normal" })
    };
    newest_first.map(line).collect()
}

fn airports(expected: &Expected) -> Value {
    let tile = |(airport, tile): (&&'static str, &watchfloor_tests::reference::Tile)| {
        let state = match tile.state {
            "open" => "normal",
            "closed" => "alarm",
            _ => "warning",
        };
        let tile = json!({
            "label": airport, "text": tile.state, "state": state, "detail": tile.detail, "since": tile.since_ms,
        });
        ((*airport).to_owned(), tile)
    };
    Value::Object(expected.airports.iter().map(tile).collect())
}

/// Places are reckoned in another way and published to four digits.
fn aircraft(found: &Value, expected: &Expected) -> anyhow::Result<()> {
    let found = found.as_object().context("markers by key")?;
    anyhow::ensure!(found.keys().eq(expected.aircraft.keys()), "other aircraft are in the air than expected");
    for (key, place) in &expected.aircraft {
        let [lat, lon] = ["lat", "lon"].map(|field| found[key][field].as_f64().unwrap_or(f64::NAN));
        let is_near = (lat - place.lat).abs() < 1e-3 && (lon - place.lon).abs() < 1e-3;
        anyhow::ensure!(is_near, "{key} is at {lat}, {lon}: expected {place:?}");
    }
    Ok(())
}

/// Equal but for how a number is written, and the last digits of a mean.
fn same(place: &str, found: &Value, expected: &Value) -> anyhow::Result<()> {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            anyhow::ensure!(found.len() == expected.len(), "{place}: {} of {}", found.len(), expected.len());
            found
                .iter()
                .zip(expected)
                .enumerate()
                .try_for_each(|(at, (found, expected))| same(&format!("{place}[{at}]"), found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            anyhow::ensure!(found.len() == expected.len(), "{place}: {:?}, not {:?}", keys(found), keys(expected));
            found.iter().try_for_each(|(key, found)| {
                let expected = expected.get(key).with_context(|| format!("{place}: {key} is not expected"))?;
                same(&format!("{place}.{key}"), found, expected)
            })
        }
        (Value::Number(a), Value::Number(b)) => {
            let is_equal = a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| (a - b).abs() < 1e-9);
            anyhow::ensure!(is_equal, "{place}: {a}, expected {b}");
            Ok(())
        }
        (found, expected) => {
            anyhow::ensure!(found == expected, "{place}: {found}, expected {expected}");
            Ok(())
        }
    }
}
