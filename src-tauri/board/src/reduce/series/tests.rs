//! Charts: buckets, lines, gaps and bounds.

use serde_json::{Value, json};
use watchfloor_model::Timestamp;

use crate::{
    Aggregate,
    frame::{SeriesValue, WidgetValue},
    reduce::TIME_MS_MAX,
    testing::{advance, aggregate_with, event, fold, fold_named},
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

/// A line that the board names has its own events and its own statistic, and is there before anything happened.
#[test]
fn lines_of_their_own() {
    let mut own = series(json!({"value": null, "lines": [
        {"title": "°C", "stat": "mean", "value": "t"},
        {"title": "calls", "on": "call"},
        {"title": "worst", "stat": "max", "value": "t", "on": "e"},
    ]}));
    assert_eq!(own.report(), json!({"calls": [[100, 0]], "worst": [[100, null]], "°C": [[100, null]]}));
    fold(&mut own, 101, json!({"t": 4}));
    fold(&mut own, 102, json!({"t": 6}));
    fold_named(&mut own, 103, "call", json!({"t": 20}));
    fold_named(&mut own, 104, "call", json!({}));
    assert_eq!(own.report(), json!({"calls": [[100, 2]], "worst": [[100, 6]], "°C": [[100, 10]]}));
    // All or nothing, for all of the lines that an event gives something to.
    let odd = event("c", "call", 105, json!({"t": "hot"}));
    assert_eq!(own.fold(&odd).expect_err("no number").to_string(), "`t`: found \"hot\", expected a number");
    assert_eq!(own.report()["calls"], json!([[100, 2]]));
}

/// Lines that all name their events leave every other event alone; without a name a line is of each.
#[test]
fn lines_say_which_events_count() {
    let wants = |lines: Value, name: &str| {
        series(json!({"value": null, "lines": lines})).wants(&event("c", name, 0, json!({})))
    };
    let named = json!([{"title": "a", "on": "call"}, {"title": "b", "on": "ring.*"}]);
    assert!(wants(named.clone(), "call") && wants(named.clone(), "ring.twice") && !wants(named, "other"));
    assert!(wants(json!([{"title": "a", "on": "call"}, {"title": "b"}]), "other"));
}

fn marks(own: &Aggregate) -> Vec<(i64, String)> {
    let found = value(own, 0).marks.expect("marks");
    found.list.into_iter().map(|mark| (mark.at_ms, mark.label)).collect()
}

/// Marks stand at their time, in its order; they count for no line, and go when it leaves the chart.
#[test]
fn marks_stand_at_their_time() {
    let mut own = series(json!({"marks": {"on": "deploy", "label": "{s} {n}"}}));
    own.note_gap(Timestamp::from_millis(60), Timestamp::from_millis(70));
    assert!(own.wants(&event("c", "deploy", 0, json!({}))));
    fold_named(&mut own, 104, "deploy", json!({"s": "web", "n": 2}));
    fold_named(&mut own, 99, "deploy", json!({"s": "api"}));
    fold_named(&mut own, 40, "deploy", json!({"s": "old"}));
    assert_eq!(marks(&own), [(99, "api ----".to_owned()), (104, "web 2".to_owned())]);
    assert_eq!(own.report(), json!([[100, 0]]), "a mark is no event of the line");
    let painted = own.version();
    fold(&mut own, 103, json!({}));
    assert_eq!(value(&own, painted).marks, None, "marks that didn't change aren't sent");
    advance(&mut own, 141);
    assert_eq!(marks(&own), [(104, "web 2".to_owned())]);
    assert!(value(&own, painted).marks.is_some());
    // Without a label the event's name stands there.
    let mut own = series(json!({"marks": {"on": "deploy"}}));
    fold_named(&mut own, 104, "deploy", json!({}));
    assert_eq!(marks(&own), [(104, "deploy".to_owned())]);
}

/// Of the events that may be marked those are that the board asks for, and the others are neither a mark nor of a line.
#[test]
fn marks_are_of_what_the_board_asks_for() {
    let mut own = series(json!({"marks": {"on": "deploy", "label": "{n}", "where": {"env": ["live", "test"]}}}));
    for (at, env) in [(101, json!("live")), (102, json!("dev")), (103, json!("test")), (104, json!(null))] {
        fold_named(&mut own, at, "deploy", json!({"n": at, "env": env}));
    }
    fold_named(&mut own, 105, "deploy", json!({"n": 105}));
    assert_eq!(marks(&own), [(101, "101".to_owned()), (103, "103".to_owned())]);
    assert_eq!(own.report(), json!([[100, 0]]));
}

/// H5: of more marks than are kept the newest are shown, and the others counted for as long as they would be in the chart.
#[test]
fn marks_are_bounded() {
    let mut own = series(json!({"marks": {"on": "deploy", "label": "{n}", "limit": 2}}));
    for at in [101, 103, 102, 105, 104] {
        fold_named(&mut own, at, "deploy", json!({"n": at}));
    }
    let more = |own: &Aggregate| value(own, 0).marks.expect("marks").more;
    assert_eq!((marks(&own), more(&own)), (vec![(104, "104".to_owned()), (105, "105".to_owned())], 3));
    let mut again = series(json!({"marks": {"on": "deploy", "label": "{n}", "limit": 2}}));
    again.restore(&own.state_text()).expect("own state");
    assert_eq!(value(&again, 0), value(&own, 0));
    advance(&mut own, 155);
    assert_eq!((marks(&own), more(&own)), (vec![], 0));
    let long = "x".repeat(500);
    fold_named(&mut own, 155, "deploy", json!({"n": long}));
    assert_eq!(marks(&own)[0].1.chars().count(), 60);
    // Those of a clock that is ahead wait, and drive out nothing.
    for at in 0..256 {
        fold_named(&mut own, 9_000 + at, "deploy", json!({"n": at}));
    }
    assert_eq!((marks(&own).len(), more(&own)), (1, 0));
    let far = event("c", "deploy", 9_999, json!({}));
    assert_eq!(
        own.fold(&far).expect_err("far ahead").to_string(),
        "time: found 9999, expected an instant before 160, the end of the bucket of now"
    );
    advance(&mut own, 9_005);
    assert_eq!((marks(&own).len(), more(&own)), (2, 8), "those of the bucket of now");
    // Set back, what is to come waits again.
    advance(&mut own, 8_995);
    assert_eq!(marks(&own), []);
}

/// A state of marks that can't be is refused, and so is one of a chart that has none.
#[test]
fn marks_of_elsewhere_are_refused() {
    let mut own = series(json!({"marks": {"on": "deploy", "limit": 2}}));
    let state: Value = serde_json::from_str(own.state_text().get()).expect("JSON");
    let mut check = |marks: Value, is_sound: bool| {
        let mut changed = state.clone();
        changed["series"]["marks"] = marks.clone();
        let text = serde_json::value::to_raw_value(&changed).expect("JSON");
        assert_eq!(own.restore(&text).is_ok(), is_sound, "{marks}");
    };
    check(json!({"list": [[1, "a"], [2, "b"]], "left_out": [0]}), true);
    check(json!(null), true);
    check(json!({"list": [[2, "a"], [1, "b"]], "left_out": []}), false);
    check(json!({"list": [[1, "a"], [2, "b"], [3, "c"]], "left_out": []}), false);
    check(json!({"list": [[1, "x".repeat(61)]], "left_out": []}), false);
    check(json!({"list": [[TIME_MS_MAX + 1, "a"]], "left_out": []}), false);
    check(json!({"list": [], "left_out": [2, 1]}), false);
    let text = serde_json::value::to_raw_value(&state).expect("JSON");
    assert!(series(json!({})).restore(&text).is_err());
}

/// What decides the state of older charts is written as it was: their checkpoints and a hub's states stay good.
#[test]
fn older_fingerprints_stay() {
    let spec =
        serde_json::to_value(&crate::testing::fold_of(json!({"kind": "series", "bucket": 10, "keep": 50})).reducer);
    let keys: Vec<String> = spec.expect("JSON").as_object().expect("a table").keys().cloned().collect();
    assert_eq!(keys, ["bucket", "by", "keep", "kind", "stat", "value"]);
}
