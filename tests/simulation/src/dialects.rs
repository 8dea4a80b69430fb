//! What other servers speak: one file a dialect, written from what those servers say, and sharing nothing with the feed.
//!
//! A dialect turns the truth (what was published, and what of it the server still has) into its own bytes and answers the feed's.
//! The network, the faults and the checks are the world's. Tables of what each can prove stand in `docs/sources.md`.

mod ably;
mod centrifugo;
mod events;
mod jetstream;
mod longpoll;
mod mqtt;
mod nats;
mod poll;
mod pusher;
mod redis;
mod socketio;
mod ways;
mod websocket;

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use watchfloor_feed::{Cursor, Envelope, Head, Kind, LinkId, SourceConfig};
use watchfloor_model::{Mono, Transport};

use crate::{
    draw::Draw,
    fault::{Fault, Window},
    keys::Keys,
    plan::Plan,
    server::{Form, Server},
};

/// Which dialect a plan's server speaks, if it isn't the hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Name {
    /// Centrifugo, with history.
    Centrifugo,
    /// Pusher Channels, and what speaks like it.
    Pusher,
    /// Redis, its streams.
    Redis,
    /// Redis, its Pub/Sub.
    PubSub,
    /// Server-sent events.
    Sse,
    /// A Mercure hub with history.
    Mercure,
    /// NATS without JetStream.
    Nats,
    /// Socket.IO.
    #[serde(rename = "socketio")]
    SocketIo,
    /// MQTT 5.
    Mqtt,
    /// Nchan's long poll.
    LongPoll,
    /// Polls for messages by a cursor.
    Poll,
    /// A bare WebSocket.
    #[serde(rename = "websocket")]
    WebSocket,
    /// NATS, its JetStream.
    #[serde(rename = "jetstream")]
    JetStream,
    /// Ably.
    Ably,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::word).join(", ");
        Self::ALL.into_iter().find(|name| name.word() == text).ok_or_else(|| format!("expected one of {}", known()))
    }
}

/// What a request for a link says.
#[derive(Clone)]
pub struct Call {
    /// Its address.
    pub url: String,
    /// The token that it shows.
    pub token: Option<String>,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// What it posts.
    pub body: Option<Vec<u8>>,
}

impl Call {
    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, text)| &**text)
    }
}

/// From here on a channel is followed on a link.
#[derive(Clone, Copy, Debug)]
pub struct Began {
    /// The channel.
    pub channel: usize,
    /// The turn of the first event that comes.
    pub turn: usize,
    /// Whether that is the one after what was asked for: nothing is missing.
    pub recovered: bool,
}

/// The answer to a question beside a link.
pub struct Told {
    /// Its status.
    pub status: u16,
    /// What it says.
    pub body: String,
    /// Where the next page is.
    pub next: Option<String>,
    /// The subscriptions that begin with it.
    pub began: Vec<Began>,
}

impl Told {
    /// An answer with which nothing begins.
    #[must_use]
    pub fn plain(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), next: None, began: Vec::new() }
    }
}

/// What a server says.
pub enum Said {
    /// A message: what a WebSocket carries as one, what a TCP connection or a stream carries without bounds, or an answer's body.
    Message {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The event that it is, by channel and turn, if it is one.
        event: Option<(usize, usize)>,
        /// The subscriptions that begin with it.
        began: Vec<Began>,
    },
    /// The head of the answer by which a stream stands.
    Head(Head, Vec<Began>),
    /// The head that an answer to a poll has; its body is the next message.
    Answer(Head),
    /// Subscriptions begin with the next message.
    Began(Vec<Began>),
    /// The link came by this token, or has this one from now on.
    Token(usize),
    /// It hangs up.
    Close(Option<u16>, &'static str),
}

impl Said {
    /// A message that is no event.
    #[must_use]
    pub fn plain(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Message { bytes: bytes.into(), event: None, began: Vec::new() }
    }

    /// One with which subscriptions begin.
    #[must_use]
    pub fn beginning(bytes: impl Into<Vec<u8>>, began: Vec<Began>) -> Self {
        Self::Message { bytes: bytes.into(), event: None, began }
    }

