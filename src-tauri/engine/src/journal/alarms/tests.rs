//! The record of alarms on a real file: what was handed back is there after a kill at any instant, what wasn't is decided again; what
//! stands is kept; a disk that refuses loses no alarm.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use proptest::prelude::*;
use tokio::time::timeout;
use watchfloor_board::{
    Checkpoint,
    alarm::{
        Act, AlarmKey, Alarms, AlarmsCheckpoint, By, Instant, Terms,
        delay::Turn,
        machine::{Base, Evidence, Input, Manner, Sound},
    },
};
use watchfloor_model::Mono;

use super::*;
use crate::{
    clock::Clock,
    event::Event,
    intake::Step as WriterStep,
    journal::{
        Bounds, FILE_NAME, Positions,
        stall::Stall,
        writer::{Answer, Ends, Pace, Taken, Writer},
    },
    metrics::Metrics,
    recorder::Records,
};

/// 2026-11-24T10:00:00Z, in seconds.
const BEGIN: u64 = 1_795_514_400;
const PATIENCE: Duration = Duration::from_secs(30);
const PACE: Pace = Pace {
    retry: Duration::from_millis(20),
    checkpoint_min: Duration::from_secs(3600),
    checkpoint_max: Duration::from_secs(3600),
};

fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from((BEGIN + second) * 1000).unwrap())
}

fn instant(second: u64) -> Instant {
    Instant { mono: Mono::from_millis(second * 1000), wall: at(second) }
}

/// A board's alarms: four rules, of which one latches.
pub(crate) fn alarms() -> Alarms {
    let terms = |latches| Terms { manner: Manner { latches, ends_unacknowledged: false }, ..Terms::default() };
    let rules = ["a", "b", "c", "latched"];
    Alarms::new(rules.into_iter().map(|rule| (rule.into(), terms(rule == "latched"))).collect())
}

/// One thing that happens to alarm `which`.
pub(crate) fn happen(alarms: &mut Alarms, which: u8, what: u8, second: u64) {
    let rules = ["a", "b", "c", "latched"];
    let key = AlarmKey { rule: rules[usize::from(which % 4)].into(), of: format!("x{}", which / 4).into() };
    let turn = |holds| Turn { holds, at: at(second), since: at(second) };
    let now = instant(second);
    match what % 6 {
        0 | 1 => alarms.handle_turn(&key, turn(true), Evidence::Live, || vec![("n".into(), "7".into())], now),
        2 => alarms.handle_turn(&key, turn(false), Evidence::Live, Vec::new, now),
        kind => {
            let occurrence = alarms.standing().get(&key).map_or(0, |own| own.alarm.occurrence);
            let act = match kind {
                3 => Act::Acknowledge { occurrence },
                4 => Act::Reset,
                _ => Act::Shelve { minutes: 10, reason: "being repaired".into() },
            };
            let _refused = alarms.handle_act(&key, &act, By { name: None, station: "wall".into() }, now);
        }
    }
}

fn open(folder: &Path, bounds: Bounds) -> Journal {
    Journal::open(folder, bounds, at(0)).unwrap().journal
}

fn put(journal: &mut Journal, changes: &[Change], now: Timestamp) {
    let ready: Vec<Ready> =
        changes.iter().map(|change| Ready::of(Entry { change: change.clone(), received: None }).unwrap()).collect();
    assert!(journal.put_alarms(&Batch { entries: &ready, ..Batch::default() }, now).unwrap());
}

fn call(change: &Change) -> Call {
    let alarm = change.now.alarm;
    Call { key: change.key.clone(), occurrence: alarm.occurrence, realarms: alarm.realarms }
}

/// All of it that is written down.
fn text(change: &Change) -> String {
    serde_json::to_string(change).unwrap()
}

