//! The one loop that owns the board.
//!
//! Two lanes lead to it. The data lane brings what is journaled, in order; the control lane brings everything else and is
//! never behind it. Folding is bounded in time a turn, so that a page gets its answer in the middle of a flood.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{Receiver, Sender, UnboundedSender, WeakSender, error::TrySendError},
        watch,
    },
    time::{Instant, sleep},
};
use watchfloor_board::{
    Board, Drift,
    config::spec::BoardFile,
    frame::{AlarmsSeen, State},
};
use watchfloor_model::{Delivery, Mono, SourceStatus, SteadyClock, Timestamp};

use crate::{
    announce::{Announcer, Sought, trial::Observed},
    clock::Clock,
    drill::Copied,
    event::{Event, Pull, Standing},
    frames::{Shown, Waiting},
    glass::Glass,
    intake::Step,
    journal::{
        alarms::AlarmLane,
        stall::{self, Stall},
        table::alarm::{Call, Mark},
        writer::{Answer, Taken},
    },
    metrics::{Metrics, SourceMetrics, WidgetMetrics},
    notify::Watch,
    onward::Onward,
    recorder::Recorder,
    rejections::Rejections,
    source::{Begin, Source},
    sources::Settings,
    transport::Doors,
};

mod alarms;
mod takeover;

pub(crate) use alarms::{onward, settings};

/// Events taken from the data lane at once.
const EVENTS_TAKEN_MAX: usize = 16;
/// After folding this long, pages are answered before more is folded.
const FOLD_BUDGET: Duration = Duration::from_millis(4);
/// What time alone changes is looked at this often at most.
const TICK_PERIOD_MIN: Duration = Duration::from_millis(20);
/// How often freshness is counted and rejections are logged.
const SURVEY_PERIOD: Duration = Duration::from_secs(1);
/// The loop sleeps this long at most: the system's timers stand still while the machine is suspended, `Clock` doesn't.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How long the end waits for the journal to be closed.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// What the loop is made of.
pub(crate) struct Parts {
    /// This machine's clocks.
    pub(crate) clock: Clock,
    /// The board, with the last known values.
    pub(crate) board: Board,
    /// What it was made of.
    pub(crate) file: BoardFile,
    /// Addresses given for sources besides the board file.
    pub(crate) settings: Settings,
    /// From where each source begins.
    pub(crate) begin: BTreeMap<String, Begin>,
    /// What tells people besides the wall.
    pub(crate) announcer: Announcer,
    /// What hands alarms on, if the board says where to.
    pub(crate) onward: Option<Onward>,
    /// Whether notifications have buttons.
    pub(crate) actions: bool,
    /// What the loop reaches besides its lanes.
    pub(crate) reach: Reach,
    /// What is known of the announcements of alarms that stand.
    pub(crate) marks: Vec<Mark>,
    /// When people were told something right before this.
    pub(crate) told: Vec<Timestamp>,
    /// Where sources run.
    pub(crate) runtime: Handle,
    /// What sources go through.
    pub(crate) doors: Arc<Doors>,
    /// The way to the journal.
    pub(crate) steps: Sender<Step>,
    /// Bound of what is on that way.
    pub(crate) in_flight: Arc<Semaphore>,
    /// The way back to the journal.
    pub(crate) taken: Sender<Answer>,
    /// The way of what alarms do to their record.
    pub(crate) alarms: AlarmLane,
    /// Whether the journal's disk answers.
    pub(crate) stall: Stall,
    /// What was on the glass is kept by it, if anything keeps it.
    pub(crate) recorder: Option<Recorder>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What is journaled, in order.
    pub(crate) data: Receiver<Event>,
    /// Everything else.
    pub(crate) control: Receiver<Event>,
}

/// What the loop reaches besides its lanes.
pub(crate) struct Reach {
    /// The folder that files are named by which the board names.
    pub(crate) beside: PathBuf,
    /// Where the record lies, if there is one.
    pub(crate) record: Option<PathBuf>,
    /// The loop's own lane.
    pub(crate) control: WeakSender<Event>,
    /// Who is on record for what somebody did who said no name.
    pub(crate) operator: Option<String>,
    /// Who wants to see an alarm on the wall, whose notification it was.
    pub(crate) sought: watch::Sender<Sought>,
    /// Who hears what becomes of announcements.
    pub(crate) observer: Option<UnboundedSender<Observed>>,
}

