//! What goes over the wire: control lines that end in CR LF, and messages whose sizes stand in their line.

use std::ops::Range;

use memchr::{memchr, memchr3};
use watchfloor_model::limits::DATA_BYTES_MAX;

/// The longest control line, in bytes. The longest is a server's introduction, which lists its cluster.
const LINE_BYTES_MAX: usize = 64 << 10;
/// The largest message that is kept, headers and body, in bytes. A larger one is skipped and counted as rejected.
const MESSAGE_BYTES_MAX: usize = DATA_BYTES_MAX + (64 << 10);
/// The largest message that any server lets through, in bytes. One that claims to be larger is none.
const CLAIMED_BYTES_MAX: usize = 64 << 20;
/// Most arguments of a control line.
const ARGUMENTS_MAX: usize = 5;

/// One thing that a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// `INFO`: what the server is.
    Info(&'a [u8]),
    Ping,
    Pong,
    /// `+OK`, `-ERR` and its words.
    Ok,
    Error(&'a str),
    /// `MSG` or `HMSG`.
    Message(Message<'a>),
    /// A message that was too large to be kept.
    TooBig {
        sid: u64,
        reply: Option<&'a str>,
        bytes: usize,
    },
}

/// A message to one of our subscriptions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) subject: &'a str,
    pub(super) sid: u64,
    pub(super) reply: Option<&'a str>,
    /// The header block, empty if there is none.
    pub(super) headers: &'a [u8],
    pub(super) body: &'a [u8],
}

/// Cuts a connection's bytes into frames.
#[derive(Debug, Default)]
pub(super) struct Parser {
    buffer: Vec<u8>,
    /// What of it was taken.
    at: usize,
    /// How much of a message that is too large is still to come.
    skip: usize,
}

/// The line of a message, as places in the buffer.
struct Head {
    subject: Range<usize>,
    sid: u64,
    reply: Option<Range<usize>>,
    header_bytes: usize,
    total_bytes: usize,
}

impl Parser {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let skipped = if self.is_empty() { self.skip.min(bytes.len()) } else { 0 };
        self.skip -= skipped;
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(&bytes[skipped..]);
        if self.buffer.is_empty() {
            self.buffer.shrink_to(MESSAGE_BYTES_MAX / 8);
        }
    }

    /// Whether everything that came was taken.
    pub(super) const fn is_empty(&self) -> bool {
        self.at == self.buffer.len()
    }

    /// The next frame, if all of it has come. After an error nothing that follows means anything.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, String> {
        let line = loop {
            let skipped = self.skip.min(self.buffer.len() - self.at);
            self.at += skipped;
            self.skip -= skipped;
            let rest = &self.buffer[self.at..];
            let Some(end) = memchr(b'\n', &rest[..rest.len().min(LINE_BYTES_MAX)]) else {
                return match rest.len() {
                    0..LINE_BYTES_MAX => Ok(None),
                    _ => Err(format!("a line of more than {LINE_BYTES_MAX} bytes")),
                };
            };
            let line = self.at..self.at + end;
            if !self.buffer[line.clone()].trim_ascii().is_empty() {
                break line;
            }
            // What ends a message that was skipped.
            self.at = line.end + 1;
        };
        let after = line.end + 1;
        if let Some(head) = head(&self.buffer[line.clone()], line.start)? {
            return self.message(&head, after);
        }
        self.at = after;
        let text = &self.buffer[line];
        let verb = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (verb, rest) = text.split_at(verb);
        let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
        let frame = if is("PING") {
            Frame::Ping
        } else if is("PONG") {
            Frame::Pong
        } else if is("+OK") {
            Frame::Ok
        } else if is("INFO") {
            Frame::Info(rest.trim_ascii())
        } else if is("-ERR") {
            let words = std::str::from_utf8(rest).map_err(|_| garbage(text))?;
            Frame::Error(words.trim().trim_matches('\''))
        } else {
            return Err(garbage(text));
        };
        Ok(Some(frame))
    }

    fn message(&mut self, head: &Head, start: usize) -> Result<Option<Frame<'_>>, String> {
        let &Head { sid, header_bytes, total_bytes, .. } = head;
        if total_bytes > CLAIMED_BYTES_MAX {
            return Err(format!("a message of {total_bytes} bytes"));
        }
        let is_kept = total_bytes <= MESSAGE_BYTES_MAX;
        let end = start + total_bytes;
        if is_kept {
            match self.buffer.get(end..end + 2) {
                None => return Ok(None),
                Some(b"\r\n") => self.at = end + 2,
                Some(_) => return Err("a message that doesn't end where it says".to_owned()),
            }
        } else {
            self.at = start;
            self.skip = total_bytes;
        }
        let text = |range: &Range<usize>| std::str::from_utf8(&self.buffer[range.clone()]).ok();
        let subject = text(&head.subject).ok_or_else(|| "a subject that is no UTF-8".to_owned())?;
        let reply = head.reply.as_ref().and_then(text);
        if !is_kept {
            return Ok(Some(Frame::TooBig { sid, reply, bytes: total_bytes }));
        }
        let (headers, body) = self.buffer[start..end].split_at(header_bytes);
        Ok(Some(Frame::Message(Message { subject, sid, reply, headers, body })))
    }
}

