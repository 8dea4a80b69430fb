//! The record of alarms for who asks: listed in pages, counted by the standard's figures, exported. Read beside whoever writes it, by a
//! connection that can't write.

mod export;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;
use watchfloor_board::{
    alarm::{
        AlarmEntry, Priority,
        late::Losses,
        priority_word,
        report::{AlarmReport, Reporter},
        room::{OF_ROOM, Refused},
        since::Sincer,
        state_word,
    },
    frame::{AlarmName, AlarmState, SinceAlarms, SinceLack},
};
use watchfloor_model::Timestamp;

pub use self::export::{Form, lack_words, visible};
use crate::{
    journal::{
        FILE_NAME, JournalError,
        migrate::FORMAT,
        table::{
            alarm::{self, Asked, GapKind, Lacking},
            glass, outage,
        },
        unwritten,
    },
    outages::Outage,
    past,
};

/// Entries of a page at most.
pub const PAGE_MAX: usize = 500;
/// Titles of other systems' alarms at most that are kept of one stretch.
const NAMES_MAX: usize = 20_000;
/// Whether somebody still wants to know is asked so often, in entries.
const WANTED_EVERY: u32 = 256;
/// What a report is about where nothing else is asked for: the standard wants thirty days at least.
pub const REPORT_SPAN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why the record of alarms can't be had, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is no journal.
    #[error("there is no journal in {path}: name the wall's data folder with --data-dir")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The journal is for newer programs only.
    #[error("journal {path} has format {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// It can't be read.
    #[error("journal {path} can't be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// What is exported can't be written.
    #[error("the record of alarms can't be written out: {0}")]
    Unwritable(io::Error),
    /// Who asked doesn't want to know any more.
    #[error("superseded")]
    Superseded,
}

impl RecordError {
    /// Whether what was asked for is wrong, and not the machine.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// What is asked of the record. What is none isn't asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Decided then or later.
    pub from: Option<Timestamp>,
    /// Decided before.
    pub to: Option<Timestamp>,
    /// Of this priority.
    pub priority: Option<Priority>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this one of the rule's alarms.
    pub of: Option<String>,
    /// Which led to this state.
    pub state: Option<AlarmState>,
    /// With a smaller number: where the page before ended.
    pub before: Option<u64>,
}

/// Some entries, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// They.
    pub entries: Vec<AlarmEntry>,
    /// Where the next page goes on, by [`RecordQuery::before`], if there is more.
    pub more: Option<u64>,
    /// From when on everything is known of alarms; none if nothing is.
    pub begin: Option<Timestamp>,
}

/// Whether who asked still wants to know.
pub type Wanted<'a> = &'a dyn Fn() -> bool;

/// What could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Lacks(pub(crate) Vec<SinceLack>);

impl Lacks {
    fn of(lacking: Lacking) -> Self {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        let gaps = lacking.gaps.into_iter().map(|gap| {
            let (count, from_ms, to_ms) = (gap.count, millis(gap.from), millis(gap.to));
            match gap.kind {
                GapKind::Missing => SinceLack::AlarmsMissing { count, from_ms, to_ms },
                GapKind::Damaged => SinceLack::AlarmsDamaged { count, from_ms, to_ms },
            }
        });
        let marks = (lacking.marks > 0).then_some(SinceLack::AlarmMarksDamaged { count: lacking.marks });
        Self(gaps.chain(marks).collect())
    }
}

/// The open journal.
pub(crate) struct Reader {
    connection: Connection,
    path: PathBuf,
    /// Whether it is of a program that knew no alarms.
    is_older: bool,
}

impl Reader {
    pub(crate) fn open(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(FILE_NAME);
        if !path.is_file() {
            return Err(RecordError::Missing { path: folder.to_owned() });
        }
        let opened = unwritten::ours(&path).and_then(|connection| {
            let is_older = !alarm::is_there(&connection)?;
            Ok((connection, is_older))
        });
        match opened {
            Ok((connection, is_older)) => Ok(Self { connection, path, is_older }),
            Err(JournalError::Newer(found)) => Err(RecordError::Newer { path, found, known: FORMAT }),
            Err(error) => Err(RecordError::Unreadable { path, reason: error.to_string() }),
        }
    }

    fn told(&self, error: impl Into<JournalError>) -> RecordError {
        RecordError::Unreadable { path: self.path.clone(), reason: error.into().to_string() }
    }

    /// Hands entries to `take` until that says that it has enough. Answers what could not be read.
    pub(crate) fn each(
        &self,
        asked: &Asked<'_>,
        mut take: impl FnMut(&AlarmEntry) -> bool,
    ) -> Result<Lacks, RecordError> {
        if self.is_older {
            return Ok(Lacks(vec![SinceLack::NoAlarms]));
        }
        let lacking = alarm::each(&self.connection, asked, |entry| take(&entry)).map_err(|error| self.told(error))?;
        Ok(Lacks::of(lacking))
    }

