//! A board with one source, driven as the engine does it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use watchfloor_model::{
    Continuity, Delivery, Event, Gap, Mono, Phase, Position, Snapshot, SourceClock, SourceStatus, Timestamp, Transport,
};

use crate::{
    Aggregate, Board, config,
    frame::{Frame, Quality, WidgetValue},
    testing::event,
};

/// The source's time at the beginning: 2013-02-08T15:00:00Z.
pub(super) const START: i64 = 1_360_335_600_000;

/// A widget of most kinds.
pub(super) const BOARD: &str = r#"
[board]
title = "Test"
grid = { columns = 6, rows = 6 }

[[source]]
id = "s"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["c"]
quiet = "45s"

[[widget]]
id = "count"
kind = "counter"
place = { column = 1, row = 1, width = 1, height = 1 }

[[widget]]
id = "gauge"
kind = "gauge"
value = "v"
bands = [{ from = 25, state = "alarm" }]
place = { column = 2, row = 1, width = 1, height = 1 }

[[widget]]
id = "window"
kind = "window"
last = "1m"
trend = "2m"
place = { column = 3, row = 1, width = 1, height = 1 }

[[widget]]
id = "mean"
kind = "window"
last = "10m"
stat = "mean"
value = "v"
place = { column = 4, row = 1, width = 1, height = 1 }

[[widget]]
id = "table"
kind = "table"
key = "k"
columns = [{ path = "v" }, { path = "at", format = "time" }]
sort = "v"
limit = 2
place = { column = 1, row = 2, width = 1, height = 1 }

[[widget]]
id = "series"
title = "Events"
kind = "series"
bucket = "10s"
keep = "5m"
place = { column = 2, row = 2, width = 1, height = 1 }
"#;

pub(super) struct Stage {
    pub(super) board: Board,
    pub(super) now: Mono,
    pub(super) offset: u64,
    pub(super) status: SourceStatus,
}

