//! What goes into a feed and what comes out of it.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;
use watchfloor_model::{Delivery, Mono, Timestamp, Transport};

use crate::{
    config::Secret,
    fault::{CredentialFault, LinkFault},
};

/// One connection attempt of one feed. Counts up; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkId(pub u64);

/// The numbers of one path's links and fetches: above them stands the path's own.
const NUMBERS_A_PATH: u32 = 48;

/// The first number of a path's links and fetches.
pub(crate) const fn first_of_path(path: u64) -> u64 {
    path << NUMBERS_A_PATH
}

/// The path to which a link or fetch belongs.
fn path_of(number: u64) -> usize {
    usize::try_from(number >> NUMBERS_A_PATH).unwrap_or(usize::MAX)
}

impl LinkId {
    /// The number of the path that it belongs to.
    pub(crate) fn path(self) -> usize {
        path_of(self.0)
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One request of one feed besides its link. Counts up; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FetchId(pub u64);

impl FetchId {
    /// The number of the path that it belongs to.
    #[must_use]
    pub fn path(self) -> usize {
        path_of(self.0)
    }
}

impl fmt::Display for FetchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What happened outside.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// The link stands: the WebSocket handshake succeeded (RFC 6455 section 4), or the answer to an SSE request has
    /// status 200 and type `text/event-stream`. Anything else is [`Input::Failed`] with
    /// [`LinkFaultKind::Http`](crate::LinkFaultKind::Http).
    Opened {
        /// Which.
        link: LinkId,
    },
    /// One whole text message of a WebSocket. Checked for UTF-8 here, so bytes may be handed on as they came.
    Text {
        /// Which.
        link: LinkId,
        /// The message.
        #[serde(with = "crate::bytes_text")]
        text: Bytes,
    },
    /// One whole binary message of a WebSocket.
    Binary {
        /// Which.
        link: LinkId,
        /// The message.
        #[serde(with = "crate::bytes_text")]
        bytes: Bytes,
    },
    /// Some bytes of an SSE body, of another stream over HTTP or of a TCP connection, cut anywhere.
    Chunk {
        /// Which.
        link: LinkId,
        /// The bytes.
        #[serde(with = "crate::bytes_text")]
        bytes: Bytes,
    },
    /// What the head of the answer said by which an SSE link stands. Comes right after [`Input::Opened`].
    Head {
        /// Which.
        link: LinkId,
        /// What it said.
        head: Head,
    },
    /// The last [`Output::Ask`] was answered, with status 200 and a type that says that the body is data, or with 204, 304 or 408, which have no body.
    /// Anything else is [`Input::Failed`]. The first answer means that the link stands.
    Answered {
        /// Which.
        link: LinkId,
        /// What its head said.
        head: Head,
        /// The whole body.
        #[serde(with = "crate::bytes_text")]
        body: Bytes,
    },
    /// The WebSocket answered the last [`Output::Ping`].
    Pong {
        /// Which.
        link: LinkId,
    },
    /// The link ended after it stood: a close frame, or the end of the body.
    Closed {
        /// Which.
        link: LinkId,
        /// The close code of RFC 6455 section 7.4, if there was a close frame.
        code: Option<u16>,
        /// The server's reason, perhaps empty.
        reason: String,
    },
    /// The link could not be opened, or broke.
    Failed {
        /// Which.
        link: LinkId,
        /// How.
        fault: LinkFault,
    },
    /// A fetch ended.
    Fetched {
        /// Which.
        fetch: FetchId,
        /// The answer, whatever its status, or why there is none.
        outcome: Result<Response, LinkFault>,
    },
    /// The answer to an [`Output::Exchange`] or an [`Output::Post`].
    Exchanged {
        /// Which.
        link: LinkId,
        /// The question's number; zero for what was posted.
        number: u32,
        /// The answer, whatever its status, or why there is none.
        outcome: Result<Response, LinkFault>,
    },
    /// The answer to an [`Output::Credential`].
    Credential {
        /// Which.
        fetch: FetchId,
        /// The token, or why there is none.
        outcome: Result<Credential, CredentialFault>,
    },
}

impl Input {
    /// The link that it speaks of.
    pub(crate) const fn link(&self) -> Option<LinkId> {
        match self {
            Self::Opened { link }
            | Self::Text { link, .. }
            | Self::Binary { link, .. }
            | Self::Exchanged { link, .. }
            | Self::Chunk { link, .. }
            | Self::Head { link, .. }
            | Self::Answered { link, .. }
            | Self::Pong { link }
            | Self::Closed { link, .. }
            | Self::Failed { link, .. } => Some(*link),
            Self::Fetched { .. } | Self::Credential { .. } => None,
        }
    }
}

/// What the head of an answer says, as far as a protocol may want to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Head {
    /// There is nothing new: status 304 (RFC 9110 section 15.4.5).
    pub is_unchanged: bool,
    /// `ETag` (RFC 9110 section 8.8.3).
    pub etag: Option<String>,
    /// `Last-Modified` (RFC 9110 section 8.8.2).
    pub last_modified: Option<String>,
    /// `Last-Event-ID`: from where on a Mercure hub replays.
    pub last_event_id: Option<String>,
    /// How long ago a cache had it from the server: `Age` (RFC 9111 section 5.1).
    pub age: Option<Duration>,
    /// When the server made it, by its own clock: `Date` (RFC 9110 section 6.6.1).
    pub date: Option<Timestamp>,
    /// A cache says that it answered from what it had (RFC 9211, or one of the headers before it).
    pub is_kept: bool,
    /// `Retry-After`, or how long the answer may be kept: not to be asked again earlier than this.
    pub retry_after: Option<Duration>,
}

