//! H3, H4 through crashes: what was told stays true, what is missing is told, and what is folded is what was published.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    test_runner::RngSeed,
};
use serde_json::{Value, json};
use watchfloor_board::{Aggregate, config::spec::FoldSpec};
use watchfloor_model::{Mono, Position, Timestamp};

use super::*;
use crate::{
    clock::Now,
    ledger::{
        Cut,
        tests::{FOLDS, received, restored},
    },
    publish::{self, Form},
    rules::{Durability, Rules, Settings},
    state::{Outcome, Resuming, State, StateLimits},
    subscription::{Manner, Subscription},
};

mod course;

/// By the name of the channel.
fn rules() -> Rules {
    Rules::new(|channel| Settings {
        durability: match channel {
            "flights" => Durability::Durable,
            "weather" => Durability::Fast,
            _ => Durability::Memory,
        },
        ..Settings::default()
    })
}

const CHANNELS: [&str; 3] = ["flights", "weather", "other"];
const NAMES: [&str; 3] = ["departed", "cancelled", "observed"];

/// A hub on a disk.
struct Machine {
    folder: tempfile::TempDir,
    limits: StateLimits,
    rules: Rules,
    file: File,
    state: State,
    now: Now,
    starts: u32,
}

impl Machine {
    fn new(limits: StateLimits, rules: Rules) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let now = Now { mono: Mono::from_millis(1 << 40), wall: Timestamp::from_millis(1_360_339_200_000) };
        let file = File::open(folder.path()).expect("a file");
        let mut state = State::new("e".into(), limits.clone(), FOLDS.clone(), now);
        state.be_kept(rules.clone());
        let mut machine = Self { folder, limits, rules, file, state, now, starts: 0 };
        machine.save(true, false);
        machine
    }

    fn wait(&mut self, time: Duration) {
        self.now.mono = self.now.mono.plus(time);
        self.now.wall = self.now.wall.plus(time);
    }

    fn save(&mut self, with_checkpoint: bool, is_last: bool) {
        let batch = self.state.take_batch(with_checkpoint, is_last, self.now).expect("a store");
        self.file.commit(&batch).expect("kept");
        self.state.keep(batch.serial);
    }

    /// Another process, which knows only what is on the disk. Its monotonic clock is another one.
    fn start(&mut self) {
        self.start_with(FOLDS.clone());
    }

    fn start_with(&mut self, specs: Vec<FoldSpec>) {
        self.starts += 1;
        self.now.mono = Mono::from_millis(1 << 40).plus(Duration::from_secs(u64::from(self.starts)));
        self.file = File::open(self.folder.path()).expect("a file");
        self.file.check().expect("sound");
        let loaded = self.file.load().expect("readable").expect("begun");
        let mut resuming = Resuming::new(loaded, self.limits.clone(), specs, self.rules.clone(), self.now);
        self.file.events(|stored| resuming.take(stored)).expect("readable");
        self.state = resuming.finish();
        self.save(true, false);
    }

    fn cut(&mut self, channels: &[&str]) -> Cut {
        let channels: Vec<Arc<str>> = channels.iter().map(|channel| (*channel).into()).collect();
        self.state.snapshot(&channels, self.now)
    }
}

/// What can happen.
#[derive(Clone, Debug)]
enum Transition {
    /// Channel, name, key, delay, age in seconds.
    Publish(Vec<(usize, usize, u8, i32, i64)>),
    Wait {
        millis: u64,
    },
    /// A transaction begins, perhaps with a checkpoint.
    Take {
        checkpoint: bool,
    },
    /// It ends.
    Commit,
    /// The process is killed; the transaction under way is on the disk or not.
    Crash {
        committed: bool,
        down_s: u64,
    },
    Stop,
    Read {
        reader: usize,
    },
    Leave {
        reader: usize,
    },
    Snapshot,
}

