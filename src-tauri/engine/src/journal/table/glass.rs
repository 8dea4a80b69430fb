//! What was on the glass: records chained by hash, a ring bounded by age and bytes.
//!
//! A record is a key, which says everything, or a change to the one before. Each carries the SHA-256 of itself and of the hash
//! before it, so that whoever changes, removes or inserts one has to make every later one anew: who has written down a later hash
//! finds it. The oldest go as far as the next key, and the hash of the last of them stays, so that the chain still holds.

use rusqlite::{Connection, OptionalExtension, Result, Row as SqlRow};
use sha2::{Digest, Sha256};
use watchfloor_model::Timestamp;

use super::meta;

mod ring;

pub(crate) use ring::{Bound, prune};

/// Creates the table. `kind` is [`Kind::number`], `body` what `past::body` packs. Keys have an index of their own: reading begins at
/// one, and they are few.
pub(crate) const CREATE: &str = "CREATE TABLE glass (
    seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL, bytes_total INTEGER NOT NULL,
    hash BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX glass_key ON glass (seq, at_ms, bytes_total) WHERE kind <> 2;";

/// What a row costs besides its body, roughly, in bytes.
pub(crate) const ROW_BYTES: i64 = 80;
/// Number and hash of the newest record that went, as `seq:hex`.
const ANCHOR: &str = "glass-anchor";

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything, as every so often.
    Key,
    /// A change to the record before.
    Delta,
    /// Everything: the program has started.
    Start,
    /// Everything: records before this one could not be written.
    Hole,
}

impl Kind {
    /// The number that stands for it in the file. Never given to another kind.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Key => 1,
            Self::Delta => 2,
            Self::Start => 3,
            Self::Hole => 4,
        }
    }

    fn of(number: i64) -> Self {
        let all = [Self::Key, Self::Delta, Self::Start, Self::Hole];
        // What nobody knows can't be a key; its hash says whether it was changed.
        all.into_iter().find(|kind| kind.number() == number).unwrap_or(Self::Delta)
    }

    /// Whether reading may begin here.
    pub(crate) const fn is_key(self) -> bool {
        !matches!(self, Self::Delta)
    }
}

/// A record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it was taken, by this machine's wall clock.
    pub(crate) at: Timestamp,
    /// What it is.
    pub(crate) kind: Kind,
    /// What was on the glass, packed.
    pub(crate) body: Vec<u8>,
}

/// A record as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Counts up by one.
    pub(crate) seq: i64,
    /// The record.
    pub(crate) record: Record,
    /// The kind as it was written.
    number: i64,
    /// The hash that it carries.
    pub(crate) hash: Vec<u8>,
}

impl Row {
    /// Whether it is what was written after the record with the hash `before`.
    pub(crate) fn is_sound(&self, before: &Hash) -> bool {
        *self.hash == hash(before, self.seq, self.record.at, self.number, &self.record.body)
    }

    /// Its hash, by which the next one is checked: what it carries if that can be one.
    pub(crate) fn link(&self) -> Hash {
        self.hash.as_slice().try_into().unwrap_or_default()
    }
}

/// The newest end of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Number of the newest record, 0 if there never was one.
    pub(crate) seq: i64,
    /// Its hash.
    pub(crate) hash: Hash,
    /// Bytes of all records ever written, up to and including it.
    bytes_total: i64,
}

/// The hash of a record after one with the hash `before`.
fn hash(before: &Hash, seq: i64, at: Timestamp, kind: i64, body: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(before);
    for number in [seq, at.as_millis(), kind] {
        sha.update(number.to_le_bytes());
    }
    sha.update(body);
    sha.finalize().into()
}

/// The newest end of the chain.
pub(crate) fn head(connection: &Connection) -> Result<Head> {
    let newest = "SELECT seq, hash, bytes_total FROM glass ORDER BY seq DESC LIMIT 1";
    let head = connection.query_row(newest, [], |row| {
        let hash: Vec<u8> = row.get(1)?;
        Ok(Head { seq: row.get(0)?, hash: hash.as_slice().try_into().unwrap_or_default(), bytes_total: row.get(2)? })
    });
    Ok(head.optional()?.unwrap_or_default())
}

