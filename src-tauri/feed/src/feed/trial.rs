//! Leaving a way to travel that is blocked, and trying a better one beside the link that stands.
//!
//! ```text
//! Live on a lower rung ─ from time to time ─→ trial: opened, subscribed from what was delivered, held
//!                                               │ good for as long as the limit, and caught up
//!                                               ↓
//!                                             takes over: what it holds and the link hasn't brought is delivered
//! ```
//!
//! Both run until the trial has caught up, and what is shown is live all the while: a trial that fails costs nothing. If
//! the link is lost while the trial is as good, the trial takes its place. By the same means a link is replaced by one that comes by
//! a newer token (`replace`).

use watchfloor_model::{Mono, Phase, Transport};

use super::{
    Feed,
    link::{Link, exchange, exchange_at, post},
    poll::earliest,
};
use crate::{
    catchup::{Catchup, Cursor, Step},
    fault::{Fault, FaultKind, LinkFault, door},
    limits::{
        GOING_AWAY_SPREAD, HEALTH_BYTES_MAX, HEALTH_TIMEOUT, REPLACE_BEFORE, SUBSCRIBE_TIMEOUT, TRIAL_FIRST,
        TRIAL_GRACE,
    },
    liveness::{Liveness, back},
    port::{FetchId, Head, Input, LinkId, Output, Response},
    protocols::{Moment, Signal},
    timers::{TimerReason, Timers},
};

/// A link on a better rung, beside the one that stands.
#[derive(Debug)]
pub(super) struct Trial {
    rung: usize,
    /// It is to replace the link on the same rung.
    replaces: bool,
    pub(super) link: Link,
    /// What comes by it is held here.
    catchup: Catchup,
    pub(super) timers: Timers,
    /// From when on it has been good for long enough.
    good_at: Mono,
    /// Whether its subscriptions join what was delivered, as far as they were answered.
    joins: bool,
}

impl Feed {
    /// Asks whether the server is there, beside the way that failed.
    pub(super) fn ask_health(&mut self) {
        self.fetches += 1;
        let fetch = FetchId(self.fetches);
        self.health = Some(fetch);
        let Some(request) = self.dialect.health(&self.config) else { return };
        let (body_bytes_max, timeout) = (HEALTH_BYTES_MAX, HEALTH_TIMEOUT);
        self.outputs.push_back(Output::Fetch { fetch, request, body_bytes_max, timeout });
    }

    /// The server answered whether it is there: perhaps it is the way that is blocked.
    pub(super) fn handle_health(&mut self, outcome: Result<Response, LinkFault>, now: Mono) {
        self.health = None;
        let there = outcome.is_ok_and(|answer| self.dialect.is_there(answer.status, &answer.body));
        let stands = self.link.as_ref().is_some_and(|link| link.liveness.is_some());
        let left = self.ladder.transport();
        if !there || stands || !self.ladder.server_is_there() {
            return;
        }
        let next = door(self.ladder.transport());
        let cause = match self.ladder.detour() {
            Some(detour) => format!("{detour}; next by {next}"),
            None => format!("no answer by {}; next by {next}", door(left)),
        };
        self.status.detour = self.ladder.detour().map(Into::into);
        self.status.transport = Some(self.ladder.transport());
        // What is being opened now is of the way that is blocked.
        if let Some(link) = self.link.take() {
            self.outputs.push_back(Output::Close { link: link.id });
            self.catchup.end_link();
            self.timers.clear_all();
            self.stage = Phase::Waiting;
        }
        let soon = now.plus(self.random.up_to(GOING_AWAY_SPREAD));
        let at = self.status.retry_at.map_or(soon, |at| at.min(soon));
        self.timers.set(TimerReason::Retry, at);
        self.status.retry_at = Some(at);
        self.set_cause(cause);
    }

    /// A better rung is due to be tried.
    pub(super) fn begin_trial(&mut self, now: Mono) {
        if self.fail_late_upgrade(now) || self.stage != Phase::Live || self.trial.is_some() {
            return;
        }
        if self.doubt(now).is_some() {
            return self.timers.set(TimerReason::Trial, now.plus(TRIAL_FIRST));
        }
        let Some((rung, transport)) = self.ladder.trial() else { return };
        if self.begin_upgrade(rung, transport, now) {
            return;
        }
        self.start_trial(rung, transport, false, now);
    }

