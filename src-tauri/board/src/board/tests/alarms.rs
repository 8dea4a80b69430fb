//! The board's rules: asked as of each event and as of now, through an outage, a snapshot and a restart.

use serde_json::json;
use watchfloor_model::{Continuity, Phase, SourceStatus, Timestamp};

use super::stage::{BOARD, START, Stage};
use crate::{
    Board,
    alarm::{
        Act, AlarmKey, Change, Priority,
        machine::{Input, Sound},
    },
    frame::{AlarmAct, AlarmEvidence, AlarmState, AlarmView, AlarmsSeen, AlarmsView},
};

const RULES: &str = r#"
[[alarm]]
id = "high"
title = "Too much"
when = "gauge > 10"
deadband = 2
priority = "high"

[[alarm]]
id = "busy"
when = "window >= 3"

[[alarm]]
id = "long"
when = "gauge > 10"
on-delay = "30s"

[[alarm]]
id = "rows"
when = "table.count > 2 && gauge.state == 'alarm'"
"#;

fn stage() -> Stage {
    let mut stage = Stage::with(&format!("{BOARD}{RULES}"));
    stage.connect();
    stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series"]);
    stage.board.take_alarm_changes();
    stage
}

fn view(stage: &mut Stage) -> AlarmsView {
    stage.frame(0).alarms.expect("a board with rules")
}

fn find(stage: &mut Stage, key: &str) -> Option<AlarmView> {
    view(stage).list.into_iter().find(|own| own.key == key)
}

fn state(stage: &mut Stage, key: &str) -> Option<AlarmState> {
    find(stage, key).map(|own| own.state)
}

/// What was announced, by key.
fn heard(changes: &[Change]) -> Vec<String> {
    changes.iter().filter(|change| change.sound == Sound::Start).map(|change| change.key.to_string()).collect()
}

#[test]
fn a_value_raises_and_clears() {
    let mut stage = stage();
    assert_eq!(view(&mut stage).list, []);
    stage.event(json!({"v": 12}));
    let own = find(&mut stage, "high").expect("it holds");
    assert_eq!((&*own.title, own.priority, own.state), ("Too much", Priority::High, AlarmState::Unacknowledged));
    assert_eq!(
        (own.raised_ms, own.evidence, &*own.widgets),
        (Some(START), AlarmEvidence::Live, ["gauge".to_owned()].as_slice())
    );
    assert_eq!((&*own.cause[0].name, &*own.cause[0].value), ("gauge", "12"));
    assert_eq!(heard(&stage.board.take_alarm_changes()), ["high"]);
    // Within its deadband it still holds, and nothing is said again.
    stage.event(json!({"v": 9}));
    assert_eq!(state(&mut stage, "high"), Some(AlarmState::Unacknowledged));
    assert!(stage.board.take_alarm_changes().is_empty());
    stage.event(json!({"v": 8}));
    assert_eq!(state(&mut stage, "high"), Some(AlarmState::Returned));
    // A third event within a minute is none of the gauge.
    assert_eq!(state(&mut stage, "busy"), Some(AlarmState::Unacknowledged));
    let seen = view(&mut stage).list.iter().map(|own| (own.key.clone(), own.occurrence)).collect();
    assert_eq!(stage.board.acknowledge(&AlarmsSeen { seen, name: Some("Ann".to_owned()) }, "desk", stage.now), 2);
    assert_eq!((state(&mut stage, "high"), state(&mut stage, "busy")), (None, Some(AlarmState::Acknowledged)));
    let own = find(&mut stage, "busy").and_then(|own| own.acknowledged).expect("said by somebody");
    assert_eq!((own.name.as_deref(), &*own.station), (Some("Ann"), "desk"));
    // Time alone clears what slides.
    stage.stay_live(62);
    assert_eq!(state(&mut stage, "busy"), None);
}

/// H6: a frame brings the alarms when anything of them changed, and at no other time.
#[test]
fn they_cross_when_they_changed() {
    let mut stage = stage();
    stage.event(json!({"v": 4}));
    let version = stage.frame(0).version;
    stage.event(json!({"v": 5}));
    let frame = stage.frame(version);
    assert_eq!(frame.alarms, None);
    stage.event(json!({"v": 15}));
    assert!(stage.frame(frame.version).alarms.is_some());
}