fn announced(second: u64) -> Heard {
    Heard { announced: Some(at(second)), by: Some("desktop".into()), ..Heard::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// H4, H6: decide, commit, announce, mark, with a kill between any two of them. After each start every announcement that was due is made:
    /// those that were marked never again, the others at most once more.
    #[test]
    fn heard_once_through_kills(
        happenings in prop::collection::vec((0..12u8, 0..6u8, prop::option::weighted(0.15, 0..4u8), any::<bool>()), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = open(folder.path(), Bounds::default());
        let (mut own, mut saved) = (alarms(), AlarmsCheckpoint::default());
        // What happened since the state was saved: it comes again after a kill, as the journal's batches do.
        let mut since = Vec::new();
        let mut heard: BTreeMap<Call, u32> = BTreeMap::new();
        let mut marked: BTreeSet<Call> = BTreeSet::new();
        for (second, (which, what, kill, saves)) in happenings.into_iter().enumerate() {
            let second = second as u64;
            since.push((which, what, second));
            happen(&mut own, which, what, second);
            let changes = own.take_changes();
            let kill = kill.unwrap_or(9);
            if kill > 0 {
                put(&mut journal, &changes, at(second));
            }
            let calls: Vec<Call> = changes
                .iter()
                .filter(|change| change.sound == Sound::Start)
                .map(call)
                .collect();
            if kill > 1 {
                calls.iter().for_each(|call| *heard.entry(call.clone()).or_default() += 1);
            }
            if kill > 2 {
                let marks: Vec<Mark> =
                    calls.iter().map(|call| Mark { call: call.clone(), heard: announced(second) }).collect();
                journal.put_alarms(&Batch { marks: &marks, ..Batch::default() }, at(second)).unwrap();
                marked.extend(calls);
            }
            if kill <= 3 {
                // What a hand did and wasn't committed is gone, and he sees that; events come again.
                drop(journal);
                journal = open(folder.path(), Bounds::default());
                let lost_act = kill == 0 && what > 2;
                let record = journal.alarms_after(saved.number).unwrap().changes;
                own = alarms();
                own.restore(saved.clone(), record, instant(second));
                for (which, what, second) in since.iter().copied().filter(|(_, what, _)| what % 6 < 3) {
                    happen(&mut own, which, what, second);
                }
                own.be_folded();
                let again = own.take_changes();
                prop_assert!(kill == 0 && !lost_act || again.is_empty(), "on record already: {again:?}");
                put(&mut journal, &again, at(second));
                let known: BTreeSet<Call> = journal.announced().unwrap().into_iter().map(|mark| mark.call).collect();
                for (key, standing) in own.standing() {
                    let alarm = standing.alarm;
                    let call = Call { key: key.clone(), occurrence: alarm.occurrence, realarms: alarm.realarms };
                    if !alarm.calls() {
                        continue;
                    }
                    prop_assert_eq!(known.contains(&call), marked.contains(&call), "{:?}", &call);
                    if !known.contains(&call) {
                        *heard.entry(call.clone()).or_default() += 1;
                        let mark = Mark { call: call.clone(), heard: announced(second) };
                        journal.put_alarms(&Batch { marks: &[mark], ..Batch::default() }, at(second)).unwrap();
                        marked.insert(call);
                    }
                }
            } else if saves {
                (saved, since) = (own.checkpoint(), Vec::new());
            }
            for (key, standing) in own.standing() {
                let alarm = standing.alarm;
                let call = Call { key: key.clone(), occurrence: alarm.occurrence, realarms: alarm.realarms };
                if alarm.calls() {
                    let count = heard.get(&call).copied().unwrap_or_default();
                    prop_assert!((1..=2).contains(&count), "{call:?} was heard {count} times");
                }
            }
        }
        let numbers: Vec<u64> = journal.alarms_after(0).unwrap().changes.iter().map(|change| change.number).collect();
        prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>());
    }

    /// H5, H6: the record is bounded by bytes and by age, and what stands keeps the entry that says so and the one that raised it.
    #[test]
    fn what_stands_is_kept(
        happenings in prop::collection::vec((0..40u8, 0..6u8), 200..600), bytes_max in 10_000..60_000u64, age in 50..400u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let bounds = Bounds { alarm_bytes_max: bytes_max, alarm_age_max: Duration::from_secs(age), ..Bounds::default() };
        let (mut journal, mut own, mut all) = (open(folder.path(), bounds), alarms(), Vec::new());
        for (second, (which, what)) in (0..).zip(&happenings) {
            happen(&mut own, *which, *what, second);
            let changes = own.take_changes();
            put(&mut journal, &changes, at(second));
            all.extend(changes);
        }
        let kept: BTreeMap<u64, Change> =
            journal.alarms_after(0).unwrap().changes.into_iter().map(|change| (change.number, change)).collect();
        for (key, standing) in own.standing() {
            let Some(newest) = all.iter().rev().find(|change| change.key == *key) else { continue };
            prop_assert_eq!(kept.get(&newest.number).map(text), Some(text(newest)));
            let is_raise = |change: &&Change| matches!(change.what, Some(Input::Raise { .. }));
            // What was put aside while it was normal was raised long ago, if ever.
            let is_on = standing.alarm.base != Base::Normal;
            let raised = all.iter().rfind(|change| is_on && change.key == *key && is_raise(change));
            if let Some(raised) = raised.filter(|raised| raised.now.alarm.occurrence == newest.now.alarm.occurrence) {
                prop_assert_eq!(kept.get(&raised.number).map(text), Some(text(raised)));
            }
        }
        let needed = 2 * own.standing().len();
        let bytes = |count: usize| count as i64 * 1500;
        prop_assert!(journal.alarms.bytes <= bytes(needed) + bytes_max as i64, "{} bytes", journal.alarms.bytes);
        let old = all.iter().filter(|change| kept.contains_key(&change.number) && change.decided.plus(Duration::from_secs(age)) < at(happenings.len() as u64)).count();
        prop_assert!(old <= needed + 64, "{old} of {needed}");
        let held = alarm::held(journal.connection()).unwrap();
        prop_assert_eq!((held.newest, held.bytes), (journal.alarms.newest, journal.alarms.bytes), "counted as it is");
    }
}

/// H6: marks say when an alarm was announced last, and seen first, and go with their entries.
#[test]
fn marks_are_kept_with_what_stands() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds { alarm_age_max: Duration::from_secs(100), ..Bounds::default() };
    let (mut journal, mut own) = (open(folder.path(), bounds), alarms());
    happen(&mut own, 0, 0, 1);
    happen(&mut own, 1, 0, 1);
    let changes = own.take_changes();
    put(&mut journal, &changes, at(1));
    let mut mark = |at: usize, heard| {
        let marks = [Mark { call: call(&changes[at]), heard }];
        journal.put_alarms(&Batch { marks: &marks, ..Batch::default() }, Timestamp::from_millis(0)).unwrap();
    };
    mark(0, announced(2));
    mark(0, Heard { seen: Some(at(3)), ..Heard::default() });
    mark(0, Heard { seen: Some(at(9)), is_repeated: true, ..announced(8) });
    mark(1, announced(2));
    let marks = journal.announced().unwrap();
    assert_eq!(marks.len(), 2);
    assert_eq!(marks[0].heard, Heard { seen: Some(at(3)), is_repeated: true, ..announced(8) });
    // The second is over, and so are a hundred others: it goes, with what was heard of it.
    for second in 10..300 {
        happen(&mut own, 1, if second % 2 == 0 { 2 } else { 0 }, second);
        happen(&mut own, 1, 3, second);
        put(&mut journal, &own.take_changes(), at(second));
    }
    let all: i64 = journal.connection().query_row("SELECT COUNT(*) FROM alarm_heard", [], |row| row.get(0)).unwrap();
    assert_eq!((all, journal.announced().unwrap().len()), (1, 1));
    journal.connection().execute("UPDATE alarm_heard SET announced_ms = announced_ms + 1", []).unwrap();
    assert_eq!(journal.announced().unwrap(), [], "another instant than was written: announced once more");
}

