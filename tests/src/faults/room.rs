//! Mounts of a wall's own: a process that holds a mount namespace open, in which files of the system stand for others.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// The ways to get a namespace, the first one that works is taken: as root, and as anybody.
const WAYS: [(&[&str], &[&str]); 2] = [
    (&["--mount"], &["--mount"]),
    (&["--user", "--map-root-user", "--mount"], &["--user", "--mount", "--preserve-credentials"]),
];

/// A namespace, for as long as this lives.
#[derive(Debug)]
pub(super) struct Room {
    holder: Child,
    enter: &'static [&'static str],
}

impl Drop for Room {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Room {
    /// A namespace in which `mounts`, a shell's words with these arguments, were done. Else why there is none.
    pub(super) fn open(mounts: &str, arguments: &[&str]) -> Result<Result<Self, String>> {
        let mut refused = String::new();
        for (make, enter) in WAYS {
            let script = format!("set -e; {mounts}; echo ready; exec sleep infinity");
            let mut command = Command::new("unshare");
            command.args(make).args(["sh", "-c", &script]).args(arguments);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let Ok(mut holder) = command.spawn() else {
                return Ok(Err("unshare, of util-linux, is missing".to_owned()));
            };
            let mut line = String::new();
            BufReader::new(holder.stdout.take().context("its output")?).read_line(&mut line)?;
            if line.trim() == "ready" {
                return Ok(Ok(Self { holder, enter }));
            }
            let output = holder.wait_with_output()?;
            refused = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        }
        Ok(Err(format!("no mounts of one's own here: {refused}")))
    }

    /// What runs a command in there.
    pub(super) fn before(&self) -> Vec<String> {
        let mut words = vec!["nsenter".to_owned(), format!("--target={}", self.holder.id())];
        words.extend(self.enter.iter().map(|&word| word.to_owned()));
        words
    }

    /// Runs a command in there.
    pub(super) fn run(&self, words: &[&str]) -> Result<()> {
        let before = self.before();
        let (enter, options) = before.split_first().context("a way in")?;
        let status = Command::new(enter).args(options).args(words).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "{words:?}: {status}");
        Ok(())
    }

    /// Where a path of the namespace is seen from outside.
    pub(super) fn outside(&self, path: &std::path::Path) -> std::path::PathBuf {
        let mut outside = std::ffi::OsString::from(format!("/proc/{}/root", self.holder.id()));
        outside.push(path);
        outside.into()
    }
}
