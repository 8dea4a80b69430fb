//! The journal's thread: writes what there is in one transaction, and only then hands it on to the board (H4).
//!
//! An idle wall's event is written and passed on at once. A busy one's steps pile up while a transaction is under way and for
//! some milliseconds after it, and go into the next together: a transaction for each of a thousand events a second would cost
//! more than all the rest of the backend. If the disk refuses, the wall goes on from memory,
//! says so, and tries again; the state as it then is begins the new stretch.

mod alarms;
mod ends;
mod history;
mod lost;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::{Receiver, Sender},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use watchfloor_board::{Checkpoint, frame::Notice};
use watchfloor_model::Delivery;

pub(crate) use self::{
    ends::{Answer, Ends, Pace, Taken},
    lost::{alarms_damaged, not_remembering, replaced},
};

use self::{alarms::Kept, history::history, lost::Lost};
use super::{
    Bounds, Entry, Journal, Positions,
    alarms::{AlarmWork, HandOver, InTurn},
    apply,
    stall::Stall,
    table::glass::Record,
};
use crate::{
    clock::Clock,
    event::Event,
    intake::{STEPS_QUEUED_MAX, Step, forget_entry},
    metrics::Metrics,
    outages::{Now, Outages},
    recorder::Records,
};

/// Id of the notice about the journal.
pub(crate) const NOTICE: &str = "journal";
/// A checkpoint that isn't answered by then is given up, and with it the attempt to remember again.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(5);
/// The board is saved at once when this many bytes were written since it was saved, and four times what it takes: folding
/// them at the next start takes about a tenth of a second.
const FOLDED_BYTES_MAX: u64 = 8 << 20;
/// From one transaction to the next, unless as many steps wait as one takes.
const TRANSACTION_PERIOD: Duration = Duration::from_millis(8);
/// How often the file's size is measured for the metrics.
const MEASURE_PERIOD: Duration = Duration::from_secs(1);

/// Whether what comes is remembered.
#[derive(Debug)]
enum Memory {
    /// Nobody asked for it.
    Off,
    /// It is.
    Kept(Box<Journal>),
    /// The disk refuses.
    Lost(Lost),
}

/// The writer.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Sender<Event>,
    pub(crate) taken: Receiver<Answer>,
    alarms: Receiver<HandOver>,
    in_turn: InTurn,
    /// What of them came while the board's lane was full.
    early: Vec<AlarmWork>,
    /// What of them isn't written.
    kept: Kept,
    stall: Stall,
    records: Records,
    memory: Memory,
    folder: PathBuf,
    bounds: Bounds,
    pace: Pace,
    positions: Positions,
    outages: Outages,
    /// The newest life of each source.
    lives: BTreeMap<Arc<str>, u64>,
    /// The checkpoint asked for and not answered yet.
    wanted: Option<i64>,
    /// Whether the state was corrected since it was last asked for.
    corrected: bool,
    /// When the board was last saved.
    saved_at: Instant,
    /// Size of the newest checkpoint.
    saved_bytes: u64,
    /// Written since.
    dirty_bytes: u64,
    measured_at: Instant,
    written_at: Instant,
    /// When a journal that SQLite called damaged was found to be sound.
    acquitted_at: Option<Instant>,
}

/// The loop is gone: the engine stops.
struct Gone;

impl Writer {
    /// A writer without a journal: it only hands on.
    pub(crate) fn forgetful(ends: Ends) -> Self {
        Self::new(ends, Memory::Off, PathBuf::new(), Bounds::default(), Pace::default(), Positions::new())
    }

    /// A writer into `journal`, which lies in `folder` and leads to `positions`.
    pub(crate) fn into(ends: Ends, journal: Journal, folder: PathBuf, positions: Positions, pace: Pace) -> Self {
        let bounds = journal.bounds;
        let outages = history(&journal, &positions, ends.clock.wall());
        Self { outages, ..Self::new(ends, Memory::Kept(Box::new(journal)), folder, bounds, pace, positions) }
    }

