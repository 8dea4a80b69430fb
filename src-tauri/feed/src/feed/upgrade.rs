//! A link of polls that goes on by a WebSocket: the same session with the server, by a better way.
//!
//! ```text
//! Live by polls ─ from time to time ─→ a WebSocket is opened beside them, and says what session it is for
//!                                        │ the server answers: no further poll
//!                                        ↓ the last poll was answered, and all that was posted
//!                                      the WebSocket says so, and is the link: what comes now follows what came before
//! ```
//!
//! Where a protocol has this, it is done in place of a trial: the session has its events once, whatever it travels by, so
//! that nothing must be compared. Until the last step the polls bring everything, and an upgrade that fails costs nothing.

use watchfloor_model::{Mono, Transport};

use super::Feed;
use crate::{
    fault::{Fault, FaultKind},
    limits::UPGRADE_TIMEOUT,
    liveness::Liveness,
    port::{Input, LinkId, Output},
    timers::TimerReason,
};

/// The WebSocket by which a link is to go on.
#[derive(Debug)]
pub(super) struct Upgrade {
    id: LinkId,
    /// The link.
    of: LinkId,
    rung: usize,
    /// The server has answered.
    is_taken: bool,
}

impl Feed {
    /// Opens a WebSocket for the session of the link, if the protocol has that. Says whether it does.
    pub(super) fn begin_upgrade(&mut self, rung: usize, transport: Transport, now: Mono) -> bool {
        let polled = self.link.as_ref().filter(|link| link.transport == Transport::LongPoll);
        let Some(link) = polled.filter(|_| transport == Transport::WebSocket) else { return false };
        let Some(request) = self.dialect.upgrade(&self.config, link.session.cursor()) else { return false };
        let of = link.id;
        let id = self.next_link();
        self.outputs.push_back(Output::Open { link: id, transport, request });
        self.upgrade = Some(Upgrade { id, of, rung, is_taken: false });
        self.timers.set(TimerReason::Trial, now.plus(UPGRADE_TIMEOUT));
        true
    }

    pub(super) fn is_upgrade(&self, id: LinkId) -> bool {
        self.upgrade.as_ref().is_some_and(|upgrade| upgrade.id == id)
    }

    /// Whether the server waits for the last poll.
    pub(super) fn is_upgrading(&self) -> bool {
        self.upgrade.as_ref().is_some_and(|upgrade| upgrade.is_taken)
    }

    /// What happened on the WebSocket, while the link still is the polls.
    pub(super) fn handle_upgrade(&mut self, input: Input, now: Mono) {
        let (Some(upgrade), Some(link)) = (&mut self.upgrade, &mut self.link) else { return };
        match input {
            Input::Opened { .. } => {
                let said = link.session.begin_upgrade().map(|message| Output::Send { link: upgrade.id, message });
                self.outputs.extend(said);
            }
            Input::Text { text, .. } if link.session.takes_upgrade(&text) => {
                upgrade.is_taken = true;
                self.timers.clear(TimerReason::Ask);
            }
            Input::Closed { code, reason, .. } => {
                self.fail_upgrade(&Fault::server(FaultKind::Closed { code, reason }), false, now);
            }
            Input::Failed { fault, .. } => self.fail_upgrade(&self.link_fault(fault), false, now),
            Input::Text { .. } | Input::Binary { .. } => {
                let text = "something else than an answer to the upgrade".to_owned();
                self.fail_upgrade(&Fault::server(FaultKind::Unreadable(text)), true, now);
            }
            _ => {}
        }
    }

    /// It took too long. False if there is none.
    pub(super) fn fail_late_upgrade(&mut self, now: Mono) -> bool {
        let is_late = self.upgrade.is_some();
        if is_late {
            self.fail_upgrade(&Fault::network(FaultKind::OpenTimeout { after: UPGRADE_TIMEOUT }), true, now);
        }
        is_late
    }

    /// The polls go on.
    fn fail_upgrade(&mut self, fault: &Fault, close: bool, now: Mono) {
        let Some(upgrade) = self.upgrade.take() else { return };
        if close {
            self.outputs.push_back(Output::Close { link: upgrade.id });
        }
        if upgrade.is_taken && self.link.as_ref().is_some_and(|link| !link.is_asking) {
            self.timers.set(TimerReason::Ask, now);
        }
        self.ladder.fail_trial(upgrade.rung, fault);
        self.status.detour = self.ladder.detour().map(Into::into);
        self.changed = true;
        self.timers.clear(TimerReason::Trial);
        self.plan_trial(now);
    }

    /// Ends a turn: the WebSocket becomes the link if nothing else is out, or is let go with the link that it was for.
    pub(super) fn settle_upgrade(&mut self, now: Mono) {
        let Some(upgrade) = &self.upgrade else { return };
        let Some(link) = self.link.as_mut().filter(|link| link.id == upgrade.of) else {
            self.outputs.push_back(Output::Close { link: upgrade.id });
            self.upgrade = None;
            return;
        };
        if !upgrade.is_taken || link.is_asking {
            return;
        }
        let Some(message) = link.session.finish_upgrade() else { return };
        // What the server has had since the last poll was asked for may still be to come.
        let (old, rung, asked) = (link.id, upgrade.rung, link.asked);
        link.id = upgrade.id;
        link.transport = Transport::WebSocket;
        link.prompt_at = None;
        let mut liveness = Liveness::new(self.config.limit, Transport::WebSocket, asked, asked);
        liveness.set_heartbeat(std::time::Duration::ZERO);
        liveness.hear(now);
        link.liveness = Some(liveness);
        self.outputs.push_back(Output::Send { link: link.id, message });
        self.outputs.push_back(Output::Close { link: old });
        self.upgrade = None;
        self.timers.clear(TimerReason::Ask);
        self.timers.clear(TimerReason::Trial);
        self.ladder.climb(rung);
        self.status.transport = Some(self.ladder.transport());
        self.status.detour = self.ladder.detour().map(Into::into);
        self.changed = true;
        self.plan_trial(now);
    }
}
