//! A source that is run for its events alone: by the same task as a wall's, with nothing behind it.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{Receiver, channel},
    },
};
use watchfloor_model::{Delivery, Event, Mono, SourceStatus};

use super::subject::SOURCE_ID;
use crate::{
    clock::Clock,
    intake::{Delivered, IN_FLIGHT_BYTES_MAX, Intake, STEPS_QUEUED_MAX, Step},
    source::{Begin, Source},
    sources::Setup,
    transport::Doors,
};

/// Proofs that are remembered to find the server's beat.
const PROOFS_MAX: usize = 10_000;
/// What comes within this of an event may be a piece of it.
const APART: Duration = Duration::from_millis(150);
/// So many make a beat.
const PROOFS_MIN: usize = 3;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Events or news of the connection.
    Something,
    /// Nothing will come any more.
    Gone,
}

/// The source. Dropping it lets go of the connection.
pub(super) struct Listener {
    pub(super) status: SourceStatus,
    /// What came and wasn't taken yet.
    pub(super) events: Vec<Event>,
    steps: Receiver<Step>,
    proofs: Vec<Mono>,
    /// Those that no event came with.
    own_proofs: usize,
    /// The last one, if it may be one of those: an event may follow of which it was the beginning.
    pending: Option<Mono>,
    /// When the last event came.
    event_at: Option<Mono>,
    _source: Source,
}

impl Listener {
    /// Starts it without positions, as a wall does that is new.
    pub(super) fn start(setup: Setup, doors: Arc<Doors>, clock: Clock) -> Self {
        let (sender, steps) = channel(STEPS_QUEUED_MAX);
        let room = Arc::new(Semaphore::new(IN_FLIGHT_BYTES_MAX as usize));
        let intake = Intake::new(SOURCE_ID.into(), 0, clock, sender, room);
        let source = Source::start(&Handle::current(), setup, Begin::default(), doors, intake, clock);
        Self {
            status: SourceStatus::default(),
            events: Vec::new(),
            steps,
            proofs: Vec::new(),
            own_proofs: 0,
            pending: None,
            event_at: None,
            _source: source,
        }
    }

    /// Waits for what comes next.
    pub(super) async fn next(&mut self) -> Heard {
        match self.steps.recv().await {
            None => return Heard::Gone,
            Some(Step::Delivered(Delivered { delivery: Delivery::Events(events), .. })) => {
                self.note_events(&events);
                self.events.extend(events);
            }
            Some(Step::Status { status, .. }) => {
                if let Some(proof) = status.link_proof.filter(|proof| self.proofs.last() != Some(proof))
                    && self.proofs.len() < PROOFS_MAX
                {
                    self.proofs.push(proof);
                    self.note_proof(proof);
                }
                self.status = *status;
            }
            Some(Step::Delivered(_) | Step::Unwritten { .. } | Step::Forget { .. } | Step::Left { .. }) => {}
        }
        Heard::Something
    }

    fn note_proof(&mut self, proof: Mono) {
        self.own_proofs += usize::from(self.pending.take().is_some());
        let is_apart = self.event_at.is_none_or(|at| proof.since(at) >= APART);
        self.pending = is_apart.then_some(proof);
    }

    fn note_events(&mut self, events: &[Event]) {
        let Some(at) = events.iter().map(|event| event.received).max() else { return };
        self.pending = self.pending.filter(|proof| at.since(*proof) >= APART);
        self.event_at = Some(at);
    }

    /// The longest time between two words of the server, in whole seconds, if it speaks often enough by itself to call that a
    /// beat. That events come often says nothing of how often something comes when nothing happens.
    pub(super) fn beat(&self, now: Mono) -> Option<Duration> {
        let (first, last) = self.proofs.first().zip(self.proofs.last())?;
        let between = self.proofs.windows(2).map(|pair| pair[1].since(pair[0])).max()?;
        let longest = between.max(now.since(*last));
        let is_steady = self.own_proofs >= PROOFS_MIN && longest * 2 < now.since(*first);
        is_steady.then(|| Duration::from_secs(longest.as_secs() + 1))
    }
}
