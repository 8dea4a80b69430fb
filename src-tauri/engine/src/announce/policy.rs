//! Which alarm is told how, and when: one notification an alarm, one tone, never more than a person can take, and nothing lost over it. Pure: time
//! and what became of the outputs come as arguments.
//!
//! What has no room of its own is counted in one notification for all, updated in place. An alarm is announced when one way of telling it has
//! succeeded (H6); what fails is tried again, later each time.

mod answers;
mod notices;
mod tones;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use watchfloor_board::alarm::{AlarmKey, Priority};
use watchfloor_model::{Mono, Timestamp};

use self::tones::Playing;
use super::{Announced, Call, How, Order, Output, Settings, Slot, Ways, budget::Budget};

/// More than so many that aren't critical at once, as after a lost link: one notification for all of them.
const AT_ONCE_MAX: usize = 3;
/// The summary is brought up to date this often at most.
const SUMMARY_PERIOD: Duration = Duration::from_secs(1);
/// An alarm that chatters has a notification of its own, and a tone, this often at most.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// So many calls of a key within [`AGAIN_AFTER`]: it chatters.
const CHATTERS_FROM: usize = 3;
/// A sound that was turned off by hand stays off for so long at most.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// Whoever hasn't answered by then won't.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// First wait after a failure; doubled up to the most.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// How often a desktop may swallow the same notification.
const SWALLOWED_MAX: u32 = 3;
/// Alarms of which the last announcement is remembered.
const KNOWN_MAX: usize = 20_000;
/// Hours begin and end with a minute.
const MINUTE: Duration = Duration::from_secs(60);

/// A way to tell by, and whether it works.
#[derive(Debug, Default)]
struct Health {
    failures: u32,
    /// Not before that.
    retry: Option<Mono>,
}

impl Health {
    fn fail(&mut self, now: Mono) {
        let wait = RETRY_MIN.saturating_mul(2_u32.saturating_pow(self.failures)).min(RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        self.retry = Some(now.plus(wait));
    }

    fn works(&mut self) {
        *self = Self::default();
    }

    fn may(&self, now: Mono) -> bool {
        self.retry.is_none_or(|at| at <= now)
    }
}

/// Where an alarm's notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// None is wanted.
    Nowhere,
    /// One of its own is due.
    Wanted,
    /// Quiet hours keep it back.
    Held,
    /// On its way.
    Sent { number: u64, at: Mono },
    /// On the screen.
    Live { number: u64 },
    /// It was told, and is on the screen no more.
    Over,
    /// Counted in the summary, by the one of this number, once it is on its way.
    Summed { number: Option<u64>, is_told: bool },
}

/// An alarm that calls.
#[derive(Debug)]
struct Own {
    call: Call,
    since: Mono,
    is_escalated: bool,
    place: Place,
    /// Whether a notification of its key may be on the screen.
    is_on_screen: bool,
    swallowed: u32,
    /// A chime that wasn't heard yet.
    owes_chime: bool,
    silenced: Option<Mono>,
    is_marked: bool,
    /// It was told before this program was started, and isn't told anew: what that run has shown is changed in place, if it is there.
    is_resumed: bool,
    /// It has come too often within a minute.
    chatters: bool,
}

impl Own {
    /// How urgently it is told.
    fn level(&self) -> Priority {
        if self.is_escalated { next(self.call.priority) } else { self.call.priority }
    }

    /// Where its notification is when the one that was shown, or sent, isn't there.
    const fn unshown(&self) -> Place {
        if self.is_resumed { Place::Over } else { Place::Wanted }
    }

    const fn is_held(&self, is_quiet: bool) -> bool {
        is_quiet && !matches!(self.call.priority, Priority::Critical)
    }
}

/// When what was told then may be told again of what chatters.
fn over(at: Mono) -> Mono {
    at.plus(AGAIN_AFTER).plus(Duration::from_micros(1))
}

/// One more urgent.
const fn next(priority: Priority) -> Priority {
    match priority {
        Priority::Low => Priority::Medium,
        Priority::Medium => Priority::High,
        Priority::High | Priority::Critical => Priority::Critical,
    }
}

/// The notification for many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Screen {
    #[default]
    Off,
    Sent {
        number: u64,
        at: Mono,
    },
    Live {
        number: u64,
    },
}

#[derive(Debug, Default)]
struct Summary {
    screen: Screen,
    /// One that was shown may be there still, though a change of it failed.
    is_on_screen: bool,
    /// A run before this one may have left one on the screen, that stands for what still calls.
    is_left: bool,
    /// What is on its way is a change of that one, and nothing where it isn't there.
    is_adopting: bool,
    counts: [usize; 4],
    said: Mono,
}

