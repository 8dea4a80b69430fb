//! What a scenario makes of the wall's reports.

use anyhow::{Result, ensure};

use super::super::{
    peer::{Offer, Peer},
    stand::Stand,
};
use crate::faults::process::Report;

/// Gaps of which nobody can prove that nothing is missing. A first life that begins without a place has one.
pub(super) fn unproven(report: &Report) -> u64 {
    report.value["sources"]["ops"]["gaps_unknown"].as_u64().unwrap_or_default()
}

/// Links that were left, gaps and refused events.
pub(super) fn noticed(report: &Report) -> u64 {
    let count = |what: &str| report.value["sources"]["ops"][what].as_u64().unwrap_or_default();
    count("reconnects") + count("gaps") + count("rejected")
}

pub(super) fn rejected(report: &Report) -> Option<u64> {
    report.value["sources"]["ops"]["rejected"].as_u64()
}

/// Everything was counted, or something is said to be missing, besides what `before` counts.
pub(super) async fn whole_or_told<P: Peer>(stand: &mut Stand<P>, before: u64) -> Result<Offer<()>> {
    let newest = stand.published();
    let report = stand.shows(newest).await?;
    let told = unproven(&report) > before || rejected(&report) > Some(0);
    ensure!(report.count() == Some(newest) || told, "{:?} of {newest} counted, and nothing said", report.count());
    Ok(Ok(()))
}

/// The wall is live and shows the newest. With `proven`, it counted every event; without, it says that some may be missing, besides what
/// `before` counts.
pub(super) async fn after_gap<P: Peer>(stand: &mut Stand<P>, before: u64, proven: bool) -> Result<Offer<()>> {
    if !proven {
        // What came before the wall was back isn't had: one more shows that it follows again.
        stand.follows().await?;
    }
    let all = stand.published();
    let report = stand.equals(proven.then_some(all)).await?;
    let unproven = unproven(&report) - before;
    ensure!((unproven == 0) == proven, "{unproven} gaps are unproven, {}", report.continuity());
    Ok(Ok(()))
}
