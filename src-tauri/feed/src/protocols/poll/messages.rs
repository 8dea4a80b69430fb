//! A row of polls, each answered with messages and the cursor to those after them.
//!
//! ```text
//! GET → messages, cursor; GET with the cursor → messages, cursor; …; → no messages
//! ```
//!
//! Nothing says whether an answer has all that there is after its cursor, or a page of it: pages may be bounded by their bytes, or cut on
//! their way. Only one without messages proves that all has come that was there when it was asked for, so after any other the next one is asked for at
//! once, however long it took: on a slow line an answer that the server held looks like any other.
//!
//! Where there is news at each request, its age proves something, as far as the board and the server tell it: messages come in their turn, so what waits
//! behind them is younger than they are. That is `Date` less the time that stands in the message. One that is later than its answer is of another
//! clock, and nothing is proven by that any more.

use std::{sync::Arc, time::Duration};

use url::Url;
use watchfloor_model::{Event, Position, Timestamp};

use super::{
    batch::{self, Batch},
    cache::Dates,
    long::age,
};
use crate::{
    config::{Cursor, Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::cut,
    limits::ASK_SPACING,
    port::{Head, Message},
    protocols::{
        Moment, Place, Session, Signal,
        counted::{Counted, is_counted},
        gone::Gone,
    },
};

/// The name of an event whose message tells none.
const EVENT: &str = "message";
/// Between a cursor and how many messages after it were had, in a place's mark. No cursor has one in it.
const BETWEEN: char = '\t';

/// The request for what comes after a cursor.
pub(super) fn address(source: &Url, rule: &Cursor, cursor: Option<&str>) -> Url {
    let mut url = source.clone();
    url.set_fragment(None);
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return url };
    let Some(name) = rule.query.as_deref() else {
        // One that was kept may be of another board.
        let next = batch::address(cursor, source).ok().and_then(|next| next.parse().ok());
        return next.unwrap_or(url);
    };
    let others: Vec<(String, String)> = url.query_pairs().filter(|(own, _)| own != name).map(owned).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, cursor);
    url
}

