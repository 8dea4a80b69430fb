//! A connection of a protocol's own over TCP, in clear, by TLS from its beginning, or by TLS from where the protocol says.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use watchfloor_feed::{Input, LinkFault, LinkFaultKind, LinkId, Request};

use super::{Command, Doors, Ended, Inputs, commands::Commands, dial::Stream, fault};

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// Opens the connection, and passes on what comes until it ends.
pub(super) async fn run(
    doors: &Doors,
    link: LinkId,
    request: &Request,
    inputs: &Inputs,
    mut commands: Commands,
) -> Ended {
    let stream = match doors.connect(&request.url, request.certified_host(), request.is_tls()).await {
        Ok(stream) => stream,
        Err(fault) => return Ended::Failed(fault),
    };
    if inputs.send(Input::Opened { link }).await.is_err() {
        return Ended::Unheard;
    }
    let stream = match carry(link, inputs, stream, &mut commands).await {
        Left::Ended(ended) => return ended,
        Left::Clear(_) if request.is_tls() => return asked_twice(),
        Left::Clear(stream) => doors.secure(request.certified_host(), stream).await,
    };
    match stream {
        Ok(stream) => match carry(link, inputs, stream, &mut commands).await {
            Left::Ended(ended) => ended,
            Left::Clear(_) => asked_twice(),
        },
        Err(fault) => Ended::Failed(fault),
    }
}

fn asked_twice() -> Ended {
    Ended::Failed(LinkFault::new(LinkFaultKind::Other, "TLS was asked for twice"))
}

/// Why carrying ended.
enum Left {
    /// With the connection.
    Ended(Ended),
    /// To go on by TLS.
    Clear(Stream),
}

async fn carry(link: LinkId, inputs: &Inputs, mut stream: Stream, commands: &mut Commands) -> Left {
    let mut read = BytesMut::with_capacity(READ_BYTES);
    loop {
        let ended = tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Send(message)) => {
                    let bytes = message.into_bytes();
                    match write(&mut stream, &bytes).await {
                        Ok(()) => continue,
                        Err(error) => Ended::Failed(fault::of_io(&error)),
                    }
                }
                // The protocol's own are messages.
                Some(Command::Ping) => continue,
                Some(Command::StartTls) => return Left::Clear(stream),
                None => Ended::Unheard,
            },
            got = stream.read_buf(&mut read) => match got {
                Ok(0) => Ended::Closed { code: None, reason: String::new() },
                Ok(_) => {
                    let bytes = read.split().freeze();
                    read.reserve(READ_BYTES);
                    if inputs.send(Input::Chunk { link, bytes }).await.is_ok() {
                        continue;
                    }
                    Ended::Unheard
                }
                Err(error) => Ended::Failed(fault::of_io(&error)),
            },
        };
        return Left::Ended(ended);
    }
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
