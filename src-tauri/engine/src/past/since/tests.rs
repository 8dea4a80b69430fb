//! What is read of a record of a random story, against one who held every frame whole.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use watchfloor_board::{
    Board, config,
    frame::{Frame, SinceShown, State, WidgetValue},
    freshness::Freshness,
};
use watchfloor_model::Phase;

use super::*;
use crate::{
    journal::{Bounds, Journal, table::glass::Record},
    past::{
        body::{Glass as Painted, Packer, Taken},
        story::{BEGIN, Plan, Story, Told, at, event, mono, speak},
    },
};

const BOARD: &str = r#"
[board]
title = "Depot"
[[source]]
id = "depot"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["bays"]
[[widget]]
id = "level"
kind = "gauge"
value = "v"
unit = "m"
bands = [{ from = 10, to = 30, state = "warning" }, { from = 30, state = "alarm" }]
[[widget]]
id = "rows"
kind = "table"
key = "k"
columns = [{ path = "v", format = "number", bands = [{ from = 40, state = "alarm" }] }]
sort = "-v"
limit = 3
state = "c"
states = { free = "normal", blocked = "warning", fault = "alarm" }
[[widget]]
id = "tiles"
kind = "status"
key = "k"
label = "Bay {k}"
state = "c"
states = { free = "normal", blocked = "warning", fault = "alarm" }
[[widget]]
id = "bars"
kind = "tally"
by = "k"
stat = "max"
value = "v"
bands = [{ from = 45, state = "alarm" }]
[[widget]]
id = "times"
kind = "timeline"
key = "k"
state = "c"
states = { free = "normal", blocked = "warning", fault = "alarm" }
keep = "1h"
[[widget]]
id = "map"
kind = "markers"
key = "k"
lat = "lat"
lon = "lon"
label = "{k}"
bounds = [0, 0, 10, 10]
state = "c"
states = { free = "normal", blocked = "warning", fault = "alarm" }
[[widget]]
id = "lines"
kind = "log"
text = "{k} is {c}"
limit = 5
"#;

/// A record a second; `stops` are seconds at which the program isn't there, and in `lost` its source isn't.
fn story(seed: u64, seconds: usize, stops: std::ops::Range<usize>, lost: std::ops::Range<usize>) -> Story {
    let mut dice = StdRng::seed_from_u64(seed);
    let plan = Plan { board: BOARD, seconds, stops, clock: at, glass: |_| Painted::default() };
    Story::of(plan, |board, second| {
        let is_lost = lost.contains(&second);
        for _ in 0..dice.random_range(0..3) {
            let key = ["a", "b", "c", "d", "e"][dice.random_range(0..5_usize)];
            let condition = ["free", "free", "free", "blocked", "fault", "odd"][dice.random_range(0..6_usize)];
            let data = json!({
                "k": key, "c": condition, "v": dice.random_range(-10..50), "lat": dice.random_range(0..9), "lon": 5,
            });
            if !is_lost {
                board.handle_delivery("depot", &event("bays", "bay", second, data), mono(second));
            }
        }
        speak(board, "depot", if is_lost { Phase::Waiting } else { Phase::Live }, second);
    })
}

impl Story {
    fn glass(&self, from: usize, to: usize) -> Glass {
        Glass::new(Reader::open(self.path()).unwrap(), at(from), at(to))
    }

    fn read(&self, from: usize, to: usize) -> SinceWidgets {
        let glass = self.glass(from, to);
        let mut reading = glass.read().unwrap();
        while reading.go_on().unwrap() {
            assert!(reading.percent() <= 100);
        }
        assert_eq!(reading.percent(), 100);
        reading.widgets()
    }
}

/// How bad a state is.
fn badness(state: State) -> u8 {
    [State::Warning, State::Alarm].iter().position(|own| *own == state).map_or(0, |at| at as u8 + 1)
}

/// What a widget of a whole frame shows: state, freshness, number, how many are in alarm and in warning.
type Naive = (State, Freshness, Option<f64>, u32, u32);

fn naive(frame: &Frame, id: &str) -> Naive {
    let patch = frame.widgets.iter().find(|patch| patch.id == id).unwrap();
    let freshness = patch.quality.freshness;
    if matches!(freshness, Freshness::Refused | Freshness::Unknown) {
        return (State::Unknown, freshness, None, 0, 0);
    }
    let (states, value): (Vec<State>, Option<f64>) = match patch.value.as_ref() {
        Some(WidgetValue::Number(own)) => return (own.state, freshness, own.value, 0, 0),
        Some(WidgetValue::Status(own)) => (own.tiles.iter().map(|tile| tile.state).collect(), None),
        Some(WidgetValue::Tally(own)) => (own.bars.iter().map(|bar| bar.state).collect(), None),
        Some(WidgetValue::Table(own)) => {
            let of = |row: &watchfloor_board::frame::RowValue| {
                let marks = row.marks.iter().map(|mark| mark.state);
                marks.chain([row.state]).max_by_key(|state| badness(*state)).unwrap()
            };
            (own.rows.iter().map(of).collect(), None)
        }
        Some(WidgetValue::Markers(own)) => (own.markers.iter().map(|marker| marker.state).collect(), None),
        Some(WidgetValue::Timeline(own)) => {
            let newest = own.rows.iter().filter_map(|row| row.stretches.last());
            (newest.filter(|own| own.to_ms.is_none()).map(|own| own.state).collect(), None)
        }
        _ => (Vec::new(), None),
    };
    let count = |wanted: State| states.iter().filter(|state| **state == wanted).count() as u32;
    let (alarms, warnings) = (count(State::Alarm), count(State::Warning));
    let state = match (alarms, warnings) {
        (0, 0) => State::Normal,
        (0, _) => State::Warning,
        _ => State::Alarm,
    };
    (state, freshness, value, alarms, warnings)
}

