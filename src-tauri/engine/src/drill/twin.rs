//! The copy that a lamp test is done to: a second board of the same file with the same state, and for each source a second feed,
//! the real one, that speaks to a [`Peer`] in memory. Nothing leads from here to the journal, the network or anything that counts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use url::Url;
use watchfloor_board::{Board, Checkpoint, config::spec::BoardFile, frame::Outage};
use watchfloor_feed::{Kind, Output, Paths, SourceConfig};
use watchfloor_model::{Mono, Phase, Position, SourceClock, SourceStatus, Timestamp, Transport};

use super::peer::{Fault, Peer, Stock};

/// A replay that is faster than this stands still in a copy: nothing is published there, and windows would run empty.
const SPEED_MAX: f64 = 2.0;
/// Turns of one source at one instant; a feed that never comes to rest is a defect, and must not hang the wall.
const TURNS_MAX: usize = 10_000;

/// What the running wall hands over to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    /// The board's file.
    pub(crate) file: BoardFile,
    /// The page that is shown, from 0.
    pub(crate) page: usize,
    /// Everything that is folded.
    pub(crate) checkpoint: Checkpoint,
    /// The links' history.
    pub(crate) outages: Vec<Outage>,
    /// Each source's settings, and what is known of it.
    pub(crate) sources: Vec<(SourceConfig, SourceStatus)>,
}

impl Copied {
    /// Whether the source is live, so that something can be done to it.
    pub(super) fn is_live(&self, source: &str) -> bool {
        self.sources.iter().any(|(config, status)| config.id == source && status.phase == Phase::Live)
    }

    /// The longest silence that the source promises.
    pub(super) fn quiet(&self, source: &str) -> Option<Duration> {
        self.file.source(source).and_then(|spec| spec.quiet)
    }
}

#[derive(Debug)]
struct Lane {
    id: String,
    feed: Paths,
    peer: Peer,
    /// Whether anything is done to it. One that isn't live is left as it is.
    drilled: bool,
}

/// The copy.
pub(super) struct Twin {
    /// What is shown.
    pub(super) board: Board,
    lanes: Vec<Lane>,
}

impl Twin {
    /// A copy whose sources begin to connect. `idle` tells how long each source's publisher has been silent.
    pub(super) fn new(of: &Copied, idle: impl Fn(&str) -> Duration, seed: u64, now: Mono, wall: Timestamp) -> Self {
        let mut file = of.file.clone();
        let mut checkpoint = of.checkpoint.clone();
        // What speaks in the copy is a hub, and goes on with the story.
        for source in file.sources.iter_mut().filter(|source| source.sparkplug.is_some()) {
            source.sparkplug = None;
            if let Some(stored) = checkpoint.sources.get_mut(&source.id) {
                stored.story = Some(source.story());
            }
        }
        let mut board = Board::new(file, now);
        // What isn't restored was nothing yet.
        let _new = board.restore(&checkpoint, now, wall);
        board.set_outages(of.outages.clone());
        board.hold_page(of.page);
        let lanes = of.sources.iter().enumerate().map(|(number, (config, status))| {
            let drilled = status.phase == Phase::Live;
            lane(of, (config, status), drilled, idle(&config.id), seed.wrapping_add(number as u64), now, wall)
        });
        let mut copy = Self { board, lanes: lanes.collect() };
        for lane in &mut copy.lanes {
            if lane.drilled {
                lane.feed.start(now);
            }
        }
        // Those that aren't live are shown as they were, without a promise to come back.
        for (config, status) in of.sources.iter().filter(|(_, status)| status.phase != Phase::Live) {
            copy.board.handle_status(&config.id, SourceStatus { retry_at: None, ..status.clone() }, now);
        }
        copy.advance(now);
        copy
    }

