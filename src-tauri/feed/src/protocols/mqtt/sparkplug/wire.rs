//! Protocol Buffers, as far as it takes to read them: <https://protobuf.dev/programming-guides/encoding/>.

/// What is no Protocol Buffers message, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// Reads a message's fields, in order, without copying.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field, with its number.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length =
                    usize::try_from(self.varint()?).map_err(|_| Malformed("a field longer than its message"))?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(Malformed("a field of a kind that isn't used any more, or never was")),
        };
        match tag >> 3 {
            0 => Err(Malformed("a field without a number")),
            number => Ok(Some((number, value))),
        }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (found, rest) = self.0.split_at_checked(count).ok_or(Malformed("a field longer than its message"))?;
        self.0 = rest;
        Ok(found)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (found, rest) = self.0.split_first_chunk().ok_or(Malformed("a field longer than its message"))?;
        self.0 = rest;
        Ok(*found)
    }

    /// Of at most ten bytes, of which what goes beyond 64 bits is nothing.
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * at);
            if byte & 0x80 == 0 {
                self.0 = &self.0[at + 1..];
                return Ok(value);
            }
        }
        Err(Malformed("a number without an end"))
    }
}

impl<'a> Value<'a> {
    pub(super) const fn number(self) -> Result<u64, Malformed> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(Malformed("a field of another type than its number says")),
        }
    }

    pub(super) const fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed("a field of another type than its number says")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("a text that is no UTF-8"))
    }

    pub(super) const fn float(self) -> Result<f32, Malformed> {
        match self {
            Self::Fixed32(bits) => Ok(f32::from_bits(bits)),
            _ => Err(Malformed("a field of another type than its number says")),
        }
    }

    pub(super) const fn double(self) -> Result<f64, Malformed> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(Malformed("a field of another type than its number says")),
        }
    }
}
