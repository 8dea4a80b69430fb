//! One life of the program, and what outlives it: the real feed and the real board with the engine's rules between them, a
//! journal that holds what was committed, and the page.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use watchfloor_board::{Board, Checkpoint, alarm::watch::WatchCheckpoint, config::BoardFile};
use watchfloor_feed::{Paths, Secret, SourceConfig};
use watchfloor_model::{Check, Continuity, Delivery, Mono, Phase, Position, Snapshot, SourceStatus, Timestamp};

use crate::{
    alarms::Alarms,
    board_file::{self, OTHER_URL, SOURCE, URL},
    ledger::Ledger,
    page::Page,
    plan::Plan,
    server::Server,
};

/// The widgets that events alone move, and time doesn't.
const UNMOVED: [&str; 6] = ["count", "mean", "share", "level", "lines", "grid"];
/// Entries after which the board is written down.
const CHECKPOINT_ENTRIES: usize = 40;

/// What is on its way to the journal.
#[derive(Debug)]
enum Step {
    Deliver(Box<Delivery>, Known),
    Status(Box<SourceStatus>),
}

/// What was known of each channel when something was delivered, where the server is no hub.
#[derive(Debug, Default)]
pub struct Known {
    /// The turn from which it was followed.
    pub begun: Vec<usize>,
    /// What the wall had of it.
    pub had: Vec<Option<(usize, u32)>>,
}

/// What was committed. A kill loses nothing of it.
#[derive(Clone, Debug, Default)]
struct Journal {
    positions: BTreeMap<Arc<str>, Position>,
    checkpoint: Option<String>,
    /// After the checkpoint, with the wall clock at their receipt.
    entries: Vec<(Delivery, Timestamp)>,
}

/// See the module.
pub struct Wall {
    plan: Plan,
    file: BoardFile,
    /// The life's number.
    pub life: u64,
    /// The feed.
    pub feed: Paths,
    /// The board.
    pub board: Board,
    /// What the feed delivered and the board folded.
    pub ledger: Ledger,
    /// Its alarms, of all lives.
    pub alarms: Alarms,
    /// What the board was told of the source.
    pub status: SourceStatus,
    pending: VecDeque<(Mono, Step)>,
    journal: Journal,
    page: Page,
    /// By how much the wall clock is wrong, in milliseconds.
    pub clock_off: i64,
    /// The latest time that the aggregates were ever told.
    latest: i64,
}

fn url(text: &str) -> url::Url {
    text.parse().unwrap_or_else(|error| unreachable!("{error}"))
}

fn config(plan: &Plan) -> SourceConfig {
    let mut config = hub(plan);
    if let Some(dialect) = plan.dialect {
        dialect.configure(&mut config, plan);
    }
    config
}

fn ledger(plan: &Plan) -> Ledger {
    let channels = board_file::channels(plan);
    if plan.dialect.is_some() { Ledger::of_dialect(&channels) } else { Ledger::new(&channels) }
}

fn hub(plan: &Plan) -> SourceConfig {
    SourceConfig {
        ladder: plan.ladder.clone(),
        redundant: if plan.lines > 1 { vec![url(OTHER_URL)] } else { Vec::new() },
        quiet: plan.quiet.map(Duration::from_millis),
        reconcile: plan.reconcile.map(Duration::from_millis),
        token: plan.tokens.is_none().then(|| Secret::new("token")),
        asks_token: plan.tokens.is_some(),
        ..SourceConfig::plain(
            SOURCE,
            watchfloor_feed::Kind::Hub,
            url(URL),
            board_file::channels(plan),
            Duration::from_millis(plan.limit),
        )
    }
}

