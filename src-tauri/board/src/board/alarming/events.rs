//! Rules over events, on their way from a source: which of them want an event, and what it tells them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use watchfloor_model::{Event, Mono};

use super::{super::Board, rule_terms};
use crate::{
    alarm::{
        EventRule, Judge,
        condition::{Inputs, Term, Why},
        delay::Delays,
        foreign,
    },
    config::spec::{AlarmSpec, BoardFile, EventsSpec, Judged},
    freshness::{Promise, judge},
    path::Path,
    reduce::{Filter, Interest, Rejection, key_at, render},
};

/// Most channels and names remembered. Further ones are forgotten and asked about again.
const NAMES_MAX: usize = 10_000;

/// What is wanted of a source's events.
#[derive(Debug)]
struct Wanting {
    /// The rule's id.
    id: String,
    lane: usize,
    filter: Filter,
    key: Option<Path>,
    spec: EventsSpec,
}

/// A source, a channel and a name.
type Named = (usize, Arc<str>, Arc<str>);

/// Rules over events, in the order of the watch's.
#[derive(Debug, Default)]
pub(in crate::board) struct ByEvents {
    wanting: Vec<Wanting>,
    /// By source, channel and name, which of them may want such an event, and whether its data must be looked at.
    known: HashMap<Named, Arc<[(usize, bool)]>>,
}

impl ByEvents {
    /// The rules of a file, and as they are watched.
    pub(super) fn new(file: &BoardFile) -> (Self, Vec<EventRule>) {
        let (mut wanting, mut rules) = (Vec::new(), Vec::new());
        for spec in &file.alarms {
            let Judged::Events(events) = &spec.judged else { continue };
            // The file's reader knows the source.
            let Some(lane) = file.sources.iter().position(|source| source.id == events.source) else { continue };
            rules.push(rule(spec, events));
            wanting.push(Wanting {
                id: spec.id.clone(),
                lane,
                filter: Filter::of(&events.channels, &events.on, &events.only),
                key: events.key.clone(),
                spec: (**events).clone(),
            });
        }
        (Self { wanting, known: HashMap::new() }, rules)
    }

    /// Whether any of them is of this source.
    pub(super) fn has(&self, lane: usize) -> bool {
        self.wanting.iter().any(|own| own.lane == lane)
    }

    /// The source of one.
    pub(super) fn lane(&self, rule: usize) -> Option<usize> {
        self.wanting.get(rule).map(|own| own.lane)
    }

    pub(super) fn len(&self) -> usize {
        self.wanting.len()
    }

    /// Those that may want an event of this channel and name: asked once, then remembered.
    fn of(&mut self, lane: usize, event: &Event) -> Arc<[(usize, bool)]> {
        let name = (lane, Arc::clone(&event.channel), Arc::clone(&event.name));
        if self.known.len() >= NAMES_MAX && !self.known.contains_key(&name) {
            self.known.clear();
        }
        match self.known.entry(name) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(free) => {
                let of_it = self.wanting.iter().enumerate().filter(|(_, own)| own.lane == lane);
                let interest = of_it.map(|(rule, own)| (rule, own.filter.interest(&event.channel, &event.name)));
                let wanting = interest
                    .filter(|(_, interest)| *interest != Interest::None)
                    .map(|(rule, interest)| (rule, interest == Interest::Conditional));
                Arc::clone(free.insert(wanting.collect()))
            }
        }
    }
}

impl Board {
    /// An event of this source came: the rules over events that want it are told.
    pub(in crate::board) fn tell_rules(&mut self, lane: usize, event: &Event, now: Mono) {
        if self.alarming.by_events.wanting.is_empty() {
            return;
        }
        let instant = self.instant(now);
        let rules = self.alarming.by_events.of(lane, event);
        let mut unusable = Vec::new();
        let super::Alarming { by_events, watch, .. } = &mut self.alarming;
        for (number, is_conditional) in rules.iter() {
            let Some(own) = by_events.wanting.get(*number) else { continue };
            let data = event.data.value();
            if *is_conditional && !own.filter.accepts(data) {
                continue;
            }
            if let Judge::Foreign { system, .. } = own.spec.judge {
                let mut message = foreign::read(system, data);
                if is_removed(&event.name) {
                    message.end_all();
                }
                let homeless = watch.handle_message(*number, &message, event.time, instant);
                let unusable_here = message.unusable.into_iter().chain(homeless.iter().map(|key| no_room("", key)));
                unusable.extend(unusable_here.map(|rejection| (own.id.clone(), rejection)));
                continue;
            }
            let key = match own.key.as_ref().map(|path| key_at(path, data)) {
                None => "".into(),
                Some(Ok(key)) => key,
                Some(Err(rejection)) => {
                    unusable.push((own.id.clone(), rejection));
                    continue;
                }
            };
            let text = || -> Vec<(String, String)> {
                let text = own.spec.text.as_ref().map(|text| render(text, data));
                text.map(|text| ("text".to_owned(), text)).into_iter().collect()
            };
            if !watch.handle_event((*number, &key), &View(event), event.time, &text, instant) {
                let place = own.key.as_ref().map_or_else(String::new, |path| format!("`{path}`"));
                unusable.push((own.id.clone(), no_room(&place, &key)));
            }
        }
        let room = super::super::REJECTIONS_HELD_MAX.saturating_sub(self.rejections.len());
        self.rejections.extend(unusable.into_iter().take(room));
    }

    /// What time alone brings to rules over events, and whether their sources tell of now.
    pub(super) fn pass_events_time(&mut self, now: Mono) {
        let instant = self.instant(now);
        let limit = self.file.board.stale_after;
        let super::Alarming { by_events, watch, .. } = &mut self.alarming;
        for (number, lane) in self.lanes.iter().enumerate().filter(|(number, _)| by_events.has(*number)) {
            let promise = Promise { limit, quiet: lane.spec.quiet };
            let is_current = judge(&lane.status, promise, lane.held(true, now), now).freshness.is_current();
            let is_of_it = |rule: usize| by_events.lane(rule) == Some(number);
            for rule in (0..by_events.len()).filter(|rule| is_of_it(*rule)) {
                watch.handle_level(rule, is_current, instant);
            }
            if let Some(time) = lane.folded_until()
                && watch.events_due(is_of_it).is_some_and(|due| due <= time)
            {
                watch.handle_events_time(is_of_it, time, instant);
            }
        }
    }
}

/// Whether an event says that a row of a polled document is gone.
fn is_removed(name: &str) -> bool {
    name == "removed" || name.ends_with(".removed")
}

fn no_room(place: &str, key: &str) -> Rejection {
    Rejection {
        place: place.to_owned(),
        found: format!("one more alarm, `{key}`"),
        expected: "no more than 10,000 that stand of one rule".to_owned(),
    }
}

fn rule(spec: &AlarmSpec, events: &EventsSpec) -> EventRule {
    EventRule {
        id: spec.id.as_str().into(),
        judge: events.judge.clone(),
        delays: Delays { on: spec.on_delay, off: spec.off_delay },
        terms: rule_terms(spec),
    }
}

/// An event, as conditions see it: [`crate::alarm::input::EVENT_INPUTS`].
struct View<'a>(&'a Event);

impl Inputs for View<'_> {
    fn input(&self, number: u32) -> Term<'_> {
        match number {
            0 => Term::of(self.0.data.value()),
            1 => Term::Text((&*self.0.name).into()),
            _ => Term::Unknown(Why::NoValue),
        }
    }
}
