//! One connection to NATS.
//!
//! ```text
//! INFO → (TLS) CONNECT, PING → PONG ─ SUB…, PING → PONG: core subjects are subscribed
//!                                   └ streams: see `follow`
//!        MSG, HMSG…; PING → PONG; CONSUMER.INFO → what each consumer has still to send
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use url::Url;
use watchfloor_model::{Event, Timestamp, limits};

use super::{
    SECURE, Target,
    api::{API, Ack},
    auth::identify,
    cluster::Memory,
    follow::Stream,
    wire::{Frame, Message as Delivery, Parser, header},
};
use crate::{
    config::{Secret, SourceConfig},
    envelope::{Envelope, Outside},
    fault::cut,
    port::Message,
    protocols::{Moment, Place, Session, Signal, counted::Counted},
};

/// How this program calls itself.
const NAME: &str = "watchfloor";
/// Bounds of how often a consumer says that it has nothing to send. A server takes no less.
const BEAT_MIN: Duration = Duration::from_millis(100);
const BEAT_MAX: Duration = Duration::from_secs(10);
/// From one subscription's seed to the next: odd, so that none comes twice.
const SEED_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a server says of itself, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    headers: bool,
    tls_required: bool,
    tls_available: bool,
    nonce: String,
    /// It is about to stop.
    ldm: bool,
    /// Where else the cluster can be had.
    connect_urls: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The server has said nothing yet.
    Greeting,
    /// It was told who we are.
    Accepting,
    Open,
    /// What comes means nothing any more.
    Dead,
}

/// What a PONG answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ping {
    Accept,
    Subscribe,
    Probe,
}

/// What a subscription is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Answers,
    Subject(usize),
    Stream(usize),
}

/// What was asked of JetStream, for which channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Create(usize),
    Judge(usize),
    Consumer(usize),
    Front(usize),
}

/// One proof: everything that was sent before it was asked for has come.
#[derive(Debug, Default)]
pub(super) struct Round {
    is_answered: bool,
    /// Answers that are outstanding.
    pub(super) asked: BTreeSet<u64>,
    /// Streams whose consumers must speak by themselves.
    pub(super) silent: BTreeSet<usize>,
}

/// A connection.
#[derive(Debug)]
pub(super) struct NatsSession {
    pub(super) names: Arc<[Arc<str>]>,
    /// By channel.
    targets: Vec<Target>,
    pub(super) streams: BTreeMap<usize, Stream>,
    pub(super) counted: Counted,
    /// Of the event that is being made.
    mark: String,
    /// How many events the server has still to send, by channel.
    pub(super) behind: Vec<u64>,
    envelope: Envelope,
    token: Option<Secret>,
    user: Option<Arc<str>>,
    is_secure: bool,
    /// The link began with TLS.
    is_secured: bool,
    cluster: Memory,
    url: Url,
    pub(super) beat: Duration,
    /// What the subjects begin with that are this connection's own.
    pub(super) inbox: String,
    parser: Parser,
    stage: Stage,
    /// Nothing may follow in clear.
    is_to_be_secured: bool,
    is_leaving: bool,
    pings: VecDeque<Ping>,
    owes_ping: bool,
    pub(super) routes: BTreeMap<u64, Route>,
    pub(super) asked: BTreeMap<u64, Ask>,
    pub(super) round: Option<Round>,
    /// Counts subscriptions, consumers and questions.
    number: u64,
    seed: u64,
}

