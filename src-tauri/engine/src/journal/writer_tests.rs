//! The writer: order, checkpoints, a disk that fails.

use std::io::{self, Seek, SeekFrom, Write};

use tokio::sync::mpsc::channel;
use watchfloor_board::{Board, config};
use watchfloor_model::{Delivery, Mono, Payload, Position, SourceStatus, Timestamp};

use super::*;
use crate::{
    intake::{self, Delivered},
    journal::{FILE_NAME, JournalError, PAGE_BYTES, alarms::alarm_lane},
};

const PACE: Pace = Pace {
    retry: Duration::from_millis(20),
    checkpoint_min: Duration::from_secs(3600),
    checkpoint_max: Duration::from_secs(3600),
};

/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A writer's surroundings: what goes in, what comes out, and a board that answers it.
struct Stage {
    steps: Sender<Step>,
    events: Receiver<Event>,
    taken: Sender<Answer>,
    board: Board,
    clock: Clock,
}

fn ends() -> (Ends, Receiver<Event>, Sender<Answer>) {
    let (events, lane) = channel(8);
    let (taken, answers) = channel(4);
    let (_, alarms) = alarm_lane();
    let ends = Ends {
        clock: Clock::start(),
        metrics: Arc::new(Metrics::unread()),
        events,
        taken: answers,
        alarms,
        stall: Stall::default(),
        records: Records::none(),
    };
    (ends, lane, taken)
}

fn board() -> Board {
    let text = "[board]\ntitle = \"A\"\n[[source]]\nid = \"ops\"\nkind = \"hub\"\nurl = \"http://127.0.0.1:1\"\nchannels = [\"x\"]\n\
                [[widget]]\nid = \"count\"\nkind = \"counter\"\n";
    Board::new(config::parse(text, "board.toml").unwrap(), Mono::ZERO)
}

fn stage(writer: Writer, events: Receiver<Event>, taken: Sender<Answer>) -> Stage {
    let (steps, lane) = channel(8);
    tokio::spawn(writer.run(lane));
    Stage { steps, events, taken, board: board(), clock: Clock::start() }
}

fn open(folder: &std::path::Path) -> Journal {
    Journal::open(folder, Bounds::default(), Clock::start().wall()).unwrap().journal
}

fn delivered(number: u64) -> Step {
    let event = watchfloor_model::Event {
        channel: "x".into(),
        name: "tick".into(),
        id: None,
        position: Some(Position::new("e", number)),
        time: Timestamp::from_millis(0),
        received: Mono::ZERO,
        data: Payload::from(serde_json::Value::from(number)),
    };
    let delivery = Delivery::Events(vec![event]);
    let entry = intake::entry(&"ops".into(), &delivery, &Clock::start()).unwrap();
    Step::Delivered(Delivered { life: 1, entry, delivery, share: None })
}

fn position(journal: &Journal) -> Option<u64> {
    Some(journal.positions().unwrap().get("ops")?.get("x")?.offset)
}

impl Stage {
    /// The next event that isn't a question for the board's state, which is answered.
    async fn next(&mut self) -> Option<Event> {
        loop {
            match timeout(PATIENCE, self.events.recv()).await.expect("something comes")? {
                Event::CheckpointWanted { seq } => {
                    self.taken
                        .try_send(Answer::Taken(Taken { seq, checkpoint: self.state(), alarms: Vec::new() }))
                        .unwrap();
                }
                Event::Delivered { source, life, delivery, share } => {
                    self.board.handle_delivery(&source, &delivery, self.clock.now());
                    return Some(Event::Delivered { source, life, delivery, share });
                }
                // What the links' history says is tested with it.
                Event::Outages(_) => (),
                other => return Some(other),
            }
        }
    }

    /// The sources are gone.
    fn end_steps(&mut self) {
        let (steps, _nobody) = channel(1);
        self.steps = steps;
    }

    fn state(&self) -> Checkpoint {
        self.board.checkpoint(self.clock.now(), self.clock.wall())
    }

    async fn deliver(&mut self, number: u64) -> Event {
        self.steps.send(delivered(number)).await.unwrap();
        self.next().await.unwrap()
    }
}

