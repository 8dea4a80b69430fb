//! Several hubs on one engine, Redis: it holds what a hub alone holds itself, and each hub is a **node** with connections and a copy of what its
//! readers read.
//!
//! ```text
//!   publisher ─▶ any node ─ script ─▶ engine: history, positions, what is known ─ news ─▶ every node with readers
//!                    ◀─ positions ─┘            ▲                                            │ state: ring, aggregates
//!                                               └──── reads what lacks, asks where it stands ┘        └─▶ readers
//! ```
//!
//! - [`keys`]: what is where. [`scripts`]: what the engine does in one go. [`wire`]: how an event is written there.
//! - [`follow`]: what a node knows of a channel, as a value: order, gaps, proofs, other epochs. [`node`] is the shell around it: connections,
//!   reads, timers. [`publish`] is the way in. [`presence`] says who is where, whichever node he came by; [`orders`] has all nodes do something.
//!
//! Why nothing that was acknowledged is lost, and no position given twice:
//!
//! 1. A script gives the next offsets of a channel, writes events and standing, and notes the request's key: all of it or nothing, whoever is
//!    killed. A retry finds the key.
//! 2. Nodes tell readers what the engine has told to be for readers. With replicas that is only when enough of them have it; with an engine that
//!    syncs each write, it answers nobody and tells nobody before that.
//! 3. An engine that keeps less begins a new epoch in each channel with each of its runs: what it may have lost can't be told, but readers
//!    are told that they can't know. So does one that has less than a node has seen.
//! 4. News may be lost. A node takes events in the order of their offsets, reads what lacks, and asks several times a heartbeat where all its
//!    channels stand. Its heartbeats name a head only if that was answered a moment ago: while the engine can't be reached, nothing is live.

pub(crate) mod follow;
mod keys;
mod link;
mod node;
mod orders;
mod presence;
mod publish;
mod read;
mod scripts;
pub(crate) mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::aio::MultiplexedConnection;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use watchfloor_model::Position;

use self::keys::Names;
pub use self::link::{EngineConfig, EnginePlace, check_address};
pub(crate) use self::{
    follow::Span,
    link::{client, pause, sentinel},
    node::run,
    orders::{Order, Ungiven},
    wire::Heard,
};
use crate::{cursor::Places, hub::new_epoch, limits, publish::Incoming};

/// What a node publishes by.
#[derive(Clone)]
struct Live {
    publishing: MultiplexedConnection,
    /// See [`link::Link::run`].
    run: Arc<str>,
    /// Since when.
    since: Instant,
}

/// A node's part of the engine. It is run by [`node::run`].
pub(crate) struct Engine {
    config: EngineConfig,
    names: Names,
    live: watch::Sender<Option<Live>>,
    /// Channels that readers have come for, with the oldest place that one of them asks for.
    wants: Mutex<BTreeMap<Arc<str>, Option<Position>>>,
    /// Channels of presence that somebody has come for.
    people_wants: Mutex<BTreeSet<Arc<str>>>,
    wanted: Notify,
    /// Somebody has come to a channel of presence by this node, or gone.
    pub(crate) moved: Notify,
    /// What this node is called by the others, as long as it lives.
    node: Arc<str>,
    answers: orders::Answers,
    /// A connection was found to be broken.
    broken: Notify,
    queue: mpsc::Sender<Incoming>,
    queued: tokio::sync::Mutex<mpsc::Receiver<Incoming>>,
}

impl Engine {
    pub(crate) fn new(config: EngineConfig) -> Self {
        let (queue, queued) = mpsc::channel(limits::ENGINE_QUEUE_MAX);
        Self {
            names: Names::new(&config.prefix),
            config,
            live: watch::Sender::new(None),
            wants: Mutex::default(),
            people_wants: Mutex::default(),
            wanted: Notify::new(),
            moved: Notify::new(),
            node: new_epoch(),
            answers: orders::Answers::default(),
            broken: Notify::new(),
            queue,
            queued: tokio::sync::Mutex::new(queued),
        }
    }

    /// Whether it can be reached.
    pub(crate) fn is_live(&self) -> bool {
        self.live.borrow().is_some()
    }

    /// A reader asks for these places.
    pub(crate) fn want(&self, places: &Places) {
        {
            let mut wants = self.wants();
            for (channel, place) in places {
                let oldest = wants.entry(channel.clone()).or_insert_with(|| place.clone());
                // Of several epochs one at most is good, and who asks for another begins anew in any case.
                if let (Some(before), Some(place)) = (&oldest, place)
                    && (place.epoch != before.epoch || place.offset < before.offset)
                {
                    *oldest = Some(place.clone());
                }
                if oldest.is_none() {
                    oldest.clone_from(place);
                }
            }
        }
        self.wanted.notify_one();
    }

    /// Somebody comes to a channel of presence.
    pub(crate) fn want_people(&self, channel: Arc<str>) {
        self.people_wants.lock().unwrap_or_else(PoisonError::into_inner).insert(channel);
        self.wanted.notify_one();
    }

    fn take_people_wants(&self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.people_wants.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wants(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Option<Position>>> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_wants(&self) -> BTreeMap<Arc<str>, Option<Position>> {
        std::mem::take(&mut self.wants())
    }

    fn candidate() -> Arc<str> {
        new_epoch()
    }
}

/// How often it is asked where the channels stand, by the time between two heartbeats.
pub(crate) fn proof_period(heartbeat: Duration) -> Duration {
    (heartbeat / 3).clamp(limits::PROOF_PERIOD_MIN, limits::PROOF_PERIOD_MAX)
}

/// For how long it is good that the engine said where a channel stands.
pub(crate) fn good_for(heartbeat: Duration) -> Duration {
    heartbeat.max(limits::PROOF_PERIOD_MAX)
}
