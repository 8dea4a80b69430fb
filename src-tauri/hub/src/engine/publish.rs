//! The way in: a batch becomes one script a channel.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use redis::{RedisError, ServerErrorKind, aio::MultiplexedConnection};
use watchfloor_model::{Position, Timestamp};

use super::{Engine, Live, link, scripts, wire};
use crate::{
    hub::Shared,
    limits,
    publish::{Incoming, Refused},
    state::{Key, Outcome, Placed, Unkept},
};

/// The events of one channel in a batch.
#[derive(Default)]
struct Part {
    /// Which events of the batch they are.
    indices: Vec<usize>,
    /// What each is known by again, if it is, and its record.
    events: Vec<(String, String)>,
}

/// What became of a part.
struct Taken {
    epoch: Arc<str>,
    offsets: Vec<u64>,
    was_known: bool,
}

/// Why a part isn't taken.
enum Untaken {
    KeyReused,
    Unkept(Unkept),
}

impl Engine {
    /// Publishes a batch. That of one channel is taken whole or not at all; one of several may be cut off between channels, and goes on there
    /// if it is sent again with the same key.
    pub(crate) async fn publish(&self, hub: &Shared, batch: Vec<Incoming>, key: Option<Key<'_>>) -> Outcome {
        let Some(live) = self.live.borrow().clone() else { return Outcome::Unkept(Unkept::Failing) };
        if let Some(key) = key {
            match self.reserve(&live, key).await {
                Ok(true) => {}
                Ok(false) => return Outcome::KeyReused,
                Err(error) => return Outcome::Unkept(self.unkept(&error)),
            }
        }
        let count = batch.len();
        let parts = self.parts(hub, batch);
        let taken = stream::iter(parts).map(|(channel, part)| {
            let live = live.clone();
            async move {
                let taken = self.publish_part(hub, live, &channel, &part, key).await;
                (part.indices, taken)
            }
        });
        let taken: Vec<_> = taken.buffer_unordered(limits::ENGINE_SCRIPTS_MAX).collect().await;
        let mut positions = vec![None; count];
        let mut repeated = key.is_some();
        for (indices, taken) in taken {
            match taken {
                Ok(taken) => {
                    repeated &= taken.was_known;
                    for (index, offset) in indices.into_iter().zip(taken.offsets) {
                        positions[index] = Some(Position::new(taken.epoch.clone(), offset));
                    }
                }
                Err(Untaken::KeyReused) => return Outcome::KeyReused,
                Err(Untaken::Unkept(unkept)) => return Outcome::Unkept(unkept),
            }
        }
        let positions: Option<Vec<_>> = positions.into_iter().collect();
        positions.map_or(Outcome::Unkept(Unkept::Failing), |positions| Outcome::Placed(Placed { positions, repeated }))
    }

    /// Publishes an event in turn, for who doesn't wait for the answer.
    pub(crate) fn publish_later(&self, batch: Vec<Incoming>) -> Outcome {
        if !self.is_live() {
            return Outcome::Unkept(Unkept::Failing);
        }
        for event in batch {
            if self.queue.try_send(event).is_err() {
                return Outcome::Unkept(Unkept::Full);
            }
        }
        Outcome::Placed(Placed { positions: Vec::new(), repeated: false })
    }

    /// Publishes what waits for its turn.
    pub(super) async fn publish_queued(&self, hub: &Shared) {
        let mut queued = self.queued.lock().await;
        while let Some(event) = queued.recv().await {
            let channel = event.channel.clone();
            match self.publish(hub, vec![event], None).await {
                Outcome::Placed(_) => {}
                _ => tracing::debug!(%channel, "an event of a client is lost: the engine didn't take it"),
            }
        }
    }