/// H4: what reaches the board is in the journal already, and the order of a source's steps is kept.
#[tokio::test]
async fn written_before_it_is_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let (ends, events, taken) = ends();
    let writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), PACE);
    let mut stage = stage(writer, events, taken);
    let other = open(folder.path());
    for number in 1..=20 {
        let event = stage.deliver(number).await;
        assert!(matches!(event, Event::Delivered { .. }), "{event:?}");
        assert_eq!(position(&other), Some(number));
    }
    let status = Box::new(SourceStatus::default());
    stage.steps.send(delivered(21)).await.unwrap();
    stage.steps.send(Step::Status { source: "ops".into(), life: 1, status }).await.unwrap();
    stage.steps.send(Step::Forget { source: "ops".into(), life: 2, story: "s".into() }).await.unwrap();
    // What a former life left on the way is nothing of this one, on the disk or on the board.
    stage.steps.send(delivered(22)).await.unwrap();
    assert!(matches!(stage.next().await, Some(Event::Delivered { .. })));
    assert!(matches!(stage.next().await, Some(Event::Status { .. })));
    stage.end_steps();
    assert!(stage.next().await.is_none());
    assert_eq!(position(&other), None, "forgotten");
    assert_eq!(other.checkpoints().unwrap()[0].seq, 22, "the end saves the board as of the newest batch");
}

/// Disk full: the wall goes on from memory and says so; when the disk takes it again, state and positions as they are
/// then begin the new stretch, and the notice goes.
#[tokio::test]
async fn goes_on_from_memory_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (ends, events, taken) = ends();
    let journal = open(folder.path());
    let pages: u32 = journal.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    journal.connection().pragma_update(None, "max_page_count", pages + 1).unwrap();
    let writer = Writer::into(ends, journal, folder.path().into(), Positions::new(), PACE);
    let mut stage = stage(writer, events, taken);
    let (mut number, mut lost) = (0, false);
    while !lost {
        number += 1;
        assert!(number < 10_000, "the disk never got full");
        if let Event::Notice(notice) = stage.deliver(number).await {
            assert!(notice.text.starts_with("not remembering since") && notice.id == NOTICE, "{notice:?}");
            assert!(matches!(stage.next().await, Some(Event::Delivered { .. })), "it goes on");
            lost = true;
        }
    }
    // The file opened afresh has no such limit.
    assert!(matches!(stage.next().await, Some(Event::NoticeOver { id: NOTICE })));
    let other = open(folder.path());
    assert_eq!(position(&other), Some(number), "what came meanwhile counts");
    let seq = other.checkpoints().unwrap()[0].seq;
    number += 1;
    assert!(matches!(stage.deliver(number).await, Event::Delivered { .. }));
    assert_eq!(position(&other), Some(number));
    assert!(other.replay(seq, |_| Ok(())).unwrap(), "whole from the new checkpoint on");
}

/// H4: what goes into a file that no start will find is not remembered, and that is said; then a file is begun where one is looked for.
#[tokio::test]
async fn a_journal_that_is_gone_is_begun_again() {
    let remove = |path: &std::path::Path| std::fs::remove_file(path);
    let replace = |path: &std::path::Path| {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy)?;
        std::fs::rename(copy, path)
    };
    let cut = |path: &std::path::Path| std::fs::File::options().write(true).open(path)?.set_len(0);
    for (what, harm) in [("removed", remove as fn(&std::path::Path) -> _), ("replaced", replace), ("cut", cut)] {
        let folder = tempfile::tempdir().unwrap();
        let (ends, events, taken) = ends();
        let writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), PACE);
        let mut stage = stage(writer, events, taken);
        let (begun, mut number) = (Instant::now(), 0);
        let mut said = None;
        while said.is_none() {
            number += 1;
            assert!(begun.elapsed() < PATIENCE, "{what}, and nobody says so");
            if let Event::Notice(notice) = stage.deliver(number).await {
                assert!(matches!(stage.next().await, Some(Event::Delivered { .. })), "it goes on");
                said = Some(notice);
            } else if number == 1 {
                harm(&folder.path().join(FILE_NAME)).unwrap();
            }
        }
        let said = said.unwrap();
        assert!(said.text.starts_with("not remembering") && said.detail[0].contains(what), "{said:?}");
        // The one that was cut is set aside, as it can't be read any more.
        let after = stage.next().await;
        assert!(matches!(after, Some(Event::NoticeOver { id: NOTICE } | Event::Notice(_))), "{what}: {after:?}");
        assert_eq!(position(&open(folder.path())), Some(number), "{what}: what came meanwhile counts");
    }
}

