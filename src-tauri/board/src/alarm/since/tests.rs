//! Lines against a reference that doesn't read the record: it looks at what stands after each step, and at what people did.

use std::sync::Arc;

use proptest::prelude::*;
use watchfloor_model::{Mono, Timestamp};

use super::*;
use crate::{
    alarm::{
        Act, Alarms, By, Heard, Instant, Terms,
        alarms::Change,
        delay::Turn,
        machine::{Base, Evidence, Manner},
        state_of,
    },
    frame::Outage,
};

/// 2026-11-24T10:00:00Z.
const BEGIN: i64 = 1_795_514_400_000;
/// The source's clock is years behind, as a replay's is.
const BEHIND: i64 = 400 * 86_400_000;
const KEYS: u8 = 6;

fn at(second: i64) -> Instant {
    Instant {
        mono: Mono::from_millis(u64::try_from(second).unwrap() * 1000),
        wall: Timestamp::from_millis(BEGIN + second * 1000),
    }
}

fn turn(second: i64, holds: bool) -> Turn {
    let at = Timestamp::from_millis(BEGIN - BEHIND + second * 1000);
    Turn { holds, at, since: at }
}

fn key(number: u8) -> AlarmKey {
    // Of a latching rule, of one over many, and two of their own.
    match number {
        0 => AlarmKey::of_rule("latch"),
        1..=3 => AlarmKey { rule: "many".into(), of: format!("=x{number}").into() },
        _ => AlarmKey::of_rule(if number == 4 { "four" } else { "five" }),
    }
}

fn alarms() -> Alarms {
    let terms =
        |priority, latches| Terms { priority, manner: Manner { latches, ..Manner::default() }, ..Terms::default() };
    let rules: [(Arc<str>, Terms); 4] = [
        ("latch".into(), terms(Priority::High, true)),
        ("many".into(), terms(Priority::Medium, false)),
        ("four".into(), terms(Priority::Critical, false)),
        ("five".into(), terms(Priority::Low, false)),
    ];
    Alarms::new(rules.into_iter().collect())
}

/// How one alarm was, after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Was {
    stands: bool,
    waits: bool,
    occurrence: u64,
    shown: AlarmState,
    aside: (bool, bool),
}

const NORMAL: Was =
    Was { stands: false, waits: false, occurrence: 0, shown: AlarmState::Normal, aside: (false, false) };

/// After a step: when it was, how all were, and whose alarm somebody acknowledged or wrote to.
type Step = (i64, BTreeMap<AlarmKey, Was>, Option<(AlarmKey, bool)>);

struct Life {
    steps: Vec<Step>,
    entries: Vec<(AlarmEntry, bool)>,
}

/// Whether the journal counts an entry as one of an alarm that stands.
fn is_kept(change: &Change) -> bool {
    let alarm = change.now.alarm;
    !alarm.is_removed && (alarm.base != Base::Normal || alarm.suppression.is_any())
}

fn live(steps: &[(u8, u8, i64)]) -> Life {
    let (mut alarms, mut now) = (alarms(), 0);
    let mut life = Life { steps: Vec::new(), entries: Vec::new() };
    for (which, what, gap) in steps {
        now += gap;
        let key = key(*which);
        let by = By { name: Some(format!("p{which}")), station: "wall".into() };
        let occurrence = alarms.standing().get(&key).map_or(0, |own| own.alarm.occurrence);
        let reason = || "being repaired".to_owned();
        let act = match what {
            3 => Some(Act::Acknowledge { occurrence }),
            4 => Some(Act::Shelve { minutes: 5, reason: reason() }),
            5 => Some(Act::Unshelve),
            6 => Some(Act::TakeOut { reason: reason() }),
            7 => Some(Act::Return),
            8 => Some(Act::Comment { words: "seen to".into() }),
            9 => Some(Act::Reset),
            // An occurrence that isn't there: refused, and on record as such.
            10 => Some(Act::Acknowledge { occurrence: occurrence + 7 }),
            _ => None,
        };
        let mut done = None;
        match act {
            Some(act) => {
                // What nobody waits for does nothing, and is on record as nothing.
                let base = alarms.standing().get(&key).map(|own| own.alarm.base);
                let is_ack = matches!(act, Act::Acknowledge { .. });
                let does = match act {
                    Act::Acknowledge { .. } => base.is_some_and(Base::wants_acknowledgement),
                    Act::Reset => base.is_some_and(Base::is_latched),
                    Act::Comment { .. } => true,
                    _ => false,
                };
                if alarms.handle_act(&key, &act, by, at(now)).is_ok() && does {
                    done = Some((key, is_ack));
                }
            }
            None if *what == 11 => alarms.handle_time(at(now)),
            None => alarms.handle_turn(&key, turn(now, *what < 2), Evidence::Live, Vec::new, at(now)),
        }
        let was = |own: &crate::alarm::Standing| Was {
            stands: own.stands(),
            waits: own.alarm.base.wants_acknowledgement(),
            occurrence: own.alarm.occurrence,
            shown: state_of(own.alarm.shown()),
            aside: (own.alarm.suppression.is_shelved, own.alarm.suppression.is_out_of_service),
        };
        let all = alarms.standing().iter().map(|(key, own)| (key.clone(), was(own))).collect();
        life.steps.push((now, all, done));
        for change in alarms.take_changes() {
            life.entries.push((AlarmEntry::of(&change, None, Heard::default()), is_kept(&change)));
        }
    }
    life
}