    /// A publisher says that it lives.
    ///
    /// # Errors
    /// If the engine can't be told.
    pub(crate) async fn alive(&self, channels: impl IntoIterator<Item = &Arc<str>>) -> Result<(), Refused> {
        let failing = || Refused {
            code: "store-failing",
            message: "the engine can't be reached: send it again later".to_owned(),
        };
        let Some(live) = self.live.borrow().clone() else { return Err(failing()) };
        let channels: Vec<Arc<str>> = channels.into_iter().cloned().collect();
        let told = stream::iter(channels).map(|channel| {
            let (mut connection, run) = (live.publishing.clone(), live.run.clone());
            async move {
                let mut script = scripts::LIVING.prepare_invoke();
                script.key(self.names.standing(&channel)).key(self.names.history(&channel));
                script.arg(&*Self::candidate()).arg(&*run).arg("").arg(0).arg(limits::STANDING_MS);
                script.invoke_async::<u8>(&mut connection).await
            }
        });
        let told: Vec<_> = told.buffer_unordered(limits::ENGINE_SCRIPTS_MAX).collect().await;
        let failed = told.into_iter().find_map(Result::err);
        failed.map_or(Ok(()), |error| {
            self.unkept(&error);
            Err(failing())
        })
    }

    /// Notes which body a key stands for. Answers whether it is this.
    async fn reserve(&self, live: &Live, key: Key<'_>) -> Result<bool, RedisError> {
        let (name, digest) = (self.names.request(&hash(&[key.text])), hex(key.digest));
        let age = u64::try_from(limits::KEY_AGE.as_millis()).unwrap_or(u64::MAX);
        let mut pipe = redis::pipe();
        pipe.cmd("SET").arg(&name).arg(&digest).arg("NX").arg("PX").arg(age).ignore().cmd("GET").arg(&name);
        let (found,): (Option<String>,) = pipe.query_async(&mut live.publishing.clone()).await?;
        Ok(found.is_none_or(|found| found == digest))
    }

    fn parts(&self, hub: &Shared, batch: Vec<Incoming>) -> BTreeMap<Arc<str>, Part> {
        let now = hub.now();
        let times: Vec<Timestamp> = {
            let mut state = hub.state();
            batch.iter().map(|event| state.time_of(event.time, now)).collect()
        };
        let are_known = !hub.config.repeats.is_zero();
        let mut parts: BTreeMap<Arc<str>, Part> = BTreeMap::new();
        for (index, (event, time)) in batch.into_iter().zip(times).enumerate() {
            let known = event.id.as_ref().zip(event.time).filter(|_| are_known);
            let field = known.map(|(id, said)| format!("i{}", hash(&[&event.name, id, &said.as_millis().to_string()])));
            let record = wire::record(&event, time);
            let part = parts.entry(event.channel).or_default();
            part.indices.push(index);
            part.events.push((field.unwrap_or_default(), record));
        }
        parts
    }

    async fn publish_part(
        &self,
        hub: &Shared,
        live: Live,
        channel: &Arc<str>,
        part: &Part,
        key: Option<Key<'_>>,
    ) -> Result<Taken, Untaken> {
        let Live { publishing: mut connection, run, .. } = live;
        let (epoch, what, stretches, newest) = self
            .run_part(hub, &mut connection, &run, channel, part, key)
            .await
            .map_err(|error| Untaken::Unkept(self.unkept(&error)))?;
        if what == KEY_REUSED {
            return Err(Untaken::KeyReused);
        }
        let offsets = offsets(&stretches);
        if offsets.len() != part.events.len() {
            // The key was of another batch, or the engine was tampered with.
            return Err(Untaken::KeyReused);
        }
        if self.config.replicas > 0 {
            self.confirm(&mut connection, channel, &epoch, newest).await.map_err(Untaken::Unkept)?;
        }
        Ok(Taken { epoch: epoch.into(), offsets, was_known: what == WAS_KNOWN })
    }

