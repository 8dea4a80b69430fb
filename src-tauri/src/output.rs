//! Standard output, where a closed pipe is an answer and no reason to panic.

use std::io::{self, Write};

use crate::failure::Failure;

/// Prints `line` and a line end.
///
/// # Errors
/// If nobody reads any more.
pub(crate) fn line(line: &dyn std::fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Environment(format!("standard output can't be written: {error}")))
}

/// Prints `line` and a line end to standard error; where that is closed there is nobody left to tell.
pub(crate) fn complain(line: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
