//! What is damage, what isn't, and what becomes of a damaged journal.

use super::*;

/// A damaged journal is kept aside and told, whatever the damage, and a new one is begun.
#[test]
fn damaged_files_are_set_aside() {
    let garbage: &[(&str, &[u8])] =
        &[("garbage", &[0xa5; 8192]), ("text", b"this is not a database, but long enough to be one\n")];
    for (name, bytes) in garbage {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), bytes).unwrap();
        let opened = open(folder.path(), 1 << 20);
        let (kept, reason) = opened.set_aside.unwrap_or_else(|| panic!("{name} was taken for a journal"));
        assert_eq!(&fs::read(&kept).unwrap(), bytes, "{name}: {reason}");
        assert_eq!(position(&opened.journal), None);
    }
    let folder = tempfile::tempdir().unwrap();
    let foreign = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(foreign);
    assert!(open(folder.path(), 1 << 20).set_aside.is_some(), "a foreign database was taken for a journal");
}

/// A file cut short in the middle is found, at the latest by reading it.
#[test]
fn truncated_files_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let mut journal = open(folder.path(), 1 << 24).journal;
    for round in 0..100u64 {
        journal.append(&[entry(round * 100 + 1..=round * 100 + 100)], now()).unwrap();
    }
    drop(journal);
    let bytes = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes / 2).unwrap();
    let opened = open(folder.path(), 1 << 24);
    let found = match opened.set_aside {
        Some(_) => true,
        None => opened.journal.replay(0, |_| Ok(())).is_err_and(|error| error.is_damage()),
    };
    assert!(found);
}

/// Wrong bytes inside a cell, which SQLite doesn't look into, are damage as well: a text that is none, a number that is none.
#[test]
fn damaged_cells_are_damage() {
    for damage in [
        "UPDATE checkpoint SET body = CAST(x'7ba5a5a5' AS TEXT)",
        "UPDATE position SET channel = CAST(x'a5a5' AS TEXT)",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), 1 << 20).journal;
        journal.append(&[entry(1..=3)], now()).unwrap();
        journal.put_checkpoint(1, now(), "3").unwrap();
        journal.connection().execute(damage, []).unwrap();
        let found = journal.checkpoints().map(|_| ()).and_then(|()| journal.positions().map(|_| ()));
        let error = found.expect_err(damage);
        assert!(error.is_damage(), "{damage}: {error}");
    }
}

/// H1, H3: whatever value changes of a row that the wall goes on from, it is damage: a digit that has become another would be shown
/// as proven. The journal is set aside, said, and nothing of it is shown.
#[test]
fn a_changed_value_is_damage() {
    const BOARD: &str = include_str!("../../../../../tests/boards/counter.toml");
    let file = watchfloor_board::config::parse(BOARD, "board.toml").unwrap();
    for change in [
        "UPDATE batch SET body = REPLACE(body, '5', '6') WHERE seq = 2",
        "UPDATE batch SET source = 'opt' WHERE seq = 2",
        "UPDATE batch SET kind = 4 WHERE seq = 2",
        "UPDATE batch SET received_ms = received_ms + 1 WHERE seq = 2",
        "UPDATE batch SET events = events + 1 WHERE seq = 2",
        "UPDATE batch SET sum = x'00' WHERE seq = 2",
        "UPDATE checkpoint SET body = REPLACE(body, '3', '8')",
        "UPDATE checkpoint SET taken_ms = taken_ms + 1",
        "UPDATE checkpoint SET seq = 0",
        "UPDATE position SET position = 'e:4'",
        "UPDATE position SET channel = 'y'",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), 1 << 20).journal;
        journal.append(&[entry(1..=3)], now()).unwrap();
        journal.put_checkpoint(1, now(), "3").unwrap();
        journal.append(&[entry(4..=5)], now()).unwrap();
        // Bytes in the file change without what SQLite does beside.
        journal.connection().execute_batch("DROP TRIGGER position_by_older").unwrap();
        assert_eq!(journal.connection().execute(change, []).unwrap(), 1, "{change}");
        drop(journal);
        let restored = crate::restore::restore(folder.path(), bounds(1 << 20), &file, Clock::start()).unwrap();
        let notice = restored.notice.unwrap_or_else(|| panic!("not found: {change}"));
        assert!(notice.text.contains("a new one was begun"), "{change}: {notice:?}");
        assert!(notice.detail[0].ends_with("isn't what was written"), "{change}: {notice:?}");
        assert!(restored.positions.is_empty(), "{change}");
    }
}

