//! What the demo's wall must show at a time of the replay: an independent fold of the CSV files.
//!
//! Nothing here is shared with the program: the files are read again, time is counted in minutes since the first midnight, and each
//! number is taken of all rows anew instead of being folded event by event. The rules are those of
//! `examples/new-york-departures.toml` and `docs/demo.md`:
//!
//! | widget | rule at minute `t` |
//! | --- | --- |
//! | `departed-today`, `cancelled-today` | actual departures, and scheduled departures of flights that never left, from midnight through `t` |
//! | `delay-today`, `on-time-today` | mean of minutes late, and share of those less than 15 minutes late, of the departed today |
//! | `departures-per-hour` | departures in the last 30 minutes, times two |
//! | `cancelled-last-hour` | cancelled by departed and cancelled of the last 60 minutes |
//! | `delay-last-hour` | mean of minutes late of the departures of the last 60 minutes |
//! | `wind-jfk` | the newest hourly wind of Kennedy in knots |
//! | `departures` | announced (two hours before schedule), and not longer ago than departure + 3 or scheduled + 5 if cancelled; by schedule, then key; 40 rows |
//! | `aircraft` | from departure + 15 for the minutes in the air; on the great circle at even speed, each whole minute |
//! | `airports` | by the last 60 minutes, every five minutes; the rules are at the function |
//! | `weather` | the newest hour of each airport |
//! | `cancellations` | the newest 20, newest first |
//! | charts | buckets that end with the present one and reach back twelve hours |
//!
//! "The last n minutes" are those after `t - n` through `t`. The replay must have run for twelve hours of its own time, or the charts
//! are shorter than they are here: from the evening of 7 February on.

mod files;
mod sphere;

use std::collections::BTreeMap;

use self::files::{Files, Flight};

/// Midnight of 7 February 2013 in New York (UTC-5; no change of clocks in these days), milliseconds since 1970.
pub const FIRST_MIDNIGHT_MS: i64 = 1_360_213_200_000;

const MINUTE_MS: i64 = 60_000;
const DAY: i64 = 24 * 60;
const AIRPORTS: [&str; 3] = ["EWR", "JFK", "LGA"];

/// All that the wall shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The value of each widget that is a number; none for one that has nothing to take it of.
    pub numbers: BTreeMap<&'static str, Option<f64>>,
    /// `departures`, in order, as many as are shown.
    pub departures: Vec<Departure>,
    /// How many rows there are, with those that are not shown.
    pub departures_total: usize,
    /// `aircraft` with a position, by key.
    pub aircraft: BTreeMap<String, Aircraft>,
    /// How many aircraft have none.
    pub unplaced: usize,
    /// `airports`, by key.
    pub airports: BTreeMap<&'static str, Tile>,
    /// `weather`, in order.
    pub weather: Vec<Weather>,
    /// `cancellations`, newest first, as many as are kept.
    pub cancellations: Vec<Line>,
    /// How many lines were ever written.
    pub cancellations_total: usize,
    /// Each chart: its lines by key, their points as bucket start in milliseconds and value.
    pub charts: BTreeMap<&'static str, Chart>,
}

/// Lines by key, of points.
pub type Chart = BTreeMap<String, Vec<(i64, Option<f64>)>>;

/// A row of the departures board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// `2013-02-08/UA1545/EWR`
    pub key: String,
    /// Scheduled departure, milliseconds since 1970.
    pub scheduled_ms: i64,
    /// `UA1545`
    pub flight: String,
    /// The destination's name.
    pub to: String,
    /// The origin's code.
    pub from: &'static str,
    /// Expected or actual departure, milliseconds since 1970; none for a cancelled flight.
    pub expected_ms: Option<i64>,
    /// `scheduled`, `delayed`, `departed` or `cancelled`.
    pub status: &'static str,
}

/// Where an aircraft is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aircraft {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// An airport's tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// `open`, `delays`, `disrupted` or `closed`.
    pub state: &'static str,
    /// The small line.
    pub detail: String,
    /// Since when it has this state, milliseconds since 1970.
    pub since_ms: i64,
}

/// A row of the weather table.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// The airport's code.
    pub airport: String,
    /// Temperature in °C, to a tenth.
    pub temperature: Option<f64>,
    /// Wind in knots.
    pub wind: Option<f64>,
    /// Gusts in knots.
    pub gusts: Option<f64>,
    /// Visibility in statute miles.
    pub visibility: Option<f64>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// What it says.
    pub text: String,
}

/// What the wall shows when the replay stands at `at_ms`, having begun at `from_ms` with everything before it published. Nothing
/// depends on where it began, as long as that is not later.
///
/// # Errors
/// If a file can't be read, or the replay has not reached its own beginning.
pub fn expected(at_ms: i64, from_ms: i64) -> anyhow::Result<Expected> {
    anyhow::ensure!(from_ms <= at_ms, "the replay begins at {from_ms}, it can't stand at {at_ms}");
    let files = Files::read()?;
    // Everything happens on whole minutes: what is true at 10:00:59 is what was true at 10:00.
    let t = (at_ms - FIRST_MIDNIGHT_MS).div_euclid(MINUTE_MS);
    let (departures, departures_total) = departures(&files, t);
    let (aircraft, unplaced) = aircraft(&files, t);
    let (cancellations, cancellations_total) = cancellations(&files, t);
    Ok(Expected {
        numbers: numbers(&files, t),
        departures,
        departures_total,
        aircraft,
        unplaced,
        airports: AIRPORTS.into_iter().map(|airport| (airport, tile(&files, airport, t))).collect(),
        weather: weather(&files, t),
        cancellations,
        cancellations_total,
        charts: charts(&files, t),
    })
}

