//! Who is there: members of a channel, and a plant's nodes and devices.

use anyhow::Result;

use super::super::{
    peer::{Offer, Peer},
    sparkplug::Node,
    stand::{FOUND_MAX, Stand},
};

/// Who comes and goes is told, once each, and costs no event.
pub(super) async fn presence<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    let walls = u64::from(P::COUNTS_WALL);
    stand.publish(10).await?;
    let member = match stand.peer.join().await? {
        Ok(member) => member,
        Err(why) => return Ok(Err(why)),
    };
    if P::COUNTS_WALL {
        stand.told("here", walls).await?;
    }
    stand.told("joined", 1).await?;
    stand.shown(10).await?;
    // One that is there when the wall comes is told as well.
    stand.restart_wall()?;
    stand.told("here", 2 * walls + 1).await?;
    drop(member);
    stand.told("left", 1).await?;
    stand.is_live("the wall again").await?;
    stand.publish(5).await?;
    let proven = P::HISTORY.is_ok() && P::KEPT_BY_WALL;
    stand.equals(proven.then_some(15)).await?;
    Ok(Ok(()))
}

/// H1: what a device said isn't live after its node's death, nor while a message of it is missing, though the broker is there; it is
/// again with its next birth, which is asked for.
pub(super) async fn birth_and_death<P: Peer>(
    stand: &mut Stand<P>,
    folder: &tempfile::TempDir,
) -> Result<std::result::Result<(), String>> {
    let broker = stand.peer.address();
    stand.is_live("the beginning").await?;
    let mut node = match Node::start(folder.path(), broker, 1, 20.5)? {
        Ok(node) => node,
        Err(why) => return Ok(Err(why)),
    };
    stand.temperature(20.5, "live").await?;
    node.tell(21.5, false)?;
    stand.temperature(21.5, "live").await?;
    node.tell(22.5, true)?;
    stand.says_of("temperature", &["stale"], FOUND_MAX).await?;
    stand.temperature(22.5, "live").await?;
    drop(node);
    stand.temperature(22.5, "stale").await?;
    let node = Node::start(folder.path(), broker, 2, 30.5)?.map_err(anyhow::Error::msg)?;
    stand.temperature(30.5, "live").await?;
    drop(node);
    stand.temperature(30.5, "stale").await?;
    Ok(Ok(()))
}
