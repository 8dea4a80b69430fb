//! Several addresses of one stream: one that is well is enough, and what is lost is said of the one that is lost.

use std::time::Duration;

use watchfloor_model::Phase;

use super::{GRACE, World, checks::at};
use crate::{fault::Window, plan::RECOVERY_MS};

/// How long a first try may take until it is said what is wrong.
const FIRST_TRY: Duration = Duration::from_secs(12);

impl World {
    /// Whether nothing is wrong with this address, and hasn't been for a while.
    fn is_well(&self, line: usize) -> bool {
        let since = self.now.since(self.calm_since[line]);
        since > Duration::from_millis(RECOVERY_MS) && self.active_on(line).next().is_none()
    }

    /// Whether an address is well: then everything is.
    pub(super) fn is_calm(&self) -> bool {
        (0..self.plan.lines).any(|line| self.is_well(line))
    }

    /// For how long it has been.
    pub(super) fn calm_for(&self) -> Duration {
        let well = (0..self.plan.lines).filter(|line| self.is_well(*line));
        well.map(|line| self.now.since(self.calm_since[line])).max().unwrap_or_default()
    }

    /// H2: of several addresses, the one that is lost is said to be, with a reason, and the one that is well isn't.
    pub(super) fn check_lines(&mut self) -> Result<(), String> {
        if self.plan.lines == 1 || self.wall.status.paths.len() != self.plan.lines || self.wall.backlog() > 0 {
            return Ok(());
        }
        let patience = FIRST_TRY.max(Duration::from_millis(self.plan.limit)) + GRACE;
        for line in 0..self.plan.lines {
            let path = &self.wall.status.paths[line];
            if self.is_well(line) && path.phase != Phase::Live && !self.is_unheralded() {
                return Err(format!("H2: nothing is wrong with {}, and it is said to be lost: {path:?}", path.place));
            }
            let silences = self.active.iter().map(|index| &self.plan.windows[*index]);
            let silences = silences.filter(|window| window.fault.silences() && window.is_on(line));
            let Some(since) = silences.map(|window| at(window.from)).min() else { continue };
            if self.now.since(since) <= patience || self.stood_still_since(since) {
                continue;
            }
            if path.phase == Phase::Live || path.cause.is_none() {
                return Err(format!("H1: {} has been lost for {:?}: {path:?}", path.place, self.now.since(since)));
            }
            self.met.count("a lost line was told");
        }
        Ok(())
    }

    /// Counts what was lost of one address without any loss, when it ends.
    pub(super) fn note_line(&mut self, window: &Window) {
        let long = window.to - window.from > 2_000;
        if window.line.is_some() && window.fault.silences() && long && self.is_calm() && self.is_current("count") {
            self.met.count("a lost line cost nothing");
        }
    }
}
