//! One task a source: owns its feed, drives its transports and fetches, and hands what it delivers to the intake.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::{
    runtime::Handle,
    sync::{
        Notify,
        mpsc::{Receiver, Sender, channel},
    },
    time::{sleep, timeout},
};
use watchfloor_feed::{CredentialFault, Input, LinkFault, LinkFaultKind, LinkId, Output};
use watchfloor_model::{Counts, Delivery, Mono, Phase, Position, SourceStatus, Timestamp};

use crate::{
    clock::Clock,
    credentials::Credentials,
    intake::{Gone, Intake},
    secrets,
    sources::Setup,
    transcript::Taped,
    transport::{Command, Doors, Heard, Inputs, Link, Task, inputs},
};

/// Inputs heard in one turn, unless they bring more than is kept.
const INPUTS_TAKEN_MAX: usize = 32;
/// Deliveries kept until they are handed on, besides those of the input that brought the last of them.
const DELIVERIES_KEPT_MAX: usize = 4;
/// Events joined to one batch: enough to make a transaction worth it, few enough that folding one takes milliseconds.
const BATCH_EVENTS_MAX: usize = 1024;
/// A status that says nothing new but proofs and counts is passed on this often at most.
const PROOF_PERIOD: Duration = Duration::from_millis(100);
/// A task sleeps this long at most: the system's timers stand still while the machine is suspended, `Clock` doesn't.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// After a defect in this program, a source is begun again after this.
const DEFECT_DELAY: Duration = Duration::from_secs(5);
/// How long reading a cipher's key may take.
const CIPHER_TIMEOUT: Duration = Duration::from_secs(10);

/// What a source's task is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Begin again with these settings and without positions, in another life.
    Restart(Box<Setup>, u64),
    /// The board has no such source any more.
    Leave,
    /// Wait no longer for the next try.
    TryNow,
    /// Compare what was delivered with what the server holds.
    Reconcile,
}

/// A running source. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Source {
    setup: Setup,
    orders: Sender<Order>,
}

/// How a source begins.
#[derive(Debug, Default)]
pub(crate) struct Begin {
    /// After these: the board holds everything up to there. None: those that the journal holds are void.
    pub(crate) after: Option<BTreeMap<Arc<str>, Position>>,
    /// Where the source's time stood.
    pub(crate) time: Option<Timestamp>,
}

impl Source {
    /// Starts the source's task on `runtime`.
    pub(crate) fn start(
        runtime: &Handle,
        setup: Setup,
        begin: Begin,
        doors: Arc<Doors>,
        intake: Intake,
        clock: Clock,
    ) -> Self {
        let (orders, queued) = channel(1);
        runtime.spawn(supervise(setup.clone(), begin, doors, intake, clock, queued));
        Self { setup, orders }
    }

    /// Whether these settings are those it runs with.
    pub(crate) fn runs_as(&self, setup: &Setup) -> bool {
        self.setup == *setup
    }

    /// Begins again with these settings and without positions, in another life. False if an order before it is still outstanding;
    /// then ask again.
    pub(crate) fn restart(&mut self, setup: Setup, life: u64) -> bool {
        let taken = self.orders.try_send(Order::Restart(Box::new(setup.clone()), life)).is_ok();
        if taken {
            self.setup = setup;
        }
        taken
    }

    /// Ends it for good.
    pub(crate) fn leave(self) {
        // Refused only while another order is outstanding; then it ends all the same, and what is written of it stays until it is too old.
        let _outstanding = self.orders.try_send(Order::Leave);
    }

    /// Makes the next try now if it waits for one.
    pub(crate) fn try_now(&mut self) {
        // Refused only while another order is outstanding, and that one is a new beginning.
        let _outstanding = self.orders.try_send(Order::TryNow);
    }
}

impl Source {
    /// Compares what was delivered with what the server holds, if it is live.
    pub(crate) fn reconcile(&mut self) {
        // Refused only while another order is outstanding: the timer comes in any case.
        let _outstanding = self.orders.try_send(Order::Reconcile);
    }
}

