//! The stages of one source's connection, and what each input and timer does to them.
//!
//! ```text
//! Idle ── start ─→ Connecting ─ opened ─→ Subscribing ─ all subscribed ─→ CatchingUp ─ caught up ─→ Live
//!                    ↑    │ failed, timeout    │ failed, timeout              │ ↑ ↑  hole, lost │ │
//!                    │    ↓                    ↓                              ↓ │ └──────────────┘ │
//!                    └─ Waiting ←──────────────┴──────── link lost ───────────┴─┼──────────────────┘
//!                       Refused: the same, slowly, and shown until the server  └─ behind: the link is too slow
//!                       accepts a subscription
//! ```
//!
//! Before Connecting comes Authorising, where a token must be asked for (`access`).
//!
//! There is one link, and at most one trial beside it: a link by a better way, or by a newer token, that takes over once it
//! has caught up.

mod access;
mod link;
mod load;
mod poll;
mod reconcile;
mod replace;
mod stream;
#[cfg(test)]
mod tests;
mod trial;
mod unreadable;
mod upgrade;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use watchfloor_model::{
    Cause, Continuity, Delivery, Event, Gap, Mono, Phase, Position, SourceClock, SourceStatus, Timestamp,
};

use crate::{
    backoff::Backoff,
    catchup::Catchup,
    clock::{Estimate, OwnClock},
    config::{Kind, SourceConfig},
    fault::{Verdict, words},
    ladder::Ladder,
    limits::{
        DELIVERY_EVENTS_MAX, HELD_BYTES_MAX, HELD_EVENT_OVERHEAD_BYTES, HELD_EVENTS_MAX, REORDER_MAX, STALL_FORGIVEN,
    },
    port::{FetchId, Input, LinkId, Output, first_of_path},
    protocols::{Dialect, Moment, Signal, dialect},
    random::Random,
    timers::{TimerReason, Timers, Turns},
};

use self::{access::Access, link::Link, reconcile::Checks, trial::Trial, upgrade::Upgrade};

/// One source's connection. The crate's front page says how to drive it.
#[derive(Debug)]
pub struct Feed {
    config: SourceConfig,
    channels: Arc<[Arc<str>]>,
    dialect: Box<dyn Dialect>,
    random: Random,
    timers: Timers,
    backoff: Backoff,
    fetch_backoff: Backoff,
    catchup: Catchup,
    clock: Estimate,
    /// Where the link stands, whatever of it is shown.
    stage: Phase,
    link: Option<Link>,
    ladder: Ladder,
    trial: Option<Trial>,
    upgrade: Option<Upgrade>,
    access: Access,
    /// The question whether the server is there.
    health: Option<FetchId>,
    fetch: Option<FetchId>,
    checks: Checks,
    /// Snapshots in a row that could not be used.
    unusable: u32,
    /// Snapshots in a row that the stream didn't join.
    rejoins: u32,
    /// From when on what can't be read may be asked for again as often as ever.
    asks_again: Mono,
    /// From when on a whole state may be asked for again as often as ever because something was lost.
    restates: Mono,
    links: u64,
    /// Whether a link has stood before.
    stood: bool,
    fetches: u64,
    /// What was lost and not yet accounted for by gaps.
    loss: Option<Loss>,
    /// When the feed was started: nothing was heard before.
    started: Mono,
    /// For what tells no time of its own.
    own_clock: OwnClock,
    /// What it showed when the site's state was last asked for.
    site_asked: Timestamp,
    seed: u64,
    /// Why the server refuses, until it accepts.
    refusal: Option<String>,
    /// When each channel's publisher last proved that it lives.
    publishers: Vec<Option<Mono>>,
    /// Which channels had one in an earlier life.
    published: Vec<bool>,
    status: SourceStatus,
    changed: bool,
    outputs: VecDeque<Output>,
    signals: Vec<Signal>,
    batch: Vec<Event>,
    /// What came without a place behind what is held, and its bytes. It is told behind that, or when that is given up.
    loose: Vec<Event>,
    loose_bytes: usize,
    turns: Turns,
}

/// The first loss since everything was last caught up.
#[derive(Clone, Debug)]
struct Loss {
    began: Mono,
    reason: String,
    /// Whether all channels were lost by it, as with a link, and not one alone.
    is_whole: bool,
}

