//! What is remembered from one connection of a source to the next.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use watchfloor_model::Position;

use super::presence::{MEMBERS_MAX, Members};

/// Connections of this wall that are remembered: the one that is followed, one on trial, and those that the server hasn't
/// missed yet.
const OWN_MAX: usize = 16;

/// A payload that a patch may be for.
#[derive(Clone, Debug)]
struct Base {
    at: Position,
    text: Arc<str>,
}

#[derive(Debug, Default)]
struct State {
    /// By channel, where deltas were agreed on.
    bases: BTreeMap<usize, Base>,
    /// Who was told to be on a channel.
    told: BTreeMap<usize, Members>,
    /// Channels to which the server subscribed a connection by itself.
    servers: BTreeSet<usize>,
    /// By channel, the newest history past which something was published.
    leaks: BTreeMap<usize, Arc<str>>,
    /// What the server calls this wall's connections.
    own: VecDeque<Arc<str>>,
}

/// Shared by a source's connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

impl Memory {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The payload of the publication at `at`, if that was the newest that came by any connection.
    pub(super) fn base(&self, channel: usize, at: &Position) -> Option<Arc<str>> {
        self.with(|state| {
            let base = state.bases.get(&channel)?;
            (base.at.epoch == at.epoch && base.at.offset == at.offset).then(|| base.text.clone())
        })
    }

    pub(super) fn keep_base(&self, channel: usize, at: Position, text: Arc<str>) {
        self.with(|state| state.bases.insert(channel, Base { at, text }));
    }

    pub(super) fn drop_base(&self, channel: usize) {
        self.with(|state| state.bases.remove(&channel));
    }

    /// Something was published past the history of this epoch: it keeps not everything.
    pub(super) fn leaks(&self, channel: usize, epoch: Arc<str>) {
        self.with(|state| state.leaks.insert(channel, epoch));
    }

    /// Whether that was ever so.
    pub(super) fn has_leaked(&self, channel: usize, epoch: &str) -> bool {
        self.with(|state| state.leaks.get(&channel).is_some_and(|leaking| **leaking == *epoch))
    }

    /// Who was told to be on a channel, which is told to hold these now.
    pub(super) fn tell(&self, channel: usize, members: &Members) -> Members {
        self.with(|state| state.told.insert(channel, members.clone())).unwrap_or_default()
    }

    /// Who was told to be on a channel.
    pub(super) fn told(&self, channel: usize) -> Members {
        self.with(|state| state.told.get(&channel).cloned()).unwrap_or_default()
    }

    /// Someone is to be told to be on a channel. Whether that is news; none if more are told than are followed.
    pub(super) fn came(&self, channel: usize, client: Arc<str>, user: Arc<str>) -> Option<bool> {
        self.with(|state| {
            let told = state.told.entry(channel).or_default();
            let is_news = !told.contains_key(&client);
            if is_news && told.len() >= MEMBERS_MAX {
                return None;
            }
            told.insert(client, user);
            Some(is_news)
        })
    }

    /// Someone is to be told to have gone. Whether that is news.
    pub(super) fn went(&self, channel: usize, client: &str) -> bool {
        self.with(|state| state.told.get_mut(&channel).and_then(|members| members.remove(client)).is_some())
    }

    /// The server subscribed a connection to these channels by itself, and to no other.
    pub(super) fn is_subscribed(&self, channels: BTreeSet<usize>) {
        self.with(|state| state.servers = channels);
    }

    /// Whether the server subscribes to a channel by itself, as far as that is known.
    pub(super) fn subscribes(&self, channel: usize) -> bool {
        self.with(|state| state.servers.contains(&channel))
    }

    /// The server calls a connection of this wall so.
    pub(super) fn is_called(&self, client: &str) {
        if client.is_empty() {
            return;
        }
        self.with(|state| {
            state.own.push_back(client.into());
            if state.own.len() > OWN_MAX {
                state.own.pop_front();
            }
        });
    }

    /// Whether it is a connection of this wall.
    pub(super) fn is_own(&self, client: &str) -> bool {
        self.with(|state| state.own.iter().any(|own| **own == *client))
    }
}
