//! A desktop, a sound device and a person before them, who knows what should be heard.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use proptest::prelude::*;
use watchfloor_board::hours::Hours;

use super::super::{tones::CHIME, *};
use crate::announce::{
    Show, Told, Tone, Urgency,
    budget::{ANNOUNCED_MAX, RESUMED_MAX},
};

/// Half past nine in the evening.
pub(super) const BEGIN: i64 = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000 + 77_400_000;

pub(super) fn settings(quiet: bool, escalate: Option<u64>) -> Settings {
    Settings {
        quiet: if quiet { Hours::new(22 * 60, 6 * 60, [true; 7]) } else { None },
        zone: TimeZone::UTC,
        notify: Some(Priority::High),
        sound: Some(Priority::Medium),
        volume_percent: 80,
        device: None,
        tones: BTreeMap::new(),
        escalate_after: escalate.map(Duration::from_secs),
        actions: true,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Works,
    Fails,
    SaysNothing,
}

/// A call as a person would keep it in mind.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) priority: Priority,
    pub(super) occurrence: u64,
    pub(super) realarms: u32,
    pub(super) is_shown: bool,
    /// It was the third call of its key within a minute, or one after that.
    pub(super) chatters: bool,
}

/// A desktop and a sound device, and what a person should have heard of them.
pub(super) struct World {
    pub(super) policy: Policy,
    pub(super) settings: Settings,
    pub(super) now: Mono,
    pub(super) desktop: Mode,
    pub(super) sound: Mode,
    pub(super) screen: BTreeMap<Slot, Show>,
    pub(super) tone: Option<Tone>,
    pub(super) chimes_until: Mono,
    /// When something popped up, or a tone began.
    pub(super) log: Vec<Mono>,
    /// The same, whatever was restarted meanwhile.
    pub(super) heard: Vec<Mono>,
    pub(super) calls: BTreeMap<AlarmKey, Kept>,
    /// How often each announcement popped up by itself, and how often it may have.
    pub(super) pops: BTreeMap<(AlarmKey, u64, u32), (u32, u32)>,
    pub(super) announced: Vec<Announced>,
    pub(super) occurrence: u64,
    /// When each key called.
    pub(super) came: BTreeMap<AlarmKey, Vec<Mono>>,
    /// When each key last popped up by its name, and when a tone last began for it.
    pub(super) popped: BTreeMap<AlarmKey, Mono>,
    pub(super) sounded: BTreeMap<AlarmKey, Mono>,
    /// What a run before this one left on the screen, and nobody has said anything about yet.
    pub(super) left: BTreeSet<Slot>,
    /// When something was told, as it would be noted in the journal.
    pub(super) told: Vec<Mono>,
    pub(super) is_flood: bool,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            policy: Policy::new(settings.clone(), Ways { notices: true, sound: true }),
            settings,
            now: Mono::from_millis(1000),
            desktop: Mode::Works,
            sound: Mode::Works,
            screen: BTreeMap::new(),
            tone: None,
            chimes_until: Mono::ZERO,
            log: Vec::new(),
            heard: Vec::new(),
            calls: BTreeMap::new(),
            pops: BTreeMap::new(),
            announced: Vec::new(),
            occurrence: 0,
            came: BTreeMap::new(),
            popped: BTreeMap::new(),
            sounded: BTreeMap::new(),
            left: BTreeSet::new(),
            told: Vec::new(),
            is_flood: false,
        }
    }

    pub(super) fn wall(&self) -> Timestamp {
        Timestamp::from_millis(BEGIN).plus(self.now.since(Mono::ZERO))
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.settings.is_quiet(self.wall())
    }

    pub(super) fn key(key: u8) -> AlarmKey {
        AlarmKey::of_rule(&format!("alarm-{key}"))
    }

    pub(super) fn call(&self, key: u8, kept: &Kept, is_repeat: bool) -> Call {
        Call {
            key: Self::key(key),
            occurrence: kept.occurrence,
            realarms: kept.realarms,
            priority: kept.priority,
            title: format!("Alarm {key}"),
            advice: None,
            cause: String::new(),
            raised: None,
            decided: self.wall(),
            is_repeat,
        }
    }

    pub(super) fn order(&mut self, order: Order) {
        let wall = self.wall();
        if let Order::Flood(is_on) = order {
            self.is_flood = is_on;
        }
        self.policy.handle_order(order, self.now, wall);
        self.pump();
    }

    pub(super) fn start(&mut self, key: u8, priority: Priority) {
        self.occurrence += 1;
        let kept = Kept { priority, occurrence: self.occurrence, realarms: 0, is_shown: false, chatters: false };
        self.begin(key, kept);
    }

    pub(super) fn begin(&mut self, key: u8, mut kept: Kept) {
        let call = self.call(key, &kept, false);
        let came = self.came.entry(call.key.clone()).or_default();
        came.push(self.now);
        kept.chatters = came.iter().filter(|at| self.now.since(**at) <= Duration::from_secs(60)).count() >= 3;
        let may = 1 + u32::from(self.settings.escalate_after.is_some());
        self.pops.insert((call.key.clone(), kept.occurrence, kept.realarms), (0, may));
        self.calls.insert(call.key.clone(), kept);
        self.order(Order::Start(call));
    }

    pub(super) fn stop(&mut self, key: u8) {
        self.calls.remove(&Self::key(key));
        self.order(Order::Stop { key: Self::key(key) });
    }

    /// The program is killed, and started again: what it has shown is still there, and what was marked is known, as is when something was told. What
    /// was heard before counts on: a restart allows the summary and what is critical, and nothing more.
    pub(super) fn restart(&mut self) {
        self.policy = Policy::new(self.settings.clone(), Ways { notices: true, sound: true });
        self.policy.resume(self.told.clone(), self.now);
        self.tone = None;
        self.log.drain(..self.log.len().saturating_sub(RESUMED_MAX));
        (self.came, self.popped, self.sounded) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        self.left = self.screen.keys().cloned().collect();
        let mut orders = Vec::new();
        for (key, kept) in &mut self.calls {
            kept.chatters = false;
            let id = (key.clone(), kept.occurrence, kept.realarms);
            let marked = self.announced.iter().find(|own| (own.key.clone(), own.occurrence, own.realarms) == id);
            let by = marked.map(|own| own.how.name().to_owned());
            let number = key.rule.strip_prefix("alarm-").and_then(|own| own.parse().ok()).expect("a number");
            // What was told is told; what perhaps was is once more.
            kept.is_shown |= marked.is_some();
            if let Some((_, may)) = self.pops.get_mut(&id) {
                // For how long nobody has acknowledged it is counted from the start on.
                *may += u32::from(marked.is_none()) + u32::from(self.settings.escalate_after.is_some());
            }
            orders.push((number, kept.clone(), marked.is_some(), by));
        }
        let wall = self.wall();
        self.policy.handle_order(Order::Flood(self.is_flood), self.now, wall);
        for (number, kept, is_marked, by) in orders {
            let call = self.call(number, &kept, !is_marked);
            let order = if is_marked { Order::Resume { call, by } } else { Order::Start(call) };
            self.policy.handle_order(order, self.now, wall);
        }
        self.pump_once();
        for slot in std::mem::take(&mut self.left) {
            self.screen.remove(&slot);
        }
        self.pump();
    }

    pub(super) fn tell(&mut self, told: &Told) {
        let wall = self.wall();
        self.policy.handle_told(told, self.now, wall);
        self.pump();
    }

    /// Lets the policy do what is due, and does what it says.
    pub(super) fn pump(&mut self) {
        self.pump_once();
        self.check();
    }

    pub(super) fn pump_once(&mut self) {
        loop {
            let wall = self.wall();
            if self.policy.poll_timeout().is_some_and(|due| due <= self.now) {
                self.policy.handle_time(self.now, wall);
            }
            let Some(output) = self.policy.poll_output() else { break };
            let told = self.put_out(output);
            if let Some(told) = told {
                self.policy.handle_told(&told, self.now, wall);
            }
        }
        self.announced.extend(std::iter::from_fn(|| self.policy.poll_announced()));
        if let Some(told) = self.policy.take_told() {
            self.told = told;
        }
    }

    pub(super) fn put_out(&mut self, output: Output) -> Option<Told> {
        match output {
            Output::Show(show) => {
                let (slot, number) = (show.slot.clone(), show.number);
                // A change that failed, or wasn't answered, is told anew: nobody knows what is on the screen then.
                if let (Slot::Alarm(key), true) = (&slot, show.is_update && !matches!(self.desktop, Mode::Works))
                    && let Some(kept) = self.calls.get(key)
                    && let Some((_, may)) = self.pops.get_mut(&(key.clone(), kept.occurrence, kept.realarms))
                {
                    *may += 1;
                }
                match self.desktop {
                    Mode::SaysNothing => return None,
                    Mode::Fails => return Some(Told::NotShown { slot, number }),
                    Mode::Works => {}
                }
                if show.is_update && !self.screen.contains_key(&slot) {
                    return Some(Told::Closed { slot, number });
                }
                self.left.remove(&slot);
                if !show.is_update {
                    self.hear(show.urgency == Urgency::Critical);
                    self.check_quiet(&show);
                }
                match &slot {
                    Slot::Alarm(key) => {
                        let kept = self.calls.get_mut(key).expect("what is shown calls");
                        assert_eq!(show.occurrence, Some(kept.occurrence), "of this occurrence");
                        kept.is_shown = true;
                        assert_eq!(show.acknowledges, kept.priority != Priority::Critical);
                        if !show.is_update {
                            let before = self.popped.insert(key.clone(), self.now);
                            let is_soon = before.is_some_and(|at| self.now.since(at) <= Duration::from_secs(60));
                            assert!(!kept.chatters || !is_soon, "{key} chatters, and pops up twice within a minute");
                            let id = (key.clone(), kept.occurrence, kept.realarms);
                            let (count, may) = self.pops.get_mut(&id).expect("known");
                            *count += 1;
                            assert!(*count <= *may, "{id:?} popped up {count} times");
                        }
                    }
                    Slot::Summary => {
                        let is_quiet = self.is_quiet();
                        for kept in self.calls.values_mut() {
                            kept.is_shown |= !is_quiet || kept.priority == Priority::Critical;
                        }
                    }
                    Slot::Source(_) => panic!("no source is told of here"),
                }
                self.screen.insert(slot.clone(), show);
                Some(Told::Shown { slot, number })
            }
            Output::Withdraw(slot) => {
                self.screen.remove(&slot);
                None
            }
            Output::Play { tone, number } => {
                // Whatever becomes of it, the one before is over.
                self.tone = None;
                match self.sound {
                    Mode::SaysNothing => None,
                    Mode::Fails => Some(Told::NotHeard { number }),
                    Mode::Works => {
                        self.hear(tone.level() == Priority::Critical);
                        self.tone = Some(tone);
                        let keys = self.policy.playing.as_ref().map(|own| own.keys().clone()).unwrap_or_default();
                        for key in keys {
                            let before = self.sounded.insert(key.clone(), self.now);
                            let is_soon = before.is_some_and(|at| self.now.since(at) <= Duration::from_secs(60));
                            let chatters = self.calls.get(&key).is_some_and(|own| own.chatters);
                            assert!(!chatters || !is_soon, "{key} chatters, and sounds twice within a minute");
                        }
                        self.chimes_until = self.now.plus(CHIME);
                        assert!(!self.is_quiet() || self.calls.values().any(|own| own.priority == Priority::Critical));
                        Some(Told::Heard { number })
                    }
                }
            }
            Output::Silence => {
                self.tone = None;
                None
            }
        }
    }

    /// Something pops up, or a tone begins. What isn't critical is no eleventh within ten minutes, however often there was a start.
    fn hear(&mut self, is_critical: bool) {
        self.log.push(self.now);
        self.heard.push(self.now);
        let count = self.heard.iter().filter(|at| self.now.since(**at) <= Duration::from_secs(600)).count();
        assert!(is_critical || count <= ANNOUNCED_MAX, "the {count}th within ten minutes: {:?}", self.heard);
    }

    /// Quiet hours keep back all but what is critical.
    pub(super) fn check_quiet(&self, show: &Show) {
        if !self.is_quiet() {
            return;
        }
        let is_critical = |own: &Kept| own.priority == Priority::Critical;
        match &show.slot {
            Slot::Alarm(key) => assert!(self.calls.get(key).is_some_and(is_critical), "{show:?} in quiet hours"),
            _ => assert!(self.calls.values().any(is_critical), "{show:?} in quiet hours"),
        }
    }

    pub(super) fn check(&self) {
        for (at, last) in self.log.iter().zip(self.log.iter().skip(ANNOUNCED_MAX)) {
            assert!(last.since(*at) > Duration::from_secs(600), "more than ten from {at:?} to {last:?}");
        }
        for slot in self.screen.keys() {
            if let Slot::Alarm(key) = slot {
                assert!(self.calls.contains_key(key), "{key} is shown after its end");
            }
        }
        if self.calls.is_empty() {
            assert!(self.screen.is_empty(), "{:?} after the end of all", self.screen);
            // A chime ends by itself.
            let is_heard = |tone: &Tone| *tone != Tone::Chime || self.now < self.chimes_until;
            assert_eq!(self.tone.filter(is_heard), None, "heard after the end of all");
        }
        if let Some(Tone::Continuous | Tone::Urgent) = self.tone {
            let may = |own: &Kept| own.priority == Priority::Critical || self.settings.escalate_after.is_some();
            assert!(self.calls.values().any(may), "the most urgent tone for nothing");
        }
        if self.tone == Some(Tone::Pulses) {
            let may = |own: &Kept| own.priority >= Priority::High || self.settings.escalate_after.is_some();
            assert!(self.calls.values().any(may), "an urgent tone for nothing");
        }
    }

    /// Lets time pass, with every deadline on the way.
    pub(super) fn wait(&mut self, span: Duration) {
        let end = self.now.plus(span);
        loop {
            let due = self.policy.poll_timeout().unwrap_or(Mono::NEVER);
            if due > end {
                break;
            }
            self.now = due.max(self.now);
            let before = self.policy.poll_timeout();
            self.pump();
            assert!(self.policy.poll_timeout() != before || before.is_none_or(|due| due > self.now), "it stands still");
        }
        self.now = end;
        self.pump();
    }

    /// Everything that calls was told in the end, and is marked once.
    pub(super) fn settle(&mut self) {
        (self.desktop, self.sound) = (Mode::Works, Mode::Works);
        self.order(Order::Flood(false));
        // Past the quiet hours of a night, and the longest wait for room.
        self.wait(Duration::from_secs(10 * 3600));
        for (key, kept) in &self.calls {
            assert!(kept.is_shown || kept.priority < Priority::High, "{key} was never shown: {kept:?}");
            let marks = self
                .announced
                .iter()
                .filter(|own| (&own.key, own.occurrence, own.realarms) == (key, kept.occurrence, kept.realarms));
            assert_eq!(marks.count(), 1, "{key} {kept:?}");
        }
        for (at, one) in self.announced.iter().enumerate() {
            let is_same = |other: &Announced| {
                (&other.key, other.occurrence, other.realarms) == (&one.key, one.occurrence, one.realarms)
            };
            assert!(!self.announced.iter().skip(at + 1).any(is_same), "{one:?} was marked twice");
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Start(u8, Priority),
    Again(u8),
    Repeat(u8, bool),
    Stop(u8),
    Silence(u8),
    Ease(u8),
    Flood(bool),
    Desktop(Mode),
    Sound(Mode),
    Dismiss(u8),
    DismissSummary,
    DesktopDies,
    DeviceGoes,
    Restart,
    Wait(u64),
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let priority = prop_oneof![
        1 => Just(Priority::Low),
        1 => Just(Priority::Medium),
        3 => Just(Priority::High),
        2 => Just(Priority::Critical)
    ];
    let mode = || prop_oneof![3 => Just(Mode::Works), 1 => Just(Mode::Fails), 1 => Just(Mode::SaysNothing)];
    let key = || 0_u8..16;
    prop_oneof![
        10 => (key(), priority).prop_map(|(key, priority)| Op::Start(key, priority)),
        2 => key().prop_map(Op::Again),
        1 => (key(), any::<bool>()).prop_map(|(key, is_repeat)| Op::Repeat(key, is_repeat)),
        4 => key().prop_map(Op::Stop),
        1 => key().prop_map(Op::Silence),
        1 => key().prop_map(Op::Ease),
        1 => any::<bool>().prop_map(Op::Flood),
        1 => mode().prop_map(Op::Desktop),
        1 => mode().prop_map(Op::Sound),
        1 => key().prop_map(Op::Dismiss),
        1 => Just(Op::DismissSummary),
        1 => Just(Op::DesktopDies),
        1 => Just(Op::DeviceGoes),
        1 => Just(Op::Restart),
        8 => prop_oneof![0_u64..2000, 0_u64..120_000, 0_u64..7_200_000].prop_map(Op::Wait),
    ]
}

pub(super) fn apply(world: &mut World, op: &Op) {
    match op {
        Op::Start(key, priority) => world.start(*key, *priority),
        Op::Again(key) => {
            if let Some(kept) = world.calls.get(&World::key(*key)).cloned() {
                world.begin(*key, Kept { realarms: kept.realarms + 1, is_shown: false, ..kept });
            }
        }
        Op::Repeat(key, is_repeat) => {
            if let Some(kept) = world.calls.get(&World::key(*key)).cloned() {
                let call = world.call(*key, &kept, *is_repeat);
                world.order(Order::Start(call));
            }
        }
        Op::Stop(key) => world.stop(*key),
        Op::Silence(key) => world.order(Order::StopHere { key: World::key(*key) }),
        Op::Ease(key) => {
            let key = World::key(*key);
            if let Some(kept) = world.calls.get_mut(&key)
                && kept.priority > Priority::Medium
            {
                kept.priority = Priority::High;
                world.order(Order::Retune { key, priority: Priority::High });
            }
        }
        Op::Flood(is_on) => world.order(Order::Flood(*is_on)),
        Op::Desktop(mode) => world.desktop = *mode,
        Op::Sound(mode) => world.sound = *mode,
        Op::Dismiss(key) => close(world, &Slot::Alarm(World::key(*key))),
        Op::DismissSummary => close(world, &Slot::Summary),
        Op::DesktopDies => {
            world.screen.clear();
            world.pops.values_mut().for_each(|(_, may)| *may += 1);
            world.tell(&Told::Desktop);
        }
        Op::DeviceGoes => {
            if world.tone.take().is_some()
                && let Some(number) = world.policy.playing.as_ref().map(Playing::number)
            {
                world.tell(&Told::NotHeard { number });
            }
        }
        Op::Restart => world.restart(),
        Op::Wait(millis) => world.wait(Duration::from_millis(*millis)),
    }
}

pub(super) fn close(world: &mut World, slot: &Slot) {
    if let Some(show) = world.screen.remove(slot) {
        world.tell(&Told::Closed { slot: slot.clone(), number: show.number });
    }
}
