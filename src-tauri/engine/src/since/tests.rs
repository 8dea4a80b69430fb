//! Answers out of a journal that a wall has written: alarms, losses, stops, and what can't be told.

use std::{cell::Cell, fs, sync::Arc};

use rusqlite::Connection;
use tempfile::TempDir;
use watchfloor_board::{
    Board,
    alarm::{Act, AlarmKey, Alarms, By, Instant, Priority, Terms, delay::Turn, machine::Evidence},
    config,
    frame::{AlarmState, SinceMoment, SinceMomentKind, UnrecordedWhy},
};
use watchfloor_model::{Continuity, Mono};

use super::*;
use crate::journal::{
    Bounds, FILE_NAME, Journal,
    alarms::Batch,
    table::{
        alarm::{Entry, Ready},
        glass::{Kind, Record},
        outage,
    },
};

/// 2026-11-24T10:00:00Z.
const BEGIN: i64 = 1_795_514_400_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN + second * 1000)
}

fn now(second: i64) -> Instant {
    Instant { mono: Mono::from_millis(u64::try_from(second).unwrap() * 1000), wall: at(second) }
}

fn key(of: &str) -> AlarmKey {
    AlarmKey { rule: "a".into(), of: of.into() }
}

/// A wall's journal.
struct Wall {
    folder: TempDir,
    journal: Journal,
    alarms: Alarms,
}

impl Wall {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), Bounds::default(), at(0)).unwrap().journal;
        let terms = Terms { priority: Priority::High, ..Terms::default() };
        let rules: [(Arc<str>, Terms); 1] = [("a".into(), terms)];
        Self { folder, journal, alarms: Alarms::new(rules.into_iter().collect()) }
    }

    fn turn(&mut self, of: &str, holds: bool, second: i64) {
        let turn = Turn { holds, at: at(second), since: at(second) };
        self.alarms.handle_turn(&key(of), turn, Evidence::Live, Vec::new, now(second));
        self.commit();
    }

    fn act(&mut self, of: &str, act: &Act, name: &str, second: i64) {
        let by = By { name: Some(name.into()), station: "wall".into() };
        self.alarms.handle_act(&key(of), act, by, now(second)).unwrap();
        self.commit();
    }

    fn acknowledge(&mut self, of: &str, name: &str, second: i64) {
        let occurrence = self.alarms.standing()[&key(of)].alarm.occurrence;
        self.act(of, &Act::Acknowledge { occurrence }, name, second);
    }

    fn commit(&mut self) {
        let changes = self.alarms.take_changes();
        let ready: Vec<Ready> =
            changes.into_iter().map(|change| Ready::of(Entry { change, received: None }).unwrap()).collect();
        self.journal.put_alarms(&Batch { entries: &ready, ..Batch::default() }, at(0)).unwrap();
    }

    /// A second of a wall that shows nothing.
    fn paint(&mut self, second: i64, kind: Kind) {
        let text = "[board]\ntitle = \"B\"\n[[source]]\nid = \"s\"\nkind = \"hub\"\nurl = \"http://127.0.0.1:1\"\nchannels = [\"c\"]\n\
                    [[widget]]\nid = \"w\"\nkind = \"counter\"\n";
        let mut board = Board::new(config::parse(text, "b.toml").unwrap(), Mono::ZERO);
        let frame = board.frame_after(&mut None, Mono::from_millis(5000), at(second));
        let taken = past::body::Taken { frame, glass: past::body::Glass::default() };
        let body = past::body::Packer::new().pack(&taken, true).unwrap();
        self.journal.put_glass(&Record { at: at(second), kind, body }, at(second)).unwrap();
    }

    fn lose(
        &self,
        id: i64,
        source: &str,
        began: i64,
        ended: Option<i64>,
        proof: Option<Continuity>,
        missed: Option<u64>,
    ) {
        let outage = Outage {
            id,
            source: source.into(),
            began: at(began),
            ended: ended.map(at),
            source_began: None,
            source_ended: None,
            cause: "connection reset".into(),
            proof,
            missed,
        };
        outage::put(self.journal.connection(), &outage).unwrap();
    }

    fn since(&self, from: i64, to: i64) -> Since {
        since(self.folder.path(), at(from), at(to), &|| true, &mut |_| {}).unwrap()
    }
}

fn keys_of(list: &SinceAlarmList) -> Vec<&str> {
    list.lines.iter().map(|line| line.key.as_str()).collect()
}