impl Feed {
    /// A feed that does nothing yet. `seed` decides its jitter.
    #[must_use]
    pub fn new(mut config: SourceConfig, seed: u64) -> Self {
        let mut seen = std::collections::BTreeSet::new();
        config.channels.retain(|channel| seen.insert(channel.clone()));
        let channels: Arc<[Arc<str>]> = config.channels.as_slice().into();
        let ladder = Ladder::new(&config.ladder);
        let status = SourceStatus { transport: Some(ladder.transport()), ..SourceStatus::default() };
        Self {
            ladder,
            dialect: dialect(&config),
            random: Random::new(seed),
            timers: Timers::default(),
            backoff: Backoff::default(),
            fetch_backoff: Backoff::default(),
            catchup: Catchup::new(&channels, config.reorder.min(REORDER_MAX)),
            clock: Estimate::default(),
            stage: Phase::Idle,
            link: None,
            trial: None,
            upgrade: None,
            access: Access::default(),
            health: None,
            fetch: None,
            checks: Checks::default(),
            unusable: 0,
            rejoins: 0,
            asks_again: Mono::ZERO,
            restates: Mono::ZERO,
            links: 0,
            stood: false,
            fetches: 0,
            loss: None,
            started: Mono::ZERO,
            site_asked: Timestamp::from_millis(0),
            own_clock: OwnClock::default(),
            seed,
            refusal: None,
            publishers: vec![None; channels.len()],
            published: vec![false; channels.len()],
            status,
            changed: false,
            outputs: VecDeque::new(),
            signals: Vec::new(),
            batch: Vec::new(),
            loose: Vec::new(),
            loose_bytes: 0,
            turns: Turns::default(),
            channels,
            config,
        }
    }

    /// A feed beside others of the same source, whose links and fetches have other numbers than theirs.
    pub(crate) fn numbered(config: SourceConfig, seed: u64, path: u64) -> Self {
        let first = first_of_path(path);
        Self { links: first, fetches: first, ..Self::new(config, seed) }
    }

    /// Takes the places up to which an earlier life delivered, before [`Feed::start`]. Channels that aren't configured
    /// are ignored.
    pub fn restore(&mut self, positions: BTreeMap<Arc<str>, Position>) {
        if self.stage != Phase::Idle {
            return;
        }
        self.catchup.restore(&positions);
        self.checks.restored = self.catchup.has_delivered();
        let published = |channel: &Arc<str>| positions.get(channel).is_some_and(|place| place.offset > 0);
        self.published = self.channels.iter().map(published).collect();
        self.changed = true;
    }

    /// What the wall clock shows now. It may be set at any time; to be told before inputs, for what comes without a time.
    pub fn set_wall(&mut self, wall: Timestamp, now: Mono) {
        self.own_clock.set(wall, now);
    }

    /// Begins to connect. Does nothing if it has begun already.
    pub fn start(&mut self, now: Mono) {
        if self.stage != Phase::Idle {
            return;
        }
        self.started = now;
        self.start_access(now);
        match self.dialect.check(&self.config) {
            Ok(()) => {
                self.checks.has_snapshots = self.config.site.is_some() || self.dialect.snapshot(&self.config).is_some();
                self.open(now);
            }
            Err(fault) => self.lose(&fault, false, now),
        }
        self.settle(now);
    }

    /// Closes. Inputs that still come are ignored; [`Feed::start`] begins again from what was delivered.
    pub fn stop(&mut self, now: Mono) {
        if let Some(link) = self.link.take() {
            self.outputs.push_back(Output::Close { link: link.id });
            self.note_loss(&link, "stopped", now);
        }
        self.drop_trial();
        self.stop_access();
        self.catchup.end_link();
        self.timers.clear_all();
        self.fetch = None;
        self.health = None;
        self.refusal = None;
        self.stage = Phase::Idle;
        self.status.cause = None;
        self.status.retry_at = None;
        self.settle(now);
    }

