//! What is known of a source: the words that the feed, the wall and the operators' contract share.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Mono, Position, SourceClock};

/// Where a connection stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Not asked to connect yet.
    #[default]
    Idle,
    /// A transport is being opened.
    Connecting,
    /// Open; credentials are being checked.
    Authorising,
    /// Open; subscriptions are outstanding.
    Subscribing,
    /// Subscribed; a replay or snapshot is outstanding and live events are held back.
    CatchingUp,
    /// Caught up: what the server has published, the board has folded.
    Live,
    /// Lost; the next try is at a known instant.
    Waiting,
    /// The server said no; asked again slowly.
    Refused,
}

impl Phase {
    /// Every phase, in the order of a connection's life.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::Connecting,
        Self::Authorising,
        Self::Subscribing,
        Self::CatchingUp,
        Self::Live,
        Self::Waiting,
        Self::Refused,
    ];

    /// The word used in the contract, metrics and the page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Authorising => "authorising",
            Self::Subscribing => "subscribing",
            Self::CatchingUp => "catching-up",
            Self::Live => "live",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How events travel, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// RFC 6455.
    #[serde(rename = "websocket")]
    WebSocket,
    /// Server-sent events, HTML standard section 9.2.
    Sse,
    /// One answer without an end, a message a line.
    HttpStream,
    /// A request that the server answers when there is something.
    LongPoll,
    /// A request at an interval.
    Poll,
    /// A connection of the protocol's own.
    Tcp,
}

impl Transport {
    /// Every way to travel by HTTP, best first.
    pub const LADDER: [Self; 4] = [Self::WebSocket, Self::Sse, Self::LongPoll, Self::Poll];

    /// The word used in the contract, metrics and the page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::HttpStream => "http-stream",
            Self::LongPoll => "long-poll",
            Self::Poll => "poll",
            Self::Tcp => "tcp",
        }
    }
}

/// What is known about completeness since the state on the glass began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Continuity {
    /// Nothing is known: events may be missing and nothing can tell.
    #[default]
    Unknown,
    /// Every event since the beginning, or since a snapshot, was received by position.
    Proven,
    /// The state was last taken from the server's snapshot; single events in between were not seen.
    Snapshot,
}

impl Continuity {
    /// The word used in the contract and the page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Proven => "proven",
            Self::Snapshot => "snapshot",
        }
    }
}

/// Why a source is not live, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One line, no trailing stop: `connection refused`, `nothing heard for 5 s`.
    pub text: String,
}

impl<T: Into<String>> From<T> for Cause {
    fn from(text: T) -> Self {
        Self { text: text.into() }
    }
}

/// What was counted on a source since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Events delivered, each once.
    pub events: u64,
    /// Events dropped because they had been delivered before.
    pub duplicates: u64,
    /// Gaps closed by a replay from a position.
    pub gaps_proven: u64,
    /// Gaps closed by a snapshot only.
    pub gaps_snapshot: u64,
    /// Gaps that nothing closed.
    pub gaps_unknown: u64,
    /// Events refused because their form or size was unacceptable.
    pub rejected: u64,
    /// Connections that followed a lost one.
    pub reconnects: u64,
    /// Comparisons with the server's own state that were handed over.
    pub checks: u64,
    /// Comparisons that were begun and came to nothing.
    pub checks_failed: u64,
}

impl Counts {
    /// Gaps of every kind.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps_proven + self.gaps_snapshot + self.gaps_unknown
    }
}

/// One of several paths by which a source is followed at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// How people call it: host and port.
    pub place: String,
    /// Where its connection stands.
    pub phase: Phase,
    /// How events travel on it now, or would if it were connected.
    pub transport: Option<Transport>,
    /// Why it isn't live.
    pub cause: Option<Cause>,
    /// When it will be tried again.
    pub retry_at: Option<Mono>,
}

/// All that is known of a source at one instant. A value: whoever holds one may compute freshness from it later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceStatus {
    /// Where the connection stands.
    pub phase: Phase,
    /// When it came there.
    pub since: Mono,
    /// How events travel now, or would if it were connected.
    pub transport: Option<Transport>,
    /// What was found on the better ways to travel, while they can't be had.
    pub detour: Option<Cause>,
    /// How often it is asked, while it is polled.
    pub every: Option<Duration>,
    /// What is known about completeness.
    pub continuity: Continuity,
    /// Why it isn't live.
    pub cause: Option<Cause>,
    /// When it will be tried again.
    pub retry_at: Option<Mono>,
    /// Tries since the last time that it was live.
    pub attempt: u32,
    /// The last instant at which the server proved that the link works, by an answer or by data.
    pub link_proof: Option<Mono>,
    /// The last instant at which a publisher proved that it lives: an event, or its heartbeat by way of the server.
    pub publisher_proof: Option<Mono>,
    /// Until when it may be called live without further news: everything that the server had a limit before has been delivered.
    /// None if nothing but the proofs bounds it. What is heard may have been on its way for long, and what is said of it here may
    /// wait for a slow disk, so this is earlier than the limit after the last proof.
    pub live_until: Option<Mono>,
    /// The source's own time.
    pub clock: Option<SourceClock>,
    /// The last position delivered, by channel.
    pub positions: BTreeMap<Arc<str>, Position>,
    /// Each of several paths by which the source is followed at once; empty if there is one.
    pub paths: Vec<PathStatus>,
    /// What was counted.
    pub counts: Counts,
    /// The newest reason for which an event was refused.
    pub last_rejection: Option<String>,
    /// Why there is no newer token in place of the one by which the link came, if one was asked for.
    pub renewal: Option<String>,
    /// Why the newest comparison with the server's state came to nothing, if it did.
    pub unchecked: Option<String>,
}
