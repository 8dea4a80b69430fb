//! The scenarios, each with a server, a line and a wall of its own.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::{
    Cell, Row,
    peer::{Entry, Offer, Peer},
    sparkplug::Node,
    stand::{FOUND_MAX, PATIENCE, Stand, keep_token},
    tls::{NAME, OTHER, Tls},
};
use crate::{authority::Authority, faults::process::Report};

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

/// In order, and by name as in the matrix.
const SCENARIOS: [&str; 18] = [
    "in order",
    "100,000 events",
    "wall restarted",
    "cut, history suffices",
    "cut, history exceeded",
    "slow reader",
    "garbage",
    "too big an event",
    "SIGSTOP",
    "SIGKILL, state lost",
    "SIGKILL, state kept",
    "private channel",
    "revoked",
    "token expires",
    "presence",
    "TLS",
    "failover",
    "birth and death",
];

/// Runs a row.
pub(super) async fn row<P: Peer>(only: &[String]) -> Result<Row> {
    let mut row = Row { kind: P::KIND, server: "not here".to_owned(), cells: Vec::new(), own: Vec::new() };
    for name in SCENARIOS {
        if !only.is_empty() && !only.iter().any(|only| name.contains(only.as_str())) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let begun = Instant::now();
        let outcome = run::<P>(name, &folder, &mut row.server).await;
        let cell = outcome.unwrap_or_else(|error| Cell::Failed(format!("{error:#}")));
        // Rows come at the end: this shows that something goes on.
        writeln!(io::stderr(), "{} {name}: {cell}, {:.1} s", P::KIND, begun.elapsed().as_secs_f64())?;
        row.cells.push((name, cell));
    }
    for &name in P::OWN.iter().filter(|name| only.is_empty() || only.iter().any(|only| name.contains(only.as_str()))) {
        let begun = Instant::now();
        let outcome = run_own::<P>(name, &mut row.server).await;
        let cell = outcome.unwrap_or_else(|error| Cell::Failed(format!("{error:#}")));
        writeln!(io::stderr(), "{} {name}: {cell}, {:.1} s", P::KIND, begun.elapsed().as_secs_f64())?;
        row.own.push((name, cell));
    }
    Ok(row)
}

/// What only this protocol has.
async fn run_own<P: Peer>(name: &'static str, server: &mut String) -> Result<Cell> {
    let folder = tempfile::tempdir()?;
    let entry = Entry { own: Some(name), ..Entry::default() };
    let mut stand = match Stand::<P>::raise(&folder, &entry).await? {
        Ok(stand) => stand,
        Err(why) => return Ok(Cell::NotRun(why)),
    };
    *server = stand.peer.version();
    P::run_own(&mut stand, name).await?;
    Ok(Cell::Passed)
}

async fn run<P: Peer>(name: &str, folder: &tempfile::TempDir, server: &mut String) -> Result<Cell> {
    let mut entry = Entry { presence: name == "presence", ..Entry::default() };
    let needs_token = matches!(name, "private channel" | "revoked" | "token expires");
    if needs_token {
        entry.private = true;
        // Known only once the server runs, and read by the wall when it begins.
        entry.token = Some(folder.path().join("token"));
        keep_token(folder.path(), "none-that-anybody-gave")?;
    }
    if name == "failover" {
        if let Err(why) = P::SEVERAL {
            return Ok(Cell::NotOffered(why.to_owned()));
        }
        entry.several = true;
    }
    if name == "birth and death" {
        if let Err(why) = P::BIRTHS {
            return Ok(Cell::NotOffered(why.to_owned()));
        }
        entry.plant = true;
    }
    let mut authority = None;
    if name == "TLS" {
        if let Err(why) = P::TLS {
            return Ok(Cell::NotOffered(why.to_owned()));
        }
        let (tls, its) = Tls::prepare(folder.path())?;
        authority = Some((tls.clone(), its));
        entry.tls = Some(tls);
    }
    let mut stand = match Stand::<P>::raise(folder, &entry).await? {
        Ok(stand) => stand,
        Err(why) => return Ok(Cell::NotRun(why)),
    };
    *server = stand.peer.version();
    let offered = match name {
        "in order" => in_order(&mut stand).await?,
        "100,000 events" => flood(&mut stand).await?,
        "wall restarted" => wall_restarted(&mut stand).await?,
        "cut, history suffices" => cut(&mut stand, false).await?,
        "cut, history exceeded" => cut(&mut stand, true).await?,
        "slow reader" => slow_reader(&mut stand).await?,
        "garbage" => garbage(&mut stand).await?,
        "too big an event" => too_big(&mut stand).await?,
        "SIGSTOP" => stopped(&mut stand).await?,
        "SIGKILL, state lost" => killed(&mut stand, false).await?,
        "SIGKILL, state kept" => killed(&mut stand, true).await?,
        "private channel" => private(&mut stand, folder).await?,
        "revoked" => revoked(&mut stand, folder).await?,
        "presence" => presence(&mut stand).await?,
        "token expires" => expiry(&mut stand, folder).await?,
        "TLS" => secure(&mut stand, authority.context("certificates")?).await?,
        "failover" => failover(&mut stand).await?,
        "birth and death" => match birth_and_death(&mut stand, folder).await? {
            Ok(()) => Ok(()),
            Err(why) => return Ok(Cell::NotRun(why)),
        },
        other => anyhow::bail!("no scenario `{other}`"),
    };
    Ok(offered.map_or_else(|why| Cell::NotOffered(why.to_owned()), |()| Cell::Passed))
}