    /// Takes something that happened outside.
    pub fn handle_input(&mut self, input: Input, now: Mono) {
        if self.has_slept(now) {
            self.handle_timers(now);
        }
        match input {
            Input::Fetched { fetch, outcome } if self.health == Some(fetch) => self.handle_health(outcome, now),
            input if input.link().is_some_and(|link| self.is_trial(link)) => self.handle_trial(input, now),
            input if input.link().is_some_and(|link| self.is_upgrade(link)) => self.handle_upgrade(input, now),
            Input::Opened { link } => self.handle_opened(link, now),
            Input::Binary { link, bytes } => {
                self.handle_bytes(link, now, |link, at, out| link.session.decode_binary(&bytes, at, out));
            }
            Input::Exchanged { link, number, outcome } => self.handle_exchanged(link, number, outcome, now),
            Input::Text { link, text } => {
                self.handle_bytes(link, now, |link, at, out| link.session.decode_text(&text, at, out));
            }
            Input::Chunk { link, bytes } => {
                self.handle_bytes(link, now, |link, at, out| link.session.decode_chunk(&bytes, at, out));
            }
            Input::Head { link, head } => {
                self.handle_bytes(link, now, |link, at, out| link.session.decode_head(&head, at, out));
            }
            Input::Answered { link, head, body } => self.handle_answered(link, &head, &body, now),
            Input::Pong { link } => self.handle_pong(link, now),
            Input::Closed { link, code, reason } => self.handle_closed(link, code, reason, now),
            Input::Failed { link, fault } => self.handle_failed(link, fault, now),
            Input::Fetched { fetch, outcome } if self.is_check(fetch) => self.handle_check_fetched(outcome, now),
            Input::Fetched { fetch, outcome } => self.handle_fetched(fetch, outcome, now),
            Input::Credential { fetch, outcome } => self.handle_credential(fetch, outcome, now),
        }
        self.settle(now);
    }

