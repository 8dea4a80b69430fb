//! Request bodies: what they say they are, and how much of them is read.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{failure::Failure, limits, publish::Form};

/// How the body holds its events.
///
/// # Errors
/// `415` for every type but `application/json` and, if `lines` are taken, `application/x-ndjson`. A page in a browser can't
/// send these two to a foreign server without asking it first, and the hub never agrees.
pub(crate) fn form(headers: &HeaderMap, lines: bool) -> Result<Form, Failure> {
    let found = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let essence = found.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(Form::Json);
    }
    if lines && essence.eq_ignore_ascii_case("application/x-ndjson") {
        return Ok(Form::Lines);
    }
    let expected = if lines { "application/json or application/x-ndjson" } else { "application/json" };
    let found = if essence.is_empty() { "missing".to_owned() } else { format!("{essence:?}") };
    Err(Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content-type",
        format!("content-type is {found}: expected {expected}"),
    ))
}

/// A body that was read, and its place among the large ones if it is one of them.
pub(crate) struct Taken {
    /// All of it.
    pub(crate) bytes: Bytes,
    _place: Option<OwnedSemaphorePermit>,
}

#[cfg(test)]
impl Taken {
    /// A body that was read elsewhere.
    pub(crate) const fn whole(bytes: Bytes) -> Self {
        Self { bytes, _place: None }
    }
}

/// Reads a whole body of at most `bytes_max`. A large one waits for a place.
///
/// # Errors
/// `413` if it is longer, `408` if it doesn't arrive in time, `400` if it breaks off.
pub(crate) async fn read(request: Request, bytes_max: usize, places: &Arc<Semaphore>) -> Result<Taken, Failure> {
    let read = tokio::time::timeout(limits::BODY_TIMEOUT, collect(request.into_body(), bytes_max, places)).await;
    read.unwrap_or_else(|_| {
        let seconds = limits::BODY_TIMEOUT.as_secs();
        let message = format!("the body did not arrive within {seconds} s");
        Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", message))
    })
}

async fn collect(body: Body, bytes_max: usize, places: &Arc<Semaphore>) -> Result<Taken, Failure> {
    let mut stream = body.into_data_stream();
    let mut taken = BytesMut::new();
    let mut found = 0_usize;
    let mut place = None;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Failure::bad("body", format!("the body broke off: {error}")))?;
        found += chunk.len();
        if found > limits::LARGE_BODY_BYTES && place.is_none() {
            place = Some(places.clone().acquire_owned().await.expect("the semaphore is never closed"));
        }
        if found <= bytes_max {
            taken.extend_from_slice(&chunk);
        } else if found > bytes_max + limits::BODY_DISCARD_BYTES_MAX {
            break;
        }
    }
    if found <= bytes_max {
        return Ok(Taken { bytes: taken.freeze(), _place: place });
    }
    let message =
        format!("the body has more than {bytes_max} bytes: expected at most that, publish in smaller batches");
    Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-big", message))
}
