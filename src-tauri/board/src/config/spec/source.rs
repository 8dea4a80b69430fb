//! What a board file says of its sources.

use std::{collections::BTreeMap, time::Duration};

use crate::path::Path;

/// `[[source]]`
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSpec {
    /// `id`: letters, digits, `-`, `_`.
    pub id: String,
    /// `title`; default the id.
    pub title: String,
    /// `kind`
    pub kind: SourceKind,
    /// `url`: `http` or `https`; the hub's base address.
    pub url: String,
    /// `redundant-urls`: other addresses of the same stream.
    pub redundant_urls: Vec<String>,
    /// `channels`: at least one.
    pub channels: Vec<String>,
    /// `transport`; default `auto`.
    pub transport: SourceTransport,
    /// `quiet`: the longest silence of a healthy publisher; nothing promised if missing.
    pub quiet: Option<Duration>,
    /// `reconcile`: how often, about, the wall is compared with the server; none for `off`.
    pub reconcile: Option<Duration>,
    /// `heartbeat`: how often the server says by itself that it lives.
    pub heartbeat: Option<Duration>,
    /// `replays`: the server replays what was missed.
    pub replays: bool,
    /// `sparkplug`: what is published is Sparkplug B.
    pub sparkplug: Option<SparkplugSpec>,
    /// `presence`: who is on the channels comes as events.
    pub presence: bool,
    /// `history`: begin with what the server has kept.
    pub history: bool,
    /// `cursor`: how an answer to a poll says where to go on.
    pub cursor: Option<CursorSpec>,
    /// `event`: how a message becomes an event, for kinds that carry bodies only.
    pub event: EventSpec,
    /// `headers`: what is sent with each request to its addresses, by names in lower case.
    pub headers: BTreeMap<String, String>,
    /// `token`: where the token is to be had that the server asks for.
    pub token: Option<TokenSpec>,
    /// `token-header`: the header, in lower case, whose whole value the token is; a bearer's if missing.
    pub token_header: Option<String>,
    /// `tls`: whom to trust and what to show on secure connections.
    pub tls: TlsSpec,
    /// `proxy`: through what all connections go.
    pub proxy: Option<ProxySpec>,
    /// `app`: an application's public key.
    pub app: Option<String>,
    /// `auth`: who signs for private channels.
    pub auth: Option<String>,
    /// `user`: whose password the token is.
    pub user: Option<String>,
    /// `cipher`: where the key is kept by which publishers encrypt.
    pub cipher: Option<SecretSpec>,
    /// `speak`: what is said and heard on a bare WebSocket.
    pub speak: SpeakSpec,
    /// `snapshot`: where the site says what it has now.
    pub snapshot: Option<SnapshotSpec>,
}

impl SourceSpec {
    /// The channel and the name of the events that a site's rows become.
    #[must_use]
    pub fn restated(&self) -> Option<(&str, &str)> {
        let snapshot = self.snapshot.as_ref()?;
        Some((snapshot.channel.as_ref().or(self.channels.first())?, &snapshot.name))
    }

    /// Whether each of its events says all that there is of what it is about: what a polled document leaves out isn't so any more.
    #[must_use]
    pub fn tells_whole(&self) -> bool {
        self.kind == SourceKind::Poll && self.cursor.is_none()
    }
}

/// Where a site says what it has now, for kinds that keep no state.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotSpec {
    /// `url`: its address.
    pub url: String,
    /// `as`: the name of the events that its rows become.
    pub name: String,
    /// `channel`: their channel; the source's first if missing.
    pub channel: Option<String>,
    /// `data`: where in the document the rows stand.
    pub data: Option<Path>,
    /// `time`: where in a row its time stands.
    pub time: Option<Path>,
}

/// How Sparkplug's nodes are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SparkplugSpec {
    /// They are listened to.
    Listen,
    /// A node whose birth was missed is asked for it.
    Rebirth,
}

/// Where a source's token is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSpec {
    /// It is kept there.
    Held(SecretSpec),
    /// It is asked for.
    Fetched {
        /// `from`: who gives it.
        url: String,
        /// `secret`: for what.
        secret: SecretSpec,
    },
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSpec {
    /// `file`: an absolute path.
    File(String),
    /// `env`: the name of an environment variable.
    Variable(String),
    /// `keyring`: an entry of the user's keyring.
    Keyring {
        /// What it is for.
        service: String,
        /// Whose it is.
        account: String,
    },
}

