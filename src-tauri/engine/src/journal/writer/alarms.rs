//! The writer's part in the record of alarms: what comes is committed and handed back, in order. While the disk refuses, what comes is
//! handed back at once, as an alarm has to be heard, and kept in memory to be written when it can be.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use watchfloor_board::alarm::AlarmKey;
use watchfloor_model::Timestamp;

use super::{Gone, Memory, Writer};
use crate::{
    event::Event,
    journal::{
        Journal, JournalError,
        alarms::{AlarmWork, Batch, HandOver},
        table::alarm::{Entry, Mark, Ready},
    },
};

/// Hand-overs that go into one transaction.
const GATHERED_MAX: usize = 64;
/// Entries that are kept in memory at most while the disk refuses.
const KEPT_MAX: usize = 10_000;
/// Bytes of them.
const KEPT_BYTES_MAX: i64 = 16 << 20;
/// Alarms at most of which it is remembered what was announced last, for a file that is begun anew.
const HEARD_MAX: usize = 20_000;

/// What is known beside the file.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Not written yet, oldest first.
    entries: VecDeque<Ready>,
    bytes: i64,
    /// Entries that could not be kept since the disk refuses.
    lost: u64,
    /// Not written yet.
    marks: Vec<Mark>,
    onward: BTreeMap<Arc<str>, u64>,
    /// The newest of each alarm.
    heard: BTreeMap<AlarmKey, Mark>,
    /// When people were told something, as far as it counts still.
    told: Option<Vec<Timestamp>>,
}

impl Kept {
    fn keep(&mut self, work: Sorted) {
        for ready in work.entries {
            self.bytes = self.bytes.saturating_add(ready.bytes());
            self.entries.push_back(ready);
            while self.entries.len() > KEPT_MAX || self.bytes > KEPT_BYTES_MAX {
                let Some(oldest) = self.entries.pop_front() else { break };
                self.bytes = self.bytes.saturating_sub(oldest.bytes());
                self.lost = self.lost.saturating_add(1);
            }
        }
        self.marks.extend(work.marks);
        let more = self.marks.len().saturating_sub(KEPT_MAX);
        self.marks.drain(..more);
        self.onward.extend(work.onward);
    }

    fn hear(&mut self, marks: &[Mark], told: Option<&Vec<Timestamp>>) {
        if told.is_some() {
            self.told = told.cloned();
        }
        for mark in marks {
            if self.heard.len() >= HEARD_MAX && !self.heard.contains_key(&mark.call.key) {
                self.heard.pop_first();
            }
            let own = self.heard.entry(mark.call.key.clone()).or_insert_with(|| mark.clone());
            if own.call != mark.call {
                *own = mark.clone();
            } else if mark.heard.announced.is_some() {
                own.heard = mark.heard.clone();
            }
        }
    }

    /// A line for who looks closer at the notice that nothing is remembered.
    pub(super) fn words(&self) -> Option<String> {
        let lost = self.lost;
        (lost > 0)
            .then(|| format!("Of the record of alarms, {lost} entries could not be kept: the newest {KEPT_MAX} are."))
    }

    /// Writes all that waits into a journal just opened, and what was announced of each alarm, which a new file doesn't know.
    pub(super) fn write(&mut self, journal: &mut Journal, now: Timestamp) -> Result<(), JournalError> {
        let marks: Vec<Mark> = self.heard.values().cloned().chain(std::mem::take(&mut self.marks)).collect();
        let onward: Vec<(Arc<str>, u64)> = self.onward.iter().map(|(own, number)| (Arc::clone(own), *number)).collect();
        let entries = self.entries.make_contiguous();
        let told = self.told.as_deref();
        let put = journal.put_alarms(&Batch { entries, marks: &marks, onward: &onward, told }, now);
        match put {
            Ok(are_there) => {
                if !are_there {
                    tracing::error!("entries of the record of alarms have numbers of others: they were not written");
                }
                if self.lost > 0 {
                    tracing::warn!(lost = self.lost, "entries of the record of alarms are lost");
                }
                let (heard, told) = (std::mem::take(&mut self.heard), self.told.take());
                *self = Self { heard, told, ..Self::default() };
                Ok(())
            }
            Err(error) => {
                self.marks = marks;
                Err(error)
            }
        }
    }
}

/// What came, by kind.
#[derive(Debug, Default)]
struct Sorted {
    entries: Vec<Ready>,
    marks: Vec<Mark>,
    onward: Vec<(Arc<str>, u64)>,
    told: Option<Vec<Timestamp>>,
}

