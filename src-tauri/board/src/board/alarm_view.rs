//! Alarms as the page lists them.

use std::{cmp::Reverse, collections::BTreeMap};

use watchfloor_model::{Mono, Timestamp};

use super::{Board, alarming::Alarming};
use crate::{
    alarm::{
        AlarmKey, Priority, Said, Standing,
        input::Facet,
        machine::{Base, Evidence, Shown},
        state_of,
    },
    config::spec::AlarmSpec,
    frame::{AlarmCause, AlarmCount, AlarmEvidence, AlarmName, AlarmSaid, AlarmView, AlarmsView, FloodView, State},
};

/// Alarms at most that cross to the page; of more, the most urgent ones. All are counted.
const LISTED_MAX: usize = 200;

/// What alarms and sources are called, and by which zone people read times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// Alarms, by their keys.
    pub alarms: BTreeMap<String, AlarmName>,
    /// Sources, by their ids.
    pub sources: BTreeMap<String, String>,
    /// The zone's name.
    pub timezone: String,
}

const PRIORITIES: [Priority; 4] = [Priority::Critical, Priority::High, Priority::Medium, Priority::Low];

/// What tells the place of an alarm among all: the smallest is the most urgent.
pub(super) type Urgency<'a> = (u8, Reverse<Priority>, Reverse<Option<Timestamp>>, &'a AlarmKey);

pub(super) fn urgency<'a>(key: &'a AlarmKey, own: &Standing) -> Urgency<'a> {
    (rank(own), Reverse(own.priority), Reverse(own.raised), key)
}

impl Board {
    /// All that people see of the alarms, if the board has any rules.
    pub(super) fn alarms_view(&self, now: Mono) -> Option<AlarmsView> {
        self.file.alarming.as_ref()?;
        let alarms = self.alarms();
        let mut all: Vec<(Urgency<'_>, &Standing)> = Vec::with_capacity(alarms.standing().len());
        let (mut counts, mut aside) = ([(0, 0); PRIORITIES.len()], 0);
        for (key, own) in alarms.standing() {
            let urgency = urgency(key, own);
            let (unacknowledged, acknowledged) = &mut counts[own.priority as usize];
            if urgency.0 <= RANK_STANDING && own.alarm.base.wants_acknowledgement() {
                *unacknowledged += 1;
            } else if urgency.0 <= RANK_STANDING {
                *acknowledged += 1;
            }
            aside += usize::from(own.alarm.suppression.is_any());
            all.push((urgency, own));
        }
        let total = number(all.len());
        let by_urgency = |one: &(Urgency<'_>, _), two: &(Urgency<'_>, _)| one.0.cmp(&two.0);
        let mut others = Vec::new();
        if all.len() > LISTED_MAX {
            let of_widgets = self.most_urgent_of_widgets(&all);
            let (_, first, _) = all.select_nth_unstable_by(LISTED_MAX, by_urgency);
            let first = first.0;
            others.extend(of_widgets.into_iter().filter(|(urgency, _)| *urgency >= first));
            all.truncate(LISTED_MAX);
        }
        all.sort_unstable_by(by_urgency);
        all.append(&mut others);
        let instant = self.instant(now);
        let flood = alarms.flood().since().map(|since| FloodView {
            since_ms: instant.wall.minus(now.since(since)).as_millis(),
            total: alarms.flood().total(),
        });
        Some(AlarmsView {
            counts: PRIORITIES.into_iter().map(|priority| count(priority, counts[priority as usize])).collect(),
            aside: number(aside),
            list: all.into_iter().map(|((.., key), own)| self.alarm_view(key, own)).collect(),
            total,
            unsupervised: number(self.alarming.unsupervised()),
            flood,
            lost: alarms.lost(),
        })
    }

    /// The most urgent alarm of each widget, in the order of their urgency: its band is that one's, however many more urgent ones stand elsewhere.
    /// `all` is in the order of keys.
    fn most_urgent_of_widgets<'a>(&self, all: &[(Urgency<'a>, &'a Standing)]) -> Vec<(Urgency<'a>, &'a Standing)> {
        let mut best: Vec<Option<(Urgency<'a>, &'a Standing)>> = vec![None; self.file.widgets.len()];
        // Both are in the order of the rules' ids: none is looked up.
        let mut rules = self.alarming.numbers.iter().peekable();
        for one in all {
            let ((rank, .., key), _) = one;
            while rules.next_if(|(id, _)| **id < key.rule).is_some() {}
            let Some(spec) =
                rules.peek().filter(|(id, _)| **id == key.rule).and_then(|(_, at)| self.file.alarms.get(**at))
            else {
                continue;
            };
            for (widget, _) in spec.inputs().iter().filter_map(|input| Facet::of_input(*input)) {
                if let Some(own) = best.get_mut(widget)
                    && *rank <= RANK_STANDING
                    && own.is_none_or(|own| one.0 < own.0)
                {
                    *own = Some(*one);
                }
            }
        }
        let mut best: Vec<(Urgency<'a>, &'a Standing)> = best.into_iter().flatten().collect();
        best.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        best.dedup_by(|one, two| one.0 == two.0);
        best
    }

