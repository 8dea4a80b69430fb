//! Runs schedules from fresh seeds for as long as one likes, one seed again, or a plan.
#![allow(clippy::print_stdout)]

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::Parser;
use watchfloor_simulation::{
    dialects::Name,
    fault::Fault,
    met::Met,
    plan::Plan,
    prove, prove_healthy,
    storm::{Loss, storm},
};

/// Simulates walls in virtual time, with faults drawn from a seed. Does what is asked for, one after the other.
#[derive(Parser)]
struct Arguments {
    /// Simulated hours with faults, each with its own seed.
    #[arg(long, default_value_t = 0)]
    hours: u64,
    /// Schedules of some minutes in which faults lie close together.
    #[arg(long, default_value_t = 0)]
    dense: u64,
    /// Simulated days in which nothing goes wrong.
    #[arg(long, default_value_t = 0)]
    healthy_days: u64,
    /// Ten thousand walls lose one server.
    #[arg(long)]
    storm: bool,
    /// The first seed; by the clock if left out.
    #[arg(long)]
    seed: Option<u64>,
    /// What the server speaks, in place of the hub's protocol: one of the dialects, or `all` of them, one after the other.
    #[arg(long)]
    dialect: Option<String>,
    /// A plan to run again, as a failure prints it.
    #[arg(long)]
    plan: Option<PathBuf>,
}

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Runs plans and prints what they came to.
    fn run(&mut self, what: &str, plans: impl Iterator<Item = Plan>, prove: impl Fn(&Plan) -> Result<Met, String>) {
        let began = Instant::now();
        let mut met = Met::default();
        let (mut simulated, mut count) = (0, 0);
        for plan in plans {
            simulated += plan.span;
            count += 1;
            match prove(&plan) {
                Ok(own) => {
                    self.passed += 1;
                    met.add(&own);
                }
                Err(story) => {
                    self.failed += 1;
                    println!("{story}");
                }
            }
        }
        if count == 0 {
            return;
        }
        print(&met);
        let (seconds, hours) = (began.elapsed().as_secs_f64(), simulated as f64 / 3_600_000.0);
        println!("{what}: {hours:.0} simulated hours in {seconds:.1} s: {:.0} hours/hour\n", hours / seconds * 3600.0);
    }

    fn storms(&mut self, seed: u64) {
        println!(
            "{:<24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
            "10,000 walls", "in vain", "arrived", "window s", "mean/s", "peak/s", "times"
        );
        for loss in [
            Loss::Goodbye,
            Loss::Away(0),
            Loss::Away(2),
            Loss::Away(10),
            Loss::Away(60),
            Loss::Away(300),
            Loss::Busy(10),
        ] {
            let arrivals = storm(10_000, loss, seed);
            let rate = arrivals.rate();
            let times = rate.peak / rate.mean;
            let fits = times <= 3.0 && arrivals.live == 10_000;
            *(if fits { &mut self.passed } else { &mut self.failed }) += 1;
            println!(
                "{:<24} {:>9} {:>9} {:>9.2} {:>9.0} {:>9.0} {times:>7.2}{}",
                format!("{loss:?}"),
                arrivals.in_vain,
                arrivals.at.len(),
                rate.window,
                rate.mean,
                rate.peak,
                if fits { "" } else { " FAILED" }
            );
        }
        println!();
    }
}

/// What the runs met.
fn print(met: &Met) {
    let with_faults = Fault::NAMES.iter().any(|name| met.counts.contains_key(name));
    if with_faults {
        println!("{:<18} {:>8}   not live after, at worst", "fault", "met");
    }
    for name in Fault::NAMES.into_iter().filter(|_| with_faults) {
        let count = met.counts.get(name).copied().unwrap_or(0);
        let found = met.found.get(name).map_or_else(String::new, |(took, allowed)| {
            format!("{:.1} s of {:.1} s allowed", *took as f64 / 1000.0, *allowed as f64 / 1000.0)
        });
        println!("{name:<18} {count:>8}   {found}");
    }
    let others: Vec<String> = met
        .counts
        .iter()
        .filter(|(name, _)| !Fault::NAMES.contains(name))
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("besides: {}", others.join(", "));
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let by_clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() * 1_000_000);
    let first = arguments.seed.unwrap_or_else(by_clock);
    let mut tally = Tally::default();
    println!("seeds from {first} on\n");
    if let Some(path) = &arguments.plan {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let plan: Plan = serde_json::from_str(&text).context("not a plan")?;
        tally.run("plan", std::iter::once(plan), prove);
    }
    let seeds = |count: u64| (0..count).map(move |number| first.wrapping_add(number));
    let dialects = match arguments.dialect.as_deref() {
        None => Vec::new(),
        Some("all") => Name::ALL.to_vec(),
        Some(word) => vec![word.parse::<Name>().map_err(anyhow::Error::msg).context("--dialect")?],
    };
    for name in &dialects {
        let word = name.word();
        tally.run(&format!("{word}, hours"), seeds(arguments.hours).map(|seed| name.plan(Plan::hour(seed))), prove);
        tally.run(&format!("{word}, dense"), seeds(arguments.dense).map(|seed| name.plan(Plan::dense(seed))), prove);
        let day = |seed| name.plan(Plan::healthy(seed, 24 * 3_600_000));
        tally.run(&format!("{word}, healthy days"), seeds(arguments.healthy_days).map(day), prove_healthy);
    }
    if !dialects.is_empty() {
        println!("{} passed, {} failed", tally.passed, tally.failed);
        return Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) });
    }
    tally.run("hours with faults", seeds(arguments.hours).map(Plan::hour), prove);
    tally.run("faults close together", seeds(arguments.dense).map(Plan::dense), prove);
    let day = |seed| Plan::healthy(seed, 24 * 3_600_000);
    tally.run("healthy days", seeds(arguments.healthy_days).map(day), prove_healthy);
    if arguments.storm {
        tally.storms(first);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
