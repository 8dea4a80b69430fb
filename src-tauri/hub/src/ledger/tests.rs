//! H3 for snapshots: what the hub has folded is what anybody would fold from its events, and a snapshot continued by the
//! events after its positions comes to the same.

use std::{sync::LazyLock, time::Duration};

use proptest::{
    prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest},
    test_runner::RngSeed,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use watchfloor_board::config;
use watchfloor_model::{Payload, Timestamp};

use super::*;
use crate::{
    clock::{ClockOrder, Setting},
    publish::{self, Form},
    state::{Outcome, State, StateLimits},
};

const CHANNELS: [&str; 2] = ["flights", "weather"];
const NAMES: [&str; 3] = ["departed", "cancelled", "observed"];

const BOARD: &str = r#"
[board]
title = "Folds"
timezone = "America/New_York"

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:8787"
channels = ["flights", "weather"]

[[widget]]
id = "count"
kind = "counter"
on = "departed"
channels = ["flights"]
trend = "1h"

[[widget]]
id = "mean"
kind = "window"
last = "10m"
stat = "mean"
value = "delay"
channels = ["flights"]

[[widget]]
id = "rate"
kind = "rate"
last = "10m"
per = "1h"

[[widget]]
id = "rows"
kind = "table"
key = "key"
columns = [{ path = "delay", title = "Delay" }]
remove-on = "cancelled"
expire = "20m"
limit = 5

[[widget]]
id = "last"
kind = "gauge"
value = "delay"

[[widget]]
id = "lines"
kind = "log"
text = "{key} {delay}"
limit = 20

[[widget]]
id = "chart"
kind = "series"
bucket = "5m"
keep = "2h"
stat = "sum"
value = "delay"
"#;

pub(crate) static FOLDS: LazyLock<Vec<FoldSpec>> = LazyLock::new(|| match config::parse(BOARD, "board.toml") {
    Ok(board) => board.widgets.into_iter().map(|widget| widget.fold).collect(),
    Err(diagnostics) => panic!("{diagnostics}"),
});

/// What can happen.
#[derive(Clone, Debug)]
enum Transition {
    /// A batch of events: channel, name, key, delay, and how old they are, in seconds.
    Publish(Vec<(usize, usize, u8, Option<i32>, i64)>),
    Wait {
        seconds: u64,
    },
    SetClock {
        minutes: i64,
    },
    Snapshot,
    LoseHistory,
}

