//! Links that are a row of requests: long poll and poll.
//!
//! Both ask at the same door for what comes after their cursor, so both bring every event once and prove it. Polling the
//! snapshot instead would bring states only: no event could be listed, alarmed on or placed in a chart. The cursor is
//! also the condition of the request: an answer has nothing but what is new, and a heartbeat besides, for which a bare
//! "not modified" has no place.

use std::time::Duration;

use watchfloor_model::{Mono, Transport};

use super::{Feed, link::Link};
use crate::{
    config::SourceConfig,
    limits::{ANSWER_BYTES_MAX, ANSWER_GRACE, ASK_SPACING, RETRY_AFTER_MAX},
    port::{Head, LinkId, Output},
    protocols::Dialect,
    timers::TimerReason,
};

impl Link {
    /// The request that is out was answered.
    pub(super) fn note_answer(&mut self, now: Mono) {
        self.is_asking = false;
        self.prompt_at = None;
        let took = now.since(self.asked);
        // A server that answers earlier had something to say: then this is the most that the exchange took.
        self.round_trip = if took < self.wait { took.min(self.round_trip) } else { took - self.wait };
    }

    /// When to ask next.
    pub(super) fn next_ask(&self, has_more: bool, now: Mono) -> Mono {
        let after = if has_more { self.session.spacing() } else { self.poll_interval().unwrap_or(ASK_SPACING) };
        self.asked.plus(after).max(now)
    }

    /// How often the poll rung asks: so that the answer before is within the limit until the next one comes, however
    /// slow the exchange, as long as that takes less than half of the limit. A publisher that is heard in time by others
    /// must be so by polls (H2): what it promises counts as well.
    fn poll_interval(&self) -> Option<Duration> {
        let half = self.liveness.as_ref()?.limit().min(self.patience) / 2;
        let whole = Duration::from_secs(half.as_secs());
        (self.transport == Transport::Poll).then_some(if whole.is_zero() { half } else { whole })
    }

    /// Asks for what comes next.
    fn ask(&mut self, dialect: &dyn Dialect, config: &SourceConfig, now: Mono) -> Option<Output> {
        let liveness = self.liveness.as_mut()?;
        // An answer proves what its request could see, so the proof is as old as two exchanges before the next one comes.
        self.wait = match self.transport {
            Transport::Poll => Duration::ZERO,
            _ => (liveness.limit().min(self.patience) / 3).saturating_sub(self.round_trip),
        };
        liveness.ask(now);
        self.asked = now;
        self.is_asking = true;
        self.prompt_at = self.session.is_held().then(|| now.plus(self.wait));
        Some(Output::Ask {
            link: self.id,
            transport: self.transport,
            request: dialect.ask(config, self.session.cursor(), self.wait),
            body_bytes_max: ANSWER_BYTES_MAX,
            timeout: self.wait + liveness.silence_max() + ANSWER_GRACE,
        })
    }
}

/// Before when the server doesn't want to be asked again.
pub(super) fn earliest(head: &Head, now: Mono) -> Mono {
    head.retry_after.map_or(now, |span| now.plus(span.min(RETRY_AFTER_MAX)))
}

impl Feed {
    pub(super) fn handle_answered(&mut self, id: LinkId, head: &Head, body: &[u8], now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        link.note_answer(now);
        self.handle_opened(id, now);
        let mut has_more = false;
        self.handle_bytes(id, now, |link, at, out| {
            link.session.decode_head(head, at, out);
            has_more = link.session.decode_answer(body, at, out);
        });
        let goes_on = !self.is_upgrading();
        if let Some(link) = self.link.as_ref().filter(|link| link.id == id && goes_on) {
            self.timers.set(TimerReason::Ask, link.next_ask(has_more, now).max(earliest(head, now)));
        }
    }

    /// Asks for what comes next, on the link or on the trial's.
    pub(super) fn ask(&mut self, on_trial: bool, now: Mono) {
        self.carry_token(on_trial, now);
        let link = if on_trial { self.trial.as_mut().map(|trial| &mut trial.link) } else { self.link.as_mut() };
        let ask = link.and_then(|link| link.ask(&*self.dialect, &self.config, now));
        self.outputs.extend(ask);
    }

    /// How often the source is asked, while it is polled.
    pub(super) fn every(&self) -> Option<Duration> {
        self.link.as_ref()?.poll_interval()
    }
}
