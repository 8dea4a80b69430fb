//! A row of long polls: each answer is a message, and its validators are the cursor to the next.
//!
//! ```text
//! GET, If-None-Match, If-Modified-Since → message; …; → nothing (204, 304, or Nchan's 408)
//! ```
//!
//! "Nothing" proves that all has come. A message doesn't: more may wait behind it, and on a slow line an answer that the
//! server held looks like any other. Its age does: it comes in its turn, so what still waits is younger than it. By the
//! server's clock that is `Date` less `Last-Modified`, as Nchan has them.
//!
//! No message is younger than its answer (RFC 9110 section 8.8.2.1), or older than the one before it. One that is, or that
//! has no date where there should be one, was damaged, and a cursor made of it would leave out all that comes until then, in silence, or
//! bring all since then twice: it is asked for once more. If it is the same then, two clocks differ, or one was set back, and it is taken.

use std::{sync::Arc, time::Duration};

use watchfloor_model::{Event, Mono, Position, Timestamp};

use super::{cache::Dates, validators::Validators};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::cut,
    liveness::back,
    port::{Head, Message},
    protocols::{Moment, Place, Session, Signal, counted::Counted, gone::Gone},
};

/// The name of an event whose message tells none.
const EVENT: &str = "message";
/// A message that is younger isn't from before the link.
const REPLAY_MAX: Duration = Duration::from_secs(5);
/// Both dates are whole seconds.
const DATE_STEP: Duration = Duration::from_secs(1);

/// A link.
#[derive(Debug)]
pub(super) struct LongSession {
    names: Arc<[Arc<str>]>,
    envelope: Envelope,
    counted: Counted,
    /// The board's word that all after the cursor comes.
    replays: bool,
    /// The one that the link begins by.
    place: Option<Position>,
    gone: Gone,
    cursor: String,
    /// When the message that it stands for was last changed, if it says so.
    changed: Option<Timestamp>,
    /// The cursor that the head of the answer says.
    told: String,
    told_changed: Option<Timestamp>,
    /// There is nothing new, by the head.
    is_unchanged: bool,
    dates: Dates,
    /// For how long a cache had kept the answer.
    kept: Duration,
    /// How old the message is, at most, if its head says so.
    age: Option<Duration>,
    /// The head dates the message later than the answer that it comes in, or earlier than the one before it, or not readably.
    is_misdated: bool,
    /// The cursor of such an answer, which was asked for again.
    doubted: Option<String>,
    began: bool,
    /// When the request that was answered went out, at the earliest.
    asked: Mono,
    /// All that the server had then has come.
    proven: Option<Mono>,
    /// Whether what the server had at the beginning has come.
    settled: bool,
}

impl LongSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64, gone: Gone) -> Self {
        Self {
            names: names.clone(),
            envelope: config.envelope.clone(),
            counted: Counted::new(names.len(), seed),
            replays: config.promises.replays,
            place: None,
            gone,
            cursor: String::new(),
            changed: None,
            told: String::new(),
            told_changed: None,
            is_unchanged: false,
            dates: Dates::default(),
            kept: Duration::ZERO,
            age: None,
            is_misdated: false,
            doubted: None,
            began: false,
            asked: Mono::ZERO,
            proven: None,
            settled: false,
        }
    }

    /// The first answer: the server has taken the cursor, for whatever that is worth.
    fn begin(&mut self, out: &mut Vec<Signal>) {
        if std::mem::replace(&mut self.began, true) {
            return;
        }
        let was_gone = self.gone.begun();
        out.push(match self.place.take() {
            Some(place) if self.replays => self.counted.resumed(0, place),
            // Until something comes it is gone on from there, also by a program that was begun again.
            Some(_) => {
                let reason = "the server doesn't say whether it has all that was missed";
                self.counted.subscribed_after(0, Some(&self.cursor), reason)
            }
            None if was_gone => self.counted.subscribed(0, "the server doesn't know the place any more"),
            None => self.counted.subscribed(0, "no place asked for"),
        });
    }

    fn message(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let mark = Some(&*self.cursor).filter(|mark| Validators::are_in(mark));
        let Some(position) = self.counted.next(0, mark) else { return };
        let outside = Outside { channel: &self.names[0], name: EVENT, id: None, time: now.wall, received: now.mono };
        let text =
            std::str::from_utf8(body).map_err(|error| format!("not UTF-8: invalid byte at {}", error.valid_up_to()));
        let opened = match self.envelope.decodes() {
            true => self.envelope.open_bytes(body, outside),
            false => text.and_then(|text| self.envelope.open(text, outside)),
        };
        match opened {
            Ok(event) => {
                let event = Event { position: Some(position.clone()), ..event };
                out.push(Signal::Event { channel: 0, position, event });
            }
            Err(reason) => {
                let reason = cut(&reason);
                out.push(Signal::Rejected { place: None, reason: reason.clone() });
                out.push(Signal::Lost { channel: 0, head: position, reason });
            }
        }
    }
}