/// H4: a journal of an older program, whose rows carry no sums, is gone on with, also where it can't be written.
#[test]
fn a_journal_without_sums_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let older = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    migrate::tests::of_format(&older, 3);
    let entry = entry(1..=3);
    older
        .execute("INSERT INTO batch VALUES (1, 'ops', 1, ?1, 3, 100, 100, ?2)", (now().as_millis(), &entry.batch.body))
        .unwrap();
    older
        .execute_batch("INSERT INTO position VALUES ('ops', 'x', 'e:3'); INSERT INTO checkpoint VALUES (1, 0, '3')")
        .unwrap();
    drop(older);
    let check = |journal: &Journal, numbers: Vec<u64>| {
        assert_eq!((replayed(journal, 0), position(journal)), ((numbers.clone(), true), numbers.last().copied()));
        assert_eq!(journal.checkpoints().unwrap()[0].body, "3");
    };
    check(&Journal::read(folder.path(), bounds(1 << 20)).unwrap(), vec![1, 2, 3]);
    let opened = open(folder.path(), 1 << 20);
    assert_eq!(opened.set_aside, None);
    let mut journal = opened.journal;
    journal.append(&[self::entry(4..=4)], now()).unwrap();
    check(&journal, vec![1, 2, 3, 4]);
}

/// H4: what the disk says isn't what the file is: a read error alone is no damage, nor is a disk that is full, read-only or gone.
/// What SQLite itself finds in the file is.
#[test]
fn errors_of_the_disk_are_no_damage() {
    let failure = |code| JournalError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
        assert!(failure(code).is_damage() && !failure(code).is_unreadable(), "{code}");
    }
    for code in [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ] {
        assert!(!failure(code).is_damage() && failure(code).is_unreadable(), "{code}");
    }
    for code in
        [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_FULL, ffi::SQLITE_READONLY, ffi::SQLITE_CANTOPEN, ffi::SQLITE_BUSY]
    {
        assert!(!failure(code).is_damage() && !failure(code).is_unreadable(), "{code}");
    }
}

/// H4: a journal is not given up for one that can't be begun: it is where it was.
#[test]
fn what_cannot_be_replaced_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), 1 << 20).journal;
    journal.append(&[entry(1..=3)], now()).unwrap();
    drop(journal);
    let before = fs::read(folder.path().join(FILE_NAME)).unwrap();
    // SQLite keeps from beginning a file beside this.
    let obstacle = folder.path().join("journal.db-journal");
    fs::create_dir(&obstacle).unwrap();
    fs::write(obstacle.join("x"), "x").unwrap();
    for _ in 0..4 {
        Journal::replace(folder.path(), bounds(1 << 20), now(), "it is garbage").unwrap_err();
    }
    assert_eq!(fs::read(folder.path().join(FILE_NAME)).unwrap(), before);
    fs::remove_dir_all(&obstacle).unwrap();
    assert_eq!(position(&open(folder.path(), 1 << 20).journal), Some(3));
    let names = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with(aside::PREFIX)).count(), 0);
}

/// H5: of damaged journals, the newest three are kept.
#[test]
fn few_damaged_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..6 {
        fs::write(folder.path().join(FILE_NAME), format!("not a database {number}").repeat(100)).unwrap();
        let at = Timestamp::from_millis(1_360_000_000_000 + number);
        Journal::open(folder.path(), bounds(1 << 20), at).unwrap();
    }
    let mut kept: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(aside::PREFIX))
        .collect();
    kept.sort();
    let expected: Vec<String> =
        (3..6).map(|number| format!("journal-damaged-20130204T174640{number:03}Z.db")).collect();
    assert_eq!(kept, expected);
}
