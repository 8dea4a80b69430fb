//! Rows of states against a model that keeps every change.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    Aggregate,
    testing::{advance, aggregate, event, fold, note_gap},
};

const KEEP: Ms = 1000;

fn of_lifts() -> Aggregate {
    aggregate(json!({"kind": "timeline", "key": "k", "state": "s", "keep": KEEP}))
}

/// What is known at an instant of a row.
fn at(stretches: &[Stretch], time: Ms) -> Option<&str> {
    let found = stretches.iter().find(|own| own.from_ms <= time && own.to_ms.is_none_or(|to| time < to));
    found.map(|own| own.text.as_str())
}

fn rows(own: &Aggregate) -> BTreeMap<String, Vec<Stretch>> {
    let WidgetValue::Timeline(value) = own.value(0) else { panic!("no timeline") };
    value.rows.into_iter().map(|row| (row.key, row.stretches)).collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// A row is said to be in a state.
    Said(u8, u8),
    /// Nobody knows what was for so long.
    Gap(i64),
    Advance,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        6 => (0..3_u8, 0..3_u8).prop_map(|(key, state)| Step::Said(key, state)),
        1 => (1..200_i64).prop_map(Step::Gap),
        2 => Just(Step::Advance),
    ];
    prop::collection::vec((0..120_i64, step), 0..60)
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    /// H3: what is shown of an instant is what was last said before it, and nothing where something may have been missed since. H1:
    /// nothing is known before the first word.
    #[test]
    fn rows_equal_a_model(steps in steps()) {
        let mut own = of_lifts();
        let (mut now, mut said, mut gaps) = (10_000, Vec::new(), Vec::new());
        advance(&mut own, now);
        for (after, step) in steps {
            now += after;
            match step {
                Step::Said(key, state) => {
                    let text = ["ok", "late", "bad"][usize::from(state)];
                    said.push((now, format!("k{key}"), text));
                    fold(&mut own, now, json!({"k": format!("k{key}"), "s": text}));
                }
                Step::Gap(length) => {
                    note_gap(&mut own, now, now + length);
                    gaps.push((now, now + length));
                    now += length;
                    advance(&mut own, now);
                }
                Step::Advance => advance(&mut own, now),
            }
        }
        advance(&mut own, now);
        let rows = rows(&own);
        for key in ["k0", "k1", "k2"] {
            let of_key: Vec<_> = said.iter().filter(|(_, own, _)| own == key).collect();
            prop_assert_eq!(rows.contains_key(key), !of_key.is_empty());
            for time in now - KEEP + 1..=now {
                let last = of_key.iter().rfind(|(said, ..)| *said <= time);
                let missed = |since: i64| gaps.iter().any(|(from, to)| *from <= time && since < *to);
                let expected = last.filter(|(since, ..)| !missed(*since)).map(|(.., text)| *text);
                let known = rows.get(key).and_then(|row| at(row, time));
                prop_assert_eq!(known, expected, "{} at {}", key, time);
            }
        }
        let mut again = of_lifts();
        again.restore(&own.state_text()).expect("own state");
        prop_assert_eq!(again.state_text().to_string(), own.state_text().to_string());
    }

    /// H3: what came late is at its place, and nothing that was said is overwritten by what was said before it.
    #[test]
    fn late_words_find_their_place(times in prop::collection::vec((0..500_i64, 0..3_u8), 1..40)) {
        let mut own = of_lifts();
        advance(&mut own, 600);
        for (time, state) in &times {
            fold(&mut own, *time, json!({"k": "a", "s": (["ok", "late", "bad"][usize::from(*state)])}));
        }
        let row = &rows(&own)["a"];
        let (newest, _) = times.iter().max_by_key(|(time, _)| *time).copied().expect("one");
        let last = times.iter().rfind(|(time, _)| *time == newest).map(|(_, state)| ["ok", "late", "bad"][usize::from(*state)]);
        prop_assert_eq!(at(row, 600), last);
        prop_assert!(row.windows(2).all(|pair| pair[0].to_ms.is_some_and(|to| to <= pair[1].from_ms)));
        prop_assert_eq!(at(row, times.iter().map(|(time, _)| *time).min().expect("one") - 1), None);
    }
}

#[test]
fn changes_are_told_by_row() {
    let mut own = of_lifts();
    fold(&mut own, 10, json!({"k": "a", "s": "ok"}));
    fold(&mut own, 10, json!({"k": "b", "s": "odd"}));
    let version = own.version();
    // The same again is nothing new; what says nothing of the state, nothing at all.
    fold(&mut own, 20, json!({"k": "a", "s": "ok"}));
    fold(&mut own, 20, json!({"k": "c"}));
    assert_eq!(own.version(), version);
    fold(&mut own, 30, json!({"k": "a", "s": "bad"}));
    let WidgetValue::Timeline(change) = own.value(version) else { panic!("no timeline") };
    assert_eq!((change.whole, change.rows.len()), (false, 1));
    let expected = json!({
        "a": {"label": "a", "stretches": [[10, 30, "ok", "normal"], [30, null, "bad", "alarm"]]},
        "b": {"label": "b", "stretches": [[10, null, "odd", "unknown"]]},
    });
    assert_eq!(own.report(), expected);
    // What ended before the window goes, and what it began with stays.
    assert_eq!(own.next_change().map(watchfloor_model::Timestamp::as_millis), Some(1030));
    advance(&mut own, 1030);
    assert_eq!(own.report()["a"]["stretches"], json!([[30, null, "bad", "alarm"]]));
}

/// H5
#[test]
fn rows_and_their_states_are_bounded() {
    let mut own = of_lifts();
    for key in 0..ROWS_MAX {
        fold(&mut own, 1, json!({"k": key, "s": "ok"}));
    }
    let error =
        own.fold(&event("c", "e", 2, json!({"k": "more", "s": "ok"}))).expect_err("one row too many").to_string();
    assert_eq!(error, "`k`: found \"more\", expected one of the 100 keys that there are already");
    for time in 0..3 * RUNS_MAX as i64 {
        fold(&mut own, 2, json!({"k": 1, "s": "ok"}));
        fold(&mut own, 10 + time, json!({"k": 1, "s": if time % 2 == 0 { "bad" } else { "late" }}));
    }
    let row = &rows(&own)["1"];
    assert_eq!(row.len(), RUNS_MAX);
    assert_eq!(at(row, 10), None, "nobody knows any more");
}

/// H8: what is restored comes from outside.
#[test]
fn odd_states_are_refused() {
    let run = |from: i64, last: i64| json!({"from": from, "last": last, "text": "ok", "state": "normal"});
    for rows in [
        json!({"a": {"label": "a", "runs": []}}),
        json!({"a": {"label": "a", "runs": [run(2, 1)]}}),
        json!({"a": {"label": "a", "runs": [run(2, 9), run(5, 9)]}}),
        json!({"": {"label": "a", "runs": [run(2, 2)]}}),
        json!({"a": {"label": "x".repeat(301), "runs": [run(2, 2)]}}),
    ] {
        let state = json!({"rows": rows, "gaps": [], "now": 0});
        let whole = json!({"form": 1, "now": 0, "clock": true, "newest": null, "timeline": state}).to_string();
        let whole: Box<RawValue> = serde_json::from_str(&whole).expect("JSON");
        assert!(of_lifts().restore(&whole).is_err(), "{whole}");
    }
}
