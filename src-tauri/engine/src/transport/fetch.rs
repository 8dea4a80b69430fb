//! One document over HTTP, bounded in bytes and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use url::Url;
use watchfloor_feed::{LinkFault, LinkFaultKind, Request, Response, Secret};
use watchfloor_model::Timestamp;

use super::{Doors, fault};

/// Fetches the document. An answer of any status is an answer.
pub(super) async fn run(
    doors: &Doors,
    request: &Request,
    body_bytes_max: usize,
    timeout: Duration,
) -> Result<Response, LinkFault> {
    within(timeout, exchange(doors, request, body_bytes_max)).await
}

/// What an address gave for a secret.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// What the other side's clock showed (RFC 9110, section 6.6.1).
    pub(crate) date: Option<Timestamp>,
    pub(crate) body: Bytes,
}

/// Posts nothing but a secret. An answer of any status is an answer.
pub(super) async fn post(
    doors: &Doors,
    url: Url,
    secret: &Secret,
    body_bytes_max: usize,
    timeout: Duration,
) -> Result<Given, LinkFault> {
    let exchange = async {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", secret.expose()))
            .map_err(|_| fault::bad_header("authorization"))?;
        bearer.set_sensitive(true);
        let post = doors.http().await?.post(url).header(ACCEPT, "application/json").header(CONTENT_LENGTH, "0");
        let answer = post.header(AUTHORIZATION, bearer).send().await.map_err(|error| fault::of_request(&error))?;
        Ok(Given {
            status: answer.status().as_u16(),
            retry_after: fault::retry_after(answer.headers(), doors.clock.wall()),
            date: fault::server_time(answer.headers()),
            body: body(answer, body_bytes_max).await?,
        })
    };
    within(timeout, exchange).await
}

/// Gives an exchange up that takes longer than it may.
pub(super) async fn within<T>(
    timeout: Duration,
    exchange: impl Future<Output = Result<T, LinkFault>>,
) -> Result<T, LinkFault> {
    let given_up = |_| Err(LinkFault::new(LinkFaultKind::Timeout, ""));
    tokio::time::timeout(timeout, exchange).await.unwrap_or_else(given_up)
}

async fn exchange(doors: &Doors, request: &Request, body_bytes_max: usize) -> Result<Response, LinkFault> {
    let get = doors.get(request, &[("accept", "application/json")]).await?;
    let answer = get.send().await.map_err(|error| fault::of_request(&error))?;
    let status = answer.status().as_u16();
    let retry_after = fault::retry_after(answer.headers(), doors.clock.wall());
    Ok(Response { status, retry_after, body: body(answer, body_bytes_max).await? })
}

/// The whole body, unless it is longer than it may be.
pub(super) async fn body(answer: reqwest::Response, body_bytes_max: usize) -> Result<Bytes, LinkFault> {
    let too_big = || LinkFault::new(LinkFaultKind::TooBig, format!("more than {body_bytes_max} bytes"));
    if answer.content_length().is_some_and(|bytes| bytes > body_bytes_max as u64) {
        return Err(too_big());
    }
    if let Some(fault) = fault::of_packed(answer.headers()) {
        return Err(fault);
    }
    let mut body = BytesMut::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| fault::of_request(&error))?;
        if body.len() + chunk.len() > body_bytes_max {
            return Err(too_big());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
