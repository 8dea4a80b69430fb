//! The resume position of each channel: what the newest batch leads to. Written in the batch's own transaction.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, Result};
use watchfloor_model::Position;

/// Creates the table. A position is written `epoch:offset`.
pub(crate) const CREATE: &str = "CREATE TABLE position (
    source TEXT NOT NULL, channel TEXT NOT NULL, position TEXT NOT NULL, PRIMARY KEY (source, channel)
) STRICT, WITHOUT ROWID;";

/// Positions by source and channel.
pub(crate) type Positions = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Position>>;

/// Moves one channel to `position`.
pub(crate) fn put(connection: &Connection, source: &str, channel: &str, position: &Position) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO position (source, channel, position) VALUES (?1, ?2, ?3)
             ON CONFLICT (source, channel) DO UPDATE SET position = excluded.position",
        )?
        .execute((source, channel, position.to_string()))?;
    Ok(())
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
pub(crate) fn all(connection: &Connection) -> Result<Positions> {
    let mut positions = Positions::new();
    let mut statement = connection.prepare_cached("SELECT source, channel, position FROM position")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (source, channel, text): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
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
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(CREATE).unwrap();
        for (source, channel, offset) in [("a", "x", 1), ("a", "x", 2), ("a", "y", 7), ("b", "x", 9)] {
            put(&connection, source, channel, &Position::new("e", offset)).unwrap();
        }
        connection.execute("INSERT INTO position VALUES ('b', 'z', 'no position')", []).unwrap();
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
}