impl Wall {
    /// Before its first start.
    #[must_use]
    pub fn new(plan: &Plan, now: Mono) -> Self {
        let file = board_file::parse(plan);
        Self {
            life: 0,
            feed: Paths::new(&config(plan), plan.seed),
            board: Board::new(file.clone(), now),
            ledger: ledger(plan),
            alarms: Alarms::default(),
            status: SourceStatus::default(),
            pending: VecDeque::new(),
            journal: Journal::default(),
            page: Page::default(),
            clock_off: 0,
            latest: i64::MIN,
            plan: plan.clone(),
            file,
        }
    }

    /// The machine's wall clock. Right, it says the server's time.
    #[must_use]
    pub fn wall(&self, server: &Server, now: Mono) -> Timestamp {
        Timestamp::from_millis(server.time(now) + self.clock_off)
    }

    /// What shows no time of its own is shown by this machine's.
    pub fn tell_time(&mut self, server: &Server, now: Mono) {
        if self.plan.dialect.is_some() {
            let wall = self.wall(server, now);
            if let Some(told) = self.ledger.told.as_mut().filter(|_| self.clock_off < 0) {
                told.earliest = told.earliest.min(wall.as_millis());
            }
            self.feed.set_wall(wall, now);
        }
    }

    /// The feed delivered something, or said what is known of it; the disk has it at `due`.
    pub fn hand_on(&mut self, delivery: Option<(Delivery, Known)>, due: Mono) {
        let step = match delivery {
            Some((delivery, known)) => Step::Deliver(Box::new(delivery), known),
            None => Step::Status(Box::new(self.feed.status())),
        };
        let due = self.pending.back().map_or(due, |(last, _)| due.max(*last));
        match (self.pending.back_mut(), step) {
            // Of two things known of the source, the newer one counts.
            (Some((_, Step::Status(last))), Step::Status(status)) => *last = status,
            (_, step) => self.pending.push_back((due, step)),
        }
    }

    /// When the journal has something next.
    #[must_use]
    pub fn poll_commit(&self) -> Option<Mono> {
        let (due, step) = self.pending.front()?;
        Some(if matches!(step, Step::Status(_)) { Mono::ZERO } else { *due })
    }

    /// Commits and folds the next step. Says whether it was a status.
    ///
    /// # Errors
    /// If a delivery breaks a rule.
    pub fn commit(&mut self, server: &Server, now: Mono) -> Result<bool, String> {
        let Some((_, step)) = self.pending.pop_front() else { return Ok(false) };
        self.board.set_wall(self.wall(server, now), now);
        self.alarms.turn(&mut self.board, now)?;
        match step {
            Step::Status(status) => {
                self.board.handle_status(SOURCE, (*status).clone(), now);
                self.status = *status;
                Ok(true)
            }
            Step::Deliver(delivery, known) => {
                let delivery = *delivery;
                let wall = self.wall(server, now);
                self.write(&delivery, wall);
                self.ledger.take(&delivery, server)?;
                if let Delivery::Gap(gap) = &delivery {
                    self.ledger.begin(gap, &known.begun, server);
                }
                if let Some(told) = &mut self.ledger.told {
                    told.had = known.had;
                }
                self.alarms.deliver(&delivery);
                self.board.handle_delivery(SOURCE, &delivery, now);
                if let Delivery::Snapshot(snapshot) | Delivery::Check(Check { snapshot, .. }) = &delivery {
                    self.check_time(snapshot, server, now)?;
                }
                if matches!(delivery, Delivery::Check(_)) {
                    if self.board.take_corrected() {
                        self.save(now, wall)?;
                    }
                    let drifts = self.board.take_drifts();
                    if !drifts.is_empty() && !self.ledger.may_drift {
                        return Err(format!("H3: a comparison with the server found {drifts:?}"));
                    }
                    return Ok(false);
                }
                self.journal.entries.push((delivery, wall));
                if self.journal.entries.len() >= CHECKPOINT_ENTRIES {
                    self.save(now, wall)?;
                }
                Ok(false)
            }
        }
    }

