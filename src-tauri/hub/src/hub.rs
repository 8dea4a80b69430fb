//! The shell around the state: locks it, reads the clocks, wakes readers.

use std::{
    collections::BTreeSet,
    future::Future,
    hash::{BuildHasher, RandomState},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::Router;
use rand::RngExt;
use tokio::{net::TcpListener, sync::Semaphore};
use watchfloor_board::config::spec::FoldSpec;
use watchfloor_model::{Mono, SteadyClock, Timestamp};

use crate::{
    access::Readers,
    channel::HistoryLimits,
    clock::{ClockOrder, Now},
    guard::{HostRule, Token},
    idempotency::Digest,
    ledger::Rejected,
    limits,
    publish::{Form, Incoming, Refused},
    routes, serve,
    state::{Key, Outcome, State, StateLimits},
    stop::Stop,
    wake::Wakers,
};

/// What a hub is told when it is made.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The time between two heartbeats of a subscription. Default 1 s.
    pub heartbeat: Duration,
    /// How much is remembered.
    pub history: HistoryLimits,
    /// Channels at most. Default 10,000.
    pub channels_max: usize,
    /// What publishers must present; without one the hub listens on loopback only.
    pub publish_token: Option<Token>,
    /// What readers must present.
    pub readers: Readers,
    /// What is folded for snapshots. Folds that are alike are folded once.
    pub aggregates: Vec<FoldSpec>,
    /// Idempotency keys remembered. Default 10,000.
    pub keys_max: usize,
    /// How long an idempotency key is remembered. Default 1 h.
    pub key_age: Duration,
    /// How long a connection may take no byte of what it is sent before it is dropped. Default 10 s.
    pub write_stall: Duration,
    /// Connections served at once; more wait. Default 10,000.
    pub connections_max: usize,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            heartbeat: limits::HEARTBEAT,
            history: HistoryLimits::default(),
            channels_max: limits::CHANNELS_MAX,
            publish_token: None,
            readers: Readers::default(),
            aggregates: Vec::new(),
            keys_max: limits::KEYS_MAX,
            key_age: limits::KEY_AGE,
            write_stall: limits::WRITE_STALL,
            connections_max: limits::CONNECTIONS_MAX,
        }
    }
}

/// A hub. Clones are the same hub; its state lives as long as one of them, through any number of [`Hub::serve`]s.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new(config: HubConfig) -> Self {
        Self { shared: Arc::new(Shared::new(config)) }
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

/// The clock on the wall, as it was last looked at.
#[derive(Debug, Default)]
struct Wall {
    steady: SteadyClock,
    /// Whether it was set back so far that it was followed nevertheless, and nobody has seen to that.
    turned_back: bool,
}

/// What all connections of a hub have in common. One lock at a time: never the state's and the wakers' together.
pub(crate) struct Shared {
    pub(crate) config: HubConfig,
    pub(crate) wakers: Arc<Wakers>,
    /// Places for large bodies, from their first bytes until they are published.
    pub(crate) large_bodies: Arc<Semaphore>,
    state: Mutex<State>,
    zero: Instant,
    wall: Mutex<Wall>,
    digests: [RandomState; 2],
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Shared {
    fn new(config: HubConfig) -> Self {
        let limits = StateLimits {
            history: config.history.clone(),
            channels_max: config.channels_max,
            keys_max: config.keys_max,
            key_age: config.key_age,
        };
        let zero = Instant::now();
        let now = read_clocks(zero);
        let mut wall = Wall::default();
        wall.steady.set(now.wall, now.mono);
        let state = Mutex::new(State::new(new_epoch(), limits, config.aggregates.clone(), now));
        let large_bodies = Arc::new(Semaphore::new(limits::LARGE_BODIES_MAX));
        let digests = [RandomState::new(), RandomState::new()];
        Self { config, wakers: Arc::default(), large_bodies, state, zero, wall: Mutex::new(wall), digests }
    }

    /// The state, alone. Held for as long as it takes to read a batch or to append one, never across a wait.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Aggregates that broke off in the middle of an event would be served as true: rather answer nobody.
        self.state.lock().expect("the state is whole: no reducer panicked")
    }

