//! What processes cost, as the kernel counts it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use anyhow::{Context, Result};

/// Kernel clock ticks a second; the kernel reports in these whatever its own rate is.
const TICKS_PER_SECOND: f64 = 100.0;

/// `root` and everything that descends from it.
///
/// # Errors
/// If `/proc` can't be read.
pub fn tree(root: u32) -> Result<Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("/proc")? {
        let Some(pid) = entry.ok().and_then(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) else { continue };
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (vec![root], 0);
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        found.extend(children.get(&pid).into_iter().flatten());
    }
    Ok(found)
}

/// The processes of pages among those.
///
/// # Errors
/// If `/proc` can't be read.
pub fn pages(root: u32) -> Result<BTreeSet<u32>> {
    named(root, "WebKitWebProc")
}

/// Those whose short name begins so.
///
/// # Errors
/// If `/proc` can't be read.
pub fn named(root: u32, start: &str) -> Result<BTreeSet<u32>> {
    Ok(tree(root)?.into_iter().filter(|pid| name(*pid).starts_with(start)).collect())
}

/// Processor time that a process has used; zero for one that is gone.
#[must_use]
pub fn cpu(pid: u32) -> Duration {
    let ticks = |at: usize| stat(pid).and_then(|fields| fields.get(at)?.parse::<f64>().ok()).unwrap_or(0.0);
    Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
}

/// Proportional set size in MiB; zero for a process that is gone.
#[must_use]
pub fn pss_mib(pid: u32) -> f64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { return 0.0 };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Resident set size in MiB; zero for a process that is gone.
#[must_use]
pub fn rss_mib(pid: u32) -> f64 {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/status")) else { return 0.0 };
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// The short name of a process.
#[must_use]
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// The fields of `/proc/PID/stat` from the state on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything, also brackets and spaces.
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
