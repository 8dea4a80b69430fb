//! Alarms in the loop: decided by the board, recorded by the journal, and only then announced; that they were is marked (H6).

use std::{collections::BTreeMap, path::Path};

use jiff::tz::TimeZone;
use watchfloor_board::{
    alarm::{Act, AlarmKey, Change, Heard, Standing, machine::Sound},
    config::spec::{AlarmSpec, BoardFile, TlsSpec},
    frame::AlarmAct,
};
use watchfloor_model::{Mono, Timestamp};

use super::Run;
use crate::{
    announce::{Announced, Asked, Call, Order, Settings, Sought, Told, trial::Observed},
    journal::table::alarm::{Call as Named, Mark},
    onward,
};

/// Calls at most that wait for a page to paint them: there may be no page. Of more, it isn't noted when they were seen.
const UNSEEN_MAX: usize = 10_000;
/// Under which name stands what the webhook has of the record.
const RECEIVER: &str = "webhook";
/// Where it is that somebody acknowledges it is that comes by the desktop.
const STATION: &str = "notification";

impl Run {
    /// What a start found: alarms that call already are heard on, and those that nobody knows to be announced are announced, as what they may be:
    /// once more.
    ///
    /// A flood goes on, and what people were told within the last ten minutes counts: a restart allows nothing more.
    pub(super) fn resume_alarms(&mut self, marks: Vec<Mark>, told: &[Timestamp], now: Mono) {
        let marked: BTreeMap<Named, Heard> = marks.into_iter().map(|mark| (mark.call, mark.heard)).collect();
        let decided = self.board.take_alarm_changes();
        let is_new = |key: &AlarmKey, own: &Standing| {
            decided
                .iter()
                .any(|change| change.sound == Sound::Start && change.key == *key && named(change) == name(change, own))
        };
        let calling: Vec<(Named, Order)> = self
            .board
            .alarms()
            .standing()
            .iter()
            .filter(|(key, own)| own.alarm.calls() && !is_new(key, own))
            .map(|(key, own)| {
                let named = Named { key: key.clone(), occurrence: own.alarm.occurrence, realarms: own.alarm.realarms };
                let is_known = marked.get(&named).is_some_and(|heard| heard.announced.is_some());
                let call = Call { is_repeat: !is_known, ..self.call(key, own) };
                let by = marked.get(&named).and_then(|heard| heard.by.clone());
                (named, if is_known { Order::Resume { call, by } } else { Order::Start(call) })
            })
            .collect();
        let wall = self.clock.wall();
        // By what was told of it, and by what a killed run may have told last, and could not note.
        let noted = told.last().copied();
        let unnoted = calling.iter().filter_map(|(_, order)| match order {
            Order::Start(call) => Some(call.decided),
            _ => None,
        });
        let unnoted = unnoted.filter(|decided| noted.is_none_or(|noted| noted < *decided)).max();
        let mut told: Vec<Mono> = told.iter().copied().chain(unnoted).map(|at| self.clock.place(at)).collect();
        told.sort_unstable();
        self.announcer.resume(told, now);
        for is_flood in self.board.take_alarm_floods() {
            self.announcer.handle_order(Order::Flood(is_flood), now, wall);
        }
        for (named, order) in calling {
            if matches!(order, Order::Start(_)) {
                self.repeated.insert(named);
            }
            self.announcer.handle_order(order, now, wall);
        }
        self.announcer.settle();
        self.record_alarms(decided, None, now);
    }

    /// What was decided since the last time goes on record. `received` is when the events came that brought it, if any did.
    pub(super) fn handle_alarms(&mut self, received: Option<Mono>, now: Mono) {
        let changes = self.board.take_alarm_changes();
        for is_flood in self.board.take_alarm_floods() {
            self.announcer.handle_order(Order::Flood(is_flood), now, self.clock.wall());
        }
        let received = received.map(|at| self.clock.wall().minus(now.since(at)));
        self.record_alarms(changes, received, now);
    }

