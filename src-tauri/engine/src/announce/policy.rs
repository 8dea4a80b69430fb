//! Which alarm is told how, and when: one notification an alarm, one tone, never more than a person can take, and nothing lost over it. Pure: time
//! and what became of the outputs come as arguments.
//!
//! What has no room of its own is counted in one notification for all, updated in place. An alarm is announced when one way of telling it has
//! succeeded (H6); what fails is tried again, later each time.

mod tones;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use watchfloor_board::alarm::{AlarmKey, Priority};
use watchfloor_model::{Mono, Timestamp};

use self::tones::Playing;
use super::{
    Announced, Call, How, Order, Output, Settings, Show, Slot, Told, Urgency, Ways,
    budget::{Budget, Way},
    words,
};

/// More than so many that aren't critical at once, as after a lost link: one notification for all of them.
const AT_ONCE_MAX: usize = 3;
/// The summary is brought up to date this often at most.
const SUMMARY_PERIOD: Duration = Duration::from_secs(1);
/// An alarm that comes and goes has a notification of its own this often at most.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
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
}

impl Own {
    /// How urgently it is told.
    fn level(&self) -> Priority {
        if self.is_escalated { next(self.call.priority) } else { self.call.priority }
    }

    const fn is_held(&self, is_quiet: bool) -> bool {
        is_quiet && !matches!(self.call.priority, Priority::Critical)
    }
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
    /// When a key last had a notification of its own.
    popped: BTreeMap<AlarmKey, Mono>,
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
            Order::Resume(call) => self.start(call, true, now),
            Order::Retune { key, priority } => {
                let Some(own) = self.calls.get_mut(&key) else { return };
                own.call.priority = priority;
                let wants = self.settings.notify.is_some_and(|least| own.level() >= least);
                match own.place {
                    Place::Wanted | Place::Held if !wants => own.place = Place::Nowhere,
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
        let is_known = self.known.get(&call.key).is_some_and(|(occurrence, realarms, _)| (*occurrence, *realarms) >= id);
        if stands || is_known && !call.is_repeat && !is_told {
            return;
        }
        self.know(&call);
        let level = call.priority;
        let wants = self.ways.notices && self.settings.notify.is_some_and(|least| level >= least);
        let before = self.calls.get(&call.key);
        let is_on_screen = before.is_some_and(|own| own.is_on_screen);
        let place = match (is_told, wants) {
            (true, _) => Place::Over,
            (false, true) => Place::Wanted,
            (false, false) => Place::Nowhere,
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

    /// Takes what became of an output.
    pub(super) fn handle_told(&mut self, told: &Told, now: Mono, wall: Timestamp) {
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
                        own.swallowed += 1;
                        if own.swallowed >= SWALLOWED_MAX {
                            own.place = Place::Over;
                        }
                    }
                }
            }
            Told::Closed { slot, number } => match slot {
                Slot::Alarm(key) => {
                    if let Some(own) = self.calls.get_mut(key)
                        && own.place == (Place::Live { number: *number })
                    {
                        (own.place, own.is_on_screen) = (Place::Over, false);
                    }
                }
                Slot::Summary if self.summary.screen == (Screen::Live { number: *number }) => {
                    self.summary.screen = Screen::Off;
                }
                Slot::Summary | Slot::Source(_) => {}
            },
            Told::Desktop => self.desktop_back(),
            Told::Acted { .. } => {}
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
            match &mut own.place {
                Place::Sent { .. } | Place::Live { .. } => own.place = Place::Wanted,
                Place::Summed { number, is_told } => (*number, *is_told) = (None, false),
                Place::Nowhere | Place::Wanted | Place::Held | Place::Over => {}
            }
        }
        self.summary.screen = Screen::Off;
    }

    /// It is on the screen.
    fn shown(&mut self, slot: &Slot, number: u64, wall: Timestamp) {
        match slot {
            Slot::Alarm(key) => {
                let Some(own) = self.calls.get_mut(key) else { return };
                if matches!(own.place, Place::Sent { number: sent, .. } if sent == number) {
                    own.place = Place::Live { number };
                    self.mark(key, How::Notification, wall);
                }
            }
            Slot::Summary => {
                if matches!(self.summary.screen, Screen::Sent { number: sent, .. } if sent == number) {
                    self.summary.screen = Screen::Live { number };
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
                    (own.place, own.is_on_screen) = (Place::Wanted, false);
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
                    for own in self.calls.values_mut() {
                        if let Place::Summed { number, is_told } = &mut own.place {
                            (*number, *is_told) = (None, false);
                        }
                    }
                }
                is_it
            }
            Slot::Source(_) => false,
        }
    }

    /// Everything that time and orders bring.
    pub(super) fn handle_time(&mut self, now: Mono, wall: Timestamp) {
        self.wake = None;
        self.is_quiet = self.settings.is_quiet(wall);
        self.popped.retain(|_, at| now.since(*at) <= AGAIN_AFTER);
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

    /// No answer is a failure.
    fn miss_answers(&mut self, now: Mono) {
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
            own.is_escalated = true;
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
                Place::Wanted | Place::Summed { number: None, is_told: false } if own.is_held(self.is_quiet) => Place::Held,
                Place::Held if !own.is_held(self.is_quiet) => Place::Summed { number: None, is_told: false },
                place => place,
            };
        }
    }

    /// Notifications of single alarms, the most urgent first.
    fn tell_each(&mut self, now: Mono, wall: Timestamp) {
        let wanted = |own: &Own| own.place == Place::Wanted;
        if !self.calls.values().any(wanted) {
            return;
        }
        if !self.notices.may(now) {
            self.wake_at(self.notices.retry.unwrap_or(now));
            return;
        }
        let mut due: Vec<(Priority, AlarmKey)> =
            self.calls.iter().filter(|(_, own)| wanted(own)).map(|(key, own)| (own.level(), key.clone())).collect();
        due.sort_by(|(one, _), (other, _)| other.cmp(one));
        let is_many = due.iter().filter(|(level, _)| *level != Priority::Critical).count() > AT_ONCE_MAX;
        for (level, key) in due {
            let is_again = self.popped.contains_key(&key);
            let is_summed = level != Priority::Critical && (self.is_flood || is_many || is_again);
            let number = self.next_number();
            let is_new = !is_summed && self.budget.take(Way::Notice(level), number, now);
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
    fn update(&mut self, key: &AlarmKey, now: Mono, wall: Timestamp) {
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

    fn show(&mut self, key: &AlarmKey, number: u64, is_update: bool, wall: Timestamp) {
        let Some(own) = self.calls.get(key) else { return };
        let level = own.level();
        let (heading, rest) = words::alarm(&own.call, own.is_escalated, &self.settings.zone, wall);
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
    fn tell_summary(&mut self, now: Mono) {
        let mut counts = [0; 4];
        let (mut is_any, mut is_news) = (false, false);
        for own in self.calls.values() {
            if let Place::Summed { number, is_told } = own.place {
                is_any = true;
                is_news |= number.is_none() && !is_told;
            }
            if !matches!(own.place, Place::Nowhere | Place::Held)
                && let Some(count) = counts.get_mut(own.level() as usize)
            {
                *count += 1;
            }
        }
        if !is_any {
            if self.summary.screen != Screen::Off {
                self.summary.screen = Screen::Off;
                self.outputs.push_back(Output::Withdraw(Slot::Summary));
            }
            return;
        }
        let is_on = self.summary.screen != Screen::Off;
        if !is_news && (!is_on || counts == self.summary.counts) {
            return;
        }
        if !self.notices.may(now) {
            self.wake_at(self.notices.retry.unwrap_or(now));
            return;
        }
        let next = self.summary.said.plus(SUMMARY_PERIOD);
        if is_on && next > now {
            self.wake_at(next);
            return;
        }
        let number = self.next_number();
        if !is_on && !self.budget.take(Way::Summary, number, now) {
            self.wake_at(self.budget.free_at(Way::Summary, now));
            return;
        }
        self.summary = Summary { screen: Screen::Sent { number, at: now }, counts, said: now };
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
            is_update: is_on,
            heading,
            rest,
            urgency: Urgency::of(highest.unwrap_or_default()),
            stays: true,
            occurrence: None,
            acknowledges: false,
            shows: self.settings.actions,
        }));
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
                let wants_notice =
                    self.ways.notices && self.settings.notify.is_some_and(|least| own.level() >= least);
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
mod tests;
