//! CBOR (RFC 8949).
//!
//! Tags are passed over, but for those that make another number of what they tag: big numbers (2, 3) and decimal fractions (4).
//! A time is the text or the number that it is written as (0, 1), which `event.time` knows both. `undefined` is null, other simple
//! values have no meaning and are refused, as is a name that is a list or a map.

use cbor4ii::core::{
    dec::{self, Decode, Error, Read},
    types,
    utils::SliceReader,
};

use super::writer::Writer;

type Text<'a> = std::borrow::Cow<'a, str>;
type Bytes<'a> = types::Bytes<std::borrow::Cow<'a, [u8]>>;

/// Tags of RFC 8949, section 3.4.
const BIG: u64 = 2;
const BIG_NEGATIVE: u64 = 3;
const DECIMAL: u64 = 4;

/// Major types of section 3.1.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// First bytes of the major type 7.
const FALSE: u8 = 0xF4;
const TRUE: u8 = 0xF5;
const NULL: u8 = 0xF6;
const UNDEFINED: u8 = 0xF7;
const HALF: u8 = 0xF9;
const SINGLE: u8 = 0xFA;
const DOUBLE: u8 = 0xFB;

/// Reads one value, which must be all there is.
pub(super) fn read(bytes: &[u8], out: &mut Writer) -> Result<(), String> {
    let mut reader = SliceReader::new(bytes);
    value(&mut reader, out)?;
    match first(&mut reader) {
        None => Ok(()),
        Some(_) => Err("not one message: bytes follow".to_owned()),
    }
}

fn first(reader: &mut SliceReader<'_>) -> Option<u8> {
    let Ok(bytes) = reader.fill(1);
    bytes.as_ref().first().copied()
}

fn say<E: std::fmt::Debug>(error: Error<E>) -> String {
    match error {
        Error::Eof { .. } | Error::RequireLength { .. } => "not CBOR: it ends too early".to_owned(),
        Error::RequireUtf8 { .. } => "not CBOR: a text that is no UTF-8".to_owned(),
        _ => "not CBOR: a value that isn't well-formed".to_owned(),
    }
}

fn take<'a, T: Decode<'a>>(reader: &mut SliceReader<'a>) -> Result<T, String> {
    T::decode(reader).map_err(say)
}

fn value(reader: &mut SliceReader<'_>, out: &mut Writer) -> Result<(), String> {
    let Some(byte) = first(reader) else { return Err("not CBOR: it ends too early".to_owned()) };
    match dec::if_major(byte) {
        UNSIGNED => out.unsigned(take(reader)?),
        NEGATIVE => {
            let types::Negative(number) = take::<types::Negative<u64>>(reader)?;
            out.digits(-1 - i128::from(number))
        }
        BYTES => {
            let types::Bytes(bytes) = take::<Bytes<'_>>(reader)?;
            out.bytes(&bytes)
        }
        TEXT => out.text(&take::<Text<'_>>(reader)?),
        LIST => list(reader, out),
        MAP => map(reader, out),
        TAG => tagged(reader, out),
        _ => simple(byte, reader, out),
    }
}

/// Whether another item follows: as many as were said, or until the end is.
fn goes_on(len: Option<usize>, at: usize, reader: &mut SliceReader<'_>) -> Result<bool, String> {
    match len {
        Some(len) => Ok(at < len),
        None => dec::is_break(reader).map(|is_end| !is_end).map_err(say),
    }
}

fn list(reader: &mut SliceReader<'_>, out: &mut Writer) -> Result<(), String> {
    let len = types::Array::len(reader).map_err(say)?;
    out.begin_list()?;
    let mut at = 0;
    while goes_on(len, at, reader)? {
        value(reader, out)?;
        at += 1;
    }
    out.end_list()
}

fn map(reader: &mut SliceReader<'_>, out: &mut Writer) -> Result<(), String> {
    let len = types::Map::len(reader).map_err(say)?;
    out.begin_object()?;
    let mut at = 0;
    while goes_on(len, at, reader)? {
        match first(reader).map(dec::if_major) {
            Some(TEXT) => out.name(&take::<Text<'_>>(reader)?)?,
            Some(LIST | MAP) => return Err("a field's name is a list or a map".to_owned()),
            // What is below it isn't known before it is read.
            Some(TAG) => return Err("a field's name has a tag".to_owned()),
            _ => out.name_of(|out| value(reader, out))?,
        }
        value(reader, out)?;
        at += 1;
    }
    out.end_object()
}

fn tagged(reader: &mut SliceReader<'_>, out: &mut Writer) -> Result<(), String> {
    // One may follow the other.
    out.enter()?;
    match types::Tag::tag(reader).map_err(say)? {
        tag @ (BIG | BIG_NEGATIVE) => {
            let types::Bytes(bytes) = take::<Bytes<'_>>(reader)?;
            let number = big(&bytes).ok_or("a number of more than 127 bits")?;
            out.digits(if tag == BIG { number } else { -1 - number })?;
        }
        DECIMAL => {
            let malformed = || "a decimal fraction that is none".to_owned();
            if types::Array::len(reader).map_err(say)? != Some(2) {
                return Err(malformed());
            }
            let exponent: i64 = take(reader).map_err(|_| malformed())?;
            let digits: i128 = take(reader).map_err(|_| malformed())?;
            // As JSON writes such a number.
            out.digits(format_args!("{digits}e{exponent}"))?;
        }
        _ => value(reader, out)?,
    }
    out.leave();
    Ok(())
}

fn big(bytes: &[u8]) -> Option<i128> {
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let number = (bytes.len() <= 16).then(|| bytes.iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte)))?;
    i128::try_from(number).ok()
}

fn simple(byte: u8, reader: &mut SliceReader<'_>, out: &mut Writer) -> Result<(), String> {
    match byte {
        HALF => {
            let types::F16(bits) = take(reader)?;
            return out.float(half(bits));
        }
        SINGLE => return out.float(take::<f32>(reader)?.into()),
        DOUBLE => return out.float(take(reader)?),
        FALSE | TRUE => out.bool(byte == TRUE),
        NULL | UNDEFINED => out.null(),
        other => return Err(format!("not CBOR: a byte {other:02X} where a value begins")),
    }?;
    reader.advance(1);
    Ok(())
}

/// A float of 16 bits: RFC 8949, appendix D.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f64::from(bits & 0x3FF));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (fraction + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
