//! The record of alarms: every change an entry, and of each announcement when it was made and when it was seen.
//!
//! Entries are numbered by the board, so a number that is missing between two others says that one could not be written. The oldest go
//! by age and by bytes, but never what an alarm that still stands needs: its newest entry, and the one by which it was raised.

use rusqlite::{Connection, OptionalExtension, Result, Row};
use watchfloor_board::alarm::{
    AlarmKey, AlarmWhat, Change, Heard,
    machine::{Base, Input},
    priority_word, state_of, state_word,
};
use watchfloor_model::Timestamp;

pub(crate) use self::read::{Asked, GapKind, Lacking, begin, each, newest_before, standing_at};
use super::{meta, step::Step, sum::Sum};
use crate::journal::{JournalError, says_damage};

mod read;

/// Creates the tables. `body` is the change as JSON; the other columns are what people ask by. `stands` says whether something is to be
/// said of the alarm from then on; of those that stand, a table of their own has the two entries that are needed.
pub(crate) const CREATE: &str = "CREATE TABLE alarm (
    number INTEGER PRIMARY KEY, rule TEXT NOT NULL, of TEXT NOT NULL, occurrence INTEGER NOT NULL,
    realarms INTEGER NOT NULL, what TEXT NOT NULL, state_before TEXT NOT NULL, state TEXT NOT NULL, priority TEXT NOT NULL,
    stands INTEGER NOT NULL, event_ms INTEGER, received_ms INTEGER, decided_ms INTEGER NOT NULL, acknowledged_ms INTEGER,
    bytes INTEGER NOT NULL, body TEXT NOT NULL, sum BLOB
) STRICT;
CREATE INDEX alarm_decided ON alarm (decided_ms, bytes);
CREATE INDEX alarm_key ON alarm (rule, of, number);
CREATE TABLE alarm_standing (
    rule TEXT NOT NULL, of TEXT NOT NULL, occurrence INTEGER NOT NULL, raised INTEGER NOT NULL, newest INTEGER NOT NULL,
    PRIMARY KEY (rule, of)
) STRICT, WITHOUT ROWID;
CREATE TABLE alarm_heard (
    rule TEXT NOT NULL, of TEXT NOT NULL, occurrence INTEGER NOT NULL, realarms INTEGER NOT NULL,
    announced_ms INTEGER, announced_by TEXT, repeated INTEGER NOT NULL, seen_ms INTEGER, sum BLOB,
    PRIMARY KEY (rule, of, occurrence, realarms)
) STRICT, WITHOUT ROWID;
CREATE TABLE alarm_onward (receiver TEXT PRIMARY KEY, number INTEGER NOT NULL, sum BLOB) STRICT, WITHOUT ROWID;";

/// What a row costs besides its body, roughly, in bytes.
const ROW_BYTES: i64 = 256;
/// Number of the newest entry that went by age or bytes.
const GONE: &str = "alarm-gone";
/// Number of the newest entry that was written.
const GIVEN: &str = "alarm-given";
/// The newest entries at most that a start gets; of older ones only what still stands.
const AFTER_MAX: u32 = 20_000;

/// An entry to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What happened.
    pub(crate) change: Change,
    /// When this machine heard of it; none where nothing was heard, as of time that passed.
    pub(crate) received: Option<Timestamp>,
}

/// Which announcement: an occurrence that calls for the so-manieth time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Call {
    /// Which alarm.
    pub(crate) key: AlarmKey,
    /// Which occurrence.
    pub(crate) occurrence: u64,
    /// How often it had called anew.
    pub(crate) realarms: u32,
}

/// What became of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which one.
    pub(crate) call: Call,
    /// What is known of it now; what is none here stays as it was.
    pub(crate) heard: Heard,
}

/// An entry made ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    number: i64,
    received: Option<Timestamp>,
    change: Change,
    body: String,
}

impl Ready {
    /// The text is made once, also to know how large it is.
    pub(crate) fn of(entry: Entry) -> Result<Self, JournalError> {
        let Entry { change, received } = entry;
        let body = serde_json::to_string(&change)
            .map_err(|error| JournalError::Io(std::io::Error::other(format!("an alarm can't be written: {error}"))))?;
        Ok(Self { number: whole(change.number), received, change, body })
    }

