//! The record of alarms, as who asks for it gets it.

use std::{path::Path, process::Command};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::program::program;

/// All entries of a data folder's record, oldest first, as `watchfloor alarms export` has them.
///
/// # Errors
/// If there is none, or it can't be read.
pub fn record(data: &Path) -> Result<Vec<Value>> {
    let output =
        Command::new(program("watchfloor")?).args(["alarms", "export", "--json", "--data-dir"]).arg(data).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}