/// H4: an entry that isn't what was written is read over and counted, and one that stands there already is left as it is.
#[test]
fn entries_are_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, mut own) = (open(folder.path(), Bounds::default()), alarms());
    happen(&mut own, 0, 0, 1);
    let changes = own.take_changes();
    put(&mut journal, &changes, at(1));
    put(&mut journal, &changes, at(2));
    assert_eq!(journal.alarms_after(0).unwrap().changes, changes);
    let mut other = changes.clone();
    other[0].decided = at(99);
    let ready = [Ready::of(Entry { change: other.remove(0), received: None }).unwrap()];
    assert!(
        !journal.put_alarms(&Batch { entries: &ready, ..Batch::default() }, at(3)).unwrap(),
        "it has another's number"
    );
    assert_eq!(journal.alarms_after(0).unwrap().changes, changes);
    journal.connection().execute("UPDATE alarm SET body = replace(body, '\"n\"', '\"m\"')", []).unwrap();
    let found = journal.alarms_after(0).unwrap();
    assert_eq!(
        (found.changes, found.damaged, found.newest),
        (vec![], 1, 1),
        "read over, counted, and its number is taken"
    );
}

/// What stands beside a writer in a test.
struct Stage {
    steps: Sender<WriterStep>,
    events: Receiver<Event>,
    taken: Sender<Answer>,
    lane: AlarmLane,
    task: tokio::task::JoinHandle<()>,
}

