//! What the server says on the link.

use std::time::Duration;

use watchfloor_model::{Continuity, Delivery, Event, Mono, Phase, Position, Restated, Transport};

use super::{
    Feed, Loss,
    link::{Link, exchange, exchange_at, post},
};
use crate::{
    catchup::{Catchup, Cursor, Hole, Step},
    clock::Reading,
    config::Kind,
    fault::{Fault, FaultKind, LinkFault},
    limits::BATCH_KEPT_MAX,
    port::{LinkId, Output, Response},
    protocols::{Beat, Moment, Signal},
    timers::TimerReason,
};

impl Feed {
    /// Takes what came on a link that stands.
    pub(super) fn handle_bytes(
        &mut self,
        id: LinkId,
        now: Mono,
        decode: impl FnOnce(&mut Link, Moment, &mut Vec<Signal>),
    ) {
        let moment = self.moment(now);
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let Some(liveness) = &mut link.liveness else { return };
        self.status.link_proof = Some(liveness.hear(now));
        link.heard = Some(now);
        self.changed = true;
        let mut signals = std::mem::take(&mut self.signals);
        decode(link, moment, &mut signals);
        let spoke = signals.iter().any(Signal::proves_stream);
        self.handle_signals(id, signals, now);
        // After the signals: a heartbeat among them tells how old they are.
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let Some(liveness) = &mut link.liveness else { return };
        if spoke {
            link.unread = None;
            liveness.stream(now);
        }
        self.status.link_proof = Some(liveness.proves());
    }

    /// Whoever signs for channels has answered. That says nothing of the link.
    pub(super) fn handle_exchanged(
        &mut self,
        id: LinkId,
        number: u32,
        outcome: Result<Response, LinkFault>,
        now: Mono,
    ) {
        let moment = self.moment(now);
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let mut signals = std::mem::take(&mut self.signals);
        link.session.exchanged(number, outcome, moment, &mut signals);
        self.handle_signals(id, signals, now);
    }

    pub(super) fn handle_signals(&mut self, id: LinkId, mut signals: Vec<Signal>, now: Mono) {
        for signal in signals.drain(..) {
            if self.link.as_ref().is_none_or(|link| link.id != id) {
                break;
            }
            self.handle_signal(signal, now);
        }
        signals.shrink_to(BATCH_KEPT_MAX);
        self.signals = signals;
    }

