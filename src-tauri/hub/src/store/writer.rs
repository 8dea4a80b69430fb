//! The store's thread: takes what waits, writes it in one transaction, and says that it is kept.
//!
//! What comes while a transaction is under way goes into the next, so the more publishers there are, the fewer transactions an event
//! costs. Where nobody waits, events of `fast` channels gather for some time. If the disk refuses, what was taken is offered again until it
//! is kept; if the file is gone or damaged, another is begun, and written from what is in memory.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use watchfloor_board::config::spec::FoldSpec;

use super::{Batch, File, StoreConfig, StoreError, place};
use crate::{
    clock::Clocks,
    hub::{log, new_epoch},
    limits,
    rules::Rules,
    state::{Resuming, State, StateLimits},
    wake::Wakers,
};

/// How often the end is tried if the disk refuses.
const LAST_TRIES: u32 = 3;

/// How far the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Everything up to this number is kept.
    pub(crate) kept: u64,
    /// Nothing is, at present.
    pub(crate) fails: bool,
}

/// When the thread has to write.
#[derive(Debug, Default)]
struct Asked {
    due: Option<Instant>,
    ends: bool,
}

#[derive(Debug, Default)]
struct Signals {
    asked: Mutex<Asked>,
    changed: Condvar,
}

impl Signals {
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, due: Instant) {
        let mut asked = self.lock();
        if asked.due.is_none_or(|before| due < before) {
            asked.due = Some(due);
            self.changed.notify_one();
        }
    }

    /// Waits until it is time, at the latest `until`. Says whether it is the end.
    fn wait(&self, until: Instant) -> bool {
        let mut asked = self.lock();
        loop {
            let now = Instant::now();
            let due = asked.due.map_or(until, |due| due.min(until));
            if asked.ends || due <= now {
                asked.due = None;
                return asked.ends;
            }
            asked = self.changed.wait_timeout(asked, due - now).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a while, or for the end.
    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut asked = self.lock();
        while !asked.ends && Instant::now() < until {
            asked = self.changed.wait_timeout(asked, until - Instant::now()).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The store of a hub that runs. When it is dropped, what waits is written and all is put in order for the next start.
#[derive(Debug)]
pub(crate) struct Store {
    signals: Arc<Signals>,
    thread: Option<JoinHandle<()>>,
    progress: watch::Receiver<Progress>,
}

/// What a start found.
pub(crate) struct Opened {
    pub(crate) state: State,
    folder: PathBuf,
    file: File,
    lock: fs::File,
}

impl Opened {
    /// Takes a folder, and up what is in it. A damaged file is set aside and a new history begun.
    ///
    /// # Errors
    /// If another process has the folder, or it can't be written.
    pub(crate) fn new(
        config: &StoreConfig,
        rules: Rules,
        limits: StateLimits,
        specs: &[FoldSpec],
        clocks: &Clocks,
    ) -> Result<Self, StoreError> {
        let folder = config.folder.clone();
        let lock = place::lock(&folder)?;
        let resume = |file: &File| resume(file, rules.clone(), limits.clone(), specs, clocks);
        let begun = File::open(&folder).and_then(|file| {
            let state = resume(&file)?;
            // Whatever becomes of the history, they stand.
            let stands = file.revocations()?;
            Ok((file, state, stands))
        });
        let (mut file, state, stands) = match begun {
            Err(error) if error.is_damage() => {
                let (file, aside) = File::replace(&folder, clocks.now().wall)?;
                tracing::error!(
                    reason = %error, aside = %aside.display(),
                    "the store is damaged: it is set aside, and a new history begins with nothing, revocations neither"
                );
                (file, None, Vec::new())
            }
            begun => begun?,
        };
        let mut state = state.unwrap_or_else(|| {
            let mut state = State::new(new_epoch(), limits.clone(), specs.to_vec(), clocks.now());
            state.be_kept(rules.clone());
            state
        });
        state.stand_again(stands, clocks.now());
        // Nobody is told of anything that the next start might not know.
        if let Some(batch) = state.take_batch(true, false, clocks.now()) {
            file.commit(&batch)?;
            state.keep(batch.serial);
        }
        Ok(Self { state, folder, file, lock })
    }
}

fn resume(
    file: &File,
    rules: Rules,
    limits: StateLimits,
    specs: &[FoldSpec],
    clocks: &Clocks,
) -> Result<Option<State>, StoreError> {
    file.check()?;
    let Some(loaded) = file.load()? else { return Ok(None) };
    let newest = file.newest()?;
    let was_set = loaded.basis.clock.is_some();
    if let Some(newest) = newest {
        clocks.be_after(newest);
    }
    let now = clocks.now();
    if newest.is_some_and(|newest| newest > now.wall) && !was_set {
        tracing::warn!("the clock was set back by more than a day since the hub ran last: a new history begins");
        return Ok(None);
    }
    let mut resuming = Resuming::new(loaded, limits, specs.to_vec(), rules, now);
    file.events(|stored| resuming.take(stored))?;
    Ok(Some(resuming.finish()))
}

impl Store {
    /// Begins to write what `state` has for it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(
        file: (PathBuf, File, fs::File),
        state: Arc<Mutex<State>>,
        wakers: Arc<Wakers>,
        clocks: Arc<Clocks>,
    ) -> Result<Self, StoreError> {
        let (folder, file, lock) = file;
        let signals = Arc::new(Signals::default());
        let kept = state.lock().unwrap_or_else(PoisonError::into_inner).kept();
        let (told, progress) = watch::channel(Progress { kept, fails: false });
        let writer = Writer {
            signals: signals.clone(),
            state,
            wakers,
            clocks,
            told,
            folder,
            file: Some(file),
            checkpoint: Due::default(),
            reserves: false,
            _lock: lock,
        };
        let thread = thread::Builder::new().name("store".into()).spawn(move || writer.run())?;
        Ok(Self { signals, thread: Some(thread), progress })
    }

    /// There is something to write; at once if somebody waits for it.
    pub(crate) fn ask(&self, at_once: bool) {
        let wait = if at_once { Duration::ZERO } else { limits::FAST_GATHER };
        self.signals.ask(Instant::now() + wait);
    }

    /// How far it is, to be waited for.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// How far it is.
    pub(crate) fn now(&self) -> Progress {
        *self.progress.borrow()
    }
}

impl Opened {
    /// Its parts: the state, and what [`Store::start`] wants.
    pub(crate) fn parts(self) -> (State, (PathBuf, File, fs::File)) {
        let Self { state, folder, file, lock } = self;
        (state, (folder, file, lock))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.signals.lock().ends = true;
        self.signals.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // What it had to say is in the log.
            let _ = thread.join();
        }
    }
}

/// When the aggregates are to be written.
#[derive(Debug)]
struct Due {
    last: Instant,
    /// Bytes of events since.
    bytes: usize,
    /// What they take themselves.
    own: usize,
    changed: bool,
}

impl Default for Due {
    fn default() -> Self {
        Self { last: Instant::now(), bytes: 0, own: 0, changed: false }
    }
}

impl Due {
    fn is_now(&self) -> bool {
        self.changed
            && (self.last.elapsed() >= limits::CHECKPOINT_PERIOD
                || self.bytes >= limits::CHECKPOINT_BYTES.max(4 * self.own))
    }

    fn written(&mut self, batch: &Batch) {
        if let Some(checkpoint) = &batch.checkpoint {
            let own = checkpoint.aggregates.iter().map(|kept| kept.state.get().len()).sum();
            *self = Self { own, ..Self::default() };
            return;
        }
        let weight = |write: &super::Write| if let super::Write::Event(stored) = write { stored.line.len() } else { 0 };
        self.bytes += batch.writes.iter().map(weight).sum::<usize>();
        self.changed = true;
    }
}

struct Writer {
    signals: Arc<Signals>,
    state: Arc<Mutex<State>>,
    wakers: Arc<Wakers>,
    clocks: Arc<Clocks>,
    told: watch::Sender<Progress>,
    folder: PathBuf,
    /// None while it can't be opened.
    file: Option<File>,
    checkpoint: Due,
    /// Whether there are offsets to be given back.
    reserves: bool,
    _lock: fs::File,
}

impl Writer {
    fn run(mut self) {
        loop {
            let until = self.checkpoint.last + limits::CHECKPOINT_PERIOD;
            let until = if self.checkpoint.changed { until } else { Instant::now() + limits::CHECKPOINT_PERIOD };
            let until = if self.reserves { until.min(Instant::now() + limits::RESERVE_QUIET) } else { until };
            let ends = self.signals.wait(until);
            if let Some(batch) = self.take(ends) {
                self.write(batch);
            }
            if ends {
                return;
            }
        }
    }

    /// The state, if nobody has broken it.
    fn state(&self) -> Option<MutexGuard<'_, State>> {
        self.state.lock().ok()
    }

    fn take(&mut self, is_last: bool) -> Option<Batch> {
        let now = self.clocks.now();
        let with_checkpoint = self.checkpoint.is_now();
        let mut state = self.state.lock().ok()?;
        self.reserves = state.give_back(now.mono);
        if !state.has_news() && !with_checkpoint && !is_last {
            return None;
        }
        state.take_batch(with_checkpoint, is_last, now)
    }

    /// Writes a batch until it is kept.
    fn write(&mut self, mut batch: Batch) {
        let mut tries = 0;
        loop {
            let written = match &mut self.file {
                Some(file) => file.commit(&batch),
                None => self.open(&mut batch),
            };
            match written {
                Ok(()) => return self.kept(&batch),
                Err(error) => self.failed(&error, tries),
            }
            self.file = None;
            tries += 1;
            if batch.is_last && tries >= LAST_TRIES {
                tracing::error!(
                    "the hub ends without having written everything: what is missing is told of at the next start"
                );
                return;
            }
            self.signals.pause(limits::STORE_RETRY);
            if !batch.is_last && self.signals.lock().ends {
                // What is still offered goes with the last one.
                if let Some(mut state) = self.state() {
                    state.begin_store_anew();
                }
                return;
            }
        }
    }

    fn failed(&self, error: &StoreError, tries: u32) {
        if tries.is_power_of_two() || tries == 0 {
            tracing::error!(reason = %error, tries = tries + 1, "the store can't be written: nothing more is taken until it can");
        }
        if let Some(mut state) = self.state() {
            state.store_fails(true);
        }
        self.told.send_modify(|progress| progress.fails = true);
    }

    /// Opens the file again and brings the batch to it. If it isn't as it was left, it is written from memory.
    fn open(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let now = self.clocks.now();
        let opened = File::open(&self.folder).and_then(|file| {
            let kept = file.kept()?;
            Ok((file, kept))
        });
        let (mut file, kept) = match opened {
            Err(error) if error.is_damage() => {
                let (file, aside) = File::replace(&self.folder, now.wall)?;
                tracing::error!(reason = %error, aside = %aside.display(), "the store is damaged: it is set aside, and written anew from memory");
                (file, None)
            }
            opened => opened?,
        };
        let (epoch, before) = {
            let Some(state) = self.state() else { return Ok(()) };
            (state.ledger().epoch().clone(), state.kept())
        };
        match kept {
            // It was kept although the disk said something else.
            Some((found, serial))
                if *found == *epoch && serial == batch.serial && batch.begins.is_none() && serial > before => {}
            Some((found, serial)) if *found == *epoch && serial == before && batch.begins.is_none() => {
                file.commit(batch)?;
            }
            _ => {
                let anew = self.state().and_then(|mut state| {
                    state.begin_store_anew();
                    state.take_batch(true, batch.is_last, now)
                });
                if let Some(anew) = anew {
                    *batch = anew;
                }
                file.commit(batch)?;
            }
        }
        self.file = Some(file);
        Ok(())
    }

    fn kept(&mut self, batch: &Batch) {
        self.checkpoint.written(batch);
        let released = {
            let Some(mut state) = self.state() else { return };
            if state.fails() {
                tracing::info!("the store can be written again");
            }
            state.store_fails(false);
            state.keep(batch.serial)
        };
        self.wakers.wake(released.channels.iter());
        released.rejected.iter().for_each(log);
        self.told.send_modify(|progress| *progress = Progress { kept: progress.kept.max(batch.serial), fails: false });
    }
}
