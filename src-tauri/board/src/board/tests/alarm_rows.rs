//! What a hand finds in the list of alarms, held against the page's own way with all that stand: no window, no sums, one thing after the other.

use std::cmp::Reverse;

use proptest::prelude::*;
use serde_json::json;

use super::stage::{BOARD, Stage};
use crate::{
    alarm::{Act, Priority},
    frame::{AlarmAct, AlarmOrder, AlarmRowsFound, AlarmRowsQuery, AlarmState, AlarmView, AlarmWhich, AlarmsView},
    testing::cases,
};

const RULES: &str = r#"
[alarms]
source-lost = "high"

[[alarm]]
id = "hot"
title = "Kiln Too Hot"
group = "Kilns"
priority = "high"
source = "s"
key = "k"
raise = "event.v > 50"
clear = "event.v < 40"
text = "of {v}"

[[alarm]]
id = "worn"
title = "Übel worn"
priority = "low"
latch = true
source = "s"
key = "k"
raise = "event.v > 30"
clear = "event.v < 10"

[[alarm]]
id = "fire"
priority = "critical"
source = "s"
key = "k"
raise = "event.v > 80"
clear = "event.v < 60"

[[alarm]]
id = "gauge"
title = "The gauge"
when = "gauge > 60"
priority = "medium"
"#;

fn stage() -> Stage {
    let mut stage = Stage::with(&format!("{BOARD}{RULES}"));
    stage.connect();
    stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series"]);
    stage
}

/// All that stand, as a page would have them that had room for all, in the order of their urgency.
fn all(stage: &Stage, lost: &str) -> Vec<AlarmView> {
    let standing = stage.board.alarms().standing();
    let mut all: Vec<AlarmView> = standing.iter().map(|(key, own)| stage.board.alarm_view(key, own)).collect();
    for one in all.iter_mut().filter(|one| one.source.is_some()) {
        one.title = lost.replace("{source}", &one.title);
    }
    // The keys of one rule are in the order of what is behind it, which none here is without.
    all.sort_by_key(|one| (rank(one), Reverse(one.priority), Reverse(one.raised_ms)));
    all
}

fn rank(one: &AlarmView) -> u8 {
    match one.state {
        AlarmState::Unacknowledged | AlarmState::LatchedUnacknowledged => 0,
        AlarmState::Returned => 1,
        AlarmState::Acknowledged | AlarmState::LatchedAcknowledged => 2,
        AlarmState::Shelved | AlarmState::Suppressed | AlarmState::OutOfService => 3,
        AlarmState::Unsupervised | AlarmState::Normal => 4,
        AlarmState::Removed => 5,
    }
}

fn which(one: &AlarmView) -> AlarmWhich {
    match one.state {
        AlarmState::Shelved | AlarmState::Suppressed | AlarmState::OutOfService => AlarmWhich::Aside,
        AlarmState::Unsupervised => AlarmWhich::Unsupervised,
        _ if one.wants_acknowledgement => AlarmWhich::Unacknowledged,
        _ => AlarmWhich::Acknowledged,
    }
}

fn calls(one: &&AlarmView) -> bool {
    which(one) == AlarmWhich::Unacknowledged
}

/// What the page says of it; values as they are on record.
fn said(one: &AlarmView) -> String {
    let place = if one.widgets.is_empty() { "" } else { "Gauge gauge" };
    let cause: Vec<String> = one.cause.iter().map(|part| format!("{} {}", part.name, part.value)).collect();
    let group = one.group.clone().unwrap_or_default();
    [one.title.clone(), one.key.clone(), group, place.to_owned(), cause.join(", ")].join(" ").to_lowercase()
}

fn since(one: &AlarmView) -> Option<i64> {
    one.raised_ms.or(one.decided_ms)
}