fn transition() -> impl Strategy<Value = Transition> {
    let event = |channels: usize| (0..channels, 0..NAMES.len(), 0..12_u8, -100..100_i32, -2..1200_i64);
    prop_oneof![
        8 => proptest::collection::vec(event(3), 1..8).prop_map(Transition::Publish),
        2 => (1_u64..100_000).prop_map(|millis| Transition::Wait { millis }),
        6 => any::<bool>().prop_map(|checkpoint| Transition::Take { checkpoint }),
        6 => Just(Transition::Commit),
        3 => (any::<bool>(), 0..1000_u64).prop_map(|(committed, down_s)| Transition::Crash { committed, down_s }),
        1 => Just(Transition::Stop),
        6 => (0..2_usize).prop_map(|reader| Transition::Read { reader }),
        1 => (0..2_usize).prop_map(|reader| Transition::Leave { reader }),
        2 => Just(Transition::Snapshot),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96, rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default()
    })]

    /// H3, H4: killed at any instant, nothing that was told of a `durable` channel is missing or another; what is missing of others is told,
    /// and the aggregates say since when they miss nothing.
    #[test]
    fn what_was_told_stays_true(channels in 1..=3_usize, transitions in proptest::collection::vec(transition(), 1..60)) {
        let mut world = World::new();
        world.channels = channels;
        transitions.into_iter().for_each(|transition| world.apply(transition));
        world.apply(Transition::Crash { committed: false, down_s: 1 });
        world.finish();
    }
}

/// The position that an event was given: its channel, its offset, and the event's number.
type Given = (Arc<str>, u64, i32);

/// A reader that comes back after whatever happened.
struct Witness {
    places: BTreeMap<Arc<str>, Option<Position>>,
    subscription: Subscription,
}

struct World {
    machine: Machine,
    /// How many of them are published to.
    channels: usize,
    taken: Option<Batch>,
    number: i32,
    /// What was told of a position, to a publisher or to a reader: the event's number.
    told: BTreeMap<(Arc<str>, u64), i32>,
    /// What was told to publishers of `durable` channels.
    owed: BTreeMap<(Arc<str>, u64), i32>,
    /// What publishers wait for: the number that has to be kept, and what they are told then.
    waiting: Vec<(u64, Vec<Given>)>,
    readers: Vec<Witness>,
    /// When a crash took something last that isn't `durable`, perhaps.
    crashed: Option<Timestamp>,
    begun: Timestamp,
}

impl World {
    fn new() -> Self {
        let machine = Machine::new(StateLimits::default(), rules());
        let witness = |_| Witness {
            places: CHANNELS.map(|channel| (channel.into(), None)).into(),
            subscription: Subscription::new(Manner::Connection, Duration::from_secs(1)),
        };
        let begun = machine.now.wall;
        let mut world = Self {
            machine,
            channels: CHANNELS.len(),
            taken: None,
            number: 0,
            told: BTreeMap::new(),
            owed: BTreeMap::new(),
            waiting: Vec::new(),
            readers: (0..2).map(witness).collect(),
            crashed: None,
            begun,
        };
        (0..2).for_each(|reader| world.come_in(reader));
        world
    }

    fn apply(&mut self, transition: Transition) {
        self.machine.wait(Duration::from_millis(7));
        match transition {
            Transition::Publish(events) => self.publish(&events),
            Transition::Wait { millis } => self.machine.wait(Duration::from_millis(millis)),
            Transition::Take { checkpoint } => {
                if self.taken.is_none() {
                    self.taken = self.machine.state.take_batch(checkpoint, false, self.machine.now);
                }
            }
            Transition::Commit => self.commit(),
            Transition::Crash { committed, down_s } => {
                if let Some(batch) = self.taken.take().filter(|_| committed) {
                    self.machine.file.commit(&batch).expect("kept");
                }
                self.machine.wait(Duration::from_secs(down_s));
                self.restart(true);
            }
            Transition::Stop => {
                self.commit();
                self.machine.save(false, true);
                self.answer();
                self.restart(false);
            }
            Transition::Read { reader } => self.read(reader),
            Transition::Leave { reader } => self.come_in(reader),
            Transition::Snapshot => self.check_aggregates(),
        }
    }

