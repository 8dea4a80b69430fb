//! A row of polls of one document.
//!
//! ```text
//! GET → document (present…) ; GET, If-None-Match → 304, or document (removed…, new…, changed…)
//! ```

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use watchfloor_model::{Event, Position, limits::NAME_BYTES_MAX};

use super::{
    cache::Dates,
    rows::{Change, Known, Rows, compare, read},
    validators::Validators,
};
use crate::{
    config::{Secret, SourceConfig},
    decode,
    envelope::{Envelope, Outside},
    fault::cut,
    limits::DECODED_BYTES_MAX,
    port::{Head, Message},
    protocols::{Moment, Place, Session, Signal, counted::Counted},
};

/// A link.
#[derive(Debug)]
pub(super) struct DocumentSession {
    names: Arc<[Arc<str>]>,
    envelope: Envelope,
    /// Of a row.
    row: Envelope,
    counted: Counted,
    /// For the link after this one.
    shared: Arc<Mutex<Known>>,
    known: Option<Rows>,
    subscribed: bool,
    /// Of the last document that was read.
    cursor: String,
    /// The cursor that the head of the answer says.
    told: String,
    /// There is nothing new, by the head.
    is_unchanged: bool,
    dates: Dates,
}

impl DocumentSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64, shared: Arc<Mutex<Known>>) -> Self {
        Self {
            names: names.clone(),
            // The key is the row's, not the event's: a row that changes again is another event.
            row: Envelope { id: None, data: None, ..config.envelope.clone() },
            envelope: config.envelope.clone(),
            counted: Counted::new(names.len(), seed),
            shared,
            known: None,
            subscribed: false,
            cursor: String::new(),
            told: String::new(),
            is_unchanged: false,
            dates: Dates::default(),
        }
    }

    /// Nothing can be made of the answer, so it proves nothing.
    fn fail(&self, reason: &str, out: &mut Vec<Signal>) {
        let reason = cut(reason);
        if self.subscribed {
            out.push(Signal::Rejected { place: None, reason });
            out.push(Signal::Behind { age: None });
        } else {
            out.push(Signal::Error { code: "document".to_owned(), message: reason, denied: false });
        }
    }

    /// Tells how the document differs from the one before. False if it can't be read.
    fn take(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        let body = decode::json(&self.envelope.decode, body, DECODED_BYTES_MAX);
        let read = body.and_then(|body| read(&body, self.envelope.data.as_ref(), self.envelope.id.as_ref()));
        let rows = match read {
            Ok(rows) => rows,
            Err(reason) => {
                self.fail(&reason, out);
                return false;
            }
        };
        if !std::mem::replace(&mut self.subscribed, true) {
            out.push(self.counted.subscribed(0, "what came and went between two polls isn't seen"));
        }
        // What went while nobody looked is in no difference.
        if self.known.is_none() && self.envelope.id.is_some() {
            out.push(Signal::Whole { channel: 0 });
        }
        let (changes, rows) = compare(self.known.as_ref(), rows);
        for change in changes {
            let Some(position) = self.counted.next(0, None) else { return false };
            self.change(&change, position, now, out);
        }
        self.cursor.clone_from(&self.told);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        *shared = Known { at: self.counted.at(0).cloned(), rows: rows.clone() };
        drop(shared);
        self.known = Some(rows);
        true
    }

    fn change(&self, change: &Change, position: Position, now: Moment, out: &mut Vec<Signal>) {
        let outside = Outside { channel: &self.names[0], name: "", id: None, time: now.wall, received: now.mono };
        match change.row.open(&self.row, outside) {
            Ok(event) => {
                let name: Arc<str> = match &*event.name {
                    "" => change.kind.into(),
                    _ if change.key.is_empty() => event.name.clone(),
                    name => format!("{name}.{}", change.kind).into(),
                };
                if name.len() > NAME_BYTES_MAX {
                    let reason = format!("name has {} bytes, the limit is {NAME_BYTES_MAX}", name.len());
                    out.push(Signal::Rejected { place: None, reason: reason.clone() });
                    return out.push(Signal::Lost { channel: 0, head: position, reason });
                }
                let event = Event { position: Some(position.clone()), name, ..event };
                out.push(Signal::Event { channel: 0, position, event });
            }
            Err(reason) => {
                let of = if change.key.is_empty() { String::new() } else { format!("row {}: ", change.key) };
                let reason = cut(&format!("{of}{reason}"));
                out.push(Signal::Rejected { place: None, reason: reason.clone() });
                out.push(Signal::Lost { channel: 0, head: position, reason });
            }
        }
    }
}

impl Session for DocumentSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        // What was told up to here is the document that is known, or it is of no use.
        let place = places.first().and_then(|place| place.position.as_ref());
        self.known = (shared.at.is_some() && shared.at.as_ref() == place).then(|| shared.rows.clone());
        drop(shared);
        self.counted.begin_again();
        Vec::new()
    }

    fn can_resubscribe(&self) -> bool {
        false
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        None
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn cursor(&self) -> &str {
        &self.cursor
    }

    fn decode_head(&mut self, head: &Head, now: Moment, out: &mut Vec<Signal>) {
        // It isn't asked more often than it wants, and not given up meanwhile.
        let heartbeat = head.retry_after.unwrap_or(Duration::ZERO);
        out.push(Signal::Hello { heartbeat, clock: None, grant: None });
        out.extend(self.dates.age(head, now).map(|age| Signal::Kept { age }));
        self.is_unchanged = head.is_unchanged;
        Validators::read(head).write(&mut self.told);
    }

    fn decode_answer(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        // Only what can be read proves anything.
        let is_read = match (self.is_unchanged, body.is_empty()) {
            (true, _) if self.subscribed => true,
            (true, _) => {
                self.fail("not modified, but nothing was had before", out);
                false
            }
            (false, true) => {
                self.fail("answered without a document", out);
                false
            }
            (false, false) => self.take(body, now, out),
        };
        if is_read {
            out.extend(self.counted.beat());
        }
        false
    }
}
