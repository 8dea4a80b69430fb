//! A record of the glass that tests look back at, with what was on the glass at each second, whole.

use std::{ops::Range, path::Path, time::Duration};

use rusqlite::Connection;
use tempfile::TempDir;
use watchfloor_board::{Board, config, frame::Frame};
use watchfloor_model::{Delivery, Event, Mono, Payload, Phase, SourceClock, SourceStatus, Timestamp, Transport};

use super::body::{Glass, Packer, Taken};
use crate::journal::{
    Bounds, FILE_NAME, Journal,
    table::glass::{Kind, Record},
};

/// 2026-11-24T10:00:00Z.
pub(super) const BEGIN: i64 = 1_795_514_400_000;
/// From one key to the next, in records.
const KEYS: usize = 10;

pub(super) fn at(second: usize) -> Timestamp {
    Timestamp::from_millis(BEGIN).plus(Duration::from_secs(second as u64))
}

pub(super) fn mono(second: usize) -> Mono {
    Mono::from_millis(1_000_000 + 1000 * second as u64)
}

/// What a page held at a second, and what the clock said then.
pub(super) struct Told {
    pub(super) second: usize,
    pub(super) at: Timestamp,
    pub(super) frame: Frame,
}

/// A journal, and what was on the glass at each second that was recorded.
pub(super) struct Story {
    pub(super) folder: TempDir,
    pub(super) told: Vec<Told>,
}

/// What is told.
pub(super) struct Plan<C, G> {
    /// The board's file.
    pub(super) board: &'static str,
    pub(super) seconds: usize,
    /// Seconds at which the program isn't there.
    pub(super) stops: Range<usize>,
    /// What this machine's clock says at a second.
    pub(super) clock: C,
    /// What a page said of itself at a second.
    pub(super) glass: G,
}

impl Story {
    /// A record a second of a board to which something `happens` at each.
    pub(super) fn of<C, G>(plan: Plan<C, G>, mut happens: impl FnMut(&mut Board, usize)) -> Self
    where
        C: Fn(usize) -> Timestamp,
        G: Fn(usize) -> Glass,
    {
        let Plan { board, seconds, stops, clock, glass } = plan;
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), Bounds::default(), at(0)).unwrap().journal;
        let mut board = Board::new(config::parse(board, "board.toml").unwrap(), mono(0));
        let (mut mark, mut packer, mut told) = (None, Packer::new(), Vec::new());
        for second in 0..seconds {
            happens(&mut board, second);
            if stops.contains(&second) {
                continue;
            }
            let starts = second == 0 || second == stops.end;
            let went_back = second > 0 && clock(second) < clock(second - 1);
            let kind = if starts {
                Kind::Start
            } else if second % KEYS == 0 || went_back {
                Kind::Key
            } else {
                Kind::Delta
            };
            if kind.is_key() {
                mark = None;
            }
            let wall = clock(second);
            let frame = board.frame_after(&mut mark, mono(second), wall);
            let body = packer.pack(&Taken { frame, glass: glass(second) }, kind.is_key()).unwrap();
            journal.put_glass(&Record { at: wall, kind, body }, wall).unwrap();
            told.push(Told { second, at: wall, frame: board.frame_after(&mut None, mono(second), wall) });
        }
        Self { folder, told }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Does something to the file, which changes it.
    pub(super) fn change(&self, statement: &str) {
        let changed = Connection::open(self.path().join(FILE_NAME)).unwrap().execute(statement, []).unwrap();
        assert!(changed > 0, "{statement}");
    }
}

/// An event of this second.
pub(super) fn event(channel: &str, name: &str, second: usize, data: serde_json::Value) -> Delivery {
    Delivery::Events(vec![Event {
        channel: channel.into(),
        name: name.into(),
        id: None,
        position: None,
        time: at(second),
        received: mono(second),
        data: Payload::from(data),
    }])
}

/// The source speaks at this second, in this phase.
pub(super) fn speak(board: &mut Board, source: &str, phase: Phase, second: usize) {
    let now = mono(second);
    let status = SourceStatus {
        phase,
        transport: Some(Transport::WebSocket),
        link_proof: Some(now),
        publisher_proof: Some(now),
        clock: Some(SourceClock { at: at(second), read: now, speed: 1.0, label: None }),
        ..SourceStatus::default()
    };
    board.handle_status(source, status, now);
    board.handle_tick(now);
}
