//! What changed since a moment: alarms, losses and what widgets did, by the journal alone.
//!
//! Read beside whoever writes it, by connections that can't write. Alarms and losses are some rows; what widgets did is in the record of the glass,
//! which is long, so the answer grows while that is read.

mod moments;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use watchfloor_board::{
    Called,
    frame::{AlarmName, AlarmView, Since, SinceAlarmList, SinceLack, SinceMomentKind, SinceMoments, SinceSource},
};
use watchfloor_model::Timestamp;

pub use self::moments::moments;
use crate::{
    clock::Clock,
    outages::{KEPT_MAX, Outage, worse},
    past::{self, Glass, PastError},
    record::{self, RecordError, Wanted},
};

/// Losses at most that are told of one source, the newest.
const OUTAGES_MAX: usize = 20;
/// What the id of the rule by which a source is lost begins with, as the board names it.
const OF_SOURCE: &str = "source:";
/// The answer is told anew so often while it grows.
const TELL_EVERY: Duration = Duration::from_millis(300);
/// The record of the glass is read for so long at most.
const READ_FOR: Duration = Duration::from_secs(60);

/// What changed from `from` to `to`, told to `tell` as it grows and answered at the end, when it is `done`. `wanted` is asked now and then.
///
/// # Errors
/// If nobody wants to know any more. Whatever else is wrong is part of the answer.
pub fn since(
    data_dir: &Path,
    from: Timestamp,
    to: Timestamp,
    wanted: Wanted<'_>,
    tell: &mut dyn FnMut(Since),
) -> Result<Since, RecordError> {
    let mut own = Since { from_ms: from.as_millis(), to_ms: to.as_millis().max(from.as_millis()), ..Since::default() };
    let to = Timestamp::from_millis(own.to_ms);
    match alarms(&mut own, data_dir, from, to, wanted) {
        Ok(()) => {}
        Err(RecordError::Superseded) => return Err(RecordError::Superseded),
        Err(RecordError::Missing { .. }) => {
            own.lacks.push(SinceLack::NoJournal);
            return Ok(Since { done: true, percent: 100, ..own });
        }
        Err(error) => own.lacks.push(SinceLack::Unreadable { reason: error.to_string() }),
    }
    match glass(&mut own, data_dir, from, to, wanted, tell) {
        Ok(()) => {}
        Err(Stopped::Unwanted) => return Err(RecordError::Superseded),
        Err(Stopped::Past(PastError::Empty { .. } | PastError::Missing { .. })) => own.lacks.push(SinceLack::NoGlass),
        Err(Stopped::Past(error)) => own.lacks.push(SinceLack::Unreadable { reason: error.to_string() }),
    }
    own.lacks.sort();
    own.lacks.dedup();
    Ok(Since { done: true, percent: 100, ..own })
}

fn alarms(
    own: &mut Since,
    data_dir: &Path,
    from: Timestamp,
    to: Timestamp,
    wanted: Wanted<'_>,
) -> Result<(), RecordError> {
    let reader = record::Reader::open(data_dir)?;
    let outages = reader.outages()?;
    if outages.len() >= KEPT_MAX
        && let Some(oldest) = outages.first().filter(|oldest| oldest.began > from)
    {
        own.lacks.push(SinceLack::LossesBegin { at_ms: oldest.began.as_millis() });
    }
    own.sources = sources(&outages, from, to);
    let (alarms, lacks, names) = record::since(&reader, from, to, wanted)?;
    (own.alarms, own.names) = (alarms, names);
    own.lacks.extend(lacks);
    Ok(())
}

enum Stopped {
    Unwanted,
    Past(PastError),
}

impl From<PastError> for Stopped {
    fn from(error: PastError) -> Self {
        Self::Past(error)
    }
}

fn glass(
    own: &mut Since,
    data_dir: &Path,
    from: Timestamp,
    to: Timestamp,
    wanted: Wanted<'_>,
    tell: &mut dyn FnMut(Since),
) -> Result<(), Stopped> {
    let glass = Glass::new(past::Reader::open(data_dir)?, from, to);
    own.unrecorded = glass.unrecorded()?;
    own.unrecorded_count = own.unrecorded.len() as u64;
    own.unrecorded.truncate(past::UNRECORDED_MAX);
    own.lacks.extend(glass.lacks()?);
    let mut reading = glass.read()?;
    let clock = Clock::start();
    let (began, mut told) = (clock.now(), None);
    loop {
        if told.is_none_or(|told| clock.now().since(told) >= TELL_EVERY) {
            if !wanted() {
                return Err(Stopped::Unwanted);
            }
            told = Some(clock.now());
            tell(Since { percent: reading.percent().min(99), widgets: reading.widgets(), ..own.clone() });
        }
        if !reading.go_on()? {
            break;
        }
        if clock.now().since(began) > READ_FOR {
            let at_ms = reading.at().map_or(own.from_ms, Timestamp::as_millis);
            own.lacks.push(SinceLack::GlassTooMuch { at_ms });
            break;
        }
    }
    own.widgets = reading.widgets();
    own.lacks.extend(reading.damage());
    Ok(())
}