    /// One that is an event.
    #[must_use]
    pub fn event(bytes: impl Into<Vec<u8>>, channel: usize, turn: usize) -> Self {
        Self::Message { bytes: bytes.into(), event: Some((channel, turn)), began: Vec::new() }
    }
}

/// What a server knows when it speaks.
pub struct At<'a> {
    /// What was published, and what of it is still had.
    pub server: &'a mut Server,
    /// Now.
    pub now: Mono,
    pub(crate) draw: &'a mut Draw,
    /// Whether bodies are damaged before they are sent.
    pub(crate) garbles: bool,
    /// Whether what is said beside a link may be lost behind its door.
    pub(crate) loses: bool,
    /// Nobody is let in.
    pub revoked: bool,
    pub(crate) keys: Option<&'a Keys>,
    /// What of each channel the wall has: the turn after the last event or gap that it was told, and the epoch then.
    pub had: &'a [Option<(usize, u32)>],
    /// What is said, in this order.
    pub said: Vec<Said>,
    /// When it wants to be asked again.
    pub(crate) wakes: Vec<(Option<LinkId>, Mono)>,
}

impl At<'_> {
    /// Asks to be pumped at that instant.
    pub fn wake(&mut self, at: Mono) {
        self.wakes.push((None, at));
    }

    /// The same by another link than that which it speaks of.
    pub fn wake_by(&mut self, link: LinkId, at: Mono) {
        self.wakes.push((Some(link), at));
    }

    /// Subscriptions begin with what is said next.
    pub fn begun(&mut self, began: Vec<Began>) {
        self.said.push(Said::Began(began));
    }

    /// Says something.
    pub fn say(&mut self, said: Said) {
        self.said.push(said);
    }

    /// The body that an event was published with: its name, its time and its data, as the board's `event` says.
    pub fn body(&mut self, channel: usize, turn: usize) -> String {
        let garbled = self.garbles && self.draw.chance(20);
        if garbled {
            self.server.damaged.insert((channel, turn));
        }
        let Some(event) = self.server.turn(channel, turn) else { return String::new() };
        let (name, time) = (event.said.name, event.time);
        match event.form {
            _ if garbled => format!(r#"{{"name":"{name}","time":{time},"data":{{"w":1e999}}}}"#),
            Form::Good => format!(r#"{{"name":"{name}","time":{time},"data":{}}}"#, event.data()),
            // A server that checks what it carries takes this, and what reads it can't.
            Form::BadData | Form::Garbage => format!(r#"{{"name":"{name}","time":{time},"data":{{"v":1e999}}}}"#),
        }
    }

    /// The number of the token that is shown, if it is taken; zero where none is asked for.
    #[must_use]
    pub fn admit(&self, shown: Option<&str>) -> Option<usize> {
        if self.revoked {
            return None;
        }
        self.keys.map_or(Some(0), |keys| shown.and_then(|text| keys.take(text, self.now)))
    }

    /// How long a token is still good, in seconds; none if for ever.
    #[must_use]
    pub fn life(&self, number: usize) -> Option<u64> {
        let ends = self.keys?.ends(number);
        (ends < Mono::NEVER).then(|| ends.since(self.now).as_secs())
    }
}

/// A model server's way to speak. It has a place for each of its links, from [`begin`](Self::begin) to [`end`](Self::end).
pub trait Dialect {
    /// A link stands; of a row of requests, each of them comes here.
    ///
    /// # Errors
    /// If nobody who speaks this asks for it like that.
    fn begin(&mut self, at: &mut At<'_>, link: LinkId, call: &Call) -> Result<(), String>;
    /// A message comes, or some bytes.
    ///
    /// # Errors
    /// If nobody who speaks this says that.
    fn hear(&mut self, at: &mut At<'_>, link: LinkId, message: &[u8]) -> Result<(), String>;
    /// A question comes beside a link, or what is said to the server goes by it. None if there is no such thing.
    ///
    /// # Errors
    /// If nobody who speaks this says that.
    fn told(&mut self, _at: &mut At<'_>, _link: LinkId, _call: &Call) -> Result<Option<Told>, String> {
        Ok(None)
    }
    /// Whoever wants to know whether the server is there comes at a door that says no more than that: a status and a body.
    fn is_there(&self, _call: &Call) -> (u16, String) {
        (404, String::new())
    }
    /// A message as it travels by this link.
    fn frame(&mut self, _link: LinkId, message: Vec<u8>) -> Vec<u8> {
        message
    }
    /// What goes before the end of a link in order that has no close frame.
    fn farewell(&mut self, _link: LinkId, _code: u16, _reason: &str) -> Option<Vec<u8>> {
        None
    }
    /// Something may have been published, or an instant has come at which it wanted to be asked.
    ///
    /// # Errors
    /// If nobody who speaks this said what waited.
    fn pump(&mut self, at: &mut At<'_>, link: LinkId) -> Result<(), String>;
    /// Some time has passed: the plan's heartbeat.
    fn beat(&mut self, _at: &mut At<'_>, _link: LinkId) {}
    /// The link's token has ended.
    fn expire(&mut self, at: &mut At<'_>, _link: LinkId) {
        at.say(Said::Close(None, ""));
    }
    /// The server finds that the link is gone.
    fn end(&mut self, at: &mut At<'_>, link: LinkId);
    /// The server is another process from here on, which has lost what it had or not.
    fn restart(&mut self, _keeps: bool) {}
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Centrifugo,
        Self::Pusher,
        Self::Redis,
        Self::PubSub,
        Self::Sse,
        Self::Mercure,
        Self::Nats,
        Self::SocketIo,
        Self::Mqtt,
        Self::LongPoll,
        Self::Poll,
        Self::WebSocket,
        Self::JetStream,
        Self::Ably,
    ];

    /// Its word, for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Centrifugo => "centrifugo",
            Self::Pusher => "pusher",
            Self::Redis => "redis",
            Self::PubSub => "pub-sub",
            Self::Sse => "sse",
            Self::Mercure => "mercure",
            Self::Nats => "nats",
            Self::SocketIo => "socketio",
            Self::Mqtt => "mqtt",
            Self::LongPoll => "long-poll",
            Self::Poll => "poll",
            Self::WebSocket => "websocket",
            Self::JetStream => "jetstream",
            Self::Ably => "ably",
        }
    }

    /// A server that speaks it. What it may or may not do is the plan's.
    #[must_use]
    pub fn dialect(self, plan: &Plan) -> Box<dyn Dialect> {
        match self {
            Self::Centrifugo => Box::new(centrifugo::Centrifugo::default()),
            Self::Pusher => Box::new(pusher::Pusher::default()),
            Self::Redis | Self::PubSub => Box::new(redis::Redis::default()),
            Self::Sse => Box::new(events::Events::new(false, promises(plan))),
            Self::Mercure => Box::new(events::Events::new(true, false)),
            Self::JetStream => Box::new(jetstream::JetStream::default()),
            Self::Ably => Box::new(ably::Ably::new(plan.seed.is_multiple_of(2))),
            Self::Nats => Box::new(nats::Nats::default()),
            Self::SocketIo => Box::new(socketio::SocketIo::new(match plan.seed % 4 {
                0 => socketio::Keeps::Nothing,
                1 => socketio::Keeps::Streams,
                _ => socketio::Keeps::Memory,
            })),
            Self::Mqtt => Box::new(mqtt::Mqtt::default()),
            Self::LongPoll => Box::new(longpoll::LongPoll::new(promises(plan), longpoll::patience(plan))),
            Self::Poll => Box::new(poll::Poll::new(promises(plan))),
            Self::WebSocket => Box::new(websocket::WebSocket::new(numbers(plan), plan.seed.is_multiple_of(2))),
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Centrifugo => Kind::Centrifugo,
            Self::Pusher => Kind::Pusher,
            Self::Redis | Self::PubSub => Kind::Redis,
            Self::Sse => Kind::Sse,
            Self::Mercure => Kind::Mercure,
            Self::Nats | Self::JetStream => Kind::Nats,
            Self::Ably => Kind::Ably,
            Self::SocketIo => Kind::SocketIo,
            Self::Mqtt => Kind::Mqtt,
            Self::LongPoll => Kind::LongPoll,
            Self::Poll => Kind::Poll,
            Self::WebSocket => Kind::WebSocket,
        }
    }

    /// What it calls a channel of this number.
    #[must_use]
    pub fn channel(self, number: usize) -> String {
        match self {
            Self::Redis => format!("{}c{number}", redis::STREAM),
            Self::JetStream => format!("{}c{number}", jetstream::STREAM),
            Self::SocketIo => format!("/c{number}"),
            _ => format!("c{number}"),
        }
    }

    /// Its address.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::Redis | Self::PubSub => "redis://hub.example:1",
            Self::Nats | Self::JetStream => "nats://hub.example:1",
            Self::Mqtt => "mqtt://hub.example:1",
            Self::WebSocket => "ws://hub.example:1",
            _ => "http://hub.example:1",
        }
    }

    /// Its kind, as a board names it, and what it must be told besides.
    #[must_use]
    pub const fn in_board(self) -> (&'static str, &'static str) {
        match self {
            Self::Pusher => ("pusher", "app = \"key\""),
            Self::Redis | Self::PubSub => ("redis", ""),
            Self::Nats | Self::JetStream => ("nats", ""),
            other => (other.word(), ""),
        }
    }

    /// The settings of a source that is followed by it.
    pub fn configure(self, config: &mut SourceConfig, plan: &Plan) {
        let path = |text: &str| Some(text.parse().unwrap_or_else(|error| unreachable!("{error:?}")));
        config.kind = self.kind();
        config.ladder = self.ways_of(plan);
        config.url = self.url().parse().unwrap_or_else(|error| unreachable!("{error}"));
        config.envelope =
            Envelope { name: path("name"), time: path("time"), data: path("data"), ..Envelope::default() };
        if self == Self::Redis {
            // A field of an entry holds the whole message.
            let (name, time, data) = (path("m.name"), path("m.time"), path("m.data"));
            config.envelope = Envelope { name, time, data, ..Envelope::default() };
        }
        config.app = Some("key".into());
        config.token = None;
        config.asks_token = plan.tokens.is_some();
        config.promises.heartbeat = Some(Duration::from_millis(plan.heartbeat));
        config.promises.replays = matches!(self, Self::Sse | Self::LongPoll | Self::Poll) && promises(plan);
        if self == Self::Poll {
            let (path, rows) = (path("next"), path("items"));
            config.promises.cursor = path.map(|path| Cursor { path, query: Some(poll::QUERY.into()), rows });
        }
        if self == Self::WebSocket {
            config.speak = websocket::speak(numbers(plan));
        }
    }

    /// Whether tokens are a matter of the request for a link.
    #[must_use]
    pub const fn is_let_in_by_request(self) -> bool {
        matches!(self, Self::Sse | Self::Mercure | Self::LongPoll | Self::Poll)
    }

    /// Whether it is a row of requests, each for one message.
    #[must_use]
    pub const fn is_asked(self) -> bool {
        matches!(self, Self::LongPoll | Self::Poll)
    }

    /// Whether it asks for tokens. Where a new one takes another link and nothing proves that it goes on after the one before, no
    /// token ends without a gap and a moment without a link: that is no healthy plan.
    const fn has_tokens(self, plan: &Plan) -> bool {
        match self {
            Self::Sse | Self::LongPoll | Self::Poll => promises(plan),
            Self::Centrifugo | Self::Mercure => true,
            _ => false,
        }
    }

    /// Whether it takes a new token on a link that stands.
    const fn presents(self) -> bool {
        matches!(self, Self::Centrifugo)
    }

    /// Whether the answer to a WebSocket's ping proves its stream: then it answers none where it says nothing.
    #[must_use]
    pub const fn is_proven_by_pongs(self) -> bool {
        matches!(self, Self::SocketIo)
    }

    /// Whether nothing that it says tells how late it comes.
    #[must_use]
    pub const fn tells_no_time(self) -> bool {
        matches!(self, Self::Sse | Self::Mercure)
    }

    /// How it says goodbye.
    #[must_use]
    pub const fn goodbye(self) -> (u16, &'static str) {
        match self {
            Self::Centrifugo => (3001, "shutdown"),
            Self::Pusher => (4200, ""),
            _ => (1001, ""),
        }
    }

    /// How it ends the links of who is denied.
    #[must_use]
    pub const fn denial(self) -> (u16, &'static str) {
        match self {
            Self::Centrifugo => (3500, "invalid token"),
            Self::Pusher => (4009, "Connection not authorized"),
            _ => (1008, "denied"),
        }
    }

    /// Whether that can happen to it. What is left out nobody could notice, or it has no sense.
    fn bears(self, plan: &Plan, fault: Fault) -> bool {
        let has = |way: Transport| plan.ladder.contains(&way);
        match fault {
            Fault::Snapshot(_) | Fault::StaleSnapshot | Fault::Throttle => false,
            // On links that stand.
            Fault::Epoch { .. } => matches!(self, Self::Centrifugo | Self::Redis | Self::JetStream),
            // A board's promise must be kept. And between two long polls there is no connection to lose: to a server that has
            // lost its messages meanwhile the next one is like any other.
            Fault::Restart { epoch: true, .. } => !self.is_asked() && (self != Self::Sse || !promises(plan)),
            Fault::Trim(_) => matches!(
                self,
                Self::Centrifugo | Self::Redis | Self::Mercure | Self::WebSocket | Self::JetStream | Self::Ably
            ),
            Fault::Skip => matches!(self, Self::Centrifugo),
            Fault::Twice => matches!(self, Self::Centrifugo) || self == Self::WebSocket && numbers(plan),
            Fault::Corrupt | Fault::Truncate => matches!(self, Self::Centrifugo | Self::Pusher),
            Fault::Status(_) | Fault::Login { .. } => !has(Transport::Tcp),
            Fault::Swallowed(way) => has(way),
            Fault::HeldStream => has(Transport::Sse) || has(Transport::HttpStream),
            _ => true,
        }
    }

    /// The same plan with a server that speaks this.
    #[must_use]
    pub fn plan(self, mut plan: Plan) -> Plan {
        // A plan that is made smaller keeps those of its ways that are left.
        if plan.dialect == Some(self) {
            plan.ladder = self.ways_of(&plan);
        } else {
            self.draw_ways(&mut plan);
        }
        plan.dialect = Some(self);
        plan.snapshots = false;
        plan.reconcile = None;
        plan.lines = 1;
        if matches!(self, Self::Sse | Self::Mercure) || self.is_asked() {
            plan.channels = 1;
        }
        let mut windows = std::mem::take(&mut plan.windows);
        windows.retain(|window| self.bears(&plan, window.fault));
        windows.iter_mut().for_each(|window| window.line = None);
        let begins_anew =
            |window: &Window| matches!(window.fault, Fault::Epoch { .. } | Fault::Restart { epoch: true, .. });
        if self == Self::Redis && windows.iter().any(begins_anew) {
            // Counts can't tell a stream that was made anew and has trimmed as many as the old one had: `docs/sources.md`.
            windows.retain(|window| !matches!(window.fault, Fault::Trim(_)));
            plan.history = KEEPS_ALL;
        }
        if self == Self::Sse || self.is_asked() {
            plan.history = KEEPS_ALL;
        }
        if self.is_asked() {
            // A message an answer: what is published at once comes by one round trip after the other. Where ten of them, as many as wait for
            // a wall that begins, take longer than the limit, it is rightly behind.
            let most = plan.limit.min(30_000) / 25;
            plan.latency = (plan.latency.0.min(most / 2), plan.latency.1.min(most));
            // A message proves that its publisher lived when the poll before its own was asked for, and no later, and the next one takes
            // most of a poll to come. Each is held, or waits for the next one, and goes to and fro, and who promises to speak does so twice in the time.
            let held =
                if self == Self::Poll { Duration::from_millis(plan.limit / 2) } else { longpoll::patience(&plan) };
            let poll = held + 2 * Duration::from_millis(plan.latency.1);
            let least = 6 * u64::try_from(poll.as_millis()).unwrap_or(u64::MAX);
            plan.quiet = plan.quiet.map(|quiet| quiet.max(least));
        }
        if !self.has_tokens(&plan) {
            plan.tokens = None;
            windows.retain(|window| !window.fault.is_of_tokens());
        }
        plan.tokens.iter_mut().for_each(|tokens| tokens.presents &= self.presents());
        plan.windows = windows;
        plan
    }
}

/// A history that nothing reaches the end of.
const KEEPS_ALL: u64 = 1_000_000;

/// Whether the board promises that what was missed comes.
const fn promises(plan: &Plan) -> bool {
    plan.seed.is_multiple_of(2)
}

/// Whether a bare WebSocket's messages are numbered.
const fn numbers(plan: &Plan) -> bool {
    !plan.seed.is_multiple_of(3)
}
