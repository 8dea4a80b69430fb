//! The shell around the state: locks it, reads the clocks, wakes readers.

use std::{
    collections::BTreeSet,
    future::Future,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::Router;
use rand::RngExt;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, watch},
    time::timeout,
};
use watchfloor_model::{Mono, Timestamp};

use crate::{
    admin,
    admission::Admission,
    audit::Audit,
    authorise::Authoriser,
    clock::{ClockOrder, Clocks, Now},
    cursor::Places,
    engine::{self, Engine},
    from_redis::Sums,
    guard::HostRule,
    hub_config::HubConfig,
    idempotency::{Digest, Known},
    ledger::Rejected,
    limits,
    live::Live,
    metrics::Metrics,
    people::Wake,
    publish::{Form, Incoming, Refused},
    rates::Counts,
    revocation::{Fence, Revocation, Revoked, Unrevoked},
    routes, serve,
    state::{Key, Outcome, State, Unkept},
    stop::Stop,
    store::{Opened, Store, StoreError},
    wake::Wakers,
};

mod revoke;
pub(crate) use revoke::connections;

/// A hub. Clones are the same hub; its state lives as long as one of them, through any number of [`Hub::serve`]s.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

impl Hub {
    /// An empty hub, in memory: for one with a store, see [`Hub::open`].
    #[must_use]
    pub fn new(config: HubConfig) -> Self {
        let audit = Audit::open(config.audit_log.as_deref()).unwrap_or_else(|error| {
            tracing::error!(reason = %error, "the audit log's file can't be opened: it isn't written");
            Audit::default()
        });
        Self { shared: Arc::new(Shared::new(config, audit)) }
    }

    /// A hub with the store that its configuration names, which takes up what is in it. It is put in order for the next start when the
    /// last clone is dropped; that may wait for the disk.
    ///
    /// # Errors
    /// If the store, or the audit log's file, can't be used. A damaged store is set aside, and a new history begins.
    pub fn open(config: HubConfig) -> Result<Self, StoreError> {
        Ok(Self { shared: Arc::new(Shared::open(config)?) })
    }

    /// All doors, for a server of one's own. What [`Hub::serve`] adds is missing: the end of stalled connections, bounds on
    /// their number, a goodbye. Without a publish token, only names of the loopback are taken as `Host`.
    pub fn router(&self) -> Router {
        let rule = if self.shared.config.publish_token.is_some() { HostRule::Any } else { HostRule::Loopback };
        routes::router(self.shared.clone(), Stop::never(), rule)
    }

    /// Serves until `stop` answers. Then WebSockets are closed with 1001, event streams and polls end, and whatever is
    /// not gone after 0.9 s is cut off.
    ///
    /// # Errors
    /// If the listener has no address, or listens beyond the loopback although the hub has no publish token.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        serve::serve(self.shared.clone(), listener, stop).await
    }

    /// Serves those who look after the hub, on a listener of its own, until `stop` answers.
    ///
    /// # Errors
    /// If the listener has no address, or listens beyond the loopback although the hub has no admin token.
    pub async fn administer(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        admin::serve(self.shared.clone(), listener, stop).await
    }

    /// Takes back what was given: no event goes out by what it means when this answers. Those that stand are kept then, where there is a store.
    ///
    /// # Errors
    /// If too many stand already, or they can't be kept.
    pub async fn revoke(&self, list: &[Revocation]) -> Result<Revoked, Unrevoked> {
        let revoked = self.shared.revoke(list).await;
        let count = revoked.as_ref().ok().map(|revoked| revoked.connections as u64);
        list.iter().for_each(|revocation| self.shared.note_revocation(revocation, "by the program", count));
        revoked
    }

    /// Other settings hold from now on, as far as they can while it runs: tokens and keys, applications, sites that are asked, what channels take,
    /// proxies and rates. Answers how many connections were ended, because what they came by is good no more.
    pub async fn reload(&self, config: &HubConfig) -> usize {
        self.shared.reload(config).await
    }

    /// Other settings could not be used: those that hold go on, and its numbers say so.
    pub fn reload_refused(&self) {
        self.shared.metrics.reload(false);
    }

    /// As a restart from a backup without history: a new epoch, the history empty, the aggregates kept.
    pub fn lose_history(&self) {
        self.shared.state().lose_history(new_epoch());
        self.shared.wakers.wake_all();
    }

    /// As a restart of an empty hub: a new epoch, no history, empty aggregates, the system's clock.
    pub fn reset(&self) {
        self.shared.state().reset(new_epoch(), self.shared.now());
        self.shared.wakers.wake_all();
    }

    /// The name of the present history.
    #[must_use]
    pub fn epoch(&self) -> Arc<str> {
        self.shared.state().ledger().epoch().clone()
    }
}