    fn restart(&mut self, is_crash: bool) {
        self.waiting.clear();
        self.machine.start();
        if is_crash {
            self.crashed = Some(self.machine.now.wall);
        }
        (0..2).for_each(|reader| self.come_in(reader));
        self.check_history();
        self.check_aggregates();
    }

    fn commit(&mut self) {
        if let Some(batch) = self.taken.take() {
            self.machine.file.commit(&batch).expect("kept");
            self.machine.state.keep(batch.serial);
            self.answer();
        }
    }

    /// Publishers that waited for what is kept now are told.
    fn answer(&mut self) {
        let kept = self.machine.state.kept();
        for (_, given) in self.waiting.extract_if(.., |(serial, _)| *serial <= kept) {
            for (channel, offset, number) in given {
                tell(&mut self.told, &channel, offset, number);
                if &*channel == "flights" {
                    self.owed.insert((channel, offset), number);
                }
            }
        }
    }

    fn publish(&mut self, events: &[(usize, usize, u8, i32, i64)]) {
        let now = self.machine.now;
        let mut given = Vec::new();
        let mut bodies = Vec::new();
        let mut heads = CHANNELS.map(|channel| self.machine.state.ring(channel).map_or(0, crate::channel::Ring::taken));
        for &(channel, name, key, delay, age) in events {
            let channel = channel % self.channels;
            self.number += 1;
            heads[channel] += 1;
            given.push((Arc::from(CHANNELS[channel]), heads[channel], self.number));
            let time = now.wall.as_millis() - age * 1000;
            let data = json!({"key": format!("k{key}"), "delay": delay, "number": self.number});
            bodies.push(json!({"channel": CHANNELS[channel], "name": NAMES[name], "time": time, "data": data}));
        }
        let batch = publish::parse(json!(bodies).to_string().as_bytes(), Form::Json).expect("events");
        let Outcome::Published(published) = self.machine.state.publish(batch, None, now) else { panic!("not taken") };
        let texts: Vec<_> = given.iter().map(|(_, offset, _)| format!("e:{offset}")).collect();
        assert_eq!(published.positions.texts(), texts);
        let serial = if published.waits { published.positions.last() } else { 0 };
        self.waiting.push((serial, given));
        self.answer();
    }

    fn come_in(&mut self, reader: usize) {
        let witness = &mut self.readers[reader];
        witness.subscription = Subscription::new(Manner::Connection, Duration::from_secs(1));
        witness.subscription.subscribe(witness.places.clone()).expect("few channels");
    }

    fn read(&mut self, reader: usize) {
        let witness = &mut self.readers[reader];
        let lines = witness.subscription.next_batch(&self.machine.state, self.machine.now);
        for line in &lines {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let text = |field: &str| line[field].as_str().expect(field);
            let position = |field: &str| text(field).parse::<Position>().expect(field);
            match text("type") {
                "event" => {
                    let (channel, position): (Arc<str>, _) = (text("channel").into(), position("position"));
                    let place = witness.places.get_mut(&channel).and_then(Option::as_mut).expect("subscribed");
                    assert_eq!(position.offset, place.offset + 1, "in order, without a hole that isn't told of");
                    let number = line["data"]["number"].as_i64().expect("a number");
                    tell(&mut self.told, &channel, position.offset, i32::try_from(number).expect("small"));
                    *place = position;
                }
                "subscribed" => {
                    let channel: Arc<str> = text("channel").into();
                    let asked = witness.places[&channel].clone();
                    if line["recovered"] == true {
                        assert_eq!(asked, Some(position("from")));
                    } else if asked.is_some() {
                        // Its history isn't kept, and everything before the restart is trimmed.
                        assert_eq!((&*channel, text("reason")), ("other", "trimmed"), "{line}");
                    }
                    witness.places.insert(channel, Some(position("from")));
                }
                "lost" => {
                    assert_ne!(text("channel"), "flights", "nothing of a durable channel is lost: {line}");
                    assert_eq!(text("reason"), "hub-crashed");
                    let (channel, from, head): (Arc<str>, _, _) =
                        (text("channel").into(), position("from"), position("head"));
                    assert_eq!(witness.places[&channel].as_ref(), Some(&from));
                    let ring = self.machine.state.ring(&channel).expect("a channel");
                    assert!(
                        (from.offset + 1..=head.offset).all(|offset| ring.entry(offset).is_none()),
                        "no false alarm"
                    );
                    witness.places.insert(channel, Some(head));
                }
                _ => {}
            }
        }
    }

