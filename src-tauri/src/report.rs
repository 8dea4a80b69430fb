//! The pages about what is over: the record of alarms, its figures, and what changed since somebody looked away.
//!
//! Each question is read from the journal by a connection of its own, on a thread that nobody waits for. Who asks anew doesn't want to know the
//! older answer any more.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tauri::State;
use tokio::sync::watch;
use watchfloor_board::{
    alarm::{AlarmKey, report::AlarmReport},
    frame::{AlarmName, AlarmRecordPage, AlarmRecordQuery, Since, SinceMoments},
};
use watchfloor_engine::{
    Engine,
    record::{self, RecordError, RecordQuery},
    since,
};
use watchfloor_model::Timestamp;

use crate::page::Page;

/// What is rejected says this if somebody has asked anew.
const SUPERSEDED: &str = "superseded";
/// An answer that grows is told after so long at the latest.
const TOLD_AFTER: Duration = Duration::from_millis(500);
/// Who doesn't ask on for so long doesn't want to know any more.
const WANTED_FOR: Duration = Duration::from_secs(10);

type Answer<T> = Result<T, String>;

/// What is being read.
pub(crate) struct Reports {
    data_dir: PathBuf,
    reports: Arc<Newest>,
    pages: Arc<Newest>,
    since: Mutex<Option<Growing>>,
}

/// Which question is the newest of its kind.
#[derive(Debug, Default)]
struct Newest(AtomicU64);

impl Newest {
    /// A new question: says whether it still is the newest.
    fn ask(self: &Arc<Self>) -> impl Fn() -> bool + Send + use<> {
        let (own, number) = (Arc::clone(self), self.0.fetch_add(1, Ordering::Relaxed) + 1);
        move || own.0.load(Ordering::Relaxed) == number
    }
}

/// An answer that grows.
#[derive(Clone)]
struct Growing {
    from_ms: i64,
    answers: watch::Receiver<Option<Answer<Since>>>,
    /// When somebody asked for it last; none if nobody wants to know any more.
    asked: Arc<Mutex<Option<Instant>>>,
}

impl Growing {
    /// Begins to read.
    fn begin(data_dir: PathBuf, from_ms: i64) -> Self {
        let (tell, answers) = watch::channel(None);
        let asked = Arc::new(Mutex::new(Some(Instant::now())));
        let own = Self { from_ms, answers, asked: Arc::clone(&asked) };
        tokio::task::spawn_blocking(move || {
            let wanted = || {
                let asked = *asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.is_some_and(|asked| asked.elapsed() < WANTED_FOR)
            };
            let mut version = 0;
            let mut numbered = |own: Since| {
                version += 1;
                tell.send_replace(Some(Ok(Since { version, ..own })));
            };
            let from = Timestamp::from_millis(from_ms);
            match since::since(&data_dir, from, now(), &wanted, &mut numbered) {
                Ok(own) => numbered(own),
                Err(error) => {
                    tell.send_replace(Some(Err(error.to_string())));
                }
            }
        });
        own
    }

    /// Nobody wants to know any more.
    fn end(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The answer after version `after`, or after a while the newest one.
    async fn next(mut self, after: u64) -> Answer<Since> {
        {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(asked) = asked.as_mut() else { return Err(SUPERSEDED.to_owned()) };
            *asked = Instant::now();
        }
        let is_newer = |answer: &Option<Answer<Since>>| match answer {
            Some(Ok(own)) => own.version > after || own.done,
            Some(Err(_)) => true,
            None => false,
        };
        // The first answer is waited for.
        let first = self.answers.wait_for(Option::is_some).await.map(|_| ());
        if first.is_ok() {
            // In the end, and where nobody reads any more, the newest one is as good.
            let _ended = tokio::time::timeout(TOLD_AFTER, self.answers.wait_for(is_newer)).await.map(|_| ());
        }
        let newest = self.answers.borrow().clone();
        newest.unwrap_or_else(|| Err(SUPERSEDED.to_owned()))
    }
}

impl Reports {
    /// Nothing is read yet.
    pub(crate) fn new(data_dir: PathBuf) -> Self {
        Self { data_dir, reports: Arc::default(), pages: Arc::default(), since: Mutex::new(None) }
    }

