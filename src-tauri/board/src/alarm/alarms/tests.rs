//! All alarms of a board, by stories and by properties: what is announced once, what survives a crash, what is put aside (H4, H6).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use watchfloor_model::{Mono, Timestamp};

use super::{AlarmKey, Alarms, Change, Instant, Priority, STANDING_MAX, Terms};
use crate::alarm::{
    delay::Turn,
    machine::{Base, Evidence, Input, Manner, Refusal, Shown, Sound},
    people::{Act, By, Refused, SHELF_CRITICAL_MAX, SHELF_MAX},
};

/// The wall clock where the monotonic one begins.
const WALL_MS: i64 = 1_800_000_000_000;

fn now(seconds: u64) -> Instant {
    let wall = Timestamp::from_millis(WALL_MS).plus(Duration::from_secs(seconds));
    Instant { mono: Mono::from_millis(seconds * 1000), wall }
}

fn turn(holds: bool, seconds: u64) -> Turn {
    let at = now(seconds).wall;
    Turn { holds, at, since: at }
}

fn key(rule: &str) -> AlarmKey {
    AlarmKey::of_rule(rule)
}

fn by(name: &str) -> By {
    By { name: Some(name.to_owned()), station: "wall".to_owned() }
}

/// `pump` has `power` for a parent; `valve` latches; `fire` is critical; `pump` and `valve` are one group.
fn rules() -> BTreeMap<Arc<str>, Terms> {
    let group = Some(Arc::from("works"));
    BTreeMap::from([
        ("power".into(), Terms { priority: Priority::High, ..Terms::default() }),
        ("pump".into(), Terms { parents: vec!["power".into()], group: group.clone(), ..Terms::default() }),
        ("valve".into(), Terms { manner: Manner { latches: true, ..Manner::default() }, group, ..Terms::default() }),
        (
            "fire".into(),
            Terms { priority: Priority::Critical, realarm: Some(Duration::from_secs(900)), ..Terms::default() },
        ),
    ])
}

fn raise(alarms: &mut Alarms, rule: &str, seconds: u64) {
    alarms.handle_turn(
        &key(rule),
        turn(true, seconds),
        Evidence::Unknown,
        || vec![("value".into(), seconds.to_string())],
        now(seconds),
    );
}

fn clear(alarms: &mut Alarms, rule: &str, seconds: u64) {
    alarms.handle_turn(&key(rule), turn(false, seconds), Evidence::Unknown, Vec::new, now(seconds));
}

fn heard(alarms: &mut Alarms) -> Vec<(String, Sound)> {
    alarms.take_changes().into_iter().map(|change| (change.key.to_string(), change.sound)).collect()
}

fn occurrence(alarms: &Alarms, rule: &str) -> u64 {
    alarms.standing().get(&key(rule)).map_or(0, |own| own.alarm.occurrence)
}

#[test]
fn one_alarm_from_its_beginning_to_its_end() {
    let mut alarms = Alarms::new(rules());
    raise(&mut alarms, "fire", 10);
    let own = alarms.standing()[&key("fire")].clone();
    assert_eq!(own.alarm.shown(), Shown::Base(Base::Unacknowledged));
    assert_eq!(own.cause, [("value".to_owned(), "10".to_owned())]);
    // What any wall would call it.
    assert_eq!(own.alarm.occurrence, u64::try_from(now(10).wall.as_millis()).unwrap());
    assert_eq!(heard(&mut alarms), [("fire".to_owned(), Sound::Start)]);

    let seen = Act::Acknowledge { occurrence: own.alarm.occurrence };
    let old = Act::Acknowledge { occurrence: own.alarm.occurrence - 1 };
    let refused = alarms.handle_act(&key("fire"), &old, by("Mira"), now(11));
    assert_eq!(refused, Err(Refused::State(Refusal::Changed)));
    alarms.handle_act(&key("fire"), &seen, by("Mira"), now(12)).unwrap();
    assert_eq!(alarms.standing()[&key("fire")].acknowledged.as_ref().unwrap().by, by("Mira"));
    assert_eq!(heard(&mut alarms), [("fire".to_owned(), Sound::Keep), ("fire".to_owned(), Sound::Stop)]);

    // It holds on: a quarter of an hour later it calls anew.
    assert_eq!(alarms.poll_timeout(), Some(now(12 + 900).mono));
    alarms.handle_time(now(12 + 900));
    assert_eq!(heard(&mut alarms), [("fire".to_owned(), Sound::Start)]);
    assert_eq!(alarms.standing()[&key("fire")].acknowledged, None);
    clear(&mut alarms, "fire", 1_000);
    alarms.handle_act(&key("fire"), &Act::Comment { words: " a toaster ".into() }, by("Jan"), now(1_001)).unwrap();
    assert_eq!(alarms.standing()[&key("fire")].comments[0].words, "a toaster");
    alarms.handle_act(&key("fire"), &seen, by("Jan"), now(1_002)).unwrap();
    assert!(alarms.standing().is_empty());
    // What is late is known to be: it was raised and has ended since.
    raise(&mut alarms, "fire", 500);
    assert!(alarms.standing().is_empty());
}

