//! What changed since a moment, for who comes back to the desk or takes over the shift; and the record of alarms as a page asks for it.
//!
//! All instants are by this machine's clock, milliseconds since the Unix epoch, unless it is said that they are a source's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::Continuity;

use super::{AlarmCause, AlarmSaid, AlarmState, Outage, State};
use crate::{
    alarm::{AlarmEntry, AlarmWhat, Priority},
    freshness::Freshness,
};

/// What changed since a moment. Alarms and losses come with the first answer; what widgets did is read from the record of the glass and comes
/// as far as it is read, until `done`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Since {
    /// Which answer: who asks again names it, and gets the next one.
    #[cfg_attr(test, ts(type = "number"))]
    pub version: u64,
    /// Whether nothing more comes.
    pub done: bool,
    /// How much of the record of the glass is read, percent.
    pub percent: u8,
    /// The moment.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_ms: i64,
    /// The end: when it was asked for.
    #[cfg_attr(test, ts(type = "number"))]
    pub to_ms: i64,
    /// Alarms.
    pub alarms: SinceAlarms,
    /// Links that were lost, a line a source, the longest loss first.
    pub sources: Vec<SinceSource>,
    /// Stretches of which nothing is recorded, as where the wall itself did not run; the newest first.
    pub unrecorded: Vec<Unrecorded>,
    /// How many there are.
    #[cfg_attr(test, ts(type = "number"))]
    pub unrecorded_count: u64,
    /// Widgets.
    pub widgets: SinceWidgets,
    /// What could not be looked at. What is missing here is no proof that nothing was.
    pub lacks: Vec<SinceLack>,
    /// What the alarms in it are called, by their keys. Those of rules that are gone have none.
    #[cfg_attr(test, ts(type = "{ [key: string]: AlarmName }"))]
    pub names: BTreeMap<String, AlarmName>,
}

