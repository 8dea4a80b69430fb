//! RFC 6455 over tokio-tungstenite.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::ProtocolError,
        http::{HeaderValue, header::USER_AGENT},
        protocol::WebSocketConfig,
    },
};
use watchfloor_feed::{Body, Input, LinkFault, LinkId, Request};

use super::{Command, Doors, Ended, Inputs, MESSAGE_BYTES_MAX, commands::Commands, dial::Stream, fault};

/// Bytes that wait for a server that takes nothing: the library answers its pings without being asked.
const WRITE_BYTES_MAX: usize = 8 << 20;

/// Opens the link, and passes on what comes until it ends.
pub(super) async fn run(
    doors: &Doors,
    link: LinkId,
    request: &Request,
    inputs: &Inputs,
    mut commands: Commands,
) -> Ended {
    let mut socket = match open(doors, request).await {
        Ok(socket) => socket,
        Err(fault) => return Ended::Failed(fault),
    };
    if inputs.send(Input::Opened { link }).await.is_err() {
        return Ended::Unheard;
    }
    // The server's last words come before the end of which it was found that it takes no more.
    let mut unsent = None;
    let mut pings = Pings::default();
    loop {
        tokio::select! {
            command = commands.recv(), if unsent.is_none() => {
                let message = match command {
                    Some(Command::Send(message)) => match message.body {
                        Body::Text(text) => Message::text(text),
                        Body::Binary(bytes) => Message::binary(bytes),
                    },
                    Some(Command::Ping) => Message::Ping(pings.next()),
                    // TLS is begun, or not, before the handshake.
                    Some(Command::StartTls) => continue,
                    None => return Ended::Unheard,
                };
                match socket.send(message).await {
                    Ok(()) => {}
                    Err(error @ (Error::Io(_) | Error::ConnectionClosed | Error::Protocol(_))) => unsent = Some(error),
                    Err(error) => return ended(doors, &error),
                }
            }
            message = socket.next() => {
                let input = match message {
                    Some(Ok(Message::Text(text))) => Input::Text { link, text: text.into() },
                    Some(Ok(Message::Binary(bytes))) => Input::Binary { link, bytes },
                    Some(Ok(Message::Pong(payload))) if pings.is_answered_by(&payload) => Input::Pong { link },
                    // Pings are answered by the library.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.as_ref().map(|frame| frame.code.into());
                        let reason = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                        return Ended::Closed { code, reason };
                    }
                    Some(Err(error)) => return ended(doors, unsent.as_ref().unwrap_or(&error)),
                    None => return ended(doors, unsent.as_ref().unwrap_or(&Error::ConnectionClosed)),
                };
                if inputs.send(input).await.is_err() {
                    return Ended::Unheard;
                }
            }
        }
    }
}

/// Tells an answer from a pong that nobody asked for, which says nothing of when it was sent (RFC 6455 section 5.5.3).
#[derive(Default)]
struct Pings {
    sent: u64,
    awaited: Option<Bytes>,
}

impl Pings {
    /// The payload of the next one, in place of any before it.
    fn next(&mut self) -> Bytes {
        self.sent += 1;
        let payload = Bytes::copy_from_slice(&self.sent.to_be_bytes());
        self.awaited = Some(payload.clone());
        payload
    }

    /// Whether a pong answers the last one, for the first time.
    fn is_answered_by(&mut self, payload: &Bytes) -> bool {
        self.awaited.take_if(|awaited| awaited == payload).is_some()
    }
}

async fn open(doors: &Doors, request: &Request) -> Result<WebSocketStream<Stream>, LinkFault> {
    let mut handshake = request
        .address()
        .as_str()
        .into_client_request()
        .map_err(|error| fault::of_websocket(&error, doors.clock.wall()))?;
    handshake.headers_mut().insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
    for header in &request.headers {
        let (name, value) = super::line(header)?;
        handshake.headers_mut().insert(name, value);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .max_write_buffer_size(WRITE_BYTES_MAX);
    let stream =
        doors.connect(&request.url, request.url.host_str().unwrap_or_default(), request.url.scheme() == "wss").await?;
    let (socket, _answer) = client_async_with_config(handshake, stream, Some(config))
        .await
        .map_err(|error| fault::of_websocket(&error, doors.clock.wall()))?;
    Ok(socket)
}

fn ended(doors: &Doors, error: &Error) -> Ended {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Ended::Closed { code: None, reason: String::new() }
        }
        other => Ended::Failed(fault::of_websocket(other, doors.clock.wall())),
    }
}
