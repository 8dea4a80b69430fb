//! A journal that is torn, damaged, or of a newer program.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::time::sleep;

use super::{
    Size,
    outcome::{Expect, Outcome, Proof},
    process::Report,
    program::Draw,
    site::{PATIENCE, Plan, Site, found_within_the_limit},
};

const SEED: u64 = 0x7042;
const WRONG_BYTES: [u8; 64] = [0xa5; 64];
/// Kept by a wall that sets a damaged journal aside.
const ASIDE: &str = "journal-damaged-";
/// What the wall says of its journal has this id.
pub(super) const NOTICE: &str = "journal";

fn overwrite(path: &Path, at: u64) -> Result<()> {
    let mut file = OpenOptions::new().write(true).open(path).with_context(|| path.display().to_string())?;
    file.seek(SeekFrom::Start(at))?;
    Ok(file.write_all(&WRONG_BYTES)?)
}

/// Starts the wall with the line cut, looks at its first report, and lets the server come back.
async fn start_alone(site: &mut Site, outcome: &mut Outcome, what: &str) -> Result<Report> {
    site.line.set(|line| line.cut = true);
    site.start_wall()?;
    let begun = site.wall.begun();
    let first = site.wall.wait("its first report", begun, PATIENCE, |_| true).await?;
    if first.claims() {
        outcome.wrong.push(format!("{what}: live without a server"));
    }
    site.line.set(|line| line.cut = false);
    let whole = Instant::now();
    site.wall.wait("a live wall", whole, PATIENCE, Report::is_live).await?;
    Ok(first)
}

/// The write-ahead log of a killed wall is cut short, or overwritten somewhere: what is left is a beginning of the story.
pub(super) async fn torn_log(size: Size) -> Result<Outcome> {
    let rounds = size.kills.div_ceil(10).clamp(2, 20);
    let mut outcome = Outcome::new(&format!("journal: torn write-ahead log, {rounds} times"));
    let mut site = Site::start(Plan::default()).await?;
    site.is_sound().await?;
    let (mut draw, mut kept) = (Draw::new(SEED), 0);
    for round in 0..rounds {
        sleep(Duration::from_millis(200 + draw.below(800))).await;
        let known = site.kill_wall()?.iter().filter_map(Report::count).max().unwrap_or(0);
        let log = site.options.data.join("journal.db-wal");
        let length = fs::metadata(&log)?.len();
        let at = draw.below(length);
        if round % 2 == 0 {
            File::options().write(true).open(&log)?.set_len(at)?;
        } else {
            overwrite(&log, at)?;
        }
        let first = start_alone(&mut site, &mut outcome, &format!("round {round}")).await?;
        kept += usize::from(first.count().is_some_and(|count| count > 0));
        let lost = known.saturating_sub(first.count().unwrap_or(0));
        outcome.hear(std::slice::from_ref(&first));
        if round == 0 {
            outcome
                .notes
                .push(format!("round 0: {lost} of {known} shown events were lost with the log's end, and came again"));
        }
    }
    outcome.notes.push(format!("in {kept} of {rounds} something was left to show"));
    site.conclude(outcome, &Expect { proof: Proof::Known, ..found_within_the_limit(&[]) }).await
}

/// The file itself is damaged, at its head and in its middle: it is kept aside, a new one begun, and the server's state taken.
pub(super) async fn damaged(size: Size) -> Result<Outcome> {
    let rounds = size.kills.div_ceil(20).clamp(2, 10);
    let mut outcome = Outcome::new(&format!("journal: damaged file, {rounds} times"));
    let mut site = Site::start(Plan::default()).await?;
    site.is_sound().await?;
    let (mut draw, mut aside) = (Draw::new(SEED + 1), 0);
    for round in 0..rounds {
        sleep(Duration::from_millis(500)).await;
        // In good order, so that everything is in the file.
        site.wall.signal(Signal::TERM)?;
        site.wall.end().await?;
        site.before.extend(site.wall.reports());
        let file = site.options.data.join("journal.db");
        let length = fs::metadata(&file)?.len();
        overwrite(&file, if round == 0 { 0 } else { draw.below(length - WRONG_BYTES.len() as u64) })?;
        let bytes = fs::read(&file)?;
        let first = start_alone(&mut site, &mut outcome, &format!("round {round}")).await?;
        outcome.hear(std::slice::from_ref(&first));
        let said = first.notice(NOTICE).unwrap_or_default();
        let is_said = said.contains("the journal was damaged");
        if is_said {
            outcome.hear_words(&format!("notice: {said}"));
        }
        let is_kept = fs::read_dir(&site.options.data)?.filter_map(std::result::Result::ok).any(|entry| {
            entry.file_name().to_string_lossy().starts_with(ASIDE)
                && fs::read(entry.path()).is_ok_and(|kept| kept == bytes)
        });
        if is_said != is_kept {
            outcome.wrong.push(format!("round {round}: said {is_said}, kept aside {is_kept}"));
        }
        if round == 0 && !is_said {
            outcome.wrong.push(format!("a file without a head was taken: {said}"));
        }
        aside += usize::from(is_said);
    }
    outcome
        .notes
        .push(format!("set aside {aside} times of {rounds}; the other wrong bytes were where nothing is read"));
    site.conclude(outcome, &Expect { proof: Proof::Known, ..found_within_the_limit(&[]) }).await
}

/// A journal of a newer program: one line, exit code 3, and not a byte is changed.
pub(super) async fn newer() -> Result<Outcome> {
    let mut outcome = Outcome::new("journal: of a newer program");
    let mut site = Site::start(Plan::default()).await?;
    site.is_sound().await?;
    site.wall.signal(Signal::TERM)?;
    site.wall.end().await?;
    let file = site.options.data.join("journal.db");
    let journal = rusqlite::Connection::open(&file)?;
    journal.execute("UPDATE meta SET value = '9999' WHERE key = 'opens-from'", [])?;
    journal.pragma_update(None, "user_version", 9999)?;
    journal.close().map_err(|(_, error)| error)?;
    let before = fs::read(&file)?;
    site.start_wall()?;
    let code = site.wall.end().await?;
    outcome.found = Some(site.wall.begun().elapsed());
    let words = site.wall.words()?;
    let said = words.lines().rfind(|line| line.starts_with("watchfloor: ")).unwrap_or_default();
    let folder = site.folder().display().to_string();
    outcome.said.push(format!("ends with {code:?}: {}", said.replace(&folder, "DIR")));
    if code != Some(3) || !said.contains("newer") {
        outcome.wrong.push(format!("exit code {code:?}: {words}"));
    }
    if fs::read(&file)? != before {
        outcome.wrong.push("the file was changed".to_owned());
    }
    Ok(outcome)
}
