//! Markers move, go, and are bounded.

use watchfloor_model::Timestamp;

use super::*;
use crate::{
    Aggregate,
    testing::{advance, aggregate, event, fold_named as fold},
};

fn markers() -> Aggregate {
    aggregate(json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "heading": "h",
        "label": "{k} {alt}", "state": "s", "remove_on": ["gone"], "expire": 1000}))
}

fn counts(own: &Aggregate) -> (u32, u32) {
    match own.value(0) {
        WidgetValue::Markers(value) => (value.total, value.unplaced),
        other => panic!("{other:?} are no markers"),
    }
}

#[test]
fn markers_move_and_go() {
    let mut own = markers();
    fold(&mut own, 0, "e", json!({"k": "a", "lat": 40.5, "lon": -73, "h": -90, "alt": 3, "s": "late"}));
    fold(&mut own, 100, "e", json!({"k": "b", "lat": 1, "lon": 2}));
    // An older position doesn't take it back, an event without one leaves it where it is.
    fold(&mut own, 50, "e", json!({"k": "b", "lat": 9, "lon": 9}));
    fold(&mut own, 200, "e", json!({"k": "b", "s": "ok"}));
    let expected = json!({
        "a": {"lat": 40.5, "lon": -73.0, "heading": 270, "label": "a 3", "state": "warning"},
        "b": {"lat": 1.0, "lon": 2.0, "heading": null, "label": "b ----", "state": "normal"},
    });
    assert_eq!(own.report(), expected);
    advance(&mut own, 999);
    assert_eq!((counts(&own), own.next_change()), ((2, 0), Some(Timestamp::from_millis(1000))));
    advance(&mut own, 1000);
    assert_eq!(counts(&own), (1, 0));
    fold(&mut own, 1100, "gone", json!({"k": "b"}));
    assert_eq!(counts(&own), (0, 0));
}

/// A word is drawn as the file says, another as a question mark, and what says nothing as before.
#[test]
fn icons_follow_their_word() {
    let mut own =
        aggregate(json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "icon": "t", "trail": 40_000}));
    let icon = |own: &Aggregate| match own.value(0) {
        WidgetValue::Markers(value) => value.markers.first().and_then(|marker| marker.icon),
        other => panic!("{other:?} are no markers"),
    };
    for (at, word, expected) in [
        (0, json!("a"), Some(Icon::Ship)),
        (1, json!("b"), Some(Icon::Car)),
        (2, json!("odd"), Some(Icon::Other)),
        (3, Value::Null, None),
    ] {
        fold(&mut own, at, "e", json!({"k": 1, "lat": 1, "lon": 2, "t": word}));
        assert_eq!(icon(&own), expected, "{word}");
    }
    fold(&mut own, 4, "e", json!({"k": 1, "lat": 1, "lon": 2, "t": "a"}));
    fold(&mut own, 5, "e", json!({"k": 1, "lat": 1, "lon": 2}));
    assert_eq!(icon(&own), Some(Icon::Ship), "it says nothing of it");
    let error = own.fold(&event("c", "e", 6, json!({"k": 1, "lat": 1, "lon": 2, "t": [1]}))).expect_err("a list");
    assert_eq!(error.to_string(), "`t`: found a list of 1, expected a text, a number, true, false or null");
}

/// A position that comes late moves nothing and finds its place in the trail; a gap is told; what goes takes its trail with it, and a
/// marker that comes again begins anew for who has seen the old one (H3).
#[test]
fn trails_hold_late_positions_and_go_with_their_marker() {
    let mut own = aggregate(
        json!({"kind": "markers", "key": "k", "lat": "lat", "lon": "lon", "trail": 40_000, "remove_on": ["gone"]}),
    );
    let value = |own: &Aggregate, since| match own.value(since) {
        WidgetValue::Markers(value) => value,
        other => panic!("{other:?} are no markers"),
    };
    fold(&mut own, 1000, "e", json!({"k": "a", "lat": 1, "lon": 1}));
    fold(&mut own, 3000, "e", json!({"k": "a", "lat": 3, "lon": 3}));
    let painted = own.version();
    fold(&mut own, 2000, "e", json!({"k": "a", "lat": 2, "lon": 2}));
    let late = value(&own, painted);
    assert_eq!((late.markers[0].lat, &late.markers[0].trail), (3.0, &vec![(2000, Some((2.0, 2.0)))]));
    assert!(!late.markers[0].trail_whole);
    own.note_gap(Timestamp::from_millis(3000), Timestamp::from_millis(5000));
    assert_eq!(value(&own, 0).gaps, [(3000, 5000)]);

    let mut other = own.like();
    other.restore(&own.state_text()).expect("its state");
    assert_eq!(other.value(0), own.value(0));

    let painted = own.version();
    fold(&mut own, 6000, "gone", json!({"k": "a"}));
    fold(&mut own, 7000, "e", json!({"k": "a", "lat": 9, "lon": 9}));
    let again = value(&own, painted);
    assert_eq!((again.markers[0].trail_whole, &again.markers[0].trail), (true, &vec![(7000, Some((9.0, 9.0)))]));
}

