//! What a window needs of the machine, looked for before GTK is, which would end the process without a word of help.

use std::{
    env,
    path::{self, PathBuf},
};

use watchfloor_demo::StoryName;

use crate::failure::Failure;

/// Whether there is a display to open a window on, as far as the environment tells.
pub(crate) fn display() -> Result<(), Failure> {
    if cfg!(not(target_os = "linux")) || ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(is_set) {
        return Ok(());
    }
    Err(Failure::Environment(
        "no display: set DISPLAY or WAYLAND_DISPLAY, or run with --headless to do without a window".to_owned(),
    ))
}

/// Opens the display. To be called on the main thread, when the web view's environment is set: GTK keeps it open.
pub(crate) fn open_display() -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    if gtk::init().is_err() {
        let named: Vec<String> = ["WAYLAND_DISPLAY", "DISPLAY", "GDK_BACKEND"]
            .into_iter()
            .filter_map(|name| Some(format!("{name}={}", env::var_os(name)?.to_string_lossy())))
            .collect();
        return Err(Failure::Environment(format!(
            "the display can't be opened ({}): expected a running X server or Wayland compositor that lets this user in: \
             mend that, or run with --headless to do without a window",
            named.join(", ")
        )));
    }
    Ok(())
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

/// Whether native notifications have a bus to travel by, as far as the environment tells.
pub(crate) fn session_bus() -> Result<(), Failure> {
    if cfg!(not(target_os = "linux")) || is_set("DBUS_SESSION_BUS_ADDRESS") || default_bus().is_some() {
        return Ok(());
    }
    Err(Failure::Environment(
        "no session bus for notifications: start under `dbus-run-session`, or run with --notifications off".to_owned(),
    ))
}

/// Connects to the bus, and lets go again.
pub(crate) fn reach_session_bus() -> Result<(), Failure> {
    watchfloor_engine::desktop::reach_bus().map_err(|reason| {
        let named = env::var_os("DBUS_SESSION_BUS_ADDRESS").filter(|address| !address.is_empty());
        let named = named.map_or_else(
            || "in XDG_RUNTIME_DIR".to_owned(),
            |address| format!("DBUS_SESSION_BUS_ADDRESS={}", address.to_string_lossy()),
        );
        Failure::Environment(format!(
            "the session bus for notifications can't be reached ({named}): {reason}: start under `dbus-run-session`, or run \
             with --notifications off"
        ))
    })
}

/// The data folder: the one asked for, else the user's own, one a demo. Absolute, so that it is the same folder for everybody.
pub(crate) fn data_dir(asked: Option<PathBuf>, demo: Option<StoryName>) -> Result<PathBuf, Failure> {
    if let Some(dir) = asked {
        return path::absolute(&dir)
            .map_err(|error| Failure::Usage(format!("--data-dir {}: {error}: give a folder", dir.display())));
    }
    let base = dirs::data_dir().ok_or_else(|| {
        Failure::Environment("no home folder to keep data in: set HOME, or choose a folder with --data-dir".to_owned())
    })?;
    let name = match demo {
        None => "wall".to_owned(),
        Some(StoryName::Flights) => "demo".to_owned(),
        Some(story) => format!("demo-{story}"),
    };
    Ok(base.join("watchfloor").join(name))
}

fn default_bus() -> Option<PathBuf> {
    let bus = PathBuf::from(env::var_os("XDG_RUNTIME_DIR")?).join("bus");
    bus.exists().then_some(bus)
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The store plugin looks for relative paths below a folder of its own: settings and journal would lie apart.
    #[test]
    fn a_relative_data_folder_lies_below_the_working_folder() {
        let here = env::current_dir().expect("a working folder");
        assert_eq!(data_dir(Some("walls/one".into()), None).expect("a folder"), here.join("walls/one"));
        assert!(matches!(data_dir(Some(PathBuf::new()), None), Err(Failure::Usage(_))));
    }
}