/// What an alarm is called, by the board as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmName {
    /// What people call it.
    pub title: String,
    /// The id of the source of whose loss it tells, if it is such an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub source: Option<String>,
    /// The widgets that it is judged by: the first one is where to look.
    pub widgets: Vec<String>,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum SinceLack {
    /// There is no journal: nothing is kept.
    NoJournal,
    /// The record of alarms begins later than the moment. What stood then is known as far as it stood on.
    AlarmsBegin {
        /// With this instant.
        #[cfg_attr(test, ts(type = "number"))]
        at_ms: i64,
    },
    /// There is no record of alarms: it was taken away, or the journal is that of a program that knew none.
    NoAlarms,
    /// Entries of the record of alarms are not there though their numbers were given: the disk refused them for too long, or somebody took them away.
    AlarmsMissing {
        /// When the last one was decided before them; none if there is none.
        #[cfg_attr(test, ts(type = "number | null"))]
        from_ms: Option<i64>,
        /// When the first one was decided behind them; none if there is none.
        #[cfg_attr(test, ts(type = "number | null"))]
        to_ms: Option<i64>,
        /// How many.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// Entries of the record of alarms are not what was written; what they say is left out.
    AlarmsDamaged {
        /// When the last one was decided before them that can be read; none if there is none.
        #[cfg_attr(test, ts(type = "number | null"))]
        from_ms: Option<i64>,
        /// When the first one was decided behind them that can be read; none if there is none.
        #[cfg_attr(test, ts(type = "number | null"))]
        to_ms: Option<i64>,
        /// How many.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// When alarms were announced and seen isn't what was written; that is left out.
    AlarmMarksDamaged {
        /// Of how many calls.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// Alarms found no room among those that stand, or among the keys of their rule: nothing is known of them.
    AlarmsNoRoom {
        /// Since when.
        #[cfg_attr(test, ts(type = "number"))]
        from_ms: i64,
        /// Until when; none if it lasted to the end.
        #[cfg_attr(test, ts(type = "number | null"))]
        to_ms: Option<i64>,
        /// The rule's id, where its keys were too many; none where all alarms were.
        rule: Option<String>,
        /// How many, at least.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// More alarms than are looked at in one answer: what is said of alarms is of the others.
    AlarmsTooMany {
        /// How many keys were left out.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// Older losses are no longer kept than those since this instant.
    LossesBegin {
        /// The instant.
        #[cfg_attr(test, ts(type = "number"))]
        at_ms: i64,
    },
    /// There is no record of the glass: neither what widgets did is known, nor whether the wall ran.
    NoGlass,
    /// The record of the glass begins later than the moment.
    GlassBegins {
        /// With this instant.
        #[cfg_attr(test, ts(type = "number"))]
        at_ms: i64,
    },
    /// Records of the glass were changed or damaged; what they say is left out.
    GlassDamaged {
        /// The first of them.
        #[cfg_attr(test, ts(type = "number"))]
        at_ms: i64,
        /// How many.
        #[cfg_attr(test, ts(type = "number"))]
        count: u64,
    },
    /// There is more of the record of the glass than is read for one answer: it was read to here, and what is now.
    GlassTooMuch {
        /// To where.
        #[cfg_attr(test, ts(type = "number"))]
        at_ms: i64,
    },
    /// The machine's clock was set back meanwhile: times before and after can't be compared.
    ClockSetBack {
        /// To when.
        #[cfg_attr(test, ts(type = "number"))]
        at_ms: i64,
    },
    /// The journal can't be read.
    Unreadable {
        /// Why, for people.
        reason: String,
    },
}

impl SinceLack {
    /// Whether an alarm that isn't told may have been there for this.
    #[must_use]
    pub const fn is_of_alarms(&self) -> bool {
        match self {
            Self::NoJournal
            | Self::NoAlarms
            | Self::AlarmsBegin { .. }
            | Self::AlarmsMissing { .. }
            | Self::AlarmsDamaged { .. }
            | Self::AlarmsTooMany { .. }
            | Self::AlarmsNoRoom { .. }
            | Self::NoGlass
            | Self::ClockSetBack { .. }
            | Self::Unreadable { .. } => true,
            Self::AlarmMarksDamaged { .. }
            | Self::LossesBegin { .. }
            | Self::GlassBegins { .. }
            | Self::GlassDamaged { .. }
            | Self::GlassTooMuch { .. } => false,
        }
    }

    /// The same of a loss of a source.
    #[must_use]
    pub const fn is_of_losses(&self) -> bool {
        matches!(
            self,
            Self::NoJournal
                | Self::NoGlass
                | Self::LossesBegin { .. }
                | Self::ClockSetBack { .. }
                | Self::Unreadable { .. }
        )
    }

    /// The same of a widget that left what is normal.
    #[must_use]
    pub const fn is_of_widgets(&self) -> bool {
        matches!(
            self,
            Self::NoJournal
                | Self::NoGlass
                | Self::GlassBegins { .. }
                | Self::GlassDamaged { .. }
                | Self::GlassTooMuch { .. }
                | Self::ClockSetBack { .. }
                | Self::Unreadable { .. }
        )
    }
}

/// A stretch of which nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct Unrecorded {
    /// The last that is known before it.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_ms: i64,
    /// The first after it.
    #[cfg_attr(test, ts(type = "number"))]
    pub to_ms: i64,
    /// Why.
    pub why: UnrecordedWhy,
}

/// Why nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum UnrecordedWhy {
    /// The wall was not running.
    NotRunning,
    /// The journal could not be written, or not in time.
    NotWritten,
    /// The program or the machine stood still, or records are missing.
    StoodStill,
    /// The record ends before now: nothing is written, or the wall doesn't run.
    Ended,
}

/// What became of alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceAlarms {
    /// Came, and still stand: those that nobody has acknowledged first, then by priority, then the newest.
    pub stand: SinceAlarmList,
    /// Came and went.
    pub gone: SinceAlarmList,
    /// Stood before, and went.
    pub went: SinceAlarmList,
    /// Stood before and stand still, or are put aside; something was done about them, or they called anew.
    pub dealt: SinceAlarmList,
    /// May have come and gone, as what happened for a while will never be known; nothing else is on record of them.
    pub unseen: SinceAlarmList,
    /// Stood before and stand still, and nothing was done.
    #[cfg_attr(test, ts(type = "number"))]
    pub untouched: u64,
    /// Entries of the record since the moment.
    #[cfg_attr(test, ts(type = "number"))]
    pub entries: u64,
    /// How often alarms came by priority, the highest first, and how many alarms were acknowledged by somebody.
    pub priorities: Vec<SincePriority>,
    /// From when on everything is known of alarms; none if nothing is on record.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub begin_ms: Option<i64>,
}

/// Some alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceAlarmList {
    /// The first of them, a hundred at most.
    pub lines: Vec<SinceAlarm>,
    /// How many there are.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// How many of each priority: critical, high, medium, low.
    pub counts: [u32; 4],
}

/// How often alarms of a priority came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SincePriority {
    /// Which.
    pub priority: Priority,
    /// How often one was raised.
    #[cfg_attr(test, ts(type = "number"))]
    pub raised: u64,
    /// How often one was acknowledged.
    #[cfg_attr(test, ts(type = "number"))]
    pub acknowledged: u64,
}

