//! The benchmarks, run by `scripts/bench.sh`. Prints one JSON line a figure.

use std::{io::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use watchfloor_tests::bench::{
    alarms,
    figure::Figure,
    generator::{self, Plan},
    ingest, wall,
};

/// Measures Watchfloor against what the machine can do.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole way of an event through the backend, as fast as it goes.
    Ingest {
        /// Events in all.
        #[arg(long, default_value_t = 10_000_000)]
        events: u64,
    },
    /// Age of an event when its pixels change, processor time and memory, in the real window.
    Glass {
        /// Events a second.
        #[arg(long, default_values_t = [100, 1_000, 10_000])]
        rates: Vec<u32>,
        /// Seconds measured.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Process start to first painted value.
    Start {
        /// Runs.
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
    /// Processor share and memory of a quiet wall.
    Idle {
        /// Seconds measured.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Memory at rest and after a long time at 1,000 events a second.
    Memory {
        /// Minutes under load.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
    },
    /// From an alarm's decision to its announcement, at 10,000 events a second with 5,000 rules.
    Alarms {
        /// Seconds measured.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Used by that: an engine with one page, until its input ends.
    #[command(hide = true)]
    AlarmsWall {
        #[arg(long)]
        board: PathBuf,
        #[arg(long)]
        data: PathBuf,
    },
    /// Used by the others: a server that sends orders.
    #[command(hide = true)]
    Generate {
        #[arg(long, default_value_t = u64::MAX)]
        count: u64,
        #[arg(long)]
        rate: Option<u32>,
        #[arg(long, default_value_t = 128)]
        batch: u64,
        #[arg(long)]
        plant: bool,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let figures = match Cli::parse().command {
        Command::Ingest { events } => ingest::run(events).await?,
        Command::Glass { rates, seconds } => wall::glass(&rates, seconds).await?,
        Command::Start { runs } => wall::start(runs).await?,
        Command::Idle { seconds } => wall::idle(seconds).await?,
        Command::Memory { minutes } => wall::memory(minutes).await?,
        Command::Alarms { seconds } => alarms::run(seconds).await?,
        Command::AlarmsWall { board, data } => return alarms::wall(board, data).await,
        Command::Generate { count, rate, batch, plant } => {
            let (listener, address) = generator::listen().await?;
            print(&address)?;
            return generator::serve(listener, Plan { rate, count, batch, plant }).await;
        }
    };
    if figures.is_empty() {
        bail!("nothing was measured");
    }
    figures.iter().map(Figure::json).try_for_each(|line| print(&line))
}

fn print(line: &dyn std::fmt::Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
