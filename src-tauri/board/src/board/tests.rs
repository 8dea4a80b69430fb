//! The board against the promises of its frames: quality, completeness, what crosses to the page, and what a restart keeps.

mod against;
mod ahead;
mod alarm_rows;
mod alarms;
mod check;
mod documents;
mod new_folds;
mod overtaken;
mod pages;
mod restated;
mod room;
mod set_back;
mod stage;
mod story;
mod unusable;
mod voices;
mod voices_gone;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use watchfloor_model::{Continuity, Mono, Phase, Timestamp};

use crate::{
    aggregate::tests::applier::Applied,
    config::spec::FoldSpec,
    frame::{Cell, Frame, Notice, SeriesValue, State, WidgetValue},
    freshness::Freshness,
    testing::cases,
};
use stage::{START, Stage, status};

/// H1, H2: live until exactly the limit, whoever asks, and the board says when that is.
#[test]
fn live_expires_by_itself() {
    let mut stage = Stage::live();
    let quality = stage.quality("count");
    assert_eq!((quality.freshness, quality.live_for_ms, quality.limit_ms), (Freshness::Live, 5000, 5000));
    let version = stage.board.version();
    let due = stage.board.poll_timeout(stage.now).expect("something expires");
    assert!(due <= stage.now.plus(Duration::from_micros(5_000_001)), "{due:?}");
    stage.pass(5000);
    assert_eq!(stage.quality("count").freshness, Freshness::Live);
    stage.pass(1);
    let quality = stage.quality("count");
    assert_eq!((quality.freshness, quality.live_for_ms, quality.age_ms), (Freshness::Stale, 0, Some(5001)));
    // Whoever polls late still finds the tick due, and the tick makes a new version.
    assert!(stage.board.poll_timeout(stage.now).is_some_and(|due| due <= stage.now));
    stage.board.handle_tick(stage.now);
    assert!(stage.board.version() > version);
    let reason = stage.quality("count").reason;
    assert_eq!(reason.as_deref(), Some("nothing heard from the server for 5 s"));
}

/// The publisher's silence is found behind a healthy server, and not demanded where nothing is promised.
#[test]
fn a_silent_publisher_is_found() {
    let mut stage = Stage::live();
    stage.pass(46_000);
    stage.status(|now, status| status.link_proof = Some(now));
    let quality = stage.quality("count");
    assert_eq!(quality.freshness, Freshness::Stale);
    assert_eq!(quality.reason.as_deref(), Some("publisher silent for 46 s, it promises to speak every 45 s"));
    assert_eq!(stage.board.report(stage.now)["sources"]["s"]["freshness"], "stale");
}

/// H1: what nobody has heard is not zero. While nothing is proven, however that came about, windows, rows and charts stand
/// where the last proof left them, and nothing asks for a tick.
#[test]
fn time_stands_still_without_proof() {
    type Loss = fn(&mut Stage);
    // With how far time may still move: by nothing, or by the silence that a publisher asks for.
    let losses: [(&str, i64, Loss); 4] = [
        ("cut", 0, |stage| stage.status(|_, status| status.phase = Phase::Waiting)),
        ("half-open", 0, |_| ()),
        ("publisher dead", 20_000, |stage| {
            for _ in 0..300 {
                stage.pass(1000);
                stage.status(|now, status| status.link_proof = Some(now));
            }
        }),
        ("catching up", 0, |stage| stage.status_is(Phase::CatchingUp)),
    ];
    for (name, most, lose) in losses {
        let mut stage = Stage::with(&stage::BOARD.replace("quiet = \"45s\"", "quiet = \"20s\""));
        stage.connect();
        stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series"]);
        stage.event(json!({"v": 1, "k": "a"}));
        let WidgetValue::Series(before) = stage.value("series") else { panic!("no series") };
        lose(&mut stage);
        stage.pass(300_000);
        stage.board.handle_tick(stage.now);
        assert!(!stage.quality("window").freshness.is_current(), "{name}");
        assert_eq!((stage.number("window"), stage.number("mean")), (Some(1.0), Some(1.0)), "{name}");
        let WidgetValue::Series(after) = stage.value("series") else { panic!("no series") };
        let last = |series: &SeriesValue| series.lines[0].points.last().copied();
        let stood = last(&after).zip(last(&before)).map(|((after, _), (before, _))| after - before);
        assert_eq!(stood, Some(most), "{name}");
        assert_eq!(stage.board.poll_timeout(stage.now), None, "{name}");
        // Proven again, the time in between has passed.
        stage.status_is(Phase::Live);
        assert_eq!((stage.number("window"), stage.quality("window").freshness), (Some(0.0), Freshness::Live), "{name}");
    }
}

