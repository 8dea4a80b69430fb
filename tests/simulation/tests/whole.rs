//! Of the simulation itself: it says the same twice, reaches what it is for, and finds what is broken.

use watchfloor_simulation::{
    fault::{Fault, Window},
    met::Met,
    plan::Plan,
    prove, run,
    world::World,
};

/// The same seed gives the same story, word by word.
#[test]
fn a_seed_reproduces_its_run() {
    for seed in 0..10 {
        let plan = Plan::dense(seed);
        let story = || {
            let mut world = World::new(&plan);
            world.traces = true;
            let ended = world.run().map_err(|failure| failure.text);
            (ended, world.story().to_vec())
        };
        assert_eq!(story(), story(), "seed {seed}");
    }
}

/// The schedules reach what they are for: every fault, every way to travel, every kind of gap.
#[test]
fn every_outcome_is_met() {
    let mut met = Met::default();
    for seed in 0..150 {
        met.add(&run(&Plan::hour(seed)).expect("well"));
        met.add(&run(&Plan::dense(seed)).expect("well"));
    }
    let others = [
        "a better way took over",
        "a lost line cost nothing",
        "a lost line was told",
        "alarms heard",
        "alarms repeated",
        "authorising",
        "catching up",
        "checks",
        "compared",
        "connecting",
        "corrupted",
        "doubled",
        "duplicates",
        "ended well",
        "gaps by snapshot",
        "gaps proven",
        "gaps unknown",
        "links expired",
        "live",
        "looked at in calm",
        "opened long-poll",
        "opened poll",
        "opened sse",
        "opened websocket",
        "refused",
        "rejected",
        "said that no token is good",
        "said to be incomplete",
        "skipped",
        "started again",
        "subscribing",
        "tokens given",
        "tokens not given",
        "tokens presented",
        "tokens refused",
        "truncated",
        "waiting",
    ];
    for name in Fault::NAMES.into_iter().chain(others) {
        let count = met.counts.get(name).copied().unwrap_or(0);
        assert!(count >= 3, "{name}: {count}");
    }
    for name in ["cut", "half-open", "mute", "restart", "token revoked"] {
        let (took, allowed) = met.found[name];
        assert!(took <= allowed, "{name} was found after {took} ms of {allowed}");
    }
}

/// A plan survives being written down, as a failure prints it.
#[test]
fn a_plan_can_be_read_again() {
    for seed in 0..200 {
        let plan = Plan::hour(seed);
        let text = serde_json::to_string(&plan).expect("text");
        assert_eq!(serde_json::from_str::<Plan>(&text).expect("a plan"), plan);
    }
}

/// H3: an event whose place can be read and whose data can't is asked for again; if it comes no better, it is missing, and said to be,
/// until a comparison with the server has made that good.
#[test]
fn a_garbled_event_is_missing() {
    for seed in 0..40 {
        let mut plan = Plan::healthy(seed, 600_000);
        plan.windows.push(Window { fault: Fault::Garbled, from: 5_000, to: 120_000, line: None });
        plan.windows.push(Window { fault: Fault::BadEvents, from: 60_000, to: 180_000, line: None });
        prove(&plan).unwrap_or_else(|story| unreachable!("{story}"));
    }
}
