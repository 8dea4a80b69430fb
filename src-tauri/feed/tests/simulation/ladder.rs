//! Ways to travel that are blocked, and the way back to the best one.

use watchfloor_model::{Mono, Transport};

use crate::{
    faults::{Fault, Window},
    run, seeds,
    world::Plan,
};

fn window(fault: Fault, from_ms: u64, to_ms: u64) -> Window {
    Window { fault, from: Mono::from_millis(from_ms), to: Mono::from_millis(to_ms) }
}

/// H1, H3.
#[test]
fn the_ladder_survives_any_schedule() {
    for seed in seeds() {
        run(&Plan::blocked(seed));
    }
}

/// H2, H3: a way that is blocked from the beginning is left for the next one; what is live then stays so through every
/// trial of the better ones, and the best takes over without a gap once it can be had.
#[test]
fn blocked_ways_are_left_and_found_again() {
    let swallowed = Fault::Swallowed;
    let upgrade = swallowed(Transport::WebSocket);
    let login = Fault::Login { upgrades: true };
    let cases: [(&[Fault], Transport); 5] = [
        (&[upgrade], Transport::Sse),
        (&[login], Transport::Sse),
        (&[upgrade, Fault::HeldStream], Transport::LongPoll),
        (&[login, swallowed(Transport::Sse)], Transport::LongPoll),
        (&[upgrade, Fault::HeldStream, swallowed(Transport::LongPoll)], Transport::Poll),
    ];
    for (faults, expected) in cases {
        for seed in 0..40 {
            let windows = faults.iter().map(|fault| window(*fault, 0, 150_000)).collect();
            let world = run(&Plan { climbs: true, ..Plan::with(seed, windows) });
            let case = format!("seed {seed}, {faults:?}");
            assert_eq!(world.left_live, 0, "{case}");
            assert_eq!((world.wall.gaps, world.wall.snapshots), (0, 1), "{case}");
            assert_eq!(world.live_by.last(), Some(&expected), "{case}: {:?}", world.live_by);
            assert!(world.climbed > 0 && world.live_by.contains(&Transport::WebSocket), "{case}");
        }
    }
}

/// A way that gets blocked later, too: what was missed meanwhile is replayed by the next one.
#[test]
fn a_way_that_gets_blocked() {
    for (fault, expected) in
        [(Fault::Swallowed(Transport::WebSocket), Transport::Sse), (Fault::Login { upgrades: true }, Transport::Sse)]
    {
        for seed in 0..40 {
            let windows = vec![window(fault, 10_000, 150_000), window(Fault::Cut, 10_000, 10_500)];
            let world = run(&Plan { climbs: true, ..Plan::with(seed, windows) });
            assert_eq!((world.left_live, world.wall.snapshots), (1, 1), "seed {seed}");
            assert_eq!(world.live_by.last(), Some(&expected), "seed {seed}");
            assert_eq!(world.climbed, 1, "seed {seed}");
        }
    }
}

/// A server that is down altogether, however that shows, is not taken for a blocked way.
#[test]
fn a_server_that_is_down_is_no_blocked_way() {
    let faults = [
        Fault::Cut,
        Fault::HalfOpen,
        Fault::Status(200),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Login { upgrades: false },
        Fault::Restart { epoch: true },
        Fault::Suspend,
        Fault::Pause(12_000),
    ];
    for fault in faults {
        for seed in 0..100 {
            let begin = 500 + 97 * seed;
            let world = run(&Plan::with(seed, vec![window(fault, begin, begin + 1 + seed * 613)]));
            assert_eq!(world.opened.len(), 1, "seed {seed}, {fault:?}: {:?}", world.opened);
        }
    }
}

/// The schedules reach what they are for.
#[test]
fn every_way_is_travelled() {
    let mut climbed = 0;
    let mut live_by = std::collections::BTreeSet::new();
    for seed in 0..300 {
        let world = run(&Plan::blocked(seed));
        climbed += world.climbed;
        live_by.extend(world.live_by);
    }
    assert!(climbed > 10 && live_by.len() == 4, "{climbed} {live_by:?}");
}