/// Appends a record. Answers the new end.
pub(crate) fn insert(connection: &Connection, head: &Head, record: &Record) -> Result<Head> {
    let seq = head.seq + 1;
    let hash = hash(&head.hash, seq, record.at, record.kind.number(), &record.body);
    let bytes = i64::try_from(record.body.len()).unwrap_or(i64::MAX / 4) + ROW_BYTES;
    let bytes_total = head.bytes_total.saturating_add(bytes);
    connection
        .prepare_cached(
            "INSERT INTO glass (seq, at_ms, kind, bytes_total, hash, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((seq, record.at.as_millis(), record.kind.number(), bytes_total, hash.as_slice(), &record.body))?;
    Ok(Head { seq, hash, bytes_total })
}

/// Number and hash of the record before the oldest one: what went, or the chain's beginning.
pub(crate) fn anchor(connection: &Connection) -> Result<(i64, Hash)> {
    let text = meta::value(connection, ANCHOR)?;
    let anchor = text.as_deref().and_then(|text| {
        let (seq, hash) = text.split_once(':')?;
        Some((seq.parse().ok()?, unhex(hash)?))
    });
    Ok(anchor.unwrap_or_default())
}

/// Number and time of the oldest and the newest record.
pub(crate) fn range(connection: &Connection) -> Result<Option<[(i64, Timestamp); 2]>> {
    let end = |order: &str| {
        connection
            .query_row(&format!("SELECT seq, at_ms FROM glass ORDER BY seq {order} LIMIT 1"), [], |row| {
                Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?)))
            })
            .optional()
    };
    Ok(end("ASC")?.zip(end("DESC")?).map(|(oldest, newest)| [oldest, newest]))
}

/// When the oldest was taken.
pub(crate) fn oldest_taken(connection: &Connection) -> Result<Option<Timestamp>> {
    let oldest = "SELECT at_ms FROM glass ORDER BY seq LIMIT 1";
    Ok(connection.query_row(oldest, [], |row| row.get(0)).optional()?.map(Timestamp::from_millis))
}

/// When the newest was taken.
pub(crate) fn newest_taken(connection: &Connection) -> Result<Option<Timestamp>> {
    let newest = "SELECT at_ms FROM glass ORDER BY seq DESC LIMIT 1";
    Ok(connection.query_row(newest, [], |row| row.get(0)).optional()?.map(Timestamp::from_millis))
}

/// Of the records `from` to `to`, whose times don't go back: number of the newest key taken at `at` or before, and when the newest
/// record was that was taken by then.
pub(crate) fn key_before(
    connection: &Connection,
    at: Timestamp,
    (from, to): (i64, i64),
) -> Result<Option<(i64, Timestamp)>> {
    let key =
        "SELECT seq FROM glass WHERE kind <> 2 AND seq BETWEEN ?2 AND ?3 AND at_ms <= ?1 ORDER BY seq DESC LIMIT 1";
    let key: Option<i64> =
        connection.prepare_cached(key)?.query_row((at.as_millis(), from, to), |row| row.get(0)).optional()?;
    let Some(key) = key else { return Ok(None) };
    // No further than to the next key, which was taken later.
    let newest = "SELECT MAX(at_ms) FROM glass WHERE seq BETWEEN ?2 AND ?3 AND at_ms <= ?1
                  AND seq < COALESCE((SELECT MIN(seq) FROM glass WHERE kind <> 2 AND seq > ?2), ?3 + 1)";
    let newest: Option<i64> =
        connection.prepare_cached(newest)?.query_row((at.as_millis(), key, to), |row| row.get(0))?;
    Ok(newest.map(|newest| (key, Timestamp::from_millis(newest))))
}

/// Numbers of the oldest and the newest key.
pub(crate) fn key_ends(connection: &Connection) -> Result<Option<(i64, i64)>> {
    let end = |order: &str| {
        let end = format!("SELECT seq FROM glass WHERE kind <> 2 ORDER BY seq {order} LIMIT 1");
        connection.prepare_cached(&end)?.query_row([], |row| row.get(0)).optional()
    };
    Ok(end("ASC")?.zip(end("DESC")?))
}

/// A key, without what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its number.
    pub(crate) seq: i64,
    /// When it was taken.
    pub(crate) at: Timestamp,
    /// What kind of key it is.
    pub(crate) kind: Kind,
    /// When the record before it was taken, if that is there.
    pub(crate) before: Option<Timestamp>,
}

/// Every key, oldest first.
pub(crate) fn keys(connection: &Connection) -> Result<Vec<Key>> {
    connection
        .prepare_cached(
            "SELECT seq, at_ms, kind, (SELECT at_ms FROM glass WHERE seq = key.seq - 1)
             FROM glass AS key WHERE kind <> 2 ORDER BY seq",
        )?
        .query_map([], |row| {
            let before: Option<i64> = row.get(3)?;
            Ok(Key {
                seq: row.get(0)?,
                at: Timestamp::from_millis(row.get(1)?),
                kind: Kind::of(row.get(2)?),
                before: before.map(Timestamp::from_millis),
            })
        })?
        .collect()
}