    fn record_alarms(&mut self, changes: Vec<Change>, received: Option<Timestamp>, now: Mono) {
        let unrecorded = self.alarms.record(changes, received);
        self.handle_recorded(&unrecorded, now);
    }

    /// What is on record by now is announced.
    pub(super) fn handle_recorded(&mut self, changes: &[Change], now: Mono) {
        let wall = self.clock.wall();
        if let Some(onward) = &self.onward {
            onward.handle_recorded(changes);
        }
        for change in changes {
            let key = change.key.clone();
            let order = match change.sound {
                // What has been dealt with since, behind a slow disk, calls for nobody.
                Sound::Start if !self.is_calling(change) => continue,
                Sound::Start => {
                    if self.unseen.len() < UNSEEN_MAX {
                        self.unseen.push((self.board.version(), named(change)));
                    }
                    Order::Start(self.call(&change.key, &change.now))
                }
                Sound::Retune => Order::Retune { key, priority: change.now.priority },
                Sound::Stop => Order::Stop { key },
                Sound::StopHere => Order::StopHere { key },
                Sound::Keep => continue,
            };
            self.announcer.handle_order(order, now, wall);
        }
        self.announce(now);
    }

    /// A page has painted this version: what called by then has been seen.
    pub(super) fn note_seen(&mut self, version: u64) {
        let wall = self.clock.wall();
        let seen = self.unseen.extract_if(.., |(since, _)| *since <= version);
        let seen: Vec<Named> = seen.map(|(_, named)| named).collect();
        for named in seen {
            self.alarms.mark(named, Heard { seen: Some(wall), ..Heard::default() });
        }
    }

    fn is_calling(&self, change: &Change) -> bool {
        let own = self.board.alarms().standing().get(&change.key);
        own.is_some_and(|own| own.alarm.calls() && named(change) == name(change, own))
    }

    fn call(&self, key: &AlarmKey, own: &Standing) -> Call {
        let words = self.board.alarm_words(key);
        let cause = own.cause.iter().map(|(name, value)| format!("{name} {value}"));
        Call {
            key: key.clone(),
            occurrence: own.alarm.occurrence,
            realarms: own.alarm.realarms,
            priority: own.priority,
            title: words.title,
            advice: words.advice,
            cause: cause.collect::<Vec<_>>().join(", "),
            raised: own.raised,
            decided: own.decided.unwrap_or_else(|| self.clock.wall()),
            is_repeat: false,
        }
    }

    /// The board says for how long the record is kept.
    pub(super) fn keep_alarms(&mut self) {
        if let Some(spec) = &self.file.alarming {
            self.alarms.keep(spec.keep);
        }
    }

    /// Announces what is due, and notes what was.
    pub(super) fn announce(&mut self, now: Mono) {
        for announced in self.announcer.handle_time(now, self.clock.wall()) {
            let Announced { key, occurrence, realarms, at, how } = announced;
            let named = Named { key, occurrence, realarms };
            let is_repeated = self.repeated.remove(&named);
            let by = Some(how.name().to_owned());
            self.alarms.mark(named, Heard { announced: Some(at), by, is_repeated, ..Heard::default() });
        }
        if let Some(told) = self.announcer.take_told() {
            self.alarms.told(told.into_iter().map(|at| self.clock.wall_at(at)).collect());
        }
    }

    /// What the desktop and the sound device say.
    pub(super) fn handle_told(&mut self, told: &Told, now: Mono) {
        match told {
            Told::Acted { key: Some(key), occurrence, asked: Asked::Acknowledge } => {
                let act = Act::Acknowledge { occurrence: *occurrence };
                let act = self.signed(AlarmAct { key: key.to_string(), act, name: None });
                if let Err(refused) = self.board.handle_act(&act, STATION, now) {
                    tracing::info!(alarm = %key, reason = %refused, "not acknowledged by its notification");
                }
            }
            Told::Acted { key, asked: Asked::Show, .. } => self.reach.sought.send_modify(|sought| {
                let key = key.as_ref().map(ToString::to_string);
                *sought = Sought { number: sought.number + 1, key, at: Some(std::time::Instant::now()) };
            }),
            _ => {}
        }
        if let Some(observed) = Observed::told(told) {
            self.observe(|| observed);
        }
        self.announcer.handle_told(told, now, self.clock.wall());
        self.announce(now);
    }
}