fn transition() -> impl Strategy<Value = Transition> {
    let delay = proptest::option::weighted(0.9, -100..100_i32);
    let event = (0..CHANNELS.len(), 0..NAMES.len(), 0..12_u8, delay, -60..1200_i64);
    prop_oneof![
        8 => proptest::collection::vec(event, 1..12).prop_map(Transition::Publish),
        4 => (1_u64..600).prop_map(|seconds| Transition::Wait { seconds }),
        1 => (0_i64..30).prop_map(|minutes| Transition::SetClock { minutes }),
        3 => any::<()>().prop_map(|()| Transition::Snapshot),
        1 => any::<()>().prop_map(|()| Transition::LoseHistory),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_folded_is_what_was_published(transitions in proptest::collection::vec(transition(), 1..25)) {
        check(transitions);
    }
}

fn check(transitions: Vec<Transition>) {
    let mut world = World::new();
    for transition in transitions {
        world.apply(transition);
    }
    let cut = world.snapshot();
    let now = world.time();
    for mut fresh in world.fresh.drain(..) {
        if fresh.newest().is_some() {
            fresh.advance(now);
        }
        let kept = restored(&cut, &fresh);
        assert_eq!(kept.report(), fresh.report(), "{}: folded on publish and folded anew", fresh.fingerprint());
    }
}

struct World {
    hub: State,
    now: Now,
    epoch: u32,
    /// What this test folds itself, from the messages as readers get them.
    fresh: Vec<Aggregate>,
    /// Snapshots taken on the way, each continued by the events after it.
    continued: Vec<Vec<Aggregate>>,
    departed: u64,
}

impl World {
    fn new() -> Self {
        let now = Now { mono: Mono::ZERO, wall: Timestamp::from_millis(1_360_335_600_000) };
        let hub = State::new("e0".into(), StateLimits::default(), [&FOLDS[..], &FOLDS[..]].concat(), now);
        let fresh = FOLDS.iter().map(Aggregate::new).collect();
        Self { hub, now, epoch: 0, fresh, continued: Vec::new(), departed: 0 }
    }

    fn time(&self) -> Timestamp {
        self.hub.ledger().clock().now(self.now)
    }

    fn apply(&mut self, transition: Transition) {
        match transition {
            Transition::Publish(events) => self.publish(&events),
            Transition::Wait { seconds } => {
                self.now.mono = self.now.mono.plus(Duration::from_secs(seconds));
                self.now.wall = self.now.wall.plus(Duration::from_secs(seconds));
            }
            // Clocks run ahead here: an aggregate doesn't get back what it forgot, and when it forgot depends on who looked.
            Transition::SetClock { minutes } => {
                let at = self.time().plus(Duration::from_secs(60 * minutes.unsigned_abs()));
                self.hub.set_clock(
                    &ClockOrder { setting: Setting::At { at, speed: 1.0, label: None }, begins: false },
                    self.now,
                );
            }
            Transition::Snapshot => {
                let cut = self.snapshot();
                for channel in CHANNELS {
                    assert_eq!(cut.positions[channel], self.hub.ledger().head(channel));
                }
                self.continued.push(self.fresh.iter().map(|like| restored(&cut, like)).collect());
            }
            Transition::LoseHistory => {
                self.epoch += 1;
                self.hub.lose_history(format!("e{}", self.epoch).into());
            }
        }
    }

    fn snapshot(&mut self) -> Cut {
        let channels = CHANNELS.map(Arc::from);
        let cut = self.hub.snapshot(&channels, self.now);
        assert_eq!(cut.aggregates.len(), self.fresh.len(), "folds that are alike are folded once");
        // Counted without any reducer.
        let count = restored(&cut, &self.fresh[0]).report();
        assert_eq!(count.as_f64().unwrap_or(0.0), self.departed as f64);
        let now = self.time();
        for snapshot in &mut self.continued {
            for aggregate in snapshot {
                if aggregate.newest().is_some() {
                    aggregate.advance(now);
                }
                assert_eq!(
                    restored(&cut, aggregate).report(),
                    aggregate.report(),
                    "a snapshot and the events after it"
                );
            }
        }
        cut
    }

    fn publish(&mut self, events: &[(usize, usize, u8, Option<i32>, i64)]) {
        let now = self.time();
        let event = |&(channel, name, key, delay, age): &(usize, usize, u8, Option<i32>, i64)| {
            let mut data = json!({"key": format!("k{key}")});
            if let Some(delay) = delay {
                data["delay"] = json!(delay);
            }
            let time = now.as_millis() - age * 1000;
            json!({"channel": CHANNELS[channel], "name": NAMES[name], "time": time, "data": data})
        };
        let body = json!(events.iter().map(event).collect::<Vec<_>>()).to_string();
        let batch = publish::parse(body.as_bytes(), Form::Json).expect("events");
        let heads = CHANNELS.map(|channel| self.hub.ledger().head(channel).offset);
        let outcome = self.hub.publish(batch, None, self.now);
        assert!(matches!(outcome, Outcome::Published(_)));
        let mut entries: Vec<_> = std::iter::zip(CHANNELS, heads)
            .flat_map(|(channel, head)| {
                let ring = self.hub.ring(channel);
                ring.into_iter().flat_map(move |ring| (head + 1..=ring.head()).filter_map(|offset| ring.entry(offset)))
            })
            .collect();
        entries.sort_by_key(|entry| entry.serial);
        assert_eq!(entries.len(), events.len());
        let lines: Vec<_> = entries.into_iter().map(|entry| entry.line.clone()).collect();
        for line in lines {
            let event = received(&line);
            self.departed += u64::from(&*event.channel == "flights" && &*event.name == "departed");
            for aggregate in self.fresh.iter_mut().chain(self.continued.iter_mut().flatten()) {
                if aggregate.wants(&event) {
                    aggregate.advance(now);
                    // What doesn't fit is as it was before, here as there.
                    let _ = aggregate.fold(&event);
                }
            }
        }
    }
}

/// An event as a reader gets it.
pub(crate) fn received(line: &str) -> Event {
    #[derive(Deserialize)]
    struct Line<'a> {
        channel: Arc<str>,
        name: Arc<str>,
        position: Position,
        time: Timestamp,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let Line { channel, name, position, time, data } = serde_json::from_str(line).expect(line);
    let data = Payload::parse(data.get()).expect("data");
    Event { channel, name, id: None, position: Some(position), time, received: Mono::ZERO, data }
}

/// An aggregate such as `like` with the state of the snapshot.
pub(crate) fn restored(cut: &Cut, like: &Aggregate) -> Aggregate {
    let spec = FOLDS.iter().find(|spec| Aggregate::new(spec).fingerprint() == like.fingerprint()).expect("known");
    let mut aggregate = Aggregate::new(spec);
    aggregate.restore(&cut.aggregates[like.fingerprint()]).expect("the hub's own state");
    aggregate
}

/// Only aggregates that fold no other channel are in a snapshot.
#[test]
fn a_snapshot_is_over_its_channels() {
    let mut world = World::new();
    let count = |world: &mut World, channels: &[&str]| {
        let channels: Vec<Arc<str>> = channels.iter().map(|channel| (*channel).into()).collect();
        world.hub.snapshot(&channels, world.now).aggregates.len()
    };
    assert_eq!(count(&mut world, &["flights"]), 2);
    assert_eq!(count(&mut world, &["weather"]), 0);
    assert_eq!(count(&mut world, &["flights", "other", "weather"]), 7);
}

/// What doesn't fit is counted with its reason, and published all the same.
#[test]
fn what_does_not_fit_is_told() {
    let mut world = World::new();
    let body = r#"{"channel":"weather","name":"observed","data":{"key":"k","delay":"late"}}"#;
    let batch = publish::parse(body.as_bytes(), Form::Json).expect("event");
    let Outcome::Published(published) = world.hub.publish(batch, None, world.now) else { panic!("not taken") };
    assert!(!published.rejected.is_empty());
    assert!(published.rejected.iter().all(|rejected| rejected.count == 1 && rejected.reason.contains("`delay`")));
    assert_eq!(world.hub.ledger().head("weather").offset, 1);
}

/// A replay may set its clock after a wall has looked: aggregates without an event have no time to go back from. A reset
/// leaves nothing of what was folded.
#[test]
fn a_replay_begins_after_somebody_looked() {
    let mut world = World::new();
    world.snapshot();
    let past = world.now.wall.minus(Duration::from_secs(10 * 365 * 86_400));
    world.hub.set_clock(
        &ClockOrder { setting: Setting::At { at: past, speed: 60.0, label: None }, begins: false },
        world.now,
    );
    world.publish(&[(0, 0, 1, Some(5), 0)]);
    let cut = world.snapshot();
    let mean = restored(&cut, &world.fresh[1]).report();
    assert_eq!(mean.as_f64(), Some(5.0));

    world.hub.reset("e9".into(), world.now);
    assert_eq!(world.time(), world.now.wall);
    let cut = world.hub.snapshot(&CHANNELS.map(Arc::from), world.now);
    let empty: BTreeMap<_, _> = FOLDS
        .iter()
        .map(Aggregate::new)
        .map(|new| (new.fingerprint().to_owned(), new.state_text().to_string()))
        .collect();
    let found: BTreeMap<_, _> =
        cut.aggregates.into_iter().map(|(fingerprint, state)| (fingerprint, state.to_string())).collect();
    assert_eq!(found, empty);
}

/// H3: a snapshot says from when on it misses nothing. A hub knows nothing of what was before it, unless a publisher that
/// begins vouches that there was nothing; a lost history takes nothing out of the aggregates.
#[test]
fn a_snapshot_says_since_when_it_is_complete() {
    let set = |at, begins| ClockOrder { setting: Setting::At { at, speed: 60.0, label: None }, begins };
    let mut world = World::new();
    let begun = world.now.wall;
    let since = |world: &mut World| world.hub.snapshot(&CHANNELS.map(Arc::from), world.now).since;
    assert_eq!(since(&mut world), Some(begun));
    // A replay of another time, of which nobody says that it begins.
    let past = begun.minus(Duration::from_secs(86_400));
    world.hub.set_clock(&set(past, false), world.now);
    assert_eq!(since(&mut world), Some(past));
    world.hub.set_clock(&set(past, true), world.now);
    assert_eq!(since(&mut world), None);
    world.publish(&[(0, 0, 1, Some(5), 0)]);
    world.hub.set_clock(&set(begun, false), world.now);
    world.hub.lose_history("e8".into());
    assert_eq!(since(&mut world), None);
    // As new: and who comes when there are events already can vouch for nothing.
    world.hub.reset("e9".into(), world.now);
    assert_eq!(since(&mut world), Some(begun));
    world.publish(&[(0, 0, 1, Some(5), 0)]);
    world.hub.set_clock(&set(past, true), world.now);
    assert_eq!(since(&mut world), Some(past), "the hub's time is before its beginning now");
}