/// Runs the source until it is dropped. A defect in this program costs one source a new beginning, and is seen.
async fn supervise(
    mut setup: Setup,
    mut begin: Begin,
    doors: Arc<Doors>,
    mut intake: Intake,
    clock: Clock,
    mut orders: Receiver<Order>,
) {
    let mut counts = Counts::default();
    loop {
        let own = doors.by(&setup.route);
        let runner = Runner::new(with_cipher(setup.clone()).await, begin, counts, &own, &intake, clock);
        let ended = AssertUnwindSafe(runner.run(&mut orders)).catch_unwind().await;
        begin = Begin::default();
        match ended {
            Ok(End::Restart { setup: new, life, counts: so_far, time }) => {
                setup = *new;
                counts = so_far;
                begin.time = time;
                intake.begin_life(life);
            }
            Ok(End::Stopped) => return,
            Err(_panic) => {
                tracing::error!(
                    source = setup.feed.id,
                    "a defect in this program stopped the source; it is begun again"
                );
                let status = SourceStatus {
                    phase: Phase::Waiting,
                    since: clock.now(),
                    cause: Some("a defect in this program: please report it".into()),
                    retry_at: Some(clock.now().plus(DEFECT_DELAY)),
                    counts,
                    ..SourceStatus::default()
                };
                if intake.status(status).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = sleep(DEFECT_DELAY) => {}
                    order = orders.recv() => match order {
                        Some(Order::Restart(new, life)) => {
                            setup = *new;
                            intake.begin_life(life);
                        }
                        Some(Order::TryNow | Order::Reconcile) => {}
                        Some(Order::Leave) => {
                            // The engine may be ending.
                            let _gone = intake.leave().await;
                            return;
                        }
                        None => return,
                    },
                }
            }
        }
    }
}

/// The settings with the key by which publishers encrypt, or with why it can't be had, which the feed then says.
async fn with_cipher(mut setup: Setup) -> Setup {
    if let Some(place) = &setup.cipher {
        // It may lie on a disk that doesn't answer.
        let read = timeout(CIPHER_TIMEOUT, secrets::read(place)).await;
        let late = |_| Err(CredentialFault::new("the place where it is kept doesn't answer"));
        setup.feed.envelope.cipher = Some(read.unwrap_or_else(late).map_err(|fault| fault.to_string()));
    }
    setup
}

/// Why a run ended.
enum End {
    Restart { setup: Box<Setup>, life: u64, counts: Counts, time: Option<Timestamp> },
    Stopped,
}

/// What a life of a feed ends for.
enum Next {
    Restart(Box<Setup>, u64),
    Leave,
    Stop,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Stopped
    }
}

/// What carries a link. Dropping it lets go of the connection.
enum Way {
    /// A connection that stays.
    Kept(Link),
    /// The request that is being answered.
    Asked { _task: Task },
}

/// One life of a feed.
struct Runner<'a> {
    feed: Taped,
    id: String,
    story: String,
    begin: Begin,
    doors: &'a Arc<Doors>,
    intake: &'a Intake,
    clock: Clock,
    sender: Inputs,
    inputs: Heard,
    links: BTreeMap<LinkId, Way>,
    /// Questions of each link to whoever signs for channels, and what is posted beside its polls.
    signatures: BTreeMap<LinkId, Vec<Task>>,
    /// The newest request of each path besides its links.
    fetches: BTreeMap<usize, Task>,
    credentials: Option<Arc<Credentials>>,
    /// Each path's newest question for a token.
    questions: BTreeMap<usize, Task>,
    /// The token may have changed where it is kept.
    changed: Arc<Notify>,
    _watch: Option<Task>,
    /// Counted by former lives.
    before: Counts,
    /// Not handed on yet, in order.
    deliveries: Vec<Delivery>,
    is_status_new: bool,
    told: Option<SourceStatus>,
    told_at: Mono,
}

