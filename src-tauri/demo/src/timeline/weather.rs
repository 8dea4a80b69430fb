//! Hourly weather, in the units of the data and in those of aviation.

use serde_json::{Value, json};

use super::{ReplayEvent, WEATHER};
use crate::dataset::{Dataset, Observation};

/// Statute miles in a nautical mile.
const MILES_PER_NAUTICAL_MILE: f64 = 1.150_779;
/// Where the wind comes from, in words, clockwise from north.
const COMPASS: [&str; 16] =
    ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"];

/// Every observation.
pub(super) fn events(data: &Dataset) -> impl Iterator<Item = ReplayEvent> {
    data.weather.iter().map(|observation| ReplayEvent {
        channel: WEATHER,
        name: "weather.observed",
        id: format!("{}/weather/{}", observation.origin, observation.at),
        time: observation.at,
        data: report(observation),
    })
}

/// Missing values stay null.
fn report(observation: &Observation) -> Value {
    json!({
        "airport": observation.origin,
        "temp_f": observation.temperature_f.map(tenth),
        "temp_c": observation.temperature_f.map(|fahrenheit| tenth((fahrenheit - 32.0) / 1.8)),
        "dew_point_c": observation.dew_point_f.map(|fahrenheit| tenth((fahrenheit - 32.0) / 1.8)),
        "humidity": observation.humidity.map(f64::round),
        "wind_mph": observation.wind_mph.map(f64::round),
        "wind_kt": observation.wind_mph.map(knots),
        "wind_deg": observation.wind_from_deg,
        "wind_from": wind_from(observation),
        "gust_mph": observation.gust_mph.map(f64::round),
        "gust_kt": observation.gust_mph.map(knots),
        "visibility": observation.visibility_mi,
        "precipitation": observation.precipitation_in,
        "pressure": observation.pressure_hpa,
    })
}

/// Stations measure whole knots; the data's miles an hour were made from them.
fn knots(mph: f64) -> f64 {
    (mph / MILES_PER_NAUTICAL_MILE).round()
}

fn wind_from(observation: &Observation) -> Option<&'static str> {
    if observation.wind_mph == Some(0.0) {
        return Some("calm");
    }
    let sector = (observation.wind_from_deg? / 22.5).round().rem_euclid(16.0);
    COMPASS.get(sector as usize).copied()
}

fn tenth(value: f64) -> f64 {
    // Adding zero turns -0.0 into 0.0.
    (value * 10.0).round() / 10.0 + 0.0
}
