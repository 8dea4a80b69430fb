//! The real window on a real display: what its pixels show and what its processes cost.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    bench::{
        figure::{Figure, quantile},
        generator::wall_ms,
        glass::{self, Seen, Shown},
        ingest::{Generator, board},
        proc,
    },
    desktop::Desktop,
    program::program,
};

const SIZE: (u32, u32) = (1920, 1080);
/// The page compiles, the charts fill, caches warm: not measured.
const WARM: Duration = Duration::from_secs(5);
const START_LIMIT: Duration = Duration::from_secs(30);
/// What is promised of the last known values after a kill.
const LAST_VALUES_MS: f64 = 1_000.0;

/// What the usual recipe shows on such a machine: a Chromium kiosk page fed by Socket.IO in batches of 100 ms. The figures
/// are its own harness's, taken without GPU on two cores; run it beside this one before comparing closely.
mod peer {
    pub(super) const LATENCY_P50_MS: f64 = 83.0;
    pub(super) const LATENCY_P99_MS: f64 = 148.0;
    pub(super) const START_MS: f64 = 1_060.0;
    pub(super) const IDLE_CORES: f64 = 0.11;
    pub(super) const IDLE_MIB: f64 = 482.0;

    /// Cores and MiB at a rate.
    pub(super) fn load(rate: u32) -> (f64, f64) {
        match rate {
            0..=300 => (0.43, 506.0),
            301..=3_000 => (0.56, 512.0),
            _ => (0.93, 520.0),
        }
    }
}

/// A wall in its window, with its generator and its display; all end with it.
struct Wall {
    program: Child,
    started_ms: f64,
    frame_buffer: PathBuf,
    _folder: tempfile::TempDir,
    _desktop: Desktop,
    _generator: Option<Generator>,
}

impl Drop for Wall {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Wall {
    fn open(rate: u32, count: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let generator =
            Generator::start(&["--rate".to_owned(), rate.to_string(), "--count".to_owned(), count.to_string()])?;
        let file = folder.path().join("orders.toml");
        std::fs::write(&file, board(generator.address))?;
        let data = folder.path().join("data");
        Self::start(folder, Some(generator), &data, |command| command.arg("--board").arg(&file))
    }

    /// The demo on a data folder that may have been used before; `cut` leaves it without its hub.
    fn demo(data: &Path, cut: bool) -> Result<Self> {
        let cut = cut.then_some("--cut");
        Self::start(tempfile::tempdir()?, None, data, |command| command.arg("--demo").args(cut))
    }

    fn start(
        folder: tempfile::TempDir,
        generator: Option<Generator>,
        data: &Path,
        what: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<Self> {
        let desktop = Desktop::with_frame_buffer(SIZE.0, SIZE.1, folder.path())?;
        let mut command = Command::new(program("watchfloor")?);
        what(&mut command).args(["--kiosk", "--glass-code", "--data-dir"]).arg(data);
        desktop.enter(&mut command);
        let started_ms = wall_ms();
        let program = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("the wall")?;
        let frame_buffer = desktop.frame_buffer().context("a frame buffer")?.to_owned();
        Ok(Self { program, started_ms, frame_buffer, _folder: folder, _desktop: desktop, _generator: generator })
    }

    fn processes(&self) -> Result<Vec<u32>> {
        proc::tree(self.program.id())
    }

    /// Waits for the first event on the glass.
    fn first(&self) -> Result<Shown> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            let shown = watch_for(&self.frame_buffer, Duration::from_millis(200))?;
            if let Some(first) = shown.figures.first() {
                return Ok(*first);
            }
        }
        anyhow::bail!("nothing was painted within {START_LIMIT:?}")
    }
}

/// Every change of the strips during `time`.
fn watch_for(frame_buffer: &Path, time: Duration) -> Result<Seen> {
    let stop = Arc::new(AtomicBool::new(false));
    let watching = thread::spawn({
        let (stop, path) = (Arc::clone(&stop), frame_buffer.to_owned());
        move || glass::watch(&path, &stop)
    });
    thread::sleep(time);
    stop.store(true, Ordering::Relaxed);
    watching.join().map_err(|_| anyhow::anyhow!("the watch ended badly"))?
}

