//! Comparisons: what agrees stays untouched, what differs is corrected and named (H3).

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use watchfloor_model::{Check, Continuity, Event, Mono, Position, Snapshot, SourceClock, Timestamp};

use super::{DRIFTS_NAMED_MAX, Difference, Outcome, are_close};
use crate::{
    Aggregate,
    aggregate::tests::story::{FOLDS, Step, fold, play, stepwise},
    board::tracked::Tracked,
    testing::{self, cases, event},
};

const START: i64 = 1_360_335_600_000;

/// A fold on the wall that was taken from a complete snapshot and has followed since.
fn wall(aggregate: Aggregate) -> Tracked {
    let mut tracked = Tracked::new(aggregate);
    tracked.is_known = true;
    tracked.basis = Continuity::Snapshot;
    tracked
}

/// A comparison with the state of `server`, told its time at `at`, and these later events.
fn check(at: i64, since: Option<i64>, later: Vec<Event>) -> Check {
    let received = Mono::from_millis(5000);
    let positions = BTreeMap::from([("c".into(), Position::new("e", 1))]);
    let clock = SourceClock { at: Timestamp::from_millis(at), read: received, speed: 1.0, label: None };
    let since = since.map(Timestamp::from_millis);
    let snapshot = Snapshot { positions: positions.clone(), clock, since, aggregates: BTreeMap::new(), received };
    Check { snapshot, later, positions }
}

/// Compares at `now`, to which the wall is told its time.
fn compare(own: &mut Tracked, server: &Aggregate, check: &Check, now: i64) -> Outcome {
    testing::advance(&mut own.aggregate, now);
    own.compare(&server.state_text(), check, Timestamp::from_millis(now)).expect("a state of the same fold")
}

/// The same settings, and the same events at one second each; `data` is all that differs.
fn pair(spec: &Value, shown: &[Value], server: &[Value]) -> (Tracked, Aggregate) {
    let play = |all: &[Value]| {
        let mut own = testing::aggregate(spec.clone());
        testing::advance(&mut own, START);
        for (second, data) in (1..).zip(all) {
            testing::fold(&mut own, START + second * 1000, data.clone());
        }
        own
    };
    (wall(play(shown)), play(server))
}

fn named(outcome: &Outcome) -> Vec<String> {
    let Outcome::Drifted(found) = outcome else { return Vec::new() };
    let one = |Difference { field, shown, server }: &Difference| format!("{field}: {shown} → {server}");
    found.named.iter().map(one).collect()
}

