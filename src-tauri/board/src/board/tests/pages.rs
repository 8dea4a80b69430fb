//! Pages of a board: which one is told to the page of the wall, and how each of them is.

use serde_json::json;
use watchfloor_model::{Phase, Timestamp};

use super::stage::*;
use crate::{
    Gesture, GlassSpec,
    frame::{PageMark, PageShown, PageWhy, State},
    freshness::Freshness,
};

/// The usual widgets on a page that comes with an alarm, and one more on another.
const PAGES: &str = r#"
[[page]]
id = "now"
dwell = "20s"
priority = "alarm"

[[page]]
id = "more"
title = "And more"

[[widget]]
id = "all"
kind = "counter"
page = "more"
"#;

fn shown(stage: &mut Stage) -> PageShown {
    stage.frame(0).page.expect("a board of two pages")
}

/// A board of one page says nothing of it.
#[test]
fn one_page_is_none() {
    let frame = Stage::live().frame(0);
    assert_eq!((frame.page, frame.board.expect("a new page gets the board").pages), (None, Vec::new()));
}

/// A page that waits is told of the turn, with what time alone brings; what is out of sight goes on all the same (H3).
#[test]
fn time_turns_the_page() {
    let mut stage = Stage::beside(PAGES);
    let board = stage.frame(0).board.expect("a new page gets the board");
    let titles: Vec<_> = board.pages.iter().map(|page| (page.id.as_str(), page.title.as_str())).collect();
    assert_eq!(titles, [("now", "now"), ("more", "And more")]);
    assert_eq!(board.widgets.iter().filter(|widget| widget.page == Some(1)).count(), 1);
    let first = shown(&mut stage);
    assert_eq!((first.number, first.why, first.left_ms), (0, PageWhy::Rotation, Some(20_000)));
    stage.stay_live(19);
    let version = stage.board.version();
    let due = stage.board.poll_timeout(stage.now).expect("a page that turns");
    assert!(due <= stage.now.plus(std::time::Duration::from_secs(1)), "{due:?}");
    stage.pass(1000);
    stage.board.handle_tick(stage.now);
    assert!(stage.board.version() > version, "whoever waits for something new gets it");
    assert_eq!((shown(&mut stage).number, stage.board.page()), (1, 1));
    stage.status_is(Phase::Live);
    stage.event(json!({"v": 1.0, "k": "a"}));
    assert_eq!(stage.number("count"), Some(1.0), "a number on the other page");
}

/// H1: what can't be believed is no alarm, and is counted on its page, wherever one looks.
#[test]
fn each_page_says_how_it_is() {
    let mut stage = Stage::beside(PAGES);
    stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series", "all"]);
    stage.board.handle_gesture(Gesture::Show(1), stage.now);
    assert_eq!((shown(&mut stage).number, shown(&mut stage).why), (1, PageWhy::Hand));
    stage.event(json!({"v": 30.0, "k": "a"}));
    let alarmed = shown(&mut stage);
    assert_eq!((alarmed.number, alarmed.why, alarmed.left_ms), (0, PageWhy::Alarm, None));
    assert_eq!(
        alarmed.marks,
        [PageMark { state: State::Alarm, unwell: 0 }, PageMark { state: State::Normal, unwell: 0 }]
    );
    stage.status_is(Phase::Waiting);
    let lost = shown(&mut stage);
    assert_eq!(
        lost.marks,
        [PageMark { state: State::Normal, unwell: 6 }, PageMark { state: State::Normal, unwell: 1 }]
    );
    assert_eq!(lost.why, PageWhy::Rotation);
    stage.status_is(Phase::Live);
    assert_eq!(shown(&mut stage).why, PageWhy::Alarm, "it is known again, and still too much");
    stage.event(json!({"v": 3.0, "k": "a"}));
    assert_eq!(shown(&mut stage).why, PageWhy::Rotation);
}

/// H1: a chart is as bad as the value at a line's end by the axis that it is read by, and that is of a bucket which is over.
#[test]
fn a_chart_counts_for_its_page() {
    const CHART: &str = r#"
[[widget]]
id = "chart"
kind = "series"
page = "more"
bucket = "10s"
keep = "5m"
bands = [{ from = 5, state = "alarm" }]
lines = [
  { title = "All" },
  { title = "Odd", where = { k = "b" }, axis = "right" },
]
right = { bands = [{ from = 1, state = "warning" }] }
"#;
    let mut stage = Stage::beside(&format!("{PAGES}{CHART}"));
    stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series", "all", "chart"]);
    let state = |stage: &mut Stage| shown(stage).marks[1].state;
    for key in ["a", "b"] {
        stage.event(json!({"v": 1.0, "k": key}));
    }
    assert_eq!(state(&mut stage), State::Normal, "it is still filling");
    stage.stay_live(10);
    assert_eq!(state(&mut stage), State::Warning);
    for _ in 0..5 {
        stage.event(json!({"v": 1.0, "k": "a"}));
    }
    assert_eq!(state(&mut stage), State::Warning);
    stage.stay_live(10);
    assert_eq!(state(&mut stage), State::Alarm);
    stage.stay_live(10);
    assert_eq!(state(&mut stage), State::Normal, "nothing happened since");
}

