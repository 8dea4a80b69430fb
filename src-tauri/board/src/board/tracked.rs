//! One aggregate on the board, and what is known of its completeness.

use std::{collections::BTreeMap, time::Duration};

use watchfloor_model::{Continuity, Event, Mono, Timestamp};

use super::{check::Differences, heard};
use crate::{
    Aggregate,
    reduce::{Rejection, RestoreError},
};

/// When something was heard: on this program's clock, or before its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    at: Mono,
    /// How old it was then.
    age: Duration,
}

impl Heard {
    pub(super) const fn at(at: Mono) -> Self {
        Self { at, age: Duration::ZERO }
    }

    pub(super) const fn before(at: Mono, age: Duration) -> Self {
        Self { at, age }
    }

    pub(super) fn age(self, now: Mono) -> Duration {
        now.since(self.at).saturating_add(self.age)
    }

    /// How long after `earlier` it was; nothing if it wasn't.
    fn since(self, earlier: Self) -> Duration {
        // As it was seen at one instant.
        let at = self.at.max(earlier.at);
        earlier.age(at).saturating_sub(self.age(at))
    }

    /// The later one of two, as seen at `now`.
    pub(super) fn later(self, other: Self, now: Mono) -> Self {
        if other.age(now) <= self.age(now) { other } else { self }
    }
}

/// What came of a key and is dated before what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overtaken {
    /// When the last of it came.
    pub(super) last: Heard,
    /// How long after the first that was.
    pub(super) lasts: Duration,
}

/// What came of a key after what is shown, and can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusable {
    /// When the first of it came.
    pub(super) first: Heard,
    /// The source's time of the newest of it.
    pub(super) time: Timestamp,
}

/// Keys at most of which it is known that what came last, or is newest, isn't shown.
const KEYS_MAX: usize = 1024;

/// An aggregate of one source; widgets that fold alike share it.
pub(super) struct Tracked {
    pub(super) aggregate: Aggregate,
    /// What is known about its completeness.
    pub(super) basis: Continuity,
    /// Events until this instant of the source's time may be missing.
    pub(super) incomplete_until: Option<Timestamp>,
    /// Whether it has folded an event, or was restored.
    pub(super) is_known: bool,
    /// When its newest event was.
    pub(super) received: Option<Heard>,
    /// Events that it could not use, and the newest reason.
    pub(super) rejected: Option<(u64, String)>,
    /// By key, what came that is dated before what is shown, with nothing between the first and the last of it that isn't.
    pub(super) overtaken: BTreeMap<String, Overtaken>,
    /// By key, what came last and can't be used, so that what is shown is what was before it.
    pub(super) unusable: BTreeMap<String, Unusable>,
    /// Whether what a gauge shows was told by events that its site says nothing of.
    pub(super) is_told_elsewise: bool,
    /// How it differed from what a site said the last time.
    pub(super) suspected: Option<Differences>,
    /// Whose events are in it, where publishers say whether they are good.
    pub(super) heard: heard::Heard,
    /// Whether each of its rows says that itself.
    pub(super) marks_quality: bool,
}

impl Tracked {
    pub(super) fn new(aggregate: Aggregate) -> Self {
        Self {
            aggregate,
            basis: Continuity::Unknown,
            incomplete_until: None,
            is_known: false,
            received: None,
            rejected: None,
            overtaken: BTreeMap::new(),
            unusable: BTreeMap::new(),
            is_told_elsewise: false,
            suspected: None,
            heard: heard::Heard::default(),
            marks_quality: false,
        }
    }

    /// Whether there is anything to show.
    pub(super) fn has_value(&self) -> bool {
        self.is_known && !self.aggregate.is_blank()
    }

    /// Whether the number shown is a lower bound.
    pub(super) fn is_at_least(&self) -> bool {
        self.incomplete_until.is_some() && self.aggregate.grows_only()
    }

    /// An event was folded: sees whether what it speaks of shows something that is dated later.
    pub(super) fn note_order(&mut self, event: &Event) {
        let is_noted = !self.overtaken.is_empty() || !self.unusable.is_empty();
        if !is_noted && self.aggregate.newest().is_none_or(|newest| newest <= event.time) {
            return;
        }
        if let Some((key, shown)) = self.aggregate.shown_of(event) {
            if shown <= event.time.as_millis() {
                self.overtaken.remove(&key);
                self.unusable.remove(&key);
            } else if let Some(own) = self.overtaken.get_mut(&key) {
                let last = Heard::at(event.received);
                *own = Overtaken { last, lasts: own.lasts.saturating_add(last.since(own.last)) };
            } else if self.overtaken.len() < KEYS_MAX {
                self.overtaken.insert(key, Overtaken { last: Heard::at(event.received), lasts: Duration::ZERO });
            }
        }
    }

    /// A batch of events was folded: what is shown no more was not overtaken either.
    pub(super) fn forget_order_of_what_is_gone(&mut self) {
        self.overtaken.retain(|key, _| self.aggregate.shows(key));
        self.unusable.retain(|key, _| self.aggregate.shows(key));
    }

    /// An event was folded that its site says is so: what is shown of what it speaks of can be used, unless that is newer.
    pub(super) fn note_usable(&mut self, event: &Event) {
        if self.unusable.is_empty() {
            return;
        }
        if let Some(key) = self.newest_by(event) {
            self.unusable.remove(&key);
        }
    }

