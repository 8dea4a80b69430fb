//! `watchfloor check` and `watchfloor schema`.

use std::{fs::File, path::PathBuf, process::ExitCode};

use watchfloor_board::config;

use crate::{failure::Failure, output};

/// Checks every file and prints every error.
pub(crate) fn check(files: &[PathBuf]) -> Result<ExitCode, Failure> {
    let mut sound = true;
    for path in files {
        let name = path.display().to_string();
        match File::open(path).and_then(config::text_of) {
            Err(error) => {
                sound = false;
                output::complain(&format_args!("{name}: {}", watchfloor_engine::why_unreadable(path, &error)));
            }
            Ok(text) => match config::parse(&text, &name) {
                Ok(file) => {
                    let count = file.widgets.len();
                    output::line(&format_args!(
                        "{name}: good, {count} {}",
                        if count == 1 { "widget" } else { "widgets" }
                    ))?;
                }
                Err(errors) => {
                    sound = false;
                    output::complain(&errors);
                }
            },
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Prints the JSON Schema of board files.
pub(crate) fn schema() -> Result<ExitCode, Failure> {
    output::line(&format_args!("{:#}", config::schema()))?;
    Ok(ExitCode::SUCCESS)
}
