//! What a request that can't be met is answered with.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::refusal::Refused;

/// An HTTP error answer: `{"error": {"code": "…", "message": "…"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// The audit log has it already.
    is_noted: bool,
    /// When it may be tried again.
    after: Option<Duration>,
}

/// The code of a refusal, beside its answer, for who counts them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) &'static str);

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'a str,
    message: &'a str,
}

impl Failure {
    /// `code` is for programs and never changes; `message` is for people: what was found, what was expected.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), is_noted: false, after: None }
    }

    /// One after which it may be tried again so much later.
    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after: Some(after), ..self }
    }

    /// One that the audit log has already.
    pub(crate) fn noted(self) -> Self {
        Self { is_noted: true, ..self }
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// `400`
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = Body { error: Detail { code: self.code, message: &self.message } };
        let mut response = json(&body);
        *response.status_mut() = self.status;
        response.extensions_mut().insert(Code(self.code));
        let refused = Refused { code: self.code, message: self.message.as_str().into(), is_noted: self.is_noted };
        response.extensions_mut().insert(refused);
        if let Some(after) = self.after {
            // Whole seconds, and not too early.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A `200` with this value, not to be kept by any cache.
pub(crate) fn json<T: Serialize>(value: &T) -> Response {
    let text = serde_json::to_string(value).expect("the hub's own answers have text keys and no failing fields");
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ],
        text,
    )
        .into_response()
}
