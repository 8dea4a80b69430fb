//! The check of a row: a hash of all that it says.
//!
//! SQLite finds a damaged page only where its structure is: a digit that has become another is as good as what was written. What the
//! wall goes on from is shown as proven, so each row carries a hash of itself, and one that doesn't fit is damage.

use rusqlite::{Connection, OptionalExtension, Result};
use sha2::{Digest, Sha256};

use crate::journal::JournalError;

/// Adds the column, empty in rows of older programs: those can't be checked.
pub(crate) const ADD: &str = "ALTER TABLE batch ADD COLUMN sum BLOB;
ALTER TABLE checkpoint ADD COLUMN sum BLOB;
ALTER TABLE position ADD COLUMN sum BLOB;";

/// An older program that goes on with this journal replaces a position and leaves the sum: the row then has none.
pub(crate) const FORGET_BY_OLDER: &str = "CREATE TRIGGER position_by_older AFTER UPDATE OF position ON position
WHEN NEW.position IS NOT OLD.position AND NEW.sum IS OLD.sum
BEGIN UPDATE position SET sum = NULL WHERE source = NEW.source AND channel = NEW.channel; END;";

/// Bytes of a SHA-256 that are kept: nobody is kept from making one, only chance.
const BYTES: usize = 16;

/// A row's hash.
#[derive(Debug)]
pub(crate) struct Sum(Sha256);

impl Sum {
    /// Of a row of this table.
    pub(crate) fn of(table: &str) -> Self {
        Self(Sha256::new()).text(table)
    }

    pub(crate) fn number(mut self, number: i64) -> Self {
        self.0.update(number.to_le_bytes());
        self
    }

    /// Preceded by its length, so that two texts can't pass for two others.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    pub(crate) fn bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes.iter_mut().zip(self.0.finalize()).for_each(|(byte, of)| *byte = of);
        bytes
    }

    /// Whether the row carries this sum, or none.
    ///
    /// # Errors
    /// If it carries another: it isn't what was written.
    pub(crate) fn check(self, carried: Option<Vec<u8>>, what: impl FnOnce() -> String) -> Result<(), JournalError> {
        match carried {
            Some(carried) if carried != self.bytes() => {
                Err(JournalError::Damaged(format!("{} isn't what was written", what())))
            }
            _ => Ok(()),
        }
    }
}

/// How a table's sums are read. A journal of an older program that can't be written hasn't got them.
pub(crate) fn column(connection: &Connection, table: &str) -> Result<&'static str> {
    let known = "SELECT 1 FROM pragma_table_info(?1) WHERE name = 'sum'";
    let known: Option<i64> = connection.prepare_cached(known)?.query_row([table], |row| row.get(0)).optional()?;
    Ok(if known.is_some() { "sum" } else { "NULL" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever changes, the sum does; a row without one is believed.
    #[test]
    fn sums_tell_rows_apart() {
        let sums = [
            Sum::of("a").text("bc").number(1),
            Sum::of("ab").text("c").number(1),
            Sum::of("a").text("b").text("c").number(1),
            Sum::of("a").text("bc").number(2),
        ]
        .map(Sum::bytes);
        for (at, sum) in sums.iter().enumerate() {
            assert!(sums.iter().skip(at + 1).all(|other| other != sum));
            let check = |carried| Sum::of("a").text("bc").number(1).check(carried, || "the row".into());
            assert_eq!(check(Some(sum.to_vec())).is_ok(), at == 0);
            assert!(check(None).is_ok());
        }
        let error = Sum::of("a").check(Some(Vec::new()), || "the row".into()).unwrap_err();
        assert!(error.is_damage() && error.to_string() == "the row isn't what was written", "{error}");
    }
}
