//! H3 for who reads by a pattern: every channel that it means is there, one that comes to be from its first event on, also if that was while
//! nobody was connected; and where that can't be so, it is announced.

use std::time::Duration;

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    test_runner::RngSeed,
};
use serde::Deserialize;
use watchfloor_model::{Mono, Timestamp};

use super::*;
use crate::{
    channel::HistoryLimits,
    clock::Now,
    cursor,
    publish::{self, Form},
    state::{Outcome, State, StateLimits},
    subscription::{Manner, Subscription},
};

const CHANNELS: [&str; 6] = ["p.0", "p.1", "p.2", "p.3", "p", "q.0"];
const PATTERN: &str = "p.*";

#[derive(Clone, Debug)]
enum Transition {
    Publish {
        channel: usize,
        count: usize,
    },
    /// A publisher says that it lives, which makes a channel without an event.
    Live(usize),
    LoseHistory,
    Read,
    /// The reader comes in again by its cursor, perhaps with a batch on its way that it never got.
    Come {
        by_call: bool,
        in_flight: bool,
    },
    /// It asks for this one by its name besides.
    Name(usize),
}

fn transition() -> impl Strategy<Value = Transition> {
    let channel = || 0..CHANNELS.len();
    prop_oneof![
        8 => (channel(), 1_usize..5).prop_map(|(channel, count)| Transition::Publish { channel, count }),
        2 => channel().prop_map(Transition::Live),
        1 => Just(Transition::LoseHistory),
        6 => Just(Transition::Read),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(by_call, in_flight)| Transition::Come { by_call, in_flight }),
        1 => channel().prop_map(Transition::Name),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_pattern_is_missed_unsaid(transitions in proptest::collection::vec(transition(), 1..60)) {
        let mut world = World::new();
        for transition in transitions {
            world.apply(transition);
        }
        while world.read() {}
        world.is_whole();
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Told {
    Hello {},
    Subscribed { channel: Arc<str>, from: Position, recovered: bool, reason: Option<String> },
    Event { channel: Arc<str>, position: Position },
    Lost { channel: Arc<str>, from: Position, head: Position },
    Heartbeat {},
}

struct World {
    hub: State,
    now: Now,
    epochs: u32,
    reader: Subscription,
    cursor: String,
    /// What the reader knows of each channel, by what it was told alone.
    places: BTreeMap<Arc<str>, Position>,
    /// The channels that were there when it first looked, and those that it asked for by name without a place.
    first: BTreeSet<Arc<str>>,
    has_looked: bool,
}

impl World {
    fn new() -> Self {
        let history = HistoryLimits { events: 12, ..HistoryLimits::default() };
        let limits = StateLimits { history, ..StateLimits::default() };
        let now = Now { mono: Mono::ZERO, wall: Timestamp::from_millis(0) };
        let hub = State::new("e0".into(), limits, Vec::new(), now);
        let reader = Subscription::new(Manner::Call, Duration::from_secs(1));
        let mut world = Self {
            hub,
            now,
            epochs: 0,
            reader,
            cursor: format!("{PATTERN}~"),
            places: BTreeMap::new(),
            first: BTreeSet::new(),
            has_looked: false,
        };
        world.come(Manner::Call);
        world
    }

    fn come(&mut self, manner: Manner) {
        self.reader = Subscription::new(manner, Duration::from_secs(1));
        for (asked, place) in cursor::parse(&self.cursor).expect(&self.cursor) {
            match cursor::is_pattern(&asked) {
                true => self.reader.ask_by(asked, place),
                false => self.reader.subscribe(Places::from([(asked, place)])).expect("few channels"),
            }
        }
    }

    fn apply(&mut self, transition: Transition) {
        self.now.mono = self.now.mono.plus(Duration::from_millis(100));
        match transition {
            Transition::Publish { channel, count } => {
                let event = format!("{{\"channel\":\"{}\",\"name\":\"n\",\"data\":1}}\n", CHANNELS[channel]);
                let batch = publish::parse(event.repeat(count).as_bytes(), Form::Lines).expect("events");
                assert!(matches!(self.hub.publish(batch, None, self.now), Outcome::Published(_)));
            }
            Transition::Live(channel) => {
                let channels = BTreeSet::from([Arc::from(CHANNELS[channel])]);
                self.hub.alive(&channels, self.now).expect("room");
            }
            Transition::LoseHistory => {
                self.epochs += 1;
                self.hub.lose_history(format!("e{}", self.epochs).into());
            }
            Transition::Read => drop(self.read()),
            Transition::Come { by_call, in_flight } => {
                if in_flight {
                    self.take_in();
                    self.reader.next_batch(&self.hub, self.now);
                }
                self.come(if by_call { Manner::Call } else { Manner::Connection });
            }
            Transition::Name(channel) => {
                let place = self.places.get(CHANNELS[channel]).cloned();
                if place.is_none() {
                    self.first.insert(CHANNELS[channel].into());
                }
                let named = Places::from([(Arc::from(CHANNELS[channel]), place)]);
                self.reader.subscribe(named).expect("few channels");
            }
        }
    }

    fn take_in(&mut self) {
        for (channel, place) in self.reader.come_to_be(self.hub.ledger(), |_| false) {
            assert!(channel.starts_with("p."), "{channel}");
            self.reader.join(channel, place).expect("few channels");
        }
    }

    /// One batch, as a door does it; false if there was nothing in it.
    fn read(&mut self) -> bool {
        if !std::mem::replace(&mut self.has_looked, true) {
            self.first.extend(self.hub.ledger().beginning_with("p.").cloned());
        }
        self.take_in();
        let lines = self.reader.next_batch(&self.hub, self.now);
        let mut is_news = false;
        for line in &lines {
            is_news |= !line.starts_with(r#"{"type":"h"#);
            self.told(line);
        }
        self.cursor = self.reader.cursor();
        is_news
    }

    fn told(&mut self, line: &str) {
        match serde_json::from_str(line).expect(line) {
            Told::Hello {} | Told::Heartbeat {} => {}
            Told::Subscribed { channel, from, recovered: true, .. } => {
                let before = self.places.insert(channel.clone(), from.clone());
                assert!(before.map_or(from.offset == 0, |before| before == from), "nothing is left out: {line}");
            }
            Told::Subscribed { channel, from, reason, .. } => {
                let (known, ring) = (self.places.get(&channel), self.hub.ring(&channel));
                let is_right = match reason.as_deref() {
                    Some("fresh") => known.is_none() && (self.first.contains(&channel) || !channel.starts_with("p.")),
                    Some("epoch-changed") => self.epochs > 0,
                    Some("trimmed") => ring.is_some_and(|ring| !ring.continues(known.map_or(0, |known| known.offset))),
                    Some("ahead") => false,
                    _ => false,
                };
                assert!(is_right, "a hole is announced where there is one: {line}");
                self.places.insert(channel, from);
            }
            Told::Event { channel, position } => {
                let from = Position::new(position.epoch.clone(), 0);
                let before = self.places.insert(channel, position.clone()).unwrap_or(from);
                assert!(position.follows(&before), "{position} after {before}");
            }
            Told::Lost { channel, from, head } => {
                // Of a channel without an event a call isn't told: it has it by its cursor alone.
                let before = self.places.insert(channel, head);
                assert!(before.map_or(from.offset == 0, |before| before == from), "{line}");
            }
        }
    }

    /// It has everything of every channel that the pattern means, or was told what not.
    fn is_whole(&self) {
        for channel in self.hub.ledger().beginning_with("p.") {
            let head = self.hub.ledger().head(channel);
            if head.offset > 0 {
                assert_eq!(self.places.get(channel), Some(&head), "{channel}");
            }
        }
    }
}

/// H5: what is let go of takes a place all the same: nobody makes a hub remember more than a subscription's worth.
#[test]
fn what_is_let_go_of_is_bounded() {
    let mut world = World::new();
    world.reader.have_at_most(5);
    for (channel, name) in CHANNELS.iter().enumerate().take(4) {
        world.apply(Transition::Publish { channel, count: 1 });
        while world.read() {}
        world.reader.unsubscribe(name);
    }
    let one = |name: &str| Places::from([(Arc::from(name), None)]);
    assert!(world.reader.has_room_for(&one("q.0")).is_err(), "the pattern, and four that were let go of");
    world.reader.subscribe(one("p.0")).expect("its place is there");
    world.reader.let_go_of(PATTERN);
    world.reader.subscribe(one("q.0")).expect("room again");
}

/// What is let go of stays away, and comes with its name or when the pattern is asked for anew.
#[test]
fn let_go() {
    let mut world = World::new();
    for channel in 0..CHANNELS.len() {
        world.apply(Transition::Publish { channel, count: 1 });
    }
    while world.read() {}
    assert_eq!(world.reader.named().count(), 0);
    assert_eq!(world.cursor, "p.*~e0:0|p.0~e0:1|p.1~e0:1|p.2~e0:1|p.3~e0:1");
    world.reader.unsubscribe("p.0");
    world.apply(Transition::Name(1));
    world.apply(Transition::Publish { channel: 0, count: 1 });
    world.hub.alive(&BTreeSet::from([Arc::from("p.new")]), world.now).expect("room");
    while world.read() {}
    assert_eq!(world.cursor, "p.*~e0:0|p.1~e0:1|p.2~e0:1|p.3~e0:1|p.new~e0:0");
    let gone = world.reader.let_go_of(PATTERN);
    assert_eq!(gone.iter().map(|channel| &**channel).collect::<Vec<_>>(), ["p.2", "p.3", "p.new"]);
    gone.iter().for_each(|channel| world.reader.unsubscribe(channel));
    assert_eq!(world.reader.cursor(), "p.1~e0:1", "what was named stays");
}