/// H3: what is replayed passes in its own time, so that what is shown meanwhile is the state of an instant.
#[test]
fn a_replay_moves_time_as_far_as_it_has_come() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1}));
    stage.status(|_, status| status.phase = Phase::Waiting);
    let lost = stage.now;
    stage.pass(300_000);
    stage.status_is(Phase::CatchingUp);
    for second in [10, 20, 90, 95] {
        stage.event_at(START + second * 1000, json!({"v": 1}));
    }
    assert_eq!(stage.number("window"), Some(2.0));
    assert_eq!(stage.frame(0).clock.board_ms, START + i64::try_from(stage.now.since(lost).as_millis()).expect("small"));
    stage.event_at(START + 299_000, json!({"v": 1}));
    stage.status_is(Phase::Live);
    assert_eq!((stage.number("window"), stage.number("count")), (Some(1.0), Some(6.0)));
}

/// Zero is only shown where it is proven to be zero.
#[test]
fn unknown_is_never_zero() {
    let mut stage = Stage::new();
    stage.connect();
    assert_eq!(stage.number("count"), None);
    assert_eq!(stage.quality("count").freshness, Freshness::Unknown);
    // The hub has the count and nothing else.
    stage.snapshot("e:7", &["count"]);
    assert_eq!((stage.number("count"), stage.number("gauge"), stage.number("mean")), (Some(0.0), None, None));
    assert_eq!(stage.quality("count").freshness, Freshness::Live);
    assert_eq!(stage.quality("count").basis, Continuity::Snapshot);
    let quality = stage.quality("mean");
    assert_eq!((quality.freshness, quality.reason.as_deref()), (Freshness::Unknown, Some("no event yet")));
    assert_eq!(quality.basis, Continuity::Unknown);
}

/// A hub in which nothing has happened yet lets nothing be missing.
#[test]
fn an_empty_history_is_complete() {
    let mut stage = Stage::new();
    stage.connect();
    stage.snapshot("e:0", &[]);
    assert_eq!((stage.number("count"), stage.is_at_least("count")), (Some(0.0), false));
    stage.event(json!({"v": 1}));
    assert_eq!((stage.number("count"), stage.is_at_least("count")), (Some(1.0), false));
    assert_eq!(stage.quality("count").basis, Continuity::Proven);
}

/// H3: what nothing closes is said: the count is a lower bound until its reset, the window until it has passed.
#[test]
fn unknown_gaps_are_told_until_they_do_not_matter() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1}));
    assert_eq!((stage.number("window"), stage.is_at_least("window")), (Some(1.0), false));
    stage.pass(10_000);
    stage.gap(Continuity::Proven, 4000);
    assert_eq!((stage.is_at_least("window"), stage.quality("window").basis), (false, Continuity::Snapshot));
    stage.gap(Continuity::Unknown, 4000);
    stage.event(json!({"v": 1}));
    assert_eq!((stage.number("window"), stage.is_at_least("window")), (Some(2.0), true));
    assert_eq!((stage.number("gauge"), stage.is_at_least("gauge")), (Some(1.0), false));
    assert_eq!(stage.quality("gauge").basis, Continuity::Unknown);
    let WidgetValue::Series(series) = stage.value("series") else { panic!("no series") };
    assert_eq!(series.gaps, [(START + 6000, START + 10_000)]);
    // The window is a minute long.
    stage.pass(59_999);
    stage.status_is(Phase::Live);
    assert!(stage.is_at_least("window"));
    stage.pass(1);
    stage.status_is(Phase::Live);
    assert_eq!((stage.is_at_least("window"), stage.quality("window").basis), (false, Continuity::Proven));
    assert!(stage.is_at_least("count"));
    // A snapshot closes it for what is in it.
    stage.gap(Continuity::Snapshot, 1000);
    stage.snapshot("e:99", &["count", "series"]);
    assert_eq!((stage.is_at_least("count"), stage.quality("count").basis), (false, Continuity::Snapshot));
    let WidgetValue::Series(series) = stage.value("series") else { panic!("no series") };
    assert_eq!((series.gaps.len(), stage.quality("gauge").basis), (0, Continuity::Unknown));
}

