//! The board's rules: when they are asked and by what, and whether its sources are lost.
//!
//! While events are folded, rules are asked after each of them, as of then; what is said of the present is asked as of now, whenever a value or how far
//! it can be believed has changed (H6).

mod events;
mod unseen;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc, time::Duration};

use watchfloor_model::{Mono, Phase, Timestamp};

use super::{Board, Place, lane::Lane, meanings, promise, tracked::Tracked, verdict};
use crate::{
    alarm::{
        Act, AlarmKey, Alarms, By, Change, Instant, Refused, Terms,
        condition::{Inputs, Term, Truth, Why},
        delay::{Delay, Delays, Turn},
        flood::FloodChange,
        input::{Facet, state_word},
        machine::{Evidence, Manner},
        watch::{Asked, Rule, Watch, WatchCheckpoint},
    },
    config::spec::{AlarmSpec, BoardFile, Judged, WidgetSpec},
    frame::{Agreement, AlarmAct, AlarmsSeen},
    freshness::{Freshness, judge},
};

use events::ByEvents;

/// A source that was lost for less than this is nobody's business.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// What the rule's id begins with by which a source is lost. No board file can name one so.
const OF_SOURCE: &str = "source:";

/// What rules ask about a widget.
#[derive(Debug)]
struct Asking {
    widget: usize,
    place: Place,
    inputs: Vec<u32>,
    /// The version as of which they were asked while events were folded.
    then: u64,
    /// How it was when they were asked as of now.
    now: Option<Stand>,
}

/// All of a widget that an answer as of now depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    version: u64,
    freshness: Freshness,
    at_least: bool,
    lacks: bool,
    disputed: bool,
}

/// What people are told of an alarm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmWords {
    /// What it is called.
    pub title: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// The rules of a board, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Alarming {
    watch: Watch,
    /// In the order of the file's rules.
    asking: Vec<Asking>,
    /// Rules over events.
    by_events: ByEvents,
    /// By source, up to when it was told by its clock.
    told: Vec<Option<Timestamp>>,
    /// By source, when the last gap ended that is on record, by its clock.
    unseen: Vec<Option<Timestamp>>,
    /// By source, whether it is lost: by the program's own clock, since the machine's can be set.
    losses: Vec<Delay>,
    /// By the rule's id, its number in the file.
    pub(super) numbers: BTreeMap<Arc<str>, usize>,
    /// What people saw of it last.
    shown: Shown,
}

/// The program's own clock in place of a source's.
fn measured(now: Mono) -> Timestamp {
    Timestamp::from_millis(i64::try_from(now.as_micros() / 1000).unwrap_or(i64::MAX))
}

/// What tells whether people see something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    number: u64,
    unsupervised: usize,
    flood: Option<Mono>,
    lost: u64,
}

/// The id of the rule by which a source is lost.
fn of_source(source: &str) -> Arc<str> {
    format!("{OF_SOURCE}{source}").into()
}

impl Alarming {
    /// The alarms.
    pub(super) const fn alarms(&self) -> &Alarms {
        self.watch.alarms()
    }

    /// The rules that nobody watches over now.
    pub(super) fn unsupervised(&self) -> usize {
        self.watch.unknown()
    }

    /// The file's rule of this id.
    pub(super) fn spec<'a>(&self, file: &'a BoardFile, rule: &str) -> Option<&'a AlarmSpec> {
        file.alarms.get(*self.numbers.get(rule)?)
    }

    /// The source of whose loss an alarm tells.
    pub(super) fn source(rule: &str) -> Option<&str> {
        rule.strip_prefix(OF_SOURCE)
    }

    fn is_idle(&self) -> bool {
        self.asking.is_empty() && self.losses.is_empty() && self.by_events.len() == 0
    }
}

impl Board {
    /// It is `wall` on this machine's clock now: what is decided is dated by it.
    pub const fn set_wall(&mut self, wall: Timestamp, now: Mono) {
        self.wall = (wall, now);
    }

