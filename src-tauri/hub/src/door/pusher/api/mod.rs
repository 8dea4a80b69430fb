//! Pusher's HTTP API, as its server SDKs and Laravel call it. Each request is signed by the application's secret. Source: Pusher's
//! "HTTP API reference".

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

use crate::{
    app::{self, Kind},
    body,
    engine::Order,
    failure::json,
    limits,
    routes::Doorway,
    state::{Outcome, State as HubState},
};

mod event;
mod signed;

use signed::{Refused, Signed};

/// The addresses of this API.
pub(super) fn routes() -> Router<Doorway> {
    Router::new()
        .route("/apps/{id}/events", post(events))
        .route("/apps/{id}/batch_events", post(batch))
        .route("/apps/{id}/channels", get(channels))
        .route("/apps/{id}/channels/{channel}", get(channel))
        .route("/apps/{id}/channels/{channel}/users", get(users))
        .route("/apps/{id}/users/{user}/terminate_connections", post(terminate))
        .route("/apps/{id}/connections", get(connections))
}

/// What is told of a channel, as far as it was asked for.
#[derive(Debug, Default, Serialize)]
struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    occupied: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_count: Option<usize>,
}

/// What may be asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Info {
    user_count: bool,
    subscription_count: bool,
}

impl Info {
    fn read(text: Option<&str>) -> Self {
        let has = |name| text.is_some_and(|text| text.split(',').any(|one| one.trim() == name));
        Self { user_count: has("user_count"), subscription_count: has("subscription_count") }
    }

    fn of(self, state: &HubState, channel: &str, name: &str) -> About {
        let people = state.people();
        let is_presence = Kind::of(name) == Kind::Presence;
        About {
            occupied: None,
            user_count: (self.user_count && is_presence).then(|| people.present(channel).count()),
            subscription_count: self.subscription_count.then(|| people.count(channel)),
        }
    }
}

async fn read(door: &Doorway, id: &str, request: Request) -> Result<Signed, Refused> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let read = body::read(request, limits::BODY_BYTES_MAX, &door.hub.large_bodies).await;
    let body = read.map_err(|failure| Refused::of(&failure))?;
    Signed::check(&door.hub.live().apps, id, &parts, body, door.hub.now().wall)
}

async fn events(State(door): State<Doorway>, Path(id): Path<String>, request: Request) -> Result<Response, Refused> {
    let signed = read(&door, &id, request).await?;
    let event = event::read(signed.body(), false)?;
    let [event] = event.as_slice() else { return Err(Refused::bad("expected one event")) };
    publish(&door, &signed, std::slice::from_ref(event)).await?;
    let Some(info) = &event.info else { return Ok(json(&BTreeMap::<String, ()>::new())) };
    let state = door.hub.state();
    let info = Info::read(Some(info));
    let about = |name: &String| (name.clone(), info.of(&state, &signed.app.inside(name), name));
    let channels: BTreeMap<_, _> = event.channels.iter().map(about).collect();
    Ok(json(&BTreeMap::from([("channels", channels)])))
}

async fn batch(State(door): State<Doorway>, Path(id): Path<String>, request: Request) -> Result<Response, Refused> {
    let signed = read(&door, &id, request).await?;
    let events = event::read(signed.body(), true)?;
    publish(&door, &signed, &events).await?;
    if events.iter().all(|event| event.info.is_none()) {
        return Ok(json(&BTreeMap::<String, ()>::new()));
    }
    let state = door.hub.state();
    let about = |event: &event::Triggered| {
        let name = event.channels.first().map_or("", String::as_str);
        Info::read(event.info.as_deref()).of(&state, &signed.app.inside(name), name)
    };
    Ok(json(&BTreeMap::from([("batch", events.iter().map(about).collect::<Vec<_>>())])))
}

async fn publish(door: &Doorway, signed: &Signed, events: &[event::Triggered]) -> Result<(), Refused> {
    let batch = events.iter().flat_map(|event| event.incoming(&signed.app)).collect();
    match door.hub.publish(batch, None).await {
        Outcome::Refused(refused) => Err(Refused::new(StatusCode::BAD_REQUEST, refused.message)),
        Outcome::Unkept(_) => Err(Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the hub's store can't be written: come again later".to_owned(),
        )),
        Outcome::Published(_) | Outcome::Placed(_) | Outcome::Repeated(_) | Outcome::KeyReused => Ok(()),
    }
}

async fn channels(State(door): State<Doorway>, Path(id): Path<String>, request: Request) -> Result<Response, Refused> {
    let signed = read(&door, &id, request).await?;
    let beginning = signed.parameter("filter_by_prefix").unwrap_or_default();
    let info = Info::read(signed.parameter("info"));
    if info.user_count && !beginning.starts_with("presence-") {
        return Err(Refused::bad(
            "`user_count` is known of presence channels only: set `filter_by_prefix` to presence-",
        ));
    }
    let state = door.hub.state();
    let inside = signed.app.inside(beginning);
    let channels: BTreeMap<_, _> = state
        .people()
        .occupied(&inside)
        .map(|(channel, _)| (signed.app.outside(channel), channel))
        // The first application's channels begin like all others' inside.
        .filter(|(name, _)| app::check_channel(name).is_ok())
        .map(|(name, channel)| (name.to_owned(), info.of(&state, channel, name)))
        .collect();
    Ok(json(&BTreeMap::from([("channels", channels)])))
}

async fn channel(
    State(door): State<Doorway>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    let signed = read(&door, &id, request).await?;
    app::check_channel(&name).map_err(Refused::bad)?;
    let info = Info::read(signed.parameter("info"));
    if info.user_count && Kind::of(&name) != Kind::Presence {
        return Err(Refused::bad("`user_count` is known of presence channels only"));
    }
    let state = door.hub.state();
    let channel = signed.app.inside(&name);
    let occupied = Some(state.people().count(&channel) > 0);
    Ok(json(&About { occupied, ..info.of(&state, &channel, &name) }))
}

async fn users(
    State(door): State<Doorway>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct User {
        id: String,
    }
    let signed = read(&door, &id, request).await?;
    app::check_channel(&name).map_err(Refused::bad)?;
    if Kind::of(&name) != Kind::Presence {
        return Err(Refused::bad("who is there is known of presence channels only"));
    }
    let state = door.hub.state();
    let channel = signed.app.inside(&name);
    let users: Vec<_> = state.people().present(&channel).map(|(id, _)| User { id: id.to_string() }).collect();
    Ok(json(&BTreeMap::from([("users", users)])))
}

async fn terminate(
    State(door): State<Doorway>,
    Path((id, user)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    let signed = read(&door, &id, request).await?;
    app::check_user(&user).map_err(Refused::bad)?;
    let order = Order::Terminate { app: signed.app.id.clone(), user: user.into() };
    if !door.hub.order(&order).await {
        let why = "not all nodes have answered that they have ended them: come again".to_owned();
        return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, why));
    }
    Ok(json(&BTreeMap::<String, ()>::new()))
}

async fn connections(
    State(door): State<Doorway>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let signed = read(&door, &id, request).await?;
    let count = door.hub.state().people().connections(&signed.app.id);
    Ok(json(&BTreeMap::from([("connections", count)])))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
            code: u16,
        }
        let mut response = json(&Body { error: self.message(), code: self.status().as_u16() });
        *response.status_mut() = self.status();
        response
    }
}
