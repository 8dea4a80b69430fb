//! What is asked by who looks after the hub, on a listener of its own and never at the doors: revocations, who reads, the audit log, health.
//!
//! One file a route: each has `routes()`, which [`router`] merges, behind the token or before it.

mod audit;
mod connections;
mod health;
mod revoke;
mod serve;

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

pub(crate) use serve::serve;

use crate::{
    failure::Failure,
    guard::{self, HostRule, bearer},
    hub::Shared,
    metrics,
    routes::Doorway,
    stop::Stop,
};

/// All of it.
fn router(hub: Arc<Shared>, stop: Stop, rule: HostRule) -> Router {
    let trusted = Router::new()
        .merge(revoke::routes())
        .merge(connections::routes())
        .merge(audit::routes())
        .route("/metrics", get(metrics::scraped))
        .route("/status", get(metrics::looked_at))
        .route_layer(middleware::from_fn_with_state(hub.clone(), check_token));
    // What looks whether a hub is alive has no token.
    let open = Router::new().merge(health::routes());
    trusted
        .merge(open)
        .fallback(|| async { Failure::new(StatusCode::NOT_FOUND, "not-found", "no such address: see docs/hub.md") })
        .method_not_allowed_fallback(|| async {
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this address takes another method")
        })
        .layer(middleware::from_fn_with_state(rule, guard::check_origin))
        .layer(middleware::from_fn_with_state(hub.clone(), crate::refusal::note))
        .with_state(Doorway { hub, stop })
}

/// Refuses who doesn't have the token, if there is one.
async fn check_token(State(hub): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Some(token) = hub.live().admin_token.clone() else { return next.run(request).await };
    let checked = bearer(request.headers(), "the admin token").and_then(|presented| match token.matches(presented) {
        true => Ok(()),
        false => Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthorised", "the token is not this hub's admin token")),
    });
    match checked {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}