proptest! {
    #![proptest_config(cases(600))]

    /// H3: a wall that has folded what the server has folded never drifts, wherever the snapshot was taken and however often
    /// each of them was told the time; and nothing of it is touched.
    #[test]
    fn what_agrees_is_left_alone(
        number in 0..FOLDS,
        steps in stepwise(),
        cut in 0..80_usize,
        told in prop::collection::vec(any::<bool>(), 100),
    ) {
        let start = steps.first().map_or(0, Step::time);
        let end = steps.iter().map(Step::time).max().unwrap_or(0) + 1;
        let (before, after) = steps.split_at(cut.min(steps.len()));
        let at = before.iter().map(Step::time).max().unwrap_or(start);
        let mut own = wall(Aggregate::new(&fold(number)));
        testing::advance(&mut own.aggregate, start);
        play(&mut own.aggregate, &steps);
        let mut server = Aggregate::new(&fold(number));
        testing::advance(&mut server, start);
        let seldom = before.iter().zip(&told).filter(|(step, told)| **told || matches!(step, Step::Event(..)));
        play(&mut server, &seldom.map(|(step, _)| step.clone()).collect::<Vec<_>>());
        testing::advance(&mut server, at);
        let later = after.iter().filter_map(|step| match step {
            Step::Event(time, name, data) => Some(event("c", name, *time, data.clone())),
            Step::Advance(_) => None,
        });
        let check = check(at, None, later.collect());
        testing::advance(&mut own.aggregate, end);
        let (state, version) = (own.aggregate.state(), own.aggregate.version());
        let outcome = compare(&mut own, &server, &check, end);
        prop_assert!(matches!(outcome, Outcome::Agrees), "{:?} of {}", outcome, own.aggregate.kind());
        prop_assert_eq!((own.aggregate.state(), own.aggregate.version()), (state, version));
    }

    /// H3: whatever one event did to the server and not to the wall, after a comparison the wall shows what the server holds.
    #[test]
    fn what_differs_is_corrected(number in 0..FOLDS, steps in stepwise(), lost in 0..80_usize) {
        let start = steps.first().map_or(0, Step::time);
        let end = steps.iter().map(Step::time).max().unwrap_or(0) + 1;
        let mut server = Aggregate::new(&fold(number));
        testing::advance(&mut server, start);
        play(&mut server, &steps);
        testing::advance(&mut server, end);
        let mut rest = steps.clone();
        rest.remove(lost % steps.len());
        let mut own = wall(Aggregate::new(&fold(number)));
        testing::advance(&mut own.aggregate, start);
        play(&mut own.aggregate, &rest);
        testing::advance(&mut own.aggregate, end);
        let (before, version) = (own.aggregate.value(0), own.aggregate.version());
        let outcome = compare(&mut own, &server, &check(end, None, Vec::new()), end);
        match &outcome {
            Outcome::Agrees => prop_assert_eq!((own.aggregate.value(0), own.aggregate.version()), (before, version)),
            Outcome::Completed | Outcome::Drifted(_) => {
                prop_assert_eq!(own.aggregate.value(0), server.value(0));
                prop_assert!(own.aggregate.version() > version);
            }
        }
        let again = compare(&mut own, &server, &check(end, None, Vec::new()), end);
        prop_assert!(matches!(again, Outcome::Agrees), "{:?} after {:?}", again, outcome);
    }
}

/// Each kind: the field that differs is named as people know it, with both values.
#[test]
fn differences_are_named() {
    let row = |k: &str, v: i64| json!({"k": k, "v": v});
    let tile = |k: &str, s: &str| json!({"k": k, "s": s});
    let place = |lat: f64| json!({"k": "BA117", "lat": lat, "lon": 7});
    for (spec, shown, server, expected) in [
        (json!({"kind": "counter"}), vec![json!({}); 3], vec![json!({}); 4], vec!["value: 3 → 4"]),
        (
            json!({"kind": "gauge", "value": "v"}),
            vec![json!({"v": 2.5})],
            vec![json!({"v": 3})],
            vec!["value: 2.5 → 3"],
        ),
        (
            json!({"kind": "window", "last": 60_000, "stat": "max", "value": "v"}),
            vec![json!({"v": 1})],
            vec![json!({"v": null})],
            vec!["value: 1 → none"],
        ),
        (
            json!({"kind": "rate", "last": 60_000, "per": 60_000}),
            vec![json!({})],
            vec![json!({}); 2],
            vec!["value: 1 → 2"],
        ),
        (
            json!({"kind": "table", "key": "k", "columns": ["v"]}),
            vec![row("a", 1), row("b", 2)],
            vec![row("a", 7), row("c", 2)],
            vec!["a · v: 1 → 7", "b: there → none", "c: none → there", "order: a, b → a, c"],
        ),
        (
            json!({"kind": "log", "text": "{k}", "limit": 4}),
            vec![json!({"k": "x"}), json!({"k": "y"})],
            vec![json!({"k": "x"}), json!({"k": "z"})],
            vec!["line 2: 2013-02-08T15:00:02Z normal y → 2013-02-08T15:00:02Z normal z"],
        ),
        (
            json!({"kind": "series", "bucket": 1000, "keep": 60_000, "stat": "sum", "value": "v"}),
            vec![json!({"v": 1}), json!({"v": 2})],
            vec![json!({"v": 1}), json!({"v": 5})],
            vec!["2013-02-08T15:00:02Z: 2 → 5"],
        ),
        (
            json!({"kind": "status", "key": "k", "state": "s"}),
            vec![tile("gate", "ok")],
            vec![tile("gate", "late")],
            vec!["gate · text: ok → late", "gate · state: normal → warning"],
        ),
        (
            json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon"}),
            vec![place(50.0)],
            vec![place(50.5)],
            vec!["BA117 · lat: 50 → 50.5"],
        ),
    ] {
        let (mut own, server) = pair(&spec, &shown, &server);
        let now = START + 10_000;
        let outcome = compare(&mut own, &server, &check(START + 5000, None, Vec::new()), now);
        let names = named(&outcome);
        let is_named = |part: &str| names.iter().any(|name| name.ends_with(part));
        assert!(expected.iter().all(|part| is_named(part)), "{spec}: {names:?}, not {expected:?}");
        let mut server = server;
        testing::advance(&mut server, now);
        assert_eq!(own.aggregate.value(0), server.value(0), "{spec}");
    }
}

