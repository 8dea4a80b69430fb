//! Rules: which conditions are asked anew when something changes, and what their answers do to the alarms.
//!
//! A rule is asked when one of its inputs has changed, and at no other time: what doesn't concern it costs it nothing. There are two
//! ways to ask. *Then*, while events are folded: what is held counts as known as of the event, whether or not it is live, so that what is replayed is
//! judged as it would have been (H6). *Now*: what isn't of now isn't known, and the alarm says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use watchfloor_model::{Shape, Timestamp};

use super::{
    alarms::{AlarmKey, Alarms, AlarmsCheckpoint, Change, Instant, Terms},
    condition::{Condition, Inputs, Term, Truth, Why},
    delay::{Delay, Delays},
    events::{EventRule, EventRules, EventsCheckpoint},
    foreign::Message,
    machine::Evidence,
};

/// The most characters of a value that is kept as a cause.
const CAUSE_CHARS_MAX: usize = 100;

/// A rule, as a board has it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, which no other has.
    pub id: Arc<str>,
    /// When it holds.
    pub when: Condition,
    /// What people call the condition's inputs, in the order of [`Condition::inputs`].
    pub names: Vec<String>,
    /// By how much a number must come back before it holds no more.
    pub deadband: f64,
    /// For how long it must hold, and not hold.
    pub delays: Delays,
    /// What else is said of its alarm.
    pub terms: Terms,
    /// Whether it is judged by more than one source. As of an event of one of them nobody knows what the others said then, so it is asked as
    /// of now alone.
    pub spans: bool,
}

impl Rule {
    /// Its alarm.
    fn key(&self) -> AlarmKey {
        AlarmKey { rule: Arc::clone(&self.id), of: "".into() }
    }

    /// All that decides what has come of it so far: a rule that is another one now begins anew.
    fn story(&self) -> String {
        let Self { when, deadband, delays, .. } = self;
        let mut story = when.text().to_owned();
        // Writing into a text can't fail.
        let _written = write!(story, "\n{deadband} {} {}", delays.on.as_millis(), delays.off.as_millis());
        story
    }
}

/// How inputs are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// As of an event that is folded: what isn't live is known all the same.
    Then,
    /// As of now.
    Now,
}

/// What is known of a rule.
#[derive(Clone, Debug)]
struct Watched {
    rule: Rule,
    delay: Delay,
    /// What it said last when it was asked as of now.
    truth: Truth,
    /// When it last ceased to be known, by this machine's clock.
    unknown_since: Option<Timestamp>,
    /// The last time that it was asked in; so that one change asks it once.
    asked: u64,
}

/// What is written down of rules and alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WatchCheckpoint {
    /// By the rule's id, which rule that was, and how far its condition was on its way.
    pub rules: BTreeMap<String, (String, Delay)>,
    /// The alarms.
    pub alarms: AlarmsCheckpoint,
    /// Of rules over events.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub events: EventsCheckpoint,
}

impl WatchCheckpoint {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// All rules of a board, and their alarms.
#[derive(Debug, Default)]
pub struct Watch {
    rules: Vec<Watched>,
    /// Rules over events.
    events: EventRules,
    /// What is said of alarms that no condition decides, by their rules' ids.
    others: BTreeMap<Arc<str>, Terms>,
    /// By the number of an input, which rules it concerns.
    concerned: Vec<Vec<u32>>,
    alarms: Alarms,
    /// Rules whose conditions are on their way to another answer.
    waiting: BTreeSet<u32>,
    /// How many aren't known now.
    unknown: usize,
    round: u64,
    evaluated: u64,
}

impl Watch {
    /// Rules of which nothing is known yet, and what is said of alarms that no condition decides.
    #[must_use]
    pub fn new(rules: Vec<Rule>, others: BTreeMap<Arc<str>, Terms>) -> Self {
        let alarms = Alarms::new(terms(&rules, &others));
        let mut watch = Self { alarms, others, ..Self::default() };
        watch.take(rules, BTreeMap::new());
        watch
    }

    /// Takes the rules of another file. One that says the same goes on where it stands.
    pub fn reload(
        &mut self,
        rules: Vec<Rule>,
        events: Vec<EventRule>,
        others: BTreeMap<Arc<str>, Terms>,
        now: Instant,
    ) {
        let old = self.rules.drain(..).map(|own| (own.rule.id.to_string(), (own.rule.story(), own.delay))).collect();
        self.events.reload(events);
        let mut terms = terms(&rules, &others);
        terms.extend(self.events.terms());
        self.alarms.reload(terms, now);
        self.others = others;
        self.take(rules, old);
    }