    /// The answer that grows for this moment: that which is read already, or a new one.
    fn growing(&self, from_ms: i64, after: u64) -> Growing {
        let mut held = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.as_ref().filter(|own| after > 0 && own.from_ms == from_ms) {
            return own.clone();
        }
        let own = Growing::begin(self.data_dir.clone(), from_ms);
        if let Some(before) = held.replace(own.clone()) {
            before.end();
        }
        own
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Reads beside everything else.
async fn read<T: Send + 'static>(read: impl FnOnce() -> Result<T, RecordError> + Send + 'static) -> Answer<T> {
    match tokio::task::spawn_blocking(read).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// The standard's figures from `from_ms` until before `to_ms`; thirty days up to now if nothing else is asked for.
#[tauri::command]
pub(crate) async fn alarm_report(
    page: State<'_, Page>,
    reports: State<'_, Reports>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
) -> Answer<AlarmReport> {
    let (data_dir, wanted) = (reports.data_dir.clone(), reports.reports.ask());
    let engine = page.engine().await?;
    let from = from_ms.map(Timestamp::from_millis);
    let to = to_ms.map_or_else(now, Timestamp::from_millis);
    let mut report = read(move || record::report(&data_dir, from, to, &wanted)).await?;
    let called = engine.called(report.keys().map(str::to_owned).collect()).await;
    since::overlay(&mut report.names, called.alarms);
    Ok(report)
}

/// Some entries of the record of alarms, the newest first.
#[tauri::command]
pub(crate) async fn alarm_record(
    page: State<'_, Page>,
    reports: State<'_, Reports>,
    query: AlarmRecordQuery,
) -> Answer<AlarmRecordPage> {
    let (data_dir, wanted) = (reports.data_dir.clone(), reports.pages.ask());
    let engine = page.engine().await?;
    let limit = query.limit as usize;
    let query = asked(query);
    let found = read(move || record::page(&data_dir, &query, limit, &wanted)).await?;
    let keys = found.entries.iter().map(|entry| entry.key().to_string()).collect();
    let titled = found.entries.iter().filter_map(|entry| Some((entry.key().to_string(), entry.title.clone()?)));
    let mut names: BTreeMap<String, AlarmName> =
        titled.map(|(key, title)| (key, AlarmName { title, ..AlarmName::default() })).collect();
    since::overlay(&mut names, engine.called(keys).await.alarms);
    Ok(AlarmRecordPage {
        entries: found.entries,
        more: found.more,
        begin_ms: found.begin.map(Timestamp::as_millis),
        names,
    })
}

fn asked(query: AlarmRecordQuery) -> RecordQuery {
    let key = query.key.as_deref().map(AlarmKey::read);
    RecordQuery {
        from: query.from_ms.map(Timestamp::from_millis),
        to: query.to_ms.map(Timestamp::from_millis),
        priority: query.priority,
        of: key.as_ref().filter(|key| !key.of.is_empty()).map(|key| key.of.to_string()),
        rule: key.map(|key| key.rule.to_string()),
        state: query.state,
        before: query.before,
    }
}

/// What changed since a moment: the answer after version `after`, as far as it is read; from the beginning if that is 0.
#[tauri::command]
pub(crate) async fn since(
    page: State<'_, Page>,
    reports: State<'_, Reports>,
    from_ms: i64,
    after: u64,
) -> Answer<Since> {
    let engine = page.engine().await?;
    let mut own = reports.growing(from_ms, after).next(after).await?;
    name(&mut own, &engine).await;
    Ok(own)
}

async fn name(own: &mut Since, engine: &Engine) {
    let called = engine.called(since::keys(own)).await;
    since::name(own, &called);
}

/// Moments that somebody may mean who asks what changed since; `name` is his.
#[tauri::command]
pub(crate) async fn since_moments(
    page: State<'_, Page>,
    reports: State<'_, Reports>,
    name: Option<String>,
) -> Answer<SinceMoments> {
    let data_dir = reports.data_dir.clone();
    let called = page.engine().await?.called(Vec::new()).await;
    let zone = called.timezone.clone();
    let mut found = read(move || since::moments(&data_dir, name.as_deref(), &zone, now())).await?;
    since::name_moments(&mut found, &called);
    Ok(found)
}