/// H6: what is lost neither raises nor clears; what is caught up with is judged as of its own time, once.
#[test]
fn through_an_outage() {
    let mut stage = stage();
    stage.event(json!({"v": 12}));
    stage.board.take_alarm_changes();
    stage.status_is(Phase::Waiting);
    stage.pass(6_000);
    stage.board.handle_tick(stage.now);
    let lost = view(&mut stage);
    assert_eq!((lost.unsupervised, lost.list[0].evidence), (4, AlarmEvidence::Stale));
    // Raised by half a minute of what was told until then? Nobody knows.
    stage.pass(120_000);
    stage.board.handle_tick(stage.now);
    assert_eq!(state(&mut stage, "long"), None);
    // It had gone and come again.
    stage.status_is(Phase::CatchingUp);
    stage.event_at(START + 10_000, json!({"v": 3}));
    stage.event_at(START + 20_000, json!({"v": 11}));
    stage.event_at(START + 50_000, json!({"v": 12}));
    let changes = stage.board.take_alarm_changes();
    assert_eq!(heard(&changes), ["source:s", "high", "busy", "long"], "{changes:?}");
    let raised = find(&mut stage, "long").expect("it had held for half a minute").raised_ms;
    assert_eq!(raised, Some(START + 20_000), "since when it held");
    stage.status_is(Phase::Live);
    assert_eq!(heard(&stage.board.take_alarm_changes()), Vec::<String>::new());
    assert_eq!(view(&mut stage).unsupervised, 0);
    assert_eq!(state(&mut stage, "source:s"), Some(AlarmState::Returned));
}

/// H3, H6: where events are missing, a count is no less than it is, and nothing is cleared by it.
#[test]
fn what_may_be_missing() {
    let mut stage = stage();
    for _ in 0..4 {
        stage.event(json!({"v": 12}));
    }
    assert_eq!(state(&mut stage, "busy"), Some(AlarmState::Unacknowledged));
    stage.pass(61_000);
    stage.gap(Continuity::Unknown, 61_000);
    stage.status_is(Phase::Live);
    assert_eq!((stage.number("window"), state(&mut stage, "busy")), (Some(0.0), Some(AlarmState::Unacknowledged)));
    stage.stay_live(61);
    assert_eq!(state(&mut stage, "busy"), Some(AlarmState::Returned));
}

/// H6: a source that is lost is told once, after ten seconds; one that refuses, at once.
#[test]
fn a_source_that_is_lost() {
    let mut stage = stage();
    stage.status_is(Phase::Waiting);
    for _ in 0..9 {
        stage.pass(1_000);
        stage.board.handle_tick(stage.now);
    }
    assert_eq!(state(&mut stage, "source:s"), None);
    let due = stage.board.poll_timeout(stage.now).expect("it is on its way");
    assert_eq!(due.since(stage.now).as_millis(), 1_000);
    stage.pass(1_000);
    stage.board.handle_tick(stage.now);
    let own = find(&mut stage, "source:s").expect("lost");
    assert_eq!(
        (own.state, own.priority, own.source.as_deref()),
        (AlarmState::Unacknowledged, Priority::High, Some("s"))
    );
    stage.status_is(Phase::Live);
    assert_eq!(state(&mut stage, "source:s"), Some(AlarmState::Returned));
    stage.status_is(Phase::Refused);
    assert_eq!(state(&mut stage, "source:s"), Some(AlarmState::Unacknowledged));
}

/// H2, H6: whether a source is lost is measured by the program's own clock, whatever the machine's is set to meanwhile.
#[test]
fn a_clock_that_is_set() {
    for jump in [-3_600_000_i64, 3_600_000] {
        let mut stage = stage();
        let wall = |millis: i64| Timestamp::from_millis(1_700_000_000_000 + millis);
        stage.board.set_wall(wall(0), stage.now);
        stage.status_is(Phase::Waiting);
        stage.board.set_wall(wall(jump), stage.now);
        stage.pass(5_000);
        stage.board.handle_tick(stage.now);
        assert_eq!(state(&mut stage, "source:s"), None, "{jump}");
        stage.pass(5_000);
        stage.board.handle_tick(stage.now);
        assert_eq!(state(&mut stage, "source:s"), Some(AlarmState::Unacknowledged), "{jump}");
        stage.board.set_wall(wall(0), stage.now);
        stage.status_is(Phase::Live);
        assert_eq!(state(&mut stage, "source:s"), Some(AlarmState::Returned), "{jump}");
    }
}