/// Reads a line that stands at `start`, if it is a message's.
fn head(line: &[u8], start: usize) -> Result<Option<Head>, String> {
    let verb = line.get(..4).unwrap_or_default();
    let has_headers = verb.eq_ignore_ascii_case(b"HMSG");
    let is_message = match verb {
        [name @ .., blank] => has_headers || (name.eq_ignore_ascii_case(b"MSG") && blank.is_ascii_whitespace()),
        [] => false,
    };
    if !is_message {
        return Ok(None);
    }
    arguments(line, start, has_headers).map(Some).ok_or_else(|| garbage(line))
}

fn arguments(line: &[u8], start: usize, has_headers: bool) -> Option<Head> {
    let mut words: [Range<usize>; ARGUMENTS_MAX + 1] = Default::default();
    let (mut count, mut at) = (0, 0);
    while at < line.len() {
        let end = memchr3(b' ', b'\t', b'\r', &line[at..]).map_or(line.len(), |length| at + length);
        if end > at {
            *words.get_mut(count)? = at..end;
            count += 1;
        }
        at = end + 1;
    }
    // The verb, the subject, the subscription, perhaps where an answer goes, the sizes.
    let sizes = if has_headers { 2 } else { 1 };
    let has_reply = match count.checked_sub(sizes)? {
        3 => false,
        4 => true,
        _ => return None,
    };
    let number = |range: &Range<usize>| std::str::from_utf8(&line[range.clone()]).ok()?.parse::<u64>().ok();
    let size = |range: &Range<usize>| usize::try_from(number(range)?).ok();
    let total_bytes = size(&words[count - 1])?;
    let header_bytes = if has_headers { size(&words[count - 2])? } else { 0 };
    let place = |range: &Range<usize>| start + range.start..start + range.end;
    (header_bytes <= total_bytes).then_some(Head {
        subject: place(&words[1]),
        sid: number(&words[2])?,
        reply: has_reply.then(|| place(&words[3])),
        header_bytes,
        total_bytes,
    })
}

fn garbage(line: &[u8]) -> String {
    let start = String::from_utf8_lossy(&line[..line.len().min(40)]);
    format!("the server does not speak NATS: `{}`", start.trim())
}

/// The status in a header block's first line, if it has one.
pub(super) fn status(headers: &[u8]) -> Option<u16> {
    let digits = headers.strip_prefix(b"NATS/1.0")?.trim_ascii_start().get(..3)?;
    let is_there = headers.get(b"NATS/1.0".len()) == Some(&b' ');
    std::str::from_utf8(digits).ok().filter(|_| is_there)?.parse().ok()
}

/// A header's first value.
pub(super) fn header<'a>(headers: &'a [u8], name: &str) -> Option<&'a str> {
    headers.split(|b| *b == b'\n').skip(1).find_map(|line| {
        let colon = memchr(b':', line)?;
        let (found, value) = (&line[..colon], &line[colon + 1..]);
        let value = std::str::from_utf8(value.trim_ascii()).ok()?;
        found.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })
}
