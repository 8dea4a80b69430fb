//! A run: open connections, let them rest, publish at each pace, and see what came.

use std::{
    process,
    sync::atomic::Ordering::Relaxed,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    dialect::Target,
    publisher::{Pace, Published, publish},
    server::Process,
    swarm::{self, Shared, Tally, histogram},
};

/// How long all connections may take to be open.
const OPEN_MAX: Duration = Duration::from_secs(120);
/// How long the last event may take after it was published.
const ARRIVE_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(2);

/// What is done.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) channels: usize,
    pub(crate) each: usize,
    pub(crate) threads: usize,
    pub(crate) ramp: usize,
    /// How long connections rest before their memory is measured.
    pub(crate) rest: Duration,
    pub(crate) paces: Vec<Pace>,
}

/// What was measured of one server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) server: String,
    pub(crate) connections: usize,
    pub(crate) channels: usize,
    pub(crate) channels_each: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) open_s: f64,
    /// Resident memory of its process without a connection, with all at rest, and at the end.
    pub(crate) empty_mib: f64,
    pub(crate) rest_mib: f64,
    pub(crate) end_mib: f64,
    /// What it grew by for each connection at rest.
    pub(crate) kib_a_connection: f64,
    /// Of the time of one core, while nothing was published.
    pub(crate) cores_at_rest: f64,
    /// Events that were left out, those that came twice, and connections and channels that don't have the last one.
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    pub(crate) incomplete: usize,
    pub(crate) stages: Vec<Stage>,
    /// What else the machine did: its load of the last minute, before.
    pub(crate) load_before: f64,
}

/// What was measured at one pace.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Stage {
    /// Events a second that were to be published; none for as many as readers took.
    pub(crate) rate: Option<f64>,
    pub(crate) batch: usize,
    pub(crate) published: u64,
    /// Events that connections received, all together.
    pub(crate) delivered: u64,
    pub(crate) delivered_a_second: f64,
    pub(crate) latency: Spread,
    pub(crate) answer: Spread,
    pub(crate) late_ms: f64,
    /// Cores that the server used, and the generator.
    pub(crate) cores_server: f64,
    pub(crate) cores_generator: f64,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |micros: u64| micros as f64 / 1e3;
        Self {
            p50_ms: ms(histogram.value_at_quantile(0.5)),
            p99_ms: ms(histogram.value_at_quantile(0.99)),
            max_ms: ms(histogram.max()),
        }
    }
}

/// The machine's load of the last minute.
pub(crate) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// Runs a plan against a server that stands.
pub(crate) fn run(name: &str, target: Target, server: Process, plan: &Plan) -> Result<Figures> {
    let load_before = load();
    let empty = server.resident()?;
    let shared = Shared::new(target, plan, false);
    let mut stages = Vec::new();
    let (mut open, mut rest, mut cores_at_rest) = (Duration::ZERO, 0, 0.0);
    let mut counts = vec![0; plan.channels];
    let mut spreads = Vec::new();
    let tallies = with_swarm(&shared, plan, || {
        open = wait_open(&shared, plan.connections)?;
        let (before, begin) = (server.busy()?, Instant::now());
        thread::sleep(plan.rest);
        rest = server.resident()?;
        cores_at_rest = (server.busy()? - before) / begin.elapsed().as_secs_f64().max(f64::EPSILON);
        for (at, pace) in plan.paces.iter().enumerate() {
            shared.stage.store(at + 1, Relaxed);
            let (stage, done, answers) = one(&shared, *pace, &counts, server)?;
            counts = done;
            stages.push(stage);
            spreads.push(answers);
        }
        Ok(())
    })?;
    for (at, stage) in stages.iter_mut().enumerate() {
        let mut latency = histogram();
        for other in tallies.iter().filter_map(|tally| tally.latency.get(at + 1)) {
            latency.add(other).context("histograms of one kind")?;
        }
        stage.latency = Spread::of(&latency);
    }
    let end = server.resident()?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let places = || tallies.iter().flat_map(|tally| &tally.places);
    Ok(Figures {
        server: name.to_owned(),
        connections: plan.connections,
        channels: plan.channels,
        channels_each: plan.each,
        payload_bytes: shared.target.payload,
        open_s: open.as_secs_f64(),
        empty_mib: mib(empty),
        rest_mib: mib(rest),
        end_mib: mib(end),
        kib_a_connection: (rest as f64 - empty as f64) / 1024.0 / plan.connections as f64,
        cores_at_rest,
        missing: tallies.iter().map(|tally| tally.missing).sum(),
        repeated: tallies.iter().map(|tally| tally.repeated).sum(),
        incomplete: places().filter(|(channel, newest)| *newest != counts[*channel]).count(),
        stages,
        load_before,
    })
}