fn stage(make: impl FnOnce(Ends) -> Writer) -> Stage {
    let (events, lane_of_events) = channel(8);
    let (taken, answers) = channel(4);
    let (lane, alarms) = alarm_lane();
    let ends = Ends {
        clock: Clock::start(),
        metrics: Arc::new(Metrics::unread()),
        events,
        taken: answers,
        alarms,
        stall: Stall::default(),
        records: Records::none(),
    };
    let (steps, lane_of_steps) = channel(8);
    let task = tokio::spawn(make(ends).run(lane_of_steps));
    Stage { steps, events: lane_of_events, taken, lane, task }
}

impl Stage {
    /// The next that was handed back. Questions for the board's state are answered, with what waits.
    async fn recorded(&mut self) -> (Vec<u64>, bool) {
        loop {
            match timeout(PATIENCE, self.events.recv()).await.expect("something comes").expect("the writer runs") {
                Event::Recorded { changes, is_written } => {
                    return (changes.iter().map(|change| change.number).collect(), is_written);
                }
                Event::CheckpointWanted { seq } => {
                    let alarms = self.lane.take_waiting();
                    let taken = Taken { seq, checkpoint: Checkpoint::default(), alarms };
                    self.taken.try_send(Answer::Taken(taken)).unwrap();
                }
                _ => {}
            }
        }
    }

    /// Waits until the journal is written again.
    async fn rejoined(&mut self) {
        loop {
            match timeout(PATIENCE, self.events.recv()).await.expect("something comes").expect("the writer runs") {
                Event::NoticeOver { .. } => return,
                Event::CheckpointWanted { seq } => {
                    let alarms = self.lane.take_waiting();
                    let taken = Taken { seq, checkpoint: Checkpoint::default(), alarms };
                    self.taken.try_send(Answer::Taken(taken)).unwrap();
                }
                _ => {}
            }
        }
    }

    /// Everything ends, and the file is closed.
    async fn end(self) {
        let Self { steps, events, taken, lane, task } = self;
        drop((steps, events, taken, lane));
        timeout(PATIENCE, task).await.expect("it ends").unwrap();
    }
}

fn raised(own: &mut Alarms, which: u8, second: u64) -> Vec<Change> {
    happen(own, which, 0, second);
    own.take_changes()
}

/// H6: what is handed back is committed by then, in order; so is what waited with the loop and came along with the state.
#[tokio::test]
async fn handed_back_when_it_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), Bounds::default());
    let mut stage = stage(|ends| Writer::into(ends, journal, folder.path().into(), Positions::new(), PACE));
    let mut own = alarms();
    for which in 0..4 {
        assert!(stage.lane.record(raised(&mut own, which, 1), Some(at(1))).is_empty());
        let (numbers, is_written) = stage.recorded().await;
        assert_eq!((numbers, is_written), (vec![u64::from(which) + 1], true));
        let read = Journal::read(folder.path(), Bounds::default()).unwrap();
        assert_eq!(read.alarms_after(0).unwrap().changes.len(), usize::from(which) + 1, "a reader sees it by now");
    }
    // As if the lane had been full.
    let entries = raised(&mut own, 4, 2).into_iter().map(|change| Entry { change, received: None }).collect();
    stage.lane.waiting.push_back(AlarmWork::Entries(entries));
    let waiting = stage.lane.take_waiting();
    let taken = Taken { seq: 77, checkpoint: Checkpoint::default(), alarms: waiting };
    stage.taken.send(Answer::Taken(taken)).await.unwrap();
    assert_eq!(stage.recorded().await, (vec![5], true), "though the state itself isn't wanted");
    stage.end().await;
}

