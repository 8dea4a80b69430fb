//! Charts: buckets, lines, gaps and bounds.

use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use crate::{
    Aggregate,
    frame::{SeriesValue, WidgetValue},
    reduce::TIME_MS_MAX,
    testing::{advance, aggregate_with, event, fold},
};

fn series(settings: Value) -> Aggregate {
    let mut own = aggregate_with(json!({"kind": "series", "bucket": 10, "keep": 50, "value": "v"}), settings);
    advance(&mut own, 105);
    own
}

fn value(own: &Aggregate, since: u64) -> SeriesValue {
    match own.value(since) {
        WidgetValue::Series(series) => series,
        other => panic!("{other:?} is no chart"),
    }
}

/// A bucket is its start included to its end excluded; where nothing happened, the count is zero and a mean nothing.
#[test]
fn statistics_a_bucket() {
    let check = |stat: &str, expected: Value| {
        let mut own = series(json!({"stat": stat}));
        for (at, v) in [(100, 5), (109, 1), (104, 3), (120, 2), (131, 7)] {
            fold(&mut own, at, json!({"v": v}));
        }
        fold(&mut own, 105, json!({"v": null}));
        advance(&mut own, 130);
        assert_eq!(own.report(), expected, "{stat}");
    };
    check("count", json!([[100, 4], [110, 0], [120, 1], [130, 1]]));
    check("sum", json!([[100, 9], [110, 0], [120, 2], [130, 7]]));
    check("mean", json!([[100, 3], [110, null], [120, 2], [130, 7]]));
    check("min", json!([[100, 1], [110, null], [120, 2], [130, 7]]));
    check("max", json!([[100, 5], [110, null], [120, 2], [130, 7]]));
    check("last", json!([[100, 1], [110, null], [120, 2], [130, 7]]));
}

/// H5: a state whose first bucket begins at no instant is refused, also where nothing happened in it.
#[test]
fn buckets_beyond_time_are_refused() {
    let mut own = series(json!({}));
    let mut state: Value = serde_json::from_str(own.state_text().get()).expect("JSON");
    for (first, is_sound) in [(10, true), (TIME_MS_MAX, false), (-TIME_MS_MAX, false)] {
        let kind = state["series"].as_object_mut().expect("a chart's");
        for (field, value) in
            [("first", json!(first)), ("len", json!(1)), ("lines", json!({"": []})), ("ahead", json!([]))]
        {
            kind.insert(field.to_owned(), value);
        }
        let text = serde_json::value::to_raw_value(&state).expect("JSON");
        assert_eq!(own.restore(&text).is_ok(), is_sound, "{first}");
        let _written = own.report();
    }
}

/// A chart keeps its stretch and nothing else; late events find their bucket, future ones wait for it.
#[test]
fn buckets_come_and_go() {
    let mut own = series(json!({}));
    fold(&mut own, 85, json!({}));
    fold(&mut own, 135, json!({}));
    fold(&mut own, 40, json!({}));
    assert_eq!(own.report(), json!([[80, 1], [90, 0], [100, 0]]));
    advance(&mut own, 130);
    assert_eq!(own.report(), json!([[90, 0], [100, 0], [110, 0], [120, 0], [130, 1]]));
    assert_eq!(own.next_change(), Some(Timestamp::from_millis(140)));
    fold(&mut own, 80, json!({}));
    advance(&mut own, 100_000);
    let found = value(&own, 0).lines;
    assert_eq!(
        found[0].points,
        [(99_960, Some(0.0)), (99_970, Some(0.0)), (99_980, Some(0.0)), (99_990, Some(0.0)), (100_000, Some(0.0))]
    );
    // Set back: what is known to have happened later waits for its time.
    fold(&mut own, 99_995, json!({}));
    advance(&mut own, 99_985);
    advance(&mut own, 99_999);
    assert_eq!(own.report(), json!([[99_960, 0], [99_970, 0], [99_980, 0], [99_990, 1]]));
}

#[test]
fn lines_by_key_are_bounded() {
    let mut own = series(json!({"by": "k"}));
    for key in 0..12 {
        fold(&mut own, 100, json!({"k": format!("{key:02}")}));
    }
    let more = event("c", "e", 100, json!({"k": "more"}));
    let error = own.fold(&more).expect_err("one line too many").to_string();
    assert_eq!(error, "`k`: found \"more\", expected one of the 12 lines that there are already");
    fold(&mut own, 110, json!({"k": "03"}));
    let painted = own.version();
    fold(&mut own, 100, json!({"k": "03"}));
    let found = value(&own, painted);
    assert_eq!((found.whole, found.lines.len(), &found.lines[0].points[..]), (false, 1, &[(100, Some(2.0))][..]));
    // Lines without any value left make room.
    advance(&mut own, 150);
    assert_eq!(own.report(), json!({"03": [[110, 1], [120, 0], [130, 0], [140, 0], [150, 0]]}));
    fold(&mut own, 150, json!({"k": "more"}));
    assert_eq!(value(&own, 0).lines.len(), 2);
}

/// H3: of a stretch that nobody can prove, it isn't said that nothing happened.
#[test]
fn gaps_are_shown_as_gaps() {
    let mut own = series(json!({}));
    fold(&mut own, 95, json!({}));
    advance(&mut own, 135);
    own.note_gap(Timestamp::from_millis(108), Timestamp::from_millis(122));
    fold(&mut own, 121, json!({}));
    assert_eq!(own.report(), json!([[90, 1], [100, null], [110, null], [120, 1], [130, 0]]));
    assert_eq!(value(&own, 0).gaps, [(108, 122)]);
    advance(&mut own, 165);
    assert_eq!(value(&own, 0).gaps, [(108, 122)]);
    advance(&mut own, 175);
    assert_eq!(value(&own, 0).gaps, []);
    assert_eq!(own.horizon(), Some(Timestamp::from_millis(130)));
}

/// H5: events far ahead of time are bounded, and say so.
#[test]
fn what_is_too_far_ahead_is_rejected() {
    let mut own = series(json!({}));
    for bucket in 0..256 {
        fold(&mut own, 200 + 10 * bucket, json!({}));
    }
    let error = own.fold(&event("c", "e", 99_999, json!({}))).expect_err("too far ahead").to_string();
    assert_eq!(error, "time: found 99999, expected an instant before 110, the end of the bucket of now");
    advance(&mut own, 225);
    fold(&mut own, 99_999, json!({}));
}
