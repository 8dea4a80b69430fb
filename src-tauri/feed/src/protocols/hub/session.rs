//! One link to a hub.
//!
//! ```text
//! WebSocket   opened ─ subscribe → hello, subscribed…, heartbeat, (event | lost | heartbeat | pong)…
//!                      unsubscribe, subscribe → subscribed…, …; authorise → authorised
//! SSE         GET ?cursor → hello, subscribed…, heartbeat, (event | lost | heartbeat)…
//! polls       GET ?cursor → (subscribed | event)…, heartbeat, and the next cursor; GET ?cursor → …
//! ```

use std::sync::Arc;

use serde_json::{Value, json};
use watchfloor_model::{Position, Transport};

use super::{answer, codec::Codec, cursor};
use crate::{
    config::Secret,
    limits::SSE_EVENT_BYTES_MAX,
    port::Message,
    protocols::{Moment, Place, Session, Signal},
    sse::{Item, Parser},
};

/// A link by any door.
#[derive(Debug)]
pub(super) struct HubSession {
    transport: Transport,
    codec: Codec,
    parser: Parser,
    /// Where the next poll goes on.
    cursor: String,
    /// The places that the first poll asked for, until it is answered.
    asked: Option<Vec<Option<Position>>>,
}

impl HubSession {
    pub(super) fn new(transport: Transport, channels: &Arc<[Arc<str>]>) -> Self {
        Self { transport, codec: Codec::new(channels), parser: Parser::default(), cursor: String::new(), asked: None }
    }
}

impl Session for HubSession {
    fn subscribe(&mut self, places: &[Place], again: bool) -> Vec<Message> {
        if self.transport != Transport::WebSocket {
            self.cursor = cursor(places);
            self.asked = Some(places.iter().map(|place| place.position.clone()).collect());
            return Vec::new();
        }
        let mut messages = Vec::new();
        if again {
            let names: Vec<&str> = places.iter().map(|place| &*place.channel).collect();
            messages.push(Message::text(message("unsubscribe", "channels", &json!(names))));
        }
        let channels: serde_json::Map<_, _> =
            places.iter().map(|place| (place.channel.to_string(), json!(place.position))).collect();
        messages.push(Message::text(message("subscribe", "channels", &channels.into())));
        messages
    }

    fn can_resubscribe(&self) -> bool {
        self.transport == Transport::WebSocket
    }

    fn authorise(&mut self, token: &Secret) -> Option<Message> {
        let takes = self.transport == Transport::WebSocket && self.codec.takes_tokens();
        takes.then(|| Message::text(message("authorise", "token", &json!(token.expose()))).secret())
    }

    fn ask_clock(&mut self, id: u64) -> Option<Message> {
        (self.transport == Transport::WebSocket).then(|| Message::text(message("ping", "id", &json!(id))))
    }

    fn cursor(&self) -> &str {
        &self.cursor
    }

    fn decode_answer(&mut self, body: &[u8], now: Moment, out: &mut Vec<Signal>) -> bool {
        match answer::read(body, &mut self.codec, self.asked.as_deref(), now.mono, out) {
            Ok(answer) => {
                self.asked = None;
                // One that says that it has more and doesn't go on would be asked in a hot loop.
                let goes_on = answer.cursor != self.cursor;
                self.cursor = answer.cursor;
                answer.has_more && goes_on
            }
            Err(reason) => {
                out.push(Signal::Unreadable { reason });
                false
            }
        }
    }

    fn decode_text(&mut self, text: &[u8], now: Moment, out: &mut Vec<Signal>) {
        self.codec.lines(text, now.mono, out);
    }

    fn decode_chunk(&mut self, bytes: &[u8], now: Moment, out: &mut Vec<Signal>) {
        let codec = &mut self.codec;
        self.parser.push(bytes, &mut |item| match item {
            Item::Event { data, .. } => codec.lines(data, now.mono, out),
            // Its heartbeats are events.
            Item::Sign | Item::Mark { .. } => {}
            Item::Retry(millis) => out.push(Signal::RetryAfter { millis }),
            Item::Oversize { bytes } => out.push(Signal::Rejected {
                place: None,
                reason: format!("an event of {bytes} bytes, the limit is {SSE_EVENT_BYTES_MAX}"),
            }),
        });
    }
}

/// A message with one field; the type stands first, as in all of the hub's messages.
fn message(kind: &str, field: &str, value: &Value) -> String {
    format!(r#"{{"type":"{kind}","{field}":{value}}}"#)
}