/// What is to be done, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Open a link. There are at most two at a time: the one that is followed and one on trial.
    Open {
        /// Its name from now on.
        link: LinkId,
        /// WebSocket, SSE, another stream over HTTP, or TCP.
        transport: Transport,
        /// Where to, and with what.
        request: Request,
    },
    /// Ask on a link that is a row of requests. There is one at a time; the first one of a link begins it, without an
    /// [`Output::Open`].
    Ask {
        /// Which.
        link: LinkId,
        /// Long poll or poll.
        transport: Transport,
        /// Where to, and with what.
        request: Request,
        /// A longer body is a [`LinkFaultKind::TooBig`](crate::LinkFaultKind::TooBig).
        body_bytes_max: usize,
        /// For the whole exchange.
        timeout: Duration,
    },
    /// Send a message on the WebSocket, or its bytes on the TCP connection.
    Send {
        /// On which.
        link: LinkId,
        /// The message.
        message: Message,
    },
    /// Begin TLS on a TCP connection on which nothing but what was heard so far may come in clear.
    StartTls {
        /// On which.
        link: LinkId,
    },
    /// Ask whoever signs for channels. A question of a link that was let go need not be answered.
    Exchange {
        /// For which link.
        link: LinkId,
        /// The question's number, unique on its link.
        number: u32,
        /// Where to.
        url: Url,
        /// What is sent, as `application/x-www-form-urlencoded`.
        form: Vec<(&'static str, String)>,
        /// Shown as `Authorization: Bearer …`, if there is one; as `Cookie`, if it reads `name=value`.
        token: Option<Secret>,
        /// For the whole exchange.
        timeout: Duration,
    },
    /// Ask or post something beside the link, which the answer concerns, whatever its status: [`Input::Exchanged`]. A question of a
    /// link that was let go need not be answered.
    Post {
        /// For which link.
        link: LinkId,
        /// The question's number, unique on its link.
        number: u32,
        /// Where to, and with what.
        request: Request,
        /// A longer body is a [`LinkFaultKind::TooBig`](crate::LinkFaultKind::TooBig).
        body_bytes_max: usize,
        /// For the whole exchange.
        timeout: Duration,
    },
    /// Get a token: read it, or ask for it. A newer question of a path replaces its older one. Comes only if
    /// [`SourceConfig::asks_token`](crate::SourceConfig::asks_token) is set.
    Credential {
        /// The question's name.
        fetch: FetchId,
        /// For the whole answer.
        timeout: Duration,
    },
    /// Send an RFC 6455 ping on the WebSocket; the answer is [`Input::Pong`]. At most one is unanswered at a time.
    Ping {
        /// On which.
        link: LinkId,
    },
    /// Let go of the link. It may be half-open: don't wait for the other side.
    Close {
        /// Which.
        link: LinkId,
    },
    /// Ask for a document. A newer fetch replaces an older one: the older may be dropped.
    Fetch {
        /// Its name.
        fetch: FetchId,
        /// Where to, and with what.
        request: Request,
        /// A longer body is a [`LinkFaultKind::TooBig`](crate::LinkFaultKind::TooBig).
        body_bytes_max: usize,
        /// For the whole exchange.
        timeout: Duration,
    },
    /// Hand this to the journal, then to the board.
    Deliver(Delivery),
    /// The status changed: take [`Feed::status`](crate::Feed::status) now.
    Status,
}

