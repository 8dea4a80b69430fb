//! One folder a dialect. A dialect builds requests and turns bytes into [`Signal`]s; everything else (stages, backoff,
//! liveness, catch-up) is common and lives outside.
//!
//! To add one: a folder beside `hub` that implements [`Dialect`] and [`Session`], and a line in [`dialect`].

pub(crate) mod hub;

use std::{fmt, sync::Arc, time::Duration};

use watchfloor_model::{Event, Mono, Position, Snapshot, Transport};

use crate::{
    clock::Reading,
    config::{Secret, SourceConfig},
    fault::Fault,
    port::Request,
};

/// The dialect that `config` asks for.
pub(crate) fn dialect(_config: &SourceConfig) -> Box<dyn Dialect> {
    Box::new(hub::Hub)
}

/// A channel and the last event that we have of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: Arc<str>,
    pub(crate) position: Option<Position>,
}

/// What a server speaks: stateless.
pub(crate) trait Dialect: fmt::Debug + Send {
    /// Whether the configuration can work at all.
    fn check(&self, config: &SourceConfig) -> Result<(), Fault>;
    /// How to open a link that goes on after `places`.
    fn open(&self, config: &SourceConfig, transport: Transport, places: &[Place]) -> Request;
    /// How to ask for what comes after `cursor`, and how long the server may wait for something to come.
    fn ask(&self, config: &SourceConfig, cursor: &str, wait: Duration) -> Request;
    /// Whether a WebSocket that is closed with this code has outlived its token.
    fn is_expiry(&self, code: u16) -> bool;
    /// How to ask whether the server is there.
    fn health(&self, config: &SourceConfig) -> Request;
    /// Whether that is its own answer.
    fn is_healthy(&self, body: &[u8]) -> bool;
    /// How to ask for a snapshot of all channels.
    fn snapshot(&self, config: &SourceConfig) -> Request;
    /// Reads a snapshot; the error says what is wrong with it, for people.
    fn read_snapshot(&self, body: &[u8], channels: &[Arc<str>], now: Mono) -> Result<Snapshot, String>;
    /// The decoder of one new link.
    fn session(&self, transport: Transport, channels: &Arc<[Arc<str>]>) -> Box<dyn Session>;
}

/// One link's conversation.
pub(crate) trait Session: fmt::Debug + Send {
    /// What to send to subscribe after `places` on an open link; nothing if the request did it. `again` if the link is
    /// already subscribed: then what comes until the new `Subscribed` belongs to the old subscription.
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<String>;
    /// Whether an open link can be subscribed again.
    fn can_resubscribe(&self) -> bool;
    /// What to send to present a new token on an open link; none if the server takes none there.
    fn authorise(&mut self, token: &Secret) -> Option<String>;
    /// What to send to ask for the source's clock, if there is such a message.
    fn ask_clock(&mut self, id: u64) -> Option<String>;
    /// Where to go on asking, on a link that is a row of requests.
    fn cursor(&self) -> &str;
    /// Takes one answer of such a link. Says whether the server has more.
    fn decode_answer(&mut self, body: &[u8], now: Mono, out: &mut Vec<Signal>) -> bool;
    /// Takes one message.
    fn decode_text(&mut self, text: &[u8], now: Mono, out: &mut Vec<Signal>);
    /// Takes some bytes of a body.
    fn decode_chunk(&mut self, bytes: &[u8], now: Mono, out: &mut Vec<Signal>);
}

/// What servers say, whatever they speak. Channels are indices into the list that the session was made with.
#[derive(Debug)]
pub(crate) enum Signal {
    /// The server introduces itself.
    Hello { heartbeat: Duration, clock: Reading, grant: Option<Grant> },
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
    /// Something that can't be taken, and its place if even that much can be read.
    Rejected { place: Option<(usize, Position)>, reason: String },
    /// Events are missing; the subscription goes on after `head`.
    Lost { channel: usize, head: Position, reason: String },
    /// The server lives, and says up to where it has sent everything.
    Heartbeat { clock: Option<Reading>, beats: Vec<Beat> },
    /// The answer to [`Session::ask_clock`].
    Clock { id: u64, clock: Reading },
    /// The server can't do what was asked.
    Error { code: String, message: String, denied: bool },
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
            | Self::Rejected { place: Some(_), .. }
            | Self::Lost { .. }
            | Self::Heartbeat { .. } => true,
            Self::Hello { .. }
            | Self::Authorised { .. }
            | Self::Declined { .. }
            | Self::Version { .. }
            | Self::Rejected { place: None, .. }
            | Self::Clock { .. }
            | Self::Error { .. }
            | Self::RetryAfter { .. }
            | Self::Unreadable { .. } => false,
        }
    }
}

/// What a server says of the token that it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    /// For how long it is good; for ever if none.
    pub(crate) life: Option<Duration>,
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
