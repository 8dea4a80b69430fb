//! `watchfloor doctor`: what this machine has, and what follows for the wall.

use std::{fs, path::Path, process::ExitCode};

use watchfloor_engine::{announce::sound, desktop};

#[cfg(target_os = "linux")]
use crate::tray;
use crate::{
    cli::{DataArgs, MapChoice, Renderer},
    drill,
    failure::Failure,
    gpu, kiosk, light, output,
    settings::Settings,
    surroundings,
};

/// For what answers by a bus.
#[cfg(target_os = "linux")]
const ANSWER_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// Prints one line a finding. Exits with 3 if a wall could not run.
pub(crate) fn run(data: DataArgs, renderer: Option<Renderer>, map: Option<MapChoice>) -> Result<ExitCode, Failure> {
    let mut is_sound = true;
    let mut tell = |name: &str, finding: Result<String, String>| {
        is_sound &= finding.is_ok();
        match finding {
            Ok(text) => output::line(&format_args!("ok    {name:<14} {text}")),
            Err(text) => output::line(&format_args!("wrong {name:<14} {text}")),
        }
    };
    tell("version", Ok(env!("CARGO_PKG_VERSION").to_owned()))?;
    tell(
        "display",
        surroundings::display()
            .and_then(|()| surroundings::open_display())
            .map(|()| "it opens".to_owned())
            .map_err(|failure| failure.to_string()),
    )?;
    tell(
        "notifications",
        surroundings::session_bus()
            .and_then(|()| surroundings::reach_session_bus())
            .map(|()| desktop::notifier().unwrap_or_else(|lack| lack.to_string()))
            .map_err(|failure| failure.to_string()),
    )?;
    tell("sound", Ok(sound::words(None)))?;
    #[cfg(target_os = "linux")]
    tell("kiosk", Ok(awake()))?;
    #[cfg(target_os = "linux")]
    tell("tray", Ok(tray()))?;
    let data_dir = surroundings::data_dir(data.data_dir, None)?;
    tell("data folder", writable(&data_dir).map(|()| data_dir.display().to_string()))?;
    tell("lamp test", Ok(drill::last_words(&data_dir)))?;
    let settings = Settings::read(&data_dir);
    let asked = renderer.or_else(|| settings.as_ref().ok().map(|settings| settings.renderer)).unwrap_or_default();
    let own = settings.as_ref().ok();
    let map = map.or_else(|| own.map(|own| own.map)).unwrap_or_default();
    #[cfg(target_os = "linux")]
    tell("screen hours", Ok(kiosk::hours_words(own.and_then(|own| own.display.as_ref()))))?;
    tell("room's light", Ok(light::words(own.and_then(|own| own.light.as_ref()))))?;
    tell("settings", settings.map(|settings| format!("renderer = {:?}", settings.renderer).to_lowercase()))?;
    let choice = gpu::choose(asked);
    tell("renderer", Ok(choice.because.clone()))?;
    let words = gpu::map_words(map, &choice);
    for (name, value) in choice.environment {
        tell("", Ok(format!("{name}={value} will be set for the page")))?;
    }
    tell("map", Ok(words))?;
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// By what a kiosk would be kept awake. A bus may not answer.
#[cfg(target_os = "linux")]
fn awake() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked =
        runtime.map(|runtime| runtime.block_on(async { tokio::time::timeout(ANSWER_MAX, kiosk::awake_words()).await }));
    match asked {
        Ok(Ok(words)) => words,
        Ok(Err(_)) => "what could keep display and machine awake does not answer".to_owned(),
        Err(error) => format!("not known: {error}"),
    }
}

/// Whether this desktop has a tray. A bus may not answer.
#[cfg(target_os = "linux")]
fn tray() -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked = runtime.map(|runtime| runtime.block_on(async { tokio::time::timeout(ANSWER_MAX, tray::tell()).await }));
    match asked {
        Ok(Ok(words)) => words,
        Ok(Err(_)) => "whoever has the tray does not answer".to_owned(),
        Err(error) => format!("not known: {error}"),
    }
}

fn writable(dir: &Path) -> Result<(), String> {
    let lacking = |error: std::io::Error| {
        format!("{} can't be written: {error}: mend its permissions, or choose a folder with --data-dir", dir.display())
    };
    fs::create_dir_all(dir).map_err(lacking)?;
    tempfile::tempfile_in(dir).map(drop).map_err(lacking)
}
