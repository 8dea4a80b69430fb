//! The engine's handle: starting, asking, stopping.

mod alarms;

use std::{
    collections::BTreeMap,
    fs::File,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::{
    Semaphore,
    mpsc::{Receiver, Sender, channel},
    oneshot, watch as watched,
};
use watchfloor_board::{
    Board, Gesture, GlassSpec, Room,
    config::{self, spec::BoardFile},
    frame::{Detail, Frame, Notice, RowsFound, RowsQuery},
    freshness::Summary,
};
use watchfloor_model::Timestamp;

use crate::{
    announce::{Announcer, Desktop, Sought, trial::Trial},
    clock::Clock,
    desk,
    drill::{Copied, Verdict},
    error::EngineError,
    event::{Event, Pull, Standing},
    exporter::Exporter,
    frames,
    glass::Latency,
    intake::{IN_FLIGHT_BYTES_MAX, STEPS_QUEUED_MAX, Step},
    journal::{
        Bounds,
        alarms::alarm_lane,
        stall::Stall,
        table::alarm::Mark,
        writer::{Ends, Pace, Writer},
    },
    metrics::Metrics,
    onward::Onward,
    recorder::recording,
    restore,
    run::{self, Parts, Reach, Run},
    source::Begin,
    sources::Settings,
    transport::{Doors, Task, tell_of_environment},
    watch::{self, Folder, Watcher},
};

/// Journaled events that wait to be folded.
const DATA_QUEUED_MAX: usize = 64;
/// Pulls and everything else that waits for the loop.
const CONTROL_QUEUED_MAX: usize = 64;
/// How long stopping waits for the journal to be closed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Board states on their way to the journal: it asks for one at a time, and once more at the end.
const TAKEN_QUEUED_MAX: usize = 4;

/// Where the board comes from.
#[derive(Clone, Debug)]
pub enum BoardInput {
    /// A file, read again whenever it changes.
    File(PathBuf),
    /// A text that is part of the program, with the files that it names, by their names there.
    Packed {
        /// What errors call it.
        name: &'static str,
        /// The board file's text.
        text: &'static str,
        /// The files.
        files: &'static [(&'static str, &'static str)],
    },
    /// A text that doesn't change, and names no files.
    Text {
        /// What errors call it.
        name: String,
        /// The board file's text.
        text: String,
    },
}

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The board.
    pub board: BoardInput,
    /// Where the journal lies; without it nothing is remembered.
    pub data_dir: Option<PathBuf>,
    /// Addresses of sources, by their id, in place of the board file's.
    pub source_urls: BTreeMap<String, String>,
    /// Where Prometheus may ask; nowhere if missing.
    pub metrics: Option<SocketAddr>,
    /// Whether the desktop is told of alarms and lost sources, if there is one.
    pub notifications: bool,
    /// Whether a notification has buttons. A kiosk's has none: nobody can reach them.
    pub actions: bool,
    /// Whether alarms are heard, if the board wants that.
    pub sound: bool,
    /// Who is on record for what is done about alarms by somebody who says no name, unless the board says who.
    pub operator: Option<String>,
    /// How alarms are told is tried out.
    pub trial: Option<Trial>,
    /// How much the journal keeps.
    pub journal: Bounds,
    /// Where a transcript of each source is written; nowhere if missing.
    pub transcripts: Option<PathBuf>,
}

impl EngineConfig {
    /// The board alone: nothing is remembered, nothing offered, nobody told.
    #[must_use]
    pub fn new(board: BoardInput) -> Self {
        Self {
            board,
            data_dir: None,
            source_urls: BTreeMap::new(),
            metrics: None,
            notifications: false,
            actions: true,
            sound: false,
            operator: None,
            trial: None,
            journal: Bounds::default(),
            transcripts: None,
        }
    }
}

/// A running engine. Clones are the same engine; it stops by [`Engine::stop`], or when the last of them is dropped.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    control: Sender<Event>,
    clock: Clock,
    metrics: Arc<Metrics>,
    metrics_address: Option<SocketAddr>,
    /// Where the journal lies, if anything is remembered.
    folder: Option<PathBuf>,
    sought: watched::Receiver<Sought>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
    _tasks: Vec<Task>,
}

