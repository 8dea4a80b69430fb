//! What a WebSocket (RFC 6455) is on the wire, for tens of thousands of them: what comes in is taken apart by the library, what goes out is
//! shared with all who are sent the same, and a connection at rest holds no buffer.
//!
//! The library's own stream would copy every frame into a buffer of the connection, and keep that as large as it ever was.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tungstenite::{
    Message,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext},
};
use watchfloor_model::Mono;

use crate::{
    close::CloseReason,
    limits,
    rates::{Bucket, Speech},
};

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
    /// What was written may still be held below.
    is_unflushed: bool,
    /// What came with the handshake wasn't looked at yet.
    is_new: bool,
    /// Nothing more is listened to.
    is_deaf: bool,
    is_over: bool,
    ear: Option<Box<Ear>>,
}

/// How much is listened to.
struct Ear {
    speech: Speech,
    zero: Instant,
    messages: Bucket,
    bytes: Bucket,
    /// Nothing is read until then.
    pause: Option<Pin<Box<Sleep>>>,
    /// How often nothing was, and how often that was told.
    pauses: u64,
    told: u64,
}

impl Ear {
    fn now(&self) -> Mono {
        Mono::ZERO.plus(self.zero.elapsed())
    }

    fn hear(&mut self, messages: u32, bytes: usize) {
        let now = self.now();
        if let Some(a_second) = self.speech.messages {
            self.messages.spend(a_second, f64::from(messages), now);
        }
        if let Some(a_second) = self.speech.bytes {
            self.bytes.spend(a_second, bytes as f64, now);
        }
    }

