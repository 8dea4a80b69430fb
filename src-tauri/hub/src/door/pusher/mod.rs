//! Pusher Channels, protocol 7, and its HTTP API: what Laravel Echo, pusher-js and Pusher's server SDKs speak, with another host. Sources: Pusher's
//! "Pusher Channels Protocol" and "HTTP API reference".
//!
//! The protocol has no positions: who was away doesn't learn what he missed, and who is too slow is told to come back
//! (4200), after which he has to ask for what is true. That is why the hub's own doors exist.

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, Uri},
    response::Response,
    routing::get,
};
use serde::Deserialize;

use crate::{
    app::{App, Origins},
    audit::{Note, Who},
    door::socket::{self, Opening},
    failure::Failure,
    guard,
    metrics::{Door, Present},
    rates,
    revocation::Peer,
    routes::Doorway,
};

mod api;
mod order;
mod refusal;
mod session;
pub(crate) mod wire;

use refusal::Refusal;
use session::Session;

/// The addresses of this door.
pub(crate) fn routes() -> Router<Doorway> {
    Router::new().route("/app/{key}", get(open)).merge(api::routes())
}

/// The versions of the protocol that are spoken: what changed between them is what a client says, not what it hears.
const PROTOCOLS: std::ops::RangeInclusive<u32> = 5..=7;

#[derive(Deserialize)]
struct Asked {
    protocol: Option<String>,
}

/// Opens a connection. What is wrong with it is told on it, as clients of this protocol expect.
async fn open(
    State(door): State<Doorway>,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    uri: Uri,
    mut peer: Peer,
    opening: Opening,
) -> Result<Response, Failure> {
    let app = door.hub.live().apps.iter().find(|app| *app.key == *key).cloned();
    let refused = match rates::count_in(&door.hub, &mut peer, true) {
        Ok(()) => refused(app.as_ref(), &asked, guard::foreign_page(&headers, &uri)),
        Err(why) => Some((wire::Code::Later, why.brief())),
    };
    if let Some((code, reason)) = &refused {
        let who = Who { address: peer.address, app: app.as_ref().map(|app| app.id.clone()), ..Who::default() };
        let code = match code {
            wire::Code::Unauthorised => "origin",
            wire::Code::Later => "too-many",
            _ => "not-spoken",
        };
        door.hub.audit.refuse(Note { code, door: Some("pusher"), who, reason, ..Note::default() }, door.hub.now().wall);
    }
    Ok(opening.answer(async move |socket| match (app, refused) {
        (Some(app), None) => {
            let _present = Present::new(door.hub.clone(), Door::Pusher);
            socket::converse(socket, Session::new(door, app, peer)).await;
        }
        (_, Some(refusal)) => socket::converse(socket, Refusal::new(door.stop, refusal)).await,
        (None, None) => {}
    }))
}

/// Why nobody is let in here.
fn refused(app: Option<&App>, asked: &Asked, page: Option<&str>) -> Option<(wire::Code, &'static str)> {
    let Some(app) = app else { return Some((wire::Code::NoApp, "there is no application of this key")) };
    let is_allowed = match (&app.origins, page) {
        (_, None) | (Origins::Any, _) => true,
        (Origins::Own, Some(_)) => false,
        (Origins::These(allowed), Some(page)) => allowed.iter().any(|one| one.eq_ignore_ascii_case(page)),
    };
    if !is_allowed {
        return Some((wire::Code::Unauthorised, "pages of this origin may not connect"));
    }
    match asked.protocol.as_deref().map(str::parse) {
        None => Some((wire::Code::NoVersion, "`protocol` is missing: expected 7")),
        Some(Ok(version)) if PROTOCOLS.contains(&version) => None,
        Some(_) => Some((wire::Code::Version, "this version of the protocol is not spoken: expected 7")),
    }
}
