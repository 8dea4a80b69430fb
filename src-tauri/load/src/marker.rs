//! What proves that an event arrived: a mark in its body with its channel, its number there and the instant it was due to be published.
//!
//! It has a fixed width and begins with a character that none of the protocols writes elsewhere, so it is found and read without
//! reading the JSON around it.

use std::fmt::Write;

const BEGINS: u8 = b'~';
const CHANNEL_DIGITS: usize = 5;
const NUMBER_DIGITS: usize = 11;
const MICROS_DIGITS: usize = 13;
/// All of a mark, bytes.
pub(crate) const BYTES: usize = 1 + CHANNEL_DIGITS + NUMBER_DIGITS + MICROS_DIGITS;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) channel: usize,
    /// Counts from 1.
    pub(crate) number: u64,
    /// Since the generator began.
    pub(crate) micros: u64,
}

impl Mark {
    /// Appends it.
    pub(crate) fn write(&self, out: &mut String) {
        let Self { channel, number, micros } = self;
        // Into a text nothing fails.
        let _ = write!(out, "~{channel:0CHANNEL_DIGITS$}{number:0NUMBER_DIGITS$}{micros:0MICROS_DIGITS$}");
    }
}

/// Every mark in these bytes, in their order.
pub(crate) fn marks(bytes: &[u8], mut each: impl FnMut(Mark)) {
    for at in memchr::memchr_iter(BEGINS, bytes) {
        let Some(digits) = bytes.get(at + 1..at + BYTES) else { return };
        let (channel, rest) = digits.split_at(CHANNEL_DIGITS);
        let (number, micros) = rest.split_at(NUMBER_DIGITS);
        let channel = usize::try_from(whole(channel)).unwrap_or(usize::MAX);
        each(Mark { channel, number: whole(number), micros: whole(micros) });
    }
}

fn whole(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: what is written is read, however many stand in one frame.
    #[test]
    fn marks_are_read() {
        let all = [(0, 1, 0), (99_999, 12_345_678_901, 9_999_999_999_999), (7, 2, 3)]
            .map(|(channel, number, micros)| Mark { channel, number, micros });
        let mut text = String::from("{\"v\":\"");
        for mark in &all {
            mark.write(&mut text);
            text.push_str("xxx\"}\n");
        }
        let mut found = Vec::new();
        marks(text.as_bytes(), |mark| found.push(mark));
        assert_eq!(found, all);
        marks(b"~0000", |_| panic!("cut off"));
    }
}
