//! Rules over events: an alarm a key, raised and cleared by what events say.
//!
//! What an event says of a key holds until another one says otherwise. Where events may have been missed, nobody knows until the next one of the key.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use watchfloor_model::Timestamp;

use super::{
    alarms::{AlarmKey, Alarms, Instant, Priority, Terms},
    change::Told,
    condition::{Condition, Inputs, Truth},
    delay::{Delay, Delays, Turn},
    foreign::{Alert, Foreign, Message, Says, System, priority_of},
    machine::Evidence,
    people::By,
};

/// Keys at most of one rule that hold, or are on their way. Of what is beyond, nothing is known; it is counted.
const KEYS_MAX: usize = 10_000;
/// For how long another system must say that nothing stands. Alertmanager after a restart knows nothing until it is told again, which takes
/// up to a minute.
const EMPTY_FOR: Duration = Duration::from_secs(60);

/// A delivery of Alertmanager's that is older than another one comes within this: of a pair or three that know of each other the second one waits 15 s
/// for the first, and the third one 30 s (`--cluster.peer-timeout`). A group's next message that is one comes later (`group_interval`, 5 min where
/// nobody says otherwise, and hardly less than a minute).
const LATE: Duration = Duration::from_secs(45);
/// For how long it is remembered which occurrence is over.
const OVER_KEPT: Duration = Duration::from_secs(3600);

/// A rule, as a board has it.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// Its id, which no other has.
    pub id: Arc<str>,
    /// Who says of which keys that they hold.
    pub judge: Judge,
    /// For how long it must be so.
    pub delays: Delays,
    /// What else is said of its alarms.
    pub terms: Terms,
}

/// By what a rule over events is judged.
#[derive(Clone, Debug, PartialEq)]
pub enum Judge {
    /// By conditions over the event.
    Conditions {
        /// Which events raise.
        raise: Condition,
        /// Which clear; without it, those that don't raise.
        clear: Option<Condition>,
    },
    /// By another system, whose messages the events are.
    Foreign {
        /// Which.
        system: System,
        /// Which priority its severities are; of others see [`priority_of`], and the rule's own.
        severities: BTreeMap<String, Priority>,
    },
}

impl EventRule {
    fn story(&self) -> String {
        let mut story = match &self.judge {
            Judge::Conditions { raise, clear } => {
                format!("{}\n{}", raise.text(), clear.as_ref().map_or("", Condition::text))
            }
            Judge::Foreign { system, .. } => format!("from {}\n", system.word()),
        };
        // Writing into a text can't fail.
        let _written = write!(story, "\n{} {}", self.delays.on.as_millis(), self.delays.off.as_millis());
        story
    }

    /// What an event says of its key: that it holds, that it doesn't, or nothing.
    fn says(&self, inputs: &dyn Inputs) -> Option<Truth> {
        let Judge::Conditions { raise, clear } = &self.judge else { return None };
        match (raise.evaluate(inputs, 0.0), clear) {
            (Truth::Yes, _) => Some(Truth::Yes),
            (Truth::No, None) => Some(Truth::No),
            (Truth::Unknown(_), None) => None,
            (_, Some(clear)) => (clear.evaluate(inputs, 0.0) == Truth::Yes).then_some(Truth::No),
        }
    }

    /// How soon somebody must act, by another system's word.
    fn priority(&self, severity: Option<&str>) -> Priority {
        let own = match (&self.judge, severity) {
            (Judge::Foreign { severities, .. }, Some(severity)) => {
                severities.get(severity).copied().or_else(|| priority_of(severity))
            }
            _ => None,
        };
        own.unwrap_or(self.terms.priority)
    }
}

/// What is known of a rule.
#[derive(Clone, Debug)]
struct Own {
    rule: EventRule,
    /// By key, of those that hold or are on their way.
    delays: BTreeMap<Arc<str>, Delay>,
    /// By key, when another system says that it began. As folded, which after a crash is earlier than what stands.
    began: BTreeMap<Arc<str>, Timestamp>,
    /// By key, which occurrence another system has said to be over.
    over: BTreeMap<Arc<str>, Over>,
    /// Keys of which events may have been missed since the last one.
    doubted: BTreeSet<Arc<str>>,
    is_current: bool,
    /// Since when another system has said that nothing stands, where something did.
    empty_since: Option<Timestamp>,
}

