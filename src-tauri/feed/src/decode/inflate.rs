//! gzip, zlib and bare deflate, no further than the bounds: a message of a few bytes may say a gigabyte.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};

use super::Codec;
use crate::limits::{DECODED_BYTES_MAX, INFLATE_RATIO_MAX, INFLATED_FREELY_BYTES};

/// By how much the room grows at a time, at least.
const STEP: usize = 4096;

/// Inflates a whole message.
pub(super) fn inflate(codec: Codec, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match codec {
        Codec::Gzip => gzip(bytes),
        Codec::Zlib => deflate(bytes, true),
        _ => deflate(bytes, false),
    }
}

/// The most that so many bytes may become.
pub(super) fn most(bytes: usize) -> usize {
    bytes.saturating_mul(INFLATE_RATIO_MAX).clamp(INFLATED_FREELY_BYTES, DECODED_BYTES_MAX)
}

fn too_big(most: usize) -> String {
    format!("more than {most} bytes when it is inflated")
}

/// Members one after the other are one text, by RFC 1952.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let (most, mut out) = (most(bytes.len()), Vec::new());
    let mut reader = MultiGzDecoder::new(bytes).take(most as u64 + 1);
    reader.read_to_end(&mut out).map_err(|error| format!("not gzip: {error}"))?;
    if out.len() > most { Err(too_big(most)) } else { Ok(out) }
}

fn deflate(bytes: &[u8], has_header: bool) -> Result<Vec<u8>, String> {
    let name = if has_header { "zlib" } else { "deflate" };
    let (most, mut out) = (most(bytes.len()), Vec::new());
    let mut stream = Decompress::new(has_header);
    loop {
        let taken = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(taken..).unwrap_or_default();
        out.reserve(STEP.max(out.len()).min(most + 1 - out.len()));
        let had = out.len();
        let status = stream.decompress_vec(rest, &mut out, FlushDecompress::None);
        let status = status.map_err(|error| format!("not {name}: {error}"))?;
        if out.len() > most {
            return Err(too_big(most));
        }
        let moved = out.len() > had || stream.total_in() > taken as u64;
        match status {
            Status::StreamEnd => break,
            // What is cut off would pass for a shorter message.
            Status::Ok | Status::BufError if !moved => return Err(format!("not {name}: it ends too early")),
            Status::Ok | Status::BufError => {}
        }
    }
    match bytes.len() as u64 - stream.total_in() {
        0 => Ok(out),
        more => Err(format!("not {name}: {more} bytes follow its end")),
    }
}