    /// Time has passed, and nothing else.
    ///
    /// # Errors
    /// If an alarm is heard twice.
    pub fn tick(&mut self, server: &Server, now: Mono) -> Result<(), String> {
        self.board.set_wall(self.wall(server, now), now);
        self.alarms.turn(&mut self.board, now)?;
        self.board.handle_tick(now);
        Ok(())
    }

    /// H3: what is known up to an instant is shown as of that instant, and not of an earlier one again.
    fn check_time(&mut self, snapshot: &Snapshot, server: &Server, now: Mono) -> Result<(), String> {
        let taken = snapshot.clock.at(snapshot.received).as_millis();
        // Where messages take seconds, a later look at the server's clock may be a worse one: the time goes back by as much.
        let rare = self.plan.latency.1;
        let late = if rare >= 1_000 { i64::try_from(rare).unwrap_or(i64::MAX) } else { 0 };
        match self.time(server, now) {
            Some((time, _)) if time < taken - late => Err(format!("H3: a snapshot of {taken} is shown as of {time}")),
            _ => Ok(()),
        }
    }

    /// The positions that go with an entry, by the engine's rules.
    fn write(&mut self, delivery: &Delivery, _wall: Timestamp) {
        let positions = &mut self.journal.positions;
        match delivery {
            Delivery::Events(events) => {
                for event in events {
                    if let Some(position) = &event.position {
                        positions.insert(Arc::clone(&event.channel), position.clone());
                    }
                }
            }
            Delivery::Check(_) | Delivery::Recheck(_) => {}
            Delivery::Restated(restated) => positions.extend(restated.positions.clone()),
            Delivery::Snapshot(snapshot) => positions.clone_from(&snapshot.positions),
            Delivery::Gap(gap) => {
                if let Some(to) = gap.to.clone().filter(|_| gap.proof == Continuity::Unknown) {
                    positions.insert(Arc::clone(&gap.channel), to);
                }
            }
        }
    }

    fn save(&mut self, now: Mono, wall: Timestamp) -> Result<(), String> {
        // No state is written down that is ahead of the record.
        self.alarms.turn(&mut self.board, now)?;
        while self.alarms.waits() {
            self.alarms.turn(&mut self.board, now)?;
        }
        let checkpoint = self.board.checkpoint(now, wall);
        let text = serde_json::to_string(&checkpoint).map_err(|error| error.to_string())?;
        self.journal.checkpoint = Some(text);
        self.journal.entries.clear();
        Ok(())
    }