    /// Does what is due. Harmless if nothing is.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.handle_timers(now);
        self.settle(now);
        if cfg!(debug_assertions) {
            self.turns.end(self.poll_timeout(), now);
        }
    }

    /// The next thing to do; `None` when there is nothing more until the next input or timeout.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() && std::mem::take(&mut self.changed) {
            return Some(Output::Status);
        }
        output
    }

    /// When [`Feed::handle_timeout`] is wanted next, and what for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Mono, TimerReason)> {
        let trial = self.trial.as_ref().and_then(|trial| trial.timers.next());
        self.timers.next().into_iter().chain(trial).chain(self.access.timers.next()).min()
    }

    /// All that is known of the source now.
    ///
    /// `publisher_proof` is the oldest over those channels that ever had a publisher: each channel may have its own,
    /// and the source is no livelier than the deadest of them. Where one hasn't been heard of in this life, there is none.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        let mut status = self.status.clone();
        status.every = self.every();
        status.live_until = (self.stage == Phase::Live).then(|| self.doubt_at()).flatten();
        status.clock = self.source_clock().cloned();
        status.publisher_proof = self.publisher_proof();
        status.positions = self.delivered();
        status.renewal = self.renewal();
        status
    }

    fn publisher_proof(&self) -> Option<Mono> {
        // A hub says of a channel whether it ever had a publisher. Of others it isn't known, and silence may be a death.
        let is_due = |published: bool| published || self.config.kind != Kind::Hub;
        let mut all = self.publishers.iter().zip(&self.published);
        let is_unheard = all.any(|(proof, published)| proof.is_none() && is_due(*published));
        self.publishers.iter().copied().flatten().min().filter(|_| !is_unheard)
    }

    /// Where it stands, as it is shown.
    pub(crate) const fn phase(&self) -> Phase {
        self.status.phase
    }

    /// Why it isn't live.
    pub(crate) fn cause(&self) -> Option<String> {
        self.status.cause.as_ref().map(|cause| cause.text.clone())
    }

    /// Up to where each channel was delivered.
    pub(crate) fn delivered(&self) -> BTreeMap<Arc<str>, Position> {
        self.catchup.delivered().map(|(name, place)| (name.clone(), place.clone())).collect()
    }

    /// While it waits for its next try: goes on from these places, to which others have brought the story. Says whether it did.
    pub(crate) fn resume_from(&mut self, positions: &BTreeMap<Arc<str>, Position>) -> bool {
        let waits = matches!(self.stage, Phase::Waiting | Phase::Authorising) && self.link.is_none();
        if waits {
            self.catchup.restore(positions);
        }
        waits
    }

    /// Now, by both clocks of this machine.
    fn moment(&self, now: Mono) -> Moment {
        Moment { mono: now, wall: self.own_clock.at(now) }
    }

    /// The source's time: as it tells it, or by this machine's own clock where it tells none. A hub's isn't guessed: it may be a replay's.
    fn source_clock(&self) -> Option<&SourceClock> {
        let own = || self.own_clock.clock().filter(|_| self.config.kind != Kind::Hub);
        self.clock.clock().or_else(own)
    }

    /// Whether so much time has passed unseen that the machine must have slept: then the link is dead, whatever was read
    /// from it before. A shorter stall of this program is forgiven: what waited meanwhile is heard, though it isn't
    /// called live before a fresh answer came.
    fn has_slept(&self, now: Mono) -> bool {
        let liveness = self.link.as_ref().and_then(|link| link.liveness.as_ref());
        liveness.is_some_and(|liveness| liveness.silence_at().plus(STALL_FORGIVEN) <= now)
    }

    fn handle_timers(&mut self, now: Mono) {
        self.handle_access_timers(now);
        for reason in TimerReason::ALL {
            if !self.timers.take_due(reason, now) {
                continue;
            }
            match reason {
                TimerReason::Silence => self.handle_silence(now),
                TimerReason::Stall => self.handle_stall(now),
                TimerReason::Open => self.handle_open_timeout(now),
                TimerReason::Subscribe => self.handle_subscribe_timeout(now),
                TimerReason::Fetch => self.handle_fetch_timeout(now),
                // What is shown is computed after every input and timeout.
                TimerReason::Doubt => self.changed = true,
                TimerReason::Reorder => self.handle_early(now),
                TimerReason::Refetch => self.fetch_snapshot(now),
                TimerReason::Retry => self.open(now),
                TimerReason::Probe => self.probe(now),
                TimerReason::Clock => self.ask_clock(now),
                TimerReason::Ask => self.ask(false, now),
                TimerReason::Trial => self.begin_trial(now),
                TimerReason::Check => self.handle_check_due(now),
                // In tables of their own.
                TimerReason::Expire | TimerReason::Token | TimerReason::Authorise | TimerReason::Renew => {}
            }
        }
        self.handle_trial_timers(now);
    }

    /// Ends every turn: hands the batch over, enters *live* if that is proven, and computes what is shown and when to
    /// look again.
    fn settle(&mut self, now: Mono) {
        if !self.catchup.is_holding() {
            self.tell_loose();
        }
        self.flush();
        if self.stage == Phase::CatchingUp && self.fetch.is_none() && self.catchup.is_caught_up() {
            self.enter_live(now);
        }
        self.settle_check(now);
        self.settle_access(now);
        self.settle_trial(now);
        self.settle_upgrade(now);
        self.flush();
        let doubt = self.doubt(now);
        let (phase, cause) = match (self.stage, &self.refusal, doubt) {
            (Phase::Live, _, Some(doubt)) => (Phase::CatchingUp, Some(Cause::from(doubt))),
            (Phase::Live, ..) => (Phase::Live, None),
            (Phase::Connecting | Phase::Authorising | Phase::Subscribing | Phase::Waiting, Some(_), _) => {
                (Phase::Refused, self.status.cause.take())
            }
            (stage, ..) => (stage, self.status.cause.take()),
        };
        self.status.cause = cause;
        self.set_phase(phase, now);
        self.set_liveness_timers(now);
        self.timers.put(TimerReason::Reorder, self.catchup.early_until());
        self.set_check_timer();
    }

    /// Why a link that stands can't be called live now, if so.
    fn doubt(&self, now: Mono) -> Option<String> {
        let link = self.link.as_ref()?;
        let liveness = link.liveness.as_ref()?;
        let doubt = liveness.doubt(now).map(|doubt| match &link.unread {
            Some(reason) => format!("what comes can't be read: {reason}"),
            None => doubt,
        });
        doubt.or_else(|| {
            let age = now.since(self.catchup.outstanding_since()?);
            let shown = Duration::from_secs(age.as_secs().max(1));
            (age >= liveness.limit())
                .then(|| format!("the server is slow to send what it has: what comes now may be {} old", words(shown)))
        })
    }

    fn set_phase(&mut self, phase: Phase, now: Mono) {
        if self.status.phase != phase {
            self.status.phase = phase;
            self.status.since = now;
            self.changed = true;
        }
    }

    fn set_cause(&mut self, cause: impl Into<Option<String>>) {
        self.status.cause = cause.into().map(Cause::from);
        self.changed = true;
    }

    fn enter_live(&mut self, now: Mono) {
        self.stage = Phase::Live;
        self.status.attempt = 0;
        self.status.retry_at = None;
        self.unusable = 0;
        self.rejoins = 0;
        self.loss = None;
        if let Some(link) = &mut self.link {
            link.live_since.get_or_insert(now);
        }
        self.hasten_renewal(now);
        self.plan_trial(now);
        self.resume_checks(now);
        self.changed = true;
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let kept = self.batch.len();
            let events = std::mem::replace(&mut self.batch, Vec::with_capacity(kept.min(8)));
            self.outputs.push_back(Output::Deliver(Delivery::Events(events)));
        }
    }

    fn deliver(&mut self, mut delivery: Delivery) {
        self.flush();
        if let Delivery::Gap(gap) = &mut delivery {
            gap.source_times = self.source_clock().map(|clock| (clock.was_at(gap.began), clock.was_at(gap.ended)));
        }
        if !matches!(delivery, Delivery::Check(_) | Delivery::Recheck(_)) {
            self.checks.interrupt();
        }
        self.outputs.push_back(Output::Deliver(delivery));
        self.changed = true;
    }

    /// Hands gaps over, counts them, and says what they make of the source's continuity.
    fn deliver_gaps(&mut self, gaps: Vec<Gap>) {
        for gap in gaps {
            match gap.proof {
                Continuity::Proven => self.status.counts.gaps_proven += 1,
                Continuity::Snapshot => self.status.counts.gaps_snapshot += 1,
                Continuity::Unknown => self.status.counts.gaps_unknown += 1,
            }
            self.deliver(Delivery::Gap(gap));
        }
    }

    /// Takes what has no place. What is held was said before it: told first, it would be undone by that (H1).
    fn take_loose(&mut self, event: Event) {
        self.status.counts.events += 1;
        if !self.catchup.is_holding() && self.loose.is_empty() {
            return self.push(event);
        }
        self.loose_bytes += event.data.text().len() + HELD_EVENT_OVERHEAD_BYTES;
        self.loose.push(event);
        if self.loose.len() > HELD_EVENTS_MAX || self.loose_bytes > HELD_BYTES_MAX {
            // There is no more room: rather out of turn than never.
            self.tell_loose();
        }
    }

    fn tell_loose(&mut self) {
        self.loose_bytes = 0;
        for event in std::mem::take(&mut self.loose) {
            self.push(event);
        }
    }

    fn deliver_events(&mut self, events: Vec<Event>) {
        self.status.counts.events += events.len() as u64;
        for event in events {
            self.push(event);
        }
        self.changed = true;
    }

    fn push(&mut self, mut event: Event) {
        event.time = self.no_later(event.time, event.received);
        self.checks.keep(&event);
        self.batch.push(event);
        if self.batch.len() >= DELIVERY_EVENTS_MAX {
            self.flush();
        }
    }

    /// The time, or now: a publisher whose clock is ahead must not be the newest for as long as it is (H1). A hub sees to that itself.
    fn no_later(&self, time: Timestamp, received: Mono) -> Timestamp {
        let knows = self.config.kind != Kind::Hub && self.own_clock.clock().is_some();
        if knows { time.min(self.own_clock.at(received)) } else { time }
    }

    /// Sets the timer of the next try.
    fn wait(&mut self, verdict: Verdict, now: Mono) {
        let at = self.backoff.next(verdict, &mut self.random).map(|wait| now.plus(wait));
        self.timers.put(TimerReason::Retry, at);
        self.status.retry_at = at;
    }

    fn next_link(&mut self) -> LinkId {
        self.links += 1;
        LinkId(self.links)
    }
}