/// H3: a server that knows nothing of what was before it began doesn't make zero of it: numbers are lower bounds and charts
/// have a gap, for as long as that stretch matters.
#[test]
fn what_was_before_the_servers_beginning_is_missing() {
    let widgets = ["count", "gauge", "window", "mean", "table", "series"];
    let mut stage = Stage::live();
    for _ in 0..30 {
        stage.event(json!({"v": 1, "k": "a"}));
    }
    stage.pass(20_000);
    stage.snapshot_since(Some(START + 15_000), "f:0", &widgets);
    stage.status_is(Phase::Live);
    for widget in ["count", "window"] {
        assert_eq!((stage.number(widget), stage.is_at_least(widget)), (Some(0.0), true), "{widget}");
        let quality = stage.quality(widget);
        assert_eq!(quality.incomplete_until_ms, Some(START + 15_000), "{widget}");
        assert_eq!((quality.freshness, quality.basis), (Freshness::Live, Continuity::Snapshot), "{widget}");
    }
    let WidgetValue::Series(series) = stage.value("series") else { panic!("no series") };
    assert_eq!(series.gaps, [(START + 20_000 - 290_000, START + 15_000)]);
    assert_eq!(stage.quality("table").incomplete_until_ms, Some(START + 15_000));
    // The gauge's first event is all that it depends on.
    stage.event(json!({"v": 1, "k": "a"}));
    assert_eq!((stage.number("gauge"), stage.quality("gauge").incomplete_until_ms), (Some(1.0), None));
    // The window's minute has passed, the counter's day is all days.
    stage.pass(55_000);
    stage.status_is(Phase::Live);
    assert_eq!((stage.is_at_least("window"), stage.is_at_least("count")), (false, true));
    assert_eq!(stage.quality("window").basis, Continuity::Snapshot);
    stage.pass(300_000);
    stage.status_is(Phase::Live);
    let WidgetValue::Series(series) = stage.value("series") else { panic!("no series") };
    assert_eq!((series.gaps.len(), stage.quality("series").incomplete_until_ms), (0, None));
    // An aggregate that the server has not, on a channel in which nothing has happened since it began.
    let mut stage = Stage::new();
    stage.connect();
    stage.snapshot_since(Some(START - 5), "f:0", &[]);
    assert_eq!((stage.number("count"), stage.is_at_least("count")), (Some(0.0), true));
}

/// A snapshot that is true exactly where the board stands leaves out nothing.
#[test]
fn a_snapshot_at_our_place_proves_nothing_missing() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1}));
    let basis = stage.quality("gauge").basis;
    let position = format!("e:{}", stage.offset);
    stage.snapshot(&position, &[]);
    assert_eq!((stage.quality("gauge").basis, stage.number("gauge")), (basis, Some(1.0)));
    stage.snapshot("e:1000", &[]);
    assert_eq!(stage.quality("gauge").basis, Continuity::Unknown);
}

