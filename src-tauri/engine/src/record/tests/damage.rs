//! A record that somebody has damaged: what can be read of it is told, and what can't be is named (H2, H4).

use std::path::Path;

use rusqlite::Connection;
use watchfloor_board::frame::{Since, SinceLack};

use super::*;
use crate::since;

/// A journal of ten alarms a minute apart, a critical one and an acknowledgement: entries 1 to 12. Then somebody `harms` it.
fn harmed(harm: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(journal(folder.path(), 10));
    Connection::open(folder.path().join(FILE_NAME)).unwrap().execute_batch(harm).unwrap();
    folder
}

fn since_all(folder: &Path) -> Since {
    since(folder, -10, 3600)
}

fn since(folder: &Path, from: i64, to: i64) -> Since {
    since::since(folder, at(from), at(to), &|| true, &mut |_| {}).unwrap()
}

/// The lacks that are of the record of alarms itself.
fn of_record(lacks: &[SinceLack]) -> Vec<SinceLack> {
    let is = |lack: &&SinceLack| {
        matches!(
            lack,
            SinceLack::NoAlarms
                | SinceLack::AlarmsMissing { .. }
                | SinceLack::AlarmsDamaged { .. }
                | SinceLack::AlarmMarksDamaged { .. }
                | SinceLack::Unreadable { .. }
        )
    };
    lacks.iter().filter(is).cloned().collect()
}

fn exported(folder: &Path) -> (u64, Vec<SinceLack>, String) {
    let mut out = Vec::new();
    let (count, lacks) = export(folder, None, None, Form::JsonLines, &mut out).unwrap();
    (count, lacks, String::from_utf8(out).unwrap())
}

fn millis(second: i64) -> Option<i64> {
    Some(at(second).as_millis())
}

fn damaged(count: u64, from: i64, to: i64) -> SinceLack {
    SinceLack::AlarmsDamaged { count, from_ms: millis(from), to_ms: millis(to) }
}

fn missing(count: u64, from: i64, to: i64) -> SinceLack {
    SinceLack::AlarmsMissing { count, from_ms: millis(from), to_ms: millis(to) }
}