    /// What was told is what the hub has, as far as it has it; and it has all that it owes.
    fn check_history(&self) {
        for ((channel, offset), number) in &self.told {
            let entry = self.machine.state.ring(channel).and_then(|ring| ring.entry(*offset));
            if let Some(entry) = entry {
                let line: Value = serde_json::from_str(&entry.line).expect("JSON");
                assert_eq!(line["data"]["number"], json!(number), "a position was given twice: {channel} {offset}");
            }
        }
        for ((channel, offset), number) in &self.owed {
            let entry = self.machine.state.ring(channel).and_then(|ring| ring.entry(*offset));
            assert!(entry.is_some(), "event {number} was acknowledged, and is gone: {channel} {offset}");
        }
    }

    fn check_aggregates(&mut self) {
        let cut = self.machine.cut(&["flights"]);
        assert_eq!(cut.since, Some(self.begun), "nothing of a durable channel is missing");
        self.compare(&cut, &["flights"]);
        let cut = self.machine.cut(&CHANNELS);
        let since = cut.since.expect("a hub begins some time");
        // Not more than is told, but as much: what isn't there was lost before.
        assert!(since == self.begun || Some(since) <= self.crashed, "{since} {:?}", self.crashed);
        if since == self.begun && self.channels < CHANNELS.len() {
            self.compare(&cut, &CHANNELS);
        }
    }

    /// Folds anew what the hub has.
    fn compare(&self, cut: &Cut, channels: &[&str]) {
        let mut entries: Vec<_> = channels
            .iter()
            .filter_map(|channel| self.machine.state.ring(channel))
            .flat_map(|ring| (0..=ring.head()).filter_map(|offset| ring.entry(offset)))
            .collect();
        entries.sort_by_key(|entry| entry.serial);
        for fold in FOLDS.iter() {
            let mut fresh = Aggregate::new(fold);
            if !cut.aggregates.contains_key(fresh.fingerprint()) {
                continue;
            }
            for entry in &entries {
                let event = received(&entry.line);
                if fresh.wants(&event) {
                    fresh.advance(entry.hub);
                    let _ = fresh.fold(&event);
                }
            }
            if fresh.newest().is_some() {
                fresh.advance(self.machine.now.wall);
            }
            assert_eq!(restored(cut, &fresh).report(), fresh.report(), "{}", fresh.fingerprint());
        }
    }

    fn finish(&mut self) {
        for reader in 0..2 {
            for _ in 0..50 {
                self.read(reader);
            }
            for channel in CHANNELS {
                let place = self.readers[reader].places[channel].clone();
                assert_eq!(place, Some(self.machine.state.ledger().head(channel)), "at the head in the end");
            }
        }
    }
}

fn tell(told: &mut BTreeMap<(Arc<str>, u64), i32>, channel: &Arc<str>, offset: u64, number: i32) {
    let before = told.insert((channel.clone(), offset), number);
    assert!(before.is_none_or(|before| before == number), "{channel}:{offset} was {before:?} and is {number}");
}

fn body(events: &[(usize, usize, u8, i32, i64)], now: Timestamp, number: i32) -> String {
    let event = |&(channel, name, key, delay, age): &(usize, usize, u8, i32, i64)| {
        let mut data = json!({"key": format!("k{key}"), "number": number});
        if delay > -90 {
            data["delay"] = json!(delay);
        }
        let time = now.as_millis() - age * 1000;
        json!({"channel": CHANNELS[channel], "name": NAMES[name], "time": time, "data": data})
    };
    json!(events.iter().map(event).collect::<Vec<_>>()).to_string()
}

