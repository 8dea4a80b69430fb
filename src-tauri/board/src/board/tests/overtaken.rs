//! What came last, and is dated before what is shown.

use serde_json::json;

use super::stage::{START, Stage};
use crate::freshness::Freshness;

const KEYED: &str = r#"
[[widget]]
id = "tiles"
kind = "status"
key = "k"
state = "word"
states = { ok = "normal", bad = "alarm" }
place = { column = 3, row = 2, width = 1, height = 1 }
"#;

/// H1: a publisher's clock that was set back leaves a number as the newest for as long: within the limit the number isn't live, nor is
/// what is shown by key; what comes in its order is.
#[test]
fn what_came_last_is_not_shown() {
    let mut stage = Stage::beside(KEYED);
    let freshness = |stage: &Stage, widget: &str| stage.quality(widget).freshness;
    stage.event_at(START + 3_600_000, json!({"k": "a", "word": "bad", "v": 3}));
    stage.event_at(START, json!({"k": "a", "word": "ok", "v": 20}));
    stage.event_at(START + 3_600_001, json!({"k": "b", "word": "ok"}));
    for widget in ["gauge", "tiles"] {
        assert_eq!(freshness(&stage, widget), Freshness::Live, "late news, perhaps");
    }
    for second in 1..5 {
        stage.stay_live(1);
        stage.event_at(START + second * 1000, json!({"k": "a", "word": "ok", "v": 21}));
        assert_eq!((freshness(&stage, "gauge"), freshness(&stage, "tiles")), (Freshness::Live, Freshness::Live));
    }
    stage.stay_live(1);
    stage.event_at(START + 5000, json!({"k": "a", "word": "ok", "v": 21}));
    for widget in ["gauge", "tiles"] {
        let quality = stage.quality(widget);
        let reason = quality.reason.unwrap_or_default();
        assert_eq!(quality.freshness, Freshness::Stale, "{widget}");
        assert!(reason.contains("was a clock set back?"), "{reason}");
    }
    assert_eq!(freshness(&stage, "table"), Freshness::Live, "a row is what came last");
    // In its order again.
    stage.event_at(START + 3_600_002, json!({"k": "a", "word": "ok", "v": 22}));
    for widget in ["gauge", "tiles"] {
        assert_eq!(freshness(&stage, widget), Freshness::Live, "{widget}");
    }
}

/// H2: an event that is late by itself, and one that doesn't speak of what is shown, change nothing.
#[test]
fn late_news_is_no_fault() {
    let mut stage = Stage::beside(KEYED);
    stage.event_at(START + 10_000, json!({"v": 1}));
    stage.event_at(START + 9_000, json!({"v": 2}));
    stage.stay_live(10);
    stage.event_at(START, json!({"k": "a"}));
    assert_eq!(stage.quality("gauge").freshness, Freshness::Live);
    stage.event_at(START + 11_000, json!({"v": 3}));
    stage.event_at(START + 9_000, json!({"v": 2}));
    assert_eq!(stage.quality("gauge").freshness, Freshness::Live);
}

/// H1, H4: a restart takes nothing back: what was overtaken before isn't live because it was read from the disk.
#[test]
fn a_restart_knows_what_was_overtaken() {
    let mut stage = Stage::beside(KEYED);
    stage.event_at(START + 3_600_000, json!({"k": "a", "word": "bad", "v": 3}));
    for second in 0..7 {
        stage.event_at(START + second * 1000, json!({"k": "a", "word": "ok", "v": 20}));
        stage.stay_live(1);
    }
    assert_eq!(stage.quality("gauge").freshness, Freshness::Stale);
    // Nothing comes any more. The wall's clock was set right, or back, meanwhile.
    for wall in [START + 2000, START - 60_000] {
        let next = stage.restarted(wall);
        for widget in ["gauge", "tiles"] {
            assert_eq!(next.quality(widget).freshness, Freshness::Stale, "{widget}");
        }
    }
}
