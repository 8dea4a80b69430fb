//! Notifications: one an alarm while there is room, and one for all others.

use watchfloor_board::alarm::{AlarmKey, Priority};
use watchfloor_model::{Mono, Timestamp};

use super::{AT_ONCE_MAX, Own, Place, Policy, SUMMARY_PERIOD, Screen, Summary, over};
use crate::announce::{Call, How, Output, Show, Slot, Urgency, budget::Way, words};

impl Policy {
    /// Notifications of single alarms, the most urgent first.
    pub(super) fn tell_each(&mut self, now: Mono, wall: Timestamp) {
        let wanted = |own: &Own| own.place == Place::Wanted;
        if !self.calls.values().any(wanted) {
            return;
        }
        if !self.notices.may(now) {
            self.wake_at(self.notices.retry.unwrap_or(now));
            return;
        }
        let mut due: Vec<(Priority, AlarmKey)> = Vec::new();
        let mut later: Option<Mono> = None;
        for (key, own) in self.calls.iter().filter(|(_, own)| wanted(own)) {
            // What chatters was told a moment ago, by its name: it is again, as that, when that is a minute ago.
            match self.popped.get(key).filter(|_| own.chatters && !own.is_on_screen) {
                Some(at) => later = Some(later.map_or(*at, |own| own.min(*at))),
                None => due.push((own.level(), key.clone())),
            }
        }
        if let Some(at) = later {
            self.wake_at(over(at));
        }
        due.sort_by(|(one, _), (other, _)| other.cmp(one));
        let is_many = due.iter().filter(|(level, _)| *level != Priority::Critical).count() > AT_ONCE_MAX;
        for (level, key) in due {
            let Some(own) = self.calls.get(&key) else { continue };
            // It is on the screen, and was told a moment ago: then its words are changed, and nothing pops up.
            let may_again = level == Priority::Critical && !own.chatters;
            let is_again = own.is_on_screen && !may_again && self.popped.contains_key(&key);
            let is_summed = level != Priority::Critical && (self.is_flood || is_many);
            let number = self.next_number();
            let way = Way::Notice { priority: level, has_summary: self.summary.screen != Screen::Off };
            let is_new = !is_summed && !is_again && self.budget.take(way, number, now);
            let Some(own) = self.calls.get_mut(&key) else { continue };
            if is_new || own.is_on_screen {
                own.place = Place::Sent { number, at: now };
                own.is_on_screen = true;
                self.show(&key, number, !is_new, wall);
                if is_new {
                    self.popped.insert(key, now);
                }
            } else {
                own.place = Place::Summed { number: None, is_told: false };
            }
        }
    }

    /// An alarm's notification says something else now.
    pub(super) fn update(&mut self, key: &AlarmKey, now: Mono, wall: Timestamp) {
        let number = self.next_number();
        let Some(own) = self.calls.get_mut(key) else { return };
        let mut is_update = true;
        if let Place::Sent { number: sent, .. } = own.place {
            // What is on its way counts as it did.
            is_update = !self.budget.renumber(sent, number);
        }
        own.place = Place::Sent { number, at: now };
        self.show(key, number, is_update, wall);
    }

    /// What the run before this one has shown of it is changed in place, if it is there still.
    pub(super) fn adopt(&mut self, key: &AlarmKey, by: Option<String>, now: Mono, wall: Timestamp) {
        if !self.ways.notices || !self.calls.get(key).is_some_and(|own| own.is_resumed && own.place == Place::Over) {
            return;
        }
        if by.as_deref() == Some(How::Summary.name()) {
            self.summary.is_left = true;
            if let Some(own) = self.calls.get_mut(key) {
                own.place = Place::Summed { number: None, is_told: true };
            }
            return;
        }
        let number = self.next_number();
        if let Some(own) = self.calls.get_mut(key) {
            (own.place, own.is_on_screen) = (Place::Sent { number, at: now }, true);
            self.show(key, number, true, wall);
        }
    }

    pub(super) fn show(&mut self, key: &AlarmKey, number: u64, is_update: bool, wall: Timestamp) {
        let Some(own) = self.calls.get(key) else { return };
        let level = own.level();
        // One that a run before this one has shown may be gone by now: then it is told once more.
        let is_repeat = own.call.is_repeat || own.is_resumed;
        let call = Call { is_repeat, ..own.call.clone() };
        let (heading, rest) = words::alarm(&call, own.is_escalated, &self.settings.zone, wall);
        let show = Show {
            slot: Slot::Alarm(key.clone()),
            number,
            is_update,
            heading,
            rest,
            urgency: Urgency::of(level),
            stays: level == Priority::Critical,
            occurrence: Some(own.call.occurrence),
            // What is critical is acknowledged where it is seen.
            acknowledges: self.settings.actions && own.call.priority != Priority::Critical,
            shows: self.settings.actions,
        };
        self.outputs.push_back(Output::Show(show));
    }

    /// The notification for all that have none of their own.
    pub(super) fn tell_summary(&mut self, now: Mono) {
        let mut counts = [0; 4];
        let (mut is_any, mut is_news, mut is_critical) = (false, false, false);
        for own in self.calls.values() {
            if let Place::Summed { number, is_told } = own.place {
                is_any = true;
                is_news |= number.is_none() && !is_told;
                is_critical |= number.is_none() && !is_told && own.level() == Priority::Critical;
            }
            if !matches!(own.place, Place::Nowhere | Place::Held)
                && let Some(count) = counts.get_mut(own.level() as usize)
            {
                *count += 1;
            }
        }
        if !is_any {
            if self.summary.screen != Screen::Off || self.summary.is_on_screen {
                (self.summary.screen, self.summary.is_on_screen) = (Screen::Off, false);
                self.outputs.push_back(Output::Withdraw(Slot::Summary));
            }
            return;
        }
        let is_left = std::mem::take(&mut self.summary.is_left) && self.summary.screen == Screen::Off;
        let mut is_adopting = is_left && !is_news;
        let is_on = self.summary.screen != Screen::Off || is_adopting;
        if !is_news && !is_adopting && (!is_on || counts == self.summary.counts) {
            return;
        }
        if !self.notices.may(now) {
            self.summary.is_left = is_left;
            self.wake_at(self.notices.retry.unwrap_or(now));
            return;
        }
        let next = self.summary.said.plus(SUMMARY_PERIOD);
        if is_on && !is_adopting && next > now {
            self.wake_at(next);
            return;
        }
        let number = self.next_number();
        let way = Way::Summary { is_critical };
        if !is_on && !self.budget.take(way, number, now) {
            if !is_left {
                self.wake_at(self.budget.free_at(way, now));
                return;
            }
            // No more may pop up: what is new is told where the run before this one has told the rest, if that is there still.
            is_adopting = true;
        }
        self.summary =
            Summary { screen: Screen::Sent { number, at: now }, counts, said: now, is_adopting, ..self.summary };
        for own in self.calls.values_mut() {
            if let Place::Summed { number: sent, is_told: false } = &mut own.place {
                *sent = Some(number);
            }
        }
        let (heading, rest) = words::summary(counts, self.is_flood);
        let highest = [Priority::Critical, Priority::High, Priority::Medium, Priority::Low];
        let highest = highest.into_iter().find(|level| counts.get(*level as usize).is_some_and(|count| *count > 0));
        self.outputs.push_back(Output::Show(Show {
            slot: Slot::Summary,
            number,
            is_update: is_on || is_adopting,
            heading,
            rest,
            urgency: Urgency::of(highest.unwrap_or_default()),
            stays: true,
            occurrence: None,
            acknowledges: false,
            shows: self.settings.actions,
        }));
    }
}