/// What became of one alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceAlarm {
    /// Its key.
    pub key: String,
    /// How soon somebody must act, by its newest entry.
    pub priority: Priority,
    /// Where it stood at the moment; normal where nothing was to be said of it, none where the record doesn't reach back that far.
    pub then: Option<AlarmState>,
    /// Where it stands at the end.
    pub now: AlarmState,
    /// Whether somebody is still asked to say that he knows.
    pub wants_acknowledgement: bool,
    /// How often it was raised.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// When its newest occurrence was raised, by the source's clock.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub raised_ms: Option<i64>,
    /// When that was decided.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub decided_ms: Option<i64>,
    /// When it was decided that it was raised for the first time since the moment; none if it wasn't.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub first_ms: Option<i64>,
    /// When it was over, by the source's clock, if it is; none where a source's clock didn't say so.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub returned_ms: Option<i64>,
    /// When that was decided.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub cleared_ms: Option<i64>,
    /// When a page first painted its newest call.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub seen_ms: Option<i64>,
    /// Whether its newest occurrence may have been heard of late: it happened while its source was lost.
    pub late: bool,
    /// Whether it may have come and gone besides, as what happened for a while will never be known.
    pub unseen: bool,
    /// Who acknowledged it last since the moment.
    pub acknowledged: Option<AlarmSaid>,
    /// How often somebody did.
    #[cfg_attr(test, ts(type = "number"))]
    pub acknowledged_count: u64,
    /// How it was put aside last since the moment, or taken back from there, and by whom; by a rule of the board where nobody is named.
    pub aside: Option<SinceAct>,
    /// What people wrote to it since the moment, the newest last, five at most.
    pub comments: Vec<AlarmSaid>,
    /// How many there are.
    #[cfg_attr(test, ts(type = "number"))]
    pub comments_count: u64,
    /// What its condition was made of when it was raised.
    pub cause: Vec<AlarmCause>,
    /// When the newest entry of it was decided.
    #[cfg_attr(test, ts(type = "number"))]
    pub last_ms: i64,
    /// What that was.
    pub last: AlarmWhat,
}

/// What was done about an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceAct {
    /// What: shelve, unshelve, suppress, unsuppress, take-out or return.
    pub what: AlarmWhat,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// Who and why; none where time or a rule of the board did it.
    pub said: Option<AlarmSaid>,
}

/// What became of a source's link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceSource {
    /// Its id.
    pub id: String,
    /// Its name for people; its id where the board doesn't have it any more.
    pub title: String,
    /// How often it was lost, or lost already.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// Whether it is lost at the end.
    pub lasts: bool,
    /// How long in all, within the stretch, milliseconds. Where losses overlap, their time counts once.
    #[cfg_attr(test, ts(type = "number"))]
    pub lost_ms: u64,
    /// What became of what was missed, at worst; none if nothing was.
    #[cfg_attr(test, ts(type = "'unknown' | 'proven' | 'snapshot' | null"))]
    pub became: Option<Continuity>,
    /// Events within all gaps; none if that can't be told of one.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub missed: Option<u64>,
    /// The newest losses, twenty at most, the newest first.
    pub outages: Vec<Outage>,
}

/// What became of widgets, by what was on the glass about each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceWidgets {
    /// Those that left what is normal, or weren't normal at the moment, two hundred at most: those that aren't now first, the worst first.
    pub lines: Vec<SinceWidget>,
    /// How many there are.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// How many others there are: nothing was seen of them but normal, as far as they could be seen.
    #[cfg_attr(test, ts(type = "number"))]
    pub others: u64,
    /// How many of these others could not be believed for a part of the time.
    #[cfg_attr(test, ts(type = "number"))]
    pub doubted: u64,
    /// When the first record of the stretch was taken.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub first_ms: Option<i64>,
    /// To where the record is read.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub read_ms: Option<i64>,
}

