//! Deltas: what a message says as the difference to the one before it. The format is VCDIFF, RFC 3284, with its default table of
//! codes; the numbers of sections are those of the RFC. What it leaves to applications (other tables, further compression) is
//! refused, as Ably uses none of it. Of xdelta's additions the header of an application is passed over, and the checksum looked at.

/// What a delta begins with, and its version.
const MAGIC: [u8; 4] = [0xD6, 0xC3, 0xC4, 0x00];
/// Bits of the header's indicator (4.1): further compression, another table of codes, an application's own header.
const COMPRESSED: u8 = 1;
const TABLE: u8 = 1 << 1;
const APPLICATION: u8 = 1 << 2;
/// Bits of a window's indicator (4.2): a part of the source, or of what was made so far; a checksum.
const OF_SOURCE: u8 = 1;
const OF_TARGET: u8 = 1 << 1;
const CHECKSUM: u8 = 1 << 2;
/// Most windows of a delta: each may be told from all of the source.
const WINDOWS_MAX: usize = 64;
/// Addresses that are remembered (5.1).
const NEAR: usize = 4;
const SAME: usize = 3;
/// Modes of an address (5.3): as it is, back from here, then the near ones, then the same ones.
const HERE: u8 = 1;
const FIRST_NEAR: u8 = 2;
const FIRST_SAME: u8 = 6;

/// What a delta makes of `source`: at most `most` bytes. The error says what is wrong with it.
pub(super) fn apply(source: &[u8], delta: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut delta = Reader(delta);
    if delta.take(MAGIC.len())? != MAGIC {
        return Err("no delta of VCDIFF".to_owned());
    }
    let header = delta.byte()?;
    if header & (COMPRESSED | TABLE) != 0 || header & !APPLICATION != 0 {
        return Err("a delta with more than VCDIFF's own codes".to_owned());
    }
    if header & APPLICATION != 0 {
        let length = delta.number()?;
        delta.take(length)?;
    }
    let mut target = Vec::new();
    for _ in 0..WINDOWS_MAX {
        if delta.0.is_empty() {
            return Ok(target);
        }
        window(source, &mut delta, &mut target, most)?;
    }
    if delta.0.is_empty() { Ok(target) } else { Err(format!("a delta of more than {WINDOWS_MAX} windows")) }
}

/// One window (4.2, 4.3).
fn window(source: &[u8], delta: &mut Reader<'_>, target: &mut Vec<u8>, most: usize) -> Result<(), String> {
    let indicator = delta.byte()?;
    if indicator & !(OF_SOURCE | OF_TARGET | CHECKSUM) != 0 || indicator & (OF_SOURCE | OF_TARGET) == 3 {
        return Err("a window of no known kind".to_owned());
    }
    let segment = if indicator & (OF_SOURCE | OF_TARGET) == 0 {
        Vec::new()
    } else {
        let (length, at) = (delta.number()?, delta.number()?);
        let whole: &[u8] = if indicator & OF_SOURCE != 0 { source } else { &*target };
        let part = at.checked_add(length).and_then(|end| whole.get(at..end));
        part.ok_or("a delta of something else: it is longer")?.to_vec()
    };
    let length = delta.number()?;
    let mut encoding = Reader(delta.take(length)?);
    let size = encoding.number()?;
    if target.len().checked_add(size).is_none_or(|size| size > most) {
        return Err(format!("a delta that makes more than {most} bytes"));
    }
    if encoding.byte()? != 0 {
        return Err("a delta with sections that are compressed further".to_owned());
    }
    let lengths = [encoding.number()?, encoding.number()?, encoding.number()?];
    let checksum = if indicator & CHECKSUM == 0 { None } else { Some(encoding.take(4)?) };
    let [data, codes, addresses] = lengths.map(|length| encoding.take(length));
    let (mut data, mut codes) = (Reader(data?), Reader(codes?));
    let mut addresses = Addresses { bytes: Reader(addresses?), near: [0; NEAR], next: 0, same: vec![0; SAME * 256] };

    // What was made in this window stands behind the segment, and is copied from as well.
    let begins = segment.len();
    let mut made = segment;
    let ends = begins + size;
    while !codes.0.is_empty() {
        for step in steps(codes.byte()?) {
            let size = match (step.size, step.does) {
                (_, Does::Nothing) => continue,
                (0, _) => codes.number()?,
                (size, _) => usize::from(size),
            };
            if made.len().checked_add(size).is_none_or(|end| end > ends) {
                return Err("a delta that makes more than it says".to_owned());
            }
            match step.does {
                Does::Nothing => {}
                Does::Add => made.extend_from_slice(data.take(size)?),
                Does::Run => {
                    let byte = data.byte()?;
                    made.resize(made.len() + size, byte);
                }
                Does::Copy(mode) => {
                    let from = addresses.next(mode, made.len())?;
                    // It may reach into what it makes itself.
                    for at in from..from + size {
                        let byte = *made.get(at).ok_or("a copy of what isn't there yet")?;
                        made.push(byte);
                    }
                }
            }
        }
    }
    let new = made.get(begins..).unwrap_or_default();
    if new.len() != size || !data.0.is_empty() || !addresses.bytes.0.is_empty() || !encoding.0.is_empty() {
        return Err("a delta that makes something else than it says".to_owned());
    }
    if checksum.is_some_and(|checksum| checksum != adler32(new).to_be_bytes()) {
        return Err("a delta of something else: the checksum differs".to_owned());
    }
    target.extend_from_slice(new);
    Ok(())
}

