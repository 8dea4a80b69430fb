//! The package: built from the programs that the tests have, installed, run, and removed with nothing left.
//!
//! It is installed where that may be undone: as root, on a machine that has no Watchfloor yet. Elsewhere it is unpacked, and run from
//! there; the test says which.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use watchfloor_tests::{
    desktop::Desktop,
    program::{program, root},
    window::WindowProcess,
};

const START_LIMIT: Duration = Duration::from_secs(90);
/// What belongs into it, besides icons and examples.
const FILES: [&str; 12] = [
    "usr/bin/watchfloor",
    "usr/bin/watchfloor-hub",
    "usr/bin/watchfloor-wall",
    "usr/lib/systemd/system/watchfloor-hub.service",
    "usr/lib/systemd/system/watchfloor-kiosk-x11@.service",
    "usr/lib/systemd/system/watchfloor-kiosk@.service",
    "usr/lib/systemd/user/watchfloor-kiosk.service",
    "usr/share/applications/Watchfloor.desktop",
    "usr/share/doc/watchfloor/third-party.md",
    "usr/share/man/man1/watchfloor.1.gz",
    "usr/share/watchfloor/board.schema.json",
    "usr/share/watchfloor/examples/new-york-departures.toml",
];

/// What a command prints; it must end well.
fn said(command: &mut Command) -> Result<String> {
    let words = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().with_context(|| words.clone())?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{words}: {}\n{errors}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

fn dpkg(arguments: &[&str]) -> Result<String> {
    said(Command::new("dpkg").args(arguments))
}

/// Where the package's files are, until this is dropped.
struct Installed {
    root: PathBuf,
    /// Removed by dpkg; else by its folder's end.
    by_dpkg: bool,
    _folder: tempfile::TempDir,
}

impl Installed {
    fn new(package: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let name = package.to_str().context("a path")?;
        let is_root = said(Command::new("id").arg("-u"))?.trim() == "0";
        let is_there = dpkg(&["-s", "watchfloor"]).is_ok() || Path::new("/usr/bin/watchfloor").exists();
        if is_root && !is_there {
            dpkg(&["-i", name])?;
            return Ok(Self { root: "/".into(), by_dpkg: true, _folder: folder });
        }
        let root = folder.path().join("root");
        said(Command::new("dpkg-deb").arg("-x").arg(package).arg(&root))?;
        Ok(Self { root, by_dpkg: false, _folder: folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn remove(mut self) -> Result<()> {
        if std::mem::take(&mut self.by_dpkg) {
            dpkg(&["-r", "watchfloor"])?;
            for name in FILES {
                ensure!(!self.file(name).exists(), "{name} is left behind");
            }
            ensure!(!self.file("usr/share/watchfloor").exists(), "a folder is left behind");
        }
        Ok(())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if self.by_dpkg {
            // The test has failed already, and says why.
            let _ = dpkg(&["-r", "watchfloor"]);
        }
    }
}

/// It has what a system needs to find and start it, its programs find each other, and a wall comes up from it on a display.
#[test]
fn it_is_installed_run_and_removed() -> Result<()> {
    // Of the same build as this test.
    let built = program("watchfloor")?;
    ensure!(
        built.ends_with("debug/watchfloor"),
        "{}: the package's test wants the build of the tests",
        built.display()
    );
    said(Command::new(root().join("scripts/package.sh")).args(["--deb", "--debug"]))?;
    let folder = built.with_file_name("bundle").join("deb");
    let mut packages = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            packages.push(path);
        }
    }
    ensure!(packages.len() == 1, "{packages:?}");
    let installed = Installed::new(&packages[0])?;
    for name in FILES {
        ensure!(installed.file(name).is_file(), "{name} is missing");
    }
    let wall = installed.file("usr/bin/watchfloor");
    let version = said(Command::new(&wall).arg("--version"))?;
    ensure!(version.trim() == concat!("watchfloor ", env!("CARGO_PKG_VERSION")), "{version}");
    let boards = installed.file("usr/share/watchfloor/examples/new-york-departures.toml");
    said(Command::new(&wall).arg("check").arg(&boards))?;
    let unit =
        said(Command::new(&wall).args(["kiosk", "install", "--user", "wall", "--dry-run", "--board"]).arg(&boards))?;
    ensure!(unit.contains(&format!("ExecStart={} --board", wall.display())), "{unit}");
    let units = FILES.iter().filter(|name| name.contains("watchfloor-kiosk"));
    for name in units {
        let text = fs::read_to_string(installed.file(name))?;
        let start = text.lines().find(|line| line.starts_with("ExecStart=")).context("what it starts")?;
        ensure!(
            start.contains("/usr/bin/watchfloor --board /etc/watchfloor/board.toml --kiosk") || start.contains("%E"),
            "{name}: {start}"
        );
        ensure!(text.contains("ConditionPathExists=") && !text.contains(['{', '}']), "{name}: {text}");
    }
    let entry = fs::read_to_string(installed.file("usr/share/applications/Watchfloor.desktop"))?;
    ensure!(entry.contains("Exec=watchfloor --demo") && !entry.contains("{{"), "{entry}");

    let folder = tempfile::tempdir()?;
    let desktop = Desktop::with_frame_buffer(1280, 720, folder.path())?;
    let mut command = Command::new(&wall);
    command.args(["--demo", "--kiosk", "--glass-code", "--notifications", "off"]);
    desktop.enter(&mut command);
    let running = WindowProcess::start(&mut command, &folder.path().join("data"))?;
    running.paints(desktop.frame_buffer().context("a frame buffer")?, START_LIMIT)?;
    drop(running);
    installed.remove()
}
