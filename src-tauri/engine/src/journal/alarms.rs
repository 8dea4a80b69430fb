//! The record of alarms on its way: from the board's loop to the file, and what a start finds there.
//!
//! The loop hands over what was decided and never waits; the writer commits it and hands it back, and only then is it announced. What the
//! lane has no room for waits with the loop, and goes along with the board's state at the latest: no state is written down that is ahead of
//! the record (H6).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use watchfloor_board::alarm::{Change, Heard};
use watchfloor_model::Timestamp;

use super::{
    Journal, JournalError, saturated,
    table::{
        alarm::{self, Call, Entry, Mark, Ready},
        meta,
        step::Step,
    },
};

/// Hand-overs on the way at once.
const QUEUED_MAX: usize = 64;
/// Entries and marks at most that wait with the loop while the disk doesn't answer.
const WAITING_MAX: usize = 20_000;

/// What the writer is told of alarms.
#[derive(Debug)]
pub(crate) enum AlarmWork {
    /// Decided, to be written and handed back.
    Entries(Vec<Entry>),
    /// Announced or seen.
    Marks(Vec<Mark>),
    /// A receiver has all up to this entry.
    Onward {
        /// Which.
        receiver: Arc<str>,
        /// The entry's number.
        number: u64,
    },
    /// When people were told something, as far as it counts still, the oldest first.
    Told(Vec<Timestamp>),
    /// Entries are kept for so long.
    Keep(Duration),
}

/// What is handed over to the writer, by one of two ways: the lane, or along with the board's state. `turn` says in which order, so that neither
/// overtakes the other; what is of nobody's order has none.
#[derive(Debug)]
pub(crate) struct HandOver {
    /// One more with each.
    pub(crate) turn: Option<u64>,
    /// What.
    pub(crate) work: AlarmWork,
}

/// The loop's end of the way.
#[derive(Debug)]
pub(crate) struct AlarmLane {
    lane: Sender<HandOver>,
    /// Of the next one that is handed over.
    turn: u64,
    waiting: VecDeque<AlarmWork>,
    /// Entries and marks in it.
    count: usize,
}

/// A way to the writer.
pub(crate) fn alarm_lane() -> (AlarmLane, Receiver<HandOver>) {
    let (lane, receiver) = channel(QUEUED_MAX);
    (AlarmLane { lane, turn: 0, waiting: VecDeque::new(), count: 0 }, receiver)
}

/// The writer's end of both ways: what came by either, in the order in which it was handed over.
#[derive(Debug, Default)]
pub(crate) struct InTurn {
    next: u64,
    /// What came before its turn. The other way brings what is missing.
    early: BTreeMap<u64, AlarmWork>,
}

impl InTurn {
    /// One came. What has its turn now goes behind what is in `out`.
    pub(crate) fn take(&mut self, over: HandOver, out: &mut Vec<AlarmWork>) {
        match over.turn {
            Some(turn) => _ = self.early.insert(turn, over.work),
            None => out.push(over.work),
        }
        while let Some(work) = self.early.remove(&self.next) {
            self.next += 1;
            out.push(work);
        }
    }
}

impl AlarmLane {
    /// Changes to be recorded, in order; `received` is when the events came that brought them, if any did. They come back by
    /// [`crate::event::Event::Recorded`]. Those that come back here can't be recorded, as too many wait already: they are to be announced
    /// all the same.
    #[must_use]
    pub(crate) fn record(&mut self, changes: Vec<Change>, received: Option<Timestamp>) -> Vec<Change> {
        if changes.is_empty() {
            return changes;
        }
        if self.count >= WAITING_MAX {
            tracing::warn!(count = changes.len(), "the disk does not answer: alarms are not recorded");
            return changes;
        }
        self.count += changes.len();
        let entries = changes.into_iter().map(|change| Entry { change, received });
        match self.waiting.back_mut() {
            Some(AlarmWork::Entries(waiting)) => waiting.extend(entries),
            _ => self.waiting.push_back(AlarmWork::Entries(entries.collect())),
        }
        self.flush();
        Vec::new()
    }

    /// What became of an announcement. If too many wait, it isn't noted: at worst it is announced once more after a crash.
    pub(crate) fn mark(&mut self, call: Call, heard: Heard) {
        if self.count >= WAITING_MAX {
            return;
        }
        self.count += 1;
        let mark = Mark { call, heard };
        match self.waiting.back_mut() {
            Some(AlarmWork::Marks(waiting)) => waiting.push(mark),
            _ => self.waiting.push_back(AlarmWork::Marks(vec![mark])),
        }
        self.flush();
    }

    /// When people were told something, as far as it counts still: in place of what was said of that before.
    pub(crate) fn told(&mut self, told: Vec<Timestamp>) {
        self.waiting.retain(|work| !matches!(work, AlarmWork::Told(_)));
        self.waiting.push_back(AlarmWork::Told(told));
        self.flush();
    }

    /// For how long entries are kept from now on.
    pub(crate) fn keep(&mut self, age_max: Duration) {
        self.waiting.retain(|work| !matches!(work, AlarmWork::Keep(_)));
        self.waiting.push_back(AlarmWork::Keep(age_max));
        self.flush();
    }

    /// A way beside the loop's, for who may wait.
    pub(crate) fn beside(&self) -> Sender<HandOver> {
        self.lane.clone()
    }

