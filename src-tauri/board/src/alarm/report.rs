//! The standard's figures over a stretch of the record of alarms: ISA-18.2 and IEC 62682 clause 16, EEMUA 191.
//!
//! An alarm is counted when it began to call: what was raised while it was put aside is counted apart. Rates, floods and what stands go by when
//! alarms were decided, since that is when somebody had to deal with them; how an alarm behaved goes by its source's time. The two clocks are
//! never held against each other.

mod rate;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{
    alarms::{AlarmKey, Priority},
    entry::{AlarmEntry, AlarmWhat},
    flood,
    late::Losses,
    nuisance,
    room::is_of_room,
};
use crate::frame::{AlarmName, AlarmState, SinceLack, Unrecorded};

/// Lines at most of each list; how many there are is told beside it.
pub const LINES_MAX: usize = 100;
/// Of the alarms that came most often.
const TOP: usize = 10;
/// The figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmReport {
    /// From when on, by this machine's clock, milliseconds since the Unix epoch.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_ms: i64,
    /// Until before when.
    #[cfg_attr(test, ts(type = "number"))]
    pub to_ms: i64,
    /// From when on it was asked for: where the record begins later, that is `from_ms`.
    #[cfg_attr(test, ts(type = "number"))]
    pub asked_from_ms: i64,
    /// From when on everything is known of alarms; none if nothing is on record.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub begin_ms: Option<i64>,
    /// Stretches of which nothing is recorded, as where the wall itself did not run; the newest first.
    pub unrecorded: Vec<Unrecorded>,
    /// How many there are.
    #[cfg_attr(test, ts(type = "number"))]
    pub unrecorded_count: u64,
    /// Entries of the record in the stretch.
    #[cfg_attr(test, ts(type = "number"))]
    pub entries: u64,
    /// For how long of the stretch the wall ran and wrote down what came: means are over that. Milliseconds.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "number"))]
    pub observed_ms: i64,
    /// What could not be looked at: the figures are of the rest.
    #[serde(default)]
    pub lacks: Vec<SinceLack>,
    /// Alarms that began to call.
    #[cfg_attr(test, ts(type = "number"))]
    pub alarms: u64,
    /// How often alarms called anew: after they were acknowledged, more urgently, or off the shelf.
    #[cfg_attr(test, ts(type = "number"))]
    pub again: u64,
    /// Alarms that were raised while they were put aside.
    #[cfg_attr(test, ts(type = "number"))]
    pub aside_raised: u64,
    /// How many came within ten minutes.
    pub rate: AlarmRate,
    /// Floods: more than ten within ten minutes, until there are fewer than five. The first ones.
    pub floods: Vec<AlarmFlood>,
    /// How many floods there were.
    #[cfg_attr(test, ts(type = "number"))]
    pub floods_count: u64,
    /// Share of the time in floods, percent.
    pub flood_percent: f64,
    /// By priority, the highest first.
    pub priorities: Vec<AlarmPriorityReport>,
    /// The alarms that came most often.
    pub top: Vec<AlarmShare>,
    /// Share of these of all, percent.
    pub top_percent: f64,
    /// Those that were raised and cleared over and over, and how often that was seen; the worst first.
    pub chattering: Vec<AlarmShare>,
    /// How many chattered.
    #[cfg_attr(test, ts(type = "number"))]
    pub chattering_count: u64,
    /// Those that were gone within seconds, and how often; the worst first.
    pub fleeting: Vec<AlarmShare>,
    /// How many were fleeting.
    #[cfg_attr(test, ts(type = "number"))]
    pub fleeting_count: u64,
    /// Those that had held for more than a day at the end, the oldest first.
    pub standing: Vec<AlarmStanding>,
    /// How many had.
    #[cfg_attr(test, ts(type = "number"))]
    pub standing_count: u64,
    /// What was put aside, by whom and why, in order.
    pub aside: Vec<AlarmAside>,
    /// How often something was.
    #[cfg_attr(test, ts(type = "number"))]
    pub aside_count: u64,
    /// How often somebody put something aside who didn't say who he is.
    #[cfg_attr(test, ts(type = "number"))]
    pub aside_unnamed: u64,
    /// Alarms that were raised while a source was lost, and heard of a minute or more later.
    #[cfg_attr(test, ts(type = "number"))]
    pub late: u64,
    /// Those of them that were over by then: they came and went while nobody could hear of them.
    #[cfg_attr(test, ts(type = "number"))]
    pub missed: u64,
    /// What the alarms in it are called, by their keys. Those of rules that are gone have none.
    #[serde(default)]
    #[cfg_attr(test, ts(type = "{ [key: string]: AlarmName }"))]
    pub names: BTreeMap<String, AlarmName>,
}

