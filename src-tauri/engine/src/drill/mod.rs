//! The lamp test: a running wall is walked through what can go wrong with it, on a copy of its feeds' state, and it is held against
//! what is really on the glass (`docs/operations.md`).
//!
//! ```text
//! engine ─ a copy ─▶ course ─ frames ─▶ page
//!                    │ twin (board, feeds) ⇄ peer      page ─ what can be seen ─▶ course ─▶ report
//! ```
//!
//! The feeds and the board are the real ones with their real limits; their other end is in memory. The present goes on beneath, and
//! nothing leads from here to the network, the journal, alarms or what is counted of the sources.

mod course;
mod peer;
mod report;
mod running;
mod step;
mod twin;

#[cfg(test)]
mod tests;

pub(crate) use self::twin::Copied;
pub use self::{
    course::is_drill_revision,
    report::{Missed, Outcome, Plan, Progress, StepReport, Verdict},
    running::{Drill, Glass},
};