/// Another board file with the page that is shown: it stays.
#[test]
fn a_reload_keeps_the_page() {
    let mut stage = Stage::beside(PAGES);
    stage.board.handle_gesture(Gesture::Show(1), stage.now);
    stage.reload(&format!("{BOARD}{}", PAGES.replace("And more", "More of it")));
    assert_eq!(shown(&mut stage).number, 1);
    stage.reload(BOARD);
    assert_eq!((stage.frame(0).page, stage.board.page()), (None, 0));
}

/// Screens beside the first turn pages of their own, each by itself; a hand and an alarm reach the one that has the page.
#[test]
fn each_screen_turns_its_own() {
    let mut stage = Stage::beside(PAGES);
    let glass = |id: &str, pages: &[&str]| GlassSpec {
        id: id.to_owned(),
        pages: pages.iter().map(|page| (*page).to_owned()).collect(),
    };
    stage.board.set_glasses(vec![glass("left", &["more"]), glass("right", &["more", "now"])], stage.now);
    let on = |stage: &mut Stage, id: &str| {
        let revision = stage.board.revision();
        let frame = stage.board.frame_on(id, 0, revision, stage.now, Timestamp::default());
        let page = frame.page.expect("a board of two pages");
        (page.number, page.left_ms.is_some(), page.own)
    };
    assert_eq!(on(&mut stage, "left"), (1, false, Some(vec![1])), "one page has nothing to turn to");
    assert_eq!(on(&mut stage, "right"), (1, true, Some(vec![1, 0])));
    assert_eq!(on(&mut stage, "none of them"), (0, true, None), "the first one has all");
    stage.board.handle_gesture_on("right", Gesture::Show(0), stage.now);
    stage.board.handle_gesture_on("left", Gesture::Show(0), stage.now);
    assert_eq!((on(&mut stage, "left").0, on(&mut stage, "right").0, shown(&mut stage).number), (1, 0, 0));
    // The left one is gone, and its pages join: what is shown stays.
    stage.board.set_glasses(vec![glass("right", &["now", "more"])], stage.now);
    assert_eq!(on(&mut stage, "right"), (0, true, Some(vec![0, 1])));
    stage.board.set_glasses(vec![glass("right", &["nowhere", "more"])], stage.now);
    assert_eq!(on(&mut stage, "right").2, Some(vec![1]));
    assert_eq!(
        stage.frame(0).notices.iter().map(|notice| notice.detail.clone()).collect::<Vec<_>>(),
        [["screen right: no page nowhere"]]
    );
    stage.board.set_glasses(vec![glass("right", &["nowhere"])], stage.now);
    assert_eq!(on(&mut stage, "right").2, Some(vec![0, 1]), "a screen is never without a page");
    stage.board.set_glasses(Vec::new(), stage.now);
    assert!(stage.frame(0).notices.is_empty());
}

/// H1: one line of it is as bad as the worst, whatever else is well: a lost link hides neither itself behind a number that never was nor an
/// alarm that stood, and what may not be seen is counted as not current alone.
#[test]
fn one_line_says_the_worst() {
    let mut stage = Stage::beside("");
    let unknown = stage.board.summary(stage.now);
    assert_eq!((unknown.title.as_str(), unknown.worst), ("Test", Freshness::Unknown), "nothing was ever told");
    stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series"]);
    stage.event(json!({"v": 3.0, "k": "a"}));
    let live = stage.board.summary(stage.now);
    assert_eq!((live.worst, live.unwell, live.alarms, live.warnings), (Freshness::Live, 0, 0, 0));
    assert_eq!((live.source, live.widgets), (None, 6));
    stage.event(json!({"v": 30.0, "k": "a"}));
    assert_eq!(stage.board.summary(stage.now).alarms, 1);
    stage.status_is(Phase::Waiting);
    let lost = stage.board.summary(stage.now);
    let source = lost.source.expect("a source that isn't live");
    assert_eq!((lost.worst, lost.unwell, lost.alarms), (Freshness::Down, 6, 1));
    assert_eq!((source.title.as_str(), source.freshness, source.began_ms), ("s", Freshness::Down, None));
    stage.status_is(Phase::Refused);
    let refused = stage.board.summary(stage.now);
    assert_eq!((refused.worst, refused.unwell, refused.alarms), (Freshness::Refused, 6, 0));
}
