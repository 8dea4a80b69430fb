//! A publisher whose clock is ahead of its server's.

use serde_json::json;
use watchfloor_model::Continuity;

use super::stage::Stage;

/// H1, H3: what was missed is dated as much too late as what came, so that the mark stays until something later comes.
#[test]
fn what_was_missed_is_dated_as_late_as_what_came() {
    for ahead in [4_500, 1_500, 0] {
        let mut stage = Stage::live();
        let tell = |stage: &mut Stage, v: i64| {
            let at = stage.time().as_millis() + ahead;
            stage.event_at(at, json!({"k": "a", "v": v}));
        };
        tell(&mut stage, 13);
        stage.stay_live(1);
        // What is lost meanwhile is dated up to `ahead` from now.
        stage.pass(1000);
        stage.gap(Continuity::Unknown, 1000);
        stage.stay_live(3);
        let marked = |stage: &Stage, widget: &str| stage.quality(widget).incomplete_until_ms.is_some();
        assert!(marked(&stage, "gauge") && marked(&stage, "window"), "{ahead} ms");
        stage.stay_live(2);
        tell(&mut stage, 17);
        assert!(!marked(&stage, "gauge"), "{ahead} ms: that is the newest, whatever was lost");
        assert!(marked(&stage, "window") && marked(&stage, "count"), "{ahead} ms");
    }
}
