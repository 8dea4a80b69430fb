//! One connection to Redis.
//!
//! ```text
//! HELLO 3 AUTH → hello ─ SUBSCRIBE, PSUBSCRIBE → confirmed, one by one; then messages as pushes, whatever else is said
//!                      └ MULTI XINFO… EXEC     → where each stream stands
//! streams:  XREAD BLOCK (a bell: something came, or nothing for a while) → MULTI XINFO XREAD… EXEC → entries, checked
//! probes:   PING → PONG; HELLO → what the server is now; with streams, a reading that was asked for after it
//! ```
//!
//! Redis answers in turn, so what is waited for is a queue. Only one reading is under way at a time, and the bell rings at least
//! twice between two probes: a connection that waits for it answers nothing else.

mod push;
mod read;
mod refusal;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::Position;

use super::{
    Way,
    body::Opener,
    channel, database,
    resp::{Frame, Parser, command},
    sentinel::secrets,
    stream::Id,
};
use crate::{
    config::{Secret, SourceConfig},
    envelope::Envelope,
    port::Message,
    protocols::{
        Beat, Grant, Moment, Place, Session, Signal,
        counted::{Counted, is_counted},
    },
};

/// How this program calls itself.
const NAME: &str = "watchfloor";
/// Whose password the token is, unless the source says.
const USER: &str = "default";
/// The version of the protocol that is spoken here.
const PROTOCOL: u64 = 3;
/// The bell rings so often at least within the limit.
const BELLS: u32 = 6;
/// The shortest and the longest time that it may be waited for.
const BELL: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];
/// As much of a replication id as tells it from any other.
const LINEAGE_CHARACTERS: usize = 20;

/// What an answer is to.
#[derive(Debug)]
enum Expect {
    /// The first `HELLO`, or the one after which a new subscription begins.
    Hello {
        again: bool,
    },
    /// Within a transaction: it was taken.
    Taken,
    /// `SELECT`.
    Select,
    /// `SUBSCRIBE` or `PSUBSCRIBE`: the answer is a push, or an error.
    Subscribe(usize),
    /// `EXEC` of what the streams are.
    Places,
    /// `XREAD BLOCK`.
    Bell,
    /// `EXEC` of a reading.
    Read(Reading),
    Ping,
    /// `HELLO` of a probe; `beats` if that proves everything.
    Proof {
        beats: bool,
    },
    /// `ROLE`; the same.
    Role {
        beats: bool,
    },
    Auth,
    /// `INFO replication`.
    Lineage,
}

/// What is being read.
#[derive(Debug)]
struct Reading {
    /// Indices into the session's streams.
    streams: Vec<usize>,
    /// Entries of each at most.
    count: usize,
    /// Whether its end proves how far all streams were read.
    proves: bool,
}

/// A stream on this connection.
#[derive(Debug)]
struct Stream {
    channel: usize,
    asked: Option<Position>,
    /// Read up to here.
    id: Id,
    /// How many entries it had up to there, if that is known.
    added: Option<u64>,
    /// Whether there may be more to read at once.
    has_more: bool,
    /// How many more the server has.
    behind: u64,
}

/// A connection.
#[derive(Debug)]
pub(super) struct RedisSession {
    names: Arc<[Arc<str>]>,
    by_name: BTreeMap<Way, BTreeMap<Arc<str>, usize>>,
    streams: Vec<Stream>,
    places: Counted,
    /// Of the event that is being made.
    mark: String,
    envelope: Envelope,
    /// Of streams' entries.
    opener: Opener,
    user: Arc<str>,
    token: Option<Secret>,
    database: u32,
    bell: u128,
    seed: u64,
    parser: Parser,
    /// Nothing that comes can be understood any more.
    is_broken: bool,
    pending: VecDeque<(u32, Expect)>,
    /// Counts the subscriptions: answers to what was asked for an older one are nobody's.
    turn: u32,
    greeted: bool,
    is_replica: bool,
    /// It must be the master, which another one may have been before.
    follows_master: bool,
    /// Whose history it has, where that matters: begins what the server calls its replication id.
    lineage: String,
    /// It has given the subscription up, and waits for the next.
    has_left: bool,
    /// Whether its end leaves the channels of Pub/Sub as they are.
    keeps: bool,
    /// Subscriptions that go on, to be told before all that comes.
    kept: Vec<Signal>,
    /// How many channels are still to be subscribed.
    unsubscribed: usize,
    /// The first error within a transaction.
    trouble: Option<Vec<u8>>,
    /// Entries to be read of a stream at once.
    count: usize,
    /// A proof was asked for, and needs a reading.
    owes: bool,
    /// To be sent. It goes before all that follows from the same bytes: what follows may ask for more to be sent.
    outbox: Vec<Message>,
}

