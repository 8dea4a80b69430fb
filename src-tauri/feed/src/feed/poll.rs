//! Links that are a row of requests: long poll and poll.
//!
//! Both ask at the same door for what comes after their cursor, so both bring every event once and prove it. Polling the
//! snapshot instead would bring states only: no event could be listed, alarmed on or placed in a chart. The cursor is
//! also the condition of the request: an answer has nothing but what is new, and a heartbeat besides, for which a bare
//! "not modified" has no place.

use std::time::Duration;

use watchfloor_model::{Mono, Transport};

use super::Feed;
use crate::{
    limits::{ANSWER_BYTES_MAX, ANSWER_GRACE, ASK_SPACING},
    port::{LinkId, Output},
    timers::TimerReason,
};

impl Feed {
    pub(super) fn handle_answered(&mut self, id: LinkId, body: &[u8], now: Mono) {
        let Some(link) = self.link.as_mut().filter(|link| link.id == id) else { return };
        let took = now.since(link.asked);
        // A server that answers earlier had something to say: then this is the most that the exchange took.
        link.round_trip = if took < link.wait { took.min(link.round_trip) } else { took - link.wait };
        self.handle_opened(id, now);
        let mut has_more = false;
        self.handle_bytes(id, now, |link, out| has_more = link.session.decode_answer(body, now, out));
        let Some(link) = self.link.as_ref().filter(|link| link.id == id) else { return };
        let after = if has_more { Duration::ZERO } else { self.poll_interval().unwrap_or(ASK_SPACING) };
        self.timers.set(TimerReason::Ask, link.asked.plus(after).max(now));
    }

    /// Asks for what comes next.
    pub(super) fn ask(&mut self, now: Mono) {
        let transport = self.config.transport;
        let Some(link) = &mut self.link else { return };
        let Some(liveness) = &mut link.liveness else { return };
        // An answer proves what its request could see, so the proof is as old as two exchanges before the next one comes.
        let wait = match transport {
            Transport::Poll => Duration::ZERO,
            _ => (liveness.limit() / 3).saturating_sub(link.round_trip),
        };
        liveness.ask(now);
        link.asked = now;
        link.wait = wait;
        self.outputs.push_back(Output::Ask {
            link: link.id,
            transport,
            request: self.dialect.ask(&self.config, link.session.cursor(), wait),
            body_bytes_max: ANSWER_BYTES_MAX,
            timeout: wait + liveness.silence_max() + ANSWER_GRACE,
        });
    }

    /// How often the poll rung asks: so that the answer before is within the limit until the next one comes, however
    /// slow the exchange, as long as that takes less than half of the limit.
    pub(super) fn poll_interval(&self) -> Option<Duration> {
        let liveness = self.link.as_ref()?.liveness.as_ref()?;
        let half = liveness.limit() / 2;
        let whole = Duration::from_secs(half.as_secs());
        (self.config.transport == Transport::Poll).then_some(if whole.is_zero() { half } else { whole })
    }
}
