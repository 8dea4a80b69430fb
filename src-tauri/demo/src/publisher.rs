//! Publishes a story to a hub: first what went before, then event by event as its time comes.
//!
//! The publisher is an ordinary client of the hub's HTTP interface. Whatever fails is tried again until it works, in order
//! and under the same idempotency key, so that nothing is lost and nothing comes twice.

mod hub_client;
mod pace;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot, watch};
use watchfloor_model::Timestamp;

pub use self::hub_client::HubError;
use self::{hub_client::HubClient, pace::Pace};
use crate::story::{ReplayEvent, Story};

/// The slowest and the fastest replay, replay seconds a second.
pub const SPEEDS: [f64; 2] = [0.1, 3600.0];

/// Events a request at most.
const BATCH_EVENTS_MAX: usize = 1000;
/// History is published in steps of this much replay time, the hub's clock going along, so that its windows and daily resets
/// see events arrive when they would have.
const HISTORY_STEP: Duration = Duration::from_secs(15 * 60);
/// The hub's clock is set this much (real time) ahead of where it stands, so that it isn't set back by what the request takes on
/// its way: what has left a window would not come back.
const CLOCK_LEAD: Duration = Duration::from_millis(50);
/// For the same reason the clock is stopped at a pause asked for in advance when that is no farther away than this.
const PAUSE_LEAD: Duration = Duration::from_millis(500);
/// All events fall on whole minutes of the replay's time.
const EVENT_GRID_MS: i64 = 60_000;
/// The shortest wait between two looks at what is due.
const LOOK_MIN: Duration = Duration::from_millis(10);
/// How often the publisher says that it lives, paused or not.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// The first wait before another try, and the longest: each is twice the one before.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);
/// How often is said that the hub still can't be reached.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What the replay is asked to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Replay seconds a second, within [`SPEEDS`].
    pub speed: f64,
    /// Whether it stands still.
    pub paused: bool,
    /// Run up to exactly this time, then pause.
    pub pause_at: Option<Timestamp>,
}

/// How far the replay has come.
#[derive(Clone, Debug)]
pub struct Progress {
    pace: Pace,
    /// Everything up to this time is published.
    pub published: Timestamp,
    /// How often the data began, from 1.
    pub lap: u32,
    /// Why the replay ended, if it did.
    pub ended: Option<String>,
}

impl Progress {
    fn new(at: Timestamp) -> Self {
        Self { pace: Pace::new(at, Instant::now(), 0.0), published: at, lap: 1, ended: None }
    }

    /// The replay's time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.pace.at(Instant::now())
    }

    /// Replay seconds a second at this moment; 0 while paused.
    #[must_use]
    pub const fn speed(&self) -> f64 {
        self.pace.speed()
    }
}

/// What happens when the data ends.
#[derive(Debug)]
pub(crate) enum AtEnd {
    /// Nothing more.
    Stop,
    /// Someone who can empties the hub, answers, and is told when the history is published again.
    Again(mpsc::Sender<Lap>),
}

/// A request to begin again.
#[derive(Debug)]
pub(crate) struct Lap {
    /// Answer here when the hub is empty.
    pub(crate) emptied: oneshot::Sender<()>,
    /// Heard when the history is published.
    pub(crate) published: oneshot::Receiver<()>,
}

/// Publishes one story to one hub.
#[derive(Debug)]
pub struct Publisher {
    hub: HubClient,
    story: Arc<dyn Story>,
    from: Timestamp,
    control: watch::Sender<Control>,
    progress: watch::Sender<Progress>,
    at_end: AtEnd,
    /// Begins every idempotency key, so that two runs against one hub don't meet.
    run: u64,
    batches: u64,
    /// The history of the hub that was told the replay's time.
    epoch: Option<String>,
}

