//! Facts about the file itself, by key.

use rusqlite::{Connection, OptionalExtension, Result};

/// Creates the table.
pub(crate) const CREATE: &str = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/// Which program may open the file: one that knows at least this many migrations. Decimal.
pub(crate) const OPENS_FROM: &str = "opens-from";

/// The version of the program that opened the file last.
pub(crate) const WRITTEN_BY: &str = "written-by";

/// Sets `key`.
pub(crate) fn put(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?
        .execute((key, value))?;
    Ok(())
}

/// Reads `key`.
pub(crate) fn value(connection: &Connection, key: &str) -> Result<Option<String>> {
    connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_value_wins() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(CREATE).unwrap();
        assert_eq!(value(&connection, "a").unwrap(), None);
        put(&connection, "a", "1").unwrap();
        put(&connection, "a", "2").unwrap();
        assert_eq!(value(&connection, "a").unwrap().as_deref(), Some("2"));
    }
}
