//! The record of alarms for who asks: listed in pages, counted by the standard's figures, exported. Read beside whoever writes it, by a
//! connection that can't write.

mod export;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::Connection;
use watchfloor_board::{
    alarm::{
        AlarmEntry, Priority, priority_word,
        report::{AlarmReport, Reporter},
        state_word,
    },
    frame::AlarmState,
};
use watchfloor_model::Timestamp;

pub use self::export::Form;
use crate::journal::{
    FILE_NAME, JournalError,
    migrate::FORMAT,
    table::alarm::{self, Asked},
    unwritten,
};

/// Entries of a page at most.
pub const PAGE_MAX: usize = 500;
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
}

/// The open journal.
struct Reader {
    connection: Connection,
    path: PathBuf,
    /// Whether it is of a program that knew no alarms.
    is_older: bool,
}

impl Reader {
    fn open(folder: &Path) -> Result<Self, RecordError> {
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

    fn each(&self, asked: &Asked<'_>, mut take: impl FnMut(&AlarmEntry) -> bool) -> Result<(), RecordError> {
        if self.is_older {
            return Ok(());
        }
        alarm::each(&self.connection, asked, |entry| Ok(take(&entry))).map_err(|error| self.told(error))
    }
}

/// A page of entries, `limit` at most and no more than [`PAGE_MAX`].
///
/// # Errors
/// If there is no journal, or it can't be read.
pub fn page(data_dir: &Path, query: &RecordQuery, limit: usize) -> Result<RecordPage, RecordError> {
    let reader = Reader::open(data_dir)?;
    let limit = limit.clamp(1, PAGE_MAX);
    let asked = Asked {
        from: query.from,
        to: query.to,
        priority: query.priority.map(priority_word),
        rule: query.rule.as_deref(),
        state: query.state.map(state_word),
        behind: query.before,
        is_newest_first: true,
    };
    let mut page = RecordPage::default();
    reader.each(&asked, |entry| {
        if page.entries.len() == limit {
            page.more = page.entries.last().map(|last| last.number);
            return false;
        }
        page.entries.push(entry.clone());
        true
    })?;
    Ok(page)
}

/// The standard's figures from `from` until before `to`; without `from` over [`REPORT_SPAN`]. A record that begins later is reported on from
/// its beginning.
///
/// # Errors
/// If there is no journal, or it can't be read.
pub fn report(data_dir: &Path, from: Option<Timestamp>, to: Timestamp) -> Result<AlarmReport, RecordError> {
    let reader = Reader::open(data_dir)?;
    let from = from.unwrap_or_else(|| to.minus(REPORT_SPAN));
    if reader.is_older {
        return Ok(Reporter::new(from.as_millis(), to.as_millis()).finish());
    }
    // One state of the file for all that is asked.
    reader.connection.execute_batch("BEGIN").map_err(|error| reader.told(error))?;
    let begin = alarm::begin(&reader.connection).map_err(|error| reader.told(error))?;
    let from = begin.map_or(from, |begin| from.max(begin)).min(to);
    let mut reporter = Reporter::new(from.as_millis(), to.as_millis());
    let standing = alarm::standing_at(&reader.connection, from).map_err(|error| reader.told(error))?;
    standing.iter().for_each(|entry| reporter.carry(entry));
    reporter.note_missing(alarm::missing(&reader.connection, from, to).map_err(|error| reader.told(error))?);
    let asked = Asked { from: Some(from), to: Some(to), ..Asked::default() };
    reader.each(&asked, |entry| {
        reporter.take(entry);
        true
    })?;
    Ok(reporter.finish())
}

/// Writes entries out, oldest first. Answers how many.
///
/// # Errors
/// If there is no journal, it can't be read, or `out` takes no more.
pub fn export(
    data_dir: &Path,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    form: Form,
    out: &mut impl Write,
) -> Result<u64, RecordError> {
    let reader = Reader::open(data_dir)?;
    let mut count = 0;
    let mut written = export::begin(form, out);
    if written.is_ok() {
        reader.each(&Asked { from, to, ..Asked::default() }, |entry| {
            written = export::line(form, entry, out);
            count += 1;
            written.is_ok()
        })?;
    }
    written.and_then(|()| out.flush()).map_err(RecordError::Unwritable)?;
    Ok(count)
}
