//! Alarms that found no room, since as many stand as can be kept: nothing is known of them, and that there were some is on record.
//!
//! An entry says when it begins, one how many there were when it is over, and in between one each while while more come: whoever reads the record
//! later finds that it isn't all (H2, H5). Such an entry is no alarm's: its rule is one that no board file can name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchfloor_model::{Mono, Timestamp};

use super::{
    alarms::{AlarmKey, Instant},
    change::Change,
    entry::AlarmEntry,
};
use crate::frame::SinceLack;

/// What such a rule's name begins with.
pub const OF_ROOM: &str = "room:";
/// All alarms of the board are too many.
const OF_ALL: &str = "room:alarms";
/// The keys of a rule are.
const OF_KEYS: &str = "room:keys";
/// What an entry calls the number of alarms.
const COUNT: &str = "count";
/// Alarms at most that are told apart; of more, it isn't known whether they are others.
const HOMELESS_MAX: usize = 12_000;
/// It is over when for so long all that held found room.
const OVER_AFTER: Duration = Duration::from_secs(60);
/// While more come, one more entry says so after so long at the soonest.
const AGAIN_AFTER: Duration = Duration::from_secs(600);
/// Stretches at most that are told of one cause; the last one has the rest.
const SPANS_MAX: usize = 20;

/// Whether a rule's name is that of such entries.
#[must_use]
pub fn is_of_room(rule: &str) -> bool {
    rule.starts_with(OF_ROOM)
}

/// Which room is too small: of all alarms, or of the keys of a rule.
pub(super) fn key_of(rule: Option<&str>) -> AlarmKey {
    match rule {
        None => AlarmKey::of_rule(OF_ALL),
        Some(rule) => AlarmKey { rule: OF_KEYS.into(), of: rule.into() },
    }
}

/// One stretch in which there was no room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoRoom {
    /// Since when, by this machine's clock.
    since: Timestamp,
    /// When the last one was refused, by its source's clock.
    at: Timestamp,
    /// How many were.
    count: u64,
    /// How many of them are told of on record.
    told: u64,
    /// Those that hold and have no room.
    #[serde(skip)]
    homeless: BTreeSet<AlarmKey>,
    /// When the last one was refused, and when it was told of.
    #[serde(skip)]
    last: Mono,
    #[serde(skip)]
    told_at: Mono,
}

/// An entry to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ToTell {
    pub(super) key: AlarmKey,
    pub(super) words: String,
    pub(super) cause: Vec<(String, String)>,
    pub(super) at: Timestamp,
    pub(super) until: Option<Timestamp>,
}

/// What is written down: by whose room it is.
pub(super) type RoomCheckpoint = Vec<(AlarmKey, NoRoom)>;

/// What has no room now.
#[derive(Debug, Default)]
pub(super) struct Room {
    now: BTreeMap<AlarmKey, NoRoom>,
    /// Up to when refusals are counted already that come again, as events are folded again.
    counted: BTreeMap<AlarmKey, Timestamp>,
}

impl Room {
    /// An alarm holds and finds no room. Answers whether it is one more.
    pub(super) fn refuse(&mut self, of: &AlarmKey, key: &AlarmKey, at: Timestamp, now: Instant) -> bool {
        if self.counted.get(of).is_some_and(|counted| at <= *counted) {
            return false;
        }
        let own = self.now.entry(of.clone()).or_insert_with(|| NoRoom {
            since: now.wall,
            at,
            count: 0,
            told: 0,
            homeless: BTreeSet::new(),
            last: now.mono,
            told_at: now.mono,
        });
        if own.homeless.len() >= HOMELESS_MAX || !own.homeless.insert(key.clone()) {
            return false;
        }
        (own.at, own.last, own.count) = (own.at.max(at), now.mono, own.count.saturating_add(1));
        true
    }