impl Publisher {
    /// A publisher to the hub at `url` that begins at `from` with everything before it.
    ///
    /// # Errors
    /// If no HTTP client can be made on this machine.
    pub fn new(
        url: &str,
        token: Option<String>,
        story: Arc<dyn Story>,
        from: Timestamp,
        control: Control,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            hub: HubClient::new(url, token)?,
            story,
            from,
            control: watch::Sender::new(control),
            progress: watch::Sender::new(Progress::new(from)),
            at_end: AtEnd::Stop,
            run: rand::random(),
            batches: 0,
            epoch: None,
        })
    }

    /// Begins again when the data has ended.
    #[must_use]
    pub(crate) fn again(mut self, laps: mpsc::Sender<Lap>) -> Self {
        self.at_end = AtEnd::Again(laps);
        self
    }

    /// Where it is told what to do.
    #[must_use]
    pub fn control(&self) -> watch::Sender<Control> {
        self.control.clone()
    }

    /// Where it tells how far it has come.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Publishes what went before, then answers `ready`, then goes on until the data ends, or for ever if it begins again.
    /// May be dropped at any point.
    ///
    /// # Errors
    /// If the hub refuses what it is sent. A hub that can't be reached is waited for.
    pub async fn run(mut self, ready: oneshot::Sender<()>) -> Result<(), HubError> {
        let outcome = self.laps(ready).await;
        let reason = outcome.as_ref().map_or_else(ToString::to_string, |()| "the data has ended".to_owned());
        self.progress.send_modify(|progress| progress.ended = Some(reason));
        outcome
    }

    async fn laps(&mut self, ready: oneshot::Sender<()>) -> Result<(), HubError> {
        let mut ready = Some(ready);
        loop {
            self.publish_history().await?;
            if let Some(ready) = ready.take() {
                // Nobody may be waiting any more.
                let _ = ready.send(());
            }
            self.play().await?;
            let AtEnd::Again(laps) = &self.at_end else { return Ok(()) };
            let ((emptied, is_empty), (published, is_published)) = (oneshot::channel(), oneshot::channel());
            if laps.send(Lap { emptied, published: is_published }).await.is_err() || is_empty.await.is_err() {
                return Ok(());
            }
            ready = Some(published);
            self.progress.send_modify(|progress| {
                *progress = Progress { lap: progress.lap + 1, ..Progress::new(self.from) };
            });
        }
    }

    async fn publish_history(&mut self) -> Result<(), HubError> {
        let events = self.story.state_at(self.from);
        let mut left = &events[..];
        let mut at = self.story.span().start;
        loop {
            let due = left.partition_point(|event| event.time <= at);
            let (now, later) = left.split_at(due);
            if !now.is_empty() || at >= self.from {
                self.set_clock(at, 0.0, events.len() == left.len()).await?;
                self.publish(now).await?;
            }
            if at >= self.from {
                return Ok(());
            }
            left = later;
            at = at.plus(HISTORY_STEP).min(self.from);
        }
    }

    /// From `from` to the end of the data.
    async fn play(&mut self) -> Result<(), HubError> {
        let mut control = self.control.subscribe();
        let end = self.story.span().end;
        let mut pace = Pace::new(self.from, Instant::now(), 0.0);
        let mut published = self.from;
        let mut label = String::new();
        let mut alive_due = Instant::now();
        loop {
            let wanted = *control.borrow_and_update();
            let now = Instant::now();
            let mut at = pace.at(now).min(end);
            let pause_reached = wanted.pause_at.filter(|pause_at| pace.at(now + PAUSE_LEAD) >= *pause_at);
            if let Some(pause_at) = pause_reached {
                at = pause_at.max(published);
                self.control.send_if_modified(|control| {
                    let still_wanted = control.pause_at == wanted.pause_at;
                    if still_wanted {
                        (control.paused, control.pause_at) = (true, None);
                    }
                    still_wanted
                });
            }
            let speed = if wanted.paused || pause_reached.is_some() { 0.0 } else { wanted.speed };
            if speed != pace.speed() || pause_reached.is_some() || label != self.story.label(at) {
                if pause_reached.is_none() {
                    at = pace.at(now + CLOCK_LEAD).min(end).min(wanted.pause_at.unwrap_or(end));
                }
                // The clock gets there first: an event must not be later than the hub's own time.
                self.set_clock(at, speed, false).await?;
                pace = Pace::new(at, Instant::now(), speed);
                label = self.story.label(at);
            }
            self.publish(&self.story.between(published, at)).await?;
            published = at;
            self.progress.send_modify(|progress| (progress.pace, progress.published) = (pace, published));
            if at >= end {
                return Ok(());
            }
            if alive_due <= Instant::now() {
                if self.say_alive().await {
                    // Told again below: a new hub goes by the system's time.
                    label.clear();
                }
                alive_due = Instant::now() + ALIVE_EVERY;
            }
            let wake = next_look(&pace, published, wanted.pause_at).min(alive_due);
            tokio::select! {
                _ = control.changed() => {}
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    async fn publish(&mut self, events: &[ReplayEvent]) -> Result<(), HubError> {
        for batch in events.chunks(BATCH_EVENTS_MAX) {
            let key = format!("replay-{:016x}-{}", self.run, self.batches);
            self.batches += 1;
            until_reached(|| self.hub.publish(batch, &key)).await?;
        }
        Ok(())
    }

    async fn set_clock(&self, at: Timestamp, speed: f64, begins: bool) -> Result<(), HubError> {
        let label = self.story.label(at);
        until_reached(|| self.hub.set_clock(at, speed, &label, begins)).await
    }

    /// Not tried again: the next one is due soon, and until then the silence is true. Answers whether it is another hub than the one
    /// before.
    async fn say_alive(&mut self) -> bool {
        let heard = async {
            self.hub.alive(self.story.channels()).await?;
            self.hub.epoch().await
        };
        match heard.await {
            Ok(epoch) => {
                let is_other = self.epoch.as_ref().is_some_and(|own| *own != epoch);
                self.epoch = Some(epoch);
                is_other
            }
            Err(error) => {
                tracing::debug!(reason = %error, "the hub did not hear that the replay lives");
                false
            }
        }
    }
}

/// When there may be something to do again: at the next whole minute, or when the replay is to pause.
fn next_look(pace: &Pace, published: Timestamp, pause_at: Option<Timestamp>) -> Instant {
    let minute = (published.as_millis().div_euclid(EVENT_GRID_MS) + 1) * EVENT_GRID_MS;
    let event = pace.when(Timestamp::from_millis(minute));
    let pause = pause_at.and_then(|at| pace.when(at)?.checked_sub(PAUSE_LEAD));
    let soon = Instant::now() + LOOK_MIN;
    // Paused: only a command or the next sign of life ends the wait.
    event.into_iter().chain(pause).min().map_or(soon + ALIVE_EVERY, |when| when.max(soon))
}

/// Tries until the hub has answered, with growing waits between.
async fn until_reached<F>(mut send: impl FnMut() -> F) -> Result<(), HubError>
where
    F: Future<Output = Result<(), HubError>>,
{
    let mut wait = RETRY_FIRST;
    let mut said: Option<Instant> = None;
    loop {
        match send().await {
            Err(HubError::Unreachable(reason)) => {
                if said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
                    said = Some(Instant::now());
                    tracing::warn!(
                        %reason,
                        "the hub can't be reached: it is tried every second, then the replay goes on where it stopped"
                    );
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RETRY_MAX);
            }
            answered => {
                if said.is_some() {
                    tracing::info!("the hub is reached");
                }
                return answered;
            }
        }
    }
}