    /// A writer into a journal that can't be written at present. `journal` is what can be read of it.
    pub(crate) fn refused(
        ends: Ends,
        journal: Option<&Journal>,
        folder: PathBuf,
        bounds: Bounds,
        positions: Positions,
        pace: Pace,
    ) -> Self {
        let since = ends.clock.wall();
        let outages = journal.map(|journal| history(journal, &positions, since)).unwrap_or_default();
        let memory = Memory::Lost(Lost::since(since, pace));
        Self { outages, ..Self::new(ends, memory, folder, bounds, pace, positions) }
    }

    fn new(ends: Ends, memory: Memory, folder: PathBuf, bounds: Bounds, pace: Pace, positions: Positions) -> Self {
        let Ends { clock, metrics, events, taken, alarms, stall, records } = ends;
        let now = Instant::now();
        Self {
            clock,
            metrics,
            events,
            taken,
            alarms,
            in_turn: InTurn::default(),
            early: Vec::new(),
            kept: Kept::default(),
            stall,
            records,
            memory,
            folder,
            bounds,
            pace,
            positions,
            outages: Outages::default(),
            lives: BTreeMap::new(),
            wanted: None,
            corrected: false,
            saved_at: now,
            saved_bytes: 0,
            dirty_bytes: 0,
            measured_at: now,
            written_at: now,
            acquitted_at: None,
        }
    }

    /// Works until every sender of `steps` is gone, then saves the board.
    pub(crate) async fn run(mut self, mut steps: Receiver<Step>) {
        let mut drained = Vec::with_capacity(STEPS_QUEUED_MAX);
        if self.tell_outages().await.is_err() {
            return;
        }
        loop {
            let due = self.next_due();
            let gone = tokio::select! {
                count = steps.recv_many(&mut drained, STEPS_QUEUED_MAX) => {
                    if count == 0 {
                        break;
                    }
                    gather(&mut steps, &mut drained, self.written_at + TRANSACTION_PERIOD).await;
                    self.handle_steps(&mut drained).await
                }
                Some(answer) = self.taken.recv() => self.handle_answer(answer).await,
                Some(work) = self.alarms.recv() => self.handle_alarms(work).await,
                Some(record) = self.records.lane.recv() => self.handle_record(&record).await,
                () = sleep_until(due) => self.handle_due().await,
            };
            if gone.is_err() {
                break;
            }
        }
        self.finish().await;
    }

    /// When [`Self::handle_due`] has something to do.
    fn next_due(&self) -> Instant {
        match &self.memory {
            Memory::Lost(lost) => lost.retry_at,
            Memory::Kept(_) if self.is_changed() && self.wanted.is_none() => self.checkpoint_due(),
            Memory::Off | Memory::Kept(_) => Instant::now() + self.pace.checkpoint_max,
        }
    }

    /// Saving often costs writing, saving seldom costs folding at the next start. Long before the ring would let go of what
    /// the newest checkpoint needs, it is renewed.
    fn checkpoint_due(&self) -> Instant {
        let folded_bytes_max = FOLDED_BYTES_MAX.max(4 * self.saved_bytes).min(self.bounds.bytes_max / 4);
        if self.dirty_bytes > folded_bytes_max || self.corrected {
            Instant::now()
        } else if self.dirty_bytes >= self.saved_bytes {
            self.saved_at + self.pace.checkpoint_min
        } else {
            self.saved_at + self.pace.checkpoint_max
        }
    }

    /// Whether the newest checkpoint isn't the state that the next start should find.
    const fn is_changed(&self) -> bool {
        self.dirty_bytes > 0 || self.corrected
    }

    async fn handle_due(&mut self) -> Result<(), Gone> {
        match &self.memory {
            Memory::Lost(_) => self.rejoin().await,
            Memory::Kept(_)
                if self.is_changed() && self.wanted.is_none() && self.checkpoint_due() <= Instant::now() =>
            {
                self.want_checkpoint().await
            }
            Memory::Off | Memory::Kept(_) => Ok(()),
        }
    }

