//! What each fault does when it begins and ends. What it does while it lasts is up to who asks for it.

use std::time::Duration;

use super::{Action, World};
use crate::fault::Fault;

impl World {
    pub(super) fn begin(&mut self, index: usize) -> Result<(), String> {
        let window = self.plan.windows[index].clone();
        self.note(|| {
            format!(
                "--- begin {:?}{}",
                window.fault,
                window.line.map(|line| format!(" of line {line}")).unwrap_or_default()
            )
        });
        self.active.push(index);
        self.met.count(window.fault.name());
        if window.fault.silences() {
            self.plan_check(self.now);
        }
        match window.fault {
            Fault::Cut => self.cut(window.line, None),
            Fault::HalfOpen => self.deaden(window.line),
            Fault::Trim(keep) => self.server.trim(keep),
            Fault::Epoch { empty } => {
                self.server.begin_epoch(empty, self.now);
                self.plan_check(self.now);
                self.pump();
            }
            Fault::Restart { epoch, empty } => {
                if epoch {
                    self.server.begin_epoch(empty, self.now);
                    self.plan_check(self.now);
                }
                let goodbye = self.plan.dialect.map_or((1001, ""), crate::dialects::Name::goodbye);
                self.restart_talks(!epoch);
                self.cut(None, Some(goodbye));
            }
            Fault::Revoked => {
                let denial = self.plan.dialect.map_or((1008, "unauthorized"), crate::dialects::Name::denial);
                self.cut(window.line, Some(denial));
            }
            Fault::Withdrawn => self.withdraw(),
            Fault::StaleSnapshot => self.stale_snapshot = Some(self.server.snapshot(self.now)),
            Fault::Burst(count) => {
                for _ in 0..count {
                    let channel = usize::try_from(self.draw.below(self.plan.channels as u64)).unwrap_or(0);
                    if !self.gone[channel] {
                        self.publish(channel);
                    }
                }
                self.pump();
            }
            Fault::Suspend => {
                self.frozen = true;
                self.deaden(None);
            }
            Fault::Pause => self.frozen = true,
            Fault::Crash => {
                self.frozen = true;
                self.kill()?;
            }
            Fault::ClockStep(seconds) => self.wall.clock_off += seconds * 1000,
            Fault::PublisherDies(number) => {
                let channel = self.channel_of(number);
                self.gone[channel] = true;
                if let (Some(quiet), Some(heard)) = (self.plan.quiet, self.server.heard(channel)) {
                    let found = heard.plus(Duration::from_millis(quiet) + super::GRACE * 2);
                    self.at(found.max(self.now), Action::Check);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, index: usize) -> Result<(), String> {
        let window = self.plan.windows[index].clone();
        let fault = window.fault;
        self.note(|| format!("--- end {fault:?}"));
        self.note_line(&window);
        self.active.retain(|active| *active != index);
        for line in (0..self.plan.lines).filter(|line| window.is_on(*line)) {
            self.calm_since[line] = self.now;
        }
        match fault {
            Fault::PublisherDies(number) => {
                let channel = self.channel_of(number);
                let dead = |fault| matches!(fault, Fault::PublisherDies(other) if self.channel_of(other) == channel);
                if !self.is_active(dead) {
                    self.gone[channel] = false;
                    self.server.alive(channel, self.now);
                }
            }
            Fault::StaleSnapshot if !self.is_active(|fault| fault == Fault::StaleSnapshot) => {
                self.stale_snapshot = None;
            }
            Fault::Trim(_) if !self.is_active(|fault| matches!(fault, Fault::Trim(_))) => {
                self.server.keep(self.plan.history);
            }
            Fault::ClockStep(seconds) if self.draw.chance(50) => self.wall.clock_off -= seconds * 1000,
            Fault::Suspend => {
                self.deaden(None);
                self.thaw()?;
            }
            Fault::Pause | Fault::Crash => self.thaw()?,
            _ => {}
        }
        self.let_go();
        self.hear_out()?;
        self.pump();
        Ok(())
    }

    pub(super) fn channel_of(&self, number: u64) -> usize {
        usize::try_from(number).unwrap_or(0) % self.plan.channels
    }

    /// The program runs again, if nothing else holds it: what waited for it comes at once.
    fn thaw(&mut self) -> Result<(), String> {
        let still = |fault| matches!(fault, Fault::Suspend | Fault::Pause | Fault::Crash);
        if self.is_active(still) {
            return Ok(());
        }
        self.frozen = false;
        if self.killed_off {
            self.thawed.retain(|action| !action.is_of_life());
        }
        for action in std::mem::take(&mut self.thawed) {
            self.at(self.now, action);
        }
        if self.killed_off {
            self.killed_off = false;
            self.wall.restart(&self.server, self.now)?;
            if let Some(told) = &self.wall.ledger.told {
                self.had.clone_from(&told.had);
            }
            self.met.count("started again");
            self.wall.feed.start(self.now);
        }
        Ok(())
    }

    /// H4: everything that the program held is gone.
    fn kill(&mut self) -> Result<(), String> {
        self.killed_off = true;
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            if self.is_heard_to_end(id) {
                self.end_talk(id);
            }
        }
        self.links.clear();
        self.posting.clear();
        self.killed.clear();
        self.held.clear();
        self.ended.clear();
        self.unanswered_pings.clear();
        self.thawed.retain(|action| !action.is_of_life());
        self.opens.clear();
        self.asks.clear();
        self.questions.clear();
        self.turned_out.clear();
        self.commit_at = None;
        self.was_live = false;
        Ok(())
    }
}
