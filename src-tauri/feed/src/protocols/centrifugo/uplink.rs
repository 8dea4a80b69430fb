//! Speaking over HTTP: what the server says comes by one answer without an end, and what is said to it goes beside it, by requests
//! that name the connection.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use url::Url;
use watchfloor_model::Mono;

use crate::{
    fault::{LinkFault, LinkFaultKind},
    limits::{PROBE_PERIOD_MAX, SSE_LINE_BYTES_MAX},
    port::{Header, Message, Request, Response},
    protocols::Signal,
    sse::{Item, Parser},
};

/// How an answer's bytes become messages.
#[derive(Debug)]
pub(super) enum Frames {
    /// Server-sent events.
    Events(Box<Parser>),
    /// One message a line: the beginning of the next one, and how much of it was left out as too long.
    Lines { begun: Vec<u8>, skipped: usize },
}

impl Frames {
    /// Takes some bytes and hands over the messages that they complete, or the length of one that is too long.
    pub(super) fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Result<&[u8], usize>)) {
        match self {
            Self::Events(parser) => parser.push(bytes, &mut |item| match item {
                Item::Event { data, .. } => sink(Ok(data)),
                Item::Oversize { bytes } => sink(Err(bytes)),
                Item::Retry(_) | Item::Sign | Item::Mark { .. } => {}
            }),
            Self::Lines { begun, skipped } => {
                let mut rest = bytes;
                while let Some(end) = memchr::memchr(b'\n', rest) {
                    let (line, later) = (&rest[..end], &rest[end + 1..]);
                    rest = later;
                    keep(begun, skipped, line);
                    match std::mem::take(skipped) {
                        0 => sink(Ok(begun)),
                        bytes => sink(Err(bytes)),
                    }
                    begun.clear();
                    begun.shrink_to(1 << 20);
                }
                keep(begun, skipped, rest);
            }
        }
    }
}

/// Keeps a part of a line, unless that is too long already.
fn keep(begun: &mut Vec<u8>, skipped: &mut usize, part: &[u8]) {
    if *skipped > 0 || begun.len() + part.len() > SSE_LINE_BYTES_MAX {
        *skipped += begun.len() + part.len();
        *begun = Vec::new();
    } else {
        begun.extend_from_slice(part);
    }
}

/// The way by which a server is spoken to that is listened to over HTTP.
#[derive(Debug)]
pub(super) struct Uplink {
    url: Url,
    pub(super) frames: Frames,
    /// The connection's name, and that of the node that holds it.
    name: Option<(String, String)>,
    /// What isn't known to have come there.
    unanswered: BTreeSet<u32>,
    /// The ping that waits for its answer, and when it was said last.
    ping: Option<(u32, Mono)>,
    /// When the tops of the streams were asked for.
    tops: Mono,
    /// For how long an answer is waited for. A request that was taken may be lost behind the door: the server finds no fault with what is
    /// meant for a connection that another node holds.
    patience: Duration,
}

impl Uplink {
    pub(super) fn new(url: Url, frames: Frames, limit: Duration) -> Self {
        Self {
            url,
            frames,
            name: None,
            unanswered: BTreeSet::new(),
            ping: None,
            tops: Mono::ZERO,
            patience: limit.min(PROBE_PERIOD_MAX * 3),
        }
    }

    /// A ping is said, perhaps in place of one that was lost.
    pub(super) fn pinged(&mut self, id: u32, now: Mono) {
        self.ping = Some((self.ping.map_or(id, |(first, _)| first), now));
    }

    /// Whether this answer is one to the ping. Whatever was said after it proves no less, in whatever order the requests came there.
    pub(super) fn answers_ping(&mut self, id: u32) -> bool {
        self.ping.take_if(|(first, _)| *first <= id).is_some()
    }

    pub(super) fn has_lost_ping(&self, now: Mono) -> bool {
        self.ping.is_some_and(|(_, said)| now.since(said) >= self.patience)
    }

    /// The tops of the streams are asked for.
    pub(super) const fn asked_tops(&mut self, now: Mono) {
        self.tops = now;
    }

    pub(super) fn has_lost_tops(&self, now: Mono) -> bool {
        now.since(self.tops) >= self.patience
    }

    pub(super) fn is_called(&mut self, session: &str, node: &str) {
        self.name = Some((session.to_owned(), node.to_owned()));
    }

    /// The request that says `message`.
    pub(super) fn request(&mut self, number: u32, message: Message) -> Result<(u32, Request), Message> {
        let (Some((session, node)), Some(data)) = (&self.name, message.as_text()) else { return Err(message) };
        let body = Message::text(json!({ "session": session, "node": node, "data": data }).to_string());
        let body = if message.is_secret { body.secret() } else { body };
        self.unanswered.insert(number);
        let headers = vec![Header::plain("content-type", "application/json")];
        Ok((number, Request { body: Some(body), ..Request::get(self.url.clone()).with(headers) }))
    }

    /// What became of a request. What didn't come there leaves the connection in a state that nobody knows.
    pub(super) fn answered(&mut self, number: u32, outcome: &Result<Response, LinkFault>) -> Option<Option<Signal>> {
        self.unanswered.remove(&number).then(|| match outcome {
            Ok(Response { status: 200..300, body, .. }) if body.trim_ascii().is_empty() => None,
            Ok(Response { status: 200..300, .. }) => {
                let reason = "what was said was answered by somebody else: a login page or proxy?".to_owned();
                Some(Signal::Unreadable { reason })
            }
            Ok(Response { status: 404, .. }) => {
                let reason = "the server doesn't know this connection any more".to_owned();
                Some(Signal::Closed { code: LOST, reason })
            }
            Ok(Response { status, retry_after, .. }) => {
                let kind = LinkFaultKind::Http { status: *status, retry_after: *retry_after, content_type: None };
                Some(Signal::Unsigned { fault: LinkFault::new(kind, "") })
            }
            Err(fault) => Some(Signal::Unsigned { fault: fault.clone() }),
        })
    }
}

/// The code of a connection that ended for a reason that nobody knows.
const LOST: u16 = 3000;
