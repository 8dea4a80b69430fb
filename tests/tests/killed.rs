//! H4, H6: killed at any instant of an alarm's life, when it is raised, acknowledged, cleared, raised again or put on the shelf, a wall goes on where
//! its record ends: each thing is on record once, what was acknowledged stays so, and nothing that was told is told again but what says so.
//!
//! `WATCHFLOOR_LIVES` says how many kills; left out there are two of each kind.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use watchfloor_tests::{
    boiler_house::{BoilerHouse, Dice, FULL, LIMIT, READY, REPEATED, kill},
    desktop::Desktop,
    notifier::Notifier,
    overheard::{Overheard, Taken},
    page::Page,
    program::process_with_argument,
    wait::{until, until_told},
};

/// A kill comes this long after what it is meant for, at most: a button takes its way by the desktop, and that something was told is noted once
/// it was seen to stay on the screen.
const INSTANTS_US: u64 = 80_000;
const INSTANTS_OF_RAISES_US: u64 = 500_000;

/// What a kill comes right after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Instant {
    Raise,
    AcknowledgeThere,
    AcknowledgeHere,
    ClearUnacknowledged,
    ClearAcknowledged,
    RaiseAgain,
    Shelve,
    Unshelve,
}

impl Instant {
    const ALL: [Self; 8] = [
        Self::Raise,
        Self::AcknowledgeThere,
        Self::AcknowledgeHere,
        Self::ClearUnacknowledged,
        Self::ClearAcknowledged,
        Self::RaiseAgain,
        Self::Shelve,
        Self::Unshelve,
    ];
}

struct Stand {
    page: Option<Page>,
    notifier: Notifier,
    overheard: Overheard,
    desktop: Desktop,
    house: BoilerHouse,
}

impl Stand {
    async fn start() -> Result<Self> {
        let house = BoilerHouse::start("none").await?;
        let desktop = Desktop::with_driver(1280, 720).await?;
        let overheard = Overheard::start(&desktop)?;
        let notifier = Notifier::start(&desktop, house.folder())?;
        notifier.shows(0).await?;
        let mut stand = Self { page: None, notifier, overheard, desktop, house };
        stand.open().await?;
        Ok(stand)
    }

    fn data(&self) -> String {
        self.house.data().to_string_lossy().into_owned()
    }

    async fn open(&mut self) -> Result<()> {
        let board = self.house.board().to_string_lossy().into_owned();
        let client = self.desktop.open_wall(&["--board", &board, "--data-dir", &self.data()]).await?;
        self.page = Some(Page::new(client));
        Ok(())
    }

    /// The wall is killed, at once and without a word, and started again.
    async fn kill(&mut self, pid: u32) -> Result<()> {
        kill(pid)?;
        until("its end", LIMIT, || Ok(process_with_argument(&self.data()).is_err().then_some(())))?;
        self.house.let_hours_pass()?;
        self.page = None;
        self.open().await
    }

    fn record(&self) -> Result<Vec<Value>> {
        self.house.record("full")
    }

    /// Where it stands by the last entry of its record.
    fn state(&self) -> Result<String> {
        let record = self.record()?;
        let last = record.last().and_then(|entry| entry["to"].as_str());
        Ok(last.unwrap_or("normal").to_owned())
    }

    async fn comes_to(&self, state: &str) -> Result<()> {
        let come = until_told(state, LIMIT, async || Ok((self.state()? == state).then_some(()))).await;
        come.with_context(|| format!("it is {:?}", self.state()))
    }

    /// The occurrence of the newest raise, and whether it is on record as announced.
    fn newest(&self) -> Result<(u64, bool)> {
        let record = self.record()?;
        let raise = record.iter().rfind(|entry| entry["what"] == "raise");
        let occurrence = raise.and_then(|raise| raise["occurrence"].as_u64()).unwrap_or_default();
        Ok((occurrence, raise.is_some_and(|raise| !raise["announced_ms"].is_null())))
    }

    async fn level(&self, level: u32) -> Result<()> {
        self.house.measure(level, 20).await
    }

    async fn act(&self, act: Value) -> Result<Value> {
        let page = self.page.as_ref().context("a page")?;
        page.invoke("alarm_act", json!({"act": {"key": "full", "act": act, "name": null}})).await
    }

