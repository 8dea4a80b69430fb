//! Why the hub closes a WebSocket: one table of codes, RFC 6455 section 7.4.1, as in `docs/hub.md`.

/// Why a WebSocket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The hub goes down; come back soon.
    Restarting,
    /// The client broke the protocol; an `error` message came before.
    Broken,
    /// The client sent more than one frame may hold.
    TooBig,
}

impl CloseReason {
    /// The code on the wire.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Restarting => 1001,
            Self::Broken => 1008,
            Self::TooBig => 1009,
        }
    }

    /// The reason on the wire.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Restarting => "restarting",
            Self::Broken => "broken protocol",
            Self::TooBig => "frame too big",
        }
    }
}
