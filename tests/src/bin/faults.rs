//! Real faults on real programs, and the table of what became of them.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Result;
use clap::Parser;
use watchfloor_tests::faults::{self, FAULTS, Size, outcome::table};

/// Breaks a real wall in every way, and prints what it said, after how long, and what it came to.
#[derive(Debug, Parser)]
struct Options {
    /// Only those faults; `list` names them.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often the wall is killed.
    #[arg(long, value_name = "N", default_value_t = 200)]
    kills: usize,
    /// How many connections lose their server at once.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    connections: usize,
    /// One JSON object a fault, in place of the table.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let mut out = io::stdout();
    if options.only == ["list"] {
        for fault in FAULTS {
            writeln!(out, "{}", fault.name)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let unknown: Vec<_> = options.only.iter().filter(|name| FAULTS.iter().all(|fault| fault.name != **name)).collect();
    anyhow::ensure!(unknown.is_empty(), "no such faults: {unknown:?}; `--only list` names them");
    let is_wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let wanted = FAULTS.iter().filter(|fault| is_wanted(fault.name)).collect();
    let size = Size { kills: options.kills, connections: options.connections };
    let outcomes = faults::run(wanted, size, |outcome| {
        let word = match (&outcome.skipped, outcome.passed()) {
            (Some(_), _) => "skipped",
            (None, true) => "passed",
            (None, false) => "FAILED",
        };
        // Without a stderr nobody sees how it goes on; the table comes all the same.
        let _ = writeln!(io::stderr(), "{word} {}", outcome.name);
    })
    .await;
    if options.json {
        for outcome in &outcomes {
            writeln!(out, "{}", serde_json::to_string(outcome)?)?;
        }
    } else {
        writeln!(out, "{}", table(&outcomes))?;
    }
    let skipped = outcomes.iter().filter(|outcome| outcome.skipped.is_some()).count();
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let failed = outcomes.len() - passed - skipped;
    if skipped > 0 {
        writeln!(out, "{skipped} skipped")?;
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