/// H3: what was delivered beyond the snapshot is part of the comparison, and part of what is taken.
#[test]
fn later_events_count() {
    let later = |count: i64| (0..count).map(|number| event("c", "e", START + 6000 + number, json!({}))).collect();
    let (mut own, server) = pair(&json!({"kind": "counter"}), &vec![json!({}); 5], &vec![json!({}); 3]);
    let agrees = compare(&mut own, &server, &check(START + 5000, None, later(2)), START + 9000);
    assert!(matches!(agrees, Outcome::Agrees), "{agrees:?}");
    let drifted = compare(&mut own, &server, &check(START + 5000, None, later(4)), START + 9000);
    assert_eq!(named(&drifted), ["value: 5 → 7"]);
    assert_eq!(testing::number(&own.aggregate).value, Some(7.0));
}

/// Numbers that were added in another order are the same number.
#[test]
fn floats_are_compared_as_floats() {
    let numbers = [0.1, 1e9, 0.7, -1e9 + 0.3, 1e-3, 12.34, 1e5].map(|v| json!({"v": v}));
    let mut other = numbers.clone();
    other.reverse();
    let spec = json!({"kind": "counter", "stat": "sum", "value": "v"});
    let (mut own, server) = pair(&spec, &numbers, &other);
    assert_ne!(testing::number(&own.aggregate).value, testing::number(&server).value, "the case is one");
    let outcome = compare(&mut own, &server, &check(START + 9000, None, Vec::new()), START + 9000);
    assert!(matches!(outcome, Outcome::Agrees), "{outcome:?}");
    assert!(
        !are_close(Some(1e6), Some(1e6 + 0.01)) && !are_close(Some(0.0), None) && !are_close(Some(1.0), Some(-1.0))
    );
}

/// H3: who knows less is no authority; who knows more completes what was said to be incomplete, and that is no drift.
#[test]
fn completeness_decides_who_is_believed() {
    let counter = json!({"kind": "counter"});
    // The server was begun anew and knows nothing of before: the wall does.
    let (mut own, server) = pair(&counter, &vec![json!({}); 9], &vec![json!({}); 2]);
    let outcome = compare(&mut own, &server, &check(START + 9000, Some(START), Vec::new()), START + 9000);
    assert!(matches!(outcome, Outcome::Agrees), "{outcome:?}");
    assert_eq!(testing::number(&own.aggregate).value, Some(9.0));
    // Both know nothing of before the same instant: they can be compared.
    own.incomplete_until = Some(Timestamp::from_millis(START));
    let outcome = compare(&mut own, &server, &check(START + 9000, Some(START), Vec::new()), START + 9000);
    assert_eq!(named(&outcome), ["value: 9 → 2"]);
    assert_eq!(own.incomplete_until, Some(Timestamp::from_millis(START)), "still a lower bound");
    // The wall missed something and says so: the server has it.
    let (mut own, server) = pair(&counter, &vec![json!({}); 2], &vec![json!({}); 9]);
    own.be_incomplete(Timestamp::from_millis(START + 3000));
    let outcome = compare(&mut own, &server, &check(START + 9000, None, Vec::new()), START + 9000);
    assert!(matches!(outcome, Outcome::Completed), "{outcome:?}");
    assert_eq!((testing::number(&own.aggregate).value, own.incomplete_until), (Some(9.0), None));
    assert_eq!(own.basis, Continuity::Snapshot);
    // What lies before a window is of no interest to it.
    let window = json!({"kind": "window", "last": 60_000, "stat": "count"});
    let (mut own, server) = pair(&window, &vec![json!({}); 2], &vec![json!({}); 3]);
    let outcome = compare(&mut own, &server, &check(START + 9000, Some(START - 60_000), Vec::new()), START + 9000);
    assert_eq!(named(&outcome), ["value: 2 → 3"]);
}