    pub(super) fn start_trial(&mut self, rung: usize, transport: Transport, replaces: bool, now: Mono) {
        let mut catchup = self.catchup.beside();
        catchup.begin_link();
        let mut link = self.new_link(transport, &catchup.places(), now);
        link.session.begin_trial();
        let mut timers = Timers::default();
        timers.set(TimerReason::Open, now.plus(self.open_timeout()));
        self.trial = Some(Trial { rung, replaces, link, catchup, timers, good_at: Mono::NEVER, joins: true });
    }

    /// Sets when the next better rung is tried, if that isn't set.
    pub(super) fn plan_trial(&mut self, now: Mono) {
        if self.trial.is_none() && !self.timers.is_set(TimerReason::Trial) {
            let at = self.ladder.trial_wait(&mut self.random).map(|wait| now.plus(wait));
            self.timers.put(TimerReason::Trial, at);
        }
    }

    /// Gives the trial up, whatever it was worth.
    pub(super) fn drop_trial(&mut self) {
        if let Some(trial) = self.trial.take() {
            self.outputs.push_back(Output::Close { link: trial.link.id });
        }
    }

    fn fail_trial(&mut self, fault: &Fault, close: bool, now: Mono) {
        let Some(trial) = self.trial.take() else { return };
        if close {
            self.outputs.push_back(Output::Close { link: trial.link.id });
        }
        if trial.replaces {
            let pass = trial.link.pass;
            return if trial.joins {
                self.fail_replacement(fault, pass, now);
            } else {
                self.find_unjoined(fault, pass, now);
            };
        }
        self.ladder.fail_trial(trial.rung, fault);
        self.status.detour = self.ladder.detour().map(Into::into);
        self.changed = true;
        self.plan_trial(now);
    }