/// The simple way.
fn found(stage: &Stage, query: &AlarmRowsQuery) -> AlarmRowsFound {
    let all = all(stage, &query.lost);
    let passes = |one: &&AlarmView| {
        query.priority.is_none_or(|priority| one.priority == priority)
            && query.which.is_none_or(|wanted| which(one) == wanted)
            && query.words.iter().all(|word| word.iter().any(|word| said(one).contains(&word.to_lowercase())))
    };
    let mut passing: Vec<&AlarmView> = all.iter().filter(passes).collect();
    match query.order {
        AlarmOrder::Urgency => {}
        AlarmOrder::Newest => passing.sort_by_key(|one| Reverse(since(one))),
        AlarmOrder::Priority => passing.sort_by_key(|one| Reverse(one.priority)),
        AlarmOrder::State => passing.sort_by_key(|one| which(one)),
        AlarmOrder::Title => passing.sort_by_key(|one| one.title.to_lowercase()),
    }
    let wanted = |one: &&&AlarmView| query.seen.contains(&(one.key.clone(), one.occurrence)) && calls(one);
    let (critical, seen): (Vec<&AlarmView>, Vec<&AlarmView>) =
        passing.iter().filter(wanted).partition(|one| one.priority == Priority::Critical);
    let mut newest: Option<&AlarmView> = None;
    for one in all.iter().filter(calls) {
        if newest.is_none_or(|own| since(one) > since(own)) {
            newest = Some(one);
        }
    }
    let offset = (query.offset as usize).min(passing.len().saturating_sub(query.count as usize));
    let unworded = |one: &AlarmView| all_unworded(stage, one);
    AlarmRowsFound {
        revision: stage.board.revision(),
        offset: offset as u32,
        rows: passing.iter().skip(offset).take(query.count as usize).map(|one| unworded(one)).collect(),
        matched: passing.len() as u32,
        total: all.len() as u32,
        calls_hidden: (all.iter().filter(calls).count() - passing.iter().filter(|one| calls(one)).count()) as u32,
        newest: newest.map(unworded),
        own: all.iter().find(|one| Some(&one.key) == query.key.as_ref()).map(unworded),
        at: passing.iter().position(|one| Some(&one.key) == query.key.as_ref()).map(|at| at as u32),
        seen: seen.iter().map(|one| (one.key.clone(), one.occurrence)).collect(),
        seen_critical: critical.len() as u32,
    }
}

/// As it crosses: what it is called the page says.
fn all_unworded(stage: &Stage, one: &AlarmView) -> AlarmView {
    all(stage, "{source}").into_iter().find(|own| own.key == one.key).expect("it stands")
}

#[derive(Clone, Debug)]
enum Happens {
    Event(u8, f64),
    Acknowledge(u8),
    Shelve(u8),
    Comment(u8),
    Pass(u16),
    Lost,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => (0..12_u8, 0..1000_u32).prop_map(|(key, v)| Happens::Event(key, f64::from(v) / 8.0)),
        2 => (0..40_u8).prop_map(Happens::Acknowledge),
        1 => (0..40_u8).prop_map(Happens::Shelve),
        1 => (0..40_u8).prop_map(Happens::Comment),
        2 => (1..3000_u16).prop_map(Happens::Pass),
        1 => Just(Happens::Lost),
    ]
}

fn happen(stage: &mut Stage, what: &Happens) {
    let act = |stage: &mut Stage, at: u8, act: &dyn Fn(&AlarmView) -> Act| {
        let all = all(stage, "{source}");
        let Some(one) = all.get(usize::from(at) % all.len().max(1)) else { return };
        let _refused =
            stage.board.handle_act(&AlarmAct { key: one.key.clone(), act: act(one), name: None }, "t", stage.now);
    };
    match what {
        Happens::Event(key, v) => stage.event(json!({"k": format!("K{key}"), "v": v})),
        Happens::Acknowledge(at) => act(stage, *at, &|one| Act::Acknowledge { occurrence: one.occurrence }),
        Happens::Shelve(at) => act(stage, *at, &|_| Act::Shelve { minutes: 10, reason: "for a test".to_owned() }),
        Happens::Comment(at) => act(stage, *at, &|_| Act::Comment { words: "seen".to_owned() }),
        Happens::Pass(millis) => {
            stage.pass(u64::from(*millis));
            stage.status_is(watchfloor_model::Phase::Live);
        }
        Happens::Lost => {
            stage.status(|_, status| status.phase = watchfloor_model::Phase::Waiting);
            for _ in 0..12 {
                stage.pass(1000);
                stage.board.handle_tick(stage.now);
            }
        }
    }
}

