//! MessagePack, by its specification of 2017, with timestamps.
//!
//! A text that is no UTF-8 was written by an encoder from before there were bytes, and is taken for bytes. Extensions other than
//! timestamps are bytes without their type. A name that is a list or a map is refused, any other stands as JSON would write it.

use rmp::Marker;

use super::writer::Writer;

/// The extension that is a timestamp.
const TIMESTAMP: i8 = -1;

/// Reads one value, which must be all there is.
pub(super) fn read(bytes: &[u8], out: &mut Writer) -> Result<(), String> {
    let mut reader = Reader { rest: bytes };
    reader.value(out)?;
    match reader.rest.len() {
        0 => Ok(()),
        more => Err(format!("not one message: {more} bytes follow")),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let short = || "not MessagePack: it ends too early".to_owned();
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "another size".to_owned())
    }

    /// A length of so many bytes.
    fn len<const N: usize>(&mut self) -> Result<usize, String> {
        let bytes = self.number::<N>()?;
        Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    }

    fn value(&mut self, out: &mut Writer) -> Result<(), String> {
        let marker = Marker::from_u8(self.number::<1>()?[0]);
        match marker {
            Marker::Null => out.null(),
            Marker::True => out.bool(true),
            Marker::False => out.bool(false),
            Marker::FixPos(number) => out.unsigned(number.into()),
            Marker::FixNeg(number) => out.signed(number.into()),
            Marker::U8 => out.unsigned(u8::from_be_bytes(self.number()?).into()),
            Marker::U16 => out.unsigned(u16::from_be_bytes(self.number()?).into()),
            Marker::U32 => out.unsigned(u32::from_be_bytes(self.number()?).into()),
            Marker::U64 => out.unsigned(u64::from_be_bytes(self.number()?)),
            Marker::I8 => out.signed(i8::from_be_bytes(self.number()?).into()),
            Marker::I16 => out.signed(i16::from_be_bytes(self.number()?).into()),
            Marker::I32 => out.signed(i32::from_be_bytes(self.number()?).into()),
            Marker::I64 => out.signed(i64::from_be_bytes(self.number()?)),
            Marker::F32 => out.float(f32::from_be_bytes(self.number()?).into()),
            Marker::F64 => out.float(f64::from_be_bytes(self.number()?)),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let bytes = self.text(marker)?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => out.text(text),
                    Err(_) => out.bytes(bytes),
                }
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let len = match marker {
                    Marker::Bin8 => self.len::<1>(),
                    Marker::Bin16 => self.len::<2>(),
                    _ => self.len::<4>(),
                }?;
                out.bytes(self.take(len)?)
            }
            Marker::FixArray(len) => self.list(len.into(), out),
            Marker::Array16 => {
                let len = self.len::<2>()?;
                self.list(len, out)
            }
            Marker::Array32 => {
                let len = self.len::<4>()?;
                self.list(len, out)
            }
            Marker::FixMap(len) => self.map(len.into(), out),
            Marker::Map16 => {
                let len = self.len::<2>()?;
                self.map(len, out)
            }
            Marker::Map32 => {
                let len = self.len::<4>()?;
                self.map(len, out)
            }
            Marker::FixExt1 => self.extension(1, out),
            Marker::FixExt2 => self.extension(2, out),
            Marker::FixExt4 => self.extension(4, out),
            Marker::FixExt8 => self.extension(8, out),
            Marker::FixExt16 => self.extension(16, out),
            Marker::Ext8 => {
                let len = self.len::<1>()?;
                self.extension(len, out)
            }
            Marker::Ext16 => {
                let len = self.len::<2>()?;
                self.extension(len, out)
            }
            Marker::Ext32 => {
                let len = self.len::<4>()?;
                self.extension(len, out)
            }
            Marker::Reserved => Err("not MessagePack: a byte C1".to_owned()),
        }
    }

    fn text(&mut self, marker: Marker) -> Result<&'a [u8], String> {
        let len = match marker {
            Marker::FixStr(len) => len.into(),
            Marker::Str8 => self.len::<1>()?,
            Marker::Str16 => self.len::<2>()?,
            _ => self.len::<4>()?,
        };
        self.take(len)
    }

    /// As many as it says, or as there are: nothing is kept for those that don't come.
    fn list(&mut self, len: usize, out: &mut Writer) -> Result<(), String> {
        out.begin_list()?;
        for _ in 0..len {
            self.value(out)?;
        }
        out.end_list()
    }

    fn map(&mut self, len: usize, out: &mut Writer) -> Result<(), String> {
        out.begin_object()?;
        for _ in 0..len {
            self.name(out)?;
            self.value(out)?;
        }
        out.end_object()
    }

    fn name(&mut self, out: &mut Writer) -> Result<(), String> {
        match self.rest.first().copied().map(Marker::from_u8) {
            Some(marker @ (Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32)) => {
                self.take(1)?;
                let bytes = self.text(marker)?;
                match std::str::from_utf8(bytes) {
                    Ok(name) => out.name(name),
                    Err(_) => out.name_of(|out| out.bytes(bytes)),
                }
            }
            Some(
                Marker::FixArray(_)
                | Marker::Array16
                | Marker::Array32
                | Marker::FixMap(_)
                | Marker::Map16
                | Marker::Map32,
            ) => Err("a field's name is a list or a map".to_owned()),
            _ => out.name_of(|out| self.value(out)),
        }
    }

    fn extension(&mut self, len: usize, out: &mut Writer) -> Result<(), String> {
        let kind = i8::from_be_bytes(self.number()?);
        let bytes = self.take(len)?;
        if kind != TIMESTAMP {
            return out.bytes(bytes);
        }
        let time = timestamp(bytes).ok_or("a timestamp that is none")?;
        out.text(&time.to_string())
    }
}

/// Seconds since 1970, with nanoseconds if there is room for them.
fn timestamp(bytes: &[u8]) -> Option<jiff::Timestamp> {
    let (seconds, nanos) = match bytes.len() {
        4 => (u32::from_be_bytes(bytes.try_into().ok()?).into(), 0),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            (i64::try_from(both & ((1 << 34) - 1)).ok()?, u32::try_from(both >> 34).ok()?)
        }
        12 => {
            let (nanos, seconds) = bytes.split_first_chunk::<4>()?;
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(*nanos))
        }
        _ => return None,
    };
    let nanos = i32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    jiff::Timestamp::new(seconds, nanos).ok()
}
