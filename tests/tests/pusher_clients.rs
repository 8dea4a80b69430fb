//! The hub's Pusher door before those who speak the protocol: pusher-js, Laravel Echo, and Pusher's server SDKs for Node and Python, unmodified.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchfloor_tests::{faults::process::HubProcess, program::root};

const ID: &str = "7";
const KEY: &str = "wall-key";
const SECRET: &str = "a secret of its own";

/// A hub with one application.
async fn hub(folder: &Path) -> Result<HubProcess> {
    let file = folder.join("hub.toml");
    fs::write(folder.join("app.secret"), SECRET)?;
    let app = format!(
        "[[app]]\nid = \"{ID}\"\nkey = \"{KEY}\"\nsecret = {{ file = \"app.secret\" }}\nclient-events = true\n"
    );
    fs::write(&file, app)?;
    HubProcess::start_alone(vec!["--config".to_owned(), file.display().to_string()]).await
}

/// What a script has proven, line by line; `between` is called when it waits.
fn proven(command: &mut Command, mut between: impl FnMut() -> Result<()>) -> Result<Vec<String>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (output, mut input) = (child.stdout.take().context("output")?, child.stdin.take().context("input")?);
    let mut all = Vec::new();
    for line in BufReader::new(output).lines() {
        let line: Value = serde_json::from_str(&line?)?;
        if let Some(step) = line["proven"].as_str() {
            all.push(step.to_owned());
        } else if line["awaits"].is_string() {
            between()?;
            writeln!(input, "done")?;
        }
    }
    let ended = child.wait_with_output()?;
    ensure!(ended.status.success(), "after {all:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(all)
}

/// Everything that a site uses, by changing the host; and they come back by themselves after the hub was killed.
#[tokio::test(flavor = "multi_thread")]
async fn node_and_echo() -> Result<()> {
    let packages = root().join("target/interop/pusher-clients");
    ensure!(
        packages.join("node_modules/pusher-js").is_dir(),
        "they aren't there: scripts/npm-packages.sh pusher-clients"
    );
    let folder = tempfile::tempdir()?;
    let mut hub = hub(folder.path()).await?;
    let port = hub.address().port().to_string();
    let mut command = Command::new("node");
    command.arg(root().join("tests/src/pusher/clients.mjs")).arg(packages).args([&port, ID, KEY, SECRET]);
    let runtime = tokio::runtime::Handle::current();
    let all = tokio::task::block_in_place(|| {
        proven(&mut command, || {
            hub.kill()?;
            runtime.block_on(hub.start_again())
        })
    })?;
    let wanted = [
        "public",
        "but the sender",
        "private",
        "presence",
        "client events",
        "leaving",
        "users",
        "batch",
        "encrypted",
        "cache",
        "refusals",
        "Laravel Echo",
        "restart",
    ];
    ensure!(all == wanted, "{all:?}");
    Ok(())
}

/// The server SDK for Python, what it asks and what it signs.
#[tokio::test(flavor = "multi_thread")]
async fn python() -> Result<()> {
    let python = root().join("target/interop/pusher-python/bin/python");
    ensure!(python.is_file(), "it isn't there: scripts/pip-packages.sh pusher-python");
    let folder = tempfile::tempdir()?;
    let hub = hub(folder.path()).await?;
    let port = hub.address().port().to_string();
    let mut command = Command::new(python);
    command.arg(root().join("tests/src/pusher/server.py")).args([&port, ID, KEY, SECRET]);
    let all = tokio::task::block_in_place(|| proven(&mut command, || Ok(())))?;
    ensure!(all == ["trigger", "questions", "refusals"], "{all:?}");
    Ok(())
}