/// H3: an aggregate that is new begins with the oldest event that is kept, and says so.
#[test]
fn a_new_aggregate_says_how_far_back_it_reaches() {
    let history = crate::channel::HistoryLimits { events: 3, ..Default::default() };
    let mut machine = Machine::new(StateLimits { history, ..StateLimits::default() }, rules());
    let begun = machine.now.wall;
    machine.start_with(Vec::new());
    let publish = |machine: &mut Machine, count: usize| {
        for _ in 0..count {
            machine.wait(Duration::from_secs(1));
            let text = body(&[(0, 0, 1, 5, 0)], machine.now.wall, 0);
            let batch = publish::parse(text.as_bytes(), Form::Json).expect("events");
            assert!(matches!(machine.state.publish(batch, None, machine.now), Outcome::Published(_)));
            machine.save(false, false);
        }
        machine.save(true, false);
    };
    publish(&mut machine, 2);
    machine.start();
    let cut = machine.cut(&["flights"]);
    let count = |cut: &Cut| restored(cut, &Aggregate::new(&FOLDS[0])).report().as_f64();
    assert_eq!((cut.since, count(&cut)), (Some(begun), Some(2.0)));

    machine.start_with(Vec::new());
    publish(&mut machine, 4);
    machine.start();
    let cut = machine.cut(&["flights"]);
    let oldest = machine.state.ring("flights").and_then(|ring| ring.entry(ring.first())).map(|entry| entry.hub);
    assert_eq!((cut.since, count(&cut)), (oldest, Some(3.0)));
}

/// H4: what comes while a transaction is under way is in the next one, and only its own are told.
#[test]
fn events_gather_while_others_are_written() {
    let mut machine = Machine::new(StateLimits::default(), rules());
    let publish = |machine: &mut Machine, channel: usize| {
        let text = body(&[(channel, 0, 1, 5, 0)], machine.now.wall, 0);
        let batch = publish::parse(text.as_bytes(), Form::Json).expect("events");
        let Outcome::Published(published) = machine.state.publish(batch, None, machine.now) else {
            panic!("not taken")
        };
        (published.waits, published.positions.last(), published.channels.len())
    };
    // The first of a `fast` channel waits for its offsets to be set apart.
    assert!(publish(&mut machine, 1).0);
    machine.save(false, false);
    assert_eq!(publish(&mut machine, 1), (false, 2, 1));
    assert_eq!(publish(&mut machine, 0), (true, 3, 0));
    // It is acknowledged, and readers get it behind what it came after.
    assert_eq!(publish(&mut machine, 1), (false, 4, 0));
    let batch = machine.state.take_batch(false, false, machine.now).expect("a store");
    assert_eq!(publish(&mut machine, 0), (true, 5, 0));
    machine.file.commit(&batch).expect("kept");
    let released = machine.state.keep(batch.serial);
    assert_eq!(released.channels.len(), 2);
    let heads = |machine: &Machine| ["flights", "weather"].map(|channel| machine.state.ledger().head(channel).offset);
    assert_eq!(heads(&machine), [1, 3]);
    machine.save(false, false);
    assert_eq!(heads(&machine), [2, 3]);
}

