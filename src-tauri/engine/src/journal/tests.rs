//! The journal as a whole: what is committed together, and what is kept.

mod damage;

use std::process::{Command, Stdio};

use watchfloor_model::{Delivery, Event, Mono, Payload};

use super::*;
use crate::{clock::Clock, intake};

/// Names the folder that [`writes_until_killed`] writes to.
const KILL_FOLDER: &str = "WATCHFLOOR_TEST_KILL_FOLDER";

fn bounds(bytes_max: u64) -> Bounds {
    Bounds { bytes_max, ..Bounds::default() }
}

fn now() -> Timestamp {
    Clock::start().wall()
}

/// A batch of the events `numbers`, which are also their positions.
fn entry(numbers: std::ops::RangeInclusive<u64>) -> Entry {
    let event = |number: u64| Event {
        channel: "x".into(),
        name: "tick".into(),
        id: None,
        position: Some(Position::new("e", number)),
        time: Timestamp::from_millis(0),
        received: Mono::ZERO,
        data: Payload::from(serde_json::json!({"number": number, "filling": "x".repeat(200)})),
    };
    intake::entry(&"ops".into(), &Delivery::Events(numbers.map(event).collect()), &Clock::start()).unwrap()
}

/// The numbers of the events after batch `seq`, and whether the replay was whole.
fn replayed(journal: &Journal, seq: i64) -> (Vec<u64>, bool) {
    let mut replay = intake::Replay::new(Clock::start());
    let mut numbers = Vec::new();
    let is_whole = journal
        .replay(seq, |batch| {
            if let Some(Delivery::Events(events)) = replay.delivery(&batch).map_err(JournalError::Damaged)? {
                numbers.extend(events.iter().filter_map(|event| event.data.value().to_value()["number"].as_u64()));
            }
            Ok(())
        })
        .unwrap();
    (numbers, is_whole)
}

fn position(journal: &Journal) -> Option<u64> {
    Some(journal.positions().unwrap().get("ops")?.get("x")?.offset)
}

fn open(folder: &Path, bytes_max: u64) -> Opened {
    Journal::open(folder, bounds(bytes_max), now()).unwrap()
}

/// H4: batches and positions are there again after the file is closed, and numbers go on.
#[test]
fn remembers() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 20).journal;
    journal.append(&[entry(1..=3), entry(4..=4)], now()).unwrap();
    journal.put_checkpoint(1, now(), "3").unwrap();
    drop(journal);
    let mut journal = open(folder.path(), 1 << 20).journal;
    assert_eq!((replayed(&journal, 0), position(&journal)), ((vec![1, 2, 3, 4], true), Some(4)));
    assert_eq!(replayed(&journal, 1), (vec![4], true));
    journal.append(&[entry(5..=5)], now()).unwrap();
    assert_eq!((replayed(&journal, 0), position(&journal)), ((vec![1, 2, 3, 4, 5], true), Some(5)));
}

/// H3: a story with a hole is not told as whole, wherever the hole is.
#[test]
fn holes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 20).journal;
    for number in 1..=5 {
        journal.append(&[entry(number..=number)], now()).unwrap();
    }
    journal.connection().execute("DELETE FROM batch WHERE seq = 1", []).unwrap();
    assert_eq!(replayed(&journal, 0), (vec![], false));
    assert_eq!(replayed(&journal, 1), (vec![2, 3, 4, 5], true));
    journal.connection().execute("DELETE FROM batch WHERE seq = 4", []).unwrap();
    assert_eq!(replayed(&journal, 1), (vec![2, 3], false));
    assert_eq!(replayed(&journal, 5), (vec![], true));
    journal.connection().execute("UPDATE batch SET kind = 99, sum = NULL WHERE seq = 3", []).unwrap();
    assert_eq!(replayed(&journal, 1), (vec![2], false), "a kind of a newer program");
}

/// H4: no source goes on from a place that a hole lies before.
#[test]
fn a_hole_lets_no_source_go_on() {
    const BOARD: &str = include_str!("../../../../tests/boards/counter.toml");
    let file = watchfloor_board::config::parse(BOARD, "board.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for has_hole in [false, true] {
        let mut journal = open(folder.path(), 1 << 20).journal;
        journal.append(&[entry(1..=3)], now()).unwrap();
        journal.append(&[entry(4..=5)], now()).unwrap();
        if has_hole {
            journal.connection().execute("DELETE FROM batch WHERE seq = 1", []).unwrap();
        }
        drop(journal);
        let restored = crate::restore::restore(folder.path(), bounds(1 << 20), &file, Clock::start()).unwrap();
        assert_eq!(restored.resume("ops").is_some(), !has_hole);
    }
}