    /// Hands over what waits, as far as there is room. To be called at every turn.
    pub(crate) fn flush(&mut self) {
        while let Some(work) = self.waiting.pop_front() {
            match self.lane.try_send(HandOver { turn: Some(self.turn), work }) {
                Ok(()) => self.turn += 1,
                Err(TrySendError::Full(HandOver { work, .. })) => {
                    self.waiting.push_front(work);
                    return;
                }
                // The writer has ended.
                Err(TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
        self.count = 0;
    }

    /// All that waits, to go along with the board's state.
    pub(crate) fn take_waiting(&mut self) -> Vec<HandOver> {
        self.count = 0;
        let waiting = std::mem::take(&mut self.waiting).into_iter().zip(self.turn..);
        let waiting: Vec<HandOver> = waiting.map(|(work, turn)| HandOver { turn: Some(turn), work }).collect();
        self.turn += waiting.len() as u64;
        waiting
    }

    /// It couldn't, and nothing was handed over since.
    pub(crate) fn put_back(&mut self, waiting: Vec<HandOver>) {
        self.turn -= waiting.len() as u64;
        self.waiting = waiting.into_iter().map(|over| over.work).collect();
        self.count = self.waiting.iter().map(AlarmWork::count).sum();
    }
}

impl AlarmWork {
    fn count(&self) -> usize {
        match self {
            Self::Entries(entries) => entries.len(),
            Self::Marks(marks) => marks.len(),
            Self::Onward { .. } | Self::Told(_) | Self::Keep(_) => 0,
        }
    }
}

/// What is written of alarms in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    /// In the order of their numbers.
    pub(crate) entries: &'a [Ready],
    pub(crate) marks: &'a [Mark],
    pub(crate) onward: &'a [(Arc<str>, u64)],
    /// When people were told something, if that has changed.
    pub(crate) told: Option<&'a [Timestamp]>,
}

/// Where it is noted when people were told something: JSON, milliseconds since the Unix epoch.
const TOLD: &str = "alarm-told";

/// What a start has to know of the time right before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lately {
    /// When alarms were raised, the oldest first.
    pub(crate) raised: Vec<Timestamp>,
    /// When people were told something, the oldest first.
    pub(crate) told: Vec<Timestamp>,
}

impl Journal {
    /// Writes entries and marks, and lets the oldest go: one transaction, all or nothing. The answer says whether every entry stands there
    /// now: false if another one has the number of one of them.
    pub(crate) fn put_alarms(&mut self, batch: &Batch<'_>, now: Timestamp) -> Result<bool, JournalError> {
        let transaction = self.connection.transaction()?;
        let (mut held, mut are_there, mut bytes) = (self.alarms, true, 0_i64);
        for ready in batch.entries {
            are_there &= alarm::insert(&transaction, &mut held, ready)?;
            bytes = bytes.saturating_add(ready.bytes());
        }
        for mark in batch.marks {
            alarm::mark(&transaction, mark)?;
        }
        for (receiver, number) in batch.onward {
            alarm::put_onward(&transaction, receiver, *number)?;
        }
        if let Some(told) = batch.told {
            let millis: Vec<i64> = told.iter().map(|at| at.as_millis()).collect();
            meta::put(&transaction, TOLD, &serde_json::json!(millis).to_string())?;
        }
        if !batch.entries.is_empty() {
            let bytes_max = saturated(self.bounds.alarm_bytes_max);
            let bound = alarm::Bound { bytes_max, before: now.minus(self.bounds.alarm_age_max) };
            alarm::prune(&transaction, &mut held, &bound, Step::ALARMS.beside(batch.entries.len(), bytes))?;
        }
        if held.newest > self.alarms.newest {
            alarm::note_given(&transaction, &held)?;
        }
        transaction.commit()?;
        self.alarms = held;
        Ok(are_there)
    }

    /// What happened since `from`, by this machine's clock, as far as it can be read.
    pub(crate) fn lately(&self, from: Timestamp) -> Result<Lately, JournalError> {
        if !alarm::is_there(&self.connection)? {
            return Ok(Lately::default());
        }
        let told = meta::value(&self.connection, TOLD)?;
        let told: Vec<i64> = told.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let told = told.into_iter().map(Timestamp::from_millis).filter(|at| from <= *at).collect();
        Ok(Lately { raised: alarm::raised_since(&self.connection, from)?, told })
    }

    /// For how long entries are kept from now on.
    pub(crate) fn keep_alarms(&mut self, age_max: Duration) {
        self.bounds.alarm_age_max = age_max;
    }

    /// What went on record after entry `number`, as far as it can be read. Nothing where the file is an older program's that can't be written.
    pub(crate) fn alarms_after(&self, number: u64) -> Result<AlarmsFound, JournalError> {
        let mut found = AlarmsFound::default();
        if alarm::is_there(&self.connection)? {
            found.damaged = alarm::each_after(&self.connection, number, |change| found.changes.push(change))?;
            found.newest = alarm::newest(&self.connection)?;
        }
        Ok(found)
    }

    /// What is known of the announcements of alarms that stand: which were made, and when. One that isn't what was written is left out: what it
    /// was of is announced once more.
    pub(crate) fn announced(&self) -> Result<Vec<Mark>, JournalError> {
        if !alarm::is_there(&self.connection)? {
            return Ok(Vec::new());
        }
        let (marks, damaged) = alarm::marks(&self.connection)?;
        if damaged > 0 {
            tracing::warn!(damaged, "what was announced can't be read of all alarms");
        }
        Ok(marks)
    }
}

/// What a start finds on record.
#[derive(Debug, Default)]
pub(crate) struct AlarmsFound {
    /// In order; of very much only what still stands and the newest.
    pub(crate) changes: Vec<Change>,
    /// How many entries can't be read.
    pub(crate) damaged: u64,
    /// The newest number that was given.
    pub(crate) newest: u64,
}

#[cfg(test)]
mod tests;
