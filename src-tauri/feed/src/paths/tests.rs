//! Two feeds of one stream, each with its own network, against one model server.

mod world;

use std::time::Duration;

use watchfloor_model::{Continuity, Delivery, Event, Gap, Mono, Payload, Phase, Position, Restated, Timestamp};

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

/// H1: a server that hasn't got what another one has told proves nothing, however well it answers.
#[test]
fn a_replica_that_lags_proves_nothing() {
    let mut world = World::new(11, 2);
    world.heal();
    for _ in 0..12 {
        world.publish();
        world.pass(Duration::from_secs(1));
    }
    for _ in 0..5 {
        world.publish();
        world.lags[1] += 1;
        world.pass(Duration::from_secs(1));
    }
    assert_eq!(world.paths.status().phase, Phase::Live);
    world.block(0);
    for _ in 0..3 {
        world.publish();
    }
    // What it is said to be is checked after each step.
    world.pass(Duration::from_secs(20));
    let status = world.paths.status();
    assert_eq!(status.phase, Phase::CatchingUp);
    assert!(status.paths[1].cause.as_ref().is_some_and(|cause| cause.text == super::BEHIND), "{:?}", status.paths);
    world.heal();
    assert_eq!(world.wall, world.head());
}

/// H1, H3: which of the two stood first doesn't matter: a story that the slower one began is told by the quicker one as soon as that is
/// there.
#[test]
fn the_quicker_one_is_followed_whoever_began() {
    let mut world = World::new(11, 2);
    world.block(0);
    world.heal_path(1);
    for _ in 0..3 {
        world.publish();
        world.lags[1] += 1;
    }
    world.unblock(0);
    for _ in 0..60 {
        world.publish();
        world.pass(Duration::from_secs(1));
    }
    assert_eq!((world.paths.status().phase, world.wall), (Phase::Live, world.head()));
}

/// An event on channel `a`.
fn event_at(position: Option<Position>) -> Event {
    Event {
        channel: "a".into(),
        name: "n".into(),
        id: None,
        position,
        time: Timestamp::default(),
        received: Mono::ZERO,
        data: Payload::parse("1").expect("JSON"),
    }
}

/// H3: places that the wall counts itself, by two paths that go on in one epoch. One of them was too slow for a message that the stream
/// let go of (a filtered JetStream stream, or a Redis stream whose trimmed entries can't be counted), so its count is one less from
/// then on: what it brings is no repetition, and it proves nothing.
#[test]
fn counts_that_differ() {
    let place = |offset: u64, mark: &str| Position::new("link-00000000000000aa", offset).marked(mark.to_owned());
    let event = |offset: u64, mark: &str| Delivery::Events(vec![event_at(Some(place(offset, mark)))]);
    let mut merge = super::merge::Merge::new(2);
    merge.restore(&std::collections::BTreeMap::from([("a".into(), place(10, "m99"))]));
    // The quick one has messages 100 and 101.
    assert!(merge.take(0, event(11, "m100"), false).is_some());
    assert!(merge.take(0, event(12, "m101"), false).is_some());
    // The slow one was told that something went (`NatsSession::lost`: the same offset), and has 101 at the next place.
    let gap = Gap {
        channel: "a".into(),
        from: Some(place(10, "m99")),
        to: Some(place(10, "m100")),
        proof: Continuity::Unknown,
        reason: "the stream let go of messages before they were sent".into(),
        began: Mono::ZERO,
        ended: Mono::ZERO,
        source_times: None,
    };
    assert!(merge.take(1, Delivery::Gap(gap), true).is_none());
    assert!(merge.take(1, event(11, "m101"), true).is_none());
    assert!(!merge.holds(1), "behind where the story stands, and another count all the same");
    // The quick one is lost. 102 comes by the slow one.
    let told = merge.take(1, event(12, "m102"), false);
    assert!(told.is_none() && !merge.holds(1), "{told:?}");
    merge.begin(1);
    assert!(merge.take(1, event(13, "m102"), false).is_some() && merge.holds(1));
}

/// H1: what a path that lags was last heard is no proof of the story: while the quick one is silent, what is shown grows older.
#[test]
fn a_replica_that_lags_makes_nothing_younger() {
    let mut world = World::new(11, 2);
    world.heal();
    for second in 0..30 {
        world.publish();
        world.lags[1] = (second / 2).min(10);
        world.pass(Duration::from_secs(1));
    }
    world.stand_still(0);
    let last = world.now;
    while world.paths.status().phase == Phase::Live {
        let proof = world.paths.status().link_proof.expect("a proof");
        assert!(proof <= last, "heard {:?} after the quick one's last word", proof.since(last));
        world.pass(Duration::from_millis(100));
    }
    assert!(world.now.since(last) > Duration::from_secs(2));
}

/// H3: a path that waited for its site's state held what another one has told meanwhile. When that one is lost just then, the story doesn't go
/// back to where the hold began: what was held would be told twice.
#[test]
fn a_sites_state_turns_nothing_back() {
    let place = |offset: u64| Position::new("e", offset);
    let events = |offsets: std::ops::RangeInclusive<u64>| {
        Delivery::Events(offsets.map(|offset| event_at(Some(place(offset)))).collect())
    };
    let told = |delivery: Option<Delivery>| match delivery {
        Some(Delivery::Events(events)) => {
            events.iter().filter_map(|event| Some(event.position.as_ref()?.offset)).collect()
        }
        _ => vec![],
    };
    let mut merge = super::merge::Merge::new(2);
    merge.restore(&std::collections::BTreeMap::from([("a".into(), place(10))]));
    assert_eq!(told(merge.take(0, events(11..=20), false)).len(), 10);
    // The second one lost something, and had the site's state as of 15.
    let restated = Restated {
        channel: "a".into(),
        name: None,
        events: Vec::new(),
        positions: std::collections::BTreeMap::from([("a".into(), place(15))]),
        received: Mono::ZERO,
    };
    assert!(merge.take(1, Delivery::Restated(restated), false).is_none(), "older than the story");
    assert_eq!(told(merge.take(1, events(16..=22), false)), [21, 22]);
    assert!(merge.holds(1));
}

/// H3: of what has no place one path's is told, and another's behind a gap once it takes over.
#[test]
fn events_without_a_place() {
    let mut merge = super::merge::Merge::new(2);
    let loose = || Delivery::Events(vec![event_at(None)]);
    for _ in 0..2 {
        assert!(merge.take(0, loose(), true).is_some());
        assert!(merge.take(1, loose(), true).is_none());
    }
    let now = Mono::from_millis(2);
    assert!(merge.be_told_by(0, now).is_empty());
    let gaps = merge.be_told_by(1, now);
    assert!(matches!(&*gaps, [Gap { proof: Continuity::Unknown, .. }]), "{gaps:?}");
    assert_eq!((merge.counts().gaps_unknown, merge.continuity()), (1, Some(Continuity::Unknown)));
    assert!(merge.take(0, loose(), true).is_none());
    assert!(merge.take(1, loose(), true).is_some());
}