    /// The same from `from` until before `to`, as long as somebody wants to know. What found no room is among what could not be read.
    fn stretch(
        &self,
        from: Timestamp,
        to: Timestamp,
        wanted: Wanted<'_>,
        mut take: impl FnMut(&AlarmEntry),
    ) -> Result<Lacks, RecordError> {
        let mut is_wanted = wanted();
        let mut count = 0_u32;
        let mut refused = self.refused(Some(from))?;
        let mut lacks = self.each(&Asked { from: Some(from), to: Some(to), ..Asked::default() }, |entry| {
            if !refused.take(entry) {
                take(entry);
            }
            count += 1;
            is_wanted = is_wanted && (!count.is_multiple_of(WANTED_EVERY) || wanted());
            is_wanted
        })?;
        lacks.0.extend(refused.lacks());
        if is_wanted { Ok(lacks) } else { Err(RecordError::Superseded) }
    }

    /// What had found no room at an instant.
    fn refused(&self, at: Option<Timestamp>) -> Result<Refused, RecordError> {
        let mut refused = Refused::default();
        if let Some(at) = at.filter(|_| !self.is_older) {
            let before = alarm::newest_before(&self.connection, at, OF_ROOM).map_err(|error| self.told(error))?;
            before.iter().for_each(|entry| refused.carry(entry, at.as_millis()));
        }
        Ok(refused)
    }

    /// One state of the file for all that is asked from here on.
    fn hold(&self) -> Result<(), RecordError> {
        self.connection.execute_batch("BEGIN").map_err(|error| self.told(error))
    }

    /// From when on everything is known of alarms; none if nothing is. A record that has lost nothing begins with the journal, as far as that
    /// tells: before the first alarm there was none.
    pub(crate) fn begin(&self) -> Result<Option<Timestamp>, RecordError> {
        if self.is_older {
            return Ok(None);
        }
        let told = |error: rusqlite::Error| self.told(error);
        let oldest = alarm::begin(&self.connection).map_err(|error| self.told(error))?;
        if !alarm::is_whole(&self.connection).map_err(told)? {
            return Ok(oldest);
        }
        let glass = glass::oldest_taken(&self.connection).map_err(told)?;
        Ok(oldest.into_iter().chain(glass).min())
    }

    /// What stood at an instant, and what can't be read of it.
    fn standing_at(&self, at: Timestamp) -> Result<(Vec<AlarmEntry>, Lacks), RecordError> {
        if self.is_older {
            return Ok((Vec::new(), Lacks::default()));
        }
        let (found, lacking) = alarm::standing_at(&self.connection, at).map_err(|error| self.told(error))?;
        Ok((found, Lacks::of(lacking)))
    }

    /// When sources were lost, oldest first.
    pub(crate) fn outages(&self) -> Result<Vec<Outage>, RecordError> {
        outage::all(&self.connection).map_err(|error| self.told(error))
    }
}

/// What became of alarms, what couldn't be looked at, and what the record itself calls alarms.
pub(crate) type AlarmsSince = (SinceAlarms, Vec<SinceLack>, BTreeMap<String, AlarmName>);

/// What became of alarms from `from` until before `to`, what couldn't be looked at, and what the record itself calls alarms.
///
/// # Errors
/// If the journal can't be read, or nobody wants to know any more.
pub(crate) fn since(
    reader: &Reader,
    from: Timestamp,
    to: Timestamp,
    wanted: Wanted<'_>,
) -> Result<AlarmsSince, RecordError> {
    reader.hold()?;
    let begin = reader.begin()?;
    let reaches = begin.is_some_and(|begin| begin <= from);
    let losses = Losses::new(reader.outages()?.iter().map(Outage::view).collect());
    let mut sincer = Sincer::new(from.as_millis(), to.as_millis(), reaches, losses);
    let mut names = BTreeMap::new();
    let mut name = |entry: &AlarmEntry| {
        if let Some(title) = entry.title.clone().filter(|_| names.len() < NAMES_MAX) {
            names.insert(entry.key().to_string(), AlarmName { title, ..AlarmName::default() });
        }
    };
    let (standing, Lacks(mut lacks)) = reader.standing_at(from)?;
    for entry in standing {
        sincer.carry(&entry);
        name(&entry);
    }
    let Lacks(others) = reader.stretch(from, to, wanted, |entry| {
        sincer.take(entry);
        name(entry);
    })?;
    lacks.extend(others);
    let (found, left_out) = sincer.finish(begin.map(Timestamp::as_millis));
    if let Some(begin) = begin.filter(|_| !reaches) {
        lacks.push(SinceLack::AlarmsBegin { at_ms: begin.as_millis() });
    }
    if left_out > 0 {
        lacks.push(SinceLack::AlarmsTooMany { count: left_out });
    }
    Ok((found, lacks, names))
}