/// H5, H6: what the lane has no room for waits with the loop, is bounded, and keeps its order.
#[tokio::test]
async fn the_loop_never_waits() {
    let (mut lane, mut writer) = alarm_lane();
    let mut own = alarms();
    let mut sent = 0;
    for second in 0..200 {
        happen(&mut own, 0, if second % 2 == 0 { 0 } else { 2 }, second);
        let changes = own.take_changes();
        sent += changes.len();
        assert!(lane.record(changes, None).is_empty());
    }
    assert!(lane.waiting.len() <= 1, "what waits is put together");
    let mut numbers = Vec::new();
    while let Ok(over) = writer.try_recv() {
        if let AlarmWork::Entries(entries) = over.work {
            numbers.extend(entries.iter().map(|entry| entry.change.number));
        }
        lane.flush();
    }
    assert_eq!(numbers, (1..=sent as u64).collect::<Vec<_>>());
    let changes = raised(&mut own, 5, 500);
    lane.count = WAITING_MAX;
    assert_eq!(lane.record(changes.clone(), None), changes, "told at once: it is announced all the same");
}

proptest! {
    /// H6: whatever goes by the lane and whatever goes along with the board's state, and whenever the writer looks at which of the two: it has all of
    /// it, in the order in which it was decided. An entry that is committed before an older one is a hole in the record for whoever reads it
    /// meanwhile, and for good if the wall is killed just then.
    #[test]
    fn neither_way_overtakes_the_other(deeds in prop::collection::vec((0..6_u8, any::<bool>()), 1..400)) {
        let (mut lane, mut writer) = alarm_lane();
        let (mut own, mut sent, mut along) = (alarms(), 0, VecDeque::new());
        let (mut in_turn, mut out) = (InTurn::default(), Vec::new());
        let mut second = 0;
        for (deed, is_lost) in deeds {
            match deed {
                // Enough to fill the lane now and then.
                0..=2 => for _ in 0..20 {
                    second += 1;
                    happen(&mut own, 0, if second % 2 == 0 { 0 } else { 2 }, second);
                    let changes = own.take_changes();
                    sent += changes.len() as u64;
                    prop_assert!(lane.record(changes, None).is_empty());
                },
                3 => {
                    let waiting = lane.take_waiting();
                    if is_lost { lane.put_back(waiting) } else { along.push_back(waiting) }
                }
                4 => for over in along.pop_front().unwrap_or_default() {
                    in_turn.take(over, &mut out);
                },
                _ => {
                    for _ in 0..30 {
                        let Ok(over) = writer.try_recv() else { break };
                        in_turn.take(over, &mut out);
                    }
                    lane.flush();
                }
            }
        }
        along.push_back(lane.take_waiting());
        along.into_iter().flatten().for_each(|over| in_turn.take(over, &mut out));
        while let Ok(over) = writer.try_recv() {
            in_turn.take(over, &mut out);
        }
        let numbers = out.into_iter().flat_map(|work| match work {
            AlarmWork::Entries(entries) => entries.into_iter().map(|entry| entry.change.number).collect(),
            _ => Vec::new(),
        });
        prop_assert_eq!(numbers.collect::<Vec<_>>(), (1..=sent).collect::<Vec<_>>());
    }
}

/// H6: where nothing is remembered, alarms are heard.
#[tokio::test]
async fn without_a_journal_they_are_handed_back() {
    let mut stage = stage(Writer::forgetful);
    let mut own = alarms();
    assert!(stage.lane.record(raised(&mut own, 0, 1), None).is_empty());
    assert_eq!(stage.recorded().await, (vec![1], false));
    stage.end().await;
}

