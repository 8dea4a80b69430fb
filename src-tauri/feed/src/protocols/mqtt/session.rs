//! One connection to a broker.
//!
//! ```text
//! CONNECT → CONNACK ─ SUBSCRIBE → SUBACK ─ the last of each topic, what a kept session has, and what is published
//!                                           PUBLISH → PUBACK; PINGREQ → PINGRESP: all came that was sent
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::{Event, limits::NAME_BYTES_MAX};

use super::{
    code::{Then, of_connack, of_five, of_suback},
    filter::Filters,
    frames::{Cutter, Frame, Malformed},
    known::{Memory, Topics, hash},
    packet::{self, PING, Packet, Properties, Publish, Version, WINDOW},
    payload,
    sparkplug::{self, Nodes, Said, Told},
};
use crate::{
    config::{Secret, SourceConfig, Sparkplug},
    envelope::{Envelope, Outside},
    fault::{cut, words},
    limits::{PROBE_PERIOD_MAX, PROBE_PERIOD_MIN},
    port::Message,
    protocols::{Moment, Place, Session, Signal, counted::Counted},
};

/// Most publications that come before the answer to the subscription, and their bytes.
const EARLY_MAX: usize = 1000;
const EARLY_BYTES_MAX: usize = 16 << 20;
/// Of how many topics it is known that something newer came than what was there before the subscription.
const TOPICS_MAX: usize = 16_384;

/// Why nothing is proven.
const NEW: &str = "MQTT keeps no history";
const KEPT: &str = "MQTT doesn't say whether all that was published meanwhile was kept";

/// How far a link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// Which request is to be answered.
    Subscribing(u16),
    Subscribed,
    /// What still comes is of no use.
    Over,
}

/// A ping that isn't answered yet.
#[derive(Clone, Copy, Debug)]
struct Ping {
    /// How many publications had come.
    received: u64,
    /// The feed waits for it.
    is_asked: bool,
}

/// A publication that came before the answer to the subscription.
#[derive(Debug)]
struct Early {
    topic: String,
    id: Option<u16>,
    is_again: bool,
    is_retained: bool,
    payload: Vec<u8>,
    too_long: Option<usize>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct MqttSession {
    memory: Memory,
    version: Version,
    client: String,
    /// It stands beside the link that is followed.
    on_trial: bool,
    seed: u64,
    user: Option<Arc<str>>,
    token: Option<Secret>,
    names: Arc<[Arc<str>]>,
    filters: Filters,
    envelope: Envelope,
    places: Counted,
    /// Who is there, where payloads are Sparkplug's.
    nodes: Option<Nodes>,
    /// By channel: how many that can't be read are not accounted for by a gap, once one was.
    unread: Vec<Option<u64>>,
    /// How often it is asked for a proof.
    period: Duration,
    cutter: Cutter,
    stage: Stage,
    /// The server kept the session, and what it kept may still come.
    drains: bool,
    early: Vec<Early>,
    early_bytes: usize,
    /// The numbers of what may come again on this link.
    again: Vec<u16>,
    /// By number, what came on this link last, as a hash. Only where a broker may send it again on the same one.
    taken: BTreeMap<u16, u64>,
    /// Topics of which something came that is newer than what is retained.
    overtaken: Topics,
    /// Publications that came and were to be acknowledged.
    received: u64,
    pings: VecDeque<Ping>,
    /// The feed asked for a ping before there was a connection.
    owes_ping: bool,
    last_id: u16,
    replies: Vec<u8>,
}

impl MqttSession {
    pub(super) fn new(config: &SourceConfig, memory: Memory, names: &Arc<[Arc<str>]>, seed: u64) -> Self {
        let (version, client) = memory.begin(config, seed);
        Self {
            memory,
            version,
            client,
            on_trial: false,
            seed,
            user: config.user.clone(),
            token: config.token.clone(),
            names: names.clone(),
            filters: Filters::new(names),
            envelope: config.envelope.clone(),
            places: Counted::new(names.len(), seed),
            nodes: config.promises.sparkplug.map(|manner| Nodes::new(manner == Sparkplug::Rebirth, seed)),
            unread: vec![None; names.len()],
            period: (config.limit / 3).clamp(PROBE_PERIOD_MIN, PROBE_PERIOD_MAX),
            cutter: Cutter::default(),
            stage: Stage::Connecting,
            drains: false,
            early: Vec::new(),
            early_bytes: 0,
            again: Vec::new(),
            taken: BTreeMap::new(),
            overtaken: Topics::default(),
            received: 0,
            pings: VecDeque::new(),
            owes_ping: false,
            last_id: 0,
            replies: Vec::new(),
        }
    }

