//! What goes into a feed and what comes out of it.

use std::{fmt, time::Duration};

use bytes::Bytes;
use url::Url;
use watchfloor_model::{Delivery, Mono, Transport};

use crate::{
    config::Secret,
    fault::{CredentialFault, LinkFault},
};

/// One connection attempt of one feed. Counts up; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Clone, Debug)]
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
        text: Bytes,
    },
    /// Some bytes of an SSE body, cut anywhere.
    Chunk {
        /// Which.
        link: LinkId,
        /// The bytes.
        bytes: Bytes,
    },
    /// The last [`Output::Ask`] was answered, with status 200 and type `application/json`. Anything else is
    /// [`Input::Failed`]. The first answer means that the link stands.
    Answered {
        /// Which.
        link: LinkId,
        /// The whole body.
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
            | Self::Chunk { link, .. }
            | Self::Answered { link, .. }
            | Self::Pong { link }
            | Self::Closed { link, .. }
            | Self::Failed { link, .. } => Some(*link),
            Self::Fetched { .. } | Self::Credential { .. } => None,
        }
    }
}

/// What is to be done, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Open a link. There are at most two at a time: the one that is followed and one on trial.
    Open {
        /// Its name from now on.
        link: LinkId,
        /// WebSocket or SSE.
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
    /// Send a text message on the WebSocket.
    Send {
        /// On which.
        link: LinkId,
        /// The message.
        text: String,
    },
    /// Send a text message that holds a secret on the WebSocket.
    SendSecret {
        /// On which.
        link: LinkId,
        /// The message.
        text: Secret,
    },
    /// Get a token: read it, or ask for it. A newer question of a path replaces its older one. Comes only if
    /// [`SourceConfig::asks_token`](crate::SourceConfig::asks_token) is set.
    Credential {
        /// The question's name.
        fetch: FetchId,
        /// For the whole answer.
        timeout: Duration,
    },
    /// Send an RFC 6455 ping; the answer is [`Input::Pong`]. At most one is unanswered at a time.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The token.
    pub token: Secret,
    /// Its end, if it has one.
    pub expiry: Expiry,
}

/// Until when a token is good, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// A GET request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `ws` or `wss` for a WebSocket, else `http` or `https`.
    pub url: Url,
    /// Headers to send besides those of the transport.
    pub headers: Vec<Header>,
}

/// One header line.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its value.
    pub value: HeaderValue,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// May be seen.
    Plain(String),
    /// A bearer token (RFC 6750): the line is `Bearer ` and the token.
    Bearer(Secret),
}

impl Header {
    pub(crate) fn plain(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: HeaderValue::Plain(value.into()) }
    }

    pub(crate) fn bearer(token: &Secret) -> Self {
        Self { name: "authorization", value: HeaderValue::Bearer(token.clone()) }
    }

    /// The text to send. Mark the line sensitive if [`Header::is_secret`].
    #[must_use]
    pub fn text(&self) -> String {
        match &self.value {
            HeaderValue::Plain(text) => text.clone(),
            HeaderValue::Bearer(token) => format!("Bearer {}", token.expose()),
        }
    }

    /// Whether the value must not be seen.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.value, HeaderValue::Bearer(_))
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            HeaderValue::Plain(text) => write!(f, "{}: {text}", self.name),
            HeaderValue::Bearer(token) => write!(f, "{}: Bearer {token}", self.name),
        }
    }
}

/// An answer to a fetch.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), as a span from now.
    pub retry_after: Option<Duration>,
    /// The whole body.
    pub body: Bytes,
}
