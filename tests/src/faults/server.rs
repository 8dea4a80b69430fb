//! The server is killed, or stands still.

use anyhow::Result;
use rustix::process::Signal;

use super::{
    outcome::{Expect, Outcome, Proof},
    site::{Plan, Site, found_within_the_limit},
};

/// SIGKILL; another process comes in its place, which knows nothing of before.
pub(super) async fn kill() -> Result<Outcome> {
    let expect = Expect { proof: Proof::Known, ..found_within_the_limit(&["connection reset", "closed", "refused"]) };
    let site = Site::start(Plan::default()).await?;
    site.ordeal("server: SIGKILL", expect, async |site| site.hub.kill(), async |site| site.hub.start_again().await)
        .await
}

/// SIGSTOP: the kernel goes on taking connections for it.
pub(super) async fn stop() -> Result<Outcome> {
    let expect = found_within_the_limit(&["nothing heard", "no answer"]);
    let site = Site::start(Plan::default()).await?;
    let stop = async |site: &mut Site| site.hub.signal(Signal::STOP);
    site.ordeal("server: SIGSTOP", expect, stop, async |site| site.hub.signal(Signal::CONT)).await
}