impl<'a> Runner<'a> {
    fn new(
        setup: Setup,
        begin: Begin,
        before: Counts,
        doors: &'a Arc<Doors>,
        intake: &'a Intake,
        clock: Clock,
    ) -> Self {
        let seed = rand::random();
        let Setup { feed: config, token, transcripts, story, route: _, cipher: _ } = setup;
        let id = config.id.clone();
        let credentials = token.map(|token| Credentials::new(id.clone(), token, Arc::clone(doors), clock));
        let changed = Arc::new(Notify::new());
        let watch = credentials.as_ref().and_then(|credentials| credentials.watch(Arc::clone(&changed)));
        tracing::debug!(source = id, seed, "source begins");
        let (sender, inputs) = inputs();
        Self {
            feed: Taped::new(&config, seed, transcripts.as_deref()),
            id,
            story,
            begin,
            doors,
            intake,
            clock,
            sender,
            inputs,
            links: BTreeMap::new(),
            signatures: BTreeMap::new(),
            fetches: BTreeMap::new(),
            credentials,
            questions: BTreeMap::new(),
            changed,
            _watch: watch,
            before,
            deliveries: Vec::new(),
            is_status_new: false,
            told: None,
            told_at: Mono::ZERO,
        }
    }

    async fn run(mut self, orders: &mut Receiver<Order>) -> End {
        match self.live(orders).await {
            Ok(next) => {
                self.feed.stop(self.clock.now());
                self.take_outputs();
                if let Err(gone) = self.hand_on().await {
                    return gone.into();
                }
                let time = self.feed.status().clock.map(|clock| clock.at(self.clock.now()));
                match next {
                    Next::Restart(setup, life) => End::Restart { setup, life, counts: self.counts(), time },
                    Next::Leave => self.intake.leave().await.map_or_else(Into::into, |()| End::Stopped),
                    Next::Stop => End::Stopped,
                }
            }
            Err(gone) => gone.into(),
        }
    }

