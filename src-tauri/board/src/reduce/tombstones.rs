//! Which keys went, for who has seen them.

use std::{collections::VecDeque, sync::Arc};

/// Most gone keys remembered. Who has seen nothing newer than the oldest gets the whole.
const KEPT_MAX: usize = 1024;

/// Gone keys with the version at which they went, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tombstones {
    list: VecDeque<(u64, Arc<str>)>,
    /// Nothing is remembered of what went until this version.
    floor: u64,
}

impl Tombstones {
    pub(crate) fn add(&mut self, version: u64, key: Arc<str>) {
        self.list.push_back((version, key));
        if self.list.len() > KEPT_MAX
            && let Some((version, _)) = self.list.pop_front()
        {
            self.floor = version;
        }
    }

    /// Forgets everything: changes since before `version` can't be told.
    pub(crate) fn clear(&mut self, version: u64) {
        self.list.clear();
        self.floor = version;
    }

    /// Whether the changes after `since` are all known.
    pub(crate) const fn reach(&self, since: u64) -> bool {
        since > 0 && since >= self.floor
    }

    /// Keys that went after `since` and are still away, in order; none if not all changes after it are known.
    pub(crate) fn since(&self, since: u64, is_away: impl Fn(&Arc<str>) -> bool) -> Vec<String> {
        if !self.reach(since) {
            return Vec::new();
        }
        let start = self.list.partition_point(|(version, _)| *version <= since);
        let away = self.list.range(start..).map(|(_, key)| key).filter(|key| is_away(key));
        let mut keys: Vec<String> = away.map(ToString::to_string).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
