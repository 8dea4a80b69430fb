//! Publishers that say whether they are there.

use serde_json::{Value, json};
use watchfloor_model::{Continuity, Delivery, Event, Gap, Mono, Phase, Position, SourceClock, SourceStatus, Timestamp};

use super::stage::status;
use crate::{Board, config, freshness::Freshness, testing::event};

const BOARD: &str = r#"
[board]
title = "Test"

[[source]]
id = "plant"
kind = "mqtt"
url = "mqtt://127.0.0.1"
channels = ["spBv1.0/P/#"]
sparkplug = "listen"

[[widget]]
id = "pump"
kind = "gauge"
on = "P/N/Pump"
value = "metrics.Temperature"

[[widget]]
id = "fan"
kind = "gauge"
on = "P/N/Fan"
value = "metrics.Speed"

[[widget]]
id = "all"
kind = "table"
on = "P/*"
key = "device"
columns = [{ path = "metrics.Temperature" }]

[[widget]]
id = "tiles"
kind = "status"
on = "P/*"
key = "device"
state = "quality"
states = { good = "normal", stale = "alarm" }
"#;

pub(super) struct Plant {
    pub(super) board: Board,
    pub(super) now: Mono,
    at: Position,
}

impl Plant {
    fn new() -> Self {
        Self::with(BOARD)
    }

    pub(super) fn with(text: &str) -> Self {
        let file = config::parse(text, "f").unwrap_or_else(|errors| panic!("{:?}", errors.lines()));
        let now = Mono::from_millis(1_000_000);
        let mut plant = Self { board: Board::new(file, now), now, at: Position::new("link-0", 0) };
        plant.connects("link-1");
        plant
    }

    /// On a link of its own, after what may be missing.
    pub(super) fn connects(&mut self, epoch: &'static str) {
        let from = std::mem::replace(&mut self.at, Position::new(epoch, 0));
        self.gap(from);
        self.board.handle_status("plant", status(self.now), self.now);
    }

    fn gap(&mut self, from: Position) {
        let gap = Gap {
            channel: "spBv1.0/P/#".into(),
            from: Some(from),
            to: Some(self.at.clone()),
            proof: Continuity::Unknown,
            reason: "test".to_owned(),
            began: self.now,
            ended: self.now,
            source_times: None,
        };
        self.board.handle_delivery("plant", &Delivery::Gap(gap), self.now);
    }

    pub(super) fn says(&mut self, device: &str, quality: &str, metrics: Value) {
        self.says_at(0, device, quality, metrics);
    }

    /// So many seconds after the others.
    pub(super) fn says_at(&mut self, seconds: i64, device: &str, quality: &str, metrics: Value) {
        let data = json!({
            "group": "P", "node": "N", "device": device,
            "quality": quality, "reason": "the device is gone", "metrics": metrics,
        });
        self.at.offset += 1;
        let time = Timestamp::from_millis(1_700_000_000_000 + seconds * 1000);
        let event = Event {
            position: Some(self.at.clone()),
            received: self.now,
            time,
            ..event("spBv1.0/P/#", &format!("P/N/{device}"), 0, data)
        };
        self.board.handle_delivery("plant", &Delivery::Events(vec![event]), self.now);
    }

    /// It is so many seconds after the first events, by the source's clock.
    pub(super) fn is_later(&mut self, seconds: i64) {
        let at = Timestamp::from_millis(1_700_000_000_000 + seconds * 1000);
        let clock = SourceClock { at, read: self.now, speed: 1.0, label: None };
        let status = SourceStatus { clock: Some(clock), ..status(self.now) };
        self.board.handle_status("plant", status, self.now);
    }

    fn born(&mut self) {
        self.says("Pump", "good", json!({"Temperature": 81.5}));
        self.says("Fan", "good", json!({"Speed": 1500}));
    }

    #[track_caller]
    fn are(&self, live: &[&str]) {
        for widget in ["pump", "fan", "all", "tiles"] {
            let expected = if live.contains(&widget) { Freshness::Live } else { Freshness::Stale };
            let quality = self.board.freshness(widget, self.now).expect("there is one");
            assert_eq!(quality.freshness, expected, "{widget}: {:?}", quality.reason);
            assert_eq!(quality.live_for_ms == 0, expected == Freshness::Stale, "{widget}");
        }
    }

    pub(super) fn reason(&self, widget: &str) -> String {
        self.board.freshness(widget, self.now).and_then(|quality| quality.reason).unwrap_or_default()
    }
}

/// H1, H2: values of a device that is gone aren't live wherever they are shown, and those of others are. Tiles that say it by
/// themselves go on.
#[test]
fn a_device_that_is_gone() {
    let mut plant = Plant::new();
    plant.born();
    plant.are(&["pump", "fan", "all", "tiles"]);
    let version = plant.board.version();
    plant.says("Pump", "stale", json!({}));
    plant.are(&["fan", "tiles"]);
    assert!(plant.board.version() > version);
    assert_eq!(plant.reason("pump"), "P/N/Pump: the device is gone");
    let report = plant.board.report(plant.now);
    assert_eq!(report["widgets"]["pump"]["value"], json!(81.5), "shown as it was, and marked");
    assert_eq!(report["widgets"]["tiles"]["value"]["Pump"]["text"], "stale");
    plant.says("Pump", "good", json!({"Temperature": 20}));
    plant.are(&["pump", "fan", "all", "tiles"]);
    // Something is missing on the connection that stands: who is concerned says so.
    let from = plant.at.clone();
    plant.at.offset += 1;
    plant.gap(from);
    plant.are(&["pump", "fan", "all", "tiles"]);
}

/// H1: on another connection nobody is there before a birth, and no tile says so by itself.
#[test]
fn another_connection() {
    let mut plant = Plant::new();
    plant.born();
    plant.connects("link-2");
    plant.are(&[]);
    assert_eq!(plant.reason("fan"), "P/N/Fan: no birth of it was heard since the connection began");
    plant.says("Fan", "good", json!({"Speed": 1500}));
    plant.are(&["fan"]);
    plant.says("Pump", "stale", json!({}));
    plant.are(&["fan", "tiles"]);
    plant.says("Pump", "good", json!({}));
    plant.are(&["pump", "fan", "all", "tiles"]);
}

/// H1, H4: another run knows whose values it shows, and that nobody has said that they are good.
#[test]
fn a_restart() {
    let mut plant = Plant::new();
    plant.born();
    let wall = Timestamp::from_millis(1_700_000_000_000);
    let text = serde_json::to_string(&plant.board.checkpoint(plant.now, wall)).expect("JSON");
    let mut next = Plant::new();
    next.board.restore(&serde_json::from_str(&text).expect("own checkpoint"), next.now, wall);
    assert_eq!(next.board.status("plant").map(|status| status.phase), Some(Phase::Live));
    next.are(&[]);
    next.connects("link-3");
    next.are(&[]);
    next.born();
    next.are(&["pump", "fan", "all", "tiles"]);
}

/// The example is a board of this kind.
#[test]
fn the_example() {
    let text = include_str!("../../../../../examples/sparkplug.toml");
    let file = config::parse(text, "f").unwrap_or_else(|errors| panic!("{:?}", errors.lines()));
    assert!(file.sources.iter().all(|source| source.sparkplug.is_some()));
    let event = text.replace("sparkplug =", "event = { data = \"metrics\" }\nsparkplug =");
    let errors = config::parse(&event, "f").expect_err("its quality would be lost").lines().join("\n");
    assert!(errors.contains("Sparkplug says itself"), "{errors}");
}
