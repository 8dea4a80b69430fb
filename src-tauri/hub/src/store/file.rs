//! The SQLite file: its tables, one transaction a batch, and how it is read at the start.
//!
//! WAL mode with `synchronous = FULL`: a transaction is on the disk when it is committed, as far as the disk keeps what it was told to
//! sync. So a machine that loses its power is as a process that was killed.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, config::DbConfig, params};
use watchfloor_model::Timestamp;

use super::{
    StoreError,
    aside::set_aside,
    batch::{Batch, Checkpoint, Loaded, Stand, Stored, StoredChannel, StoredKey, Write},
    place::{self, Place},
    revoked,
};
use crate::{
    channel::{Hole, Number},
    idempotency::Positions,
    ledger::{Basis, Kept},
};

/// The file in the folder.
pub(crate) const FILE_NAME: &str = "hub.db";
/// Marks the file as a hub's in its header: `WFHB`.
const APPLICATION_ID: i32 = 0x5746_4842;
/// The form of the tables.
const FORMAT: u32 = 2;
/// Size of a page, in bytes.
const PAGE_BYTES: u32 = 8192;
/// The write-ahead log is written back to the file when it has this many pages: 8 MiB. More would make some publisher wait longer.
const WAL_PAGES: u32 = 1024;
/// The write-ahead log's file is cut to this size after that.
const WAL_BYTES_KEPT: u32 = 32 << 20;
/// Memory for pages, as SQLite wants it: negative is KiB.
const CACHE_KIB: i32 = -4096;

