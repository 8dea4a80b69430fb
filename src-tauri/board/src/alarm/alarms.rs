//! All alarms of a board: what they come to by turns of their conditions, by what becomes of their evidence, by what people do.
//!
//! Each change is handed out once, in order, for the record; whoever announces does so after it stands there. What is on record
//! already, as after a crash when events are folded again, is known by it and changes nothing (H4, H6).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;
use watchfloor_model::{Mono, Timestamp};

pub use super::{
    change::{Change, Standing, Told},
    key::AlarmKey,
};
use super::{
    delay::Turn,
    flood::{Flood, FloodChange},
    index::Index,
    machine::{Evidence, Input, Manner, Record, Refusal, Sound, Step},
    people::{COMMENTS_MAX, Said},
    room::{Room, RoomCheckpoint},
};

/// Alarms at most that are something else than normal. What comes beyond is counted, and told.
pub const STANDING_MAX: usize = 12_000;
/// Of these, as many are for critical ones alone, and as many for critical and high ones.
const FOR_URGENT: usize = 1000;
/// Alarms that are over and of which the last turn is remembered, so that what comes late is known to be late. Of more, the oldest go.
const ENDED_MAX: usize = 10_000;

/// How soon somebody must act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// Within half an hour.
    #[default]
    Medium,
    /// Within ten minutes.
    High,
    /// At once.
    Critical,
}

/// What an alarm's rule says of it, besides what it is judged by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// How soon somebody must act.
    pub priority: Priority,
    /// What its end asks for.
    pub manner: Manner,
    /// Rules whose alarms, while they hold, are the reason of this one.
    pub parents: Vec<Arc<str>>,
    /// Alarms of one plant or area: the first of them is marked.
    pub group: Option<Arc<str>>,
    /// Acknowledged and still holding for so long, it calls anew.
    pub realarm: Option<Duration>,
}

/// The instant at which something is decided, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// For spans.
    pub mono: Mono,
    /// For records.
    pub wall: Timestamp,
}

/// An alarm that is over: up to when turns were taken, by the source's clock, and which occurrence was the last.
type Ended = (Timestamp, u64);

/// What an event does to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Its condition holds, or doesn't.
    Turn(bool),
    /// Somebody of another system knows of it.
    Acknowledge,
    /// Another system keeps it from calling, or doesn't any more.
    Suppress(bool),
    /// It is of this priority now.
    Urgency(Priority),
    /// What happened in the meantime isn't known.
    Unseen,
}

impl Effect {
    /// What an entry says that an event did.
    fn of(change: &Change) -> Option<(Timestamp, Self)> {
        let effect = match change.what? {
            Input::Raise { .. } => Self::Turn(true),
            Input::Clear => Self::Turn(false),
            Input::Acknowledge { .. } => Self::Acknowledge,
            Input::Suppress(is_on) => Self::Suppress(is_on),
            Input::Worsen | Input::Ease => Self::Urgency(change.now.priority),
            Input::Unseen => Self::Unseen,
            _ => return None,
        };
        Some((change.event?, effect))
    }
}

/// What is written down of all alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmsCheckpoint {
    /// What stands.
    pub standing: Vec<(AlarmKey, Standing)>,
    /// What is over, and is known to be.
    pub ended: Vec<(AlarmKey, Ended)>,
    /// The number of the last entry of the record.
    #[serde(default)]
    pub number: u64,
    /// What has no room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) room: RoomCheckpoint,
}

impl AlarmsCheckpoint {
    /// Whether the condition of an alarm held.
    pub(super) fn holds(&self, key: &AlarmKey) -> bool {
        self.standing.iter().any(|(own, standing)| own == key && standing.alarm.base.is_active())
    }
}

/// The alarms.
#[derive(Debug, Default)]
pub struct Alarms {
    rules: BTreeMap<Arc<str>, Terms>,
    standing: BTreeMap<AlarmKey, Standing>,
    /// Of what stands.
    index: Index,
    ended: BTreeMap<AlarmKey, Ended>,
    /// What events did that are on record and come again, as they are folded again.
    recorded: BTreeMap<AlarmKey, VecDeque<(Timestamp, Effect)>>,
    changes: Vec<Change>,
    /// The number of the last entry.
    number: u64,
    floods: Vec<FloodChange>,
    flood: Flood,
    lost: u64,
    room: Room,
}

impl Alarms {
    /// No alarm stands. The rules are those of the board, by their ids.
    #[must_use]
    pub fn new(rules: BTreeMap<Arc<str>, Terms>) -> Self {
        let index = Index::of(&rules, &BTreeMap::new());
        Self { rules, index, ..Self::default() }
    }

