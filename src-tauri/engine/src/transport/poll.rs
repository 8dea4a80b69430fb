//! One request of a link that is a row of them: long poll and poll.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use watchfloor_feed::{Head, LinkFault, Request};

use super::{Doors, fault, fetch, head};

/// Types of bodies that are data. A web page is none: it is a login, or a proxy's excuse.
const DATA_TYPES: [&str; 5] =
    ["application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/geo+json"];

/// The same in formats that `event.decode` knows.
const PACKED_TYPES: [&str; 4] =
    ["application/msgpack", "application/x-msgpack", "application/vnd.msgpack", "application/cbor"];
/// The longest refusal that is read, in bytes.
const REFUSAL_BYTES_MAX: usize = 4 << 10;

/// Asks, and gives the answer's head and body. Any other answer than the one asked for is a fault.
pub(super) async fn run(
    doors: &Doors,
    request: &Request,
    body_bytes_max: usize,
    timeout: Duration,
) -> Result<(Head, Bytes), LinkFault> {
    fetch::within(timeout, exchange(doors, request, body_bytes_max)).await
}

async fn exchange(doors: &Doors, request: &Request, body_bytes_max: usize) -> Result<(Head, Bytes), LinkFault> {
    let answer = doors.send(request, &[]).await?;
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let asked_for = request.headers.iter().filter(|header| header.name == "accept").map(watchfloor_feed::Header::text);
    let is_data = DATA_TYPES.iter().chain(&PACKED_TYPES).any(|known| kind.eq_ignore_ascii_case(known))
        || asked_for.into_iter().any(|accept| accept.split(',').any(|known| kind.eq_ignore_ascii_case(known.trim())));
    let told = head::read(answer.headers(), doors.clock.wall());
    match answer.status().as_u16() {
        200 if is_data => Ok((told, fetch::body(answer, body_bytes_max).await?)),
        // Nchan says so that nothing came while it held the request.
        204 | 408 => Ok((told, Bytes::new())),
        304 => Ok((Head { is_unchanged: true, ..told }, Bytes::new())),
        // A protocol may say in the body why.
        status @ 400..=499 => {
            let fault = fault::of_answer(status, answer.headers(), doors.clock.wall());
            let body = fetch::body(answer, REFUSAL_BYTES_MAX).await.unwrap_or_default();
            Err(LinkFault { text: fault::refusal(&body), ..fault })
        }
        status => Err(fault::of_answer(status, answer.headers(), doors.clock.wall())),
    }
}
