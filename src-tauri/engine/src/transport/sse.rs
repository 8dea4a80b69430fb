//! Server-sent events (HTML standard, section 9.2) over a streaming HTTP answer. Only the bytes: what they say is the feed's to
//! read.

use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::header::CONTENT_TYPE;
use watchfloor_feed::{Input, LinkFaultKind, LinkId, Request};
use watchfloor_model::Transport;

use super::{Doors, Ended, Inputs, fault, head};

/// The type of server-sent events.
const EVENTS: &str = "text/event-stream";

/// Opens the stream, and passes on its bytes until it ends. There is no limit to how long that takes.
pub(super) async fn run(
    doors: &Doors,
    link: LinkId,
    transport: Transport,
    request: &Request,
    inputs: &Inputs,
) -> Ended {
    let accept = if transport == Transport::Sse { EVENTS } else { "*/*" };
    let own = [("accept", accept), ("cache-control", "no-cache")];
    let answer = match doors.send(request, &own).await {
        Ok(answer) => answer,
        Err(fault) => return Ended::Failed(fault),
    };
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // Lines have no type of their own. A page for people is none of them.
    let is_stream = match transport {
        Transport::Sse => kind.eq_ignore_ascii_case(EVENTS),
        _ => !kind.eq_ignore_ascii_case("text/html"),
    };
    if answer.status().as_u16() != 200 || !is_stream {
        return Ended::Failed(fault::of_answer(answer.status().as_u16(), answer.headers(), doors.clock.wall()));
    }
    if let Some(fault) = fault::of_packed(answer.headers()) {
        return Ended::Failed(fault);
    }
    if inputs.send(Input::Opened { link }).await.is_err() {
        return Ended::Unheard;
    }
    let head = head::read(answer.headers(), doors.clock.wall());
    if inputs.send(Input::Head { link, head }).await.is_err() {
        return Ended::Unheard;
    }
    let mut body = answer.into_body().into_data_stream();
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(bytes) => {
                if inputs.send(Input::Chunk { link, bytes }).await.is_err() {
                    return Ended::Unheard;
                }
            }
            Err(error) => return Ended::Failed(fault::of_http(&error, LinkFaultKind::Reset)),
        }
    }
    Ended::Closed { code: None, reason: String::new() }
}
