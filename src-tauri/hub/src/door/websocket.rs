//! `GET /v1/ws`: a WebSocket, RFC 6455.
//!
//! One half reads the client's orders, the other writes; both run in the connection's own task. Orders wait in a short
//! queue: when the writer can't keep up, reading stops too, so a client can't make the hub remember more than it takes.

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::{
    access::Untaken,
    close::CloseReason,
    cursor::Places,
    door::{Reader, Unauthorised, Unsubscribed},
    failure::Failure,
    limits,
    message::Message,
    publish,
    routes::Doorway,
    subscription::Manner,
};

/// Opens a WebSocket.
pub(crate) async fn open(
    State(door): State<Doorway>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let reader = Reader::admit(door, &headers, Manner::Connection)?;
    let upgrade =
        upgrade.map_err(|error| Failure::new(error.status(), "no-websocket", format!("no WebSocket: {error}")))?;
    let upgrade = upgrade
        .max_message_size(limits::CLIENT_FRAME_BYTES_MAX)
        .max_frame_size(limits::CLIENT_FRAME_BYTES_MAX)
        .on_failed_upgrade(|error| tracing::debug!(reason = %error, "a WebSocket was not opened"));
    Ok(upgrade.on_upgrade(move |socket| session(socket, reader)))
}

/// What a client asks for, checked.
#[derive(Debug, PartialEq)]
enum Order {
    Subscribe(Places),
    Unsubscribe(Vec<String>),
    Ping(u64),
    /// The library has answered a ping: see that the answer goes out before more is read.
    Pinged,
    /// Present another token.
    Authorise(Secret),
    /// The client broke the protocol: say why and close.
    Fail(&'static str, String, CloseReason),
}

/// A token, never shown.
#[derive(PartialEq)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

async fn session(socket: WebSocket, mut reader: Reader) {
    let stop = reader.stop.clone();
    let (mut sink, mut stream) = socket.split();
    let (orders, queue) = mpsc::channel(limits::ORDERS_MAX);
    let conversation = async {
        let goodbye = tokio::select! {
            () = read(&mut stream, &orders) => None,
            goodbye = write(&mut sink, &mut reader, queue) => goodbye,
        };
        let Some(reason) = goodbye else { return };
        let frame = CloseFrame { code: reason.code(), reason: reason.text().into() };
        if sink.send(Frame::Close(Some(frame))).await.is_ok() {
            // Its own close frame ends the stream; what it sends until then is not looked at.
            let answered = async { while let Some(Ok(_)) = stream.next().await {} };
            let _ = tokio::time::timeout(limits::CLOSE_GRACE, answered).await;
        }
    };
    tokio::select! {
        () = conversation => {}
        () = async { stop.told().await; tokio::time::sleep(limits::CLOSE_GRACE).await } => {}
    }
}

/// Reads orders until the client goes or breaks the protocol.
async fn read(stream: &mut SplitStream<WebSocket>, orders: &mpsc::Sender<Order>) {
    while let Some(frame) = stream.next().await {
        let order = match frame {
            Ok(Frame::Text(text)) => order(&text),
            Ok(Frame::Binary(_)) => broken("binary frame: expected text"),
            // The library answers pings and closes by itself, and would keep any number of answers for who doesn't read them.
            Ok(Frame::Ping(_)) => Order::Pinged,
            Ok(Frame::Pong(_) | Frame::Close(_)) => continue,
            Err(error) if is_too_big(&error) => {
                let max = limits::CLIENT_FRAME_BYTES_MAX;
                Order::Fail("too-big", format!("frame too big: expected at most {max} bytes"), CloseReason::TooBig)
            }
            Err(error) => {
                tracing::debug!(reason = %error, "a WebSocket broke");
                return;
            }
        };
        let last = matches!(order, Order::Fail(..));
        if orders.send(order).await.is_err() {
            return;
        }
        if last {
            // The writer closes; the connection ends with it.
            std::future::pending::<()>().await;
        }
    }
}

fn is_too_big(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<tungstenite::Error>());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}