/// A token, and until when it is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The token.
    pub token: Secret,
    /// Its end, if it has one.
    pub expiry: Expiry,
}

/// Until when a token is good, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// It has no end that anybody told.
    #[default]
    Unknown,
    /// By a clock that may be wrong: plans the refresh, and ends nothing.
    About(Mono),
    /// As its issuer or the server said, counted by the machine's own clock: nothing is live by it after this.
    At(Mono),
}

impl Expiry {
    /// The instant, however well it is known.
    pub(crate) const fn instant(self) -> Option<Mono> {
        match self {
            Self::Unknown => None,
            Self::About(at) | Self::At(at) => Some(at),
        }
    }

    /// The instant, if it may be relied on.
    pub(crate) const fn exact(self) -> Option<Mono> {
        match self {
            Self::Unknown | Self::About(_) => None,
            Self::At(at) => Some(at),
        }
    }
}

/// What is sent: a WebSocket's message, a TCP connection's bytes, a request's body.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub body: Body,
    /// Whether it must not be seen.
    pub is_secret: bool,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Message {
    /// A text that may be seen.
    #[must_use]
    pub const fn text(text: String) -> Self {
        Self { body: Body::Text(text), is_secret: false }
    }

    pub(crate) const fn binary(bytes: Vec<u8>) -> Self {
        Self { body: Body::Binary(bytes), is_secret: false }
    }

    /// The same, not to be seen.
    #[must_use]
    pub(crate) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// What it says, if it is a text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => Some(text),
            Body::Binary(_) => None,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self.body {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            _ if self.is_secret => f.write_str("***"),
            Body::Text(text) => write!(f, "{text:?}"),
            Body::Binary(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// A request: GET, or POST if it has a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `ws` or `wss` for a WebSocket; for TCP the scheme says whether TLS is begun at once, by [`is_tls`](Self::is_tls); else
    /// `http` or `https`.
    pub url: Url,
    /// Secrets that go into the query, after what is there.
    pub query: Vec<(&'static str, Secret)>,
    /// Headers to send besides those of the transport.
    pub headers: Vec<Header>,
    /// What is posted: JSON, unless a header says otherwise.
    pub body: Option<Message>,
    /// A TCP connection begins with TLS whatever its scheme.
    pub begins_secured: bool,
    /// Whose certificate a TCP connection by TLS must show, if that isn't the address's host.
    pub certified: Option<String>,
}

/// Schemes of TCP connections that begin with TLS.
const TLS_SCHEMES: [&str; 2] = ["rediss", "mqtts"];

impl Request {
    /// A GET request without headers.
    #[must_use]
    pub const fn get(url: Url) -> Self {
        Self { url, query: Vec::new(), headers: Vec::new(), body: None, begins_secured: false, certified: None }
    }

    /// With these headers.
    #[must_use]
    pub fn with(mut self, headers: Vec<Header>) -> Self {
        self.headers = headers;
        self
    }

    /// Whether a TCP connection begins with TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.begins_secured || TLS_SCHEMES.contains(&self.url.scheme())
    }

    /// Whose certificate is to be shown.
    #[must_use]
    pub fn certified_host(&self) -> &str {
        self.certified.as_deref().or(self.url.host_str()).unwrap_or_default()
    }

    /// The address with the secrets in it. Not to be seen if there are any.
    #[must_use]
    pub fn address(&self) -> Url {
        let mut url = self.url.clone();
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query.iter().map(|(name, secret)| (*name, secret.expose())));
        }
        url
    }
}