/// Whatever is wrong with one entry, all others are told by each reader, and that one is named; a start goes on with the rest, under numbers of its
/// own.
#[test]
fn one_bad_entry_hides_no_other() {
    for harm in [
        "UPDATE alarm SET body = 'no json' WHERE number = 5",
        "UPDATE alarm SET body = replace(body, '\"number\":5', '\"number\":6') WHERE number = 5",
        "UPDATE alarm SET body = '{}' WHERE number = 5",
        "UPDATE alarm SET body = CAST(x'ff00fe' AS TEXT) WHERE number = 5",
        "UPDATE alarm SET sum = x'00' WHERE number = 5",
        "UPDATE alarm SET sum = NULL WHERE number = 5",
        "UPDATE alarm SET received_ms = received_ms + 1 WHERE number = 5",
    ] {
        let folder = harmed(harm);
        let path = folder.path();
        let expected = [damaged(1, 180, 300)];
        let own = since_all(path);
        assert_eq!((own.alarms.stand.count, of_record(&own.lacks)), (10, expected.to_vec()), "{harm}");
        let own = report(path, None, at(3600), &|| true).unwrap();
        assert_eq!((own.alarms, own.entries, own.lacks), (10, 11, expected.to_vec()), "{harm}");
        let (count, lacks, text) = exported(path);
        assert_eq!((count, lacks), (11, expected.to_vec()), "{harm}");
        assert_eq!(text.lines().count(), 12);
        assert!(text.lines().last().unwrap().starts_with(r#"{"lack":{"code":"alarms-damaged","count":1,"#), "{text}");
        assert_eq!(numbers(&page(path, &RecordQuery::default(), 99, &|| true).unwrap()).len(), 11, "{harm}");
        let found = Journal::open(path, Bounds::default(), at(0)).unwrap().journal.alarms_after(0).unwrap();
        assert_eq!((found.changes.len(), found.damaged, found.newest), (11, 1, 12), "{harm}");
        // What isn't of the stretch is none of its business.
        assert_eq!(of_record(&since(path, -10, 170).lacks), [], "{harm}");
    }
}

/// What an entry says counts, not the columns by which it is looked for: whatever they say, it is found.
#[test]
fn bad_columns_hide_no_entry() {
    for column in
        ["decided_ms = 0", "decided_ms = 9999999999999", "rule = 'zz'", "state = '', priority = ''", "what = 'x'"]
    {
        let folder = harmed(&format!("UPDATE alarm SET {column} WHERE number = 5"));
        // A stretch with that entry alone, and one with all.
        let one = since(folder.path(), 239, 241);
        assert_eq!((one.alarms.stand.count, of_record(&one.lacks)), (1, vec![]), "{column}");
        let all = since_all(folder.path());
        assert_eq!((all.alarms.stand.count, of_record(&all.lacks)), (11, vec![]), "{column}");
    }
}

/// Numbers that are missing are told, with between what: also the first ones, the last ones, and all. What went by its age isn't.
#[test]
fn holes_are_told_as_holes() {
    let last = 10 * 60 + 30;
    for (harm, expected) in [
        ("DELETE FROM alarm WHERE number = 5", vec![missing(1, 180, 300)]),
        ("DELETE FROM alarm WHERE number IN (3, 4, 8)", vec![missing(2, 60, 240), missing(1, 360, 480)]),
        (
            "DELETE FROM alarm WHERE number <= 2",
            vec![SinceLack::AlarmsMissing { count: 2, from_ms: None, to_ms: millis(120) }],
        ),
        (
            "DELETE FROM alarm WHERE number >= 12",
            vec![SinceLack::AlarmsMissing { count: 1, from_ms: millis(600), to_ms: None }],
        ),
        ("DELETE FROM alarm", vec![SinceLack::AlarmsMissing { count: 12, from_ms: None, to_ms: None }]),
        ("DELETE FROM alarm WHERE number <= 2; INSERT OR REPLACE INTO meta VALUES ('alarm-gone', '2')", vec![]),
    ] {
        let folder = harmed(harm);
        assert_eq!(of_record(&since_all(folder.path()).lacks), expected, "{harm}");
        assert_eq!(report(folder.path(), Some(at(-10)), at(3600), &|| true).unwrap().lacks, expected, "{harm}");
        assert_eq!(exported(folder.path()).1, expected, "{harm}");
        // The numbers of what is gone are given to nothing else.
        let journal = Journal::open(folder.path(), Bounds::default(), at(last)).unwrap().journal;
        assert_eq!(journal.alarms_after(0).unwrap().newest, 12, "{harm}");
    }
    let folder = harmed("DELETE FROM alarm WHERE number IN (3, 8)");
    assert_eq!(
        of_record(&since(folder.path(), 100, 200).lacks),
        [missing(1, 60, 180)],
        "where it may be of the stretch"
    );
    assert_eq!(of_record(&since(folder.path(), -10, 50).lacks), []);
}

/// H5: many holes are a bounded answer that counts them all.
#[test]
fn many_holes_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    drop(journal(folder.path(), 200));
    let path = folder.path().join(FILE_NAME);
    Connection::open(path).unwrap().execute_batch("DELETE FROM alarm WHERE number % 3 = 0 AND number < 200").unwrap();
    let lacks = of_record(&since(folder.path(), -10, 99_999).lacks);
    let count = |lack: &SinceLack| if let SinceLack::AlarmsMissing { count, .. } = lack { *count } else { 0 };
    assert_eq!((lacks.len(), lacks.iter().map(count).sum::<u64>()), (20, 66));
}

/// Without its table there is no record, and nobody reads that as none; the next start makes it anew, and goes on behind the numbers of before.
#[test]
fn a_table_that_is_gone_is_no_empty_one() {
    let folder = harmed("DROP TABLE alarm");
    let path = folder.path();
    assert_eq!(of_record(&since_all(path).lacks), [SinceLack::NoAlarms]);
    assert_eq!(report(path, None, at(3600), &|| true).unwrap().lacks, [SinceLack::NoAlarms]);
    assert_eq!(exported(path).1, [SinceLack::NoAlarms]);
    let journal = Journal::open(path, Bounds::default(), at(0)).unwrap();
    assert!(journal.set_aside.is_none());
    assert_eq!(journal.journal.alarms_after(0).unwrap().newest, 12);
    let gone = [SinceLack::AlarmsMissing { count: 12, from_ms: None, to_ms: None }];
    assert_eq!(of_record(&since_all(path).lacks), gone);
    for table in ["alarm_heard", "alarm_standing"] {
        let folder = harmed(&format!("DROP TABLE {table}"));
        assert_eq!(since_all(folder.path()).alarms.stand.count, 11, "{table}");
        assert!(!of_record(&since_all(folder.path()).lacks).is_empty(), "{table}");
        assert!(Journal::open(folder.path(), Bounds::default(), at(0)).unwrap().set_aside.is_none(), "{table}");
    }
}

/// What was heard of a call, and isn't what was written, is not told; that it isn't known is.
#[test]
fn bad_marks_are_told() {
    for harm in ["announced_ms = announced_ms + 1", "announced_by = CAST(x'ff' AS TEXT)", "sum = NULL"] {
        let folder = harmed(&format!("UPDATE alarm_heard SET {harm}"));
        let own = report(folder.path(), None, at(3600), &|| true).unwrap();
        assert_eq!((own.alarms, own.lacks), (11, vec![SinceLack::AlarmMarksDamaged { count: 1 }]), "{harm}");
        let medium = own.priorities.iter().find(|line| line.priority == Priority::Medium).unwrap();
        assert_eq!(medium.median_ms, Some(630_000), "from the decision: {harm}");
        assert!(exported(folder.path()).2.lines().next().unwrap().contains(r#""announced_ms":null"#), "{harm}");
    }
}

/// What stood before the stretch, and of which the newest entry can't be had, is told as well.
#[test]
fn what_stood_before_may_be_unknown() {
    for (harm, expected) in
        [("DELETE FROM alarm WHERE number = 5", true), ("UPDATE alarm SET body = '' WHERE number = 5", false)]
    {
        let folder = harmed(harm);
        let (count, from_ms, to_ms) = (1, None, millis(500));
        let expected = if expected {
            SinceLack::AlarmsMissing { count, from_ms, to_ms }
        } else {
            SinceLack::AlarmsDamaged { count, from_ms, to_ms }
        };
        assert_eq!(of_record(&since(folder.path(), 500, 3600).lacks), [expected], "{harm}");
    }
}

/// A page of the file that is overwritten takes what stood on it, and nothing else.
#[test]
fn a_bad_page_takes_what_stood_on_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(journal(folder.path(), 400));
    let path = folder.path().join(FILE_NAME);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    drop(connection);
    let mut bytes = fs::read(&path).unwrap();
    // The page of the table on which an entry in the middle begins.
    let word = b"{\"number\":200,";
    let place = bytes.windows(word.len()).position(|own| own == word).unwrap();
    let page_begin = place / size as usize * size as usize;
    bytes[page_begin..page_begin + size as usize].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let (count, lacks, _) = exported(folder.path());
    let [SinceLack::AlarmsDamaged { count: lost, .. }] = lacks[..] else { panic!("{lacks:?}") };
    assert!((1..60).contains(&lost), "{lost}");
    assert_eq!(count + lost, 402);
    let own = since(folder.path(), -10, 99_999);
    assert_eq!(own.alarms.entries, count);
}
