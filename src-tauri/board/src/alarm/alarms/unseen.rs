//! What will never be known goes on record as well: what came and went in a gap, and what found no room.

use watchfloor_model::Timestamp;

use super::{Alarms, Change, Effect, Instant, Priority, Standing};
use crate::alarm::{
    AlarmKey,
    machine::{Evidence, Input, Sound},
    people::{By, Said},
    room::{self, ToTell},
};

impl Alarms {
    /// An alarm holds and finds no room: among all, or among the keys of its rule.
    pub(in crate::alarm) fn refuse(&mut self, rule: Option<&str>, key: &AlarmKey, at: Timestamp, now: Instant) {
        if self.room.refuse(&room::key_of(rule), key, at, now) {
            self.lost = self.lost.saturating_add(u64::from(rule.is_none()));
            self.tell_room(now);
        }
    }

    /// One that had no room holds no more.
    pub(in crate::alarm) fn let_go(&mut self, key: &AlarmKey) {
        self.room.let_go(key);
    }

    /// What is to be said of what has no room goes on record.
    pub(super) fn tell_room(&mut self, now: Instant) {
        for ToTell { key, words, cause, at, until } in self.room.due(now) {
            let mut own = Standing { cause, ..Standing::new(Priority::High) };
            // It is known well: what isn't is what became of those alarms.
            own.alarm.evidence = Evidence::Live;
            self.write_unseen(key, own, at, Said { by: By::default(), at: now.wall, words, until }, now);
        }
    }

    /// What became of this until `at`, by its source's clock, will never be known: that goes on record, once.
    pub fn note_unseen(&mut self, key: &AlarmKey, words: String, at: Timestamp, now: Instant) {
        if self.is_recorded(key, at, Effect::Unseen) {
            return;
        }
        let was = || {
            let mut own = Standing::new(self.rules.get(&key.rule).map(|terms| terms.priority).unwrap_or_default());
            if let Some((taken, occurrence)) = self.ended.get(key) {
                (own.taken, own.alarm.occurrence) = (Some(*taken), *occurrence);
            }
            own
        };
        let own = self.standing.get(key).cloned().unwrap_or_else(was);
        self.write_unseen(key.clone(), own, at, Said { by: By::default(), at: now.wall, words, until: None }, now);
    }

    /// An entry of what will never be known.
    fn write_unseen(&mut self, key: AlarmKey, own: Standing, at: Timestamp, said: Said, now: Instant) {
        self.write(Change {
            number: 0,
            key,
            what: Some(Input::Unseen),
            from: own.alarm.shown(),
            now: own,
            sound: Sound::Keep,
            event: Some(at),
            decided: now.wall,
            said: Some(said),
            refusal: None,
        });
    }
}
