//! What a window needs of the machine, looked for before GTK is, which would end the process without a word of help.

use std::{env, path::PathBuf};

use crate::failure::Failure;

/// Whether a window can be opened.
pub(crate) fn display() -> Result<(), Failure> {
    if cfg!(not(target_os = "linux")) || ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(is_set) {
        return Ok(());
    }
    Err(Failure::Environment(
        "no display: set DISPLAY or WAYLAND_DISPLAY, or run with --headless to do without a window".to_owned(),
    ))
}

/// A file that grows beyond a limit of the system's is a disk that refuses: the wall says so and goes on. Unheard, the signal
/// that comes with it would end the program. To be called on the runtime.
pub(crate) fn outlive_file_limits() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        /// `SIGXFSZ`, the same number on Linux and macOS.
        const FILE_TOO_LARGE: i32 = 25;
        // Heard once, it is never again left to the system; what it tells, the write that failed tells too.
        if let Err(error) = signal(SignalKind::from_raw(FILE_TOO_LARGE)) {
            tracing::warn!(%error, "a limit on the size of files would end this program");
        }
    }
}

/// Whether native notifications have a bus to travel by.
pub(crate) fn session_bus() -> Result<(), Failure> {
    if cfg!(not(target_os = "linux")) || is_set("DBUS_SESSION_BUS_ADDRESS") || default_bus().is_some() {
        return Ok(());
    }
    Err(Failure::Environment(
        "no session bus for notifications: start under `dbus-run-session`, or run with --notifications off".to_owned(),
    ))
}

/// The data folder: the one asked for, else the user's own.
pub(crate) fn data_dir(asked: Option<PathBuf>, demo: bool) -> Result<PathBuf, Failure> {
    if let Some(dir) = asked {
        return Ok(dir);
    }
    let base = dirs::data_dir().ok_or_else(|| {
        Failure::Environment("no home folder to keep data in: set HOME, or choose a folder with --data-dir".to_owned())
    })?;
    Ok(base.join("watchfloor").join(if demo { "demo" } else { "wall" }))
}

fn default_bus() -> Option<PathBuf> {
    let bus = PathBuf::from(env::var_os("XDG_RUNTIME_DIR")?).join("bus");
    bus.exists().then_some(bus)
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
