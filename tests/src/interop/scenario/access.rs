//! Who may come, and who is who: tokens that aren't good, are taken back and end, and certificates.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{
    super::{
        peer::{Offer, Peer},
        stand::{FOUND_MAX, PATIENCE, Stand, keep_token},
        tls::{NAME, OTHER, Tls},
    },
    judge::{unproven, whole_or_told},
};
use crate::authority::Authority;

/// A private channel is had with a token, and refused without: which is shown as a refusal.
pub(super) async fn private<P: Peer>(stand: &mut Stand<P>, folder: &tempfile::TempDir) -> Result<Offer<()>> {
    let token = match stand.peer.token(None) {
        Ok(token) => token,
        Err(why) => return Ok(Err(why)),
    };
    stand.says(&["refused"], PATIENCE).await?;
    keep_token(folder.path(), &token)?;
    stand.is_live("a token that is good").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    if stand.peer.revoke().await?.is_ok() {
        stand.says(&["refused"], FOUND_MAX).await?;
    }
    Ok(Ok(()))
}

/// H1: who loses the right to a channel in mid-session is refused it within the limit, with nothing else wrong.
pub(super) async fn revoked<P: Peer>(stand: &mut Stand<P>, folder: &tempfile::TempDir) -> Result<Offer<()>> {
    let token = match stand.peer.token(None) {
        Ok(token) => token,
        Err(why) => return Ok(Err(why)),
    };
    keep_token(folder.path(), &token)?;
    stand.is_live("a token that is good").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    if let Err(why) = stand.peer.revoke().await? {
        return Ok(Err(why));
    }
    stand.says(&["refused"], FOUND_MAX).await?;
    Ok(Ok(()))
}

/// A token's end is seen to ahead: nothing is missed for it, or it is said to be missing. No server is shown one that has ended.
pub(super) async fn expiry<P: Peer>(stand: &mut Stand<P>, folder: &tempfile::TempDir) -> Result<Offer<()>> {
    let life = Duration::from_secs(8);
    let token = match stand.peer.token(Some(life)) {
        Ok(token) => token,
        Err(why) => return Ok(Err(why)),
    };
    keep_token(folder.path(), &token)?;
    stand.is_live("a token that ends").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    let begun = Instant::now();
    let next = stand.peer.token(None).map_err(anyhow::Error::msg)?;
    keep_token(folder.path(), &next)?;
    while begun.elapsed() < life + Duration::from_secs(4) {
        if P::KEPT_OVER_TOKEN {
            stand.publish(1).await?;
            stand.equals(Some(stand.published())).await?;
        } else {
            stand.follows().await?;
        }
    }
    if !P::KEPT_OVER_TOKEN {
        whole_or_told(stand, before).await?.map_err(anyhow::Error::msg)?;
    }
    stand.peer.took(&next).await?;
    Ok(Ok(()))
}

/// H8: server and wall show each other their certificates; a server that shows another one's isn't spoken to, and the reason says so.
pub(super) async fn secure<P: Peer>(stand: &mut Stand<P>, (tls, authority): (Tls, Authority)) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    begin_as(stand, &tls, &authority, OTHER).await?;
    let words = format!("certificate is not for \"{NAME}\", but for \"{OTHER}\"");
    stand.is_down(&words, FOUND_MAX * 2).await?;
    begin_as(stand, &tls, &authority, NAME).await?;
    stand.follows().await?;
    Ok(Ok(()))
}

/// Begins the server again with a certificate for `name`.
async fn begin_as<P: Peer>(stand: &mut Stand<P>, tls: &Tls, authority: &Authority, name: &str) -> Result<()> {
    tls.keep(authority, "server", name)?;
    let keeps = P::HISTORY.is_ok();
    stand.peer.restart(keeps).await?.map_err(anyhow::Error::msg)
}