/// What all connections of a hub have in common. One lock at a time: never the state's and the wakers' together.
pub(crate) struct Shared {
    pub(crate) config: HubConfig,
    pub(crate) wakers: Arc<Wakers>,
    /// Places for large bodies, from their first bytes until they are published.
    pub(crate) large_bodies: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    /// Sites may have to be told something.
    pub(crate) happened: Notify,
    pub(crate) audit: Audit,
    /// Asks sites who may read.
    pub(crate) authoriser: Authoriser,
    /// What can be other while it runs.
    pub(crate) live: RwLock<Arc<Live>>,
    /// How often it became so.
    pub(crate) reloaded: watch::Sender<u64>,
    /// Who comes how often.
    pub(crate) counts: Counts,
    /// How many listeners serve.
    serving: Arc<AtomicUsize>,
    /// What came of what was read in Redis to be published.
    pub(crate) from_redis: Sums,
    /// What this process is called by others.
    pub(crate) process: Arc<str>,
    /// What holds the channels, if they aren't this hub's own.
    pub(crate) engine: Option<Engine>,
    /// What nothing of them goes out behind.
    pub(crate) fence: Option<Arc<Fence>>,
    state: Arc<Mutex<State>>,
    pub(crate) admission: Mutex<Admission>,
    clocks: Arc<Clocks>,
    /// Dropped with the last who has the hub: then all is put in order for the next start.
    store: Option<Store>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Shared {
    fn new(config: HubConfig, audit: Audit) -> Self {
        let clocks = Clocks::new();
        let state = State::new(new_epoch(), config.limits(), config.specs(), clocks.now());
        Self::of(config, state, clocks, audit)
    }

    fn of(config: HubConfig, mut state: State, clocks: Clocks, audit: Audit) -> Self {
        if config.apps.iter().any(|app| app.webhook.is_some()) {
            state.people_mut().0.tell_sites();
        }
        if config.engine.is_some() {
            state.be_node(engine::good_for(config.heartbeat));
            state.people_mut().0.share();
            let left_out = state.followed_ledger().leave_out_unnamed();
            if left_out > 0 {
                tracing::warn!(
                    left_out,
                    "a widget that names no channel folds all that there are: nodes don't fold it"
                );
            }
        }
        let engine = config.engine.clone().map(Engine::new);
        let clocks = Arc::new(clocks);
        let fence = engine.is_some().then(|| Fence::new(clocks.clone()));
        if engine.is_some() {
            state.send_until(Now { mono: Mono::ZERO, wall: Timestamp::from_millis(i64::MIN) });
        }
        let large_bodies = Arc::new(Semaphore::new(limits::LARGE_BODIES_MAX));
        let state = Arc::new(Mutex::new(state));
        let admission = Mutex::new(Admission::new(config.rules.clone()));
        let authoriser = Authoriser::new(config.authorise.clone());
        let live = RwLock::new(Arc::new(Live::of(&config)));
        let counts = Counts::new(config.rates);
        Self {
            config,
            wakers: Arc::default(),
            large_bodies,
            metrics: Metrics::default(),
            happened: Notify::new(),
            audit,
            authoriser,
            live,
            reloaded: watch::Sender::new(0),
            counts,
            serving: Arc::default(),
            from_redis: Sums::default(),
            process: new_epoch(),
            engine,
            fence,
            state,
            admission,
            clocks,
            store: None,
        }
    }

    fn open(config: HubConfig) -> Result<Self, StoreError> {
        let audit = Audit::open(config.audit_log.as_deref())?;
        let Some(place) = &config.store else { return Ok(Self::new(config, audit)) };
        let clocks = Clocks::new();
        let (rules, specs) = (config.rules.clone(), config.specs());
        let (state, file) = Opened::new(place, rules, config.limits(), &specs, &clocks)?.parts();
        let mut shared = Self::of(config, state, clocks, audit);
        let (state, wakers, clocks) = (shared.state.clone(), shared.wakers.clone(), shared.clocks.clone());
        shared.store = Some(Store::start(file, state, wakers, clocks)?);
        Ok(shared)
    }

    /// The state, alone. Held for as long as it takes to read a batch or to append one, never across a wait.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Aggregates that broke off in the middle of an event would be served as true: rather answer nobody.
        self.state.lock().expect("the state is whole: no reducer panicked")
    }