/// H6: who comes back finds each alarm once, where it belongs, with who dealt with it, also after the wall was stopped and started anew.
#[test]
fn a_shift_is_told() {
    let mut wall = Wall::new();
    wall.paint(0, Kind::Start);
    wall.turn("old", true, 10);
    wall.turn("stays", true, 20);
    wall.turn("known", true, 30);
    wall.paint(100, Kind::Key);
    for cycle in 0..3 {
        wall.turn("busy", true, 110 + 20 * cycle);
        wall.turn("busy", false, 115 + 20 * cycle);
    }
    wall.turn("new", true, 200);
    wall.turn("old", false, 210);
    wall.acknowledge("known", "Ann", 220);
    wall.act("known", &Act::Comment { words: "pump is off".into() }, "Bob", 230);
    wall.act("new", &Act::Shelve { minutes: 15, reason: "being repaired".into() }, "Bob", 240);
    // The program is stopped and started: what it has goes on from the record.
    let Wall { folder, journal, alarms } = wall;
    drop(journal);
    let journal = Journal::open(folder.path(), Bounds::default(), at(300)).unwrap().journal;
    let mut wall = Wall { folder, journal, alarms };
    wall.paint(300, Kind::Start);
    wall.turn("after", true, 310);

    let own = wall.since(100, 320);
    assert!(own.done && own.percent == 100);
    assert_eq!(keys_of(&own.alarms.stand), ["a/after", "a/new"]);
    assert_eq!(keys_of(&own.alarms.gone), ["a/busy"]);
    assert_eq!(own.alarms.gone.lines[0].count, 3, "a line an alarm, not one a transition");
    assert_eq!(keys_of(&own.alarms.went), ["a/old"]);
    assert_eq!(keys_of(&own.alarms.dealt), ["a/known"]);
    assert_eq!(own.alarms.untouched, 1);
    let known = &own.alarms.dealt.lines[0];
    let said = known.acknowledged.as_ref().unwrap();
    assert_eq!((said.name.as_deref(), said.at_ms), (Some("Ann"), at(220).as_millis()));
    assert_eq!((known.comments[0].words.as_str(), known.comments_count), ("pump is off", 1));
    assert_eq!((known.then, known.now), (Some(AlarmState::Unacknowledged), AlarmState::Acknowledged));
    let new = &own.alarms.stand.lines[1];
    assert_eq!(new.now, AlarmState::Shelved);
    assert_eq!(new.aside.as_ref().unwrap().said.as_ref().unwrap().words, "being repaired");
    let stop = own.unrecorded.iter().find(|own| own.why == UnrecordedWhy::NotRunning).unwrap();
    assert_eq!((stop.from_ms, stop.to_ms), (at(100).as_millis(), at(300).as_millis()));
    // The record of alarms has lost nothing, and the journal is older than the moment: nothing is missing but the glass.
    assert!(!own.lacks.iter().any(|lack| matches!(lack, SinceLack::AlarmsBegin { .. })), "{:?}", own.lacks);
    assert!(wall.since(-50, 320).lacks.contains(&SinceLack::AlarmsBegin { at_ms: BEGIN }));
}

/// What is lost is told a line a source, each instant once; what can't be known of one gap isn't known of all.
#[test]
fn losses_are_told_by_source() {
    let wall = Wall::new();
    wall.lose(1, "ops", 0, Some(50), Some(Continuity::Unknown), None);
    wall.lose(2, "ops", 90, Some(130), Some(Continuity::Proven), Some(7));
    wall.lose(3, "ops", 120, Some(150), Some(Continuity::Snapshot), Some(4));
    wall.lose(4, "erp", 190, None, None, None);
    wall.lose(5, "lab", 10, Some(99), Some(Continuity::Unknown), None);
    wall.lose(6, "late", 400, Some(500), None, None);
    let own = wall.since(100, 200);
    let lines: Vec<_> = own
        .sources
        .iter()
        .map(|line| (line.id.as_str(), line.count, line.lost_ms, line.lasts, line.became, line.missed))
        .collect();
    assert_eq!(
        lines,
        [("ops", 2, 50_000, false, Some(Continuity::Snapshot), Some(11)), ("erp", 1, 10_000, true, None, None),]
    );
    assert_eq!(own.sources[0].outages[0].began_ms, at(120).as_millis(), "the newest first");
    assert_eq!(wall.since(40, 200).sources[0].missed, None, "one of them can't be told");
    // H5
    for id in 10..10 + i64::try_from(KEPT_MAX).unwrap() {
        wall.lose(id, "ops", id * 10, Some(id * 10 + 1), None, None);
    }
    let own = wall.since(0, 1_000_000);
    assert_eq!((own.sources[0].outages.len(), own.sources[0].count), (OUTAGES_MAX, KEPT_MAX as u64));
    assert!(
        own.lacks.iter().any(|lack| matches!(lack, SinceLack::LossesBegin { at_ms } if *at_ms == at(100).as_millis()))
    );
}

