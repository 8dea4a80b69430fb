//! `GET /v1/snapshot`: the aggregates' state and where it is true.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;
use watchfloor_model::{Position, Timestamp};

use crate::{
    clock::ClockReading,
    door::{Once, poll},
    failure::{Failure, json},
    ledger::Cut,
    limits, publish,
    revocation::Peer,
    routes::{Doorway, Parameters, parameters},
};

#[derive(Serialize)]
struct Answer {
    positions: BTreeMap<Arc<str>, Position>,
    clock: ClockReading,
    since: Option<Timestamp>,
    aggregates: BTreeMap<String, Box<RawValue>>,
}

/// Answers one call.
pub(crate) async fn answer(
    State(door): State<Doorway>,
    query: Parameters,
    headers: HeaderMap,
    peer: Peer,
) -> Result<Response, Failure> {
    let live = door.hub.live();
    live.readers.prepare(&headers).await;
    let rights = live.readers.admit(&headers, door.hub.now())?;
    let [channels] = parameters(query, ["channels"])?;
    let channels = channels_of(channels.as_deref()).map_err(|problem| Failure::bad("bad-query", problem))?;
    if let Some(message) = rights.forbids(channels.iter().map(|channel| &**channel)) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "denied", message));
    }
    let reader = Once::admit(&door.hub, &headers, &rights, peer, &channels).await?;
    if !are_current(&door, &channels).await {
        return Err(poll::not_current());
    }
    let now = door.hub.now();
    let Cut { positions, clock, since, aggregates } = {
        let mut state = door.hub.state();
        reader.read(&mut state, &channels, now)?;
        state.snapshot(&channels, now)
    };
    Ok(json(&Answer { positions, clock, since, aggregates }))
}

/// Waits until it is known where the channels stand, if they are an engine's. Says whether it is.
pub(crate) async fn are_current(door: &Doorway, channels: &[Arc<str>]) -> bool {
    let mut waker = door.hub.wakers.register();
    waker.watch(channels.iter());
    let end = tokio::time::Instant::now() + limits::ENGINE_ANSWER;
    loop {
        let now = door.hub.now().mono;
        if channels.iter().all(|channel| door.hub.state().is_proven(channel, now)) {
            return true;
        }
        door.hub.want(&channels.iter().map(|channel| (channel.clone(), None)).collect());
        let soon = tokio::time::Instant::now() + limits::PROOF_PERIOD_MAX;
        tokio::select! {
            () = waker.woken() => {}
            () = tokio::time::sleep_until(soon.min(end)) => {
                if tokio::time::Instant::now() >= end {
                    return false;
                }
            }
        }
    }
}

fn channels_of(text: Option<&str>) -> Result<Vec<Arc<str>>, String> {
    let text = text.ok_or("`channels` is missing: expected channel names, separated by commas")?;
    let mut channels: Vec<_> = text.split(',').map(publish::channel).collect::<Result<_, _>>()?;
    channels.sort();
    channels.dedup();
    let (found, max) = (channels.len(), limits::SUBSCRIPTION_CHANNELS_MAX);
    if found > max { Err(format!("{found} channels: expected at most {max}")) } else { Ok(channels) }
}
