//! `[[alarm]]` and `[alarms]`

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{SecretSpec, Template};
use crate::{
    alarm::{Judge, Priority, condition::Condition},
    hours::Hours,
    path::Path,
};

/// `[[alarm]]`
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmSpec {
    /// `id`: letters, digits, `-`, `_`; unique among alarms.
    pub id: String,
    /// `title`; default the id.
    pub title: String,
    /// `advice`: what to do about it.
    pub advice: Option<String>,
    /// What it is judged by.
    pub judged: Judged,
    /// `deadband`. Default 0.
    pub deadband: f64,
    /// `on-delay`. Default none.
    pub on_delay: Duration,
    /// `off-delay`. Default none.
    pub off_delay: Duration,
    /// `priority`. Default medium.
    pub priority: Priority,
    /// `latch`: it stays until it is reset.
    pub latches: bool,
    /// `acknowledge = "none"`: it is over when its condition holds no more, whether or not somebody knew.
    pub ends_unacknowledged: bool,
    /// `parents`: the ids of alarms that, while they hold, are the reason of this one.
    pub parents: Vec<String>,
    /// `group`
    pub group: Option<String>,
    /// `re-alarm`
    pub realarm: Option<Duration>,
}

/// What an alarm is judged by.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// `when`: the board's widgets.
    Widgets {
        /// When it holds.
        when: Condition,
        /// What people call the condition's inputs, in the order of [`Condition::inputs`].
        names: Vec<String>,
    },
    /// `raise` or `from`: events, an alarm a key.
    Events(Box<EventsSpec>),
}

/// An alarm a key, by what events say.
#[derive(Clone, Debug, PartialEq)]
pub struct EventsSpec {
    /// `source`
    pub source: String,
    /// `channels`, sorted.
    pub channels: Vec<String>,
    /// `on`, sorted; empty if every event counts.
    pub on: Vec<String>,
    /// `where`
    pub only: BTreeMap<Path, Vec<Value>>,
    /// Who says of which keys that they hold.
    pub judge: Judge,
    /// `key`; without it there is one alarm. Another system's alarms have keys of their own.
    pub key: Option<Path>,
    /// `text`: what the event that raises says for people.
    pub text: Option<Template>,
}

impl AlarmSpec {
    /// The inputs of its condition over widgets.
    #[must_use]
    pub fn inputs(&self) -> &[u32] {
        match &self.judged {
            Judged::Widgets { when, .. } => when.inputs(),
            Judged::Events(_) => &[],
        }
    }
}

/// `[alarms]`: how alarms are told.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmingSpec {
    /// `notify`: from which priority on the desktop tells; none for never. Default high.
    pub notify: Option<Priority>,
    /// `sound`: from which priority on they are heard; none for never. Default medium.
    pub sound: Option<Priority>,
    /// `volume`, percent. Default 80.
    pub volume_percent: u32,
    /// `device`: the sound's way out, by its name; none for the system's own.
    pub device: Option<String>,
    /// `escalate-after`
    pub escalate_after: Option<Duration>,
    /// `quiet`: when only the most urgent are told.
    pub quiet: Option<Hours>,
    /// `source-lost`: the priority of the alarm that a source is lost; none for no such alarm. Default high.
    pub source_lost: Option<Priority>,
    /// `keep`: for how long the record is kept. Default 400 days.
    pub keep: Duration,
    /// `webhook`: an address that is told of alarms.
    pub webhook: Option<String>,
    /// `webhook-token`
    pub webhook_token: Option<SecretSpec>,
    /// `tones`: sound files in place of the tones that are made, named from the board's folder.
    pub tones: BTreeMap<Priority, String>,
    /// `operator`: who is on record for what somebody did who said no name.
    pub operator: Option<String>,
    /// `shifts`: when shifts begin, in minutes after midnight, the earliest first. Default 6, 14 and 22 o'clock.
    pub shifts: Vec<u32>,
}