impl Session for LongSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        let validators = self.gone.begin(Validators::of(places));
        self.place = validators.and(places.first()).and_then(|place| place.position.clone());
        let validators = validators.unwrap_or_default();
        validators.write(&mut self.cursor);
        self.changed = changed(validators.modified);
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
        let heartbeat = head.retry_after.unwrap_or(Duration::ZERO);
        out.push(Signal::Hello { heartbeat, clock: None, grant: None });
        self.kept = self.dates.age(head, now).unwrap_or_default();
        let modified = head.last_modified.as_deref();
        // Many messages have one date: it is read once.
        if modified.is_none() || modified != Validators::written(&self.told).modified {
            self.told_changed = changed(modified);
        }
        let is_older = self.told_changed.is_some_and(|told| Some(told) < self.changed);
        let aged = self.told_changed.zip(head.date).map(|(changed, date)| age(changed, date));
        self.age = aged.flatten();
        self.is_misdated = (modified.is_some() && self.told_changed.is_none()) || aged == Some(None) || is_older;
        self.is_unchanged = head.is_unchanged;
        Validators::read(head).write(&mut self.told);
    }

    fn decode_answer(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        let nothing = self.is_unchanged || body.is_empty();
        if !nothing && self.is_misdated && self.doubted.as_deref() != Some(&*self.told) {
            let dates = self.told.replace('\t', ", ");
            let reason = format!("dated out of its turn ({dates}): it was asked for again");
            out.push(Signal::Rejected { place: None, reason: cut(&reason) });
            self.doubted = Some(self.told.clone());
            return true;
        }
        self.begin(out);
        let asked = std::mem::replace(&mut self.asked, now.mono);
        // By how much less is proven than that all came that was there when it was asked for.
        let behind = match (nothing, self.age, self.proven) {
            (true, ..) => Some(Duration::ZERO),
            (_, age, proven) => age.into_iter().chain(proven.map(|proven| now.mono.since(proven))).min(),
        };
        // Where nothing was proven yet, no heartbeat says that it was.
        let behind = behind.unwrap_or_default().saturating_add(self.kept);
        if !behind.is_zero() {
            out.push(Signal::Kept { age: behind });
        }
        let is_young = self.age.is_some_and(|age| age <= REPLAY_MAX);
        if nothing || is_young {
            self.settled = true;
            self.proven = self.proven.max(Some(back(asked, behind)));
        }
        let mut goes_on = false;
        if !nothing {
            // Without a cursor of its own it may be the same message again.
            goes_on = self.told != self.cursor && Validators::are_in(&self.told);
            self.cursor.clone_from(&self.told);
            self.changed = self.told_changed;
            self.message(body, now, out);
        }
        if self.settled {
            out.extend(self.counted.beat());
        }
        goes_on
    }
}

/// When a message was last changed (RFC 9110 section 8.8.2).
fn changed(last_modified: Option<&str>) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(last_modified?.trim()).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()))
}

/// How old a message is, at most. One that is yet to be has no age.
pub(super) fn age(changed: Timestamp, answered: Timestamp) -> Option<Duration> {
    (answered.plus(DATE_STEP) >= changed).then(|| answered.since(changed).saturating_add(DATE_STEP))
}
