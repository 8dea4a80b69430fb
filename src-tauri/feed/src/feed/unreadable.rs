//! Events that can't be read.
//!
//! Bytes change on their way, and publishers send what nobody can use. Which of the two it was is not to be seen, so the event is
//! asked for once more, from what was delivered. What can't be read then either is passed over as a gap of exactly
//! that place (H3), and a comparison with the server is sought, whose state is what the event came to, if it came to anything.
//!
//! Bounded (H5): events are asked for again a few times in a row and then seldom, and so are comparisons. In between the stream
//! goes on, live, and what may lack something says so.

use watchfloor_model::{Continuity, Delivery, Mono, Position};

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
        let Some(hole) = self.catchup.unreadable(channel, &position, &text) else { return };
        if hole.before == position {
            return self.handle_unreadable(&hole, now);
        }
        // More is missing before it. Past that it is the next one.
        if self.handle_hole(&hole, now)
            && let Some(hole) = self.catchup.unreadable(channel, &position, &text)
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
        let context = GapContext { loss: None, began: self.last_heard(now), ended: now };
        let gap = self.catchup.jump(hole, &context);
        let before = std::mem::replace(&mut self.status.continuity, Continuity::Unknown);
        self.status.counts.gaps_unknown += 1;
        self.checks.seek(before, &mut self.random, now);
        self.deliver(Delivery::Gap(gap));
    }
}
