//! Events that can't be read.
//!
//! Bytes change on their way, and publishers send what nobody can use. Which of the two it was is not to be seen, so the event is
//! asked for once more, from what was delivered. What can't be read then either is passed over as a gap of exactly
//! that place (H3), and a comparison with the server is sought, whose state is what the event came to, if it came to anything.
//!
//! Bounded (H5): events are asked for again a few times in a row and then seldom, and so are comparisons. In between the stream
//! goes on, live, and what may lack something says so.
//!
//! While the stream is held it isn't asked for: a snapshot covers it. Where none is to be had, what came before and behind it is
//! shown all the same, with such a gap between.

use watchfloor_model::{Continuity, Delivery, Event, Gap, Mono, Position};

use super::Feed;
use crate::{
    catchup::{GapContext, Hole},
    limits::{ASK_AGAIN_SPACING, RESYNCS_MAX},
};

impl Feed {
    pub(super) fn handle_rejected(&mut self, place: Option<(usize, Position)>, reason: String, now: Mono) {
        self.status.counts.rejected += 1;
        self.status.last_rejection = Some(reason.clone());
        let Some((channel, position)) = place else {
            if let Some(link) = &mut self.link {
                link.unread = Some(reason);
            }
            return;
        };
        let text = format!("an event can't be read: {reason}");
        let alone = self.is_alone();
        let Some(hole) = self.catchup.unreadable(channel, &position, &text, alone) else { return };
        if hole.before == position {
            return self.handle_unreadable(&hole, now);
        }
        // More is missing before it. Past that it is the next one.
        if self.handle_hole(&hole, now)
            && let Some(hole) = self.catchup.unreadable(channel, &position, &text, alone)
        {
            self.handle_unreadable(&hole, now);
        }
    }

    fn handle_unreadable(&mut self, hole: &Hole, now: Mono) {
        if hole.times <= 1 && self.may_ask_again(now) {
            return self.ask_again(hole.text.clone(), now);
        }
        self.pass_over(hole, now);
    }

    /// Whether neither the server nor the site has a state to be asked for.
    pub(super) fn is_alone(&self) -> bool {
        self.config.site.is_none() && self.dialect.snapshot(&self.config).is_none()
    }

    fn may_ask_again(&mut self, now: Mono) -> bool {
        let next = self.asks_again.max(now).plus(ASK_AGAIN_SPACING);
        let may = next.since(now) <= ASK_AGAIN_SPACING * RESYNCS_MAX;
        if may {
            self.asks_again = next;
        }
        may
    }

    /// Gives up what is missing before `hole.before`: the stream goes on after it, and what the server's state knows of it is sought.
    pub(super) fn pass_over(&mut self, hole: &Hole, now: Mono) {
        self.flush();
        let gap = self.catchup.jump(hole, &self.unread_context(now));
        self.deliver_unread(gap, now);
    }

    fn unread_context(&self, now: Mono) -> GapContext {
        GapContext { loss: None, is_whole: false, began: self.last_heard(now), ended: now }
    }

    fn deliver_unread(&mut self, gap: Gap, now: Mono) {
        let before = std::mem::replace(&mut self.status.continuity, Continuity::Unknown);
        self.status.counts.gaps_unknown += 1;
        self.checks.seek(before, &mut self.random, now);
        self.deliver(Delivery::Gap(gap));
    }

    /// Hands over what was held, with a gap wherever something of it can't be read.
    pub(super) fn deliver_held(&mut self, events: Vec<Event>, now: Mono) {
        let mut gaps = self.catchup.take_unread(&self.unread_context(now));
        if gaps.is_empty() {
            return self.deliver_events(events);
        }
        for event in events {
            let offset = event.position.as_ref().map_or(0, |position| position.offset);
            let comes_before = |gap: &Gap| gap.to.as_ref().is_some_and(|to| to.offset < offset);
            while let Some(gaps) = gaps.get_mut(&event.channel).filter(|gaps| gaps.front().is_some_and(comes_before)) {
                gaps.pop_front().into_iter().for_each(|gap| self.deliver_unread(gap, now));
            }
            self.deliver_events(vec![event]);
        }
        for gap in gaps.into_values().flatten() {
            self.deliver_unread(gap, now);
        }
    }
}