    /// The two clocks, now. That on the wall doesn't go back: what is published later is the newer.
    pub(crate) fn now(&self) -> Now {
        let read = read_clocks(self.zero);
        let mut wall = self.wall();
        wall.turned_back |= wall.steady.set(read.wall, read.mono);
        Now { wall: wall.steady.at(read.mono), ..read }
    }

    fn wall(&self) -> MutexGuard<'_, Wall> {
        self.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins anew where the clock was set back by more than a day: what was dated by it is of a time to come, and would be the newest
    /// until then.
    fn keep_time(&self) {
        let now = self.now();
        let turned_back = std::mem::take(&mut self.wall().turned_back);
        if turned_back && self.state().follows_system() {
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

    /// Tells bodies apart. Keyed anew for each hub, so that nobody can prepare two bodies that look alike.
    pub(crate) fn digest(&self, form: Form, body: &[u8]) -> Digest {
        self.digests.each_ref().map(|state| state.hash_one((form == Form::Lines, body)))
    }

    /// Publishes a batch and wakes the readers of its channels.
    pub(crate) fn publish(&self, batch: Vec<Incoming>, key: Option<Key<'_>>) -> Outcome {
        self.keep_time();
        let outcome = self.state().publish(batch, key, self.now());
        if let Outcome::Published(published) = &outcome {
            self.wakers.wake(published.channels.iter());
            published.rejected.iter().for_each(log);
        }
        outcome
    }

    /// A publisher says that it lives.
    pub(crate) fn alive(&self, channels: &BTreeSet<Arc<str>>) -> Result<(), Refused> {
        self.keep_time();
        self.state().alive(channels, self.now())
    }

    /// Sets the clock and tells every reader at once.
    pub(crate) fn set_clock(&self, order: &ClockOrder) {
        self.state().set_clock(order, self.now());
        self.wakers.wake_all();
    }
}

fn read_clocks(zero: Instant) -> Now {
    let micros = u64::try_from(zero.elapsed().as_micros()).unwrap_or(u64::MAX);
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    };
    Now { mono: Mono::from_micros(micros), wall: Timestamp::from_millis(millis) }
}

/// A flood of events that don't fit must not become a flood of lines.
fn log(rejected: &Rejected) {
    let Rejected { aggregate, reason, count } = rejected;
    if count.is_power_of_two() {
        tracing::warn!(aggregate, reason, count, "an event does not fit an aggregate");
    } else {
        tracing::debug!(aggregate, reason, count, "an event does not fit an aggregate");
    }
}

/// 50 random bits: no two histories of one hub have the same name.
fn new_epoch() -> Arc<str> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    (0..10).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// H1: what is published later is the newer, whatever was done to the machine's clock; where that was days ahead, all begins anew.
    #[test]
    fn the_clock_does_not_go_back() {
        let shared = Shared::new(HubConfig::default());
        let channels = BTreeSet::from([Arc::from("c")]);
        let epoch = |shared: &Shared| shared.state().ledger().epoch().clone();
        let was_at = |ahead: Duration| {
            let read = read_clocks(shared.zero);
            shared.wall().steady.set(read.wall.plus(ahead), read.mono);
            shared.wall().steady.at(read.mono)
        };
        let before = epoch(&shared);
        let ahead = was_at(HOUR);
        let first = shared.now();
        assert!(first.wall >= ahead && first.wall.since(ahead) < HOUR, "an hour is made up for slowly");
        shared.alive(&channels).expect("room");
        assert_eq!(epoch(&shared), before);

        let ahead = was_at(HOUR * 72);
        // A reader's heartbeat may be the first to look.
        assert!(shared.now().wall < ahead);
        shared.alive(&channels).expect("room");
        assert_ne!(epoch(&shared), before);
        let anew = epoch(&shared);
        shared.alive(&channels).expect("room");
        assert_eq!(epoch(&shared), anew, "once");
    }
}
