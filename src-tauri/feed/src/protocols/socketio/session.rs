//! One connection to a Socket.IO server.
//!
//! ```text
//! open (Engine.IO) → CONNECT… ─ what was missed…, CONNECT or CONNECT_ERROR, each namespace by itself
//!                    events…; ping → pong; an event that asks for it → an empty ack
//! ```
//!
//! What proves the stream: the server's own ping comes in turn with all else, but every 25 s by default, and a client that
//! sends one is thrown out. So the WebSocket's pong is taken as well. The WebSocket below the server answers it in turn with
//! what Engine.IO has handed down to it: all of that has come then, and the server's one thread does its work. It doesn't prove
//! that Engine.IO has nothing more in hand: while a slow reader is still taking what it wrote last, what is next waits there,
//! and may be older than the ping by as long as that takes. Nor does it prove that the application still sends to this
//! client; nothing in the protocol does. A server whose own pings fail to come isn't believed by its pongs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use watchfloor_model::{
    Mono, Position,
    limits::{DATA_BYTES_MAX, NAME_BYTES_MAX},
};

use super::{
    VERSION, VERSION_BEFORE,
    memory::{Known, Memory},
    polling::PROMPT,
    wire::{ATTACHMENTS_MAX, Connected, Frame, Named, Open, Packet, ROOT, Refusal, Type, is_of_memory},
};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::cut,
    limits::{HEARTBEAT_MAX, HELD_BYTES_MAX, HELD_EVENT_OVERHEAD_BYTES, HELD_EVENTS_MAX},
    port::Message,
    protocols::{
        Moment, Place, Session, Signal,
        counted::{Counted, is_counted},
    },
};

/// Why a session that was asked for isn't had.
const GONE: &str = "the server doesn't have the session any more";
/// Most bytes of what is posted at once, if the server doesn't say.
const PAYLOAD_ASSUMED: usize = 1_000_000;
/// The longest id of a session, in bytes.
const ID_BYTES_MAX: usize = 200;

/// A namespace on this connection.
#[derive(Debug, Default)]
struct Namespace {
    joined: bool,
    /// The place that was asked for, and the session in which it was counted.
    asked: Option<(Position, Known)>,
    /// Why none was.
    why_not: Option<&'static str>,
    /// Whether the server numbers events here.
    offsets: bool,
    /// The newest offset.
    offset: Option<Arc<str>>,
    /// What came before the server has said that the namespace is joined: what was missed.
    early: Vec<(Result<Named<'static>, String>, Moment)>,
    early_bytes: usize,
    overflowed: bool,
    /// The offsets of that, which a server with several nodes may send once more.
    replayed: BTreeSet<String>,
}

/// A binary packet whose attachments are still to come.
#[derive(Debug)]
struct Assembly {
    /// Where it belongs, if it is an event of ours.
    event: Option<(usize, Result<Named<'static>, String>)>,
    left: usize,
    parts: Vec<Vec<u8>>,
    bytes: usize,
}

/// A connection.
#[derive(Debug)]
pub(super) struct SocketIoSession {
    names: Arc<[Arc<str>]>,
    by_name: BTreeMap<Arc<str>, usize>,
    namespaces: Vec<Namespace>,
    counted: Counted,
    memory: Memory,
    envelope: Envelope,
    token: Option<Secret>,
    opened: bool,
    pub(super) closed: bool,
    /// By which the session is asked for, on a link of polls.
    pub(super) id: Secret,
    pub(super) interval: Duration,
    pub(super) payload_max: usize,
    /// What the server said of the namespace that it was asked for by [`super::polling`]: whether it took it.
    pub(super) prompted: Option<bool>,
    /// For how long the server may leave out its pings, and since when it has.
    patience: Duration,
    pinged: Mono,
    assembly: Option<Assembly>,
}

impl SocketIoSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64, memory: Memory) -> Self {
        Self {
            names: names.clone(),
            by_name: names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect(),
            namespaces: names.iter().map(|_| Namespace::default()).collect(),
            counted: Counted::new(names.len(), seed),
            memory,
            envelope: config.envelope.clone(),
            token: config.token.clone(),
            opened: false,
            closed: false,
            id: Secret::new(""),
            interval: Duration::ZERO,
            payload_max: PAYLOAD_ASSUMED,
            prompted: None,
            patience: Duration::ZERO,
            pinged: Mono::ZERO,
            assembly: None,
        }
    }

