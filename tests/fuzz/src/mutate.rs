//! Sound messages, damaged: random bytes alone never get past a parser's first character.

use crate::Draws;

/// Most bytes that an input grows to.
const BYTES_MAX: usize = 256 << 10;
/// What often breaks something where a value was expected.
const WORDS: [&str; 30] = [
    "0",
    "-1",
    "-0.0",
    "0.5",
    "1e308",
    "-1e308",
    "1e-320",
    "1e999",
    "127",
    "65536",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "\"e:1\"",
    "\"e:18446744073709551615\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{1F6EB}\u{202E}é\"",
    "\"NaN\"",
    "253402300800000",
    "{\"\":[{}]}",
    "[[[[[[[[]]]]]]]]",
];

/// One of the `seeds`, damaged as the draws say; or, if the first one is 0, what is left of the draws as it stands.
pub fn mutated<S: AsRef<[u8]>>(seeds: &[S], draws: &mut Draws<'_>) -> Vec<u8> {
    let first = draws.byte();
    if first == 0 || seeds.is_empty() {
        return draws.rest().to_vec();
    }
    let mut text = draws.pick(seeds).as_ref().to_vec();
    for _ in 0..first % 6 {
        damage(&mut text, seeds, draws);
        text.truncate(BYTES_MAX);
    }
    text
}

fn damage<S: AsRef<[u8]>>(text: &mut Vec<u8>, seeds: &[S], draws: &mut Draws<'_>) {
    let kind = draws.byte() % 16;
    let at = draws.below(text.len() + 1);
    match kind {
        // A value by another one: what gets furthest.
        0..7 => {
            let values = values(text);
            if !values.is_empty() {
                let (start, end) = *draws.pick(&values);
                let word = *draws.pick::<&str>(&WORDS);
                text.splice(start..end, word.bytes());
            }
        }
        7 => {
            let values = values(text);
            if !values.is_empty() {
                let (start, end) = *draws.pick(&values);
                let (from, to) = *draws.pick(&values);
                let other = text[from..to].to_vec();
                text.splice(start..end, other);
            }
        }
        8 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << (draws.byte() % 8);
            }
        }
        9 => text.truncate(at),
        10 => {
            let end = (at + draws.below(64)).min(text.len());
            text.drain(at..end);
        }
        11 => {
            let end = (at + draws.below(64)).min(text.len());
            let part = text[at..end].repeat(1 << (draws.byte() % 8));
            text.splice(at..at, part);
        }
        12 => {
            let other = draws.pick(seeds).as_ref();
            let from = draws.below(other.len() + 1);
            text.splice(at.., other[from..].iter().copied());
        }
        13 => {
            let count = draws.below(8);
            text.splice(at..at, draws.take(count).iter().copied());
        }
        14 => {
            let word = *draws.pick::<&str>(&WORDS);
            text.splice(at..at, word.bytes());
        }
        _ => {
            let deep = 1_usize << (draws.byte() % 12);
            let byte = *draws.pick::<u8>(b"[{\"\\ \n-9e0");
            text.splice(at..at, std::iter::repeat_n(byte, deep));
        }
    }
}

/// Where the single values of a text lie: quoted texts, and runs of what numbers and words are made of.
fn values(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() && found.len() < 256 {
        let start = at;
        if text[at] == b'"' {
            at += 1;
            while at < text.len() && text[at] != b'"' {
                at += 1 + usize::from(text[at] == b'\\');
            }
            at = (at + 1).min(text.len());
            found.push((start, at));
        } else if is_of_a_value(text[at]) {
            while at < text.len() && is_of_a_value(text[at]) {
                at += 1;
            }
            found.push((start, at));
        } else {
            at += 1;
        }
    }
    found
}

const fn is_of_a_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is damaged once in most places still gets past the parser, or nothing behind it would be reached.
    #[test]
    fn most_of_what_is_damaged_is_still_read() {
        let seed = r#"{"type":"event","channel":"flights","position":"e:7","time":5,"data":{"n":[1,2]}}"#;
        let read = (0..=255_u8)
            .filter(|at| {
                let text = mutated(&[seed], &mut Draws::new(&[1, 0, *at % 7, 0, *at, at.wrapping_mul(7)]));
                serde_json::from_slice::<serde_json::Value>(&text).is_ok_and(|value| value != seed)
            })
            .count();
        assert!(read > 100, "{read}");
    }

    #[test]
    fn raw_bytes_stay_as_they_are() {
        assert_eq!(mutated(&["x"], &mut Draws::new(b"\0data: 1\n")), b"data: 1\n");
    }
}