    async fn handle_steps(&mut self, steps: &mut Vec<Step>) -> Result<(), Gone> {
        let mut entries: Vec<Entry> = Vec::with_capacity(steps.len());
        let mut events = Vec::with_capacity(steps.len());
        let now = Now { mono: self.clock.now(), wall: self.clock.wall() };
        for step in steps.drain(..) {
            if self.is_of_a_former_life(&step) {
                continue;
            }
            match step {
                Step::Delivered(delivered) => {
                    if let Delivery::Gap(gap) = &delivered.delivery {
                        self.outages.handle_gap(&delivered.entry.batch.source, gap, now);
                    }
                    let source = Arc::clone(&delivered.entry.batch.source);
                    entries.push(delivered.entry);
                    let (life, delivery, share) = (delivered.life, delivered.delivery, delivered.share);
                    events.push(Event::Delivered { source, life, delivery, share });
                }
                Step::Unwritten { source, life, delivery, share } => {
                    events.push(Event::Delivered { source, life, delivery, share });
                }
                Step::Forget { source, story, .. } => entries.push(forget_entry(&source, story, &self.clock)),
                Step::Left { source, .. } => {
                    self.outages.handle_left(&source, now);
                    entries.push(forget_entry(&source, String::new(), &self.clock));
                }
                Step::Status { source, life, status } => {
                    self.outages.handle_status(&source, &status, now);
                    events.push(Event::Status { source, life, status });
                }
            }
        }
        for entry in &entries {
            apply(&mut self.positions, &entry.batch.source, &entry.positions);
        }
        if !entries.is_empty() {
            self.write(&entries).await?;
        }
        for event in events {
            self.hand_on(event).await?;
        }
        self.write_outages().await?;
        if self.is_changed() && self.wanted.is_none() && self.checkpoint_due() <= Instant::now() {
            self.want_checkpoint().await?;
        }
        Ok(())
    }

    /// Whether a step is of another life of its source than the newest that was heard of: the board doesn't take it, and the journal must
    /// not have it behind the beginning of that one.
    fn is_of_a_former_life(&mut self, step: &Step) -> bool {
        let (source, life) = step.life();
        let newest = self.lives.entry(Arc::clone(source)).or_default();
        *newest = life.max(*newest);
        life < *newest
    }

    async fn write(&mut self, entries: &[Entry]) -> Result<(), Gone> {
        let Memory::Kept(journal) = &mut self.memory else { return Ok(()) };
        self.stall.begin(self.clock.now());
        let appended = journal.append(entries, self.clock.wall());
        self.stall.end();
        self.written_at = Instant::now();
        if let Err(error) = appended {
            return self.lose(&error).await;
        }
        if self.measured_at.elapsed() >= MEASURE_PERIOD {
            self.metrics.journal_bytes(journal.file_bytes());
            self.measured_at = Instant::now();
            if let Err(error) = journal.check_place() {
                return self.lose(&error).await;
            }
        }
        let bytes: i64 = entries.iter().map(|entry| entry.batch.bytes()).sum();
        self.dirty_bytes = self.dirty_bytes.saturating_add(u64::try_from(bytes).unwrap_or(0));
        Ok(())
    }

    /// Writes what changed in the links' history, and hands it on.
    async fn write_outages(&mut self) -> Result<(), Gone> {
        let changed = self.outages.take_changed();
        if changed.is_empty() {
            return Ok(());
        }
        if let Memory::Kept(journal) = &mut self.memory {
            self.stall.begin(self.clock.now());
            let put = journal.put_outages(&changed);
            self.stall.end();
            if let Err(error) = put {
                self.lose(&error).await?;
            }
        }
        self.tell_outages().await
    }

    async fn tell_outages(&mut self) -> Result<(), Gone> {
        self.events.send(Event::Outages(self.outages.view())).await.map_err(|_| Gone)
    }

    /// Asks for the board as of everything handed over so far, and waits for it: the loop has at most a lane's length to
    /// fold first, and never waits for this thread.
    async fn taken_now(&mut self, seq: i64) -> Result<Option<String>, Gone> {
        self.events.send(Event::CheckpointWanted { seq }).await.map_err(|_| Gone)?;
        let mut alarms = Vec::new();
        let answer = timeout(CHECKPOINT_TIMEOUT, async {
            while let Some(answer) = self.taken.recv().await {
                // What is taken after a correction has it.
                let Answer::Taken(taken) = answer else { continue };
                alarms.extend(taken.alarms);
                if taken.seq == seq {
                    return Some(taken.checkpoint);
                }
            }
            None
        });
        let checkpoint = answer.await.ok().flatten();
        self.absorb_alarms(alarms).await?;
        Ok(checkpoint.and_then(|checkpoint| text(&checkpoint)))
    }