const TABLES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE channel (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER NOT NULL DEFAULT 0,
        reserved INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE hole (channel INTEGER NOT NULL, after INTEGER NOT NULL, upto INTEGER NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (channel, after)) WITHOUT ROWID;
    CREATE TABLE event (serial INTEGER PRIMARY KEY, channel INTEGER NOT NULL, offset INTEGER NOT NULL, at INTEGER NOT NULL,
        hub INTEGER NOT NULL, line TEXT NOT NULL);
    CREATE TABLE answer (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, epoch TEXT NOT NULL,
        stretches TEXT NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE checkpoint (id INTEGER PRIMARY KEY, serial INTEGER NOT NULL, body TEXT NOT NULL);
";

/// What came with the second form of the tables. An empty text stands for none.
const TABLES_OF_2: &str = "
    CREATE TABLE revocation (kind INTEGER NOT NULL, app TEXT NOT NULL, id TEXT NOT NULL, channel TEXT NOT NULL, at INTEGER NOT NULL,
        until INTEGER NOT NULL, before INTEGER, PRIMARY KEY (kind, app, id, channel)) WITHOUT ROWID;
";

/// The open file.
#[derive(Debug)]
pub(crate) struct File {
    connection: Connection,
    place: Place,
    /// Channels' numbers in the file.
    ids: HashMap<Arc<str>, i64>,
}

impl File {
    /// Opens the file in `folder`, or begins one.
    ///
    /// # Errors
    /// If it can't be, or is damaged.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        place::make(folder)?;
        let path = folder.join(FILE_NAME);
        drop(place::owned(&path)?);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        // Until it is known to be ours, not even closing it may write to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let format = Self::format(&connection, &path)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // Only a new file takes it.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        let _mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(32);
        if format < FORMAT {
            let transaction = connection.transaction()?;
            if format == 0 {
                transaction.execute_batch(TABLES)?;
            }
            transaction.execute_batch(TABLES_OF_2)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
            transaction.commit()?;
        }
        let place = Place::of(&path);
        Ok(Self { connection, place, ids: HashMap::new() })
    }

    /// The form of what is in it, which is this program's; 0 if there is nothing.
    fn format(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
        let format: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let tables: i64 = connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 && format == 0 {
            return Ok(0);
        }
        if application != APPLICATION_ID {
            return Err(StoreError::Damaged("the file is a database of something else".to_owned()));
        }
        if format > FORMAT { Err(StoreError::Newer { path: path.into(), format }) } else { Ok(format) }
    }

    /// Moves the file in `folder` out of the way, and begins another: where the old one is.
    ///
    /// # Errors
    /// If it can't be.
    pub(crate) fn replace(folder: &Path, now: Timestamp) -> Result<(Self, PathBuf), StoreError> {
        let aside = set_aside(&folder.join(FILE_NAME), now)?;
        Ok((Self::open(folder)?, aside))
    }

    /// Reads through all of it that nothing else does.
    ///
    /// # Errors
    /// If it is damaged.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let found: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found.lines().collect::<Vec<_>>().join(" "))) }
    }

    /// The history and the number up to which everything is kept; none if it is empty.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn kept(&self) -> Result<Option<(String, u64)>, StoreError> {
        let Some(epoch) = self.meta("epoch")? else { return Ok(None) };
        let serial = self.meta("serial")?.and_then(|text| text.parse().ok());
        Ok(Some((epoch, serial.ok_or_else(|| StoreError::Damaged("it doesn't say how far it reaches".to_owned()))?)))
    }

    fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Everything but the events; none if it is empty.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn load(&self) -> Result<Option<Loaded>, StoreError> {
        let Some((epoch, serial)) = self.kept()? else { return Ok(None) };
        let damaged = |what: &str, error: serde_json::Error| StoreError::Damaged(format!("{what}: {error}"));
        let basis = self.meta("basis")?.ok_or_else(|| StoreError::Damaged("it has no basis".to_owned()))?;
        let basis: Basis = serde_json::from_str(&basis).map_err(|error| damaged("the basis", error))?;
        let row = self
            .connection
            .query_row("SELECT serial, body FROM checkpoint WHERE id = 1", [], |row| {
                Ok((uint(row, 0)?, row.get::<_, String>(1)?))
            })
            .optional()?;
        let checkpoint = row.and_then(|(serial, body): (u64, String)| match serde_json::from_str::<Vec<Kept>>(&body) {
            Ok(kept) => Some((serial, kept)),
            Err(error) => {
                tracing::warn!(reason = %error, "the aggregates that were kept can't be read: they are folded anew");
                None
            }
        });
        let serial = checkpoint.as_ref().map_or(serial, |(at, _)| serial.max(*at));
        Ok(Some(Loaded {
            epoch: epoch.into(),
            basis,
            checkpoint,
            serial,
            channels: self.channels()?,
            keys: self.keys()?,
        }))
    }

    fn channels(&self) -> Result<Vec<StoredChannel>, StoreError> {
        let mut holes: HashMap<i64, Vec<Hole>> = HashMap::new();
        let mut statement =
            self.connection.prepare("SELECT channel, after, upto, since FROM hole ORDER BY channel, after")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let hole = Hole { after: uint(row, 1)?, upto: uint(row, 2)?, since: Timestamp::from_millis(row.get(3)?) };
            holes.entry(row.get(0)?).or_default().push(hole);
        }
        let mut statement = self.connection.prepare("SELECT id, name, head, reserved FROM channel")?;
        let mut rows = statement.query([])?;
        let mut channels = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
            let holes = holes.remove(&id).unwrap_or_default();
            channels.push(StoredChannel { name: name.into(), head: uint(row, 2)?, reserved: uint(row, 3)?, holes });
        }
        Ok(channels)
    }

    fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT key, digest, epoch, stretches, at FROM answer ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let digest: [u8; 16] = row.get(1)?;
            let half =
                |from: usize| digest[from..from + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            let (key, epoch, stretches): (String, String, String) = (row.get(0)?, row.get(2)?, row.get(3)?);
            let stretches =
                serde_json::from_str(&stretches).map_err(|error| StoreError::Damaged(format!("an answer: {error}")))?;
            let positions = Positions::restored(epoch.into(), stretches);
            keys.push(StoredKey {
                key: key.into(),
                digest: [half(0), half(8)],
                positions,
                at: Timestamp::from_millis(row.get(4)?),
            });
        }
        Ok(keys)
    }

    /// The revocations that stood.
    ///
    /// # Errors
    /// If they can't be read.
    pub(crate) fn revocations(&self) -> Result<Vec<crate::revocation::Stand>, StoreError> {
        revoked::all(&self.connection)
    }

    /// When the newest event was taken, by the system's clock.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT at FROM event ORDER BY serial DESC LIMIT 1";
        Ok(self.connection.query_row(sql, [], |row| row.get(0)).optional()?.map(Timestamp::from_millis))
    }

    /// Hands every event to `take`, in the order in which the hub took them.
    ///
    /// # Errors
    /// If one can't be read, or isn't taken.
    pub(crate) fn events(&self, mut take: impl FnMut(Stored) -> Result<(), String>) -> Result<(), StoreError> {
        let mut names: HashMap<i64, Arc<str>> = HashMap::new();
        let mut statement = self.connection.prepare("SELECT id, name FROM channel")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            names.insert(row.get(0)?, row.get::<_, String>(1)?.into());
        }
        let mut statement =
            self.connection.prepare("SELECT serial, channel, offset, at, hub, line FROM event ORDER BY serial")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number = Number { serial: uint(row, 0)?, offset: uint(row, 2)? };
            let channel = names.get(&row.get(1)?).cloned();
            let channel =
                channel.ok_or_else(|| StoreError::Damaged(format!("event {} is of no channel", number.serial)))?;
            let (at, hub) = (Timestamp::from_millis(row.get(3)?), Timestamp::from_millis(row.get(4)?));
            let line = row.get_ref(5)?.as_str().map_err(|error| StoreError::Damaged(error.to_string()))?.into();
            take(Stored { channel, number, at, hub, line }).map_err(StoreError::Damaged)?;
        }
        Ok(())
    }

    /// As if the disk had no more room.
    #[cfg(test)]
    pub(crate) fn be_full(&self) {
        let pages: u32 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a count");
        self.connection.pragma_update(None, "max_page_count", pages + 1).expect("taken");
    }

    /// Writes a batch: all of it or nothing. It is kept if it is where the next start looks.
    ///
    /// # Errors
    /// If it can't be.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut ids = std::mem::take(&mut self.ids);
        let transaction = self.connection.transaction()?;
        write_all(&transaction, &mut ids, batch)?;
        transaction.commit()?;
        self.ids = ids;
        self.place.check()?;
        Ok(())
    }
}

