//! Who told what an aggregate shows, where publishers say of themselves whether their values are good: whose every word is gone from it is
//! none of them any more, however long ago it was heard (H2).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use watchfloor_model::{Event, Timestamp};

use super::{checkpoint::ShareCheckpoint, tracked::Tracked};
use crate::{Aggregate, aggregate::OnRestating};

/// Most publishers of one aggregate at once.
pub(super) const HEARD_MAX: usize = 1024;
/// Most rows that are known to be told by them, of all of them together.
const KEYS_MAX: usize = 16_384;
/// Where there is no room, what is gone is looked for no sooner than this after the last time, by the source's clock.
const LOOK_MS: i64 = 1000;

/// Whose events are in an aggregate.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// By name. Of those for whom there was no room the name is empty.
    shares: BTreeMap<Arc<str>, Share>,
    /// Of all shares.
    keys: usize,
    /// With more of them, rows that have gone are looked for.
    keys_kept: usize,
    /// The source's time at which there was no room, and nothing was gone.
    full: Option<Timestamp>,
}

/// What one of them has told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Share {
    /// The newest of it.
    newest: Timestamp,
    /// The rows of which it spoke, where there are rows.
    keys: BTreeSet<String>,
    /// Nobody knows which rows those are.
    is_in_any: bool,
}

impl Share {
    const fn of(newest: Timestamp) -> Self {
        Self { newest, keys: BTreeSet::new(), is_in_any: false }
    }

    /// Whether anything of it may still be shown.
    fn is_in(&self, aggregate: &Aggregate) -> bool {
        match aggregate.on_restating() {
            OnRestating::BeginsAgain => self.is_in_any || self.keys.iter().any(|key| aggregate.shows(key)),
            // Who told another number before has gone with it.
            OnRestating::GoesOn => true,
            OnRestating::Stays => aggregate.horizon().is_none_or(|horizon| horizon <= self.newest),
        }
    }
}

impl Heard {
    /// An event was told by `name`, of this row if there are rows.
    fn add(&mut self, name: &Arc<str>, at: Timestamp, key: Option<&str>, aggregate: &Aggregate) {
        if self.take(name, at, key) {
            if self.keys > self.keys_kept {
                self.forget(aggregate);
                self.keys_kept = 2 * self.keys + HEARD_MAX;
            }
            return;
        }
        // A table that is told by more than there is room for would look through all of them with each event.
        let looked = self.full.is_some_and(|full| full <= at && at.as_millis() - full.as_millis() < LOOK_MS);
        if !looked {
            self.forget(aggregate);
            self.full = None;
            if self.take(name, at, key) {
                return;
            }
            self.full = Some(at);
        }
        if let Some(share) = self.shares.get_mut(name) {
            share.is_in_any = true;
        } else if !self.put(&Arc::from(""), at, key) {
            self.shares.entry("".into()).or_insert(Share::of(at)).is_in_any = true;
        }
    }

    /// The same, if there is room.
    fn take(&mut self, name: &Arc<str>, at: Timestamp, key: Option<&str>) -> bool {
        (self.has_room() || self.shares.contains_key(name)) && self.put(name, at, key)
    }

    fn has_room(&self) -> bool {
        self.shares.len() < HEARD_MAX + usize::from(self.shares.contains_key(""))
    }

    /// Whether there was room for the row.
    fn put(&mut self, name: &Arc<str>, at: Timestamp, key: Option<&str>) -> bool {
        let share = match self.shares.get_mut(name) {
            Some(share) => share,
            None => self.shares.entry(Arc::clone(name)).or_insert(Share::of(at)),
        };
        share.newest = share.newest.max(at);
        let Some(key) = key.filter(|key| !share.keys.contains(*key)) else { return true };
        let has_room = self.keys < KEYS_MAX;
        if has_room {
            share.keys.insert(key.to_owned());
            self.keys += 1;
        }
        has_room
    }

    /// All that is shown was told by `name`.
    fn be_only(&mut self, name: &Arc<str>, at: Timestamp) {
        if self.shares.len() != 1 || !self.shares.contains_key(name) {
            *self = Self::default();
        }
        self.put(name, at, None);
    }

    /// A row begins again: who spoke of it before has no part in it.
    fn begin_row(&mut self, key: &str) {
        for share in self.shares.values_mut() {
            self.keys -= usize::from(share.keys.remove(key));
        }
    }

    /// Lets those go of whom nothing is shown any more.
    fn forget(&mut self, aggregate: &Aggregate) {
        for share in self.shares.values_mut() {
            share.keys.retain(|key| aggregate.shows(key));
        }
        self.shares.retain(|_, share| share.is_in(aggregate));
        self.keys = self.shares.values().map(|share| share.keys.len()).sum();
    }

    /// As it is written down by a run that knew names only, or couldn't tell: whose share isn't said is in whatever is shown.
    pub(super) fn restored(
        names: &[String],
        shares: &BTreeMap<String, ShareCheckpoint>,
        aggregate: &Aggregate,
    ) -> Self {
        let mut heard = Self::default();
        let newest = aggregate.newest().unwrap_or_default();
        for name in names {
            let has_room = heard.has_room() || name.is_empty();
            let name: Arc<str> = if has_room { name.as_str().into() } else { "".into() };
            let stored = shares.get(&*name).filter(|_| has_room);
            let at = stored.map_or(newest, |stored| stored.newest);
            heard.put(&name, at, None);
            let is_whole = stored.is_some_and(|own| own.keys.iter().all(|key| heard.put(&name, at, Some(key))));
            if let Some(share) = heard.shares.get_mut(&name).filter(|_| !is_whole) {
                share.is_in_any = true;
            }
        }
        heard
    }
}

impl Tracked {
    /// An event was folded whose publisher says whether it is good. `begins` if the row that it speaks of began with it.
    pub(super) fn note_voice(&mut self, event: &Event, begins: bool) {
        let (name, at) = (&event.name, event.time);
        // What is dated before what is shown isn't shown.
        let shown = self.aggregate.shown_of(event);
        let is_shown = shown.as_ref().is_none_or(|(_, shown)| *shown <= at.as_millis());
        match self.aggregate.on_restating() {
            OnRestating::BeginsAgain => {
                // None if it took the row away, or found no place.
                let Some(key) = self.aggregate.key_of(event).filter(|_| is_shown) else { return };
                if begins {
                    self.heard.begin_row(&key);
                }
                self.heard.add(name, at, Some(&key), &self.aggregate);
            }
            OnRestating::GoesOn if shown.is_some() && is_shown => self.heard.be_only(name, at),
            OnRestating::GoesOn => {}
            OnRestating::Stays => self.heard.add(name, at, None, &self.aggregate),
        }
    }

    /// The names of those who told what is shown; an empty one if there are more than can be known.
    pub(super) fn tellers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.heard.shares.iter().filter(|(_, share)| share.is_in(&self.aggregate)).map(|(name, _)| name)
    }

    /// What each of them has told, as it is written down: not of those in whatever is shown.
    pub(super) fn shares(&self) -> BTreeMap<String, ShareCheckpoint> {
        let is_known = |share: &Share| !share.is_in_any && share.is_in(&self.aggregate);
        let known = self.heard.shares.iter().filter(|(_, share)| is_known(share));
        let stored = |(name, share): (&Arc<str>, &Share)| {
            let keys = share.keys.iter().filter(|key| self.aggregate.shows(key)).cloned().collect();
            (name.to_string(), ShareCheckpoint { newest: share.newest, keys })
        };
        known.map(stored).collect()
    }
}