    /// Until it is to begin again with other settings, or nobody can order that any more.
    async fn live(&mut self, orders: &mut Receiver<Order>) -> Result<Next, Gone> {
        let Begin { after, time } = std::mem::take(&mut self.begin);
        match after {
            Some(positions) => self.feed.restore(&positions),
            None => self.intake.forget(&self.story).await?,
        }
        // A clock that was set back since must not turn the story around.
        if let Some(time) = time {
            self.feed.set_wall(time, self.clock.now());
        }
        self.feed.set_wall(self.clock.wall(), self.clock.now());
        self.feed.start(self.clock.now());
        self.take_outputs();
        self.hand_on().await?;
        loop {
            let wake = self.next_wake();
            let mut next = tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Restart(setup, life)) => return Ok(Next::Restart(setup, life)),
                    Some(Order::Leave) => return Ok(Next::Leave),
                    Some(Order::TryNow) => {
                        self.feed.try_now(self.clock.now());
                        self.take_outputs();
                        None
                    }
                    Some(Order::Reconcile) => {
                        self.feed.reconcile(self.clock.now());
                        self.take_outputs();
                        None
                    }
                    None => return Ok(Next::Stop),
                },
                () = self.changed.notified() => {
                    self.feed.renew(self.clock.now());
                    self.take_outputs();
                    None
                }
                input = self.inputs.recv() => input,
                () = sleep(wake) => None,
            };
            self.feed.set_wall(self.clock.wall(), self.clock.now());
            // What has come is heard before the feed may conclude that nothing did: after a stall of this task the proof
            // of life may lie in the queue.
            for _ in 0..INPUTS_TAKEN_MAX {
                let Some(input) = next.take().or_else(|| self.inputs.try_recv()) else { break };
                if let Input::Closed { link, .. } | Input::Failed { link, .. } = &input {
                    self.links.remove(link);
                    self.signatures.remove(link);
                }
                self.feed.handle_input(input, self.clock.now());
                self.take_outputs();
                if self.deliveries.len() > DELIVERIES_KEPT_MAX {
                    self.hand_on().await?;
                }
            }
            let now = self.clock.now();
            if let Some((due, reason)) = self.feed.poll_timeout()
                && due <= now
            {
                tracing::trace!(source = self.id, ?reason, "timer");
                self.feed.handle_timeout(now);
                self.take_outputs();
            }
            self.hand_on().await?;
        }
    }

    fn next_wake(&self) -> Duration {
        let now = self.clock.now();
        let timer = self.feed.poll_timeout().map_or(SLEEP_MAX, |(due, _)| due.since(now));
        let status = if self.is_status_new { self.told_at.plus(PROOF_PERIOD).since(now) } else { SLEEP_MAX };
        timer.min(status).min(SLEEP_MAX)
    }

    /// Does what the feed says. Deliveries and status are kept for [`Self::hand_on`].
    fn take_outputs(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                Output::Open { link, transport, request } => {
                    tracing::debug!(source = self.id, link_id = %link, transport = transport.word(), "opening");
                    let opened = self.doors.open(link, transport, request, self.sender.clone());
                    self.links.insert(link, Way::Kept(opened));
                }
                Output::Ask { link, transport, request, body_bytes_max, timeout } => {
                    if !self.links.contains_key(&link) {
                        tracing::debug!(source = self.id, link_id = %link, transport = transport.word(), "asking");
                    }
                    let task = self.doors.ask(link, request, body_bytes_max, timeout, self.sender.clone());
                    self.links.insert(link, Way::Asked { _task: task });
                }
                Output::Send { link, message } => self.tell(link, Command::Send(message)),
                Output::StartTls { link } => self.tell(link, Command::StartTls),
                Output::Exchange { link, number, url, form, token, timeout } => {
                    let asked = (link, number);
                    let task = self.doors.exchange(asked, url, form, token, timeout, self.sender.clone());
                    let asked = self.signatures.entry(link).or_default();
                    asked.retain(Task::is_running);
                    asked.push(task);
                }
                Output::Post { link, number, request, body_bytes_max, timeout } => {
                    let asked = (link, number);
                    let task = self.doors.ask_beside(asked, request, body_bytes_max, timeout, self.sender.clone());
                    let asked = self.signatures.entry(link).or_default();
                    asked.retain(Task::is_running);
                    asked.push(task);
                }
                Output::Credential { fetch, timeout } => {
                    let Some(credentials) = &self.credentials else { continue };
                    let question = credentials.ask(fetch, timeout, self.sender.clone());
                    self.questions.insert(fetch.path(), question);
                }
                Output::Ping { link } => self.tell(link, Command::Ping),
                Output::Close { link } => {
                    self.signatures.remove(&link);
                    if self.links.remove(&link).is_some() {
                        tracing::debug!(source = self.id, link_id = %link, "let go");
                    }
                }
                Output::Fetch { fetch, request, body_bytes_max, timeout } => {
                    let task = self.doors.fetch(fetch, request, body_bytes_max, timeout, self.sender.clone());
                    self.fetches.insert(fetch.path(), task);
                }
                Output::Deliver(delivery) => self.keep(delivery),
                Output::Status => self.is_status_new = true,
            }
        }
    }

    fn tell(&mut self, link: LinkId, command: Command) {
        let Some(Way::Kept(way)) = self.links.get(&link) else { return };
        if !way.tell(command) {
            self.links.remove(&link);
            let fault = LinkFault::new(LinkFaultKind::Other, "the server takes no messages");
            self.feed.handle_input(Input::Failed { link, fault }, self.clock.now());
        }
    }

    /// Joins events to one batch as far as they come together.
    fn keep(&mut self, delivery: Delivery) {
        if let (Some(Delivery::Events(last)), Delivery::Events(new)) = (self.deliveries.last_mut(), &delivery)
            && last.len() + new.len() <= BATCH_EVENTS_MAX
        {
            let Delivery::Events(new) = delivery else { return };
            last.extend(new);
            return;
        }
        self.deliveries.push(delivery);
    }

    /// Hands deliveries and then the status to the intake. Waits while the pipeline is full.
    async fn hand_on(&mut self) -> Result<(), Gone> {
        for delivery in self.deliveries.drain(..) {
            self.intake.deliver(delivery).await?;
        }
        if !self.is_status_new {
            return Ok(());
        }
        let now = self.clock.now();
        let mut status = self.feed.status();
        status.counts = sum(self.before, status.counts);
        let is_news = self.told.as_ref().is_none_or(|told| is_news(told, &status));
        if is_news || now >= self.told_at.plus(PROOF_PERIOD) {
            if self.told.as_ref().is_none_or(|told| told.phase != status.phase) {
                self.log_phase(&status);
            }
            self.log_paths(&status);
            self.log_renewal(&status);
            self.is_status_new = false;
            self.told_at = now;
            self.told = Some(status.clone());
            self.intake.status(status).await?;
        }
        Ok(())
    }

    fn log_phase(&self, status: &SourceStatus) {
        let reason = status.cause.as_ref().map(|cause| cause.text.as_str());
        match status.phase {
            Phase::Live => tracing::info!(source = self.id, phase = status.phase.word(), "source is live"),
            Phase::Waiting | Phase::Refused => {
                tracing::warn!(
                    source = self.id,
                    phase = status.phase.word(),
                    reason,
                    attempt = status.attempt,
                    "source is not live"
                );
            }
            Phase::Idle | Phase::Connecting | Phase::Authorising | Phase::Subscribing | Phase::CatchingUp => {
                tracing::debug!(source = self.id, phase = status.phase.word(), reason, "source");
            }
        }
    }

    /// Logs each path of several that was lost or is back.
    fn log_paths(&self, status: &SourceStatus) {
        let told = self.told.as_ref().map_or(&[][..], |told| &told.paths);
        for path in &status.paths {
            let was_live = told.iter().any(|told| told.place == path.place && told.phase == Phase::Live);
            match (was_live, path.phase == Phase::Live) {
                (true, false) => {
                    let reason = path.cause.as_ref().map(|cause| cause.text.as_str());
                    tracing::warn!(source = self.id, path = path.place, reason, "a path of the source is lost");
                }
                (false, true) => tracing::info!(source = self.id, path = path.place, "a path of the source is live"),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Logs each new reason for which the token can't be renewed.
    fn log_renewal(&self, status: &SourceStatus) {
        let told = self.told.as_ref().and_then(|told| told.renewal.as_ref());
        if let Some(reason) = status.renewal.as_ref().filter(|reason| told != Some(*reason)) {
            tracing::warn!(source = self.id, reason, "no newer token; the one in use is still good");
        }
    }

    fn counts(&self) -> Counts {
        sum(self.before, self.feed.status().counts)
    }
}

/// Whether people should see the difference at once: all but proofs, counts, positions and rejections, which may come with
/// every event.
fn is_news(told: &SourceStatus, new: &SourceStatus) -> bool {
    let kind = |status: &SourceStatus| status.clock.as_ref().map(|clock| (clock.speed, clock.label.clone()));
    told.phase != new.phase
        || told.transport != new.transport
        || told.every != new.every
        || told.detour != new.detour
        || told.continuity != new.continuity
        || told.cause != new.cause
        || told.retry_at != new.retry_at
        || told.paths != new.paths
        || told.renewal != new.renewal
        || kind(told) != kind(new)
}

fn sum(a: Counts, b: Counts) -> Counts {
    Counts {
        events: a.events + b.events,
        duplicates: a.duplicates + b.duplicates,
        gaps_proven: a.gaps_proven + b.gaps_proven,
        gaps_snapshot: a.gaps_snapshot + b.gaps_snapshot,
        gaps_unknown: a.gaps_unknown + b.gaps_unknown,
        rejected: a.rejected + b.rejected,
        reconnects: a.reconnects + b.reconnects,
        checks: a.checks + b.checks,
        checks_failed: a.checks_failed + b.checks_failed,
    }
}