/// The loop.
pub(crate) struct Run {
    clock: Clock,
    board: Board,
    file: BoardFile,
    settings: Settings,
    sources: BTreeMap<String, Source>,
    /// Which life of each source the board folds: another one, when it is another server's.
    lives: BTreeMap<String, u64>,
    /// How many lives there were.
    born: u64,
    /// Sources of another story than what is being journaled, until the first word of it: what was written down of them by then would
    /// be taken for what the batches behind it go on from (H4).
    unheard: BTreeSet<String>,
    /// Sources whose restart waits until an order before it was taken.
    restarts: BTreeSet<String>,
    watch: Watch,
    announcer: Announcer,
    onward: Option<Onward>,
    actions: bool,
    reach: Reach,
    /// Announcements that may have been made before a crash.
    repeated: BTreeSet<Call>,
    /// What has called since a version of the board that no page has painted yet.
    unseen: Vec<(u64, Call)>,
    runtime: Handle,
    doors: Arc<Doors>,
    steps: Option<Sender<Step>>,
    in_flight: Arc<Semaphore>,
    taken: Sender<Answer>,
    alarms: AlarmLane,
    /// Whether the journal is still to be told of a correction, or of another board.
    is_corrected: bool,
    stall: Stall,
    recorder: Option<Recorder>,
    metrics: Arc<Metrics>,
    source_metrics: BTreeMap<String, SourceMetrics>,
    widget_metrics: BTreeMap<String, WidgetMetrics>,
    rejections: Rejections,
    waiting: Waiting,
    glass: Glass,
    ticked_at: Mono,
    surveyed_at: Mono,
    answered_at: Instant,
    stopping: Option<Instant>,
    /// To see when the machine's clock is set back.
    steady: SteadyClock,
}

impl Run {
    /// Puts the parts together and starts the sources. The lanes come back.
    pub(crate) fn new(parts: Parts) -> (Self, Receiver<Event>, Receiver<Event>) {
        let Parts { clock, board, file, settings, mut begin, announcer, runtime, doors, steps, .. } = parts;
        let mut run = Self {
            clock,
            board,
            file,
            settings,
            sources: BTreeMap::new(),
            lives: BTreeMap::new(),
            born: 0,
            unheard: BTreeSet::new(),
            restarts: BTreeSet::new(),
            watch: Watch::default(),
            announcer,
            onward: parts.onward,
            actions: parts.actions,
            reach: parts.reach,
            repeated: BTreeSet::new(),
            unseen: Vec::new(),
            runtime,
            doors,
            steps: Some(steps),
            in_flight: parts.in_flight,
            taken: parts.taken,
            alarms: parts.alarms,
            is_corrected: false,
            stall: parts.stall,
            recorder: parts.recorder,
            metrics: parts.metrics,
            source_metrics: BTreeMap::new(),
            widget_metrics: BTreeMap::new(),
            rejections: Rejections::default(),
            waiting: Waiting::default(),
            glass: Glass::default(),
            ticked_at: Mono::ZERO,
            surveyed_at: Mono::ZERO,
            answered_at: Instant::now(),
            stopping: None,
            steady: SteadyClock::default(),
        };
        run.count_widgets();
        let now = run.clock.now();
        run.board.set_wall(run.clock.wall(), now);
        run.keep_alarms();
        run.resume_alarms(parts.marks, &parts.told, now);
        for setup in run.setups() {
            let begin = begin.remove(&setup.feed.id).unwrap_or_default();
            run.start_source(setup, begin);
        }
        (run, parts.data, parts.control)
    }

    /// Turns until the engine is stopped or nobody is left to ask.
    pub(crate) async fn run(mut self, mut data: Receiver<Event>, mut control: Receiver<Event>) {
        let mut events = Vec::with_capacity(EVENTS_TAKEN_MAX);
        while self.next_events(&mut events, &mut data, &mut control).await {
            for event in events.drain(..) {
                self.handle_event(event);
                if self.answered_at.elapsed() >= FOLD_BUDGET {
                    self.answer_due();
                }
            }
            self.handle_time();
            self.handle_alarms(None, self.clock.now());
            self.alarms.flush();
            self.answer_due();
        }
        tracing::debug!("the board's loop ends");
    }

