//! One line of the record of alarms, flat: what is listed, exported and counted. The whole alarm, with what people wrote to it, stays in
//! the [`Change`] that it is made of.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::Timestamp;

use super::{
    alarms::{AlarmKey, Change, Priority},
    machine::{Base, Input, Refusal, Shown, Sound},
};
use crate::frame::{AlarmCause, AlarmState};

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum AlarmWhat {
    /// Its condition began to hold.
    Raise,
    /// Its condition held no more.
    Clear,
    /// Somebody said that he knows.
    Acknowledge,
    /// Somebody let a latched one go.
    Reset,
    /// Somebody turned its sound off at his station.
    Silence,
    /// It became more urgent.
    Worsen,
    /// It became less urgent.
    Ease,
    /// It had been acknowledged and held for too long: it called anew.
    Realarm,
    /// It had returned, and was shown for long enough.
    Expire,
    /// Put on the shelf.
    Shelve,
    /// Taken from the shelf.
    Unshelve,
    /// Suppressed by design.
    Suppress,
    /// No longer suppressed by design.
    Unsuppress,
    /// Taken out of service.
    TakeOut,
    /// Back in service.
    Return,
    /// What it is judged by became more or less credible.
    Judge,
    /// Its rule is gone from the board.
    Remove,
    /// What happened for a while will never be known: alarms may have come and gone.
    Unseen,
    /// Somebody wrote something to it.
    Comment,
}

impl AlarmWhat {
    const ALL: [(Self, &'static str); 19] = [
        (Self::Raise, "raise"),
        (Self::Clear, "clear"),
        (Self::Acknowledge, "acknowledge"),
        (Self::Reset, "reset"),
        (Self::Silence, "silence"),
        (Self::Worsen, "worsen"),
        (Self::Ease, "ease"),
        (Self::Realarm, "realarm"),
        (Self::Expire, "expire"),
        (Self::Shelve, "shelve"),
        (Self::Unshelve, "unshelve"),
        (Self::Suppress, "suppress"),
        (Self::Unsuppress, "unsuppress"),
        (Self::TakeOut, "take-out"),
        (Self::Return, "return"),
        (Self::Judge, "judge"),
        (Self::Remove, "remove"),
        (Self::Unseen, "unseen"),
        (Self::Comment, "comment"),
    ];

    /// What an input does; none is a comment.
    #[must_use]
    pub const fn of(input: Option<Input>) -> Self {
        match input {
            None => Self::Comment,
            Some(Input::Raise { .. }) => Self::Raise,
            Some(Input::Clear) => Self::Clear,
            Some(Input::Acknowledge { .. }) => Self::Acknowledge,
            Some(Input::Reset) => Self::Reset,
            Some(Input::Silence) => Self::Silence,
            Some(Input::Worsen) => Self::Worsen,
            Some(Input::Ease) => Self::Ease,
            Some(Input::Realarm) => Self::Realarm,
            Some(Input::Expire) => Self::Expire,
            Some(Input::Shelve(true)) => Self::Shelve,
            Some(Input::Shelve(false)) => Self::Unshelve,
            Some(Input::Suppress(true)) => Self::Suppress,
            Some(Input::Suppress(false)) => Self::Unsuppress,
            Some(Input::TakeOutOfService(true)) => Self::TakeOut,
            Some(Input::TakeOutOfService(false)) => Self::Return,
            Some(Input::Judge(_)) => Self::Judge,
            Some(Input::Remove) => Self::Remove,
            Some(Input::Unseen) => Self::Unseen,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(own, _)| *own == self).map_or("", |(_, word)| word)
    }
}

/// The word of a priority.
#[must_use]
pub const fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
        Priority::Critical => "critical",
    }
}

/// The word of a state.
#[must_use]
pub const fn state_word(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Unacknowledged => "unacknowledged",
        AlarmState::LatchedUnacknowledged => "latched-unacknowledged",
        AlarmState::Acknowledged => "acknowledged",
        AlarmState::LatchedAcknowledged => "latched-acknowledged",
        AlarmState::Returned => "returned",
        AlarmState::Shelved => "shelved",
        AlarmState::Suppressed => "suppressed",
        AlarmState::OutOfService => "out-of-service",
        AlarmState::Unsupervised => "unsupervised",
        AlarmState::Removed => "removed",
        AlarmState::Normal => "normal",
    }
}

/// The state of this name.
#[must_use]
pub const fn state_of(shown: Shown) -> AlarmState {
    match shown {
        Shown::Removed => AlarmState::Removed,
        Shown::OutOfService => AlarmState::OutOfService,
        Shown::SuppressedByDesign => AlarmState::Suppressed,
        Shown::Shelved => AlarmState::Shelved,
        Shown::Unsupervised => AlarmState::Unsupervised,
        Shown::Base(Base::Normal) => AlarmState::Normal,
        Shown::Base(Base::Unacknowledged) => AlarmState::Unacknowledged,
        Shown::Base(Base::Acknowledged) => AlarmState::Acknowledged,
        Shown::Base(Base::Returned) => AlarmState::Returned,
        Shown::Base(Base::LatchedUnacknowledged) => AlarmState::LatchedUnacknowledged,
        Shown::Base(Base::LatchedAcknowledged) => AlarmState::LatchedAcknowledged,
    }
}

