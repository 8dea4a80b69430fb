//! A record's body: what was on the glass, as JSON, made small.
//!
//! One second of a wall is much like the one before, so each body is packed with the text before it as a dictionary. A key begins
//! without one.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use serde::{Deserialize, Serialize};
use watchfloor_board::frame::Frame;

/// How hard packing tries: beyond this it gets little smaller and much slower.
const LEVEL: u32 = 6;
/// How far back a dictionary reaches.
const DICTIONARY_BYTES_MAX: usize = 32 << 10;
/// Text of one record. A wall's whole state is far smaller; what unpacks to more was not written by this program.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// What a page got, or would have got.
    pub(crate) frame: Frame,
    /// What is known of the page.
    pub(crate) glass: Glass,
}

/// Whether there was a glass, and how far it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Glass {
    /// How long ago a page last said that it had painted, milliseconds; none if none has since the start.
    pub(crate) painted_ago_ms: Option<u64>,
    /// Whether it showed the past.
    pub(crate) looked_back: bool,
    /// Whether it showed a lamp test.
    #[serde(default)]
    pub(crate) drilled: bool,
}

/// Why a body can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It doesn't unpack.
    #[error("it does not unpack: {0}")]
    Packing(String),
    /// It isn't what a record says.
    #[error("it is not understood: {0}")]
    Text(#[from] serde_json::Error),
}

/// Packs one record after the other.
#[derive(Debug)]
pub(crate) struct Packer {
    compress: Compress,
    before: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self { compress: Compress::new(Compression::new(LEVEL), false), before: Vec::new() }
    }

    /// Packs a record; a key can be read without the ones before it.
    ///
    /// # Errors
    /// If it can't be written down, which would be a defect. The next one must then be a key.
    pub(crate) fn pack(&mut self, taken: &Taken, is_key: bool) -> Result<Vec<u8>, BodyError> {
        let text = serde_json::to_vec(taken)?;
        let failed = |error: flate2::CompressError| BodyError::Packing(error.to_string());
        self.compress.reset();
        if !is_key && !self.before.is_empty() {
            self.compress.set_dictionary(&self.before).map_err(failed)?;
        }
        let mut packed = Vec::with_capacity(text.len() / 4 + 64);
        loop {
            let rest = text.get(usize::try_from(self.compress.total_in()).unwrap_or(usize::MAX)..).unwrap_or_default();
            let status = self.compress.compress_vec(rest, &mut packed, FlushCompress::Finish).map_err(failed)?;
            if status == Status::StreamEnd {
                break;
            }
            packed.reserve(packed.capacity().max(64));
        }
        self.before = dictionary(text);
        Ok(packed)
    }
}

/// Unpacks them in the same order, from a key on.
#[derive(Debug)]
pub(crate) struct Unpacker {
    before: Vec<u8>,
}

impl Unpacker {
    pub(crate) const fn new() -> Self {
        Self { before: Vec::new() }
    }

    /// What a record says.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(crate) fn unpack(&mut self, body: &[u8], is_key: bool) -> Result<Taken, BodyError> {
        self.read(body, is_key, |text| serde_json::from_slice(text))
    }

    /// What `understand` makes of a record's text.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(super) fn read<T>(
        &mut self,
        body: &[u8],
        is_key: bool,
        understand: impl FnOnce(&[u8]) -> serde_json::Result<T>,
    ) -> Result<T, BodyError> {
        let failed = |reason: &str| BodyError::Packing(reason.to_owned());
        let mut decompress = Decompress::new(false);
        if !is_key && !self.before.is_empty() {
            decompress.set_dictionary(&self.before).map_err(|error| failed(&error.to_string()))?;
        }
        let mut text = Vec::with_capacity(body.len().saturating_mul(8).clamp(64, TEXT_BYTES_MAX));
        loop {
            let rest = body.get(usize::try_from(decompress.total_in()).unwrap_or(usize::MAX)..).unwrap_or_default();
            let before = (decompress.total_in(), decompress.total_out());
            let status = decompress
                .decompress_vec(rest, &mut text, FlushDecompress::Finish)
                .map_err(|error| failed(&error.to_string()))?;
            let is_full = text.len() == text.capacity();
            match status {
                Status::StreamEnd => break,
                _ if text.len() >= TEXT_BYTES_MAX => return Err(failed("it is too large")),
                _ if is_full => text.reserve(text.capacity().max(64)),
                _ if before == (decompress.total_in(), decompress.total_out()) => {
                    return Err(failed("it is cut short"));
                }
                _ => (),
            }
        }
        let understood = understand(&text)?;
        self.before = dictionary(text);
        Ok(understood)
    }
}

/// The end of a text, as far as a dictionary reaches.
fn dictionary(mut text: Vec<u8>) -> Vec<u8> {
    let from = text.len().saturating_sub(DICTIONARY_BYTES_MAX);
    text.drain(..from);
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use watchfloor_board::{Board, Mark, config};
    use watchfloor_model::{Mono, Timestamp};

    use super::*;

    const BOARD: &str = include_str!("../../../../tests/boards/counter.toml");

    /// A frame of a board that has heard nothing, at this second.
    pub(crate) fn frame(board: &mut Board, mark: &mut Option<Mark>, second: u64) -> Frame {
        let wall = Timestamp::from_millis(i64::try_from(1000 * second).unwrap());
        board.frame_after(mark, Mono::from_millis(1_000_000 + 1000 * second), wall)
    }

    pub(crate) fn board() -> Board {
        Board::new(config::parse(BOARD, "orders.toml").unwrap(), Mono::from_millis(1_000_000))
    }

    /// What was packed comes back, a change only after what it was packed after, and nonsense is an error.
    #[test]
    fn bodies_come_back() {
        let (mut board, mut mark) = (board(), None);
        let mut packer = Packer::new();
        let taken: Vec<Taken> = (0..20)
            .map(|second| Taken { frame: frame(&mut board, &mut mark, second), glass: Glass::default() })
            .collect();
        let packed: Vec<Vec<u8>> =
            taken.iter().enumerate().map(|(at, taken)| packer.pack(taken, at % 10 == 0).unwrap()).collect();
        let mut unpacker = Unpacker::new();
        for (at, body) in packed.iter().enumerate() {
            assert_eq!(unpacker.unpack(body, at % 10 == 0).unwrap(), taken[at]);
        }
        assert!(packed[11].len() < packed[10].len() / 4, "{} {}", packed[11].len(), packed[10].len());
        for nonsense in [&[] as &[u8], b"nonsense", &packed[0][..packed[0].len() / 2]] {
            assert!(Unpacker::new().unpack(nonsense, true).is_err(), "{nonsense:?}");
        }
    }
}
