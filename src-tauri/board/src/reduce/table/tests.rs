//! Tables: cells, order, limits, and rows that go.

use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use super::{BYTES_MAX, ROWS_MAX};
use crate::{
    Aggregate,
    frame::{Cell, State, TableValue, WidgetValue},
    testing::{advance, aggregate_with, event, fold_named as fold},
};

fn table(settings: Value) -> Aggregate {
    aggregate_with(json!({"kind": "table", "key": "k", "columns": ["v", "t"]}), settings)
}

fn value(own: &Aggregate, since: u64) -> TableValue {
    match own.value(since) {
        WidgetValue::Table(table) => table,
        other => panic!("{other:?} is no table"),
    }
}

fn order(own: &Aggregate) -> String {
    value(own, 0).order.expect("a whole table has an order").join(" ")
}

/// An event updates what it speaks of; zero, empty, null and missing are four things.
#[test]
fn cells_are_merged() {
    let mut own = table(json!({"state": "s"}));
    fold(&mut own, 1, "e", json!({"k": "a", "v": 0}));
    fold(&mut own, 2, "e", json!({"k": "a", "t": "", "s": "late"}));
    fold(&mut own, 3, "e", json!({"k": "b", "v": null, "s": "odd"}));
    fold(&mut own, 4, "e", json!({"k": "a", "other": 1}));
    let rows = value(&own, 0).rows;
    assert_eq!(rows[0].cells, [Cell::Number(0.0), Cell::Text(String::new())]);
    assert_eq!(rows[1].cells, [Cell::Null, Cell::Missing]);
    assert_eq!((rows[0].state, rows[1].state), (State::Warning, State::Unknown));
    assert_eq!(
        own.report(),
        json!([{"key": "a", "cells": [0, ""], "state": "warning"}, {"key": "b", "cells": [null, null], "state": "unknown"}])
    );
    fold(&mut own, 5, "e", json!({"k": "a", "s": null}));
    assert_eq!(value(&own, 0).rows[0].state, State::Normal);
}

/// Bad input leaves the row as it was, and says where it was bad.
#[test]
fn bad_cells_are_rejected_whole() {
    let mut own = table(json!({"expire_at": "x"}));
    fold(&mut own, 1, "e", json!({"k": "a", "v": 1, "t": "one"}));
    let before = own.state();
    let mut check = |data: Value, reason: &str| {
        let error = own.fold(&event("c", "e", 2, data)).expect_err(reason).to_string();
        assert!(error.starts_with(reason), "{error}");
        assert_eq!(own.state(), before);
    };
    check(json!({"k": "a", "v": 2, "t": {"x": 1}}), "`t`: found an object of 1 fields");
    check(json!({"k": "a", "v": 2, "x": "soon"}), "`x`: found \"soon\"");
    check(json!({"k": null, "v": 2}), "`k`: found null");
    check(json!({"k": "", "v": 2}), "`k`: found \"\"");
    check(json!({"k": [1], "v": 2}), "`k`: found a list of 1");
}

#[test]
fn rows_are_sorted_then_by_key() {
    let rows =
        [("a", json!(2)), ("b", json!(10)), ("c", json!("x")), ("d", json!(null)), ("e", json!(2)), ("f", json!(-0.0))];
    let check = |settings: Value, expected: &str| {
        let mut own = table(settings);
        for (key, v) in &rows {
            fold(&mut own, 1, "e", json!({"k": key, "v": v}));
        }
        assert_eq!(order(&own), expected);
    };
    check(json!({}), "a b c d e f");
    check(json!({"sort": "v"}), "f a e b c d");
    check(json!({"sort": "v", "descending": true}), "c b a e f d");
    let mut own = table(json!({"sort": "v", "limit": 2}));
    for (key, v) in &rows {
        fold(&mut own, 1, "e", json!({"k": key, "v": v}));
    }
    let found = value(&own, 0);
    assert_eq!((found.rows.len(), found.total, order(&own)), (2, 6, "f a".to_owned()));
    // A row that moves out of sight lets the next one in, and only that crosses to the page.
    let painted = own.version();
    fold(&mut own, 2, "e", json!({"k": "f", "v": 50}));
    let found = value(&own, painted);
    assert!(!found.whole);
    assert_eq!(found.rows.iter().map(|row| &*row.key).collect::<Vec<_>>(), ["e"]);
    assert_eq!((found.removed, found.order), (vec!["f".to_owned()], Some(vec!["a".to_owned(), "e".to_owned()])));
    // What changes out of sight doesn't.
    let painted = own.version();
    fold(&mut own, 3, "e", json!({"k": "f", "t": "new"}));
    let found = value(&own, painted);
    assert_eq!((found.rows.len(), found.removed.len(), found.order), (0, 0, None));
}