fn write_all(transaction: &Transaction<'_>, ids: &mut HashMap<Arc<str>, i64>, batch: &Batch) -> Result<(), StoreError> {
    if let Some(epoch) = &batch.begins {
        for table in ["meta", "channel", "hole", "event", "answer", "checkpoint", "revocation"] {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        put_meta(transaction, "epoch", epoch)?;
        ids.clear();
    }
    for write in &batch.writes {
        put(transaction, ids, write)?;
    }
    put_meta(transaction, "serial", &batch.serial.to_string())?;
    if let Some(checkpoint) = &batch.checkpoint {
        put_checkpoint(transaction, ids, checkpoint)?;
    }
    if batch.is_last {
        transaction.execute("UPDATE channel SET reserved = 0", [])?;
    }
    Ok(())
}

fn put(transaction: &Transaction<'_>, ids: &mut HashMap<Arc<str>, i64>, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Event(Stored { channel, number, at, hub, line }) => {
            let id = id_of(transaction, ids, channel)?;
            let sql = "INSERT INTO event (serial, channel, offset, at, hub, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let row = params![int(number.serial), id, int(number.offset), at.as_millis(), hub.as_millis(), &**line];
            transaction.prepare_cached(sql)?.execute(row)?;
        }
        Write::Reserve { channel, upto } => {
            let id = id_of(transaction, ids, channel)?;
            transaction
                .prepare_cached("UPDATE channel SET reserved = ?2 WHERE id = ?1")?
                .execute(params![id, int(*upto)])?;
        }
        Write::Hole { channel, hole } => {
            let id = id_of(transaction, ids, channel)?;
            let sql = "INSERT OR REPLACE INTO hole (channel, after, upto, since) VALUES (?1, ?2, ?3, ?4)";
            transaction.prepare_cached(sql)?.execute(params![
                id,
                int(hole.after),
                int(hole.upto),
                hole.since.as_millis()
            ])?;
        }
        Write::Key(StoredKey { key, digest, positions, at }) => {
            let digest: Vec<u8> = digest.iter().flat_map(|half| half.to_be_bytes()).collect();
            let (epoch, stretches) = positions.parts();
            let stretches = serde_json::to_string(stretches).map_err(|error| StoreError::Damaged(error.to_string()))?;
            let sql = "INSERT OR REPLACE INTO answer (key, digest, epoch, stretches, at) VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.prepare_cached(sql)?.execute(params![&**key, digest, epoch, stretches, at.as_millis()])?;
        }
        Write::Basis(basis) => put_basis(transaction, basis)?,
        Write::Stand(stand) => revoked::put(transaction, stand)?,
        Write::Lift(target) => revoked::lift(transaction, target)?,
    }
    Ok(())
}