/// Alarms within ten minutes: the mean hides floods, so there is more than it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmRate {
    /// The mean over what was observed; none over less than ten minutes, which would have to be guessed.
    pub mean: Option<f64>,
    /// What 95 of 100 periods don't exceed.
    pub p95: u32,
    /// The most.
    pub max: u32,
    /// Periods of ten minutes that began in the stretch, but those of which nothing was observed. The last one may be cut short by its end.
    pub periods: u32,
    /// Periods of which nothing was observed: nobody knows how many alarms there would have been.
    #[serde(default)]
    pub unobserved: u32,
    /// Those of them with more than ten alarms.
    pub over: u32,
    /// The most within any sixty minutes.
    pub max_hour: u32,
    /// The most within any minute.
    pub max_minute: u32,
    /// In how many of them there were 0, 1 and so on to 10 alarms, and last, more than ten.
    pub spread: Vec<u32>,
    /// The alarms of each period, in order, observed or not; of a stretch of more than 31 days none.
    pub each: Vec<u32>,
}

/// A flood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmFlood {
    /// When it began.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_ms: i64,
    /// When it was over; none if it wasn't by the end.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub to_ms: Option<i64>,
    /// The most within ten minutes.
    pub peak: u32,
    /// All of them, those that began it among them.
    #[cfg_attr(test, ts(type = "number"))]
    pub total: u64,
}

/// Alarms of a priority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmPriorityReport {
    /// Which.
    pub priority: Priority,
    /// How many began to call.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// Their share of all, percent.
    pub percent: f64,
    /// How many calls were acknowledged.
    #[cfg_attr(test, ts(type = "number"))]
    pub acknowledged: u64,
    /// How many were over before anybody acknowledged them, or wait at the end.
    #[cfg_attr(test, ts(type = "number"))]
    pub unacknowledged: u64,
    /// From the announcement to the acknowledgement: half were quicker. Milliseconds.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub median_ms: Option<i64>,
    /// The same of 95 of 100.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub p95_ms: Option<i64>,
}

/// How often of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmShare {
    /// The alarm's key.
    pub key: String,
    /// How often.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// Share of all alarms, percent.
    pub percent: f64,
}

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmStanding {
    /// Its key.
    pub key: String,
    /// How soon somebody must act.
    pub priority: Priority,
    /// Since when, by this machine's clock.
    #[cfg_attr(test, ts(type = "number"))]
    pub since_ms: i64,
    /// The same by the source's clock.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub raised_ms: Option<i64>,
}

/// Something that was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(export_to = "frame.ts"))]
pub struct AlarmAside {
    /// The alarm's key.
    pub key: String,
    /// How.
    pub what: AlarmWhat,
    /// When.
    #[cfg_attr(test, ts(type = "number"))]
    pub at_ms: i64,
    /// Until when, where that was said.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub until_ms: Option<i64>,
    /// Who did it; none where a rule of the board did, or he didn't say.
    pub by: Option<String>,
    /// What he did it by.
    pub station: Option<String>,
    /// Why.
    pub words: Option<String>,
}

/// What is known of one alarm on the way.
#[derive(Debug, Default)]
struct Known {
    priority: Priority,
    is_active: bool,
    /// When it was raised: by its source's clock, and when that was decided.
    raised: Option<i64>,
    raise_decided: Option<i64>,
    /// During which loss it was raised, if it was heard of late.
    late: Option<usize>,
    /// When it began to call, and nobody has acknowledged since.
    called: Option<(i64, Priority)>,
    /// The last clears, by the source's time.
    clears: VecDeque<i64>,
    count: u64,
    chattering: u64,
    fleeting: u64,
}

#[derive(Debug, Default)]
struct OfPriority {
    count: u64,
    unacknowledged: u64,
    took: Vec<i64>,
}

impl AlarmReport {
    /// The keys of the alarms in it; some more than once.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let shares = self.top.iter().chain(&self.chattering).chain(&self.fleeting).map(|own| &*own.key);
        shares.chain(self.standing.iter().map(|own| &*own.key)).chain(self.aside.iter().map(|own| &*own.key))
    }
}

/// Makes a report of entries that are told in the order of their numbers.
#[derive(Debug)]
pub struct Reporter {
    report: AlarmReport,
    known: BTreeMap<AlarmKey, Known>,
    priorities: BTreeMap<Priority, OfPriority>,
    /// When alarms began to call.
    calls: Vec<i64>,
    losses: Losses,
    /// Of which nothing is recorded, in order and apart from one another.
    unobserved: Vec<(i64, i64)>,
}