    /// The two clocks, now.
    pub(crate) fn now(&self) -> Now {
        self.clocks.now()
    }

    /// Begins anew where the clock was set back by more than a day: what was dated by it is of a time to come, and would be the newest
    /// until then.
    fn keep_time(&self) {
        let now = self.now();
        if self.clocks.was_turned_back() && self.state().follows_system() {
            tracing::warn!("the clock was set back by more than a day: a new history begins");
            self.state().reset(new_epoch(), now);
            self.wakers.wake_all();
        }
    }

    /// The instant of `mono` for a timer.
    pub(crate) fn instant(&self, mono: Mono) -> tokio::time::Instant {
        let far = Duration::from_secs(60 * 60);
        tokio::time::Instant::now() + mono.since(self.now().mono).min(far)
    }

    /// Tells bodies apart, also for those who come after a restart.
    pub(crate) fn digest(form: Form, body: &[u8]) -> Digest {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        context.update(&[u8::from(form == Form::Lines)]);
        context.update(body);
        let digest = context.finish();
        let half =
            |from: usize| digest.as_ref()[from..from + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        [half(0), half(8)]
    }

    /// Publishes a batch and wakes the readers of its channels. What is published on a `durable` channel is kept when this answers.
    pub(crate) async fn publish(&self, mut batch: Vec<Incoming>, key: Option<Key<'_>>) -> Outcome {
        if let Err(refused) = self.admit(&mut batch) {
            return Outcome::Refused(refused);
        }
        if let Some(engine) = &self.engine {
            return engine.publish(self, batch, key).await;
        }
        if let Some(store) = &self.store {
            let channels = batch.iter().map(|event| event.channel.clone()).collect();
            if self.state().owes(&channels, self.now().mono) {
                let mut progress = store.progress();
                let caught_up = async {
                    while !store.now().fails && self.state().owes(&channels, self.now().mono) {
                        // It ends with the hub only.
                        let _ = progress.changed().await;
                    }
                };
                if timeout(limits::STORE_WAIT, caught_up).await.is_err() {
                    return Outcome::Unkept(Unkept::Slow);
                }
            }
        }
        let outcome = self.take(batch, key);
        let settled = match &outcome {
            Outcome::Published(published) if published.waits => self.kept(published.positions.last()).await,
            Outcome::Repeated(positions) => self.kept(positions.last()).await,
            _ => Ok(()),
        };
        settled.map_or_else(Outcome::Unkept, |()| outcome)
    }

    /// The same for a publisher that doesn't wait to be told: its events go to readers as soon as they may.
    pub(crate) fn publish_now(&self, mut batch: Vec<Incoming>, key: Option<Key<'_>>) -> Outcome {
        match self.admit(&mut batch) {
            Ok(()) => match &self.engine {
                Some(engine) => engine.publish_later(batch),
                None => self.take(batch, key),
            },
            Err(refused) => Outcome::Refused(refused),
        }
    }

    /// Whether its channels take it, stripped of what they don't carry.
    fn admit(&self, batch: &mut [Incoming]) -> Result<(), Refused> {
        let now = self.now().mono;
        // Nothing is left half done there by a panic.
        self.admission.lock().unwrap_or_else(PoisonError::into_inner).admit(batch, now)
    }

    fn take(&self, batch: Vec<Incoming>, key: Option<Key<'_>>) -> Outcome {
        self.keep_time();
        let (outcome, is_waited_for) = {
            let mut state = self.state();
            let outcome = state.publish(batch, key, self.now());
            (outcome, state.is_waited_for())
        };
        if let Some(store) = &self.store {
            store.ask(is_waited_for);
        }
        if let Outcome::Published(published) = &outcome {
            self.wakers.wake(published.channels.iter());
            published.rejected.iter().for_each(log);
        }
        outcome
    }

    /// What is known of a request's key. What was answered to it is kept when this answers.
    pub(crate) async fn known(&self, key: Key<'_>) -> Result<Known, Unkept> {
        if self.engine.is_some() {
            // The engine is asked with the batch.
            return Ok(Known::New);
        }
        let known = self.state().known(key, self.now());
        if let Known::Same(positions) = &known {
            self.kept(positions.last()).await?;
        }
        Ok(known)
    }

    /// Answers when everything up to this number is kept.
    async fn kept(&self, serial: u64) -> Result<(), Unkept> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut progress = store.progress();
        let settled = progress.wait_for(|progress| progress.kept >= serial || progress.fails);
        match timeout(limits::STORE_WAIT, settled).await {
            Ok(Ok(progress)) if progress.kept >= serial => Ok(()),
            Ok(_) => Err(Unkept::Failing),
            Err(_) => Err(Unkept::Slow),
        }
    }

