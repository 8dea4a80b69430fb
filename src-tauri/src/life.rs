//! Signs of life, for whoever starts this program again when they cease: systemd, or the program's own small parent.
//!
//! They are given while the engine's loop answers and the page is painted, or is being brought back within the time that this may
//! take. They come from the threads that carry the commands, so they cease when those stand still as well.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::page::Backend;

/// The small parent names itself here.
const SUPERVISOR: &str = "WATCHFLOOR_SUPERVISOR";
/// How often a sign is given, unless systemd wants them more often.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// The loop has this long to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// A start reads the journal, which a slow disk may delay.
const START_LIMIT: Duration = Duration::from_secs(120);

/// What the glass says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Whether it has ever painted. Without a window, whether the wall runs.
    pub(crate) begun: bool,
    /// Whether all is well, or is being made well in time.
    pub(crate) well: bool,
    /// In words.
    pub(crate) words: String,
}

/// Binds this process to the parent that watches it, if there is one: it is never left alone. To be called first of all.
pub(crate) fn adopt() {
    #[cfg(target_os = "linux")]
    if let Some(parent) = std::env::var(SUPERVISOR).ok().and_then(|pid| pid.parse::<i32>().ok()) {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        if set_parent_process_death_signal(Some(Signal::KILL)).is_err() {
            return;
        }
        // It may have died before that.
        if getppid().is_none_or(|pid| pid.as_raw_nonzero().get() != parent) {
            std::process::exit(1);
        }
    }
}

/// Gives signs of life for as long as there is reason to. `glass` tells what it is like; without a window there is none.
pub(crate) async fn keep(running: watch::Receiver<Option<Backend>>, glass: impl Fn() -> Option<Condition>) {
    let mut keepers = Keepers::find();
    if keepers.nobody() {
        return;
    }
    let begun = Instant::now();
    let mut beat = interval(keepers.every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shows = false;
    loop {
        // That there is a board to show is told at once.
        let mut news = running.clone();
        tokio::select! {
            _ = beat.tick() => {}
            Ok(_) = news.wait_for(Option::is_some), if !shows => {}
        }
        let backend = running.borrow().clone();
        shows = backend.is_some();
        let answers = match &backend {
            None => begun.elapsed() < START_LIMIT,
            Some(backend) => timeout(ANSWER_LIMIT, backend.engine.glass_latency()).await.is_ok(),
        };
        let condition = glass().unwrap_or_else(|| Condition {
            begun: backend.is_some(),
            well: true,
            words: if backend.is_some() { "running without a window" } else { "starting" }.to_owned(),
        });
        let words = if answers { condition.words.as_str() } else { "the engine does not answer" };
        keepers.tell(answers && condition.well, shows, condition.begun, words).await;
    }
}

/// A sign of life before there is anything that could keep them up: what this program does by itself doesn't begin yet.
pub(crate) fn waiting(words: &str) {
    /// Longer than the pause between two of them.
    #[cfg(target_os = "linux")]
    const MICROS_MORE: u32 = 10_000_000;
    let keepers = Keepers::find();
    if let Some(Err(error)) = keepers.parent.as_ref().map(|parent| parent.beat(false)) {
        tracing::error!(%error, "the supervisor is gone");
    }
    #[cfg(target_os = "linux")]
    if keepers.systemd {
        use sd_notify::NotifyState;
        let said = [NotifyState::Status(words), NotifyState::ExtendTimeoutUsec(MICROS_MORE), NotifyState::Watchdog];
        if let Err(error) = sd_notify::notify(&said) {
            tracing::debug!(%error, "systemd can't be told");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = words;
}

/// This program is about to end in good order.
pub(crate) fn stopping() {
    #[cfg(target_os = "linux")]
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Stopping]) {
        tracing::debug!(%error, "systemd can't be told");
    }
}

/// Who is told.
struct Keepers {
    every: Duration,
    parent: Option<Parent>,
    systemd: bool,
    ready: bool,
    status: String,
}

impl Keepers {
    fn find() -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let parent = is_set(SUPERVISOR).then(Parent::of_standard_input).and_then(|parent| {
            parent
                .inspect_err(|error| tracing::warn!(%error, "the supervisor can't be told that this wall is well"))
                .ok()
        });
        let systemd = cfg!(target_os = "linux") && is_set("NOTIFY_SOCKET");
        #[cfg(target_os = "linux")]
        let watchdog = sd_notify::watchdog_enabled().filter(|_| systemd);
        #[cfg(not(target_os = "linux"))]
        let watchdog: Option<Duration> = None;
        // Twice within its time at least.
        let every = watchdog.map_or(BEAT_EVERY, |limit| (limit / 3).clamp(Duration::from_millis(50), BEAT_EVERY));
        Self { every, parent, systemd, ready: false, status: String::new() }
    }

    fn nobody(&self) -> bool {
        self.parent.is_none() && !self.systemd
    }

    async fn tell(&mut self, well: bool, shows: bool, begun: bool, words: &str) {
        if let Some(parent) = &self.parent
            && well
            && let Err(error) = parent.beat(shows)
        {
            tracing::error!(%error, "the supervisor is gone");
            self.parent = None;
        }
        #[cfg(target_os = "linux")]
        if self.systemd {
            self.tell_systemd(well, begun, words).await;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (begun, words);
    }

    #[cfg(target_os = "linux")]
    async fn tell_systemd(&mut self, well: bool, begun: bool, words: &str) {
        use sd_notify::NotifyState;

        let ready = begun && !self.ready;
        let changed = self.status != words;
        let status = words.to_owned();
        // A socket that nobody reads blocks, and must block nothing else.
        let told = tokio::task::spawn_blocking(move || {
            let mut said = Vec::new();
            said.extend(ready.then_some(NotifyState::Ready));
            said.extend(changed.then_some(NotifyState::Status(&status)));
            said.extend(well.then_some(NotifyState::Watchdog));
            if said.is_empty() { Ok(()) } else { sd_notify::notify(&said) }
        });
        match told.await {
            Ok(Ok(())) => {
                self.ready |= begun;
                words.clone_into(&mut self.status);
            }
            Ok(Err(error)) => tracing::debug!(%error, "systemd can't be told"),
            Err(error) => tracing::debug!(%error, "systemd can't be told"),
        }
    }
}

/// The small parent at the other end of standard input, which is a socket then.
#[cfg(unix)]
struct Parent(std::os::unix::net::UnixStream);

#[cfg(unix)]
impl Parent {
    fn of_standard_input() -> io::Result<Self> {
        use std::os::fd::AsFd;
        let socket = std::os::unix::net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// A sign of life, of a wall that has a board to show or of one that only begins.
    fn beat(&self, shows: bool) -> io::Result<()> {
        use std::io::Write;
        match (&self.0).write(if shows { b"+" } else { b"." }) {
            // It has enough to read.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other.map(drop),
        }
    }
}

#[cfg(not(unix))]
struct Parent;

#[cfg(not(unix))]
impl Parent {
    fn of_standard_input() -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn beat(&self, _shows: bool) -> io::Result<()> {
        Ok(())
    }
}
