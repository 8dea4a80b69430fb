//! The lamp test of a running wall: who begins it, what the page gets and says meanwhile, and what becomes of its result.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tauri::{AppHandle, Manager, State, Webview};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{interval, sleep},
};
use watchfloor_board::frame::{Frame, GlassSeen, Notice, State as Gravity};
use watchfloor_demo::StoryName;
use watchfloor_engine::{
    Engine,
    drill::{Drill, Glass as Test, Outcome, Progress},
};

use crate::{
    cli::DataArgs,
    failure::Failure,
    glass::{Glass, Glasses},
    instance, output,
    page::Page,
    past::Past,
    surroundings, windows,
};

/// The file in the data folder that holds how the last one ended.
const FILE: &str = "lamp-test.json";
/// Id of the notice that says so.
const NOTICE: &str = "lamp-test";
/// For how long it is said.
const SAID_FOR: Duration = Duration::from_secs(60);
/// How often is looked whether the window says something beside its page.
const STRIP_EVERY: Duration = Duration::from_millis(100);
/// What the channel between programs calls it.
pub(crate) const COMMAND: &str = "drill";

/// How the last one ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    /// When, milliseconds since the Unix epoch.
    at_ms: i64,
    passed: usize,
    failed: usize,
    untested: usize,
    /// Why it ended before its end.
    ended: Option<String>,
}

impl Last {
    fn of(outcome: &Outcome) -> Self {
        let Outcome { passed, failed, untested, ended } = outcome.clone();
        Self { at_ms: now_ms(), passed, failed, untested, ended }
    }

    fn read(data_dir: &Path) -> Option<Self> {
        // What can't be read is as good as never.
        fs::read(data_dir.join(FILE)).ok().and_then(|text| serde_json::from_slice(&text).ok())
    }

    fn write(&self, data_dir: &Path) {
        let text = json!(self).to_string();
        if let Err(error) = fs::write(data_dir.join(FILE), text) {
            tracing::warn!(%error, "how the lamp test ended is not remembered");
        }
    }

    const fn is_good(&self) -> bool {
        self.failed == 0 && self.ended.is_none()
    }