/// H6: while the disk refuses alarms are heard at once, kept, and written when it takes them again, with what was announced.
#[tokio::test]
async fn a_disk_that_refuses_loses_no_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path(), Bounds::default());
    let mut stage = stage(|ends| Writer::into(ends, journal, folder.path().into(), Positions::new(), PACE));
    let mut own = alarms();
    assert!(stage.lane.record(raised(&mut own, 0, 1), None).is_empty());
    assert_eq!(stage.recorded().await, (vec![1], true));
    // The journal's table is held by another program: writing it is refused, as it is by a full disk.
    let other = rusqlite::Connection::open(folder.path().join(FILE_NAME)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let changes = raised(&mut own, 1, 2);
    let mark = call(&changes[0]);
    assert!(stage.lane.record(changes, None).is_empty());
    assert_eq!(stage.recorded().await, (vec![2], false), "heard before it is on record");
    stage.lane.mark(mark.clone(), announced(3));
    assert!(stage.lane.record(raised(&mut own, 2, 3), None).is_empty());
    assert_eq!(stage.recorded().await, (vec![3], false));
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    stage.rejoined().await;
    assert!(stage.lane.record(raised(&mut own, 3, 4), None).is_empty());
    assert_eq!(stage.recorded().await, (vec![4], true));
    stage.end().await;
    let journal = open(folder.path(), Bounds::default());
    let numbers: Vec<u64> = journal.alarms_after(0).unwrap().changes.iter().map(|change| change.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(journal.announced().unwrap().iter().any(|own| own.call == mark));
}

/// H6: where the file is begun anew, as after damage, what was announced is still known after the next start: marks are written again, and
/// found though the file has no entry of their alarms.
#[test]
fn a_new_file_knows_what_was_announced() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, mut own) = (open(folder.path(), Bounds::default()), alarms());
    let changes = raised(&mut own, 0, 1);
    let mark = Mark { call: call(&changes[0]), heard: announced(3) };
    journal.put_alarms(&Batch { marks: std::slice::from_ref(&mark), ..Batch::default() }, at(4)).unwrap();
    assert_eq!(journal.announced().unwrap(), [mark]);
}

/// H6: up to where alarms were handed on is kept, by receiver.
#[test]
fn receivers_have_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), Bounds::default());
    let put = |journal: &mut Journal, name: &str, number| {
        journal.put_alarms(&Batch { onward: &[(name.into(), number)], ..Batch::default() }, at(0)).unwrap();
    };
    put(&mut journal, "pager", 7);
    put(&mut journal, "pager", 9);
    assert_eq!(alarm::onward(journal.connection(), "pager").unwrap(), Some(9));
    assert_eq!(alarm::onward(journal.connection(), "other").unwrap(), None);
    journal.connection().execute("UPDATE alarm_onward SET number = 10", []).unwrap();
    assert!(alarm::onward(journal.connection(), "pager").unwrap_err().is_damage());
}

/// H6: what a start has to know of the time right before it is on the file: when alarms were raised, and when people were told something.
#[test]
fn what_happened_lately_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path(), Bounds::default());
    assert_eq!(journal.lately(at(0)).unwrap(), Lately::default());
    let mut alarms = alarms();
    for second in [10, 700, 1300] {
        happen(&mut alarms, 0, 0, second);
        happen(&mut alarms, 0, 2, second + 1);
    }
    put(&mut journal, &alarms.take_changes(), at(2000));
    let told = |journal: &mut Journal, told: &[Timestamp]| {
        journal.put_alarms(&Batch { told: Some(told), ..Batch::default() }, at(2000)).unwrap();
    };
    told(&mut journal, &[at(11)]);
    told(&mut journal, &[at(11), at(701), at(1302)]);
    drop(journal);
    let journal = open(folder.path(), Bounds::default());
    let lately = Lately { raised: vec![at(700), at(1300)], told: vec![at(701), at(1302)] };
    assert_eq!(journal.lately(at(100)).unwrap(), lately);
}
