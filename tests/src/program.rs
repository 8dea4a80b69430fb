//! The built programs, as a user would start them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};

/// The workspace's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The path of a built program, beside the running test's own.
///
/// # Errors
/// If it has not been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("the test's own path")?;
    let folder = test.ancestors().find(|folder| folder.join(name).is_file());
    let folder = folder.with_context(|| format!("{name} is not built: run `cargo build --workspace --bins` first"))?;
    Ok(folder.join(name))
}

/// Runs the wall's program with `args` and without display or session bus, and waits for its end.
///
/// # Errors
/// If it can't be started.
pub fn run_wall(args: &[&str]) -> Result<Output> {
    Command::new(program("watchfloor")?)
        .args(args)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("XDG_RUNTIME_DIR")
        .output()
        .context("starting watchfloor")
}

/// The process that was started with `argument` among its arguments, as `/proc` tells.
///
/// # Errors
/// If there is none, or more than one.
pub fn process_with_argument(argument: &str) -> Result<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("/proc")? {
        let Some(pid) = entry.ok().and_then(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) else { continue };
        // A process that ends meanwhile is none of ours.
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { continue };
        let mut words = line.split(|&byte| byte == 0);
        let is_wall = words.next().is_some_and(|program| program.ends_with(b"/watchfloor"));
        if is_wall && words.any(|word| word == argument.as_bytes()) {
            found.push(pid);
        }
    }
    ensure!(found.len() == 1, "processes with {argument}: {found:?}");
    Ok(found[0])
}
