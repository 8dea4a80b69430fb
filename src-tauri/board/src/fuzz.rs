//! Whatever the bytes: see `docs/proof.md`, "Fuzzing".

mod kinds;

use std::{collections::BTreeMap, time::Duration};

use serde_json::value::RawValue;
use watchfloor_fuzz::{Draws, check, mutated, tree};
use watchfloor_model::{
    Continuity, Delivery, Event, Gap, Mono, Phase, Position, Restated, Snapshot, SourceClock, SourceStatus, Timestamp,
    Transport,
};

use self::kinds::{BOARD, FIELDS, WORDS, specs};
use crate::{
    Aggregate, Board, Checkpoint,
    config::{self, duration, spec::Template},
    frame::{Frame, LayerDraw, State},
    geo,
    path::Path,
    reduce::TIME_MS_MAX,
    testing::fold_of,
};

const FOLDS_MAX: usize = 24;
/// 2013-02-08T15:00:00Z.
const START: i64 = 1_360_335_600_000;

fn text(seeds: &[&str], bytes: &[u8]) -> String {
    String::from_utf8_lossy(&mutated(seeds, &mut Draws::new(bytes))).into_owned()
}

/// What is wrong with a file has a place in it, and is told in bounds. What is right makes a board.
#[test]
fn board_file() {
    check!(iterations = 800, |bytes: &[u8]| {
        let seeds = [
            BOARD,
            include_str!("../../../examples/new-york-departures.toml"),
            // It has furniture as well.
            include_str!("../../../examples/sse.toml"),
        ];
        let text = text(&seeds, bytes);
        let beside = |_: &str| Ok(include_str!("../../../examples/data/ardenholm.geojson").to_owned());
        match config::parse_beside(&text, "f", &beside) {
            Ok(file) => {
                let mut board = Board::new(file, Mono::from_millis(1));
                board.handle_tick(Mono::from_millis(2));
                let _ = board.report(Mono::from_millis(2));
            }
            Err(errors) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let lines: Vec<&str> = text.split('\n').collect();
                assert!(errors.count() >= errors.as_slice().len() && !errors.as_slice().is_empty());
                for error in errors.as_slice() {
                    let line = error.line.checked_sub(1).and_then(|line| lines.get(line));
                    let line = line.unwrap_or_else(|| panic!("line {} of {}", error.line, lines.len()));
                    assert!((1..=line.chars().count() + 1).contains(&error.column), "{error:?} in {line:?}");
                }
                let shown = errors.to_string();
                assert!(shown.len() < 400_000, "{} bytes for {}", shown.len(), text.len());
            }
        }
    });
}

/// Whatever a layer's file holds, it is read or has a fault with a place; what is read is drawn in bounds and tells where it is.
#[test]
fn layers() {
    check!(iterations = 800, |bytes: &[u8]| {
        let seeds = [
            include_str!("../../../examples/data/ardenholm.geojson"),
            r#"{"type":"GeometryCollection","geometries":[{"type":"MultiPoint","coordinates":[[1,2,3],[-190,90]]},{"type":"Polygon","coordinates":[[[170,-90],[-170,-90],[-170,90],[170,90],[170,-90]],[[0,0],[1,1],[1,0],[0,0]]]},{"type":"LineString","coordinates":[[180,0],[-180,1e-9]]}]}"#,
            r#"{"type":"Feature","crs":{"properties":{"name":"EPSG:4326"}},"properties":{"n":null},"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[0,1],[1,1],[0,0]]],[]]}}"#,
        ];
        let text = text(&seeds, bytes);
        match geo::read(&text, Some("name"), Some("kind")) {
            Ok(features) => {
                let areas: Vec<_> = features.iter().flat_map(|feature| feature.shapes.areas.clone()).collect();
                let area = geo::Area::of_polygons(&areas);
                for place in [(0.0, 0.0), (47.0, 4.0), (90.0, 180.0), (-90.0, -180.0), (0.5, 179.9)] {
                    let _ = area.holds(place);
                }
                let pieces: Vec<_> = features.into_iter().map(|one| (one.name, State::Normal, one.shapes)).collect();
                let count = pieces.len();
                for bounds in [[3.8, 46.9, 4.2, 47.1], [-180.0, -90.0, 180.0, 90.0], [179.999_999, 0.0, 180.0, 1e-7]] {
                    let look = geo::looks(&[(LayerDraw::Area, pieces.clone())], bounds).remove(0);
                    assert!(look.shapes.len() + look.left_out as usize <= count);
                    assert!(serde_json::to_string(&look).expect("a look is JSON").len() < 2_000_000);
                    let _ = geo::outline(&area, bounds);
                }
            }
            Err(wrong) => assert!(!wrong.place.is_empty() && wrong.found.len() < 400, "{wrong:?}"),
        }
    });
}

