//! The record of alarms for who asks: what can be read of it, and what can't.
//!
//! Each entry carries a sum of what it says, and what it says counts: the columns beside it only help to find it. An entry that isn't what was
//! written is left out, and so is a number that is missing; both are counted, and between which two entries they are.

use rusqlite::{Connection, OptionalExtension, Row};
use watchfloor_board::alarm::{AlarmEntry, Change, Heard, machine::Sound, priority_word, state_of, state_word};
use watchfloor_model::Timestamp;

use super::{Call, entry, given, gone, heard_of, is_lost, natural, whole};
use crate::journal::{JournalError, says_damage};

/// Gaps at most that are told one by one; the last one has the rest.
const GAPS_MAX: usize = 20;

/// What is asked of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// Decided then or later.
    pub(crate) from: Option<Timestamp>,
    /// Decided before.
    pub(crate) to: Option<Timestamp>,
    /// Of this priority.
    pub(crate) priority: Option<&'a str>,
    /// Of this rule.
    pub(crate) rule: Option<&'a str>,
    /// Of this one of the rule's alarms.
    pub(crate) of: Option<&'a str>,
    /// Which led to this state.
    pub(crate) state: Option<&'a str>,
    /// Behind this number, in the order that is asked for.
    pub(crate) behind: Option<u64>,
    /// The newest first. Then it isn't looked for what is missing.
    pub(crate) is_newest_first: bool,
}

impl Asked<'_> {
    fn is_in(&self, decided: Timestamp) -> bool {
        self.from.is_none_or(|from| decided >= from) && self.to.is_none_or(|to| decided < to)
    }

    fn is_meant(&self, change: &Change) -> bool {
        self.is_in(change.decided)
            && self.priority.is_none_or(|word| priority_word(change.now.priority) == word)
            && self.rule.is_none_or(|rule| *change.key.rule == *rule)
            && self.of.is_none_or(|of| *change.key.of == *of)
            && self.state.is_none_or(|state| state_word(state_of(change.now.alarm.shown())) == state)
    }
}

/// Why entries in a row aren't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GapKind {
    /// Their numbers were given, and they are not there.
    Missing,
    /// They aren't what was written.
    Damaged,
}

/// Entries in a row that aren't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) kind: GapKind,
    pub(crate) count: u64,
    /// When the last one was decided before them that can be read; none if there is none.
    pub(crate) from: Option<Timestamp>,
    /// The same of the first one behind them.
    pub(crate) to: Option<Timestamp>,
}

/// What could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// Oldest first.
    pub(crate) gaps: Vec<Gap>,
    /// Calls of which it can't be read whether and when they were announced and seen.
    pub(crate) marks: u64,
}

impl Lacking {
    fn add(&mut self, gap: Gap) {
        let is_full = self.gaps.iter().filter(|own| own.kind == gap.kind).count() >= GAPS_MAX;
        match self.gaps.iter_mut().rev().find(|own| own.kind == gap.kind) {
            Some(last) if is_full => (last.count, last.to) = (last.count + gap.count, gap.to),
            _ => self.gaps.push(gap),
        }
    }
}

/// What isn't known on the way, since the last entry that could be read.
#[derive(Debug)]
struct Watch {
    /// Nothing is expected up to this number.
    number: i64,
    /// When the last entry was decided that could be read.
    at: Option<Timestamp>,
    missing: u64,
    damaged: u64,
}

impl Watch {
    /// Number `number` is the next one that there is.
    fn reach(&mut self, number: i64) {
        self.missing = self.missing.saturating_add(natural(number.saturating_sub(self.number).saturating_sub(1)));
        self.number = self.number.max(number);
    }

