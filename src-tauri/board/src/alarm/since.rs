//! What became of each alarm since a moment: a line an alarm, however often it came and went.
//!
//! Entries are told in the order of their numbers. An alarm belongs to the stretch by when its entries were decided, by this machine's clock: what
//! happened while a source was lost is new to who looks when it was heard of.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    alarms::{AlarmKey, Priority},
    entry::{AlarmEntry, AlarmWhat},
    late::Losses,
    room::is_of_room,
};
use crate::frame::{
    AlarmCause, AlarmSaid, AlarmState, SinceAct, SinceAlarm, SinceAlarmList, SinceAlarms, SincePriority,
};

/// Lines at most of each list; how many there are is told beside it.
pub const LINES_MAX: usize = 100;
/// Alarms that are told apart at most; entries of others are counted.
pub const KEYS_MAX: usize = 20_000;
/// Comments of a line at most, the newest.
const COMMENTS_MAX: usize = 5;
/// Values of a line's cause at most.
const CAUSE_MAX: usize = 8;

const PRIORITIES: [Priority; 4] = [Priority::Critical, Priority::High, Priority::Medium, Priority::Low];

/// What is known of one alarm on the way.
#[derive(Debug)]
struct Own {
    line: SinceAlarm,
    stood_before: bool,
    stands: bool,
    /// Whether there is an entry since the moment.
    is_new: bool,
    /// Whether something was done besides, or it called anew.
    is_touched: bool,
}

/// Makes lines of entries.
#[derive(Debug)]
pub struct Sincer {
    from_ms: i64,
    to_ms: i64,
    /// Whether the record reaches back to the moment.
    reaches: bool,
    losses: Losses,
    known: BTreeMap<AlarmKey, Own>,
    entries: u64,
    left_out: u64,
    raised: [u64; 4],
    acknowledged: [u64; 4],
}

impl Sincer {
    /// What became of alarms from `from_ms` until before `to_ms`. `reaches` says whether what stood then is known.
    #[must_use]
    pub fn new(from_ms: i64, to_ms: i64, reaches: bool, losses: Losses) -> Self {
        Self {
            from_ms,
            to_ms,
            reaches,
            losses,
            known: BTreeMap::new(),
            entries: 0,
            left_out: 0,
            raised: [0; 4],
            acknowledged: [0; 4],
        }
    }

    /// What stood at the moment: its newest entry before.
    pub fn carry(&mut self, entry: &AlarmEntry) {
        if self.known.len() >= KEYS_MAX {
            self.left_out += 1;
            return;
        }
        let mut own = Own::new(entry, Some(entry.to), entry.stands);
        own.stands = entry.stands;
        note_state(&mut own.line, entry);
        self.known.insert(entry.key(), own);
    }

    /// An entry since the moment. Others are left out.
    pub fn take(&mut self, entry: &AlarmEntry) {
        if !(self.from_ms..self.to_ms).contains(&entry.decided_ms) || is_of_room(&entry.rule) {
            return;
        }
        self.entries += 1;
        if entry.refused.is_some() {
            return;
        }
        let key = entry.key();
        if !self.known.contains_key(&key) && self.known.len() >= KEYS_MAX {
            self.left_out += 1;
            return;
        }
        let reaches = self.reaches;
        let own =
            self.known.entry(key).or_insert_with(|| Own::new(entry, reaches.then_some(entry.from), stood(entry.from)));
        let rank = rank(entry.priority);
        match entry.what {
            AlarmWhat::Raise => self.raised[rank] += 1,
            AlarmWhat::Acknowledge => self.acknowledged[rank] += 1,
            _ => {}
        }
        own.take(entry, &self.losses);
    }

    /// The lines, with how many entries were left out as there were too many alarms.
    #[must_use]
    pub fn finish(self, begin_ms: Option<i64>) -> (SinceAlarms, u64) {
        let mut found = SinceAlarms {
            entries: self.entries,
            begin_ms,
            priorities: PRIORITIES
                .iter()
                .zip(self.raised.iter().zip(self.acknowledged))
                .map(|(priority, (raised, acknowledged))| SincePriority {
                    priority: *priority,
                    raised: *raised,
                    acknowledged,
                })
                .collect(),
            ..SinceAlarms::default()
        };
        let [mut stand, mut gone, mut went, mut dealt, mut unseen] = [const { Vec::new() }; 5];
        for own in self.known.into_values() {
            let raised = own.line.count > 0;
            match (raised, own.stood_before, own.stands) {
                (true, _, true) => stand.push(own.line),
                (true, _, false) => gone.push(own.line),
                (false, true, false) => went.push(own.line),
                _ if own.is_new && own.is_touched => dealt.push(own.line),
                _ if own.line.unseen => unseen.push(own.line),
                (false, true, true) => found.untouched += 1,
                (false, false, _) => {}
            }
        }
        found.stand = list(stand);
        found.gone = list(gone);
        found.went = list(went);
        found.dealt = list(dealt);
        found.unseen = list(unseen);
        (found, self.left_out)
    }
}