#[test]
fn durations() {
    check!(|bytes: &[u8]| {
        let text = text(&["1d2h3m4s5ms", "90s", "999999999d"], bytes);
        if let Ok(span) = duration::parse(&text)
            && span < Duration::from_secs(86_400 * 999_999_999)
        {
            assert_eq!(duration::parse(&duration::format(span)), Ok(span), "{text}");
        }
    });
}

/// What is a path reads back as the same from its written form.
#[test]
fn paths() {
    check!(|bytes: &[u8]| {
        let text = text(
            &["flight.number", "stops[0].name", r#"["odd \u00e9 \" key"].x[999999]["a"]"#, "a-b_c.d[1][2]"],
            bytes,
        );
        if let Ok(path) = text.parse::<Path>() {
            let written = path.to_string();
            assert_eq!(written.parse(), Ok(path.clone()), "{text:?} {written:?}");
            assert!(
                path.find(watchfloor_model::Payload::from(serde_json::json!({"a": [1]})).value()).is_none_or(|_| true)
            );
        }
    });
}

#[test]
fn templates() {
    check!(|bytes: &[u8]| {
        let text = text(&["{carrier} {flight} to {dest}", "{{literal}} {a[0].b}", r#"x {["odd key"]} é"#], bytes);
        if let Ok(template) = text.parse::<Template>() {
            assert_eq!(template.source, text);
            assert!(!template.parts.is_empty());
        }
    });
}

fn event(draws: &mut Draws<'_>) -> Event {
    let time = match draws.byte() % 16 {
        0 => draws.number().cast_signed(),
        1 => *draws.pick(&[TIME_MS_MAX, -TIME_MS_MAX, TIME_MS_MAX + 1, 0, -1]),
        2..4 => START - i64::from(draws.short()) * 1000,
        _ => START + i64::from(draws.short()) * 40,
    };
    let name = *draws.pick(&["e", "f", "gone"]);
    let id = draws.once_in(4).then(|| "an id".into());
    let data = tree(draws, &FIELDS, &WORDS, 3);
    Event {
        channel: "c".into(),
        name: name.into(),
        id,
        position: None,
        time: Timestamp::from_millis(time),
        received: Mono::ZERO,
        data: data.into(),
    }
}

/// Everything that can be asked of an aggregate.
fn ask(own: &Aggregate, since: u64) {
    let whole = own.value(0);
    let _ = serde_json::to_string(&whole).expect("a value is JSON");
    let _ = serde_json::to_string(&own.value(since)).expect("a change is JSON");
    let _ = own.report().to_string();
    let _ = (own.next_change(), own.horizon(), own.is_blank(), own.grows_only());
}

/// H4: a state that is taken is the same state when it is written down and taken again.
fn survives(own: &Aggregate) {
    let state = own.state_text();
    let mut other = own.like();
    other.restore(&state).unwrap_or_else(|error| panic!("own state: {error}: {state}"));
    assert_eq!(other.state_text().get(), state.get());
    assert_eq!(other.report(), own.report());
}

/// Some events and instants.
fn drive(own: &mut Aggregate, draws: &mut Draws<'_>) {
    let mut since = 0;
    for _ in 0..FOLDS_MAX {
        if draws.is_done() {
            break;
        }
        match draws.byte() % 8 {
            0 => own.advance(Timestamp::from_millis(draws.number().cast_signed())),
            1 => own.advance(Timestamp::from_millis(START + i64::from(draws.short()) * 100)),
            2 => {
                let from = START + i64::from(draws.short()) * 50;
                let to = from + i64::from(draws.short()) * 50;
                own.note_gap(Timestamp::from_millis(from), Timestamp::from_millis(to));
            }
            3 => since = own.version(),
            _ => {
                let event = event(draws);
                if own.wants(&event) {
                    let before = own.version();
                    let refused = own.fold(&event).is_err();
                    assert!(!refused || own.version() == before, "a refused event changed something");
                }
            }
        }
        ask(own, since);
    }
}

/// H4, H5: any events of any data at any time, on every kind.
#[test]
fn folding() {
    check!(iterations = 1500, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut own = Aggregate::new(&fold_of(draws.pick(&specs()).clone()));
        drive(&mut own, &mut draws);
        survives(&own);
    });
}

/// A state that somebody changed is refused or is a state: no panic then or later.
#[test]
fn restoring() {
    check!(iterations = 1500, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut own = Aggregate::new(&fold_of(draws.pick(&specs()).clone()));
        let mut first = Draws::new(draws.take(96));
        drive(&mut own, &mut first);
        let sound = own.state_text();
        let state = mutated(&[sound.get()], &mut Draws::new(draws.take(32)));
        let Ok(state) = serde_json::from_slice::<Box<RawValue>>(&state) else { return };
        let before = own.state_text();
        if own.restore(&state).is_err() {
            assert_eq!(own.state_text().get(), before.get(), "a refused state changed something");
            return;
        }
        ask(&own, 0);
        survives(&own);
        drive(&mut own, &mut draws);
        survives(&own);
    });
}

/// H4: each number of a state in turn as the greatest, the least and others at an edge: it is refused, or nothing comes of it later.
#[test]
fn every_number_of_a_state_at_its_edges() {
    let story = watchfloor_fuzz::stretched(b"a story of many events and instants").expect("long enough");
    for spec in specs() {
        let mut own = Aggregate::new(&fold_of(spec.clone()));
        own.advance(Timestamp::from_millis(START));
        for number in 0..20 {
            // Some of the past, some of tomorrow.
            let data = serde_json::json!({"k": "a", "v": number, "lat": 1, "lon": 2, "s": "ok", "at": START});
            let time = START + (number - 10) * 7_000_000;
            let _ = own.fold(&crate::testing::event("c", "e", time, data));
            let _ = own.fold(&crate::testing::event("c", "e", START + number, serde_json::json!({"k": "b", "v": 2.5})));
        }
        survives(&own);
        let state = own.state_text().get().to_owned();
        let mut at = 0;
        while let Some(start) = state[at..].find(|c: char| c.is_ascii_digit() || c == '-').map(|start| at + start) {
            at = state[start..]
                .find(|c: char| !(c.is_ascii_digit() || "-.e".contains(c)))
                .map_or(state.len(), |end| start + end);
            for edge in [
                "-9223372036854775808",
                "9223372036854775807",
                "18446744073709551615",
                "-2147483648",
                "4294967295",
                "-1",
                "1e308",
            ] {
                let changed = format!("{}{edge}{}", &state[..start], &state[at..]);
                let Ok(changed) = serde_json::from_str::<Box<RawValue>>(&changed) else { continue };
                let mut other = own.like();
                if other.restore(&changed).is_ok() {
                    ask(&other, 0);
                    drive(&mut other, &mut Draws::new(&story[..200]));
                    survives(&other);
                }
            }
        }
    }
}

fn status(draws: &mut Draws<'_>, now: Mono) -> SourceStatus {
    let clock = SourceClock {
        at: Timestamp::from_millis(if draws.once_in(8) { draws.number().cast_signed() } else { START }),
        read: now,
        speed: *draws.pick(&[1.0, 1.0, 60.0, 0.0, 1e6]),
        label: draws.once_in(4).then(|| "Replay".to_owned()),
    };
    SourceStatus {
        phase: *draws.pick(&Phase::ALL),
        transport: Some(Transport::Poll),
        continuity: *draws.pick(&[Continuity::Proven, Continuity::Snapshot, Continuity::Unknown]),
        link_proof: draws.once_in(2).then_some(now),
        publisher_proof: draws.once_in(2).then_some(now),
        clock: draws.once_in(2).then_some(clock),
        ..SourceStatus::default()
    }
}

fn delivery(draws: &mut Draws<'_>, now: Mono, board: &Board) -> Delivery {
    let place = |draws: &mut Draws<'_>| Position::new("e", draws.number());
    match draws.byte() % 8 {
        0 => {
            let mut aggregates = BTreeMap::new();
            for (name, own) in
                board.checkpoint(now, Timestamp::default()).sources.into_values().flat_map(|own| own.aggregates)
            {
                let state = mutated(&[own.state.get()], &mut Draws::new(draws.take(8)));
                aggregates.extend(serde_json::from_slice(&state).ok().map(|state| (name, state)));
            }
            Delivery::Snapshot(Snapshot {
                positions: BTreeMap::from([("c".into(), place(draws))]),
                clock: SourceClock { at: Timestamp::from_millis(START), read: now, speed: 1.0, label: None },
                since: draws.once_in(2).then(|| Timestamp::from_millis(draws.number().cast_signed())),
                aggregates,
                received: now,
            })
        }
        1 => Delivery::Gap(Gap {
            channel: "c".into(),
            from: None,
            to: Some(place(draws)),
            proof: *draws.pick(&[Continuity::Proven, Continuity::Snapshot, Continuity::Unknown]),
            reason: "lost".to_owned(),
            began: Mono::from_millis(draws.number()),
            ended: now,
            source_times: draws
                .once_in(2)
                .then(|| (Timestamp::from_millis(draws.number().cast_signed()), Timestamp::from_millis(START))),
        }),
        2 => Delivery::Restated(Restated {
            channel: "c".into(),
            name: draws.pick(&[Some("a"), Some("b"), None]).map(Into::into),
            events: (0..draws.below(3)).map(|_| event(draws)).collect(),
            positions: BTreeMap::from([("c".into(), place(draws))]),
            received: now,
        }),
        _ => Delivery::Events((0..=draws.below(3)).map(|_| event(draws)).collect()),
    }
}

/// A whole board: any checkpoint, any deliveries, any instants; and H3: a page that applied every frame shows what a new one would.
#[test]
fn board() {
    check!(iterations = 400, |bytes: &[u8]| {
        let mut draws = Draws::new(bytes);
        let mut now = Mono::from_millis(1_000_000);
        let file = || config::parse(BOARD, "b").unwrap_or_else(|errors| panic!("{errors}"));
        let mut board = Board::new(file(), now);
        let (mut mark, mut shown) = (None, None::<Frame>);
        for _ in 0..FOLDS_MAX {
            if draws.is_done() {
                break;
            }
            match draws.byte() % 8 {
                0 => now = now.plus(Duration::from_millis(draws.millis() % 100_000_000)),
                1 => {
                    let status = status(&mut draws, now);
                    board.handle_status("s", status, now);
                }
                2 => {
                    let wall = Timestamp::from_millis(draws.number().cast_signed());
                    let text = serde_json::to_string(&board.checkpoint(now, wall)).expect("a checkpoint is JSON");
                    let changed = mutated(&[&text], &mut Draws::new(draws.take(12)));
                    if let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(&changed) {
                        board = Board::new(file(), now);
                        board.restore(&checkpoint, now, wall);
                        (mark, shown) = (None, None);
                    }
                }
                3 => board.handle_tick(now),
                _ => {
                    let delivery = delivery(&mut draws, now, &board);
                    board.handle_delivery("s", &delivery, now);
                }
            }
            let _ = board.report(now).to_string();
            let _ = (board.take_rejections(), board.take_drifts());
            board.handle_tick(now);
            assert!(board.poll_timeout(now).is_none_or(|due| due > now), "a hot loop");
            let wall = Timestamp::from_millis(START);
            let frame = board.frame_after(&mut mark, now, wall);
            let _ = serde_json::to_string(&frame).expect("a frame is JSON");
            let held = match shown.take() {
                Some(shown) => shown.merge(frame).expect("a change to what is shown"),
                None => frame,
            };
            let whole = board.frame_after(&mut None, now, wall);
            for (held, whole) in held.widgets.iter().zip(&whole.widgets) {
                assert_eq!((&held.id, &held.value), (&whole.id, &whole.value));
            }
            shown = Some(held);
        }
    });
}