impl RedisSession {
    pub(super) fn new(config: &SourceConfig, names: &Arc<[Arc<str>]>, seed: u64) -> Self {
        let mut by_name: BTreeMap<Way, BTreeMap<Arc<str>, usize>> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            let (way, name) = channel(name);
            by_name.entry(way).or_default().insert(name.into(), index);
        }
        let streams = by_name.get(&Way::Stream).into_iter().flat_map(BTreeMap::values);
        let stream = |channel: usize| Stream {
            channel,
            asked: None,
            id: Id::default(),
            added: None,
            has_more: false,
            behind: 0,
        };
        Self {
            streams: streams.map(|channel| stream(*channel)).collect(),
            by_name,
            names: names.clone(),
            places: Counted::new(names.len(), seed),
            mark: String::new(),
            opener: Opener::new(&config.envelope),
            envelope: config.envelope.clone(),
            user: config.user.clone().unwrap_or_else(|| USER.into()),
            token: config.token.clone(),
            database: database(config).unwrap_or_default(),
            bell: (config.limit / BELLS).clamp(BELL[0], BELL[1]).as_millis(),
            seed,
            parser: Parser::default(),
            is_broken: false,
            pending: VecDeque::new(),
            turn: 0,
            greeted: false,
            is_replica: false,
            follows_master: false,
            lineage: String::new(),
            has_left: false,
            keeps: true,
            kept: Vec::new(),
            unsubscribed: names.len(),
            trouble: None,
            count: read::COUNT_FIRST,
            owes: false,
            outbox: Vec::new(),
        }
    }

    /// The same of a master that Sentinels named.
    pub(super) fn follows_master(self) -> Self {
        Self { follows_master: true, ..self }
    }

    /// A command, whose answer is waited for.
    fn ask(&mut self, words: &[&str], expect: Expect) -> Message {
        self.pending.push_back((self.turn, expect));
        Message::binary(command(words))
    }

    fn send(&mut self, words: &[&str], expect: Expect) {
        let message = self.ask(words, expect);
        self.outbox.push(message);
    }

    /// Takes a whole frame.
    fn frame(&mut self, frame: Frame, now: Moment, out: &mut Vec<Signal>) {
        if let Frame::Push(items) = frame {
            return self.push(&items, now, out);
        }
        let Some((turn, expect)) = self.pending.pop_front() else {
            // Before it hangs up it may say why, unasked.
            if let Frame::Error(text) = &frame {
                self.fail(text, None, out);
            }
            return;
        };
        if turn == self.turn || matches!(expect, Expect::Ping | Expect::Auth) {
            self.answer(expect, frame, now, out);
        }
    }

    fn answer(&mut self, expect: Expect, frame: Frame, now: Moment, out: &mut Vec<Signal>) {
        if let Frame::Error(text) = &frame {
            return self.refused(&expect, text, out);
        }
        match expect {
            Expect::Hello { again } => self.hello(&frame, again, out),
            Expect::Taken | Expect::Select => {}
            Expect::Subscribe(_) => self.breaks("a subscription was answered out of turn", out),
            Expect::Places => self.found(&frame, out),
            Expect::Bell => self.rang(&frame),
            Expect::Read(reading) => self.read(&reading, &frame, now, out),
            Expect::Ping => out.push(Signal::Pong),
            Expect::Proof { beats } => self.proved(&frame, beats, out),
            Expect::Role { beats } => self.role(&frame, beats, out),
            Expect::Lineage => self.lineage = lineage(frame.text().unwrap_or_default()),
            Expect::Auth => out.push(Signal::Authorised { grant: Grant::Untold }),
        }
    }

    /// What was asked for until now is nobody's.
    fn end_turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        self.has_left = true;
        self.keeps = false;
        self.trouble = None;
        self.owes = false;
    }

    /// A new subscription. On the same connection Pub/Sub has lost nothing where all that came was delivered.
    fn begin_turn(&mut self, places: &[Place]) {
        let is_stream = |index: usize| self.streams.iter().any(|stream| stream.channel == index);
        let is_kept = |(index, place): (usize, &Place)| {
            let at = self.places.at(index).filter(|_| self.keeps && !is_stream(index))?;
            (place.position.as_ref() == Some(at)).then(|| (index, at.clone()))
        };
        let kept: Vec<(usize, Position)> = places.iter().enumerate().filter_map(is_kept).collect();
        self.end_turn();
        self.has_left = false;
        self.keeps = true;
        self.unsubscribed = self.names.len() - kept.len();
        self.places = Counted::new(self.names.len(), self.seed ^ u64::from(self.turn).rotate_left(20));
        self.kept = kept.into_iter().map(|(index, place)| self.places.resumed(index, place)).collect();
    }

    fn hello(&mut self, answer: &Frame, again: bool, out: &mut Vec<Signal>) {
        if answer.get("mode").and_then(Frame::text) == Some("sentinel") {
            return self.leave("a Sentinel answers there: the address must be that of the server itself", out);
        }
        self.is_replica = is_replica(answer);
        if !again {
            self.greeted = true;
            // It proves nothing by itself: it is asked.
            let grant = self.token.as_ref().map(|_| Grant::Untold);
            out.push(Signal::Hello { heartbeat: Duration::ZERO, clock: None, grant });
            if self.database > 0 {
                let number = self.database.to_string();
                self.send(&["SELECT", &number], Expect::Select);
            }
        }
        if self.is_replica && self.follows_master {
            self.is_broken = true;
            let reason = "the Sentinel named a server that is no master: it is asked again".to_owned();
            return out.push(Signal::Unreadable { reason });
        }
        if self.is_replica {
            self.send(&["ROLE"], Expect::Role { beats: false });
        }
        if self.follows_master && !self.streams.is_empty() {
            self.send(&["INFO", "replication"], Expect::Lineage);
        }
        self.ask_for_channels();
        if self.unsubscribed == 0 {
            self.beat(out);
        }
    }

    fn ask_for_channels(&mut self) {
        for (way, command) in [(Way::Channel, "SUBSCRIBE"), (Way::Pattern, "PSUBSCRIBE")] {
            let names = self.by_name.get(&way).cloned().unwrap_or_default();
            for (name, index) in &names {
                if self.places.at(*index).is_none() {
                    self.send(&[command, name], Expect::Subscribe(*index));
                }
            }
        }
        if self.streams.is_empty() {
            return;
        }
        self.send(&["MULTI"], Expect::Taken);
        for at in 0..self.streams.len() {
            let key = self.key(at).to_owned();
            self.send(&["XINFO", "STREAM", &key], Expect::Taken);
        }
        self.send(&["EXEC"], Expect::Places);
    }

    fn index(&self, way: Way, name: &str) -> Option<usize> {
        self.by_name.get(&way)?.get(name).copied()
    }

    /// One channel more. With the last one, what comes is whole from here on.
    fn subscribed(&mut self, signal: Signal, out: &mut Vec<Signal>) {
        out.push(signal);
        self.unsubscribed = self.unsubscribed.saturating_sub(1);
        if self.unsubscribed > 0 {
            return;
        }
        if self.streams.is_empty() {
            return self.beat(out);
        }
        self.owes = true;
        self.go_on();
    }

    fn proved(&mut self, answer: &Frame, beats: bool, out: &mut Vec<Signal>) {
        if is_replica(answer) && self.follows_master {
            self.is_broken = true;
            return out.push(Signal::Unreadable { reason: "the server is no master any more".to_owned() });
        }
        if is_replica(answer) != self.is_replica {
            let role = if self.is_replica { "a master" } else { "a replica" };
            return self.leave(&format!("the server became {role}"), out);
        }
        if beats {
            self.beat(out);
        }
    }

    /// A replica answers and brings nothing while it has lost its master.
    fn role(&mut self, answer: &Frame, beats: bool, out: &mut Vec<Signal>) {
        let items = answer.list().unwrap_or_default();
        let word = |at: usize| items.get(at).and_then(Frame::text);
        if word(0) == Some("slave") && word(3) != Some("connected") {
            return self.leave("the server is a replica that is not connected to its master", out);
        }
        if beats {
            self.beat(out);
        }
    }

    /// Everything up to here has come, but for what is told.
    fn beat(&self, out: &mut Vec<Signal>) {
        let Some(Signal::Heartbeat { clock, mut beats }) = self.places.beat() else { return };
        for stream in &self.streams {
            if let Some(Beat { behind, .. }) = beats.iter_mut().find(|beat| beat.channel == stream.channel) {
                *behind = stream.behind;
            }
        }
        out.push(Signal::Heartbeat { clock, beats });
    }
}

