//! The whole chain, from its oldest record to its newest.

use std::time::Duration;

use watchfloor_board::frame::UnrecordedWhy;
use watchfloor_model::Timestamp;

use super::{
    body::Unpacker,
    error::{PastError, words},
    reader::Reader,
};
use crate::journal::table::glass::hex;

/// Records read at once.
const READ_MAX: u32 = 256;

/// What walking the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// The oldest record's time.
    pub first: Timestamp,
    /// The newest record's time.
    pub last: Timestamp,
    /// Bytes of all records.
    pub bytes: u64,
    /// Stretches without a record, oldest first.
    pub holes: Vec<Hole>,
    /// The first record that isn't as it was written, and how many there are.
    pub broken: Option<(Broken, u64)>,
    /// Number and hash of the newest record. Written down elsewhere, they hold everything before them.
    pub head: (i64, String),
}

/// A stretch without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The last record before it.
    pub from: Timestamp,
    /// The first after it.
    pub to: Timestamp,
    /// Why.
    pub why: &'static str,
    /// The same as a code.
    pub reason: UnrecordedWhy,
}

impl Hole {
    /// How long it is.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.to.since(self.from)
    }
}

/// A record that isn't as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub seq: i64,
    /// Its time, as it says it, by RFC 3339.
    pub at: String,
    /// What is wrong.
    pub what: String,
}

pub(super) fn verify(reader: &Reader) -> Result<Verified, PastError> {
    let range = reader.range()?;
    let (mut seq, mut link) = reader.anchor()?;
    let mut unpacker = Unpacker::new();
    let mut is_readable = false;
    let (mut records, mut bytes, mut head) = (0, 0, (seq, hex(&link)));
    let mut broken: Option<(Broken, u64)> = None;
    loop {
        let rows = reader.read(seq + 1, READ_MAX)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let is_key = row.record.kind.is_key();
            // What follows one that can't be read can't be read either, and says nothing new.
            let can_be_read = is_key || is_readable;
            let unpacked = can_be_read.then(|| unpacker.unpack(&row.record.body, is_key));
            is_readable = matches!(unpacked, Some(Ok(_)));
            let what = if row.seq != seq + 1 {
                Some(format!("{} before it are missing", row.seq - seq - 1))
            } else if !row.is_sound(&link) {
                Some("it was changed, or the hash of the one before it".to_owned())
            } else {
                unpacked.and_then(Result::err).map(|error| error.to_string())
            };
            if let Some(what) = what {
                match &mut broken {
                    Some((_, count)) => *count += 1,
                    None => broken = Some((Broken { seq: row.seq, at: words(row.record.at), what }, 1)),
                }
            }
            records += 1;
            bytes += row.record.body.len() as u64;
            (seq, link) = (row.seq, row.link());
            head = (seq, hex(&row.hash));
        }
    }
    Ok(Verified { records, first: range.first, last: range.last, bytes, holes: reader.holes()?, broken, head })
}
