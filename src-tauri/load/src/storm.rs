//! A hub that is killed under its connections: how long until all are back, who was refused, and how publishers fared meanwhile.

use std::{
    io::Write,
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    course::{self, Plan, Spread, wait_open, with_swarm},
    dialect::Target,
    publisher::{Pace, publish},
    server::{Make, Server},
    swarm::{Shared, histogram},
};

/// How long after its begin the hub is killed.
const CALM: Duration = Duration::from_secs(3);
/// How long everybody has to come back.
const BACK_MAX: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(1);

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    connections: usize,
    /// From the kill until the hub listened again, and from then until half, all but a hundredth, and all were back.
    down_s: f64,
    half_back_s: f64,
    most_back_s: f64,
    all_back_s: f64,
    /// Tries that found nobody (while it was down), that were refused, connections that broke (by the kill: all of them once).
    unreached: usize,
    refused: usize,
    refusal: Option<String>,
    broken: usize,
    published: u64,
    unanswered: u64,
    /// How long publishers waited for their answers, in the calm before, and from the kill on.
    answer: Spread,
    /// From when an event was due to when a connection had it, before and from the kill on; the latter with the time that it was down.
    latency_before: Spread,
    latency: Spread,
    missing: u64,
    repeated: u64,
    incomplete: usize,
    load_before: f64,
}

/// Runs it.
pub(crate) fn run(hub: &Path, in_order: bool, plan: &Plan, payload: usize, json: bool) -> Result<()> {
    let load_before = course::load();
    let more = ["--data-dir", "{folder}/data"].map(str::to_owned);
    let mut server = Server::start(Make::Hub, hub, plan.connections, &more)?;
    let target = Target { kind: Make::Hub.kind(), address: server.address, payload };
    let shared = Shared::new(target, plan, true);
    let pace = *plan.paces.first().context("a storm needs one --rate")?;
    let pace = Pace { insists: true, ..pace };
    let mut seen = None;
    let published = AtomicU64::new(0);
    let (mut counts, mut back) = (Vec::new(), [Duration::ZERO; 3]);
    let mut down = Duration::ZERO;
    let tallies = with_swarm(&shared, plan, || {
        wait_open(&shared, plan.connections)?;
        let (unreached, refused) = (shared.unreached.load(Relaxed), shared.refused.load(Relaxed));
        shared.before.store(0, Relaxed);
        let shared = &shared;
        thread::scope(|scope| {
            let publisher = scope.spawn(|| publish(shared, pace, &vec![0; plan.channels], &published));
            thread::sleep(CALM);
            shared.stage.store(1, Relaxed);
            let killed = Instant::now();
            if in_order {
                server.end()?;
            } else {
                server.kill()?;
            }
            server.start_anew()?;
            down = killed.elapsed();
            let up = Instant::now();
            for (share, back) in [0.5, 0.99, 1.0].into_iter().zip(&mut back) {
                let wanted = (plan.connections as f64 * share).ceil() as usize;
                while shared.ready.load(Relaxed) < wanted {
                    if up.elapsed() > BACK_MAX {
                        bail!("{} of {} are back", shared.ready.load(Relaxed), plan.connections);
                    }
                    thread::sleep(LOOK);
                }
                *back = up.elapsed();
            }
            let unreached = shared.unreached.load(Relaxed) - unreached;
            let refused = shared.refused.load(Relaxed) - refused;
            let done = publisher.join().unwrap_or_else(|_| unreachable!("publishers don't panic"))?;
            seen = Some((unreached, refused, Spread::of(&done.answers), done.unanswered));
            counts = done.counts;
            // What is under way arrives.
            let expected =
                counts.iter().sum::<u64>() * plan.connections as u64 * plan.each as u64 / plan.channels as u64;
            let last = Instant::now();
            while shared.received.load(Relaxed) < expected && last.elapsed() < BACK_MAX / 2 {
                thread::sleep(LOOK);
            }
            Ok(())
        })
    })?;
    let (unreached, refused, answer, unanswered) = seen.context("it ran")?;
    let spread = |stage: usize| {
        let mut all = histogram();
        for tally in &tallies {
            if let Some(one) = tally.latency.get(stage) {
                all.add(one).unwrap_or_default();
            }
        }
        Spread::of(&all)
    };
    let figures = Figures {
        connections: plan.connections,
        down_s: down.as_secs_f64(),
        half_back_s: back[0].as_secs_f64(),
        most_back_s: back[1].as_secs_f64(),
        all_back_s: back[2].as_secs_f64(),
        unreached,
        refused,
        refusal: shared.refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
        broken: shared.broken.load(Relaxed),
        published: published.load(Relaxed),
        unanswered,
        answer,
        latency_before: spread(0),
        latency: spread(1),
        missing: tallies.iter().map(|tally| tally.missing).sum(),
        repeated: tallies.iter().map(|tally| tally.repeated).sum(),
        incomplete: tallies
            .iter()
            .flat_map(|tally| &tally.places)
            .filter(|(channel, newest)| *newest != counts[*channel])
            .count(),
        load_before,
    };
    let mut out = std::io::stdout().lock();
    let text = if json { serde_json::to_string(&figures)? } else { serde_json::to_string_pretty(&figures)? };
    writeln!(out, "{text}")?;
    Ok(())
}
