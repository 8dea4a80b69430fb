//! One connection to Ably.
//!
//! ```text
//! CONNECTED → ATTACH… ─ ATTACHED (with what was missed behind it), or ERROR, each channel by itself
//!             MESSAGE…, PRESENCE…, SYNC…; HEARTBEAT → HEARTBEAT of the same id; AUTH → another token's AUTH → CONNECTED
//!             DETACHED → ATTACH again; DISCONNECTED, ERROR without channel, CLOSED: the end
//!             ATTACHED somewhere else than asked for → the channel's history, by HTTP; what it brings meanwhile waits
//! ```
//!
//! What proves the stream: the answer to a HEARTBEAT comes in turn with all that the server's end of this connection has sent.
//! It doesn't prove that this end has got all that was published; nothing in the protocol does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;
use url::Url;
use watchfloor_model::{Event, Payload, Timestamp, limits::NAME_BYTES_MAX};

use super::{
    asked_delta, bare,
    channel::{Attachment, Channel},
    cipher::Key,
    history::{self, Recall},
    is_key,
    memory::Memory,
    presence::{Change, Presence},
    recall::Missed,
    wire::{Class, ErrorInfo, Frame, Said, Seen, action, decode_plain, flag},
    without_rewind,
};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::{LinkFault, cut},
    port::{Message, Response},
    protocols::{Grant, Moment, Place, Session, Signal, counted::Counted},
};

/// What the ids of this program's HEARTBEATs begin with.
const BEAT: &str = "w";
/// How long a server is left alone that says that there is too much of something.
const LIMIT_MILLIS: u64 = 30_000;
/// An ATTACH that was overtaken by another: it is sent again.
const SUPERSEDED: u64 = 80016;

/// A connection.
#[derive(Debug)]
pub(super) struct AblySession {
    pub(super) names: Arc<[Arc<str>]>,
    by_name: BTreeMap<Arc<str>, usize>,
    pub(super) channels: Vec<Channel>,
    /// Which of them ask for deltas.
    deltas: Vec<bool>,
    pub(super) counted: Counted,
    pub(super) memory: Memory,
    seed: u64,
    envelope: Envelope,
    /// What messages are encrypted by.
    cipher: Option<Key>,
    pub(super) token: Option<Secret>,
    connected: bool,
    closed: bool,
    /// It is on trial: nobody is told who is there. What is held of it instead comes to so many bytes.
    pub(super) on_trial: bool,
    pub(super) untold_bytes: usize,
    /// The server can't serve, by its own word: another one may.
    elsewhere: bool,
    /// Another token was presented.
    presented: bool,
    /// What was wrong with resuming the connection before.
    unresumed: Option<String>,
    /// Where channels' history is had.
    pub(super) api: Url,
    /// Numbers questions about it.
    pub(super) questions: u32,
    /// Numbers HEARTBEATs; only answers to those from `proving` on are behind all that was missed.
    beats: u64,
    pub(super) proving: Option<u64>,
}

/// A message of a channel.
#[derive(Debug)]
pub(super) struct Next<'a> {
    pub(super) read: serde_json::Result<Said<'a>>,
    pub(super) id: Option<String>,
    /// What its place is marked by.
    pub(super) mark: Option<Arc<str>>,
    /// What it makes, if it is a delta; or why that can't be known.
    pub(super) plain: Result<Option<Vec<u8>>, String>,
    /// When what it came in was sent, in milliseconds since the Unix epoch.
    pub(super) sent: Option<i64>,
}

