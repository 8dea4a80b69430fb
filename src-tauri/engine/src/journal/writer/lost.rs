//! A journal that can't be used at present: what people are told, and the way back.

use std::{io, path::PathBuf};

use tokio::time::Instant;
use watchfloor_board::frame::{Notice, Said, State};
use watchfloor_model::Timestamp;

use super::{Gone, Memory, NOTICE, Pace, Writer};
use crate::{
    event::Event,
    journal::{
        FILE_NAME, Journal, JournalError, Opened,
        check::{Check, Verdict},
    },
};

/// A journal that was found to be sound and is called damaged again within as many attempts is believed to be damaged.
const ACQUITTED_FOR_RETRIES: u32 = 6;

/// What is known of a journal that can't be used.
#[derive(Debug)]
pub(super) struct Lost {
    /// Since when.
    since: Timestamp,
    /// The next attempt.
    pub(super) retry_at: Instant,
    /// Whether it is the file's fault.
    doubt: Doubt,
    /// A damaged one that was set aside meanwhile, and is still to be told.
    set_aside: Option<(PathBuf, String)>,
}

/// Whether a new file is needed.
#[derive(Debug)]
enum Doubt {
    /// Nothing speaks against the old one.
    None,
    /// It is being read through.
    Checked {
        /// By this.
        check: Check,
        /// How it is damaged, by what SQLite said.
        accused: Option<String>,
    },
}

impl Lost {
    /// Lost by no fault of the file's.
    pub(super) fn since(since: Timestamp, pace: Pace) -> Self {
        Self { since, retry_at: Instant::now() + pace.retry, doubt: Doubt::None, set_aside: None }
    }
}

impl Writer {
    /// Goes on from memory, and says so.
    pub(super) async fn lose(&mut self, error: &JournalError) -> Result<(), Gone> {
        let since = self.clock.wall();
        let reason = error.to_string();
        tracing::warn!(reason, "the journal can't be written: going on from memory");
        // Before the check begins, nobody holds the file open any more.
        self.memory = Memory::Lost(Lost::since(since, self.pace));
        let doubt = self.doubt(error);
        self.memory = Memory::Lost(Lost { doubt, ..Lost::since(since, self.pace) });
        self.wanted = None;
        self.tell_not_remembering(since, reason).await
    }

    async fn tell_not_remembering(&mut self, since: Timestamp, reason: String) -> Result<(), Gone> {
        let mut notice = not_remembering(since, reason);
        notice.detail.extend(self.kept.words());
        self.notice(notice).await
    }

    /// What an error says of the file. A file is never given up for what may have been a fault of the disk for a moment.
    fn doubt(&self, error: &JournalError) -> Doubt {
        if !error.is_damage() && !error.is_unreadable() {
            return Doubt::None;
        }
        Check::begin(self.folder.join(FILE_NAME)).map_or_else(
            |failed| {
                tracing::warn!(reason = %failed, "the journal can't be checked");
                Doubt::None
            },
            |check| Doubt::Checked { check, accused: error.is_damage().then(|| error.to_string()) },
        )
    }

    /// Tries to remember again: state and positions as they are now, in one transaction.
    pub(super) async fn rejoin(&mut self) -> Result<(), Gone> {
        let Memory::Lost(lost) = &mut self.memory else { return Ok(()) };
        lost.retry_at = Instant::now() + self.pace.retry;
        if matches!(&lost.doubt, Doubt::Checked { check, .. } if !check.is_over()) {
            return Ok(());
        }
        let doubt = std::mem::replace(&mut lost.doubt, Doubt::None);
        let (since, now, mut set_aside) = (lost.since, self.clock.wall(), lost.set_aside.take());
        let outcome = match self.open_again(doubt, now) {
            Ok(opened) => {
                set_aside = opened.set_aside.or(set_aside);
                self.begin_again(opened.journal, now).await?
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(journal) => {
                tracing::info!("the journal is written again");
                self.memory = Memory::Kept(Box::new(journal));
                self.records.lose();
                match set_aside {
                    Some((path, reason)) => self.notice(replaced(&path.display().to_string(), &reason)).await,
                    None => self.events.send(Event::NoticeOver { id: NOTICE }).await.map_err(|_| Gone),
                }
            }
            Err(error) => {
                // The file was opened afresh: only what is wrong with it now counts.
                let doubt = self.doubt(&error);
                self.memory = Memory::Lost(Lost { doubt, set_aside, ..Lost::since(since, self.pace) });
                self.tell_not_remembering(since, error.to_string()).await
            }
        }
    }

    /// Whether it was called damaged, and found to be sound, a moment ago already.
    fn is_acquitted(&self) -> bool {
        self.acquitted_at.is_some_and(|at| at.elapsed() < ACQUITTED_FOR_RETRIES * self.pace.retry)
    }

    fn open_again(&mut self, doubt: Doubt, now: Timestamp) -> Result<Opened, JournalError> {
        let Doubt::Checked { check, accused } = doubt else {
            return Journal::open(&self.folder, self.bounds, now);
        };
        match (check.verdict(), accused) {
            (Verdict::Sound, Some(reason)) if self.is_acquitted() => {
                // It comes again and again, and nobody finds it: believed after all.
                Journal::replace(&self.folder, self.bounds, now, &reason)
            }
            (Verdict::Sound, accused) => {
                tracing::info!("the journal was read through: nothing is wrong with it");
                self.acquitted_at = accused.map(|_| Instant::now()).or(self.acquitted_at);
                Journal::open(&self.folder, self.bounds, now)
            }
            (Verdict::Damaged(reason), _) => Journal::replace(&self.folder, self.bounds, now, &reason),
            (Verdict::Unanswered(reason), _) => Err(JournalError::Unanswered(reason)),
        }
    }

    /// Writes state and positions as they are now into a journal just opened.
    async fn begin_again(
        &mut self,
        mut journal: Journal,
        now: Timestamp,
    ) -> Result<Result<Journal, JournalError>, Gone> {
        let Some(body) = self.taken_now(journal.last_seq() + 1).await? else {
            // That is no fault of the file's.
            return Ok(Err(JournalError::Io(io::Error::new(io::ErrorKind::TimedOut, "the board did not answer"))));
        };
        let written = self
            .kept
            .write(&mut journal, now)
            .and_then(|()| journal.rejoin(now, &body, &self.positions))
            .and_then(|()| journal.put_outages(self.outages.all()));
        if written.is_ok() {
            self.saved(body.len());
        }
        Ok(written.map(|()| journal))
    }
}

/// The notice about a journal that can't be written.
pub(crate) fn not_remembering(since: Timestamp, reason: String) -> Notice {
    let time = jiff::Timestamp::from_millisecond(since.as_millis())
        .map_or_else(|_| since.to_string(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let detail = vec![reason, "The wall goes on from memory and tries again every few seconds.".into()];
    Notice::said(NOTICE, State::Warning, Said::NotRemembering { since: time }, detail)
}

/// The notice about a journal that was set aside.
pub(crate) fn replaced(path: &str, reason: &str) -> Notice {
    let detail = vec![reason.into(), format!("The damaged one is kept as {path}")];
    Notice::said(NOTICE, State::Warning, Said::JournalReplaced, detail)
}

/// The notice about entries of the record of alarms that a start couldn't read.
pub(crate) fn alarms_damaged(count: u64) -> Notice {
    let detail =
        vec!["The wall goes on from what can be read. `watchfloor alarms since` says when they are from.".into()];
    Notice::said("alarm-record", State::Warning, Said::AlarmsDamaged { count }, detail)
}