    /// The instant on both clocks.
    pub(super) fn instant(&self, now: Mono) -> Instant {
        let (wall, then) = self.wall;
        Instant { mono: now, wall: wall.plus(now.since(then)) }
    }

    /// The alarms.
    #[must_use]
    pub const fn alarms(&self) -> &Alarms {
        self.alarming.alarms()
    }

    /// How many conditions were evaluated so far. A rule is asked by what concerns it, and by nothing else.
    #[must_use]
    pub const fn conditions_evaluated(&self) -> u64 {
        self.alarming.watch.evaluated()
    }

    /// The entries for the record since this was last asked, in order.
    pub fn take_alarm_changes(&mut self) -> Vec<Change> {
        self.alarming.watch.alarms_mut().take_changes()
    }

    /// Whether a flood has begun, or is over, each time since this was last asked.
    pub fn take_alarm_floods(&mut self) -> Vec<bool> {
        let floods = self.alarming.watch.alarms_mut().take_floods();
        floods.into_iter().map(|change| matches!(change, FloodChange::Began { .. })).collect()
    }

    /// What people are told of an alarm, in English.
    #[must_use]
    pub fn alarm_words(&self, key: &AlarmKey) -> AlarmWords {
        let foreign = || self.alarms().standing().get(key)?.foreign.as_deref();
        if let Some(own) = foreign() {
            return AlarmWords { title: own.title.clone(), advice: own.advice.clone() };
        }
        let of = if key.of.is_empty() { String::new() } else { format!(" · {}", key.of) };
        if let Some(id) = Alarming::source(&key.rule) {
            let title = self.file.source(id).map_or(id, |source| source.title.as_str());
            return AlarmWords { title: format!("{title} is lost"), advice: None };
        }
        match self.alarming.spec(&self.file, &key.rule) {
            Some(spec) => AlarmWords { title: format!("{}{of}", spec.title), advice: spec.advice.clone() },
            None => AlarmWords { title: key.to_string(), advice: None },
        }
    }