    /// H4: killed, and started again from what was committed. What was on its way is lost.
    ///
    /// # Errors
    /// If what is shown then isn't what was committed.
    pub fn restart(&mut self, server: &Server, now: Mono) -> Result<(), String> {
        let before = self.report(now);
        let incomplete =
            |board: &Board, id: &str| board.freshness(id, now).and_then(|quality| quality.incomplete_until_ms);
        let until: Vec<_> = UNMOVED.iter().map(|id| incomplete(&self.board, id)).collect();
        self.life += 1;
        self.pending.clear();
        self.page = Page::default();
        self.status = SourceStatus::default();
        let wall = self.wall(server, now);
        self.board = Board::new(self.file.clone(), now);
        self.board.set_wall(wall, now);
        self.alarms.kill();
        let mut alarms = WatchCheckpoint::default();
        if let Some(text) = &self.journal.checkpoint {
            let checkpoint: Checkpoint = serde_json::from_str(text).map_err(|error| error.to_string())?;
            let failed = self.board.restore(&checkpoint, now, wall);
            if !failed.is_empty() {
                return Err(format!("H4: not restored: {failed:?}"));
            }
            alarms = checkpoint.alarms;
        }
        let record = self.alarms.after(alarms.alarms.number);
        self.board.restore_alarms(alarms, record, now);
        for (delivery, received) in &self.journal.entries {
            let place = now.as_micros().saturating_sub(u64::try_from(wall.since(*received).as_micros()).unwrap_or(0));
            let mut delivery = delivery.clone();
            match &mut delivery {
                Delivery::Events(events) => {
                    events.iter_mut().for_each(|event| event.received = Mono::from_micros(place));
                }
                Delivery::Snapshot(snapshot) => {
                    snapshot.clock.at = snapshot.clock.at(snapshot.received);
                    (snapshot.clock.read, snapshot.received) = (Mono::from_micros(place), Mono::from_micros(place));
                }
                Delivery::Restated(restated) => {
                    restated.received = Mono::from_micros(place);
                    restated.events.iter_mut().for_each(|event| event.received = Mono::from_micros(place));
                }
                Delivery::Gap(_) | Delivery::Check(_) | Delivery::Recheck(_) => {}
            }
            self.board.handle_delivery(SOURCE, &delivery, now);
        }
        self.board.be_folded();
        self.alarms.start(&mut self.board)?;
        self.feed = Paths::new(&config(&self.plan), self.plan.seed.wrapping_add(self.life));
        if self.journal.positions.is_empty() {
            self.ledger = ledger(&self.plan);
        }
        self.feed.restore(&self.journal.positions.clone());
        if let Some(time) = self.board.source_time(SOURCE).filter(|_| self.plan.dialect.is_some()) {
            self.feed.set_wall(time, now);
        }
        let after = self.report(now);
        for (id, until) in UNMOVED.into_iter().zip(until) {
            let found = incomplete(&self.board, id);
            if until != found {
                return Err(format!("H4: `{id}` was incomplete until {until:?}, and is until {found:?} after a kill"));
            }
            let (before, after) = (&before["widgets"][id], &after["widgets"][id]);
            if before["freshness"] != "refused" && before["value"] != after["value"] {
                return Err(format!("H4: `{id}` was {}, and is {} after a kill", before["value"], after["value"]));
            }
            if after["freshness"] == "live" || after["freshness"] == "polling" {
                return Err(format!("H4: `{id}` is {} right after a start", after["freshness"]));
            }
            if before["at_least"] == true && after["at_least"] == false && !after["value"].is_null() {
                return Err(format!("H4: `{id}` was a lower bound, and isn't after a kill: {before}, {after}"));
            }
        }
        Ok(())
    }

    /// The operators' contract.
    #[must_use]
    pub fn report(&self, now: Mono) -> Value {
        self.board.report(now)
    }

    /// The page takes its next frame.
    ///
    /// # Errors
    /// If what it is brought to isn't what the board shows.
    pub fn pull(&mut self, server: &Server, now: Mono) -> Result<(), String> {
        let wall = self.wall(server, now);
        self.page.pull(&mut self.board, now, wall)
    }

    /// What the page shows is what a new page would show.
    ///
    /// # Errors
    /// If it isn't.
    pub fn check_page(&mut self, server: &Server, now: Mono) -> Result<(), String> {
        let wall = self.wall(server, now);
        self.page.pull(&mut self.board, now, wall)?;
        self.page.check(&mut self.board, now, wall)
    }

    /// The source's time up to which the aggregates were moved, and the latest that it ever was.
    pub fn time(&mut self, server: &Server, now: Mono) -> Option<(i64, i64)> {
        let checkpoint = self.board.checkpoint(now, self.wall(server, now));
        let time = checkpoint.sources.get(SOURCE)?.time?.as_millis();
        self.latest = self.latest.max(time);
        Some((time, self.latest))
    }

    /// The source's time up to which it was folded, in milliseconds.
    #[must_use]
    pub fn source_time(&self) -> Option<i64> {
        self.board.source_time(SOURCE).map(Timestamp::as_millis)
    }

    /// Whether the source is live, as the board was told.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.status.phase == Phase::Live
    }

    /// Every widget's id and limit.
    pub fn limits(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.file.widgets.iter().map(|widget| (widget.id.as_str(), widget.stale_after))
    }

    /// How many steps wait for the disk.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.pending.len()
    }
}
