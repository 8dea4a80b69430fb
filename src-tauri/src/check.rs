//! `watchfloor check` and `watchfloor schema`.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};

use watchfloor_board::{
    alarm::{Priority, priority_word},
    config::{self, BoardFile},
};
use watchfloor_engine::{Folder, announce::sound};

use crate::{failure::Failure, output, tiles};

/// Checks every file and prints every error.
pub(crate) fn check(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut sound = true;
    for path in files {
        match read(path) {
            Err(errors) => {
                sound = false;
                output::complain(&errors);
            }
            Ok(file) => {
                let mut faults = tiles::faults(path, &file);
                faults.extend(tone_faults(path, &file));
                if !faults.is_empty() {
                    sound = false;
                    faults.iter().for_each(|fault| output::complain(fault));
                    continue;
                }
                let count = file.widgets.len();
                let widgets = if count == 1 { "widget" } else { "widgets" };
                output::line(&format_args!("{}: good, {count} {widgets}", path.display()))?;
            }
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What is wrong with the sound files that it names, each in a line.
fn tone_faults(path: &Path, file: &BoardFile) -> Vec<String> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let tones = file.alarming.iter().flat_map(|how| &how.tones);
    let fault = |(priority, name): (&Priority, &String)| {
        let reason = sound::file(&beside.join(name)).err()?;
        let (path, word) = (path.display(), priority_word(*priority));
        Some(format!(
            "{path}: `[alarms]`: the tone of {word} can't be used: \"{name}\": {reason}: expected a WAV file of 30 s at most"
        ))
    };
    tones.filter_map(fault).collect()
}

/// Reads a board.
///
/// # Errors
/// Every error of the file, for people.
pub(crate) fn read(path: &Path) -> Result<BoardFile, String> {
    let name = path.display().to_string();
    let text = File::open(path)
        .and_then(config::text_of)
        .map_err(|error| format!("{name}: {}", watchfloor_engine::why_unreadable(path, &error)))?;
    let folder = Folder::of(path);
    config::parse_beside(&text, &name, &|file| folder.text(file)).map_err(|errors| errors.to_string())
}

/// Prints the JSON Schema of board files.
pub(crate) fn schema() -> Result<ExitCode, Failure> {
    output::line(&format_args!("{:#}", config::schema()))?;
    Ok(ExitCode::SUCCESS)
}