fn owned((name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

/// A place: so many messages after a cursor.
#[derive(Debug)]
struct Mark {
    cursor: Arc<str>,
    after: usize,
}

impl Mark {
    fn of(places: &[Place]) -> Option<Self> {
        let place = places.first()?.position.as_ref().filter(|place| is_counted(place))?;
        let text = place.mark.as_deref()?;
        let (cursor, after) = match text.split_once(BETWEEN) {
            Some((cursor, after)) => (cursor, after.parse().ok()?),
            None => (text, 0),
        };
        let is_sound = !cursor.is_empty() && !cursor.chars().any(char::is_control);
        is_sound.then(|| Self { cursor: cursor.into(), after })
    }

    fn text(cursor: &str, after: usize) -> Option<String> {
        match (cursor, after) {
            ("", _) => None,
            (cursor, 0) => Some(cursor.to_owned()),
            (cursor, after) => Some(format!("{cursor}{BETWEEN}{after}")),
        }
    }
}

/// The cursor that a place goes on by.
pub(super) fn cursor(places: &[Place]) -> Option<Arc<str>> {
    Mark::of(places).map(|mark| mark.cursor)
}

/// A link.
#[derive(Debug)]
pub(super) struct MessagesSession {
    rule: Cursor,
    source: Url,
    names: Arc<[Arc<str>]>,
    envelope: Envelope,
    counted: Counted,
    /// The board's word that all after the cursor comes.
    replays: bool,
    place: Option<Position>,
    gone: Gone,
    cursor: String,
    /// So many messages after the cursor were had before.
    had: usize,
    dates: Dates,
    /// When the server made the answer, if it says so.
    date: Option<Timestamp>,
    /// For how long a cache had kept it.
    kept: Duration,
    /// Messages were dated later than their answer: their clock isn't the server's.
    is_ahead: bool,
    /// There is nothing new, by the head.
    is_unchanged: bool,
    began: bool,
    /// What is older than this isn't live.
    limit: Duration,
    /// Whether what the server had at the beginning has come, but for what is younger than that.
    settled: bool,
    /// The most messages of one answer.
    most: usize,
    /// Answers with messages in a row.
    row: usize,
    /// The shortest time to the next request.
    spacing: Duration,
}

impl MessagesSession {
    pub(super) fn new(config: &SourceConfig, rule: &Cursor, names: &Arc<[Arc<str>]>, seed: u64, gone: Gone) -> Self {
        Self {
            rule: rule.clone(),
            source: config.url.clone(),
            names: names.clone(),
            envelope: config.envelope.clone(),
            counted: Counted::new(names.len(), seed),
            replays: config.promises.replays,
            place: None,
            gone,
            cursor: String::new(),
            had: 0,
            dates: Dates::default(),
            date: None,
            kept: Duration::ZERO,
            is_ahead: false,
            is_unchanged: false,
            began: false,
            limit: config.limit,
            settled: false,
            most: 1,
            row: 0,
            spacing: Duration::ZERO,
        }
    }

    /// The first answer that can be read: the server has taken the cursor, for whatever that is worth.
    fn begin(&mut self, batch: &Batch<'_>, out: &mut Vec<Signal>) {
        if std::mem::replace(&mut self.began, true) {
            return;
        }
        let was_gone = self.gone.begun();
        let asked = !self.cursor.is_empty();
        let reason = match self.place.take().filter(|_| asked) {
            Some(place) if self.replays => return out.push(self.counted.resumed(0, place)),
            Some(_) => "the server doesn't say whether it has all that was missed",
            None if was_gone => "the server doesn't know the place any more",
            None => "no place asked for",
        };
        // Where nothing has come yet, it is known all the same where to go on.
        let mark = match &batch.cursor {
            Some(cursor) => Mark::text(cursor, 0),
            None => Mark::text(&self.cursor, self.had),
        };
        let mark = mark.filter(|_| batch.messages.is_empty());
        out.push(self.counted.subscribed_after(0, mark.as_deref(), reason));
    }

    /// Nothing can be made of the answer, so it proves nothing.
    fn fail(&self, reason: &str, out: &mut Vec<Signal>) {
        let reason = cut(reason);
        out.push(if self.began {
            Signal::Rejected { place: None, reason }
        } else {
            Signal::Error { code: "answer".to_owned(), message: reason, denied: false }
        });
        if self.settled {
            out.push(Signal::Behind { age: None });
        }
    }

    /// Says when the message was written, if it does.
    fn message(&mut self, text: &str, mark: Option<&str>, now: Moment, out: &mut Vec<Signal>) -> Option<Timestamp> {
        let position = self.counted.next(0, mark)?;
        let outside = Outside { channel: &self.names[0], name: EVENT, id: None, time: now.wall, received: now.mono };
        match self.envelope.open(text, outside) {
            Ok(event) => {
                // One that tells no time has this machine's.
                let written = Some(event.time).filter(|time| *time != now.wall);
                let event = Event { position: Some(position.clone()), ..event };
                out.push(Signal::Event { channel: 0, position, event });
                written
            }
            Err(reason) => {
                let reason = cut(&reason);
                out.push(Signal::Rejected { place: None, reason: reason.clone() });
                out.push(Signal::Lost { channel: 0, head: position, reason });
                None
            }
        }
    }

    /// Takes an answer that can be read. Says how old the oldest message of it is, if all of them tell that.
    fn take(&mut self, batch: Batch<'_>, now: Moment, out: &mut Vec<Signal>) -> Option<Duration> {
        let count = batch.messages.len();
        let before = std::mem::take(&mut self.cursor);
        let (last, had) = (count.saturating_sub(1), std::mem::take(&mut self.had));
        let mut oldest = (had < count).then_some(Duration::ZERO);
        for (number, text) in batch.messages.iter().enumerate().skip(had) {
            let mark = match &batch.cursor {
                Some(cursor) if number == last => Mark::text(cursor, 0),
                _ => Mark::text(&before, number + 1),
            };
            let written = self.message(text, mark.as_deref(), now, out);
            let told = written.zip(self.date).map(|(written, date)| age(written, date));
            self.is_ahead |= told == Some(None);
            oldest = oldest.zip(told.flatten()).map(|(oldest, age)| oldest.max(age));
        }
        self.cursor = batch.cursor.unwrap_or(before);
        // A page need not end where it did before: what was had and isn't in this one is in the next, as all comes.
        self.had = if self.replays { had.saturating_sub(count) } else { 0 };
        self.pace(count);
        oldest.filter(|_| !self.is_ahead)
    }

    /// Sets how soon the next answer is asked for. A trickle must not become a hammer: short pages one after the other have a spacing, and only
    /// the first of them and long ones, behind which more is likely to wait, are followed at once.
    fn pace(&mut self, count: usize) {
        let is_short = count < self.most.div_ceil(2);
        self.row = if count == 0 { 0 } else { self.row.saturating_add(1) };
        self.spacing = if is_short && self.row > 1 { ASK_SPACING } else { Duration::ZERO };
        self.most = self.most.max(count);
    }

    /// Says what the answer proves.
    fn prove(&mut self, is_all: bool, age: Option<Duration>, out: &mut Vec<Signal>) {
        let age = age.map(|age| age.saturating_add(self.kept));
        let proven = match (is_all, age) {
            (true, _) => Some(self.kept),
            (false, Some(age)) if !self.settled && age <= self.limit => Some(age),
            _ => None,
        };
        match proven {
            Some(age) => {
                self.settled = true;
                if !age.is_zero() {
                    out.push(Signal::Kept { age });
                }
            }
            None if self.settled => out.push(Signal::Behind { age }),
            None => return,
        }
        out.extend(self.counted.beat());
    }
}

impl Session for MessagesSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        let mark = self.gone.begin(Mark::of(places));
        self.cursor = mark.as_ref().map(|mark| mark.cursor.to_string()).unwrap_or_default();
        self.had = mark.map_or(0, |mark| mark.after);
        self.place = places.first().and_then(|place| place.position.clone()).filter(is_counted);
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

    fn spacing(&self) -> Duration {
        self.spacing
    }

    fn decode_head(&mut self, head: &Head, now: Moment, out: &mut Vec<Signal>) {
        let heartbeat = head.retry_after.unwrap_or(Duration::ZERO);
        out.push(Signal::Hello { heartbeat, clock: None, grant: None });
        self.kept = self.dates.age(head, now).unwrap_or_default();
        self.date = head.date;
        self.is_unchanged = head.is_unchanged;
    }

    fn decode_answer(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        let batch = if self.is_unchanged || body.is_empty() {
            Ok(Batch { messages: Vec::new(), cursor: None })
        } else {
            batch::read(body, &self.rule, &self.source)
        };
        let stands_still = |batch: &Batch<'_>| {
            let moved = batch.cursor.as_deref().is_some_and(|cursor| cursor != self.cursor);
            !batch.messages.is_empty() && !moved
        };
        match batch {
            Ok(batch) if stands_still(&batch) => {
                // The same messages would come again and again.
                self.fail(&format!("messages without another cursor in `{}`", self.rule.path), out);
                false
            }
            Ok(batch) => {
                self.begin(&batch, out);
                let is_all = batch.messages.is_empty();
                let age = self.take(batch, now, out);
                self.prove(is_all, age, out);
                !is_all
            }
            Err(reason) => {
                self.fail(&reason, out);
                false
            }
        }
    }
}
