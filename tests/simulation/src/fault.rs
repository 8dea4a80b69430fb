//! What can go wrong.

use serde::{Deserialize, Serialize};
use watchfloor_model::Transport;

use crate::draw::Draw;

/// One thing that goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Every link breaks, and new ones are refused.
    Cut,
    /// No link passes anything any more and nobody is told; new ones get no answer.
    HalfOpen,
    /// Pings are answered, the stream stands still.
    Stall,
    /// Pings are answered and links accepted, and nothing else is ever said.
    Mute,
    /// The server sends one event a second, and says how many it has beyond.
    Throttle,
    /// Everything takes this many milliseconds more.
    Slow(u64),
    /// What comes by links takes this many milliseconds more, documents don't: snapshots are ahead of the stream.
    SlowStream(u64),
    /// New links are answered with this status.
    Status(u16),
    /// Snapshots fail in this way.
    Snapshot(NoSnapshot),
    /// Snapshots are of the time at which this began.
    StaleSnapshot,
    /// History forgets all but this many events, and goes on doing so.
    Trim(u64),
    /// A new history on running links, perhaps without what was folded.
    Epoch {
        /// Whether what was folded is lost, too.
        empty: bool,
    },
    /// The server says goodbye and is away until this ends; perhaps it comes back with a new history.
    Restart {
        /// Whether history is lost.
        epoch: bool,
        /// Whether what was folded is lost, too.
        empty: bool,
    },
    /// Lines of the stream come broken: not even their place can be read.
    Corrupt,
    /// Events of the stream come broken: their place can be read.
    Garbled,
    /// Messages end in the middle.
    Truncate,
    /// Lines of the stream are left out.
    Skip,
    /// Lines of the stream come twice.
    Twice,
    /// Events that can't be read are published.
    BadEvents,
    /// Many events at once.
    Burst(u64),
    /// The machine sleeps until this ends; its connections are gone when it wakes.
    Suspend,
    /// The program stands still until this ends.
    Pause,
    /// The program is killed, and started again when this ends.
    Crash,
    /// The disk takes this many milliseconds for each transaction.
    SlowDisk(u64),
    /// The machine's wall clock is set by this many seconds.
    ClockStep(i64),
    /// The token is no good: links are closed, and nothing is answered but 401.
    Revoked,
    /// Every token that was given so far is no good any more: links by them are closed. Newer ones are good.
    Withdrawn,
    /// The issuer of tokens fails in this way.
    Issuer(NoToken),
    /// A channel's publisher is gone, as the rest of the number of channels says.
    PublisherDies(u64),
    /// What lies between swallows what asks for a link of this kind: for a WebSocket, its upgrade.
    Swallowed(Transport),
    /// A proxy holds streams of events back until this ends.
    HeldStream,
    /// Something answers in the server's place with a page.
    Login {
        /// Upgrades only, or whatever is asked.
        upgrades: bool,
    },
}

/// How a snapshot fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoSnapshot {
    /// With a status.
    Status(u16),
    /// After as long as it may take.
    Timeout,
    /// Never.
    Silence,
    /// Broken off.
    Broken,
    /// As a page.
    Page,
}

/// How the issuer of tokens fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoToken {
    /// With a status: 401 and 403 refuse this wall.
    Status(u16),
    /// After as long as it may take.
    Timeout,
    /// Never.
    Silence,
    /// It takes this many milliseconds more.
    Slow(u64),
    /// What it gives ends in this many milliseconds.
    Short(u64),
    /// It gives the one that it gave last again.
    Same,
}

/// A fault and when it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// What.
    pub fault: Fault,
    /// From this millisecond …
    pub from: u64,
    /// … until this one.
    pub to: u64,
    /// Which of several addresses it is about, if not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Window {
    /// Whether this address suffers from it.
    #[must_use]
    pub fn is_on(&self, line: usize) -> bool {
        self.line.is_none_or(|own| own == line)
    }
}

