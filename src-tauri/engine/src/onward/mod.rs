//! Alarms handed on: a webhook in Alertmanager's format.
//!
//! The record of alarms is the outbox: with it stands up to which entry the receiver has all. What is on record is handed on at least once
//! and in order, whatever happens in between, until it is a day old. What waits in memory is bounded; what has no room there is read from
//! the record when its turn comes.

mod message;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::{Receiver, Sender, WeakSender, channel},
        watch,
    },
    task::spawn_blocking,
    time::{Instant, sleep, sleep_until},
};
use url::Url;
use watchfloor_board::{
    alarm::Change,
    config::spec::{ProxySpec, SecretSpec, TlsSpec},
    frame::{Notice, State},
};

use self::message::Item;
use crate::{
    clock::Clock,
    event::Event,
    journal::{
        FILE_NAME, JournalError,
        alarms::{AlarmWork, HandOver},
        table::alarm,
        unwritten,
    },
    secrets,
    transport::{Doors, Elsewhere, Posted, Route, Task},
};

/// Id of the notice about alarms that can't be handed on.
pub(crate) const NOTICE: &str = "onward";
/// What is older isn't handed on any more.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// What waits in memory at most.
const QUEUE_MAX: usize = 2000;
/// Hand-overs of the loop's that wait to be taken.
const TOLD_MAX: usize = 64;
/// Characters at most of where a receiver says that it has gone.
const ORIGIN_MAX: usize = 100;
/// Entries read from the record at once.
const READ_MAX: u32 = 500;
/// A record that can't be read is tried again after this.
const READ_RETRY: Duration = Duration::from_secs(5);

/// Where alarms are handed on to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The receiver's name: under it stands what it has.
    pub(crate) receiver: Arc<str>,
    /// Its address. It may hold a secret, and is told nowhere.
    pub(crate) url: Url,
    /// Where the token is kept that is shown to it as a bearer.
    pub(crate) bearer: Option<SecretSpec>,
    /// Whom to trust.
    pub(crate) tls: TlsSpec,
    /// The proxy.
    pub(crate) proxy: Option<ProxySpec>,
    /// What the board is called: the same on every wall that shows it.
    pub(crate) board: String,
    /// Labels of all alarms besides their own.
    pub(crate) labels: BTreeMap<String, String>,
    /// Where people find this wall, if anywhere.
    pub(crate) external_url: String,
    /// What people call the rules, by their ids.
    pub(crate) rules: BTreeMap<String, Told>,
    /// How patient it is.
    pub(crate) pace: Pace,
    /// Whether somebody wants to hear what came of each message.
    pub(crate) is_observed: bool,
}

/// What is told of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) title: String,
    pub(crate) advice: Option<String>,
}

/// What came of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    /// Alarms in it.
    pub(crate) count: usize,
    /// The HTTP status, or why there is none.
    pub(crate) answer: Result<u16, String>,
}

/// How patient the sender is. Tests are less so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// An answer takes no longer.
    pub(crate) answer: Duration,
    /// After the first failure it waits at most this long, then twice, and so on …
    pub(crate) retry_min: Duration,
    /// … up to this.
    pub(crate) retry_max: Duration,
    /// A receiver that has failed for so long is told of.
    pub(crate) tell_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { answer: seconds(10), retry_min: seconds(1), retry_max: seconds(300), tell_after: seconds(60) }
    }
}

/// The loop's end.
#[derive(Debug)]
pub(crate) struct Onward {
    lane: Sender<Vec<Item>>,
    /// Whether something had no room: then it is read from the record, and so is what follows.
    is_behind: Arc<AtomicBool>,
    settings: Arc<Settings>,
    changed: watch::Sender<Arc<Settings>>,
    _task: Task,
}

impl Onward {
    /// Begins to hand on what the receiver hasn't got of the record in `folder`, and all that comes. `journal` is the way to the journal's
    /// writer: nothing else may have been handed to it before.
    pub(crate) async fn start(
        settings: Settings,
        doors: &Arc<Doors>,
        folder: Option<PathBuf>,
        journal: Sender<HandOver>,
        control: WeakSender<Event>,
        clock: Clock,
    ) -> Self {
        let (onward, mut sending) = Self::make(settings, doors, folder, journal, control, clock);
        sending.begin().await;
        onward.run(sending.run())
    }

