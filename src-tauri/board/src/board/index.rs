//! Which aggregates want an event of a channel and name: asked once, then remembered.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::tracked::Tracked;
use crate::reduce::Interest;

/// Most channels and names remembered. Further ones are forgotten and asked about again.
const NAMES_MAX: usize = 10_000;

type ByName = HashMap<Arc<str>, Arc<[Wanting]>>;

/// By channel and name, the aggregates that want such events.
#[derive(Debug, Default)]
pub(super) struct Index {
    channels: HashMap<Arc<str>, ByName>,
    names: usize,
}

/// An aggregate that wants events of a channel and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanting {
    /// Its number among the source's.
    pub(super) tracked: usize,
    /// Whether the event's data must fulfil its conditions as well.
    pub(super) is_conditional: bool,
}

impl Index {
    pub(super) fn clear(&mut self) {
        self.channels.clear();
        self.names = 0;
    }

    /// The aggregates that want events of this channel and name.
    pub(super) fn wanting(&mut self, channel: &Arc<str>, name: &Arc<str>, all: &[Tracked]) -> Arc<[Wanting]> {
        if let Some(known) = self.channels.get(channel).and_then(|names| names.get(name)) {
            return Arc::clone(known);
        }
        if self.names >= NAMES_MAX {
            self.clear();
        }
        let wanting: Arc<[Wanting]> = all
            .iter()
            .enumerate()
            .filter_map(|(tracked, own)| match own.aggregate.interest(channel, name) {
                Interest::None => None,
                Interest::Each => Some(Wanting { tracked, is_conditional: false }),
                Interest::Conditional => Some(Wanting { tracked, is_conditional: true }),
            })
            .collect();
        if let Entry::Vacant(entry) = self.channels.entry(Arc::clone(channel)).or_default().entry(Arc::clone(name)) {
            entry.insert(Arc::clone(&wanting));
            self.names += 1;
        }
        wanting
    }
}