    async fn run_part(
        &self,
        hub: &Shared,
        connection: &mut MultiplexedConnection,
        run: &str,
        channel: &Arc<str>,
        part: &Part,
        key: Option<Key<'_>>,
    ) -> Result<(String, u8, String, u64), RedisError> {
        let seen = {
            let state = hub.state();
            state.follows(channel).then(|| state.ledger().head(channel))
        };
        let (seen_epoch, seen) = seen.as_ref().map_or(("", 0), |seen| (&*seen.epoch, seen.offset));
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let history = hub.config.rules.of(channel).history.within(&hub.config.history);
        let (repeats, key_age) = (hub.config.repeats, hub.config.key_age);
        let [newer, older] = self.names.known(channel);
        let mut script = scripts::PUBLISHING.prepare_invoke();
        script.key(self.names.standing(channel)).key(self.names.history(channel)).key(newer).key(older);
        script.arg(&*Self::candidate()).arg(run).arg(seen_epoch).arg(seen);
        script.arg(self.names.news(channel)).arg(u8::from(self.config.replicas == 0));
        script.arg(history.events).arg(history.bytes).arg(millis(history.age));
        script.arg(millis(key_age.max(repeats))).arg(millis(repeats)).arg(limits::STANDING_MS).arg(limits::REPEATS_MAX);
        match key {
            Some(key) => script.arg(format!("k{}", hash(&[key.text]))).arg(hex(key.digest)),
            None => script.arg("").arg(""),
        };
        for (field, record) in &part.events {
            script.arg(field).arg(record);
        }
        script.invoke_async(connection).await
    }

    /// Gives events to readers when enough replicas have them.
    pub(super) async fn confirm(
        &self,
        connection: &mut MultiplexedConnection,
        channel: &str,
        epoch: &str,
        upto: u64,
    ) -> Result<(), Unkept> {
        let replicas = self.config.replicas;
        let wait = limits::REPLICAS_WAIT.as_millis() as u64;
        let waited = redis::cmd("WAIT").arg(replicas).arg(wait).query_async::<u32>(connection).await;
        if waited.map_err(|error| self.unkept(&error))? < replicas {
            return Err(Unkept::Slow);
        }
        let mut script = scripts::CONFIRMING.prepare_invoke();
        script.key(self.names.standing(channel)).key(self.names.history(channel));
        script.arg(epoch).arg(upto).arg(self.names.news(channel));
        script.invoke_async::<u8>(connection).await.map(drop).map_err(|error| self.unkept(&error))
    }

    /// What a publisher is told.
    fn unkept(&self, error: &RedisError) -> Unkept {
        if link::is_broken(error) {
            self.broken.notify_one();
        }
        tracing::warn!(reason = %error, "the engine didn't take an event");
        let is_full = error.code() == Some("OOM");
        match error.kind() {
            _ if error.is_timeout() => Unkept::Slow,
            _ if is_full => Unkept::Full,
            redis::ErrorKind::Server(ServerErrorKind::TryAgain) => Unkept::Slow,
            _ => Unkept::Failing,
        }
    }
}

/// What the script answers, besides 0 for what is published.
const WAS_KNOWN: u8 = 1;
const KEY_REUSED: u8 = 2;

/// Offsets that are written as stretches: `41,2;50,1`.
fn offsets(stretches: &str) -> Vec<u64> {
    let stretch = |text: &str| {
        let (first, count) = text.split_once(',')?;
        let (first, count): (u64, u64) = (first.parse().ok()?, count.parse().ok()?);
        (count <= limits::BATCH_EVENTS_MAX as u64).then_some(first..first.saturating_add(count))
    };
    stretches.split(';').filter_map(stretch).flatten().collect()
}

/// Tells texts apart.
fn hash(parts: &[&str]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    hex::encode(&context.finish().as_ref()[..16])
}

fn hex(digest: [u64; 2]) -> String {
    let mut text = String::with_capacity(32);
    for half in digest {
        // Writing to a text doesn't fail.
        let _ = write!(text, "{half:016x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the script writes is read again, whatever else stands there.
    #[test]
    fn stretches() {
        assert_eq!(offsets("41,2;50,1"), [41, 42, 50]);
        assert_eq!(offsets(""), Vec::<u64>::new());
        assert_eq!(offsets("x;1;2,y;3,99999999999;7,1"), [7]);
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