/// H4: a file that can be seen to be none, or to have lost its beginning, is not taken for a new one.
#[test]
fn what_is_no_journal_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    std::fs::write(&path, "").unwrap();
    std::fs::write(folder.path().join(format!("{FILE_NAME}-wal")), [7; 9000]).unwrap();
    let opened = Journal::open(folder.path(), Bounds::default(), Clock::start().wall()).unwrap();
    assert!(opened.set_aside.is_some_and(|(_, reason)| reason.contains("the file is empty")));
    let folder = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join(FILE_NAME)).status().unwrap().success());
    let error = Journal::open(folder.path(), Bounds::default(), Clock::start().wall()).unwrap_err();
    assert!(error.to_string().contains("is not a file"), "{error}");
}

/// A writer that has lost a journal with batch 1 in it, by this error.
async fn lost(folder: &std::path::Path, acquitted: bool, error: &JournalError) -> Stage {
    let mut journal = open(folder);
    let Step::Delivered(Delivered { entry, .. }) = delivered(1) else { panic!("it is a delivery") };
    journal.append(&[entry], Clock::start().wall()).unwrap();
    let (ends, events, taken) = ends();
    let mut writer = Writer::into(ends, journal, folder.into(), Positions::new(), PACE);
    writer.acquitted_at = acquitted.then(|| Instant::now() + PATIENCE);
    assert!(writer.lose(error).await.is_ok());
    let mut stage = stage(writer, events, taken);
    assert!(matches!(stage.next().await, Some(Event::Notice(_))));
    stage
}

/// H4: a read error that is over, or damage that nobody finds, costs no journal: it is opened again and goes on.
#[tokio::test]
async fn a_passing_read_error_costs_no_journal() {
    let code = |code| JournalError::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
    for error in [code(rusqlite::ffi::SQLITE_IOERR_READ), code(rusqlite::ffi::SQLITE_CORRUPT)] {
        let folder = tempfile::tempdir().unwrap();
        let mut stage = lost(folder.path(), false, &error).await;
        assert!(matches!(stage.next().await, Some(Event::NoticeOver { id: NOTICE })), "{error}");
        assert!(matches!(stage.deliver(5).await, Event::Delivered { .. }));
        let journal = open(folder.path());
        assert_eq!((position(&journal), set_aside(folder.path())), (Some(5), 0), "{error}");
        let batches: i64 =
            journal.connection().query_row("SELECT COUNT(*) FROM batch WHERE seq = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(batches, 1, "{error}: what was there before is there");
    }
}

/// H4: damage that SQLite meets again at once, although the file seems sound, is believed: a new file begins with the state as it is.
#[tokio::test]
async fn damage_met_twice_begins_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = lost(folder.path(), true, &JournalError::Damaged("a page is garbage".into())).await;
    let Some(Event::Notice(notice)) = stage.next().await else { panic!("no notice of the new file") };
    assert!(notice.text.contains("a new one was begun"), "{notice:?}");
    assert!(matches!(stage.deliver(5).await, Event::Delivered { .. }));
    assert_eq!((position(&open(folder.path())), set_aside(folder.path())), (Some(5), 1));
}

/// A file that is damaged while it is used is set aside, and a new one begins with the state as it is.
#[tokio::test]
async fn damage_while_running_begins_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    for seq in 1..=2 {
        journal.put_checkpoint(seq, Clock::start().wall(), &"1".repeat(200_000)).unwrap();
    }
    drop(journal);
    let (ends, events, taken) = ends();
    let mut writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), PACE);
    spoil(folder.path(), 12..pages(folder.path()));
    assert!(writer.lose(&JournalError::Damaged("a page is garbage".into())).await.is_ok());
    let mut stage = stage(writer, events, taken);
    assert!(matches!(stage.next().await, Some(Event::Notice(_))));
    let Some(Event::Notice(notice)) = stage.next().await else { panic!("no notice of the new file") };
    assert!(notice.text.contains("a new one was begun"), "{notice:?}");
    assert!(matches!(stage.deliver(5).await, Event::Delivered { .. }));
    assert_eq!(position(&open(folder.path())), Some(5));
}