/// What the journal would give of this: see `engine/src/journal/table/alarm.rs`.
fn read(life: &Life, from: i64, to: i64) -> SinceAlarms {
    let mut sincer = Sincer::new(from, to, true, Losses::default());
    let mut before: BTreeMap<AlarmKey, &(AlarmEntry, bool)> = BTreeMap::new();
    for entry in life.entries.iter().filter(|(entry, _)| entry.decided_ms < from) {
        before.insert(entry.0.key(), entry);
    }
    let mut stood: Vec<&AlarmEntry> = before.into_values().filter(|(_, kept)| *kept).map(|(entry, _)| entry).collect();
    stood.sort_by_key(|entry| entry.number);
    stood.into_iter().for_each(|entry| sincer.carry(entry));
    life.entries.iter().for_each(|(entry, _)| sincer.take(entry));
    sincer.finish(None).0
}

/// In which list an alarm belongs, and how it got there.
#[derive(Debug, PartialEq)]
struct Expected {
    list: &'static str,
    then: AlarmState,
    now: AlarmState,
    waits: bool,
    raised: u64,
    acknowledged: u64,
}

/// What an act puts aside, or takes back, without ever having been judged is nobody's to supervise.
fn known(state: AlarmState) -> AlarmState {
    if state == AlarmState::Unsupervised { AlarmState::Normal } else { state }
}

fn expect(life: &Life, from: i64, key: &AlarmKey) -> Option<Expected> {
    let is_before = |second: i64| BEGIN + second * 1000 < from;
    let of = |all: &BTreeMap<AlarmKey, Was>| all.get(key).copied().unwrap_or(NORMAL);
    let then = life.steps.iter().take_while(|(second, ..)| is_before(*second)).last().map_or(NORMAL, |own| of(&own.1));
    let (mut last, mut raised, mut acknowledged, mut is_touched) = (then, 0, 0, false);
    for (_, all, done) in life.steps.iter().skip_while(|(second, ..)| is_before(*second)) {
        let was = of(all);
        raised += u64::from(was.stands && (!last.stands || was.occurrence != last.occurrence));
        is_touched |= was.aside != last.aside;
        if let Some((_, is_ack)) = done.as_ref().filter(|(of, _)| of == key) {
            acknowledged += u64::from(*is_ack);
            is_touched = true;
        }
        last = was;
    }
    let list = match (raised > 0, then.stands, last.stands) {
        (true, _, true) => "stand",
        (true, _, false) => "gone",
        (false, true, false) => "went",
        _ if is_touched => "dealt",
        (false, true, true) => "untouched",
        _ => return None,
    };
    Some(Expected { list, then: known(then.shown), now: known(last.shown), waits: last.waits, raised, acknowledged })
}

