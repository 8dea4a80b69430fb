//! A wall that nobody leaves by accident, and whose display doesn't sleep.

#[cfg(target_os = "linux")]
mod awake;
// Hours are read wherever there are settings, and kept where there is an X server.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod display;
#[cfg(target_os = "linux")]
mod enclosure;
#[cfg(target_os = "linux")]
mod guard;
pub(crate) mod install;
mod keys;

use std::{thread, time::Duration};

use tauri::{AppHandle, WebviewWindow};

pub(crate) use self::display::Display;
#[cfg(target_os = "linux")]
pub(crate) use self::enclosure::place_now;
#[cfg(target_os = "linux")]
pub(crate) use self::guard::{close_ways_out, is_own};
#[cfg(target_os = "linux")]
pub(crate) use crate::screens::keep::Place;
use crate::{failure::Failure, life, output, surroundings};

/// Windows are placed by their system.
#[cfg(not(target_os = "linux"))]
pub(crate) type Place = ();

/// How often a display is looked for that isn't there yet.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Makes the window a kiosk's, which belongs to `place`. To be called on the main thread, before the window is shown.
pub(crate) fn enclose(app: &AppHandle, window: &WebviewWindow, place: &Place) -> tauri::Result<()> {
    #[cfg(target_os = "linux")]
    enclosure::enclose(app, window, place)?;
    #[cfg(not(target_os = "linux"))]
    let _ = (app, window, place);
    Ok(())
}

/// Opens the display, however long it takes until there is one: nobody stands by to start a kiosk again. To be called on the main
/// thread, before there is another.
///
/// # Errors
/// If the environment names none: it will not come by itself.
pub(crate) fn wait_for_display() -> Result<(), Failure> {
    surroundings::display()?;
    let mut waits = false;
    while let Err(failure) = surroundings::open_display() {
        if !waits {
            output::complain(&format_args!("watchfloor: waiting for a display: {failure}"));
            waits = true;
        }
        life::waiting("waiting for a display");
        thread::sleep(LOOK_EVERY);
    }
    if waits {
        output::complain(&"watchfloor: the display is there");
    }
    Ok(())
}

/// Keeps display and machine awake, for as long as it is polled.
pub(crate) async fn keep_awake() {
    #[cfg(target_os = "linux")]
    awake::keep().await;
}

/// Turns the screens off at their hours, for as long as it is polled.
#[cfg(target_os = "linux")]
pub(crate) async fn keep_hours(display: Display, engine: watchfloor_engine::Engine) {
    display::keep(display, engine).await;
}

/// When and by what the screens are turned off, in one line.
#[cfg(target_os = "linux")]
pub(crate) fn hours_words(display: Option<&Display>) -> String {
    display::words(display)
}

/// By what a kiosk on this machine would be kept awake, in one line.
#[cfg(target_os = "linux")]
pub(crate) async fn awake_words() -> String {
    awake::tell().await
}

/// Whether the page may go there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_own(url: &tauri::Url) -> bool {
    // By whichever scheme this system has for it.
    url.host_str() == Some("localhost") || url.host_str() == Some("tauri.localhost")
}