fn put_meta(transaction: &Transaction<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    transaction.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?.execute([key, value])?;
    Ok(())
}

fn put_basis(transaction: &Transaction<'_>, basis: &Basis) -> Result<(), StoreError> {
    let text = serde_json::to_string(basis).map_err(|error| StoreError::Damaged(error.to_string()))?;
    put_meta(transaction, "basis", &text)
}

fn put_checkpoint(
    transaction: &Transaction<'_>,
    ids: &mut HashMap<Arc<str>, i64>,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    let Checkpoint { serial, aggregates, basis, stands, gone, keys_from, keys_max, stands_from } = checkpoint;
    put_basis(transaction, basis)?;
    let body = serde_json::to_string(aggregates).map_err(|error| StoreError::Damaged(error.to_string()))?;
    transaction.execute(
        "INSERT OR REPLACE INTO checkpoint (id, serial, body) VALUES (1, ?1, ?2)",
        params![int(*serial), body],
    )?;
    let has_holes: bool = transaction.query_row("SELECT EXISTS (SELECT 1 FROM hole)", [], |row| row.get(0))?;
    for Stand { channel, head, first } in stands {
        let id = id_of(transaction, ids, channel)?;
        let sql = "UPDATE channel SET head = ?2 WHERE id = ?1 AND head <> ?2";
        transaction.prepare_cached(sql)?.execute(params![id, int(*head)])?;
        if has_holes {
            let sql = "DELETE FROM hole WHERE channel = ?1 AND upto + 1 < ?2";
            transaction.prepare_cached(sql)?.execute(params![id, int(*first)])?;
        }
    }
    for (first, last) in gone {
        transaction
            .prepare_cached("DELETE FROM event WHERE serial BETWEEN ?1 AND ?2")?
            .execute(params![int(*first), int(*last)])?;
    }
    transaction.execute("DELETE FROM answer WHERE at < ?1", [keys_from.as_millis()])?;
    let beyond = "DELETE FROM answer WHERE id <= (SELECT MAX(id) FROM answer) - ?1";
    transaction.execute(beyond, [i64::try_from(*keys_max).unwrap_or(i64::MAX)])?;
    revoked::forget(transaction, *stands_from)
}

/// The channel's number in the file; it gets one if it has none.
fn id_of(
    transaction: &Transaction<'_>,
    ids: &mut HashMap<Arc<str>, i64>,
    channel: &Arc<str>,
) -> Result<i64, StoreError> {
    if let Some(id) = ids.get(channel) {
        return Ok(*id);
    }
    let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO channel (name) VALUES (?1)")?;
    insert.execute([&**channel])?;
    let mut select = transaction.prepare_cached("SELECT id FROM channel WHERE name = ?1")?;
    let id = select.query_row([&**channel], |row| row.get(0))?;
    ids.insert(channel.clone(), id);
    Ok(id)
}

/// A number as SQLite can have it.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was written by [`int`].
fn uint(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let found: i64 = row.get(index)?;
    u64::try_from(found).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, found))
}
