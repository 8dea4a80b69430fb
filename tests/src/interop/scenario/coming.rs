//! What comes: each event once and in order, in a flood, to a wall that stands still, by a line that lies, and when it is too big.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::{
    super::{
        peer::{Offer, Peer},
        stand::Stand,
    },
    judge::{noticed, rejected, unproven, whole_or_told},
};

/// Events of a flood.
const FLOOD: usize = 100_000;
/// One byte of so many is another on a line that lies.
const GARBAGE_EVERY_BYTES: usize = 400;
/// The largest body of one event, in bytes.
const DATA_BYTES_MAX: usize = 1 << 20;
/// What isn't shown so long after an event that is too big was lost with it.
const COST_MAX: Duration = Duration::from_secs(30);
/// Events in one request of a flood.
const FLOOD_BATCH: usize = 500;

/// Every event comes, once, in the order in which it was published.
pub(super) async fn in_order<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(200).await?;
    stand.equals(Some(200)).await?;
    Ok(Ok(()))
}

/// H3, H5: a flood comes whole.
pub(super) async fn flood<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    for _ in 0..FLOOD / FLOOD_BATCH {
        stand.publish(FLOOD_BATCH).await?;
    }
    stand.equals(Some(FLOOD)).await?;
    Ok(Ok(()))
}

/// H1, H5: a wall that doesn't read for a while has everything afterwards, or says that something may be missing; whichever of the
/// two, it is not silent about it.
pub(super) async fn slow_reader<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    stand.wall.signal(Signal::STOP)?;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        stand.publish(FLOOD_BATCH).await?;
    }
    stand.wall.signal(Signal::CONT)?;
    stand.is_live("the wall again").await?;
    stand.publish(1).await?;
    whole_or_told(stand, before).await
}

/// H3: bytes that nobody meant are found: a link that has them is left, or an event is refused. What was changed and is still well formed nobody
/// can tell from what was meant, so not everything need be counted.
pub(super) async fn garbage<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = noticed(&stand.equals(Some(10)).await?);
    stand.line.set(|line| line.corrupt = Some(GARBAGE_EVERY_BYTES));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        stand.publish(20).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stand.line.set(|line| line.corrupt = None);
    // A new link and one event more.
    stand.line.drop_all();
    // A wrong byte may have made it say what the server takes for an offence: then it leaves that alone for a minute.
    stand.is_live("a sound line").await?;
    stand.publish(1).await?;
    let newest = stand.published();
    let report = stand.shows(newest).await?;
    // Besides the link that was dropped here.
    ensure!(noticed(&report) > before + 1, "nothing was noticed");
    Ok(Ok(()))
}

/// H5: an event of the limit is taken. One over it is refused by itself, and counted. It costs no other, unless the wall says that something may be missing:
/// what comes by one answer with it may have to be left with it, and the session too.
pub(super) async fn too_big<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    if let Err(why) = P::TOO_BIG {
        return Ok(Err(why));
    }
    stand.publish_bytes(DATA_BYTES_MAX - P::AROUND_BYTES).await.context("an event of 1 MiB")?;
    stand.publish(5).await?;
    let report = stand.equals(Some(15)).await?;
    ensure!(rejected(&report) == Some(0), "an event of 1 MiB was refused");
    stand.publish_bytes(DATA_BYTES_MAX + 1).await.context("an event of 1 MiB and a byte")?;
    stand.publish(5).await?;
    let newest = stand.published();
    let report = match tokio::time::timeout(COST_MAX, stand.shows(newest)).await {
        Ok(shown) => shown?,
        Err(_) => {
            let report = stand.is_live("the wall again").await?;
            ensure!(report.continuity() == "unknown", "events were lost with it, and nothing says so");
            stand.publish(1).await?;
            let newest = stand.published();
            stand.shows(newest).await?
        }
    };
    ensure!(rejected(&report) >= Some(1) || report.continuity() == "unknown", "nothing says that an event was refused");
    Ok(Ok(()))
}
