//! Fossil's delta format: how one payload is made of the one before. (Fossil's documentation, "Fossil Delta Format")
//!
//! ```text
//! SIZE \n  ( COUNT @ OFFSET ,  |  COUNT : BYTES )…  CHECKSUM ;
//! ```
//!
//! Numbers are in base 64. A patch that doesn't give exactly the bytes that it promises is none.

/// The digits of a number, by value.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/// What `patch` makes of `base`, if it is a patch of it and gives no more than `max` bytes. The error says what is wrong with it.
pub(super) fn apply(base: &[u8], patch: &[u8], max: usize) -> Result<Vec<u8>, &'static str> {
    let mut patch = Patch(patch);
    let size = patch.number()?;
    patch.expect(b'\n')?;
    if size > max {
        return Err("it gives too many bytes");
    }
    // It grows by what is really there: a promise costs nothing.
    let mut out = Vec::new();
    loop {
        let count = patch.number()?;
        let part = match patch.byte()? {
            b'@' => {
                let offset = patch.number()?;
                patch.expect(b',')?;
                let end = offset.checked_add(count).ok_or("it copies from beyond the base")?;
                base.get(offset..end).ok_or("it copies from beyond the base")?
            }
            b':' => patch.take(count)?,
            b';' => {
                let sound = out.len() == size && u32::try_from(count) == Ok(checksum(&out));
                return if sound { Ok(out) } else { Err("its size or checksum is another one") };
            }
            _ => return Err("it has an instruction that is none"),
        };
        if out.len() + part.len() > size {
            return Err("it gives more bytes than it says");
        }
        out.extend_from_slice(part);
    }
}

/// What is left of a patch.
struct Patch<'a>(&'a [u8]);

impl<'a> Patch<'a> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (byte, rest) = self.0.split_first().ok_or("it ends too soon")?;
        self.0 = rest;
        Ok(*byte)
    }

    fn expect(&mut self, expected: u8) -> Result<(), &'static str> {
        if self.byte()? == expected { Ok(()) } else { Err("a number in it isn't ended") }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (part, rest) = self.0.split_at_checked(count).ok_or("it ends too soon")?;
        self.0 = rest;
        Ok(part)
    }

    /// A number of 32 bits. One without digits is zero.
    fn number(&mut self) -> Result<usize, &'static str> {
        let mut number = 0_u32;
        while let Some(digit) = self.0.first().and_then(|byte| DIGITS.iter().position(|digit| digit == byte)) {
            self.0 = &self.0[1..];
            let digit = u32::try_from(digit).map_err(|_| "a number in it is too large")?;
            number = number
                .checked_mul(64)
                .and_then(|number| number.checked_add(digit))
                .ok_or("a number in it is too large")?;
        }
        usize::try_from(number).map_err(|_| "a number in it is too large")
    }
}

/// The sum of the bytes as 32-bit numbers, most significant byte first, the last one filled up with zeros.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.chunks(4).fold(0, |sum: u32, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        sum.wrapping_add(u32::from_be_bytes(word))
    })
}

#[cfg(test)]
mod tests {
    use watchfloor_fuzz::{Draws, check, mutated};

    use super::*;

    /// What Centrifugo 6.9.1 sent: a payload, and the two after it.
    const FIRST: &str = r#"{"kind":"tick","n":1,"text":"a long enough text so that a patch is worth it, and some more of it to be sure"}"#;
    const PATCHES: [&str; 2] = ["1i\nJ@0,1:21P@K,3hNgz6;", "1i\nJ@0,1:31P@K,3hNgz7;"];

    const MAX: usize = 1 << 20;

    /// The patch that inserts and copies as it is told, for tests.
    fn patch(base: &[u8], parts: &[Result<(usize, usize), &[u8]>]) -> (Vec<u8>, Vec<u8>) {
        fn number(mut number: usize, out: &mut Vec<u8>) {
            let mut digits = vec![DIGITS[number % 64]];
            while number >= 64 {
                number /= 64;
                digits.push(DIGITS[number % 64]);
            }
            out.extend(digits.iter().rev());
        }
        let (mut body, mut target) = (Vec::new(), Vec::new());
        for part in parts {
            match *part {
                Ok((offset, count)) => {
                    number(count, &mut body);
                    body.push(b'@');
                    number(offset, &mut body);
                    body.push(b',');
                    target.extend_from_slice(&base[offset..offset + count]);
                }
                Err(bytes) => {
                    number(bytes.len(), &mut body);
                    body.push(b':');
                    body.extend_from_slice(bytes);
                    target.extend_from_slice(bytes);
                }
            }
        }
        let mut patch = Vec::new();
        number(target.len(), &mut patch);
        patch.push(b'\n');
        patch.extend(body);
        number(checksum(&target) as usize, &mut patch);
        patch.push(b';');
        (patch, target)
    }

    /// H3: what the server meant comes out, byte by byte.
    #[test]
    fn what_the_server_sent() {
        let mut text = FIRST.as_bytes().to_vec();
        for (n, patch) in (2..).zip(PATCHES) {
            text = apply(&text, patch.as_bytes(), MAX).expect("a patch");
            assert_eq!(String::from_utf8_lossy(&text), FIRST.replace("\"n\":1", &format!("\"n\":{n}")));
        }
    }

    /// H3: a patch of another payload is found out, and so is one that was cut.
    #[test]
    fn patches_of_something_else() {
        assert!(apply(b"", PATCHES[0].as_bytes(), MAX).is_err());
        assert!(apply(FIRST.replace("tick", "tock").as_bytes(), PATCHES[0].as_bytes(), MAX).is_err());
        assert!(apply(FIRST.as_bytes(), PATCHES[0].as_bytes(), 10).is_err(), "H5");
        for end in 0..PATCHES[0].len() {
            assert!(apply(FIRST.as_bytes(), &PATCHES[0].as_bytes()[..end], MAX).is_err(), "{end}");
        }
        for nonsense in
            ["", ";", "0\n;", "0\n0", "~~~~~~\n0;", "1\n1@~~~~~,", "1\n2:ab0;", "2\n1:a0;", "1\n1:a0;", "1\n1?a0;"]
        {
            assert_eq!(apply(b"ab", nonsense.as_bytes(), MAX).is_ok(), nonsense == "0\n;", "{nonsense}");
        }
    }

    /// Whatever is copied and inserted comes out, and whatever else the bytes are, no more comes out than may.
    #[test]
    fn any_patch() {
        check!(|bytes: &[u8]| {
            let mut draws = Draws::new(bytes);
            let base: Vec<u8> = (0..draws.below(200)).map(|_| draws.byte()).collect();
            let inserts: Vec<Vec<u8>> = (0..4).map(|_| (0..draws.below(100)).map(|_| draws.byte()).collect()).collect();
            let mut parts = Vec::new();
            for insert in &inserts {
                let offset = draws.below(base.len() + 1);
                parts.push(Ok((offset, draws.below(base.len() - offset + 1))));
                parts.push(Err(&insert[..]));
            }
            let (sound, target) = patch(&base, &parts);
            assert_eq!(apply(&base, &sound, MAX).as_deref(), Ok(&target[..]));
            let max = draws.below(300);
            let text = String::from_utf8_lossy(&sound).into_owned();
            let damaged = mutated(&[&text, PATCHES[0]], &mut draws);
            if let Ok(out) = apply(&base, &damaged, max) {
                assert!(out.len() <= max);
            }
        });
    }
}
