//! `watchfloor screens`: which monitors there are, how to name them, and which screen would be on each.

use std::process::ExitCode;

use serde_json::json;

use super::Monitor;
use crate::{cli::DataArgs, failure::Failure, output, settings::Settings, surroundings};

/// Prints one line a monitor, and one for each screen that has none.
pub(crate) fn run(data: DataArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let folder = surroundings::data_dir(data.data_dir, None)?;
    let settings = Settings::read(&folder).map_err(Failure::Input)?;
    let monitors = monitors()?;
    let plan = super::plan(&settings.screens, &monitors);
    let screen_on = |at: usize| {
        let place = plan.places.iter().position(|place| *place == Some(at))?;
        settings.screens.get(place)
    };
    for (at, monitor) in monitors.iter().enumerate() {
        let screen = screen_on(at);
        let edid = monitor.identity.as_ref().map(ToString::to_string);
        let place = monitor.place;
        if as_json {
            output::line(&json!({
                "name": monitor.name, "edid": edid, "x": place.x, "y": place.y, "width": place.width, "height": place.height,
                "width_mm": monitor.size_mm.0, "height_mm": monitor.size_mm.1, "screen": screen.map(|screen| &screen.id),
            }))?;
            continue;
        }
        let size = match monitor.size_mm {
            (0, _) | (_, 0) => "size not told".to_owned(),
            (width, height) => format!("{width} × {height} mm"),
        };
        let edid = edid.map_or_else(|| "no EDID".to_owned(), |edid| format!("edid = {edid:?}"));
        let screen = match (screen, settings.screens.is_empty()) {
            (Some(screen), _) => format!("screen {}", screen.id),
            (None, true) => "no screens are set".to_owned(),
            (None, false) => "no screen".to_owned(),
        };
        output::line(&format_args!(
            "name = {:<12} {}×{} at {},{}  {size}  {edid}  {screen}",
            format!("{:?}", monitor.name),
            place.width,
            place.height,
            place.x,
            place.y
        ))?;
    }
    for (guest, host) in &plan.guests {
        if let (Some(guest), Some(host), false) = (settings.screens.get(*guest), settings.screens.get(*host), as_json) {
            output::line(&format_args!("screen {} has no monitor: its pages turn on screen {}", guest.id, host.id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(target_os = "linux")]
fn monitors() -> Result<Vec<Monitor>, Failure> {
    surroundings::display()?;
    let found = super::monitors::Server::open().and_then(|server| server.monitors());
    found.map_err(|error| {
        Failure::Environment(format!("the monitors can't be asked for: {error}: an X server is needed"))
    })
}

#[cfg(not(target_os = "linux"))]
fn monitors() -> Result<Vec<Monitor>, Failure> {
    Err(Failure::Environment("monitors are told apart on Linux with X11 only".to_owned()))
}
