//! Another link for a newer token, where the one that stands can't be told of it.
//!
//! ```text
//! one beside it joins what was delivered ──────────→ that takes over, without a gap
//! it joins nothing; the old token has an end ──────→ the link stands until then, or until the server ends it
//! it joins nothing; nobody knows of an end ────────→ one beside it shows whether the token is taken; then the link is
//!                                                    begun anew, behind a gap
//! ```
//!
//! Where nothing is joined both would tell the same, and nobody could say what of it is told twice: so there is one at a time. It costs a
//! gap, so that it is put off for as long as the old token is good, and nothing is tried twice.

use watchfloor_model::{Mono, Phase};

use super::{
    Feed,
    access::{Pass, is_unauthorised},
};
use crate::{fault::Fault, protocols::counted::is_counted, timers::TimerReason};

impl Feed {
    /// The link that stands came by an older token than the newest, and can't be told that one.
    pub(super) fn begin_replacement(&mut self, now: Mono) {
        if self.trial.is_some() {
            return;
        }
        let Some(link) = &self.link else { return };
        let was_tried = self.access.unjoined == Some(self.access.number);
        let is_last = was_tried || !self.joins();
        // What the server hasn't answered yet it may still take on this link.
        if is_last && (link.pass.has_end() || link.pass.is_pending()) {
            return;
        }
        if was_tried {
            return self.begin_anew(now);
        }
        self.start_trial(self.ladder.rung(), self.ladder.transport(), true, now);
    }

    /// The link that was to replace the one that stands has failed.
    pub(super) fn fail_replacement(&mut self, fault: &Fault, pass: Pass, now: Mono) {
        if is_unauthorised(fault) && pass.token == self.access.number {
            return self.decline_token(&fault.to_string(), now);
        }
        let again = self.access.backoff.next(fault.verdict(), &mut self.random).map(|wait| now.plus(wait));
        self.access.timers.put(TimerReason::Trial, again);
    }

    /// The server takes the token of the link that was to replace the one that stands, and that joins nothing.
    pub(super) fn find_unjoined(&mut self, fault: &Fault, pass: Pass, now: Mono) {
        // A server that counts may know the place once the link that stands has brought what is newer.
        if self.catchup.delivered().all(|(_, place)| !is_counted(place)) && self.joins() {
            return self.fail_replacement(fault, pass, now);
        }
        self.access.unjoined = Some(pass.token);
        self.plan_trial(now);
        let has_end = self.link.as_ref().is_none_or(|link| link.pass.has_end());
        if self.stage == Phase::Live && pass.token == self.access.number && !has_end {
            self.begin_anew(now);
        }
    }

    /// Whether a link beside the one that stands may go on where that is.
    fn joins(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.session.joins())
    }

    /// Leaves the link for one by the newest token.
    fn begin_anew(&mut self, now: Mono) {
        self.flush();
        let reason = "the token was changed, which takes another link";
        self.note_desync(reason, now);
        self.set_cause(reason.to_owned());
        self.reopen(now);
    }
}