/// What an instruction does (5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Nothing,
    Add,
    Run,
    Copy(u8),
}

/// One half of an instruction. A size of zero stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    does: Does,
    size: u8,
}

const NOTHING: Step = Step { does: Does::Nothing, size: 0 };

/// The default table of codes (5.6), by rule in place of its 256 rows.
fn steps(code: u8) -> [Step; 2] {
    let add = |size| Step { does: Does::Add, size };
    let copy = |mode, size| Step { does: Does::Copy(mode), size };
    match code {
        0 => [Step { does: Does::Run, size: 0 }, NOTHING],
        1..=18 => [add(code - 1), NOTHING],
        19..=162 => {
            let (mode, size) = ((code - 19) / 16, (code - 19) % 16);
            [copy(mode, if size == 0 { 0 } else { size + 3 }), NOTHING]
        }
        163..=234 => {
            let (mode, rest) = ((code - 163) / 12, (code - 163) % 12);
            [add(rest / 3 + 1), copy(mode, rest % 3 + 4)]
        }
        235..=246 => [add((code - 235) % 4 + 1), copy((code - 235) / 4 + FIRST_SAME, 4)],
        247..=255 => [copy(code - 247, 4), add(1)],
    }
}

/// Where copies are from, and what is remembered of that (5.1, 5.3).
struct Addresses<'a> {
    bytes: Reader<'a>,
    near: [usize; NEAR],
    next: usize,
    same: Vec<usize>,
}

impl Addresses<'_> {
    fn next(&mut self, mode: u8, here: usize) -> Result<usize, String> {
        let none = || "an address that is none".to_owned();
        let address = match mode {
            0 => self.bytes.number()?,
            HERE => here.checked_sub(self.bytes.number()?).ok_or_else(none)?,
            FIRST_NEAR..FIRST_SAME => {
                let near = self.near[usize::from(mode - FIRST_NEAR) % NEAR];
                near.checked_add(self.bytes.number()?).ok_or_else(none)?
            }
            _ => {
                let at = usize::from(mode - FIRST_SAME) * 256 + usize::from(self.bytes.byte()?);
                *self.same.get(at).ok_or_else(none)?
            }
        };
        if address >= here {
            return Err(none());
        }
        self.near[self.next] = address;
        self.next = (self.next + 1) % NEAR;
        self.same[address % (SAME * 256)] = address;
        Ok(address)
    }
}

/// Bytes that are still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("a delta that is cut off")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// An integer (2): seven bits a byte, the highest first.
    fn number(&mut self) -> Result<usize, String> {
        let mut number: u32 = 0;
        loop {
            let byte = self.byte()?;
            if number > u32::MAX >> 7 {
                return Err("a number that is too big".to_owned());
            }
            number = number << 7 | u32::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return usize::try_from(number).map_err(|_| "a number that is too big".to_owned());
            }
        }
    }
}