proptest! {
    /// H6: each alarm stands in the list in which who looked at it all the while would put it, with how often it came, where it was and where
    /// it is; none is missing, and none is told twice.
    #[test]
    fn as_one_who_looked_all_the_while(
        steps in prop::collection::vec((0..KEYS, 0..12u8, prop_oneof![0..5i64, 0..400i64]), 1..120),
        cut in 0..100i64,
    ) {
        let life = live(&steps);
        let end = life.steps.last().map_or(0, |(second, ..)| *second) + 1;
        let from = BEGIN + end * cut * 10;
        let own = read(&life, from, BEGIN + end * 1000);
        let lists = [("stand", &own.stand), ("gone", &own.gone), ("went", &own.went), ("dealt", &own.dealt)];
        let mut untouched = 0;
        for key in (0..KEYS).map(key) {
            let expected = expect(&life, from, &key);
            let found: Vec<Expected> = lists
                .iter()
                .flat_map(|(list, lines)| lines.lines.iter().map(|line| (*list, line)))
                .filter(|(_, line)| line.key == key.to_string())
                .map(|(list, line)| Expected {
                    list,
                    then: known(line.then.unwrap()),
                    now: known(line.now),
                    waits: line.wants_acknowledgement,
                    raised: line.count,
                    acknowledged: line.acknowledged_count,
                })
                .collect();
            if expected.as_ref().is_some_and(|own| own.list == "untouched") {
                untouched += 1;
                prop_assert!(found.is_empty(), "{key}: {found:?}");
            } else {
                prop_assert_eq!(found, Vec::from_iter(expected), "{}", key);
            }
        }
        prop_assert_eq!(own.untouched, untouched);
        for (_, list) in lists {
            prop_assert_eq!(list.count as usize, list.lines.len());
            prop_assert_eq!(u64::from(list.counts.iter().sum::<u32>()), list.count);
            let order: Vec<_> = list.lines.iter().map(|line| (Reverse(line.wants_acknowledgement), rank(line.priority))).collect();
            prop_assert!(order.is_sorted());
            for line in &list.lines {
                let said = line.acknowledged.as_ref();
                prop_assert_eq!(said.is_some(), line.acknowledged_count > 0);
                prop_assert!(said.is_none_or(|said| said.name.as_deref().is_some_and(|name| name.starts_with('p'))));
                prop_assert_eq!(line.first_ms.is_some(), line.count > 0);
            }
        }
        let raised: u64 = own.priorities.iter().map(|own| own.raised).sum();
        prop_assert_eq!(raised, lists.iter().flat_map(|(_, list)| &list.lines).map(|line| line.count).sum::<u64>());
    }
}

/// Entries of one alarm that is raised and over, a second apart.
fn came_and_went(number: u64, of: &str, second: i64) -> [AlarmEntry; 2] {
    let mut alarms = alarms();
    let key = AlarmKey { rule: "many".into(), of: of.into() };
    alarms.handle_turn(&key, turn(second, true), Evidence::Live, Vec::new, at(second));
    alarms.handle_turn(&key, turn(second + 1, false), Evidence::Live, Vec::new, at(second + 1));
    let mut changes = alarms.take_changes().into_iter().map(|change| AlarmEntry::of(&change, None, Heard::default()));
    [0, 1].map(|more| AlarmEntry { number: number + more, ..changes.next().unwrap() })
}

/// H5: lists and what is kept on the way are bounded, and what found no room is counted.
#[test]
fn there_is_an_end_to_it() {
    let mut sincer = Sincer::new(BEGIN, BEGIN + 10_000_000, true, Losses::default());
    let count = KEYS_MAX as u64 + 50;
    for number in 0..count {
        came_and_went(2 * number, &number.to_string(), 5).iter().for_each(|entry| sincer.take(entry));
    }
    let (own, left_out) = sincer.finish(Some(BEGIN));
    assert_eq!((own.gone.lines.len(), own.gone.count), (LINES_MAX, KEYS_MAX as u64));
    assert_eq!((own.entries, left_out), (2 * count, 100));
}

/// H2: where the record doesn't reach back to the moment nobody says what stood then; what was over by then and is not on record is not made up.
#[test]
fn what_is_not_on_record_is_not_told() {
    let [raise, clear] = came_and_went(1, "x", 5);
    let mut sincer = Sincer::new(BEGIN, BEGIN + 10_000_000, false, Losses::default());
    sincer.take(&clear);
    let (own, _) = sincer.finish(None);
    assert_eq!((own.went.count, own.went.lines[0].then), (1, None), "it stood before its end, whenever that began");
    let mut sincer = Sincer::new(BEGIN, BEGIN + 10_000_000, false, Losses::default());
    [raise, clear].iter().for_each(|entry| sincer.take(entry));
    let (own, _) = sincer.finish(None);
    assert_eq!((own.gone.count, own.gone.lines[0].then), (1, None));
}

/// What happened while a source was lost is told as such, whatever the source's clock says.
#[test]
fn what_was_heard_of_late_says_so() {
    let loss = Outage {
        source: "ops".into(),
        began_ms: BEGIN,
        ended_ms: Some(BEGIN + 600_000),
        source_began_ms: Some(BEGIN - BEHIND),
        source_ended_ms: Some(BEGIN - BEHIND + 600_000),
        cause: String::new(),
        became: None,
        missed: None,
    };
    for (second, is_late) in [(100, true), (599, false), (700, false)] {
        let decided = BEGIN + 1000 * second.max(600);
        let mut sincer = Sincer::new(BEGIN, BEGIN + 10_000_000, true, Losses::new(vec![loss.clone()]));
        for entry in came_and_went(1, "x", second) {
            sincer.take(&AlarmEntry { decided_ms: decided, ..entry });
        }
        let (own, _) = sincer.finish(None);
        assert_eq!(own.gone.lines[0].late, is_late, "{second}");
        assert_eq!(own.gone.lines[0].returned_ms, Some(BEGIN - BEHIND + 1000 * (second + 1)), "by the source's clock");
    }
}
