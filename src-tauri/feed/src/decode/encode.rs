//! JSON written in a binary format: what is sent to a server that speaks it.

use cbor4ii::core::{
    enc::{self, Encode},
    types,
    utils::BufWriter,
};
use rmp::encode as msgpack;
use watchfloor_model::{Json, Shape};

/// In MessagePack; the order stays.
pub(super) fn message_pack(value: Json<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write_msgpack(value, &mut out).ok()?;
    Some(out)
}

/// The same in CBOR.
pub(super) fn cbor(value: Json<'_>) -> Option<Vec<u8>> {
    let mut out = BufWriter::new(Vec::new());
    write_cbor(value, &mut out).ok()?;
    Some(out.into_inner())
}

type Written = Result<(), msgpack::ValueWriteError>;

fn write_msgpack(value: Json<'_>, out: &mut Vec<u8>) -> Written {
    match value.shape() {
        Shape::Null => msgpack::write_nil(out).map_err(msgpack::ValueWriteError::InvalidMarkerWrite)?,
        Shape::Bool(value) => {
            msgpack::write_bool(out, value).map_err(msgpack::ValueWriteError::InvalidMarkerWrite)?;
        }
        Shape::Number(number) => {
            if let Some(number) = number.as_u64() {
                msgpack::write_uint(out, number)?;
            } else if let Some(number) = number.as_i64() {
                msgpack::write_sint(out, number)?;
            } else {
                msgpack::write_f64(out, number.as_f64().unwrap_or(f64::NAN))?;
            }
        }
        Shape::Text(text) => msgpack::write_str(out, text)?,
        Shape::List(len) => {
            msgpack::write_array_len(out, u32::try_from(len).unwrap_or(u32::MAX))?;
            value.items().try_for_each(|item| write_msgpack(item, out))?;
        }
        Shape::Object(len) => {
            msgpack::write_map_len(out, u32::try_from(len).unwrap_or(u32::MAX))?;
            for (name, value) in value.fields() {
                msgpack::write_str(out, name)?;
                write_msgpack(value, out)?;
            }
        }
    }
    Ok(())
}

type Failure = enc::Error<std::collections::TryReserveError>;

fn write_cbor(value: Json<'_>, out: &mut BufWriter) -> Result<(), Failure> {
    match value.shape() {
        Shape::Null => types::Null.encode(out),
        Shape::Bool(value) => value.encode(out),
        Shape::Number(number) => {
            if let Some(number) = number.as_u64() {
                number.encode(out)
            } else if let Some(number) = number.as_i64() {
                number.encode(out)
            } else {
                number.as_f64().unwrap_or(f64::NAN).encode(out)
            }
        }
        Shape::Text(text) => text.encode(out),
        Shape::List(len) => {
            types::Array::bounded(len, out)?;
            value.items().try_for_each(|item| write_cbor(item, out))
        }
        Shape::Object(len) => {
            types::Map::bounded(len, out)?;
            for (name, value) in value.fields() {
                name.encode(out)?;
                write_cbor(value, out)?;
            }
            Ok(())
        }
    }
}
