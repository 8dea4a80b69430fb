//! The four real days, typed: every departure, the weather, and the tables that give codes a name.
//!
//! The files are part of the program (`examples/data`). A missing value is `None`; everything that can't be read is an
//! error with file and line, so that a changed file is found by the first test that runs.

use std::{collections::BTreeMap, str::FromStr};

use jiff::{
    SignedDuration,
    civil::{Date, date},
    tz::TimeZone,
};
use watchfloor_model::Timestamp;

/// The zone of the three airports, and of every departure time.
pub const NEW_YORK: &str = "America/New_York";
/// The first and the last day that the data holds, in New York.
pub const DAYS: [Date; 2] = [date(2013, 2, 7), date(2013, 2, 10)];
/// The airports whose departures the data holds.
pub const ORIGINS: [&str; 3] = ["EWR", "JFK", "LGA"];

const FLIGHTS: File = File::new(
    "flights-2013-02-07-to-10.csv",
    include_str!("../../../examples/data/nycflights13/flights-2013-02-07-to-10.csv"),
);
const WEATHER: File = File::new(
    "weather-2013-02-07-to-10.csv",
    include_str!("../../../examples/data/nycflights13/weather-2013-02-07-to-10.csv"),
);
const AIRPORTS: File = File::new("airports.csv", include_str!("../../../examples/data/nycflights13/airports.csv"));
const AIRLINES: File = File::new("airlines.csv", include_str!("../../../examples/data/nycflights13/airlines.csv"));
const PLANES: File = File::new("planes.csv", include_str!("../../../examples/data/nycflights13/planes.csv"));
const DESTINATIONS: File = File::new("destinations.csv", include_str!("../../../examples/data/destinations.csv"));

/// Everything that the replay knows.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// One a scheduled departure, in the file's order.
    pub flights: Vec<Flight>,
    /// One an airport and hour, in the file's order.
    pub weather: Vec<Observation>,
    /// By code. Four destinations of the flights are missing: real data has holes.
    pub airports: BTreeMap<String, Airport>,
    /// Airline names by carrier code.
    pub carriers: BTreeMap<String, String>,
    /// By tail number; many are missing.
    pub aircraft: BTreeMap<String, Aircraft>,
    /// What a departures board calls a destination, by code.
    pub cities: BTreeMap<String, String>,
}

/// One scheduled departure and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Flight {
    /// The day in New York for which it was scheduled.
    pub date: Date,
    /// Carrier code: `UA`.
    pub carrier: String,
    /// Flight number.
    pub number: u32,
    /// The aircraft, where known.
    pub tailnum: Option<String>,
    /// One of [`ORIGINS`].
    pub origin: String,
    /// Code of the destination.
    pub dest: String,
    /// Scheduled departure.
    pub scheduled: Timestamp,
    /// Actual departure; none for a cancelled flight.
    pub departed: Option<Timestamp>,
    /// Scheduled arrival; none where the destination's time zone is unknown.
    pub scheduled_arrival: Option<Timestamp>,
    /// Actual arrival at the gate; none for a flight that was cancelled or diverted, or whose time zone is unknown.
    pub arrived: Option<Timestamp>,
    /// Minutes in the air; none for a flight that was cancelled or diverted.
    pub air_time_min: Option<u32>,
    /// Distance in statute miles.
    pub distance_mi: u32,
}

impl Flight {
    /// What people call it: `UA1545`.
    #[must_use]
    pub fn designator(&self) -> String {
        format!("{}{}", self.carrier, self.number)
    }

    /// What tells it from every other: `2013-02-08/UA1545/EWR`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}{}/{}", self.date, self.carrier, self.number, self.origin)
    }

    /// Minutes between scheduled and actual departure, negative if it left early; none for a cancelled flight.
    #[must_use]
    pub fn delay_min(&self) -> Option<i64> {
        self.departed.map(|departed| (departed.as_millis() - self.scheduled.as_millis()) / 60_000)
    }
}

/// The weather at an airport in one hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Airport code.
    pub origin: String,
    /// When it was observed.
    pub at: Timestamp,
    /// Temperature, °F.
    pub temperature_f: Option<f64>,
    /// Dew point, °F.
    pub dew_point_f: Option<f64>,
    /// Relative humidity, %.
    pub humidity: Option<f64>,
    /// Where the wind comes from, degrees clockwise from north; none if it varies.
    pub wind_from_deg: Option<f64>,
    /// Mean wind, statute miles an hour.
    pub wind_mph: Option<f64>,
    /// Gusts, statute miles an hour; none if there were none.
    pub gust_mph: Option<f64>,
    /// Precipitation of the hour, inches.
    pub precipitation_in: Option<f64>,
    /// Pressure at sea level, hPa.
    pub pressure_hpa: Option<f64>,
    /// Visibility, statute miles; 10 stands for 10 and more.
    pub visibility_mi: Option<f64>,
}

/// An airport's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Airport {
    /// Full name: `Newark Liberty Intl`.
    pub name: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// IANA zone, where known.
    pub zone: Option<String>,
}

