//! Which tone is heard: that of the most urgent alarm, and no other beside it.

use std::{collections::BTreeSet, time::Duration};

use watchfloor_board::alarm::{AlarmKey, Priority};
use watchfloor_model::{Mono, Timestamp};

use super::{ANSWER_MAX, Own, Policy, over};
use crate::announce::{How, Output, Tone, budget::Way};

/// How long a chime is heard.
pub(super) const CHIME: Duration = Duration::from_secs(2);

/// The tone that is heard, or on its way.
#[derive(Debug)]
pub(super) struct Playing {
    tone: Tone,
    number: u64,
    began: Mono,
    is_heard: bool,
    /// Whom it was begun for.
    keys: BTreeSet<AlarmKey>,
}

impl Playing {
    #[cfg(test)]
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    #[cfg(test)]
    pub(super) const fn keys(&self) -> &BTreeSet<AlarmKey> {
        &self.keys
    }
}

impl Policy {
    /// Whether an alarm of this kind is heard at all here.
    pub(super) fn wants_sound(&self, own: &Own) -> bool {
        let level = own.level();
        self.ways.sound && level >= Priority::Medium && self.settings.sound.is_some_and(|least| level >= least)
    }

    /// Whether it may be heard now.
    pub(super) fn is_audible(&self, own: &Own, now: Mono) -> bool {
        self.wants_sound(own)
            && own.silenced.is_none_or(|until| until <= now)
            && !own.is_held(self.is_quiet)
            && !(self.is_flood && own.level() < Priority::High)
            && self.rests_until(own).is_none()
    }

    /// Until when what chatters isn't heard: a tone began for it a moment ago. One that goes on goes on.
    fn rests_until(&self, own: &Own) -> Option<Mono> {
        let at = self.sounded.get(&own.call.key).filter(|_| own.chatters)?;
        let tone = repeated(own).unwrap_or(Tone::Chime);
        let goes_on =
            self.playing.as_ref().is_some_and(|playing| playing.tone == tone && playing.keys.contains(&own.call.key));
        (!goes_on).then(|| over(*at))
    }

    /// How urgent what is heard is.
    pub(super) fn heard_level(&self) -> Option<Priority> {
        self.playing
            .as_ref()
            .filter(|playing| playing.is_heard && playing.tone != Tone::Chime)
            .map(|playing| playing.tone.level())
    }

    /// Begins, changes and ends the one tone.
    pub(super) fn sound_all(&mut self, now: Mono) {
        self.end_chime(now);
        if let Some(playing) = self.playing.as_ref().filter(|playing| !playing.is_heard) {
            let (number, until) = (playing.number, playing.began.plus(ANSWER_MAX));
            if until <= now {
                self.playing = None;
                self.sound.fail(now);
                self.outputs.push_back(Output::Silence);
                tracing::debug!(number, "no answer from the sound");
            } else {
                self.wake_at(until);
            }
        }
        let wanted = self.calls.values().filter(|own| self.is_audible(own, now)).filter_map(repeated).max();
        if let Some(until) = self.calls.values().filter_map(|own| own.silenced).filter(|until| *until > now).min() {
            self.wake_at(until);
        }
        if let Some(until) = self.calls.values().filter_map(|own| self.rests_until(own)).min() {
            self.wake_at(until);
        }
        let current = self.playing.as_ref().map(|playing| playing.tone);
        if let Some(tone) = wanted {
            if current != Some(tone) {
                let is_for = |own: &Own| self.is_audible(own, now) && repeated(own) == Some(tone);
                let keys = self.calls.iter().filter(|(_, own)| is_for(own)).map(|(key, _)| key.clone()).collect();
                self.begin(tone, keys, now);
            }
            // Who comes for what is more urgent sees it as well.
            if self.heard_level().is_some() {
                let audible = self.calls.iter().filter(|(_, own)| own.owes_chime && self.is_audible(own, now));
                let keys: Vec<AlarmKey> = audible.map(|(key, _)| key.clone()).collect();
                for key in keys {
                    if let Some(own) = self.calls.get_mut(&key) {
                        own.owes_chime = false;
                    }
                }
            }
            return;
        }
        if current.is_some_and(|tone| tone != Tone::Chime) {
            self.silence();
        }
        if self.playing.is_some() {
            return;
        }
        let owing = |own: &Own| own.owes_chime && self.is_audible(own, now);
        let keys: BTreeSet<AlarmKey> =
            self.calls.iter().filter(|(_, own)| owing(own)).map(|(key, _)| key.clone()).collect();
        if !keys.is_empty() {
            self.begin(Tone::Chime, keys, now);
        }
    }

    fn silence(&mut self) {
        if self.playing.take().is_some() {
            self.outputs.push_back(Output::Silence);
        }
    }

    /// A chime ends by itself, and with the last of those for whom it is.
    fn end_chime(&mut self, now: Mono) {
        let Some(playing) = self.playing.as_ref().filter(|playing| playing.tone == Tone::Chime) else { return };
        let end = playing.began.plus(CHIME);
        let stands = playing
            .keys
            .iter()
            .any(|key| self.calls.get(key).is_some_and(|own| own.silenced.is_none() && !own.is_held(self.is_quiet)));
        if !stands {
            self.silence();
        } else if playing.is_heard && end <= now {
            self.playing = None;
        } else if playing.is_heard {
            self.wake_at(end);
        }
    }

    fn begin(&mut self, tone: Tone, keys: BTreeSet<AlarmKey>, now: Mono) {
        let number = self.next_number();
        let way = Way::Tone(tone.level());
        let may = self.sound.may(now);
        if !may || !self.budget.take(way, number, now) {
            let at = if may { self.budget.free_at(way, now) } else { self.sound.retry.unwrap_or(now) };
            self.wake_at(at);
            // A tone whose alarm is gone isn't heard on for want of the right one.
            let is_more = self.playing.as_ref().is_some_and(|playing| playing.tone > tone);
            if is_more {
                self.silence();
            }
            return;
        }
        self.playing = Some(Playing { tone, number, began: now, is_heard: false, keys });
        self.outputs.push_back(Output::Play { tone, number });
        self.wake_at(now.plus(ANSWER_MAX));
    }

    /// It is heard.
    pub(super) fn heard(&mut self, number: u64, wall: Timestamp) {
        let Some(playing) = self.playing.as_mut().filter(|playing| playing.number == number) else { return };
        playing.is_heard = true;
        self.sounded.extend(playing.keys.iter().map(|key| (key.clone(), playing.began)));
        self.sound.works();
        for key in std::mem::take(&mut playing.keys) {
            if let Some(own) = self.calls.get_mut(&key) {
                own.owes_chime = false;
                self.mark(&key, How::Sound, wall);
            }
            if let Some(playing) = &mut self.playing {
                playing.keys.insert(key);
            }
        }
    }

    /// It isn't heard, or no more.
    pub(super) fn not_heard(&mut self, number: u64, now: Mono) {
        let Some(playing) = self.playing.take_if(|playing| playing.number == number) else { return };
        if !playing.is_heard {
            self.budget.give_back(number);
        }
        self.sound.fail(now);
    }
}

/// The tone that an alarm repeats, if it has one.
fn repeated(own: &Own) -> Option<Tone> {
    match own.level() {
        Priority::Low | Priority::Medium => None,
        Priority::High => Some(Tone::Pulses),
        Priority::Critical if own.is_escalated && own.call.priority == Priority::Critical => Some(Tone::Urgent),
        Priority::Critical => Some(Tone::Continuous),
    }
}