#[test]
fn what_is_put_aside_has_a_reason_and_an_end() {
    let mut alarms = Alarms::new(rules());
    let shelve = |minutes: u32, reason: &str| Act::Shelve { minutes, reason: reason.into() };
    let refuse = |alarms: &mut Alarms, rule: &str, act: &Act| {
        alarms.handle_act(&key(rule), act, by("Mira"), now(1)).unwrap_err()
    };
    assert!(matches!(refuse(&mut alarms, "pump", &shelve(30, "no")), Refused::Reason { found: 2 }));
    assert!(matches!(refuse(&mut alarms, "pump", &shelve(721, "repair")), Refused::Span { most: SHELF_MAX, .. }));
    assert!(matches!(
        refuse(&mut alarms, "fire", &shelve(61, "drill")),
        Refused::Span { most: SHELF_CRITICAL_MAX, .. }
    ));
    assert!(matches!(refuse(&mut alarms, "pump", &Act::Unshelve), Refused::NoSuchAlarm(_)));
    assert!(matches!(refuse(&mut alarms, "nothing", &shelve(5, "repair")), Refused::NoSuchAlarm(_)));
    assert!(alarms.standing().is_empty(), "{:?}", alarms.standing());

    // Before it is worked on, and though nothing is wrong.
    alarms.handle_act(&key("pump"), &shelve(30, "repair"), by("Mira"), now(60)).unwrap();
    raise(&mut alarms, "pump", 70);
    assert_eq!(alarms.standing()[&key("pump")].alarm.shown(), Shown::Shelved);
    assert!(heard(&mut alarms).iter().all(|(_, sound)| *sound != Sound::Start));
    alarms.handle_time(now(60 + 1799));
    assert_eq!(heard(&mut alarms), []);
    alarms.handle_time(now(60 + 1800));
    assert_eq!(heard(&mut alarms), [("pump".to_owned(), Sound::Start)]);

    // A clock that is set back makes it no longer, nor does one that is set forward make it endless.
    alarms.handle_act(&key("pump"), &shelve(30, "repair"), by("Mira"), now(3_000)).unwrap();
    alarms.handle_time(Instant { wall: now(0).wall, mono: now(4_800).mono });
    assert!(!alarms.standing()[&key("pump")].alarm.suppression.is_shelved);
}

#[test]
fn a_parent_is_the_reason() {
    let mut alarms = Alarms::new(rules());
    raise(&mut alarms, "power", 1);
    raise(&mut alarms, "pump", 2);
    raise(&mut alarms, "valve", 3);
    assert_eq!(alarms.standing()[&key("pump")].alarm.shown(), Shown::SuppressedByDesign);
    // The first of its group, whether or not it is heard.
    assert!(alarms.standing()[&key("pump")].is_first && !alarms.standing()[&key("valve")].is_first);
    alarms.take_changes();
    clear(&mut alarms, "power", 10);
    assert!(heard(&mut alarms).contains(&("pump".to_owned(), Sound::Start)));
    clear(&mut alarms, "valve", 11);
    assert_eq!(alarms.standing()[&key("valve")].alarm.base, Base::LatchedUnacknowledged);
    assert_eq!(
        alarms.handle_act(&key("valve"), &Act::Reset, by("Mira"), now(12)),
        Err(Refused::State(Refusal::NotAcknowledged))
    );
}

