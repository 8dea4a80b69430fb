//! Looking back at a record of a random story: what is shown equals what was recorded, and what was changed is named.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use watchfloor_board::{Board, config, frame::Frame, freshness::Freshness};
use watchfloor_model::{Phase, Timestamp};

use super::{
    body::{Glass, Packer, Taken},
    error::PastError,
    player::{Player, Present, is_past_revision},
    reader::Reader,
    reel::Reel,
    story::{Plan, Story, Told, at, event, mono, speak},
    view::view,
};
use crate::journal::{
    Bounds, Journal,
    table::glass::{Kind, Record},
};

const BOARD: &str = r#"
[board]
title = "Orders"
[[source]]
id = "shop"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["orders"]
[[widget]]
id = "count"
kind = "counter"
trend = "2m"
[[widget]]
id = "open"
kind = "table"
key = "k"
columns = [{ path = "v" }]
sort = "v"
[[widget]]
id = "log"
kind = "log"
text = "{k} is {v}"
limit = 5
[[widget]]
id = "chart"
kind = "series"
bucket = "10s"
keep = "5m"
"#;
/// A record a second of a board to which anything happens; `stops` are seconds at which the program isn't there.
fn story(seed: u64, seconds: usize, stops: std::ops::Range<usize>) -> Story {
    story_by(seed, seconds, stops, at)
}

/// The same by this machine's clock.
fn story_by(seed: u64, seconds: usize, stops: std::ops::Range<usize>, clock: impl Fn(usize) -> Timestamp) -> Story {
    let mut dice = StdRng::seed_from_u64(seed);
    let glass = |second| Glass {
        painted_ago_ms: Some(if second == 7 { 7000 } else { 100 }),
        looked_back: false,
        drilled: false,
    };
    let plan = Plan { board: BOARD, seconds, stops, clock, glass };
    Story::of(plan, |board, second| {
        for _ in 0..dice.random_range(0..4) {
            let key = ["a", "b", "c", "d"][dice.random_range(0..4_usize)];
            let data = json!({"k": key, "v": dice.random_range(-50..50)});
            board.handle_delivery("shop", &event("orders", "order", second, data), mono(second));
        }
        speak(board, "shop", if second % 50 < 40 { Phase::Live } else { Phase::Waiting }, second);
    })
}

impl Story {
    fn reel(&self) -> Reel {
        Reel::new(Reader::open(self.path()).unwrap())
    }
}

/// As a record's text has it.
fn read_back(frame: &Frame) -> Frame {
    serde_json::from_str(&serde_json::to_string(frame).unwrap()).unwrap()
}

/// H3 of the past: whatever instant is sought in whatever order, what is shown is what the glass had then, its ages counted on.
#[test]
fn what_is_shown_is_what_was_there() {
    for seed in 0..4 {
        let story = story(seed, 130, 0..0);
        let mut reel = story.reel();
        let mut dice = StdRng::seed_from_u64(seed);
        for _ in 0..150 {
            let millis = dice.random_range(0..130_000_u64);
            let when = at(0).plus(Duration::from_millis(millis));
            reel.seek(when).unwrap();
            let seen = view(&reel, when);
            let Told { at: told_at, frame: told, .. } = story.told.iter().rev().find(|told| told.at <= when).unwrap();
            let told = read_back(told);
            let frame = seen.frame.unwrap();
            assert_eq!((seen.damage, seen.hole), (None, None));
            assert_eq!(seen.unseen.is_some(), *told_at == at(7), "{:?}", seen.unseen);
            assert_eq!((&frame.board, &frame.sources), (&told.board, &told.sources));
            let since = u64::try_from(when.since(*told_at).as_millis()).unwrap();
            for (shown, was) in frame.widgets.iter().zip(&told.widgets) {
                assert_eq!(shown.value, was.value, "{} at {when}", shown.id);
                assert_eq!(shown.quality.freshness, was.quality.freshness);
                assert_eq!(shown.quality.age_ms, was.quality.age_ms.map(|age| age + since));
            }
        }
    }
}

