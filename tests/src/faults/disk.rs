//! A disk that is full, and one that can't be written.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::time::sleep;

use super::{
    journal::NOTICE,
    outcome::Outcome,
    process::{Report, WallProcess},
    room::Room,
    site::{PATIENCE, Plan, Site, found_within_the_limit},
};

/// How long a wall goes on with a full disk.
const GOES_ON: Duration = Duration::from_secs(5);
const REMEMBERS_NOT: &str = "not remembering since";

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

/// Waits until the wall says that it doesn't remember, or no longer says it.
async fn remembers(wall: &mut WallProcess, after: Instant, it_does: bool) -> Result<Report> {
    let says = |report: &Report| report.notice(NOTICE).is_some_and(|said| said.starts_with(REMEMBERS_NOT));
    let what = if it_does { "a wall that remembers" } else { "a wall that says it doesn't remember" };
    wall.wait(what, after, PATIENCE, |report| says(report) != it_does).await
}

/// A wall whose data lies on a disk of its own.
struct Disk {
    folder: tempfile::TempDir,
    room: Room,
    site: Site,
}

impl Disk {
    /// A tmpfs with these options, and the wall on it. Else why there is none on this machine.
    async fn mount(options: &str) -> Result<Result<Self, String>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().to_str().context("a path")?;
        let room = match Room::open(&format!("mount -t tmpfs -o {options} tmpfs \"$0\""), &[path])? {
            Ok(room) => room,
            Err(why) => return Ok(Err(why)),
        };
        let plan = Plan { before: room.before(), ..Plan::default() };
        let data = folder.path().join("data");
        let site = Site::start_with(plan, |options| {
            options.data = data;
            Ok(())
        })
        .await?;
        Ok(Ok(Self { folder, room, site }))
    }
}

/// A tmpfs is filled while a wall runs: it goes on, says that it doesn't remember, and remembers again when there is room.
pub(super) async fn full() -> Result<Outcome> {
    const TITLE: &str = "disk: tmpfs full";
    let Disk { folder, room, mut site } = match Disk::mount("size=24m").await? {
        Ok(disk) => disk,
        Err(why) => return Ok(Outcome::skipped(TITLE, &why)),
    };
    site.is_sound().await?;
    let mut outcome = Outcome::new(TITLE);
    let (filler, broken) = (room.outside(&folder.path().join("filler")), Instant::now());
    fill(&filler)?;
    let found = remembers(&mut site.wall, broken, false).await?;
    outcome.found = Some(found.at - broken);
    outcome.hear_words(&format!("{}; notice: {}", found.said(), found.notice(NOTICE).unwrap_or_default()));
    sleep(GOES_ON).await;
    for report in site.wall.reports().iter().filter(|report| report.at > broken && !report.is_live()) {
        outcome.wrong.push(format!("not live for want of a disk: {}", report.said()));
    }
    fs::remove_file(&filler)?;
    let mended = Instant::now();
    outcome.back = Some(remembers(&mut site.wall, mended, true).await?.at - mended);
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

/// A disk that is read-only when the wall starts, after its end and after its death: the last values stand, it goes on live and says
/// that it doesn't remember, and remembers again when it can.
pub(super) async fn turned_read_only() -> Result<Outcome> {
    const TITLE: &str = "disk: read-only at a start, with a journal";
    let Disk { folder, room, mut site } = match Disk::mount("size=24m").await? {
        Ok(disk) => disk,
        Err(why) => return Ok(Outcome::skipped(TITLE, &why)),
    };
    let path = folder.path().to_str().context("a path")?;
    site.is_sound().await?;
    let mut outcome = Outcome::new(TITLE);
    for end in ["killed", "ended"] {
        let reports = if end == "killed" {
            site.kill_wall()?
        } else {
            site.wall.signal(Signal::TERM)?;
            site.wall.end().await?;
            site.before.extend(site.wall.reports());
            site.wall.reports()
        };
        let known = reports.iter().filter_map(Report::count).max().unwrap_or(0);
        room.run(&["mount", "-o", "remount,ro", path])?;
        site.line.set(|line| line.cut = true);
        site.start_wall()?;
        let begun = site.wall.begun();
        let first = site.wall.wait("its first report", begun, PATIENCE, |_| true).await?;
        let said = first.notice(NOTICE).unwrap_or_default();
        outcome.found = outcome.found.max(Some(first.at - begun));
        outcome.hear_words(&format!("{}; notice: {said}", first.said()));
        if first.claims() || first.count().unwrap_or(0) < known || !said.starts_with(REMEMBERS_NOT) {
            outcome.wrong.push(format!("{end}: {:?} of {known}, {}, notice {said:?}", first.count(), first.said()));
        }
        site.line.set(|line| line.cut = false);
        let whole = Instant::now();
        let live = site.wall.wait("a live wall", whole, PATIENCE, Report::is_live).await?;
        if live.notice(NOTICE).is_none() {
            outcome.wrong.push(format!("{end}: live, and no word of the disk"));
        }
        room.run(&["mount", "-o", "remount,rw", path])?;
        let mended = Instant::now();
        let back = remembers(&mut site.wall, mended, true).await?;
        outcome.back = outcome.back.max(Some(back.at - mended));
    }
    site.conclude(outcome, &found_within_the_limit(&[])).await
}

/// An empty folder on a disk that can't be written: the wall says so and ends with 3.
pub(super) async fn read_only() -> Result<Outcome> {
    const TITLE: &str = "disk: read-only, without a journal";
    let Disk { folder, room: _room, mut site } = match Disk::mount("size=1m,ro").await? {
        Ok(disk) => disk,
        Err(why) => return Ok(Outcome::skipped(TITLE, &why)),
    };
    let mut outcome = Outcome::new(TITLE);
    let code = site.wall.end().await?;
    outcome.found = Some(site.wall.begun().elapsed());
    let words = site.wall.words()?;
    let said = words.lines().find(|line| line.starts_with("watchfloor: ")).unwrap_or_default();
    outcome
        .said
        .push(format!("ends with {code:?}: {}", said.replace(folder.path().to_str().context("a path")?, "DIR")));
    if code != Some(3) || !said.contains("--data-dir") || !said.to_lowercase().contains("read-only") {
        outcome.wrong.push(format!("exit code {code:?}: {words}"));
    }
    Ok(outcome)
}
