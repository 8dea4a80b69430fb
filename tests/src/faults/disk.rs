//! A disk that is full, and one that can't be written.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::time::sleep;

use super::{
    outcome::Outcome,
    process::{LOOK_EVERY, Report, WallProcess},
    room::Room,
    site::{PATIENCE, Plan, Site, found_within_the_limit},
};

/// How long a wall goes on with a full disk.
const GOES_ON: Duration = Duration::from_secs(5);
const REMEMBERS_NOT: &str = "going on from memory";
const REMEMBERS: &str = "the journal is written again";

/// Writes into `path` until nothing more goes in.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let mut piece = vec![0xa5_u8; 1 << 20];
    while !piece.is_empty() {
        match file.write_all(&piece) {
            Ok(()) => {}
            // Smaller ones may still find room.
            Err(error) if error.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn says(wall: &mut WallProcess, words: &str) -> Result<Duration> {
    let begun = Instant::now();
    while !wall.words()?.contains(words) {
        ensure!(begun.elapsed() < PATIENCE, "{words:?} is not said: {}", wall.words()?);
        sleep(LOOK_EVERY).await;
    }
    Ok(begun.elapsed())
}

/// A tmpfs is filled while a wall runs: it goes on, says that it doesn't remember, and remembers again when there is room.
pub(super) async fn full() -> Result<Outcome> {
    const TITLE: &str = "disk: tmpfs full";
    let folder = tempfile::tempdir()?;
    let disk = folder.path().to_str().context("a path")?.to_owned();
    let room = match Room::open("mount -t tmpfs -o size=24m tmpfs \"$0\"", &[&disk])? {
        Ok(room) => room,
        Err(why) => return Ok(Outcome::skipped(TITLE, &why)),
    };
    let plan = Plan { before: room.before(), ..Plan::default() };
    let data = folder.path().join("data");
    let mut site = Site::start_with(plan, |options| {
        options.data = data;
        Ok(())
    })
    .await?;
    site.is_sound().await?;
    let mut outcome = Outcome::new(TITLE);
    let (filler, broken) = (room.outside(&folder.path().join("filler")), Instant::now());
    fill(&filler)?;
    outcome.found = Some(says(&mut site.wall, REMEMBERS_NOT).await?);
    outcome.said.push("live; notice: not remembering since …".to_owned());
    sleep(GOES_ON).await;
    for report in site.wall.reports().iter().filter(|report| report.at > broken && !report.is_live()) {
        outcome.wrong.push(format!("not live for want of a disk: {}", report.said()));
    }
    fs::remove_file(&filler)?;
    outcome.back = Some(says(&mut site.wall, REMEMBERS).await?);
    // What it shows from now on it remembers: killed and alone, it shows no less.
    sleep(Duration::from_secs(2)).await;
    let known = site.kill_wall()?.iter().filter_map(Report::count).max().unwrap_or(0);
    site.line.set(|line| line.cut = true);
    site.start_wall()?;
    let begun = site.wall.begun();
    let first = site.wall.wait("its first report", begun, PATIENCE, |_| true).await?;
    if first.claims() || first.count().unwrap_or(0) < known {
        outcome.wrong.push(format!("after it remembered again: {:?} of {known}, {}", first.count(), first.said()));
    }
    site.line.set(|line| line.cut = false);
    site.conclude(outcome, &found_within_the_limit(&[])).await
}

/// A folder on a disk that can't be written: the wall says so and ends with 3.
pub(super) async fn read_only() -> Result<Outcome> {
    const TITLE: &str = "disk: read-only";
    let folder = tempfile::tempdir()?;
    let disk = folder.path().to_str().context("a path")?.to_owned();
    let room = match Room::open("mount -t tmpfs -o size=1m,ro tmpfs \"$0\"", &[&disk])? {
        Ok(room) => room,
        Err(why) => return Ok(Outcome::skipped(TITLE, &why)),
    };
    let plan = Plan { before: room.before(), ..Plan::default() };
    let data = folder.path().join("data");
    let mut site = Site::start_with(plan, |options| {
        options.data = data;
        Ok(())
    })
    .await?;
    let mut outcome = Outcome::new(TITLE);
    let code = site.wall.end().await?;
    outcome.found = Some(site.wall.begun().elapsed());
    let words = site.wall.words()?;
    let said = words.lines().find(|line| line.starts_with("watchfloor: ")).unwrap_or_default();
    outcome.said.push(format!("ends with {code:?}: {}", said.replace(&disk, "DIR")));
    if code != Some(3) || !said.contains("--data-dir") || !said.to_lowercase().contains("read-only") {
        outcome.wrong.push(format!("exit code {code:?}: {words}"));
    }
    Ok(outcome)
}
