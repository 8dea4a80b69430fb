//! `GET /v1/poll`: an answer when there is something to say.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    cursor,
    door::{Reader, words},
    failure::{Failure, json},
    limits, message,
    revocation::{Door, Peer, Seat, Why},
    routes::{Doorway, Parameters, parameters},
    subscription::Manner,
};

#[derive(Serialize)]
struct Answer {
    cursor: String,
    messages: Vec<Box<RawValue>>,
    heartbeat: Box<RawValue>,
}

/// Answers one call.
pub(crate) async fn answer(
    State(door): State<Doorway>,
    query: Parameters,
    headers: HeaderMap,
    peer: Peer,
) -> Result<Response, Failure> {
    let mut reader = Reader::admit(door, &headers, Manner::Call, (Door::Poll, peer)).await?;
    let [cursor, wait] = parameters(query, ["cursor", "wait_ms"])?;
    let Some(cursor) = cursor else {
        return Err(Failure::bad("bad-cursor", "`cursor` is missing: expected `channel~epoch:offset` or `channel~`"));
    };
    let places = cursor::parse(&cursor).map_err(|problem| Failure::bad("bad-cursor", problem))?;
    let wait = wait_of(wait.as_deref())?;
    reader.subscribe(places, false).await.map_err(|problem| problem.failure("bad-cursor"))?;
    let lines = next(&mut reader, wait).await?;
    let heartbeat = {
        let now = reader.hub.now();
        let state = reader.hub.state();
        if !reader.subscription.is_proven(&state, now.mono) {
            return Err(not_current());
        }
        reader.subscription.heartbeat(&state, now)
    };
    Ok(json(&Answer {
        cursor: reader.subscription.cursor(),
        messages: lines.iter().map(|line| message::raw(line)).collect(),
        heartbeat: message::raw(&heartbeat),
    }))
}

/// As an answer to who is ended while he waits.
fn ended(why: Why) -> Failure {
    let (code, message) = words(why);
    let status = match why {
        Why::Revoked => StatusCode::FORBIDDEN,
        Why::Unsure => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failure::new(status, code, message)
}

/// What a node answers that doesn't know whether what it has is the newest.
pub(super) fn not_current() -> Failure {
    let message =
        "this node can't reach its engine, and doesn't know what is the newest: come again, or to another node";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "not-current", message)
}

/// What comes next; nothing if nothing came in time or the hub stops.
async fn next(reader: &mut Reader, wait: Duration) -> Result<Vec<Arc<str>>, Failure> {
    let end = tokio::time::Instant::now() + wait;
    loop {
        reader.take_in().map_err(|problem| problem.failure("bad-cursor"))?;
        let lines = reader.next_batch(Seat::hold_until_flushed).map_err(ended)?;
        if !lines.is_empty() {
            return Ok(lines);
        }
        tokio::select! {
            biased;
            () = reader.stop.told() => return Ok(lines),
            () = reader.woken() => {}
            () = tokio::time::sleep_until(end) => return Ok(lines),
            () = reader.expiry_due(), if !reader.is_expired() => return Ok(lines),
        }
    }
}

fn wait_of(text: Option<&str>) -> Result<Duration, Failure> {
    let max = limits::POLL_WAIT_MS_MAX;
    let millis = match text {
        None => Some(limits::POLL_WAIT_MS),
        Some(text) => text.parse().ok().filter(|millis| *millis <= max),
    };
    millis.map(Duration::from_millis).ok_or_else(|| {
        let found: String = text.unwrap_or_default().chars().take(40).collect();
        Failure::bad("bad-query", format!("`wait_ms` is {found:?}: expected 0 to {max}"))
    })
}
