//! How a journal of an older program becomes one of this, and which programs may open the result.

use rusqlite::{Connection, Result};

use super::table::{alarm, batch, checkpoint, glass, meta, outage, position, sum};

/// Marks the file as a Watchfloor journal in its header: `WFLR`.
pub(crate) const APPLICATION_ID: i32 = 0x5746_4c52;

/// Whether a program that doesn't know a migration may still open the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OldPrograms {
    /// It would misread or damage it.
    Refused,
    /// It finds all that it knows as it knows it.
    Welcome,
}

/// One step of the format.
struct Migration {
    statements: &'static [&'static str],
    old_programs: OldPrograms,
}

/// Every step, oldest first. Steps are only ever added.
const MIGRATIONS: &[Migration] = &[
    Migration {
        statements: &[meta::CREATE, batch::CREATE, position::CREATE, checkpoint::CREATE],
        old_programs: OldPrograms::Refused,
    },
    Migration { statements: &[outage::CREATE], old_programs: OldPrograms::Welcome },
    Migration { statements: &[glass::CREATE], old_programs: OldPrograms::Welcome },
    Migration { statements: &[sum::ADD, sum::FORGET_BY_OLDER], old_programs: OldPrograms::Welcome },
    Migration { statements: &[alarm::CREATE], old_programs: OldPrograms::Welcome },
];

/// Steps that this program knows.
pub(crate) const FORMAT: u32 = MIGRATIONS.len() as u32;

/// What kind of file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A journal, or an empty file, that this program may use.
    Usable,
    /// A journal for newer programs only.
    Newer(u32),
    /// A database of something else.
    Foreign,
}

/// Looks without touching anything.
pub(crate) fn inspect(connection: &Connection) -> Result<Found> {
    let format: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && format == 0 {
        return Ok(Found::Usable);
    }
    if application != APPLICATION_ID {
        return Ok(Found::Foreign);
    }
    if format > FORMAT {
        let opens_from = meta::value(connection, meta::OPENS_FROM)?.and_then(|text| text.parse().ok());
        if opens_from.is_none_or(|from: u32| from > FORMAT) {
            return Ok(Found::Newer(format));
        }
    }
    Ok(Found::Usable)
}

/// Takes every step that the file lacks, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<()> {
    let format: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format >= FORMAT {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).skip(format as usize) {
        for statement in migration.statements {
            transaction.execute_batch(statement)?;
        }
        match migration.old_programs {
            OldPrograms::Refused => meta::put(&transaction, meta::OPENS_FROM, &number.to_string())?,
            OldPrograms::Welcome => (),
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn journal() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection
    }

    /// A journal as a program has left it that knew no more than `format` steps.
    pub(crate) fn of_format(connection: &Connection, format: u32) {
        for statement in MIGRATIONS.iter().take(format as usize).flat_map(|migration| migration.statements) {
            connection.execute_batch(statement).unwrap();
        }
        meta::put(connection, meta::OPENS_FROM, "1").unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", format).unwrap();
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = journal();
        assert_eq!(inspect(&connection).unwrap(), Found::Usable);
        migrate(&mut connection).unwrap();
        assert_eq!(inspect(&connection).unwrap(), Found::Usable);
    }

    /// A newer program says itself whether older ones may open its journal.
    #[test]
    fn newer_formats_are_refused_unless_they_allow_it() {
        let connection = journal();
        connection.pragma_update(None, "user_version", FORMAT + 1).unwrap();
        assert_eq!(inspect(&connection).unwrap(), Found::Usable, "opens-from is still {FORMAT}");
        meta::put(&connection, meta::OPENS_FROM, &(FORMAT + 1).to_string()).unwrap();
        assert_eq!(inspect(&connection).unwrap(), Found::Newer(FORMAT + 1));
    }

    #[test]
    fn foreign_databases_are_told_apart() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(inspect(&connection).unwrap(), Found::Usable, "empty");
        connection.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
        assert_eq!(inspect(&connection).unwrap(), Found::Foreign);
    }
}
