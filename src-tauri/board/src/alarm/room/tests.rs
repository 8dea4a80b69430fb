//! That there was no room is on record once when it begins and once when it is over, whatever comes in between (H2, H5).

use std::sync::Arc;

use super::*;
use crate::alarm::{Alarms, AlarmsCheckpoint, Heard, Priority, Terms, delay::Turn, machine::Evidence};

/// The wall clock where the monotonic one begins.
const WALL_MS: i64 = 1_800_000_000_000;
/// As many low ones stand at most.
const LOW_MAX: u64 = 10_000;

fn now(seconds: u64) -> Instant {
    let wall = Timestamp::from_millis(WALL_MS).plus(Duration::from_secs(seconds));
    Instant { mono: Mono::from_millis(seconds * 1000), wall }
}

fn key(number: u64) -> AlarmKey {
    AlarmKey { rule: "a".into(), of: number.to_string().into() }
}

fn turn(alarms: &mut Alarms, number: u64, holds: bool, seconds: u64) {
    let at = now(seconds).wall;
    alarms.handle_turn(&key(number), Turn { holds, at, since: at }, Evidence::Live, Vec::new, now(seconds));
}

fn empty() -> Alarms {
    let terms = Terms { priority: Priority::Low, ..Terms::default() };
    Alarms::new([(Arc::from("a"), terms)].into_iter().collect())
}

/// As many as have room, and what that brought.
fn full() -> Alarms {
    let mut alarms = empty();
    (0..LOW_MAX).for_each(|number| turn(&mut alarms, number, true, 1));
    assert!(told(&mut alarms).is_empty());
    alarms
}

/// The entries of it: count, and whether it is over.
fn told(alarms: &mut Alarms) -> Vec<(u64, bool)> {
    let changes = alarms.take_changes();
    let entries = changes.iter().map(|change| AlarmEntry::of(change, None, Heard::default()));
    entries
        .filter(|entry| is_of_room(&entry.rule))
        .map(|entry| (entry.cause[0].value.parse().unwrap(), entry.until_ms.is_some()))
        .collect()
}

/// The entry of the beginning comes at once, that of the end a minute after room was found; what is told in between has a bounded rate, and an alarm
/// counts once however often it is said to hold.
#[test]
fn its_beginning_and_its_end_are_on_record() {
    let mut alarms = full();
    turn(&mut alarms, LOW_MAX, true, 10);
    assert_eq!(told(&mut alarms), [(1, false)], "at once");
    for second in 11..600 {
        let number = LOW_MAX + second / 2;
        turn(&mut alarms, number, true, second);
        alarms.agree(&key(number), (true, now(second).wall), Evidence::Live, Vec::new, now(second));
        alarms.handle_time(now(second));
    }
    assert_eq!((told(&mut alarms), alarms.lost()), (vec![], 296));
    alarms.handle_time(now(611));
    assert_eq!(told(&mut alarms), [(296, false)], "more came for ten minutes");
    for number in 0..LOW_MAX + 300 {
        turn(&mut alarms, number, false, 700);
    }
    alarms.handle_time(now(701));
    assert_eq!(told(&mut alarms), [(296, true)], "nothing holds any more that had no room");
    alarms.handle_time(now(9000));
    assert_eq!((told(&mut alarms), alarms.poll_timeout()), (vec![], None));
}

/// H4, H6: folded again after a crash it is told no second time, whether it lasted or was over.
#[test]
fn a_crash_tells_it_no_second_time() {
    for (is_over, expected) in [(false, vec![(1, true)]), (true, vec![])] {
        let mut alarms = full();
        let checkpoint: AlarmsCheckpoint = alarms.checkpoint();
        turn(&mut alarms, LOW_MAX, true, 10);
        turn(&mut alarms, LOW_MAX + 1, true, 10);
        if is_over {
            turn(&mut alarms, LOW_MAX, false, 20);
            turn(&mut alarms, LOW_MAX + 1, false, 20);
            alarms.handle_time(now(100));
        }
        let record = alarms.take_changes();
        let rooms = record.iter().filter(|change| is_of_room(&change.key.rule)).count();
        assert_eq!(rooms, if is_over { 2 } else { 1 });
        let mut next = empty();
        let read: AlarmsCheckpoint = serde_json::from_str(&serde_json::to_string(&checkpoint).unwrap()).unwrap();
        next.restore(read, record, now(200));
        turn(&mut next, LOW_MAX, true, 10);
        turn(&mut next, LOW_MAX + 1, true, 10);
        next.be_folded();
        assert_eq!(told(&mut next), []);
        next.handle_time(now(300));
        // As many as are known to have had none: that there were more wasn't on record.
        assert_eq!(told(&mut next), expected, "is over: {is_over}");
    }
}

fn entry(of: &str, count: u64, at: i64, until: Option<i64>) -> AlarmEntry {
    let key = key_of((!of.is_empty()).then_some(of));
    let mut alarms = full_of_one();
    let change = alarms.take_changes().remove(0);
    let own = AlarmEntry::of(&change, None, Heard::default());
    AlarmEntry {
        rule: key.rule.to_string(),
        of: key.of.to_string(),
        decided_ms: at,
        until_ms: until,
        cause: vec![crate::frame::AlarmCause { name: COUNT.to_owned(), value: count.to_string() }],
        ..own
    }
}

fn full_of_one() -> Alarms {
    let mut alarms = empty();
    turn(&mut alarms, 0, true, 1);
    alarms
}

/// What the record says becomes a lack each: what lasts, what is over, and what a crash has left open.
#[test]
fn what_had_no_room_is_a_lack() {
    let mut refused = Refused::default();
    refused.carry(&entry("", 7, 50, None), 100);
    for own in [entry("", 9, 200, Some(200)), entry("", 1, 300, None), entry("doors", 3, 310, None)] {
        assert!(refused.take(&own));
    }
    assert!(!refused.take(&AlarmEntry { rule: "a".into(), ..entry("", 1, 1, None) }));
    let lack = |count, from_ms, to_ms, rule: Option<&str>| SinceLack::AlarmsNoRoom {
        count,
        from_ms,
        to_ms,
        rule: rule.map(Into::into),
    };
    assert_eq!(
        refused.lacks(),
        [lack(9, 100, Some(200), None), lack(1, 300, None, None), lack(3, 310, None, Some("doors"))]
    );
    let mut refused = Refused::default();
    (0..1000).for_each(|at| assert!(refused.take(&entry("", 1, at * 10, Some(at * 10 + 5)))));
    let lacks = refused.lacks();
    assert_eq!((lacks.len(), lacks.last()), (SPANS_MAX, Some(&lack(981, 190, Some(9995), None))));
}