impl NatsSession {
    pub(super) fn new(config: &SourceConfig, cluster: Memory, names: &Arc<[Arc<str>]>, seed: u64) -> Self {
        // Names were checked before.
        let target = |name: &Arc<str>| Target::parse(name).unwrap_or_else(|_| Target::Subject(name.clone()));
        let targets: Vec<Target> = names.iter().map(target).collect();
        let stream = |(index, target): (usize, &Target)| match target {
            Target::Subject(_) => None,
            Target::Stream { name, filter } => Some((index, Stream::new(name.clone(), filter.clone()))),
        };
        Self {
            names: names.clone(),
            streams: targets.iter().enumerate().filter_map(stream).collect(),
            targets,
            counted: Counted::new(names.len(), seed),
            mark: String::new(),
            behind: vec![0; names.len()],
            envelope: config.envelope.clone(),
            token: config.token.clone(),
            user: config.user.clone(),
            is_secure: config.url.scheme() == SECURE,
            is_secured: cluster.begins_secured(),
            cluster,
            url: config.url.clone(),
            beat: (config.limit / 3).clamp(BEAT_MIN, BEAT_MAX),
            inbox: format!("_INBOX.{NAME}-{seed:016x}"),
            parser: Parser::default(),
            stage: Stage::Greeting,
            is_to_be_secured: false,
            is_leaving: false,
            pings: VecDeque::new(),
            owes_ping: false,
            routes: BTreeMap::new(),
            asked: BTreeMap::new(),
            round: None,
            number: 0,
            seed,
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn frame(&mut self, frame: Frame<'_>, now: Moment, out: &mut Vec<Signal>) {
        match frame {
            Frame::Info(text) => self.info(text, out),
            Frame::Ping => out.push(say("PONG\r\n".to_owned())),
            Frame::Pong => self.pong(out),
            Frame::Ok => {}
            Frame::Error(text) => self.refused(text, out),
            Frame::Message(message) => match self.routes.get(&message.sid).copied() {
                Some(Route::Answers) => self.answer(&message, out),
                Some(Route::Subject(index)) => self.publication(index, &message, None, now, out),
                Some(Route::Stream(index)) => self.delivery(index, &message, now, out),
                // Of a subscription that was left.
                None => {}
            },
            Frame::TooBig { sid, reply, bytes } => self.too_big(sid, reply, bytes, out),
        }
    }

    fn info(&mut self, text: &[u8], out: &mut Vec<Signal>) {
        let info: Info = match serde_json::from_slice(text) {
            Ok(info) => info,
            Err(error) => return self.die(&format!("its introduction can't be read: {error}"), out),
        };
        if info.ldm && !self.is_leaving {
            self.is_leaving = true;
            // It closes the connection when it is our turn; until then what it sends is as good as ever.
            let message = "the server is about to stop (lame duck mode)".to_owned();
            out.push(Signal::Error { code: "lame-duck".to_owned(), message, denied: false });
        }
        self.cluster.heard(&self.url, &info.connect_urls);
        if self.stage == Stage::Greeting {
            self.greet(&info, out);
        }
    }

    fn greet(&mut self, info: &Info, out: &mut Vec<Signal>) {
        let tls = self.is_secure || info.tls_required;
        if self.is_secure && !self.is_secured && !info.tls_required && !info.tls_available {
            let message = "the server offers no TLS, and the address asks for it".to_owned();
            return out.push(Signal::Error { code: "no-tls".to_owned(), message, denied: false });
        }
        if tls && !self.is_secured {
            self.is_to_be_secured = true;
            out.push(Signal::StartTls);
        }
        let mut connect = json!({
            "name": NAME, "lang": "rust", "version": env!("CARGO_PKG_VERSION"), "protocol": 1,
            "verbose": false, "pedantic": false, "tls_required": tls,
            "headers": info.headers, "no_responders": info.headers,
        });
        let Some(fields) = connect.as_object_mut() else { return };
        if let Err(reason) = identify(fields, self.user.as_deref(), self.token.as_ref(), &info.nonce) {
            let (code, message) = ("credentials".to_owned(), reason.to_owned());
            return out.push(Signal::Error { code, message, denied: true });
        }
        self.stage = Stage::Accepting;
        self.pings.push_back(Ping::Accept);
        let mut text = format!("CONNECT {connect}\r\nPING\r\n");
        if std::mem::take(&mut self.owes_ping) {
            text.push_str("PING\r\n");
            self.pings.push_back(Ping::Probe);
        }
        let message = Message::text(text);
        out.push(Signal::Reply { message: if self.token.is_some() { message.secret() } else { message } });
    }

    fn pong(&mut self, out: &mut Vec<Signal>) {
        match self.pings.pop_front() {
            None => {}
            Some(Ping::Accept) => {
                self.stage = Stage::Open;
                // It says nothing unasked for; consumers do, but not in the others' stead.
                out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant: None });
                let text = self.subscriptions();
                out.push(say(text));
            }
            // Of a subscription that was asked for again since.
            Some(Ping::Subscribe) if self.pings.contains(&Ping::Subscribe) => {}
            Some(Ping::Subscribe) => {
                for index in 0..self.targets.len() {
                    if matches!(self.targets[index], Target::Subject(_)) && self.counted.at(index).is_none() {
                        out.push(self.counted.subscribed(index, "NATS keeps nothing of this subject"));
                    }
                }
                self.beat(out);
            }
            Some(Ping::Probe) => {
                out.push(Signal::Pong);
                if let Some(round) = &mut self.round {
                    round.is_answered = true;
                }
                self.end_round(out);
            }
        }
    }