#[test]
fn what_is_critical_is_acknowledged_by_itself() {
    let mut alarms = Alarms::new(rules());
    raise(&mut alarms, "fire", 1);
    raise(&mut alarms, "power", 2);
    raise(&mut alarms, "valve", 3);
    let mut seen: Vec<(AlarmKey, u64)> =
        alarms.standing().iter().map(|(key, own)| (key.clone(), own.alarm.occurrence)).collect();
    // One has been raised anew since the list was read.
    seen.iter_mut().filter(|(own, _)| *own == key("valve")).for_each(|(_, occurrence)| *occurrence -= 1);
    assert_eq!(alarms.acknowledge_seen(&seen, &by("Mira"), now(4)), 1);
    let wants = |rule| alarms.standing()[&key(rule)].alarm.base.wants_acknowledgement();
    assert!(wants("fire") && wants("valve") && !wants("power"));
}

#[test]
fn another_file() {
    let mut alarms = Alarms::new(rules());
    raise(&mut alarms, "fire", 1);
    raise(&mut alarms, "power", 2);
    alarms.take_changes();
    let mut other = rules();
    other.remove("fire");
    other.insert("power".into(), Terms { priority: Priority::Critical, ..Terms::default() });
    alarms.reload(other, now(3));
    assert_eq!(alarms.standing()[&key("fire")].alarm.shown(), Shown::Removed);
    assert_eq!(heard(&mut alarms), [("fire".to_owned(), Sound::Stop), ("power".to_owned(), Sound::Start)]);
}

/// H5: whatever comes, what is kept is bounded, and what is lost is counted.
#[test]
fn is_bounded() {
    let mut alarms = Alarms::new(rules());
    let of = |number: usize| AlarmKey { rule: "power".into(), of: number.to_string().into() };
    for number in 0..STANDING_MAX + 500 {
        alarms.handle_turn(&of(number), turn(true, 1), Evidence::Unknown, Vec::new, now(1));
        alarms.take_changes();
    }
    let kept = STANDING_MAX - super::FOR_URGENT;
    assert_eq!((alarms.standing().len(), alarms.lost()), (kept, 500 + super::FOR_URGENT as u64));
    // What must be acted on at once finds room all the same.
    raise(&mut alarms, "fire", 2);
    assert_eq!(heard(&mut alarms), [("fire".to_owned(), Sound::Start)]);
    let mut alarms = Alarms::new(rules());
    for number in 0..super::ENDED_MAX * 3 {
        let seconds = number as u64;
        alarms.handle_turn(&of(number), turn(true, seconds), Evidence::Unknown, Vec::new, now(seconds));
        let act = Act::Acknowledge { occurrence: alarms.standing()[&of(number)].alarm.occurrence };
        alarms.handle_act(&of(number), &act, by("Mira"), now(seconds)).unwrap();
        alarms.handle_turn(&of(number), turn(false, seconds + 1), Evidence::Unknown, Vec::new, now(seconds));
        alarms.take_changes();
    }
    assert!(alarms.standing().is_empty() && alarms.ended.len() <= super::ENDED_MAX);
}

