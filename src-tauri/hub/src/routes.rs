//! Which address leads where.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware,
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use watchfloor_model::limits as event_limits;

use crate::{
    body,
    clock::ClockOrder,
    door::{aggregates, poll, presence, pusher, snapshot, sse, websocket},
    failure::{Failure, json},
    guard::{self, HostRule},
    hub::Shared,
    idempotency::{Known, Positions},
    limits, metrics,
    publish::{self, Form, Refused},
    rates, refusal,
    state::{Key, Outcome, Placed, Unkept},
    stop::Stop,
};

/// What every door needs.
#[derive(Clone)]
pub(crate) struct Doorway {
    pub(crate) hub: Arc<Shared>,
    pub(crate) stop: Stop,
}

/// The parameters of an address, each at most once.
pub(crate) type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// All doors.
pub(crate) fn router(hub: Arc<Shared>, stop: Stop, rule: HostRule) -> Router {
    let publishing = Router::new()
        .route("/v1/publish", post(publish))
        .route("/v1/receive", post(receive))
        .route("/v1/alive", post(alive))
        .route("/v1/clock", post(clock))
        .route("/metrics", get(metrics::scraped))
        .route("/status", get(metrics::looked_at))
        .route_layer(middleware::from_fn_with_state(hub.clone(), guard::check_token));
    let reading = Router::new()
        .route("/v1/ws", get(websocket::open))
        .route("/v1/sse", get(sse::open))
        .route("/v1/poll", get(poll::answer))
        .route("/v1/snapshot", get(snapshot::answer))
        .route("/v1/aggregates", get(aggregates::list))
        .route("/v1/aggregates/{id}", get(aggregates::answer))
        .route("/v1/channels/{name}/presence", get(presence::members))
        .route("/v1/health", get(health));
    let own = publishing
        .merge(reading)
        .fallback(|| async { Failure::new(StatusCode::NOT_FOUND, "not-found", "no such address: see docs/hub.md") })
        .method_not_allowed_fallback(|| async {
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this address takes another method")
        })
        .layer(middleware::from_fn_with_state(rule, guard::check_origin));
    // Pages of other sites come by it, if its application says so.
    let pusher = pusher::routes().layer(middleware::from_fn_with_state(rule, guard::check_host));
    let counted = middleware::from_fn_with_state(hub.clone(), metrics::count_refusals);
    let noted = middleware::from_fn_with_state(hub.clone(), refusal::note);
    let limited = middleware::from_fn_with_state(hub.clone(), rates::limit);
    own.merge(pusher).layer(limited).layer(counted).layer(noted).with_state(Doorway { hub, stop })
}

/// Takes the named parameters out of an address.
///
/// # Errors
/// `400` for one that is unknown, given twice or badly encoded.
pub(crate) fn parameters<const N: usize>(found: Parameters, names: [&str; N]) -> Result<[Option<String>; N], Failure> {
    let Query(found) = found.map_err(|error| Failure::bad("bad-query", error.body_text()))?;
    let mut values = [const { None }; N];
    for (name, value) in found {
        let Some(index) = names.iter().position(|known| *known == name) else {
            let known = names.join(", ");
            return Err(Failure::bad("bad-query", format!("unknown parameter {name:?}: expected {known}")));
        };
        if values[index].replace(value).is_some() {
            return Err(Failure::bad("bad-query", format!("parameter {name} appears twice: expected it once")));
        }
    }
    Ok(values)
}

#[derive(Serialize)]
struct Accepted {
    positions: Vec<String>,
}

async fn publish(State(door): State<Doorway>, request: Request) -> Result<Response, Failure> {
    let form = body::form(request.headers(), true)?;
    let key = key(request.headers())?;
    let body = body::read(request, limits::BODY_BYTES_MAX, &door.hub.large_bodies).await?;
    // Reading a large batch takes milliseconds, in which the connections of this thread would have to wait.
    if body.bytes.len() <= limits::LARGE_BODY_BYTES {
        return take(&door.hub, form, key.as_deref(), &body.bytes).await;
    }
    let runtime = tokio::runtime::Handle::current();
    let task =
        tokio::task::spawn_blocking(move || runtime.block_on(take(&door.hub, form, key.as_deref(), &body.bytes)));
    let broken = |_| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the hub failed on this batch");
    task.await.map_err(broken)?
}

/// Takes what somebody posts in a form of his own as the data of one event.
async fn receive(State(door): State<Doorway>, found: Parameters, request: Request) -> Result<Response, Failure> {
    let [channel, name] = parameters(found, ["channel", "name"])?;
    let channel =
        channel.ok_or_else(|| Failure::bad("bad-query", "parameter channel is missing: expected a channel"))?;
    body::form(request.headers(), false)?;
    let body = body::read(request, event_limits::DATA_BYTES_MAX, &door.hub.large_bodies).await?;
    let event = publish::received(&channel, name.as_deref(), &body.bytes).map_err(refused)?;
    match door.hub.publish(vec![event], None).await {
        Outcome::Published(published) => Ok(json(&Accepted { positions: published.positions.texts() })),
        Outcome::Placed(placed) => Ok(self::placed(&placed)),
        Outcome::Refused(reason) => Err(refused(reason)),
        Outcome::Unkept(reason) => Err(unkept(reason)),
        Outcome::Repeated(_) | Outcome::KeyReused => Err(key_reused()),
    }
}