/// H2: what can't be looked at is named, and is no empty page that says that nothing was.
#[test]
fn what_is_lacking_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |folder: &Path| since(folder, at(0), at(10), &|| true, &mut |_| {}).unwrap();
    assert_eq!(ask(folder.path()).lacks, [SinceLack::NoJournal]);
    let wall = Wall::new();
    assert_eq!(wall.since(0, 10).lacks, [SinceLack::NoGlass]);
    fs::write(folder.path().join(FILE_NAME), [7; 5000]).unwrap();
    assert!(matches!(ask(folder.path()).lacks[..], [SinceLack::Unreadable { .. }]));
    fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
    let older = Connection::open(folder.path().join(FILE_NAME)).unwrap();
    crate::journal::migrate::tests::of_format(&older, 4);
    let own = ask(folder.path());
    assert!(own.done && own.lacks.contains(&SinceLack::NoGlass), "{:?}", own.lacks);
}

/// Who doesn't want to know any more costs nothing more.
#[test]
fn a_newer_question_ends_the_older() {
    let mut wall = Wall::new();
    for number in 0..2000 {
        wall.turn(&number.to_string(), true, number);
    }
    let asked = Cell::new(0);
    let wanted = || {
        asked.set(asked.get() + 1);
        asked.get() < 3
    };
    let answer = since(wall.folder.path(), at(0), at(9999), &wanted, &mut |_| {});
    assert!(matches!(answer, Err(RecordError::Superseded)));
    assert_eq!(asked.get(), 3);
}

/// The first answer is there at once, with all that takes no reading.
#[test]
fn an_answer_grows() {
    let mut wall = Wall::new();
    (0..600).for_each(|second| wall.paint(second, if second == 0 { Kind::Start } else { Kind::Key }));
    wall.turn("x", true, 5);
    let mut told = Vec::new();
    let own = since(wall.folder.path(), at(1), at(600), &|| true, &mut |own| told.push(own)).unwrap();
    assert_eq!((told[0].done, told[0].percent, told[0].alarms.stand.count), (false, 0, 1));
    assert!(told.iter().all(|told| !told.done && told.percent < 100));
    assert_eq!((own.widgets.others, own.widgets.count, own.widgets.doubted), (1, 0, 1), "it has no source");
    assert_eq!(own.widgets.read_ms, Some(at(599).as_millis()));
}

/// Moments that somebody may mean.
#[test]
fn moments_are_offered() {
    let mut wall = Wall::new();
    wall.paint(0, Kind::Start);
    wall.turn("x", true, 10);
    wall.turn("y", true, 11);
    wall.acknowledge("x", "Ann", 20);
    wall.paint(30, Kind::Key);
    wall.paint(60, Kind::Start);
    wall.acknowledge("y", "Bob", 70);
    wall.lose(1, "ops", 80, Some(85), None, None);
    let found = moments(wall.folder.path(), Some("Ann"), "Europe/Berlin", at(100)).unwrap();
    let moment = |kind, second: i64, of: Option<&str>| SinceMoment {
        kind,
        at_ms: at(second).as_millis(),
        of: of.map(Into::into),
    };
    assert_eq!(found.begin_ms, Some(BEGIN));
    assert_eq!(
        found.list,
        [
            moment(SinceMomentKind::Loss, 80, Some("ops")),
            moment(SinceMomentKind::Act, 70, Some("Bob")),
            moment(SinceMomentKind::Stop, 30, None),
            moment(SinceMomentKind::OwnAct, 20, Some("Ann")),
            // Eleven hours before, by a zone an hour ahead.
            moment(SinceMomentKind::Midnight, -11 * 3600, None),
        ]
    );
    let found = moments(wall.folder.path(), None, "no such zone", at(15)).unwrap();
    let kinds: BTreeSet<SinceMomentKind> = found.list.iter().map(|moment| moment.kind).collect();
    assert_eq!(kinds, BTreeSet::from([SinceMomentKind::Midnight]), "what is later than now isn't offered");
}
