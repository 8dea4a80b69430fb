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
    door::Reader,
    failure::Failure,
    limits,
    routes::{Doorway, Parameters, parameters},
    subscription::Manner,
};

/// Opens a stream.
pub(crate) async fn open(
    State(door): State<Doorway>,
    query: Parameters,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let [asked] = parameters(query, ["cursor"])?;
    let last = headers.get("last-event-id").filter(|value| !value.is_empty());
    let last = last.map(|value| value.to_str().map_err(|_| Failure::bad("bad-cursor", "`Last-Event-ID` is no cursor")));
    let Some(text) = last.transpose()?.map(str::to_owned).or(asked) else {
        return Err(Failure::bad("bad-cursor", "`cursor` is missing: expected `channel~epoch:offset` or `channel~`"));
    };
    let places = cursor::parse(&text).map_err(|problem| Failure::bad("bad-cursor", problem))?;
    let mut reader = Reader::new(door, Manner::Connection);
    reader.subscribe(places).map_err(|problem| Failure::bad("bad-cursor", problem.to_string()))?;
    let body = stream::unfold((reader, true), |(mut reader, first)| async move {
        let lines = next(&mut reader).await?;
        let event = event(&lines, &reader.subscription.cursor(), first);
        Some((Ok::<_, Infallible>(event), (reader, false)))
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

/// What comes next; none when the hub stops.
async fn next(reader: &mut Reader) -> Option<Vec<Arc<str>>> {
    loop {
        let lines = reader.next_batch();
        if !lines.is_empty() {
            return Some(lines);
        }
        tokio::select! {
            biased;
            () = reader.stop.told() => return None,
            () = reader.woken() => {}
            () = reader.heartbeat_due() => {}
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
