//! A clock that was ahead.

use serde_json::json;
use watchfloor_model::{Phase, SourceClock, Timestamp};

use super::stage::{BOARD, START, Stage};
use crate::{frame::WidgetValue, freshness::Freshness};

const DAY_MS: i64 = 86_400_000;

/// A board whose source isn't a hub, which would see to its own time.
fn stage() -> Stage {
    Stage::with(&BOARD.replace("kind = \"hub\"", "kind = \"sse\"").replace("quiet = \"45s\"\n", ""))
}

/// Live, by a clock that shows `at`.
fn shows(stage: &mut Stage, at: i64) {
    let clock = SourceClock { at: Timestamp::from_millis(at), read: stage.now, speed: 1.0, label: None };
    stage.status(|now, status| {
        status.phase = Phase::Live;
        status.link_proof = Some(now);
        status.clock = Some(clock);
    });
}

fn rows(stage: &mut Stage) -> usize {
    match stage.value("table") {
        WidgetValue::Table(table) => table.rows.len(),
        other => panic!("{other:?} is no table"),
    }
}

/// H1: what was dated by a clock that was days ahead isn't the newest until then: it is void, and what comes is shown.
#[test]
fn what_is_of_a_time_to_come_is_void() {
    for ahead in [2 * DAY_MS, DAY_MS / 2] {
        let is_void = ahead > DAY_MS;
        let mut stage = stage();
        shows(&mut stage, START + ahead);
        stage.event_at(START + ahead, json!({"k": "a", "v": 1}));
        assert_eq!((stage.number("gauge"), stage.number("count"), rows(&mut stage)), (Some(1.0), Some(1.0), 1));

        stage.pass(1000);
        shows(&mut stage, START);
        assert_eq!(
            stage.quality("gauge").freshness == Freshness::Unknown,
            is_void,
            "nothing is known until something comes"
        );
        stage.event_at(START, json!({"k": "b", "v": 2}));
        assert_eq!(stage.number("gauge"), Some(if is_void { 2.0 } else { 1.0 }));
        assert_eq!(rows(&mut stage), if is_void { 1 } else { 2 });
        let quality = stage.quality("count");
        assert_eq!(
            (stage.number("count"), quality.incomplete_until_ms.is_some()),
            if is_void { (Some(1.0), true) } else { (Some(2.0), true) }
        );
    }
}

/// H1, H4: nor is what a former run wrote down.
#[test]
fn nor_is_what_was_written_down() {
    let mut stage = stage();
    shows(&mut stage, START + 3 * DAY_MS);
    stage.event_at(START + 3 * DAY_MS, json!({"k": "a", "v": 1}));
    let wall = Timestamp::from_millis(START);
    let checkpoint = stage.board.checkpoint(stage.now, wall);

    let mut stage = self::stage();
    let failed = stage.board.restore(&checkpoint, stage.now, wall);
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(stage.number("gauge"), Some(1.0), "as old as it is, and not live");
    shows(&mut stage, START + 10_000);
    stage.event_at(START + 10_000, json!({"k": "b", "v": 2}));
    assert_eq!((stage.number("gauge"), rows(&mut stage)), (Some(2.0), 1));
}

fn is_marked(stage: &Stage, widget: &str) -> bool {
    stage.quality(widget).incomplete_until_ms.is_some()
}

/// H1, H3: a hub's clock that is set back had let things go too early: what slides with time is marked, and what doesn't isn't.
#[test]
fn what_slides_by_a_hubs_clock_is_marked() {
    for (back_ms, is_set_back) in [(2 * 3_600_000, true), (4_000, false)] {
        let mut stage = Stage::live();
        stage.event(json!({"k": "a", "v": 1}));
        assert_eq!(stage.number("window"), Some(1.0));
        let told = stage.time().as_millis();
        shows(&mut stage, told + back_ms);
        assert_eq!(stage.number("window"), Some(if is_set_back { 0.0 } else { 1.0 }));
        assert!(!is_marked(&stage, "window"));
        shows(&mut stage, told);
        for (widget, slides) in
            [("window", true), ("mean", true), ("series", true), ("count", false), ("gauge", false), ("table", false)]
        {
            assert_eq!(is_marked(&stage, widget), is_set_back && slides, "{widget}, back by {back_ms} ms");
        }
    }
}

/// H2: a hub that begins anew days earlier keeps none of what was folded from being replaced.
#[test]
fn a_hub_that_begins_anew_days_earlier() {
    for days in [3, 0] {
        let mut stage = Stage::new();
        shows(&mut stage, START + days * DAY_MS);
        stage.event_at(START + days * DAY_MS, json!({"k": "a", "v": 1}));
        stage.pass(2000);
        shows(&mut stage, START + 2000);
        stage.snapshot("f:0", &[]);
        assert_eq!(stage.number("gauge").is_none(), days > 0);
        stage.event_at(START + 2000, json!({"k": "b", "v": 2}));
        assert_eq!(stage.number("gauge"), Some(2.0));
        assert!(is_marked(&stage, "count"));
    }
}