/// The beginning of `master_replid`: another one after each failover and restart.
fn lineage(info: &str) -> String {
    let id = info.lines().find_map(|line| line.strip_prefix("master_replid:")).unwrap_or_default();
    id.chars().filter(char::is_ascii_alphanumeric).take(LINEAGE_CHARACTERS).collect()
}

fn is_replica(hello: &Frame) -> bool {
    hello.get("role").and_then(Frame::text).is_some_and(|role| role != "master")
}

impl Session for RedisSession {
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message> {
        for stream in &mut self.streams {
            let place = places.get(stream.channel).and_then(|place| place.position.clone());
            stream.asked = place.filter(is_counted);
        }
        if !again {
            self.turn = self.turn.wrapping_add(1);
            let (user, token) = (self.user.clone(), self.token.clone());
            let Some(token) = token else {
                return vec![self.ask(&["HELLO", "3", "SETNAME", NAME], Expect::Hello { again: false })];
            };
            let words = ["HELLO", "3", "AUTH", &user, token.expose(), "SETNAME", NAME];
            return vec![self.ask(&words, Expect::Hello { again: false }).secret()];
        }
        if !self.greeted {
            return Vec::new();
        }
        self.begin_turn(places);
        // What comes before its answer is of the old subscription.
        vec![self.ask(&["HELLO", "3"], Expect::Hello { again: true })]
    }

