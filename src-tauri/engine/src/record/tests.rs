//! The record read beside a journal that is written.

mod damage;

use std::{fs, sync::Arc};

use watchfloor_board::alarm::{
    Act, AlarmKey, AlarmWhat, Alarms, By, Heard, Instant, Terms, delay::Turn, machine::Evidence,
};
use watchfloor_model::Mono;

use super::*;
use crate::journal::{
    Bounds, Journal,
    alarms::Batch,
    table::alarm::{Call, Entry, Mark, Ready},
};

/// 2026-11-24T10:00:00Z.
const BEGIN: i64 = 1_795_514_400_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN + second * 1000)
}

/// A journal in which `count` alarms of rule `a`, and a critical one of rule `b`, were raised a minute apart; the first was acknowledged with
/// hostile words, and announced.
fn journal(folder: &Path, count: i64) -> Journal {
    let mut journal = Journal::open(folder, Bounds::default(), at(0)).unwrap().journal;
    let terms = |priority| Terms { priority, ..Terms::default() };
    let rules: [(Arc<str>, Terms); 2] =
        [("a".into(), terms(Priority::Medium)), ("b".into(), terms(Priority::Critical))];
    let mut alarms = Alarms::new(rules.into_iter().collect());
    let now = |second: i64| Instant { mono: Mono::from_millis(second as u64 * 1000), wall: at(second) };
    let turn = |second: i64| Turn { holds: true, at: at(second), since: at(second) };
    for number in 0..count {
        let key = AlarmKey { rule: "a".into(), of: format!("=x{number}").into() };
        alarms.handle_turn(
            &key,
            turn(number * 60),
            Evidence::Live,
            || vec![("n".into(), "7".into())],
            now(number * 60),
        );
    }
    alarms.handle_turn(&AlarmKey::of_rule("b"), turn(count * 60), Evidence::Live, Vec::new, now(count * 60));
    let first = AlarmKey { rule: "a".into(), of: "=x0".into() };
    let occurrence = alarms.standing()[&first].alarm.occurrence;
    let by = By { name: Some("=Ann, \"A\"".into()), station: "wall".into() };
    alarms.handle_act(&first, &Act::Acknowledge { occurrence }, by, now(count * 60 + 30)).unwrap();
    let changes = alarms.take_changes();
    let ready: Vec<Ready> =
        changes.into_iter().map(|change| Ready::of(Entry { change, received: Some(at(1)) }).unwrap()).collect();
    let mark = Mark {
        call: Call { key: first, occurrence, realarms: 0 },
        heard: Heard { announced: Some(at(2)), by: Some("desktop".into()), is_repeated: true, seen: Some(at(3)) },
    };
    journal.put_alarms(&Batch { entries: &ready, marks: &[mark], ..Batch::default() }, at(0)).unwrap();
    journal
}

fn numbers(page: &RecordPage) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.number).collect()
}

/// Pages are bounded, follow one another, and are of what was asked for; the wall goes on writing meanwhile.
#[test]
fn pages_follow_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let _written_on = journal(folder.path(), 10);
    let ask = |query: RecordQuery, limit| page(folder.path(), &query, limit, &|| true).unwrap();
    let first = ask(RecordQuery::default(), 5);
    assert_eq!((numbers(&first), first.more), (vec![12, 11, 10, 9, 8], Some(8)));
    let second = ask(RecordQuery { before: first.more, ..RecordQuery::default() }, 5);
    assert_eq!((numbers(&second), second.more), (vec![7, 6, 5, 4, 3], Some(3)));
    let last = ask(RecordQuery { before: second.more, ..RecordQuery::default() }, 5);
    assert_eq!((numbers(&last), last.more), (vec![2, 1], None));
    assert_eq!(last.entries[1].announced_by.as_deref(), Some("desktop"));
    assert_eq!((last.entries[1].seen_ms, last.entries[1].received_ms), (Some(BEGIN + 3000), Some(BEGIN + 1000)));
    let of = |query| numbers(&ask(query, 100));
    assert_eq!(of(RecordQuery { priority: Some(Priority::Critical), ..RecordQuery::default() }), [11]);
    assert_eq!(of(RecordQuery { rule: Some("b".into()), ..RecordQuery::default() }), [11]);
    assert_eq!(of(RecordQuery { state: Some(AlarmState::Acknowledged), ..RecordQuery::default() }), [12]);
    let stretch = RecordQuery { from: Some(at(60)), to: Some(at(180)), ..RecordQuery::default() };
    assert_eq!(of(stretch), [3, 2]);
    assert_eq!(of(RecordQuery { from: Some(at(99_999)), ..RecordQuery::default() }), [0; 0]);
    assert!(ask(RecordQuery::default(), usize::MAX).entries.len() <= PAGE_MAX);
}

/// A report is of the record's own time, and sees what stood before its beginning.
#[test]
fn a_report_is_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let _written_on = journal(folder.path(), 12);
    let all = report(folder.path(), None, at(3600), &|| true).unwrap();
    assert_eq!((all.from_ms, all.to_ms, all.alarms, &*all.lacks), (BEGIN, BEGIN + 3_600_000, 13, &[][..]));
    assert_eq!((all.rate.max, all.rate.periods), (10, 6));
    let medium = all.priorities.iter().find(|line| line.priority == Priority::Medium).unwrap();
    // From the announcement, two seconds after the decision.
    assert_eq!((medium.count, medium.acknowledged, medium.median_ms), (12, 1, Some(748_000)));
    let later = report(folder.path(), Some(at(90_000)), at(100_000), &|| true).unwrap();
    assert_eq!((later.alarms, later.standing_count), (0, 13), "they stand, for more than a day");
}

/// H8: what is exported can be read by who reads CSV, and hides no formula.
#[test]
fn exports_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    let _written_on = journal(folder.path(), 2);
    let text = |form| {
        let mut out = Vec::new();
        assert_eq!(export(folder.path(), None, None, form, &mut out).unwrap(), (4, vec![]));
        String::from_utf8(out).unwrap()
    };
    let csv = text(Form::Csv);
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!((lines.len(), lines[0]), (5, export::COLUMNS.join(",").as_str()));
    assert!(lines[1].starts_with("1,2026-11-24T10:00:00.000Z,a,'=x0,medium,raise,"), "{}", lines[1]);
    assert!(lines[1].contains(",desktop,true,2026-11-24T10:00:03.000Z,"), "{}", lines[1]);
    assert!(lines[4].contains(",\"'=Ann, \"\"A\"\"\",wall,"), "{}", lines[4]);
    let json: Vec<AlarmEntry> = text(Form::JsonLines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json.len(), 4);
    assert_eq!((json[3].what, json[3].by.as_deref()), (AlarmWhat::Acknowledge, Some("=Ann, \"A\"")));
}

/// Nothing there, something else there, and a journal of a program that knew no alarms.
#[test]
fn what_is_no_record_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = report(folder.path(), None, at(0), &|| true).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("--data-dir"), "{error}");
    fs::write(folder.path().join(FILE_NAME), [7; 5000]).unwrap();
    assert!(!report(folder.path(), None, at(0), &|| true).unwrap_err().is_input());
    fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
    let older = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    crate::journal::migrate::tests::of_format(&older, 4);
    assert_eq!(report(folder.path(), None, at(0), &|| true).unwrap().alarms, 0);
    assert_eq!(page(folder.path(), &RecordQuery::default(), 5, &|| true).unwrap(), RecordPage::default());
}
