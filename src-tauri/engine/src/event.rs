//! Everything that the board's loop reacts to. A new kind of work enters the engine by a variant here.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use watchfloor_board::{
    Called, Gesture, GlassSpec, Room, Subject,
    alarm::Change,
    config::spec::BoardFile,
    frame::{AlarmAct, AlarmRowsFound, AlarmRowsQuery, AlarmsSeen, Frame, Notice, Outage, RowsFound, RowsQuery, State},
    freshness::{Freshness, Summary},
};
use watchfloor_model::{Delivery, SourceStatus};

use crate::{announce::Told, drill::Copied, glass::Latency, onward::Handed};

/// One turn of the loop.
#[derive(Debug)]
pub(crate) enum Event {
    /// Journaled, to be folded.
    Delivered {
        /// Whose.
        source: Arc<str>,
        /// In which of its lives.
        life: u64,
        /// What.
        delivery: Delivery,
        /// Its share of the pipeline's bound, given back when this is dropped.
        share: Option<OwnedSemaphorePermit>,
    },
    /// What is known of a source.
    Status {
        /// Which.
        source: Arc<str>,
        /// In which of its lives.
        life: u64,
        /// What is known.
        status: Box<SourceStatus>,
    },
    /// The journal wants the board's state. Everything up to batch `seq` has been handed over before this.
    CheckpointWanted {
        /// The newest batch folded.
        seq: i64,
    },
    /// Alarms that were decided are on record now, in the order in which they were: they may be announced.
    Recorded {
        /// What was decided.
        changes: Vec<Change>,
        /// Whether they are: false where nothing is remembered, or the disk refuses. They are announced all the same.
        is_written: bool,
    },
    /// A page asks for what changed.
    Pull(Pull),
    /// A page says what it has painted, besides its pulls.
    Painted {
        /// The frame's version.
        version: u64,
    },
    /// The page shows the past now, or the present again.
    LookBack {
        /// Which of them.
        looks: bool,
    },
    /// A hand asks for rows of a table.
    Rows {
        /// Which.
        query: RowsQuery,
        /// Where to; none if there is no such table.
        answer: oneshot::Sender<Option<RowsFound>>,
    },
    /// A hand asks for alarms of all that stand.
    AlarmRows {
        /// Which.
        query: AlarmRowsQuery,
        /// Where to; none if the board has no rules.
        answer: oneshot::Sender<Option<AlarmRowsFound>>,
    },
    /// A hand asks for what is behind something that a widget shows.
    Subject {
        /// The widget's id.
        widget: String,
        /// What is shown, by its key.
        key: String,
        /// Where to.
        answer: oneshot::Sender<Option<Subject>>,
    },
    /// Someone asks what alarms and sources are called.
    Called {
        /// The alarms' keys.
        alarms: Vec<String>,
        /// Where to.
        answer: oneshot::Sender<Called>,
    },
    /// Someone asks for the operators' report.
    Report {
        /// Where to.
        answer: oneshot::Sender<Value>,
    },
    /// Someone asks how the wall stands.
    Standing {
        /// Where to.
        answer: oneshot::Sender<Standing>,
    },
    /// Someone asks how all of the board is, in one line.
    Summary {
        /// Where to.
        answer: oneshot::Sender<Summary>,
    },
    /// Someone wants to do things to a copy of all this.
    Copy {
        /// Where to.
        answer: oneshot::Sender<Copied>,
    },
    /// A lamp test is on the glass now, or no longer.
    Drill {
        /// Which of them.
        runs: bool,
    },
    /// Someone asks how long events take to the glass.
    Latency {
        /// Where to.
        answer: oneshot::Sender<Latency>,
    },
    /// The board file has changed for the better.
    Board(Box<BoardFile>),
    /// Something that people must know.
    Notice(Notice),
    /// It is over.
    NoticeOver {
        /// The notice's id.
        id: &'static str,
    },
    /// What became of an announcement, or what somebody wants who was told.
    Told(Told),
    /// What a webhook answered.
    HandedOn(Handed),
    /// The links' history, newest first.
    Outages(Vec<Outage>),
    /// Whoever waits for its next try makes it now.
    TryNow,
    /// Every live source is compared with its server now.
    Reconcile,
    /// Somebody turns a page of the board, or pins one.
    Gesture {
        /// On which glass; empty for the first.
        glass: Arc<str>,
        /// What is done.
        gesture: Gesture,
    },
    /// What a sensor says of the room's light.
    Dark(Option<bool>),
    /// What holds for the room now.
    Room {
        /// Takes the answer.
        answer: oneshot::Sender<Room>,
    },
    /// The glasses that there are beside the first.
    Glasses(Vec<GlassSpec>),
    /// Somebody does something about an alarm.
    Act {
        /// What, and about which.
        act: AlarmAct,
        /// Where he does it.
        station: String,
        /// Where to; the error says why it wasn't done.
        answer: oneshot::Sender<Result<(), String>>,
    },
    /// Somebody acknowledges all that he has seen.
    Acknowledge {
        /// What that is.
        seen: AlarmsSeen,
        /// Where he does it.
        station: String,
        /// Where to: how many were.
        answer: oneshot::Sender<usize>,
    },
    /// The end.
    Stop,
    /// A defect in the loop, for tests of what follows from one.
    #[cfg(test)]
    Defect,
}

/// How the wall stands, for who looks elsewhere. Alarms that stand will be told here as well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// Freshness of each widget.
    pub(crate) levels: Vec<Freshness>,
    /// How bad the worst notice is.
    pub(crate) worst: Option<State>,
    /// What people must know.
    pub(crate) notices: Vec<Notice>,
}

/// A page's question.
#[derive(Debug)]
pub(crate) struct Pull {
    /// Whose page it is; empty for the first glass.
    pub(crate) glass: Arc<str>,
    /// The version that it has painted; 0 for none.
    pub(crate) after: u64,
    /// The board's revision that it has.
    pub(crate) revision: u32,
    /// Where to answer.
    pub(crate) answer: oneshot::Sender<Frame>,
}
