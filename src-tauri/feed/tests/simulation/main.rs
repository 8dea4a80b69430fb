//! A feed and a model hub in memory, in virtual time, with faults drawn from a seed.
//!
//! Checked on every schedule: H1 (never live while something older than limit and one second is missing), H3 (each event
//! once and in order, no hole without a gap; after the faults the wall shows exactly what the hub holds), H2 (without a
//! fault never anything but live), no storm of timers or connections. A failure names its seed.
#![allow(missing_docs, clippy::panic)]

mod draw;
mod faults;
mod hub;
mod ladder;
mod met;
mod wall;
mod world;

use met::Met;
use watchfloor_model::Transport;
use world::{Plan, World};

/// Schedules a test, each with its own seed.
const SCHEDULES: u64 = 1500;

/// The seeds to try: the first ones, or as many as `WATCHFLOOR_SCHEDULES` says.
fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("WATCHFLOOR_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(SCHEDULES)
}

fn run(plan: &Plan) -> World {
    let mut world = World::new(plan);
    if let Err(error) = world.run() {
        let tail = world.trace.iter().rev().take(60).rev().cloned().collect::<Vec<_>>().join("\n");
        panic!("{error}\nplan {plan:#?}\n{tail}");
    }
    world
}

/// Tries one seed: `WATCHFLOOR_SEED=17 cargo test -p watchfloor-feed --test simulation one_seed`.
#[test]
fn one_seed() {
    let Some(seed) = std::env::var("WATCHFLOOR_SEED").ok().and_then(|text| text.parse().ok()) else { return };
    for transport in Transport::LADDER {
        run(&Plan::faulty(seed, transport));
    }
    run(&Plan::blocked(seed));
}

/// Schedules that once found a defect, beyond the seeds that are always tried: a snapshot older than the history, asked for
/// in a hot loop; a trial that took over from a link in doubt.
#[test]
fn what_was_found_once() {
    run(&Plan::faulty(5214, Transport::Poll));
    run(&Plan::blocked(4625));
}

/// H1, H3.
#[test]
fn websocket_survives_any_schedule() {
    for seed in seeds() {
        run(&Plan::faulty(seed, Transport::WebSocket));
    }
}

/// H1, H3.
#[test]
fn sse_survives_any_schedule() {
    for seed in seeds() {
        run(&Plan::faulty(seed, Transport::Sse));
    }
}

/// H1, H3.
#[test]
fn long_poll_survives_any_schedule() {
    for seed in seeds() {
        run(&Plan::faulty(seed, Transport::LongPoll));
    }
}

/// H1, H3.
#[test]
fn poll_survives_any_schedule() {
    for seed in seeds() {
        run(&Plan::faulty(seed, Transport::Poll));
    }
}

/// H2: however the network jitters, a healthy feed is live from its first snapshot on.
#[test]
fn a_healthy_feed_is_never_anything_but_live() {
    for seed in 0..200 {
        let ladders =
            Transport::LADDER.map(|transport| vec![transport]).into_iter().chain([Transport::LADDER.to_vec()]);
        for ladder in ladders {
            let plan = Plan::healthy(seed, &ladder);
            let world = run(&plan);
            assert_eq!(world.wall.checks > 0, plan.reconcile.is_some(), "seed {seed}");
            assert_eq!(world.left_live, 0, "seed {seed}");
            assert_eq!((world.wall.gaps, world.wall.snapshots, world.opens.len()), (0, 1, 1), "seed {seed}");
        }
    }
}

/// The schedules reach what they are for.
#[test]
fn every_outcome_is_met() {
    for transport in Transport::LADDER {
        let mut sum = Met::default();
        for seed in 0..300 {
            sum.add(&run(&Plan::faulty(seed, transport)).met);
        }
        sum.check(transport);
    }
}

/// The same seed gives the same story, word by word.
#[test]
fn a_seed_reproduces_its_run() {
    for seed in 0..20 {
        let plan = Plan::faulty(seed, Transport::WebSocket);
        assert_eq!(run(&plan).trace, run(&plan).trace, "seed {seed}");
    }
}
