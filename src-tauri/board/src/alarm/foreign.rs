//! Alarms of other systems: what their messages say, of which alarm.
//!
//! Such a system decides for itself what is wrong. Here it is told on, kept on record and acknowledged as any other alarm is.

mod acts;
mod alertmanager;
mod pagerduty;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use watchfloor_model::{Json, Shape, Timestamp};

use super::Priority;
use crate::reduce::{Rejection, describe, instant_of_text};

/// Alarms of one message at most; what is beyond is told as unusable.
const ALERTS_MAX: usize = 10_000;
/// The most bytes of what tells one alarm from another.
const KEY_BYTES_MAX: usize = 255;
/// FNV-1a of 128 bits (RFC 9923).
const FNV_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
/// The most characters of what an alarm is called.
const TITLE_CHARACTERS_MAX: usize = 200;
/// The same of what to do about it.
const ADVICE_CHARACTERS_MAX: usize = 1000;

/// Whose messages they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Alertmanager: what its webhook receivers are sent (version 4), a list as its API v2 answers `GET /api/v2/alerts`, or one alert of that list.
    Alertmanager,
    /// Events as `PagerDuty` takes them (Events API v2), or in their form: triggered, acknowledged, resolved by `dedup_key`.
    PagerDuty,
}

impl System {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::PagerDuty => "pagerduty",
        }
    }
}

/// What another system says of its alarm besides that it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// What people call it.
    pub title: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What it belongs to: the first alarm of a group is marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How soon somebody must act.
    pub priority: Priority,
    /// When it began, by the other system's clock, which may be ahead of the source's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// What is said of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It stands.
    Stands,
    /// It is over.
    IsOver,
    /// Somebody knows of it.
    IsKnown,
}

/// One alarm of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What tells it from others.
    pub(super) key: String,
    pub(super) says: Says,
    /// When it began, by the other system's clock.
    pub(super) since: Option<Timestamp>,
    /// When it was last told to the other system, by that one's clock, where the message says so.
    pub(super) updated: Option<Timestamp>,
    /// How bad it is, in the other system's words.
    pub(super) severity: Option<String>,
    pub(super) title: String,
    pub(super) advice: Option<String>,
    pub(super) group: Option<String>,
    /// Whether the other system keeps it from calling; none where the message doesn't say.
    pub(super) is_suppressed: Option<bool>,
    /// What people see of its cause: name and value.
    pub(super) cause: Vec<(String, String)>,
}

/// What a message says.
#[derive(Debug, Default)]
pub struct Message {
    /// Of these.
    pub(super) alerts: Vec<Alert>,
    /// Whether these are all that stand: others are over.
    pub(super) is_whole: bool,
    /// What in it couldn't be used.
    pub(crate) unusable: Vec<Rejection>,
}

impl Message {
    /// What it lists isn't there any more.
    pub(crate) fn end_all(&mut self) {
        self.alerts.iter_mut().for_each(|alert| alert.says = Says::IsOver);
        self.is_whole = false;
    }
}

/// Reads what another system says.
#[must_use]
pub fn read(system: System, data: Json<'_>) -> Message {
    match system {
        System::Alertmanager => alertmanager::read(data),
        System::PagerDuty => pagerduty::read(data),
    }
}

/// Which priority a severity stands for where a board doesn't say.
#[must_use]
pub fn priority_of(severity: &str) -> Option<Priority> {
    Some(match severity.to_ascii_lowercase().as_str() {
        "critical" | "page" | "emergency" | "fatal" => Priority::Critical,
        "error" | "high" | "major" => Priority::High,
        "warning" | "warn" | "medium" | "minor" => Priority::Medium,
        "info" | "informational" | "low" | "none" => Priority::Low,
        _ => return None,
    })
}

/// A text that isn't empty.
fn text<'a>(data: Json<'a>, name: &str) -> Option<&'a str> {
    match data.get(name)?.shape() {
        Shape::Text(text) if !text.trim().is_empty() => Some(text.trim()),
        _ => None,
    }
}

/// An instant by RFC 3339. Alertmanager's zero, in the year 1, is none.
fn instant(data: Json<'_>, name: &str) -> Option<Timestamp> {
    let at = instant_of_text(text(data, name)?)?;
    (at > 0).then(|| Timestamp::from_millis(at))
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

fn unusable(place: &str, data: Json<'_>, expected: &str) -> Rejection {
    let found = describe(data.get(place).map(Json::shape));
    Rejection { place: format!("`{place}`"), found, expected: expected.to_owned() }
}

/// What tells one alarm from another, out of a text that does. What is longer than a key can be is cut between two characters, and a hash of all of
/// it takes the place of the rest: the same text has the same key, another one has another, and none is refused.
fn key(text: &str) -> String {
    if text.len() <= KEY_BYTES_MAX {
        return text.to_owned();
    }
    let hash = text.bytes().fold(FNV_BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(FNV_PRIME));
    let hash = format!("…{hash:032x}");
    format!("{}{hash}", cut_bytes(text, KEY_BYTES_MAX - hash.len()))
}

/// As much of a text as has room in so many bytes, in whole characters.
fn cut_bytes(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
