//! What each fault does when it begins. What it does while it lasts is up to who asks for it.

use std::time::Duration;

use watchfloor_feed::{Feed, Input, LinkFault, LinkFaultKind};
use watchfloor_model::{SourceStatus, Transport};

use super::{Action, World, config};
use crate::faults::Fault;

impl World {
    pub(super) fn begin(&mut self, index: usize) -> Result<(), String> {
        let fault = self.plan.windows[index].fault;
        self.note(|| format!("--- begin {fault:?}"));
        self.active.push(index);
        match fault {
            Fault::Cut => self.cut(None),
            Fault::HalfOpen => self.links.values_mut().for_each(|link| link.dead = true),
            Fault::Trim(keep) => self.hub.trim(keep),
            Fault::Epoch { empty } => {
                self.hub.begin_epoch(empty, self.now);
                self.pump();
            }
            Fault::Restart { epoch } => {
                if epoch {
                    self.hub.begin_epoch(false, self.now);
                }
                self.cut(Some(1001));
            }
            Fault::Burst(count) => {
                for _ in 0..count {
                    self.publish();
                }
                self.pump();
            }
            Fault::Suspend => {
                self.now = self.now.plus(Duration::from_secs(3600));
                self.links.values_mut().for_each(|link| link.dead = true);
                for _ in 0..50 {
                    self.publish();
                }
            }
            Fault::Pause(millis) => self.now = self.now.plus(Duration::from_millis(millis)),
            Fault::Crash => self.crash()?,
            _ => {}
        }
        Ok(())
    }

    fn cut(&mut self, code: Option<u16>) {
        for (id, link) in std::mem::take(&mut self.links) {
            let polls = matches!(link.transport, Transport::LongPoll | Transport::Poll);
            // Between two polls there is nothing to break.
            if polls && link.waiting.is_none() {
                self.links.insert(id, link);
                continue;
            }
            self.killed.insert(id);
            if link.dead {
                continue;
            }
            let input = match code {
                Some(_) if link.transport == Transport::WebSocket => {
                    Input::Closed { link: id, code, reason: String::new() }
                }
                Some(_) if !polls => Input::Closed { link: id, code: None, reason: String::new() },
                Some(_) | None => Input::Failed { link: id, fault: LinkFault::new(LinkFaultKind::Reset, "") },
            };
            let after = self.draw.millis(1, 20);
            self.at(self.now.plus(after), Action::Input(input));
        }
    }

    /// H4: another feed goes on from what the journal holds.
    fn crash(&mut self) -> Result<(), String> {
        self.lives += 1;
        self.links.clear();
        self.actions.retain(|_, action| {
            !matches!(
                action,
                Action::Input(_)
                    | Action::Accept(..)
                    | Action::Asked(..)
                    | Action::Answer(..)
                    | Action::Text(..)
                    | Action::Ping(_)
                    | Action::Fetch(..)
                    | Action::Heartbeat(_)
            )
        });
        self.killed.clear();
        self.held.clear();
        self.ended.clear();
        self.unanswered_pings.clear();
        self.feed = Feed::new(config(&self.plan), self.plan.seed + self.lives);
        self.feed.restore(self.wall.positions());
        self.was_live = false;
        self.link_at_live = None;
        self.opens.clear();
        self.asks.clear();
        self.status = SourceStatus::default();
        self.feed.start(self.now);
        self.drain()
    }
}
