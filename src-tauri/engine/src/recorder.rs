//! The record of the glass: what a page got, once a second, for looking back.
//!
//! ```text
//! run (takes a frame) ─▶ packing (a thread) ─▶ the journal's writer
//! ```
//!
//! Nothing waits for it. Who can't keep up drops what comes, says so by [`Lost`], and the next frame that is taken begins anew: the
//! record then has a hole, which it names.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use watchfloor_board::{Board, Mark, freshness::Freshness};
use watchfloor_model::{Mono, Timestamp};

use crate::{
    journal::table::glass::{Kind, Record},
    past::body::{Glass, Packer, Taken},
};

/// A wall that changes is recorded this often.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);
/// One on which nothing but ages changes, this often.
pub(crate) const PERIOD_QUIET: Duration = Duration::from_secs(2);
/// A change of freshness is recorded at once, but not more often than this.
const PERIOD_MIN: Duration = Duration::from_millis(100);
/// From one frame that says everything to the next. Looking back begins at one, so this is what a seek has to read.
const KEY_PERIOD: Duration = Duration::from_secs(300);
/// Records on their way to the journal.
const QUEUED_MAX: usize = 4;

/// Whether a record was dropped since this was last asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost(Arc<AtomicBool>);

impl Lost {
    /// One was.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Takes frames from the board.
#[derive(Debug)]
pub(crate) struct Recorder {
    work: Sender<Work>,
    lost: Lost,
    /// What the record holds.
    mark: Option<Mark>,
    /// Freshness as it was recorded.
    levels: Vec<Freshness>,
    /// When something was recorded last, by both clocks.
    recorded: Option<(Mono, Timestamp)>,
    keyed_at: Mono,
    painted_at: Option<Mono>,
    looked_back: bool,
    drilled: bool,
}

/// A frame to be packed.
#[derive(Debug)]
struct Work {
    at: Timestamp,
    kind: Kind,
    taken: Taken,
}

/// Packs frames, beside everything else.
#[derive(Debug)]
pub(crate) struct Packing {
    work: Receiver<Work>,
    records: Sender<Record>,
    lost: Lost,
}

/// The journal's end.
#[derive(Debug)]
pub(crate) struct Records {
    /// What comes.
    pub(crate) lane: Receiver<Record>,
    /// Where a loss is told.
    pub(crate) lost: Lost,
    /// Whether only a record that says everything can be written.
    pub(crate) needs_key: bool,
}

/// A recorder and what follows it.
pub(crate) fn recording() -> (Recorder, Packing, Records) {
    let (work, work_lane) = channel(QUEUED_MAX);
    let (records, lane) = channel(QUEUED_MAX);
    let lost = Lost::default();
    let recorder = Recorder {
        work,
        lost: lost.clone(),
        mark: None,
        levels: Vec::new(),
        recorded: None,
        keyed_at: Mono::ZERO,
        painted_at: None,
        looked_back: false,
        drilled: false,
    };
    let packing = Packing { work: work_lane, records, lost: lost.clone() };
    (recorder, packing, Records { lane, lost, needs_key: false })
}

impl Records {
    /// Nothing will come.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        recording().2
    }

    /// Whether this record may be written after what was; if not, it is dropped.
    pub(crate) fn accept(&mut self, record: &Record) -> bool {
        self.needs_key &= !record.kind.is_key();
        !self.needs_key
    }

    /// A record could not be written: only one that says everything can follow.
    pub(crate) fn lose(&mut self) {
        self.needs_key = true;
        self.lost.set();
    }
}

impl Recorder {
    /// A page has painted.
    pub(crate) fn painted(&mut self, now: Mono) {
        self.painted_at = Some(now);
    }

    /// The page shows the past now, or the present again.
    pub(crate) fn look_back(&mut self, looks: bool) {
        self.looked_back = looks;
    }

    /// A lamp test is on the glass now, or no longer.
    pub(crate) fn drill(&mut self, runs: bool) {
        self.drilled = runs;
    }

    /// When the next frame is due, whatever happens.
    pub(crate) fn poll_timeout(&self, board: &Board) -> Mono {
        let changed = self.mark.as_ref().is_none_or(|mark| mark.version() != board.version());
        self.recorded.map_or(Mono::ZERO, |(at, _)| at.plus(if changed { PERIOD } else { PERIOD_QUIET }))
    }