/// The records from number `seq` on, `count` of them at most.
pub(crate) fn read(connection: &Connection, seq: i64, count: u32) -> Result<Vec<Row>> {
    connection
        .prepare_cached("SELECT seq, at_ms, kind, hash, body FROM glass WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?
        .query_map((seq, count), row)?
        .collect()
}

fn row(row: &SqlRow<'_>) -> Result<Row> {
    let number = row.get(2)?;
    let record = Record { at: Timestamp::from_millis(row.get(1)?), kind: Kind::of(number), body: row.get(4)? };
    Ok(Row { seq: row.get(0)?, record, number, hash: row.get(3)? })
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Four keys with two changes after each, a second apart from second 1 on, bodies of 20 bytes.
    pub(super) fn ring() -> (Connection, Head) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(meta::CREATE).unwrap();
        connection.execute_batch(CREATE).unwrap();
        let mut head = Head::default();
        for number in 1..=12_i64 {
            let kind = match number % 3 {
                1 if number == 1 => Kind::Start,
                1 => Kind::Key,
                _ => Kind::Delta,
            };
            let body = vec![u8::try_from(number).unwrap(); 20];
            let record = Record { at: Timestamp::from_millis(1000 * number), kind, body };
            head = insert(&connection, &head, &record).unwrap();
        }
        (connection, head)
    }

    /// The numbers of the records that are left, and of those that don't follow from the one before.
    pub(super) fn numbers(connection: &Connection) -> (Vec<i64>, Vec<i64>) {
        let rows = read(connection, 0, 1000).unwrap();
        let (_, mut before) = anchor(connection).unwrap();
        let mut broken = Vec::new();
        for row in &rows {
            if !row.is_sound(&before) {
                broken.push(row.seq);
            }
            before = row.link();
        }
        (rows.iter().map(|row| row.seq).collect(), broken)
    }

    /// A record that was changed in any way is found, and only it and what no longer follows from it.
    #[test]
    fn a_changed_record_is_found() {
        for (change, found) in [
            ("UPDATE glass SET body = x'00' WHERE seq = 5", vec![5]),
            ("UPDATE glass SET at_ms = at_ms + 1 WHERE seq = 5", vec![5]),
            ("UPDATE glass SET kind = 4 WHERE seq = 4", vec![4]),
            ("UPDATE glass SET kind = 77 WHERE seq = 5", vec![5]),
            ("UPDATE glass SET hash = zeroblob(32) WHERE seq = 5", vec![5, 6]),
            ("UPDATE glass SET hash = x'' WHERE seq = 5", vec![5, 6]),
            ("DELETE FROM glass WHERE seq = 5", vec![6]),
            ("DELETE FROM glass WHERE seq < 4", vec![4]),
            ("UPDATE glass SET seq = 13 WHERE seq = 5", vec![6, 13]),
        ] {
            let (connection, _) = ring();
            connection.execute(change, []).unwrap();
            assert_eq!(numbers(&connection).1, found, "{change}");
        }
        assert_eq!(numbers(&ring().0).1, Vec::<i64>::new());
    }

    #[test]
    fn reading_begins_at_a_key() {
        let (connection, _) = ring();
        let key = |at: i64| {
            let found = key_before(&connection, Timestamp::from_millis(at), (1, 12)).unwrap();
            found.map(|(key, newest)| (key, newest.as_millis()))
        };
        assert_eq!([999, 1000, 3999].map(key), [None, Some((1, 1000)), Some((1, 3000))]);
        assert_eq!([4000, 99_000].map(key), [Some((4, 4000)), Some((10, 12_000))]);
        assert_eq!(key_before(&connection, Timestamp::from_millis(99_000), (1, 5)).unwrap().unwrap().0, 4);
        assert_eq!(key_ends(&connection).unwrap(), Some((1, 10)));
        let keys = keys(&connection).unwrap();
        let key = |at: i64, kind, before: Option<i64>| Key {
            seq: at / 1000,
            at: Timestamp::from_millis(at),
            kind,
            before: before.map(Timestamp::from_millis),
        };
        assert_eq!(keys[0], key(1000, Kind::Start, None));
        assert_eq!(keys[3], key(10_000, Kind::Key, Some(9000)));
        let [oldest, newest] = range(&connection).unwrap().unwrap();
        assert_eq!((oldest.0, newest.1.as_millis()), (1, 12_000));
    }

    #[test]
    fn hashes_are_written_as_digits() {
        let hash: Hash = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        for text in ["", "00", &"zz".repeat(32), &"é".repeat(32)] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