/// What has no position exists all the same, and nothing of it is drawn.
#[test]
fn things_without_a_position_are_counted() {
    let mut own = markers();
    fold(&mut own, 0, "e", json!({"k": "a", "lat": null, "lon": null}));
    fold(&mut own, 0, "e", json!({"k": "b"}));
    fold(&mut own, 0, "e", json!({"k": "c", "lat": 1, "lon": 2}));
    assert_eq!(counts(&own), (1, 2));
    let painted = own.version();
    fold(&mut own, 1, "e", json!({"k": "a", "lat": 1, "lon": 2}));
    fold(&mut own, 1, "e", json!({"k": "c", "lat": 1, "lon": null}));
    assert_eq!(counts(&own), (1, 2));
    let WidgetValue::Markers(value) = own.value(painted) else { panic!("no markers") };
    assert_eq!((value.whole, value.markers.len(), value.removed), (false, 1, vec!["c".to_owned()]));
    advance(&mut own, 5000);
    assert_eq!(counts(&own), (0, 0));
}

#[test]
fn places_are_on_earth() {
    let mut own = markers();
    fold(&mut own, 0, "e", json!({"k": "a", "lat": 90, "lon": -180}));
    for (data, reason) in [
        (json!({"k": "a", "lat": 90.1, "lon": 0}), "`lat`: found 90.1, expected a number from -90 to 90"),
        (json!({"k": "a", "lat": 0, "lon": 181}), "`lon`: found 181, expected a number from -180 to 180"),
        (json!({"k": "a", "lat": "40", "lon": 0}), "`lat`: found \"40\", expected a number"),
    ] {
        let error = own.fold(&event("c", "e", 1, data)).expect_err(reason).to_string();
        assert_eq!(error, reason);
    }
    assert_eq!(own.report()["a"]["lat"], 90.0);
}

/// H3: what came together, before time was told to pass, has the room of what has gone by then.
#[test]
fn a_key_takes_the_place_of_one_that_has_gone_by_then() {
    let mut own = markers();
    advance(&mut own, 0);
    for key in 0..MARKERS_MAX {
        fold(&mut own, i64::from(key > 0), "e", json!({"k": key, "lat": 1, "lon": 2}));
    }
    fold(&mut own, 1000, "e", json!({"k": "more", "lat": 1, "lon": 2}));
    assert_eq!(counts(&own), (u32::try_from(MARKERS_MAX).expect("few"), 0), "the first one has gone");
    let more = event("c", "e", 1000, json!({"k": "another", "lat": 1, "lon": 2}));
    assert!(own.fold(&more).is_err());
    advance(&mut own, 1001);
    assert_eq!(counts(&own), (1, 0));
}

/// H5: markers are bounded, and a key that comes and goes leaves nothing behind.
#[test]
fn markers_are_bounded() {
    let mut own = markers();
    for key in 0..MARKERS_MAX {
        fold(&mut own, 0, "e", json!({"k": key, "lat": 1, "lon": 2}));
    }
    let more = event("c", "e", 0, json!({"k": "more", "lat": 1, "lon": 2}));
    assert!(own.fold(&more).expect_err("one too many").to_string().contains("expected one of the 10000 keys"));
    advance(&mut own, 1000);
    fold(&mut own, 1000, "e", json!({"k": "more", "lat": 1, "lon": 2}));
    assert_eq!(counts(&own), (1, 0));
}