impl Reporter {
    /// A report from `from_ms` until before `to_ms`.
    #[must_use]
    pub fn new(from_ms: i64, to_ms: i64) -> Self {
        let to_ms = to_ms.max(from_ms);
        Self {
            report: AlarmReport { from_ms, to_ms, asked_from_ms: from_ms, ..AlarmReport::default() },
            known: BTreeMap::new(),
            priorities: BTreeMap::new(),
            calls: Vec::new(),
            losses: Losses::default(),
            unobserved: Vec::new(),
        }
    }

    /// When sources were lost: what happened meanwhile was heard of late.
    pub fn note_losses(&mut self, losses: Losses) {
        self.losses = losses;
    }

    /// Stretches of which nothing is recorded: nothing is told of them, and they are no time without alarms.
    pub fn note_unobserved(&mut self, stretches: impl IntoIterator<Item = (i64, i64)>) {
        self.unobserved = rate::apart(stretches, self.report.from_ms, self.report.to_ms);
    }

    /// From when on it was asked for, and when the record begins.
    pub const fn note_begin(&mut self, asked_from_ms: i64, begin_ms: Option<i64>) {
        (self.report.asked_from_ms, self.report.begin_ms) = (asked_from_ms, begin_ms);
    }

    /// What stood at the beginning: its newest entry before.
    pub fn carry(&mut self, entry: &AlarmEntry) {
        self.note_state(entry);
    }

    /// An entry of the stretch. Others are left out.
    pub fn take(&mut self, entry: &AlarmEntry) {
        if !(self.report.from_ms..self.report.to_ms).contains(&entry.decided_ms) || is_of_room(&entry.rule) {
            return;
        }
        self.report.entries += 1;
        if entry.refused.is_some() {
            return;
        }
        self.note_state(entry);
        let key = entry.key();
        let Self { report, known, priorities, calls, losses, .. } = self;
        let known = known.entry(key.clone()).or_default();
        let late = || losses.behind(entry.event_ms?, entry.decided_ms);
        match entry.what {
            AlarmWhat::Raise => {
                known.late = late();
                report.late += u64::from(known.late.is_some());
                if !entry.calls {
                    report.aside_raised += 1;
                }
            }
            AlarmWhat::Clear => {
                // Both within one loss, and both heard of after it.
                let loss = known.late.take();
                report.missed += u64::from(loss.is_some() && loss == late());
                let fleeting = i64::try_from(nuisance::FLEETING.as_millis()).unwrap_or(i64::MAX);
                let lasted = known.raised.zip(entry.event_ms).map(|(raised, cleared)| cleared.saturating_sub(raised));
                // Over before it was raised is one of another story, as of a replay that begins anew.
                known.fleeting += u64::from(lasted.is_some_and(|lasted| (0..fleeting).contains(&lasted)));
                if let Some(cleared) = entry.event_ms {
                    known.chattering += u64::from(chatters(&mut known.clears, cleared));
                }
            }
            AlarmWhat::Acknowledge => {
                if let Some((called, priority)) = known.called.take() {
                    let took = entry.decided_ms.saturating_sub(called).max(0);
                    priorities.entry(priority).or_default().took.push(took);
                }
            }
            AlarmWhat::Shelve | AlarmWhat::TakeOut | AlarmWhat::Suppress => {
                report.aside_count += 1;
                report.aside_unnamed += u64::from(entry.station.is_some() && entry.by.is_none());
                if report.aside.len() < LINES_MAX {
                    report.aside.push(AlarmAside {
                        key: key.to_string(),
                        what: entry.what,
                        at_ms: entry.decided_ms,
                        until_ms: entry.until_ms,
                        by: entry.by.clone(),
                        station: entry.station.clone(),
                        words: entry.words.clone(),
                    });
                }
            }
            _ => {}
        }
        if entry.calls {
            if entry.what == AlarmWhat::Raise {
                known.count += 1;
                priorities.entry(entry.priority).or_default().count += 1;
                calls.push(entry.decided_ms);
            } else {
                report.again += 1;
            }
            if let Some((_, priority)) =
                known.called.replace((entry.announced_ms.unwrap_or(entry.decided_ms), entry.priority))
            {
                priorities.entry(priority).or_default().unacknowledged += 1;
            }
        } else if matches!(entry.to, AlarmState::Normal | AlarmState::Removed)
            && let Some((_, priority)) = known.called.take()
        {
            priorities.entry(priority).or_default().unacknowledged += 1;
        }
    }

