//! Joining the stream with what was delivered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use watchfloor_model::{Continuity, Event, Mono, Payload, Position, Timestamp};

use super::{Catchup, Cursor, GapContext, Merge, Step};
use crate::limits::{EARLY_EVENTS_MAX, HELD_BYTES_MAX, HELD_EVENTS_MAX};

fn at(offset: u64) -> Position {
    Position::new("e", offset)
}

fn event(offset: u64, text: &str) -> Event {
    Event {
        channel: "a".into(),
        name: "n".into(),
        id: None,
        position: Some(at(offset)),
        time: Timestamp::default(),
        received: Mono::ZERO,
        data: Payload::parse(text).expect("JSON"),
    }
}

fn context() -> GapContext {
    GapContext { loss: None, is_whole: false, began: Mono::ZERO, ended: Mono::ZERO }
}

/// Two channels, `a` and `b`, just subscribed at 10.
fn fresh() -> Catchup {
    let mut catchup = Catchup::new(&["a".into(), "b".into()], Duration::ZERO);
    catchup.begin_link();
    for index in 0..2 {
        assert!(catchup.subscribed(index, Cursor::new(at(10), at(10), false, None)));
        assert!(catchup.beat(index, &at(10), 0, Mono::ZERO).is_none());
    }
    catchup
}

fn snapshot(a: u64, b: u64) -> BTreeMap<Arc<str>, Position> {
    BTreeMap::from([("a".into(), at(a)), ("b".into(), at(b))])
}

fn step(catchup: &mut Catchup, offset: u64) -> &'static str {
    match catchup.event(0, &at(offset), event(offset, "1")) {
        Step::Deliver(_) => "deliver",
        Step::Held => "held",
        Step::Early => "early",
        Step::Overflow => "overflow",
        Step::Overlap => "overlap",
        Step::Duplicate => "duplicate",
        Step::Stale => "stale",
        Step::Hole(..) => "hole",
    }
}

/// H3: whatever a snapshot's place is against what was held, each event is handed over once.
#[test]
fn any_snapshot_joins() {
    for place in 5..=15 {
        let mut catchup = fresh();
        for offset in 11..=13 {
            assert_eq!(step(&mut catchup, offset), "held");
        }
        let (gaps, merge) = catchup.snapshot(&snapshot(place, 10), &context()).expect("usable");
        assert!(gaps.is_empty());
        match merge {
            Merge::Replay => assert!(place < 10, "{place}"),
            Merge::Joined(events) => {
                let offsets: Vec<u64> = events.iter().filter_map(|e| Some(e.position.as_ref()?.offset)).collect();
                assert_eq!(offsets, (place.max(10) + 1..=13).collect::<Vec<_>>(), "{place}");
                assert!(catchup.is_caught_up());
                let next = ["deliver", "overlap", "overlap"][(place.max(13) - 13) as usize];
                assert_eq!(step(&mut catchup, 14), next, "{place}");
                assert_eq!(step(&mut catchup, 14), "duplicate");
                assert_eq!(step(&mut catchup, place.max(14) + 2), "hole");
            }
        }
    }
}

/// H3: what the stream leaves out is no hole if a snapshot holds it already; only after that place it is.
#[test]
fn a_snapshot_covers_what_the_stream_leaves_out() {
    let mut catchup = fresh();
    catchup.snapshot(&snapshot(20, 20), &context()).expect("usable");
    assert_eq!(
        (step(&mut catchup, 11), step(&mut catchup, 13), step(&mut catchup, 13)),
        ("overlap", "overlap", "duplicate")
    );
    assert!(catchup.beat(0, &at(15), 7, Mono::ZERO).is_none());
    assert_eq!(step(&mut catchup, 15), "duplicate", "the stream was followed past what the heartbeat says was sent");
    assert!(catchup.beat(1, &at(21), 0, Mono::ZERO).is_some(), "21 is in no snapshot");
    assert_eq!(
        (step(&mut catchup, 22), step(&mut catchup, 21), step(&mut catchup, 22)),
        ("hole", "deliver", "deliver")
    );
}

/// H3: a snapshot of another history, or older than what was seen, is no use.
#[test]
fn unusable_snapshots() {
    let mut catchup = fresh();
    let other = BTreeMap::from([("a".into(), Position::new("x", 10)), ("b".into(), at(10))]);
    assert!(catchup.snapshot(&other, &context()).expect_err("epoch").contains("history `x`"));
    catchup.snapshot(&snapshot(12, 12), &context()).expect("usable");
    catchup.lost(1, &at(20), "slow", false);
    assert!(catchup.snapshot(&snapshot(11, 20), &context()).expect_err("old").contains("older than e:12"));
    assert!(catchup.snapshot(&BTreeMap::new(), &context()).is_err());
}

/// H3: a server whose history ends before our place (restored from a backup) is followed back.
#[test]
fn a_server_that_lost_its_tail() {
    let mut catchup = Catchup::new(&["a".into()], Duration::ZERO);
    catchup.restore(&BTreeMap::from([("a".into(), at(50))]));
    catchup.begin_link();
    catchup.subscribed(0, Cursor::new(at(30), at(30), false, Some("ahead".into())));
    assert!(!catchup.all_connected());
    let (gaps, _) = catchup.snapshot(&BTreeMap::from([("a".into(), at(30))]), &context()).expect("usable");
    assert_eq!((gaps.len(), gaps[0].reason.as_str()), (1, "ahead"));
    assert_eq!(step(&mut catchup, 31), "deliver");
}

