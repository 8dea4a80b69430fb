//! Virtual time, and everything that happens in it.

mod checks;
mod network;
mod onset;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    time::Duration,
};

use watchfloor_feed::{FetchId, Input, LinkId, Output};
use watchfloor_model::{Delivery, Mono, Phase, Transport, limits};

use crate::{
    board_file,
    draw::Draw,
    fault::Fault,
    met::Met,
    plan::Plan,
    server::{Cursor, Form, Said, Server},
    wall::Wall,
};

/// How much later than the limit it may be found that something is missing.
const GRACE: Duration = Duration::from_secs(1);
/// Everything begins a second after the clocks' zero.
const START: Mono = Mono::from_millis(1000);
/// Half past ten in the evening, UTC: some hours have a midnight in them.
const CLOCK_BASE: i64 = 1_360_362_600_000;
/// Most lines of what happened that are kept.
const TRACE_MAX: usize = 400;

enum Action {
    /// Something reaches the program.
    Input(Input),
    /// A request for a link reaches the server.
    Accept(LinkId, Transport, String),
    /// A poll reaches the server.
    Asked(LinkId, Transport, String),
    /// The server has waited long enough for something to come, with this poll of a link.
    Answer(LinkId, u64),
    Text(LinkId, String),
    Ping(LinkId),
    /// A document is asked for: the answer whether the server is there, or the snapshot.
    Fetch(FetchId, Duration, bool),
    Heartbeat(LinkId),
    /// A channel's publisher publishes.
    Publish(usize),
    /// A channel's publisher says that it lives.
    Alive(usize),
    Begin(usize),
    End(usize),
    /// The journal may have something.
    Commit,
    Pull,
    Check,
    /// The whole is compared with the reference.
    Compare,
}

impl Action {
    /// Whether it is of one life of the program, and not of the world.
    const fn is_of_life(&self) -> bool {
        !matches!(
            self,
            Self::Publish(_)
                | Self::Alive(_)
                | Self::Begin(_)
                | Self::End(_)
                | Self::Pull
                | Self::Check
                | Self::Compare
        )
    }

    /// Whether the program must run for it.
    const fn needs_program(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Commit | Self::Pull)
    }
}

struct Due {
    at: Mono,
    sequence: u64,
    life: u64,
    action: Action,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

struct Link {
    transport: Transport,
    cursors: Vec<Cursor>,
    /// Polls that came so far.
    polls: u64,
    /// The poll that waits for something to come: what it is told of its subscriptions, and how long it may wait.
    waiting: Option<(Vec<String>, Mono)>,
    /// What a proxy holds back.
    kept: Vec<Input>,
    /// Passes nothing any more.
    dead: bool,
    /// When the last thing that was sent down arrives: nothing overtakes.
    down: Mono,
    up: Mono,
}

/// A run.
pub struct World {
    plan: Plan,
    now: Mono,
    draw: Draw,
    queue: BinaryHeap<Reverse<Due>>,
    sequence: u64,
    server: Server,
    /// The wall.
    pub wall: Wall,
    links: BTreeMap<LinkId, Link>,
    /// The links that the feed believes to have.
    held: BTreeMap<LinkId, Transport>,
    /// Links of which the end was told.
    ended: BTreeSet<LinkId>,
    /// Links of which nothing arrives any more.
    killed: BTreeSet<LinkId>,
    unanswered_pings: BTreeSet<LinkId>,
    active: Vec<usize>,
    /// When the last fault ended.
    calm_since: Mono,
    /// Until when the program or the machine stands still.
    frozen: bool,
    thawed: Vec<Action>,
    stale_snapshot: Option<String>,
    /// For each channel, whether its publisher is gone.
    gone: Vec<bool>,
    opens: Vec<Mono>,
    asks: Vec<Mono>,
    /// The board's version when it was last looked at.
    looked: u64,
    commit_at: Option<Mono>,
    /// The program was killed and isn't running yet.
    killed_off: bool,
    /// Silences that were seen.
    found: BTreeSet<usize>,
    left_live: u64,
    was_live: bool,
    trace: Vec<String>,
    /// Whether to keep what happened.
    pub traces: bool,
    /// What was met.
    pub met: Met,
}

/// Why a run failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The invariant and what broke it.
    pub text: String,
    /// What happened before it, if that was kept.
    pub trace: Vec<String>,
}

impl Failure {
    /// The invariant: the text's first word.
    #[must_use]
    pub fn invariant(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }
}