    fn begin_subscribing(&mut self) -> Vec<u8> {
        self.last_id = self.last_id.wrapping_add(1).max(1);
        self.stage = Stage::Subscribing(self.last_id);
        self.places.begin_again();
        self.overtaken.clear();
        packet::subscribe(self.version, self.last_id, self.names.iter().map(|name| &**name))
    }

    fn frame(&mut self, frame: &Frame<'_>, now: Moment, out: &mut Vec<Signal>) -> Result<(), Malformed> {
        match (packet::read(self.version, frame)?, self.stage) {
            (Packet::Connack { is_present, code: 0, properties }, Stage::Connecting) => {
                self.connected(is_present, &properties, out);
            }
            (Packet::Connack { code, properties, .. }, Stage::Connecting) => {
                let (what, then) = of_connack(self.version, code);
                self.refused(code, what, then, &properties, out);
            }
            (Packet::Disconnect { code, properties }, _) => {
                let (what, then) = of_five(code);
                self.refused(code, what, then, &properties, out);
            }
            (_, Stage::Connecting) => return Err(Malformed("another packet than the answer to the first one")),
            (Packet::Suback { id, codes }, Stage::Subscribing(asked)) if id == asked => {
                self.subscribed(codes, now, out)?;
            }
            (Packet::Publish(publish), Stage::Subscribing(_)) => self.keep(&publish, out),
            (Packet::Publish(publish), _) => self.publication(&publish, now, out),
            (Packet::Pong, _) => self.answered(now, out),
            (Packet::Suback { .. }, _) => {}
            (Packet::Connack { .. }, _) => return Err(Malformed("a second answer to the first packet")),
        }
        Ok(())
    }