impl Own {
    fn new(entry: &AlarmEntry, then: Option<AlarmState>, stood_before: bool) -> Self {
        let line = SinceAlarm {
            key: entry.key().to_string(),
            priority: entry.priority,
            then,
            now: entry.to,
            wants_acknowledgement: entry.waits,
            count: 0,
            raised_ms: None,
            decided_ms: None,
            first_ms: None,
            returned_ms: None,
            cleared_ms: None,
            seen_ms: None,
            late: false,
            unseen: false,
            acknowledged: None,
            acknowledged_count: 0,
            aside: None,
            comments: Vec::new(),
            comments_count: 0,
            cause: Vec::new(),
            last_ms: entry.decided_ms,
            last: entry.what,
        };
        Self { line, stood_before, stands: stood_before, is_new: false, is_touched: false }
    }

    fn take(&mut self, entry: &AlarmEntry, losses: &Losses) {
        let line = &mut self.line;
        self.is_new = true;
        note_state(line, entry);
        let said = said(entry);
        match entry.what {
            AlarmWhat::Raise => {
                line.count += 1;
                line.first_ms = line.first_ms.or(Some(entry.decided_ms));
                (line.returned_ms, line.cleared_ms, line.seen_ms) = (None, None, None);
                line.late = entry.event_ms.is_some_and(|event| losses.behind(event, entry.decided_ms).is_some());
            }
            AlarmWhat::Clear => line.returned_ms = entry.event_ms,
            AlarmWhat::Acknowledge => {
                line.acknowledged = said;
                line.acknowledged_count += 1;
                self.is_touched = true;
            }
            AlarmWhat::Shelve
            | AlarmWhat::Unshelve
            | AlarmWhat::Suppress
            | AlarmWhat::Unsuppress
            | AlarmWhat::TakeOut
            | AlarmWhat::Return => {
                line.aside = Some(SinceAct { what: entry.what, at_ms: entry.decided_ms, said });
                self.is_touched = true;
            }
            AlarmWhat::Comment => {
                line.comments_count += 1;
                line.comments.extend(said);
                if line.comments.len() > COMMENTS_MAX {
                    line.comments.remove(0);
                }
                self.is_touched = true;
            }
            AlarmWhat::Realarm | AlarmWhat::Worsen | AlarmWhat::Ease | AlarmWhat::Reset => self.is_touched = true,
            AlarmWhat::Unseen => line.unseen = true,
            AlarmWhat::Silence | AlarmWhat::Expire | AlarmWhat::Judge | AlarmWhat::Remove => {}
        }
        if self.stands && !entry.stands {
            line.cleared_ms = Some(entry.decided_ms);
        }
        self.stands = entry.stands;
        if entry.calls {
            line.seen_ms = entry.seen_ms;
        }
    }
}

/// What an entry says of where its alarm stands.
fn note_state(line: &mut SinceAlarm, entry: &AlarmEntry) {
    (line.priority, line.now, line.wants_acknowledgement) = (entry.priority, entry.to, entry.waits);
    (line.raised_ms, line.decided_ms) = (entry.raised_ms, entry.raise_decided_ms);
    (line.last_ms, line.last) = (entry.decided_ms, entry.what);
    if line.cause.len() != entry.cause.len().min(CAUSE_MAX) || !line.cause.iter().eq(entry.cause.iter().take(CAUSE_MAX))
    {
        line.cause = entry.cause.iter().take(CAUSE_MAX).map(AlarmCause::clone).collect();
    }
}

/// Whether what is shown so stands; of what is put aside it can't be told.
const fn stood(state: AlarmState) -> bool {
    matches!(
        state,
        AlarmState::Unacknowledged
            | AlarmState::LatchedUnacknowledged
            | AlarmState::Acknowledged
            | AlarmState::LatchedAcknowledged
    )
}

/// What somebody said by an entry; none where nobody did.
#[must_use]
pub fn said(entry: &AlarmEntry) -> Option<AlarmSaid> {
    Some(AlarmSaid {
        name: entry.by.clone(),
        station: entry.station.clone()?,
        at_ms: entry.decided_ms,
        words: entry.words.clone().unwrap_or_default(),
        until_ms: entry.until_ms,
    })
}

/// The number of a priority, the highest first.
const fn rank(priority: Priority) -> usize {
    match priority {
        Priority::Critical => 0,
        Priority::High => 1,
        Priority::Medium => 2,
        Priority::Low => 3,
    }
}

fn list(mut lines: Vec<SinceAlarm>) -> SinceAlarmList {
    let mut counts = [0_u32; 4];
    for line in &lines {
        counts[rank(line.priority)] += 1;
    }
    let count = lines.len() as u64;
    let order = |line: &SinceAlarm| {
        let newest = line.first_ms.and(line.decided_ms).unwrap_or(line.last_ms);
        (Reverse(line.wants_acknowledgement), rank(line.priority), Reverse(newest))
    };
    lines.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.key.cmp(&b.key)));
    lines.truncate(LINES_MAX);
    SinceAlarmList { lines, count, counts }
}

#[cfg(test)]
mod tests;
