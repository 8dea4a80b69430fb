//! What is remembered from one link of a feed to its next ones: bounded, and of no use to another feed.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use watchfloor_model::Position;

use super::packet::{Version, WINDOW};
use crate::{config::SourceConfig, protocols::Place};

/// Of how many topics the newest body is known.
const TOPICS_MAX: usize = 16_384;

/// Shared by a feed's links.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// The server said that it doesn't know version 5.
    is_old: bool,
    /// A server keeps a client's session by this name.
    client: String,
    /// The numbers of the last publications that were acknowledged. Those that come again are among them, as no more than
    /// [`WINDOW`] are ever on their way.
    acknowledged: VecDeque<u16>,
    /// By topic, as a hash, the newest body that came.
    newest: HashMap<u64, Newest, BuildHasherDefault<Hashed>>,
}

/// A body that came.
#[derive(Debug)]
struct Newest {
    /// As a hash.
    body: u64,
    /// Its channel and its place, until it is known whether that was delivered.
    place: Option<(usize, Position)>,
}

impl Memory {
    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version and the client's name for a new link. `seed` differs from link to link; the first one's decides.
    pub(super) fn begin(&self, config: &SourceConfig, seed: u64) -> (Version, String) {
        let mut known = self.lock();
        if known.client.is_empty() {
            known.client = format!("wall{:016x}", hash(&(&config.id, seed)));
        }
        (if known.is_old { Version::Old } else { Version::Five }, known.client.clone())
    }

    /// What a link on trial has in place of it, and its client's name. Under the same name the server would put the link out that stands.
    /// What the trial is told nobody is, so that it must not be known of to the links after it.
    pub(super) fn beside(&self, seed: u64) -> (Self, String) {
        let known = self.lock();
        let client = format!("wall{:016x}", hash(&(&known.client, seed)));
        let beside = Known { is_old: known.is_old, client: client.clone(), ..Known::default() };
        (Self(Arc::new(Mutex::new(beside))), client)
    }
}

impl Known {
    pub(super) const fn speak_old(&mut self) {
        self.is_old = true;
    }

    /// The numbers of what may come again. None, if the server kept no session.
    pub(super) fn acknowledged(&mut self, client: &str, is_present: bool) -> Vec<u16> {
        if client != self.client {
            return Vec::new();
        }
        if !is_present {
            self.acknowledged.clear();
        }
        self.acknowledged.iter().copied().collect()
    }

    pub(super) fn acknowledge(&mut self, client: &str, id: u16) {
        if client != self.client {
            return;
        }
        if self.acknowledged.len() == usize::from(WINDOW) {
            self.acknowledged.pop_front();
        }
        self.acknowledged.push_back(id);
    }

    /// Whether a topic's body is the one that came last.
    pub(super) fn is_same(&self, topic: u64, payload: &[u8]) -> bool {
        self.newest.get(&topic).is_some_and(|newest| newest.body == hash(payload))
    }

    /// A topic's body was given this place in its channel.
    pub(super) fn remember(&mut self, topic: u64, payload: &[u8], channel: usize, place: Option<&Position>) {
        let body = hash(payload);
        let newest = || Newest { body, place: place.map(|place| (channel, place.clone())) };
        let has_room = self.newest.len() < TOPICS_MAX;
        match self.newest.get_mut(&topic) {
            // The earlier place is the one by which it is had.
            Some(known) if known.body == body => {}
            Some(known) => *known = newest(),
            None if has_room => drop(self.newest.insert(topic, newest())),
            None => {}
        }
    }

    /// This is what was delivered. What came beyond it was held, and lost with its subscription: it is to be told when it comes again.
    pub(super) fn forget_undelivered(&mut self, places: &[Place]) {
        self.newest.retain(|_, newest| {
            let Some((channel, place)) = newest.place.take() else { return true };
            let delivered = places.get(channel).and_then(|delivered| delivered.position.as_ref());
            delivered.is_some_and(|delivered| delivered.epoch == place.epoch && delivered.offset >= place.offset)
        });
    }
}

/// Topics, as hashes.
pub(super) type Topics = HashSet<u64, BuildHasherDefault<Hashed>>;

/// What is a hash already is none the better for being hashed again.
#[derive(Debug, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only numbers are asked for.
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The same for the same in this process; no more is asked of it.
pub(super) fn hash(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
