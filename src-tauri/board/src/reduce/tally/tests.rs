//! Bars against a model that counts anew.

use proptest::prelude::*;
use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use super::*;
use crate::{
    Aggregate,
    testing::{advance, aggregate, event, fold},
};

/// A minute's window, in steps of a quarter of a second.
fn last_minute(stat: &str) -> Aggregate {
    aggregate(json!({"kind": "tally", "by": "k", "stat": stat, "value": "v", "match": {"v": 3}, "last": 60_000}))
}

fn of(stat: &str, values: &[i64]) -> Option<f64> {
    let values: Vec<f64> = values.iter().map(|value| *value as f64).collect();
    let (n, sum) = (values.len() as f64, values.iter().sum::<f64>());
    let some = |value: f64| (!values.is_empty()).then_some(value);
    match stat {
        "count" => Some(n),
        "sum" => Some(sum),
        "mean" => some(sum / n),
        "min" => values.iter().copied().reduce(f64::min),
        "max" => values.iter().copied().reduce(f64::max),
        _ => some(values.iter().filter(|value| **value == 3.0).count() as f64 / n),
    }
}

fn report_of(model: BTreeMap<String, Option<f64>>) -> Value {
    Value::Object(model.into_iter().map(|(key, value)| (key, number_report(value))).collect())
}

fn stories() -> impl Strategy<Value = Vec<(i64, i64, u8, i64)>> {
    prop::collection::vec((0..9000_i64, -3000..20_000_i64, 0..5_u8, -4..5_i64), 0..80)
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    /// H3: what slides is the plain statistic of what lies in the window, whatever came late or early, and however often time was told.
    #[test]
    fn windows_equal_a_model(story in stories(), stat in 0..6_usize) {
        let stat = ["count", "sum", "mean", "min", "max", "share"][stat];
        let mut own = last_minute(stat);
        let (mut now, mut seen) = (1_000_000, Vec::new());
        advance(&mut own, now);
        for (after, late, key, value) in story {
            now += after;
            if late % 3 != 0 {
                advance(&mut own, now);
            }
            let at = now - late;
            seen.push((at, format!("k{key}"), value));
            fold(&mut own, at, json!({"k": format!("k{key}"), "v": value}));
        }
        advance(&mut own, now);
        let mut by_key: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (at, key, value) in seen {
            let end = (at + 249) / 250 * 250;
            if now - 60_000 < end && end - 250 < now {
                by_key.entry(key).or_default().push(value);
            }
        }
        let model = by_key.into_iter().map(|(key, values)| (key, of(stat, &values))).collect();
        prop_assert_eq!(own.report(), report_of(model));
        let again = restored(&own, last_minute(stat));
        prop_assert_eq!(again.report(), own.report());
        prop_assert_eq!(again.next_change(), own.next_change());
    }

    /// H3: time alone changes nothing before it is said to.
    #[test]
    fn next_change_is_the_first(story in stories()) {
        let mut own = last_minute("count");
        let mut now = 1_000_000;
        advance(&mut own, now);
        for (after, late, key, _) in story {
            now += after;
            advance(&mut own, now);
            fold(&mut own, now - late, json!({"k": key}));
        }
        while let Some(next) = own.next_change() {
            let (before, next) = (own.report(), next.as_millis());
            prop_assert!(next > now);
            advance(&mut own, next - 1);
            prop_assert_eq!(own.report(), before.clone());
            advance(&mut own, next);
            prop_assert_ne!(own.report(), before);
            now = next;
        }
        prop_assert_eq!(own.report(), json!({}));
    }
}

fn restored(own: &Aggregate, mut again: Aggregate) -> Aggregate {
    again.restore(&own.state_text()).expect("own state");
    assert_eq!(again.state_text().get(), own.state_text().get());
    again
}