/// After a stretch that was not written, the state itself begins the new one.
#[test]
fn rejoins_after_a_stretch_that_was_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 20).journal;
    journal.append(&[entry(1..=3)], now()).unwrap();
    let there = Positions::from([("ops".into(), [("x".into(), Position::new("e", 9))].into())]);
    journal.rejoin(now(), "9", &there).unwrap();
    assert_eq!(position(&journal), Some(9));
    journal.append(&[entry(10..=10)], now()).unwrap();
    let newest = &journal.checkpoints().unwrap()[0];
    assert_eq!(newest.body, "9");
    assert_eq!(replayed(&journal, newest.seq), (vec![10], true));
    assert!(!replayed(&journal, 0).1, "without the checkpoint there is a hole");
}

/// H5: the file stops growing at its bound, under any amount of events.
#[test]
fn file_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 20).journal;
    let mut bytes = Vec::new();
    for round in 0..600u64 {
        journal.append(&[entry(round * 100 + 1..=round * 100 + 100)], now()).unwrap();
        if round % 100 == 99 {
            journal.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            bytes.push(journal.file_bytes());
        }
    }
    assert!(bytes.iter().all(|bytes| *bytes < 3 << 20), "{bytes:?}");
    let (numbers, _) = replayed(&journal, journal.last_seq() - 10);
    assert_eq!(numbers.last(), Some(&60_000));
}

/// H5: a ring that was larger shrinks to its new bound, even by batches much smaller than those that must go.
#[test]
fn old_batches_go_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 30).journal;
    for number in 1..=10 {
        journal.append(&[entry(number..=number)], now()).unwrap();
    }
    journal.append(&[entry(11..=11)], now().plus(Duration::from_secs(25 * 3600))).unwrap();
    assert_eq!(replayed(&journal, 10), (vec![11], true));
    assert!(!replayed(&journal, 9).1);
}

/// A newer program's journal is refused and not touched.
#[test]
fn newer_files_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let mut journal = open(folder.path(), 1 << 20).journal;
    journal.append(&[entry(1..=3)], now()).unwrap();
    let newer = migrate::FORMAT + 1;
    meta::put(journal.connection(), meta::OPENS_FROM, &newer.to_string()).unwrap();
    journal.connection().pragma_update(None, "user_version", newer).unwrap();
    drop(journal);
    let before = fs::read(&path).unwrap();
    let error = Journal::open(folder.path(), bounds(1 << 20), now()).unwrap_err();
    assert!(matches!(error, JournalError::Newer(found) if found == newer), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// Not a test by itself: what [`killed_at_any_instant`] kills. Does nothing unless it is told where to write.
#[test]
fn writes_until_killed() {
    let Some(folder) = std::env::var_os(KILL_FOLDER) else { return };
    let mut journal = open(Path::new(&folder), 64 << 10).journal;
    let mut next = position(&journal).unwrap_or(0) + 1;
    let mut saved = journal.checkpoints().unwrap().first().map_or(0, |row| row.seq);
    loop {
        let entries: Vec<Entry> =
            (0..next % 4 + 1).map(|batch| entry(next + batch * 5..=next + batch * 5 + 4)).collect();
        next += 5 * entries.len() as u64;
        journal.append(&entries, now()).unwrap();
        // Through kills too, or what a run has written since counts for nothing, and the ring goes round.
        if journal.last_seq() - saved >= 8 {
            saved = journal.last_seq();
            journal.put_checkpoint(saved, now(), &(next - 1).to_string()).unwrap();
        }
    }
}

/// H4: killed at any instant, the file holds a prefix: the positions are those of the last event, the checkpoint is
/// true at its batch, and no event is missing or twice in between.
#[test]
fn killed_at_any_instant() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..30u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::tests::writes_until_killed", "--nocapture"])
            .env(KILL_FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // The instants are spread over start, migration, and some hundred transactions.
        std::thread::sleep(Duration::from_millis(4 + round * 37 % 61));
        child.kill().unwrap();
        child.wait().unwrap();
        let opened = open(folder.path(), 64 << 10);
        assert_eq!(opened.set_aside, None, "round {round}");
        let journal = opened.journal;
        let Some(at) = position(&journal) else { continue };
        assert!(at >= last, "round {round}: {at} after {last}");
        last = at;
        let checkpoints = journal.checkpoints().unwrap();
        let (seq, saved) = checkpoints.first().map_or((0, 0), |row| (row.seq, row.body.parse::<u64>().unwrap()));
        let (numbers, is_whole) = replayed(&journal, seq);
        if seq > 0 {
            assert!(is_whole, "round {round}: the ring let go of what the checkpoint needs");
            assert_eq!(
                numbers,
                (saved + 1..=at).collect::<Vec<_>>(),
                "round {round}: checkpoint {saved}, position {at}"
            );
        }
        let all = replayed(&journal, (journal.last_seq() - 3).max(0)).0;
        assert_eq!(all.last().copied().unwrap_or(saved), at, "round {round}");
    }
    assert!(last > 100, "the child wrote hardly anything: {last}");
}

