//! Looking back from outside: what was on the glass comes from the journal alone, a changed record is found, and a wall that looks
//! back is unmistakably not live and returns by itself.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use watchfloor_tests::{
    desktop::Desktop,
    faults::process::signal_to,
    page::Page,
    program::{program, run_wall},
};

const LIMIT: Duration = Duration::from_secs(60);
/// A wall that shows the past goes back after this, here.
const RETURN_AFTER: &str = "15s";
/// Walls that run side by side would measure each other.
static ONE_WALL: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// Every widget says that it is live, and there is at least one.
const ALL_LIVE: &str = "const all = [...document.querySelectorAll('[data-widget]')];\
    return !document.querySelector('main')?.dataset.past && all.length > 0 &&\
    all.every((widget) => widget.dataset.freshness === 'live')";

fn words(millis: i64) -> Result<String> {
    let time = jiff::Timestamp::from_millisecond(millis).context("a time")?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?)
}

/// What a wall without a window said each second, from a demo that stands.
fn record(data: &str) -> Result<Vec<Value>> {
    let args = ["--demo", "--paused", "--headless", "--json", "--for", "9s", "--data-dir", data];
    let output = run_wall(&args)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| serde_json::from_str(line).context("a report")).collect()
}

fn at(data: &str, when: &str) -> Result<Output> {
    run_wall(&["--demo", "--headless", "--json", "--at", when, "--data-dir", data])
}

fn report_at(data: &str, millis: i64) -> Result<Value> {
    let output = at(data, &words(millis)?)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("a report")
}

fn verify(data: &str) -> Result<(Option<i32>, String)> {
    let output = run_wall(&["journal", "verify", "--data-dir", data])?;
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

/// H3 of the past: the report of a time that is over equals, widget by widget, what the report of the present said then; a hole
/// between two runs is one, and nothing in it is live.
#[test]
fn the_past_says_what_the_present_said() -> Result<()> {
    let _alone = ONE_WALL.blocking_lock();
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    let told = record(data)?;
    let last = told.iter().rev().nth(1).context("reports")?;
    let time = last["time"].as_i64().context("time")?;
    let past = report_at(data, time)?;
    assert!(last["widgets"].as_object().is_some_and(|widgets| widgets.len() > 10), "{last}");
    for (id, widget) in last["widgets"].as_object().into_iter().flatten() {
        for name in ["kind", "freshness", "basis", "value"] {
            assert_eq!(past["widgets"][id][name], widget[name], "{name} of {id}");
        }
    }
    assert_eq!(past["sources"]["ops"]["state"], "live");
    assert_eq!(past["alarms"], json!([]));
    assert!(past["record"]["unseen"].as_str().is_some_and(|why| why.contains("no page")), "there was no window");

    std::thread::sleep(Duration::from_secs(6));
    let again = record(data)?;
    let between = time + 5000;
    assert!(between < again[0]["time"].as_i64().context("time")?);
    let hole = report_at(data, between + 1500)?;
    assert!(hole["record"]["hole"].as_str().is_some_and(|why| why.contains("not running")), "{}", hole["record"]);
    for (id, widget) in hole["widgets"].as_object().into_iter().flatten() {
        assert_ne!(widget["freshness"], "live", "{id} at an instant of which nothing is known");
    }
    let (code, said) = verify(data)?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("hole: from") && said.contains("every record follows"), "{said}");
    Ok(())
}

/// Whoever changes a byte of what was on the glass is found, by the record's time; the rest can still be looked at.
#[test]
fn a_changed_record_is_found() -> Result<()> {
    let _alone = ONE_WALL.blocking_lock();
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    record(data)?;
    let journal = rusqlite::Connection::open(folder.path().join("journal.db"))?;
    let record_after = |offset: u32| {
        let query = format!("SELECT seq, at_ms FROM glass ORDER BY seq LIMIT 1 OFFSET {offset}");
        journal.query_row(&query, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
    };
    // The first records are of a wall that isn't live yet.
    let mut first_live = 0;
    while report_at(data, record_after(first_live)?.1)?["widgets"]["wind-jfk"]["freshness"] != "live" {
        first_live += 1;
    }
    let ((_, time_before), (seq, time)) = (record_after(first_live)?, record_after(first_live + 1)?);
    ensure!(time - time_before > 1, "two records within {} ms", time - time_before);
    let change =
        "UPDATE glass SET body = CAST(SUBSTR(body, 1, 20) || x'00' || SUBSTR(body, 22) AS BLOB) WHERE seq = ?1";
    assert_eq!(journal.execute(change, [seq])?, 1);
    drop(journal);
    let (code, said) = verify(data)?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("BROKEN: record {seq} of {}", &words(time)?[..19])), "{said}");
    let before = report_at(data, time_before)?;
    assert_eq!(
        (&before["record"]["damage"], &before["widgets"]["wind-jfk"]["freshness"]),
        (&Value::Null, &json!("live"))
    );
    // What was shown up to the changed record is as little known as what was shown after it.
    for doubted in [i64::midpoint(time_before, time), time + 100] {
        let report = report_at(data, doubted)?;
        assert!(report["record"]["damage"].is_string(), "{doubted}: {}", report["record"]);
        assert_eq!(report["widgets"]["wind-jfk"]["freshness"], "stale", "{doubted}");
    }
    Ok(())
}

