//! Who calls the HTTP API, by the signature of his request. Source: Pusher's "Generating authentication signatures".

use axum::{
    body::Bytes,
    http::{Method, StatusCode, request::Parts},
};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use watchfloor_model::Timestamp;

use crate::{app::App, body::Taken, failure::Failure, limits};

/// Why a request isn't answered, as this API tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn of(failure: &Failure) -> Self {
        Self::new(failure.status(), failure.message())
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// A request of an application, proven.
pub(super) struct Signed {
    pub(super) app: App,
    parameters: Vec<(String, String)>,
    body: Taken,
}

impl Signed {
    /// Proves a request.
    ///
    /// # Errors
    /// `404` for an application that isn't here, `401` for a request that it has not signed, or not now.
    pub(super) fn check(apps: &[App], id: &str, head: &Parts, body: Taken, now: Timestamp) -> Result<Self, Refused> {
        let refused = |message: &str| Refused::new(StatusCode::UNAUTHORIZED, message);
        let app = apps.iter().find(|app| *app.id == *id);
        let app = app.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "there is no application of this id"))?;
        let query = head.uri.query().unwrap_or_default();
        let mut parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
            .collect();
        parameters.sort();
        if parameters.windows(2).any(|pair| matches!(pair, [(first, _), (second, _)] if first == second)) {
            return Err(refused("a parameter appears twice: expected each once"));
        }
        let value = |name| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        if value("auth_key") != Some(&*app.key) {
            return Err(refused("`auth_key` is not this application's key"));
        }
        if value("auth_version") != Some("1.0") {
            return Err(refused("`auth_version` is missing or another: expected 1.0"));
        }
        let signature = value("auth_signature").ok_or_else(|| refused("`auth_signature` is missing"))?;
        if !app.signed(&signed_text(&head.method, head.uri.path(), &parameters), signature) {
            return Err(refused("`auth_signature` is not the application's signature of this request"));
        }
        // What is signed can be believed to come from the application; whether it comes now can't before.
        let stamp = value("auth_timestamp").and_then(|stamp| stamp.parse::<i64>().ok());
        let stamp = stamp.ok_or_else(|| refused("`auth_timestamp` is missing or no number of seconds"))?;
        let age = now.as_millis().saturating_sub(stamp.saturating_mul(1000)).unsigned_abs();
        if u128::from(age) > limits::SIGNATURE_AGE_MAX.as_millis() {
            let message = "`auth_timestamp` is more than 600 s from the hub's time: is one of the clocks wrong?";
            return Err(refused(message));
        }
        let is_empty = body.bytes.is_empty();
        match value("body_md5") {
            None if is_empty => {}
            Some(sum) if is_sum(&body.bytes, sum) => {}
            None => return Err(refused("`body_md5` is missing: expected that of the body")),
            Some(_) => return Err(refused("`body_md5` is not that of the body")),
        }
        Ok(Self { app: app.clone(), parameters, body })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) const fn body(&self) -> &Bytes {
        &self.body.bytes
    }
}

/// What is signed: the method, the path as it was sent, and all parameters but the signature, in the order of their names.
fn signed_text(method: &Method, path: &str, parameters: &[(String, String)]) -> String {
    let pairs = parameters.iter().filter(|(name, _)| name != "auth_signature");
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{method}\n{path}\n{}", pairs.join("&"))
}

fn is_sum(body: &[u8], sum: &str) -> bool {
    let own = hex::encode(Md5::digest(body));
    own.as_bytes().ct_eq(sum.as_bytes()).into()
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::of(&failure)
    }
}

#[cfg(test)]
mod tests;
