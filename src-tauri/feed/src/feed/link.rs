//! Opening, probing, losing and resynchronising the link.

use std::time::Duration;

use url::Url;
use watchfloor_model::{Mono, Phase, Transport};

use super::{Feed, Loss, access::Pass};
use crate::{
    catchup::{GapContext, Hole},
    config::{Kind, SourceConfig},
    fault::{Fault, FaultKind, LinkFault, Verdict},
    limits::{
        ANSWER_BYTES_MAX, ANSWER_GRACE, CLOCK_PING_PERIOD, FETCH_TIMEOUT, OPEN_TIMEOUT, OPEN_TIMEOUT_OF_SEVERAL,
        POST_BYTES_MAX, RESYNCS_MAX, SETTLED_AFTER, SUBSCRIBE_TIMEOUT, SUBSCRIBING_MAX,
    },
    liveness::Liveness,
    port::{LinkId, Message, Output, Request},
    protocols::{Dialect, Grant, Place, Session, Signal},
    timers::TimerReason,
};

/// How long before a connection's end an error may have been said that is the reason of it.
const SAID_AT_THE_END: Duration = Duration::from_secs(2);

/// The one link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) transport: Transport,
    pub(super) session: Box<dyn Session>,
    /// News of the publisher must not be older: half of what it promises.
    pub(super) patience: Duration,
    /// When it was begun.
    pub(super) began: Mono,
    /// When it, or what is being waited for now, was asked for.
    pub(super) asked: Mono,
    /// How long the server may take its time for that.
    pub(super) wait: Duration,
    /// The newest measured time of an exchange, without the time that the server took.
    pub(super) round_trip: Duration,
    /// Once it stands.
    pub(super) liveness: Option<Liveness>,
    /// When it was first live.
    pub(super) live_since: Option<Mono>,
    /// When the last thing was heard on it.
    pub(super) heard: Option<Mono>,
    /// The last error that the server named: often the reason of the close that follows.
    pub(super) error: Option<FaultKind>,
    /// When it did.
    pub(super) erred: Mono,
    /// Why what came since the stream last spoke could not be read.
    pub(super) unread: Option<String>,
    /// By which token it came.
    pub(super) pass: Pass,
    /// A poll is out.
    pub(super) is_asking: bool,
    /// When the server is to be prompted for its answer.
    pub(super) prompt_at: Option<Mono>,
    resyncs: u32,
    /// When its subscriptions were asked for.
    subscribing: Mono,
}

impl Link {
    /// Takes the link as standing. Says since when that proves it.
    pub(super) fn stand(&mut self, limit: Duration, now: Mono) -> Mono {
        let mut liveness = Liveness::new(limit, self.transport, self.asked, now);
        if self.session.answers() {
            liveness.set_probed();
        }
        let proof = liveness.hear(now);
        self.liveness = Some(liveness);
        self.heard = Some(now);
        proof
    }

    /// The server took a token that was presented, or told more of it; see [`Pass::authorised`].
    pub(super) fn authorised(&mut self, grant: Grant, known: Option<Mono>, now: Mono) {
        let proven = self.liveness.as_ref().map_or(self.began, Liveness::proven);
        self.pass.authorised(grant, known, proven, now);
    }

    /// By when the server has to answer what is asked of it now, to have its subscriptions begun.
    pub(super) fn begin_subscribing(&mut self, now: Mono) -> Mono {
        self.subscribing = now;
        now.plus(SUBSCRIBE_TIMEOUT)
    }

    /// By when it has to answer what its last answer led to, if that was a question.
    pub(super) fn goes_on_subscribing(&self, signal: &Signal, now: Mono) -> Option<Mono> {
        match signal {
            Signal::Reply { .. } => Some(now.plus(SUBSCRIBE_TIMEOUT).min(self.subscribing.plus(SUBSCRIBING_MAX))),
            // Who is asked beside the link has a time of its own.
            Signal::Post { .. } => Some(now.plus(FETCH_TIMEOUT + SUBSCRIBE_TIMEOUT)),
            _ => None,
        }
    }

    /// What is sent to have it prove itself.
    pub(super) fn probe(&mut self, dialect: &dyn Dialect, config: &SourceConfig) -> Vec<Output> {
        let (ping, signal) = match self.transport {
            Transport::WebSocket => (None, Some(Output::Ping { link: self.id })),
            _ => (self.session.ping(), None),
        };
        let messages: Vec<Message> = ping.into_iter().chain(self.session.prove()).collect();
        let sent = messages.into_iter().map(|message| self.send(dialect, config, message));
        signal.into_iter().chain(sent).collect()
    }

