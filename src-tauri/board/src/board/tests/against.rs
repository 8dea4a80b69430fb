//! A number that two sources give.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use watchfloor_model::{Delivery, Event, Mono, Phase, Position, Snapshot, SourceClock, SourceStatus, Timestamp};

use super::stage::{START, status};
use crate::{
    Board, config,
    frame::{Against, Agreement},
    freshness::Freshness,
    testing::event,
};

const BOARD: &str = r#"
[board]
title = "Test"

[[source]]
id = "gates"
title = "Gates"
kind = "hub"
url = "http://a"
channels = ["c"]

[[source]]
id = "radar"
title = "Radar"
kind = "hub"
url = "http://b"
channels = ["t"]

[[widget]]
id = "airborne"
kind = "gauge"
source = "gates"
value = "n"
against = { source = "radar", value = "targets", tolerance = 2, settle = "10s" }
"#;

struct Two {
    board: Board,
    now: Mono,
    offset: u64,
    lost: Option<&'static str>,
}

impl Two {
    fn new() -> Self {
        let now = Mono::from_millis(1_000_000);
        let file = config::parse(BOARD, "b").unwrap_or_else(|errors| panic!("{errors}"));
        let mut two = Self { board: Board::new(file, now), now, offset: 0, lost: None };
        two.prove();
        for (source, channel) in [("gates", "c"), ("radar", "t")] {
            // Nothing has happened yet.
            let snapshot = Snapshot {
                positions: BTreeMap::from([(channel.into(), Position::new("e", 0))]),
                clock: SourceClock { at: Timestamp::from_millis(START), read: now, speed: 1.0, label: None },
                since: None,
                aggregates: BTreeMap::new(),
                received: now,
            };
            two.board.handle_delivery(source, &Delivery::Snapshot(snapshot), now);
        }
        two
    }

    /// Both sources prove that they live, but for the one that is lost.
    fn prove(&mut self) {
        for source in ["gates", "radar"] {
            let at = Timestamp::from_millis(START).plus(self.now.since(Mono::from_millis(1_000_000)));
            let clock = SourceClock { at, read: self.now, speed: 1.0, label: None };
            let live = SourceStatus { clock: Some(clock), ..status(self.now) };
            let lost = SourceStatus { phase: Phase::Waiting, ..live.clone() };
            let told = if self.lost == Some(source) { lost } else { live };
            self.board.handle_status(source, told, self.now);
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now = self.now.plus(Duration::from_secs(1));
            self.prove();
        }
    }

    fn say(&mut self, source: &str, number: f64) {
        let (channel, path) = if source == "gates" { ("c", "n") } else { ("t", "targets") };
        self.offset += 1;
        let event = Event {
            position: Some(Position::new("e", self.offset)),
            received: self.now,
            ..event(channel, "e", START, json!({path: number}))
        };
        self.board.handle_delivery(source, &Delivery::Events(vec![event]), self.now);
    }

    fn against(&self) -> Against {
        self.board.freshness("airborne", self.now).expect("a widget").against.expect("a second source")
    }
}

/// H1: two sources that differ for long enough are a dispute, in which both are named; a short difference is none.
#[test]
fn a_lasting_difference_is_a_dispute() {
    let mut two = Two::new();
    assert_eq!(two.against().agreement, Agreement::Unchecked);
    two.say("gates", 40.0);
    assert_eq!(two.against().reason.as_deref(), Some("Radar is unknown"));
    two.say("radar", 42.0);
    assert_eq!((two.against().agreement, two.against().reason), (Agreement::Agrees, None), "within the tolerance");
    // The second one speaks a little later: nothing to shout about.
    two.say("gates", 45.0);
    two.pass(9);
    assert_eq!(two.against().agreement, Agreement::Agrees);
    two.say("radar", 45.0);
    two.pass(20);
    assert_eq!(two.against().agreement, Agreement::Agrees);

    two.say("radar", 48.0);
    let due = two.now.plus(Duration::from_secs(10));
    assert!(two.board.poll_timeout(two.now).is_some_and(|next| next <= due));
    two.pass(9);
    let version = two.board.version();
    two.now = due;
    two.board.handle_tick(two.now);
    assert!(two.board.version() > version, "pages are told");
    let against = two.against();
    assert_eq!((against.agreement, against.value), (Agreement::Disputed, Some(48.0)));
    assert_eq!((against.own_title.as_str(), against.title.as_str()), ("Gates", "Radar"));
    assert_eq!(two.board.report(two.now)["widgets"]["airborne"]["against"]["agreement"], "disputed");
    assert_eq!(two.board.report(two.now)["widgets"]["airborne"]["value"], 45.0, "nothing is averaged");
    // What the other one says is seen as it changes.
    let version = two.board.version();
    two.say("radar", 49.0);
    assert!(two.board.version() > version);
    two.say("radar", 46.0);
    assert_eq!(two.against().agreement, Agreement::Agrees);
}