    /// Whether its store keeps what it is told; none without one.
    pub(crate) fn keeps(&self) -> Option<bool> {
        if let Some(engine) = &self.engine {
            return Some(engine.is_live());
        }
        self.store.as_ref().map(|store| !store.now().fails)
    }

    /// Wakes those for whom there is something new in who is there.
    pub(crate) fn tell(&self, wake: &Wake) {
        self.wakers.wake(wake.iter());
        self.happened.notify_one();
        if let Some(engine) = &self.engine {
            engine.moved.notify_one();
        }
    }

    /// Sees to what is due by the clock alone.
    pub(crate) fn advance(&self) {
        let Now { mono: now, wall } = self.now();
        let wake = {
            let mut state = self.state();
            let (people, serial) = state.people_mut();
            people.advance(now, serial)
        };
        self.tell(&wake);
        self.audit.advance(wall);
    }

    /// A listener serves until what is answered is dropped.
    pub(crate) fn open_doors(&self) -> OpenDoors {
        self.serving.fetch_add(1, SeqCst);
        OpenDoors(self.serving.clone())
    }

    /// Whether anybody can come in.
    pub(crate) fn is_served(&self) -> bool {
        self.serving.load(SeqCst) > 0
    }

    /// A publisher says that it lives.
    pub(crate) async fn alive(&self, channels: &BTreeSet<Arc<str>>) -> Result<(), Refused> {
        match &self.engine {
            Some(engine) => engine.alive(channels).await,
            None => self.lives(channels),
        }
    }

    fn lives(&self, channels: &BTreeSet<Arc<str>>) -> Result<(), Refused> {
        self.keep_time();
        self.state().alive(channels, self.now())
    }

    /// Somebody comes to a channel of presence.
    pub(crate) fn want_people(&self, channel: &Arc<str>) {
        if let Some(engine) = &self.engine {
            engine.want_people(channel.clone());
        }
    }

    /// A reader comes for these places: it has to be woken by their channels already.
    pub(crate) fn want(&self, places: &Places) {
        if let Some(engine) = &self.engine {
            engine.want(places);
        }
    }

    /// Sets the clock and tells every reader at once.
    pub(crate) fn set_clock(&self, order: &ClockOrder) {
        self.state().set_clock(order, self.now());
        if let Some(store) = &self.store {
            store.ask(true);
        }
        self.wakers.wake_all();
    }
}

/// A listener that serves for as long as this is there.
#[derive(Debug)]
pub(crate) struct OpenDoors(Arc<AtomicUsize>);

impl Drop for OpenDoors {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// A flood of events that don't fit must not become a flood of lines.
pub(crate) fn log(rejected: &Rejected) {
    let Rejected { aggregate, reason, count } = rejected;
    if count.is_power_of_two() {
        tracing::warn!(aggregate, reason, count, "an event does not fit an aggregate");
    } else {
        tracing::debug!(aggregate, reason, count, "an event does not fit an aggregate");
    }
}

/// 50 random bits: no two histories of one hub have the same name.
pub(crate) fn new_epoch() -> Arc<str> {
    letters(10)
}

/// 80 random bits: nobody guesses the name of somebody else's connection.
pub(crate) fn new_connection() -> Arc<str> {
    letters(16)
}

fn letters(count: usize) -> Arc<str> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    (0..count).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// H1: what is published later is the newer, whatever was done to the machine's clock; where that was days ahead, all begins anew.
    #[test]
    fn the_clock_does_not_go_back() {
        let shared = Shared::new(HubConfig::default(), Audit::default());
        let channels = BTreeSet::from([Arc::from("c")]);
        let epoch = |shared: &Shared| shared.state().ledger().epoch().clone();
        let was_at = |ahead: Duration| shared.clocks.be_ahead(ahead);
        let before = epoch(&shared);
        let ahead = was_at(HOUR);
        let first = shared.now();
        assert!(first.wall >= ahead && first.wall.since(ahead) < HOUR, "an hour is made up for slowly");
        shared.lives(&channels).expect("room");
        assert_eq!(epoch(&shared), before);

        let ahead = was_at(HOUR * 72);
        // A reader's heartbeat may be the first to look.
        assert!(shared.now().wall < ahead);
        shared.lives(&channels).expect("room");
        assert_ne!(epoch(&shared), before);
        let anew = epoch(&shared);
        shared.lives(&channels).expect("room");
        assert_eq!(epoch(&shared), anew, "once");
    }
}