/// An aircraft by its tail number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aircraft {
    /// Maker and model: `AIRBUS INDUSTRIE A320-214`.
    pub model: String,
    /// Seats.
    pub seats: Option<u32>,
}

/// Why the data can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct DatasetError {
    /// Name of the file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u64,
    /// What was found and what was expected.
    pub problem: String,
}

impl Dataset {
    /// Reads the files that are part of the program.
    ///
    /// # Errors
    /// The first line that can't be read.
    pub fn load() -> Result<Self, DatasetError> {
        let airports = AIRPORTS.rows(read_airport)?.into_iter().collect();
        let new_york = zone(NEW_YORK).map_err(|problem| FLIGHTS.error(1, problem))?;
        let mut zones = Zones { airports: &airports, known: BTreeMap::new() };
        Ok(Self {
            flights: FLIGHTS.rows(|row| read_flight(row, &new_york, &mut zones))?,
            weather: WEATHER.rows(read_observation)?,
            carriers: AIRLINES.rows(|row| Ok((row.text("carrier")?, row.text("name")?)))?.into_iter().collect(),
            aircraft: PLANES.rows(read_aircraft)?.into_iter().collect(),
            cities: DESTINATIONS.rows(|row| Ok((row.text("faa")?, row.text("city")?)))?.into_iter().collect(),
            airports,
        })
    }
}

/// Midnight at the beginning of `day` in New York.
///
/// # Errors
/// If the day lies outside the years that a time zone is defined for.
pub fn midnight(day: Date) -> Result<Timestamp, jiff::Error> {
    from_new_york(day.at(0, 0, 0, 0))
}

/// What clocks in New York show at `at`.
///
/// # Errors
/// If the instant lies outside the years that a time zone is defined for.
pub fn new_york(at: Timestamp) -> Result<jiff::civil::DateTime, jiff::Error> {
    Ok(TimeZone::get(NEW_YORK)?.to_datetime(jiff::Timestamp::from_millisecond(at.as_millis())?))
}

/// The instant at which clocks in New York show `local`.
///
/// # Errors
/// If it lies outside the years that a time zone is defined for.
pub fn from_new_york(local: jiff::civil::DateTime) -> Result<Timestamp, jiff::Error> {
    let instant = TimeZone::get(NEW_YORK)?.to_timestamp(local)?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}

fn read_airport(row: &Row<'_>) -> Result<(String, Airport), DatasetError> {
    let airport = Airport {
        name: row.text("name")?,
        lat: row.number("lat")?,
        lon: row.number("lon")?,
        zone: row.optional("tzone")?,
    };
    Ok((row.text("faa")?, airport))
}

fn read_aircraft(row: &Row<'_>) -> Result<(String, Aircraft), DatasetError> {
    let model = format!("{} {}", row.text("manufacturer")?, row.text("model")?);
    Ok((row.text("tailnum")?, Aircraft { model, seats: row.optional("seats")? }))
}

fn read_observation(row: &Row<'_>) -> Result<Observation, DatasetError> {
    let at: jiff::Timestamp = row.number("time_hour")?;
    Ok(Observation {
        origin: row.text("origin")?,
        at: Timestamp::from_millis(at.as_millisecond()),
        temperature_f: row.optional("temp")?,
        dew_point_f: row.optional("dewp")?,
        humidity: row.optional("humid")?,
        wind_from_deg: row.optional("wind_dir")?,
        wind_mph: row.optional("wind_speed")?,
        gust_mph: row.optional("wind_gust")?,
        precipitation_in: row.optional("precip")?,
        pressure_hpa: row.optional("pressure")?,
        visibility_mi: row.optional("visib")?,
    })
}

fn read_flight(row: &Row<'_>, new_york: &TimeZone, zones: &mut Zones<'_>) -> Result<Flight, DatasetError> {
    let date = Date::new(row.number("year")?, row.number("month")?, row.number("day")?)
        .map_err(|error| row.error(error.to_string()))?;
    let dest = row.text("dest")?;
    let scheduled = row.clock(date, row.number("sched_dep_time")?, new_york)?;
    let departed = match row.optional::<u32>("dep_time")? {
        None => None,
        Some(reading) => Some(departure(row, scheduled, reading, new_york)?),
    };
    let arrival_zone = zones.of(&dest).map_err(|problem| row.error(problem))?;
    let arrival = |reading: Option<u32>, after: Timestamp| match (reading, &arrival_zone) {
        (Some(reading), Some(zone)) => row.next_clock(after, reading, zone).map(Some),
        _ => Ok(None),
    };
    let scheduled_arrival = arrival(row.optional("sched_arr_time")?, scheduled)?;
    let arrived = arrival(row.optional("arr_time")?, departed.unwrap_or(scheduled))?;
    Ok(Flight {
        date,
        carrier: row.text("carrier")?,
        number: row.number("flight")?,
        tailnum: row.optional("tailnum")?,
        origin: row.text("origin")?,
        dest,
        scheduled,
        departed,
        scheduled_arrival,
        arrived,
        air_time_min: row.optional("air_time")?,
        distance_mi: row.number("distance")?,
    })
}

