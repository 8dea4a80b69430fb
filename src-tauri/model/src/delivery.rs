//! What a feed hands over, in the order in which it is to be journaled and folded.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::value::RawValue;

use crate::{Continuity, Event, Mono, Position, SourceClock, Timestamp};

/// One step of a source's story.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// New events of the source, each once, in order within their channel.
    Events(Vec<Event>),
    /// The server's own state at a position: replaces what was folded.
    Snapshot(Snapshot),
    /// What a site says that it has now: replaces what was folded of states, and nothing that counts.
    Restated(Restated),
    /// Something is missing, and what became of it. Comes before the events or the snapshot that follow the gap.
    Gap(Gap),
    /// What the server holds, to be compared with what was folded. Changes nothing if they agree, and isn't journaled.
    Check(Check),
    /// What a site says that it has, to be compared with what was folded. The same.
    Recheck(Box<Recheck>),
}

/// A comparison with the server: its own state at some place, and everything that was delivered beyond that place. The
/// two together are what must have been folded of the deliveries before this one.
#[derive(Clone, Debug)]
pub struct Check {
    /// The server's state.
    pub snapshot: Snapshot,
    /// What was delivered beyond it, in the order of delivery.
    pub later: Vec<Event>,
    /// Up to where each channel was delivered: to where the two lead.
    pub positions: BTreeMap<Arc<str>, Position>,
}

/// A comparison with a site: what it said, and everything that was delivered since before it was asked.
#[derive(Clone, Debug)]
pub struct Recheck {
    /// What it said. Its positions are those up to which each channel was delivered: to where the two lead.
    pub restated: Restated,
    /// What was delivered since, in the order of delivery.
    pub later: Vec<Event>,
}

/// A server's state, true at exactly these positions.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where each channel stood.
    pub positions: BTreeMap<Arc<str>, Position>,
    /// The server's time when it was taken.
    pub clock: SourceClock,
    /// From when on nothing is missing in it, by the server's time; none if it has everything that ever happened.
    pub since: Option<Timestamp>,
    /// Reducer state by aggregate fingerprint: as the text that came, since a tree would take many times its memory.
    pub aggregates: BTreeMap<String, Box<RawValue>>,
    /// When it reached this program.
    pub received: Mono,
}

/// What a site says that it has now, where its push service keeps no state: not what happened, but what came of it. All of its
/// events have one channel and, if it is said, one name; what it leaves out isn't there any more.
#[derive(Clone, Debug)]
pub struct Restated {
    /// The channel of its events.
    pub channel: Arc<str>,
    /// The name of its events; none if it is all that there is on the channel.
    pub name: Option<Arc<str>>,
    /// What there is, each an event without a position.
    pub events: Vec<Event>,
    /// From where on the stream follows it, for each channel of the source: what comes after, and nothing before, is folded on top.
    pub positions: BTreeMap<Arc<str>, Position>,
    /// When it reached this program.
    pub received: Mono,
}

/// A stretch of a channel's history that was not received live.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The channel.
    pub channel: Arc<str>,
    /// The last position before it, if any.
    pub from: Option<Position>,
    /// The position at which it ends, if known.
    pub to: Option<Position>,
    /// How it is closed: `Proven` by a replay, `Snapshot`, or `Unknown` if by nothing.
    pub proof: Continuity,
    /// Why there is one: `link lost: connection reset`, `history trimmed`, `epoch changed`.
    pub reason: String,
    /// When the last thing before it was heard.
    pub began: Mono,
    /// When it was found closed or given up.
    pub ended: Mono,
    /// The same two instants by the source's own time, if that was known then. Whoever reads the gap back can't know it any more.
    pub source_times: Option<(Timestamp, Timestamp)>,
}