fn asks() -> impl Strategy<Value = AlarmRowsQuery> {
    let priorities = [None, Some(Priority::Low), Some(Priority::High), Some(Priority::Critical)];
    let whiches = [None, Some(AlarmWhich::Unacknowledged), Some(AlarmWhich::Acknowledged), Some(AlarmWhich::Aside)];
    let words = ["kiln", "HOT", "k1", "übel", "fire/", "gauge", "lost", "v", "9", "62.5", "kilns", "nothing"];
    let orders = [AlarmOrder::Urgency, AlarmOrder::Newest, AlarmOrder::Priority, AlarmOrder::State, AlarmOrder::Title];
    (
        (0..40_u32, 0..15_u32),
        prop::sample::select(priorities.to_vec()),
        prop::sample::select(whiches.to_vec()),
        prop::collection::vec(prop::collection::vec(prop::sample::select(words.to_vec()), 1..3), 0..3),
        prop::sample::select(orders.to_vec()),
        prop::sample::select(vec![None, Some("hot/K1"), Some("fire/K3"), Some("gauge"), Some("none")]),
        prop::collection::vec((0..40_usize, 0..2_u64), 0..12),
    )
        .prop_map(|((offset, count), priority, which, words, order, key, seen)| AlarmRowsQuery {
            offset,
            count,
            priority,
            which,
            words: words.into_iter().map(|word| word.into_iter().map(ToOwned::to_owned).collect()).collect(),
            order,
            lost: "{source} is Lost".to_owned(),
            key: key.map(ToOwned::to_owned),
            // Which they are is known once something stands.
            seen: seen.into_iter().map(|(at, ago)| (at.to_string(), ago)).collect(),
        })
}

proptest! {
    #![proptest_config(cases(60))]

    /// H1: what a hand is told of all that stand is so, whatever it filters, however it sorts and wherever it looks.
    #[test]
    fn as_the_simple_way(story in prop::collection::vec(happens(), 1..60), questions in prop::collection::vec(asks(), 1..12)) {
        let mut stage = stage();
        for what in &story {
            happen(&mut stage, what);
        }
        let all = all(&stage, "{source}");
        for mut query in questions {
            let seen = query.seen.iter().filter_map(|(at, ago)| {
                let one = all.get(at.parse::<usize>().ok()?)?;
                Some((one.key.clone(), one.occurrence.checked_sub(*ago)?))
            });
            query.seen = seen.collect();
            let mut wanted = found(&stage, &query);
            let mut own = stage.board.alarm_rows(&query).expect("a board with rules");
            wanted.seen.sort_unstable();
            own.seen.sort_unstable();
            prop_assert_eq!(own, wanted, "{:?}", query);
        }
    }
}

fn view(stage: &mut Stage) -> AlarmsView {
    stage.frame(0).alarms.expect("a board with rules")
}

/// A frame has two hundred of thousands, all are counted, and any can be asked for; a widget's band is there however many are more urgent.
#[test]
fn what_a_frame_has_no_room_for() {
    let mut stage = stage();
    stage.event(json!({"k": "last", "v": 62}));
    let gauge = view(&mut stage).list.iter().any(|one| one.key == "gauge");
    assert!(gauge, "the gauge is beyond its limit");
    for number in 0..3000 {
        stage.event(json!({"k": format!("K{number:04}"), "v": 90}));
    }
    let own = view(&mut stage);
    assert_eq!((own.total, own.list.len()), (9003, 201));
    assert!(own.list[..200].iter().all(|one| one.priority == Priority::Critical));
    assert_eq!(own.list[200].key, "gauge", "of the widget that nothing of the rest is judged by");
    let counts: Vec<(Priority, u32)> = own.counts.iter().map(|one| (one.priority, one.unacknowledged)).collect();
    assert_eq!(
        counts,
        [(Priority::Critical, 3000), (Priority::High, 3001), (Priority::Medium, 1), (Priority::Low, 3001)]
    );
    let query = AlarmRowsQuery {
        offset: 100_000,
        count: 5000,
        words: vec![vec!["k2".to_owned()]],
        key: Some("worn/K2999".to_owned()),
        ..AlarmRowsQuery::default()
    };
    let found = stage.board.alarm_rows(&query).expect("rules");
    assert_eq!((found.matched, found.total, found.offset, found.rows.len()), (3000, 9003, 2800, 200));
    assert_eq!(found.own.map(|one| one.key).as_deref(), Some("worn/K2999"));
    assert_eq!(found.calls_hidden, 6003);
}

/// A value is found as the page writes it and as it came.
#[test]
fn numbers_are_found_as_they_are_written() {
    let mut stage = stage();
    stage.event(json!({"k": "a", "v": 62.123_456}));
    for (word, count) in [("62.123456", 2), ("62.12", 2), ("62.13", 0), ("62.123456789", 0)] {
        let words = vec![vec![word.to_owned()]];
        let query = AlarmRowsQuery { words, count: 10, ..AlarmRowsQuery::default() };
        assert_eq!(stage.board.alarm_rows(&query).expect("rules").matched, count, "{word}");
    }
}
