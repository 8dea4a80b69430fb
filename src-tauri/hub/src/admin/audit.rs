//! `GET /v1/audit?limit=100`: the newest entries of the audit log, the newest first.

use axum::{Router, extract::State, response::Response, routing::get};
use serde::Serialize;

use crate::{
    audit::Entry,
    failure::{Failure, json},
    limits,
    routes::{Doorway, Parameters, parameters},
};

pub(super) fn routes() -> Router<Doorway> {
    Router::new().route("/v1/audit", get(newest))
}

#[derive(Serialize)]
struct Answer {
    entries: Vec<Entry>,
}

async fn newest(State(door): State<Doorway>, query: Parameters) -> Result<Response, Failure> {
    let [limit] = parameters(query, ["limit"])?;
    let limit = limit_of(limit.as_deref(), 2 * limits::AUDIT_ENTRIES_MAX)?;
    Ok(json(&Answer { entries: door.hub.audit.newest(limit) }))
}

/// How many are asked for.
pub(super) fn limit_of(text: Option<&str>, max: usize) -> Result<usize, Failure> {
    let found = match text {
        None => Some(limits::ADMIN_PAGE),
        Some(text) => text.parse().ok().filter(|limit| (1..=max).contains(limit)),
    };
    found.ok_or_else(|| {
        let text: String = text.unwrap_or_default().chars().take(40).collect();
        Failure::bad("bad-query", format!("`limit` is {text:?}: expected 1 to {max}"))
    })
}
