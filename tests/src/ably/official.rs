//! Ably's own JavaScript client, in a process of its own, and what it says that it heard.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::program::root;

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The client. It is killed when it is dropped.
#[derive(Debug)]
pub struct Official {
    child: Child,
    input: ChildStdin,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Official {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Official {
    /// Starts one on a channel of the server at this port. `asks` is how it has the channel.
    ///
    /// # Errors
    /// If it isn't installed, or doesn't start.
    pub fn start(port: u16, channel: &str, asks: &Value) -> Result<Self> {
        let folder = root().join("target/interop/ably-client");
        let installed = folder.join("node_modules/ably/package.json").is_file();
        ensure!(
            installed,
            "Ably's own client isn't there, and this test is nothing without it: scripts/npm-packages.sh ably-client"
        );
        let options = json!({ "port": port, "auth": "/signed/page", "channel": channel, "asks": asks });
        let mut command = Command::new("node");
        command.arg(root().join("tests/src/ably/client.mjs")).arg(folder).arg(options.to_string());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("node, which this test is nothing without")?;
        let (input, output) = (child.stdin.take().context("its input")?, child.stdout.take().context("its output")?);
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || read(output, &kept));
        Ok(Self { child, input, lines })
    }

    /// Everything that it said, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it said of one kind.
    #[must_use]
    pub fn said(&self, on: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["on"] == on).collect()
    }

    /// What it found fault with: what it logs as an error, and what nobody caught.
    #[must_use]
    pub fn complaints(&self) -> Vec<Value> {
        let is_fault = |line: &Value| ["fault", "failed", "log"].iter().any(|on| line["on"] == *on);
        self.lines().into_iter().filter(is_fault).collect()
    }

    /// Tells it to do something.
    ///
    /// # Errors
    /// If it is gone.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// Waits until this is true of all that it said.
    ///
    /// # Errors
    /// If it doesn't become so within `limit`; with what it said.
    pub async fn wait(&mut self, what: &str, limit: Duration, holds: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        let begun = Instant::now();
        loop {
            let ended = self.child.try_wait()?;
            let lines = self.lines();
            if holds(&lines) {
                return Ok(lines);
            }
            let told = || lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
            if let Some(status) = ended {
                bail!("waiting for {what}, Ably's client ended: {status}\n{}", told());
            }
            ensure!(begun.elapsed() < limit, "{what} is not there after {limit:?}; Ably's client says\n{}", told());
            sleep(LOOK_EVERY).await;
        }
    }
}

fn read(output: impl Read, lines: &Mutex<Vec<Value>>) {
    // The end of a process may cut its last line short.
    for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
        if let Ok(value) = serde_json::from_str(&line) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        }
    }
}
