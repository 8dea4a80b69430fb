//! The board's state, with the number of the newest batch folded into it. The newest two are kept, so that one that
//! can't be read costs time and not the state.

use rusqlite::{Connection, Result};
use watchfloor_model::Timestamp;

use super::sum::{self, Sum};
use crate::journal::JournalError;

/// Creates the table. `body` is JSON.
pub(crate) const CREATE: &str =
    "CREATE TABLE checkpoint (seq INTEGER PRIMARY KEY, taken_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT;";

/// Checkpoints kept.
const KEPT_MAX: u32 = 2;

/// One checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The newest batch folded into it.
    pub(crate) seq: i64,
    /// The state.
    pub(crate) body: String,
}

/// Keeps a checkpoint, and lets the oldest go.
pub(crate) fn put(connection: &Connection, seq: i64, taken: Timestamp, body: &str) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO checkpoint (seq, taken_ms, body, sum) VALUES (?1, ?2, ?3, ?4)")?
        .execute((seq, taken.as_millis(), body, sum_of(seq, taken.as_millis(), body).bytes()))?;
    connection
        .prepare_cached(
            "DELETE FROM checkpoint WHERE seq NOT IN (SELECT seq FROM checkpoint ORDER BY seq DESC LIMIT ?1)",
        )?
        .execute([KEPT_MAX])?;
    Ok(())
}

fn sum_of(seq: i64, taken: i64, body: &str) -> Sum {
    Sum::of("checkpoint").number(seq).number(taken).text(body)
}

/// All, newest first.
///
/// # Errors
/// If one isn't what was written.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Row>, JournalError> {
    let sum = sum::column(connection, "checkpoint")?;
    let all = format!("SELECT seq, body, taken_ms, {sum} FROM checkpoint ORDER BY seq DESC");
    let mut statement = connection.prepare_cached(&all)?;
    let (mut rows, mut found) = (statement.query([])?, Vec::new());
    while let Some(row) = rows.next()? {
        let (seq, body): (i64, String) = (row.get(0)?, row.get(1)?);
        sum_of(seq, row.get(2)?, &body).check(row.get(3)?, || format!("the state saved at batch {seq}"))?;
        found.push(Row { seq, body });
    }
    Ok(found)
}

/// Number of the newest, 0 if there is none.
pub(crate) fn newest_seq(connection: &Connection) -> Result<i64> {
    connection.query_row("SELECT COALESCE(MAX(seq), 0) FROM checkpoint", [], |row| row.get(0))
}

/// When the newest was taken.
pub(crate) fn newest_taken(connection: &Connection) -> Result<Option<Timestamp>> {
    let taken: Option<i64> = connection.query_row("SELECT MAX(taken_ms) FROM checkpoint", [], |row| row.get(0))?;
    Ok(taken.map(Timestamp::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H5: two are kept, the newest of all.
    #[test]
    fn newest_two_are_kept() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::journal::migrate::migrate(&mut connection).unwrap();
        assert_eq!(newest_seq(&connection).unwrap(), 0);
        for seq in [3, 9, 7] {
            put(&connection, seq, Timestamp::from_millis(seq), &format!("body {seq}")).unwrap();
        }
        put(&connection, 9, Timestamp::from_millis(10), "body 9 again").unwrap();
        let row = |seq, body: &str| Row { seq, body: body.into() };
        assert_eq!(all(&connection).unwrap(), [row(9, "body 9 again"), row(7, "body 7")]);
        assert_eq!(newest_seq(&connection).unwrap(), 9);
    }
}