/// An occurrence that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Over {
    /// When it began, by the other system's clock.
    since: Timestamp,
    /// When that was said, by the source's clock.
    at: Timestamp,
}

/// What is written down: by the rule's id, which rule that was, and how far each key was.
pub(super) type EventsCheckpoint = BTreeMap<String, OwnCheckpoint>;

/// The same of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnCheckpoint {
    story: String,
    keys: Vec<(Arc<str>, Delay)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    began: Vec<(Arc<str>, Timestamp)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    over: Vec<(Arc<str>, Over)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    empty_since: Option<Timestamp>,
}

/// All rules over events.
#[derive(Clone, Debug, Default)]
pub struct EventRules {
    rules: Vec<Own>,
}

impl EventRules {
    pub(super) fn reload(&mut self, rules: Vec<EventRule>) {
        let mut old: BTreeMap<String, Own> = self.rules.drain(..).map(|own| (own.rule.id.to_string(), own)).collect();
        let own = |rule: EventRule| match old.remove(&*rule.id).filter(|own| own.rule.story() == rule.story()) {
            Some(own) => Own { rule, ..own },
            None => Own {
                rule,
                delays: BTreeMap::new(),
                began: BTreeMap::new(),
                over: BTreeMap::new(),
                doubted: BTreeSet::new(),
                is_current: false,
                empty_since: None,
            },
        };
        self.rules = rules.into_iter().map(own).collect();
    }

    pub(super) fn terms(&self) -> impl Iterator<Item = (Arc<str>, Terms)> {
        self.rules.iter().map(|own| (Arc::clone(&own.rule.id), own.rule.terms.clone()))
    }

    /// How many rules nobody watches over now.
    pub(super) fn unknown(&self) -> usize {
        self.rules.iter().filter(|own| !own.is_current).count()
    }

    pub(super) fn checkpoint(&self) -> EventsCheckpoint {
        let keys = |own: &Own| own.delays.iter().map(|(key, delay)| (Arc::clone(key), *delay)).collect();
        let began = |own: &Own| own.began.iter().map(|(key, since)| (Arc::clone(key), *since)).collect();
        let over = |own: &Own| own.over.iter().map(|(key, over)| (Arc::clone(key), *over)).collect();
        let of = |own: &Own| OwnCheckpoint {
            story: own.rule.story(),
            keys: keys(own),
            began: began(own),
            over: over(own),
            empty_since: own.empty_since,
        };
        self.rules.iter().map(|own| (own.rule.id.to_string(), of(own))).collect()
    }

