//! The lamp test of a running wall: what it says of an honest page and of one that isn't, and that nothing is left of it afterwards.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::{
    desktop::Desktop,
    page::Page,
    program::{program, run_wall},
};

const LIMIT: Duration = Duration::from_secs(60);
/// Walls that run side by side would measure each other.
static ONE_WALL: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
const ALL_LIVE: &str = "const all = [...document.querySelectorAll('[data-widget]')];\
    return !document.querySelector('main')?.dataset.drill && all.length > 0 &&\
    all.every((widget) => widget.dataset.freshness === 'live')";
const STEPS: [&str; 8] = ["baseline", "cut", "half-open", "gap", "refusal", "stale", "no answer", "page stalls"];

/// A wall without a window that ends with the test.
struct Blind(Child);

impl Drop for Blind {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn drill(data: &str) -> Result<Output> {
    run_wall(&["drill", "--data-dir", data])
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// How each step ended, by the table that is printed.
fn verdicts(table: &str) -> Vec<(&'static str, String)> {
    let verdict = |name: &&'static str| {
        let line = table.lines().find(|line| line.starts_with(&format!("{name:<12} ")))?;
        let word = ["passed", "failed", "untested"].into_iter().find(|word| line.contains(&format!("  {word}")))?;
        Some((*name, word.to_owned()))
    };
    STEPS.iter().filter_map(verdict).collect()
}

/// Everything that a lamp test must leave as it is: what was received, up to where, and the links' history.
fn kept(data: &Path) -> Result<Vec<String>> {
    let journal = rusqlite::Connection::open(data.join("journal.db"))?;
    let mut all = Vec::new();
    for query in [
        "SELECT COUNT(*) || ' batches, ' || COALESCE(MAX(seq), 0) FROM batch",
        "SELECT source || ' ' || channel || ' ' || position FROM position ORDER BY 1",
        "SELECT source || ' ' || began_ms || ' ' || COALESCE(ended_ms, '') || ' ' || cause FROM outage ORDER BY 1",
    ] {
        let mut found = journal.prepare(query)?;
        let rows = found.query_map([], |row| row.get::<_, String>(0))?;
        all.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(all)
}

/// Without a glass the backend's part is tested, and it is said that no more was. Without a wall there is nothing to test.
#[test]
fn a_wall_without_a_window_is_tested_as_far_as_it_goes() -> Result<()> {
    let _alone = ONE_WALL.blocking_lock();
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?;
    let nobody = drill(data)?;
    assert_eq!(nobody.status.code(), Some(3), "{}", said(&nobody));
    assert!(said(&nobody).contains("no wall runs"), "{}", said(&nobody));

    let mut command = Command::new(program("watchfloor")?);
    command.args(["--demo", "--paused", "--headless", "--json", "--data-dir", data]);
    let _wall = Blind(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let begun = Instant::now();
    let output = loop {
        let output = drill(data)?;
        // It is only starting.
        if output.status.code() != Some(3) {
            break output;
        }
        ensure!(begun.elapsed() < LIMIT, "{}", said(&output));
        std::thread::sleep(Duration::from_millis(200));
    };
    let table = said(&output);
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(table.contains("no glass: only the backend's part is tested"), "{table}");
    assert!(table.trim_end().ends_with("2 not tested, 6 passed, 0 failed"), "{table}");
    let json = run_wall(&["drill", "--json", "--data-dir", data])?;
    let lines = String::from_utf8(json.stdout)?;
    let lines: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(lines.len(), 2 + STEPS.len());
    assert_eq!(lines[0]["plan"]["glass"], false);
    assert_eq!(lines[2]["step"]["name"], "cut");
    assert!(lines[2]["step"]["shown_ms"].as_u64().is_some_and(|shown| shown <= 6000), "{}", lines[2]);
    let doctor = run_wall(&["doctor", "--data-dir", data])?;
    assert!(said(&doctor).contains("passed 6 of 6, 2 not tested, less than an hour ago"), "{}", said(&doctor));
    Ok(())
}

/// H1, H7: every step is shown in time on a real glass; the wall's own story goes on untouched; a page that doesn't show a mark is
/// found; and it can be ended by a key, is refused a second time, and never mixed with the past.
#[tokio::test(flavor = "multi_thread")]
async fn a_wall_is_walked_through_its_faults() -> Result<()> {
    let _alone = ONE_WALL.lock().await;
    let desktop = Desktop::with_driver(1920, 1080).await?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("path")?.to_owned();
    let args = ["--demo", "--paused", "--kiosk", "--data-dir", &data, "--notifications", "off"];
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("a live wall", ALL_LIVE, LIMIT).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = kept(folder.path())?;

    let began = Instant::now();
    let running = test_lamps(&data);
    page.wait_for("the band", "return document.querySelector('[data-drill-band]') !== null", LIMIT).await?;
    let second = drill(&data)?;
    assert_eq!(second.status.code(), Some(3), "{}", said(&second));
    assert!(said(&second).contains("runs already"), "{}", said(&second));
    let past = page.invoke("past_open", json!({ "atMs": null })).await.err().context("it is refused")?;
    assert!(past.to_string().contains("lamp test"), "{past}");
    let band = page.run("return document.querySelector('[data-drill-band]').textContent", Vec::new()).await?;
    assert!(band.as_str().is_some_and(|band| band.contains("DRILL") && band.contains("LIVE: all ")), "{band}");
    page.wait_for("a widget that is down", "return document.querySelector('[data-freshness=down]') !== null", LIMIT)
        .await?;
    let meanwhile = jiff::Timestamp::from_millisecond(now_ms()?)?.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    let output = running.await??;
    let table = said(&output);
    let took = began.elapsed();
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(table.trim_end().ends_with("\n8 passed, 0 failed"), "{table}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    page.wait_for(
        "the result",
        "return document.querySelector('[data-notice=\"lamp-test\"]')?.textContent ?? false",
        LIMIT,
    )
    .await
    .map(|text| assert!(text.as_str().is_some_and(|text| text.contains("Lamp test passed 8 of 8")), "{text}"))?;
    page.wait_for("a live wall", ALL_LIVE, LIMIT).await?;
    assert_eq!(kept(folder.path())?, before, "nothing of it is in the wall's own story");
    let then = run_wall(&["--demo", "--headless", "--json", "--at", &meanwhile, "--data-dir", &data])?;
    let then: Value = serde_json::from_slice(&then.stdout)?;
    assert_eq!(then["record"]["unseen"], "the glass showed a lamp test");
    assert_eq!(then["widgets"]["wind-jfk"]["freshness"], "live", "the present went on beneath");

    // A page that hides the hatch, and shows whatever is stale as if it weren't.
    let hide = "const sheet = new CSSStyleSheet();\
        sheet.replaceSync('[data-hatch] { visibility: hidden !important }');\
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; return true";
    page.run(hide, Vec::new()).await?;
    let output = test_lamps(&data).await??;
    let table = said(&output);
    assert_eq!(output.status.code(), Some(1), "{table}");
    let failed: Vec<_> = verdicts(&table).into_iter().filter(|(_, verdict)| verdict == "failed").collect();
    let failed: Vec<_> = failed.iter().map(|(name, _)| *name).collect();
    assert_eq!(failed, ["cut", "half-open", "stale", "no answer"], "{table}");
    assert!(table.contains("can't be seen: the hatch"), "{table}");
    page.run("document.adoptedStyleSheets = []; return true", Vec::new()).await?;

    page.wait_for("a live wall", ALL_LIVE, LIMIT).await?;
    let running = test_lamps(&data);
    page.wait_for("the band", "return document.querySelector('[data-drill-band]') !== null", LIMIT).await?;
    let key = "window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', cancelable: true }))";
    page.run(key, Vec::new()).await?;
    let output = running.await??;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("ended before its end: at the wall"), "{}", said(&output));
    page.wait_for("a live wall", ALL_LIVE, LIMIT).await?;
    assert_eq!(kept(folder.path())?, before);
    page.close().await
}

fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?)
}

fn test_lamps(data: &str) -> tokio::task::JoinHandle<Result<Output>> {
    let data = data.to_owned();
    tokio::task::spawn_blocking(move || drill(&data))
}
