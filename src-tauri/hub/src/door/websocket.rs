//! `GET /v1/ws`: the hub's own messages over a WebSocket.

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    extract::{
        State,
        ws::{Utf8Bytes, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use watchfloor_model::Mono;

use crate::{
    access::Untaken,
    authorise::Withheld,
    close::CloseReason,
    cursor::{self, Places},
    door::{
        REVOKED, Reader, UNSURE, Unauthorised, Unsubscribed, farewell,
        socket::{self, Heard, Opening, Talk},
    },
    failure::Failure,
    limits,
    message::Message,
    metrics::{Door, Present},
    rates::Speech,
    revocation::{Door as ByDoor, Lease, Peer, Why},
    routes::Doorway,
    stop::Stop,
    subscription::Manner,
};

/// Opens a WebSocket.
pub(crate) async fn open(
    State(door): State<Doorway>,
    headers: HeaderMap,
    peer: Peer,
    opening: Result<Opening, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let reader = Reader::admit(door, &headers, Manner::Connection, (ByDoor::WebSocket, peer)).await?;
    let opening =
        opening.map_err(|error| Failure::new(error.status(), "no-websocket", format!("no WebSocket: {error}")))?;
    Ok(opening.answer(async move |upgraded| {
        let _present = Present::new(reader.hub.clone(), Door::WebSocket);
        socket::converse(upgraded, reader).await;
    }))
}

/// What a client asks for, checked.
#[derive(Debug, PartialEq)]
pub(crate) enum Order {
    /// With `true`, who comes and goes is told.
    Subscribe(Places, bool),
    Unsubscribe(Vec<String>),
    Ping(u64),
    /// Publish an event, as it came; the number is for the answer.
    Publish(u64, String),
    /// Present another token.
    Authorise(Secret),
    /// The client broke the protocol: say why and close.
    Fail(&'static str, String, CloseReason),
}

/// A token, never shown.
#[derive(PartialEq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Talk for Reader {
    type Order = Order;

    fn order(heard: Heard<'_>) -> Order {
        match heard {
            Heard::Text(text) => order(text),
            Heard::Binary => broken("binary frame: expected text"),
            Heard::TooBig => {
                let max = limits::CLIENT_FRAME_BYTES_MAX;
                Order::Fail("too-big", format!("frame too big: expected at most {max} bytes"), CloseReason::TooBig)
            }
        }
    }

    async fn follow(&mut self, order: Order, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        let mut lines = Vec::new();
        let failed = follow(order, self, &mut lines).await;
        push_lines(frames, &lines);
        failed
    }

    fn next_batch(&mut self, frames: &mut Vec<Utf8Bytes>) -> Option<CloseReason> {
        let now = self.hub.now();
        if self.closes() <= now.mono {
            return Some(CloseReason::Expired);
        }
        if let Err(problem) = self.take_in() {
            let (code, message) = problem.words();
            push_lines(frames, &[Message::Error { code, message: &message }.line()]);
            return Some(CloseReason::Broken);
        }
        match self.next_text(now) {
            Ok(text) => {
                frames.extend(text);
                None
            }
            Err(why) => {
                push_lines(frames, &[farewell(why)]);
                Some(ending(why))
            }
        }
    }

    fn lease(&self) -> &Arc<Lease> {
        self.seat().lease()
    }

    fn speech(&self) -> Speech {
        self.hub.counts.speech()
    }

    fn slowed(&self, is_first: bool) {
        self.hub.note_slowed(self.seat().id(), is_first);
    }

    fn restarting(&mut self, _: &mut Vec<Utf8Bytes>) -> CloseReason {
        CloseReason::Restarting
    }

    fn stop(&self) -> &Stop {
        &self.stop
    }

    fn closes(&self, reason: CloseReason) {
        self.hub.metrics.close(reason.code());
    }

    async fn woken(&self) {
        Self::woken(self).await;
    }

    fn due(&self) -> Mono {
        self.subscription.poll_timeout().min(self.closes())
    }

    fn instant(&self, due: Mono) -> Instant {
        self.hub.instant(due)
    }
}

/// How a connection is closed that is ended.
const fn ending(why: Why) -> CloseReason {
    match why {
        Why::Revoked => CloseReason::Revoked,
        Why::Unsure => CloseReason::Unsure,
    }
}

/// Lines, if there are any, are one frame.
fn push_lines(frames: &mut Vec<Utf8Bytes>, lines: &[Arc<str>]) {
    if !lines.is_empty() {
        frames.push(lines.join("\n").into());
    }
}

/// Does what the client asks for; answers why to close if that can't be.
async fn follow(order: Order, reader: &mut Reader, lines: &mut Vec<Arc<str>>) -> Option<CloseReason> {
    let (code, message, reason) = match order {
        Order::Ping(id) => {
            let now = reader.hub.now();
            let clock = reader.hub.state().ledger().clock().reading(now);
            lines.push(Message::Pong { id, clock: &clock }.line());
            return None;
        }
        Order::Unsubscribe(channels) => {
            reader.unsubscribe(&channels);
            return None;
        }
        Order::Publish(id, event) => {
            lines.push(reader.publish(id, &event).await);
            return None;
        }
        Order::Subscribe(places, people) => match reader.subscribe(places, people).await {
            Ok(()) => return None,
            Err(problem) => {
                let reason = match &problem {
                    Unsubscribed::TooMany(_) | Unsubscribed::ByName => CloseReason::Broken,
                    Unsubscribed::Denied(_) | Unsubscribed::Full | Unsubscribed::Withheld(_, Withheld::Denied) => {
                        CloseReason::Denied
                    }
                    Unsubscribed::Revoked => CloseReason::Revoked,
                    Unsubscribed::Withheld(_, Withheld::Unsure) => CloseReason::Unsure,
                };
                let (code, message) = problem.words();
                (code, message, reason)
            }
        },
        Order::Authorise(Secret(token)) => match reader.authorise(&token).await {
            Ok(access) => {
                lines.push(Message::Authorised(access).line());
                return None;
            }
            Err(Unauthorised::Untaken(Untaken { message, .. })) => {
                lines.push(Message::Error { code: "bad-token", message: &message }.line());
                return None;
            }
            Err(Unauthorised::Unsure) => {
                lines.push(Message::Error { code: "bad-token", message: UNSURE }.line());
                return None;
            }
            Err(Unauthorised::Denied(message)) => ("denied", message, CloseReason::Denied),
            Err(Unauthorised::Revoked) => ("revoked", REVOKED.to_owned(), CloseReason::Revoked),
        },
        Order::Fail(code, message, reason) => (code, message, reason),
    };
    lines.push(Message::Error { code, message: &message }.line());
    Some(reason)
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    Subscribe {
        channels: BTreeMap<String, Option<String>>,
        #[serde(default)]
        presence: bool,
    },
    Unsubscribe {
        channels: Vec<String>,
    },
    Ping {
        id: u64,
    },
    Authorise {
        token: String,
    },
}

/// An event to publish. Its text is taken as it came.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Publish<'a> {
    #[serde(rename = "type")]
    _kind: Kind,
    id: u64,
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Publish,
}

/// What kind of order it is, and nothing else of it.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    _kind: Kind,
}

