//! From an alarm's decision to its announcement, by the real engine with its journal on disk, while 10,000 events a second come and 5,000 rules watch
//! over them.
//!
//! Three instants are on record by the program itself: when an alarm was decided, and when it was announced, which comes after its entry was
//! committed and had come back. An alarm that the board wants told by nothing but the wall is announced when its order is handed to what announces: that is
//! the figure of all alarms. Of the critical ones a real notification service is told, as far as a person can take; when it answered is read off the session
//! bus. What was decided late would be announced soon after: so the event's own time is held against the announcement as well.
//!
//! Beside it, in the same folder and the same seconds, SQLite alone commits a row of the same size in the same mode.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};
use serde_json::Value;
use watchfloor_engine::{
    BoardInput, Engine, EngineConfig,
    record::{self, Form},
};

use crate::{
    bench::{
        figure::{Figure, quantile},
        generator::wall_ms,
        ingest::Generator,
        proc,
    },
    desktop::Desktop,
    overheard::{Overheard, Taken},
    wait::until,
};

/// Events a second.
const RATE: u32 = 10_000;
/// Names of events, each of a widget or of rules of its own.
const NAMES: u64 = 200;
/// Rules in all.
const RULES: usize = 5000;
/// What the whole way may take, and half a second more than what the first alarms take to come.
const LIMIT_MS: f64 = 50.0;
const WARM: Duration = Duration::from_secs(8);
const LIMIT: Duration = Duration::from_secs(30);
/// A display's refresh: how often the page pulls.
const REFRESH: Duration = Duration::from_millis(16);
/// How often SQLite alone commits.
const COMMIT_EVERY: Duration = Duration::from_millis(20);
/// What an entry of the record takes, about.
const ROW_BYTES: usize = 1200;
/// Names of the rules of which a notification tells.
const CRITICAL: std::ops::Range<u64> = 190..198;

/// The value of the event `number`, and what tells it from others of its name: most of its name's rules never hold, some always, one turns with each
/// second of it, or with each half minute.
#[must_use]
pub fn event(number: u64) -> (u64, f64, u64) {
    let (name, visit) = (number % NAMES, number / NAMES);
    let noise = ((visit * 31 + name * 17) % 400) as f64 / 10.0;
    let is_high = if CRITICAL.contains(&name) {
        (visit + (name - CRITICAL.start) * 375) % 3000 < 1500
    } else {
        (visit + name * 7) % 100 < 50
    };
    (name, if is_high { 120.0 } else { 50.0 } + noise, visit % 40)
}

/// A board with 5,000 rules of all kinds, with its source at `address`.
fn board(address: &str) -> String {
    let mut text = format!(
        "[board]\ntitle = \"Plant\"\ngrid = {{ columns = 24, rows = 16 }}\n[alarms]\nnotify = \"critical\"\nsound = \"none\"\nsource-lost = \"none\"\n\
         [[source]]\nid = \"plant\"\nkind = \"hub\"\nurl = \"http://{address}\"\nchannels = [\"orders\"]\n\
         [[widget]]\nid = \"sites\"\nkind = \"status\"\non = [\"p150\", \"p151\", \"p152\", \"p153\", \"p154\"]\nkey = \"site\"\nstate = \"site\"\n\
         states = {{ 1 = \"alarm\", 2 = \"warning\" }}\n\
         [[widget]]\nid = \"newest\"\nkind = \"table\"\non = \"p1*\"\nkey = \"site\"\ncolumns = [{{ path = \"value\", format = \"number\" }}]\n\
         [[widget]]\nid = \"course\"\nkind = \"series\"\non = \"p7\"\nbucket = \"1s\"\nkeep = \"1m\"\nstat = \"mean\"\nvalue = \"value\"\n",
    );
    let (mut rules, mut count) = (String::new(), 0);
    // Writing to a string can't fail.
    let mut rule = |id: String, judged: String, more: &str| {
        let _ = write!(rules, "[[alarm]]\nid = \"{id}\"\n{judged}\nacknowledge = \"none\"\n{more}\n");
        count += 1;
    };
    for name in (0..150).chain(CRITICAL) {
        let _ = write!(text, "[[widget]]\nid = \"g{name}\"\nkind = \"gauge\"\non = \"p{name}\"\nvalue = \"value\"\n");
    }
    for name in 0..100 {
        rule(format!("turns-{name}"), format!("when = \"g{name} > 100\""), "priority = \"high\"");
    }
    for name in CRITICAL {
        rule(format!("critical-{name}"), format!("when = \"g{name} > 100\""), "priority = \"critical\"");
    }
    for name in 0..150 {
        (0..4).for_each(|least| rule(format!("holds-{name}-{least}"), format!("when = \"g{name} > {least}\""), ""));
        (0..12)
            .for_each(|more| rule(format!("never-{name}-{more}"), format!("when = \"g{name} > {}\"", 1000 + more), ""));
    }
    for number in 0..300 {
        let more = "parents = [\"turns-3\"]\ngroup = \"south\"";
        rule(format!("child-{number}"), format!("when = \"g{} > {}\"", number % 150, number % 2 * 2000), more);
    }
    for number in 0..96 {
        rule(format!("sites-{number}"), format!("when = \"sites.alarm > {}\"", 50 + number), "");
        rule(format!("many-{number}"), format!("when = \"sites.state == 'normal' && sites.count > {number}\""), "");
    }
    for number in 0..1000 {
        let judged =
            format!("on = \"p{}\"\nkey = \"site\"\nraise = \"event.value > {}\"", 150 + number % 40, 1000 + number);
        rule(format!("event-{number}"), judged, "");
        let judged = format!(
            "on = \"p{}\"\nwhere = {{ site = {} }}\nkey = \"site\"\nraise = \"event.value > {}\"",
            150 + number % 40,
            1000 + number,
            number
        );
        rule(format!("elsewhere-{number}"), judged, "");
    }
    debug_assert_eq!(count, RULES);
    text + &rules
}