#[test]
fn bars_that_always_stand_are_zero_and_not_unknown() {
    let mut own =
        aggregate(json!({"kind": "tally", "by": "k", "stat": "sum", "value": "v", "categories": ["DHL", "UPS"]}));
    assert_eq!(own.report(), json!({"DHL": 0, "UPS": 0}));
    fold(&mut own, 10, json!({"k": "UPS", "v": -2.5}));
    // Of another category; without a number; a number for a key.
    fold(&mut own, 20, json!({"k": "GLS", "v": 4}));
    fold(&mut own, 20, json!({"k": "FedEx", "v": null}));
    fold(&mut own, 20, json!({"k": 7, "v": 1}));
    assert_eq!(own.report(), json!({"7": 1, "DHL": 0, "GLS": 4, "UPS": -2.5}));
    let mut means = aggregate(json!({"kind": "tally", "by": "k", "stat": "mean", "value": "v", "categories": ["DHL"]}));
    advance(&mut means, 5);
    assert_eq!(means.report(), json!({"DHL": null}));
}

#[test]
fn days_begin_anew() {
    let spec = json!({"kind": "tally", "by": "k", "reset": 0, "timezone": "Europe/Berlin"});
    let mut own = aggregate(spec.clone());
    let at = |text: &str| pick::instant_of_text(text).expect("an instant");
    advance(&mut own, at("2026-10-25T10:00:00Z"));
    fold(&mut own, at("2026-10-24T21:59:59Z"), json!({"k": "a"}));
    fold(&mut own, at("2026-10-24T22:00:00Z"), json!({"k": "b"}));
    // The day has 25 hours; what is of the next waits for it.
    fold(&mut own, at("2026-10-25T22:59:59Z"), json!({"k": "b"}));
    fold(&mut own, at("2026-10-25T23:00:00Z"), json!({"k": "c"}));
    assert_eq!(own.report(), json!({"b": 2}));
    assert_eq!(own.next_change(), Some(Timestamp::from_millis(at("2026-10-25T23:00:00Z"))));
    let mut own = restored(&own, aggregate(spec));
    advance(&mut own, at("2026-10-25T23:00:00Z"));
    assert_eq!(own.report(), json!({"c": 1}));
}

/// H5
#[test]
fn bars_and_their_stretches_are_bounded() {
    let mut own = last_minute("count");
    advance(&mut own, 0);
    for key in 0..BARS_MAX {
        fold(&mut own, 0, json!({"k": key}));
    }
    let error = own.fold(&event("c", "e", 0, json!({"k": "more"}))).expect_err("one bar too many").to_string();
    assert_eq!(error, "`k`: found \"more\", expected one of the 100 categories that there are already");
    for step in 1..STRETCHES_MAX {
        fold(&mut own, step as i64 * 250, json!({"k": 1}));
    }
    let error = own.fold(&event("c", "e", 10_000_000, json!({"k": 1}))).expect_err("too far ahead").to_string();
    assert_eq!(error, "time: found 10000000, expected an instant before or soon after 0");
    advance(&mut own, 60_250);
    assert_eq!(own.report()["1"], json!(240));
}

/// H8: what is restored comes from outside.
#[test]
fn odd_states_are_refused() {
    for state in [
        json!({"bars": {"": [[250, [1, 0, 1.0, 1.0, 1.0]]]}, "now": 0}),
        json!({"bars": {"a": []}, "now": 0}),
        json!({"bars": {"a": [[251, [1, 0, 1.0, 1.0, 1.0]]]}, "now": 0}),
        json!({"bars": {"a": [[250, [0, 0, 1.0, 1.0, 1.0]]]}, "now": 0}),
        json!({"bars": {}, "now": 9e18}),
    ] {
        let mut own = last_minute("count");
        let whole = json!({"form": 1, "now": 0, "clock": true, "newest": null, "tally": state}).to_string();
        let whole: Box<RawValue> = serde_json::from_str(&whole).expect("JSON");
        assert!(own.restore(&whole).is_err(), "{whole}");
    }
}
