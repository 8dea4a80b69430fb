//! An aircraft's way through the air.

use serde_json::json;
use watchfloor_model::Timestamp;

use super::{FLIGHTS, MINUTE_MS, ReplayEvent, flights, later};
use crate::{
    dataset::{Dataset, Flight},
    great_circle::Place,
};

/// From leaving the gate to leaving the ground. The data has no takeoff times; this is near the mean at these airports.
const TAXI_MIN: i64 = 15;
/// How often an aircraft reports.
const REPORT_MIN: i64 = 1;
/// How often one reports whose way is unknown: it says no more than that it is in the air.
const UNPLACED_REPORT_MIN: i64 = 10;

/// When a flight that left its gate at `departed` leaves the ground.
pub(super) fn takeoff(departed: Timestamp) -> Timestamp {
    later(departed, TAXI_MIN)
}

/// One flight that took off and landed as planned.
#[derive(Clone, Debug)]
pub(super) struct Journey {
    key: String,
    flight: String,
    origin: String,
    pub(super) dest: String,
    city: String,
    takeoff: Timestamp,
    landing: Timestamp,
    /// From where to where; none if the tables don't know one of the two.
    pub(super) way: Option<(Place, Place)>,
}

impl Journey {
    /// The journey of a flight, if it made one.
    pub(super) fn of(flight: &Flight, data: &Dataset) -> Option<Self> {
        let takeoff = takeoff(flight.departed?);
        let place = |code: &str| data.airports.get(code).map(|airport| Place { lat: airport.lat, lon: airport.lon });
        Some(Self {
            key: flight.key(),
            flight: flight.designator(),
            origin: flight.origin.clone(),
            dest: flight.dest.clone(),
            city: flights::city(flight, data).to_owned(),
            takeoff,
            landing: later(takeoff, i64::from(flight.air_time_min?)),
            way: place(&flight.origin).zip(place(&flight.dest)),
        })
    }

    pub(super) const fn takeoff(&self) -> Timestamp {
        self.takeoff
    }

    pub(super) const fn landing(&self) -> Timestamp {
        self.landing
    }

    /// Its reports with `after < time <= through`.
    pub(super) fn positions(&self, after: Timestamp, through: Timestamp) -> impl Iterator<Item = ReplayEvent> {
        let step = self.report_ms();
        let since_takeoff = (after.as_millis().saturating_sub(self.takeoff.as_millis())).max(-1);
        let first = if since_takeoff < 0 { 0 } else { since_takeoff / step + 1 };
        let last = self.landing.as_millis() - 1;
        let through = through.as_millis().min(last).saturating_sub(self.takeoff.as_millis());
        (first..)
            .map(move |report| report * step)
            .take_while(move |offset| *offset <= through)
            .map(|at| self.report(at))
    }

    /// Its newest report at or before `through`; none while it isn't in the air.
    pub(super) fn newest_position(&self, through: Timestamp) -> Option<ReplayEvent> {
        let since_takeoff = through.as_millis() - self.takeoff.as_millis();
        let in_the_air = since_takeoff >= 0 && through < self.landing;
        in_the_air.then(|| self.report(since_takeoff / self.report_ms() * self.report_ms()))
    }

    const fn report_ms(&self) -> i64 {
        if self.way.is_some() { REPORT_MIN * MINUTE_MS } else { UNPLACED_REPORT_MIN * MINUTE_MS }
    }

    /// What it says `since_takeoff` milliseconds after takeoff: on the great circle, at even speed.
    fn report(&self, since_takeoff: i64) -> ReplayEvent {
        let whole = self.landing.as_millis() - self.takeoff.as_millis();
        let part = since_takeoff as f64 / whole as f64;
        let place = self.way.map(|(from, to)| {
            let here = from.toward(to, part);
            (round(here.lat, 4), round(here.lon, 4), here.course(to).round() % 360.0)
        });
        ReplayEvent {
            channel: FLIGHTS,
            name: "aircraft.position",
            id: format!("{}/position/{}", self.key, since_takeoff / MINUTE_MS),
            time: Timestamp::from_millis(self.takeoff.as_millis() + since_takeoff),
            data: json!({
                "key": self.key,
                "flight": self.flight,
                "origin": self.origin,
                "dest": self.dest,
                "dest_name": self.city,
                "lat": place.map(|(lat, _, _)| lat),
                "lon": place.map(|(_, lon, _)| lon),
                "heading": place.map(|(_, _, heading)| heading),
                "landing": self.landing,
            }),
        }
    }
}

/// `value` to `digits` after the point.
fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