    /// Somebody does something about an alarm, at `station`.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn handle_act(&mut self, act: &AlarmAct, station: &str, now: Mono) -> Result<(), Refused> {
        let by = By { name: act.name.clone(), station: station.to_owned() };
        let (key, instant) = (AlarmKey::read(&act.key), self.instant(now));
        let done = self.alarming.watch.alarms_mut().handle_act(&key, &act.act, by, instant);
        self.note_alarms();
        done
    }

    /// Somebody acknowledges all that he has seen, but what is critical. Answers how many were.
    pub fn acknowledge(&mut self, seen: &AlarmsSeen, station: &str, now: Mono) -> usize {
        let by = By { name: seen.name.clone(), station: station.to_owned() };
        let keys: Vec<(AlarmKey, u64)> =
            seen.seen.iter().map(|(key, occurrence)| (AlarmKey::read(key), *occurrence)).collect();
        let instant = self.instant(now);
        let count = self.alarming.watch.alarms_mut().acknowledge_seen(&keys, &by, instant);
        self.note_alarms();
        count
    }

    /// Acknowledges one occurrence, as a notification's button does.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn acknowledge_one(
        &mut self,
        key: &AlarmKey,
        occurrence: u64,
        station: &str,
        now: Mono,
    ) -> Result<(), Refused> {
        let act = AlarmAct { key: key.to_string(), act: Act::Acknowledge { occurrence }, name: None };
        self.handle_act(&act, station, now)
    }

    /// Takes the rules of another file.
    pub(super) fn reload_rules(&mut self, now: Mono) {
        let instant = self.instant(now);
        let Self { file, places, lanes, alarming, .. } = self;
        let lane_of = |input: u32| Some(places.get(Facet::of_input(input)?.0)?.lane);
        let rule = |spec: &AlarmSpec| {
            let lanes: Vec<Option<usize>> = spec.inputs().iter().map(|input| lane_of(*input)).collect();
            rule(spec, lanes.windows(2).any(|pair| pair.first() != pair.last()))
        };
        let rules: Vec<Rule> = file.alarms.iter().filter_map(rule).collect();
        let (by_events, event_rules) = ByEvents::new(file);
        let lost = file.alarming.as_ref().and_then(|how| how.source_lost);
        let terms = |lane: &Lane| {
            let manner = Manner { latches: false, ends_unacknowledged: false };
            (of_source(&lane.spec.id), Terms { priority: lost.unwrap_or_default(), manner, ..Terms::default() })
        };
        let others: BTreeMap<Arc<str>, Terms> =
            if lost.is_some() { lanes.iter().map(terms).collect() } else { BTreeMap::new() };
        alarming.numbers = (0..).zip(&file.alarms).map(|(number, spec)| (spec.id.as_str().into(), number)).collect();
        alarming.by_events = by_events;
        let mut inputs: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for input in rules.iter().flat_map(|rule| rule.when.inputs()) {
            let Some((widget, _)) = Facet::of_input(*input) else { continue };
            let own = inputs.entry(widget).or_default();
            if !own.contains(input) {
                own.push(*input);
            }
        }
        let asking = |(widget, inputs): (usize, Vec<u32>)| {
            Some(Asking { widget, place: *places.get(widget)?, inputs, then: 0, now: None })
        };
        alarming.asking = inputs.into_iter().filter_map(asking).collect();
        alarming.told = vec![None; lanes.len()];
        alarming.unseen = vec![None; lanes.len()];
        alarming.watch.reload(rules, event_rules, others, instant);
        let alarms = alarming.watch.alarms();
        let loss = |lane: &Lane| Delay::of(alarms.holds(&AlarmKey::of_rule(&of_source(&lane.spec.id))));
        alarming.losses = if lost.is_some() { lanes.iter().map(loss).collect() } else { Vec::new() };
    }

    /// What is to be written down of rules and alarms.
    pub(super) fn alarm_checkpoint(&self) -> WatchCheckpoint {
        self.alarming.watch.checkpoint()
    }

    /// Takes what was written down of rules and alarms, and what went on record after it. The events since are folded again then, and
    /// [`Board::be_folded`] says when they are.
    pub fn restore_alarms(&mut self, checkpoint: WatchCheckpoint, record: impl IntoIterator<Item = Change>, now: Mono) {
        let instant = self.instant(now);
        self.alarming.watch.restore(checkpoint, record, instant);
        let alarms = self.alarming.watch.alarms_mut();
        for (loss, lane) in self.alarming.losses.iter_mut().zip(&self.lanes) {
            let rule = of_source(&lane.spec.id);
            *loss = Delay::of(alarms.holds(&AlarmKey::of_rule(&rule)));
            alarms.handle_evidence(&rule, Evidence::Live, instant);
        }
        self.note_alarms();
    }

    /// Alarms were raised here before this start, oldest first: a flood goes on. To be called before anything is folded.
    pub fn resume_flood(&mut self, raised: impl IntoIterator<Item = Mono>, now: Mono) {
        self.alarming.watch.alarms_mut().resume_flood(raised, now);
        self.note_alarms();
    }

    /// All that is on record was folded again: what comes now is new.
    pub fn be_folded(&mut self) {
        self.alarming.watch.be_folded();
    }

    /// Whether any rule asks about this source.
    pub(super) fn has_rules(&self, lane: usize) -> bool {
        self.alarming.asking.iter().any(|asking| asking.place.lane == lane) || self.alarming.by_events.has(lane)
    }

    /// An event of this source was folded: asks the rules whose widgets it changed, as of then.
    pub(super) fn ask_then(&mut self, lane: usize, now: Mono) {
        let mut changed = Vec::new();
        for asking in self.alarming.asking.iter_mut().filter(|asking| asking.place.lane == lane) {
            let tracked = self.lanes.get(lane).and_then(|lane| lane.tracked.get(asking.place.tracked));
            let Some(version) = tracked.map(|tracked| tracked.aggregate.version()) else { continue };
            if asking.then != version {
                asking.then = version;
                changed.extend_from_slice(&asking.inputs);
            }
        }
        if !changed.is_empty() {
            self.ask(&changed, Asked::Then, now);
        }
    }

    /// Asks the rules about whose widgets something else is to be said than before, as of now; and sees what time alone has brought.
    pub(super) fn ask_now(&mut self, now: Mono) {
        if self.alarming.is_idle() {
            return;
        }
        let mut alarming = std::mem::take(&mut self.alarming);
        let mut changed = Vec::new();
        for asking in &mut alarming.asking {
            let stand = self.stand(asking.widget, now);
            if asking.now != stand {
                asking.now = stand;
                changed.extend_from_slice(&asking.inputs);
            }
        }
        self.alarming = alarming;
        if !changed.is_empty() {
            self.ask(&changed, Asked::Now, now);
        }
        self.pass_time(now);
        self.pass_events_time(now);
        self.see_losses(now);
        self.note_alarms();
    }

    fn stand(&self, widget: usize, now: Mono) -> Option<Stand> {
        let spec = self.file.widgets.get(widget)?;
        let (lane, tracked) = self.at(*self.places.get(widget)?)?;
        Some(Stand {
            version: tracked.aggregate.version(),
            freshness: verdict(spec, lane, tracked, now).freshness,
            at_least: tracked.is_at_least(),
            lacks: tracked.incomplete_until.is_some(),
            disputed: self.is_disputed(widget, now),
        })
    }

    fn is_disputed(&self, widget: usize, now: Mono) -> bool {
        self.against(widget, now).is_some_and(|against| against.agreement == Agreement::Disputed)
    }

    fn ask(&mut self, changed: &[u32], asked: Asked, now: Mono) {
        let instant = self.instant(now);
        let mut alarming = std::mem::take(&mut self.alarming);
        self.see_clocks(&mut alarming, instant);
        let view = View::new(self, asked, now);
        let at = |input: u32| self.time_of(input).unwrap_or(instant.wall);
        alarming.watch.handle_change(changed.iter().copied(), &view, asked, at, instant);
        self.alarming = alarming;
    }

    /// A source whose clock was set back tells another story from now on: what is earlier than what was decided is late otherwise.
    fn see_clocks(&self, alarming: &mut Alarming, instant: Instant) {
        let mut back = Vec::new();
        for (number, (told, lane)) in alarming.told.iter_mut().zip(&self.lanes).enumerate() {
            let time = lane.folded_until().unwrap_or(instant.wall);
            if told.is_some_and(|told| time < told) {
                back.push(number);
            }
            *told = Some(time);
        }
        if back.is_empty() {
            return;
        }
        let is_of_it = |rule: &&Rule| {
            let lanes = rule.when.inputs().iter().filter_map(|input| self.places.get(Facet::of_input(*input)?.0));
            lanes.map(|place| place.lane).any(|lane| back.contains(&lane))
        };
        let rules: Vec<Arc<str>> = alarming.watch.rules().filter(is_of_it).map(|rule| Arc::clone(&rule.id)).collect();
        rules.iter().for_each(|rule| alarming.watch.alarms_mut().handle_set_back(rule));
    }

    /// The time of the source that an input is of, as far as it was folded.
    pub(super) fn time_of(&self, input: u32) -> Option<Timestamp> {
        let (widget, _) = Facet::of_input(input)?;
        self.lanes.get(self.places.get(widget)?.lane)?.folded_until()
    }

    /// What has held for long enough by its source's clock turns.
    fn pass_time(&mut self, now: Mono) {
        let instant = self.instant(now);
        let mut alarming = std::mem::take(&mut self.alarming);
        for lane in 0..self.lanes.len() {
            let is_of_it = |input: u32| self.lane_of(input) == Some(lane);
            let Some(time) = self.lanes.get(lane).and_then(Lane::folded_until) else { continue };
            if alarming.watch.due(is_of_it).is_some_and(|due| due <= time) {
                let view = View::new(self, Asked::Now, now);
                alarming.watch.handle_source_time(is_of_it, &view, time, instant);
            }
        }
        alarming.watch.alarms_mut().handle_time(instant);
        self.alarming = alarming;
    }

    fn lane_of(&self, input: u32) -> Option<usize> {
        Some(self.places.get(Facet::of_input(input)?.0)?.lane)
    }

    /// Raises and clears the alarms that sources are lost. A refusal is no matter of time.
    fn see_losses(&mut self, now: Mono) {
        let instant = self.instant(now);
        let Self { alarming: Alarming { losses, watch, .. }, lanes, .. } = self;
        for (loss, lane) in losses.iter_mut().zip(lanes) {
            let on = if lane.status.phase == Phase::Refused { Duration::ZERO } else { LOST_AFTER };
            let delays = Delays { on, off: Duration::ZERO };
            let is_lost = lane.status.phase != Phase::Live;
            let truth = if is_lost { Truth::Yes } else { Truth::No };
            let key = AlarmKey::of_rule(&of_source(&lane.spec.id));
            let cause = || -> Vec<(String, String)> {
                lane.status.cause.iter().map(|cause| ("cause".to_owned(), cause.text.clone())).collect()
            };
            for turn in loss.handle(truth, measured(now), delays).into_iter().flatten() {
                let wall = |at: Timestamp| instant.wall.minus(measured(now).since(at));
                let turn = Turn { holds: turn.holds, at: wall(turn.at), since: wall(turn.since) };
                // That nothing is heard is heard of here, and always of now.
                watch.alarms_mut().handle_turn(&key, turn, Evidence::Live, cause, instant);
            }
            watch.alarms_mut().agree(&key, (loss.holds(), instant.wall), Evidence::Live, cause, instant);
        }
    }

    /// When time alone changes something of the alarms: what a source's clock decides is due when that has come so far.
    pub(super) fn alarms_timeout(&self, now: Mono) -> Option<Mono> {
        if self.alarming.is_idle() {
            return None;
        }
        let due = |(number, lane): (usize, &Lane)| {
            let own = self.alarming.watch.due(|input| self.lane_of(input) == Some(number));
            let events = self.alarming.watch.events_due(|rule| self.alarming.by_events.lane(rule) == Some(number));
            let due = own.into_iter().chain(events).min()?;
            (due <= lane.folded_until()?).then_some(now)
        };
        let sources = self.lanes.iter().enumerate().filter_map(due);
        let losses = self.alarming.losses.iter().zip(&self.lanes).filter_map(|(loss, lane)| {
            let on = if lane.status.phase == Phase::Refused { Duration::ZERO } else { LOST_AFTER };
            let due = loss.due(Delays { on, off: Duration::ZERO })?;
            Some(now.plus(due.since(measured(now))))
        });
        sources.chain(losses).chain(self.alarms().poll_timeout()).min()
    }

    /// Counts a change of what people see of the alarms.
    pub(super) fn note_alarms(&mut self) {
        let alarms = self.alarming.alarms();
        let shown = Shown {
            number: alarms.number(),
            unsupervised: self.alarming.unsupervised(),
            flood: alarms.flood().since(),
            lost: alarms.lost(),
        };
        if shown != self.alarming.shown {
            self.alarming.shown = shown;
            self.version += 1;
            self.alarms_version = self.version;
        }
    }
}