    fn connected(&mut self, is_present: bool, properties: &Properties<'_>, out: &mut Vec<Signal>) {
        if let Some(seconds) = properties.keep_alive.filter(|seconds| *seconds > 0)
            && Duration::from_secs(seconds.into()) < self.period
        {
            self.stage = Stage::Over;
            let message = format!(
                "the server wants a ping every {seconds} s, and a limit as long as this source's brings one every {}",
                words(self.period)
            );
            return out.push(Signal::Error { code: "keep-alive".to_owned(), message, denied: true });
        }
        self.drains = is_present;
        self.again = self.memory.lock().acknowledged(&self.client, is_present);
        out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant: None });
        let subscribe = self.begin_subscribing();
        self.replies.extend(subscribe);
        if std::mem::take(&mut self.owes_ping) {
            self.ping_server(true);
        }
    }

    /// The server ends the connection, or doesn't begin it.
    fn refused(&mut self, code: u8, what: &str, then: Then, properties: &Properties<'_>, out: &mut Vec<Signal>) {
        self.stage = Stage::Over;
        let mut message = format!("the broker ends it: {what} (code {code})");
        for more in [properties.reason, properties.reference].into_iter().flatten() {
            message.push_str(": ");
            message.push_str(&cut(more));
        }
        let mut denied = then == Then::Denied;
        if then == Then::OtherVersion {
            denied = self.version == Version::Old;
            if !denied {
                self.memory.lock().speak_old();
                "the broker doesn't know MQTT 5: 3.1.1 is spoken from now on".clone_into(&mut message);
            }
        }
        if let Then::Later(seconds) = then {
            out.push(Signal::RetryAfter { millis: seconds * 1000 });
        }
        out.push(Signal::Error { code: code.to_string(), message, denied });
    }

    fn subscribed(&mut self, codes: &[u8], now: Moment, out: &mut Vec<Signal>) -> Result<(), Malformed> {
        if codes.len() != self.names.len() {
            return Err(Malformed("an answer to other subscriptions than were asked for"));
        }
        if let Some(at) = codes.iter().position(|code| *code > 1) {
            let (what, then) = of_suback(codes[at]);
            self.stage = Stage::Over;
            if let Then::Later(seconds) = then {
                out.push(Signal::RetryAfter { millis: seconds * 1000 });
            }
            out.push(Signal::Error {
                code: codes[at].to_string(),
                message: format!("`{}`: {what} (code {})", cut(&self.names[at]), codes[at]),
                denied: then == Then::Denied,
            });
            return Ok(());
        }
        self.stage = Stage::Subscribed;
        // What made it wait is over.
        out.push(Signal::RetryAfter { millis: 0 });
        let reason = if self.drains { KEPT } else { NEW };
        out.extend((0..self.names.len()).map(|channel| self.places.subscribed(channel, reason)));
        self.early_bytes = 0;
        for early in std::mem::take(&mut self.early) {
            let Early { topic, id, is_again, is_retained, payload, too_long } = &early;
            let (is_again, is_retained, too_long) = (*is_again, *is_retained, *too_long);
            let publish = Publish { topic, id: *id, is_again, is_retained, payload, too_long };
            self.publication(&publish, now, out);
        }
        self.ping_server(false);
        Ok(())
    }

    /// Keeps what can't have a place yet. It isn't acknowledged: the server holds back what goes beyond its window.
    fn keep(&mut self, publish: &Publish<'_>, out: &mut Vec<Signal>) {
        let Publish { topic, id, is_again, is_retained, payload, too_long } = *publish;
        self.early_bytes += topic.len() + payload.len();
        if self.early.len() >= EARLY_MAX || self.early_bytes > EARLY_BYTES_MAX {
            self.stage = Stage::Over;
            let message = "more came before the answer to the subscription than can be kept".to_owned();
            return out.push(Signal::Error { code: "early".to_owned(), message, denied: false });
        }
        let (topic, payload) = (topic.to_owned(), payload.to_vec());
        self.early.push(Early { topic, id, is_again, is_retained, payload, too_long });
    }

    fn publication(&mut self, publish: &Publish<'_>, now: Moment, out: &mut Vec<Signal>) {
        if self.is_known(publish) {
            return;
        }
        let Some(channel) = self.filters.find(publish.topic) else { return };
        // What a kept session brings is told before the answer to the first ping.
        let is_old = publish.is_retained || self.drains;
        let said = self.nodes.as_mut().and_then(|nodes| match publish.too_long {
            None => nodes.take(publish.topic, publish.payload, is_old, now),
            Some(bytes) => nodes.take_unread(publish.topic, &too_big(bytes), is_old, now),
        });
        if let Some(said) = said {
            self.tell(channel, said, now, out);
        } else {
            let opened = self.open(channel, publish, now);
            self.deliver(channel, opened, out);
            if publish.too_long.is_none() {
                let place = self.places.at(channel);
                self.memory.lock().remember(hash(publish.topic), publish.payload, channel, place);
            }
        }
        self.ask_births(now);
    }

    /// Tells what a message of a node comes to.
    fn tell(&mut self, channel: usize, said: Said, now: Moment, out: &mut Vec<Signal>) {
        if let Some(reason) = said.missing
            && let Some(head) = self.places.next(channel, None)
        {
            out.push(Signal::Lost { channel, head, reason });
        }
        for Told { name, time, body } in said.events {
            let outside = Outside { channel: &self.names[channel], name: &name, id: None, time, received: now.mono };
            let opened = self.envelope.open(&body, outside).and_then(named);
            self.deliver(channel, opened.map_err(|reason| format!("`{name}`: {reason}")), out);
        }
        if let Some(reason) = said.unread {
            self.deliver(channel, Err(reason), out);
        }
    }

    /// Asks nodes for their births, if that is due and the board wants it.
    fn ask_births(&mut self, now: Moment) {
        for ask in self.nodes.as_mut().map(|nodes| nodes.asks(now)).unwrap_or_default() {
            self.replies.extend(packet::publish_once(self.version, &ask.topic, &ask.payload));
        }
    }

    /// Tells the gap of those that can't be read, if there is one to tell.
    fn tell_unread(&mut self, channel: usize, more: u64, out: &mut Vec<Signal>) {
        if more > 0
            && let Some(head) = self.places.next(channel, None)
        {
            out.push(Signal::Lost { channel, head, reason: format!("{more} more messages can't be read") });
        }
    }

    fn deliver(&mut self, channel: usize, opened: Result<Event, String>, out: &mut Vec<Signal>) {
        if let (Err(reason), Some(more)) = (&opened, &mut self.unread[channel]) {
            // A gap was told since the last proof, and another one is with the next.
            *more += 1;
            return out.push(Signal::Rejected { place: None, reason: cut(reason) });
        }
        if let Some(more) = &mut self.unread[channel] {
            // What comes next stands after what couldn't be read, so its gap can't wait any more.
            let more = std::mem::take(more);
            self.tell_unread(channel, more, out);
        }
        let Some(position) = self.places.next(channel, None) else { return };
        match opened {
            Ok(event) => {
                let event = Event { position: Some(position.clone()), ..event };
                out.push(Signal::Event { channel, position, event });
            }
            Err(reason) => {
                let reason = cut(&reason);
                self.unread[channel] = Some(0);
                out.push(Signal::Rejected { place: None, reason: reason.clone() });
                // However often it was asked for, it wouldn't come again.
                out.push(Signal::Lost { channel, head: position, reason });
            }
        }
    }

    /// Acknowledges. Whether it came before, or is older than what came.
    fn is_known(&mut self, publish: &Publish<'_>) -> bool {
        let mut known = self.memory.lock();
        if let Some(id) = publish.id {
            self.received += 1;
            self.replies.extend(packet::acknowledge(id));
            let at = self.again.iter().position(|again| *again == id);
            if at.map(|at| self.again.swap_remove(at)).is_some() && publish.is_again {
                return true;
            }
            known.acknowledge(&self.client, id);
            // An old broker may send what it waits for an answer to once more. The session began with the link: it came on this one.
            if self.version == Version::Old {
                let body = hash(&(publish.topic, publish.payload));
                if self.taken.insert(id, body) == Some(body) && publish.is_again {
                    return true;
                }
            }
        }
        let topic = hash(publish.topic);
        if publish.is_retained && self.overtaken.contains(&topic) {
            return true;
        }
        let is_same = publish.too_long.is_none() && known.is_same(topic, publish.payload);
        // What a kept session brings is older than what is retained.
        if !publish.is_retained && !self.drains && self.overtaken.len() < TOPICS_MAX {
            self.overtaken.insert(topic);
        }
        // A birth says what names stand for, to each link anew.
        publish.is_retained && is_same && !(self.nodes.is_some() && sparkplug::is_of_node(publish.topic))
    }

    fn open(&self, channel: usize, publish: &Publish<'_>, now: Moment) -> Result<Event, String> {
        if let Some(bytes) = publish.too_long {
            return Err(format!("`{}`: {}", publish.topic, too_big(bytes)));
        }
        let outside = Outside {
            channel: &self.names[channel],
            name: publish.topic,
            id: None,
            time: now.wall,
            received: now.mono,
        };
        let opened = payload::open(publish.payload, &self.envelope, outside);
        opened.and_then(named).map_err(|reason| format!("`{}`: {reason}", publish.topic))
    }

    fn ping_server(&mut self, is_asked: bool) {
        self.pings.push_back(Ping { received: self.received, is_asked });
        self.replies.extend(PING);
    }

    /// A ping was answered: all came that was sent before. Whether all was sent is known if the window wasn't full.
    fn answered(&mut self, now: Moment, out: &mut Vec<Signal>) {
        self.ask_births(now);
        let Some(ping) = self.pings.pop_front() else { return };
        if self.received - ping.received >= u64::from(WINDOW) {
            return self.ping_server(ping.is_asked);
        }
        if ping.is_asked {
            out.push(Signal::Pong);
        }
        if self.stage != Stage::Subscribed {
            return;
        }
        self.drains = false;
        self.again.clear();
        for channel in 0..self.unread.len() {
            let more = self.unread[channel].take().unwrap_or_default();
            self.tell_unread(channel, more, out);
        }
        out.extend(self.places.beat());
    }
}

