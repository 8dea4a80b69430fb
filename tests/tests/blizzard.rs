//! H6 at its worst: the blizzard of 8 and 9 February 2013, each of its 865 cancellations an alarm of its own, by the real programs. Whoever
//! sits in front of it is told no more than a person can take, and the record has every one of them, once: through a cut of the link and a kill
//! in the midst of it.
//!
//! `WATCHFLOOR_BLIZZARD_MINUTES` says how long the two days take; left out they go as fast as they can be replayed, in less than a minute.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use jiff::civil::date;
use serde_json::{Value, json};
use watchfloor_demo::{
    StoryName,
    dataset::{self, Dataset},
    publisher::{Control, Publisher, SPEEDS},
    story::Story,
    timeline::Timeline,
};
use watchfloor_model::Timestamp;
use watchfloor_tests::{
    desktop::Desktop,
    faults::{process::HubProcess, proxy::Proxy},
    notifier::Notifier,
    overheard::{Overheard, most_within},
    program::program,
    record::record,
    wait::{until, until_told},
    window::WindowProcess,
};

/// For a start of an unoptimised build on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
/// How long the link is away.
const CUT: Duration = Duration::from_secs(3);
/// What a person can take: so many in any ten minutes.
const ANNOUNCED_MAX: usize = 10;
const TEN_MINUTES_S: f64 = 600.0;

fn board(port: u16) -> String {
    format!(
        r#"
[board]
title = "Blizzard"
timezone = "America/New_York"
stale-after = "5s"

[alarms]
notify = "medium"
sound = "none"
source-lost = "none"

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:{port}"
channels = ["flights", "desk"]

[[widget]]
id = "cancelled"
kind = "counter"
channels = ["flights"]
on = "flight.cancelled"

[[alarm]]
id = "begun"
channels = ["desk"]
raise = "event_name == 'begun'"
priority = "low"

[[alarm]]
id = "newark"
title = "Cancelled"
channels = ["flights"]
on = "flight.cancelled"
where = {{ origin = "EWR" }}
key = "key"
raise = "event.status == 'cancelled'"
text = "{{flight}} {{origin}}–{{dest}}"
priority = "high"

[[alarm]]
id = "elsewhere"
title = "Cancelled"
channels = ["flights"]
on = "flight.cancelled"
where = {{ origin = ["JFK", "LGA"] }}
key = "key"
raise = "event.status == 'cancelled'"
text = "{{flight}} {{origin}}–{{dest}}"
priority = "medium"
"#
    )
}

fn wall(folder: &Path, desktop: &Desktop) -> Result<WindowProcess> {
    let mut command = Command::new(program("watchfloor-wall")?);
    command.arg("--board").arg(folder.join("board.toml")).args(["--supervisor", "off"]);
    desktop.enter(&mut command);
    WindowProcess::start(&mut command, &folder.join("data"))
}

fn new_york(day: i8) -> Result<Timestamp> {
    Ok(dataset::from_new_york(date(2013, 2, day).at(0, 0, 0, 0))?)
}

