//! Who may know whom: the rules of `docs/architecture.md`, checked on the sources and on what Cargo says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use watchfloor_tests::program::root;

/// What each crate may use of this workspace.
const MAY_KNOW: [(&str, &[&str]); 13] = [
    ("watchfloor-model", &[]),
    ("watchfloor-log", &[]),
    ("watchfloor-settings", &[]),
    ("watchfloor-feed", &["watchfloor-model"]),
    ("watchfloor-board", &["watchfloor-model", "watchfloor-settings"]),
    ("watchfloor-engine", &["watchfloor-model", "watchfloor-log", "watchfloor-feed", "watchfloor-board"]),
    ("watchfloor-hub", &["watchfloor-model", "watchfloor-log", "watchfloor-settings", "watchfloor-board"]),
    ("watchfloor-demo", &["watchfloor-model", "watchfloor-log", "watchfloor-board", "watchfloor-hub"]),
    ("watchfloor-load", &[]),
    ("watchfloor", &["watchfloor-model", "watchfloor-log", "watchfloor-board", "watchfloor-engine", "watchfloor-demo"]),
    ("watchfloor-fuzz", &[]),
    ("watchfloor-simulation", &["watchfloor-model", "watchfloor-feed", "watchfloor-board"]),
    (
        "watchfloor-tests",
        &[
            "watchfloor-model",
            "watchfloor-feed",
            "watchfloor-board",
            "watchfloor-engine",
            "watchfloor-hub",
            "watchfloor-demo",
        ],
    ),
];

/// Crates that must be the same everywhere: no I/O, no clock, no randomness of their own.
const PURE: [&str; 4] = ["src-tauri/model/src", "src-tauri/settings/src", "src-tauri/feed/src", "src-tauri/board/src"];

/// What a pure crate must not say, and why.
const IMPURE: [(&str, &str); 12] = [
    ("Instant::now", "reads a clock"),
    ("SystemTime", "reads a clock"),
    ("Timestamp::now", "reads a clock"),
    ("Zoned::now", "reads a clock"),
    ("std::fs", "does I/O"),
    ("std::net", "does I/O"),
    ("std::env", "reads the environment"),
    ("std::process", "starts processes"),
    ("std::thread", "starts threads"),
    ("tokio", "is asynchronous"),
    (" rand::", "is random by itself"),
    ("RandomState", "is random by itself"),
];

/// Longest file by its number of lines before its tests.
const FILE_LINES_MAX: usize = 600;
/// The same for a file that is all tests, where a table of cases is long without being deep.
const TEST_FILE_LINES_MAX: usize = 800;

fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON from cargo metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().expect("dependencies").iter();
            let names = normal.filter(|dependency| dependency["kind"].is_null()).map(|dependency| &dependency["name"]);
            let names = names.filter_map(Value::as_str).map(str::to_owned).collect();
            (package["name"].as_str().expect("name").to_owned(), names)
        })
        .collect()
}

/// Files that git knows of, or would if they were added, below `folder` and ending in one of `endings`.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--", folder])
        .current_dir(root())
        .output()
        .expect("git ls-files");
    let names = String::from_utf8(output.stdout).expect("names");
    let names = names.lines().filter(|name| endings.is_empty() || endings.iter().any(|ending| name.ends_with(ending)));
    let paths: Vec<_> = names.map(|name| root().join(name)).filter(|path| path.is_file()).collect();
    assert!(!paths.is_empty(), "no files in {folder}");
    paths
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// The part of a Rust source before its tests, comments left out.
fn production(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn crates_know_only_whom_they_may() {
    let mut breaches = Vec::new();
    let packages = packages();
    for (name, dependencies) in &packages {
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(known, _)| known == name) else {
            breaches.push(format!("{name} has no room in docs/architecture.md"));
            continue;
        };
        let unknown =
            dependencies.iter().filter(|name| name.starts_with("watchfloor") && !allowed.contains(&name.as_str()));
        breaches.extend(unknown.map(|unknown| format!("{name} must not know {unknown}")));
        if name != "watchfloor" {
            let tauri =
                dependencies.iter().filter(|name| name.starts_with("tauri") || *name == "wry" || *name == "gtk");
            breaches.extend(tauri.map(|tauri| format!("{name} must not know {tauri}: only the app does")));
        }
    }
    assert_eq!(packages.len(), MAY_KNOW.len(), "a room without a package");
    assert_none(&breaches);
}

#[test]
fn pure_crates_are_pure() {
    let mut breaches = Vec::new();
    for path in PURE.iter().flat_map(|folder| files(folder, &[".rs"])) {
        // Compiled for tests alone.
        if shown(&path).ends_with("/tests.rs") || shown(&path).contains("/tests/") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("source");
        for (at, line) in production(&text) {
            for (word, why) in IMPURE.iter().filter(|(word, _)| line.contains(word)) {
                breaches.push(format!("{}:{}: {word} {why}", shown(&path), at + 1));
            }
        }
    }
    assert_none(&breaches);
}

#[test]
fn one_file_of_the_page_knows_tauri() {
    let mut knowing = Vec::new();
    for path in files("ui/src", &[".ts", ".svelte"]) {
        if fs::read_to_string(&path).expect("source").contains("@tauri-apps/") {
            knowing.push(shown(&path));
        }
    }
    assert_eq!(knowing, ["ui/src/host/tauri.ts"]);
}

/// H4: what the board folds is what the journal holds. Deliveries reach it where they come back committed, and at a start; those of
/// a lamp test reach a copy of it alone.
#[test]
fn the_board_folds_only_what_is_journaled() {
    let mut callers: Vec<_> = files("src-tauri/engine/src", &[".rs"])
        .into_iter()
        .filter(|path| !shown(path).ends_with("_tests.rs") && !shown(path).ends_with("/tests.rs"))
        .filter(|path| fs::read_to_string(path).expect("source").contains(".handle_delivery("))
        .map(|path| shown(&path))
        .collect();
    callers.sort();
    let folds = ["drill/twin.rs", "restore.rs", "run.rs"].map(|file| format!("src-tauri/engine/src/{file}"));
    assert_eq!(callers, folds);
}

#[test]
fn sources_say_what_they_are_and_stay_short() {
    let mut breaches = Vec::new();
    for path in files("src-tauri", &[".rs"]).into_iter().chain(files("tests", &[".rs"])) {
        let text = fs::read_to_string(&path).expect("source");
        if !text.starts_with("//!") {
            breaches.push(format!("{}: no line says what it is", shown(&path)));
        }
        let lines = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().lines().count();
        let most = if shown(&path).contains("tests/") { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
        if lines > most {
            breaches.push(format!("{}: {lines} lines, at most {most}: which shape is missing?", shown(&path)));
        }
    }
    assert_none(&breaches);
}

#[test]
fn nothing_names_a_machine() {
    let mut breaches = Vec::new();
    for path in files(".", &[".rs", ".ts", ".svelte", ".toml", ".json", ".md", ".sh", ".mjs", ".css", ".html", ".lock"])
    {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            // Put together here, so that this file doesn't name them either.
            let names =
                [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("registry.npm", "js")];
            breaches.extend(
                names
                    .iter()
                    .filter(|name| line.contains(**name))
                    .map(|name| format!("{}:{}: {name}", shown(&path), at + 1)),
            );
        }
    }
    assert_none(&breaches);
}

#[test]
fn raster_icons_have_their_sizes() {
    for (name, side) in [("32x32.png", 32_u32), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)] {
        let bytes = fs::read(root().join("icons").join(name)).expect(name);
        let dimension = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        assert_eq!((dimension(16), dimension(20)), (side, side), "{name}");
    }
}