    async fn want_checkpoint(&mut self) -> Result<(), Gone> {
        let Memory::Kept(journal) = &self.memory else { return Ok(()) };
        let seq = journal.last_seq();
        self.wanted = Some(seq);
        self.corrected = false;
        self.dirty_bytes = 0;
        self.saved_at = Instant::now();
        self.events.send(Event::CheckpointWanted { seq }).await.map_err(|_| Gone)
    }

    async fn handle_answer(&mut self, answer: Answer) -> Result<(), Gone> {
        match answer {
            Answer::Taken(taken) => self.handle_taken(taken).await?,
            Answer::Corrected => self.corrected = true,
        }
        self.handle_due().await
    }

    async fn handle_taken(&mut self, taken: Taken) -> Result<(), Gone> {
        self.absorb_alarms(taken.alarms).await?;
        if self.wanted != Some(taken.seq) {
            return Ok(());
        }
        self.wanted = None;
        let Memory::Kept(journal) = &mut self.memory else { return Ok(()) };
        let Some(body) = text(&taken.checkpoint) else { return Ok(()) };
        self.stall.begin(self.clock.now());
        let put = journal.put_checkpoint(taken.seq, self.clock.wall(), &body);
        self.stall.end();
        match put {
            Ok(()) => {
                self.saved_bytes = body.len() as u64;
                Ok(())
            }
            // Batches may still be written, but what they build on ages until the ring lets go of it.
            Err(error) => self.lose(&error).await,
        }
    }

    /// Writes what was on the glass: a small transaction of its own about once a second, so that it makes no event wait.
    async fn handle_record(&mut self, record: &Record) -> Result<(), Gone> {
        let Memory::Kept(journal) = &mut self.memory else {
            // What isn't remembered can't be looked back at. The record begins anew when there is one again.
            self.records.needs_key = true;
            return Ok(());
        };
        if !self.records.accept(record) {
            return Ok(());
        }
        self.stall.begin(self.clock.now());
        let put = journal.check_place().and_then(|()| journal.put_glass(record, self.clock.wall()));
        self.stall.end();
        match put {
            Ok(()) => Ok(()),
            Err(error) => {
                self.records.lose();
                self.lose(&error).await
            }
        }
    }

    fn saved(&mut self, bytes: usize) {
        self.saved_at = Instant::now();
        self.saved_bytes = bytes as u64;
        self.dirty_bytes = 0;
        self.corrected = false;
        self.wanted = None;
    }

    /// Saves the board at the end, if the loop still answers.
    async fn finish(mut self) {
        let Memory::Kept(journal) = &self.memory else { return };
        let seq = journal.last_seq();
        let Ok(Some(body)) = self.taken_now(seq).await else { return };
        let now = self.clock.wall();
        if let Memory::Kept(journal) = &mut self.memory
            && let Err(error) = journal.put_checkpoint(seq, now, &body)
        {
            tracing::warn!(reason = %error, "the board's state can't be saved");
        }
    }

    async fn notice(&mut self, notice: Notice) -> Result<(), Gone> {
        self.events.send(Event::Notice(notice)).await.map_err(|_| Gone)
    }
}

/// Takes what else comes until the next transaction may begin.
async fn gather(steps: &mut Receiver<Step>, drained: &mut Vec<Step>, until: Instant) {
    while drained.len() < STEPS_QUEUED_MAX && Instant::now() < until {
        let more = steps.recv_many(drained, STEPS_QUEUED_MAX - drained.len());
        // Nothing more in time, or ever: what is there is written.
        if timeout_at(until, more).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

fn text(checkpoint: &Checkpoint) -> Option<String> {
    match serde_json::to_string(checkpoint) {
        Ok(text) => Some(text),
        Err(error) => {
            tracing::error!(reason = %error, "the board's state can't be written down");
            None
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