/// The policy.
#[derive(Debug)]
pub(super) struct Policy {
    settings: Settings,
    ways: Ways,
    calls: BTreeMap<AlarmKey, Own>,
    /// The newest announcement of each key that was asked for, and in which order.
    known: BTreeMap<AlarmKey, (u64, u32, u64)>,
    /// When a key last had a notification of its own, and when a tone last began for it.
    popped: BTreeMap<AlarmKey, Mono>,
    sounded: BTreeMap<AlarmKey, Mono>,
    /// When a key called within the last minute.
    came: BTreeMap<AlarmKey, VecDeque<Mono>>,
    is_flood: bool,
    is_quiet: bool,
    budget: Budget,
    notices: Health,
    sound: Health,
    summary: Summary,
    playing: Option<Playing>,
    number: u64,
    wake: Option<Mono>,
    outputs: VecDeque<Output>,
    announced: VecDeque<Announced>,
}

impl Policy {
    pub(super) fn new(settings: Settings, ways: Ways) -> Self {
        Self {
            settings,
            ways,
            calls: BTreeMap::new(),
            known: BTreeMap::new(),
            popped: BTreeMap::new(),
            sounded: BTreeMap::new(),
            came: BTreeMap::new(),
            is_flood: false,
            is_quiet: false,
            budget: Budget::default(),
            notices: Health::default(),
            sound: Health::default(),
            summary: Summary::default(),
            playing: None,
            number: 0,
            wake: None,
            outputs: VecDeque::new(),
            announced: VecDeque::new(),
        }
    }

    /// The board says otherwise now. What was told stays so.
    pub(super) fn set_settings(&mut self, settings: Settings, ways: Ways) {
        (self.settings, self.ways) = (settings, ways);
        self.wake = Some(Mono::ZERO);
    }

    /// A run before this one has told people something then: that counts.
    pub(super) fn resume(&mut self, told: Vec<Mono>, now: Mono) {
        self.budget.resume(told, now);
    }

    /// When people were told something, if that has changed since this was last asked.
    pub(super) fn take_told(&mut self) -> Option<Vec<Mono>> {
        self.budget.take_told()
    }

    /// When [`Self::handle_time`] has something to do.
    pub(super) const fn poll_timeout(&self) -> Option<Mono> {
        self.wake
    }

    /// What is to be done, in order.
    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What was told, each announcement once.
    pub(super) fn poll_announced(&mut self) -> Option<Announced> {
        self.announced.pop_front()
    }

    /// Takes an order; what follows from it comes by [`Self::handle_time`].
    pub(super) fn handle_order(&mut self, order: Order, now: Mono, wall: Timestamp) {
        self.wake = Some(now);
        match order {
            Order::Start(call) => self.start(call, false, now),
            Order::Resume { call, by } => {
                let key = call.key.clone();
                self.start(call, true, now);
                self.adopt(&key, by, now, wall);
            }
            Order::Retune { key, priority } => {
                let Some(own) = self.calls.get_mut(&key) else { return };
                own.call.priority = priority;
                let wants = self.settings.notify.is_some_and(|least| own.level() >= least);
                match own.place {
                    Place::Wanted | Place::Held if !wants => own.place = Place::Nowhere,
                    // What is on its way and no longer critical waits for the end of quiet hours.
                    Place::Sent { number, .. } if own.is_held(self.is_quiet) => {
                        own.place = Place::Held;
                        if own.is_on_screen {
                            own.is_on_screen = false;
                            self.outputs.push_back(Output::Withdraw(Slot::Alarm(key)));
                        }
                        self.budget.give_back(number);
                    }
                    Place::Sent { .. } | Place::Live { .. } => self.update(&key, now, wall),
                    _ => {}
                }
            }
            Order::Stop { key } => {
                if let Some(own) = self.calls.remove(&key)
                    && own.is_on_screen
                {
                    self.outputs.push_back(Output::Withdraw(Slot::Alarm(key)));
                }
            }
            Order::StopHere { key } => {
                if let Some(own) = self.calls.get_mut(&key) {
                    (own.silenced, own.owes_chime) = (Some(now.plus(SILENCE_MAX)), false);
                    self.mark(&key, How::Glass, wall);
                }
            }
            Order::Flood(is_on) => self.is_flood = is_on,
        }
    }

    /// Somebody is called. The same announcement isn't made twice, unless it is said to be a repetition.
    fn start(&mut self, call: Call, is_told: bool, now: Mono) {
        let id = (call.occurrence, call.realarms);
        let stands = self.calls.get(&call.key).is_some_and(|own| (own.call.occurrence, own.call.realarms) >= id);
        let is_known =
            self.known.get(&call.key).is_some_and(|(occurrence, realarms, _)| (*occurrence, *realarms) >= id);
        if stands || is_known && !call.is_repeat && !is_told {
            return;
        }
        self.know(&call);
        let came = self.came.entry(call.key.clone()).or_default();
        came.retain(|at| now.since(*at) <= AGAIN_AFTER);
        came.push_back(now);
        let chatters = came.len() >= CHATTERS_FROM;
        let level = call.priority;
        let wants = self.ways.notices && self.settings.notify.is_some_and(|least| level >= least);
        let before = self.calls.get(&call.key);
        let is_on_screen = before.is_some_and(|own| own.is_on_screen);
        let place = match (is_told, wants) {
            (true, true) => Place::Over,
            (false, true) => Place::Wanted,
            // Nobody was told of it, and it isn't counted among those that somebody was.
            (_, false) => Place::Nowhere,
        };
        if place == Place::Nowhere && is_on_screen {
            self.outputs.push_back(Output::Withdraw(Slot::Alarm(call.key.clone())));
        }
        let own = Own {
            since: now,
            is_escalated: false,
            is_on_screen: is_on_screen && place != Place::Nowhere,
            place,
            swallowed: 0,
            owes_chime: !is_told && level == Priority::Medium,
            silenced: None,
            is_marked: is_told,
            is_resumed: is_told,
            chatters,
            call,
        };
        self.calls.insert(own.call.key.clone(), own);
    }

