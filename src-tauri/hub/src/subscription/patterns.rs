//! Channels by the beginning of their names: all that there are, and each that comes to be, from its first event on.
//!
//! A pattern has a place as a channel has one: the history in which the reader had every channel of it. Of that history, a channel that the
//! reader doesn't name besides came to be later, and begins at its beginning.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use watchfloor_model::Position;

use crate::{cursor::Places, ledger::Ledger};

/// What a reader asked for by patterns.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Each with the history in which the reader had all its channels; none if it had none yet.
    asked: BTreeMap<Arc<str>, Option<Arc<str>>>,
    /// Channels that it has by them alone.
    joined: BTreeSet<Arc<str>>,
    /// Channels that it doesn't have although they are meant: let go of, or revoked. They take a place of the subscription all the same.
    passed: BTreeSet<Arc<str>>,
    /// Which channels were looked at: the history, and how many it had.
    looked: Option<(Arc<str>, usize)>,
}

impl Patterns {
    /// One more, with its place.
    pub(super) fn ask(&mut self, pattern: Arc<str>, place: Option<Position>) {
        self.asked.insert(pattern, place.map(|place| place.epoch));
        self.looked = None;
    }

    /// Lets go of one: the channels that were there by it alone.
    pub(super) fn let_go_of(&mut self, pattern: &str) -> Vec<Arc<str>> {
        if self.asked.remove(pattern).is_none() {
            return Vec::new();
        }
        let is_meant = |channel: &&Arc<str>| self.asked.keys().any(|other| channel.starts_with(beginning(other)));
        let gone: Vec<_> = self.joined.iter().filter(|channel| !is_meant(channel)).cloned().collect();
        self.joined.retain(|channel| !gone.contains(channel));
        gone
    }

    /// A channel is not taken in.
    pub(super) fn pass(&mut self, channel: Arc<str>) {
        self.joined.remove(&channel);
        self.passed.insert(channel);
    }

    /// A channel is there by its pattern.
    pub(super) fn join(&mut self, channel: Arc<str>) {
        self.joined.insert(channel);
    }

    /// A channel is there by its own name.
    pub(super) fn name(&mut self, channel: &str) {
        self.joined.remove(channel);
        self.passed.remove(channel);
    }

    /// Whether a channel is there by a pattern alone.
    pub(super) fn has(&self, channel: &str) -> bool {
        self.joined.contains(channel)
    }

    /// The patterns.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<str>> {
        self.asked.keys()
    }

    /// Channels that it doesn't have although they are meant.
    pub(super) const fn passed(&self) -> &BTreeSet<Arc<str>> {
        &self.passed
    }

    /// The patterns with their places.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Arc<str>, Option<Position>)> {
        self.asked.iter().map(|(pattern, had)| (pattern, had.clone().map(whole)))
    }

    /// Channels that are meant, and that the reader hasn't got yet, each with where it begins. `is_other` are those that it has, or that aren't for it.
    pub(super) fn come_to_be(&mut self, ledger: &Ledger, is_other: impl Fn(&str) -> bool) -> Places {
        let mut found = Places::new();
        // Channels only ever come to be, but for a new history.
        let there_are = (ledger.epoch().clone(), ledger.channels());
        if self.looked.as_ref() == Some(&there_are) {
            return found;
        }
        for (pattern, had) in &mut self.asked {
            for channel in ledger.beginning_with(beginning(pattern)) {
                if !self.passed.contains(channel) && !is_other(channel) {
                    found.entry(channel.clone()).or_insert_with(|| had.clone().map(whole));
                }
            }
            *had = Some(ledger.epoch().clone());
        }
        self.looked = Some(there_are);
        found
    }
}

fn beginning(pattern: &str) -> &str {
    pattern.strip_suffix('*').unwrap_or(pattern)
}

/// Before the first event of a history.
fn whole(epoch: Arc<str>) -> Position {
    Position::new(epoch, 0)
}

#[cfg(test)]
mod tests;
