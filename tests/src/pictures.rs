//! Pictures of what was on a screen while it was tried, to be looked at afterwards: `target/pictures/NAME/STEP.png`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

use crate::program::root;

/// Pictures of one test.
pub struct Pictures {
    folder: PathBuf,
    taken: u32,
}

impl Pictures {
    /// Begins a folder, without those of an earlier run.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn begin(name: &str) -> Result<Self> {
        let folder = root().join("target/pictures").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, taken: 0 })
    }

    /// Keeps one of the whole display, numbered by its turn.
    ///
    /// # Errors
    /// If ImageMagick isn't installed, or the display is gone.
    pub fn keep(&mut self, display: &str, step: &str) -> Result<()> {
        self.taken += 1;
        let file = self.folder.join(format!("{:02}-{step}.png", self.taken));
        let mut import = Command::new("import");
        let status = import.args(["-window", "root"]).arg(&file).env("DISPLAY", display).status();
        ensure!(status.context("import, of ImageMagick")?.success(), "no picture of {display} at {step}");
        Ok(())
    }
}