/// A rule over widgets as it is watched.
fn rule(spec: &AlarmSpec, spans: bool) -> Option<Rule> {
    let Judged::Widgets { when, names } = &spec.judged else { return None };
    Some(Rule {
        id: spec.id.as_str().into(),
        when: when.clone(),
        names: names.clone(),
        deadband: spec.deadband,
        delays: Delays { on: spec.on_delay, off: spec.off_delay },
        terms: rule_terms(spec),
        spans,
    })
}

fn rule_terms(spec: &AlarmSpec) -> Terms {
    Terms {
        priority: spec.priority,
        manner: Manner { latches: spec.latches, ends_unacknowledged: spec.ends_unacknowledged },
        parents: spec.parents.iter().map(|parent| parent.as_str().into()).collect(),
        group: spec.group.as_deref().map(Into::into),
        realarm: spec.realarm,
    }
}

/// What conditions are evaluated over.
struct View<'a> {
    board: &'a Board,
    asked: Asked,
    now: Mono,
    /// By widget: many rules ask the same of it, and all of its tiles are looked at for that.
    meanings: RefCell<BTreeMap<usize, meanings::Meanings>>,
}

impl<'a> View<'a> {
    const fn new(board: &'a Board, asked: Asked, now: Mono) -> Self {
        Self { board, asked, now, meanings: RefCell::new(BTreeMap::new()) }
    }

