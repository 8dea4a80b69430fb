//! Server-sent events (HTML standard, section 9.2) over a streaming HTTP answer. Only the bytes: what they say is the feed's to
//! read.

use futures_util::StreamExt;
use reqwest::header::CONTENT_TYPE;
use watchfloor_feed::{Input, LinkId, Request};

use super::{Doors, Ended, Inputs, fault};

/// Opens the stream, and passes on its bytes until it ends. There is no limit to how long that takes.
pub(super) async fn run(doors: &Doors, link: LinkId, request: &Request, inputs: &Inputs) -> Ended {
    let own = [("accept", "text/event-stream"), ("cache-control", "no-store")];
    let answer = match doors.get(request, &own).await {
        Ok(get) => get.send().await,
        Err(fault) => return Ended::Failed(fault),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Ended::Failed(fault::of_request(&error)),
    };
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_stream = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"));
    if answer.status().as_u16() != 200 || !is_stream {
        return Ended::Failed(fault::of_answer(answer.status().as_u16(), answer.headers(), doors.clock.wall()));
    }
    if let Some(fault) = fault::of_packed(answer.headers()) {
        return Ended::Failed(fault);
    }
    if inputs.send(Input::Opened { link }).await.is_err() {
        return Ended::Unheard;
    }
    let mut body = answer.bytes_stream();
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(bytes) => {
                if inputs.send(Input::Chunk { link, bytes }).await.is_err() {
                    return Ended::Unheard;
                }
            }
            Err(error) => return Ended::Failed(fault::of_request(&error)),
        }
    }
    Ended::Closed { code: None, reason: String::new() }
}
