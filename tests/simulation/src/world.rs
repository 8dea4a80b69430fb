//! Virtual time, and everything that happens in it.

mod checks;
mod doors;
mod lines;
mod network;
mod onset;
mod program;
mod publishers;
mod queue;
mod talks;
mod tokens;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    time::Duration,
};

use watchfloor_feed::{Input, LinkId};
use watchfloor_model::{Mono, Transport};

use crate::{
    board_file,
    dialects::{Began, Dialect},
    draw::Draw,
    fault::Fault,
    keys::Keys,
    met::Met,
    plan::Plan,
    server::{Cursor, Server},
    wall::Wall,
};

use self::queue::{Action, Due};

/// How much later than the limit it may be found that something is missing.
const GRACE: Duration = Duration::from_secs(1);
/// Everything begins a second after the clocks' zero.
const START: Mono = Mono::from_millis(1000);
/// Half past ten in the evening, UTC: some hours have a midnight in them.
const CLOCK_BASE: i64 = 1_360_362_600_000;
/// Most lines of what happened that are kept.
const TRACE_MAX: usize = 400;

struct Link {
    transport: Transport,
    /// The number of the token that it came by, if the server asks for one.
    token: usize,
    cursors: Vec<Cursor>,
    /// Polls that came so far.
    polls: u64,
    /// The poll that waits for something to come: what it is told of its subscriptions, and how long it may wait.
    waiting: Option<(Vec<String>, Mono)>,
    /// What a proxy holds back.
    kept: Vec<(Vec<Began>, Input)>,
    /// What a server that stands still hasn't heard yet: messages, and pings.
    unheard: Vec<Option<Vec<u8>>>,
    /// The request of a link that such a server hasn't looked at yet.
    unmet: Option<queue::Call>,
    /// Passes nothing any more.
    dead: bool,
    /// When the last thing that was sent down arrives: nothing overtakes.
    down: Mono,
    up: Mono,
}

/// By which of the addresses a link goes.
const fn line_of(link: LinkId) -> usize {
    (link.0 >> 48) as usize
}

/// A run.
pub struct World {
    plan: Plan,
    now: Mono,
    draw: Draw,
    queue: BinaryHeap<Reverse<Due>>,
    sequence: u64,
    server: Server,
    /// What the server speaks, if it isn't a hub.
    dialect: Option<Box<dyn Dialect>>,
    /// What of each channel the wall has: the turn after the last event or gap that it was told, and the epoch then.
    had: Vec<Option<(usize, u32)>>,
    /// What was said that nobody says.
    astray: Option<String>,
    /// For each channel, whether something explains that a gap is told of it.
    explained: Vec<bool>,
    /// The turn from which each channel is followed on a link, as far as that was told.
    begun: BTreeMap<(LinkId, usize), usize>,
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
    /// Links of polls by which something is posted and not answered.
    posting: BTreeSet<LinkId>,
    active: Vec<usize>,
    /// When the last fault of each address ended.
    calm_since: Vec<Mono>,
    /// Until when the program or the machine stands still.
    frozen: bool,
    thawed: Vec<Action>,
    stale_snapshot: Option<String>,
    /// For each channel, whether its publisher is gone.
    gone: Vec<bool>,
    /// Tokens that were given.
    keys: Keys,
    /// When the server last found that a token was no good, which nobody may have seen coming.
    unheralded: Mono,
    opens: Vec<Mono>,
    asks: Vec<Mono>,
    /// Links that the server ended because of their token.
    turned_out: BTreeSet<LinkId>,
    /// Questions for a token.
    questions: Vec<Mono>,
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
            dialect: plan.dialect.map(|name| name.dialect(plan)),
            had: vec![None; plan.channels],
            astray: None,
            explained: vec![false; plan.channels],
            begun: BTreeMap::new(),
            wall: Wall::new(plan, START),
            links: BTreeMap::new(),
            held: BTreeMap::new(),
            ended: BTreeSet::new(),
            killed: BTreeSet::new(),
            unanswered_pings: BTreeSet::new(),
            posting: BTreeSet::new(),
            active: Vec::new(),
            calm_since: vec![START; plan.lines],
            frozen: false,
            thawed: Vec::new(),
            stale_snapshot: None,
            gone: vec![false; plan.channels],
            keys: Keys::default(),
            unheralded: Mono::ZERO,
            opens: Vec::new(),
            asks: Vec::new(),
            turned_out: BTreeSet::new(),
            questions: Vec::new(),
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
        self.wall.tell_time(&self.server, self.now);
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
                self.wall.tell_time(&self.server, self.now);
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
                self.wall.tick(&self.server, self.now)?;
            }
            self.drain()?;
            if let Some(text) = self.astray.take() {
                return Err(text);
            }
            self.check()?;
        }
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

    /// What is wrong with this address.
    fn active_on(&self, line: usize) -> impl Iterator<Item = Fault> {
        let windows = self.active.iter().map(|index| &self.plan.windows[*index]);
        windows.filter(move |window| window.is_on(line)).map(|window| window.fault)
    }

    fn is_active_on(&self, line: usize, wanted: impl Fn(Fault) -> bool) -> bool {
        self.active_on(line).any(wanted)
    }

    fn is_active(&self, wanted: impl Fn(Fault) -> bool) -> bool {
        self.active().any(wanted)
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Input(input) => self.input(input),
            Action::Accept(link, transport, call) => self.accept(link, transport, &call)?,
            Action::Asked(link, transport, call) => self.asked(link, transport, &call)?,
            Action::Answer(link, poll) => self.answer_late(link, poll),
            Action::Text(link, text) => self.text(link, &text)?,
            Action::Bytes(link, bytes) => self.hear(link, Some(bytes))?,
            Action::Wake(link) => self.wake(link),
            Action::Began(link, began) => self.note_begun(link, &began),
            Action::Ping(link) if self.dialect.is_some() => self.hear(link, None)?,
            Action::Ping(link) => self.down(link, Input::Pong { link }),
            Action::Fetch(fetch, timeout, call) => self.fetch(fetch, timeout, &call),
            Action::Post(link, number, timeout, call) => self.post(link, number, timeout, &call)?,
            Action::Issue(fetch, asked, until) => self.issue(fetch, asked, until),
            Action::Expire(link) => self.expire(link),
            Action::Heartbeat(link) => self.heartbeat(link),
            Action::Publish(channel) => {
                if !self.gone[channel] {
                    self.publish(channel);
                    self.pump();
                }
                self.plan_publish(channel);
            }
            Action::Alive(channel) => {
                if !self.gone[channel] && self.dialect.is_some() {
                    // Nothing but events says that a publisher lives.
                    self.publish(channel);
                    self.pump();
                } else if !self.gone[channel] {
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
}