    /// The same in the middle of a run: what is recorded until it has begun is read from the record. To be called on a runtime.
    pub(crate) fn start_later(
        settings: Settings,
        doors: &Arc<Doors>,
        folder: Option<PathBuf>,
        journal: Sender<HandOver>,
        control: WeakSender<Event>,
        clock: Clock,
    ) -> Self {
        let (onward, mut sending) = Self::make(settings, doors, folder, journal, control, clock);
        onward.run(async move {
            sending.begin().await;
            sending.run().await;
        })
    }

    fn make(
        settings: Settings,
        doors: &Arc<Doors>,
        folder: Option<PathBuf>,
        journal: Sender<HandOver>,
        control: WeakSender<Event>,
        clock: Clock,
    ) -> (Beginning, Sending) {
        let (lane, told) = channel(TOLD_MAX);
        let (settings, is_behind) = (Arc::new(settings), Arc::new(AtomicBool::new(true)));
        let (changed, changes) = watch::channel(Arc::clone(&settings));
        let doors = doors.by(&Route::through(settings.tls.clone(), settings.proxy.clone()));
        let sending = Sending {
            settings: Arc::clone(&settings),
            changes,
            doors,
            folder,
            journal,
            control,
            clock,
            told,
            is_behind: Arc::clone(&is_behind),
            queue: VecDeque::new(),
            upto: 0,
            failed: None,
            is_told: false,
        };
        (Beginning { lane, is_behind, settings, changed }, sending)
    }

    /// The board says otherwise now: what the receiver hasn't got goes where it says, and at once.
    pub(crate) fn set(&mut self, settings: Settings) {
        self.settings = Arc::new(settings);
        // Who is gone sends nothing.
        let _gone = self.changed.send(Arc::clone(&self.settings));
    }

    /// What was recorded, in order. Never waits.
    pub(crate) fn handle_recorded(&self, changes: &[Change]) {
        // Behind what is still to be read nothing may come first.
        if self.is_behind.load(Ordering::SeqCst) {
            return;
        }
        let items: Vec<Item> = changes.iter().filter_map(|change| message::item(change, &self.settings)).collect();
        if !items.is_empty() && self.lane.try_send(items).is_err() {
            self.is_behind.store(true, Ordering::SeqCst);
        }
    }
}

/// The loop's end, before there is another one.
struct Beginning {
    lane: Sender<Vec<Item>>,
    is_behind: Arc<AtomicBool>,
    settings: Arc<Settings>,
    changed: watch::Sender<Arc<Settings>>,
}

impl Beginning {
    fn run(self, work: impl Future<Output = ()> + Send + 'static) -> Onward {
        let Self { lane, is_behind, settings, changed } = self;
        Onward { lane, is_behind, settings, changed, _task: Task::start(work) }
    }
}

/// A row of failures.
#[derive(Clone, Copy, Debug)]
struct Failed {
    since: Instant,
    count: u32,
    retry_at: Instant,
}

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Taken,
    /// It will never be.
    Refused(String),
    Failed {
        reason: String,
        after: Option<Duration>,
    },
}

/// Where a receiver has gone, in words. What is to be told to one isn't told to whom it names: that is for people to decide, who know whom they
/// trust. Its path isn't said, as it may hold a secret.
fn moved(given: &Posted) -> Option<String> {
    let status = given.status;
    Some(match given.elsewhere.as_ref()? {
        Elsewhere::Origin(origin) => {
            let origin: String = origin.chars().take(ORIGIN_MAX).collect();
            format!("sent elsewhere (HTTP {status}), to {origin}: set the new address")
        }
        Elsewhere::Path => format!("sent elsewhere (HTTP {status}), to another path there: set the new address"),
        Elsewhere::Nowhere => format!("sent elsewhere (HTTP {status}), to what is no address"),
    })
}

/// The sender.
struct Sending {
    settings: Arc<Settings>,
    /// The board's newest word.
    changes: watch::Receiver<Arc<Settings>>,
    doors: Arc<Doors>,
    folder: Option<PathBuf>,
    journal: Sender<HandOver>,
    control: WeakSender<Event>,
    clock: Clock,
    told: Receiver<Vec<Item>>,
    is_behind: Arc<AtomicBool>,
    queue: VecDeque<Item>,
    /// Number of the newest that is in the queue, or was.
    upto: u64,
    failed: Option<Failed>,
    is_told: bool,
}