    pub(super) fn is_trial(&self, id: LinkId) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.link.id == id)
    }

    /// What happened on the trial's link.
    pub(super) fn handle_trial(&mut self, input: Input, now: Mono) {
        match input {
            Input::Opened { .. } => self.handle_trial_opened(now),
            Input::Text { text, .. } => {
                self.handle_trial_bytes(now, |link, at, out| link.session.decode_text(&text, at, out));
            }
            Input::Binary { bytes, .. } => {
                self.handle_trial_bytes(now, |link, at, out| link.session.decode_binary(&bytes, at, out));
            }
            Input::Exchanged { number, outcome, .. } => {
                let moment = self.moment(now);
                let Some(trial) = &mut self.trial else { return };
                let mut signals = std::mem::take(&mut self.signals);
                trial.link.session.exchanged(number, outcome, moment, &mut signals);
                self.handle_trial_signals(signals, now);
            }
            Input::Chunk { bytes, .. } => {
                self.handle_trial_bytes(now, |link, at, out| link.session.decode_chunk(&bytes, at, out));
            }
            Input::Head { head, .. } => {
                self.handle_trial_bytes(now, |link, at, out| link.session.decode_head(&head, at, out));
            }
            Input::Answered { head, body, .. } => self.handle_trial_answer(&head, &body, now),
            Input::Pong { .. } => {
                let Some(trial) = &mut self.trial else { return };
                let Some(liveness) = &mut trial.link.liveness else { return };
                liveness.answer(now);
                self.handle_trial_bytes(now, |link, at, out| link.session.ponged(at, out));
            }
            Input::Closed { code, reason, .. } => {
                self.fail_trial(&Fault::server(FaultKind::Closed { code, reason }), false, now);
            }
            Input::Failed { fault, .. } => self.fail_trial(&self.link_fault(fault), false, now),
            Input::Fetched { .. } | Input::Credential { .. } => {}
        }
    }

    fn handle_trial_opened(&mut self, now: Mono) {
        let Some(trial) = self.trial.as_mut().filter(|trial| trial.link.liveness.is_none()) else { return };
        trial.link.stand(self.config.limit, now);
        let limit = trial.link.liveness.as_ref().map_or(self.config.limit, Liveness::limit);
        trial.good_at = now.plus(limit);
        if let Some(end) = self.link.as_ref().and_then(|link| link.pass.ends).filter(|_| trial.replaces) {
            // While the old one is still good, or there would be nothing to replace.
            trial.good_at = trial.good_at.min(back(end, REPLACE_BEFORE));
        }
        trial.timers.clear(TimerReason::Open);
        trial.timers.set(TimerReason::Subscribe, trial.link.begin_subscribing(now));
        trial.timers.set(TimerReason::Trial, trial.good_at.plus(TRIAL_GRACE));
        let messages = trial.link.session.subscribe(&trial.catchup.places(), false);
        self.outputs.extend(messages.into_iter().map(|message| trial.link.send(&*self.dialect, &self.config, message)));
    }

    fn handle_trial_answer(&mut self, head: &Head, body: &[u8], now: Mono) {
        let Some(trial) = &mut self.trial else { return };
        trial.link.note_answer(now);
        self.handle_trial_opened(now);
        let mut has_more = false;
        self.handle_trial_bytes(now, |link, at, out| {
            link.session.decode_head(head, at, out);
            has_more = link.session.decode_answer(body, at, out);
        });
        if let Some(trial) = &mut self.trial {
            trial.timers.set(TimerReason::Ask, trial.link.next_ask(has_more, now).max(earliest(head, now)));
        }
    }

    fn handle_trial_bytes(&mut self, now: Mono, decode: impl FnOnce(&mut Link, Moment, &mut Vec<Signal>)) {
        let moment = self.moment(now);
        let Some(trial) = &mut self.trial else { return };
        let Some(liveness) = &mut trial.link.liveness else { return };
        liveness.hear(now);
        trial.link.heard = Some(now);
        let mut signals = std::mem::take(&mut self.signals);
        decode(&mut trial.link, moment, &mut signals);
        let spoke = signals.iter().any(Signal::proves_stream);
        if !self.handle_trial_signals(signals, now) {
            return;
        }
        let Some(trial) = &mut self.trial else { return };
        trial.catchup.forget_delivered(&self.catchup);
        let Some(liveness) = &mut trial.link.liveness else { return };
        // The link that stands tells the clock by another way: a stream that is late from its first byte on is found by it.
        if let Some(clock) = self.clock.clock() {
            liveness.read_aside(clock);
        }
        if spoke {
            liveness.stream(now);
        }
    }

    /// Takes what the server says on the trial's link. False if it failed by that.
    fn handle_trial_signals(&mut self, mut signals: Vec<Signal>, now: Mono) -> bool {
        let Some(trial) = &mut self.trial else { return false };
        let wanted = |signal: &mut Signal| {
            matches!(
                signal,
                Signal::Reply { .. }
                    | Signal::StartTls
                    | Signal::Ask { .. }
                    | Signal::AskAt { .. }
                    | Signal::Post { .. }
            )
        };
        for signal in signals.extract_if(.., wanted) {
            let link = trial.link.id;
            trial.timers.defer(TimerReason::Subscribe, trial.link.goes_on_subscribing(&signal, now));
            self.outputs.extend(match signal {
                Signal::Reply { message } => Some(trial.link.send(&*self.dialect, &self.config, message)),
                Signal::Post { number, request, body_bytes_max } => Some(post(link, number, request, body_bytes_max)),
                Signal::StartTls => Some(Output::StartTls { link }),
                Signal::Ask { number, form } => exchange(&self.config, link, number, form),
                Signal::AskAt { number, url, form } => Some(exchange_at(&self.config, link, number, url, form)),
                _ => None,
            });
        }
        let fault = signals.drain(..).find_map(|signal| trial.take(signal, now));
        self.signals = signals;
        if let Some(fault) = &fault {
            self.fail_trial(fault, true, now);
        }
        fault.is_none()
    }

    pub(super) fn handle_trial_timers(&mut self, now: Mono) {
        let open_timeout = self.open_timeout();
        for reason in TimerReason::ALL {
            let Some(trial) = &mut self.trial else { return };
            if !trial.timers.take_due(reason, now) {
                continue;
            }
            let silence = trial.link.liveness.as_ref().map(Liveness::silence_max);
            let fault = match reason {
                TimerReason::Open => FaultKind::OpenTimeout { after: open_timeout },
                TimerReason::Subscribe => FaultKind::SubscribeTimeout { after: SUBSCRIBE_TIMEOUT },
                TimerReason::Silence | TimerReason::Stall | TimerReason::Trial => {
                    FaultKind::Silent { after: silence.unwrap_or(open_timeout) }
                }
                TimerReason::Probe if trial.link.prompt_at.take().is_some() => {
                    let mut signals = std::mem::take(&mut self.signals);
                    trial.link.session.prompt(&mut signals);
                    self.handle_trial_signals(signals, now);
                    continue;
                }
                TimerReason::Probe => {
                    if let Some(liveness) = &mut trial.link.liveness {
                        liveness.probe(now);
                        self.outputs.extend(trial.link.probe(&*self.dialect, &self.config));
                    }
                    continue;
                }
                TimerReason::Ask => {
                    self.ask(true, now);
                    continue;
                }
                TimerReason::Fetch
                | TimerReason::Doubt
                | TimerReason::Reorder
                | TimerReason::Refetch
                | TimerReason::Retry
                | TimerReason::Clock
                | TimerReason::Check
                | TimerReason::Expire
                | TimerReason::Token
                | TimerReason::Authorise
                | TimerReason::Renew => continue,
            };
            self.fail_trial(&Fault::network(fault), true, now);
        }
    }

    /// Ends a turn: takes the trial's link over if that is due, or gives it up if it joins what isn't followed any more.
    pub(super) fn settle_trial(&mut self, now: Mono) {
        let Some(trial) = &self.trial else { return };
        if self.stage != Phase::Live {
            return self.drop_trial();
        }
        let due = now >= trial.good_at || trial.catchup.is_half_full() || self.doubt(now).is_some();
        if due && trial.is_ready(&self.catchup, now) {
            self.outputs.extend(self.link.take().map(|link| Output::Close { link: link.id }));
            self.take_over(now);
        }
        let Some(trial) = &mut self.trial else { return };
        let Some(liveness) = &trial.link.liveness else { return };
        trial.timers.set(TimerReason::Silence, liveness.silence_at());
        trial.timers.set(TimerReason::Stall, liveness.stall_at());
        trial.timers.put(TimerReason::Probe, trial.link.probe_at());
        if !trial.catchup.all_subscribed() {
            return;
        }
        trial.timers.clear(TimerReason::Subscribe);
        // What is good by then may take over without a new word of the server.
        trial.timers.put(TimerReason::Doubt, (now < trial.good_at).then_some(trial.good_at));
    }

    /// Whether the trial is as good as the link.
    pub(super) fn can_take_over(&self, now: Mono) -> bool {
        self.stage == Phase::Live && self.trial.as_ref().is_some_and(|trial| trial.is_ready(&self.catchup, now))
    }

    /// The trial's link becomes the link. The one before has ended, and its session with it: that says by its end what it has told.
    pub(super) fn take_over(&mut self, now: Mono) {
        let Some(Trial { rung, replaces, mut link, catchup, mut timers, .. }) = self.trial.take() else { return };
        self.flush();
        timers.clear(TimerReason::Trial);
        timers.clear(TimerReason::Subscribe);
        if link.transport == Transport::WebSocket {
            timers.set(TimerReason::Clock, now);
        }
        link.live_since = Some(now);
        self.timers = timers;
        self.clock.forget_ping();
        let id = link.id;
        let mut signals = std::mem::take(&mut self.signals);
        link.session.take_over(self.moment(now), &mut signals);
        self.link = Some(link);
        if !replaces {
            self.ladder.climb(rung);
        }
        self.status.transport = Some(self.ladder.transport());
        self.status.detour = self.ladder.detour().map(Into::into);
        let events = self.catchup.take_over(catchup);
        self.deliver_events(events);
        self.handle_signals(id, signals, now);
        self.plan_trial(now);
    }
}

