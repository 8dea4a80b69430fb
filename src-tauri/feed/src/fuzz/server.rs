//! What a server of any protocol says, and what it says it on.

use std::{collections::VecDeque, time::Duration};

use watchfloor_fuzz::{Draws, mutated};
use watchfloor_model::{Event, Mono, Timestamp, Transport};

use crate::{Head, LinkFault, LinkFaultKind, LinkId, Request, Response};

/// One thing that a server says.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A message, a body's or a connection's bytes, or an answer with nothing in its head.
    Plain(Vec<u8>),
    /// A binary message of a WebSocket.
    Binary(Vec<u8>),
    /// An answer.
    Answer(Head, Vec<u8>),
}

impl Said {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Plain(text.into().into_bytes())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) | Self::Binary(bytes) | Self::Answer(_, bytes) => bytes,
        }
    }

    pub(super) fn with(self, bytes: Vec<u8>) -> Self {
        match self {
            Self::Plain(_) => Self::Plain(bytes),
            Self::Binary(_) => Self::Binary(bytes),
            Self::Answer(head, _) => Self::Answer(head, bytes),
        }
    }
}

/// A server of one protocol.
pub(crate) trait Server {
    /// Sound things to say, to be broken.
    fn words(&self) -> &[Vec<u8>];
    /// Something broken.
    fn breaks(&mut self, draws: &mut Draws<'_>) -> Said {
        Said::Plain(mutated(self.words(), draws))
    }
    /// What it says to a link that was opened by this request. What it knew of the one before is forgotten.
    fn opened(&mut self, _request: &Request) -> Vec<Said> {
        Vec::new()
    }
    /// What it says to a message.
    fn heard(&mut self, _message: &[u8]) -> Vec<Said> {
        Vec::new()
    }
    /// Its answer to a poll; none while it keeps it waiting.
    fn polled(&mut self, _request: &Request) -> Option<Said> {
        None
    }
    /// Its answer to what is posted or asked beside the link.
    fn posted(&mut self, _request: &Request) -> Response {
        Response::new(200, "ok")
    }
    /// What it says while nothing happens.
    fn idles(&mut self) -> Vec<Said> {
        Vec::new()
    }
    /// Something happens: what it says of it, with this number in its data.
    fn publishes(&mut self, number: u64) -> Vec<Said>;
    /// Whether an event says once more what was said before.
    fn says_again(&self, _event: &Event) -> bool {
        false
    }
    /// H1: whether what came on a link can have proven that its events come.
    fn proves(&self, link: &Link) -> bool;
}

/// What the source did on a link that wasn't dealt with yet.
#[derive(Debug)]
pub(super) enum Asked {
    Open(Request),
    Send(Vec<u8>),
    Poll(Request),
    Post(u32, Request),
    Ping,
}

/// A link that is wanted.
#[derive(Debug)]
pub(crate) struct Link {
    pub(super) id: LinkId,
    pub(super) transport: Transport,
    pub(super) is_open: bool,
    pub(super) asked: VecDeque<Asked>,
    /// The poll that is kept waiting.
    pub(super) waits: Option<Request>,
    /// Everything that came on it.
    pub(crate) heard: Vec<u8>,
    /// Pings of its WebSocket that were answered.
    pub(crate) pongs: usize,
    /// When something came last.
    pub(super) heard_at: Mono,
}

impl Link {
    /// Whether one of these came, in lower case or as something that JSON escapes.
    pub(crate) fn has_heard(&self, texts: &[&str]) -> bool {
        let heard = self.heard.to_ascii_lowercase();
        texts.iter().chain(&["\\u"]).any(|text| memchr::memmem::find(&heard, text.as_bytes()).is_some())
    }
}

/// The head of an answer.
pub(super) fn head(draws: &mut Draws<'_>) -> Head {
    let times = [None, Some(Duration::ZERO), Some(Duration::from_secs(3)), Some(Duration::MAX)];
    let dates = [None, Some(i64::MIN), Some(1_700_000_000_000), Some(i64::MAX)];
    Head {
        is_unchanged: draws.once_in(3),
        etag: [None, Some("W/\"1\""), Some("\t")][draws.below(3)].map(str::to_owned),
        last_event_id: [None, Some("5:0"), Some("")][draws.below(3)].map(str::to_owned),
        age: *draws.pick(&times),
        date: draws.pick(&dates).map(Timestamp::from_millis),
        is_kept: draws.once_in(3),
        retry_after: *draws.pick(&times),
        ..Head::default()
    }
}

/// Why a link ends.
pub(super) fn fault(draws: &mut Draws<'_>) -> LinkFault {
    let retry_after = draws.once_in(2).then(|| Duration::from_secs(draws.number()));
    let status = *draws.pick(&[200, 204, 301, 400, 401, 403, 404, 410, 429, 503, 0]);
    let kinds = [
        LinkFaultKind::Refused,
        LinkFaultKind::Reset,
        LinkFaultKind::Tls,
        LinkFaultKind::Http { status, retry_after, content_type: None },
        LinkFaultKind::Timeout,
        LinkFaultKind::TooBig,
        LinkFaultKind::Protocol,
    ];
    LinkFault::new(draws.pick(&kinds).clone(), "words")
}