impl Session for MqttSession {
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message> {
        self.memory.lock().forget_undelivered(places);
        if again {
            let is_ready = matches!(self.stage, Stage::Subscribing(_) | Stage::Subscribed);
            return if is_ready { vec![Message::binary(self.begin_subscribing())] } else { Vec::new() };
        }
        let token = self.token.as_ref().map(Secret::expose);
        let connect = packet::connect(self.version, &self.client, !self.on_trial, self.user.as_deref(), token);
        let connect = Message::binary(connect);
        vec![if token.is_some() { connect.secret() } else { connect }]
    }

    fn can_resubscribe(&self) -> bool {
        true
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        // Only ways to authorise that take several turns can be gone again.
        None
    }

    fn joins(&self) -> bool {
        false
    }

    fn begin_trial(&mut self) {
        (self.memory, self.client) = self.memory.beside(self.seed);
        self.on_trial = true;
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn ping(&mut self) -> Option<Message> {
        if self.stage == Stage::Connecting {
            self.owes_ping = true;
            return None;
        }
        self.pings.push_back(Ping { received: self.received, is_asked: true });
        Some(Message::binary(PING.to_vec()))
    }

    fn decode_chunk(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let mut cutter = std::mem::take(&mut self.cutter);
        cutter.push(bytes);
        while self.stage != Stage::Over {
            let taken = match cutter.next() {
                Ok(None) => break,
                Ok(Some(frame)) => self.frame(&frame, now, out),
                Err(malformed) => Err(malformed),
            };
            if let Err(Malformed(why)) = taken {
                self.stage = Stage::Over;
                out.push(Signal::Unreadable { reason: format!("the server does not speak MQTT: {why}") });
            }
        }
        if self.stage != Stage::Over {
            self.cutter = cutter;
        }
        if !self.replies.is_empty() {
            out.push(Signal::Reply { message: Message::binary(std::mem::take(&mut self.replies)) });
        }
    }
}

fn too_big(bytes: usize) -> String {
    format!("a message of {bytes} bytes is too big")
}

/// An event, if its name is short enough.
fn named(event: Event) -> Result<Event, String> {
    match event.name.len() {
        ..=NAME_BYTES_MAX => Ok(event),
        bytes => Err(format!("an event's name of {bytes} bytes, the limit is {NAME_BYTES_MAX}")),
    }
}