impl World {
    /// A world for a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let file = board_file::parse(plan);
        let names = board_file::channels(plan);
        let mut world = Self {
            plan: plan.clone(),
            now: START,
            draw: Draw::new(plan.seed ^ 0xABCD),
            queue: BinaryHeap::new(),
            sequence: 0,
            server: Server::new(&names, &file, plan.history, CLOCK_BASE),
            wall: Wall::new(plan, START),
            links: BTreeMap::new(),
            held: BTreeMap::new(),
            ended: BTreeSet::new(),
            killed: BTreeSet::new(),
            unanswered_pings: BTreeSet::new(),
            active: Vec::new(),
            calm_since: START,
            frozen: false,
            thawed: Vec::new(),
            stale_snapshot: None,
            gone: vec![false; plan.channels],
            opens: Vec::new(),
            asks: Vec::new(),
            looked: 0,
            commit_at: None,
            killed_off: false,
            found: BTreeSet::new(),
            left_live: 0,
            was_live: false,
            trace: Vec::new(),
            traces: false,
            met: Met::default(),
        };
        world.begin_world();
        world
    }

    fn begin_world(&mut self) {
        for channel in 0..self.plan.channels {
            for _ in 0..1 + self.draw.below(10) {
                self.publish(channel);
            }
            self.plan_publish(channel);
            self.plan_alive(channel);
        }
        for index in 0..self.plan.windows.len() {
            let (from, to) = (self.plan.windows[index].from, self.plan.windows[index].to);
            self.at(START.plus(Duration::from_millis(from)), Action::Begin(index));
            self.at(START.plus(Duration::from_millis(to)), Action::End(index));
        }
        self.at(START, Action::Pull);
        let compare = self.draw.millis(20_000, 400_000);
        self.at(START.plus(compare), Action::Compare);
    }

    fn end(&self) -> Mono {
        START.plus(Duration::from_millis(self.plan.span))
    }

    /// Until the end of its time.
    ///
    /// # Errors
    /// If an invariant breaks.
    pub fn run(&mut self) -> Result<(), Failure> {
        self.live().map_err(|text| Failure {
            text: format!("{text} (at {:.3} s)", self.now.as_micros() as f64 / 1e6),
            trace: self.trace.clone(),
        })
    }

    /// What happened, if that is kept.
    #[must_use]
    pub fn story(&self) -> &[String] {
        &self.trace
    }

    fn live(&mut self) -> Result<(), String> {
        self.wall.feed.start(self.now);
        self.drain()?;
        let end = self.end();
        let mut timeouts = 0_u32;
        loop {
            let next = self.queue.peek().map(|Reverse(due)| due.at);
            let reason = self.wall.feed.poll_timeout();
            let timer = reason.map(|(at, _)| at);
            let tick = self.wall.board.poll_timeout(self.now);
            let (timer, tick) = if self.frozen { (None, None) } else { (timer, tick) };
            let soonest = [next, timer, tick].into_iter().flatten().min().unwrap_or(end).max(self.now);
            if soonest >= end {
                self.now = end;
                return self.check_end();
            }
            // What is overdue together may be done in any order.
            let due = next.is_some_and(|next| next <= soonest);
            let is_timer = timer.is_some_and(|at| at <= soonest) && !(due && self.draw.chance(50));
            if is_timer {
                self.now = soonest;
                self.wall.feed.handle_timeout(self.now);
                timeouts += 1;
                if timeouts > 100 {
                    let last = self.wall.feed.poll_timeout();
                    return Err(format!("H5: a storm of timeouts: the next is {last:?}"));
                }
                if self.wall.feed.poll_timeout() == reason {
                    return Err(format!("H5: a timer stays due: {:?}", self.wall.feed.poll_timeout()));
                }
            } else if due {
                let Some(Reverse(due)) = self.queue.pop() else { continue };
                timeouts = 0;
                self.now = soonest;
                if due.action.is_of_life() && due.life != self.wall.life {
                    continue;
                }
                if self.frozen && due.action.needs_program() {
                    self.thawed.push(due.action);
                    continue;
                }
                self.act(due.action)?;
            } else {
                self.now = soonest;
                self.wall.board.handle_tick(self.now);
            }
            self.drain()?;
            self.check()?;
        }
    }

    fn at(&mut self, at: Mono, action: Action) {
        self.sequence += 1;
        let due = Due { at, sequence: self.sequence, life: self.wall.life, action };
        self.queue.push(Reverse(due));
    }

    fn after(&mut self, wait: Duration, action: Action) {
        self.at(self.now.plus(wait), action);
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if self.traces {
            if self.trace.len() >= TRACE_MAX {
                self.trace.drain(..TRACE_MAX / 2);
            }
            self.trace.push(format!("{:>10.3} {}", self.now.as_micros() as f64 / 1e6, text()));
        }
    }

    fn active(&self) -> impl Iterator<Item = Fault> {
        self.active.iter().map(|index| self.plan.windows[*index].fault)
    }

    fn is_active(&self, wanted: impl Fn(Fault) -> bool) -> bool {
        self.active().any(wanted)
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Input(input) => self.input(input),
            Action::Accept(link, transport, url) => self.accept(link, transport, &url)?,
            Action::Asked(link, transport, url) => self.asked(link, transport, &url)?,
            Action::Answer(link, poll) => self.answer_late(link, poll),
            Action::Text(link, text) => self.text(link, &text)?,
            Action::Ping(link) => self.down(link, Input::Pong { link }),
            Action::Fetch(fetch, timeout, health) => self.fetch(fetch, timeout, health),
            Action::Heartbeat(link) => self.heartbeat(link),
            Action::Publish(channel) => {
                if !self.gone[channel] {
                    self.publish(channel);
                    self.pump();
                }
                self.plan_publish(channel);
            }
            Action::Alive(channel) => {
                if !self.gone[channel] {
                    self.server.alive(channel, self.now);
                }
                self.plan_alive(channel);
            }
            Action::Begin(index) => self.begin(index)?,
            Action::End(index) => self.finish(index)?,
            Action::Commit => {
                self.commit_at = None;
                self.commit()?;
            }
            Action::Pull => {
                self.wall.pull(&self.server, self.now)?;
                let wait = self.draw.millis(500, 60_000);
                self.after(wait, Action::Pull);
            }
            Action::Check => {}
            Action::Compare => {
                self.compare()?;
                let wait = self.draw.millis(20_000, 400_000);
                self.after(wait, Action::Compare);
            }
        }
        Ok(())
    }

    fn plan_publish(&mut self, channel: usize) {
        let gap = self.plan.gap;
        // Most wait about as long as the mean, some for much longer.
        let wait = if self.draw.chance(10) { self.draw.millis(gap, 4 * gap) } else { self.draw.millis(1, gap * 3 / 2) };
        self.after(wait, Action::Publish(channel));
    }

    /// A publisher that promises to speak does so in good time.
    fn plan_alive(&mut self, channel: usize) {
        if let Some(quiet) = self.plan.quiet {
            let wait = self.draw.millis(quiet / 4, quiet / 2);
            self.after(wait, Action::Alive(channel));
        }
    }

    fn publish(&mut self, channel: usize) {
        let bad = self.is_active(|fault| fault == Fault::BadEvents) && self.draw.chance(40);
        let form = match (bad, self.draw.chance(50)) {
            (true, true) => Form::BadData,
            (true, false) => Form::Garbage,
            (false, _) => Form::Good,
        };
        let name = match self.draw.below(10) {
            0 => "drop",
            1 => "note",
            _ => "set",
        };
        let said = Said { name, key: self.draw.below(9), value: self.draw.below(1000), bad: self.draw.chance(30) };
        self.server.publish(channel, form, said, self.now);
        self.plan_check(self.now);
    }

    /// Looks again when what happened at `since` must have been found missing.
    fn plan_check(&mut self, since: Mono) {
        let limit = Duration::from_millis(self.plan.limit) + GRACE;
        for times in [1, 3] {
            let patient = Duration::from_millis(self.plan.limit * times) + GRACE;
            if times == 1 || !self.active.is_empty() {
                self.at(since.plus(patient.max(limit)).plus(Duration::from_micros(1)), Action::Check);
            }
        }
    }

    fn input(&mut self, input: Input) {
        let (link, ends) = match &input {
            Input::Opened { link }
            | Input::Text { link, .. }
            | Input::Chunk { link, .. }
            | Input::Answered { link, .. }
            | Input::Pong { link } => (Some(*link), false),
            Input::Closed { link, .. } | Input::Failed { link, .. } => (Some(*link), true),
            Input::Fetched { .. } | Input::Credential { .. } => (None, false),
        };
        if link.is_some_and(|link| !ends && self.killed.contains(&link)) {
            return;
        }
        if let Some(link) = link.filter(|_| ends)
            && self.held.remove(&link).is_some()
        {
            self.ended.insert(link);
        }
        if let Input::Pong { link } = &input {
            self.unanswered_pings.remove(link);
        }
        self.note(|| match &input {
            Input::Text { text, .. } => format!("-> {}", text.escape_ascii()),
            Input::Chunk { bytes, .. } => format!("-> {}", bytes.escape_ascii()),
            Input::Answered { body, .. } => format!("-> {}", body.escape_ascii()),
            other => format!("-> {}", cut(&format!("{other:?}"))),
        });
        self.wall.feed.handle_input(input, self.now);
    }

    /// Does what the feed says.
    fn drain(&mut self) -> Result<(), String> {
        let mut count = 0;
        while let Some(output) = self.wall.feed.poll_output() {
            count += 1;
            if count > 20_000 {
                return Err("H5: outputs without end".into());
            }
            if !matches!(output, Output::Status) {
                self.note(|| format!("<- {}", cut(&format!("{output:?}"))));
            }
            match output {
                Output::Open { link, transport, request } => {
                    self.hold(link, transport)?;
                    let latency = self.latency(false);
                    self.after(latency, Action::Accept(link, transport, request.url.into()));
                }
                Output::Ask { link, transport, request, .. } => {
                    if !self.held.contains_key(&link) {
                        self.hold(link, transport)?;
                    }
                    self.asks.push(self.now);
                    let latency = self.latency(false);
                    self.after(latency, Action::Asked(link, transport, request.url.into()));
                }
                Output::Send { link, text } => self.up(link, Action::Text(link, text)),
                Output::Ping { link } => {
                    if !self.unanswered_pings.insert(link) {
                        return Err("H1: a second ping while one is unanswered".into());
                    }
                    self.up(link, Action::Ping(link));
                }
                Output::Close { link } => {
                    // A link that has just ended may be given up before the feed has heard of it.
                    if self.held.remove(&link).is_none() && !self.ended.contains(&link) {
                        return Err(format!("H5: link {link} closed that isn't held"));
                    }
                    self.links.remove(&link);
                    self.killed.insert(link);
                }
                Output::Fetch { fetch, request, timeout, .. } => {
                    let latency = self.latency(false);
                    let health = request.url.path() == "/v1/health";
                    self.after(latency, Action::Fetch(fetch, timeout, health));
                }
                Output::Deliver(delivery) => self.deliver(delivery)?,
                Output::Status => {
                    self.wall.hand_on(None, self.now);
                    self.commit()?;
                }
                #[allow(unreachable_patterns, clippy::match_wildcard_for_single_variants)]
                _ => return Err(format!("H5: an output that nobody knows: {output:?}")),
            }
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), String> {
        if let Delivery::Events(events) = &delivery
            && (events.len() > 1024 || events.iter().any(|event| event.data.text().len() > limits::DATA_BYTES_MAX))
        {
            return Err(format!("H5: a delivery of {} events", events.len()));
        }
        let slow = self.active().filter_map(|fault| match fault {
            Fault::SlowDisk(millis) => Some(millis),
            _ => None,
        });
        let slow = slow.max().unwrap_or(10);
        let wait = self.draw.millis(0, slow);
        self.wall.hand_on(Some(delivery), self.now.plus(wait));
        self.commit()
    }

    /// Folds what the journal has by now.
    fn commit(&mut self) -> Result<(), String> {
        while let Some(due) = self.wall.poll_commit() {
            if due > self.now {
                if self.commit_at.is_none_or(|at| due < at) {
                    self.commit_at = Some(due);
                    self.at(due, Action::Commit);
                }
                return Ok(());
            }
            let before = self.wall.status.clone();
            if self.wall.commit(&self.server, self.now)? {
                self.note_status(&before)?;
            }
        }
        Ok(())
    }

    fn note_status(&mut self, before: &watchfloor_model::SourceStatus) -> Result<(), String> {
        let status = &self.wall.status;
        if status.phase != before.phase || status.cause != before.cause {
            let (phase, cause) = (status.phase, status.cause.clone());
            self.note(|| format!("== {phase} {:?}", cause.map(|cause| cause.text)));
        }
        let status = &self.wall.status;
        self.met.status(before, status);
        let live = status.phase == Phase::Live;
        if live && (status.cause.is_some() || status.retry_at.is_some()) {
            return Err(format!("H1: live with a cause: {status:?}"));
        }
        if !live && status.cause.is_none() && self.wall.life == 0 && self.met.lives > 0 {
            return Err(format!("H1: not live and no cause: {status:?}"));
        }
        self.left_live += u64::from(self.was_live && !live);
        self.met.lives += u64::from(live && !self.was_live);
        self.was_live = live;
        Ok(())
    }

    /// The feed has a link more.
    fn hold(&mut self, link: LinkId, transport: Transport) -> Result<(), String> {
        if self.held.len() >= 2 {
            return Err(format!("H5: link {link} opened while {:?} are held", self.held));
        }
        self.held.insert(link, transport);
        self.opens.push(self.now);
        self.met.opened(transport);
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}
