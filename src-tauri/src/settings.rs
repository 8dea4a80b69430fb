//! What is remembered between runs: how pages are rendered, where the window stood.
//!
//! One JSON file in the data folder, written by tauri's store plugin once there is an app, and read plainly before there is one,
//! as the renderer must be known before GTK starts.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    cli::{MapChoice, Renderer},
    kiosk,
    light::Light,
    screens,
    sight::Screen,
};

/// The file's name in the data folder.
pub(crate) const FILE: &str = "settings.json";
/// The window's key in the file.
pub(crate) const WINDOW: &str = "window";
/// The second window's.
pub(crate) const SECOND: &str = "second-window";
/// Where a file is kept that isn't understood.
const KEPT: &str = "settings.json.kept";
/// A larger file isn't one of this program's.
const BYTES_MAX: u64 = 1 << 20;

/// Everything in the file.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// How pages are rendered unless the command line says otherwise.
    pub(crate) renderer: Renderer,
    /// What maps stand on whose board names `tiles`, unless the command line says otherwise.
    pub(crate) map: MapChoice,
    /// Where the window stood.
    pub(crate) window: Option<Window>,
    /// Where the second window stood, if there ever was one.
    #[serde(rename = "second-window")]
    pub(crate) second_window: Option<Window>,
    /// The screens of a kiosk with several; none for one window.
    pub(crate) screens: Vec<screens::Screen>,
    /// MiB that the page's process may hold before another page takes its place, unseen; zero is no bound. Twice what it
    /// holds after an hour.
    #[serde(rename = "page-memory")]
    pub(crate) page_memory: u64,
    /// When the screens of a kiosk are off.
    pub(crate) display: Option<kiosk::Display>,
    /// What tells how dark the room is.
    pub(crate) light: Option<Light>,
    /// How large this machine's screen is, and from how far it is read.
    pub(crate) screen: Screen,
    /// Whether a desk's tray shows how the wall is.
    pub(crate) tray: bool,
    /// What becomes of a desk's wall when its first window is closed.
    pub(crate) close: Closing,
}

/// What becomes of a desk's wall when its first window is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Closing {
    /// It ends.
    #[default]
    Quit,
    /// It goes on behind its mark in the tray, where there is one; else it ends.
    Tray,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            renderer: Renderer::default(),
            map: MapChoice::default(),
            window: None,
            second_window: None,
            screens: Vec::new(),
            page_memory: 600,
            display: None,
            light: None,
            screen: Screen::default(),
            tray: true,
            close: Closing::default(),
        }
    }
}

/// Size and place of the window, in physical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
    /// Pixels from the left.
    pub(crate) x: i32,
    /// Pixels from the top.
    pub(crate) y: i32,
    /// Whether it was open when the wall ended.
    #[serde(default)]
    pub(crate) open: bool,
}

impl Settings {
    /// Reads the file of `data_dir`; a missing one is the defaults.
    ///
    /// # Errors
    /// One line for people if the file can't be read or understood.
    pub(crate) fn read(data_dir: &Path) -> Result<Self, String> {
        let path = data_dir.join(FILE);
        let read = fs::File::open(&path).and_then(|file| {
            let mut text = Vec::new();
            file.take(BYTES_MAX + 1).read_to_end(&mut text).map(|_| text)
        });
        let text = match read {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
        };
        if text.len() as u64 > BYTES_MAX {
            return Err(format!("{} is not understood: it is larger than 1 MiB: mend or remove it", path.display()));
        }
        let own: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("{} is not understood: {error}: mend or remove it", path.display()))?;
        own.check().map_err(|error| format!("{}: {error}", path.display()))?;
        let bounded = |window: Window| window.bounded();
        Ok(Self { window: own.window.map(bounded), second_window: own.second_window.map(bounded), ..own })
    }

    /// What no single value tells.
    fn check(&self) -> Result<(), String> {
        screens::check(&self.screens)?;
        self.display.as_ref().map_or(Ok(()), |display| display.hours().map(drop))?;
        self.light.as_ref().map_or(Ok(()), Light::check)
    }

    /// The same for a wall, which shows its board whatever became of this file: one that isn't understood is kept beside, and told.
    pub(crate) fn read_or_default(data_dir: &Path) -> (Self, Option<String>) {
        match Self::read(data_dir) {
            Ok(settings) => (settings, None),
            Err(error) => {
                let kept = fs::rename(data_dir.join(FILE), data_dir.join(KEPT)).is_ok();
                let kept = if kept { format!("; it is kept as {KEPT}") } else { String::new() };
                (Self::default(), Some(format!("{error}{kept}: the wall runs without settings")))
            }
        }
    }
}

impl Window {
    /// Of a size that a window can have.
    fn bounded(self) -> Self {
        Self { width: self.width.clamp(320, 16_384), height: self.height.clamp(200, 16_384), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_default_and_nonsense_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(Settings::read(dir.path()), Ok(Settings::default()));
        fs::write(dir.path().join(FILE), r#"{"renderer":"software","other":1}"#).expect("written");
        assert_eq!(Settings::read(dir.path()).expect("settings").renderer, Renderer::Software);
        fs::write(dir.path().join(FILE), r#"{"screen":{"diagonal-mm":1651}}"#).expect("written");
        assert_eq!(Settings::read(dir.path()).expect("settings").screen.diagonal_mm, Some(1651));
        fs::write(dir.path().join(FILE), r#"{"renderer":"fast"}"#).expect("written");
        let error = Settings::read(dir.path()).expect_err("nonsense");
        assert!(error.contains("fast") && error.contains("software"), "{error}");
    }

    /// A wall comes up whatever stands in its file, says so, and what stood there isn't lost.
    #[test]
    fn a_damaged_file_stops_no_wall() {
        let dir = tempfile::tempdir().expect("a folder");
        let huge = format!("{{\"other\":\"{}\"}}", "x".repeat(BYTES_MAX as usize));
        for damaged in [
            "{\"window\":",
            "\u{0}\u{0}",
            "7",
            r#"{"screens":[{"id":"A B"}]}"#,
            r#"{"display":{"off":"9","on":"7"}}"#,
            &huge,
        ] {
            fs::write(dir.path().join(FILE), damaged).expect("written");
            let (settings, told) = Settings::read_or_default(dir.path());
            assert_eq!(settings, Settings::default());
            assert!(told.is_some_and(|told| told.contains(KEPT)), "{}", damaged.len());
            assert_eq!(fs::read_to_string(dir.path().join(KEPT)).expect("kept"), damaged);
            assert_eq!(Settings::read_or_default(dir.path()), (Settings::default(), None));
        }
        fs::write(dir.path().join(FILE), r#"{"window":{"width":0,"height":4000000000,"x":1,"y":-5}}"#)
            .expect("written");
        let window = Settings::read(dir.path()).expect("settings").window.expect("a window");
        assert_eq!((window.width, window.height, window.x, window.y, window.open), (320, 16_384, 1, -5, false));
    }
}