    pub(super) fn alarm_view(&self, key: &AlarmKey, own: &Standing) -> AlarmView {
        let spec = self.alarming.spec(&self.file, &key.rule);
        let AlarmName { title, source, widgets } = self.alarm_name(key);
        let foreign = own.foreign.as_deref();
        let at = spec.and_then(|spec| self.time_of(*spec.inputs().first()?));
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        AlarmView {
            key: key.to_string(),
            occurrence: own.alarm.occurrence,
            title,
            source,
            advice: foreign.and_then(|own| own.advice.clone()).or_else(|| spec.and_then(|spec| spec.advice.clone())),
            priority: own.priority,
            state: state_of(own.alarm.shown()),
            wants_acknowledgement: own.alarm.base.wants_acknowledgement(),
            evidence: match own.alarm.evidence {
                Evidence::Unknown => AlarmEvidence::Unknown,
                Evidence::Stale => AlarmEvidence::Stale,
                Evidence::Bad => AlarmEvidence::Bad,
                Evidence::Live => AlarmEvidence::Live,
            },
            raised_ms: millis(own.raised),
            returned_ms: millis(own.returned),
            decided_ms: millis(own.decided),
            realarms: own.alarm.realarms,
            first: own.is_first,
            group: foreign.and_then(|own| own.group.clone()).or_else(|| spec.and_then(|spec| spec.group.clone())),
            nuisance: own.nuisance(at.unwrap_or(self.wall.0)),
            cause: own
                .cause
                .iter()
                .map(|(name, value)| AlarmCause { name: name.clone(), value: value.clone() })
                .collect(),
            widgets,
            acknowledged: own.acknowledged.as_ref().map(said),
            aside: own.out_of_service.as_ref().or(own.shelved.as_ref()).map(said),
            comments: own.comments.iter().map(said).collect(),
        }
    }

    /// What an alarm is called; of another system's, as far as it stands.
    pub(super) fn alarm_name(&self, key: &AlarmKey) -> AlarmName {
        let spec = self.alarming.spec(&self.file, &key.rule);
        let source = Alarming::source(&key.rule);
        let foreign = self.alarms().standing().get(key).and_then(|own| own.foreign.as_deref());
        let title = match (spec, source) {
            _ if foreign.is_some() => foreign.map(|own| own.title.clone()).unwrap_or_default(),
            (Some(spec), _) if key.of.is_empty() => spec.title.clone(),
            (Some(spec), _) => format!("{} · {}", spec.title, key.of),
            (None, Some(id)) => self.file.source(id).map_or_else(|| id.to_owned(), |source| source.title.clone()),
            (None, None) => key.rule.to_string(),
        };
        let widgets = spec.map(|spec| self.judged_by(spec.inputs())).unwrap_or_default();
        AlarmName { title, source: source.map(ToOwned::to_owned), widgets }
    }

    /// What these alarms and this board's sources are called. Alarms of rules that the board doesn't have are left out.
    #[must_use]
    pub fn called(&self, alarms: &[String]) -> Called {
        let knows = |key: &AlarmKey| {
            self.alarming.spec(&self.file, &key.rule).is_some()
                || Alarming::source(&key.rule).is_some_and(|id| self.file.source(id).is_some())
        };
        let known = alarms.iter().map(|text| (text, AlarmKey::read(text))).filter(|(_, key)| knows(key));
        Called {
            alarms: known.map(|(text, key)| (text.clone(), self.alarm_name(&key))).collect(),
            sources: self.file.sources.iter().map(|source| (source.id.clone(), source.title.clone())).collect(),
            timezone: self.file.board.timezone.clone(),
        }
    }

    /// What the widget is called where to look.
    pub(super) fn place_of(&self, spec: &AlarmSpec) -> Option<&str> {
        let (widget, _) = Facet::of_input(*spec.inputs().first()?)?;
        Some(&self.file.widgets.get(widget)?.title)
    }

    /// The ids of the widgets that these inputs are of, each once.
    fn judged_by(&self, inputs: &[u32]) -> Vec<String> {
        let mut widgets: Vec<usize> = inputs.iter().filter_map(|input| Some(Facet::of_input(*input)?.0)).collect();
        widgets.dedup();
        widgets.into_iter().filter_map(|number| Some(self.file.widgets.get(number)?.id.clone())).collect()
    }

    /// The pages on which something is that an alarm calls for, with how bad that is.
    pub(super) fn calling_pages(&self) -> impl Iterator<Item = (usize, State)> {
        let calling = self.alarms().standing().iter().filter(|(_, own)| own.alarm.calls());
        calling.filter_map(|(key, own)| {
            let spec = self.alarming.spec(&self.file, &key.rule)?;
            let (widget, _) = Facet::of_input(*spec.inputs().first()?)?;
            let state = if own.priority >= Priority::High { State::Alarm } else { State::Warning };
            Some((self.file.widgets.get(widget)?.page, state))
        })
    }
}

/// What is more urgent comes first.
const fn rank(own: &Standing) -> u8 {
    match own.alarm.shown() {
        Shown::Base(Base::Unacknowledged | Base::LatchedUnacknowledged) => 0,
        Shown::Base(Base::Returned) => 1,
        Shown::Base(Base::Acknowledged | Base::LatchedAcknowledged) => 2,
        Shown::OutOfService | Shown::SuppressedByDesign | Shown::Shelved => 3,
        Shown::Unsupervised | Shown::Base(Base::Normal) => 4,
        Shown::Removed => 5,
    }
}

/// What stands, and is put aside by nobody, has this rank or a smaller one.
const RANK_STANDING: u8 = 2;

fn count(priority: Priority, (unacknowledged, acknowledged): (usize, usize)) -> AlarmCount {
    AlarmCount { priority, unacknowledged: number(unacknowledged), acknowledged: number(acknowledged) }
}

fn said(said: &Said) -> AlarmSaid {
    AlarmSaid {
        name: said.by.name.clone(),
        station: said.by.station.clone(),
        at_ms: said.at.as_millis(),
        words: said.words.clone(),
        until_ms: said.until.map(Timestamp::as_millis),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
