//! Why the past can't be shown, in one line that says what to do.

use std::path::PathBuf;

use watchfloor_model::Timestamp;

/// Why looking back is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PastError {
    /// There is no journal.
    #[error("there is no journal in {path}: name the wall's data folder with --data-dir")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing was recorded yet.
    #[error("the journal in {path} has no record of the glass: nothing was recorded by this version yet")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// It was asked for a time of which there is no record.
    #[error("nothing is recorded of {asked}: the record goes from {first} to {last}")]
    OutOfRange {
        /// The time.
        asked: String,
        /// The oldest record's.
        first: String,
        /// The newest record's.
        last: String,
    },
    /// The journal is for newer programs only.
    #[error("journal {path} has format {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// It can't be read.
    #[error("journal {path} can't be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

impl PastError {
    /// Whether what was asked for is wrong, and not the machine.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Empty { .. } | Self::OutOfRange { .. })
    }
}

/// A time as people and programs read it.
pub(super) fn words(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