    /// The next entry that can be read was decided then; none if none comes.
    fn close(&mut self, at: Option<Timestamp>, asked: &Asked<'_>, lacking: &mut Lacking) {
        let from = self.at;
        let before = at.is_some_and(|at| asked.from.is_some_and(|from| at < from));
        let behind = from.is_some_and(|from| asked.to.is_some_and(|to| from >= to));
        for (kind, count) in [(GapKind::Missing, self.missing), (GapKind::Damaged, self.damaged)] {
            if count > 0 && !before && !behind {
                lacking.add(Gap { kind, count, from, to: at });
            }
        }
        (self.missing, self.damaged, self.at) = (0, 0, at.or(from));
    }
}

/// Hands entries to `take` until that says that it has enough. Answers what could not be read of what was asked for.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn each(
    connection: &Connection,
    asked: &Asked<'_>,
    take: impl FnMut(AlarmEntry) -> bool,
) -> Result<Lacking, JournalError> {
    if asked.is_newest_first { newest_first(connection, asked, take) } else { oldest_first(connection, asked, take) }
}

fn oldest_first(
    connection: &Connection,
    asked: &Asked<'_>,
    mut take: impl FnMut(AlarmEntry) -> bool,
) -> Result<Lacking, JournalError> {
    let mut lacking = Lacking::default();
    let (first, last) = numbers(connection, asked)?;
    let begin = anchor(connection, asked, first)?;
    let gone = gone(connection)?;
    let (mut from, at) = begin.map_or((i64::MIN, None), |(number, at)| (number + 1, at));
    let mut watch = Watch { number: gone.max(from.saturating_sub(1)), at, missing: 0, damaged: 0 };
    let mut statement = connection
        .prepare_cached("SELECT number, received_ms, body, sum FROM alarm WHERE number >= ?1 ORDER BY number")?;
    'all: loop {
        let mut rows = statement.query([from])?;
        loop {
            let row = match rows.next() {
                Ok(None) => break 'all,
                Ok(Some(row)) => row,
                Err(error) if says_damage(&error) => break,
                Err(error) => return Err(error.into()),
            };
            let number: i64 = row.get(0)?;
            from = number + 1;
            watch.reach(number);
            let Some((change, received)) = entry(row)? else {
                watch.damaged += 1;
                continue;
            };
            watch.close(Some(change.decided), asked, &mut lacking);
            if asked.is_meant(&change) {
                let entry = with_heard(connection, &change, received, &mut lacking)?;
                if !take(entry) {
                    return Ok(lacking);
                }
            } else if number > last && !asked.is_in(change.decided) {
                // Behind the last of the stretch, by what it says itself.
                return Ok(lacking);
            }
        }
        drop(rows);
        // A page of the file is bad: what is on it can't be told apart.
        let next = behind_bad(connection, from)?;
        let until = next.unwrap_or_else(|| watch.number.max(given(connection).unwrap_or(0)) + 1);
        watch.damaged += natural(until - watch.number.saturating_add(1)).max(1);
        watch.number = watch.number.max(until - 1);
        match next {
            Some(next) => from = next,
            None => break,
        }
    }
    watch.reach(given(connection)?.saturating_add(1).max(watch.number + 1));
    watch.close(None, asked, &mut lacking);
    Ok(lacking)
}

/// Between which numbers the stretch is by the columns. Numbers go with time, but for clocks that were set.
fn numbers(connection: &Connection, asked: &Asked<'_>) -> Result<(Option<i64>, i64), JournalError> {
    let bound = |sql: &str, at: Timestamp| -> rusqlite::Result<Option<i64>> {
        connection.prepare_cached(sql)?.query_row([at.as_millis()], |row| row.get(0))
    };
    let known = |found: rusqlite::Result<Option<i64>>, all: i64| match found {
        Ok(found) => Ok(found),
        // All of it, then.
        Err(error) if says_damage(&error) => Ok(Some(all)),
        Err(error) => Err(error),
    };
    let first = match asked.from {
        Some(from) => known(bound("SELECT MIN(number) FROM alarm WHERE decided_ms >= ?1", from), i64::MIN)?,
        None => Some(i64::MIN),
    };
    let last = match asked.to {
        Some(to) => known(bound("SELECT MAX(number) FROM alarm WHERE decided_ms < ?1", to), i64::MAX)?,
        None => Some(i64::MAX),
    };
    Ok((first, last.unwrap_or(i64::MIN)))
}