    /// In one line: `passed 7 of 7, 1 not tested`.
    fn words(&self) -> String {
        let tested = self.passed + self.failed;
        let mut words = match (&self.ended, self.failed) {
            (Some(why), _) => format!("was ended ({why}): {} of {tested} steps passed", self.passed),
            (None, 0) => format!("passed {tested} of {tested}"),
            (None, failed) => format!("FAILED {failed} of {tested}"),
        };
        if self.untested > 0 {
            words += &format!(", {} not tested", self.untested);
        }
        words
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What `watchfloor doctor` says of it.
pub(crate) fn last_words(data_dir: &Path) -> String {
    match Last::read(data_dir) {
        None => "never done on this folder's wall".to_owned(),
        Some(last) => {
            let hours = (now_ms() - last.at_ms).max(0) / 3_600_000;
            let ago = if hours == 0 { "less than an hour ago".to_owned() } else { format!("{hours} h ago") };
            format!("{}, {ago}", last.words())
        }
    }
}

/// Whether a lamp test runs, and how the last one ended.
pub(crate) struct LampTest {
    data_dir: PathBuf,
    open: watch::Sender<Option<Drill>>,
    beginning: tokio::sync::Mutex<()>,
    last: Mutex<Option<Last>>,
}

impl LampTest {
    /// A wall on which none runs.
    pub(crate) fn new(data_dir: PathBuf) -> Self {
        let last = Mutex::new(Last::read(&data_dir));
        Self { data_dir, open: watch::Sender::new(None), beginning: tokio::sync::Mutex::new(()), last }
    }

    fn running(&self) -> Option<Drill> {
        self.open.borrow().clone().filter(|drill| !drill.is_over())
    }

    /// Whether one runs.
    pub(crate) fn runs(&self) -> bool {
        self.running().is_some()
    }

    /// Begins one. `strip` tells whether the window says something beside its page.
    async fn begin(
        self: &Arc<Self>,
        engine: &Engine,
        test: Test,
        strip: impl Fn() -> bool + Send + 'static,
    ) -> Result<Drill, String> {
        let _one_at_a_time = self.beginning.lock().await;
        if self.runs() {
            return Err("a lamp test runs already".to_owned());
        }
        engine.clear_notice(NOTICE).await;
        let drill = Drill::start(engine, test).await?;
        self.open.send_replace(Some(drill.clone()));
        tokio::spawn(Arc::clone(self).follow(drill.clone(), engine.clone(), strip));
        Ok(drill)
    }

    /// Without a window.
    pub(crate) async fn begin_blind(self: &Arc<Self>, engine: &Engine) -> Result<Drill, String> {
        self.begin(engine, Test::None, || false).await
    }

    /// Until it is over; then its result is written down and shown for a while.
    async fn follow(self: Arc<Self>, drill: Drill, engine: Engine, strip: impl Fn() -> bool) {
        let mut progress = drill.progress();
        let mut look = interval(STRIP_EVERY);
        let outcome = loop {
            let outcome = progress.borrow_and_update().outcome.clone();
            if let Some(outcome) = outcome {
                break outcome;
            }
            tokio::select! {
                _ = look.tick() => drill.strip(strip()),
                changed = progress.changed() => if changed.is_err() { return },
            }
        };
        let last = Last::of(&outcome);
        last.write(&self.data_dir);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last.clone());
        let notice = told(&last, &progress.borrow());
        engine.set_notice(notice).await;
        self.open.send_if_modified(|open| {
            let is_this = open.as_ref().is_some_and(Drill::is_over);
            if is_this {
                *open = None;
            }
            is_this
        });
        sleep(SAID_FOR).await;
        if !self.runs() {
            engine.clear_notice(NOTICE).await;
        }
    }

    /// Returns when the page is to show something else than it does now.
    pub(crate) async fn turned(&self) {
        // The sender is this one's own, so it is never gone.
        let _gone = self.open.subscribe().changed().await;
    }

    /// What the page gets while one runs; none if none does, or no longer.
    pub(crate) async fn next_frame(&self, after: u64, revision: u32, rest: Duration) -> Option<Frame> {
        self.running()?.next_frame(after, revision, rest).await
    }
}

/// `, 06:12`, in the board's time zone.
fn time_words(at_ms: i64, timezone: &str) -> String {
    let time = jiff::Timestamp::from_millisecond(at_ms).and_then(|at| at.in_tz(timezone));
    time.map(|time| format!(", {}", time.strftime("%H:%M"))).unwrap_or_default()
}

/// What stands on the wall for a while.
fn told(last: &Last, progress: &Progress) -> Notice {
    let missed = progress.steps.iter().flat_map(|step| {
        step.missed.iter().map(move |missed| format!("{}: {}: {}", step.name, missed.of, missed.what))
    });
    let state = if last.is_good() { Gravity::Normal } else { Gravity::Warning };
    let text = format!("Lamp test {}{}", last.words(), time_words(last.at_ms, &progress.plan.timezone));
    Notice::worded(NOTICE, state, text, missed.take(20).collect())
}

/// Begins one on the wall in the window.
pub(crate) async fn begin(app: &AppHandle) -> Result<Drill, String> {
    let page = app.state::<Page>();
    let engine = page.engine().await?;
    if page.is_beside().await? {
        return Err("another watchfloor runs on this folder: have its wall tested".to_owned());
    }
    if app.state::<Past>().is_open() {
        return Err("the wall shows the past: go back to the present first (Esc)".to_owned());
    }
    let test = if cfg!(target_os = "linux") { Test::PageAndStrip } else { Test::Page };
    let first = app.state::<Arc<Glasses>>().first();
    let strip = move || first.as_ref().is_some_and(|glass| glass.strip());
    app.state::<Arc<LampTest>>().begin(&engine, test, strip).await
}

/// Begins a lamp test.
#[tauri::command]
pub(crate) async fn drill_begin(app: AppHandle, view: Webview) -> Result<(), String> {
    begin(&app).await?;
    windows::front(&view);
    Ok(())
}

/// Ends it at once, if one runs.
#[tauri::command]
pub(crate) fn drill_end(lamp: State<'_, Arc<LampTest>>) {
    if let Some(drill) = lamp.running() {
        drill.end("at the wall");
    }
}

/// What the page finds on its own glass.
#[tauri::command]
pub(crate) fn drill_seen(
    view: Webview,
    lamp: State<'_, Arc<LampTest>>,
    glasses: State<'_, Arc<Glasses>>,
    seen: GlassSeen,
) {
    let is_seen = |glass: Arc<Glass>| glass.is_first() && glass.is_shown(view.label());
    if let Some(drill) = lamp.running().filter(|_| glasses.of(view.label()).is_some_and(is_seen)) {
        drill.seen(&seen);
    }
}

/// How the last one ended; null if there was none.
#[tauri::command]
pub(crate) fn drill_last(lamp: State<'_, Arc<LampTest>>) -> Option<Last> {
    lamp.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Answers another program that asked for a lamp test: a line a step, as it comes.
pub(crate) fn serve(
    runtime: &Handle,
    begin: impl Future<Output = Result<Drill, String>>,
    mut out: impl Write,
) -> io::Result<()> {
    let mut say = |line: Value| writeln!(out, "{line}").and_then(|()| out.flush());
    let drill = match runtime.block_on(begin) {
        Ok(drill) => drill,
        Err(why) => return say(json!({ "refused": why })),
    };
    let mut progress = drill.progress();
    let told = tell(runtime, &mut progress, &mut say);
    if told.is_err() {
        drill.end("who asked for it has gone");
    }
    told
}

fn tell(
    runtime: &Handle,
    progress: &mut watch::Receiver<Progress>,
    say: &mut impl FnMut(Value) -> io::Result<()>,
) -> io::Result<()> {
    say(json!({ "plan": progress.borrow().plan }))?;
    let mut told = 0;
    loop {
        let now = progress.borrow_and_update().clone();
        for step in now.steps.iter().skip(told) {
            say(json!({ "step": step }))?;
        }
        told = now.steps.len();
        if let Some(outcome) = now.outcome {
            return say(json!({ "outcome": outcome }));
        }
        if runtime.block_on(progress.changed()).is_err() {
            return Ok(());
        }
    }
}

/// `watchfloor drill`: has the wall that runs on the folder do one, and prints how it goes. Ends with 1 if a step failed.
pub(crate) fn run(data: DataArgs, demo: Option<StoryName>, json: bool) -> Result<ExitCode, Failure> {
    let data_dir = surroundings::data_dir(data.data_dir, demo)?;
    let mut outcome = None;
    instance::ask_other(&data_dir, COMMAND, |line| {
        let line: Value = serde_json::from_str(line)
            .map_err(|error| Failure::Environment(format!("the wall's answer is not understood: {error}")))?;
        if let Some(why) = line["refused"].as_str() {
            return Err(Failure::Environment(format!("no lamp test: {why}")));
        }
        if line["outcome"].is_object() {
            outcome = Some(line["outcome"].clone());
        }
        if json { output::line(&line) } else { print(&line) }
    })?;
    let Some(outcome) = outcome else {
        return Err(Failure::Environment("the wall ended in the middle of its lamp test".to_owned()));
    };
    let is_good = outcome["failed"] == 0 && outcome["ended"].is_null();
    Ok(ExitCode::from(u8::from(!is_good)))
}

fn print(line: &Value) -> Result<(), Failure> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let seconds = |value: &Value| {
        value.as_u64().map_or_else(|| "-".to_owned(), |millis| format!("{}.{} s", millis / 1000, millis % 1000 / 100))
    };
    if let Some(plan) = line["plan"].as_object() {
        output::line(&format_args!(
            "lamp test of {} widgets, about {} s; values are a copy, the wall goes on beneath",
            plan["widgets"], plan["expected_s"]
        ))?;
        if plan["glass"] == false {
            output::line(&"no glass: only the backend's part is tested")?;
        }
        let left_out: Vec<&str> = plan["left_out"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !left_out.is_empty() {
            output::line(&format_args!(
                "left out, as they are not live, have no value, or stand on another page: {}",
                left_out.join(", ")
            ))?;
        }
        return output::line(&format_args!(
            "\n{:<12} {:<30} {:>11} {:>8} {:>8}  verdict",
            "step", "expected", "shown after", "limit", "back"
        ));
    }
    if line["step"].is_object() {
        let step = &line["step"];
        output::line(&format_args!(
            "{:<12} {:<30} {:>11} {:>8} {:>8}  {}{}",
            text(&step["name"]),
            text(&step["expects"]),
            seconds(&step["shown_ms"]),
            seconds(&step["limit_ms"]),
            seconds(&step["back_ms"]),
            text(&step["verdict"]),
            step["note"].as_str().map(|note| format!(": {note}")).unwrap_or_default()
        ))?;
        for missed in step["missed"].as_array().into_iter().flatten() {
            output::line(&format_args!("  {}: {}", text(&missed["of"]), text(&missed["what"])))?;
        }
        return Ok(());
    }
    let outcome = &line["outcome"];
    if let Some(why) = outcome["ended"].as_str() {
        output::line(&format_args!("\nended before its end: {why}"))?;
    }
    let untested = match outcome["untested"].as_u64() {
        Some(0) | None => String::new(),
        Some(count) => format!("{count} not tested, "),
    };
    output::line(&format_args!("\n{untested}{} passed, {} failed", outcome["passed"], outcome["failed"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who reads only this line knows whether something failed, or wasn't tested at all.
    #[test]
    fn the_result_is_said_in_a_line() {
        let last = |passed, failed, untested, ended: Option<&str>| {
            Last { at_ms: 0, passed, failed, untested, ended: ended.map(str::to_owned) }.words()
        };
        assert_eq!(last(8, 0, 0, None), "passed 8 of 8");
        assert_eq!(last(7, 0, 1, None), "passed 7 of 7, 1 not tested");
        assert_eq!(last(6, 2, 0, None), "FAILED 2 of 8");
        assert_eq!(last(2, 0, 0, Some("at the wall")), "was ended (at the wall): 2 of 2 steps passed");
    }

    #[test]
    fn the_result_is_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(last_words(folder.path()).contains("never"));
        let outcome = Outcome { passed: 8, failed: 0, untested: 0, ended: None };
        let last = Last::of(&outcome);
        last.write(folder.path());
        assert_eq!(Last::read(folder.path()), Some(last));
        assert_eq!(last_words(folder.path()), "passed 8 of 8, less than an hour ago");
    }
}
