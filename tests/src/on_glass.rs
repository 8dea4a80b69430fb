//! What stands on the glass, read out of the page, held against what must stand there.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{page::Page, reference::Expected};

/// A page that is asked for is there at once.
const TURN_LIMIT: Duration = Duration::from_secs(5);

/// Everything that the demo's board shows on the page that is turned to, as the page's own elements say it.
const READ: &str = r"
const of = (id) => document.querySelector(`[data-widget='${id}']`)
const said = (id, what, name) => { const one = of(id)?.querySelector(what); return one ? Number(one.dataset[name]) : null }
const texts = (row) => [...row.children].filter((cell) => !cell.classList.contains('edge')).map((cell) => cell.textContent.trim())
const rows = (id) => [...of(id)?.querySelectorAll('.row[data-key]') ?? []]
  .sort((a, b) => a.dataset.place - b.dataset.place)
  .map((row) => ({ key: row.dataset.key, state: row.dataset.state, cells: texts(row) }))
const number = (widget) => {
  const value = widget.querySelector('[data-value]')?.dataset.value ?? ''
  return value === '' ? null : Number(value)
}
const all = [...document.querySelectorAll('[data-widget]')]
return {
  clock: Number(document.querySelector('[data-clock]')?.dataset.clock),
  freshness: Object.fromEntries(all.map((widget) => [widget.dataset.widget, widget.dataset.freshness])),
  numbers: Object.fromEntries(
    all.filter((widget) => ['counter', 'gauge', 'rate', 'window'].includes(widget.dataset.kind)).map((widget) => [widget.dataset.widget, number(widget)]),
  ),
  departures: rows('departures'),
  departures_total: said('departures', '[data-total]', 'total'),
  weather: rows('weather'),
  aircraft: said('aircraft', '[data-markers]', 'markers'),
  unplaced: said('aircraft', '[data-unplaced]', 'unplaced'),
  airports: Object.fromEntries([...of('airports')?.querySelectorAll('[data-key]') ?? []].map((tile) => [tile.dataset.key, tile.dataset.value])),
  cancellations: [...of('cancellations')?.querySelectorAll('[data-key] .text') ?? []].map((line) => line.textContent.trim()),
  cancellations_total: said('cancellations', '[data-total]', 'total'),
  charts: Object.fromEntries(
    [...document.querySelectorAll('[data-kind=series]')].map((chart) => [chart.dataset.widget, chart.querySelector('[data-points]').dataset]),
  ),
}
";

/// What the page of the demo's board shows that is turned to.
///
/// # Errors
/// If there is no page.
pub async fn read(page: &Page) -> Result<Value> {
    page.run(READ, Vec::new()).await.context("the demo's page")
}

/// Turns to the board's page with this number, from 1; whether there is one.
///
/// # Errors
/// If it doesn't come.
pub async fn turn_to(page: &Page, number: usize) -> Result<bool> {
    let pages = page.run("return document.querySelectorAll('[data-page]').length", Vec::new()).await?;
    if pages.as_u64().is_none_or(|pages| number as u64 > pages) {
        return Ok(false);
    }
    // Not by its digit: in the demo that pulls a fault.
    let turn = format!(
        "const wanted = document.querySelectorAll('[data-page]')[{}];\
        if (wanted?.getAttribute('aria-current') === 'page') return true;\
        wanted?.click(); return false",
        number - 1
    );
    page.wait_for("the page that was asked for", &turn, TURN_LIMIT).await?;
    Ok(true)
}

/// The ids of all that is expected.
#[must_use]
pub fn ids(expected: &Expected) -> BTreeSet<&'static str> {
    let others = ["departures", "weather", "aircraft", "airports", "cancellations"];
    expected.numbers.keys().chain(expected.charts.keys()).copied().chain(others).collect()
}

