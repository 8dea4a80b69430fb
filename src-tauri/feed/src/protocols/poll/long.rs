//! A row of long polls: each answer is a message, and its validators are the cursor to the next.
//!
//! ```text
//! GET, If-None-Match, If-Modified-Since → message; …; → nothing (204, 304, or Nchan's 408)
//! ```
//!
//! "Nothing" proves that all has come. A message doesn't: more may wait behind it, and on a slow line an answer that the
//! server held looks like any other. Its age does: it comes in its turn, so what still waits is younger than it. By the
//! server's clock that is `Date` less `Last-Modified`, as Nchan has them.

use std::{sync::Arc, time::Duration};

use watchfloor_model::{Event, Mono};

use super::{cache::Dates, validators::Validators};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::cut,
    liveness::back,
    port::{Head, Message},
    protocols::{
        Moment, Place, Session, Signal,
        counted::{Counted, is_counted},
    },
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
    places: Vec<Place>,
    cursor: String,
    /// The cursor that the head of the answer says.
    told: String,
    /// There is nothing new, by the head.
    is_unchanged: bool,
    dates: Dates,
    /// For how long a cache had kept the answer.
    kept: Duration,
    /// How old the message is, at most, if its head says so.
    age: Option<Duration>,
    began: bool,
    /// When the request that was answered went out, at the earliest.
    asked: Mono,
    /// All that the server had then has come.
    proven: Option<Mono>,
    /// Whether what the server had at the beginning has come.
    settled: bool,
}

impl LongSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64) -> Self {
        Self {
            names: names.clone(),
            envelope: config.envelope.clone(),
            counted: Counted::new(names.len(), seed),
            replays: config.promises.replays,
            places: Vec::new(),
            cursor: String::new(),
            told: String::new(),
            is_unchanged: false,
            dates: Dates::default(),
            kept: Duration::ZERO,
            age: None,
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
        let asked = Validators::of(&self.places).is_some();
        let place = self.places.first().and_then(|place| place.position.clone()).filter(is_counted);
        out.push(match place.filter(|_| asked) {
            Some(place) if self.replays => self.counted.resumed(0, place),
            // Until something comes it is gone on from there, also by a program that was begun again.
            Some(_) => {
                let reason = "the server doesn't say whether it has all that was missed";
                self.counted.subscribed_after(0, Some(&self.cursor), reason)
            }
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
        Validators::of(places).unwrap_or_default().write(&mut self.cursor);
        self.places = places.to_vec();
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
        self.age = age(head);
        self.is_unchanged = head.is_unchanged;
        Validators::read(head).write(&mut self.told);
    }

    fn decode_answer(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        self.begin(out);
        let nothing = self.is_unchanged || body.is_empty();
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
            self.message(body, now, out);
        }
        if self.settled {
            out.extend(self.counted.beat());
        }
        goes_on
    }
}

/// How long a message had been there when it was answered with, at most, by the server's own clock.
fn age(head: &Head) -> Option<Duration> {
    let modified = jiff::fmt::rfc2822::parse(head.last_modified.as_deref()?.trim()).ok()?.timestamp();
    let millis = head.date?.as_millis().saturating_sub(modified.as_millisecond());
    // One that is yet to be was dated by another clock.
    let is_sound = millis >= -i64::try_from(DATE_STEP.as_millis()).unwrap_or(i64::MAX);
    is_sound.then(|| Duration::from_millis(u64::try_from(millis).unwrap_or(0)).saturating_add(DATE_STEP))
}
