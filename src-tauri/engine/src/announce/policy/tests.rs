//! H6, as people hear it: never more than ten announcements in ten minutes, nothing lost over that, nothing twice, nothing after its end.

mod world;

use proptest::prelude::*;

use super::*;
use crate::announce::{Told, Tone, Urgency, budget::ANNOUNCED_MAX};
use world::*;

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

/// H6: after a kill in a flood notifications of single alarms may not pop up, and yet what is new is told at once: in the summary, which has room.
#[test]
fn what_is_new_after_a_kill_is_told_at_once() {
    let mut world = World::new(settings(false, None));
    for number in 1..=12 {
        world.start(number, Priority::High);
    }
    world.order(Order::Flood(true));
    world.start(20, Priority::High);
    let heading = |world: &World| world.screen.get(&Slot::Summary).map(|show| show.heading.clone());
    world.restart();
    assert!(heading(&world).is_some_and(|heading| heading.starts_with("13 alarms")), "{:?}", world.screen);
    world.screen.clear();
    world.restart();
    world.start(22, Priority::High);
    assert!(heading(&world).is_some_and(|heading| heading.starts_with("14 alarms")), "{:?}", world.screen);
}

/// H6: a wall that is ended in good order takes away what it has shown, so its next start may tell the rest anew; one that is started again and again
/// tells no more in ten minutes than any other, and what waits for that is told in the end.
#[test]
fn starts_in_a_row_are_no_more_than_a_person_can_take() {
    let mut world = World::new(settings(false, None));
    (world.settings.sound, world.sound) = (None, Mode::Works);
    world.policy.set_settings(world.settings.clone(), Ways { notices: true, sound: false });
    for number in 1..=40 {
        world.start(number, Priority::High);
        world.wait(Duration::from_secs(5));
        if number == 12 {
            world.order(Order::Flood(true));
        }
        if number % 3 == 0 {
            world.screen.clear();
            world.restart();
        }
    }
    assert!((8..=ANNOUNCED_MAX).contains(&world.heard.len()), "{:?}", world.heard);
    world.wait(Duration::from_secs(600));
    assert_eq!(world.announced.len(), 40, "all were told in the end");
    world.start(100, Priority::Critical);
    assert!(world.screen.contains_key(&Slot::Alarm(World::key(100))) || world.screen.contains_key(&Slot::Summary));
}

/// H6: what a killed run has shown is changed in place by the next one, and pops up no second time; what was told by the one for many is in it still.
#[test]
fn what_a_killed_run_has_shown_is_taken_over() {
    let mut world = World::new(settings(false, None));
    world.start(1, Priority::High);
    world.order(Order::Flood(true));
    world.start(2, Priority::High);
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&Slot::Alarm(World::key(1)), &Slot::Summary]);
    let before = world.log.len();
    world.restart();
    assert_eq!(world.screen.keys().collect::<Vec<_>>(), [&Slot::Alarm(World::key(1)), &Slot::Summary]);
    assert!(world.screen.values().all(|show| show.is_update), "{:?}", world.screen);
    assert_eq!(world.log.len(), before + 1, "the tone alone begins");
    world.screen.clear();
    world.restart();
    assert!(world.screen.is_empty(), "what isn't there any more was told");
    world.stop(1);
    world.stop(2);
}