    async fn acknowledge(&self) -> Result<Value> {
        self.act(json!({"kind": "acknowledge", "occurrence": self.newest()?.0})).await
    }

    async fn shelve(&self) -> Result<Value> {
        self.act(json!({"kind": "shelve", "minutes": 30, "reason": "the gauge is mended"})).await
    }

    /// It is raised, and told.
    async fn raised(&self) -> Result<()> {
        let before = self.newest()?.0;
        self.level(100).await?;
        until_told("its raise, as announced", LIMIT, async || {
            let (occurrence, is_announced) = self.newest()?;
            Ok((occurrence > before && is_announced).then_some(()))
        })
        .await
    }

    /// Until the wall has heard of all that was published: an alarm that comes, is shown, and goes by itself.
    async fn has_heard(&self) -> Result<()> {
        let shown = || self.overheard.taken().iter().filter(|taken| taken.heading == READY && taken.is_new).count();
        let before = shown();
        self.house.ready(true).await?;
        until_told("what says that it hears", LIMIT, async || Ok((shown() > before).then_some(()))).await?;
        self.house.ready(false).await?;
        let is_shown = || self.overheard.shown().iter().any(|taken| taken.heading == READY);
        until_told("its end", LIMIT, async || Ok((!is_shown()).then_some(()))).await
    }

    /// What it takes until the instant comes.
    async fn prepare(&self, instant: Instant) -> Result<()> {
        if instant == Instant::Raise {
            return Ok(());
        }
        self.raised().await?;
        match instant {
            Instant::ClearAcknowledged => {
                self.acknowledge().await?;
                self.comes_to("acknowledged").await
            }
            Instant::RaiseAgain => {
                self.level(3).await?;
                self.comes_to("returned").await
            }
            Instant::Unshelve => {
                self.shelve().await?;
                self.comes_to("shelved").await
            }
            _ => Ok(()),
        }
    }