    /// Ready when it may be listened to.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            self.hear(0, 0);
            let owed =
                |bucket: &Bucket, a_second: Option<u32>| a_second.map_or(Duration::ZERO, |rate| bucket.owes(rate));
            let owed = owed(&self.messages, self.speech.messages).max(owed(&self.bytes, self.speech.bytes));
            if owed.is_zero() {
                return Poll::Ready(());
            }
            self.pauses += 1;
            self.pause = Some(Box::pin(sleep(owed)));
        }
    }
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
        Self {
            connection,
            library,
            out: VecDeque::new(),
            is_unflushed: false,
            is_new: true,
            is_deaf: false,
            is_over: false,
            ear: None,
        }
    }

    /// The same, listened to no more than this.
    pub(crate) fn listening(self, speech: Speech) -> Self {
        let Speech { messages, bytes } = speech;
        let bucket = |a_second: Option<u32>| Bucket::full(a_second.unwrap_or(0), Mono::ZERO);
        let ear = || {
            let (messages, bytes) = (bucket(messages), bucket(bytes));
            Box::new(Ear { speech, zero: Instant::now(), messages, bytes, pause: None, pauses: 0, told: 0 })
        };
        Self { ear: (messages.is_some() || bytes.is_some()).then(ear), ..self }
    }

    /// Whether it was not listened to for a while, since this was last asked, and whether that was the first time.
    pub(crate) fn was_slowed(&mut self) -> Option<bool> {
        let ear = self.ear.as_mut().filter(|ear| ear.pauses > ear.told)?;
        let is_first = ear.told == 0;
        ear.told = ear.pauses;
        Some(is_first)
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

    /// Whether something waits to be written, here or below.
    pub(crate) fn has_more(&self) -> bool {
        !self.out.is_empty() || self.is_unflushed
    }

    fn keep(&mut self, written: Vec<u8>) {
        if !written.is_empty() {
            self.out.push_back(Part::Raw(written.into()));
        }
    }

    /// Writes what is to go out; ready when the system has all of it.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            self.is_unflushed = true;
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
        // TLS holds what the system has not taken yet.
        ready!(Pin::new(&mut self.connection).poll_flush(cx))?;
        self.is_unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Ends what is spoken below, in order.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
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
            if let Some(ear) = &mut self.ear {
                ready!(ear.poll_pause(cx));
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
        let mut messages = 0;
        while !self.is_deaf && !self.is_over {
            let read = self.library.read(&mut ends);
            messages += u32::from(read.is_ok());
            match read {
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
        if let Some(ear) = &mut self.ear {
            ear.hear(messages, come.len());
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::{SinkExt, StreamExt};
    use tokio::io::{DuplexStream, duplex};
    use tokio_tungstenite::WebSocketStream;

    use super::*;

    async fn pair(bytes: usize) -> (Line<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (near, far) = duplex(bytes);
        (Line::new(near, &[]), WebSocketStream::from_raw_socket(far, Role::Client, None).await)
    }

    /// Listens until there are `count` words, and says what was heard.
    async fn hear(line: &mut Line<DuplexStream>, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        poll_fn(|cx| {
            loop {
                let heard = line.poll_hear(cx, |heard| {
                    words.push(match heard {
                        Heard::Text(text) => text.to_owned(),
                        Heard::Binary => "binary".to_owned(),
                        Heard::TooBig => "too big".to_owned(),
                    });
                    words.len() < count
                });
                if heard.is_ready() || words.len() >= count {
                    return Poll::Ready(());
                }
                if !line.has_more() || line.poll_write(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
        words
    }

    /// H1: texts of every length arrive whole and in order, however little the connection takes at once, and nothing is held after.
    #[tokio::test]
    async fn texts_arrive_whole() {
        for room in [1, 7, 1 << 20] {
            let (mut line, mut client) = pair(room).await;
            let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000, 3];
            let texts = || lengths.iter().enumerate().map(|(at, length)| at.to_string().repeat(*length));
            texts().for_each(|text| line.push(text.into()));
            let written = tokio::spawn(async move {
                poll_fn(|cx| line.poll_write(cx)).await.expect("written");
                assert!(!line.has_more() && line.out.capacity() == 0);
                line
            });
            for text in texts() {
                assert_eq!(client.next().await.expect("open").expect("sound").into_text().expect("text"), text);
            }
            written.await.expect("no panic");
        }
    }

    /// What a client says is heard in its order, its pings are answered, and after too much of it nothing is heard.
    #[tokio::test]
    async fn clients_are_heard() {
        let (mut line, mut client) = pair(1 << 20).await;
        client.send(Message::text("a")).await.expect("sent");
        client.send(Message::binary(vec![1])).await.expect("sent");
        client.send(Message::Ping("p".into())).await.expect("sent");
        client.send(Message::text("b".repeat(5000))).await.expect("sent");
        assert_eq!(hear(&mut line, 3).await, ["a".to_owned(), "binary".to_owned(), "b".repeat(5000)]);
        poll_fn(|cx| line.poll_write(cx)).await.expect("written");
        assert_eq!(client.next().await.expect("open").expect("sound"), Message::Pong("p".into()));
        client.send(Message::text("c".repeat(limits::CLIENT_FRAME_BYTES_MAX + 1))).await.expect("sent");
        assert_eq!(hear(&mut line, 1).await, ["too big"]);
        line.push_close(CloseReason::TooBig);
        poll_fn(|cx| line.poll_write(cx)).await.expect("written");
        let Message::Close(Some(frame)) = client.next().await.expect("open").expect("sound") else {
            panic!("no goodbye")
        };
        assert_eq!(u16::from(frame.code), 1009);
    }

    /// What came with the handshake is heard, a goodbye is answered, and what isn't masked ends the connection.
    #[tokio::test]
    async fn beginnings_and_ends() {
        let (near, _far) = duplex(64);
        let mut line = Line::new(near, &[0x81, 0x81, 0, 0, 0, 0, b'x']);
        assert_eq!(hear(&mut line, 1).await, ["x"]);

        let (mut line, mut client) = pair(1 << 10).await;
        client.close(None).await.expect("sent");
        assert!(hear(&mut line, 1).await.is_empty() && line.is_over());
        poll_fn(|cx| line.poll_write(cx)).await.expect("written");
        assert!(matches!(client.next().await, Some(Ok(Message::Close(None)))));

        let (near, _far) = duplex(64);
        let mut line = Line::new(near, &[0x81, 1, b'x']);
        assert!(hear(&mut line, 1).await.is_empty() && line.is_over());
    }

    /// H5: who pings and reads nothing isn't listened to: answers are not kept without end.
    #[tokio::test]
    async fn answers_are_bounded() {
        let (near, mut far) = duplex(256);
        let mut line = Line::new(near, &[]);
        let flood = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            // Ten thousand pings of 100 bytes, masked with nothing.
            let ping = [&[0x89, 0xe4, 0, 0, 0, 0][..], &[b'p'; 100]].concat();
            for _ in 0..10_000 {
                if tokio::time::timeout(Duration::from_millis(200), far.write_all(&ping)).await.is_err() {
                    return true;
                }
            }
            false
        });
        let listening = tokio::time::timeout(Duration::from_secs(5), hear(&mut line, 1));
        assert!(listening.await.is_err(), "there is nothing to hear");
        assert!(flood.await.expect("no panic"), "the flood is held back");
        let kept: usize = line.out.iter().flat_map(Part::slices).map(<[u8]>::len).sum();
        assert!(kept <= 2 * READ_BYTES, "{kept}");
    }
}