/// Minutes of the departures after `after` through `t`, and how late each was.
fn departed(files: &Files, after: i64, t: i64) -> impl Iterator<Item = (&Flight, i64, i64)> {
    let left =
        files.flights.iter().filter_map(|flight| flight.late.map(|late| (flight, flight.scheduled + late, late)));
    left.filter(move |(_, minute, _)| after < *minute && *minute <= t)
}

/// The flights that never left and were scheduled after `after` through `t`.
fn cancelled(files: &Files, after: i64, t: i64) -> impl Iterator<Item = &Flight> {
    let never = files.flights.iter().filter(|flight| flight.late.is_none());
    never.filter(move |flight| after < flight.scheduled && flight.scheduled <= t)
}

fn numbers(files: &Files, t: i64) -> BTreeMap<&'static str, Option<f64>> {
    // The midnight itself belongs to the new day.
    let before_today = t.div_euclid(DAY) * DAY - 1;
    let count = |after| departed(files, after, t).count() as f64;
    let lost = |after| cancelled(files, after, t).count() as f64;
    let late = |after| departed(files, after, t).map(|(_, _, late)| late as f64).sum::<f64>();
    let punctual = departed(files, before_today, t).filter(|(_, _, late)| *late < 15).count() as f64;
    let ratio = |part: f64, whole: f64| (whole > 0.0).then_some(part / whole);
    let wind = files.weather.iter().filter(|row| row.airport == "JFK" && row.minute <= t).max_by_key(|row| row.minute);
    BTreeMap::from([
        ("departed-today", Some(count(before_today))),
        ("cancelled-today", Some(lost(before_today))),
        ("delay-today", ratio(late(before_today), count(before_today))),
        ("on-time-today", ratio(punctual, count(before_today))),
        ("departures-per-hour", Some(2.0 * count(t - 30))),
        ("cancelled-last-hour", ratio(lost(t - 60), lost(t - 60) + count(t - 60))),
        ("delay-last-hour", ratio(late(t - 60), count(t - 60))),
        ("wind-jfk", wind.and_then(|row| row.wind_mph).map(knots)),
    ])
}

fn departures(files: &Files, t: i64) -> (Vec<Departure>, usize) {
    let mut rows: Vec<_> = files.flights.iter().filter_map(|flight| departure(files, flight, t)).collect();
    rows.sort_by(|a, b| (a.scheduled_ms, &a.key).cmp(&(b.scheduled_ms, &b.key)));
    let total = rows.len();
    rows.truncate(40);
    (rows, total)
}

fn departure(files: &Files, flight: &Flight, t: i64) -> Option<Departure> {
    if t < flight.scheduled - 120 {
        return None;
    }
    let left = flight.late.map(|late| flight.scheduled + late);
    let gone = left.map_or(flight.scheduled + 5, |left| left + 3);
    let (status, expected) = match left {
        _ if t >= gone => return None,
        Some(left) if t >= left => ("departed", Some(left)),
        Some(left) if left > flight.scheduled + 15 && t >= flight.scheduled + 15 => ("delayed", Some(left)),
        None if t >= flight.scheduled => ("cancelled", None),
        _ => ("scheduled", Some(flight.scheduled)),
    };
    Some(Departure {
        key: flight.key(),
        scheduled_ms: milliseconds(flight.scheduled),
        flight: flight.name(),
        to: files.city(&flight.dest),
        from: flight.origin,
        expected_ms: expected.map(milliseconds),
        status,
    })
}

fn aircraft(files: &Files, t: i64) -> (BTreeMap<String, Aircraft>, usize) {
    let mut placed = BTreeMap::new();
    let mut unplaced = 0;
    for flight in &files.flights {
        let (Some(late), Some(in_the_air)) = (flight.late, flight.in_the_air) else { continue };
        let flown = t - (flight.scheduled + late + 15);
        if !(0..in_the_air).contains(&flown) {
            continue;
        }
        match (files.places.get(flight.origin), files.places.get(&flight.dest)) {
            (Some(from), Some(to)) => {
                let (lat, lon) = sphere::along(*from, *to, flown as f64 / in_the_air as f64);
                placed.insert(flight.key(), Aircraft { lat, lon });
            }
            _ => unplaced += 1,
        }
    }
    (placed, unplaced)
}

