//! Looking back: what the glass showed, from the journal alone (`docs/operations.md`).
//!
//! The journal is read beside whoever writes it, by a connection that can't write. A record's hash is checked when it is read:
//! what doesn't follow from the record before it is shown all the same, and marked as what it is.

pub(crate) mod body;
mod error;
mod look;
mod player;
mod reader;
mod reel;
mod report;
mod since;
mod stretch;
mod verify;
mod view;

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use std::{path::Path, time::Duration};

use watchfloor_board::frame::Frame;
use watchfloor_model::Timestamp;

pub use self::{
    error::PastError,
    look::{Gesture, LookBack, LookBackConfig, is_past_revision},
    verify::{Broken, Hole, Verified},
};
pub(crate) use self::{
    look::present,
    reader::Reader,
    since::{Glass, UNRECORDED_MAX},
};
use crate::recorder::PERIOD_QUIET;

/// From one record to the next it takes at most this long, unless there is a hole: records come every two seconds at least, and a
/// program that is slow is given some more.
pub(crate) const HOLE_AFTER: Duration = PERIOD_QUIET.saturating_add(Duration::from_secs(3));

/// What the glass showed at `at`, as [`crate::Engine::report`] tells it of the present, with `at` besides: as far as it could be
/// seen on the glass. `data_dir` may belong to a program that runs.
///
/// # Errors
/// If there is no journal, it can't be read, or nothing is recorded of that time.
pub fn report(data_dir: &Path, at: Timestamp) -> Result<serde_json::Value, PastError> {
    let mut reel = reel::Reel::new(Reader::open(data_dir)?);
    let range = reel.reader().range()?;
    range.check(at)?;
    reel.seek(at)?;
    Ok(report::report(&view::view(&reel, at), range))
}

/// What was recorded last, whole.
///
/// # Errors
/// If there is no journal, it can't be read, or nothing is recorded.
pub(crate) fn newest(data_dir: &Path) -> Result<Option<Frame>, PastError> {
    let mut reel = reel::Reel::new(Reader::open(data_dir)?);
    let newest = reel.reader().range()?.newest;
    reel.seek(newest)?;
    Ok(reel.scene().and_then(|scene| scene.held.clone()))
}

/// Whether something is recorded of `at`.
///
/// # Errors
/// If there is no journal, it can't be read, or nothing is recorded of that time.
pub fn check(data_dir: &Path, at: Timestamp) -> Result<(), PastError> {
    Reader::open(data_dir)?.range()?.check(at)
}

/// Walks the chain from its oldest record to its newest.
///
/// # Errors
/// If there is no journal, it can't be read, or nothing is recorded.
pub fn verify(data_dir: &Path) -> Result<Verified, PastError> {
    verify::verify(&Reader::open(data_dir)?)
}
