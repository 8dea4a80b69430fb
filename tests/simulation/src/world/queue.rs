//! What happens next.

use std::{cmp::Reverse, time::Duration};

use watchfloor_feed::{FetchId, Header, Input, LinkId, Message, Request};
use watchfloor_model::{Mono, Transport};

use super::World;
use crate::dialects::Began;
pub(super) use crate::dialects::Call;

impl From<Request> for Call {
    fn from(request: Request) -> Self {
        let shown = request.headers.iter().find(|header| header.name == "authorization").map(Header::text);
        let token = shown.and_then(|text| text.strip_prefix("Bearer ").map(str::to_owned));
        let headers =
            request.headers.iter().map(|header| (header.name.to_string(), header.text().to_string())).collect();
        let url = request.address().into();
        Self { url, token, headers, body: request.body.map(Message::into_bytes) }
    }
}

/// What is to happen.
pub(super) enum Action {
    /// Something reaches the program.
    Input(Input),
    /// A request for a link reaches the server.
    Accept(LinkId, Transport, Call),
    /// A poll reaches the server.
    Asked(LinkId, Transport, Call),
    /// The server has waited long enough for something to come, with this poll of a link.
    Answer(LinkId, u64),
    Text(LinkId, String),
    /// A message, or some bytes, reach a server that is no hub.
    Bytes(LinkId, Vec<u8>),
    /// A server that is no hub wants to be asked.
    Wake(LinkId),
    /// What reaches the program next by this link is the beginning of subscriptions.
    Began(LinkId, Vec<Began>),
    Ping(LinkId),
    /// A document is asked for: the answer whether the server is there, or the snapshot.
    Fetch(FetchId, Duration, Call),
    /// A question beside a link reaches the server, which has so long to answer.
    Post(LinkId, u32, Duration, Call),
    /// A question for a token, asked then and no good after, reaches its issuer.
    Issue(FetchId, Mono, Mono),
    /// A link's token may have ended.
    Expire(LinkId),
    Heartbeat(LinkId),
    /// A channel's publisher publishes.
    Publish(usize),
    /// A channel's publisher says that it lives.
    Alive(usize),
    Begin(usize),
    End(usize),
    /// The journal may have something.
    Commit,
    Pull,
    Check,
    /// The whole is compared with the reference.
    Compare,
}

impl Action {
    /// Whether it is of one life of the program, and not of the world.
    pub(super) const fn is_of_life(&self) -> bool {
        !matches!(
            self,
            Self::Publish(_)
                | Self::Alive(_)
                | Self::Begin(_)
                | Self::End(_)
                | Self::Pull
                | Self::Check
                | Self::Compare
        )
    }

    /// Whether the program must run for it.
    pub(super) const fn needs_program(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Began(..) | Self::Commit | Self::Pull)
    }
}

pub(super) struct Due {
    pub(super) at: Mono,
    sequence: u64,
    pub(super) life: u64,
    pub(super) action: Action,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl World {
    pub(super) fn at(&mut self, at: Mono, action: Action) {
        self.sequence += 1;
        let due = Due { at, sequence: self.sequence, life: self.wall.life, action };
        self.queue.push(Reverse(due));
    }

    pub(super) fn after(&mut self, wait: Duration, action: Action) {
        self.at(self.now.plus(wait), action);
    }
}