fn order(text: &str) -> Order {
    if serde_json::from_str::<Typed>(text).is_ok() {
        return match serde_json::from_str(text) {
            Ok(Publish { id, event, .. }) => Order::Publish(id, event.get().to_owned()),
            Err(error) => broken(format!("{error}: expected `id`, a whole number, and `event`")),
        };
    }
    let request = match serde_json::from_str(text) {
        Ok(request) => request,
        Err(error) => return broken(format!("{error}: expected subscribe, unsubscribe, publish, ping or authorise")),
    };
    match request {
        Request::Ping { id } => Order::Ping(id),
        Request::Authorise { token } => Order::Authorise(Secret(token)),
        Request::Unsubscribe { channels } => Order::Unsubscribe(channels),
        Request::Subscribe { channels, presence } => match places(channels) {
            Ok(places) => Order::Subscribe(places, presence),
            Err(problem) => broken(problem),
        },
    }
}

fn places(channels: BTreeMap<String, Option<String>>) -> Result<Places, String> {
    let place = |(name, asked): (String, Option<String>)| {
        let channel = cursor::asked(&name)?;
        let place = asked.map(|asked| asked.parse()).transpose();
        let place = place.map_err(|error| format!("channel {name}: {error}"))?;
        cursor::check_place(&channel, place.as_ref())?;
        Ok((channel, place))
    };
    channels.into_iter().map(place).collect()
}

