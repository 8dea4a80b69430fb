//! The reference itself, against facts read off the files by hand.

use super::*;

/// Milliseconds of a New York time.
fn at(day: i64, hour: i64, minute: i64) -> i64 {
    milliseconds((day - 7) * DAY + hour * 60 + minute)
}

fn shown(day: i64, hour: i64, minute: i64) -> Expected {
    expected(at(day, hour, minute), at(8, 10, 0).min(at(day, hour, minute))).expect("the files can be read")
}

/// 472 of 930 departures of 8 February were cancelled, 393 of 684 the next day (the data's own note).
#[test]
fn whole_days() {
    for (day, cancelled, departed) in [(8, 472.0, 458.0), (9, 393.0, 291.0)] {
        let wall = shown(day, 23, 59);
        assert_eq!(wall.numbers["cancelled-today"], Some(cancelled));
        // Some left after midnight, some of the day before left on this one: the number is of the clock, not of the schedule.
        let late_ones = wall.numbers["departed-today"].expect("a count") - departed;
        assert!(late_ones.abs() < 40.0, "{late_ones}");
    }
}

/// All 68 departures scheduled from 17:00 to 17:59 on the 8th were cancelled, and with them the hour's share is nearly one.
#[test]
fn the_hour_in_which_everything_stops() {
    let wall = shown(8, 17, 59);
    let share = wall.numbers["cancelled-last-hour"].expect("a share");
    assert!(share > 0.9, "{share}");
    // A cancelled flight stands on the board for five minutes.
    let mut cancelled = wall.departures.iter().filter(|row| row.status == "cancelled").peekable();
    assert!(cancelled.peek().is_some());
    assert!(cancelled.all(|row| row.scheduled_ms > at(8, 17, 54)));
    assert!(wall.airports.values().all(|tile| tile.state == "closed"), "{:?}", wall.airports);
    assert_eq!(wall.cancellations.len(), 20);
    assert!(wall.cancellations.is_sorted_by(|a, b| a.at_ms >= b.at_ms));
}

/// Line 2 of the file: EV4322 to Portland, scheduled 21:59 on the 7th, left 0:27 on the 8th, 45 minutes in the air.
#[test]
fn a_flight_by_hand() {
    let row = |wall: &Expected| wall.departures.iter().find(|row| row.key == "2013-02-07/EV4322/EWR").cloned();
    assert_eq!(row(&shown(7, 19, 58)), None);
    assert_eq!(
        row(&shown(7, 22, 13)).map(|row| (row.status, row.expected_ms)),
        Some(("scheduled", Some(at(7, 21, 59))))
    );
    let delayed = row(&shown(8, 0, 26)).expect("it is still on the board");
    let expected = Departure {
        key: "2013-02-07/EV4322/EWR".to_owned(),
        scheduled_ms: at(7, 21, 59),
        flight: "EV4322".to_owned(),
        to: "Portland ME".to_owned(),
        from: "EWR",
        expected_ms: Some(at(8, 0, 27)),
        status: "delayed",
    };
    assert_eq!(delayed, expected);
    assert_eq!(row(&shown(8, 0, 27)).map(|row| row.status), Some("departed"));
    assert_eq!(row(&shown(8, 0, 37)), None);
    let in_the_air = |minute: i64| shown(8, minute / 60, minute % 60).aircraft.contains_key("2013-02-07/EV4322/EWR");
    assert_eq!([41, 42, 86, 87].map(in_the_air), [false, true, true, false]);
}

/// Kennedy at 13:00 on the 8th: 35.06 °F, 28.77 mph gusting 39.13, 7 miles.
#[test]
fn weather_by_hand() {
    let wall = shown(8, 13, 30);
    let kennedy = Weather {
        airport: "JFK".to_owned(),
        temperature: Some(1.7),
        wind: Some(25.0),
        gusts: Some(34.0),
        visibility: Some(7.0),
    };
    assert_eq!(wall.weather[1], kennedy);
    assert_eq!(wall.numbers["wind-jfk"], Some(25.0));
    assert_eq!(shown(8, 0, 30).weather[1].gusts, None);
}

/// 140 aircraft are in the air at 10:00 on the 8th (counted by hand); San Juan and its like have no place.
#[test]
fn aircraft_by_hand() {
    let wall = shown(8, 10, 0);
    assert_eq!(wall.aircraft.len() + wall.unplaced, 140);
    assert!(wall.unplaced > 0);
    assert!(
        wall.aircraft.values().all(|place| (15.0..62.0).contains(&place.lat) && (-160.0..-60.0).contains(&place.lon))
    );
}

/// Half way from pole to equator lies 45° north, on the meridian that one left by.
#[test]
fn reckoning() {
    let (lat, lon) = sphere::along((0.0, 20.0), (80.0, 20.0), 0.5);
    assert!((lat - 40.0).abs() < 1e-9 && (lon - 20.0).abs() < 1e-9, "{lat} {lon}");
    let (lat, lon) = sphere::along((0.0, -10.0), (0.0, 50.0), 0.25);
    assert!(lat.abs() < 1e-9 && (lon - 5.0).abs() < 1e-9, "{lat} {lon}");
}

#[test]
fn charts_reach_back_twelve_hours() {
    let wall = shown(8, 18, 10);
    for (chart, buckets, last) in [
        ("left-or-not", 24, at(8, 18, 0)),
        ("delay-by-airport", 24, at(8, 18, 0)),
        ("departures-by-airport", 12, at(8, 18, 0)),
    ] {
        for (line, points) in &wall.charts[chart] {
            assert_eq!((points.len(), points.last().map(|point| point.0)), (buckets, Some(last)), "{chart} {line}");
        }
    }
    // From 14:00 to 14:59 on the 8th, 25 flights were cancelled.
    let cancelled = &wall.charts["left-or-not"]["cancelled"];
    let of = |start: i64| cancelled.iter().find(|point| point.0 == start).and_then(|point| point.1).expect("a point");
    assert_eq!(of(at(8, 14, 0)) + of(at(8, 14, 30)), 25.0);
    assert_eq!(of(at(8, 17, 0)) + of(at(8, 17, 30)), 68.0);
}

/// The midnight belongs to the new day.
#[test]
fn counters_begin_again_at_midnight() {
    assert!(shown(8, 23, 59).numbers["cancelled-today"] > Some(400.0));
    let midnight = shown(9, 0, 0);
    assert_eq!(midnight.numbers["cancelled-today"], Some(0.0));
    assert_eq!(midnight.numbers["delay-today"].is_none(), midnight.numbers["departed-today"] == Some(0.0));
}
