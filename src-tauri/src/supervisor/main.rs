//! What is started: the wall's small parent, which starts it again when it dies or hangs (H7).
//!
//! It is a program of its own because the wall's loads a web engine before its first line runs: a parent made of that would cost a
//! tenth of the start and fifty megabytes. Where there is nothing to watch it becomes the wall and is gone.

mod plan;
#[cfg(unix)]
mod watch;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// The wall's own program, in the same folder.
const WALL: &str = "watchfloor-wall";
/// What the environment lacks, as the wall itself says it.
const LACKING: u8 = 3;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let done = wall().and_then(|wall| {
        if cfg!(unix) && plan::is_watched(&args, |name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
            watch(&wall, &args)
        } else {
            become_wall(&wall, &args)
        }
    });
    done.unwrap_or_else(|error| {
        tell(&format_args!("the wall can't be started: {error}"));
        ExitCode::from(LACKING)
    })
}

/// One line to whoever started this.
fn tell(line: &dyn std::fmt::Display) {
    // With standard error closed there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "watchfloor: {line}");
}

fn wall() -> io::Result<PathBuf> {
    let wall = env::current_exe()?.with_file_name(WALL).with_extension(env::consts::EXE_EXTENSION);
    if wall.is_file() {
        return Ok(wall);
    }
    let why = format!("{} is missing: the two programs belong into one folder", wall.display());
    Err(io::Error::new(io::ErrorKind::NotFound, why))
}

/// No parent is needed: this process goes on as the wall, under its number and name.
#[cfg(unix)]
fn become_wall(wall: &Path, args: &[OsString]) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let name = env::args_os().next().unwrap_or_else(|| wall.as_os_str().to_owned());
    Err(Command::new(wall).arg0(name).args(args).exec())
}

#[cfg(not(unix))]
fn become_wall(wall: &Path, args: &[OsString]) -> io::Result<ExitCode> {
    let status = Command::new(wall).args(args).status()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

#[cfg(unix)]
use watch::watch;

#[cfg(not(unix))]
fn watch(wall: &Path, args: &[OsString]) -> io::Result<ExitCode> {
    become_wall(wall, args)
}
