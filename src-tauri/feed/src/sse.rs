//! The event stream format: HTML standard section 9.2.5 and 9.2.6, "parsing and interpreting an event stream".
//!
//! Two deviations, both bounded and visible. Data stays bytes, so that whoever reads it can tell an event that isn't
//! UTF-8 from one that says U+FFFD. A line or an event over its bound is skipped and reported, not kept.

use crate::limits::{SSE_EVENT_BYTES_MAX, SSE_LINE_BYTES_MAX};

/// What a stream says.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An event: a block that was ended by an empty line and has data.
    Event {
        /// Its type: `message` if the block names none.
        kind: &'a str,
        /// Its data lines, joined by LF.
        data: &'a [u8],
        /// The last event id, its own or inherited; empty for none.
        id: &'a str,
    },
    /// `retry:` with a delay in milliseconds, saturated.
    Retry(u64),
    /// What says nothing but that the server sends: a comment, or a block without data that has been ended.
    Sign,
    /// A block without data that moved the last event id, which is no event.
    Mark {
        /// The last event id now; empty for none.
        id: &'a str,
    },
    /// A line or event over its bound was skipped.
    Oversize {
        /// Bytes seen of it.
        bytes: usize,
    },
}

/// One connection's parser. Bytes may be cut anywhere.
#[derive(Debug, Default)]
pub struct Parser {
    /// How many bytes of a byte order mark have been seen; 4 when it is settled.
    mark: u8,
    /// The last byte was a CR: an LF now belongs to it.
    after_cr: bool,
    /// The part of the current line that came in earlier chunks.
    line: Vec<u8>,
    /// Bytes of the current line that were skipped because it is too long.
    skipped: usize,
    data: Vec<u8>,
    kind: String,
    /// Whether the block in progress has a field.
    begun: bool,
    /// The id of the block in progress …
    id: String,
    /// … takes effect with the empty line that ends it.
    last_id: String,
    oversize: usize,
}

const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
const MARK_SETTLED: u8 = 4;
/// A buffer that grew over this is given back.
const KEPT_BYTES_MAX: usize = 1 << 20;

impl Parser {
    /// A parser for a new connection that was asked to go on after `last_id`.
    #[must_use]
    pub fn new(last_id: &str) -> Self {
        Self { id: last_id.to_owned(), last_id: last_id.to_owned(), ..Self::default() }
    }

    /// What to send as `Last-Event-ID` with the next request; empty for no header.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Takes some bytes and hands over what they complete.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let mut rest = self.strip_mark(bytes);
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            if rest[0] == b'\n' {
                rest = &rest[1..];
            }
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.end_line(&rest[..end], sink);
            let terminator = rest[end];
            rest = &rest[end + 1..];
            if terminator == b'\r' {
                match rest.first() {
                    Some(b'\n') => rest = &rest[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
        }
        self.keep(rest);
    }

    /// Strips one leading byte order mark, however it is cut.
    fn strip_mark<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while self.mark < MARK_SETTLED {
            let seen = usize::from(self.mark);
            if seen == MARK.len() {
                self.mark = MARK_SETTLED;
                break;
            }
            let Some(&byte) = bytes.first() else { break };
            if byte == MARK[seen] {
                self.mark += 1;
                bytes = &bytes[1..];
            } else {
                // It was none: what was taken for its beginning is the beginning of the first line.
                self.line.extend_from_slice(&MARK[..seen]);
                self.mark = MARK_SETTLED;
            }
        }
        bytes
    }