    fn know(&mut self, call: &Call) {
        self.number += 1;
        self.known.insert(call.key.clone(), (call.occurrence, call.realarms, self.number));
        if self.known.len() > KNOWN_MAX {
            let mut ages: Vec<u64> = self.known.values().map(|(_, _, number)| *number).collect();
            let (_, middle, _) = ages.select_nth_unstable(KNOWN_MAX / 2);
            let middle = *middle;
            self.known.retain(|key, (_, _, number)| *number > middle || self.calls.contains_key(key));
        }
    }

    /// Everything that time and orders bring.
    pub(super) fn handle_time(&mut self, now: Mono, wall: Timestamp) {
        self.wake = None;
        self.is_quiet = self.settings.is_quiet(wall);
        for told in [&mut self.popped, &mut self.sounded] {
            told.retain(|_, at| now.since(*at) <= AGAIN_AFTER);
        }
        self.came.retain(|_, came| came.back().is_some_and(|at| now.since(*at) <= AGAIN_AFTER));
        self.miss_answers(now);
        self.escalate(now);
        self.hold();
        self.tell_each(now, wall);
        self.tell_summary(now);
        self.sound_all(now);
        self.mark_all(now, wall);
        if self.settings.quiet.is_some() && !self.calls.is_empty() {
            let into = u64::try_from(wall.as_millis().rem_euclid(60_000)).unwrap_or_default();
            self.wake_at(now.plus(MINUTE - Duration::from_millis(into)));
        }
    }

    fn wake_at(&mut self, at: Mono) {
        self.wake = Some(self.wake.map_or(at, |own| own.min(at)));
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// What nobody has acknowledged for too long is told more urgently.
    fn escalate(&mut self, now: Mono) {
        let Some(after) = self.settings.escalate_after else { return };
        let mut due: Option<Mono> = None;
        for own in self.calls.values_mut().filter(|own| !own.is_escalated) {
            let at = own.since.plus(after);
            if at > now {
                due = Some(due.map_or(at, |own| own.min(at)));
                continue;
            }
            (own.is_escalated, own.is_resumed) = (true, false);
            own.owes_chime = own.level() == Priority::Medium;
            let wants = self.ways.notices && self.settings.notify.is_some_and(|least| own.level() >= least);
            if wants && !matches!(own.place, Place::Held | Place::Summed { .. }) {
                own.place = Place::Wanted;
            }
        }
        if let Some(at) = due {
            self.wake_at(at);
        }
    }

    /// Quiet hours keep back all but what is critical; at their end it is told by the summary.
    fn hold(&mut self) {
        for own in self.calls.values_mut() {
            own.place = match own.place {
                Place::Wanted | Place::Summed { number: None, is_told: false } if own.is_held(self.is_quiet) => {
                    Place::Held
                }
                Place::Held if !own.is_held(self.is_quiet) => Place::Summed { number: None, is_told: false },
                place => place,
            };
        }
    }

    /// An announcement was made, in one way at least.
    fn mark(&mut self, key: &AlarmKey, how: How, at: Timestamp) {
        let Some(own) = self.calls.get_mut(key).filter(|own| !own.is_marked) else { return };
        own.is_marked = true;
        self.announced.push_back(Announced {
            key: key.clone(),
            occurrence: own.call.occurrence,
            realarms: own.call.realarms,
            at,
            how,
        });
    }

    /// What isn't told by any way is on the glass, and what a tone covers that is heard is told by it.
    fn mark_all(&mut self, now: Mono, wall: Timestamp) {
        let heard = self.heard_level();
        let due: Vec<(AlarmKey, How)> = self
            .calls
            .iter()
            .filter(|(_, own)| !own.is_marked)
            .filter_map(|(key, own)| {
                let wants_notice = self.ways.notices && self.settings.notify.is_some_and(|least| own.level() >= least);
                // A tone that goes on calls for it as well, where nothing else does.
                let is_alone = !wants_notice || self.notices.failures > 0;
                if is_alone && heard.is_some_and(|heard| own.level() <= heard) && self.is_audible(own, now) {
                    Some((key.clone(), How::Sound))
                } else if !wants_notice && !self.wants_sound(own) {
                    Some((key.clone(), How::Glass))
                } else {
                    None
                }
            })
            .collect();
        for (key, how) in due {
            self.mark(&key, how, wall);
        }
    }
}

#[cfg(test)]
mod blizzard;
#[cfg(test)]
mod tests;