fn named(change: &Change) -> Named {
    name(change, &change.now)
}

fn name(change: &Change, own: &Standing) -> Named {
    Named { key: change.key.clone(), occurrence: own.alarm.occurrence, realarms: own.alarm.realarms }
}

impl Run {
    /// Who is on record for what somebody did who said no name.
    pub(super) fn operator(&self) -> Option<String> {
        let own = self.file.alarming.as_ref().and_then(|how| how.operator.clone());
        own.or_else(|| self.reach.operator.clone())
    }

    /// An act with somebody's name, if anybody is known.
    pub(super) fn signed(&self, act: AlarmAct) -> AlarmAct {
        AlarmAct { name: act.name.or_else(|| self.operator()), ..act }
    }

    /// Who tries out how alarms are told hears of it.
    pub(super) fn observe(&self, what: impl FnOnce() -> Observed) {
        if let Some(observer) = &self.reach.observer {
            // Who has gone hears nothing.
            let _gone = observer.send(what());
        }
    }

    pub(super) fn observe_recorded(&self, changes: &[Change], is_written: bool) {
        for change in changes {
            self.observe(|| Observed::Recorded { rule: change.key.rule.to_string(), is_written });
        }
    }

    /// Alarms are handed on to somebody else from now on, to somebody, or to nobody.
    pub(super) fn hand_on(&mut self, settings: Option<onward::Settings>) {
        match (&mut self.onward, settings) {
            (Some(onward), Some(settings)) => {
                tracing::info!("another webhook for alarms, or other words for it");
                onward.set(settings);
            }
            (None, Some(settings)) => {
                tracing::info!("alarms are handed on from now on");
                let (record, control) = (self.reach.record.clone(), self.reach.control.clone());
                let _on_this_runtime = self.runtime.enter();
                let journal = self.alarms.beside();
                self.onward =
                    Some(onward::Onward::start_later(settings, &self.doors, record, journal, control, self.clock));
            }
            (_, None) => {
                tracing::info!("alarms are handed on no more");
                self.onward = None;
                self.board.clear_notice(onward::NOTICE);
            }
        }
    }
}

/// How a board's alarms are told; none of a board without any. Files that it names are found in `beside`.
pub(crate) fn settings(file: &BoardFile, actions: bool, beside: &Path) -> Option<Settings> {
    let spec = file.alarming.as_ref()?;
    // The file's reader knows the zone.
    let zone = TimeZone::get(&file.board.timezone).unwrap_or(TimeZone::UTC);
    Some(Settings::new(spec, zone, actions, beside))
}

/// Where a board's alarms are handed on to, if anywhere.
pub(crate) fn onward(file: &BoardFile, is_observed: bool) -> Option<onward::Settings> {
    let spec = file.alarming.as_ref()?;
    // The file's reader knows that it is one.
    let url = spec.webhook.as_ref()?.parse().ok()?;
    let own = |alarm: &AlarmSpec| {
        (alarm.id.clone(), onward::Told { title: alarm.title.clone(), advice: alarm.advice.clone() })
    };
    Some(onward::Settings {
        receiver: RECEIVER.into(),
        url,
        bearer: spec.webhook_token.clone(),
        tls: TlsSpec::default(),
        proxy: None,
        board: file.board.title.clone(),
        labels: BTreeMap::new(),
        external_url: String::new(),
        rules: file.alarms.iter().map(own).collect(),
        pace: onward::Pace::default(),
        is_observed,
    })
}