/// Every event comes, once, in the order in which it was published.
async fn in_order<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(200).await?;
    stand.equals(Some(200)).await?;
    Ok(Ok(()))
}

/// H3, H5: a flood comes whole.
async fn flood<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    for _ in 0..FLOOD / FLOOD_BATCH {
        stand.publish(FLOOD_BATCH).await?;
    }
    stand.equals(Some(FLOOD)).await?;
    Ok(Ok(()))
}

/// H4: what was published while there was no wall is there when it is back, if the protocol can, and else said to be missing.
async fn wall_restarted<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
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
async fn cut<P: Peer>(stand: &mut Stand<P>, exceeds: bool) -> Result<Offer<()>> {
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

/// H1, H5: a wall that doesn't read for a while has everything afterwards, or says that something may be missing; whichever of the
/// two, it is not silent about it.
async fn slow_reader<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
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
async fn garbage<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
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
async fn too_big<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
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

/// Gaps of which nobody can prove that nothing is missing. A first life that begins without a place has one.
fn unproven(report: &Report) -> u64 {
    report.value["sources"]["ops"]["gaps_unknown"].as_u64().unwrap_or_default()
}

/// Links that were left, gaps and refused events.
fn noticed(report: &Report) -> u64 {
    let count = |what: &str| report.value["sources"]["ops"][what].as_u64().unwrap_or_default();
    count("reconnects") + count("gaps") + count("rejected")
}

fn rejected(report: &Report) -> Option<u64> {
    report.value["sources"]["ops"]["rejected"].as_u64()
}

/// Everything was counted, or something is said to be missing, besides what `before` counts.
async fn whole_or_told<P: Peer>(stand: &mut Stand<P>, before: u64) -> Result<Offer<()>> {
    let newest = stand.published();
    let report = stand.shows(newest).await?;
    let told = unproven(&report) > before || rejected(&report) > Some(0);
    ensure!(report.count() == Some(newest) || told, "{:?} of {newest} counted, and nothing said", report.count());
    Ok(Ok(()))
}

/// H1: a server that stands still with its connections open isn't live.
async fn stopped<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
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
async fn killed<P: Peer>(stand: &mut Stand<P>, keeps: bool) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    if let Err(why) = stand.peer.restart(keeps).await? {
        return Ok(Err(why));
    }
    stand.publish(3).await?;
    after_gap(stand, before, keeps && P::HISTORY.is_ok()).await
}

/// A private channel is had with a token, and refused without: which is shown as a refusal.
async fn private<P: Peer>(stand: &mut Stand<P>, folder: &tempfile::TempDir) -> Result<Offer<()>> {
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
async fn revoked<P: Peer>(stand: &mut Stand<P>, folder: &tempfile::TempDir) -> Result<Offer<()>> {
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

/// Who comes and goes is told, once each, and costs no event.
async fn presence<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
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

/// A token's end is seen to ahead, and nothing is missed for it.
async fn expiry<P: Peer>(stand: &mut Stand<P>, folder: &tempfile::TempDir) -> Result<Offer<()>> {
    let life = Duration::from_secs(8);
    let token = match stand.peer.token(Some(life)) {
        Ok(token) => token,
        Err(why) => return Ok(Err(why)),
    };
    keep_token(folder.path(), &token)?;
    stand.is_live("a token that ends").await?;
    stand.publish(10).await?;
    stand.equals(Some(10)).await?;
    let begun = Instant::now();
    let next = stand.peer.token(None).map_err(anyhow::Error::msg)?;
    keep_token(folder.path(), &next)?;
    while begun.elapsed() < life + Duration::from_secs(4) {
        stand.publish(1).await?;
        stand.equals(Some(stand.published())).await?;
    }
    Ok(Ok(()))
}

/// The wall is live and shows the newest. With `proven`, it counted every event; without, it says that some may be missing, besides what
/// `before` counts.
async fn after_gap<P: Peer>(stand: &mut Stand<P>, before: u64, proven: bool) -> Result<Offer<()>> {
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

/// H8: server and wall show each other their certificates; a server that shows another one's isn't spoken to, and the reason says so.
async fn secure<P: Peer>(stand: &mut Stand<P>, (tls, authority): (Tls, Authority)) -> Result<Offer<()>> {
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

/// H1, H3: when the one that leads dies, the wall finds who leads now by itself. What it missed it has, or says that it may be missing.
async fn failover<P: Peer>(stand: &mut Stand<P>) -> Result<Offer<()>> {
    stand.is_live("the beginning").await?;
    stand.publish(10).await?;
    let before = unproven(&stand.equals(Some(10)).await?);
    stand.peer.fail_over().await?;
    stand.publish(5).await?;
    after_gap(stand, before, P::KEPT_BY_OTHERS).await
}

/// H1: what a device said isn't live after its node's death, nor while a message of it is missing, though the broker is there; it is
/// again with its next birth, which is asked for.
async fn birth_and_death<P: Peer>(
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