/// Writes what there is; answers why to close, none if the connection is gone.
async fn write(
    sink: &mut SplitSink<WebSocket, Frame>,
    reader: &mut Reader,
    mut queue: mpsc::Receiver<Order>,
) -> Option<CloseReason> {
    let mut waiting = None;
    loop {
        // Answers to orders go before events, or a busy channel would delay every pong.
        let mut answers = Vec::new();
        let (mut failed, mut is_pinged) = (None, false);
        while failed.is_none()
            && let Some(order) = waiting.take().or_else(|| queue.try_recv().ok())
        {
            is_pinged |= order == Order::Pinged;
            failed = follow(order, reader, &mut answers);
        }
        if is_pinged {
            sink.flush().await.ok()?;
        }
        send(sink, &answers).await?;
        if failed.is_some() {
            return failed;
        }
        if reader.is_expired() {
            return Some(CloseReason::Expired);
        }
        let lines = reader.next_batch();
        send(sink, &lines).await?;
        if reader.stop.is_told() {
            return Some(CloseReason::Restarting);
        }
        if !lines.is_empty() {
            continue;
        }
        tokio::select! {
            () = reader.stop.told() => {}
            order = queue.recv() => waiting = Some(order?),
            () = reader.woken() => {}
            () = reader.heartbeat_due() => {}
            () = reader.expiry_due() => {}
        }
    }
}

/// Sends lines, if there are any, as one frame; none if the connection is gone.
async fn send(sink: &mut SplitSink<WebSocket, Frame>, lines: &[Arc<str>]) -> Option<()> {
    if lines.is_empty() {
        return Some(());
    }
    sink.send(Frame::Text(lines.join("\n").into())).await.ok()
}

/// Does what the client asks for; answers why to close if that can't be.
fn follow(order: Order, reader: &mut Reader, lines: &mut Vec<Arc<str>>) -> Option<CloseReason> {
    let (code, message, reason) = match order {
        Order::Ping(id) => {
            let now = reader.hub.now();
            let clock = reader.hub.state().ledger().clock().reading(now);
            lines.push(Message::Pong { id, clock: &clock }.line());
            return None;
        }
        Order::Pinged => return None,
        Order::Unsubscribe(channels) => {
            reader.unsubscribe(&channels);
            return None;
        }
        Order::Subscribe(places) => match reader.subscribe(places) {
            Ok(()) => return None,
            Err(Unsubscribed::TooMany(error)) => ("too-many-channels", error.to_string(), CloseReason::Broken),
            Err(Unsubscribed::Denied(message)) => ("denied", message, CloseReason::Denied),
        },
        Order::Authorise(Secret(token)) => match reader.authorise(&token) {
            Ok(access) => {
                lines.push(Message::Authorised(access).line());
                return None;
            }
            Err(Unauthorised::Untaken(Untaken { message, .. })) => {
                lines.push(Message::Error { code: "bad-token", message: &message }.line());
                return None;
            }
            Err(Unauthorised::Denied(message)) => ("denied", message, CloseReason::Denied),
        },
        Order::Fail(code, message, reason) => (code, message, reason),
    };
    lines.push(Message::Error { code, message: &message }.line());
    Some(reason)
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    Subscribe { channels: BTreeMap<String, Option<String>> },
    Unsubscribe { channels: Vec<String> },
    Ping { id: u64 },
    Authorise { token: String },
}

fn order(text: &str) -> Order {
    let request = match serde_json::from_str(text) {
        Ok(request) => request,
        Err(error) => return broken(format!("{error}: expected subscribe, unsubscribe, ping or authorise")),
    };
    match request {
        Request::Ping { id } => Order::Ping(id),
        Request::Authorise { token } => Order::Authorise(Secret(token)),
        Request::Unsubscribe { channels } => Order::Unsubscribe(channels),
        Request::Subscribe { channels } => match places(channels) {
            Ok(places) => Order::Subscribe(places),
            Err(problem) => broken(problem),
        },
    }
}

fn places(channels: BTreeMap<String, Option<String>>) -> Result<Places, String> {
    let place = |(name, asked): (String, Option<String>)| {
        let channel = publish::channel(&name)?;
        let asked = asked.map(|asked| asked.parse()).transpose();
        Ok((channel, asked.map_err(|error| format!("channel {name}: {error}"))?))
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
        let Order::Subscribe(places) = order(r#"{"type":"subscribe","channels":{"a":"e:1","b":null}}"#) else {
            panic!("no subscription");
        };
        assert_eq!(places.values().filter(|place| place.is_some()).count(), 1);
        for (text, part) in [
            ("", "EOF"),
            ("[]", "expected"),
            (r#"{"type":"sub"}"#, "unknown variant `sub`"),
            (r#"{"type":"ping","id":-1}"#, "invalid value"),
            (r#"{"type":"ping","id":1,"x":2}"#, "unknown field `x`"),
            (r#"{"type":"subscribe","channels":{"a b":null}}"#, "no channel name"),
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

    const ORDERS: [&str; 4] = [
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
                Order::Subscribe(places) => assert!(places.len() <= limits::SUBSCRIPTION_CHANNELS_MAX),
                Order::Fail(_, message, _) => assert!(!message.is_empty()),
                _ => {}
            }
        });
    }
}
