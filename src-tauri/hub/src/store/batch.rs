//! What is written to the store at once, and what comes back from it.

use std::sync::Arc;

use watchfloor_model::Timestamp;

use crate::{
    channel::{Hole, Number},
    idempotency::{Digest, Positions},
    ledger::{Basis, Kept},
    revocation::{Stand as Revoked, Target},
};

/// One thing to be kept.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    /// An event.
    Event(Stored),
    /// Offsets of a channel up to `upto` may be given away before their events are kept.
    Reserve { channel: Arc<str>, upto: u64 },
    /// A crash has taken something.
    Hole { channel: Arc<str>, hole: Hole },
    /// The answer to a request that named a key.
    Key(StoredKey),
    /// The clock was set.
    Basis(Basis),
    /// A revocation stands.
    Stand(Revoked),
    /// None stands against this any more.
    Lift(Target),
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) channel: Arc<str>,
    pub(crate) number: Number,
    /// When it was taken, by the system's clock.
    pub(crate) at: Timestamp,
    /// When it was taken, by the hub's.
    pub(crate) hub: Timestamp,
    /// The finished message.
    pub(crate) line: Arc<str>,
}

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) key: Arc<str>,
    pub(crate) digest: Digest,
    pub(crate) positions: Positions,
    /// When it was given, by the system's clock.
    pub(crate) at: Timestamp,
}

/// What the hub was after an event, so that those before it needn't be folded again.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    /// True after the event of this number.
    pub(crate) serial: u64,
    pub(crate) aggregates: Vec<Kept>,
    pub(crate) basis: Basis,
    /// Where each channel stands.
    pub(crate) stands: Vec<Stand>,
    /// Numbers of events that the history has let go of, as stretches, first and last. All of them are in the aggregates.
    pub(crate) gone: Vec<(u64, u64)>,
    /// Keys given before are forgotten.
    pub(crate) keys_from: Timestamp,
    /// Keys kept.
    pub(crate) keys_max: usize,
    /// Revocations that ended before are forgotten.
    pub(crate) stands_from: Timestamp,
}

/// Where a channel stands: the offsets of the newest event taken, and of the oldest that the history has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) channel: Arc<str>,
    pub(crate) head: u64,
    pub(crate) first: u64,
}

/// One transaction.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Everything before is void: this history begins, and the batch holds all of it.
    pub(crate) begins: Option<Arc<str>>,
    /// In the order in which the hub took them.
    pub(crate) writes: Vec<Write>,
    /// Everything up to this number is kept with it.
    pub(crate) serial: u64,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Nothing comes after it: what is reserved and not used is free again.
    pub(crate) is_last: bool,
}

/// A channel as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredChannel {
    pub(crate) name: Arc<str>,
    /// Where it stood at the newest checkpoint.
    pub(crate) head: u64,
    /// Offsets up to here may have been given away.
    pub(crate) reserved: u64,
    pub(crate) holes: Vec<Hole>,
}

/// What was kept, but for the events.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) epoch: Arc<str>,
    pub(crate) basis: Basis,
    pub(crate) checkpoint: Option<(u64, Vec<Kept>)>,
    /// The newest number that was kept.
    pub(crate) serial: u64,
    pub(crate) channels: Vec<StoredChannel>,
    /// The oldest first.
    pub(crate) keys: Vec<StoredKey>,
}
