//! Who publishes, and when.

use std::time::Duration;

use watchfloor_model::Mono;

use super::{Action, GRACE, World};
use crate::{
    fault::Fault,
    server::{Form, Said},
};

impl World {
    pub(super) fn plan_publish(&mut self, channel: usize) {
        let gap = self.plan.gap;
        // Most wait about as long as the mean, some for much longer.
        let wait = if self.draw.chance(10) { self.draw.millis(gap, 4 * gap) } else { self.draw.millis(1, gap * 3 / 2) };
        self.after(wait, Action::Publish(channel));
    }

    /// A publisher that promises to speak does so in good time.
    pub(super) fn plan_alive(&mut self, channel: usize) {
        if let Some(quiet) = self.plan.quiet {
            let wait = self.draw.millis(quiet / 4, quiet / 2);
            self.after(wait, Action::Alive(channel));
        }
    }

    pub(super) fn publish(&mut self, channel: usize) {
        let bad = self.is_active(|fault| fault == Fault::BadEvents) && self.draw.chance(40);
        let form = match (bad, self.draw.chance(50)) {
            (true, true) => Form::BadData,
            (true, false) => Form::Garbage,
            (false, _) => Form::Good,
        };
        let name = match self.draw.below(10) {
            0 => "drop",
            1 => "note",
            _ => "set",
        };
        let said = Said { name, key: self.draw.below(9), value: self.draw.below(1000), bad: self.draw.chance(30) };
        self.server.publish(channel, form, said, self.now);
        self.plan_check(self.now);
    }

    /// Looks again when what happened at `since` must have been found missing.
    pub(super) fn plan_check(&mut self, since: Mono) {
        let limit = Duration::from_millis(self.plan.limit) + GRACE;
        for times in [1, 3] {
            let patient = Duration::from_millis(self.plan.limit * times) + GRACE;
            if times == 1 || !self.active.is_empty() {
                self.at(since.plus(patient.max(limit)).plus(Duration::from_micros(1)), Action::Check);
            }
        }
    }
}
