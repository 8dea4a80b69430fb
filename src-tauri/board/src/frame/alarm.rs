//! Alarms, as the page lists them and people deal with them.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::alarm::{Act, Nuisance, Priority};

/// All that stands, the most urgent first. Sent whole, when anything of it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmsView {
    /// The 200 most urgent ones: unacknowledged before all others, then by priority, then the newest. What is put aside and what nobody watches
    /// over comes last. Where more stand, the most urgent one of each widget that none of these is judged by follows.
    pub list: Vec<AlarmView>,
    /// How many stand in all, put aside or not.
    #[serde(default)]
    pub total: u32,
    /// How many there are by priority, whether or not they are in the list; the highest first.
    pub counts: Vec<AlarmCount>,
    /// How many are on the shelf, suppressed by design and out of service.
    pub aside: u32,
    /// How many rules nobody watches over now, as what they are judged by isn't known.
    pub unsupervised: u32,
    /// Set while there are more than a person can take.
    pub flood: Option<FloodView>,
    /// How many were more than the wall can keep, since it started.
    #[cfg_attr(test, ts(type = "number"))]
    pub lost: u64,
}

/// How many alarms of a priority stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmCount {
    /// Which.
    pub priority: Priority,
    /// Those that nobody has acknowledged, also those whose condition holds no more.
    pub unacknowledged: u32,
    /// All others that hold, or are latched.
    pub acknowledged: u32,
}

/// A flood: more than ten alarms in ten minutes, until there are fewer than five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct FloodView {
    /// Since when, by this machine's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub since_ms: i64,
    /// How many were raised in it.
    #[cfg_attr(test, ts(type = "number"))]
    pub total: u64,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmView {
    /// What tells it from the others: the rule's id, and behind a `/` whose it is where one rule watches many.
    pub key: String,
    /// Which occurrence this is: whatever is done about it is done about this one.
    #[cfg_attr(test, ts(type = "number"))]
    pub occurrence: u64,
    /// What people call it; of the loss of a source, what they call that.
    pub title: String,
    /// The id of the source of whose loss it tells, if it is such an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub source: Option<String>,
    /// What to do about it, if the board says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub advice: Option<String>,
    /// How soon somebody must act.
    pub priority: Priority,
    /// Where it stands.
    pub state: AlarmState,
    /// Whether it waits for somebody who says that he knows.
    pub wants_acknowledgement: bool,
    /// How far what it is judged by can be believed.
    pub evidence: AlarmEvidence,
    /// When it was raised, by the source's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub raised_ms: Option<i64>,
    /// When its condition held no more, by the source's clock.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub returned_ms: Option<i64>,
    /// When it was decided that it is raised, by this machine's clock.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub decided_ms: Option<i64>,
    /// How often this occurrence has called anew.
    pub realarms: u32,
    /// Whether it was the first of its group.
    pub first: bool,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub group: Option<String>,
    /// How it misbehaves.
    pub nuisance: Option<Nuisance>,
    /// What its condition was made of when it was raised.
    pub cause: Vec<AlarmCause>,
    /// The widgets that it is judged by: the first one is where to look.
    pub widgets: Vec<String>,
    /// Who acknowledged this occurrence.
    pub acknowledged: Option<AlarmSaid>,
    /// Who put it on the shelf or took it out of service, and why.
    pub aside: Option<AlarmSaid>,
    /// What people wrote to it, the newest last.
    pub comments: Vec<AlarmSaid>,
}

/// A value of which an alarm was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmCause {
    /// What it is called in the condition.
    pub name: String,
    /// What it was.
    pub value: String,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmSaid {
    /// His name, if he said it.
    pub name: Option<String>,
    /// What he did it by.
    pub station: String,
    /// When, by this machine's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// What; may be empty.
    pub words: String,
    /// Until when, by this machine's clock, where there is an end.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub until_ms: Option<i64>,
}