/// A time in vain is answered with what there is, in one line.
#[test]
fn what_there_is_is_said() -> Result<()> {
    let _alone = ONE_WALL.blocking_lock();
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    let refused = |output: Output, code: i32, words: &str| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{words:?} is not in {said}");
    };
    refused(at(data, "2026-11-24T10:15:00Z")?, 1, "no journal");
    refused(at(data, "2026-11-24T10:15:00")?, 2, "2026-11-24T10:15:00Z");
    record(data)?;
    refused(at(data, "2020-01-01T00:00:00Z")?, 1, "the record goes from 2");
    refused(run_wall(&["--at", "2026-11-24T10:15:00Z"])?, 2, "--board");
    Ok(())
}

async fn press(page: &Page, key: &str) -> Result<()> {
    let script = "window.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], cancelable: true }))";
    page.run(script, vec![json!(key)]).await.map(drop)
}

/// The instant that the page shows, milliseconds since 1970.
async fn shown(page: &Page) -> Result<i64> {
    let at = page.run("return Number(document.querySelector('[data-past-bar]')?.dataset.pastAt)", Vec::new()).await?;
    at.as_i64().context("the page shows the past")
}

fn journal_has(data: &Path, count: i64) -> Result<bool> {
    let journal = rusqlite::Connection::open(data.join("journal.db"))?;
    Ok(journal.query_row("SELECT COUNT(*) FROM glass", [], |row| row.get::<_, i64>(0))? >= count)
}

/// A key shows the past, marked all over; the present stays in its corner and comes back by itself. The record knows which of both
/// was on the glass, and a second program reads it beside the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_wall_that_looks_back_says_so_and_returns() -> Result<()> {
    let _alone = ONE_WALL.lock().await;
    let desktop = Desktop::with_driver(1920, 1080).await?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    let args = ["--demo", "--kiosk", "--return-after", RETURN_AFTER, "--data-dir", data, "--notifications", "off"];
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("a live wall", ALL_LIVE, LIMIT).await?;
    let begun = tokio::time::Instant::now();
    while !journal_has(folder.path(), 8)? {
        ensure!(begun.elapsed() < LIMIT, "nothing is recorded");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let live_ms = now_ms()?;

    press(&page, "b").await?;
    let marked = "const mark = document.querySelector('[data-past-watermark]')?.textContent ?? '';\
        const frame = document.querySelector('[data-past-frame]')?.getBoundingClientRect();\
        return document.querySelector('main')?.dataset.past && mark.includes('RECORDING') && frame.width === innerWidth &&\
        document.querySelector('.clock').textContent.includes('RECORDING') &&\
        document.querySelector('[data-past-live]').textContent.startsWith('LIVE: all ')";
    page.wait_for("the marks of the past", marked, LIMIT).await?;
    let first = shown(&page).await?;
    assert!(first < live_ms, "{first} is not before {live_ms}");
    let looked_ms = now_ms()?;
    page.invoke("past_seek", json!({ "atMs": first + 3000 })).await?;
    let moved =
        format!("return Number(document.querySelector('[data-past-bar]')?.dataset.pastAt) === {}", first + 3000);
    page.wait_for("another instant", &moved, LIMIT).await?;
    page.invoke("past_speed", json!({ "speed": 10 })).await?;
    page.invoke("past_play", json!({ "playing": true })).await?;
    let gone_on =
        format!("return Number(document.querySelector('[data-past-bar]')?.dataset.pastAt) > {}", first + 4000);
    page.wait_for("time that goes on", &gone_on, LIMIT).await?;

    page.wait_for("the present, by itself", ALL_LIVE, LIMIT).await?;
    let left = page.run("return document.querySelector('[data-past-bar], [data-past-frame]') === null", Vec::new());
    assert_eq!(left.await?, json!(true));
    let then = report_at(data, live_ms - 500)?;
    assert_eq!(then["record"]["unseen"], Value::Null, "the glass showed the present: {}", then["record"]);
    let meanwhile = report_at(data, looked_ms + 2500)?;
    assert_eq!(meanwhile["record"]["unseen"], "the glass showed the past");
    assert_eq!(meanwhile["widgets"]["wind-jfk"]["freshness"], "live", "the present went on behind it");
    page.close().await
}