    /// What stands, by key.
    #[must_use]
    pub const fn standing(&self) -> &BTreeMap<AlarmKey, Standing> {
        &self.standing
    }

    /// Whether the condition of an alarm holds, as far as is known.
    #[must_use]
    pub fn holds(&self, key: &AlarmKey) -> bool {
        self.standing.get(key).is_some_and(|own| own.alarm.base.is_active())
    }

    /// What is said of a rule's alarms.
    #[must_use]
    pub fn terms(&self, rule: &str) -> Option<&Terms> {
        self.rules.get(rule)
    }

    /// The flood, if there is one.
    #[must_use]
    pub const fn flood(&self) -> &Flood {
        &self.flood
    }

    /// The number of the last entry of the record.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// How many alarms were more than can be kept.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// The entries for the record since this was last asked, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// What became of floods since this was last asked.
    pub fn take_floods(&mut self) -> Vec<FloodChange> {
        std::mem::take(&mut self.floods)
    }

    /// Goes on after a start: these were raised here before it, oldest first. A flood that stands goes on.
    pub(crate) fn resume_flood(&mut self, raised: impl IntoIterator<Item = Mono>, now: Mono) {
        self.floods.extend(self.flood.resume(raised, now));
    }

    /// What is to be written down of it.
    #[must_use]
    pub fn checkpoint(&self) -> AlarmsCheckpoint {
        let standing = self.standing.iter().map(|(key, own)| (key.clone(), own.clone())).collect();
        let ended = self.ended.iter().map(|(key, own)| (key.clone(), *own)).collect();
        AlarmsCheckpoint { standing, ended, number: self.number, room: self.room.checkpoint() }
    }

    /// Takes what was written down, and what went on record after it, in its order. Then the events since are folded again; turns that are
    /// on record are known by it, until [`Alarms::be_folded`]. What was on the shelf stays there no longer than it was meant to.
    pub fn restore(&mut self, checkpoint: AlarmsCheckpoint, record: impl IntoIterator<Item = Change>, now: Instant) {
        self.standing = checkpoint.standing.into_iter().collect();
        self.ended = checkpoint.ended.into_iter().collect();
        self.number = checkpoint.number;
        self.room.restore(checkpoint.room, now);
        for change in record {
            self.number = self.number.max(change.number);
            if self.room.take(&change, now) {
                continue;
            }
            if let Some(recorded) = Effect::of(&change) {
                self.recorded.entry(change.key.clone()).or_default().push_back(recorded);
            }
            self.ended.remove(&change.key);
            self.standing.insert(change.key, change.now);
        }
        let keys: Vec<AlarmKey> = self.standing.keys().cloned().collect();
        for key in keys {
            let Some(own) = self.standing.get_mut(&key) else { continue };
            // What it is judged by is heard anew.
            own.alarm.evidence = Evidence::Unknown;
            let left = |said: &Said| Some(now.mono.plus(said.until?.since(now.wall)));
            own.deadlines.shelf = own.shelved.as_ref().and_then(left);
            own.deadlines.realarm =
                own.lingers().then(|| Some(now.mono.plus(self.rules.get(&key.rule)?.realarm?))).flatten();
            self.forget(&key);
        }
        self.index = Index::of(&self.rules, &self.standing);
        self.inhibit_all(now);
    }

    /// All that is on record was folded again: what comes now is new.
    pub fn be_folded(&mut self) {
        self.recorded.clear();
        self.room.be_folded();
    }

    /// Takes the rules of another file. An alarm whose rule is gone is shown as removed until somebody lets it go.
    pub fn reload(&mut self, rules: BTreeMap<Arc<str>, Terms>, now: Instant) {
        self.rules = rules;
        self.index = Index::of(&self.rules, &self.standing);
        for key in self.keys(|key, _| !self.rules.contains_key(&key.rule)) {
            self.apply(&key, Input::Remove, None, now, None);
        }
        // How bad another system's alarm is it says itself.
        let differs = |own: &Standing, terms: &Terms| own.foreign.is_none() && terms.priority != own.priority;
        for key in self.keys(|key, own| self.rules.get(&key.rule).is_some_and(|terms| differs(own, terms))) {
            let Some((own, terms)) = self.standing.get_mut(&key).zip(self.rules.get(&key.rule)) else { continue };
            let is_worse = terms.priority > own.priority;
            own.priority = terms.priority;
            self.apply(&key, if is_worse { Input::Worsen } else { Input::Ease }, None, now, None);
        }
        self.inhibit_all(now);
    }

