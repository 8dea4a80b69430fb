//! Instants, order and completeness of what is replayed.

use std::collections::BTreeMap;

use super::*;

fn timeline() -> Timeline {
    Timeline::new(&Dataset::load().expect("the files are part of the program")).expect("the days exist")
}

fn utc(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect(text).as_millisecond())
}

fn of<'a>(events: &'a [ReplayEvent], key: &str) -> Vec<&'a ReplayEvent> {
    events.iter().filter(|event| event.data["key"] == key).collect()
}

/// Whatever steps the replay takes, it publishes the same events in the same order, each once.
#[test]
fn stretches_join_without_seam() {
    let timeline = timeline();
    let (from, to) = (utc("2013-02-08T14:00:00Z"), utc("2013-02-08T16:00:00Z"));
    let whole = timeline.between(from, to);
    assert!(whole.is_sorted_by_key(|event| event.time));
    for step_ms in [50, 3_000, 60_000, 61_000, 3_600_000] {
        let mut joined = Vec::new();
        let mut at = from;
        while at < to {
            let next = Timestamp::from_millis(at.as_millis() + step_ms).min(to);
            joined.extend(timeline.between(at, next));
            at = next;
        }
        assert!(joined == whole, "steps of {step_ms} ms");
    }
}

#[test]
fn ids_are_unique_and_order_is_the_same_each_time() {
    let (a, b) = (timeline(), timeline());
    let (from, to) = (utc("2013-02-07T00:00:00Z"), utc("2013-02-11T05:00:00Z"));
    let events = a.fixed_between(from, to);
    assert!(events == b.fixed_between(from, to));
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), events.len());
}

#[test]
fn counts() {
    let timeline = timeline();
    let mut counts = BTreeMap::<_, usize>::new();
    for event in timeline.fixed_between(Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX)) {
        *counts.entry(event.name).or_default() += 1;
    }
    let expected = [
        ("flight.scheduled", 3375),
        ("flight.cancelled", 895),
        ("flight.departed", 2480),
        ("flight.diverted", 8),
        ("aircraft.landed", 2472),
        ("weather.observed", 288),
    ];
    for (name, count) in expected {
        assert_eq!(counts.get(name), Some(&count), "{name}");
    }
    assert_eq!(timeline.journeys.len(), 2472);
    let day = |day: &str, name: &str| {
        let from = utc(&format!("{day}T05:00:00Z"));
        let to = later(from, 24 * 60);
        let within = timeline.fixed_between(later(from, -1), later(to, -1));
        within.iter().filter(|event| event.name == name).count()
    };
    assert_eq!(day("2013-02-08", "flight.cancelled"), 472);
    assert_eq!(day("2013-02-09", "flight.cancelled"), 393);
}

/// The issue's own numbers, as a wall would count them: cancellations by the instant at which they are published.
#[test]
fn the_region_closes() {
    let timeline = timeline();
    let hour = |from: &str| {
        let from = utc(from);
        let events = timeline.between(later(from, -1), later(from, 59));
        events.iter().filter(|event| event.name == "flight.cancelled").count()
    };
    assert_eq!(hour("2013-02-08T19:00:00Z"), 25);
    assert_eq!(hour("2013-02-08T22:00:00Z"), 68);
}

/// One flight from the board to the ground. UA1545 left Newark on the 8th for Houston.
#[test]
fn the_story_of_a_flight() {
    let timeline = timeline();
    let data = Dataset::load().expect("data");
    let flight = data
        .flights
        .iter()
        .find(|flight| {
            flight.delay_min().is_some_and(|delay| delay > 15) && flight.date == jiff::civil::date(2013, 2, 8)
        })
        .expect("a late flight");
    let events = timeline.between(timeline.start, timeline.end);
    let story = of(&events, &flight.key());
    let names: Vec<_> = story.iter().map(|event| event.name).filter(|name| *name != "aircraft.position").collect();
    assert_eq!(names, ["flight.scheduled", "flight.delayed", "flight.departed", "aircraft.landed"]);
    let departed = flight.departed.expect("it left");
    let times: Vec<_> =
        story.iter().filter(|event| event.name != "aircraft.position").map(|event| event.time).collect();
    let air_min = i64::from(flight.air_time_min.expect("it landed"));
    let expected =
        [later(flight.scheduled, -120), later(flight.scheduled, 15), departed, later(departed, 15 + air_min)];
    assert_eq!(times, expected);
    let positions: Vec<_> = story.iter().filter(|event| event.name == "aircraft.position").collect();
    assert_eq!(positions.len() as i64, air_min);
    assert_eq!(positions[0].time, later(departed, 15));
    let delayed = story.iter().find(|event| event.name == "flight.delayed").expect("delayed");
    assert_eq!(delayed.data["expected"], departed.as_millis());
    assert!(delayed.data.get("off_board").is_none(), "nobody knows yet when it leaves the board");
}

