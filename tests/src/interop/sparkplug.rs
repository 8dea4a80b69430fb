//! A node of Sparkplug B beside a broker, and what a board shows of it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::process::{Launch, Process};
use crate::program::root;

/// What the board shows of its device.
pub(super) const WIDGET: &str = r#"
[[widget]]
id = "temperature"
kind = "gauge"
on = "Plant/Line/Pump"
value = "metrics.Temperature"
"#;

fn installed() -> PathBuf {
    root().join("target/interop/sparkplug")
}

/// Why there can be no node, if so.
pub(super) fn missing() -> Option<String> {
    let is_there = installed().join("node_modules/protobufjs").is_dir();
    (!is_there).then(|| "target/interop/sparkplug is missing: scripts/interop.sh installs it".to_owned())
}

/// A node whose device has a temperature. It is killed when it is dropped, and the broker tells its death.
pub(super) struct Node {
    process: Process,
}

impl Node {
    /// Starts it by its number of birth, with this temperature. The inner error says why it can't be had here.
    pub(super) fn start(
        stand: &Path,
        broker: SocketAddr,
        birth: u32,
        temperature: f64,
    ) -> Result<std::result::Result<Self, String>> {
        Self::start_as("Line", stand, broker, birth, temperature)
    }

    /// The same with a name.
    pub(super) fn start_as(
        name: &str,
        stand: &Path,
        broker: SocketAddr,
        birth: u32,
        temperature: f64,
    ) -> Result<std::result::Result<Self, String>> {
        if let Some(why) = missing() {
            return Ok(Err(why));
        }
        let script = root().join("tests/src/interop/sparkplug.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(broker.port().to_string()).arg(installed());
        command.arg(birth.to_string()).arg(temperature.to_string()).arg(name);
        let log = stand.join("sparkplug.log");
        Ok(Ok(Self { process: Process::start_told(Launch { command, log })? }))
    }

    /// Has it tell what the temperature was two minutes ago, when it couldn't.
    pub(super) fn tell_of_before(&mut self, temperature: f64) -> Result<()> {
        self.process.tell(&format!("~{temperature}\n"))
    }

    /// Has it tell another temperature; with `skips`, a message before it is missing.
    pub(super) fn tell(&mut self, temperature: f64, skips: bool) -> Result<()> {
        self.process.tell(&format!("{}{temperature}\n", if skips { "!" } else { "" }))
    }
}