impl AblySession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64, memory: Memory) -> Self {
        Self {
            names: names.clone(),
            by_name: names.iter().enumerate().map(|(index, name)| (bare(name).into(), index)).collect(),
            channels: names.iter().map(|_| Channel::default()).collect(),
            deltas: names.iter().map(|name| asked_delta(name).is_some()).collect(),
            counted: Counted::new(names.len(), seed),
            api: memory.address(&config.url, "http", "https"),
            questions: 0,
            memory,
            seed,
            envelope: config.envelope.clone(),
            cipher: config.envelope.cipher.as_ref().and_then(|cipher| cipher.as_ref().ok().and_then(Key::read)),
            token: config.token.clone(),
            connected: false,
            closed: false,
            on_trial: false,
            untold_bytes: 0,
            elsewhere: false,
            presented: false,
            unresumed: None,
            beats: 0,
            proving: None,
        }
    }

    pub(super) fn frame(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) -> Result<(), String> {
        let frame: Frame<'_> = serde_json::from_slice(text).map_err(|error| {
            let what = if self.connected { "no protocol message" } else { "not an Ably server" };
            format!("{what}: {error}")
        })?;
        if self.closed {
            return Ok(());
        }
        match frame.action {
            action::CONNECTED => self.connected(&frame, out),
            action::DISCONNECTED | action::CLOSED => self.ended(&frame, out),
            action::ERROR => self.error(&frame, out),
            _ if !self.connected => return Err("not an Ably server: it doesn't begin with CONNECTED".to_owned()),
            action::HEARTBEAT => self.heartbeat(&frame, out),
            action::AUTH => out.push(Signal::Declined { reason: "the server asks for another token".to_owned() }),
            action::ATTACHED => self.attached(&frame, now, out),
            action::DETACHED => self.detached(&frame, out),
            action::MESSAGE | action::PRESENCE | action::SYNC if self.holds(&frame, text, now, out) => {}
            action::MESSAGE => self.messages(&frame, now, out),
            action::PRESENCE | action::SYNC => self.presence(&frame, now, out),
            // Acknowledgements of what isn't sent, objects, annotations, and what is still to come.
            _ => {}
        }
        Ok(())
    }

    fn connected(&mut self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        let key = frame.connection_details.as_ref().and_then(|details| details.connection_key.as_deref());
        // Each one may bring another key, and the one before it is worth nothing.
        self.memory.keep_key(self.seed, key.filter(|key| !key.is_empty()).map(Secret::new));
        self.memory.keep_host();
        if std::mem::replace(&mut self.connected, true) {
            if std::mem::take(&mut self.presented) {
                out.push(Signal::Authorised { grant: Grant::Untold });
            }
            return;
        }
        self.unresumed = frame.error.as_ref().map(ErrorInfo::words);
        // What an earlier connection was told of when to come back is over with this one.
        out.push(Signal::RetryAfter { millis: 0 });
        // What proves the stream is asked for.
        out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant: None });
        for index in 0..self.channels.len() {
            out.push(self.attach(index));
        }
    }

    fn attach(&mut self, index: usize) -> Signal {
        let channel = &mut self.channels[index];
        channel.state = Attachment::Asked;
        self.proving = None;
        let flags = flag::SUBSCRIBE | flag::PRESENCE_SUBSCRIBE;
        let name = &self.names[index];
        let name = if channel.may_rewind() { (**name).to_owned() } else { without_rewind(name) };
        let mut message = json!({ "action": action::ATTACH, "channel": name, "flags": flags });
        if let Some(serial) = &channel.serial {
            message["channelSerial"] = (**serial).into();
        }
        Signal::Reply { message: Message::text(message.to_string()) }
    }

    pub(super) fn index(&self, frame: &Frame<'_>) -> Option<usize> {
        self.by_name.get(bare(frame.channel.as_deref()?)).copied()
    }

    /// The whole connection ends. The close that follows is explained by it.
    fn ended(&mut self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        self.closed = true;
        if frame.action == action::CLOSED {
            self.memory.forget_key(self.seed);
        }
        let error = frame.error.as_ref();
        self.elsewhere = error.and_then(|error| error.status_code).is_some_and(|status| (500..=504).contains(&status));
        let code = error.map_or_else(|| "disconnected".to_owned(), ErrorInfo::code);
        let message = error.map_or_else(|| "the server ends the connection".to_owned(), ErrorInfo::words);
        let class = error.map(ErrorInfo::class);
        match class {
            Some(Class::Ended) => return out.push(Signal::Expired),
            Some(Class::Limit) => out.push(Signal::RetryAfter { millis: LIMIT_MILLIS }),
            Some(Class::Token | Class::Denied | Class::Passing) | None => {}
        }
        // A server that disconnects, whatever else it gives as the reason, may be come back to.
        out.push(Signal::Error { code, message, denied: class == Some(Class::Token) });
    }

    fn error(&mut self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        let nothing = ErrorInfo::default();
        let error = frame.error.as_ref().unwrap_or(&nothing);
        let Some(name) = &frame.channel else {
            self.closed = true;
            self.memory.forget_key(self.seed);
            return match error.class() {
                Class::Ended => out.push(Signal::Expired),
                class => Self::refused(class, error.code(), error.words(), out),
            };
        };
        // One of a channel that isn't held says nothing.
        let Some(index) = self.index(frame) else { return };
        self.forget_recall(index);
        if error.code == Some(SUPERSEDED) && self.channels[index].state == Attachment::Asked {
            return out.push(self.attach(index));
        }
        if matches!(error.class(), Class::Passing) && self.channels[index].gives_up_place() {
            // It may be the place that is at fault, and would be the next time. Whatever it is now attached after, nothing is proven.
            self.unresumed = Some(error.words());
            return out.push(self.attach(index));
        }
        self.channels[index].state = Attachment::None;
        let words = format!("`{}`: {}", cut(name), error.words());
        // The channel has failed, and isn't attached again by the server: without it there is nothing to show.
        Self::refused(error.class(), error.code(), words.clone(), out);
        out.push(Signal::Resubscribe { reason: words });
    }

    fn refused(class: Class, code: String, message: String, out: &mut Vec<Signal>) {
        if class == Class::Limit {
            out.push(Signal::RetryAfter { millis: LIMIT_MILLIS });
        }
        out.push(Signal::Error { code, message, denied: matches!(class, Class::Denied | Class::Token) });
    }

    fn attached(&mut self, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        let Some(index) = self.index(frame) else { return };
        let channel = &mut self.channels[index];
        if channel.state == Attachment::None {
            return;
        }
        let is_same = frame.has(flag::RESUMED) && frame.error.is_none() && channel.state == Attachment::Attached;
        if channel.recall.is_some() && is_same {
            // It goes on from where its history is asked for.
            return;
        }
        self.forget_recall(index);
        let channel = &mut self.channels[index];
        if frame.has(flag::MODES) && !frame.has(flag::SUBSCRIBE) {
            let message = format!("`{}`: attached without the right to subscribe", self.names[index]);
            return out.push(Signal::Error { code: "modes".to_owned(), message, denied: true });
        }
        // Where nothing was asked for, nothing can have been resumed; and an error says that something is missing after all.
        let asks = channel.state == Attachment::Asked;
        let is_whole = frame.error.is_none() && (!asks || channel.serial.is_some());
        let resumed = frame.has(flag::RESUMED) && is_whole;
        channel.state = Attachment::Attached;
        if !resumed {
            let told = frame.error.as_ref().map(ErrorInfo::words).or_else(|| self.unresumed.clone());
            let why = channel.why_not.filter(|_| !channel.joined).map(str::to_owned).or(told);
            let nothing_told = match channel.joined {
                true => "the server attached the channel anew",
                false => "the server doesn't go on after the place asked for",
            };
            let why = why.unwrap_or_else(|| nothing_told.to_owned());
            // Sockudo gives back the serial that it was asked for and doesn't know: that is no place at which it goes on.
            let serial = frame.serial().filter(|serial| channel.serial.as_deref() != Some(*serial));
            let page = history::first_page(self.api.clone(), &self.names[index], serial);
            let recall = Recall::new(page, channel.asked.take(), serial, frame.has(flag::HAS_PRESENCE), why);
            let has_history = channel.knows_any() && (recall.place.is_some() || channel.joined);
            channel.recall = Some(recall);
            if has_history {
                self.proving = None;
                return self.ask_history(index, out);
            }
            return self.recalled(index, &Missed::Unasked, now, out);
        }
        if let Some(place) = channel.asked.take().filter(|_| !std::mem::replace(&mut channel.joined, true)) {
            // What was missed is still to come: until then the place stays where it was.
            out.push(self.counted.resumed(index, place));
        }
        out.extend(self.prove().into_iter().map(|message| Signal::Reply { message }));
    }

    fn detached(&mut self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        let Some(index) = self.index(frame) else { return };
        self.forget_recall(index);
        match self.channels[index].state {
            Attachment::None => {}
            Attachment::Attached => out.push(self.attach(index)),
            Attachment::Asked => {
                // It was asked for just now: the next try is another connection's, later.
                let why = frame.error.as_ref().map_or_else(|| "no reason given".to_owned(), ErrorInfo::words);
                let reason = format!("`{}` is detached again and again: {why}", self.names[index]);
                let code = frame.error.as_ref().map_or_else(|| "detached".to_owned(), ErrorInfo::code);
                let denied = frame.error.as_ref().is_some_and(|error| error.class() == Class::Denied);
                out.push(Signal::Error { code, message: reason.clone(), denied });
                out.push(Signal::Resubscribe { reason });
            }
        }
    }

    fn heartbeat(&self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        let number = frame.id.as_deref().and_then(|id| id.strip_prefix(BEAT)).and_then(|number| number.parse().ok());
        let Some(number) = number.filter(|number: &u64| *number <= self.beats) else { return };
        if self.is_attached() && self.proving.is_some_and(|from| number >= from) {
            out.extend(self.counted.beat());
        }
    }

    fn is_attached(&self) -> bool {
        self.channels.iter().all(|channel| channel.state == Attachment::Attached && channel.recall.is_none())
    }

    fn messages(&mut self, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        let Some(index) = self.index(frame) else { return };
        // What comes before the answer to ATTACH belongs to an attachment that has ended.
        if self.channels[index].state != Attachment::Attached {
            return;
        }
        let messages = frame.messages.as_deref().unwrap_or_default();
        for (at, raw) in messages.iter().enumerate() {
            let read = serde_json::from_str::<Said<'_>>(raw.get());
            let own = read.as_ref().ok().and_then(|said| said.id.clone());
            let id = own.or_else(|| frame.id.as_ref().map(|id| format!("{id}:{at}")));
            let is_last = at + 1 == messages.len();
            let channel = &mut self.channels[index];
            let mark = channel.pass(id.as_deref(), frame.serial().filter(|_| is_last));
            // Also of one that came before: the next is told by it.
            let plain = match &read {
                Ok(said) if self.deltas[index] => channel.undelta(said, id.as_deref()),
                _ => Ok(None),
            };
            match channel.skips(id.as_deref()) {
                Ok(false) => {}
                Ok(true) => continue,
                Err(reason) => {
                    if let Some(head) = self.counted.skip(index, 1, mark.as_deref()) {
                        out.push(Signal::Lost { channel: index, head, reason });
                    }
                    continue;
                }
            }
            self.take(index, Next { read, id, mark, plain, sent: frame.timestamp }, now, out);
        }
        if messages.is_empty() {
            // Nothing is in it; but the place is known.
            self.channels[index].pass_empty(frame.serial());
        }
    }

    /// Takes a message that comes next, unless it came before.
    pub(super) fn take(&mut self, index: usize, next: Next<'_>, now: Moment, out: &mut Vec<Signal>) {
        let Next { read, id, mark, plain, sent } = next;
        let is_new = read.as_ref().map_or(true, |said| said.action.unwrap_or_default() == 0);
        if is_new && id.as_deref().is_some_and(|id| self.channels[index].seen.contains(id)) {
            return;
        }
        let Some(position) = self.counted.next(index, mark.as_deref()) else { return };
        if let Some(id) = id.as_deref().filter(|_| is_new) {
            self.channels[index].remember(&position, id);
        }
        let read = read.map_err(|error| format!("not a message: {error}"));
        let event = read.and_then(|said| {
            let body = decode_plain(said.data, said.encoding.as_deref(), self.cipher.as_ref(), plain?)?;
            self.open(index, &said, &body, id.as_deref(), sent, now)
        });
        out.push(match event {
            Ok(event) => {
                let event = Event { position: Some(position.clone()), ..event };
                Signal::Event { channel: index, position, event }
            }
            Err(reason) => Signal::Rejected { place: Some((index, position)), reason: cut(&reason) },
        });
    }

    fn open(
        &self,
        index: usize,
        said: &Said<'_>,
        body: &str,
        id: Option<&str>,
        sent: Option<i64>,
        now: Moment,
    ) -> Result<Event, String> {
        let name = said.event_name();
        if name.len() > NAME_BYTES_MAX {
            return Err(format!("name has {} bytes, the limit is {NAME_BYTES_MAX}", name.len()));
        }
        let time = time(said.timestamp.or(sent), now);
        let id = id.filter(|id| id.len() <= watchfloor_model::limits::ID_BYTES_MAX).map(Into::into);
        let outside = Outside { channel: &self.names[index], name, id, time, received: now.mono };
        self.envelope.open(body, outside)
    }

    fn presence(&mut self, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        let Some(index) = self.index(frame) else { return };
        let channel = &mut self.channels[index];
        if channel.state != Attachment::Attached {
            return;
        }
        let is_sync = frame.action == action::SYNC;
        let mut changes = Vec::new();
        if is_sync {
            channel.presence.begin_page(frame.serial());
        }
        for (at, raw) in frame.presence.as_deref().unwrap_or_default().iter().enumerate() {
            let seen = serde_json::from_str::<Seen<'_>>(raw.get()).map_err(|error| format!("not presence: {error}"));
            let taken = seen.and_then(|mut seen| {
                seen.id = seen.id.or_else(|| frame.id.as_ref().map(|id| format!("{id}:{at}")));
                seen.connection_id = seen.connection_id.or_else(|| frame.connection_id.clone());
                seen.timestamp = seen.timestamp.or(frame.timestamp);
                channel.presence.take(&seen, self.cipher.as_ref(), &mut changes)
            });
            if let Err(reason) = taken {
                out.push(Signal::Rejected { place: None, reason: cut(&reason) });
            }
        }
        if is_sync {
            // The serial of a SYNC is a cursor through the members, and no place in the channel.
            channel.presence.end_page(frame.serial(), &mut changes);
        }
        self.tell(index, changes, now, out);
    }

    /// Events about members. They have no place: they are the server's own, and say nothing of the publisher.
    pub(super) fn tell(&mut self, index: usize, changes: Vec<Change>, now: Moment, out: &mut Vec<Signal>) {
        if self.on_trial {
            return self.hold(index, changes, out);
        }
        for Change { name, member: (connection, client), data, timestamp } in changes {
            let who = json!({ "clientId": *client, "connectionId": *connection }).to_string();
            let body = format!("{},\"data\":{data}}}", who.trim_end_matches('}'));
            out.push(match Payload::parse(&body) {
                Ok(data) => Signal::Loose {
                    publisher: None,
                    event: Event {
                        channel: self.names[index].clone(),
                        name: name.into(),
                        id: None,
                        position: None,
                        time: time(timestamp, now),
                        received: now.mono,
                        data,
                    },
                },
                Err(error) => Signal::Rejected { place: None, reason: cut(&error.to_string()) },
            });
        }
    }
}