/// An airport's state every five minutes, by what was scheduled and what left in the 60 minutes before: closed from 90 % cancelled
/// on, disrupted from 25 %, delays from a mean of 30 minutes late, else open. With neither, it stays what it was.
fn tile(files: &Files, airport: &str, t: i64) -> Tile {
    let mut tile = Tile { state: "open", detail: String::new(), since_ms: milliseconds(0) };
    for at in (0..=t).step_by(5) {
        let due = files.flights.iter().filter(|flight| flight.origin == airport);
        let due = due.filter(|flight| at - 60 < flight.scheduled && flight.scheduled <= at).count();
        let lost = cancelled(files, at - 60, at).filter(|flight| flight.origin == airport).count();
        let lates: Vec<_> = departed(files, at - 60, at)
            .filter(|(flight, _, _)| flight.origin == airport)
            .map(|(_, _, late)| late)
            .collect();
        let mean = lates.iter().sum::<i64>() as f64 / lates.len() as f64;
        let state = match (due, lates.len()) {
            (0, 0) => tile.state,
            _ if due > 0 && lost * 10 >= due * 9 => "closed",
            _ if due > 0 && lost * 4 >= due => "disrupted",
            (_, left) if left > 0 && mean >= 30.0 => "delays",
            _ => "open",
        };
        if state != tile.state {
            (tile.state, tile.since_ms) = (state, milliseconds(at));
        }
        tile.detail = match (due, lost, lates.len()) {
            (_, 1.., _) => format!("{lost} of {due} cancelled"),
            (_, 0, left @ 1..) => format!("{left} left, mean delay {} min", mean.round() as i64),
            (1.., 0, 0) => format!("none of {due} left"),
            (0, 0, 0) => "nothing scheduled".to_owned(),
        };
    }
    tile
}

fn weather(files: &Files, t: i64) -> Vec<Weather> {
    let newest = |airport: &&str| {
        let known = files.weather.iter().filter(|row| row.airport == *airport && row.minute <= t);
        known.max_by_key(|row| row.minute)
    };
    let shown = |row: &files::Weather| Weather {
        airport: row.airport.clone(),
        temperature: row.fahrenheit.map(|degrees| ((degrees - 32.0) * 50.0 / 9.0).round() / 10.0),
        wind: row.wind_mph.map(knots),
        gusts: row.gust_mph.map(knots),
        visibility: row.visibility,
    };
    AIRPORTS.iter().filter_map(newest).map(shown).collect()
}

/// A knot is 1852 m an hour, a mile 1609.344 m; stations measure whole knots.
fn knots(mph: f64) -> f64 {
    (mph * 1609.344 / 1852.0).round()
}

fn cancellations(files: &Files, t: i64) -> (Vec<Line>, usize) {
    let mut flights: Vec<_> = cancelled(files, i64::MIN, t).collect();
    flights.sort_by_key(|flight| (flight.scheduled, flight.key()));
    let line = |flight: &&Flight| Line {
        at_ms: milliseconds(flight.scheduled),
        text: format!("{} {}–{}", flight.name(), flight.origin, flight.dest),
    };
    (flights.iter().rev().take(20).map(line).collect(), flights.len())
}

fn charts(files: &Files, t: i64) -> BTreeMap<&'static str, Chart> {
    let counted = |values: &[i64]| Some(values.len() as f64);
    let mean = |values: &[i64]| (!values.is_empty()).then(|| values.iter().sum::<i64>() as f64 / values.len() as f64);
    let left = |minutes: i64| {
        let all = departed(files, t - minutes, t);
        all.map(|(flight, minute, late)| (flight.origin.to_owned(), minute, late)).collect::<Vec<_>>()
    };
    // A bucket more than is shown, for the present one may have just begun.
    let all = left(13 * 60);
    let gone = all.iter().map(|(_, minute, _)| ("departed".to_owned(), *minute, 0));
    let lost = cancelled(files, t - 13 * 60, t).map(|flight| ("cancelled".to_owned(), flight.scheduled, 0));
    let fates: Vec<_> = gone.chain(lost).collect();
    BTreeMap::from([
        ("left-or-not", chart(&fates, t, 30, counted)),
        ("delay-by-airport", chart(&all, t, 30, mean)),
        ("departures-by-airport", chart(&all, t, 60, counted)),
    ])
}

/// Twelve hours in buckets of `length` minutes, the last one the present one. A line without any event in them is none.
fn chart(events: &[(String, i64, i64)], t: i64, length: i64, value: impl Fn(&[i64]) -> Option<f64>) -> Chart {
    let last = t.div_euclid(length) * length;
    let starts: Vec<i64> = (0..12 * 60 / length).rev().map(|back| last - back * length).collect();
    let first = starts.first().copied().unwrap_or(last);
    let mut chart = Chart::new();
    for (key, minute, _) in events {
        if *minute >= first && !chart.contains_key(key) {
            let point = |start: &i64| {
                let own = events.iter().filter(|(line, at, _)| line == key && (*start..start + length).contains(at));
                (milliseconds(*start), value(&own.map(|(_, _, late)| *late).collect::<Vec<_>>()))
            };
            chart.insert(key.clone(), starts.iter().map(point).collect());
        }
        debug_assert!(*minute <= t, "events are of the past");
    }
    chart
}

const fn milliseconds(minute: i64) -> i64 {
    FIRST_MIDNIGHT_MS + minute * MINUTE_MS
}

#[cfg(test)]
mod tests;
