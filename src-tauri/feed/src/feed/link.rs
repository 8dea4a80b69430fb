//! Opening, probing, losing and resynchronising the link.

use std::time::Duration;

use watchfloor_model::{Mono, Phase, Transport};

use super::{Feed, Loss, access::Pass};
use crate::{
    catchup::{GapContext, Hole},
    fault::{Fault, FaultKind, LinkFault, Verdict},
    limits::{
        ANSWER_BYTES_MAX, ANSWER_GRACE, CLOCK_PING_PERIOD, OPEN_TIMEOUT, OPEN_TIMEOUT_OF_SEVERAL, RESYNCS_MAX,
        SETTLED_AFTER, SUBSCRIBE_TIMEOUT,
    },
    liveness::Liveness,
    port::{LinkId, Output},
    protocols::{Place, Session},
    timers::TimerReason,
};

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
    /// Why what came since the stream last spoke could not be read.
    pub(super) unread: Option<String>,
    /// By which token it came.
    pub(super) pass: Pass,
    resyncs: u32,
}

impl Link {
    /// Takes the link as standing. Says since when that proves it.
    pub(super) fn stand(&mut self, limit: Duration, now: Mono) -> Mono {
        let mut liveness = Liveness::new(limit, self.transport, self.asked, now);
        let proof = liveness.hear(now);
        self.liveness = Some(liveness);
        self.heard = Some(now);
        proof
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
            Transport::WebSocket | Transport::Sse => Output::Open { link: id, transport, request },
            Transport::LongPoll | Transport::Poll => {
                let timeout = OPEN_TIMEOUT + ANSWER_GRACE;
                Output::Ask { link: id, transport, request, body_bytes_max: ANSWER_BYTES_MAX, timeout }
            }
        });
        Link {
            id,
            transport,
            session: self.dialect.session(transport, &self.channels),
            patience: self.config.quiet.map_or(Duration::MAX, |quiet| quiet / 2),
            began: now,
            asked: now,
            wait: Duration::ZERO,
            round_trip: Duration::ZERO,
            liveness: None,
            live_since: None,
            heard: None,
            error: None,
            unread: None,
            pass: self.new_pass(),
            resyncs: 0,
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
        self.timers.set(TimerReason::Subscribe, now.plus(SUBSCRIBE_TIMEOUT));
        self.changed = true;
        let Some(link) = &mut self.link else { return };
        for text in link.session.subscribe(&places, again) {
            self.outputs.push_back(Output::Send { link: link.id, text });
        }
    }

    pub(super) fn handle_pong(&mut self, id: LinkId, now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let Some(liveness) = &mut link.liveness else { return };
        liveness.answer(now);
        link.heard = Some(now);
        self.status.link_proof = Some(now);
        self.changed = true;
    }

    pub(super) fn handle_closed(&mut self, id: LinkId, code: Option<u16>, reason: String, now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let closed = Fault::server(FaultKind::Closed { code, reason });
        // A close that was announced by an error is explained by it. 1001 and its like are stronger: they plan to be back.
        let speaks_for_itself =
            closed.verdict() == Verdict::Soon || code.is_some_and(|code| self.dialect.is_expiry(code));
        if link.pass.is_deaf() {
            // It took a message for an offence that it doesn't know: that won't be sent again.
            return self.lose_with(&closed, Verdict::Soon, false, now);
        }
        let fault = match link.error.take().filter(|_| !speaks_for_itself) {
            Some(error) => Fault::server(error),
            None => closed,
        };
        let slow = code == Some(1008) && fault.verdict() == Verdict::Backoff;
        let verdict = if slow { Verdict::Slow } else { fault.verdict() };
        self.lose_with(&fault, verdict, false, now);
    }

    pub(super) fn handle_failed(&mut self, id: LinkId, fault: LinkFault, now: Mono) {
        if self.link.as_ref().is_some_and(|link| link.id == id) {
            self.lose(&Fault::link(fault), false, now);
        }
    }

    pub(super) fn handle_silence(&mut self, now: Mono) {
        let Some(liveness) = self.link.as_ref().and_then(|link| link.liveness.as_ref()) else { return };
        let after = liveness.silence_max();
        self.lose(&Fault::network(FaultKind::Silent { after }), true, now);
    }

    pub(super) fn handle_stall(&mut self, now: Mono) {
        let Some(link) = &self.link else { return };
        let Some(liveness) = &link.liveness else { return };
        let fault = FaultKind::Stalled { after: liveness.stall_max(), unread: link.unread.clone() };
        self.lose(&Fault::server(fault), true, now);
    }

    pub(super) fn handle_open_timeout(&mut self, now: Mono) {
        self.lose(&Fault::network(FaultKind::OpenTimeout { after: self.open_timeout() }), true, now);
    }

    pub(super) fn handle_subscribe_timeout(&mut self, now: Mono) {
        let error = self.link.as_mut().and_then(|link| link.error.take());
        let fault = error.unwrap_or(FaultKind::SubscribeTimeout { after: SUBSCRIBE_TIMEOUT });
        self.lose(&Fault::server(fault), true, now);
    }

    pub(super) fn probe(&mut self, now: Mono) {
        let Some(link) = &mut self.link else { return };
        let Some(liveness) = &mut link.liveness else { return };
        liveness.probe(now);
        self.outputs.push_back(Output::Ping { link: link.id });
    }

    pub(super) fn ask_clock(&mut self, now: Mono) {
        let Some(link) = &mut self.link else { return };
        let id = self.clock.ask(now);
        if let Some(text) = link.session.ask_clock(id) {
            self.outputs.push_back(Output::Send { link: link.id, text });
            self.timers.set(TimerReason::Clock, now.plus(CLOCK_PING_PERIOD));
        }
    }

    /// Gives the link up for `fault` and sets the next try.
    pub(super) fn lose(&mut self, fault: &Fault, close: bool, now: Mono) {
        self.lose_with(fault, fault.verdict(), close, now);
    }

    pub(super) fn lose_with(&mut self, fault: &Fault, verdict: Verdict, close: bool, now: Mono) {
        let pass = self.link.as_ref().map_or_else(|| self.new_pass(), |link| link.pass);
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
            if !is_final && self.take_over(now) {
                // The trial was as good: nothing is lost.
                return;
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
        if had && self.loss.is_none() {
            let began = link.heard.unwrap_or(now);
            self.loss = Some(Loss { began, reason: format!("link lost: {reason}") });
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
    fn reopen(&mut self, now: Mono) {
        self.outputs.extend(self.link.take().map(|link| Output::Close { link: link.id }));
        self.drop_trial();
        self.catchup.end_link();
        self.timers.clear_all();
        self.open(now);
    }

    fn note_desync(&mut self, reason: &str, now: Mono) {
        if self.loss.is_none() && self.catchup.has_delivered() {
            self.loss = Some(Loss { began: self.last_heard(now), reason: reason.to_owned() });
        }
    }

    pub(super) fn last_heard(&self, now: Mono) -> Mono {
        self.link.as_ref().and_then(|link| link.heard).unwrap_or(now)
    }

    pub(super) fn gap_context(&self, now: Mono) -> GapContext {
        match &self.loss {
            Some(loss) => GapContext { loss: Some(loss.reason.clone()), began: loss.began, ended: now },
            None => GapContext { loss: None, began: self.started, ended: now },
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
        self.timers.put(TimerReason::Probe, liveness.probe_at());
        let doubt = self.doubt_at().unwrap_or(Mono::NEVER);
        // While in doubt the words change with the time: once a second.
        let again = if doubt > now { doubt } else { now.plus(Duration::from_secs(1)) };
        self.timers.put(TimerReason::Doubt, (self.stage == Phase::Live).then_some(again));
    }
}