    fn keep(&mut self, part: &[u8]) {
        if self.skipped > 0 || self.line.len() + part.len() > SSE_LINE_BYTES_MAX {
            self.skipped += self.line.len() + part.len();
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self, part: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if self.line.is_empty() && self.skipped == 0 && part.len() <= SSE_LINE_BYTES_MAX {
            return self.take_line(part, sink);
        }
        self.keep(part);
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            self.oversize += skipped;
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        self.take_line(&line, sink);
        line.clear();
        line.shrink_to(KEPT_BYTES_MAX);
        self.line = line;
    }

    fn take_line(&mut self, line: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if line.is_empty() {
            return self.dispatch(sink);
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(0) => return sink(Item::Sign),
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        self.begun = true;
        match name {
            b"data" => {
                if self.data.len() + value.len() + 1 > SSE_EVENT_BYTES_MAX {
                    self.oversize += self.data.len() + value.len();
                    self.data = Vec::new();
                } else if self.oversize == 0 {
                    self.data.extend_from_slice(value);
                    self.data.push(b'\n');
                }
            }
            b"event" => self.kind = String::from_utf8_lossy(value).into_owned(),
            b"id" if !value.contains(&0) => {
                self.id.clear();
                self.id.push_str(&String::from_utf8_lossy(value));
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let millis = value
                    .iter()
                    .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
                sink(Item::Retry(millis));
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let moved = self.last_id != self.id;
        if moved {
            self.last_id.clone_from(&self.id);
        }
        let oversize = std::mem::take(&mut self.oversize);
        let begun = std::mem::take(&mut self.begun);
        if oversize > 0 {
            sink(Item::Oversize { bytes: oversize });
        } else if let Some(data) = self.data.strip_suffix(b"\n") {
            let kind = if self.kind.is_empty() { "message" } else { &self.kind };
            sink(Item::Event { kind, data, id: &self.last_id });
        } else if moved {
            sink(Item::Mark { id: &self.last_id });
        } else if begun {
            sink(Item::Sign);
        }
        self.data.clear();
        self.data.shrink_to(KEPT_BYTES_MAX);
        self.kind.clear();
    }
}

#[cfg(test)]
mod contract;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every item as a line, and the last event id after all.
    fn parse_cut(bytes: &[u8], size: usize) -> (Vec<String>, String) {
        let mut parser = Parser::default();
        let mut items = Vec::new();
        for chunk in bytes.chunks(size) {
            parser.push(chunk, &mut |item| {
                items.push(match item {
                    Item::Event { kind, data, id } => format!("{kind}#{id}={}", data.escape_ascii()),
                    Item::Retry(millis) => format!("retry {millis}"),
                    Item::Sign => "sign".to_owned(),
                    Item::Mark { id } => format!("mark {id}"),
                    Item::Oversize { bytes } => format!("oversize {bytes}"),
                });
            });
        }
        (items, parser.last_event_id().to_owned())
    }

    /// The same result however the bytes are cut.
    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str], last_id: &str) {
        for size in [bytes.len().max(1), 1, 2, 3, 7] {
            let (items, id) = parse_cut(bytes, size);
            assert_eq!(items, expected, "cut into {size}: {}", bytes.escape_ascii());
            assert_eq!(id, last_id, "cut into {size}");
        }
    }

    #[test]
    fn line_ends_and_byte_order_mark() {
        check(b"\xEF\xBB\xBFdata: a\r\n\r\ndata: b\r\rdata: c\n\n", &["message#=a", "message#=b", "message#=c"], "");
        check(b"data: a\r\rdata: b\n\r\n", &["message#=a", "message#=b"], "");
        check(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", &["sign"], "");
        check(b"\xEF\xBBdata: a\n\ndata: b\n\n", &["sign", "message#=b"], "");
        check(b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &["message#=a", "sign"], "");
    }

    #[test]
    fn a_cr_at_a_chunks_end_dispatches_at_once() {
        let mut parser = Parser::default();
        let mut count = 0;
        parser.push(b"data: a\r\r", &mut |_| count += 1);
        parser.push(b"\ndata: b\n", &mut |_| count += 10);
        parser.push(b"\n", &mut |_| count += 100);
        assert_eq!(count, 101);
    }

    #[test]
    fn fields() {
        check(b"data\n\n", &["message#="], "");
        check(b"data:\n\n", &["message#="], "");
        check(b"data:\ndata:\n\n", &["message#=\\n"], "");
        check(b"data:  x\n\n", &["message#= x"], "");
        check(b"data:a:b\ndata: c\n\n", &["message#=a:b\\nc"], "");
        check(b"data :x\nData:y\n: comment\n\n", &["sign", "sign"], "");
        check(b":\n:x\n\n\n", &["sign", "sign"], "");
        check(b"event: a\nevent: b\ndata: x\n\ndata: y\n\n", &["b#=x", "message#=y"], "");
        check(b"event: a\n\ndata: y\n\n", &["sign", "message#=y"], "");
        check("data: é\n\n".as_bytes(), &["message#=\\xc3\\xa9"], "");
        check(b"data: \xff\n\n", &["message#=\\xff"], "");
    }

    #[test]
    fn ids() {
        check(b"id: 7\n\n", &["mark 7"], "7");
        check(b"id: 7\n\nid: 7\n\nid\n\n", &["mark 7", "sign", "mark "], "");
        check(b"id: 7\ndata: a\n\ndata: b\n\n", &["message#7=a", "message#7=b"], "7");
        check(b"id: 7\n\nid: a\0b\ndata: x\n\n", &["mark 7", "message#7=x"], "7");
        check(b"id: 7\n\nid\ndata: x\n\n", &["mark 7", "message#=x"], "");
        check(b"id: 7\ndata: a\n\nid: 9\ndata: b\n", &["message#7=a"], "7");
    }

    #[test]
    fn retry_is_digits_only() {
        check(b"retry: 1500\n", &["retry 1500"], "");
        check(b"retry: 1e3\nretry: -1\nretry:\nretry: 5s\nretry: +5\nretry\n", &[], "");
        check(b"retry: 99999999999999999999999\n", &["retry 18446744073709551615"], "");
    }

    /// H5: a line without end and an event without end cost no more than their bounds, and what follows is read.
    #[test]
    fn endless_lines_and_events_are_skipped() {
        let chunk = vec![b'x'; 1 << 20];
        let mut parser = Parser::default();
        let mut items = Vec::new();
        let mut sink = |item: Item<'_>| match item {
            Item::Oversize { bytes } => items.push(bytes),
            Item::Event { data, .. } => items.push(data.len()),
            Item::Retry(_) | Item::Sign | Item::Mark { .. } => {}
        };
        parser.push(b"data: ", &mut sink);
        for _ in 0..40 {
            parser.push(&chunk, &mut sink);
            assert!(parser.line.capacity() <= 2 * SSE_LINE_BYTES_MAX);
        }
        parser.push(b"\n\ndata: ok\n\n", &mut sink);
        for _ in 0..20 {
            parser.push(b"data: ", &mut sink);
            parser.push(&chunk, &mut sink);
            parser.push(b"\n", &mut sink);
            assert!(parser.data.capacity() <= 2 * SSE_EVENT_BYTES_MAX);
        }
        parser.push(b"\ndata: 10M", &mut sink);
        for _ in 0..10 {
            parser.push(&chunk, &mut sink);
        }
        parser.push(b"\n\n", &mut sink);
        assert_eq!(items.len(), 4, "{items:?}");
        assert!(items[0] > 40 << 20 && items[1] == 2 && items[2] > SSE_EVENT_BYTES_MAX && items[3] > 10 << 20);
    }
}
