//! One alarm that stands, and one entry of the record of alarms.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchfloor_model::{Mono, Timestamp};

use super::{
    alarms::{Instant, Priority},
    delay::Turn,
    foreign::Foreign,
    key::AlarmKey,
    machine::{Alarm, Base, Input, Refusal, Shown, Sound},
    nuisance::{Behaviour, Nuisance},
    people::Said,
};

/// One alarm that is something else than normal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where it stands.
    pub alarm: Alarm,
    /// How soon somebody must act.
    pub priority: Priority,
    /// When this occurrence was raised, by the source's clock. With its key, what any wall would call it.
    pub raised: Option<Timestamp>,
    /// When its condition held no more, by the source's clock.
    pub returned: Option<Timestamp>,
    /// When it was decided that it is raised, by this machine's clock.
    pub decided: Option<Timestamp>,
    /// Whether it was the first of its group.
    pub is_first: bool,
    /// Which values its condition had when it was raised: name and value.
    pub cause: Vec<(String, String)>,
    /// What another system says of it, if it is that one's alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Box<Foreign>>,
    /// Whether another system keeps it from calling.
    #[serde(default)]
    pub(super) is_suppressed_elsewhere: bool,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// Who put it on the shelf.
    pub shelved: Option<Said>,
    /// Who took it out of service.
    pub out_of_service: Option<Said>,
    /// Who acknowledged this occurrence.
    pub acknowledged: Option<Said>,
    /// What people wrote to it, the newest last.
    pub comments: Vec<Said>,
    /// Up to when turns were taken, by the source's clock.
    pub(super) taken: Option<Timestamp>,
    /// When it is off the shelf and when it calls anew at the latest: spans, since clocks can be set back. Not known after a restart.
    #[serde(skip)]
    pub(super) deadlines: Deadlines,
}

/// What an alarm is raised with.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Which values its condition has: name and value.
    pub cause: Vec<(String, String)>,
    /// What another system says of it.
    pub foreign: Option<Box<Foreign>>,
}

impl From<Vec<(String, String)>> for Told {
    fn from(cause: Vec<(String, String)>) -> Self {
        Self { cause, foreign: None }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deadlines {
    pub(super) shelf: Option<Mono>,
    pub(super) realarm: Option<Mono>,
}

impl Standing {
    pub(super) fn new(priority: Priority) -> Self {
        Self {
            alarm: Alarm::new(),
            priority,
            raised: None,
            returned: None,
            decided: None,
            is_first: false,
            cause: Vec::new(),
            foreign: None,
            is_suppressed_elsewhere: false,
            behaviour: Behaviour::default(),
            shelved: None,
            out_of_service: None,
            acknowledged: None,
            comments: Vec::new(),
            taken: None,
            deadlines: Deadlines::default(),
        }
    }

    /// Whether its condition holds, or it is held as if it did.
    #[must_use]
    pub const fn stands(&self) -> bool {
        self.alarm.base.is_active() || self.alarm.base.is_latched()
    }

    /// Whether nothing is to be said of it: nothing holds, nothing is to be acknowledged, and nobody has put it aside.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.alarm.base, Base::Normal) && !self.alarm.suppression.is_any()
    }

    /// Whether somebody knows of it, and it holds on: after a while it calls anew.
    pub(super) const fn lingers(&self) -> bool {
        matches!(self.alarm.base, Base::Acknowledged)
    }

    /// How it misbehaves, at an instant of the source's clock.
    #[must_use]
    pub fn nuisance(&self, now: Timestamp) -> Option<Nuisance> {
        self.behaviour.at(now)
    }

    /// Another occurrence begins: what was said of the one before is not said of it.
    pub(super) fn be_raised(&mut self, turn: Turn, told: Told, is_first: bool, wall: Timestamp) {
        (self.cause, self.foreign) = (told.cause, told.foreign);
        if let Some(foreign) = &self.foreign {
            self.priority = foreign.priority;
        }
        (self.raised, self.returned, self.decided) = (Some(turn.since), None, Some(wall));
        (self.acknowledged, self.is_first) = (None, is_first);
        self.comments.clear();
        self.behaviour.note_raise(turn.at);
    }

    /// An input was taken: who said so is remembered as long as it is so.
    pub(super) fn note(&mut self, input: Input, said: Option<&Said>, realarm: Option<Duration>, now: Instant) {
        match input {
            Input::Acknowledge { .. } => self.acknowledged = said.cloned(),
            Input::Shelve(true) => {
                self.shelved = said.cloned();
                let until = said.and_then(|said| said.until);
                self.deadlines.shelf = until.map(|until| now.mono.plus(until.since(now.wall)));
            }
            Input::Shelve(false) => (self.shelved, self.deadlines.shelf) = (None, None),
            Input::TakeOutOfService(true) => self.out_of_service = said.cloned(),
            Input::TakeOutOfService(false) => self.out_of_service = None,
            _ => {}
        }
        if self.alarm.base.wants_acknowledgement() {
            self.acknowledged = None;
        }
        if !self.lingers() {
            self.deadlines.realarm = None;
        } else if self.deadlines.realarm.is_none() {
            self.deadlines.realarm = realarm.map(|span| now.mono.plus(span));
        }
    }
}

/// One entry of the record of alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its number on record: one more than that of the one before.
    pub number: u64,
    /// Which alarm.
    pub key: AlarmKey,
    /// What happened to it; none if somebody wrote something to it and nothing else.
    pub what: Option<Input>,
    /// How it was shown before.
    pub from: Shown,
    /// Where it stands now, whole, so that a reader needs nothing else.
    pub now: Standing,
    /// What becomes of the sound.
    pub sound: Sound,
    /// When it happened, by the source's clock; none where a person or a clock of here did it.
    pub event: Option<Timestamp>,
    /// When it was decided, by this machine's clock.
    pub decided: Timestamp,
    /// Who did it, and why.
    pub said: Option<Said>,
    /// Why it wasn't done.
    pub refusal: Option<Refusal>,
}