    /// The condition of an alarm has turned. `evidence` is how far what it is judged by can be believed now, and `cause` is asked for when it is
    /// raised. A turn that is on record already changes nothing, nor does one that is older than what is known.
    pub fn handle_turn<T: Into<Told>>(
        &mut self,
        key: &AlarmKey,
        turn: Turn,
        evidence: Evidence,
        cause: impl FnOnce() -> T,
        now: Instant,
    ) {
        if !self.rules.contains_key(&key.rule) || self.is_recorded(key, turn.at, Effect::Turn(turn.holds)) {
            return;
        }
        let taken = match self.standing.get(key) {
            Some(own) => own.taken,
            None => self.ended.get(key).map(|(taken, _)| *taken),
        };
        if !turn.holds {
            self.room.let_go(key);
        }
        if taken.is_some_and(|taken| turn.at < taken) || !turn.holds && !self.standing.contains_key(key) {
            return;
        }
        if turn.holds == self.holds(key) {
            return;
        }
        let told = turn.holds.then(|| cause().into());
        let group = told.as_ref().and_then(|told| told.foreign.as_ref()?.group.as_deref());
        let is_first = turn.holds && self.is_first(key, group);
        let is_new = !self.standing.contains_key(key);
        let priority = told.as_ref().and_then(|told| Some(told.foreign.as_ref()?.priority));
        let Some(own) = self.stand_as(key, priority) else {
            self.refuse(None, key, turn.at, now);
            return;
        };
        own.taken = Some(turn.at);
        // What holds or doesn't by proven events is known as of them.
        let before = std::mem::replace(&mut own.alarm.evidence, Evidence::Live);
        if let Some(told) = told {
            own.be_raised(turn, told, is_first, now.wall);
        } else {
            own.returned = Some(turn.at);
            own.behaviour.note_clear(turn.at);
        }
        let stamp = u64::try_from(turn.since.as_millis()).unwrap_or_default();
        let input = if turn.holds { Input::Raise { stamp } } else { Input::Clear };
        self.apply(key, input, Some(turn.at), now, None);
        if let Some(own) = self.standing.get_mut(key) {
            // Of what stood already, that is told when it changes.
            own.alarm.evidence = if is_new { evidence } else { before };
        }
        if turn.holds {
            self.floods.extend(self.flood.handle_raise(now.mono));
            self.room.let_go(key);
        }
        self.settle(key, now);
    }

    /// Whether what an event does is on record, or did nothing before something that is.
    pub(super) fn is_recorded(&mut self, key: &AlarmKey, at: Timestamp, effect: Effect) -> bool {
        let Some(recorded) = self.recorded.get_mut(key) else { return false };
        if recorded.front() == Some(&(at, effect)) {
            recorded.pop_front();
            if recorded.is_empty() {
                self.recorded.remove(key);
            }
        }
        true
    }