    fn take(&mut self, rules: Vec<Rule>, mut old: BTreeMap<String, (String, Delay)>) {
        self.concerned.clear();
        for (number, rule) in (0..).zip(&rules) {
            for input in rule.when.inputs() {
                let place = *input as usize;
                if self.concerned.len() <= place {
                    self.concerned.resize(place + 1, Vec::new());
                }
                if let Some(rules) = self.concerned.get_mut(place) {
                    rules.push(number);
                }
            }
        }
        let alarms = &self.alarms;
        let watched = |rule: Rule| {
            let kept = old.remove(&*rule.id).filter(|(story, _)| *story == rule.story());
            // What stands by another condition is cleared when this one doesn't hold.
            let delay = kept.map_or_else(|| Delay::of(alarms.holds(&rule.key())), |(_, delay)| delay);
            Watched { rule, delay, truth: Truth::Unknown(Why::NoValue), unknown_since: None, asked: 0 }
        };
        self.rules = rules.into_iter().map(watched).collect();
        self.unknown = self.rules.len();
        self.see_who_waits();
    }

    fn see_who_waits(&mut self) {
        let waits = |(number, own): (u32, &Watched)| own.delay.due(own.rule.delays).map(|_| number);
        self.waiting = (0..).zip(&self.rules).filter_map(waits).collect();
    }

    /// The alarms.
    #[must_use]
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// The alarms, for what people do about them.
    pub const fn alarms_mut(&mut self) -> &mut Alarms {
        &mut self.alarms
    }

    /// The rules that nobody watches over now, since what they are judged by isn't known; each with since when, by this machine's clock.
    pub fn unsupervised(&self) -> impl Iterator<Item = (&Rule, Option<Timestamp>)> {
        let unknown = self.rules.iter().filter(|own| own.is_unknown());
        unknown.map(|own| (&own.rule, own.unknown_since))
    }