impl Engine {
    /// Starts an engine on the tokio runtime that this is called on. When it returns, the last known values can be
    /// asked for; no network has been waited for.
    ///
    /// # Errors
    /// See [`EngineError`]: the board file is wrong, the data folder can't be written or is another process's, the metrics'
    /// address is taken.
    pub async fn start(config: EngineConfig) -> Result<Self, EngineError> {
        let clock = Clock::start();
        let (name, text) = read_board(&config.board).await?;
        let (file, beside) = {
            let beside = Folder::of(config.board.path());
            let text_of = |file: &str| config.board.beside(&beside, file);
            let mut file = config::parse_beside(&text, &name, &text_of).map_err(EngineError::Board)?;
            if let Some(trial) = &config.trial {
                file.alarming = Some(trial.alarming.clone());
            }
            (file, beside)
        };
        let folder_of_board = config.board.path().parent().map(Path::to_owned).unwrap_or_default();
        let settings = Settings { urls: config.source_urls, transcripts: config.transcripts };
        settings.check(&file)?;
        let (metrics, exporter) = measure(config.metrics, clock).await?;
        let folder = config.data_dir.clone();
        let found = find(config.data_dir, config.journal, file.clone(), clock).await?;

        let (control, control_lane) = channel(CONTROL_QUEUED_MAX);
        let (data, data_lane) = channel(DATA_QUEUED_MAX);
        let (steps, steps_lane) = channel(STEPS_QUEUED_MAX);
        let (taken, taken_lane) = channel(TAKEN_QUEUED_MAX);
        let (alarms, alarms_lane) = alarm_lane();
        let stall = Stall::default();
        let (recorder, packing, records) = recording();
        let ends = Ends {
            clock,
            metrics: Arc::clone(&metrics),
            events: data,
            taken: taken_lane,
            alarms: alarms_lane,
            stall: stall.clone(),
            records,
        };
        let Found { mut board, begin, remembered, marks, told, notice } = found;
        if let Some(notice) = notice {
            board.set_notice(notice);
        }
        let (writer, lock) = match remembered {
            Some(Remembered { writer, lock }) => (writer(ends), Some(lock)),
            None => (Writer::forgetful(ends), None),
        };
        tell_of_environment();
        let record = lock.as_ref().and(folder.clone());
        let desktop = config.notifications.then(|| Desktop::start(control.downgrade(), record.clone())).flatten();
        let how_told = run::settings(&file, config.actions, &folder_of_board);
        let announcer = Announcer::new(how_told, desktop, config.sound, control.downgrade());
        let doors = Doors::new(clock);
        let onward = match run::onward(&file, config.trial.is_some()) {
            Some(settings) => {
                let (folder, control) = (record.clone(), control.downgrade());
                Some(Onward::start(settings, &doors, folder, alarms.beside(), control, clock).await)
            }
            None => None,
        };
        let (seeking, sought) = watched::channel(Sought::default());
        let reach = Reach {
            beside: folder_of_board,
            record,
            control: control.downgrade(),
            operator: config.operator,
            sought: seeking,
            observer: config.trial.map(|trial| trial.observer),
        };
        let parts = Parts {
            clock,
            board,
            file,
            settings: settings.clone(),
            begin,
            announcer,
            onward,
            actions: config.actions,
            reach,
            marks,
            told,
            runtime: tokio::runtime::Handle::current(),
            doors,
            steps,
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_BYTES_MAX as usize)),
            taken,
            alarms,
            stall,
            recorder: lock.is_some().then_some(recorder),
            metrics: Arc::clone(&metrics),
            data: data_lane,
            control: control_lane,
        };
        let threads = vec![
            start_board(parts)?,
            on_own_thread("record", move || packing.run())?,
            start_journal(writer, steps_lane, lock)?,
        ];
        let metrics_address = exporter.as_ref().and_then(Exporter::address);
        let mut tasks = Vec::new();
        tasks.extend(exporter.map(|exporter| Task::start(exporter.serve())));
        if let BoardInput::File(path) = config.board
            && !watch::is_read_once(&path)
        {
            let watcher = Watcher::new(path, name, Some(text), beside);
            let check = move |file: &BoardFile| settings.check(file).map_err(|error| error.to_string());
            tasks.push(Task::start(watcher.run(control.clone(), check)));
        }
        let threads = Mutex::new(threads);
        let inner = Inner { control, clock, metrics, metrics_address, folder, sought, threads, _tasks: tasks };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What changed after the version that the page has painted: at once if there is something, otherwise when there is,
    /// and after one second in any case. Asking is the receipt for `after`. `after` 0 or another revision than the board's gets
    /// everything.
    pub async fn next_frame(&self, after: u64, revision: u32) -> Frame {
        self.next_frame_on("".into(), after, revision).await
    }

    /// The same for the page on one of several glasses; an empty name is the first one's.
    pub async fn next_frame_on(&self, glass: Arc<str>, after: u64, revision: u32) -> Frame {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Pull(Pull { glass, after, revision, answer })).await;
        frames::answer(answered, after, revision, self.inner.clock.wall()).await
    }

    /// A receipt besides the pulls, for a page that paints and doesn't pull yet.
    pub async fn painted(&self, version: u64) {
        self.tell(Event::Painted { version }).await;
    }

    /// The operators' report (`docs/operations.md`): an object with `time`, `sources`, `widgets`, `notices` and `alarms`.
    /// Null once the engine has stopped.
    pub async fn report(&self) -> serde_json::Value {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Report { answer }).await;
        answered.await.unwrap_or(serde_json::Value::Null)
    }

    /// How long events took from their receipt to the receipt of the page that painted them, since the start. Empty once the
    /// engine has stopped.
    pub async fn glass_latency(&self) -> Latency {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Latency { answer }).await;
        answered.await.unwrap_or_default()
    }

    /// A page that held too much memory was replaced: counted for the operators.
    pub fn page_recycled(&self) {
        self.inner.metrics.page_recycled();
    }

    /// Where the metrics are offered: with port 0 asked for, the system's choice.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.inner.metrics_address
    }

    /// Shows a notice, or replaces the one of the same id.
    pub async fn set_notice(&self, notice: Notice) {
        self.tell(Event::Notice(notice)).await;
    }

    /// Takes a notice away.
    pub async fn clear_notice(&self, id: &'static str) {
        self.tell(Event::NoticeOver { id }).await;
    }

    /// Sources that were live and wait for their next try make it now: something that stood in their way is known to be gone.
    pub async fn try_now(&self) {
        self.tell(Event::TryNow).await;
    }

    /// Compares what is shown with what the servers hold now, for every source that is live. What differs is corrected,
    /// counted and logged.
    pub async fn reconcile(&self) {
        self.tell(Event::Reconcile).await;
    }

    /// Turns a page of the board on this glass, or pins one. A board of one page has none to turn.
    pub async fn turn(&self, glass: Arc<str>, gesture: Gesture) {
        self.tell(Event::Gesture { glass, gesture }).await;
    }

    /// Says which glasses there are beside the first, and what turns on them.
    pub async fn set_glasses(&self, glasses: Vec<GlassSpec>) {
        self.tell(Event::Glasses(glasses)).await;
    }

    /// Says what a sensor says of the room's light, which counts in place of the board's `night`; none if nothing tells.
    pub async fn set_dark(&self, dark: Option<bool>) {
        self.tell(Event::Dark(dark)).await;
    }

    /// What holds for the room now; none once the engine has stopped.
    pub async fn room(&self) -> Option<Room> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Room { answer }).await;
        answered.await.ok()
    }

    /// Rows of a table as they are now, for a hand; none if there is no such table.
    pub async fn rows(&self, query: RowsQuery) -> Option<RowsFound> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Rows { query, answer }).await;
        answered.await.ok().flatten()
    }

    /// All that there is of what a widget shows under a key, with the newest event of it that is kept. None if it shows no such thing.
    pub async fn detail(&self, widget: String, key: String) -> Option<Detail> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Subject { widget, key, answer }).await;
        let subject = answered.await.ok().flatten()?;
        let (folder, clock) = (self.inner.folder.clone(), self.inner.clock);
        tokio::task::spawn_blocking(move || desk::detail(folder.as_deref(), &subject, clock)).await.ok()
    }

    /// How all of the board is, in one line; none once the engine has stopped. As old as the answer, and not a moment longer true: who
    /// shows it for longer asks again, and says so if nothing answers (H1).
    pub async fn summary(&self) -> Option<Summary> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Summary { answer }).await;
        answered.await.ok()
    }

    /// How the wall stands; nothing of it once the engine has stopped.
    pub(crate) async fn standing(&self) -> Standing {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Standing { answer }).await;
        answered.await.unwrap_or_default()
    }

    /// The clock that everything here is measured by.
    pub(crate) fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// All that a lamp test is done to. None once the engine has stopped.
    pub(crate) async fn copied(&self) -> Option<Copied> {
        let (answer, answered) = oneshot::channel();
        self.tell(Event::Copy { answer }).await;
        answered.await.ok()
    }

    /// A lamp test is on the glass now, or no longer: what is recorded of the glass says so.
    pub(crate) async fn drills(&self, runs: bool) {
        self.tell(Event::Drill { runs }).await;
    }

    /// Counts how a step of a lamp test ended.
    pub(crate) fn count_drill_step(&self, verdict: Verdict) {
        self.inner.metrics.drill_step(verdict);
    }

    /// The page shows the past now, or the present again: what is recorded of the glass says so.
    pub async fn look_back(&self, looks: bool) {
        self.tell(Event::LookBack { looks }).await;
    }

    /// Returns when the engine has ended, by [`Engine::stop`] or by a defect in this program. Pages are told then that nothing
    /// is current any more, and nothing will be until another engine is started.
    pub async fn ended(&self) {
        self.inner.control.closed().await;
    }

    /// Stops sources, saves the board, and closes the journal; returns when all that is done, or after ten seconds if the disk
    /// doesn't answer. Calling it again does nothing.
    pub async fn stop(&self) {
        self.tell(Event::Stop).await;
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let (ended, end) = oneshot::channel();
        // Not the runtime's own: that one would wait for a stuck disk although this doesn't.
        let joining = thread::Builder::new().name("stop".into()).spawn(move || {
            for thread in threads {
                // How it ended was told when it did.
                let _panicked = thread.join();
            }
            let _nobody_waits = ended.send(());
        });
        if joining.is_err() || tokio::time::timeout(STOP_TIMEOUT, end).await.is_err() {
            tracing::warn!("the engine did not stop in time: the disk does not answer");
        }
    }

    /// Says something to the loop. If there is none any more, nobody has to hear it: who asked finds the answer dropped.
    async fn tell(&self, event: Event) {
        let _stopped = self.inner.control.send(event).await;
    }
}