impl Writer {
    /// What was on the way of alarms, the first of it and what else is there.
    pub(super) async fn handle_alarms(&mut self, first: HandOver) -> Result<(), Gone> {
        let mut work = Vec::new();
        self.in_turn.take(first, &mut work);
        self.gather_alarms(&mut work);
        self.write_alarms(work).await
    }

    /// What is on the way, and `rest`, which went along with the board's state.
    pub(super) async fn absorb_alarms(&mut self, rest: Vec<HandOver>) -> Result<(), Gone> {
        let mut work = Vec::new();
        for over in rest {
            self.in_turn.take(over, &mut work);
        }
        while self.gather_alarms(&mut work) || !work.is_empty() {
            self.write_alarms(std::mem::take(&mut work)).await?;
        }
        Ok(())
    }

    /// Takes what is on the way, but no more than goes into one transaction. Says whether there was any.
    fn gather_alarms(&mut self, work: &mut Vec<AlarmWork>) -> bool {
        let mut is_any = false;
        while work.len() < GATHERED_MAX
            && let Ok(more) = self.alarms.try_recv()
        {
            is_any = true;
            self.in_turn.take(more, work);
        }
        is_any
    }

    /// Commits what came, and hands the entries back.
    async fn write_alarms(&mut self, work: Vec<AlarmWork>) -> Result<(), Gone> {
        if work.is_empty() {
            return Ok(());
        }
        let (sorted, changes) = self.sort(work);
        self.kept.hear(&sorted.marks, sorted.told.as_ref());
        let is_written = match &mut self.memory {
            Memory::Off => false,
            Memory::Lost(_) => {
                self.kept.keep(sorted);
                false
            }
            Memory::Kept(journal) => {
                self.stall.begin(self.clock.now());
                let Sorted { entries, marks, onward, told } = &sorted;
                let told = told.as_deref();
                let put = journal.put_alarms(&Batch { entries, marks, onward, told }, self.clock.wall());
                self.stall.end();
                match put {
                    Ok(are_there) => {
                        if !are_there {
                            tracing::error!(
                                "entries of the record of alarms have numbers of others: they were not written"
                            );
                        }
                        are_there
                    }
                    Err(error) => {
                        self.kept.keep(sorted);
                        // It is heard before it is told why it isn't on record.
                        self.recorded(changes, false).await?;
                        return self.lose(&error).await;
                    }
                }
            }
        };
        self.recorded(changes, is_written).await
    }

    async fn recorded(&mut self, changes: Vec<watchfloor_board::alarm::Change>, is_written: bool) -> Result<(), Gone> {
        if changes.is_empty() {
            return Ok(());
        }
        self.events.send(Event::Recorded { changes, is_written }).await.map_err(|_| Gone)
    }

    fn sort(&mut self, work: Vec<AlarmWork>) -> (Sorted, Vec<watchfloor_board::alarm::Change>) {
        let (mut sorted, mut changes) = (Sorted::default(), Vec::new());
        for one in work {
            match one {
                AlarmWork::Entries(entries) => {
                    for Entry { change, received } in entries {
                        changes.push(change.clone());
                        match Ready::of(Entry { change, received }) {
                            Ok(ready) => sorted.entries.push(ready),
                            Err(error) => tracing::error!(reason = %error, "an alarm can't be recorded"),
                        }
                    }
                }
                AlarmWork::Marks(marks) => sorted.marks.extend(marks),
                AlarmWork::Onward { receiver, number } => sorted.onward.push((receiver, number)),
                AlarmWork::Told(told) => sorted.told = Some(told),
                AlarmWork::Keep(age_max) => {
                    self.bounds.alarm_age_max = age_max;
                    if let Memory::Kept(journal) = &mut self.memory {
                        journal.keep_alarms(age_max);
                    }
                }
            }
        }
        (sorted, changes)
    }

    /// Hands an event to the board. While its lane is full, what it decides meanwhile is recorded, and told behind this.
    pub(super) async fn hand_on(&mut self, event: Event) -> Result<(), Gone> {
        let lane = self.events.clone();
        loop {
            tokio::select! {
                biased;
                permit = lane.reserve() => {
                    permit.map_err(|_| Gone)?.send(event);
                    break;
                }
                Some(over) = self.alarms.recv(), if self.early.len() < GATHERED_MAX => {
                    self.in_turn.take(over, &mut self.early);
                }
            }
        }
        let early = std::mem::take(&mut self.early);
        self.write_alarms(early).await
    }
}
