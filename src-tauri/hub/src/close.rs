//! Why the hub closes a WebSocket: one table of codes, RFC 6455 section 7.4.1, as in `docs/hub.md`.

use crate::door::pusher::wire::Code;

/// Why a WebSocket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The hub goes down; come back soon.
    Restarting,
    /// The client broke the protocol; an `error` message came before.
    Broken,
    /// The client may not read what it asks for; an `error` message came before.
    Denied,
    /// The token that the client came by has expired, and it presented no other.
    Expired,
    /// What entitled the client was revoked; an `error` message came before.
    Revoked,
    /// The site could not be asked whether the client may read: come back later. An `error` message came before.
    Unsure,
    /// The client sent more than one frame may hold.
    TooBig,
    /// What the Pusher protocol has a code of its own for; a `pusher:error` came before.
    Pusher(Code),
}

impl CloseReason {
    /// The code on the wire.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Restarting => 1001,
            Self::Broken | Self::Denied => 1008,
            Self::Expired => 4001,
            Self::Revoked => 4003,
            Self::Unsure => 1013,
            Self::TooBig => 1009,
            Self::Pusher(code) => code.number(),
        }
    }

    /// The reason on the wire.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Restarting => "restarting",
            Self::Broken => "broken protocol",
            Self::Denied => "denied",
            Self::Expired => "token expired",
            Self::Revoked => "revoked",
            Self::Unsure => "try again later",
            Self::TooBig => "frame too big",
            Self::Pusher(_) => "see pusher:error",
        }
    }
}