/// Positions lie between the two airports and end near the destination, one minute of flight away.
#[test]
fn aircraft_fly_on_great_circles() {
    let timeline = timeline();
    for journey in timeline.journeys.iter().step_by(50) {
        let Some((from, to)) = journey.way else { continue };
        let reports: Vec<_> = journey.positions(timeline.start, Timestamp::from_millis(i64::MAX)).collect();
        let whole = from.distance_mi(to);
        let minute = whole / reports.len() as f64;
        for (minutes, report) in reports.iter().enumerate() {
            let number = |field: &str| report.data[field].as_f64().expect(field);
            let here = crate::great_circle::Place { lat: number("lat"), lon: number("lon") };
            assert!((from.distance_mi(here) - minute * minutes as f64).abs() < 0.05, "{}", report.id);
            assert!((from.distance_mi(here) + here.distance_mi(to) - whole).abs() < 0.05, "{}", report.id);
            assert!((0.0..360.0).contains(&number("heading")));
        }
    }
}

/// A destination that the tables don't know is not dropped: the aircraft is there, without a position.
#[test]
fn unknown_destinations_stay_visible() {
    let timeline = timeline();
    let journey = timeline.journeys.iter().find(|journey| journey.dest == "SJU").expect("flights to San Juan");
    let reports: Vec<_> = journey.positions(timeline.start, timeline.end).collect();
    assert_eq!(reports[0].time, journey.takeoff());
    assert!(reports.iter().all(|report| report.data["lat"].is_null() && report.data["lon"].is_null()));
    assert!(reports.windows(2).all(|pair| pair[1].time == later(pair[0].time, 10)));
}

/// History holds every event but old positions, and exactly one position for each aircraft in the air.
#[test]
fn history_is_thinned() {
    let timeline = timeline();
    let at = utc("2013-02-08T15:00:00Z");
    let history = timeline.state_at(at);
    assert!(history.is_sorted_by_key(|event| event.time));
    assert!(history.iter().all(|event| event.time <= at));
    let positions: Vec<_> = history.iter().filter(|event| event.name == "aircraft.position").collect();
    let in_the_air =
        timeline.journeys.iter().filter(|journey| journey.takeoff() <= at && at < journey.landing()).count();
    assert_eq!((positions.len(), in_the_air), (140, 140));
    let others = timeline.fixed_between(Timestamp::from_millis(0), at).len();
    assert_eq!(history.len(), others + positions.len());
    // What follows continues where history ends: the next reports are a minute later.
    let next = timeline.between(at, later(at, 1));
    assert!(next.iter().all(|event| event.time > at));
}

#[test]
fn airports_close_and_open_again() {
    let timeline = timeline();
    let state_at = |airport: &str, at: &str| {
        let events = timeline.fixed_between(timeline.start, utc(at));
        let last = events.iter().rev().find(|event| event.channel == AIRPORTS && event.data["airport"] == airport);
        last.map(|event| event.data["state"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    };
    for airport in dataset::ORIGINS {
        assert_eq!(state_at(airport, "2013-02-07T17:00:00Z"), "open", "{airport} at noon of the day before");
        assert_eq!(state_at(airport, "2013-02-08T23:00:00Z"), "closed", "{airport} in the evening of the storm");
        assert_eq!(state_at(airport, "2013-02-09T08:00:00Z"), "closed", "{airport} in the night after");
        assert_ne!(state_at(airport, "2013-02-10T17:00:00Z"), "closed", "{airport} two days later");
    }
    // Never silent for longer than half an hour, never twice within five minutes.
    for airport in dataset::ORIGINS {
        let all = timeline.fixed_between(Timestamp::from_millis(0), timeline.end);
        let times: Vec<_> = all
            .iter()
            .filter(|event| event.channel == AIRPORTS && event.data["airport"] == airport)
            .map(|event| event.time.as_millis())
            .collect();
        assert!(times.windows(2).all(|pair| (5 * MINUTE_MS..=30 * MINUTE_MS).contains(&(pair[1] - pair[0]))));
    }
}

#[test]
fn weather_keeps_its_holes() {
    let timeline = timeline();
    let observed = |id: &str| timeline.fixed.iter().find(|event| event.id == id).expect(id).data.clone();
    // 13:00 at Kennedy: 28.8 mph gusting 39.1, from 30 degrees.
    let storm = observed(&format!("JFK/weather/{}", utc("2013-02-08T18:00:00Z")));
    assert_eq!(
        (&storm["wind_kt"], &storm["gust_kt"], &storm["wind_from"]),
        (&25.0.into(), &34.0.into(), &"NNE".into())
    );
    assert_eq!((&storm["temp_f"], &storm["temp_c"]), (&35.1.into(), &1.7.into()));
    let calm = observed(&format!("JFK/weather/{}", utc("2013-02-08T05:00:00Z")));
    assert!(calm["gust_kt"].is_null());
}
