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
            Fault::HalfOpen => {
                if let Some(link) = &mut self.link {
                    link.dead = true;
                }
            }
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
                if let Some(link) = &mut self.link {
                    link.dead = true;
                }
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
        let Some(link) = self.link.take() else { return };
        self.killed.insert(link.id);
        if link.dead {
            return;
        }
        let id = link.id;
        let input = match code {
            Some(_) if self.plan.transport == Transport::WebSocket => {
                Input::Closed { link: id, code, reason: String::new() }
            }
            Some(_) => Input::Closed { link: id, code: None, reason: String::new() },
            None => Input::Failed { link: id, fault: LinkFault::new(LinkFaultKind::Reset, "") },
        };
        let after = self.draw.millis(1, 20);
        self.at(self.now.plus(after), Action::Input(input));
    }

    /// H4: another feed goes on from what the journal holds.
    fn crash(&mut self) -> Result<(), String> {
        self.lives += 1;
        if let Some(link) = self.link.take() {
            self.killed.insert(link.id);
        }
        self.actions.retain(|_, action| {
            !matches!(
                action,
                Action::Input(_)
                    | Action::Accept(..)
                    | Action::Text(..)
                    | Action::Ping(_)
                    | Action::Fetch(..)
                    | Action::Heartbeat(_)
            )
        });
        self.killed.clear();
        self.held = None;
        self.ended = None;
        self.unanswered_pings = 0;
        self.feed = Feed::new(config(&self.plan), self.plan.seed + self.lives);
        self.feed.restore(self.wall.positions());
        self.was_live = false;
        self.link_at_live = None;
        self.opens.clear();
        self.status = SourceStatus::default();
        self.feed.start(self.now);
        self.drain()
    }
}
