//! `GET /v1/health` and `GET /v1/ready`

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use serde::Serialize;

use crate::{
    failure::{Failure, json},
    routes::Doorway,
};

pub(super) fn routes() -> Router<Doorway> {
    Router::new().route("/v1/health", get(health)).route("/v1/ready", get(ready))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    /// Who reads at present.
    connections: usize,
    /// What stands against those who come.
    revocations: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<&'static str>,
}

/// The process lives, and its state is whole.
async fn health(State(door): State<Doorway>) -> Response {
    let (connections, revocations) = {
        let state = door.hub.state();
        (state.sessions().len(), state.standing().len())
    };
    let store = door.hub.keeps().map(|keeps| if keeps { "ok" } else { "failing" });
    json(&Health { status: "ok", connections, revocations, store })
}

/// Whether it is for readers and publishers to come here.
async fn ready(State(door): State<Doorway>) -> Result<Response, Failure> {
    #[derive(Serialize)]
    struct Ready {
        status: &'static str,
    }
    let unready = |message: &str| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", message);
    if !door.hub.is_served() {
        return Err(unready("the doors are shut: the hub begins, or goes down"));
    }
    if door.hub.keeps() == Some(false) {
        return Err(unready("the store can't be written: nothing can be published"));
    }
    Ok(json(&Ready { status: "ready" }))
}
