//! The loop itself, an event at a time, without its threads.

use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use watchfloor_board::{alarm::Act, config, frame::AlarmAct};
use watchfloor_model::{Event as Told, Payload, Position};

use super::*;
use crate::journal::alarms::{AlarmWork, HandOver, alarm_lane};

const BOARD: &str = r#"
[board]
title = "Boiler house"

[alarms]
notify = "none"

[[source]]
id = "ops"
kind = "hub"
url = "http://127.0.0.1:1"
channels = ["ops"]

[[alarm]]
id = "tank"
title = "Tank runs over"
on = "tank"
raise = "event.is_over"
key = "tank"

[[widget]]
id = "count"
kind = "counter"
"#;

/// A loop, and the ends of its ways that a test holds.
struct Stage {
    run: Run,
    alarms: Receiver<HandOver>,
    taken: Receiver<Answer>,
    _steps: Receiver<Step>,
    _control: Sender<Event>,
}

impl Stage {
    fn new() -> Self {
        let clock = Clock::start();
        let file = config::parse(BOARD, "boiler.toml").unwrap();
        let (control, control_lane) = mpsc::channel(8);
        let (_, data) = mpsc::channel(8);
        let (steps, steps_lane) = mpsc::channel(8);
        let (taken, taken_lane) = mpsc::channel(8);
        let (alarms, alarms_lane) = alarm_lane();
        let reach = Reach {
            beside: PathBuf::new(),
            record: None,
            control: control.downgrade(),
            operator: None,
            sought: watch::channel(Sought::default()).0,
            observer: None,
        };
        let (run, ..) = Run::new(Parts {
            clock,
            board: Board::new(file.clone(), clock.now()),
            file,
            settings: Settings::default(),
            begin: BTreeMap::new(),
            announcer: Announcer::new(None, None, false, control.downgrade()),
            onward: None,
            actions: false,
            reach,
            marks: Vec::new(),
            told: Vec::new(),
            runtime: Handle::current(),
            doors: Doors::new(clock),
            steps,
            in_flight: Arc::new(Semaphore::new(1 << 20)),
            taken,
            alarms,
            stall: Stall::default(),
            recorder: None,
            metrics: Arc::new(Metrics::unread()),
            data,
            control: control_lane,
        });
        Self { run, alarms: alarms_lane, taken: taken_lane, _steps: steps_lane, _control: control }
    }

    fn run_over(&mut self, number: u64) {
        let (now, wall) = (self.run.clock.now(), self.run.clock.wall());
        let event = Told {
            channel: "ops".into(),
            name: "tank".into(),
            id: None,
            position: Some(Position::new("e", number)),
            time: wall,
            received: now,
            data: Payload::from(json!({"tank": format!("tank {number}"), "is_over": true})),
        };
        let (source, life) = ("ops".into(), self.run.lives["ops"]);
        let delivery = Delivery::Events(vec![event]);
        self.run.handle_event(Event::Delivered { source, life, delivery, share: None });
    }

    /// Numbers of the entries that were handed to the writer by now.
    fn handed_over(&mut self) -> Vec<u64> {
        let over = std::iter::from_fn(|| self.alarms.try_recv().ok());
        let numbers = over.flat_map(|over| match over.work {
            AlarmWork::Entries(entries) => entries.iter().map(|entry| entry.change.number).collect(),
            _ => Vec::new(),
        });
        numbers.collect()
    }
}

/// H4, H6: no state is written down that is ahead of the record of alarms. What somebody did, or a source's loss did to what stands, in the same turn
/// in which the journal asks for the state, goes on record first: a wall that ends or is killed right then would have lost it for good.
#[tokio::test]
async fn the_state_is_never_ahead_of_the_record() {
    let mut stage = Stage::new();
    (1..=25).for_each(|number| stage.run_over(number));
    let raised = stage.handed_over();
    assert_eq!(raised, (1..=25).collect::<Vec<_>>());
    let (answer, mut answered) = oneshot::channel();
    let standing = stage.run.board.alarms().standing();
    let (key, own) = standing.iter().find(|(key, _)| &*key.of == "tank 7").unwrap();
    let act = Act::Acknowledge { occurrence: own.alarm.occurrence };
    let act = AlarmAct { key: key.to_string(), act, name: None };
    stage.run.handle_event(Event::Act { act, station: "wall".into(), answer });
    assert_eq!(answered.try_recv().unwrap(), Ok(()));
    let status = Box::new(SourceStatus::default());
    let (source, life) = ("ops".into(), stage.run.lives["ops"]);
    stage.run.handle_event(Event::Status { source, life, status });
    stage.run.handle_event(Event::CheckpointWanted { seq: 1 });
    let Ok(Answer::Taken(taken)) = stage.taken.try_recv() else { panic!("the state was asked for") };
    let number = serde_json::to_value(&taken.checkpoint).unwrap()["alarms"]["alarms"]["number"].as_u64().unwrap();
    assert!(number > 25, "the acknowledgement has one");
    assert_eq!(stage.handed_over(), (26..=number).collect::<Vec<_>>(), "all that the state knows of is on its way");
    assert!(taken.alarms.is_empty(), "there was room in the lane");
}