/// H5: at most so many events and bytes are held, and what is dropped is made good by replay from the snapshot.
#[test]
fn the_hold_is_bounded() {
    let big = format!("\"{}\"", "x".repeat(1 << 19));
    for (text, most) in [("1", HELD_EVENTS_MAX), (big.as_str(), HELD_BYTES_MAX >> 19)] {
        let mut catchup = fresh();
        let mut held = 0;
        for offset in 11.. {
            match catchup.event(0, &at(offset), event(offset, text)) {
                Step::Held => held += 1,
                Step::Overflow => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(held <= most && held + 2 >= most, "{held} of {most}");
        let (_, merge) = catchup.snapshot(&snapshot(11, 10), &context()).expect("usable");
        assert!(matches!(merge, Merge::Replay));
        assert_eq!(step(&mut catchup, 12), "stale");
    }
}

/// H3: what overflowed is missing on every channel, also on one that the server went on with; without a snapshot it stays unknown.
#[test]
fn what_overflowed_is_said_to_be_missing() {
    let mut catchup = Catchup::new(&["a".into(), "b".into()], Duration::ZERO);
    catchup.restore(&BTreeMap::from([("a".into(), at(10)), ("b".into(), at(10))]));
    catchup.begin_link();
    assert!(catchup.subscribed(0, Cursor::new(at(10), at(10), true, None)));
    assert!(catchup.subscribed(1, Cursor::new(at(90), at(90), false, Some("trimmed".into()))));
    for offset in 11.. {
        match catchup.event(0, &at(offset), event(offset, "1")) {
            Step::Held => {}
            Step::Overflow => break,
            other => panic!("{other:?}"),
        }
    }
    let gaps = catchup.pass_over(Continuity::Unknown, "no snapshot", &context());
    let events = catchup.release();
    let proofs: Vec<_> = gaps.iter().map(|gap| (&*gap.channel, gap.proof)).collect();
    assert_eq!(proofs, [("a", Continuity::Unknown), ("b", Continuity::Unknown)]);
    assert!(events.is_empty());
}

/// One channel's loss drops only its own events, and asks for one cut over all.
#[test]
fn lost_while_holding() {
    let mut catchup = fresh();
    assert_eq!(step(&mut catchup, 11), "held");
    assert!(matches!(catchup.event(1, &at(11), event(11, "2")), Step::Held));
    catchup.lost(0, &at(40), "slow", false);
    assert_eq!(step(&mut catchup, 41), "held");
    let (_, merge) = catchup.snapshot(&snapshot(40, 10), &context()).expect("usable");
    let Merge::Joined(events) = merge else { panic!("replay") };
    assert_eq!(events.len(), 2);
}

/// H3, H5: where a source may send out of order, what comes ahead of its place waits for those before it, is handed over in order
/// and once, and is a hole when the window ends. At most so many wait.
#[test]
fn what_comes_ahead_of_its_place_waits() {
    let window = Duration::from_millis(250);
    let mut catchup = Catchup::new(&["a".into()], window);
    catchup.begin_link();
    assert!(catchup.subscribed(0, Cursor::new(at(10), at(10), false, None)));
    let (_, merge) = catchup.snapshot(&BTreeMap::from([("a".into(), at(10))]), &context()).expect("usable");
    assert!(matches!(merge, Merge::Joined(_)));
    let take = |catchup: &mut Catchup, now: Mono| {
        let (index, place, event) = catchup.take_early(now)?;
        match catchup.next_event(index, &place, event) {
            Step::Deliver(event) => Some(format!("{}", event.position.expect("placed"))),
            Step::Hole(hole, _) => Some(hole.text),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        (step(&mut catchup, 13), step(&mut catchup, 12), step(&mut catchup, 13)),
        ("early", "early", "duplicate")
    );
    assert!(catchup.beat(0, &at(13), 0, Mono::ZERO).is_none(), "what is missing may be about to come");
    assert_eq!((take(&mut catchup, Mono::ZERO), catchup.early_until()), (None, Some(Mono::ZERO.plus(window))));
    assert_eq!(step(&mut catchup, 11), "deliver");
    let next = |catchup: &mut Catchup| take(catchup, Mono::ZERO);
    assert_eq!((next(&mut catchup).as_deref(), next(&mut catchup).as_deref()), (Some("e:12"), Some("e:13")));
    assert_eq!((next(&mut catchup), catchup.early_until()), (None, None));
    assert_eq!((step(&mut catchup, 16), step(&mut catchup, 15)), ("early", "early"));
    let hole = take(&mut catchup, Mono::ZERO.plus(window)).expect("its time is over");
    assert!(hole.contains("missing after e:13") && hole.contains("e:15"), "{hole}");
    for offset in 0..EARLY_EVENTS_MAX as u64 - 1 {
        assert_eq!(step(&mut catchup, 100 + offset), "early");
    }
    assert_eq!(step(&mut catchup, 99), "hole", "there is no room to wait in");
    catchup.begin_link();
    assert_eq!(catchup.early_until(), None);
}

/// H3: what was passed over is where the stream goes on, by the name that the server has for it.
#[test]
fn what_is_passed_over_keeps_its_name() {
    let mut catchup = fresh();
    catchup.snapshot(&snapshot(10, 10), &context()).expect("usable");
    let place = at(11).marked("eleven");
    let hole = catchup.unreadable(0, &place, "spoilt", true).expect("a hole");
    let gap = catchup.jump(&hole, &context());
    let marks =
        [gap.to.as_ref(), catchup.places()[0].position.as_ref()].map(|place| place.and_then(|p| p.mark.clone()));
    assert_eq!(
        marks.map(|mark| mark.as_deref().map(str::to_owned)),
        [Some("eleven".to_owned()), Some("eleven".to_owned())]
    );
}
