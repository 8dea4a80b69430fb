//! One connection, by the board's word.
//!
//! ```text
//! login; subscribe or resume, for each channel ─ confirm, or refused
//!                                         messages…; ping → pong
//! ```
//!
//! What proves the stream: where the board tells how an answer to `ping` looks, that answer. Else the WebSocket's own pong, by
//! which all has come that the server had written to the connection before; what its application still has in hand, or
//! whether it still has this client on its list, neither of them proves.
//!
//! A number proves that nothing lies between it and the one before, as long as the server counts up by one and never begins again:
//! that is the board's word, and can't be seen.
//!
//! What can't be read may have been an event. The next number says whether it was; before the next event without a number, and with
//! the next answer where no event comes, it is told that one may be missing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use watchfloor_model::{Json, Payload, Position, Shape, path::Path};

use super::template::{Blanks, Example, fill};
use crate::{
    config::{Secret, SourceConfig, Speak},
    decode::{self, Codec},
    envelope::{Envelope, Outside, digits},
    fault::cut,
    limits::{PROBE_PERIOD_MAX, UNREADABLE_LINES_MAX},
    port::Message,
    protocols::{
        Moment, Place, Session, Signal,
        counted::{Counted, is_counted},
    },
};

/// The name of an event whose message tells none.
const EVENT: &str = "message";
/// For how long, about, a server may take to go on from where it was asked to, counted in answers to probes: within what a
/// subscription may take.
const RESUME_PATIENCE: Duration = Duration::from_secs(4);
/// Where servers commonly say what is wrong.
const WORDS: [&str; 4] = ["message", "reason", "msg", "error"];
/// How deep in the message.
const WORDS_DEPTH: usize = 3;

/// A channel on this connection.
#[derive(Debug, Default)]
struct Channel {
    joined: bool,
    /// Whether the server has said that it takes the subscription.
    confirmed: bool,
    /// The place that was asked for, and its number.
    asked: Option<(Position, u64)>,
    /// The number before the next.
    last: Option<u64>,
    /// How many messages since its last event couldn't be read and may have been events.
    unread: u64,
    /// How many of those are told as a gap.
    told: u64,
}

/// A connection.
#[derive(Debug)]
pub(super) struct WebSocketSession {
    names: Arc<[Arc<str>]>,
    by_name: BTreeMap<Arc<str>, usize>,
    channels: Vec<Channel>,
    counted: Counted,
    envelope: Envelope,
    token: Option<Secret>,
    speak: Speak,
    confirm: Option<Example>,
    pong: Option<Example>,
    refused: Option<Example>,
    /// Whether a list is no message, but so many as it has items: paths lead into something else.
    takes_apart: bool,
    greeted: bool,
    /// Why the newest message that can't be read can't.
    unread: String,
    /// How many more answers a server is waited for that was asked to go on.
    patience: u32,
}

