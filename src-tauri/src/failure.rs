//! How the program ends when it can't go on: one line that says what to do, and an exit code that programs understand.

use std::{fmt, process::ExitCode};

use watchfloor_engine::EngineError;

/// Why the program ends.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What it was given is wrong.
    Input(String),
    /// It was asked for what there isn't.
    Usage(String),
    /// The environment lacks something.
    Environment(String),
    /// Another process holds the data folder.
    AlreadyRunning(String),
    /// This program is wrong.
    Defect(String),
}

impl Failure {
    /// 1 for wrong input, 2 for wrong usage, 3 for a lacking environment, 4 for a defect; clap ends with 2 by itself.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Input(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Environment(_) | Self::AlreadyRunning(_) => ExitCode::from(3),
            Self::Defect(_) => ExitCode::from(4),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text)
            | Self::Usage(text)
            | Self::Environment(text)
            | Self::AlreadyRunning(text)
            | Self::Defect(text) => f.write_str(text),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::AlreadyRunning { .. } => Self::AlreadyRunning(error.to_string()),
            _ if error.exit_code() == 1 => Self::Input(error.to_string()),
            _ => Self::Environment(error.to_string()),
        }
    }
}
