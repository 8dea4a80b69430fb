//! H6, as people hear it: never more than ten announcements in ten minutes, nothing lost over that, nothing twice, nothing after its end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use proptest::prelude::*;
use watchfloor_board::hours::Hours;

use super::{tones::CHIME, *};
use crate::announce::{Show, Told, Tone, Urgency, budget::ANNOUNCED_MAX};

/// Half past nine in the evening.
const BEGIN: i64 = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000 + 77_400_000;

fn settings(quiet: bool, escalate: Option<u64>) -> Settings {
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
enum Mode {
    Works,
    Fails,
    SaysNothing,
}

/// A call as a person would keep it in mind.
#[derive(Clone, Debug)]
struct Kept {
    priority: Priority,
    occurrence: u64,
    realarms: u32,
    is_shown: bool,
    /// It was the third call of its key within a minute, or one after that.
    chatters: bool,
}

/// A desktop and a sound device, and what a person should have heard of them.
struct World {
    policy: Policy,
    settings: Settings,
    now: Mono,
    desktop: Mode,
    sound: Mode,
    screen: BTreeMap<Slot, Show>,
    tone: Option<Tone>,
    chimes_until: Mono,
    /// When something popped up, or a tone began.
    log: Vec<Mono>,
    calls: BTreeMap<AlarmKey, Kept>,
    /// How often each announcement popped up by itself, and how often it may have.
    pops: BTreeMap<(AlarmKey, u64, u32), (u32, u32)>,
    announced: Vec<Announced>,
    occurrence: u64,
    /// When each key called.
    came: BTreeMap<AlarmKey, Vec<Mono>>,
    /// When each key last popped up by its name, and when a tone last began for it.
    popped: BTreeMap<AlarmKey, Mono>,
    sounded: BTreeMap<AlarmKey, Mono>,
    /// What a run before this one left on the screen, and nobody has said anything about yet.
    left: BTreeSet<Slot>,
}

impl World {
    fn new(settings: Settings) -> Self {
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
            calls: BTreeMap::new(),
            pops: BTreeMap::new(),
            announced: Vec::new(),
            occurrence: 0,
            came: BTreeMap::new(),
            popped: BTreeMap::new(),
            sounded: BTreeMap::new(),
            left: BTreeSet::new(),
        }
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(BEGIN).plus(self.now.since(Mono::ZERO))
    }

    fn is_quiet(&self) -> bool {
        self.settings.is_quiet(self.wall())
    }

    fn key(key: u8) -> AlarmKey {
        AlarmKey::of_rule(&format!("alarm-{key}"))
    }

    fn call(&self, key: u8, kept: &Kept, is_repeat: bool) -> Call {
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

    fn order(&mut self, order: Order) {
        let wall = self.wall();
        self.policy.handle_order(order, self.now, wall);
        self.pump();
    }

    fn start(&mut self, key: u8, priority: Priority) {
        self.occurrence += 1;
        let kept = Kept { priority, occurrence: self.occurrence, realarms: 0, is_shown: false, chatters: false };
        self.begin(key, kept);
    }

    fn begin(&mut self, key: u8, mut kept: Kept) {
        let call = self.call(key, &kept, false);
        let came = self.came.entry(call.key.clone()).or_default();
        came.push(self.now);
        kept.chatters = came.iter().filter(|at| self.now.since(**at) <= Duration::from_secs(60)).count() >= 3;
        let may = 1 + u32::from(self.settings.escalate_after.is_some());
        self.pops.insert((call.key.clone(), kept.occurrence, kept.realarms), (0, may));
        self.calls.insert(call.key.clone(), kept);
        self.order(Order::Start(call));
    }

    fn stop(&mut self, key: u8) {
        self.calls.remove(&Self::key(key));
        self.order(Order::Stop { key: Self::key(key) });
    }

    /// The program is killed, and started again: what it has shown is still there, and what was marked is known.
    fn restart(&mut self) {
        self.policy = Policy::new(self.settings.clone(), Ways { notices: true, sound: true });
        (self.tone, self.log) = (None, Vec::new());
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

    fn tell(&mut self, told: &Told) {
        let wall = self.wall();
        self.policy.handle_told(told, self.now, wall);
        self.pump();
    }

    /// Lets the policy do what is due, and does what it says.
    fn pump(&mut self) {
        self.pump_once();
        self.check();
    }

    fn pump_once(&mut self) {
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
    }

    fn put_out(&mut self, output: Output) -> Option<Told> {
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
                    self.log.push(self.now);
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
                        self.log.push(self.now);
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

    /// Quiet hours keep back all but what is critical.
    fn check_quiet(&self, show: &Show) {
        if !self.is_quiet() {
            return;
        }
        let is_critical = |own: &Kept| own.priority == Priority::Critical;
        match &show.slot {
            Slot::Alarm(key) => assert!(self.calls.get(key).is_some_and(is_critical), "{show:?} in quiet hours"),
            _ => assert!(self.calls.values().any(is_critical), "{show:?} in quiet hours"),
        }
    }

    fn check(&self) {
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
    fn wait(&mut self, span: Duration) {
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
    fn settle(&mut self) {
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
enum Op {
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

fn op() -> impl Strategy<Value = Op> {
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

fn apply(world: &mut World, op: &Op) {
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

fn close(world: &mut World, slot: &Slot) {
    if let Some(show) = world.screen.remove(slot) {
        world.tell(&Told::Closed { slot: slot.clone(), number: show.number });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever happens to alarms, desktop and sound: at most ten in any ten minutes, nothing lost, nothing twice, nothing after its end, and
    /// quiet hours that keep back all but what is critical.
    #[test]
    fn people_hear_of_everything_and_never_too_often(
        ops in proptest::collection::vec(op(), 1..120),
        quiet in any::<bool>(),
        escalate in prop_oneof![Just(None), Just(Some(30)), Just(Some(600))],
    ) {
        let mut world = World::new(settings(quiet, escalate));
        for op in &ops {
            apply(&mut world, op);
        }
        world.settle();
    }

    /// What is critical is told at once, in quiet hours and floods as well, whatever less urgent was told before.
    #[test]
    fn nothing_less_urgent_takes_the_room_of_what_is_critical(
        before in proptest::collection::vec((0_u8..60, 0_usize..3, 0_u64..90_000), 0..80),
        flood in any::<bool>(),
        hours in 0_u64..12,
    ) {
        let mut world = World::new(settings(true, None));
        world.wait(Duration::from_secs(hours * 3600));
        world.order(Order::Flood(flood));
        for (key, priority, wait) in before {
            world.start(key, [Priority::Low, Priority::Medium, Priority::High][priority]);
            world.wait(Duration::from_millis(wait));
        }
        world.start(200, Priority::Critical);
        // Where nothing but the one for many has room, it is told by that.
        let by = |slot: Slot| world.screen.contains_key(&slot);
        prop_assert!(by(Slot::Alarm(World::key(200))) || by(Slot::Summary), "it is shown");
        prop_assert_eq!(world.tone, Some(Tone::Continuous), "and heard");
        world.stop(200);
        prop_assert!(world.tone != Some(Tone::Continuous));
    }
}

/// The storm of 865 cancellations in two days, and the same in an hour: what a person hears stays within what he can take.
#[test]
fn a_storm_is_told_by_one_notification() {
    for every in [200, 4] {
        let mut world = World::new(settings(false, None));
        for number in 0..865_u32 {
            world.occurrence += 1;
            let kept = Kept {
                priority: Priority::High,
                occurrence: world.occurrence,
                realarms: 0,
                is_shown: false,
                chatters: false,
            };
            let key = AlarmKey { rule: "cancelled".into(), of: number.to_string().into() };
            let call = Call { key: key.clone(), ..world.call(0, &kept, false) };
            world.pops.insert((key.clone(), kept.occurrence, 0), (0, 1));
            world.calls.insert(key, kept);
            world.order(Order::Start(call));
            world.wait(Duration::from_secs(every));
        }
        if every < 60 {
            let said = &world.screen[&Slot::Summary].heading;
            assert!(said.starts_with("86") && said.ends_with("high: look at the wall"), "{said}");
        }
        world.settle();
        assert_eq!(world.announced.len(), 865, "all are on record as told");
    }
}

#[test]
fn tones_follow_what_is_most_urgent() {
    let mut world = World::new(settings(false, None));
    world.start(1, Priority::Low);
    assert_eq!((world.tone, world.screen.len()), (None, 0), "low is for the glass");
    assert_eq!(world.announced.pop().map(|own| own.how), Some(How::Glass));
    world.start(2, Priority::Medium);
    assert_eq!(world.tone, Some(Tone::Chime));
    assert_eq!(world.announced.pop().map(|own| own.how), Some(How::Sound));
    world.tone = None;
    world.wait(Duration::from_secs(5));
    assert_eq!(world.tone, None, "once");
    world.start(3, Priority::High);
    assert_eq!(world.tone, Some(Tone::Pulses));
    world.start(4, Priority::Critical);
    assert_eq!(world.tone, Some(Tone::Continuous));
    world.start(5, Priority::High);
    assert_eq!(world.tone, Some(Tone::Continuous), "no stacking");
    let began = world.log.len();
    world.order(Order::StopHere { key: World::key(4) });
    assert_eq!(world.tone, Some(Tone::Pulses), "silenced here; the other goes on");
    assert_eq!(world.log.len(), began + 1);
    world.wait(Duration::from_secs(601));
    assert_eq!(world.tone, Some(Tone::Continuous), "silence doesn't last");
    for key in [4, 3, 5] {
        world.stop(key);
    }
    assert_eq!(world.tone, None);
}

#[test]
fn what_nobody_acknowledges_is_told_more_urgently() {
    let mut world = World::new(settings(false, Some(120)));
    world.start(1, Priority::Medium);
    world.tone = None;
    assert!(world.screen.is_empty(), "medium has no notification here");
    world.wait(Duration::from_secs(121));
    assert_eq!(world.tone, Some(Tone::Pulses));
    let show = world.screen[&Slot::Alarm(World::key(1))].clone();
    assert!(show.rest.starts_with("Nobody has acknowledged it yet."), "{show:?}");
    world.stop(1);
    world.start(2, Priority::Critical);
    assert_eq!(world.screen[&Slot::Alarm(World::key(2))].urgency, Urgency::Critical);
    world.wait(Duration::from_secs(121));
    assert_eq!(world.tone, Some(Tone::Urgent), "louder");
    world.stop(2);
    assert_eq!((world.tone, world.screen.len()), (None, 0));
}

#[test]
fn the_end_of_quiet_hours_tells_what_still_stands() {
    let mut world = World::new(settings(true, None));
    world.wait(Duration::from_secs(3600));
    world.start(1, Priority::High);
    world.start(2, Priority::High);
    world.start(3, Priority::Medium);
    world.start(4, Priority::Critical);
    assert_eq!(world.tone, Some(Tone::Continuous));
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&Slot::Alarm(World::key(4))]);
    world.stop(4);
    world.stop(2);
    assert_eq!((world.tone, world.screen.len()), (None, 0));
    world.wait(Duration::from_secs(9 * 3600));
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&Slot::Summary]);
    assert_eq!(world.screen[&Slot::Summary].heading, "1 alarm, 1 high: look at the wall");
    assert_eq!(world.tone, Some(Tone::Pulses));
}

/// H6: what a crash may have told is told as that, what is marked isn't told anew, and a tone that repeats goes on.
#[test]
fn a_restart_tells_nothing_twice() {
    let mut world = World::new(settings(false, None));
    let kept = Kept { priority: Priority::High, occurrence: 7, realarms: 0, is_shown: true, chatters: false };
    world.calls.insert(World::key(1), kept.clone());
    let call = world.call(1, &kept, false);
    world.order(Order::Resume { call, by: None });
    assert!(world.screen.is_empty() && world.announced.is_empty());
    assert_eq!(world.tone, Some(Tone::Pulses), "it goes on");
    world.calls.insert(World::key(2), kept.clone());
    world.pops.insert((World::key(2), 7, 0), (0, 1));
    let call = world.call(2, &kept, true);
    world.order(Order::Start(call.clone()));
    let rest = &world.screen[&Slot::Alarm(World::key(2))].rest;
    assert!(rest.ends_with("It may have been told before the wall was started again."), "{rest}");
    world.stop(2);
    world.calls.insert(World::key(2), kept);
    world.order(Order::Start(Call { is_repeat: false, ..call }));
    assert!(world.screen.is_empty(), "told by now");
    world.calls.remove(&World::key(2));
}

/// What a desktop swallows is tried again, later each time, and not for ever.
#[test]
fn a_desktop_that_swallows_is_not_flooded() {
    let mut world = World::new(settings(false, None));
    world.start(1, Priority::Critical);
    world.pops.values_mut().for_each(|(_, may)| *may = SWALLOWED_MAX);
    for _ in 0..10 {
        let slot = Slot::Alarm(World::key(1));
        if let Some(show) = world.screen.remove(&slot) {
            world.tell(&Told::Swallowed { slot, number: show.number });
        }
        world.wait(Duration::from_secs(61));
    }
    let (count, _) = world.pops[&(World::key(1), 1, 0)];
    assert_eq!(count, SWALLOWED_MAX);
}

/// An alarm that comes back is told by its name, in its own place; one that chatters is told and heard at most once a minute, by its name too.
#[test]
fn what_comes_back_keeps_its_name() {
    let mut world = World::new(settings(false, None));
    let seconds = Duration::from_secs;
    let own = Slot::Alarm(World::key(1));
    for _ in 0..2 {
        world.start(1, Priority::High);
        assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&own]);
        assert_eq!(world.tone, Some(Tone::Pulses));
        world.wait(seconds(5));
        world.stop(1);
        world.wait(seconds(5));
    }
    let told = world.log.len();
    world.start(1, Priority::High);
    assert!(world.screen.is_empty() && world.tone.is_none(), "the third within a minute: it chatters");
    world.wait(seconds(49));
    assert_eq!(world.log.len(), told);
    world.wait(seconds(3));
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&own], "a minute after it was told");
    assert_eq!(world.tone, Some(Tone::Pulses));
    world.stop(1);
    world.wait(seconds(700));
    world.start(1, Priority::High);
    assert_eq!((world.screen.len(), world.tone), (1, Some(Tone::Pulses)), "it doesn't any more");
    world.stop(1);
}

/// H6: what a killed run has shown is changed in place by the next one, and pops up no second time; what was told by the one for many is in it still.
#[test]
fn what_a_killed_run_has_shown_is_taken_over() {
    let mut world = World::new(settings(false, None));
    world.start(1, Priority::High);
    world.order(Order::Flood(true));
    world.start(2, Priority::High);
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&Slot::Alarm(World::key(1)), &Slot::Summary]);
    world.restart();
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&Slot::Alarm(World::key(1)), &Slot::Summary]);
    assert!(world.screen.values().all(|show| show.is_update), "{:?}", world.screen);
    assert_eq!(world.log.len(), 1, "the tone alone begins");
    world.screen.clear();
    world.restart();
    assert!(world.screen.is_empty(), "what isn't there any more was told");
    world.stop(1);
    world.stop(2);
}