/// Overwrites the pages `from..to` of a journal that nobody holds open.
fn spoil(folder: &std::path::Path, pages: std::ops::Range<u64>) {
    let path = folder.join(FILE_NAME);
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    let page = u64::from(PAGE_BYTES);
    assert!(pages.start < pages.end && pages.end * page <= file.metadata().unwrap().len(), "{pages:?} of the file");
    file.seek(SeekFrom::Start(pages.start * page)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from((pages.end - pages.start) * page).unwrap()]).unwrap();
}

fn pages(folder: &std::path::Path) -> u64 {
    std::fs::metadata(folder.join(FILE_NAME)).unwrap().len() / u64::from(PAGE_BYTES)
}

/// What the folder holds of journals that were set aside.
fn set_aside(folder: &std::path::Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("journal-damaged-") && name.ends_with(".db")).count()
}

/// H1, H4: pages that went bad where only the ring's oldest end is, so that neither opening nor reading meets them: the first
/// transaction that does is told, the wall goes on from memory, and a new file begins with the state as it is.
#[tokio::test]
async fn damage_that_only_writing_meets_begins_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let big = || {
        let Step::Delivered(Delivered { mut entry, .. }) = delivered(1) else { panic!("it is a delivery") };
        entry.batch.body = "x".repeat(3000);
        entry
    };
    for _ in 0..600 {
        journal.append(&[big()], Clock::start().wall()).unwrap();
    }
    drop(journal);
    let all = pages(folder.path());
    spoil(folder.path(), all / 4..all - 4);
    let bounds = Bounds { bytes_max: 1 << 18, ..Bounds::default() };
    let opened = Journal::open(folder.path(), bounds, Clock::start().wall()).unwrap();
    assert_eq!(opened.set_aside, None, "opening doesn't come there");
    let (ends, events, taken) = ends();
    let writer = Writer::into(ends, opened.journal, folder.path().into(), Positions::new(), PACE);
    let mut stage = stage(writer, events, taken);
    let Event::Notice(lost) = stage.deliver(5).await else { panic!("nothing is said") };
    assert!(lost.text.starts_with("not remembering since"), "{lost:?}");
    assert!(matches!(stage.next().await, Some(Event::Delivered { .. })), "it goes on");
    let Some(Event::Notice(begun)) = stage.next().await else { panic!("no notice of the new file") };
    assert!(begun.text.contains("a new one was begun"), "{begun:?}");
    assert_eq!((position(&open(folder.path())), set_aside(folder.path())), (Some(5), 1));
    assert!(matches!(stage.deliver(6).await, Event::Delivered { .. }), "written again");
    assert_eq!(position(&open(folder.path())), Some(6));
}

/// H4: a state that can't be saved is told at once, although every batch goes on being written: the next start needs it.
#[tokio::test]
async fn damage_that_only_saving_meets_begins_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let before = pages(folder.path());
    let mut journal = open(folder.path());
    for seq in 1..=2 {
        journal.put_checkpoint(seq, Clock::start().wall(), &"1".repeat(200_000)).unwrap();
    }
    drop(journal);
    spoil(folder.path(), before + 2..pages(folder.path()));
    let (ends, events, taken) = ends();
    let pace = Pace { checkpoint_min: Duration::from_millis(10), ..PACE };
    let writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), pace);
    let mut stage = stage(writer, events, taken);
    assert_eq!(set_aside(folder.path()), 0, "opening doesn't come there");
    assert!(matches!(stage.deliver(5).await, Event::Delivered { .. }));
    let Some(Event::Notice(lost)) = stage.next().await else { panic!("nothing is said") };
    assert!(lost.text.starts_with("not remembering since"), "{lost:?}");
    let Some(Event::Notice(begun)) = stage.next().await else { panic!("no notice of the new file") };
    assert!(begun.text.contains("a new one was begun"), "{begun:?}");
    let other = open(folder.path());
    assert_eq!((position(&other), set_aside(folder.path())), (Some(5), 1));
    assert_eq!(other.checkpoints().unwrap().len(), 1, "the state is in the new file");
}