    pub(super) fn packet(&mut self, text: &str, now: Moment, out: &mut Vec<Signal>) -> Result<(), String> {
        match Frame::read(text) {
            Frame::Open(body) if !self.opened => self.open(body, now, out),
            _ if !self.opened => Err("not a Socket.IO server: it doesn't begin with an open packet".to_owned()),
            Frame::Ping => {
                self.pinged = now.mono;
                out.push(Signal::Reply { message: Message::text("3".to_owned()) });
                out.extend(self.counted.beat());
                Ok(())
            }
            Frame::Noop => Ok(()),
            // Whatever was being put together is lost with the connection.
            Frame::Close => {
                self.closed = true;
                Ok(())
            }
            Frame::Message(_) if self.assembly.is_some() => Err("a text where an attachment must come".to_owned()),
            Frame::Message(text) => self.message(Packet::read(text)?, now, out),
            Frame::Open(_) => Err("a second open packet".to_owned()),
            Frame::Other => Err(format!("no packet of Engine.IO: `{}`", cut(text))),
        }
    }

    /// Up to where each namespace has come, once all are joined.
    pub(super) fn beat(&self) -> Option<Signal> {
        self.counted.beat()
    }

    /// Whether a namespace of this name is followed.
    pub(super) fn follows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn open(&mut self, body: &str, now: Moment, out: &mut Vec<Signal>) -> Result<(), String> {
        let open: Open =
            serde_json::from_str(body).map_err(|error| format!("not a Socket.IO server: its open packet: {error}"))?;
        self.opened = true;
        let span = |millis| Duration::from_millis(millis).min(HEARTBEAT_MAX);
        self.interval = span(open.ping_interval);
        self.patience = self.interval + span(open.ping_timeout);
        self.payload_max = open.max_payload.unwrap_or(PAYLOAD_ASSUMED);
        if open.sid.len() > ID_BYTES_MAX {
            return Err(format!("the session's id has {} bytes, the limit is {ID_BYTES_MAX}", open.sid.len()));
        }
        self.id = Secret::new(open.sid);
        self.pinged = now.mono;
        // What proves the stream is asked for.
        out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant: None });
        for index in 0..self.namespaces.len() {
            let message = self.connect(index);
            out.push(Signal::Reply { message });
        }
        Ok(())
    }

    /// Asks for a namespace.
    fn connect(&self, index: usize) -> Message {
        let mut auth = serde_json::Map::new();
        if let Some(token) = &self.token {
            auth.insert("token".to_owned(), token.expose().into());
        }
        if let Some((place, session)) = &self.namespaces[index].asked {
            self.memory.spend(index, place);
            auth.insert("pid".to_owned(), session.pid.expose().into());
            auth.insert("offset".to_owned(), place.mark.as_deref().unwrap_or_default().into());
        }
        let head = prefix('0', &self.names[index]);
        if auth.is_empty() {
            return Message::text(head);
        }
        Message::text(format!("{head}{}", json!(auth))).secret()
    }

    fn message(&mut self, packet: Packet<'_>, now: Moment, out: &mut Vec<Signal>) -> Result<(), String> {
        let index = self.by_name.get(packet.namespace).copied();
        match (packet.kind, index) {
            (Type::Event, _) => self.event_packet(&packet, index, now, out),
            (Type::Ack, _) => {
                // Nothing was asked for.
                self.await_attachments(packet.attachments, None);
            }
            (Type::Connect, Some(index)) => self.connected(index, packet.body, now, out),
            (Type::ConnectError, Some(index)) => self.refused(index, &Refusal::read(packet.body), out),
            (Type::Disconnect, Some(index)) => {
                let message = format!("the server ended the connection to `{}`", self.names[index]);
                out.push(Signal::Error { code: "disconnect".to_owned(), message, denied: true });
            }
            (Type::Connect | Type::ConnectError, None) if packet.namespace == PROMPT => {
                self.prompted = Some(packet.kind == Type::Connect);
            }
            (Type::Connect | Type::ConnectError, None) => {}
            (Type::Disconnect, None) => {}
        }
        Ok(())
    }

    fn event_packet(&mut self, packet: &Packet<'_>, index: Option<usize>, now: Moment, out: &mut Vec<Signal>) {
        let event = index.map(|index| {
            let namespace = &self.namespaces[index];
            // Until the server has said whether it numbers: what comes before is what was missed.
            let numbers = namespace.offsets || !namespace.joined;
            // What asks for an answer isn't kept.
            let at = (numbers && packet.id.is_none()).then_some(now.wall);
            (index, Named::read(packet.body, at))
        });
        if let Some(id) = packet.id.filter(|_| index.is_some()) {
            let text = format!("{}{id}[]", prefix('3', packet.namespace));
            out.push(Signal::Reply { message: Message::text(text) });
        }
        match (packet.attachments, event) {
            (None | Some(0), Some((index, named))) => self.take(index, named, now, out),
            (attachments, event) => self.await_attachments(attachments, event),
        }
    }

    fn await_attachments(&mut self, count: Option<usize>, event: Option<(usize, Result<Named<'_>, String>)>) {
        let Some(left) = count.filter(|count| *count > 0) else { return };
        let event = event.map(|(index, named)| {
            let within = left <= ATTACHMENTS_MAX;
            let many = || format!("{left} attachments, the limit is {ATTACHMENTS_MAX}");
            (index, named.and_then(|named| if within { Ok(named.into_owned()) } else { Err(many()) }))
        });
        self.assembly = Some(Assembly { event, left, parts: Vec::new(), bytes: 0 });
    }

    pub(super) fn attachment(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) -> Result<(), String> {
        if !self.opened {
            return Err("not a Socket.IO server: it doesn't begin with an open packet".to_owned());
        }
        let Some(assembly) = &mut self.assembly else {
            return Err("binary packets: the server has a parser of its own, which is not known here".to_owned());
        };
        assembly.left -= 1;
        assembly.bytes = assembly.bytes.saturating_add(bytes.len());
        if assembly.bytes > DATA_BYTES_MAX {
            assembly.parts.clear();
            if let Some((_, named)) = &mut assembly.event {
                *named = Err(format!("attachments over {DATA_BYTES_MAX} bytes"));
            }
        } else if matches!(&assembly.event, Some((_, Ok(_)))) {
            assembly.parts.push(bytes.to_vec());
        }
        if assembly.left > 0 {
            return Ok(());
        }
        let Some(Assembly { event: Some((index, named)), parts, .. }) = self.assembly.take() else { return Ok(()) };
        let named = named.and_then(|mut named| named.attach(&parts).map(|()| named));
        self.take(index, named, now, out);
        Ok(())
    }

    /// Takes an event, and keeps it while the server hasn't said whether the namespace is joined.
    fn take(&mut self, index: usize, named: Result<Named<'_>, String>, now: Moment, out: &mut Vec<Signal>) {
        let namespace = &mut self.namespaces[index];
        if namespace.joined {
            return self.deliver(index, named, now, out);
        }
        let size = named.as_ref().map_or(0, |named| named.body.len() + named.name.len()) + HELD_EVENT_OVERHEAD_BYTES;
        let fits = namespace.early.len() < HELD_EVENTS_MAX && namespace.early_bytes + size <= HELD_BYTES_MAX;
        if fits && !namespace.overflowed {
            namespace.early_bytes += size;
            namespace.early.push((named.map(Named::into_owned), now));
        } else {
            namespace.overflowed = true;
            namespace.early = Vec::new();
        }
    }

    fn deliver(&mut self, index: usize, named: Result<Named<'_>, String>, now: Moment, out: &mut Vec<Signal>) {
        let namespace = &mut self.namespaces[index];
        if let Ok(Named { offset: Some(offset), .. }) = &named {
            if namespace.replayed.contains(&**offset) {
                return;
            }
            namespace.offset = Some((&**offset).into());
        }
        let Some(position) = self.counted.next_marked(index, namespace.offset.clone()) else { return };
        if namespace.offsets && named.as_ref().is_ok_and(|named| named.offset.is_none()) {
            self.memory.leaks(index, &position);
        }
        let read = named.and_then(|named| {
            if named.name.len() > NAME_BYTES_MAX {
                return Err(format!("name has {} bytes, the limit is {NAME_BYTES_MAX}", named.name.len()));
            }
            let channel = &self.names[index];
            let outside = Outside { channel, name: &named.name, id: None, time: now.wall, received: now.mono };
            self.envelope.open(&named.body, outside)
        });
        out.push(match read {
            Ok(event) => {
                let event = watchfloor_model::Event { position: Some(position.clone()), ..event };
                Signal::Event { channel: index, position, event }
            }
            Err(reason) => Signal::Rejected { place: Some((index, position)), reason: cut(&reason) },
        });
    }

    fn connected(&mut self, index: usize, body: &str, now: Moment, out: &mut Vec<Signal>) {
        let answer: Connected = serde_json::from_str(body).unwrap_or_default();
        let namespace = &mut self.namespaces[index];
        if namespace.joined {
            return;
        }
        if answer.sid.is_none() {
            return out.push(Signal::Version { found: VERSION_BEFORE, expected: VERSION });
        }
        namespace.joined = true;
        namespace.offsets = answer.pid.is_some();
        let asked = namespace.asked.take();
        let given_back = asked.filter(|(_, session)| answer.pid.as_deref() == Some(session.pid.expose()));
        let early = std::mem::take(&mut namespace.early);
        let mut why = namespace.why_not.unwrap_or(GONE);
        if answer.pid.is_none() {
            why = "the server can't give a session back";
        } else if given_back.is_some() && namespace.overflowed {
            why = "more was missed than can be held back";
        } else if given_back.as_ref().is_some_and(|(_, session)| session.leaks) {
            why = "the server doesn't keep events of all the kinds that it sends";
        }
        let is_whole = |(place, _): &(Position, Known)| place.mark.as_deref().is_some_and(is_of_memory);
        if why == GONE && given_back.as_ref().is_some_and(|found| !is_whole(found)) {
            why = "the server's adapter may leave out what is sent while it gives a session back";
        }
        let is_proven = |session: &Known| !session.leaks && !namespace.overflowed;
        let is_old = given_back.is_some();
        let place = given_back.filter(|found| is_whole(found) && is_proven(&found.1)).map(|(place, _)| place);
        namespace.offset = place.as_ref().and_then(|place| place.mark.clone());
        out.push(match place {
            Some(place) => self.counted.resumed(index, place),
            None => self.counted.subscribed(index, why),
        });
        if let (Some(pid), Some(at)) = (answer.pid, self.counted.at(index)) {
            let (epoch, pid) = (at.epoch.clone(), Secret::new(pid));
            self.memory.keep(Known { channel: index, epoch, pid, in_use: true, spent: is_old, leaks: false });
        }
        let offset = |(named, _): &(Result<Named<'static>, String>, Moment)| {
            named.as_ref().ok()?.offset.as_deref().map(str::to_owned)
        };
        let replayed = early.iter().filter_map(offset).collect();
        for (named, at) in early {
            self.deliver(index, named, Moment { wall: now.wall, ..at }, out);
        }
        self.namespaces[index].replayed = replayed;
        out.extend(self.counted.beat());
    }

    fn refused(&mut self, index: usize, refusal: &Refusal, out: &mut Vec<Signal>) {
        let code = refusal.code().unwrap_or_else(|| "connect-error".to_owned());
        // There is no code for it in the protocol; applications say it in words.
        let expired = [&refusal.message, &code].iter().any(|text| text.to_ascii_lowercase().contains("expired"));
        if expired && self.token.is_some() {
            return out.push(Signal::Expired);
        }
        let message = format!("`{}`: {}", self.names[index], cut(&refusal.message));
        out.push(Signal::Error { code, message, denied: true });
    }
}