/// H1: a difference that was there before the second source was lost for a moment has lasted since; and two of which it isn't known
/// that they ever agreed aren't said to.
#[test]
fn a_difference_outlasts_a_loss() {
    let mut two = Two::new();
    two.say("gates", 10.0);
    two.say("radar", 500.0);
    let against = two.against();
    assert_eq!((against.agreement, against.reason.as_deref()), (Agreement::Unchecked, Some("they differ")));
    for _ in 0..3 {
        two.pass(4);
        two.lost = Some("radar");
        two.pass(1);
        assert_eq!(two.against().agreement, Agreement::Unchecked);
        assert!(two.board.poll_timeout(two.now).is_none_or(|next| next > two.now));
        two.lost = None;
        two.prove();
    }
    assert_eq!(two.against().agreement, Agreement::Disputed, "for 15 s by now");
}

/// H1: what can't be compared isn't called agreement, nor dispute; and the widget is no staler for it.
#[test]
fn a_lost_second_source_is_said() {
    let mut two = Two::new();
    two.say("gates", 40.0);
    two.say("radar", 90.0);
    two.pass(10);
    assert_eq!(two.against().agreement, Agreement::Disputed);
    two.lost = Some("radar");
    two.pass(1);
    let against = two.against();
    assert_eq!((against.agreement, against.reason.as_deref()), (Agreement::Unchecked, Some("Radar is down")));
    assert_eq!(two.board.freshness("airborne", two.now).expect("a widget").freshness, Freshness::Live);
    two.lost = None;
    two.pass(1);
    assert_eq!(two.against().agreement, Agreement::Disputed, "nothing says that they agreed meanwhile");
    two.lost = Some("gates");
    two.pass(1);
    assert_eq!(two.against().reason.as_deref(), Some("Gates is down"));
}

/// A board that is read again keeps what was folded for the second source too.
#[test]
fn a_reload_keeps_the_second_state() {
    let mut two = Two::new();
    two.say("gates", 40.0);
    two.say("radar", 41.0);
    let file = config::parse(&BOARD.replace("tolerance = 2", "tolerance = 0.5"), "b").expect("a board");
    two.board.reload(file, two.now);
    two.pass(11);
    assert_eq!((two.against().agreement, two.against().value), (Agreement::Disputed, Some(41.0)));
}

/// H3, H4: a second source that a widget came to have while the wall was off is told as not restored, so that it begins anew: what leads to
/// its place doesn't hold what the widget would compare.
#[test]
fn a_second_source_that_is_new_after_a_restart() {
    let only = BOARD.split("against").next().expect("a beginning");
    let file = |text: &str| config::parse(text, "b").expect("a board");
    let mut two = Two::new();
    two.board.reload(file(only), two.now);
    two.say("gates", 40.0);
    two.say("radar", 41.0);
    let wall = Timestamp::from_millis(START);
    let checkpoint = two.board.checkpoint(two.now, wall);
    let mut next = Board::new(file(BOARD), two.now);
    let failed = next.restore(&checkpoint, two.now, wall);
    let failed: Vec<_> = failed.iter().map(|failed| (failed.source.as_str(), failed.widget.as_str())).collect();
    assert_eq!(failed, [("radar", "airborne")]);
    assert_eq!(next.report(two.now)["widgets"]["airborne"]["value"], 40.0);
    // One that was compared before goes on.
    let mut two = Two::new();
    two.say("radar", 41.0);
    let checkpoint = two.board.checkpoint(two.now, wall);
    assert_eq!(Board::new(file(BOARD), two.now).restore(&checkpoint, two.now, wall), []);
}