    /// The instant itself. What a killed wall would have answered isn't waited for.
    async fn meet(&self, instant: Instant, wait: Duration) -> Result<()> {
        let asked = async {
            match instant {
                Instant::Raise | Instant::RaiseAgain => self.level(100).await,
                Instant::ClearUnacknowledged | Instant::ClearAcknowledged => self.level(3).await,
                Instant::AcknowledgeThere => self.notifier.press("Acknowledge"),
                Instant::AcknowledgeHere => self.acknowledge().await.map(drop),
                Instant::Shelve => self.shelve().await.map(drop),
                Instant::Unshelve => self.act(json!({"kind": "unshelve"})).await.map(drop),
            }
        };
        if matches!(instant, Instant::AcknowledgeHere | Instant::Shelve | Instant::Unshelve) {
            // The page's order is on its way while the time runs.
            return tokio::time::timeout(wait, asked).await.unwrap_or(Ok(()));
        }
        asked.await?;
        // No condition could be waited for: any instant will do, and that is the point.
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Everything is as it was before: nothing holds, nothing waits for anybody.
    async fn clear(&self) -> Result<()> {
        if self.state()? == "shelved" {
            self.act(json!({"kind": "unshelve"})).await?;
        }
        self.level(3).await?;
        until_told("its end", LIMIT, async || {
            if self.state()? == "returned" {
                self.acknowledge().await?;
            }
            Ok((self.state()? == "normal").then_some(()))
        })
        .await?;
        let is_shown = || self.overheard.shown().iter().any(|taken| taken.heading == FULL);
        until_told("nothing on the screen", LIMIT, async || Ok((!is_shown()).then_some(()))).await
    }
}

/// What is on record is what happened: of each occurrence one raise, at most one end of it and one acknowledgement.
fn check(record: &[Value], occurrences: usize) -> Result<()> {
    let mut counts: BTreeMap<(u64, &str), usize> = BTreeMap::new();
    for entry in record {
        let key = (entry["occurrence"].as_u64().context("an occurrence")?, entry["what"].as_str().context("what")?);
        *counts.entry(key).or_default() += 1;
    }
    let raises = counts.iter().filter(|((_, what), _)| *what == "raise");
    ensure!(raises.clone().count() == occurrences, "{} occurrences in place of {occurrences}", raises.count());
    for ((occurrence, what), count) in &counts {
        let is_once = matches!(*what, "raise" | "clear" | "acknowledge");
        ensure!(!is_once || *count == 1, "occurrence {occurrence}: {count} times {what}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_around_all_that_becomes_of_an_alarm() -> Result<()> {
    let kills: usize = std::env::var("WATCHFLOOR_LIVES").ok().and_then(|count| count.parse().ok()).unwrap_or(16);
    let mut stand = Stand::start().await?;
    stand.has_heard().await?;
    let (mut occurrences, mut dice, mut done) = (0, Dice::default(), BTreeMap::<Instant, [usize; 4]>::new());
    for number in 0..kills {
        let instant = Instant::ALL[number % Instant::ALL.len()];
        let at = |error: anyhow::Error| error.context(format!("kill {number}, {instant:?}"));
        stand.prepare(instant).await.map_err(at)?;
        occurrences += 1 + usize::from(instant == Instant::RaiseAgain);
        let before = stand.overheard.taken().len();
        let is_raise = matches!(instant, Instant::Raise | Instant::RaiseAgain);
        // To look for it takes as long as what is to be met.
        let pid = process_with_argument(&stand.data()).map_err(at)?;
        let most = if is_raise { INSTANTS_OF_RAISES_US } else { INSTANTS_US };
        stand.meet(instant, dice.instant(most)).await.map_err(at)?;
        stand.kill(pid).await.map_err(at)?;
        if is_raise {
            until_told("its raise, as announced", LIMIT, async || {
                let is_there = stand.record()?.iter().filter(|entry| entry["what"] == "raise").count() == occurrences;
                Ok((is_there && stand.newest()?.1).then_some(()))
            })
            .await
            .map_err(at)?;
        }
        if matches!(instant, Instant::ClearUnacknowledged | Instant::ClearAcknowledged) {
            let wanted = if instant == Instant::ClearAcknowledged { "normal" } else { "returned" };
            stand.comes_to(wanted).await.map_err(at)?;
        }
        stand.has_heard().await.map_err(at)?;

        let told: Vec<Taken> = stand.overheard.taken().split_off(before);
        let told: Vec<&Taken> = told.iter().filter(|taken| taken.heading == FULL).collect();
        let popped = told.iter().filter(|taken| taken.is_new).count();
        let again = told.iter().filter(|taken| taken.rest.contains(REPEATED)).count();
        let record = stand.record().map_err(at)?;
        let (state, (occurrence, _)) = (stand.state().map_err(at)?, stand.newest().map_err(at)?);
        let is_on_record =
            |what: &str| record.iter().any(|entry| entry["occurrence"] == occurrence && entry["what"] == what);
        let verdict = || -> Result<bool> {
            check(&record, occurrences)?;
            let may = if is_raise { 1 + usize::from(again > 0) } else { usize::from(instant == Instant::Unshelve) };
            ensure!(popped <= may, "popped up {popped} times, {again} said to be again: {told:?}");
            ensure!(!is_raise || popped > 0, "nobody was told: {told:?}");
            Ok(match instant {
                Instant::Raise | Instant::RaiseAgain => is_on_record("raise"),
                Instant::AcknowledgeThere | Instant::AcknowledgeHere | Instant::ClearAcknowledged => {
                    let is_done = is_on_record("acknowledge");
                    ensure!(!is_done || matches!(state.as_str(), "acknowledged" | "normal"), "it is {state}");
                    is_done
                }
                Instant::ClearUnacknowledged => is_on_record("clear"),
                Instant::Shelve => {
                    let is_done = is_on_record("shelve");
                    ensure!(!is_done || state == "shelved", "it is {state}");
                    is_done
                }
                Instant::Unshelve => {
                    let is_done = is_on_record("unshelve");
                    ensure!(is_done != (state == "shelved"), "it is {state}, {is_done}");
                    is_done
                }
            })
        };
        let is_done = verdict().with_context(|| format!("kill {number}, {instant:?}: {record:#?}"))?;
        let own = done.entry(instant).or_default();
        own[0] += 1;
        own[1] += usize::from(is_done);
        own[2] += popped;
        own[3] += again;
        stand.clear().await.map_err(at)?;
    }
    check(&stand.record()?, occurrences)?;
    for (instant, [kills, is_done, popped, again]) in &done {
        println!(
            "{instant:?}: {kills} kills, of {is_done} the record had it; {popped} popped up behind it, {again} said to be again"
        );
    }
    Ok(())
}
