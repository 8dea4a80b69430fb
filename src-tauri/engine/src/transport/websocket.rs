//! RFC 6455 over tokio-tungstenite.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, sync::mpsc::Receiver};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::ProtocolError,
        http::{HeaderValue, header::USER_AGENT},
        protocol::WebSocketConfig,
    },
};
use watchfloor_feed::{Input, LinkFault, LinkId, Request};

use super::{Command, Doors, Ended, Inputs, MESSAGE_BYTES_MAX, dial, fault};

/// Opens the link, and passes on what comes until it ends.
pub(super) async fn run(
    doors: &Doors,
    link: LinkId,
    request: &Request,
    inputs: &Inputs,
    mut commands: Receiver<Command>,
) -> Ended {
    let mut socket = match open(doors, request).await {
        Ok(socket) => socket,
        Err(fault) => return Ended::Failed(fault),
    };
    if inputs.send(Input::Opened { link }).await.is_err() {
        return Ended::Unheard;
    }
    loop {
        tokio::select! {
            command = commands.recv() => {
                let message = match command {
                    Some(Command::Send(text)) => Message::text(text),
                    Some(Command::SendSecret(text)) => Message::text(text.expose()),
                    Some(Command::Ping) => Message::Ping(Bytes::new()),
                    None => return Ended::Unheard,
                };
                if let Err(error) = socket.send(message).await {
                    return ended(doors, &error);
                }
            }
            message = socket.next() => {
                let input = match message {
                    Some(Ok(Message::Text(text))) => Input::Text { link, text: text.into() },
                    Some(Ok(Message::Binary(bytes))) => Input::Text { link, text: bytes },
                    Some(Ok(Message::Pong(_))) => Input::Pong { link },
                    // Answered by the library.
                    Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.as_ref().map(|frame| frame.code.into());
                        let reason = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                        return Ended::Closed { code, reason };
                    }
                    Some(Err(error)) => return ended(doors, &error),
                    None => return Ended::Closed { code: None, reason: String::new() },
                };
                if inputs.send(input).await.is_err() {
                    return Ended::Unheard;
                }
            }
        }
    }
}

async fn open(doors: &Doors, request: &Request) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, LinkFault> {
    let mut handshake =
        request.url.as_str().into_client_request().map_err(|error| fault::of_websocket(&error, doors.clock.wall()))?;
    handshake.headers_mut().insert(USER_AGENT, HeaderValue::from_static(super::USER_AGENT));
    for header in &request.headers {
        let mut value = HeaderValue::from_str(&header.text()).map_err(|_| fault::bad_header(header.name))?;
        value.set_sensitive(header.is_secret());
        handshake.headers_mut().insert(header.name, value);
    }
    let connector = match request.url.scheme() {
        "wss" => Connector::Rustls(Arc::clone(&doors.tls().await)),
        _ => Connector::Plain,
    };
    let config =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX)).max_frame_size(Some(MESSAGE_BYTES_MAX));
    let stream = dial::connect(&request.url).await?;
    let (socket, _answer) = client_async_tls_with_config(handshake, stream, Some(config), Some(connector))
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
