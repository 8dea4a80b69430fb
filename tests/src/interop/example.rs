//! The boards of `examples` before the servers that they are for: each file as it is, but for where its server is; what it says is
//! published by the server's own way, and its widgets have to show that.

use std::{
    any::Any,
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Cell, peer::Peer};
use crate::{
    faults::process::{Report, WallOptions, WallProcess},
    program::root,
};

/// Longer than it takes a wall on a busy machine to show what came. A document is asked for twice within its board's limit.
const SHOWN_MAX: Duration = Duration::from_secs(60);

/// What stands in for what an example names.
#[derive(Default)]
pub(super) struct Setting {
    /// What stands in the file once, and what is put in its place.
    pub(super) replaced: Vec<(&'static str, String)>,
    /// The variables that it names.
    pub(super) environment: Vec<(&'static str, String)>,
}

/// What was published.
pub(super) struct Told {
    /// What widgets show for it, each by its id.
    pub(super) shown: Vec<(&'static str, Value)>,
    /// Who is there besides the wall, until the next is published.
    pub(super) guest: Option<Box<dyn Any>>,
}

impl Told {
    /// By nobody who stays.
    pub(super) fn new(shown: impl Into<Vec<(&'static str, Value)>>) -> Self {
        Self { shown: shown.into(), guest: None }
    }

    /// With somebody who stays.
    pub(super) fn with(shown: impl Into<Vec<(&'static str, Value)>>, guest: Box<dyn Any>) -> Self {
        Self { shown: shown.into(), guest: Some(guest) }
    }
}

impl Setting {
    /// An address in place of the example's.
    pub(super) fn at(examples: &'static str, own: String) -> Self {
        Self { replaced: vec![(examples, own)], environment: Vec::new() }
    }

    /// The board that is run: `file` with what is replaced in it.
    fn board(&self, file: &Path) -> Result<String> {
        let mut text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        for (old, new) in &self.replaced {
            let found = text.lines().filter(|line| !line.starts_with('#') && line.contains(old)).count();
            ensure!(found == 1, "`{old}` stands {found} times in {}", file.display());
            text = text
                .lines()
                .map(|line| if line.starts_with('#') { line.to_owned() } else { line.replace(old, new) } + "\n")
                .collect();
        }
        Ok(text)
    }
}

/// Runs the board of one of [`Peer::EXAMPLES`], and judges what it shows.
pub(super) async fn run<P: Peer>(name: &str, server: &mut String) -> Result<Cell> {
    let folder = tempfile::tempdir()?;
    let mut peer = match P::start_for(folder.path(), name).await? {
        Ok(peer) => peer,
        Err(why) => return Ok(Cell::NotRun(why)),
    };
    *server = peer.version();
    let setting = peer.setting(name)?;
    let board = folder.path().join("board.toml");
    fs::write(&board, setting.board(&file(name)?)?)?;
    let environment = setting.environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let options = WallOptions { board, data: folder.path().join("data"), environment, ..WallOptions::default() };
    let mut wall = WallProcess::start(&options)?;
    // Whoever promises to speak is believed once they have spoken.
    let follows =
        |report: &Report| sources(report, |source| matches!(source["state"].as_str(), Some("live" | "polling")));
    let report = wall.wait("every source", Instant::now(), SHOWN_MAX, follows).await?;
    let mut missing: BTreeSet<String> =
        report.value["widgets"].as_object().context("widgets")?.keys().cloned().collect();
    let (mut step, mut guest) = (0, None);
    while let Some(told) = peer.tell_example(name, step).await? {
        drop(guest);
        guest = told.guest;
        let now = Instant::now();
        let holds = |report: &Report| are_current(report) && differing(report, &told.shown).is_empty();
        if let Err(error) = wall.wait(&format!("step {step}"), now, SHOWN_MAX, holds).await {
            let last = wall.reports().pop().context("no report")?;
            let differing = differing(&last, &told.shown);
            return Err(error.context(format!("of step {step} it doesn't show {}", differing.join("; "))));
        }
        for (widget, _) in &told.shown {
            missing.remove(*widget);
        }
        step += 1;
    }
    ensure!(missing.is_empty(), "nothing was published for {missing:?}");
    Ok(Cell::Passed)
}

/// The example's file.
fn file(name: &str) -> Result<std::path::PathBuf> {
    let file = name.strip_prefix("example ").context("an example's name")?;
    Ok(root().join("examples").join(file))
}

/// Whether each source is as current as it can be, and took everything.
fn are_current(report: &Report) -> bool {
    sources(report, |source| is_current(&source["freshness"]) && source["rejected"] == 0)
}

/// Whether it holds for each of them.
fn sources(report: &Report, holds: fn(&Value) -> bool) -> bool {
    report.value["sources"].as_object().is_some_and(|all| !all.is_empty() && all.values().all(holds))
}

fn is_current(freshness: &Value) -> bool {
    matches!(freshness.as_str(), Some("live" | "polling"))
}

/// What isn't shown as it should be, or isn't current.
fn differing(report: &Report, expected: &[(&'static str, Value)]) -> Vec<String> {
    let mut differing = Vec::new();
    for (id, wanted) in expected {
        let widget = &report.value["widgets"][*id];
        let shown = plain(widget);
        if !is_same(&shown, wanted) {
            differing.push(format!("`{id}` as {wanted}, but as {shown}"));
        } else if !is_current(&widget["freshness"]) || widget["rejected"] != 0 {
            differing.push(format!("`{id}` as current: {widget}"));
        }
    }
    differing
}

/// A widget's value without what hangs on the clock: a number; the texts of a log, the newest first; the cells of a table, by what
/// stands in them; the sum of a chart's points, or of each of its lines'; each tile's state.
fn plain(widget: &Value) -> Value {
    let value = &widget["value"];
    let items = || value.as_array().into_iter().flatten();
    match widget["kind"].as_str() {
        Some("log") => items().map(|line| line["text"].clone()).collect(),
        Some("table") => {
            let mut rows: Vec<Value> = items().map(|row| row["cells"].clone()).collect();
            rows.sort_by_key(Value::to_string);
            rows.into()
        }
        Some("series") => match value.as_object() {
            Some(lines) => lines.iter().map(|(key, points)| (key.clone(), sum(points))).collect(),
            None => sum(value),
        },
        Some("status") => {
            value.as_object().into_iter().flatten().map(|(key, tile)| (key.clone(), tile["state"].clone())).collect()
        }
        _ => value.clone(),
    }
}

/// Of a line's points.
fn sum(points: &Value) -> Value {
    points.as_array().into_iter().flatten().filter_map(|point| point[1].as_f64()).sum::<f64>().into()
}

/// The same, with numbers as close as arithmetic makes them.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| (one - other).abs() < 1e-9)
        }
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            ones.len() == others.len()
                && ones.iter().all(|(key, one)| others.get(key).is_some_and(|other| is_same(one, other)))
        }
        _ => one == other,
    }
}