impl BoardInput {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Packed { .. } | Self::Text { .. } => Path::new(""),
        }
    }

    /// The text of a file that the board names.
    fn beside(&self, folder: &Folder, name: &str) -> Result<String, String> {
        match self {
            Self::File(_) => folder.text(name),
            Self::Packed { files, .. } => {
                let found = files.iter().find(|(own, _)| *own == name);
                found
                    .map(|(_, text)| (*text).to_owned())
                    .ok_or_else(|| "no such file is part of the program".to_owned())
            }
            Self::Text { .. } => Err("there is no folder beside this text".to_owned()),
        }
    }
}

async fn read_board(board: &BoardInput) -> Result<(String, String), EngineError> {
    match board {
        BoardInput::Packed { name, text, .. } => Ok(((*name).to_owned(), (*text).to_owned())),
        BoardInput::Text { name, text } => Ok((name.clone(), text.clone())),
        BoardInput::File(path) => {
            let unreadable = |reason: String| EngineError::BoardUnreadable { path: path.clone(), reason };
            let why = |error: std::io::Error| unreadable(watch::why_unreadable(path, &error));
            let here = path.clone();
            let read = tokio::task::spawn_blocking(move || watch::read(&here)).await;
            let text = read.map_err(|error| unreadable(error.to_string()))?.map_err(why)?;
            Ok((path.display().to_string(), text))
        }
    }
}