/// H3: a gap on the wall is not filled by a guess and no lie: what the server knows of it completes the chart.
#[test]
fn a_gap_is_completed_and_is_no_drift() {
    let spec = json!({"kind": "series", "bucket": 1000, "keep": 60_000, "stat": "sum", "value": "v"});
    let number = |v: i64| json!({"v": v});
    let (mut own, server) = pair(&spec, &[number(1), json!({}), number(3)], &[number(1), number(2), number(3)]);
    own.aggregate.note_gap(Timestamp::from_millis(START + 1500), Timestamp::from_millis(START + 2500));
    let outcome = compare(&mut own, &server, &check(START + 5000, None, Vec::new()), START + 5000);
    assert!(matches!(outcome, Outcome::Completed), "{outcome:?}");
    let mut server = server;
    testing::advance(&mut server, START + 5000);
    assert_eq!(own.aggregate.value(0), server.value(0));
}

/// H3: a mark that the wall lacks is named by its time and text; within a gap it is no drift.
#[test]
fn a_mark_that_is_lacking_is_named() {
    let spec = json!({"kind": "series", "bucket": 1000, "keep": 60_000, "marks": {"on": "e", "label": "{n}"}});
    let number = |n: i64| json!({"n": n});
    let (mut own, server) = pair(&spec, &[number(1)], &[number(1), number(2)]);
    let at = START + 5000;
    let outcome = compare(&mut own, &server, &check(at, None, Vec::new()), at);
    assert_eq!(named(&outcome), ["mark · 2013-02-08T15:00:02Z · 2: 0 → 1"]);
    let (mut own, server) = pair(&spec, &[number(1)], &[number(1), number(2)]);
    own.aggregate.note_gap(Timestamp::from_millis(START + 1500), Timestamp::from_millis(START + 2500));
    let outcome = compare(&mut own, &server, &check(at, None, Vec::new()), at);
    assert!(matches!(outcome, Outcome::Completed), "{outcome:?}");
}

/// H5: however much differs, a bounded part of it is named, in bounded words; all of it is counted.
#[test]
fn names_are_bounded() {
    let spec = json!({"kind": "table", "key": "k", "columns": ["v"], "limit": 1000});
    let rows = |tag: &str| -> Vec<Value> {
        (0..500).map(|n| json!({"k": format!("{n}"), "v": format!("{tag}{}", "x".repeat(1000))})).collect()
    };
    let (mut own, server) = pair(&spec, &rows("a"), &rows("b"));
    let now = START + 600_000;
    let Outcome::Drifted(found) = compare(&mut own, &server, &check(now, None, Vec::new()), now) else {
        panic!("nothing found")
    };
    assert_eq!((found.named.len(), found.count), (DRIFTS_NAMED_MAX, 500));
    assert!(found.named.iter().all(|one| one.shown.chars().count() <= 81 && one.server.starts_with('b')));
}
