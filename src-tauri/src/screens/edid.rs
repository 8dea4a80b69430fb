//! What a monitor says of itself: the base block of its EDID (VESA E-EDID, release A, 128 bytes). Pure.

use std::fmt;

/// Bytes of the base block.
const BLOCK: usize = 128;
const HEADER: [u8; 8] = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
/// Where its four descriptors begin, of 18 bytes each.
const DESCRIPTORS: [usize; 4] = [54, 72, 90, 108];
/// The text of a descriptor: thirteen bytes behind its head.
const TEXT: std::ops::Range<usize> = 5..18;
const SERIAL_TEXT: u8 = 0xff;
const NAME: u8 = 0xfc;

/// Who a monitor is, wherever it is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Three letters.
    vendor: String,
    /// Its name, or the vendor's number for it.
    product: String,
    /// Its own number; empty if it has none.
    serial: String,
}

impl Identity {
    /// Reads a block. None if it is none, or damaged.
    pub(crate) fn read(edid: &[u8]) -> Option<Self> {
        let block = edid.get(..BLOCK)?;
        if block.get(..8)? != HEADER || block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) != 0 {
            return None;
        }
        let letters = u16::from_be_bytes([*block.get(8)?, *block.get(9)?]);
        // Three times five bits, of which 1 is A.
        let letter = |shift: u32| {
            u8::try_from(letters >> shift & 0x1f)
                .ok()
                .filter(|own| (1..=26).contains(own))
                .map(|own| char::from(b'@' + own))
        };
        let vendor: String =
            [letter(10), letter(5), letter(0)].into_iter().map(|letter| letter.unwrap_or('?')).collect();
        let product = u16::from_le_bytes([*block.get(10)?, *block.get(11)?]);
        let number = u32::from_le_bytes([*block.get(12)?, *block.get(13)?, *block.get(14)?, *block.get(15)?]);
        let text = |tag: u8| {
            let descriptors = DESCRIPTORS.iter().filter_map(|at| block.get(*at..*at + 18));
            let found = descriptors.filter(|own| own.starts_with(&[0, 0, 0, tag])).find_map(|own| own.get(TEXT))?;
            Some(plain(found)).filter(|text| !text.is_empty())
        };
        let serial = text(SERIAL_TEXT).or_else(|| (number != 0).then(|| number.to_string()));
        Some(Self {
            vendor,
            product: text(NAME).unwrap_or_else(|| format!("{product:04X}")),
            serial: serial.unwrap_or_default(),
        })
    }

    /// Whether this is what somebody calls `words`: all of what it says of itself, or whole words of its beginning.
    pub(crate) fn is_called(&self, words: &str) -> bool {
        let own = self.to_string().to_lowercase();
        let own: Vec<&str> = own.split_whitespace().collect();
        let asked = words.to_lowercase();
        let asked: Vec<&str> = asked.split_whitespace().collect();
        !asked.is_empty() && own.starts_with(&asked)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.vendor, self.product)?;
        if self.serial.is_empty() { Ok(()) } else { write!(f, " {}", self.serial) }
    }
}

/// A text ends with a line feed, and what is no plain letter says nothing.
fn plain(bytes: &[u8]) -> String {
    let text = bytes.iter().take_while(|byte| **byte != b'\n');
    let text: String =
        text.filter(|byte| byte.is_ascii_graphic() || **byte == b' ').map(|byte| char::from(*byte)).collect();
    text.trim().to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The block of a monitor of Dell's that calls itself so.
    pub(in crate::screens) fn block(name: &str, serial: &str, number: u32) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..8].copy_from_slice(&HEADER);
        block[8..12].copy_from_slice(&[0x10, 0xac, 0x34, 0x12]);
        block[12..16].copy_from_slice(&number.to_le_bytes());
        for (at, tag, text) in [(54, SERIAL_TEXT, serial), (72, NAME, name)] {
            if !text.is_empty() {
                block[at + 3] = tag;
                let text: Vec<u8> = text.bytes().chain([b'\n']).chain(std::iter::repeat(b' ')).take(13).collect();
                block[at + 5..at + 18].copy_from_slice(&text);
            }
        }
        let sum = block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        block[BLOCK - 1] = 0_u8.wrapping_sub(sum);
        block
    }

    fn words(block: &[u8]) -> Option<String> {
        Identity::read(block).map(|identity| identity.to_string())
    }

    #[test]
    fn a_monitor_says_who_it_is() {
        assert_eq!(words(&block("U4323QE", "ABC1234", 7)).as_deref(), Some("DEL U4323QE ABC1234"));
        assert_eq!(words(&block("", "", 1_234_567)).as_deref(), Some("DEL 1234 1234567"));
        assert_eq!(words(&block("", "", 0)).as_deref(), Some("DEL 1234"));
        assert_eq!(
            words(&block("A\u{1b}[31mB", "", 0)).as_deref(),
            Some("DEL A[31mB"),
            "H8: no byte of it steers a terminal"
        );
        let mut damaged = block("U4323QE", "ABC1234", 7);
        damaged[60] ^= 1;
        assert_eq!(words(&damaged), None);
        assert_eq!(words(&block("U4323QE", "ABC1234", 7)[..100]), None);
    }

    #[test]
    fn it_is_called_by_whole_words() {
        let own = Identity::read(&block("DELL U4323QE", "1234", 0)).expect("an identity");
        for words in ["DEL DELL U4323QE 1234", "del dell u4323qe", "DEL"] {
            assert!(own.is_called(words), "{words}");
        }
        for words in ["DEL DELL U4323QE 12345", "DEL DELL U4323", "DELL", "", "DEL DELL U4323QE 1234 5"] {
            assert!(!own.is_called(words), "{words}");
        }
    }

    /// H8: whatever a monitor says, it is read to an end or refused.
    #[test]
    fn any_bytes_are_read() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u8::try_from(state >> 56).unwrap_or_default()
        };
        let mut read = 0;
        for round in 0..20_000_usize {
            let mut bytes: Vec<u8> = (0..round % 260).map(|_| next()).collect();
            if bytes.len() >= BLOCK {
                bytes[..8].copy_from_slice(&HEADER);
                bytes[54 + usize::from(next() % 4) * 18..][..4].copy_from_slice(&[
                    0,
                    0,
                    0,
                    if round % 2 == 0 { NAME } else { SERIAL_TEXT },
                ]);
                let sum = bytes[..BLOCK - 1].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                bytes[BLOCK - 1] = 0_u8.wrapping_sub(sum);
            }
            if let Some(words) = words(&bytes) {
                read += 1;
                assert!(
                    words.len() <= 3 + 1 + 13 + 1 + 13 && words.chars().all(|own| own.is_ascii_graphic() || own == ' '),
                    "{words:?}"
                );
            }
        }
        assert!(read > 1000, "{read}");
    }
}