    /// Takes a frame if one is due.
    pub(crate) fn handle_time(&mut self, board: &mut Board, now: Mono, wall: Timestamp) {
        let rested = self.recorded.is_none_or(|(at, _)| now >= at.plus(PERIOD_MIN));
        if !rested || (now < self.poll_timeout(board) && board.levels() == self.levels) {
            return;
        }
        let kind = self.next_kind(now, wall);
        if kind.is_key() {
            self.mark = None;
        }
        let frame = board.frame_after(&mut self.mark, now, wall);
        // The board was read again.
        let kind = if frame.is_whole() && !kind.is_key() { Kind::Key } else { kind };
        if kind.is_key() {
            self.keyed_at = now;
        }
        self.levels.clear();
        self.levels.extend_from_slice(board.levels());
        self.recorded = Some((now, wall));
        let ago = self.painted_at.map(|at| u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX));
        let glass = Glass { painted_ago_ms: ago, looked_back: self.looked_back, drilled: self.drilled };
        if self.work.try_send(Work { at: wall, kind, taken: Taken { frame, glass } }).is_err() {
            self.lost.set();
        }
    }

    fn next_kind(&self, now: Mono, wall: Timestamp) -> Kind {
        let lost = self.lost.take();
        match self.recorded {
            None => Kind::Start,
            Some(_) if lost => Kind::Hole,
            // Found by time, records must not lie before those before them: a clock that was set back begins anew.
            Some((_, last)) if wall < last => Kind::Key,
            Some(_) if now >= self.keyed_at.plus(KEY_PERIOD) => Kind::Key,
            Some(_) => Kind::Delta,
        }
    }
}

impl Packing {
    /// Works until the recorder or the journal is gone.
    pub(crate) async fn run(mut self) {
        let mut packer = Packer::new();
        // A change to a record that was dropped can't be read.
        let mut needs_key = false;
        while let Some(Work { at, kind, taken }) = self.work.recv().await {
            needs_key &= !kind.is_key();
            if needs_key {
                continue;
            }
            let packed = packer
                .pack(&taken, kind.is_key())
                .inspect_err(|error| tracing::error!(reason = %error, "the glass can't be recorded"));
            let sent = packed.is_ok_and(|body| self.records.try_send(Record { at, kind, body }).is_ok());
            if !sent {
                needs_key = true;
                self.lost.set();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::past::body::{Unpacker, tests::board};

    fn at(millis: u64) -> (Mono, Timestamp) {
        (Mono::from_millis(2_000_000 + millis), Timestamp::from_millis(i64::try_from(millis).unwrap()))
    }

    fn take(recorder: &mut Recorder, board: &mut Board, millis: u64) {
        let (now, wall) = at(millis);
        recorder.handle_time(board, now, wall);
    }

    fn kinds(records: &mut Records) -> Vec<Kind> {
        std::iter::from_fn(|| records.lane.try_recv().ok()).map(|record| record.kind).collect()
    }

    /// At a start, every so often, and in between what changed, at its pace.
    #[tokio::test]
    async fn keys_and_changes() {
        let mut board = board();
        let (mut recorder, packing, mut records) = recording();
        let packing = tokio::spawn(packing.run());
        let mut found = Vec::new();
        for millis in (0..4000).step_by(100).chain([300_000, 300_100, 302_000]) {
            take(&mut recorder, &mut board, millis);
            tokio::task::yield_now().await;
            while let Ok(record) = records.lane.try_recv() {
                found.push((record.at.as_millis(), record.kind));
            }
        }
        let expected = [(0, Kind::Start), (2000, Kind::Delta), (300_000, Kind::Key), (302_000, Kind::Delta)];
        assert_eq!(found, expected, "nothing changes, so it is recorded at the quiet pace");
        drop(recorder);
        packing.await.unwrap();
    }

    /// H5: who can't keep up costs records, not memory, and the next one that is written can be read by itself.
    #[tokio::test]
    async fn what_is_dropped_is_a_hole() {
        let mut board = board();
        let (mut recorder, packing, mut records) = recording();
        let packing = tokio::spawn(packing.run());
        for second in 0..20 {
            take(&mut recorder, &mut board, 2000 * second);
            tokio::task::yield_now().await;
        }
        let first = kinds(&mut records);
        assert_eq!(first, [Kind::Start, Kind::Delta, Kind::Delta, Kind::Delta], "as many as may wait");
        for second in 20..23 {
            take(&mut recorder, &mut board, 2000 * second);
            tokio::task::yield_now().await;
        }
        let mut unpacker = Unpacker::new();
        let next = records.lane.try_recv().unwrap();
        assert_eq!(next.kind, Kind::Hole);
        assert!(unpacker.unpack(&next.body, true).unwrap().frame.is_whole());
        assert_eq!(kinds(&mut records), [Kind::Delta, Kind::Delta]);
        drop(recorder);
        packing.await.unwrap();
    }

    /// A clock that is set back begins anew, and whether anything was painted is told.
    #[tokio::test]
    async fn clocks_and_receipts() {
        let mut board = board();
        let (mut recorder, packing, mut records) = recording();
        recorder.handle_time(&mut board, at(0).0, at(50_000).1);
        recorder.painted(at(1000).0);
        recorder.look_back(true);
        recorder.handle_time(&mut board, at(4000).0, at(10_000).1);
        drop(recorder);
        packing.run().await;
        let mut unpacker = Unpacker::new();
        let glass: Vec<_> = std::iter::from_fn(|| records.lane.try_recv().ok())
            .map(|record| (record.kind, unpacker.unpack(&record.body, record.kind.is_key()).unwrap().glass))
            .collect();
        let painted = Glass { painted_ago_ms: Some(3000), looked_back: true, drilled: false };
        assert_eq!(glass, [(Kind::Start, Glass::default()), (Kind::Key, painted)]);
    }
}
