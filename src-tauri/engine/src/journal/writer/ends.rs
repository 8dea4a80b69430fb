//! What the writer is told and given.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::{Receiver, Sender};
use watchfloor_board::Checkpoint;

use crate::{
    clock::Clock,
    event::Event,
    journal::{alarms::HandOver, stall::Stall},
    metrics::Metrics,
    recorder::Records,
};

/// How patient the writer is. Tests are less so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// A refused disk is tried again after this.
    pub(crate) retry: Duration,
    /// The board is saved this long after it changed, if more was written since than a checkpoint is large …
    pub(crate) checkpoint_min: Duration,
    /// … and this long in any case.
    pub(crate) checkpoint_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(10),
            checkpoint_min: Duration::from_secs(5),
            checkpoint_max: Duration::from_secs(60),
        }
    }
}

/// The board's state as of batch `seq`, taken by the loop that owns it.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The newest batch folded into it.
    pub(crate) seq: i64,
    /// The state.
    pub(crate) checkpoint: Checkpoint,
    /// What waits with the loop of the record of alarms: that is written before a state which has it.
    pub(crate) alarms: Vec<HandOver>,
}

/// What the loop says to the writer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The state that was asked for.
    Taken(Taken),
    /// A comparison with the server has corrected the state, which no batch tells: it is to be saved.
    Corrected,
}

/// What the writer needs from outside.
#[derive(Debug)]
pub(crate) struct Ends {
    /// This machine's clocks.
    pub(crate) clock: Clock,
    /// Where sizes are counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The board's lane.
    pub(crate) events: Sender<Event>,
    /// Its answers to [`Event::CheckpointWanted`].
    pub(crate) taken: Receiver<Answer>,
    /// What is to be written of alarms.
    pub(crate) alarms: Receiver<HandOver>,
    /// Where a transaction under way is told.
    pub(crate) stall: Stall,
    /// What was on the glass.
    pub(crate) records: Records,
}