    /// Waits for work; false if there will be none.
    async fn next_events(
        &mut self,
        events: &mut Vec<Event>,
        data: &mut Receiver<Event>,
        control: &mut Receiver<Event>,
    ) -> bool {
        let wake = self.next_wake();
        tokio::select! {
            biased;
            event = control.recv(), if self.stopping.is_none() => events.push(event.unwrap_or(Event::Stop)),
            count = data.recv_many(events, EVENTS_TAKEN_MAX) => return count > 0,
            () = sleep(wake) => return self.stopping.is_none_or(|since| since.elapsed() < STOP_TIMEOUT),
        }
        while events.len() < EVENTS_TAKEN_MAX
            && let Ok(event) = control.try_recv()
        {
            events.push(event);
        }
        true
    }

    fn next_wake(&self) -> Duration {
        let now = self.clock.now();
        let tick = self.board.poll_timeout(now).map(|due| due.max(self.ticked_at.plus(TICK_PERIOD_MIN)));
        let survey = Some(self.surveyed_at.plus(SURVEY_PERIOD));
        let record = self.recorder.as_ref().map(|recorder| recorder.poll_timeout(&self.board));
        let announcer = self.announcer.poll_timeout();
        let next = [tick, survey, record, self.waiting.poll_timeout(), self.watch.poll_timeout(), announcer];
        let next = next.into_iter().flatten().min();
        next.map_or(SLEEP_MAX, |due| due.since(now)).min(SLEEP_MAX)
    }

