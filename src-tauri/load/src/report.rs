//! What was measured, as a table for people and as lines of JSON for programs.

use std::io::{self, Write};

use crate::course::{Figures, Stage};

/// Prints one.
pub(crate) fn print(figures: &Figures, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(figures).unwrap_or_default())
    } else {
        table(&mut out, figures)
    }
}

/// Prints how the first stands beside the others.
pub(crate) fn print_ratios(all: &[Figures], json: bool) -> io::Result<()> {
    let Some((own, others)) = all.split_first().filter(|_| !json) else { return Ok(()) };
    let mut out = io::stdout().lock();
    others.iter().try_for_each(|other| ratios(&mut out, own, other))
}

/// Says why a server has no figures.
pub(crate) fn failed(name: &str, error: &anyhow::Error, log: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{name}: {error:#}\n{log}")
}

fn table(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    let Figures { server, connections, channels, channels_each, payload_bytes, .. } = figures;
    writeln!(
        out,
        "\n{server}: {connections} connections, each on {channels_each} of {channels} channels, {payload_bytes} bytes an event"
    )?;
    writeln!(
        out,
        "  opened in {:.1} s; at rest {:.2} KiB a connection ({:.1} to {:.1} MiB), {:.2} cores; {:.1} MiB at the end; load before {:.2}",
        figures.open_s,
        figures.kib_a_connection,
        figures.empty_mib,
        figures.rest_mib,
        figures.cores_at_rest,
        figures.end_mib,
        figures.load_before
    )?;
    writeln!(
        out,
        "  missing {}, repeated {}, without the last {}",
        figures.missing, figures.repeated, figures.incomplete
    )?;
    writeln!(
        out,
        "  {:>12} {:>6} {:>12} {:>12} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8}",
        "published/s",
        "batch",
        "delivered",
        "delivered/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "answer p99",
        "server",
        "load"
    )?;
    for stage in &figures.stages {
        let Stage { rate, batch, delivered, delivered_a_second, latency, answer, .. } = stage;
        let rate = rate.map_or_else(|| "flood".to_owned(), |rate| format!("{rate:.0}"));
        writeln!(
            out,
            "  {rate:>12} {batch:>6} {delivered:>12} {delivered_a_second:>12.0} {:>10.2} {:>10.2} {:>10.2} {:>10.2} {:>8.2} {:>8.2}",
            latency.p50_ms, latency.p99_ms, latency.max_ms, answer.p99_ms, stage.cores_server, stage.cores_generator
        )?;
    }
    Ok(())
}

/// The first beside another one: above 1 where more is better, below it where less is.
fn ratios(out: &mut impl Write, own: &Figures, other: &Figures) -> io::Result<()> {
    writeln!(out, "\n{} beside {}:", own.server, other.server)?;
    writeln!(out, "  memory a connection {:.2}", own.kib_a_connection / other.kib_a_connection)?;
    for (ours, theirs) in own.stages.iter().zip(&other.stages) {
        let pace = ours.rate.map_or_else(|| "flood".to_owned(), |rate| format!("{rate:.0}/s"));
        writeln!(
            out,
            "  {pace}, {} a request: delivered {:.2}, p50 {:.2}, p99 {:.2}, the server's cores {:.2}",
            ours.batch,
            ours.delivered_a_second / theirs.delivered_a_second,
            ours.latency.p50_ms / theirs.latency.p50_ms,
            ours.latency.p99_ms / theirs.latency.p99_ms,
            ours.cores_server / theirs.cores_server
        )?;
    }
    Ok(())
}
