//! `GET /v1/sse`: server-sent events, HTML standard section 9.2.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;

use crate::{
    cursor,
    door::{Reader, farewell},
    failure::Failure,
    limits,
    message::Message,
    metrics::{Door, Present},
    revocation::{Door as ByDoor, Peer, Seat},
    routes::{Doorway, Parameters, parameters},
    subscription::Manner,
};

/// Opens a stream.
pub(crate) async fn open(
    State(door): State<Doorway>,
    query: Parameters,
    headers: HeaderMap,
    peer: Peer,
) -> Result<Response, Failure> {
    let mut reader = Reader::admit(door, &headers, Manner::Connection, (ByDoor::Sse, peer)).await?;
    let [asked, presence] = parameters(query, ["cursor", "presence"])?;
    let people = match presence.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Failure::bad("bad-query", "`presence` is neither: expected true or false")),
    };
    let last = headers.get("last-event-id").filter(|value| !value.is_empty());
    let last = last.map(|value| value.to_str().map_err(|_| Failure::bad("bad-cursor", "`Last-Event-ID` is no cursor")));
    let Some(text) = last.transpose()?.map(str::to_owned).or(asked) else {
        return Err(Failure::bad("bad-cursor", "`cursor` is missing: expected `channel~epoch:offset` or `channel~`"));
    };
    let places = cursor::parse(&text).map_err(|problem| Failure::bad("bad-cursor", problem))?;
    reader.subscribe(places, people).await.map_err(|problem| problem.failure("bad-cursor"))?;
    let present = Present::new(reader.hub.clone(), Door::Events);
    let body = stream::unfold((Some((reader, present)), true), |(reader, first)| async move {
        let (mut reader, present) = reader?;
        let (lines, is_last) = match next(&mut reader).await? {
            Next::Lines(lines) => (lines, false),
            Next::Last(line) => (vec![line], true),
        };
        let event = event(&lines, &reader.subscription.cursor(), first);
        Some((Ok::<_, Infallible>(event), ((!is_last).then_some((reader, present)), false)))
    });
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ],
        Body::from_stream(body),
    )
        .into_response())
}

enum Next {
    Lines(Vec<Arc<str>>),
    /// The stream ends with this.
    Last(Arc<str>),
}

/// The last message of a stream whose token has expired.
fn expired() -> Arc<str> {
    Message::Error { code: "token-expired", message: "the token has expired: come again with a new one" }.line()
}

/// What comes next; none when the hub stops.
async fn next(reader: &mut Reader) -> Option<Next> {
    loop {
        if reader.is_expired() {
            return Some(Next::Last(expired()));
        }
        if let Err(problem) = reader.take_in() {
            let (code, message) = problem.words();
            return Some(Next::Last(Message::Error { code, message: &message }.line()));
        }
        let lines = match reader.next_batch(Seat::hold_until_flushed) {
            Ok(lines) => lines,
            Err(why) => return Some(Next::Last(farewell(why))),
        };
        if !lines.is_empty() {
            return Some(Next::Lines(lines));
        }
        tokio::select! {
            biased;
            () = reader.stop.told() => return None,
            () = reader.woken() => {}
            () = reader.heartbeat_due() => {}
            () = reader.expiry_due() => {}
        }
    }
}

fn event(lines: &[Arc<str>], cursor: &str, first: bool) -> Bytes {
    let size = lines.iter().map(|line| line.len() + 7).sum::<usize>() + cursor.len() + 32;
    let mut text = String::with_capacity(size);
    if first {
        text.push_str(&format!("retry: {}\n", limits::SSE_RETRY_MS));
    }
    for line in lines {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push_str("id: ");
    text.push_str(cursor);
    text.push_str("\n\n");
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: the id is the cursor after the messages that it comes with.
    #[test]
    fn events_have_their_cursor() {
        let text = event(&["{1}".into(), "{2}".into()], "a~e:2", true);
        assert_eq!(text, "retry: 1000\ndata: {1}\ndata: {2}\nid: a~e:2\n\n");
        assert_eq!(event(&["{3}".into()], "a~e:3", false), "data: {3}\nid: a~e:3\n\n");
    }
}