    /// Does this to every source that was live.
    pub(super) fn set(&mut self, fault: Fault, now: Mono) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.drilled) {
            lane.peer.set(fault, now);
        }
        self.advance(now);
    }

    /// Mends everything, and lets nobody wait for the next try.
    pub(super) fn mend(&mut self, now: Mono) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.drilled) {
            lane.peer.set(Fault::None, now);
            if lane.feed.status().phase != Phase::Live {
                lane.feed.stop(now);
                lane.feed.start(now);
            }
        }
        self.advance(now);
    }

    /// Everything that has come by now.
    pub(super) fn advance(&mut self, now: Mono) {
        for lane in &mut self.lanes {
            lane.turn(&mut self.board, now);
        }
        if self.board.poll_timeout(now).is_some_and(|due| due <= now) {
            self.board.handle_tick(now);
        }
    }
}

impl Lane {
    fn turn(&mut self, board: &mut Board, now: Mono) {
        if !self.drilled {
            return;
        }
        self.drain(board, now);
        for _ in 0..TURNS_MAX {
            if let Some(input) = self.peer.poll_input(now) {
                self.feed.handle_input(input, now);
            } else if self.feed.poll_timeout().is_some_and(|(due, _)| due <= now) {
                self.feed.handle_timeout(now);
            } else {
                return;
            }
            self.drain(board, now);
        }
        tracing::error!(source = self.id, "a copied source does not come to rest");
    }

    fn drain(&mut self, board: &mut Board, now: Mono) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Deliver(delivery) => board.handle_delivery(&self.id, &delivery, now),
                Output::Status => board.handle_status(&self.id, self.feed.status(), now),
                other => self.peer.take(other, now),
            }
        }
    }
}

/// The source as if a hub told it, whatever does: that is what speaks in the copy. By the way that it goes now, if a hub has that.
/// Nobody asks for a token, and there is no server to compare with.
fn as_hub(config: &SourceConfig, status: &SourceStatus) -> SourceConfig {
    let is_hub = config.kind == Kind::Hub;
    let ways = status.transport.iter().chain(&config.ladder).copied();
    let way = ways.into_iter().find(|way| Transport::LADDER.contains(way)).unwrap_or(Transport::WebSocket);
    // Nothing is at these addresses, and nothing goes there.
    let url = |url: &Url| if is_hub { url.clone() } else { Url::parse("http://copy.invalid/").unwrap_or(url.clone()) };
    let (channels, url_of_first) = (config.channels.clone(), url(&config.url));
    SourceConfig {
        redundant: config.redundant.iter().map(url).collect(),
        ladder: vec![way],
        quiet: config.quiet,
        ..SourceConfig::plain(config.id.clone(), Kind::Hub, url_of_first, channels, config.limit)
    }
}

fn lane(
    of: &Copied,
    (config, status): (&SourceConfig, &SourceStatus),
    drilled: bool,
    idle: Duration,
    seed: u64,
    now: Mono,
    wall: Timestamp,
) -> Lane {
    let config = as_hub(config, status);
    let head = |name: &Arc<str>| status.positions.get(name).cloned();
    let heads: BTreeMap<Arc<str>, Position> = config
        .channels
        .iter()
        .map(|name| (Arc::clone(name), head(name).unwrap_or_else(|| Position::new("copy", 0))))
        .collect();
    let clock = match &status.clock {
        Some(clock) if (0.0..=SPEED_MAX).contains(&clock.speed) => clock.clone(),
        Some(clock) => SourceClock { at: clock.at(now), read: now, speed: 0.0, label: clock.label.clone() },
        None => SourceClock { at: wall, read: now, speed: 1.0, label: None },
    };
    let stored = of.checkpoint.sources.get(&config.id);
    let aggregates = stored.into_iter().flat_map(|stored| &stored.aggregates);
    let aggregates = aggregates.map(|(fingerprint, own)| (fingerprint.clone(), own.state.clone())).collect();
    let mut feed = Paths::new(&config, seed);
    feed.restore(&status.positions);
    Lane { id: config.id, feed, peer: Peer::new(Stock { heads, clock, aggregates, idle }), drilled }
}