    /// How many rules nobody watches over now.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.unknown + self.events.unknown()
    }

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|own| &own.rule)
    }

    /// How many conditions were evaluated so far.
    #[must_use]
    pub const fn evaluated(&self) -> u64 {
        self.evaluated
    }

    /// Inputs have changed. Asks the rules that they concern. `at` is the instant by the clock of an input's source: that of a rule's first one is
    /// the rule's.
    pub fn handle_change(
        &mut self,
        changed: impl IntoIterator<Item = u32>,
        inputs: &dyn Inputs,
        asked: Asked,
        at: impl Fn(u32) -> Timestamp,
        now: Instant,
    ) {
        self.round += 1;
        for input in changed {
            let Some(concerned) = self.concerned.get(input as usize) else { continue };
            for number in concerned {
                let Some(own) = self.rules.get_mut(*number as usize).filter(|own| own.asked != self.round) else {
                    continue;
                };
                own.asked = self.round;
                let Some(first) = own.rule.when.inputs().first().filter(|_| asked == Asked::Now || !own.rule.spans)
                else {
                    continue;
                };
                self.evaluated += 1;
                self.unknown -= usize::from(own.is_unknown());
                own.ask(inputs, asked, at(*first), now, &mut self.alarms);
                self.unknown += usize::from(own.is_unknown());
                if own.delay.due(own.rule.delays).is_some() {
                    self.waiting.insert(*number);
                } else {
                    self.waiting.remove(number);
                }
            }
        }
    }

    /// What happened to these inputs from `at` on, by their source's clock, isn't known and won't be: what was on its way waits. That it is `at` was told by
    /// [`Watch::handle_source_time`].
    pub fn handle_gap(&mut self, is_of_it: impl Fn(u32) -> bool, at: Timestamp) {
        for number in std::mem::take(&mut self.waiting) {
            let Some(own) = self.rules.get_mut(number as usize) else { continue };
            if own.rule.when.inputs().iter().any(|input| is_of_it(*input)) {
                // Nothing turns by that: what was due until then has turned, as it was told that it is `at`.
                let _none = own.delay.handle(Truth::Unknown(Why::Incomplete), at, own.rule.delays);
            }
            if own.delay.due(own.rule.delays).is_some() {
                self.waiting.insert(number);
            }
        }
    }

    /// Time has passed, by the clock of the source whose inputs these are: what has held for long enough turns.
    pub fn handle_source_time(
        &mut self,
        is_of_it: impl Fn(u32) -> bool,
        inputs: &dyn Inputs,
        at: Timestamp,
        now: Instant,
    ) {
        for number in self.waiting.clone() {
            let Some(own) = self.rules.get_mut(number as usize) else { continue };
            let is_due = own.delay.due(own.rule.delays).is_some_and(|due| due <= at);
            // The clock of the source of its first input is a rule's clock.
            if is_due && own.rule.when.inputs().first().is_some_and(|input| is_of_it(*input)) {
                self.waiting.remove(&number);
                if let Some(turn) = own.delay.handle_time(at, own.rule.delays) {
                    self.alarms.handle_turn(
                        &own.rule.key(),
                        turn,
                        evidence(own.truth),
                        || causes(&own.rule, inputs),
                        now,
                    );
                }
            }
        }
    }

    /// When the next rule turns if nothing else comes, by the clock of the source whose inputs these are.
    pub fn due(&self, is_of_it: impl Fn(u32) -> bool) -> Option<Timestamp> {
        let waiting = self.waiting.iter().filter_map(|number| self.rules.get(*number as usize));
        let own = |own: &&Watched| own.rule.when.inputs().first().is_some_and(|input| is_of_it(*input));
        waiting.filter(own).filter_map(|own| own.delay.due(own.rule.delays)).min()
    }

    /// What is to be written down.
    #[must_use]
    pub fn checkpoint(&self) -> WatchCheckpoint {
        let rule = |own: &Watched| (own.rule.id.to_string(), (own.rule.story(), own.delay));
        WatchCheckpoint {
            rules: self.rules.iter().map(rule).collect(),
            alarms: self.alarms.checkpoint(),
            events: self.events.checkpoint(),
        }
    }

    /// Takes what was written down, and what went on record after it. The events since are folded again then, as [`Alarms::restore`] says.
    pub fn restore(&mut self, checkpoint: WatchCheckpoint, record: impl IntoIterator<Item = Change>, now: Instant) {
        let mut rules = checkpoint.rules;
        for own in &mut self.rules {
            let kept = rules.remove(&*own.rule.id).filter(|(story, _)| *story == own.rule.story());
            own.delay = match kept {
                Some((_, delay)) => delay,
                None => Delay::of(checkpoint.alarms.holds(&own.rule.key())),
            };
        }
        self.see_who_waits();
        self.events.restore(checkpoint.events);
        self.alarms.restore(checkpoint.alarms, record, now);
    }
}

impl Watch {
    /// All that is on record was folded again: what comes now is new. What stands on record stands, also where no event says so, as what time alone
    /// had decided: then its condition is asked from there.
    pub fn be_folded(&mut self) {
        self.alarms.be_folded();
        for own in &mut self.rules {
            let holds = self.alarms.holds(&own.rule.key());
            if own.delay.holds() != holds {
                own.delay = Delay::of(holds);
            }
        }
        self.see_who_waits();
        self.events.be_folded(&self.alarms);
    }

    /// An event came that a rule over events wants, by the number of that, of this key; `text` is what it says for people. False if there is
    /// no room for one more key.
    pub fn handle_event(
        &mut self,
        rule: (usize, &str),
        inputs: &dyn Inputs,
        at: Timestamp,
        text: &dyn Fn() -> Vec<(String, String)>,
        now: Instant,
    ) -> bool {
        self.evaluated += 1;
        self.events.handle_event(rule, inputs, at, text, now, &mut self.alarms)
    }

    /// A message of another system came, by the number of the rule over events that it is for. The keys for which there is no room.
    pub fn handle_message(&mut self, rule: usize, message: &Message, at: Timestamp, now: Instant) -> Vec<String> {
        self.evaluated += 1;
        self.events.handle_message(rule, message, at, now, &mut self.alarms)
    }

    /// Whether what the source of a rule over events tells is of now.
    pub fn handle_level(&mut self, rule: usize, is_current: bool, now: Instant) {
        self.events.handle_level(rule, is_current, now, &mut self.alarms);
    }

