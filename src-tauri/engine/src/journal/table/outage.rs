//! Stretches in which a source was not live: a ring bounded by count.

use rusqlite::{Connection, OptionalExtension, Result, Row};
use watchfloor_model::{Continuity, Timestamp};

use crate::outages::{KEPT_MAX, Outage};

/// Creates the table. `proof` is the word of [`Continuity`].
pub(crate) const CREATE: &str = "CREATE TABLE outage (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, began_ms INTEGER NOT NULL, ended_ms INTEGER,
    source_began_ms INTEGER, source_ended_ms INTEGER, cause TEXT NOT NULL, proof TEXT, missed INTEGER
) STRICT;";

/// Writes an outage, in place of what was known of it before, and lets the oldest go.
pub(crate) fn put(connection: &Connection, outage: &Outage) -> Result<()> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
    connection.prepare_cached("INSERT OR REPLACE INTO outage VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
        (
            outage.id,
            &*outage.source,
            outage.began.as_millis(),
            millis(outage.ended),
            millis(outage.source_began),
            millis(outage.source_ended),
            &outage.cause,
            outage.proof.map(Continuity::word),
            outage.missed.and_then(|missed| i64::try_from(missed).ok()),
        ),
    )?;
    connection
        .prepare_cached("DELETE FROM outage WHERE id <= (SELECT MAX(id) FROM outage) - ?1")?
        .execute([i64::try_from(KEPT_MAX).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// All, oldest first.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Outage>> {
    connection.prepare_cached("SELECT * FROM outage ORDER BY id")?.query_map([], outage)?.collect()
}

/// When the newest that is over ended.
pub(crate) fn newest_ended(connection: &Connection) -> Result<Option<Timestamp>> {
    let newest = "SELECT ended_ms FROM outage WHERE ended_ms IS NOT NULL ORDER BY id DESC LIMIT 1";
    Ok(connection.query_row(newest, [], |row| row.get(0)).optional()?.map(Timestamp::from_millis))
}

fn outage(row: &Row<'_>) -> Result<Outage> {
    let instant = |at: Option<i64>| at.map(Timestamp::from_millis);
    let proof: Option<String> = row.get(7)?;
    let words = [Continuity::Unknown, Continuity::Proven, Continuity::Snapshot];
    Ok(Outage {
        id: row.get(0)?,
        source: row.get::<_, String>(1)?.into(),
        began: Timestamp::from_millis(row.get(2)?),
        ended: instant(row.get(3)?),
        source_began: instant(row.get(4)?),
        source_ended: instant(row.get(5)?),
        cause: row.get(6)?,
        // A word of another program's says that something was missed, and nothing more.
        proof: proof.map(|text| words.into_iter().find(|word| word.word() == text).unwrap_or_default()),
        missed: row.get::<_, Option<i64>>(8)?.and_then(|missed| u64::try_from(missed).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage(id: i64) -> Outage {
        Outage {
            id,
            source: "ops".into(),
            began: Timestamp::from_millis(id),
            ended: (id % 2 == 0).then(|| Timestamp::from_millis(id + 1)),
            source_began: Some(Timestamp::from_millis(-id)),
            source_ended: None,
            cause: "connection reset".into(),
            proof: [None, Some(Continuity::Proven), Some(Continuity::Snapshot), Some(Continuity::Unknown)]
                [usize::try_from(id % 4).unwrap()],
            missed: (id % 3 == 0).then_some(7),
        }
    }

    /// H4, H5: what was written comes back, a newer word replaces an older one, and the newest stay.
    #[test]
    fn the_newest_come_back() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(CREATE).unwrap();
        let count = i64::try_from(KEPT_MAX).unwrap() + 5;
        for id in 1..=count {
            put(&connection, &Outage { ended: None, ..outage(id) }).unwrap();
            put(&connection, &outage(id)).unwrap();
        }
        assert_eq!(all(&connection).unwrap(), (6..=count).map(outage).collect::<Vec<_>>());
        connection.execute("UPDATE outage SET proof = 'hearsay' WHERE id = 6", []).unwrap();
        assert_eq!(all(&connection).unwrap()[0].proof, Some(Continuity::Unknown));
    }
}