fn time(millis: Option<i64>, now: Moment) -> Timestamp {
    millis.filter(|millis| *millis > 0).map_or(now.wall, Timestamp::from_millis)
}

impl Drop for AblySession {
    fn drop(&mut self) {
        if self.elsewhere || !(self.connected || self.closed) {
            self.memory.fail_host(self.seed);
        }
        self.memory.release(self.seed);
        for (index, channel) in self.channels.iter_mut().enumerate() {
            // What one on trial knows was told to nobody.
            if channel.joined && !self.on_trial {
                self.memory.keep(index, channel.kept());
            }
        }
    }
}

impl Session for AblySession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        for (index, (channel, place)) in self.channels.iter_mut().zip(places).enumerate() {
            *channel = Channel::after(place.position.as_ref(), self.memory.of(index));
            if self.on_trial {
                // What the connection that is followed has told is known when that ends.
                channel.presence = Presence::default();
            }
        }
        self.counted.begin_again();
        // The channels are asked for when the server has said CONNECTED.
        Vec::new()
    }

    fn begin_trial(&mut self) {
        self.on_trial = true;
    }

    fn take_over(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.meet_told(now, out);
    }

    fn exchanged(&mut self, number: u32, outcome: Result<Response, LinkFault>, now: Moment, out: &mut Vec<Signal>) {
        if !self.closed {
            self.history_told(number, outcome, now, out);
        }
    }

    fn can_resubscribe(&self) -> bool {
        // A place is asked for from another connection: then nothing that is still on its way belongs to an attachment before.
        false
    }

    fn authorise(&mut self, token: &Secret) -> Option<Message> {
        if !self.connected || self.closed || is_key(token) {
            return None;
        }
        self.token = Some(token.clone());
        self.presented = true;
        let message = json!({ "action": action::AUTH, "auth": { "accessToken": token.expose() } });
        Some(Message::text(message.to_string()).secret())
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn prove(&mut self) -> Vec<Message> {
        if self.closed || !self.connected || !self.is_attached() {
            return Vec::new();
        }
        self.beats += 1;
        self.proving.get_or_insert(self.beats);
        let message = json!({ "action": action::HEARTBEAT, "id": format!("{BEAT}{}", self.beats) });
        vec![Message::text(message.to_string())]
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        if let Err(reason) = self.frame(text, now, out) {
            out.push(Signal::Unreadable { reason: cut(&reason) });
        }
    }

    fn decode_binary(&mut self, _bytes: &[u8], _now: Moment, out: &mut Vec<Signal>) {
        out.push(Signal::Unreadable { reason: "binary messages, and JSON was asked for".to_owned() });
    }
}
