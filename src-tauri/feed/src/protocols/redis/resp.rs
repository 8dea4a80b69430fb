//! RESP3, the way Redis writes it: bytes in any cuts become frames, as far as their bounds allow.
//!
//! What is too long is left out and the frame around it kept, so that one big value costs itself and not the connection.

use std::mem;

use watchfloor_model::limits::DATA_BYTES_MAX;

use super::text::Text;

/// The longest line: errors are the only ones that are more than a few bytes.
const LINE_BYTES_MAX: usize = 64 << 10;
/// The longest value that is kept.
const VALUE_BYTES_MAX: u64 = DATA_BYTES_MAX as u64;
/// Most bytes of longer values than [`SMALL_BYTES_MAX`] that are kept of one frame.
const FRAME_BYTES_MAX: u64 = 32 << 20;
/// Values up to here are kept in any case: names, ids and counts, by which the rest is known.
const SMALL_BYTES_MAX: u64 = 64;
/// Most values in one frame.
const VALUES_MAX: u64 = 1 << 20;
/// The deepest frame: a transaction's list of streams' lists of entries' lists of fields, with some room.
const DEPTH_MAX: usize = 12;
/// Digits of a number that is certainly no greater than can be.
const SHORT_DIGITS: usize = 9;
/// Room made beforehand for a list's values.
const ROOM_MAX: u64 = 64;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Frame {
    Text(Text),
    Error(Vec<u8>),
    Integer(i64),
    Bool(bool),
    Null,
    List(Vec<Frame>),
    /// Keys and values by turns.
    Map(Vec<Frame>),
    Push(Vec<Frame>),
    /// A value that is too long for anything, and was left out.
    TooLong(u64),
    /// A value that was left out because the frame around it is too long.
    LeftOut,
}

impl Frame {
    /// The text, if it is one in UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The values of a list or a push.
    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Push(items) => Some(items),
            _ => None,
        }
    }

    /// A map's pairs; a flat list is taken for one.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let items: &[Self] = match self {
            Self::Map(items) | Self::List(items) => items,
            _ => &[],
        };
        items.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))
    }

    /// A map's value.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().find(|(found, _)| found.text() == Some(key)).map(|(_, value)| value)
    }

    /// Not less than zero.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }
}

/// What came is no RESP3, or beyond its bounds: why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) String);

/// What kind of list is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    Map,
    Push,
    /// Said about the next value; of no use here.
    Attribute,
}

#[derive(Debug)]
struct Open {
    kind: Kind,
    left: u64,
    items: Vec<Frame>,
}

/// A value whose length was told.
#[derive(Debug)]
struct Value {
    is_error: bool,
    /// Begins with three letters and a colon.
    is_verbatim: bool,
    length: u64,
    /// Bytes to come, with the two that end it.
    left: u64,
    /// Nothing, if it is left out.
    kept: Option<Vec<u8>>,
    is_too_long: bool,
}

/// Puts frames together.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    value: Option<Value>,
    open: Vec<Open>,
    /// Of the frame that is being read.
    bytes: u64,
    values: u64,
    /// Of the last whole frame, about what it takes.
    weight: u64,
}

/// What a value is taken to weigh besides its bytes.
const VALUE_WEIGHT: u64 = 32;

impl Parser {
    /// About what the last whole frame takes, in bytes.
    pub(super) const fn weight(&self) -> u64 {
        self.weight
    }