impl WebSocketSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64) -> Self {
        let example = |text: &Option<Arc<str>>| text.as_deref().map(Example::new);
        let probe = (config.limit / 3).min(PROBE_PERIOD_MAX);
        Self {
            names: names.clone(),
            by_name: names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(),
            channels: names.iter().map(|_| Channel::default()).collect(),
            counted: Counted::new(names.len(), seed),
            envelope: config.envelope.clone(),
            token: config.token.clone(),
            confirm: example(&config.speak.confirm),
            pong: example(&config.speak.pong),
            refused: example(&config.speak.refused),
            takes_apart: [&config.speak.channel, &config.speak.sequence]
                .into_iter()
                .flatten()
                .any(|path| path.first_key().is_some()),
            speak: config.speak.clone(),
            greeted: false,
            unread: String::new(),
            // The first answer comes at once.
            patience: if probe < RESUME_PATIENCE { 2 } else { 1 },
        }
    }

    fn greet(&mut self, out: &mut Vec<Signal>) {
        if !std::mem::replace(&mut self.greeted, true) {
            // What proves the stream is asked for.
            out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant: None });
        }
    }

    /// Takes what is said in so many words. False if it isn't.
    fn words(&mut self, text: &str, out: &mut Vec<Signal>) -> bool {
        let said = |example: &Option<Example>| example.as_ref().is_some_and(|example| example.is_text(text));
        if said(&self.pong) {
            self.answered(out);
        } else if said(&self.refused) {
            self.deny(None, out);
        } else if said(&self.confirm) {
            self.confirmed(None, out);
        } else {
            return false;
        }
        true
    }

    /// Takes one line. False if it is none of JSON.
    fn line(&mut self, line: &str, now: Moment, out: &mut Vec<Signal>) -> bool {
        if self.words(line, out) {
            return true;
        }
        match Payload::parse(line) {
            Ok(payload) => self.message(payload, now, out),
            Err(error) => {
                self.unread(line.starts_with(['{', '[']), &error.to_string(), out);
                return false;
            }
        }
        true
    }

    /// Something can't be read. If it may have been an event, nothing proves any more that none is missing.
    fn unread(&mut self, may_be_event: bool, reason: &str, out: &mut Vec<Signal>) {
        let reason = cut(&format!("not a message: {reason}"));
        out.push(Signal::Rejected { place: None, reason: reason.clone() });
        if !may_be_event {
            return;
        }
        self.unread = reason;
        // What comes before a subscription begins is told by where that begins.
        for channel in self.channels.iter_mut().filter(|channel| channel.joined) {
            channel.unread = channel.unread.saturating_add(1);
        }
    }

    /// Tells that an event may be missing, if that isn't told yet.
    fn tell_unread(&mut self, index: usize, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        if channel.unread <= channel.told {
            return;
        }
        channel.told = channel.unread;
        let reason = self.unread.clone();
        self.lost(index, reason, out);
    }

    fn lost(&self, index: usize, reason: String, out: &mut Vec<Signal>) {
        if let Some(head) = self.counted.at(index).cloned() {
            out.push(Signal::Lost { channel: index, head, reason });
        }
    }

    /// Takes messages in JSON, one or several lines of them.
    fn lines(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                return self.unread(true, &format!("not UTF-8: invalid byte at {}", error.valid_up_to()), out);
            }
        };
        let lines = text.split('\n').map(str::trim_ascii).filter(|line| !line.is_empty());
        if lines.clone().nth(1).is_some()
            && lines.clone().next().is_some_and(|first| Payload::parse(first).is_err())
            && let Ok(payload) = Payload::parse(text)
        {
            // One message that is written over several lines.
            return self.message(payload, now, out);
        }
        let mut unreadable = 0;
        for line in lines {
            unreadable += usize::from(!self.line(line, now, out));
            if unreadable > UNREADABLE_LINES_MAX {
                return out.push(Signal::Unreadable { reason: "what comes is no JSON, a message a line".to_owned() });
            }
        }
    }

    /// Takes a message that is to be decoded first.
    fn coded(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let codecs = &self.envelope.decode;
        let read = match decode::last(codecs) {
            Codec::Json => match decode::unpack(codecs, bytes) {
                Ok(text) => return self.lines(&text, now, out),
                Err(reason) => Err(reason),
            },
            Codec::Text => match decode::unpack(codecs, bytes) {
                Ok(text) if std::str::from_utf8(&text).is_ok_and(|text| self.words(text.trim_ascii(), out)) => return,
                Ok(text) => decode::payload(&[Codec::Text], &text),
                Err(reason) => Err(reason),
            },
            _ => decode::payload(codecs, bytes),
        };
        match read {
            Ok(payload) => self.message(payload, now, out),
            Err(reason) => self.unread(true, &reason, out),
        }
    }

    fn message(&mut self, payload: Payload, now: Moment, out: &mut Vec<Signal>) {
        let value = payload.value();
        let like = |example: &Option<Example>| example.as_ref().is_some_and(|example| example.fits(value));
        if like(&self.pong) {
            return self.answered(out);
        }
        if like(&self.refused) {
            return self.deny(Some(&payload), out);
        }
        let named = self.speak.channel.as_ref().and_then(|path| word(path, &payload));
        let index = match &self.speak.channel {
            Some(_) => named.and_then(|name| self.by_name.get(name.as_str()).copied()),
            None => Some(0),
        };
        if like(&self.confirm) {
            return self.confirmed(index.filter(|_| self.speak.channel.is_some()), out);
        }
        if self.takes_apart && matches!(value.shape(), Shape::List(_)) {
            let messages = value.items().filter(|item| !matches!(item.shape(), Shape::List(_)));
            let messages: Vec<Payload> = messages.map(Payload::part).collect();
            return messages.into_iter().for_each(|message| self.message(message, now, out));
        }
        // What is of no channel of ours is none of our events.
        let Some(index) = index else { return };
        match &self.speak.sequence {
            None => {
                self.join(index, None, "the server can't be asked for what was missed", out);
                self.tell_unread(index, out);
                self.event(index, payload, now, out);
            }
            Some(path) => {
                // Where events are numbered, what has no number is none.
                let Some(number) = word(path, &payload).and_then(|word| word.parse().ok()) else { return };
                self.numbered(index, number, payload, now, out);
            }
        }
    }

    fn numbered(&mut self, index: usize, number: u64, payload: Payload, now: Moment, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        if !channel.joined {
            match channel.asked.take() {
                // The one that we have, once more, or the next.
                Some((place, last)) if number == last || last.checked_add(1) == Some(number) => {
                    channel.last = Some(last);
                    self.join(index, Some(place), "", out);
                }
                Some((_, last)) => {
                    let why = format!("the server goes on with number {number}, not after {last}");
                    self.join(index, None, &why, out);
                }
                None => self.join(index, None, "no place asked for", out),
            }
        }
        let channel = &mut self.channels[index];
        match channel.last {
            // Sent once more.
            Some(last) if number == last => return,
            Some(last) if number < last => {
                self.lost(index, format!("the numbers went back from {last} to {number}"), out);
            }
            // What couldn't be read was no event of this channel, or is told as missing already.
            Some(last) if number - last - 1 <= channel.told => {}
            Some(last) => self.lost(index, format!("events missing: after number {last} came {number}"), out),
            // Without a number before it nothing says whether what couldn't be read was an event.
            None => self.tell_unread(index, out),
        }
        self.channels[index].last = Some(number);
        self.event(index, payload, now, out);
    }

    fn event(&mut self, index: usize, payload: Payload, now: Moment, out: &mut Vec<Signal>) {
        let mark = self.channels[index].last.map(|number| number.to_string());
        let Some(position) = self.counted.next(index, mark.as_deref()) else { return };
        (self.channels[index].unread, self.channels[index].told) = (0, 0);
        let channel = &self.names[index];
        let id = position.mark.clone();
        let outside = Outside { channel, name: EVENT, id, time: now.wall, received: now.mono };
        out.push(match self.envelope.take(payload, outside) {
            Ok(event) => {
                let event = watchfloor_model::Event { position: Some(position.clone()), ..event };
                Signal::Event { channel: index, position, event }
            }
            Err(reason) => Signal::Rejected { place: Some((index, position)), reason: cut(&reason) },
        });
    }

    /// A channel's subscription begins: after `place`, if that is proven.
    fn join(&mut self, index: usize, place: Option<Position>, why: &str, out: &mut Vec<Signal>) {
        let channel = &mut self.channels[index];
        if std::mem::replace(&mut channel.joined, true) {
            return;
        }
        out.push(match place {
            Some(place) => self.counted.resumed(index, place),
            None => self.counted.subscribed(index, why),
        });
    }

    /// The server takes a subscription: this one, or the first that isn't taken yet.
    fn confirmed(&mut self, named: Option<usize>, out: &mut Vec<Signal>) {
        let first = || self.channels.iter().position(|channel| !channel.confirmed);
        let Some(index) = named.or_else(first) else { return };
        self.channels[index].confirmed = true;
        if self.channels[index].asked.is_none() {
            self.join(index, None, "no place asked for", out);
        }
    }

    /// The server has answered, in turn with all else.
    fn answered(&mut self, out: &mut Vec<Signal>) {
        self.patience = self.patience.saturating_sub(1);
        for index in 0..self.channels.len() {
            let channel = &self.channels[index];
            let is_taken = self.confirm.is_none() || channel.confirmed;
            match &channel.asked {
                None if is_taken => self.join(index, None, "the server can't be asked for what was missed", out),
                Some((_, last)) if is_taken && self.patience == 0 => {
                    let why = format!("the server sent nothing that goes on after number {last}");
                    self.join(index, None, &why, out);
                }
                _ => {}
            }
            // The next event may be long in coming (H1).
            self.tell_unread(index, out);
        }
        out.extend(self.counted.beat());
    }

    fn deny(&self, payload: Option<&Payload>, out: &mut Vec<Signal>) {
        let said = payload.and_then(|payload| reason(payload.value(), WORDS_DEPTH));
        let mut message = said.unwrap_or_else(|| "the server refuses".to_owned());
        // A server may say what it didn't like.
        if let Some(token) = self.token.as_ref().filter(|token| !token.expose().is_empty()) {
            message = message.replace(token.expose(), "***");
        }
        out.push(Signal::Error { code: "refused".to_owned(), message: cut(&message), denied: true });
    }

    fn fill(&self, template: &str, index: usize, sequence: &str) -> Message {
        let token = self.token.as_ref().map_or("", Secret::expose);
        let message = fill(template, &Blanks { channel: &self.names[index], token, sequence });
        decode::encoded(&self.envelope.decode, message)
    }
}

