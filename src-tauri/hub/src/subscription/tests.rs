//! H3 for readers: whatever happens, by whatever door, what a reader was given has no hole that isn't announced, nothing
//! twice, and one order across all channels, the hub's own.

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    test_runner::RngSeed,
};
use serde::Deserialize;
use watchfloor_model::Timestamp;

use super::*;
use crate::{
    channel::HistoryLimits,
    clock::{ClockOrder, Setting},
    publish::{self, Form},
    state::{Outcome, StateLimits},
};

const CHANNELS: [&str; 3] = ["a", "b", "c"];
const READERS: usize = 3;

/// By which door a reader comes in.
#[derive(Clone, Copy, Debug)]
enum Door {
    WebSocket,
    Sse,
    Poll,
}

/// What can happen.
#[derive(Clone, Debug)]
enum Transition {
    Publish {
        channel: usize,
        count: usize,
    },
    Grow {
        seconds: u64,
    },
    LoseHistory,
    Reset,
    SetClock,
    Read {
        reader: usize,
    },
    /// The connection breaks, perhaps with a batch on its way, and the reader comes in again by a door.
    Move {
        reader: usize,
        door: Door,
        in_flight: bool,
    },
}

fn transition() -> impl Strategy<Value = Transition> {
    let door = prop_oneof![Just(Door::WebSocket), Just(Door::Sse), Just(Door::Poll)];
    let count = prop_oneof![8 => 1_usize..5, 1 => 200_usize..600];
    prop_oneof![
        8 => (0..CHANNELS.len(), count).prop_map(|(channel, count)| Transition::Publish { channel, count }),
        2 => (1_u64..20).prop_map(|seconds| Transition::Grow { seconds }),
        1 => Just(Transition::LoseHistory),
        1 => Just(Transition::Reset),
        1 => Just(Transition::SetClock),
        8 => (0..READERS).prop_map(|reader| Transition::Read { reader }),
        4 => (0..READERS, door, any::<bool>())
            .prop_map(|(reader, door, in_flight)| Transition::Move { reader, door, in_flight }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_hole_that_is_not_announced(transitions in proptest::collection::vec(transition(), 1..60)) {
        check(transitions);
    }
}

fn check(transitions: Vec<Transition>) {
    let mut world = World::new();
    for transition in transitions {
        world.apply(transition);
    }
    for reader in 0..READERS {
        while world.read(reader) {}
        for channel in CHANNELS {
            let place = world.readers[reader].places[channel].clone();
            assert_eq!(place, Some(world.hub.ledger().head(channel)), "reader {reader} is at the head of {channel}");
        }
    }
}

struct World {
    hub: State,
    now: Now,
    epochs: u32,
    published: u64,
    readers: Vec<Witness>,
}

impl World {
    fn new() -> Self {
        let history = HistoryLimits {
            events: 700,
            age: Duration::from_secs(30),
            bytes_total: 200_000,
            ..HistoryLimits::default()
        };
        let limits = StateLimits { history, ..StateLimits::default() };
        let now = Now { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };
        let hub = State::new("e0".into(), limits, Vec::new(), now);
        let readers = [Door::WebSocket, Door::Sse, Door::Poll].map(Witness::new).into();
        Self { hub, now, epochs: 0, published: 0, readers }
    }

    fn apply(&mut self, transition: Transition) {
        self.now.mono = self.now.mono.plus(Duration::from_millis(100));
        match transition {
            Transition::Publish { channel, count } => self.publish(CHANNELS[channel], count),
            Transition::Grow { seconds } => {
                self.now.mono = self.now.mono.plus(Duration::from_secs(seconds));
                self.hub.trim(self.now.mono);
            }
            Transition::LoseHistory => {
                let epoch = self.new_epoch();
                self.hub.lose_history(epoch);
            }
            Transition::Reset => {
                let epoch = self.new_epoch();
                self.hub.reset(epoch, self.now);
            }
            Transition::SetClock => self.hub.set_clock(
                &ClockOrder {
                    setting: Setting::At { at: Timestamp::from_millis(5), speed: 60.0, label: None },
                    begins: false,
                },
                self.now,
            ),
            Transition::Read { reader } => {
                self.read(reader);
            }
            Transition::Move { reader, door, in_flight } => {
                if in_flight {
                    self.readers[reader].subscription.next_batch(&self.hub, self.now);
                }
                self.readers[reader].come_in(door);
            }
        }
    }

    fn new_epoch(&mut self) -> Arc<str> {
        self.epochs += 1;
        format!("e{}", self.epochs).into()
    }

    fn publish(&mut self, channel: &str, count: usize) {
        let mut lines = String::new();
        for _ in 0..count {
            self.published += 1;
            lines += &format!("{{\"channel\":\"{channel}\",\"name\":\"n\",\"data\":{}}}\n", self.published);
        }
        let batch = publish::parse(lines.as_bytes(), Form::Lines).expect("events");
        let outcome = self.hub.publish(batch, None, self.now);
        assert!(matches!(outcome, Outcome::Published(_)));
    }

    /// Reads one batch; false if there was no event in it.
    fn read(&mut self, reader: usize) -> bool {
        let witness = &mut self.readers[reader];
        // As the door of WebSockets reads; the others read batches alone.
        let shared = matches!(witness.door, Door::WebSocket)
            .then(|| witness.subscription.next_shared(&mut self.hub, self.now))
            .flatten();
        let lines = match shared {
            Some(text) => text.as_str().lines().map(Arc::from).collect(),
            None => witness.subscription.next_batch(&self.hub, self.now),
        };
        assert!(lines.len() <= limits::BATCH_MESSAGES_MAX);
        let mut events = false;
        for line in &lines {
            events |= line.starts_with(r#"{"type":"event""#);
            witness.take(line, &self.hub);
        }
        let seen = cursor::text(witness.places.iter().map(|(channel, place)| (channel, place.as_ref())));
        assert_eq!(witness.subscription.cursor(), seen, "the cursor is what the messages add up to");
        if matches!(witness.door, Door::Poll) {
            witness.come_in(Door::Poll);
        }
        events
    }
}

/// A reader that believes nothing but what it is told, and checks it.
struct Witness {
    door: Door,
    subscription: Subscription,
    places: Places,
    newest: u64,
    fresh_connection: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Told {
    Hello {},
    Subscribed { channel: Arc<str>, head: Position, from: Position, recovered: bool, reason: Option<String> },
    Event { channel: Arc<str>, position: Position, data: u64 },
    Lost { channel: Arc<str>, from: Position, head: Position, reason: String },
    Heartbeat { channels: BTreeMap<Arc<str>, ToldPulse> },
}

#[derive(Deserialize)]
struct ToldPulse {
    head: Position,
    behind: u64,
}

impl Witness {
    fn new(door: Door) -> Self {
        let places: Places = CHANNELS.map(|channel| (channel.into(), None)).into();
        let subscription = Subscription::new(Manner::Connection, Duration::from_secs(1));
        let mut witness = Self { door, subscription, places, newest: 0, fresh_connection: true };
        witness.come_in(door);
        witness
    }

    fn come_in(&mut self, door: Door) {
        let manner = if matches!(door, Door::Poll) { Manner::Call } else { Manner::Connection };
        let text = cursor::text(self.places.iter().map(|(channel, place)| (channel, place.as_ref())));
        let places = match door {
            Door::WebSocket => self.places.clone(),
            Door::Sse | Door::Poll => cursor::parse(&text).expect("cursor"),
        };
        self.door = door;
        self.fresh_connection = manner == Manner::Connection;
        self.subscription = Subscription::new(manner, Duration::from_secs(1));
        self.subscription.subscribe(places).expect("few channels");
    }

    fn take(&mut self, line: &str, hub: &State) {
        let told: Told = serde_json::from_str(line).expect(line);
        let first = matches!(told, Told::Hello {});
        assert_eq!(first, std::mem::take(&mut self.fresh_connection), "hello comes first and once");
        match told {
            Told::Hello {} => {}
            Told::Subscribed { channel, head, from, recovered, reason } => {
                let asked = self.places[&channel].clone();
                assert_eq!(head, hub.ledger().head(&channel));
                let can_go_on = asked.as_ref().is_some_and(|asked| goes_on(asked, &head, hub.ring(&channel)));
                assert_eq!(recovered, can_go_on, "a hole is announced if and only if there is one: {line}");
                assert_eq!(recovered, reason.is_none());
                assert_eq!(Some(&from), if recovered { asked.as_ref() } else { Some(&head) });
                self.places.insert(channel, Some(from));
            }
            Told::Event { channel, position, data } => {
                let place = self.places.get_mut(&channel).and_then(Option::as_mut).expect("subscribed before");
                assert!(position.follows(place), "{position} after {place}");
                assert!(data > self.newest, "one order across channels: {data} after {}", self.newest);
                self.newest = data;
                *place = position;
            }
            Told::Lost { channel, from, head, reason } => {
                assert_eq!(self.places[&channel].as_ref(), Some(&from));
                assert!(!goes_on(&from, &head, hub.ring(&channel)), "no false alarm: {line}");
                assert_eq!(reason == "epoch-changed", from.epoch != head.epoch);
                self.places.insert(channel, Some(head));
            }
            Told::Heartbeat { channels } => {
                assert_eq!(channels.len(), CHANNELS.len());
                for (channel, pulse) in channels {
                    assert_eq!(self.places[&channel].as_ref(), Some(&pulse.head), "a heartbeat proves completeness");
                    assert_eq!(pulse.behind, hub.ledger().head(&channel).offset - pulse.head.offset);
                }
            }
        }
    }
}

/// Written anew, not shared with the code under test: every event after `place` must be there.
fn goes_on(place: &Position, head: &Position, ring: Option<&Ring>) -> bool {
    place.epoch == head.epoch
        && place.offset <= head.offset
        && (place.offset + 1..=head.offset).all(|offset| ring.is_some_and(|ring| ring.entry(offset).is_some()))
}

fn hub_with(events: usize, bytes: usize) -> World {
    let mut world = World::new();
    world.hub = State::new(
        "e0".into(),
        StateLimits { history: HistoryLimits { events, bytes, ..HistoryLimits::default() }, ..StateLimits::default() },
        Vec::new(),
        world.now,
    );
    world
}

/// H5: a batch is bounded by messages and by bytes, and a message over the bound goes alone.
#[test]
fn batches_are_bounded() {
    let mut world = hub_with(100_000, 64 << 20);
    let mut subscription = Subscription::new(Manner::Call, Duration::from_secs(1));
    subscription.subscribe(cursor::parse("a~e0:0").expect("cursor")).expect("one channel");
    world.publish("a", 1300);
    let big = |kib: usize| format!(r#"{{"channel":"a","name":"n","data":"{}"}}"#, "x".repeat(kib << 10));
    for kib in [100, 100, 100, 900, 1] {
        let batch = publish::parse(big(kib).as_bytes(), Form::Json).expect("event");
        world.hub.publish(batch, None, world.now);
    }
    let sizes = std::iter::from_fn(|| {
        let lines = subscription.next_batch(&world.hub, world.now);
        (!lines.is_empty()).then_some(lines.len())
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [512, 512, 276 + 2, 1, 1, 1]);
}

/// H5: a reader that never reads costs nothing, and when it does it is told that it lost its place, once.
#[test]
fn slow_readers_lose_their_place() {
    let mut world = hub_with(10, 64 << 20);
    assert!(!world.read(0));
    world.publish("a", 11);
    let lines = world.readers[0].subscription.next_batch(&world.hub, world.now);
    assert_eq!(lines.len(), 1);
    assert_eq!(&*lines[0], r#"{"type":"lost","channel":"a","from":"e0:0","head":"e0:11","reason":"slow"}"#);
    world.publish("a", 10);
    assert_eq!(world.readers[0].subscription.next_batch(&world.hub, world.now).len(), 10);
}

/// H2: heartbeats come when they are due and not before, and at once when the clock was set.
#[test]
fn heartbeats_come_in_time() {
    let mut world = World::new();
    world.read(0);
    let heartbeats = |world: &mut World, ms: u64| {
        world.now.mono = Mono::from_millis(ms);
        world.readers[0].subscription.next_batch(&world.hub, world.now).len()
    };
    assert_eq!(heartbeats(&mut world, 999), 0);
    assert_eq!(heartbeats(&mut world, 1000), 1);
    assert_eq!(heartbeats(&mut world, 1999), 0);
    assert_eq!(world.readers[0].subscription.poll_timeout(), Mono::from_millis(2000));
    world.hub.set_clock(&ClockOrder::SYSTEM, world.now);
    assert_eq!(heartbeats(&mut world, 1999), 1);
    assert_eq!(heartbeats(&mut world, 2998), 0);
    assert_eq!(heartbeats(&mut world, 2999), 1);
}

/// A subscription is bounded, and asking for too much changes nothing.
#[test]
fn channels_are_bounded() {
    let mut subscription = Subscription::new(Manner::Connection, Duration::from_secs(1));
    let places = |range: std::ops::Range<usize>| range.map(|n| (format!("c{n}").into(), None)).collect::<Places>();
    subscription.subscribe(places(0..256)).expect("as many as may be");
    subscription.subscribe(places(0..256)).expect("the same again");
    let error = subscription.subscribe(places(256..257)).expect_err("one more");
    assert_eq!(error.to_string(), "257 channels: expected at most 256");
    subscription.unsubscribe("c0");
    subscription.subscribe(places(256..257)).expect("in its stead");
    assert_eq!(subscription.channels().count(), 256);
}