    /// Subscribes to everything, after leaving what was subscribed to before.
    fn subscriptions(&mut self) -> String {
        let mut text = String::new();
        for sid in std::mem::take(&mut self.routes).into_keys() {
            text.push_str(&format!("UNSUB {sid}\r\n"));
        }
        if !self.streams.is_empty() {
            let subject = format!("{}.r.*", self.inbox);
            text.push_str(&self.listen(&subject, Route::Answers));
        }
        let mut has_subjects = false;
        for index in 0..self.targets.len() {
            match self.targets[index].clone() {
                Target::Subject(subject) => {
                    has_subjects = true;
                    text.push_str(&self.listen(&subject, Route::Subject(index)));
                }
                Target::Stream { .. } => text.push_str(&self.create(index)),
            }
        }
        if has_subjects {
            self.pings.push_back(Ping::Subscribe);
            text.push_str("PING\r\n");
        }
        text
    }

    pub(super) fn listen(&mut self, subject: &str, route: Route) -> String {
        let sid = self.next_number();
        self.routes.insert(sid, route);
        if let Route::Stream(index) = route
            && let Some(stream) = self.streams.get_mut(&index)
        {
            stream.sid = Some(sid);
        }
        format!("SUB {subject} {sid}\r\n")
    }

    /// Makes an event of a message, with the next place of its channel.
    pub(super) fn publication(
        &mut self,
        index: usize,
        message: &Delivery<'_>,
        ack: Option<&Ack<'_>>,
        now: Moment,
        out: &mut Vec<Signal>,
    ) {
        let has_mark = match (ack, self.streams.get(&index)) {
            (Some(ack), Some(stream)) => {
                self.mark.clear();
                stream.write_mark(&mut self.mark, ack);
                true
            }
            _ => false,
        };
        let Some(position) = self.counted.next(index, has_mark.then_some(&*self.mark)) else { return };
        let id = header(message.headers, "Nats-Msg-Id").filter(|id| id.len() <= limits::ID_BYTES_MAX);
        let millis = ack.and_then(|ack| i64::try_from(ack.time / 1_000_000).ok());
        let outside = Outside {
            channel: &self.names[index],
            name: message.subject,
            id: id.map(Into::into),
            time: millis.map_or(now.wall, Timestamp::from_millis),
            received: now.mono,
        };
        let opened = match name_fits(message.subject) {
            true => open(&self.envelope, message.body, outside),
            false => Err("its subject is too long for a name".to_owned()),
        };
        out.push(match opened {
            Ok(event) => {
                let event = Event { position: Some(position.clone()), ..event };
                Signal::Event { channel: index, position, event }
            }
            Err(reason) => Signal::Rejected { place: Some((index, position)), reason: cut(&reason) },
        });
    }

    pub(super) fn end_round(&mut self, out: &mut Vec<Signal>) {
        let is_over = |round: &Round| round.is_answered && round.asked.is_empty() && round.silent.is_empty();
        if self.streams.is_empty() || self.round.as_ref().is_some_and(is_over) {
            self.round = None;
            self.beat(out);
        }
    }

    /// Everything up to here was sent, once all channels are subscribed.
    pub(super) fn beat(&self, out: &mut Vec<Signal>) {
        let Some(Signal::Heartbeat { clock, mut beats }) = self.counted.beat() else { return };
        for beat in &mut beats {
            beat.behind = self.behind[beat.channel];
        }
        out.push(Signal::Heartbeat { clock, beats });
    }