impl Trial {
    /// Whether the server has begun every subscription.
    #[cfg(test)]
    pub(super) fn is_told(&self) -> bool {
        self.catchup.all_subscribed()
    }

    /// Takes what the server says. Answers why the trial has failed, if so.
    fn take(&mut self, signal: Signal, now: Mono) -> Option<Fault> {
        let desync = |text: String| Some(Fault::server(FaultKind::Desync(text)));
        match signal {
            Signal::Event { channel, position, event } => {
                let mut step = self.catchup.event(channel, &position, event);
                loop {
                    // What doesn't join is found when it should take over.
                    if let Step::Overflow = step {
                        return desync("more came than could be held back".to_owned());
                    }
                    let Some((channel, position, event)) = self.catchup.take_early(now) else { break };
                    step = self.catchup.next_event(channel, &position, event);
                }
            }
            Signal::Rejected { place: Some((channel, position)), .. } => {
                self.catchup.unreadable_beside(channel, &position);
            }
            Signal::Hello { heartbeat, clock, grant } => {
                if let Some(grant) = grant {
                    self.link.authorised(grant, None, now);
                }
                let liveness = self.link.liveness.as_mut()?;
                liveness.set_heartbeat(heartbeat);
                if let Some(clock) = clock {
                    liveness.read(&clock, now);
                }
            }
            Signal::Kept { age } => self.link.liveness.as_mut()?.keep(age),
            Signal::Behind { age } => self.link.liveness.as_mut()?.fall_behind(age),
            Signal::Pong => self.link.liveness.as_mut()?.answer(now),
            Signal::Subscribed { channel, head, from, recovered, reason } => {
                let is_awaited = self.catchup.subscribed(channel, Cursor::new(from, head, recovered, reason));
                self.joins = !self.catchup.all_subscribed() || self.catchup.all_connected();
                if !is_awaited || !self.joins {
                    return desync("our place is not known there".to_owned());
                }
            }
            Signal::Heartbeat { clock, beats } => {
                let liveness = self.link.liveness.as_mut()?;
                if let Some(clock) = clock {
                    liveness.read(&clock, now);
                }
                let since = liveness.beat(now);
                if self.catchup.left_out(beats.iter().map(|beat| beat.channel)).is_some() {
                    return desync("its heartbeat leaves out a channel".to_owned());
                }
                for beat in &beats {
                    self.catchup.beat(beat.channel, &beat.head, beat.behind, since);
                }
                if self.catchup.all_subscribed() && !self.catchup.all_connected() {
                    return desync("events are missing".to_owned());
                }
            }
            Signal::Lost { reason, .. } | Signal::Resubscribe { reason } => return desync(reason),
            Signal::Elsewhere => return desync("it names another server".to_owned()),
            Signal::Expired => return Some(Fault::server(FaultKind::TokenExpired { renewal: None })),
            Signal::Closed { code, reason } => {
                return Some(Fault::server(FaultKind::Closed { code: Some(code), reason }));
            }
            Signal::Unsigned { fault } => return Some(Fault::link(fault)),
            Signal::Version { found, expected } => return Some(Fault::server(FaultKind::Version { found, expected })),
            Signal::Error { code, message, denied } => {
                return Some(Fault::server(FaultKind::Server { code, message, denied }));
            }
            Signal::Unreadable { reason } => return Some(Fault::server(FaultKind::Unreadable(reason))),
            // Replies are sent by whoever holds the outputs. What has no place is not held: the link that stands brings it, and what
            // it hasn't brought is told when this one takes over.
            Signal::Reply { .. }
            | Signal::StartTls
            | Signal::Ask { .. }
            | Signal::AskAt { .. }
            | Signal::Post { .. }
            | Signal::Loose { .. }
            | Signal::Whole { .. }
            | Signal::Rejected { place: None, .. }
            | Signal::Authorised { .. }
            | Signal::Declined { .. }
            | Signal::Clock { .. }
            | Signal::RetryAfter { .. } => {}
        }
        None
    }

    /// Whether it has everything that was delivered by the link, and is live itself.
    fn is_ready(&self, delivered: &Catchup, now: Mono) -> bool {
        let Some(liveness) = &self.link.liveness else { return false };
        let young = self.catchup.outstanding_since().is_none_or(|since| now.since(since) < liveness.limit());
        let alive = now < liveness.silence_at() && now < liveness.stall_at() && liveness.doubt(now).is_none();
        young && alive && self.catchup.has_come_to(delivered)
    }
}
