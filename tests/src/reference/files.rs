//! The CSV files, as far as the wall shows them.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;

const FLIGHTS: &str = include_str!("../../../examples/data/nycflights13/flights-2013-02-07-to-10.csv");
const WEATHER: &str = include_str!("../../../examples/data/nycflights13/weather-2013-02-07-to-10.csv");
const PLACES: &str = include_str!("../../../examples/data/nycflights13/airports.csv");
const CITIES: &str = include_str!("../../../examples/data/destinations.csv");

/// One scheduled departure; times in minutes since the first midnight in New York.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) day: i64,
    pub(super) carrier: String,
    pub(super) number: String,
    pub(super) origin: &'static str,
    pub(super) dest: String,
    pub(super) scheduled: i64,
    /// Minutes late; none if it never left.
    pub(super) late: Option<i64>,
    /// Minutes in the air.
    pub(super) in_the_air: Option<i64>,
}

impl Flight {
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.carrier, self.number)
    }

    pub(super) fn key(&self) -> String {
        format!("2013-02-{:02}/{}/{}", self.day, self.name(), self.origin)
    }
}

/// One hour at one airport.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    pub(super) airport: String,
    pub(super) minute: i64,
    pub(super) fahrenheit: Option<f64>,
    pub(super) wind_mph: Option<f64>,
    pub(super) gust_mph: Option<f64>,
    pub(super) visibility: Option<f64>,
}

/// Everything.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) flights: Vec<Flight>,
    pub(super) weather: Vec<Weather>,
    /// Degrees north and east by code.
    pub(super) places: HashMap<String, (f64, f64)>,
    cities: HashMap<String, String>,
}

type Row = BTreeMap<String, String>;

impl Files {
    pub(super) fn read() -> anyhow::Result<Self> {
        Ok(Self {
            flights: rows(FLIGHTS)?.iter().map(flight).collect::<Result<_, _>>().context("flights")?,
            weather: rows(WEATHER)?.iter().map(weather).collect::<Result<_, _>>().context("weather")?,
            places: rows(PLACES)?.iter().map(place).collect::<Result<_, _>>().context("places")?,
            cities: rows(CITIES)?
                .iter()
                .map(|row| Ok((text(row, "faa")?, text(row, "city")?)))
                .collect::<anyhow::Result<_>>()?,
        })
    }

    pub(super) fn city(&self, code: &str) -> String {
        self.cities.get(code).map_or(code, |city| city).to_owned()
    }
}

fn rows(file: &str) -> anyhow::Result<Vec<Row>> {
    csv::Reader::from_reader(file.as_bytes()).deserialize().map(|row| Ok(row?)).collect()
}

fn text(row: &Row, column: &str) -> anyhow::Result<String> {
    row.get(column).cloned().with_context(|| format!("no column {column}"))
}

fn number(row: &Row, column: &str) -> anyhow::Result<Option<f64>> {
    let text = text(row, column)?;
    if text.is_empty() || text == "NA" {
        return Ok(None);
    }
    text.parse().map(Some).with_context(|| format!("{column} is {text:?}"))
}

fn whole(row: &Row, column: &str) -> anyhow::Result<i64> {
    text(row, column)?.parse().with_context(|| format!("{column} of {row:?}"))
}

fn flight(row: &Row) -> anyhow::Result<Flight> {
    let day = whole(row, "day")?;
    let clock = whole(row, "sched_dep_time")?;
    let origin = text(row, "origin")?;
    let left = number(row, "dep_time")?.is_some();
    Ok(Flight {
        day,
        carrier: text(row, "carrier")?,
        number: text(row, "flight")?,
        origin: super::AIRPORTS.into_iter().find(|code| *code == origin).with_context(|| format!("origin {origin}"))?,
        dest: text(row, "dest")?,
        scheduled: (day - 7) * super::DAY + clock / 100 * 60 + clock % 100,
        late: if left { number(row, "dep_delay")?.map(|late| late as i64) } else { None },
        in_the_air: number(row, "air_time")?.map(|minutes| minutes as i64),
    })
}

fn weather(row: &Row) -> anyhow::Result<Weather> {
    Ok(Weather {
        airport: text(row, "origin")?,
        // `day` and `hour` are local, and whole.
        minute: (whole(row, "day")? - 7) * super::DAY + whole(row, "hour")? * 60,
        fahrenheit: number(row, "temp")?,
        wind_mph: number(row, "wind_speed")?,
        gust_mph: number(row, "wind_gust")?,
        visibility: number(row, "visib")?,
    })
}

fn place(row: &Row) -> anyhow::Result<(String, (f64, f64))> {
    let degrees = |column| number(row, column)?.with_context(|| format!("no {column}"));
    Ok((text(row, "faa")?, (degrees("lat")?, degrees("lon")?)))
}