/// An engine of its own process, so that its processor time is its own. It ends when this is dropped.
struct Wall(Child);

impl Drop for Wall {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Wall {
    fn start(desktop: &Desktop, board: &Path, data: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("alarms-wall").arg("--board").arg(board).arg("--data").arg(data);
        desktop.enter(&mut command);
        Ok(Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("the engine")?))
    }

    /// Ends it in good order: all is written.
    fn stop(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        until("the engine's end", LIMIT, || Ok(self.0.try_wait()?)).map(drop)
    }
}

/// Used by the bench: an engine with one page, until its input ends.
///
/// # Errors
/// If it can't be started.
pub async fn wall(board: PathBuf, data: PathBuf) -> Result<()> {
    let engine = Engine::start(EngineConfig {
        data_dir: Some(data),
        notifications: true,
        ..EngineConfig::new(BoardInput::File(board))
    })
    .await?;
    let page = tokio::spawn({
        let engine = engine.clone();
        async move {
            let (mut after, mut revision) = (0, 0);
            loop {
                let frame = engine.next_frame(after, revision).await;
                (after, revision) = (frame.version, frame.revision);
                tokio::time::sleep(REFRESH).await;
            }
        }
    });
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    page.abort();
    engine.stop().await;
    Ok(())
}

/// What SQLite alone takes for one row and its commit, in milliseconds each, until `stop`.
fn raw(file: &Path, stop: &AtomicBool) -> Result<Vec<f64>> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, body TEXT NOT NULL)", [])?;
    let (body, mut times) = ("x".repeat(ROW_BYTES), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        connection.execute("INSERT INTO entry (body) VALUES (?1)", params![body])?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        thread::sleep(COMMIT_EVERY);
    }
    Ok(times)
}