impl Sending {
    /// Where this receiver stands. One that was never told anything begins with what comes from now on.
    async fn begin(&mut self) {
        let Some(folder) = self.folder.clone() else {
            self.is_behind.store(false, Ordering::SeqCst);
            return;
        };
        let receiver = Arc::clone(&self.settings.receiver);
        let place = spawn_blocking(move || {
            let connection = unwritten::ours(&folder.join(FILE_NAME))?;
            if !alarm::is_there(&connection)? {
                return Ok((None, 0));
            }
            let newest = u64::try_from(alarm::held(&connection)?.newest).unwrap_or(0);
            Ok::<_, JournalError>((alarm::onward(&connection, &receiver)?, newest))
        });
        match place.await {
            Ok(Ok((Some(number), newest))) => self.upto = number.min(newest),
            Ok(Ok((None, newest))) => {
                self.upto = newest;
                self.note(newest).await;
            }
            Ok(Err(error)) => tracing::warn!(reason = %error, "up to where alarms were handed on can't be read"),
            Err(_) => tracing::error!("reading up to where alarms were handed on failed"),
        }
    }

    /// The receiver has all up to this entry.
    async fn note(&self, number: u64) {
        let receiver = Arc::clone(&self.settings.receiver);
        // Who is gone keeps nothing.
        let over = HandOver { turn: None, work: AlarmWork::Onward { receiver, number } };
        let _gone = self.journal.send(over).await;
    }