    /// What sends a message: by the link, or beside it.
    pub(super) fn send(&mut self, dialect: &dyn Dialect, config: &SourceConfig, message: Message) -> Output {
        let polls = matches!(self.transport, Transport::LongPoll | Transport::Poll);
        let posted = polls.then(|| dialect.post(config, self.session.cursor(), &message)).flatten();
        if let Some(request) = posted {
            return post(self.id, 0, request, POST_BYTES_MAX);
        }
        match self.session.uplink(message) {
            Ok((number, request)) => post(self.id, number, request, POST_BYTES_MAX),
            Err(message) => Output::Send { link: self.id, message },
        }
    }

    /// When it is to be probed next.
    pub(super) fn probe_at(&self) -> Option<Mono> {
        self.prompt_at.or_else(|| self.liveness.as_ref()?.probe_at())
    }

    /// How long it took from its beginning to be live.
    pub(super) fn took(&self) -> Duration {
        self.live_since.map_or(Duration::ZERO, |live| live.since(self.began))
    }

    /// How long it has been live, if it was.
    fn live_for(&self, now: Mono) -> Option<Duration> {
        self.live_since.map(|since| now.since(since))
    }
}

/// A question beside a link.
pub(super) const fn post(link: LinkId, number: u32, request: Request, body_bytes_max: usize) -> Output {
    Output::Post { link, number, request, body_bytes_max, timeout: FETCH_TIMEOUT }
}