async fn measure(address: Option<SocketAddr>, clock: Clock) -> Result<(Arc<Metrics>, Option<Exporter>), EngineError> {
    let Some(address) = address else { return Ok((Arc::new(Metrics::unread()), None)) };
    let refused = |reason: String| EngineError::MetricsAddress { address, reason };
    let metrics = Metrics::read().map_err(|error| refused(error.to_string()))?;
    let exporter = match metrics.handle() {
        Some(handle) => Some(Exporter::bind(address, handle, metrics.surveys(), clock).await?),
        None => None,
    };
    Ok((Arc::new(metrics), exporter))
}

/// What a start begins with.
struct Found {
    board: Board,
    begin: BTreeMap<String, Begin>,
    remembered: Option<Remembered>,
    /// What is known of the announcements of alarms that stand.
    marks: Vec<Mark>,
    /// When people were told something right before this.
    told: Vec<Timestamp>,
    notice: Option<Notice>,
}

struct Remembered {
    writer: Box<dyn FnOnce(Ends) -> Writer + Send>,
    lock: File,
}

/// The board as the data folder has it, or an empty one.
async fn find(folder: Option<PathBuf>, bounds: Bounds, file: BoardFile, clock: Clock) -> Result<Found, EngineError> {
    let Some(folder) = folder else {
        let board = Board::new(file, clock.now());
        let (marks, told) = (Vec::new(), Vec::new());
        return Ok(Found { board, begin: BTreeMap::new(), remembered: None, marks, told, notice: None });
    };
    let finding = tokio::task::spawn_blocking(move || {
        let lock = restore::lock(&folder)?;
        let restored = restore::restore(&folder, bounds, &file, clock)?;
        let begin = file.sources.iter().filter_map(|source| Some((source.id.clone(), restored.resume(&source.id)?)));
        let begin = begin.collect();
        let restore::Restored { board, journal, positions, marks, told, notice, .. } = restored;
        let writer = Box::new(move |ends| match journal {
            restore::Found::Writable(journal) => Writer::into(ends, journal, folder, positions, Pace::default()),
            restore::Found::Refused(journal) => {
                Writer::refused(ends, journal.as_ref(), folder, bounds, positions, Pace::default())
            }
        });
        Ok(Found { board, begin, remembered: Some(Remembered { writer, lock }), marks, told, notice })
    });
    finding.await.unwrap_or_else(|error| Err(EngineError::System { what: "a thread", reason: error.to_string() }))
}