    /// An alarm holds no more, or has found room.
    pub(super) fn let_go(&mut self, key: &AlarmKey) {
        for own in self.now.values_mut() {
            own.homeless.remove(key);
        }
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<ToTell> {
        let mut all = Vec::new();
        self.now.retain(|key, own| {
            let is_over = own.is_over(now.mono);
            let begins = own.told == 0;
            if is_over || begins || own.count > own.told && now.mono.since(own.told_at) >= AGAIN_AFTER {
                (own.told, own.told_at) = (own.count, now.mono);
                all.push(own.telling(key, is_over.then_some(now.wall)));
            }
            !is_over
        });
        all
    }

    /// When time alone brings something to be told.
    pub(super) fn poll_timeout(&self) -> Option<Mono> {
        let due = |own: &NoRoom| {
            let over = own.homeless.is_empty().then(|| own.last.plus(OVER_AFTER));
            let again = (own.count > own.told).then(|| own.told_at.plus(AGAIN_AFTER));
            over.into_iter().chain(again).min()
        };
        self.now.values().filter_map(due).min()
    }

    pub(super) fn checkpoint(&self) -> RoomCheckpoint {
        self.now.iter().map(|(key, own)| (key.clone(), own.clone())).collect()
    }

    /// Takes what was written down. What had no room is heard of anew.
    pub(super) fn restore(&mut self, checkpoint: RoomCheckpoint, now: Instant) {
        let begun = |own: NoRoom| NoRoom { last: now.mono, told_at: now.mono, ..own };
        self.now = checkpoint.into_iter().map(|(key, own)| (key, begun(own))).collect();
        self.counted = self.now.iter().map(|(key, own)| (key.clone(), own.at)).collect();
    }

    /// Takes an entry that went on record after that. Answers whether it is one of these.
    pub(super) fn take(&mut self, change: &Change, now: Instant) -> bool {
        if !is_of_room(&change.key.rule) {
            return false;
        }
        let at = change.event.unwrap_or(change.decided);
        self.counted.insert(change.key.clone(), at);
        let count = count_of(change.now.cause.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if change.said.as_ref().is_some_and(|said| said.until.is_some()) {
            self.now.remove(&change.key);
            return true;
        }
        let own = self.now.entry(change.key.clone()).or_insert_with(|| NoRoom {
            since: change.decided,
            at,
            count,
            told: count,
            homeless: BTreeSet::new(),
            last: now.mono,
            told_at: now.mono,
        });
        (own.at, own.count, own.told) = (own.at.max(at), own.count.max(count), own.told.max(count));
        true
    }

    /// All that is on record was folded again.
    pub(super) fn be_folded(&mut self) {
        self.counted.clear();
    }
}

impl NoRoom {
    fn is_over(&self, now: Mono) -> bool {
        self.homeless.is_empty() && now.since(self.last) >= OVER_AFTER
    }

    fn telling(&self, key: &AlarmKey, until: Option<Timestamp>) -> ToTell {
        let count = self.count;
        let words = match (until, &*key.of) {
            (None, "") => format!("alarms without room: {count}"),
            (None, of) => format!("alarms of {of} without room: {count}"),
            (Some(_), "") => format!("over now; alarms without room: {count}"),
            (Some(_), of) => format!("over now; alarms of {of} without room: {count}"),
        };
        ToTell { key: key.clone(), words, cause: vec![(COUNT.to_owned(), count.to_string())], at: self.at, until }
    }
}

fn count_of<'a>(mut cause: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    cause.find(|(name, _)| *name == COUNT).and_then(|(_, count)| count.parse().ok()).unwrap_or(1)
}

/// One stretch as the record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    count: u64,
    from_ms: i64,
    to_ms: Option<i64>,
}

/// What the record says of alarms that found no room.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    spans: BTreeMap<AlarmKey, Vec<Span>>,
}

impl Refused {
    /// What held at `from_ms`: the newest entry before of each.
    pub fn carry(&mut self, entry: &AlarmEntry, from_ms: i64) {
        if entry.until_ms.is_none() {
            self.take_from(entry, from_ms);
        }
    }

    /// An entry of the stretch. Answers whether it is one of these.
    pub fn take(&mut self, entry: &AlarmEntry) -> bool {
        if !is_of_room(&entry.rule) {
            return false;
        }
        self.take_from(entry, entry.decided_ms);
        true
    }

    fn take_from(&mut self, entry: &AlarmEntry, from_ms: i64) {
        let count = count_of(entry.cause.iter().map(|cause| (cause.name.as_str(), cause.value.as_str())));
        let spans = self.spans.entry(entry.key()).or_default();
        let is_full = spans.len() >= SPANS_MAX;
        match spans.last_mut() {
            Some(last) if last.to_ms.is_none() && count >= last.count => {
                (last.count, last.to_ms) = (count, entry.until_ms);
            }
            Some(last) if is_full => {
                (last.count, last.to_ms) = (last.count.saturating_add(count), entry.until_ms);
            }
            // Of one that wasn't ended, as by a crash, another follows.
            Some(last) => {
                last.to_ms = last.to_ms.or(Some(from_ms));
                spans.push(Span { count, from_ms, to_ms: entry.until_ms });
            }
            None => spans.push(Span { count, from_ms, to_ms: entry.until_ms }),
        }
    }

    /// What isn't known for that.
    #[must_use]
    pub fn lacks(self) -> Vec<SinceLack> {
        let lack = |key: &AlarmKey, span: Span| SinceLack::AlarmsNoRoom {
            count: span.count,
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            rule: (!key.of.is_empty()).then(|| key.of.to_string()),
        };
        let all = self.spans.into_iter();
        all.flat_map(|(key, spans)| spans.into_iter().map(|span| lack(&key, span)).collect::<Vec<_>>()).collect()
    }
}

#[cfg(test)]
mod tests;