/// A value that nobody may see doesn't cross to the page.
#[test]
fn refused_values_are_withheld() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1, "k": "a"}));
    let frame = stage.frame(0);
    stage.status(|_, status| {
        status.phase = Phase::Refused;
        status.cause = Some("token expired".into());
    });
    let frame = stage.frame(frame.version);
    for patch in &frame.widgets {
        assert_eq!(
            (patch.quality.freshness, patch.quality.reason.as_deref()),
            (Freshness::Refused, Some("token expired"))
        );
        match patch.value.as_ref().expect("an empty value") {
            WidgetValue::Number(number) => assert_eq!((number.value, number.trend.len()), (None, 0)),
            WidgetValue::Table(table) => assert!(table.whole && table.rows.is_empty() && table.order == Some(vec![])),
            WidgetValue::Series(series) => assert!(series.whole && series.lines.is_empty()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stage.board.report(stage.now)["widgets"]["count"]["value"], json!(null));
    let version = frame.version;
    assert!(stage.frame(version).widgets.iter().all(|patch| patch.value.is_none()));
    // Allowed again, it is all there.
    stage.status(|now, own| *own = status(now));
    let frame = stage.frame(version);
    assert!(frame.widgets.iter().all(|patch| patch.value.is_some()));
    assert_eq!(stage.number("count"), Some(1.0));
}

/// The looks' part of a value: bands, times, the only line's name.
#[test]
fn values_are_dressed() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 30, "k": "a", "at": "2013-02-08T15:00:00Z"}));
    stage.event(json!({"v": 40, "k": "b", "at": START}));
    stage.event(json!({"v": 20, "k": "c", "at": "soon"}));
    stage.event(json!({"v": 30, "k": "a"}));
    let WidgetValue::Number(number) = stage.value("gauge") else { panic!("no number") };
    assert_eq!((number.value, number.state), (Some(30.0), State::Alarm));
    let WidgetValue::Table(table) = stage.value("table") else { panic!("no table") };
    let cells: Vec<&Cell> = table.rows.iter().map(|row| &row.cells[1]).collect();
    assert_eq!(cells, [&Cell::Text("soon".into()), &Cell::Time(START)]);
    let WidgetValue::Series(series) = stage.value("series") else { panic!("no series") };
    assert_eq!(series.lines[0].key, "Events");
}

/// Events that a widget can't use are counted, and the newest reason is said.
#[test]
fn rejections_are_counted_by_widget() {
    let mut stage = Stage::live();
    for _ in 0..150 {
        stage.event(json!({"v": "text"}));
    }
    let rejected = stage.quality("gauge").rejected.expect("rejections");
    assert_eq!((rejected.count, &*rejected.reason), (150, "`v`: found \"text\", expected a number"));
    assert_eq!(stage.quality("count").rejected, None);
    assert_eq!(stage.number("count"), Some(150.0));
    let taken = stage.board.take_rejections();
    assert_eq!((taken.len(), &*taken[0].0), (crate::REJECTIONS_HELD_MAX, "gauge"));
    assert!(stage.board.take_rejections().is_empty());
}

/// A reload keeps what is folded alike, whatever its name and looks, and begins the rest anew.
#[test]
fn reloading_keeps_what_is_unchanged() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1}));
    let revision = stage.board.revision();
    let text = stage::BOARD
        .replace(
            "id = \"count\"\n",
            "id = \"renamed\"\ntitle = \"New\"\ntarget = 9\nmin = 0\nmax = 9\ndraw = \"bar\"\n",
        )
        .replace("last = \"1m\"", "last = \"2m\"");
    stage.reload(&text);
    assert_eq!(stage.board.revision(), revision + 1);
    assert_eq!(stage.number("renamed"), Some(1.0));
    assert_eq!(stage.number("window"), None);
    assert_eq!(stage.quality("renamed").freshness, Freshness::Live);
    let frame = stage.board.frame(1, revision, stage.now, Timestamp::default());
    assert!(frame.board.is_some_and(|board| board.widgets.iter().any(|widget| widget.title == "New")));
    // Another server's state is another one.
    stage.reload(&text.replace("127.0.0.1:1", "127.0.0.1:2"));
    assert_eq!(stage.number("renamed"), None);
}