/// One line of the record. Instants are milliseconds since the Unix epoch; `event_ms` and `raised_ms` by the source's clock, all others by
/// this machine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmEntry {
    /// Its number on record.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// The rule's id.
    pub rule: String,
    /// Whose it is, where one rule watches many; otherwise empty.
    pub of: String,
    /// Which occurrence.
    #[cfg_attr(test, ts(type = "number"))]
    pub occurrence: u64,
    /// How often this occurrence had called anew.
    pub realarms: u32,
    /// What happened.
    pub what: AlarmWhat,
    /// How it was shown before.
    pub from: AlarmState,
    /// How it is shown from then on.
    pub to: AlarmState,
    /// How soon somebody must act.
    pub priority: Priority,
    /// Whether it began to call by this.
    pub calls: bool,
    /// Whether its condition holds from then on, put aside or not.
    pub active: bool,
    /// Whether it does, or is held as if it did until it is reset.
    pub stands: bool,
    /// Whether somebody still has to say that he knows, put aside or not.
    pub waits: bool,
    /// When it happened; none where a person or a clock of here did it.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub event_ms: Option<i64>,
    /// When this machine heard of it.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub received_ms: Option<i64>,
    /// When it was decided.
    #[cfg_attr(test, ts(type = "number"))]
    pub decided_ms: i64,
    /// When it was announced.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub announced_ms: Option<i64>,
    /// By what.
    pub announced_by: Option<String>,
    /// Whether it may have been announced before, as after a crash.
    pub repeated: bool,
    /// When a page first painted it.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub seen_ms: Option<i64>,
    /// When this occurrence was acknowledged.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub acknowledged_ms: Option<i64>,
    /// When this occurrence was raised.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub raised_ms: Option<i64>,
    /// When that was decided.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub raise_decided_ms: Option<i64>,
    /// Who did it.
    pub by: Option<String>,
    /// What he did it by.
    pub station: Option<String>,
    /// What he said.
    pub words: Option<String>,
    /// Until when, where there is an end.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub until_ms: Option<i64>,
    /// Why it wasn't done.
    pub refused: Option<String>,
    /// What another system calls it, if it is that one's alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub title: Option<String>,
    /// What its condition was made of when it was raised.
    pub cause: Vec<AlarmCause>,
}

/// What is known of an announcement besides its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// When it was announced.
    pub announced: Option<Timestamp>,
    /// By what.
    pub by: Option<String>,
    /// Whether it may have been announced before.
    pub is_repeated: bool,
    /// When a page first painted it.
    pub seen: Option<Timestamp>,
}

impl AlarmEntry {
    /// A change as a line. What is `heard` of an occurrence is said where it began to call.
    #[must_use]
    pub fn of(change: &Change, received: Option<Timestamp>, heard: Heard) -> Self {
        let Change { number, key, what, from, now, sound, event, decided, said, refusal } = change;
        let calls = *sound == Sound::Start;
        let heard = if calls { heard } else { Heard::default() };
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        let said = said.as_ref();
        Self {
            number: *number,
            rule: key.rule.to_string(),
            of: key.of.to_string(),
            occurrence: now.alarm.occurrence,
            realarms: now.alarm.realarms,
            what: AlarmWhat::of(*what),
            from: state_of(*from),
            to: state_of(now.alarm.shown()),
            priority: now.priority,
            calls,
            active: now.alarm.base.is_active(),
            stands: now.stands(),
            waits: now.alarm.base.wants_acknowledgement(),
            event_ms: millis(*event),
            received_ms: millis(received),
            decided_ms: decided.as_millis(),
            announced_ms: millis(heard.announced),
            announced_by: heard.by,
            repeated: heard.is_repeated,
            seen_ms: millis(heard.seen),
            acknowledged_ms: now.acknowledged.as_ref().map(|said| said.at.as_millis()),
            raised_ms: millis(now.raised),
            raise_decided_ms: millis(now.decided),
            by: said.and_then(|said| said.by.name.clone()),
            station: said.map(|said| said.by.station.clone()),
            words: said.map(|said| said.words.clone()).filter(|words| !words.is_empty()),
            until_ms: millis(said.and_then(|said| said.until)),
            refused: refusal.as_ref().map(Refusal::to_string),
            title: now.foreign.as_ref().map(|foreign| foreign.title.clone()),
            cause: now
                .cause
                .iter()
                .map(|(name, value)| AlarmCause { name: name.clone(), value: value.clone() })
                .collect(),
        }
    }

    /// Which alarm.
    #[must_use]
    pub fn key(&self) -> AlarmKey {
        AlarmKey { rule: self.rule.as_str().into(), of: self.of.as_str().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the table in the journal and of the export are those of JSON.
    #[test]
    fn words_are_those_of_json() {
        for (what, word) in AlarmWhat::ALL {
            assert_eq!(serde_json::to_value(what).unwrap(), word);
            assert_eq!(what.word(), word);
        }
        for priority in [Priority::Low, Priority::Medium, Priority::High, Priority::Critical] {
            assert_eq!(serde_json::to_value(priority).unwrap(), priority_word(priority));
        }
        let bases = [Base::Normal, Base::Unacknowledged, Base::Acknowledged, Base::Returned];
        let latched = [Base::LatchedUnacknowledged, Base::LatchedAcknowledged];
        let others =
            [Shown::Removed, Shown::OutOfService, Shown::SuppressedByDesign, Shown::Shelved, Shown::Unsupervised];
        for shown in bases.into_iter().chain(latched).map(Shown::Base).chain(others) {
            assert_eq!(serde_json::to_value(state_of(shown)).unwrap(), state_word(state_of(shown)));
        }
    }
}
