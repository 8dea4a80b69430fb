//! A desktop's notifier, and what it was told.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{desktop::Desktop, wait::until_told};

/// For a start of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The desktop's notifier: what it is told it prints. It ends when this is dropped.
pub struct Notifier {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    bus: String,
    wanted: PathBuf,
}

impl Drop for Notifier {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Notifier {
    /// Starts one that keeps its files in `folder`.
    ///
    /// # Errors
    /// If it isn't installed.
    pub fn start(desktop: &Desktop, folder: &Path) -> Result<Self> {
        let chooser = folder.join("choose");
        let wanted = folder.join("wanted");
        fs::write(&wanted, "Acknowledge")?;
        fs::write(&chooser, format!("#!/bin/sh\ngrep -m1 -f {}\n", wanted.display()))?;
        let _ran = Command::new("chmod").arg("+x").arg(&chooser).status()?;
        let settings = folder.join("dunstrc");
        fs::write(&settings, format!("[global]\ndmenu = {}\nidle_threshold = 0\n", chooser.display()))?;
        let mut command = Command::new("dunst");
        command.arg("-conf").arg(&settings).arg("-print").stdin(Stdio::null()).stdout(Stdio::piped());
        desktop.enter(&mut command);
        let mut child = command.stderr(Stdio::null()).spawn().context("dunst: is it installed?")?;
        let output = BufReader::new(child.stdout.take().context("what it prints")?);
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.trim().to_owned());
            }
        });
        Ok(Self { child, said, bus: desktop.bus().to_owned(), wanted })
    }

    /// How often a heading was shown or changed.
    #[must_use]
    pub fn count(&self, heading: &str) -> usize {
        let line = format!("summary: '{heading}'");
        self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|own| **own == line).count()
    }

    /// How many lines had this in them.
    #[must_use]
    pub fn parts(&self, part: &str) -> usize {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|own| own.contains(part)).count()
    }

    /// Whether a line had this in it.
    #[must_use]
    pub fn has(&self, part: &str) -> bool {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|own| own.contains(part))
    }

    /// By how many notifications a heading was shown: changed in place it is the same one.
    #[must_use]
    pub fn notifications(&self, heading: &str) -> usize {
        let line = format!("summary: '{heading}'");
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids = BTreeSet::new();
        let mut is_it = false;
        for own in said.iter() {
            if own.starts_with("summary: ") {
                is_it = *own == line;
            } else if let Some(id) = own.strip_prefix("id: ").filter(|_| is_it) {
                ids.insert(id.to_owned());
            }
        }
        ids.len()
    }

    /// Presses the button of this name that it finds first.
    ///
    /// # Errors
    /// As [`Notifier::control`].
    pub fn press(&self, button: &str) -> Result<()> {
        fs::write(&self.wanted, button)?;
        self.control(&["context"]).map(drop)
    }

    /// It dies at once.
    ///
    /// # Errors
    /// If it can't be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Has it do something.
    ///
    /// # Errors
    /// If `dunstctl` can't be run.
    pub fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("dunstctl");
        command.args(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        Ok(String::from_utf8(command.output().context("dunstctl")?.stdout)?.trim().to_owned())
    }

    /// Until so many are to be seen.
    ///
    /// # Errors
    /// If that takes too long.
    pub async fn shows(&self, count: usize) -> Result<()> {
        until_told(&format!("{count} notifications"), LIMIT, async || {
            Ok((self.control(&["count", "displayed"])? == count.to_string()).then_some(()))
        })
        .await
    }
}