fn shown(own: &SinceShown) -> Naive {
    (own.state, own.freshness, own.value, own.alarms, own.warnings)
}

const WIDGETS: [&str; 7] = ["level", "rows", "tiles", "bars", "times", "map", "lines"];

/// H3 of the past: what is read of each record is what a page held that took every frame, whichever kind of widget.
#[test]
fn what_is_read_is_what_a_page_held() {
    let mut seen = [0; 3];
    for seed in 0..4 {
        let story = story(seed, 200, 60..63, 120..140);
        let rows = Reader::open(story.path()).unwrap().read(1, 1000).unwrap();
        let (mut unpacker, mut held) = (Unpacker::new(), Held::default());
        assert_eq!(rows.len(), story.told.len());
        for (row, Told { second, frame, .. }) in rows.iter().zip(&story.told) {
            let is_key = row.record.kind.is_key();
            let taken = unpacker.read(&row.record.body, is_key, |text| Ok(held.take(Scanned::of(text)?))).unwrap();
            assert!(taken, "second {second}");
            for (number, id) in WIDGETS.iter().enumerate() {
                let (own, found) = held.seen(number).unwrap();
                let found = shown(&found.shown(0));
                assert_eq!((own, found), (*id, naive(frame, id)), "second {second}");
                seen[usize::from(badness(found.0))] += 1;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 500), "each was there: {seen:?}");
}

/// How bad it was, when it left what is normal and came back, and whether either may have been earlier.
type Out = (State, Option<i64>, bool, Option<i64>, bool);

/// When a widget left what is normal and came back, by one who held every frame.
#[derive(Debug, Default, PartialEq)]
struct Way {
    then: Option<Naive>,
    now: Option<Naive>,
    worst: Option<Out>,
    count: u64,
}

fn naive_way(story: &Story, id: &str, from: usize, to: usize, start: usize) -> Way {
    let of = |frame: &Frame| naive(frame, id);
    let is_out = |own: &Naive| badness(own.0) > 0;
    let before = story.told.iter().rev().find(|told| told.second <= from);
    let then = before.filter(|told| from - told.second <= 5).map(|told| of(&told.frame));
    let within = story.told.iter().filter(|told| told.second > from && told.second <= to + 5);
    let mut way = Way { then, now: then, ..Way::default() };
    // Each stretch out of what is normal: its worst, when it began, when it was over.
    let mut outs: Vec<Out> = Vec::new();
    let (mut is_on, mut is_believed) = (false, then.is_some_and(|then| then.1.is_current()));
    if let Some(then) = then.filter(is_out) {
        outs.push((then.0, None, false, None, false));
        is_on = true;
    }
    for Told { second, frame, .. } in within {
        let own = of(frame);
        let millis = Some(at(*second).as_millis());
        let is_late = !is_believed || *second == start;
        is_believed = own.1.is_current();
        if is_out(&own) {
            if !is_on {
                outs.push((own.0, millis, is_late, None, false));
                is_on = true;
            }
            let last = outs.last_mut().unwrap();
            if badness(own.0) > badness(last.0) {
                last.0 = own.0;
            }
        } else if is_on && !matches!(own.1, Freshness::Refused | Freshness::Unknown) {
            let last = outs.last_mut().unwrap();
            (last.3, last.4) = (millis, is_late);
            is_on = false;
        }
        way.now = Some(own);
    }
    way.count = outs.len() as u64;
    let most = outs.iter().map(|own| badness(own.0)).max();
    way.worst = outs.into_iter().find(|own| Some(badness(own.0)) == most);
    way
}

/// H3 of the past: then, now, the worst between, when it left and when it came back are those of one who looked all the while; through stops of the
/// program and losses of the source, and from any moment.
#[test]
fn widgets_go_as_they_were_seen_to_go() {
    for seed in 0..12 {
        let mut dice = StdRng::seed_from_u64(100 + seed);
        let stop = dice.random_range(1..180_usize);
        let stops = stop..stop + dice.random_range(0..40);
        let lost = dice.random_range(0..200_usize);
        let story = story(seed, 200, stops.clone(), lost..lost + 15);
        for _ in 0..20 {
            let from = dice.random_range(0..199);
            let own = story.read(from, 200);
            for id in WIDGETS {
                let expected = naive_way(&story, id, from, 200, stops.end);
                let Some(line) = own.lines.iter().find(|line| line.id == id) else {
                    assert_eq!((expected.worst, expected.count), (None, 0), "{id} from {from}, stop {stops:?}");
                    continue;
                };
                let found = Way {
                    then: line.then.as_ref().map(shown),
                    now: line.now.as_ref().map(shown),
                    worst: line
                        .worst
                        .as_ref()
                        .map(|own| (own.shown.state, own.left_ms, own.left_earlier, own.back_ms, own.back_earlier)),
                    count: line.count,
                };
                assert_eq!(found, expected, "{id} from {from}, seed {seed}, stop {stops:?}, lost {lost}");
                assert!(line.out_ms <= 1000 * (201 - from as u64));
            }
            assert_eq!(own.count as usize, own.lines.len());
            let order: Vec<_> = own.lines.iter().map(track::order).collect();
            assert!(order.is_sorted());
        }
    }
}

/// H1 of the past: where nothing is recorded it is said, with why; and what left what is normal by then may have done so earlier.
#[test]
fn what_is_not_recorded_is_named() {
    for seed in 0..8 {
        let story = story(seed, 130, 31..95, 0..0);
        let glass = story.glass(10, 130);
        let list = glass.unrecorded().unwrap();
        let count = list.len() as u64;
        let hole =
            Unrecorded { from_ms: at(30).as_millis(), to_ms: at(95).as_millis(), why: UnrecordedWhy::NotRunning };
        assert_eq!((list, count), (vec![hole], 1));
        assert_eq!(glass.lacks().unwrap(), []);
        let own = story.read(10, 130);
        assert!(own.lines.iter().all(|line| line.doubt_ms >= 65_000), "nobody knows how it was meanwhile");
        // Asked within the hole, nobody knows how it was then.
        let own = story.read(60, 130);
        assert!(!own.lines.is_empty() && own.lines.iter().all(|line| line.then.is_none()));
        // Before the record begins, and after it has ended.
        let early = Glass::new(Reader::open(story.path()).unwrap(), at(0).minus(Duration::from_secs(60)), at(200));
        assert_eq!(early.lacks().unwrap(), [SinceLack::GlassBegins { at_ms: BEGIN }]);
        let ended = Unrecorded { from_ms: at(129).as_millis(), to_ms: at(200).as_millis(), why: UnrecordedWhy::Ended };
        assert_eq!(early.unrecorded().unwrap(), [ended, hole]);
        let is_live = |line: &SinceWidget| line.now.as_ref().is_some_and(|now| now.freshness.is_current());
        assert!(!story.read(10, 200).lines.iter().any(is_live), "what a wall showed that runs no more is not of now");
    }
}

/// What was changed says nothing: the next key does, and that something is missing is told.
#[test]
fn what_was_changed_says_nothing() {
    let story = story(3, 100, 0..0, 0..0);
    let honest = story.read(10, 100);
    story.change("UPDATE glass SET body = (SELECT body FROM glass WHERE seq = 36) WHERE seq = 35");
    let glass = story.glass(10, 100);
    let mut reading = glass.read().unwrap();
    while reading.go_on().unwrap() {}
    assert_eq!(reading.damage(), Some(SinceLack::GlassDamaged { at_ms: at(34).as_millis(), count: 1 }));
    let own = reading.widgets();
    let now = |all: &SinceWidgets| {
        all.lines.iter().map(|line| (line.id.clone(), line.now.clone())).collect::<BTreeMap<_, _>>()
    };
    for (id, shown) in now(&own) {
        assert_eq!(Some(&shown), now(&honest).get(&id), "{id}: the keys after it are as they were");
    }
    assert!(own.lines.iter().all(|line| line.doubt_ms >= 6000), "from the one before it to the next key");
}

/// A clock that is set back meanwhile loses nothing, and is told.
#[test]
fn a_clock_that_was_set_back_is_told() {
    let story = story(5, 60, 0..0, 0..0);
    let mut journal = Journal::open(story.path(), Bounds::default(), at(60)).unwrap().journal;
    let mut board = Board::new(config::parse(BOARD, "depot.toml").unwrap(), mono(60));
    let frame = board.frame_after(&mut None, mono(60), at(20));
    let body = Packer::new().pack(&Taken { frame, glass: Painted::default() }, true).unwrap();
    journal.put_glass(&Record { at: at(20), kind: Kind::Key, body }, at(20)).unwrap();
    let glass = story.glass(10, 60);
    assert_eq!(glass.lacks().unwrap(), [SinceLack::ClockSetBack { at_ms: at(20).as_millis() }]);
    let own = story.read(10, 60);
    assert!(own.lines.iter().all(|line| line.now.as_ref().is_some_and(|now| now.at_ms == at(20).as_millis())));
}
