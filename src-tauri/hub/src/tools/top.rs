//! `watchfloor-hub top`: what a hub does now, out of its numbers for Prometheus, looked at again and again.
//!
//! What is shown has the time of the answer that it is from. While the hub doesn't answer, that is said, and rates are gone: a number from before
//! is never shown as one of now (H1).

mod figures;

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;

use self::figures::{Figures, Look};
use super::{Backoff, Call, Hub, Target, print};
use crate::Failure;

/// How long the hub may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// An answer is some kilobytes. What is longer is none of a hub's.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Puts the cursor to the beginning and takes away what is behind it: what a terminal shows is replaced.
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

/// Shows what a hub does: connections, events, delays, refusals.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// How often it is looked.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = crate::duration)]
    every: Duration,
    /// Ends after one look, which is two answers, so that there are rates.
    #[arg(long)]
    once: bool,
    /// Writes an object a line instead.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Top {
    /// Does it, until it is told to stop or nobody reads.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let hub = self.target.open()?;
        let mut before = None;
        let mut backoff = Backoff::new();
        loop {
            match self.look(&hub).await? {
                Ok(now) => {
                    backoff = Backoff::new();
                    let is_shown = before.is_some() || !self.once;
                    let look = Look { url: hub.url.as_str(), before: before.as_ref(), now: &now };
                    if is_shown && (!self.show(&look)? || self.once) {
                        return Ok(());
                    }
                    before = Some(now);
                    tokio::time::sleep(self.every).await;
                }
                Err(why) => {
                    // What was counted by then is no beginning for a rate: nobody knows when the hub came back.
                    if !self.show_lack(&why, before.take().as_ref())? {
                        return Ok(());
                    }
                    if self.once {
                        return Err(Failure::Environment(anyhow::anyhow!(why)));
                    }
                    backoff.wait().await;
                }
            }
        }
    }

    /// The numbers of now, or why there are none at present.
    async fn look(&self, hub: &Hub) -> Result<Result<Figures, String>, Failure> {
        let request = hub.get("/metrics", &[])?.timeout(ANSWER_MAX);
        let mut response = match hub.call(request).await? {
            Call::Answered(response) => response,
            Call::Later(why) => return Ok(Err(why)),
        };
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 <= ANSWER_BYTES_MAX => body.extend(chunk),
                Ok(Some(_)) => return Err(Failure::Input(format!("{} answers too much to be a hub", hub.url))),
                Ok(None) => break,
                Err(error) => return Ok(Err(format!("the hub's answer broke off: {error}"))),
            }
        }
        let at = Instant::now();
        let figures = Figures::read(&String::from_utf8_lossy(&body), at, jiff::Timestamp::now());
        figures
            .map(Ok)
            .with_context(|| format!("{} is no hub's", hub.url))
            .map_err(|error| Failure::Input(format!("{error:#}")))
    }

    /// False if nobody reads any more.
    fn show(&self, look: &Look<'_>) -> Result<bool, Failure> {
        if self.json { print(&look.json()) } else { print(&format_args!("{}{look}", self.clear())) }
    }

    fn show_lack(&self, why: &str, before: Option<&Figures>) -> Result<bool, Failure> {
        let since = before.map(|before| format!(" since {:.0}", before.time)).unwrap_or_default();
        if self.json {
            return print(&serde_json::json!({ "error": why }));
        }
        print(&format_args!("{}NO ANSWER{since}: {}", self.clear(), super::Line(why)))
    }

    /// Only a terminal has something to replace.
    fn clear(&self) -> &'static str {
        if !self.once && io::stdout().is_terminal() { CLEAR } else { "" }
    }
}
