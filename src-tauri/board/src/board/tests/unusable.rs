//! What came last, and can't be used.

use serde_json::{Value, json};

use super::stage::{START, Stage};
use crate::freshness::Freshness;

const KEYED: &str = r#"
[[widget]]
id = "map"
kind = "markers"
key = "k"
lat = "at.y"
lon = "at.x"
place = { column = 3, row = 2, width = 1, height = 1 }
"#;

fn freshness(stage: &Stage) -> (Freshness, Freshness) {
    (stage.quality("gauge").freshness, stage.quality("map").freshness)
}

/// H1: what was before a newer value that can't be used is as good as one that nothing confirms any more: within its limit, by the
/// page's clock as well, it isn't live. The next one that can be used is.
#[test]
fn what_is_newest_can_not_be_used() {
    const BOTH: (Freshness, Freshness) = (Freshness::Live, Freshness::Live);
    let mut stage = Stage::beside(KEYED);
    let said = |v: Value, y: Value| json!({"k": "a", "v": v, "at": {"x": 1, "y": y}});
    stage.event_at(START, said(json!(20), json!(1)));
    stage.stay_live(2);
    stage.event_at(START + 2000, said(json!("ERR"), json!("?")));
    assert_eq!(freshness(&stage), BOTH, "it was so a moment ago");
    stage.stay_live(4);
    for widget in ["gauge", "map"] {
        assert_eq!(stage.quality(widget).live_for_ms, 1000, "{widget}");
    }
    // Another one changes nothing: it isn't the first.
    stage.event_at(START + 6000, said(json!("ERR"), json!("?")));
    stage.stay_live(2);
    assert_eq!(freshness(&stage), (Freshness::Stale, Freshness::Stale));
    let quality = stage.quality("gauge");
    assert_eq!((quality.reason.as_deref(), quality.age_ms), (Some("the newest value can't be used"), Some(6000)));
    stage.event_at(START + 3000, said(json!(21), json!(2)));
    assert_eq!(freshness(&stage), BOTH, "newer than what was shown");
}

/// H2: what is older than what is shown, or speaks of something else, or of nothing shown, needn't be of use.
#[test]
fn what_is_not_the_newest() {
    let mut stage = Stage::beside(KEYED);
    stage.event_at(START, json!({"k": "a", "at": {"x": 1, "y": "?"}}));
    stage.event_at(START + 2000, json!({"k": "a", "v": 1, "at": {"x": 1, "y": 1}}));
    stage.event_at(START + 1000, json!({"k": "a", "v": "ERR", "at": {"x": 1, "y": "?"}}));
    stage.event_at(START + 3000, json!({"k": "b", "at": {"x": 1, "y": "?"}}));
    stage.stay_live(9);
    assert_eq!(freshness(&stage), (Freshness::Live, Freshness::Live));
}

/// H1, H4: a restart takes nothing back, whatever the wall's clock says by then: the value isn't live because it was read from the disk.
#[test]
fn a_restart_knows_what_can_not_be_used() {
    let mut stage = Stage::beside(KEYED);
    stage.event_at(START, json!({"k": "a", "v": 20, "at": {"x": 1, "y": 1}}));
    stage.event_at(START + 1000, json!({"k": "a", "v": "ERR", "at": {"x": 1, "y": "?"}}));
    stage.stay_live(7);
    for wall in [START + 2000, START - 60_000] {
        let mut next = stage.restarted(wall);
        assert_eq!(freshness(&next), (Freshness::Stale, Freshness::Stale));
        next.event_at(START + 3000, json!({"k": "a", "v": 21, "at": {"x": 2, "y": 2}}));
        assert_eq!(freshness(&next), (Freshness::Live, Freshness::Live), "newer than what was shown");
    }
}