    fn note_state(&mut self, entry: &AlarmEntry) {
        let known = self.known.entry(entry.key()).or_default();
        known.priority = entry.priority;
        known.is_active = entry.active && entry.to != AlarmState::Removed;
        (known.raised, known.raise_decided) = (entry.raised_ms, entry.raise_decided_ms);
    }

    /// The figures.
    #[must_use]
    pub fn finish(self) -> AlarmReport {
        let Self { mut report, known, mut priorities, mut calls, losses: _, unobserved } = self;
        calls.sort_unstable();
        report.alarms = calls.len() as u64;
        let holes = rate::length(&unobserved);
        report.observed_ms = report.to_ms.saturating_sub(report.from_ms).saturating_sub(holes).max(0);
        report.rate = rate::rate(&calls, report.from_ms, report.to_ms, &unobserved);
        let all = rate::floods(&calls, report.to_ms);
        let in_flood: i64 = all.iter().map(|flood| flood.to_ms.unwrap_or(report.to_ms) - flood.from_ms).sum();
        report.flood_percent = percent(in_flood, report.observed_ms).min(100.0);
        report.floods_count = all.len() as u64;
        report.floods = all.into_iter().take(LINES_MAX).collect();
        for own in known.values() {
            if let Some((_, priority)) = own.called {
                priorities.entry(priority).or_default().unacknowledged += 1;
            }
        }
        for priority in [Priority::Critical, Priority::High, Priority::Medium, Priority::Low] {
            let OfPriority { count, unacknowledged, mut took } = priorities.remove(&priority).unwrap_or_default();
            took.sort_unstable();
            report.priorities.push(AlarmPriorityReport {
                priority,
                count,
                percent: share(count, report.alarms),
                acknowledged: took.len() as u64,
                unacknowledged,
                median_ms: rank(&took, 50),
                p95_ms: rank(&took, 95),
            });
        }
        let worst = |of: fn(&Known) -> u64| {
            let mut lines: Vec<(u64, &AlarmKey)> =
                known.iter().map(|(key, own)| (of(own), key)).filter(|(count, _)| *count > 0).collect();
            lines.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            let count = lines.len() as u64;
            let line = |(count, key): (u64, &AlarmKey)| AlarmShare {
                key: key.to_string(),
                count,
                percent: share(count, report.alarms),
            };
            (lines.into_iter().take(LINES_MAX).map(line).collect::<Vec<_>>(), count)
        };
        (report.top, _) = worst(|own| own.count);
        report.top.truncate(TOP);
        report.top_percent = share(report.top.iter().map(|line| line.count).sum(), report.alarms);
        (report.chattering, report.chattering_count) = worst(|own| own.chattering);
        (report.fleeting, report.fleeting_count) = worst(|own| own.fleeting);
        let standing = i64::try_from(nuisance::STANDING.as_millis()).unwrap_or(i64::MAX);
        let mut stand: Vec<AlarmStanding> = known
            .iter()
            .filter(|(_, own)| own.is_active)
            .filter_map(|(key, own)| Some((key, own, own.raise_decided?)))
            .filter(|(.., since)| report.to_ms.saturating_sub(*since) > standing)
            .map(|(key, own, since_ms)| AlarmStanding {
                key: key.to_string(),
                priority: own.priority,
                since_ms,
                raised_ms: own.raised,
            })
            .collect();
        stand.sort_by(|a, b| a.since_ms.cmp(&b.since_ms).then_with(|| a.key.cmp(&b.key)));
        report.standing_count = stand.len() as u64;
        stand.truncate(LINES_MAX);
        report.standing = stand;
        report
    }
}

/// Whether an alarm that is cleared at this instant chatters by this.
fn chatters(clears: &mut VecDeque<i64>, at: i64) -> bool {
    clears.retain(|own| *own <= at);
    clears.push_back(at);
    if clears.len() > nuisance::CHATTER_CYCLES {
        clears.pop_front();
    }
    let span = i64::try_from(nuisance::CHATTER_SPAN.as_millis()).unwrap_or(i64::MAX);
    clears.len() == nuisance::CHATTER_CYCLES && clears.front().is_some_and(|first| at.saturating_sub(*first) < span)
}

/// What `percent` of 100 don't exceed, by the nearest rank; `sorted` is.
fn rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 }
}

fn percent(part: i64, all: i64) -> f64 {
    if all <= 0 { 0.0 } else { part as f64 * 100.0 / all as f64 }
}

#[cfg(test)]
mod tests;