/// H4, H6: the next run goes on with what was on record, and announces nothing again; what stands though no event says so is judged as of now.
#[test]
fn a_restart() {
    let mut stage = stage();
    stage.event(json!({"v": 12}));
    stage.stay_live(31);
    assert_eq!(state(&mut stage, "long"), Some(AlarmState::Unacknowledged), "by time alone");
    let act = AlarmAct {
        key: "high".to_owned(),
        act: Act::Acknowledge { occurrence: u64::try_from(START).expect("positive") },
        name: None,
    };
    stage.board.handle_act(&act, "wall", stage.now).expect("it stands");
    let record = stage.board.take_alarm_changes();
    for checkpoint in [stage.board.checkpoint(stage.now, Timestamp::default()), crate::Checkpoint::default()] {
        let board = Board::new(stage.board.file().clone(), stage.now);
        let mut next = Stage { board, now: stage.now, offset: stage.offset, status: SourceStatus::default() };
        next.board.restore(&checkpoint, next.now, Timestamp::default());
        let known = checkpoint.alarms.alarms.number;
        let since = record.iter().filter(|change| change.number > known).cloned();
        next.board.restore_alarms(checkpoint.alarms.clone(), since, next.now);
        if checkpoint.sources.is_empty() {
            next.connect();
            next.status_is(Phase::CatchingUp);
            next.event_at(START, json!({"v": 12}));
        }
        next.board.be_folded();
        assert_eq!(state(&mut next, "high"), Some(AlarmState::Acknowledged));
        assert_eq!(state(&mut next, "long"), Some(AlarmState::Unacknowledged));
        next.connect();
        next.stay_live(1);
        next.event(json!({"v": 12}));
        assert_eq!(heard(&next.board.take_alarm_changes()), Vec::<String>::new());
        next.event(json!({"v": 2}));
        assert_eq!((state(&mut next, "high"), state(&mut next, "long")), (None, Some(AlarmState::Returned)));
    }
    assert_eq!(AlarmKey::read("high"), AlarmKey::of_rule("high"));
}

/// Another file's rule is another one, and what stood by the one before is cleared if it doesn't hold by this one.
#[test]
fn another_file() {
    let mut stage = stage();
    stage.event(json!({"v": 12}));
    stage.reload(&format!("{BOARD}{RULES}").replace("gauge > 10\"\ndeadband", "gauge > 20\"\ndeadband"));
    stage.status_is(Phase::Live);
    assert_eq!(state(&mut stage, "high"), Some(AlarmState::Returned));
    stage.reload(BOARD);
    assert_eq!(stage.frame(0).alarms, None);
}

const BY_EVENTS: &str = r#"
[[alarm]]
id = "jam"
title = "Jam"
key = "k"
raise = "event.v >= 5"
clear = "event.v == 0"
text = "{k} at {v}"
on-delay = "10s"
"#;

/// H6: an alarm a key, by what events say; delays by the source's clock, and what may have been missed is said.
#[test]
fn by_events() {
    let mut stage = Stage::with(&format!("{BOARD}{BY_EVENTS}"));
    stage.connect();
    stage.status_is(Phase::Live);
    stage.event(json!({"k": "a", "v": 6}));
    stage.event(json!({"k": "b", "v": 7}));
    stage.event(json!({"v": 7}));
    assert_eq!(stage.board.take_rejections().iter().filter(|(of, _)| of == "jam").count(), 1, "one has no key");
    stage.stay_live(4);
    stage.event(json!({"k": "b", "v": 0}));
    stage.event(json!({"k": "a", "v": 3}));
    assert_eq!(view(&mut stage).list, []);
    stage.stay_live(6);
    let own = find(&mut stage, "jam/a").expect("ten seconds");
    assert_eq!((&*own.title, own.state, own.raised_ms), ("Jam · a", AlarmState::Unacknowledged, Some(START)));
    assert_eq!(heard(&stage.board.take_alarm_changes()), ["jam/a"]);
    assert_eq!(own.evidence, AlarmEvidence::Live);
    // Missed, and nobody knows.
    stage.pass(3_000);
    stage.gap(Continuity::Unknown, 3_000);
    stage.status_is(Phase::Live);
    assert_eq!(
        find(&mut stage, "jam/a").map(|own| (own.state, own.evidence)),
        Some((AlarmState::Unacknowledged, AlarmEvidence::Bad))
    );
    stage.event(json!({"k": "a", "v": 9}));
    assert_eq!(find(&mut stage, "jam/a").map(|own| own.evidence), Some(AlarmEvidence::Live));
    // The next run.
    let record = stage.board.take_alarm_changes();
    let checkpoint = stage.board.checkpoint(stage.now, Timestamp::default());
    let mut next = Stage {
        board: Board::new(stage.board.file().clone(), stage.now),
        now: stage.now,
        offset: stage.offset,
        status: SourceStatus::default(),
    };
    next.board.restore(&checkpoint, next.now, Timestamp::default());
    next.board.restore_alarms(
        checkpoint.alarms.clone(),
        record.into_iter().filter(|change| change.number > checkpoint.alarms.alarms.number),
        next.now,
    );
    next.board.be_folded();
    next.connect();
    next.stay_live(1);
    assert_eq!(state(&mut next, "jam/a"), Some(AlarmState::Unacknowledged));
    next.event(json!({"k": "a", "v": 0}));
    assert_eq!(state(&mut next, "jam/a"), Some(AlarmState::Returned));
    assert_eq!(heard(&next.board.take_alarm_changes()), Vec::<String>::new());
}

