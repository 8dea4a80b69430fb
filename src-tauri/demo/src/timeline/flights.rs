//! What a departures board is told of a flight.

use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use super::{FLIGHTS, ReplayEvent, journey, later};
use crate::dataset::{Dataset, Flight};

/// A flight comes onto the board this long before its scheduled departure.
const ANNOUNCED_MIN: i64 = 120;
/// A flight that left this late or later was not on time, and one that is still there is announced as delayed.
const LATE_MIN: i64 = 15;
/// A departed flight leaves the board after this time.
const DEPARTED_SHOWN_MIN: i64 = 3;
/// A cancelled flight leaves the board this long after its scheduled departure: in a storm there are more of them than rows.
const CANCELLED_SHOWN_MIN: i64 = 5;

/// Every event of every flight but its positions.
pub(super) fn events(data: &Dataset) -> Vec<ReplayEvent> {
    data.flights.iter().flat_map(|flight| of_flight(flight, data)).collect()
}

fn of_flight(flight: &Flight, data: &Dataset) -> Vec<ReplayEvent> {
    let story = Story { flight, base: base(flight, data) };
    let scheduled = flight.scheduled;
    let mut events = vec![story.event(
        "flight.scheduled",
        later(scheduled, -ANNOUNCED_MIN),
        json!({ "status": "scheduled", "expected": scheduled, "actual": null, "delay": null }),
    )];
    let (Some(departed), Some(delay)) = (flight.departed, flight.delay_min()) else {
        events.push(story.event(
            "flight.cancelled",
            scheduled,
            json!({
                "status": "cancelled", "expected": null, "actual": null, "delay": null,
                "off_board": later(scheduled, CANCELLED_SHOWN_MIN),
            }),
        ));
        return events;
    };
    if delay > LATE_MIN {
        events.push(story.event(
            "flight.delayed",
            later(scheduled, LATE_MIN),
            json!({ "status": "delayed", "expected": departed, "actual": null, "delay": delay }),
        ));
    }
    events.push(story.event(
        "flight.departed",
        departed,
        json!({
            "status": "departed", "expected": departed, "actual": departed, "delay": delay,
            "on_time": delay < LATE_MIN, "off_board": later(departed, DEPARTED_SHOWN_MIN),
        }),
    ));
    let takeoff = journey::takeoff(departed);
    match flight.air_time_min {
        None => events.push(story.event("flight.diverted", takeoff, json!({ "status": "diverted" }))),
        Some(minutes) => events.push(story.event(
            "aircraft.landed",
            later(takeoff, i64::from(minutes)),
            json!({ "status": "landed", "gate": flight.arrived }),
        )),
    }
    events
}

struct Story<'a> {
    flight: &'a Flight,
    base: Value,
}

impl Story<'_> {
    fn event(&self, name: &'static str, time: Timestamp, more: Value) -> ReplayEvent {
        let mut data = self.base.clone();
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        let (_, step) = name.split_once('.').unwrap_or(("", name));
        ReplayEvent { channel: FLIGHTS, name, id: format!("{}/{step}", self.flight.key()), time, data }
    }
}

/// What is true of a flight from its announcement on. Missing values are null.
fn base(flight: &Flight, data: &Dataset) -> Value {
    let aircraft = flight.tailnum.as_ref().and_then(|tailnum| data.aircraft.get(tailnum));
    json!({
        "key": flight.key(),
        "flight": flight.designator(),
        "carrier": flight.carrier,
        "airline": data.carriers.get(&flight.carrier),
        "brand": brand(data.carriers.get(&flight.carrier).unwrap_or(&flight.carrier)),
        "number": flight.number,
        "tailnum": flight.tailnum,
        "aircraft": aircraft.map(|aircraft| &aircraft.model),
        "seats": aircraft.and_then(|aircraft| aircraft.seats),
        "origin": flight.origin,
        "dest": flight.dest,
        "dest_name": city(flight, data),
        "distance": flight.distance_mi,
        "sched": flight.scheduled,
        "arrives": flight.scheduled_arrival,
    })
}

/// What people call an airline: without what its lawyers add.
fn brand(name: &str) -> &str {
    const ADDED: [&str; 6] = [" Inc.", " Co.", " Corporation", " Air Lines", " Airlines", " Airways"];
    ADDED.iter().fold(name, |name, added| name.strip_suffix(added).unwrap_or(name))
}

/// What a departures board calls the destination; its code if nobody does.
pub(super) fn city<'a>(flight: &'a Flight, data: &'a Dataset) -> &'a str {
    data.cities.get(&flight.dest).unwrap_or(&flight.dest)
}
