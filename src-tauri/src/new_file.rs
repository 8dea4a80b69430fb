//! A file that is written whole or not at all, and never over another one.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// A file that wasn't there. It is taken away again if nothing comes of it.
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    is_written: bool,
}

impl NewFile {
    /// Takes the name.
    ///
    /// # Errors
    /// If it is taken, or can't be had.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::create_new(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::Input(format!("{} is there already: name a file that isn't", path.display()))
            }
            _ => Failure::Input(format!("{} can't be written: {error}", path.display())),
        })?;
        Ok(Self { path: path.to_owned(), file, is_written: false })
    }

    /// Writes it, and answers where it is.
    ///
    /// # Errors
    /// If the disk doesn't take it.
    pub(crate) fn write(mut self, text: &str) -> Result<PathBuf, Failure> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::Environment(format!("{} can't be written: {error}", self.path.display())))?;
        self.is_written = true;
        Ok(self.path.clone())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_written {
            // It is empty; that it stays would be no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}
