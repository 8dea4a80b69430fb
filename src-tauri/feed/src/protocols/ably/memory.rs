//! What is remembered from one connection to the next. By a connection's key it is taken over by whoever has it: it stands in no
//! place's mark, from where it would come into the journal, but here. A wall that is started again asks by its marks alone.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use url::Url;

use super::{hosts::Tries, presence::Members};
use crate::config::Secret;

/// Ids of events that are remembered of each channel: what a server sends again overlaps with what came last.
pub(super) const RECENT_MAX: usize = 512;

/// An event that came, by the place that it was given, and its id.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    pub(super) epoch: Arc<str>,
    pub(super) offset: u64,
    pub(super) id: Arc<str>,
    /// A later connection was asked to go on behind it: it was handed over, whatever epoch the place has by now.
    pub(super) delivered: bool,
}

/// What is remembered of a channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) recent: VecDeque<Recent>,
    pub(super) members: Members,
}

#[derive(Debug, Default)]
struct State {
    key: Option<Secret>,
    /// The connection that is followed by the key, by its seed.
    owner: Option<u64>,
    channels: BTreeMap<usize, Kept>,
    tries: Tries,
}

/// Shared by a source's connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

impl Memory {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// By what the last connection is resumed. One that is still followed would be thrown out by that.
    pub(super) fn key(&self) -> Option<Secret> {
        self.with(|state| state.key.clone().filter(|_| state.owner.is_none()))
    }

    /// The server gave a key to the connection of this seed.
    pub(super) fn keep_key(&self, seed: u64, key: Option<Secret>) {
        self.with(|state| {
            state.key = key;
            state.owner = Some(seed);
        });
    }

    /// The server has ended the connection of this seed for good.
    pub(super) fn forget_key(&self, seed: u64) {
        self.with(|state| {
            if state.owner.is_none_or(|owner| owner == seed) {
                state.key = None;
            }
        });
    }

    /// The connection of this seed is followed no more.
    pub(super) fn release(&self, seed: u64) {
        self.with(|state| {
            if state.owner == Some(seed) {
                state.owner = None;
            }
        });
    }

    /// The address of the host whose turn it is, with one of these schemes: in clear, or by TLS.
    pub(super) fn address(&self, url: &Url, clear: &str, secured: &str) -> Url {
        let mut url = url.clone();
        let scheme = if matches!(url.scheme(), "https" | "wss") { secured } else { clear };
        let changed = url.set_scheme(scheme);
        debug_assert!(changed.is_ok(), "http and ws are both special schemes");
        let other = url.host_str().and_then(|host| self.with(|state| state.tries.instead_of(host)));
        if let Some(other) = other {
            let changed = url.set_host(Some(&other));
            debug_assert!(changed.is_ok(), "made of what was a host");
        }
        url
    }

    /// The connection of this seed didn't come to be, or its server asks to try elsewhere.
    pub(super) fn fail_host(&self, seed: u64) {
        self.with(|state| state.tries.fail(seed));
    }

    /// A server has taken a connection.
    pub(super) fn keep_host(&self) {
        self.with(|state| state.tries.succeed());
    }

    /// What the connection before knew of a channel.
    pub(super) fn of(&self, channel: usize) -> Kept {
        self.with(|state| state.channels.get(&channel).cloned().unwrap_or_default())
    }

    pub(super) fn keep(&self, channel: usize, kept: Kept) {
        self.with(|state| state.channels.insert(channel, kept));
    }
}
