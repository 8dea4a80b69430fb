//! Why the engine can't start, in one line that says what to do.

use std::{net::SocketAddr, path::PathBuf};

use watchfloor_board::config::Diagnostics;

/// Why [`crate::Engine::start`] or [`crate::logs::start`] gave up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The board file can't be read.
    #[error("{path}: {reason}: give the path of a readable board file")]
    BoardUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The board file says something that no board file may say. Displays as the whole list of errors.
    #[error("{0}")]
    Board(Diagnostics),
    /// A source's address can't be used.
    #[error("source `{id}`: its url is no usable address: {reason}: give an http or https address")]
    SourceUrl {
        /// The source.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address was given for a source that the board doesn't have.
    #[error("the board has no source `{id}`: expected one of {known}")]
    UnknownSource {
        /// The source that was named.
        id: String,
        /// Those that exist.
        known: String,
    },
    /// The data folder can't be written.
    #[error("data folder {path}: {reason}: make it writable or choose another with --data-dir")]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Another process holds the data folder.
    #[error("data folder {path} is in use by another Watchfloor: close it or choose another with --data-dir")]
    AlreadyRunning {
        /// The folder.
        path: PathBuf,
    },
    /// The journal was written by a newer program, which alone knows what it means. The file was left as it is.
    #[error(
        "journal {path} has format {found}, this program knows up to {known}: use the newer program or another --data-dir"
    )]
    JournalNewer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The metrics can't be offered at the address asked for.
    #[error("metrics address {address}: {reason}: choose a free one with --metrics")]
    MetricsAddress {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The system refused something that every program needs.
    #[error("{what}: {reason}: free some of this machine's memory, threads or file handles")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        reason: String,
    },
}

/// Whose turn it is to put something right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever wrote the input: exit code 1.
    Input,
    /// Whoever runs the machine: exit code 3.
    Environment,
}

impl EngineError {
    /// Whose turn it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::BoardUnreadable { .. } | Self::Board(_) | Self::SourceUrl { .. } | Self::UnknownSource { .. } => {
                Blame::Input
            }
            Self::DataFolder { .. }
            | Self::AlreadyRunning { .. }
            | Self::JournalNewer { .. }
            | Self::MetricsAddress { .. }
            | Self::System { .. } => Blame::Environment,
        }
    }

    /// The exit code of a program that ends with this: 1 for wrong input, 3 for a lacking environment.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self.blame() {
            Blame::Input => 1,
            Blame::Environment => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contract of design section 9: one line that says what to do, exit code 1 for input and 3 for the environment.
    #[test]
    fn says_what_to_do_in_one_line() {
        for (error, code, part) in [
            (EngineError::AlreadyRunning { path: "d".into() }, 3, "--data-dir"),
            (EngineError::DataFolder { path: "d".into(), reason: "read-only".into() }, 3, "writable"),
            (EngineError::JournalNewer { path: "j".into(), found: 9, known: 1 }, 3, "format 9"),
            (
                EngineError::MetricsAddress { address: ([127, 0, 0, 1], 9).into(), reason: "in use".into() },
                3,
                "--metrics",
            ),
            (EngineError::BoardUnreadable { path: "b.toml".into(), reason: "not found".into() }, 1, "readable"),
            (EngineError::UnknownSource { id: "x".into(), known: "`ops`".into() }, 1, "expected one of `ops`"),
        ] {
            assert_eq!(error.exit_code(), code, "{error}");
            let text = error.to_string();
            assert!(text.contains(part) && !text.contains('\n'), "{text}");
        }
    }
}
