//! The resume position of each channel: what the newest batch leads to. Written in the batch's own transaction.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, Result};
use watchfloor_model::Position;

use super::sum::{self, Sum};
use crate::journal::JournalError;

/// Creates the table. A position is written `epoch:offset`.
pub(crate) const CREATE: &str = "CREATE TABLE position (
    source TEXT NOT NULL, channel TEXT NOT NULL, position TEXT NOT NULL, PRIMARY KEY (source, channel)
) STRICT, WITHOUT ROWID;";

/// Positions by source and channel.
pub(crate) type Positions = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Position>>;

/// Moves one channel to `position`.
pub(crate) fn put(connection: &Connection, source: &str, channel: &str, position: &Position) -> Result<()> {
    let text = position.to_string();
    connection
        .prepare_cached(
            "INSERT INTO position (source, channel, position, sum) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (source, channel) DO UPDATE SET position = excluded.position, sum = excluded.sum",
        )?
        .execute((source, channel, &text, sum_of(source, channel, &text).bytes()))?;
    Ok(())
}

fn sum_of(source: &str, channel: &str, position: &str) -> Sum {
    Sum::of("position").text(source).text(channel).text(position)
}

/// Forgets every position of `source`.
pub(crate) fn forget(connection: &Connection, source: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM position WHERE source = ?1")?.execute([source])?;
    Ok(())
}

/// Forgets every position of every source.
pub(crate) fn forget_all(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM position", [])?;
    Ok(())
}

/// Every position. A text that isn't one is left out, as if the channel had never been heard: the server is asked again.
///
/// # Errors
/// If one isn't what was written.
pub(crate) fn all(connection: &Connection) -> Result<Positions, JournalError> {
    let mut positions = Positions::new();
    let sum = sum::column(connection, "position")?;
    let all = format!("SELECT source, channel, position, {sum} FROM position");
    let mut statement = connection.prepare_cached(&all)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (source, channel, text): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        sum_of(&source, &channel, &text).check(row.get(3)?, || format!("the position of {channel} of {source}"))?;
        if let Ok(position) = text.parse() {
            positions.entry(source.into()).or_default().insert(channel.into(), position);
        }
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H4: a restart finds the newest position of each channel, and none of a source that was forgotten.
    #[test]
    fn newest_wins_and_sources_are_apart() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::journal::migrate::migrate(&mut connection).unwrap();
        for (source, channel, offset) in [("a", "x", 1), ("a", "x", 2), ("a", "y", 7), ("b", "x", 9)] {
            put(&connection, source, channel, &Position::new("e", offset)).unwrap();
        }
        connection.execute("INSERT INTO position VALUES ('b', 'z', 'no position', NULL)", []).unwrap();
        let show = |connection: &Connection| {
            let all = all(connection).unwrap();
            let texts = all.iter().flat_map(|(source, channels)| {
                channels.iter().map(move |(channel, position)| format!("{source} {channel} {position}"))
            });
            texts.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(show(&connection), "a x e:2, a y e:7, b x e:9");
        forget(&connection, "a").unwrap();
        assert_eq!(show(&connection), "b x e:9");
        forget_all(&connection).unwrap();
        assert_eq!(show(&connection), "");
    }
    /// H4: an older program that goes on with the journal replaces positions and knows nothing of sums: that is no damage.
    #[test]
    fn positions_of_an_older_program_are_no_damage() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::journal::migrate::migrate(&mut connection).unwrap();
        let offset = |connection: &Connection| all(connection).unwrap()["a"]["x"].offset;
        put(&connection, "a", "x", &Position::new("e", 1)).unwrap();
        let older = "INSERT INTO position (source, channel, position) VALUES ('a', 'x', 'e:2')
                     ON CONFLICT (source, channel) DO UPDATE SET position = excluded.position";
        connection.execute(older, []).unwrap();
        assert_eq!(offset(&connection), 2);
        for _ in 0..2 {
            put(&connection, "a", "x", &Position::new("e", 3)).unwrap();
            assert_eq!(offset(&connection), 3);
        }
        let sums: i64 = connection.query_row("SELECT COUNT(sum) FROM position", [], |row| row.get(0)).unwrap();
        assert_eq!(sums, 1, "it has one again");
    }
}
