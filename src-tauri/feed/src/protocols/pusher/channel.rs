//! Channels: what their names mean, and where each stands on one link.

use std::{collections::VecDeque, sync::Arc};

use super::{
    key::Key,
    presence::{Member, Members},
    user,
    wire::Signature,
};

/// What a channel's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sort {
    pub(super) access: Access,
    /// Whether the server keeps its last event for who subscribes.
    pub(super) caches: bool,
}

/// Who may subscribe to a channel, and read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Public,
    Private,
    /// Private, and its subscribers are known to each other.
    Presence,
    /// Private, and the server can't read it.
    Encrypted,
    /// A user's own: whoever is signed in as that user.
    User,
}

impl Sort {
    /// The longest prefix counts.
    pub(super) fn of(name: &str) -> Self {
        if user::of_channel(name).is_some() {
            return Self { access: Access::User, caches: false };
        }
        let (access, rest) = if let Some(rest) = name.strip_prefix("private-encrypted-") {
            (Access::Encrypted, rest)
        } else if let Some(rest) = name.strip_prefix("private-") {
            (Access::Private, rest)
        } else if let Some(rest) = name.strip_prefix("presence-") {
            (Access::Presence, rest)
        } else {
            (Access::Public, name)
        };
        Self { access, caches: rest.starts_with("cache-") }
    }

    /// Whether the site must sign for it.
    pub(super) fn is_signed(self) -> bool {
        !matches!(self.access, Access::Public | Access::User)
    }
}

/// Where a subscription stands.
#[derive(Debug)]
pub(super) enum State {
    /// Not asked for yet.
    Idle,
    /// The site has signed for it.
    Signed(Signature),
    /// The server was asked.
    Asked,
    /// The server took it, and is still to send the last event, or to say that it has none; before this many pongs.
    Recalling { pongs: u64 },
    /// It flows.
    Subscribed,
}

/// An event that can't be decrypted yet.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) name: String,
    pub(super) body: String,
}

/// A channel on one link.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) sort: Sort,
    pub(super) state: State,
    /// The mark of the last event that was delivered by an earlier link.
    pub(super) last: Option<Arc<str>>,
    /// Of an encrypted one.
    pub(super) key: Option<Key>,
    /// Events that wait for a new key, which was asked for.
    pub(super) sealed: VecDeque<Sealed>,
    /// Who is there, as far as that was told.
    pub(super) members: Members,
    /// Who is there by the answer to a subscription that doesn't flow yet.
    pub(super) roll: Vec<Member>,
}

impl Channel {
    pub(super) fn new(name: &str) -> Self {
        Self {
            sort: Sort::of(name),
            state: State::Idle,
            last: None,
            key: None,
            sealed: VecDeque::new(),
            members: Members::new(),
            roll: Vec::new(),
        }
    }

    /// Forgets the subscription.
    pub(super) fn begin_again(&mut self) {
        self.state = State::Idle;
        self.sealed.clear();
        self.members.clear();
        self.roll.clear();
    }

    pub(super) const fn flows(&self) -> bool {
        matches!(self.state, State::Subscribed)
    }
}

/// What tells an event from another one, near enough: FNV-1a of 64 bits.
pub(super) fn mark(name: &str, body: &str) -> String {
    let bytes = name.bytes().chain([0]).chain(body.bytes());
    let hash = bytes
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, access, caches) in [
            ("news", Access::Public, false),
            ("cache-news", Access::Public, true),
            ("privateers", Access::Public, false),
            ("private-news", Access::Private, false),
            ("private-cache-news", Access::Private, true),
            ("presence-room", Access::Presence, false),
            ("presence-cache-room", Access::Presence, true),
            ("private-encrypted-deal", Access::Encrypted, false),
            ("private-encrypted-cache-deal", Access::Encrypted, true),
            ("#server-to-user-cache-7", Access::User, false),
        ] {
            assert_eq!(Sort::of(name), Sort { access, caches }, "{name}");
        }
    }
}
