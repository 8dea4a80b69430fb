//! `watchfloor probe`: from an address to a starter board.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use tokio::runtime;
use watchfloor_engine::probe::{ProbeError, Question, TokenPlace, probe};

use crate::{cli::ProbeArgs, failure::Failure, headless, output};

/// Probes, and writes the board to the file or standard output; what is found meanwhile goes to standard error.
pub(crate) fn run(args: ProbeArgs) -> Result<ExitCode, Failure> {
    let ProbeArgs { url, channels, token_file, token_env, listen, out } = args;
    // Opened before half a minute is spent for nothing.
    let target = out.as_deref().map(Target::open).transpose()?;
    let token = match (token_file, token_env) {
        (Some(path), _) => Some(TokenPlace::File(absolute(&path)?)),
        (None, Some(name)) => Some(TokenPlace::Variable(name)),
        (None, None) => None,
    };
    let question = Question { url, channels, token, listen };
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Environment(format!("no threads can be started: {error}")))?;
    let mut tell = |line: &str| output::complain(&line);
    // Within the future, as signals are listened for on the runtime.
    let found = runtime.block_on(async { probe(&question, &mut tell, headless::terminated()).await });
    runtime.shutdown_background();
    let board = found.map_err(|error| match error {
        ProbeError::Address { .. } | ProbeError::Silent(_) => Failure::Input(error.to_string()),
        ProbeError::Defect(_) => Failure::Defect(error.to_string()),
    })?;
    match target {
        None => output::line(&board.trim_end())?,
        Some(target) => target.write(&board)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    path.to_str().map(str::to_owned).ok_or_else(|| Failure::Input(format!("{}: its name is no UTF-8", path.display())))
}

/// The file that the board goes to. It is taken away again if nothing comes of it.
struct Target {
    path: PathBuf,
    file: File,
    is_written: bool,
}

impl Target {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::create_new(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::Input(format!("{} is there already: name a file that isn't", path.display()))
            }
            _ => Failure::Input(format!("{} can't be written: {error}", path.display())),
        })?;
        Ok(Self { path: path.to_owned(), file, is_written: false })
    }

    fn write(mut self, board: &str) -> Result<(), Failure> {
        let written = self.file.write_all(board.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| Failure::Environment(format!("{} can't be written: {error}", self.path.display())))?;
        self.is_written = true;
        output::complain(&format_args!(
            "wrote {}: show it by `watchfloor --board {}`",
            self.path.display(),
            self.path.display()
        ));
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.is_written {
            // It is empty; that it stays would be no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}
