//! One hub, one line, one wall, one publisher, and the common course of a fault: sound, broken, mended, and what was said.

use std::{
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::time::sleep;
use tokio_rustls::rustls::ServerConfig;

use super::{
    board::{self, FOUND_MAX, LIMIT, SOURCE},
    outcome::{Expect, Outcome, Proof},
    process::{HubProcess, Report, WallOptions, WallProcess},
    proxy::Proxy,
    publisher::{Ledger, Publisher},
    truth,
};

/// Longer than any of it takes; reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// A report comes each second.
const REPORT: Duration = Duration::from_secs(1);
/// How long a fault goes on after it was found.
const GOES_ON: Duration = Duration::from_secs(3);
/// What the counter has to have counted before something is broken.
const SOME: usize = 30;

/// Everything that a fault needs.
#[derive(Debug)]
pub struct Site {
    /// The hub.
    pub hub: HubProcess,
    /// The line to it.
    pub line: Proxy,
    /// Where the line ends, if it is a secure one: it has the certificate.
    pub door: Option<Proxy>,
    /// The wall.
    pub wall: WallProcess,
    /// How it was started, to do so again.
    pub options: WallOptions,
    /// What walls before this one reported.
    pub before: Vec<Report>,
    publisher: Publisher,
    folder: tempfile::TempDir,
}

/// What differs from one site to another.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The hub's address as the board has it; `PORT` stands for the line's.
    pub url: String,
    /// Further keys of the source.
    pub more: String,
    /// Further variables of the wall.
    pub environment: Vec<(String, String)>,
    /// What is put before the wall's program.
    pub before: Vec<String>,
    /// The certificate, if the line is a secure one.
    pub identity: Option<Arc<ServerConfig>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:PORT".to_owned(),
            more: String::new(),
            environment: Vec::new(),
            before: Vec::new(),
            identity: None,
        }
    }
}

impl Site {
    /// Starts everything, and waits until the wall is live.
    ///
    /// # Errors
    /// If something doesn't start.
    pub async fn start(plan: Plan) -> Result<Self> {
        Self::start_with(plan, |_| Ok(())).await
    }

    /// The same; `prepare` may change how the wall is started.
    ///
    /// # Errors
    /// As [`Site::start`].
    pub async fn start_with(plan: Plan, prepare: impl FnOnce(&mut WallOptions) -> Result<()>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let board = folder.path().join("board.toml");
        // What a hub folds doesn't hang on where the board says that it is.
        fs::write(&board, board::text("http://127.0.0.1:1", &plan.more))?;
        let hub = HubProcess::start(&board).await?;
        let door = match plan.identity {
            Some(identity) => {
                let door = Proxy::start(hub.address()).await?;
                door.identify(identity);
                Some(door)
            }
            None => None,
        };
        let line =
            Proxy::start(door.as_ref().map_or(hub.address(), |door| (Ipv4Addr::LOCALHOST, door.port()).into())).await?;
        let url = plan.url.replace("PORT", &line.port().to_string());
        fs::write(&board, board::text(&url, &plan.more))?;
        let publisher = Publisher::start(hub.address()).await?;
        let data = folder.path().join("data");
        let mut options =
            WallOptions { board, data, environment: plan.environment, before: plan.before, ..WallOptions::default() };
        prepare(&mut options)?;
        let wall = WallProcess::start(&options)?;
        Ok(Self { hub, line, door, wall, options, before: Vec::new(), publisher, folder })
    }

    /// A folder of this site.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Waits until everything is live and something was counted.
    ///
    /// # Errors
    /// If it doesn't come.
    pub async fn is_sound(&mut self) -> Result<Report> {
        let sound = |report: &Report| report.is_live() && report.count().is_some_and(|count| count >= SOME);
        let begun = self.wall.begun();
        self.wall.wait("a live wall", begun, PATIENCE, sound).await
    }

    /// What hubs took so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.publisher.ledger()
    }

    /// SIGKILL of the wall, keeping what it reported.
    ///
    /// # Errors
    /// If it had ended by itself.
    pub fn kill_wall(&mut self) -> Result<Vec<Report>> {
        let reports = self.wall.kill()?;
        self.before.extend(reports.iter().cloned());
        Ok(reports)
    }

    /// Starts the wall again.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start_wall(&mut self) -> Result<()> {
        self.wall = WallProcess::start(&self.options)?;
        Ok(())
    }

    /// Everything that was reported.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.before.iter().cloned().chain(self.wall.reports()).collect()
    }

    /// The common course. `break_it` begins the fault, `mend` ends it.
    ///
    /// # Errors
    /// If something that should come does not.
    pub async fn ordeal(
        mut self,
        name: &str,
        expect: Expect,
        break_it: impl AsyncFnOnce(&mut Self) -> Result<()>,
        mend: impl AsyncFnOnce(&mut Self) -> Result<()>,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::new(name);
        self.is_sound().await?;
        let broken = Instant::now();
        break_it(&mut self).await.context("breaking it")?;
        let found =
            self.wall.wait("a sign of it", broken, expect.found_max + REPORT * 2, |report| !report.claims()).await?;
        // The first that says it; the one before it was at most a second earlier.
        outcome.found = Some(found.at - broken);
        sleep(expect.goes_on.unwrap_or(GOES_ON)).await;
        let mended = Instant::now();
        let meanwhile: Vec<Report> =
            self.wall.reports().into_iter().filter(|report| report.at >= found.at && report.at <= mended).collect();
        outcome.hear(&meanwhile);
        for report in &meanwhile {
            let late = report.at - broken;
            if expect.stays_broken && report.claims() && late > expect.found_max {
                outcome.wrong.push(format!("still called current {late:?} after it began"));
            }
        }
        mend(&mut self).await.context("mending it")?;
        let back = self.wall.wait("a live wall", mended, PATIENCE, Report::is_live).await?;
        outcome.back = Some(back.at - mended);
        self.conclude(outcome, &expect).await
    }

    /// Ends the publisher, waits until the wall shows all that the hub holds, and looks at everything that was reported.
    ///
    /// # Errors
    /// If something that should come does not.
    pub async fn conclude(mut self, mut outcome: Outcome, expect: &Expect) -> Result<Outcome> {
        let ledger = self.publisher.finish().await?;
        let quiet = Instant::now();
        let last = self.wall.wait("the hub's fold", quiet, PATIENCE, |report| truth::is_whole(report, &ledger)).await;
        match last {
            Ok(report) => outcome.end(&report, &ledger),
            Err(error) => {
                let last = self.wall.reports().pop();
                outcome.wrong.push(last.map_or(format!("{error:#}"), |report| truth::what_differs(&report, &ledger)));
            }
        }
        if expect.tells_truth {
            outcome.wrong.extend(truth::lies(&self.reports(), &ledger));
        }
        outcome.judge(expect);
        Ok(outcome)
    }
}

/// What most faults expect.
#[must_use]
pub fn found_within_the_limit(words: &'static [&'static str]) -> Expect {
    Expect { words, found_max: FOUND_MAX, goes_on: None, stays_broken: true, tells_truth: true, proof: Proof::Proven }
}

/// The state of the source, as a report has it.
#[must_use]
pub fn source(report: &Report) -> &serde_json::Value {
    &report.value["sources"][SOURCE]
}

/// Longer than every deadline of a wall with this board.
pub const PAST_EVERY_DEADLINE: Duration = Duration::from_secs(LIMIT.as_secs() * 5);
