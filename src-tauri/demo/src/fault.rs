//! What can go wrong between a wall and its hub, at the turn of a knob.

mod proxy;

pub(crate) use proxy::{Line, serve};

/// A fault of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The cable is cut: connections are reset, and so is every new one.
    Cut,
    /// The server freezes: connections stay open, new ones are taken, and nothing comes through in either direction.
    Freeze,
    /// The server is restarted: it goes away with a goodbye, and is back after three seconds with all that it knew.
    Restart,
    /// The server comes back from a backup without history: a new epoch.
    LoseHistory,
    /// A bad line: a few kilobytes a second, 0.7 s late.
    Slow,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] = [Self::Cut, Self::Freeze, Self::Restart, Self::LoseHistory, Self::Slow];

    /// The word by which it is called: `lose-history`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Freeze => "freeze",
            Self::Restart => "restart",
            Self::LoseHistory => "lose-history",
            Self::Slow => "slow",
        }
    }
}