/// H3 of the past: after a clock that was ahead and was set right, each instant shows what was shown when the clock said so, and one
/// of which nothing is recorded says so. The record goes from the oldest time to the newest.
#[test]
fn a_clock_that_was_ahead_hides_nothing() {
    let days = Duration::from_secs(3 * 86_400);
    let clock = |second: usize| if (34..63).contains(&second) { at(second).plus(days) } else { at(second) };
    let story = story_by(2, 100, 0..0, clock);
    let mut reel = story.reel();
    for second in [80, 45, 10, 99, 62, 34, 63, 33, 0, 64] {
        let when = clock(second);
        reel.seek(when).unwrap();
        let seen = view(&reel, when);
        assert_eq!((reel.scene().unwrap().at, seen.damage, seen.hole), (when, None, None), "second {second}");
        let told = read_back(&story.told[second].frame);
        let shown = seen.frame.unwrap();
        assert!(shown.widgets.iter().zip(&told.widgets).all(|(shown, told)| shown.value == told.value), "{second}");
    }
    for (when, from) in [(at(45), 33), (at(101), 99), (at(4000), 99)] {
        reel.seek(when).unwrap();
        assert_eq!(reel.scene().unwrap().at, at(from), "{when}");
    }
    reel.seek(at(45)).unwrap();
    let seen = view(&reel, at(45));
    assert!(seen.hole.is_some_and(|hole| hole.contains("nothing is recorded for 30 s")));
    assert_eq!(seen.frame.unwrap().widgets[0].quality.freshness, Freshness::Stale);
    let range = reel.reader().range().unwrap();
    assert_eq!((range.first, range.last, range.newest), (at(0), at(62).plus(days), at(99)));
    let found = super::verify(story.path()).unwrap();
    assert_eq!((found.broken, found.first, found.last, found.holes), (None, range.first, range.last, vec![]));
    // It begins before what was shown last, and going on ends there.
    let mut player = Player::new(Reader::open(story.path()).unwrap(), None, Duration::from_secs(10), mono(0)).unwrap();
    assert_eq!(player.time(mono(0)), at(89));
    player.play(true, mono(0));
    player.set_speed(60.0, mono(0));
    player.frame(0, 0, mono(50), at(500), &Present::default(), Duration::MAX).unwrap();
    assert_eq!((player.time(mono(60)), player.playing()), (at(99), false));
    player.seek(clock(40), mono(60));
    assert_eq!(player.time(mono(60)), clock(40), "what has a later time can be sought");
}

/// H3 of the past: of a time that the clock said twice, what was shown last.
#[test]
fn a_time_that_came_twice_shows_the_newer() {
    let clock = |second: usize| if second < 60 { at(second) } else { at(second - 20) };
    let story = story_by(4, 100, 0..0, clock);
    let mut reel = story.reel();
    for (second, number) in [(39, 39), (45, 65), (59, 79), (40, 60), (70, 90), (5, 5)] {
        reel.seek(at(second)).unwrap();
        assert_eq!((reel.scene().unwrap().seq, reel.scene().unwrap().at), (number + 1, at(second)));
        assert_eq!(view(&reel, at(second)).hole, None);
    }
}

/// H1 of the past: where nothing is recorded, nothing stays live; the stretch and its reason are named.
#[test]
fn a_hole_is_no_live_wall() {
    let story = story(1, 130, 31..95);
    let mut reel = story.reel();
    for (second, is_hole, freshness) in [
        (30, false, Freshness::Live),
        (33, false, Freshness::Live),
        (60, true, Freshness::Stale),
        (95, false, Freshness::Down),
    ] {
        reel.seek(at(second)).unwrap();
        let seen = view(&reel, at(second));
        assert_eq!(seen.hole.is_some(), is_hole, "{second}: {:?}", seen.hole);
        assert_eq!(seen.frame.unwrap().widgets[0].quality.freshness, freshness, "{second}");
    }
    reel.seek(at(60)).unwrap();
    let why = view(&reel, at(60)).hole.unwrap();
    assert!(why.contains("1 min 5 s") && why.contains("not running"), "{why}");
    let found = super::verify(story.path()).unwrap();
    assert_eq!(found.broken, None);
    assert_eq!(found.holes.iter().map(|hole| (hole.from, hole.to)).collect::<Vec<_>>(), [(at(30), at(95))]);
}

