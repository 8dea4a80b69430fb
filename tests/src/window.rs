//! The real program with a window, of its own process, and what can be known of it from outside.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::{
    bench::{glass, proc},
    faults::process::signal_to,
    screen::FrameBuffer,
    wait::{until, until_or},
};

/// An end in good order saves the board.
const END_LIMIT: Duration = Duration::from_secs(20);

/// A wall's program; it is ended when this is dropped, with the processes that it started.
pub struct WindowProcess {
    program: Child,
    data: PathBuf,
}

impl Drop for WindowProcess {
    fn drop(&mut self) {
        // It may be gone already. Its supervisor ends it, and is waited for.
        let _ = signal_to(self.program.id(), Signal::TERM);
        let ended = until("its end", END_LIMIT, || Ok(self.program.try_wait()?));
        if ended.is_err() {
            for pid in proc::tree(self.program.id()).unwrap_or_default().into_iter().rev() {
                let _ = signal_to(pid, Signal::KILL);
            }
            let _ = self.program.wait();
        }
    }
}

impl WindowProcess {
    /// Starts one by `command`, which has its program, its display and what it shows; the data folder is added.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(command: &mut Command, data: &Path) -> Result<Self> {
        Self::start_with(command.stderr(Stdio::null()), data)
    }

    /// The same, with what it says on stderr to be read by [`WindowProcess::words`].
    ///
    /// # Errors
    /// As [`WindowProcess::start`].
    pub fn start_to_be_heard(command: &mut Command, data: &Path) -> Result<Self> {
        Self::start_with(command.stderr(Stdio::piped()), data)
    }

    fn start_with(command: &mut Command, data: &Path) -> Result<Self> {
        command.arg("--data-dir").arg(data).env_remove("WAYLAND_DISPLAY");
        let program = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("the wall")?;
        Ok(Self { program, data: data.to_owned() })
    }

    /// Its number; where there is a supervisor, that one's.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.id()
    }

    /// What it says on stderr, once.
    pub fn words(&mut self) -> Option<ChildStderr> {
        self.program.stderr.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// If that can't be asked.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.program.try_wait()?)
    }

    /// The processes of its pages.
    ///
    /// # Errors
    /// If `/proc` can't be read.
    pub fn pages(&self) -> Result<BTreeSet<u32>> {
        proc::pages(self.program.id())
    }

    /// All that it has logged.
    ///
    /// # Errors
    /// If a log can't be read.
    pub fn logs(&self) -> Result<String> {
        logs(&self.data)
    }

    /// How often it says something in its log.
    ///
    /// # Errors
    /// If a log can't be read.
    pub fn says(&self, words: &str) -> Result<usize> {
        Ok(self.logs()?.matches(words).count())
    }

    /// Looks until something is found.
    ///
    /// # Errors
    /// If it is not within `limit`, with the log.
    pub fn wait<T>(&self, what: &str, limit: Duration, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        until_or(what, limit, look, || self.logs())
    }

    /// Waits until its page paints on this screen: its code tells the newest event's time, and goes on.
    ///
    /// # Errors
    /// If it doesn't within `limit`, with the log.
    pub fn paints(&self, screen: &Path, limit: Duration) -> Result<()> {
        paints(screen, limit, || self.logs())
    }
}

/// All that a wall of this data folder has logged; nothing where there is no log yet.
///
/// # Errors
/// If a log can't be read.
pub fn logs(data: &Path) -> Result<String> {
    let Ok(folder) = fs::read_dir(data.join("logs")) else { return Ok(String::new()) };
    folder.map(|entry| Ok(fs::read_to_string(entry?.path())?)).collect()
}

/// Waits until a page paints on this screen: its code tells the newest event's time, and goes on.
///
/// # Errors
/// If it doesn't within `limit`, with what `told` says.
pub fn paints(screen: &Path, limit: Duration, told: impl Fn() -> Result<String>) -> Result<()> {
    let code = || glass::figures_code(&FrameBuffer::open(screen)?);
    let before = code()?;
    until_or("a newer value", limit, || Ok(code()?.filter(|code| Some(*code) != before)), told)?;
    Ok(())
}