    fn meanings(&self, number: usize, widget: &WidgetSpec, tracked: &Tracked) -> meanings::Meanings {
        *self.meanings.borrow_mut().entry(number).or_insert_with(|| meanings::meanings(widget, tracked))
    }
}

impl Inputs for View<'_> {
    fn input(&self, number: u32) -> Term<'_> {
        let found = || {
            let (widget, facet) = Facet::of_input(number)?;
            let spec = self.board.file.widgets.get(widget)?;
            let (lane, tracked) = self.board.at(*self.board.places.get(widget)?)?;
            Some((widget, facet, spec, lane, tracked))
        };
        let Some((widget, facet, spec, lane, tracked)) = found() else { return Term::Unknown(Why::NoValue) };
        if self.asked == Asked::Now {
            let held = lane.held(tracked.has_value(), self.now);
            let proof = judge(&lane.status, promise(spec, lane), held, self.now);
            if !proof.freshness.is_current() && proof.freshness != Freshness::Unknown {
                return Term::Unknown(Why::NotOfNow(number));
            }
            let believed = verdict(spec, lane, tracked, self.now).freshness.is_current() || !tracked.has_value();
            if !believed || self.board.is_disputed(widget, self.now) {
                return Term::Unknown(Why::Doubted(number));
            }
        }
        if !tracked.has_value() {
            return Term::Unknown(Why::NoValue);
        }
        match facet {
            Facet::Value => match tracked.aggregate.number() {
                Some((value, has_more)) => counted(value, has_more, tracked),
                None => Term::Unknown(Why::NoValue),
            },
            Facet::Count => match tracked.aggregate.number() {
                // Of rows and markers nothing grows only.
                Some((count, has_more)) => counted(count, has_more, tracked),
                None => counted(f64::from(self.meanings(widget, spec, tracked).count), false, tracked),
            },
            Facet::State | Facet::Alarm | Facet::Warning if lacks(tracked) => Term::Unknown(Why::Incomplete),
            Facet::State => Term::Text(state_word(self.meanings(widget, spec, tracked).worst).into()),
            Facet::Alarm => Term::Number(f64::from(self.meanings(widget, spec, tracked).alarm)),
            Facet::Warning => Term::Number(f64::from(self.meanings(widget, spec, tracked).warning)),
        }
    }
}

/// Whether it may be something else than it is, as events may be missing.
const fn lacks(tracked: &Tracked) -> bool {
    tracked.incomplete_until.is_some()
}

/// A number, as far as it can be believed (H3).
fn counted(value: f64, has_more: bool, tracked: &Tracked) -> Term<'static> {
    if !value.is_finite() {
        Term::Unknown(Why::Arithmetic)
    } else if has_more || tracked.is_at_least() {
        Term::AtLeast(value)
    } else if lacks(tracked) {
        Term::Unknown(Why::Incomplete)
    } else {
        Term::Number(value)
    }
}