/// A board that doesn't answer in time is no damage of the file's: it stays.
#[tokio::test(start_paused = true)]
async fn a_slow_board_costs_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (ends, events, taken) = ends();
    let mut writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), PACE);
    assert!(writer.lose(&JournalError::Io(io::ErrorKind::StorageFull.into())).await.is_ok());
    let mut stage = stage(writer, events, taken);
    assert!(matches!(stage.next().await, Some(Event::Notice(_))));
    let asked = stage.events.recv().await;
    assert!(matches!(asked, Some(Event::Outages(_))), "{asked:?}");
    let asked = stage.events.recv().await;
    assert!(matches!(asked, Some(Event::CheckpointWanted { .. })), "{asked:?}");
    // No answer: the clock goes on to where the writer gives up.
    let told = stage.events.recv().await;
    let Some(Event::Notice(notice)) = told else { panic!("{told:?}") };
    assert!(notice.detail[0].contains("did not answer"), "{notice:?}");
    assert!(matches!(stage.next().await, Some(Event::NoticeOver { id: NOTICE })), "the next try succeeds");
    assert_eq!(set_aside(folder.path()), 0);
}

/// H4: a journal that can't be written at the start is written as soon as it can be, from the state as it is then.
#[tokio::test]
async fn a_refused_journal_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let Step::Delivered(Delivered { entry, .. }) = delivered(3) else { panic!("it is a delivery") };
    journal.append(&[entry], Clock::start().wall()).unwrap();
    let positions = journal.positions().unwrap();
    drop(journal);
    let (ends, events, taken) = ends();
    let read = Journal::read(folder.path(), Bounds::default()).unwrap();
    assert_eq!(position(&read), Some(3));
    let writer = Writer::refused(ends, Some(&read), folder.path().into(), Bounds::default(), positions, PACE);
    drop(read);
    let mut stage = stage(writer, events, taken);
    assert!(matches!(stage.deliver(4).await, Event::Delivered { .. } | Event::NoticeOver { .. }));
    assert!(matches!(stage.next().await, Some(Event::NoticeOver { id: NOTICE } | Event::Delivered { .. })));
    assert_eq!(position(&open(folder.path())), Some(4), "what came meanwhile counts");
}

/// Without a data folder nothing is written and everything is handed on.
#[tokio::test]
async fn forgetful_writers_only_hand_on() {
    let (ends, events, taken) = ends();
    let mut stage = stage(Writer::forgetful(ends), events, taken);
    assert!(matches!(stage.deliver(1).await, Event::Delivered { .. }));
    stage.end_steps();
    assert!(stage.next().await.is_none());
}

/// A wall that changes is saved after its pace, and not while nothing changes.
#[tokio::test]
async fn saves_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (ends, events, taken) = ends();
    let pace = Pace { checkpoint_min: Duration::from_millis(10), ..PACE };
    let writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), pace);
    let mut stage = stage(writer, events, taken);
    assert!(matches!(stage.deliver(1).await, Event::Delivered { .. }));
    let Some(Event::CheckpointWanted { seq: 1 }) = stage.events.recv().await else { panic!("nothing is saved") };
    stage.taken.try_send(Answer::Taken(Taken { seq: 1, checkpoint: stage.state(), alarms: Vec::new() })).unwrap();
    // Nothing changed: the next question comes with the next event.
    assert!(matches!(stage.deliver(2).await, Event::Delivered { .. }));
    assert_eq!(open(folder.path()).checkpoints().unwrap()[0].seq, 1);
}

/// H4: what a comparison with the server has corrected is written down at once, although no batch tells of it and whatever is
/// being saved at the moment.
#[tokio::test]
async fn a_correction_is_saved_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (ends, events, taken) = ends();
    let writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), PACE);
    let mut stage = stage(writer, events, taken);
    for _ in 0..2 {
        stage.taken.try_send(Answer::Corrected).unwrap();
        let seq = loop {
            match stage.events.recv().await.expect("the writer works") {
                Event::CheckpointWanted { seq } => break seq,
                _ => continue,
            }
        };
        // Another one before the answer: what is taken now may lack it.
        stage.taken.try_send(Answer::Corrected).unwrap();
        stage.taken.try_send(Answer::Taken(Taken { seq, checkpoint: stage.state(), alarms: Vec::new() })).unwrap();
        let again = loop {
            match stage.events.recv().await.expect("the writer works") {
                Event::CheckpointWanted { seq } => break seq,
                _ => continue,
            }
        };
        stage
            .taken
            .try_send(Answer::Taken(Taken { seq: again, checkpoint: stage.state(), alarms: Vec::new() }))
            .unwrap();
    }
}