/// Whatever byte of a record is changed, it is found and named, and what stands on it is shown as doubtful up to the next key.
#[test]
fn a_changed_record_is_named_and_doubted() {
    // Record 25 is of second 24; its key is record 21, the next record 31.
    for change in [
        "UPDATE glass SET body = CAST(x'00' || SUBSTR(body, 2) AS BLOB) WHERE seq = 25",
        "UPDATE glass SET body = CAST(SUBSTR(body, 1, LENGTH(body) - 1) || x'ff' AS BLOB) WHERE seq = 25",
        "UPDATE glass SET at_ms = at_ms + 1 WHERE seq = 25",
        "UPDATE glass SET hash = CAST(x'00' || SUBSTR(hash, 2) AS BLOB) WHERE seq = 25",
        "UPDATE glass SET body = (SELECT body FROM glass WHERE seq = 24) WHERE seq = 25",
        "DELETE FROM glass WHERE seq = 25",
    ] {
        let story = story(3, 60, 0..0);
        story.change(change);
        let found = super::verify(story.path()).unwrap();
        let (broken, _) = found.broken.unwrap_or_else(|| panic!("not found: {change}"));
        assert!((25..=26).contains(&broken.seq), "{change}: {broken:?}");
        let mut reel = story.reel();
        for (second, is_doubted) in [(23, false), (26, true), (29, true), (30, false), (45, false), (28, true)] {
            reel.seek(at(second)).unwrap();
            let seen = view(&reel, at(second));
            assert_eq!(seen.damage.is_some(), is_doubted, "{change} at {second}: {:?}", seen.damage);
            let frame = seen.frame.unwrap();
            let live = frame.widgets.iter().filter(|patch| patch.quality.freshness == Freshness::Live).count();
            assert_eq!(live == 0, is_doubted || second == 45, "{change} at {second}");
        }
    }
}

/// H1 of the past: nobody knows what was between a record and the next if that isn't the one that was written next. Of a source that is
/// said as well.
#[test]
fn what_was_before_a_missing_record_is_doubted() {
    for change in [
        "DELETE FROM glass WHERE seq = 25",
        "DELETE FROM glass WHERE seq BETWEEN 25 AND 27",
        "UPDATE glass SET at_ms = at_ms + 2500 WHERE seq = 25",
    ] {
        let story = story(3, 60, 0..0);
        story.change(change);
        let mut reel = story.reel();
        for (millis, is_doubted) in [(22_900, false), (23_000, false), (23_100, true), (24_500, true), (30_000, false)]
        {
            let when = at(0).plus(Duration::from_millis(millis));
            reel.seek(when).unwrap();
            let seen = view(&reel, when);
            assert_eq!(seen.damage.is_some(), is_doubted, "{change} at {millis}: {:?}", seen.damage);
            let frame = seen.frame.unwrap();
            let is_current = frame.widgets.iter().any(|patch| patch.quality.freshness.is_current());
            let is_source_current = frame.sources.iter().any(|source| source.freshness.is_current());
            assert_eq!((is_current, is_source_current), (!is_doubted, !is_doubted), "{change} at {millis}");
        }
    }
}

