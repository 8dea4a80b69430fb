//! Bytes as a row of small decisions.

/// What is left to decide with. When the bytes are used up, every decision is the first one.
#[derive(Clone, Debug)]
pub struct Draws<'a> {
    bytes: &'a [u8],
}

impl<'a> Draws<'a> {
    /// Decides by `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether everything is decided.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// Two bytes as a number.
    pub fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// A number below `most`, which is 1 at least.
    pub fn below(&mut self, most: usize) -> usize {
        let drawn = if most > 256 { usize::from(self.short()) } else { usize::from(self.byte()) };
        drawn % most.max(1)
    }

    /// One time in `of`.
    pub fn once_in(&mut self, of: usize) -> bool {
        self.below(of) == 1
    }

    /// One of several; there is one at least.
    pub fn pick<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }

    /// A number of any size, small ones as often as large ones, and the edges of all kinds of number among them.
    pub fn number(&mut self) -> u64 {
        let shift = u32::from(self.byte());
        match shift {
            0..64 => u64::from(self.short()) << (shift / 2),
            64..128 => u64::MAX >> (shift - 64),
            128..192 => (u64::MAX >> (shift - 128)).wrapping_add(1),
            _ => u64::from(self.byte()),
        }
    }

    /// A span in milliseconds: mostly of the size in which things happen here, rarely for hours or for ever.
    pub fn millis(&mut self) -> u64 {
        let of = u64::from(self.byte());
        match of % 16 {
            0..6 => of / 4,
            6..11 => of * 10,
            11..14 => of * 250,
            14 => of * 60_000,
            _ => self.number(),
        }
    }

    /// So many of the next bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }
}
