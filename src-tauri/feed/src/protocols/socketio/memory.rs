//! What is remembered of sessions from one connection to the next: by what a server gives them back. It is a secret, so it stands
//! in no place's mark, from where it would come into the journal, but here; a wall that is started again doesn't know it.
//!
//! A server (socket.io 4.8) that has given a session back keeps what it had kept of it, and gives it back again even while a
//! connection lives by it of which only the client knows that it is dead. Both then have one id, and when the server finds
//! the older one dead it takes the id off its lists: the newer one answers pings and is never sent an event again. So a session
//! is asked for once; whether that was answered isn't always known, so that asking is what counts (H1).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use watchfloor_model::Position;

use crate::config::Secret;

/// Sessions that are remembered: of each of a source's namespaces those of the last few connections.
const SESSIONS_MAX: usize = 4 * super::NAMESPACES_MAX;

/// A session in a namespace.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The namespace's index.
    pub(super) channel: usize,
    /// The epoch in which its places are counted.
    pub(super) epoch: Arc<str>,
    pub(super) pid: Secret,
    /// Whether a connection is followed that has it: then the server can't give it back, and must not be asked to. So a
    /// connection that is tried beside it leaves it for the one after.
    pub(super) in_use: bool,
    /// Whether it was asked for.
    pub(super) spent: bool,
    /// Whether something came that the server doesn't keep.
    pub(super) leaks: bool,
}

/// Shared by a source's connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<VecDeque<Known>>>);

impl Memory {
    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<Known>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The session in which `place` was counted.
    pub(super) fn of(&self, channel: usize, place: &Position) -> Option<Known> {
        self.with(|known| known.iter().find(|one| one.channel == channel && one.epoch == place.epoch).cloned())
    }

    /// Remembers a session, in place of what was known of its epoch.
    pub(super) fn keep(&self, session: Known) {
        self.with(|known| {
            known.retain(|one| (one.channel, &one.epoch) != (session.channel, &session.epoch));
            if known.len() >= SESSIONS_MAX {
                known.pop_front();
            }
            known.push_back(session);
        });
    }

    fn change(&self, channel: usize, place: &Position, change: impl FnOnce(&mut Known)) {
        self.with(|known| {
            let mut found = known.iter_mut().filter(|one| one.channel == channel && one.epoch == place.epoch);
            found.next().map(change);
        });
    }

    /// It is asked for now.
    pub(super) fn spend(&self, channel: usize, place: &Position) {
        self.change(channel, place, |one| one.spent = true);
    }

    /// The connection that has it is followed no more.
    pub(super) fn release(&self, channel: usize, place: &Position) {
        self.change(channel, place, |one| one.in_use = false);
    }

    /// Something came in it that the server doesn't keep.
    pub(super) fn leaks(&self, channel: usize, place: &Position) {
        self.change(channel, place, |one| one.leaks = true);
    }
}