    async fn run(mut self) {
        loop {
            if self.queue.is_empty() && self.is_behind.load(Ordering::SeqCst) {
                self.read().await;
            }
            self.give_up_old().await;
            let retry_at = self.failed.map(|failed| failed.retry_at);
            if !self.queue.is_empty() && retry_at.is_none_or(|at| at <= Instant::now()) {
                self.send().await;
                continue;
            }
            // What comes behind something that is still to be read is read as well.
            let is_next = self.folder.is_none() || !self.is_behind.load(Ordering::SeqCst);
            let has_room = self.queue.len() < QUEUE_MAX && (is_next || self.queue.is_empty());
            let wake = retry_at.filter(|_| !self.queue.is_empty());
            let wake = wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                items = self.told.recv(), if has_room => match items {
                    Some(items) => self.take(items),
                    None => return,
                },
                changed = self.changes.changed() => match changed {
                    Ok(()) => self.change().await,
                    Err(_) => return,
                },
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Another address may answer where this one didn't.
    async fn change(&mut self) {
        self.settings = Arc::clone(&self.changes.borrow_and_update());
        self.failed = None;
        self.untell().await;
    }

    fn take(&mut self, items: Vec<Item>) {
        for item in items {
            // What was read from the record as well comes but once.
            if item.number > self.upto {
                self.upto = item.number;
                self.queue.push_back(item);
            }
        }
    }

    /// Reads what had no room. What is told from then on is behind all of it, or among it.
    async fn read(&mut self) {
        let Some(folder) = self.folder.clone() else {
            tracing::warn!("more alarms than can wait: some are not handed on, as nothing is remembered");
            self.is_behind.store(false, Ordering::SeqCst);
            return;
        };
        loop {
            // Before the look: what is committed after it is told.
            self.is_behind.store(false, Ordering::SeqCst);
            let (path, after) = (folder.join(FILE_NAME), self.upto);
            let read = spawn_blocking(move || {
                let connection = unwritten::ours(&path)?;
                if alarm::is_there(&connection)? {
                    alarm::some_after(&connection, after, READ_MAX)
                } else {
                    Ok((Vec::new(), None))
                }
            });
            let read: Result<(Vec<Change>, Option<u64>), JournalError> =
                read.await.unwrap_or_else(|_| Ok((Vec::new(), None)));
            let (changes, upto) = match read {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(reason = %error, "what is to be handed on of alarms can't be read");
                    self.is_behind.store(true, Ordering::SeqCst);
                    sleep(self.settings.pace.retry_max.min(READ_RETRY)).await;
                    return;
                }
            };
            for change in &changes {
                self.upto = self.upto.max(change.number);
                self.queue.extend(message::item(change, &self.settings));
            }
            let Some(upto) = upto else { return };
            self.upto = self.upto.max(upto);
            // There is more, and what was told meanwhile is among it.
            self.is_behind.store(true, Ordering::SeqCst);
            if !self.queue.is_empty() {
                return;
            }
        }
    }

    /// What is too old is no news to anybody.
    async fn give_up_old(&mut self) {
        let before = self.clock.wall().minus(KEPT_FOR);
        let mut last = None;
        let mut count = 0;
        while let Some(number) = self.queue.front().filter(|item| item.decided < before).map(|item| item.number) {
            self.queue.pop_front();
            (last, count) = (Some(number), count + 1);
        }
        if let Some(number) = last {
            tracing::warn!(receiver = %self.settings.receiver, count, "alarms of more than a day ago were not handed on");
            self.note(number).await;
        }
    }

    async fn send(&mut self) {
        let Some((text, count)) = message::message(&self.queue, &self.settings) else { return };
        let (outcome, answer) = self.attempt(text).await;
        if self.settings.is_observed
            && let Some(control) = self.control.upgrade()
        {
            let _gone = control.send(Event::HandedOn(Handed { count, answer })).await;
        }
        match outcome {
            Outcome::Taken => self.handle_done(count).await,
            Outcome::Refused(reason) => {
                tracing::error!(receiver = %self.settings.receiver, reason, count, "alarms were refused, and are not handed on");
                self.tell(format!("refused: {reason}")).await;
                self.is_told = false;
                self.pop(count).await;
            }
            Outcome::Failed { reason, after } => self.handle_failed(reason, after).await,
        }
    }

    async fn attempt(&self, text: String) -> (Outcome, Result<u16, String>) {
        let failed = |reason: String| (Outcome::Failed { reason: reason.clone(), after: None }, Err(reason));
        let secret = match &self.settings.bearer {
            None => None,
            Some(place) => match secrets::read(place).await {
                Ok(secret) => Some(secret),
                Err(fault) => return failed(fault.text),
            },
        };
        let (url, pace) = (self.settings.url.clone(), self.settings.pace);
        match self.doors.post_json(url, text.into(), secret.as_ref(), pace.answer).await {
            Err(fault) => failed(fault.to_string()),
            Ok(given) => match moved(&given) {
                Some(reason) => (Outcome::Failed { reason: reason.clone(), after: given.retry_after }, Err(reason)),
                None => {
                    let outcome = match given.status {
                        200..=299 => Outcome::Taken,
                        // The message itself is none to it: no other attempt is any better.
                        400 | 413 | 422 => Outcome::Refused(format!("HTTP status {}", given.status)),
                        status => Outcome::Failed { reason: format!("HTTP status {status}"), after: given.retry_after },
                    };
                    (outcome, Ok(given.status))
                }
            },
        }
    }

    async fn pop(&mut self, count: usize) {
        let mut last = None;
        for item in self.queue.drain(..count.min(self.queue.len())) {
            last = Some(item.number);
        }
        if let Some(number) = last {
            self.note(number).await;
        }
    }

    async fn handle_done(&mut self, count: usize) {
        self.pop(count).await;
        self.failed = None;
        self.untell().await;
    }

    async fn untell(&mut self) {
        if std::mem::take(&mut self.is_told)
            && let Some(control) = self.control.upgrade()
        {
            let _gone = control.send(Event::NoticeOver { id: NOTICE }).await;
        }
    }

    async fn handle_failed(&mut self, reason: String, after: Option<Duration>) {
        let (now, pace) = (Instant::now(), self.settings.pace);
        let (since, count) = self.failed.map_or((now, 0), |failed| (failed.since, failed.count));
        let longest = pace.retry_min.saturating_mul(1 << count.min(16)).min(pace.retry_max);
        // Somewhere in its later half: who failed together doesn't come back together.
        let wait = longest
            .mul_f64(f64::midpoint(1.0, rand::random::<f64>()))
            .max(after.unwrap_or_default().min(pace.retry_max));
        tracing::warn!(receiver = %self.settings.receiver, reason, wait_ms = wait.as_millis() as u64, "alarms can't be handed on");
        self.failed = Some(Failed { since, count: count.saturating_add(1), retry_at: now + wait });
        if now.duration_since(since) >= pace.tell_after {
            self.tell(reason).await;
        }
    }

    async fn tell(&mut self, reason: String) {
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let text = format!("Alarms can't be handed on to {}", self.settings.receiver);
        let detail = vec![reason, "They are kept, and tried again for a day.".to_owned()];
        if let Some(control) = self.control.upgrade() {
            let _gone = control.send(Event::Notice(Notice::worded(NOTICE, State::Warning, text, detail))).await;
        }
    }
}