impl Fault {
    /// The name of its kind, for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::HalfOpen => "half-open",
            Self::Stall => "stall",
            Self::Mute => "mute",
            Self::Throttle => "throttle",
            Self::Slow(_) => "slow",
            Self::SlowStream(_) => "slow stream",
            Self::Status(_) => "status",
            Self::Snapshot(_) => "snapshot fails",
            Self::StaleSnapshot => "snapshot behind",
            Self::Trim(_) => "history trimmed",
            Self::Epoch { .. } => "new epoch",
            Self::Restart { .. } => "restart",
            Self::Corrupt => "corrupt",
            Self::Garbled => "garbled",
            Self::Truncate => "truncate",
            Self::Skip => "skip",
            Self::Twice => "duplicate",
            Self::BadEvents => "bad events",
            Self::Burst(_) => "burst",
            Self::Suspend => "suspend",
            Self::Pause => "pause",
            Self::Crash => "crash",
            Self::SlowDisk(_) => "slow disk",
            Self::ClockStep(_) => "clock step",
            Self::Revoked => "token revoked",
            Self::Withdrawn => "tokens withdrawn",
            Self::Issuer(_) => "issuer fails",
            Self::PublisherDies(_) => "publisher dies",
            Self::Swallowed(_) => "swallowed",
            Self::HeldStream => "held stream",
            Self::Login { .. } => "login page",
        }
    }

    /// Every kind's name.
    pub const NAMES: [&'static str; 32] = [
        "cut",
        "half-open",
        "stall",
        "mute",
        "throttle",
        "slow",
        "slow stream",
        "status",
        "snapshot fails",
        "snapshot behind",
        "history trimmed",
        "new epoch",
        "restart",
        "corrupt",
        "garbled",
        "truncate",
        "skip",
        "duplicate",
        "bad events",
        "burst",
        "suspend",
        "pause",
        "crash",
        "slow disk",
        "clock step",
        "token revoked",
        "tokens withdrawn",
        "issuer fails",
        "publisher dies",
        "swallowed",
        "held stream",
        "login page",
    ];

    /// Whether nothing that the server has can reach the wall while it lasts.
    pub(crate) const fn silences(self) -> bool {
        matches!(self, Self::Cut | Self::HalfOpen | Self::Mute | Self::Restart { .. } | Self::Revoked)
    }
}

impl Fault {
    /// Whether it is of one address, where there are several, and the others may be well.
    pub(crate) const fn is_of_line(self) -> bool {
        matches!(
            self,
            Self::Cut
                | Self::HalfOpen
                | Self::Stall
                | Self::Mute
                | Self::Throttle
                | Self::Slow(_)
                | Self::SlowStream(_)
                | Self::Status(_)
                | Self::Snapshot(_)
                | Self::Corrupt
                | Self::Garbled
                | Self::Truncate
                | Self::Skip
                | Self::Twice
                | Self::Revoked
                | Self::Swallowed(_)
                | Self::HeldStream
                | Self::Login { .. }
        )
    }

    /// Whether it is of what gives or takes tokens.
    pub(crate) const fn is_of_tokens(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Issuer(_))
    }
}

/// One fault.
pub(crate) fn draw(draw: &mut Draw) -> Fault {
    match draw.below(32) {
        0 | 1 => Fault::Cut,
        2 => Fault::HalfOpen,
        3 => *draw.pick(&[Fault::Stall, Fault::Mute]),
        4 => Fault::Throttle,
        5 => Fault::Slow(*draw.pick(&[200, 2_000, 8_000])),
        6 => Fault::SlowStream(*draw.pick(&[500, 3_000])),
        7 => Fault::Status(*draw.pick(&[200, 302, 403, 404, 429, 500, 503])),
        8 | 9 => Fault::Snapshot(*draw.pick(&[
            NoSnapshot::Status(500),
            NoSnapshot::Status(503),
            NoSnapshot::Timeout,
            NoSnapshot::Silence,
            NoSnapshot::Broken,
            NoSnapshot::Page,
        ])),
        10 => Fault::StaleSnapshot,
        11 => Fault::Trim(draw.below(3)),
        12 => Fault::Epoch { empty: draw.chance(50) },
        13 | 14 => Fault::Restart { epoch: draw.chance(60), empty: draw.chance(40) },
        15 => *draw.pick(&[Fault::Corrupt, Fault::Garbled]),
        16 => Fault::Truncate,
        17 => Fault::Skip,
        18 => Fault::Twice,
        19 => Fault::BadEvents,
        20 => Fault::Burst(draw.below(200)),
        21 => Fault::Suspend,
        22 => Fault::Pause,
        23 | 24 => Fault::Crash,
        25 => Fault::SlowDisk(*draw.pick(&[100, 2_000, 9_000])),
        26 => Fault::ClockStep(*draw.pick(&[-3600, -30, 30, 3600])),
        27 => Fault::Revoked,
        28 => Fault::PublisherDies(draw.below(3)),
        29 => Fault::Swallowed(*draw.pick(&[
            Transport::WebSocket,
            Transport::WebSocket,
            Transport::Sse,
            Transport::LongPoll,
            Transport::Poll,
        ])),
        30 => Fault::HeldStream,
        _ => Fault::Login { upgrades: draw.chance(60) },
    }
}

/// One fault of what gives and takes tokens.
pub(crate) fn draw_of_tokens(draw: &mut Draw) -> Fault {
    match draw.below(12) {
        0..=3 => Fault::Withdrawn,
        4 | 5 => Fault::Issuer(NoToken::Status(*draw.pick(&[401, 429, 500, 503]))),
        6 => Fault::Issuer(NoToken::Timeout),
        7 => Fault::Issuer(NoToken::Silence),
        8 => Fault::Issuer(NoToken::Slow(*draw.pick(&[2_000, 8_000, 11_000]))),
        9 | 10 => Fault::Issuer(NoToken::Short(*draw.pick(&[0, 500, 3_000, 12_000]))),
        _ => Fault::Issuer(NoToken::Same),
    }
}
