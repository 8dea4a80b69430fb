//! What was received, a batch a row: a ring bounded by age and bytes.
//!
//! Batches are numbered without a hole. Each row also carries the running total of bytes, so that the ring's size is
//! the difference of two rows and no counter has to be kept beside them.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Result};
use watchfloor_model::Timestamp;

use super::{
    step::Step,
    sum::{self, Sum},
};
use crate::journal::JournalError;

/// Creates the table. `kind` is [`Kind::number`]; `body` is the text that `intake` made.
pub(crate) const CREATE: &str = "CREATE TABLE batch (
    seq INTEGER PRIMARY KEY, source TEXT NOT NULL, kind INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    events INTEGER NOT NULL, bytes INTEGER NOT NULL, bytes_total INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;";

/// What a row costs besides its body, roughly, in bytes. Counted so that many tiny rows are bounded too.
pub(crate) const ROW_BYTES: i64 = 64;

/// What a batch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Events in order.
    Events,
    /// A server's snapshot.
    Snapshot,
    /// A stretch that was not received live.
    Gap,
    /// What a site says that it has now.
    Restated,
    /// The source begins again: its positions are void.
    Forget,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Events, Self::Snapshot, Self::Gap, Self::Forget, Self::Restated];

    /// The number that stands for it in the file. Never given to another kind.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Events => 1,
            Self::Snapshot => 2,
            Self::Gap => 3,
            Self::Forget => 4,
            Self::Restated => 5,
        }
    }

    fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A batch to write.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Whose it is.
    pub(crate) source: Arc<str>,
    /// What it holds.
    pub(crate) kind: Kind,
    /// When it was received, by this machine's wall clock.
    pub(crate) received: Timestamp,
    /// How many events.
    pub(crate) events: u32,
    /// The text.
    pub(crate) body: String,
}

impl Batch {
    /// What it counts for in the ring.
    pub(crate) fn bytes(&self) -> i64 {
        i64::try_from(self.body.len() + self.source.len()).unwrap_or(i64::MAX / 4) + ROW_BYTES
    }
}

/// The ring's two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Number of the oldest batch, 0 if there is none.
    pub(crate) oldest_seq: i64,
    /// Number of the newest batch, 0 if there is none.
    pub(crate) newest_seq: i64,
    /// Running total up to and including the newest.
    pub(crate) bytes_total: i64,
    /// Bytes in the ring.
    pub(crate) bytes: i64,
}

/// Reads the ring's ends.
pub(crate) fn ends(connection: &Connection) -> Result<Ends> {
    let end = |order: &str| {
        connection
            .query_row(&format!("SELECT seq, bytes, bytes_total FROM batch ORDER BY seq {order} LIMIT 1"), [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()
    };
    let oldest: Option<(i64, i64, i64)> = end("ASC")?;
    let newest: Option<(i64, i64, i64)> = end("DESC")?;
    let (Some((oldest_seq, oldest_bytes, oldest_total)), Some((newest_seq, _, bytes_total))) = (oldest, newest) else {
        return Ok(Ends::default());
    };
    Ok(Ends { oldest_seq, newest_seq, bytes_total, bytes: bytes_total - oldest_total + oldest_bytes })
}

/// Appends a batch as number `seq`; `bytes_total` includes it.
pub(crate) fn insert(connection: &Connection, seq: i64, bytes_total: i64, batch: &Batch) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO batch (seq, source, kind, received_ms, events, bytes, bytes_total, body, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            seq,
            &*batch.source,
            batch.kind.number(),
            batch.received.as_millis(),
            batch.events,
            batch.bytes(),
            bytes_total,
            &batch.body,
            sum_of(seq, batch.kind.number(), batch).bytes(),
        ))?;
    Ok(())
}

