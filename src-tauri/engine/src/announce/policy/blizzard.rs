//! H6 at its worst, in its own time: the 865 cancellations of the blizzard, each an alarm, decided by the real alarms and told by the policy over two
//! days. In every ten minutes of them a person is told ten times at most, and nothing is left out of the record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{civil::date, tz::TimeZone};
use watchfloor_board::alarm::{
    Act, Alarms, By, Instant, Standing, Terms,
    delay::Turn,
    flood::FloodChange,
    machine::{Evidence, Input, Sound},
};
use watchfloor_demo::{
    dataset::{self, Dataset},
    story::Story,
    timeline::Timeline,
};

use super::*;
use crate::announce::{Show, Told, budget::ANNOUNCED_MAX};

const TEN_MINUTES: Duration = Duration::from_secs(600);
/// What isn't critical is on the screen for so long.
const SHOWN_FOR: Duration = Duration::from_secs(20);

/// When each flight of 8 and 9 February 2013 was cancelled, and whose alarm that is; in order.
fn cancellations() -> Vec<(Timestamp, AlarmKey)> {
    let timeline = Timeline::new(&Dataset::load().expect("the data is part of the program")).expect("the days exist");
    let midnight = |day| dataset::from_new_york(date(2013, 2, day).at(0, 0, 0, 0)).expect("a time of the data");
    let before = |day| midnight(day).minus(Duration::from_millis(1));
    let events = timeline.between(before(8), before(10)).into_iter().filter(|event| event.name == "flight.cancelled");
    let cancelled = events.map(|event| {
        let rule = if event.data["origin"] == "EWR" { "newark" } else { "elsewhere" };
        let of = event.data["key"].as_str().expect("a flight's key");
        (event.time, AlarmKey { rule: rule.into(), of: of.into() })
    });
    cancelled.collect()
}

/// Two days of it.
struct Days {
    alarms: Alarms,
    policy: Policy,
    begin: Timestamp,
    now: Mono,
    screen: BTreeSet<Slot>,
    /// What goes by itself, and when.
    going: VecDeque<(Mono, Slot, u64)>,
    /// When something popped up, or a tone began.
    told: Vec<Mono>,
    marked: BTreeMap<AlarmKey, u32>,
    raised: BTreeMap<AlarmKey, u32>,
    last: Option<Show>,
}

impl Days {
    fn new(begin: Timestamp, sound: Option<Priority>, escalate_after: Option<Duration>) -> Self {
        let settings = Settings {
            quiet: None,
            zone: TimeZone::UTC,
            notify: Some(Priority::Medium),
            sound,
            volume_percent: 80,
            device: None,
            tones: BTreeMap::new(),
            escalate_after,
            actions: true,
        };
        let terms = |priority| Terms { priority, ..Terms::default() };
        let rules = [("newark", Priority::High), ("elsewhere", Priority::Medium)];
        Self {
            alarms: Alarms::new(rules.into_iter().map(|(rule, priority)| (rule.into(), terms(priority))).collect()),
            policy: Policy::new(settings, Ways { notices: true, sound: sound.is_some() }),
            begin,
            now: Mono::from_millis(1000),
            screen: BTreeSet::new(),
            going: VecDeque::new(),
            told: Vec::new(),
            marked: BTreeMap::new(),
            raised: BTreeMap::new(),
            last: None,
        }
    }

    fn at(&self, time: Timestamp) -> Mono {
        Mono::from_millis(1000).plus(time.since(self.begin))
    }

    fn instant(&self) -> Instant {
        Instant { mono: self.now, wall: self.begin.plus(self.now.since(Mono::from_millis(1000))) }
    }

    fn raise(&mut self, key: &AlarmKey, at: Timestamp) {
        let (turn, now) = (Turn { holds: true, at, since: at }, self.instant());
        self.alarms.handle_turn(key, turn, Evidence::Live, Vec::new, now);
        self.take();
    }

    fn acknowledge(&mut self, key: &AlarmKey) {
        let Some(own) = self.alarms.standing().get(key) else { return };
        let (act, now) = (Act::Acknowledge { occurrence: own.alarm.occurrence }, self.instant());
        self.alarms.handle_act(key, &act, By::default(), now).expect("it waits for that");
        self.take();
    }

    /// What was decided goes on record at once, and to the policy.
    fn take(&mut self) {
        let wall = self.instant().wall;
        for change in self.alarms.take_changes() {
            let key = change.key.clone();
            *self.raised.entry(key.clone()).or_default() += u32::from(matches!(change.what, Some(Input::Raise { .. })));
            let order = match change.sound {
                Sound::Start => Order::Start(call(&key, &change.now, wall)),
                Sound::Retune => Order::Retune { key, priority: change.now.priority },
                Sound::Stop => Order::Stop { key },
                Sound::StopHere => Order::StopHere { key },
                Sound::Keep => continue,
            };
            self.policy.handle_order(order, self.now, wall);
        }
        for flood in self.alarms.take_floods() {
            let is_on = matches!(flood, FloodChange::Began { .. });
            self.policy.handle_order(Order::Flood(is_on), self.now, wall);
        }
    }