/// Live, and proved now.
pub(super) fn status(now: Mono) -> SourceStatus {
    SourceStatus {
        phase: Phase::Live,
        transport: Some(Transport::WebSocket),
        link_proof: Some(now),
        publisher_proof: Some(now),
        ..SourceStatus::default()
    }
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(BOARD)
    }

    pub(super) fn with(text: &str) -> Self {
        let now = Mono::from_millis(1_000_000);
        Self { board: Board::new(parse(text), now), now, offset: 7, status: SourceStatus::default() }
    }

    /// The usual widgets and these, of a source that is live and has told nothing.
    pub(super) fn beside(widgets: &str) -> Self {
        let mut stage = Self::with(&format!("{BOARD}{widgets}"));
        stage.connect();
        stage.status_is(Phase::Live);
        stage
    }

    /// The same board in the next run, from what this one has written down, read as the wall's clock says
    /// `wall` (milliseconds); connected for a second.
    pub(super) fn restarted(&self, wall: i64) -> Self {
        let text =
            serde_json::to_string(&self.board.checkpoint(self.now, Timestamp::from_millis(START))).expect("JSON");
        let now = Mono::from_millis(7);
        let mut next = Self {
            board: Board::new(self.board.file().clone(), now),
            now,
            offset: self.offset,
            status: SourceStatus::default(),
        };
        next.board.restore(&serde_json::from_str(&text).expect("own checkpoint"), now, Timestamp::from_millis(wall));
        next.connect();
        next.stay_live(1);
        next
    }

    /// Everything from a snapshot, and live.
    pub(super) fn live() -> Self {
        let mut stage = Self::new();
        stage.connect();
        stage.snapshot("e:7", &["count", "gauge", "window", "mean", "table", "series"]);
        stage
    }

    /// Live, at the source's [`START`].
    pub(super) fn connect(&mut self) {
        let clock = SourceClock { at: Timestamp::from_millis(START), read: self.now, speed: 1.0, label: None };
        self.status(|now, own| *own = SourceStatus { clock: Some(clock), ..status(now) });
    }

    pub(super) fn reload(&mut self, text: &str) {
        self.board.reload(parse(text), self.now);
    }

    /// Time passes, and nobody tells the board.
    pub(super) fn pass(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
    }

    /// So many seconds pass, and each proves the link.
    pub(super) fn stay_live(&mut self, seconds: usize) {
        for _ in 0..seconds {
            self.pass(1000);
            self.status_is(Phase::Live);
        }
    }

    pub(super) fn status(&mut self, change: impl FnOnce(Mono, &mut SourceStatus)) {
        change(self.now, &mut self.status);
        self.board.handle_status("s", self.status.clone(), self.now);
    }

    /// The phase, proved now.
    pub(super) fn status_is(&mut self, phase: Phase) {
        self.status(|now, status| {
            status.phase = phase;
            status.link_proof = Some(now);
            status.publisher_proof = Some(now);
        });
    }

    /// The source's time, as its clock says it.
    pub(super) fn time(&self) -> Timestamp {
        self.status.clock.as_ref().map_or(Timestamp::from_millis(START), |clock| clock.at(self.now))
    }

    pub(super) fn event(&mut self, data: Value) {
        self.event_at(self.time().as_millis(), data);
    }

    /// An event of this instant of the source's time, received now.
    pub(super) fn event_at(&mut self, at: i64, data: Value) {
        self.offset += 1;
        let event =
            Event { position: Some(Position::new("e", self.offset)), received: self.now, ..event("c", "e", at, data) };
        self.board.handle_delivery("s", &Delivery::Events(vec![event]), self.now);
    }

    /// A snapshot of a hub that has folded nothing, for nothing has happened, with the aggregates of these widgets.
    pub(super) fn snapshot(&mut self, position: &str, widgets: &[&str]) {
        self.snapshot_since(None, position, widgets);
    }

    /// The same of a hub that knows nothing of what was before `since`.
    pub(super) fn snapshot_since(&mut self, since: Option<i64>, position: &str, widgets: &[&str]) {
        let folds = self.board.file().widgets.iter().filter(|widget| widgets.contains(&widget.id.as_str()));
        let aggregates = folds
            .map(|widget| {
                let aggregate = Aggregate::new(&widget.fold);
                (aggregate.fingerprint().to_owned(), aggregate.state_text())
            })
            .collect();
        let snapshot = Snapshot {
            positions: BTreeMap::from([("c".into(), position.parse().expect("a position"))]),
            clock: SourceClock { at: self.time(), read: self.now, speed: 1.0, label: None },
            since: since.map(Timestamp::from_millis),
            aggregates,
            received: self.now,
        };
        self.board.handle_delivery("s", &Delivery::Snapshot(snapshot), self.now);
    }

    /// A gap of the last `millis`.
    pub(super) fn gap(&mut self, proof: Continuity, millis: u64) {
        let began = Mono::from_micros(self.now.as_micros() - millis * 1000);
        let gap = Gap {
            channel: "c".into(),
            from: None,
            to: None,
            proof,
            reason: "lost".into(),
            began,
            ended: self.now,
            source_times: None,
        };
        self.board.handle_delivery("s", &Delivery::Gap(gap), self.now);
    }

    pub(super) fn frame(&mut self, after: u64) -> Frame {
        let revision = self.board.revision();
        self.board.frame(after, revision, self.now, Timestamp::default())
    }

    pub(super) fn quality(&self, widget: &str) -> Quality {
        self.board.freshness(widget, self.now).expect("a widget")
    }

    /// The widget's whole value, as a new page gets it.
    pub(super) fn value(&mut self, widget: &str) -> WidgetValue {
        let patches = self.frame(0).widgets;
        let patch = patches.into_iter().find(|patch| patch.id == widget).expect("a widget");
        patch.value.expect("a new page gets everything")
    }

    pub(super) fn number(&mut self, widget: &str) -> Option<f64> {
        match self.value(widget) {
            WidgetValue::Number(number) => number.value,
            other => panic!("{other:?} is no number"),
        }
    }

    pub(super) fn is_at_least(&mut self, widget: &str) -> bool {
        matches!(self.value(widget), WidgetValue::Number(number) if number.at_least)
    }
}

fn parse(text: &str) -> config::spec::BoardFile {
    config::parse(text, "test.toml").unwrap_or_else(|error| panic!("{error}"))
}
