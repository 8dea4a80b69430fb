//! What only NATS has: subjects that no stream keeps, and each way by which a server knows who comes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{
    super::{
        peer::Peer,
        stand::{FOUND_MAX, PATIENCE, Stand, keep_secret},
    },
    Key, Knows, NOBODY, Nats, Operator, PASSWORD, STREAMS,
};

pub(super) const CORE: &str = "core";
pub(super) const PASSWORD_OF_USER: &str = "password";
const NKEY: &str = "nkey";
const JWT: &str = "user JWT";
const TOKEN: &str = "server token";
pub(super) const NAMES: [&str; 5] = [CORE, PASSWORD_OF_USER, NKEY, JWT, TOKEN];

/// How long a user's JWT is good that ends in a test. They count whole seconds.
const SHORT: Duration = Duration::from_secs(8);
/// Published while nobody follows.
const MISSED: usize = 5;

pub(super) async fn run(stand: &mut Stand<Nats>, name: &str) -> Result<()> {
    match name {
        CORE => core(stand).await,
        PASSWORD_OF_USER => {
            known_by(stand, PASSWORD, "another").await?;
            revoked(stand).await
        }
        NKEY => {
            let (seed, other) = (stand.peer.nkey.seed(), Key::of_user()?.seed());
            known_by(stand, &seed, &other).await?;
            revoked(stand).await
        }
        JWT => {
            let operator = Operator::new()?;
            let good = operator.credentials(STREAMS[0].0, None).map_err(anyhow::Error::msg)?;
            // Of an operator that the server doesn't know.
            let other = Operator::new()?.credentials(STREAMS[0].0, None).map_err(anyhow::Error::msg)?;
            stand.peer.know_by(Knows::Jwts(Box::new(operator))).await?;
            known_by(stand, &good, &other).await?;
            ends(stand).await?;
            revoked(stand).await
        }
        TOKEN => {
            stand.peer.know_by(Knows::Token).await?;
            known_by(stand, PASSWORD, NOBODY).await
        }
        other => anyhow::bail!("no scenario `{other}`"),
    }
}

/// H3: what is published to a subject comes once and in order. What was published while the line was cut is gone, and said to be missing.
async fn core(stand: &mut Stand<Nats>) -> Result<()> {
    stand.peer.is_plain = true;
    stand.is_live("the beginning").await?;
    stand.publish(200).await?;
    stand.equals(Some(200)).await?;
    stand.line.set(|line| line.cut = true);
    stand.says(&["down", "stale"], FOUND_MAX).await?;
    stand.publish(MISSED).await?;
    stand.line.set(|line| line.cut = false);
    stand.follows().await?;
    let all = stand.published();
    let report = stand.equals(None).await?;
    let source = &report.value["sources"]["ops"];
    ensure!(report.count() <= Some(all - MISSED), "{:?} of {all} counted, {MISSED} of them were gone", report.count());
    ensure!(source["continuity"] == "unknown" && source["gaps_unknown"].as_u64() >= Some(1), "{source}");
    ensure!(report.value["widgets"]["count"]["at_least"] == true, "nothing says that some are missing");
    stand.publish(10).await?;
    let follows = stand.equals(None).await?;
    ensure!(follows.count() == report.count().map(|count| count + 10), "{:?} counted", follows.count());
    Ok(())
}

/// H3, H8: who shows what is good has everything. What isn't good is refused: beside a link that stands, which it costs nothing, and
/// to a wall that begins.
async fn known_by(stand: &mut Stand<Nats>, good: &str, other: &str) -> Result<()> {
    keep(stand, good)?;
    stand.is_live("what is good").await?;
    stand.publish(100).await?;
    stand.equals(Some(100)).await?;
    keep(stand, other)?;
    let is_declined = |report: &crate::faults::process::Report| {
        let source = &report.value["sources"]["ops"];
        source["state"] == "live" && source["renewal"].as_str().is_some_and(|why| why.contains("doesn't take"))
    };
    stand.wall.wait("what isn't good is declined", Instant::now(), PATIENCE, is_declined).await?;
    stand.publish(10).await?;
    stand.equals(Some(110)).await?;
    stand.restart_wall()?;
    let report = stand.says(&["refused"], PATIENCE).await?;
    let reason = report.value["sources"]["ops"]["reason"].as_str().context("a reason")?;
    ensure!(reason.contains("Authorization Violation"), "{reason}");
    stand.publish(10).await?;
    keep(stand, good)?;
    whole(stand, 120).await
}

/// H3, H8: at a JWT's end the server says so, and the wall is back by a newer one with nothing missed; an end that is seen to costs nothing.
async fn ends(stand: &mut Stand<Nats>) -> Result<()> {
    let credentials = |stand: &Stand<Nats>, life| match &stand.peer.knows {
        Knows::Jwts(operator) => operator.credentials(STREAMS[0].0, life).map_err(anyhow::Error::msg),
        Knows::Users | Knows::Anybody | Knows::Token => anyhow::bail!("a server without JWTs"),
    };
    let before = stand.published();
    let short = credentials(stand, Some(SHORT))?;
    keep(stand, &short)?;
    // So that it comes by none that was had before.
    stand.restart_wall()?;
    stand.is_live("one that ends").await?;
    stand.publish(10).await?;
    stand.equals(Some(before + 10)).await?;
    // The server may find the end a moment before the wall does: then it takes the token that is shown once more for a wrong one.
    stand.says(&["down", "refused"], SHORT + FOUND_MAX).await?;
    stand.publish(MISSED).await?;
    let (next, begun) = (credentials(stand, Some(SHORT))?, Instant::now());
    keep(stand, &next)?;
    whole(stand, before + 10 + MISSED).await?;
    let last = credentials(stand, None)?;
    keep(stand, &last)?;
    while begun.elapsed() < SHORT + Duration::from_secs(4) {
        stand.publish(1).await?;
        let all = stand.published();
        stand.equals(Some(all)).await?;
    }
    let was_down =
        |report: &&crate::faults::process::Report| report.at > begun + SHORT && report.said().starts_with("down");
    match stand.wall.reports().iter().find(was_down) {
        None => Ok(()),
        Some(report) => anyhow::bail!("an end that was seen to: {}", report.said()),
    }
}

/// H1: who is taken off the server's list is refused within the limit, with nothing else wrong.
async fn revoked(stand: &mut Stand<Nats>) -> Result<()> {
    stand.peer.revoke().await?.map_err(anyhow::Error::msg)?;
    stand.says(&["refused"], FOUND_MAX).await.map(|_| ())
}

/// Everything was counted, and that is proven.
async fn whole(stand: &mut Stand<Nats>, count: usize) -> Result<()> {
    let report = stand.equals(Some(count)).await?;
    ensure!(report.continuity() == "proven", "{} instead of proven", report.continuity());
    Ok(())
}

/// Keeps it where the wall looks.
fn keep(stand: &Stand<Nats>, credentials: &str) -> Result<()> {
    keep_secret(&stand.peer.credentials, credentials)
}
