//! Readers at the hub's own WebSocket who publish, where their channels let them.

use std::sync::Arc;

use axum::http::StatusCode;

use super::{REVOKED, Reader};
use crate::{
    limits,
    message::Message,
    publish::{self, Form, Incoming},
    revocation::Taken,
    routes,
    rules::Publishers,
    state::{Outcome, Unkept},
};

/// Why an event isn't taken.
struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Reader {
    /// Publishes an event, and answers where it is or why it isn't taken. The answer has the number that the client gave.
    pub(super) async fn publish(&mut self, id: u64, event: &str) -> Arc<str> {
        match self.take_event(event).await {
            Ok(position) => Message::Published { id, position: &position }.line(),
            Err(Refusal { code, message }) => Message::Refused { id, code, message: &message }.line(),
        }
    }

    async fn take_event(&mut self, event: &str) -> Result<String, Refusal> {
        let bad = |refused: publish::Refused| Refusal::new(refused.code, refused.message);
        let batch = publish::parse(event.as_bytes(), Form::Json).map_err(bad)?;
        let [event] = &batch[..] else {
            return Err(Refusal::new("bad-event", format!("{} events: expected one", batch.len())));
        };
        if let Err(message) = self.may_publish(event) {
            self.hub.note_refusal(self.seat.id(), "denied", Some(&event.channel), &message);
            return Err(Refusal::new("denied", message));
        }
        if !self.allowance.takes(self.hub.now().mono) {
            let max = limits::CLIENT_EVENTS_A_SECOND;
            return Err(Refusal::new(
                "too-fast",
                format!("too many events of this client: expected at most {max} a second"),
            ));
        }
        self.is_entitled(&event.channel)?;
        match self.hub.publish(batch, None).await {
            Outcome::Published(published) => Ok(published.positions.texts().into_iter().next().unwrap_or_default()),
            Outcome::Placed(placed) => Ok(placed.positions.first().map(ToString::to_string).unwrap_or_default()),
            Outcome::Refused(refused) => Err(bad(refused)),
            Outcome::Unkept(unkept) => {
                let (code, why) = routes::unkept_words(unkept);
                let again = "send it again later; with an id and a time it is published once";
                Err(Refusal::new(code, format!("{why}: {again}")))
            }
            // It has no key.
            Outcome::Repeated(_) | Outcome::KeyReused => {
                Err(Refusal::new("internal", StatusCode::INTERNAL_SERVER_ERROR.as_str()))
            }
        }
    }

    /// Whether the channel takes events of this reader.
    fn may_publish(&self, event: &Incoming) -> Result<(), String> {
        let channel = &*event.channel;
        match self.hub.live().rules.of(channel).publishers {
            Publishers::Server => Err(format!("readers may not publish to channel {channel}")),
            Publishers::Token => {
                let names = self.subscription.rights().is_some_and(|rights| rights.publishes(channel));
                names.then_some(()).ok_or_else(|| {
                    format!("channel {channel} is not among those that the token names for publishing (`publish`)")
                })
            }
            Publishers::Readers => {
                let reads = self.subscription.channels().any(|known| **known == *channel);
                reads.then_some(()).ok_or_else(|| {
                    format!("who publishes to channel {channel} has to read it: expected a subscription first")
                })
            }
        }
    }

    /// Whether nothing was taken back of that. A revocation waits until the answer is out.
    fn is_entitled(&self, channel: &Arc<str>) -> Result<(), Refusal> {
        let now = self.hub.now();
        let state = self.hub.state();
        if !state.may_send(now) {
            let (code, why) = routes::unkept_words(Unkept::Failing);
            return Err(Refusal::new(code, why));
        }
        let session = state.sessions().get(self.seat.id());
        let is_forbidden =
            session.is_none_or(|session| state.standing().forbids_channel(session, channel, None, now.wall));
        if is_forbidden || self.seat.lease().taken() != Taken::Nothing {
            return Err(Refusal::new("revoked", REVOKED));
        }
        self.seat.hold();
        Ok(())
    }
}
