//! What the desktop and the sound device answered, or didn't.

use watchfloor_board::alarm::AlarmKey;
use watchfloor_model::{Mono, Timestamp};

use super::{ANSWER_MAX, Own, Place, Policy, SWALLOWED_MAX, Screen};
use crate::announce::{How, Slot, Told};

impl Policy {
    /// Takes what became of an output.
    pub(in crate::announce) fn handle_told(&mut self, told: &Told, now: Mono, wall: Timestamp) {
        self.wake = Some(now);
        match told {
            Told::Shown { slot, number } => {
                self.notices.works();
                self.shown(slot, *number, wall);
            }
            Told::NotShown { slot, number } => {
                if self.lose(slot, *number) {
                    self.budget.give_back(*number);
                    self.notices.fail(now);
                }
            }
            Told::Swallowed { slot, number } => {
                if self.lose(slot, *number) {
                    self.notices.fail(now);
                    if let Slot::Alarm(key) = slot
                        && let Some(own) = self.calls.get_mut(key)
                    {
                        own.is_on_screen = false;
                        own.swallowed += 1;
                        if own.swallowed >= SWALLOWED_MAX {
                            own.place = Place::Over;
                        }
                    }
                }
            }
            Told::Closed { slot, number } => match slot {
                Slot::Alarm(key) => {
                    let Some(own) = self.calls.get_mut(key) else { return };
                    match own.place {
                        Place::Live { number: shown } if shown == *number => {
                            (own.place, own.is_on_screen) = (Place::Over, false);
                        }
                        // What was to be changed was gone by then.
                        Place::Sent { number: sent, .. } if sent == *number => {
                            (own.place, own.is_on_screen) = (own.unshown(), false);
                        }
                        _ => {}
                    }
                }
                Slot::Summary => match self.summary.screen {
                    Screen::Live { number: shown } if shown == *number => {
                        (self.summary.screen, self.summary.is_on_screen) = (Screen::Off, false);
                    }
                    Screen::Sent { .. } => {
                        self.lose(slot, *number);
                    }
                    _ => {}
                },
                Slot::Source(_) => {}
            },
            Told::Desktop => self.desktop_back(),
            Told::Acted { .. } | Told::Withdrawn { .. } => {}
            Told::Heard { number } => self.heard(*number, wall),
            Told::NotHeard { number } => self.not_heard(*number, now),
            Told::Device => self.sound.works(),
        }
    }

    /// What was on the screen is gone with the service that showed it; another one is there now.
    fn desktop_back(&mut self) {
        self.notices.works();
        for own in self.calls.values_mut() {
            own.is_on_screen = false;
            own.place = match own.place {
                Place::Sent { .. } | Place::Live { .. } => own.unshown(),
                // Of those before this run nothing is told anew.
                Place::Summed { is_told, .. } => Place::Summed { number: None, is_told: is_told && own.is_resumed },
                place => place,
            };
        }
        (self.summary.screen, self.summary.is_on_screen) = (Screen::Off, false);
    }

    /// It is on the screen.
    fn shown(&mut self, slot: &Slot, number: u64, wall: Timestamp) {
        match slot {
            Slot::Alarm(key) => {
                let Some(own) = self.calls.get_mut(key) else { return };
                if matches!(own.place, Place::Sent { number: sent, .. } if sent == number) {
                    (own.place, own.is_on_screen, own.is_resumed) = (Place::Live { number }, true, false);
                    self.mark(key, How::Notification, wall);
                }
            }
            Slot::Summary => {
                if matches!(self.summary.screen, Screen::Sent { number: sent, .. } if sent == number) {
                    self.summary.screen = Screen::Live { number };
                    (self.summary.is_on_screen, self.summary.is_adopting) = (true, false);
                    let summed = self.calls.values_mut().filter(|own| matches!(own.place, Place::Summed { .. }));
                    summed.for_each(|own| own.is_resumed = false);
                }
                let told: Vec<AlarmKey> = self.summed(number).map(|(key, _)| key.clone()).collect();
                for key in told {
                    if let Some(own) = self.calls.get_mut(&key) {
                        own.place = Place::Summed { number: None, is_told: true };
                    }
                    self.mark(&key, How::Summary, wall);
                }
            }
            Slot::Source(_) => {}
        }
    }

    /// Those that the summary of this number told of.
    fn summed(&self, number: u64) -> impl Iterator<Item = (&AlarmKey, &Own)> {
        self.calls
            .iter()
            .filter(move |(_, own)| matches!(own.place, Place::Summed { number: Some(sent), .. } if sent == number))
    }

    /// It isn't on the screen: to be told anew. Says whether that is news.
    fn lose(&mut self, slot: &Slot, number: u64) -> bool {
        match slot {
            Slot::Alarm(key) => {
                let Some(own) = self.calls.get_mut(key) else { return false };
                let is_it = match own.place {
                    Place::Sent { number: sent, .. } | Place::Live { number: sent } => sent == number,
                    _ => false,
                };
                if is_it {
                    // What was there before may be so still.
                    own.place = own.unshown();
                }
                is_it
            }
            Slot::Summary => {
                let is_it = match self.summary.screen {
                    Screen::Sent { number: sent, .. } | Screen::Live { number: sent } => sent == number,
                    Screen::Off => false,
                };
                if is_it {
                    self.summary.screen = Screen::Off;
                    // Of those before this run nothing is told anew.
                    let is_adopting = std::mem::take(&mut self.summary.is_adopting);
                    for own in self.calls.values_mut() {
                        if let Place::Summed { number, is_told } = &mut own.place {
                            (*number, *is_told) = (None, *is_told && is_adopting);
                        }
                    }
                }
                is_it
            }
            Slot::Source(_) => false,
        }
    }

    /// No answer is a failure.
    pub(super) fn miss_answers(&mut self, now: Mono) {
        let is_late = |at: Mono| at.plus(ANSWER_MAX) <= now;
        let mut late = Vec::new();
        let mut next: Option<Mono> = None;
        let mut look = |slot: Slot, number: u64, at: Mono| {
            if is_late(at) {
                late.push((slot, number));
            } else {
                next = Some(next.map_or(at, |own| own.min(at)));
            }
        };
        for (key, own) in &self.calls {
            if let Place::Sent { number, at } = own.place {
                look(Slot::Alarm(key.clone()), number, at);
            }
        }
        if let Screen::Sent { number, at } = self.summary.screen {
            look(Slot::Summary, number, at);
        }
        for (slot, number) in late {
            self.lose(&slot, number);
            self.notices.fail(now);
        }
        if let Some(at) = next {
            self.wake_at(at.plus(ANSWER_MAX));
        }
    }
}
