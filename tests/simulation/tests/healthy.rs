//! H2: what is healthy is never anything but live. `simulate --healthy-days` runs a thousand of these days.

use watchfloor_simulation::{plan::Plan, prove_healthy};

const HOUR: u64 = 3_600_000;

/// Quiet feeds, jitter, networks and servers that are slow, but within their limits: not one stale second.
#[test]
fn healthy_hours_have_no_stale_second() {
    for seed in 0..120 {
        let met = prove_healthy(&Plan::healthy(seed, HOUR)).unwrap_or_else(|story| unreachable!("{story}"));
        assert!(met.counts["looked at in calm"] > 0, "seed {seed}");
    }
}

/// A day has every hour and a midnight in it.
#[test]
fn healthy_days_have_no_stale_second() {
    for seed in 1000..1004 {
        prove_healthy(&Plan::healthy(seed, 24 * HOUR)).unwrap_or_else(|story| unreachable!("{story}"));
    }
}
