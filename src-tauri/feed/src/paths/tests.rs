//! Two feeds of one stream, each with its own network, against one model server.

mod world;

use std::time::Duration;

use watchfloor_model::{Continuity, Phase};

use self::world::World;

/// H1, H3: whatever happens to the paths and to the server, the story has every event once and in order, or names what it lacks,
/// is never called live while something older than the limit is missing, and ends as the server's.
#[test]
fn two_paths_tell_one_story() {
    let (mut taken_over, mut saved) = (0, 0);
    for seed in 0..500 {
        let mut world = World::new(seed, 2);
        for _ in 0..150 {
            world.act();
        }
        world.heal();
        taken_over += world.changes_of_lead;
        saved += world.losses_unseen;
        assert_eq!(world.wall, world.head(), "seed {seed}");
        // Also past an event that nobody can read.
        assert_eq!(world.paths.status().positions["flights"].to_string(), world.head_place(), "seed {seed}");
    }
    // The schedules reach what they are for.
    assert!(taken_over > 300 && saved > 300, "{taken_over} {saved}");
}

/// H2: the loss of one path is shown and costs nothing.
#[test]
fn the_loss_of_one_is_told_and_costs_nothing() {
    let mut world = World::new(1, 2);
    world.heal();
    world.block(0);
    for _ in 0..20 {
        world.publish();
        world.pass(Duration::from_secs(1));
        let status = world.paths.status();
        assert_eq!((status.phase, status.cause), (Phase::Live, None));
        // An event that nobody can read is asked for again, and passed over.
        assert_eq!((world.wall, world.gaps), (world.head(), 2 * world.unreadable()));
    }
    let status = world.paths.status();
    let phases: Vec<_> = status.paths.iter().map(|path| (path.place.as_str(), path.phase)).collect();
    assert_eq!(phases[1], ("b.example", Phase::Live));
    assert_ne!(phases[0].1, Phase::Live);
    let cause = status.paths[0].cause.as_ref().expect("why it was lost");
    assert!(cause.text.contains("reset"), "{cause:?}");
    assert_eq!(status.continuity, Continuity::Snapshot, "compared since");
}

/// H3: what is lost while no path stands is a gap of both, from where the last one ended, and told once.
#[test]
fn the_loss_of_both_is_one_gap() {
    let mut world = World::new(2, 2);
    world.heal();
    world.block(0);
    world.pass(Duration::from_secs(5));
    world.publish();
    world.pass(Duration::from_secs(1));
    let lost_at = world.now;
    world.stand_still(1);
    while world.paths.status().phase == Phase::Live {
        world.pass(Duration::from_millis(100));
    }
    let status = world.paths.status();
    assert_ne!(status.phase, Phase::Live);
    let cause = status.cause.expect("why").text;
    assert!(cause.contains("a.example: ") && cause.contains("reset") && cause.contains("b.example: "), "{cause}");
    world.publish();
    // The first path comes back, which was lost long before the story was.
    world.heal_path(0);
    assert_eq!((world.wall, world.gaps), (world.head(), 1));
    let gap = world.last_gap.as_ref().expect("a gap");
    assert_eq!(gap.proof, Continuity::Proven);
    assert!(!gap.reason.contains("reset"), "why the last one was lost, not the first: {}", gap.reason);
    assert!(gap.began.plus(Duration::from_millis(1100)) >= lost_at, "{gap:?}");
    assert_eq!(world.paths.status().counts.gaps_proven, 1);
}

/// H3: an address with another history isn't mixed in; it is named, and takes over only when the other is gone.
#[test]
fn another_history_is_left_alone() {
    let mut world = World::new(3, 2);
    world.block(1);
    world.heal_path(0);
    world.pass(Duration::from_secs(5));
    world.make_foreign(1);
    world.unblock(1);
    world.pass(Duration::from_secs(60));
    world.publish();
    // Its places are further on, and may be taken for newer ones of the same history.
    world.publish_at(1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.wall, world.head());
    let status = world.paths.status();
    assert_eq!(status.phase, Phase::Live);
    let cause = status.paths[1].cause.as_ref().expect("a reason");
    assert!(cause.text.contains("another history"), "{cause:?}");
    world.block(0);
    world.pass(Duration::from_secs(60));
    let status = world.paths.status();
    assert_eq!(status.phase, Phase::Live);
    assert_ne!(status.continuity, Continuity::Proven, "nothing joins two histories");
}

/// The same seed gives the same story.
#[test]
fn a_seed_reproduces_its_run() {
    let run = |seed| {
        let mut world = World::new(seed, 3);
        (0..200).for_each(|_| world.act());
        (world.wall, world.now, world.gaps, world.changes_of_lead)
    };
    assert_eq!(run(5), run(5));
}

/// H3: the only path goes on from its own place, as a feed alone does.
#[test]
fn one_path_is_a_feed() {
    for seed in 0..100 {
        let mut world = World::new(seed, 1);
        for _ in 0..60 {
            world.act();
        }
        world.heal();
        assert_eq!(world.wall, world.head(), "seed {seed}");
    }
    let mut world = World::new(1, 1);
    world.heal();
    world.block(0);
    world.publish();
    world.heal();
    let gap = world.last_gap.as_ref().expect("a gap");
    assert_eq!((world.gaps, gap.proof, world.wall), (1, Continuity::Proven, world.head()));
}
