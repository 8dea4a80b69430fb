//! `watchfloor screens`: which monitors there are, how to name them, and which screen would be on each.

use std::process::ExitCode;

use serde_json::json;

use super::{Monitor, Screen, Spot, span::Unspanned};
use crate::{cli::DataArgs, failure::Failure, output, settings::Settings, surroundings};

/// Prints one line a monitor, and one for each screen that has none.
pub(crate) fn run(data: DataArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let folder = surroundings::data_dir(data.data_dir, None)?;
    let settings = Settings::read(&folder).map_err(Failure::Input)?;
    let monitors = monitors()?;
    let plan = super::plan(&settings.screens, &monitors);
    let spots = super::spots(&settings.screens);
    let on = |at: usize| -> Option<(Spot, &Screen)> {
        let window = plan.places.iter().position(|place| *place == Some(at))?;
        let spot = *spots.get(window)?;
        Some((spot, settings.screens.get(spot.screen)?))
    };
    for (at, monitor) in monitors.iter().enumerate() {
        let (spot, screen) = on(at).unzip();
        // From 1, as people count.
        let part = spot.and_then(|spot: Spot| spot.part).map(|part| part + 1);
        let edid = monitor.identity.as_ref().map(ToString::to_string);
        let place = monitor.place;
        if as_json {
            output::line(&json!({
                "name": monitor.name, "edid": edid, "x": place.x, "y": place.y, "width": place.width, "height": place.height,
                "width_mm": monitor.size_mm.0, "height_mm": monitor.size_mm.1, "screen": screen.map(|screen| &screen.id), "part": part,
            }))?;
            continue;
        }
        let size = match monitor.size_mm {
            (0, _) | (_, 0) => "size not told".to_owned(),
            (width, height) => format!("{width} × {height} mm"),
        };
        let edid = edid.map_or_else(|| "no EDID".to_owned(), |edid| format!("edid = {edid:?}"));
        let screen = match (screen, settings.screens.is_empty()) {
            (Some(screen), _) => match part {
                Some(part) => format!("screen {}, monitor {part} of {}", screen.id, monitors_of(screen)),
                None => format!("screen {}", screen.id),
            },
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
    for (at, screen) in settings.screens.iter().enumerate().filter(|_| !as_json) {
        let own = plan.of(&settings.screens, at, &monitors);
        let Some(picture) = super::span::span(screen, &own, settings.screen) else { continue };
        let id = &screen.id;
        match picture {
            Ok(span) => {
                let Some(part) = span.parts.first() else { continue };
                let ([width, height], [across, down]) = (part.monitor_px, part.hidden_px);
                let whole = |count: u32, own: u32, hidden: u32| count * own + count.saturating_sub(1) * hidden;
                let unmeasured = if span.is_unmeasured { ": no monitor says its size" } else { "" };
                output::line(&format_args!(
                    "screen {id} is one picture of {}×{}: {} × {} monitors, of which {across} px across and {down} px down are left out \
                     behind the bezels{unmeasured}",
                    whole(part.columns, width, across),
                    whole(part.rows, height, down),
                    part.columns,
                    part.rows,
                ))?;
            }
            Err(why) => {
                let count = monitors_of(screen);
                let is_covered = |window: &usize| spots.get(*window).is_some_and(|spot| spot.screen == at);
                let why = match &why {
                    Unspanned::Gone(_) if plan.covered.iter().any(is_covered) => {
                        "its monitors show the same part of the desktop".to_owned()
                    }
                    Unspanned::Gone(missing) => {
                        format!("{why} of {count} {} not there", if missing.len() > 1 { "are" } else { "is" })
                    }
                    _ => why.to_string(),
                };
                output::line(&format_args!("screen {id} is not spanned: {why}"))?;
            }
        }
    }
    for &(at, host) in &plan.guests {
        if let (Some(guest), Some(host), false) = (settings.screens.get(at), settings.screens.get(host), as_json) {
            let is_covered = plan.covered.iter().any(|window| spots.get(*window).is_some_and(|spot| spot.screen == at));
            let why = if is_covered { "has a monitor that shows what another one shows" } else { "has no monitor" };
            output::line(&format_args!("screen {} {why}: its pages turn on screen {}", guest.id, host.id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn monitors_of(screen: &Screen) -> usize {
    screen.monitors.iter().map(Vec::len).sum()
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
