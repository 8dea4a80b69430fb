//! The writer: order, checkpoints, a disk that fails.

use tokio::sync::mpsc::channel;
use watchfloor_board::{Board, config};
use watchfloor_model::{Delivery, Mono, Payload, Position, SourceStatus};

use super::*;
use crate::intake::{self, Delivered};

const PACE: Pace = Pace {
    retry: Duration::from_millis(20),
    checkpoint_min: Duration::from_secs(3600),
    checkpoint_max: Duration::from_secs(3600),
};

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
    let ends = Ends {
        clock: Clock::start(),
        metrics: Arc::new(Metrics::unread()),
        events,
        taken: answers,
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
    Step::Delivered(Delivered { entry, delivery, share: None })
}

fn position(journal: &Journal) -> Option<u64> {
    Some(journal.positions().unwrap().get("ops")?.get("x")?.offset)
}

impl Stage {
    /// The next event that isn't a question for the board's state, which is answered.
    async fn next(&mut self) -> Option<Event> {
        loop {
            match self.events.recv().await? {
                Event::CheckpointWanted { seq } => {
                    self.taken.try_send(Answer::Taken(Taken { seq, checkpoint: self.state() })).unwrap();
                }
                Event::Delivered { source, delivery, share } => {
                    self.board.handle_delivery(&source, &delivery, self.clock.now());
                    return Some(Event::Delivered { source, delivery, share });
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
    stage.steps.send(Step::Status { source: "ops".into(), status }).await.unwrap();
    stage.steps.send(Step::Forget { source: "ops".into() }).await.unwrap();
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

/// A file that is damaged while it is used is set aside, and a new one begins with the state as it is.
#[tokio::test]
async fn damage_while_running_begins_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (ends, events, taken) = ends();
    let mut writer = Writer::into(ends, open(folder.path()), folder.path().into(), Positions::new(), PACE);
    assert!(writer.lose(&JournalError::Damaged("a page is garbage".into())).await.is_ok());
    let mut stage = stage(writer, events, taken);
    assert!(matches!(stage.next().await, Some(Event::Notice(_))));
    let Some(Event::Notice(notice)) = stage.next().await else { panic!("no notice of the new file") };
    assert!(notice.text.contains("a new one was begun"), "{notice:?}");
    assert!(matches!(stage.deliver(5).await, Event::Delivered { .. }));
    assert_eq!(position(&open(folder.path())), Some(5));
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
    stage.taken.try_send(Answer::Taken(Taken { seq: 1, checkpoint: stage.state() })).unwrap();
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
        stage.taken.try_send(Answer::Taken(Taken { seq, checkpoint: stage.state() })).unwrap();
        let again = loop {
            match stage.events.recv().await.expect("the writer works") {
                Event::CheckpointWanted { seq } => break seq,
                _ => continue,
            }
        };
        stage.taken.try_send(Answer::Taken(Taken { seq: again, checkpoint: stage.state() })).unwrap();
    }
}