fn broken(message: impl Into<String>) -> Order {
    Order::Fail("bad-message", message.into(), CloseReason::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bad input: what isn't in the contract is an error with its reason, whatever it is.
    #[test]
    fn orders_are_checked() {
        assert_eq!(order(r#"{"type":"ping","id":7}"#), Order::Ping(7));
        let event = r#"{"channel":"a","name":"n","data": 1.0}"#;
        let text = format!(r#"{{"event":{event},"id":7,"type":"publish"}}"#);
        assert_eq!(order(&text), Order::Publish(7, event.to_owned()));
        let Order::Subscribe(places, false) = order(r#"{"type":"subscribe","channels":{"a":"e:1","b":null}}"#) else {
            panic!("no subscription");
        };
        assert_eq!(places.values().filter(|place| place.is_some()).count(), 1);
        for (text, part) in [
            ("", "EOF"),
            ("[]", "expected"),
            (r#"{"type":"sub"}"#, "unknown variant `sub`"),
            (r#"{"type":"publish","event":{}}"#, "missing field `id`"),
            (r#"{"type":"publish","id":1,"event":{},"x":1}"#, "unknown field `x`"),
            (r#"{"type":"ping","id":-1}"#, "invalid value"),
            (r#"{"type":"ping","id":1,"x":2}"#, "unknown field `x`"),
            (r#"{"type":"subscribe","channels":{"a b":null}}"#, "no channel name"),
            (r#"{"type":"subscribe","channels":{"a*b":null}}"#, "no channel name"),
            (r#"{"type":"subscribe","channels":{"a.*":"e:1"}}"#, "expected offset 0 of a pattern"),
            (r#"{"type":"subscribe","channels":{"a":"5"}}"#, "channel a: \"5\" is not a position"),
        ] {
            let Order::Fail("bad-message", message, CloseReason::Broken) = order(text) else { panic!("{text}") };
            assert!(message.contains(part), "{message}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use watchfloor_fuzz::{Draws, check, mutated};

    use super::*;

    const ORDERS: [&str; 5] = [
        r#"{"type":"publish","id":7,"event":{"channel":"room","name":"moved","data":{"x":1}}}"#,
        r#"{"type":"subscribe","channels":{"flights":"k3x9:41","weather":null}}"#,
        r#"{"type":"unsubscribe","channels":["flights"]}"#,
        r#"{"type":"ping","id":7}"#,
        r#"{"type":"authorise","token":"a.b.c"}"#,
    ];

    /// Whatever a reader sends: an order or a reason, in bounds.
    #[test]
    fn orders() {
        check!(|bytes: &[u8]| {
            let text = mutated(&ORDERS, &mut Draws::new(bytes));
            let Ok(text) = std::str::from_utf8(&text) else { return };
            match order(text) {
                Order::Subscribe(places, _) => assert!(places.len() <= limits::SUBSCRIPTION_CHANNELS_MAX),
                Order::Fail(_, message, _) => assert!(!message.is_empty()),
                _ => {}
            }
        });
    }
}