    /// How far what a rule's alarms are judged by can be believed. Of those that are normal nothing is kept.
    pub fn handle_evidence(&mut self, rule: &str, evidence: Evidence, now: Instant) {
        let of_it = self.of_rule(rule).filter(|(_, own)| own.alarm.evidence != evidence);
        let keys: Vec<AlarmKey> = of_it.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.apply(&key, Input::Judge(evidence), None, now, None);
        }
    }

    /// The same of one alarm.
    pub fn handle_evidence_of(&mut self, key: &AlarmKey, evidence: Evidence, now: Instant) {
        if self.standing.get(key).is_some_and(|own| own.alarm.evidence != evidence) {
            self.apply(key, Input::Judge(evidence), None, now, None);
        }
    }

    /// What stands must be what holds, whatever kept a turn from being taken: a clock that was set back, or no room.
    pub fn agree<T: Into<Told>>(
        &mut self,
        key: &AlarmKey,
        (holds, at): (bool, Timestamp),
        evidence: Evidence,
        cause: impl FnOnce() -> T,
        now: Instant,
    ) {
        if self.holds(key) == holds {
            return;
        }
        // What it is told from now on is another story.
        if let Some(own) = self.standing.get_mut(key) {
            own.taken = None;
        } else if let Some((taken, _)) = self.ended.get_mut(key) {
            *taken = Timestamp::from_millis(i64::MIN);
        }
        self.handle_turn(key, Turn { holds, at, since: at }, evidence, cause, now);
    }

    /// A source's clock was set back: what its rules are told from now on is another story.
    pub fn handle_set_back(&mut self, rule: &str) {
        let from = self.standing.range_mut(AlarmKey::of_rule(rule)..);
        from.take_while(|(key, _)| *key.rule == *rule).for_each(|(_, own)| own.taken = None);
        self.ended.retain(|key, _| *key.rule != *rule);
    }

    /// Time has passed: what was on the shelf for long enough comes back, and what was acknowledged and holds on calls anew.
    pub fn handle_time(&mut self, now: Instant) {
        self.floods.extend(self.flood.handle_time(now.mono));
        self.tell_room(now);
        let is_due = |at: Option<Mono>| at.is_some_and(|at| at <= now.mono);
        let is_over =
            |own: &Standing| own.shelved.as_ref().and_then(|said| said.until).is_some_and(|at| at <= now.wall);
        let is_off = |own: &Standing| own.alarm.suppression.is_shelved && (is_due(own.deadlines.shelf) || is_over(own));
        for key in self.timed(is_off) {
            self.apply(&key, Input::Shelve(false), None, now, None);
            self.settle(&key, now);
        }
        for key in self.timed(|own| is_due(own.deadlines.realarm)) {
            if let Some(own) = self.standing.get_mut(&key) {
                own.deadlines.realarm = None;
            }
            self.apply(&key, Input::Realarm, None, now, None);
        }
    }

    /// When time alone changes something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let timed = self.index.timed().filter_map(|key| self.standing.get(key));
        let deadlines = timed.flat_map(|own| [own.deadlines.shelf, own.deadlines.realarm]).flatten();
        deadlines.chain(self.flood.poll_timeout()).chain(self.room.poll_timeout()).min()
    }

    /// The keys of those that stand and are meant.
    fn keys(&self, is_meant: impl Fn(&AlarmKey, &Standing) -> bool) -> Vec<AlarmKey> {
        self.standing.iter().filter(|(key, own)| is_meant(key, own)).map(|(key, _)| key.clone()).collect()
    }

    /// Those of a rule that stand.
    pub(super) fn of_rule(&self, rule: &str) -> impl Iterator<Item = (&AlarmKey, &Standing)> {
        self.standing.range(AlarmKey::of_rule(rule)..).take_while(move |(key, _)| *key.rule == *rule)
    }

    /// The keys of those that time alone changes and are meant.
    fn timed(&self, is_meant: impl Fn(&Standing) -> bool) -> Vec<AlarmKey> {
        let is_meant = |key: &&AlarmKey| self.standing.get(*key).is_some_and(&is_meant);
        self.index.timed().filter(is_meant).cloned().collect()
    }

    /// One that stands. What makes it stand or not, and its times, are changed by [`Alarms::apply`] alone.
    pub(super) fn standing_mut(&mut self, key: &AlarmKey) -> Option<&mut Standing> {
        self.standing.get_mut(key)
    }

    /// An alarm as one that stands, whether or not it did. None if there is no such rule, or there are too many.
    pub(super) fn stand(&mut self, key: &AlarmKey) -> Option<&mut Standing> {
        self.stand_as(key, None)
    }

    /// The same of one that has this priority, if another system says so.
    fn stand_as(&mut self, key: &AlarmKey, priority: Option<Priority>) -> Option<&mut Standing> {
        let terms = self.rules.get(&key.rule)?;
        if !self.standing.contains_key(key) {
            // What is more urgent finds room where the rest has none.
            let kept_free = match priority.unwrap_or(terms.priority) {
                Priority::Critical => 0,
                Priority::High => FOR_URGENT,
                Priority::Medium | Priority::Low => 2 * FOR_URGENT,
            };
            if self.standing.len() >= STANDING_MAX - kept_free {
                return None;
            }
            let mut own = Standing::new(terms.priority);
            if let Some((taken, occurrence)) = self.ended.remove(key) {
                own.taken = Some(taken);
                own.alarm.occurrence = occurrence;
            }
            self.standing.insert(key.clone(), own);
        }
        self.standing.get_mut(key)
    }

    /// Takes an input for one that stands, and writes down what it did.
    pub(super) fn apply(
        &mut self,
        key: &AlarmKey,
        input: Input,
        event: Option<Timestamp>,
        now: Instant,
        said: Option<Said>,
    ) -> Option<Refusal> {
        let terms = self.rules.get(&key.rule).map(|terms| (terms.manner, terms.realarm));
        let (manner, realarm) = terms.unwrap_or_default();
        let own = self.standing.get_mut(key)?;
        let from = own.alarm.shown();
        let Step { alarm, sound, record, refusal } = own.alarm.step(input, manner);
        own.alarm = alarm;
        if refusal.is_none() && record == Record::Entry {
            own.note(input, said.as_ref(), realarm, now);
        }
        self.index.note(key, own, self.rules.get(&key.rule));
        if record == Record::Entry {
            let (key, what, now_is, decided) = (key.clone(), Some(input), own.clone(), now.wall);
            self.write(Change { number: 0, key, what, from, now: now_is, sound, event, decided, said, refusal });
        }
        refusal
    }

    /// One more entry.
    fn write(&mut self, change: Change) {
        self.number += 1;
        self.changes.push(Change { number: self.number, ..change });
    }

    /// Somebody wrote something to an alarm.
    pub(super) fn note_comment(&mut self, key: &AlarmKey, said: Said, now: Instant) {
        let Some(own) = self.standing.get_mut(key) else { return };
        if own.comments.len() >= COMMENTS_MAX {
            own.comments.remove(0);
        }
        own.comments.push(said.clone());
        let change = Change {
            number: 0,
            key: key.clone(),
            what: None,
            from: own.alarm.shown(),
            now: own.clone(),
            sound: Sound::Keep,
            event: None,
            decided: now.wall,
            said: Some(said),
            refusal: None,
        };
        self.write(change);
    }

    /// Something was done to an alarm: what follows for the others, and whether there is anything left to say of it.
    pub(super) fn settle(&mut self, key: &AlarmKey, now: Instant) {
        self.inhibit(key, None, now);
        self.forget(key);
    }

    /// Whether it would be the first of its group that stands: of that of its rule, or of another system's.
    fn is_first(&self, key: &AlarmKey, foreign: Option<&str>) -> bool {
        let group = foreign.or_else(|| self.rules.get(&key.rule)?.group.as_deref());
        group.is_some_and(|group| !self.index.has_other(group, key))
    }

    /// Alarms whose parents stand are suppressed by design, and no longer when these don't. Parents of parents count as well, since what
    /// is suppressed runs on beneath. Something was done to `key`; if another system has just put it aside, or no longer does, `told` is when.
    pub(super) fn inhibit(&mut self, key: &AlarmKey, told: Option<Timestamp>, now: Instant) {
        let mut keys = BTreeSet::from([key.clone()]);
        for rule in self.index.take_turned() {
            keys.extend(self.of_rule(&rule).map(|(key, _)| key.clone()));
        }
        self.inhibit_those(keys, told.map(|at| (key, at)), now);
    }

    /// The same of all of them: the rules are others, or what stands was read back.
    fn inhibit_all(&mut self, now: Instant) {
        self.index.take_turned();
        self.inhibit_those(self.standing.keys().cloned().collect(), None, now);
    }

    fn inhibit_those(&mut self, keys: BTreeSet<AlarmKey>, told: Option<(&AlarmKey, Timestamp)>, now: Instant) {
        for key in keys {
            let Some(own) = self.standing.get(&key) else { continue };
            let parents = self.rules.get(&key.rule).map(|terms| terms.parents.as_slice()).unwrap_or_default();
            let has_reason = parents.iter().any(|parent| *parent != key.rule && self.index.is_active(parent));
            let is_on = own.is_suppressed_elsewhere || has_reason;
            if is_on != own.alarm.suppression.is_by_design {
                let event = told.filter(|(own, _)| **own == key).map(|(_, at)| at);
                self.apply(&key, Input::Suppress(is_on), event, now, None);
                self.forget(&key);
            }
        }
    }

    /// Of what is normal, and by nobody put aside, only its last turn is kept.
    fn forget(&mut self, key: &AlarmKey) {
        let Some(own) = self.standing.get(key).filter(|own| own.is_over()) else { return };
        let ended = (own.taken.unwrap_or(Timestamp::from_millis(i64::MIN)), own.alarm.occurrence);
        self.standing.remove(key);
        self.index.forget(key);
        self.ended.insert(key.clone(), ended);
        if self.ended.len() > ENDED_MAX {
            let mut times: Vec<Timestamp> = self.ended.values().map(|(taken, _)| *taken).collect();
            let (_, middle, _) = times.select_nth_unstable(ENDED_MAX / 2);
            let middle = *middle;
            self.ended.retain(|_, (taken, _)| *taken > middle);
        }
    }
}

mod unseen;

#[cfg(test)]
mod tests;