    /// All that is due at this instant.
    fn pump(&mut self) {
        let wall = self.instant().wall;
        while let Some((_, slot, number)) = due(&mut self.going, |(at, ..)| *at <= self.now) {
            if self.screen.remove(&slot) {
                self.policy.handle_told(&Told::Closed { slot, number }, self.now, wall);
            }
        }
        loop {
            if self.policy.poll_timeout().is_some_and(|due| due <= self.now) {
                self.policy.handle_time(self.now, wall);
            }
            let Some(output) = self.policy.poll_output() else { break };
            let told = match output {
                Output::Show(show) => self.show(show),
                Output::Withdraw(slot) => {
                    self.screen.remove(&slot);
                    Told::Withdrawn { slot }
                }
                Output::Play { number, .. } => {
                    self.told.push(self.now);
                    Told::Heard { number }
                }
                Output::Silence => continue,
            };
            self.policy.handle_told(&told, self.now, wall);
        }
        for announced in std::iter::from_fn(|| self.policy.poll_announced()) {
            *self.marked.entry(announced.key).or_default() += 1;
        }
    }

    fn show(&mut self, show: Show) -> Told {
        let (slot, number) = (show.slot.clone(), show.number);
        if show.is_update && !self.screen.contains(&slot) {
            return Told::Closed { slot, number };
        }
        if self.screen.insert(slot.clone()) {
            self.told.push(self.now);
        }
        self.going.retain(|(_, own, _)| *own != slot);
        if !show.stays {
            self.going.push_back((self.now.plus(SHOWN_FOR), slot.clone(), number));
        }
        if slot == Slot::Summary {
            self.last = Some(show);
        }
        Told::Shown { slot, number }
    }

    /// Time passes up to then, and stops at all that is due on the way.
    fn pass(&mut self, until: Mono) {
        loop {
            self.pump();
            let dues = [self.policy.poll_timeout(), self.alarms.poll_timeout(), self.going.front().map(|(at, ..)| *at)];
            let Some(next) = dues.into_iter().flatten().min().filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            let now = self.instant();
            self.alarms.handle_time(now);
            self.take();
        }
        self.now = until;
    }

    /// The most that was told within any ten minutes.
    fn most(&self) -> usize {
        let within =
            |from: &Mono| self.told.iter().filter(|at| *from <= **at && at.since(*from) <= TEN_MINUTES).count();
        self.told.iter().map(within).max().unwrap_or(0)
    }
}

/// The first, if it is due.
fn due<T>(waiting: &mut VecDeque<T>, is_due: impl Fn(&T) -> bool) -> Option<T> {
    waiting.front().is_some_and(is_due).then(|| waiting.pop_front()).flatten()
}

fn call(key: &AlarmKey, own: &Standing, wall: Timestamp) -> Call {
    Call {
        key: key.clone(),
        occurrence: own.alarm.occurrence,
        realarms: own.alarm.realarms,
        priority: own.priority,
        title: "Cancelled".into(),
        advice: None,
        cause: String::new(),
        raised: own.raised,
        decided: wall,
        is_repeat: false,
    }
}

/// Somebody acknowledges each after so long, or nobody any.
fn two_days(acknowledged_after: Option<Duration>, sound: Option<Priority>, escalate_after: Option<Duration>) -> Days {
    let cancelled = cancellations();
    assert_eq!(cancelled.len(), 865);
    let mut days = Days::new(cancelled[0].0, sound, escalate_after);
    let mut acts: VecDeque<(Mono, AlarmKey)> = VecDeque::new();
    for (time, key) in &cancelled {
        let at = days.at(*time);
        while let Some((then, own)) = due(&mut acts, |(then, _)| *then <= at) {
            days.pass(then);
            days.acknowledge(&own);
        }
        days.pass(at);
        days.raise(key, *time);
        acts.extend(acknowledged_after.map(|after| (at.plus(after), key.clone())));
    }
    for (then, own) in acts {
        days.pass(then);
        days.acknowledge(&own);
    }
    days.pass(days.now.plus(TEN_MINUTES));
    assert!(days.raised.len() == 865 && days.raised.values().all(|count| *count == 1), "each is on record once");
    assert!(days.marked.values().all(|count| *count == 1), "none was announced twice");
    // Who has acknowledged one on the wall before there was room for it needn't be told.
    assert!(acknowledged_after.is_some() || days.marked.len() == 865, "{} were announced", days.marked.len());
    assert!(days.most() <= ANNOUNCED_MAX, "{} announcements in ten minutes", days.most());
    assert!(days.told.len() > 10, "it was told at all");
    days
}

#[test]
fn the_blizzard_is_no_more_than_a_person_can_take() {
    let days = two_days(None, None, None);
    let heading = days.last.map(|show| show.heading).unwrap_or_default();
    assert_eq!(heading, "865 alarms, 310 high: look at the wall", "nobody has acknowledged any");
    assert_eq!(days.alarms.standing().len(), 865);
}

#[test]
fn nor_is_it_where_each_is_dealt_with_by_and_by() {
    for minutes in [1, 3, 10, 45] {
        let days = two_days(Some(Duration::from_secs(minutes * 60)), None, None);
        assert!(days.screen.is_empty(), "all are acknowledged: {:?}", days.screen);
    }
}

#[test]
fn nor_is_it_with_tones_and_escalation() {
    for acknowledged in [None, Some(Duration::from_secs(240))] {
        two_days(acknowledged, Some(Priority::Medium), None);
        two_days(acknowledged, Some(Priority::Medium), Some(Duration::from_secs(300)));
    }
}