/// Removes the oldest batches while the ring has more than `bytes_max` or they were received before `before`: one `step` of them,
/// and never the newest of all, which carries number and total on.
pub(crate) fn prune(connection: &Connection, bytes_max: i64, before: Timestamp, step: Step) -> Result<()> {
    let newest = ends(connection)?;
    let mut cut = None;
    {
        let mut statement = connection
            .prepare_cached("SELECT seq, bytes, bytes_total, received_ms FROM batch ORDER BY seq LIMIT ?1")?;
        let mut rows = statement.query([step.rows])?;
        let mut gone: i64 = 0;
        while let Some(row) = rows.next()? {
            let (seq, bytes, total, received): (i64, i64, i64, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let ring_bytes = newest.bytes_total - total + bytes;
            let is_kept = ring_bytes <= bytes_max && received >= before.as_millis();
            if seq >= newest.newest_seq || is_kept || gone >= step.bytes {
                break;
            }
            gone = gone.saturating_add(bytes);
            cut = Some(seq);
        }
    }
    if let Some(cut) = cut {
        connection.prepare_cached("DELETE FROM batch WHERE seq <= ?1")?.execute([cut])?;
    }
    Ok(())
}

/// Of all that is handed over.
fn sum_of(seq: i64, kind: i64, batch: &Batch) -> Sum {
    let Batch { source, received, events, body, .. } = batch;
    Sum::of("batch")
        .number(seq)
        .number(kind)
        .text(source)
        .number(received.as_millis())
        .number((*events).into())
        .text(body)
}

/// Hands every batch after number `seq` to `take`, oldest first, with its number. A batch of a kind that this program doesn't
/// know is handed over as none.
///
/// # Errors
/// If one isn't what was written.
pub(crate) fn each_after(
    connection: &Connection,
    seq: i64,
    mut take: impl FnMut(i64, Option<Batch>) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let sum = sum::column(connection, "batch")?;
    let all =
        format!("SELECT seq, source, kind, received_ms, events, body, {sum} FROM batch WHERE seq > ?1 ORDER BY seq");
    let mut statement = connection.prepare_cached(&all)?;
    let mut rows = statement.query([seq])?;
    while let Some(row) = rows.next()? {
        let (seq, number): (i64, i64) = (row.get(0)?, row.get(2)?);
        let kind = Kind::of(number);
        let batch = Batch {
            source: row.get::<_, String>(1)?.into(),
            kind: kind.unwrap_or(Kind::Gap),
            received: Timestamp::from_millis(row.get(3)?),
            events: row.get(4)?,
            body: row.get(5)?,
        };
        sum_of(seq, number, &batch).check(row.get(6)?, || format!("batch {seq}"))?;
        take(seq, kind.is_some().then_some(batch))?;
    }
    Ok(())
}

/// Hands the batches of one source to `take`, newest first, until that says that it has enough. Those of kinds that this program doesn't
/// know are left out.
///
/// # Errors
/// If one isn't what was written.
pub(crate) fn each_before(
    connection: &Connection,
    source: &str,
    mut take: impl FnMut(Batch) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let all = "SELECT kind, received_ms, events, body FROM batch WHERE source = ?1 ORDER BY seq DESC";
    let mut statement = connection.prepare(all)?;
    let mut rows = statement.query([source])?;
    let source: Arc<str> = source.into();
    while let Some(row) = rows.next()? {
        let Some(kind) = Kind::of(row.get(0)?) else { continue };
        let received = Timestamp::from_millis(row.get(1)?);
        let batch = Batch { source: Arc::clone(&source), kind, received, events: row.get(2)?, body: row.get(3)? };
        if !take(batch)? {
            break;
        }
    }
    Ok(())
}

/// When the newest was received.
pub(crate) fn newest_received(connection: &Connection) -> Result<Option<Timestamp>> {
    let newest = "SELECT received_ms FROM batch ORDER BY seq DESC LIMIT 1";
    Ok(connection.query_row(newest, [], |row| row.get(0)).optional()?.map(Timestamp::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(received: i64, body: &str) -> Batch {
        Batch {
            source: "s".into(),
            kind: Kind::Events,
            received: Timestamp::from_millis(received),
            events: 1,
            body: body.into(),
        }
    }

    /// A ring of ten batches of 100 bytes each, received at 1, 2, … 10 ms.
    fn ring() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::journal::migrate::migrate(&mut connection).unwrap();
        for number in 1..=10 {
            let body = "x".repeat(100 - 1 - usize::try_from(ROW_BYTES).unwrap());
            insert(&connection, number, number * 100, &batch(number, &body)).unwrap();
        }
        connection
    }

    fn numbers(connection: &Connection) -> Vec<i64> {
        let mut numbers = Vec::new();
        each_after(connection, 0, |seq, _| {
            numbers.push(seq);
            Ok(())
        })
        .unwrap();
        numbers
    }

    /// H5: bounded by bytes and by age, whichever is less, and pruned a little at a time.
    #[test]
    fn ring_is_bounded() {
        let check_step = |bytes_max: i64, before: i64, step: Step, left: std::ops::RangeInclusive<i64>| {
            let connection = ring();
            prune(&connection, bytes_max, Timestamp::from_millis(before), step).unwrap();
            assert_eq!(numbers(&connection), left.clone().collect::<Vec<_>>(), "{bytes_max} {before} {step:?}");
            let ends = ends(&connection).unwrap();
            assert_eq!((ends.oldest_seq, ends.newest_seq), (*left.start(), *left.end()));
            assert_eq!(ends.bytes, 100 * (left.end() - left.start() + 1));
        };
        let check = |bytes_max, before, left| check_step(bytes_max, before, Step::BATCHES, left);
        check(1000, 0, 1..=10);
        check(999, 0, 2..=10);
        check(250, 0, 9..=10);
        check(0, 0, 10..=10);
        check(1000, 4, 4..=10);
        check(1000, 99, 10..=10);
        check_step(0, 0, Step { rows: 3, bytes: 1000 }, 4..=10);
        check_step(0, 0, Step { rows: 100, bytes: 250 }, 4..=10);
        check_step(0, 0, Step { rows: 100, bytes: 1 }, 2..=10);
    }

    #[test]
    fn batches_come_back_as_they_went() {
        let connection = ring();
        let mut last = None;
        each_after(&connection, 9, |seq, batch| {
            last = Some((seq, batch));
            Ok(())
        })
        .unwrap();
        let (seq, batch) = last.unwrap();
        let batch = batch.unwrap();
        assert_eq!((seq, batch.kind, batch.received.as_millis(), batch.events), (10, Kind::Events, 10, 1));
        assert_eq!(&*batch.source, "s");
    }
}