    /// Events may have been missed by these rules over events.
    pub fn handle_events_gap(&mut self, is_meant: impl Fn(usize) -> bool, at: Timestamp, now: Instant) {
        self.events.handle_gap(is_meant, at, now, &mut self.alarms);
    }

    /// Time has passed by the clock of the source of these rules over events.
    pub fn handle_events_time(&mut self, is_meant: impl Fn(usize) -> bool, at: Timestamp, now: Instant) {
        self.events.handle_time(is_meant, at, now, &mut self.alarms);
    }

    /// When the next of these rules over events turns if nothing else comes, by the clock of their source.
    pub fn events_due(&self, is_meant: impl Fn(usize) -> bool) -> Option<Timestamp> {
        self.events.due(is_meant)
    }
}

impl Watched {
    const fn is_unknown(&self) -> bool {
        matches!(self.truth, Truth::Unknown(_))
    }

    fn ask(&mut self, inputs: &dyn Inputs, asked: Asked, at: Timestamp, now: Instant, alarms: &mut Alarms) {
        let Self { rule, delay, truth: known, .. } = self;
        // What is raised has a deadband to go.
        let deadband = if delay.holds() { rule.deadband } else { 0.0 };
        let truth = rule.when.evaluate(inputs, deadband);
        let key = rule.key();
        // As of an event, what is known of now is what was.
        let evidence_now = evidence(if asked == Asked::Now { truth } else { *known });
        // While a source proves nothing its time stands, and what is caught up with or proven later tells of the time between. Of several, one may
        // go on.
        let stands = matches!(truth, Truth::Unknown(Why::NotOfNow(_))) && !rule.spans;
        if !stands {
            for turn in delay.handle(truth, at, rule.delays).into_iter().flatten() {
                alarms.handle_turn(&key, turn, evidence_now, || causes(rule, inputs), now);
            }
        }
        if asked == Asked::Then {
            return;
        }
        if matches!(truth, Truth::Yes | Truth::No) {
            alarms.agree(&key, (delay.holds(), at), evidence_now, || causes(rule, inputs), now);
        }
        if truth == self.truth {
            return;
        }
        self.truth = truth;
        let is_unknown = matches!(truth, Truth::Unknown(_));
        self.unknown_since = is_unknown.then(|| self.unknown_since.unwrap_or(now.wall));
        alarms.handle_evidence(&rule.id, evidence(truth), now);
    }
}

/// How far an answer can be believed.
const fn evidence(truth: Truth) -> Evidence {
    match truth {
        Truth::Yes | Truth::No => Evidence::Live,
        Truth::Unknown(Why::NotOfNow(_)) => Evidence::Stale,
        Truth::Unknown(Why::Doubted(_)) => Evidence::Bad,
        Truth::Unknown(Why::NoValue) => Evidence::Unknown,
        Truth::Unknown(_) => Evidence::Bad,
    }
}

fn terms(rules: &[Rule], others: &BTreeMap<Arc<str>, Terms>) -> BTreeMap<Arc<str>, Terms> {
    let own = rules.iter().map(|rule| (Arc::clone(&rule.id), rule.terms.clone()));
    own.chain(others.iter().map(|(id, terms)| (Arc::clone(id), terms.clone()))).collect()
}

/// What the inputs are: name and value.
fn causes(rule: &Rule, inputs: &dyn Inputs) -> Vec<(String, String)> {
    let cut = |text: String| text.chars().take(CAUSE_CHARS_MAX).collect();
    let value = |input: &u32| match inputs.input(*input) {
        Term::Unknown(why) => why.to_string(),
        Term::Null => "none".to_owned(),
        Term::Bool(value) => value.to_string(),
        Term::Number(value) => value.to_string(),
        Term::AtLeast(value) => format!("≥ {value}"),
        Term::Text(text) => text.into_owned(),
        Term::Time(millis) => Timestamp::from_millis(millis).to_string(),
        Term::Span(millis) => format!("{millis} ms"),
        Term::List(items) => format!("{} items", items.len()),
        Term::Json(json) => match json.shape() {
            Shape::Object(count) => format!("{count} fields"),
            Shape::List(count) => format!("{count} items"),
            _ => String::new(),
        },
    };
    rule.names.iter().cloned().zip(rule.when.inputs().iter().map(|input| cut(value(input)))).collect()
}

#[cfg(test)]
mod tests;
