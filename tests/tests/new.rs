//! `watchfloor new`: what it writes is sound, runs by the commands that it prints, and is live all over.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use watchfloor_tests::{
    faults::process::free_port,
    program::{program, run_wall},
};

/// Each template, and what its story is called: the same.
const TEMPLATES: [&str; 5] = ["flights", "orders", "dispatch", "infrastructure", "process"];
/// The longest wait for a wall to be live: a debug build is told half a day of events first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that is killed when it is dropped.
struct Running(Child);

impl Running {
    fn start(name: &str, args: &[&str], output: Stdio) -> Result<Self> {
        let mut command = Command::new(program(name)?);
        for variable in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
            command.env_remove(variable);
        }
        command.args(args).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| name.to_owned())?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about a failure here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn new(folder: &Path, args: &[&str]) -> Result<Output> {
    let mut command = Command::new(program("watchfloor")?);
    command.arg("new").args(args).current_dir(folder).output().context("watchfloor new")
}

#[test]
fn each_template_is_sound_and_lives_on_its_story() -> Result<()> {
    for template in TEMPLATES {
        let folder = tempfile::tempdir()?;
        let output = new(folder.path(), &["--template", template])?;
        ensure!(output.status.success(), "{template}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout)?;
        for line in [
            format!("  watchfloor-hub --board {template}.toml &"),
            format!("  watchfloor-replay --story {template} &"),
            format!("  watchfloor --board {template}.toml"),
        ] {
            ensure!(said.lines().any(|said| said == line), "{template}: {line:?} is not in {said}");
        }
        let board = folder.path().join(format!("{template}.toml"));
        let text = fs::read_to_string(&board)?;
        let schema = text.lines().next().and_then(|line| line.strip_prefix("#:schema ")).context("a schema")?;
        let schema = fs::read_to_string(folder.path().join(schema)).context("the schema is where the board says")?;
        ensure!(serde_json::from_str::<Value>(&schema)?["properties"]["widget"].is_object(), "{template}");

        let address = format!("127.0.0.1:{}", free_port()?);
        fs::write(&board, text.replace("127.0.0.1:8787", &address))?;
        let board = board.to_str().context("a path")?;
        let checked = run_wall(&["check", board])?;
        ensure!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        lives(template, board, &address).with_context(|| template.to_owned())?;
    }
    Ok(())
}

/// A hub, a replay and a wall without a window, until each widget is live and shows something.
fn lives(story: &str, board: &str, address: &str) -> Result<()> {
    let data = tempfile::tempdir()?;
    let data = data.path().to_str().context("a path")?;
    let _hub = Running::start("watchfloor-hub", &["--listen", address, "--board", board], Stdio::null())?;
    let url = format!("http://{address}");
    let _replay = Running::start("watchfloor-replay", &["--hub", &url, "--story", story], Stdio::null())?;
    let args = ["--board", board, "--headless", "--json", "--data-dir", data];
    let mut wall = Running::start("watchfloor", &args, Stdio::piped())?;
    let reports = BufReader::new(wall.0.stdout.take().context("its reports")?).lines();
    let begun = Instant::now();
    let mut missing = vec!["a report".to_owned()];
    for line in reports {
        let report: Value = serde_json::from_str(&line?)?;
        missing = missing_of(&report)?;
        if missing.is_empty() {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "not live: {missing:?}");
    }
    anyhow::bail!("the wall ended; not live: {missing:?}")
}

/// The widgets that aren't live or show nothing.
fn missing_of(report: &Value) -> Result<Vec<String>> {
    let widgets = report["widgets"].as_object().context("widgets")?;
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        _ => false,
    };
    let missing = |widget: &Value| widget["freshness"] != "live" || is_empty(&widget["value"]);
    Ok(widgets.iter().filter(|(_, widget)| missing(widget)).map(|(id, widget)| format!("{id}: {widget}")).collect())
}

/// What stands in a file that is there is somebody's work.
#[test]
fn nothing_is_written_over() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (board, schema) = (folder.path().join("mine.toml"), folder.path().join("board.schema.json"));
    for (path, text) in [(&board, "mine"), (&schema, "my own")] {
        fs::write(path, text)?;
    }
    let output = new(folder.path(), &["--template", "orders", "--out", "mine.toml"])?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr)?;
    ensure!(said.contains("mine.toml is there already"), "{said}");
    ensure!(fs::read_to_string(&board)? == "mine");
    let output = new(folder.path(), &["--template", "orders", "--out", "other.toml", "--title", "Hall 4"])?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(fs::read_to_string(folder.path().join("other.toml"))?.contains("\ntitle = \"Hall 4\"\n"));
    ensure!(fs::read_to_string(&schema)? == "my own");
    Ok(())
}

#[test]
fn what_cannot_be_written_is_said() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (args, code, words) in [
        (vec!["--template", "nothing"], 2, "orders"),
        (vec![], 2, "--template"),
        (vec!["--template", "orders", "--out", "no/such/folder/x.toml"], 1, "no/such/folder/x.toml"),
        (vec!["--template", "orders", "--title", ""], 2, "title"),
    ] {
        let output = new(folder.path(), &args)?;
        let said = String::from_utf8(output.stderr)?;
        ensure!(output.status.code() == Some(code) && said.contains(words), "{args:?}: {said}");
    }
    ensure!(fs::read_dir(folder.path())?.next().is_none(), "something was left behind");
    Ok(())
}