/// H3, H6: that alarms may have come and gone goes on record, once an outage, and once more never.
#[test]
fn what_nobody_will_know_is_on_record() {
    let mut stage = stage();
    stage.event(json!({"v": 3}));
    let checkpoint = stage.board.checkpoint(stage.now, Timestamp::default());
    stage.pass(60_000);
    // Two channels of one outage.
    stage.gap(Continuity::Unknown, 60_000);
    stage.gap(Continuity::Unknown, 60_000);
    stage.status_is(Phase::Live);
    let record = stage.board.take_alarm_changes();
    let unseen: Vec<&Change> = record.iter().filter(|change| change.what == Some(Input::Unseen)).collect();
    let [own] = unseen[..] else { panic!("{unseen:?}") };
    assert_eq!((own.key.to_string(), own.sound), ("source:s".to_owned(), Sound::Keep));
    let words = &own.said.as_ref().expect("words").words;
    assert!(words.contains("may have come and gone") && words.contains("(lost)"), "{words}");
    // By what proves that nothing is missing, nothing is.
    stage.pass(60_000);
    stage.gap(Continuity::Proven, 60_000);
    assert_eq!(heard(&stage.board.take_alarm_changes()), Vec::<String>::new());
    // A crash behind it: folded again, and on record already.
    let board = Board::new(stage.board.file().clone(), stage.now);
    let mut next = Stage { board, now: stage.now, offset: stage.offset, status: SourceStatus::default() };
    next.board.restore(&checkpoint, next.now, Timestamp::default());
    let since = record.iter().filter(|change| change.number > checkpoint.alarms.alarms.number).cloned();
    next.board.restore_alarms(checkpoint.alarms.clone(), since, next.now);
    next.gap(Continuity::Unknown, 60_000);
    next.board.be_folded();
    let again = next.board.take_alarm_changes();
    assert!(again.iter().all(|change| change.what != Some(Input::Unseen)), "{again:?}");
}

/// That a source is followed from now on is no gap, whatever lies before it; one that nobody closes is, also of a source that was never followed.
#[test]
fn a_first_start_is_no_gap() {
    let mut stage = stage();
    stage.gap(Continuity::Snapshot, 0);
    stage.gap(Continuity::Unknown, 900);
    let is_unseen = |change: &Change| change.what == Some(Input::Unseen);
    assert!(!stage.board.take_alarm_changes().iter().any(is_unseen));
    stage.pass(60_000);
    stage.gap(Continuity::Unknown, 59_000);
    assert_eq!(stage.board.take_alarm_changes().iter().filter(|change| is_unseen(change)).count(), 1);
}

/// H6: another system's alarms, by its own names and priorities, on the glass and in a notification's words.
#[test]
fn of_another_system() {
    let rule =
        "\n[[alarm]]\nid = \"ops\"\nfrom = \"pagerduty\"\nsource = \"s\"\nchannels = \"c\"\npriority = \"low\"\n";
    let mut stage = Stage::with(&format!("{BOARD}{rule}"));
    stage.connect();
    stage.status_is(Phase::Live);
    let payload = json!({"summary": "Queue is stuck", "severity": "critical", "source": "mq-1", "group": "mq"});
    stage.event(json!({"event_action": "trigger", "dedup_key": "q", "payload": payload, "client_url": "https://mq"}));
    let own = find(&mut stage, "ops/q").expect("triggered");
    assert_eq!((&*own.title, own.priority, own.group.as_deref()), ("Queue is stuck", Priority::Critical, Some("mq")));
    assert!(own.first);
    let words = stage.board.alarm_words(&AlarmKey::read("ops/q"));
    assert_eq!((&*words.title, words.advice.as_deref()), ("Queue is stuck", Some("https://mq")));
    // Another file with the same rule: how bad it is it says itself.
    stage.board.reload(stage.board.file().clone(), stage.now);
    assert_eq!(find(&mut stage, "ops/q").map(|own| own.priority), Some(Priority::Critical));
    stage.event(json!({"event_action": "acknowledge"}));
    let rejections = stage.board.take_rejections();
    assert!(rejections.iter().any(|(rule, why)| rule == "ops" && why.to_string().contains("`dedup_key`")));
    stage.event(json!({"event_action": "acknowledge", "dedup_key": "q"}));
    assert_eq!(state(&mut stage, "ops/q"), Some(AlarmState::Acknowledged));
    stage.event(json!({"event_action": "resolve", "dedup_key": "q"}));
    assert_eq!(state(&mut stage, "ops/q"), None);
}