/// H2: a channel that was quiet when the hub was killed has lost nothing, and nothing is told of a loss.
#[test]
fn a_quiet_channel_has_no_hole() {
    let mut machine = Machine::new(StateLimits::default(), rules());
    let begun = machine.now.wall;
    let publish = |machine: &mut Machine| {
        let text = body(&[(1, 0, 1, 5, 0)], machine.now.wall, 0);
        let batch = publish::parse(text.as_bytes(), Form::Json).expect("events");
        let Outcome::Published(published) = machine.state.publish(batch, None, machine.now) else {
            panic!("not taken")
        };
        published.waits
    };
    assert!(publish(&mut machine));
    machine.save(false, false);
    assert!(!publish(&mut machine) && machine.state.give_back(machine.now.mono), "not yet");
    machine.save(false, false);
    machine.wait(Duration::from_secs(3));
    assert!(!machine.state.give_back(machine.now.mono));
    machine.save(false, false);
    assert!(publish(&mut machine), "its offsets are to be set apart again");
    machine.start();
    assert_eq!((machine.state.ledger().head("weather").offset, machine.cut(&CHANNELS).since), (2, Some(begun)));
    assert!(publish(&mut machine));
    machine.save(false, false);
    assert_eq!(machine.state.ledger().head("weather").offset, 3);
    machine.start();
    assert!(machine.state.ledger().head("weather").offset > 3 && machine.cut(&CHANNELS).since > Some(begun));
}

/// H4: what is no store of this program is not taken for one.
#[test]
fn foreign_and_newer_files_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hub.db");
    rusqlite::Connection::open(&path).expect("a file").execute_batch("CREATE TABLE recipes (name TEXT)").expect("made");
    assert!(File::open(folder.path()).expect_err("foreign").is_damage());
    std::fs::remove_file(&path).expect("removed");
    drop(File::open(folder.path()).expect("a new one"));
    rusqlite::Connection::open(&path).expect("a file").pragma_update(None, "user_version", 99).expect("made");
    let error = File::open(folder.path()).expect_err("newer");
    assert!(!error.is_damage() && error.to_string().contains("format 99"), "{error}");
    std::fs::write(&path, [0xa5; 50_000]).expect("written");
    assert!(File::open(folder.path()).expect_err("damaged").is_damage());
    let (file, aside) = File::replace(folder.path(), Timestamp::from_millis(5)).expect("begun");
    assert!(file.load().expect("readable").is_none() && aside.exists());
}

/// H4: while the disk refuses, publishers are told so and nothing is kept; then it is kept, in one piece.
#[test]
fn a_full_disk_keeps_nothing_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = StoreConfig { folder: folder.path().to_owned() };
    let clocks = crate::clock::Clocks::new();
    let (mut state, (place, file, lock)) =
        Opened::new(&config, Rules::default(), StateLimits::default(), &FOLDS, &clocks).expect("a store").parts();
    file.be_full();
    let text = body(&vec![(0, 0, 1, 5, 0); 2000], clocks.now().wall, 0);
    let batch = || publish::parse(text.as_bytes(), Form::Json).expect("events");
    let Outcome::Published(published) = state.publish(batch(), None, clocks.now()) else { panic!("not taken") };
    let serial = published.positions.last();
    let state = Arc::new(std::sync::Mutex::new(state));
    let clocks = Arc::new(clocks);
    let store = Store::start((place, file, lock), state.clone(), Arc::default(), clocks.clone()).expect("a thread");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let until = |is_so: fn(&writer::Progress, u64) -> bool| {
        let mut progress = store.progress();
        let wait = async { progress.wait_for(|progress| is_so(progress, serial)).await.map(|_| ()) };
        runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(20), wait).await })
            .expect("in time")
            .expect("alive");
    };
    store.ask(true);
    until(|progress, _| progress.fails);
    let refused = state.lock().expect("whole").publish(batch(), None, clocks.now());
    assert_eq!(refused, Outcome::Unkept(crate::state::Unkept::Failing));
    assert_eq!(state.lock().expect("whole").ledger().head("flights").offset, 0, "nobody was sent what isn't kept");
    // It is opened anew, and then there is room.
    until(|progress, serial| !progress.fails && progress.kept >= serial);
    assert_eq!(state.lock().expect("whole").ledger().head("flights").offset, 2000);
    drop(store);
    let (again, _) =
        Opened::new(&config, Rules::default(), StateLimits::default(), &FOLDS, &clocks).expect("a store").parts();
    assert_eq!(again.ledger().head("flights").offset, 2000);
}
