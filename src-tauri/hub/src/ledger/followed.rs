//! What the ledger of a node is told of the engine's channels.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use watchfloor_model::Timestamp;

use super::Ledger;

impl Ledger {
    /// The channel is of an engine, which calls its history so, and stands here from now on.
    pub(crate) fn follow(&mut self, channel: &Arc<str>, epoch: Arc<str>, offset: u64) {
        let standing = self.channels.entry(channel.clone()).or_default();
        (standing.epoch, standing.head) = (Some(epoch), offset);
    }

    /// The name of a channel's history.
    pub(crate) fn epoch_of(&self, channel: &str) -> &Arc<str> {
        self.channels.get(channel).and_then(|standing| standing.epoch.as_ref()).unwrap_or(&self.epoch)
    }

    /// Nothing is known of the channel any more.
    pub(crate) fn unfollow(&mut self, channel: &str) {
        self.channels.remove(channel);
    }

    /// Whether there is anything that folds.
    pub(crate) fn folds(&self) -> bool {
        !self.aggregates.is_empty()
    }

    /// The channels that are folded, as far as they are named.
    pub(crate) fn folded_channels(&self) -> BTreeSet<Arc<str>> {
        let channels = self.aggregates.iter().flat_map(|folded| folded.aggregate.channels());
        channels.map(|channel| Arc::from(&**channel)).collect()
    }

    /// An aggregate that names no channel folds every one that there is, and a node doesn't know what there is. It is left out, and this says how
    /// many were.
    pub(crate) fn leave_out_unnamed(&mut self) -> usize {
        let before = self.aggregates.len();
        self.aggregates.retain(|folded| !folded.aggregate.channels().is_empty());
        before - self.aggregates.len()
    }

    /// From when on nothing is missing of channels. Aggregates of several reach back as far as the one that reaches least.
    pub(crate) fn reach(&mut self, since: &BTreeMap<Arc<str>, Timestamp>) {
        for folded in &mut self.aggregates {
            let channels = folded.aggregate.channels().iter();
            let each: Option<Vec<_>> = channels.map(|channel| since.get(&**channel).copied()).collect();
            if let Some(least) = each.and_then(|each| each.into_iter().max()) {
                folded.since = Some(least);
            }
        }
    }
}
