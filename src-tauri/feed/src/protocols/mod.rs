//! One folder a dialect. A dialect builds requests and turns bytes into [`Signal`]s; everything else (stages, backoff,
//! liveness, catch-up) is common and lives outside.
//!
//! To add one: a folder beside `hub` that implements [`Dialect`] and [`Session`], and a line in [`dialect`].

mod ably;
pub(crate) mod centrifugo;
pub(crate) mod counted;
mod gone;
pub(crate) mod hub;
mod mercure;
mod mqtt;
mod nats;
mod poll;
mod pusher;
mod redis;
mod socketio;
mod sse;
mod websocket;

use std::{fmt, sync::Arc, time::Duration};

use url::Url;
use watchfloor_model::{Event, Mono, Position, Snapshot, Timestamp, Transport};

use crate::{
    clock::Reading,
    config::{Kind, Secret, SourceConfig},
    fault::{Fault, LinkFault, Verdict},
    port::{Head, Message, Request, Response},
};

/// The dialect that `config` asks for.
pub(crate) fn dialect(config: &SourceConfig) -> Box<dyn Dialect> {
    match config.kind {
        Kind::Hub => Box::new(hub::Hub),
        Kind::Centrifugo => Box::new(centrifugo::Centrifugo::default()),
        kind @ (Kind::Pusher | Kind::Soketi | Kind::Reverb) => Box::new(pusher::Pusher::new(kind)),
        Kind::SocketIo => Box::new(socketio::SocketIo::default()),
        Kind::Ably => Box::new(ably::Ably::default()),
        Kind::WebSocket => Box::new(websocket::WebSocket),
        Kind::Sse => Box::new(sse::Sse::default()),
        Kind::Mercure => Box::new(mercure::Mercure::default()),
        Kind::LongPoll => Box::new(poll::LongPoll::default()),
        Kind::Poll => Box::new(poll::Poll::default()),
        Kind::Redis => Box::new(redis::Redis::default()),
        Kind::Nats => Box::new(nats::Nats::default()),
        Kind::Mqtt => Box::new(mqtt::Mqtt::default()),
    }
}

/// Now, by both clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// By the one that never goes back.
    pub(crate) mono: Mono,
    /// By the one on the wall: for what tells no time of its own.
    pub(crate) wall: Timestamp,
}

/// A channel and the last event that we have of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: Arc<str>,
    pub(crate) position: Option<Position>,
}

/// What a server speaks. Whatever it knows of one source's links is bounded, and decided by what was said on them.
pub(crate) trait Dialect: fmt::Debug + Send {
    /// Whether the configuration can work at all.
    fn check(&self, config: &SourceConfig) -> Result<(), Fault>;
    /// How to open a link that goes on after `places`.
    fn open(&self, config: &SourceConfig, transport: Transport, places: &[Place]) -> Request;
    /// How to ask for what comes after `cursor`, and how long the server may wait for something to come.
    fn ask(&self, config: &SourceConfig, cursor: &str, wait: Duration) -> Request;
    /// Whether a WebSocket that is closed with this code has outlived its token.
    fn is_expiry(&self, code: u16) -> bool;
    /// What follows from a close with this code, if the dialect gives it a meaning of its own.
    fn verdict(&self, code: u16) -> Option<Verdict>;
    /// What follows from a link's fault, if the dialect gives it a meaning of its own.
    fn verdict_of_fault(&self, _fault: &LinkFault) -> Option<Verdict> {
        None
    }
    /// The same of a connection that ended without a code, after the server had named this one as an error's.
    fn error_verdict(&self, _code: u16) -> Option<Verdict> {
        None
    }
    /// How to ask whether the server is there, if it can be asked.
    fn health(&self, _config: &SourceConfig) -> Option<Request> {
        None
    }
    /// Whether that is its own answer.
    fn is_healthy(&self, _body: &[u8]) -> bool {
        false
    }
    /// What an answer that isn't the one asked for means, if the dialect gives it a meaning of its own.
    fn refusal(&self, _fault: &LinkFault) -> Option<Fault> {
        None
    }
    /// How to send a message on a link that is a row of requests, if that can be done.
    fn post(&self, _config: &SourceConfig, _cursor: &str, _message: &Message) -> Option<Request> {
        None
    }
    /// How to open the WebSocket by which such a link is to go on, if it can.
    fn upgrade(&self, _config: &SourceConfig, _cursor: &str) -> Option<Request> {
        None
    }
    /// Whether an answer of this status is its own.
    fn is_there(&self, status: u16, body: &[u8]) -> bool {
        status == 200 && self.is_healthy(body)
    }
    /// How to ask for a snapshot of all channels, if there is one.
    fn snapshot(&self, _config: &SourceConfig) -> Option<Request> {
        None
    }
    /// Reads a snapshot; the error says what is wrong with it, for people.
    fn read_snapshot(&self, _body: &[u8], _channels: &[Arc<str>], _now: Mono) -> Result<Snapshot, String> {
        Err("there is no snapshot".to_owned())
    }
    /// The decoder of one new link. `seed` differs from link to link.
    fn session(
        &self,
        config: &SourceConfig,
        transport: Transport,
        channels: &Arc<[Arc<str>]>,
        seed: u64,
    ) -> Box<dyn Session>;
}

