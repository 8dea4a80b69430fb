//! The ring's oldest end: what is too much, or too old, goes.
//!
//! It goes from key to key, since reading begins at one, but a little at a time: a stretch may be large. What is left of one that has
//! begun to go can't be read, and is the next to go.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result};
use watchfloor_model::Timestamp;

use super::{super::step::Step, ANCHOR, Head, ROW_BYTES, anchor, hex, meta};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// Bytes of all records.
    pub(crate) bytes_max: i64,
    /// Age of the oldest.
    pub(crate) age_max: Duration,
    /// Now.
    pub(crate) now: Timestamp,
}

/// Lets the oldest records go, one `step` of them. The newest stretch from a key on stays.
pub(crate) fn prune(connection: &Connection, head: &Head, bound: &Bound, mut step: Step) -> Result<()> {
    while step.rows > 0 && step.bytes > 0 {
        let Some(end) = due(connection, head, bound)? else { return Ok(()) };
        let_go(connection, end, &mut step)?;
    }
    Ok(())
}

/// Number of the key up to which records have to go.
fn due(connection: &Connection, head: &Head, bound: &Bound) -> Result<Option<i64>> {
    let oldest = "SELECT seq, bytes_total - LENGTH(body) FROM glass ORDER BY seq LIMIT 1";
    let oldest: Option<(i64, i64)> =
        connection.prepare_cached(oldest)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((oldest, total)) = oldest else { return Ok(None) };
    let next = "SELECT seq, at_ms FROM glass WHERE kind <> 2 AND seq > ?1 ORDER BY seq LIMIT 1";
    let next: Option<(i64, i64)> =
        connection.prepare_cached(next)?.query_row([oldest], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((next, at)) = next else { return Ok(None) };
    let bytes = head.bytes_total - total + ROW_BYTES;
    if bytes > bound.bytes_max || is_rest(connection, oldest)? {
        return Ok(Some(next));
    }
    let before = bound.now.minus(bound.age_max).as_millis();
    Ok(believed(connection, next, at, bound.now)?.is_some_and(|at| at < before).then_some(next))
}

/// Whether record `oldest` is a change to one that went.
fn is_rest(connection: &Connection, oldest: i64) -> Result<bool> {
    let kind = "SELECT kind = 2 FROM glass WHERE seq = ?1";
    let is_delta: bool = connection.prepare_cached(kind)?.query_row([oldest], |row| row.get(0))?;
    // Where the one before didn't go but was removed, it stays to be found.
    Ok(is_delta && anchor(connection)?.0 == oldest - 1)
}

/// When the key `seq`, which says `at`, was taken, as far as that can be believed. One that is dated later than now was taken by a
/// clock that was ahead: it is older than the next one that isn't. If there is none, it is the clock that is behind.
fn believed(connection: &Connection, seq: i64, at: i64, now: Timestamp) -> Result<Option<i64>> {
    if at <= now.as_millis() {
        return Ok(Some(at));
    }
    connection
        .prepare_cached("SELECT at_ms FROM glass WHERE kind <> 2 AND seq > ?1 AND at_ms <= ?2 ORDER BY seq LIMIT 1")?
        .query_row((seq, now.as_millis()), |row| row.get(0))
        .optional()
}

/// Removes the oldest records before number `end`, as many as `step` has room for and at least one. What it takes is no longer in
/// `step`.
fn let_go(connection: &Connection, end: i64, step: &mut Step) -> Result<()> {
    let mut last: Option<(i64, Vec<u8>)> = None;
    {
        let mut statement = connection
            .prepare_cached("SELECT seq, LENGTH(body), hash FROM glass WHERE seq < ?1 ORDER BY seq LIMIT ?2")?;
        let mut rows = statement.query((end, step.rows))?;
        while step.bytes > 0
            && let Some(row) = rows.next()?
        {
            step.rows -= 1;
            step.bytes -= row.get::<_, i64>(1)? + ROW_BYTES;
            last = Some((row.get(0)?, row.get(2)?));
        }
    }
    if let Some((seq, hash)) = last {
        meta::put(connection, ANCHOR, &format!("{seq}:{}", hex(&hash)))?;
        connection.prepare_cached("DELETE FROM glass WHERE seq <= ?1")?.execute([seq])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Kind, Record, insert,
            tests::{numbers, ring},
        },
        *,
    };

    fn bound(bytes_max: i64, now: i64, age_max: i64) -> Bound {
        let age_max = Duration::from_millis(u64::try_from(age_max).unwrap());
        Bound { bytes_max, age_max, now: Timestamp::from_millis(now) }
    }

    /// H5: bounded by bytes and by age, from key to key, and what is left is still a chain.
    #[test]
    fn the_ring_is_bounded_and_stays_a_chain() {
        let check = |bytes_max: i64, before: i64, left: std::ops::RangeInclusive<i64>| {
            let (connection, head) = ring();
            prune(&connection, &head, &bound(bytes_max, before + 20_000, 20_000), Step::GLASS).unwrap();
            assert_eq!(numbers(&connection), (left.collect(), Vec::new()), "{bytes_max} {before}");
            assert_eq!(super::super::head(&connection).unwrap(), head);
        };
        check(1200, 0, 1..=12);
        check(1199, 0, 4..=12);
        check(600, 0, 7..=12);
        check(0, 0, 10..=12);
        check(1200, 4000, 1..=12);
        check(1200, 4001, 4..=12);
        check(1200, 99_000, 10..=12);
    }

    /// H5: a step is bounded by records and by bytes, and the next one goes on: what is left of a stretch goes though the ring is
    /// within its bound already.
    #[test]
    fn it_goes_a_little_at_a_time() {
        let (connection, head) = ring();
        let go = |bytes_max, step| {
            prune(&connection, &head, &bound(bytes_max, 20_000, 20_000), step).unwrap();
            let (left, broken) = numbers(&connection);
            assert!(broken.is_empty(), "{broken:?}");
            left[0]
        };
        let (one, wide) = (Step { rows: 1, bytes: 10_000 }, Step::GLASS);
        assert_eq!([go(1199, one), go(1199, one), go(1199, one), go(1199, one)], [2, 3, 4, 4]);
        assert_eq!(go(0, Step { rows: 100, bytes: 150 }), 6, "two of 100 bytes");
        assert_eq!(go(1200, wide), 7);
    }

    /// What was removed by another hand stays to be found: only what went by itself takes its rest along.
    #[test]
    fn a_missing_record_stays_to_be_found() {
        let (connection, head) = ring();
        connection.execute("DELETE FROM glass WHERE seq = 1", []).unwrap();
        prune(&connection, &head, &bound(1200, 20_000, 20_000), Step::GLASS).unwrap();
        assert_eq!(numbers(&connection), ((2..=12).collect(), vec![2]));
    }

    /// H5: what a clock that was ahead has dated goes with what was shown after it, and keeps nothing from going. A clock that is
    /// behind lets nothing go.
    #[test]
    fn dates_of_a_clock_that_was_ahead_are_not_believed() {
        let day = 86_400_000;
        for (now, left) in [(10_000, 1), (day + 13_000, 1), (day + 13_001, 13), (2 * day, 14)] {
            let (connection, mut head) = ring();
            connection.execute("UPDATE glass SET at_ms = at_ms + 9999 * ?1 WHERE seq BETWEEN 4 AND 12", [day]).unwrap();
            for at in [13_000, 14_000] {
                let record = Record { at: Timestamp::from_millis(at), kind: Kind::Key, body: vec![1] };
                head = insert(&connection, &head, &record).unwrap();
            }
            prune(&connection, &head, &bound(1 << 30, now, day), Step::GLASS).unwrap();
            let oldest: i64 = connection.query_row("SELECT MIN(seq) FROM glass", [], |row| row.get(0)).unwrap();
            assert_eq!(oldest, left, "{now}");
        }
    }
}
