//! What was given is taken back: from a user, a token, a channel's readers, a connection. No event goes out after a revocation is
//! acknowledged.
//!
//! Why that holds:
//!
//! 1. Whatever a reader is sent of a channel is read from the [`State`](crate::state::State), under its lock, and so is whatever makes it a reader: its
//!    [`Session`] is entered, and its channels are, under that lock. [`State::revoke`](crate::state::State::revoke) works under it too. So each read, and
//!    each entry, is before a revocation or after it.
//! 2. **After it**, a read finds its [`Lease`] marked and gives nothing; an entry finds what [`Standing`] holds and is refused.
//! 3. **Before it**, what was read may be on its way through this process. A read notes that in its lease (`held`), under the lock, before
//!    anything is done with it. It is noted as gone when nothing of it is left in this process:
//!    - *WebSocket and Pusher*: the writer has fed all frames to the connection and flushed it. A plain one holds nothing back; TLS reports a flush
//!      as done when its own buffer is empty.
//!    - *Event streams, polls and snapshots*: the HTTP library flushes the connection itself only when its own buffer is empty, and takes what
//!      a body gives in the same step in which it asks for it; TLS between them flushes what is below it only when its own is empty too. So [`Outlet::flushed`] says that all of it is out. Until then the outlet holds the
//!      session, so one whose handler has long answered is still found by a revocation.
//! 4. A revocation is acknowledged when each session that it ends holds nothing. One that still does after
//!    [`REVOKE_GRACE`](crate::limits::REVOKE_GRACE), because its other side takes nothing, is cut off: its [`Outlet`] is closed, under the lock under
//!    which every write to the connection is made, so no write is under way when it is closed, and none comes after.
//!
//! What the operating system has taken by then was sent: the reader may yet receive it, as one that was sent a moment earlier. What goes out
//! after the acknowledgement is the reason, and the end of the connection. A server of one's own around [`Hub::router`](crate::Hub::router) has no
//! outlets: there, what it buffers of answers isn't known.

mod fence;
mod lease;
mod outlet;
mod sessions;
mod standing;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use watchfloor_model::Timestamp;

pub(crate) use self::{
    fence::Fence,
    lease::{Lease, Seat, Taken},
    outlet::{Outlet, Peer},
    sessions::{Door, Ended, Session, Sessions},
    standing::{Stand, Standing},
};

/// From whom something is taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// Everybody; for a channel.
    Everybody,
    /// A user: the `sub` of a token, who signed in at the Pusher door, or who is present there.
    User {
        /// The application whose user it is; every door if it is none.
        app: Option<Arc<str>>,
        /// How it is called.
        id: Arc<str>,
    },
    /// Who came by the token of this id (`jti`).
    Token(Arc<str>),
    /// This connection. Nothing stands against the next one.
    Connection(Arc<str>),
}

/// What is taken from whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// From whom.
    pub whom: Whom,
    /// This channel, as it is called inside; everything if it is none.
    pub channel: Option<Arc<str>>,
}

/// A revocation, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// What is taken from whom.
    pub target: Target,
    /// For how long it stands against those who come; zero if it is about those who are there alone, and nothing is to stand any more.
    pub ttl: Duration,
    /// Tokens issued after this are not meant (`iat`), nor are Pusher connections that begin after it.
    pub before: Option<Timestamp>,
}

/// Why a session is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was taken back.
    Revoked,
    /// The site could not be asked whether it may go on.
    Unsure,
}

/// What became of revocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Connections that were ended, or lost a channel.
    pub connections: usize,
    /// Those of them that were cut off, because they did not take what they were being sent.
    pub cut_off: usize,
}

/// Why revocations are not entered, or not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrevoked {
    /// Too many stand already: nothing was entered.
    #[error("{max} revocations stand: expected fewer. Nothing was revoked", max = crate::limits::REVOCATIONS_MAX)]
    Full,
    /// They hold, and what they mean has ended, but the store can't be written: a restart would forget them.
    #[error("the revocation holds, but the store can't be written, and a restart would forget it: send it again")]
    Unkept,
    /// The other nodes can't be told.
    #[error(
        "the engine can't be reached or didn't keep it: the revocation holds at this node, and maybe at others: send it again"
    )]
    Untold,
    /// It isn't known that all nodes obey. Who doesn't, will.
    #[error("the revocation holds at all nodes that can be reached, but one that lives doesn't answer: send it again")]
    Unanswered,
}