/// Each way in which `glass` is not what is `expected` of the widgets that are on it, in words.
#[must_use]
pub fn differences(glass: &Value, expected: &Expected) -> Vec<String> {
    let mut found = Differences::default();
    let is_there = |id: &str| glass["freshness"].get(id).is_some();
    let numbers: Vec<_> = expected.numbers.iter().filter(|(id, _)| is_there(id)).collect();
    for (id, number) in &numbers {
        found.number(id, &glass["numbers"][**id], **number);
    }
    found.equal("how many numbers", &glass["numbers"].as_object().map_or(0, serde_json::Map::len), &numbers.len());
    if is_there("departures") {
        departures(&mut found, glass, expected);
    }
    if is_there("weather") {
        weather(&mut found, glass, expected);
    }
    if is_there("aircraft") {
        found.equal("aircraft", &glass["aircraft"], &expected.aircraft.len().into());
        found.equal("aircraft without a place", &glass["unplaced"], &expected.unplaced.into());
    }
    if is_there("airports") {
        for (id, tile) in &expected.airports {
            found.equal(id, &glass["airports"][id], &tile.state.into());
        }
    }
    if is_there("cancellations") {
        found.equal("cancellations", &glass["cancellations_total"], &expected.cancellations_total.into());
        let lines = strings(&glass["cancellations"]);
        let wanted: Vec<String> =
            expected.cancellations.iter().take(lines.len()).map(|line| line.text.clone()).collect();
        found.equal("lines of the log", &lines, &wanted);
    }
    for (id, chart) in expected.charts.iter().filter(|(id, _)| is_there(id)) {
        let points: Vec<String> = chart.values().map(|points| points.len().to_string()).collect();
        found.equal(&format!("points of {id}"), &glass["charts"][id]["points"], &points.join(" ").into());
        let shown = glass["charts"][id]["value"].as_str().unwrap_or_default().split(' ').map(|word| word.parse().ok());
        for ((key, points), shown) in chart.iter().zip(shown) {
            let newest = points.last().and_then(|(_, value)| *value);
            found.number(
                &format!("newest of {key} in {id}"),
                &shown.map_or(Value::Null, |value: f64| value.into()),
                newest,
            );
        }
    }
    found.0
}

fn departures(found: &mut Differences, glass: &Value, expected: &Expected) {
    found.equal("departures", &glass["departures_total"], &expected.departures_total.into());
    let rows = glass["departures"].as_array().cloned().unwrap_or_default();
    let enough = rows.len() >= expected.departures.len().min(8);
    found.equal("departures: enough rows are shown", &enough, &true);
    for (row, wanted) in rows.iter().zip(&expected.departures) {
        let expected_at = wanted.expected_ms.map_or("none".to_owned(), time_of_day);
        let cells =
            [&time_of_day(wanted.scheduled_ms), &wanted.flight, &wanted.to, wanted.from, &expected_at, wanted.status];
        let shown: Vec<String> = strings(&row["cells"]).into_iter().map(|cell| cell.to_lowercase()).collect();
        found.equal(&wanted.key, &row["key"], &wanted.key.clone().into());
        found.equal(&wanted.key, &shown, &cells.map(str::to_lowercase).to_vec());
    }
}

fn weather(found: &mut Differences, glass: &Value, expected: &Expected) {
    let rows = glass["weather"].as_array().cloned().unwrap_or_default();
    found.equal("rows of weather", &rows.len(), &expected.weather.len());
    for (row, wanted) in rows.iter().zip(&expected.weather) {
        let text = |value: Option<f64>, decimals: usize| match value {
            Some(value) => format!("{value:.decimals$}").replace('-', "−"),
            None => "none".to_owned(),
        };
        let cells = [
            wanted.airport.clone(),
            text(wanted.temperature, 0),
            text(wanted.wind, 0),
            text(wanted.gusts, 0),
            text(wanted.visibility, 1),
        ];
        found.equal(&format!("weather at {}", wanted.airport), &strings(&row["cells"]), &cells.to_vec());
    }
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, shown: &T, wanted: &T) {
        if shown != wanted {
            self.0.push(format!("{what}: shown {shown:?}, expected {wanted:?}"));
        }
    }

    fn number(&mut self, what: &str, shown: &Value, wanted: Option<f64>) {
        let close = match (shown.as_f64(), wanted) {
            // Sums in another order differ in their last bits.
            (Some(shown), Some(wanted)) => (shown - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
            (shown, wanted) => shown.is_none() && wanted.is_none(),
        };
        if !close {
            self.0.push(format!("{what}: shown {shown}, expected {wanted:?}"));
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `14:05` in New York.
fn time_of_day(ms: i64) -> String {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    Timestamp::from_millisecond(ms)
        .map(|at| at.to_zoned_datetime(zone).strftime("%H:%M").to_string())
        .unwrap_or_default()
}