/// The clock reading alone doesn't say which day it belongs to, the delay alone might not fit the reading: both must agree.
fn departure(row: &Row<'_>, scheduled: Timestamp, reading: u32, zone: &TimeZone) -> Result<Timestamp, DatasetError> {
    let delay_min: i64 = row.number("dep_delay")?;
    let at = Timestamp::from_millis(scheduled.as_millis() + delay_min * 60_000);
    let local = row.local(at, zone)?;
    let shown = u32::from(local.hour().unsigned_abs()) * 100 + u32::from(local.minute().unsigned_abs());
    if shown != reading % 2400 {
        return Err(row.error(format!("dep_time is {reading}, but schedule and dep_delay give {shown:04}")));
    }
    Ok(at)
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|error| error.to_string())
}

/// Time zones of airports, each looked up once.
struct Zones<'a> {
    airports: &'a BTreeMap<String, Airport>,
    known: BTreeMap<String, TimeZone>,
}

impl Zones<'_> {
    fn of(&mut self, airport: &str) -> Result<Option<TimeZone>, String> {
        let Some(name) = self.airports.get(airport).and_then(|airport| airport.zone.as_ref()) else {
            return Ok(None);
        };
        if !self.known.contains_key(name) {
            self.known.insert(name.clone(), zone(name)?);
        }
        Ok(self.known.get(name).cloned())
    }
}

/// One file that is part of the program.
struct File {
    name: &'static str,
    text: &'static str,
}

impl File {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text }
    }

    fn error(&self, line: u64, problem: impl Into<String>) -> DatasetError {
        DatasetError { file: self.name, line, problem: problem.into() }
    }

    fn rows<T>(&self, mut read: impl FnMut(&Row<'_>) -> Result<T, DatasetError>) -> Result<Vec<T>, DatasetError> {
        let mut reader = csv::Reader::from_reader(self.text.as_bytes());
        let headers = reader.headers().map_err(|error| self.error(1, error.to_string()))?.clone();
        let mut rows = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(true) => rows.push(read(&Row { file: self, line, headers: &headers, record: &record })?),
                Ok(false) => return Ok(rows),
                Err(error) => return Err(self.error(line, error.to_string())),
            }
        }
    }
}

/// One line of a file.
struct Row<'a> {
    file: &'a File,
    line: u64,
    headers: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    fn error(&self, problem: impl Into<String>) -> DatasetError {
        self.file.error(self.line, problem)
    }

    fn field(&self, column: &str) -> Result<&str, DatasetError> {
        let at = self.headers.iter().position(|header| header == column);
        at.and_then(|at| self.record.get(at)).ok_or_else(|| self.error(format!("column {column} is missing")))
    }

    fn optional<T: FromStr>(&self, column: &str) -> Result<Option<T>, DatasetError> {
        match self.field(column)? {
            "" | "NA" => Ok(None),
            text => match text.parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(self.error(format!("{column} is {text:?}, expected {}", std::any::type_name::<T>()))),
            },
        }
    }

    fn number<T: FromStr>(&self, column: &str) -> Result<T, DatasetError> {
        self.optional(column)?.ok_or_else(|| self.error(format!("{column} has no value, but is always needed")))
    }

    fn text(&self, column: &str) -> Result<String, DatasetError> {
        self.number(column)
    }

    /// The instant at which clocks in `zone` show `reading` (HHMM, up to 2400) on `date`.
    fn clock(&self, date: Date, reading: u32, zone: &TimeZone) -> Result<Timestamp, DatasetError> {
        let (hour, minute) = (reading / 100, reading % 100);
        if minute > 59 || reading > 2400 {
            return Err(self.error(format!("{reading} is no clock reading: expected HHMM from 0000 to 2400")));
        }
        let of_day = SignedDuration::from_mins(i64::from(hour * 60 + minute));
        let instant = zone.to_timestamp(date.at(0, 0, 0, 0) + of_day).map_err(|error| self.error(error.to_string()))?;
        Ok(Timestamp::from_millis(instant.as_millisecond()))
    }

    /// The first instant after `after` at which clocks in `zone` show `reading`.
    fn next_clock(&self, after: Timestamp, reading: u32, zone: &TimeZone) -> Result<Timestamp, DatasetError> {
        let date = self.local(after, zone)?.date();
        let same_day = self.clock(date, reading % 2400, zone)?;
        if same_day > after {
            return Ok(same_day);
        }
        let next = date.tomorrow().map_err(|error| self.error(error.to_string()))?;
        self.clock(next, reading % 2400, zone)
    }

    fn local(&self, at: Timestamp, zone: &TimeZone) -> Result<jiff::civil::DateTime, DatasetError> {
        let instant =
            jiff::Timestamp::from_millisecond(at.as_millis()).map_err(|error| self.error(error.to_string()))?;
        Ok(zone.to_datetime(instant))
    }
}

#[cfg(test)]
mod tests;
