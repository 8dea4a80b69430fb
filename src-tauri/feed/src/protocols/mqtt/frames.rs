//! Bytes of a connection, cut into packets. A packet that is too long is passed by, of which the head is kept.

use watchfloor_model::limits::DATA_BYTES_MAX;

/// What a topic and a packet's number take at most.
const HEAD_BYTES: usize = 2 + 65_535 + 2;
/// The longest packet that is kept: the longest body, its topic, and some properties.
pub(super) const PACKET_BYTES_MAX: usize = DATA_BYTES_MAX + 2 * HEAD_BYTES;
/// How much memory is kept between two chunks.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// The longest a length may be, in bytes (MQTT 5, section 1.5.5).
const LENGTH_BYTES_MAX: usize = 4;

/// What is no MQTT, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// Its type and flags.
    pub(super) first: u8,
    /// The rest, after the length.
    pub(super) body: &'a [u8],
    /// How long that was, if it was too long: then only its head is here.
    pub(super) too_long: Option<usize>,
}

/// Cuts.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    buffer: Vec<u8>,
    /// Before it, everything was taken.
    start: usize,
    /// How much is to be passed by.
    skip: usize,
}

impl Cutter {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let passed = if self.start == self.buffer.len() { self.skip.min(bytes.len()) } else { 0 };
        self.skip -= passed;
        self.buffer.extend_from_slice(&bytes[passed..]);
    }

    /// The next packet that is whole, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, Malformed> {
        let passed = self.skip.min(self.buffer.len() - self.start);
        self.skip -= passed;
        self.start += passed;
        let rest = &self.buffer[self.start..];
        let whole = head(rest)?.filter(|head| rest.len() >= head.bytes + head.kept());
        let Some(head) = whole else {
            self.make_room();
            return Ok(None);
        };
        let (kept, from) = (head.kept(), self.start + head.bytes);
        self.start = from + kept;
        self.skip = head.length - kept;
        let too_long = (self.skip > 0).then_some(head.length);
        Ok(Some(Frame { first: head.first, body: &self.buffer[from..from + kept], too_long }))
    }

    fn make_room(&mut self) {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.len() <= KEPT_BYTES_MAX {
            self.buffer.shrink_to(KEPT_BYTES_MAX);
        }
    }
}

/// A packet's first bytes.
struct Head {
    first: u8,
    /// How many they are.
    bytes: usize,
    /// How many come after them.
    length: usize,
}

impl Head {
    const fn kept(&self) -> usize {
        if self.length > PACKET_BYTES_MAX { HEAD_BYTES } else { self.length }
    }
}

fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    // Of the packets that a server sends only PUBLISH has flags.
    if !matches!(first, 0x20 | 0x30..=0x3F | 0x40 | 0x90 | 0xB0 | 0xD0 | 0xE0 | 0xF0) {
        return Err(Malformed("a packet that no server sends"));
    }
    let mut length = 0;
    for (at, byte) in rest.iter().take(LENGTH_BYTES_MAX).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some(Head { first: *first, bytes: at + 2, length }));
        }
    }
    if rest.len() >= LENGTH_BYTES_MAX { Err(Malformed("a packet's length of more than four bytes")) } else { Ok(None) }
}