/// The thread of the loop that owns the board. It has its own runtime, so that folding a flood delays nobody else's tasks.
fn start_board(parts: Parts) -> Result<thread::JoinHandle<()>, EngineError> {
    on_own_thread("board", move || async move {
        let (run, data, control) = Run::new(parts);
        run.run(data, control).await;
    })
}

/// The journal's thread. It holds the data folder until the journal is closed.
fn start_journal(
    writer: Writer,
    steps: Receiver<Step>,
    lock: Option<File>,
) -> Result<thread::JoinHandle<()>, EngineError> {
    on_own_thread("journal", move || async move {
        writer.run(steps).await;
        drop(lock);
    })
}

fn on_own_thread<W>(
    name: &'static str,
    work: impl FnOnce() -> W + Send + 'static,
) -> Result<thread::JoinHandle<()>, EngineError>
where
    W: Future<Output = ()>,
{
    let lacking = |error: std::io::Error| EngineError::System { what: name, reason: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(lacking)?;
    let run = move || {
        // Caught once, here. Who waits for this thread finds its queues closed, and pages get a notice.
        if catch_unwind(AssertUnwindSafe(|| runtime.block_on(work()))).is_err() {
            tracing::error!(thread = name, "a defect in this program stopped the engine");
        }
    };
    thread::Builder::new().name(name.into()).spawn(run).map_err(lacking)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: &str = include_str!("../../../tests/boards/counter.toml");

    /// H1, H4: a defect in the board's loop ends the engine visibly: who waits for that hears it, pages are told that nothing is
    /// current, and what the journal holds is there for the next start.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_defect_is_an_end_that_is_heard() {
        const PATIENCE: Duration = Duration::from_secs(20);
        let data = tempfile::tempdir().unwrap();
        let board = BoardInput::Text { name: "orders.toml".into(), text: BOARD.into() };
        let config = EngineConfig { data_dir: Some(data.path().into()), ..EngineConfig::new(board) };
        let engine = Engine::start(config.clone()).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), engine.ended()).await.is_err(), "it runs");
        let before = engine.next_frame(0, 0).await;
        engine.tell(Event::Defect).await;
        tokio::time::timeout(PATIENCE, engine.ended()).await.expect("the end is heard");
        let after = engine.next_frame(before.version, before.revision).await;
        assert!(after.notices.iter().any(|notice| notice.state == watchfloor_board::frame::State::Alarm), "{after:?}");
        tokio::time::timeout(PATIENCE, engine.stop()).await.expect("stopping what has ended");
        let again = Engine::start(config).await.expect("the folder is free again");
        again.stop().await;
    }
}
