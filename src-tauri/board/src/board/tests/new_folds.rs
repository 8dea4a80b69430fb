//! Folds that begin in the middle of a source's story: a widget that a reload adds, or a restart with an edited board.

use serde_json::json;
use watchfloor_model::{Continuity, Phase, Timestamp};

use super::stage::{BOARD, START, Stage};
use crate::frame::WidgetValue;

/// A source that keeps nothing, with a chart on which nothing ever happens.
const PLAIN: &str = r#"
[board]
title = "Test"
[[source]]
id = "s"
kind = "soketi"
url = "ws://127.0.0.1:1"
app = "k"
channels = ["c"]
[[widget]]
id = "count"
kind = "counter"
[[widget]]
id = "quiet"
kind = "series"
on = "never"
bucket = "1m"
keep = "3h"
"#;
/// The chart that is added.
const HOURS: &str = r#"
[[widget]]
id = "hours"
kind = "series"
bucket = "1h"
keep = "3h"
"#;
/// From the first bucket that the chart keeps (13:00) to a quarter to four.
const HATCHED: (i64, i64) = (START - 2 * 3_600_000, START + 45 * 60_000);

impl Stage {
    /// What is hatched, also of a chart that shows nothing yet.
    fn gaps(&self, widget: &str) -> Vec<(i64, i64)> {
        let number = self.board.file().widgets.iter().position(|own| own.id == widget).expect("a widget");
        let (_, tracked) = self.board.at(self.board.places[number]).expect("a place");
        let WidgetValue::Series(series) = tracked.aggregate.value(0) else { panic!("a chart") };
        series.gaps
    }

    /// Has told for three quarters of an hour.
    fn told(text: &str) -> Self {
        let mut stage = Self::with(text);
        stage.connect();
        stage.gap(Continuity::Unknown, 1000);
        stage.event(json!({"v": 1}));
        stage.pass(45 * 60_000);
        stage.status_is(Phase::Live);
        stage
    }
}

/// H3: of the hour in which a chart was added only a part is known, so it is hatched from the chart's beginning on; what was there before has
/// no more than the new link's gap, though nothing ever happened on it.
#[test]
fn a_chart_that_a_reload_adds() {
    let mut stage = Stage::told(PLAIN);
    stage.reload(&format!("{PLAIN}{HOURS}"));
    // The source begins again, without places.
    stage.gap(Continuity::Unknown, 1000);
    stage.event(json!({"v": 1}));
    assert_eq!(stage.gaps("hours"), [HATCHED]);
    let quiet = stage.gaps("quiet");
    assert_eq!(quiet.last(), Some(&(HATCHED.1 - 1000, HATCHED.1)), "{quiet:?}");
    // Nor is it another one with the next loss.
    stage.pass(60_000);
    stage.status_is(Phase::Live);
    stage.gap(Continuity::Unknown, 1000);
    assert_eq!(stage.gaps("hours"), [HATCHED, (HATCHED.1 + 59_000, HATCHED.1 + 60_000)]);
}

/// H3, H4: so it is where the next run has a board with one more chart.
#[test]
fn a_chart_that_the_next_run_adds() {
    let stage = Stage::told(PLAIN);
    let wall = Timestamp::from_millis(START);
    let text = serde_json::to_string(&stage.board.checkpoint(stage.now, wall)).expect("JSON");
    let mut next = Stage::with(&format!("{PLAIN}{HOURS}"));
    let lost = next.board.restore(&serde_json::from_str(&text).expect("own checkpoint"), next.now, wall);
    assert_eq!(lost.iter().map(|lost| &*lost.widget).collect::<Vec<_>>(), ["hours"]);
    next.connect();
    next.pass(45 * 60_000);
    next.status_is(Phase::Live);
    next.gap(Continuity::Unknown, 1000);
    next.event(json!({"v": 1}));
    assert_eq!(next.gaps("hours"), [HATCHED]);
    assert_eq!(next.gaps("quiet").last(), Some(&(HATCHED.1 - 1000, HATCHED.1)));
}

/// H3: a hub that wasn't given the board tells of no gap: what was before the first event, or before its snapshot, is one all the same.
#[test]
fn a_chart_that_the_hub_does_not_fold() {
    let all = ["count", "gauge", "window", "mean", "table", "series"];
    for by_snapshot in [false, true] {
        let mut stage = Stage::live();
        stage.event(json!({"v": 1}));
        stage.pass(45 * 60_000);
        stage.status_is(Phase::Live);
        let known = stage.gaps("series");
        stage.reload(&format!("{BOARD}{HOURS}place = {{ column = 3, row = 2, width = 1, height = 1 }}\n"));
        if by_snapshot {
            stage.snapshot("e:1000", &all);
        } else {
            stage.event(json!({"v": 1}));
        }
        assert_eq!(stage.gaps("hours"), [HATCHED], "{by_snapshot}");
        assert_eq!(stage.gaps("series"), known, "{by_snapshot}");
        assert!(stage.quality("hours").incomplete_until_ms.is_some());
    }
}
