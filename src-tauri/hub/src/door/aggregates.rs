//! `GET /v1/aggregates` and `GET /v1/aggregates/ID`: what the aggregates of the hub's file come to.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Serialize;
use serde_json::Value;
use watchfloor_board::Aggregate;
use watchfloor_model::{Position, Timestamp};

use crate::{
    access::Rights,
    authorise::Withheld,
    clock::ClockReading,
    door::{Once, poll, snapshot, withheld},
    failure::{Failure, json},
    ledger::Reading,
    reconcile::Named,
    revocation::Peer,
    routes::Doorway,
};

#[derive(Serialize)]
struct List<'a> {
    aggregates: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    channels: &'a [String],
    fingerprint: String,
}

impl<'a> Entry<'a> {
    fn of(named: &'a Named) -> Self {
        Self { id: &named.id, channels: &named.fold.channels, fingerprint: fingerprint(named) }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    fingerprint: String,
    positions: BTreeMap<Arc<str>, Position>,
    clock: ClockReading,
    since: Option<Timestamp>,
    rejected: u64,
    value: Value,
}

async fn rights(door: &Doorway, headers: &HeaderMap) -> Result<Rights, Failure> {
    let live = door.hub.live();
    live.readers.prepare(headers).await;
    live.readers.admit(headers, door.hub.now())
}

fn forbids(rights: &Rights, named: &Named) -> Option<String> {
    rights.forbids(named.fold.channels.iter().map(String::as_str))
}

fn fingerprint(named: &Named) -> String {
    Aggregate::new(&named.fold).fingerprint().to_owned()
}

/// Those of which everything may be read.
pub(crate) async fn list(State(door): State<Doorway>, headers: HeaderMap, peer: Peer) -> Result<Response, Failure> {
    let rights = rights(&door, &headers).await?;
    let mut reader = Once::come(&door.hub, &headers, &rights, peer)?;
    let mut may = Vec::new();
    for named in door.hub.config.named.iter().filter(|named| forbids(&rights, named).is_none()) {
        let channels = channels(named);
        match reader.ask(&channels).await {
            Ok(()) => may.push((named, channels)),
            Err((_, Withheld::Denied)) => {}
            Err((channel, why)) => return Err(withheld(&channel, why)),
        }
    }
    let now = door.hub.now();
    let mine = {
        let mut state = door.hub.state();
        reader.read(&mut state, &[], now)?;
        may.retain(|(_, channels)| reader.has(&mut state, channels, now) && reader.unanswered(channels).is_none());
        may
    };
    Ok(json(&List { aggregates: mine.into_iter().map(|(named, _)| Entry::of(named)).collect() }))
}

fn channels(named: &Named) -> Vec<Arc<str>> {
    named.fold.channels.iter().map(|channel| channel.as_str().into()).collect()
}

/// What one comes to.
pub(crate) async fn answer(
    State(door): State<Doorway>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    peer: Peer,
) -> Result<Response, Failure> {
    let rights = rights(&door, &headers).await?;
    let unknown = || Failure::new(StatusCode::NOT_FOUND, "unknown-aggregate", "the hub's file has no such aggregate");
    let Ok(Path(id)) = id else { return Err(unknown()) };
    let named = door.hub.config.named.iter().find(|named| named.id == id).ok_or_else(unknown)?;
    if let Some(message) = forbids(&rights, named) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "denied", message));
    }
    let (fingerprint, now) = (fingerprint(named), door.hub.now());
    let channels = channels(named);
    let reader = Once::admit(&door.hub, &headers, &rights, peer, &channels).await?;
    if !snapshot::are_current(&door, &channels).await {
        return Err(poll::not_current());
    }
    let reading = {
        let mut state = door.hub.state();
        reader.read(&mut state, &channels, now)?;
        state.ledger_mut().read(&fingerprint, now).ok_or_else(unknown)?
    };
    let Reading { positions, clock, since, rejected, value } = reading;
    Ok(json(&Answer { id: &named.id, fingerprint, positions, clock, since, rejected, value }))
}