/// The newest entry before number `first` that proves to be of before the stretch, and when it was decided; none if there is none. Where there is no
/// `first`, before all.
fn anchor(
    connection: &Connection,
    asked: &Asked<'_>,
    first: Option<i64>,
) -> Result<Option<(i64, Option<Timestamp>)>, JournalError> {
    let Some(begin) = asked.from else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT number, received_ms, body, sum FROM alarm WHERE ?1 IS NULL OR number < ?1 ORDER BY number DESC",
    )?;
    let mut rows = statement.query([first])?;
    loop {
        match rows.next() {
            Ok(None) => return Ok(None),
            Ok(Some(row)) => match entry(row)? {
                Some((change, _)) if change.decided < begin => return Ok(Some((row.get(0)?, Some(change.decided)))),
                _ => {}
            },
            Err(error) if says_damage(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The next number from `from` on that can be read behind a bad page; none if there is none.
fn behind_bad(connection: &Connection, from: i64) -> Result<Option<i64>, JournalError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, received_ms, body, sum FROM alarm WHERE number >= ?1 ORDER BY number LIMIT 1",
    )?;
    let mut look = |from: i64| -> Result<Option<Option<i64>>, JournalError> {
        match statement.query_row([from], |row| row.get::<_, i64>(0)).optional() {
            Ok(found) => Ok(Some(found)),
            Err(error) if says_damage(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    };
    // First far enough, then back to the first that can be read.
    let (mut bad, mut step) = (from, 1_i64);
    let (mut good, mut found) = loop {
        let at = bad.saturating_add(step);
        match look(at)? {
            Some(found) => break (at, found),
            None if at == i64::MAX => return Ok(None),
            None => (bad, step) = (at, step.saturating_mul(2)),
        }
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        match look(middle)? {
            Some(nearer) => (good, found) = (middle, nearer),
            None => bad = middle,
        }
    }
    Ok(found)
}

fn newest_first(
    connection: &Connection,
    asked: &Asked<'_>,
    mut take: impl FnMut(AlarmEntry) -> bool,
) -> Result<Lacking, JournalError> {
    let mut lacking = Lacking::default();
    let mut statement = connection.prepare_cached(
        "SELECT number, received_ms, body, sum FROM alarm
         WHERE (?1 IS NULL OR decided_ms >= ?1) AND (?2 IS NULL OR decided_ms < ?2)
           AND (?3 IS NULL OR priority = ?3) AND (?4 IS NULL OR rule = ?4) AND (?5 IS NULL OR state = ?5)
           AND (?6 IS NULL OR number < ?6) AND (?7 IS NULL OR of = ?7)
         ORDER BY number DESC",
    )?;
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
    let (from, to) = (millis(asked.from), millis(asked.to));
    let behind = asked.behind.map(whole);
    let mut rows = statement.query((from, to, asked.priority, asked.rule, asked.state, behind, asked.of))?;
    let mut damaged = 0;
    loop {
        let row = match rows.next() {
            Ok(None) => break,
            Ok(Some(row)) => row,
            Err(error) if says_damage(&error) => {
                // What is before it isn't reached.
                damaged += 1;
                break;
            }
            Err(error) => return Err(error.into()),
        };
        match entry(row)? {
            Some((change, received)) => {
                let entry = with_heard(connection, &change, received, &mut lacking)?;
                if !take(entry) {
                    break;
                }
            }
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        lacking.add(Gap { kind: GapKind::Damaged, count: damaged, from: asked.from, to: asked.to });
    }
    Ok(lacking)
}

fn with_heard(
    connection: &Connection,
    change: &Change,
    received: Option<Timestamp>,
    lacking: &mut Lacking,
) -> Result<AlarmEntry, JournalError> {
    // Of other entries nothing is told of it.
    let heard = if change.sound == Sound::Start {
        let alarm = change.now.alarm;
        let call = Call { key: change.key.clone(), occurrence: alarm.occurrence, realarms: alarm.realarms };
        match heard_of(connection, &call)? {
            Some(None) => {
                lacking.marks += 1;
                Heard::default()
            }
            found => found.flatten().unwrap_or_default(),
        }
    } else {
        Heard::default()
    };
    Ok(AlarmEntry::of(change, received, heard))
}

/// The newest entry of each alarm that stood at an instant, oldest first, and what can't be read of them.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn standing_at(connection: &Connection, at: Timestamp) -> Result<(Vec<AlarmEntry>, Lacking), JournalError> {
    let all = "SELECT number, received_ms, body, sum FROM alarm WHERE stands AND number IN
               (SELECT MAX(number) FROM alarm WHERE decided_ms < ?1 GROUP BY rule, of) ORDER BY number";
    let (found, mut damaged) = some(connection, all, at)?;
    // Whose newest entry is gone, though it is known that it stands.
    let gone =
        "SELECT COUNT(*) FROM alarm_standing WHERE newest <= (SELECT MAX(number) FROM alarm WHERE decided_ms < ?1)
                AND NOT EXISTS (SELECT 1 FROM alarm WHERE number = newest)";
    let missing = match connection.query_row(gone, [at.as_millis()], |row| row.get::<_, i64>(0)) {
        Ok(missing) => natural(missing),
        Err(error) if is_lost(&error) => {
            damaged = damaged.max(1);
            0
        }
        Err(error) => return Err(error.into()),
    };
    let mut lacking = Lacking::default();
    for (kind, count) in [(GapKind::Missing, missing), (GapKind::Damaged, damaged)] {
        if count > 0 {
            lacking.add(Gap { kind, count, from: None, to: Some(at) });
        }
    }
    Ok((found, lacking))
}

/// The newest entry before an instant of each key of the rules whose names begin so.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn newest_before(
    connection: &Connection,
    at: Timestamp,
    prefix: &str,
) -> Result<Vec<AlarmEntry>, JournalError> {
    let all = "SELECT number, received_ms, body, sum FROM alarm WHERE number IN
               (SELECT MAX(number) FROM alarm WHERE decided_ms < ?1 AND rule >= ?2 AND rule < ?2 || char(1114111)
                GROUP BY rule, of) ORDER BY number";
    let mut statement = connection.prepare_cached(all)?;
    let mut rows = statement.query((at.as_millis(), prefix))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(entry_of(row)?);
    }
    Ok(found)
}

fn some(connection: &Connection, sql: &str, at: Timestamp) -> Result<(Vec<AlarmEntry>, u64), JournalError> {
    let mut statement = connection.prepare_cached(sql)?;
    let (mut rows, mut found, mut damaged) = (statement.query([at.as_millis()])?, Vec::new(), 0);
    loop {
        match rows.next() {
            Ok(None) => return Ok((found, damaged)),
            Ok(Some(row)) => match entry_of(row)? {
                Some(entry) => found.push(entry),
                None => damaged += 1,
            },
            Err(error) if says_damage(&error) => return Ok((found, damaged + 1)),
            Err(error) => return Err(error.into()),
        }
    }
}

fn entry_of(row: &Row<'_>) -> Result<Option<AlarmEntry>, JournalError> {
    Ok(entry(row)?.map(|(change, received)| AlarmEntry::of(&change, received, Heard::default())))
}

/// When the oldest entry was decided that can be read of what is kept whole.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn begin(connection: &Connection) -> Result<Option<Timestamp>, JournalError> {
    let kept = "SELECT number, received_ms, body, sum FROM alarm WHERE number > ?1 ORDER BY number";
    let mut statement = connection.prepare_cached(kept)?;
    let mut rows = statement.query([gone(connection)?])?;
    loop {
        match rows.next() {
            Ok(None) => return Ok(None),
            Ok(Some(row)) => {
                if let Some((change, _)) = entry(row)? {
                    return Ok(Some(change.decided));
                }
            }
            Err(error) if says_damage(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