/// Whom to trust and what to show on secure connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSpec {
    /// `ca`: a file of certificates that are trusted besides the system's.
    pub ca: Option<String>,
    /// `certificate` and `key`: what is shown to a server that asks who comes.
    pub identity: Option<IdentitySpec>,
}

/// A client's certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySpec {
    /// `certificate`: a file of the certificate and its issuers.
    pub certificate: String,
    /// `key`: a file of the key.
    pub key: String,
}

/// Through what all connections of a source go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySpec {
    /// `url`: `http`, `https` or `socks5`.
    pub url: String,
    /// `user` and `password`.
    pub login: Option<LoginSpec>,
}

/// How a proxy knows who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSpec {
    /// `user`
    pub user: String,
    /// `password`: where it is kept.
    pub password: SecretSpec,
}

/// What speaks at a source's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A watchfloor hub.
    Hub,
    /// Centrifugo.
    Centrifugo,
    /// Pusher Channels.
    Pusher,
    /// Soketi.
    Soketi,
    /// Laravel Reverb.
    Reverb,
    /// Socket.IO.
    SocketIo,
    /// Ably.
    Ably,
    /// Server-sent events.
    Sse,
    /// A Mercure hub.
    Mercure,
    /// A bare WebSocket, by templates.
    WebSocket,
    /// A document that is answered when there is something.
    LongPoll,
    /// A document that is asked for at an interval.
    Poll,
    /// Redis, by Pub/Sub and Streams.
    Redis,
    /// NATS, and its JetStream.
    Nats,
    /// MQTT 5 or 3.1.1.
    Mqtt,
}

impl SourceKind {
    /// Whether it speaks Pusher's protocol.
    pub(crate) const fn is_pusher(self) -> bool {
        matches!(self, Self::Pusher | Self::Soketi | Self::Reverb)
    }
}

/// Where in a message stand its name, id, time and body, for kinds that carry bodies only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSpec {
    /// `name`: where its name stands.
    pub name: Option<Path>,
    /// `as`: its name, where none stands in it.
    pub default_name: Option<String>,
    /// `id`: where its id stands.
    pub id: Option<Path>,
    /// `time`: where its time stands.
    pub time: Option<Path>,
    /// `data`: where its body stands; the whole if missing.
    pub data: Option<Path>,
    /// `decode`: how it is read, in this order; as the protocol has it if empty.
    pub decode: Vec<Codec>,
}

/// One step from the bytes of a message to what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// `json`
    Json,
    /// `msgpack`
    MessagePack,
    /// `cbor`
    Cbor,
    /// `text`
    Text,
    /// `base64`
    Base64,
    /// `gzip`
    Gzip,
    /// `zlib`
    Zlib,
    /// `deflate`
    Deflate,
}

impl Codec {
    /// Whether it gives a value, and not bytes.
    #[must_use]
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Json | Self::MessagePack | Self::Cbor | Self::Text)
    }
}

/// How an answer to a poll says where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorSpec {
    /// `path`: where that stands in it.
    pub path: Path,
    /// `query`: the name by which it goes into the next request's query; none if it is the next address.
    pub query: Option<String>,
    /// `rows`: where its list of messages stands.
    pub rows: Option<Path>,
}

/// What is said and heard on a bare WebSocket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpeakSpec {
    /// `login`: sent first of all.
    pub login: Option<String>,
    /// `subscribe`: sent for each channel.
    pub subscribe: Option<String>,
    /// `confirm`: an example of what takes a subscription.
    pub confirm: Option<String>,
    /// `refused`: an example of what denies access.
    pub refused: Option<String>,
    /// `ping`: sent with each probe.
    pub ping: Option<String>,
    /// `pong`: an example of what answers it.
    pub pong: Option<String>,
    /// `channel`: where a message's channel stands.
    pub channel: Option<Path>,
    /// `sequence`: where its number stands.
    pub sequence: Option<Path>,
    /// `resume`: sent in place of `subscribe` where a number is known.
    pub resume: Option<String>,
}

/// The door by which to come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceTransport {
    /// `auto`: the best that the network lets through.
    #[default]
    Auto,
    /// `websocket`
    WebSocket,
    /// `http-stream`
    HttpStream,
    /// `sse`
    Sse,
    /// `long-poll`
    LongPoll,
    /// `poll`
    Poll,
}
