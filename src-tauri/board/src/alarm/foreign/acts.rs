//! What another system does to its alarms besides raising and clearing them. As events are folded again after a crash, what is on record changes
//! nothing (H6).

use watchfloor_model::Timestamp;

use super::super::{
    Priority,
    alarms::{Alarms, Effect, Instant},
    key::AlarmKey,
    machine::Input,
    people::{By, Said},
};

impl Alarms {
    /// Somebody of another system knows of it, since `at` by its clock. What was raised after that isn't meant.
    pub(crate) fn handle_known(&mut self, key: &AlarmKey, by: By, at: Timestamp, now: Instant) {
        if self.is_recorded(key, at, Effect::Acknowledge) {
            return;
        }
        let Some(own) = self.standing().get(key).filter(|own| own.alarm.base.wants_acknowledgement()) else { return };
        if own.taken.is_some_and(|taken| at < taken) {
            return;
        }
        let input = Input::Acknowledge { occurrence: own.alarm.occurrence };
        let said = Said { by, at: now.wall, words: String::new(), until: None };
        self.apply(key, input, Some(at), now, Some(said));
        self.settle(key, now);
    }

    /// Another system keeps it from calling, or no longer does.
    pub(crate) fn handle_suppressed(&mut self, key: &AlarmKey, is_on: bool, at: Timestamp, now: Instant) {
        if self.is_recorded(key, at, Effect::Suppress(is_on)) {
            return;
        }
        let Some(own) = self.standing_mut(key).filter(|own| own.is_suppressed_elsewhere != is_on) else { return };
        own.is_suppressed_elsewhere = is_on;
        self.inhibit(key, Some(at), now);
        self.settle(key, now);
    }

    /// It is of this priority now, by another system's word.
    pub(crate) fn handle_urgency(&mut self, key: &AlarmKey, priority: Priority, at: Timestamp, now: Instant) {
        if self.is_recorded(key, at, Effect::Urgency(priority)) {
            return;
        }
        let Some(own) = self.standing_mut(key).filter(|own| own.priority != priority) else { return };
        let is_worse = priority > own.priority;
        own.priority = priority;
        if let Some(foreign) = &mut own.foreign {
            foreign.priority = priority;
        }
        self.apply(key, if is_worse { Input::Worsen } else { Input::Ease }, Some(at), now, None);
    }
}