/// A text or a whole number, as a text.
fn word(path: &Path, payload: &Payload) -> Option<String> {
    match path.find(payload.value())?.shape() {
        Shape::Text(text) => Some(text.to_owned()),
        Shape::Number(number) => Some(digits(&number)),
        _ => None,
    }
}

/// The server's own words, here or within.
fn reason(value: Json<'_>, depth: usize) -> Option<String> {
    let text = |name: &&str| match value.get(name)?.shape() {
        Shape::Text(text) if !text.is_empty() => Some(text.to_owned()),
        _ => None,
    };
    let within = || {
        let depth = depth.checked_sub(1)?;
        value.items().chain(value.fields().map(|(_, value)| value)).find_map(|value| reason(value, depth))
    };
    WORDS.iter().find_map(text).or_else(within)
}

impl Session for WebSocketSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        let mut messages = Vec::with_capacity(places.len());
        self.counted.begin_again();
        messages.extend(self.speak.login.as_deref().map(|login| self.fill(login, 0, "")));
        for (index, place) in places.iter().enumerate().take(self.channels.len()) {
            let known = place.position.as_ref().filter(|place| is_counted(place));
            let number = known.and_then(|place| place.mark.as_deref()?.parse::<u64>().ok());
            self.channels[index] = Channel::default();
            // Even without being asked to, the server may go on with the next one.
            let asked = known.cloned().zip(number).filter(|_| self.speak.sequence.is_some());
            let resume = self.speak.resume.as_ref().zip(asked.as_ref());
            if let Some((template, (_, number))) = resume {
                messages.push(self.fill(template, index, &number.to_string()));
            } else if let Some(template) = &self.speak.subscribe {
                messages.push(self.fill(template, index, ""));
            }
            self.channels[index].asked = asked;
        }
        messages
    }

    fn can_resubscribe(&self) -> bool {
        // What was subscribed to would go on beside it.
        false
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        None
    }

    fn joins(&self) -> bool {
        self.speak.sequence.is_some()
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn prove(&mut self) -> Vec<Message> {
        self.speak.ping.as_deref().map(|template| self.fill(template, 0, "")).into_iter().collect()
    }

    fn ponged(&mut self, _now: Moment, out: &mut Vec<Signal>) {
        self.greet(out);
        if self.pong.is_none() {
            self.answered(out);
        }
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.greet(out);
        match self.envelope.decode.first() {
            Some(first) if *first != Codec::Json && first.takes_text() => self.coded(text, now, out),
            // Servers that send their events as bytes may say the rest in JSON.
            _ => self.lines(text, now, out),
        }
    }

    fn decode_binary(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.greet(out);
        if self.envelope.decodes() {
            self.coded(bytes, now, out);
        } else {
            self.lines(bytes, now, out);
        }
    }
}
