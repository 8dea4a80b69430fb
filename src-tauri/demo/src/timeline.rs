//! Every event of the four days, in the order of the replay's time. Pure: the same data always gives the same events.
//!
//! What the files say is turned into what an airport's own systems would have said at the time. The instants:
//!
//! | event | instant |
//! | --- | --- |
//! | `flight.scheduled` | two hours before the scheduled departure |
//! | `flight.delayed` | 15 minutes after it, if the flight left later than that; names the actual departure as the expected one, which is known in hindsight only |
//! | `flight.departed` | the actual departure |
//! | `flight.cancelled` | the scheduled departure: the data doesn't say when a cancellation was announced |
//! | `flight.diverted` | takeoff, for a flight that left and never arrived as planned; such a flight has no positions |
//! | `aircraft.position` | each minute from takeoff (15 minutes after departure) for the minutes that it was in the air |
//! | `aircraft.landed` | takeoff plus the minutes in the air |
//! | `airport.status` | every five minutes if something changed, and at least every half hour |
//! | `weather.observed` | the hour of the observation |

mod airports;
mod flights;
mod journey;
mod weather;

use std::ops::Range;

use watchfloor_model::Timestamp;

use self::journey::Journey;
use crate::{
    dataset::{self, DAYS, Dataset},
    story::{ReplayEvent, Story},
};

/// The channel of flights and aircraft.
pub const FLIGHTS: &str = "flights";
/// The channel of the airports' own state.
pub const AIRPORTS: &str = "airports";
/// The channel of weather.
pub const WEATHER: &str = "weather";
/// All channels of the replay.
pub const CHANNELS: [&str; 3] = [FLIGHTS, AIRPORTS, WEATHER];

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// All that happens, ready to be asked for stretch by stretch.
///
/// Positions are made when they are asked for: there are 370,000 of them, and 14,000 events of every other kind.
#[derive(Clone, Debug)]
pub struct Timeline {
    start: Timestamp,
    end: Timestamp,
    /// Everything but positions, in order.
    fixed: Vec<ReplayEvent>,
    /// In order of takeoff.
    journeys: Vec<Journey>,
}

impl Timeline {
    /// Works out all events of the data.
    ///
    /// # Errors
    /// If the data's days lie outside the years that a time zone is defined for.
    pub fn new(data: &Dataset) -> Result<Self, jiff::Error> {
        let [first, last] = DAYS;
        let (start, end) = (dataset::midnight(first)?, dataset::midnight(last.tomorrow()?)?);
        let mut fixed = flights::events(data);
        fixed.extend(weather::events(data));
        fixed.extend(airports::events(data, start, end));
        fixed.sort_by(order);
        let mut journeys: Vec<_> = data.flights.iter().filter_map(|flight| Journey::of(flight, data)).collect();
        journeys.sort_by_key(Journey::takeoff);
        Ok(Self { start, end, fixed, journeys })
    }

    fn fixed_between(&self, after: Timestamp, through: Timestamp) -> &[ReplayEvent] {
        let index = |limit: Timestamp| self.fixed.partition_point(|event| event.time <= limit);
        self.fixed.get(index(after)..index(through)).unwrap_or_default()
    }

    fn taken_off(&self, by: Timestamp) -> &[Journey] {
        let count = self.journeys.partition_point(|journey| journey.takeoff() <= by);
        self.journeys.get(..count).unwrap_or_default()
    }
}

impl Story for Timeline {
    fn channels(&self) -> &'static [&'static str] {
        &CHANNELS
    }

    /// From midnight of New York at which the first day begins to the one at which the last day ends.
    fn span(&self) -> Range<Timestamp> {
        self.start..self.end
    }

    fn between(&self, after: Timestamp, through: Timestamp) -> Vec<ReplayEvent> {
        let mut events = self.fixed_between(after, through).to_vec();
        let under_way = self.taken_off(through).iter().filter(|journey| journey.landing() > after);
        events.extend(under_way.flat_map(|journey| journey.positions(after, through)));
        events.sort_by(order);
        events
    }

    /// Every event since the beginning, but of the positions only the newest of each aircraft in the air.
    fn state_at(&self, through: Timestamp) -> Vec<ReplayEvent> {
        let mut events = self.fixed_between(Timestamp::from_millis(i64::MIN), through).to_vec();
        events.extend(self.taken_off(through).iter().filter_map(|journey| journey.newest_position(through)));
        events.sort_by(order);
        events
    }

    fn label(&self, at: Timestamp) -> String {
        dataset::new_york(at)
            .map_or_else(|_| "Replay".to_owned(), |local| local.strftime("Replay of %-d %B %Y").to_string())
    }
}

/// By time; at one instant causes before what sums them up, and then by id, so that there is one order only.
fn order(a: &ReplayEvent, b: &ReplayEvent) -> std::cmp::Ordering {
    let rank = |event: &ReplayEvent| match event.channel {
        WEATHER => 0,
        FLIGHTS => 1,
        _ => 2,
    };
    (a.time, rank(a), &a.id).cmp(&(b.time, rank(b), &b.id))
}

fn later(at: Timestamp, minutes: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + minutes * MINUTE_MS)
}

#[cfg(test)]
mod tests;
