//! What a node asks the engine about its channels.

use std::{sync::Arc, time::Duration};

use redis::{RedisError, aio::MultiplexedConnection};
use watchfloor_model::{Position, Timestamp};

use super::{
    Engine,
    follow::{Span, Stand},
    keys::Names,
    scripts, wire,
};
use crate::limits;

/// One who reads a channel.
pub(super) struct Read {
    connection: MultiplexedConnection,
    channel: Arc<str>,
    keys: [String; 2],
    run: Arc<str>,
}

/// What is to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The newest that a node has seen.
    pub(super) seen: Option<Position>,
    /// After which place; none for the newest events.
    pub(super) place: Option<Position>,
    /// How many of them, if there is no such place.
    pub(super) tail: usize,
    /// Up to which offset; 0 for all.
    pub(super) upto: u64,
}

/// What the script answers: see there.
type Answer = (String, u64, u64, u64, i64, i64, i64, u64, Vec<String>);

impl Read {
    pub(super) fn new(connection: MultiplexedConnection, names: &Names, channel: &Arc<str>, run: Arc<str>) -> Self {
        let keys = [names.standing(channel), names.history(channel)];
        Self { connection, channel: channel.clone(), keys, run }
    }

    /// Reads a stretch.
    pub(super) async fn read(&self, asked: &Asked) -> Result<Span, RedisError> {
        let mut script = scripts::READING.prepare_invoke();
        for key in &self.keys {
            script.key(key);
        }
        let of = |place: &Option<Position>| {
            place.as_ref().map_or((Arc::from(""), 0), |place| (place.epoch.clone(), place.offset))
        };
        let ((seen_epoch, seen), (epoch, after)) = (of(&asked.seen), of(&asked.place));
        script.arg(&*Engine::candidate()).arg(&*self.run).arg(&*seen_epoch).arg(seen).arg(limits::STANDING_MS);
        script.arg(&*epoch).arg(after).arg(asked.tail).arg(asked.upto);
        script.arg(limits::ENGINE_READ_EVENTS).arg(limits::ENGINE_READ_BYTES);
        let (epoch, _, head, after, began, _, _, floor, flat): Answer =
            script.invoke_async(&mut self.connection.clone()).await?;
        let epoch: Arc<str> = epoch.into();
        let mut events = Vec::with_capacity(flat.len() / 3);
        for event in flat.chunks_exact(3) {
            let [offset, at, record] = event else { break };
            let numbers = offset.parse().ok().zip(at.parse().ok());
            let heard = numbers.and_then(|(offset, at)| wire::heard(&self.channel, &epoch, offset, at, record));
            let Some(heard) = heard else {
                return Err(foreign("an event in the stream is none that a hub has written"));
            };
            if events.last().is_some_and(|last: &wire::Heard| heard.offset != last.offset + 1) {
                // Whoever took one out of the middle: it is as if the history began after it.
                events.clear();
            }
            events.push(heard);
        }
        Ok(Span { epoch, head, begun: (after, Timestamp::from_millis(began)), floor, events })
    }

    /// Reads everything after a place up to an offset, but no more than about so many bytes of it, the newest.
    pub(super) async fn all(
        &self,
        mut place: Position,
        seen: Position,
        upto: u64,
        bytes: usize,
    ) -> Result<Span, RedisError> {
        let mut all: Option<Span> = None;
        loop {
            let asked = Asked { seen: Some(seen.clone()), place: Some(place.clone()), tail: 0, upto };
            let span = self.read(&asked).await?;
            let last = span.events.last().map_or(upto, |event| event.offset);
            match &mut all {
                None => all = Some(span),
                Some(before) if before.epoch == span.epoch => {
                    before.floor = span.floor;
                    before.events.extend(span.events);
                }
                Some(before) => *before = span,
            }
            if let Some(all) = &mut all {
                let size: usize = all.events.iter().map(|event| event.line.len()).sum();
                if size > bytes.saturating_mul(2) {
                    all.events.drain(..all.events.len() / 2);
                }
            }
            if last >= upto {
                return all.ok_or_else(|| foreign("nothing was read"));
            }
            place.offset = last;
        }
    }
}

fn foreign(what: &'static str) -> RedisError {
    RedisError::from((redis::ErrorKind::UnexpectedReturnType, what))
}

/// Where a channel stands.
#[derive(Debug)]
pub(super) struct Standing {
    /// None if the engine knows nothing of it.
    pub(super) stand: Option<Stand>,
    /// How long ago a publisher was heard.
    pub(super) silent: Option<Duration>,
}

/// Asks where channels stand.
pub(super) async fn stands(
    connection: MultiplexedConnection,
    names: Names,
    channels: Vec<Arc<str>>,
) -> Result<Vec<(Arc<str>, Standing)>, RedisError> {
    let mut stands = Vec::with_capacity(channels.len());
    for some in channels.chunks(limits::PROOF_CHANNELS) {
        let mut pipe = redis::pipe();
        pipe.cmd("TIME");
        for channel in some {
            pipe.cmd("HMGET").arg(names.standing(channel)).arg(&["e", "o", "c", "h"]);
        }
        let answers: Vec<Vec<Option<String>>> = pipe.query_async(&mut connection.clone()).await?;
        let mut answers = answers.into_iter();
        let now = answers.next().and_then(|time| number(time.first()?.as_ref()).map(|seconds| seconds * 1000));
        for (channel, answer) in some.iter().zip(answers) {
            let [epoch, taken, head, heard] = answer.as_slice() else { continue };
            let stand = epoch.as_ref().map(|epoch| Stand {
                epoch: epoch.as_str().into(),
                taken: number(taken.as_ref()).unwrap_or_default(),
                head: number(head.as_ref()).unwrap_or_default(),
            });
            let silent =
                now.zip(number(heard.as_ref())).map(|(now, heard)| Duration::from_millis(now.saturating_sub(heard)));
            stands.push((channel.clone(), Standing { stand, silent }));
        }
    }
    Ok(stands)
}

fn number(text: Option<&String>) -> Option<u64> {
    text?.parse().ok()
}