/// Where an alarm stands, by the name of ISA-18.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// Its condition holds, and nobody has said that he knows.
    Unacknowledged,
    /// It holds no more, but stays until it is reset; nobody has said that he knows.
    LatchedUnacknowledged,
    /// Its condition holds; somebody knows.
    Acknowledged,
    /// It holds no more, but stays until it is reset; somebody knows.
    LatchedAcknowledged,
    /// It holds no more, and nobody had said that he knows.
    Returned,
    /// Put aside by somebody for a time.
    Shelved,
    /// By a rule of the board, such as a parent's alarm.
    Suppressed,
    /// What it watches is being repaired, say.
    OutOfService,
    /// Nobody watches over it: what it is judged by isn't known.
    Unsupervised,
    /// Its rule is gone from the board.
    Removed,
    /// Nothing is to be said of it.
    Normal,
}

/// How far what an alarm is judged by can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum AlarmEvidence {
    /// It was never known.
    Unknown,
    /// It was good, and isn't proven to be of now.
    Stale,
    /// Its source says itself that it is no good, or it can't be used.
    Bad,
    /// Proven to be of now.
    Live,
}

/// What somebody does about one alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmAct {
    /// Its key.
    pub key: String,
    /// What he does.
    pub act: Act,
    /// His name, if he said it.
    pub name: Option<String>,
}

/// What somebody has seen and acknowledges, all at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmsSeen {
    /// Keys and occurrences as they were before his eyes.
    #[cfg_attr(test, ts(type = "[string, number][]"))]
    pub seen: Vec<(String, u64)>,
    /// His name, if he said it.
    pub name: Option<String>,
}

/// Alarms that a hand wants to see, of all that stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmRowsQuery {
    /// The first one, from 0.
    pub offset: u32,
    /// How many at most; no more than 200 come.
    pub count: u32,
    /// Those of this priority alone.
    pub priority: Option<Priority>,
    /// Those that ask for this alone.
    pub which: Option<AlarmWhich>,
    /// Words that must all be in what is said of it, each in one of its spellings. At most 50 words.
    pub words: Vec<Vec<String>>,
    /// In which order.
    pub order: AlarmOrder,
    /// What the loss of a source is called, with `{source}` in place of its title.
    pub lost: String,
    /// One that is asked for by its key, and its place.
    pub key: Option<String>,
    /// Keys and occurrences that were before somebody's eyes. At most 1,000 count.
    #[cfg_attr(test, ts(type = "[string, number][]"))]
    pub seen: Vec<(String, u64)>,
}

/// What an alarm asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum AlarmWhich {
    /// Somebody who says that he knows.
    Unacknowledged,
    /// Nothing: somebody knows.
    Acknowledged,
    /// Nothing for now: it is on the shelf, suppressed, or out of service.
    Aside,
    /// That what it is judged by be known.
    Unsupervised,
}

/// An order of alarms. Those of one rank in it stand in that of their urgency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum AlarmOrder {
    /// The most urgent first.
    #[default]
    Urgency,
    /// The newest first, by the source's clock; what was never raised by it, by this machine's.
    Newest,
    /// The highest priority first.
    Priority,
    /// By what they ask for.
    State,
    /// By what they are called.
    Title,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmRowsFound {
    /// Of which revision of the board.
    pub revision: u32,
    /// The first one's place.
    pub offset: u32,
    /// The alarms.
    pub rows: Vec<AlarmView>,
    /// How many pass.
    pub matched: u32,
    /// How many stand.
    pub total: u32,
    /// How many call for somebody and don't pass.
    pub calls_hidden: u32,
    /// The newest that calls for somebody, whether or not it passes.
    pub newest: Option<AlarmView>,
    /// The one that was asked for, whether or not it passes; none if it doesn't stand.
    pub own: Option<AlarmView>,
    /// Its place; none if it doesn't pass.
    pub at: Option<u32>,
    /// Of those that were seen, what passes and calls for somebody, but critical ones.
    #[cfg_attr(test, ts(type = "[string, number][]"))]
    pub seen: Vec<(String, u64)>,
    /// How many critical ones there are besides.
    pub seen_critical: u32,
}
