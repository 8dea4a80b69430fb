//! What outlives the process: history, answers to keys, the aggregates, in one SQLite file.
//!
//! ```text
//!   publish ─▶ state ─ outbox ─▶ writer: one transaction ─▶ state: kept ─▶ readers, publishers
//!                         ▲                    │ meanwhile the next publishers'
//!                         └────────────────────┘ events gather for the next one
//! ```
//!
//! Each transaction holds everything that was taken since the one before, in the order in which it was taken, so what a crash leaves
//! behind is always the hub as it once was: a beginning of the one order of all events. Of a `durable` channel, nothing after that was
//! told to anybody. What was told of a `fast` one is a hole: its offsets are never given again, for they were set apart before.

mod aside;
mod batch;
mod file;
mod outbox;
mod place;
mod revoked;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    batch::{Batch, Checkpoint, Loaded, Stand, Stored, StoredChannel, StoredKey, Write},
    file::File,
    outbox::Outbox,
    writer::{Opened, Store},
};

use std::{io, path::PathBuf};

/// Where a hub keeps what outlives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// A folder of its own. It is made if need be, for this user only.
    pub folder: PathBuf,
}

/// Why a store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("another hub uses {}: end it, or choose another folder", .0.display())]
    Taken(PathBuf),
    /// It is of a newer hub.
    #[error("{} was written by a newer hub, in format {format}: use that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        format: u32,
    },
    /// What SQLite says.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// It isn't what a hub has written.
    #[error("{0}")]
    Damaged(String),
    /// What the file system says.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl StoreError {
    /// Whether the file itself is bad, so that only a new one helps.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            // A value that isn't what was written there: SQLite itself looks into no cell.
            Self::Sql(
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..),
            ) => true,
            Self::Sql(error) => matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
            ),
            Self::Taken(_) | Self::Newer { .. } | Self::Io(_) => false,
        }
    }
}
