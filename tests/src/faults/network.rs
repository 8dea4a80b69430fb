//! What happens between.

use anyhow::Result;

use super::{
    board::FOUND_MAX,
    outcome::{Expect, Outcome, Proof},
    site::{Plan, Site, found_within_the_limit},
};

/// Bytes a second that carry heartbeats, and not the events.
const SLOW: usize = 1000;
/// One byte in so many is wrong: some in each second's frames.
const CORRUPT_EVERY: usize = 1511;

/// Every connection is reset, again and again.
pub(super) async fn cut() -> Result<Outcome> {
    let expect = found_within_the_limit(&["connection reset", "connection broken"]);
    let site = Site::start(Plan::default()).await?;
    let cut = async |site: &mut Site| {
        site.line.set(|line| line.cut = true);
        Ok(())
    };
    let mend = async |site: &mut Site| {
        site.line.set(|line| line.cut = false);
        Ok(())
    };
    site.ordeal("network: cut", expect, cut, mend).await
}

/// Connections stand and carry nothing.
pub(super) async fn half_open() -> Result<Outcome> {
    let expect = found_within_the_limit(&["nothing heard", "no answer"]);
    let site = Site::start(Plan::default()).await?;
    let hold = async |site: &mut Site| {
        site.line.set(|line| line.hold = true);
        Ok(())
    };
    let mend = async |site: &mut Site| {
        site.line.set(|line| line.hold = false);
        Ok(())
    };
    site.ordeal("network: half-open", expect, hold, mend).await
}

/// Less comes through than is sent.
pub(super) async fn throttle() -> Result<Outcome> {
    // What the kernel and the line hold has to be used up first; until then, nothing is late.
    let expect = Expect { stays_broken: false, found_max: FOUND_MAX * 10, ..found_within_the_limit(&["too slow"]) };
    let site = Site::start(Plan::default()).await?;
    let slow = async |site: &mut Site| {
        site.line.set(|line| line.rate = Some(SLOW));
        Ok(())
    };
    let mend = async |site: &mut Site| {
        site.line.set(|line| line.rate = None);
        Ok(())
    };
    site.ordeal("network: throttled", expect, slow, mend).await
}

/// Wrong bytes on a line that nothing protects. Some of them make another good number: no one can see that in the stream, and the
/// comparison with the server mends it.
pub(super) async fn corrupt() -> Result<Outcome> {
    let expect = Expect {
        stays_broken: false,
        tells_truth: false,
        found_max: FOUND_MAX * 10,
        proof: Proof::Known,
        ..found_within_the_limit(&[])
    };
    let site = Site::start(Plan::default()).await?;
    let corrupt = async |site: &mut Site| {
        site.line.set(|line| line.corrupt = Some(CORRUPT_EVERY));
        Ok(())
    };
    let mend = async |site: &mut Site| {
        site.line.set(|line| line.corrupt = None);
        Ok(())
    };
    site.ordeal("network: wrong bytes, plain", expect, corrupt, mend).await
}
