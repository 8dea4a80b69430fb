//! The network between, and time.

mod checks;
mod network;
mod onset;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    time::Duration,
};

use watchfloor_feed::{Feed, FetchId, Input, LinkId, Output, SourceConfig};
use watchfloor_model::{Mono, Phase, SourceStatus, Transport};

use crate::{
    draw::Draw,
    faults::{self, Fault, Window},
    hub::{Cursor, Entry, Hub},
    met::Met,
    wall::Wall,
};

const LIMIT: Duration = Duration::from_secs(5);
/// How much later than the limit it may be found that something is missing.
const GRACE: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(1);
const CHECK: Duration = Duration::from_millis(200);
/// For faults to begin.
const SPAN_MS: u64 = 25_000;
/// After the last fault everything must be well within this: the longest backoff, and refusals asked again.
const RECOVERY: Duration = Duration::from_secs(240);

/// The longest time for which a better way to travel is left alone, and its trial.
const CLIMBING: Duration = Duration::from_secs(700);

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// The ways to travel, best first.
    pub(crate) ladder: Vec<Transport>,
    pub(crate) channels: Vec<String>,
    pub(crate) windows: Vec<Window>,
    /// Whether the hub has snapshots at all.
    pub(crate) snapshots: bool,
    /// Events a second, about.
    pub(crate) rate: u64,
    /// How often, about, what was delivered is compared with the hub's state.
    pub(crate) reconcile: Option<Duration>,
    /// Whether all goes on until the best way to travel is found again.
    pub(crate) climbs: bool,
}

impl Plan {
    pub(crate) fn faulty(seed: u64, transport: Transport) -> Self {
        let mut draw = Draw::new(seed);
        let windows = faults::draw(&mut draw, SPAN_MS);
        Self { windows, snapshots: !draw.chance(10), ..Self::bare(draw, seed, &[transport]) }
    }

    /// Every way to travel, and what lies between may block some of them.
    pub(crate) fn blocked(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut windows = faults::between(&mut draw, SPAN_MS);
        if draw.chance(60) {
            windows.extend(faults::draw(&mut draw, SPAN_MS));
        }
        Self { windows, snapshots: !draw.chance(10), ..Self::bare(draw, seed, &Transport::LADDER) }
    }

    /// Every way to travel, and these faults alone.
    pub(crate) fn with(seed: u64, windows: Vec<Window>) -> Self {
        Self { windows, ..Self::bare(Draw::new(seed), seed, &Transport::LADDER) }
    }

    pub(crate) fn healthy(seed: u64, ladder: &[Transport]) -> Self {
        Self::bare(Draw::new(seed), seed, ladder)
    }

    fn bare(mut draw: Draw, seed: u64, ladder: &[Transport]) -> Self {
        let channels = (0..1 + draw.below(3)).map(|n| format!("c{n}")).collect();
        let rate = *draw.pick(&[1, 4, 10]);
        let ladder = ladder.to_vec();
        let reconcile = [None, Some(Duration::from_secs(2)), Some(Duration::from_secs(7))][(seed % 3) as usize];
        Self { seed, ladder, channels, windows: Vec::new(), snapshots: true, rate, reconcile, climbs: false }
    }
}

enum Action {
    Input(Input),
    Accept(LinkId, Transport, String),
    /// A poll arrives at the server.
    Asked(LinkId, Transport, String),
    /// The server has waited long enough for something to come, with this poll of a link.
    Answer(LinkId, u64),
    Text(LinkId, String),
    Ping(LinkId),
    /// A document is asked for: the answer whether the server is there, or the snapshot.
    Fetch(FetchId, Duration, bool),
    Heartbeat(LinkId),
    Publish,
    Begin(usize),
    End(usize),
    Check,
}

