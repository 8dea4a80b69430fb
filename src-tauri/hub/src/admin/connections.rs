//! `GET /v1/connections?user=7&channel=orders&after=0&limit=100`: who reads, in the order in which they came.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response, routing::get};
use serde::Serialize;
use watchfloor_model::Timestamp;

use super::audit::limit_of;
use crate::{
    failure::{Failure, json},
    limits,
    proxies::ClientAddress,
    revocation::{Door, Session},
    routes::{Doorway, Parameters, parameters},
    state::State as HubState,
};

pub(super) fn routes() -> Router<Doorway> {
    Router::new().route("/v1/connections", get(list))
}

#[derive(Serialize)]
struct Answer {
    connections: Vec<One>,
    /// What `after` is for the next page; none if there is none.
    next: Option<u64>,
}

#[derive(Serialize)]
struct One {
    connection: Arc<str>,
    door: Door,
    address: Option<ClientAddress>,
    app: Option<Arc<str>>,
    user: Option<Arc<str>>,
    token: Option<Arc<str>>,
    since: Timestamp,
    /// The first of them.
    channels: Vec<Arc<str>>,
    channel_count: usize,
}

impl One {
    fn of(session: &Session) -> Self {
        Self {
            connection: session.connection.clone(),
            door: session.door,
            address: session.address,
            app: session.app.clone(),
            user: session.user.clone(),
            token: session.token.clone(),
            since: session.since,
            channels: session.channels.keys().take(limits::ADMIN_CHANNELS_SHOWN).cloned().collect(),
            channel_count: session.channels.len(),
        }
    }
}

async fn list(State(door): State<Doorway>, query: Parameters) -> Result<Response, Failure> {
    let [user, channel, after, limit] = parameters(query, ["user", "channel", "after", "limit"])?;
    let limit = limit_of(limit.as_deref(), limits::ADMIN_PAGE_MAX)?;
    let after = after.as_deref().map_or(Some(0), |after| after.parse().ok());
    let after =
        after.ok_or_else(|| Failure::bad("bad-query", "`after` is no number: expected `next` of the page before"))?;
    let is_meant = |session: &Session| {
        user.as_deref().is_none_or(|user| session.has_user(user))
            && channel.as_deref().is_none_or(|channel| session.channels.contains_key(channel))
    };
    Ok(json(&page(&door.hub.state(), after, limit, is_meant)))
}

/// So many of those after this number who are meant.
fn page(state: &HubState, after: u64, limit: usize, is_meant: impl Fn(&Session) -> bool) -> Answer {
    let mut meant = state.sessions().after(after).filter(|(_, session)| is_meant(session));
    let (mut connections, mut last) = (Vec::new(), None);
    for (id, session) in meant.by_ref().take(limit) {
        connections.push(One::of(session));
        last = Some(id);
    }
    let next = last.filter(|_| meant.next().is_some());
    Answer { connections, next }
}