/// The example of a hot reload that leaves nothing behind: what no widget folds is not folded.
#[test]
fn reloading_forgets_what_is_not_needed() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1}));
    let one = stage::BOARD.split("[[widget]]").take(2).collect::<Vec<_>>().join("[[widget]]");
    stage.reload(&one);
    assert_eq!(stage.board.lanes[0].tracked.len(), 1);
    stage.reload(stage::BOARD);
    assert_eq!((stage.number("count"), stage.number("gauge")), (Some(1.0), None));
}

/// H4: after a restart the last known values are there, as old as they are, and not live before they are caught up.
#[test]
fn a_restart_shows_what_was_known_and_its_age() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 3, "k": "a"}));
    stage.gap(Continuity::Unknown, 1000);
    stage.pass(2000);
    let wall = Timestamp::from_millis(50_000);
    let text = serde_json::to_string(&stage.board.checkpoint(stage.now, wall)).expect("JSON");
    let checkpoint = serde_json::from_str(&text).expect("own checkpoint");

    let mut next = Stage::new();
    next.now = Mono::from_millis(7);
    let failed = next.board.restore(&checkpoint, next.now, Timestamp::from_millis(60_000));
    assert_eq!(failed, []);
    for widget in ["count", "gauge", "window", "mean"] {
        assert_eq!(next.number(widget), stage.number(widget), "{widget}");
        assert_eq!(next.is_at_least(widget), stage.is_at_least(widget), "{widget}");
        assert_eq!(next.quality(widget).basis, stage.quality(widget).basis, "{widget}");
    }
    let quality = next.quality("count");
    assert_eq!((quality.freshness, quality.age_ms), (Freshness::Down, Some(12_000)));
    assert_eq!(quality.received_ago_ms, Some(12_000));
    assert_eq!(quality.reason.as_deref(), Some("not connected yet"));
    // Connected and not caught up: the link is young, the value isn't.
    next.status_is(Phase::CatchingUp);
    let quality = next.quality("count");
    assert_eq!((quality.freshness, quality.age_ms), (Freshness::CatchingUp, Some(12_000)));
    next.status_is(Phase::Live);
    assert_eq!(next.quality("count").freshness, Freshness::Live);

    // The wall clock was set back meanwhile: nothing is younger than now.
    let mut next = Stage::new();
    next.board.restore(&checkpoint, next.now, Timestamp::from_millis(40_000));
    assert_eq!(next.quality("count").age_ms, Some(0));
    // Another board's state is not taken, and that is said.
    let mut next = Stage::with(&stage::BOARD.replace("127.0.0.1:1", "127.0.0.1:2"));
    let failed = next.board.restore(&checkpoint, next.now, wall);
    assert_eq!(failed.len(), 6);
    assert_eq!(next.number("count"), None);
}

/// H1, H4: a replay that was left stands where it was until its source tells the time. The present is none of its times: its charts
/// would be empty, and the head would name a day that nothing on the glass is of.
#[test]
fn a_restart_stands_at_the_replays_time() {
    let wall = Timestamp::from_millis(1_900_000_000_000);
    let replayed = |speed: f64, label: Option<&str>| {
        let mut stage = Stage::live();
        stage.event(json!({"v": 3}));
        stage.status(|_, status| {
            if let Some(clock) = &mut status.clock {
                (clock.speed, clock.label) = (speed, label.map(str::to_owned));
            }
        });
        let left = stage.board.report(stage.now)["sources"]["s"]["clock"].as_i64();
        let text = serde_json::to_string(&stage.board.checkpoint(stage.now, wall)).expect("JSON");
        let mut next = Stage::new();
        next.board.restore(&serde_json::from_str(&text).expect("own checkpoint"), next.now, wall);
        next.pass(5000);
        (left, next.board.frame(0, 0, next.now, wall).clock, next)
    };
    let (left, clock, mut next) = replayed(60.0, Some("Replay of 8 February 2013"));
    assert_eq!((Some(clock.board_ms), clock.speed), (left, 0.0));
    assert_eq!(clock.label.as_deref(), Some("Replay of 8 February 2013"));
    next.connect();
    assert_eq!(next.frame(0).clock.speed, 1.0, "what the source tells is stronger");
    // A source of the present is where the present is.
    let (_, clock, _) = replayed(1.0, None);
    assert_eq!((clock.board_ms, clock.speed, clock.label), (wall.as_millis(), 1.0, None));
}