/// The question to whoever signs for channels, if there is somebody.
pub(super) fn exchange(
    config: &SourceConfig,
    link: LinkId,
    number: u32,
    form: Vec<(&'static str, String)>,
) -> Option<Output> {
    Some(exchange_at(config, link, number, config.auth.clone()?, form))
}

/// The same at another address.
pub(super) fn exchange_at(
    config: &SourceConfig,
    link: LinkId,
    number: u32,
    url: Url,
    form: Vec<(&'static str, String)>,
) -> Output {
    let token = config.token.clone();
    Output::Exchange { link, number, url, form, token, timeout: FETCH_TIMEOUT }
}

impl Feed {
    pub(super) fn open(&mut self, now: Mono) {
        if self.lacks_token(now) {
            return self.await_token(now);
        }
        let places = self.catchup.places();
        let link = self.new_link(self.ladder.transport(), &places, now);
        self.status.transport = Some(link.transport);
        self.link = Some(link);
        self.catchup.begin_link();
        self.stage = Phase::Connecting;
        self.status.attempt = self.status.attempt.saturating_add(1);
        self.status.retry_at = None;
        self.changed = true;
        self.timers.set(TimerReason::Open, now.plus(self.open_timeout()));
    }

    /// How long a link may take to stand.
    pub(super) fn open_timeout(&self) -> Duration {
        if self.config.ladder.len() > 1 { OPEN_TIMEOUT_OF_SEVERAL } else { OPEN_TIMEOUT }
    }

    /// A link that is being opened.
    pub(super) fn new_link(&mut self, transport: Transport, places: &[Place], now: Mono) -> Link {
        let id = self.next_link();
        let request = self.dialect.open(&self.config, transport, places);
        self.outputs.push_back(match transport {
            Transport::WebSocket | Transport::Sse | Transport::HttpStream | Transport::Tcp => {
                Output::Open { link: id, transport, request }
            }
            Transport::LongPoll | Transport::Poll => {
                let timeout = OPEN_TIMEOUT + ANSWER_GRACE;
                Output::Ask { link: id, transport, request, body_bytes_max: ANSWER_BYTES_MAX, timeout }
            }
        });
        Link {
            id,
            transport,
            session: self.dialect.session(&self.config, transport, &self.channels, self.seed ^ id.0.rotate_left(32)),
            patience: self.config.quiet.map_or(Duration::MAX, |quiet| quiet / 2),
            began: now,
            asked: now,
            wait: Duration::ZERO,
            round_trip: Duration::ZERO,
            liveness: None,
            live_since: None,
            heard: None,
            error: None,
            erred: Mono::ZERO,
            unread: None,
            pass: self.new_pass(now),
            is_asking: true,
            prompt_at: None,
            resyncs: 0,
            subscribing: now,
        }
    }

    pub(super) fn handle_opened(&mut self, id: LinkId, now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id && link.liveness.is_none()) else { return };
        self.status.link_proof = Some(link.stand(self.config.limit, now));
        let pings = link.transport == Transport::WebSocket;
        self.status.counts.reconnects += u64::from(std::mem::replace(&mut self.stood, true));
        self.timers.clear(TimerReason::Open);
        self.subscribe(false, now);
        if pings {
            self.timers.set(TimerReason::Clock, now);
            self.handle_due_clock(now);
        }
    }

    fn handle_due_clock(&mut self, now: Mono) {
        if self.timers.take_due(TimerReason::Clock, now) {
            self.ask_clock(now);
        }
    }

    /// Asks for all channels on the open link, from what was delivered.
    fn subscribe(&mut self, again: bool, now: Mono) {
        let places = self.catchup.places();
        self.catchup.begin_link();
        self.stage = Phase::Subscribing;
        self.changed = true;
        let Some(link) = &mut self.link else { return };
        self.timers.set(TimerReason::Subscribe, link.begin_subscribing(now));
        let messages = link.session.subscribe(&places, again);
        self.outputs.extend(messages.into_iter().map(|message| link.send(&*self.dialect, &self.config, message)));
    }

    pub(super) fn handle_pong(&mut self, id: LinkId, now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let Some(liveness) = &mut link.liveness else { return };
        liveness.answer(now);
        // After the answer: what it makes of it is proven by it.
        self.handle_bytes(id, now, |link, at, out| link.session.ponged(at, out));
    }

    pub(super) fn handle_closed(&mut self, id: LinkId, code: Option<u16>, reason: String, now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let closed = Fault::server(FaultKind::Closed { code, reason });
        // A close that was announced by an error is explained by it. 1001 and its like are stronger: they plan to be back.
        let own = code.and_then(|code| self.dialect.verdict(code));
        let speaks_for_itself =
            closed.verdict() == Verdict::Soon || own.is_some() || code.is_some_and(|code| self.dialect.is_expiry(code));
        // Where there was no close frame the error says with what code there would have been one.
        let said = match &link.error {
            Some(FaultKind::Server { code: said, .. })
                if matches!(code, None | Some(1006)) && now.since(link.erred) < SAID_AT_THE_END =>
            {
                said.parse().ok().and_then(|code| self.dialect.error_verdict(code))
            }
            _ => None,
        };
        if link.pass.is_deaf() {
            // It took a message for an offence that it doesn't know: that won't be sent again.
            return self.lose_with(&closed, Verdict::Soon, false, now);
        }
        let fault = match link.error.take().filter(|_| !speaks_for_itself) {
            Some(error) => Fault::server(error),
            None => closed,
        };
        let slow = code == Some(1008) && fault.verdict() == Verdict::Backoff;
        let verdict = own.or(said).unwrap_or(if slow { Verdict::Slow } else { fault.verdict() });
        self.lose_with(&fault, verdict, false, now);
    }

    pub(super) fn handle_failed(&mut self, id: LinkId, fault: LinkFault, now: Mono) {
        if self.link.as_ref().is_some_and(|link| link.id == id) {
            let own = self.dialect.verdict_of_fault(&fault);
            let fault = self.link_fault(fault);
            self.lose_with(&fault, own.unwrap_or_else(|| fault.verdict()), false, now);
        }
    }

    /// What is made of a link's failure.
    pub(super) fn link_fault(&self, fault: LinkFault) -> Fault {
        self.dialect.refusal(&fault).unwrap_or_else(|| Fault::link(fault))
    }

    pub(super) fn handle_silence(&mut self, now: Mono) {
        let Some(liveness) = self.link.as_ref().and_then(|link| link.liveness.as_ref()) else { return };
        let after = liveness.silence_max();
        let promised = self.config.promises.heartbeat.filter(|_| self.may_be_held_back());
        let kind = match promised {
            Some(period) => FaultKind::HeldBack { after, period: Some(period) },
            None => FaultKind::Silent { after },
        };
        self.lose(&Fault::network(kind), true, now);
    }

    pub(super) fn handle_stall(&mut self, now: Mono) {
        let Some(link) = &self.link else { return };
        let Some(liveness) = &link.liveness else { return };
        let fault = FaultKind::Stalled { after: liveness.stall_max(), unread: link.unread.clone() };
        self.lose(&Fault::server(fault), true, now);
    }

    pub(super) fn handle_open_timeout(&mut self, now: Mono) {
        let after = self.open_timeout();
        // Whoever can't be reached is told apart from that earlier, by the transport.
        let held = self.may_be_held_back();
        let kind = if held { FaultKind::HeldBack { after, period: None } } else { FaultKind::OpenTimeout { after } };
        self.lose(&Fault::network(kind), true, now);
    }

    /// Whether silence may be a proxy's that buffers: a stream over HTTP in place of which there is no other way, which a
    /// ladder would find out about.
    fn may_be_held_back(&self) -> bool {
        matches!(self.config.kind, Kind::Sse | Kind::Mercure)
    }

    pub(super) fn handle_subscribe_timeout(&mut self, now: Mono) {
        let error = self.link.as_mut().and_then(|link| link.error.take());
        let fault = error.unwrap_or(FaultKind::SubscribeTimeout { after: SUBSCRIBE_TIMEOUT });
        self.lose(&Fault::server(fault), true, now);
    }

    pub(super) fn probe(&mut self, now: Mono) {
        let Some(link) = &mut self.link else { return };
        if link.prompt_at.take().is_some() {
            let (id, mut signals) = (link.id, std::mem::take(&mut self.signals));
            link.session.prompt(&mut signals);
            return self.handle_signals(id, signals, now);
        }
        let Some(liveness) = &mut link.liveness else { return };
        liveness.probe(now);
        self.outputs.extend(link.probe(&*self.dialect, &self.config));
    }

    pub(super) fn ask_clock(&mut self, now: Mono) {
        let Some(link) = &mut self.link else { return };
        let id = self.clock.ask(now);
        if let Some(message) = link.session.ask_clock(id) {
            self.outputs.push_back(link.send(&*self.dialect, &self.config, message));
            self.timers.set(TimerReason::Clock, now.plus(CLOCK_PING_PERIOD));
        }
    }

    /// Gives the link up for `fault` and sets the next try.
    pub(super) fn lose(&mut self, fault: &Fault, close: bool, now: Mono) {
        self.lose_with(fault, fault.verdict(), close, now);
    }

    pub(super) fn lose_with(&mut self, fault: &Fault, verdict: Verdict, close: bool, now: Mono) {
        let pass = self.link.as_ref().map_or_else(|| self.new_pass(now), |link| link.pass);
        let next = self.blame_token(fault, pass, now).unwrap_or(Some(verdict));
        self.give_up(fault, next, close, now);
    }

    /// Gives the link up, if there is one. The next try comes by the verdict, or at once.
    pub(super) fn give_up(&mut self, fault: &Fault, next: Option<Verdict>, close: bool, now: Mono) {
        self.flush();
        let is_final = matches!(next, Some(Verdict::Refused | Verdict::Never));
        let text = fault.to_string();
        let mut ask = false;
        if let Some(link) = self.link.take() {
            if close {
                self.outputs.push_back(Output::Close { link: link.id });
            }
            if !is_final && self.can_take_over(now) {
                // The trial was as good: nothing is lost.
                drop(link);
                return self.take_over(now);
            }
            let live_for = link.live_for(now);
            let settled = live_for.is_some_and(|span| span >= SETTLED_AFTER);
            if settled {
                self.backoff.reset();
            }
            ask = self.ladder.lose(fault, live_for, settled);
            self.note_loss(&link, &text, now);
        }
        self.drop_trial();
        self.catchup.end_link();
        self.clock.forget_ping();
        self.timers.clear_all();
        self.fetch = None;
        self.stage = Phase::Waiting;
        if is_final {
            self.refusal = Some(text.clone());
        }
        let cause = match &self.refusal {
            Some(refusal) if *refusal != text => format!("{refusal}; now: {text}"),
            _ => text,
        };
        self.set_cause(cause);
        match next {
            Some(verdict) => self.wait(verdict, now),
            None => self.open(now),
        }
        if ask {
            self.ask_health();
        }
    }

    /// Remembers the first loss since everything was caught up, if there was something to lose.
    pub(super) fn note_loss(&mut self, link: &Link, reason: &str, now: Mono) {
        let had = matches!(self.stage, Phase::CatchingUp | Phase::Live) && self.catchup.has_delivered();
        match &mut self.loss {
            // What was lost of one channel before has become a loss of all.
            Some(loss) => loss.is_whole |= had,
            None if had => {
                let began = link.heard.unwrap_or(now);
                self.loss = Some(Loss { began, reason: format!("link lost: {reason}"), is_whole: true });
            }
            None => {}
        }
    }

    /// The stream can't be followed: asks for it again, by degrees.
    ///
    /// Once from our place, on the same link if that is possible. If the same place is met again, a snapshot is asked for
    /// to get past it. If that doesn't help either, what is missing is given up as unknown, so that an event that
    /// nobody can read doesn't keep the wall catching up for ever. Returns whether the stream may go on.
    pub(super) fn handle_hole(&mut self, hole: &Hole, now: Mono) -> bool {
        match hole.times {
            0 | 1 => {
                self.resync(hole.text.clone(), now);
                false
            }
            2 => {
                self.flush();
                self.note_desync(&hole.text, now);
                self.catchup.hold_after(hole);
                self.begin_snapshot(&hole.text, now);
                true
            }
            _ => {
                self.pass_over(hole, now);
                true
            }
        }
    }

    /// Subscribes again from what was delivered.
    pub(super) fn resync(&mut self, reason: String, now: Mono) {
        self.flush();
        let Some(link) = &mut self.link else { return };
        link.resyncs += 1;
        if link.resyncs > RESYNCS_MAX || !link.session.can_resubscribe() {
            return self.lose(&Fault::server(FaultKind::Desync(reason)), true, now);
        }
        self.note_desync(&reason, now);
        self.fetch = None;
        self.timers.clear(TimerReason::Fetch);
        self.timers.clear(TimerReason::Refetch);
        self.set_cause(reason);
        self.subscribe(true, now);
    }

    /// Subscribes again because a snapshot was taken that the stream doesn't join. Nothing is wrong with the link; but where
    /// the history doesn't reach back to the snapshot, it is met again and again.
    pub(super) fn rejoin(&mut self, now: Mono) {
        self.rejoins += 1;
        let Some(link) = &self.link else { return };
        if self.rejoins > RESYNCS_MAX {
            let text = "the server's snapshot is older than its history".to_owned();
            return self.lose(&Fault::server(FaultKind::Desync(text)), true, now);
        }
        if link.session.can_resubscribe() { self.subscribe(true, now) } else { self.reopen(now) }
    }

    /// Asks for what comes after what was delivered once more. Nothing is wrong with the link.
    pub(super) fn ask_again(&mut self, reason: String, now: Mono) {
        self.flush();
        let Some(link) = &self.link else { return };
        let can_resubscribe = link.session.can_resubscribe();
        self.note_desync(&reason, now);
        self.fetch = None;
        self.timers.clear(TimerReason::Fetch);
        self.timers.clear(TimerReason::Refetch);
        self.set_cause(reason);
        if can_resubscribe { self.subscribe(true, now) } else { self.reopen(now) }
    }

    /// Leaves the link for another one of the same way, at once.
    pub(super) fn reopen(&mut self, now: Mono) {
        self.outputs.extend(self.link.take().map(|link| Output::Close { link: link.id }));
        self.drop_trial();
        self.catchup.end_link();
        self.timers.clear_all();
        self.open(now);
    }

    pub(super) fn note_desync(&mut self, reason: &str, now: Mono) {
        if self.loss.is_none() && self.catchup.has_delivered() {
            let began = self.last_heard(now);
            self.loss = Some(Loss { began, reason: reason.to_owned(), is_whole: true });
        }
    }

    pub(super) fn last_heard(&self, now: Mono) -> Mono {
        self.link.as_ref().and_then(|link| link.heard).unwrap_or(now)
    }

    pub(super) fn gap_context(&self, now: Mono) -> GapContext {
        match &self.loss {
            Some(loss) => {
                let Loss { began, reason, is_whole } = loss.clone();
                GapContext { loss: Some(reason), is_whole, began, ended: now }
            }
            None => GapContext { loss: None, is_whole: false, began: self.started, ended: now },
        }
    }

    /// When a link that stands can't be called live any more.
    pub(super) fn doubt_at(&self) -> Option<Mono> {
        let link = self.link.as_ref()?;
        let liveness = link.liveness.as_ref()?;
        let outstanding = self.catchup.outstanding_since().map(|since| since.plus(liveness.limit()));
        let ends = link.pass.ends.unwrap_or(Mono::NEVER);
        Some(liveness.doubt_at().min(outstanding.unwrap_or(Mono::NEVER)).min(ends))
    }

    pub(super) fn set_liveness_timers(&mut self, now: Mono) {
        let Some(liveness) = self.link.as_ref().and_then(|link| link.liveness.as_ref()) else { return };
        self.timers.set(TimerReason::Silence, liveness.silence_at());
        self.timers.set(TimerReason::Stall, liveness.stall_at());
        let probe_at = self.link.as_ref().and_then(Link::probe_at);
        self.timers.put(TimerReason::Probe, probe_at);
        let doubt = self.doubt_at().unwrap_or(Mono::NEVER);
        // While in doubt the words change with the time: once a second.
        let again = if doubt > now { doubt } else { now.plus(Duration::from_secs(1)) };
        self.timers.put(TimerReason::Doubt, (self.stage == Phase::Live).then_some(again));
    }
}
