//! The matrix of the wall before other people's servers.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Result, ensure};
use clap::Parser;
use futures_util::{StreamExt, TryStreamExt, stream};
use watchfloor_tests::interop::{self, Cell, KINDS, Row, table::table};

/// Runs the scenarios of each kind with its real server, and prints the matrix.
#[derive(Debug, Parser)]
struct Options {
    /// Only those kinds.
    #[arg(long, value_name = "KIND")]
    only: Vec<String>,
    /// Only the scenarios with this text in their names.
    #[arg(long, value_name = "TEXT")]
    scenario: Vec<String>,
    /// So many kinds at once.
    #[arg(long, value_name = "N", default_value_t = 3)]
    at_once: usize,
    /// Keep a transcript of each kind in a folder of this one, in place of the matrix.
    #[arg(long, value_name = "FOLDER")]
    transcripts: Option<PathBuf>,
    /// One JSON object a row, in place of the table.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let unknown: Vec<_> = options.only.iter().filter(|kind| !KINDS.contains(&kind.as_str())).collect();
    ensure!(unknown.is_empty(), "no such kinds: {unknown:?}; there are {KINDS:?}");
    let wanted = KINDS.iter().filter(|kind| options.only.is_empty() || options.only.iter().any(|only| only == *kind));
    if let Some(folder) = &options.transcripts {
        for kind in wanted {
            match interop::record(kind, folder).await? {
                Some(why) => writeln!(io::stderr(), "{kind}: not run: {why}")?,
                None => writeln!(io::stderr(), "{kind}: kept")?,
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    // They wait most of the time, each for servers and walls of its own. In the order in which they end, so that one that takes long
    // holds up none: they are put into their own order afterwards.
    let rows =
        stream::iter(wanted).map(|kind| interop::run(kind, &options.scenario)).buffer_unordered(options.at_once.max(1));
    let mut rows: Vec<Row> = rows.try_collect().await?;
    rows.sort_by_key(|row| KINDS.iter().position(|kind| *kind == row.kind));
    let mut out = io::stdout();
    if options.json {
        for row in &rows {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
    } else {
        writeln!(out, "{}", table(&rows))?;
    }
    let count = |wanted: fn(&Cell) -> bool| {
        rows.iter().flat_map(|row| row.cells.iter().chain(&row.own)).filter(|(_, cell)| wanted(cell)).count()
    };
    let failed = count(|cell| matches!(cell, Cell::Failed(_)));
    let not_run = count(|cell| matches!(cell, Cell::NotRun(_)));
    if not_run > 0 {
        writeln!(out, "{not_run} not run")?;
    }
    let passed = count(|cell| matches!(cell, Cell::Passed));
    writeln!(out, "{passed} passed, {failed} failed")?;
    // Where no server can be had nothing was shown.
    Ok(if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
