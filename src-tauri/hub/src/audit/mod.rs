//! What was refused, and what was taken back: who, what, why and when. In memory the newest, in the log, and in a file if one is named.
//!
//! A flood of refusals must not become a flood of lines: beyond so many a second they are counted, and the counts are an entry. Revocations
//! are never left out. Nothing secret is written: no token, no signature, no query. What strangers send is cut, and its control characters
//! are escaped, so nobody writes a line of the log that the hub didn't.

mod file;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use watchfloor_model::Timestamp;

use self::file::LogFile;
use crate::{limits, proxies::ClientAddress, revocation::Door};

/// What an entry is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// Somebody wasn't given what he asked for.
    Refused,
    /// Something was taken back.
    Revoked,
    /// Refusals that were too many to be entered one by one.
    LeftOut,
}

/// Who is meant, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Who {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<ClientAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Arc<str>>,
    /// The id of a token, never the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection: Option<Arc<str>>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// Counts up by one.
    pub(crate) number: u64,
    /// When, by the system's clock.
    pub(crate) time: Timestamp,
    pub(crate) what: What,
    /// Why, for programs.
    pub(crate) code: &'static str,
    /// By which door, or which address of the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) door: Option<Arc<str>>,
    #[serde(flatten)]
    pub(crate) who: Who,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<Arc<str>>,
    /// Why, for people.
    pub(crate) reason: String,
    /// How many connections were ended, or refusals left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u64>,
}

/// What is to be entered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Note<'a> {
    pub(crate) code: &'static str,
    pub(crate) door: Option<&'a str>,
    pub(crate) who: Who,
    pub(crate) channel: Option<&'a str>,
    pub(crate) reason: &'a str,
    pub(crate) count: Option<u64>,
}

impl Door {
    /// As entries have it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::Poll => "poll",
            Self::Snapshot => "snapshot",
            Self::Pusher => "pusher",
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    inner: Mutex<Inner>,
    file: Option<LogFile>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    refused: VecDeque<Entry>,
    revoked: VecDeque<Entry>,
    /// The second that is counted, and what was entered in it.
    second: i64,
    entered: u32,
    /// What was not, by code.
    left_out: BTreeMap<&'static str, u64>,
}

impl Audit {
    /// One that writes to this file too, if it is named.
    ///
    /// # Errors
    /// If the file can't be opened.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(|path| LogFile::open(path, limits::AUDIT_FILE_BYTES)).transpose()?;
        Ok(Self { inner: Mutex::default(), file })
    }

    /// Somebody wasn't given what he asked for.
    pub(crate) fn refuse(&self, note: Note<'_>, now: Timestamp) {
        let entries = {
            let mut inner = self.lock();
            let mut entries = inner.turn(now);
            if inner.entered >= limits::AUDIT_REFUSALS_A_SECOND {
                *inner.left_out.entry(note.code).or_default() += 1;
            } else {
                inner.entered += 1;
                entries.push(inner.enter(What::Refused, note, now));
            }
            entries
        };
        entries.iter().for_each(|entry| self.write(entry));
    }

    /// Something was taken back.
    pub(crate) fn revoke(&self, note: Note<'_>, now: Timestamp) {
        let entry = self.lock().enter(What::Revoked, note, now);
        self.write(&entry);
    }

    /// Enters what was left out in a second that is over.
    pub(crate) fn advance(&self, now: Timestamp) {
        let left_out = self.lock().turn(now);
        left_out.iter().for_each(|entry| self.write(entry));
    }

    /// The newest entries, the newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<Entry> {
        let inner = self.lock();
        let mut all: Vec<&Entry> = inner.refused.iter().chain(&inner.revoked).collect();
        all.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.number));
        all.into_iter().take(count).cloned().collect()
    }

    fn write(&self, entry: &Entry) {
        let Entry { code, door, who, channel, reason, count, .. } = entry;
        let text = |text: &Option<Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
        let (door, channel) = (text(door), text(channel));
        let (app, user, token, connection) = (text(&who.app), text(&who.user), text(&who.token), text(&who.connection));
        let address = who.address.map(|address| address.to_string()).unwrap_or_default();
        match entry.what {
            What::Refused => {
                tracing::info!(target: "audit", code, door, address, app, user, token, connection, channel, reason, "refused");
            }
            What::Revoked => {
                tracing::info!(target: "audit", code, door, address, app, user, token, connection, channel, reason, count, "revoked");
            }
            What::LeftOut => tracing::warn!(target: "audit", code, count, reason, "refusals left out"),
        }
        if let Some(file) = &self.file {
            file.write(entry);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Begins another second, if it is time, and enters what was left out in the last.
    fn turn(&mut self, now: Timestamp) -> Vec<Entry> {
        let second = now.as_millis().div_euclid(1000);
        if second == self.second {
            return Vec::new();
        }
        (self.second, self.entered) = (second, 0);
        let left_out = std::mem::take(&mut self.left_out);
        let entry = |(code, count): (&'static str, u64)| {
            let reason = "more of them than are entered one by one";
            self.enter(What::LeftOut, Note { code, reason, count: Some(count), ..Note::default() }, now)
        };
        left_out.into_iter().map(entry).collect()
    }

    fn enter(&mut self, what: What, note: Note<'_>, now: Timestamp) -> Entry {
        let Note { code, door, who, channel, reason, count } = note;
        self.last += 1;
        let clean_one = |text: Option<Arc<str>>| text.map(|text| Arc::from(clean(&text)));
        let who = Who {
            address: who.address,
            app: clean_one(who.app),
            user: clean_one(who.user),
            token: clean_one(who.token),
            connection: clean_one(who.connection),
        };
        let entry = Entry {
            number: self.last,
            time: now,
            what,
            code,
            door: door.map(|door| clean(door).into()),
            who,
            channel: channel.map(|channel| clean(channel).into()),
            reason: clean(reason),
            count,
        };
        // A flood of refusals is not to push out what was revoked.
        let ring = if what == What::Revoked { &mut self.revoked } else { &mut self.refused };
        ring.push_back(entry.clone());
        if ring.len() > limits::AUDIT_ENTRIES_MAX {
            ring.pop_front();
        }
        entry
    }
}

/// A text that may come from anybody, as it is entered: cut, and without what would end a line, or turn it around for who reads it.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(limits::AUDIT_TEXT_CHARS_MAX));
    for (count, c) in text.chars().enumerate() {
        if count == limits::AUDIT_TEXT_CHARS_MAX {
            cleaned.push('…');
            break;
        }
        let is_unseen =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || is_unseen {
            cleaned.extend(c.escape_unicode());
        } else {
            cleaned.push(c);
        }
    }
    cleaned
}
