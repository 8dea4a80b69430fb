//! `POST /v1/revoke`: takes back what was given. It answers when no event goes out any more by what is meant.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
    routing::post,
};
use serde::{Deserialize, Serialize};
use watchfloor_model::Timestamp;

use crate::{
    app, body,
    failure::{Failure, json},
    limits, publish,
    revocation::{Revocation, Revoked, Target, Unrevoked, Whom},
    routes::Doorway,
};

pub(super) fn routes() -> Router<Doorway> {
    Router::new().route("/v1/revoke", post(revoke))
}

/// One revocation, as it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    user: Option<String>,
    token: Option<String>,
    connection: Option<String>,
    channel: Option<String>,
    app: Option<String>,
    ttl: Option<String>,
    /// Milliseconds since 1970.
    before: Option<i64>,
    reason: Option<String>,
}

/// One, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    List(Vec<serde_json::Value>),
    One(serde_json::Value),
}

#[derive(Serialize)]
struct Answer {
    connections: usize,
    cut_off: usize,
}

async fn revoke(State(door): State<Doorway>, request: Request) -> Result<Response, Failure> {
    body::form(request.headers(), false)?;
    let body = body::read(request, limits::REVOKE_BYTES_MAX, &door.hub.large_bodies).await?;
    let (list, reasons) = read(&door, &body.bytes).map_err(|problem| Failure::bad("bad-revocation", problem))?;
    let told = door.hub.revoke(&list).await;
    for (revocation, reason) in list.iter().zip(&reasons) {
        let count = told.as_ref().ok().map(|revoked| revoked.connections as u64);
        door.hub.note_revocation(revocation, reason.as_deref().unwrap_or("by the admin API"), count);
    }
    match told {
        Ok(Revoked { connections, cut_off }) => Ok(json(&Answer { connections, cut_off })),
        Err(unrevoked) => {
            let code = match unrevoked {
                Unrevoked::Full => "revocations-full",
                Unrevoked::Unkept | Unrevoked::Untold => "store-failing",
                Unrevoked::Unanswered => "nodes-unsure",
            };
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, code, unrevoked.to_string()))
        }
    }
}

/// Reads what is asked for, with the reasons.
fn read(door: &Doorway, body: &[u8]) -> Result<(Vec<Revocation>, Vec<Option<String>>), String> {
    let broken = |error: serde_json::Error| {
        format!("the body: {error}: expected an object such as {{\"user\": \"7\"}}, or an array of them")
    };
    let list = match serde_json::from_slice(body).map_err(broken)? {
        Body::List(list) => list,
        Body::One(one) => vec![one],
    };
    let max = limits::REVOCATIONS_A_REQUEST_MAX;
    if list.is_empty() || list.len() > max {
        return Err(format!("{} revocations: expected 1 to {max}", list.len()));
    }
    let mut revocations = Vec::new();
    let mut reasons = Vec::new();
    for (index, one) in list.into_iter().enumerate() {
        let problem = |problem: String| format!("revocation {}: {problem}", index + 1);
        let asked: Asked = serde_json::from_value(one).map_err(|error| problem(error.to_string()))?;
        reasons.push(asked.reason.clone());
        revocations.push(revocation(door, asked).map_err(problem)?);
    }
    Ok((revocations, reasons))
}

fn revocation(door: &Doorway, asked: Asked) -> Result<Revocation, String> {
    let Asked { user, token, connection, channel, app, ttl, before, reason: _ } = asked;
    let live = door.hub.live();
    let known = |id: &String| {
        live.apps.iter().find(|app| *app.id == **id).ok_or_else(|| format!("there is no application {id:?}"))
    };
    let of_app = app.as_ref().map(known).transpose()?;
    let named = |what: &str, text: &str| match (1..=limits::CLAIM_BYTES_MAX).contains(&text.len()) {
        true => Ok(Arc::<str>::from(text)),
        false => Err(format!("`{what}` has {} bytes: expected 1 to {}", text.len(), limits::CLAIM_BYTES_MAX)),
    };
    let channel = match (&channel, of_app) {
        (None, _) => None,
        (Some(name), Some(app)) => {
            app::check_channel(name)?;
            Some(app.inside(name))
        }
        (Some(name), None) => Some(publish::channel(name)?),
    };
    let ttl = ttl.map(|text| duration(&text)).transpose()?;
    let whom = match (user, token, connection) {
        (Some(user), None, None) => Whom::User { app: of_app.map(|app| app.id.clone()), id: named("user", &user)? },
        (None, Some(token), None) => Whom::Token(named("token", &token)?),
        (None, None, Some(connection)) => {
            if ttl.is_some() {
                return Err("nothing stands against a connection: leave `ttl` out".to_owned());
            }
            Whom::Connection(named("connection", &connection)?)
        }
        (None, None, None) if channel.is_some() => Whom::Everybody,
        (None, None, None) => {
            return Err("nobody is named: expected `user`, `token`, `connection` or `channel`".to_owned());
        }
        _ => return Err("several are named: expected one of `user`, `token` and `connection`".to_owned()),
    };
    let before = before.map(|millis| match (limits::TIME_MS_MIN..=limits::TIME_MS_MAX).contains(&millis) {
        true => Ok(Timestamp::from_millis(millis)),
        false => Err(format!("`before` is {millis}: expected milliseconds since 1970")),
    });
    Ok(Revocation {
        target: Target { whom, channel },
        ttl: ttl.unwrap_or_else(|| live.readers.keys.life_max()),
        before: before.transpose()?,
    })
}

/// For how long it stands.
fn duration(text: &str) -> Result<Duration, String> {
    let max = limits::TOKEN_LIFE_MAX;
    let found = watchfloor_settings::duration::parse(text).ok().filter(|found| *found <= max);
    found.ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        format!("`ttl` is {text:?}: expected a duration such as `1h` or `30d`, at most {} days", max.as_secs() / 86_400)
    })
}
