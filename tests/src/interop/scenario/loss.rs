//! What is missed: while there is no wall, no line or no server, and when another server leads.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::Signal;

use super::{
    super::{
        peer::{Offer, Peer},
        stand::{FOUND_MAX, PATIENCE, Stand},
    },
    judge::{after_gap, unproven},
};

/// H4: what was published while there was no wall is there when it is back, if the protocol can, and else said to be missing.
pub(super) async fn wall_restarted<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    let missed = P::HISTORY.map_or(5, |room| room.min(5));
    stand.restart_wall()?;
    stand.publish(missed).await?;
    // Another program counts anew.
    after_gap(stand, 0, P::HISTORY.is_ok() && P::KEPT_BY_WALL).await
}

/// H1, H3: a line that is cut is found, and what was missed is had, or is said to be missing.
pub(super) async fn cut<P: Peer>(stand: &mut Stand<P>, exceeds: bool) -> Result<Offer<()>> {
    let room = match P::HISTORY {
        Ok(room) => room,
        Err(why) if !exceeds => return Ok(Err(why)),
        Err(_) => 5,
    };
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    stand.line.set(|line| line.cut = true);
    stand.says(&["down", "stale"], FOUND_MAX).await?;
    stand.publish(if exceeds { room + 20 } else { room.min(20) }).await?;
    stand.line.set(|line| line.cut = false);
    after_gap(stand, before, !exceeds).await
}

/// H1: a server that stands still with its connections open isn't live.
pub(super) async fn stopped<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    stand.peer.signal(Signal::STOP)?;
    let begun = Instant::now();
    stand.says(&["down", "stale", "catching-up"], FOUND_MAX).await?;
    // Past every deadline of a link.
    tokio::time::sleep(Duration::from_secs(5)).await;
    stand.peer.signal(Signal::CONT)?;
    stand.peer.reconnect()?;
    ensure!(begun.elapsed() < PATIENCE, "it took too long");
    stand.publish(3).await?;
    after_gap(stand, before, P::HISTORY.is_ok()).await
}

/// H3: after the server's death what it still knows is had, and what it doesn't is said to be missing.
pub(super) async fn killed<P: Peer>(stand: &mut Stand<P>, keeps: bool) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    if let Err(why) = stand.peer.restart(keeps).await? {
        return Ok(Err(why));
    }
    stand.publish(3).await?;
    after_gap(stand, before, keeps && P::HISTORY.is_ok()).await
}

/// H1, H3: when the one that leads dies, the wall finds who leads now by itself. What it missed it has, or says that it may be missing.
pub(super) async fn failover<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    stand.peer.fail_over().await?;
    stand.publish(5).await?;
    after_gap(stand, before, P::KEPT_BY_OTHERS).await
}