    fn handle_signal(&mut self, signal: Signal, now: Mono) {
        if let Some(link) = self.link.as_ref().filter(|_| self.stage == Phase::Subscribing) {
            self.timers.defer(TimerReason::Subscribe, link.goes_on_subscribing(&signal, now));
        }
        match signal {
            Signal::Event { channel, position, event } => {
                self.handle_event(channel, &position, event, Catchup::event, now);
                self.handle_early(now);
            }
            Signal::Hello { heartbeat, clock, grant } => {
                self.handle_hello(heartbeat, clock, now);
                if let Some(grant) = grant {
                    self.handle_authorised(grant, now);
                }
            }
            Signal::Authorised { grant } => self.handle_authorised(grant, now),
            Signal::Declined { reason } => self.decline_token(&reason, now),
            Signal::Version { found, expected } => {
                self.lose(&Fault::server(FaultKind::Version { found, expected }), true, now);
            }
            Signal::Subscribed { channel, head, from, recovered, reason } => {
                self.handle_subscribed(channel, Cursor::new(from, head, recovered, reason), now);
            }
            Signal::Rejected { place, reason } => self.handle_rejected(place, reason, now),
            Signal::Lost { channel, head, reason } => self.handle_lost(channel, &head, &reason, now),
            Signal::Heartbeat { clock, beats } => self.handle_heartbeat(clock, &beats, now),
            Signal::Clock { id, clock } => self.clock.answer(id, clock, now),
            Signal::Error { code, message, denied } => self.handle_error(code, message, denied, now),
            Signal::Whole { channel } => {
                let channel = self.channels[channel].clone();
                let (events, positions) = (Vec::new(), self.delivered());
                let restated = Restated { channel, name: None, events, positions, received: now };
                self.deliver(Delivery::Restated(restated));
            }
            Signal::Loose { publisher, event } => {
                if let Some(channel) = publisher.filter(|_| self.stage == Phase::Live) {
                    self.publishers[channel] = self.publishers[channel].max(self.spoke(event.received));
                }
                self.take_loose(event);
            }
            Signal::Elsewhere => self.reopen(now),
            Signal::Resubscribe { reason } => self.resync(reason, now),
            Signal::Expired => {
                self.lose(&Fault::server(FaultKind::TokenExpired { renewal: None }), true, now);
            }
            Signal::Unsigned { fault } => self.lose(&self.link_fault(fault), true, now),
            Signal::Reply { message } => {
                let send = self.link.as_mut().map(|link| link.send(&*self.dialect, &self.config, message));
                self.outputs.extend(send);
            }
            Signal::Pong => {
                let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) else { return };
                liveness.answer(now);
            }
            Signal::Kept { age } => {
                let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) else { return };
                liveness.keep(age);
            }
            Signal::Behind { age } => {
                let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) else { return };
                liveness.fall_behind(age);
            }
            Signal::StartTls => self.outputs.extend(self.link.as_ref().map(|link| Output::StartTls { link: link.id })),
            Signal::Ask { number, form } => {
                let ask = self.link.as_ref().and_then(|link| exchange(&self.config, link.id, number, form));
                self.outputs.extend(ask);
            }
            Signal::Post { number, request, body_bytes_max } => {
                let Some(id) = self.link.as_ref().map(|link| link.id) else { return };
                self.outputs.push_back(post(id, number, request, body_bytes_max));
            }
            Signal::Closed { code, reason } => {
                let Some(id) = self.link.as_ref().map(|link| link.id) else { return };
                self.outputs.push_back(Output::Close { link: id });
                self.handle_closed(id, Some(code), reason, now);
            }
            Signal::AskAt { number, url, form } => {
                let ask = self.link.as_ref().map(|link| exchange_at(&self.config, link.id, number, url, form));
                self.outputs.extend(ask);
            }
            Signal::RetryAfter { millis } => self.backoff.set_hint(millis),
            Signal::Unreadable { reason } => self.lose(&Fault::server(FaultKind::Unreadable(reason)), true, now),
        }
    }

    fn handle_hello(&mut self, heartbeat: Duration, clock: Option<Reading>, now: Mono) {
        if let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) {
            liveness.set_heartbeat(heartbeat);
        }
        if let Some(clock) = clock {
            self.hear_clock(clock, now);
        }
    }

    fn hear_clock(&mut self, reading: Reading, now: Mono) {
        if let Some(liveness) = self.link.as_mut().and_then(|link| link.liveness.as_mut()) {
            liveness.read(&reading, now);
        }
        self.clock.hear(reading, now);
    }

    fn handle_subscribed(&mut self, channel: usize, cursor: Cursor, now: Mono) {
        if !self.catchup.subscribed(channel, cursor) {
            let text = format!("the server began `{}` again, unasked", self.channels[channel]);
            return self.resync(text, now);
        }
        if self.stage != Phase::Subscribing || !self.catchup.all_subscribed() {
            return;
        }
        self.timers.clear(TimerReason::Subscribe);
        self.stage = Phase::CatchingUp;
        self.refusal = None;
        if !self.catchup.all_connected() {
            let text = "waiting for the server's snapshot".to_owned();
            return self.begin_snapshot(&text, now);
        }
        let (gaps, events) = self.catchup.replay(&self.gap_context(now));
        if self.status.continuity != Continuity::Unknown || self.status.counts.gaps_unknown == 0 {
            // What was delivered goes on without a hole; only a snapshot makes good what is unknown.
            self.status.continuity = Continuity::Proven;
        }
        self.loss = None;
        self.set_cause("what was missed is being replayed".to_owned());
        self.deliver_gaps(gaps);
        self.deliver_held(events, now);
    }

    /// Takes those that came ahead of their place and wait no longer.
    pub(super) fn handle_early(&mut self, now: Mono) {
        while let Some((channel, position, event)) = self.catchup.take_early(now) {
            self.handle_event(channel, &position, event, Catchup::next_event, now);
        }
    }

    fn handle_event(
        &mut self,
        channel: usize,
        position: &Position,
        event: Event,
        take: fn(&mut Catchup, usize, &Position, Event) -> Step,
        now: Mono,
    ) {
        let spoke = self.spoke(event.received);
        match take(&mut self.catchup, channel, position, event) {
            Step::Deliver(event) => {
                self.status.counts.events += 1;
                if self.stage == Phase::Live {
                    self.publishers[channel] = self.publishers[channel].max(spoke);
                }
                self.push(event);
            }
            Step::Held | Step::Early | Step::Overlap | Step::Stale => {}
            Step::Overflow => {
                self.set_cause("more came than could be held back while waiting for the snapshot".to_owned());
            }
            Step::Duplicate => self.status.counts.duplicates += 1,
            Step::Hole(hole, event) => {
                // Past the hole the event follows, so this ends.
                if let Some(event) = event.filter(|_| self.handle_hole(&hole, now)) {
                    self.handle_event(channel, position, event, Catchup::next_event, now);
                }
            }
        }
    }

    /// When the publisher of what came at `received` is known by it to have lived.
    fn spoke(&self, received: Mono) -> Option<Mono> {
        if self.comes_at_once() { Some(self.sent_by(received)) } else { self.spoke_after() }
    }

    /// Whether an event that comes now has just happened. What a poll brings, or a server that is behind, may have happened
    /// long ago: only the heartbeat says when its publisher spoke (H1).
    fn comes_at_once(&self) -> bool {
        let polled = |transport| matches!(transport, Transport::LongPoll | Transport::Poll);
        let streams = self.link.as_ref().is_some_and(|link| !polled(link.transport));
        streams && self.catchup.outstanding_since().is_none()
    }

    /// When what came at `received` was surely sent. A link that is behind brings what is as old as its last proof.
    fn sent_by(&self, received: Mono) -> Mono {
        let liveness = self.link.as_ref().and_then(|link| link.liveness.as_ref());
        match liveness.filter(|liveness| liveness.doubt_at() <= received) {
            Some(liveness) => liveness.proven().min(received),
            None => received,
        }
    }

    /// What an answer brings that was not there when the one before it was asked for has happened since. A hub says so itself (H2).
    fn spoke_after(&self) -> Option<Mono> {
        let link = self.link.as_ref().filter(|_| self.config.kind != Kind::Hub)?;
        link.liveness.as_ref().filter(|_| self.catchup.outstanding_since().is_none())?.beaten()
    }

    fn handle_lost(&mut self, channel: usize, head: &Position, reason: &str, now: Mono) {
        if self.stage == Phase::Subscribing {
            return self.catchup.lost(channel, head, reason, self.is_alone());
        }
        self.flush();
        if self.loss.is_none() && self.catchup.has_delivered() {
            let (began, reason) = (self.last_heard(now), format!("events lost: {reason}"));
            self.loss = Some(Loss { began, reason, is_whole: false });
        }
        self.catchup.lost(channel, head, reason, self.is_alone());
        self.begin_snapshot_seldom(reason, now);
    }

    fn handle_heartbeat(&mut self, clock: Option<Reading>, beats: &[Beat], now: Mono) {
        if let Some(clock) = clock {
            self.hear_clock(clock, now);
        }
        let liveness = self.link.as_mut().and_then(|link| link.liveness.as_mut());
        let since = liveness.map_or(now, |liveness| liveness.beat(now));
        if let Some(left_out) = self.catchup.left_out(beats.iter().map(|beat| beat.channel)) {
            let text = format!("the server's heartbeat leaves out `{}`", self.channels[left_out]);
            return self.resync(text, now);
        }
        let mut found: Option<Hole> = None;
        for beat in beats {
            if let Some(idle) = beat.idle {
                let proof = Mono::from_micros(
                    now.as_micros().saturating_sub(u64::try_from(idle.as_micros()).unwrap_or(u64::MAX)),
                );
                // It speaks of every event that came before it, however late those came: after a pause of this program, say.
                self.publishers[beat.channel] = Some(proof);
            }
            found = found.or(self.catchup.beat(beat.channel, &beat.head, beat.behind, since));
        }
        if let Some(hole) = found {
            self.handle_hole(&hole, now);
        }
    }

    fn handle_error(&mut self, code: String, message: String, denied: bool, now: Mono) {
        let kind = FaultKind::Server { code, message, denied };
        if denied || self.stage == Phase::Subscribing {
            return self.lose(&Fault::server(kind), true, now);
        }
        let Some(link) = &mut self.link else { return };
        if link.pass.is_pending() {
            link.pass.misunderstood();
        } else {
            link.error = Some(kind);
            link.erred = now;
        }
    }
}