#[test]
fn rows_go_when_their_time_comes() {
    let mut own = table(json!({"expire": 1000, "expire_at": "x", "remove_on": ["gone"]}));
    let check = |own: &mut Aggregate, now: i64, expected: &str| {
        advance(own, now);
        assert_eq!(order(own), expected, "{now}");
    };
    fold(&mut own, 0, "e", json!({"k": "a"}));
    fold(&mut own, 100, "e", json!({"k": "b", "x": 600}));
    fold(&mut own, 200, "e", json!({"k": "c", "x": "1970-01-01T00:00:09Z"}));
    fold(&mut own, 200, "e", json!({"k": "d"}));
    check(&mut own, 300, "a b c d");
    assert_eq!(own.next_change(), Some(Timestamp::from_millis(600)));
    fold(&mut own, 300, "gone", json!({"k": "d", "v": [1]}));
    fold(&mut own, 300, "gone", json!({"k": "nobody"}));
    check(&mut own, 599, "a b c");
    check(&mut own, 600, "a c");
    // An event keeps a row; an earlier end by word stands all the same.
    fold(&mut own, 900, "e", json!({"k": "a"}));
    check(&mut own, 1000, "a c");
    check(&mut own, 1200, "a");
    // Null takes the end back.
    fold(&mut own, 1200, "e", json!({"k": "a", "x": 1300}));
    fold(&mut own, 1201, "e", json!({"k": "a", "x": null}));
    check(&mut own, 2200, "a");
    check(&mut own, 2201, "");
    // What is over when it comes is not shown, and a row that comes again comes empty.
    fold(&mut own, 1000, "e", json!({"k": "e"}));
    assert_eq!(order(&own), "");
    fold(&mut own, 2201, "e", json!({"k": "a", "v": 1}));
    fold(&mut own, 3300, "e", json!({"k": "a", "t": "new"}));
    assert_eq!(value(&own, 0).rows[0].cells, [Cell::Missing, Cell::Text("new".into())]);
}

/// H3, H5: rows beyond the limit aren't kept, and so can't be counted: there are at least as many as are kept, however often one of the
/// others is heard. The rows that are kept are the first in order.
#[test]
fn rows_are_bounded() {
    let mut own = table(json!({"sort": "v", "limit": 1}));
    let most = i64::try_from(ROWS_MAX).expect("small");
    for number in (0..most + 50).rev() {
        fold(&mut own, 1, "e", json!({"k": format!("{number:06}"), "v": number}));
    }
    assert_eq!(order(&own), "000000");
    assert_eq!(own.state()["table"]["rows"].as_array().map(Vec::len), Some(ROWS_MAX));
    let count = |own: &Aggregate| (value(own, 0).total, value(own, 0).at_least);
    let full = u32::try_from(most).expect("small");
    assert_eq!(count(&own), (full, true));
    for _ in 0..2 {
        fold(&mut own, 1, "e", json!({"k": "last", "v": most * 2}));
        assert_eq!(count(&own), (full, true));
    }
    // So it is where that was written down, and those that went may have been any.
    let text = own.state_text();
    own.restore(&text).expect("own state");
    assert_eq!(count(&own), (full, true));
    let mut own = table(json!({"remove_on": ["gone"]}));
    for number in 0..=most {
        fold(&mut own, 1, "e", json!({"k": number}));
    }
    fold(&mut own, 1, "gone", json!({"k": 1}));
    assert_eq!(count(&own), (full - 1, true));
    for number in 0..=most {
        fold(&mut own, 1, "gone", json!({"k": number}));
    }
    assert_eq!(count(&own), (0, false));
}

/// H5: long texts are bounded as well, and the rows that stay are the first in order.
#[test]
fn bytes_are_bounded() {
    let mut own = table(json!({"sort": "v"}));
    let text = "x".repeat(300);
    let rows = BYTES_MAX / 2 / 300;
    for number in (0..rows).rev() {
        fold(&mut own, 1, "e", json!({"k": format!("{number:0>150}"), "v": number, "t": text}));
    }
    let found = value(&own, 0);
    assert!(found.at_least && (found.total as usize) < rows && found.total > 50_000, "{}", found.total);
    assert_eq!(found.rows[0].cells[0], Cell::Number(0.0));
    let state = own.state_text();
    own.restore(&state).expect("own state");
    assert_eq!(value(&own, 0).total, found.total);
}

/// Groups stand in order, each counted, also what isn't shown of it; rows in them by what else they are sorted by.
#[test]
fn rows_are_grouped() {
    let mut own =
        table(json!({"group": "t", "sort": "t", "descending": true, "then": ["-v"], "limit": 3, "state": "s"}));
    for (key, t, v, s) in
        [("a", "x", 1, "ok"), ("b", "y", 2, "late"), ("c", "y", 3, "ok"), ("d", "x", 4, "bad"), ("e", "x", 5, "odd")]
    {
        fold(&mut own, 1, "e", json!({"k": key, "v": v, "t": t, "s": s}));
    }
    fold(&mut own, 1, "e", json!({"k": "f", "v": 9, "t": null}));
    let groups = |own: &Aggregate| -> Vec<(Option<String>, u32, State, u32)> {
        let groups = value(own, 0).groups.into_iter();
        groups.map(|group| (group.name, group.total, group.state, group.shown)).collect()
    };
    assert_eq!(order(&own), "c b e");
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(groups(&own), [(name("y"), 2, State::Warning, 2), (name("x"), 3, State::Alarm, 1)]);
    assert_eq!(value(&own, 0).groups_total, 3);
    // What happens out of sight is told of its group.
    let painted = own.version();
    fold(&mut own, 2, "e", json!({"k": "d", "s": "ok"}));
    assert!(own.version() > painted);
    assert_eq!(groups(&own)[1], (name("x"), 3, State::Unknown, 1));
    fold(&mut own, 2, "e", json!({"k": "e", "t": null}));
    assert_eq!((order(&own), value(&own, 0).groups_total), ("c b d".to_owned(), 3));
    let state = own.state_text();
    own.restore(&state).expect("own state");
    assert_eq!(groups(&own), [(name("y"), 2, State::Warning, 2), (name("x"), 2, State::Normal, 1)]);
}

/// Who has seen nothing newer than the oldest gone row gets the whole.
#[test]
fn old_pages_get_the_whole() {
    let mut own = table(json!({"remove_on": ["gone"]}));
    let painted = own.version();
    for number in 0..1100 {
        fold(&mut own, 1, "e", json!({"k": number}));
        fold(&mut own, 1, "gone", json!({"k": number}));
    }
    assert!(value(&own, painted).whole);
    assert!(!value(&own, own.version() - 10).whole);
}