/// Measures for so many seconds.
///
/// # Errors
/// If something of it can't be started, or stands still.
pub async fn run(seconds: u64) -> Result<Vec<Figure>> {
    let generator = Generator::start(&["--rate".to_owned(), RATE.to_string(), "--plant".to_owned()])?;
    let folder = tempfile::tempdir()?;
    let (file, data) = (folder.path().join("board.toml"), folder.path().join("data"));
    fs::write(&file, board(&generator.address.to_string()))?;
    let desktop = Desktop::start(1280, 720)?;
    let overheard = Overheard::start(&desktop)?;
    let mut command = Command::new("dunst");
    desktop.enter(&mut command);
    let _notifier =
        Wall(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("dunst")?);
    let wall = Wall::start(&desktop, &file, &data)?;
    thread::sleep(WARM);

    let stop = Arc::new(AtomicBool::new(false));
    let committing = thread::spawn({
        let (stop, file) = (Arc::clone(&stop), folder.path().join("raw.db"));
        move || raw(&file, &stop)
    });
    let (from, used, began) = (wall_ms(), proc::cpu(wall.0.id()), Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let (to, elapsed) = (wall_ms(), began.elapsed().as_secs_f64());
    let cores = proc::cpu(wall.0.id()).saturating_sub(used).as_secs_f64() / elapsed;
    let memory = proc::rss_mib(wall.0.id());
    stop.store(true, Ordering::Relaxed);
    let mut raw = committing.join().map_err(|_| anyhow::anyhow!("SQLite alone ended badly"))??;
    let taken = overheard.taken();
    wall.stop()?;

    let entries = entries(&data)?;
    let is_within = |at: f64| (from..to).contains(&at);
    let (mut to_announcement, mut of_event, mut to_decision, mut shown) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut turns, mut unheard, mut rules) = (0, 0, BTreeSet::new());
    let mut answers = answers(&taken);
    for entry in &entries {
        let (Some(decided), Some(event)) = (entry["decided_ms"].as_f64(), entry["event_ms"].as_f64()) else { continue };
        // Of the last second, what was on its way when the engine ended isn't known.
        if !is_within(decided) || !is_within(decided + 1000.0) {
            continue;
        }
        turns += 1;
        to_decision.push(decided - event);
        if entry["calls"] != true {
            continue;
        }
        rules.insert(entry["rule"].as_str().unwrap_or_default().to_owned());
        let Some(announced) = entry["announced_ms"].as_f64() else {
            unheard += 1;
            continue;
        };
        if entry["priority"] == "critical" {
            let answered = entry["rule"].as_str().and_then(|rule| answers.remove(rule));
            shown.extend(answered.filter(|at| *at >= decided - 1.0).map(|at| at - decided));
        } else {
            to_announcement.push(announced - decided);
            of_event.push(announced - event);
        }
    }
    ensure!(to_announcement.len() > 1000, "too few alarms: {} of {} entries", to_announcement.len(), entries.len());
    let sqlite = |share: f64, raw: &mut Vec<f64>| quantile(raw, share);
    let (raw_p50, raw_p99, raw_max) = (sqlite(0.5, &mut raw), sqlite(0.99, &mut raw), sqlite(1.0, &mut raw));
    let mut figures = Vec::new();
    let mut add = |metric: &str, value: Option<f64>, unit, limit| {
        figures.extend(value.map(|value| Figure { bench: "alarms", metric: metric.to_owned(), value, unit, limit }));
    };
    add("rules", Some(RULES as f64), "1", None);
    add("turns", Some(turns as f64 / (elapsed - 1.0)), "1/s", None);
    add("rules_that_called", Some(rules.len() as f64), "1", None);
    add("calls_without_announcement", Some(f64::from(unheard)), "1", None);
    add("decide_to_announce_p50", quantile(&mut to_announcement, 0.5), "ms", None);
    add("decide_to_announce_p99", quantile(&mut to_announcement, 0.99), "ms", Some(LIMIT_MS));
    add("decide_to_announce_max", quantile(&mut to_announcement, 1.0), "ms", None);
    add("event_to_decision_p50", quantile(&mut to_decision, 0.5), "ms", None);
    add("event_to_decision_p99", quantile(&mut to_decision, 0.99), "ms", None);
    add("event_to_announcement_p50", quantile(&mut of_event, 0.5), "ms", None);
    add("event_to_announcement_p99", quantile(&mut of_event, 0.99), "ms", None);
    add("event_to_announcement_max", quantile(&mut of_event, 1.0), "ms", None);
    add("notifications", Some(shown.len() as f64), "1", None);
    add("decide_to_notification_p50", quantile(&mut shown, 0.5), "ms", None);
    add("decide_to_notification_max", quantile(&mut shown, 1.0), "ms", Some(LIMIT_MS));
    add("sqlite_commit_p50", raw_p50, "ms", None);
    add("sqlite_commit_p99", raw_p99, "ms", None);
    add("sqlite_commit_max", raw_max, "ms", None);
    add("cores", Some(cores), "cores", None);
    add("memory", Some(memory), "MiB", None);
    Ok(figures)
}

/// The record, oldest first.
fn entries(data: &Path) -> Result<Vec<Value>> {
    let mut text = Vec::new();
    record::export(data, None, None, Form::JsonLines, &mut text)?;
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Ok(serde_json::from_slice(line)?))
        .collect()
}

/// When the service answered that it has each notification that popped up, in milliseconds, by the rule's id, which is its title as well.
fn answers(taken: &[Taken]) -> BTreeMap<String, f64> {
    let popped = taken.iter().filter(|own| own.is_new);
    popped.filter_map(|own| Some((own.heading.split_once(": ")?.1.to_owned(), own.at * 1000.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark whose board is refused measures nothing.
    #[test]
    fn the_board_of_the_rules_is_a_good_one() {
        match watchfloor_board::config::parse(&board("127.0.0.1:9"), "plant.toml") {
            Ok(file) => assert_eq!(file.alarms.len(), RULES),
            Err(errors) => panic!("{errors}"),
        }
    }
}
