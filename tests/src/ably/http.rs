//! The service on a port: the WebSocket at `/`, and what is asked over HTTP.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::interval};

use super::{
    access::{Pass, now},
    service::{Out, Service},
};

pub(super) type Shared = Arc<Mutex<Service>>;
type Asked = Query<BTreeMap<String, String>>;

pub(super) fn held(service: &Shared) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn routes(service: Shared) -> Router {
    Router::new()
        .route("/", any(socket))
        .route("/time", get(async || Json(json!([now()]))))
        .route("/channels/{name}/messages", get(messages))
        .route("/channels/{name}/presence", get(presence))
        .route("/keys/{name}/requestToken", post(request_token))
        .route("/signed/{name}", get(signed))
        .route("/token/{name}", post(token))
        .with_state(service)
}

async fn socket(State(service): State<Shared>, Query(query): Asked, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| carry(service, query, socket))
}

/// A connection, from its beginning to its end.
async fn carry(service: Shared, query: BTreeMap<String, String>, mut socket: WebSocket) {
    let wants_heartbeats = query.get("heartbeats").is_some_and(|wants| wants == "true");
    let (out, mut said) = mpsc::unbounded_channel();
    let (link, idle) = {
        let mut service = held(&service);
        (service.open(query, out), service.settings.max_idle_interval)
    };
    let mut beat = interval(idle);
    beat.reset();
    loop {
        let went = tokio::select! {
            said = said.recv() => match said {
                Some(Out::Text(text)) => socket.send(Message::Text(text.into())).await,
                Some(Out::Close) | None => socket.send(Message::Close(None)).await.and(Err(axum::Error::new("closed"))),
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => {
                    held(&service).hear(link, text.as_str());
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => Ok(()),
            },
            _ = beat.tick() => {
                let is_frozen = held(&service).settings.frozen;
                match wants_heartbeats {
                    true => {
                        held(&service).idle(link);
                        Ok(())
                    }
                    false if is_frozen => Ok(()),
                    false => socket.send(Message::Ping(Vec::new().into())).await,
                }
            }
        };
        if went.is_err() {
            break;
        }
    }
    held(&service).closed(link);
}

/// An answer that says no.
fn refusal(error: &Value) -> Response {
    let status = error["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "error": error }))).into_response()
}

fn admit(service: &Service, headers: &HeaderMap, operation: &str, channel: &str) -> Result<Pass, Value> {
    let line = headers.get(header::AUTHORIZATION).and_then(|line| line.to_str().ok()).unwrap_or_default();
    let pass = service.access.admit_header(line)?;
    if pass.may(operation, channel) {
        Ok(pass)
    } else {
        Err(super::access::error(40160, 401, &format!("action not permitted: {operation}")))
    }
}

/// A channel's history, page by page.
async fn messages(
    State(service): State<Shared>,
    Path(name): Path<String>,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    let service = held(&service);
    if let Err(error) = admit(&service, &headers, "history", &name) {
        return refusal(&error);
    }
    let Some(channel) = service.channel(&name) else { return Json(json!([])).into_response() };
    let number = |name: &str| asked.get(name).and_then(|text| text.parse::<usize>().ok());
    let serial = asked.get("fromSerial").or_else(|| asked.get("from_serial"));
    let end = match serial.map(|serial| channel.place(serial)) {
        None => channel.said.len(),
        Some(Some(place)) => place,
        Some(None) => return refusal(&super::access::error(40000, 400, "fromSerial: no serial of this channel")),
    };
    let within = |message: &Value| {
        let (time, at) =
            (message["timestamp"].as_i64().unwrap_or_default(), |name: &str| asked.get(name)?.parse().ok());
        at("start").is_none_or(|start: i64| time >= start) && at("end").is_none_or(|end: i64| time <= end)
    };
    let mut all: Vec<Value> = channel.history(end).into_iter().filter(within).collect();
    if asked.get("direction").is_none_or(|direction| direction != "forwards") {
        all.reverse();
    }
    let limit = number("limit").unwrap_or(100).clamp(1, service.settings.page_max);
    let from = number("cursor").unwrap_or_default().min(all.len());
    let to = (from + limit).min(all.len());
    let mut response = Json(&all[from..to]).into_response();
    let query = |cursor: usize| {
        let kept =
            asked.iter().filter(|(key, _)| *key != "cursor").map(|(key, value)| format!("{key}={}&", encoded(value)));
        kept.collect::<String>() + &format!("cursor={cursor}")
    };
    let mut link = |relation: &str, cursor| {
        let line = format!("<./messages?{}>; rel=\"{relation}\"", query(cursor));
        if let Ok(line) = HeaderValue::from_str(&line) {
            response.headers_mut().append(header::LINK, line);
        }
    };
    link("first", 0);
    if to < all.len() {
        link("next", to);
    }
    response
}

/// What can't stand in a query.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

async fn presence(State(service): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let service = held(&service);
    if let Err(error) = admit(&service, &headers, "presence", &name) {
        return refusal(&error);
    }
    let members: Vec<&Value> =
        service.channel(&name).into_iter().flat_map(|channel| channel.members.values()).collect();
    Json(members).into_response()
}

async fn request_token(
    State(service): State<Shared>,
    Path(name): Path<String>,
    Json(request): Json<Value>,
) -> Response {
    match held(&service).access.requested(&name, &request) {
        Ok(details) => (StatusCode::CREATED, Json(details)).into_response(),
        Err(error) => refusal(&error),
    }
}

/// The site's own: a request for a token, signed, as clients of the service get it.
async fn signed(State(service): State<Shared>, Path(name): Path<String>) -> Response {
    match held(&service).access.signed(&name, "page") {
        Some(request) => Json(request).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The site's own: a token, as a wall gets it.
async fn token(State(service): State<Shared>, Path(name): Path<String>) -> Response {
    match held(&service).access.token(&name, None) {
        Some(token) => Json(json!({ "token": token, "expires_in": 3600 })).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
