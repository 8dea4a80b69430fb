//! What bytes say: the one place where a message becomes JSON, whichever protocol carried it.
//!
//! A board names the steps in their order, such as `["base64", "gzip", "msgpack"]`: all but the last give bytes, the last one a
//! value. Whatever the bytes, what comes out is bounded: see [`limits`].
//!
//! What JSON doesn't have becomes a text, as a board can show it and no widget takes it for a number: bytes are base64 (RFC 4648,
//! section 4), times are RFC 3339, and floats that aren't finite are `"NaN"`, `"Infinity"` and `"-Infinity"`. Whole numbers stay
//! exact within 64 bits; larger ones are floats, as those of a JSON text are. Of several fields with one name the last counts, as
//! everywhere.

mod cbor;
mod encode;
mod inflate;
mod msgpack;
#[cfg(test)]
mod tests;
mod writer;

use std::borrow::Cow;

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use watchfloor_model::{JsonWriter, Payload, limits::DATA_BYTES_MAX};

use self::writer::Writer;
use crate::{limits, port::Message};

/// One step from the bytes that a protocol carries to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// JSON (RFC 8259).
    Json,
    /// MessagePack.
    MessagePack,
    /// CBOR (RFC 8949).
    Cbor,
    /// UTF-8, whatever it says.
    Text,
    /// Base64 of either alphabet (RFC 4648), with or without padding.
    Base64,
    /// gzip (RFC 1952).
    Gzip,
    /// zlib (RFC 1950), which HTTP calls deflate.
    Zlib,
    /// Bare deflate (RFC 1951).
    Deflate,
}

impl Codec {
    /// Whether it gives a value, and not bytes.
    #[must_use]
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Json | Self::MessagePack | Self::Cbor | Self::Text)
    }

    /// Whether what it takes is a text.
    pub(crate) const fn takes_text(self) -> bool {
        matches!(self, Self::Json | Self::Text | Self::Base64)
    }
}

/// The last step. Where the board names none, it is JSON.
pub(crate) fn last(codecs: &[Codec]) -> Codec {
    codecs.last().copied().filter(|codec| codec.is_last()).unwrap_or(Codec::Json)
}

/// Takes all steps but the last one. The error says what is wrong, for people.
pub(crate) fn unpack<'a>(codecs: &[Codec], bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
    let mut bytes = Cow::Borrowed(bytes);
    for codec in codecs.iter().filter(|codec| !codec.is_last()) {
        bytes = Cow::Owned(match codec {
            Codec::Base64 => base64(&bytes)?,
            other => inflate::inflate(*other, &bytes)?,
        });
    }
    Ok(bytes)
}

/// Takes all steps, up to a JSON text of at most `most` bytes; one that came as such isn't looked at yet.
pub(crate) fn json<'a>(codecs: &[Codec], bytes: &'a [u8], most: usize) -> Result<Cow<'a, [u8]>, String> {
    let bytes = unpack(codecs, bytes)?;
    Ok(match last(codecs) {
        Codec::Json => bytes,
        other => Cow::Owned(written(other, &bytes, most)?.into_text().into_bytes()),
    })
}

/// Takes all steps.
pub(crate) fn payload(codecs: &[Codec], bytes: &[u8]) -> Result<Payload, String> {
    let bytes = unpack(codecs, bytes)?;
    let payload = match last(codecs) {
        Codec::Json => Payload::parse_bytes(&bytes),
        other => written(other, &bytes, DATA_BYTES_MAX)?.finish(),
    };
    payload.map_err(|error| error.to_string())
}

/// The same message as a server wants it that speaks by these steps: JSON is written anew where the last of them is a binary
/// format. What is no JSON is sent as it is.
pub(crate) fn encoded(codecs: &[Codec], message: Message) -> Message {
    let write = match codecs {
        [Codec::MessagePack] => encode::message_pack,
        [Codec::Cbor] => encode::cbor,
        _ => return message,
    };
    let said = message.as_text().and_then(|text| Payload::parse(text).ok());
    let bytes = said.and_then(|said| write(said.value()));
    let Some(bytes) = bytes else { return message };
    if message.is_secret { Message::binary(bytes).secret() } else { Message::binary(bytes) }
}

/// What bytes say that aren't JSON, by the step that comes last.
fn written(last: Codec, bytes: &[u8], most: usize) -> Result<JsonWriter, String> {
    let mut writer = Writer::new(most, bytes.len());
    match last {
        Codec::MessagePack => msgpack::read(bytes, &mut writer)?,
        Codec::Cbor => cbor::read(bytes, &mut writer)?,
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(error.valid_up_to()))?;
            writer.text(text)?;
        }
    }
    Ok(writer.finish())
}

fn not_utf8(at: usize) -> String {
    format!("not UTF-8: invalid byte at {at}")
}

fn base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let is_url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = GeneralPurpose::new(if is_url_safe { &URL_SAFE } else { &STANDARD }, config);
    // Encoders of mail's kind break the lines.
    let decoded = if text.iter().any(u8::is_ascii_whitespace) {
        engine.decode(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>())
    } else {
        engine.decode(text)
    };
    let bytes = decoded.map_err(|error| format!("not base64: {error}"))?;
    debug_assert!(bytes.len() <= text.len(), "shorter by a quarter");
    Ok(bytes)
}

const _: () = assert!(limits::DECODED_BYTES_MAX >= DATA_BYTES_MAX);
