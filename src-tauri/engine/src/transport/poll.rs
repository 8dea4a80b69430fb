//! One request of a link that is a row of them: long poll and poll.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use watchfloor_feed::{LinkFault, Request};

use super::{Doors, fault, fetch};

/// Asks, and gives the answer's body. Any other answer than the one asked for is a fault.
pub(super) async fn run(
    doors: &Doors,
    request: &Request,
    body_bytes_max: usize,
    timeout: Duration,
) -> Result<Bytes, LinkFault> {
    fetch::within(timeout, exchange(doors, request, body_bytes_max)).await
}

async fn exchange(doors: &Doors, request: &Request, body_bytes_max: usize) -> Result<Bytes, LinkFault> {
    let get = doors.get(request, &[]).await?;
    let answer = get.send().await.map_err(|error| fault::of_request(&error))?;
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if answer.status().as_u16() != 200 || !is_json {
        return Err(fault::of_answer(answer.status().as_u16(), answer.headers(), doors.clock.wall()));
    }
    fetch::body(answer, body_bytes_max).await
}