async fn take(hub: &Shared, form: Form, key: Option<&str>, body: &Bytes) -> Result<Response, Failure> {
    let key = key.map(|text| Key { text, digest: Shared::digest(form, body) });
    // A batch that was taken before is not read again: only its key counts.
    if let Some(key) = key {
        match hub.known(key).await.map_err(unkept)? {
            Known::New => {}
            Known::Same(positions) => return Ok(repeated(&positions)),
            Known::Other => return Err(key_reused()),
        }
    }
    let batch = publish::parse(body, form).map_err(refused)?;
    match hub.publish(batch, key).await {
        Outcome::Published(published) => Ok(json(&Accepted { positions: published.positions.texts() })),
        Outcome::Placed(placed) => Ok(self::placed(&placed)),
        Outcome::Repeated(positions) => Ok(repeated(&positions)),
        Outcome::KeyReused => Err(key_reused()),
        Outcome::Refused(reason) => Err(refused(reason)),
        Outcome::Unkept(reason) => Err(unkept(reason)),
    }
}

/// Nothing was told to anybody; but what is offered to the store may be kept later.
pub(crate) fn unkept(reason: Unkept) -> Failure {
    let (code, why) = unkept_words(reason);
    let message =
        format!("{why}: send it again later, with an `Idempotency-Key` that stays the same, for it may be kept yet");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
}

/// The code, and why in words.
pub(crate) const fn unkept_words(reason: Unkept) -> (&'static str, &'static str) {
    match reason {
        Unkept::Failing => ("store-failing", "the hub's store can't be written"),
        Unkept::Slow => ("store-slow", "the hub's store doesn't answer in time"),
        Unkept::Full => ("store-full", "too much waits for the hub's store"),
    }
}

fn placed(placed: &Placed) -> Response {
    let accepted = Accepted { positions: placed.positions.iter().map(ToString::to_string).collect() };
    if placed.repeated { replayed(&accepted) } else { json(&accepted) }
}

fn repeated(positions: &Positions) -> Response {
    replayed(&Accepted { positions: positions.texts() })
}

fn replayed(accepted: &Accepted) -> Response {
    let mut response = json(accepted);
    response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    response
}

fn key_reused() -> Failure {
    let message = "`Idempotency-Key` was used with another body: expected a new key for a new batch";
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", message)
}

fn refused(reason: Refused) -> Failure {
    let status = match reason.code {
        "too-fast" => StatusCode::TOO_MANY_REQUESTS,
        "store-failing" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let failure = Failure::new(status, reason.code, reason.message);
    if status == StatusCode::TOO_MANY_REQUESTS { failure.after(Duration::from_secs(1)) } else { failure }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let sound = (1..=limits::KEY_BYTES_MAX).contains(&value.len())
        && value.as_bytes().iter().all(|b| (b' '..=b'~').contains(b));
    match value.to_str() {
        Ok(text) if sound => Ok(Some(text.to_owned())),
        _ => {
            let max = limits::KEY_BYTES_MAX;
            let message = format!("`Idempotency-Key` is malformed: expected 1 to {max} printable ASCII characters");
            Err(Failure::bad("bad-key", message))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alive {
    channels: Vec<String>,
}

async fn alive(State(door): State<Doorway>, request: Request) -> Result<StatusCode, Failure> {
    body::form(request.headers(), false)?;
    let body = body::read(request, limits::LARGE_BODY_BYTES, &door.hub.large_bodies).await?;
    let Alive { channels } = serde_json::from_slice(&body.bytes)
        .map_err(|error| Failure::bad("bad-request", format!("the sign of life: {error}")))?;
    let max = limits::SUBSCRIPTION_CHANNELS_MAX;
    if channels.is_empty() || channels.len() > max {
        let found = channels.len();
        return Err(Failure::bad("bad-request", format!("`channels` has {found}: expected 1 to {max}")));
    }
    let channels: Result<BTreeSet<_>, _> = channels.iter().map(|name| publish::channel(name)).collect();
    let channels = channels.map_err(|problem| Failure::bad("bad-request", problem))?;
    door.hub.alive(&channels).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clock(State(door): State<Doorway>, request: Request) -> Result<StatusCode, Failure> {
    body::form(request.headers(), false)?;
    let body = body::read(request, limits::LARGE_BODY_BYTES, &door.hub.large_bodies).await?;
    let order = ClockOrder::parse(&body.bytes).map_err(|problem| Failure::bad("bad-clock", problem))?;
    if door.hub.engine.is_some() {
        let message =
            "this hub is several nodes on an engine, and goes by the engine's time: expected a hub without one";
        return Err(Failure::new(StatusCode::CONFLICT, "clock-of-engine", message));
    }
    door.hub.set_clock(&order);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    epoch: Arc<str>,
    channels: usize,
    subscriptions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<&'static str>,
}

async fn health(State(door): State<Doorway>) -> Response {
    let subscriptions = door.hub.wakers.readers();
    let (epoch, channels) = {
        let state = door.hub.state();
        (state.ledger().epoch().clone(), state.ledger().channels())
    };
    // Readers are served whatever becomes of the store, and walls ask here whether they would be.
    let store = door.hub.keeps().map(|keeps| if keeps { "ok" } else { "failing" });
    json(&Health { status: "ok", epoch, channels, subscriptions, store })
}