/// Windows and trends move by the source's clock, at its speed; a clock that is read a little early doesn't move them back.
#[test]
fn time_is_the_sources() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 1}));
    stage.status(|_, status| {
        if let Some(clock) = &mut status.clock {
            clock.speed = 60.0;
        }
    });
    stage.pass(990);
    stage.status_is(Phase::Live);
    assert_eq!(stage.number("window"), Some(1.0));
    // Time that nobody has told doesn't pass.
    stage.pass(10);
    stage.board.handle_tick(stage.now);
    assert_eq!(stage.number("window"), Some(1.0));
    stage.status_is(Phase::Live);
    assert_eq!(stage.number("window"), Some(0.0));
    // A heartbeat that took 100 ms longer says a time 6 s earlier; the window doesn't remember.
    let at = START + 60_000 - 6000;
    stage.status(move |now, status| {
        if let Some(clock) = &mut status.clock {
            (clock.at, clock.read) = (Timestamp::from_millis(at), now);
        }
    });
    assert_eq!(stage.number("window"), Some(0.0));
    assert_eq!(stage.frame(0).clock.board_ms, START + 60_000);
}

/// H1: the clock of a replay that isn't live is a guess, and a guess isn't told; that of the present goes on.
#[test]
fn a_lost_replay_tells_no_time() {
    for (label, goes_on) in [(None, true), (Some("Replay"), false)] {
        let mut stage = Stage::live();
        stage.status(|_, status| {
            if let Some(clock) = &mut status.clock {
                clock.label = label.map(str::to_owned);
            }
        });
        stage.status(|_, status| status.phase = Phase::Waiting);
        stage.pass(30_000);
        let clock = stage.frame(0).clock;
        assert_eq!((clock.board_ms - START, clock.speed), if goes_on { (30_000, 1.0) } else { (0, 0.0) });
        assert_eq!(clock.label.as_deref(), label);
    }
}

#[test]
fn notices_replace_each_other() {
    let mut stage = Stage::live();
    let notice = |text: &str| Notice::worded("file", State::Warning, text.into(), vec![]);
    stage.board.set_notice(notice("a"));
    stage.board.set_notice(notice("b"));
    let version = stage.board.version();
    stage.board.set_notice(notice("b"));
    assert_eq!(stage.board.version(), version);
    assert_eq!(stage.frame(0).notices, [notice("b")]);
    stage.board.clear_notice("file");
    assert!(stage.frame(0).notices.is_empty());
    // H5
    for number in 0..100 {
        stage.board.set_notice(Notice { id: number.to_string(), ..notice("many") });
    }
    assert_eq!(stage.frame(0).notices.len(), super::NOTICES_MAX);
}

