//! Windows and their trends against a model that keeps every event and looks through all of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Aggregate,
    reduce::sliding::BUCKETS_MAX,
    testing::{advance, aggregate_with, cases, event, fold, number},
};

/// An event as the model keeps it.
type Seen = (i64, f64, bool);

/// A second's window of `v`.
fn window(settings: Value) -> Aggregate {
    aggregate_with(json!({"kind": "window", "last": 1000, "value": "v"}), settings)
}

/// The statistic of the events after `now - last` until `now`.
fn model(stat: &str, seen: &[Seen], now: i64, last: i64) -> Option<f64> {
    let inside: Vec<&Seen> = seen.iter().filter(|(at, ..)| now - last < *at && *at <= now).collect();
    let mut values: Vec<f64> = inside.iter().map(|(_, value, _)| *value).collect();
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let some = |value: f64| (n > 0.0).then_some(value);
    let rank = |part: f64| values.get(((part * n).ceil() as usize).checked_sub(1)?).copied();
    match stat {
        "count" => Some(n),
        "sum" => Some(values.iter().sum()),
        "mean" => some(values.iter().sum::<f64>() / n),
        "min" => values.first().copied(),
        "max" => values.last().copied(),
        "share" => some(inside.iter().filter(|(.., hit)| *hit).count() as f64 / n),
        "distinct" => {
            values.dedup();
            Some(values.len() as f64)
        }
        "p50" => rank(0.50),
        "p90" => rank(0.90),
        "p95" => rank(0.95),
        "p99" => rank(0.99),
        other => panic!("{other}"),
    }
}

fn assert_near(found: Option<f64>, expected: Option<f64>, what: &str) {
    let is_near = match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= expected.abs() * 0.01 + 1e-9,
        (found, expected) => found == expected,
    };
    assert!(is_near, "{what}: found {found:?}, expected {expected:?}");
}

const STATS: [&str; 11] = ["count", "sum", "mean", "min", "max", "share", "distinct", "p50", "p90", "p95", "p99"];

proptest! {
    #![proptest_config(cases(150))]

    /// A window is `now - last < time <= now`, exactly, for events late and early alike, and it forgets although none
    /// comes. Its trend's points are the window at each of 61 instants.
    #[test]
    fn windows_equal_a_model(
        which in 0..STATS.len(),
        last in prop::sample::select(vec![1_i64, 60, 300, 997]),
        steps in prop::collection::vec((any::<bool>(), 0..120_i64, -400..150_i64, -20..20_i32, any::<bool>()), 1..120),
    ) {
        let stat = STATS[which];
        let mut own = window(json!({"last": last, "stat": stat, "match": {"hit": true}, "trend": 600}));
        let mut seen: Vec<Seen> = Vec::new();
        let mut now = 1_000_000;
        advance(&mut own, now);
        for (is_event, by, offset, value, hit) in steps {
            if is_event {
                let at = now + offset;
                let data = json!({"v": f64::from(value) / 4.0, "hit": hit});
                fold(&mut own, at, data);
                seen.push((at, f64::from(value) / 4.0, hit));
            } else {
                now += by;
                advance(&mut own, now);
            }
            let found = number(&own);
            assert_near(found.value, model(stat, &seen, now, last), stat);
            let began = seen.iter().map(|(at, ..)| *at).min().unwrap_or(1_000_000).min(1_000_000);
            let newest = now - now.rem_euclid(10);
            prop_assert_eq!(found.trend.len(), 61);
            // Where the window isn't a multiple of the slot, the points' far edge is a little coarser.
            if last % 10 == 0 {
                for (number, point) in (0..).zip(&found.trend) {
                    let at = newest - 600 + 10 * number;
                    let expected = if at < began { None } else { model(stat, &seen, at, last) };
                    assert_near(*point, expected, "trend");
                }
            }
            let change = found.value.zip(found.trend[0]).map(|(value, start)| value - start);
            prop_assert_eq!(found.change, change);
        }
    }
}

fn filled(last: i64, events: i64, gap: i64) -> Aggregate {
    let mut own = window(json!({"last": last, "stat": "sum"}));
    for number in 0..events {
        fold(&mut own, number * gap, json!({"v": 0.1}));
        advance(&mut own, number * gap);
    }
    own
}

/// H5: memory doesn't grow with the window's length or the rate, and what is given up is the far edge's precision only.
#[test]
fn long_windows_are_bounded() {
    for (last, events) in [(1_000, 20_000), (100_000, 300_000), (86_400_000, 300_000)] {
        let own = filled(last, events, 7);
        let state = own.state();
        let buckets = state["window"]["window"]["buckets"].as_array().map_or(0, Vec::len);
        assert!(buckets <= BUCKETS_MAX, "{last}: {buckets} buckets");
        let quantum = state["window"]["window"]["quantum"].as_i64().unwrap_or(i64::MAX);
        assert!(quantum <= (last / BUCKETS_MAX as i64 * 4).max(1), "{last}: quantum {quantum}");
        let expected = events.min((last + 6) / 7) as f64 * 0.1;
        let edge = quantum as f64 / 7.0 * 0.1 + 1e-6 * expected;
        let found = number(&own).value.expect("a sum");
        assert!((found - expected).abs() <= edge, "{last}: found {found}, expected {expected}");
    }
}

/// No rounding error is left behind: the sum of nothing is exactly zero, after as many events as you like.
#[test]
fn sums_do_not_drift() {
    let mut own = filled(1_000, 50_000, 3);
    advance(&mut own, 50_000 * 3 + 2_000);
    assert_eq!(number(&own).value, Some(0.0));
    fold(&mut own, 50_000 * 3 + 2_000, json!({"v": 0.3}));
    assert_eq!(number(&own).value, Some(0.3));
}

/// A jump of days is as cheap as a second: nothing is done for the time between.
#[test]
fn time_may_jump() {
    let mut own = filled(1_000, 100, 3);
    advance(&mut own, 86_400_000 * 3650);
    assert_eq!((number(&own).value, own.next_change()), (Some(0.0), None));
}

/// H5: of more different values than can be told apart it is said that there are at least so many.
#[test]
fn distinct_values_are_bounded() {
    let mut own = window(json!({"stat": "distinct"}));
    advance(&mut own, 10);
    for value in 0..65_536 {
        fold(&mut own, value % 10, json!({"v": value}));
    }
    let check = |own: &Aggregate, value: f64, at_least: bool| {
        let found = number(own);
        assert_eq!((found.value, found.at_least), (Some(value), at_least));
    };
    check(&own, 65_536.0, false);
    fold(&mut own, 5, json!({"v": 7}));
    check(&own, 65_536.0, false);
    fold(&mut own, 10, json!({"v": "one more"}));
    check(&own, 65_536.0, true);
    // What could not be kept is forgotten with its bucket.
    advance(&mut own, 1010);
    check(&own, 0.0, false);
}

/// A number where none belongs is no event of the window; null and nothing have no part in it.
#[test]
fn only_numbers_take_part() {
    let mut own = window(json!({"stat": "mean"}));
    for data in [json!({"v": 4}), json!({"v": null}), json!({}), json!({"v": 0})] {
        fold(&mut own, 5, data);
    }
    assert!(own.fold(&event("c", "e", 5, json!({"v": "4"}))).is_err());
    assert_eq!(number(&own).value, Some(2.0));
    advance(&mut own, 5000);
    assert_eq!((number(&own).value, own.report()), (None, Value::Null));
}
