//! What happened besides what a chart is of: events at their time, with a short text.

use serde::{Deserialize, Serialize};
use watchfloor_model::Event;

use crate::{
    config::spec::{MarksSpec, Template},
    frame::{MarkValue, MarksValue},
    reduce::{Ms, TIME_MS_MAX, cut::cut, filter::Conditions, template::render},
};

/// The longest label, in characters: it stands beside others on a chart.
const LABEL_CHARACTERS_MAX: usize = 60;
/// Most marks that are counted and not shown.
const COUNTED_MAX: usize = 1000;
/// Most marks whose time is to come.
const AHEAD_MAX: usize = 256;

/// The newest marks, by their time.
pub(super) struct Marks {
    on: Vec<String>,
    only: Conditions,
    label: Option<Template>,
    limit: usize,
    state: State,
    version: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// By time, those of one instant as they came.
    list: Vec<(Ms, String)>,
    /// When those were that there was no room for: they are counted. In order, the newest of them.
    left_out: Vec<Ms>,
    /// Those whose time is to come, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ahead: Vec<(Ms, String)>,
}

impl State {
    /// Whether it is possible: what is restored comes from outside.
    fn is_sound(&self, limit: usize) -> bool {
        let is_instant = |at: &Ms| (-TIME_MS_MAX..=TIME_MS_MAX).contains(at);
        let are_sound = |list: &[(Ms, String)], limit: usize| {
            list.len() <= limit
                && list.is_sorted_by_key(|(at, _)| *at)
                && list.iter().all(|(at, label)| is_instant(at) && label.chars().count() <= LABEL_CHARACTERS_MAX)
        };
        are_sound(&self.list, limit)
            && are_sound(&self.ahead, AHEAD_MAX)
            && self.left_out.len() <= COUNTED_MAX
            && self.left_out.is_sorted()
            && self.left_out.iter().all(is_instant)
    }
}

/// Adds to a list in the order of time, after those of the same instant.
fn put(list: &mut Vec<(Ms, String)>, at: Ms, label: String) {
    let place = list.partition_point(|(other, _)| *other <= at);
    list.insert(place, (at, label));
}

impl Marks {
    pub(super) fn new(spec: &MarksSpec) -> Self {
        let limit = spec.limit.max(1) as usize;
        let only = Conditions::new(&spec.only);
        Self { on: spec.on.clone(), only, label: spec.label.clone(), limit, state: State::default(), version: 0 }
    }

    /// Whether events of this name are marks.
    pub(super) fn are_of(&self, name: &str) -> bool {
        self.on.iter().any(|own| own == name)
    }

    /// Takes an event; says whether it is seen. What isn't to be marked is nothing, what was before the beginning of `shown` has left the chart, and what is at its end or
    /// later waits; without a `shown` all of it does. None if there is no room for what waits.
    pub(super) fn take(&mut self, event: &Event, shown: Option<(Ms, Ms)>, version: u64) -> Option<bool> {
        let at = event.time.as_millis();
        if shown.is_some_and(|(begin, _)| at < begin) || !self.only.hold(event.data.value()) {
            return Some(false);
        }
        let label = match &self.label {
            Some(template) => render(template, event.data.value()),
            None => event.name.to_string(),
        };
        let label = cut(&label, LABEL_CHARACTERS_MAX).into_owned();
        if shown.is_none_or(|(_, end)| at >= end) {
            if self.state.ahead.len() >= AHEAD_MAX {
                return None;
            }
            put(&mut self.state.ahead, at, label);
            return Some(false);
        }
        self.show(at, label, version);
        Some(true)
    }

    fn show(&mut self, at: Ms, label: String, version: u64) {
        let State { list, left_out, .. } = &mut self.state;
        put(list, at, label);
        if list.len() > self.limit {
            let (gone, _) = list.remove(0);
            left_out.insert(left_out.partition_point(|other| *other <= gone), gone);
            if left_out.len() > COUNTED_MAX {
                left_out.remove(0);
            }
        }
        self.version = version;
    }

    /// The chart reaches from `begin` to `end`: lets those come whose time it is, and those wait again whose time isn't yet.
    pub(super) fn advance(&mut self, begin: Ms, end: Ms, version: u64) {
        let early = self.state.list.partition_point(|(at, _)| *at < end);
        if early < self.state.list.len() {
            self.version = version;
            for (at, label) in self.state.list.split_off(early) {
                if self.state.ahead.len() < AHEAD_MAX {
                    put(&mut self.state.ahead, at, label);
                }
            }
        }
        let waiting = self.state.ahead.split_off(self.state.ahead.partition_point(|(at, _)| *at < end));
        for (at, label) in std::mem::replace(&mut self.state.ahead, waiting) {
            if at >= begin {
                self.show(at, label, version);
            }
        }
        self.forget(begin, version);
    }

    /// Forgets what was before `begin`.
    fn forget(&mut self, begin: Ms, version: u64) {
        let gone = self.state.list.partition_point(|(at, _)| *at < begin);
        self.state.list.drain(..gone);
        let uncounted = self.state.left_out.partition_point(|at| *at < begin);
        self.state.left_out.drain(..uncounted);
        if gone + uncounted > 0 {
            self.version = version;
        }
    }

    /// What is shown; none if it is what it was at `since`.
    pub(super) fn value(&self, since: u64) -> Option<MarksValue> {
        if since > 0 && self.version <= since {
            return None;
        }
        let mark = |(at, label): &(Ms, String)| MarkValue { at_ms: *at, label: label.clone() };
        let more = u32::try_from(self.state.left_out.len()).unwrap_or(u32::MAX);
        Some(MarksValue { list: self.state.list.iter().map(mark).collect(), more })
    }

    pub(super) const fn state(&self) -> &State {
        &self.state
    }

    /// Whether it can take this state.
    pub(super) fn check(&self, state: &State) -> Result<(), String> {
        if state.is_sound(self.limit) { Ok(()) } else { Err("marks that are impossible or out of order".to_owned()) }
    }

    pub(super) fn restore(&mut self, state: State, version: u64) {
        self.state = state;
        self.version = version;
    }
}
