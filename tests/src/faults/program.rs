//! The wall itself is killed, or stands still.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::Signal;
use tokio::time::sleep;

use super::{
    Size,
    outcome::{Expect, Outcome},
    process::Report,
    publisher::now_ms,
    site::{PAST_EVERY_DEADLINE, PATIENCE, Plan, Site, found_within_the_limit},
};

/// Before its first report a wall lets a second pass. Beyond that it may take so long.
const FIRST_MAX: Duration = Duration::from_secs(1);
const REPORT: Duration = Duration::from_secs(1);
/// Each so many starts happen with the line cut, to see what stands without a server.
const ALONE_EVERY: usize = 5;
const SEED: u64 = 0x5eed;

/// Numbers that look drawn, and are the same each time.
#[derive(Debug)]
pub(super) struct Draw(u64);

impl Draw {
    /// From a seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `end`.
    pub(super) const fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn shown(reports: &[Report]) -> usize {
    reports.iter().filter_map(Report::count).max().unwrap_or(0)
}

/// SIGKILL at so many instants. After each start the last values stand at once, marked with their age, and nothing of what was
/// shown is lost or counted twice (H4).
pub(super) async fn kills(size: Size) -> Result<Outcome> {
    let mut outcome = Outcome::new(&format!("wall: SIGKILL at {} instants", size.kills));
    let mut site = Site::start(Plan::default()).await?;
    site.is_sound().await?;
    let (mut draw, mut known, mut first_max) = (Draw::new(SEED), 0, Duration::ZERO);
    let mut seen_alone = 0;
    for kill in 0..size.kills {
        // Half of them while it starts and takes in what it missed, half of them later.
        let life = if draw.below(2) == 0 { draw.below(1200) } else { 1000 + draw.below(1500) };
        sleep(Duration::from_millis(life)).await;
        known = known.max(shown(&site.kill_wall()?));
        let is_alone = kill % ALONE_EVERY == 0;
        site.line.set(|line| line.cut = is_alone);
        site.start_wall()?;
        if !is_alone {
            continue;
        }
        let begun = site.wall.begun();
        let first = site.wall.wait("its first report", begun, PATIENCE, |_| true).await?;
        first_max = first_max.max((first.at - begun).saturating_sub(REPORT));
        outcome.hear(std::slice::from_ref(&first));
        check_first(&mut outcome, kill, &first, known);
        seen_alone += 1;
        site.line.set(|line| line.cut = false);
    }
    if first_max > FIRST_MAX {
        outcome.wrong.push(format!("the last values stood only after {first_max:?}"));
    }
    outcome
        .notes
        .push(format!("last values stood after {first_max:?} at most, in {seen_alone} starts without a server"));
    outcome.found = Some(first_max);
    let begun = Instant::now();
    let back = site.wall.wait("a live wall", begun, PATIENCE, Report::is_live).await?;
    outcome.back = Some(back.at - begun);
    site.conclude(outcome, &found_within_the_limit(&[])).await
}

fn check_first(outcome: &mut Outcome, kill: usize, first: &Report, known: usize) {
    if first.claims() {
        outcome.wrong.push(format!("start {kill}: live without a server"));
    }
    if first.count().unwrap_or(0) < known {
        outcome.wrong.push(format!("start {kill}: {:?} of the {known} that had been shown", first.count()));
    }
    if known > 0 && first.value["widgets"]["count"]["age_ms"].as_u64().is_none() {
        outcome.wrong.push(format!("start {kill}: values without their age"));
    }
}

/// SIGSTOP past every deadline, and nothing can be heard when it goes on: nothing is called live until it is proven.
pub(super) async fn stop_unheard() -> Result<Outcome> {
    let mut outcome = Outcome::new("wall: SIGSTOP past every deadline, line half-open");
    let mut site = Site::start(Plan::default()).await?;
    site.is_sound().await?;
    site.wall.signal(Signal::STOP)?;
    site.line.set(|line| line.hold = true);
    sleep(PAST_EVERY_DEADLINE).await;
    let (woken, woken_ms) = (Instant::now(), now_ms());
    site.wall.signal(Signal::CONT)?;
    let is_new = |report: &Report| report.time() >= woken_ms;
    let first = site.wall.wait("a report after it", woken, PATIENCE, is_new).await?;
    outcome.found = Some(first.at - woken);
    sleep(Duration::from_secs(4)).await;
    let unproven: Vec<Report> = site.wall.reports().into_iter().filter(is_new).collect();
    outcome.hear(&unproven);
    for report in unproven.iter().filter(|report| report.claims()) {
        outcome.wrong.push(format!("live {} ms after it woke, with nothing heard", report.time() - woken_ms));
    }
    let mended = Instant::now();
    site.line.set(|line| line.hold = false);
    let back = site.wall.wait("a live wall", mended, PATIENCE, Report::is_live).await?;
    outcome.back = Some(back.at - mended);
    let expect = Expect {
        tells_truth: true,
        ..found_within_the_limit(&["nothing heard", "asleep", "suspended", "no answer", ""])
    };
    site.conclude(outcome, &expect).await
}

/// The same with a line that is sound, so that the server's queue is waiting.
pub(super) async fn stop() -> Result<Outcome> {
    let mut outcome = Outcome::new("wall: SIGSTOP past every deadline");
    let mut site = Site::start(Plan::default()).await?;
    site.is_sound().await?;
    site.wall.signal(Signal::STOP)?;
    sleep(PAST_EVERY_DEADLINE).await;
    let (woken, woken_ms) = (Instant::now(), now_ms());
    site.wall.signal(Signal::CONT)?;
    let back = |report: &Report| report.time() >= woken_ms && report.is_live();
    let back = site.wall.wait("a live wall", woken, PATIENCE, back).await?;
    outcome.back = Some(back.at - woken);
    let after: Vec<Report> = site.wall.reports().into_iter().filter(|report| report.time() >= woken_ms).collect();
    outcome.hear(&after);
    ensure!(!after.is_empty(), "no report after it");
    site.conclude(outcome, &found_within_the_limit(&[])).await
}
