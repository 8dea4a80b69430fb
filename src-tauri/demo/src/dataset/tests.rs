//! The data is what its note says it is, and bad lines are found.

use super::*;

fn dataset() -> Dataset {
    Dataset::load().expect("the files are part of the program")
}

fn find<'a>(data: &'a Dataset, key: &str) -> &'a Flight {
    data.flights.iter().find(|flight| flight.key() == key).expect(key)
}

fn utc(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect(text).as_millisecond())
}

#[test]
fn every_line_is_read() {
    let data = dataset();
    assert_eq!((data.flights.len(), data.weather.len(), data.airports.len()), (3375, 288, 1458));
    assert_eq!((data.carriers.len(), data.aircraft.len(), data.cities.len()), (16, 1203, 92));
}

/// The numbers that the data's note and the demo promise.
#[test]
fn the_blizzard_is_in_it() {
    let data = dataset();
    let count = |day: i8, hours: std::ops::Range<i8>, cancelled: bool| {
        let from = midnight(date(2013, 2, day)).expect("a day").as_millis();
        let hours = from + i64::from(hours.start) * 3_600_000..from + i64::from(hours.end) * 3_600_000;
        let due = data.flights.iter().filter(|flight| hours.contains(&flight.scheduled.as_millis()));
        due.filter(|flight| !cancelled || flight.departed.is_none()).count()
    };
    for (day, hours, cancelled, all) in
        [(8, 0..24, 472, 930), (9, 0..24, 393, 684), (8, 14..15, 25, 53), (8, 17..18, 68, 68)]
    {
        assert_eq!((count(day, hours.clone(), true), count(day, hours, false)), (cancelled, all), "day {day}");
    }
}

#[test]
fn clock_readings_become_instants() {
    let data = dataset();
    // Left after midnight of the next day.
    let late = find(&data, "2013-02-07/EV4322/EWR");
    assert_eq!(late.scheduled, utc("2013-02-08T02:59:00Z"));
    assert_eq!(late.departed, Some(utc("2013-02-08T05:27:00Z")));
    assert_eq!(late.arrived, Some(utc("2013-02-08T06:23:00Z")));
    assert_eq!(late.delay_min(), Some(148));
    // 2400 is the midnight that ends the day.
    let at_midnight = utc("2013-02-08T05:00:00Z");
    assert_eq!(data.flights.iter().filter(|flight| flight.departed == Some(at_midnight)).count(), 2);
}

/// An arrival is never before its departure, and no farther from it than flight time and taxiing allow.
#[test]
fn arrivals_follow_departures() {
    for flight in dataset().flights {
        if let (Some(departed), Some(arrived), Some(air_min)) = (flight.departed, flight.arrived, flight.air_time_min) {
            let ground_min = (arrived.as_millis() - departed.as_millis()) / 60_000 - i64::from(air_min);
            assert!((0..300).contains(&ground_min), "{}: {ground_min} min on the ground", flight.key());
        }
    }
}

#[test]
fn keys_are_unique_and_destinations_named() {
    let data = dataset();
    let keys: std::collections::BTreeSet<_> = data.flights.iter().map(Flight::key).collect();
    assert_eq!(keys.len(), data.flights.len());
    for flight in &data.flights {
        let city = data.cities.get(&flight.dest).expect("every destination has a city");
        assert!(city.chars().count() <= 22, "{city}");
        assert!(data.carriers.contains_key(&flight.carrier), "{}", flight.carrier);
    }
    let unplaced: std::collections::BTreeSet<_> =
        data.flights.iter().map(|flight| &*flight.dest).filter(|dest| !data.airports.contains_key(*dest)).collect();
    assert_eq!(unplaced.into_iter().collect::<Vec<_>>(), ["BQN", "PSE", "SJU", "STT"]);
}

#[test]
fn bad_lines_say_where_and_what() {
    let check = |text: &'static str, part: &str| {
        let file = File::new("test.csv", text);
        let error = file.rows(|row| row.number::<u32>("flight")).expect_err(text).to_string();
        assert!(error.contains(part), "{error}");
    };
    check("flight\n12\nx\n", "test.csv:3: flight is \"x\", expected u32");
    check("flight\nNA\n", "test.csv:2: flight has no value");
    check("carrier\nUA\n", "test.csv:2: column flight is missing");
    check("a,flight\n1\n", "test.csv:2: ");
    let file = File::new("test.csv", "time\n1299\n1260\n2401\n");
    let zone = zone(NEW_YORK).expect("a zone");
    let error = file.rows(|row| row.clock(DAYS[0], row.number("time")?, &zone)).expect_err("minutes").to_string();
    assert!(error.contains("test.csv:2: 1299 is no clock reading"), "{error}");
}