    pub(super) fn restore(&mut self, mut checkpoint: EventsCheckpoint) {
        for own in &mut self.rules {
            let kept = checkpoint.remove(&*own.rule.id).filter(|kept| kept.story == own.rule.story());
            (own.delays, own.began, own.over, own.empty_since) = match kept {
                Some(kept) => (
                    kept.keys.into_iter().take(KEYS_MAX).collect(),
                    kept.began.into_iter().take(KEYS_MAX).collect(),
                    kept.over.into_iter().take(KEYS_MAX).collect(),
                    kept.empty_since,
                ),
                None => (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), None),
            };
        }
    }

    /// What stands on record stands, also where no event says so any more.
    pub(super) fn be_folded(&mut self, alarms: &Alarms) {
        for own in &mut self.rules {
            own.delays.retain(|key, delay| !delay.holds() || alarms.holds(&key_of(&own.rule, key)));
            let standing = alarms.standing().iter().filter(|(key, _)| key.rule == own.rule.id);
            for (key, standing) in standing.filter(|(key, _)| alarms.holds(key)) {
                if let Some(since) = standing.foreign.as_ref().and_then(|foreign| foreign.since) {
                    own.began.insert(Arc::clone(&key.of), since);
                }
                let delay = own.delays.entry(Arc::clone(&key.of)).or_insert(Delay::of(true));
                if !delay.holds() {
                    *delay = Delay::of(true);
                }
            }
        }
    }

    /// An event came that the rule wants, of this key. `text` is what it says for people, asked for when it raises. False if there is no room
    /// for one more key.
    pub(super) fn handle_event(
        &mut self,
        (number, of): (usize, &str),
        inputs: &dyn Inputs,
        at: Timestamp,
        text: &dyn Fn() -> Vec<(String, String)>,
        now: Instant,
        alarms: &mut Alarms,
    ) -> bool {
        let Some(own) = self.rules.get_mut(number) else { return true };
        let Some(truth) = own.rule.says(inputs) else { return true };
        own.say(of, truth, (at, None), text, now, alarms)
    }

    /// A message of another system came, whose alarms these are. The keys for which there is no room.
    pub(super) fn handle_message(
        &mut self,
        number: usize,
        message: &Message,
        at: Timestamp,
        now: Instant,
        alarms: &mut Alarms,
    ) -> Vec<String> {
        let Some(own) = self.rules.get_mut(number) else { return Vec::new() };
        let mut homeless = Vec::new();
        for alert in &message.alerts {
            if !own.hear(alert, at, now, alarms) {
                homeless.push(alert.key.clone());
            }
        }
        if !message.is_whole || !own.is_believed(message, at) {
            return homeless;
        }
        let named = message.alerts.iter().map(|alert| alert.key.as_str()).collect();
        own.let_go(&named, at, now, alarms);
        homeless
    }

    /// Time has passed by the clock of these rules' source.
    pub(super) fn handle_time(
        &mut self,
        is_meant: impl Fn(usize) -> bool,
        at: Timestamp,
        now: Instant,
        alarms: &mut Alarms,
    ) {
        for (_, own) in self.rules.iter_mut().enumerate().filter(|(number, _)| is_meant(*number)) {
            let evidence = if own.is_current { Evidence::Live } else { Evidence::Stale };
            let Own { rule, delays, began, .. } = own;
            for (of, delay) in delays.iter_mut() {
                if let Some(turn) = delay.handle_time(at, rule.delays) {
                    alarms.handle_turn(&key_of(rule, of), turn, evidence, Vec::new, now);
                }
            }
            delays.retain(|_, delay| *delay != Delay::default());
            began.retain(|key, _| delays.contains_key(key));
            own.over.retain(|_, over| at.since(over.at) < OVER_KEPT);
            if let Some(due) = own.empty_until().filter(|due| *due <= at) {
                own.empty_since = None;
                own.let_go(&BTreeSet::new(), due, now, alarms);
            }
        }
    }

    /// When the next key turns if nothing else comes, by the clock of these rules' source.
    pub(super) fn due(&self, is_meant: impl Fn(usize) -> bool) -> Option<Timestamp> {
        let meant = || self.rules.iter().enumerate().filter(|(number, _)| is_meant(*number)).map(|(_, own)| own);
        let delayed = meant().filter(|own| own.has_delays());
        let turns = delayed.flat_map(|own| own.delays.values().filter_map(|delay| delay.due(own.rule.delays)));
        turns.chain(meant().filter_map(Own::empty_until)).min()
    }

    /// Events may have been missed: what is said of each key is no longer known.
    pub(super) fn handle_gap(
        &mut self,
        is_meant: impl Fn(usize) -> bool,
        at: Timestamp,
        now: Instant,
        alarms: &mut Alarms,
    ) {
        for (_, own) in self.rules.iter_mut().enumerate().filter(|(number, _)| is_meant(*number)) {
            own.doubted.extend(own.delays.keys().cloned());
            own.empty_since = None;
            for (of, delay) in &mut own.delays {
                let unknown = Truth::Unknown(super::condition::Why::Incomplete);
                // Nothing turns by that: what was due until then was told before.
                let _none = delay.handle(unknown, at, own.rule.delays);
                alarms.handle_evidence_of(&key_of(&own.rule, of), Evidence::Bad, now);
            }
        }
    }

    /// Whether what these rules' source tells is of now.
    pub(super) fn handle_level(&mut self, number: usize, is_current: bool, now: Instant, alarms: &mut Alarms) {
        let Some(own) = self.rules.get_mut(number).filter(|own| own.is_current != is_current) else { return };
        own.is_current = is_current;
        let evidence = if is_current { Evidence::Live } else { Evidence::Stale };
        let keys: Vec<AlarmKey> = alarms.standing().keys().filter(|key| key.rule == own.rule.id).cloned().collect();
        for key in keys.iter().filter(|key| !own.doubted.contains(&key.of)) {
            alarms.handle_evidence_of(key, evidence, now);
        }
    }
}