/// H5: what was on the glass is kept within its bound of bytes and of age, as it is written.
#[test]
fn the_glass_is_kept_within_its_bounds() {
    let day = Duration::from_secs(86_400);
    let record = |at: Timestamp| Record { at, kind: glass::Kind::Key, body: vec![7; 1000] };
    let oldest = |journal: &Journal| glass::range(journal.connection()).unwrap().unwrap()[0].0;
    let begun = now();
    for (bounds, left) in [
        // Four of 1,080 bytes; a stretch that reaches into the last day; the same of a week.
        (Bounds { glass_bytes_max: 5000, ..Bounds::default() }, 4),
        (Bounds { glass_age_max: day, ..Bounds::default() }, 3),
        (Bounds::default(), 10),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), bounds, begun).unwrap().journal;
        for number in 0..30 {
            let at = begun.plus(Duration::from_secs(20 * 3600) * number);
            journal.put_glass(&record(at), at).unwrap();
        }
        assert_eq!(30 - oldest(&journal) + 1, left);
    }
}

/// H5: a ring of many tiny batches stays within its bound when large ones come, and one that is too large comes down although no
/// event comes.
#[test]
fn batches_are_bounded_whatever_came_before() {
    let sized = |bytes: usize| {
        let received = now();
        let batch =
            Batch { source: "ops".into(), kind: batch::Kind::Events, received, events: 1, body: "x".repeat(bytes) };
        Entry { batch, positions: PositionChange::Advance(Vec::new()) }
    };
    let ring_bytes = |journal: &Journal| batch::ends(journal.connection()).unwrap().bytes;
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 20).journal;
    for _ in 0..20 {
        journal.append(&vec![sized(1); 1000], now()).unwrap();
    }
    for _ in 0..20 {
        journal.append(&[sized(100_000)], now()).unwrap();
        assert!(ring_bytes(&journal) <= 1 << 20, "{}", ring_bytes(&journal));
    }
    drop(journal);
    let mut journal = open(folder.path(), 1 << 30).journal;
    journal.append(&vec![sized(1); 50_000], now()).unwrap();
    drop(journal);
    let mut journal = open(folder.path(), 1 << 20).journal;
    for number in 1..=4 {
        journal.put_glass(&Record { at: now(), kind: glass::Kind::Delta, body: vec![1] }, now()).unwrap();
        assert!(number < 4 || ring_bytes(&journal) <= 1 << 20, "{}", ring_bytes(&journal));
    }
    assert!(journal.replay(journal.last_seq(), |_| Ok(())).unwrap());
}

/// H5: a record of the glass that is far beyond its bound, as after a quiet week and then a busy board, is within it a few records
/// later, and not only when the next key comes.
#[test]
fn the_glass_comes_down_to_its_bound_soon() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), Bounds::default(), now()).unwrap().journal;
    let record = |kind, bytes: usize| Record { at: now(), kind, body: vec![7; bytes] };
    for number in 0..1000 {
        journal
            .put_glass(&record(if number % 5 == 0 { glass::Kind::Key } else { glass::Kind::Delta }, 100), now())
            .unwrap();
    }
    for _ in 0..10 {
        journal.put_glass(&record(glass::Kind::Key, 1 << 20), now()).unwrap();
    }
    drop(journal);
    let bounds = Bounds { glass_bytes_max: 4 << 20, ..Bounds::default() };
    let mut journal = Journal::open(folder.path(), bounds, now()).unwrap().journal;
    for _ in 0..4 {
        journal.put_glass(&record(glass::Kind::Delta, 100), now()).unwrap();
    }
    let bytes: i64 =
        journal.connection().query_row("SELECT SUM(LENGTH(body)) FROM glass", [], |row| row.get(0)).unwrap();
    assert!(bytes < 4 << 20, "{bytes}");
}