/// A line a source that was lost in the stretch, the longest loss first.
fn sources(outages: &[Outage], from: Timestamp, to: Timestamp) -> Vec<SinceSource> {
    let within = |outage: &&Outage| outage.began < to && outage.ended.is_none_or(|ended| ended > from);
    let mut by_source: BTreeMap<&str, Vec<&Outage>> = BTreeMap::new();
    for outage in outages.iter().filter(within) {
        by_source.entry(&outage.source).or_default().push(outage);
    }
    let mut lines: Vec<SinceSource> = by_source
        .into_iter()
        .map(|(id, mut list)| {
            let proofs = || list.iter().filter_map(|outage| outage.proof);
            let missed = list.iter().filter(|outage| outage.proof.is_some()).map(|outage| outage.missed);
            let lasts = |outage: &&&Outage| outage.ended.is_none_or(|ended| ended > to);
            let mut line = SinceSource {
                id: id.to_owned(),
                title: id.to_owned(),
                count: list.len() as u64,
                lasts: list.iter().any(|outage| lasts(&outage)),
                lost_ms: lost(&list, from, to),
                became: proofs().reduce(worse),
                missed: missed.reduce(|a, b| Some(a?.saturating_add(b?))).flatten(),
                outages: Vec::new(),
            };
            list.reverse();
            line.outages = list.into_iter().take(OUTAGES_MAX).map(Outage::view).collect();
            line
        })
        .collect();
    lines.sort_by(|a, b| b.lost_ms.cmp(&a.lost_ms).then_with(|| a.id.cmp(&b.id)));
    lines
}

/// For how long of the stretch, each instant counted once.
fn lost(list: &[&Outage], from: Timestamp, to: Timestamp) -> u64 {
    let mut spans: Vec<(i64, i64)> = list
        .iter()
        .map(|outage| {
            let ended = outage.ended.unwrap_or(to).min(to);
            (outage.began.max(from).as_millis(), ended.as_millis())
        })
        .filter(|(began, ended)| began < ended)
        .collect();
    spans.sort_unstable();
    let (mut sum, mut until) = (0_i64, i64::MIN);
    for (began, ended) in spans {
        let began = began.max(until);
        sum = sum.saturating_add(ended.saturating_sub(began).max(0));
        until = until.max(ended);
    }
    u64::try_from(sum).unwrap_or(0)
}

/// What alarms that stand and sources are called by the newest record of the glass; nothing where there is none.
#[must_use]
pub fn called(data_dir: &Path) -> Called {
    let Ok(Some(frame)) = past::newest(data_dir) else { return Called::default() };
    let name = |alarm: AlarmView| {
        let AlarmView { key, title, source, widgets, .. } = alarm;
        (key, AlarmName { title, source, widgets })
    };
    let mut alarms: BTreeMap<String, AlarmName> =
        frame.alarms.into_iter().flat_map(|alarms| alarms.list).map(name).collect();
    for source in &frame.sources {
        alarms.entry(format!("{OF_SOURCE}{}", source.id)).or_insert_with(|| AlarmName {
            title: source.title.clone(),
            source: Some(source.id.clone()),
            widgets: Vec::new(),
        });
    }
    Called {
        alarms,
        sources: frame.sources.into_iter().map(|source| (source.id, source.title)).collect(),
        timezone: frame.board.map(|board| board.timezone).unwrap_or_default(),
    }
}

/// The keys of all alarms in an answer.
#[must_use]
pub fn keys(own: &Since) -> Vec<String> {
    let lists = [&own.alarms.stand, &own.alarms.gone, &own.alarms.went, &own.alarms.dealt, &own.alarms.unseen];
    lists.into_iter().flat_map(|list: &SinceAlarmList| list.lines.iter().map(|line| line.key.clone())).collect()
}

/// Tells what alarms and sources are called. What the record itself says of another system's alarm stays.
pub fn name(own: &mut Since, called: &Called) {
    let keys: BTreeSet<String> = keys(own).into_iter().collect();
    own.names.retain(|key, _| keys.contains(key));
    let called_here = called.alarms.iter().filter(|(key, _)| keys.contains(*key));
    overlay(&mut own.names, called_here.map(|(key, name)| (key.clone(), name.clone())).collect());
    for source in &mut own.sources {
        if let Some(title) = called.sources.get(&source.id) {
            source.title.clone_from(title);
        }
    }
}

/// The same of moments.
pub fn name_moments(found: &mut SinceMoments, called: &Called) {
    for moment in found.list.iter_mut().filter(|moment| moment.kind == SinceMomentKind::Loss) {
        if let Some(title) = moment.of.as_ref().and_then(|id| called.sources.get(id)) {
            moment.of = Some(title.clone());
        }
    }
}

/// Adds what the board calls alarms to what the record does, which stays where both know.
pub fn overlay(recorded: &mut BTreeMap<String, AlarmName>, called: BTreeMap<String, AlarmName>) {
    for (key, name) in called {
        match recorded.get_mut(&key) {
            Some(own) => *own = AlarmName { title: std::mem::take(&mut own.title), ..name },
            None => {
                recorded.insert(key, name);
            }
        }
    }
}
