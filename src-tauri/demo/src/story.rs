//! What a demo tells: events in the order of a time of their own, and which stories there are.
//!
//! The flights are real and stand in [`crate::timeline`]. The others are made up here, each the same at every run.

mod dispatch;
mod infrastructure;
mod orders;
mod process;
mod script;

use std::{fmt, ops::Range, sync::Arc};

use jiff::{
    civil::{Date, DateTime, date},
    tz::TimeZone,
};
use serde::Serialize;
use serde_json::Value;
use watchfloor_model::Timestamp;

use crate::{
    dataset::{self, DAYS, Dataset, DatasetError},
    timeline::Timeline,
};

/// Where the made-up places lie in time.
const MADE_UP_ZONE: &str = "Europe/Berlin";
/// The day of everything that is made up: a Tuesday.
const MADE_UP_DAY: Date = date(2026, 3, 10);

/// One event, as it is published.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayEvent {
    /// One of the story's channels.
    pub channel: &'static str,
    /// What kind of thing happened.
    pub name: &'static str,
    /// Unique within the story.
    pub id: String,
    /// When it happened: a whole minute.
    pub time: Timestamp,
    /// What it says.
    pub data: Value,
}

/// A stretch of time and all that happens in it. Pure: the same story always has the same events.
pub trait Story: fmt::Debug + Send + Sync {
    /// The channels to which it publishes.
    fn channels(&self) -> &'static [&'static str];

    /// From its first instant to its end. What happens later is left out.
    fn span(&self) -> Range<Timestamp>;

    /// Every event with `after < time <= through`, in order.
    fn between(&self, after: Timestamp, through: Timestamp) -> Vec<ReplayEvent>;

    /// What whoever starts at `through` needs to know of what went before, in order. Followed by what comes [`Self::between`], it
    /// adds up to the same as all events since the beginning.
    fn state_at(&self, through: Timestamp) -> Vec<ReplayEvent>;

    /// What the wall is told about the time: `Replay of 8 February 2013`.
    fn label(&self, at: Timestamp) -> String;
}

/// Why a story can't be told.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The data can't be read.
    #[error("the demo's data can't be read: {0}")]
    Data(#[from] DatasetError),
    /// A time zone can't be read.
    #[error("the demo's times can't be worked out: {0}")]
    Time(#[from] jiff::Error),
}

/// The stories, by what they are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum StoryName {
    /// Departures of three airports in a blizzard, as they happened.
    #[default]
    Flights,
    /// Orders in a warehouse whose largest carrier fails (made up).
    Orders,
    /// Ambulances of a town whose hospital turns them away (made up).
    Dispatch,
    /// Forty servers, and a rack that loses its cooling (made up).
    Infrastructure,
    /// A waterworks whose level gauge is stuck (made up).
    Process,
}

impl StoryName {
    /// Every story.
    pub const ALL: [Self; 5] = [Self::Flights, Self::Orders, Self::Dispatch, Self::Infrastructure, Self::Process];

    /// The word by which it is asked for.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flights => "flights",
            Self::Orders => "orders",
            Self::Dispatch => "dispatch",
            Self::Infrastructure => "infrastructure",
            Self::Process => "process",
        }
    }

    /// The board that shows it.
    #[must_use]
    pub const fn board(self) -> &'static str {
        match self {
            Self::Flights => include_str!("../../../examples/new-york-departures.toml"),
            Self::Orders => include_str!("../../../examples/order-fulfilment.toml"),
            Self::Dispatch => include_str!("../../../examples/ambulance-dispatch.toml"),
            Self::Infrastructure => include_str!("../../../examples/infrastructure.toml"),
            Self::Process => include_str!("../../../examples/process-plant.toml"),
        }
    }

    /// The files that its board names, by their names there.
    #[must_use]
    pub const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Dispatch => &[("data/ardenholm.geojson", include_str!("../../../examples/data/ardenholm.geojson"))],
            Self::Flights | Self::Orders | Self::Infrastructure | Self::Process => &[],
        }
    }

    /// The text of one of [`Self::files`]; why there is none as the error.
    ///
    /// # Errors
    /// If it isn't one of them.
    pub fn beside(self, file: &str) -> Result<String, String> {
        let found = self.files().iter().find(|(name, _)| *name == file);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file is part of this story".to_owned())
    }

    /// The board's file name among the examples.
    #[must_use]
    pub const fn board_name(self) -> &'static str {
        match self {
            Self::Flights => "new-york-departures.toml",
            Self::Orders => "order-fulfilment.toml",
            Self::Dispatch => "ambulance-dispatch.toml",
            Self::Infrastructure => "infrastructure.toml",
            Self::Process => "process-plant.toml",
        }
    }

    /// The local time at which it is best begun: a while before it becomes interesting.
    #[must_use]
    pub const fn begins(self) -> DateTime {
        let (day, hour, minute) = match self {
            // The morning before the blizzard closes the region.
            Self::Flights => (date(2013, 2, 8), 10, 0),
            Self::Orders => (MADE_UP_DAY, 13, 45),
            Self::Dispatch => (MADE_UP_DAY, 17, 10),
            Self::Infrastructure => (MADE_UP_DAY, 13, 0),
            Self::Process => (MADE_UP_DAY, 9, 0),
        };
        day.at(hour, minute, 0, 0)
    }

    /// Its first and its last day.
    #[must_use]
    pub const fn days(self) -> [Date; 2] {
        match self {
            Self::Flights => DAYS,
            _ => [MADE_UP_DAY; 2],
        }
    }

    /// What people call its local time.
    #[must_use]
    pub const fn time_of(self) -> &'static str {
        match self {
            Self::Flights => "New York time",
            _ => "local time",
        }
    }

    /// The instant at which clocks there show `local`.
    ///
    /// # Errors
    /// If it lies outside the years that a time zone is defined for.
    pub fn instant(self, local: DateTime) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Flights => dataset::from_new_york(local),
            _ => made_up_instant(local),
        }
    }

    /// Works it out.
    ///
    /// # Errors
    /// [`StoryError`].
    pub fn open(self) -> Result<Arc<dyn Story>, StoryError> {
        Ok(match self {
            Self::Flights => Arc::new(Timeline::new(&Dataset::load()?)?),
            Self::Orders => Arc::new(orders::story()?),
            Self::Dispatch => Arc::new(dispatch::story()?),
            Self::Infrastructure => Arc::new(infrastructure::story()?),
            Self::Process => Arc::new(process::story()?),
        })
    }
}

impl fmt::Display for StoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

fn made_up_instant(local: DateTime) -> Result<Timestamp, jiff::Error> {
    let instant = TimeZone::get(MADE_UP_ZONE)?.to_timestamp(local)?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}