/// A page of entries, `limit` at most and no more than [`PAGE_MAX`]. `wanted` is asked now and then.
///
/// # Errors
/// If there is no journal, it can't be read, or nobody wants to know any more.
pub fn page(data_dir: &Path, query: &RecordQuery, limit: usize, wanted: Wanted<'_>) -> Result<RecordPage, RecordError> {
    let reader = Reader::open(data_dir)?;
    let limit = limit.clamp(1, PAGE_MAX);
    let asked = Asked {
        from: query.from,
        to: query.to,
        priority: query.priority.map(priority_word),
        rule: query.rule.as_deref(),
        of: query.of.as_deref(),
        state: query.state.map(state_word),
        behind: query.before,
        is_newest_first: true,
    };
    let mut page = RecordPage { begin: reader.begin()?, ..RecordPage::default() };
    let mut is_wanted = wanted();
    reader.each(&asked, |entry| {
        is_wanted = is_wanted && wanted();
        if !is_wanted {
            return false;
        }
        if page.entries.len() == limit {
            page.more = page.entries.last().map(|last| last.number);
            return false;
        }
        page.entries.push(entry.clone());
        true
    })?;
    if is_wanted { Ok(page) } else { Err(RecordError::Superseded) }
}

/// The standard's figures from `from` until before `to`; without `from` over [`REPORT_SPAN`]. A record that begins later is reported on from
/// its beginning. `wanted` is asked now and then.
///
/// # Errors
/// If there is no journal, it can't be read, or nobody wants to know any more.
pub fn report(
    data_dir: &Path,
    from: Option<Timestamp>,
    to: Timestamp,
    wanted: Wanted<'_>,
) -> Result<AlarmReport, RecordError> {
    let reader = Reader::open(data_dir)?;
    let asked = from.unwrap_or_else(|| to.minus(REPORT_SPAN));
    reader.hold()?;
    let begin = reader.begin()?;
    let from = begin.map_or(asked, |begin| asked.max(begin)).min(to);
    let mut reporter = Reporter::new(from.as_millis(), to.as_millis());
    reporter.note_begin(asked.as_millis(), begin.map(Timestamp::as_millis));
    reporter.note_losses(Losses::new(reader.outages()?.iter().map(Outage::view).collect()));
    let (standing, Lacks(mut lacks)) = reader.standing_at(from)?;
    standing.iter().for_each(|entry| reporter.carry(entry));
    // What another system calls its alarms is known by the record alone.
    let mut names = BTreeMap::new();
    let Lacks(others) = reader.stretch(from, to, wanted, |entry| {
        reporter.take(entry);
        if let Some(title) = entry.title.clone().filter(|_| names.len() < NAMES_MAX) {
            names.insert(entry.key().to_string(), AlarmName { title, ..AlarmName::default() });
        }
    })?;
    lacks.extend(others);
    // That there is no record of the glass is no reason to tell no figures.
    let unrecorded = past::Reader::open(data_dir)
        .and_then(|glass| past::Glass::new(glass, from, to).unrecorded())
        .unwrap_or_default();
    reporter.note_unobserved(unrecorded.iter().map(|own| (own.from_ms, own.to_ms)));
    let mut report = reporter.finish();
    lacks.sort();
    lacks.dedup();
    report.lacks = lacks;
    report.unrecorded_count = unrecorded.len() as u64;
    report.unrecorded = unrecorded.into_iter().take(past::UNRECORDED_MAX).collect();
    let keys: BTreeSet<String> = report.keys().map(str::to_owned).collect();
    names.retain(|key, _| keys.contains(key));
    report.names = names;
    Ok(report)
}

/// Writes entries out, oldest first, and behind them what could not be. Answers how many entries, and what could not be.
///
/// # Errors
/// If there is no journal, it can't be read, or `out` takes no more.
pub fn export(
    data_dir: &Path,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    form: Form,
    out: &mut impl Write,
) -> Result<(u64, Vec<SinceLack>), RecordError> {
    let reader = Reader::open(data_dir)?;
    reader.hold()?;
    let mut count = 0;
    let mut refused = reader.refused(from)?;
    let mut written = export::begin(form, out);
    let mut lacks = Lacks::default();
    if written.is_ok() {
        lacks = reader.each(&Asked { from, to, ..Asked::default() }, |entry| {
            refused.take(entry);
            written = export::line(form, entry, out);
            count += 1;
            written.is_ok()
        })?;
        lacks.0.extend(refused.lacks());
    }
    written
        .and_then(|()| lacks.0.iter().try_for_each(|lack| export::lack(form, lack, out)))
        .and_then(|()| out.flush())
        .map_err(RecordError::Unwritable)?;
    Ok((count, lacks.0))
}