/// What became of one widget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceWidget {
    /// Its id.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Its kind: `gauge`.
    pub kind: String,
    /// Unit and digits after the point of its number, if it has one.
    pub unit: Option<String>,
    /// See `unit`.
    pub decimals: u8,
    /// Whether the board has it at the end.
    pub here: bool,
    /// How it was at the moment; none where nothing is recorded of that.
    pub then: Option<SinceShown>,
    /// How it is at the end.
    pub now: Option<SinceShown>,
    /// When it was worst; none where it never was worse than normal.
    pub worst: Option<SinceWorst>,
    /// How often it left what is normal.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// How long it wasn't normal in all, milliseconds, as far as is recorded.
    #[cfg_attr(test, ts(type = "number"))]
    pub out_ms: u64,
    /// How long it could not be believed as it stood, or nothing is recorded of it, milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub doubt_ms: u64,
}

/// What a widget showed by one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceShown {
    /// When it was recorded.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// The worst that it said; what isn't current is what it said last.
    pub state: State,
    /// What may be said of it.
    pub freshness: Freshness,
    /// Its number, if it is one and has one.
    pub value: Option<f64>,
    /// How many rows, tiles, bars or markers of it are in alarm, and in warning.
    pub alarms: u32,
    /// See `alarms`.
    pub warnings: u32,
    /// One of the worst of them, for people.
    pub what: Option<String>,
}

/// When a widget was worst: the first stretch out of what is normal that was as bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceWorst {
    /// What it showed then; of a number, the one that was farthest out in this stretch.
    pub shown: SinceShown,
    /// When it left what is normal; none if it had before the moment.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub left_ms: Option<i64>,
    /// Whether that may have been earlier: nothing is recorded right before it, or what was shown then could not be believed.
    pub left_earlier: bool,
    /// When it was normal again; none if it wasn't by the end.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub back_ms: Option<i64>,
    /// Whether that may have been earlier: nothing is recorded right before it, or what was shown then could not be believed.
    pub back_earlier: bool,
}

/// Moments that somebody may mean by *since*.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceMoments {
    /// Now.
    #[cfg_attr(test, ts(type = "number"))]
    pub now_ms: i64,
    /// The oldest instant of which everything is recorded; none if nothing is.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub begin_ms: Option<i64>,
    /// They, the newest first.
    pub list: Vec<SinceMoment>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct SinceMoment {
    /// What was then.
    pub kind: SinceMomentKind,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// Whose: the name of who acknowledged, the name of the source that was lost.
    pub of: Option<String>,
}

/// What kind of moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum SinceMomentKind {
    /// The one who asks acknowledged an alarm, or did something else about one, for the last time.
    OwnAct,
    /// Somebody did.
    Act,
    /// A source was lost.
    Loss,
    /// The wall stopped running.
    Stop,
    /// The day began, by the board's zone.
    Midnight,
}

/// What is asked of the record of alarms. What is null isn't asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmRecordQuery {
    /// Decided then or later.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub from_ms: Option<i64>,
    /// Decided before.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub to_ms: Option<i64>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// Of the alarm with this key, or of all alarms of the rule with this id.
    pub key: Option<String>,
    /// Which led to this state.
    pub state: Option<AlarmState>,
    /// With a smaller number: where the page before ended.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub before: Option<u64>,
    /// How many at most; no more than 500 come.
    pub limit: u32,
}

/// Entries of the record, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmRecordPage {
    /// They.
    pub entries: Vec<AlarmEntry>,
    /// Where the next page goes on, by `before`, if there is more.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub more: Option<u64>,
    /// From when on everything is known of alarms; none if nothing is on record.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub begin_ms: Option<i64>,
    /// What the alarms in it are called, by their keys. Those of rules that are gone have none.
    #[cfg_attr(test, ts(type = "{ [key: string]: AlarmName }"))]
    pub names: BTreeMap<String, AlarmName>,
}