/// The checksum that xdelta adds: Adler-32 (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
    use watchfloor_fuzz::{Draws, check};

    use super::*;

    const ONE: &[u8] = br#"{"flight":"AA100","status":"boarding","gate":"B22","delay":0}"#;
    const OTHER: &[u8] = br#"{"flight":"AA100","status":"departed","gate":"B22","delay":12}"#;
    const MOST: usize = 1 << 20;

    /// Made by xdelta 3.0.11 without further compression: plain, with its checksum, and with its header as well.
    const BY_XDELTA: [&str; 3] = [
        "1sPEAAABOwAYPgALBgJkZXBhcnRlZDEyfRMcCRMXBAAk",
        "1sPEAAAFOwAcPgALBgJR/RJ4ZGVwYXJ0ZWQxMn0THAkTFwQAJA==",
        "1sPEAAQFYi8vYS8FOwAcPgALBgJR/RJ4ZGVwYXJ0ZWQxMn0THAkTFwQAJA==",
    ];

    fn bytes(text: &str) -> Vec<u8> {
        BASE64.decode(text).expect("base64")
    }

    #[test]
    fn takes_what_xdelta_makes() {
        for delta in BY_XDELTA {
            assert_eq!(apply(ONE, &bytes(delta), MOST).as_deref(), Ok(OTHER));
        }
        // With a run, copies that reach far, and a row of what was made in the same window.
        let digits = "0123456789".repeat(40).into_bytes();
        let other = [&digits[100..300], &[b'x'; 50], &digits[..150], b"!", &digits[37..90]].concat();
        let delta = bytes("1sPEAAABgnwAGINGAAILBXghE4FIADITgRYCEzUAgWaBTw==");
        assert_eq!(apply(&digits, &delta, MOST), Ok(other));
    }

    /// H3: what isn't the delta of this source is never taken for one, where that can be told.
    #[test]
    fn deltas_of_something_else() {
        let (plain, checked) = (bytes(BY_XDELTA[0]), bytes(BY_XDELTA[1]));
        let fails = |source: &[u8], delta: &[u8], most, why: &str| {
            let error = apply(source, delta, most).expect_err(why);
            assert!(error.contains(why), "{error}");
        };
        fails(&ONE[..30], &plain, MOST, "of something else");
        fails(&ONE.to_ascii_uppercase(), &checked, MOST, "the checksum differs");
        fails(ONE, &plain, 61, "more than 61 bytes");
        fails(ONE, b"VCD", MOST, "cut off");
        fails(ONE, b"GIF89a", MOST, "no delta");
        let header = |indicator: u8| [&MAGIC[..], &[indicator]].concat();
        fails(ONE, &header(1), MOST, "more than VCDIFF's own codes");
        fails(ONE, &header(2), MOST, "more than VCDIFF's own codes");
        for end in MAGIC.len() + 2..plain.len() {
            assert!(apply(ONE, &plain[..end], MOST).is_err(), "cut at {end}");
        }
        assert_eq!(apply(ONE, &header(0), MOST), Ok(Vec::new()));
    }

    /// The table's corners, as the RFC prints them.
    #[test]
    fn the_table_of_codes() {
        let step = |does, size| Step { does, size };
        for (code, expected) in [
            (1, [step(Does::Add, 0), NOTHING]),
            (18, [step(Does::Add, 17), NOTHING]),
            (19, [step(Does::Copy(0), 0), NOTHING]),
            (20, [step(Does::Copy(0), 4), NOTHING]),
            (34, [step(Does::Copy(0), 18), NOTHING]),
            (162, [step(Does::Copy(8), 18), NOTHING]),
            (163, [step(Does::Add, 1), step(Does::Copy(0), 4)]),
            (174, [step(Does::Add, 4), step(Does::Copy(0), 6)]),
            (234, [step(Does::Add, 4), step(Does::Copy(5), 6)]),
            (235, [step(Does::Add, 1), step(Does::Copy(6), 4)]),
            (246, [step(Does::Add, 4), step(Does::Copy(8), 4)]),
            (247, [step(Does::Copy(0), 4), step(Does::Add, 1)]),
            (255, [step(Does::Copy(8), 4), step(Does::Add, 1)]),
        ] {
            assert_eq!(steps(code), expected, "{code}");
        }
    }

    /// H5, H8: no bytes end the program, or make more than they may.
    #[test]
    fn any_delta() {
        check!(iterations = 2000, |bytes: &[u8]| {
            let mut draws = Draws::new(bytes);
            let mut delta = self::bytes(BY_XDELTA[draws.below(BY_XDELTA.len())]);
            for _ in 0..draws.below(6) {
                let at = draws.below(delta.len());
                match draws.below(3) {
                    0 => delta[at] = draws.below(256) as u8,
                    1 => delta.insert(at, draws.below(256) as u8),
                    _ => delta.truncate(at.max(1)),
                }
            }
            if let Ok(made) = apply(ONE, &delta, 4096) {
                assert!(made.len() <= 4096);
            }
        });
    }
}