    /// Takes some bytes. Says how many of them the next frame needed, and the frame, if it is whole.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Frame>), Broken> {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            let (taken, found) = if self.value.is_some() {
                self.take_value(rest)?
            } else if self.line.is_empty()
                && let Some((taken, text)) = short(rest)
            {
                self.values = self.values.saturating_add(1);
                self.bytes = self.bytes.saturating_add(text.len() as u64);
                (taken, Some(Frame::Text(text.into())))
            } else {
                self.take_line(rest)?
            };
            used += taken;
            if let Some(frame) = found.and_then(|found| self.close(found)) {
                return Ok((used, Some(frame)));
            }
        }
        Ok((used, None))
    }

    fn take_line(&mut self, bytes: &[u8]) -> Result<(usize, Option<Frame>), Broken> {
        let end = memchr::memchr(b'\n', bytes);
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if self.line.len() + taken > LINE_BYTES_MAX {
            return Err(Broken(format!("a line of more than {LINE_BYTES_MAX} bytes")));
        }
        // Known from its first byte: what speaks something else may never end a line.
        if self.line.is_empty() && !is_kind(bytes[0]) {
            return Err(Broken(format!("a line that begins with the byte {}", bytes[0])));
        }
        if end.is_none() {
            self.line.extend_from_slice(bytes);
            return Ok((taken, None));
        }
        let found = if self.line.is_empty() {
            self.begin(&bytes[..taken])
        } else {
            let mut line = mem::take(&mut self.line);
            line.extend_from_slice(&bytes[..taken]);
            self.begin(&line)
        };
        Ok((taken, found?))
    }

    /// A whole line.
    fn begin(&mut self, line: &[u8]) -> Result<Option<Frame>, Broken> {
        let Some((&kind, text)) = line.strip_suffix(b"\r\n").and_then(<[u8]>::split_first) else {
            return Err(Broken("a line that doesn't end in CR LF".to_owned()));
        };
        self.values = self.values.saturating_add(1);
        Ok(Some(match kind {
            b'+' | b',' | b'(' => Frame::Text(text.into()),
            b'-' => Frame::Error(text.to_vec()),
            b':' => Frame::Integer(number(text)?),
            b'#' => Frame::Bool(text == b"t"),
            b'_' => Frame::Null,
            b'$' | b'=' | b'!' => {
                let length = number(text)?;
                let Ok(length) = u64::try_from(length) else { return Ok(Some(Frame::Null)) };
                let is_too_long = length > VALUE_BYTES_MAX;
                let has_room = length <= SMALL_BYTES_MAX || self.bytes.saturating_add(length) <= FRAME_BYTES_MAX;
                let keeps = !is_too_long && has_room;
                if keeps {
                    self.bytes = self.bytes.saturating_add(length);
                }
                let left = length.checked_add(2).ok_or_else(|| Broken("a value without end".to_owned()))?;
                let is_error = kind == b'!';
                let is_verbatim = kind == b'=';
                self.value =
                    Some(Value { is_error, is_verbatim, length, left, kept: keeps.then(Vec::new), is_too_long });
                return Ok(None);
            }
            b'*' | b'~' | b'%' | b'>' | b'|' => {
                let count = number(text)?;
                let Ok(count) = u64::try_from(count) else { return Ok(Some(Frame::Null)) };
                let kind = match kind {
                    b'%' => Kind::Map,
                    b'>' => Kind::Push,
                    b'|' => Kind::Attribute,
                    _ => Kind::List,
                };
                let left = if matches!(kind, Kind::Map | Kind::Attribute) { count.saturating_mul(2) } else { count };
                if self.values.saturating_add(left) > VALUES_MAX {
                    return Err(Broken(format!("an answer of more than {VALUES_MAX} values")));
                }
                if self.open.len() == DEPTH_MAX {
                    return Err(Broken(format!("an answer of more than {DEPTH_MAX} levels")));
                }
                let room = usize::try_from(left.min(ROOM_MAX)).unwrap_or_default();
                self.open.push(Open { kind, left, items: Vec::with_capacity(room) });
                if left > 0 {
                    return Ok(None);
                }
                return Ok(self.closed());
            }
            other => return Err(Broken(format!("a line that begins with the byte {other}"))),
        }))
    }

    fn take_value(&mut self, bytes: &[u8]) -> Result<(usize, Option<Frame>), Broken> {
        let Some(value) = &mut self.value else { return Ok((0, None)) };
        let taken = usize::try_from(value.left).unwrap_or(usize::MAX).min(bytes.len());
        let part = &bytes[..taken];
        value.left -= taken as u64;
        if value.left > 0 {
            if let Some(kept) = &mut value.kept {
                kept.extend_from_slice(part);
            }
            return Ok((taken, None));
        }
        let Some(value) = self.value.take() else { return Ok((taken, None)) };
        let Some(mut kept) = value.kept else {
            let left_out = if value.is_too_long { Frame::TooLong(value.length) } else { Frame::LeftOut };
            return Ok((taken, Some(left_out)));
        };
        // Most come in one piece.
        let whole = if kept.is_empty() {
            part
        } else {
            kept.extend_from_slice(part);
            &kept
        };
        let Some(mut text) = whole.strip_suffix(b"\r\n") else {
            return Err(Broken("a value that is longer than was told".to_owned()));
        };
        if value.is_verbatim && text.get(3) == Some(&b':') {
            text = &text[4..];
        }
        Ok((taken, Some(if value.is_error { Frame::Error(text.to_vec()) } else { Frame::Text(text.into()) })))
    }

    /// Puts a value where it belongs. Gives the whole frame, if that is the end of it.
    fn close(&mut self, mut found: Frame) -> Option<Frame> {
        loop {
            let Some(top) = self.open.last_mut() else {
                let values = mem::take(&mut self.values).saturating_mul(VALUE_WEIGHT);
                self.weight = mem::take(&mut self.bytes).saturating_add(values);
                return Some(found);
            };
            top.items.push(found);
            top.left = top.left.saturating_sub(1);
            if top.left > 0 {
                return None;
            }
            found = self.closed()?;
        }
    }

    /// The innermost list, which is whole.
    fn closed(&mut self) -> Option<Frame> {
        let Open { kind, items, .. } = self.open.pop()?;
        match kind {
            Kind::List => Some(Frame::List(items)),
            Kind::Map => Some(Frame::Map(items)),
            Kind::Push => Some(Frame::Push(items)),
            Kind::Attribute => None,
        }
    }
}

/// A small text that is there from its length to its end, as most are: names, ids, words. With how many bytes it takes.
fn short(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
    let (length, start) = match *bytes {
        [b'$', one, b'\r', b'\n', ..] => (digit(one)?, 4),
        [b'$', ten, one, b'\r', b'\n', ..] => (digit(ten)? * 10 + digit(one)?, 5),
        _ => return None,
    };
    let text = bytes.get(start..start + length)?;
    // Kept whatever the frame has already.
    let is_small = length as u64 <= SMALL_BYTES_MAX && bytes[start + length..].starts_with(b"\r\n");
    is_small.then_some((start + length + 2, text))
}

/// Whether a line may begin so.
const fn is_kind(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-' | b':' | b',' | b'(' | b'#' | b'_' | b'$' | b'=' | b'!' | b'*' | b'~' | b'%' | b'>' | b'|'
    )
}

fn number(text: &[u8]) -> Result<i64, Broken> {
    // Of most values only a length.
    if let [first @ b'0'..=b'9', rest @ ..] = text
        && rest.len() < SHORT_DIGITS
        && rest.iter().all(u8::is_ascii_digit)
    {
        return Ok(rest.iter().fold(i64::from(first - b'0'), |sum, digit| sum * 10 + i64::from(digit - b'0')));
    }
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| Broken("a line that lacks its number".to_owned()))
}

/// A command as Redis wants it.
pub(super) fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