/// A wall without a window that runs until it is asked to end. What it reports goes to a file.
struct Running {
    program: Child,
    reports: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Running {
    fn start(data: &str, reports: &Path) -> Result<Self> {
        let mut command = Command::new(program("watchfloor")?);
        command.args(["--demo", "--paused", "--headless", "--json", "--data-dir", data]);
        command.env_remove("NOTIFY_SOCKET").stdin(Stdio::null()).stderr(Stdio::null());
        let program = command.stdout(File::create(reports)?).spawn()?;
        Ok(Self { program, reports: reports.to_owned() })
    }

    /// What it has reported since all was live for the first time.
    fn since_live(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.reports)?;
        // The last line may still be on its way.
        let reports = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(serde_json::from_str);
        let reports: Vec<Value> = reports.collect::<Result<_, _>>()?;
        Ok(reports.into_iter().skip_while(|report| !is_live(report)).collect())
    }

    fn end(&mut self) -> Result<Option<i32>> {
        signal_to(self.program.id(), Signal::TERM)?;
        Ok(self.program.wait()?.code())
    }
}

fn is_live(report: &Value) -> bool {
    let widgets = report["widgets"].as_object();
    widgets.is_some_and(|all| !all.is_empty() && all.values().all(|widget| widget["freshness"] == "live"))
}

/// What lies in a folder besides journal and log, which a wall that runs goes on writing.
fn small_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("journal.db") && name != "logs" {
            files.insert(name.clone(), fs::read(folder.join(name))?);
        }
    }
    Ok(files)
}

/// H1, H4: a second window that looks back beside a running wall shows what that one recorded, and nothing of that one is disturbed:
/// it is live and silent all the while, its record has no hole, and not a byte is written into its folder by the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_window_looks_back_beside_a_running_wall() -> Result<()> {
    let _alone = ONE_WALL.lock().await;
    let folder = tempfile::tempdir()?;
    let own = folder.path().join("data");
    let data = own.to_str().context("path")?;
    let mut running = Running::start(data, &folder.path().join("reports"))?;
    let begun = tokio::time::Instant::now();
    while running.since_live()?.len() < 8 {
        ensure!(begun.elapsed() < LIMIT, "the wall is not live");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let time = running.since_live()?[5]["time"].as_i64().context("time")?;
    let (before, log) = (small_files(&own)?, own.join("logs/watchfloor.log"));
    let logged = fs::read_to_string(&log)?;

    let desktop = Desktop::with_driver(1920, 1080).await?;
    let when = words(time)?;
    let args = ["--demo", "--at", &when, "--return-after", RETURN_AFTER, "--data-dir", data, "--notifications", "off"];
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("the past", "return document.querySelector('[data-past-bar]') !== null", LIMIT).await?;
    assert_eq!(shown(&page).await?, time);
    let was_live = "const all = [...document.querySelectorAll('[data-widget]')];\
        return all.length > 0 && all.every((widget) => widget.dataset.freshness === 'live')";
    page.wait_for("what was live then", was_live, LIMIT).await?;
    page.wait_for("the present, by itself", ALL_LIVE, LIMIT).await?;
    let says = "return document.body.innerText.includes('this one remembers nothing')";
    page.wait_for("whose record it is", says, LIMIT).await?;
    page.close().await?;

    assert_eq!(small_files(&own)?, before, "the second window wrote into the folder");
    let reports = running.since_live()?;
    for report in &reports {
        assert!(is_live(report) && report["notices"] == json!([]), "the running wall was disturbed: {report}");
    }
    assert!(reports.len() > 10, "{} reports", reports.len());
    assert_eq!(running.end()?, Some(0));
    let more = fs::read_to_string(&log)?.split_off(logged.len());
    assert!(!more.contains("the wall runs"), "the second window wrote into the log: {more}");
    let (code, said) = verify(data)?;
    assert!(code == Some(0) && !said.contains("hole:"), "{said}");
    Ok(())
}

/// `--at` opens a wall that begins there, with the present behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_wall_can_begin_in_the_past() -> Result<()> {
    let _alone = ONE_WALL.lock().await;
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    let told = record(data)?;
    let time = told[6]["time"].as_i64().context("time")?;
    let desktop = Desktop::with_driver(1920, 1080).await?;
    let when = words(time)?;
    let args = ["--demo", "--kiosk", "--at", &when, "--data-dir", data, "--notifications", "off"];
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("the past", "return document.querySelector('[data-past-bar]') !== null", LIMIT).await?;
    assert_eq!(shown(&page).await?, time);
    press(&page, "Escape").await?;
    page.wait_for("a live wall", ALL_LIVE, LIMIT).await?;
    page.close().await
}
