//! A board that is compared with its server.

use std::collections::BTreeMap;

use watchfloor_model::{Check, Delivery, Event, Position, Snapshot, SourceClock};

use super::*;
use crate::{Aggregate, testing::event};

const WIDGETS: [&str; 6] = ["count", "gauge", "window", "mean", "table", "series"];

impl Stage {
    /// An event of now, as the stage's server has it.
    fn server_event(&self, data: &serde_json::Value) -> Event {
        event("c", "e", self.time().as_millis(), data.clone())
    }

    /// The stage is compared with a server that has folded `events` and stands at `place`; `later` was delivered beyond it.
    fn check(&mut self, place: u64, events: &[Event], later: u64) {
        let folds = self.board.file().widgets.iter().filter(|widget| WIDGETS.contains(&&*widget.id));
        let aggregates = folds
            .map(|widget| {
                let mut aggregate = Aggregate::new(&widget.fold);
                aggregate.advance(Timestamp::from_millis(START));
                events.iter().for_each(|event| aggregate.fold(event).expect("sound data"));
                aggregate.advance(self.time());
                (aggregate.fingerprint().to_owned(), aggregate.state_text())
            })
            .collect();
        let at = |offset: u64| BTreeMap::from([("c".into(), Position::new("e", offset))]);
        let snapshot = Snapshot {
            positions: at(place),
            clock: SourceClock { at: self.time(), read: self.now, speed: 1.0, label: None },
            since: None,
            aggregates,
            received: self.now,
        };
        let check = Check { snapshot, later: Vec::new(), positions: at(place + later) };
        self.board.handle_delivery("s", &Delivery::Check(check), self.now);
    }

    fn source(&self, field: &str) -> serde_json::Value {
        self.board.report(self.now)["sources"]["s"][field].clone()
    }
}

/// H2, H3: a board that shows what the server holds is untouched by a comparison: no version, no flicker; its age is told.
#[test]
fn agreement_changes_nothing() {
    let mut stage = Stage::live();
    let mut events = Vec::new();
    for v in [3, 30, 7] {
        stage.pass(1000);
        let data = json!({"k": format!("k{v}"), "v": v});
        events.push(stage.server_event(&data));
        stage.event(data);
    }
    stage.status_is(Phase::Live);
    assert_eq!(stage.source("checked_ms"), json!(null));
    let painted = stage.frame(0).version;
    stage.check(10, &events, 0);
    assert_eq!(stage.board.take_drifts(), []);
    let frame = stage.frame(painted);
    assert!(frame.widgets.iter().all(|patch| patch.value.is_none()), "{:?}", frame.widgets);
    assert_eq!(stage.board.version(), painted);
    stage.pass(1500);
    assert_eq!((stage.source("checked_ms"), stage.source("drift")), (json!(1500), json!(0)));
}

/// H3: what differs is taken from the server and said by widget, field and both values; the page gets it with the next frame.
#[test]
fn a_drift_is_corrected_and_said() {
    let mut stage = Stage::live();
    stage.pass(1000);
    let [lost, kept] = [json!({"k": "a", "v": 30}), json!({"k": "b", "v": 10})];
    let events = [stage.server_event(&lost), stage.server_event(&kept)];
    stage.event(kept);
    let painted = stage.frame(0).version;
    stage.check(8, &events, 0);
    let drifts = stage.board.take_drifts();
    let said = |widget: &str, field: &str, shown: &str, server: &str| {
        drifts.iter().any(|drift| {
            (&*drift.source, &*drift.widget, &*drift.field) == ("s", widget, field)
                && (&*drift.shown, &*drift.server) == (shown, server)
        })
    };
    assert!(said("count", "value", "1", "2") && said("mean", "value", "10", "20"), "{drifts:?}");
    assert!(said("table", "a", "none", "there") && said("window", "value", "1", "2"), "{drifts:?}");
    assert!(!drifts.iter().any(|drift| drift.widget == "gauge"), "{drifts:?}");
    assert_eq!(stage.source("drift"), json!(drifts.len()));
    assert_eq!(stage.board.drift("s"), drifts.len() as u64);
    let frame = stage.frame(painted);
    let brings = |id: &str| frame.widgets.iter().any(|patch| patch.id == id && patch.value.is_some());
    assert!(brings("count") && brings("table") && !brings("gauge"));
    assert_eq!((stage.number("count"), stage.number("mean")), (Some(2.0), Some(20.0)));
    assert_eq!(stage.board.take_drifts(), [], "said once");
    // What comes next is folded into what was corrected.
    stage.event(json!({"k": "c", "v": 1}));
    assert_eq!(stage.number("count"), Some(3.0));
}

/// A comparison with another place than the board's says nothing: of a life before this one, or of another history.
#[test]
fn another_place_is_not_compared() {
    let mut stage = Stage::live();
    stage.event(json!({"k": "a", "v": 1}));
    stage.event(json!({"k": "a", "v": 2}));
    for (place, later) in [(7, 0), (7, 1), (8, 0)] {
        stage.check(place, &[], later);
        assert_eq!((stage.number("count"), stage.source("checked_ms")), (Some(2.0), json!(null)));
    }
    let mut fresh = Stage::new();
    fresh.connect();
    fresh.check(9, &[], 0);
    assert_eq!(fresh.source("checked_ms"), json!(null));
    // Something that nobody could read lies beyond the last event.
    let data = json!({"k": "a", "v": 1});
    let event = stage.server_event(&data);
    stage.check(9, &[event.clone(), event], 3);
    assert_eq!(stage.source("checked_ms"), json!(0));
}

/// H4: what was corrected is part of the next checkpoint.
#[test]
fn corrections_are_saved() {
    let mut stage = Stage::live();
    let event = stage.server_event(&json!({"k": "a", "v": 1}));
    stage.event(json!({"k": "a", "v": 5}));
    stage.check(8, &[event], 0);
    assert_eq!(stage.number("mean"), Some(1.0));
    let checkpoint = stage.board.checkpoint(stage.now, Timestamp::from_millis(0));
    let mut other = Stage::new();
    other.board.restore(&checkpoint, other.now, Timestamp::from_millis(0));
    assert_eq!(other.number("mean"), Some(1.0));
}

/// H1: a state that a cache kept for ten seconds shows the clock of then; the source's own goes on.
#[test]
fn a_late_state_doesnt_hold_the_clock_back() {
    let mut stage = Stage::live();
    stage.pass(30_000);
    stage.status_is(Phase::Live);
    let clock =
        SourceClock { at: stage.time().minus(Duration::from_secs(10)), read: stage.now, speed: 1.0, label: None };
    let positions = BTreeMap::from([("c".into(), Position::new("e", 7))]);
    let (aggregates, received) = (BTreeMap::new(), stage.now);
    let snapshot = Snapshot { positions: positions.clone(), clock, since: None, aggregates, received };
    let check = Check { snapshot: snapshot.clone(), later: Vec::new(), positions };
    for delivery in [Delivery::Check(check), Delivery::Snapshot(snapshot)] {
        stage.board.handle_delivery("s", &delivery, stage.now);
        stage.pass(1000);
        stage.status_is(Phase::Live);
        assert_eq!(stage.board.source_time("s"), Some(stage.time()), "{delivery:?}");
    }
}
