//! Publishing from Redis: what a site writes to a stream, or tells by Pub/Sub, becomes events of the hub.
//!
//! - [`entry`]: how an entry or a message is read. A value.
//! - [`stream`]: entries of a stream, by a consumer group: each is taken away when the hub has it, not before. Killed between the two, it reads the entry
//!   again and publishes it once, for the entry's id is the event's, and its time too.
//! - [`told`]: messages of Pub/Sub, which nobody keeps.
//!
//! Where several nodes are one hub, one of them does this for each source: the one that has its lease there ([`lease`]).

mod entry;
mod lease;
mod stream;
mod told;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::RedisError;
use tokio::time::sleep;

use crate::{
    engine::{EngineConfig, pause},
    hub::Shared,
    limits,
    publish::Incoming,
    routes,
    state::Outcome,
};

/// A source in Redis.
#[derive(Clone)]
pub struct FromRedis {
    /// What it is called in the log and in numbers.
    pub id: String,
    /// Where it is, and as whom the hub comes.
    pub server: EngineConfig,
    /// What is read there.
    pub what: Spring,
    /// How it is written.
    pub form: FromForm,
    /// The channel of all its events; none if each says it, or its name does.
    pub channel: Option<String>,
    /// What names of channels begin with there, and not here.
    pub prefix: String,
    /// What events are called that don't say.
    pub name: String,
}

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spring {
    /// A stream, by this consumer group.
    Stream {
        /// Its key.
        key: String,
        /// The group.
        group: String,
    },
    /// What is told on channels of this pattern.
    Told(String),
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromForm {
    /// As the hub's own events: `channel`, `name`, `id`, `time`, `data`.
    #[default]
    Event,
    /// As Laravel broadcasts by Redis: `event`, `data`, `socket`.
    Laravel,
    /// All of it is the data.
    Data,
}

impl fmt::Debug for FromRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromRedis").field("id", &self.id).field("what", &self.what).finish_non_exhaustive()
    }
}

/// What came of what was read, by source.
#[derive(Debug, Default)]
pub(crate) struct Sums(Mutex<BTreeMap<Arc<str>, Count>>);

/// Events that were taken, and what was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) taken: u64,
    pub(crate) left_out: u64,
}

impl Sums {
    fn add(&self, id: &str, of: impl FnOnce(&mut Count)) -> Count {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(id.into()).or_default();
        of(count);
        *count
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<(Arc<str>, Count)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(id, count)| (id.clone(), *count)).collect()
    }
}

/// Reads all sources, for as long as it is waited for.
pub(crate) async fn run(hub: &Arc<Shared>) {
    let sources = hub.config.from_redis.iter().map(|source| follow(hub, source));
    futures_util::future::join_all(sources).await;
}

async fn follow(hub: &Arc<Shared>, source: &FromRedis) {
    hub.from_redis.add(&source.id, |_| {});
    let mut tries = 0;
    loop {
        let ended = match &source.what {
            Spring::Stream { key, group } => stream::read(hub, source, key, group, &mut tries).await,
            Spring::Told(pattern) => told::hear(hub, source, pattern, &mut tries).await,
        };
        if tries == 0 || u32::is_power_of_two(tries) {
            tracing::warn!(source = source.id, reason = %ended, tries, "a source in Redis can't be read");
        }
        sleep(pause(tries)).await;
        tries += 1;
    }
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// All of it is published, or will never be.
    Settled,
    /// The hub can't take it now.
    Later,
}

/// Publishes a batch; where one event of it isn't taken, the others are all the same.
async fn publish(hub: &Arc<Shared>, source: &FromRedis, batch: Vec<Incoming>) -> Taken {
    if batch.is_empty() {
        return Taken::Settled;
    }
    let count = batch.len() as u64;
    match hub.publish(batch.clone(), None).await {
        Outcome::Unkept(unkept) => {
            tracing::debug!(source = source.id, reason = routes::unkept_words(unkept).1, "it is tried again");
            Taken::Later
        }
        Outcome::Refused(refused) if refused.code == "too-fast" => Taken::Later,
        Outcome::Refused(refused) if batch.len() == 1 => {
            leave_out(hub, source, &refused.message);
            Taken::Settled
        }
        Outcome::Refused(_) => {
            for event in batch {
                // What was published before is known when it comes again.
                if Box::pin(publish(hub, source, vec![event])).await == Taken::Later {
                    return Taken::Later;
                }
            }
            Taken::Settled
        }
        Outcome::Published(_) | Outcome::Placed(_) | Outcome::Repeated(_) | Outcome::KeyReused => {
            hub.from_redis.add(&source.id, |sum| sum.taken += count);
            Taken::Settled
        }
    }
}

/// Something isn't taken, and never will be.
fn leave_out(hub: &Arc<Shared>, source: &FromRedis, reason: &str) {
    let count = hub.from_redis.add(&source.id, |sum| sum.left_out += 1).left_out;
    let reason: String = reason.chars().take(300).collect();
    if count.is_power_of_two() {
        tracing::warn!(source = source.id, reason, count, "what came from Redis isn't taken, and is left out");
    } else {
        tracing::debug!(source = source.id, reason, count, "what came from Redis isn't taken, and is left out");
    }
}

/// Why a source can't be read any more.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("{0}")]
    Unfit(String),
}

/// How long to wait before what isn't taken now is offered again.
const AGAIN: Duration = limits::FROM_REDIS_AGAIN;
