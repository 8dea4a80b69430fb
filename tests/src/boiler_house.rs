//! A boiler house: a hub of its own, and the board of a wall whose alarms a test raises, acknowledges and clears, also around kills.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{faults::process::HubProcess, record::record};

/// For a start of an unoptimised build on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);
/// What is said behind what may have been told before.
pub const REPEATED: &str = "It may have been told before";
/// What is shown of the alarm `full`.
pub const FULL: &str = "High: Tank ‹b›full‹/b›";
/// Of `hot`.
pub const HOT: &str = "CRITICAL: Boiler too hot";
/// Of `ready`.
pub const READY: &str = "High: Ready";

/// The board of a wall: `full` above a level of 50, `hot` above a heat of 90, `ready` while somebody says so, with nobody who has to acknowledge it, `tank` of each tank of which somebody says so.
/// `sound` is from which priority on there is any.
fn board(port: u16, sound: &str) -> String {
    format!(
        r#"
[board]
title = "Boiler house"
stale-after = "2s"

[alarms]
notify = "high"
sound = "{sound}"
source-lost = "none"

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:{port}"
channels = ["ops"]

[[widget]]
id = "level"
kind = "gauge"
on = "values"
value = "level"

[[widget]]
id = "heat"
kind = "gauge"
on = "values"
value = "heat"

[[alarm]]
id = "full"
title = "Tank <b>full</b>"
advice = "Close valve 7."
when = "level > 50"
priority = "high"

[[alarm]]
id = "hot"
title = "Boiler too hot"
when = "heat > 90"
priority = "critical"

[[alarm]]
id = "ready"
title = "Ready"
on = "ready"
raise = "event.is_ready"
priority = "high"
acknowledge = "none"

[[alarm]]
id = "tank"
title = "Tank runs over"
on = "tank"
raise = "event.is_over"
key = "tank"
priority = "high"
"#
    )
}

/// A hub, and a folder with a board file for it and with what its wall keeps.
pub struct BoilerHouse {
    hub: HubProcess,
    folder: tempfile::TempDir,
}

impl BoilerHouse {
    /// Starts the hub. No wall is started yet.
    ///
    /// # Errors
    /// If the hub doesn't start.
    pub async fn start(sound: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("board.toml");
        fs::write(&file, board(1, sound))?;
        let hub = HubProcess::start(&file).await?;
        fs::write(&file, board(hub.address().port(), sound))?;
        Ok(Self { hub, folder })
    }

    /// Where all of it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The board's file.
    #[must_use]
    pub fn board(&self) -> PathBuf {
        self.folder().join("board.toml")
    }

    /// The wall's data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// What is measured.
    ///
    /// # Errors
    /// If the hub doesn't take it.
    pub async fn measure(&self, level: u32, heat: u32) -> Result<()> {
        self.say("values", json!({"level": level, "heat": heat})).await
    }

    /// Whether it is ready.
    ///
    /// # Errors
    /// If the hub doesn't take it.
    pub async fn ready(&self, is_ready: bool) -> Result<()> {
        self.say("ready", json!({"is_ready": is_ready})).await
    }

    /// A tank runs over.
    ///
    /// # Errors
    /// If the hub doesn't take it.
    pub async fn run_over(&self, tank: usize) -> Result<()> {
        self.say("tank", json!({"tank": format!("tank {tank}"), "is_over": true})).await
    }

    async fn say(&self, name: &str, data: Value) -> Result<()> {
        self.hub.publish(&json!({"channel": "ops", "name": name, "data": data})).await
    }

    /// The wall's record of a rule, oldest first.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    pub fn record(&self, rule: &str) -> Result<Vec<Value>> {
        Ok(record(&self.data())?.into_iter().filter(|entry| entry["rule"] == rule).collect())
    }

    /// What a wall that doesn't run has noted is of two hours before: how much people are told in ten minutes, and that there is a flood, is another
    /// test's matter.
    ///
    /// # Errors
    /// If its journal can't be written.
    pub fn let_hours_pass(&self) -> Result<()> {
        let journal = rusqlite::Connection::open(self.data().join("journal.db"))?;
        journal.busy_timeout(LIMIT)?;
        journal.execute("DELETE FROM meta WHERE key = 'alarm-told'", [])?;
        journal.execute("UPDATE alarm SET decided_ms = decided_ms - 7200000", [])?;
        Ok(())
    }

    /// The raises in it.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    pub fn raises(&self, rule: &str) -> Result<Vec<Value>> {
        Ok(self.record(rule)?.into_iter().filter(|entry| entry["what"] == "raise").collect())
    }
}

/// Kills a process, at once and without a word.
///
/// # Errors
/// If there is none.
pub fn kill(pid: u32) -> Result<()> {
    ensure!(Command::new("kill").args(["-9", &pid.to_string()]).status()?.success(), "it had ended by itself");
    Ok(())
}

/// Instants that are the same in every run: a linear congruential generator (Knuth, MMIX).
pub struct Dice(u64);

impl Default for Dice {
    fn default() -> Self {
        Self(7)
    }
}

impl Dice {
    /// A length of time below `most_us` µs.
    pub fn instant(&mut self, most_us: u64) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((self.0 >> 33) % most_us.max(1))
    }
}