struct Link {
    transport: Transport,
    cursors: BTreeMap<String, Cursor>,
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

pub(crate) struct World {
    plan: Plan,
    now: Mono,
    draw: Draw,
    queue: BinaryHeap<Reverse<(Mono, u64)>>,
    actions: BTreeMap<u64, Action>,
    sequence: u64,
    hub: Hub,
    pub(crate) wall: Wall,
    feed: Feed,
    lives: u64,
    status: SourceStatus,
    links: BTreeMap<LinkId, Link>,
    /// The links that the feed believes to have.
    held: BTreeMap<LinkId, Transport>,
    /// The last link of which the end was told.
    ended: BTreeSet<LinkId>,
    /// Links of which nothing arrives any more.
    killed: BTreeSet<LinkId>,
    active: Vec<usize>,
    healthy_since: Option<Mono>,
    gaps_at_live: u64,
    link_at_live: Option<LinkId>,
    was_live: bool,
    /// Whether the feed was without a link since it was live.
    lost: bool,
    /// How often the phase left live.
    pub(crate) left_live: u64,
    pub(crate) opens: Vec<Mono>,
    /// The ways by which links were asked for, and those by which the wall was live.
    pub(crate) opened: BTreeSet<Transport>,
    pub(crate) live_by: BTreeSet<Transport>,
    /// How often a better way took over while the wall was live.
    pub(crate) climbed: u64,
    /// When each poll went out.
    asks: Vec<Mono>,
    unanswered_pings: BTreeSet<LinkId>,
    pub(crate) trace: Vec<String>,
    pub(crate) met: Met,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut world = Self {
            plan: plan.clone(),
            now: Mono::from_millis(1000),
            draw: Draw::new(plan.seed ^ 0xABCD),
            queue: BinaryHeap::new(),
            actions: BTreeMap::new(),
            sequence: 0,
            hub: Hub::new(&plan.channels),
            wall: Wall::new(&plan.channels),
            feed: Feed::new(config(plan), plan.seed),
            lives: 0,
            status: SourceStatus::default(),
            links: BTreeMap::new(),
            held: BTreeMap::new(),
            ended: BTreeSet::new(),
            killed: BTreeSet::new(),
            active: Vec::new(),
            healthy_since: None,
            gaps_at_live: 0,
            link_at_live: None,
            was_live: false,
            lost: false,
            left_live: 0,
            opens: Vec::new(),
            opened: BTreeSet::new(),
            live_by: BTreeSet::new(),
            climbed: 0,
            asks: Vec::new(),
            unanswered_pings: BTreeSet::new(),
            trace: Vec::new(),
            met: Met::default(),
        };
        for _ in 0..world.draw.below(30) {
            world.publish();
        }
        for (index, window) in plan.windows.iter().enumerate() {
            world.at(window.from, Action::Begin(index));
            world.at(window.to, Action::End(index));
        }
        world.at(world.now, Action::Publish);
        world.at(world.now, Action::Check);
        world
    }

    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.feed.start(self.now);
        self.drain()?;
        let faults_end = self.plan.windows.iter().map(|window| window.to).max().unwrap_or_default();
        let publish_end = faults_end.max(Mono::from_millis(SPAN_MS));
        let mut timeouts = 0_u32;
        while !self.is_done(publish_end)? {
            let next = self.queue.peek().map(|Reverse((at, _))| *at);
            let timer = self.feed.poll_timeout();
            // What is overdue together may be done in any order.
            let until =
                next.map(|next| if next < self.now && self.draw.chance(50) { next } else { next.max(self.now) });
            if let Some((at, reason)) = timer.filter(|(at, _)| until.is_none_or(|until| *at <= until)) {
                self.now = self.now.max(at);
                self.feed.handle_timeout(self.now);
                timeouts += 1;
                if timeouts > 100 {
                    return Err(format!("a storm of timeouts at {:?}, the last by {reason}", self.now));
                }
                if self.feed.poll_timeout() == timer {
                    return Err(format!("timer {reason} stays due"));
                }
            } else {
                let Some(Reverse((at, sequence))) = self.queue.pop() else { return Err("nothing more to do".into()) };
                timeouts = 0;
                self.now = self.now.max(at);
                if let Some(action) = self.actions.remove(&sequence) {
                    let publishing = self.now < publish_end || self.healthy_since.is_none() || self.is_climbing();
                    self.act(action, publishing)?;
                }
            }
            self.drain()?;
        }
        Ok(())
    }

    fn at(&mut self, at: Mono, action: Action) {
        self.sequence += 1;
        self.queue.push(Reverse((at, self.sequence)));
        self.actions.insert(self.sequence, action);
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        self.trace.push(format!("{:>10.3} {}", self.now.as_micros() as f64 / 1e6, text()));
    }

    fn is_active(&self, wanted: impl Fn(Fault) -> bool) -> bool {
        self.active.iter().any(|index| wanted(self.plan.windows[*index].fault))
    }

    fn latency(&mut self) -> Duration {
        let slow = self.active.iter().filter_map(|index| match self.plan.windows[*index].fault {
            Fault::Slow(millis) => Some(millis),
            _ => None,
        });
        let slow = slow.max().unwrap_or(0);
        let most = if self.draw.chance(5) { 200 } else { 20 };
        self.draw.millis(1, most) + Duration::from_millis(slow)
    }

    fn act(&mut self, action: Action, publishing: bool) -> Result<(), String> {
        match action {
            Action::Input(input) => self.input(input),
            Action::Accept(link, transport, url) => self.accept(link, transport, &url),
            Action::Asked(link, transport, url) => self.asked(link, transport, &url),
            Action::Answer(link, poll) => self.answer_late(link, poll),
            Action::Text(link, text) => self.text(link, &text),
            Action::Ping(link) => {
                self.down(link, Input::Pong { link });
            }
            Action::Fetch(fetch, timeout, health) => self.fetch(fetch, timeout, health),
            Action::Heartbeat(link) => self.heartbeat(link),
            Action::Publish => {
                if publishing {
                    self.publish();
                    self.pump();
                }
                let wait = self.draw.millis(1, 2000 / self.plan.rate);
                self.at(self.now.plus(wait), Action::Publish);
            }
            Action::Begin(index) => self.begin(index)?,
            Action::End(index) => {
                let fault = self.plan.windows[index].fault;
                self.note(|| format!("--- end {fault:?}"));
                self.active.retain(|active| *active != index);
                self.let_go();
                self.pump();
            }
            Action::Check => {
                self.check()?;
                self.at(self.now.plus(CHECK), Action::Check);
            }
        }
        Ok(())
    }

    fn publish(&mut self) {
        let name = self.draw.pick(&self.plan.channels).clone();
        let bad = self.is_active(|fault| fault == Fault::BadEvents) && self.draw.chance(40);
        let entry = match (bad, self.draw.chance(50)) {
            (true, true) => Entry::BadData,
            (true, false) => Entry::Garbage,
            (false, _) => Entry::Good(self.draw.below(1000)),
        };
        self.hub.publish(&name, entry, self.now);
    }

    fn input(&mut self, input: Input) {
        let (link, ends) = match &input {
            Input::Opened { link }
            | Input::Text { link, .. }
            | Input::Chunk { link, .. }
            | Input::Answered { link, .. }
            | Input::Binary { link, .. }
            | Input::Head { link, .. }
            | Input::Exchanged { link, .. }
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
            Input::Text { text, .. } => format!("-> {}", String::from_utf8_lossy(text)),
            Input::Chunk { bytes, .. } => format!("-> {}", bytes.escape_ascii()),
            Input::Answered { body, .. } => format!("-> {}", body.escape_ascii()),
            other => format!("-> {other:?}"),
        });
        self.feed.handle_input(input, self.now);
    }

    fn drain(&mut self) -> Result<(), String> {
        while let Some(output) = self.feed.poll_output() {
            if !matches!(output, Output::Status) {
                self.note(|| format!("<- {output:?}"));
            }
            match output {
                Output::Open { link, transport, request } => {
                    self.hold(link, transport)?;
                    let latency = self.latency();
                    self.at(self.now.plus(latency), Action::Accept(link, transport, request.url.into()));
                }
                Output::Ask { link, transport, request, .. } => {
                    if !self.held.contains_key(&link) {
                        self.hold(link, transport)?;
                    }
                    self.asks.push(self.now);
                    let latency = self.latency();
                    self.at(self.now.plus(latency), Action::Asked(link, transport, request.url.into()));
                }
                Output::Send { link, message } if !message.is_secret => {
                    self.up(link, Action::Text(link, message.as_text().unwrap_or_default().to_owned()));
                }
                Output::Ping { link } => {
                    if !self.unanswered_pings.insert(link) {
                        return Err("a second ping while one is unanswered".into());
                    }
                    self.up(link, Action::Ping(link));
                }
                Output::Close { link } => {
                    // A link that has just ended may be given up before the feed has heard of it.
                    if self.held.remove(&link).is_none() && !self.ended.contains(&link) {
                        return Err(format!("link {link} closed that isn't held"));
                    }
                    self.links.remove(&link);
                    self.killed.insert(link);
                }
                Output::Fetch { fetch, request, timeout, .. } => {
                    let latency = self.latency();
                    let health = request.url.path() == "/v1/health";
                    self.at(self.now.plus(latency), Action::Fetch(fetch, timeout, health));
                }
                Output::Deliver(delivery) => self.wall.take(&delivery, &self.hub)?,
                Output::Status => self.take_status()?,
                Output::Send { .. }
                | Output::Exchange { .. }
                | Output::Post { .. }
                | Output::StartTls { .. }
                | Output::Credential { .. } => {
                    return Err("H8: a token without need".into());
                }
            }
        }
        Ok(())
    }

    /// The feed has a link more.
    fn hold(&mut self, link: LinkId, transport: Transport) -> Result<(), String> {
        let most = if self.was_live && self.plan.ladder.len() > 1 { 2 } else { 1 };
        if self.held.len() >= most {
            return Err(format!("link {link} opened while {:?} are held", self.held));
        }
        self.held.insert(link, transport);
        self.opens.push(self.now);
        self.opened.insert(transport);
        Ok(())
    }

    fn take_status(&mut self) -> Result<(), String> {
        let status = self.feed.status();
        if status.phase != self.status.phase || status.cause != self.status.cause {
            self.note(|| format!("== {} {:?}", status.phase, status.cause.as_ref().map(|cause| &cause.text)));
        }
        let live = status.phase == Phase::Live;
        self.lost |= !matches!(status.phase, Phase::Live | Phase::CatchingUp);
        if live && !self.was_live {
            let relinked = self.link_at_live.is_some_and(|link| !self.held.contains_key(&link));
            if relinked && self.lost && self.wall.gaps == self.gaps_at_live {
                return Err("live again on another link without a gap".into());
            }
        }
        if live {
            self.live_by.extend(status.transport);
            self.climbed += u64::from(self.was_live && status.transport < self.status.transport);
            self.lost = false;
            self.gaps_at_live = self.wall.gaps;
            self.link_at_live = self.held.keys().next().copied();
            if status.cause.is_some() || status.retry_at.is_some() {
                return Err(format!("live with a cause: {status:?}"));
            }
        } else {
            self.left_live += u64::from(self.was_live);
            if status.cause.is_none() && self.wall.snapshots > 0 && self.lives == 0 {
                return Err(format!("not live and no cause: {status:?}"));
            }
        }
        self.met.status(&self.status, &status);
        self.was_live = live;
        self.status = status;
        Ok(())
    }
}

fn config(plan: &Plan) -> SourceConfig {
    SourceConfig {
        ladder: plan.ladder.clone(),
        reconcile: plan.reconcile,
        ..SourceConfig::plain(
            "sim",
            watchfloor_feed::Kind::Hub,
            "http://hub.example:1".parse().expect("an address"),
            plan.channels.iter().map(|name| name.as_str().into()).collect(),
            LIMIT,
        )
    }
}
