//! What an airport's own operations system would publish of its state.
//!
//! The data holds no such thing. It is worked out here, every five minutes, from the last hour:
//!
//! | state | rule, the first that holds |
//! | --- | --- |
//! | `closed` | at least 90 % of the departures scheduled in the last hour are cancelled |
//! | `disrupted` | at least 25 % |
//! | `delays` | those that departed in the last hour left 30 minutes late or more in the mean |
//! | `open` | otherwise |
//!
//! An hour in which nothing was scheduled and nothing left changes nothing: an airport that a storm closed in the evening is
//! still closed at night.

use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use super::{AIRPORTS, HOUR_MS, MINUTE_MS, ReplayEvent, later};
use crate::dataset::{Dataset, ORIGINS};

/// How often the state is worked out.
const STEP_MIN: i64 = 5;
/// It is published this often even if nothing changed.
const REPEAT_MS: i64 = 30 * MINUTE_MS;
const CLOSED_SHARE: f64 = 0.9;
const DISRUPTED_SHARE: f64 = 0.25;
const DELAYS_MIN: f64 = 30.0;

/// Every report of every airport from `start` up to `end`.
pub(super) fn events(data: &Dataset, start: Timestamp, end: Timestamp) -> Vec<ReplayEvent> {
    ORIGINS.iter().flat_map(|airport| of_airport(airport, data, start, end)).collect()
}

fn of_airport(airport: &str, data: &Dataset, start: Timestamp, end: Timestamp) -> Vec<ReplayEvent> {
    let traffic = Traffic::of(airport, data);
    let name = data.airports.get(airport).map(|airport| &*airport.name);
    let mut events: Vec<ReplayEvent> = Vec::new();
    let mut state = "open";
    let mut at = start;
    while at <= end {
        let hour = traffic.hour_before(at);
        state = hour.state(state);
        let report = hour.report(airport, name, state);
        let due =
            events.last().is_none_or(|last| last.data != report || at.as_millis() - last.time.as_millis() >= REPEAT_MS);
        if due {
            let id = format!("{airport}/status/{at}");
            events.push(ReplayEvent { channel: AIRPORTS, name: "airport.status", id, time: at, data: report });
        }
        at = later(at, STEP_MIN);
    }
    events
}

/// What an airport's flights come to, each list in order of time.
#[derive(Debug, Default)]
struct Traffic {
    scheduled: Vec<Timestamp>,
    cancelled: Vec<Timestamp>,
    /// With minutes late.
    departed: Vec<(Timestamp, i64)>,
}

impl Traffic {
    fn of(airport: &str, data: &Dataset) -> Self {
        let mut traffic = Self::default();
        for flight in data.flights.iter().filter(|flight| flight.origin == airport) {
            traffic.scheduled.push(flight.scheduled);
            match (flight.departed, flight.delay_min()) {
                (Some(departed), Some(delay_min)) => traffic.departed.push((departed, delay_min)),
                _ => traffic.cancelled.push(flight.scheduled),
            }
        }
        traffic.scheduled.sort_unstable();
        traffic.cancelled.sort_unstable();
        traffic.departed.sort_unstable();
        traffic
    }

    /// The hour that ends at `at`, which belongs to it.
    fn hour_before(&self, at: Timestamp) -> Hour {
        let departed = within_hour(&self.departed, at, |(departed, _)| *departed);
        let count = |list: &[Timestamp]| within_hour(list, at, |time| *time).len();
        Hour {
            scheduled: count(&self.scheduled),
            cancelled: count(&self.cancelled),
            departed: departed.len(),
            delay_min_sum: departed.iter().map(|(_, delay_min)| delay_min).sum(),
        }
    }
}

/// The part of an ordered list that lies in the hour that ends at `at`.
fn within_hour<T>(list: &[T], at: Timestamp, time: impl Fn(&T) -> Timestamp) -> &[T] {
    let index = |limit: Timestamp| list.partition_point(|item| time(item) <= limit);
    let begin = Timestamp::from_millis(at.as_millis() - HOUR_MS);
    list.get(index(begin)..index(at)).unwrap_or_default()
}

/// What happened at an airport in one hour.
#[derive(Debug, Default)]
struct Hour {
    scheduled: usize,
    cancelled: usize,
    departed: usize,
    delay_min_sum: i64,
}

impl Hour {
    fn cancelled_share(&self) -> f64 {
        if self.scheduled == 0 { 0.0 } else { self.cancelled as f64 / self.scheduled as f64 }
    }

    fn mean_delay_min(&self) -> Option<f64> {
        (self.departed > 0).then(|| self.delay_min_sum as f64 / self.departed as f64)
    }

    fn state(&self, before: &'static str) -> &'static str {
        if self.scheduled == 0 && self.departed == 0 {
            return before;
        }
        match self.cancelled_share() {
            share if share >= CLOSED_SHARE => "closed",
            share if share >= DISRUPTED_SHARE => "disrupted",
            _ if self.mean_delay_min().is_some_and(|mean| mean >= DELAYS_MIN) => "delays",
            _ => "open",
        }
    }

    fn report(&self, airport: &str, name: Option<&str>, state: &str) -> Value {
        json!({
            "airport": airport,
            "name": name,
            "state": state,
            "detail": self.detail(),
            "scheduled": self.scheduled,
            "cancelled": self.cancelled,
            "departed": self.departed,
            "cancelled_share": (self.scheduled > 0).then(|| self.cancelled_share()),
            "mean_delay": self.mean_delay_min(),
        })
    }

    /// A short line for a tile, of the last hour.
    fn detail(&self) -> String {
        match self.mean_delay_min() {
            _ if self.cancelled > 0 => format!("{} of {} cancelled", self.cancelled, self.scheduled),
            Some(mean) => format!("{} left, mean delay {} min", self.departed, mean.round() as i64),
            None if self.scheduled > 0 => format!("none of {} left", self.scheduled),
            None => "nothing scheduled".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_by_the_rules() {
        for (scheduled, cancelled, departed, delay_min_sum, before, state, detail) in [
            (20, 0, 18, 180, "open", "open", "18 left, mean delay 10 min"),
            (20, 4, 10, 299, "open", "open", "4 of 20 cancelled"),
            (20, 4, 10, 300, "open", "delays", "4 of 20 cancelled"),
            (20, 5, 10, 900, "open", "disrupted", "5 of 20 cancelled"),
            (20, 18, 1, 0, "open", "closed", "18 of 20 cancelled"),
            (0, 0, 0, 0, "closed", "closed", "nothing scheduled"),
            (0, 0, 2, 100, "closed", "delays", "2 left, mean delay 50 min"),
            (3, 0, 0, 0, "closed", "open", "none of 3 left"),
            (9, 0, 4, -9, "open", "open", "4 left, mean delay -2 min"),
        ] {
            let hour = Hour { scheduled, cancelled, departed, delay_min_sum };
            assert_eq!((hour.state(before), &*hour.detail()), (state, detail), "{hour:?}");
        }
    }
}
