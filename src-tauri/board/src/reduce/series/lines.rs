//! What an event gives to the lines of a chart.

use std::borrow::Cow;

use watchfloor_model::{Event, Json};

use super::Settings;
use crate::{
    config::spec::SeriesStat,
    path::Path,
    reduce::{
        Rejection,
        filter::{Conditions, Names},
        pick,
    },
};

/// Which lines there are, and what each is of.
pub(super) enum Lines {
    /// One, without a key of its own.
    One { stat: SeriesStat, value: Option<Path> },
    /// One a key.
    ByKey { stat: SeriesStat, value: Option<Path>, by: Path },
    /// Those that the board names.
    Named(Vec<Named>),
}

/// A line that the board names.
pub(super) struct Named {
    title: String,
    on: Names,
    only: Conditions,
    stat: SeriesStat,
    value: Option<Path>,
}

/// A number for a line.
pub(super) struct Sample<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) value: f64,
}

impl Lines {
    pub(super) fn new(settings: &Settings<'_>) -> Self {
        let (stat, value) = (settings.stat, settings.value.cloned());
        if !settings.lines.is_empty() {
            let named = settings.lines.iter().map(|line| Named {
                title: line.title.clone(),
                on: Names::new(&line.on),
                only: Conditions::new(&line.only),
                stat: line.stat,
                value: line.value.clone(),
            });
            return Self::Named(named.collect());
        }
        match settings.by {
            Some(by) => Self::ByKey { stat, value, by: by.clone() },
            None => Self::One { stat, value },
        }
    }

    /// The keys of the lines that are known before any event.
    pub(super) fn known(&self) -> Vec<&str> {
        match self {
            Self::One { .. } => vec![""],
            Self::ByKey { .. } => Vec::new(),
            Self::Named(named) => named.iter().map(|line| line.title.as_str()).collect(),
        }
    }

    pub(super) fn stat_of(&self, key: &str) -> SeriesStat {
        match self {
            Self::One { stat, .. } | Self::ByKey { stat, .. } => *stat,
            Self::Named(named) => named.iter().find(|line| line.title == key).map(|line| line.stat).unwrap_or_default(),
        }
    }

    /// Whether there can be a line of this key.
    pub(super) fn can_have(&self, key: &str) -> bool {
        match self {
            Self::One { .. } => key.is_empty(),
            Self::ByKey { .. } => true,
            Self::Named(named) => named.iter().any(|line| line.title == key),
        }
    }

    /// What the event gives to which lines.
    pub(super) fn samples<'a>(&'a self, event: &'a Event) -> Result<Vec<Sample<'a>>, Rejection> {
        let data = event.data.value();
        let one = |key: Cow<'a, str>, value: f64| Sample { key, value };
        Ok(match self {
            Self::One { stat, value } => {
                number(*stat, value.as_ref(), data)?.map(|value| one("".into(), value)).into_iter().collect()
            }
            Self::ByKey { stat, value, by } => match number(*stat, value.as_ref(), data)? {
                Some(value) => vec![one(pick::key(by, data)?, value)],
                None => Vec::new(),
            },
            Self::Named(named) => {
                let mut samples = Vec::new();
                for line in named.iter().filter(|line| line.on.hold(&event.name) && line.only.hold(data)) {
                    if let Some(value) = number(line.stat, line.value.as_ref(), data)? {
                        samples.push(one(line.title.as_str().into(), value));
                    }
                }
                samples
            }
        })
    }
}

/// An event's number is only 1 if the statistic is the count; it has none if the event gives none.
fn number(stat: SeriesStat, value: Option<&Path>, data: Json<'_>) -> Result<Option<f64>, Rejection> {
    match (value, stat) {
        (_, SeriesStat::Count) | (None, _) => Ok(Some(1.0)),
        (Some(path), _) => Ok(pick::number(path, data)?.some()),
    }
}