/// Latency, frames, cores and memory at each rate.
///
/// # Errors
/// If the wall doesn't come up.
pub async fn glass(rates: &[u32], seconds: u64) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for &rate in rates {
        let time = Duration::from_secs(seconds);
        let count = u64::from(rate) * (seconds + START_LIMIT.as_secs() + 2 * WARM.as_secs());
        let wall = Wall::open(rate, count)?;
        wall.first()?;
        thread::sleep(WARM);
        let processes = wall.processes()?;
        let before: Duration = processes.iter().map(|&pid| proc::cpu(pid)).sum();
        let begun = Instant::now();
        let shown = watch_for(&wall.frame_buffer, time)?;
        let elapsed = begun.elapsed().as_secs_f64();
        let used: Duration = processes.iter().map(|&pid| proc::cpu(pid)).sum();
        let (cores, mib) = peer::load(rate);
        let mut add = |metric: &str, value: Option<f64>, unit, limit| {
            if let Some(value) = value {
                figures.push(Figure { bench: "glass", metric: format!("{metric}_at_{rate}"), value, unit, limit });
            }
        };
        for (what, shown) in [("figures", &shown.figures), ("rows", &shown.rows)] {
            let from = shown.first().map_or(0.0, |shown| shown.event_ms);
            let mut every = glass::latencies(shown, from, f64::INFINITY);
            ensure!(!every.is_empty(), "no new {what} were painted at {rate} events a second");
            let mut newest: Vec<f64> = shown.iter().skip(1).map(|shown| shown.at_ms - shown.event_ms).collect();
            add(&format!("{what}_latency_p50"), quantile(&mut every, 0.5), "ms", Some(peer::LATENCY_P50_MS));
            add(&format!("{what}_latency_p99"), quantile(&mut every, 0.99), "ms", Some(peer::LATENCY_P99_MS));
            add(&format!("{what}_newest_p50"), quantile(&mut newest, 0.5), "ms", None);
            add(&format!("{what}_newest_p99"), quantile(&mut newest, 0.99), "ms", None);
            add(&format!("{what}_changes"), Some(shown.len() as f64 / elapsed), "1/s", None);
        }
        add("cores", Some(used.saturating_sub(before).as_secs_f64() / elapsed), "cores", Some(cores));
        add("memory", Some(processes.iter().map(|&pid| proc::pss_mib(pid)).sum()), "MiB", Some(mib));
    }
    Ok(figures)
}

/// Process start to the first event's pixels, and to those of the last known values after a kill, with no server to ask.
///
/// # Errors
/// If the wall doesn't come up.
pub async fn start(runs: usize) -> Result<Vec<Figure>> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let wall = Wall::open(100, 100_000)?;
        times.push(wall.first()?.at_ms - wall.started_ms);
    }
    let first_value = quantile(&mut times, 0.5).context("no run")?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let data = tempfile::tempdir()?;
        let before = Wall::demo(data.path(), false)?;
        before.first()?;
        thread::sleep(WARM);
        // Killed where it stands: nothing is written on the way out.
        drop(before);
        let after = Wall::demo(data.path(), true)?;
        times.push(after.first()?.at_ms - after.started_ms);
    }
    let last_values = quantile(&mut times, 0.5).context("no run")?;
    let figure = |metric: &str, value, limit| Figure {
        bench: "start",
        metric: metric.to_owned(),
        value,
        unit: "ms",
        limit: Some(limit),
    };
    Ok(vec![
        figure("first_value", first_value, peer::START_MS),
        figure("last_values_after_kill", last_values, LAST_VALUES_MS),
    ])
}

/// A wall whose source is quiet.
///
/// # Errors
/// If the wall doesn't come up.
pub async fn idle(seconds: u64) -> Result<Vec<Figure>> {
    let wall = Wall::open(1, 1)?;
    wall.first()?;
    thread::sleep(WARM);
    let processes = wall.processes()?;
    let before: Vec<Duration> = processes.iter().map(|&pid| proc::cpu(pid)).collect();
    let begun = Instant::now();
    thread::sleep(Duration::from_secs(seconds));
    let elapsed = begun.elapsed().as_secs_f64();
    let mut figures = Vec::new();
    let mut total = 0.0;
    for (&pid, before) in processes.iter().zip(before) {
        let cores = proc::cpu(pid).saturating_sub(before).as_secs_f64() / elapsed;
        total += cores;
        figures.push(Figure {
            bench: "idle",
            metric: format!("cores_{}", proc::name(pid)),
            value: cores,
            unit: "cores",
            limit: None,
        });
    }
    figures.push(Figure {
        bench: "idle",
        metric: "cores".to_owned(),
        value: total,
        unit: "cores",
        limit: Some(peer::IDLE_CORES),
    });
    figures.extend(memory_now("idle", "", &processes, Some(peer::IDLE_MIB)));
    Ok(figures)
}

/// Memory by process at rest, and after `minutes` at 1,000 events a second.
///
/// # Errors
/// If the wall doesn't come up.
pub async fn memory(minutes: u64) -> Result<Vec<Figure>> {
    let rest = {
        let wall = Wall::open(1, 1)?;
        wall.first()?;
        thread::sleep(WARM);
        memory_now("memory", "_at_rest", &wall.processes()?, Some(peer::IDLE_MIB))
    };
    let wall = Wall::open(1_000, 1_000 * 60 * (minutes + 2))?;
    wall.first()?;
    thread::sleep(Duration::from_secs(60));
    let mut figures = rest;
    figures.extend(memory_now("memory", "_after_1_min", &wall.processes()?, None));
    thread::sleep(Duration::from_secs(60 * minutes.saturating_sub(1)));
    figures.extend(memory_now(
        "memory",
        &format!("_after_{minutes}_min"),
        &wall.processes()?,
        Some(peer::load(1_000).1),
    ));
    Ok(figures)
}

fn memory_now(bench: &'static str, when: &str, processes: &[u32], limit: Option<f64>) -> Vec<Figure> {
    let each: Vec<(String, f64)> = processes.iter().map(|&pid| (proc::name(pid), proc::pss_mib(pid))).collect();
    let total = each.iter().map(|(_, mib)| mib).sum();
    let figure = |metric, value, limit| Figure { bench, metric, value, unit: "MiB", limit };
    let mut figures: Vec<Figure> =
        each.into_iter().map(|(name, mib)| figure(format!("pss_{name}{when}"), mib, None)).collect();
    figures.push(figure(format!("pss{when}"), total, limit));
    figures
}