/// When each flight of the two days was cancelled, in order, and which rule is concerned.
fn cancellations() -> Result<Vec<(Timestamp, String, &'static str)>> {
    let timeline = Timeline::new(&Dataset::load()?)?;
    let (from, to) = (new_york(8)?, new_york(10)?);
    let just_before = |at: Timestamp| at.minus(Duration::from_millis(1));
    let events = timeline.between(just_before(from), just_before(to)).into_iter();
    let cancelled = events.filter(|event| event.name == "flight.cancelled").map(|event| {
        let rule = if event.data["origin"] == "EWR" { "newark" } else { "elsewhere" };
        (event.time, event.data["key"].as_str().unwrap_or_default().to_owned(), rule)
    });
    Ok(cancelled.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blizzard_in_full() -> Result<()> {
    let minutes: f64 =
        std::env::var("WATCHFLOOR_BLIZZARD_MINUTES").ok().and_then(|own| own.parse().ok()).unwrap_or(0.0);
    let speed = (2.0 * 24.0 * 60.0 / minutes).clamp(SPEEDS[0], SPEEDS[1]);
    let expected = cancellations()?;
    ensure!(expected.len() == 865, "{} cancellations", expected.len());

    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let file = folder.path().join("board.toml");
    fs::write(&file, board(1))?;
    let hub = HubProcess::start_with(&file, ["--history-events", "1000000"].map(str::to_owned).to_vec()).await?;
    let line = Proxy::start(hub.address()).await?;
    fs::write(&file, board(line.port()))?;
    let desktop = Desktop::start(1280, 720)?;
    let overheard = Overheard::start(&desktop)?;
    let notifier = Notifier::start(&desktop, folder.path())?;
    notifier.shows(0).await?;

    let control = Control { speed, paused: true, pause_at: Some(new_york(10)?.minus(Duration::from_secs(60))) };
    let story = StoryName::Flights.open()?;
    let publisher = Publisher::new(&format!("http://{}", hub.address()), None, story, new_york(8)?, control)?;
    let (control, progress) = (publisher.control(), publisher.progress());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let publishing = tokio::spawn(publisher.run(ready));
    is_ready.await?;

    let mut wall_process = wall(folder.path(), &desktop)?;
    until_told("the wall", LIMIT, async || {
        hub.publish(&json!({"channel": "desk", "name": "begun", "data": {}})).await?;
        // At first there is none.
        let begun = record(&data).is_ok_and(|record| record.iter().any(|entry| entry["rule"] == "begun"));
        Ok(begun.then_some(()))
    })
    .await?;

    control.send_modify(|control| control.paused = false);
    let reached = async |count: usize| {
        let at = expected[count].0;
        let limit = LIMIT + Duration::from_secs_f64(minutes * 60.0);
        until_told("that hour", limit, async || Ok((progress.borrow().published >= at).then_some(()))).await
    };
    reached(300).await?;
    line.set(|line| line.cut = true);
    tokio::time::sleep(CUT).await;
    line.set(|line| line.cut = false);
    reached(600).await?;
    let killed = Command::new("kill").args(["-9", &wall_process.pid().to_string()]).status()?;
    ensure!(killed.success(), "it had ended by itself");
    until("its end", LIMIT, || Ok(wall_process.ended()?.map(drop)))?;
    let before = record(&data)?.iter().filter(|entry| entry["what"] == "raise").count();
    ensure!(before < expected.len(), "killed when all was over");
    wall_process = wall(folder.path(), &desktop)?;
    reached(expected.len() - 1).await?;

    // All of it is on record, each once, and was told.
    let is_raise = |entry: &&Value| entry["what"] == "raise" && entry["rule"] != "begun";
    until_told("the whole record", LIMIT, async || {
        let record = record(&data)?;
        let raises = record.iter().filter(is_raise);
        let told = raises.filter(|raise| !raise["announced_ms"].is_null()).count();
        Ok((told >= expected.len()).then_some(()))
    })
    .await?;
    let record = record(&data)?;
    let mut raises: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
    for raise in record.iter().filter(is_raise) {
        let part = |name: &str| raise[name].as_str().unwrap_or_default().to_owned();
        raises.entry((part("rule"), part("of"))).or_default().push(raise);
    }
    for (at, key, rule) in &expected {
        let own = raises.remove(&((*rule).to_owned(), key.clone())).unwrap_or_default();
        ensure!(own.len() == 1, "{rule} {key}: {} times on record", own.len());
        ensure!(own[0]["event_ms"] == at.as_millis(), "{key} at its own time: {}", own[0]);
    }
    ensure!(raises.is_empty(), "more than there were: {:?}", raises.keys());

    // What a person was told of it.
    let newark = expected.iter().filter(|(_, _, rule)| *rule == "newark").count();
    let summary = format!("{} alarms, {newark} high: look at the wall", expected.len());
    let on_screen = || overheard.shown().into_iter().map(|shown| shown.heading).collect::<Vec<_>>();
    let told = until_told(&summary, LIMIT, async || Ok(on_screen().contains(&summary).then_some(()))).await;
    told.with_context(|| format!("on the screen: {:?}", on_screen()))?;
    let taken = overheard.taken();
    let popped = taken.iter().filter(|taken| taken.is_new).count();
    let most = most_within(&taken, TEN_MINUTES_S);
    let heard = |by: &str| record.iter().filter(is_raise).filter(|raise| raise["announced_by"] == by).count();
    let again = record.iter().filter(is_raise).filter(|raise| raise["repeated"] == true).count();
    let span = taken.last().map_or(0.0, |last| last.at) - taken.first().map_or(0.0, |first| first.at);
    println!(
        "{} cancellations in {span:.0} s: {popped} popped up, at most {most} in any ten minutes, and {} were changes in place; {} on record by a \
         notification of its own, {} by the one for all, {again} perhaps told twice; {before} raises on record at the kill",
        expected.len(),
        taken.len() - popped,
        heard("notification"),
        heard("summary"),
    );
    ensure!(most <= ANNOUNCED_MAX, "{most} announcements within ten minutes: {taken:?}");
    ensure!(wall_process.ended()?.is_none(), "the wall goes on");
    publishing.abort();
    Ok(())
}