#[derive(Clone, Debug)]
enum Happens {
    Turn(&'static str, bool, u64),
    Acknowledge(&'static str),
    Reset(&'static str),
    Shelve(&'static str),
    Unshelve(&'static str),
    TakeOut(&'static str),
    Return(&'static str),
    Evidence(&'static str, Evidence),
    Time(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let rule = || prop::sample::select(vec!["power", "pump", "valve", "fire"]);
    let evidence = prop::sample::select(vec![Evidence::Unknown, Evidence::Stale, Evidence::Bad, Evidence::Live]);
    prop_oneof![
        8 => (rule(), any::<bool>(), 0..3u64).prop_map(|(rule, holds, later)| Happens::Turn(rule, holds, later)),
        3 => rule().prop_map(Happens::Acknowledge),
        1 => rule().prop_map(Happens::Reset),
        1 => rule().prop_map(Happens::Shelve),
        1 => rule().prop_map(Happens::Unshelve),
        1 => rule().prop_map(Happens::TakeOut),
        1 => rule().prop_map(Happens::Return),
        1 => (rule(), evidence).prop_map(|(rule, evidence)| Happens::Evidence(rule, evidence)),
        1 => (0..1_200u64).prop_map(Happens::Time),
    ]
}

/// Lets something happen, and says when it is after that.
fn happen(alarms: &mut Alarms, what: &Happens, mut seconds: u64) -> u64 {
    let act = |alarms: &mut Alarms, rule: &str, act: &Act, seconds: u64| {
        // What is refused is refused.
        let _refused = alarms.handle_act(&key(rule), act, by("Mira"), now(seconds));
    };
    match what {
        Happens::Turn(rule, holds, later) => {
            seconds += later;
            alarms.handle_turn(&key(rule), turn(*holds, seconds), Evidence::Unknown, Vec::new, now(seconds));
        }
        Happens::Acknowledge(rule) => {
            let occurrence = occurrence(alarms, rule);
            act(alarms, rule, &Act::Acknowledge { occurrence }, seconds);
        }
        Happens::Reset(rule) => act(alarms, rule, &Act::Reset, seconds),
        Happens::Shelve(rule) => {
            act(alarms, rule, &Act::Shelve { minutes: 10, reason: "repair".into() }, seconds);
        }
        Happens::Unshelve(rule) => act(alarms, rule, &Act::Unshelve, seconds),
        Happens::TakeOut(rule) => act(alarms, rule, &Act::TakeOut { reason: "repair".into() }, seconds),
        Happens::Return(rule) => act(alarms, rule, &Act::Return, seconds),
        Happens::Evidence(rule, evidence) => alarms.handle_evidence(rule, *evidence, now(seconds)),
        Happens::Time(later) => {
            seconds += later;
            alarms.handle_time(now(seconds));
        }
    }
    seconds
}

/// What an announcement is told by.
fn name(change: &Change) -> Option<(AlarmKey, u64, u32)> {
    (change.sound == Sound::Start).then(|| (change.key.clone(), change.now.alarm.occurrence, change.now.alarm.realarms))
}

/// All that is said of each alarm, but for what is heard anew after a start.
fn told(alarms: &Alarms) -> BTreeMap<AlarmKey, super::Standing> {
    let mut all = alarms.standing.clone();
    for own in all.values_mut() {
        own.alarm.evidence = Evidence::Unknown;
        own.deadlines = super::super::change::Deadlines::default();
    }
    all
}

proptest! {
    /// H6: nothing is announced twice under one name, nor anything that is put aside; and what calls has been announced.
    #[test]
    fn each_announcement_once(story in prop::collection::vec(happens(), 1..80)) {
        let (mut alarms, mut seconds, mut announced) = (Alarms::new(rules()), 1, BTreeSet::new());
        for what in &story {
            seconds = happen(&mut alarms, what, seconds);
            for change in alarms.take_changes() {
                if let Some(name) = name(&change) {
                    prop_assert!(change.now.alarm.calls(), "{change:?}");
                    prop_assert!(announced.insert(name), "{change:?}");
                }
            }
            for (key, own) in alarms.standing() {
                let (occurrence, realarms) = (own.alarm.occurrence, own.alarm.realarms);
                prop_assert!(!own.alarm.calls() || announced.contains(&(key.clone(), occurrence, realarms)), "{key}: {own:?}");
                prop_assert!(!own.is_over());
                prop_assert_eq!(own.acknowledged.is_some(), own.acknowledged.is_some() && !own.alarm.base.wants_acknowledgement());
                prop_assert_eq!(own.shelved.is_some(), own.alarm.suppression.is_shelved);
                prop_assert_eq!(own.out_of_service.is_some(), own.alarm.suppression.is_out_of_service);
                let wanted = *key.rule == *"pump" && alarms.standing().get(&self::key("power")).is_some_and(super::Standing::stands);
                prop_assert_eq!(own.alarm.suppression.is_by_design, wanted);
            }
        }
    }

    /// H4, H6: a crash at any instant, with any part of the last changes not on record yet. Events since the checkpoint are folded again: nothing that is
    /// on record is decided again, nothing that isn't is lost, and all stands as if nothing had been.
    #[test]
    fn a_crash(
        story in prop::collection::vec(happens(), 1..60),
        checkpoint in any::<prop::sample::Index>(),
        crash in any::<prop::sample::Index>(),
        unwritten in 0..3usize,
    ) {
        let crash = crash.index(story.len()) + 1;
        let checkpoint = checkpoint.index(crash);
        let mut alarms = Alarms::new(rules());
        let (mut seconds, mut kept, mut record, mut last) = (1, None, Vec::new(), 0);
        for (number, what) in story.iter().take(crash).enumerate() {
            if number == checkpoint {
                kept = Some((alarms.checkpoint(), seconds));
                record.clear();
            }
            seconds = happen(&mut alarms, what, seconds);
            let changes = alarms.take_changes();
            // Only what a turn decides comes again: what somebody did and isn't on record, he wasn't told was done.
            last = if matches!(what, Happens::Turn(..)) { last + changes.len() } else { 0 };
            record.extend(changes);
        }
        let (kept, mut again) = kept.unwrap();
        let lost = unwritten.min(last).min(record.len());
        let written: Vec<Change> = record.iter().take(record.len() - lost).cloned().collect();
        let mut next = Alarms::new(rules());
        next.restore(kept, written.clone(), now(seconds));
        let restored = next.take_changes();
        for what in story.iter().take(crash).skip(checkpoint) {
            match what {
                Happens::Turn(..) => again = happen(&mut next, what, again),
                Happens::Time(later) => again += later,
                _ => {}
            }
        }
        next.be_folded();
        let decided: Vec<Change> = next.take_changes();
        let names = |changes: &[Change]| changes.iter().filter_map(name).collect::<Vec<_>>();
        prop_assert!(names(&restored).iter().all(|name| !names(&written).contains(name)), "{restored:?}");
        let all: Vec<_> = names(&written).into_iter().chain(names(&restored)).chain(names(&decided)).collect();
        let wanted = names(&record);
        let once: BTreeSet<_> = all.iter().cloned().collect();
        prop_assert_eq!(once.len(), all.len(), "announced again: {:?}", all);
        prop_assert!(wanted.iter().all(|name| once.contains(name)), "missing: {:?} of {:?}", wanted, all);
        prop_assert_eq!(told(&next), told(&alarms));
    }

    /// What is written down and read again is the same.
    #[test]
    fn what_is_written_is_read(story in prop::collection::vec(happens(), 1..60)) {
        let (mut alarms, mut seconds) = (Alarms::new(rules()), 1);
        for what in &story {
            seconds = happen(&mut alarms, what, seconds);
        }
        for change in alarms.take_changes() {
            let text = serde_json::to_string(&change).unwrap();
            let mut read: Change = serde_json::from_str(&text).unwrap();
            read.now.deadlines = change.now.deadlines;
            prop_assert_eq!(read, change);
        }
        let text = serde_json::to_string(&alarms.checkpoint()).unwrap();
        let mut next = Alarms::new(rules());
        next.restore(serde_json::from_str(&text).unwrap(), [], now(seconds));
        prop_assert_eq!(told(&next), told(&alarms));
    }
}

/// An input that isn't of the record isn't taken for one.
#[test]
fn what_is_not_on_record_is_new() {
    let mut alarms = Alarms::new(rules());
    raise(&mut alarms, "fire", 1);
    let record = alarms.take_changes();
    assert!(matches!(record[0].what, Some(Input::Raise { .. })));
    let mut next = Alarms::new(rules());
    next.restore(super::AlarmsCheckpoint::default(), record, now(2));
    raise(&mut next, "fire", 1);
    clear(&mut next, "fire", 3);
    assert_eq!(heard(&mut next), [("fire".to_owned(), Sound::Stop)]);
}