#[test]
fn reports_are_the_contract() {
    let mut stage = Stage::live();
    stage.event(json!({"v": 3, "k": "a", "at": START}));
    let report = stage.board.report(stage.now);
    let source = &report["sources"]["s"];
    assert_eq!(
        (&source["state"], &source["transport"], &source["reason"]),
        (&json!("live"), &json!("websocket"), &json!(null))
    );
    assert_eq!(report["widgets"]["count"]["value"], 1);
    assert_eq!(report["widgets"]["count"]["freshness"], "live");
    let row = json!([{"key": "a", "cells": [3, START], "state": "normal"}]);
    assert_eq!(report["widgets"]["table"]["value"], row);
    assert_eq!(report["alarms"], json!([]));
    assert_eq!(stage.board.strictest_limit("s"), Duration::from_secs(5));
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

proptest! {
    #![proptest_config(cases(60))]

    /// Applying every frame since the first gives what a new page gets: architecture.md's invariant of this room.
    #[test]
    fn frames_add_up(steps in prop::collection::vec((0..9_u8, -20..20_i64, 0..4_usize), 1..80)) {
        let mut stage = Stage::live();
        let folds: Vec<FoldSpec> = stage.board.file().widgets.iter().map(|widget| widget.fold.clone()).collect();
        let mut page: Vec<Applied> = folds.iter().map(|_| Applied::default()).collect();
        let mut painted = 0;
        for (kind, number, key) in steps {
            match kind {
                0..=3 => stage.event(json!({"v": number, "k": KEYS[key], "at": number})),
                4 => stage.pass(u64::try_from(number.abs()).unwrap_or(0) * 977),
                5 => stage.board.handle_tick(stage.now),
                6 => stage.status_is([Phase::Live, Phase::Refused, Phase::Waiting, Phase::CatchingUp][key]),
                7 => stage.gap(Continuity::Unknown, 1000),
                // A page that was too slow: its frame is lost, and it pulls again after what it painted.
                _ => drop(stage.frame(painted)),
            }
            if key > 0 {
                painted = apply(&mut stage, &folds, &mut page, painted);
            }
        }
        apply(&mut stage, &folds, &mut page, painted);
        let mut new: Vec<Applied> = folds.iter().map(|_| Applied::default()).collect();
        apply(&mut stage, &folds, &mut new, 0);
        prop_assert_eq!(page, new);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// The record of the glass: what it holds after any story, taken at its own pace and read back from its text, is what a new page
    /// gets at that instant, whatever pages have painted meanwhile.
    #[test]
    fn a_record_is_what_the_glass_showed(steps in prop::collection::vec((0..10_u8, -20..20_i64, 0..4_usize), 1..80)) {
        let mut stage = Stage::live();
        let mut mark = None;
        let mut held: Option<Frame> = None;
        for (kind, number, key) in steps {
            match kind {
                0..=3 => stage.event(json!({"v": number, "k": KEYS[key], "at": number})),
                4 => stage.pass(u64::try_from(number.abs()).unwrap_or(0) * 977),
                5 => stage.board.handle_tick(stage.now),
                6 => stage.status_is([Phase::Live, Phase::Refused, Phase::Waiting, Phase::CatchingUp][key]),
                7 => stage.gap(Continuity::Unknown, 1000),
                8 if number == 0 => stage.reload(stage::BOARD),
                // Pages that come and go have painted more frames than the board remembers.
                _ => (0..12).for_each(|_| { stage.event(json!({"v": number})); stage.frame(0); }),
            }
            if key == 0 {
                continue;
            }
            let wall = Timestamp::from_millis(START);
            let newer = stage.board.frame_after(&mut mark, stage.now, wall);
            let newer: Frame = serde_json::from_str(&serde_json::to_string(&newer).unwrap()).unwrap();
            let merged = match held.take() {
                Some(held) => held.merge(newer).unwrap(),
                None => newer,
            };
            let whole = stage.board.frame_after(&mut None, stage.now, wall);
            let whole: Frame = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
            prop_assert_eq!(&merged, &whole);
            held = Some(merged);
        }
    }
}

fn apply(stage: &mut Stage, folds: &[FoldSpec], page: &mut [Applied], painted: u64) -> u64 {
    let frame = stage.frame(painted);
    for ((patch, fold), applied) in frame.widgets.into_iter().zip(folds).zip(page) {
        if let Some(value) = patch.value {
            applied.apply(fold, value);
        }
    }
    frame.version
}

/// H3: of what was before the first word nobody knows anything, and a late event doesn't make it a stretch in which nothing happened.
#[test]
fn what_was_before_the_first_word_is_a_gap() {
    let mut stage = Stage::new();
    stage.connect();
    stage.gap(Continuity::Unknown, 1000);
    stage.event(json!({"v": 1}));
    stage.event_at(START - 60_000, json!({"v": 1}));
    let WidgetValue::Series(series) = stage.value("series") else { panic!("a chart") };
    let points: Vec<_> = series.lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value).collect();
    assert_eq!(points, [Some(1.0), None, None, None, None, None, Some(1.0)]);
}
