//! What a WebSocket (RFC 6455) is on the wire, for tens of thousands of them: what comes in is taken apart by the library, what goes out is
//! shared with all who are sent the same, and a connection at rest holds no buffer.
//!
//! The library's own stream would copy every frame into a buffer of the connection, and keep that as large as it ever was.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::extract::ws::Utf8Bytes;
use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::{
    Message,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext},
};

use crate::{close::CloseReason, limits};

/// What comes from a client.
#[derive(Debug)]
pub(crate) enum Heard<'a> {
    Text(&'a str),
    /// A frame of bytes.
    Binary,
    /// More than a frame may hold. It is the last that is heard.
    TooBig,
}

/// Bytes that are read at once. What a client says is short.
const READ_BYTES: usize = 2 << 10;
/// What the library reads at least; it grows with what comes.
const LIBRARY_BYTES: usize = 128;
/// Frames that one call hands to the system.
const FRAMES_A_WRITE: usize = 32;
/// The longest header of a frame that isn't masked, bytes.
const HEADER_BYTES_MAX: usize = 10;
/// The first byte of a text in one frame.
const TEXT: u8 = 0x81;

/// See the module.
pub(crate) struct Line<C> {
    connection: C,
    library: WebSocketContext,
    /// What is to be written, the first of it perhaps in part.
    out: VecDeque<Part>,
    /// What came with the handshake wasn't looked at yet.
    is_new: bool,
    /// Nothing more is listened to.
    is_deaf: bool,
    is_over: bool,
}

/// A piece of what is written.
enum Part {
    Frame(Header, Bytes),
    /// What the library wrote.
    Raw(Bytes),
}

/// What stands before a text.
struct Header {
    bytes: [u8; HEADER_BYTES_MAX],
    from: u8,
    upto: u8,
}

impl Header {
    fn of_text(length: usize) -> Self {
        let mut bytes = [0; HEADER_BYTES_MAX];
        bytes[0] = TEXT;
        let upto = match length {
            0..126 => {
                bytes[1] = length.to_le_bytes()[0];
                2
            }
            126..65_536 => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&length.to_be_bytes()[size_of::<usize>() - 2..]);
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..].copy_from_slice(&(length as u64).to_be_bytes());
                10
            }
        };
        Self { bytes, from: 0, upto }
    }

    fn left(&self) -> &[u8] {
        &self.bytes[usize::from(self.from)..usize::from(self.upto)]
    }
}

impl Part {
    /// What is left of it, in two pieces.
    fn slices(&self) -> [&[u8]; 2] {
        match self {
            Self::Frame(header, text) => [header.left(), text],
            Self::Raw(bytes) => [bytes, &[]],
        }
    }

    /// So many bytes were written: how many of them were not of this part.
    fn advance(&mut self, mut written: usize) -> usize {
        if let Self::Frame(header, _) = self {
            let of_header = header.left().len().min(written);
            header.from += of_header.to_le_bytes()[0];
            written -= of_header;
        }
        let (Self::Frame(_, bytes) | Self::Raw(bytes)) = self;
        let own = bytes.len().min(written);
        bytes.advance(own);
        written - own
    }

    fn is_written(&self) -> bool {
        self.slices().iter().all(|slice| slice.is_empty())
    }
}

/// The library's end: it reads what has come, and what it writes is kept for the connection.
struct Ends<'a> {
    come: &'a [u8],
    written: Vec<u8>,
}

impl Read for Ends<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.come.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.come.read(buffer)
    }
}

impl Write for Ends<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> Line<C> {
    /// A connection whose handshake is over, and what came after it already.
    pub(crate) fn new(connection: C, come: &[u8]) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(LIBRARY_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(limits::CLIENT_FRAME_BYTES_MAX))
            .max_frame_size(Some(limits::CLIENT_FRAME_BYTES_MAX));
        let library = WebSocketContext::from_partially_read(come.to_vec(), Role::Server, Some(config));
        Self { connection, library, out: VecDeque::new(), is_new: true, is_deaf: false, is_over: false }
    }

    /// Text that is to go out.
    pub(crate) fn push(&mut self, text: Utf8Bytes) {
        let text = Bytes::from(text);
        self.out.push_back(Part::Frame(Header::of_text(text.len()), text));
    }

    /// Says goodbye.
    pub(crate) fn push_close(&mut self, reason: CloseReason) {
        let frame = CloseFrame { code: reason.code().into(), reason: reason.text().into() };
        let mut ends = Ends { come: &[], written: Vec::new() };
        // It is kept for the connection whatever the library says of what comes next.
        let _ = self.library.close(&mut ends, Some(frame));
        self.keep(ends.written);
    }

    /// Nothing more is heard from it.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether something waits to be written.
    pub(crate) fn has_more(&self) -> bool {
        !self.out.is_empty()
    }

    fn keep(&mut self, written: Vec<u8>) {
        if !written.is_empty() {
            self.out.push_back(Part::Raw(written.into()));
        }
    }

    /// Writes what is to go out; ready when all of it is written.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); 2 * FRAMES_A_WRITE];
            let pieces = self.out.iter().flat_map(Part::slices).filter(|piece| !piece.is_empty());
            let mut count = 0;
            for (slice, piece) in slices.iter_mut().zip(pieces) {
                *slice = IoSlice::new(piece);
                count += 1;
            }
            let mut written = ready!(Pin::new(&mut self.connection).poll_write_vectored(cx, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            while let Some(part) = self.out.front_mut() {
                written = part.advance(written);
                if !part.is_written() {
                    break;
                }
                self.out.pop_front();
            }
        }
        // At rest it holds nothing.
        self.out = VecDeque::new();
        Poll::Ready(Ok(()))
    }

    /// Listens to what comes, as long as `each` says that there is room for more. Pending when more may come; ready when there is no room,
    /// or all is over.
    pub(crate) fn poll_hear(&mut self, cx: &mut Context<'_>, mut each: impl FnMut(Heard<'_>) -> bool) -> Poll<()> {
        if std::mem::take(&mut self.is_new) && !self.take(&[], &mut each) {
            return Poll::Ready(());
        }
        loop {
            if self.is_over {
                return Poll::Ready(());
            }
            // Answers to pings wait for who doesn't read them; more of them are not asked for until they are gone.
            let is_answering = self.out.iter().any(|part| matches!(part, Part::Raw(_)));
            if self.is_deaf || is_answering {
                return Poll::Pending;
            }
            let mut buffer = [0; READ_BYTES];
            let mut buffer = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut self.connection).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    if !self.take(buffer.filled(), &mut each) {
                        return Poll::Ready(());
                    }
                }
                Ok(()) => self.is_over = true,
                Err(error) => {
                    tracing::debug!(reason = %error, "a WebSocket broke");
                    self.is_over = true;
                }
            }
        }
    }

    /// Has the library take what came; whether there is room for more.
    fn take(&mut self, come: &[u8], each: &mut impl FnMut(Heard<'_>) -> bool) -> bool {
        let mut ends = Ends { come, written: Vec::new() };
        let mut has_room = true;
        while !self.is_deaf && !self.is_over {
            match self.library.read(&mut ends) {
                Ok(Message::Text(text)) => has_room = each(Heard::Text(&text)),
                Ok(Message::Binary(_)) => has_room = each(Heard::Binary),
                // The library answers these by itself.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(tungstenite::Error::Capacity(_)) => {
                    self.is_deaf = true;
                    has_room = each(Heard::TooBig);
                }
                Err(error) => {
                    tracing::debug!(reason = %error, "a WebSocket ended");
                    self.is_over = true;
                }
            }
        }
        self.keep(ends.written);
        has_room
    }
}