    fn can_resubscribe(&self) -> bool {
        true
    }

    fn authorise(&mut self, token: &Secret) -> Option<Message> {
        if !self.greeted {
            return None;
        }
        let token = if self.follows_master { secrets(Some(token)).0? } else { token.clone() };
        self.token = Some(token.clone());
        let user = self.user.clone();
        Some(self.ask(&["AUTH", &user, token.expose()], Expect::Auth).secret())
    }

    fn joins(&self) -> bool {
        self.streams.len() == self.names.len()
    }

    fn ask_clock(&mut self, _id: u64) -> Option<Message> {
        None
    }

    fn ping(&mut self) -> Option<Message> {
        Some(self.ask(&["PING"], Expect::Ping))
    }

    fn prove(&mut self) -> Vec<Message> {
        if self.unsubscribed > 0 || self.has_left {
            return Vec::new();
        }
        // Streams are proven by the next reading.
        self.owes = !self.streams.is_empty();
        let beats = self.streams.is_empty();
        let mut messages = vec![self.ask(&["HELLO", "3"], Expect::Proof { beats: beats && !self.is_replica })];
        if self.is_replica {
            messages.push(self.ask(&["ROLE"], Expect::Role { beats }));
        }
        messages
    }

    fn decode_chunk(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let begun = out.len();
        out.append(&mut self.kept);
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_broken {
            match self.parser.take(rest) {
                Ok((used, frame)) => {
                    rest = rest.get(used..).unwrap_or_default();
                    if let Some(frame) = frame {
                        self.frame(frame, now, out);
                    }
                }
                Err(broken) => self.breaks(&broken.0, out),
            }
        }
        let replies = self.outbox.drain(..).map(|message| Signal::Reply { message });
        out.splice(begun..begun, replies);
    }
}