impl Own {
    /// It is so of a key, from `at` on; it began then, or when another system says.
    fn say<T: Into<Told>>(
        &mut self,
        of: &str,
        truth: Truth,
        (at, began): (Timestamp, Option<Timestamp>),
        told: &dyn Fn() -> T,
        now: Instant,
        alarms: &mut Alarms,
    ) -> bool {
        let key = key_of(&self.rule, of);
        let evidence = if self.is_current { Evidence::Live } else { Evidence::Stale };
        if self.doubted.remove(of) {
            alarms.handle_evidence_of(&key, evidence, now);
        }
        let known = self.delays.get(of).copied();
        if known.is_none() && truth == Truth::No {
            alarms.let_go(&key);
            return true;
        }
        if known.is_none() && self.delays.len() >= KEYS_MAX {
            alarms.refuse(Some(&self.rule.id), &key, at, now);
            return false;
        }
        let mut delay = known.unwrap_or_default();
        for turn in delay.handle(truth, at, self.rule.delays).into_iter().flatten() {
            let since = began.filter(|_| turn.holds).unwrap_or(turn.since);
            alarms.handle_turn(&key, Turn { since, ..turn }, evidence, told, now);
        }
        alarms.agree(&key, (delay.holds(), at), evidence, told, now);
        if delay == Delay::default() {
            self.delays.remove(of);
            self.began.remove(of);
        } else {
            self.delays.insert(Arc::clone(&key.of), delay);
        }
        true
    }

    /// What another system says of one of its alarms. False if there is no room for it.
    ///
    /// Alertmanager tells one occurrence from another by `startsAt` alone: what has fired anew since it was resolved has another one. That the one which
    /// is over fires is said by a delivery that is older than that of its end, which comes soon after it ([`LATE`]); or by Alertmanager, where it had
    /// taken for over what nobody told it of in time (`resolve_timeout`) and is told so now: then by the next message of the group, later than that,
    /// or in the API's list with an `updatedAt` behind the end. A webhook has no `updatedAt`, and its `endsAt` is zero for what fires. The former says
    /// nothing that is so still; the latter calls, since to be told once more is better than never. Of an occurrence before the one that stands
    /// nothing counts that is said.
    fn hear(&mut self, alert: &Alert, at: Timestamp, now: Instant, alarms: &mut Alarms) -> bool {
        let key = key_of(&self.rule, &alert.key);
        let known = self.began.get(&key.of).copied();
        match alert.says {
            // The end of an occurrence before the one that stands.
            Says::IsOver if alert.since.zip(known).is_some_and(|(own, known)| own < known) => return true,
            Says::IsOver => {
                self.note_over(&key.of, alert.since.or(known), at);
                return self.say(&alert.key, Truth::No, (at, None), &Vec::new, now, alarms);
            }
            Says::IsKnown => {
                let station = match &self.rule.judge {
                    Judge::Foreign { system, .. } => system.word().to_owned(),
                    Judge::Conditions { .. } => String::new(),
                };
                alarms.handle_known(&key, By { name: None, station }, at, now);
                return true;
            }
            Says::Stands if self.is_late(alert, known, at) => return true,
            Says::Stands => {}
        }
        let began = alert.since.filter(|since| *since <= at);
        // It ended in between, and nobody was told: another occurrence. Whoever triggers what stands says nothing new.
        if self.tells_occurrences()
            && alert.since.zip(known).is_some_and(|(since, known)| known < since)
            && !self.say(&alert.key, Truth::No, (at, None), &Vec::new, now, alarms)
        {
            return false;
        }
        let priority = self.rule.priority(alert.severity.as_deref());
        let told = || Told {
            cause: alert.cause.clone(),
            foreign: Some(Box::new(Foreign {
                title: alert.title.clone(),
                advice: alert.advice.clone(),
                group: alert.group.clone(),
                priority,
                since: alert.since,
            })),
        };
        if !self.say(&alert.key, Truth::Yes, (at, began), &told, now, alarms) {
            return false;
        }
        if let Some(since) = alert.since {
            self.began.insert(Arc::clone(&key.of), since);
            // The one that was over stands again.
            if self.over.get(&key.of).is_some_and(|over| since <= over.since) {
                self.over.remove(&key.of);
            }
        }
        alarms.handle_urgency(&key, priority, at, now);
        if let Some(is_suppressed) = alert.is_suppressed {
            alarms.handle_suppressed(&key, is_suppressed, at, now);
        }
        true
    }

