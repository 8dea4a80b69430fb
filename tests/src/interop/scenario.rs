//! The scenarios, each with a server, a line and a wall of its own.

mod access;
mod coming;
mod judge;
mod loss;
mod members;

use std::{
    io::{self, Write},
    time::Instant,
};

use anyhow::{Context, Result};

use self::{
    access::{expiry, private, revoked, secure},
    coming::{flood, garbage, in_order, slow_reader, too_big},
    loss::{cut, failover, killed, stopped, wall_restarted},
    members::{birth_and_death, presence},
};
use super::{
    Cell, Row, example,
    peer::{Entry, Peer},
    stand::{Stand, keep_token},
    tls::Tls,
};

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
    for &name in P::OWN
        .iter()
        .chain(P::EXAMPLES)
        .filter(|name| only.is_empty() || only.iter().any(|only| name.contains(only.as_str())))
    {
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
    if P::EXAMPLES.contains(&name) {
        return example::run::<P>(name, server).await;
    }
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