impl Shared {
    pub(crate) fn new(target: Target, plan: &Plan, comes_back: bool) -> Self {
        Self {
            target,
            begin: Instant::now(),
            net: rand::random(),
            channels: plan.channels,
            each: plan.each,
            ramp: plan.ramp.div_ceil(plan.threads),
            comes_back,
            ready: 0.into(),
            received: 0.into(),
            before: 0.into(),
            unreached: 0.into(),
            refused: 0.into(),
            refusal: None.into(),
            broken: 0.into(),
            ends: false.into(),
            stage: 0.into(),
            epoch: None.into(),
        }
    }
}

/// Has the connections while something is done.
pub(crate) fn with_swarm(shared: &Shared, plan: &Plan, what: impl FnOnce() -> Result<()>) -> Result<Vec<Tally>> {
    thread::scope(|scope| {
        let share = plan.connections.div_ceil(plan.threads);
        let threads: Vec<_> = (0..plan.threads)
            .map(|at| (at * share).min(plan.connections)..((at + 1) * share).min(plan.connections))
            .map(|range| scope.spawn(|| swarm::run(shared, range)))
            .collect();
        let done = what();
        shared.ends.store(true, Relaxed);
        let tallies: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| unreachable!("threads of connections don't panic")))
            .collect::<Result<_, _>>()?;
        done.map(|()| tallies)
    })
}

/// Waits until all connections are subscribed.
pub(crate) fn wait_open(shared: &Shared, connections: usize) -> Result<Duration> {
    let begin = Instant::now();
    while shared.ready.load(Relaxed) < connections {
        if begin.elapsed() > OPEN_MAX {
            let (ready, unreached) = (shared.ready.load(Relaxed), shared.unreached.load(Relaxed));
            let (refused, broken) = (shared.refused.load(Relaxed), shared.broken.load(Relaxed));
            bail!(
                "{ready} of {connections} connections are open; {unreached} found nobody, {refused} were refused, {broken} broke"
            );
        }
        thread::sleep(LOOK);
    }
    Ok(begin.elapsed())
}

fn one(shared: &Shared, pace: Pace, from: &[u64], server: Process) -> Result<(Stage, Vec<u64>, Histogram<u64>)> {
    let own = Process(process::id());
    let (busy, own_busy, begin) = (server.busy()?, own.busy()?, Instant::now());
    shared.before.store(shared.received.load(Relaxed), Relaxed);
    let published = 0.into();
    let Published { counts, answers, late, .. } = publish(shared, pace, from, &published)?;
    let readers = shared.ready.load(Relaxed) as u64 * shared.each as u64;
    let sent: u64 = counts.iter().zip(from).map(|(now, before)| now - before).sum();
    let expected = sent * readers / shared.channels as u64;
    let (last, mut seen) = (Instant::now(), 0);
    let delivered = loop {
        let delivered = shared.received.load(Relaxed) - shared.before.load(Relaxed);
        if delivered >= expected {
            break delivered;
        }
        if last.elapsed() > ARRIVE_MAX || (delivered == seen && last.elapsed() > ARRIVE_MAX / 2) {
            break delivered;
        }
        seen = delivered;
        thread::sleep(LOOK);
    };
    let took = begin.elapsed().as_secs_f64();
    ensure!(delivered > 0, "nothing arrived");
    let stage = Stage {
        rate: pace.rate,
        batch: pace.batch,
        published: sent,
        delivered,
        delivered_a_second: delivered as f64 / took,
        latency: Spread::of(&histogram()),
        answer: Spread::of(&answers),
        late_ms: late.as_secs_f64() * 1e3,
        cores_server: (server.busy()? - busy) / took,
        cores_generator: (own.busy()? - own_busy) / took,
    };
    Ok((stage, counts, answers))
}