    fn die(&mut self, reason: &str, out: &mut Vec<Signal>) {
        self.stage = Stage::Dead;
        out.push(Signal::Unreadable { reason: cut(reason) });
    }
}

impl Session for NatsSession {
    fn subscribe(&mut self, places: &[Place], _again: bool) -> Vec<Message> {
        // Places of different subscriptions must not be taken for one another, also on one link.
        self.seed = self.seed.wrapping_add(SEED_STEP);
        self.counted = Counted::new(self.names.len(), self.seed);
        self.behind.fill(0);
        self.asked.clear();
        self.round = None;
        for (index, stream) in &mut self.streams {
            stream.ask(places.get(*index).and_then(|place| place.position.as_ref()));
        }
        match self.stage {
            Stage::Open => vec![Message::text(self.subscriptions())],
            // The server speaks first.
            Stage::Greeting | Stage::Accepting | Stage::Dead => Vec::new(),
        }
    }

    fn can_resubscribe(&self) -> bool {
        true
    }

    fn authorise(&mut self, _token: &Secret) -> Option<Message> {
        // Only a new connection comes by a new one.
        None
    }

    fn joins(&self) -> bool {
        self.streams.len() == self.names.len()
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn ping(&mut self) -> Option<Message> {
        if matches!(self.stage, Stage::Greeting | Stage::Dead) {
            // Before the server knows us it takes a ping for an offence.
            self.owes_ping = true;
            return None;
        }
        self.pings.push_back(Ping::Probe);
        Some(Message::text("PING\r\n".to_owned()))
    }

    fn prove(&mut self) -> Vec<Message> {
        let stands = (0..self.targets.len()).all(|index| self.counted.at(index).is_some());
        if !stands || self.round.is_some() || self.streams.is_empty() {
            return Vec::new();
        }
        let (mut round, mut text) = (Round::default(), String::new());
        for index in self.streams.keys().copied().collect::<Vec<_>>() {
            let Some(stream) = self.streams.get(&index) else { continue };
            let (name, consumer, tells) = (stream.name.clone(), stream.consumer.clone(), stream.tells);
            let checks_front = !stream.is_whole() && stream.was_behind;
            if tells {
                let subject = format!("{API}CONSUMER.INFO.{name}.{consumer}");
                let (number, request) = self.ask(Ask::Consumer(index), &subject, "");
                round.asked.insert(number);
                text.push_str(&request);
            } else {
                round.silent.insert(index);
            }
            if checks_front {
                let (number, request) = self.ask(Ask::Front(index), &format!("{API}STREAM.INFO.{name}"), "");
                round.asked.insert(number);
                text.push_str(&request);
            }
        }
        self.round = Some(round);
        if text.is_empty() { Vec::new() } else { vec![Message::text(text)] }
    }

    fn decode_chunk(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        if self.stage == Stage::Dead {
            return;
        }
        let mut parser = std::mem::take(&mut self.parser);
        parser.push(bytes);
        while self.stage != Stage::Dead {
            let before = out.len();
            match parser.next() {
                Ok(Some(frame)) => self.frame(frame, now, out),
                Ok(None) => break,
                Err(reason) => self.die(&reason, out),
            }
            if std::mem::take(&mut self.is_to_be_secured) && !parser.is_empty() {
                // Whoever put that there wants it to be taken for what comes by TLS.
                out.truncate(before);
                self.die("something came in clear after the server asked for TLS", out);
            }
        }
        self.parser = parser;
    }
}

/// A line of the protocol that is not secret.
pub(super) fn say(text: String) -> Signal {
    Signal::Reply { message: Message::text(text) }
}

fn name_fits(subject: &str) -> bool {
    subject.len() <= limits::NAME_BYTES_MAX
}

/// Opens a body. NATS says nothing of what bodies are: one that doesn't begin like JSON is a text.
fn open(envelope: &Envelope, bytes: &[u8], outside: Outside<'_>) -> Result<Event, String> {
    if envelope.decodes() {
        return envelope.open_bytes(bytes, outside);
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: invalid byte at {}", error.valid_up_to()))?;
    match text.trim_start().chars().next() {
        None => envelope.open("null", outside),
        Some('{' | '[' | '"') => envelope.open(text, outside),
        Some(_) => envelope.open_any(text, outside),
    }
}