    /// What it counts for.
    pub(crate) fn bytes(&self) -> i64 {
        let key = &self.change.key;
        whole((self.body.len() + key.rule.len() + key.of.len()) as u64).saturating_add(ROW_BYTES)
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Number of the newest entry, 0 if there never was one.
    pub(crate) newest: i64,
    /// Bytes of all entries.
    pub(crate) bytes: i64,
    /// From which number on it is looked for what may go.
    from: i64,
}

/// What there is. The number of the newest goes on also where that is gone.
pub(crate) fn held(connection: &Connection) -> Result<Held> {
    let bytes = connection.query_row("SELECT COALESCE(SUM(bytes), 0) FROM alarm", [], |row| row.get(0))?;
    Ok(Held { newest: whole(newest(connection)?), bytes, from: 0 })
}

/// The newest number that was given to an entry that was written, as far as that is noted.
fn given(connection: &Connection) -> Result<i64> {
    Ok(meta::value(connection, GIVEN)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The newest number of all, also where its entry is gone.
pub(crate) fn newest(connection: &Connection) -> Result<u64> {
    let newest: i64 = connection.query_row("SELECT COALESCE(MAX(number), 0) FROM alarm", [], |row| row.get(0))?;
    Ok(natural(newest.max(given(connection)?)))
}

/// Notes it.
pub(crate) fn note_given(connection: &Connection, held: &Held) -> Result<()> {
    meta::put(connection, GIVEN, &held.newest.to_string())
}

/// Makes anew what somebody has taken away, or damage has: what is on record from now on has its place.
pub(crate) fn mend(connection: &Connection) -> Result<()> {
    let known = "SELECT COUNT(*) FROM sqlite_schema WHERE name IN
                 ('alarm', 'alarm_standing', 'alarm_heard', 'alarm_onward', 'alarm_decided', 'alarm_key')";
    if connection.query_row(known, [], |row| row.get::<_, i64>(0))? < 6 {
        tracing::warn!("a table of the record of alarms is gone: it is made anew");
        let anew = CREATE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
        connection.execute_batch(&anew.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS"))?;
    }
    Ok(())
}

/// Whether the file has a record of alarms. That of an older program that can't be written hasn't.
pub(crate) fn is_there(connection: &Connection) -> Result<bool> {
    let known = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'alarm'";
    connection.query_row(known, [], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// Writes an entry. One that stands there already is left as it is: the answer says whether it is the same.
pub(crate) fn insert(connection: &Connection, held: &mut Held, ready: &Ready) -> Result<bool> {
    let Ready { number, received, change, body } = ready;
    let now = &change.now;
    let (stands, millis) = (stands(change), |at: Option<Timestamp>| at.map(Timestamp::as_millis));
    let written = connection
        .prepare_cached(
            "INSERT INTO alarm (number, rule, of, occurrence, realarms, what, state_before, state, priority, stands, event_ms,
             received_ms, decided_ms, acknowledged_ms, bytes, body, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT DO NOTHING",
        )?
        .execute(rusqlite::params![
            number,
            &*change.key.rule,
            &*change.key.of,
            whole(now.alarm.occurrence),
            now.alarm.realarms,
            AlarmWhat::of(change.what).word(),
            state_word(state_of(change.from)),
            state_word(state_of(now.alarm.shown())),
            priority_word(now.priority),
            stands,
            millis(change.event),
            millis(*received),
            change.decided.as_millis(),
            now.acknowledged.as_ref().map(|said| said.at.as_millis()),
            ready.bytes(),
            body,
            sum_of(*number, millis(*received), body).bytes(),
        ])?;
    if written == 0 {
        let other: Option<String> = connection
            .prepare_cached("SELECT body FROM alarm WHERE number = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?;
        return Ok(other.as_deref() == Some(body));
    }
    held.newest = held.newest.max(*number);
    held.bytes = held.bytes.saturating_add(ready.bytes());
    let (rule, of) = (&*change.key.rule, &*change.key.of);
    if stands {
        let begins = matches!(change.what, Some(Input::Raise { .. }));
        connection
            .prepare_cached(
                "INSERT INTO alarm_standing VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET
                 occurrence = excluded.occurrence, newest = excluded.newest, raised = IIF(?5, excluded.raised, raised)",
            )?
            .execute((rule, of, whole(now.alarm.occurrence), number, begins))?;
    } else {
        connection.prepare_cached("DELETE FROM alarm_standing WHERE rule = ?1 AND of = ?2")?.execute((rule, of))?;
    }
    Ok(true)
}

/// Whether the alarm is anything but normal, or put aside, by this entry.
fn stands(change: &Change) -> bool {
    let alarm = change.now.alarm;
    !alarm.is_removed && (alarm.base != Base::Normal || alarm.suppression.is_any())
}

fn sum_of(number: i64, received: Option<i64>, body: &str) -> Sum {
    Sum::of("alarm").number(number).number(received.unwrap_or(i64::MIN)).text(body)
}

/// Notes what became of an announcement: the first time that it was seen, the last that it was announced.
pub(crate) fn mark(connection: &Connection, mark: &Mark) -> Result<()> {
    let Mark { call, heard } = mark;
    // One that isn't what was written is put right by this.
    let known = heard_of(connection, call)?.unwrap_or_default().unwrap_or_default();
    let now = Heard {
        announced: heard.announced.or(known.announced),
        by: heard.by.clone().or(known.by),
        is_repeated: heard.is_repeated || known.is_repeated,
        seen: known.seen.or(heard.seen),
    };
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
    connection
        .prepare_cached("INSERT OR REPLACE INTO alarm_heard VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute((
            &*call.key.rule,
            &*call.key.of,
            whole(call.occurrence),
            call.realarms,
            millis(now.announced),
            &now.by,
            now.is_repeated,
            millis(now.seen),
            heard_sum(call, &now).bytes(),
        ))?;
    Ok(())
}

fn heard_sum(call: &Call, heard: &Heard) -> Sum {
    let millis = |at: Option<Timestamp>| at.map_or(i64::MIN, Timestamp::as_millis);
    Sum::of("alarm_heard")
        .text(&call.key.rule)
        .text(&call.key.of)
        .number(whole(call.occurrence))
        .number(call.realarms.into())
        .number(millis(heard.announced))
        .text(heard.by.as_deref().unwrap_or_default())
        .number(heard.is_repeated.into())
        .number(millis(heard.seen))
}

/// What is known of an announcement; none where nothing is. The inner none is a row that isn't what was written.
fn heard_of(connection: &Connection, call: &Call) -> Result<Option<Option<Heard>>> {
    let found = connection
        .prepare_cached(
            "SELECT announced_ms, announced_by, repeated, seen_ms, sum FROM alarm_heard
             WHERE rule = ?1 AND of = ?2 AND occurrence = ?3 AND realarms = ?4",
        )
        .and_then(|mut statement| {
            let (rule, of) = (&*call.key.rule, &*call.key.of);
            statement
                .query_row((rule, of, whole(call.occurrence), call.realarms), |row| Ok((heard(row, 0)?, row.get(4)?)))
                .optional()
        });
    match found {
        Ok(found) => Ok(found.map(|(heard, sum): (Heard, Option<Vec<u8>>)| {
            (sum == Some(heard_sum(call, &heard).bytes().to_vec())).then_some(heard)
        })),
        Err(error) if is_lost(&error) => Ok(Some(None)),
        Err(error) => Err(error),
    }
}

fn heard(row: &Row<'_>, at: usize) -> Result<Heard> {
    let instant = |at: Option<i64>| at.map(Timestamp::from_millis);
    Ok(Heard {
        announced: instant(row.get(at)?),
        by: row.get(at + 1)?,
        is_repeated: row.get::<_, Option<bool>>(at + 2)?.unwrap_or_default(),
        seen: instant(row.get(at + 3)?),
    })
}

/// Whether what was asked for isn't there any more, or isn't what was written.
fn is_lost(error: &rusqlite::Error) -> bool {
    says_damage(error) || error.to_string().contains("no such table")
}

/// Every mark of the occurrences that stand, and of alarms of which there is no entry, as after a file that was damaged; and how many aren't what
/// was written.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn marks(connection: &Connection) -> Result<(Vec<Mark>, u64), JournalError> {
    let all = "SELECT announced_ms, announced_by, repeated, seen_ms, rule, of, occurrence, realarms, sum
               FROM alarm_heard LEFT JOIN alarm_standing AS standing USING (rule, of, occurrence)
               WHERE standing.newest IS NOT NULL
                  OR NOT EXISTS (SELECT 1 FROM alarm WHERE rule = alarm_heard.rule AND of = alarm_heard.of)
               ORDER BY rule, of, occurrence, realarms";
    let mut statement = connection.prepare_cached(all)?;
    let (mut rows, mut found, mut damaged) = (statement.query([])?, Vec::new(), 0);
    while let Some(row) = rows.next()? {
        match mark_of(row) {
            Ok(mark) => found.push(mark),
            Err(error) if error.is_damage() => damaged += 1,
            Err(error) => return Err(error),
        }
    }
    Ok((found, damaged))
}

fn mark_of(row: &Row<'_>) -> Result<Mark, JournalError> {
    let key = AlarmKey { rule: row.get::<_, String>(4)?.into(), of: row.get::<_, String>(5)?.into() };
    let call = Call { key, occurrence: natural(row.get(6)?), realarms: row.get(7)? };
    let heard = heard(row, 0)?;
    heard_sum(&call, &heard).check(row.get(8)?, || format!("what was heard of {}", call.key))?;
    Ok(Mark { call, heard })
}

/// Hands what a start goes on from to `take`, oldest first: every entry after `number` that can be read. Where that is more than a start can
/// use, of the older ones only what still stands. Answers how many can't be read.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn each_after(
    connection: &Connection,
    number: u64,
    mut take: impl FnMut(Change),
) -> Result<u64, JournalError> {
    let bound = "SELECT number FROM alarm WHERE number > ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2";
    let whole_from: Option<i64> =
        connection.prepare_cached(bound)?.query_row((whole(number), AFTER_MAX), |row| row.get(0)).optional()?;
    let all = "SELECT number, received_ms, body, sum FROM alarm WHERE number > ?2
         OR number IN (SELECT newest FROM alarm_standing WHERE newest BETWEEN ?1 + 1 AND ?2) ORDER BY number";
    let mut statement = connection.prepare_cached(all)?;
    let mut rows = statement.query((whole(number), whole_from.unwrap_or_else(|| whole(number))))?;
    let mut damaged = 0;
    while let Some(row) = rows.next()? {
        match entry(row)? {
            Some((change, _)) => take(change),
            None => damaged += 1,
        }
    }
    Ok(damaged)
}

/// The entries after `number`, `count` at most, oldest first, but those that can't be read; and the number of the last that was looked at, if there
/// was more to look at than that.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn some_after(
    connection: &Connection,
    number: u64,
    count: u32,
) -> Result<(Vec<Change>, Option<u64>), JournalError> {
    let some = "SELECT number, received_ms, body, sum FROM alarm WHERE number > ?1 ORDER BY number LIMIT ?2";
    let mut statement = connection.prepare_cached(some)?;
    let (mut rows, mut found) = (statement.query((whole(number), count))?, Vec::new());
    let (mut seen, mut last) = (0, 0);
    while let Some(row) = rows.next()? {
        (seen, last) = (seen + 1, row.get(0)?);
        match entry(row)? {
            Some((change, _)) => found.push(change),
            None => tracing::warn!(number = last, "an entry of the record of alarms can't be read"),
        }
    }
    Ok((found, (seen >= count).then(|| natural(last))))
}

/// An entry, with when it was heard of, out of `number, received_ms, body, sum`; none if it isn't what was written.
fn entry(row: &Row<'_>) -> Result<Option<(Change, Option<Timestamp>)>, JournalError> {
    let read = || {
        let (number, received, body): (i64, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let sum: Option<Vec<u8>> = row.get(3)?;
        // Each was written with one.
        sum_of(number, received, &body)
            .check(Some(sum.unwrap_or_default()), || format!("entry {number} of the record"))?;
        let change: Change = serde_json::from_str(&body)
            .map_err(|error| JournalError::Damaged(format!("entry {number} of the record can't be read: {error}")))?;
        Ok((change, received.map(Timestamp::from_millis)))
    };
    match read() {
        Ok(found) => Ok(Some(found)),
        Err(error @ JournalError::Sql(_)) if !error.is_damage() => Err(error),
        Err(error) => {
            tracing::debug!(reason = %error, "an entry can't be read");
            Ok(None)
        }
    }
}

/// When alarms were raised since then, the oldest first; of very many the newest.
pub(crate) fn raised_since(connection: &Connection, from: Timestamp) -> Result<Vec<Timestamp>> {
    let some = "SELECT decided_ms FROM alarm WHERE decided_ms >= ?1 AND what = ?2 ORDER BY decided_ms DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(some)?;
    let raise = AlarmWhat::of(Some(Input::Raise { stamp: 0 })).word();
    let rows = statement.query_map((from.as_millis(), raise, AFTER_MAX), |row| row.get(0))?;
    let mut found: Vec<Timestamp> = rows.map(|row| row.map(Timestamp::from_millis)).collect::<Result<_>>()?;
    found.reverse();
    Ok(found)
}

/// Notes up to which entry a receiver has all.
pub(crate) fn put_onward(connection: &Connection, receiver: &str, number: u64) -> Result<()> {
    let number = whole(number);
    connection.prepare_cached("INSERT OR REPLACE INTO alarm_onward VALUES (?1, ?2, ?3)")?.execute((
        receiver,
        number,
        onward_sum(receiver, number).bytes(),
    ))?;
    Ok(())
}

/// Up to which entry a receiver has all; none if it never was told.
///
/// # Errors
/// If that isn't what was written.
pub(crate) fn onward(connection: &Connection, receiver: &str) -> Result<Option<u64>, JournalError> {
    let row: Option<(i64, Option<Vec<u8>>)> = connection
        .prepare_cached("SELECT number, sum FROM alarm_onward WHERE receiver = ?1")?
        .query_row([receiver], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((number, sum)) = row else { return Ok(None) };
    onward_sum(receiver, number).check(sum, || "up to where alarms were handed on".to_owned())?;
    Ok(Some(natural(number)))
}

fn onward_sum(receiver: &str, number: i64) -> Sum {
    Sum::of("alarm_onward").text(receiver).number(number)
}

/// Whether nothing has gone by age or bytes yet: then nothing was decided before the oldest entry.
pub(crate) fn is_whole(connection: &Connection) -> Result<bool> {
    Ok(gone(connection)? == 0)
}

fn gone(connection: &Connection) -> Result<i64> {
    Ok(meta::value(connection, GONE)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// Bytes of all entries.
    pub(crate) bytes_max: i64,
    /// What was decided before goes.
    pub(crate) before: Timestamp,
}

/// Lets the oldest go: one `step`, so that a clock that is ahead for a while takes little with it. What an alarm that stands needs stays, and
/// so does the newest entry of all, which carries the number on.
pub(crate) fn prune(connection: &Connection, held: &mut Held, bound: &Bound, step: Step) -> Result<()> {
    let mut due = Vec::new();
    {
        let mut statement = connection.prepare_cached(
            "SELECT number, decided_ms, bytes, alarm.rule, alarm.of, alarm.occurrence, realarms, alarm_standing.occurrence,
                    number IN (raised, newest)
             FROM alarm LEFT JOIN alarm_standing USING (rule, of) WHERE number >= ?1 ORDER BY number LIMIT ?2",
        )?;
        let mut rows = statement.query((held.from, step.rows))?;
        let (mut bytes, mut last, mut seen) = (held.bytes, 0, 0);
        held.from = loop {
            let Some(row) = rows.next()? else { break if seen < step.rows { 0 } else { last + 1 } };
            let (number, decided, own): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if number >= held.newest || bytes <= bound.bytes_max && decided >= bound.before.as_millis() {
                break 0;
            }
            (last, seen) = (number, seen + 1);
            if row.get::<_, Option<bool>>(8)? == Some(true) {
                continue;
            }
            bytes -= own;
            // What is heard of the occurrence that stands is kept with it.
            let is_current = row.get::<_, Option<i64>>(7)? == Some(row.get(5)?);
            // Nobody finds what is heard of a key that isn't what was written.
            let key = row.get::<_, String>(3).and_then(|rule| Ok((rule, row.get::<_, String>(4)?)));
            let marks = match key {
                Ok((rule, of)) if !is_current => Some((rule, of, row.get::<_, i64>(5)?, row.get::<_, i64>(6)?)),
                _ => None,
            };
            due.push((number, own, marks));
            if held.bytes - bytes >= step.bytes {
                break number + 1;
            }
        };
    }
    let mut delete = connection.prepare_cached("DELETE FROM alarm WHERE number = ?1")?;
    let mut forget = connection
        .prepare_cached("DELETE FROM alarm_heard WHERE rule = ?1 AND of = ?2 AND occurrence = ?3 AND realarms <= ?4")?;
    for (number, bytes, marks) in &due {
        delete.execute([number])?;
        held.bytes = held.bytes.saturating_sub(*bytes);
        if let Some((rule, of, occurrence, realarms)) = marks {
            forget.execute((rule, of, occurrence, realarms))?;
        }
    }
    if let Some((number, ..)) = due.last() {
        meta::put(connection, GONE, &(*number).max(gone(connection)?).to_string())?;
    }
    Ok(())
}