/// One link's conversation.
pub(crate) trait Session: fmt::Debug + Send {
    /// What to send to subscribe after `places` on an open link; nothing if the request did it. `again` if the link is
    /// already subscribed: then what comes until the new `Subscribed` belongs to the old subscription.
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message>;
    /// Whether an open link can be subscribed again.
    fn can_resubscribe(&self) -> bool;
    /// What to send to present a new token on an open link; none if the server takes none there.
    fn authorise(&mut self, token: &Secret) -> Option<Message>;
    /// What to send to ask for the source's clock, if there is such a message.
    fn ask_clock(&mut self, id: u64) -> Option<Message>;
    /// What to send on a TCP connection that the server must answer, in turn with all else, with [`Signal::Pong`].
    fn ping(&mut self) -> Option<Message> {
        None
    }
    /// What to send to have the server say up to where it has sent everything, where its heartbeats come too seldom.
    fn prove(&mut self) -> Vec<Message> {
        Vec::new()
    }
    /// Whether a link that only brings is answered on as well: what is sent goes beside it, by [`uplink`](Self::uplink).
    fn answers(&self) -> bool {
        false
    }
    /// How a message is sent beside a link that only brings, and the number of that question. The message itself if it goes by the
    /// link.
    fn uplink(&mut self, message: Message) -> Result<(u32, Request), Message> {
        Err(message)
    }
    /// Where to go on asking, on a link that is a row of requests.
    fn cursor(&self) -> &str {
        ""
    }
    /// The shortest time from the last request to the next, though the server has more.
    fn spacing(&self) -> Duration {
        Duration::ZERO
    }
    /// Takes what the head of an answer says, before its body.
    fn decode_head(&mut self, _head: &Head, _now: Moment, _out: &mut Vec<Signal>) {}
    /// Takes one answer of such a link. Says whether the server has more.
    fn decode_answer(&mut self, _body: &[u8], _now: Moment, _out: &mut Vec<Signal>) -> bool {
        false
    }
    /// Takes one message.
    fn decode_text(&mut self, _text: &[u8], _now: Moment, _out: &mut Vec<Signal>) {}
    /// Takes one binary message.
    fn decode_binary(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.decode_text(bytes, now, out);
    }
    /// Takes some bytes of a body or a connection.
    fn decode_chunk(&mut self, _bytes: &[u8], _now: Moment, _out: &mut Vec<Signal>) {}
    /// The WebSocket answered a ping. A server that writes everything in order has then sent what it had written before, so that
    /// a dialect whose own heartbeats come too seldom may take it for one.
    fn ponged(&mut self, _now: Moment, _out: &mut Vec<Signal>) {}
    /// Whether the server keeps a poll until there is something, for however long that takes. Then [`Session::prompt`] is
    /// called in time.
    fn is_held(&self) -> bool {
        false
    }
    /// Has the server answer the poll that is out.
    fn prompt(&mut self, _out: &mut Vec<Signal>) {}
    /// What is said first on the WebSocket by which this link is to go on.
    fn begin_upgrade(&mut self) -> Option<Message> {
        None
    }
    /// Whether this is the answer to that, by which no further poll must be sent.
    fn takes_upgrade(&self, _text: &[u8]) -> bool {
        false
    }
    /// What is said last of it, when no poll is out; none while something else still is. Afterwards the WebSocket is the link.
    fn finish_upgrade(&mut self) -> Option<Message> {
        None
    }
    /// Whether another link can be told to go on where this one stands, while it stands. If not, one beside it would have to take its
    /// place behind a gap.
    fn joins(&self) -> bool {
        true
    }
    /// It is on trial beside the link that is followed: nobody is told what it says without a place, so that nothing that it
    /// remembers for other links may be written as if somebody were, and nothing may stay for it at the server. Said before all else.
    fn begin_trial(&mut self) {}
    /// The trial's link is the link. What the one before has told is told; what is known otherwise by now is to be told.
    fn take_over(&mut self, _now: Moment, _out: &mut Vec<Signal>) {}
    /// Takes the answer to a [`Signal::Ask`], [`Signal::AskAt`] or [`Signal::Post`], an [`uplink`](Self::uplink), or what was posted.
    fn exchanged(&mut self, _number: u32, _outcome: Result<Response, LinkFault>, _now: Moment, _out: &mut Vec<Signal>) {
    }
}

