//! Damaged files, kept beside the one that is written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use watchfloor_model::Timestamp;

use super::place::beside;

/// Damaged files kept.
const KEPT_MAX: usize = 3;
/// How the names of those begin.
const PREFIX: &str = "hub-damaged-";

/// Moves the file at `path` out of the way, with what SQLite has beside it: where it is now. The oldest of those set aside before go.
pub(super) fn set_aside(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = |millis: i64| folder.join(format!("{PREFIX}{millis}.db"));
    let mut millis = now.as_millis();
    while name(millis).exists() {
        millis = millis.saturating_add(1);
    }
    let aside = name(millis);
    fs::rename(path, &aside)?;
    for end in ["-wal", "-shm"] {
        match fs::rename(beside(path, end), beside(&aside, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // The new file must not find the log of the old one.
                fs::remove_file(beside(path, end))?;
            }
            _ => {}
        }
    }
    let mut others: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(PREFIX) && name.ends_with(".db") && *path != aside
        })
        .collect();
    others.sort();
    let surplus = others.len().saturating_sub(KEPT_MAX - 1);
    for old in others.iter().take(surplus) {
        for end in ["", "-wal", "-shm"] {
            // What can't be removed only takes room.
            let _ = fs::remove_file(beside(old, end));
        }
    }
    Ok(aside)
}
