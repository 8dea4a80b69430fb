//! A journal that can't be written: on a disk that is read-only, or full. It is read all the same, for what it knows.

use std::{fs, path::Path};

use rusqlite::{Connection, ErrorCode, OpenFlags, Result};

use super::{JournalError, LOG, beside, is_ours};

const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
/// SQLite's word for a file that nobody writes.
const NOBODY_WRITES: &str = "immutable=1";
/// SQLite's word for a file that needs no locks.
#[cfg(unix)]
const NEEDS_NO_LOCKS: &str = "vfs=unix-none";

/// Opens the journal at `path` by a connection that can't write, beside whoever writes it or where nobody can.
///
/// SQLite wants its shared memory beside the file, also for reading, and makes it if it can. Where that is refused there can be no
/// writer either, and it isn't needed.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    match probed(Connection::open_with_flags(path, READ_ONLY)?) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => alone(path).unwrap_or(Err(error)),
        opened => opened,
    }
}

/// The same of a journal of this program's.
///
/// # Errors
/// If it can't be read, is for newer programs only, or something else.
pub(crate) fn ours(path: &Path) -> std::result::Result<Connection, JournalError> {
    let connection = open(path)?;
    is_ours(&connection)?;
    Ok(connection)
}

/// The same without shared memory. None if there may be a writer.
fn alone(path: &Path) -> Option<Result<Connection>> {
    let log_bytes = fs::metadata(beside(path, LOG)).map_or(0, |log| log.len());
    if log_bytes == 0 {
        return Some(open_as(path, NOBODY_WRITES).and_then(probed));
    }
    if beside(path, "-shm").exists() {
        return None;
    }
    // The file without its log may be between two states: both are needed.
    #[cfg(unix)]
    return Some(open_as(path, NEEDS_NO_LOCKS).and_then(|connection| {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        probed(connection)
    }));
    #[cfg(not(unix))]
    None
}

fn open_as(path: &Path, word: &str) -> Result<Connection> {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Connection::open_with_flags(format!("file:{path}?{word}"), READ_ONLY.union(OpenFlags::SQLITE_OPEN_URI))
}

/// Nothing is really opened before something is read.
fn probed(connection: Connection) -> Result<Connection> {
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::migrate;

    /// Names the folder that [`reads_there`] reads.
    const FOLDER: &str = "WATCHFLOOR_TEST_UNWRITTEN_FOLDER";

    /// A journal of one committed change in the file, and one in the log.
    fn journal(folder: &Path) -> Connection {
        let mut connection = Connection::open(folder.join("journal.db")).unwrap();
        let _mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).unwrap();
        migrate::migrate(&mut connection).unwrap();
        put(&connection, "a");
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        connection
    }

    fn put(connection: &Connection, key: &str) {
        crate::journal::table::meta::put(connection, key, "put").unwrap();
    }

    fn keys(connection: &Connection) -> String {
        let all = "SELECT GROUP_CONCAT(key, ' ') FROM (SELECT key FROM meta WHERE value = 'put' ORDER BY key)";
        connection.query_row(all, [], |row| row.get(0)).unwrap()
    }

    /// Beside a writer the newest that is committed is seen, and nothing can be written.
    #[test]
    fn reads_beside_a_writer() {
        let folder = tempfile::tempdir().unwrap();
        let writer = journal(folder.path());
        let reader = open(&folder.path().join("journal.db")).unwrap();
        put(&writer, "b");
        assert_eq!(keys(&reader), "a b");
        assert!(reader.execute("DELETE FROM meta", []).is_err());
    }

    /// A file whose name means something in an address is the same file.
    #[test]
    fn names_are_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("50%?#");
        fs::create_dir(&odd).unwrap();
        drop(journal(&odd));
        let connection = open_as(&odd.join("journal.db"), NOBODY_WRITES).and_then(probed).unwrap();
        assert_eq!(keys(&connection), "a");
    }

    /// Not a test by itself: reads what [`reads_where_nobody_can_write`] has left. Does nothing unless it is told where.
    #[test]
    fn reads_there() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        for (name, expected) in [("closed", "a b"), ("killed", "a b"), ("copied", "a b")] {
            let path = Path::new(&folder).join(name).join("journal.db");
            assert!(fs::File::options().append(true).open(&path).is_err(), "this disk can be written");
            assert_eq!(keys(&open(&path).unwrap()), expected, "{name}");
        }
    }

    /// H4: on a read-only disk everything that was committed is there, whether the journal was closed, its writer was killed, or it
    /// was copied with its log. Needs a mount of its own, and says so where there is none.
    #[cfg(target_os = "linux")]
    #[test]
    fn reads_where_nobody_can_write() {
        use std::process::{Command, Stdio};

        let folder = tempfile::tempdir().unwrap();
        let all = folder.path();
        for name in ["closed", "killed", "copied"] {
            fs::create_dir(all.join(name)).unwrap();
        }
        let writer = journal(all);
        put(&writer, "b");
        for (end, names) in
            [("", ["killed", "copied"].as_slice()), ("-wal", &["killed", "copied"]), ("-shm", &["killed"])]
        {
            for name in names {
                let file = format!("journal.db{end}");
                fs::copy(all.join(&file), all.join(name).join(&file)).unwrap();
            }
        }
        drop(writer);
        fs::copy(all.join("journal.db"), all.join("closed/journal.db")).unwrap();
        let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
        let test = std::env::current_exe().unwrap();
        let output = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg(all)
            .arg(test)
            .args(["--exact", "journal::unwritten::tests::reads_there", "--nocapture"])
            .env(FOLDER, all)
            .stdin(Stdio::null())
            .output();
        let Ok(output) = output else {
            println!("skipped: unshare, of util-linux, is missing");
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        if said.contains("unshare:") || said.contains("mount:") {
            println!("skipped: no mounts of one's own here: {said}");
            return;
        }
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
}