    /// Whether the other system tells one occurrence from another by when it began.
    const fn tells_occurrences(&self) -> bool {
        matches!(self.rule.judge, Judge::Foreign { system: System::Alertmanager, .. })
    }

    /// An occurrence of what stood is over. What has no room isn't remembered: at worst it calls once more.
    fn note_over(&mut self, of: &Arc<str>, since: Option<Timestamp>, at: Timestamp) {
        let Some(since) = since.filter(|_| self.tells_occurrences() && self.delays.contains_key(of)) else { return };
        if self.over.len() < KEYS_MAX || self.over.contains_key(of) {
            self.over.insert(Arc::clone(of), Over { since, at });
        }
    }

    /// Whether that it stands was said before its end was, and came later.
    fn is_late(&self, alert: &Alert, known: Option<Timestamp>, at: Timestamp) -> bool {
        let Some((over, since)) = self.over.get(&*alert.key).zip(alert.since) else { return false };
        let has_another = known.is_some_and(|known| over.since < known);
        // A clock that was set back tells nothing of what came before what.
        let is_soon = over.at <= at && at.since(over.at) < LATE;
        since <= over.since && (has_another || is_soon && alert.updated.is_none_or(|updated| updated <= over.at))
    }

    /// That nothing stands any more counts when it is said for a while: who has just been started knows of nothing yet, and says so.
    fn is_believed(&mut self, message: &Message, at: Timestamp) -> bool {
        if !message.alerts.is_empty() || self.delays.is_empty() {
            self.empty_since = None;
            return true;
        }
        let since = *self.empty_since.get_or_insert(at);
        at.since(since) >= EMPTY_FOR
    }

    /// When that counts if nothing else comes.
    fn empty_until(&self) -> Option<Timestamp> {
        Some(self.empty_since?.plus(EMPTY_FOR))
    }

    /// Nothing stands any more but these.
    fn let_go(&mut self, named: &BTreeSet<&str>, at: Timestamp, now: Instant, alarms: &mut Alarms) {
        let gone: Vec<Arc<str>> = self.delays.keys().filter(|key| !named.contains(&***key)).cloned().collect();
        for of in gone {
            self.note_over(&of, self.began.get(&of).copied(), at);
            self.say(&of, Truth::No, (at, None), &Vec::new, now, alarms);
        }
    }

    const fn has_delays(&self) -> bool {
        !self.rule.delays.on.is_zero() || !self.rule.delays.off.is_zero()
    }
}

fn key_of(rule: &EventRule, of: &str) -> AlarmKey {
    AlarmKey { rule: Arc::clone(&rule.id), of: of.into() }
}