    /// The key of what is shown of what an event speaks of, if the event isn't older than that.
    pub(super) fn newest_by(&self, event: &Event) -> Option<String> {
        let (key, shown) = self.aggregate.shown_of(event)?;
        (shown <= event.time.as_millis()).then_some(key)
    }

    /// An event can't be used: sees whether it is newer than what is shown of what it speaks of.
    pub(super) fn note_unusable(&mut self, event: &Event) {
        let Some(key) = self.newest_by(event).filter(|_| self.unusable.len() < KEYS_MAX) else { return };
        let own = self.unusable.entry(key).or_insert(Unusable { first: Heard::at(event.received), time: event.time });
        own.time = own.time.max(event.time);
    }

    /// For how long something has been shown of which the newest that came can't be used.
    pub(super) fn unusable_for(&self, now: Mono) -> Option<Duration> {
        self.unusable.values().map(|own| own.first.age(now)).max()
    }

    /// For how long what comes is dated before what is shown (H1), if that has gone on for as long as `limit`: one event may be late, but
    /// not all, so a clock was set back.
    pub(super) fn overtaken_for(&self, limit: Duration, now: Mono) -> Option<Duration> {
        let lasting = self.overtaken.values().filter(|own| own.lasts >= limit);
        lasting.map(|own| own.last.age(now).saturating_add(own.lasts)).max()
    }

    pub(super) fn folds(&self, channel: &str) -> bool {
        let channels = self.aggregate.channels();
        channels.is_empty() || channels.iter().any(|own| own == channel)
    }

    /// Its state is the server's, of `time`, in which nothing after `since` is missing; nothing at all if that is none.
    pub(super) fn be_restored(&mut self, time: Timestamp, since: Option<Timestamp>) {
        self.basis = Continuity::Snapshot;
        self.is_known = true;
        self.overtaken.clear();
        // A server that folds as the wall does can't use it either.
        let newest = self.aggregate.newest();
        self.unusable.retain(|_, own| newest.is_none_or(|newest| newest < own.time));
        self.be_complete_since(time, since);
    }

    /// It begins anew, with nothing.
    pub(super) fn be_forgotten(&mut self) {
        self.aggregate.clear();
        self.basis = Continuity::Unknown;
        (self.incomplete_until, self.received, self.suspected) = (None, None, None);
        self.overtaken.clear();
        self.unusable.clear();
        (self.is_known, self.is_told_elsewise) = (false, false);
        self.heard = heard::Heard::default();
    }

    /// It is `time`, and nothing after `since` is missing; nothing at all if that is none. What came before is a gap, if it matters (H3).
    pub(super) fn be_complete_since(&mut self, time: Timestamp, since: Option<Timestamp>) {
        self.aggregate.advance(time);
        let horizon = self.aggregate.horizon();
        self.incomplete_until = since.filter(|since| horizon.is_none_or(|horizon| horizon < *since));
        if let Some(since) = self.incomplete_until {
            self.aggregate.note_gap(horizon.unwrap_or(Timestamp::from_millis(i64::MIN)), since);
        }
    }

    /// Events until `until` may be missing.
    pub(super) fn be_incomplete(&mut self, until: Timestamp) {
        self.basis = Continuity::Unknown;
        self.incomplete_until = self.incomplete_until.max(Some(until));
        // What was found before says nothing of what is missing since.
        self.suspected = None;
    }

    /// The source's clock, which had shown `before`, was set back: what time alone has let go by then may have gone too early (H1, H3).
    pub(super) fn note_set_back(&mut self, before: Option<Timestamp>) {
        if let Some(before) = before.filter(|_| self.is_known && self.aggregate.lets_go()) {
            self.be_incomplete(before);
        }
    }

    /// Whether nothing was ever told to it, nor that anything is missing.
    pub(super) fn is_new(&self) -> bool {
        !self.is_known && self.basis == Continuity::Unknown && self.incomplete_until.is_none()
    }

    /// What was until `until` was told to nobody here: charts show it, as far back as they go (H3).
    pub(super) fn note_beginning(&mut self, until: Timestamp) {
        let begin = self.aggregate.horizon().unwrap_or(Timestamp::from_millis(i64::MIN));
        self.aggregate.note_gap(begin, until);
    }

    /// Events until `until` may be missing; if nothing was told to it so far, all of them are.
    pub(super) fn be_unknown_until(&mut self, until: Timestamp) {
        if self.is_new() {
            self.note_beginning(until);
        }
        self.be_incomplete(until);
    }

    /// What was missing may have left the stretch that the value depends on; says whether it has.
    pub(super) fn forgive(&mut self) -> bool {
        let is_over = self.incomplete_until.zip(self.aggregate.horizon()).is_some_and(|(until, start)| until <= start);
        if is_over {
            self.incomplete_until = None;
            if self.basis == Continuity::Unknown {
                self.basis = Continuity::Proven;
            }
        }
        is_over
    }

    /// A state of the server's can't be read.
    pub(super) fn reject_state(&mut self, error: RestoreError) -> Rejection {
        let rejection = Rejection {
            place: "snapshot".to_owned(),
            found: error.problem,
            expected: format!("a state of {}", self.aggregate.fingerprint()),
        };
        self.reject(&rejection);
        rejection
    }

    pub(super) fn reject(&mut self, rejection: &Rejection) {
        let count = self.rejected.as_ref().map_or(0, |(count, _)| *count);
        self.rejected = Some((count.saturating_add(1), rejection.to_string()));
    }
}