/// A page that applies what it gets holds what a new page gets, forwards, backwards and after jumps, and the past's boards are
/// never taken for the present's.
#[test]
fn frames_of_the_past_add_up() {
    let story = story(5, 120, 0..0);
    let open = || Player::new(Reader::open(story.path()).unwrap(), Some(at(20)), Duration::ZERO, mono(0)).unwrap();
    let (mut player, mut dice) = (open(), StdRng::seed_from_u64(5));
    let present = Present::default();
    let mut held: Option<Frame> = None;
    let mut now = mono(0);
    for _ in 0..80 {
        now = now.plus(Duration::from_millis(dice.random_range(0..400)));
        match dice.random_range(0..8) {
            0 => player.seek(at(dice.random_range(0..120)), now),
            1 => player.play(true, now),
            2 => player.set_speed([1.0, -1.0, 10.0, 60.0, f64::NAN, 0.0][dice.random_range(0..6_usize)], now),
            3 => held = None,
            _ => {}
        }
        let (after, revision) = held.as_ref().map_or((0, 0), |held| (held.version, held.revision));
        let frame = player.frame(after, revision, now, at(500), &present, Duration::MAX).unwrap();
        assert!(is_past_revision(frame.revision) && frame.past.is_some());
        let when = Timestamp::from_millis(frame.past.as_ref().unwrap().at_ms);
        let merged = match held.take() {
            Some(held) => held.merge(frame).unwrap(),
            None => frame,
        };
        let mut reel = story.reel();
        reel.seek(when).unwrap();
        let seen = view(&reel, when).frame.unwrap();
        assert_eq!((&merged.widgets, &merged.board, &merged.clock), (&seen.widgets, &seen.board, &seen.clock));
        held = Some(merged);
    }
}

/// Time goes at its speed, stops at the record's ends, and a gesture that comes twice does what it does once.
#[test]
fn time_goes_as_it_is_told() {
    let story = story(5, 120, 0..0);
    let mut player = Player::new(Reader::open(story.path()).unwrap(), Some(at(20)), Duration::ZERO, mono(0)).unwrap();
    assert_eq!(player.time(mono(50)), at(20), "it stands until it is told to go");
    for _ in 0..2 {
        player.play(true, mono(50));
        player.set_speed(10.0, mono(50));
    }
    assert_eq!(player.time(mono(53)), at(50));
    player.set_speed(-2.0, mono(53));
    assert_eq!(player.time(mono(63)), at(30));
    player.set_speed(f64::INFINITY, mono(63));
    assert_eq!(player.time(mono(1000)), at(0), "not before the record");
    player.set_speed(1e9, mono(1000));
    assert_eq!(player.time(mono(1001)), at(119), "not after it");
    let frame = player.frame(0, 0, mono(1001), at(500), &Present::default(), Duration::MAX).unwrap();
    assert!(!frame.past.unwrap().playing, "it stands at the end");
}

/// What is asked for in vain is told with what there is.
#[test]
fn what_there_is_is_told() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(super::check(empty.path(), at(0)), Err(PastError::Missing { .. })));
    drop(Journal::open(empty.path(), Bounds::default(), at(0)).unwrap());
    assert!(matches!(super::check(empty.path(), at(0)), Err(PastError::Empty { .. })));
    let story = story(5, 20, 0..0);
    assert!(super::check(story.path(), at(10)).is_ok());
    let error = super::check(story.path(), at(3600)).unwrap_err();
    assert!(error.is_input());
    assert!(error.to_string().contains("from 2026-11-24T10:00:00Z to 2026-11-24T10:00:19Z"), "{error}");
}

/// H4: the record is read while a program writes to it, and reading leaves no trace in it.
#[test]
fn reading_beside_a_writer() {
    let story = story(5, 20, 0..0);
    let mut journal = Journal::open(story.path(), Bounds::default(), at(20)).unwrap().journal;
    let mut reel = story.reel();
    reel.seek(at(19)).unwrap();
    let mut packer = Packer::new();
    let mut board = Board::new(config::parse(BOARD, "orders.toml").unwrap(), mono(0));
    let frame = board.frame_after(&mut None, mono(25), at(25));
    let body = packer.pack(&Taken { frame, glass: Glass::default() }, true).unwrap();
    journal.put_glass(&Record { at: at(25), kind: Kind::Start, body }, at(25)).unwrap();
    reel.seek(at(25)).unwrap();
    assert_eq!(reel.scene().unwrap().at, at(25));
    assert_eq!(super::verify(story.path()).unwrap().broken, None);
    let report = super::report(story.path(), at(19)).unwrap();
    assert_eq!(report["widgets"]["count"]["freshness"], "live");
    let rows = report["widgets"]["open"]["value"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["cells"][0].is_i64()), "{rows:?}");
    assert!(report["widgets"]["chart"]["value"].as_array().is_some_and(|points| !points.is_empty()));
}