    fn handle_event(&mut self, event: Event) {
        let now = self.clock.now();
        self.board.set_wall(self.clock.wall(), now);
        match event {
            // What a former life of the source left on the way is nothing of the one that the board has now (H1).
            Event::Delivered { source, life, .. } | Event::Status { source, life, .. }
                if self.lives.get(&*source) != Some(&life) => {}
            Event::Delivered { source, delivery, share, .. } => {
                self.unheard.remove(&*source);
                self.board.handle_delivery(&source, &delivery, now);
                self.handle_alarms(received_at(&delivery), now);
                if let Delivery::Check(_) | Delivery::Recheck(_) = &delivery {
                    self.handle_checked(&source);
                }
                if let Delivery::Events(events) = &delivery
                    && let Some(first) = events.first()
                {
                    self.glass.folded(first.received, events.len());
                }
                drop(share);
            }
            Event::Status { source, status, .. } => {
                self.unheard.remove(&*source);
                self.handle_status(&source, *status, now);
            }
            Event::CheckpointWanted { seq } => {
                // What was decided in this turn is in the state, and goes on record before it.
                self.handle_alarms(None, now);
                let mut checkpoint = self.board.checkpoint(now, self.clock.wall());
                checkpoint.sources.retain(|id, _| !self.unheard.contains(id));
                let taken = Taken { seq, checkpoint, alarms: self.alarms.take_waiting() };
                if let Err(TrySendError::Full(Answer::Taken(taken)) | TrySendError::Closed(Answer::Taken(taken))) =
                    self.taken.try_send(Answer::Taken(taken))
                {
                    tracing::warn!("the journal did not take the board's state");
                    self.alarms.put_back(taken.alarms);
                }
            }
            Event::Recorded { changes, is_written } => {
                self.observe_recorded(&changes, is_written);
                if !is_written {
                    // That nothing is remembered is said on the wall. They are announced all the same.
                    tracing::debug!(count = changes.len(), "alarms are announced without a record");
                }
                self.handle_recorded(&changes, now);
            }
            Event::Pull(pull) => self.handle_pull(pull, now),
            Event::Painted { version } => self.handle_receipt(version, now),
            Event::LookBack { looks } => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.look_back(looks);
                }
            }
            // Who asked may have gone meanwhile.
            Event::Rows { query, answer } => {
                let _gone = answer.send(self.board.rows(&query, now));
            }
            Event::AlarmRows { query, answer } => {
                let _gone = answer.send(self.board.alarm_rows(&query));
            }
            Event::Subject { widget, key, answer } => {
                let _gone = answer.send(self.board.subject(&widget, &key, now));
            }
            Event::Called { alarms, answer } => {
                let _gone = answer.send(self.board.called(&alarms));
            }
            Event::Report { answer } => {
                // Who asked may have gone meanwhile.
                let _gone = answer.send(self.report(now));
            }
            Event::Standing { answer } => {
                let worst =
                    self.board.notices().iter().map(|notice| notice.state).filter(|state| *state != State::Unknown);
                let standing = Standing {
                    levels: self.board.levels().to_vec(),
                    worst: worst.max(),
                    notices: self.board.notices().to_vec(),
                };
                let _gone = answer.send(standing);
            }
            Event::Summary { answer } => {
                let _gone = answer.send(self.board.summary(now));
            }
            Event::Copy { answer } => {
                let _gone = answer.send(self.copy(now));
            }
            Event::Drill { runs } => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.drill(runs);
                }
            }
            Event::Latency { answer } => {
                let _gone = answer.send(self.glass.latency().clone());
            }
            Event::Board(file) => self.handle_board(*file, now),
            Event::Notice(notice) => {
                self.observe(|| Observed::Notice { id: notice.id.clone(), text: notice.text.clone() });
                self.board.set_notice(notice);
            }
            Event::NoticeOver { id } => self.board.clear_notice(id),
            Event::Told(told) => self.handle_told(&told, now),
            Event::HandedOn(handed) => self.observe(|| Observed::handed(handed)),
            Event::Outages(outages) => self.board.set_outages(outages),
            Event::TryNow => self.sources.values_mut().for_each(Source::try_now),
            Event::Gesture { glass, gesture } => self.board.handle_gesture_on(&glass, gesture, now),
            Event::Dark(dark) => self.board.set_dark(dark),
            Event::Room { answer } => {
                let _gone = answer.send(self.board.room(now, self.clock.wall()));
            }
            Event::Glasses(glasses) => self.board.set_glasses(glasses, now),
            Event::Act { act, station, answer } => {
                // Who asked may have gone meanwhile.
                let done = self.board.handle_act(&self.signed(act), &station, now);
                let _gone = answer.send(done.map_err(|refused| refused.to_string()));
            }
            Event::Acknowledge { seen, station, answer } => {
                let seen = AlarmsSeen { name: seen.name.or_else(|| self.operator()), ..seen };
                let _gone = answer.send(self.board.acknowledge(&seen, &station, now));
            }
            Event::Reconcile => self.sources.values_mut().for_each(Source::reconcile),
            #[cfg(test)]
            Event::Defect => std::panic::resume_unwind(Box::new("a test's defect")),
            Event::Stop => {
                self.stopping.get_or_insert_with(Instant::now);
                // Without senders of steps the journal saves the board and ends, and with it the data lane.
                self.sources.clear();
                self.steps = None;
            }
        }
    }

    /// Everything that a lamp test needs to be done to a copy.
    fn copy(&self, now: Mono) -> Copied {
        let configs = self.configs().into_iter();
        Copied {
            file: self.file.clone(),
            page: self.board.page(),
            checkpoint: self.board.checkpoint(now, self.clock.wall()),
            outages: self.board.outages().to_vec(),
            sources: configs
                .map(|config| {
                    let status = self.board.status(&config.id).cloned().unwrap_or_default();
                    (config, status)
                })
                .collect(),
        }
    }

    /// What a comparison with the server found different is told, counted, and written down.
    fn handle_checked(&mut self, source: &str) {
        let (drifts, total) = (self.board.take_drifts(), self.board.drift(source));
        if self.board.take_corrected() {
            self.is_corrected = true;
            self.save_corrections();
        }
        if drifts.is_empty() {
            tracing::debug!(source, "compared with the server: no difference");
            return;
        }
        for Drift { source, widget, field, shown, server } in &drifts {
            tracing::warn!(source, widget, field, shown, server, "corrected: the server holds something else");
        }
        tracing::warn!(source, named = drifts.len(), total, "differences between the wall and the server");
        if let Some(metrics) = self.source_metrics.get(source) {
            metrics.set_drift(total);
        }
    }

    fn save_corrections(&mut self) {
        if self.is_corrected && self.taken.try_send(Answer::Corrected).is_ok() {
            self.is_corrected = false;
        }
    }

    fn handle_status(&mut self, source: &str, status: SourceStatus, now: Mono) {
        self.watch.handle_status(source, &status, now);
        self.rejections.handle_status(source, &status);
        if let Some(metrics) = self.source_metrics.get(source) {
            metrics.set(Some(status.phase), &status.counts);
        }
        self.board.handle_status(source, status, now);
    }

    fn handle_pull(&mut self, pull: Pull, now: Mono) {
        self.handle_receipt(pull.after, now);
        if let Some(pull) = self.waiting.pull(pull, self.shown(), now) {
            self.answer(pull, now);
        }
    }

    fn handle_receipt(&mut self, version: u64, now: Mono) {
        if version > self.board.version() {
            // Of a run before this one.
            return;
        }
        if version > 0 {
            self.note_seen(version);
        }
        if let Some(recorder) = self.recorder.as_mut().filter(|_| version > 0) {
            recorder.painted(now);
        }
        let metrics = &self.metrics;
        self.glass.painted(version, now, |latency, count| {
            metrics.painted(latency.as_secs_f64(), usize::try_from(count).unwrap_or(usize::MAX));
        });
    }

    /// Everything that time brings.
    fn handle_time(&mut self) {
        let now = self.clock.now();
        self.board.set_wall(self.clock.wall(), now);
        self.announce(now);
        if self.steady.set(self.clock.wall(), now) {
            tracing::warn!("the clock was set back by more than a day: what was dated by it until now is void");
        }
        let tick = self.board.poll_timeout(now).is_some_and(|due| due <= now);
        if tick && now >= self.ticked_at.plus(TICK_PERIOD_MIN) {
            self.ticked_at = now;
            self.board.handle_tick(now);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.handle_time(&mut self.board, now, self.clock.wall());
        }
        while let Some(message) = self.watch.poll_message(now) {
            // Where there are alarms, that a source is lost is one.
            if self.file.alarming.is_none() {
                self.announcer.tell(message);
            }
        }
        if now >= self.surveyed_at.plus(SURVEY_PERIOD) {
            let paused = now.since(self.surveyed_at) > SURVEY_PERIOD * 2;
            self.surveyed_at = now;
            self.survey(now);
            // Right after a pause the sources haven't said yet how they are.
            if !paused {
                self.metrics.surveyed(now);
            }
        }
    }

    /// Counts freshness, logs rejections, and does what waited for a free moment.
    fn survey(&mut self, now: Mono) {
        for widget in &self.file.widgets {
            let quality = self.board.freshness(&widget.id, now);
            if let Some(metrics) = self.widget_metrics.get(&widget.id) {
                metrics.set(quality.as_ref().map(|quality| quality.freshness));
            }
            if let Some(rejected) = quality.and_then(|quality| quality.rejected) {
                self.rejections.handle_count(&widget.id, rejected.count);
            }
        }
        for (of, rejection) in self.board.take_rejections() {
            // A rule and a widget may have the same id: then it is logged of both.
            if self.file.alarms.iter().any(|rule| rule.id == of) {
                self.rejections.handle_rule(&of, &rejection);
            }
            self.rejections.handle_rejection(&of, &rejection);
        }
        self.rejections.log();
        self.save_corrections();
        match self.stall.notice(now) {
            Some(notice) => self.board.set_notice(notice),
            None => self.board.clear_notice(stall::NOTICE),
        }
        self.restart_sources();
    }

    fn shown(&self) -> Shown {
        Shown { version: self.board.version(), revision: self.board.revision() }
    }

    fn answer_due(&mut self) {
        let now = self.clock.now();
        for pull in self.waiting.due(self.shown(), now) {
            self.answer(pull, now);
        }
        self.answered_at = Instant::now();
    }

    fn answer(&mut self, pull: Pull, now: Mono) {
        // A version of a run before this one says nothing about this one.
        let after = if pull.after > self.board.version() { 0 } else { pull.after };
        let frame = self.board.frame_on(&pull.glass, after, pull.revision, now, self.clock.wall());
        self.glass.shown(frame.version);
        self.metrics.frame();
        // A page that has gone pulls again, after the version that it has.
        let _gone = pull.answer.send(frame);
    }

    fn report(&self, now: Mono) -> serde_json::Value {
        let mut report = self.board.report(now);
        if let Some(fields) = report.as_object_mut() {
            fields.insert("time".into(), self.clock.wall().as_millis().into());
            fields.insert("notices".into(), serde_json::json!(self.board.notices()));
        }
        report
    }
}

/// When what is delivered came, if it is events.
fn received_at(delivery: &Delivery) -> Option<Mono> {
    let Delivery::Events(events) = delivery else { return None };
    events.last().map(|event| event.received)
}

#[cfg(test)]
mod tests;