impl Drop for SocketIoSession {
    fn drop(&mut self) {
        for index in 0..self.namespaces.len() {
            if let Some(place) = self.counted.at(index) {
                self.memory.release(index, place);
            }
        }
    }
}

impl Session for SocketIoSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        for (index, (namespace, place)) in self.namespaces.iter_mut().zip(places).enumerate() {
            let place = place.position.as_ref().filter(|place| is_counted(place));
            let session = place.and_then(|place| self.memory.of(index, place));
            *namespace = Namespace::default();
            match (place, session) {
                (None, _) => namespace.why_not = Some("no place asked for"),
                (Some(_), None) => namespace.why_not = Some("by what to get the session back isn't known any more"),
                (Some(_), Some(session)) if session.in_use => {
                    namespace.why_not = Some("the session is in use by another connection");
                }
                (Some(_), Some(session)) if session.spent => {
                    namespace.why_not = Some("a session can safely be got back once only");
                }
                (Some(place), Some(session)) if place.mark.is_some() => {
                    namespace.asked = Some((place.clone(), session));
                }
                (Some(_), Some(_)) => namespace.why_not = Some("nothing came after which to go on"),
            }
        }
        self.counted.begin_again();
        // The namespaces are asked for when the server has opened.
        Vec::new()
    }

    fn can_resubscribe(&self) -> bool {
        // A namespace that is left and joined again is another session.
        false
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        None
    }

    fn joins(&self) -> bool {
        // A session is given back to one connection, and only when nobody has it any more.
        false
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn ponged(&mut self, now: Moment, out: &mut Vec<Signal>) {
        if !self.closed && now.mono.since(self.pinged) <= self.patience {
            out.extend(self.counted.beat());
        }
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let read = match std::str::from_utf8(text) {
            Ok(text) => self.packet(text, now, out),
            Err(error) => Err(format!("not UTF-8: invalid byte at {}", error.valid_up_to())),
        };
        if let Err(reason) = read {
            out.push(Signal::Unreadable { reason });
        }
    }

    fn decode_binary(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        if let Err(reason) = self.attachment(bytes, now, out) {
            out.push(Signal::Unreadable { reason });
        }
    }
}

/// An Engine.IO message with a Socket.IO packet of this type, up to its namespace.
pub(super) fn prefix(kind: char, namespace: &str) -> String {
    if namespace == ROOT { format!("4{kind}") } else { format!("4{kind}{namespace},") }
}
