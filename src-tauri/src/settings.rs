//! What is remembered between runs: how pages are rendered, where the window stood.
//!
//! One JSON file in the data folder, written by tauri's store plugin once there is an app, and read plainly before there is one,
//! as the renderer must be known before GTK starts.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{cli::Renderer, sight::Screen};

/// The file's name in the data folder.
pub(crate) const FILE: &str = "settings.json";
/// The window's key in the file.
pub(crate) const WINDOW: &str = "window";

/// Everything in the file.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// How pages are rendered unless the command line says otherwise.
    pub(crate) renderer: Renderer,
    /// Where the window stood.
    pub(crate) window: Option<Window>,
    /// MiB that the page's process may hold before another page takes its place, unseen; zero is no bound. Twice what it
    /// holds after an hour.
    #[serde(rename = "page-memory")]
    pub(crate) page_memory: u64,
    /// How large this machine's screen is, and from how far it is read.
    pub(crate) screen: Screen,
}

impl Default for Settings {
    fn default() -> Self {
        Self { renderer: Renderer::default(), window: None, page_memory: 600, screen: Screen::default() }
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
}

impl Settings {
    /// Reads the file of `data_dir`; a missing one is the defaults.
    ///
    /// # Errors
    /// One line for people if the file can't be read or understood.
    pub(crate) fn read(data_dir: &Path) -> Result<Self, String> {
        let path = data_dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("{} can't be read: {error}", path.display())),
        };
        serde_json::from_slice(&text)
            .map_err(|error| format!("{} is not understood: {error}: mend or remove it", path.display()))
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
}