/// One header line.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, in lower case.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: HeaderValue,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// May be seen.
    Plain(Cow<'static, str>),
    /// What the board says to its source: may be seen, and is no other origin's to hear.
    Own(Arc<str>),
    /// A bearer token (RFC 6750): the line is `Bearer ` and the token.
    Bearer(Secret),
    /// Basic credentials (RFC 7617), in Base64: the line is `Basic ` and these.
    Basic(Secret),
    /// A token that is the line's whole value.
    Whole(Secret),
}

impl Header {
    pub(crate) fn plain(name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), value: HeaderValue::Plain(value.into()) }
    }

    /// What the board says to its source. The name is in lower case.
    pub fn own(name: impl Into<Cow<'static, str>>, value: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), value: HeaderValue::Own(value.into()) }
    }

    pub(crate) fn bearer(token: &Secret) -> Self {
        Self { name: "authorization".into(), value: HeaderValue::Bearer(token.clone()) }
    }

    /// A token in the header that it is named for, in lower case.
    pub(crate) fn whole(name: &str, token: &Secret) -> Self {
        Self { name: name.to_owned().into(), value: HeaderValue::Whole(token.clone()) }
    }

    /// A bearer token that is to be encoded first.
    pub(crate) fn bearer_in_base64(token: &Secret) -> Self {
        Self::bearer(&Secret::new(BASE64.encode(token.expose())))
    }

    /// Basic credentials, `name:password`.
    pub(crate) fn basic(credentials: &Secret) -> Self {
        let encoded = Secret::new(BASE64.encode(credentials.expose()));
        Self { name: "authorization".into(), value: HeaderValue::Basic(encoded) }
    }

    /// The text to send. Show the line to its own origin only if [`Header::is_bound`].
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.value {
            HeaderValue::Plain(text) => Cow::Borrowed(text),
            HeaderValue::Own(text) => Cow::Borrowed(text),
            HeaderValue::Bearer(token) => Cow::Owned(format!("Bearer {}", token.expose())),
            HeaderValue::Basic(credentials) => Cow::Owned(format!("Basic {}", credentials.expose())),
            HeaderValue::Whole(token) => Cow::Borrowed(token.expose()),
        }
    }

    /// Whether the value must not be seen.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.value, HeaderValue::Bearer(_) | HeaderValue::Basic(_) | HeaderValue::Whole(_))
    }

    /// Whether no other origin is to hear it: a secret, or what the board says to its source.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        !matches!(self.value, HeaderValue::Plain(_))
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            HeaderValue::Plain(text) => write!(f, "{}: {text}", self.name),
            HeaderValue::Own(text) => write!(f, "{}: {text}", self.name),
            HeaderValue::Bearer(token) => write!(f, "{}: Bearer {token}", self.name),
            HeaderValue::Basic(credentials) => write!(f, "{}: Basic {credentials}", self.name),
            HeaderValue::Whole(token) => write!(f, "{}: {token}", self.name),
        }
    }
}

/// An answer to a fetch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), as a span from now.
    pub retry_after: Option<Duration>,
    /// Where the next page is, as it came: `Link` with the relation `next` (RFC 8288). It may be relative to the address that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The whole body.
    #[serde(with = "crate::bytes_text")]
    pub body: Bytes,
}

impl Response {
    /// An answer whose head says nothing else.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, retry_after: None, next: None, body: body.into() }
    }
}
