//! A name that is there, then isn't, then is again.

use std::fs;

use anyhow::{Context, Result};

use super::{
    outcome::Outcome,
    room::Room,
    site::{Plan, Site, found_within_the_limit},
};

/// The one name besides numbers by which a hub on the loopback may be called; in there it is known by the hosts file alone.
const NAME: &str = "localhost";

/// The hub's name goes while the link is lost, and comes back.
pub(super) async fn gone_and_back() -> Result<Outcome> {
    const TITLE: &str = "DNS: name gone and back";
    let folder = tempfile::tempdir()?;
    let (hosts, servers) = (folder.path().join("hosts"), folder.path().join("resolv.conf"));
    let known = format!("127.0.0.1 {NAME}\n");
    fs::write(&hosts, &known)?;
    // A server that isn't there says no at once.
    fs::write(&servers, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")?;
    let paths = [hosts.to_str().context("a path")?, servers.to_str().context("a path")?];
    let mounts = "mount --bind \"$0\" /etc/hosts; mount --bind \"$1\" /etc/resolv.conf";
    let room = match Room::open(mounts, &paths)? {
        Ok(room) => room,
        Err(why) => return Ok(Outcome::skipped(TITLE, &why)),
    };
    let plan = Plan { url: format!("http://{NAME}:PORT"), before: room.before(), ..Plan::default() };
    let site = Site::start(plan).await?;
    let forget = async |site: &mut Site| {
        // In place: what is mounted is the file, not its name.
        fs::write(&hosts, "127.0.0.1 nobody\n")?;
        site.line.drop_all();
        Ok(())
    };
    let know = async |_: &mut Site| Ok(fs::write(&hosts, &known)?);
    site.ordeal(TITLE, found_within_the_limit(&["name not found"]), forget, know).await
}