/// What servers say, whatever they speak. Channels are indices into the list that the session was made with.
#[derive(Debug)]
pub(crate) enum Signal {
    /// The server introduces itself.
    Hello { heartbeat: Duration, clock: Option<Reading>, grant: Option<Grant> },
    /// This is to be sent. On a link that is a row of requests the next one comes when this was answered.
    Reply { message: Message },
    /// The server answered [`Session::ping`].
    Pong,
    /// Nothing more comes in clear.
    StartTls,
    /// This is to be asked beside the link; a longer answer is none.
    Post { number: u32, request: Request, body_bytes_max: usize },
    /// Whoever signs for channels is to be asked this.
    Ask { number: u32, form: Vec<(&'static str, String)> },
    /// The same at another address of the site's.
    AskAt { number: u32, url: Url, form: Vec<(&'static str, String)> },
    /// The answer to [`Session::authorise`].
    Authorised { grant: Grant },
    /// The same, if the token that was presented is no good; what the link came by still is.
    Declined { reason: String },
    /// The server speaks another version.
    Version { found: u64, expected: u64 },
    /// A subscription begins after `from`; `recovered` if that is the place asked for. `head` was the newest then.
    Subscribed { channel: usize, head: Position, from: Position, recovered: bool, reason: Option<String> },
    /// An event with its position.
    Event { channel: usize, position: Position, event: Event },
    /// What comes next of the channel is all that there is on it: what was there before and isn't said again has gone.
    Whole { channel: usize },
    /// An event that has no place in its channel, where others have one: nothing proves that none of its kind is missing. The channel of
    /// `publisher`, if a publisher said it and not the server.
    Loose { publisher: Option<usize>, event: Event },
    /// The next link is elsewhere: it is to be opened at once, by [`Dialect::open`].
    Elsewhere,
    /// The subscriptions must begin again from what was delivered.
    Resubscribe { reason: String },
    /// The token by which the link came has come to its end.
    Expired,
    /// Something that can't be taken, and its place if even that much can be read.
    Rejected { place: Option<(usize, Position)>, reason: String },
    /// Events are missing; the subscription goes on after `head`.
    Lost { channel: usize, head: Position, reason: String },
    /// The server lives, and says up to where it has sent everything.
    Heartbeat { clock: Option<Reading>, beats: Vec<Beat> },
    /// This answer was kept by a cache for so long, or is so far behind with what there is.
    Kept { age: Duration },
    /// This answer isn't all that there was when it was asked for, and the one before proves what it did. What is still to come is younger than `age`,
    /// if that is known.
    Behind { age: Option<Duration> },
    /// The answer to [`Session::ask_clock`].
    Clock { id: u64, clock: Reading },
    /// The server can't do what was asked.
    Error { code: String, message: String, denied: bool },
    /// Whoever signs for channels doesn't: what came instead, which says when to come back, and whether by another token.
    Unsigned { fault: LinkFault },
    /// The server closes the link with this code, by a message of its own.
    Closed { code: u16, reason: String },
    /// The server asks not to come back earlier than this.
    RetryAfter { millis: u64 },
    /// So much of a message can't be read that the rest was left: the other side speaks something else.
    Unreadable { reason: String },
}

impl Signal {
    /// Whether it proves that the subscription lives. What a server may say although its stream stands still doesn't.
    pub(crate) const fn proves_stream(&self) -> bool {
        match self {
            Self::Subscribed { .. }
            | Self::Event { .. }
            | Self::Loose { .. }
            | Self::Whole { .. }
            | Self::Rejected { place: Some(_), .. }
            | Self::Lost { .. }
            | Self::Heartbeat { .. } => true,
            Self::Hello { .. }
            | Self::Authorised { .. }
            | Self::Declined { .. }
            | Self::Version { .. }
            | Self::Rejected { place: None, .. }
            | Self::Clock { .. }
            | Self::Kept { .. }
            | Self::Behind { .. }
            | Self::Error { .. }
            | Self::Reply { .. }
            | Self::Pong
            | Self::StartTls
            | Self::Ask { .. }
            | Self::Elsewhere
            | Self::Post { .. }
            | Self::Closed { .. }
            | Self::AskAt { .. }
            | Self::Resubscribe { .. }
            | Self::Expired
            | Self::Unsigned { .. }
            | Self::RetryAfter { .. }
            | Self::Unreadable { .. } => false,
        }
    }
}

/// For how long a token is good, by the word of the server that took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// From when the server said so.
    Lasts(Duration),
    /// For as long as the link stands.
    Endless,
    /// It doesn't say.
    Untold,
}

impl Grant {
    /// For ever if there is no end.
    pub(crate) fn new(life: Option<Duration>) -> Self {
        life.map_or(Self::Endless, Self::Lasts)
    }
}

/// One channel in a heartbeat.
#[derive(Debug)]
pub(crate) struct Beat {
    pub(crate) channel: usize,
    /// Everything up to here has been sent.
    pub(crate) head: Position,
    /// How many newer events the server has that it hasn't sent yet.
    pub(crate) behind: u64,
    /// How long ago a publisher proved that it lives; `None` if never.
    pub(crate) idle: Option<Duration>,
}
